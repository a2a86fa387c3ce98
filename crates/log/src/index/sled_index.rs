//! The index in sled. sled 0.34 may panic on damaged files and its `flush` leaves the bytes in the page cache:
//! every call is guarded, and a flush is followed by a real sync of its files.

use super::{Entry, Index, IndexChange};
use std::fs::{self, OpenOptions};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// sled in `<store>/index`; what cannot be trusted goes to `<store>/set-aside`.
pub struct SledIndex {
    store: PathBuf,
    db: Option<sled::Db>,
    doubt: Option<String>,
}

/// Enough for a few blocks: everything larger is read rarely.
const CACHE_BYTES: u64 = 8 << 20;
/// What an empty index takes on disk: sled's own 512 KiB would outweigh the history of most workspaces.
const SEGMENT_BYTES: usize = 128 << 10;
/// Local state is safe from a crash of the process within this time.
const FLUSH_EVERY_MS: u64 = 1_000;

impl SledIndex {
    /// Opens the index of a store. One that does not open is set aside and an empty one is made.
    pub fn open(store: &Path) -> io::Result<Self> {
        let mut index = Self { store: store.to_path_buf(), db: None, doubt: None };
        match open_db(&index.folder()) {
            Ok(db) => index.db = Some(db),
            Err(error) => {
                tracing::warn!(%error, "the index does not open and is set aside");
                index.doubt = Some(error.to_string());
                index.reset()?;
            }
        }
        Ok(index)
    }

    fn folder(&self) -> PathBuf {
        self.store.join("index")
    }

    fn guarded<T>(&self, act: impl FnOnce(&sled::Db) -> sled::Result<T>) -> io::Result<T> {
        let db = self.db.as_ref().ok_or_else(|| io::Error::other("the index is closed"))?;
        guarded(|| act(db))
    }

    fn set_aside(&self) -> io::Result<()> {
        let folder = self.folder();
        if !folder.exists() {
            return Ok(());
        }
        let aside = self.store.join("set-aside");
        fs::create_dir_all(&aside)?;
        let free = (1..).map(|n| aside.join(format!("index-{n}"))).find(|path| !path.exists());
        fs::rename(&folder, free.expect("invariant: some number is free"))
    }
}

impl Index for SledIndex {
    fn get(&self, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        self.guarded(|db| db.get(key)).map(|found| found.map(|value| value.to_vec()))
    }

    fn scan(&self, prefix: &[u8]) -> io::Result<Vec<Entry>> {
        self.guarded(|db| {
            db.scan_prefix(prefix).map(|entry| entry.map(|(key, value)| (key.to_vec(), value.to_vec()))).collect()
        })
    }

    fn write(&mut self, changes: &[IndexChange]) -> io::Result<()> {
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key.as_slice(), value.as_slice()),
                None => batch.remove(key.as_slice()),
            }
        }
        self.guarded(|db| db.apply_batch(batch))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.guarded(|db| db.flush())?;
        // sled asks the kernel only to start writing.
        sync_files(&self.folder())
    }

    fn reset(&mut self) -> io::Result<()> {
        if let Some(db) = self.db.take() {
            // Dropping flushes, and a damaged sled may panic over that.
            guarded(|| {
                drop(db);
                Ok(())
            })
            .unwrap_or_else(|error| tracing::debug!(%error, "the old index did not close"));
        }
        self.set_aside()?;
        self.db = Some(open_db(&self.folder())?);
        Ok(())
    }

    fn doubt(&mut self) -> Option<String> {
        self.doubt.take()
    }
}

fn open_db(folder: &Path) -> io::Result<sled::Db> {
    let config = sled::Config::new()
        .path(folder)
        .cache_capacity(CACHE_BYTES)
        .segment_size(SEGMENT_BYTES)
        .flush_every_ms(Some(FLUSH_EVERY_MS));
    guarded(|| config.open())
}

fn guarded<T>(act: impl FnOnce() -> sled::Result<T>) -> io::Result<T> {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(done) => done.map_err(io::Error::other),
        Err(_) => Err(io::Error::other("the index broke off")),
    }
}

/// sled names its files `db`, `conf`, `snap.…` and, for large values, `blobs/…`.
fn sync_files(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A snapshot of sled may be replaced under our hands; the next one is synced then.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => sync_files(&entry.path())?,
            Ok(_) => sync_file(&entry.path())?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn sync_file(path: &Path) -> io::Result<()> {
    // Windows flushes only what is open for writing.
    match OpenOptions::new().read(true).write(true).open(path).and_then(|file| file.sync_data()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
