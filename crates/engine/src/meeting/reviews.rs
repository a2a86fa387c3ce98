//! Merges with places that both sides changed are kept in mind, so that they can be reviewed after a restart, too.

use crate::{Engine, Merged, Now, Result};
use codesync_api::Overlap;
use codesync_base::DeltaHash;
use serde::{Deserialize, Serialize};

const MERGES_KEY: &str = "merges";
/// The newest ones are kept.
const MERGES_MAX: usize = 100;

/// What is needed to work a merge out again.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Reviewable {
    /// The mark “Before merge” that was made here.
    pub ours: DeltaHash,
    /// What stands for all that the others had.
    pub theirs: DeltaHash,
    /// The mark for that, made by either side.
    pub their_mark: Option<DeltaHash>,
    pub apart_ms: u64,
    pub since_ms: u64,
    pub n_places: u64,
}

impl Reviewable {
    pub fn told(&self, merged: Merged) -> codesync_api::Merged {
        let places = merged.places.into_iter().map(|place| Overlap {
            path: place.path,
            line: place.line,
            position: place.position,
            ours: place.ours,
            theirs: place.theirs,
            now: place.now,
            is_whole: place.is_whole,
        });
        codesync_api::Merged {
            with: merged.with,
            apart_ms: self.apart_ms,
            n_ours: merged.n_ours,
            n_theirs: merged.n_theirs,
            n_files: merged.n_files,
            places: places.collect(),
            since_ms: self.since_ms,
            before_ours: Some(self.ours.to_string()),
            before_theirs: self.their_mark.map(|mark| mark.to_string()),
        }
    }
}

impl Engine {
    /// Reads what was kept; that may be lost.
    pub(super) fn load_reviewable(&mut self) {
        let bytes = self.log.get_local(MERGES_KEY).unwrap_or_default();
        self.meetings.reviewable = serde_json::from_slice(&bytes).unwrap_or_default();
    }

    pub(super) fn keep_reviewable(&mut self, merge: Reviewable) {
        if merge.n_places == 0 {
            return;
        }
        let kept = &mut self.meetings.reviewable;
        kept.push(merge);
        kept.drain(..kept.len().saturating_sub(MERGES_MAX));
        let bytes = serde_json::to_vec(kept).expect("invariant: plain data has a JSON form");
        self.log.put_local(MERGES_KEY, &bytes);
    }

    /// Places that both sides changed in the merge of this mark.
    pub(crate) fn n_both_of(&self, mark: &str) -> Option<u64> {
        self.reviewable(Some(mark)).map(|merge| merge.n_places)
    }

    /// The merge of a mark, or the newest, worked out again.
    pub(crate) fn merged_again(&mut self, mark: Option<&str>, now: Now) -> Result<Option<codesync_api::Merged>> {
        let Some(merge) = self.reviewable(mark).cloned() else { return Ok(None) };
        let merged = self.merged(&merge.ours, &merge.theirs, now)?;
        Ok(Some(merge.told(merged)))
    }

    fn reviewable(&self, mark: Option<&str>) -> Option<&Reviewable> {
        let is_it = |merge: &&Reviewable| mark.is_none_or(|mark| merge.ours.to_string() == mark);
        self.meetings.reviewable.iter().rev().find(is_it)
    }
}
