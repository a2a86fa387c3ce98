//! Blobs: content that is too long to stand in a delta. They live in journal segments of their own; the index
//! only remembers where, so that opening need not read them. Long ones are kept in parts ([`Packer`]): nobody needs the
//! whole of one in memory.

mod parts;

pub use parts::{BlobReader, Packer};

use super::Log;
use crate::index::checked;
use crate::journal::{Class, RecordKind};
use crate::writer::{self, Place};
use crate::{IndexChange, LogError};
use codesync_base::{BlobHash, BlobSource, limits};
use parts::Parts;
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
    /// In blobs of their own, which are listed here.
    Parts = 2,
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
        let hash = BlobHash::of(bytes);
        if !self.blobs.contains_key(&hash) && bytes.len() <= self.options.part_bytes {
            self.append_blob(hash, &pack(&hash, bytes))?;
        } else if !self.blobs.contains_key(&hash) {
            let mut packer = Packer::new(self.options.part_bytes);
            packer.take(bytes, &mut |part| self.put_part(&part))?;
            packer.end(&mut |last| self.put_part(&last))?;
        }
        // One that was put ahead of time may not be durable yet, either.
        self.writer.name_blob(self.blobs[&hash]);
        if self.writer.unsynced_bytes(Class::Blobs) > UNSYNCED_BYTES_MAX {
            self.sync()?;
        }
        Ok(hash)
    }

    /// Keeps a part of a content that comes piece by piece, or the content itself once all parts are here. It counts
    /// as put ahead, and what would be too much for the memory is made durable at once.
    pub fn put_part(&mut self, blob: &PackedBlob) -> Result<(), LogError> {
        self.put_ahead(blob)?;
        if self.writer.unsynced_bytes(Class::Blobs) > UNSYNCED_BYTES_MAX {
            let done = self.writer.sync_blobs();
            self.follow_moved_blobs();
            done?;
        }
        Ok(())
    }

    /// Keeps a blob ahead of time, packed by another thread. It must not be named before a [`BlobSync`] that was begun
    /// later is through, or else it is made durable with the next `sync` like any other.
    pub fn put_ahead(&mut self, blob: &PackedBlob) -> Result<(), LogError> {
        if self.blobs.contains_key(&blob.hash) {
            return Ok(());
        }
        // Whoever names it would have a content that cannot be read.
        if Parts::read(&blob.payload).is_some_and(|parts| !self.has_all(&parts)) {
            return Err(damaged(&blob.hash));
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
        let place = self.writer.append(Class::Blobs, RecordKind::Blob, payload);
        // Those before it may have moved though there was no room for this one.
        self.follow_moved_blobs();
        self.note_blob(hash, payload, place?);
        Ok(())
    }

    /// The blob of this record stands there.
    pub(super) fn note_blob(&mut self, hash: BlobHash, payload: &[u8], place: Place) {
        self.blobs.insert(hash, place);
        if is_list(payload) {
            self.long_blobs.insert(hash);
        }
    }

    pub fn has_blob(&self, hash: &BlobHash) -> bool {
        self.blobs.contains_key(hash)
    }

    /// A blob's bytes; none when there is no such blob. For what may be long there is [`Self::blob_reader`].
    pub fn read_blob(&self, hash: &BlobHash) -> Result<Option<Vec<u8>>, LogError> {
        let Some(mut reader) = self.blob_reader(hash)? else { return Ok(None) };
        let bytes = reader.read(self, 0, usize::MAX)?;
        let is_good = !self.is_long_blob(hash) || BlobHash::of(&bytes) == *hash;
        if is_good { Ok(Some(bytes)) } else { Err(damaged(hash)) }
    }

    /// The record of a blob, its name the right one.
    fn blob_payload(&self, hash: &BlobHash) -> Result<Option<Vec<u8>>, LogError> {
        let Some(place) = self.blobs.get(hash) else { return Ok(None) };
        let payload = self.writer.read(*place, RecordKind::Blob)?;
        if payload.starts_with(&hash.0) { Ok(Some(payload)) } else { Err(damaged(hash)) }
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
                let is_long = if self.long_blobs.contains(hash) { IS_LONG } else { 0 };
                value.extend_from_slice(&hash.0);
                value.extend_from_slice(&(place.offset | is_long).to_le_bytes());
                value.extend_from_slice(&place.length_bytes.to_le_bytes());
            }
            let key = places_key(number);
            let value = checked(&key, &value);
            changes.push((key, Some(value)));
            self.remembered_bytes.insert(number, length_bytes);
        }
        changes
    }

    /// Length of a blob segment and its blobs, each with whether it is kept in parts, as the index remembers them.
    pub(super) fn remembered_blobs(&self, number: u32) -> Option<(u64, Vec<Remembered>)> {
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

fn damaged(hash: &BlobHash) -> LogError {
    LogError::Damaged { what: format!("blob {}", hash.short()) }
}

/// A blob, where it stands, and whether it is kept in parts.
pub(super) type Remembered = (BlobHash, Place, bool);

const PLACE_BYTES: usize = 32 + 8 + 4;
/// Stands in the offset of a blob that is kept in parts.
const IS_LONG: u64 = 1 << 63;

fn parse_place(number: u32, entry: &[u8]) -> Option<Remembered> {
    let (hash, rest) = entry.split_first_chunk::<32>()?;
    let (offset, rest) = rest.split_first_chunk::<8>()?;
    let (length, _) = rest.split_first_chunk::<4>()?;
    let offset = u64::from_le_bytes(*offset);
    let place = Place { segment: number, offset: offset & !IS_LONG, length_bytes: u32::from_le_bytes(*length) };
    Some((BlobHash(*hash), place, offset & IS_LONG != 0))
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

/// Whether a record makes sense: the bytes are those of its name, or it lists parts.
pub(super) fn is_sound(payload: &[u8]) -> bool {
    is_list(payload) || unpack(payload).is_some()
}

/// Whether a record lists the parts of a content. Nothing in it proves that it is the content of its name.
pub(super) fn is_list(payload: &[u8]) -> bool {
    Parts::read(payload).is_some()
}

/// Name and bytes of a blob that is not kept in parts, the bytes proven to be those of the name.
pub(super) fn unpack(payload: &[u8]) -> Option<(BlobHash, Vec<u8>)> {
    let (hash, rest) = payload.split_first_chunk::<32>()?;
    let (&packing, packed) = rest.split_first()?;
    let bytes = if packing == Packing::Plain as u8 {
        packed.to_vec()
    } else if packing != Packing::Zstd as u8 {
        return None;
    } else {
        let mut bytes = Vec::new();
        zstd::Decoder::new(packed).ok()?.take(limits::BLOB_BYTES_MAX).read_to_end(&mut bytes).ok()?;
        bytes
    };
    (BlobHash::of(&bytes).0 == *hash).then_some((BlobHash(*hash), bytes))
}
