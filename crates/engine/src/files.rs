//! What people do with files and folders in the explorer or on the command line.

use crate::acts::Act;
use crate::documents::parse_path;
use crate::views::with_line_feeds;
use crate::{Engine, Now, Result, not_found};
use codesync_api::{ApiError, DeletedFile, Entry, EntryKind, ErrorCode};
use codesync_base::{Change, FileId, FileKind, FileMeta, Origin, RelPath, TextSource};
use codesync_doc::{ChildKind, Tree};

impl Engine {
    pub(crate) fn create_file(&mut self, path: &str, text: &str, now: Now) -> Result<FileId> {
        let path = self.free_path(path)?;
        let content = Some(self.text_source(&with_line_feeds(text))?);
        let act = self.begin_act(Origin::FileAction);
        let file = self.create_step(act, path, FileKind::Text, FileMeta::default(), content, now)?;
        self.settle();
        self.note_unwritten(file, now);
        Ok(file)
    }

    pub(crate) fn create_folder(&mut self, path: &str, now: Now) -> Result<()> {
        let path = self.free_path(path)?;
        let act = self.begin_act(Origin::FileAction);
        self.folder_step(act, path, now)?;
        self.settle();
        Ok(())
    }

    /// Renames or moves a file or a folder.
    pub(crate) fn rename(&mut self, from: &str, to: &str, now: Now) -> Result<()> {
        let (from_path, to_path) = (parse_path(from)?, parse_path(to)?);
        if from_path == to_path {
            return Ok(());
        }
        if to_path.is_within(&from_path) {
            return Err(crate::invalid(format!("“{from}” can't be moved into itself.")));
        }
        let moving = self.at_or_within(&from_path);
        if moving.is_empty() {
            return Err(not_found(from));
        }
        // A change of case only is a rename onto itself.
        if from_path.folded() != to_path.folded() {
            self.free_path(to)?;
        }
        let act = self.begin_act(Origin::FileAction);
        for (file, path) in moving {
            let path = path.moved(&from_path, &to_path).map_err(|error| crate::invalid(error.to_string()))?;
            self.tree_step(act, file, Change::Move { path }, now);
            self.note_unwritten(file, now);
        }
        self.settle();
        self.keep_folder(act, from_path.parent(), now)?;
        Ok(())
    }

    pub(crate) fn delete(&mut self, path: &str, now: Now) -> Result<String> {
        let parsed = parse_path(path)?;
        let going = self.at_or_within(&parsed);
        if going.is_empty() {
            return Err(not_found(path));
        }
        let act = self.begin_act(Origin::FileAction);
        for (file, _) in going {
            self.tree_step(act, file, Change::Remove, now);
            self.note_unwritten(file, now);
        }
        self.settle();
        self.keep_folder(act, parsed.parent(), now)?;
        Ok(self.group_id(act))
    }

    /// A folder exists by what is in it. Whoever takes out the last file with their own hands means the file only.
    fn keep_folder(&mut self, act: Act, folder: Option<RelPath>, now: Now) -> Result<()> {
        match folder {
            Some(folder) if self.tree.within(&folder).is_empty() => {
                self.folder_step(act, folder, now)?;
                self.settle();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn folder_step(&mut self, act: Act, path: RelPath, now: Now) -> Result<()> {
        let meta = FileMeta { mode: 0o755, ..FileMeta::default() };
        let file = self.create_step(act, path, FileKind::Folder, meta, None, now)?;
        self.note_unwritten(file, now);
        Ok(())
    }

    pub(crate) fn duplicate(&mut self, path: &str, to: &str, now: Now) -> Result<()> {
        let (from_path, to_path) = (parse_path(path)?, self.free_path(to)?);
        let copied = self.at_or_within(&from_path);
        if copied.is_empty() {
            return Err(not_found(path));
        }
        let act = self.begin_act(Origin::FileAction);
        for (file, path) in copied {
            let path = path.moved(&from_path, &to_path).map_err(|error| crate::invalid(error.to_string()))?;
            let copy = self.copy_file(act, file, path, now)?;
            self.note_unwritten(copy, now);
        }
        self.settle();
        Ok(())
    }

    fn copy_file(&mut self, act: Act, file: FileId, path: RelPath, now: Now) -> Result<FileId> {
        let node = self.tree.get(&file).ok_or_else(|| not_found(path.as_str()))?;
        let (kind, meta, content) = (node.kind, node.meta.clone(), node.content);
        let content = match kind {
            FileKind::Folder => None,
            FileKind::Binary => content
                .map(|(hash, length)| TextSource::Blob { hash, length: u32::try_from(length).unwrap_or(u32::MAX) }),
            FileKind::Text => {
                let text = self.document_mut(file)?.text.to_string();
                Some(self.text_source(&text)?)
            }
        };
        self.create_step(act, path, kind, meta, content, now)
    }

    /// Brings a deleted file back to where it was.
    pub(crate) fn undelete(&mut self, file_id: &str, now: Now) -> Result<String> {
        let file: FileId = file_id.parse().map_err(|_| crate::invalid("That is not the id of a file."))?;
        let node = self.tree.get(&file).filter(|node| !node.alive).ok_or_else(|| not_found(file_id))?;
        let path = self.path_beside(node.path.clone());
        let act = self.begin_act(Origin::Restore);
        self.tree_step(act, file, Change::Revive { path: path.clone() }, now);
        self.settle();
        self.note_unwritten(file, now);
        Ok(path.to_string())
    }

    pub(crate) fn list_deleted(&mut self, limit: u32) -> Result<Vec<DeletedFile>> {
        let removed: Vec<_> = self
            .tree
            .removed()
            .into_iter()
            .filter(|node| node.kind != FileKind::Folder)
            .take(limit as usize)
            .filter_map(|node| node.removed.as_ref().map(|removal| (node.file, node.path.clone(), *removal)))
            .collect();
        removed
            .into_iter()
            .map(|(file, path, removal)| {
                let author = if removal.author.disk { "Disk".to_owned() } else { self.person_of(&removal.author.log) };
                let index_before = self.workspace_index_after(&removal.key)?.saturating_sub(1);
                Ok(DeletedFile {
                    file_id: file.to_string(),
                    path: path.to_string(),
                    deleted_ms: removal.at_ms,
                    author,
                    index_before,
                })
            })
            .collect()
    }

    /// What is directly in a folder ("" is the root) in this tree.
    pub(crate) fn entries_of(tree: &Tree, folder: &str) -> Result<Vec<Entry>> {
        let folder = if folder.is_empty() { None } else { Some(parse_path(folder)?) };
        let entries = tree.children(folder.as_ref()).into_iter().map(|child| {
            let node = child.file.and_then(|file| tree.get(&file));
            Entry {
                name: child.name.to_string(),
                path: child.path.to_string(),
                kind: match child.kind {
                    ChildKind::Folder => EntryKind::Folder,
                    ChildKind::Text => EntryKind::Text,
                    ChildKind::Binary => EntryKind::Binary,
                },
                file_id: child.file.map(|file| file.to_string()),
                executable: node.is_some_and(|node| node.kind != FileKind::Folder && node.meta.mode & 0o111 != 0),
                ignored: false,
                change: None,
            }
        });
        Ok(entries.collect())
    }

    /// The file at a path, or all files (and kept folders) at and below a folder, with their paths.
    pub(crate) fn at_or_within(&self, path: &RelPath) -> Vec<(FileId, RelPath)> {
        match self.tree.by_path(path) {
            Some(node) if node.kind != FileKind::Folder => vec![(node.file, node.path.clone())],
            _ => self.tree.within(path).iter().map(|node| (node.file, node.path.clone())).collect(),
        }
    }

    /// Parses a path at which nothing is yet.
    fn free_path(&self, path: &str) -> Result<RelPath> {
        let parsed = parse_path(path)?;
        let taken = self.tree.by_path(&parsed).is_some() || !self.tree.within(&parsed).is_empty();
        if taken {
            let sentence = format!("“{path}” is already there.");
            return Err(ApiError::new(ErrorCode::Exists, sentence));
        }
        let mut folder = parsed.parent();
        while let Some(path) = folder {
            if self.tree.by_path(&path).is_some_and(|node| node.kind != FileKind::Folder) {
                return Err(ApiError::new(
                    ErrorCode::Exists,
                    format!("“{path}” is a file, so nothing can be put in it."),
                ));
            }
            folder = path.parent();
        }
        Ok(parsed)
    }

    /// This path if it is free, else the same with a number.
    pub(crate) fn path_beside(&self, path: RelPath) -> RelPath {
        if self.free_path(path.as_str()).is_ok() {
            return path;
        }
        let (stem, ending) = match path.as_str().rsplit_once('.') {
            Some((stem, ending)) if !ending.contains('/') && !stem.ends_with('/') && !stem.is_empty() => {
                (stem, format!(".{ending}"))
            }
            _ => (path.as_str(), String::new()),
        };
        (2..1_000).find_map(|n| self.free_path(&format!("{stem} ({n}){ending}")).ok()).unwrap_or(path)
    }
}
