//! The workspace among others: the network of a node, and what of it concerns this workspace. All of it happens on the
//! engine thread; the network's own thread only hands events over. Decides nothing about history.

pub(crate) mod asking;
mod cards;
mod host;
mod knock;
mod pass;

pub(crate) use cards::{Cards, Mine, Offer, Shown};
pub(crate) use host::{Answer, Host, Scene, Step, random};

use crate::join::no_network;
use crate::known;
use asking::Asking;
use codesync_api::ApiError;
use codesync_auth::{About, DeviceKey};
use codesync_base::{DeviceId, ProjectId, Role};
use codesync_engine::{Engine, LinkOutput};
use codesync_net::{Config, Direction, Event, Frame, Net, Peer, Protocol, Stream, StreamId};
use codesync_sync::{Event as LinkEvent, LinkId, Moment};
use knock::knock;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long a stream may take to show that it belongs to this project.
const KNOCK_WAIT: Duration = Duration::from_secs(5);

pub(crate) struct Together {
    net: Net,
    project: ProjectId,
    began: Instant,
    /// Peers that there is a connection with, members or not.
    connections: BTreeMap<Peer, Connection>,
    links: BTreeMap<StreamId, Link>,
    /// Whom to ask for a link.
    asking: Asking,
    /// Where others reach this peer.
    addresses: Vec<SocketAddr>,
    ends: pass::Ends,
    key: DeviceKey,
    cards: Cards,
}

struct Connection {
    address: SocketAddr,
    round_trip: Option<Duration>,
}

struct Link {
    stream: Stream,
    state: State,
}

enum State {
    /// The other end has not shown yet that it knows the project.
    Knocking {
        since: Instant,
    },
    Open,
}

impl Together {
    /// Begins to listen, and to look for others. `host` let this device in, if its log does not say so yet.
    /// `hand_over` is called on the network's thread.
    pub fn start(
        config: Config,
        engine: &mut Engine,
        key: DeviceKey,
        host: Option<DeviceId>,
        hand_over: impl Fn(Event) + Clone + Send + Sync + 'static,
    ) -> Result<Self, ApiError> {
        let (project, ends) = (engine.project(), pass::Ends::default());
        let net = Net::start(config, hand_over).map_err(no_network)?;
        engine.open_links(env!("CARGO_PKG_VERSION"), pass::gate(project, ends.clone(), host));
        let cards = Cards::new(net.peer(), crate::config::device_key()?, Mine::hidden(About::new("", "")));
        Ok(Self {
            cards,
            asking: Asking::default(),
            net,
            project,
            began: Instant::now(),
            connections: BTreeMap::new(),
            links: BTreeMap::new(),
            addresses: Vec::new(),
            ends,
            key,
        })
    }

    pub fn net(&self) -> &Net {
        &self.net
    }

    pub fn key(&self) -> &DeviceKey {
        &self.key
    }

    /// Whether a stream is one between members, or one of cards: no guest's.
    pub fn is_link(&self, stream: StreamId) -> bool {
        self.links.contains_key(&stream) || self.cards.has(stream)
    }

    pub fn cards(&self) -> &Cards {
        &self.cards
    }

    pub fn cards_mut(&mut self) -> &mut Cards {
        &mut self.cards
    }

    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    pub fn moment(&self, wall_ms: u64) -> Moment {
        Moment { steady_ms: self.began.elapsed().as_millis() as u64, wall_ms }
    }

    /// How long nothing is due.
    pub fn patience(&self, engine: &Engine) -> Option<Duration> {
        let steady_ms = self.began.elapsed().as_millis() as u64;
        let until_link = engine.links_due_ms().map(|due_ms| Duration::from_millis(due_ms.saturating_sub(steady_ms)));
        let since = self.links.values().filter_map(|link| match link.state {
            State::Knocking { since } => Some(KNOCK_WAIT.saturating_sub(since.elapsed())),
            State::Open => None,
        });
        let asked = [self.asking.due(), self.cards.due()].into_iter().flatten();
        let until_asked = asked.map(|at| at.saturating_duration_since(Instant::now()));
        until_link.into_iter().chain(since).chain(until_asked).min()
    }

    /// Round trip to the other end of a link, and its address.
    pub fn way_to(&self, id: LinkId) -> Option<(SocketAddr, Option<Duration>)> {
        let peer = self.links.get(&StreamId(id.0))?.stream.peer;
        self.connections.get(&peer).map(|connection| (connection.address, connection.round_trip))
    }

    pub fn address_of(&self, peer: &Peer) -> Option<SocketAddr> {
        self.connections.get(peer).map(|connection| connection.address)
    }

    /// Something happened on the network. Streams for pairing come back: they are nobody's business here.
    pub fn handle(&mut self, event: Event, engine: &mut Engine, wall_ms: u64) -> Option<Stream> {
        match event {
            Event::Listening(address) => self.addresses.push(address),
            Event::NotListening(address) => self.addresses.retain(|known| *known != address),
            Event::Connected { peer, address, .. } => {
                self.connections.insert(peer, Connection { address, round_trip: None });
                self.cards.connected(peer);
                // One end asks, or there would be two links.
                if self.net.peer() < peer {
                    self.asking.connected(peer, Instant::now());
                }
                self.ask();
            }
            Event::Disconnected(peer) => {
                self.connections.remove(&peer);
                self.cards.disconnected(&peer);
                self.asking.disconnected(&peer);
            }
            Event::RoundTrip { peer, time } => {
                if let Some(connection) = self.connections.get_mut(&peer) {
                    connection.round_trip = Some(time);
                }
            }
            Event::Opened(stream) if stream.protocol == Protocol::Pair => return Some(stream),
            Event::Opened(stream) if stream.protocol == Protocol::Card => self.cards.opened(stream),
            Event::Opened(stream) => self.opened(stream),
            Event::Frame { stream, frame } if self.cards.has(stream) => {
                self.cards.received(stream, &frame.bytes, &known::read());
            }
            Event::Frame { stream, frame } => self.received(stream, frame, engine, wall_ms),
            Event::Closed(stream) => {
                self.cards.closed(stream);
                self.let_go(stream, engine);
                // Until now something of it was still on its way.
                self.ends.forget(LinkId(stream.0));
            }
            Event::NotOpened { peer, protocol: Protocol::Card } => self.cards.not_opened(&peer),
            Event::NotOpened { peer, protocol: Protocol::Sync } => self.asking.ended(&peer, Instant::now()),
            Event::Found { .. } | Event::Gone(_) | Event::Unreachable { .. } | Event::NotOpened { .. } => {}
        }
        None
    }

    fn opened(&mut self, stream: Stream) {
        if stream.direction == Direction::Ours {
            self.asking.opened(&stream.peer, Instant::now());
            // One that is closed already is told of as such.
            stream.send(knock(&self.project, &self.net.peer(), &stream.peer));
        }
        self.links.insert(stream.id, Link { stream, state: State::Knocking { since: Instant::now() } });
    }

    fn received(&mut self, id: StreamId, frame: Frame, engine: &mut Engine, wall_ms: u64) {
        let moment = self.moment(wall_ms);
        let Some(link) = self.links.get_mut(&id) else { return };
        if matches!(link.state, State::Open) {
            return engine.handle_frame(LinkId(id.0), &frame.bytes, moment);
        }
        let (own, peer) = (self.net.peer(), link.stream.peer);
        let is_answered =
            link.stream.direction == Direction::Ours || link.stream.send(knock(&self.project, &own, &peer));
        if frame.bytes != knock(&self.project, &peer, &own) || !is_answered {
            // Whoever does not know the project learns nothing, not even that it is here.
            return self.forget(id);
        }
        link.state = State::Open;
        self.ends.note(LinkId(id.0), peer);
        engine.connect(LinkId(id.0), pass::token(engine, &self.key, &own, wall_ms), moment);
    }

    fn let_go(&mut self, id: StreamId, engine: &mut Engine) {
        if self.links.contains_key(&id) {
            engine.disconnect(LinkId(id.0));
        }
        self.forget(id);
    }

    /// A link is over: another one is asked for, unless there is one.
    fn forget(&mut self, id: StreamId) {
        let Some(Link { stream: gone, .. }) = self.links.remove(&id) else { return };
        if !self.links.values().any(|link| link.stream.peer == gone.peer) {
            self.asking.ended(&gone.peer, Instant::now());
        }
    }

    fn ask(&mut self) {
        self.asking.take_due(Instant::now()).into_iter().for_each(|peer| self.net.open(peer, Protocol::Sync));
        self.cards.ask(&self.net);
    }

    /// What is due by time.
    pub fn tend(&mut self, engine: &mut Engine, wall_ms: u64) {
        let is_late = |link: &Link| matches!(link.state, State::Knocking { since } if since.elapsed() >= KNOCK_WAIT);
        let late: Vec<StreamId> = self.links.iter().filter(|(_, link)| is_late(link)).map(|(id, _)| *id).collect();
        late.into_iter().for_each(|id| self.forget(id));
        self.ask();
        engine.tend_links(self.moment(wall_ms));
    }

    /// Does what the engine wants to have done for its links; what is not the network's business comes back.
    pub fn carry_out(&mut self, engine: &mut Engine) -> Vec<(LinkId, LinkOutput)> {
        let mut rest = Vec::new();
        for (id, output) in engine.take_link_outputs() {
            let stream_id = StreamId(id.0);
            let Some(link) = self.links.get(&stream_id) else {
                // The last word may have come together with the end of the stream.
                if let LinkOutput::Tell(LinkEvent::Ended(_)) = output {
                    rest.push((id, output));
                }
                continue;
            };
            match output {
                LinkOutput::Send(frame) => {
                    if !link.stream.send(frame) {
                        self.let_go(stream_id, engine);
                    }
                }
                LinkOutput::Close => {
                    let peer = link.stream.peer;
                    self.let_go(stream_id, engine);
                    // Whoever only loses the connection comes again as a member.
                    if !self.links.values().any(|link| link.stream.peer == peer) {
                        self.net.set_member(peer, false);
                    }
                    rest.push((id, LinkOutput::Close));
                }
                output => {
                    if matches!(output, LinkOutput::Admitted(_)) {
                        link.stream.set_frame_bytes_max(codesync_sync::limits::FRAME_BYTES_MAX as u32);
                        self.net.set_member(link.stream.peer, true);
                    }
                    rest.push((id, output));
                }
            }
        }
        rest
    }

    /// Ends the part in the network, but for what the engine wants to have said to those whose links it ended.
    pub fn end_after_last_words(mut self, engine: &mut Engine) {
        let mut ended = Vec::new();
        for (id, output) in engine.take_link_outputs() {
            let stream_id = StreamId(id.0);
            match output {
                LinkOutput::Send(frame) => {
                    if let Some(link) = self.links.get(&stream_id) {
                        // One that is closed by now needs no goodbye.
                        link.stream.send(frame);
                    }
                }
                LinkOutput::Close => ended.extend(self.links.remove(&stream_id).map(|link| link.stream)),
                LinkOutput::Admitted(_) | LinkOutput::Tell(_) | LinkOutput::OwnLogElsewhere => {}
            }
        }
        self.net.end_after(ended);
    }
}

pub(crate) fn role_of(role: Role) -> codesync_api::Role {
    match role {
        Role::Viewer => codesync_api::Role::Viewer,
        Role::Editor => codesync_api::Role::Editor,
        Role::Owner => codesync_api::Role::Owner,
    }
}

pub(crate) fn role_from(role: codesync_api::Role) -> Role {
    match role {
        codesync_api::Role::Viewer => Role::Viewer,
        codesync_api::Role::Editor => Role::Editor,
        codesync_api::Role::Owner => Role::Owner,
    }
}
