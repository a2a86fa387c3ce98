//! One file's history as positional steps in canonical order, held compactly.

mod rows;

use crate::bursts::{self, Beat};
use crate::compose::byte_of;
use crate::deltas::{DeltaInfo, Deltas};
use crate::units::Units;
use crate::{AuthorIdx, Direction, GroupKey, rope};
use codesync_base::{Origin, Splice, StepKey, utf16_len};
use ropey::Rope;
use rows::{Row, Rows};

/// Steps between two kept texts. More of them cost memory, fewer cost time: the text at any moment is at
/// most this many steps away from one that is kept.
pub(crate) const KEYFRAME_STEPS: usize = 256;
/// Steps that share one entry of the index by time.
const TIME_BLOCK_STEPS: usize = 256;

/// What is known of a step beside its text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StepInfo {
    pub key: StepKey,
    /// The author's wall clock, Unix milliseconds.
    pub at_ms: u64,
    pub author: AuthorIdx,
    pub origin: Origin,
    pub group: GroupKey,
}

/// One step as it was taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepView<'a> {
    pub info: StepInfo,
    /// In the text before the step.
    pub position: u32,
    /// UTF-16 units taken away.
    pub deleted: u32,
    pub inserted: &'a str,
}

/// What an author changed over a range of steps, in UTF-16 units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AuthorSum {
    pub author: AuthorIdx,
    pub n_steps: u64,
    pub added: u64,
    pub removed: u64,
}

/// The text steps of one file in canonical order, and with them its text at every moment.
#[derive(Clone, Debug)]
pub struct FileTimeline {
    /// All text that ever came in: the first text, then that of every step.
    pub(crate) typed: String,
    /// All text that ever went away, in the order of the steps: a step back is then as cheap as one forward.
    gone: String,
    base_bytes: u32,
    base_units: u32,
    pub(crate) rows: Rows,
    pub(crate) deltas: Deltas,
    /// Newest time up to the end of each block.
    block_max_ms: Vec<u64>,
    pub(crate) now: Rope,
    /// Text after `i * KEYFRAME_STEPS` steps.
    pub(crate) keyframes: Vec<Rope>,
    pub(crate) units: Units,
}

impl FileTimeline {
    /// A file that was created with the text `base`.
    pub fn new(base: &str) -> Self {
        let now = Rope::from_str(base);
        let base_units = utf16_len(base);
        Self {
            typed: base.to_owned(),
            gone: String::new(),
            base_bytes: bounded(base.len()),
            base_units,
            rows: Rows::default(),
            deltas: Deltas::default(),
            block_max_ms: Vec::new(),
            keyframes: vec![now.clone()],
            now,
            units: Units::new(base_units),
        }
    }

    /// Appends the next step in canonical order. A position outside the text or inside a surrogate pair
    /// is moved to the nearest character boundary.
    pub fn push(&mut self, info: &StepInfo, splice: &Splice) {
        let delta = self.deltas.intern(&DeltaInfo {
            key: info.key.delta,
            author: info.author,
            origin: info.origin,
            group: info.group,
        });
        if splice.deleted > 0 {
            self.gone.push_str(&rope::slice_rope(&self.now, splice.position, splice.deleted));
        }
        let (position, deleted) = rope::splice_rope(&mut self.now, splice);
        let inserted = utf16_len(&splice.inserted);
        let first = self.units_end(self.rows.len());
        self.typed.push_str(&splice.inserted);
        let step = bounded(self.rows.len() + 1);
        self.units.splice(position, deleted, first, inserted, step);
        self.rows.push(&Row {
            at_ms: info.at_ms,
            delta,
            step_idx: info.key.step_idx,
            position,
            deleted,
            bytes_end: bounded(self.typed.len()),
            units_end: bounded(first as usize + inserted as usize),
            gone_end: bounded(self.gone.len()),
        });
        self.note_time(self.rows.len());
        if self.rows.len().is_multiple_of(KEYFRAME_STEPS) {
            self.keyframes.push(self.now.clone());
        }
    }

    /// Forgets all steps after the first `n`, to push them again with a late one among them.
    pub fn truncate(&mut self, n: usize) {
        if n >= self.rows.len() {
            return;
        }
        self.now = self.text_at(n);
        self.keyframes.truncate(n / KEYFRAME_STEPS + 1);
        self.typed.truncate(self.bytes_end(n) as usize);
        self.gone.truncate(self.gone_end(n) as usize);
        self.units.truncate(bounded(n), self.units_end(n));
        self.rows.truncate(n);
        self.deltas.truncate(n.checked_sub(1).map_or(0, |idx| self.rows.delta(idx) as usize + 1));
        self.block_max_ms.truncate(n / TIME_BLOCK_STEPS);
        for step in n - n % TIME_BLOCK_STEPS + 1..=n {
            self.note_time(step);
        }
    }

    /// Count of steps, which is the newest moment.
    pub fn n_steps(&self) -> usize {
        self.rows.len()
    }

    /// Step `n` of `1..=n_steps()`.
    ///
    /// # Panics
    /// When there is no such step.
    pub fn step(&self, n: usize) -> StepView<'_> {
        let (position, deleted) = (self.rows.position(n - 1), self.rows.deleted(n - 1));
        StepView { info: self.info(n), position, deleted, inserted: self.inserted(n) }
    }

    /// What step `n` took away.
    pub fn deleted_text(&self, n: usize) -> &str {
        &self.gone[self.gone_end(n - 1) as usize..self.gone_end(n) as usize]
    }

    /// Length of the text at moment 0.
    pub fn base_length(&self) -> u32 {
        self.base_units
    }

    /// The moment just after the step `key`, or, when it is not one of this file, after the last before it.
    pub fn index_after(&self, key: &StepKey) -> usize {
        self.rows.partition_point(|idx| self.key_at(idx) <= *key)
    }

    /// The same, found at once where it is `guess`.
    pub fn index_after_near(&self, key: &StepKey, guess: usize) -> usize {
        let is_there = guess > 0 && guess <= self.rows.len() && self.key_at(guess - 1) == *key;
        let step = |idx: usize| (self.rows.delta(idx), self.rows.step_idx(idx));
        let is_last = is_there && (guess == self.rows.len() || step(guess) != step(guess - 1));
        if is_last { guess } else { self.index_after(key) }
    }

    /// Where step `n` changed the text before it.
    ///
    /// # Panics
    /// When there is no such step.
    pub fn position(&self, n: usize) -> u32 {
        self.rows.position(n - 1)
    }

    /// How many steps stand before this key. A step that concurrent ones parted has several rows under one key, and
    /// one that had nothing left to do has none.
    pub fn index_before(&self, key: &StepKey) -> usize {
        self.rows.partition_point(|idx| self.key_at(idx) < *key)
    }

    /// Key of the newest step.
    pub fn last_key(&self) -> Option<StepKey> {
        self.rows.len().checked_sub(1).map(|idx| self.key_at(idx))
    }

    /// The moment just after the last step at or before this time. Where clocks disagree with the
    /// canonical order, a step counts as no older than those before it.
    pub fn index_at_ms(&self, at_ms: u64) -> usize {
        let block = self.block_max_ms.partition_point(|max| *max <= at_ms);
        let start = block * TIME_BLOCK_STEPS;
        let end = (start + TIME_BLOCK_STEPS).min(self.rows.len());
        let is_up_to = |idx: &usize| self.deltas.ordering_ms(self.rows.delta(*idx), self.rows.at_ms(*idx)) <= at_ms;
        (start..end).take_while(is_up_to).last().map_or(start.min(end), |idx| idx + 1)
    }

    /// Steps of one act, in order.
    pub fn steps_of_group(&self, group: &GroupKey) -> Vec<usize> {
        let of_group: Vec<bool> = (0..self.deltas.len()).map(|idx| self.deltas.group(idx as u32) == *group).collect();
        (1..=self.rows.len()).filter(|n| of_group[self.rows.delta(n - 1) as usize]).collect()
    }

    /// The next or previous boundary between bursts: the end of what begins after moment `n`, or the
    /// beginning of what ends at or contains it.
    pub fn burst_boundary(&self, n: usize, direction: Direction) -> usize {
        let joins = |n: usize| bursts::continues(&self.deltas, self.beat(n), self.beat(n + 1));
        let mut n = n.min(self.rows.len());
        match direction {
            Direction::Forward if n < self.rows.len() => {
                n += 1;
                while n < self.rows.len() && joins(n) {
                    n += 1;
                }
            }
            Direction::Back if n > 0 => {
                n -= 1;
                while n > 0 && joins(n) {
                    n -= 1;
                }
            }
            Direction::Forward | Direction::Back => {}
        }
        n
    }

    /// What each author added and removed in the steps `from + 1 ..= to`, by author in rising order.
    pub fn sums(&self, from: usize, to: usize) -> Vec<AuthorSum> {
        let mut sums: Vec<AuthorSum> = Vec::new();
        for n in from + 1..=to.min(self.rows.len()) {
            let author = self.deltas.author(self.rows.delta(n - 1));
            let idx = sums.binary_search_by_key(&author, |sum| sum.author).unwrap_or_else(|idx| {
                sums.insert(idx, AuthorSum { author, n_steps: 0, added: 0, removed: 0 });
                idx
            });
            sums[idx].n_steps += 1;
            sums[idx].added += u64::from(self.inserted_length(n));
            sums[idx].removed += u64::from(self.rows.deleted(n - 1));
        }
        sums
    }

    /// Bytes held, without the ropes.
    pub fn n_bytes(&self) -> usize {
        self.typed.capacity()
            + self.gone.capacity()
            + self.rows.n_bytes()
            + self.deltas.n_bytes()
            + self.units.n_bytes()
    }

    pub(crate) fn info(&self, n: usize) -> StepInfo {
        let delta = self.deltas.get(self.rows.delta(n - 1));
        StepInfo {
            key: StepKey { delta: delta.key, step_idx: self.rows.step_idx(n - 1) },
            at_ms: self.rows.at_ms(n - 1),
            author: delta.author,
            origin: delta.origin,
            group: delta.group,
        }
    }

    fn key_at(&self, idx: usize) -> StepKey {
        StepKey { delta: self.deltas.key(self.rows.delta(idx)), step_idx: self.rows.step_idx(idx) }
    }

    pub(crate) fn beat(&self, n: usize) -> Beat {
        Beat { delta: self.rows.delta(n - 1), at_ms: self.rows.at_ms(n - 1) }
    }

    pub(crate) fn inserted(&self, n: usize) -> &str {
        &self.typed[self.bytes_end(n - 1) as usize..self.bytes_end(n) as usize]
    }

    pub(crate) fn inserted_length(&self, n: usize) -> u32 {
        self.units_end(n) - self.units_end(n - 1)
    }

    fn bytes_end(&self, n: usize) -> u32 {
        n.checked_sub(1).map_or(self.base_bytes, |idx| self.rows.bytes_end(idx))
    }

    fn gone_end(&self, n: usize) -> u32 {
        n.checked_sub(1).map_or(0, |idx| self.rows.gone_end(idx))
    }

    /// Units that had ever come in by moment `n`.
    pub(crate) fn units_end(&self, n: usize) -> u32 {
        n.checked_sub(1).map_or(self.base_units, |idx| self.rows.units_end(idx))
    }

    /// The step that brought a unit in; 0 for the first text.
    pub(crate) fn birth(&self, unit: u32) -> usize {
        if unit < self.base_units {
            return 0;
        }
        self.rows.partition_point(|idx| self.rows.units_end(idx) <= unit) + 1
    }

    /// The text of units that came in one after the other.
    pub(crate) fn text_of(&self, first: u32, length: u32) -> &str {
        &self.typed[self.byte_of_unit(first)..self.byte_of_unit(first + length)]
    }

    fn byte_of_unit(&self, unit: u32) -> usize {
        let n = self.birth(unit);
        if n == 0 {
            let base = &self.keyframes[0];
            return base.char_to_byte(base.utf16_cu_to_char(unit as usize));
        }
        if n > self.rows.len() {
            return self.typed.len();
        }
        let start = self.units_end(n - 1);
        self.bytes_end(n - 1) as usize + byte_of(self.inserted(n), self.units_end(n) - start, unit - start)
    }

    fn note_time(&mut self, n: usize) {
        let at_ms = self.deltas.ordering_ms(self.rows.delta(n - 1), self.rows.at_ms(n - 1));
        let newest_ms = self.block_max_ms.last().map_or(at_ms, |max| at_ms.max(*max));
        match self.block_max_ms.get_mut((n - 1) / TIME_BLOCK_STEPS) {
            Some(max) => *max = newest_ms,
            None => self.block_max_ms.push(newest_ms),
        }
    }
}

fn bounded(count: usize) -> u32 {
    u32::try_from(count).expect("invariant: fewer than 4 Gi steps and bytes were ever typed into one file")
}

#[cfg(test)]
mod tests;
