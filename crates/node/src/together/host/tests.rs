//! Guests over a real connection, on loopback, and who of many stays.
#![allow(clippy::unwrap_used)]

use super::*;
use codesync_auth::{Closed, CodeGuest, CodeGuestEvent, Failure};
use codesync_base::{ProjectId, Role, ShareFrom};
use codesync_net::{Address, Config, Event, Net, Protocol};
use std::sync::mpsc::{Receiver, channel};

const NOW_MS: u64 = 1_790_000_000_000;

struct End {
    net: Net,
    events: Receiver<Event>,
    key: DeviceKey,
}

impl End {
    fn start(seed: u8) -> Self {
        let (sender, events) = channel();
        let config = Config { port: 0, visible: false, ..Config::new([seed; 32]) };
        let net = Net::start(config, move |event| sender.send(event).unwrap_or_default()).unwrap();
        Self { net, events, key: DeviceKey::from_seed(&[seed; 32]) }
    }

    /// The next thing that is of interest, within seconds.
    fn wait<T>(&self, mut pick: impl FnMut(Event) -> Option<T>) -> T {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if let Some(picked) = pick(self.events.recv_timeout(left).expect("it happens within seconds")) {
                return picked;
            }
        }
    }

    fn opened(&self) -> Stream {
        self.wait(|event| if let Event::Opened(stream) = event { Some(stream) } else { None })
    }

    fn received(&self) -> Vec<u8> {
        self.wait(|event| if let Event::Frame { frame, .. } = event { Some(frame.bytes) } else { None })
    }
}

/// Stream of a guest: at the host, and at the guest.
fn streams(asha: &End, bo: &End) -> (Stream, Stream) {
    let address = asha.wait(|event| match event {
        Event::Listening(address) if address.ip().is_loopback() && address.is_ipv4() => Some(address),
        _ => None,
    });
    bo.net.dial(Address::from(address));
    bo.wait(|event| matches!(event, Event::Connected { .. }).then_some(()));
    bo.net.open(asha.net.peer(), Protocol::Pair);
    (asha.opened(), bo.opened())
}

fn place(role: Role) -> Place {
    let founder = DeviceKey::from_seed(&[1; 32]).device();
    Place { project: ProjectId([5; 16]), name: "lab".into(), founder, role, share_from: ShareFrom::Past }
}

/// A guest that knows the code has knocked; then the code ends. What it says next, with the right words, opens nothing.
fn knocks_for_what_ends(end: fn(&mut Host)) {
    let (asha, bo) = (End::start(1), End::start(2));
    let (at_asha, _at_bo) = streams(&asha, &bo);
    let (id, about, invited) = (at_asha.id, About::new("Asha", "desk"), BTreeMap::new());
    let scene = Scene { own: asha.net.peer(), key: &asha.key, about: &about, invited: &invited, now_ms: NOW_MS };
    let mut host = Host::default();
    let code = host.invite(place(Role::Editor), false, NOW_MS).code().clone();
    host.take(at_asha, None);
    let connection = Connection { host_peer: asha.net.peer().0, guest_peer: bo.net.peer().0 };
    let (mut guest, knock) = CodeGuest::start(code, connection, &bo.key, &About::new("Bo", "laptop"), [2; 32]);
    host.handle(id, &knock, &scene);
    let attempt = guest.handle(&bo.key, &bo.received()).send.unwrap();
    end(&mut host);
    let told = guest.handle(&bo.key, &bo.received()).event;
    assert_eq!(told, Some(CodeGuestEvent::Failed(Failure::Closed(Closed::NoCode))));
    assert!(matches!(host.handle(id, &attempt, &scene), Step::Nothing) && host.guests.is_empty());
    assert!(host.invitation().is_none_or(|next| next.n_wrong() == 0));
}

#[test]
fn who_knocked_for_a_code_does_not_come_in_with_the_next() {
    knocks_for_what_ends(|host| {
        host.invite(place(Role::Viewer), false, NOW_MS);
    });
}

#[test]
fn who_knocked_for_a_code_that_was_ended_hears_so() {
    knocks_for_what_ends(Host::end_invitation);
}

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
    asks(host, n);
}

fn asks(host: &mut Host, n: u8) {
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
fn who_is_gone_or_waited_in_vain_asks_no_longer() {
    let (asha, bo) = (End::start(3), End::start(4));
    let (at_asha, at_bo) = streams(&asha, &bo);
    let (mut host, id) = (Host::default(), at_asha.id);
    assert_eq!(id, StreamId(1));
    host.take(at_asha, None);
    asks(&mut host, 1);
    assert!(host.who_asks(1, 0).is_some() && host.who_asks(1, codesync_auth::ASK_MS).is_none());
    drop(at_bo);
    asha.wait(|event| matches!(event, Event::Closed(closed) if closed == id).then_some(()));
    assert!(host.who_asks(1, 0).is_none());
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
