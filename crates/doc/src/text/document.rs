//! One text file: its visible text, the names of its visible units, and what yrs needs should it be asked.
//! A step that fits where its author saw it is applied by position; only truly concurrent ones ask yrs.

use super::names::{Names, Unit};
use super::order::{Deletion, Insertion, Order, text_by_yrs};
use super::runs::{Run, Runs};
use super::{EditError, IntegrateError};
use crate::rope::{char_range, len_utf16, splice_rope_silently};
use codesync_base::{BlobSource, Delta, Insert, ItemRange, ItemRef, LogId, Splice, TextSource, TextStep, utf16_len};
use ropey::Rope;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

mod integrate;

/// The delta that local edits go into. `logs` becomes [`Delta::logs`]; [`TextDocument::edit`] lets it grow.
#[derive(Clone, Debug)]
pub struct OpenDelta {
    pub log: LogId,
    pub seq: u32,
    pub logs: Vec<LogId>,
}

impl OpenDelta {
    /// What [`ItemRef::log`] has to be for units of `log`.
    fn log_ref(&mut self, log: &LogId) -> Result<u16, EditError> {
        if *log == self.log {
            return Ok(0);
        }
        let idx = self.logs.iter().position(|known| known == log).unwrap_or(self.logs.len());
        let log_ref = u16::try_from(idx + 1).map_err(|_| EditError::TooManyLogs)?;
        if idx == self.logs.len() {
            self.logs.push(*log);
        }
        Ok(log_ref)
    }
}

/// Visible units that one delta inserted next to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VisibleRun {
    pub log: LogId,
    pub seq: u32,
    pub offset: u32,
    /// Where it starts in the text, UTF-16 units.
    pub position: u32,
    pub length: u32,
}

/// A text document. A cache: integrating the same honest steps again, in any causal order, gives the same. Steps
/// that name neighbours which never were any (only a hostile author makes such) may end up in another order when
/// they come in another order; replaying all in canonical order, as after a differing [`TextDocument::digest`],
/// makes replicas agree on those, too.
#[derive(Debug, Default)]
pub struct TextDocument {
    pub(super) text: Rope,
    pub(super) runs: Runs,
    pub(super) names: Names,
    pub(super) insertions: Vec<Insertion>,
    pub(super) deletions: Vec<Deletion>,
    /// How far from where its author saw it the newest step stands that did not stand there, and where. Only ever a
    /// guess: whoever works apart at one place goes on there.
    shift: i64,
    shifted_to: i64,
    /// Made when first asked for.
    order: Option<Order>,
    #[cfg(test)]
    pub(crate) always_ask_yrs: bool,
}

/// A copy at the same state. It asks yrs anew should it have to.
impl Clone for TextDocument {
    fn clone(&self) -> Self {
        Self {
            text: self.text.clone(),
            runs: self.runs.clone(),
            names: self.names.clone(),
            insertions: self.insertions.clone(),
            deletions: self.deletions.clone(),
            shift: self.shift,
            shifted_to: self.shifted_to,
            order: None,
            #[cfg(test)]
            always_ask_yrs: self.always_ask_yrs,
        }
    }
}

impl TextDocument {
    /// An empty text.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the content that the delta `seq` of `log` created this file with. Call it first.
    pub fn integrate_base(&mut self, log: LogId, seq: u32, text: &str) {
        let length = utf16_len(text);
        let Some(number) = self.names.intern(&log).filter(|_| length > 0) else { return };
        debug_assert!(self.names.log(number).length == 0, "a file is created once");
        let splice = Splice::new(0, 0, text);
        splice_rope_silently(&mut self.text, &splice).expect("invariant: every text has a start");
        let first = self.record(number, seq, text, length, (None, None));
        self.runs.insert(0, new_run(first, length));
    }

    /// The same of a creation that does not count: its units are known, and gone.
    pub fn integrate_base_void(&mut self, log: LogId, seq: u32, text: &str) {
        self.integrate_base(log, seq, text);
        self.hide(0, self.runs.len());
    }

    /// Replaces by position and says what was done by name. The step goes into the delta `open`.
    pub fn edit(&mut self, open: &mut OpenDelta, splice: &Splice) -> Result<TextStep, EditError> {
        let chars = char_range(&self.text, splice.position, splice.deleted)?;
        let length = utf16_len(&splice.inserted);
        let number = self.names.intern(&open.log).ok_or(EditError::TooManyLogs)?;
        let log = self.names.log(number);
        if open.seq < log.newest_seq() {
            return Err(EditError::NotNext { log: open.log, seq: open.seq, seen: log.newest_seq() });
        }
        if !self.has_room(number, length) {
            return Err(EditError::TooLong);
        }
        let gap = self.runs.gap(splice.position);
        let delete = self.name_range(open, splice.position, splice.deleted)?;
        let insert = match length {
            0 => None,
            _ => Some(Insert {
                left: gap.left.map(|unit| self.name_ref(open, unit)).transpose()?,
                right: gap.right.map(|unit| self.name_ref(open, unit)).transpose()?,
                text: TextSource::Inline(splice.inserted.clone()),
            }),
        };
        self.delete_visible(splice.position, splice.deleted);
        if !chars.is_empty() {
            self.text.remove(chars.clone());
        }
        if length > 0 {
            self.text.insert(chars.start, &splice.inserted);
            let first = self.record(number, open.seq, &splice.inserted, length, (gap.left, gap.right));
            self.runs.insert(gap.index, new_run(first, length));
        }
        Ok(TextStep { position: splice.position, delete, insert })
    }

    /// Takes in a step of `delta`, all of whose dependencies have been taken in, and gives what it did to the
    /// visible text: each splice in the text after those before it.
    pub fn integrate(
        &mut self,
        delta: &Delta,
        step: &TextStep,
        blobs: &dyn BlobSource,
    ) -> Result<Vec<Splice>, IntegrateError> {
        let step = self.resolve(delta, step, blobs)?;
        self.apply(delta, step)
    }

    /// Takes in a step that does not count: others may have written next to what it inserts, so its units get their
    /// place, and are gone at once. What it deletes stays.
    pub fn integrate_void(
        &mut self,
        delta: &Delta,
        step: &TextStep,
        blobs: &dyn BlobSource,
    ) -> Result<(), IntegrateError> {
        // Whether it means anything must not depend on whether it counts.
        let step = self.resolve(delta, step, blobs)?;
        for splice in self.apply(delta, step.without_deletion())? {
            self.hide(splice.position, utf16_len(&splice.inserted));
        }
        Ok(())
    }

    /// For each log that the step names units of, the newest delta that it names: all of them have to be in the
    /// delta's declared past, or what it means would depend on what else the receiver holds. A range may run over
    /// more deltas than its first unit tells.
    pub fn newest_named(&self, delta: &Delta, step: &TextStep) -> Result<Vec<(LogId, u32)>, IntegrateError> {
        self.newest_named_in(delta, step)
    }

    /// The visible text.
    pub fn text(&self) -> &Rope {
        &self.text
    }

    /// Length of the visible text in UTF-16 units.
    pub fn len_utf16(&self) -> u32 {
        self.runs.len()
    }

    /// The text of a range of UTF-16 units.
    pub fn slice(&self, range: Range<u32>) -> Result<String, EditError> {
        let length = range.end.saturating_sub(range.start);
        let chars = char_range(&self.text, range.start, length)?;
        Ok(self.text.slice(chars).to_string())
    }

    /// The visible text as names, left to right.
    pub fn runs(&self) -> impl Iterator<Item = VisibleRun> + '_ {
        let mut position = 0;
        self.runs.range(0, u32::MAX).flat_map(|run| self.split_by_delta(run)).map(move |(log, seq, offset, length)| {
            let visible = VisibleRun { log, seq, offset, position, length };
            position += length;
            visible
        })
    }

    /// Lengths of the stretches that a deletion of `length` units at `position` would name one by one.
    pub fn ranges_in(&self, position: u32, length: u32) -> impl Iterator<Item = u32> + '_ {
        self.runs.range(position, length).map(|run| run.length)
    }

    /// Log, delta and offset of the unit at `position`.
    pub fn name_at(&self, position: u32) -> Option<(LogId, u32, u32)> {
        let unit = self.unit_at(position)?;
        let (seq, offset, _) = self.names.name(unit);
        Some((self.names.log(unit.log).id, seq, offset))
    }

    /// Where named units (log, delta, offset) are now: the position, and whether the unit still stands there or only did.
    /// None for those that are not known here.
    pub fn places_of(&self, names: &[(LogId, u32, u32)]) -> Vec<Option<(u32, bool)>> {
        let mut wanted: BTreeMap<Unit, Vec<usize>> = BTreeMap::new();
        for (idx, (log, seq, offset)) in names.iter().enumerate() {
            let Some(number) = self.names.find(log) else { continue };
            if let Some(clock) = self.names.log(number).clock(*seq, *offset) {
                wanted.entry(Unit { log: number, clock }).or_default().push(idx);
            }
        }
        let mut places = vec![None; names.len()];
        let (mut position, mut n_left) = (0, wanted.len());
        for run in self.runs.iter() {
            if n_left == 0 {
                break;
            }
            let end = Unit { clock: run.clock + run.length, ..run.unit() };
            for (unit, indices) in wanted.range(run.unit()..end) {
                let skip = if run.is_visible { unit.clock - run.clock } else { 0 };
                indices.iter().for_each(|idx| places[*idx] = Some((position + skip, run.is_visible)));
                n_left -= 1;
            }
            position += if run.is_visible { run.length } else { 0 };
        }
        places
    }

    /// How many units a log inserted from this one on, up to its delta `before_seq`; none when it is not known.
    pub fn units_before(&self, log: &LogId, seq: u32, offset: u32, before_seq: u32) -> Option<u32> {
        let units = self.names.log(self.names.find(log)?);
        units.start_of(before_seq).checked_sub(units.clock(seq, offset)?)
    }

    /// Delta and offset of the first unit that a log inserted.
    pub fn first_of(&self, log: &LogId) -> Option<(u32, u32)> {
        let number = self.names.find(log).filter(|number| self.names.log(*number).length > 0)?;
        let (seq, offset, _) = self.names.name(Unit { log: number, clock: 0 });
        Some((seq, offset))
    }

    /// BLAKE3 of the text in UTF-8.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        for chunk in self.text.chunks() {
            hasher.update(chunk.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }

    /// Lets yrs alone make the text of everything that was integrated, and says where ours differs.
    pub fn check_against_yrs(&mut self) -> Result<(), String> {
        if self.runs.len() != len_utf16(&self.text) {
            return Err(format!("{} units have names, the text has {}", self.runs.len(), len_utf16(&self.text)));
        }
        let theirs = text_by_yrs(&self.names, &self.insertions, &self.deletions)?;
        if self.text == theirs.as_str() {
            return Ok(());
        }
        let same = self.text.chars().zip(theirs.chars()).take_while(|(ours, theirs)| ours == theirs).count();
        Err(format!("the text differs from that of yrs after {same} characters"))
    }

    fn split_by_delta(&self, run: Run) -> impl Iterator<Item = (LogId, u32, u32, u32)> + '_ {
        let id = self.names.log(run.log).id;
        let mut done = 0;
        std::iter::from_fn(move || {
            let unit = Unit { log: run.log, clock: run.clock + done };
            let (seq, offset, room) = (done < run.length).then(|| self.names.name(unit))?;
            let length = room.min(run.length - done);
            done += length;
            Some((id, seq, offset, length))
        })
    }

    fn unit_at(&self, position: u32) -> Option<Unit> {
        self.runs.range(position, 1).next().map(|run| run.unit())
    }

    fn name_ref(&self, open: &mut OpenDelta, unit: Unit) -> Result<ItemRef, EditError> {
        let (seq, offset, _) = self.names.name(unit);
        Ok(ItemRef { log: open.log_ref(&self.names.log(unit.log).id)?, seq, offset })
    }

    fn name_range(&self, open: &mut OpenDelta, position: u32, length: u32) -> Result<Vec<ItemRange>, EditError> {
        let range = self.runs.range(position, length);
        range
            .map(|run| {
                let first = self.name_ref(open, run.unit())?;
                Ok(ItemRange { first, length: run.length })
            })
            .collect()
    }

    /// Positions and clocks are `u32` everywhere: neither the text nor what a log ever inserted may pass it.
    fn has_room(&self, log: u16, length: u32) -> bool {
        let inserted = self.names.log(log).length.checked_add(length);
        inserted.is_some_and(|n| n < i32::MAX as u32) && self.runs.len_all().checked_add(length).is_some()
    }

    /// Keeps what yrs would need, and names the new units.
    fn record(&mut self, log: u16, seq: u32, text: &str, length: u32, ends: (Option<Unit>, Option<Unit>)) -> Unit {
        let first = Unit { log, clock: self.names.log(log).length };
        self.names.push(log, seq, text, length);
        let length_bytes = text.len() as u32;
        let insertion = Insertion { first, length, length_bytes, left: ends.0, right: ends.1 };
        let n_fed = self.order.as_ref().map_or(0, Order::n_fed);
        let is_open = self.insertions.len() > n_fed;
        if !(is_open && self.insertions.last_mut().is_some_and(|last| last.extend(&insertion))) {
            self.insertions.push(insertion);
        }
        first
    }

    fn hide(&mut self, position: u32, length: u32) {
        self.delete_visible(position, length);
        let gone = Splice::new(position, length, "");
        splice_rope_silently(&mut self.text, &gone).expect("invariant: visible units are in the text");
    }

    /// Hides visible units in the runs; the rope still has them.
    fn delete_visible(&mut self, position: u32, length: u32) {
        if length == 0 {
            return;
        }
        let deletions = &mut self.deletions;
        for run in self.runs.range(position, length) {
            let deletion = Deletion { first: run.unit(), length: run.length };
            if !deletions.last_mut().is_some_and(|last| last.extend(&deletion)) {
                deletions.push(deletion);
            }
        }
        self.runs.hide(position, length);
    }
}

pub(super) fn new_run(first: Unit, length: u32) -> Run {
    Run { log: first.log, clock: first.clock, length, is_visible: true }
}

/// The whole visible text.
impl fmt::Display for TextDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.chunks().try_for_each(|chunk| f.write_str(chunk))
    }
}

#[cfg(test)]
mod tests;
