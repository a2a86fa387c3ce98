//! Second copies of the segments that no other copy exists of: recent deltas and blobs. A twin is a file with the
//! same bytes in another folder, written after the fsync of the first, so that it costs a keystroke one write and
//! no fsync. It may lag behind or be missing; nothing ever fails because of it.

use super::{Unsynced, Writer};
use crate::journal::{self, Class, RECORD_HEADER_BYTES};
use crate::writer::Segment;
use std::io;

/// What is known of the second copy of a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Twin {
    /// So many bytes of it are those of the segment.
    length_bytes: u64,
    /// It is not known what stands behind them: nothing is appended before it is mended.
    is_doubtful: bool,
    /// A crash of the machine could still take some of it.
    is_unsynced: bool,
}

/// Bytes of segments that one call of [`Writer::mend_twins`] reads at most.
const MENDED_BYTES_MAX: u64 = 64 << 20;

impl Writer {
    /// Takes note of the second copy of a segment found at opening.
    pub(super) fn adopt_twin(&mut self, number: u32, segment: Segment) {
        if !segment.class.has_twin() {
            return;
        }
        let found_bytes = self.twin_length_bytes(number).unwrap_or(0);
        let length_bytes = found_bytes.min(segment.length_bytes);
        let twin = Twin { length_bytes, is_doubtful: found_bytes != length_bytes, is_unsynced: false };
        self.twins.insert(number, twin);
    }

    /// Compares the second copy with a segment that was read at opening, as after a crash: of a second copy that was
    /// never synced anything may be left. That of recent deltas is mended at once, the others when next sealed.
    pub fn check_twin(&mut self, number: u32, bytes: &[u8]) {
        let Some(segment) = self.segments.get(&number).copied().filter(|segment| segment.class.has_twin()) else {
            return;
        };
        let found = self.read_twin(number).unwrap_or_default();
        if let Some(twin) = self.twins.get_mut(&number) {
            // Whoever wrote it may have been killed before syncing it.
            twin.is_unsynced = true;
            twin.is_doubtful |= !bytes.starts_with(&found);
        }
        if segment.class == Class::Live && self.is_twin_behind(number) && !self.is_low_on_space() {
            self.mend_twin(number, segment);
        }
    }

    pub fn twin_length_bytes(&self, number: u32) -> Option<u64> {
        self.disk.length_bytes(&journal::twin_name(number)).ok()
    }

    /// Bytes of the second copy, if there is one that can be read.
    pub fn read_twin(&self, number: u32) -> Option<Vec<u8>> {
        self.disk.read(&journal::twin_name(number)).ok()
    }

    /// Repeats what has just become durable.
    pub(super) fn copy_to_twin(&mut self, class: Class, number: u32, synced: &[Unsynced]) {
        if !class.has_twin() {
            return;
        }
        let Some(first) = synced.first() else { return };
        let mut twin = self.twins.get(&number).copied().unwrap_or_default();
        let mut bytes = if twin.length_bytes == 0 { journal::encode_header(number, class) } else { Vec::new() };
        let starts_at = first.place.offset - RECORD_HEADER_BYTES as u64;
        let is_next = twin.length_bytes + bytes.len() as u64 == starts_at;
        // On a disk that is all but full the room belongs to first copies.
        if twin.is_doubtful || !is_next || self.is_low_on_space() {
            self.twins.insert(number, twin);
            return;
        }
        synced.iter().for_each(|record| bytes.extend_from_slice(&record.bytes));
        match self.disk.append(&journal::twin_name(number), &bytes) {
            Ok(()) => twin.length_bytes += bytes.len() as u64,
            Err(error) => {
                tracing::warn!(%error, number, "a second copy lags behind");
                twin.is_doubtful = true;
            }
        }
        twin.is_unsynced = true;
        self.twins.insert(number, twin);
    }

    pub(super) fn remove_twin(&mut self, number: u32) {
        self.twins.remove(&number);
        let name = journal::twin_name(number);
        if let Err(error) = self.disk.remove(&name).or_else(if_not_there) {
            tracing::warn!(%error, name, "an old second copy stays");
        }
    }

    /// The segment was written anew with these bytes.
    pub(super) fn replace_twin(&mut self, number: u32, class: Class, bytes: &[u8]) {
        if !class.has_twin() {
            return;
        }
        let replaced = self.disk.replace(&journal::twin_name(number), bytes);
        let twin = match replaced {
            Ok(()) => Twin { length_bytes: bytes.len() as u64, ..Twin::default() },
            Err(error) => {
                tracing::warn!(%error, number, "a second copy could not be written");
                Twin { is_doubtful: true, ..Twin::default() }
            }
        };
        self.twins.insert(number, twin);
    }

    /// Brings second copies of blobs up to what is durable, and makes them durable, too. Those of recent deltas go as
    /// soon as these are sealed.
    pub fn mend_twins(&mut self) {
        let mut room_bytes = MENDED_BYTES_MAX;
        for number in self.numbers(Class::Blobs) {
            let segment = self.segments[&number];
            let has_room = segment.length_bytes <= room_bytes || room_bytes == MENDED_BYTES_MAX;
            if self.is_twin_behind(number) && has_room && !self.is_low_on_space() {
                room_bytes = room_bytes.saturating_sub(segment.length_bytes);
                self.mend_twin(number, segment);
            }
            self.sync_twin(number);
        }
    }

    /// Writes a second copy anew whatever is there.
    pub fn renew_twin(&mut self, number: u32) {
        if let Some(segment) = self.segments.get(&number).copied().filter(|segment| segment.class.has_twin()) {
            self.mend_twin(number, segment);
        }
    }

    fn mend_twin(&mut self, number: u32, segment: Segment) {
        let Ok(bytes) = self.disk.read(&journal::segment_name(number)) else { return };
        let is_known = bytes.len() as u64 == segment.length_bytes;
        // Never a damaged segment over what may be its one good copy.
        if is_known && journal::scan(number, &bytes).is_clean() {
            self.replace_twin(number, segment.class, &bytes);
        }
    }

    fn sync_twin(&mut self, number: u32) {
        let Some(twin) = self.twins.get_mut(&number).filter(|twin| twin.is_unsynced && !twin.is_doubtful) else {
            return;
        };
        match self.disk.sync(&journal::twin_name(number)) {
            Ok(()) => twin.is_unsynced = false,
            Err(error) => {
                tracing::warn!(%error, number, "a second copy is not durable");
                *twin = Twin { is_doubtful: true, ..Twin::default() };
            }
        }
    }

    fn is_twin_behind(&self, number: u32) -> bool {
        let whole_bytes = self.segments.get(&number).map_or(0, |segment| segment.length_bytes);
        self.twins.get(&number).is_none_or(|twin| twin.is_doubtful || twin.length_bytes != whole_bytes)
    }

    /// Whether the second copy is there as a whole and no crash can take it.
    pub fn is_twin_durable(&self, number: u32) -> bool {
        !self.is_twin_behind(number) && self.twins.get(&number).is_some_and(|twin| !twin.is_unsynced)
    }

    /// Whether the second copy of a segment with these bytes is as good as it is believed to be.
    pub fn is_twin_good(&self, number: u32, bytes: &[u8]) -> bool {
        let Some(believed) = self.twins.get(&number).filter(|twin| !twin.is_doubtful) else { return true };
        let twin = self.read_twin(number).unwrap_or_default();
        twin.len() as u64 == believed.length_bytes && bytes.starts_with(&twin)
    }
}

fn if_not_there(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}
