//! Taking steps back while all others stay: undo, for any set of steps, however old.

use crate::FileTimeline;
use crate::diff::trimmed;
use crate::units::{ALIVE, Run};
use codesync_base::{Splice, utf16_len};

/// The edit that takes steps back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revert {
    /// Over the present text; each is meant for the text after those before it.
    pub splices: Vec<Splice>,
    /// Nothing remains to be taken back: later work went over it, or it was taken back already.
    pub overwritten: bool,
}

impl FileTimeline {
    /// Takes these steps (counted from 1) back and keeps all others: what is left of their insertions goes,
    /// what they deleted comes back where it stood, except what one of them had brought in itself.
    ///
    /// Text that came back by an undo belongs to that undo's steps. So whoever takes an act back must name
    /// with it every later act that was undone since, and the steps that undid it; together they weigh
    /// nothing. With a plain undo stack that is: every step of this stack from the act's first on. What
    /// was done out of the stack's order and still stands (such as the undo of an older act) is left out.
    pub fn revert(&self, steps: impl Iterator<Item = usize>) -> Revert {
        let mut taken_back = vec![false; self.n_steps() + 1];
        for step in steps.filter(|step| (1..=self.n_steps()).contains(step)) {
            taken_back[step] = true;
        }
        let mut edit = Edit::new(self);
        for run in self.units.runs() {
            self.revert_run(run, &taken_back, &mut edit);
        }
        edit.close();
        Revert { overwritten: edit.splices.is_empty(), splices: edit.splices }
    }

    /// The newest other step that took away what these steps had brought in.
    pub fn overwritten_by(&self, steps: impl Iterator<Item = usize>) -> Option<usize> {
        let mut taken_back = vec![false; self.n_steps() + 1];
        steps.filter(|step| *step <= self.n_steps()).for_each(|step| taken_back[step] = true);
        let mut newest = None;
        for run in self.units.runs() {
            let is_by_others = run.died != ALIVE && !taken_back[run.died as usize];
            if !is_by_others || newest >= Some(run.died as usize) {
                continue;
            }
            let mut is_one_of_them = false;
            self.for_each_birth(run.first, run.length, |step, _, _| is_one_of_them |= taken_back[step]);
            if is_one_of_them {
                newest = Some(run.died as usize);
            }
        }
        newest
    }

    fn revert_run(&self, run: Run, taken_back: &[bool], edit: &mut Edit<'_>) {
        let is_there = run.died == ALIVE;
        if !is_there && !taken_back[run.died as usize] {
            return;
        }
        self.for_each_birth(run.first, run.length, |step, first, length| match (is_there, taken_back[step]) {
            (true, false) => edit.keep(length),
            (true, true) => edit.take_out(first, length),
            (false, false) => edit.bring_back(first, length),
            (false, true) => {}
        });
    }
}

/// An edit put together from left to right.
struct Edit<'a> {
    timeline: &'a FileTimeline,
    splices: Vec<Splice>,
    /// In the text as edited so far.
    position: u32,
    out: String,
    back: String,
}

impl<'a> Edit<'a> {
    fn new(timeline: &'a FileTimeline) -> Self {
        Self { timeline, splices: Vec::new(), position: 0, out: String::new(), back: String::new() }
    }

    fn keep(&mut self, length: u32) {
        self.close();
        self.position += length;
    }

    fn take_out(&mut self, first: u32, length: u32) {
        self.out.push_str(self.timeline.text_of(first, length));
    }

    fn bring_back(&mut self, first: u32, length: u32) {
        self.back.push_str(self.timeline.text_of(first, length));
    }

    fn close(&mut self) {
        if self.out.is_empty() && self.back.is_empty() {
            return;
        }
        self.splices.extend(trimmed(self.position, &self.out, &self.back));
        self.position += utf16_len(&self.back);
        self.out.clear();
        self.back.clear();
    }
}

#[cfg(test)]
mod tests;
