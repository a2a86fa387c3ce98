//! Deltas that came and cannot be delivered yet: their signature, a content, their past or their time is missing.
//! Bounded in number and bytes, whatever a peer sends. Kept as bytes: decoded, small ones would take many times more.

use crate::limits::*;
use crate::replica::Replica;
use codesync_base::{BlobHash, Delta, DeltaHash, DeltaKey, Head, Hlc, LogId, SignedDelta, decode_delta};
use std::collections::{BTreeMap, BTreeSet};

/// How a delta came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    Live,
    Asked,
}

/// A delta whose bytes are good and whose signature, if it has one, is its author's.
#[derive(Debug)]
pub(crate) struct Held {
    pub key: DeltaKey,
    pub prev: DeltaHash,
    pub deps: Vec<Head>,
    pub blobs: Vec<BlobHash>,
    pub signature: Option<[u8; 64]>,
    pub bytes: Vec<u8>,
    pub way: Way,
    /// Whether its credit was given back already.
    pub is_paid: bool,
    /// Whether it is refused whatever its contents are; none as long as nobody was asked.
    is_refused: Option<bool>,
}

/// Why a delta is refused by everybody and for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Its clock does not stand above what it depends on.
    BackDated,
    /// `seq`, `prev` or a dependency do not say what is so.
    Chain,
    /// It builds on a delta that was refused.
    Past,
}

#[derive(Debug, Default)]
pub(crate) struct Hold {
    by_key: BTreeMap<DeltaKey, Held>,
    names: BTreeMap<DeltaHash, DeltaKey>,
    held_bytes: usize,
    n_live: usize,
}

/// A delta to be delivered.
#[derive(Clone, PartialEq, Debug)]
pub struct Incoming {
    pub signed: SignedDelta,
    pub bytes: Vec<u8>,
}

/// What of the held ones can go.
#[derive(Debug, Default)]
pub(crate) struct Released {
    /// In causal order; each is signed, or vouched for by a later one of these.
    pub ready: Vec<Incoming>,
    /// Bytes of credit that go back when the ready ones are dealt with.
    pub ready_cost_bytes: u64,
    pub refused: Vec<(DeltaKey, Refusal)>,
    /// Of those that went without being delivered.
    pub freed_bytes: u64,
}

impl Held {
    pub fn new(
        delta: &Delta,
        blobs: BTreeSet<BlobHash>,
        hash: DeltaHash,
        bytes: Vec<u8>,
        signature: Option<[u8; 64]>,
        way: Way,
    ) -> Self {
        Self {
            key: delta.key(hash),
            prev: delta.prev,
            deps: delta.deps.clone(),
            blobs: blobs.into_iter().collect(),
            signature,
            bytes,
            way,
            is_paid: false,
            is_refused: None,
        }
    }

    /// Whether all that it builds on is here.
    fn has_past(&self, replica: &dyn Replica) -> bool {
        let is_past = |dep: &Head| dep.seq < replica.cut_seq(&dep.log);
        (self.key.seq == 1 || replica.key(&self.prev).is_some())
            && self.deps.iter().all(|dep| replica.key(&dep.hash).is_some() || is_past(dep))
    }

    fn signed(&self) -> Option<SignedDelta> {
        let (delta, hash) = decode_delta(&self.bytes).ok()?;
        Some(SignedDelta { delta, hash, signature: self.signature.unwrap_or([0; 64]) })
    }

    pub fn cost_bytes(&self) -> u64 {
        (self.bytes.len() + DELTA_COST_BYTES) as u64
    }

    /// What it takes here, roughly.
    fn size_bytes(&self) -> usize {
        self.bytes.len() + DELTA_COST_BYTES + self.deps.len() * size_of::<Head>() + self.blobs.len() * 32
    }
}

impl Hold {
    pub fn n_held(&self) -> usize {
        self.by_key.len()
    }

    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// Whether it is here already, signed if this one is.
    pub fn has_as_good(&self, held: &Held) -> bool {
        let known = self.by_key.get(&held.key);
        known.is_some_and(|known| known.signature.is_some() || held.signature.is_none())
    }

    /// How much credit goes back for what it takes the place of; the delta itself when there is no room.
    pub fn insert(&mut self, mut held: Held) -> Result<u64, Box<Held>> {
        let size_bytes = held.size_bytes();
        let has_room = self.held_bytes + size_bytes <= HELD_BYTES_MAX
            && match held.way {
                Way::Live => self.n_live < HELD_LIVE_MAX,
                Way::Asked => self.by_key.len() < HELD_ASKED_MAX,
            };
        if !has_room {
            return Err(Box::new(held));
        }
        let mut freed_bytes = 0;
        if let Some(known) = self.remove(&held.key.hash) {
            // The same once more: with a signature is better.
            held.signature = held.signature.or(known.signature);
            freed_bytes = if known.is_paid { 0 } else { known.cost_bytes() };
        }
        self.held_bytes += size_bytes;
        self.n_live += usize::from(held.way == Way::Live);
        self.names.insert(held.key.hash, held.key);
        self.by_key.insert(held.key, held);
        Ok(freed_bytes)
    }

    /// Drops all of the logs that wait for a content; these logs, and how much credit goes back.
    pub fn drop_waiting_for(&mut self, blob: &BlobHash) -> (BTreeSet<LogId>, u64) {
        let logs: BTreeSet<LogId> =
            self.by_key.values().filter(|held| held.blobs.contains(blob)).map(|held| held.key.log).collect();
        let names: Vec<DeltaHash> =
            self.by_key.keys().filter(|key| logs.contains(&key.log)).map(|key| key.hash).collect();
        let gone = names.iter().filter_map(|hash| self.remove(hash)).filter(|held| !held.is_paid);
        let freed_bytes = gone.map(|held| held.cost_bytes()).sum();
        (logs, freed_bytes)
    }

    fn remove(&mut self, hash: &DeltaHash) -> Option<Held> {
        let held = self.by_key.remove(&self.names.remove(hash)?)?;
        self.held_bytes -= held.size_bytes();
        self.n_live -= usize::from(held.way == Way::Live);
        Some(held)
    }

    /// Drops all; how much credit goes back.
    pub fn clear(&mut self) -> u64 {
        let freed_bytes = self.by_key.values().filter(|held| !held.is_paid).map(Held::cost_bytes).sum();
        *self = Self::default();
        freed_bytes
    }

    /// Credit for what will stay here a while, as long as there is plenty of room.
    pub fn pay(&mut self) -> u64 {
        if self.held_bytes > HELD_BYTES_PAID {
            return 0;
        }
        let mut paid_bytes = 0;
        for held in self.by_key.values_mut().filter(|held| !held.is_paid) {
            held.is_paid = true;
            paid_bytes += held.cost_bytes();
        }
        paid_bytes
    }

    /// Contents that held deltas need and that are not here, the oldest's first. Of a delta that could not go with them
    /// either none is asked for, nor of one that is refused anyway: contents are long, and nobody would need them.
    pub fn missing_blobs(&self, replica: &dyn Replica, n_max: usize) -> Vec<BlobHash> {
        let mut missing = Vec::new();
        if self.by_key.values().all(|held| held.blobs.is_empty()) {
            return missing;
        }
        let is_refused = |held: &Held| held.is_refused == Some(true);
        let could_go = self.closed(self.by_key.values().filter(|held| !is_refused(held)), replica);
        let needing = self.by_key.values().filter(|held| could_go.left.contains_key(&held.key.hash));
        for hash in needing.flat_map(|held| &held.blobs) {
            if missing.len() == n_max {
                break;
            }
            if !missing.contains(hash) && !replica.has_blob(hash) {
                missing.push(*hash);
            }
        }
        missing
    }

    /// Asks whether deltas of those who may bring no contents are refused anyway, once their past is here: then they go
    /// without.
    fn weigh(&mut self, replica: &mut dyn Replica) {
        for held in self.by_key.values_mut().filter(|held| held.is_refused.is_none()) {
            let is_harmless = held.blobs.is_empty() && held.signature.is_some();
            if !is_harmless && !replica.may_fill(&held.key.log.device) && held.has_past(replica) {
                held.is_refused = Some(held.signed().is_none_or(|signed| replica.refuses(&signed)));
            }
        }
    }

    /// When the next of those that come from the future can be looked at again.
    pub fn due_ms(&self, now_ms: u64) -> Option<u64> {
        let first = Hlc { wall_ms: now_ms.saturating_add(AHEAD_MS_MAX), counter: u32::MAX };
        let ahead = self.by_key.keys().rev().take_while(|key| key.hlc > first).last();
        ahead.map(|key| key.hlc.wall_ms.saturating_sub(AHEAD_MS_MAX))
    }

    /// Takes out what can be delivered: all that is behind its past, has its contents, is not from the future, and is
    /// vouched for by what goes along.
    pub fn release(&mut self, replica: &mut dyn Replica, now_ms: u64) -> Released {
        let mut released = Released::default();
        self.refuse(replica, &mut released);
        self.weigh(replica);
        let going = self.going(replica, now_ms);
        for key in &going {
            let Some(held) = self.remove(&key.hash) else { continue };
            if !held.is_paid {
                released.ready_cost_bytes += held.cost_bytes();
            }
            let Some(signed) = held.signed() else { continue };
            released.ready.push(Incoming { signed, bytes: held.bytes });
        }
        released
    }

    /// Deltas that no replica can ever take, and those here that build on them.
    fn refuse(&mut self, replica: &dyn Replica, released: &mut Released) {
        let mut bad: BTreeMap<DeltaHash, (DeltaKey, Refusal)> = BTreeMap::new();
        for held in self.by_key.values() {
            if let Some(refusal) = self.judge(held, replica, &bad) {
                bad.insert(held.key.hash, (held.key, refusal));
            }
        }
        for (hash, refused) in bad {
            if let Some(held) = self.remove(&hash).filter(|held| !held.is_paid) {
                released.freed_bytes += held.cost_bytes();
            }
            released.refused.push(refused);
        }
    }

    fn judge(
        &self,
        held: &Held,
        replica: &dyn Replica,
        bad: &BTreeMap<DeltaHash, (DeltaKey, Refusal)>,
    ) -> Option<Refusal> {
        let key = &held.key;
        let deps = held.deps.iter().map(|dep| (dep.log, dep.seq, dep.hash));
        let prev = (key.seq > 1).then_some((key.log, key.seq.saturating_sub(1), held.prev));
        if held.deps.iter().any(|dep| dep.log == key.log) || (key.seq == 1) != (held.prev == DeltaHash::ZERO) {
            return Some(Refusal::Chain);
        }
        for (log, seq, hash) in prev.into_iter().chain(deps) {
            if bad.contains_key(&hash) {
                return Some(Refusal::Past);
            }
            // Of those here only what will be delivered counts, and that is judged then.
            let Some(past) = self.names.get(&hash).copied().or_else(|| replica.key(&hash)) else { continue };
            if (past.log, past.seq) != (log, seq) {
                return Some(Refusal::Chain);
            }
            if past.hlc >= key.hlc {
                return Some(Refusal::BackDated);
            }
        }
        None
    }

    /// Keys in canonical order, which is a causal one: readings stand above those of their past.
    fn going(&self, replica: &dyn Replica, now_ms: u64) -> Vec<DeltaKey> {
        let is_now = |hlc: Hlc| hlc.wall_ms <= now_ms.saturating_add(AHEAD_MS_MAX);
        let has_contents =
            |held: &Held| held.is_refused == Some(true) || held.blobs.iter().all(|hash| replica.has_blob(hash));
        let ready = self.by_key.values().filter(|held| is_now(held.key.hlc) && has_contents(held));
        let mut keys: Vec<DeltaKey> = self.closed(ready, replica).left.values().map(|held| held.key).collect();
        keys.sort_unstable();
        keys
    }

    /// Of these, which are in canonical order, those whose past is among them or here, and that are vouched for.
    fn closed<'a>(&self, held: impl Iterator<Item = &'a Held>, replica: &dyn Replica) -> Going<'a> {
        let mut going = Going::default();
        held.for_each(|held| going.add(held, replica));
        going.drop_unvouched(replica);
        going
    }
}

/// What of the held ones could go. Each that turns out not to takes along what stands on it, once: a peer decides how they
/// are tangled, and must not decide how long it takes.
#[derive(Default)]
struct Going<'a> {
    left: BTreeMap<DeltaHash, &'a Held>,
    /// Who builds on which of them.
    needed_by: BTreeMap<DeltaHash, Vec<DeltaHash>>,
    /// How many of them vouch for one.
    n_vouchers: BTreeMap<(LogId, DeltaHash), usize>,
}

impl<'a> Going<'a> {
    /// The next in canonical order, if its past is there.
    fn add(&mut self, held: &'a Held, replica: &dyn Replica) {
        let key = &held.key;
        let is_there = |hash: &DeltaHash| self.left.contains_key(hash) || replica.key(hash).is_some();
        // Of what is before the cut nobody here knows more than its number.
        let is_past = |dep: &&Head| dep.seq < replica.cut_seq(&dep.log);
        let deps = held.deps.iter().filter(|dep| !is_past(dep)).map(|dep| dep.hash);
        let needed: Vec<DeltaHash> = (key.seq > 1).then_some(held.prev).into_iter().chain(deps).collect();
        if !needed.iter().all(is_there) {
            return;
        }
        for hash in needed.into_iter().filter(|hash| self.left.contains_key(hash)) {
            self.needed_by.entry(hash).or_default().push(key.hash);
        }
        *self.n_vouchers.entry((key.log, held.prev)).or_default() += 1;
        self.left.insert(key.hash, held);
    }

    fn drop_unvouched(&mut self, replica: &dyn Replica) {
        let mut falling: Vec<DeltaHash> =
            self.left.values().filter(|held| !self.is_vouched(held)).map(|held| held.key.hash).collect();
        while let Some(hash) = falling.pop() {
            let Some(held) = self.left.remove(&hash) else { continue };
            if let Some(n) = self.n_vouchers.get_mut(&(held.key.log, held.prev)) {
                *n -= 1;
            }
            falling.extend(self.left.get(&held.prev).filter(|prev| !self.is_vouched(prev)).map(|prev| prev.key.hash));
            let needed_by = self.needed_by.remove(&hash).unwrap_or_default();
            if !needed_by.is_empty() && replica.key(&hash).is_none() {
                falling.extend(needed_by);
            }
        }
    }

    fn is_vouched(&self, held: &Held) -> bool {
        let voucher = || self.n_vouchers.get(&(held.key.log, held.key.hash));
        held.signature.is_some() || voucher().is_some_and(|n| *n > 0)
    }
}
