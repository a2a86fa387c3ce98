//! For tests only: a peer whose program says what it likes, with the key of a member, to a real peer over a real
//! connection. It is written after `docs/protocol.md` and shares nothing with a peer but the bytes; it keeps nothing.

use anyhow::{Context, Result, bail, ensure};
use codesync_auth::{DeviceKey, Pass, TOKEN_SECONDS_MAX};
use codesync_base::{
    Change, Delta, DeltaHash, DeviceId, FileId, Head, Hlc, LogId, Origin, ProjectId, Role, Step, encode_delta,
};
use codesync_net::{Config, Direction, Event, Net, Peer, Protocol, Stream};
use codesync_sync::{Bye, Bytes, Cause, Deltas, Frame, Hello, Reason, Signature, WireDelta, limits};
use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant, SystemTime};

const PATIENCE: Duration = Duration::from_secs(20);
/// Deltas in one frame of a flood.
const FLOOD_FRAME: usize = 300;

/// Whose key it has, and of which workspace it knows.
#[derive(Clone)]
pub struct Stranger {
    /// The device's private key, as it lies in a configuration folder (`device.key`).
    pub device_key: [u8; 32],
    pub project: ProjectId,
}

/// A connection with a peer, past the two Hellos.
pub struct Talk {
    net: Net,
    events: Receiver<Event>,
    stream: Stream,
    key: DeviceKey,
    project: ProjectId,
    /// Nobody answers these; the other end would ask again if they were closed.
    cards: RefCell<Vec<Stream>>,
    /// What the other end says it has, if it came to say so.
    pub heads: Vec<Head>,
    /// Its last word, if it has said that already.
    pub bye: Option<Bye>,
}

impl Stranger {
    /// Connects, shows that it knows the project, and says a Hello: a good one that `change` made into another. `seed` is
    /// the key of the connection: with each of them it looks like another program.
    pub fn meet(&self, seed: u8, at: SocketAddr, change: impl FnOnce(&mut Hello)) -> Result<Talk> {
        let (sender, events) = mpsc::channel();
        let config = Config { port: 0, visible: false, ..Config::new([seed; 32]) };
        let net = Net::start(config, move |event| sender.send(event).unwrap_or_default())?;
        net.dial(at.into());
        let key = DeviceKey::from_seed(&self.device_key);
        let cards = RefCell::new(Vec::new());
        let stream = until_opened(&net, &events, &cards).context("nobody speaks there")?;
        let mut talk = Talk { net, events, stream, key, project: self.project, cards, heads: Vec::new(), bye: None };
        talk.knock()?;
        let mut hello = talk.hello(now_ms());
        change(&mut hello);
        // A clock that is wrong is wrong in the token, too.
        hello.token = talk.token(hello.wall_ms);
        talk.send(&Frame::Hello(hello));
        talk.listen()?;
        Ok(talk)
    }
}

fn until_opened(net: &Net, events: &Receiver<Event>, cards: &RefCell<Vec<Stream>>) -> Result<Stream> {
    let until = Instant::now() + PATIENCE;
    loop {
        match events.recv_timeout(until.saturating_duration_since(Instant::now()))? {
            Event::Connected { peer, .. } if net.peer() < peer => net.open(peer, Protocol::Sync),
            Event::Opened(stream) if stream.protocol == Protocol::Sync => return Ok(stream),
            Event::Opened(stream) => cards.borrow_mut().push(stream),
            Event::Unreachable { why, .. } => bail!("{why:?}"),
            _ => {}
        }
    }
}

impl Talk {
    /// This end's device.
    pub fn device(&self) -> DeviceId {
        self.key.device()
    }

    fn knock(&self) -> Result<()> {
        self.stream.set_frame_bytes_max(limits::FRAME_BYTES_MAX as u32);
        let (own, theirs) = (self.net.peer(), self.stream.peer);
        let is_ours = self.stream.direction == Direction::Ours;
        if is_ours {
            self.stream.send(knock(&self.project, &own, &theirs));
        }
        let answer = self.next()?.context("nobody knows the project there")?;
        ensure!(answer == knock(&self.project, &theirs, &own), "another knock");
        if !is_ours {
            self.stream.send(knock(&self.project, &own, &theirs));
        }
        Ok(())
    }

    fn hello(&self, wall_ms: u64) -> Hello {
        Hello {
            oldest: codesync_sync::VERSION_OLDEST,
            newest: codesync_sync::VERSION_NEWEST,
            software: env!("CARGO_PKG_VERSION").into(),
            project: self.project,
            device: self.key.device(),
            wall_ms,
            token: Bytes(Vec::new()),
        }
    }

    fn token(&self, wall_ms: u64) -> Bytes<{ limits::TOKEN_BYTES_MAX }> {
        let pass = Pass {
            project: self.project,
            peer: self.net.peer().0,
            role: Role::Editor,
            access_head: DeltaHash::ZERO,
            id: [7; 16],
        };
        Bytes(pass.issue(&self.key, wall_ms / 1_000, TOKEN_SECONDS_MAX).into_bytes())
    }

    /// The next frame of the other end; none when it has closed the stream.
    fn next(&self) -> Result<Option<Vec<u8>>> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.events.recv_timeout(until.saturating_duration_since(Instant::now()))? {
                Event::Frame { stream, frame } if stream == self.stream.id => return Ok(Some(frame.bytes)),
                Event::Closed(stream) if stream == self.stream.id => return Ok(None),
                Event::Opened(stream) => self.cards.borrow_mut().push(stream),
                _ => {}
            }
        }
    }

    /// Until the other end has said what it has, or goodbye.
    fn listen(&mut self) -> Result<()> {
        while let Some(bytes) = self.next()? {
            match Frame::decode(&bytes, limits::FRAME_BYTES_MAX) {
                Ok(Frame::Heads(heads)) => {
                    self.heads = heads;
                    return Ok(());
                }
                Ok(Frame::Bye(bye)) => {
                    self.bye = Some(bye);
                    return Ok(());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Any bytes, as one frame.
    pub fn send_bytes(&self, bytes: Vec<u8>) {
        self.stream.send(bytes);
    }

    pub fn send(&self, frame: &Frame) {
        self.send_bytes(frame.encode());
    }

    /// Says that it has nothing: from then on it counts as connected.
    pub fn say_no_heads(&self) {
        self.send(&Frame::Heads(Vec::new()));
    }

    /// Waits until the other end has ended it; gives the reason that it said.
    pub fn until_ended(&self) -> Result<Option<Reason>> {
        let mut reason = None;
        while let Some(bytes) = self.next()? {
            if let Ok(Frame::Bye(bye)) = Frame::decode(&bytes, limits::FRAME_BYTES_MAX) {
                reason = Some(bye.reason);
            }
        }
        Ok(reason)
    }

    /// The next delta of somebody else's log, signed by this end.
    pub fn forged(&self) -> Result<Frame> {
        let victim =
            self.heads.iter().find(|head| head.log.device != self.device()).context("nobody to pretend to be")?;
        let remove = Step { at_ms: now_ms(), file: 0, change: Change::Remove };
        let delta = Delta {
            files: vec![FileId([9; 16])],
            steps: vec![remove],
            origin: Origin::FileAction,
            ..self.behind(victim.log, Some(victim))
        };
        Ok(self.deltas(&[encode_delta(&delta)]))
    }

    /// Two versions of the next delta of this end's own log, both signed.
    pub fn fork(&self) -> Frame {
        let (one, mut other) = (self.next_of_own(), self.next_of_own());
        other.hlc.counter += 1;
        self.deltas(&[encode_delta(&one), encode_delta(&other)])
    }

    /// So many good deltas of this end's own log, more than anybody types, in frames.
    pub fn flood(&self, n_deltas: u32) -> Vec<Frame> {
        let mut delta = self.next_of_own();
        let mut all = Vec::new();
        for _ in 0..n_deltas {
            let encoded = encode_delta(&delta);
            (delta.prev, delta.seq, delta.group) = (encoded.1, delta.seq + 1, delta.seq + 1);
            delta.hlc.counter += 1;
            delta.deps.clear();
            all.push(encoded);
        }
        all.chunks(FLOOD_FRAME).map(|some| self.deltas(some)).collect()
    }

    /// The next delta of this end's own log, by somebody who has seen all that the other end has.
    fn next_of_own(&self) -> Delta {
        let own = self.heads.iter().filter(|head| head.log.device == self.device()).max_by_key(|head| head.seq);
        let log = own.map_or(LogId { device: self.device(), incarnation: 1 }, |head| head.log);
        let mut delta = self.behind(log, own);
        delta.deps = self.heads.iter().filter(|head| head.log != log).copied().collect();
        delta.deps.sort_unstable();
        delta
    }

    /// A delta that says nothing but a name, behind a head.
    fn behind(&self, log: LogId, head: Option<&Head>) -> Delta {
        let seq = head.map_or(1, |head| head.seq + 1);
        let session = Change::Session { person: "Mallory".into(), device_name: "laptop".into() };
        Delta {
            project: self.project,
            log,
            seq,
            prev: head.map_or(DeltaHash::ZERO, |head| head.hash),
            hlc: Hlc { wall_ms: now_ms(), counter: 0 },
            deps: Vec::new(),
            origin: Origin::Session,
            group: seq,
            logs: Vec::new(),
            files: Vec::new(),
            steps: vec![Step { at_ms: now_ms(), file: 0, change: session }],
        }
    }

    fn deltas(&self, all: &[(Vec<u8>, DeltaHash)]) -> Frame {
        let wire = |(bytes, hash): &(Vec<u8>, DeltaHash)| WireDelta {
            bytes: Bytes(bytes.clone()),
            signature: Some(Signature(self.key.sign_delta(hash))),
        };
        Frame::Deltas(Deltas { cause: Cause::Live, deltas: all.iter().map(wire).collect() })
    }
}

/// The first frame of either end.
fn knock(project: &ProjectId, from: &Peer, to: &Peer) -> Vec<u8> {
    blake3::derive_key("codesync 2026 knock", &[&project.0[..], &from.0, &to.0].concat()).to_vec()
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}
