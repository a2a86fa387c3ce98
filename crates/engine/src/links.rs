//! The engine's links with peers: frames in, frames out. What they bring is taken in by [`Engine::receive`], what
//! becomes durable here they pass on. Opens no connection and knows no address; who may come in, a gate decides.

mod contents;

use crate::{Engine, Held};
use codesync_auth::Access;
use codesync_base::{BlobHash, Delta, DeltaHash, DeltaKey, DeviceId, FileId, Head, LogId, SignedDelta};
use codesync_sync::{
    Admission, BlobPiece, Branches, Computed, Config, Event as LinkEvent, Hello, Incoming, LinkId, Mesh, Moment,
    Output, Reason, Replica, SignedTexts, limits,
};
use contents::Contents;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// Decides whether the device that says Hello may come in over a connection, by the rights as they are (none: nobody
/// looks at them).
pub type Gate = Box<dyn FnMut(LinkId, &Hello, Option<&Access>) -> Admission + Send>;

/// What is to be done for a link.
#[derive(Clone, PartialEq, Debug)]
pub enum LinkOutput {
    /// Its frames may be long from now on ([`codesync_sync::limits::FRAME_BYTES_MAX`]).
    Admitted(DeviceId),
    Send(Vec<u8>),
    Tell(LinkEvent),
    /// A peer has deltas of this store's own log that it does not have itself: it was put back, or copied. It has to go
    /// on under a new name: [`Engine::begin_incarnation`]. Then what the peers have is taken in like others' work.
    OwnLogElsewhere,
    /// The connection is to be closed once all is sent. Nothing comes after this.
    Close,
}

#[derive(Default)]
pub(crate) struct Links {
    open: Option<Open>,
    outputs: Vec<(LinkId, LinkOutput)>,
    /// Bytes among the outputs, by link.
    waiting_bytes: BTreeMap<LinkId, usize>,
    /// The name of ours of which others have more.
    elsewhere: Option<LogId>,
}

struct Open {
    mesh: Mesh,
    gate: Gate,
    /// What is durable, all branches of it.
    durable: Branches,
    /// Appended, and not passed on yet; and their names.
    fresh: Vec<SignedDelta>,
    fresh_names: BTreeSet<DeltaHash>,
    /// How many of them are durable.
    n_fresh_durable: usize,
    contents: Contents,
}

impl Links {
    /// A delta was appended to the log.
    pub fn note(&mut self, signed: &SignedDelta) {
        if let Some(open) = &mut self.open {
            open.fresh_names.insert(signed.hash);
            open.fresh.push(signed.clone());
        }
    }

    /// All that was noted so far is durable.
    pub fn note_durable(&mut self) {
        if let Some(open) = &mut self.open {
            open.n_fresh_durable = open.fresh.len();
        }
    }
}

impl Engine {
    /// From now on there may be links. All that was handled so far has to be durable.
    pub fn open_links(&mut self, software: &str, gate: Gate) {
        let config = Config { project: self.project, device: self.own.device, software: software.to_owned() };
        let mut durable = Branches::default();
        let forks = &self.others.forks;
        for head in self.log.heads() {
            match forks.heads(&head.log).zip(forks.forked_at(&head.log)) {
                Some((heads, forked_at)) => durable.note_forked(head.log, heads, forked_at),
                None => durable.note_head(head),
            }
        }
        self.links.open = Some(Open {
            mesh: Mesh::new(config),
            gate,
            durable,
            fresh: Vec::new(),
            fresh_names: BTreeSet::new(),
            n_fresh_durable: 0,
            contents: Contents::default(),
        });
    }

    /// A connection with a peer is there. `token` is what admits this device at the other end.
    pub fn connect(&mut self, id: LinkId, token: Vec<u8>, moment: Moment) {
        if let Some(open) = &mut self.links.open {
            open.mesh.connect(id, token, moment);
        }
        self.settle_links(moment);
    }

    /// The connection is gone.
    pub fn disconnect(&mut self, id: LinkId) {
        if let Some(open) = &mut self.links.open {
            let (device, heads) = (open.mesh.peer(id), open.mesh.heads_told(id));
            open.mesh.disconnect(id);
            open.contents.part_with(id, device);
            if let Some(device) = device {
                self.note_heads_told(device, heads);
            }
        }
        self.part_with(id);
        self.end_meeting(id);
    }

    /// Says goodbye to a peer.
    pub fn end_link(&mut self, id: LinkId, reason: Reason, moment: Moment) {
        if let Some(open) = &mut self.links.open {
            open.mesh.end(id, reason);
        }
        self.settle_links(moment);
    }

    /// A frame that a peer sent, without its length.
    pub fn handle_frame(&mut self, id: LinkId, bytes: &[u8], moment: Moment) {
        // Many frames may come before what they ask for is taken from here: small ones must not fill the memory.
        if self.links.waiting_bytes.get(&id).is_some_and(|n_bytes| *n_bytes > limits::WAITING_BYTES_MAX) {
            return self.end_link(id, Reason::Limit, moment);
        }
        self.with_mesh(moment, |mesh, replica| mesh.handle_frame(id, bytes, replica, moment));
        self.settle_links(moment);
    }

    /// Does what is due.
    pub fn tend_links(&mut self, moment: Moment) {
        self.place_waiting(moment);
        self.send_presence(moment);
        self.tend_meetings(moment);
        self.tend_folder_acts(moment);
        self.settle_twice(self.now_at(moment));
        if self.links_due_ms().is_some_and(|due_ms| due_ms <= moment.steady_ms) {
            self.with_mesh(moment, |mesh, replica| mesh.handle_time(replica, moment));
            self.settle_links(moment);
        }
    }

    /// Steady time of the next [`Self::tend_links`] that has something to do.
    pub fn links_due_ms(&self) -> Option<u64> {
        let mesh = self.links.open.as_ref()?.mesh.due_ms();
        let others = mesh.into_iter().chain(self.meetings_due_ms()).chain(self.folder_acts_due_ms());
        others.chain(self.twice_due_ms()).min()
    }

    /// To be called after a sync that succeeded: what became durable goes to the peers.
    pub fn pass_on(&mut self, moment: Moment) {
        let Some(open) = &mut self.links.open else { return };
        if open.fresh.is_empty() {
            return;
        }
        let fresh = std::mem::take(&mut open.fresh);
        open.fresh_names.clear();
        open.n_fresh_durable = 0;
        fresh.iter().for_each(|signed| open.durable.note(signed));
        self.with_mesh(moment, |mesh, replica| mesh.durable(&fresh, replica, moment));
        self.settle_links(moment);
    }

    /// Tells all peers where the person is, if they do not know.
    fn send_presence(&mut self, moment: Moment) {
        let Some(open) = &mut self.links.open else { return };
        if let Some(bytes) = self.presence.take_fresh() {
            open.mesh.set_presence(&bytes, moment);
            self.settle_links(moment);
        }
    }

    /// What is to be done for the links since the last call.
    pub fn take_link_outputs(&mut self) -> Vec<(LinkId, LinkOutput)> {
        self.links.waiting_bytes.clear();
        std::mem::take(&mut self.links.outputs)
    }

    /// What each link keeps of deltas that cannot be taken in yet: their number, and bytes. Bounded, whatever peers do.
    pub fn held_for_links(&self) -> Vec<(usize, usize)> {
        self.links.open.as_ref().map(|open| open.mesh.held()).unwrap_or_default()
    }

    /// What the other end of a link told that it has.
    pub(crate) fn heads_told(&self, id: LinkId) -> Vec<Head> {
        self.links.open.as_ref().map(|open| open.mesh.heads_told(id)).unwrap_or_default()
    }

    /// The device that a link leads to, once it was admitted.
    pub fn peer_of(&self, id: LinkId) -> Option<DeviceId> {
        self.links.open.as_ref()?.mesh.peer(id)
    }

    fn with_mesh(&mut self, moment: Moment, call: impl FnOnce(&mut Mesh, &mut dyn Replica)) {
        let Some(mut open) = self.links.open.take() else { return };
        let Open { mesh, gate, durable, fresh, fresh_names, n_fresh_durable, contents } = &mut open;
        let undurable = &fresh[*n_fresh_durable..];
        call(mesh, &mut View { engine: self, gate, durable, moment, fresh: fresh_names, undurable, contents });
        self.links.open = Some(open);
    }

    /// Does what the links want of the engine, until they want nothing more.
    fn settle_links(&mut self, moment: Moment) {
        loop {
            let Some(open) = &mut self.links.open else { return };
            let outputs = open.mesh.take_outputs();
            if outputs.is_empty() {
                return;
            }
            for (id, output) in outputs {
                self.do_for_link(id, output, moment);
            }
        }
    }

    fn do_for_link(&mut self, id: LinkId, output: Output, moment: Moment) {
        let done = match output {
            Output::Deliver { deltas, cost_bytes } => return self.take_delivery(id, deltas, cost_bytes, moment),
            Output::Admitted => {
                let device = self.peer_of(id);
                if let Some(device) = device {
                    self.greet(id, device, self.now_at(moment));
                    self.meet(id, device);
                }
                device.map(LinkOutput::Admitted)
            }
            Output::Send(frame) => {
                *self.links.waiting_bytes.entry(id).or_default() += frame.len();
                Some(LinkOutput::Send(frame))
            }
            Output::Presence(bytes) => {
                let now = self.now_at(moment);
                let device = self.peer_of(id);
                device.into_iter().for_each(|device| self.take_presence(device, &bytes, now));
                None
            }
            Output::Snapshot(texts) => {
                self.begin_first_look(texts);
                None
            }
            Output::Tell(event) => {
                if let LinkEvent::Mismatch { files } = &event {
                    self.make_anew(files, self.peer_of(id), self.now_at(moment));
                }
                if let LinkEvent::Progress { receive_left, send_left } = event {
                    self.note_progress(id, receive_left, send_left, moment);
                    if receive_left == 0 {
                        self.end_first_look();
                    }
                }
                Some(LinkOutput::Tell(event))
            }
            Output::Close => {
                self.part_with(id);
                self.end_meeting(id);
                Some(LinkOutput::Close)
            }
        };
        self.links.outputs.extend(done.map(|output| (id, output)));
    }

    fn take_delivery(&mut self, id: LinkId, deltas: Vec<Incoming>, cost_bytes: u64, moment: Moment) {
        let log_of: BTreeMap<DeltaHash, LogId> =
            deltas.iter().map(|incoming| (incoming.signed.hash, incoming.signed.delta.log)).collect();
        let read = deltas.into_iter().map(|Incoming { signed, bytes }| (signed, bytes)).collect();
        let now = self.now_at(moment);
        let (mut refused, mut has_forked) = (Vec::new(), false);
        match self.receive_read(read, now) {
            Ok(received) => {
                has_forked = !received.forks.is_empty();
                if received.held.iter().any(|(_, held)| *held == Held::OwnLog) {
                    // Once for each name: others would only say it again.
                    if self.links.elsewhere.replace(self.own) != Some(self.own) {
                        self.links.outputs.push((id, LinkOutput::OwnLogElsewhere));
                    }
                }
                for (hash, why) in &received.refused {
                    tracing::warn!(?why, delta = %hash, "a delta of a peer is refused");
                    refused.extend(log_of.get(hash).copied());
                }
                if let Some(error) = received.failure {
                    tracing::warn!(%error, "not all that a peer sent could be kept");
                }
            }
            // It is asked for again when the store takes something.
            Err(error) => tracing::warn!(%error, "what a peer sent could not be kept"),
        }
        // Whoever was just let in says so.
        if self.access().is_some() && self.may(codesync_auth::Act::Speak).is_ok() {
            self.begin_session(now);
        }
        self.with_mesh(moment, |mesh, replica| {
            // Who knows more of a fork takes more: what is refused still is refused when it comes once more.
            match has_forked {
                true => mesh.look_again(),
                false => refused.into_iter().for_each(|log| mesh.refuse(id, log)),
            }
            mesh.delivered(id, cost_bytes, replica, moment);
        });
    }
}

/// The engine as its links see it.
struct View<'a> {
    engine: &'a mut Engine,
    gate: &'a mut Gate,
    durable: &'a mut Branches,
    moment: Moment,
    fresh: &'a BTreeSet<DeltaHash>,
    undurable: &'a [SignedDelta],
    contents: &'a mut Contents,
}

impl View<'_> {
    /// Whether a crash may take a delta back: it waits for its fsync, or for room on the disk.
    fn is_passing(&self, hash: &DeltaHash) -> bool {
        let waiting = self.engine.waiting.iter().map(|(signed, _)| signed);
        self.undurable.iter().chain(waiting).any(|signed| signed.hash == *hash)
    }
}

impl Replica for View<'_> {
    fn admit(&mut self, link: LinkId, hello: &Hello) -> Admission {
        // Nobody is served by a grant of which nobody would know after a crash.
        let member = self.engine.access().and_then(|access| access.membership(&hello.device));
        if member.and_then(|member| member.since).is_some_and(|since| self.is_passing(&since.hash)) {
            return Admission::NotAMember;
        }
        (self.gate)(link, hello, self.engine.access())
    }

    fn heads(&self) -> Vec<Head> {
        self.durable.heads()
    }

    fn key(&self, hash: &DeltaHash) -> Option<DeltaKey> {
        if let Some(key) = self.engine.others.beginning.key(hash) {
            return Some(key);
        }
        // What could not be read is not here: it is asked for again, and heals the log.
        self.engine.log.key_of(hash)
    }

    fn known(&self, log: &LogId) -> Vec<(u32, DeltaHash)> {
        let heads = self.engine.others.forks.heads(log);
        let heads = heads.unwrap_or_else(|| self.engine.log.head(log).into_iter().collect());
        heads.into_iter().map(|head| (head.seq, head.hash)).collect()
    }

    fn forked_at(&self, log: &LogId) -> Option<u32> {
        self.durable.forked_at(log)
    }

    fn sibling(&self, signed: &SignedDelta) -> Option<SignedDelta> {
        let (delta, mut sibling) = (&signed.delta, None);
        let find = &mut |other: &SignedDelta| {
            let is_it = (other.delta.seq, other.delta.prev) == (delta.seq, delta.prev) && other.hash != signed.hash;
            if is_it {
                sibling = Some(other.clone());
            }
            // Later ones of this log are no help, and of a branch of it only few are older.
            if is_it || other.delta.hlc > delta.hlc && other.delta.seq > delta.seq {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        if let Err(error) = self.engine.log.for_each_from(&delta.log, delta.seq, find) {
            tracing::warn!(%error, "the other branch of a log cannot be read");
        }
        sibling
    }

    fn walk(
        &self,
        first_seqs: &BTreeMap<LogId, u32>,
        from: &DeltaKey,
        take: &mut dyn FnMut(&SignedDelta) -> ControlFlow<()>,
    ) -> bool {
        let walked = self.engine.log.for_each_after(from, &mut |signed| {
            let delta = &signed.delta;
            let is_durable = !self.fresh.contains(&signed.hash);
            let is_wanted = first_seqs.get(&delta.log).is_some_and(|first_seq| delta.seq >= *first_seq);
            if is_durable && is_wanted { take(signed) } else { ControlFlow::Continue(()) }
        });
        walked.is_ok()
    }

    fn cut_seq(&self, log: &LogId) -> u32 {
        self.engine.log.cut_seq(log)
    }

    fn is_kept_from(&self, peer: &DeviceId, log: &LogId, seq: u32) -> bool {
        self.engine.is_kept_from(peer, log, seq)
    }

    fn is_blob_kept_from(&self, peer: &DeviceId, hash: &BlobHash) -> bool {
        self.engine.is_blob_kept_from(peer, hash)
    }

    fn needed_first(&self, n_max: usize) -> Vec<BlobHash> {
        self.engine.needed_first(n_max)
    }

    fn needs(&self, delta: &Delta) -> Vec<BlobHash> {
        delta.blobs().chain(self.engine.others.beginning.needs(delta, &self.engine.log)).collect()
    }

    fn may_fill(&self, device: &DeviceId) -> bool {
        self.engine.access().is_none_or(|access| access.may(device, codesync_auth::Act::Edit))
    }

    fn refuses(&mut self, signed: &SignedDelta) -> bool {
        let now = self.engine.now_at(self.moment);
        self.engine.refuses(signed, now)
    }

    fn has_blob(&self, hash: &BlobHash) -> bool {
        self.engine.log.has_blob(hash)
    }

    fn blob_piece(&self, hash: &BlobHash, offset: u64, length: u32) -> Option<(u64, Vec<u8>)> {
        self.contents.piece(&self.engine.log, hash, offset, length)
    }

    fn snapshot(&mut self, bytes_max: u32) -> Option<SignedTexts> {
        self.engine.texts_for_newcomer(bytes_max)
    }

    fn digest(&mut self) -> Computed {
        self.engine.digest_some()
    }

    fn file_digests(&self, n_max: usize) -> Vec<(FileId, [u8; 32])> {
        self.engine.file_digests(n_max)
    }

    fn blob_begun(&mut self, link: LinkId, peer: DeviceId, hash: &BlobHash) -> Option<(u64, blake3::Hasher)> {
        self.contents.go_on(link, peer, hash)
    }

    fn put_blob_piece(&mut self, link: LinkId, hash: &BlobHash, piece: BlobPiece) {
        self.contents.put(&mut self.engine.log, link, hash, piece);
        match self.engine.note_first(hash) {
            Ok(true) => self.begin(),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "what this copy begins with cannot be read"),
        }
    }

    fn drop_blob(&mut self, link: LinkId, hash: &BlobHash) {
        self.contents.forget(link, hash);
    }
}

impl View<'_> {
    /// All that this copy begins with came.
    fn begin(&mut self) {
        let now = self.engine.now_at(self.moment);
        match self.engine.begin(now) {
            Ok(heads) => heads.into_iter().for_each(|head| self.durable.note_head(head)),
            Err(error) => tracing::error!(%error, "this copy cannot begin"),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
