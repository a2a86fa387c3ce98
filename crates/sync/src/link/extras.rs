//! What is not history: presence, digests, proofs of forks, the snapshot for a newcomer, and how far it all is.

use super::{Context, Event, Fork, Link, Moment, Output, digest_of_heads};
use crate::frame::*;
use crate::limits::*;
use crate::rate::Rate;
use codesync_auth::{SnapshotDigest, verify_delta};
use codesync_base::{FileId, Head, RelPath, SignedDelta, decode_delta};
use std::collections::{BTreeMap, BTreeSet};

/// Digests are compared when nothing was new for so long.
const QUIET_MS: u64 = 2_000;
const PROGRESS_MS: u64 = 200;
/// Proofs that one peer may send.
const FORKS_MAX: u32 = 64;

#[derive(Debug)]
pub(super) struct Extras {
    presence: Option<Vec<u8>>,
    presence_due_ms: u64,
    presence_in: Rate,
    progress: Option<(u64, u64)>,
    progress_told_ms: u64,
    digest_due_ms: Option<u64>,
    /// Heads for which the digest was told, and for which the files' were.
    told: [Option<[u8; 32]>; 2],
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
            progress: None,
            progress_told_ms: 0,
            digest_due_ms: None,
            told: [None; 2],
            n_forks: 0,
            snapshot: Receiving::No,
            was_snapshot_given: false,
        }
    }

    pub fn due_ms(&self) -> Option<u64> {
        let presence = self.presence.as_ref().map(|_| self.presence_due_ms);
        [presence, self.digest_due_ms].into_iter().flatten().min()
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
        // The next one says it all again.
        if self.extras.presence_in.take(now.steady_ms) {
            self.outputs.push(Output::Presence(bytes));
        }
    }

    pub(super) fn extras_due(&mut self, context: &mut Context) {
        self.presence_due(context.now);
        if self.extras.digest_due_ms.is_some_and(|due_ms| due_ms <= context.now.steady_ms) {
            self.extras.digest_due_ms = None;
            self.send_digest(context);
        }
    }

    fn send_digest(&mut self, context: &Context) {
        let heads = digest_of_heads(&context.replica.heads());
        if self.extras.told[0] == Some(heads) {
            return;
        }
        if let Some(whole) = context.replica.digest() {
            self.extras.told[0] = Some(heads);
            self.send(&Frame::Digest(Digest { heads, whole, files: Vec::new() }));
        }
    }

    pub(super) fn handle_digest(&mut self, theirs: Digest, context: &mut Context) {
        let heads = digest_of_heads(&context.replica.heads());
        let Some(whole) = context.replica.digest().filter(|_| heads == theirs.heads) else { return };
        if whole == theirs.whole {
            return self.tell(Event::Agreed);
        }
        let ours = context.replica.file_digests(DIGEST_FILES_MAX);
        if !theirs.files.is_empty() {
            self.tell(Event::Mismatch { files: differing(&ours, &theirs.files) });
        }
        if self.extras.told[1].replace(heads) != Some(heads) {
            self.send(&Frame::Digest(Digest { heads, whole, files: ours }));
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

    fn give_snapshot(&mut self, bytes_max: u32, context: &Context) {
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
