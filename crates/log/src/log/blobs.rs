//! Blobs: content that is too long to stand in a delta. They live in journal segments of their own; the index
//! only remembers where, so that opening need not read them.

use super::Log;
use crate::index::checked;
use crate::journal::{Class, RecordKind};
use crate::writer::{self, Place};
use crate::{IndexChange, LogError};
use codesync_base::{BlobHash, BlobSource, limits};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Read;

const ZSTD_LEVEL: i32 = 3;
/// More blob bytes than this are made durable at once, so that they need not be kept in memory until `sync`.
const UNSYNCED_BYTES_MAX: usize = 16 << 20;

/// How the bytes of a blob are stored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Packing {
    Plain = 0,
    Zstd = 1,
}

/// A blob as it is stored, made by any thread.
#[derive(Clone, Debug)]
pub struct PackedBlob {
    hash: BlobHash,
    payload: Vec<u8>,
}

impl PackedBlob {
    pub fn of(hash: BlobHash, bytes: &[u8]) -> Self {
        Self { hash, payload: pack(&hash, bytes) }
    }

    pub fn n_bytes(&self) -> usize {
        self.payload.len()
    }
}

/// Blobs to be made durable, on any thread.
pub struct BlobSync(writer::BlobSync);

/// How it went.
pub struct BlobSynced(writer::BlobSynced);

impl BlobSync {
    pub fn run(self) -> BlobSynced {
        BlobSynced(self.0.run())
    }
}

impl Log {
    /// Keeps these bytes, once however often they are put. Durable with the next `sync`.
    pub fn put_blob(&mut self, bytes: &[u8]) -> Result<BlobHash, LogError> {
        self.put_hashed(BlobHash::of(bytes), bytes)
    }

    /// The same of bytes whose name is known.
    pub fn put_hashed(&mut self, hash: BlobHash, bytes: &[u8]) -> Result<BlobHash, LogError> {
        if !self.blobs.contains_key(&hash) {
            self.append_blob(hash, &pack(&hash, bytes))?;
        }
        // One that was put ahead of time may not be durable yet, either.
        self.writer.name_blob(self.blobs[&hash]);
        if self.writer.unsynced_bytes(Class::Blobs) > UNSYNCED_BYTES_MAX {
            self.sync()?;
        }
        Ok(hash)
    }

    /// Keeps a blob ahead of time, packed by another thread. It must not be named before a [`BlobSync`] that was begun
    /// later is through, or else it is made durable with the next `sync` like any other.
    pub fn put_ahead(&mut self, blob: &PackedBlob) -> Result<(), LogError> {
        if self.blobs.contains_key(&blob.hash) {
            return Ok(());
        }
        self.append_blob(blob.hash, &blob.payload)
    }

    /// From now on a delta may name this blob: if it is not durable yet it goes with the next `sync`. Says whether
    /// there is one.
    pub fn name_blob(&mut self, hash: &BlobHash) -> bool {
        let Some(place) = self.blobs.get(hash) else { return false };
        self.writer.name_blob(*place);
        true
    }

    /// Begins to make durable what was put ahead. The task is for another thread, and what it answers for
    /// [`Self::end_blob_sync`]; none when there is nothing to do.
    pub fn begin_blob_sync(&mut self) -> Result<Option<BlobSync>, LogError> {
        let begun = self.writer.begin_blob_sync();
        self.follow_moved_blobs();
        begun.map(|begun| begun.map(BlobSync))
    }

    /// Takes note of how it went. After a failure the next `sync` tries again.
    pub fn end_blob_sync(&mut self, done: BlobSynced) -> Result<(), LogError> {
        self.writer.end_blob_sync(done.0)
    }

    fn append_blob(&mut self, hash: BlobHash, payload: &[u8]) -> Result<(), LogError> {
        let place = self.writer.append(Class::Blobs, RecordKind::Blob, payload)?;
        self.follow_moved_blobs();
        self.blobs.insert(hash, place);
        Ok(())
    }

    pub fn has_blob(&self, hash: &BlobHash) -> bool {
        self.blobs.contains_key(hash)
    }

    /// A blob's bytes; none when there is no such blob.
    pub fn read_blob(&self, hash: &BlobHash) -> Result<Option<Vec<u8>>, LogError> {
        let Some(place) = self.blobs.get(hash) else { return Ok(None) };
        let payload = self.writer.read(*place, RecordKind::Blob)?;
        match unpack(&payload) {
            Some((found, bytes)) if found == *hash => Ok(Some(bytes)),
            _ => Err(LogError::Damaged { what: format!("blob {}", hash.short()) }),
        }
    }

    pub(super) fn follow_moved_blobs(&mut self) {
        let moved: BTreeMap<Place, Place> = self.writer.take_moved().into_iter().collect();
        if !moved.is_empty() {
            self.blobs.values_mut().for_each(|place| *place = moved.get(place).copied().unwrap_or(*place));
        }
    }

    /// Where the blobs stand, as the index keeps it, for each segment that grew since it was told.
    pub(super) fn blob_places(&mut self) -> Vec<IndexChange> {
        let mut by_segment: BTreeMap<u32, Vec<(&BlobHash, &Place)>> = BTreeMap::new();
        for number in self.writer.numbers(Class::Blobs) {
            // A second copy that a crash may have spoiled has to be looked at when the store is next opened.
            if !self.writer.is_twin_durable(number) {
                continue;
            }
            if self.remembered_bytes.get(&number) != Some(&self.writer.segments[&number].length_bytes) {
                by_segment.insert(number, Vec::new());
            }
        }
        if by_segment.is_empty() {
            return Vec::new();
        }
        for (hash, place) in &self.blobs {
            if let Some(blobs) = by_segment.get_mut(&place.segment) {
                blobs.push((hash, place));
            }
        }
        let mut changes = Vec::new();
        for (number, mut blobs) in by_segment {
            let length_bytes = self.writer.segments[&number].length_bytes;
            blobs.sort_unstable_by_key(|(_, place)| place.offset);
            let mut value = length_bytes.to_le_bytes().to_vec();
            for (hash, place) in blobs {
                value.extend_from_slice(&hash.0);
                value.extend_from_slice(&place.offset.to_le_bytes());
                value.extend_from_slice(&place.length_bytes.to_le_bytes());
            }
            let key = places_key(number);
            let value = checked(&key, &value);
            changes.push((key, Some(value)));
            self.remembered_bytes.insert(number, length_bytes);
        }
        changes
    }

    /// Length of a blob segment and its blobs, as the index remembers them.
    pub(super) fn remembered_blobs(&self, number: u32) -> Option<(u64, Vec<(BlobHash, Place)>)> {
        let value = self.index_get(&places_key(number))?;
        let (length, entries) = value.split_first_chunk::<8>()?;
        let blobs: Option<Vec<_>> = entries.chunks(PLACE_BYTES).map(|entry| parse_place(number, entry)).collect();
        Some((u64::from_le_bytes(*length), blobs?))
    }
}

impl BlobSource for Log {
    fn blob(&self, hash: &BlobHash) -> Option<Vec<u8>> {
        self.read_blob(hash).unwrap_or_else(|error| {
            tracing::warn!(%error, %hash, "a blob cannot be read");
            None
        })
    }
}

const PLACE_BYTES: usize = 32 + 8 + 4;

fn parse_place(number: u32, entry: &[u8]) -> Option<(BlobHash, Place)> {
    let (hash, rest) = entry.split_first_chunk::<32>()?;
    let (offset, rest) = rest.split_first_chunk::<8>()?;
    let (length, _) = rest.split_first_chunk::<4>()?;
    let place =
        Place { segment: number, offset: u64::from_le_bytes(*offset), length_bytes: u32::from_le_bytes(*length) };
    Some((BlobHash(*hash), place))
}

pub(super) const PLACES_PREFIX: &str = "blobs/";

pub(super) fn places_key(number: u32) -> Vec<u8> {
    format!("{PLACES_PREFIX}{number:08}").into_bytes()
}

fn pack(hash: &BlobHash, bytes: &[u8]) -> Vec<u8> {
    let mut payload = hash.0.to_vec();
    let packed = compressed(bytes).filter(|packed| packed.len() < bytes.len());
    payload.push(if packed.is_some() { Packing::Zstd } else { Packing::Plain } as u8);
    payload.extend_from_slice(packed.as_deref().unwrap_or(bytes));
    payload
}

/// With one context for all: making one costs more than compressing a short text.
fn compressed(bytes: &[u8]) -> Option<Vec<u8>> {
    thread_local! {
        static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    }
    COMPRESSOR.with_borrow_mut(|compressor| {
        if compressor.is_none() {
            *compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL).ok();
        }
        compressor.as_mut()?.compress(bytes).ok()
    })
}

/// Name and bytes of a blob, the bytes proven to be those of the name.
pub(super) fn unpack(payload: &[u8]) -> Option<(BlobHash, Vec<u8>)> {
    let (hash, rest) = payload.split_first_chunk::<32>()?;
    let (&packing, packed) = rest.split_first()?;
    let bytes = if packing == Packing::Plain as u8 {
        packed.to_vec()
    } else {
        let mut bytes = Vec::new();
        zstd::Decoder::new(packed).ok()?.take(limits::BLOB_BYTES_MAX).read_to_end(&mut bytes).ok()?;
        bytes
    };
    (BlobHash::of(&bytes).0 == *hash).then_some((BlobHash(*hash), bytes))
}
