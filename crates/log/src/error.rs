//! Why the log refuses, one variant for each decision its caller makes. Every sentence can be shown.

use std::io;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("The disk is full. Free some space; nothing that was saved is lost, and your text is still here.")]
    NoSpace,
    #[error(
        "This workspace was written by a newer CodeSync (format {version}). Nothing was changed. Update CodeSync to open it."
    )]
    NewerVersion { version: u32 },
    /// Another process holds the lock of the store.
    #[error("Another CodeSync{} has this workspace open.", .pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Busy { pid: Option<u32> },
    #[error("Part of the stored history cannot be read: {what}. Run verify to see what is affected.")]
    Damaged { what: String },
    #[error("Could not use {}: {source}.", .path.display())]
    Io { path: PathBuf, source: io::Error },
}

impl LogError {
    /// Sorts what the system answered about `name`.
    pub(crate) fn of(name: &str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => LogError::NoSpace,
            _ => LogError::Io { path: PathBuf::from(name), source },
        }
    }
}
