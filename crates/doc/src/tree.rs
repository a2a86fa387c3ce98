//! The file tree: what every file was called, was, and is, from steps in any order of arrival. The state is
//! that of the steps replayed in canonical order; it must never depend on when they came.

mod index;
mod node;

pub use node::{Base, Node, Removed};

use codesync_base::{Change, FileId, FileKind, LogId, RelPath, StepKey};
use index::Index;
use node::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// By whom a change of the tree came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TreeAuthor {
    pub log: LogId,
    /// Another program did it, seen by the device of `log`.
    pub disk: bool,
}

/// A step that changed the tree, or tried to.
#[derive(Clone, PartialEq, Debug)]
pub struct TreeEvent {
    pub key: StepKey,
    pub at_ms: u64,
    pub author: TreeAuthor,
    pub file: FileId,
    pub change: Arc<Change>,
    /// The path that the file wanted before.
    pub old_path: Option<RelPath>,
    /// A creation that does not count: others may have named the file, so it is known, and not there.
    pub is_void: bool,
}

/// What a folder shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Child {
    pub name: String,
    pub path: RelPath,
    pub kind: ChildKind,
    /// None for a folder that is there only because files are in it.
    pub file: Option<FileId>,
}

/// Folders come first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ChildKind {
    Folder,
    Text,
    Binary,
}

#[derive(Debug, Default)]
pub struct Tree {
    /// Shared with the trees of past moments, which use a first part of them.
    events: Arc<Vec<Arc<TreeEvent>>>,
    n_events: usize,
    state: Arc<State>,
    /// The moments asked for last, each with how many events made it: the next one is often close by.
    moments: Mutex<Vec<(usize, Arc<State>)>>,
}

#[derive(Clone, Debug, Default)]
struct State {
    entries: BTreeMap<FileId, Arc<Entry>>,
    index: Index,
    /// Files whose path became another since [`Tree::take_moved`].
    moved: Vec<FileId>,
    /// Between [`Tree::begin_reading`] and [`Tree::end_reading`].
    is_reading: bool,
}

/// Moments kept for reuse: the two ends of a comparison.
const MOMENTS_MAX: usize = 2;

impl Clone for Tree {
    fn clone(&self) -> Self {
        Self {
            events: self.events.clone(),
            n_events: self.n_events,
            state: self.state.clone(),
            moments: Mutex::default(),
        }
    }
}

impl Tree {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a step, early or late, and says whether what the file is now changed. Changes that are not
    /// about the tree (text, moments, sessions) are not for it and change nothing.
    pub fn apply(&mut self, key: StepKey, at_ms: u64, author: TreeAuthor, file: FileId, change: &Change) -> bool {
        if matches!(
            change,
            Change::Text(_)
                | Change::Moment { .. }
                | Change::Session { .. }
                | Change::Access(_)
                | Change::Chat(_)
                | Change::Color { .. }
        ) {
            return false;
        }
        let change = Arc::new(change.clone());
        self.take_in(TreeEvent { key, at_ms, author, file, change, old_path: None, is_void: false })
    }

    /// Takes in a step that does not count. A file that it creates is known by its id from then on, and not there; all
    /// else it says is passed over.
    pub fn apply_void(&mut self, key: StepKey, at_ms: u64, author: TreeAuthor, file: FileId, change: &Change) {
        if matches!(change, Change::Create { .. }) {
            let change = Arc::new(change.clone());
            self.take_in(TreeEvent { key, at_ms, author, file, change, old_path: None, is_void: true });
        }
    }

    /// Much comes, as when a history is read. Who is at which path is found out once, by [`Self::end_reading`]: until then it
    /// is not known.
    pub fn begin_reading(&mut self) {
        Arc::make_mut(&mut self.state).is_reading = true;
    }

    pub fn end_reading(&mut self) {
        let state = Arc::make_mut(&mut self.state);
        state.is_reading = false;
        state.make_index();
    }

    fn take_in(&mut self, event: TreeEvent) -> bool {
        let (key, file) = (event.key, event.file);
        // Mostly the newest: the search touches little memory then.
        let is_newest = self.events().last().is_none_or(|last| last.key < key);
        let idx = if is_newest { self.n_events } else { self.events().partition_point(|event| event.key < key) };
        if self.events().get(idx).is_some_and(|event| event.key == key) {
            return false;
        }
        let event = Arc::new(event);
        let before = self.state.entries.get(&file).and_then(|entry| entry.node.clone());
        let updated = Arc::make_mut(&mut self.state).apply(event);
        let after = self.get(&file);
        let changed = before.as_ref().map(Node::visible) != after.map(Node::visible);
        self.insert_event(idx, updated);
        self.moments.get_mut().unwrap_or_else(PoisonError::into_inner).retain(|(n_events, _)| *n_events <= idx);
        changed
    }

    /// Files whose path became another by the last steps, also those that were only in the way of another: of
    /// two that want one path the younger is shown beside it, and gets it when the older goes.
    pub fn take_moved(&mut self) -> Vec<FileId> {
        std::mem::take(&mut Arc::make_mut(&mut self.state).moved)
    }

    /// Puts the first of `updated` in at `idx`; the others replace what is there under their keys.
    fn insert_event(&mut self, idx: usize, updated: Vec<Arc<TreeEvent>>) {
        if self.n_events < self.events.len() {
            self.events = Arc::new(self.events().to_vec());
        }
        let events = Arc::make_mut(&mut self.events);
        let mut updated = updated.into_iter();
        if let Some(event) = updated.next() {
            events.insert(idx, event);
        }
        for event in updated {
            if let Ok(at) = events.binary_search_by(|known| known.key.cmp(&event.key)) {
                events[at] = event;
            }
        }
        self.n_events = events.len();
    }

    /// A file that was ever created, removed or not.
    pub fn get(&self, file: &FileId) -> Option<&Node> {
        self.state.get(file)
    }

    /// All files that were ever created, removed or not, by id.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.state.entries.values().filter_map(|entry| entry.node.as_ref())
    }

    /// The file, or folder of its own, at a path now.
    pub fn by_path(&self, path: &RelPath) -> Option<&Node> {
        self.get(&self.state.index.by_path(path)?)
    }

    /// All that is there now, by path.
    pub fn alive(&self) -> impl Iterator<Item = &Node> {
        self.state.index.alive().filter_map(|file| self.get(&file))
    }

    /// The folders of their own that are there now, by id.
    pub fn folders(&self) -> impl Iterator<Item = &Node> {
        self.state.index.folders().filter_map(|file| self.get(&file))
    }

    /// How many files are there now.
    pub fn n_files(&self) -> usize {
        self.state.index.n_files()
    }

    /// What is directly in a folder, or in the workspace itself: folders first, then by name.
    pub fn children(&self, folder: Option<&RelPath>) -> Vec<Child> {
        let mut children: Vec<Child> = Vec::new();
        for (path, file, is_below) in self.state.index.children(folder) {
            let node = file.and_then(|file| self.get(&file));
            let kind = match node.map(|node| node.kind) {
                Some(FileKind::Text) if !is_below => ChildKind::Text,
                Some(FileKind::Binary) if !is_below => ChildKind::Binary,
                _ => ChildKind::Folder,
            };
            children.push(Child { name: path.name().to_owned(), path, kind, file });
        }
        children.sort_by_cached_key(|child| {
            (child.kind != ChildKind::Folder, child.name.to_lowercase(), child.name.clone())
        });
        children
    }

    /// All that is in a folder, at any depth, and the folder's own node.
    pub fn within(&self, folder: &RelPath) -> Vec<&Node> {
        self.state.index.within(folder).into_iter().filter_map(|file| self.get(&file)).collect()
    }

    /// Files that were removed, newest removal first.
    pub fn removed(&self) -> Vec<&Node> {
        let nodes = self.state.entries.values().filter_map(|entry| entry.node.as_ref());
        let mut removed: Vec<&Node> = nodes.filter(|node| node.removed.is_some()).collect();
        removed.sort_by_key(|node| std::cmp::Reverse(node.removed.map(|removed| removed.key)));
        removed
    }

    /// The file that is at this path or, with none there, the one that was last.
    pub fn past_path(&self, path: &RelPath) -> Option<FileId> {
        let now = self.by_path(path).map(|node| node.file);
        now.or_else(|| {
            let named = |event: &&Arc<TreeEvent>| node::wanted_path(&event.change) == Some(path);
            self.events().iter().rev().find(named).map(|event| event.file)
        })
    }

    /// The tree as it was right after a step; empty for none.
    pub fn at(&self, key: Option<StepKey>) -> Tree {
        let n_events = key.map_or(0, |key| self.events().partition_point(|event| event.key <= key));
        let state = if n_events == self.n_events { self.state.clone() } else { self.state_after(n_events) };
        Tree { events: self.events.clone(), n_events, state, moments: Mutex::default() }
    }

    /// The state after the first `n_events`, from the nearest that is known.
    fn state_after(&self, n_events: usize) -> Arc<State> {
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.n_events, &self.state);
        let known = moments.iter().map(|(n, state)| (*n, state)).chain([now]);
        // Change by change costs about twice what building the whole does.
        let near =
            known.min_by_key(|(n, _)| n.abs_diff(n_events)).filter(|(n, _)| 2 * n.abs_diff(n_events) <= n_events);
        let state = match near {
            Some((n, state)) if n == n_events => state.clone(),
            Some((n, state)) if n < n_events => Arc::new(state.forward(&self.events[n..n_events])),
            Some((n, state)) => Arc::new(state.back(&self.events[n_events..n])),
            None => Arc::new(State::replayed(&self.events[..n_events])),
        };
        moments.retain(|(n, _)| *n != n_events);
        moments.insert(0, (n_events, state.clone()));
        moments.truncate(MOMENTS_MAX);
        state
    }

    /// All that happened to the tree, in canonical order.
    pub fn events(&self) -> &[Arc<TreeEvent>] {
        &self.events[..self.n_events]
    }
}

impl State {
    fn get(&self, file: &FileId) -> Option<&Node> {
        self.entries.get(file)?.node.as_ref()
    }

    /// The event as kept, then others of this file whose old path it changed.
    fn apply(&mut self, event: Arc<TreeEvent>) -> Vec<Arc<TreeEvent>> {
        self.change(event.file, |entry| entry.apply(event))
    }

    fn change<T>(&mut self, file: FileId, change: impl FnOnce(&mut Entry) -> T) -> T {
        let entry = Arc::make_mut(self.entries.entry(file).or_default());
        let before = entry.node.as_ref().and_then(Node::claim);
        let result = change(entry);
        let after = entry.node.as_ref().and_then(Node::claim);
        if before != after && !self.is_reading {
            let moved = self.index.replace(file, before, after);
            self.set_paths(moved);
        }
        result
    }

    /// The state after these events, which follow it.
    fn forward(&self, events: &[Arc<TreeEvent>]) -> State {
        let mut state = self.clone();
        for event in events {
            state.apply(event.clone());
        }
        state
    }

    /// The state before these events, which are the last it has.
    fn back(&self, events: &[Arc<TreeEvent>]) -> State {
        let mut state = self.clone();
        let Some(first) = events.first() else { return state };
        let files: BTreeSet<FileId> = events.iter().map(|event| event.file).collect();
        for file in files {
            state.change(file, |entry| entry.truncate(first.key));
        }
        state
    }

    /// The state after these events, which are in canonical order and carry their old paths.
    fn replayed(events: &[Arc<TreeEvent>]) -> Self {
        let mut state = Self::default();
        for event in events {
            let entry = Arc::make_mut(state.entries.entry(event.file).or_default());
            entry.apply(event.clone());
        }
        state.make_index();
        state
    }

    /// Finds out anew who is at which path.
    fn make_index(&mut self) {
        let is_elsewhere = |node: &Node| node.path != node.wanted_path;
        let elsewhere = self.entries.values_mut().filter(|entry| entry.node.as_ref().is_some_and(is_elsewhere));
        elsewhere.for_each(|entry| Arc::make_mut(entry).put_where_wanted());
        let nodes = self.entries.values().filter_map(|entry| entry.node.as_ref());
        let (index, moved) = Index::new(nodes.filter_map(|node| Some((node.file, node.claim()?))).collect());
        self.index = index;
        self.set_paths(moved);
    }

    fn set_paths(&mut self, moved: Vec<(FileId, RelPath)>) {
        for (file, path) in moved {
            let Some(entry) = self.entries.get_mut(&file) else { continue };
            if entry.node.as_ref().is_some_and(|node| node.path != path)
                && let Some(node) = Arc::make_mut(entry).node.as_mut()
            {
                node.path = path;
                self.moved.push(file);
            }
        }
    }
}

#[cfg(test)]
mod tests;
