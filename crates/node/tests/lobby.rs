//! The lobby against peers that do what they may not: a network inside this machine (`codesync_lan`), on which a lobby
//! and a hostile peer sit on one host. One argument names the scenarios to run.

use anyhow::{Context, Result, bail, ensure};
use codesync_api::{ApiError, AppEvent, Joining, Nearby};
use codesync_auth::{
    About, Card, CardMessage, Code, CodeHost, CodeHostEvent, Connection, DeviceKey, Invitation, LONG_CODE_MS, Place,
    Shared,
};
use codesync_base::{ProjectId, Role, ShareFrom};
use codesync_lan::{Lan, Scenario};
use codesync_net::{Config, Event, Net, Peer, Protocol, Stream};
use codesync_node::{JoinOptions, Joined, Lobby};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::time::{Duration, Instant};

const FOLDER: &str = "CODESYNC_CONFIG_DIR";

fn main() -> Result<()> {
    if std::env::var_os(FOLDER).is_none() {
        // The person's own key and settings are left alone.
        let folder = tempfile::tempdir()?;
        let status = std::process::Command::new(std::env::current_exe()?)
            .args(std::env::args_os().skip(1))
            .env(FOLDER, folder.path())
            .status()?;
        drop(folder);
        std::process::exit(status.code().unwrap_or(1));
    }
    codesync_lan::run_scenarios(SCENARIOS)
}

const SCENARIOS: &[Scenario] = &[
    ("a_card_is_shown_changed_and_withdrawn", a_card_is_shown_changed_and_withdrawn),
    ("hostile_cards_show_nothing_and_harm_nobody", hostile_cards_show_nothing_and_harm_nobody),
    ("what_comes_on_other_streams_ends_no_asking", what_comes_on_other_streams_ends_no_asking),
    ("invitations_of_others_end_no_joining", invitations_of_others_end_no_joining),
    ("who_is_not_let_in_hears_why", who_is_not_let_in_hears_why),
    ("a_folder_that_is_no_good_uses_up_no_code", a_folder_that_is_no_good_uses_up_no_code),
    ("a_talk_goes_on_when_the_search_is_over", a_talk_goes_on_when_the_search_is_over),
];

const PATIENCE: Duration = Duration::from_secs(10);

/// A peer that can send what it likes.
struct Stranger {
    net: Net,
    events: Receiver<Event>,
    key: DeviceKey,
}

impl Stranger {
    fn new(seed: u8) -> Result<Self> {
        let (sender, events) = mpsc::channel();
        let config = Config { port: 0, ..Config::new([seed; 32]) };
        let net = Net::start(config, move |event| sender.send(event).unwrap_or_default())?;
        Ok(Self { net, events, key: DeviceKey::from_seed(&[seed; 32]) })
    }

    fn next(&self, until: Instant) -> Option<Event> {
        self.events.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
    }

    /// A stream of cards to the one other peer, whoever has to open it.
    fn stream(&self) -> Result<Stream> {
        let until = Instant::now() + PATIENCE;
        while let Some(event) = self.next(until) {
            match event {
                Event::Connected { peer, .. } if self.net.peer() < peer => self.net.open(peer, Protocol::Card),
                Event::Opened(stream) if stream.protocol == Protocol::Card => return Ok(stream),
                _ => {}
            }
        }
        bail!("nobody was met")
    }

    /// The next stream that is opened, by either end.
    fn opened(&self, protocol: Protocol) -> Result<Stream> {
        let until = Instant::now() + PATIENCE;
        while let Some(event) = self.next(until) {
            match event {
                Event::Opened(stream) if stream.protocol == protocol => return Ok(stream),
                _ => {}
            }
        }
        bail!("no stream of {protocol:?} was opened")
    }

    fn is_let_go(&self, stream: &Stream) -> bool {
        let until = Instant::now() + PATIENCE;
        while let Some(event) = self.next(until) {
            if matches!(event, Event::Closed(id) if id == stream.id) {
                return true;
            }
        }
        false
    }

    fn message(&self, message: &CardMessage, to: Peer) -> Vec<u8> {
        message.encode(&self.key, &self.net.peer().0, &to.0)
    }

    fn card(&self, person: &str) -> Card {
        Card { device: self.key.device(), about: About::new(person, "laptop"), shares: None, invites: false }
    }
}

struct Watched {
    lobby: Lobby,
    events: Receiver<AppEvent>,
}

impl Watched {
    fn start() -> Result<Self> {
        let (sender, events) = mpsc::channel();
        let lobby = Lobby::start("Asha", move |event| sender.send(event).unwrap_or_default())?;
        Ok(Self { lobby, events })
    }

    /// How the attempt to join ends.
    fn refusal(&self) -> Result<String> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(AppEvent::Joining(Joining::Failed { sentence, .. })) => return Ok(sentence),
                Ok(_) => {}
                Err(_) => bail!("asking had no end within ten seconds"),
            }
        }
    }

    fn wait(&self, what: &str, is_so: impl Fn(&Nearby) -> bool) -> Result<Nearby> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(AppEvent::Nearby(nearby)) if is_so(&nearby) => return Ok(nearby),
                Ok(_) => {}
                Err(_) => bail!("not within ten seconds: {what}; now {:?}", self.lobby.nearby()),
            }
        }
    }
}

fn a_card_is_shown_changed_and_withdrawn(_: &Lan) -> Result<()> {
    let watched = Watched::start()?;
    let bo = Stranger::new(1)?;
    let stream = bo.stream()?;
    let card = bo.card("Bo");
    stream.send(bo.message(&CardMessage::Card(card.clone()), stream.peer));
    let nearby = watched.wait("Bo is there", |nearby| nearby.people.len() == 1)?;
    ensure!(nearby.people[0].person == "Bo" && nearby.people[0].shares.is_none(), "{nearby:?}");
    ensure!(nearby.network.is_visible && nearby.network.port != 0, "{nearby:?}");
    let shares = Some(Shared::new(&ProjectId([5; 16]), "lab", 3));
    stream.send(bo.message(&CardMessage::Card(Card { shares, ..card }), stream.peer));
    let nearby = watched.wait("Bo shares", |nearby| nearby.people.iter().any(|person| person.shares.is_some()))?;
    let shared = nearby.people[0].shares.clone().context("shares")?;
    ensure!((shared.name.as_str(), shared.n_people, shared.is_joined) == ("lab", 3, false), "{shared:?}");
    stream.send(bo.message(&CardMessage::Withdrawn, stream.peer));
    watched.wait("Bo is gone", |nearby| nearby.people.is_empty()).map(drop)
}

fn hostile_cards_show_nothing_and_harm_nobody(_: &Lan) -> Result<()> {
    let watched = Watched::start()?;
    let others = DeviceKey::from_seed(&[77; 32]).device();
    type Hostile = fn(&Stranger, Peer, codesync_base::DeviceId) -> Vec<Vec<u8>>;
    let ways: [(&str, Hostile); 5] = [
        ("no message", |_, _, _| vec![vec![1, 99, 0, 0]]),
        ("too long", |_, _, _| vec![vec![1; 5_000]]),
        ("another's card", |eve, to, device| {
            vec![eve.message(&CardMessage::Card(Card { device, ..eve.card("Bo") }), to)]
        }),
        ("a card for another connection", |eve, _, _| {
            vec![eve.message(&CardMessage::Card(eve.card("Bo")), Peer([9; 32]))]
        }),
        ("a flood", |eve, to, _| (0..500).map(|n| eve.message(&CardMessage::Hint([n as u8; 32]), to)).collect()),
    ];
    for (n, (what, frames)) in ways.into_iter().enumerate() {
        let eve = Stranger::new(10 + n as u8)?;
        let stream = eve.stream()?;
        for frame in frames(&eve, stream.peer, others) {
            stream.send(frame);
        }
        ensure!(eve.is_let_go(&stream), "{what} was taken");
        ensure!(watched.lobby.nearby().people.is_empty(), "{what} is shown");
        println!("  {what}: let go");
    }
    let bo = Stranger::new(1)?;
    let stream = bo.stream()?;
    stream.send(bo.message(&CardMessage::Card(bo.card("Bo")), stream.peer));
    watched.wait("whoever keeps to the protocol is seen", |nearby| nearby.people.len() == 1).map(drop)
}

/// A lobby lets streams go that only a workspace has a use for; what they brought before that is nobody's.
fn what_comes_on_other_streams_ends_no_asking(_: &Lan) -> Result<()> {
    let watched = Watched::start()?;
    let bo = Stranger::new(1)?;
    let cards = bo.stream()?;
    let shares = Some(Shared::new(&ProjectId([5; 16]), "lab", 1));
    cards.send(bo.message(&CardMessage::Card(Card { shares, ..bo.card("Bo") }), cards.peer));
    let nearby = watched.wait("Bo shares", |nearby| nearby.people.iter().any(|person| person.shares.is_some()))?;
    let folder = tempfile::tempdir()?;
    watched.lobby.ask(&nearby.people[0].peer, folder.path().join("copy"))?;
    let asking = bo.opened(Protocol::Pair)?;
    for _ in 0..50 {
        bo.net.open(cards.peer, Protocol::Sync);
        let stream = bo.opened(Protocol::Sync)?;
        // It may be let go before the last of them.
        for _ in 0..10 {
            stream.send(vec![7; 32]);
        }
        ensure!(bo.is_let_go(&stream), "a lobby kept a link");
    }
    asking.send(CodeHost::no_code());
    let sentence = watched.refusal()?;
    ensure!(sentence == "Bo can't let you in right now.", "{sentence}");
    Ok(())
}

const CODE: &str = "crossover-clockwork-harbor-violin-crossover-clockwork";
/// Of the same channel.
const CODE_OF_OTHERS: &str = "crossover-harbor-harbor-harbor-harbor-harbor";

/// Somebody with an invitation, on a thread of their own.
#[derive(Clone, Copy)]
struct Inviting {
    seed: u8,
    code: &'static str,
    has_run_out: bool,
    /// Before anything is answered, and before the grant.
    waits: [Duration; 2],
    /// So many the guest gets, and is let go then.
    n_answers: usize,
}

impl Inviting {
    fn with(seed: u8, code: &'static str) -> Self {
        Self { seed, code, has_run_out: false, waits: [Duration::ZERO; 2], n_answers: usize::MAX }
    }

    /// Until nobody wants to come in any more. Says when it can be found.
    fn run(self, is_there: &Sender<()>, is_over: &Receiver<()>) -> Result<()> {
        let stranger = Stranger::new(self.seed)?;
        let until = Instant::now() + PATIENCE;
        while !matches!(stranger.next(until).context("it listens nowhere")?, Event::Listening(_)) {}
        is_there.send(())?;
        let founder = stranger.key.device();
        let (project, name) = (ProjectId([self.seed; 16]), format!("lab-{}", self.seed));
        let place = Place { project, name, founder, role: Role::Editor, share_from: ShareFrom::Past };
        let mut invitation = Invitation::new(Code::parse(self.code)?, place, 0);
        let now_ms = if self.has_run_out { LONG_CODE_MS + 1 } else { 1 };
        let mut talks = BTreeMap::new();
        while is_over.try_recv() == Err(TryRecvError::Empty) {
            match stranger.next(Instant::now() + Duration::from_millis(20)) {
                Some(Event::Opened(stream)) if stream.protocol == Protocol::Pair => {
                    let connection = Connection { host_peer: stranger.net.peer().0, guest_peer: stream.peer.0 };
                    let talk = CodeHost::new(connection, About::new("Carol", "laptop"), [self.seed; 32]);
                    talks.insert(stream.id, (stream, talk, 0));
                }
                Some(Event::Frame { stream: id, frame }) => {
                    let Some((stream, talk, n_answered)) = talks.get_mut(&id) else { continue };
                    std::thread::sleep(self.waits[0]);
                    let reply = talk.handle(&mut invitation, &stranger.key, &frame.bytes, now_ms);
                    let grant = matches!(reply.event, Some(CodeHostEvent::Proved { .. })).then(|| {
                        std::thread::sleep(self.waits[1]);
                        talk.grant(&[]).expect("the guest proved it")
                    });
                    if *n_answered == self.n_answers {
                        // Dropping a stream closes it.
                        talks.remove(&id);
                        continue;
                    }
                    *n_answered += 1;
                    if let Some(bytes) = reply.send.or(grant) {
                        stream.send(bytes);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Joins with [`CODE`] where these are, and how long it took.
fn join(inviting: &[Inviting]) -> Result<(Result<Joined, ApiError>, Duration)> {
    let folder = tempfile::tempdir()?;
    among(inviting, || join_into(&folder.path().join("copy")))
}

fn join_into(folder: &Path) -> (Result<Joined, ApiError>, Duration) {
    let options = JoinOptions {
        code: CODE.into(),
        address: None,
        folder: Some(folder.to_owned()),
        person: Some("Bo".into()),
        port: 0,
    };
    let began = Instant::now();
    let joined = codesync_node::join(&options);
    let took = began.elapsed();
    println!("  {:.2} s: {:?}", took.as_secs_f32(), joined.as_ref().map(|joined| &joined.name));
    (joined, took)
}

/// Does something while these are there.
fn among<T>(inviting: &[Inviting], act: impl FnOnce() -> T) -> Result<T> {
    std::thread::scope(|scope| {
        let others: Vec<_> = inviting
            .iter()
            .map(|inviting| {
                let ((end, is_over), (is_there, there)) = (mpsc::channel(), mpsc::channel());
                let thread = scope.spawn(move || inviting.run(&is_there, &is_over));
                // Nobody is asked for a code before there is one.
                there.recv().unwrap_or_default();
                (end, thread)
            })
            .collect();
        let done = act();
        for (end, thread) in others {
            drop(end);
            thread.join().expect("an inviting thread goes on")?;
        }
        Ok(done)
    })
}

/// Codes of six words that have the first in common have one channel: whoever has one is knocked at.
fn invitations_of_others_end_no_joining(_: &Lan) -> Result<()> {
    let run_out = Inviting { has_run_out: true, ..Inviting::with(20, CODE_OF_OTHERS) };
    let wrong = Inviting::with(21, CODE_OF_OTHERS);
    // Each of its two answers comes after all that the others say.
    let right = Inviting { waits: [Duration::from_millis(700), Duration::from_secs(1)], ..Inviting::with(22, CODE) };
    for others in [&[run_out][..], &[wrong], &[run_out, wrong]] {
        let (joined, _) = join(&[others, &[right]].concat())?;
        ensure!(joined?.name == "lab-22");
    }
    Ok(())
}

fn who_is_not_let_in_hears_why(_: &Lan) -> Result<()> {
    let wrong = Inviting::with(21, CODE_OF_OTHERS);
    let run_out = Inviting { has_run_out: true, ..Inviting::with(20, CODE_OF_OTHERS) };
    let right = Inviting::with(22, CODE);
    let ways: [(&str, &[Inviting]); 5] = [
        ("This code ran out.", &[run_out]),
        ("2 tries left.", &[wrong]),
        // Who weighed the words says more.
        ("2 tries left.", &[run_out, wrong]),
        ("The connection broke off before you were let in. Try again", &[Inviting { n_answers: 1, ..right }]),
        ("The connection broke off before you were let in, and", &[Inviting { n_answers: 2, ..right }]),
    ];
    for (sentence, inviting) in ways {
        let (joined, took) = join(inviting)?;
        let Err(error) = joined else { bail!("somebody came in who should hear: {sentence}") };
        ensure!(error.message.contains(sentence), "not “{sentence}”: {error}");
        ensure!(took < PATIENCE, "{sentence}: only after {took:?}");
    }
    Ok(())
}

/// Whose copy may be in a folder is known only when the other end has shown what the code lets into.
fn a_folder_that_is_no_good_uses_up_no_code(_: &Lan) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (copy, free) = (folder.path().join("copy"), folder.path().join("free"));
    let (joined, _) = among(&[Inviting::with(22, CODE)], || join_into(&copy))?;
    ensure!(joined?.name == "lab-22");
    let (refused, joined) = among(&[Inviting::with(23, CODE)], || (join_into(&copy).0, join_into(&free).0))?;
    let Err(error) = refused else { bail!("the copy of another workspace was taken") };
    ensure!(error.message.contains("already has files"), "{error}");
    ensure!(joined?.name == "lab-23");
    // A folder that cannot be made: its name leads to nowhere.
    let nowhere = folder.path().join("nowhere");
    std::os::unix::fs::symlink(folder.path().join("missing/inner"), &nowhere)?;
    let other = folder.path().join("other");
    let (refused, joined) = among(&[Inviting::with(24, CODE)], || (join_into(&nowhere).0, join_into(&other).0))?;
    let Err(error) = refused else { bail!("a folder that cannot be made was taken") };
    ensure!(error.message.contains("Could not make"), "{error}");
    ensure!(joined?.name == "lab-24");
    Ok(())
}

/// Takes longer than others wait for a test.
fn a_talk_goes_on_when_the_search_is_over(_: &Lan) -> Result<()> {
    if std::env::var_os("CODESYNC_SLOW_TESTS").is_none() {
        return Ok(());
    }
    let slow = Inviting { waits: [Duration::ZERO, Duration::from_secs(22)], ..Inviting::with(22, CODE) };
    let (joined, _) = join(&[slow])?;
    ensure!(joined?.name == "lab-22");
    Ok(())
}
