//! Which folders were opened here, newest first.

use crate::config;
use codesync_api::RecentFolder;
use std::io;
use std::path::Path;

const FILE: &str = "recent.json";
const FOLDERS_MAX: usize = 20;

/// The list as it is shown, with the folders that are gone marked.
pub fn list(folder: &Path) -> Vec<RecentFolder> {
    let mut list: Vec<RecentFolder> = config::read(folder, FILE);
    for entry in &mut list {
        entry.missing = !Path::new(&entry.path).is_dir();
    }
    list
}

/// Puts a folder at the head of the list.
///
/// # Errors
/// When the configuration folder cannot be written.
pub fn remember(folder: &Path, path: &str, opened_ms: u64) -> io::Result<()> {
    let mut list = without(folder, path);
    let entry = RecentFolder { path: path.into(), name: name_of(path), opened_ms, missing: false };
    list.insert(0, entry);
    list.truncate(FOLDERS_MAX);
    config::write(folder, FILE, &list)
}

/// Takes a folder off the list; the folder itself is not touched.
///
/// # Errors
/// When the configuration folder cannot be written.
pub fn forget(folder: &Path, path: &str) -> io::Result<()> {
    config::write(folder, FILE, &without(folder, path))
}

/// The last component of a path, for showing.
pub fn name_of(path: &str) -> String {
    Path::new(path).file_name().map_or_else(|| path.to_owned(), |name| name.to_string_lossy().into_owned())
}

fn without(folder: &Path, path: &str) -> Vec<RecentFolder> {
    let mut list: Vec<RecentFolder> = config::read(folder, FILE);
    list.retain(|entry| entry.path != path);
    list
}

#[cfg(test)]
mod tests;
