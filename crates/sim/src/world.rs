//! All peers, the frames between them, and time. Carries out the actions of a plan.

use crate::peer::{LIAR, PROJECT, Peer, START_MS, key_of};
use crate::{Action, Outcome, Random};
use codesync_api::{Moment as At, Reply, Request, RestoreTarget, Scope, Splice};
use codesync_base::{Change, Delta, DeltaHash, FileId, Head, Hlc, LogId, Origin, SignedDelta, Step, encode_delta};
use codesync_engine::{Arrived, LinkOutput};
use codesync_log::CrashStyle;
use codesync_sync::{Bytes, Cause, Deltas, Event, Frame, Hello, LinkId, Signature, WireDelta, limits};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const FILES: [&str; 5] = ["a.txt", "b.txt", "src/main.rs", "src/lib.rs", "notes/c.md"];
const WORDS: [&str; 6] = ["x", "fn ", "\n", "grün 🙂", "a longer line of text\n", "}"];

pub struct World {
    pub peers: Vec<Peer>,
    /// Frames on their way, by peer and link that they go to. None: the connection ends.
    queues: BTreeMap<(usize, LinkId), VecDeque<Option<Vec<u8>>>>,
    pub steady_ms: u64,
    next_link: u64,
    /// Own deltas that were durable at their author, and not lost by a roll-back.
    pub written: BTreeSet<DeltaHash>,
    pub trace: blake3::Hasher,
    outcome: Outcome,
}

impl World {
    pub fn new(n_peers: usize) -> Self {
        let mut world = Self {
            peers: (0..n_peers).map(Peer::new).collect(),
            queues: BTreeMap::new(),
            steady_ms: 1_000,
            next_link: 1,
            written: BTreeSet::new(),
            trace: blake3::Hasher::new(),
            outcome: Outcome::default(),
        };
        (0..n_peers).for_each(|idx| world.sync(idx));
        world
    }

    pub fn outcome(mut self) -> Outcome {
        self.outcome.n_deltas = self.peers[0].engine.log().n_deltas();
        self.outcome.trace = self.trace.finalize().to_hex().to_string();
        self.outcome
    }

    pub fn act(&mut self, action: &Action) {
        match *action {
            Action::Edit { peer, n } => self.edit(self.peer(peer), n),
            Action::Rename { peer, n } => {
                let (from, to) = (FILES[n as usize % 5].into(), FILES[(n >> 8) as usize % 5].into());
                self.ask(peer, Request::Rename { from, to });
            }
            Action::Delete { peer, n } => drop(self.ask(peer, Request::Delete { path: FILES[n as usize % 5].into() })),
            Action::Undelete { peer } => {
                if let Some(Reply::Deleted { files }) = self.ask(peer, Request::ListDeleted { limit: 1 })
                    && let Some(file) = files.first()
                {
                    self.ask(peer, Request::Undelete { file_id: file.file_id.clone() });
                }
            }
            Action::View { peer, n } => {
                let (idx, steady_ms) = (self.peer(peer), self.steady_ms);
                self.peers[idx].toggle_view(FILES[n as usize % 5], steady_ms);
            }
            Action::Disk { peer, n } => {
                let (idx, steady_ms) = (self.peer(peer), self.steady_ms);
                let text = WORDS[(n >> 8) as usize % 6].repeat(1 + (n >> 16) as usize % 40);
                self.peers[idx].disk_writes(FILES[n as usize % 5], &text, steady_ms);
            }
            Action::Restore { peer, n } => self.restore(self.peer(peer), n),
            Action::UndoLast { peer } => drop(self.ask(peer, Request::UndoLast)),
            Action::Sync { peer } => self.sync(self.peer(peer)),
            Action::Rest { peer } => self.rest(self.peer(peer)),
            Action::Arrive { n } => self.arrive_some(n),
            Action::Pass { ms } => self.pass(ms),
            Action::Connect { peer, n } => self.connect(self.peer(peer), self.peer(n)),
            Action::Disconnect { peer, n } => self.break_one(self.peer(peer), n),
            Action::PartAll => (0..self.peers.len()).for_each(|idx| self.part(idx)),
            Action::Crash { peer, n } => self.crash(self.peer(peer), n),
            Action::Backup { peer } => self.back_up(self.peer(peer)),
            Action::RollBack { peer } => self.roll_back(self.peer(peer)),
            Action::Clock { peer, n } => {
                let idx = self.peer(peer);
                // Mostly some seconds, sometimes most of an hour.
                let most_ms = if n.is_multiple_of(4) { 3_000_000 } else { 5_000 };
                self.peers[idx].skew_ms = (n >> 8) as i64 % most_ms;
                self.peers[idx].skew_ms *= if n & 16 == 0 { 1 } else { -1 };
            }
            Action::Spoil { n } => self.spoil(n),
            Action::Lie { peer, n } => self.lie(self.peer(peer), n),
        }
        self.steady_ms += 1;
        (0..self.peers.len()).for_each(|idx| self.carry(idx));
    }

    fn peer(&self, n: u64) -> usize {
        (n % self.peers.len() as u64) as usize
    }

    /// What is refused is refused; people would be told.
    fn ask(&mut self, peer: u64, request: Request) -> Option<Reply> {
        let (idx, steady_ms) = (self.peer(peer), self.steady_ms);
        self.peers[idx].ask(request, steady_ms).ok()
    }

    fn edit(&mut self, idx: usize, n: u64) {
        let path = FILES[n as usize % 5];
        let steady_ms = self.steady_ms;
        let length =
            self.peers[idx].text(path, At::Now, steady_ms).map_or(0, |text| text.encode_utf16().count()) as u64;
        let text = self.peers[idx].text(path, At::Now, steady_ms).unwrap_or_default();
        let units: Vec<u16> = text.encode_utf16().collect();
        // Between the halves of a character nobody can type.
        let whole =
            |at: u64| at - u64::from(units.get(at as usize).is_some_and(|unit| (0xdc00..0xe000).contains(unit)));
        let at = whole((n >> 8) % (length + 1));
        let end = whole((at + (n >> 32) % 12).min(length)).max(at);
        let deleted = if (n >> 24).is_multiple_of(3) { end - at } else { 0 };
        let text = match (n >> 40) % 40 {
            0 => WORDS[4].repeat(800),
            _ if deleted > 0 && (n >> 48).is_multiple_of(2) => String::new(),
            word => WORDS[word as usize % 6].to_owned(),
        };
        let edits = vec![Splice(at as u32, deleted as u32, text)];
        self.ask(idx as u64, Request::EditFile { path: path.into(), edits });
    }

    fn restore(&mut self, idx: usize, n: u64) {
        let Some(Reply::Timeline(info)) = self.ask(idx as u64, Request::Timeline { scope: Scope::Workspace }) else {
            return;
        };
        let at = At::WorkspaceStep((n >> 8) % (info.n_moments + 1));
        let target = match n % 3 {
            0 => RestoreTarget::Workspace,
            _ => RestoreTarget::File { path: FILES[(n >> 4) as usize % 5].into() },
        };
        self.ask(idx as u64, Request::Restore { target, at });
    }

    pub fn sync(&mut self, idx: usize) {
        let steady_ms = self.steady_ms;
        self.peers[idx].sync(steady_ms);
        let own = key_of(idx).device();
        let peer = &self.peers[idx];
        let written = &mut self.written;
        for head in peer.engine.log().heads().into_iter().filter(|head| head.log.device == own) {
            // Each sync adds only what is new at the end.
            let walked = peer.engine.log().for_each_back(&mut |signed| {
                if signed.delta.log != head.log {
                    return std::ops::ControlFlow::Continue(());
                }
                if written.insert(signed.hash) {
                    std::ops::ControlFlow::Continue(())
                } else {
                    std::ops::ControlFlow::Break(())
                }
            });
            walked.expect("a log in memory can be read");
        }
        self.carry(idx);
    }

    fn rest(&mut self, idx: usize) {
        self.sync(idx);
        self.peers[idx].engine.rest(true).expect("a disk in memory takes everything");
    }

    pub fn connect(&mut self, a: usize, b: usize) {
        if a == b || self.peers[a].links.values().any(|(other, _)| *other == b) {
            return;
        }
        let (at_a, at_b) = (LinkId(self.next_link), LinkId(self.next_link + 1));
        self.next_link += 2;
        for (idx, link, other) in [(a, at_a, (b, at_b)), (b, at_b, (a, at_a))] {
            self.peers[idx].links.insert(link, other);
            self.queues.insert((idx, link), VecDeque::new());
            let moment = self.peers[idx].moment(self.steady_ms);
            self.peers[idx].engine.connect(link, vec![], moment);
        }
        self.carry(a);
        self.carry(b);
    }

    fn disconnect(&mut self, idx: usize, link: LinkId) {
        let Some((other, theirs)) = self.peers[idx].links.remove(&link) else { return };
        self.peers[other].links.remove(&theirs);
        for (idx, link) in [(idx, link), (other, theirs)] {
            self.queues.remove(&(idx, link));
            self.peers[idx].engine.disconnect(link);
        }
    }

    fn break_one(&mut self, idx: usize, n: u64) {
        let links: Vec<LinkId> = self.peers[idx].links.keys().copied().collect();
        if !links.is_empty() {
            self.disconnect(idx, links[n as usize % links.len()]);
        }
    }

    fn part(&mut self, idx: usize) {
        let links: Vec<LinkId> = self.peers[idx].links.keys().copied().collect();
        links.into_iter().for_each(|link| self.disconnect(idx, link));
    }

    fn crash(&mut self, idx: usize, n: u64) {
        self.part(idx);
        let style = match n % 3 {
            0 => CrashStyle::Lose,
            1 => CrashStyle::Keep,
            _ => CrashStyle::Tear(n >> 8),
        };
        let before = self.peers[idx].durable.clone();
        let steady_ms = self.steady_ms;
        self.peers[idx].crash(style, steady_ms);
        self.outcome.n_crashes += 1;
        assert!(before.is_subset(&self.peers[idx].durable), "a crash took what was durable");
        self.sync(idx);
    }

    fn back_up(&mut self, idx: usize) {
        self.rest(idx);
        self.peers[idx].backup = Some(self.peers[idx].disk.fork());
    }

    fn roll_back(&mut self, idx: usize) {
        self.part(idx);
        let before = self.peers[idx].durable.clone();
        let steady_ms = self.steady_ms;
        if !self.peers[idx].roll_back(steady_ms) {
            return;
        }
        self.outcome.n_roll_backs += 1;
        // What nobody else had is gone for good.
        for hash in before {
            if !self.peers.iter().any(|peer| peer.durable.contains(&hash)) {
                self.written.remove(&hash);
            }
        }
        self.sync(idx);
    }

    /// Puts what a peer wants to send on its way.
    fn carry(&mut self, idx: usize) {
        for (link, output) in self.peers[idx].take_outputs() {
            let target = self.peers[idx].links.get(&link).copied();
            let queue = target.and_then(|target| self.queues.get_mut(&target));
            match output {
                LinkOutput::Send(bytes) => {
                    assert!(bytes.len() <= limits::FRAME_BYTES_MAX);
                    self.trace.update(&bytes);
                    check_durable(&self.peers[idx].durable, &bytes);
                    if let Some(queue) = queue {
                        queue.push_back(Some(bytes));
                    }
                }
                LinkOutput::Close => {
                    if let Some(queue) = queue {
                        queue.push_back(None);
                    }
                }
                LinkOutput::Tell(Event::Forked(fork)) => panic!("an honest log forked: {:?}", fork.first.delta.log),
                LinkOutput::OwnLogElsewhere => panic!("somebody has more of a log than its author"),
                _ => {}
            }
        }
    }

    fn busy(&self) -> Vec<(usize, LinkId)> {
        self.queues.iter().filter(|(_, queue)| !queue.is_empty()).map(|(to, _)| *to).collect()
    }

    fn arrive_some(&mut self, n: u64) {
        for round in 0..1 + (n >> 32) % 8 {
            let busy = self.busy();
            if !busy.is_empty() {
                let (idx, link) = busy[(n >> round) as usize % busy.len()];
                self.arrive(idx, link);
            }
        }
    }

    fn arrive(&mut self, idx: usize, link: LinkId) {
        let Some(frame) = self.queues.get_mut(&(idx, link)).and_then(VecDeque::pop_front) else { return };
        self.outcome.n_frames += 1;
        match frame {
            Some(bytes) => self.give(idx, link, &bytes),
            None => self.disconnect(idx, link),
        }
    }

    fn give(&mut self, idx: usize, link: LinkId, bytes: &[u8]) {
        let moment = self.peers[idx].moment(self.steady_ms);
        self.peers[idx].engine.handle_frame(link, bytes, moment);
        self.carry(idx);
    }

    fn pass(&mut self, ms: u64) {
        self.steady_ms += ms;
        for idx in 0..self.peers.len() {
            let moment = self.peers[idx].moment(self.steady_ms);
            self.peers[idx].engine.tend_links(moment);
            self.carry(idx);
        }
    }

    fn spoil(&mut self, n: u64) {
        let busy = self.busy();
        let Some((idx, link)) = busy.get(n as usize % busy.len().max(1)).copied() else { return };
        let Some(queue) = self.queues.get_mut(&(idx, link)) else { return };
        let Some(Some(frame)) = queue.front_mut() else { return };
        let at = (n >> 16) as usize % frame.len();
        match (n >> 8) % 3 {
            0 => frame[at] ^= 1 << ((n >> 40) % 8),
            1 => frame.truncate(at),
            _ => {
                let again = frame.clone();
                queue.push_front(Some(again));
            }
        }
    }

    /// The liar connects, names more than there is, sends what it made up, and goes.
    fn lie(&mut self, idx: usize, n: u64) {
        let link = LinkId(u64::MAX - self.next_link);
        self.next_link += 1;
        let moment = self.peers[idx].moment(self.steady_ms);
        self.peers[idx].engine.connect(link, vec![], moment);
        let hello = Hello {
            oldest: 1,
            newest: 1,
            software: "0".into(),
            project: PROJECT,
            device: key_of(LIAR).device(),
            wall_ms: n,
            token: Bytes(vec![]),
        };
        self.give(idx, link, &Frame::Hello(hello).encode());
        let heads = self.peers[idx].engine.log().heads();
        let more = heads.iter().map(|head| Head { seq: head.seq.saturating_add(3), hash: DeltaHash([9; 32]), ..*head });
        self.give(idx, link, &Frame::Heads(more.collect()).encode());
        let mut random = Random(n);
        for _ in 0..random.below(6) {
            let frame = made_up(&mut random, &heads, moment.wall_ms);
            self.give(idx, link, &frame.encode());
        }
        self.peers[idx].engine.disconnect(link);
        self.peers[idx].take_outputs();
    }

    /// All faults stop: clocks are right, everybody is connected, everything arrives.
    pub fn heal(&mut self) {
        for idx in 0..self.peers.len() {
            self.part(idx);
            self.peers[idx].skew_ms = 0;
            self.sync(idx);
        }
        for a in 0..self.peers.len() {
            (0..a).for_each(|b| self.connect(a, b));
        }
        let end_ms = self.steady_ms + 4 * 3_600_000;
        let mut n_quiet = 0;
        while n_quiet < 4 {
            if self.steady_ms >= end_ms {
                panic!("no progress after all faults stopped: {:?}; {}", self.lacking(), self.why_lacking());
            }
            while let Some((idx, link)) = self.busy().first().copied() {
                n_quiet = 0;
                self.arrive(idx, link);
                self.sync(idx);
            }
            let due = self.peers.iter().filter_map(|peer| peer.engine.links_due_ms()).min();
            if due.is_none() && self.lacking().is_empty() {
                n_quiet += 1;
            }
            let wait_ms = due.map_or(1_000, |due_ms| due_ms.saturating_sub(self.steady_ms).clamp(1, 600_000));
            self.pass(wait_ms);
            (0..self.peers.len()).for_each(|idx| self.sync(idx));
        }
    }

    /// What the engines say of what they lack, for whoever looks into it.
    fn why_lacking(&mut self) -> String {
        let mut all = BTreeMap::new();
        for peer in &self.peers {
            let take = &mut |signed: &SignedDelta| {
                all.entry(signed.delta.key(signed.hash)).or_insert_with(|| signed.clone());
            };
            peer.engine.log().for_each(take).expect("a log in memory can be read");
        }
        let lacking = self.lacking();
        let mut say = |(idx, _): &(usize, usize)| {
            let now = self.peers[*idx].now(self.steady_ms);
            let arrived = all.values().map(Arrived::of).collect();
            format!("peer {idx}: {:?}", self.peers[*idx].engine.receive(arrived, now))
        };
        lacking.iter().map(&mut say).collect::<Vec<_>>().join("; ")
    }

    /// Deltas of which each peer has fewer than are anywhere.
    fn lacking(&self) -> Vec<(usize, usize)> {
        let all: BTreeSet<&DeltaHash> = self.peers.iter().flat_map(|peer| &peer.durable).collect();
        let lacking = self.peers.iter().map(|peer| (peer.idx, all.len() - peer.durable.len()));
        lacking.filter(|(_, n)| *n > 0).collect()
    }
}

/// Nothing leaves a peer before it is durable there.
fn check_durable(durable: &BTreeSet<DeltaHash>, bytes: &[u8]) {
    match Frame::decode(bytes, limits::FRAME_BYTES_MAX) {
        Ok(Frame::Deltas(frame)) => {
            for delta in frame.deltas {
                let hash = DeltaHash(*blake3::hash(&delta.bytes.0).as_bytes());
                assert!(durable.contains(&hash), "a delta was sent that a crash could take");
            }
        }
        Ok(Frame::Heads(heads) | Frame::Stored(heads)) => {
            assert!(heads.iter().all(|head| durable.contains(&head.hash)), "a head was told that a crash could take");
        }
        Ok(_) => {}
        Err(error) => panic!("a peer sends what it would not read: {error}"),
    }
}

/// A delta that nobody may take: forged, back-dated, on a past that is not there, or with names of others.
fn made_up(random: &mut Random, heads: &[Head], wall_ms: u64) -> Frame {
    let liar = key_of(LIAR);
    let own = LogId { device: liar.device(), incarnation: 0 };
    let victim = heads[random.below(heads.len() as u64) as usize];
    let in_its_name = random.below(2) == 0;
    let log = if in_its_name { victim.log } else { own };
    let (seq, prev) = if in_its_name { (victim.seq + 1, victim.hash) } else { (7, DeltaHash([5; 32])) };
    let step = Step { at_ms: wall_ms, file: 0, change: Change::Remove };
    let delta = Delta {
        project: PROJECT,
        log,
        seq,
        prev,
        hlc: Hlc { wall_ms: START_MS + random.below(2) * 100_000_000_000, counter: 0 },
        deps: vec![],
        origin: Origin::FileAction,
        group: seq,
        logs: vec![],
        files: vec![FileId([random.below(4) as u8; 16])],
        steps: vec![step],
    };
    let (bytes, hash) = encode_delta(&delta);
    let signature = (random.below(2) == 0).then(|| Signature(liar.sign_delta(&hash)));
    let cause = if random.below(2) == 0 { Cause::Live } else { Cause::Answer { id: 1, is_last: true } };
    Frame::Deltas(Deltas { cause, deltas: vec![WireDelta { bytes: Bytes(bytes), signature }] })
}
