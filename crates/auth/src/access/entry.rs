//! One access delta that was taken in.

use super::Set;
use codesync_base::{AccessStep, DeltaKey, Head, LogId, ShareFrom};

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

    pub fn head(&self) -> Head {
        Head { log: self.key.log, seq: self.key.seq, hash: self.key.hash }
    }

    pub fn grant(&self) -> Option<(&str, ShareFrom)> {
        match &self.step {
            AccessStep::Grant { person, share_from, .. } => Some((person, *share_from)),
            _ => None,
        }
    }

    /// Whether it lets a delta of whom it is about stand. Who lowers themselves stands by all they did before.
    pub fn accepts(&self, log: &LogId, seq: u32) -> bool {
        let is_own = self.key.log == *log && seq <= self.key.seq;
        is_own || self.step.accepted().iter().any(|head| head.log == *log && seq <= head.seq)
    }
}
