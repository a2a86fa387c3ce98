//! Letting others in: by a code that they know, or because they ask and the persons compare two words. The protocols are
//! `auth`'s; here is only what they need of the world.

use super::cards::Offer;
use crate::{config, known};
use codesync_api::Asking;
use codesync_auth::{
    About, AskHost, AskHostEvent, Code, CodeHost, CodeHostEvent, CodeLength, Connection, DeviceKey, Invitation,
    InvitationState, Other, Place,
};
use codesync_base::DeviceId;
use codesync_net::{Peer, Stream, StreamId, gives_way};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Guests that are looked at at a time. A peer is one of them.
const GUESTS_MAX: usize = 16;
/// People who are shown as asking at a time, and those at one address.
const ASKING_MAX: usize = 4;
const ASKING_PER_ADDRESS_MAX: usize = 2;
/// How long a guest may take until it has shown that it knows the code, or asks.
const TALK_WAIT: Duration = Duration::from_secs(30);

/// How long guests are told that the invitation ran out.
const RUN_OUT_TOLD_MS: u64 = 10 * 60 * 1_000;

#[derive(Default)]
pub(crate) struct Host {
    invitation: Option<Invitation>,
    /// The address of whoever tried the invitation with a wrong word last.
    pub wrong_from: Option<String>,
    /// Others on the network may ask to come in.
    pub is_shared: bool,
    /// That the invitation ran out was told.
    has_run_out: bool,
    guests: BTreeMap<StreamId, Guest>,
}

struct Guest {
    stream: Stream,
    address: Option<IpAddr>,
    talk: Talk,
    since: Instant,
}

enum Talk {
    Fresh,
    Code(Box<CodeHost>),
    Ask(Box<AskHost>),
    Asked(Box<AskHost>, Box<Asked>),
}

/// Somebody waits for an answer.
struct Asked {
    other: Other,
    shown: Asking,
}

/// What the host's end knows of a conversation.
pub(crate) struct Scene<'a> {
    pub own: Peer,
    pub key: &'a DeviceKey,
    pub about: &'a About,
    /// Devices that were asked in by name: once they ask and are known, nobody has to answer.
    pub invited: &'a BTreeMap<DeviceId, Offer>,
    pub now_ms: u64,
}

/// What a guest's frame came to.
pub(crate) enum Step {
    Nothing,
    /// Somebody knows the code: they are to be let in, then [`Host::let_in`] is to be called.
    Proved {
        stream: StreamId,
        other: Other,
        place: Place,
    },
    /// Somebody known asks who was invited: they are to be let in, then [`Host::answer`] is to be called.
    Expected {
        id: u64,
        other: Other,
        offer: Offer,
    },
    /// What is shown of guests or of the invitation is not what it was.
    News,
}

/// What somebody who asked is answered.
#[derive(Clone, Copy)]
pub(crate) enum Answer<'a> {
    /// Yes; the grant is durable.
    LetIn(&'a Place),
    NotNow,
    WordsDiffer,
}

impl Host {
    pub fn invite(&mut self, place: Place, is_long: bool, now_ms: u64) -> &Invitation {
        let length = if is_long { CodeLength::Long } else { CodeLength::Short };
        self.end_invitation();
        self.wrong_from = None;
        self.has_run_out = false;
        self.is_shared = true;
        self.invitation.insert(Invitation::new(Code::draw(length, &random()), place, now_ms))
    }

    pub fn invitation(&self) -> Option<&Invitation> {
        self.invitation.as_ref()
    }

    /// The code is no more. Whoever had knocked for it hears so: the next code is not theirs.
    pub fn end_invitation(&mut self) {
        self.invitation = None;
        let knocked = self.guests.iter().filter(|(_, guest)| matches!(guest.talk, Talk::Code(_)));
        let knocked: Vec<StreamId> = knocked.map(|(id, _)| *id).collect();
        knocked.into_iter().for_each(|id| self.turn_away(id));
    }

    /// Somebody wants to come in. What the same peer began before is over.
    pub fn take(&mut self, stream: Stream, address: Option<IpAddr>) {
        self.guests.retain(|_, guest| guest.stream.peer != stream.peer);
        if self.guests.len() >= GUESTS_MAX {
            // Dropping its stream lets a guest go. Those who wait for an answer are few: they stay.
            let talking = self.guests.iter().filter(|(_, guest)| !matches!(guest.talk, Talk::Asked(..)));
            if let Some(gone) = gives_way(talking.map(|(id, guest)| (guest.address, *id))) {
                self.guests.remove(&gone);
            }
        }
        self.guests.insert(stream.id, Guest { stream, address, talk: Talk::Fresh, since: Instant::now() });
    }

    /// Whether a guest is listened to.
    pub fn has(&self, stream: StreamId) -> bool {
        self.guests.contains_key(&stream)
    }

    /// The part in the network is over, and so is every stream.
    pub fn let_all_go(&mut self) {
        self.guests.clear();
    }

    /// True when it was one who waited for an answer.
    pub fn closed(&mut self, stream: StreamId) -> bool {
        self.guests.remove(&stream).is_some_and(|guest| matches!(guest.talk, Talk::Asked(..)))
    }

    /// Everybody who waits for an answer, oldest first.
    pub fn asking(&self) -> Vec<Asking> {
        let mut asking: Vec<Asking> = self.asked().map(|(_, asked)| asked.shown.clone()).collect();
        asking.sort_by_key(|asking| asking.id);
        asking
    }

    fn asked(&self) -> impl Iterator<Item = (StreamId, &Asked)> {
        self.guests.iter().filter_map(|(id, guest)| match &guest.talk {
            Talk::Asked(_, asked) => Some((*id, asked.as_ref())),
            _ => None,
        })
    }

    /// Whether somebody at this address may be shown as asking, too.
    fn may_ask(&self, address: Option<IpAddr>) -> bool {
        let asking = self.guests.values().filter(|guest| matches!(guest.talk, Talk::Asked(..)));
        let n_there = asking.clone().filter(|guest| guest.address == address).count();
        asking.count() < ASKING_MAX && n_there < ASKING_PER_ADDRESS_MAX
    }

    pub fn handle(&mut self, id: StreamId, bytes: &[u8], scene: &Scene<'_>) -> Step {
        let may_ask = self.is_shared && self.guests.get(&id).is_some_and(|guest| self.may_ask(guest.address));
        let Some(guest) = self.guests.get_mut(&id) else { return Step::Nothing };
        if matches!(guest.talk, Talk::Fresh) {
            let connection = Connection { host_peer: scene.own.0, guest_peer: guest.stream.peer.0 };
            guest.talk = if AskHost::is_for(bytes) {
                if !may_ask {
                    self.turn_away(id);
                    return Step::Nothing;
                }
                Talk::Ask(Box::new(AskHost::new(connection, scene.about.clone(), random(), scene.now_ms)))
            } else {
                Talk::Code(Box::new(CodeHost::new(connection, scene.about.clone(), random())))
            };
        }
        match &guest.talk {
            Talk::Code(_) => self.handle_code(id, bytes, scene),
            _ => self.handle_ask(id, bytes, scene),
        }
    }

    /// Says no more than that it is not possible now.
    fn turn_away(&mut self, id: StreamId) {
        if let Some(guest) = self.guests.remove(&id) {
            guest.stream.send(CodeHost::no_code());
        }
    }

    fn handle_code(&mut self, id: StreamId, bytes: &[u8], scene: &Scene<'_>) -> Step {
        let Some(invitation) = &mut self.invitation else {
            self.turn_away(id);
            return Step::Nothing;
        };
        // Long after it ran out, whoever comes with a code means somebody else's.
        let is_past = invitation.until_ms().saturating_add(RUN_OUT_TOLD_MS) <= scene.now_ms;
        if is_past || CodeHost::channel(bytes).is_some_and(|channel| channel != invitation.code().channel()) {
            self.turn_away(id);
            return Step::Nothing;
        }
        let Some(Guest { stream, address, talk: Talk::Code(talk), .. }) = self.guests.get_mut(&id) else {
            return Step::Nothing;
        };
        let reply = talk.handle(invitation, scene.key, bytes, scene.now_ms);
        let is_sent = reply.send.is_none_or(|bytes| stream.send(bytes));
        let address = *address;
        if reply.is_over || !is_sent {
            self.guests.remove(&id);
        }
        match reply.event {
            Some(CodeHostEvent::Proved { guest, place }) => Step::Proved { stream: id, other: guest, place },
            Some(CodeHostEvent::WrongCode { .. }) => {
                self.wrong_from = address.map(|address| address.to_string());
                Step::News
            }
            Some(CodeHostEvent::Failed(why)) => {
                tracing::debug!(%why, "pairing came to nothing");
                Step::Nothing
            }
            None => Step::Nothing,
        }
    }

    fn handle_ask(&mut self, id: StreamId, bytes: &[u8], scene: &Scene<'_>) -> Step {
        let Some(guest) = self.guests.get_mut(&id) else { return Step::Nothing };
        let (Talk::Ask(talk) | Talk::Asked(talk, _)) = &mut guest.talk else { return Step::Nothing };
        let reply = talk.handle(scene.key, bytes, scene.now_ms);
        let is_sent = reply.send.is_none_or(|bytes| guest.stream.send(bytes));
        match reply.event {
            Some(AskHostEvent::Asked { guest, words }) if is_sent => self.note_asked(id, guest, words, scene),
            event => {
                if let Some(AskHostEvent::Failed(why)) = event {
                    tracing::debug!(%why, "asking came to nothing");
                }
                if reply.is_over || !is_sent {
                    self.closed(id);
                }
                Step::News
            }
        }
    }

    fn note_asked(&mut self, id: StreamId, other: Other, words: [&'static str; 2], scene: &Scene<'_>) -> Step {
        let people = known::read();
        let acquaintance = known::acquaintance(&people, &other);
        let is_known = acquaintance == codesync_api::Acquaintance::Known;
        let expected = scene.invited.get(&other.device).copied().filter(|_| is_known);
        let address = self.guests.get(&id).and_then(|guest| guest.address);
        // Others may have asked while this one took its time.
        if expected.is_none() && !self.may_ask(address) {
            self.turn_away(id);
            return Step::Nothing;
        }
        let Some(guest) = self.guests.get_mut(&id) else { return Step::Nothing };
        let Talk::Ask(talk) = std::mem::replace(&mut guest.talk, Talk::Fresh) else { return Step::Nothing };
        let shown = Asking {
            id: id.0,
            person: other.about.person.clone(),
            device_name: other.about.device_name.clone(),
            address: guest.address.map(|address| address.to_string()).unwrap_or_default(),
            words: words.map(str::to_owned),
            until_ms: talk.until_ms(),
            acquaintance,
        };
        guest.talk = Talk::Asked(talk, Box::new(Asked { other: other.clone(), shown }));
        match expected {
            Some(offer) => Step::Expected { id: id.0, other, offer },
            None => Step::News,
        }
    }

    /// The grant is durable: the guest that knew the code may come in.
    pub fn let_in(&mut self, id: StreamId) {
        let Some(Guest { stream, talk: Talk::Code(talk), .. }) = self.guests.get_mut(&id) else { return };
        if let Some(grant) = talk.grant(&[]) {
            stream.send(grant);
        }
        self.guests.remove(&id);
    }

    /// Who it is that waits for an answer under this id, and hears it.
    pub fn who_asks(&self, id: u64, now_ms: u64) -> Option<Other> {
        let Guest { stream, talk: Talk::Asked(talk, asked), .. } = self.guests.get(&StreamId(id))? else { return None };
        let is_waiting = !talk.is_over(now_ms) && !stream.is_closed();
        is_waiting.then(|| asked.other.clone())
    }

    /// Answers somebody who asked. False when nobody asks any more.
    pub fn answer(&mut self, id: u64, answer: Answer<'_>, key: &DeviceKey, now_ms: u64) -> bool {
        let Some(Guest { stream, talk: Talk::Asked(talk, _), .. }) = self.guests.get_mut(&StreamId(id)) else {
            return false;
        };
        let is_sent = match answer {
            Answer::LetIn(place) => talk.let_in(key, place, &[], now_ms).is_some_and(|bytes| stream.send(bytes)),
            Answer::NotNow => stream.send(talk.decline()),
            Answer::WordsDiffer => stream.send(talk.words_differ()),
        };
        self.guests.remove(&StreamId(id));
        is_sent
    }

    /// Lets those go whom nobody answered in time. True when there were any.
    pub fn tend(&mut self, now_ms: u64) -> bool {
        let n_asking = self.asked().count();
        // Silent ones would keep the door shut for all who come after them.
        self.guests.retain(|_, guest| match &guest.talk {
            Talk::Asked(talk, _) => !talk.is_over(now_ms),
            _ => guest.since.elapsed() < TALK_WAIT,
        });
        let state = self.invitation.as_ref().map(|invitation| invitation.state(now_ms));
        let has_run_out = state == Some(InvitationState::RunOut);
        let is_news = has_run_out && !std::mem::replace(&mut self.has_run_out, has_run_out);
        is_news || self.asked().count() < n_asking
    }

    /// How long nobody has to be let go for being slow.
    pub fn patience(&self) -> Option<Duration> {
        let talking = self.guests.values().filter(|guest| !matches!(guest.talk, Talk::Asked(..)));
        talking.map(|guest| TALK_WAIT.saturating_sub(guest.since.elapsed())).min()
    }

    /// When something of what is shown runs out, Unix milliseconds.
    pub fn due_ms(&self, now_ms: u64) -> Option<u64> {
        let invitation = self.invitation.as_ref().map(Invitation::until_ms).filter(|until_ms| *until_ms > now_ms);
        self.asked().map(|(_, asked)| asked.shown.until_ms).chain(invitation).min()
    }
}

/// Bytes that nobody can guess.
pub(crate) fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    config::fill_random(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests;
