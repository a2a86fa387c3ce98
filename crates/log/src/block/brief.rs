//! What a sealed block tells of its text deltas without their texts, names and hashes: who changed how much of what,
//! and when. A timeline is drawn from it some ten times faster than from the block. It is a cache beside the block:
//! never believed unchecked, and made again from the block where it is missing. Pure.
//!
//! Format 2: version u8, postcard of the files, then one range-coded stream. Deltas that do more than edit text are
//! only marked in it: they are read whole from the block's structural section.

use super::model::Numbers;
use super::range_coder::{Chance, Coder};
use super::text_section::{origin_number, parse_origin};
use super::{Summary, is_structural};
use codesync_base::{Change, Delta, FileId, Hlc, LogId, Origin, SignedDelta, TextSource, TextStep, utf16_len};
use std::sync::Arc;

const BRIEF_VERSION: u8 = 2;
/// No delta has more steps; damaged bytes must not make a number up.
const STEPS_MAX: u64 = 1 << 16;

/// A text step without its text. Sizes are in UTF-16 units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BriefStep {
    pub at_ms: u64,
    pub file: FileId,
    pub added: u32,
    pub removed: u32,
}

/// A delta of which only the outline is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outline {
    pub log: LogId,
    pub seq: u32,
    pub hlc: Hlc,
    pub origin: Origin,
    pub group: u32,
}

/// One delta of a block, or where it stands among those that are known whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Row {
    Text { outline: Outline, first_step: u32, end_step: u32 },
    Structural { idx: u32 },
}

/// The deltas of a block in canonical order.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct BriefBlock {
    pub rows: Vec<Row>,
    pub steps: Vec<BriefStep>,
    pub structural: Vec<Arc<SignedDelta>>,
}

impl BriefBlock {
    /// Of deltas in canonical order.
    pub fn of(deltas: &[Arc<SignedDelta>]) -> Self {
        let mut block = Self::default();
        for signed in deltas {
            let delta = &signed.delta;
            if is_structural(delta) {
                block.rows.push(Row::Structural { idx: block.structural.len() as u32 });
                block.structural.push(signed.clone());
                continue;
            }
            let first_step = block.steps.len() as u32;
            block.steps.extend(delta.steps.iter().filter_map(|step| match &step.change {
                Change::Text(text) => {
                    let (added, removed) = sizes(text);
                    Some(BriefStep { at_ms: step.at_ms, file: delta.file_of(step)?, added, removed })
                }
                _ => None,
            }));
            let end_step = block.steps.len() as u32;
            block.rows.push(Row::Text { outline: Outline::of(delta), first_step, end_step });
        }
        block
    }

    pub fn encode(&self, summary: &Summary) -> Vec<u8> {
        let mut files: Vec<FileId> = Vec::new();
        for step in &self.steps {
            if files.last() != Some(&step.file) && !files.contains(&step.file) {
                files.push(step.file);
            }
        }
        let bytes = postcard::to_extend(&files, vec![BRIEF_VERSION]);
        let mut bytes = bytes.expect("invariant: writing to memory cannot fail");
        let mut stream = Stream::new(Coder::writer(), summary, &files);
        for row in &self.rows {
            stream.coder.bit(&mut stream.models.is_structural, matches!(row, Row::Structural { .. }));
            match row {
                Row::Text { outline, first_step, end_step } => {
                    let steps = &self.steps[*first_step as usize..*end_step as usize];
                    stream.delta(Some((outline, steps.len())));
                    for step in steps {
                        stream.step(Some(step));
                    }
                }
                Row::Structural { idx } => stream.follow(&self.structural[*idx as usize].delta),
            }
        }
        bytes.extend_from_slice(&stream.coder.finish());
        bytes
    }

    /// None when the bytes cannot be those of the block with this summary and these structural deltas.
    pub fn decode(bytes: &[u8], summary: &Summary, structural: Vec<Arc<SignedDelta>>) -> Option<Self> {
        let (&version, rest) = bytes.split_first()?;
        if version != BRIEF_VERSION {
            return None;
        }
        let (files, rest): (Vec<FileId>, &[u8]) = postcard::take_from_bytes(rest).ok()?;
        let mut stream = Stream::new(Coder::reader(rest), summary, &files);
        let n_whole_steps: usize = structural.iter().map(|signed| signed.delta.steps.len()).sum();
        let n_steps = (summary.n_steps as usize).checked_sub(n_whole_steps)?;
        let mut block = Self {
            rows: Vec::with_capacity(summary.n_deltas as usize),
            steps: Vec::with_capacity(n_steps),
            structural,
        };
        let mut n_structural = 0;
        for _ in 0..summary.n_deltas {
            if stream.coder.bit(&mut stream.models.is_structural, false) {
                stream.follow(&block.structural.get(n_structural)?.delta);
                block.rows.push(Row::Structural { idx: n_structural as u32 });
                n_structural += 1;
                continue;
            }
            let (outline, n_of_delta) = stream.delta(None)?;
            let first_step = block.steps.len() as u32;
            for _ in 0..n_of_delta {
                block.steps.push(stream.step(None)?);
            }
            if block.steps.len() > n_steps || stream.coder.is_exhausted() {
                return None;
            }
            block.rows.push(Row::Text { outline, first_step, end_step: block.steps.len() as u32 });
        }
        let is_whole = block.steps.len() == n_steps && n_structural == block.structural.len();
        (is_whole && stream.hlc == summary.last).then_some(block)
    }
}

impl Outline {
    fn of(delta: &Delta) -> Self {
        Self { log: delta.log, seq: delta.seq, hlc: delta.hlc, origin: delta.origin, group: delta.group }
    }
}

/// UTF-16 units added and removed.
fn sizes(text: &TextStep) -> (u32, u32) {
    let added = text.insert.as_ref().map_or(0, |insert| match &insert.text {
        TextSource::Inline(text) => utf16_len(text),
        TextSource::Blob { length, .. } => *length,
    });
    (added, text.delete.iter().map(|range| range.length).sum())
}

#[derive(Default)]
struct Models {
    is_structural: Chance,
    is_next: Chance,
    log: Numbers,
    seq: Numbers,
    origin: Numbers,
    /// By whether the delta before went on with its act.
    goes_on: [Chance; 2],
    begins: Chance,
    group: Numbers,
    n_steps: Numbers,
    wall: Numbers,
    is_counter_expected: Chance,
    counter: Numbers,
    is_at_expected: Chance,
    at: Numbers,
    is_same_file: Chance,
    file: Numbers,
    is_same_size: [Chance; 3],
    size: [Numbers; 2],
}

/// Writes or reads, each field described once, against what those before let expect.
struct Stream<'a> {
    coder: Coder<'a>,
    models: Models,
    files: &'a [FileId],
    /// Of each log the number of its last delta.
    logs: Vec<(LogId, u32)>,
    hlc: Hlc,
    log: usize,
    origin: u64,
    /// The act of the last delta, and whether that was not its first.
    group: u32,
    went_on: bool,
    n_steps: u64,
    at_ms: u64,
    file: usize,
    size: (u32, u32),
    n_same: usize,
}

impl<'a> Stream<'a> {
    fn new(coder: Coder<'a>, summary: &Summary, files: &'a [FileId]) -> Self {
        Self {
            coder,
            models: Models::default(),
            files,
            logs: summary.logs.iter().map(|part| (part.log, part.first_seq.wrapping_sub(1))).collect(),
            hlc: Hlc { counter: 0, ..summary.first },
            log: 0,
            origin: 0,
            group: 0,
            went_on: false,
            n_steps: 1,
            at_ms: 0,
            file: 0,
            size: (1, 0),
            n_same: 0,
        }
    }

    /// Takes note of a delta that is known whole.
    fn follow(&mut self, delta: &Delta) {
        if let Some(idx) = self.logs.iter().position(|(log, _)| *log == delta.log) {
            self.logs[idx].1 = delta.seq;
            self.log = idx;
        }
        self.hlc = delta.hlc;
    }

    /// A text delta and the count of its steps.
    fn delta(&mut self, given: Option<(&Outline, usize)>) -> Option<(Outline, usize)> {
        self.reading(given.map(|(outline, _)| outline.hlc));
        let is_next = given.is_some_and(|(outline, n_steps)| {
            self.logs.get(self.log) == Some(&(outline.log, outline.seq.wrapping_sub(1)))
                && self.origin == origin_number(outline.origin)
                && self.n_steps == n_steps as u64
        });
        if !self.coder.bit(&mut self.models.is_next, is_next) {
            self.unexpected(given)?;
        } else {
            let known = self.logs.get_mut(self.log)?;
            known.1 = known.1.wrapping_add(1);
        }
        let (log, seq) = *self.logs.get(self.log)?;
        self.at_ms = self.hlc.wall_ms;
        self.act(seq, given.map(|(outline, _)| outline.group));
        let outline = Outline { log, seq, hlc: self.hlc, origin: parse_origin(self.origin)?, group: self.group };
        Some((outline, self.n_steps as usize))
    }

    fn unexpected(&mut self, given: Option<(&Outline, usize)>) -> Option<()> {
        let given_log = given.and_then(|(outline, _)| self.logs.iter().position(|(log, _)| *log == outline.log));
        let coder = &mut self.coder;
        self.log = usize::try_from(self.models.log.code(coder, given_log.unwrap_or(0) as u64)).ok()?;
        let expected = i64::from(self.logs.get(self.log)?.1) + 1;
        let off = given.map_or(0, |(outline, _)| i64::from(outline.seq) - expected);
        let seq = u32::try_from(expected.checked_add(self.models.seq.code_signed(coder, off))?).ok()?;
        self.logs.get_mut(self.log)?.1 = seq;
        self.origin = self.models.origin.code(coder, given.map_or(0, |(outline, _)| origin_number(outline.origin)));
        self.n_steps = self.models.n_steps.code(coder, given.map_or(0, |(_, n_steps)| n_steps as u64));
        (self.n_steps <= STEPS_MAX).then_some(())
    }

    /// The act that a delta is part of: that of the one before, its own, or an older one.
    fn act(&mut self, seq: u32, given: Option<u32>) {
        let goes_on = &mut self.models.goes_on[usize::from(self.went_on)];
        if self.coder.bit(goes_on, given.is_some_and(|group| group == self.group && group != seq)) {
            self.went_on = true;
            return;
        }
        self.went_on = false;
        self.group = seq;
        if !self.coder.bit(&mut self.models.begins, given == Some(seq)) {
            let back = given.map_or(0, |group| u64::from(seq.wrapping_sub(group)));
            self.group = seq.wrapping_sub(self.models.group.code(&mut self.coder, back) as u32);
        }
    }

    /// The clock of the next delta.
    fn reading(&mut self, given: Option<Hlc>) {
        let last = self.hlc;
        let passed_ms = given.map_or(0, |hlc| hlc.wall_ms.wrapping_sub(last.wall_ms));
        let passed_ms = self.models.wall.code(&mut self.coder, passed_ms);
        let expected = if passed_ms == 0 { last.counter.wrapping_add(1) } else { 0 };
        let is_expected = given.is_some_and(|hlc| hlc.counter == expected);
        let counter = if self.coder.bit(&mut self.models.is_counter_expected, is_expected) {
            expected
        } else {
            self.models.counter.code(&mut self.coder, given.map_or(0, |hlc| u64::from(hlc.counter))) as u32
        };
        self.hlc = Hlc { wall_ms: last.wall_ms.wrapping_add(passed_ms), counter };
    }

    fn step(&mut self, given: Option<&BriefStep>) -> Option<BriefStep> {
        let is_expected = given.is_some_and(|step| step.at_ms == self.at_ms);
        if !self.coder.bit(&mut self.models.is_at_expected, is_expected) {
            let off = given.map_or(0, |step| step.at_ms.wrapping_sub(self.at_ms) as i64);
            self.at_ms = self.at_ms.wrapping_add(self.models.at.code_signed(&mut self.coder, off) as u64);
        }
        let is_same_file = given.is_some_and(|step| self.files.get(self.file) == Some(&step.file));
        if !self.coder.bit(&mut self.models.is_same_file, is_same_file) {
            let idx = given.and_then(|step| self.files.iter().position(|file| *file == step.file)).unwrap_or(0);
            self.file = usize::try_from(self.models.file.code(&mut self.coder, idx as u64)).ok()?;
        }
        let is_same_size = given.is_some_and(|step| (step.added, step.removed) == self.size);
        if self.coder.bit(&mut self.models.is_same_size[self.n_same], is_same_size) {
            self.n_same = (self.n_same + 1).min(2);
        } else {
            let [added, removed] = &mut self.models.size;
            let added = added.code(&mut self.coder, given.map_or(0, |step| u64::from(step.added)));
            let removed = removed.code(&mut self.coder, given.map_or(0, |step| u64::from(step.removed)));
            self.size = (u32::try_from(added).ok()?, u32::try_from(removed).ok()?);
            self.n_same = 0;
        }
        let (added, removed) = self.size;
        Some(BriefStep { at_ms: self.at_ms, file: *self.files.get(self.file)?, added, removed })
    }
}

#[cfg(test)]
mod tests;
