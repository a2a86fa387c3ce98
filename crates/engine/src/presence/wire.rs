//! The bytes of one presence frame, and the one guarded door through which a peer's come in: whatever they are, nothing
//! panics and nothing is reserved that they do not justify. Resolves nothing and shows nothing.

use codesync_base::{DeviceId, FileId, LogId};
use codesync_sync::limits::PRESENCE_BYTES_MAX;
use serde::{Deserialize, Serialize};

/// First byte of a frame. What has another one is passed over.
const VERSION: u8 = 1;
/// Selections of one frame; what does not fit into its bytes goes, the last first.
pub(super) const SELECTIONS_MAX: usize = 64;
/// Signals that one frame repeats.
pub(super) const SIGNALS_MAX: usize = 4;

/// All that a peer says of whoever is there.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Shown {
    /// Logs that the spots name, by index.
    pub(super) logs: Vec<LogId>,
    pub looks_at: Option<LooksAt>,
    /// Unix milliseconds of the moment of the past that is looked at.
    pub past_ms: Option<u64>,
    pub is_away: bool,
    pub is_writing_message: bool,
    /// What was said lately, the newest last, each with a number of its own: it counts once, however often it is repeated.
    pub signals: Vec<(u64, Sign)>,
    #[serde(skip)]
    pub more: More,
}

/// Behind the rest, where the first programs said nothing and read nothing.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct More {
    /// Line of the main caret for who told it, from 1; 0 where there is none.
    pub line: u32,
    /// Signals, by their number, that are for one device alone.
    pub to_one: Vec<(u64, DeviceId)>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct LooksAt {
    pub file: FileId,
    pub top: Line,
    /// Anchor and head of each; the first is the main caret.
    pub selections: Vec<(Spot, Spot)>,
}

/// A place in a text: beside a unit, and where that was for who told it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Spot {
    unit: Option<Unit>,
    /// Right of the unit rather than left of it.
    pub is_after: bool,
    /// UTF-16 units.
    pub position: u32,
}

/// A line by its first unit, and its number, from 1, for who told it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    pub start: Spot,
    pub number: u32,
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Unit {
    log: u8,
    seq: u32,
    offset: u32,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) enum Sign {
    Bring { file: FileId, line: Line },
    AskToEdit,
}

impl Shown {
    /// A spot beside a unit (log, delta, offset) of a text; none beside nothing.
    pub fn spot(&mut self, unit: Option<(LogId, u32, u32)>, is_after: bool, position: u32) -> Spot {
        let unit = unit.and_then(|(log, seq, offset)| {
            let idx = self.logs.iter().position(|known| *known == log).unwrap_or_else(|| {
                self.logs.push(log);
                self.logs.len() - 1
            });
            u8::try_from(idx).ok().map(|log| Unit { log, seq, offset })
        });
        Spot { unit, is_after, position }
    }

    /// The unit beside which a spot is.
    pub fn unit_of(&self, spot: &Spot) -> Option<(LogId, u32, u32)> {
        let unit = spot.unit?;
        self.logs.get(usize::from(unit.log)).map(|log| (*log, unit.seq, unit.offset))
    }

    /// Whether a signal is meant for a device.
    pub fn is_for(&self, number: u64, device: &DeviceId) -> bool {
        self.more.to_one.iter().all(|(of, to)| *of != number || to == device)
    }

    /// None when it is too long for a frame.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let bytes = postcard::to_extend(self, vec![VERSION]).and_then(|bytes| postcard::to_extend(&self.more, bytes));
        let bytes = bytes.expect("invariant: writing to memory cannot fail");
        (bytes.len() <= PRESENCE_BYTES_MAX).then_some(bytes)
    }

    /// What a peer sent. None when it is no frame that this program knows.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (&version, body) = bytes.split_first().filter(|_| bytes.len() <= PRESENCE_BYTES_MAX)?;
        if version != VERSION {
            return None;
        }
        let (mut shown, rest): (Self, &[u8]) = postcard::take_from_bytes(body).ok()?;
        if !rest.is_empty() {
            // A later program may say more behind it.
            (shown.more, _) = postcard::take_from_bytes(rest).ok()?;
        }
        let is_good_spot = |spot: &Spot| spot.unit.is_none_or(|unit| usize::from(unit.log) < shown.logs.len());
        let is_good_look = |look: &LooksAt| {
            look.selections.len() <= SELECTIONS_MAX
                && is_good_spot(&look.top.start)
                && look.selections.iter().all(|(anchor, head)| is_good_spot(anchor) && is_good_spot(head))
        };
        let is_good_sign = |(_, sign): &(u64, Sign)| match sign {
            Sign::Bring { line, .. } => is_good_spot(&line.start),
            Sign::AskToEdit => true,
        };
        let is_good = shown.looks_at.as_ref().is_none_or(is_good_look)
            && shown.signals.len() <= SIGNALS_MAX
            && shown.more.to_one.len() <= SIGNALS_MAX
            && shown.signals.iter().all(is_good_sign);
        is_good.then_some(shown)
    }
}
