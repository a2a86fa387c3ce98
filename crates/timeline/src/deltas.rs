//! Delta keys stored once for all their steps, their logs stored once for all deltas.

use crate::{AuthorIdx, GroupKey};
use codesync_base::{DeltaHash, DeltaKey, Hlc, LogId, Origin};
use std::collections::BTreeMap;

/// How far a step's own time may stand above its delta's clock before the clock is believed instead:
/// a clock reading further ahead would not have been let in.
const AHEAD_MS_MAX: u64 = 600_000;

/// What all steps of a delta share.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct DeltaInfo {
    pub key: DeltaKey,
    pub author: AuthorIdx,
    pub origin: Origin,
    pub group: GroupKey,
}

#[derive(Clone, Debug)]
struct Row {
    wall_ms: u64,
    counter: u32,
    seq: u32,
    group_seq: u32,
    log: u32,
    group_log: u32,
    author: AuthorIdx,
    origin: Origin,
    hash: DeltaHash,
}

/// Append-only table; an index into it stands for a [`DeltaInfo`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Deltas {
    rows: Vec<Row>,
    logs: Vec<LogId>,
    log_idx: BTreeMap<LogId, u32>,
}

impl Deltas {
    /// Index of the entry; the newest one is used again when it is the same.
    pub fn intern(&mut self, info: &DeltaInfo) -> u32 {
        if let Some(last) = self.rows.len().checked_sub(1)
            && self.rows[last].hash == info.key.hash
            && self.get(last as u32) == *info
        {
            return last as u32;
        }
        let log = self.intern_log(info.key.log);
        let group_log = if info.group.log == info.key.log { log } else { self.intern_log(info.group.log) };
        self.rows.push(Row {
            wall_ms: info.key.hlc.wall_ms,
            counter: info.key.hlc.counter,
            seq: info.key.seq,
            group_seq: info.group.seq,
            log,
            group_log,
            author: info.author,
            origin: info.origin,
            hash: info.key.hash,
        });
        (self.rows.len() - 1) as u32
    }

    pub fn get(&self, idx: u32) -> DeltaInfo {
        let row = &self.rows[idx as usize];
        DeltaInfo { key: self.key(idx), author: row.author, origin: row.origin, group: self.group(idx) }
    }

    pub fn key(&self, idx: u32) -> DeltaKey {
        let row = &self.rows[idx as usize];
        DeltaKey {
            hlc: Hlc { wall_ms: row.wall_ms, counter: row.counter },
            log: self.logs[row.log as usize],
            seq: row.seq,
            hash: row.hash,
        }
    }

    pub fn group(&self, idx: u32) -> GroupKey {
        let row = &self.rows[idx as usize];
        GroupKey { log: self.logs[row.group_log as usize], seq: row.group_seq }
    }

    pub fn author(&self, idx: u32) -> AuthorIdx {
        self.rows[idx as usize].author
    }

    pub fn origin(&self, idx: u32) -> Origin {
        self.rows[idx as usize].origin
    }

    pub fn is_same_group(&self, a: u32, b: u32) -> bool {
        let (a, b) = (&self.rows[a as usize], &self.rows[b as usize]);
        (a.group_log, a.group_seq) == (b.group_log, b.group_seq)
    }

    /// The time to order a step by: its own, unless that is absurdly ahead of its delta's clock.
    pub fn ordering_ms(&self, idx: u32, at_ms: u64) -> u64 {
        let wall_ms = self.rows[idx as usize].wall_ms;
        if at_ms > wall_ms.saturating_add(AHEAD_MS_MAX) { wall_ms } else { at_ms }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Memory held, in bytes.
    pub fn n_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Row>()
    }

    pub fn truncate(&mut self, n: usize) {
        self.rows.truncate(n);
    }

    fn intern_log(&mut self, log: LogId) -> u32 {
        *self.log_idx.entry(log).or_insert_with(|| {
            self.logs.push(log);
            (self.logs.len() - 1) as u32
        })
    }
}
