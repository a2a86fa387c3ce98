//! The log itself: what is in it, and the path of a write.
//!
//! A delta goes to the journal's live segment and to the tail in memory; `sync` makes it durable with one
//! fdatasync. Sealing moves the tail into blocks (see `log/seal.rs`).

mod blobs;
mod briefs;
mod check;
mod cut;
mod join;
mod open;
mod read;
mod seal;
mod staged;

pub use blobs::{BlobReader, BlobSync, BlobSynced, PackedBlob, Packer};
pub use cut::Cut;
pub use read::Brief;

use crate::block::{BlockId, Summary};
use crate::index::{Index, checked, unchecked};
use crate::writer::{Place, Writer};
use crate::{Finding, LogError, MemoryDisk, MemoryIndex, OpenReport};
use codesync_base::{BlobHash, DeltaHash, DeltaKey, DeviceId, FileId, Head, LogId, SignedDelta};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// How a log is kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// A journal segment is closed once it is this long.
    pub segment_bytes_max: u64,
    /// So many steps are worth sealing while work goes on.
    pub block_steps_min: u64,
    /// Longer contents are kept in parts of this length.
    pub part_bytes: usize,
    /// Whether the signature of a delta is its author's. Asked only for what is in doubt, and by `verify`.
    pub verify_signature: fn(&SignedDelta) -> bool,
}

const SEGMENT_BYTES_MAX: u64 = 8 << 20;
const BLOCK_STEPS_MIN: u64 = 1_000;
const PART_BYTES: usize = 1 << 20;

impl Options {
    pub fn new(verify_signature: fn(&SignedDelta) -> bool) -> Self {
        Self {
            segment_bytes_max: SEGMENT_BYTES_MAX,
            block_steps_min: BLOCK_STEPS_MIN,
            part_bytes: PART_BYTES,
            verify_signature,
        }
    }
}

/// The deltas of a workspace and the blobs that they name, on disk.
///
/// Signatures: in a sealed block only the newest delta of a chain keeps its signature; it covers those before it,
/// whose `signature` reads as zeros. [`Log::covering`] finds the signed one.
pub struct Log {
    writer: Writer,
    index: Box<dyn Index>,
    options: Options,
    blocks: Vec<Block>,
    n_sealed: u64,
    tail: Tail,
    staged: staged::Staged,
    heads: BTreeMap<LogId, Head>,
    cut: Option<Cut>,
    blobs: HashMap<BlobHash, Place>,
    /// Those that are kept in parts.
    long_blobs: BTreeSet<BlobHash>,
    /// Lengths up to which the index knows the blobs of a segment.
    remembered_bytes: BTreeMap<u32, u64>,
    /// Sorted; computed when first asked for.
    sealed_hashes: RefCell<Option<Vec<SealedHash>>>,
    decoded: RefCell<read::DecodedBlocks>,
    new_briefs: RefCell<briefs::NewBriefs>,
    /// Something in the index could not be believed; it is rebuilt at the next occasion.
    index_is_doubtful: Cell<bool>,
    /// Segments in which records were damaged; they are set aside rather than removed.
    damaged_live: Vec<u32>,
    /// What opening found to be missing: `verify` must not forget it.
    lost_at_opening: Vec<Finding>,
    /// Keeps other processes out for as long as the log lives.
    _lock: Option<File>,
}

/// A sealed block and where it stands.
#[derive(Clone, Debug)]
struct Block {
    id: BlockId,
    summary: Summary,
    place: Place,
}

/// Where a sealed delta is, and its place in the canonical order: there is one for each, so it is kept small.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct SealedHash {
    hash: DeltaHash,
    wall_ms: u64,
    counter: u32,
    block_idx: u32,
    /// Among the logs of its block.
    log_idx: u32,
    seq: u32,
}

/// Deltas that are not sealed yet, in the order in which they came.
#[derive(Default)]
struct Tail {
    deltas: Vec<Arc<SignedDelta>>,
    by_hash: HashMap<DeltaHash, usize>,
    n_steps: u64,
}

impl Tail {
    fn push(&mut self, signed: Arc<SignedDelta>) {
        self.n_steps += signed.delta.steps.len() as u64;
        self.by_hash.insert(signed.hash, self.deltas.len());
        self.deltas.push(signed);
    }
}

impl Log {
    /// A log in memory, for tests.
    pub fn in_memory(options: Options) -> Result<(Log, OpenReport), LogError> {
        Log::open_with(Box::new(MemoryDisk::new()), Box::new(MemoryIndex::new()), options)
    }

    /// Adds a delta whose bytes are `bytes`. It can be read at once and is durable after the next `sync`.
    /// One that is there already is left as it is. On failure the delta is not in the log.
    pub fn append(&mut self, delta: &SignedDelta, bytes: &[u8]) -> Result<(), LogError> {
        assert!(blake3::hash(bytes).as_bytes() == &delta.hash.0, "invariant: a delta is named by its bytes");
        if self.may_hold(delta) && self.contains(&delta.hash) {
            return Ok(());
        }
        let mut payload = Vec::with_capacity(bytes.len() + delta.signature.len());
        payload.extend_from_slice(bytes);
        payload.extend_from_slice(&delta.signature);
        // Contents may have come ahead of it, and not be durable yet.
        for hash in delta.delta.blobs() {
            self.name_blob(&hash);
        }
        self.writer.append_delta(payload)?;
        self.take_in(Arc::new(delta.clone()));
        Ok(())
    }

    // Most deltas continue their log: for them no hash has to be looked up.
    fn may_hold(&self, delta: &SignedDelta) -> bool {
        self.heads.get(&delta.delta.log).is_some_and(|head| head.seq >= delta.delta.seq)
    }

    fn take_in(&mut self, signed: Arc<SignedDelta>) {
        self.raise_head(Head { log: signed.delta.log, seq: signed.delta.seq, hash: signed.hash });
        self.tail.push(signed);
    }

    /// The newest delta of a log; of the branches of a fork the longest, of equal ones the smaller hash.
    fn raise_head(&mut self, head: Head) {
        let known = self.heads.entry(head.log).or_insert(head);
        if (head.seq, std::cmp::Reverse(head.hash)) > (known.seq, std::cmp::Reverse(known.hash)) {
            *known = head;
        }
    }

    /// After this everything appended and put is durable: group commit with one real fdatasync, or two when
    /// blobs were put. After a failure it is not known what a crash would leave; a later `sync` that succeeds
    /// covers it all.
    pub fn sync(&mut self) -> Result<(), LogError> {
        let synced = self.writer.sync();
        self.follow_moved_blobs();
        synced
    }

    fn sync_all(&mut self) -> Result<(), LogError> {
        let synced = self.writer.sync_all();
        self.follow_moved_blobs();
        synced
    }

    /// Whether something waits for `sync`.
    pub fn unsynced(&self) -> bool {
        self.writer.unsynced()
    }

    /// Whether the spare room for a full disk is used up: writes still succeed, but soon will not.
    pub fn is_low_on_space(&self) -> bool {
        self.writer.is_low_on_space()
    }

    pub fn head(&self, log: &LogId) -> Option<Head> {
        self.heads.get(log).copied()
    }

    /// Heads of all logs, by log.
    pub fn heads(&self) -> Vec<Head> {
        self.heads.values().copied().collect()
    }

    pub fn n_deltas(&self) -> u64 {
        self.n_sealed + self.tail.deltas.len() as u64
    }

    pub fn n_steps(&self) -> u64 {
        self.blocks.iter().map(|block| u64::from(block.summary.n_steps)).sum::<u64>() + self.tail.n_steps
    }

    /// Steps that may have to be read to know a file: those of all blocks that touch it.
    pub fn n_steps_near(&self, file: &FileId) -> u64 {
        let near = self.blocks.iter().filter(|block| block.summary.may_touch(file));
        near.map(|block| u64::from(block.summary.n_steps)).sum::<u64>() + self.tail.n_steps
    }

    /// Whether nothing happened to a file since the log had these heads and so many deltas. In doubt it says no.
    pub fn is_untouched_since(&self, file: &FileId, heads: &[Head], n_deltas: u64) -> bool {
        let known_seq = |log: &LogId| heads.iter().find(|head| head.log == *log).map_or(0, |head| head.seq);
        let n_newer: Option<u64> = self
            .heads
            .values()
            .map(|head| head.seq.checked_sub(known_seq(&head.log)).map(u64::from))
            .sum::<Option<u64>>();
        // A gap or a second branch would show in the count.
        if n_newer.and_then(|n_newer| n_deltas.checked_add(n_newer)) != Some(self.n_deltas()) {
            return false;
        }
        let is_newer = |log: &LogId, seq: u32| seq > known_seq(log);
        let touched_in_blocks = self.blocks.iter().any(|block| {
            block.summary.may_touch(file) && block.summary.logs.iter().any(|part| is_newer(&part.log, part.last_seq))
        });
        let touched_in_tail = self
            .tail
            .deltas
            .iter()
            .any(|signed| is_newer(&signed.delta.log, signed.delta.seq) && signed.delta.files.contains(file));
        !touched_in_blocks && !touched_in_tail && heads.iter().all(|head| self.has_passed(head))
    }

    /// Whether this was a head once; as far as can be told without decoding anything.
    fn has_passed(&self, head: &Head) -> bool {
        let in_blocks = self.blocks.iter().flat_map(|block| &block.summary.logs);
        let is_end =
            in_blocks.clone().any(|part| (part.log, part.last_seq, part.last_hash) == (head.log, head.seq, head.hash));
        is_end
            || self.cut.as_ref().is_some_and(|cut| cut.head(&head.log) == Some(head))
            || self.tail.by_hash.contains_key(&head.hash)
            || self.tail.deltas.iter().any(|signed| signed.delta.log == head.log && signed.delta.prev == head.hash)
    }

    /// Steps that no block holds yet.
    pub fn n_unsealed_steps(&self) -> u64 {
        self.tail.n_steps
    }

    /// Bytes of the whole store.
    pub fn size_bytes(&self) -> u64 {
        self.writer.disk.size_bytes()
    }

    /// What was put under this key and can be believed. May vanish at any time.
    pub fn get_cache(&self, key: &str) -> Option<Vec<u8>> {
        self.index_get(format!("cache/{key}").as_bytes())
    }

    /// Keeps something that can be computed again.
    pub fn put_cache(&mut self, key: &str, bytes: &[u8]) {
        self.index_put(format!("cache/{key}").as_bytes(), bytes);
    }

    /// State of this device: open tabs, what was last written to the folder. May be lost with the index; no
    /// history may depend on it.
    pub fn get_local(&self, key: &str) -> Option<Vec<u8>> {
        self.index_get(format!("local/{key}").as_bytes())
    }

    /// Durable within about a second from a crash of the process, and after `seal` or `close` from one of the
    /// machine.
    pub fn put_local(&mut self, key: &str, bytes: &[u8]) {
        self.index_put(format!("local/{key}").as_bytes(), bytes);
    }

    fn index_get(&self, key: &[u8]) -> Option<Vec<u8>> {
        match self.index.get(key) {
            Ok(Some(bytes)) => match unchecked(key, &bytes) {
                Some(value) => Some(value.to_vec()),
                None => {
                    self.doubt_index(&"a checksum is wrong");
                    None
                }
            },
            Ok(None) => None,
            Err(error) => {
                self.doubt_index(&error);
                None
            }
        }
    }

    fn index_put(&mut self, key: &[u8], value: &[u8]) {
        self.index_write(vec![(key.to_vec(), Some(checked(key, value)))]);
    }

    // The index only repeats or speeds up: that a write to it fails must never fail the caller.
    fn index_write(&mut self, changes: Vec<crate::IndexChange>) {
        if let Err(error) = self.index.write(&changes) {
            self.doubt_index(&error);
        }
    }

    fn doubt_index(&self, why: &dyn std::fmt::Display) {
        tracing::warn!(%why, "the index is in doubt");
        self.index_is_doubtful.set(true);
    }

    /// Seals what waits, makes everything durable and lets the store go.
    pub fn close(mut self) -> Result<(), LogError> {
        self.seal(true).map(drop)
    }
}

/// The store of a folder, locked for this process.
fn lock(store: &Path) -> Result<File, LogError> {
    use std::io::{Read, Write};
    let path = store.join("lock");
    let refused = |source| LogError::Io { path: path.clone(), source };
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(refused)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            let mut text = String::new();
            // Some systems let nobody read a locked file; the sentence then goes without the number.
            let pid = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            return Err(LogError::Busy { pid });
        }
        Err(std::fs::TryLockError::Error(error)) => return Err(refused(error)),
    }
    let pid = std::process::id().to_string();
    // The number is only for a sentence: on a full disk the lock holds without it.
    if let Err(error) = file.set_len(0).and_then(|()| file.write_all(pid.as_bytes())) {
        tracing::debug!(%error, "the lock does not say who holds it");
    }
    Ok(file)
}

/// A key of the canonical order that bounds all deltas with this reading from below.
fn lower_bound(hlc: codesync_base::Hlc) -> DeltaKey {
    DeltaKey { hlc, log: LogId::default(), seq: 0, hash: DeltaHash::ZERO }
}

/// The same from above.
fn upper_bound(hlc: codesync_base::Hlc) -> DeltaKey {
    let log = LogId { device: DeviceId([0xff; 32]), incarnation: u32::MAX };
    DeltaKey { hlc, log, seq: u32::MAX, hash: DeltaHash([0xff; 32]) }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod proof;
