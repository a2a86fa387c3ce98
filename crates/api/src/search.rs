//! Find and replace across the files of a workspace, as they are now. (What was there once: [`crate::Request::FindInHistory`].)

use crate::ApiError;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What is looked for, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SearchQuery {
    pub text: String,
    /// The text is a regular expression. One that names no line end never finds more than a line.
    pub is_regex: bool,
    pub match_case: bool,
    pub whole_word: bool,
    /// Globs, as editors take them: `*.rs` and `src` at any depth, `./src` only at the top; a folder stands for what is
    /// in it. None: every file.
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    /// What the matches are to become, for who wants to see that before: see [`SearchMatch::becomes`].
    pub replacement: Option<String>,
}

/// What a window asks. It has one search at a time.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "cmd", content = "args", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SearchRequest {
    /// Begins a search; the one before ends.
    Begin { query: SearchQuery },
    /// What was found since; waits a moment for it.
    More { id: u64 },
    /// Ends a search.
    End { id: u64 },
    /// The same in these files only, all at once: they changed since they were searched.
    Again { query: SearchQuery, paths: Vec<String> },
    /// Replaces what matches now: one act, to be taken back as one. With `keeps_moment` an automatic moment is made
    /// before it.
    Replace { query: SearchQuery, replacement: String, targets: Vec<ReplaceTarget>, keeps_moment: bool },
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "reply", content = "value", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SearchReply {
    Begun { id: u64 },
    Found(SearchNews),
    Files { files: Vec<FileMatches> },
    Replaced(Replaced),
    Done,
}

/// What a search found since it was asked last.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SearchNews {
    /// In the order of the explorer.
    pub files: Vec<FileMatches>,
    /// Files looked at so far.
    pub n_files: u64,
    /// Of the files looked at, those that are too large to edit and were not searched.
    pub n_too_large: u64,
    /// There are more matches than are told.
    pub is_cut: bool,
    pub is_over: bool,
    /// Why it ended before its end.
    pub trouble: Option<ApiError>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FileMatches {
    pub path: String,
    /// In the order of the text.
    pub matches: Vec<SearchMatch>,
    /// There are more in this file.
    pub is_cut: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SearchMatch {
    pub position: u32,
    pub length: u32,
    /// From 1.
    pub line: u32,
    /// From 1, UTF-16 units.
    pub column: u32,
    /// The line in which it begins, or the part of a long one around it.
    pub preview: String,
    /// Where it stands in `preview`, UTF-16 units.
    pub from: u32,
    pub to: u32,
    /// What it would become, where the query has a replacement that was to be shown.
    pub becomes: Option<String>,
}

/// Where to replace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReplaceTarget {
    pub path: String,
    /// `(position, length)` of the matches that are meant, as they were told; none for all of the file.
    pub only: Option<Vec<(u32, u32)>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Replaced {
    /// To be given to `UndoGroup`; none when nothing was replaced.
    pub group_id: Option<String>,
    pub n_replaced: u64,
    /// Files that changed.
    pub paths: Vec<String>,
    /// Matches and files that were meant but are not there any more.
    pub n_missed: u64,
    /// Why it ended before its end. What was replaced before stays, and can be taken back.
    pub trouble: Option<ApiError>,
}

/// What is to be replaced in one file, by who knows its text: all of it, or nothing when the text is another by now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FileReplacement {
    pub path: String,
    /// In the order of the text, none within another.
    pub stretches: Vec<Stretch>,
}

/// `old`, which stands at `position` before any other is replaced, becomes `new`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Stretch {
    pub position: u32,
    pub old: String,
    pub new: String,
}
