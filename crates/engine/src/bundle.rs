//! The replay bundle: a whole history in one file, to be kept, sent or played elsewhere.
//!
//! Format 1: the line `CODESYNC-REPLAY 1`, then one zstd stream of records, each a kind byte (1 delta, 2 blob),
//! a length (u32, little-endian) and that many bytes. A delta is its encoding followed by the 64 bytes of
//! its signature; blobs stand before the first delta that names them. Deltas are in canonical order.

use crate::foreign::{drop_forged, is_signed};
use crate::{Engine, Now, Result, api_error, invalid};
use codesync_api::{ApiError, ErrorCode};
use codesync_base::{DeltaHash, Head, LogId, ProjectId, SignedDelta, decode_delta, encode_delta, limits};
use std::collections::{BTreeMap, BTreeSet};

const MAGIC: &[u8] = b"CODESYNC-REPLAY 1\n";
const KIND_DELTA: u8 = 1;
const KIND_BLOB: u8 = 2;
/// Bytes that a bundle may unpack to.
const UNPACKED_BYTES_MAX: usize = 4 * 1024 * 1024 * 1024;

/// A bundle, read and checked.
pub struct Bundle {
    pub project: ProjectId,
    pub deltas: Vec<(SignedDelta, Vec<u8>)>,
    pub blobs: Vec<Vec<u8>>,
    /// What its deltas go on from and is not in it: nothing in a whole history.
    needs: BTreeSet<Head>,
}

/// Deltas carry the time of their act, which is a little before they are saved.
const UNSAVED_SLACK_MS: u64 = 600_000;

impl Engine {
    /// The whole history as the bytes of a bundle, and the number of its deltas.
    pub fn export_bundle(&mut self) -> Result<(Vec<u8>, u64)> {
        self.close()?;
        self.has_whole_history()?;
        let mut all = Vec::new();
        self.log.for_each(&mut |signed| all.push(signed.clone())).map_err(api_error)?;
        self.bundle_of(all)
    }

    /// Refuses where history does not begin at the beginning: by itself, what is here says nothing.
    pub(crate) fn has_whole_history(&self) -> Result<()> {
        match self.begins_with() {
            None => Ok(()),
            Some(_) => {
                Err(invalid("Your copy has the history since you came in only. Ask somebody who has all of it."))
            }
        }
    }

    /// What may not be durable yet, as the bytes of a bundle, and the number of its deltas: for a disk that has room.
    pub fn export_unsaved(&mut self) -> Result<(Vec<u8>, u64)> {
        self.settle();
        let mut all = Vec::new();
        if self.is_unsynced() {
            let since_ms = self.saved_ms().unwrap_or(0).saturating_sub(UNSAVED_SLACK_MS);
            let mut take = |signed: &SignedDelta| {
                if signed.delta.hlc.wall_ms >= since_ms {
                    all.push(signed.clone());
                }
            };
            self.log.for_each(&mut take).map_err(api_error)?;
            self.waiting.iter().for_each(|(signed, _)| all.push(signed.clone()));
        }
        self.bundle_of(all)
    }

    pub(crate) fn bundle_of(&mut self, all: Vec<SignedDelta>) -> Result<(Vec<u8>, u64)> {
        let (mut records, mut known, mut n_deltas) = (Vec::new(), BTreeSet::new(), 0);
        for signed in all {
            for hash in signed.delta.blobs() {
                if known.insert(hash) {
                    put_record(&mut records, KIND_BLOB, &[&self.blob(&hash)?]);
                }
            }
            let (bytes, _) = encode_delta(&signed.delta);
            put_record(&mut records, KIND_DELTA, &[&bytes, &signed.signature]);
            n_deltas += 1;
        }
        let packed = zstd::bulk::compress(&records, 9)
            .map_err(|error| invalid("The bundle could not be packed.").with_detail(error))?;
        Ok(([MAGIC, &(records.len() as u64).to_le_bytes(), &packed].concat(), n_deltas))
    }

    /// Adds what a bundle holds and the log does not, all or nothing: what others would refuse would make this log useless
    /// to them. Returns how many deltas were new. The engine must be opened anew afterwards.
    pub fn import_bundle(&mut self, bundle: &Bundle, now: Now) -> Result<u64> {
        self.close()?;
        let is_before = |signed: &SignedDelta| signed.delta.seq <= self.log.cut_seq(&signed.delta.log);
        if self.waits_for_beginning() || bundle.deltas.iter().any(|(signed, _)| is_before(signed)) {
            self.has_whole_history()?;
        }
        if bundle.project != self.project {
            let sentence = "This bundle is the history of another workspace. Import it in a new, empty folder.";
            return Err(invalid(sentence));
        }
        // Before the cut everything counts as here.
        let is_before_cut = |head: &Head| self.others.beginning.reading_of(head).is_some();
        bundle.check_needs(|head| is_before_cut(head) || self.log.contains(&head.hash))?;
        bundle.put_blobs(&mut self.log)?;
        let n_before = self.log.n_deltas();
        self.take_in_bundle(&bundle.deltas, now)?;
        self.log.sync().map_err(api_error)?;
        Ok(self.log.n_deltas() - n_before)
    }
}

/// Adds the deltas of a bundle to a log that has nothing else. On failure the log has none of them, or all, and some wait
/// for room on the disk: never one without the later one that vouches for it.
pub fn add_bundle(log: &mut codesync_log::Log, bundle: &Bundle) -> Result<u64> {
    bundle.put_blobs(log)?;
    let n_before = log.n_deltas();
    bundle.deltas.iter().for_each(|(signed, bytes)| log.stage(signed, bytes));
    log.keep_staged().map_err(api_error)?;
    log.sync().map_err(api_error)?;
    Ok(log.n_deltas() - n_before)
}

impl Bundle {
    fn put_blobs(&self, log: &mut codesync_log::Log) -> Result<()> {
        self.blobs.iter().try_for_each(|blob| log.put_blob(blob).map(drop).map_err(api_error))
    }

    /// Reads a bundle: the guarded door for bytes from a file that anybody may have made.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let bad =
            |why: &str| ApiError::new(ErrorCode::Damaged, "This file is not a whole replay bundle.").with_detail(why);
        let body = bytes.strip_prefix(MAGIC).ok_or_else(|| bad("first line"))?;
        let (length, packed) = body.split_at_checked(8).ok_or_else(|| bad("length"))?;
        let length = u64::from_le_bytes(length.try_into().map_err(|_| bad("length"))?);
        if length > UNPACKED_BYTES_MAX as u64 {
            return Err(bad("larger than 4 GiB"));
        }
        let mut records = Vec::new();
        let mut decoder = zstd::stream::read::Decoder::new(packed).map_err(|_| bad("compression"))?;
        let mut limited = std::io::Read::take(&mut decoder, length + 1);
        std::io::Read::read_to_end(&mut limited, &mut records).map_err(|_| bad("compression"))?;
        if records.len() as u64 != length {
            return Err(bad("length"));
        }
        let mut bundle = Self::read_records(&records).ok_or_else(|| bad("records"))?;
        bundle.check_signatures().then_some(bundle).ok_or_else(|| bad("signatures"))
    }

    /// Refuses a bundle that goes on from what is not here: a log with gaps is no history.
    pub fn check_needs(&self, is_here: impl Fn(&Head) -> bool) -> Result<()> {
        if self.needs.iter().all(is_here) {
            return Ok(());
        }
        let sentence = "The edits in this file go on from others that are neither in it nor here. \
                        Import it in the workspace that it came from.";
        Err(invalid(sentence))
    }

    fn read_records(mut rest: &[u8]) -> Option<Self> {
        let (mut deltas, mut blobs) = (Vec::<(SignedDelta, Vec<u8>)>::new(), Vec::new());
        while let Some((&kind, after)) = rest.split_first() {
            let (length, after) = after.split_at_checked(4)?;
            let (bytes, after) = after.split_at_checked(u32::from_le_bytes(length.try_into().ok()?) as usize)?;
            rest = after;
            match kind {
                KIND_BLOB if bytes.len() as u64 <= limits::BLOB_BYTES_MAX => blobs.push(bytes.to_vec()),
                KIND_DELTA => {
                    let (bytes, signature) = bytes.split_at_checked(bytes.len().checked_sub(64)?)?;
                    let (delta, hash) = decode_delta(bytes).ok()?;
                    let signature = signature.try_into().ok()?;
                    deltas.push((SignedDelta { delta, hash, signature }, bytes.to_vec()));
                }
                _ => return None,
            }
        }
        let project = deltas.first()?.0.delta.project;
        let is_one_project = deltas.iter().all(|(signed, _)| signed.delta.project == project);
        let needs = needs_of(&deltas);
        is_one_project.then_some(Self { project, deltas, blobs, needs })
    }

    /// Every delta is signed, or named as `prev` by one that is (the chain covers it). A signature that is not its
    /// author's goes: in a log it would be handed on, and others take nothing of who hands on such.
    fn check_signatures(&mut self) -> bool {
        drop_forged(&mut self.deltas);
        let mut covered: BTreeMap<LogId, BTreeSet<DeltaHash>> = BTreeMap::new();
        self.deltas.iter().rev().all(|(signed, _)| {
            let by_chain = covered.entry(signed.delta.log).or_default();
            let good = by_chain.contains(&signed.hash) || is_signed(signed);
            by_chain.insert(signed.delta.prev);
            good
        })
    }
}

/// What deltas name as `prev` or as dependencies and is not among them.
fn needs_of(deltas: &[(SignedDelta, Vec<u8>)]) -> BTreeSet<Head> {
    let known: BTreeSet<DeltaHash> = deltas.iter().map(|(signed, _)| signed.hash).collect();
    let named = deltas.iter().map(|(signed, _)| &signed.delta).flat_map(|delta| {
        let prev = Head { log: delta.log, seq: delta.seq.saturating_sub(1), hash: delta.prev };
        delta.deps.iter().copied().chain((delta.seq > 1).then_some(prev))
    });
    named.filter(|head| !known.contains(&head.hash)).collect()
}

fn put_record(out: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    out.push(kind);
    out.extend((length as u32).to_le_bytes());
    parts.iter().for_each(|part| out.extend_from_slice(part));
}
