//! Verification reads everything and changes nothing; repair heals what has a good copy and sets the rest aside.

use super::blobs::is_sound;
use super::open::parse_delta;
use super::seal::{BLOCK_PREFIX, CHECKPOINT_KEY, block_key};
use super::{Block, Log};
use crate::block::{self, BlockId};
use crate::index::unchecked;
use crate::journal::{self, Class, RecordKind};
use crate::{Finding, LogError, Outcome, VerifyReport};
use codesync_base::{BlobHash, DeltaHash, LogId};
use std::collections::{BTreeMap, BTreeSet};

/// What of the store is damaged, for repair.
#[derive(Default)]
struct Damage {
    segments: BTreeSet<u32>,
    /// Segments whose second copy is.
    twins: BTreeSet<u32>,
    index: bool,
}

impl Log {
    /// Reads everything: each record, each block and its copy, each blob, each chain and signature. `progress`
    /// hears bytes done and bytes in all.
    pub fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> VerifyReport {
        self.inspect(progress).0
    }

    /// Verifies, then heals what it can. Findings that were healed say so; what is lost was set aside.
    pub fn repair(&mut self) -> VerifyReport {
        let (found, damage) = self.inspect(&mut |_, _| {});
        if damage.segments.is_empty() && damage.twins.is_empty() && !damage.index {
            return found;
        }
        let mut failures = Vec::new();
        for number in &damage.segments {
            if let Err(error) = self.repair_segment(*number) {
                failures.push((journal::segment_name(*number), error.to_string()));
            }
        }
        if damage.index {
            self.index_is_doubtful.set(true);
        }
        self.write_index();
        damage.twins.iter().for_each(|number| self.writer.renew_twin(*number));
        let (mut after, _) = self.inspect(&mut |_, _| {});
        let left = after.findings.clone();
        let healed = found.findings.into_iter().filter(|finding| !left.contains(finding));
        after.findings.extend(healed.map(|finding| Finding { outcome: Outcome::Healed, ..finding }));
        let failed = failures.into_iter().map(|(place, what)| Finding { place, what, outcome: Outcome::Noticed });
        after.findings.extend(failed);
        after
    }

    fn inspect(&self, progress: &mut dyn FnMut(u64, u64)) -> (VerifyReport, Damage) {
        let mut check = Check { log: self, report: VerifyReport::default(), damage: Damage::default() };
        let total_bytes = self.writer.segments.values().map(|segment| segment.length_bytes).sum();
        for (number, segment) in &self.writer.segments {
            check.segment(*number, segment.class);
            check.report.read_bytes += segment.length_bytes;
            progress(check.report.read_bytes, total_bytes);
        }
        check.copies();
        check.chains();
        check.report.findings.extend(self.lost_at_opening.iter().cloned());
        (check.report, check.damage)
    }

    fn repair_segment(&mut self, number: u32) -> Result<(), LogError> {
        let Some(segment) = self.writer.segments.get(&number).copied() else { return Ok(()) };
        let name = journal::segment_name(number);
        if let Ok(bytes) = self.writer.disk.read(&name) {
            self.writer.copy_aside(number, &bytes)?;
        }
        match segment.class {
            Class::Sealed => {
                let unreadable: Vec<BlockId> = self
                    .blocks
                    .iter()
                    .filter(|block| block.place.segment == number && self.payload(block).is_err())
                    .map(|block| block.id)
                    .collect();
                self.drop_blocks(&unreadable);
                self.rewrite_sealed(number)
            }
            Class::Live => self.rewrite_live(number),
            Class::Blobs => self.rewrite_blobs(number),
        }
    }

    fn drop_blocks(&mut self, ids: &[BlockId]) {
        self.blocks.retain(|block| !ids.contains(&block.id));
        *self.sealed_hashes.get_mut() = None;
        self.n_sealed = self.blocks.iter().map(|block| u64::from(block.summary.n_deltas)).sum();
    }

    /// The tail is in memory as a whole: it is written again and the damaged segment goes.
    fn rewrite_live(&mut self, number: u32) -> Result<(), LogError> {
        self.writer.sync_all()?;
        self.writer.close_current(Class::Live);
        for signed in &self.tail.deltas {
            let mut payload = codesync_base::encode_delta(&signed.delta).0;
            payload.extend_from_slice(&signed.signature);
            self.writer.append_delta(payload)?;
        }
        self.writer.sync_all()?;
        self.damaged_live.retain(|damaged| *damaged != number);
        self.writer.remove(number)
    }

    /// Blobs that cannot be read leave the log, so that the same content can be put again.
    fn rewrite_blobs(&mut self, number: u32) -> Result<(), LogError> {
        self.writer.sync_all()?;
        let here: Vec<BlobHash> =
            self.blobs.iter().filter(|(_, place)| place.segment == number).map(|(hash, _)| *hash).collect();
        let mut good = Vec::new();
        for hash in here {
            let payload = self.writer.read(self.blobs[&hash], RecordKind::Blob).ok();
            match payload.filter(|payload| payload.starts_with(&hash.0) && is_sound(payload)) {
                Some(payload) => good.push((hash, payload)),
                None => drop((self.blobs.remove(&hash), self.long_blobs.remove(&hash))),
            }
        }
        good.sort_unstable();
        let (hashes, payloads): (Vec<_>, Vec<_>) = good.into_iter().unzip();
        let places = self.writer.replace(number, Class::Blobs, RecordKind::Blob, &payloads)?;
        self.blobs.extend(hashes.into_iter().zip(places));
        self.remembered_bytes.remove(&number);
        self.forget_broken_blobs();
        Ok(())
    }
}

struct Check<'a> {
    log: &'a Log,
    report: VerifyReport,
    damage: Damage,
}

impl Check<'_> {
    fn find(&mut self, place: impl Into<String>, what: impl Into<String>, outcome: Outcome) {
        self.report.findings.push(Finding { place: place.into(), what: what.into(), outcome });
    }

    fn segment(&mut self, number: u32, class: Class) {
        let name = journal::segment_name(number);
        let bytes = match self.log.writer.disk.read(&name) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.damage.segments.insert(number);
                return self.find(name, format!("A segment cannot be read: {error}."), Outcome::Noticed);
            }
        };
        let scan = journal::scan(number, &bytes);
        // While a write fails, bytes behind the known end may be half a record.
        let known_bytes = self.log.writer.segments[&number].length_bytes;
        let is_whole = scan.damaged.is_empty()
            && scan.class == Some(class)
            && scan.torn_at.is_none_or(|torn_at| torn_at as u64 >= known_bytes)
            && bytes.len() as u64 >= known_bytes;
        if !is_whole {
            self.damage.segments.insert(number);
            self.find(name.clone(), "A segment of the journal is damaged.", Outcome::Noticed);
        }
        for record in &scan.records {
            let payload = &bytes[record.payload.clone()];
            let is_good = match record.kind {
                RecordKind::Delta => parse_delta(payload).is_some(),
                RecordKind::SealedBlock => block::summary(payload).is_some(),
                RecordKind::Blob => is_sound(payload),
            };
            if !is_good {
                self.damage.segments.insert(number);
                self.find(name.clone(), "A record of the journal is whole but makes no sense.", Outcome::Noticed);
            }
        }
        self.blobs_of(number);
        if class.has_twin() {
            self.twin(number, &bytes);
        }
    }

    /// A second copy that lags behind is none that is damaged.
    fn twin(&mut self, number: u32, bytes: &[u8]) {
        let is_good = self.log.writer.is_twin_good(number, bytes);
        if !is_good && !self.damage.segments.contains(&number) {
            self.damage.twins.insert(number);
            self.find(journal::twin_name(number), "The second copy of a segment is damaged.", Outcome::Noticed);
        }
    }

    fn blobs_of(&mut self, number: u32) {
        let log = self.log;
        for hash in log.blobs.iter().filter(|(_, place)| place.segment == number).map(|(hash, _)| hash) {
            self.report.n_blobs += 1;
            if !log.is_blob_good(hash) {
                self.damage.segments.insert(number);
                self.find(
                    journal::segment_name(number),
                    format!("Content {} cannot be read.", hash.short()),
                    Outcome::Lost,
                );
            }
        }
    }

    /// Blocks in the journal and their copies in the index.
    fn copies(&mut self) {
        let log = self.log;
        let copies: BTreeMap<Vec<u8>, Vec<u8>> = match log.index.scan(BLOCK_PREFIX) {
            Ok(copies) => copies.into_iter().collect(),
            Err(error) => {
                self.damage.index = true;
                self.find("index", format!("The index cannot be read: {error}."), Outcome::Noticed);
                BTreeMap::new()
            }
        };
        for block in &log.blocks {
            self.report.n_blocks += 1;
            let key = block_key(&block.id);
            let copy = copies.get(&key).and_then(|value| unchecked(&key, value));
            let has_copy = copy.is_some_and(|payload| BlockId::of(payload) == block.id);
            self.block(block, has_copy);
        }
        if !log.blocks.is_empty() && log.index_get(CHECKPOINT_KEY).is_none() {
            self.damage.index = true;
            self.find("index", "The index does not remember the state of the history.", Outcome::Noticed);
        }
    }

    fn block(&mut self, block: &Block, has_copy: bool) {
        let name = journal::segment_name(block.place.segment);
        let journal = self.log.writer.read(block.place, RecordKind::SealedBlock);
        let in_journal = journal.is_ok_and(|payload| BlockId::of(&payload) == block.id);
        if !in_journal {
            self.damage.segments.insert(block.place.segment);
            let outcome = if has_copy { Outcome::Noticed } else { Outcome::Lost };
            self.find(name, format!("{} changes cannot be read in the journal.", block.summary.n_deltas), outcome);
        }
        if !has_copy {
            self.damage.index = true;
            self.find("index", "The second copy of a part of the history is missing or damaged.", Outcome::Noticed);
        }
    }

    /// Every delta but the first of a log has its predecessor, and whoever vouches for it has signed.
    fn chains(&mut self) {
        let mut last: BTreeMap<LogId, BTreeMap<u32, Vec<DeltaHash>>> = BTreeMap::new();
        for head in self.log.cut.iter().flat_map(super::Cut::heads) {
            last.entry(head.log).or_default().insert(head.seq, vec![head.hash]);
        }
        let mut broken: BTreeSet<LogId> = BTreeSet::new();
        let mut unsigned: BTreeSet<LogId> = BTreeSet::new();
        let mut without: BTreeSet<BlobHash> = BTreeSet::new();
        let mut n_deltas = 0;
        let verify = self.log.options.verify_signature;
        let read = self.log.for_each(&mut |signed| {
            n_deltas += 1;
            let delta = &signed.delta;
            let known = last.entry(delta.log).or_default();
            let names_known = |hashes: &Vec<DeltaHash>| hashes.contains(&delta.prev);
            if delta.seq > 1 && !known.get(&(delta.seq - 1)).is_some_and(names_known) {
                broken.insert(delta.log);
            }
            known.entry(delta.seq).or_default().push(signed.hash);
            if known.len() > FORK_DEPTH_MAX {
                known.pop_first();
            }
            if signed.signature != [0; 64] && !verify(signed) {
                unsigned.insert(delta.log);
            }
            without.extend(delta.blobs().filter(|hash| !self.log.has_blob(hash)));
        });
        self.report.n_deltas = n_deltas;
        if let Err(error) = read {
            self.find("journal", error.to_string(), Outcome::Lost);
        }
        for log in broken {
            self.find("journal", format!("The history of device {log} has a gap."), Outcome::Lost);
        }
        for hash in without {
            self.find("journal", format!("Content {} is missing.", hash.short()), Outcome::Lost);
        }
        for log in unsigned {
            self.find("journal", format!("A signature of device {log} is wrong."), Outcome::Lost);
        }
    }
}

/// How far back a second successor of the same delta is still recognised without complaint.
const FORK_DEPTH_MAX: usize = 10_000;
