//! Which paths are left out: ignore files of git, nested and global, `.codesyncignore`, and a short list of
//! folders that tools fill. Reads ignore files, nothing else; keeps what it read until [`Rules::reload`].

use crate::folder::{Folder, is_temp_name};
use codesync_base::RelPath;
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Ignore rules of CodeSync alone; they win over git's, so that `!target/` takes a folder in.
pub(crate) const OWN_IGNORE_FILE: &str = ".codesyncignore";
pub(crate) const GIT_IGNORE_FILE: &str = ".gitignore";
/// Folders that tools fill and that can be made anew.
const TOOL_FOLDERS: [&str; 3] = ["node_modules", ".venv", "__pycache__"];
/// Ignore files beyond this are not meant for people.
const IGNORE_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Many rules are for folders only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntryKind {
    File,
    Folder,
}

/// The ignore rules of one workspace.
#[derive(Debug)]
pub struct Rules {
    folder: Folder,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Strongest first: folders above the workspace in the same repository, `info/exclude`, global.
    outer: Option<Arc<Vec<Gitignore>>>,
    /// By path, "" for the root.
    folders: HashMap<String, Arc<FolderRules>>,
}

/// Rules written in one folder.
#[derive(Debug)]
pub(crate) struct FolderRules {
    own: Option<Gitignore>,
    git: Option<Gitignore>,
    has_cargo_manifest: bool,
}

/// The rules that hold in one folder: its own and those above it, the nearest last.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    root: Arc<PathBuf>,
    outer: Arc<Vec<Gitignore>>,
    folders: Vec<Arc<FolderRules>>,
}

impl Rules {
    /// Rules of a workspace, read as they are needed.
    pub fn new(folder: &Folder) -> Rules {
        Rules { folder: folder.clone(), known: Mutex::default() }
    }

    /// Forgets what was read, after an ignore file changed.
    pub fn reload(&self) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Known::default();
    }

    /// Whether a path is left out, itself or with a folder above it. What is at the path is looked up.
    pub fn is_ignored(&self, path: &RelPath) -> bool {
        let kind = if self.folder.is_folder(path) { EntryKind::Folder } else { EntryKind::File };
        self.is_ignored_as(path, kind)
    }

    /// Like [`Rules::is_ignored`] for what is known to be, or to have been, a file or a folder.
    pub fn is_ignored_as(&self, path: &RelPath, kind: EntryKind) -> bool {
        let mut above = Vec::new();
        let mut next = path.parent();
        while let Some(folder) = next {
            next = folder.parent();
            above.push(folder);
        }
        let mut chain = self.root_chain();
        for folder in above.iter().rev() {
            if self.is_out(&chain, folder, EntryKind::Folder) {
                return true;
            }
            chain = self.inner_chain(&chain, folder);
        }
        self.is_out(&chain, path, kind)
    }

    /// Whether a change of this file changes the rules.
    pub fn is_ignore_file(path: &RelPath) -> bool {
        matches!(path.name(), OWN_IGNORE_FILE | GIT_IGNORE_FILE)
    }

    pub(crate) fn root_chain(&self) -> Chain {
        let outer = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.outer.get_or_insert_with(|| Arc::new(read_outer(self.folder.root()))).clone()
        };
        let folders = vec![self.rules_of(None)];
        Chain { root: Arc::new(self.folder.root().to_owned()), outer, folders }
    }

    pub(crate) fn inner_chain(&self, chain: &Chain, folder: &RelPath) -> Chain {
        let mut inner = chain.clone();
        inner.folders.push(self.rules_of(Some(folder)));
        inner
    }

    /// Whether an entry of the folder that `chain` is for is left out.
    pub(crate) fn is_out(&self, chain: &Chain, path: &RelPath, kind: EntryKind) -> bool {
        if is_temp_name(path.name()) {
            return true;
        }
        let is_dir = kind == EntryKind::Folder;
        let full = chain.root.join(path.as_str());
        let own = chain.folders.iter().rev().filter_map(|rules| rules.own.as_ref());
        let git = chain.folders.iter().rev().filter_map(|rules| rules.git.as_ref());
        for rules in own.chain(git).chain(chain.outer.iter()) {
            match rules.matched(&full, is_dir) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => {}
            }
        }
        is_dir && self.is_tool_folder(chain, path)
    }

    fn is_tool_folder(&self, chain: &Chain, path: &RelPath) -> bool {
        if TOOL_FOLDERS.contains(&path.name()) {
            return true;
        }
        path.name() == "target"
            && (chain.folders.last().is_some_and(|rules| rules.has_cargo_manifest)
                || path.join("CACHEDIR.TAG").is_ok_and(|tag| matches!(self.folder.stat(&tag), Ok(Some(_)))))
    }

    fn rules_of(&self, path: Option<&RelPath>) -> Arc<FolderRules> {
        let key = path.map_or("", RelPath::as_str);
        if let Some(rules) = self.known.lock().unwrap_or_else(PoisonError::into_inner).folders.get(key) {
            return rules.clone();
        }
        let rules = Arc::new(self.read_rules(path));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.folders.entry(key.to_owned()).or_insert(rules).clone()
    }

    fn read_rules(&self, path: Option<&RelPath>) -> FolderRules {
        let mut rules = FolderRules { own: None, git: None, has_cargo_manifest: false };
        let Ok(Some(dir)) = self.folder.open_folder(path) else { return rules };
        let root = match path {
            Some(path) => self.folder.root().join(path.as_str()),
            None => self.folder.root().to_owned(),
        };
        let read = |name: &str| {
            let metadata = dir.symlink_metadata(name).ok()?;
            if !metadata.is_file() || metadata.len() > IGNORE_FILE_BYTES_MAX {
                return None;
            }
            Some(parse(&root, &dir.read(name).ok()?))
        };
        rules.own = read(OWN_IGNORE_FILE);
        rules.git = read(GIT_IGNORE_FILE);
        rules.has_cargo_manifest = dir.symlink_metadata("Cargo.toml").is_ok();
        rules
    }
}

/// A line that is no valid pattern is passed over, as git does.
fn parse(root: &Path, bytes: &[u8]) -> Gitignore {
    let mut builder = GitignoreBuilder::new(root);
    let text = String::from_utf8_lossy(bytes);
    for line in text.trim_start_matches('\u{feff}').lines() {
        if let Err(source) = builder.add_line(None, line) {
            tracing::debug!(%source, line, "not an ignore pattern");
        }
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

/// Rules from outside the workspace that git would heed there.
fn read_outer(root: &Path) -> Vec<Gitignore> {
    let read = |from: &Path, file: PathBuf| std::fs::read(file).ok().map(|bytes| parse(from, &bytes));
    let mut outer = Vec::new();
    if let Some(repository) = root.ancestors().find(|folder| folder.join(".git").exists()) {
        let above = root.ancestors().skip(1).take_while(|folder| folder.starts_with(repository));
        outer.extend(above.filter_map(|folder| read(folder, folder.join(GIT_IGNORE_FILE))));
        outer.extend(read(repository, repository.join(".git/info/exclude")));
    }
    if let Some(file) = ignore::gitignore::gitconfig_excludes_path() {
        outer.extend(read(root, file));
    }
    outer.retain(|rules| !rules.is_empty());
    outer
}

#[cfg(test)]
mod tests;
