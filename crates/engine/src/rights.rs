//! Who may do what in this workspace: the rights that the log says (`codesync_auth::Access`), asked before anything is
//! done here and when others' deltas are judged. Decides nothing itself, and keeps nothing beside the log.

use crate::foreign::{Pasts, Seen};
use crate::{Engine, Now, Result, api_error};
use codesync_api::{ApiError, ErrorCode};
use codesync_auth::{Access, Act, Membership, Verdict, Why};
use codesync_base::{AccessStep, Change, Delta, DeviceId, LogId, Origin, Role, ShareFrom, SignedDelta, decode_delta};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Engine {
    /// From now on rights count. Before that everybody may do everything here: a workspace of one person alone.
    /// `founder` is what whoever let this device in said, as long as nothing of the log is here.
    pub fn uphold_rights(&mut self, founder: Option<DeviceId>) -> Result<()> {
        if self.rights.is_none() {
            self.close()?;
            let rights = self.read_rights(founder)?;
            self.authors.set_founder(rights.founder());
            self.rights = Some(rights);
            self.note_told();
            self.set_aside_at_opening()?;
        }
        Ok(())
    }

    /// The rights as far as they are known here; none before [`Self::uphold_rights`].
    pub fn access(&self) -> Option<&Access> {
        self.rights.as_ref()
    }

    /// Everybody who takes part or did, by device.
    pub fn members(&self) -> Vec<Membership> {
        self.rights.as_ref().map(Access::members).unwrap_or_default()
    }

    /// Lets a device in, or gives one that is in more rights. Whoever has them already keeps them: a grant that takes rights
    /// away, or is about an owner of longer standing, nobody would take (docs/decisions/0012, rules 4 and 6).
    pub fn grant(&mut self, device: DeviceId, person: &str, role: Role, share_from: ShareFrom, now: Now) -> Result<()> {
        let share_from = self.shareable(&device, share_from);
        let known = self.rights.as_ref().and_then(|access| access.membership(&device));
        let role = known.as_ref().and_then(|known| known.role).map_or(role, |known| known.max(role));
        // Another beginning for the same role is news: a new copy of somebody who is here already.
        let has_it = known.is_some_and(|known| known.role == Some(role) && known.share_from == share_from);
        let step = AccessStep::Grant { device, person: person.to_owned(), role, share_from };
        let is_refused =
            |access: &Access| access.role_of(&device) == Some(role) && access.may_say(&self.own.device, &step).is_err();
        if has_it || self.rights.as_ref().is_some_and(is_refused) {
            return Ok(());
        }
        self.change_access(step, now)
    }

    pub fn change_role(&mut self, device: DeviceId, role: Role, now: Now) -> Result<()> {
        self.may(Act::Govern)?;
        if self.access().and_then(|access| access.role_of(&device)) == Some(role) {
            return Ok(());
        }
        let accepted = self.accepted(&device)?;
        self.change_access(AccessStep::ChangeRole { device, role, accepted }, now)
    }

    /// Nothing that a device says later counts.
    pub fn remove_member(&mut self, device: DeviceId, now: Now) -> Result<()> {
        let accepted = self.accepted(&device)?;
        self.change_access(AccessStep::Remove { device, accepted }, now)
    }

    fn accepted(&mut self, device: &DeviceId) -> Result<Vec<codesync_base::Head>> {
        self.close()?;
        Ok(Access::accepted(device, self.log.heads()))
    }

    fn change_access(&mut self, step: AccessStep, now: Now) -> Result<()> {
        self.may(Act::Govern)?;
        // What is refused by others makes this log useless to them from there on.
        let judged =
            self.rights.as_ref().map_or(Err(Why::NotAMember), |access| access.may_say(&self.own.device, &step));
        judged.map_err(|why| ApiError::new(ErrorCode::ReadOnly, why_not(why)))?;
        let act = self.begin_act(Origin::Session);
        self.mark_step(act, Change::Access(step), now);
        self.settle();
        self.weigh_own(now)
    }

    /// Whether the person here may do this; the sentence why not.
    pub fn may(&self, act: Act) -> Result<()> {
        let is_allowed = self.rights.as_ref().is_none_or(|access| access.may(&self.own.device, act));
        // Whoever was removed goes on with their copy, in a log of its own (the node begins one): everybody else refuses it.
        if is_allowed || (act == Act::Edit && self.is_removed()) {
            return Ok(());
        }
        let sentence = match act {
            Act::Speak => "You are no member of this workspace any more. What you have stays here.",
            Act::Edit => "You're a viewer here.",
            Act::Govern => "Only an owner can change who takes part.",
        };
        Err(ApiError::new(ErrorCode::ReadOnly, sentence))
    }

    /// Whether others' delta counts. All of its declared past is here.
    pub(crate) fn judge_rights(&mut self, signed: &SignedDelta) -> Verdict {
        let before = self.before(signed);
        let past = Seen::new(signed, before, &self.others.forks);
        self.rights.as_mut().map_or(Verdict::Allowed, |access| access.judge(signed, &past))
    }

    /// A delta is in the log: if it changes rights, they are changed. Says whether it is such a one.
    pub(crate) fn take_rights(&mut self, signed: &SignedDelta) -> bool {
        if !changes_rights(&signed.delta) || self.rights.is_none() {
            return false;
        }
        let before = self.before(signed);
        let past = Seen::new(signed, before, &self.others.forks);
        let Some(access) = &mut self.rights else { return false };
        if let Err(why) = access.take(signed, &past) {
            tracing::warn!(%why, "a change of rights does not count");
        }
        self.note_told();
        true
    }

    /// The newest delta of each log that its author had seen before.
    fn before(&self, signed: &SignedDelta) -> Arc<BTreeMap<LogId, u32>> {
        if signed.delta.log != self.own {
            return self.named_before(signed);
        }
        // Each delta of ours names what was new.
        Arc::new(self.log.heads().into_iter().map(|head| (head.log, head.seq)).collect())
    }

    fn read_rights(&self, told: Option<DeviceId>) -> Result<Access> {
        let begun = self.others.beginning.begun();
        let mut founder = begun.map(|begun| begun.checkpoint.founder);
        let before = begun.map(|begun| begun.checkpoint.rights.as_slice()).unwrap_or_default();
        let mut has_any = !before.is_empty();
        let mut structural = |signed: &SignedDelta| {
            // Whoever was let in names the delta that let them in: only the founder's first one stands on nothing.
            if founder.is_none() && signed.delta.seq == 1 && signed.delta.deps.is_empty() {
                founder = Some(signed.delta.log.device);
            }
            has_any |= changes_rights(&signed.delta);
        };
        self.log.for_each_structural(&mut structural).map_err(api_error)?;
        let mut access = Access::new(founder.or(told).unwrap_or(self.own.device));
        if !has_any {
            return Ok(access);
        }
        for right in before {
            let past: BTreeMap<LogId, u32> = right.past.iter().copied().collect();
            // Nobody here can look at their signatures again: whoever let this device in vouches for them.
            let taken = decode_delta(&right.delta)
                .map(|(delta, hash)| access.take(&SignedDelta { delta, hash, signature: [0; 64] }, &past));
            if !matches!(taken, Ok(Ok(_))) {
                tracing::warn!(?taken, "a change of rights before the cut does not count");
            }
        }
        let (mut pasts, forks) = (Pasts::beginning(&self.others.beginning), &self.others.forks);
        let mut read = |signed: &SignedDelta| {
            let past = pasts.of(signed, forks.concern(&signed.delta.log));
            if changes_rights(&signed.delta)
                && let Err(why) = access.take(signed, &Seen::new(signed, past, forks))
            {
                tracing::warn!(%why, "a change of rights does not count");
            }
        };
        self.log.for_each(&mut read).map_err(api_error)?;
        Ok(access)
    }
}

/// Why a change of rights is not made, in words.
fn why_not(why: Why) -> &'static str {
    match why {
        Why::NobodyThere => "They don't take part any more.",
        Why::TooMany => "Who takes part here was changed so often that it can't be changed any more.",
        _ => "An owner who has been one for longer can't be changed, and somebody has to stay owner.",
    }
}

pub(crate) fn changes_rights(delta: &Delta) -> bool {
    delta.steps.iter().any(|step| matches!(step.change, Change::Access(_)))
}

#[cfg(test)]
mod tests;
