//! Logs that said two things under one sequence number: all of it is kept and merged. The branch whose first delta has
//! the smaller hash keeps the log's name for its units, every other gets a name of its own, so that units never share
//! one. What a delta means by a name of a forked log, the branches say that its author had seen.
//!
//! Where no log is forked, which is nearly always, nothing here does anything.

use super::Others;
use crate::{Engine, Result, api_error};
use codesync_base::{Delta, DeltaHash, DeviceId, Head, ItemRange, ItemRef, LogId, SignedDelta, TextStep};
use codesync_doc::TextDocument;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

/// A copy is cheap: it is what stays when a delta that would have forked a log is not taken.
#[derive(Clone, Default, PartialEq, Debug)]
pub(crate) struct Forks {
    by_log: BTreeMap<LogId, Arc<Forked>>,
    /// Whoever forked one log may fork another: what is named of any log of theirs is known from then on, so that the
    /// whole history is read for it once and not for each.
    suspects: BTreeSet<DeviceId>,
    /// What deltas name of suspects' logs as dependencies: by the naming strand and the log that is named.
    sightings: BTreeMap<(LogId, LogId), Arc<Sightings>>,
}

/// Heads of one log, each with the number of the delta that names it, in order.
type Sightings = Vec<(u32, Head)>;

/// A forked log as stretches, each without a fork: the first is the log itself with the branches that keep its name.
#[derive(Clone, Default, PartialEq, Debug)]
struct Forked {
    stretches: Vec<Stretch>,
    of: BTreeMap<DeltaHash, usize>,
}

/// Deltas of one log, one after the other.
#[derive(Clone, PartialEq, Debug)]
struct Stretch {
    name: LogId,
    /// The stretch that it goes on from, and its own first sequence number.
    parent: Option<usize>,
    from: u32,
    /// Its deltas, one after the other.
    hashes: Vec<DeltaHash>,
    head: Head,
}

impl Stretch {
    fn new(name: LogId, parent: Option<usize>, head: Head) -> Self {
        Self { name, parent, from: head.seq, hashes: Vec::new(), head }
    }

    fn hash_at(&self, seq: u32) -> Option<&DeltaHash> {
        self.hashes.get(seq.checked_sub(self.from)? as usize)
    }

    fn push(&mut self, head: Head) {
        self.hashes.push(head.hash);
        self.head = head;
    }
}

impl Forked {
    /// Deltas of the log by sequence number, then hash: name, seq, prev.
    fn new(log: LogId, deltas: &BTreeSet<(u32, DeltaHash, DeltaHash)>, cut: Option<&Head>) -> Self {
        let mut forked = Self::default();
        if let Some(cut) = cut {
            // What is before the cut is one stretch; of its deltas only the last is known by name.
            let mut first = Stretch::new(log, None, *cut);
            first.from = 1;
            first.hashes = vec![DeltaHash::ZERO; cut.seq as usize - 1];
            first.push(*cut);
            forked.stretches.push(first);
            forked.of.insert(cut.hash, 0);
        }
        let mut has_child: BTreeSet<DeltaHash> = BTreeSet::new();
        for (seq, hash, prev) in deltas {
            let parent = forked.of.get(prev).copied();
            if *seq > 1 && parent.is_none() {
                continue;
            }
            let head = Head { log, seq: *seq, hash: *hash };
            let at = match parent {
                Some(parent) if has_child.insert(*prev) => parent,
                None if forked.stretches.is_empty() => {
                    forked.stretches.push(Stretch::new(log, None, head));
                    0
                }
                parent => {
                    forked.stretches.push(Stretch::new(branch_name(&log, hash), parent, head));
                    forked.stretches.len() - 1
                }
            };
            forked.stretches[at].push(head);
            forked.of.insert(*hash, at);
        }
        forked
    }

    /// What it was made of.
    fn deltas(&self, cut: Option<&Head>) -> BTreeSet<(u32, DeltaHash, DeltaHash)> {
        let mut deltas = BTreeSet::new();
        for stretch in &self.stretches {
            let parent = stretch.parent.and_then(|at| self.stretches[at].hash_at(stretch.from - 1));
            let mut prev = parent.copied().unwrap_or(DeltaHash::ZERO);
            for (seq, hash) in (stretch.from..).zip(&stretch.hashes) {
                if cut.is_none_or(|cut| seq > cut.seq) {
                    deltas.insert((seq, *hash, prev));
                }
                prev = *hash;
            }
        }
        deltas
    }

    fn name_of(&self, hash: &DeltaHash) -> Option<LogId> {
        self.of.get(hash).map(|at| self.stretches[*at].name)
    }

    /// From the stretch of a delta back to the beginning, each with the newest sequence number that is meant.
    fn chain(&self, head: &Head) -> Vec<(usize, u32)> {
        let mut chain = Vec::new();
        let mut next = self.of.get(&head.hash).map(|at| (*at, head.seq));
        while let Some((at, seq)) = next {
            chain.push((at, seq));
            let stretch = &self.stretches[at];
            next = stretch.parent.map(|parent| (parent, stretch.from - 1));
        }
        chain
    }

    /// Those of some deltas that none of the others goes on from.
    fn tips(&self, heads: &[Head]) -> Vec<Head> {
        let is_before = |head: &Head, other: &Head| {
            let at = self.of.get(&head.hash);
            let goes_on = |(of, newest): &(usize, u32)| Some(of) == at && head.seq <= *newest;
            head.hash != other.hash && self.chain(other).iter().any(goes_on)
        };
        heads.iter().filter(|head| !heads.iter().any(|other| is_before(head, other))).copied().collect()
    }

    /// Of several branches that somebody had seen, the one that a plain name means: where two part, the one that goes
    /// on with the smaller hash.
    fn plain<'a>(&self, tips: &'a [Head]) -> Option<&'a Head> {
        tips.iter().filter(|tip| self.of.contains_key(&tip.hash)).reduce(|one, other| {
            if self.part(one, other).is_some_and(|(one, other)| other < one) { other } else { one }
        })
    }

    /// How each of two deltas goes on from the last that both have before them.
    fn part(&self, one: &Head, other: &Head) -> Option<(DeltaHash, DeltaHash)> {
        let (one, other) = (self.chain(one), self.chain(other));
        let n_same = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a.0 == b.0).count();
        let after = |chain: &[(usize, u32)]| chain.iter().rev().nth(n_same).map(|(at, _)| self.stretches[*at].from);
        let seq = [after(&one), after(&other)].into_iter().flatten().min()?;
        let hash_at = |chain: &[(usize, u32)]| {
            let (at, _) = chain.iter().find(|(at, newest)| (self.stretches[*at].from..=*newest).contains(&seq))?;
            self.stretches[*at].hash_at(seq).copied()
        };
        Some((hash_at(&one)?, hash_at(&other)?))
    }
}

/// The name of the branch that begins with this delta. No device has such a key.
fn branch_name(log: &LogId, first: &DeltaHash) -> LogId {
    let mut hasher = blake3::Hasher::new_derive_key("codesync 2026 branch of a log");
    hasher.update(&log.device.0).update(&log.incarnation.to_le_bytes()).update(&first.0);
    LogId { device: DeviceId(*hasher.finalize().as_bytes()), incarnation: log.incarnation }
}

impl Forks {
    pub fn is_none(&self) -> bool {
        self.by_log.is_empty()
    }

    /// The name under which the units of a delta are known here.
    pub fn name_of(&self, log: &LogId, hash: &DeltaHash) -> LogId {
        self.by_log.get(log).and_then(|forked| forked.name_of(hash)).unwrap_or(*log)
    }

    /// The same of a delta that may not be taken in yet: one that goes on from a known one has its name.
    pub fn name_of_delta(&self, signed: &SignedDelta) -> LogId {
        let delta = &signed.delta;
        let Some(forked) = self.by_log.get(&delta.log) else { return delta.log };
        let at = forked.of.get(&signed.hash).or_else(|| forked.of.get(&delta.prev));
        at.map_or(delta.log, |at| forked.stretches[*at].name)
    }

    /// Whether names of this log, or branch, have to be looked up.
    pub fn concern(&self, name: &LogId) -> bool {
        !self.is_none() && self.base_of(name).is_some()
    }

    /// The forked log that a name is of, or of a branch of.
    pub fn base_of(&self, name: &LogId) -> Option<&LogId> {
        let is_of = |forked: &Forked| forked.stretches.iter().any(|stretch| stretch.name == *name);
        let mut found = self.by_log.iter().filter(|(base, forked)| *base == name || is_of(forked));
        found.next().map(|(base, _)| base)
    }

    /// The first number under which a forked log has more than one delta.
    pub fn forked_at(&self, log: &LogId) -> Option<u32> {
        self.by_log.get(log)?.stretches.iter().skip(1).map(|stretch| stretch.from).min()
    }

    /// Names of all forked logs and their branches.
    pub fn names(&self) -> Vec<LogId> {
        self.by_log.values().flat_map(|forked| forked.stretches.iter().map(|stretch| stretch.name)).collect()
    }

    /// Newest deltas of all branches of a forked log.
    pub fn heads(&self, log: &LogId) -> Option<Vec<Head>> {
        Some(self.by_log.get(log)?.stretches.iter().map(|stretch| stretch.head).collect())
    }

    /// A delta and all before it in its branch, as names and newest sequence numbers.
    pub fn chain(&self, head: &Head) -> Vec<(LogId, u32)> {
        match self.by_log.get(&head.log) {
            Some(forked) => forked.chain(head).into_iter().map(|(at, seq)| (forked.stretches[at].name, seq)).collect(),
            None => vec![(head.log, head.seq)],
        }
    }

    /// Heads of a forked log that the author of a delta had seen.
    fn seen_by(&self, delta: &Delta, log: &LogId) -> Vec<Head> {
        let before = Head { log: delta.log, seq: delta.seq.saturating_sub(1), hash: delta.prev };
        if delta.log == *log {
            return vec![before];
        }
        let mut seen: Vec<Head> = delta.deps.iter().filter(|dep| dep.log == *log).copied().collect();
        for (name, seq) in self.chain(&before) {
            let sightings = self.sightings.get(&(name, *log)).map_or(&[][..], |sightings| sightings.as_slice());
            seen.extend(sightings.iter().take_while(|(at, _)| *at <= seq).map(|(_, head)| *head));
        }
        seen
    }

    /// All that the author of a delta had seen of forked logs, as names and newest sequence numbers.
    pub fn covered_by(&self, delta: &Delta) -> BTreeMap<LogId, u32> {
        let mut covered: BTreeMap<LogId, u32> = BTreeMap::new();
        for log in self.by_log.keys() {
            for (name, seq) in self.seen_by(delta, log).iter().flat_map(|head| self.chain(head)) {
                let known = covered.entry(name).or_default();
                *known = seq.max(*known);
            }
        }
        covered
    }

    fn note_sightings(&mut self, signed: &SignedDelta) {
        let delta = &signed.delta;
        let name = self.name_of_delta(signed);
        for dep in &delta.deps {
            if self.suspects.contains(&dep.log.device) {
                self.note_sighting(name, delta.seq, *dep);
            }
        }
    }

    fn note_sighting(&mut self, name: LogId, seq: u32, seen: Head) {
        Arc::make_mut(self.sightings.entry((name, seen.log)).or_default()).push((seq, seen));
    }

    /// A log has other branches than before. Gives whether deltas that were known have other names now.
    fn rename(&mut self, log: &LogId, before: &Forked) -> bool {
        let Some(after) = self.by_log.get(log).cloned() else { return false };
        let has_other = |(hash, at): (&DeltaHash, &usize)| after.name_of(hash) != Some(before.stretches[*at].name);
        if !before.of.iter().any(has_other) {
            return false;
        }
        let mut moved = Vec::new();
        for stretch in &before.stretches {
            let of_stretch = self.sightings.range((stretch.name, LogId::default())..);
            let keys: Vec<_> = of_stretch.map(|(key, _)| *key).take_while(|(name, _)| *name == stretch.name).collect();
            for (seq, head) in keys.iter().filter_map(|key| self.sightings.remove(key)).flat_map(Arc::unwrap_or_clone) {
                let name = stretch.hash_at(seq).and_then(|hash| after.name_of(hash));
                moved.extend(name.map(|name| (seq, name, head)));
            }
        }
        moved.sort_by_key(|(seq, ..)| *seq);
        moved.into_iter().for_each(|(seq, name, head)| self.note_sighting(name, seq, head));
        true
    }

    /// A text step in the names that are used here.
    pub fn translated(&self, signed: &SignedDelta, step: &TextStep, text: &TextDocument) -> Translated {
        let delta = &signed.delta;
        if self.is_none() || !(self.concern(&delta.log) || delta.logs.iter().any(|log| self.concern(log))) {
            return Translated::Same;
        }
        let own = self.name_of_delta(signed);
        let mut to = Translation { forks: self, delta, own, logs: Vec::new(), is_lost: false };
        let delete = step.delete.iter().flat_map(|range| to.range(range, text)).collect();
        let insert = step.insert.as_ref().map(|insert| codesync_base::Insert {
            left: insert.left.map(|item| to.item(&item).0),
            right: insert.right.map(|item| to.item(&item).0),
            text: insert.text.clone(),
        });
        if to.is_lost {
            return Translated::Nothing;
        }
        let bare = Delta { log: to.own, logs: to.logs, deps: vec![], files: vec![], steps: vec![], ..delta.clone() };
        let step = TextStep { position: step.position, delete, insert };
        match self.has_seen(delta, &bare, &step, text) {
            true => Translated::Other(Box::new((bare, step))),
            false => Translated::Nothing,
        }
    }

    /// Whether the author of a delta had seen what a step of it names of forked logs, to the ends of its ranges.
    fn has_seen(&self, delta: &Delta, bare: &Delta, step: &TextStep, text: &TextDocument) -> bool {
        let Ok(named) = text.newest_named(bare, step) else { return false };
        let covered = self.covered_by(delta);
        let is_seen = |(name, seq): &(LogId, u32)| {
            (*name == bare.log && *seq == bare.seq) || covered.get(name).is_some_and(|newest| seq <= newest)
        };
        named.iter().all(|named| !self.concern(&named.0) || is_seen(named))
    }
}

/// What a text step says in the names that are used here.
pub(crate) enum Translated {
    /// The names on the wire are the same.
    Same,
    /// The delta that it is of, without its other steps, and the step.
    Other(Box<(Delta, TextStep)>),
    /// It names what its author had not seen: it means nothing. Not to be refused, for which branch a name means may
    /// depend on how many are known.
    Nothing,
}

struct Translation<'a> {
    forks: &'a Forks,
    delta: &'a Delta,
    own: LogId,
    logs: Vec<LogId>,
    is_lost: bool,
}

impl Translation<'_> {
    fn log_ref(&mut self, log: LogId) -> u16 {
        if log == self.own {
            return 0;
        }
        let idx = self.logs.iter().position(|known| *known == log).unwrap_or_else(|| {
            self.logs.push(log);
            self.logs.len() - 1
        });
        u16::try_from(idx + 1).unwrap_or(u16::MAX)
    }

    /// The item, and the stretch it is of with the one that its author saw follow it: where that begins, and its name.
    fn item(&mut self, item: &ItemRef) -> (ItemRef, Option<(u32, LogId)>) {
        let Some(log) = self.delta.log_of(item) else { return (*item, None) };
        let found = if self.forks.concern(&log) { self.find(&log, item.seq) } else { Some((log, None)) };
        self.is_lost |= found.is_none();
        let (name, next) = found.unwrap_or((log, None));
        (ItemRef { log: self.log_ref(name), ..*item }, next)
    }

    fn find(&self, log: &LogId, seq: u32) -> Option<(LogId, Option<(u32, LogId)>)> {
        if *log == self.delta.log && seq == self.delta.seq {
            return Some((self.own, None));
        }
        let base = self.forks.base_of(log)?;
        let forked = self.forks.by_log.get(base)?;
        let mut seen = self.forks.seen_by(self.delta, base);
        if log != base {
            // A branch under its own name: only those who had seen it mean it.
            let is_of = |head: &Head| forked.chain(head).iter().any(|(at, _)| forked.stretches[*at].name == *log);
            seen.retain(is_of);
        }
        let seen = forked.tips(&seen);
        let head = forked.plain(&seen)?;
        // Of one branch the newest that was seen.
        let at = forked.of.get(&head.hash);
        let head = seen.iter().filter(|other| forked.of.get(&other.hash) == at).max_by_key(|head| head.seq)?;
        let chain = forked.chain(head);
        let found = chain.iter().position(|(at, newest)| seq >= forked.stretches[*at].from && seq <= *newest)?;
        let follows = found.checked_sub(1).map(|idx| &forked.stretches[chain[idx].0]);
        let own_next = (*base == self.delta.log && found == 0 && self.own != forked.stretches[chain[0].0].name)
            .then_some((self.delta.seq, self.own));
        let next = follows.map(|stretch| (stretch.from, stretch.name)).or(own_next);
        Some((forked.stretches[chain[found].0].name, next))
    }

    /// A range may run from the stretch before a fork into a branch: then it is two.
    fn range(&mut self, range: &ItemRange, text: &TextDocument) -> Vec<ItemRange> {
        let (mut first, mut next) = self.item(&range.first);
        let mut left = range.length;
        let mut parts = Vec::new();
        while let Some((from, name)) = next {
            let log = if first.log == 0 { self.own } else { self.logs[usize::from(first.log) - 1] };
            let Some(n) = text.units_before(&log, first.seq, first.offset, from).filter(|n| *n < left) else { break };
            let Some((seq, offset)) = text.first_of(&name) else { break };
            parts.extend((n > 0).then_some(ItemRange { first, length: n }));
            left -= n;
            first = ItemRef { log: self.log_ref(name), seq, offset };
            next = self.find(&name, seq).and_then(|(_, next)| next);
        }
        parts.push(ItemRange { first, length: left });
        parts
    }
}

impl Engine {
    /// Looks for forks in the log: where each log has as many deltas as its newest has as number, there is none.
    pub(crate) fn load_forks(&mut self) -> Result<()> {
        let heads = self.log.heads();
        let n_here = |head: &Head| head.seq - self.log.cut_seq(&head.log);
        let n_chained: u64 = heads.iter().map(|head| u64::from(n_here(head))).sum();
        if self.log.n_deltas() <= n_chained {
            return Ok(());
        }
        let mut n_of: BTreeMap<LogId, u32> = BTreeMap::new();
        self.log.for_each(&mut |signed| *n_of.entry(signed.delta.log).or_default() += 1).map_err(api_error)?;
        let forked =
            heads.iter().filter(|head| n_of.get(&head.log).is_some_and(|n| *n > n_here(head))).map(|head| head.log);
        let mut forks = Forks::default();
        for log in forked {
            let forked = Forked::new(log, &self.deltas_of(&log)?, self.log.cut().and_then(|cut| cut.head(&log)));
            forks.by_log.insert(log, Arc::new(forked));
            forks.suspects.insert(log.device);
        }
        self.read_sightings(&mut forks)?;
        self.others.forks = forks;
        self.name_branches();
        Ok(())
    }

    /// A log turns out to be forked, or gets one more branch, with this delta. Gives whether names mean something else from
    /// now on: then all documents have to be read anew.
    pub(super) fn note_fork(&mut self, signed: &SignedDelta) -> Result<bool> {
        let (log, cut) = (signed.delta.log, self.log.cut().and_then(|cut| cut.head(&signed.delta.log)));
        let known = self.others.forks.by_log.get(&log).cloned();
        let mut deltas = known.as_ref().map_or_else(|| self.deltas_of(&log), |forked| Ok(forked.deltas(cut)))?;
        let before = known.unwrap_or_else(|| Arc::new(Forked::new(log, &deltas, cut)));
        deltas.insert((signed.delta.seq, signed.hash, signed.delta.prev));
        let mut forks = self.others.forks.clone();
        forks.by_log.insert(log, Arc::new(Forked::new(log, &deltas, cut)));
        let is_renamed = forks.rename(&log, &before);
        if forks.suspects.insert(log.device) {
            self.read_sightings(&mut forks)?;
        }
        self.others.forks = forks;
        self.name_waiting(&log);
        Ok(is_renamed)
    }

    /// The delta that would have forked a log was not taken.
    pub(super) fn forget_fork(&mut self, log: &LogId, before: Forks) {
        self.others.forks = before;
        self.name_waiting(log);
    }

    /// Deltas of a log by sequence number, then hash: name, seq, prev.
    fn deltas_of(&self, log: &LogId) -> Result<BTreeSet<(u32, DeltaHash, DeltaHash)>> {
        let mut deltas = BTreeSet::new();
        let take = &mut |signed: &SignedDelta| {
            deltas.insert((signed.delta.seq, signed.hash, signed.delta.prev));
            ControlFlow::Continue(())
        };
        self.log.for_each_from(log, 1, take).map_err(api_error)?;
        Ok(deltas)
    }

    fn read_sightings(&self, forks: &mut Forks) -> Result<()> {
        forks.sightings.clear();
        self.log.for_each(&mut |signed| forks.note_sightings(signed)).map_err(api_error)?;
        self.waiting.iter().for_each(|(signed, _)| forks.note_sightings(signed));
        Ok(())
    }

    /// Our next delta names the newest of every branch. Only what the log has taken may be named: whoever names what
    /// was refused is refused as well.
    pub(super) fn name_branches(&mut self) {
        let Others { forks, unnamed, .. } = &mut self.others;
        for log in forks.by_log.keys().filter(|log| **log != self.own) {
            unnamed.retain(|name, _| forks.base_of(name) != Some(log));
            for head in forks.heads(log).unwrap_or_default() {
                unnamed.insert(forks.name_of(log, &head.hash), head);
            }
        }
    }

    /// Branches of a log may have other names now. What our next delta has to name of it, it still has to.
    fn name_waiting(&mut self, log: &LogId) {
        let Others { forks, unnamed, .. } = &mut self.others;
        let waiting: Vec<Head> = unnamed.extract_if(.., |_, head| head.log == *log).map(|(_, head)| head).collect();
        unnamed.extend(waiting.into_iter().map(|head| (forks.name_of(log, &head.hash), head)));
    }

    /// The log has taken a delta that goes on with what is known.
    pub(crate) fn follow_forks(&mut self, signed: &SignedDelta) {
        let forks = &mut self.others.forks;
        if forks.is_none() {
            return;
        }
        let delta = &signed.delta;
        if let Some(forked) = forks.by_log.get_mut(&delta.log)
            && !forked.of.contains_key(&signed.hash)
            && let Some(at) = forked.of.get(&delta.prev).copied()
        {
            let forked = Arc::make_mut(forked);
            forked.of.insert(signed.hash, at);
            forked.stretches[at].push(Head { log: delta.log, seq: delta.seq, hash: signed.hash });
        }
        forks.note_sightings(signed);
    }
}

#[cfg(test)]
mod tests;
