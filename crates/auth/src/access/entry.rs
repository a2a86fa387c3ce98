//! One access delta that was taken in.

use super::Set;
use codesync_base::{AccessStep, DeltaKey, LogId, ShareFrom};

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: DeltaKey,
    pub step: AccessStep,
    /// The access deltas that it builds on.
    pub before: Set,
    /// Since when its author was owner, by its own past.
    pub rank: DeltaKey,
    /// It takes rights away, by its own past.
    pub lowers: bool,
}

impl Entry {
    /// Place in the order of weighing.
    pub fn weight(&self) -> (DeltaKey, DeltaKey) {
        (self.rank, self.key)
    }

    pub fn grant(&self) -> Option<(&str, ShareFrom)> {
        match &self.step {
            AccessStep::Grant { person, share_from, .. } => Some((person, *share_from)),
            _ => None,
        }
    }

    pub fn accepts(&self, log: &LogId, seq: u32) -> bool {
        self.step.accepted().iter().any(|head| head.log == *log && seq <= head.seq)
    }
}
