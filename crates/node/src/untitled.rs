//! Texts that have no name yet, beside the store of their workspace and on this device alone: no engine hears of them, so
//! nothing of them can get into the log or to others. Each belongs to one window, by a lock that goes with its
//! process; what a window leaves behind, killed or closed, the next one takes.

use crate::STORE_FOLDER;
use crate::config::cannot;
use codesync_api::{ApiError, ErrorCode, UntitledReply, UntitledRequest, UntitledText};
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

const FOLDER: &str = "untitled";
const ID_BYTES_MAX: usize = 64;

/// The texts without a name that a window has.
#[derive(Default)]
pub struct Untitled {
    held: Mutex<Vec<Held>>,
}

struct Held {
    file: PathBuf,
    /// For as long as it is open, nobody else takes the text.
    _lock: File,
}

impl Untitled {
    /// Answers for the workspace at `root`.
    ///
    /// # Errors
    /// When a text cannot be kept, or another window has it.
    pub fn answer(&self, root: &Path, request: UntitledRequest) -> Result<UntitledReply, ApiError> {
        let folder = root.join(STORE_FOLDER).join(FOLDER);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match request {
            UntitledRequest::TakeUntitled => take(&folder, &mut held)
                .map(|texts| UntitledReply::Texts { texts })
                .map_err(|error| cannot("read", &folder, &error)),
            UntitledRequest::KeepUntitled { id, text } => {
                let file = file_of(&folder, &id)?;
                let kept = hold(&file, &mut held).and_then(|()| write_whole(&file, &text));
                kept.map(|()| UntitledReply::Done).map_err(|error| cannot("write", &file, &error))
            }
            UntitledRequest::DropUntitled { id } => {
                let file = file_of(&folder, &id)?;
                remove(&file, &mut held).map(|()| UntitledReply::Done).map_err(|error| cannot("delete", &file, &error))
            }
        }
    }

    /// The workspace is closed here: other windows may take what is kept with it.
    pub fn release(&self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn take(folder: &Path, held: &mut Vec<Held>) -> io::Result<Vec<UntitledText>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut texts = Vec::new();
    for file in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let Some(id) = file.file_name().and_then(|name| name.to_str()).filter(|name| is_id(name)) else { continue };
        if let Err(error) = hold(&file, held) {
            tracing::debug!(id, %error, "a text without a name is another window's");
            continue;
        }
        match fs::read_to_string(&file) {
            Ok(text) => texts.push(UntitledText { id: id.to_owned(), text }),
            // It stays where it is: a person may make something of it.
            Err(error) => tracing::warn!(id, %error, "a text without a name cannot be read"),
        }
    }
    Ok(texts)
}

fn hold(file: &Path, held: &mut Vec<Held>) -> io::Result<()> {
    if held.iter().any(|one| one.file == file) {
        return Ok(());
    }
    // Only the folder itself: where the workspace is gone, nothing is made.
    match file.parent().map(fs::create_dir) {
        Some(Err(error)) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let lock = File::options().create(true).truncate(false).write(true).open(beside(file, "lock"))?;
    // Where nothing can be locked, a text that two windows have is better than one that nobody sees.
    if let Err(TryLockError::WouldBlock) = lock.try_lock() {
        return Err(io::Error::other("another window has it"));
    }
    held.push(Held { file: file.to_owned(), _lock: lock });
    Ok(())
}

/// Whole or not at all, and durable: it is the only copy.
fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let new = beside(file, "new");
    let mut written = File::create(&new)?;
    written.write_all(text.as_bytes())?;
    written.sync_data()?;
    fs::rename(new, file)
}

fn remove(file: &Path, held: &mut Vec<Held>) -> io::Result<()> {
    for gone in [file.to_owned(), beside(file, "new"), beside(file, "lock")] {
        match fs::remove_file(gone) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    held.retain(|one| one.file != file);
    Ok(())
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    file.with_extension(ending)
}

fn file_of(folder: &Path, id: &str) -> Result<PathBuf, ApiError> {
    match is_id(id) {
        true => Ok(folder.join(id)),
        false => Err(ApiError::new(ErrorCode::Invalid, "An id is made of small letters, digits and dashes.")),
    }
}

fn is_id(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=ID_BYTES_MAX).contains(&name.len()) && name.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn keep(window: &Untitled, root: &Path, id: &str, text: &str) -> Result<UntitledReply, ApiError> {
        window.answer(root, UntitledRequest::KeepUntitled { id: id.into(), text: text.into() })
    }

    fn taken(window: &Untitled, root: &Path) -> Vec<(String, String)> {
        let Ok(UntitledReply::Texts { texts }) = window.answer(root, UntitledRequest::TakeUntitled) else { panic!() };
        let mut texts: Vec<_> = texts.into_iter().map(|one| (one.id, one.text)).collect();
        texts.sort();
        texts
    }

    fn workspace() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join(STORE_FOLDER)).unwrap();
        root
    }

    #[test]
    fn a_text_is_the_window_s_own_until_that_is_gone() {
        let folder = workspace();
        let root = folder.path();
        let (first, second) = (Untitled::default(), Untitled::default());
        assert_eq!(taken(&first, root), []);
        keep(&first, root, "1-a", "old").unwrap();
        keep(&first, root, "1-a", "new").unwrap();
        keep(&second, root, "1-b", "other").unwrap();
        assert!(keep(&second, root, "1-a", "stolen").is_err());
        assert_eq!(taken(&second, root), [("1-b".into(), "other".into())]);
        assert_eq!(taken(&first, root), [("1-a".into(), "new".into())], "a page that is loaded again has its own");
        drop(first);
        let both = [("1-a".into(), "new".into()), ("1-b".into(), "other".into())];
        assert_eq!(taken(&second, root), both);
        second.release();
        assert_eq!(taken(&Untitled::default(), root), both);
    }

    #[test]
    fn what_was_dropped_does_not_come_again_and_leaves_nothing() {
        let folder = workspace();
        let window = Untitled::default();
        keep(&window, folder.path(), "1-a", "text").unwrap();
        for _ in 0..2 {
            window.answer(folder.path(), UntitledRequest::DropUntitled { id: "1-a".into() }).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path().join(STORE_FOLDER).join(FOLDER)).unwrap().count(), 0);
        keep(&window, folder.path(), "1-a", "again").unwrap();
        assert_eq!(taken(&Untitled::default(), folder.path()), [], "it is held anew");
    }

    #[test]
    fn nothing_is_made_where_no_workspace_is_and_an_id_leads_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let window = Untitled::default();
        assert!(keep(&window, folder.path(), "1-a", "text").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let folder = workspace();
        for id in ["", "../x", "a/b", "UP", "a.lock", &"x".repeat(65)] {
            assert!(keep(&window, folder.path(), id, "text").is_err(), "{id}");
        }
    }
}
