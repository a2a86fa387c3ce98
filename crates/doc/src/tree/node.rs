//! One file through its events. Must give the same whatever the order in which they came.

use super::{TreeAuthor, TreeEvent};
use codesync_base::{BlobHash, Change, FileId, FileKind, FileMeta, LogId, RelPath, StepKey, TextSource};
use std::sync::Arc;

/// A file or folder as it is at one moment.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    pub file: FileId,
    /// Where it is: no two files share a path, not even in different case. Folders may, and are then one.
    /// Of a removed file, where it wanted to be.
    pub path: RelPath,
    /// Where it was put. Differs from `path` when another file was there first.
    pub wanted_path: RelPath,
    pub kind: FileKind,
    pub meta: FileMeta,
    /// The log that gave it its permissions.
    pub mode_by: LogId,
    /// Its bytes and their number, if it was ever kept whole.
    pub content: Option<(BlobHash, u64)>,
    /// The first content of a file created as text.
    pub base: Option<Base>,
    pub alive: bool,
    /// Its newest removal, unless it is alive.
    pub removed: Option<Removed>,
    pub created: StepKey,
}

/// What a text began as.
#[derive(Clone, PartialEq, Debug)]
pub struct Base {
    pub text: TextSource,
    /// The step that created it.
    pub key: StepKey,
}

/// When a file was removed, and by whom.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Removed {
    pub key: StepKey,
    pub at_ms: u64,
    pub author: TreeAuthor,
}

/// What a node claims in the tree: who was created first keeps a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Claim {
    pub created: StepKey,
    pub path: RelPath,
    pub is_folder: bool,
}

impl Node {
    pub(super) fn claim(&self) -> Option<Claim> {
        let is_folder = self.kind == FileKind::Folder;
        self.alive.then(|| Claim { created: self.created, path: self.wanted_path.clone(), is_folder })
    }

    /// What a user can see of it.
    pub(super) fn visible(&self) -> (bool, &RelPath, FileKind, &FileMeta, Option<(BlobHash, u64)>) {
        (self.alive, &self.wanted_path, self.kind, &self.meta, self.content)
    }

    fn created(event: &TreeEvent) -> Option<Self> {
        let Change::Create { path, kind, meta, content } = &*event.change else { return None };
        let (base, bytes) = match (kind, content) {
            (FileKind::Text, Some(text)) => (Some(Base { text: text.clone(), key: event.key }), None),
            (_, Some(source)) => (None, Some(whole(source))),
            (_, None) => (None, None),
        };
        Some(Self {
            file: event.file,
            path: path.clone(),
            wanted_path: path.clone(),
            kind: *kind,
            meta: meta.clone(),
            mode_by: event.author.log,
            content: bytes,
            base,
            alive: !event.is_void,
            removed: None,
            created: event.key,
        })
    }

    fn apply(&mut self, event: &TreeEvent) {
        match &*event.change {
            Change::Move { path } => self.put(path),
            Change::Revive { path } => {
                self.put(path);
                self.alive = true;
                self.removed = None;
            }
            Change::Remove => {
                // Of two removals the first is the one that took it away.
                if self.alive {
                    self.removed = Some(Removed { key: event.key, at_ms: event.at_ms, author: event.author });
                }
                self.alive = false;
                self.path = self.wanted_path.clone();
            }
            Change::Content { blob, length_bytes } => self.content = Some((*blob, *length_bytes)),
            Change::Meta { meta } => {
                if meta.mode != self.meta.mode {
                    self.mode_by = event.author.log;
                }
                self.meta = meta.clone();
            }
            Change::Kind { kind } => self.kind = *kind,
            // A file is created once; a second creation under its id is nobody's honest work.
            Change::Create { .. }
            | Change::Text(_)
            | Change::Moment { .. }
            | Change::Session { .. }
            | Change::Access(_)
            | Change::Chat(_)
            | Change::Color { .. } => {}
        }
    }

    fn put(&mut self, path: &RelPath) {
        self.wanted_path = path.clone();
        self.path = path.clone();
    }
}

fn whole(source: &TextSource) -> (BlobHash, u64) {
    match source {
        TextSource::Inline(text) => (BlobHash::of(text.as_bytes()), text.len() as u64),
        TextSource::Blob { hash, length } => (*hash, u64::from(*length)),
    }
}

/// The path that a change asks for.
pub(super) fn wanted_path(change: &Change) -> Option<&RelPath> {
    match change {
        Change::Create { path, .. } | Change::Move { path } | Change::Revive { path } => Some(path),
        _ => None,
    }
}

/// A file's events in canonical order, and what they make of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    pub node: Option<Node>,
    history: Vec<Arc<TreeEvent>>,
}

impl Entry {
    /// Takes in an event, and gives it as kept, followed by those whose old path it changed.
    pub fn apply(&mut self, event: Arc<TreeEvent>) -> Vec<Arc<TreeEvent>> {
        let idx = self.history.partition_point(|known| known.key < event.key);
        self.history.insert(idx, event);
        let is_late = idx + 1 < self.history.len();
        let mut updated = self.replay(if is_late { 0 } else { idx });
        let own = self.history[idx].clone();
        updated.retain(|event| event.key != own.key);
        updated.insert(0, own);
        updated
    }

    /// For a tree whose index is yet to be made.
    pub fn put_where_wanted(&mut self) {
        if let Some(node) = &mut self.node {
            node.path = node.wanted_path.clone();
        }
    }

    /// Forgets what happened from a moment on.
    pub fn truncate(&mut self, from: StepKey) {
        self.history.truncate(self.history.partition_point(|event| event.key < from));
        self.replay(0);
    }

    /// Replays from an event on, and gives those whose old path turned out to be another.
    fn replay(&mut self, from: usize) -> Vec<Arc<TreeEvent>> {
        let path_now = self.node.as_ref().map(|node| node.path.clone());
        if from == 0 {
            self.node = None;
        }
        let mut updated = Vec::new();
        for event in &mut self.history[from..] {
            let old_path = self.node.as_ref().map(|node| &node.wanted_path);
            if event.old_path.as_ref() != old_path {
                Arc::make_mut(event).old_path = old_path.cloned();
                updated.push(event.clone());
            }
            match &mut self.node {
                Some(node) => node.apply(event),
                None => self.node = Node::created(event),
            }
        }
        // The tree tells where it ends up; until then it is where it was.
        if let (Some(node), Some(path)) = (&mut self.node, path_now)
            && node.alive
        {
            node.path = path;
        }
        updated
    }
}
