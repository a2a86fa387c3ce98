//! What the engine thread does about other people: its part in the network, letting them in, and saying who is there.

use super::{Message, Result, Runtime, Size, now};
use crate::join::{Welcome, no_network, parse_address};
use crate::together::{Host, Step, Together, random, role_from, role_of};
use crate::{STORE_FOLDER, config};
use codesync_api::{ApiError, ErrorCode, Event, Invitation, InvitationState, LinkState, Member, Reply};
use codesync_auth::{About, Act, Place};
use codesync_base::{DeviceId, ShareFrom};
use codesync_engine::{LinkOutput, Now};
use codesync_net::{Config, Event as NetEvent, Net, StreamId};
use codesync_sync::{Event as LinkEvent, LinkId};
use std::collections::BTreeMap;
use std::time::Duration;

/// The people of a workspace, as far as the node knows them.
#[derive(Default)]
pub(crate) struct People {
    together: Option<Together>,
    host: Host,
    /// Members that a link leads to.
    linked: BTreeMap<LinkId, Linked>,
    /// What was told last.
    told: codesync_api::Together,
    /// The folder waits until this device may edit.
    leaves_folder: bool,
}

struct Linked {
    device: DeviceId,
    receive_left: u64,
    send_left: u64,
}

impl People {
    pub fn patience(&self, engine: &codesync_engine::Engine) -> Option<Duration> {
        self.together.as_ref()?.patience(engine)
    }
}

impl Runtime {
    /// From here on rights count, if others take part in this workspace. A node that stays takes part in the network.
    pub(super) fn meet_people(&mut self) -> Result<()> {
        let welcome = Welcome::read(&self.root.join(STORE_FOLDER));
        if !self.engine.is_shared() && welcome.is_none() {
            return Ok(());
        }
        self.engine.uphold_rights(welcome.as_ref().map(|welcome| welcome.founder))?;
        if self.inbox.is_some()
            && let Err(error) = self.take_part(welcome)
        {
            // Alone it works as well.
            tracing::warn!(%error, "others can't be reached");
        }
        Ok(())
    }

    /// Whether changes of the folder may become edits. What a viewer, or one whose history is not here yet, changes there
    /// stays as it is.
    pub(super) fn may_take_in(&mut self) -> bool {
        let may = self.engine.may(Act::Edit).is_ok();
        self.people.leaves_folder |= !may;
        may
    }

    fn take_part(&mut self, welcome: Option<Welcome>) -> Result<()> {
        if self.people.together.is_some() {
            return Ok(());
        }
        let Some(inbox) = self.inbox.clone() else {
            let sentence = "This needs a CodeSync that stays: the window, or “codesync serve”.";
            return Err(ApiError::new(ErrorCode::Invalid, sentence));
        };
        self.commit(now())?;
        self.engine.uphold_rights(welcome.as_ref().map(|welcome| welcome.founder))?;
        let config = Config { port: config::port(), ..Config::new(random()) };
        // The thread ends with the workspace.
        let hand_over = move |event| inbox.send(Message::Net(event)).unwrap_or_default();
        let host = welcome.as_ref().map(|welcome| welcome.host);
        let together = Together::start(config, &mut self.engine, config::device_key()?, host, hand_over);
        let together = together.map_err(no_network)?;
        if let Some(address) = welcome.and_then(|welcome| welcome.address) {
            together.net().keep(parse_address(&address)?);
        }
        self.people.together = Some(together);
        Ok(())
    }

    pub(super) fn handle_net(&mut self, event: NetEvent, now: Now) {
        let Some(mut together) = self.people.together.take() else { return };
        match event {
            NetEvent::Frame { stream, frame } if !together.is_link(stream) => {
                self.handle_guest(&together, stream, &frame.bytes, now);
            }
            NetEvent::Closed(stream) if !together.is_link(stream) => self.people.host.closed(stream),
            event => {
                if let Some(stream) = together.handle(event, &mut self.engine, now.ms) {
                    self.people.host.take(stream);
                }
            }
        }
        self.people.together = Some(together);
    }

    fn handle_guest(&mut self, together: &Together, stream: StreamId, bytes: &[u8], now: Now) {
        let about = About::new(&self.person_here(), &config::device_name());
        let step = self.people.host.handle(stream, bytes, together.net().peer(), together.key(), &about, now.ms);
        let Step::Proved { stream, other, place } = step else { return };
        let granted = self
            .engine
            .grant(other.device, &other.about.person, place.role, place.share_from, now)
            .and_then(|()| self.commit(now));
        match granted {
            Ok(()) => {
                tracing::info!(person = other.about.person, "somebody was let in");
                self.people.host.let_in(stream);
            }
            Err(error) => {
                tracing::warn!(%error, "nobody can be let in now");
                self.people.host.closed(stream);
            }
        }
    }

    /// After a commit: what became durable goes out, and so does all that waits.
    pub(super) fn talk(&mut self, is_committed: bool, now: Now) {
        let Some(mut together) = self.people.together.take() else { return };
        let moment = together.moment(now.ms);
        if is_committed {
            self.engine.pass_on(moment);
        }
        together.tend(&mut self.engine, now.ms);
        for (id, output) in together.carry_out(&mut self.engine) {
            self.note_link(id, output);
        }
        self.people.linked.retain(|id, _| together.is_link(StreamId(id.0)));
        self.people.together = Some(together);
        if self.people.leaves_folder && self.engine.may(Act::Edit).is_ok() {
            self.people.leaves_folder = false;
            if let Err(error) = self.bridge.look_soon(&mut self.engine, None, Size::Few, now) {
                tracing::warn!(%error, "the folder could not be looked at");
            }
        }
        self.tell_people();
    }

    fn note_link(&mut self, id: LinkId, output: LinkOutput) {
        match output {
            LinkOutput::Admitted(device) => {
                self.people.linked.insert(id, Linked { device, receive_left: 0, send_left: 0 });
            }
            LinkOutput::Tell(LinkEvent::Progress { receive_left, send_left }) => {
                if let Some(linked) = self.people.linked.get_mut(&id) {
                    (linked.receive_left, linked.send_left) = (receive_left, send_left);
                }
            }
            LinkOutput::Tell(event) => tracing::debug!(?event, "a link"),
            LinkOutput::OwnLogElsewhere => {
                tracing::warn!("another computer has changes of this one that are not here: a copy was put back");
            }
            // Shown by the window once it shows others.
            LinkOutput::Snapshot(_) | LinkOutput::Send(_) | LinkOutput::Close => {}
        }
    }

    fn tell_people(&mut self) {
        let news = self.together();
        if news != self.people.told {
            self.people.told = news.clone();
            for subscriber in &self.subscribers {
                // One who does not read is let go at the next event.
                subscriber.try_send(Event::Together(news.clone())).unwrap_or_default();
            }
        }
    }

    /// Who takes part, and how far the peers are.
    pub(super) fn together(&self) -> codesync_api::Together {
        let others: Vec<&Linked> = self.people.linked.values().collect();
        let n_left: u64 = others.iter().map(|linked| linked.receive_left + linked.send_left).sum();
        let members = self.members_shown();
        let link = match (members.len(), others.len()) {
            (..=1, 0) => LinkState::Alone,
            (_, 0) => LinkState::Offline,
            (_, n) if n_left == 0 => LinkState::Live { n_others: n as u32 },
            _ => LinkState::CatchingUp { n_left },
        };
        let together = self.people.together.as_ref();
        let is_elsewhere = |socket: &&std::net::SocketAddr| !socket.ip().is_loopback();
        let mut addresses: Vec<String> = together
            .map(|together| together.addresses().iter().filter(is_elsewhere).map(ToString::to_string).collect())
            .unwrap_or_default();
        addresses.dedup();
        codesync_api::Together { members, link, invitation: self.invitation_shown(), asking: Vec::new(), addresses }
    }

    fn members_shown(&self) -> Vec<Member> {
        let own = self.engine.device();
        let mut members: Vec<Member> = Vec::new();
        for membership in self.engine.members() {
            let linked = self.people.linked.iter().find(|(_, linked)| linked.device == membership.device);
            let way = linked.and_then(|(id, _)| self.people.together.as_ref()?.way_to(*id));
            let named = self.engine.person_at(&membership.device).map(str::to_owned);
            members.push(Member {
                device: membership.device.to_string(),
                person: named.or(membership.person).unwrap_or_else(|| "Somebody".into()),
                role: membership.role.map(role_of),
                is_self: membership.device == own,
                is_connected: linked.is_some(),
                address: way.map(|(address, _)| address.to_string()),
                round_trip_us: way.and_then(|(_, time)| time).map(|time| time.as_micros() as u32),
                n_behind: linked.map_or(0, |(_, linked)| linked.send_left),
                device_name: None,
                color: 0,
                last_seen_ms: None,
            });
        }
        if members.is_empty() {
            members.push(Member {
                device: own.to_string(),
                person: self.person_here(),
                role: Some(codesync_api::Role::Owner),
                is_self: true,
                is_connected: false,
                address: None,
                round_trip_us: None,
                n_behind: 0,
                device_name: None,
                color: 0,
                last_seen_ms: None,
            });
        }
        members.sort_by(|a, b| (!a.is_self, &a.person, &a.device).cmp(&(!b.is_self, &b.person, &b.device)));
        members
    }

    fn invitation_shown(&self) -> Option<Invitation> {
        let invitation = self.people.host.invitation.as_ref()?;
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
            state,
        })
    }

    pub(super) fn invite(&mut self, role: codesync_api::Role, is_long: bool, now: Now) -> Result<Reply> {
        self.engine.may(Act::Govern)?;
        self.take_part(None)?;
        let founder = self.engine.access().map_or(self.engine.device(), codesync_auth::Access::founder);
        let name = self.root.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let place =
            Place { project: self.engine.project(), name, founder, role: role_from(role), share_from: ShareFrom::Past };
        self.people.host.invite(place, is_long, now.ms);
        if let Some(net) = self.net() {
            net.look();
        }
        let shown = self.invitation_shown();
        shown.map(Reply::Invitation).ok_or_else(|| ApiError::new(ErrorCode::Internal, "No invitation came about."))
    }

    pub(super) fn end_invitation(&mut self) -> Result<Reply> {
        self.people.host.invitation = None;
        Ok(Reply::Done)
    }

    pub(super) fn set_role(&mut self, device: &str, role: codesync_api::Role, now: Now) -> Result<Reply> {
        self.engine.change_role(parse_device(device)?, role_from(role), now).map(|()| Reply::Done)
    }

    pub(super) fn remove_member(&mut self, device: &str, now: Now) -> Result<Reply> {
        self.engine.remove_member(parse_device(device)?, now).map(|()| Reply::Done)
    }

    pub(super) fn connect_to(&mut self, address: &str) -> Result<Reply> {
        let address = parse_address(address)?;
        self.take_part(Welcome::read(&self.root.join(STORE_FOLDER)))?;
        if let Some(net) = self.net() {
            net.keep(address);
        }
        Ok(Reply::Done)
    }

    fn net(&self) -> Option<&Net> {
        self.people.together.as_ref().map(Together::net)
    }

    fn person_here(&self) -> String {
        self.person.clone().unwrap_or_else(config::person_name)
    }
}

fn parse_device(text: &str) -> Result<DeviceId> {
    text.parse().map_err(|_| ApiError::new(ErrorCode::Invalid, "That names no member."))
}
