//! All units ever inserted in their order, visible or gone, as runs of names. Knows nothing of the text itself.
//!
//! Units that are gone stay: where an author put new ones is said by their neighbours, and only with the gone
//! ones counted among these do all replicas agree on the order.

use super::names::Unit;

/// Consecutive units of one log, `clock` counting what that log inserted into this file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Run {
    pub clock: u32,
    pub length: u32,
    pub log: u16,
    pub is_visible: bool,
}

impl Run {
    pub fn unit(&self) -> Unit {
        Unit { log: self.log, clock: self.clock }
    }

    fn last(&self) -> Unit {
        Unit { log: self.log, clock: self.end() - 1 }
    }

    fn end(&self) -> u32 {
        self.clock + self.length
    }

    fn visible(&self) -> u32 {
        if self.is_visible { self.length } else { 0 }
    }

    fn continues(&self, before: &Run) -> bool {
        self.log == before.log && self.clock == before.end() && self.is_visible == before.is_visible
    }

    /// The part from `skip` on, at most `length` long.
    fn part(&self, skip: u32, length: u32) -> Run {
        Run { clock: self.clock + skip, length: length.min(self.length - skip), ..*self }
    }
}

/// A place between two units: directly before the visible unit at a position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Gap {
    /// How many units, visible or gone, stand before it.
    pub index: u32,
    /// The unit before it, visible or gone.
    pub left: Option<Unit>,
    /// The visible unit after it.
    pub right: Option<Unit>,
}

/// Splitting above this keeps an insertion into a chunk cheap and the number of chunks small.
const CHUNK_RUNS_MAX: usize = 96;

/// Units of a chunk, or before one.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Count {
    all: u32,
    visible: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Runs {
    /// Never empty; a chunk without runs is only the sole one.
    chunks: Vec<Vec<Run>>,
    /// Units per chunk, apart from the runs so that a search reads little memory.
    counts: Vec<Count>,
    count: Count,
    /// A chunk and what stands before it: edits stay near each other.
    near: (usize, Count),
}

impl Default for Runs {
    fn default() -> Self {
        let none = Count::default();
        Self { chunks: vec![Vec::new()], counts: vec![none], count: none, near: (0, none) }
    }
}

impl Runs {
    /// Visible units.
    pub fn len(&self) -> u32 {
        self.count.visible
    }

    /// All units, visible or gone.
    pub fn len_all(&self) -> u32 {
        self.count.all
    }

    /// All runs, visible or gone.
    pub fn iter(&self) -> impl Iterator<Item = Run> + '_ {
        self.chunks.iter().flatten().copied()
    }

    /// The gap before the visible unit at `position`, or behind everything at the end of the text.
    pub fn gap(&self, position: u32) -> Gap {
        if position == self.count.visible {
            let last = self.chunks.last().and_then(|runs| runs.last()).map(Run::last);
            return Gap { index: self.count.all, left: last, right: None };
        }
        let (chunk, before) = self.chunk_of_visible(position);
        let runs = &self.chunks[chunk];
        let (idx, seen) = run_of_visible(runs, before, position);
        let skip = position - seen.visible;
        let right = Unit { log: runs[idx].log, clock: runs[idx].clock + skip };
        let left = match (skip, idx, chunk) {
            (0, 0, 0) => None,
            (0, 0, _) => self.chunks[chunk - 1].last().map(Run::last),
            (0, ..) => Some(runs[idx - 1].last()),
            _ => Some(Unit { clock: right.clock - 1, ..right }),
        };
        Gap { index: seen.all + skip, left, right: Some(right) }
    }

    /// The visible runs of at most `length` units from `position` on, cut at both ends.
    pub fn range(&self, position: u32, length: u32) -> impl Iterator<Item = Run> + '_ {
        let length = length.min(self.count.visible.saturating_sub(position));
        let (chunk, idx, skip) = if length == 0 {
            (self.chunks.len(), 0, 0)
        } else {
            let (chunk, before) = self.chunk_of_visible(position);
            let (idx, seen) = run_of_visible(&self.chunks[chunk], before, position);
            (chunk, idx, position - seen.visible)
        };
        let first = self.chunks.get(chunk).map_or(&[][..], |runs| &runs[idx..]);
        let rest = self.chunks.get(chunk + 1..).unwrap_or(&[]);
        let visible = first.iter().chain(rest.iter().flatten()).filter(|run| run.is_visible);
        let (mut skip, mut left) = (skip, length);
        visible.map_while(move |run| {
            let part = run.part(skip, left);
            skip = 0;
            left -= part.length;
            (part.length > 0).then_some(part)
        })
    }

    /// How many of the first `index` units are visible.
    pub fn visible_before(&self, index: u32) -> u32 {
        let (chunk, mut seen) = self.chunk_of_index(index);
        for run in &self.chunks[chunk] {
            if index - seen.all <= run.length {
                return seen.visible + if run.is_visible { index - seen.all } else { 0 };
            }
            seen.add(run);
        }
        seen.visible
    }

    /// Puts units in after the first `index`.
    pub fn insert(&mut self, index: u32, run: Run) {
        debug_assert!(index <= self.count.all && run.length > 0);
        self.near = self.chunk_of_index(index);
        let (chunk, before) = self.near;
        self.count.add(&run);
        self.counts[chunk].add(&run);
        let runs = &mut self.chunks[chunk];
        let mut skip = index - before.all;
        let mut idx = 0;
        while idx < runs.len() && skip > runs[idx].length {
            skip -= runs[idx].length;
            idx += 1;
        }
        if skip == 0 {
            runs.insert(idx, run);
        } else if skip < runs[idx].length {
            let tail = runs[idx].part(skip, u32::MAX);
            runs[idx].length = skip;
            runs.splice(idx + 1..idx + 1, [run, tail]);
        } else if run.continues(&runs[idx]) {
            runs[idx].length += run.length;
            return;
        } else {
            runs.insert(idx + 1, run);
        }
        self.split(chunk);
    }

    /// Visible units go away. They keep their place.
    pub fn hide(&mut self, position: u32, length: u32) {
        debug_assert!(position + length <= self.count.visible);
        let mut left = length;
        while left > 0 {
            self.near = self.chunk_of_visible(position);
            let (chunk, before) = self.near;
            let runs = &mut self.chunks[chunk];
            let (idx, seen) = run_of_visible(runs, before, position);
            let skip = position - seen.visible;
            let hidden = left.min(runs[idx].length - skip);
            hide_in_run(runs, idx, skip, hidden);
            left -= hidden;
            self.counts[chunk].visible -= hidden;
            self.count.visible -= hidden;
            self.split(chunk);
        }
    }

    fn split(&mut self, chunk: usize) {
        if self.chunks[chunk].len() <= CHUNK_RUNS_MAX {
            return;
        }
        let half = self.chunks[chunk].len() / 2;
        let tail = self.chunks[chunk].split_off(half);
        let mut count = Count::default();
        tail.iter().for_each(|run| count.add(run));
        self.counts[chunk].take(count);
        self.counts.insert(chunk + 1, count);
        self.chunks.insert(chunk + 1, tail);
    }

    /// The chunk of a visible unit, and what stands before it.
    fn chunk_of_visible(&self, position: u32) -> (usize, Count) {
        let (mut chunk, mut before) = self.near;
        while position < before.visible {
            chunk -= 1;
            before.take(self.counts[chunk]);
        }
        while position >= before.visible + self.counts[chunk].visible {
            before.put(self.counts[chunk]);
            chunk += 1;
        }
        (chunk, before)
    }

    /// The chunk in which, or at whose end, the first `index` units end; what stands before it.
    fn chunk_of_index(&self, index: u32) -> (usize, Count) {
        let (mut chunk, mut before) = self.near;
        while chunk > 0 && index <= before.all {
            chunk -= 1;
            before.take(self.counts[chunk]);
        }
        while index > before.all + self.counts[chunk].all {
            before.put(self.counts[chunk]);
            chunk += 1;
        }
        (chunk, before)
    }
}

impl Count {
    fn add(&mut self, run: &Run) {
        self.put(Count { all: run.length, visible: run.visible() });
    }

    fn put(&mut self, other: Count) {
        self.all += other.all;
        self.visible += other.visible;
    }

    fn take(&mut self, other: Count) {
        self.all -= other.all;
        self.visible -= other.visible;
    }
}

/// The run of a visible unit in a chunk, and what stands before it.
fn run_of_visible(runs: &[Run], before: Count, position: u32) -> (usize, Count) {
    let (mut idx, mut seen) = (0, before);
    while position >= seen.visible + runs[idx].visible() {
        seen.add(&runs[idx]);
        idx += 1;
    }
    (idx, seen)
}

/// Hides `length` units of a visible run from `skip` on.
fn hide_in_run(runs: &mut Vec<Run>, idx: usize, skip: u32, length: u32) {
    let run = runs[idx];
    let hidden = Run { is_visible: false, ..run.part(skip, length) };
    let rest = run.length - skip - length;
    let before = if skip == 0 { idx.checked_sub(1).map(|idx| runs[idx]) } else { None };
    let after = if rest == 0 { runs.get(idx + 1).copied() } else { None };
    // One key after another, forwards or backwards, makes a run that is gone grow.
    let joined_before = before.filter(|before| hidden.continues(before));
    let joined_after = after.filter(|after| after.continues(&hidden));
    let whole = Run {
        clock: joined_before.map_or(hidden.clock, |run| run.clock),
        length: hidden.length + joined_before.map_or(0, |run| run.length) + joined_after.map_or(0, |run| run.length),
        ..hidden
    };
    let parts = [run.part(0, skip), whole, run.part(skip + length, rest)];
    let from = idx - usize::from(joined_before.is_some());
    let to = idx + 1 + usize::from(joined_after.is_some());
    let parts = parts.into_iter().filter(|part| part.length > 0);
    if skip == 0 && rest == 0 && to - from == 1 {
        runs[idx] = whole;
    } else {
        runs.splice(from..to, parts);
    }
}

#[cfg(test)]
mod tests;
