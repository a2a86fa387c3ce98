//! Streams on the swarm's connections: asks for one on the connection that it is told, and hands over each that the other
//! end asked for. Every request comes to an end, and no stream is dropped on the way, however many come at once.

use crate::stream::{Direction, Protocol};
use libp2p::core::transport::PortUse;
use libp2p::core::{Endpoint, UpgradeInfo};
use libp2p::swarm::handler::{ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour,
    NotifyHandler, StreamUpgradeError, SubstreamProtocol, THandler, THandlerInEvent, ToSwarm,
};
use libp2p::{InboundUpgrade, Multiaddr, OutboundUpgrade, PeerId, StreamProtocol};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};
use std::time::Duration;

/// How long the two ends may take to agree on what is spoken in a stream.
const AGREE_MAX: Duration = Duration::from_secs(5);

/// What became of a stream.
#[derive(Debug)]
pub(crate) enum Opening {
    Opened(Protocol, Direction, libp2p::Stream),
    /// Asked for in vain: the other end does not speak it, or the connection is of no use any more.
    Failed {
        protocol: Protocol,
        is_unknown: bool,
    },
}

/// A part of the swarm. Tells each opening with the connection that it is on.
#[derive(Default)]
pub(crate) struct Behaviour {
    todo: VecDeque<ToSwarm<(ConnectionId, Opening), Protocol>>,
}

impl Behaviour {
    /// Asks for a stream. Nothing comes of it, not even a failure, when the connection has ended.
    pub fn open(&mut self, peer: PeerId, connection: ConnectionId, protocol: Protocol) {
        let handler = NotifyHandler::One(connection);
        self.todo.push_back(ToSwarm::NotifyHandler { peer_id: peer, handler, event: protocol });
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = (ConnectionId, Opening);

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::default())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::default())
    }

    fn on_swarm_event(&mut self, _: FromSwarm) {}

    fn on_connection_handler_event(&mut self, _: PeerId, connection: ConnectionId, opening: Opening) {
        self.todo.push_back(ToSwarm::GenerateEvent((connection, opening)));
    }

    /// Needs no waker: it is asked again after whatever puts something here.
    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.todo.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

/// The part of one connection.
#[derive(Default)]
pub(crate) struct Handler {
    todo: VecDeque<ConnectionHandlerEvent<Spoken, Protocol, Opening>>,
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Protocol;
    type ToBehaviour = Opening;
    type InboundProtocol = Spoken;
    type OutboundProtocol = Spoken;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Protocol;

    fn listen_protocol(&self) -> SubstreamProtocol<Spoken, ()> {
        SubstreamProtocol::new(Spoken(Protocol::ALL.to_vec()), ()).with_timeout(AGREE_MAX)
    }

    /// Needs no waker: it is asked again after whatever puts something here.
    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<Spoken, Protocol, Opening>> {
        self.todo.pop_front().map_or(Poll::Pending, Poll::Ready)
    }

    fn on_behaviour_event(&mut self, protocol: Protocol) {
        let protocol = SubstreamProtocol::new(Spoken(vec![protocol]), protocol).with_timeout(AGREE_MAX);
        self.todo.push_back(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<Spoken, Spoken, (), Protocol>) {
        let opening = match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol: (protocol, io), .. }) => {
                Opening::Opened(protocol, Direction::Theirs, io)
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol: (protocol, io), .. }) => {
                Opening::Opened(protocol, Direction::Ours, io)
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info: protocol, error }) => {
                tracing::debug!(%error, ?protocol, "a stream could not be opened");
                Opening::Failed { protocol, is_unknown: matches!(error, StreamUpgradeError::NegotiationFailed) }
            }
            _ => return,
        };
        self.todo.push_back(ConnectionHandlerEvent::NotifyBehaviour(opening));
    }
}

/// What may be spoken in a stream that is to be agreed on.
pub(crate) struct Spoken(Vec<Protocol>);

impl UpgradeInfo for Spoken {
    type Info = Name;
    type InfoIter = std::vec::IntoIter<Name>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.iter().map(|protocol| Name(*protocol, protocol.name())).collect::<Vec<_>>().into_iter()
    }
}

#[derive(Clone)]
pub(crate) struct Name(Protocol, StreamProtocol);

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        self.1.as_ref()
    }
}

impl InboundUpgrade<libp2p::Stream> for Spoken {
    type Output = (Protocol, libp2p::Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, io: libp2p::Stream, name: Name) -> Self::Future {
        ready(Ok((name.0, io)))
    }
}

impl OutboundUpgrade<libp2p::Stream> for Spoken {
    type Output = (Protocol, libp2p::Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_outbound(self, io: libp2p::Stream, name: Name) -> Self::Future {
        ready(Ok((name.0, io)))
    }
}
