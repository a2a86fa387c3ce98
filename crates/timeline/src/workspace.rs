//! All changes of all files of a workspace in canonical order, held compactly.

use crate::bursts::Beat;
use crate::deltas::{DeltaInfo, Deltas};
use crate::{AuthorIdx, GroupKey, StepInfo, View};
use codesync_base::{Change, DeltaKey, StepKey};

/// A file, as an index into the caller's list of files.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileIdx(pub u32);

/// What kind of change an entry is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EntryKind {
    Text,
    Create,
    Move,
    Remove,
    Revive,
    Content,
    Meta,
    Kind,
    /// A mark, not a change.
    Moment,
    /// A mark, not a change.
    Session,
}

impl EntryKind {
    /// Whether it changes a file, and so makes a moment of its own. The others are marks.
    pub fn is_change(self) -> bool {
        !matches!(self, EntryKind::Moment | EntryKind::Session)
    }

    /// Whether it changes what is in a file.
    pub fn is_content(self) -> bool {
        matches!(self, EntryKind::Text | EntryKind::Content)
    }
}

impl From<&Change> for EntryKind {
    fn from(change: &Change) -> Self {
        match change {
            Change::Text(_) => EntryKind::Text,
            Change::Create { .. } => EntryKind::Create,
            Change::Move { .. } => EntryKind::Move,
            Change::Remove => EntryKind::Remove,
            Change::Revive { .. } => EntryKind::Revive,
            Change::Content { .. } => EntryKind::Content,
            Change::Meta { .. } => EntryKind::Meta,
            Change::Kind { .. } => EntryKind::Kind,
            Change::Moment { .. } => EntryKind::Moment,
            Change::Session { .. } => EntryKind::Session,
        }
    }
}

/// A change to be entered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewEntry {
    pub info: StepInfo,
    /// None for marks.
    pub file: Option<FileIdx>,
    pub kind: EntryKind,
    /// UTF-16 units.
    pub added: u32,
    pub removed: u32,
}

/// A change as it stands in the timeline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    pub info: StepInfo,
    pub file: Option<FileIdx>,
    pub kind: EntryKind,
    pub added: u32,
    pub removed: u32,
    /// For text: which step of its file's [`crate::FileTimeline`] this is, from 1. For all others: how many
    /// text steps that file had before.
    pub file_step: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub at_ms: u64,
    pub delta: u32,
    pub step_idx: u32,
    /// `u32::MAX` for none.
    pub file: u32,
    pub added: u32,
    pub removed: u32,
    pub file_step: u32,
    pub kind: EntryKind,
}

const NO_FILE: u32 = u32::MAX;

/// Everything that happened, in the one order. Entries are numbered from 0.
#[derive(Clone, Debug, Default)]
pub struct WorkspaceTimeline {
    pub(crate) rows: Vec<Row>,
    pub(crate) deltas: Deltas,
    /// Text steps of each file.
    n_text_steps: Vec<u32>,
    /// Bumped whenever entries that were there move or change, which makes views stale.
    generation: u64,
}

impl WorkspaceTimeline {
    pub fn new() -> Self {
        Self::default()
    }

    /// Enters a change where its key belongs: at the end mostly, in between when it arrives late. Gives
    /// its number. Several late ones cost less through [`Self::insert_all`].
    pub fn push(&mut self, new: &NewEntry) -> usize {
        let place = self.place_of(&new.info.key);
        let row = self.row_of(new);
        self.rows.insert(place, row);
        if place + 1 == self.rows.len() {
            self.number(place);
        } else {
            self.renumber();
        }
        place
    }

    /// Enters changes in one pass, each where its key belongs; gives the lowest number among them.
    pub fn insert_all(&mut self, new: &[NewEntry]) -> Option<usize> {
        let mut new: Vec<&NewEntry> = new.iter().collect();
        new.sort_by_key(|entry| entry.info.key);
        let first = self.place_of(&new.first()?.info.key);
        let is_late = first < self.rows.len();
        let mut late = self.rows.split_off(first).into_iter().peekable();
        for entry in new {
            let row = self.row_of(entry);
            while let Some(old) = late.next_if(|old| self.key_of(old) <= entry.info.key) {
                self.rows.push(old);
            }
            self.rows.push(row);
        }
        self.rows.extend(late);
        if is_late {
            self.renumber();
        } else {
            (first..self.rows.len()).for_each(|idx| self.number(idx));
        }
        Some(first)
    }

    pub fn n_entries(&self) -> usize {
        self.rows.len()
    }

    /// Entry `idx` of `0..n_entries()`.
    ///
    /// # Panics
    /// When there is no such entry.
    pub fn entry(&self, idx: usize) -> Entry {
        let row = &self.rows[idx];
        let delta = self.deltas.get(row.delta);
        let info = StepInfo {
            key: StepKey { delta: delta.key, step_idx: row.step_idx },
            at_ms: row.at_ms,
            author: delta.author,
            origin: delta.origin,
            group: delta.group,
        };
        let file = (row.file != NO_FILE).then_some(FileIdx(row.file));
        Entry { info, file, kind: row.kind, added: row.added, removed: row.removed, file_step: row.file_step }
    }

    /// Number of entries at or before a key.
    pub fn place_of(&self, key: &StepKey) -> usize {
        if self.rows.last().is_none_or(|last| self.key_of(last) <= *key) {
            return self.rows.len();
        }
        self.rows.partition_point(|row| self.key_of(row) <= *key)
    }

    /// The entry with exactly this key.
    pub fn find_key(&self, key: &StepKey) -> Option<usize> {
        let idx = self.place_of(key).checked_sub(1)?;
        (self.key_of(&self.rows[idx]) == *key).then_some(idx)
    }

    /// Keys of the deltas that have an entry, with the number of their first one, in order.
    pub fn deltas(&self) -> impl Iterator<Item = (usize, DeltaKey)> + '_ {
        let starts = move |idx: &usize| *idx == 0 || self.rows[idx - 1].delta != self.rows[*idx].delta;
        (0..self.rows.len()).filter(starts).map(|idx| (idx, self.deltas.key(self.rows[idx].delta)))
    }

    /// Entries of one act, in order.
    pub fn entries_of_group(&self, group: &GroupKey) -> Vec<usize> {
        let of_group: Vec<bool> = (0..self.deltas.len()).map(|idx| self.deltas.group(idx as u32) == *group).collect();
        (0..self.rows.len()).filter(|idx| of_group[self.rows[*idx].delta as usize]).collect()
    }

    /// Marks (named moments, sessions) in order.
    pub fn marks(&self) -> Vec<usize> {
        (0..self.rows.len()).filter(|idx| !self.rows[*idx].kind.is_change()).collect()
    }

    /// Corrects what a text step of a file counts, after a late delta changed what it did.
    pub fn set_counts(&mut self, idx: usize, added: u32, removed: u32) {
        let row = &mut self.rows[idx];
        (row.added, row.removed) = (added, removed);
    }

    /// The moments of those files for which `is_in_scope` says so.
    pub fn view(&self, is_in_scope: impl FnMut(FileIdx) -> bool) -> View {
        View::new(self, EntryKind::is_change, is_in_scope)
    }

    /// Only what changed the content of those files: text steps, and versions of files kept whole.
    pub fn content_view(&self, is_in_scope: impl FnMut(FileIdx) -> bool) -> View {
        View::new(self, EntryKind::is_content, is_in_scope)
    }

    /// Changes whenever views made before no longer fit (a late entry came in). Appending does not.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Bytes held.
    pub fn n_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Row>() + self.deltas.n_bytes()
    }

    pub(crate) fn file_of(&self, idx: usize) -> Option<FileIdx> {
        let file = self.rows[idx].file;
        (file != NO_FILE).then_some(FileIdx(file))
    }

    pub(crate) fn author_of(&self, idx: usize) -> AuthorIdx {
        self.deltas.author(self.rows[idx].delta)
    }

    pub(crate) fn beat_of(&self, idx: usize) -> Beat {
        Beat { delta: self.rows[idx].delta, at_ms: self.rows[idx].at_ms }
    }

    pub(crate) fn ordering_ms(&self, idx: usize) -> u64 {
        self.deltas.ordering_ms(self.rows[idx].delta, self.rows[idx].at_ms)
    }

    pub(crate) fn key_of(&self, row: &Row) -> StepKey {
        StepKey { delta: self.deltas.key(row.delta), step_idx: row.step_idx }
    }

    fn row_of(&mut self, new: &NewEntry) -> Row {
        let info = &new.info;
        let delta = self.deltas.intern(&DeltaInfo {
            key: info.key.delta,
            author: info.author,
            origin: info.origin,
            group: info.group,
        });
        Row {
            at_ms: info.at_ms,
            delta,
            step_idx: info.key.step_idx,
            file: new.file.map_or(NO_FILE, |file| file.0),
            added: new.added,
            removed: new.removed,
            file_step: 0,
            kind: new.kind,
        }
    }

    /// Gives the entry its number within its file; those before it have theirs.
    fn number(&mut self, idx: usize) {
        let row = &mut self.rows[idx];
        if row.file == NO_FILE {
            return;
        }
        let file = row.file as usize;
        if self.n_text_steps.len() <= file {
            self.n_text_steps.resize(file + 1, 0);
        }
        if row.kind == EntryKind::Text {
            self.n_text_steps[file] += 1;
        }
        row.file_step = self.n_text_steps[file];
    }

    fn renumber(&mut self) {
        self.n_text_steps.clear();
        (0..self.rows.len()).for_each(|idx| self.number(idx));
        self.generation += 1;
    }
}

#[cfg(test)]
mod tests;
