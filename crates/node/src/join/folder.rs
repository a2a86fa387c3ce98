//! The folder in which the copy of a workspace will be: which one, and whether it can be written.

use super::{Failed, check_empty};
use crate::STORE_FOLDER;
use crate::config::cannot;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// So much has to fit in, to begin with.
const BYTES_MIN: usize = 64 * 1024;

/// A folder that was made and could be written. What was made of it goes again, unless somebody comes in.
pub(crate) struct CopyFolder {
    root: PathBuf,
    /// Innermost first.
    made: Vec<PathBuf>,
}

impl CopyFolder {
    pub fn make(root: PathBuf) -> Result<Self, Failed> {
        let store = root.join(STORE_FOLDER);
        let made = store.ancestors().take_while(|folder| !folder.exists()).map(Path::to_path_buf).collect();
        // What fails from here on takes the folders away again.
        let folder = Self { root, made };
        fs::create_dir_all(&store).map_err(|error| cannot("make", &store, &error))?;
        try_to_write(&store).map_err(|error| cannot("write into", &store, &error))?;
        Ok(folder)
    }

    /// Somebody comes in: the folder stays.
    pub fn keep(mut self) -> PathBuf {
        self.made.clear();
        std::mem::take(&mut self.root)
    }
}

impl Drop for CopyFolder {
    fn drop(&mut self) {
        for folder in &self.made {
            // Whatever came into it meanwhile stays.
            fs::remove_dir(folder).unwrap_or_default();
        }
    }
}

fn try_to_write(folder: &Path) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&[0; BYTES_MIN])?;
    file.as_file().sync_all()
}

/// A folder for the copy of a workspace of this name, and whether the first choice was taken.
pub fn suggest_folder(name: &str) -> (PathBuf, bool) {
    let home = directories::UserDirs::new().map_or_else(std::env::temp_dir, |dirs| dirs.home_dir().to_path_buf());
    let parent = home.join("CodeSync");
    let folder = free_folder(&parent, name);
    let is_taken = folder != parent.join(plain_name(name));
    (folder, is_taken)
}

/// A folder named like the workspace, or with a number behind it.
pub fn free_folder(parent: &Path, name: &str) -> PathBuf {
    let plain = plain_name(name);
    let numbered = (2..).map(|n| format!("{plain}-{n}"));
    let mut names = std::iter::once(plain.clone()).chain(numbered).map(|name| parent.join(name));
    names.find(|folder| check_empty(folder).is_ok()).unwrap_or_else(|| parent.join(plain))
}

fn plain_name(name: &str) -> String {
    let is_plain = |char: char| char.is_alphanumeric() || " ._-".contains(char);
    let plain: String = name.chars().map(|char| if is_plain(char) { char } else { '-' }).take(80).collect();
    let plain = plain.trim_matches([' ', '.']).to_owned();
    if plain.is_empty() { "shared".to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_was_made_for_nobody_is_gone_again() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("a/b");
        drop(CopyFolder::make(root.clone()).map_err(|failed| failed.error).unwrap());
        assert!(!folder.path().join("a").exists());
        let kept = CopyFolder::make(root.clone()).map_err(|failed| failed.error).unwrap().keep();
        assert_eq!(kept, root);
        assert!(root.join(STORE_FOLDER).is_dir());
        assert_eq!(fs::read_dir(root.join(STORE_FOLDER)).unwrap().count(), 0);
        // An earlier copy, and what is beside it, stay in any case.
        drop(CopyFolder::make(root.clone()).map_err(|failed| failed.error).unwrap());
        assert!(root.join(STORE_FOLDER).is_dir());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "text").unwrap();
        let Err(failed) = CopyFolder::make(file.join("copy")) else { panic!("a folder in a file") };
        assert!(failed.error.message.contains("make"), "{}", failed.error.message);
        assert_eq!(fs::read(&file).unwrap(), b"text");
    }
}
