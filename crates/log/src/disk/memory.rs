//! A store in memory, for tests and the simulator: it loses or tears unsynced writes when it crashes, runs out of
//! space when told to, and can be damaged by hand.

use super::Disk;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

/// Cheap to clone; all clones are the same disk, so that a test keeps a hand on it.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, File>,
    /// Removed, but a crash may bring it back.
    removed: BTreeMap<String, File>,
    space_bytes: Option<u64>,
    /// Operations that change something.
    n_changes: u64,
    dies_after_changes: Option<u64>,
    fails_next_sync: bool,
    /// At this change all room is used up.
    full_at_change: Option<(u64, u64)>,
}

#[derive(Clone, Debug, Default)]
struct File {
    bytes: Vec<u8>,
    /// What a crash cannot take; none while the name itself is not durable.
    synced: Option<Vec<u8>>,
}

/// What a crash does to writes that were not synced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CrashStyle {
    /// All are lost.
    Lose,
    /// All happen to be there.
    Keep,
    /// Only the process is gone: all is there, and what was not synced still is not.
    Kill,
    /// Each file keeps a part that depends on the number; what follows may be garbage.
    Tear(u64),
}

impl MemoryDisk {
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on the disk as a whole holds at most so many bytes.
    pub fn set_space(&self, bytes: Option<u64>) {
        self.state().space_bytes = bytes;
    }

    /// Once so many changes were made since the beginning, nothing more fits, until [`Self::set_space`] says else;
    /// not even when `taken_bytes` are freed.
    pub fn fill_at(&self, n_changes: u64, taken_bytes: u64) {
        self.state().full_at_change = Some((n_changes, taken_bytes));
    }

    /// After so many more changes every further one fails, as if the process had died.
    pub fn die_after(&self, n_changes: Option<u64>) {
        let mut state = self.state();
        state.dies_after_changes = n_changes.map(|n| state.n_changes + n);
    }

    /// The next sync fails, and what it should have made durable is lost by a crash.
    pub fn fail_next_sync(&self) {
        self.state().fails_next_sync = true;
    }

    pub fn n_changes(&self) -> u64 {
        self.state().n_changes
    }

    /// Power goes, or just the process: what was not synced is treated by `style`. The disk works again afterwards.
    pub fn crash(&self, style: CrashStyle) {
        let mut state = self.state();
        state.dies_after_changes = None;
        if style == CrashStyle::Kill {
            return;
        }
        let names: Vec<String> = state.files.keys().cloned().collect();
        for (idx, name) in names.iter().enumerate() {
            let file = state.files.remove(name).expect("invariant: listed above");
            if let Some(bytes) = file.after_crash(style, idx as u64) {
                state.files.insert(name.clone(), File { synced: Some(bytes.clone()), bytes });
            }
        }
        let removed = std::mem::take(&mut state.removed);
        for (idx, (name, file)) in removed.into_iter().enumerate() {
            let is_back = match style {
                CrashStyle::Lose => true,
                CrashStyle::Keep | CrashStyle::Kill => false,
                CrashStyle::Tear(seed) => mix(seed ^ mix(!(idx as u64))) & 1 == 0,
            };
            if let Some(bytes) = file.synced.filter(|_| is_back) {
                state.files.entry(name).or_insert(File { synced: Some(bytes.clone()), bytes });
            }
        }
    }

    /// An independent copy of everything, as it stands.
    pub fn fork(&self) -> MemoryDisk {
        let state = self.state();
        let copy = State { files: state.files.clone(), removed: state.removed.clone(), ..State::default() };
        MemoryDisk { state: Arc::new(Mutex::new(copy)) }
    }

    /// Names and lengths of all files.
    pub fn files(&self) -> Vec<(String, u64)> {
        self.state().files.iter().map(|(name, file)| (name.clone(), file.bytes.len() as u64)).collect()
    }

    /// Changes a file behind the log's back, durably. Bytes cut to nothing leave an empty file.
    pub fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        if let Some(file) = state.files.get_mut(name) {
            change(&mut file.bytes);
            file.synced = Some(file.bytes.clone());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl File {
    fn after_crash(&self, style: CrashStyle, salt: u64) -> Option<Vec<u8>> {
        let synced = self.synced.clone();
        match style {
            CrashStyle::Lose => synced,
            CrashStyle::Keep | CrashStyle::Kill => Some(self.bytes.clone()),
            CrashStyle::Tear(seed) => {
                let random = mix(seed ^ mix(salt));
                let base = synced.clone().unwrap_or_default();
                if !self.bytes.starts_with(&base) {
                    return if random & 1 == 0 { Some(base) } else { Some(self.bytes.clone()) };
                }
                if synced.is_none() && random & 6 == 0 {
                    return None;
                }
                let n_new = self.bytes.len() - base.len();
                let n_kept = if n_new == 0 { 0 } else { (random >> 8) as usize % (n_new + 1) };
                let mut bytes = self.bytes[..base.len() + n_kept].to_vec();
                // File systems may grow a file before its data arrives: zeros in place of what was written.
                if random & 8 != 0 {
                    bytes.resize(self.bytes.len(), 0);
                }
                Some(bytes)
            }
        }
    }
}

/// SplitMix64: one well-mixed number from another.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl State {
    fn change(&mut self) -> io::Result<()> {
        if self.dies_after_changes.is_some_and(|last| self.n_changes >= last) {
            return Err(io::Error::other("the process is gone"));
        }
        self.n_changes += 1;
        if let Some((_, taken_bytes)) = self.full_at_change.take_if(|(at, _)| self.n_changes >= *at) {
            let used_bytes: u64 = self.files.values().map(|file| file.bytes.len() as u64).sum();
            self.space_bytes = Some(used_bytes.saturating_sub(taken_bytes));
        }
        Ok(())
    }

    fn space_left(&self) -> usize {
        let used: u64 = self.files.values().map(|file| file.bytes.len() as u64).sum();
        self.space_bytes.map_or(usize::MAX, |space| usize::try_from(space.saturating_sub(used)).unwrap_or(usize::MAX))
    }
}

fn missing() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Disk for MemoryDisk {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let state = self.state();
        let names = state.files.keys().filter_map(|name| name.strip_prefix(&prefix));
        Ok(names.filter(|name| !name.contains('/')).map(str::to_owned).collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        self.state().files.get(name).map(|file| file.bytes.clone()).ok_or_else(missing)
    }

    fn read_range(&self, name: &str, offset: u64, length_bytes: u64) -> io::Result<Vec<u8>> {
        let state = self.state();
        let file = state.files.get(name).ok_or_else(missing)?;
        let end = offset.checked_add(length_bytes).filter(|end| *end <= file.bytes.len() as u64);
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(file.bytes[offset as usize..end as usize].to_vec())
    }

    fn length_bytes(&self, name: &str) -> io::Result<u64> {
        self.state().files.get(name).map(|file| file.bytes.len() as u64).ok_or_else(missing)
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        state.change()?;
        let n_fit = state.space_left().min(bytes.len());
        let file = state.files.entry(name.to_owned()).or_default();
        file.bytes.extend_from_slice(&bytes[..n_fit]);
        if n_fit < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.change()?;
        if std::mem::take(&mut state.fails_next_sync) {
            return Err(io::Error::other("the device answered with an input/output fault"));
        }
        let file = state.files.get_mut(name).ok_or_else(missing)?;
        file.synced = Some(file.bytes.clone());
        Ok(())
    }

    fn replace(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        state.change()?;
        if state.space_left() < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let file = File { bytes: bytes.to_vec(), synced: Some(bytes.to_vec()) };
        state.files.insert(name.to_owned(), file);
        Ok(())
    }

    fn truncate(&mut self, name: &str, length_bytes: u64) -> io::Result<()> {
        let mut state = self.state();
        state.change()?;
        let file = state.files.get_mut(name).ok_or_else(missing)?;
        file.bytes.truncate(usize::try_from(length_bytes).unwrap_or(usize::MAX));
        file.synced = Some(file.bytes.clone());
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.change()?;
        let file = state.files.remove(name).ok_or_else(missing)?;
        state.removed.insert(name.to_owned(), file);
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.change()?;
        let mut file = state.files.remove(from).ok_or_else(missing)?;
        file.synced = Some(file.bytes.clone());
        state.files.insert(to.to_owned(), file);
        Ok(())
    }

    fn size_bytes(&self) -> u64 {
        self.state().files.values().map(|file| file.bytes.len() as u64).sum()
    }
}
