//! When changes seen by the watcher are handed on: few of them soon, many as one batch once they are over.
//! Pure: time is an argument, in milliseconds of any steady clock.

use codesync_base::RelPath;
use std::collections::{BTreeSet, VecDeque};

/// Quiet after which a few changes are handed on.
const QUIET_MS: u64 = 60;
/// A file that is written without pause is handed on this often.
const WAIT_MS_MAX: u64 = 2_000;
/// Quiet after which a mass change is over.
const MASS_QUIET_MS: u64 = 400;
/// A mass change that does not end is handed on in parts.
const MASS_WAIT_MS_MAX: u64 = 10_000;
/// More files than this within [`MASS_WINDOW_MS`] are a mass change.
const MASS_FILES_MIN: usize = 20;
const MASS_WINDOW_MS: u64 = 5_000;
/// Activity of git this shortly before a change belongs to it.
const GIT_BEFORE_MS: u64 = 1_000;

/// Changes to look at together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Batch {
    /// Files and folders; empty when `overflow` is set.
    pub paths: BTreeSet<RelPath>,
    /// Many files changed, or version control changed some: worth an automatic moment if anything of it was
    /// not our own doing.
    pub mass: bool,
    /// The system lost track of changes: look at everything.
    pub overflow: bool,
    /// A part of a mass change that does not end yet: what comes next belongs to it.
    pub goes_on: bool,
}

/// Gathers changes into batches.
#[derive(Clone, Debug, Default)]
pub struct Collector {
    pending: BTreeSet<RelPath>,
    overflow: bool,
    first_ms: u64,
    last_ms: u64,
    /// The paths that changed last, no more than it takes to know a mass change, and when.
    recent: VecDeque<(RelPath, u64)>,
    /// When git last moved its HEAD, and when it last held its index.
    git_moved_ms: Option<u64>,
    git_index_ms: Option<u64>,
    is_index_locked: bool,
    is_mass: bool,
}

impl Collector {
    /// A file or folder may have changed.
    pub fn add(&mut self, path: RelPath, now_ms: u64) {
        self.touch(now_ms);
        self.recent.retain(|(known, at_ms)| *known != path && now_ms.saturating_sub(*at_ms) <= MASS_WINDOW_MS);
        if self.recent.len() > MASS_FILES_MIN {
            self.recent.pop_front();
        }
        self.recent.push_back((path.clone(), now_ms));
        self.is_mass |= self.recent.len() > MASS_FILES_MIN;
        self.pending.insert(path);
    }

    /// Changes were missed.
    pub fn add_overflow(&mut self, now_ms: u64) {
        self.touch(now_ms);
        self.overflow = true;
    }

    /// `.git/HEAD` or `.git/ORIG_HEAD` was written.
    pub fn add_git_moved(&mut self, now_ms: u64) {
        self.git_moved_ms = Some(now_ms);
    }

    /// `.git/index.lock` came or went.
    pub fn set_index_locked(&mut self, is_locked: bool, now_ms: u64) {
        self.git_index_ms = Some(now_ms);
        self.is_index_locked = is_locked;
    }

    /// Whether a path is in the batch to come.
    pub fn is_pending(&self, path: &RelPath) -> bool {
        self.pending.contains(path)
    }

    /// Whether git was last seen to hold its index.
    pub fn is_index_locked(&self) -> bool {
        self.is_index_locked
    }

    /// The batch that is complete by now. Afterwards the collector is empty.
    pub fn poll(&mut self, now_ms: u64) -> Option<Batch> {
        if now_ms < self.next_ms()? {
            return None;
        }
        let overflow = std::mem::take(&mut self.overflow);
        let mass = self.is_mass() || overflow;
        let goes_on = mass && (self.is_index_locked || now_ms < self.last_ms + MASS_QUIET_MS);
        let paths = std::mem::take(&mut self.pending);
        self.is_mass = false;
        Some(Batch { paths: if overflow { BTreeSet::new() } else { paths }, mass, overflow, goes_on })
    }

    /// When to ask again, unless something is added before; none when nothing is pending.
    pub fn next_ms(&self) -> Option<u64> {
        if self.pending.is_empty() && !self.overflow {
            return None;
        }
        let waits = self.is_mass() || self.overflow || self.git_during(self.git_index_ms).is_some();
        if !waits {
            return Some((self.last_ms + QUIET_MS).min(self.first_ms + WAIT_MS_MAX));
        }
        let end_ms = self.first_ms + MASS_WAIT_MS_MAX;
        if self.is_index_locked {
            return Some(end_ms);
        }
        let git_ms = self.git_during(self.git_moved_ms).max(self.git_during(self.git_index_ms)).unwrap_or(0);
        Some((self.last_ms.max(git_ms) + MASS_QUIET_MS).min(end_ms))
    }

    /// A prompt that asks `git status` takes the index, too: one file beside that is no mass change.
    fn is_mass(&self) -> bool {
        self.is_mass
            || self.git_during(self.git_moved_ms).is_some()
            || (self.git_during(self.git_index_ms).is_some() && self.pending.len() > 1)
    }

    fn git_during(&self, at_ms: Option<u64>) -> Option<u64> {
        at_ms.filter(|at_ms| at_ms + GIT_BEFORE_MS >= self.first_ms)
    }

    fn touch(&mut self, now_ms: u64) {
        if self.pending.is_empty() && !self.overflow {
            self.first_ms = now_ms;
        }
        self.last_ms = now_ms;
    }
}

#[cfg(test)]
mod tests;
