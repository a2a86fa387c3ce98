//! Sealing: the tail becomes blocks, in the journal and as a second copy in the index. Each stage is durable
//! before what it replaces goes, so that a crash between any two leaves everything at least once.

use super::{Block, Log};
use crate::block::{self, BlockId};
use crate::index::checked;
use crate::journal::{Class, RecordKind};
use crate::{IndexChange, LogError, SealReport};
use codesync_base::{Head, SignedDelta};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A block with fewer steps than so many times those worth one is sealed again together with what comes next:
/// what is said once for each block then weighs less.
const BLOCK_GROWTH: u64 = 2;
/// The same bound for the steps of one block, and for one delta.
const BLOCK_STEPS_MAX: u64 = 4_096;
/// Steps of a part that is sealed while others wait: large enough that no later part is joined to it.
const PART_STEPS: u64 = 2_048;
/// Bound on what one block decodes to.
const BLOCK_DELTA_BYTES_MAX: usize = 4 << 20;
/// A segment of sealed blocks is written anew when this much of it is superseded, and more than half.
const DEAD_BYTES_MIN: u64 = 64 << 10;
/// The same when nothing happens: this much, and more than an eighth of what counts.
const IDLE_DEAD_BYTES_MIN: u64 = 16 << 10;
const IDLE_DEAD_PART: u64 = 8;

/// What the index remembers of the whole, to notice what is missing.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    pub heads: Vec<Head>,
    pub blocks: Vec<BlockId>,
}

pub(super) const CHECKPOINT_KEY: &[u8] = b"checkpoint";
pub(super) const BLOCK_PREFIX: &[u8] = b"block/";

pub(super) fn block_key(id: &BlockId) -> Vec<u8> {
    [BLOCK_PREFIX, &id.0].concat()
}

impl Log {
    /// Seals the tail when it is worth a block, or when nothing happens (`idle`). Everything is durable then, in
    /// two copies. On failure nothing is lost; the next call tries again.
    pub fn seal(&mut self, idle: bool) -> Result<SealReport, LogError> {
        if !idle && self.tail.n_steps < self.options.block_steps_min {
            return Ok(SealReport::default());
        }
        self.sync_all()?;
        let report = if self.tail.deltas.is_empty() { SealReport::default() } else { self.seal_tail()? };
        self.writer.mend_twins();
        self.write_index();
        self.write_briefs(idle);
        if idle && let Err(error) = self.index.compact() {
            self.doubt_index(&error);
        }
        self.clear_live()?;
        self.clear_superseded(idle)?;
        self.writer.lay_in_ballast();
        Ok(report)
    }

    /// Seals the oldest part of a long tail, so little that nobody waits for it. Says whether there was one; when not,
    /// [`Self::seal`] does the rest. Live segments stay until then, so a crash leaves everything at least once.
    pub fn seal_part(&mut self) -> Result<bool, LogError> {
        if self.tail.n_steps < 2 * PART_STEPS {
            return Ok(false);
        }
        let mut n_steps = 0;
        let n_deltas = self.tail.deltas.iter().take_while(|signed| {
            n_steps += signed.delta.steps.len() as u64;
            n_steps <= PART_STEPS
        });
        let n_deltas = n_deltas.count().max(1);
        let whole = std::mem::take(&mut self.tail);
        whole.deltas[..n_deltas].iter().for_each(|signed| self.tail.push(signed.clone()));
        match self.seal_tail() {
            Ok(_) => whole.deltas[n_deltas..].iter().for_each(|signed| self.tail.push(signed.clone())),
            Err(error) => {
                self.tail = whole;
                return Err(error);
            }
        }
        Ok(true)
    }

    fn seal_tail(&mut self) -> Result<SealReport, LogError> {
        let small = self.small_block();
        let mut report = SealReport::default();
        let mut written = Vec::new();
        let mut superseded = None;
        for (idx, mut deltas) in chunks(&self.tail.deltas).into_iter().enumerate() {
            report.n_deltas += deltas.len() as u64;
            report.n_steps += n_steps(&deltas);
            let mut supersedes = Vec::new();
            let fits = |old: &[Arc<SignedDelta>]| n_steps(old) + n_steps(&deltas) <= BLOCK_STEPS_MAX;
            if let Some((block_idx, old)) = small.as_ref().filter(|(_, old)| idx == 0 && fits(old)) {
                deltas.extend(old.iter().cloned());
                block::sort(&mut deltas);
                deltas.dedup_by_key(|signed| signed.hash);
                supersedes.push(self.blocks[*block_idx].id);
                superseded = Some(*block_idx);
            }
            let payload = block::encode(&deltas, supersedes);
            report.n_blocks += 1;
            report.block_bytes += payload.len() as u64;
            let block = self.write_block(payload)?;
            self.note_brief(&block.0, &deltas);
            written.push(block);
        }
        // What blocks name first, then blocks, then what is not in one.
        self.sync()?;
        self.replace_tail(superseded, written);
        Ok(report)
    }

    /// The newest block and its deltas, if it is so small that it should grow.
    fn small_block(&self) -> Option<(usize, Vec<Arc<SignedDelta>>)> {
        let idx = self.blocks.len().checked_sub(1)?;
        let block = &self.blocks[idx];
        if u64::from(block.summary.n_steps) >= BLOCK_GROWTH * self.options.block_steps_min {
            return None;
        }
        // One that cannot be read stays as it is, for repair.
        let deltas = self.decoded(block).ok()?;
        Some((idx, deltas.to_vec()))
    }

    /// Writes a block to the journal; durable with the next sync of it.
    pub(super) fn write_block(&mut self, payload: Vec<u8>) -> Result<(Block, Vec<u8>), LogError> {
        let summary = block::summary(&payload).expect("invariant: a block just encoded has a summary");
        let place = self.writer.append(Class::Sealed, RecordKind::SealedBlock, &payload)?;
        Ok((Block { id: BlockId::of(&payload), summary, place }, payload))
    }

    fn replace_tail(&mut self, superseded: Option<usize>, written: Vec<(Block, Vec<u8>)>) {
        // Only the newest block can be superseded, so the indices of all others stay.
        let mut changes: Vec<IndexChange> = Vec::new();
        if let Some(block_idx) = superseded {
            let old = self.blocks.remove(block_idx);
            changes.push((block_key(&old.id), None));
            if let Some(hashes) = self.sealed_hashes.get_mut() {
                hashes.retain(|entry| entry.block_idx as usize != block_idx);
            }
        }
        for (block, payload) in written {
            let key = block_key(&block.id);
            let value = checked(&key, &payload);
            changes.push((key, Some(value)));
            self.blocks.push(block);
            self.add_hashes(self.blocks.len() - 1);
        }
        self.tail = super::Tail::default();
        self.n_sealed = self.blocks.iter().map(|block| u64::from(block.summary.n_deltas)).sum();
        self.index_write(changes);
    }

    fn add_hashes(&mut self, block_idx: usize) {
        if self.sealed_hashes.borrow().is_none() {
            return;
        }
        let new = self.hashes_of_block(block_idx);
        if let Some(hashes) = self.sealed_hashes.get_mut() {
            hashes.extend(new);
            // Nearly sorted: the standard sort merges runs.
            hashes.sort();
        }
    }

    /// Brings the index up to date and makes it durable.
    pub(super) fn write_index(&mut self) {
        if self.index_is_doubtful.get() {
            self.rebuild_index();
        }
        let mut changes = self.blob_places();
        let checkpoint = Checkpoint { heads: self.heads(), blocks: self.blocks.iter().map(|block| block.id).collect() };
        let value = postcard::to_stdvec(&checkpoint).expect("invariant: writing to memory cannot fail");
        if self.index_get(CHECKPOINT_KEY).as_ref() != Some(&value) {
            changes.push((CHECKPOINT_KEY.to_vec(), Some(checked(CHECKPOINT_KEY, &value))));
        }
        if !changes.is_empty() {
            self.index_write(changes);
        }
        if let Err(error) = self.index.flush() {
            self.doubt_index(&error);
        }
    }

    /// Sets the index aside and fills a new one from the journal. Caches and local state that can still be
    /// believed go along.
    pub(super) fn rebuild_index(&mut self) {
        let mut changes: Vec<IndexChange> = Vec::new();
        for prefix in ["cache/", "local/"] {
            let entries = self.index.scan(prefix.as_bytes()).unwrap_or_default();
            let good = entries.into_iter().filter(|(key, value)| crate::index::unchecked(key, value).is_some());
            changes.extend(good.map(|(key, value)| (key, Some(value))));
        }
        for block in &self.blocks {
            // From the journal or, while it still stands, from the index itself.
            if let Ok(payload) = self.payload(block) {
                let key = block_key(&block.id);
                let value = checked(&key, &payload);
                changes.push((key, Some(value)));
            }
        }
        self.remembered_bytes.clear();
        if let Err(error) = self.index.reset() {
            tracing::warn!(%error, "the index could not be rebuilt");
            return;
        }
        self.index_is_doubtful.set(false);
        self.index_write(changes);
    }

    /// Takes away live segments: all they held is sealed.
    pub(super) fn clear_live(&mut self) -> Result<(), LogError> {
        if !self.tail.deltas.is_empty() {
            return Ok(());
        }
        for number in self.writer.numbers(Class::Live) {
            if self.damaged_live.contains(&number) {
                self.writer.set_aside(number)?;
            } else {
                self.writer.remove(number)?;
            }
        }
        self.damaged_live.clear();
        Ok(())
    }

    /// Writes sealed segments anew that are mostly superseded blocks.
    fn clear_superseded(&mut self, idle: bool) -> Result<(), LogError> {
        let (min_bytes, part) = if idle { (IDLE_DEAD_BYTES_MIN, IDLE_DEAD_PART) } else { (DEAD_BYTES_MIN, 1) };
        for number in self.writer.numbers(Class::Sealed) {
            let is_in = |block: &&Block| block.place.segment == number;
            let used_bytes: u64 =
                self.blocks.iter().filter(is_in).map(|block| u64::from(block.place.length_bytes)).sum();
            let dead_bytes = self.writer.segments[&number].length_bytes.saturating_sub(used_bytes);
            if dead_bytes >= min_bytes && dead_bytes > used_bytes / part {
                self.rewrite_sealed(number)?;
            }
        }
        Ok(())
    }

    /// Writes a sealed segment anew with just the blocks that count. Blocks that cannot be read in any copy are
    /// dropped from the log; the caller has set them aside.
    pub(super) fn rewrite_sealed(&mut self, number: u32) -> Result<(), LogError> {
        let idxs: Vec<usize> = (0..self.blocks.len()).filter(|idx| self.blocks[*idx].place.segment == number).collect();
        let payloads: Result<Vec<Vec<u8>>, LogError> =
            idxs.iter().map(|idx| self.payload(&self.blocks[*idx])).collect();
        let places = self.writer.replace(number, Class::Sealed, RecordKind::SealedBlock, &payloads?)?;
        for (idx, place) in idxs.into_iter().zip(places) {
            self.blocks[idx].place = place;
        }
        Ok(())
    }
}

fn n_steps(deltas: &[Arc<SignedDelta>]) -> u64 {
    deltas.iter().map(|signed| signed.delta.steps.len() as u64).sum()
}

/// Cuts the tail into parts for one block each, each in canonical order.
fn chunks(tail: &[Arc<SignedDelta>]) -> Vec<Vec<Arc<SignedDelta>>> {
    let mut deltas = tail.to_vec();
    block::sort(&mut deltas);
    let mut seen = BTreeSet::new();
    deltas.retain(|signed| seen.insert(signed.hash));
    let mut chunks = Vec::new();
    let mut chunk: Vec<Arc<SignedDelta>> = Vec::new();
    let (mut steps, mut bytes) = (0, 0);
    for signed in deltas {
        let size_bytes = size_bytes(&signed);
        let n_steps = signed.delta.steps.len() as u64;
        if !chunk.is_empty() && (steps + n_steps > BLOCK_STEPS_MAX || bytes + size_bytes > BLOCK_DELTA_BYTES_MAX) {
            chunks.push(std::mem::take(&mut chunk));
            (steps, bytes) = (0, 0);
        }
        steps += n_steps;
        bytes += size_bytes;
        chunk.push(signed);
    }
    chunks.push(chunk);
    chunks
}

/// What a delta takes in memory, roughly.
fn size_bytes(signed: &SignedDelta) -> usize {
    codesync_base::encode_delta(&signed.delta).0.len()
}
