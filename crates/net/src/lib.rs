//! Moves bytes between peers: finds them on the local network, dials, keeps connections alive, carries streams of
//! frames. Knows nothing of what the bytes mean, and nobody's name. The only crate that knows libp2p.
//!
//! A peer is known here by the key of its *connection* ([`Peer`]): proved by Noise or TLS in the handshake. Which
//! person and device that is, whoever uses this crate finds out inside a stream (`auth`).

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod address;
mod closing;
mod opening;
mod reach;
mod room;
mod stream;
mod swarm;

pub use address::{Address, AddressError};
pub use room::gives_way;
pub use stream::{Direction, Frame, Protocol, Stream, StreamId};

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// The port that is tried first, so that one firewall rule does. Another one is taken when it is in use.
pub const DEFAULT_PORT: u16 = 4870;

/// The public key (Ed25519) of a connection's other end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer(pub [u8; 32]);

impl fmt::Debug for Peer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

/// How a peer takes part in the network.
#[derive(Clone, Debug)]
pub struct Config {
    /// The private key (Ed25519 seed) of this end's connections.
    pub seed: [u8; 32],
    /// TCP and UDP port to listen on, 0 for any.
    pub port: u16,
    /// Ask for others on the local network, and answer when they ask.
    pub visible: bool,
    /// How long a connection may be without an answer before it counts as lost.
    pub silence_max: Duration,
}

impl Config {
    pub fn new(seed: [u8; 32]) -> Self {
        Self { seed, port: DEFAULT_PORT, visible: true, silence_max: Duration::from_secs(4) }
    }
}

/// What happened. Told in order, on the thread of the network.
#[derive(Debug)]
pub enum Event {
    /// Others can reach this peer here.
    Listening(SocketAddr),
    NotListening(SocketAddr),
    /// A peer on the local network was found, at this address too.
    Found {
        peer: Peer,
        address: SocketAddr,
    },
    /// A peer that was found is not heard any more, and was dialled in vain.
    Gone(Peer),
    /// There is a connection; `dialled` when it was this end that asked for it.
    Connected {
        peer: Peer,
        address: SocketAddr,
        dialled: bool,
    },
    /// The last connection to a peer ended.
    Disconnected(Peer),
    /// The time a small message took there and back.
    RoundTrip {
        peer: Peer,
        time: Duration,
    },
    /// An address that was to be dialled did not answer as a peer. Kept ones are tried again.
    Unreachable {
        address: Address,
        why: Unreachable,
    },
    /// A stream is there, asked for by either end.
    Opened(Stream),
    /// [`Net::open`] did not work out: the other end does not speak this protocol, or is gone.
    NotOpened {
        peer: Peer,
        protocol: Protocol,
    },
    Frame {
        stream: StreamId,
        frame: Frame,
    },
    /// A stream ended. Nothing comes after this.
    Closed(StreamId),
}

/// Why nobody was reached at an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unreachable {
    /// No such name.
    NoSuchName,
    /// Nobody answers there.
    NoAnswer,
    /// Somebody answers, but not as a peer.
    NotAPeer,
    /// It is this peer itself.
    Oneself,
}

/// Why a peer can't take part in the network.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    #[error("no address to listen on: {0}")]
    NoAddress(String),
    #[error("the network can't be started: {0}")]
    Start(String),
}

pub use swarm::Net;
