//! What the author of a delta says that they had seen: its own log, and what the deltas of that log name as
//! dependencies up to it. A step may name nothing else, or its meaning would depend on who reads it.

use super::Forks;
use crate::{Engine, Result, api_error};
use codesync_auth::Past;
use codesync_base::{Delta, DeltaHash, Head, Hlc, ItemRef, LogId, SignedDelta, TextStep};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// A log of another device, or one branch of it, as far as it was taken in.
#[derive(Clone, Default)]
pub(super) struct Strand {
    pub hlc: Hlc,
    /// Newest delta of each other log that it names.
    declared: Arc<BTreeMap<LogId, u32>>,
}

/// The declared past of one delta, and the delta itself.
pub(crate) struct Declared {
    name: LogId,
    seq: u32,
    before: Arc<BTreeMap<LogId, u32>>,
    deps: Vec<Head>,
    /// Of forked logs: by the names of their branches.
    forked: Option<BTreeMap<LogId, u32>>,
    is_forked: Vec<LogId>,
}

impl Declared {
    /// Whether it has a delta of the log, or branch, of this name.
    pub fn covers(&self, name: &LogId, seq: u32) -> bool {
        if *name == self.name && seq == self.seq {
            return true;
        }
        match &self.forked {
            Some(forked) if self.is_forked.contains(name) => forked.get(name).is_some_and(|newest| seq <= *newest),
            _ if *name == self.name => seq <= self.seq,
            _ => seq <= self.newest_of(name),
        }
    }

    /// Whether the deltas that a step names are below the newest that was declared, as numbers: whoever knows of a fork and
    /// whoever does not yet have to refuse alike. Which branch is meant is another matter.
    pub fn covers_items(&self, forks: &Forks, signed: &SignedDelta, step: &TextStep) -> bool {
        let delta = &signed.delta;
        // A branch goes under another name from a later parting on for who knows that.
        let is_seen_branch = |name: &LogId| self.forked.as_ref().is_some_and(|forked| forked.contains_key(name));
        let is_covered = |item: &ItemRef| {
            let Some(name) = delta.log_of(item) else { return false };
            let base = forks.base_of(&name).filter(|_| is_seen_branch(&name)).copied().unwrap_or(name);
            item.seq <= if base == delta.log { delta.seq } else { self.newest_of(&base) }
        };
        let ends = step.insert.iter().flat_map(|insert| [&insert.left, &insert.right]).flatten();
        step.delete.iter().map(|range| &range.first).chain(ends).all(is_covered)
    }

    /// The newest delta of another log that it has; 0 for none.
    pub fn newest_of(&self, log: &LogId) -> u32 {
        let named = self.deps.iter().filter(|dep| dep.log == *log).map(|dep| dep.seq);
        named.chain(self.before.get(log).copied()).max().unwrap_or(0)
    }
}

/// The declared past of a delta, as rights are judged by it: of a forked log the branches count that its author had
/// seen. Numbers alone would let a change of rights count for who knows its branch, and not for others.
pub(crate) struct Seen<'a> {
    delta: &'a Delta,
    /// Newest delta of each log that was named before it.
    before: Arc<BTreeMap<LogId, u32>>,
    forks: &'a Forks,
    branches: OnceCell<BTreeMap<LogId, u32>>,
}

impl<'a> Seen<'a> {
    pub fn new(signed: &'a SignedDelta, before: Arc<BTreeMap<LogId, u32>>, forks: &'a Forks) -> Self {
        Self { delta: &signed.delta, before, forks, branches: OnceCell::new() }
    }
}

impl Past for Seen<'_> {
    fn covers(&self, head: &Head) -> bool {
        let named = self.delta.deps.iter().filter(|dep| dep.log == head.log).map(|dep| dep.seq);
        named.chain(self.before.get(&head.log).copied()).any(|newest| head.seq <= newest)
    }

    fn is_beside(&self, head: &Head) -> bool {
        if self.forks.forked_at(&head.log).is_none() {
            return false;
        }
        let branches = self.branches.get_or_init(|| self.forks.covered_by(self.delta));
        let newest = branches.get(&self.forks.name_of(&head.log, &head.hash));
        newest.is_none_or(|newest| head.seq > *newest)
    }
}

impl Strand {
    fn take_in(&mut self, delta: &Delta) {
        self.hlc = delta.hlc;
        for dep in &delta.deps {
            if self.declared.get(&dep.log).is_none_or(|seq| *seq < dep.seq) {
                Arc::make_mut(&mut self.declared).insert(dep.log, dep.seq);
            }
        }
    }
}

impl Engine {
    /// A log of another device up to this delta, which is here; read once when it is first asked for.
    pub(super) fn strand(&mut self, head: &Head) -> Result<&Strand> {
        let key = (head.log, head.hash);
        if !self.others.strands.contains_key(&key) {
            let strand = self.read_strand(head)?;
            self.others.strands.insert(key, strand);
        }
        Ok(&self.others.strands[&key])
    }

    fn read_strand(&self, head: &Head) -> Result<Strand> {
        let mut strand = Strand::default();
        if let Some(cut) = self.others.beginning.log(&head.log) {
            let declared = Arc::new(cut.declared.iter().copied().collect());
            strand = Strand { hlc: cut.hlc, declared };
        }
        let forks = &self.others.forks;
        let chain = forks.chain(head);
        let take = &mut |signed: &SignedDelta| {
            let name = forks.name_of(&head.log, &signed.hash);
            if chain.iter().any(|(of, newest)| *of == name && signed.delta.seq <= *newest) {
                strand.take_in(&signed.delta);
            }
            ControlFlow::Continue(())
        };
        if head.hash != DeltaHash::ZERO {
            self.log.for_each_from(&head.log, 1, take).map_err(api_error)?;
        }
        Ok(strand)
    }

    /// Reading of a delta that is here, and what those of its log up to it name, sorted.
    pub(super) fn strand_at(&self, head: &Head) -> Result<(Hlc, Vec<(LogId, u32)>)> {
        let strand = self.read_strand(head)?;
        Ok((strand.hlc, strand.declared.iter().map(|(log, seq)| (*log, *seq)).collect()))
    }

    /// What a delta has declared; its predecessor is here, it may not be.
    pub(crate) fn declared_by(&self, signed: &SignedDelta) -> Declared {
        let (delta, name) = (&signed.delta, self.others.forks.name_of_delta(signed));
        let before = self.named_before(signed);
        let forks = &self.others.forks;
        let forked = (!forks.is_none()).then(|| forks.covered_by(delta));
        let is_forked = if forks.is_none() { Vec::new() } else { forks.names() };
        let deps = delta.deps.clone();
        Declared { name, seq: delta.seq, before, deps, forked, is_forked }
    }

    /// What a delta of another device, or those before it in its log, had named before it.
    pub(crate) fn named_before(&self, signed: &SignedDelta) -> Arc<BTreeMap<LogId, u32>> {
        let strand = self.others.strands.get(&(signed.delta.log, signed.delta.prev));
        strand.map(|strand| strand.declared.clone()).unwrap_or_default()
    }

    /// The log has taken the next delta of a strand.
    pub(super) fn note_strand(&mut self, signed: &SignedDelta) {
        let delta = &signed.delta;
        let mut strand = self.others.strands.remove(&(delta.log, delta.prev)).unwrap_or_default();
        strand.take_in(delta);
        self.others.strands.insert((delta.log, signed.hash), strand);
        let head = Head { log: delta.log, seq: delta.seq, hash: signed.hash };
        self.others.unnamed.insert(self.others.forks.name_of_delta(signed), head);
    }
}
