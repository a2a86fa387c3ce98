//! A replica of nothing but maps: what is durable survives a crash, the rest does not.

use crate::*;
use codesync_auth::{DeviceKey, SnapshotDigest, verify_delta};
use codesync_base::*;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

pub const PROJECT: ProjectId = ProjectId([7; 16]);
pub const START_MS: u64 = 1_790_000_000_000;

/// SplitMix64: tests print its seed.
#[derive(Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn bytes(&mut self, n: u64) -> Vec<u8> {
        (0..n).map(|_| self.next() as u8).collect()
    }
}

pub fn key_of(n: u8) -> DeviceKey {
    DeviceKey::from_seed(&[n; 32])
}

#[derive(Clone, Default)]
struct Kept {
    deltas: BTreeMap<DeltaKey, SignedDelta>,
    blobs: BTreeMap<BlobHash, Vec<u8>>,
    branches: Branches,
}

impl Kept {
    fn add(&mut self, signed: &SignedDelta) {
        if self.deltas.insert(signed.delta.key(signed.hash), signed.clone()).is_none() {
            self.branches.note(signed);
        }
    }
}

pub struct Store {
    pub key: DeviceKey,
    pub log: LogId,
    all: Kept,
    durable: Kept,
    names: BTreeMap<DeltaHash, DeltaKey>,
    unsynced: Vec<SignedDelta>,
    partial: BTreeMap<(LinkId, BlobHash), Vec<u8>>,
    clock: Clock,
    seq: u32,
    prev: DeltaHash,
    named: BTreeMap<LogId, u32>,
    pub members: BTreeSet<DeviceId>,
    pub texts: Vec<(RelPath, String)>,
    pub digest: Option<[u8; 32]>,
    /// Whose deltas are refused.
    pub viewers: BTreeSet<DeviceId>,
    /// No content can be kept.
    pub is_full: bool,
    /// How often it was asked whether a delta or a content is here.
    pub n_looks: Cell<usize>,
}

impl Store {
    pub fn new(n: u8) -> Self {
        let key = key_of(n);
        let log = LogId { device: key.device(), incarnation: 0 };
        Self {
            key,
            log,
            all: Kept::default(),
            durable: Kept::default(),
            names: BTreeMap::new(),
            unsynced: Vec::new(),
            partial: BTreeMap::new(),
            clock: Clock::default(),
            seq: 0,
            prev: DeltaHash::ZERO,
            named: BTreeMap::new(),
            members: (1..100).map(|n| key_of(n).device()).collect(),
            texts: Vec::new(),
            digest: None,
            viewers: BTreeSet::new(),
            is_full: false,
            n_looks: Cell::new(0),
        }
    }

    pub fn config(&self) -> Config {
        Config { project: PROJECT, device: self.log.device, software: "0.1.0".into() }
    }

    pub fn step(at_ms: u64) -> Step {
        let change = Change::Session { person: "Ann".into(), device_name: "x".repeat(20) };
        Step { at_ms, file: 0, change }
    }

    /// A delta of this author that is not kept.
    pub fn draft(&self, hlc: Hlc, deps: Vec<Head>, steps: Vec<Step>) -> Delta {
        Delta {
            project: PROJECT,
            log: self.log,
            seq: self.seq + 1,
            prev: self.prev,
            hlc,
            deps,
            origin: Origin::Session,
            group: self.seq + 1,
            logs: vec![],
            files: vec![],
            steps,
        }
    }

    pub fn sign(&self, delta: Delta) -> SignedDelta {
        let (_, hash) = encode_delta(&delta);
        SignedDelta { signature: self.key.sign_delta(&hash), delta, hash }
    }

    /// Works: a new delta that names all heads that are new to it.
    pub fn write(&mut self, now_ms: u64) -> SignedDelta {
        self.write_steps(now_ms, vec![Self::step(now_ms)])
    }

    pub fn write_blob(&mut self, now_ms: u64, bytes: Vec<u8>) -> SignedDelta {
        let (blob, length_bytes) = (BlobHash::of(&bytes), bytes.len() as u64);
        self.all.blobs.insert(blob, bytes);
        let step = Step { at_ms: now_ms, file: 0, change: Change::Content { blob, length_bytes } };
        self.write_steps(now_ms, vec![step])
    }

    pub fn write_steps(&mut self, now_ms: u64, steps: Vec<Step>) -> SignedDelta {
        let named = self.named.clone();
        let is_new = |head: &Head| head.log != self.log && named.get(&head.log).copied().unwrap_or(0) < head.seq;
        let mut deps: BTreeMap<LogId, Head> = BTreeMap::new();
        for head in self.all.branches.heads().into_iter().filter(is_new) {
            deps.entry(head.log).or_insert(head);
        }
        self.named.extend(deps.values().map(|head| (head.log, head.seq)));
        let hlc = self.clock.tick(now_ms);
        let mut delta = self.draft(hlc, deps.into_values().collect(), steps);
        delta.files = delta
            .steps
            .iter()
            .filter(|s| matches!(s.change, Change::Content { .. }))
            .map(|_| FileId([1; 16]))
            .collect();
        let signed = self.sign(delta);
        self.take(&signed);
        signed
    }

    fn take(&mut self, signed: &SignedDelta) {
        let key = signed.delta.key(signed.hash);
        assert!(self.names.insert(signed.hash, key).is_none(), "a delta is taken once");
        self.all.add(signed);
        self.unsynced.push(signed.clone());
        self.clock.observe(signed.delta.hlc);
        if signed.delta.log == self.log {
            self.seq = signed.delta.seq;
            self.prev = signed.hash;
        }
    }

    /// Takes what a link delivers: everything about it has to be good.
    pub fn receive(&mut self, batch: &[Incoming]) {
        let mut vouched: BTreeSet<DeltaHash> = BTreeSet::new();
        for Incoming { signed, bytes } in batch.iter().rev() {
            let (delta, hash) = decode_delta(bytes).unwrap();
            assert_eq!((&delta, hash), (&signed.delta, signed.hash));
            assert!(vouched.contains(&hash) || verify_delta(signed), "nobody vouches for a delta");
            vouched.insert(signed.delta.prev);
        }
        for Incoming { signed, .. } in batch {
            if self.names.contains_key(&signed.hash) || self.viewers.contains(&signed.delta.log.device) {
                continue;
            }
            let delta = &signed.delta;
            let past = delta.deps.iter().map(|dep| dep.hash).chain((delta.seq > 1).then_some(delta.prev));
            for hash in past {
                let key = self.names.get(&hash).expect("no delta comes before its past");
                assert!(key.hlc < delta.hlc, "a clock stands above the past");
            }
            assert!(delta.blobs().all(|hash| self.all.blobs.contains_key(&hash)), "no delta comes before its contents");
            self.take(signed);
        }
    }

    /// What became durable.
    pub fn sync(&mut self) -> Vec<SignedDelta> {
        let fresh = std::mem::take(&mut self.unsynced);
        fresh.iter().for_each(|signed| self.durable.add(signed));
        for hash in fresh.iter().flat_map(|signed| signed.delta.blobs()) {
            self.durable.blobs.insert(hash, self.all.blobs[&hash].clone());
        }
        fresh
    }

    /// Loses what was not synced.
    pub fn crash(&mut self) {
        self.all = self.durable.clone();
        self.unsynced.clear();
        self.partial.clear();
        self.names = self.all.deltas.keys().map(|key| (key.hash, *key)).collect();
        let own = self.all.branches.of(&self.log).first().copied();
        (self.seq, self.prev) = own.map_or((0, DeltaHash::ZERO), |head| (head.seq, head.hash));
        self.named.clear();
        for signed in self.all.deltas.values().filter(|signed| signed.delta.log == self.log) {
            self.named.extend(signed.delta.deps.iter().map(|dep| (dep.log, dep.seq)));
        }
        self.clock = Clock::starting_above(self.all.deltas.keys().map(|key| key.hlc).max().unwrap_or_default());
    }

    /// The store is put back to where it was, and its owner goes on without knowing: the log will fork.
    pub fn roll_back(&mut self, seq: u32) {
        self.sync();
        let own = self.log;
        let newest = self.all.deltas.keys().filter(|key| key.log == own && key.seq <= seq).max().copied();
        (self.seq, self.prev) = newest.map_or((0, DeltaHash::ZERO), |key| (key.seq, key.hash));
    }

    /// Signatures that later ones cover go, as in sealed blocks of so many deltas.
    pub fn seal(&mut self, block: usize) {
        let keys: Vec<DeltaKey> = self.durable.deltas.keys().copied().collect();
        for keys in keys.chunks(block) {
            let mut vouched: BTreeSet<DeltaHash> = BTreeSet::new();
            for key in keys.iter().rev() {
                let signed = self.durable.deltas.get_mut(key).unwrap();
                let is_vouched = vouched.contains(&signed.hash);
                if is_vouched || signed.signature != [0; 64] {
                    vouched.insert(signed.delta.prev);
                }
                if is_vouched {
                    signed.signature = [0; 64];
                }
            }
        }
    }

    pub fn n_deltas(&self) -> usize {
        self.all.deltas.len()
    }

    pub fn hashes(&self) -> BTreeSet<DeltaHash> {
        self.durable.deltas.keys().map(|key| key.hash).collect()
    }

    pub fn is_durable(&self, hash: &DeltaHash) -> bool {
        self.names.get(hash).is_some_and(|key| self.durable.deltas.contains_key(key))
    }

    pub fn put_blob(&mut self, bytes: &[u8]) -> BlobHash {
        let hash = BlobHash::of(bytes);
        self.all.blobs.insert(hash, bytes.to_vec());
        hash
    }

    pub fn blob(&self, hash: &BlobHash) -> Option<&Vec<u8>> {
        self.all.blobs.get(hash)
    }

    pub fn all(&self) -> impl Iterator<Item = &SignedDelta> {
        self.all.deltas.values()
    }
}

impl Replica for Store {
    fn admit(&mut self, _link: LinkId, hello: &Hello) -> Admission {
        if self.members.contains(&hello.device) { Admission::Welcome } else { Admission::NotAMember }
    }

    fn heads(&self) -> Vec<Head> {
        self.durable.branches.heads()
    }

    fn key(&self, hash: &DeltaHash) -> Option<DeltaKey> {
        self.n_looks.update(|n| n + 1);
        self.names.get(hash).copied()
    }

    fn known(&self, log: &LogId) -> Vec<(u32, DeltaHash)> {
        let mut known: Vec<(u32, DeltaHash)> =
            self.all.branches.of(log).iter().map(|head| (head.seq, head.hash)).collect();
        let Some(newest) = known.iter().map(|(seq, _)| *seq).max() else { return known };
        let mut back = 1;
        while back < newest && known.len() < crate::limits::WANT_KNOWN_MAX {
            let older = self.all.deltas.keys().find(|key| key.log == *log && key.seq == newest - back);
            known.extend(older.map(|key| (key.seq, key.hash)));
            back *= 2;
        }
        known
    }

    fn forked_at(&self, log: &LogId) -> Option<u32> {
        self.all.branches.forked_at(log)
    }

    fn sibling(&self, signed: &SignedDelta) -> Option<SignedDelta> {
        let delta = &signed.delta;
        let is_sibling = |other: &&SignedDelta| {
            (other.delta.log, other.delta.seq, other.delta.prev) == (delta.log, delta.seq, delta.prev)
                && other.hash != signed.hash
        };
        self.all.deltas.values().find(is_sibling).cloned()
    }

    fn walk(
        &self,
        first_seqs: &BTreeMap<LogId, u32>,
        from: &DeltaKey,
        take: &mut dyn FnMut(&SignedDelta) -> ControlFlow<()>,
    ) -> bool {
        for signed in self.durable.deltas.range(from..).map(|(_, signed)| signed) {
            let is_wanted = first_seqs.get(&signed.delta.log).is_some_and(|seq| signed.delta.seq >= *seq);
            if is_wanted && take(signed).is_break() {
                break;
            }
        }
        true
    }

    fn may_fill(&self, device: &DeviceId) -> bool {
        !self.viewers.contains(device)
    }

    fn refuses(&mut self, signed: &SignedDelta) -> bool {
        self.viewers.contains(&signed.delta.log.device)
    }

    fn has_blob(&self, hash: &BlobHash) -> bool {
        self.n_looks.update(|n| n + 1);
        self.all.blobs.contains_key(hash)
    }

    fn blob_piece(&self, hash: &BlobHash, offset: u64, length: u32) -> Option<(u64, Vec<u8>)> {
        let blob = self.durable.blobs.get(hash)?;
        let rest = blob.get(usize::try_from(offset).ok()?..).unwrap_or_default();
        Some((blob.len() as u64, rest[..rest.len().min(length as usize)].to_vec()))
    }

    fn put_blob_piece(&mut self, link: LinkId, hash: &BlobHash, piece: BlobPiece) {
        let partial = self.partial.entry((link, *hash)).or_default();
        partial.truncate(piece.offset as usize);
        assert_eq!(partial.len() as u64, piece.offset);
        partial.extend_from_slice(piece.bytes);
        if piece.is_whole {
            let blob = self.partial.remove(&(link, *hash)).unwrap();
            assert_eq!((blob.len() as u64, BlobHash::of(&blob)), (piece.total_bytes, *hash));
            if !self.is_full {
                self.all.blobs.insert(*hash, blob);
            }
        }
    }

    fn snapshot(&mut self, bytes_max: u32) -> Option<SignedTexts> {
        let n_bytes: usize = self.texts.iter().map(|(_, text)| text.len()).sum();
        if self.texts.is_empty() || n_bytes > bytes_max as usize {
            return None;
        }
        let mut digest = SnapshotDigest::new(&PROJECT);
        self.texts.iter().for_each(|(path, text)| digest.add(path.as_str(), text.as_bytes()));
        Some((self.texts.clone(), digest.sign(&self.key)))
    }

    fn digest(&mut self) -> Computed {
        self.digest.map_or(Computed::Unknown, Computed::Known)
    }

    fn file_digests(&self, n_max: usize) -> Vec<(FileId, [u8; 32])> {
        self.digest.iter().map(|digest| (FileId([9; 16]), *digest)).take(n_max).collect()
    }
}
