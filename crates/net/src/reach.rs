//! Whom to dial, where and when. Pure: time (milliseconds on any steady clock) and randomness come in as arguments.
//!
//! Two peers that find each other in the same moment must not both dial: the one with the smaller key does, the
//! other only if nothing came of it. What fails is tried again, less often the longer it fails.

use crate::Peer;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// What the other end gets to dial first.
const AFTER_YOU_MS: u64 = 1_500;
const RETRY_FIRST_MS: u64 = 250;
/// Seconds matter when a cable is plugged in again ...
const RETRY_MS_MAX: u64 = 2_000;
/// ... but not for someone who has not been there for long.
const RETRY_TIRED_MS_MAX: u64 = 15_000;
const N_FAILURES_TIRED: u32 = 150;
/// A connection that ended sooner came to nothing: each such one after the other is a reason to wait longer.
const LASTING_MS: u64 = 5_000;
/// Addresses kept of one peer.
const ADDRESSES_MAX: usize = 16;
/// Peers kept that were only found, never met.
const FOUND_MAX: usize = 512;
/// Who is not heard any more is dialled so often before it is forgotten.
const N_FAILURES_GONE: u32 = 20;

#[derive(Default)]
struct Target {
    addresses: BTreeSet<SocketAddr>,
    is_connected: bool,
    since_ms: u64,
    /// Connections one after the other that did not last.
    n_brief: u32,
    is_dialling: bool,
    n_failures: u32,
    due_ms: u64,
    /// It was found on the local network, not only met.
    is_found: bool,
    /// It is not heard there any more.
    is_lost: bool,
}

/// A dial that is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Dial {
    pub peer: Peer,
    pub addresses: Vec<SocketAddr>,
    /// Every other try goes over QUIC. TCP is first: the end of a process on the other side is told at once.
    pub over_quic: bool,
}

pub(crate) struct Reach {
    own: Peer,
    targets: BTreeMap<Peer, Target>,
}

impl Reach {
    pub fn new(own: Peer) -> Self {
        Self { own, targets: BTreeMap::new() }
    }

    /// A peer was heard on the local network. Whether it or the address is new.
    pub fn found(&mut self, peer: Peer, address: SocketAddr, now_ms: u64, random: u64) -> bool {
        let is_full = self.targets.len() >= FOUND_MAX && !self.targets.contains_key(&peer);
        if peer == self.own || is_full {
            return false;
        }
        let is_first = self.own < peer;
        let target = self.targets.entry(peer).or_default();
        let is_new = !target.is_found || target.is_lost;
        (target.is_found, target.is_lost) = (true, false);
        if is_new && !target.is_connected {
            target.n_failures = 0;
            target.due_ms = now_ms + if is_first { 0 } else { AFTER_YOU_MS + random % 500 };
        }
        let has_room = target.addresses.len() < ADDRESSES_MAX;
        (has_room && target.addresses.insert(address)) || is_new
    }

    /// A peer is not heard at an address any more. The last one is kept: multicast may be what does not get through.
    pub fn lost(&mut self, peer: &Peer, address: &SocketAddr) {
        let Some(target) = self.targets.get_mut(peer) else { return };
        if target.addresses.iter().any(|other| other != address) {
            target.addresses.remove(address);
        } else {
            target.is_lost = true;
        }
    }

    /// Peers that are not heard any more and were dialled in vain for a while.
    pub fn take_gone(&mut self) -> Vec<Peer> {
        let is_gone = |target: &Target| {
            target.is_lost && !target.is_connected && !target.is_dialling && target.n_failures >= N_FAILURES_GONE
        };
        let gone: Vec<Peer> =
            self.targets.iter().filter(|(_, target)| is_gone(target)).map(|(peer, _)| *peer).collect();
        gone.iter().for_each(|peer| drop(self.targets.remove(peer)));
        gone
    }

    pub fn connected(&mut self, peer: Peer, now_ms: u64) {
        let target = self.targets.entry(peer).or_default();
        if !target.is_connected {
            target.since_ms = now_ms;
        }
        (target.is_connected, target.is_dialling, target.n_failures) = (true, false, 0);
    }

    /// The last connection ended. Who was never found on the local network is whoever dials its business.
    pub fn disconnected(&mut self, peer: Peer, now_ms: u64, random: u64) {
        let is_first = self.own < peer;
        let Some(target) = self.targets.get_mut(&peer) else { return };
        target.is_connected = false;
        target.n_brief = if now_ms - target.since_ms < LASTING_MS { target.n_brief.saturating_add(1) } else { 0 };
        target.due_ms = now_ms
            + match target.n_brief {
                0 | 1 => random % 100 + if is_first { 0 } else { RETRY_FIRST_MS },
                n_brief => retry_ms(n_brief, random),
            };
        if !target.is_found {
            self.targets.remove(&peer);
        }
    }

    pub fn failed(&mut self, peer: &Peer, now_ms: u64, random: u64) {
        let Some(target) = self.targets.get_mut(peer) else { return };
        target.is_dialling = false;
        target.n_failures = target.n_failures.saturating_add(1);
        target.due_ms = now_ms + retry_ms(target.n_failures, random);
    }

    /// Somebody else answers at an address: whoever had it is at another one, or not there any more.
    pub fn is_elsewhere(&mut self, peer: &Peer, address: &SocketAddr) {
        let Some(target) = self.targets.get_mut(peer) else { return };
        if target.addresses.iter().any(|other| other != address) {
            target.addresses.remove(address);
        } else {
            target.n_failures = target.n_failures.max(N_FAILURES_TIRED);
        }
    }

    /// The network is another one, or the machine woke up: everything is worth a try.
    pub fn network_changed(&mut self, now_ms: u64) {
        for target in self.targets.values_mut() {
            (target.n_failures, target.n_brief, target.due_ms) = (0, 0, target.due_ms.min(now_ms + 100));
        }
    }

    pub fn take_due(&mut self, now_ms: u64) -> Vec<Dial> {
        let is_due = |target: &Target| {
            !target.is_connected && !target.is_dialling && !target.addresses.is_empty() && target.due_ms <= now_ms
        };
        let due = self.targets.iter_mut().filter(|(_, target)| is_due(target));
        due.map(|(peer, target)| {
            target.is_dialling = true;
            let addresses = target.addresses.iter().copied().collect();
            Dial { peer: *peer, addresses, over_quic: target.n_failures % 2 == 1 }
        })
        .collect()
    }
}

/// How long to wait after so many failures one after the other.
pub(crate) fn retry_ms(n_failures: u32, random: u64) -> u64 {
    let limit_ms = if n_failures > N_FAILURES_TIRED { RETRY_TIRED_MS_MAX } else { RETRY_MS_MAX };
    let delay_ms = (RETRY_FIRST_MS << n_failures.saturating_sub(1).min(8)).min(limit_ms);
    delay_ms + random % (delay_ms / 4 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOW: Peer = Peer([1; 32]);
    const HIGH: Peer = Peer([2; 32]);

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, 1], port))
    }

    #[test]
    fn of_two_that_find_each_other_one_dials() {
        let (mut low, mut high) = (Reach::new(LOW), Reach::new(HIGH));
        assert!(low.found(HIGH, at(1), 0, 0));
        assert!(high.found(LOW, at(2), 0, 0));
        assert_eq!(low.take_due(0), [Dial { peer: HIGH, addresses: vec![at(1)], over_quic: false }]);
        assert_eq!(high.take_due(1_000), []);
        high.connected(LOW, 1_000);
        assert_eq!(high.take_due(100_000), []);
    }

    #[test]
    fn the_other_dials_when_nothing_came() {
        let mut high = Reach::new(HIGH);
        high.found(LOW, at(2), 0, 499);
        assert_eq!(high.take_due(1_999).len(), 1);
        assert_eq!(high.take_due(9_999).len(), 0, "one dial at a time");
    }

    #[test]
    fn what_fails_is_tried_again_at_least_every_two_seconds_and_a_half() {
        let mut low = Reach::new(LOW);
        low.found(HIGH, at(1), 0, 0);
        let (mut now_ms, mut n_dials) = (0, 0);
        while now_ms < 60_000 {
            if !low.take_due(now_ms).is_empty() {
                n_dials += 1;
                low.failed(&HIGH, now_ms, 1_000_000_007);
            }
            now_ms += 10;
        }
        assert!((25..40).contains(&n_dials), "{n_dials}");
        assert!(retry_ms(1_000, 0) > 10_000);
    }

    #[test]
    fn a_lost_peer_is_dialled_at_once_and_one_that_only_came_by_is_forgotten() {
        let mut low = Reach::new(LOW);
        low.found(HIGH, at(1), 0, 0);
        low.take_due(0);
        low.connected(HIGH, 0);
        low.disconnected(HIGH, 5_000, 0);
        assert_eq!(low.take_due(5_000).len(), 1);
        let stranger = Peer([9; 32]);
        low.connected(stranger, 5_000);
        low.disconnected(stranger, 6_000, 0);
        assert_eq!(low.targets.len(), 1);
    }

    #[test]
    fn who_is_not_heard_any_more_is_forgotten_once_it_was_dialled_in_vain() {
        let mut low = Reach::new(LOW);
        low.found(HIGH, at(1), 0, 0);
        low.found(HIGH, at(2), 0, 0);
        let fail = |low: &mut Reach, from_ms: u64| {
            for n in 0..u64::from(N_FAILURES_GONE) {
                assert_eq!(low.take_due(from_ms + 10_000 * n).len(), 1);
                low.failed(&HIGH, from_ms, 0);
            }
        };
        fail(&mut low, 0);
        low.lost(&HIGH, &at(1));
        assert_eq!((low.take_gone(), low.targets[&HIGH].addresses.len()), (vec![], 1), "it is heard at the other");
        low.lost(&HIGH, &at(2));
        low.connected(HIGH, 300_000);
        assert_eq!(low.take_gone(), [], "it is there all the same");
        low.disconnected(HIGH, 1_000_000, 0);
        assert_eq!(low.take_gone(), [], "it may be back in a moment");
        fail(&mut low, 1_000_000);
        assert_eq!((low.take_gone(), low.targets.len()), (vec![HIGH], 0));
        assert!(low.found(HIGH, at(2), 2_000_000, 0), "found anew");
    }

    /// Where too many are, whoever gives way comes again, and another one gives way: not all the time.
    #[test]
    fn who_never_stays_connected_is_dialled_less_and_less_often() {
        let mut low = Reach::new(LOW);
        low.found(HIGH, at(1), 0, 0);
        let (mut now_ms, mut n_dials) = (0, 0);
        while now_ms < 60_000 {
            if !low.take_due(now_ms).is_empty() {
                n_dials += 1;
                low.connected(HIGH, now_ms);
                low.disconnected(HIGH, now_ms + 10, 0);
            }
            now_ms += 10;
        }
        assert!((25..40).contains(&n_dials), "{n_dials}");
        low.connected(HIGH, now_ms);
        low.disconnected(HIGH, now_ms + LASTING_MS, 0);
        assert_eq!(low.take_due(now_ms + LASTING_MS).len(), 1);
    }

    #[test]
    fn who_is_heard_again_is_dialled_at_once() {
        let mut low = Reach::new(LOW);
        low.found(HIGH, at(1), 0, 0);
        for _ in 0..500 {
            low.failed(&HIGH, 0, 0);
        }
        low.lost(&HIGH, &at(1));
        assert!(low.take_due(10_000).is_empty() && low.found(HIGH, at(1), 10_000, 0));
        assert_eq!(low.take_due(10_000).len(), 1);
    }

    #[test]
    fn an_address_that_is_anothers_now_is_dialled_last_or_seldom() {
        let mut low = Reach::new(LOW);
        low.found(HIGH, at(1), 0, 0);
        low.found(HIGH, at(2), 0, 0);
        low.take_due(0);
        low.is_elsewhere(&HIGH, &at(1));
        low.failed(&HIGH, 0, 0);
        assert_eq!(low.take_due(1_000)[0].addresses, [at(2)]);
        low.is_elsewhere(&HIGH, &at(2));
        low.failed(&HIGH, 1_000, 0);
        assert_eq!((low.take_due(15_000).len(), low.take_due(16_000).len()), (0, 1));
    }

    #[test]
    fn a_flood_of_names_is_bounded() {
        let mut low = Reach::new(LOW);
        for n in 0..10_000_u32 {
            let mut key = [7; 32];
            key[..4].copy_from_slice(&n.to_le_bytes());
            low.found(Peer(key), at(1), 0, 0);
            low.found(HIGH, at(n as u16), 0, 0);
        }
        assert_eq!((low.targets.len(), low.targets[&HIGH].addresses.len()), (FOUND_MAX, ADDRESSES_MAX));
    }
}
