//! Addresses as people type them, and as libp2p writes them.

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol as Part;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// `host:port`, `host`, `1.2.3.4:5`, `[fe80::1]:5`, `fe80::1`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Address {
    host: String,
    port: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not an address: a host, and a port if it is not {}", crate::DEFAULT_PORT)]
pub struct AddressError;

impl Address {
    /// Name or number, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it may be, when the host is a number.
    pub fn socket(&self) -> Option<SocketAddr> {
        self.host.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, self.port))
    }
}

impl From<SocketAddr> for Address {
    fn from(socket: SocketAddr) -> Self {
        Self { host: socket.ip().to_string(), port: socket.port() }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(typed: &str) -> Result<Self, AddressError> {
        let typed = typed.trim();
        if let Ok(socket) = typed.parse::<SocketAddr>() {
            return Ok(socket.into());
        }
        if let Ok(ip) = typed.parse::<IpAddr>() {
            return Ok(SocketAddr::new(ip, crate::DEFAULT_PORT).into());
        }
        let in_brackets = typed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Some(ip) = in_brackets.and_then(|ip| ip.parse::<Ipv6Addr>().ok()) {
            return Ok(SocketAddr::new(ip.into(), crate::DEFAULT_PORT).into());
        }
        let (host, port) = match typed.split_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| AddressError)?),
            None => (typed, crate::DEFAULT_PORT),
        };
        let is_label = |label: &str| {
            let is_plain = label.chars().all(|char| char.is_ascii_alphanumeric() || char == '-' || char == '_');
            is_plain && (1..=63).contains(&label.len())
        };
        // Digits and dots alone would be a number with a slip in it.
        let is_number = host.chars().all(|char| char.is_ascii_digit() || char == '.');
        let is_name = host.len() <= 253 && host.trim_end_matches('.').split('.').all(is_label) && !is_number;
        if is_name && port != 0 { Ok(Self { host: host.to_owned(), port }) } else { Err(AddressError) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(out, "[{}]:{}", self.host, self.port),
            false => write!(out, "{}:{}", self.host, self.port),
        }
    }
}

pub(crate) fn tcp(socket: SocketAddr) -> Multiaddr {
    Multiaddr::empty().with(ip_part(socket.ip())).with(Part::Tcp(socket.port()))
}

pub(crate) fn quic(socket: SocketAddr) -> Multiaddr {
    Multiaddr::empty().with(ip_part(socket.ip())).with(Part::Udp(socket.port())).with(Part::QuicV1)
}

fn ip_part(ip: IpAddr) -> Part<'static> {
    match ip {
        IpAddr::V4(ip) => Part::Ip4(ip),
        IpAddr::V6(ip) => Part::Ip6(ip),
    }
}

/// The host and port of an address of ours, over whichever transport.
pub(crate) fn socket_of(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Part::Ip4(ip) => IpAddr::V4(ip),
        Part::Ip6(ip) => IpAddr::V6(ip),
        _ => return None,
    };
    match parts.next()? {
        Part::Tcp(port) | Part::Udp(port) => Some(SocketAddr::new(ip, port)),
        _ => None,
    }
}

/// Whether an address that a stranger tells may be dialled: a number of a directly reachable host, nothing else.
pub(crate) fn may_be_dialled(address: &Multiaddr) -> bool {
    let is_plain = address.iter().all(|part| {
        matches!(part, Part::Ip4(_) | Part::Ip6(_) | Part::Tcp(_) | Part::Udp(_) | Part::QuicV1 | Part::P2p(_))
    });
    let is_elsewhere = |ip: IpAddr| !(ip.is_loopback() || ip.is_unspecified() || ip.is_multicast());
    is_plain && socket_of(address).is_some_and(|socket| is_elsewhere(socket.ip()) && socket.port() != 0)
}

/// Where to look for a computer that is known by name. A link-local address does not say on which interface it is.
pub(crate) fn best_of(sockets: impl Iterator<Item = SocketAddr>) -> Option<SocketAddr> {
    let is_link_local = |socket: &SocketAddr| match socket.ip() {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    sockets.min_by_key(|socket| (is_link_local(socket), socket.is_ipv6()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_to_the_address_that_can_be_reached() {
        let best = |sockets: &[&str]| best_of(sockets.iter().map(|socket| socket.parse().unwrap()));
        let (link, plain, v4, v4_link) = ("[fe80::1]:1", "[fd00::1]:1", "10.0.0.1:1", "169.254.0.1:1");
        assert_eq!(best(&[link, plain, v4]), Some(v4.parse().unwrap()));
        assert_eq!(best(&[v4_link, link, plain]), Some(plain.parse().unwrap()));
        assert_eq!(best(&[link, v4_link]), Some(v4_link.parse().unwrap()));
        assert_eq!((best(&[link]), best(&[])), (Some(link.parse().unwrap()), None));
        // Of equal ones the first, as the system has put them in order.
        assert_eq!(best(&["10.0.0.2:1", v4]), Some("10.0.0.2:1".parse().unwrap()));
    }

    #[test]
    fn what_people_type() {
        let cases = [
            ("192.168.1.23:4871", "192.168.1.23:4871"),
            (" 192.168.1.23 ", "192.168.1.23:4870"),
            ("[fe80::1]:9", "[fe80::1]:9"),
            ("fe80::1", "[fe80::1]:4870"),
            ("[fe80::1]", "[fe80::1]:4870"),
            ("asha.local", "asha.local:4870"),
            ("asha-laptop:12", "asha-laptop:12"),
        ];
        for (typed, meant) in cases {
            assert_eq!(typed.parse::<Address>().unwrap().to_string(), meant, "{typed}");
        }
    }

    #[test]
    fn what_is_no_address() {
        for typed in
            ["", ":", "host:", "host:0", "host:99999", "a b", "1.2.3", "1.2.3.4.5", "http://host", "-", "x/y", "[::1"]
        {
            let parsed = typed.parse::<Address>();
            assert!(parsed.is_err() || typed == "-", "{typed}: {parsed:?}");
        }
    }

    #[test]
    fn a_stranger_cannot_have_us_dial_ourselves_or_names() {
        let may = |text: &str| may_be_dialled(&text.parse().unwrap());
        assert!(may("/ip4/192.168.1.2/tcp/4870"));
        assert!(may("/ip4/192.168.1.2/udp/4870/quic-v1"));
        for text in [
            "/ip4/127.0.0.1/tcp/1",
            "/ip4/0.0.0.0/tcp/1",
            "/dns4/evil.example/tcp/1",
            "/ip4/1.2.3.4/tcp/0",
            "/ip4/224.0.0.251/udp/1/quic-v1",
        ] {
            assert!(!may(text), "{text}");
        }
    }
}
