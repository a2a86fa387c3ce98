//! The read side of history: what stood where at any moment, who wrote it, and the edit that brings it
//! back. Everything here is computed from steps handed in; nothing reads a clock, a disk or a log.
//!
//! Counting: moments are `0..=n`. Step `n` (from 1) leads from moment `n - 1` to moment `n`; moment 0 is
//! before the first step. Positions and lengths are UTF-16 units of LF-normalised text.

mod blame;
mod bursts;
mod column;
mod compose;
mod deltas;
mod diff;
mod file;
mod find;
mod names;
mod overlap;
mod restore;
mod revert;
mod rope;
#[cfg(test)]
mod testing;
mod text_at;
mod units;
mod view;
mod workspace;

pub use blame::BlameRun;
pub use bursts::{BURST_GAP_MS, IDLE_GAP_MS};
pub use compose::compose;
pub use diff::{LineCounts, apply, edit_script, line_counts, lines_range, minimal_splice, unified_diff};
pub use file::{AuthorSum, FileTimeline, StepInfo, StepView};
pub use find::Hit;
pub use overlap::{Overlap, overlaps};
pub use restore::{past_range, present_range, restore_past_selection, restore_present_selection};
pub use revert::Revert;
pub use rope::{slice_rope, splice_rope};
pub use view::{Axis, Bucket, Gap, View};
pub use workspace::{Entry, EntryKind, FileIdx, NewEntry, WorkspaceTimeline};

use codesync_base::LogId;

/// Who made a change: an index into the caller's list of authors. "Disk" is one of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AuthorIdx(pub u16);

/// An act: the log and the `seq` of its first delta (`Delta::group`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct GroupKey {
    pub log: LogId,
    pub seq: u32,
}

/// To which side of text inserted exactly at it a position holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bias {
    /// Stays before it.
    Before,
    /// Moves behind it.
    After,
}

/// Whether to walk to older or to newer moments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    Back,
    Forward,
}
