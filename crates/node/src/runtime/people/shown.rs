//! Who takes part and how far the peers are, as clients are told it.

use super::{Linked, parse_device};
use crate::runtime::{Runtime, now};
use crate::together::role_of;
use crate::{config, known};
use codesync_api::{Event, Invitation, InvitationState, LinkState, Member};
use codesync_base::DeviceId;
use std::cell::LazyCell;
use std::net::IpAddr;
use std::time::Instant;

impl Runtime {
    pub(super) fn tell_people(&mut self) {
        let news = if self.people.take_stale() {
            self.show_card();
            self.note_addresses();
            self.together()
        } else if self.people.behind_at.take_if(|at| *at <= Instant::now()).is_some() {
            self.with_more_behind()
        } else {
            return;
        };
        self.people.n_deltas_told = self.engine.log().n_deltas();
        if news != self.people.told {
            self.people.told = news.clone();
            self.tell_all(&Event::Together(news));
        }
    }

    /// What was told, after work that went on here: it changes nothing but how far those are behind who are not here.
    fn with_more_behind(&self) -> codesync_api::Together {
        let mut news = self.people.told.clone();
        for member in news.members.iter_mut().filter(|member| !member.is_self && !member.is_connected) {
            if let Ok(device) = parse_device(&member.device) {
                member.n_behind = self.n_behind(&device);
            }
        }
        news
    }

    /// Whoever left waits for nothing.
    fn n_behind(&self, device: &DeviceId) -> u64 {
        if self.people.left.contains_key(device) { 0 } else { self.engine.n_behind(device) }
    }

    /// Who takes part, and how far the peers are.
    pub(in crate::runtime) fn together(&self) -> codesync_api::Together {
        let others: Vec<&Linked> = self.people.linked.values().filter(|linked| linked.has_answered).collect();
        let n_left: u64 = others.iter().map(|linked| linked.receive_left + linked.send_left).sum();
        let members = self.members_shown();
        let own_role = members.iter().find(|member| member.is_self).and_then(|member| member.role);
        let trouble = self.people.trouble.clone().filter(|_| others.is_empty());
        let link = match (members.len(), others.len()) {
            (..=1, 0) => LinkState::Alone,
            _ if own_role.is_none() => self.removed(),
            _ if self.people.has_left => LinkState::Left,
            _ if self.people.is_paused => LinkState::Paused,
            _ if trouble.is_some() => {
                let (id, sentence) = trouble.unwrap_or_default();
                LinkState::NeedsYou { id, sentence }
            }
            (_, 0) => LinkState::Offline,
            (_, n) if n_left == 0 => LinkState::Live { n_others: n as u32 },
            _ => LinkState::CatchingUp { n_left, n_all: self.people.n_catching.max(n_left) },
        };
        let together = self.people.together.as_ref();
        let mut addresses: Vec<String> = Vec::new();
        for socket in together.map(|together| together.addresses()).unwrap_or_default() {
            let address = socket.to_string();
            if is_for_others(&socket.ip()) && !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        codesync_api::Together {
            members,
            link,
            invitation: self.invitation_shown(),
            asking: self.people.host.asking(),
            addresses,
            removed_by: self.removed_by(),
        }
    }

    /// Who took this device out, if anybody did and their name is known.
    fn removed_by(&self) -> Option<String> {
        let own = self.engine.access()?.membership(&self.engine.device())?;
        let by = own.by.filter(|_| own.role.is_none())?;
        self.engine.person_at(&by).map(str::to_owned)
    }

    /// MSG-PEER-1.
    fn removed(&self) -> LinkState {
        let by = self.removed_by().unwrap_or_else(|| "An owner".into());
        let name = self.workspace_name();
        LinkState::NeedsYou {
            id: "MSG-PEER-1".into(),
            sentence: format!("{by} removed you from “{name}”. You keep the copy you have; it no longer syncs."),
        }
    }

    fn members_shown(&self) -> Vec<Member> {
        let own = self.engine.device();
        // The history knows the name of a computer that once was at work.
        let known = LazyCell::new(known::read);
        let mut members: Vec<Member> = Vec::new();
        for membership in self.engine.members() {
            let device = membership.device;
            let is_it = |linked: &Linked| linked.device == device && linked.has_answered;
            let linked = self.people.linked.iter().find(|(_, linked)| is_it(linked));
            let way = linked.and_then(|(id, _)| self.people.together.as_ref()?.way_to(*id));
            let named = self.engine.person_at(&device).map(str::to_owned);
            let remembered = || known.all().iter().find(|known| known.device == device);
            let said = self.engine.device_name_at(&device).map(str::to_owned);
            let device_name = said.or_else(|| remembered().map(|known| known.device_name.clone()));
            let last_seen_ms = self.people.last_seen.get(&device).copied();
            members.push(Member {
                device: device.to_string(),
                person: named.or(membership.person).unwrap_or_else(|| "Somebody".into()),
                device_name: if device == own { Some(config::device_name()) } else { device_name },
                color: self.engine.color_of(&device),
                role: membership.role.map(role_of),
                is_self: device == own,
                is_connected: linked.is_some(),
                address: way.map(|(address, _)| address.to_string()),
                round_trip_us: way.and_then(|(_, time)| time).map(|time| time.as_micros() as u32),
                n_behind: linked.map_or_else(|| self.n_behind(&device), |(_, linked)| linked.send_left),
                last_seen_ms: last_seen_ms.filter(|_| linked.is_none() && device != own),
                left_ms: self.people.left.get(&device).copied(),
                other_version: linked.and_then(|(_, linked)| linked.other_version.clone()),
            });
        }
        if members.is_empty() {
            members.push(self.alone());
        }
        members.sort_by(|a, b| (!a.is_self, &a.person, &a.device).cmp(&(!b.is_self, &b.person, &b.device)));
        members
    }

    /// Oneself in a workspace that nobody was let into yet.
    fn alone(&self) -> Member {
        let own = self.engine.device();
        Member {
            device: own.to_string(),
            person: self.person_here(),
            device_name: Some(config::device_name()),
            color: self.engine.color_of(&own),
            role: Some(codesync_api::Role::Owner),
            is_self: true,
            is_connected: false,
            address: None,
            round_trip_us: None,
            n_behind: 0,
            last_seen_ms: None,
            left_ms: None,
            other_version: None,
        }
    }

    pub(super) fn invitation_shown(&self) -> Option<Invitation> {
        let invitation = self.people.host.invitation()?;
        let state = match invitation.state(now().ms) {
            codesync_auth::InvitationState::Open => InvitationState::Open,
            codesync_auth::InvitationState::Used => InvitationState::Used,
            codesync_auth::InvitationState::SwitchedOff => InvitationState::SwitchedOff,
            codesync_auth::InvitationState::RunOut => InvitationState::RunOut,
        };
        Some(Invitation {
            code: invitation.code().to_string(),
            role: role_of(invitation.place().role),
            until_ms: invitation.until_ms(),
            n_wrong: invitation.n_wrong(),
            wrong_from: self.people.host.wrong_from.clone(),
            state,
        })
    }
}

/// Whether an address is worth telling somebody: not this computer's own, and not one that needs an interface's name.
fn is_for_others(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !address.is_loopback() && !address.is_link_local(),
        IpAddr::V6(address) => !address.is_loopback() && !address.is_unicast_link_local(),
    }
}
