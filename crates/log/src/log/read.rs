//! Reading: by hash, and everything in canonical order with each block decoded once.

use super::briefs::KeptBriefs;
use super::{Block, Log, SealedHash, lower_bound, upper_bound};
use crate::LogError;
use crate::block::brief::{BriefBlock, BriefStep, Outline, Row};
use crate::block::{self, is_structural};
use crate::journal::RecordKind;
use codesync_base::{DeltaHash, DeltaKey, FileId, Head, Hlc, LogId, SignedDelta};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread::{Scope, ScopedJoinHandle};

type Deltas = Arc<Vec<Arc<SignedDelta>>>;

/// The blocks that were decoded last.
#[derive(Default)]
pub(super) struct DecodedBlocks {
    recent: VecDeque<(crate::block::BlockId, Deltas)>,
}

const DECODED_BLOCKS_MAX: usize = 4;

/// A delta, as much of it as is known without decoding its block.
#[derive(Clone, Copy, Debug)]
pub enum Brief<'a> {
    Whole(&'a SignedDelta),
    /// It edits only text.
    Outline(&'a Outline, &'a [BriefStep]),
}

/// One sorted source of a merge: a block that was opened, or the tail. The next is the last.
type Run = Vec<Arc<SignedDelta>>;

impl Log {
    pub fn contains(&self, hash: &DeltaHash) -> bool {
        self.tail.by_hash.contains_key(hash) || self.find_sealed(hash).is_some()
    }

    pub fn delta(&self, hash: &DeltaHash) -> Result<Option<Arc<SignedDelta>>, LogError> {
        if let Some(idx) = self.tail.by_hash.get(hash) {
            return Ok(Some(self.tail.deltas[*idx].clone()));
        }
        let Some(found) = self.find_sealed(hash) else { return Ok(None) };
        let deltas = self.decoded(&self.blocks[found.block_idx as usize])?;
        Ok(deltas.iter().find(|signed| signed.hash == *hash).cloned())
    }

    /// Place of a delta that is here. Once the names are known it decodes nothing: others may ask for thousands.
    pub fn key_of(&self, hash: &DeltaHash) -> Option<DeltaKey> {
        if let Some(idx) = self.tail.by_hash.get(hash) {
            return Some(self.tail.deltas[*idx].delta.key(*hash));
        }
        let SealedHash { wall_ms, counter, block_idx, log_idx, seq, .. } = self.find_sealed(hash)?;
        let log = self.blocks[block_idx as usize].summary.logs.get(log_idx as usize)?.log;
        Some(DeltaKey { hlc: Hlc { wall_ms, counter }, log, seq, hash: *hash })
    }

    /// The signed delta whose signature vouches for this one: itself, or a later one of its chain.
    pub fn covering(&self, hash: &DeltaHash) -> Result<Option<Arc<SignedDelta>>, LogError> {
        let Some(mut covering) = self.delta(hash)? else { return Ok(None) };
        let Some(found) = self.find_sealed(hash) else { return Ok(Some(covering)) };
        let deltas = self.decoded(&self.blocks[found.block_idx as usize])?;
        for signed in deltas.iter().skip_while(|signed| signed.hash != *hash).skip(1) {
            if covering.signature != [0; 64] {
                break;
            }
            if signed.delta.log == covering.delta.log && signed.delta.prev == covering.hash {
                covering = signed.clone();
            }
        }
        Ok(Some(covering))
    }

    /// Names that begin with these hexadecimal digits, sorted.
    pub fn find_by_prefix(&self, hex: &str) -> Vec<DeltaHash> {
        let hex = hex.to_ascii_lowercase();
        if hex.is_empty() || hex.len() > 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Vec::new();
        }
        let Ok(first) = format!("{hex:0<64}").parse::<DeltaHash>() else { return Vec::new() };
        let Ok(last) = format!("{hex:f<64}").parse::<DeltaHash>() else { return Vec::new() };
        let mut found: Vec<DeltaHash> =
            self.tail.by_hash.keys().filter(|hash| (first..=last).contains(hash)).copied().collect();
        self.with_sealed_hashes(|sealed| {
            let start = sealed.partition_point(|entry| entry.hash < first);
            found.extend(sealed[start..].iter().map(|entry| entry.hash).take_while(|hash| *hash <= last));
        });
        found.sort_unstable();
        found.dedup();
        found
    }

    fn find_sealed(&self, hash: &DeltaHash) -> Option<SealedHash> {
        self.with_sealed_hashes(|sealed| {
            sealed.binary_search_by_key(hash, |entry| entry.hash).ok().map(|idx| sealed[idx])
        })
    }

    // Names of sealed deltas are not stored: the first question for one computes them all.
    fn with_sealed_hashes<T>(&self, ask: impl FnOnce(&[SealedHash]) -> T) -> T {
        let mut sealed = self.sealed_hashes.borrow_mut();
        let sealed = sealed.get_or_insert_with(|| {
            let mut all = Vec::with_capacity(self.n_sealed as usize);
            for block_idx in 0..self.blocks.len() {
                all.extend(self.hashes_of_block(block_idx));
            }
            all.sort_unstable();
            all
        });
        ask(sealed)
    }

    pub(super) fn hashes_of_block(&self, block_idx: usize) -> Vec<SealedHash> {
        let deltas = match self.decoded(&self.blocks[block_idx]) {
            Ok(deltas) => deltas,
            Err(error) => {
                tracing::warn!(%error, "a sealed block cannot be read");
                return Vec::new();
            }
        };
        let logs = &self.blocks[block_idx].summary.logs;
        let entry = |signed: &Arc<SignedDelta>| {
            let DeltaKey { hlc, log, seq, hash } = signed.delta.key(signed.hash);
            let log_idx = logs.partition_point(|part| part.log < log) as u32;
            SealedHash { hash, wall_ms: hlc.wall_ms, counter: hlc.counter, block_idx: block_idx as u32, log_idx, seq }
        };
        deltas.iter().map(entry).collect()
    }

    /// Newest delta of the canonical order.
    pub fn newest(&self) -> Option<DeltaKey> {
        let mut newest = None;
        let read = self.for_each_back(&mut |signed| {
            newest = Some(signed.delta.key(signed.hash));
            ControlFlow::Break(())
        });
        if let Err(error) = read {
            tracing::warn!(%error, "the newest block cannot be read");
        }
        newest
    }

    /// A clock reading that no delta of the log is above. Reads nothing.
    pub fn newest_reading(&self) -> Hlc {
        let of_tail = self.tail.deltas.iter().map(|signed| signed.delta.hlc);
        self.blocks.iter().map(|block| block.summary.last).chain(of_tail).max().unwrap_or_default()
    }

    /// Places of all deltas, in canonical order. Decodes everything: for one place ask `newest`, `for_each_back` or
    /// `for_each_from`.
    pub fn keys(&self) -> Vec<DeltaKey> {
        let mut keys = Vec::with_capacity(self.n_deltas() as usize);
        let read = self.for_each(&mut |signed| keys.push(signed.delta.key(signed.hash)));
        if let Err(error) = read {
            tracing::warn!(%error, "some deltas cannot be listed");
        }
        keys
    }

    /// All deltas in canonical order.
    pub fn for_each(&self, f: &mut dyn FnMut(&SignedDelta)) -> Result<(), LogError> {
        self.walk(Direction::Up, |_| true, |_| true, block::decode, &mut |signed| {
            f(signed);
            ControlFlow::Continue(())
        })
    }

    /// Deltas from the newest back, until `f` breaks. Older blocks are not even read.
    pub fn for_each_back(&self, f: &mut dyn FnMut(&SignedDelta) -> ControlFlow<()>) -> Result<(), LogError> {
        self.walk(Direction::Down, |_| true, |_| true, block::decode, f)
    }

    /// Deltas of one log from `seq` on, in canonical order, until `f` breaks. Older blocks are not even read.
    pub fn for_each_from(
        &self,
        log: &LogId,
        seq: u32,
        f: &mut dyn FnMut(&SignedDelta) -> ControlFlow<()>,
    ) -> Result<(), LogError> {
        let wanted = |block: &Block| block.summary.logs.iter().any(|part| part.log == *log && part.last_seq >= seq);
        let takes = |signed: &SignedDelta| signed.delta.log == *log && signed.delta.seq >= seq;
        self.walk(Direction::Up, wanted, takes, block::decode, f)
    }

    /// Deltas that logs have beyond these heads, in canonical order, until `f` breaks. Older blocks are not even read.
    pub fn for_each_newer(
        &self,
        heads: &[Head],
        f: &mut dyn FnMut(&SignedDelta) -> ControlFlow<()>,
    ) -> Result<(), LogError> {
        let known_seq = |log: &LogId| heads.iter().find(|head| head.log == *log).map_or(0, |head| head.seq);
        let wanted = |block: &Block| block.summary.logs.iter().any(|part| part.last_seq > known_seq(&part.log));
        let takes = |signed: &SignedDelta| signed.delta.seq > known_seq(&signed.delta.log);
        self.walk(Direction::Up, wanted, takes, block::decode, f)
    }

    /// Deltas from a place of the canonical order on, until `f` breaks. Older blocks are not even read.
    pub fn for_each_after(
        &self,
        first: &DeltaKey,
        f: &mut dyn FnMut(&SignedDelta) -> ControlFlow<()>,
    ) -> Result<(), LogError> {
        let wanted = |block: &Block| block.summary.last >= first.hlc;
        let takes = |signed: &SignedDelta| signed.delta.key(signed.hash) >= *first;
        self.walk(Direction::Up, wanted, takes, block::decode, f)
    }

    /// The delta just before a place of the canonical order.
    pub fn newest_before(&self, key: &DeltaKey) -> Result<Option<DeltaKey>, LogError> {
        let mut found = None;
        let wanted = |block: &Block| lower_bound(block.summary.first) < *key;
        let takes = |signed: &SignedDelta| signed.delta.key(signed.hash) < *key;
        self.walk(Direction::Down, wanted, takes, block::decode, &mut |signed| {
            found = Some(signed.delta.key(signed.hash));
            ControlFlow::Break(())
        })?;
        Ok(found)
    }

    /// Those that touch a file, in canonical order. Blocks that do not are skipped.
    pub fn for_each_of(&self, file: &FileId, f: &mut dyn FnMut(&SignedDelta)) -> Result<(), LogError> {
        let touches = |block: &Block| block.summary.may_touch(file);
        let touching: Vec<&Block> = self.blocks.iter().filter(|block| touches(block)).collect();
        if touching.len() <= DECODED_BLOCKS_MAX {
            // Many small files share a block: it is kept for the next of them. The walk reports what cannot be read.
            touching.into_iter().for_each(|block| self.decoded(block).map_or((), drop));
        }
        let takes = |signed: &SignedDelta| signed.delta.files.contains(file);
        self.walk(Direction::Up, touches, takes, block::decode, &mut |signed| {
            f(signed);
            ControlFlow::Continue(())
        })
    }

    /// Those that touch a file, from a place of the canonical order on, until `f` breaks. Blocks that do not are skipped.
    pub fn for_each_of_after(
        &self,
        file: &FileId,
        first: &DeltaKey,
        f: &mut dyn FnMut(&SignedDelta) -> ControlFlow<()>,
    ) -> Result<(), LogError> {
        let wanted = |block: &Block| block.summary.last >= first.hlc && block.summary.may_touch(file);
        let takes = |signed: &SignedDelta| signed.delta.files.contains(file) && signed.delta.key(signed.hash) >= *first;
        self.walk(Direction::Up, wanted, takes, block::decode, f)
    }

    /// Deltas with at least one step that is not text, in canonical order. Text is not even decoded.
    pub fn for_each_structural(&self, f: &mut dyn FnMut(&SignedDelta)) -> Result<(), LogError> {
        let has_any = |block: &Block| block.summary.n_structural > 0;
        let takes = |signed: &SignedDelta| is_structural(&signed.delta);
        self.walk(Direction::Up, has_any, takes, block::decode_structural, &mut |signed| {
            f(signed);
            ControlFlow::Continue(())
        })
    }

    /// All deltas in canonical order, those that only edit text without their texts, names and hashes. From what is
    /// kept beside the blocks: some ten times faster than [`Self::for_each`].
    pub fn for_each_brief(&self, f: &mut dyn FnMut(Brief<'_>)) -> Result<(), LogError> {
        let kept = self.kept_briefs();
        let mut waiting: Vec<&Block> = self.blocks.iter().collect();
        waiting.sort_by_key(|block| Reverse(block.summary.first));
        let mut tail = self.tail.deltas.clone();
        block::sort(&mut tail);
        let mut merge = BriefMerge::default();
        merge.start_run(BriefBlock::of(&tail));
        let mut failure = None;
        // Name of the last delta, as far as it is known.
        let mut last: (Option<(BriefKey, Option<DeltaHash>)>, Vec<BriefStep>) = (None, Vec::new());
        loop {
            while let Some(block) = waiting.last().filter(|block| merge.reaches(&block.summary.first)) {
                match self.brief_of(block, &kept) {
                    Ok(brief) => merge.start_run(brief),
                    Err(error) => failure = failure.take().or(Some(error)),
                }
                waiting.pop();
            }
            let Some((run_idx, key, row)) = merge.step() else { break };
            let block = &merge.runs[run_idx].0;
            let (hash, brief, steps): (_, _, &[BriefStep]) = match &row {
                Row::Structural { idx } => {
                    let signed = &block.structural[*idx as usize];
                    (Some(signed.hash), Brief::Whole(signed), &[])
                }
                Row::Text { outline, first_step, end_step } => {
                    let steps = &block.steps[*first_step as usize..*end_step as usize];
                    (None, Brief::Outline(outline, steps), steps)
                }
            };
            // The same delta stands twice where a crash came between sealing and clearing up.
            if last.0.replace((key, hash)) != Some((key, hash)) || last.1 != steps {
                f(brief);
                last.1.clear();
                last.1.extend_from_slice(steps);
            }
            merge.go_on(run_idx);
        }
        failure.map_or(Ok(()), Err)
    }

    fn brief_of(&self, block: &Block, kept: &KeptBriefs) -> Result<BriefBlock, LogError> {
        if let Some(kept) = kept.get(block) {
            let structural = match block.summary.n_structural {
                0 => Vec::new(),
                _ => block::decode_structural(&self.payload(block)?).ok_or_else(|| unreadable(block))?,
            };
            if let Some(brief) = BriefBlock::decode(kept, &block.summary, structural) {
                return Ok(brief);
            }
        }
        let deltas = block::decode(&self.payload(block)?).ok_or_else(|| unreadable(block))?;
        Ok(self.note_brief(block, &deltas))
    }

    /// Walks wanted blocks and the tail together, and gives what `takes` says. A block is decoded shortly before the walk
    /// reaches its first delta and dropped after its last. What can be read is walked to the end even when some block
    /// cannot be.
    fn walk(
        &self,
        direction: Direction,
        wanted: impl Fn(&Block) -> bool,
        takes: impl Fn(&SignedDelta) -> bool,
        decode: Decode,
        f: &mut dyn FnMut(&SignedDelta) -> ControlFlow<()>,
    ) -> Result<(), LogError> {
        let mut waiting: Vec<&Block> = self.blocks.iter().filter(|block| wanted(block)).collect();
        waiting.sort_by_key(|block| direction.start(block));
        let mut walk = Walk { direction, runs: Vec::new(), next: BinaryHeap::new() };
        let mut tail: Vec<Arc<SignedDelta>> = self.tail.deltas.iter().filter(|signed| takes(signed)).cloned().collect();
        block::sort(&mut tail);
        walk.start_run(tail);
        let mut failure = None;
        let mut last = None;
        std::thread::scope(|scope| {
            let mut ahead = Ahead { scope, log: self, decode, waiting, decoding: VecDeque::new(), n_taken: 0 };
            loop {
                while ahead.next_start(direction).is_some_and(|start| walk.reaches(start)) {
                    match ahead.take() {
                        Ok(deltas) => walk.start_run(deltas),
                        Err(error) => failure = failure.take().or(Some(error)),
                    }
                }
                let Some(signed) = walk.step() else { break };
                // The same delta stands twice where a crash came between sealing and clearing up.
                if takes(&signed) && last.replace(signed.hash) != Some(signed.hash) && f(&signed).is_break() {
                    break;
                }
            }
        });
        failure.map_or(Ok(()), Err)
    }

    fn known_deltas(&self, block: &Block) -> Option<Deltas> {
        self.decoded.borrow().recent.iter().find(|(id, _)| *id == block.id).map(|(_, deltas)| deltas.clone())
    }

    /// The deltas of a block, kept for the next question.
    pub(super) fn decoded(&self, block: &Block) -> Result<Deltas, LogError> {
        let mut cache = self.decoded.borrow_mut();
        if let Some(idx) = cache.recent.iter().position(|(id, _)| *id == block.id) {
            let found = cache.recent.remove(idx).expect("invariant: found above");
            let deltas = found.1.clone();
            cache.recent.push_front(found);
            return Ok(deltas);
        }
        let deltas = Arc::new(block::decode(&self.payload(block)?).ok_or_else(|| unreadable(block))?);
        cache.recent.push_front((block.id, deltas.clone()));
        cache.recent.truncate(DECODED_BLOCKS_MAX);
        Ok(deltas)
    }

    /// Bytes of a block, from the journal or else from the index.
    pub(super) fn payload(&self, block: &Block) -> Result<Vec<u8>, LogError> {
        let from_journal = self.writer.read(block.place, RecordKind::SealedBlock);
        let damage = match from_journal {
            Ok(payload) if crate::block::BlockId::of(&payload) == block.id => return Ok(payload),
            Ok(_) => unreadable(block),
            Err(error) => error,
        };
        match self.index_get(&super::seal::block_key(&block.id)) {
            Some(payload) if crate::block::BlockId::of(&payload) == block.id => {
                tracing::warn!(%damage, "a block was read from the index");
                Ok(payload)
            }
            _ => Err(damage),
        }
    }
}

/// From the bytes of a block to the deltas that are wanted of it. Pure, so that any thread can do it.
type Decode = fn(&[u8]) -> Option<Vec<Arc<SignedDelta>>>;

/// Blocks decoded at the same time as those before them are walked through.
const DECODED_AHEAD_MAX: usize = 2;

/// The blocks that a walk has before it; the next ones are being decoded already.
struct Ahead<'scope, 'env, 'log> {
    scope: &'scope Scope<'scope, 'env>,
    log: &'log Log,
    decode: Decode,
    /// The next is the last.
    waiting: Vec<&'log Block>,
    decoding: VecDeque<(&'log Block, Decoding<'scope>)>,
    n_taken: usize,
}

enum Decoding<'scope> {
    Known(Deltas),
    Running(ScopedJoinHandle<'scope, Option<Vec<Arc<SignedDelta>>>>),
    Failed(LogError),
}

impl Ahead<'_, '_, '_> {
    fn next_start(&self, direction: Direction) -> Option<Rank> {
        let next = self.decoding.front().map(|(block, _)| *block).or(self.waiting.last().copied());
        next.map(|block| direction.start(block))
    }

    /// The deltas of the next block.
    fn take(&mut self) -> Result<Vec<Arc<SignedDelta>>, LogError> {
        // Whoever looks at the first block only, as many do, has no other decoded for nothing.
        let n_ahead = self.n_taken.min(DECODED_AHEAD_MAX);
        while self.decoding.len() <= n_ahead
            && let Some(block) = self.waiting.pop()
        {
            let decode = self.decode;
            let decoding = match self.log.known_deltas(block).map_or_else(|| Err(self.log.payload(block)), Ok) {
                Ok(deltas) => Decoding::Known(deltas),
                Err(Ok(payload)) => Decoding::Running(self.scope.spawn(move || decode(&payload))),
                Err(Err(error)) => Decoding::Failed(error),
            };
            self.decoding.push_back((block, decoding));
        }
        self.n_taken += 1;
        let Some((block, decoding)) = self.decoding.pop_front() else { return Ok(Vec::new()) };
        match decoding {
            Decoding::Known(deltas) => Ok(deltas.to_vec()),
            Decoding::Failed(error) => Err(error),
            Decoding::Running(thread) => match thread.join() {
                Ok(deltas) => deltas.ok_or_else(|| unreadable(block)),
                Err(panic) => std::panic::resume_unwind(panic),
            },
        }
    }
}

fn unreadable(block: &Block) -> LogError {
    LogError::Damaged { what: format!("{} deltas in segment {}", block.summary.n_deltas, block.place.segment) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// From the oldest on.
    Up,
    /// From the newest back.
    Down,
}

/// A place of the canonical order; the greatest comes next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Up(Reverse<DeltaKey>),
    Down(DeltaKey),
}

impl Direction {
    fn rank(self, key: DeltaKey) -> Rank {
        match self {
            Direction::Up => Rank::Up(Reverse(key)),
            Direction::Down => Rank::Down(key),
        }
    }

    /// No delta of the block comes before this.
    fn start(self, block: &Block) -> Rank {
        self.rank(match self {
            Direction::Up => lower_bound(block.summary.first),
            Direction::Down => upper_bound(block.summary.last),
        })
    }
}

/// Place of a delta without its hash: within a log no two have the same number.
type BriefKey = (Hlc, LogId, u32);

/// A merge of the outlines of blocks.
#[derive(Default)]
struct BriefMerge {
    /// Each with how much of it was walked.
    runs: Vec<(BriefBlock, usize)>,
    next: BinaryHeap<Reverse<(BriefKey, usize)>>,
}

impl BriefMerge {
    /// Whether nothing that is open comes before a delta with this reading.
    fn reaches(&self, first: &Hlc) -> bool {
        self.next.peek().is_none_or(|Reverse(((hlc, _, _), _))| first <= hlc)
    }

    fn start_run(&mut self, block: BriefBlock) {
        self.runs.push((block, 0));
        self.queue(self.runs.len() - 1);
    }

    fn queue(&mut self, run_idx: usize) {
        let (block, n_walked) = &self.runs[run_idx];
        let key = match block.rows.get(*n_walked) {
            Some(Row::Text { outline, .. }) => (outline.hlc, outline.log, outline.seq),
            Some(Row::Structural { idx }) => {
                let delta = &block.structural[*idx as usize].delta;
                (delta.hlc, delta.log, delta.seq)
            }
            None => {
                self.runs[run_idx].0 = BriefBlock::default();
                return;
            }
        };
        self.next.push(Reverse((key, run_idx)));
    }

    fn step(&mut self) -> Option<(usize, BriefKey, Row)> {
        let Reverse((key, run_idx)) = self.next.pop()?;
        let (block, n_walked) = &self.runs[run_idx];
        Some((run_idx, key, block.rows[*n_walked]))
    }

    fn go_on(&mut self, run_idx: usize) {
        self.runs[run_idx].1 += 1;
        self.queue(run_idx);
    }
}

/// A merge of sorted runs.
struct Walk {
    direction: Direction,
    runs: Vec<Option<Run>>,
    next: BinaryHeap<(Rank, usize)>,
}

impl Walk {
    /// Whether nothing that is open comes before this place.
    fn reaches(&self, start: Rank) -> bool {
        self.next.peek().is_none_or(|(rank, _)| start >= *rank)
    }

    fn start_run(&mut self, mut deltas: Vec<Arc<SignedDelta>>) {
        // A run is taken from its end.
        if self.direction == Direction::Up {
            deltas.reverse();
        }
        if let Some(first) = deltas.last() {
            self.next.push((self.direction.rank(first.delta.key(first.hash)), self.runs.len()));
            self.runs.push(Some(deltas));
        }
    }

    fn step(&mut self) -> Option<Arc<SignedDelta>> {
        let (_, run_idx) = self.next.pop()?;
        let run = self.runs[run_idx].as_mut().expect("invariant: a run in the heap is open");
        let signed = run.pop().expect("invariant: a run in the heap is not empty");
        match run.last() {
            Some(next) => self.next.push((self.direction.rank(next.delta.key(next.hash)), run_idx)),
            None => self.runs[run_idx] = None,
        }
        Some(signed)
    }
}

#[cfg(test)]
mod tests;
