//! A file that stands while the window runs. Found at start, it tells that the last run did not end
//! by itself, and how far it had come.

use std::fs;
use std::path::{Path, PathBuf};

/// How the run before this one ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastRun {
    Ended,
    /// It was gone without saying so.
    Crashed,
    /// It was gone before its window was drawn.
    NeverDrawn,
    /// It is still running.
    Running,
}

const DRAWN: &str = "drawn";

fn path(folder: &Path) -> PathBuf {
    folder.join("running")
}

/// What the marker in the configuration folder says.
pub fn read(folder: &Path) -> LastRun {
    let Ok(text) = fs::read_to_string(path(folder)) else {
        return LastRun::Ended;
    };
    let mut words = text.split_whitespace();
    let pid = words.next().unwrap_or_default();
    // The number may by now belong to some other program, and after a re-start of our own image to us.
    if pid != std::process::id().to_string() && is_codesync(pid) {
        return LastRun::Running;
    }
    match words.next() {
        Some(DRAWN) => LastRun::Crashed,
        _ => LastRun::NeverDrawn,
    }
}

/// Its program and not its name: one that was killed keeps that until its parent has noticed.
fn is_codesync(pid: &str) -> bool {
    let program = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    program.file_name().is_some_and(|name| name.to_string_lossy().starts_with("codesync"))
}

/// Sets the marker at start.
pub fn set(folder: &Path) {
    write(folder, &format!("{}\n", std::process::id()));
}

/// Notes that the window was drawn. The marker of another run, whose further window this is, stays.
pub fn set_drawn(folder: &Path) {
    if is_own(folder) {
        write(folder, &format!("{} {DRAWN}\n", std::process::id()));
    }
}

/// Takes the marker away at a clean end; that of another run stays.
pub fn clear(folder: &Path) {
    if is_own(folder)
        && let Err(reason) = fs::remove_file(path(folder))
    {
        tracing::warn!(%reason, "could not remove the marker of this run");
    }
}

fn is_own(folder: &Path) -> bool {
    let own = std::process::id().to_string();
    fs::read_to_string(path(folder)).is_ok_and(|text| text.split_whitespace().next() == Some(&own))
}

fn write(folder: &Path, text: &str) {
    // Never half of it: an empty marker would read as a run that drew nothing.
    let fresh = folder.join(format!(".running.{}", std::process::id()));
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&fresh, text));
    if let Err(reason) = written.and_then(|()| fs::rename(&fresh, path(folder))) {
        tracing::warn!(%reason, "could not mark this run");
    }
}

#[cfg(test)]
mod tests;
