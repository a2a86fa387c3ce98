//! What somebody begins with who is told nothing of the past: the files as they stood when a given newest delta of each
//! log was there, and what of the time before is needed to take in all that comes after. A pure function of those
//! deltas, encoded in one way: every member who has the past makes the same bytes. `docs/decisions/0017`.

use crate::{
    BlobHash, Change, DecodeError, DeviceId, FileId, Head, Hlc, LogId, ProjectId, StepKey, TextSource, limits,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// First byte of each of the encodings here.
const VERSION: u8 = 1;

/// The beginning of a copy without the past.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Checkpoint {
    pub project: ProjectId,
    pub founder: DeviceId,
    /// Sorted by log.
    pub logs: Vec<CutLog>,
    /// All access deltas, in canonical order.
    pub rights: Vec<CutRight>,
    /// All files that were ever created, sorted.
    pub files: Vec<CutFile>,
}

/// Up to where a log is before the cut.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CutLog {
    pub head: Head,
    /// Reading of that delta.
    pub hlc: Hlc,
    /// What its deltas up to there name of other logs: the newest of each. Sorted.
    pub declared: Vec<(LogId, u32)>,
    /// Who it says works with it.
    pub person: Option<String>,
}

/// A change of who may take part.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CutRight {
    /// The delta as it was signed.
    pub delta: Vec<u8>,
    /// Its declared past: the newest of each other log. Sorted.
    pub past: Vec<(LogId, u32)>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CutFile {
    pub file: FileId,
    pub state: CutState,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum CutState {
    There(CutNode),
    /// It was removed. Names the [`CutNode`]'s bytes: they are told once something after the cut names the file.
    Gone(BlobHash),
}

/// A file: what decided each of its properties, in canonical order, under the names that these steps have.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CutNode {
    pub changes: Vec<CutChange>,
    /// [`TextUnits`] of a text that was edited. Without it the first content is the text.
    pub units: Option<BlobHash>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CutChange {
    pub key: StepKey,
    /// Another program did it.
    pub is_disk: bool,
    /// A creation that does not count.
    pub is_void: bool,
    pub change: Change,
}

/// An edited text: its units with their names and neighbours, and the characters of those that are there. Those that
/// are gone are names only, for later steps may stand beside them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct TextUnits {
    /// Sorted by log.
    pub logs: Vec<UnitLog>,
    /// By log, then in the order in which the log made them.
    pub insertions: Vec<UnitInsertion>,
    /// All units in the order of the text.
    pub order: Vec<UnitRun>,
}

/// What one log inserted into a text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UnitLog {
    pub log: LogId,
    /// Deltas that inserted, and how many UTF-16 units each.
    pub deltas: Vec<(u32, u32)>,
    /// In the order of insertion; a character that is gone is [`BLOT`], or [`BLOT_PAIR`] where it took two units.
    pub text: String,
}

/// Stands for a character of one UTF-16 unit that is gone.
pub const BLOT: char = '\0';
/// The same of two units.
pub const BLOT_PAIR: char = '\u{10000}';

/// The `clock`-th UTF-16 unit that a log inserted into the text; `log` counts [`TextUnits::logs`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UnitAt {
    pub log: u16,
    pub clock: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UnitInsertion {
    pub log: u16,
    /// UTF-16 units.
    pub length: u32,
    pub left: Option<UnitAt>,
    pub right: Option<UnitAt>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UnitRun {
    pub first: UnitAt,
    /// UTF-16 units.
    pub length: u32,
    pub is_visible: bool,
}

impl Checkpoint {
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads bytes that somebody else made. Never panics.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let this: Self = decode(bytes)?;
        this.check().map(|()| this)
    }

    fn check(&self) -> Result<(), DecodeError> {
        let limit = |what| Err(DecodeError::Limit { what });
        if !self.logs.is_sorted_by(|a, b| a.head.log < b.head.log) || self.logs.iter().any(|log| log.head.seq == 0) {
            return limit("logs of a checkpoint");
        }
        if self.logs.iter().filter_map(|log| log.person.as_ref()).any(|name| name.len() > limits::PERSON_NAME_BYTES_MAX)
        {
            return limit("name of a person");
        }
        if self.files.len() > limits::CHECKPOINT_FILES_MAX || !self.files.is_sorted_by(|a, b| a.file < b.file) {
            return limit("files of a checkpoint");
        }
        self.files.iter().try_for_each(|file| match &file.state {
            CutState::There(node) => node.check(),
            CutState::Gone(_) => Ok(()),
        })
    }

    /// The number up to which a log is before the cut; 0 when nothing of it is.
    pub fn seq_of(&self, log: &LogId) -> u32 {
        self.log(log).map_or(0, |cut| cut.head.seq)
    }

    pub fn log(&self, log: &LogId) -> Option<&CutLog> {
        let at = self.logs.binary_search_by(|cut| cut.head.log.cmp(log)).ok()?;
        self.logs.get(at)
    }

    pub fn file(&self, file: &FileId) -> Option<&CutState> {
        let at = self.files.binary_search_by(|cut| cut.file.cmp(file)).ok()?;
        self.files.get(at).map(|cut| &cut.state)
    }
}

impl CutNode {
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads bytes that somebody else made. Never panics.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let this: Self = decode(bytes)?;
        this.check().map(|()| this)
    }

    fn check(&self) -> Result<(), DecodeError> {
        let is_creation = |change: &CutChange| matches!(change.change, Change::Create { .. });
        let of_tree = |change: &CutChange| {
            use Change::{Content, Kind, Meta, Move, Remove, Revive};
            matches!(change.change, Move { .. } | Remove | Revive { .. } | Content { .. } | Meta { .. } | Kind { .. })
        };
        let is_good = self.changes.is_sorted_by(|a, b| a.key < b.key)
            && self.changes.first().is_some_and(is_creation)
            && self.changes.iter().skip(1).all(|change| of_tree(change) && !change.is_void);
        if is_good { Ok(()) } else { Err(DecodeError::Limit { what: "changes of a file" }) }
    }

    /// Contents that it names.
    pub fn blobs(&self) -> impl Iterator<Item = BlobHash> + '_ {
        let of_change = |change: &CutChange| match &change.change {
            Change::Create { meta, content, .. } => {
                let content = match content {
                    Some(TextSource::Blob { hash, .. }) => Some(*hash),
                    _ => None,
                };
                [content, meta.raw.map(|raw| raw.bytes)]
            }
            Change::Content { blob, .. } => [Some(*blob), None],
            Change::Meta { meta } => [None, meta.raw.map(|raw| raw.bytes)],
            _ => [None, None],
        };
        self.changes.iter().flat_map(of_change).flatten().chain(self.units)
    }
}

impl TextUnits {
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads bytes that somebody else made. Never panics; whether they make a text, `doc` decides.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode(bytes)
    }
}

fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_extend(value, vec![VERSION]).expect("invariant: writing to memory cannot fail")
}

fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    if bytes.len() > limits::CHECKPOINT_BYTES_MAX {
        return Err(DecodeError::TooLarge { n_bytes: bytes.len() });
    }
    let (&version, body) = bytes.split_first().ok_or(DecodeError::Malformed)?;
    if version != VERSION {
        return Err(DecodeError::Version { version });
    }
    match postcard::take_from_bytes(body) {
        Ok((value, [])) if encode(&value) == bytes => Ok(value),
        Ok((_, [])) => Err(DecodeError::NotCanonical),
        _ => Err(DecodeError::Malformed),
    }
}

#[cfg(test)]
mod tests;
