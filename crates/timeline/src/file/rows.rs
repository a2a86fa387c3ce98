//! What a file's timeline holds of each step beside its texts.

use crate::column::Column;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub at_ms: u64,
    pub delta: u32,
    pub step_idx: u32,
    pub position: u32,
    pub deleted: u32,
    /// End of this step's text in what was ever typed, in bytes and in units; it begins where the step before ends.
    pub bytes_end: u32,
    pub units_end: u32,
    /// The same in what ever went away, in bytes.
    pub gone_end: u32,
}

/// Rows by column, numbered from 0.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    at_ms: Column,
    delta: Column,
    step_idx: Column,
    position: Column,
    deleted: Column,
    bytes_end: Column,
    units_end: Column,
    gone_end: Column,
}

impl Rows {
    pub fn push(&mut self, row: &Row) {
        self.at_ms.push(row.at_ms);
        self.delta.push(row.delta.into());
        self.step_idx.push(row.step_idx.into());
        self.position.push(row.position.into());
        self.deleted.push(row.deleted.into());
        self.bytes_end.push(row.bytes_end.into());
        self.units_end.push(row.units_end.into());
        self.gone_end.push(row.gone_end.into());
    }

    pub fn len(&self) -> usize {
        self.at_ms.len()
    }

    pub fn truncate(&mut self, n: usize) {
        let Self { at_ms, delta, step_idx, position, deleted, bytes_end, units_end, gone_end } = self;
        for column in [at_ms, delta, step_idx, position, deleted, bytes_end, units_end, gone_end] {
            column.truncate(n);
        }
    }

    /// Memory held, in bytes.
    pub fn n_bytes(&self) -> usize {
        let Self { at_ms, delta, step_idx, position, deleted, bytes_end, units_end, gone_end } = self;
        let columns = [at_ms, delta, step_idx, position, deleted, bytes_end, units_end, gone_end];
        columns.into_iter().map(Column::n_bytes).sum()
    }

    pub fn at_ms(&self, idx: usize) -> u64 {
        self.at_ms.get(idx)
    }

    pub fn delta(&self, idx: usize) -> u32 {
        self.delta.get_u32(idx)
    }

    pub fn step_idx(&self, idx: usize) -> u32 {
        self.step_idx.get_u32(idx)
    }

    pub fn position(&self, idx: usize) -> u32 {
        self.position.get_u32(idx)
    }

    pub fn deleted(&self, idx: usize) -> u32 {
        self.deleted.get_u32(idx)
    }

    pub fn bytes_end(&self, idx: usize) -> u32 {
        self.bytes_end.get_u32(idx)
    }

    pub fn units_end(&self, idx: usize) -> u32 {
        self.units_end.get_u32(idx)
    }

    pub fn gone_end(&self, idx: usize) -> u32 {
        self.gone_end.get_u32(idx)
    }

    /// Number of rows before the first of which `is_before` says no.
    pub fn partition_point(&self, mut is_before: impl FnMut(usize) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if is_before(middle) { low = middle + 1 } else { high = middle }
        }
        low
    }
}
