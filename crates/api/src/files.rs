//! Files and folders, now and at a moment.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    pub name: String,
    pub path: String,
    pub kind: EntryKind,
    /// Stable through renames; none for a folder that only exists by what is in it.
    pub file_id: Option<String>,
    pub executable: bool,
    /// Kept out of history by the ignore rules: listed, openable, greyed.
    pub ignored: bool,
    /// Against now, when a past moment was asked for.
    pub change: Option<EntryChange>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum EntryKind {
    Folder,
    Text,
    Binary,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum EntryChange {
    /// `+` existed then, deleted since.
    OnlyThen,
    /// `−` not there yet at that moment.
    NotYet,
    /// `~` differs.
    Differs,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeletedFile {
    pub file_id: String,
    pub path: String,
    pub deleted_ms: u64,
    pub author: String,
    /// Workspace moment index just before the deletion.
    pub index_before: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum LineEnd {
    Lf,
    CrLf,
}
