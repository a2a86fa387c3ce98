//! A disk and an index that write down what is done to them, and what any crash at any place of that could leave:
//! unsynced writes lost, torn by sectors, in any order. For tests.
#![allow(clippy::unwrap_used)]

use super::Random;
use crate::{Disk, Entry, Index, IndexChange, MemoryDisk, MemoryIndex};
use codesync_base::{BlobHash, DeltaHash};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

#[derive(Clone, Debug)]
pub(crate) enum Event {
    Append(String, Vec<u8>),
    Sync(String),
    Replace(String, Vec<u8>),
    Truncate(String, u64),
    Remove(String),
    Rename(String, String),
    IndexWrite(Vec<IndexChange>),
    IndexFlush,
    IndexReset,
    /// The worker is about to append this.
    Begun(DeltaHash),
    /// The worker was told that everything begun before is durable.
    Promised,
    /// This is promised with the next promise.
    BlobBegun(BlobHash),
}

#[derive(Clone, Default)]
pub(crate) struct Trace(Arc<Mutex<Vec<Event>>>);

impl Trace {
    pub fn note(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }

    pub fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }
}

pub(crate) struct RecordingDisk {
    pub inner: MemoryDisk,
    pub trace: Trace,
}

impl RecordingDisk {
    /// Notes an event that happened.
    fn did(&self, done: io::Result<()>, event: Event) -> io::Result<()> {
        if done.is_ok() {
            self.trace.note(event);
        }
        done
    }
}

impl Disk for RecordingDisk {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.inner.list(folder)
    }
    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        self.inner.read(name)
    }
    fn read_range(&self, name: &str, offset: u64, length_bytes: u64) -> io::Result<Vec<u8>> {
        self.inner.read_range(name, offset, length_bytes)
    }
    fn length_bytes(&self, name: &str) -> io::Result<u64> {
        self.inner.length_bytes(name)
    }
    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let done = self.inner.append(name, bytes);
        self.did(done, Event::Append(name.into(), bytes.into()))
    }
    fn sync(&mut self, name: &str) -> io::Result<()> {
        let done = self.inner.sync(name);
        self.did(done, Event::Sync(name.into()))
    }
    fn replace(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let done = self.inner.replace(name, bytes);
        self.did(done, Event::Replace(name.into(), bytes.into()))
    }
    fn truncate(&mut self, name: &str, length_bytes: u64) -> io::Result<()> {
        let done = self.inner.truncate(name, length_bytes);
        self.did(done, Event::Truncate(name.into(), length_bytes))
    }
    fn remove(&mut self, name: &str) -> io::Result<()> {
        let done = self.inner.remove(name);
        self.did(done, Event::Remove(name.into()))
    }
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let done = self.inner.rename(from, to);
        self.did(done, Event::Rename(from.into(), to.into()))
    }
    fn size_bytes(&self) -> u64 {
        self.inner.size_bytes()
    }
}

pub(crate) struct RecordingIndex {
    pub inner: MemoryIndex,
    pub trace: Trace,
}

impl Index for RecordingIndex {
    fn get(&self, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        self.inner.get(key)
    }
    fn scan(&self, prefix: &[u8]) -> io::Result<Vec<Entry>> {
        self.inner.scan(prefix)
    }
    fn write(&mut self, changes: &[IndexChange]) -> io::Result<()> {
        self.trace.note(Event::IndexWrite(changes.to_vec()));
        self.inner.write(changes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.trace.note(Event::IndexFlush);
        self.inner.flush()
    }
    fn reset(&mut self) -> io::Result<()> {
        self.trace.note(Event::IndexReset);
        self.inner.reset()
    }
}

const SECTOR_BYTES: usize = 512;

/// A file as the medium has it, and what was written to it since.
#[derive(Clone, Default)]
struct Medium {
    /// None while no crash would leave the name.
    durable: Option<Vec<u8>>,
    /// Places and bytes, in order.
    unsynced: Vec<(usize, Vec<u8>)>,
    /// Removed, which a crash may undo.
    is_removed: bool,
}

impl Medium {
    fn content(&self) -> Vec<u8> {
        let mut bytes = self.durable.clone().unwrap_or_default();
        for (at, written) in &self.unsynced {
            put(&mut bytes, *at, written);
        }
        bytes
    }

    fn settle(&mut self) {
        self.durable = Some(self.content());
        self.unsynced.clear();
    }
}

fn put(bytes: &mut Vec<u8>, at: usize, written: &[u8]) {
    if bytes.len() < at + written.len() {
        bytes.resize(at + written.len(), 0);
    }
    bytes[at..at + written.len()].copy_from_slice(written);
}

/// What the media hold after some events.
#[derive(Clone, Default)]
pub(crate) struct Media {
    files: BTreeMap<String, Medium>,
    index: BTreeMap<Vec<u8>, Vec<u8>>,
    index_unflushed: Vec<Vec<IndexChange>>,
}

/// What a crash does to what was not synced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Crash {
    Lose,
    Keep,
    /// Only the process is gone: all is there, and the next crash can still take it.
    Kill,
    /// Any part of it, in any order, by this seed.
    Scatter(u64),
}

impl Media {
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Append(name, bytes) => {
                let file = self.files.entry(name.clone()).or_default();
                if file.is_removed {
                    *file = Medium::default();
                }
                let at = file.content().len();
                file.unsynced.push((at, bytes.clone()));
            }
            Event::Sync(name) => self.files.get_mut(name).unwrap().settle(),
            Event::Replace(name, bytes) => {
                self.files.insert(name.clone(), Medium { durable: Some(bytes.clone()), ..Medium::default() });
            }
            Event::Truncate(name, length_bytes) => {
                let file = self.files.get_mut(name).unwrap();
                file.settle();
                file.durable.as_mut().unwrap().truncate(*length_bytes as usize);
            }
            Event::Remove(name) => self.files.get_mut(name).unwrap().is_removed = true,
            Event::Rename(from, to) => {
                let mut file = self.files.remove(from).unwrap();
                file.durable.get_or_insert_default();
                self.files.insert(to.clone(), file);
            }
            Event::IndexWrite(changes) => self.index_unflushed.push(changes.clone()),
            Event::IndexFlush => {
                for changes in std::mem::take(&mut self.index_unflushed) {
                    apply(&mut self.index, &changes);
                }
            }
            Event::IndexReset => {
                self.index.clear();
                self.index_unflushed.clear();
            }
            Event::Begun(_) | Event::BlobBegun(_) | Event::Promised => {}
        }
    }

    /// What is found after a crash now.
    pub fn after(&self, crash: Crash) -> (MemoryDisk, MemoryIndex) {
        let mut random = Random(match crash {
            Crash::Scatter(seed) => seed,
            _ => 0,
        });
        let mut disk = MemoryDisk::new();
        for (name, file) in &self.files {
            if crash == Crash::Kill {
                file.write_to(&mut disk, name);
            } else if let Some(bytes) = file.after(crash, &mut random) {
                disk.replace(name, &bytes).unwrap();
            }
        }
        let mut entries = self.index.clone();
        let n_kept = match crash {
            Crash::Lose => 0,
            Crash::Keep => self.index_unflushed.len(),
            // What was not flushed went with the process.
            Crash::Kill => 0,
            Crash::Scatter(_) => random.below(self.index_unflushed.len() as u64 + 1) as usize,
        };
        self.index_unflushed[..n_kept].iter().for_each(|changes| apply(&mut entries, changes));
        // Now and then the index is gone altogether, or came from another time.
        let mut index = MemoryIndex::new();
        if !matches!(crash, Crash::Scatter(seed) if seed % 16 == 7) {
            let changes: Vec<IndexChange> = entries.into_iter().map(|(key, value)| (key, Some(value))).collect();
            index.write(&changes).unwrap();
            index.flush().unwrap();
        }
        (disk, index)
    }
}

fn apply(entries: &mut BTreeMap<Vec<u8>, Vec<u8>>, changes: &[IndexChange]) {
    for (key, value) in changes {
        match value {
            Some(value) => entries.insert(key.clone(), value.clone()),
            None => entries.remove(key),
        };
    }
}

impl Medium {
    /// As it stands, what is not synced unsynced.
    fn write_to(&self, disk: &mut MemoryDisk, name: &str) {
        let n_durable = self.durable.as_ref().map_or(0, Vec::len);
        if let Some(bytes) = &self.durable {
            disk.replace(name, bytes).unwrap();
        }
        if self.durable.is_none() || !self.unsynced.is_empty() {
            disk.append(name, &self.content()[n_durable..]).unwrap();
        }
        if self.is_removed {
            disk.remove(name).unwrap();
        }
    }

    fn after(&self, crash: Crash, random: &mut Random) -> Option<Vec<u8>> {
        match crash {
            Crash::Lose => self.durable.clone(),
            Crash::Keep | Crash::Kill => (!self.is_removed).then(|| self.content()),
            Crash::Scatter(_) => {
                if self.is_removed && random.below(2) == 0 || self.durable.is_none() && random.below(4) == 0 {
                    return None;
                }
                let mut bytes = self.durable.clone().unwrap_or_default();
                // Now and then the length of the file gets there before any data.
                if random.below(4) == 0 {
                    bytes.resize(self.content().len(), 0);
                }
                self.scatter(&mut bytes, random);
                Some(bytes)
            }
        }
    }

    /// Each sector gets there or not: that of the page cache, which holds several writes.
    fn scatter(&self, bytes: &mut Vec<u8>, random: &mut Random) {
        let whole = self.content();
        let likely = 1 + random.below(8);
        let from = self.durable.as_ref().map_or(0, Vec::len);
        let mut at = from;
        while at < whole.len() {
            let end = (at / SECTOR_BYTES + 1) * SECTOR_BYTES;
            let end = end.min(whole.len());
            if random.below(8) < likely {
                // The end may have grown after the sector was written out the last time.
                let end = if random.below(4) == 0 { at + random.below((end - at) as u64 + 1) as usize } else { end };
                put(bytes, at, &whole[at..end]);
            }
            at = (at / SECTOR_BYTES + 1) * SECTOR_BYTES;
        }
    }
}
