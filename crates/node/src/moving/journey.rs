//! The whole way of an open workspace to another folder: copied while it is open, closed, opened again at its new place,
//! or at the old one if that does not work. Who has the window says how a workspace is opened and closed.

use super::{Moving, Progress};
use crate::Node;
use codesync_api::{ApiError, ErrorCode, Reply, Request};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

type Result<T> = std::result::Result<T, ApiError>;

/// The move that is being made, if one is.
#[derive(Default)]
pub struct Journey {
    prepared: Mutex<Option<Moving>>,
    is_stopped: AtomicBool,
}

/// Whoever shows the workspace.
pub trait Traveller {
    /// Opens the folder in the place of what is open.
    ///
    /// # Errors
    /// Why it cannot be opened.
    fn open(&mut self, root: &Path) -> Result<Node>;
    fn close(&mut self);
}

/// A workspace that is open at its new place.
pub struct Arrived {
    pub root: PathBuf,
    /// What stayed at the old place because it changed meanwhile.
    pub left: Vec<PathBuf>,
    /// A bundle of edits that the new place has not taken either.
    pub unsaved: Option<PathBuf>,
}

impl Journey {
    /// What is under way ends after the piece that it is at.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        drop(self.take());
    }

    /// Copies what there is, with the workspace open. Returns where it will be.
    ///
    /// # Errors
    /// Why it cannot go there; that it was stopped.
    pub fn prepare(&self, node: &Node, root: &Path, into: &Path, progress: Progress<'_>) -> Result<PathBuf> {
        if !node.is_owner() {
            let sentence = "Another program has this workspace open, too. Close it there first.";
            return Err(ApiError::new(ErrorCode::Busy, sentence));
        }
        let mut moving = self.begin(|| Moving::plan(root, into))?;
        moving.copy(&mut |done, total| progress(done, total) && self.goes_on())?;
        let to = moving.to().to_path_buf();
        *self.prepared.lock().unwrap_or_else(PoisonError::into_inner) = Some(moving);
        Ok(to)
    }

    /// Closes the workspace and opens it at its new place; at the old one again if that does not work.
    ///
    /// # Errors
    /// What stood in the way.
    pub fn finish(&self, node: Node, before: &Path, traveller: &mut dyn Traveller) -> Result<Arrived> {
        let moving = self.take().ok_or_else(|| ApiError::new(ErrorCode::Invalid, "Nothing is ready to be moved."))?;
        // Whatever can be durable is; what cannot comes along in a file of its own.
        if let Err(reason) = node.call(Request::Flush) {
            tracing::info!(%reason, "moved with edits that this disk did not take");
        }
        let unsaved = export_unsaved(&node, moving.to())?;
        drop(node);
        traveller.close();
        let (moved, opened) = match moving.finish() {
            Ok(moved) => {
                let opened = traveller.open(moved.to());
                (Some(moved), opened)
            }
            Err(error) => (None, Err(error)),
        };
        match (moved, opened) {
            (Some(moved), Ok(node)) => Ok(Arrived {
                root: moved.to().to_path_buf(),
                unsaved: unsaved.and_then(|file| take_in(&node, file)),
                left: moved.remove_original(),
            }),
            (moved, opened) => {
                let why = opened.err().unwrap_or_else(super::stopped);
                if moved.is_none_or(|moved| moved.back().is_ok()) {
                    go_back(before, unsaved, traveller);
                }
                Err(why)
            }
        }
    }

    /// The files of a workspace without its history, see [`super::copy_files_only`].
    ///
    /// # Errors
    /// What cannot be read or written; that it was stopped.
    pub fn copy_files_only(&self, from: &Path, elsewhere: &Path, progress: Progress<'_>) -> Result<PathBuf> {
        self.begin(|| {
            super::copy_files_only(from, elsewhere, &mut |done, total| progress(done, total) && self.goes_on())
        })
    }

    fn begin<T>(&self, work: impl FnOnce() -> T) -> T {
        self.is_stopped.store(false, Ordering::Relaxed);
        work()
    }

    fn goes_on(&self) -> bool {
        !self.is_stopped.load(Ordering::Relaxed)
    }

    fn take(&self) -> Option<Moving> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Edits that this disk did not take go into a bundle beside the new place.
fn export_unsaved(node: &Node, to: &Path) -> Result<Option<PathBuf>> {
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    let file = to.with_file_name(format!("{name} (unsaved edits).codesync-replay"));
    let reply = node.call(Request::ExportUnsaved { file: file.to_string_lossy().into_owned() })?;
    Ok(matches!(reply, Reply::Exported { n_deltas, .. } if n_deltas > 0).then_some(file))
}

fn go_back(before: &Path, unsaved: Option<PathBuf>, traveller: &mut dyn Traveller) {
    match traveller.open(before) {
        Ok(node) => drop(unsaved.and_then(|file| take_in(&node, file))),
        Err(reason) => tracing::warn!(%reason, "the workspace could not be opened where it was"),
    }
}

/// Adds the edits that waited. Their file stays if that does not work.
fn take_in(node: &Node, file: PathBuf) -> Option<PathBuf> {
    match node.call(Request::ImportBundle { file: file.to_string_lossy().into_owned() }) {
        Ok(_) => {
            if let Err(error) = std::fs::remove_file(&file) {
                tracing::warn!(%error, "a bundle that was taken in stays");
            }
            None
        }
        Err(reason) => {
            tracing::warn!(%reason, file = %file.display(), "edits wait in a file of their own");
            Some(file)
        }
    }
}
