//! Numbers in a row, held in as few bytes as they differ by: every 128 of them as their smallest and the distance of
//! each from it. A timeline has some ten such numbers a step, most of which hardly change from one to the next.

const CHUNK: usize = 128;

#[derive(Clone, Debug)]
struct Chunk {
    smallest: u64,
    /// Little-endian distances, all of the same length: from none to eight bytes.
    distances: Box<[u8]>,
}

impl Chunk {
    fn of(values: &[u64]) -> Self {
        let smallest = values.iter().copied().min().unwrap_or(0);
        let largest = values.iter().copied().max().unwrap_or(0);
        let n_bytes = (u64::BITS - (largest - smallest).leading_zeros()).div_ceil(8) as usize;
        let mut distances = Vec::with_capacity(n_bytes * values.len());
        for value in values {
            distances.extend_from_slice(&(value - smallest).to_le_bytes()[..n_bytes]);
        }
        Self { smallest, distances: distances.into_boxed_slice() }
    }

    fn get(&self, idx: usize) -> u64 {
        let n_bytes = self.distances.len() / CHUNK;
        let distance = &self.distances[n_bytes * idx..n_bytes * (idx + 1)];
        self.smallest + distance.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }
}

/// A growing list of numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    chunks: Vec<Chunk>,
    /// The newest, fewer than a chunk.
    rest: Vec<u64>,
}

impl Column {
    pub fn push(&mut self, value: u64) {
        if self.rest.capacity() == 0 {
            self.rest.reserve_exact(CHUNK);
        }
        self.rest.push(value);
        if self.rest.len() == CHUNK {
            self.chunks.push(Chunk::of(&self.rest));
            self.rest.clear();
        }
    }

    pub fn len(&self) -> usize {
        self.chunks.len() * CHUNK + self.rest.len()
    }

    /// # Panics
    /// When there is no such number.
    pub fn get(&self, idx: usize) -> u64 {
        match self.chunks.get(idx / CHUNK) {
            Some(chunk) => chunk.get(idx % CHUNK),
            None => self.rest[idx - self.chunks.len() * CHUNK],
        }
    }

    /// The same of what was pushed as a `u32`.
    pub fn get_u32(&self, idx: usize) -> u32 {
        self.get(idx) as u32
    }

    pub fn last(&self) -> Option<u64> {
        self.len().checked_sub(1).map(|idx| self.get(idx))
    }

    pub fn truncate(&mut self, n: usize) {
        if n >= self.len() {
            return;
        }
        let n_chunks = n / CHUNK;
        let rest = (n_chunks * CHUNK..n).map(|idx| self.get(idx)).collect();
        self.rest = rest;
        self.chunks.truncate(n_chunks);
    }

    pub fn set(&mut self, idx: usize, value: u64) {
        let chunk_idx = idx / CHUNK;
        let Some(chunk) = self.chunks.get_mut(chunk_idx) else {
            self.rest[idx - self.chunks.len() * CHUNK] = value;
            return;
        };
        let mut values: Vec<u64> = (0..CHUNK).map(|idx| chunk.get(idx)).collect();
        values[idx % CHUNK] = value;
        *chunk = Chunk::of(&values);
    }

    /// How many of `range` come before the first for which `is_before` says no; those before it come first.
    pub fn partition_point(&self, range: std::ops::Range<usize>, mut is_before: impl FnMut(u64) -> bool) -> usize {
        let (start, mut low, mut high) = (range.start, range.start, range.end);
        while low < high {
            let middle = low + (high - low) / 2;
            if is_before(self.get(middle)) { low = middle + 1 } else { high = middle }
        }
        low - start
    }

    /// Memory held, in bytes.
    pub fn n_bytes(&self) -> usize {
        let distances: usize = self.chunks.iter().map(|chunk| chunk.distances.len()).sum();
        self.chunks.capacity() * size_of::<Chunk>() + distances + self.rest.capacity() * size_of::<u64>()
    }
}

#[cfg(test)]
mod tests;
