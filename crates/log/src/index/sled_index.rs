//! The index in sled. sled 0.34 may panic on damaged files and its `flush` leaves the bytes in the page cache:
//! every call is guarded, and a flush is followed by a real sync of its files.

use super::{Entry, Index, IndexChange};
use std::fs::{self, OpenOptions};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

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
/// sled leaves about as much behind as it holds. Beyond this it is written anew.
const SPARE_BYTES_MAX: u64 = 256 << 10;
/// Local state is safe from a crash of the process within this time.
const FLUSH_EVERY_MS: u64 = 1_000;
/// How often it is tried to open one that is just being closed, and for how long.
const LOCK_WAIT: Duration = Duration::from_millis(10);
const LOCK_WAIT_MAX: Duration = Duration::from_secs(5);

impl SledIndex {
    /// Opens the index of a store. One that does not open is set aside and an empty one is made.
    pub fn open(store: &Path) -> io::Result<Self> {
        let mut index = Self { store: store.to_path_buf(), db: None, doubt: None };
        index.finish_compacting()?;
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

    /// A copy is made beside it and put in its place; whatever step a crash comes after, one of the two is whole.
    fn beside(&self, name: &str) -> PathBuf {
        self.store.join(name)
    }

    /// Puts right what a crash during [`Index::compact`] left.
    fn finish_compacting(&self) -> io::Result<()> {
        let (folder, old) = (self.folder(), self.beside(OLD));
        if !folder.exists() && old.exists() {
            fs::rename(&old, &folder)?;
        }
        remove_folder(&old)?;
        remove_folder(&self.beside(NEW))
    }

    fn copy_to(&self, folder: &Path) -> io::Result<()> {
        let copy = open_db(folder)?;
        // First the keys, in order and without values: sled's pages find their size while they are small. Each value is
        // then written once; together they take more than twice as much, for pages that grow are written again and again.
        self.guarded(|db| {
            db.iter().keys().try_for_each(|key| copy.insert(key?, Vec::new()).map(drop))?;
            db.iter().try_for_each(|entry| entry.and_then(|(key, value)| copy.insert(key, value).map(drop)))?;
            copy.flush().map(drop)
        })?;
        guarded(|| {
            drop(copy);
            Ok(())
        })?;
        sync_files(folder)?;
        let blobs = folder.join("blobs");
        if blobs.is_dir() {
            sync_folder(&blobs)?;
        }
        sync_folder(folder)
    }

    fn close_db(&mut self) {
        let Some(db) = self.db.take() else { return };
        // Dropping flushes, and a damaged sled may panic over that.
        guarded(|| {
            drop(db);
            Ok(())
        })
        .unwrap_or_else(|error| tracing::debug!(%error, "the old index did not close"));
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
        self.close_db();
        self.set_aside()?;
        self.db = Some(open_db(&self.folder())?);
        Ok(())
    }

    fn compact(&mut self) -> io::Result<()> {
        let (folder, new, old) = (self.folder(), self.beside(NEW), self.beside(OLD));
        let n_held = self.guarded(|db| {
            db.iter().try_fold(0, |sum, entry| entry.map(|(key, value)| sum + (key.len() + value.len()) as u64))
        })?;
        if folder_bytes(&folder)? < n_held + n_held / 4 + SPARE_BYTES_MAX {
            return Ok(());
        }
        remove_folder(&new)?;
        if let Err(error) = self.copy_to(&new) {
            // No room, perhaps: it stays as large as it is.
            tracing::debug!(%error, "the index could not be written anew");
            return remove_folder(&new);
        }
        self.close_db();
        fs::rename(&folder, &old)?;
        fs::rename(&new, &folder)?;
        sync_folder(&self.store)?;
        self.db = Some(open_db(&folder)?);
        remove_folder(&old)
    }

    fn doubt(&mut self) -> Option<String> {
        self.doubt.take()
    }
}

const NEW: &str = "index.new";
const OLD: &str = "index.old";

fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn folder_bytes(folder: &Path) -> io::Result<u64> {
    let mut n_bytes = 0;
    for entry in fs::read_dir(folder)? {
        let metadata = entry?.metadata()?;
        // Of folders there is one, without others inside: that of large values.
        n_bytes += metadata.len();
    }
    let blobs = folder.join("blobs");
    if folder.ends_with("blobs") || !blobs.is_dir() {
        return Ok(n_bytes);
    }
    Ok(n_bytes + folder_bytes(&blobs)?)
}

/// Makes the names in a folder durable.
fn sync_folder(folder: &Path) -> io::Result<()> {
    // Windows cannot open a folder as a file and keeps names durable by itself.
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

fn open_db(folder: &Path) -> io::Result<sled::Db> {
    let config = sled::Config::new()
        .path(folder)
        .cache_capacity(CACHE_BYTES)
        .segment_size(SEGMENT_BYTES)
        .flush_every_ms(Some(FLUSH_EVERY_MS));
    let began = Instant::now();
    loop {
        match guarded(|| config.open()) {
            // One that was closed may still be in the hands of its own threads for a moment; the store's lock keeps
            // everybody else out.
            Err(error) if error.to_string().contains("could not acquire lock") && began.elapsed() < LOCK_WAIT_MAX => {
                std::thread::sleep(LOCK_WAIT);
            }
            done => return done,
        }
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn filled(store: &Path) -> SledIndex {
        let mut index = SledIndex::open(store).unwrap();
        for round in 0..30_u8 {
            for n in 0..20_u8 {
                let value = vec![round.wrapping_mul(n) ^ 0x5a; 8_000];
                index.write(&[(vec![b'k', n], Some(value))]).unwrap();
            }
            index.flush().unwrap();
        }
        index
    }

    fn is_whole(index: &SledIndex) -> bool {
        (0..20_u8).all(|n| index.get(&[b'k', n]).unwrap() == Some(vec![29_u8.wrapping_mul(n) ^ 0x5a; 8_000]))
    }

    #[test]
    fn written_anew_it_is_smaller_and_holds_the_same() {
        let store = tempfile::tempdir().unwrap();
        let mut index = filled(store.path());
        let before = folder_bytes(&index.folder()).unwrap();
        index.compact().unwrap();
        let after = folder_bytes(&index.folder()).unwrap();
        assert!(after < before && after < 160_000 + SPARE_BYTES_MAX, "{before} bytes became {after}");
        assert!(is_whole(&index));
        index.write(&[(b"more".to_vec(), Some(b"1".to_vec()))]).unwrap();
        index.flush().unwrap();
        drop(index);
        let index = SledIndex::open(store.path()).unwrap();
        assert!(is_whole(&index) && index.get(b"more").unwrap().is_some());
        assert_eq!(fs::read_dir(store.path()).unwrap().count(), 1);
    }

    #[test]
    fn one_that_is_just_being_closed_is_waited_for() {
        let store = tempfile::tempdir().unwrap();
        let index = filled(store.path());
        let closing = std::thread::spawn(|| {
            std::thread::sleep(Duration::from_millis(300));
            drop(index);
        });
        let mut index = SledIndex::open(store.path()).unwrap();
        assert!(is_whole(&index) && index.doubt().is_none());
        closing.join().unwrap();
    }

    #[test]
    fn a_crash_while_it_is_written_anew_loses_nothing() {
        let store = tempfile::tempdir().unwrap();
        let index = filled(store.path());
        let (folder, new, old) = (index.folder(), index.beside(NEW), index.beside(OLD));
        // Half a copy.
        fs::create_dir(&new).unwrap();
        fs::write(new.join("db"), b"half").unwrap();
        drop(index);
        assert!(is_whole(&SledIndex::open(store.path()).unwrap()) && !new.exists());
        // Between the two renames.
        fs::rename(&folder, &old).unwrap();
        fs::create_dir(&new).unwrap();
        assert!(is_whole(&SledIndex::open(store.path()).unwrap()) && !old.exists() && !new.exists());
        // Before the old one is gone.
        fs::create_dir(&old).unwrap();
        fs::write(old.join("db"), b"old").unwrap();
        assert!(is_whole(&SledIndex::open(store.path()).unwrap()) && !old.exists());
    }
}
