//! The workspace as a whole: who I am in it, whether all is kept.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    pub api_version: u32,
    pub app_version: String,
    /// Absolute path of the folder.
    pub root: String,
    /// Its last component.
    pub name: String,
    /// Id of the workspace, the same on every replica.
    pub project_id: String,
    pub device_id: String,
    pub person: String,
    pub n_files: u64,
    pub n_deltas: u64,
    pub n_moments: u64,
    pub history_bytes: u64,
    pub save: SaveState,
    /// Files that the ignore rules keep out are not counted.
    pub n_ignored: u64,
    /// Paths that could not be taken in, with the reason as a sentence.
    pub refused: Vec<RefusedPath>,
    /// What whoever opens this workspace is to know of it, such as that its history is a copy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Notice>>")]
    pub notices: Vec<Notice>,
    /// Files whose text waits until it is saved, see [`crate::Event::WaitingForSave`].
    #[serde(default)]
    pub waiting_for_save: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RefusedPath {
    pub path: String,
    pub reason: String,
}

/// The truth about "is it kept?". Nothing is shown as saved before a real fsync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SaveState {
    pub kind: SaveKind,
    /// Newest moment up to which everything is on disk.
    pub saved_ms: Option<u64>,
    /// Files whose text is kept in history but not yet written to the folder.
    pub n_unwritten: u64,
    /// For anything but `saved` and `saving`: the sentence to show.
    pub message: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum SaveKind {
    Saved,
    Saving,
    /// MSG-DISK-1: editing stops until there is room again.
    DiskFull,
    /// MSG-DISK-3: kept, but a file could not be written to the folder.
    CannotWriteFile,
    /// The folder, or the history inside it, is not where it was opened: editing stops until it is back.
    FolderGone,
    Failed,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct VerifyReport {
    pub ok: bool,
    pub n_deltas: u64,
    pub n_blobs: u64,
    /// One sentence each.
    pub problems: Vec<String>,
    pub repaired: Vec<String>,
}

/// A message of `UX.md` §5 that no request asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// Id of the wording, such as `MSG-DISK-3`.
    pub id: String,
    pub title: String,
    pub body: String,
    pub path: Option<String>,
    /// Of MSG-ROLE-5: it came of becoming a viewer, so that an owner may be asked for what was done.
    pub became_viewer: bool,
}

/// One whole act that a client may offer to take back.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Act {
    pub group_id: String,
    /// "Restored lexer.rs to 14:32:07." or "Disk changed 42 files."
    pub sentence: String,
    pub author: String,
    pub n_files: u64,
    pub paths: Vec<String>,
    pub at_ms: u64,
    pub can_undo: bool,
}
