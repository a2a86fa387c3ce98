//! Letting others in: by a code that they know, or because they ask and the persons compare two words. The protocols are
//! `auth`'s; here is only what they need of the world.

use crate::{config, known};
use codesync_api::Asking;
use codesync_auth::{
    About, AskHost, AskHostEvent, Code, CodeHost, CodeHostEvent, CodeLength, Connection, DeviceKey, Invitation, Other,
    Place,
};
use codesync_base::{DeviceId, Role};
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
    pub invitation: Option<Invitation>,
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
    pub invited: &'a BTreeMap<DeviceId, Role>,
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
        role: Role,
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
        self.wrong_from = None;
        self.has_run_out = false;
        self.is_shared = true;
        self.invitation.insert(Invitation::new(Code::draw(length, &random()), place, now_ms))
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
            Some(role) => Step::Expected { id: id.0, other, role },
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

    /// Who it is that waits for an answer under this id.
    pub fn who_asks(&self, id: u64) -> Option<Other> {
        self.asked().find(|(_, asked)| asked.shown.id == id).map(|(_, asked)| asked.other.clone())
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
        let late: Vec<StreamId> =
            self.asked().filter(|(_, asked)| asked.shown.until_ms <= now_ms).map(|(id, _)| id).collect();
        late.iter().for_each(|id| drop(self.guests.remove(id)));
        // Silent ones would keep the door shut for all who come after them.
        self.guests.retain(|_, guest| matches!(guest.talk, Talk::Asked(..)) || guest.since.elapsed() < TALK_WAIT);
        let has_run_out = self.invitation.as_ref().is_some_and(|invitation| invitation.until_ms() <= now_ms);
        let is_news = has_run_out && !std::mem::replace(&mut self.has_run_out, has_run_out);
        is_news || !late.is_empty()
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
mod tests {
    use super::*;
    use codesync_net::Protocol;

    fn take(host: &mut Host, n: u8, last: u8) {
        let stream = Stream::loose(StreamId(u64::from(n)), Peer([n; 32]), Protocol::Pair);
        host.take(stream, Some(IpAddr::from([10, 0, 0, last])));
    }

    fn guests(host: &Host) -> Vec<u64> {
        host.guests.keys().map(|id| id.0).collect()
    }

    #[test]
    fn silent_guests_from_one_address_keep_nobody_out() {
        let mut host = Host::default();
        take(&mut host, 0, 1);
        (1..100).for_each(|n| take(&mut host, n, 9));
        take(&mut host, 100, 2);
        assert_eq!(host.guests.len(), GUESTS_MAX);
        assert!([0, 99, 100].iter().all(|id| guests(&host).contains(id)), "{:?}", guests(&host));
    }

    #[test]
    fn a_peer_has_one_talk() {
        let mut host = Host::default();
        take(&mut host, 1, 1);
        for n in 10..20 {
            host.take(Stream::loose(StreamId(n), Peer([2; 32]), Protocol::Pair), None);
        }
        assert_eq!(guests(&host), [1, 19]);
    }

    fn take_who_asks(host: &mut Host, n: u8, last: u8) {
        take(host, n, last);
        let about = About::new("Bo", "laptop");
        let connection = Connection { host_peer: [200; 32], guest_peer: [n; 32] };
        let talk = AskHost::new(connection, about.clone(), [201; 32], 0);
        let shown = Asking {
            id: u64::from(n),
            person: "Bo".into(),
            device_name: "laptop".into(),
            address: String::new(),
            words: ["lemon".into(), "harbor".into()],
            until_ms: talk.until_ms(),
            acquaintance: codesync_api::Acquaintance::New,
        };
        let other = Other { device: DeviceKey::from_seed(&[n; 32]).device(), about };
        let guest = host.guests.get_mut(&StreamId(u64::from(n))).expect("it was taken");
        guest.talk = Talk::Asked(Box::new(talk), Box::new(Asked { other, shown }));
    }

    #[test]
    fn those_at_one_address_are_not_all_who_may_ask_and_who_asks_gives_way_to_nobody() {
        let (mut host, at) = (Host::default(), |last: u8| Some(IpAddr::from([10, 0, 0, last])));
        (1..=2).for_each(|n| take_who_asks(&mut host, n, 9));
        assert!(!host.may_ask(at(9)) && host.may_ask(at(1)));
        (3..=4).for_each(|n| take_who_asks(&mut host, n, n));
        assert!(!host.may_ask(at(1)));
        (10..100).for_each(|n| take(&mut host, n, n));
        assert_eq!((host.asking().len(), host.guests.len()), (4, GUESTS_MAX));
    }
}
