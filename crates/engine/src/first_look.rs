//! What somebody who was just let in looks at while a long history is on its way: texts that the peer who sends the
//! history vouches for, shown and not edited. Nothing of it is ever kept, and nothing is computed from it.

use crate::{Engine, Result};
use codesync_api::{Entry, EntryKind, Event, LineEnd, ReadOnlyReason, ViewOpened};
use codesync_auth::SnapshotDigest;
use codesync_base::{FileId, FileKind, RelPath};
use codesync_sync::{SignedTexts, limits::SNAPSHOT_FILES_MAX};
use std::collections::{BTreeMap, BTreeSet};

/// A history of fewer changes is there before anybody has looked around, if it does not wait for long contents.
const DELTAS_WORTH: u64 = 5_000;

#[derive(Default)]
pub(crate) struct FirstLook {
    texts: BTreeMap<RelPath, String>,
    views: BTreeMap<u32, RelPath>,
}

impl FirstLook {
    /// What of it is in a folder and not among these.
    fn entries_in(&self, folder: Option<&RelPath>, known: &BTreeSet<String>) -> Vec<Entry> {
        let within = |path: &RelPath| {
            std::iter::successors(Some(path.clone()), RelPath::parent).find(|path| path.parent().as_ref() == folder)
        };
        let paths: BTreeSet<(RelPath, bool)> =
            self.texts.keys().filter_map(|path| within(path).map(|child| (child.clone(), child == *path))).collect();
        let fresh = paths.into_iter().filter(|(path, _)| !known.contains(path.as_str()));
        let entry = |(path, is_file): (RelPath, bool)| Entry {
            name: path.name().to_owned(),
            path: path.to_string(),
            kind: if is_file { EntryKind::Text } else { EntryKind::Folder },
            file_id: None,
            executable: false,
            ignored: false,
            change: None,
        };
        fresh.map(entry).collect()
    }
}

impl Engine {
    /// Texts for somebody who has nothing yet, those first that are open here; at most so many bytes. Only what is at
    /// hand: nobody's history is read for it.
    pub(crate) fn texts_for_newcomer(&mut self, bytes_max: u32) -> Option<SignedTexts> {
        if self.log.n_deltas() < DELTAS_WORTH && !self.log.has_long_blobs() {
            return None;
        }
        let (mut texts, mut left_bytes) = (Vec::new(), bytes_max as usize);
        for file in self.files_by_interest() {
            let Some(path) = self.tree.get(&file).filter(|node| node.alive).map(|node| node.path.clone()) else {
                continue;
            };
            let text = match self.documents.get_mut(&file) {
                Some(document) => Some(document.text.to_string()),
                None => self.kept_text(&file).map(|(text, _)| text),
            };
            if let Some(text) = text.filter(|text| text.len() <= left_bytes)
                && texts.len() < SNAPSHOT_FILES_MAX
            {
                left_bytes -= text.len();
                texts.push((path, text));
            }
        }
        let mut digest = SnapshotDigest::new(&self.project);
        texts.iter().for_each(|(path, text)| digest.add(path.as_str(), text.as_bytes()));
        (!texts.is_empty()).then(|| (texts, digest.sign(&self.key)))
    }

    /// Text files: those shown here, those of which the history is in memory, then the others by their paths.
    fn files_by_interest(&self) -> Vec<FileId> {
        let shown = self.views.iter().rev().map(|(_, view)| view.file);
        let read = self.documents.iter().map(|(file, _)| *file);
        let mut rest: Vec<_> = self.tree.alive().filter(|node| node.kind == FileKind::Text).collect();
        rest.sort_by(|a, b| a.path.cmp(&b.path));
        let mut seen = BTreeSet::new();
        let all = shown.chain(read).chain(rest.into_iter().map(|node| node.file));
        let is_text = |file: &FileId| self.tree.get(file).is_some_and(|node| node.kind == FileKind::Text);
        all.filter(|file| is_text(file) && seen.insert(*file)).take(SNAPSHOT_FILES_MAX).collect()
    }

    /// Texts came to look at.
    pub(crate) fn begin_first_look(&mut self, texts: Vec<(RelPath, String)>) {
        self.first_look.texts.extend(texts);
        self.tell_first_look();
    }

    /// A text that is only looked at yet.
    pub(crate) fn look_at(&mut self, path: &str) -> Option<ViewOpened> {
        let path = RelPath::parse(path).ok()?;
        let text = self.first_look.texts.get(&path)?.clone();
        let view_id = self.next_view_id;
        self.next_view_id += 1;
        self.first_look.views.insert(view_id, path.clone());
        Some(ViewOpened {
            view_id,
            file_id: None,
            path: path.to_string(),
            revision: 0,
            size_bytes: text.len() as u64,
            text,
            encoding: "UTF-8".into(),
            byte_order_mark: false,
            line_end: LineEnd::Lf,
            mixed_line_ends: false,
            read_only: Some(ReadOnlyReason::Coming),
            n_moments: 0,
        })
    }

    /// Nobody looks at it any more. Says whether somebody did.
    pub(crate) fn look_away(&mut self, view_id: u32) -> bool {
        self.first_look.views.remove(&view_id).is_some()
    }

    /// What of it stands in a folder where history has nothing of that name yet.
    pub(crate) fn add_first_look(&self, folder: &str, entries: Result<Vec<Entry>>) -> Result<Vec<Entry>> {
        let parsed = if folder.is_empty() { None } else { RelPath::parse(folder).ok() };
        if self.first_look.texts.is_empty() || parsed.is_none() != folder.is_empty() {
            return entries;
        }
        let known = entries.as_deref().unwrap_or_default().iter().map(|entry| entry.path.clone()).collect();
        let more = self.first_look.entries_in(parsed.as_ref(), &known);
        if more.is_empty() {
            return entries;
        }
        let mut all = entries.unwrap_or_default();
        all.extend(more);
        all.sort_by(|a, b| a.kind.cmp(&b.kind).then_with(|| a.name.cmp(&b.name)));
        Ok(all)
    }

    /// The history is here: from now on what is shown is what it says, and can be edited.
    pub(crate) fn end_first_look(&mut self) {
        if self.first_look.texts.is_empty() {
            return;
        }
        self.tell_first_look();
        let FirstLook { views, .. } = std::mem::take(&mut self.first_look);
        for (view_id, path) in views {
            let file = self.tree.by_path(&path).filter(|node| node.kind == FileKind::Text).map(|node| node.file);
            let shown = file.map(|file| self.show_in(view_id, file));
            if !matches!(shown, Some(Ok(()))) {
                self.views.remove(&view_id);
                self.events.push(Event::ViewMoved { view_id, path: None });
            }
        }
    }

    fn tell_first_look(&mut self) {
        let folders =
            self.first_look.texts.keys().flat_map(|path| std::iter::successors(path.parent(), RelPath::parent));
        let folders: BTreeSet<String> = folders.map(|folder| folder.to_string()).chain([String::new()]).collect();
        self.events.push(Event::TreeChanged { folders: folders.into_iter().collect() });
    }
}

#[cfg(test)]
mod tests;
