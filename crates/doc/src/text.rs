//! A text as a CRDT of named units.

mod document;
mod names;
mod order;
mod runs;
mod units;

pub use document::{OpenDelta, TextDocument, VisibleRun};
pub use units::UnitsError;

use codesync_base::{BlobHash, ItemRef, LogId};

/// Why an edit by position is no edit of this text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error("{length} units at {position} are not all in a text of {length_of_text}")]
    OutOfRange { position: u32, length: u32, length_of_text: u32 },
    #[error("{position} is inside a character")]
    InsideCharacter { position: u32 },
    #[error("the text has grown as long as it can")]
    TooLong,
    #[error("more logs are named than a delta can")]
    TooManyLogs,
    #[error("delta {seq} of log {log} cannot add to this file after delta {seen}")]
    NotNext { log: LogId, seq: u32, seen: u32 },
}

/// Why a step means nothing here. The document is as it was before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntegrateError {
    #[error("the step names a unit that is not known: {0:?}")]
    UnknownItem(ItemRef),
    #[error("the step names half a character: {0:?}")]
    InsideCharacter(ItemRef),
    #[error("the unit to the left does not stand before the unit to the right")]
    LeftAfterRight,
    #[error("the step inserts or deletes nothing where it says that it does")]
    Empty,
    #[error("the text {0:?} is not here yet")]
    MissingBlob(BlobHash),
    #[error("the text {0:?} is not UTF-8 or not as long as said")]
    BadBlob(BlobHash),
    #[error("the text would grow longer than it can")]
    TooLong,
    #[error("more logs wrote in this file than it can name")]
    TooManyLogs,
    #[error("delta {seq} of log {log} comes after delta {seen}")]
    NotNext { log: LogId, seq: u32, seen: u32 },
}
