//! A part in the network of its own, for whoever has no workspace open yet: shows that somebody is here, sees who else is
//! and what they share, and comes into a workspace by asking or with a code. One thread; everything is told by events.
//! Never opens a workspace, and has no history.

mod asking;
mod network;

use crate::join::{Failed, JoinOptions, Joined, join_while, network_is_off, no_network};
use crate::runtime::now;
use crate::seen::Seen;
use crate::together::{Cards, Mine, Shown, random};
use crate::{config, copies, known};
use asking::{Ask, Step};
use codesync_api::{ApiError, AppEvent, ErrorCode, Joining, Nearby, NearbyPerson, SharedWorkspace};
use codesync_auth::{About, Card, DeviceKey, Other};
use codesync_net::{Config, Direction, Event, Net, Peer, Protocol};
use network::Network;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The port that is tried first: the one behind that of workspaces, which typed addresses mean.
const PORT: u16 = codesync_net::DEFAULT_PORT + 1;
/// How long it counts as looking after the last time that it was asked to.
const LOOKING: Duration = Duration::from_secs(60);
/// Others are asked for anew after so long, while somebody looks; and from then on this often.
const LOOK_AGAIN: [Duration; 4] =
    [Duration::from_millis(700), Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(10)];
/// Messages handled before who is nearby is told.
const BATCH_MAX: usize = 256;

/// A running part in the network. It ends when this is dropped.
pub struct Lobby {
    inbox: Sender<Message>,
    nearby: Arc<Mutex<Nearby>>,
    thread: Option<JoinHandle<()>>,
}

enum Message {
    Net(Event),
    Look,
    /// Settings, the person's name or who is remembered changed.
    Anew {
        person: String,
    },
    Ask {
        peer: Peer,
        folder: PathBuf,
    },
    Join(Box<JoinOptions>),
    /// What became of an attempt to join, by its number.
    Joined(u64, Box<Result<Joined, Failed>>),
    Cancel,
    WordsDiffer,
    End,
}

impl Lobby {
    /// Takes part. `person`: as others see whoever is here. `tell` is called on a thread of its own with who is nearby and
    /// how joining goes.
    ///
    /// # Errors
    /// When this computer has no network, or is to use none.
    pub fn start(person: &str, tell: impl Fn(AppEvent) + Send + 'static) -> Result<Self, ApiError> {
        if config::is_network_off() {
            return Err(network_is_off());
        }
        let key = config::device_key()?;
        let (inbox, messages) = mpsc::channel();
        let for_net = inbox.clone();
        let config = Config { port: config::lobby_port(PORT), ..Config::new(random()) };
        // Once nobody listens any more, it is over.
        let net = Net::start(config, move |event| for_net.send(Message::Net(event)).unwrap_or_default());
        let nearby = Arc::new(Mutex::new(Nearby::default()));
        let room = Room::new(net.map_err(no_network)?, key, person, inbox.clone(), nearby.clone(), Box::new(tell))?;
        let thread = std::thread::Builder::new().name("codesync-lobby".into()).spawn(move || room.run(&messages));
        let thread = thread
            .map_err(|error| ApiError::new(ErrorCode::Internal, "A thread could not be started.").with_detail(error))?;
        Ok(Self { inbox, nearby, thread: Some(thread) })
    }

    /// Who is nearby now.
    pub fn nearby(&self) -> Nearby {
        self.nearby.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Somebody looks at who is nearby: asks the network at once, and again some times.
    pub fn look_around(&self) {
        self.send(Message::Look);
    }

    /// The settings or the person's name changed.
    pub fn settings_changed(&self, person: &str) {
        self.send(Message::Anew { person: person.to_owned() });
    }

    /// Comes into a workspace with a code. How it goes is told; it ends whatever attempt was made before.
    pub fn join(&self, options: JoinOptions) {
        self.send(Message::Join(Box::new(options)));
    }

    /// Asks somebody nearby to be let in. `peer` as in [`NearbyPerson::peer`].
    ///
    /// # Errors
    /// When that names nobody.
    pub fn ask(&self, peer: &str, folder: PathBuf) -> Result<(), ApiError> {
        let peer = parse_peer(peer)?;
        self.send(Message::Ask { peer, folder });
        Ok(())
    }

    pub fn cancel(&self) {
        self.send(Message::Cancel);
    }

    /// The words on the two screens differ (MSG-PAIR-6).
    pub fn words_differ(&self) {
        self.send(Message::WordsDiffer);
    }

    fn send(&self, message: Message) {
        // The thread ends before this only by a panic, and then there is nobody nearby any more.
        self.inbox.send(message).unwrap_or_default();
    }
}

impl Drop for Lobby {
    fn drop(&mut self) {
        self.send(Message::End);
        if let Some(thread) = self.thread.take() {
            // A panic there was reported already.
            thread.join().unwrap_or_default();
        }
    }
}

pub(crate) fn parse_peer(text: &str) -> Result<Peer, ApiError> {
    // Written as a device's key is.
    let key = text.parse::<codesync_base::DeviceId>();
    key.map(|key| Peer(key.0)).map_err(|_| ApiError::new(ErrorCode::Invalid, "That names nobody nearby."))
}

fn peer_text(peer: &Peer) -> String {
    codesync_base::DeviceId(peer.0).to_string()
}

/// What the thread has.
struct Room {
    net: Net,
    key: DeviceKey,
    person: String,
    cards: Cards,
    connected: BTreeMap<Peer, SocketAddr>,
    network: Network,
    looking_since: Option<Looking>,
    seen: Seen,
    ask: Option<Ask>,
    /// The newest attempt to join with a code, and how to end it.
    joining: (u64, Arc<AtomicBool>),
    inbox: Sender<Message>,
    nearby: Arc<Mutex<Nearby>>,
    tell: Box<dyn Fn(AppEvent) + Send>,
}

struct Looking {
    since: Instant,
    since_ms: u64,
    n_looks: usize,
    last: Instant,
}

impl Room {
    fn new(
        net: Net,
        key: DeviceKey,
        person: &str,
        inbox: Sender<Message>,
        nearby: Arc<Mutex<Nearby>>,
        tell: Box<dyn Fn(AppEvent) + Send>,
    ) -> Result<Self, ApiError> {
        let about = About::new(person, &config::device_name());
        let mut room = Self {
            cards: Cards::new(net.peer(), config::device_key()?, Mine::hidden(about)),
            net,
            key,
            person: person.to_owned(),
            connected: BTreeMap::new(),
            network: Network::default(),
            looking_since: None,
            seen: Seen::new(false),
            ask: None,
            joining: (0, Arc::default()),
            inbox,
            nearby,
            tell,
        };
        room.show();
        Ok(room)
    }

    fn run(mut self, messages: &Receiver<Message>) {
        loop {
            let first = match messages.recv_timeout(self.patience()) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut is_over = false;
            let batch: Vec<Message> = first.into_iter().chain(messages.try_iter().take(BATCH_MAX)).collect();
            // That a connection is alive is no news.
            let is_news = batch.iter().any(|message| !matches!(message, Message::Net(Event::RoundTrip { .. })));
            for message in batch {
                is_over |= matches!(message, Message::End);
                self.handle(message);
            }
            if is_over {
                self.stop_joining();
                return;
            }
            if self.tend() || is_news {
                self.tell_nearby();
            }
        }
    }

    fn patience(&self) -> Duration {
        let again = self.looking_since.as_ref().map(|looking| looking.wait().saturating_sub(looking.last.elapsed()));
        let ask = self.ask.as_ref().map(|ask| ask.until.saturating_duration_since(Instant::now()));
        let seen = self.seen.ends().map(|until| until.saturating_duration_since(Instant::now()));
        let card = self.cards.due().map(|at| at.saturating_duration_since(Instant::now()));
        [again, ask, seen, card].into_iter().flatten().min().unwrap_or(Duration::from_secs(60))
    }

    /// Does what is due by time. Whether what is told may be different for it.
    fn tend(&mut self) -> bool {
        self.cards.ask(&self.net);
        let was_looking = self.looking_since.is_some();
        self.looking_since = self.looking_since.take().filter(|looking| looking.since.elapsed() <= LOOKING);
        if let Some(looking) = self.looking_since.as_mut().filter(|looking| looking.last.elapsed() >= looking.wait()) {
            (looking.last, looking.n_looks) = (Instant::now(), looking.n_looks + 1);
            self.net.look();
        }
        let is_hidden_now = self.seen.tend();
        if is_hidden_now {
            self.show();
        }
        if self.ask.as_ref().is_some_and(|ask| ask.until <= Instant::now())
            && let Some(mut ask) = self.ask.take()
        {
            ask.cancel();
            self.tell_joining(ask.unanswered());
        }
        is_hidden_now || was_looking != self.looking_since.is_some()
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Net(event) => self.happened(event),
            Message::Look => self.look(),
            Message::Anew { person } => {
                self.person = person;
                self.show();
            }
            Message::Ask { peer, folder } => self.begin_ask(peer, folder),
            Message::Join(options) => self.begin_join(*options),
            Message::Joined(number, result) if number == self.joining.0 => {
                let joining = match *result {
                    Ok(joined) => joining_of(joined),
                    Err(failed) => failure(failed),
                };
                self.show();
                self.tell_joining(joining);
            }
            Message::Joined(..) | Message::End => {}
            Message::Cancel => {
                self.stop_joining();
                self.tell_joining(Joining::Cancelled);
            }
            Message::WordsDiffer => {
                if let Some(ask) = self.ask.take() {
                    self.tell_joining(ask.words_differ());
                }
            }
        }
    }

    fn connected(&mut self, peer: Peer, address: SocketAddr) {
        self.connected.insert(peer, address);
        self.cards.connected(peer);
        self.cards.ask(&self.net);
    }

    fn happened(&mut self, event: Event) {
        match event {
            Event::Listening(address) => self.network.listening(address),
            Event::NotListening(address) => self.network.not_listening(address),
            Event::Connected { peer, address, .. } => self.connected(peer, address),
            Event::Disconnected(peer) => {
                self.connected.remove(&peer);
                self.cards.disconnected(&peer);
            }
            Event::Opened(stream) if stream.protocol == Protocol::Card => self.cards.opened(stream),
            Event::Opened(stream) if stream.protocol == Protocol::Pair && stream.direction == Direction::Ours => {
                let about = About::new(&self.person, &config::device_name());
                if let Some(ask) = &mut self.ask {
                    ask.opened(stream, self.net.peer(), &self.key, about);
                }
            }
            // Here is no workspace: dropping a stream closes it.
            Event::Opened(_) => {}
            Event::NotOpened { peer, protocol: Protocol::Pair } => {
                // A stream of an asking that was given up may be what did not open.
                if self.ask.as_ref().is_some_and(|ask| ask.peer == peer && !ask.is_open())
                    && let Some(ask) = self.ask.take()
                {
                    self.tell_joining(ask.gone());
                }
            }
            Event::NotOpened { peer, protocol: Protocol::Card } => self.cards.not_opened(&peer),
            Event::Frame { stream, frame } if self.cards.has(stream) => {
                self.cards.received(stream, &frame.bytes, &known::read());
            }
            Event::Frame { stream, frame } => self.answered(stream, &frame.bytes),
            Event::Closed(stream) => {
                self.cards.closed(stream);
                if self.ask.as_ref().is_some_and(|ask| ask.is_over(stream))
                    && let Some(ask) = self.ask.take()
                {
                    self.tell_joining(ask.gone());
                }
            }
            _ => {}
        }
    }

    fn answered(&mut self, stream: codesync_net::StreamId, bytes: &[u8]) {
        // A frame of a stream that was let go may still come; it is nobody's.
        let Some(mut ask) = self.ask.take_if(|ask| ask.is_over(stream)) else { return };
        match ask.handle(&self.key, bytes) {
            Step::Nothing => self.ask = Some(ask),
            Step::Waiting(joining) => {
                self.ask = Some(ask);
                self.tell_joining(joining);
            }
            Step::LetIn { host, place } => {
                let reached = self.connected.get(&ask.peer).map(|address| (*address).into());
                let folder = crate::join::folder_for(&place, Some(&ask.folder));
                let joined = folder.and_then(|folder| crate::join::settle(folder, &host, *place, reached));
                self.show();
                self.tell_joining(joined.map_or_else(failure, joining_of));
            }
            Step::Failed(joining) => self.tell_joining(joining),
        }
    }

    fn look(&mut self) {
        let (since, since_ms) = (Instant::now(), now().ms);
        let since_ms = self.looking_since.as_ref().map_or(since_ms, |looking| looking.since_ms);
        self.looking_since = Some(Looking { since, since_ms, n_looks: 0, last: since });
        self.seen.look();
        self.net.look();
        self.show();
    }

    /// Shows who is here to those who may see it.
    fn show(&mut self) {
        self.seen.read_again();
        let shown = self.seen.shown();
        let about = About::new(&self.person, &config::device_name());
        self.cards.show(Mine { about, shown, ..self.cards.mine().clone() });
        self.cards.recognise(&known::read());
    }

    fn begin_join(&mut self, options: JoinOptions) {
        self.stop_joining();
        let (number, is_cancelled) = (self.joining.0 + 1, Arc::new(AtomicBool::new(false)));
        self.joining = (number, is_cancelled.clone());
        self.tell_joining(Joining::Searching);
        let inbox = self.inbox.clone();
        let work = move || {
            let result = join_while(&options, &is_cancelled);
            // The window may be closed by now.
            inbox.send(Message::Joined(number, Box::new(result))).unwrap_or_default();
        };
        if let Err(error) = std::thread::Builder::new().name("codesync-join".into()).spawn(work) {
            let error = ApiError::new(ErrorCode::Internal, "A thread could not be started.").with_detail(error);
            self.tell_joining(failure(error.into()));
        }
    }

    fn begin_ask(&mut self, peer: Peer, folder: PathBuf) {
        self.stop_joining();
        let found = self.cards.all().find(|(known, _)| *known == peer).map(|(_, card)| card.about.person.clone());
        match (found, crate::join::check_usable(&folder, None)) {
            (_, Err(failed)) => self.tell_joining(failure(failed)),
            (None, _) => {
                let sentence = "They are not there any more.";
                self.tell_joining(failure(ApiError::new(ErrorCode::NotFound, sentence).into()));
            }
            (Some(person), Ok(())) => {
                self.ask = Some(Ask::new(peer, person, folder));
                self.net.open(peer, Protocol::Pair);
            }
        }
    }

    fn stop_joining(&mut self) {
        self.joining.1.store(true, Ordering::Relaxed);
        // What an older attempt comes to is not heard any more.
        self.joining.0 += 1;
        if let Some(mut ask) = self.ask.take() {
            ask.cancel();
        }
    }

    fn tell_joining(&self, joining: Joining) {
        (self.tell)(AppEvent::Joining(joining));
    }

    fn tell_nearby(&self) {
        let news = self.shown();
        let mut told = self.nearby.lock().unwrap_or_else(PoisonError::into_inner);
        if *told != news {
            told.clone_from(&news);
            drop(told);
            (self.tell)(AppEvent::Nearby(news));
        }
    }

    fn shown(&self) -> Nearby {
        let people = known::read();
        let own = self.key.device();
        let sharing: BTreeSet<_> =
            self.cards.all().filter(|(_, card)| card.shares.is_some()).map(|(_, card)| card.device).collect();
        let mut seen = BTreeSet::new();
        let mut nearby: Vec<NearbyPerson> = Vec::new();
        for (peer, card) in self.cards.all().filter(|(_, card)| card.device != own) {
            let mark = card.shares.as_ref().map(|shared| shared.mark);
            // One that shares is there for what it shares; the others of its processes say nothing more.
            if (mark.is_none() && sharing.contains(&card.device)) || !seen.insert((card.device, mark)) {
                continue;
            }
            nearby.push(self.person_of(peer, card, &people));
        }
        let name = |person: &NearbyPerson| person.shares.as_ref().map(|shared| shared.name.clone());
        nearby.sort_by_cached_key(|person| (person.person.to_lowercase(), person.device.clone(), name(person)));
        let looking_since_ms = self.looking_since.as_ref().map(|looking| looking.since_ms);
        let is_visible = self.cards.mine().shown != Shown::Nobody;
        Nearby { people: nearby, network: self.network.shown(&self.person, is_visible, looking_since_ms) }
    }

    fn person_of(&self, peer: Peer, card: &Card, people: &codesync_auth::People) -> NearbyPerson {
        let address = self.connected.get(&peer).map(|address| address.ip().to_string()).unwrap_or_default();
        NearbyPerson {
            peer: peer_text(&peer),
            device: card.device.to_string(),
            person: card.about.person.clone(),
            device_name: card.about.device_name.clone(),
            address,
            acquaintance: known::acquaintance(people, &Other { device: card.device, about: card.about.clone() }),
            shares: card.shares.as_ref().map(|shared| SharedWorkspace {
                name: shared.name.clone(),
                n_people: shared.n_people,
                is_joined: copies::has(&shared.mark),
            }),
            invites: card.invites,
        }
    }
}

impl Looking {
    /// Until others are asked for anew.
    fn wait(&self) -> Duration {
        LOOK_AGAIN[self.n_looks.min(LOOK_AGAIN.len() - 1)]
    }
}

fn joining_of(joined: Joined) -> Joining {
    let Joined { root, name, person, role } = joined;
    Joining::Joined { root: root.to_string_lossy().into_owned(), name, person, role }
}

fn failure(failed: Failed) -> Joining {
    Joining::Failed {
        id: failed.id.map(str::to_owned),
        sentence: failed.error.message,
        n_tries_left: failed.n_tries_left,
    }
}

#[cfg(test)]
mod tests;
