//! Contents that are long: kept in parts, each a blob of its own, and a blob that lists them. They come, and are read,
//! part by part, so that no more than one part of a content is in memory.

use super::{PackedBlob, Packing, damaged, unpack};
use crate::{Log, LogError};
use codesync_base::BlobHash;

/// What a content that is kept in parts consists of.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub length_bytes: u64,
    /// Of every part but the last.
    part_bytes: u32,
    pub hashes: Vec<BlobHash>,
}

impl Parts {
    /// Of a blob that lists parts, and not of any other.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let (_, rest) = payload.split_first_chunk::<32>()?;
        let (packing, rest) = rest.split_first()?;
        let (length, rest) = rest.split_first_chunk::<8>()?;
        let (part, rest) = rest.split_first_chunk::<4>()?;
        let (hashes, []) = rest.as_chunks::<32>() else { return None };
        let hashes: Vec<BlobHash> = hashes.iter().map(|hash| BlobHash(*hash)).collect();
        let (length_bytes, part_bytes) = (u64::from_le_bytes(*length), u32::from_le_bytes(*part));
        let n_parts = (part_bytes > 0).then(|| length_bytes.div_ceil(part_bytes.into()));
        let is_list = *packing == Packing::Parts as u8 && n_parts == Some(hashes.len() as u64);
        is_list.then_some(Self { length_bytes, part_bytes, hashes })
    }

    fn pack(&self, hash: BlobHash) -> PackedBlob {
        let mut payload = hash.0.to_vec();
        payload.push(Packing::Parts as u8);
        payload.extend_from_slice(&self.length_bytes.to_le_bytes());
        payload.extend_from_slice(&self.part_bytes.to_le_bytes());
        self.hashes.iter().for_each(|hash| payload.extend_from_slice(&hash.0));
        PackedBlob { hash, payload }
    }
}

/// Makes blobs of a content that comes piece by piece: of a short one itself, of a long one its parts, and in the end
/// the list of them.
#[derive(Clone, Debug)]
pub struct Packer {
    part_bytes: usize,
    /// Of the parts that are done.
    hasher: blake3::Hasher,
    parts: Vec<BlobHash>,
    /// What came after them.
    rest: Vec<u8>,
}

impl Default for Packer {
    fn default() -> Self {
        Self::new(crate::log::PART_BYTES)
    }
}

impl Packer {
    /// With parts of another length: for tests.
    pub(crate) fn new(part_bytes: usize) -> Self {
        Self { part_bytes, hasher: blake3::Hasher::new(), parts: Vec::new(), rest: Vec::new() }
    }

    /// Of what came.
    pub fn length_bytes(&self) -> u64 {
        self.begun_bytes() + self.rest.len() as u64
    }

    fn begun_bytes(&self) -> u64 {
        self.parts.len() as u64 * self.part_bytes as u64
    }

    /// Takes the next bytes, and hands on the parts that are full.
    ///
    /// # Errors
    /// What `keep` says. The content cannot be gone on with then.
    pub fn take<E>(&mut self, bytes: &[u8], keep: &mut dyn FnMut(PackedBlob) -> Result<(), E>) -> Result<(), E> {
        let mut left = bytes;
        while !left.is_empty() {
            if self.rest.len() == self.part_bytes {
                self.end_part(keep)?;
            }
            let (now, later) = left.split_at(left.len().min(self.part_bytes - self.rest.len()));
            self.rest.extend_from_slice(now);
            left = later;
        }
        Ok(())
    }

    /// Nothing comes any more: hands on what is left, and answers the content's name.
    ///
    /// # Errors
    /// What `keep` says.
    pub fn end<E>(mut self, keep: &mut dyn FnMut(PackedBlob) -> Result<(), E>) -> Result<BlobHash, E> {
        if self.parts.is_empty() {
            let hash = BlobHash::of(&self.rest);
            return keep(PackedBlob::of(hash, &self.rest)).map(|()| hash);
        }
        let length_bytes = self.length_bytes();
        if !self.rest.is_empty() {
            self.end_part(keep)?;
        }
        let hash = BlobHash(*self.hasher.finalize().as_bytes());
        let list = Parts { length_bytes, part_bytes: self.part_bytes as u32, hashes: self.parts };
        keep(list.pack(hash)).map(|()| hash)
    }

    fn end_part<E>(&mut self, keep: &mut dyn FnMut(PackedBlob) -> Result<(), E>) -> Result<(), E> {
        let hash = BlobHash::of(&self.rest);
        keep(PackedBlob::of(hash, &self.rest))?;
        self.hasher.update(&self.rest);
        self.parts.push(hash);
        self.rest.clear();
        Ok(())
    }

    /// Goes back to the end of the last part that is kept: how many bytes these are, and their hash so far.
    pub fn rewind(&mut self) -> (u64, blake3::Hasher) {
        self.rest = Vec::new();
        (self.begun_bytes(), self.hasher.clone())
    }
}

/// Reads a content from any place on. Keeps one part of it in memory.
#[derive(Clone, Debug)]
pub struct BlobReader {
    hash: BlobHash,
    parts: Parts,
    /// The part that was read last, and which it is.
    last: Option<(usize, Vec<u8>)>,
}

impl BlobReader {
    pub fn hash(&self) -> &BlobHash {
        &self.hash
    }

    pub fn length_bytes(&self) -> u64 {
        self.parts.length_bytes
    }

    /// So many bytes from there on, or all there are.
    ///
    /// # Errors
    /// When a part of it cannot be read.
    pub fn read(&mut self, log: &Log, offset: u64, n_bytes: usize) -> Result<Vec<u8>, LogError> {
        let left_bytes = self.parts.length_bytes.saturating_sub(offset);
        let n_bytes = usize::try_from(left_bytes).unwrap_or(usize::MAX).min(n_bytes);
        let (hash, part_bytes) = (self.hash, u64::from(self.parts.part_bytes));
        let mut bytes = Vec::with_capacity(n_bytes);
        while bytes.len() < n_bytes {
            let at = offset + bytes.len() as u64;
            let part = self.part(log, (at / part_bytes) as usize)?;
            let rest = part.get((at % part_bytes) as usize..).filter(|rest| !rest.is_empty());
            let rest = rest.ok_or_else(|| damaged(&hash))?;
            bytes.extend_from_slice(&rest[..rest.len().min(n_bytes - bytes.len())]);
        }
        Ok(bytes)
    }

    fn part(&mut self, log: &Log, idx: usize) -> Result<&[u8], LogError> {
        if self.last.as_ref().is_none_or(|(last, _)| *last != idx) {
            let hash = self.parts.hashes.get(idx).ok_or_else(|| damaged(&self.hash))?;
            let payload = log.blob_payload(hash)?.ok_or_else(|| damaged(hash))?;
            let (_, bytes) = unpack(&payload).ok_or_else(|| damaged(hash))?;
            self.last = Some((idx, bytes));
        }
        Ok(self.last.as_ref().map_or(&[], |(_, bytes)| bytes))
    }
}

impl Log {
    /// Whether this content is kept in parts: too long to be read as a whole without need.
    pub fn is_long_blob(&self, hash: &BlobHash) -> bool {
        self.long_blobs.contains(hash)
    }

    pub fn has_long_blobs(&self) -> bool {
        !self.long_blobs.is_empty()
    }

    /// Reads a content piece by piece; none when there is no such blob.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn blob_reader(&self, hash: &BlobHash) -> Result<Option<BlobReader>, LogError> {
        let Some(payload) = self.blob_payload(hash)? else { return Ok(None) };
        if let Some(parts) = Parts::read(&payload) {
            return Ok(Some(BlobReader { hash: *hash, parts, last: None }));
        }
        let (_, bytes) = unpack(&payload).ok_or_else(|| damaged(hash))?;
        let length_bytes = bytes.len() as u64;
        // It is the one part of itself.
        let parts = Parts { length_bytes, part_bytes: u32::MAX, hashes: vec![*hash] };
        Ok(Some(BlobReader { hash: *hash, parts, last: Some((0, bytes)) }))
    }

    pub(super) fn has_all(&self, parts: &Parts) -> bool {
        parts.hashes.iter().all(|hash| self.blobs.contains_key(hash))
    }

    /// Whether the bytes of a blob are those of its name.
    pub(in crate::log) fn is_blob_good(&self, hash: &BlobHash) -> bool {
        let read = || -> Result<bool, LogError> {
            let Some(mut reader) = self.blob_reader(hash)? else { return Ok(false) };
            let (mut hasher, mut at) = (blake3::Hasher::new(), 0);
            while at < reader.length_bytes() {
                let bytes = reader.read(self, at, reader.parts.part_bytes as usize)?;
                hasher.update(&bytes);
                at += bytes.len() as u64;
            }
            Ok(hasher.finalize().as_bytes() == &hash.0)
        };
        read().unwrap_or(false)
    }

    /// Forgets the contents that lack a part, so that they can be put again.
    pub(in crate::log) fn forget_broken_blobs(&mut self) {
        let is_whole = |hash: &BlobHash| {
            let payload = self.blob_payload(hash).ok().flatten();
            payload.and_then(|payload| Parts::read(&payload)).is_some_and(|parts| self.has_all(&parts))
        };
        let broken: Vec<BlobHash> = self.long_blobs.iter().filter(|hash| !is_whole(hash)).copied().collect();
        for hash in &broken {
            tracing::warn!(%hash, "a content lacks a part");
            self.long_blobs.remove(hash);
            self.blobs.remove(hash);
        }
    }
}
