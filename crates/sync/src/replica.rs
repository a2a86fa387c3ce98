//! What a link asks of the replica that it belongs to. The link itself keeps no history.

use crate::frame::Hello;
use crate::link::LinkId;
use codesync_base::{BlobHash, Delta, DeltaHash, DeltaKey, DeviceId, FileId, Head, LogId, RelPath, SignedDelta};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// A replica as its links see it: what it has, and what of it a crash cannot take any more.
pub trait Replica {
    /// Whether the device that says this may come in over this connection, and read. Wrong: the link ends.
    fn admit(&mut self, link: LinkId, hello: &Hello) -> Admission;

    /// The newest delta of every branch of every log, as far as it is durable. Sorted by log.
    fn heads(&self) -> Vec<Head>;

    /// Place of a delta that is here, durable or not.
    fn key(&self, hash: &DeltaHash) -> Option<DeltaKey>;

    /// Places of a log that are here, the newest of every branch first, then older ones at growing distances: the more,
    /// the less comes twice after the log forked. Empty when nothing of it is here.
    fn known(&self, log: &LogId) -> Vec<(u32, DeltaHash)>;

    /// The first sequence number of a log under which there is more than one delta.
    fn forked_at(&self, log: &LogId) -> Option<u32>;

    /// Another delta that is here with the log, the number and the predecessor of this one.
    fn sibling(&self, signed: &SignedDelta) -> Option<SignedDelta>;

    /// Durable deltas in canonical order from a place on, until `take` breaks: those of the given logs, from the
    /// given numbers on. False when some could not be read.
    fn walk(
        &self,
        first_seqs: &BTreeMap<LogId, u32>,
        from: &DeltaKey,
        take: &mut dyn FnMut(&SignedDelta) -> ControlFlow<()>,
    ) -> bool;

    /// The number up to which a log is not here because it is before the cut: this replica began without the past.
    /// The delta of just that number is known by name ([`Self::key`]), older ones by number only.
    fn cut_seq(&self, log: &LogId) -> u32 {
        let _ = log;
        0
    }

    /// Whether a device is not told of a delta: it was done before what that device is told from.
    fn is_kept_from(&self, peer: &DeviceId, log: &LogId, seq: u32) -> bool {
        let _ = (peer, log, seq);
        false
    }

    /// The same of a content.
    fn is_blob_kept_from(&self, peer: &DeviceId, hash: &BlobHash) -> bool {
        let _ = (peer, hash);
        false
    }

    /// Contents without which this replica cannot begin, at most so many: until they are here nothing else is asked for.
    fn needed_first(&self, n_max: usize) -> Vec<BlobHash> {
        let _ = n_max;
        Vec::new()
    }

    /// Contents without which a delta cannot be taken in.
    fn needs(&self, delta: &Delta) -> Vec<BlobHash> {
        delta.blobs().collect()
    }

    /// Whether a device may bring contents, by all that is here. What others name is not fetched before it is known whether
    /// the delta is taken.
    fn may_fill(&self, device: &DeviceId) -> bool {
        let _ = device;
        true
    }

    /// Whether a delta is refused whatever its contents are. All that it builds on is here.
    fn refuses(&mut self, signed: &SignedDelta) -> bool {
        let _ = signed;
        false
    }

    fn has_blob(&self, hash: &BlobHash) -> bool;

    /// Length of a blob, and at most so many bytes of it. None when it is not here.
    fn blob_piece(&self, hash: &BlobHash, offset: u64, length: u32) -> Option<(u64, Vec<u8>)>;

    /// A blob is about to be asked for over a link: how much of it is here since an earlier link with this device
    /// ended, and the hash of that so far. Its pieces go on from there.
    fn blob_begun(&mut self, link: LinkId, peer: DeviceId, hash: &BlobHash) -> Option<(u64, blake3::Hasher)> {
        let _ = (link, peer, hash);
        None
    }

    /// Takes a part of a blob from a link; its parts come in order, an offset of 0 begins anew. With the last one
    /// `is_whole` says that the bytes are those of its name, and the blob is here from then on.
    fn put_blob_piece(&mut self, link: LinkId, hash: &BlobHash, piece: BlobPiece);

    /// What a link brought of a blob is not what its name says.
    fn drop_blob(&mut self, link: LinkId, hash: &BlobHash) {
        let _ = (link, hash);
    }

    /// Texts that a newcomer should see first, at most so many bytes, and this device's signature over them. Empty when
    /// there is nothing to show.
    fn snapshot(&mut self, bytes_max: u32) -> Option<SignedTexts> {
        let _ = bytes_max;
        None
    }

    /// A digest over all that was computed from the durable deltas. What takes long is done in parts, one each time that
    /// this is asked.
    fn digest(&mut self) -> Computed {
        Computed::Unknown
    }

    /// The same for each file, sorted, at most so many.
    fn file_digests(&self, n_max: usize) -> Vec<(FileId, [u8; 32])> {
        let _ = n_max;
        Vec::new()
    }
}

/// How far a replica is with the digest of what it computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Computed {
    /// Not to be asked for as long as nothing changes.
    Unknown,
    /// Ask again.
    Soon,
    Known([u8; 32]),
}

/// Texts of files, and a device's signature over them.
pub type SignedTexts = (Vec<(RelPath, String)>, [u8; 64]);

/// A part of a blob that came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlobPiece<'a> {
    pub offset: u64,
    /// Of the whole blob.
    pub total_bytes: u64,
    pub bytes: &'a [u8],
    /// It is the last one, and the blob is what its name says.
    pub is_whole: bool,
}

/// Whether a device may come in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    Welcome,
    NotAMember,
    /// There are as many links with this device as there may be.
    Busy,
}

/// Branches of logs, followed delta by delta: what [`Replica::heads`] and [`Replica::forked_at`] tell, for a replica whose
/// storage does not know it.
#[derive(Clone, Debug, Default)]
pub struct Branches {
    heads: BTreeMap<LogId, Vec<Head>>,
    forked: BTreeMap<LogId, u32>,
}

impl Branches {
    /// The next delta of a log: it has to follow one that was noted before.
    pub fn note(&mut self, signed: &SignedDelta) {
        let delta = &signed.delta;
        let head = Head { log: delta.log, seq: delta.seq, hash: signed.hash };
        let heads = self.heads.entry(delta.log).or_default();
        if let Some(known) = heads.iter_mut().find(|known| known.hash == delta.prev) {
            *known = head;
            return;
        }
        if !heads.is_empty() {
            let first = self.forked.entry(delta.log).or_insert(delta.seq);
            *first = delta.seq.min(*first);
        }
        heads.push(head);
    }

    /// The head of a log that is known not to have forked.
    pub fn note_head(&mut self, head: Head) {
        self.heads.insert(head.log, vec![head]);
    }

    /// Those of a log that is known to have forked, and from which number on.
    pub fn note_forked(&mut self, log: LogId, heads: Vec<Head>, forked_at: u32) {
        self.heads.insert(log, heads);
        self.forked.insert(log, forked_at);
    }

    pub fn heads(&self) -> Vec<Head> {
        self.heads.values().flatten().copied().collect()
    }

    pub fn of(&self, log: &LogId) -> &[Head] {
        self.heads.get(log).map_or(&[], Vec::as_slice)
    }

    pub fn forked_at(&self, log: &LogId) -> Option<u32> {
        self.forked.get(log).copied()
    }
}
