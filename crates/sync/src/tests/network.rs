//! Nodes, the connections between them, and time. Frames of one connection stay in order; all else is up to the test.

use super::store::{START_MS, Store};
use crate::*;
use codesync_base::{DeltaHash, SignedDelta};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub struct Node {
    pub store: Store,
    pub mesh: Mesh,
    /// Where each link leads: the other node, and its name of the link.
    pub links: BTreeMap<LinkId, (usize, LinkId)>,
    pub presence: Vec<Vec<u8>>,
    pub snapshots: Vec<Vec<(codesync_base::RelPath, String)>>,
    pub events: Vec<Event>,
    pub skew_ms: i64,
}

pub struct Network {
    pub nodes: Vec<Node>,
    /// Frames on their way, by node and link that they go to. None: the connection ends.
    pub queues: BTreeMap<(usize, LinkId), VecDeque<Option<Vec<u8>>>>,
    pub now_ms: u64,
    next_link: u64,
    pub n_frames: u64,
    pub sent_bytes: u64,
    /// By the first byte of the frames.
    pub n_by_tag: BTreeMap<u8, u64>,
}

impl Network {
    pub fn new(n: u8) -> Self {
        let nodes = (1..=n).map(|n| {
            let store = Store::new(n);
            let mesh = Mesh::new(store.config());
            Node {
                store,
                mesh,
                links: BTreeMap::new(),
                presence: vec![],
                snapshots: vec![],
                events: vec![],
                skew_ms: 0,
            }
        });
        Self {
            nodes: nodes.collect(),
            queues: BTreeMap::new(),
            now_ms: 1_000,
            next_link: 1,
            n_frames: 0,
            sent_bytes: 0,
            n_by_tag: BTreeMap::new(),
        }
    }

    pub fn moment(&self, idx: usize) -> Moment {
        let wall_ms = (START_MS + self.now_ms).checked_add_signed(self.nodes[idx].skew_ms).unwrap();
        Moment { steady_ms: self.now_ms, wall_ms }
    }

    pub fn are_connected(&self, a: usize, b: usize) -> bool {
        self.nodes[a].links.values().any(|(node, _)| *node == b)
    }

    pub fn connect(&mut self, a: usize, b: usize) {
        let (at_a, at_b) = (LinkId(self.next_link), LinkId(self.next_link + 1));
        self.next_link += 2;
        self.nodes[a].links.insert(at_a, (b, at_b));
        self.nodes[b].links.insert(at_b, (a, at_a));
        self.queues.insert((a, at_a), VecDeque::new());
        self.queues.insert((b, at_b), VecDeque::new());
        for (idx, link) in [(a, at_a), (b, at_b)] {
            let now = self.moment(idx);
            self.nodes[idx].mesh.connect(link, vec![], now);
            self.do_outputs(idx);
        }
    }

    /// The connection breaks: what is on its way is lost.
    pub fn disconnect(&mut self, idx: usize, link: LinkId) {
        let Some((other, theirs)) = self.nodes[idx].links.remove(&link) else { return };
        self.nodes[other].links.remove(&theirs);
        for (node, link) in [(idx, link), (other, theirs)] {
            self.queues.remove(&(node, link));
            self.nodes[node].mesh.disconnect(link);
        }
    }

    /// Does what the links of a node ask for.
    pub fn do_outputs(&mut self, idx: usize) {
        loop {
            let outputs = self.nodes[idx].mesh.take_outputs();
            if outputs.is_empty() {
                return;
            }
            for (link, output) in outputs {
                let now = self.moment(idx);
                let target = self.nodes[idx].links.get(&link).copied();
                let node = &mut self.nodes[idx];
                match output {
                    Output::Admitted => {}
                    Output::Send(bytes) => {
                        assert!(bytes.len() <= limits::FRAME_BYTES_MAX);
                        *self.n_by_tag.entry(bytes[0]).or_default() += 1;
                        self.sent_bytes += bytes.len() as u64;
                        self.check_durable(idx, &bytes);
                        if let Some(queue) = target.and_then(|target| self.queues.get_mut(&target)) {
                            queue.push_back(Some(bytes));
                        }
                    }
                    Output::Deliver { deltas, cost_bytes } => {
                        node.store.receive(&deltas);
                        node.mesh.delivered(link, cost_bytes, &mut node.store, now);
                    }
                    Output::Presence(bytes) => node.presence.push(bytes),
                    Output::Snapshot(texts) => node.snapshots.push(texts),
                    Output::Tell(event) => node.events.push(event),
                    Output::Close => {
                        if let Some(queue) = target.and_then(|target| self.queues.get_mut(&target)) {
                            queue.push_back(None);
                        }
                    }
                }
            }
        }
    }

    /// Nothing leaves a node before it is durable there.
    fn check_durable(&self, idx: usize, bytes: &[u8]) {
        let store = &self.nodes[idx].store;
        match Frame::decode(bytes, limits::FRAME_BYTES_MAX).unwrap() {
            Frame::Deltas(frame) => {
                for delta in frame.deltas {
                    let hash = DeltaHash(*blake3::hash(&delta.bytes.0).as_bytes());
                    assert!(store.is_durable(&hash), "something was sent that a crash could take");
                }
            }
            Frame::Heads(heads) | Frame::Stored(heads) => {
                assert!(
                    heads.iter().all(|head| store.is_durable(&head.hash)),
                    "something was told that a crash could take"
                );
            }
            _ => {}
        }
    }

    /// One frame arrives.
    pub fn arrive(&mut self, idx: usize, link: LinkId) {
        let Some(next) = self.queues.get_mut(&(idx, link)).and_then(VecDeque::pop_front) else { return };
        self.n_frames += 1;
        match next {
            Some(bytes) => self.give(idx, link, &bytes),
            None => self.disconnect(idx, link),
        }
    }

    pub fn give(&mut self, idx: usize, link: LinkId, bytes: &[u8]) {
        let now = self.moment(idx);
        let node = &mut self.nodes[idx];
        node.mesh.handle_frame(link, bytes, &mut node.store, now);
        for (n_held, held_bytes) in node.mesh.held() {
            assert!(n_held <= limits::HELD_ASKED_MAX && held_bytes <= limits::HELD_BYTES_MAX);
        }
        self.do_outputs(idx);
    }

    pub fn write(&mut self, idx: usize) -> SignedDelta {
        let wall_ms = self.moment(idx).wall_ms;
        self.nodes[idx].store.write(wall_ms)
    }

    pub fn sync(&mut self, idx: usize) {
        let now = self.moment(idx);
        let node = &mut self.nodes[idx];
        let fresh = node.store.sync();
        if !fresh.is_empty() {
            node.mesh.durable(&fresh, &mut node.store, now);
            self.do_outputs(idx);
        }
    }

    pub fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
        for idx in 0..self.nodes.len() {
            let now = self.moment(idx);
            let node = &mut self.nodes[idx];
            node.mesh.handle_time(&mut node.store, now);
            self.do_outputs(idx);
        }
    }

    /// Everything arrives and is synced, until nothing is on its way.
    pub fn settle(&mut self) {
        loop {
            let busy: Vec<(usize, LinkId)> =
                self.queues.iter().filter(|(_, queue)| !queue.is_empty()).map(|(target, _)| *target).collect();
            for (idx, link) in &busy {
                self.arrive(*idx, *link);
            }
            let mut has_synced = false;
            for idx in 0..self.nodes.len() {
                has_synced |= self.nodes[idx].store.n_deltas() > self.nodes[idx].store.hashes().len();
                self.sync(idx);
            }
            if busy.is_empty() && !has_synced {
                return;
            }
        }
    }

    /// Everything arrives.
    pub fn settle_without_sync(&mut self) {
        while let Some((idx, link)) = self.queues.iter().find(|(_, queue)| !queue.is_empty()).map(|(target, _)| *target)
        {
            self.arrive(idx, link);
        }
    }

    /// Time passes, and everything arrives.
    pub fn wait(&mut self, ms: u64) {
        let end_ms = self.now_ms + ms;
        while self.now_ms < end_ms {
            self.pass((end_ms - self.now_ms).min(50));
            self.settle();
        }
    }

    /// Settles, and waits for timers, until all have the same; or fails.
    pub fn converge(&mut self, within_ms: u64) {
        let end_ms = self.now_ms + within_ms;
        loop {
            self.settle();
            let all: BTreeSet<BTreeSet<DeltaHash>> = self.nodes.iter().map(|node| node.store.hashes()).collect();
            if all.len() == 1 {
                return;
            }
            let counts: Vec<usize> = self.nodes.iter().map(|node| node.store.hashes().len()).collect();
            assert!(self.now_ms < end_ms, "no progress: {counts:?} deltas");
            self.pass(50);
        }
    }

    /// No timer does anything any more.
    pub fn is_quiet(&self) -> bool {
        self.nodes.iter().all(|node| node.mesh.due_ms().is_none_or(|due_ms| due_ms > self.now_ms + 1_000_000))
    }
}
