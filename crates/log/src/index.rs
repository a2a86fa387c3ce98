//! The ordered key-value store beside the journal: second copies, caches and local state. It is never the only
//! place of anything that matters, and no value is believed without its checksum.

mod sled_index;

pub use sled_index::SledIndex;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// One write: a value, or none to take the key away.
pub type IndexChange = (Vec<u8>, Option<Vec<u8>>);

pub trait Index: Send {
    fn get(&self, key: &[u8]) -> io::Result<Option<Vec<u8>>>;
    /// All entries whose key begins with `prefix`, in order.
    fn scan(&self, prefix: &[u8]) -> io::Result<Vec<Entry>>;
    /// Applies all changes or none. Not durable before `flush`.
    fn write(&mut self, changes: &[IndexChange]) -> io::Result<()>;
    fn flush(&mut self) -> io::Result<()>;
    /// Gives room back that nothing needs, where there is enough of it to be worth the writing.
    fn compact(&mut self) -> io::Result<()> {
        Ok(())
    }
    /// Sets the content aside and starts empty.
    fn reset(&mut self) -> io::Result<()>;
    /// What was wrong when it was opened, said once.
    fn doubt(&mut self) -> Option<String> {
        None
    }
}

const CHECKSUM_BYTES: usize = 8;

/// A value with the checksum that binds it to its key.
pub(crate) fn checked(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = checksum(key, value).to_vec();
    bytes.extend_from_slice(value);
    bytes
}

/// The value behind the checksum, if that is right.
pub(crate) fn unchecked<'a>(key: &[u8], bytes: &'a [u8]) -> Option<&'a [u8]> {
    let (sum, value) = bytes.split_at_checked(CHECKSUM_BYTES)?;
    (sum == checksum(key, value)).then_some(value)
}

fn checksum(key: &[u8], value: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(key.len() as u64).to_le_bytes()).update(key).update(value);
    let mut sum = [0; CHECKSUM_BYTES];
    sum.copy_from_slice(&hasher.finalize().as_bytes()[..CHECKSUM_BYTES]);
    sum
}

/// An index in memory. Clones are the same index.
#[derive(Clone, Debug, Default)]
pub struct MemoryIndex {
    state: Arc<Mutex<MemoryState>>,
}

#[derive(Debug, Default)]
struct MemoryState {
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    flushed: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl MemoryIndex {
    pub fn new() -> Self {
        Self::default()
    }

    /// What was not flushed is lost.
    pub fn crash(&self) {
        let mut state = self.state();
        state.entries = state.flushed.clone();
    }

    /// Damages the value of every key that `wanted` picks.
    pub fn damage(&self, mut wanted: impl FnMut(&[u8]) -> bool, change: impl Fn(&mut Vec<u8>)) {
        let mut state = self.state();
        state.entries.iter_mut().filter(|(key, _)| wanted(key)).for_each(|(_, value)| change(value));
        state.flushed = state.entries.clone();
    }

    /// Loses every entry.
    pub fn clear(&self) {
        *self.state() = MemoryState::default();
    }

    #[cfg(test)]
    pub(crate) fn state_len(&self, prefix: &str) -> usize {
        self.state().entries.keys().filter(|key| key.starts_with(prefix.as_bytes())).count()
    }

    /// An independent copy.
    pub fn fork(&self) -> MemoryIndex {
        let state = self.state();
        let copy = MemoryState { entries: state.entries.clone(), flushed: state.flushed.clone() };
        MemoryIndex { state: Arc::new(Mutex::new(copy)) }
    }

    fn state(&self) -> MutexGuard<'_, MemoryState> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Index for MemoryIndex {
    fn get(&self, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        Ok(self.state().entries.get(key).cloned())
    }

    fn scan(&self, prefix: &[u8]) -> io::Result<Vec<Entry>> {
        let state = self.state();
        let found = state.entries.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        Ok(found.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn write(&mut self, changes: &[IndexChange]) -> io::Result<()> {
        let mut state = self.state();
        for (key, value) in changes {
            match value {
                Some(value) => state.entries.insert(key.clone(), value.clone()),
                None => state.entries.remove(key),
            };
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut state = self.state();
        state.flushed = state.entries.clone();
        Ok(())
    }

    fn reset(&mut self) -> io::Result<()> {
        self.clear();
        Ok(())
    }
}
