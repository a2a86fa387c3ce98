//! What others on the network see of this workspace before they are let in, and asking somebody in who is nearby.

use crate::lobby::parse_peer;
use crate::runtime::{Result, Runtime};
use crate::together::{Mine, Offer, Shown, role_from};
use crate::{config, copies, known};
use codesync_api::Reply;
use codesync_auth::{About, Act, Shared};
use codesync_base::DeviceId;
use std::collections::BTreeSet;

impl Runtime {
    /// The settings changed.
    pub(in crate::runtime) fn read_visibility(&mut self) {
        self.people.seen.read_again();
        self.people.is_stale = true;
        // Alone nothing else would tell that one has another colour.
        self.tell_people();
    }

    /// Somebody deals with people here: for a while all may see that this is shared.
    pub(super) fn note_looked_at(&mut self) {
        self.people.seen.look();
        self.people.is_stale = true;
    }

    /// Shows others what is shared here, as far as they may see it.
    pub(super) fn show_card(&mut self) {
        let shown = self.people.seen.shown();
        // Only who may let others in can be asked.
        let is_open = self.people.host.is_shared && self.engine.may(Act::Govern).is_ok();
        let shares = is_open.then(|| Shared::new(&self.engine.project(), &self.workspace_name(), self.n_people()));
        let about = About::new(&self.person_here(), &config::device_name());
        let Some(together) = &mut self.people.together else { return };
        let cards = together.cards_mut();
        let mine = Mine { about, shares, shown, ..cards.mine().clone() };
        cards.show(mine);
        if shown == Shown::Known {
            cards.recognise(&known::read());
        }
    }

    /// This device has a copy of this workspace: it is recognised on the network.
    pub(super) fn note_copy(&self) {
        copies::note(&self.engine.project(), &self.root);
    }

    /// The rights of a device were changed: that it was asked in by name counts no more.
    pub(super) fn take_back_invitation(&mut self, device: &DeviceId) {
        if let Some(together) = &mut self.people.together {
            together.cards_mut().take_back(device);
        }
    }

    fn n_people(&self) -> u32 {
        let members = self.engine.members();
        let taking_part = members.iter().filter(|member| member.role.is_some());
        let people: BTreeSet<_> = taking_part.map(|member| member.person.clone().unwrap_or_default()).collect();
        people.len().max(1) as u32
    }

    /// Asks somebody in who is nearby: their lobby shows it. Whoever is remembered is let in once they say yes; with
    /// others the words are compared as ever.
    pub(in crate::runtime) fn invite_nearby(
        &mut self,
        peer: &str,
        role: codesync_api::Role,
        share_past: bool,
    ) -> Result<Reply> {
        let (peer, offer) = (parse_peer(peer)?, Offer { role: role_from(role), share_past });
        self.share()?;
        let Some(together) = &mut self.people.together else { return Ok(Reply::Done) };
        let cards = together.cards_mut();
        let mut mine = cards.mine().clone();
        match cards.all().find(|(known, _)| *known == peer).map(|(_, card)| card.device) {
            Some(device) => drop(mine.invited.insert(device, offer)),
            None => drop(mine.invited_peers.insert(peer, offer)),
        }
        cards.show(mine);
        self.note_looked_at();
        Ok(Reply::Done)
    }
}
