//! The text at any moment, and the way from one moment to another.

use crate::compose::Composer;
use crate::diff::minimal_splice;
use crate::file::KEYFRAME_STEPS;
use crate::{Bias, FileTimeline, rope};
use codesync_base::Splice;
use ropey::Rope;

/// Beyond this distance two moments are compared instead of walked between.
const WALK_STEPS_MAX: usize = 512;

impl FileTimeline {
    /// The text after `n` steps; 0 is the text at creation, anything above the count of steps the present.
    pub fn text_at(&self, n: usize) -> Rope {
        if n >= self.n_steps() {
            return self.now.clone();
        }
        let keyframe = n / KEYFRAME_STEPS;
        let mut text = self.keyframes[keyframe].clone();
        for splice in self.forward(keyframe * KEYFRAME_STEPS, n) {
            rope::splice_rope(&mut text, &splice);
        }
        text
    }

    /// What leads from the text at moment `from` to that at `to`, in either direction. Each splice is
    /// meant for the text after those before it.
    pub fn splices_between(&self, from: usize, to: usize) -> Vec<Splice> {
        let (from, to) = (from.min(self.n_steps()), to.min(self.n_steps()));
        if from.abs_diff(to) > WALK_STEPS_MAX {
            return minimal_splice(&self.text_at(from), &self.text_at(to)).into_iter().collect();
        }
        if from <= to { self.forward(from, to) } else { self.backward(from, to) }
    }

    /// Where a position of the text at `from` is in the text at `to`. A position inside text that goes
    /// away falls to where that text was, on the side that `bias` says when other text came instead.
    pub fn map_position(&self, position: u32, from: usize, to: usize, bias: Bias) -> u32 {
        let (from, to) = (from.min(self.n_steps()), to.min(self.n_steps()));
        let mut mapped = position;
        for n in from + 1..=to {
            let (position, deleted) = (self.rows.position(n - 1), self.rows.deleted(n - 1));
            mapped = map_through(mapped, position, deleted, self.inserted_length(n), bias);
        }
        for n in (to + 1..=from).rev() {
            let (position, deleted) = (self.rows.position(n - 1), self.rows.deleted(n - 1));
            mapped = map_through(mapped, position, self.inserted_length(n), deleted, bias);
        }
        mapped
    }

    fn forward(&self, from: usize, to: usize) -> Vec<Splice> {
        let mut composer = Composer::new();
        for n in from + 1..=to {
            composer.push(self.rows.position(n - 1), self.rows.deleted(n - 1), self.inserted(n));
        }
        composer.finish()
    }

    fn backward(&self, from: usize, to: usize) -> Vec<Splice> {
        let mut composer = Composer::new();
        for n in (to + 1..=from).rev() {
            composer.push(self.rows.position(n - 1), self.inserted_length(n), self.deleted_text(n));
        }
        composer.finish()
    }
}

/// Where a position goes when `deleted` units at `start` become `inserted` others.
fn map_through(position: u32, start: u32, deleted: u32, inserted: u32, bias: Bias) -> u32 {
    let end = start + deleted;
    if position < start || (position == start && (deleted > 0 || bias == Bias::Before)) {
        return position;
    }
    if position > end || (position == end && (deleted > 0 || bias == Bias::After)) {
        return position - deleted + inserted;
    }
    match bias {
        Bias::Before => start,
        Bias::After => start + inserted,
    }
}

#[cfg(test)]
mod tests;
