//! All peers, the frames between them, and time. Carries out the actions of a plan.

mod acts;
mod hostile;
mod rights;

use crate::peer::{Kind, Peer, device_of};
use crate::{Action, Outcome, Plan};
use codesync_base::{DeltaHash, SignedDelta};
use codesync_engine::{Arrived, LinkOutput};
use codesync_log::CrashStyle;
use codesync_sync::{Event, Frame, LinkId, limits};
use rights::Lowered;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// So long it may take until everybody has everything, when all faults have stopped.
const PATIENCE_MS: u64 = 4 * 3_600_000;
/// Up to so many peers each is connected with each in the end.
const ALL_WITH_ALL_MAX: usize = 6;

pub struct World {
    pub peers: Vec<Peer>,
    /// Frames on their way, by peer and link that they go to. None: the connection ends.
    queues: BTreeMap<(usize, LinkId), VecDeque<Option<Vec<u8>>>>,
    pub steady_ms: u64,
    next_link: u64,
    /// Own deltas that were durable at their author, and not lost by a roll-back.
    pub written: BTreeMap<DeltaHash, usize>,
    /// Who had rights taken.
    pub lowered: BTreeMap<usize, Lowered>,
    /// Words that each typed into a view last, while it did nothing else: by peer and path.
    typed: BTreeMap<(usize, String), Vec<String>>,
    n_typed: u64,
    pub trace: blake3::Hasher,
    outcome: Outcome,
}

impl World {
    pub fn new(plan: &Plan) -> Self {
        let kind = |idx| if plan.has_rights { rights::kind_of(plan.seed, idx) } else { Kind::Free };
        let mut world = Self {
            peers: (0..plan.n_peers).map(|idx| Peer::new(idx, kind(idx))).collect(),
            queues: BTreeMap::new(),
            steady_ms: 1_000,
            next_link: 1,
            written: BTreeMap::new(),
            lowered: BTreeMap::new(),
            typed: BTreeMap::new(),
            n_typed: 0,
            trace: blake3::Hasher::new(),
            outcome: Outcome::default(),
        };
        (0..plan.n_peers).for_each(|idx| world.sync(idx));
        if plan.has_rights {
            world.found(plan.seed);
        }
        world
    }

    pub fn outcome(mut self) -> Outcome {
        self.outcome.n_deltas = self.peers[0].engine.log().n_deltas();
        self.outcome.trace = self.trace.finalize().to_hex().to_string();
        self.outcome
    }

    pub fn act(&mut self, action: &Action) {
        self.forget_typed(action);
        match *action {
            Action::Edit { peer, n } => self.edit(self.peer(peer), n),
            Action::Rename { peer, n } => self.rename(self.peer(peer), n),
            Action::Delete { peer, n } => self.delete(self.peer(peer), n),
            Action::Undelete { peer } => self.undelete(self.peer(peer)),
            Action::Type { peer, n } => self.type_word(self.peer(peer), n),
            Action::Undo { peer } => self.undo_typed(self.peer(peer)),
            Action::View { peer, n } => self.view(self.peer(peer), n),
            Action::Disk { peer, n } => self.disk(self.peer(peer), n),
            Action::Restore { peer, n } => self.restore(self.peer(peer), n),
            Action::UndoLast { peer } => self.undo_last(self.peer(peer)),
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
            Action::Fill { peer, n } => {
                let idx = self.peer(peer);
                self.peers[idx].set_room((!n.is_multiple_of(3)).then_some((n >> 8) % 2_000));
            }
            Action::Grant { peer, n } => self.grant(self.peer(peer), n),
            Action::Lower { peer, n } => self.lower(self.peer(peer), n),
        }
        self.steady_ms += 1;
        (0..self.peers.len()).for_each(|idx| self.carry(idx));
    }

    fn peer(&self, n: u64) -> usize {
        (n % self.peers.len() as u64) as usize
    }

    pub fn sync(&mut self, idx: usize) {
        let steady_ms = self.steady_ms;
        self.peers[idx].sync(steady_ms);
        self.note_written(idx);
        self.carry(idx);
    }

    /// Own deltas that nothing can take any more. What links had done since the sync is not among them yet.
    fn note_written(&mut self, idx: usize) {
        let (own, peer) = (device_of(idx), &self.peers[idx]);
        let written = &mut self.written;
        for head in peer.engine.log().heads().into_iter().filter(|head| head.log.device == own) {
            // Each sync adds only what is new at the end.
            let walked = peer.engine.log().for_each_back(&mut |signed| {
                let is_own = signed.delta.log == head.log && peer.durable.contains(&signed.hash);
                match is_own && written.insert(signed.hash, idx).is_some() {
                    true => std::ops::ControlFlow::Break(()),
                    false => std::ops::ControlFlow::Continue(()),
                }
            });
            walked.expect("a log in memory can be read");
        }
    }

    fn rest(&mut self, idx: usize) {
        self.sync(idx);
        let rested = self.peers[idx].engine.rest(true);
        assert!(rested.is_ok() || self.peers[idx].is_short, "a disk with room does not take a block: {rested:?}");
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
        // Opened again, it would be as all others.
        if self.peers[idx].kind == Kind::Modified {
            return;
        }
        let style = match n % 3 {
            0 => CrashStyle::Lose,
            1 if n & 8 == 0 => CrashStyle::Keep,
            1 => CrashStyle::Kill,
            _ => CrashStyle::Tear(n >> 8),
        };
        let before = self.peers[idx].durable.clone();
        let steady_ms = self.steady_ms;
        self.peers[idx].crash(style, steady_ms);
        self.outcome.n_crashes += 1;
        let lost: Vec<_> = before.difference(&self.peers[idx].durable).collect();
        assert!(lost.is_empty(), "a crash took what was durable ({style:?}): {lost:?}");
        self.sync(idx);
    }

    fn back_up(&mut self, idx: usize) {
        self.rest(idx);
        if !self.peers[idx].is_short {
            self.peers[idx].back_up();
        }
    }

    fn roll_back(&mut self, idx: usize) {
        self.part(idx);
        if self.peers[idx].kind == Kind::Modified {
            return;
        }
        let before = self.peers[idx].durable.clone();
        let steady_ms = self.steady_ms;
        if !self.peers[idx].roll_back(steady_ms) {
            return;
        }
        self.outcome.n_roll_backs += 1;
        // What nobody else had is gone for good; and with rights, who else had it may not be one who counts.
        let is_free = self.peers[idx].kind == Kind::Free;
        for hash in before {
            let is_had = |peer: &Peer| (is_free || peer.idx == idx) && peer.durable.contains(&hash);
            if !self.peers.iter().any(is_had) {
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
                LinkOutput::Tell(Event::Forked(fork)) => {
                    let log = fork.first.delta.log;
                    assert!(log.device == device_of(crate::peer::LIAR), "an honest log forked: {log:?}");
                }
                LinkOutput::Tell(Event::Mismatch { .. }) => {
                    panic!("two made something else of the same deltas")
                }
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
        let at = (n >> 16) as usize % frame.len().max(1);
        match (n >> 8) % 3 {
            0 if !frame.is_empty() => frame[at] ^= 1 << ((n >> 40) % 8),
            1 => frame.truncate(at),
            _ => {
                let again = frame.clone();
                queue.push_front(Some(again));
            }
        }
    }

    /// All faults stop: clocks are right, disks have room, all members are connected, everything arrives.
    pub fn heal(&mut self) {
        for idx in 0..self.peers.len() {
            self.part(idx);
            self.peers[idx].skew_ms = 0;
            self.peers[idx].set_room(None);
            self.sync(idx);
        }
        let end_ms = self.steady_ms + PATIENCE_MS;
        let mut n_quiet = 0;
        while n_quiet < 4 {
            if self.steady_ms >= end_ms {
                panic!("no progress after all faults stopped: {:?}; {}", self.lacking(), self.why_lacking());
            }
            self.connect_members();
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

    /// Members that would let each other in are connected: each with each, or in a large group each with some.
    fn connect_members(&mut self) {
        let members = self.members();
        let n = members.len();
        for (at_a, a) in members.iter().copied().enumerate() {
            for (at_b, b) in members.iter().copied().enumerate().take(at_a) {
                let apart = (at_a - at_b).min(n - (at_a - at_b));
                // The founder is whom newcomers know.
                if (n <= ALL_WITH_ALL_MAX || b == 0 || apart == 1 || apart == 3)
                    && self.peers[a].admits(&device_of(b))
                    && self.peers[b].admits(&device_of(a))
                {
                    self.connect(a, b);
                }
            }
        }
    }

    /// What the engines say of what they lack, for whoever looks into it.
    fn why_lacking(&mut self) -> String {
        let mut all = BTreeMap::new();
        for idx in self.members() {
            let take = &mut |signed: &SignedDelta| {
                all.entry(signed.delta.key(signed.hash)).or_insert_with(|| signed.clone());
            };
            self.peers[idx].engine.log().for_each(take).expect("a log in memory can be read");
        }
        let lacking = self.lacking();
        let lack =
            |signed: &&SignedDelta| lacking.iter().any(|(idx, _)| !self.peers[*idx].durable.contains(&signed.hash));
        let place = |signed: &SignedDelta| {
            let SignedDelta { delta, hash, signature } = signed;
            let bare = if *signature == [0; 64] { " without signature" } else { "" };
            format!("{} {} {}{bare}", delta.log, delta.seq, hash.short())
        };
        let missing: Vec<String> = all.values().filter(lack).take(8).map(place).collect();
        let mut say = |(idx, _): &(usize, usize)| {
            let now = self.peers[*idx].now(self.steady_ms);
            let arrived = all.values().map(Arrived::of).collect();
            format!("peer {idx}: {:?}", self.peers[*idx].engine.receive(arrived, now))
        };
        let said = lacking.iter().map(&mut say).collect::<Vec<_>>().join("; ");
        format!("{}; {said}", missing.join(", "))
    }

    /// Deltas of which each member has fewer than are anywhere among members.
    fn lacking(&self) -> Vec<(usize, usize)> {
        let members = self.members();
        let all: BTreeSet<&DeltaHash> = members.iter().flat_map(|idx| &self.peers[*idx].durable).collect();
        let lacking = members.into_iter().map(|idx| (idx, all.len() - self.peers[idx].durable.len()));
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
