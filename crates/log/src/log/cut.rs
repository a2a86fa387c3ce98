//! Where a log begins that is told nothing of the past: for each log the newest delta before it, which is known by name
//! and not here. Kept twice, as a small file of its own: without it, opening would take the past for lost.

use super::Log;
use crate::disk::read_if_there;
use crate::index::{checked, unchecked};
use crate::{Disk, Finding, LogError, Outcome, journal};
use codesync_base::{BlobHash, Head, LogId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const NAME: &str = "cut";
/// Bound into the checksum.
const KEY: &[u8] = b"cut 1";

/// The beginning of a log without the past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// The content that says what was there then.
    pub checkpoint: BlobHash,
    /// The newest delta before it, of each log. None as long as the content is not here: until then nothing is.
    heads: Option<BTreeMap<LogId, Head>>,
}

impl Cut {
    /// Whether the content came, and the log has begun.
    pub fn has_begun(&self) -> bool {
        self.heads.is_some()
    }

    /// The newest delta of a log that is before the cut.
    pub fn head(&self, log: &LogId) -> Option<&Head> {
        self.heads.as_ref()?.get(log)
    }

    /// Its number; 0 when nothing of the log is before.
    pub fn seq_of(&self, log: &LogId) -> u32 {
        self.head(log).map_or(0, |head| head.seq)
    }

    pub fn heads(&self) -> impl Iterator<Item = Head> + '_ {
        self.heads.iter().flatten().map(|(_, head)| *head)
    }
}

impl Log {
    /// Where this log begins; none when it has all of the past.
    pub fn cut(&self) -> Option<&Cut> {
        self.cut.as_ref()
    }

    /// The number up to which a log is not here because it is before the cut.
    pub fn cut_seq(&self, log: &LogId) -> u32 {
        self.cut.as_ref().map_or(0, |cut| cut.seq_of(log))
    }

    /// This log, which is empty, is to begin with a checkpoint that is yet to come. Durable at once.
    pub fn promise_cut(&mut self, checkpoint: BlobHash) -> Result<(), LogError> {
        self.write_cut(Cut { checkpoint, heads: None })
    }

    /// The checkpoint is here: this log, which is empty, goes on from these deltas. Durable at once, with all that was
    /// put before.
    pub fn begin_cut(&mut self, checkpoint: BlobHash, heads: impl IntoIterator<Item = Head>) -> Result<(), LogError> {
        assert!(self.n_deltas() == 0, "invariant: only an empty log begins");
        self.sync_all()?;
        let heads = heads.into_iter().map(|head| (head.log, head)).collect();
        self.write_cut(Cut { checkpoint, heads: Some(heads) })
    }

    fn write_cut(&mut self, cut: Cut) -> Result<(), LogError> {
        write(self.writer.disk.as_mut(), &cut)?;
        self.set_cut(Some(cut));
        Ok(())
    }

    pub(super) fn set_cut(&mut self, cut: Option<Cut>) {
        cut.iter().flat_map(Cut::heads).for_each(|head| self.raise_head(head));
        self.cut = cut;
    }
}

fn twin_name() -> String {
    format!("{}/{NAME}", journal::TWIN_FOLDER)
}

fn write(disk: &mut dyn Disk, cut: &Cut) -> Result<(), LogError> {
    let bytes = checked(KEY, &postcard::to_stdvec(cut).expect("invariant: writing to memory cannot fail"));
    let twin = twin_name();
    // The second first: as soon as one says more than the other, that is what holds.
    if let Err(error) = disk.replace(&twin, &bytes) {
        tracing::warn!(%error, twin, "could not be written");
    }
    disk.replace(NAME, &bytes).map_err(|error| LogError::of(NAME, error))
}

/// What the store says of its beginning. A copy that is damaged is written again.
pub(super) fn read(disk: &mut dyn Disk, findings: &mut Vec<Finding>) -> Result<Option<Cut>, LogError> {
    let of = |name: &str| -> Result<(bool, Option<Cut>), LogError> {
        let bytes = read_if_there(disk, name).map_err(|error| LogError::of(name, error))?;
        let cut = bytes.as_deref().and_then(|bytes| postcard::from_bytes::<Cut>(unchecked(KEY, bytes)?).ok());
        Ok((bytes.is_some(), cut))
    };
    let (first, second) = (of(NAME)?, of(&twin_name())?);
    if first == second && (first.1.is_some() || !first.0) {
        return Ok(first.1);
    }
    let find = |what: &str, outcome| Finding { place: NAME.into(), what: what.into(), outcome };
    let best = [first.1, second.1].into_iter().flatten().max_by_key(Cut::has_begun);
    match &best {
        Some(cut) => {
            findings.push(find("The note of where this copy begins was written again.", Outcome::Healed));
            if let Err(error) = write(disk, cut) {
                tracing::warn!(%error, "the beginning of the log is not mended yet");
            }
        }
        None => findings.push(find("The note of where this copy begins can't be read.", Outcome::Lost)),
    }
    Ok(best)
}
