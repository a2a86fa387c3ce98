use super::*;
use futures::channel::oneshot;
use std::ops::Range;
use std::sync::mpsc::{Receiver, channel};

const N_STRANGERS: u8 = 150;

/// A peer that lets no stream go.
fn start(seed: u8) -> (Net, Receiver<Event>) {
    let (sender, events) = channel();
    let config = Config { port: 0, visible: false, ..Config::new([seed; 32]) };
    let streams = Arc::new(std::sync::Mutex::new(Vec::new()));
    let tell = move |event| match event {
        Event::Opened(stream) if stream.protocol == Protocol::Card => streams.lock().unwrap().push(stream),
        event => sender.send(event).unwrap_or_default(),
    };
    (Net::start(config, tell).unwrap(), events)
}

/// The next thing that is of interest, within seconds.
fn wait<T>(events: &Receiver<Event>, mut pick: impl FnMut(Event) -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if let Some(picked) = pick(events.recv_timeout(left).expect("it happens within seconds")) {
            return picked;
        }
    }
}

fn on_loopback(events: &Receiver<Event>) -> SocketAddr {
    wait(events, |event| match event {
        Event::Listening(socket) if socket.ip().is_loopback() && socket.is_ipv4() => Some(socket),
        _ => None,
    })
}

fn is_connected(events: &Receiver<Event>, with: Peer) {
    wait(events, |event| matches!(event, Event::Connected { peer, .. } if peer == with).then_some(()));
}

/// Comes with a stream in which it says nothing, and reads nothing; stays if it may.
async fn come(seed: u8, protocol: Protocol, socket: SocketAddr) {
    let mut swarm = build(Keypair::ed25519_from_bytes([seed; 32]).unwrap()).unwrap();
    swarm.dial(tcp(socket)).unwrap();
    let stream = loop {
        match swarm.select_next_some().await {
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, .. } => {
                swarm.behaviour_mut().opening.open(peer_id, connection_id, protocol);
            }
            SwarmEvent::Behaviour(BehaviourEvent::Opening((_, Opening::Opened(_, _, io)))) => break io,
            SwarmEvent::ConnectionClosed { .. } | SwarmEvent::OutgoingConnectionError { .. } => return,
            _ => {}
        }
    };
    tokio::spawn(async move {
        let _silent = stream;
        loop {
            swarm.select_next_some().await;
        }
    });
}

/// When all have come, they stay until what comes back is dropped.
fn crowd(socket: SocketAddr, seeds: Range<u8>, protocol: Protocol) -> oneshot::Sender<()> {
    let (told, all_came) = channel();
    let (stay, over) = oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for seed in seeds {
                come(seed, protocol, socket).await;
            }
            told.send(()).unwrap();
            over.await.unwrap_or_default();
        });
    });
    all_came.recv_timeout(Duration::from_secs(100)).expect("they come");
    stay
}

#[test]
fn who_is_a_member_or_comes_anew_or_is_called_finds_room_among_silent_strangers() {
    let ((hub, at_hub), (member, _at_member)) = (start(200), start(201));
    let socket = on_loopback(&at_hub);
    member.keep(Address::from(socket));
    is_connected(&at_hub, member.peer());
    hub.set_member(member.peer(), true);
    let _crowd = crowd(socket, 0..N_STRANGERS, Protocol::Card);
    let mut there = BTreeSet::from([member.peer()]);
    for event in at_hub.try_iter() {
        match event {
            Event::Connected { peer, .. } => drop(there.insert(peer)),
            Event::Disconnected(peer) => drop(there.remove(&peer)),
            _ => {}
        }
    }
    assert!(there.contains(&member.peer()) && there.len() == STRANGERS_MAX + 1, "{}", there.len());
    member.disconnect(hub.peer());
    wait(&at_hub, |event| matches!(event, Event::Disconnected(peer) if peer == member.peer()).then_some(()));
    is_connected(&at_hub, member.peer());

    let (newcomer, at_newcomer) = start(202);
    newcomer.dial(Address::from(socket));
    is_connected(&at_hub, newcomer.peer());
    newcomer.open(hub.peer(), Protocol::Sync);
    wait(&at_newcomer, |event| matches!(event, Event::Opened(_)).then_some(()));

    let (called, at_called) = start(203);
    hub.dial(Address::from(on_loopback(&at_called)));
    is_connected(&at_hub, called.peer());
}

#[test]
fn of_too_many_members_those_who_are_not_there_are_forgotten() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _entered = runtime.enter();
    let key = |seed: u8| Keypair::ed25519_from_bytes([seed; 32]).unwrap();
    let id = |seed: u8| key(seed).public().to_peer_id();
    let peer = |seed: u8| peer_of(&id(seed)).unwrap();
    let config = Config::new([200; 32]);
    let mut network = Loop::new(build(key(200)).unwrap(), peer(200), &config, mpsc::channel(1).0, |_| {});
    let (heard, life) = (Instant::now(), watch::channel(()).0);
    let connection = Connection { peer: peer(0), ip: None, is_asked_for: false, heard, life };
    network.connections.insert(ConnectionId::new_unchecked(1), connection);
    for seed in 0..=MEMBERS_MAX as u8 {
        network.set_member(peer(seed), true);
    }
    let is_let_in = |network: &Loop<_>, seed| {
        let limits = &network.swarm.behaviour().limits;
        (network.members.contains(&peer(seed)), limits.is_bypassed(&id(seed)))
    };
    assert_eq!(network.members.len(), MEMBERS_MAX);
    assert_eq!([0, 1, 2].map(|seed| is_let_in(&network, seed)), [(true, true), (false, false), (true, true)]);
    network.set_member(peer(2), false);
    assert_eq!(is_let_in(&network, 2), (false, false));
}

#[test]
fn last_words_get_through_though_the_network_ends() {
    let ((speaker, at_speaker), (listener, at_listener)) = (start(210), start(211));
    speaker.dial(Address::from(on_loopback(&at_listener)));
    is_connected(&at_speaker, listener.peer());
    speaker.open(listener.peer(), Protocol::Sync);
    let opened = |events: &Receiver<Event>| {
        wait(events, |event| match event {
            Event::Opened(stream) => Some(stream),
            _ => None,
        })
    };
    let (stream, heard) = (opened(&at_speaker), opened(&at_listener));
    heard.set_frame_bytes_max(100_000);
    (0..80).for_each(|_| assert!(stream.send(vec![7; 100_000])));
    stream.send(b"goodbye".to_vec());
    speaker.end_after(vec![stream]);
    wait(&at_listener, |event| matches!(event, Event::Frame { frame, .. } if frame.bytes == b"goodbye").then_some(()));
    let there = peer_of(&Keypair::ed25519_from_bytes([210; 32]).unwrap().public().to_peer_id()).unwrap();
    drop(heard);
    wait(&at_listener, |event| matches!(event, Event::Disconnected(peer) if peer == there).then_some(()));
}

#[test]
fn an_address_that_is_kept_is_not_dialled_while_it_stands() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _entered = runtime.enter();
    let key = Keypair::ed25519_from_bytes([200; 32]).unwrap();
    let peer = peer_of(&key.public().to_peer_id()).unwrap();
    let mut network = Loop::new(build(key).unwrap(), peer, &Config::new([200; 32]), mpsc::channel(1).0, |_| {});
    let address = Address::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 9)));
    let mut n_dials_when = |peer: Option<Peer>, is_dialling| {
        if let Some(kept) = network.kept.get_mut(&address) {
            (kept.peer, kept.is_dialling) = (peer, is_dialling);
        }
        network.obey(Command::Dial { address: address.clone(), is_kept: true });
        network.dials.len()
    };
    assert_eq!(
        [(None, false), (None, true), (Some(Peer([1; 32])), false), (None, false)]
            .map(|(peer, is_dialling)| n_dials_when(peer, is_dialling)),
        [1, 1, 1, 2]
    );
}

#[test]
fn what_waits_for_one_who_reads_nothing_is_not_kept_once_the_stream_is_let_go() {
    let (_hub, at_hub) = start(204);
    let _reads_nothing = crowd(on_loopback(&at_hub), 0..1, Protocol::Sync);
    let stream = wait(&at_hub, |event| if let Event::Opened(stream) = event { Some(stream) } else { None });
    let id = stream.id;
    (0..8).for_each(|_| assert!(stream.send(vec![0; 1 << 20])));
    drop(stream);
    wait(&at_hub, |event| {
        assert!(!matches!(event, Event::Disconnected(_)), "its connection is alive");
        matches!(event, Event::Closed(closed) if closed == id).then_some(())
    });
}

/// Two at one port would get each other's guests.
#[test]
fn those_who_start_in_the_same_moment_have_a_port_each() {
    let port = free_port().unwrap();
    let together = std::sync::Barrier::new(4);
    let begin = &|seed: u8| {
        let (sender, events) = channel();
        let config = Config { port, visible: false, ..Config::new([seed; 32]) };
        together.wait();
        let net = Net::start(config, move |event| sender.send(event).unwrap_or_default()).unwrap();
        (net, events)
    };
    let started: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=4).map(|seed| scope.spawn(move || begin(seed))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (guest, at_guest) = start(9);
    let ports = started.iter().map(|(net, events)| {
        let socket = on_loopback(events);
        guest.dial(Address::from(socket));
        is_connected(&at_guest, net.peer());
        socket.port()
    });
    let ports: BTreeSet<u16> = ports.collect();
    assert_eq!(ports.len(), started.len(), "{ports:?}");
}
