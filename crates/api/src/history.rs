//! Timeline, moments, blame, restore.

use crate::Splice;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How a person names a moment. On the command line: an RFC 3339 time, `-10m`, a delta id or a unique
/// prefix of it, `name:…`, or `@N`, the N-th step of the file's (or workspace's) timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", content = "value", rename_all = "camelCase")]
pub enum Moment {
    Now,
    /// The last change at or before this time.
    Time(u64),
    /// Milliseconds before now.
    Ago(u64),
    /// Just after the delta with this id (hex prefix).
    Delta(String),
    /// A named moment; of several of one name, the newest.
    Name(String),
    /// N-th step of the timeline of the scope asked about. 0 is before the first.
    Step(u64),
    /// N-th step of the whole workspace's timeline, whatever the scope.
    WorkspaceStep(u64),
}

/// Whose timeline.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(tag = "kind", content = "path", rename_all = "camelCase")]
pub enum Scope {
    /// Text steps of one file, by present or past path.
    File(String),
    Folder(String),
    Workspace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Axis {
    /// One place per change, idle time folded.
    Activity,
    Clock,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TimelineInfo {
    /// Moments are 0..=n_moments; `n_moments` is now.
    pub n_moments: u64,
    pub first_ms: Option<u64>,
    pub last_ms: Option<u64>,
    pub authors: Vec<Author>,
    /// Idle stretches over 60 s, to be drawn folded on the activity axis.
    pub gaps: Vec<Gap>,
    pub named: Vec<NamedMoment>,
}

/// Who made changes. `Disk` is the author of what other programs did to the folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Author {
    pub id: String,
    pub name: String,
    pub initials: String,
    /// Index into the eight author colours of `UX.md` §8.1; none for Disk.
    pub color: Option<u8>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// The gap lies between moment `index` and the next.
    pub index: u64,
    pub idle_ms: u64,
}

/// One bar of the histogram. Covers moments `from+1..=to`.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Bucket {
    pub from: u64,
    pub to: u64,
    pub start_ms: u64,
    pub end_ms: u64,
    /// Characters changed, per author (index into `TimelineInfo::authors`).
    pub chars: Vec<(u32, u64)>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MomentInfo {
    pub index: u64,
    pub n_moments: u64,
    /// The same moment in the workspace's timeline.
    pub workspace_index: u64,
    pub at_ms: u64,
    pub delta_id: Option<String>,
    pub author: Option<Author>,
    pub path: Option<String>,
    pub added: u64,
    pub removed: u64,
    /// For anything but typing: "renamed a.rs to b.rs", "Disk changed 42 files".
    pub label: Option<String>,
    /// Where in the text the change was, to reveal and flash it.
    pub position: Option<u32>,
    /// When it arrived on this device, Unix milliseconds, if that was long after it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub arrived_ms: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum StepUnit {
    Change,
    /// Same author, gaps of at most 2 s.
    Burst,
    Named,
    /// A tenth of the whole.
    Page,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    Back,
    Forward,
}

/// Text at a moment: whole, or as splices over the text of the index the caller has.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PastText {
    pub index: u64,
    pub text: Option<String>,
    pub splices: Option<Vec<Splice>>,
    /// False when the file did not exist at that moment.
    pub exists: bool,
    /// Its path then.
    pub path: Option<String>,
    pub moment: MomentInfo,
}

/// A file as of a moment, exactly as it stood (or would have stood) on disk.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PastFile {
    pub path: String,
    pub text: Option<String>,
    /// Base64 of the bytes on disk; for binaries, or where the bytes are not the text in UTF-8.
    pub bytes_base64: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FileChange {
    pub path: String,
    pub old_path: Option<String>,
    pub kind: FileChangeKind,
    pub lines_added: u64,
    pub lines_removed: u64,
    /// Unified diff, when one file was asked about or both sides are text.
    pub patch: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum FileChangeKind {
    Added,
    Removed,
    Changed,
    Renamed,
}

/// Who wrote a stretch of text, character-exact.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BlameSpan {
    pub position: u32,
    pub length: u32,
    pub author: Author,
    pub at_ms: u64,
    pub delta_id: String,
    /// Moment index in the file's timeline.
    pub index: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HistoryHit {
    pub path: String,
    pub file_id: String,
    /// Number of occurrences went up (`appeared`) or down at this moment.
    pub kind: HistoryHitKind,
    /// Moment index in the file's timeline.
    pub index: u64,
    pub workspace_index: u64,
    pub at_ms: u64,
    pub author: Author,
    pub delta_id: String,
    /// The line around it.
    pub line: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum HistoryHitKind {
    Appeared,
    Vanished,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LogQuery {
    pub path: Option<String>,
    pub since: Option<Moment>,
    pub until: Option<Moment>,
    pub author: Option<String>,
    /// One record a step instead of one a change group.
    pub steps: bool,
    pub cursor: Option<String>,
    pub limit: u32,
}

/// One line of `codesync log --json`.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct LogRecord {
    /// Id of the delta (hex of its hash).
    pub id: String,
    /// Id of the workspace.
    pub session_id: String,
    /// Name of the author; `Disk` for what other programs did.
    pub user_id: String,
    /// RFC 3339 with milliseconds, UTC.
    pub timestamp: String,
    pub kind: String,
    pub path: Option<String>,
    /// N of `@N` in this file's timeline, for text steps.
    pub step: Option<u64>,
    pub position: Option<u32>,
    pub deleted: Option<u32>,
    pub inserted: Option<String>,
    /// For groups: how many steps, characters added and removed, files.
    pub n_steps: Option<u64>,
    pub added: Option<u64>,
    pub removed: Option<u64>,
    pub n_files: Option<u64>,
    pub group_id: Option<String>,
    /// For renames the old path, for named moments the name.
    pub detail: Option<String>,
    /// For groups that are news by themselves: what happened, in a sentence with the author's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub sentence: Option<String>,
    /// For merges made here: places that both sides changed. `Request::Merged` with this record's id tells them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub n_both: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct NamedMoment {
    pub delta_id: String,
    pub name: String,
    pub note: Option<String>,
    /// ◇ instead of ★: made by CodeSync before a risky act.
    pub automatic: bool,
    pub at_ms: u64,
    pub author: String,
    /// Index in the timeline that was asked about.
    pub index: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", content = "value", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum RestoreTarget {
    /// The present selection becomes what stood in its place. Units of the present text.
    Selection {
        path: String,
        start: u32,
        end: u32,
    },
    /// The stretch `start..end` of the text at the moment comes back to where it was.
    PastSelection {
        path: String,
        start: u32,
        end: u32,
    },
    /// Lines counted from 1, both inclusive, of the text at the moment.
    Lines {
        path: String,
        first: u32,
        last: u32,
    },
    /// By present path, or the path it had at the moment.
    File {
        path: String,
    },
    Folder {
        path: String,
    },
    Workspace,
}

/// What a restore would do.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RestorePlan {
    pub at_ms: u64,
    pub changes: Vec<FileChange>,
    pub n_changed: u64,
    pub n_returning: u64,
    pub n_leaving: u64,
    /// Other authors whose later changes it takes back: name and number of changes.
    pub others: Vec<(String, u64)>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Restored {
    /// To be given to `UndoGroup`; none when nothing had to change.
    pub group_id: Option<String>,
    pub sentence: String,
    pub n_files: u64,
    pub paths: Vec<String>,
}
