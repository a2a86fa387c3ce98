//! Who may do what, computed from the log alone: a fold of the access deltas. Whether a delta is *refused* depends on
//! the delta and its declared past only, never on what else is here; whether it is *quarantined* depends on the set
//! of access deltas that are here, in whatever order they came. So replicas with the same deltas agree.
//! The rules and their reasons: `docs/decisions/0012-identity-pairing-rights.md`.

mod entry;
mod set;

use codesync_base::{
    AccessStep, Change, Delta, DeltaHash, DeltaKey, DeviceId, Head, LogId, Role, ShareFrom, SignedDelta,
};
use entry::Entry;
use set::Set;
use std::collections::BTreeMap;

/// Access deltas that one may build on; more are refused.
pub const ENTRIES_MAX: usize = 4_096;
/// Pasts whose meaning is remembered. Most deltas have the newest one.
const PASTS_KEPT_MAX: usize = 64;

/// What the author of a delta had seen, as they declare it.
pub trait Past {
    /// Whether this delta of another log is in it. The author's own log is known to be, up to the delta itself.
    fn covers(&self, head: &Head) -> bool;

    /// Whether this very delta, of any log, is not in it though its number is: it stands in a branch of a forked log that
    /// the author had not seen. Never where no log forked.
    fn is_beside(&self, _head: &Head) -> bool {
        false
    }
}

impl Past for BTreeMap<LogId, u32> {
    fn covers(&self, head: &Head) -> bool {
        self.get(&head.log).is_some_and(|newest| head.seq <= *newest)
    }
}

/// What somebody wants to do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Act {
    /// Say who is there, and talk.
    Speak,
    /// Change files, name moments, restore.
    Edit,
    /// Change who may take part.
    Govern,
}

/// Whether a delta counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Allowed,
    /// By everybody, for ever.
    Refused(Why),
    /// Kept and shown, but not merged, because of this access delta: it takes the right away without accepting what is
    /// judged, or it gave the right and counts no more itself.
    Quarantined {
        by: DeltaHash,
    },
}

/// Why a delta is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Why {
    #[error("its author is no member")]
    NotAMember,
    #[error("its author is {has:?} and has to be {needed:?}")]
    Role { has: Role, needed: Role },
    #[error("it is about an owner who has been one for longer than its author")]
    Senior,
    #[error("it is about a device that is no member")]
    NobodyThere,
    #[error("a grant cannot take rights away")]
    LoweringGrant,
    #[error("it accepts what is not in its declared past")]
    Accepted,
    #[error("nobody would be left to let others in")]
    LastOwner,
    #[error("there are too many changes of rights")]
    TooMany,
}

/// A device that takes part, or did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Membership {
    pub device: DeviceId,
    /// As the newest grant says it; none for the founder.
    pub person: Option<String>,
    /// None: not a member any more.
    pub role: Option<Role>,
    pub share_from: ShareFrom,
    /// The access delta that decided its role last; none for the founder as long as there is none.
    pub since: Option<DeltaKey>,
    /// Who wrote that.
    pub by: Option<DeviceId>,
}

/// The rights of a workspace as the access deltas that are here make them.
#[derive(Clone, Debug)]
pub struct Access {
    founder: DeviceId,
    entries: Vec<Entry>,
    /// Indexes by the device they are about.
    about: BTreeMap<DeviceId, Vec<usize>>,
    /// Indexes in the order in which they are weighed: who has been owner for longest first.
    order: Vec<usize>,
    /// Which of them count, given all that are here.
    effective: Set,
    pasts: BTreeMap<Set, Set>,
}

impl Act {
    pub fn of(delta: &Delta) -> Self {
        let of_step = |change: &Change| match change {
            Change::Session { .. } | Change::Chat(_) | Change::Color { .. } => Act::Speak,
            Change::Access(_) => Act::Govern,
            _ => Act::Edit,
        };
        delta.steps.iter().map(|step| of_step(&step.change)).max().unwrap_or(Act::Edit)
    }

    /// The lowest role that may do it.
    pub fn needs(self) -> Role {
        match self {
            Act::Speak => Role::Viewer,
            Act::Edit => Role::Editor,
            Act::Govern => Role::Owner,
        }
    }
}

impl Access {
    /// A workspace in which nothing was granted yet: its founder is the owner, alone.
    pub fn new(founder: DeviceId) -> Self {
        Self {
            founder,
            entries: Vec::new(),
            about: BTreeMap::new(),
            order: Vec::new(),
            effective: Set::default(),
            pasts: BTreeMap::new(),
        }
    }

    pub fn founder(&self) -> DeviceId {
        self.founder
    }

    /// Whether a delta counts. All access deltas of its declared past have to be taken in.
    pub fn judge(&mut self, signed: &SignedDelta, past: &impl Past) -> Verdict {
        let delta = &signed.delta;
        let before = self.before(delta, past);
        match self.judge_at(delta, past, &before) {
            Ok(()) => self.standing(&delta.log, delta.seq, Act::of(delta).needs(), &before),
            Err(why) => Verdict::Refused(why),
        }
    }

    /// Takes an access delta in (others change nothing), once all of its declared past is in. Returns the devices whose
    /// deltas may be judged otherwise from now on.
    pub fn take(&mut self, signed: &SignedDelta, past: &impl Past) -> Result<Vec<DeviceId>, Why> {
        let delta = &signed.delta;
        let Some(Change::Access(step)) = delta.steps.first().map(|step| &step.change) else { return Ok(vec![]) };
        let key = delta.key(signed.hash);
        if self.entries.iter().any(|entry| entry.key == key) {
            return Ok(vec![]);
        }
        let before = self.before(delta, past);
        self.judge_at(delta, past, &before)?;
        let at_past = self.effective_at(&before);
        let rank = self.owner_since(&at_past, &delta.log.device).ok_or(Why::NotAMember)?;
        let lowers = step.role() < self.role_in(&at_past, &step.device());
        let idx = self.entries.len();
        let was_effective = self.effective.clone();
        self.entries.push(Entry { key, step: step.clone(), before, rank, lowers });
        self.about.entry(step.device()).or_default().push(idx);
        let place = self.order.partition_point(|other| self.entries[*other].weight() < self.entries[idx].weight());
        self.order.insert(place, idx);
        self.effective = self.effective_of(|_| true);
        let changed = was_effective.differing(&self.effective).map(|idx| self.entries[idx].step.device());
        let mut devices: Vec<DeviceId> = changed.chain([step.device()]).collect();
        devices.sort_unstable();
        devices.dedup();
        Ok(devices)
    }

    /// Whether some delta of a device may be quarantined by what is here; when not, none has to be looked at.
    pub fn may_quarantine(&self, device: &DeviceId) -> bool {
        let about = self.about.get(device).map(Vec::as_slice).unwrap_or_default();
        let is_lowered = about.iter().any(|idx| self.effective.contains(*idx) && self.entries[*idx].lowers);
        is_lowered || self.effective.len() < self.entries.len()
    }

    /// What a device may do as far as is known here.
    pub fn role_of(&self, device: &DeviceId) -> Option<Role> {
        self.role_in(&self.effective, device)
    }

    /// Whether a device may do this now.
    pub fn may(&self, device: &DeviceId, act: Act) -> bool {
        self.role_of(device) >= Some(act.needs())
    }

    /// Whether everybody will take this step of an owner who knows all that is here.
    pub fn may_say(&self, by: &DeviceId, step: &AccessStep) -> Result<(), Why> {
        if self.entries.len() >= ENTRIES_MAX {
            return Err(Why::TooMany);
        }
        self.judge_step(by, step, &self.effective)
    }

    /// Names the set of access deltas that count: equal where the rights are equal. Zero when there are none.
    pub fn head(&self) -> DeltaHash {
        let mut hashes: Vec<DeltaHash> = self.effective.iter().map(|idx| self.entries[idx].key.hash).collect();
        if hashes.is_empty() {
            return DeltaHash::ZERO;
        }
        hashes.sort_unstable();
        let mut hasher = blake3::Hasher::new_derive_key("codesync 2026 head of rights");
        hashes.iter().for_each(|hash| {
            hasher.update(&hash.0);
        });
        DeltaHash(*hasher.finalize().as_bytes())
    }

    /// Everybody who takes part or did, by device.
    pub fn members(&self) -> Vec<Membership> {
        let devices = self.about.keys().copied().filter(|device| *device != self.founder);
        let mut members: Vec<Membership> =
            [self.founder].into_iter().chain(devices).filter_map(|device| self.membership(&device)).collect();
        members.sort_by_key(|member| member.device);
        members
    }

    pub fn membership(&self, device: &DeviceId) -> Option<Membership> {
        let of_device = self.entries_about(&self.effective, device);
        let newest = of_device.iter().map(|idx| &self.entries[*idx]).max_by_key(|entry| entry.key);
        if newest.is_none() && *device != self.founder {
            return None;
        }
        let grant = of_device.iter().map(|idx| &self.entries[*idx]).filter(|entry| entry.grant().is_some());
        let granted = grant.max_by_key(|entry| entry.key).and_then(Entry::grant);
        Some(Membership {
            device: *device,
            person: granted.map(|(person, _)| person.to_owned()),
            role: self.role_in(&self.effective, device),
            share_from: granted.map_or(ShareFrom::Past, |(_, share_from)| share_from),
            since: newest.map(|entry| entry.key),
            by: newest.map(|entry| entry.key.log.device),
        })
    }

    /// What of a device's logs is accepted by whoever has these heads: for a removal or a lower role.
    pub fn accepted(device: &DeviceId, heads: impl IntoIterator<Item = Head>) -> Vec<Head> {
        let mut newest: BTreeMap<LogId, Head> = BTreeMap::new();
        for head in heads.into_iter().filter(|head| head.log.device == *device && head.seq > 0) {
            let known = newest.entry(head.log).or_insert(head);
            if head.seq > known.seq {
                *known = head;
            }
        }
        newest.into_values().collect()
    }

    /// What the author may do by the declared past alone.
    fn judge_at(&mut self, delta: &Delta, past: &impl Past, before: &Set) -> Result<(), Why> {
        let (author, needed) = (delta.log.device, Act::of(delta).needs());
        let at_past = self.effective_at(before);
        match self.role_in(&at_past, &author) {
            // Whether its removal counts is a matter of what else is here: it is weighed, not refused.
            None if needed < Role::Owner && self.is_known(&at_past, &author) => {}
            None => return Err(Why::NotAMember),
            Some(has) if has < needed => return Err(Why::Role { has, needed }),
            Some(_) => {}
        }
        match delta.steps.first().map(|step| &step.change) {
            Some(Change::Access(_)) if before.len() >= ENTRIES_MAX => Err(Why::TooMany),
            Some(Change::Access(step)) => {
                let is_there = |head: &Head| is_before(head, delta, past);
                if !step.accepted().iter().all(is_there) {
                    return Err(Why::Accepted);
                }
                self.judge_step(&author, step, &at_past)
            }
            _ => Ok(()),
        }
    }

    fn judge_step(&self, author: &DeviceId, step: &AccessStep, at_past: &Set) -> Result<(), Why> {
        let device = step.device();
        let role = self.role_in(at_past, &device);
        match step {
            AccessStep::Grant { role: granted, .. } if role.is_some_and(|role| role > *granted) => {
                return Err(Why::LoweringGrant);
            }
            AccessStep::ChangeRole { .. } | AccessStep::Remove { .. } if role.is_none() => {
                return Err(Why::NobodyThere);
            }
            _ => {}
        }
        if !self.is_senior(at_past, author, &device) {
            return Err(Why::Senior);
        }
        let leaves = device == *author && step.role() < Some(Role::Owner);
        if leaves && !self.has_other_owner(at_past, author) { Err(Why::LastOwner) } else { Ok(()) }
    }

    /// Whether what was allowed by its own past still is, with all that is known.
    fn standing(&self, log: &LogId, seq: u32, needed: Role, before: &Set) -> Verdict {
        let device = log.device;
        if let Some(idx) = self.bound(&self.effective, log, seq, needed, before) {
            return Verdict::Quarantined { by: self.entries[idx].key.hash };
        }
        let counted = before.and(&self.effective);
        if self.role_in(&counted, &device) >= Some(needed) {
            return Verdict::Allowed;
        }
        // It knew that it was removed. Or whoever let this device in, or raised it, turned out not to be allowed to any more.
        let lowering = |idx: &usize| self.entries[*idx].lowers && self.entries[*idx].step.role() < Some(needed);
        let lowered = self.entries_about(&counted, &device).into_iter().filter(lowering);
        let lowered = lowered.max_by_key(|idx| self.entries[*idx].key);
        let void = before.without(&self.effective);
        let about = lowered.into_iter().chain(self.entries_about(&void, &device)).chain(void.iter());
        let by = about.map(|idx| self.entries[idx].key.hash).next().unwrap_or(DeltaHash::ZERO);
        Verdict::Quarantined { by }
    }

    /// The access deltas that a delta builds on, closed under their own pasts.
    fn before(&self, delta: &Delta, past: &impl Past) -> Set {
        let mut before = Set::default();
        for (idx, entry) in self.entries.iter().enumerate() {
            let head = entry.head();
            if is_before(&head, delta, past) && !past.is_beside(&head) {
                before.insert(idx);
                before.unite(&entry.before);
            }
        }
        before
    }

    /// Which of the given entries count when they are all there is.
    fn effective_at(&mut self, before: &Set) -> Set {
        if let Some(known) = self.pasts.get(before) {
            return known.clone();
        }
        let effective = self.effective_of(|idx| before.contains(idx));
        if self.pasts.len() == PASTS_KEPT_MAX {
            self.pasts.clear();
        }
        self.pasts.insert(before.clone(), effective.clone());
        effective
    }

    /// Weighs entries, those of the longest-standing owners first: an entry counts when its author still is owner by
    /// what counts of its past, and nobody weighed before took that from them.
    fn effective_of(&self, is_in: impl Fn(usize) -> bool) -> Set {
        let mut effective = Set::default();
        for idx in self.order.iter().copied().filter(|idx| is_in(*idx)) {
            let entry = &self.entries[idx];
            let DeltaKey { log, seq, .. } = entry.key;
            let is_owner = self.role_in(&entry.before.and(&effective), &log.device) == Some(Role::Owner);
            if is_owner && self.bound(&effective, &log, seq, Role::Owner, &entry.before).is_none() {
                effective.insert(idx);
            }
        }
        effective
    }

    /// The entry that took the right to a delta which had not seen it: one that lowers its author below what it needs
    /// and does not accept it.
    fn bound(&self, effective: &Set, log: &LogId, seq: u32, needed: Role, before: &Set) -> Option<usize> {
        let about = self.about.get(&log.device)?;
        let binds = |idx: &usize| {
            let entry = &self.entries[*idx];
            effective.contains(*idx)
                && entry.lowers
                && entry.step.role() < Some(needed)
                && !before.contains(*idx)
                && !entry.accepts(log, seq)
        };
        about.iter().copied().filter(binds).min_by_key(|idx| self.entries[*idx].key)
    }

    fn entries_about(&self, of: &Set, device: &DeviceId) -> Vec<usize> {
        let about = self.about.get(device).map(Vec::as_slice).unwrap_or_default();
        about.iter().copied().filter(|idx| of.contains(*idx)).collect()
    }

    /// Whether a device takes part, or did.
    fn is_known(&self, of: &Set, device: &DeviceId) -> bool {
        *device == self.founder || !self.entries_about(of, device).is_empty()
    }

    /// The lowest of what was said last: of several things said without knowledge of each other the least holds.
    fn role_in(&self, of: &Set, device: &DeviceId) -> Option<Role> {
        let about = self.entries_about(of, device);
        if about.is_empty() {
            return (*device == self.founder).then_some(Role::Owner);
        }
        let is_last = |idx: &&usize| !about.iter().any(|other| self.entries[*other].before.contains(**idx));
        about.iter().filter(is_last).map(|idx| self.entries[*idx].step.role()).min().flatten()
    }

    /// The entry from which on a device has been owner without a break.
    fn owner_since(&self, of: &Set, device: &DeviceId) -> Option<DeltaKey> {
        if self.role_in(of, device) != Some(Role::Owner) {
            return None;
        }
        let mut about: Vec<&Entry> = self.entries_about(of, device).iter().map(|idx| &self.entries[*idx]).collect();
        about.sort_by_key(|entry| entry.key);
        let is_owners = |entry: &&&Entry| entry.step.role() == Some(Role::Owner);
        let was_always = about.len() == about.iter().filter(is_owners).count() && *device == self.founder;
        if was_always {
            return Some(DeltaKey::FIRST);
        }
        about.iter().rev().take_while(is_owners).last().map(|entry| entry.key)
    }

    /// Whether one may lower the other: nobody but an owner of longer standing, and oneself, lowers an owner.
    fn is_senior(&self, of: &Set, by: &DeviceId, device: &DeviceId) -> bool {
        match self.owner_since(of, device) {
            Some(since) if by != device => self.owner_since(of, by).is_some_and(|own| own < since),
            _ => true,
        }
    }

    fn has_other_owner(&self, of: &Set, device: &DeviceId) -> bool {
        let mut devices = self.about.keys().chain([&self.founder]);
        devices.any(|other| other != device && self.role_in(of, other) == Some(Role::Owner))
    }
}

fn is_before(head: &Head, delta: &Delta, past: &impl Past) -> bool {
    if head.log == delta.log { head.seq < delta.seq } else { past.covers(head) }
}

#[cfg(test)]
mod tests;
