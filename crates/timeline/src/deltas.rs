//! Delta keys stored once for all their steps, their logs stored once for all deltas.

use crate::column::Column;
use crate::names::Names;
use crate::{AuthorIdx, GroupKey};
use codesync_base::{DeltaKey, Hlc, LogId, Origin};
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

#[derive(Clone, Debug, Default)]
struct Rows {
    run: Column,
    /// Of its hash in `names`.
    name: Column,
    /// Since that of its run.
    wall_ms: Column,
    counter: Column,
}

/// What entries one after the other share: the same act of one log, each the next delta.
#[derive(Clone, Debug)]
struct Run {
    wall_ms: u64,
    /// Index of its first entry, and that one's number in its log.
    first: u32,
    seq: u32,
    group_seq: u32,
    log: u32,
    group_log: u32,
    author: AuthorIdx,
    origin: Origin,
}

/// Append-only table; an index into it stands for a [`DeltaInfo`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Deltas {
    rows: Rows,
    runs: Vec<Run>,
    names: Names,
    logs: Vec<LogId>,
    log_idx: BTreeMap<LogId, u32>,
}

impl Deltas {
    /// Index of the entry; the newest one is used again when it is the same.
    pub fn intern(&mut self, info: &DeltaInfo) -> u32 {
        if let Some(last) = self.len().checked_sub(1)
            && self.get(last as u32) == *info
        {
            return last as u32;
        }
        let wall_ms = match self.next_in_run(info) {
            Some(wall_ms) => wall_ms,
            None => {
                self.start_run(info);
                0
            }
        };
        self.rows.run.push(self.runs.len() as u64 - 1);
        self.rows.name.push(self.names.number(&info.key.hash).into());
        self.rows.wall_ms.push(wall_ms.into());
        self.rows.counter.push(info.key.hlc.counter.into());
        (self.len() - 1) as u32
    }

    /// Time since that of the last run, if the entry continues that.
    fn next_in_run(&self, info: &DeltaInfo) -> Option<u32> {
        let run = self.runs.last()?;
        let n_before = self.len() as u32 - run.first;
        let is_next = run.seq.checked_add(n_before) == Some(info.key.seq)
            && (run.author, run.origin, run.group_seq) == (info.author, info.origin, info.group.seq)
            && self.logs[run.log as usize] == info.key.log
            && self.logs[run.group_log as usize] == info.group.log;
        let wall_ms = info.key.hlc.wall_ms.checked_sub(run.wall_ms).filter(|_| is_next)?;
        u32::try_from(wall_ms).ok()
    }

    fn start_run(&mut self, info: &DeltaInfo) {
        let log = self.intern_log(info.key.log);
        let group_log = if info.group.log == info.key.log { log } else { self.intern_log(info.group.log) };
        self.runs.push(Run {
            wall_ms: info.key.hlc.wall_ms,
            first: self.len() as u32,
            seq: info.key.seq,
            group_seq: info.group.seq,
            log,
            group_log,
            author: info.author,
            origin: info.origin,
        });
    }

    pub fn get(&self, idx: u32) -> DeltaInfo {
        let run = self.run(idx);
        DeltaInfo { key: self.key(idx), author: run.author, origin: run.origin, group: self.group(idx) }
    }

    pub fn key(&self, idx: u32) -> DeltaKey {
        let run = self.run(idx);
        DeltaKey {
            hlc: Hlc { wall_ms: self.wall_ms(idx), counter: self.rows.counter.get_u32(idx as usize) },
            log: self.logs[run.log as usize],
            seq: run.seq + (idx - run.first),
            hash: self.names.hash(self.rows.name.get_u32(idx as usize)),
        }
    }

    pub fn group(&self, idx: u32) -> GroupKey {
        let run = self.run(idx);
        GroupKey { log: self.logs[run.group_log as usize], seq: run.group_seq }
    }

    pub fn author(&self, idx: u32) -> AuthorIdx {
        self.run(idx).author
    }

    pub fn origin(&self, idx: u32) -> Origin {
        self.run(idx).origin
    }

    pub fn is_same_group(&self, a: u32, b: u32) -> bool {
        let (a, b) = (self.run(a), self.run(b));
        (a.group_log, a.group_seq) == (b.group_log, b.group_seq)
    }

    /// The clock of a delta.
    pub fn wall_ms(&self, idx: u32) -> u64 {
        self.run(idx).wall_ms + self.rows.wall_ms.get(idx as usize)
    }

    /// The time to order a step by: its own, unless that is absurdly ahead of its delta's clock.
    pub fn ordering_ms(&self, idx: u32, at_ms: u64) -> u64 {
        let wall_ms = self.wall_ms(idx);
        if at_ms > wall_ms.saturating_add(AHEAD_MS_MAX) { wall_ms } else { at_ms }
    }

    pub fn len(&self) -> usize {
        self.rows.run.len()
    }

    /// Memory held, in bytes.
    pub fn n_bytes(&self) -> usize {
        let Rows { run, name, wall_ms, counter } = &self.rows;
        let rows: usize = [run, name, wall_ms, counter].into_iter().map(Column::n_bytes).sum();
        rows + self.runs.capacity() * size_of::<Run>() + self.names.n_bytes()
    }

    pub fn truncate(&mut self, n: usize) {
        let Rows { run, name, wall_ms, counter } = &mut self.rows;
        [run, name, wall_ms, counter].into_iter().for_each(|column| column.truncate(n));
        self.runs.truncate(self.rows.run.last().map_or(0, |run| run as usize + 1));
        self.names.truncate_after(self.rows.name.last().map(|name| name as u32));
    }

    fn run(&self, idx: u32) -> &Run {
        &self.runs[self.rows.run.get(idx as usize) as usize]
    }

    fn intern_log(&mut self, log: LogId) -> u32 {
        *self.log_idx.entry(log).or_insert_with(|| {
            self.logs.push(log);
            (self.logs.len() - 1) as u32
        })
    }
}
