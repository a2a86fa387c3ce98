//! Walks the folder. Follows no link, reads no content; what it cannot take in it names, with a sentence.

use crate::folder::{Folder, FolderError, failure, is_temp_name};
use crate::rules::{Chain, EntryKind, Rules};
use crate::stamp::Stamp;
use cap_std::fs::{Dir, DirEntry};
use codesync_base::limits::FILES_MAX;
use codesync_base::{PathError, RelPath};
use std::collections::BTreeSet;

/// What is in a folder.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scan {
    /// Sorted by path.
    pub files: Vec<(RelPath, Stamp)>,
    /// Folders with nothing in them at all.
    pub empty_folders: Vec<RelPath>,
    /// All folders that were looked into, sorted; the root is not among them.
    pub folders: Vec<RelPath>,
    pub refused: Vec<Refused>,
    /// Half-written files of a program that was killed. Can be removed when nobody else has the workspace.
    pub leftovers: Vec<RelPath>,
    /// Entries left out by rules; what is inside an ignored folder is not counted.
    pub n_ignored: u64,
}

/// An entry that cannot be taken in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Refused {
    /// Path as far as it can be shown.
    pub path: String,
    /// Why, to be shown.
    pub sentence: String,
}

/// One row of the explorer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    pub name: String,
    /// None when it is refused.
    pub path: Option<RelPath>,
    pub kind: EntryKind,
    pub is_ignored: bool,
    /// Why it is not taken in.
    pub refused: Option<String>,
}

/// Walks the whole folder.
pub fn scan(folder: &Folder, rules: &Rules) -> Result<Scan, FolderError> {
    scan_below(folder, rules, None)
}

/// Walks one folder and what is below; nothing when it is missing or left out.
pub(crate) fn scan_below(folder: &Folder, rules: &Rules, below: Option<&RelPath>) -> Result<Scan, FolderError> {
    let mut walk = Walk { folder, rules, scan: Scan::default(), pending: Vec::new() };
    let Some(dir) = folder.open_folder(below)? else { return Ok(walk.scan) };
    let mut chain = rules.root_chain();
    if let Some(path) = below {
        if rules.is_ignored_as(path, EntryKind::Folder) {
            return Ok(walk.scan);
        }
        let depth = path.components().count();
        let names: Vec<&str> = path.components().collect();
        for n in 1..=depth {
            if let Ok(above) = RelPath::parse(&names[..n].join("/")) {
                chain = rules.inner_chain(&chain, &above);
            }
        }
        walk.scan.folders.push(path.clone());
    }
    walk.enter(dir, below.cloned(), chain);
    while let Some((path, chain)) = walk.pending.pop() {
        match folder.open_folder(Some(&path)) {
            Ok(Some(dir)) => {
                let chain = rules.inner_chain(&chain, &path);
                walk.scan.folders.push(path.clone());
                walk.enter(dir, Some(path), chain);
            }
            Ok(None) => {}
            Err(refusal) => walk.refuse(path.to_string(), refusal.to_string()),
        }
    }
    walk.scan.files.sort_by(|a, b| a.0.cmp(&b.0));
    walk.scan.folders.sort();
    walk.scan.empty_folders.sort();
    walk.scan.refused.sort();
    Ok(walk.scan)
}

/// What is directly in a folder (none: the root), sorted: folders first. Version control and half-written
/// files do not appear.
pub fn list(folder: &Folder, rules: &Rules, path: Option<&RelPath>) -> Result<Vec<Entry>, FolderError> {
    let Some(dir) = folder.open_folder(path)? else {
        return Err(match path {
            Some(path) => FolderError::Missing(path.clone()),
            None => FolderError::NotThere(folder.root().to_owned()),
        });
    };
    let unreadable = |source| match path {
        Some(path) => failure(path, "read", source),
        None => FolderError::NoAccess(folder.root().to_owned()),
    };
    let mut entries = Vec::new();
    for found in dir.entries().map_err(unreadable)?.flatten() {
        let kind = match found.file_type() {
            Ok(kind) if kind.is_dir() => EntryKind::Folder,
            _ => EntryKind::File,
        };
        let name = found.file_name().to_string_lossy().into_owned();
        match look_at(&found, path) {
            Look::Out | Look::Leftover(_) => {}
            Look::File(inner) | Look::Folder(inner) => {
                let is_ignored = rules.is_ignored_as(&inner, kind);
                entries.push(Entry { name, path: Some(inner), kind, is_ignored, refused: None });
            }
            Look::Refused { sentence, .. } => {
                entries.push(Entry { name, path: None, kind, is_ignored: false, refused: Some(sentence) });
            }
        }
    }
    entries.sort_by(|a, b| (a.kind == EntryKind::File, &a.name).cmp(&(b.kind == EntryKind::File, &b.name)));
    Ok(entries)
}

struct Walk<'a> {
    folder: &'a Folder,
    rules: &'a Rules,
    scan: Scan,
    pending: Vec<(RelPath, Chain)>,
}

pub(crate) enum Look {
    File(RelPath),
    Folder(RelPath),
    Leftover(RelPath),
    /// Version control.
    Out,
    Refused {
        path: Option<RelPath>,
        shown: String,
        sentence: String,
    },
}

impl Walk<'_> {
    fn enter(&mut self, dir: Dir, path: Option<RelPath>, chain: Chain) {
        let shown = || path.as_ref().map_or_else(|| self.folder.root().display().to_string(), RelPath::to_string);
        let Ok(entries) = dir.entries() else {
            let sentence = format!("The folder “{}” can't be read: permission denied.", shown());
            return self.refuse(shown(), sentence);
        };
        let mut n_entries = 0_u64;
        let mut twins = BTreeSet::new();
        for entry in entries.flatten() {
            n_entries += 1;
            self.take(&entry, path.as_ref(), &chain, &mut twins);
        }
        if n_entries == 0
            && let Some(path) = path
        {
            self.scan.empty_folders.push(path);
        }
    }

    fn take(&mut self, entry: &DirEntry, below: Option<&RelPath>, chain: &Chain, twins: &mut BTreeSet<RelPath>) {
        let (path, kind) = match look_at(entry, below) {
            Look::Out => return,
            Look::Leftover(path) => return self.scan.leftovers.push(path),
            Look::Refused { path, shown, sentence } => {
                if path.is_some_and(|path| self.rules.is_out(chain, &path, EntryKind::File)) {
                    self.scan.n_ignored += 1;
                    return;
                }
                return self.refuse(shown, sentence);
            }
            Look::File(path) => (path, EntryKind::File),
            Look::Folder(path) => (path, EntryKind::Folder),
        };
        if self.rules.is_out(chain, &path, kind) {
            self.scan.n_ignored += 1;
            return;
        }
        // Only names beyond ASCII can compose to the same path.
        if !path.name().is_ascii() && !twins.insert(path.clone()) {
            let sentence = format!(
                "“{path}” is there twice, written with different Unicode characters; one of the two is taken in."
            );
            return self.refuse(path.to_string(), sentence);
        }
        if kind == EntryKind::Folder {
            return self.pending.push((path, chain.clone()));
        }
        if self.scan.files.len() >= FILES_MAX {
            if self.scan.files.len() == FILES_MAX && !self.scan.refused.iter().any(|refused| refused.path.is_empty()) {
                let sentence = "This folder has more than 200,000 files; the others are left out.".to_owned();
                self.refuse(String::new(), sentence);
            }
            return;
        }
        match entry.metadata() {
            Ok(metadata) => self.scan.files.push((path, Stamp::of(&metadata))),
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => self.refuse(path.to_string(), failure(&path, "read", source).to_string()),
        }
    }

    fn refuse(&mut self, path: String, sentence: String) {
        self.scan.refused.push(Refused { path, sentence });
    }
}

pub(crate) fn look_at(entry: &DirEntry, below: Option<&RelPath>) -> Look {
    let name = entry.file_name();
    let shown = |name: &str| below.map_or_else(|| name.to_owned(), |folder| format!("{folder}/{name}"));
    let Some(name) = name.to_str() else {
        let shown = shown(&name.to_string_lossy());
        let sentence = format!("“{shown}” has a name that is not valid Unicode, so it is left out.");
        return Look::Refused { path: None, shown, sentence };
    };
    let path = match below.map_or_else(|| RelPath::parse(name), |folder| folder.join(name)) {
        Ok(path) => path,
        Err(PathError::Protected(_)) => return Look::Out,
        Err(why) => {
            let shown = shown(name);
            return Look::Refused { path: None, sentence: format!("“{shown}” is left out: {why}"), shown };
        }
    };
    if is_temp_name(name) {
        return Look::Leftover(path);
    }
    match entry.file_type() {
        Ok(kind) if kind.is_file() => Look::File(path),
        Ok(kind) if kind.is_dir() => Look::Folder(path),
        Ok(kind) if kind.is_symlink() => {
            let sentence = FolderError::Link(path.clone()).to_string();
            Look::Refused { shown: path.to_string(), path: Some(path), sentence }
        }
        _ => {
            let sentence = FolderError::Special(path.clone()).to_string();
            Look::Refused { shown: path.to_string(), path: Some(path), sentence }
        }
    }
}

#[cfg(test)]
mod tests;
