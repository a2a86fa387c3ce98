//! Differences between two moments, file by file.

use crate::documents::parse_path;
use crate::moments::Cut;
use crate::{Engine, Now, Result};
use codesync_api::{Entry, EntryChange, FileChange, FileChangeKind, Moment, Scope};
use codesync_base::{FileId, FileKind};
use codesync_doc::{Node, Tree};
use codesync_timeline::{line_counts, unified_diff};
use std::collections::{BTreeMap, BTreeSet};

impl Engine {
    /// Files that differ between two moments; with a path, that file (or what is in that folder).
    pub(crate) fn compare(
        &mut self,
        path: Option<&str>,
        from: &Moment,
        to: &Moment,
        now: Now,
    ) -> Result<Vec<FileChange>> {
        let scope = match path {
            Some(path) => self.scope_of_path(path)?,
            None => Scope::Workspace,
        };
        let (from, to) = (self.resolve(from, &scope, now)?, self.resolve(to, &scope, now)?);
        let (tree_from, tree_to) = (self.tree_at(&from), self.tree_at(&to));
        let mut files = self.changed_since(&from)?;
        files.extend(self.changed_since(&to)?);
        if let Some(path) = path {
            let parsed = parse_path(path)?;
            let wanted: BTreeSet<FileId> = match &scope {
                Scope::File(_) => [self.file_ever_at(path)?].into(),
                _ => {
                    [&tree_from, &tree_to].iter().flat_map(|tree| tree.within(&parsed)).map(|node| node.file).collect()
                }
            };
            files.retain(|file| wanted.contains(file));
        }
        let mut changes = Vec::new();
        for file in files {
            changes.extend(self.compare_between(file, (&tree_from, &from), (&tree_to, &to))?);
        }
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(changes)
    }

    /// A file's scope, or a folder's, by what stands or stood at the path.
    pub(crate) fn scope_of_path(&self, path: &str) -> Result<Scope> {
        let parsed = parse_path(path)?;
        let is_folder = match self.tree.by_path(&parsed) {
            Some(node) => node.kind == FileKind::Folder,
            None => !self.tree.within(&parsed).is_empty(),
        };
        Ok(if is_folder { Scope::Folder(path.to_owned()) } else { Scope::File(path.to_owned()) })
    }

    /// What restoring a file would change: from the present to the moment.
    pub(crate) fn compare_file(&mut self, file: FileId, then: &Tree, cut: &Cut) -> Result<Option<FileChange>> {
        let present = self.tree.clone();
        self.compare_between(file, (&present, &Cut::Now), (then, cut))
    }

    fn compare_between(
        &mut self,
        file: FileId,
        (tree_from, from): (&Tree, &Cut),
        (tree_to, to): (&Tree, &Cut),
    ) -> Result<Option<FileChange>> {
        let old = tree_from.get(&file).filter(|node| node.alive && node.kind != FileKind::Folder);
        let new = tree_to.get(&file).filter(|node| node.alive && node.kind != FileKind::Folder);
        let (Some(shown), kind) = (new.or(old), change_kind(old, new)) else { return Ok(None) };
        let is_text = [old, new].iter().flatten().all(|node| node.kind == FileKind::Text);
        let mut change = FileChange {
            path: shown.path.to_string(),
            old_path: old.map(|node| node.path.to_string()).filter(|path| *path != shown.path.to_string()),
            kind,
            lines_added: 0,
            lines_removed: 0,
            patch: None,
        };
        let mut differs = kind != FileChangeKind::Changed;
        if is_text {
            let before = if old.is_some() { self.text_at_cut(file, from)? } else { String::new() };
            let after = if new.is_some() { self.text_at_cut(file, to)? } else { String::new() };
            differs |= before != after;
            let label = |node: Option<&Node>, side: &str| {
                node.map_or("/dev/null".to_owned(), |node| format!("{side}/{}", node.path))
            };
            let counts = line_counts(&before, &after);
            change.lines_added = counts.added;
            change.lines_removed = counts.removed;
            change.patch = Some(unified_diff(&before, &after, &label(old, "a"), &label(new, "b")));
        }
        if let (Some(old), Some(new)) = (old, new) {
            differs |= old.content != new.content || old.kind != new.kind || old.meta != new.meta;
        }
        Ok(differs.then_some(change))
    }

    /// Files that are not as they were at a cut. One deleted and brought back unchanged is.
    fn differing_since(&mut self, cut: &Cut, then: &Tree) -> Result<BTreeSet<FileId>> {
        let mut differing = self.changed_since(cut)?;
        let typed = self.typed_since(cut)?;
        differing.retain(|file| {
            let looks = |node: &Node| (node.path.clone(), node.kind, node.meta.clone(), node.content, node.alive);
            typed.contains(file) || then.get(file).map(looks) != self.tree.get(file).map(looks)
        });
        Ok(differing)
    }

    /// Entries of a folder as of a moment, each marked by how it differs from now.
    pub(crate) fn entries_at(&mut self, folder: &str, at: Option<&Moment>, now: Now) -> Result<Vec<Entry>> {
        self.settle();
        let Some(moment) = at else { return self.add_first_look(folder, Self::entries_of(&self.tree, folder)) };
        let cut = self.resolve(moment, &Scope::Workspace, now)?;
        let then = self.tree_at(&cut);
        let changed: BTreeSet<String> = self.differing_since(&cut, &then)?.iter().map(FileId::to_string).collect();
        let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
        let present = Self::entries_of(&self.tree, folder)?;
        for entry in Self::entries_of(&then, folder)? {
            let still = present.iter().any(|other| other.path == entry.path);
            let differs = entry.file_id.as_ref().is_some_and(|file| changed.contains(file));
            let change = match (still, differs) {
                (false, _) => Some(EntryChange::OnlyThen),
                (true, true) => Some(EntryChange::Differs),
                (true, false) => None,
            };
            entries.insert(entry.path.clone(), Entry { change, ..entry });
        }
        for entry in present {
            let change = Some(EntryChange::NotYet);
            entries.entry(entry.path.clone()).or_insert(Entry { change, ..entry });
        }
        let mut entries: Vec<Entry> = entries.into_values().collect();
        entries.sort_by(|a, b| a.kind.cmp(&b.kind).then_with(|| a.name.cmp(&b.name)));
        Ok(entries)
    }
}

fn change_kind(old: Option<&Node>, new: Option<&Node>) -> FileChangeKind {
    match (old, new) {
        (None, _) => FileChangeKind::Added,
        (_, None) => FileChangeKind::Removed,
        (Some(old), Some(new)) if old.path != new.path => FileChangeKind::Renamed,
        _ => FileChangeKind::Changed,
    }
}
