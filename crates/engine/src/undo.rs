//! Undo and redo of one file: which steps the next Ctrl+Z takes back. Takes back only this device's own
//! acts, survives the tab and the program (it is rebuilt from the log).
//!
//! Grouping follows what editors do: a word and the space after it are one undo, a pause or a jump of the
//! caret begins a new one, and what came at one instant (several carets, a paste, a restore) is one.

use codesync_base::{Origin, Splice, StepKey, utf16_len};
use codesync_timeline::{GroupKey, StepInfo};

/// Pause that begins a new undo group.
const PAUSE_MS: u64 = 1_000;
/// So many acts can be taken back at least, one after the other; twice as many are never kept.
const ACTS_KEPT: usize = 8_192;

#[derive(Default)]
pub(crate) struct UndoStack {
    undo: Vec<Entry>,
    redo: Vec<Entry>,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Its first step: what was made on top of it cancels out with what took that back.
    pub first: StepKey,
    group: GroupKey,
    origin: Origin,
    last_ms: u64,
    /// Where the next key of the same run would be.
    end: u32,
    /// Where a backspace of the same run would end.
    start: u32,
    deletes: bool,
    ends_in_space: bool,
}

/// What the stack needs to know of a step.
pub(crate) struct UndoStep {
    key: StepKey,
    group: GroupKey,
    origin: Origin,
    at_ms: u64,
    position: u32,
    deleted: u32,
    inserted_len: u32,
    begins_with_space: bool,
    ends_in_space: bool,
    n_lines: usize,
}

impl UndoStep {
    pub fn new(info: &StepInfo, splice: &Splice) -> Self {
        Self {
            key: info.key,
            group: info.group,
            origin: info.origin,
            at_ms: info.at_ms,
            position: splice.position,
            deleted: splice.deleted,
            inserted_len: utf16_len(&splice.inserted),
            begins_with_space: splice.inserted.starts_with(char::is_whitespace),
            ends_in_space: splice.inserted.ends_with(char::is_whitespace),
            n_lines: splice.inserted.matches('\n').count(),
        }
    }
}

impl UndoStack {
    /// Takes note of an own step, in order.
    pub fn note(&mut self, step: &UndoStep) {
        match step.origin {
            Origin::Undo => Self::move_over(&mut self.undo, &mut self.redo, step),
            Origin::Redo => Self::move_over(&mut self.redo, &mut self.undo, step),
            Origin::Typing | Origin::CommandLine | Origin::Restore | Origin::FileAction => {
                self.redo.clear();
                match self.undo.last_mut() {
                    Some(last) if last.is_joined_by(step) => last.extend(step),
                    _ => {
                        if self.undo.len() == 2 * ACTS_KEPT {
                            self.undo.drain(..ACTS_KEPT);
                        }
                        self.undo.push(Entry::of(step));
                    }
                }
            }
            Origin::Disk | Origin::Import | Origin::Moment | Origin::Session => {}
        }
    }

    /// Others changed the text: where one's own last act stands moves with it, so that typing on still joins it.
    pub fn shift(&mut self, splice: &Splice) {
        let moved = |place: u32| match splice.position + splice.deleted {
            end if end <= place => place - splice.deleted + utf16_len(&splice.inserted),
            _ => place.min(splice.position),
        };
        if let Some(last) = self.undo.last_mut() {
            (last.start, last.end) = (moved(last.start), moved(last.end));
        }
    }

    pub fn next_undo(&self) -> Option<&Entry> {
        self.undo.last()
    }

    pub fn next_redo(&self) -> Option<&Entry> {
        self.redo.last()
    }

    /// Drops an entry that had nothing left to take back.
    pub fn drop_undo(&mut self) {
        self.undo.pop();
    }

    pub fn drop_redo(&mut self) {
        self.redo.pop();
    }

    /// The steps of an undo become what redo takes back, and the other way round.
    fn move_over(from: &mut Vec<Entry>, to: &mut Vec<Entry>, step: &UndoStep) {
        match to.last_mut() {
            Some(last) if last.group == step.group => last.extend(step),
            _ => {
                from.pop();
                to.push(Entry::of(step));
            }
        }
    }
}

impl Entry {
    fn of(step: &UndoStep) -> Self {
        let mut entry = Self {
            first: step.key,
            group: step.group,
            origin: step.origin,
            last_ms: step.at_ms,
            end: 0,
            start: 0,
            deletes: step.inserted_len == 0,
            ends_in_space: false,
        };
        entry.extend(step);
        entry
    }

    fn extend(&mut self, step: &UndoStep) {
        self.last_ms = step.at_ms;
        self.start = step.position;
        self.end = step.position + step.inserted_len;
        self.ends_in_space = step.ends_in_space;
    }

    fn is_joined_by(&self, step: &UndoStep) -> bool {
        if self.origin != step.origin || self.group != step.group {
            return false;
        }
        let whole_act = matches!(step.origin, Origin::Restore | Origin::FileAction);
        if whole_act || step.at_ms == self.last_ms {
            return true;
        }
        if step.at_ms.saturating_sub(self.last_ms) > PAUSE_MS || step.n_lines > 0 {
            return false;
        }
        match (self.deletes, step.deleted, step.inserted_len) {
            // Typing on, up to the beginning of the next word.
            (false, 0, n) if n > 0 => step.position == self.end && (step.begins_with_space || !self.ends_in_space),
            // Backspace or Delete held down.
            (true, n, 0) if n > 0 => step.position + n == self.start || step.position == self.start,
            _ => false,
        }
    }
}
