//! When to ask peers for a stream of one protocol: as soon as there is a connection, and again whenever the stream ends
//! while the connection goes on. The other end may have said no only because it did not know yet what it knows a moment
//! later. Pure: the time comes in. Where two peers are alike, only one of them may ask: there would be two streams.

use codesync_net::Peer;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The first wait after a stream that did not last; each one that follows it is twice as long ...
const AGAIN_FIRST: Duration = Duration::from_millis(250);
/// ... up to this.
const AGAIN_MAX: Duration = Duration::from_secs(15);
/// One that lasted this long counts as good.
const LASTING: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(crate) struct Asking {
    peers: BTreeMap<Peer, Turn>,
}

/// A connected peer that this end is to ask.
struct Turn {
    /// Streams one after the other that did not last.
    n_vain: u32,
    state: State,
}

enum State {
    Due(Instant),
    Asked,
    Open { since: Instant },
}

impl Asking {
    /// There is a connection with a peer that this end is to ask.
    pub fn connected(&mut self, peer: Peer, now: Instant) {
        self.peers.entry(peer).or_insert(Turn { n_vain: 0, state: State::Due(now) });
    }

    /// There is none any more, or nothing to ask for.
    pub fn disconnected(&mut self, peer: &Peer) {
        self.peers.remove(peer);
    }

    pub fn opened(&mut self, peer: &Peer, now: Instant) {
        if let Some(turn) = self.peers.get_mut(peer) {
            turn.state = State::Open { since: now };
        }
    }

    /// A stream ended, or none came of asking.
    pub fn ended(&mut self, peer: &Peer, now: Instant) {
        let Some(turn) = self.peers.get_mut(peer) else { return };
        let has_lasted = matches!(turn.state, State::Open { since } if now.duration_since(since) >= LASTING);
        turn.n_vain = if has_lasted { 1 } else { turn.n_vain.saturating_add(1) };
        turn.state = State::Due(now + (AGAIN_FIRST * (1 << (turn.n_vain - 1).min(8))).min(AGAIN_MAX));
    }

    /// Whom to ask now.
    pub fn take_due(&mut self, now: Instant) -> Vec<Peer> {
        let due = self.peers.iter_mut().filter(|(_, turn)| matches!(turn.state, State::Due(at) if at <= now));
        due.map(|(peer, turn)| {
            turn.state = State::Asked;
            *peer
        })
        .collect()
    }

    /// When somebody is to be asked next.
    pub fn due(&self) -> Option<Instant> {
        let due = |turn: &Turn| if let State::Due(at) = turn.state { Some(at) } else { None };
        self.peers.values().filter_map(due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: Peer = Peer([1; 32]);

    #[test]
    fn a_peer_is_asked_once_as_soon_as_it_is_connected() {
        let (mut asking, now) = (Asking::default(), Instant::now());
        asking.connected(PEER, now);
        assert_eq!(asking.take_due(now), [PEER]);
        asking.connected(PEER, now);
        assert_eq!((asking.take_due(now + AGAIN_MAX), asking.due()), (vec![], None));
    }

    #[test]
    fn who_is_refused_asks_again_less_and_less_often_but_never_stops() {
        let (mut asking, mut now) = (Asking::default(), Instant::now());
        asking.connected(PEER, now);
        let mut waits_ms = Vec::new();
        for _ in 0..40 {
            assert_eq!(asking.take_due(now), [PEER]);
            asking.ended(&PEER, now);
            let due = asking.due().expect("it is asked for again");
            assert_eq!(asking.take_due(due - Duration::from_millis(1)), []);
            waits_ms.push((due - now).as_millis());
            now = due;
        }
        assert_eq!(waits_ms[..7], [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000]);
        assert_eq!(waits_ms[39], 15_000);
    }

    #[test]
    fn after_a_stream_that_lasted_the_next_comes_at_once() {
        let (mut asking, start) = (Asking::default(), Instant::now());
        asking.connected(PEER, start);
        for n in 0..5 {
            asking.take_due(start + AGAIN_MAX * n);
            asking.ended(&PEER, start + AGAIN_MAX * n);
        }
        let now = start + AGAIN_MAX * 5;
        asking.take_due(now);
        asking.opened(&PEER, now);
        asking.ended(&PEER, now + LASTING);
        assert_eq!(asking.due(), Some(now + LASTING + AGAIN_FIRST));
    }

    #[test]
    fn who_is_not_connected_is_not_asked() {
        let (mut asking, now) = (Asking::default(), Instant::now());
        asking.connected(PEER, now);
        asking.disconnected(&PEER);
        asking.ended(&PEER, now);
        assert_eq!((asking.take_due(now + AGAIN_MAX), asking.due()), (vec![], None));
        asking.connected(PEER, now);
        assert_eq!(asking.take_due(now), [PEER]);
    }
}
