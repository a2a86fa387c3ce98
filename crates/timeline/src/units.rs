//! Every character that was ever in a file, in one order that holds for all moments: the text at moment
//! `n` is what was born by then and had not died. Units are named by their place in the timeline's store
//! of typed text, so typing without a jump stays one run.

const CHUNK_RUNS_MAX: usize = 128;
/// Of a run that is in the present text.
pub(crate) const ALIVE: u32 = u32::MAX;

/// Units `first .. first + length`, next to each other in the order of all units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub first: u32,
    pub length: u32,
    /// The step that took it away, or [`ALIVE`].
    pub died: u32,
}

#[derive(Clone, Debug, Default)]
struct Chunk {
    runs: Vec<Run>,
    n_alive: u32,
}

/// The order of all units.
#[derive(Clone, Debug)]
pub(crate) struct Units {
    chunks: Vec<Chunk>,
    /// A chunk near the last edit and the present position where it starts: edits cluster.
    near: (usize, u32),
}

impl Units {
    pub fn new(n_units: u32) -> Self {
        let mut units = Self { chunks: vec![Chunk::default()], near: (0, 0) };
        if n_units > 0 {
            units.splice(0, 0, 0, n_units, 0);
        }
        units
    }

    /// Step `step` takes `deleted` units away at `position` of the present text and puts the units
    /// `first .. first + inserted` there, behind what was ever taken away at that place.
    pub fn splice(&mut self, position: u32, deleted: u32, first: u32, inserted: u32, step: u32) {
        if deleted > 0 {
            self.delete(position, deleted, step);
        }
        if inserted > 0 {
            self.insert(position, Run { first, length: inserted, died: ALIVE });
        }
    }

    pub fn runs(&self) -> impl Iterator<Item = Run> + '_ {
        self.chunks.iter().flat_map(|chunk| chunk.runs.iter().copied())
    }

    /// Forgets the steps after `n_steps`, whose units begin at `n_units`.
    pub fn truncate(&mut self, n_steps: u32, n_units: u32) {
        let mut kept: Vec<Run> = Vec::new();
        for mut run in self.runs().filter(|run| run.first < n_units) {
            run.length = run.length.min(n_units - run.first);
            if run.died > n_steps {
                run.died = ALIVE;
            }
            match kept.last_mut() {
                Some(last) if last.died == run.died && last.first + last.length == run.first => {
                    last.length += run.length
                }
                _ => kept.push(run),
            }
        }
        self.chunks = kept.chunks(CHUNK_RUNS_MAX / 2).map(|runs| Chunk::of(runs.to_vec())).collect();
        if self.chunks.is_empty() {
            self.chunks.push(Chunk::default());
        }
        self.near = (0, 0);
    }

    /// Memory held, in bytes.
    pub fn n_bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.runs.capacity() * size_of::<Run>() + size_of::<Chunk>()).sum()
    }

    /// The chunk with the present unit at `position` (the last chunk at the end) and where it starts.
    fn locate(&mut self, position: u32) -> (usize, u32) {
        let (mut chunk_idx, mut start) = self.near;
        while start > position {
            chunk_idx -= 1;
            start -= self.chunks[chunk_idx].n_alive;
        }
        while chunk_idx + 1 < self.chunks.len() && start + self.chunks[chunk_idx].n_alive <= position {
            start += self.chunks[chunk_idx].n_alive;
            chunk_idx += 1;
        }
        self.near = (chunk_idx, start);
        self.near
    }

    fn insert(&mut self, position: u32, new: Run) {
        let (chunk_idx, start) = self.locate(position);
        let chunk = &mut self.chunks[chunk_idx];
        let run_idx = chunk.cut(position - start);
        chunk.n_alive += new.length;
        let before = run_idx.checked_sub(1).map(|before_idx| &mut chunk.runs[before_idx]);
        match before {
            Some(run) if run.died == ALIVE && run.first + run.length == new.first => run.length += new.length,
            _ => chunk.runs.insert(run_idx, new),
        }
        self.split_if_full(chunk_idx);
    }

    fn delete(&mut self, position: u32, deleted: u32, step: u32) {
        let (first_chunk_idx, start) = self.locate(position);
        let mut chunk_idx = first_chunk_idx;
        let mut run_idx = self.chunks[chunk_idx].cut(position - start);
        let mut left = deleted;
        while left > 0 {
            let chunk = &mut self.chunks[chunk_idx];
            if run_idx == chunk.runs.len() {
                chunk_idx += 1;
                run_idx = 0;
                assert!(chunk_idx < self.chunks.len(), "invariant: only text that is there is taken away");
                continue;
            }
            left -= chunk.kill(run_idx, left, step);
            run_idx += 1;
        }
        for idx in (first_chunk_idx..=chunk_idx).rev() {
            self.split_if_full(idx);
        }
    }

    fn split_if_full(&mut self, chunk_idx: usize) {
        while self.chunks[chunk_idx].runs.len() > CHUNK_RUNS_MAX {
            let chunk = &mut self.chunks[chunk_idx];
            let behind = Chunk::of(chunk.runs.split_off(chunk.runs.len() / 2));
            chunk.n_alive -= behind.n_alive;
            self.chunks.insert(chunk_idx + 1, behind);
        }
    }
}

impl Chunk {
    fn of(runs: Vec<Run>) -> Self {
        let n_alive = runs.iter().filter(|run| run.died == ALIVE).map(|run| run.length).sum();
        Self { runs, n_alive }
    }

    /// Makes a run begin at the present unit at `offset` and gives its index; at the end, the count of runs.
    fn cut(&mut self, offset: u32) -> usize {
        let mut left = offset;
        for idx in 0..self.runs.len() {
            let run = self.runs[idx];
            if run.died != ALIVE {
                continue;
            }
            if left == 0 {
                return idx;
            }
            if left < run.length {
                self.runs[idx].length = left;
                self.runs.insert(idx + 1, Run { first: run.first + left, length: run.length - left, died: ALIVE });
                return idx + 1;
            }
            left -= run.length;
        }
        self.runs.len()
    }

    /// Takes up to `n_units` of a run away; gives how many.
    fn kill(&mut self, idx: usize, n_units: u32, step: u32) -> u32 {
        let run = self.runs[idx];
        if run.died != ALIVE {
            return 0;
        }
        let n_killed = run.length.min(n_units);
        if n_killed < run.length {
            let rest = Run { first: run.first + n_killed, length: run.length - n_killed, died: ALIVE };
            self.runs.insert(idx + 1, rest);
        }
        self.runs[idx] = Run { length: n_killed, died: step, ..run };
        self.n_alive -= n_killed;
        n_killed
    }
}
