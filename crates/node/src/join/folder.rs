//! The folder in which the copy of a workspace will be: which one, and whether it can be written.

use super::{Failed, check_empty};
use crate::STORE_FOLDER;
use crate::config::cannot;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// So much has to fit in, to begin with.
const BYTES_MIN: usize = 64 * 1024;
/// Folders of one name that are looked at.
const NUMBER_MAX: u32 = 1_000;
/// With a number behind it a name still is one everywhere.
const NAME_BYTES_MAX: usize = 200;

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

/// A folder named like the workspace, or with a number behind it. Where none can be looked for, the plain name: what is
/// wrong with it is said once it is tried.
pub fn free_folder(parent: &Path, name: &str) -> PathBuf {
    let plain = plain_name(name);
    let numbered = (2..=NUMBER_MAX).map(|n| format!("{plain}-{n}"));
    for name in std::iter::once(plain.clone()).chain(numbered) {
        let folder = parent.join(name);
        match is_free(&folder) {
            Ok(true) => return folder,
            Ok(false) => {}
            Err(_) => break,
        }
    }
    parent.join(plain)
}

/// Fails where nobody can tell what is there.
fn is_free(folder: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(folder) {
        Ok(_) => Ok(check_empty(folder).is_ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

fn plain_name(name: &str) -> String {
    let is_plain = |char: char| char.is_alphanumeric() || " ._-".contains(char);
    let plain: String = name.chars().map(|char| if is_plain(char) { char } else { '-' }).collect();
    let plain = plain[..plain.floor_char_boundary(NAME_BYTES_MAX)].trim_matches([' ', '.']).to_owned();
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
    fn a_free_folder_is_looked_for_no_longer_than_it_can_be_found() {
        let parent = tempfile::tempdir().unwrap();
        let named = |folder: PathBuf| folder.file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(named(free_folder(parent.path(), "lab")), "lab");
        // A file is in the way, and so is a folder with files.
        fs::write(parent.path().join("lab"), "").unwrap();
        fs::create_dir_all(parent.path().join("lab-2/x")).unwrap();
        assert_eq!(named(free_folder(parent.path(), "lab")), "lab-3");
        // Nothing can be in a file.
        let file = parent.path().join("lab");
        assert_eq!(free_folder(&file, "lab"), file.join("lab"));
        let long = named(free_folder(parent.path(), &"ü".repeat(128)));
        assert_eq!(long, "ü".repeat(100));
        fs::create_dir_all(parent.path().join(&long).join("x")).unwrap();
        assert_eq!(named(free_folder(parent.path(), &long)), format!("{long}-2"));
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
