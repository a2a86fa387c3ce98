//! The timeline of the whole workspace, with the files it numbers and the view of all of them.

use codesync_base::{Change, DeltaHash, DeltaKey, FileId, SignedDelta, StepKey, TextSource, utf16_len};
use codesync_log::{BriefStep, Outline};
use codesync_timeline::{AuthorIdx, EntryKind, FileIdx, GroupKey, NewEntry, StepInfo, View, WorkspaceTimeline};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) struct Workspace {
    pub timeline: WorkspaceTimeline,
    files: Vec<FileId>,
    index: BTreeMap<FileId, FileIdx>,
    view: Arc<View>,
    /// Made from outlines: its text steps have no hash, which is enough for drawing and for nothing else.
    pub is_brief: bool,
    /// Views of single files, which the timeline strip asks for with every frame of a drag.
    file_views: BTreeMap<FileId, Arc<View>>,
}

/// Views of single files that are kept.
const FILE_VIEWS_MAX: usize = 64;

impl Default for Workspace {
    fn default() -> Self {
        let timeline = WorkspaceTimeline::new();
        let view = Arc::new(timeline.view(|_| true));
        Self { timeline, files: Vec::new(), index: BTreeMap::new(), view, is_brief: false, file_views: BTreeMap::new() }
    }
}

impl Workspace {
    /// Enters all steps of a delta.
    pub fn push(&mut self, signed: &SignedDelta, author: AuthorIdx) {
        let mut entries = Vec::with_capacity(signed.delta.steps.len());
        self.entries_of(signed, author, &mut |entry| entries.push(entry));
        for entry in &entries {
            self.timeline.push(entry);
        }
    }

    fn entries_of(&mut self, signed: &SignedDelta, author: AuthorIdx, each: &mut dyn FnMut(NewEntry)) {
        let delta = &signed.delta;
        let group = GroupKey { log: delta.log, seq: delta.group };
        for (step_idx, step) in delta.steps.iter().enumerate() {
            let key = StepKey { delta: delta.key(signed.hash), step_idx: step_idx as u32 };
            let info = StepInfo { key, at_ms: step.at_ms, author, origin: delta.origin, group };
            let file = delta.file_of(step).map(|file| self.number(file));
            let (added, removed) = sizes(&step.change);
            each(NewEntry { info, file, kind: EntryKind::from(&step.change), added, removed });
        }
    }

    /// Enters all steps of several deltas, each where its key belongs, in one pass.
    pub fn push_all<'a>(&mut self, deltas: impl Iterator<Item = (&'a SignedDelta, AuthorIdx)>) {
        let mut entries = Vec::new();
        for (signed, author) in deltas {
            // Another question in between may have read it from the log already.
            let first = StepKey { delta: signed.delta.key(signed.hash), step_idx: 0 };
            if self.timeline.find_key(&first).is_some() {
                continue;
            }
            self.entries_of(signed, author, &mut |entry| entries.push(entry));
        }
        self.timeline.insert_all(&entries);
    }

    /// Enters all steps of a delta of which only the outline is known.
    pub fn push_outline(&mut self, outline: &Outline, steps: &[BriefStep], author: AuthorIdx) {
        let delta = DeltaKey { hlc: outline.hlc, log: outline.log, seq: outline.seq, hash: DeltaHash::ZERO };
        let group = GroupKey { log: outline.log, seq: outline.group };
        self.is_brief = true;
        for (step_idx, step) in steps.iter().enumerate() {
            let key = StepKey { delta, step_idx: step_idx as u32 };
            let info = StepInfo { key, at_ms: step.at_ms, author, origin: outline.origin, group };
            let (file, kind) = (Some(self.number(step.file)), EntryKind::Text);
            self.timeline.push(&NewEntry { info, file, kind, added: step.added, removed: step.removed });
        }
    }

    /// Brings the view of all files up to date.
    pub fn refresh(&mut self) {
        if self.view.is_stale(&self.timeline) {
            self.view = Arc::new(self.timeline.view(|_| true));
        } else if !self.view.is_complete(&self.timeline) {
            Arc::make_mut(&mut self.view).extend(&self.timeline, |_| true);
        }
    }

    /// All moments.
    pub fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// Moments of some files.
    pub fn view_of(&self, files: &BTreeSet<FileId>) -> View {
        let wanted: BTreeSet<FileIdx> = files.iter().filter_map(|file| self.index.get(file)).copied().collect();
        self.timeline.view(|file| wanted.contains(&file))
    }

    /// Moments of one file: its text steps, or the versions of a file that is kept whole.
    pub fn view_of_file(&mut self, file: &FileId) -> Arc<View> {
        let wanted = self.index.get(file).copied();
        let is_wanted = |file| Some(file) == wanted;
        if self.file_views.len() > FILE_VIEWS_MAX {
            self.file_views.clear();
        }
        let fresh = || Arc::new(self.timeline.content_view(is_wanted));
        let view = self.file_views.entry(*file).or_insert_with(fresh);
        if view.is_stale(&self.timeline) {
            *view = fresh();
        } else if !view.is_complete(&self.timeline) {
            Arc::make_mut(view).extend(&self.timeline, is_wanted);
        }
        view.clone()
    }

    pub fn n_moments(&self) -> usize {
        self.view().n_moments()
    }

    pub fn index_after(&self, key: &StepKey) -> usize {
        self.view().index_after(&self.timeline, key)
    }

    pub fn index_at_ms(&self, at_ms: u64) -> usize {
        self.view().index_at_ms(at_ms)
    }

    pub fn file(&self, index: FileIdx) -> FileId {
        self.files[index.0 as usize]
    }

    pub fn all_files(&self) -> impl Iterator<Item = FileId> + '_ {
        self.files.iter().copied()
    }

    /// Files that changed after moment `index`.
    pub fn files_from(&self, index: usize) -> BTreeSet<FileId> {
        self.files_where(index, |_| true)
    }

    /// Files whose text was edited after moment `index`.
    pub fn files_typed_from(&self, index: usize) -> BTreeSet<FileId> {
        self.files_where(index, |kind| kind == EntryKind::Text)
    }

    /// Newest first, and over as soon as no file is left: the tree asks for it while a hand drags.
    fn files_where(&self, index: usize, is_wanted: impl Fn(EntryKind) -> bool) -> BTreeSet<FileId> {
        let mut found = BTreeSet::new();
        let mut is_found = vec![false; self.files.len()];
        let entries = (index + 1..=self.n_moments()).rev().filter_map(|moment| self.view().entry_of(moment));
        for idx in entries.filter(|idx| is_wanted(self.timeline.kind_of(*idx))) {
            let Some(file) = self.timeline.file_of(idx) else { continue };
            if !std::mem::replace(&mut is_found[file.0 as usize], true) {
                found.insert(self.file(file));
                if found.len() == self.files.len() {
                    break;
                }
            }
        }
        found
    }

    fn number(&mut self, file: FileId) -> FileIdx {
        *self.index.entry(file).or_insert_with(|| {
            self.files.push(file);
            FileIdx(self.files.len() as u32 - 1)
        })
    }
}

/// UTF-16 units added and removed.
pub(crate) fn sizes(change: &Change) -> (u32, u32) {
    let length = |source: &TextSource| match source {
        TextSource::Inline(text) => utf16_len(text),
        TextSource::Blob { length, .. } => *length,
    };
    match change {
        Change::Text(step) => {
            let added = step.insert.as_ref().map_or(0, |insert| length(&insert.text));
            (added, step.delete.iter().map(|range| range.length).sum())
        }
        Change::Create { content: Some(source), .. } => (length(source), 0),
        _ => (0, 0),
    }
}
