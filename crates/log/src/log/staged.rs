//! Deltas that can be read already and are not written yet: a run of others that has to be weighed as a whole. Either all
//! of them are kept, or no trace of any. Nothing else is appended meanwhile.

use super::Log;
use crate::LogError;
use codesync_base::{Head, LogId, SignedDelta};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What stands at the end of the tail and is not written.
#[derive(Default)]
pub(super) struct Staged {
    /// As the journal will have them.
    payloads: Vec<Vec<u8>>,
    /// The heads of their logs before.
    heads: BTreeMap<LogId, Option<Head>>,
}

impl Log {
    /// Adds a delta as [`Self::append`] does, but in memory only: until [`Self::keep_staged`] or [`Self::drop_staged`].
    pub fn stage(&mut self, delta: &SignedDelta, bytes: &[u8]) {
        assert!(blake3::hash(bytes).as_bytes() == &delta.hash.0, "invariant: a delta is named by its bytes");
        if self.may_hold(delta) && self.contains(&delta.hash) {
            return;
        }
        let log = delta.delta.log;
        self.staged.heads.entry(log).or_insert(self.heads.get(&log).copied());
        self.staged.payloads.push([bytes, &delta.signature].concat());
        self.take_in(Arc::new(delta.clone()));
    }

    /// Writes what was staged. On failure nothing of it is in the log. When the disk gets full on the way, the rest waits
    /// and no `sync` succeeds before it is written, too.
    pub fn keep_staged(&mut self) -> Result<(), LogError> {
        let n_kept = self.tail.deltas.len() - self.staged.payloads.len();
        let named: Vec<_> = self.tail.deltas[n_kept..].iter().flat_map(|signed| signed.delta.blobs()).collect();
        for hash in &named {
            self.name_blob(hash);
        }
        let mut payloads = std::mem::take(&mut self.staged.payloads).into_iter();
        if let Some(first) = payloads.next()
            && let Err(error) = self.writer.append_delta(first)
        {
            self.cut_tail(n_kept);
            return Err(error);
        }
        payloads.for_each(|payload| self.writer.append_delta_or_hold(payload));
        self.staged = Staged::default();
        Ok(())
    }

    /// Forgets what was staged.
    pub fn drop_staged(&mut self) {
        self.cut_tail(self.tail.deltas.len() - self.staged.payloads.len());
    }

    fn cut_tail(&mut self, n_kept: usize) {
        for signed in self.tail.deltas.drain(n_kept..) {
            self.tail.by_hash.remove(&signed.hash);
            self.tail.n_steps -= signed.delta.steps.len() as u64;
        }
        for (log, head) in std::mem::take(&mut self.staged).heads {
            match head {
                Some(head) => self.heads.insert(log, head),
                None => self.heads.remove(&log),
            };
        }
    }
}
