//! Takes the open workspace to another folder, and copies the files of one that cannot be opened. The node knows how;
//! here is only who is told, and that the window has the workspace again in any case.

use crate::recent;
use crate::shell::Shell;
use codesync_api::{ApiError, AppEvent, AppReply, ErrorCode, Reply, Request};
use codesync_node::{self as peer, Moving};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The page is told how far it is this often.
const TOLD_EVERY: Duration = Duration::from_millis(100);

/// The move that is being made, if one is.
#[derive(Default)]
pub struct Move {
    prepared: Mutex<Option<Moving>>,
    is_stopped: AtomicBool,
}

impl Move {
    /// What is under way ends after the piece that it is at.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        drop(self.take());
    }

    fn take(&self) -> Option<Moving> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Copies what there is, with the workspace open.
pub fn prepare(shell: &Arc<Shell>, into: &Path) -> Result<AppReply, ApiError> {
    let (node, root) = shell.open_node()?;
    if !node.is_owner() {
        let sentence = "Another program has this workspace open, too. Close it there first.";
        return Err(ApiError::new(ErrorCode::Busy, sentence));
    }
    shell.moving.is_stopped.store(false, Ordering::Relaxed);
    let mut moving = Moving::plan(&root, into)?;
    moving.copy(&mut teller(shell))?;
    let path = moving.to().to_string_lossy().into_owned();
    *shell.moving.prepared.lock().unwrap_or_else(PoisonError::into_inner) = Some(moving);
    Ok(AppReply::Path { path: Some(path) })
}

/// Closes the workspace and opens it at its new place; at the old one again if that does not work.
pub fn finish(shell: &Arc<Shell>) -> Result<AppReply, ApiError> {
    let _one_at_a_time = shell.changing();
    let moving =
        shell.moving.take().ok_or_else(|| ApiError::new(ErrorCode::Invalid, "Nothing is ready to be moved."))?;
    let (node, before) = shell.open_node()?;
    // Whatever can be durable is; what cannot comes along in a file of its own.
    if let Err(reason) = node.call(Request::Flush) {
        tracing::info!(%reason, "moved with edits that this disk did not take");
    }
    let unsaved = beside(moving.to());
    let n_unsaved = match node.call(Request::ExportUnsaved { file: unsaved.to_string_lossy().into_owned() })? {
        Reply::Exported { n_deltas, .. } => n_deltas,
        _ => 0,
    };
    let unsaved = (n_unsaved > 0).then_some(unsaved);
    drop(node);
    shell.close_now();
    let moved = match moving.finish() {
        Ok(moved) => moved,
        Err(error) => return Err(reopened(shell, &before, unsaved.as_deref(), error)),
    };
    let root = match shell.take_workspace(moved.to()) {
        Ok(root) => root,
        Err(error) => {
            return Err(match moved.back() {
                Ok(()) => reopened(shell, &before, unsaved.as_deref(), error),
                Err(_) => error,
            });
        }
    };
    let unsaved = unsaved.and_then(|file| left_over(shell, file));
    let left = moved.remove_original().into_iter().map(|path| path.to_string_lossy().into_owned()).collect();
    if let Err(reason) = recent::forget(&shell.folder, &before.to_string_lossy()) {
        tracing::warn!(%reason, "the list of recent folders has the old place, too");
    }
    Ok(AppReply::Moved { name: recent::name_of(&root), root, left, unsaved })
}

/// Copies the files of a workspace without its history; the reply has the new folder.
pub fn copy_files_only(shell: &Arc<Shell>, path: &Path, elsewhere: &Path) -> Result<AppReply, ApiError> {
    shell.moving.is_stopped.store(false, Ordering::Relaxed);
    let made = peer::copy_files_only(path, elsewhere, &mut teller(shell))?;
    Ok(AppReply::Path { path: Some(made.to_string_lossy().into_owned()) })
}

/// Tells the page how far it is, and hears from it whether to go on.
fn teller(shell: &Arc<Shell>) -> impl FnMut(u64, u64) -> bool {
    let shell = Arc::clone(shell);
    let mut told = None::<Instant>;
    move |done_bytes, total_bytes| {
        if told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
            told = Some(Instant::now());
            shell.tell(AppEvent::MoveProgress { done_bytes, total_bytes });
        }
        !shell.moving.is_stopped.load(Ordering::Relaxed)
    }
}

/// Where edits wait that no disk but this one took.
fn beside(place: &Path) -> PathBuf {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    place.with_file_name(format!("{name} (unsaved edits).codesync-replay"))
}

/// The window has the workspace where it was.
fn reopened(shell: &Arc<Shell>, before: &Path, unsaved: Option<&Path>, why: ApiError) -> ApiError {
    match shell.take_workspace(before) {
        Ok(_) => drop(unsaved.and_then(|file| left_over(shell, file.to_path_buf()))),
        Err(reason) => tracing::warn!(%reason, "the workspace could not be opened where it was"),
    }
    why
}

/// Adds the edits that waited. Their file stays if that does not work.
fn left_over(shell: &Shell, file: PathBuf) -> Option<String> {
    let path = file.to_string_lossy().into_owned();
    let (node, _) = shell.open_node().ok()?;
    match node.call(Request::ImportBundle { file: path.clone() }) {
        Ok(_) => {
            std::fs::remove_file(&file).unwrap_or_default();
            None
        }
        Err(reason) => {
            tracing::warn!(%reason, path, "edits wait in a file of their own");
            Some(path)
        }
    }
}
