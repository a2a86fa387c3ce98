//! Bytes of journal segments: a header, then records. Pure: reads and writes no file.
//!
//! Format 1, all numbers little-endian:
//! * header, 20 bytes: `CODESYNC`, version u16, class u8, 0u8, segment number u32, CRC32C of the 16 bytes before;
//! * record: length of the payload u32, kind u8, CRC32C u32 over (segment number, length, kind, payload), payload.

use std::ops::Range;

pub(crate) const SEGMENT_VERSION: u16 = 1;
pub(crate) const HEADER_BYTES: usize = 20;
pub(crate) const RECORD_HEADER_BYTES: usize = 9;
pub(crate) const TWIN_FOLDER: &str = "copies";
const MAGIC: &[u8; 8] = b"CODESYNC";

/// What a segment holds. Blobs stand apart so that sealing never has to copy them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Class {
    /// Deltas as they come.
    Live = 1,
    /// Sealed blocks.
    Sealed = 2,
    Blobs = 3,
}

impl Class {
    /// Sealed blocks have their second copy in the index.
    pub fn has_twin(self) -> bool {
        self != Class::Sealed
    }

    /// Of the records in such a segment.
    pub fn kind(self) -> RecordKind {
        match self {
            Class::Live => RecordKind::Delta,
            Class::Sealed => RecordKind::SealedBlock,
            Class::Blobs => RecordKind::Blob,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RecordKind {
    /// Encoded delta, then its signature of 64 bytes.
    Delta = 1,
    SealedBlock = 2,
    /// Hash of 32 bytes, then the compressed bytes.
    Blob = 3,
}

impl RecordKind {
    fn parse(byte: u8) -> Option<Self> {
        [RecordKind::Delta, RecordKind::SealedBlock, RecordKind::Blob].into_iter().find(|kind| *kind as u8 == byte)
    }

    fn class(self) -> Class {
        match self {
            RecordKind::Delta => Class::Live,
            RecordKind::SealedBlock => Class::Sealed,
            RecordKind::Blob => Class::Blobs,
        }
    }
}

pub(crate) fn segment_name(number: u32) -> String {
    format!("journal/{number:08}.seg")
}

/// The second copy of a segment: the same bytes, or the first part of them.
pub(crate) fn twin_name(number: u32) -> String {
    format!("{TWIN_FOLDER}/{number:08}.seg")
}

/// The number in the name of a segment file.
pub(crate) fn segment_number(file_name: &str) -> Option<u32> {
    let digits = file_name.strip_suffix(".seg")?;
    (digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}

pub(crate) fn encode_header(number: u32, class: Class) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&SEGMENT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&[class as u8, 0]);
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

/// Appends one record to `out` and says where its payload stands in there.
pub(crate) fn encode_record(number: u32, kind: RecordKind, payload: &[u8], out: &mut Vec<u8>) -> Range<usize> {
    let length = u32::try_from(payload.len()).expect("invariant: payloads are far below 4 GiB");
    out.extend_from_slice(&length.to_le_bytes());
    out.push(kind as u8);
    out.extend_from_slice(&record_crc(number, length, kind as u8, payload).to_le_bytes());
    let start = out.len();
    out.extend_from_slice(payload);
    start..out.len()
}

fn record_crc(number: u32, length: u32, kind: u8, payload: &[u8]) -> u32 {
    let mut head = [0; 9];
    head[..4].copy_from_slice(&number.to_le_bytes());
    head[4..8].copy_from_slice(&length.to_le_bytes());
    head[8] = kind;
    crc32c::crc32c_append(crc32c::crc32c(&head), payload)
}

/// A whole record found in a segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Record {
    pub kind: RecordKind,
    /// Of the payload within the segment.
    pub payload: Range<usize>,
    /// Something damaged stands before it, so that it was found by searching.
    pub is_after_damage: bool,
}

/// What a segment holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Scan {
    /// None when neither the header nor any record tells.
    pub class: Option<Class>,
    /// The header names a format that is newer than ours.
    pub newer_version: Option<u16>,
    pub records: Vec<Record>,
    /// Parts that are no records, between such.
    pub damaged: Vec<Range<usize>>,
    /// Where the whole records end and something follows that is none: a write that broke off.
    pub torn_at: Option<usize>,
}

impl Scan {
    /// Whole records from the first byte to the last.
    pub fn is_clean(&self) -> bool {
        self.class.is_some() && self.damaged.is_empty() && self.torn_at.is_none()
    }

    /// Takes everything from the first damage on for a write that broke off.
    pub fn cut_at_damage(&mut self) {
        let Some(from) = self.damaged.first().map(|range| range.start) else { return };
        self.damaged.clear();
        self.records.retain(|record| record.payload.end <= from);
        self.torn_at = Some(from);
        if from < HEADER_BYTES {
            self.class = None;
        }
    }
}

/// Reads all records of segment `number`.
pub(crate) fn scan(number: u32, bytes: &[u8]) -> Scan {
    let header = parse_header(number, bytes);
    let newer_version = header.as_ref().err().copied().flatten();
    let class = header.ok();
    let mut found = Scan { class, newer_version, records: Vec::new(), damaged: Vec::new(), torn_at: None };
    let mut at = if class.is_some() { HEADER_BYTES } else { 0 };
    // A header that is not whole counts as damage before the first record.
    let mut damage_from = class.is_none().then_some(0);
    while at < bytes.len() {
        match parse_record(number, bytes, at, found.class) {
            Some((kind, payload)) => {
                found.damaged.extend(damage_from.map(|from| from..at));
                at = payload.end;
                found.class.get_or_insert(kind.class());
                found.records.push(Record { kind, payload, is_after_damage: damage_from.take().is_some() });
            }
            None => {
                damage_from.get_or_insert(at);
                at = next_candidate(number, bytes, at, found.class);
            }
        }
    }
    found.torn_at = damage_from.filter(|from| *from < bytes.len());
    found
}

fn parse_header(number: u32, bytes: &[u8]) -> Result<Class, Option<u16>> {
    let header = bytes.get(..HEADER_BYTES).ok_or(None)?;
    let version = u16::from_le_bytes([header[8], header[9]]);
    let is_whole = crc32c::crc32c(&header[..16]).to_le_bytes() == header[16..20] && header.starts_with(MAGIC);
    if is_whole && version > SEGMENT_VERSION {
        return Err(Some(version));
    }
    let class = [Class::Live, Class::Sealed, Class::Blobs].into_iter().find(|class| *class as u8 == header[10]);
    class.filter(|class| header == encode_header(number, *class)).ok_or(None)
}

/// Whether the bytes are the start of a header and then nothing: file systems may grow a file with zeros before
/// its data arrives.
pub(crate) fn is_unfinished_header(number: u32, bytes: &[u8]) -> bool {
    let written = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let starts = |class| encode_header(number, class).starts_with(&bytes[..written]);
    [Class::Live, Class::Sealed, Class::Blobs].into_iter().any(starts)
}

/// The record that starts at `at`, if a whole one does.
pub(crate) fn parse_record(
    number: u32,
    bytes: &[u8],
    at: usize,
    class: Option<Class>,
) -> Option<(RecordKind, Range<usize>)> {
    let head = bytes.get(at..at + RECORD_HEADER_BYTES)?;
    let kind = RecordKind::parse(head[4])?;
    if class.is_some_and(|class| class != kind.class()) {
        return None;
    }
    let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
    let start = at + RECORD_HEADER_BYTES;
    let payload = start..start.checked_add(length as usize)?;
    let crc = record_crc(number, length, head[4], bytes.get(payload.clone())?);
    (crc.to_le_bytes() == head[5..9]).then_some((kind, payload))
}

/// Where to look on after a place where no record starts: behind the damaged record when its length can be
/// believed, else the next byte. Content that imitates records must not be taken for one without need.
fn next_candidate(number: u32, bytes: &[u8], at: usize, class: Option<Class>) -> usize {
    let behind = bytes.get(at..at + 4).and_then(|length| {
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]);
        (at + RECORD_HEADER_BYTES).checked_add(length as usize)
    });
    match behind {
        Some(behind) if parse_record(number, bytes, behind, class).is_some() => behind,
        _ => at + 1,
    }
}

#[cfg(test)]
mod tests;
