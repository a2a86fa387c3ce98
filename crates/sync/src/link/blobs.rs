//! Contents that are too long to stand in a delta: asked for part by part, so that an answer never takes more memory
//! than a question allowed.

use super::{Context, Link};
use crate::frame::*;
use crate::limits::*;
use crate::replica::BlobPiece;
use codesync_base::{BlobHash, limits::BLOB_BYTES_MAX};
use std::collections::BTreeMap;

/// Contents that are fetched at the same time.
const FETCHES_MAX: usize = 64;
/// What the first question asks for, when the length is not known.
const FIRST_BYTES: u64 = 64 * 1024;
/// Pause after one that came whole and could not be kept, as on a full disk.
const PAUSE_MS: u64 = 5_000;

#[derive(Debug, Default)]
pub(super) struct Fetching {
    fetches: BTreeMap<BlobHash, Fetch>,
    /// The peer does not have something of what everything begins with.
    pub is_first_refused: bool,
    /// Until then nothing more is asked for.
    paused_until_ms: Option<u64>,
}

#[derive(Debug)]
struct Fetch {
    total_bytes: Option<u64>,
    /// What came.
    have_bytes: u64,
    asked_bytes: u64,
    hasher: blake3::Hasher,
}

impl Fetch {
    /// Goes on behind what is here already.
    fn new(begun: Option<(u64, blake3::Hasher)>) -> Self {
        let (have_bytes, hasher) = begun.unwrap_or_else(|| (0, blake3::Hasher::new()));
        Self { total_bytes: None, have_bytes, asked_bytes: have_bytes, hasher }
    }

    fn under_way_bytes(&self) -> u64 {
        self.asked_bytes - self.have_bytes
    }

    /// Offset and length of the next question.
    fn next(&self) -> Option<(u64, u64)> {
        let length = match self.total_bytes {
            None if self.asked_bytes > self.have_bytes => 0,
            None => FIRST_BYTES,
            Some(total) => (total - self.asked_bytes).min(u64::from(BLOB_REQUEST_BYTES_MAX)),
        };
        (length > 0).then_some((self.asked_bytes, length))
    }
}

impl Fetching {
    pub fn is_idle(&self) -> bool {
        self.fetches.is_empty()
    }

    /// When a pause is over.
    pub fn due_ms(&self) -> Option<u64> {
        self.paused_until_ms
    }
}

impl Link {
    /// Asks for contents that held deltas need.
    pub(super) fn fetch_blobs(&mut self, context: &mut Context) {
        let mut wanted = Vec::new();
        self.blobs.paused_until_ms.take_if(|until_ms| *until_ms <= context.now.steady_ms);
        if self.blobs.paused_until_ms.is_none() && self.blobs.fetches.len() < FETCHES_MAX {
            wanted.extend(self.hold.missing_blobs(context.replica, FETCHES_MAX));
            let first = context.replica.needed_first(FETCHES_MAX);
            wanted.extend(first.into_iter().filter(|_| !self.blobs.is_first_refused));
        }
        for hash in wanted {
            if self.blobs.fetches.len() < FETCHES_MAX && !self.blobs.fetches.contains_key(&hash) {
                let begun = self.peer().and_then(|peer| context.replica.blob_begun(self.id, peer, &hash));
                self.blobs.fetches.insert(hash, Fetch::new(begun));
            }
        }
        self.ask_for_parts();
    }

    fn ask_for_parts(&mut self) {
        let mut ranges = Vec::new();
        let mut under_way_bytes: u64 = self.blobs.fetches.values().map(Fetch::under_way_bytes).sum();
        for (hash, fetch) in &mut self.blobs.fetches {
            while let Some((offset, length)) = fetch.next()
                && under_way_bytes < BLOB_ASKED_BYTES_MAX
                && ranges.len() < BLOB_REQUESTS_MAX
            {
                fetch.asked_bytes += length;
                under_way_bytes += length;
                ranges.push(BlobRange { hash: *hash, offset, length: length as u32 });
            }
        }
        if !ranges.is_empty() {
            self.send(&Frame::Blob(Blob::Want(ranges)));
        }
    }

    pub(super) fn handle_blob(&mut self, blob: Blob, context: &mut Context) {
        match blob {
            Blob::Want(ranges) => self.serve_blobs(&ranges, context),
            Blob::Chunk(chunk) => self.take_chunk(chunk, context),
            Blob::Lacks(hash) => {
                if self.blobs.fetches.remove(&hash).is_some() {
                    self.blobs.is_first_refused |= context.replica.needed_first(usize::MAX).contains(&hash);
                    self.drop_waiting_for(&hash);
                    self.fetch_blobs(context);
                }
            }
        }
    }

    fn serve_blobs(&mut self, ranges: &[BlobRange], context: &Context) {
        let asked_bytes: u64 = ranges.iter().map(|range| u64::from(range.length)).sum();
        let is_long = |range: &BlobRange| range.length > BLOB_REQUEST_BYTES_MAX;
        if asked_bytes > BLOB_WANT_BYTES_MAX || ranges.iter().any(is_long) {
            return self.end(Reason::Limit, "too much of blobs at once");
        }
        ranges.iter().for_each(|range| self.serve_blob(range, context));
    }

    fn serve_blob(&mut self, range: &BlobRange, context: &Context) {
        if self.peer().is_none_or(|peer| context.replica.is_blob_kept_from(&peer, &range.hash)) {
            return self.send(&Frame::Blob(Blob::Lacks(range.hash)));
        }
        let Some((total_bytes, bytes)) = context.replica.blob_piece(&range.hash, range.offset, range.length) else {
            return self.send(&Frame::Blob(Blob::Lacks(range.hash)));
        };
        let mut offset = range.offset;
        let mut rest = bytes.as_slice();
        loop {
            let (piece, after) = rest.split_at(rest.len().min(BLOB_CHUNK_BYTES as usize));
            let chunk = BlobChunk { hash: range.hash, total_bytes, offset, bytes: Bytes(piece.to_vec()) };
            self.send(&Frame::Blob(Blob::Chunk(chunk)));
            offset += piece.len() as u64;
            rest = after;
            if rest.is_empty() {
                return;
            }
        }
    }

    fn take_chunk(&mut self, chunk: BlobChunk, context: &mut Context) {
        let Some(fetch) = self.blobs.fetches.get_mut(&chunk.hash) else {
            return self.end(Reason::Malformed, "a blob that was not asked for");
        };
        let total_bytes = *fetch.total_bytes.get_or_insert(chunk.total_bytes);
        let n_bytes = chunk.bytes.0.len() as u64;
        let end = chunk.offset.saturating_add(n_bytes);
        let is_empty = n_bytes == 0 && total_bytes > 0;
        if total_bytes != chunk.total_bytes
            || total_bytes > BLOB_BYTES_MAX
            || chunk.offset != fetch.have_bytes
            || end > total_bytes
            || end > fetch.asked_bytes
            || is_empty
        {
            return self.end(Reason::Malformed, "a part of a blob that does not fit");
        }
        fetch.asked_bytes = fetch.asked_bytes.min(total_bytes);
        fetch.have_bytes = end;
        fetch.hasher.update(&chunk.bytes.0);
        let is_whole = end == total_bytes;
        if is_whole && fetch.hasher.finalize().as_bytes() != &chunk.hash.0 {
            context.replica.drop_blob(self.id, &chunk.hash);
            return self.end(Reason::Malformed, "a blob that is not what its name says");
        }
        self.note_heard(context);
        let piece = BlobPiece { offset: chunk.offset, total_bytes, bytes: &chunk.bytes.0, is_whole };
        context.replica.put_blob_piece(self.id, &chunk.hash, piece);
        if is_whole {
            self.blobs.fetches.remove(&chunk.hash);
            if !context.replica.has_blob(&chunk.hash) {
                self.blobs.paused_until_ms = Some(context.now.steady_ms.saturating_add(PAUSE_MS));
            }
            self.note_content(context);
        }
        // For many to ask for at once, and not for each anew: a peer decides how small they are.
        match is_whole && self.blobs.fetches.len() <= FETCHES_MAX / 2 {
            true => self.fetch_blobs(context),
            false => self.ask_for_parts(),
        }
        self.settle_credit();
        if is_whole && self.is_waiting_for_first() {
            self.consider_wants(context);
        }
    }
}
