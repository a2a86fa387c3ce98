//! Journal segments on a disk: appending, group commit, reading back. Knows records, not what they mean.

mod twins;

use crate::LogError;
use crate::disk::{Disk, SyncTask};
use crate::journal::{self, Class, RECORD_HEADER_BYTES, RecordKind};
use std::collections::BTreeMap;
use std::io;
use twins::Twin;

/// Where a payload stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Place {
    pub segment: u32,
    pub offset: u64,
    pub length_bytes: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Segment {
    pub class: Class,
    pub length_bytes: u64,
}

/// A record that a crash could still take.
struct Unsynced {
    kind: RecordKind,
    /// As it stands in the segment, with its head.
    bytes: Vec<u8>,
    place: Place,
}

impl Unsynced {
    fn payload(&self) -> &[u8] {
        &self.bytes[RECORD_HEADER_BYTES..]
    }
}

/// The segment of one class that is being written.
#[derive(Default)]
struct Current {
    number: Option<u32>,
    unsynced: Vec<Unsynced>,
    /// A write or sync failed: what is in the file is not known, and must never be assumed to be there.
    is_doubtful: bool,
}

/// Whether a full segment is left for a new one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rotation {
    WhenFull,
    Never,
}

pub(crate) struct Writer {
    pub disk: Box<dyn Disk>,
    pub segments: BTreeMap<u32, Segment>,
    current: BTreeMap<Class, Current>,
    /// Of each class the newest segment found at opening, until it is synced: whoever wrote it may have been killed
    /// before that. Those before it were synced when they were left.
    found: BTreeMap<Class, u32>,
    /// Deltas that follow blobs which are not durable. Written, they could outlive these in a crash.
    held_back: Vec<Vec<u8>>,
    /// Whether a delta may name a blob that is not durable. Those put ahead of time are named only once they are.
    are_blobs_named: bool,
    /// Of segments that have one.
    twins: BTreeMap<u32, Twin>,
    next_number: u32,
    segment_bytes_max: u64,
    moved: Vec<(Place, Place)>,
    has_ballast: bool,
}

/// Blobs that are to become durable on another thread.
pub(crate) struct BlobSync {
    number: u32,
    /// Length of the segment that is covered.
    until: u64,
    task: SyncTask,
}

/// How it went.
pub(crate) struct BlobSynced {
    number: u32,
    until: u64,
    result: io::Result<()>,
}

impl BlobSync {
    pub fn run(self) -> BlobSynced {
        BlobSynced { number: self.number, until: self.until, result: (self.task)() }
    }
}

const BALLAST: &str = "ballast";
const BALLAST_BYTES: usize = 256 << 10;

impl Writer {
    pub fn new(disk: Box<dyn Disk>, segment_bytes_max: u64) -> Self {
        let has_ballast = disk.length_bytes(BALLAST).is_ok_and(|length| length == BALLAST_BYTES as u64);
        Self {
            disk,
            segments: BTreeMap::new(),
            current: BTreeMap::new(),
            found: BTreeMap::new(),
            held_back: Vec::new(),
            are_blobs_named: false,
            twins: BTreeMap::new(),
            next_number: 1,
            segment_bytes_max,
            moved: Vec::new(),
            has_ballast,
        }
    }

    /// Takes note of a segment found at opening. Appending goes on in the newest of its class when `is_open`.
    pub fn adopt(&mut self, number: u32, segment: Segment, is_open: bool) {
        self.segments.insert(number, segment);
        self.found.insert(segment.class, number);
        self.adopt_twin(number, segment);
        self.next_number = self.next_number.max(number.saturating_add(1));
        self.current.entry(segment.class).or_default().number = is_open.then_some(number);
    }

    /// Numbers up to this are not given to new segments.
    pub fn reserve(&mut self, number: u32) {
        self.next_number = self.next_number.max(number.saturating_add(1));
    }

    /// Writes one record. Not durable before `sync`. On failure nothing of it counts.
    pub fn append(&mut self, class: Class, kind: RecordKind, payload: &[u8]) -> Result<Place, LogError> {
        if self.current.entry(class).or_default().is_doubtful {
            self.rewrite_unsynced(class)?;
        }
        let written = self.write(class, kind, payload, Rotation::WhenFull)?;
        let place = written.place;
        self.current.entry(class).or_default().unsynced.push(written);
        Ok(place)
    }

    /// Writes a delta, or holds it back until the blobs before it are durable.
    pub fn append_delta(&mut self, payload: Vec<u8>) -> Result<(), LogError> {
        if !self.held_back.is_empty() || self.are_blobs_named {
            self.held_back.push(payload);
            return Ok(());
        }
        self.append(Class::Live, RecordKind::Delta, &payload).map(drop)
    }

    /// Writes a delta, or holds it back until the next sync: when blobs go first, or there is no room now.
    pub fn append_delta_or_hold(&mut self, payload: Vec<u8>) {
        let goes_first = !self.held_back.is_empty() || self.are_blobs_named;
        if goes_first || self.append(Class::Live, RecordKind::Delta, &payload).is_err() {
            self.held_back.push(payload);
        }
    }

    fn write_held_back(&mut self) -> Result<(), LogError> {
        let mut waiting = std::mem::take(&mut self.held_back).into_iter();
        while let Some(payload) = waiting.next() {
            if let Err(error) = self.append(Class::Live, RecordKind::Delta, &payload) {
                self.held_back = std::iter::once(payload).chain(waiting).collect();
                return Err(error);
            }
        }
        Ok(())
    }

    /// Whether something waits for [`Self::sync`].
    pub fn unsynced(&self) -> bool {
        let written = self.current.iter().filter(|(_, current)| !current.unsynced.is_empty()).map(|(class, _)| class);
        let waits = |class: &Class| *class != Class::Blobs || self.are_blobs_named;
        !self.held_back.is_empty() || written.chain(self.found.keys()).any(waits)
    }

    /// From now on a delta may name this blob: if it is not durable it goes with the next sync.
    pub fn name_blob(&mut self, place: Place) {
        let current = self.current.entry(Class::Blobs).or_default();
        let first = current.unsynced.first().map(|record| record.place);
        self.are_blobs_named |= self.found.get(&Class::Blobs) == Some(&place.segment)
            || first.is_some_and(|first| first.segment == place.segment && first.offset <= place.offset);
    }

    /// Makes everything durable, blobs that no delta waits for, too.
    pub fn sync_all(&mut self) -> Result<(), LogError> {
        self.sync_blobs()?;
        self.sync()
    }

    pub fn sync_blobs(&mut self) -> Result<(), LogError> {
        self.sync_class(Class::Blobs)?;
        self.are_blobs_named = false;
        Ok(())
    }

    /// Begins to make the blobs durable that were appended so far. The task is for another thread; none when there is
    /// nothing to do.
    pub fn begin_blob_sync(&mut self) -> Result<Option<BlobSync>, LogError> {
        let Some(current) = self.current.get(&Class::Blobs).filter(|current| !current.unsynced.is_empty()) else {
            return Ok(None);
        };
        if current.is_doubtful {
            self.rewrite_unsynced(Class::Blobs)?;
        }
        let current = self.current.entry(Class::Blobs).or_default();
        let number = current.number.expect("invariant: unsynced records stand in a segment");
        let name = journal::segment_name(number);
        let until = self.segments[&number].length_bytes;
        let task = self.disk.sync_later(&name).map_err(|error| LogError::of(&name, error))?;
        Ok(Some(BlobSync { number, until, task }))
    }

    /// Takes note of what became durable elsewhere, or did not.
    pub fn end_blob_sync(&mut self, done: BlobSynced) -> Result<(), LogError> {
        let current = self.current.entry(Class::Blobs).or_default();
        // What another sync made durable meanwhile, or a failed one moved, is no business of this one.
        if current.number != Some(done.number) || current.is_doubtful {
            return Ok(());
        }
        if let Err(error) = done.result {
            current.is_doubtful = !current.unsynced.is_empty();
            return Err(LogError::of(&journal::segment_name(done.number), error));
        }
        let n_synced = current.unsynced.partition_point(|record| record.place.offset < done.until);
        let synced: Vec<Unsynced> = current.unsynced.drain(..n_synced).collect();
        self.are_blobs_named &= !current.unsynced.is_empty() || self.found.contains_key(&Class::Blobs);
        self.copy_to_twin(Class::Blobs, done.number, &synced);
        Ok(())
    }

    pub fn unsynced_bytes(&self, class: Class) -> usize {
        self.current.get(&class).map_or(0, |current| current.unsynced.iter().map(|record| record.payload().len()).sum())
    }

    /// Makes everything appended durable, but for blobs that no delta names yet. Blobs go first: a delta must not
    /// outlive the blob it names.
    pub fn sync(&mut self) -> Result<(), LogError> {
        if self.are_blobs_named {
            self.sync_blobs()?;
        }
        self.sync_class(Class::Sealed)?;
        self.write_held_back()?;
        self.sync_class(Class::Live)
    }

    fn sync_class(&mut self, class: Class) -> Result<(), LogError> {
        self.sync_found(class)?;
        let Some(current) = self.current.get(&class).filter(|current| !current.unsynced.is_empty()) else {
            return Ok(());
        };
        if current.is_doubtful {
            self.rewrite_unsynced(class)?;
        }
        let current = self.current.entry(class).or_default();
        let number = current.number.expect("invariant: unsynced records stand in a segment");
        let name = journal::segment_name(number);
        if let Err(error) = self.disk.sync(&name) {
            // After a failed fsync the kernel may have dropped the pages: only a fresh file can be believed.
            current.is_doubtful = true;
            return Err(LogError::of(&name, error));
        }
        let synced = std::mem::take(&mut current.unsynced);
        self.copy_to_twin(class, number, &synced);
        Ok(())
    }

    fn sync_found(&mut self, class: Class) -> Result<(), LogError> {
        let Some(number) = self.found.get(&class) else { return Ok(()) };
        let name = journal::segment_name(*number);
        self.disk.sync(&name).map_err(|error| LogError::of(&name, error))?;
        self.found.remove(&class);
        Ok(())
    }

    /// Blobs and blocks whose place changed since the last call: before and after.
    pub fn take_moved(&mut self) -> Vec<(Place, Place)> {
        std::mem::take(&mut self.moved)
    }

    /// Puts what is not durable into a fresh segment, all of it or nothing.
    fn rewrite_unsynced(&mut self, class: Class) -> Result<(), LogError> {
        let current = self.current.entry(class).or_default();
        let records = std::mem::take(&mut current.unsynced);
        current.number = None;
        current.is_doubtful = false;
        let write = |record: &Unsynced| self.write(class, record.kind, record.payload(), Rotation::Never);
        let rewritten: Result<Vec<Unsynced>, LogError> = records.iter().map(write).collect();
        match rewritten {
            Ok(rewritten) => {
                self.moved.extend(records.iter().zip(&rewritten).map(|(old, new)| (old.place, new.place)));
                self.current.entry(class).or_default().unsynced = rewritten;
                Ok(())
            }
            Err(error) => {
                // What is not durable must stand in one segment, and a part of it would take the room it waits for.
                let begun = self.current.entry(class).or_default().number;
                begun.into_iter().for_each(|number| self.take_back(number));
                let current = self.current.entry(class).or_default();
                current.unsynced = records;
                current.is_doubtful = true;
                Err(error)
            }
        }
    }

    fn write(
        &mut self,
        class: Class,
        kind: RecordKind,
        payload: &[u8],
        rotation: Rotation,
    ) -> Result<Unsynced, LogError> {
        let number = self.segment_for(class, payload.len(), rotation)?;
        let mut bytes = Vec::with_capacity(payload.len() + RECORD_HEADER_BYTES);
        journal::encode_record(number, kind, payload, &mut bytes);
        let offset = self.segments[&number].length_bytes + RECORD_HEADER_BYTES as u64;
        self.append_bytes(class, number, &bytes)?;
        let place = Place { segment: number, offset, length_bytes: payload.len() as u32 };
        Ok(Unsynced { kind, bytes, place })
    }

    /// The segment to append to: the current one, or a new one when that is full.
    fn segment_for(&mut self, class: Class, payload_bytes: usize, rotation: Rotation) -> Result<u32, LogError> {
        let number = self.current.entry(class).or_default().number;
        if let Some(number) = number {
            let length_bytes = self.segments[&number].length_bytes;
            let is_empty = length_bytes <= journal::HEADER_BYTES as u64;
            let fits = length_bytes + payload_bytes as u64 <= self.segment_bytes_max;
            if is_empty || fits || rotation == Rotation::Never {
                return Ok(number);
            }
            // One sync must be enough for what is unsynced, so no segment is left behind with such.
            self.sync_class(class)?;
        }
        let number = self.next_number;
        self.next_number += 1;
        self.segments.insert(number, Segment { class, length_bytes: 0 });
        self.current.entry(class).or_default().number = Some(number);
        if let Err(error) = self.append_bytes(class, number, &journal::encode_header(number, class)) {
            self.take_back(number);
            return Err(error);
        }
        Ok(number)
    }

    /// Removes a segment that was begun in vain. The next try begins another one: what is left of each would add up, in
    /// the folder and in open files.
    fn take_back(&mut self, number: u32) {
        if let Err(error) = self.remove(number) {
            tracing::warn!(%error, number, "a segment that was begun in vain stays");
        }
    }

    fn append_bytes(&mut self, class: Class, number: u32, bytes: &[u8]) -> Result<(), LogError> {
        let name = journal::segment_name(number);
        let length_bytes = self.segments[&number].length_bytes;
        let mut result = self.disk.append(&name, bytes);
        if result.as_ref().is_err_and(is_no_space) && self.release_ballast() {
            result = self.cut(&name, length_bytes).and_then(|()| self.disk.append(&name, bytes));
        }
        if let Err(error) = result {
            if let Err(cut) = self.cut(&name, length_bytes) {
                tracing::warn!(%cut, name, "a broken write could not be taken back");
                self.current.entry(class).or_default().is_doubtful = true;
            }
            return Err(LogError::of(&name, error));
        }
        self.segments.get_mut(&number).expect("invariant: inserted before it is written").length_bytes +=
            bytes.len() as u64;
        Ok(())
    }

    fn cut(&mut self, name: &str, length_bytes: u64) -> io::Result<()> {
        match self.disk.truncate(name, length_bytes) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && length_bytes == 0 => Ok(()),
            done => done,
        }
    }

    /// The payload at a place, its checksum right; from the second copy where the first is damaged.
    pub fn read(&self, place: Place, kind: RecordKind) -> Result<Vec<u8>, LogError> {
        let name = journal::segment_name(place.segment);
        self.read_from(name, place, kind).or_else(|damage| {
            let twin = self.read_from(journal::twin_name(place.segment), place, kind);
            twin.map_err(|_| damage)
        })
    }

    fn read_from(&self, name: String, place: Place, kind: RecordKind) -> Result<Vec<u8>, LogError> {
        let start = place.offset - RECORD_HEADER_BYTES as u64;
        let length_bytes = u64::from(place.length_bytes) + RECORD_HEADER_BYTES as u64;
        let mut bytes = self.disk.read_range(&name, start, length_bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::NotFound => LogError::Damaged { what: name.clone() },
            _ => LogError::of(&name, error),
        })?;
        match journal::parse_record(place.segment, &bytes, 0, None) {
            Some((found, payload)) if found == kind && payload.len() == place.length_bytes as usize => {
                Ok(bytes.split_off(RECORD_HEADER_BYTES))
            }
            _ => Err(LogError::Damaged { what: name }),
        }
    }

    /// Takes a segment away whose records all stand elsewhere, durably.
    pub fn remove(&mut self, number: u32) -> Result<(), LogError> {
        let name = journal::segment_name(number);
        self.forget(number);
        self.remove_twin(number);
        match self.disk.remove(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(LogError::of(&name, error)),
            _ => Ok(()),
        }
    }

    /// Moves a segment to `set-aside`.
    pub fn set_aside(&mut self, number: u32) -> Result<(), LogError> {
        let name = journal::segment_name(number);
        let aside = self.free_name_aside(number)?;
        self.forget(number);
        self.remove_twin(number);
        match self.disk.rename(&name, &aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(LogError::of(&name, error)),
            _ => Ok(()),
        }
    }

    /// Keeps bytes that are no records.
    pub fn copy_aside(&mut self, number: u32, bytes: &[u8]) -> Result<(), LogError> {
        let aside = self.free_name_aside(number)?;
        self.disk.replace(&aside, bytes).map_err(|error| LogError::of(&aside, error))
    }

    fn free_name_aside(&self, number: u32) -> Result<String, LogError> {
        let taken = self.disk.list("set-aside").map_err(|error| LogError::of("set-aside", error))?;
        let free = (1..).map(|n| format!("{number:08}-{n}.part")).find(|name| !taken.contains(name));
        Ok(format!("set-aside/{}", free.expect("invariant: some number is free")))
    }

    /// The next record of this class opens a new segment.
    pub fn close_current(&mut self, class: Class) {
        let current = self.current.entry(class).or_default();
        assert!(current.unsynced.is_empty(), "invariant: no segment is left with unsynced records");
        current.number = None;
    }

    fn forget(&mut self, number: u32) {
        self.segments.remove(&number);
        self.found.retain(|_, found| *found != number);
        self.current.values_mut().filter(|current| current.number == Some(number)).for_each(|current| {
            assert!(current.unsynced.is_empty(), "invariant: no segment goes with unsynced records");
            current.number = None;
        });
    }

    /// Writes a segment anew with these payloads, all of one kind, and says where they stand now.
    pub fn replace(
        &mut self,
        number: u32,
        class: Class,
        kind: RecordKind,
        payloads: &[Vec<u8>],
    ) -> Result<Vec<Place>, LogError> {
        let name = journal::segment_name(number);
        let mut bytes = journal::encode_header(number, class);
        let ranges: Vec<_> =
            payloads.iter().map(|payload| journal::encode_record(number, kind, payload, &mut bytes)).collect();
        self.disk.replace(&name, &bytes).map_err(|error| LogError::of(&name, error))?;
        self.segments.insert(number, Segment { class, length_bytes: bytes.len() as u64 });
        self.replace_twin(number, class, &bytes);
        Ok(ranges
            .into_iter()
            .map(|range| Place { segment: number, offset: range.start as u64, length_bytes: range.len() as u32 })
            .collect())
    }

    pub fn numbers(&self, class: Class) -> Vec<u32> {
        self.segments.iter().filter(|(_, segment)| segment.class == class).map(|(number, _)| *number).collect()
    }

    /// Whether the spare room is used up, so that the next full disk refuses writes.
    pub fn is_low_on_space(&self) -> bool {
        !self.has_ballast
    }

    fn release_ballast(&mut self) -> bool {
        let released = self.has_ballast && self.disk.remove(BALLAST).is_ok();
        self.has_ballast = false;
        released
    }

    /// Lays in spare room for the last writes on a full disk, where there is room.
    pub fn lay_in_ballast(&mut self) {
        if self.has_ballast {
            return;
        }
        // Bytes that neither compress nor leave a hole, or the room would not be there.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .take(BALLAST_BYTES)
        .collect();
        match self.disk.replace(BALLAST, &bytes) {
            Ok(()) => self.has_ballast = true,
            Err(error) => tracing::warn!(%error, "no room for the ballast"),
        }
    }
}

fn is_no_space(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
