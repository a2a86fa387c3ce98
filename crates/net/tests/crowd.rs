//! Many peers at once in one process, over loopback: what all of them ask for in the same moment, all of them get.
#![allow(clippy::unwrap_used)]

use codesync_net::{Address, Config, Event, Net, Peer, Protocol, Stream};
use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const N_PEERS: usize = 24;

fn start(seed: u8) -> (Net, Receiver<Event>) {
    let (sender, events) = channel();
    let config = Config { port: 0, visible: false, ..Config::new([seed; 32]) };
    (Net::start(config, move |event| sender.send(event).unwrap_or_default()).unwrap(), events)
}

/// The next thing that is of interest, within seconds.
fn wait<T>(events: &Receiver<Event>, mut pick: impl FnMut(Event) -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if let Some(picked) = pick(events.recv_timeout(left).expect("it happens within seconds")) {
            return picked;
        }
    }
}

#[test]
fn streams_that_many_ask_for_at_once_all_open_and_stay() {
    let (hub, at_hub) = start(200);
    let socket = wait(&at_hub, |event| match event {
        Event::Listening(socket) if socket.ip().is_loopback() && socket.is_ipv4() => Some(socket),
        _ => None,
    });
    let others: Vec<_> = (0..N_PEERS).map(|seed| start(seed as u8)).collect();
    for (net, events) in &others {
        net.dial(Address::from(socket));
        wait(events, |event| matches!(event, Event::Connected { .. }).then_some(()));
    }
    for round in 0..10 {
        others.iter().for_each(|(net, _)| net.open(hub.peer(), Protocol::Sync));
        let mut theirs: Vec<Stream> = Vec::new();
        let mut seen: BTreeSet<Peer> = BTreeSet::new();
        while seen.len() < N_PEERS {
            let stream = wait(&at_hub, |event| match event {
                Event::Opened(stream) => Some(stream),
                _ => None,
            });
            assert!(seen.insert(stream.peer), "round {round}: asked for a second time");
            theirs.push(stream);
        }
        let ours = others.iter().map(|(_, events)| {
            wait(events, |event| match event {
                Event::Opened(stream) => Some(stream),
                Event::Closed(_) | Event::NotOpened { .. } => panic!("round {round}: a stream was lost"),
                _ => None,
            })
        });
        let ours: Vec<Stream> = ours.collect();
        for (stream, (_, events)) in theirs.iter().zip(&others) {
            assert!(stream.send(vec![1]));
            let _ = events;
        }
        for (_, events) in &others {
            wait(events, |event| match event {
                Event::Frame { .. } => Some(()),
                Event::Closed(_) => panic!("round {round}: a stream was lost"),
                _ => None,
            });
        }
        drop((ours, theirs));
        for (_, events) in &others {
            wait(events, |event| matches!(event, Event::Closed(_)).then_some(()));
        }
    }
}
