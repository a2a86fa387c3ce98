//! All changes of all files of a workspace in canonical order, held compactly.

use crate::bursts::Beat;
use crate::column::Column;
use crate::deltas::{DeltaInfo, Deltas};
use crate::{AuthorIdx, GroupKey, StepInfo, View};
use codesync_base::{Change, DeltaHash, DeltaKey, StepKey};

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
    /// Each at the place of its number.
    const ALL: [Self; 10] = [
        Self::Text,
        Self::Create,
        Self::Move,
        Self::Remove,
        Self::Revive,
        Self::Content,
        Self::Meta,
        Self::Kind,
        Self::Moment,
        Self::Session,
    ];

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
            Change::Session { .. } | Change::Access(_) | Change::Chat(_) | Change::Color { .. } => EntryKind::Session,
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

#[derive(Clone, Copy, Debug)]
struct Row {
    at_ms: u64,
    delta: u32,
    step_idx: u32,
    /// `u32::MAX` for none.
    file: u32,
    added: u32,
    removed: u32,
    kind: EntryKind,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    at_ms: Column,
    delta: Column,
    step_idx: Column,
    file: Column,
    added: Column,
    removed: Column,
    file_step: Column,
    kind: Column,
}

impl Rows {
    fn push(&mut self, row: &Row, file_step: u32) {
        self.at_ms.push(row.at_ms);
        self.delta.push(u64::from(row.delta));
        self.step_idx.push(u64::from(row.step_idx));
        self.file.push(u64::from(row.file));
        self.added.push(u64::from(row.added));
        self.removed.push(u64::from(row.removed));
        self.file_step.push(u64::from(file_step));
        self.kind.push(row.kind as u64);
    }

    fn get(&self, idx: usize) -> Row {
        Row {
            at_ms: self.at_ms.get(idx),
            delta: self.delta.get_u32(idx),
            step_idx: self.step_idx.get_u32(idx),
            file: self.file.get_u32(idx),
            added: self.added.get_u32(idx),
            removed: self.removed.get_u32(idx),
            kind: self.kind(idx),
        }
    }

    pub fn kind(&self, idx: usize) -> EntryKind {
        EntryKind::ALL[self.kind.get(idx) as usize]
    }

    /// Units added and removed.
    pub fn counts(&self, idx: usize) -> (u64, u64) {
        (self.added.get(idx), self.removed.get(idx))
    }

    fn len(&self) -> usize {
        self.at_ms.len()
    }

    fn n_bytes(&self) -> usize {
        let Self { at_ms, delta, step_idx, file, added, removed, file_step, kind } = self;
        let columns = [at_ms, delta, step_idx, file, added, removed, file_step, kind];
        columns.into_iter().map(Column::n_bytes).sum()
    }

    /// Takes off all rows from `first` on.
    fn split_off(&mut self, first: usize) -> Vec<Row> {
        let rows: Vec<Row> = (first..self.len()).map(|idx| self.get(idx)).collect();
        if !rows.is_empty() {
            let Self { at_ms, delta, step_idx, file, added, removed, file_step, kind } = self;
            for column in [at_ms, delta, step_idx, file, added, removed, file_step, kind] {
                column.truncate(first);
            }
        }
        rows
    }
}

const NO_FILE: u32 = u32::MAX;

/// Everything that happened, in the one order. Entries are numbered from 0.
#[derive(Clone, Debug, Default)]
pub struct WorkspaceTimeline {
    pub(crate) rows: Rows,
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
        let late = self.rows.split_off(place);
        self.enter(&row);
        if !late.is_empty() {
            late.iter().for_each(|row| self.enter(row));
            self.renumber();
        }
        place
    }

    /// Enters changes in one pass, each where its key belongs; gives the lowest number among them.
    pub fn insert_all(&mut self, new: &[NewEntry]) -> Option<usize> {
        let mut new: Vec<&NewEntry> = new.iter().collect();
        new.sort_by_key(|entry| entry.info.key);
        let first = self.place_of(&new.first()?.info.key);
        let mut late = self.rows.split_off(first).into_iter().peekable();
        let is_late = late.peek().is_some();
        for entry in new {
            let row = self.row_of(entry);
            while let Some(old) = late.next_if(|old| self.key_of(old) <= entry.info.key) {
                self.enter(&old);
            }
            self.enter(&row);
        }
        late.for_each(|row| self.enter(&row));
        if is_late {
            self.renumber();
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
        let row = self.rows.get(idx);
        let delta = self.deltas.get(row.delta);
        let info = StepInfo {
            key: StepKey { delta: delta.key, step_idx: row.step_idx },
            at_ms: row.at_ms,
            author: delta.author,
            origin: delta.origin,
            group: delta.group,
        };
        let file = (row.file != NO_FILE).then_some(FileIdx(row.file));
        Entry {
            info,
            file,
            kind: row.kind,
            added: row.added,
            removed: row.removed,
            file_step: self.rows.file_step.get_u32(idx),
        }
    }

    /// [`Entry::kind`] of an entry.
    pub fn kind_of(&self, idx: usize) -> EntryKind {
        self.rows.kind(idx)
    }

    /// [`Entry::file_step`] of an entry.
    pub fn file_step(&self, idx: usize) -> u32 {
        self.rows.file_step.get_u32(idx)
    }

    /// Number of entries at or before a key.
    pub fn place_of(&self, key: &StepKey) -> usize {
        let n = self.rows.len();
        if n == 0 || self.is_at_or_before(n - 1, key) {
            return n;
        }
        let (mut low, mut high) = (0, n);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.is_at_or_before(middle, key) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// A delta entered without its hash is known by its log and number.
    fn is_at_or_before(&self, idx: usize, key: &StepKey) -> bool {
        let mut own = self.key_at(idx);
        if own.delta.hash == DeltaHash::ZERO {
            own.delta.hash = key.delta.hash;
        }
        own <= *key
    }

    /// The entry with exactly this key.
    pub fn find_key(&self, key: &StepKey) -> Option<usize> {
        let idx = self.place_of(key).checked_sub(1)?;
        (self.key_at(idx) == *key).then_some(idx)
    }

    /// Keys of the deltas that have an entry, with the number of their first one, in order.
    pub fn deltas(&self) -> impl Iterator<Item = (usize, DeltaKey)> + '_ {
        let delta = |idx: usize| self.rows.delta.get_u32(idx);
        let starts = move |idx: &usize| *idx == 0 || delta(idx - 1) != delta(*idx);
        (0..self.rows.len()).filter(starts).map(move |idx| (idx, self.deltas.key(delta(idx))))
    }

    /// Entries of one act, in order.
    pub fn entries_of_group(&self, group: &GroupKey) -> Vec<usize> {
        let of_group: Vec<bool> = (0..self.deltas.len()).map(|idx| self.deltas.group(idx as u32) == *group).collect();
        (0..self.rows.len()).filter(|idx| of_group[self.rows.delta.get(*idx) as usize]).collect()
    }

    /// Marks (named moments, sessions) in order.
    pub fn marks(&self) -> Vec<usize> {
        (0..self.rows.len()).filter(|idx| !self.rows.kind(*idx).is_change()).collect()
    }

    /// Corrects what a text step of a file counts, after a late delta changed what it did.
    pub fn set_counts(&mut self, idx: usize, added: u32, removed: u32) {
        self.rows.added.set(idx, u64::from(added));
        self.rows.removed.set(idx, u64::from(removed));
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
        self.deltas.n_bytes() + self.rows.n_bytes()
    }

    /// [`Entry::file`] of an entry.
    pub fn file_of(&self, idx: usize) -> Option<FileIdx> {
        let file = self.rows.file.get_u32(idx);
        (file != NO_FILE).then_some(FileIdx(file))
    }

    pub(crate) fn author_of(&self, idx: usize) -> AuthorIdx {
        self.deltas.author(self.rows.delta.get_u32(idx))
    }

    pub(crate) fn beat_of(&self, idx: usize) -> Beat {
        Beat { delta: self.rows.delta.get_u32(idx), at_ms: self.rows.at_ms.get(idx) }
    }

    pub(crate) fn ordering_ms(&self, idx: usize) -> u64 {
        self.deltas.ordering_ms(self.rows.delta.get_u32(idx), self.rows.at_ms.get(idx))
    }

    fn key_of(&self, row: &Row) -> StepKey {
        StepKey { delta: self.deltas.key(row.delta), step_idx: row.step_idx }
    }

    fn key_at(&self, idx: usize) -> StepKey {
        StepKey { delta: self.deltas.key(self.rows.delta.get_u32(idx)), step_idx: self.rows.step_idx.get_u32(idx) }
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
            kind: new.kind,
        }
    }

    /// Puts a row at the end; those before it have their numbers.
    fn enter(&mut self, row: &Row) {
        let file_step = self.number(row.file, row.kind);
        self.rows.push(row, file_step);
    }

    /// The number of the next entry within its file.
    fn number(&mut self, file: u32, kind: EntryKind) -> u32 {
        if file == NO_FILE {
            return 0;
        }
        let file = file as usize;
        if self.n_text_steps.len() <= file {
            self.n_text_steps.resize(file + 1, 0);
        }
        if kind == EntryKind::Text {
            self.n_text_steps[file] += 1;
        }
        self.n_text_steps[file]
    }

    fn renumber(&mut self) {
        self.n_text_steps.clear();
        self.rows.file_step = Column::default();
        for idx in 0..self.rows.len() {
            let file_step = self.number(self.rows.file.get_u32(idx), self.rows.kind(idx));
            self.rows.file_step.push(u64::from(file_step));
        }
        self.generation += 1;
    }
}

#[cfg(test)]
mod tests;
