//! Who wrote what stands at a moment, and what is left of what somebody wrote.

use crate::FileTimeline;
use std::ops::Range;

/// A stretch of text that one step brought in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlameRun {
    pub position: u32,
    pub length: u32,
    /// None for the text that the file was created with.
    pub step: Option<usize>,
}

impl FileTimeline {
    /// The text at moment `n` by the steps that brought it in, left to right, without holes.
    pub fn blame_at(&self, n: usize) -> Vec<BlameRun> {
        let mut runs: Vec<BlameRun> = Vec::new();
        let mut position = 0;
        for (first, length) in self.units_at(n) {
            self.for_each_birth(first, length, |step, _, length| {
                let step = (step > 0).then_some(step);
                match runs.last_mut() {
                    Some(last) if last.step == step => last.length += length,
                    _ => runs.push(BlameRun { position, length, step }),
                }
                position += length;
            });
        }
        runs
    }

    /// What is left at moment `to` of the text that step `n` brought in (0: of the first text), left to right.
    pub fn surviving(&self, n: usize, to: usize) -> Vec<Range<u32>> {
        let n = n.min(self.n_steps());
        let own = n.checked_sub(1).map_or(0, |before| self.units_end(before))..self.units_end(n);
        let mut left: Vec<Range<u32>> = Vec::new();
        let mut position = 0;
        for (first, length) in self.units_at(to) {
            let start = first.max(own.start);
            let end = (first + length).min(own.end);
            if start < end {
                let range = position + start - first..position + end - first;
                match left.last_mut() {
                    Some(last) if last.end == range.start => last.end = range.end,
                    _ => left.push(range),
                }
            }
            position += length;
        }
        left
    }

    /// The units of the text at moment `n`, as runs of first unit and length.
    fn units_at(&self, n: usize) -> impl Iterator<Item = (u32, u32)> + '_ {
        let n = n.min(self.n_steps());
        let n_units = self.units_end(n);
        let is_there = move |died: u32| died as usize > n;
        self.units
            .runs()
            .filter(move |run| run.first < n_units && is_there(run.died))
            .map(move |run| (run.first, run.length.min(n_units - run.first)))
    }

    /// Calls `visit(step, first, length)` for the parts of a run by the step that brought them in.
    pub(crate) fn for_each_birth(&self, first: u32, length: u32, mut visit: impl FnMut(usize, u32, u32)) {
        let (mut unit, end) = (first, first + length);
        let mut step = self.birth(unit);
        while unit < end {
            let part_end = self.units_end(step).min(end);
            if part_end > unit {
                visit(step, unit, part_end - unit);
                unit = part_end;
            }
            step += 1;
        }
    }
}

#[cfg(test)]
mod tests;
