//! The timeline of a scope: the moments of some files of a workspace, as numbers `0..=n`.

use crate::bursts::{self, IDLE_GAP_MS};
use crate::column::Column;
use crate::{AuthorIdx, Direction, EntryKind, FileIdx, WorkspaceTimeline};
use codesync_base::StepKey;

/// How moments are laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Axis {
    /// One place per change; idle time takes none.
    Activity,
    /// By wall clock.
    Clock,
}

/// One bar: moments `from + 1 ..= to`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bucket {
    pub from: usize,
    pub to: usize,
    pub start_ms: u64,
    pub end_ms: u64,
    /// UTF-16 units added and removed, by author in rising order. Changes without text count as one.
    pub chars: Vec<(AuthorIdx, u64)>,
}

/// A pause of more than a minute between moment `index` and the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gap {
    pub index: usize,
    pub idle_ms: u64,
}

/// Moments of a scope. Fits the timeline it was made from until its generation changes; after appends,
/// [`View::extend`] brings it up to date.
#[derive(Clone, Debug)]
pub struct View {
    /// Entries that make moments: moment `i` is just after `entries[i - 1]`.
    entries: Column,
    /// Newest time up to each of them.
    times_ms: Column,
    /// Entries looked at so far.
    n_seen: usize,
    generation: u64,
    counts: fn(EntryKind) -> bool,
}

impl View {
    /// `counts` says which changes make a moment.
    pub(crate) fn new(
        timeline: &WorkspaceTimeline,
        counts: fn(EntryKind) -> bool,
        is_in_scope: impl FnMut(FileIdx) -> bool,
    ) -> Self {
        let generation = timeline.generation();
        let mut view = Self { entries: Column::default(), times_ms: Column::default(), n_seen: 0, generation, counts };
        view.extend(timeline, is_in_scope);
        view
    }

    /// Whether entries moved since the view was made: then a new one is needed.
    pub fn is_stale(&self, timeline: &WorkspaceTimeline) -> bool {
        self.generation != timeline.generation()
    }

    /// Whether it has looked at all entries.
    pub fn is_complete(&self, timeline: &WorkspaceTimeline) -> bool {
        self.n_seen == timeline.n_entries()
    }

    /// Takes in what was appended since.
    pub fn extend(&mut self, timeline: &WorkspaceTimeline, mut is_in_scope: impl FnMut(FileIdx) -> bool) {
        for idx in self.n_seen..timeline.n_entries() {
            let is_moment =
                (self.counts)(timeline.rows.kind(idx)) && timeline.file_of(idx).is_some_and(&mut is_in_scope);
            if is_moment {
                let newest_ms = self.times_ms.last().unwrap_or(0).max(timeline.ordering_ms(idx));
                self.entries.push(idx as u64);
                self.times_ms.push(newest_ms);
            }
        }
        self.n_seen = timeline.n_entries();
    }

    /// Moments are `0..=n_moments()`.
    pub fn n_moments(&self) -> usize {
        self.entries.len()
    }

    /// The entry that leads to moment `index`; none for moment 0.
    pub fn entry_of(&self, index: usize) -> Option<usize> {
        index.checked_sub(1).filter(|idx| *idx < self.entries.len()).map(|idx| self.entry(idx))
    }

    fn entry(&self, idx: usize) -> usize {
        self.entries.get(idx) as usize
    }

    /// The last moment at or before entry `idx` of the workspace.
    pub fn index_of_entry(&self, idx: usize) -> usize {
        // Only so many before it make no moment.
        let n_others = self.n_seen - self.entries.len();
        let end = (idx + 1).min(self.entries.len());
        let start = (idx + 1).saturating_sub(n_others).min(end);
        start + self.entries.partition_point(start..end, |entry| entry as usize <= idx)
    }

    /// The last moment at or before a key.
    pub fn index_after(&self, timeline: &WorkspaceTimeline, key: &StepKey) -> usize {
        timeline.place_of(key).checked_sub(1).map_or(0, |idx| self.index_of_entry(idx))
    }

    /// The last moment at or before this time. A change counts as no older than those before it.
    pub fn index_at_ms(&self, at_ms: u64) -> usize {
        self.times_ms.partition_point(0..self.times_ms.len(), |time_ms| time_ms <= at_ms)
    }

    /// Time of a moment for drawing: never falling. Moment 0 has that of the first.
    pub fn time_ms(&self, index: usize) -> Option<u64> {
        let newest = self.times_ms.len().checked_sub(1)?;
        Some(self.times_ms.get(index.saturating_sub(1).min(newest)))
    }

    /// Authors by first appearance.
    pub fn authors(&self, timeline: &WorkspaceTimeline) -> Vec<AuthorIdx> {
        let mut seen = Vec::new();
        let mut authors = Vec::new();
        for idx in 0..self.n_moments() {
            let author = timeline.author_of(self.entry(idx));
            if seen.len() <= usize::from(author.0) {
                seen.resize(usize::from(author.0) + 1, false);
            }
            if !std::mem::replace(&mut seen[usize::from(author.0)], true) {
                authors.push(author);
            }
        }
        authors
    }

    /// Pauses of more than a minute, in order.
    pub fn gaps(&self) -> Vec<Gap> {
        let mut last_ms = None;
        let mut gaps = Vec::new();
        for index in 0..self.n_moments() {
            let time_ms = self.times_ms.get(index);
            let idle_ms = last_ms.replace(time_ms).map_or(0, |last_ms| time_ms - last_ms);
            if idle_ms > IDLE_GAP_MS {
                gaps.push(Gap { index, idle_ms });
            }
        }
        gaps
    }

    /// `n_buckets` bars over the moments `from + 1 ..= to`, left to right; fewer when the activity axis
    /// has fewer moments than that.
    pub fn histogram(
        &self,
        timeline: &WorkspaceTimeline,
        axis: Axis,
        from: usize,
        to: usize,
        n_buckets: usize,
    ) -> Vec<Bucket> {
        let to = to.min(self.n_moments());
        if from >= to || n_buckets == 0 {
            return Vec::new();
        }
        match axis {
            Axis::Activity => self.by_activity(timeline, from, to, n_buckets.min(to - from)),
            Axis::Clock => self.by_clock(timeline, from, to, n_buckets),
        }
    }

    /// The next or previous boundary between bursts; a whole act counts as one.
    pub fn burst_boundary(&self, timeline: &WorkspaceTimeline, index: usize, direction: Direction) -> usize {
        let mut index = index.min(self.n_moments());
        match direction {
            Direction::Forward if index < self.n_moments() => {
                index += 1;
                while index < self.n_moments() && self.continues(timeline, index) {
                    index += 1;
                }
            }
            Direction::Back if index > 0 => {
                index -= 1;
                while index > 0 && self.continues(timeline, index) {
                    index -= 1;
                }
            }
            Direction::Forward | Direction::Back => {}
        }
        index
    }

    /// A tenth of the whole further, at least one.
    pub fn page(&self, index: usize, direction: Direction) -> usize {
        let step = (self.n_moments() / 10).max(1);
        match direction {
            Direction::Back => index.saturating_sub(step),
            Direction::Forward => (index + step).min(self.n_moments()),
        }
    }

    /// The nearest of the `marked` moments on that side, or the end of the timeline there.
    pub fn marked(&self, marked: &[usize], index: usize, direction: Direction) -> usize {
        let found = match direction {
            Direction::Back => marked.iter().copied().filter(|mark| *mark < index).max(),
            Direction::Forward => marked.iter().copied().filter(|mark| *mark > index).min(),
        };
        found.unwrap_or(match direction {
            Direction::Back => 0,
            Direction::Forward => self.n_moments(),
        })
    }

    /// Count of changes and of units added and removed in `from + 1 ..= to`, by author in rising order.
    pub fn sums(&self, timeline: &WorkspaceTimeline, from: usize, to: usize) -> Vec<crate::AuthorSum> {
        let mut sums: Vec<crate::AuthorSum> = Vec::new();
        for idx in from..to.min(self.n_moments()) {
            let entry = self.entry(idx);
            let (added, removed) = timeline.rows.counts(entry);
            let author = timeline.author_of(entry);
            let idx = sums.binary_search_by_key(&author, |sum| sum.author).unwrap_or_else(|idx| {
                sums.insert(idx, crate::AuthorSum { author, n_steps: 0, added: 0, removed: 0 });
                idx
            });
            sums[idx].n_steps += 1;
            sums[idx].added += added;
            sums[idx].removed += removed;
        }
        sums
    }

    /// Whether the change after moment `index` goes on with the burst of the one before it.
    fn continues(&self, timeline: &WorkspaceTimeline, index: usize) -> bool {
        let beat = |idx: usize| timeline.beat_of(self.entry(idx));
        bursts::continues(&timeline.deltas, beat(index - 1), beat(index))
    }

    fn by_activity(&self, timeline: &WorkspaceTimeline, from: usize, to: usize, n_buckets: usize) -> Vec<Bucket> {
        let edge = |i: usize| from + (to - from) * i / n_buckets;
        let bucket = |i: usize| {
            let (from, to) = (edge(i), edge(i + 1));
            self.bucket(timeline, from, to, self.times_ms.get(from), self.times_ms.get(to - 1))
        };
        (0..n_buckets).map(bucket).collect()
    }

    fn by_clock(&self, timeline: &WorkspaceTimeline, from: usize, to: usize, n_buckets: usize) -> Vec<Bucket> {
        let (first_ms, last_ms) = (self.times_ms.get(from), self.times_ms.get(to - 1));
        let span_ms = u128::from(last_ms - first_ms) + 1;
        let edge_ms = |i: usize| first_ms + (span_ms * i as u128 / n_buckets as u128) as u64;
        let mut buckets = Vec::with_capacity(n_buckets);
        let mut start = from;
        for i in 0..n_buckets {
            let end_ms = edge_ms(i + 1);
            let end = start + self.times_ms.partition_point(start..to, |time_ms| time_ms < end_ms);
            buckets.push(self.bucket(timeline, start, end, edge_ms(i), end_ms));
            start = end;
        }
        buckets
    }

    fn bucket(&self, timeline: &WorkspaceTimeline, from: usize, to: usize, start_ms: u64, end_ms: u64) -> Bucket {
        let mut chars: Vec<(AuthorIdx, u64)> = Vec::new();
        for idx in from..to {
            let entry = self.entry(idx);
            let (added, removed) = timeline.rows.counts(entry);
            let weight = (added + removed).max(1);
            let author = timeline.author_of(entry);
            match chars.binary_search_by_key(&author, |(author, _)| *author) {
                Ok(idx) => chars[idx].1 += weight,
                Err(idx) => chars.insert(idx, (author, weight)),
            }
        }
        Bucket { from, to, start_ms, end_ms, chars }
    }
}

#[cfg(test)]
mod tests;
