//! The hashes of deltas, held once for all tables on a thread that name a delta one after the other: the timeline of
//! the workspace and that of a file do. It only saves memory: a delta named again later is held again.

use codesync_base::DeltaHash;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const CHUNK_SLOTS: usize = 256;
const SLOT_BITS: u32 = CHUNK_SLOTS.trailing_zeros();

/// Hashes of some deltas. A slot is written once, before anyone is told of it.
#[derive(Debug)]
struct Chunk([[AtomicU64; 4]; CHUNK_SLOTS]);

impl Chunk {
    fn new() -> Arc<Self> {
        Arc::new(Self(std::array::from_fn(|_| Default::default())))
    }

    fn get(&self, slot: usize) -> DeltaHash {
        let mut hash = DeltaHash::ZERO;
        for (bytes, word) in hash.0.chunks_exact_mut(8).zip(&self.0[slot]) {
            bytes.copy_from_slice(&word.load(Relaxed).to_le_bytes());
        }
        hash
    }

    fn set(&self, slot: usize, hash: &DeltaHash) {
        for (bytes, word) in hash.0.chunks_exact(8).zip(&self.0[slot]) {
            let mut word_bytes = [0; 8];
            word_bytes.copy_from_slice(bytes);
            word.store(u64::from_le_bytes(word_bytes), Relaxed);
        }
    }
}

/// The chunk that is being filled.
struct Filling {
    chunk: Arc<Chunk>,
    n_filled: usize,
}

thread_local! {
    static FILLING: RefCell<Filling> = RefCell::new(Filling { chunk: Chunk::new(), n_filled: 0 });
}

impl Filling {
    /// The slot of a hash: the last one, when it was just named, or a new one.
    fn slot_of(&mut self, hash: &DeltaHash) -> usize {
        if let Some(last) = self.n_filled.checked_sub(1)
            && self.chunk.get(last) == *hash
        {
            return last;
        }
        if self.n_filled == CHUNK_SLOTS {
            *self = Self { chunk: Chunk::new(), n_filled: 0 };
        }
        self.chunk.set(self.n_filled, hash);
        self.n_filled += 1;
        self.n_filled - 1
    }
}

/// The hashes that one table uses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    chunks: Vec<Arc<Chunk>>,
}

impl Names {
    /// A number that stands for this hash in this table.
    pub fn number(&mut self, hash: &DeltaHash) -> u32 {
        FILLING.with_borrow_mut(|filling| {
            let slot = filling.slot_of(hash);
            if !self.chunks.last().is_some_and(|last| Arc::ptr_eq(last, &filling.chunk)) {
                self.chunks.push(filling.chunk.clone());
            }
            let chunk = u32::try_from(self.chunks.len() - 1).ok().and_then(|idx| idx.checked_mul(CHUNK_SLOTS as u32));
            chunk.expect("invariant: fewer than 16 Mi chunks are used by a table") + slot as u32
        })
    }

    pub fn hash(&self, number: u32) -> DeltaHash {
        self.chunks[(number >> SLOT_BITS) as usize].get(number as usize % CHUNK_SLOTS)
    }

    /// Forgets what comes after this number.
    pub fn truncate_after(&mut self, last: Option<u32>) {
        self.chunks.truncate(last.map_or(0, |last| (last >> SLOT_BITS) as usize + 1));
    }

    /// Memory held, in bytes, also where another table holds it, too.
    pub fn n_bytes(&self) -> usize {
        self.chunks.len() * size_of::<Chunk>()
    }
}

#[cfg(test)]
mod tests;
