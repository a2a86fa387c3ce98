//! Files too large to edit, read in rows as they lie on the disk. A row is a line, or a part of a very long one.

use crate::LineEnd;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "cmd", content = "args", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LargeRequest {
    /// Begins to look through a file, or says how far that is. Sees changes on the disk.
    Look { path: String },
    /// So many rows from one on; fewer at the end.
    Rows { path: String, from: u64, n: u32 },
    /// The row in which a line begins. Lines count from 1; beyond the end it is the last row.
    RowOfLine { path: String, line: u64 },
    /// One step of a search, of some megabytes.
    Find { path: String, text: String, match_case: bool, backwards: bool, from: LargeFrom },
    /// The text between two places, its line ends LF. Refused when it is very long.
    Text { path: String, from: LargePlace, to: LargePlace },
    /// Lets go of the file.
    Leave { path: String },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "reply", content = "value", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LargeReply {
    State(LargeState),
    Rows { generation: u64, rows: Vec<LargeRow> },
    Row { row: u64 },
    Found(LargeFound),
    Text { text: String },
    Done,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LargeState {
    /// Rises when rows that were told before may be other ones now.
    pub generation: u64,
    /// False for a file that holds no text; it has no rows to show then.
    pub is_text: bool,
    /// Known so far, at least one.
    pub n_rows: u64,
    pub n_lines: u64,
    pub size_bytes: u64,
    /// As many as `size_bytes` when all is looked through.
    pub looked_bytes: u64,
    /// Columns of the widest row, roughly.
    pub widest_units: u64,
    pub encoding: String,
    pub line_end: LineEnd,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LargeRow {
    pub text: String,
    /// From 1.
    pub line: u64,
    /// False where a long line goes on.
    pub starts_line: bool,
}

/// Row from 0, column in UTF-16 units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LargePlace {
    pub row: u64,
    pub column: u64,
}

/// Where a search begins, or goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LargeFrom {
    Place {
        place: LargePlace,
    },
    /// As [`LargeFound::GoesOn`] said.
    Offset {
        offset: u64,
    },
    /// Where the search begins that comes round.
    Edge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LargeFound {
    Match {
        from: LargePlace,
        to: LargePlace,
    },
    GoesOn {
        offset: u64,
    },
    /// Nothing until the end, or until the beginning.
    Over,
}
