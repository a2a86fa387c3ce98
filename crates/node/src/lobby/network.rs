//! The facts behind "Why is nobody listed?": this computer's addresses, and what may stand between it and others.

use codesync_api::NetworkState;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

/// How interfaces are called that are a VPN's, mostly.
const VPN_NAMES: [&str; 8] = ["tun", "tap", "wg", "ppp", "utun", "tailscale", "zt", "nordlynx"];

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
            vpns: vpns(Path::new("/sys/class/net")),
            is_visible,
            person: person.to_owned(),
            port: elsewhere.map(SocketAddr::port).min().unwrap_or(0),
            port_wanted: None,
            looking_since_ms,
        }
    }
}

/// Interfaces that are up and look like a VPN's.
fn vpns(interfaces: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(interfaces) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| VPN_NAMES.iter().any(|begin| name.starts_with(begin)))
        .filter(|name| {
            let state = std::fs::read_to_string(interfaces.join(name).join("operstate")).unwrap_or_default();
            state.trim() != "down"
        })
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn interfaces_of_a_vpn_are_named_while_they_are_up() {
        let folder = tempfile::tempdir().unwrap();
        for (name, state) in [("tun0", "unknown\n"), ("wg0", "down\n"), ("eth0", "up\n"), ("lo", "unknown\n")] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            std::fs::write(folder.path().join(name).join("operstate"), state).unwrap();
        }
        assert_eq!(vpns(folder.path()), ["tun0"]);
        assert!(vpns(Path::new("/nowhere")).is_empty());
    }

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
