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
/// Addresses kept of one peer.
const ADDRESSES_MAX: usize = 16;
/// Peers kept that were only found, never met.
const FOUND_MAX: usize = 512;
/// How long a peer has to answer when all are asked anew.
const ANSWER_MS: u64 = 5_000;

#[derive(Default)]
struct Target {
    addresses: BTreeSet<SocketAddr>,
    is_connected: bool,
    is_dialling: bool,
    n_failures: u32,
    due_ms: u64,
    /// When it was last heard on the local network. None: it was never found, only met.
    heard_ms: Option<u64>,
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
    asked_ms: Option<u64>,
}

impl Reach {
    pub fn new(own: Peer) -> Self {
        Self { own, targets: BTreeMap::new(), asked_ms: None }
    }

    /// A peer was heard on the local network. Whether it or the address is new.
    pub fn found(&mut self, peer: Peer, address: SocketAddr, now_ms: u64, random: u64) -> bool {
        let is_full = self.targets.len() >= FOUND_MAX && !self.targets.contains_key(&peer);
        if peer == self.own || is_full {
            return false;
        }
        let is_first = self.own < peer;
        let target = self.targets.entry(peer).or_default();
        let is_new = target.heard_ms.is_none();
        target.heard_ms = Some(now_ms);
        if is_new && !target.is_connected {
            target.n_failures = 0;
            target.due_ms = now_ms + if is_first { 0 } else { AFTER_YOU_MS + random % 500 };
        }
        let has_room = target.addresses.len() < ADDRESSES_MAX;
        (has_room && target.addresses.insert(address)) || is_new
    }

    /// All on the local network are asked anew.
    pub fn asked(&mut self, now_ms: u64) {
        self.asked_ms = Some(now_ms);
    }

    /// Peers that did not answer when asked, and are not connected either.
    pub fn take_gone(&mut self, now_ms: u64) -> Vec<Peer> {
        let Some(asked_ms) = self.asked_ms.filter(|asked_ms| now_ms >= asked_ms + ANSWER_MS) else { return vec![] };
        self.asked_ms = None;
        let is_silent = |target: &Target| !target.is_connected && target.heard_ms.is_some_and(|heard| heard < asked_ms);
        let gone: Vec<Peer> =
            self.targets.iter().filter(|(_, target)| is_silent(target)).map(|(peer, _)| *peer).collect();
        gone.iter().for_each(|peer| drop(self.targets.remove(peer)));
        gone
    }

    pub fn connected(&mut self, peer: Peer) {
        let target = self.targets.entry(peer).or_default();
        (target.is_connected, target.is_dialling, target.n_failures) = (true, false, 0);
    }

    /// The last connection ended. Who was never found on the local network is whoever dials its business.
    pub fn disconnected(&mut self, peer: Peer, now_ms: u64, random: u64) {
        let is_first = self.own < peer;
        let Some(target) = self.targets.get_mut(&peer) else { return };
        target.is_connected = false;
        target.due_ms = now_ms + random % 100 + if is_first { 0 } else { RETRY_FIRST_MS };
        if target.heard_ms.is_none() {
            self.targets.remove(&peer);
        }
    }

    pub fn failed(&mut self, peer: &Peer, now_ms: u64, random: u64) {
        let Some(target) = self.targets.get_mut(peer) else { return };
        target.is_dialling = false;
        target.n_failures = target.n_failures.saturating_add(1);
        target.due_ms = now_ms + retry_ms(target.n_failures, random);
    }

    /// Somebody else answers at an address: whoever had it is not there any more.
    pub fn is_elsewhere(&mut self, peer: &Peer, address: &SocketAddr) {
        let Some(target) = self.targets.get_mut(peer) else { return };
        target.addresses.remove(address);
        if target.addresses.is_empty() && !target.is_connected {
            self.targets.remove(peer);
        }
    }

    /// The network is another one, or the machine woke up: everything is worth a try.
    pub fn network_changed(&mut self, now_ms: u64) {
        for target in self.targets.values_mut() {
            (target.n_failures, target.due_ms) = (0, target.due_ms.min(now_ms + 100));
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
        high.connected(LOW);
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
        low.connected(HIGH);
        low.disconnected(HIGH, 5_000, 0);
        assert_eq!(low.take_due(5_000).len(), 1);
        let stranger = Peer([9; 32]);
        low.connected(stranger);
        low.disconnected(stranger, 6_000, 0);
        assert_eq!(low.targets.len(), 1);
    }

    #[test]
    fn who_does_not_answer_is_gone_but_for_who_is_connected() {
        let mut low = Reach::new(LOW);
        for n in 2..=4 {
            low.found(Peer([n; 32]), at(1), 0, 0);
        }
        low.connected(Peer([2; 32]));
        low.asked(10_000);
        low.found(Peer([3; 32]), at(1), 10_020, 0);
        assert_eq!(low.take_gone(14_999), []);
        assert_eq!(low.take_gone(15_000), [Peer([4; 32])]);
        assert!(low.found(Peer([4; 32]), at(1), 20_000, 0), "found anew");
    }

    #[test]
    fn an_address_that_is_anothers_now_is_not_dialled_again() {
        let mut low = Reach::new(LOW);
        low.found(HIGH, at(1), 0, 0);
        low.found(HIGH, at(2), 0, 0);
        low.take_due(0);
        low.is_elsewhere(&HIGH, &at(1));
        low.failed(&HIGH, 0, 0);
        assert_eq!(low.take_due(1_000)[0].addresses, [at(2)]);
        low.is_elsewhere(&HIGH, &at(2));
        assert!(low.targets.is_empty() && low.found(HIGH, at(3), 2_000, 0), "found anew, it counts");
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
