//! What people say to each other, as a step of the log. Says nothing of how it is shown.

use crate::{FileId, LogId, StepKey};
use serde::{Deserialize, Serialize};

/// A message to all who take part. The only step of its delta.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Chat {
    /// At most [`crate::limits::CHAT_BYTES_MAX`], and not empty.
    pub text: String,
    pub points_at: Option<Pointer>,
}

/// What a message points at, named so that it means the same on every replica and follows the text. Nothing depends on
/// it: who does not know what it names shows the message without.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Pointer {
    Line {
        file: FileId,
        /// The first unit of the line; none at the end of the text.
        unit: Option<UnitName>,
        /// As its author saw it, from 1.
        line: u32,
    },
    /// The moment just after this step.
    Moment(StepKey),
}

/// Names one UTF-16 unit outside of the tables of a delta: the `offset`-th that delta `seq` of a log inserted into a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct UnitName {
    pub log: LogId,
    pub seq: u32,
    pub offset: u32,
}
