//! What is not history: presence, digests, proofs of forks, the snapshot for a newcomer, and how far it all is.

use super::{Context, Event, Fork, Link, Moment, Output, digest_of_heads};
use crate::frame::*;
use crate::limits::*;
use crate::rate::Rate;
use crate::replica::Computed;
use codesync_auth::{SnapshotDigest, verify_delta};
use codesync_base::{FileId, Head, RelPath, SignedDelta, decode_delta};
use std::collections::{BTreeMap, BTreeSet};

/// Digests are compared when nothing was new for so long.
const QUIET_MS: u64 = 2_000;
const PROGRESS_MS: u64 = 200;
/// Pause between two parts of the work that a digest takes.
const DIGEST_PART_MS: u64 = 50;
/// Differences on one link after which nothing is made anew any more: a peer could say that it differs for ever.
const MISMATCHES_MAX: u32 = 3;
/// Proofs that one peer may send.
const FORKS_MAX: u32 = 64;

#[derive(Debug)]
pub(super) struct Extras {
    presence: Option<Vec<u8>>,
    presence_due_ms: u64,
    presence_in: Rate,
    /// The newest that came above the rate, and when its turn is.
    presence_late: Option<(Vec<u8>, u64)>,
    progress: Option<(u64, u64)>,
    progress_told_ms: u64,
    digest_due_ms: Option<u64>,
    /// Heads for which the digest was told, and for which the files' were.
    told: [Option<[u8; 32]>; 2],
    /// What the peer computed, while ours is not known yet.
    theirs: Option<Digest>,
    n_mismatches: u32,
    n_forks: u32,
    snapshot: Receiving,
    was_snapshot_given: bool,
}

#[derive(Debug, Default)]
enum Receiving {
    #[default]
    No,
    Under {
        texts: Vec<(RelPath, Vec<u8>)>,
        is_open: bool,
        n_bytes: usize,
    },
}

impl Extras {
    pub fn new() -> Self {
        Self {
            presence: None,
            presence_due_ms: 0,
            presence_in: Rate::new(PRESENCE_PER_SECOND, PRESENCE_PER_SECOND),
            presence_late: None,
            progress: None,
            progress_told_ms: 0,
            digest_due_ms: None,
            told: [None; 2],
            theirs: None,
            n_mismatches: 0,
            n_forks: 0,
            snapshot: Receiving::No,
            was_snapshot_given: false,
        }
    }

    pub fn due_ms(&self) -> Option<u64> {
        let presence = self.presence.as_ref().map(|_| self.presence_due_ms);
        let late = self.presence_late.as_ref().map(|(_, due_ms)| *due_ms);
        [presence, late, self.digest_due_ms].into_iter().flatten().min()
    }

    pub fn note_progress(&mut self, receive_left: u64, send_left: u64, now_ms: u64) -> Option<Event> {
        let is_done = receive_left == 0 && send_left == 0;
        self.digest_due_ms = is_done.then_some(now_ms.saturating_add(QUIET_MS));
        let is_soon = now_ms.saturating_sub(self.progress_told_ms) < PROGRESS_MS && self.progress.is_some();
        if self.progress == Some((receive_left, send_left)) || (is_soon && !is_done) {
            return None;
        }
        self.progress = Some((receive_left, send_left));
        self.progress_told_ms = now_ms;
        Some(Event::Progress { receive_left, send_left })
    }
}

impl Link {
    /// Tells the peer where one is; only the newest counts.
    pub fn set_presence(&mut self, bytes: Vec<u8>, now: Moment) {
        assert!(bytes.len() <= PRESENCE_BYTES_MAX, "invariant: the host keeps presence short");
        if self.is_open() {
            self.extras.presence = Some(bytes);
            self.presence_due(now);
        }
    }

    fn presence_due(&mut self, now: Moment) {
        if self.extras.presence_due_ms > now.steady_ms {
            return;
        }
        if let Some(bytes) = self.extras.presence.take() {
            self.extras.presence_due_ms = now.steady_ms + 1_000 / u64::from(PRESENCE_PER_SECOND);
            self.send(&Frame::Presence(Bytes(bytes)));
        }
    }

    pub(super) fn handle_presence(&mut self, bytes: Vec<u8>, now: Moment) {
        if self.extras.presence_in.take(now.steady_ms) {
            self.extras.presence_late = None;
            self.outputs.push(Output::Presence(bytes));
        } else {
            // Each says it all again: only the newest is worth waiting for.
            let due_ms = now.steady_ms + 1_000 / u64::from(PRESENCE_PER_SECOND);
            self.extras.presence_late = Some((bytes, due_ms));
        }
    }

    fn late_presence_due(&mut self, now: Moment) {
        if self.extras.presence_late.as_ref().is_some_and(|(_, due_ms)| *due_ms <= now.steady_ms)
            && let Some((bytes, _)) = self.extras.presence_late.take()
        {
            self.handle_presence(bytes, now);
        }
    }

    pub(super) fn extras_due(&mut self, context: &mut Context) {
        self.presence_due(context.now);
        self.late_presence_due(context.now);
        if self.extras.digest_due_ms.is_some_and(|due_ms| due_ms <= context.now.steady_ms) {
            self.extras.digest_due_ms = None;
            self.send_digest(context);
        }
    }

    fn send_digest(&mut self, context: &mut Context) {
        let heads = digest_of_heads(&context.replica.heads());
        if self.extras.told[0] == Some(heads) {
            return;
        }
        match context.replica.digest() {
            Computed::Unknown => {}
            Computed::Soon => {
                self.extras.digest_due_ms = Some(context.now.steady_ms.saturating_add(DIGEST_PART_MS));
            }
            Computed::Known(whole) => {
                self.extras.told[0] = Some(heads);
                self.send(&Frame::Digest(Digest { heads, whole, files: Vec::new() }));
                if let Some(theirs) = self.extras.theirs.take() {
                    self.compare(heads, whole, &theirs, context);
                }
            }
        }
    }

    pub(super) fn handle_digest(&mut self, theirs: Digest, context: &mut Context) {
        let heads = digest_of_heads(&context.replica.heads());
        if heads != theirs.heads {
            return;
        }
        match context.replica.digest() {
            Computed::Unknown => {}
            // It is compared once ours is known.
            Computed::Soon => {
                self.extras.theirs = Some(theirs);
                self.extras.digest_due_ms.get_or_insert(context.now.steady_ms.saturating_add(DIGEST_PART_MS));
            }
            Computed::Known(whole) => self.compare(heads, whole, &theirs, context),
        }
    }

    fn compare(&mut self, heads: [u8; 32], whole: [u8; 32], theirs: &Digest, context: &mut Context) {
        if heads != theirs.heads {
            return;
        }
        if whole == theirs.whole {
            return self.tell(Event::Agreed);
        }
        let ours = context.replica.file_digests(DIGEST_FILES_MAX);
        if self.extras.told[1].replace(heads) != Some(heads) {
            self.send(&Frame::Digest(Digest { heads, whole, files: ours.clone() }));
        }
        if !theirs.files.is_empty() && self.extras.n_mismatches < MISMATCHES_MAX {
            self.tell(Event::Mismatch { files: differing(&ours, &theirs.files) });
            // What was made anew is compared once more.
            self.extras.n_mismatches += 1;
            self.extras.told = [None; 2];
            self.extras.digest_due_ms = Some(context.now.steady_ms.saturating_add(QUIET_MS));
        }
    }

    pub(super) fn handle_fork(&mut self, pair: [WireDelta; 2], _context: &mut Context) {
        self.extras.n_forks += 1;
        if self.extras.n_forks > FORKS_MAX {
            return;
        }
        let [first, second] = pair.map(signed_of);
        let (Some(first), Some(second)) = (first, second) else {
            return self.end(Reason::Forged, "a proof that proves nothing");
        };
        let place =
            |signed: &SignedDelta| (signed.delta.project, signed.delta.log, signed.delta.seq, signed.delta.prev);
        let is_proof = place(&first) == place(&second) && first.hash != second.hash;
        if !is_proof || first.delta.project != self.config.project {
            return self.end(Reason::Forged, "a proof that proves nothing");
        }
        self.tell(Event::Forked(Box::new(Fork { first, second })));
    }

    /// A newcomer looks at texts before it has their history.
    pub(super) fn ask_for_snapshot(&mut self, context: &Context) {
        let is_others = |head: &Head| head.log.device != self.config.device;
        let has_history = context.replica.heads().iter().any(is_others);
        if !has_history && self.theirs.values().flatten().any(is_others) {
            self.extras.snapshot = Receiving::Under { texts: Vec::new(), is_open: false, n_bytes: 0 };
            self.send(&Frame::Snapshot(Snapshot::Want { bytes_max: SNAPSHOT_BYTES_MAX }));
        }
    }

    pub(super) fn handle_snapshot(&mut self, snapshot: Snapshot, context: &mut Context) {
        match snapshot {
            Snapshot::Want { bytes_max } => self.give_snapshot(bytes_max.min(SNAPSHOT_BYTES_MAX), context),
            Snapshot::Piece(piece) => self.take_piece(piece),
            Snapshot::End(signature) => self.end_snapshot(&signature),
        }
    }

    fn give_snapshot(&mut self, bytes_max: u32, context: &mut Context) {
        if std::mem::replace(&mut self.extras.was_snapshot_given, true) {
            return self.end(Reason::Malformed, "a second snapshot");
        }
        let Some((texts, signature)) = context.replica.snapshot(bytes_max) else { return };
        for (path, text) in texts.into_iter().take(SNAPSHOT_FILES_MAX) {
            let mut chunks = text.as_bytes().chunks(BLOB_CHUNK_BYTES as usize).peekable();
            let mut next = Some(chunks.next().unwrap_or_default());
            while let Some(bytes) = next {
                next = chunks.next();
                let piece = SnapshotPiece { path: path.clone(), goes_on: next.is_some(), bytes: Bytes(bytes.to_vec()) };
                self.send(&Frame::Snapshot(Snapshot::Piece(piece)));
            }
        }
        self.send(&Frame::Snapshot(Snapshot::End(Signature(signature))));
    }

    fn take_piece(&mut self, piece: SnapshotPiece) {
        let Receiving::Under { texts, is_open, n_bytes } = &mut self.extras.snapshot else {
            return self.end(Reason::Malformed, "a snapshot that was not asked for");
        };
        *n_bytes += piece.bytes.0.len();
        if *n_bytes > SNAPSHOT_BYTES_MAX as usize || texts.len() > SNAPSHOT_FILES_MAX {
            return self.end(Reason::Limit, "a snapshot too long");
        }
        match texts.last_mut().filter(|(path, _)| *is_open && *path == piece.path) {
            Some((_, text)) => text.extend(piece.bytes.0),
            None => texts.push((piece.path, piece.bytes.0)),
        }
        *is_open = piece.goes_on;
    }

    fn end_snapshot(&mut self, signature: &Signature) {
        let Receiving::Under { texts, .. } = std::mem::take(&mut self.extras.snapshot) else {
            return self.end(Reason::Malformed, "a snapshot that was not asked for");
        };
        let mut digest = SnapshotDigest::new(&self.config.project);
        texts.iter().for_each(|(path, text)| digest.add(path.as_str(), text));
        if !self.peer().is_some_and(|peer| digest.verify(&peer, &signature.0)) {
            return self.end(Reason::Forged, "a snapshot that the peer did not sign");
        }
        let readable = texts.into_iter().filter_map(|(path, text)| Some((path, String::from_utf8(text).ok()?)));
        self.outputs.push(Output::Snapshot(readable.collect()));
    }
}

fn differing(ours: &[(FileId, [u8; 32])], theirs: &[(FileId, [u8; 32])]) -> Vec<FileId> {
    let ours: BTreeMap<FileId, [u8; 32]> = ours.iter().copied().collect();
    let theirs: BTreeMap<FileId, [u8; 32]> = theirs.iter().copied().collect();
    let all: BTreeSet<&FileId> = ours.keys().chain(theirs.keys()).collect();
    all.into_iter().filter(|file| ours.get(*file) != theirs.get(*file)).copied().collect()
}

/// A delta with its author's own signature.
fn signed_of(wire: WireDelta) -> Option<SignedDelta> {
    let (delta, hash) = decode_delta(&wire.bytes.0).ok()?;
    let signed = SignedDelta { delta, hash, signature: wire.signature?.0 };
    verify_delta(&signed).then_some(signed)
}
