//! Sealed blocks: some thousand steps, encoded together in a few bytes each. Pure: reads and writes no file.
//!
//! Format 1: version u8, postcard of [`Summary`], length of the structural section u32, that section, then the
//! text section. The structural section holds every delta with a step that is not text, so that the file tree can
//! be read without the keystrokes. Hashes are not stored but computed again while decoding; so what decodes is
//! what was sealed, or its names would differ.

pub(crate) mod brief;
mod model;
mod pieces;
mod range_coder;
mod text_section;

use codesync_base::{
    Change, Delta, DeltaHash, FileId, Hlc, Insert, LogId, SignedDelta, TextSource, TextStep, decode_delta,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;

const BLOCK_VERSION: u8 = 1;
const ZSTD_LEVEL: i32 = 9;
/// More text than this, or more steps by other programs than this that are most of a block, are not modelled.
const MODELLED_TEXT_BYTES_MAX: usize = 32 << 10;
const MODELLED_DISK_STEPS_MAX: usize = 512;
/// No block decodes to more; a damaged one must not fill the memory.
const SECTION_BYTES_MAX: u64 = 512 << 20;

/// Name of a block: the first bytes of the BLAKE3 hash of its payload.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub(crate) struct BlockId(pub [u8; 16]);

impl BlockId {
    pub fn of(payload: &[u8]) -> Self {
        let mut id = [0; 16];
        id.copy_from_slice(&blake3::hash(payload).as_bytes()[..16]);
        Self(id)
    }
}

/// What is known of a block without decoding it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub n_deltas: u32,
    pub n_steps: u32,
    pub n_structural: u32,
    pub first: Hlc,
    pub last: Hlc,
    /// Sorted by log.
    pub logs: Vec<LogPart>,
    /// Blocks whose deltas are all in this one.
    pub supersedes: Vec<BlockId>,
    /// Sorted; see [`file_mark`].
    pub file_marks: Vec<u32>,
}

/// The deltas of one log in a block.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct LogPart {
    pub log: LogId,
    pub first_seq: u32,
    pub last_seq: u32,
    pub last_hash: DeltaHash,
}

/// Enough of a file's id to skip most blocks that do not touch it.
pub(crate) fn file_mark(file: &FileId) -> u32 {
    u32::from_le_bytes([file.0[0], file.0[1], file.0[2], file.0[3]])
}

impl Summary {
    fn of(deltas: &[Arc<SignedDelta>], supersedes: Vec<BlockId>) -> Self {
        let mut logs: BTreeMap<LogId, LogPart> = BTreeMap::new();
        let mut file_marks = BTreeSet::new();
        for signed in deltas {
            let delta = &signed.delta;
            let part = LogPart { log: delta.log, first_seq: delta.seq, last_seq: delta.seq, last_hash: signed.hash };
            let known = logs.entry(delta.log).or_insert_with(|| part.clone());
            known.first_seq = known.first_seq.min(delta.seq);
            if delta.seq > known.last_seq {
                *known = LogPart { first_seq: known.first_seq, ..part };
            }
            file_marks.extend(delta.files.iter().map(file_mark));
        }
        Summary {
            n_deltas: deltas.len() as u32,
            n_steps: deltas.iter().map(|signed| signed.delta.steps.len() as u32).sum(),
            n_structural: deltas.iter().filter(|signed| is_structural(&signed.delta)).count() as u32,
            first: deltas.first().map(|signed| signed.delta.hlc).unwrap_or_default(),
            last: deltas.last().map(|signed| signed.delta.hlc).unwrap_or_default(),
            logs: logs.into_values().collect(),
            supersedes,
            file_marks: file_marks.into_iter().collect(),
        }
    }

    pub fn may_hold(&self, log: &LogId, seq: u32) -> bool {
        let part = self.logs.binary_search_by_key(log, |part| part.log).ok().map(|idx| &self.logs[idx]);
        part.is_some_and(|part| (part.first_seq..=part.last_seq).contains(&seq))
    }

    pub fn may_touch(&self, file: &FileId) -> bool {
        self.file_marks.binary_search(&file_mark(file)).is_ok()
    }
}

/// Whether a delta does anything but edit text.
pub(crate) fn is_structural(delta: &Delta) -> bool {
    delta.steps.iter().any(|step| !matches!(step.change, Change::Text(_)))
}

/// Sorts deltas into the canonical order.
pub(crate) fn sort(deltas: &mut [Arc<SignedDelta>]) {
    deltas.sort_by_key(|signed| signed.delta.key(signed.hash));
}

/// Encodes deltas, which must be in canonical order and each there once. The result is decoded and compared
/// before it is returned.
pub(crate) fn encode(deltas: &[Arc<SignedDelta>], supersedes: Vec<BlockId>) -> Vec<u8> {
    assert!(deltas.is_sorted_by_key(|signed| signed.delta.key(signed.hash)), "invariant: canonical order");
    let covered = covered(deltas);
    let summary = Summary::of(deltas, supersedes);
    let mut head =
        postcard::to_extend(&summary, vec![BLOCK_VERSION]).expect("invariant: writing to memory cannot fail");
    let structural = encode_raw(deltas, &covered, is_structural);
    head.extend_from_slice(&(structural.len() as u32).to_le_bytes());
    head.extend_from_slice(&structural);
    if !is_bulk(deltas) {
        let mut modelled = head.clone();
        modelled.push(TextMethod::Modelled as u8);
        modelled.extend_from_slice(&text_section::encode(&summary, deltas, &covered));
        if is_same(deltas, &covered, decode(&modelled).as_deref()) {
            return modelled;
        }
        // Deltas that the model cannot express are still kept exactly.
        tracing::debug!(n_deltas = deltas.len(), "a block is kept unmodelled");
    }
    head.push(TextMethod::Raw as u8);
    head.extend_from_slice(&encode_raw(deltas, &covered, |delta| !is_structural(delta)));
    assert!(is_same(deltas, &covered, decode(&head).as_deref()), "invariant: raw bytes decode to themselves");
    head
}

/// Whether it is what programs wrote rather than people: the model, made for keystrokes, takes microseconds a byte, which
/// is seconds for a checkout.
fn is_bulk(deltas: &[Arc<SignedDelta>]) -> bool {
    let (mut n_steps, mut n_disk_steps, mut n_bytes) = (0, 0, 0);
    for delta in deltas.iter().map(|signed| &signed.delta).filter(|delta| !is_structural(delta)) {
        n_steps += delta.steps.len();
        n_disk_steps += if delta.origin.is_disk() { delta.steps.len() } else { 0 };
        n_bytes += delta.steps.iter().map(|step| inline_bytes(&step.change)).sum::<usize>();
    }
    n_bytes > MODELLED_TEXT_BYTES_MAX || (n_disk_steps > MODELLED_DISK_STEPS_MAX && 2 * n_disk_steps > n_steps)
}

fn inline_bytes(change: &Change) -> usize {
    match change {
        Change::Text(TextStep { insert: Some(Insert { text: TextSource::Inline(text), .. }), .. }) => text.len(),
        _ => 0,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TextMethod {
    Raw = 0,
    Modelled = 1,
}

fn is_same(deltas: &[Arc<SignedDelta>], covered: &[bool], decoded: Option<&[Arc<SignedDelta>]>) -> bool {
    decoded.is_some_and(|decoded| {
        decoded.len() == deltas.len()
            && decoded
                .iter()
                .zip(deltas)
                .zip(covered)
                .all(|((new, old), covered)| new.hash == old.hash && (*covered || new.signature == old.signature))
    })
}

/// For each delta whether its signature can go: it came without one, or a signed one of its log in the block has it
/// in its past, so that whoever signed that one has signed this one too.
fn covered(deltas: &[Arc<SignedDelta>]) -> Vec<bool> {
    let mut vouched: BTreeSet<_> = BTreeSet::new();
    let mut covered = Vec::with_capacity(deltas.len());
    for signed in deltas.iter().rev() {
        let is_vouched = vouched.contains(&(signed.delta.log, signed.hash));
        let is_signed = signed.signature != [0; 64];
        if is_vouched || is_signed {
            vouched.insert((signed.delta.log, signed.delta.prev));
        }
        covered.push(is_vouched || !is_signed);
    }
    covered.reverse();
    covered
}

/// What stands before the sections.
pub(crate) fn summary(payload: &[u8]) -> Option<Summary> {
    split(payload).map(|(summary, _, _)| summary)
}

/// Summary, structural section, text section.
fn split(payload: &[u8]) -> Option<(Summary, &[u8], &[u8])> {
    let (&version, rest) = payload.split_first()?;
    if version != BLOCK_VERSION {
        return None;
    }
    let (summary, rest): (Summary, &[u8]) = postcard::take_from_bytes(rest).ok()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (structural, text) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((summary, structural, text))
}

/// All deltas of a block in canonical order. A delta that a later one covers has a signature of zeros.
pub(crate) fn decode(payload: &[u8]) -> Option<Vec<Arc<SignedDelta>>> {
    let (summary, structural, text) = split(payload)?;
    let structural = decode_raw(structural, summary.n_structural)?;
    let (&method, text) = text.split_first()?;
    let deltas = if method == TextMethod::Modelled as u8 {
        text_section::decode(&summary, structural, text)?
    } else if method == TextMethod::Raw as u8 {
        let mut deltas = decode_raw(text, summary.n_deltas.checked_sub(summary.n_structural)?)?;
        deltas.extend(structural);
        sort(&mut deltas);
        deltas
    } else {
        return None;
    };
    (deltas.len() == summary.n_deltas as usize).then_some(deltas)
}

/// The deltas of a block that do more than edit text, in canonical order.
pub(crate) fn decode_structural(payload: &[u8]) -> Option<Vec<Arc<SignedDelta>>> {
    let (summary, structural, _) = split(payload)?;
    decode_raw(structural, summary.n_structural)
}

/// Each wanted delta as signature (or a zero byte where covered) and its own bytes; the whole compressed.
fn encode_raw(deltas: &[Arc<SignedDelta>], covered: &[bool], is_wanted: impl Fn(&Delta) -> bool) -> Vec<u8> {
    let mut raw = Vec::new();
    for (signed, covered) in deltas.iter().zip(covered).filter(|(signed, _)| is_wanted(&signed.delta)) {
        let (bytes, _) = codesync_base::encode_delta(&signed.delta);
        raw.push(u8::from(!covered));
        if !covered {
            raw.extend_from_slice(&signed.signature);
        }
        raw.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        raw.extend_from_slice(&bytes);
    }
    if raw.is_empty() {
        return raw;
    }
    // Told of the size at once, it lays out no more room than that needs.
    zstd::bulk::compress(&raw, ZSTD_LEVEL).expect("invariant: compressing in memory cannot fail")
}

fn decode_raw(bytes: &[u8], n_deltas: u32) -> Option<Vec<Arc<SignedDelta>>> {
    let mut raw = Vec::new();
    if !bytes.is_empty() {
        zstd::Decoder::new(bytes).ok()?.take(SECTION_BYTES_MAX).read_to_end(&mut raw).ok()?;
    }
    let mut rest = raw.as_slice();
    let mut deltas = Vec::new();
    while !rest.is_empty() {
        let signature;
        (signature, rest) = match rest.split_first()? {
            (0, rest) => ([0; 64], rest),
            (_, rest) => rest.split_first_chunk::<64>().map(|(signature, rest)| (*signature, rest))?,
        };
        let (length, tail) = rest.split_first_chunk::<4>()?;
        let (bytes, tail) = tail.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let (delta, hash) = decode_delta(bytes).ok()?;
        deltas.push(Arc::new(SignedDelta { delta, hash, signature }));
        rest = tail;
    }
    (deltas.len() == n_deltas as usize).then_some(deltas)
}

#[cfg(test)]
mod tests;
