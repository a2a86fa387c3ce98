//! The editor link: a revision-based delta sync between a view (Monaco) and the engine.
//! See `docs/architecture/editor-link.md` for the rules.

use crate::LineEnd;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One replacement: at `position`, take `deleted` units away and put `inserted` there.
/// As JSON it is an array, `[position, deleted, inserted]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Splice(pub u32, pub u32, pub String);

/// All edits of one Monaco event. Each splice's position counts in the text as it is after the
/// splices before it in the list.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ViewEdit {
    pub request_id: u64,
    /// Newest engine revision that the view had applied when this was typed.
    pub base_revision: u64,
    /// All of it was typed behind a letter of its line, not at a line's start: where others insert at the same
    /// place, it stays left of theirs, so that a word goes on as one.
    pub stays_left: bool,
    pub splices: Vec<Splice>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ViewOpened {
    pub view_id: u32,
    pub file_id: Option<String>,
    pub path: String,
    pub revision: u64,
    /// Empty for binaries and files over the limit.
    pub text: String,
    pub encoding: String,
    /// The file on disk begins with the mark of its encoding.
    pub byte_order_mark: bool,
    pub line_end: LineEnd,
    /// The file on disk has other line ends, too. It keeps them until its text changes; then all become `line_end`.
    pub mixed_line_ends: bool,
    pub read_only: Option<ReadOnlyReason>,
    pub size_bytes: u64,
    /// Number of text steps in this file's timeline.
    pub n_moments: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ReadOnlyReason {
    /// MSG-FILE-2
    Binary,
    /// MSG-FILE-1
    TooLarge,
    /// Kept out of history by the ignore rules: shown, not edited.
    Ignored,
    /// Its history is still on its way. Ends with a snapshot for the view.
    Coming,
    /// MSG-DISK-1
    DiskFull,
}

/// Others' edits (disk, undo, another view) for a view to apply over its own pending ones.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ViewPatch {
    pub view_id: u32,
    /// Revision after these splices.
    pub revision: u64,
    pub splices: Vec<Splice>,
    pub source: PatchSource,
    /// Whose edit it is, hexadecimal, when another device's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub device: Option<String>,
    /// CRC32C (Castagnoli) of the UTF-8 text at `revision`, sent with every so many revisions.
    pub checksum: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum PatchSource {
    /// My own undo or redo: the caret follows it.
    Undo,
    Restore,
    Disk,
    /// Another device; [`ViewPatch::device`] says which.
    Peer,
    /// Another view or the command line on this device.
    Other,
}

/// The whole text, to start over from.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ViewSnapshot {
    pub view_id: u32,
    pub revision: u64,
    pub text: String,
    /// Newest request of this view that is contained in `text`.
    pub acked_request_id: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Undone {
    pub kind: UndoneKind,
    /// Where the caret belongs afterwards, in the file of the view.
    pub caret: Option<u32>,
    /// MSG-UNDO-1 and the like.
    pub message: Option<String>,
    pub paths: Vec<String>,
    /// The group that this made, itself to be taken back by `UndoGroup`.
    pub group_id: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum UndoneKind {
    Applied,
    NothingToUndo,
    /// What it would take back has been changed since.
    Overwritten,
}

/// A view as its client knows it, to be gone on with elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ResumedView {
    pub view_id: u32,
    pub path: String,
    /// Newest revision that the client has heard of.
    pub revision: u64,
    /// Newest of its edits that was certainly done.
    pub acked_request_id: u64,
}
