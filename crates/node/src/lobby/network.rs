//! The facts behind "Why is nobody listed?": this computer's addresses, and what may stand between it and others.

mod system;

use codesync_api::NetworkState;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

#[derive(Default)]
pub(super) struct Network {
    listening: BTreeSet<SocketAddr>,
}

impl Network {
    pub fn listening(&mut self, address: SocketAddr) {
        self.listening.insert(address);
    }

    pub fn not_listening(&mut self, address: SocketAddr) {
        self.listening.remove(&address);
    }

    pub fn shown(&self, person: &str, is_visible: bool, looking_since_ms: Option<u64>) -> NetworkState {
        let elsewhere = self.listening.iter().filter(|address| !address.ip().is_loopback());
        // One that holds on its own cable only is of no use to a person.
        let is_typed = |address: &&SocketAddr| !matches!(address.ip(), IpAddr::V6(ip) if ip.is_unicast_link_local());
        let addresses: BTreeSet<_> =
            elsewhere.clone().filter(is_typed).map(|address| (address.is_ipv6(), address.ip())).collect();
        NetworkState {
            addresses: addresses.into_iter().map(|(_, ip)| ip.to_string()).collect(),
            // Only the system's own tools know it, and not every system has them.
            name: None,
            vpns: system::vpns(Path::new(system::INTERFACES)),
            is_visible,
            person: person.to_owned(),
            port: elsewhere.map(SocketAddr::port).min().unwrap_or(0),
            looking_since_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_are_told_without_loopback_and_once() {
        let mut network = Network::default();
        for address in ["127.0.0.1:4871", "10.0.0.2:4871", "[fe80::1]:4871", "[fd00::1]:4871"] {
            network.listening(address.parse().unwrap());
        }
        let shown = network.shown("Bo", true, None);
        assert_eq!((shown.addresses, shown.port), (vec!["10.0.0.2".to_owned(), "fd00::1".to_owned()], 4871));
        network.not_listening("10.0.0.2:4871".parse().unwrap());
        network.not_listening("[fe80::1]:4871".parse().unwrap());
        network.not_listening("[fd00::1]:4871".parse().unwrap());
        assert_eq!(network.shown("Bo", true, None).port, 0);
    }
}
