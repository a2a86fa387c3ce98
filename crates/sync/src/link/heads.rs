//! What two replicas tell each other that they have. There may be any number of logs and branches, for anybody can begin
//! as many as they like: of too many some are not told, so that nobody's link ends, and every device has its share.

use super::{Context, Link};
use crate::frame::*;
use crate::limits::*;
use codesync_base::{DeviceId, Head, LogId};
use std::collections::BTreeMap;

/// Heads by log.
pub(super) fn by_log(heads: Vec<Head>) -> BTreeMap<LogId, Vec<Head>> {
    let mut grouped: BTreeMap<LogId, Vec<Head>> = BTreeMap::new();
    for head in heads {
        grouped.entry(head.log).or_default().push(head);
    }
    grouped
}

/// Those of a replica's heads that it tells: the same ones for all that have the same.
pub(super) fn told(heads: Vec<Head>) -> Vec<Head> {
    let mut logs: Vec<Vec<Head>> = by_log(heads).into_values().map(few_branches).collect();
    if logs.len() > LOGS_MAX {
        let mut n_of: BTreeMap<DeviceId, usize> = BTreeMap::new();
        // One of each device, then a second one of each: whoever has too many takes nobody else's place.
        logs.sort_by_cached_key(|branches| {
            let n_before = n_of.entry(branches[0].log.device).or_default();
            *n_before += 1;
            *n_before
        });
        logs.truncate(LOGS_MAX);
    }
    logs.into_iter().flatten().collect()
}

/// Of the branches of a log the longest, and those that parted last.
pub(super) fn few_branches(mut branches: Vec<Head>) -> Vec<Head> {
    let n_over = branches.len().saturating_sub(BRANCHES_MAX);
    if n_over == 0 {
        return branches;
    }
    let longest = (0..branches.len()).max_by_key(|idx| branches[*idx].seq).unwrap_or(0);
    branches.swap(longest, longest.max(n_over));
    branches.split_off(n_over)
}

impl Link {
    pub(super) fn send_heads(&mut self, context: &Context) {
        let mut parts = frames(told(context.replica.heads())).into_iter();
        self.send(&Frame::Heads(parts.next().unwrap_or_default()));
        parts.for_each(|heads| self.send(&Frame::Stored(heads)));
    }

    pub(super) fn send_stored(&mut self, heads: Vec<Head>) {
        frames(told(heads)).into_iter().for_each(|heads| self.send(&Frame::Stored(heads)));
    }

    /// The peer has these, instead of what was known of their logs. Gives the logs.
    pub(super) fn note_told(&mut self, heads: Vec<Head>) -> Vec<LogId> {
        let mut logs = Vec::new();
        for (log, branches) in by_log(heads) {
            if self.theirs.len() < LOGS_MAX || self.theirs.contains_key(&log) {
                self.theirs.insert(log, few_branches(branches));
                logs.push(log);
            }
        }
        logs
    }
}

/// Heads, cut into frames; those of one log stay together.
fn frames(heads: Vec<Head>) -> Vec<Vec<Head>> {
    let mut frames: Vec<Vec<Head>> = Vec::new();
    for head in heads {
        let ends_log = |last: &Vec<Head>| last.last().is_some_and(|before| before.log != head.log);
        let is_full = |last: &Vec<Head>| last.len() > FRAME_HEADS_MAX - BRANCHES_MAX && ends_log(last);
        match frames.last_mut().filter(|last| !is_full(last)) {
            Some(last) => last.push(head),
            None => frames.push(vec![head]),
        }
    }
    frames
}
