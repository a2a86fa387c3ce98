//! Opening: reads the journal, compares it with what the index remembers, heals each from the other, and says
//! what it found. Bytes that are not whole are copied to `set-aside` before anything is cut.

use super::blobs::{PLACES_PREFIX, Remembered, is_list, unpack};
use super::join::{Joined, join};
use super::seal::{BLOCK_PREFIX, CHECKPOINT_KEY, Checkpoint, block_key};
use super::{Block, Log, Options, Tail, lock};
use crate::block::{self, BlockId};
use crate::disk::read_if_there;
use crate::index::{checked, unchecked};
use crate::journal::{self, Class, HEADER_BYTES, RecordKind, Scan};
use crate::writer::{Place, Segment, Writer};
use crate::{Disk, Finding, Index, LogError, LostSpan, MemoryIndex, OpenReport, Outcome, RealDisk, SledIndex};
use codesync_base::{BlobHash, DeltaHash, SignedDelta, decode_delta};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

/// Format of the store as a whole.
const STORE_VERSION: u32 = 1;

impl Log {
    /// Opens the store in `<folder>/.codesync`, creating it where there is none. While the log lives no other
    /// process can open it.
    pub fn open(folder: &Path, options: Options) -> Result<(Log, OpenReport), LogError> {
        let store = folder.join(".codesync");
        let refused = |source| LogError::Io { path: store.clone(), source };
        let disk = RealDisk::new(&store).map_err(refused)?;
        // Before the lock: nothing of a newer store is touched.
        check_formats(&disk)?;
        let lock = lock(&store)?;
        let mut without_index = None;
        let index: Box<dyn Index> = match SledIndex::open(&store) {
            Ok(index) => Box::new(index),
            Err(error) => {
                tracing::warn!(%error, "working without the index");
                without_index = Some(error);
                Box::new(MemoryIndex::new())
            }
        };
        let (mut log, mut report) = Log::open_with(Box::new(disk), index, options)?;
        log._lock = Some(lock);
        if let Some(error) = without_index {
            report.findings.push(Finding {
                place: "index".into(),
                what: format!("The index could not be opened ({error}). The history is complete without it."),
                outcome: Outcome::Healed,
            });
        }
        Ok((log, report))
    }

    /// Opens a store on this disk with this index.
    pub fn open_with(
        mut disk: Box<dyn Disk>,
        mut index: Box<dyn Index>,
        options: Options,
    ) -> Result<(Log, OpenReport), LogError> {
        check_formats(disk.as_ref())?;
        let mut report = OpenReport::default();
        let doubt = index.doubt();
        let numbers = all_numbers(disk.as_ref())?;
        report.is_new = write_version(disk.as_mut(), numbers.is_empty(), &mut report.findings)?;
        let cut = super::cut::read(disk.as_mut(), &mut report.findings)?;
        let mut log = Log {
            writer: Writer::new(disk, options.segment_bytes_max),
            index,
            options,
            blocks: Vec::new(),
            n_sealed: 0,
            tail: Tail::default(),
            staged: Default::default(),
            heads: BTreeMap::new(),
            cut: None,
            blobs: HashMap::new(),
            long_blobs: BTreeSet::new(),
            remembered_bytes: BTreeMap::new(),
            sealed_hashes: RefCell::new(None),
            decoded: RefCell::default(),
            new_briefs: RefCell::default(),
            index_is_doubtful: Cell::new(doubt.is_some()),
            damaged_live: Vec::new(),
            lost_at_opening: Vec::new(),
            _lock: None,
        };
        log.set_cut(cut);
        let is_kept_twice = !log.writer.disk.list(journal::TWIN_FOLDER).unwrap_or_default().is_empty();
        let mut opening = Opening {
            log,
            findings: Vec::new(),
            live: Vec::new(),
            restored: Vec::new(),
            is_kept_twice,
            index_is_behind: false,
            sealed_is_damaged: false,
            gaps: Vec::new(),
        };
        opening.read_all(&numbers)?;
        report.lost = opening.lost();
        report.findings.extend(opening.findings);
        let is_lost = |finding: &&Finding| finding.outcome == Outcome::Lost;
        opening.log.lost_at_opening = report.findings.iter().filter(is_lost).cloned().collect();
        Ok((opening.log, report))
    }
}

struct Opening {
    log: Log,
    findings: Vec<Finding>,
    /// Deltas of live segments.
    live: Vec<Arc<SignedDelta>>,
    /// What whole live segments held that only their second copies still had.
    restored: Vec<DeltaHash>,
    /// Whether there are second copies at all: not in a store of an older program.
    is_kept_twice: bool,
    /// It does not hold what the journal does; as after a crash, or when it is new.
    index_is_behind: bool,
    sealed_is_damaged: bool,
    /// Between which changes some are missing.
    gaps: Vec<LostSpan>,
}

impl Opening {
    fn find(&mut self, place: impl Into<String>, what: impl Into<String>, outcome: Outcome) {
        let finding = Finding { place: place.into(), what: what.into(), outcome };
        tracing::warn!(place = finding.place, what = finding.what, ?outcome, "store");
        self.findings.push(finding);
    }

    fn read_all(&mut self, numbers: &[u32]) -> Result<(), LogError> {
        for number in numbers {
            self.log.writer.reserve(*number);
            self.read_segment(*number)?;
        }
        self.find_missing_blob_segments();
        // Begun when the machine stopped, or else it was told above what is missing.
        self.log.forget_broken_blobs();
        self.settle_blocks();
        self.settle_tail();
        self.find_gaps();
        if self.log.index_is_doubtful.get() {
            self.log.write_index();
            self.find("index", "The index could not be believed and was built anew from the journal.", Outcome::Healed);
            self.index_is_behind = false;
        }
        if self.index_is_behind {
            self.log.write_index();
        }
        self.log.writer.lay_in_ballast();
        Ok(())
    }

    fn read_segment(&mut self, number: u32) -> Result<(), LogError> {
        let name = journal::segment_name(number);
        let io = |error| LogError::of(&name, error);
        let length_bytes = match self.log.writer.disk.length_bytes(&name) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return self.bring_back_whole(number),
            found => found.map_err(io)?,
        };
        let remembered = self.log.remembered_blobs(number);
        let twin_is_longer = self.log.writer.twin_length_bytes(number).is_some_and(|twin| twin > length_bytes);
        let is_as_remembered = |known: &&(u64, _)| known.0 == length_bytes && !twin_is_longer;
        if let Some((_, blobs)) = remembered.as_ref().filter(is_as_remembered) {
            // The header is still looked at by `check_formats`; each blob is checked when it is read.
            self.log.blobs.extend(blobs.iter().map(|(hash, place, _)| (*hash, *place)));
            self.log.long_blobs.extend(blobs.iter().filter(|(.., is_long)| *is_long).map(|(hash, ..)| *hash));
            self.log.remembered_bytes.insert(number, length_bytes);
            self.log.writer.adopt(number, Segment { class: Class::Blobs, length_bytes }, true);
            return Ok(());
        }
        let mut bytes = self.log.writer.disk.read(&name).map_err(io)?;
        let mut scan = journal::scan(number, &bytes);
        if (!scan.is_clean() || twin_is_longer)
            && let Some(whole) = self.heal_from_twin(number, &bytes, &scan)
        {
            scan = journal::scan(number, &whole);
            bytes = whole;
        }
        let is_unfinished = self.is_behind_twin(number, &scan);
        if is_unfinished && scan.class == Some(Class::Live) {
            scan.cut_at_damage();
        }
        let Some(class) = scan.class else {
            return self.set_aside_whole(number, &bytes, is_unfinished, remembered.is_some());
        };
        let is_clean = self.heal_segment(number, class, &bytes, &scan, is_unfinished);
        self.take_records(number, &bytes, &scan);
        if is_clean == Healing::Rewritten {
            self.reread_places(number, class, &bytes, &scan);
        }
        let length_bytes = self.log.writer.disk.length_bytes(&name).map_err(io)?;
        self.log.writer.adopt(number, Segment { class, length_bytes }, is_clean != Healing::Failed);
        if is_clean == Healing::NotNeeded {
            self.log.writer.check_twin(number, &bytes);
        } else if is_clean == Healing::Cut {
            self.log.writer.check_twin(number, &bytes[..length_bytes as usize]);
        }
        if let Some((_, blobs)) = remembered {
            self.find_lost_blobs(number, &blobs);
        }
        Ok(())
    }

    /// Whether all the damage of a segment lies behind its second copy. That has what was confirmed: a write behind
    /// it was cut off by a crash, and of those after it some may have reached the disk before it.
    fn is_behind_twin(&self, number: u32, scan: &Scan) -> bool {
        let Some(damage) = scan.damaged.first().map(|range| range.start).or(scan.torn_at) else { return false };
        if !self.is_kept_twice || scan.class == Some(Class::Sealed) {
            return false;
        }
        let twin = self.log.writer.read_twin(number).unwrap_or_default();
        let twin_scan = journal::scan(number, &twin);
        let whole_bytes = twin_scan.damaged.first().map(|range| range.start).or(twin_scan.torn_at);
        damage >= whole_bytes.unwrap_or(twin.len())
    }

    fn take_records(&mut self, number: u32, bytes: &[u8], scan: &Scan) {
        for record in &scan.records {
            let place = Place {
                segment: number,
                offset: record.payload.start as u64,
                length_bytes: record.payload.len() as u32,
            };
            self.take_record(record.kind, &bytes[record.payload.clone()], place, record.is_after_damage);
        }
    }

    /// Puts back what a damaged segment lacks and its second copy has. Returns the bytes that stand there now.
    fn heal_from_twin(&mut self, number: u32, bytes: &[u8], scan: &Scan) -> Option<Vec<u8>> {
        let twin = self.log.writer.read_twin(number)?;
        let verify_signature = self.log.options.verify_signature;
        let is_proven = |class, payload: &[u8]| match class {
            Class::Live => parse_delta(payload).is_some_and(|signed| verify_signature(&signed)),
            Class::Sealed => false,
            Class::Blobs => unpack(payload).is_some(),
        };
        let Joined { class, payloads, is_whole } = join(number, (bytes, scan), &twin, &is_proven)?;
        let name = journal::segment_name(number);
        let healed = if scan.is_clean() { Ok(()) } else { self.log.writer.copy_aside(number, bytes) };
        let healed = healed.and_then(|()| self.log.writer.replace(number, class, class.kind(), &payloads));
        if let Err(error) = healed {
            // No room, perhaps. What the second copy has stays there, and the next opening tries again.
            tracing::warn!(%error, name, "a segment is not mended yet");
            return None;
        }
        self.find(&name, "A damaged part was brought back from its second copy.", Outcome::Healed);
        if !is_whole {
            let (what, outcome) = judge_damage(class, scan);
            self.find(&name, what, outcome);
        }
        self.log.writer.disk.read(&name).ok()
    }

    /// A segment of which there is only the second copy.
    fn bring_back_whole(&mut self, number: u32) -> Result<(), LogError> {
        let name = journal::segment_name(number);
        let Some(twin) = self.log.writer.read_twin(number) else { return Ok(()) };
        let scan = journal::scan(number, &twin);
        let (Some(class), false) = (scan.class.filter(|class| class.has_twin()), scan.records.is_empty()) else {
            // Begun when the machine stopped, and never needed since.
            tracing::debug!(name, "an empty second copy without a first");
            return self.log.writer.remove(number);
        };
        let payloads: Vec<Vec<u8>> = scan.records.iter().map(|record| twin[record.payload.clone()].to_vec()).collect();
        self.log.writer.replace(number, class, class.kind(), &payloads)?;
        let bytes = self.log.writer.disk.read(&name).map_err(|error| LogError::of(&name, error))?;
        let first_new = self.live.len();
        self.take_records(number, &bytes, &journal::scan(number, &bytes));
        let length_bytes = bytes.len() as u64;
        self.log.writer.adopt(number, Segment { class, length_bytes }, true);
        if class == Class::Blobs {
            self.find(
                name,
                "Stored contents were missing and were brought back from their second copy.",
                Outcome::Healed,
            );
        }
        self.restored.extend(self.live[first_new..].iter().map(|signed| signed.hash));
        Ok(())
    }

    /// A segment without any whole record: a header that broke off, or nothing but damage.
    fn set_aside_whole(
        &mut self,
        number: u32,
        bytes: &[u8],
        is_unfinished: bool,
        held_blobs: bool,
    ) -> Result<(), LogError> {
        let name = journal::segment_name(number);
        self.sealed_is_damaged = true;
        let never_held_any = bytes.is_empty() || is_unfinished || journal::is_unfinished_header(number, bytes);
        if never_held_any && !held_blobs {
            self.find(name, "A segment was being begun when the program ended.", Outcome::Unfinished);
            return if bytes.is_empty() { self.log.writer.remove(number) } else { self.log.writer.set_aside(number) };
        }
        self.log.writer.set_aside(number)?;
        self.find(name, "A segment of the journal could not be read at all and was set aside.", Outcome::Lost);
        Ok(())
    }

    fn take_record(&mut self, kind: RecordKind, payload: &[u8], place: Place, is_after_damage: bool) {
        let name = journal::segment_name(place.segment);
        match kind {
            RecordKind::Delta => match parse_delta(payload) {
                // What was found by searching may be content that imitates a record.
                Some(signed) if !is_after_damage || (self.log.options.verify_signature)(&signed) => {
                    self.live.push(Arc::new(signed));
                }
                _ => {
                    self.log.damaged_live.push(place.segment);
                    self.find(name, "A change could not be read and was left out.", Outcome::Lost);
                }
            },
            RecordKind::SealedBlock => match block::summary(payload) {
                Some(summary) => self.log.blocks.push(Block { id: BlockId::of(payload), summary, place }),
                None => {
                    self.sealed_is_damaged = true;
                    self.find(name, "A block of the history could not be read.", Outcome::Lost);
                }
            },
            RecordKind::Blob => {
                // Of a list nothing but its place says that it is one; other contents are proven when they are read.
                let is_believed = !is_after_damage || !is_list(payload);
                if let Some((hash, _)) = payload.split_first_chunk::<32>().filter(|_| is_believed) {
                    self.log.note_blob(BlobHash(*hash), payload, place);
                }
            }
        }
    }

    /// Cuts off a torn tail, or writes the whole records anew when something between them is damaged.
    fn heal_segment(&mut self, number: u32, class: Class, bytes: &[u8], scan: &Scan, is_unfinished: bool) -> Healing {
        let name = journal::segment_name(number);
        let healed = if scan.damaged.is_empty() {
            let Some(torn_at) = scan.torn_at else { return Healing::NotNeeded };
            self.find(&name, UNFINISHED.0, UNFINISHED.1);
            self.sealed_is_damaged |= class == Class::Sealed;
            self.cut_torn(number, bytes, torn_at).map(|()| Healing::Cut)
        } else {
            self.sealed_is_damaged |= class == Class::Sealed;
            let (what, outcome) = if is_unfinished { UNFINISHED } else { judge_damage(class, scan) };
            self.find(&name, what, outcome);
            self.rewrite(number, class, bytes, scan).map(|()| Healing::Rewritten)
        };
        healed.unwrap_or_else(|error| {
            tracing::warn!(%error, name, "a segment stays as it is");
            if class == Class::Live {
                self.log.damaged_live.push(number);
            }
            Healing::Failed
        })
    }

    fn cut_torn(&mut self, number: u32, bytes: &[u8], torn_at: usize) -> Result<(), LogError> {
        let name = journal::segment_name(number);
        self.log.writer.copy_aside(number, &bytes[torn_at..])?;
        self.log.writer.disk.truncate(&name, torn_at as u64).map_err(|error| LogError::of(&name, error))
    }

    fn rewrite(&mut self, number: u32, class: Class, bytes: &[u8], scan: &Scan) -> Result<(), LogError> {
        let Some(kind) = scan.records.first().map(|record| record.kind) else { return Ok(()) };
        self.log.writer.copy_aside(number, bytes)?;
        let payloads: Vec<Vec<u8>> = scan.records.iter().map(|record| bytes[record.payload.clone()].to_vec()).collect();
        self.log.writer.replace(number, class, kind, &payloads).map(drop)
    }

    /// After a rewrite records stand elsewhere: without gaps, in the same order.
    fn reread_places(&mut self, number: u32, class: Class, bytes: &[u8], scan: &Scan) {
        let mut at = HEADER_BYTES as u64;
        let mut moved = BTreeMap::new();
        for record in &scan.records {
            at += journal::RECORD_HEADER_BYTES as u64;
            moved.insert(record.payload.start as u64, at);
            at += record.payload.len() as u64;
        }
        debug_assert!(bytes.len() as u64 + HEADER_BYTES as u64 >= at);
        let places: Vec<&mut Place> = match class {
            Class::Live => Vec::new(),
            Class::Sealed => self.log.blocks.iter_mut().map(|block| &mut block.place).collect(),
            Class::Blobs => self.log.blobs.values_mut().collect(),
        };
        for place in places.into_iter().filter(|place| place.segment == number) {
            place.offset = moved.get(&place.offset).copied().unwrap_or(place.offset);
        }
    }

    fn find_lost_blobs(&mut self, number: u32, remembered: &[Remembered]) {
        let n_lost = remembered.iter().filter(|(hash, ..)| !self.log.blobs.contains_key(hash)).count();
        if n_lost > 0 {
            let what = format!("{n_lost} stored contents are missing.");
            self.find(journal::segment_name(number), what, Outcome::Lost);
        }
    }

    /// Blob segments that only the index still knows.
    fn find_missing_blob_segments(&mut self) {
        let known = self.log.index.scan(PLACES_PREFIX.as_bytes()).unwrap_or_default();
        let mut gone = Vec::new();
        for (key, _) in known {
            let digits = String::from_utf8_lossy(&key[PLACES_PREFIX.len()..]).into_owned();
            let Ok(number) = digits.parse::<u32>() else { continue };
            self.log.writer.reserve(number);
            if self.log.writer.segments.contains_key(&number) {
                continue;
            }
            if let Some((_, blobs)) = self.log.remembered_blobs(number) {
                self.find_lost_blobs(number, &blobs);
            }
            gone.push((key, None));
        }
        if !gone.is_empty() {
            self.log.index_write(gone);
        }
    }

    /// Drops blocks that others replace, brings back from the index what the journal lost, and the other way.
    fn settle_blocks(&mut self) {
        let remembered = self.log.index_get(CHECKPOINT_KEY);
        let checkpoint = remembered.and_then(|value| postcard::from_bytes::<Checkpoint>(&value).ok());
        self.drop_superseded();
        let in_journal: BTreeSet<BlockId> = self.log.blocks.iter().map(|block| block.id).collect();
        let in_checkpoint: Option<BTreeSet<BlockId>> =
            checkpoint.as_ref().map(|checkpoint| checkpoint.blocks.iter().copied().collect());
        if self.sealed_is_damaged || in_checkpoint.as_ref() != Some(&in_journal) {
            self.exchange_copies(&in_journal, &in_checkpoint.unwrap_or_default());
            self.index_is_behind = true;
        }
        self.drop_contained();
        self.log.n_sealed = self.log.blocks.iter().map(|block| u64::from(block.summary.n_deltas)).sum();
        for part in self.log.blocks.iter().flat_map(|block| block.summary.logs.clone()).collect::<Vec<_>>() {
            self.log.raise_head(codesync_base::Head { log: part.log, seq: part.last_seq, hash: part.last_hash });
        }
        self.find_lost_blocks(checkpoint.unwrap_or_default());
    }

    fn drop_superseded(&mut self) {
        let superseded: BTreeSet<BlockId> =
            self.log.blocks.iter().flat_map(|block| block.summary.supersedes.iter().copied()).collect();
        let mut seen = BTreeSet::new();
        self.log.blocks.retain(|block| !superseded.contains(&block.id) && seen.insert(block.id));
    }

    fn exchange_copies(&mut self, in_journal: &BTreeSet<BlockId>, in_checkpoint: &BTreeSet<BlockId>) {
        let copies = match self.log.index.scan(BLOCK_PREFIX) {
            Ok(copies) => copies,
            Err(error) => {
                self.log.doubt_index(&error);
                return;
            }
        };
        let mut in_index = BTreeSet::new();
        let mut n_restored = 0;
        for (key, value) in copies {
            let payload = unchecked(&key, &value).filter(|payload| block_key(&BlockId::of(payload)) == key);
            let Some(payload) = payload else {
                self.log.doubt_index(&"the copy of a block is damaged");
                continue;
            };
            let id = BlockId::of(payload);
            in_index.insert(id);
            if !in_journal.contains(&id) && block::decode(payload).is_some() {
                match self.log.write_block(payload.to_vec()) {
                    Ok((block, _)) => {
                        self.log.blocks.push(block);
                        n_restored += 1;
                    }
                    Err(error) => tracing::warn!(%error, "a block could not be brought back yet"),
                }
            }
        }
        self.drop_superseded();
        self.drop_contained();
        if n_restored > 0 && self.log.blocks.iter().any(|block| !in_journal.contains(&block.id)) {
            if let Err(error) = self.log.sync() {
                tracing::warn!(%error, "healed blocks are not durable yet");
            }
            self.find("journal", "A part of the history was brought back from its second copy.", Outcome::Healed);
        }
        self.copy_to_index(&in_index, in_checkpoint);
    }

    fn copy_to_index(&mut self, in_index: &BTreeSet<BlockId>, in_checkpoint: &BTreeSet<BlockId>) {
        let missing: Vec<Block> =
            self.log.blocks.iter().filter(|block| !in_index.contains(&block.id)).cloned().collect();
        let mut changes = Vec::new();
        for block in missing {
            if let Ok(payload) = self.log.payload(&block) {
                let key = block_key(&block.id);
                let value = checked(&key, &payload);
                changes.push((key, Some(value)));
            }
        }
        // The index of a program that was killed only lags behind.
        let was_there = |(key, _): &(Vec<u8>, _)| in_checkpoint.iter().any(|id| block_key(id) == *key);
        if changes.iter().any(was_there) {
            self.find("index", "The second copy of a part of the history was written again.", Outcome::Healed);
        }
        if !changes.is_empty() {
            self.log.index_write(changes);
        }
    }

    /// Drops blocks all of whose deltas stand in others: sealing was broken off and done again.
    fn drop_contained(&mut self) {
        let mut suspects: Vec<usize> = overlapping(&self.log.blocks).into_iter().collect();
        suspects.sort_by_key(|idx| self.log.blocks[*idx].summary.n_deltas);
        let hashes = |log: &Log, idx: usize| -> BTreeSet<DeltaHash> {
            log.hashes_of_block(idx).into_iter().map(|entry| entry.hash).collect()
        };
        let mut dropped = BTreeSet::new();
        for idx in &suspects {
            let mut left = hashes(&self.log, *idx);
            if left.is_empty() {
                continue;
            }
            for other in suspects.iter().filter(|other| *other != idx && !dropped.contains(*other)) {
                let other = hashes(&self.log, *other);
                left.retain(|hash| !other.contains(hash));
            }
            if left.is_empty() {
                dropped.insert(*idx);
            }
        }
        let mut idx = 0;
        self.log.blocks.retain(|_| {
            idx += 1;
            !dropped.contains(&(idx - 1))
        });
        *self.log.sealed_hashes.get_mut() = None;
    }

    fn find_lost_blocks(&mut self, checkpoint: Checkpoint) {
        let present: BTreeSet<BlockId> = self.log.blocks.iter().map(|block| block.id).collect();
        let replaced: BTreeSet<BlockId> =
            self.log.blocks.iter().flat_map(|block| block.summary.supersedes.iter().copied()).collect();
        let is_lost = |id: &&BlockId| !present.contains(id) && !replaced.contains(id);
        let n_lost = checkpoint.blocks.iter().filter(is_lost).count();
        for head in checkpoint.heads {
            let seq = self.log.head(&head.log).map_or(0, |head| head.seq);
            let in_live = self.live.iter().filter(|signed| signed.delta.log == head.log).map(|signed| signed.delta.seq);
            let seq = in_live.max().unwrap_or(0).max(seq);
            if seq < head.seq {
                let known = self.live.iter().map(|signed| signed.delta.hlc.wall_ms).max();
                let sealed = self.log.blocks.iter().map(|block| block.summary.last.wall_ms).max();
                self.gaps.push(LostSpan { after_ms: known.max(sealed), before_ms: None });
                let what = format!("Changes {} to {} of device {} are missing.", seq + 1, head.seq, head.log);
                self.find("journal", what, Outcome::Lost);
            }
        }
        if n_lost > 0 {
            self.find("journal", format!("{n_lost} blocks of the history have no good copy."), Outcome::Lost);
        }
    }

    /// Deltas of others come without signatures of their own, with one that vouches for them all. When a crash took just
    /// that one, they could never be shown to be genuine: they go, and are received again. Nothing that is signed ever goes.
    fn leave_out_unfinished_runs(&mut self) {
        let is_lost = |finding: &Finding| finding.outcome == Outcome::Lost;
        if self.live.iter().all(|signed| signed.signature != UNSIGNED) || self.findings.iter().any(is_lost) {
            return;
        }
        let mut by_seq: Vec<&Arc<SignedDelta>> = self.live.iter().collect();
        by_seq.sort_by_key(|signed| std::cmp::Reverse(signed.delta.seq));
        let mut vouched = BTreeSet::new();
        for signed in by_seq {
            if signed.signature != UNSIGNED || vouched.contains(&signed.hash) {
                vouched.extend([signed.hash, signed.delta.prev]);
            }
        }
        // What a signed one builds on was whole when that was written: its voucher was refused, and so is not here.
        let relied_on = self.relied_on();
        let is_out = |signed: &SignedDelta| !vouched.contains(&signed.hash) && !relied_on.contains(&signed.hash);
        let out: BTreeSet<DeltaHash> =
            self.live.iter().filter(|signed| is_out(signed)).map(|signed| signed.hash).collect();
        if !out.is_empty() {
            self.live.retain(|signed| !out.contains(&signed.hash));
            let what = "Changes of others were being received when the program ended.";
            self.find("journal", what, Outcome::Unfinished);
        }
    }

    /// All of the live deltas that one with a signature of its own builds on, at first or second hand.
    fn relied_on(&self) -> BTreeSet<DeltaHash> {
        let by_hash: BTreeMap<DeltaHash, &SignedDelta> =
            self.live.iter().map(|signed| (signed.hash, signed.as_ref())).collect();
        let below = |signed: &SignedDelta| {
            let deps = signed.delta.deps.iter().map(|dep| dep.hash).collect::<Vec<_>>();
            deps.into_iter().chain([signed.delta.prev])
        };
        let signed = self.live.iter().filter(|signed| signed.signature != UNSIGNED);
        let mut waiting: Vec<DeltaHash> = signed.flat_map(|signed| below(signed)).collect();
        let mut relied_on = BTreeSet::new();
        while let Some(hash) = waiting.pop() {
            if let Some(signed) = by_hash.get(&hash)
                && relied_on.insert(hash)
            {
                waiting.extend(below(signed));
            }
        }
        relied_on
    }

    /// The tail is what live segments hold and no block does.
    fn settle_tail(&mut self) {
        self.leave_out_unfinished_runs();
        for signed in std::mem::take(&mut self.live) {
            let delta = &signed.delta;
            let may_be_sealed = self.log.blocks.iter().any(|block| block.summary.may_hold(&delta.log, delta.seq));
            let is_sealed = may_be_sealed && self.log.find_in_blocks(&signed);
            if !is_sealed && !self.log.tail.by_hash.contains_key(&signed.hash) {
                self.log.take_in(signed);
            }
        }
        // A sealed one is found again when the machine stopped while it was being removed.
        let n_restored = self.restored.iter().filter(|hash| self.log.tail.by_hash.contains_key(hash)).count();
        if n_restored > 0 {
            let what = "The newest changes were missing and were brought back from their second copy.";
            self.find("journal", what, Outcome::Healed);
        }
        // What a killed process had not synced may be in the page cache only. It is durable before what it replaces
        // goes, and before anything builds on it.
        if let Err(error) = self.log.sync_all().and_then(|()| self.log.clear_live()) {
            tracing::warn!(%error, "sealed segments stay for now");
        }
    }

    /// Each log counts without a gap.
    fn find_gaps(&mut self) {
        let mut parts: BTreeMap<_, Vec<(u32, u32, u64, u64)>> = BTreeMap::new();
        for block in &self.log.blocks {
            let (first_ms, last_ms) = (block.summary.first.wall_ms, block.summary.last.wall_ms);
            for part in &block.summary.logs {
                parts.entry(part.log).or_default().push((part.first_seq, part.last_seq, first_ms, last_ms));
            }
        }
        for signed in &self.log.tail.deltas {
            let (seq, at_ms) = (signed.delta.seq, signed.delta.hlc.wall_ms);
            parts.entry(signed.delta.log).or_default().push((seq, seq, at_ms, at_ms));
        }
        for (log, mut parts) in parts {
            parts.sort_unstable();
            let (mut last, mut after_ms) = (self.log.cut_seq(&log), None);
            for (first_seq, last_seq, first_ms, last_ms) in parts {
                if first_seq > last + 1 {
                    let what = format!("Changes {} to {} of device {log} are missing.", last + 1, first_seq - 1);
                    self.find("journal", what, Outcome::Lost);
                    self.gaps.push(LostSpan { after_ms, before_ms: Some(first_ms) });
                }
                last = last.max(last_seq);
                after_ms = after_ms.max(Some(last_ms));
            }
        }
    }

    /// Where in time something is missing. What left no hole between others was among the newest.
    fn lost(&self) -> Option<LostSpan> {
        let newest = self.log.newest_reading().wall_ms;
        let at_the_end = LostSpan { after_ms: (newest > 0).then_some(newest), before_ms: None };
        let is_lost = self.findings.iter().any(|finding| finding.outcome == Outcome::Lost);
        is_lost.then(|| LostSpan::around(self.gaps.iter().copied()).unwrap_or(at_the_end))
    }
}

impl Log {
    fn find_in_blocks(&self, signed: &SignedDelta) -> bool {
        let (log, seq) = (&signed.delta.log, signed.delta.seq);
        self.blocks
            .iter()
            .filter(|block| block.summary.may_hold(log, seq))
            .any(|block| self.decoded(block).is_ok_and(|deltas| deltas.iter().any(|sealed| sealed.hash == signed.hash)))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Healing {
    NotNeeded,
    /// A torn tail is gone.
    Cut,
    /// Whole records stand without gaps now.
    Rewritten,
    /// The file stays as it is; nothing is appended to it.
    Failed,
}

/// In place of a signature where another delta vouches.
const UNSIGNED: [u8; 64] = [0; 64];
const UNFINISHED: (&str, Outcome) = ("The last write had not finished when the program ended.", Outcome::Unfinished);

/// What damage between whole records means: none is lost when only the header is.
fn judge_damage(class: Class, scan: &Scan) -> (&'static str, Outcome) {
    let only_header = scan.damaged.iter().all(|range| range.end <= HEADER_BYTES);
    match class {
        _ if only_header => ("The head of a segment was damaged; what it held is whole.", Outcome::Healed),
        // Whether a block is really gone is found by comparing with the index.
        Class::Sealed => ("A segment of sealed history was damaged and set aside.", Outcome::Healed),
        Class::Live => ("A recent change was damaged and set aside.", Outcome::Lost),
        Class::Blobs => ("A stored content was damaged and set aside.", Outcome::Lost),
    }
}

/// Blocks whose ranges of a log meet those of another.
fn overlapping(blocks: &[Block]) -> BTreeSet<usize> {
    let mut ranges: Vec<_> = Vec::new();
    for (idx, block) in blocks.iter().enumerate() {
        ranges.extend(block.summary.logs.iter().map(|part| (part.log, part.first_seq, part.last_seq, idx)));
    }
    ranges.sort_unstable();
    let mut found = BTreeSet::new();
    let mut reach = None;
    for (log, first_seq, last_seq, idx) in ranges {
        match reach {
            Some((known, end, holder)) if known == log && first_seq <= end => {
                found.extend([holder, idx]);
                if last_seq > end {
                    reach = Some((log, last_seq, idx));
                }
            }
            _ => reach = Some((log, last_seq, idx)),
        }
    }
    found
}

pub(super) fn parse_delta(payload: &[u8]) -> Option<SignedDelta> {
    let (bytes, signature) = payload.split_last_chunk::<64>()?;
    let (delta, hash) = decode_delta(bytes).ok()?;
    Some(SignedDelta { delta, hash, signature: *signature })
}

pub(super) fn segment_numbers(disk: &dyn Disk) -> Result<Vec<u32>, LogError> {
    let names = disk.list("journal").map_err(|error| LogError::of("journal", error))?;
    let mut numbers: Vec<u32> = names.iter().filter_map(|name| journal::segment_number(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Numbers of segments of which there is at least one copy.
fn all_numbers(disk: &dyn Disk) -> Result<Vec<u32>, LogError> {
    let mut numbers = segment_numbers(disk)?;
    // Where second copies cannot even be listed, there is no need for them yet.
    let twins = disk.list(journal::TWIN_FOLDER).unwrap_or_default();
    numbers.extend(twins.iter().filter_map(|name| journal::segment_number(name)));
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

/// Refuses a store or segment of a newer format. Changes nothing.
fn check_formats(disk: &dyn Disk) -> Result<(), LogError> {
    if let Some(version) = read_version(disk)?.filter(|version| *version > STORE_VERSION) {
        return Err(LogError::NewerVersion { version });
    }
    for number in segment_numbers(disk)? {
        let name = journal::segment_name(number);
        let Ok(header) = disk.read_range(&name, 0, HEADER_BYTES as u64) else { continue };
        if let Some(version) = journal::scan(number, &header).newer_version {
            return Err(LogError::NewerVersion { version: u32::from(version) });
        }
    }
    Ok(())
}

/// The number in `VERSION`; none when it is missing or no number.
fn read_version(disk: &dyn Disk) -> Result<Option<u32>, LogError> {
    let bytes = read_if_there(disk, "VERSION").map_err(|error| LogError::of("VERSION", error))?;
    Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()).and_then(|text| text.trim().parse().ok()))
}

const TWIN_README: &str = "Second copies of the newest changes and of stored contents. Do not delete them.\n";

/// Writes what every store has. Returns whether the store is new.
fn write_version(disk: &mut dyn Disk, has_no_journal: bool, findings: &mut Vec<Finding>) -> Result<bool, LogError> {
    let version = read_version(disk)?;
    let mut write = |name: &str, text: String| match disk.replace(name, text.as_bytes()) {
        Ok(()) => Ok(()),
        // Nothing of a store that exists may depend on room for these.
        Err(error) if !has_no_journal => {
            tracing::warn!(%error, name, "could not be written");
            Ok(())
        }
        Err(error) => Err(LogError::of(name, error)),
    };
    if version.is_some() {
        return Ok(false);
    }
    write(".gitignore", "*\n".into())?;
    write(&format!("{}/README", journal::TWIN_FOLDER), TWIN_README.into())?;
    write("VERSION", format!("{STORE_VERSION}\n"))?;
    if !has_no_journal {
        let what = "The file that names the format was missing or damaged and was written again.".into();
        findings.push(Finding { place: "VERSION".into(), what, outcome: Outcome::Healed });
    }
    Ok(has_no_journal)
}
