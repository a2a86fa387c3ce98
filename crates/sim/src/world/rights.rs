//! Who lets whom in, and takes rights away: what the plan does, and who takes part in the end.

use super::World;
use crate::Random;
use crate::peer::{Kind, LIAR, device_of};
use codesync_auth::Act;
use codesync_base::{Change, DeltaHash, DeviceId, LogId, Role, ShareFrom};
use std::collections::{BTreeMap, BTreeSet};

/// Rights that were taken.
#[derive(Clone, Debug)]
pub struct Lowered {
    by: usize,
    /// The delta that did it.
    pub delta: DeltaHash,
    /// Up to where the logs of the device were accepted.
    pub accepted: BTreeMap<LogId, u32>,
    pub role: Option<Role>,
}

/// How a peer of a workspace with rights takes part, by seed.
pub fn kind_of(seed: u64, idx: usize) -> Kind {
    let is_modified = Random(seed ^ ((idx as u64) << 32)).below(8) == 0;
    if idx > 0 && is_modified { Kind::Modified } else { Kind::Upright }
}

impl World {
    /// The founder lets most of the others in, as this and that, and the member without honour now and then.
    pub(super) fn found(&mut self, seed: u64) {
        let mut random = Random(seed ^ 77);
        for idx in (1..self.peers.len()).chain([LIAR]) {
            let role = match random.below(8) {
                0 => continue,
                1 => Role::Viewer,
                2 | 5 => Role::Owner,
                // Who may let others in can do the most harm.
                3 | 4 if idx == LIAR => Role::Owner,
                _ => Role::Editor,
            };
            let is_modified = self.peers.get(idx).is_some_and(|peer| peer.kind == Kind::Modified);
            let role = if is_modified { Role::Viewer } else { role };
            self.let_in(0, device_of(idx), role);
        }
        self.heal();
    }

    fn let_in(&mut self, by: usize, device: DeviceId, role: Role) {
        let now = self.peers[by].now(self.steady_ms);
        // Whoever may not do this is told so.
        drop(self.peers[by].engine.grant(device, "somebody", role, ShareFrom::Past, now));
        self.sync(by);
    }

    pub(super) fn grant(&mut self, by: usize, n: u64) {
        let about = self.peer(n >> 8);
        let role = [Role::Viewer, Role::Editor, Role::Editor, Role::Owner][(n >> 16) as usize % 4];
        // What was taken is not given back here: what counts of it would be hard to say from outside.
        if self.peers[about].kind == Kind::Upright && !self.lowered.contains_key(&about) {
            self.let_in(by, device_of(about), role);
        }
    }

    pub(super) fn lower(&mut self, by: usize, n: u64) {
        let about = self.peer(n >> 8);
        if self.peers[by].is_short || self.peers[by].kind != Kind::Upright || about == by {
            return;
        }
        if self.lowered.contains_key(&about) {
            return self.say_again(by, about);
        }
        let (device, now) = (device_of(about), self.peers[by].now(self.steady_ms));
        let engine = &mut self.peers[by].engine;
        let Some(role) = engine.access().and_then(|access| access.role_of(&device)) else { return };
        if self.lowered.contains_key(&by) || self.peers[by].engine.may(Act::Govern).is_err() {
            return;
        }
        let engine = &mut self.peers[by].engine;
        let accepted = engine.log().heads().into_iter().filter(|head| head.log.device == device);
        let accepted: BTreeMap<LogId, u32> = accepted.map(|head| (head.log, head.seq)).collect();
        let (done, role) = match n % 3 {
            0 if role == Role::Owner => (engine.change_role(device, Role::Editor, now), Some(Role::Editor)),
            0 if role == Role::Editor => (engine.change_role(device, Role::Viewer, now), Some(Role::Viewer)),
            _ => (engine.remove_member(device, now), None),
        };
        if done.is_err() {
            return;
        }
        self.sync(by);
        let Some(delta) = self.newest_access(by) else { return };
        self.lowered.insert(about, Lowered { by, delta, accepted, role });
    }

    /// Gives somebody the role that they have, or removes whoever is gone: nobody would take that, so it must not be said.
    fn say_again(&mut self, by: usize, about: usize) {
        let (device, now) = (device_of(about), self.peers[by].now(self.steady_ms));
        let engine = &mut self.peers[by].engine;
        drop(match engine.access().and_then(|access| access.role_of(&device)) {
            Some(role) => engine.change_role(device, role, now),
            None => engine.remove_member(device, now),
        });
    }

    fn newest_access(&self, by: usize) -> Option<DeltaHash> {
        let mut newest = None;
        let take = &mut |signed: &codesync_base::SignedDelta| {
            if signed.delta.log.device == device_of(by)
                && signed.delta.steps.iter().any(|step| matches!(step.change, Change::Access(_)))
            {
                newest = Some(signed.hash);
            }
        };
        self.peers[by].engine.log().for_each(take).expect("a log in memory can be read");
        newest
    }

    /// Who takes part in the end: the founder, and everybody of an unchanged program whom somebody who takes part
    /// knows as a member.
    pub fn members(&self) -> Vec<usize> {
        if self.peers[0].kind == Kind::Free {
            return (0..self.peers.len()).collect();
        }
        let mut members = BTreeSet::from([0]);
        loop {
            let knows = |idx: &usize, about: usize| {
                self.peers[*idx].engine.access().is_some_and(|access| access.role_of(&device_of(about)).is_some())
            };
            let is_new = |about: &usize| {
                !members.contains(about)
                    && self.peers[*about].kind == Kind::Upright
                    && members.iter().any(|idx| knows(idx, *about))
            };
            let more: Vec<usize> = (0..self.peers.len()).filter(is_new).collect();
            if more.is_empty() {
                return members.into_iter().collect();
            }
            members.extend(more);
        }
    }

    /// Whether all that this device wrote counts: nobody took its rights, or those of who let it in.
    pub fn is_unquestioned(&self, idx: usize) -> bool {
        let access = self.peers[0].engine.access();
        let Some(access) = access else { return true };
        let let_in_by = access.membership(&device_of(idx)).and_then(|member| member.by);
        let is_lowered = |device: DeviceId| self.lowered.keys().any(|idx| device_of(*idx) == device);
        !self.lowered.contains_key(&idx) && !let_in_by.is_some_and(is_lowered)
    }

    /// Whether a removal counts in the end, as far as that is simple to say.
    pub fn surely_counts(&self, lowered: &Lowered) -> bool {
        !self.lowered.contains_key(&lowered.by) && self.peers[0].durable.contains(&lowered.delta)
    }
}
