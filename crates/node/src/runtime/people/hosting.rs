//! Letting others in, and changing what they may do.

use super::parse_device;
use crate::join::parse_address;
use crate::runtime::{Result, Runtime};
use crate::together::{Answer, Offer, role_from};
use crate::{config, known};
use codesync_api::{ApiError, AskAnswer, ErrorCode, Reply};
use codesync_auth::{Act, Other, Place};
use codesync_base::Role;
use codesync_engine::Now;

impl Runtime {
    pub(in crate::runtime) fn invite(
        &mut self,
        role: codesync_api::Role,
        is_long: bool,
        share_past: bool,
        now: Now,
    ) -> Result<Reply> {
        self.share()?;
        let mut place = self.place(role_from(role));
        if !share_past {
            place.share_from = self.engine.checkpoint()?;
            // Whoever comes in finds it here.
            self.commit(now)?;
        }
        self.people.host.invite(place, is_long, now.ms);
        let shown = self.invitation_shown();
        shown.map(Reply::Invitation).ok_or_else(|| ApiError::new(ErrorCode::Internal, "No invitation came about."))
    }

    /// Others on the network see that this workspace is shared, and may ask to come in.
    pub(in crate::runtime) fn share(&mut self) -> Result<Reply> {
        self.engine.may(Act::Govern)?;
        self.come_back()?;
        self.take_part()?;
        (self.people.host.is_shared, self.people.is_stale) = (true, true);
        self.note_looked_at();
        if let Some(net) = self.net() {
            net.look();
        }
        Ok(Reply::Done)
    }

    /// What a newcomer is told of this workspace.
    pub(super) fn place(&self, role: Role) -> Place {
        let founder = self.engine.access().map_or(self.engine.device(), codesync_auth::Access::founder);
        Place {
            project: self.engine.project(),
            name: self.workspace_name(),
            founder,
            role,
            share_from: self.engine.share_all(),
        }
    }

    pub(super) fn workspace_name(&self) -> String {
        self.root.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// Lets somebody in who asked, durably: what they are told then.
    pub(super) fn let_in(&mut self, other: &Other, offer: Offer, now: Now) -> Result<Place> {
        let mut place = self.place(offer.role);
        if !offer.share_past {
            place.share_from = self.engine.share_from_now(&other.device)?;
        }
        self.grant(other, &place, now)?;
        Ok(place)
    }

    /// Lets a device in, durably.
    pub(super) fn grant(&mut self, other: &Other, place: &Place, now: Now) -> Result<()> {
        self.engine.grant(other.device, &other.about.person, place.role, place.share_from, now)?;
        self.commit(now)?;
        tracing::info!(person = other.about.person, "somebody was let in");
        Ok(())
    }

    pub(super) fn remember(&mut self, other: &Other, now: Now) {
        self.people.last_seen.insert(other.device, now.ms);
        if let Err(error) = known::remember(other, u32::from(self.engine.color_of(&other.device)), now.ms) {
            tracing::warn!(%error, "somebody who was let in is not remembered");
        }
    }

    pub(in crate::runtime) fn answer_ask(&mut self, id: u64, answer: AskAnswer, now: Now) -> Result<Reply> {
        let gone = || ApiError::new(ErrorCode::NotFound, "They don't ask any more.");
        let key = config::device_key()?;
        let other = self.people.host.who_asks(id, now.ms).ok_or_else(gone)?;
        self.people.is_stale = true;
        let place;
        let said = match answer {
            AskAnswer::NotNow => Answer::NotNow,
            AskAnswer::WordsDiffer => Answer::WordsDiffer,
            AskAnswer::LetIn { role, share_past, .. } => {
                place = self.let_in(&other, Offer { role: role_from(role), share_past }, now)?;
                if let Some(together) = &mut self.people.together {
                    together.cards_mut().note_let_in(&other.device);
                }
                Answer::LetIn(&place)
            }
        };
        if !self.people.host.answer(id, said, &key, now.ms) {
            return Err(gone());
        }
        if matches!(answer, AskAnswer::LetIn { remember: true, .. }) {
            self.remember(&other, now);
        }
        Ok(Reply::Done)
    }

    pub(in crate::runtime) fn end_invitation(&mut self) -> Result<Reply> {
        self.people.host.end_invitation();
        self.people.is_stale = true;
        Ok(Reply::Done)
    }

    pub(in crate::runtime) fn set_role(&mut self, device: &str, role: codesync_api::Role, now: Now) -> Result<Reply> {
        let device = parse_device(device)?;
        self.engine.change_role(device, role_from(role), now)?;
        self.take_back_invitation(&device);
        Ok(Reply::Done)
    }

    pub(in crate::runtime) fn remove_member(&mut self, device: &str, now: Now) -> Result<Reply> {
        let device = parse_device(device)?;
        self.engine.remove_member(device, now)?;
        self.take_back_invitation(&device);
        Ok(Reply::Done)
    }

    pub(in crate::runtime) fn connect_to(&mut self, address: &str) -> Result<Reply> {
        let address = parse_address(address)?;
        self.come_back()?;
        self.take_part()?;
        if let Some(net) = self.net() {
            net.keep(address);
        }
        Ok(Reply::Done)
    }
}
