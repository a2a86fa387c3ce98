//! What the author of a delta says that they had seen: its own log, and what the deltas of that log name as
//! dependencies up to it. A step may name nothing else, or its meaning would depend on who reads it.

use crate::{Engine, Result, api_error};
use codesync_base::{Delta, Head, Hlc, LogId, SignedDelta};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// A log of another device as far as it was taken in.
#[derive(Clone)]
pub(super) struct Strand {
    pub head: Head,
    pub hlc: Hlc,
    /// Newest delta of each other log that it names.
    declared: Arc<BTreeMap<LogId, u32>>,
}

/// The declared past of one delta, and the delta itself.
pub(super) struct Declared {
    log: LogId,
    seq: u32,
    before: Arc<BTreeMap<LogId, u32>>,
    deps: Vec<Head>,
}

impl Declared {
    pub fn covers(&self, log: &LogId, seq: u32) -> bool {
        if *log == self.log { seq <= self.seq } else { seq <= self.newest_of(log) }
    }

    /// The newest delta of another log that it has; 0 for none.
    pub fn newest_of(&self, log: &LogId) -> u32 {
        let named = self.deps.iter().filter(|dep| dep.log == *log).map(|dep| dep.seq);
        named.chain(self.before.get(log).copied()).max().unwrap_or(0)
    }
}

impl Strand {
    fn take_in(&mut self, signed: &SignedDelta) {
        let delta = &signed.delta;
        self.head = Head { log: delta.log, seq: delta.seq, hash: signed.hash };
        self.hlc = delta.hlc;
        for dep in &delta.deps {
            if self.declared.get(&dep.log).is_none_or(|seq| *seq < dep.seq) {
                Arc::make_mut(&mut self.declared).insert(dep.log, dep.seq);
            }
        }
    }

    fn new(log: LogId) -> Self {
        let head = Head { log, seq: 0, hash: codesync_base::DeltaHash::ZERO };
        Self { head, hlc: Hlc::default(), declared: Arc::default() }
    }
}

impl Engine {
    /// A log of another device, read once when it is first asked for. Its head has sequence number 0 when nothing of
    /// it is here.
    pub(super) fn strand(&mut self, log: &LogId) -> Result<&Strand> {
        if !self.others.strands.contains_key(log) {
            let mut strand = Strand::new(*log);
            let take = &mut |signed: &SignedDelta| {
                if signed.delta.prev == strand.head.hash {
                    strand.take_in(signed);
                }
                ControlFlow::Continue(())
            };
            self.log.for_each_from(log, 1, take).map_err(api_error)?;
            self.others.strands.insert(*log, strand);
        }
        Ok(&self.others.strands[log])
    }

    /// What a judged delta has declared; it is not taken in yet.
    pub(super) fn declared_by(&self, delta: &Delta) -> Declared {
        let before = self.others.strands.get(&delta.log).map(|strand| strand.declared.clone()).unwrap_or_default();
        Declared { log: delta.log, seq: delta.seq, before, deps: delta.deps.clone() }
    }

    /// The log has taken the next delta of a strand.
    pub(super) fn note_strand(&mut self, signed: &SignedDelta) {
        let log = signed.delta.log;
        let strand = self.others.strands.entry(log).or_insert_with(|| Strand::new(log));
        strand.take_in(signed);
        self.others.unnamed.insert(log, strand.head);
    }
}
