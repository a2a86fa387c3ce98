//! The thread of the network: owns the libp2p swarm, does what it is told, tells what happened.

use crate::address::{may_be_dialled, quic, socket_of, tcp};
use crate::closing::ClosingSoon;
use crate::opening::{self, Opening};
use crate::reach::{Reach, retry_ms};
use crate::room::gives_way;
use crate::stream::{Direction, Protocol, Stream, StreamId, stream};
use crate::{Address, Config, Event, NetError, Peer, Unreachable};
use futures::StreamExt;
use futures::future::join_all;
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::core::transport::ListenerId;
use libp2p::core::upgrade::Version;
use libp2p::core::{ConnectedPoint, Transport};
use libp2p::identity::{self, Keypair};
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{
    ConnectionId, DialError, ExpiredListenAddr, FromSwarm, NetworkBehaviour, NewListenAddr, SwarmEvent,
};
use libp2p::{Multiaddr, PeerId, Swarm, SwarmBuilder, mdns, noise, ping, yamux};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{mpsc, watch};

/// Connections that are being made to this peer at a time.
const PENDING_MAX: u32 = 32;
/// Those of remembered members are made above it, too.
const CONNECTIONS_MAX: u32 = 128;
/// Those of peers that nobody here asked for and that are not known as members. A new one always finds room.
const STRANGERS_MAX: usize = 64;
/// Members that are remembered. Those above it are strangers here.
const MEMBERS_MAX: usize = 64;
/// Two that dial each other in the same moment have two, over two transports four.
const CONNECTIONS_PER_PEER_MAX: usize = 4;
const STREAMS_PER_PEER_MAX: u32 = 8;
const PING_INTERVAL: Duration = Duration::from_millis(1_000);
/// libp2p's own way of giving up takes a second, slower failure: the silence is counted here.
const SILENCE_NEVER: Duration = Duration::from_secs(3_600);
const DIAL_TIMEOUT: Duration = Duration::from_millis(2_500);
/// A connection without a stream is of no use to anybody.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const MDNS_TTL: Duration = Duration::from_secs(60);
const MDNS_INTERVAL: Duration = Duration::from_secs(20);
/// When others are asked again after that began: libp2p asks seldom once anybody answered, and answers get lost.
const ASK_AGAIN: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(8)];
const MDNS_SOCKET: (Ipv4Addr, u16) = (mdns::IPV4_MDNS_MULTICAST_ADDRESS, 5353);
/// Who is there? In the words of DNS: one question, for the pointers (12) of `_p2p._udp.local`, class 1.
const MDNS_QUESTION: &[u8] = b"\0\0\0\0\0\x01\0\0\0\0\0\0\x04_p2p\x04_udp\x05local\0\0\x0c\0\x01";
/// How often a stream is asked for, and how long after each other.
const OPENINGS_MAX: u32 = 5;
const OPEN_AGAIN: Duration = Duration::from_millis(200);
/// Ports that are tried behind one that is taken.
const PORTS_AFTER: u16 = 9;
/// How many ports are tried where any will do.
const ANY_PORT_TRIES: usize = 8;
/// How often what is due is looked at.
const TICK: Duration = Duration::from_millis(100);
/// If so much more time went by on the clock than in this process, the machine slept.
const SLEPT: Duration = Duration::from_secs(5);
/// How long a stream may go on when its connection is gone: what was received is still read.
const AFTER_CONNECTION: Duration = Duration::from_millis(250);
/// How long a network goes on that is only to say last words: whoever hears them may be at work.
const LAST_WORDS_WAIT: Duration = Duration::from_secs(2);

#[derive(NetworkBehaviour)]
struct Behaviour {
    limits: connection_limits::Behaviour,
    mdns: Toggle<mdns::tokio::Behaviour>,
    ping: ping::Behaviour,
    opening: opening::Behaviour,
}

enum Command {
    SetVisible(bool),
    Look,
    Dial { address: Address, is_kept: bool },
    Forget(Address),
    Open { peer: Peer, protocol: Protocol },
    Disconnect(Peer),
    SetMember { peer: Peer, is_member: bool },
    EndAfter(Vec<Stream>),
}

/// A running network. It ends, with all its connections, when this is dropped.
pub struct Net {
    commands: mpsc::UnboundedSender<Command>,
    peer: Peer,
}

impl Net {
    /// Starts listening and, if it may, looking. `tell` is called on the network's thread and must not wait.
    pub fn start(config: Config, tell: impl Fn(Event) + Clone + Send + Sync + 'static) -> Result<Self, NetError> {
        let start = |error: &dyn std::fmt::Display| NetError::Start(error.to_string());
        let key = Keypair::ed25519_from_bytes(config.seed).map_err(|error| start(&error))?;
        let peer = peer_of(&key.public().to_peer_id()).ok_or_else(|| start(&"not an Ed25519 key"))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| start(&e))?;
        let (commands, receiver) = mpsc::unbounded_channel();
        let (network, resolved) = {
            let _entered = runtime.enter();
            let mut swarm = build(key)?;
            listen(&mut swarm, config.port)?;
            let (resolved, resolved_receiver) = mpsc::channel(16);
            (Loop::new(swarm, peer, &config, resolved, tell), resolved_receiver)
        };
        std::thread::Builder::new()
            .name("network".into())
            .spawn(move || runtime.block_on(network.run(receiver, resolved)))
            .map_err(|error| start(&error))?;
        Ok(Self { commands, peer })
    }

    /// This end's own key.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Whether to ask for others on the local network, and to answer.
    pub fn set_visible(&self, visible: bool) {
        self.command(Command::SetVisible(visible));
    }

    /// Asks anew who is there, and dials again whoever was not reached; who does not answer within seconds is gone.
    pub fn look(&self) {
        self.command(Command::Look);
    }

    /// Tries to reach a peer at an address, once.
    pub fn dial(&self, address: Address) {
        self.command(Command::Dial { address, is_kept: false });
    }

    /// Stays connected with whoever is at an address: dials until it is there, and again when it is lost.
    pub fn keep(&self, address: Address) {
        self.command(Command::Dial { address, is_kept: true });
    }

    /// Ends `keep`.
    pub fn forget(&self, address: Address) {
        self.command(Command::Forget(address));
    }

    /// Asks for a stream to a connected peer. Asked twice before it is there, it is one.
    pub fn open(&self, peer: Peer, protocol: Protocol) {
        self.command(Command::Open { peer, protocol });
    }

    /// Ends all connections to a peer.
    pub fn disconnect(&self, peer: Peer) {
        self.command(Command::Disconnect(peer));
    }

    /// Whether a peer is a member: strangers do not take its place, and it finds one when it comes again.
    pub fn set_member(&self, peer: Peer, is_member: bool) {
        self.command(Command::SetMember { peer, is_member });
    }

    /// Ends once the other ends have closed these streams: what was said there last got through then.
    pub fn end_after(self, streams: Vec<Stream>) {
        self.command(Command::EndAfter(streams));
    }

    fn command(&self, command: Command) {
        // The thread ends before this only if it panicked, and then there is nothing to tell it.
        self.commands.send(command).unwrap_or_default();
    }
}

fn build(key: Keypair) -> Result<Swarm<Behaviour>, NetError> {
    let start = |error: &dyn std::fmt::Display| NetError::Start(error.to_string());
    let limits = ConnectionLimits::default()
        .with_max_pending_incoming(Some(PENDING_MAX))
        .with_max_pending_outgoing(Some(PENDING_MAX))
        .with_max_established(Some(CONNECTIONS_MAX))
        .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER_MAX as u32));
    let ping = ping::Config::new().with_interval(PING_INTERVAL).with_timeout(SILENCE_NEVER);
    let behaviour = Behaviour {
        limits: connection_limits::Behaviour::new(limits),
        mdns: None.into(),
        ping: ping::Behaviour::new(ping),
        opening: opening::Behaviour::default(),
    };
    let swarm = SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_quic()
        .with_other_transport(|key| {
            let transport = libp2p::tcp::tokio::Transport::new(libp2p::tcp::Config::default().nodelay(true))
                .upgrade(Version::V1Lazy)
                .authenticate(noise::Config::new(key)?)
                .multiplex(yamux::Config::default());
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(
                transport.map(|(peer, muxer), _| (peer, ClosingSoon::new(muxer))),
            )
        })
        .map_err(|error| start(&error))?
        .with_behaviour(|_| behaviour)
        .map_err(|error| start(&error))?
        .with_swarm_config(|swarm| swarm.with_idle_connection_timeout(IDLE_TIMEOUT))
        .with_connection_timeout(DIAL_TIMEOUT)
        .build();
    Ok(swarm)
}

/// Listens everywhere on a port, or on one behind it, or on any (0). One address is enough to go on with. Whoever listens
/// over QUIC has a port alone, and only then looks whether it is free: two that start in the same moment do not meet at it.
fn listen(swarm: &mut Swarm<Behaviour>, port: u16) -> Result<(), NetError> {
    let wanted = (port..=port.saturating_add(PORTS_AFTER)).filter(|_| port != 0);
    let any = std::iter::repeat_with(free_port).take(ANY_PORT_TRIES).flatten();
    for port in wanted.clone().chain(any) {
        let Ok(alone) = swarm.listen_on(quic(v4(port))) else { continue };
        if is_free(port) && swarm.listen_on(tcp(v4(port))).is_ok() {
            // Not every computer has IPv6.
            for address in [tcp(v6(port)), quic(v6(port))] {
                swarm.listen_on(address).map(drop).unwrap_or_default();
            }
            return Ok(());
        }
        swarm.remove_listener(alone);
    }
    // Without UDP, or without IPv4.
    let mut why = String::new();
    for port in wanted.filter(|port| is_free(*port)).chain(free_port()).chain([0]) {
        let tried = [tcp(v4(port)), tcp(v6(port))].map(|address| swarm.listen_on(address));
        match tried {
            [Err(error), Err(_)] => why = error.to_string(),
            _ => return Ok(()),
        }
    }
    Err(NetError::NoAddress(why))
}

fn v4(port: u16) -> SocketAddr {
    (Ipv4Addr::UNSPECIFIED, port).into()
}

fn v6(port: u16) -> SocketAddr {
    (Ipv6Addr::UNSPECIFIED, port).into()
}

/// Whether nobody listens on a port. libp2p itself would share it: dialling it would then lead to either of the two.
fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
}

/// A port that nobody listens on at this moment.
fn free_port() -> Option<u16> {
    Some(TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?.local_addr().ok()?.port())
}

/// An address that is dialled again whenever nobody there is connected.
struct Kept {
    peer: Option<Peer>,
    is_dialling: bool,
    n_failures: u32,
    due_ms: u64,
}

struct Loop<T> {
    swarm: Swarm<Behaviour>,
    tell: T,
    visible: bool,
    reach: Reach,
    /// When others are to be asked again, the next time last.
    ask_again: Vec<Instant>,
    kept: BTreeMap<Address, Kept>,
    /// Dials that are under way, and where to.
    dials: HashMap<ConnectionId, Dialled>,
    /// Those that are alive, as far as it shows here: libp2p may be busy for minutes with closing another in good order.
    connections: BTreeMap<ConnectionId, Connection>,
    /// Those that were told last come last.
    members: Vec<Peer>,
    /// Streams that were asked for and are not there yet.
    wanted: Vec<Wanted>,
    silence_max: Duration,
    listening: Vec<(ListenerId, Multiaddr)>,
    n_streams: Arc<StreamCounts>,
    next_stream_id: u64,
    resolved: mpsc::Sender<(Address, Option<SocketAddr>)>,
    began: Instant,
    last_tick: (Instant, SystemTime),
}

enum Dialled {
    Found(Peer),
    Typed(Address),
}

struct Connection {
    peer: Peer,
    ip: Option<IpAddr>,
    /// Somebody here typed its address.
    is_asked_for: bool,
    /// When it last answered.
    heard: Instant,
    /// Dropped when it ends. Without a cable a connection can't be closed in good order, and its streams would never hear
    /// of its end.
    life: watch::Sender<()>,
}

/// A stream that is asked for: some times, for the connection may just end and another one be there.
struct Wanted {
    peer: Peer,
    protocol: Protocol,
    n_tries: u32,
    state: Asking,
}

#[derive(Clone, Copy, PartialEq)]
enum Asking {
    Due(Instant),
    On(ConnectionId),
}

#[derive(Default)]
struct StreamCounts(std::sync::Mutex<BTreeMap<Peer, u32>>);

/// A stream's place among those of its peer.
struct StreamPlace {
    counts: Arc<StreamCounts>,
    peer: Peer,
}

impl StreamCounts {
    fn take(self: &Arc<Self>, peer: Peer) -> Option<StreamPlace> {
        let mut counts = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let n_streams = counts.entry(peer).or_default();
        if *n_streams >= STREAMS_PER_PEER_MAX {
            return None;
        }
        *n_streams += 1;
        Some(StreamPlace { counts: self.clone(), peer })
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut counts = self.counts.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(n_streams) = counts.get_mut(&self.peer) {
            *n_streams -= 1;
            if *n_streams == 0 {
                counts.remove(&self.peer);
            }
        }
    }
}

impl<T: Fn(Event) + Clone + Send + Sync + 'static> Loop<T> {
    fn new(
        swarm: Swarm<Behaviour>,
        own: Peer,
        config: &Config,
        resolved: mpsc::Sender<(Address, Option<SocketAddr>)>,
        tell: T,
    ) -> Self {
        Self {
            swarm,
            tell,
            visible: config.visible,
            reach: Reach::new(own),
            ask_again: Vec::new(),
            kept: BTreeMap::new(),
            dials: HashMap::new(),
            connections: BTreeMap::new(),
            members: Vec::new(),
            wanted: Vec::new(),
            silence_max: config.silence_max,
            listening: vec![],
            n_streams: Arc::default(),
            next_stream_id: 1,
            resolved,
            began: Instant::now(),
            last_tick: (Instant::now(), SystemTime::now()),
        }
    }

    async fn run(
        mut self,
        mut commands: mpsc::UnboundedReceiver<Command>,
        mut resolved: mpsc::Receiver<(Address, Option<SocketAddr>)>,
    ) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        self.look();
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.happened(event),
                command = commands.recv() => match command {
                    Some(Command::EndAfter(streams)) => return self.say_last_words(&streams).await,
                    Some(command) => self.obey(command),
                    None => return,
                },
                Some((address, socket)) = resolved.recv() => self.dial_at(address, socket),
                _ = tick.tick() => self.tick(),
            }
        }
    }

    async fn say_last_words(&mut self, streams: &[Stream]) {
        let all_closed = join_all(streams.iter().map(Stream::closed));
        let heard = tokio::time::timeout(LAST_WORDS_WAIT, all_closed);
        tokio::pin!(heard);
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.happened(event),
                _ = &mut heard => return,
            }
        }
    }

    fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::SetVisible(visible) => {
                self.visible = visible;
                self.look();
            }
            Command::Look => {
                self.network_changed();
                self.look();
            }
            Command::Dial { address, is_kept } => {
                if is_kept {
                    let fresh = Kept { peer: None, is_dialling: false, n_failures: 0, due_ms: 0 };
                    let kept = self.kept.entry(address.clone()).or_insert(fresh);
                    // One more connection would only take the place of one that carries streams.
                    if kept.peer.is_some() || std::mem::replace(&mut kept.is_dialling, true) {
                        return;
                    }
                }
                self.dial(address);
            }
            Command::Forget(address) => drop(self.kept.remove(&address)),
            Command::Disconnect(peer) => {
                if let Some(id) = peer_id_of(&peer) {
                    // It may be gone already.
                    self.swarm.disconnect_peer_id(id).unwrap_or_default();
                }
                for connection in self.connections_with(&peer) {
                    self.ended(connection);
                }
            }
            Command::SetMember { peer, is_member } => self.set_member(peer, is_member),
            // The loop ends with it.
            Command::EndAfter(_) => {}
            Command::Open { peer, protocol } => {
                let is_same = |wanted: &Wanted| (wanted.peer, wanted.protocol) == (peer, protocol);
                if !self.wanted.iter().any(is_same) {
                    self.wanted.push(Wanted { peer, protocol, n_tries: 0, state: Asking::Due(Instant::now()) });
                }
                self.ask_for_streams();
            }
        }
    }

    /// Asks for others anew, or hides from them. libp2p's own way of asking starts slowly and cannot be hurried: here it is
    /// asked in its stead, and hears the answers.
    fn look(&mut self) {
        let is_asking = self.swarm.behaviour().mdns.is_enabled();
        match (self.visible, is_asking) {
            (true, true) => self.ask_who_is_there(),
            (true, false) => self.begin_mdns(),
            (false, true) => self.end_mdns(),
            (false, false) => {}
        }
    }

    fn ask_who_is_there(&self) {
        let sockets = self.listening.iter().filter_map(|(_, address)| socket_of(address));
        let adapters: BTreeSet<IpAddr> = sockets.map(|socket| socket.ip()).filter(|ip| ip.is_ipv4()).collect();
        for adapter in adapters.into_iter().filter(|ip| !ip.is_loopback()) {
            let asked = UdpSocket::bind((adapter, 0)).and_then(|socket| {
                socket.set_nonblocking(true)?;
                socket.send_to(MDNS_QUESTION, MDNS_SOCKET)
            });
            if let Err(error) = asked {
                tracing::debug!(%error, %adapter, "nobody can be asked who is there");
            }
        }
    }

    fn begin_mdns(&mut self) {
        let config = mdns::Config { ttl: MDNS_TTL, query_interval: MDNS_INTERVAL, enable_ipv6: false };
        let mut fresh = match mdns::tokio::Behaviour::new(config, *self.swarm.local_peer_id()) {
            Ok(fresh) => fresh,
            Err(error) => return tracing::warn!(%error, "peers on the local network can't be looked for"),
        };
        for (listener_id, addr) in &self.listening {
            let known = NewListenAddr { listener_id: *listener_id, addr };
            fresh.on_swarm_event(FromSwarm::NewListenAddr(known));
        }
        self.swarm.behaviour_mut().mdns = Some(fresh).into();
        let began = Instant::now();
        self.ask_again = ASK_AGAIN.iter().rev().map(|wait| began + *wait).collect();
    }

    /// libp2p leaves tasks behind that go on answering until they hear somebody: there is nothing to be answered.
    fn end_mdns(&mut self) {
        let old = &mut self.swarm.behaviour_mut().mdns;
        for (listener_id, addr) in &self.listening {
            let known = ExpiredListenAddr { listener_id: *listener_id, addr };
            old.on_swarm_event(FromSwarm::ExpiredListenAddr(known));
        }
        *old = None.into();
        self.ask_again.clear();
    }

    fn dial(&mut self, address: Address) {
        if let Some(socket) = address.socket() {
            return self.dial_at(address, Some(socket));
        }
        let resolved = self.resolved.clone();
        tokio::spawn(async move {
            let found = tokio::net::lookup_host((address.host(), address.port())).await;
            let best = found.ok().and_then(crate::address::best_of);
            resolved.send((address, best)).await.unwrap_or_default();
        });
    }

    fn dial_at(&mut self, address: Address, socket: Option<SocketAddr>) {
        let now_ms = self.now_ms();
        let Some(socket) = socket else { return self.not_reached(address, Unreachable::NoSuchName, now_ms) };
        if self.listening.iter().any(|(_, own)| socket_of(own) == Some(socket)) {
            return self.not_reached(address, Unreachable::Oneself, now_ms);
        }
        let options = DialOpts::unknown_peer_id().address(tcp(socket)).build();
        let id = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => drop(self.dials.insert(id, Dialled::Typed(address))),
            Err(error) => self.not_reached(address, why(&error), now_ms),
        }
    }

    fn not_reached(&mut self, address: Address, why: Unreachable, now_ms: u64) {
        if let Some(kept) = self.kept.get_mut(&address) {
            kept.is_dialling = false;
            kept.n_failures = kept.n_failures.saturating_add(1);
            kept.due_ms = now_ms + retry_ms(kept.n_failures, random());
        }
        (self.tell)(Event::Unreachable { address, why });
    }

    fn tick(&mut self) {
        let (now, clock) = (Instant::now(), SystemTime::now());
        let awake = now - self.last_tick.0;
        if clock.duration_since(self.last_tick.1).unwrap_or_default() > awake + SLEPT {
            tracing::info!("the machine slept: everything is tried again");
            self.network_changed();
            self.look();
        }
        self.last_tick = (now, clock);
        self.end_silent(now);
        self.ask_for_streams();
        if self.ask_again.pop_if(|at| *at <= now).is_some() {
            self.ask_who_is_there();
        }
        let now_ms = self.now_ms();
        for peer in self.reach.take_gone() {
            (self.tell)(Event::Gone(peer));
        }
        for dial in self.reach.take_due(now_ms) {
            let Some(id) = peer_id_of(&dial.peer) else { continue };
            let addresses =
                dial.addresses.iter().map(|socket| if dial.over_quic { quic(*socket) } else { tcp(*socket) }).collect();
            // libp2p may still have a connection that is dead.
            let options = DialOpts::peer_id(id).condition(PeerCondition::NotDialing).addresses(addresses).build();
            let connection = options.connection_id();
            match self.swarm.dial(options) {
                Ok(()) => drop(self.dials.insert(connection, Dialled::Found(dial.peer))),
                Err(error) => {
                    tracing::debug!(%error, "a peer can't be dialled");
                    self.reach.failed(&dial.peer, now_ms, random());
                }
            }
        }
        let is_due = |kept: &Kept| kept.peer.is_none() && !kept.is_dialling && kept.due_ms <= now_ms;
        let due: Vec<Address> =
            self.kept.iter().filter(|(_, kept)| is_due(kept)).map(|(address, _)| address.clone()).collect();
        for address in due {
            if let Some(kept) = self.kept.get_mut(&address) {
                kept.is_dialling = true;
            }
            self.dial(address);
        }
    }

    fn network_changed(&mut self) {
        let now_ms = self.now_ms();
        self.reach.network_changed(now_ms);
        self.kept.values_mut().for_each(|kept| (kept.n_failures, kept.due_ms) = (0, now_ms + 100));
    }

    fn happened(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::NewListenAddr { listener_id, address } => {
                if let Some(socket) = socket_of(&address) {
                    self.listening.push((listener_id, address));
                    (self.tell)(Event::Listening(socket));
                    self.network_changed();
                }
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.listening.retain(|(_, known)| *known != address);
                if let Some(socket) = socket_of(&address) {
                    (self.tell)(Event::NotListening(socket));
                    self.network_changed();
                }
            }
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.connected(&peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { connection_id, .. } => self.ended(connection_id),
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                let now_ms = self.now_ms();
                let dialled = self.dials.remove(&connection_id);
                if let (Some(Dialled::Found(peer)), DialError::WrongPeerId { address, .. }) = (&dialled, &error)
                    && let Some(socket) = socket_of(address)
                {
                    self.reach.is_elsewhere(peer, &socket);
                }
                match dialled {
                    Some(Dialled::Found(peer)) => self.reach.failed(&peer, now_ms, random()),
                    Some(Dialled::Typed(address)) => self.not_reached(address, why(&error), now_ms),
                    None => {}
                }
            }
            SwarmEvent::Behaviour(BehaviourEvent::Mdns(mdns::Event::Discovered(found))) => {
                found.into_iter().for_each(|(id, address)| self.found(&id, &address));
            }
            SwarmEvent::Behaviour(BehaviourEvent::Mdns(mdns::Event::Expired(lost))) => {
                for (id, address) in lost {
                    if let (Some(peer), Some(socket)) = (peer_of(&id), socket_of(&address)) {
                        self.reach.lost(&peer, &socket);
                    }
                }
            }
            SwarmEvent::Behaviour(BehaviourEvent::Opening((connection, opening))) => self.answered(connection, opening),
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping)) => self.pinged(ping),
            other => tracing::trace!(?other, "network"),
        }
    }

    fn found(&mut self, id: &PeerId, address: &Multiaddr) {
        let now_ms = self.now_ms();
        let (Some(peer), Some(socket)) = (peer_of(id), socket_of(address)) else { return };
        if may_be_dialled(address) && self.reach.found(peer, socket, now_ms, random()) {
            (self.tell)(Event::Found { peer, address: socket });
        }
    }

    fn connected(&mut self, id: &PeerId, connection: ConnectionId, endpoint: &ConnectedPoint) {
        let now_ms = self.now_ms();
        let dialled = self.dials.remove(&connection);
        let Some(peer) = peer_of(id) else {
            // Only Ed25519 keys are peers of ours.
            self.swarm.close_connection(connection);
            if let Some(Dialled::Typed(address)) = dialled {
                self.not_reached(address, Unreachable::NotAPeer, now_ms);
            }
            return;
        };
        let is_first = self.connections_with(&peer).is_empty();
        let (address, is_asked_for) =
            (socket_of(endpoint.get_remote_address()), matches!(dialled, Some(Dialled::Typed(_))));
        let (ip, heard, life) = (address.map(|address| address.ip()), Instant::now(), watch::channel(()).0);
        self.connections.insert(connection, Connection { peer, ip, is_asked_for, heard, life });
        self.reach.connected(peer, now_ms);
        if let Some(Dialled::Typed(address)) = &dialled
            && let Some(kept) = self.kept.get_mut(address)
        {
            (kept.peer, kept.is_dialling, kept.n_failures) = (Some(peer), false, 0);
        }
        if let Some(address) = address
            && (is_first || is_asked_for)
        {
            (self.tell)(Event::Connected { peer, address, dialled: endpoint.is_dialer() });
        }
        self.make_room(&peer);
    }

    /// Ends what has to give way to a new connection with a peer.
    fn make_room(&mut self, peer: &Peer) {
        let is_stranger = |known: &Connection| !known.is_asked_for && !self.members.contains(&known.peer);
        let strangers: Vec<_> = self.connections.iter().filter(|(_, known)| is_stranger(known)).collect();
        let stranger = (strangers.len() > STRANGERS_MAX)
            .then(|| gives_way(strangers.into_iter().map(|(connection, known)| (known.ip, *connection))));
        // A member's libp2p does not count.
        let theirs = self.connections_with(peer);
        let oldest = theirs.first().filter(|_| theirs.len() > CONNECTIONS_PER_PEER_MAX).copied();
        for connection in stranger.flatten().into_iter().chain(oldest) {
            tracing::debug!(%connection, "a connection gives way to another");
            self.swarm.close_connection(connection);
            self.ended(connection);
        }
    }

    fn set_member(&mut self, peer: Peer, is_member: bool) {
        let Some(id) = peer_id_of(&peer) else { return };
        self.members.retain(|known| *known != peer);
        if !is_member {
            return self.swarm.behaviour_mut().limits.remove_peer_id(&id);
        }
        self.members.push(peer);
        self.swarm.behaviour_mut().limits.bypass_peer_id(&id);
        if self.members.len() > MEMBERS_MAX {
            let absent = self.members.iter().find(|known| self.connections_with(known).is_empty());
            let forgotten = *absent.unwrap_or(&self.members[0]);
            self.set_member(forgotten, false);
        }
    }

    fn connections_with(&self, peer: &Peer) -> Vec<ConnectionId> {
        self.connections.iter().filter(|(_, known)| known.peer == *peer).map(|(id, _)| *id).collect()
    }

    /// A connection is of no use any more. Whoever asked for a stream on it asks on another one.
    fn ended(&mut self, connection: ConnectionId) {
        let Some(Connection { peer, .. }) = self.connections.remove(&connection) else { return };
        let now = Instant::now();
        let asked = self.wanted.iter_mut().filter(|wanted| wanted.state == Asking::On(connection));
        asked.for_each(|wanted| wanted.state = Asking::Due(now));
        if self.connections_with(&peer).is_empty() {
            self.disconnected(peer);
        }
    }

    fn disconnected(&mut self, peer: Peer) {
        let now_ms = self.now_ms();
        self.reach.disconnected(peer, now_ms, random());
        for kept in self.kept.values_mut().filter(|kept| kept.peer == Some(peer)) {
            (kept.peer, kept.due_ms) = (None, now_ms + random() % 250);
        }
        (self.tell)(Event::Disconnected(peer));
    }

    fn pinged(&mut self, ping: ping::Event) {
        let (Ok(time), Some(peer)) = (ping.result, peer_of(&ping.peer)) else { return };
        if let Some(connection) = self.connections.get_mut(&ping.connection) {
            connection.heard = Instant::now();
        }
        (self.tell)(Event::RoundTrip { peer, time });
    }

    /// Ends connections on which nothing was answered for too long.
    fn end_silent(&mut self, now: Instant) {
        let is_silent = |known: &Connection| now.saturating_duration_since(known.heard) > self.silence_max;
        let silent: Vec<ConnectionId> =
            self.connections.iter().filter(|(_, known)| is_silent(known)).map(|(connection, _)| *connection).collect();
        for connection in silent {
            tracing::debug!(%connection, "a connection is silent");
            self.swarm.close_connection(connection);
            self.ended(connection);
        }
    }

    /// Asks for the streams whose turn it is, each on the connection with the peer that answered last.
    fn ask_for_streams(&mut self) {
        let now = Instant::now();
        let (mut wanted, mut vain) = (std::mem::take(&mut self.wanted), Vec::new());
        wanted.retain_mut(|wanted| {
            if !matches!(wanted.state, Asking::Due(at) if at <= now) {
                return true;
            }
            if wanted.n_tries == OPENINGS_MAX {
                vain.push(Event::NotOpened { peer: wanted.peer, protocol: wanted.protocol });
                return false;
            }
            wanted.n_tries += 1;
            let connections = self.connections.iter().filter(|(_, known)| known.peer == wanted.peer);
            let best = connections.max_by_key(|(_, known)| known.heard).map(|(connection, _)| *connection);
            wanted.state = match best.zip(peer_id_of(&wanted.peer)) {
                Some((connection, id)) => {
                    self.swarm.behaviour_mut().opening.open(id, connection, wanted.protocol);
                    Asking::On(connection)
                }
                None => Asking::Due(now + OPEN_AGAIN),
            };
            true
        });
        self.wanted = wanted;
        vain.into_iter().for_each(|event| (self.tell)(event));
    }

    /// What became of a stream on a connection.
    fn answered(&mut self, connection: ConnectionId, opening: Opening) {
        let asked = |protocol: Protocol| {
            let is_it = |wanted: &Wanted| wanted.state == Asking::On(connection) && wanted.protocol == protocol;
            self.wanted.iter().position(is_it)
        };
        match opening {
            Opening::Opened(protocol, Direction::Theirs, io) => self.carry(connection, protocol, Direction::Theirs, io),
            Opening::Opened(protocol, Direction::Ours, io) => {
                // One that nobody waits for any more is closed by dropping it.
                if let Some(at) = asked(protocol) {
                    self.wanted.remove(at);
                    self.carry(connection, protocol, Direction::Ours, io);
                }
            }
            Opening::Failed { protocol, is_unknown } => {
                if let Some(at) = asked(protocol) {
                    let wanted = &mut self.wanted[at];
                    wanted.state = Asking::Due(Instant::now() + OPEN_AGAIN);
                    if is_unknown {
                        wanted.n_tries = OPENINGS_MAX;
                    }
                }
            }
        }
    }

    fn carry(&mut self, connection: ConnectionId, protocol: Protocol, direction: Direction, io: libp2p::Stream) {
        let Some(Connection { peer, life, .. }) = self.connections.get(&connection) else { return };
        let (peer, mut life) = (*peer, life.subscribe());
        let Some(place) = self.n_streams.take(peer) else {
            tracing::debug!(?peer, "too many streams of one peer");
            if direction == Direction::Ours {
                (self.tell)(Event::NotOpened { peer, protocol });
            }
            return;
        };
        let id = StreamId(self.next_stream_id);
        self.next_stream_id += 1;
        let (stream, pump) = stream(id, peer, protocol, direction, io);
        (self.tell)(Event::Opened(stream));
        let tell = self.tell.clone();
        tokio::spawn(async move {
            let is_cut = async {
                // Nothing is ever sent: it ends when the connection does.
                life.changed().await.unwrap_or_default();
                tokio::time::sleep(AFTER_CONNECTION).await;
            };
            tokio::select! {
                () = pump.run(&tell) => {}
                () = is_cut => tell(Event::Closed(id)),
            }
            drop(place);
        });
    }
}

fn why(error: &DialError) -> Unreachable {
    match error {
        DialError::LocalPeerId { .. } => Unreachable::Oneself,
        DialError::Transport(_) if is_refused_handshake(error) => Unreachable::NotAPeer,
        _ => Unreachable::NoAnswer,
    }
}

/// A connection stood, but the other end did not speak as a peer does. libp2p's types hide that behind several layers
/// of boxes; only their words show it: `Apply` and `Select` are the two ways an upgrade fails.
fn is_refused_handshake(error: &DialError) -> bool {
    let said = format!("{error:?}");
    said.contains("Apply(") || said.contains("Select(")
}

/// The key inside a peer id. An Ed25519 key is short enough to be in there as it is.
fn peer_of(id: &PeerId) -> Option<Peer> {
    let public = identity::PublicKey::try_decode_protobuf(id.as_ref().digest()).ok()?;
    public.try_into_ed25519().ok().map(|key| Peer(key.to_bytes()))
}

fn peer_id_of(peer: &Peer) -> Option<PeerId> {
    let key = identity::ed25519::PublicKey::try_from_bytes(&peer.0).ok()?;
    Some(identity::PublicKey::from(key).to_peer_id())
}

/// For jitter only.
fn random() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    match getrandom::u64() {
        Ok(number) => number,
        // Two peers without randomness may knock at the same time once more.
        Err(_) => LAST.fetch_add(7_919, Ordering::Relaxed),
    }
}

#[cfg(test)]
mod tests;
