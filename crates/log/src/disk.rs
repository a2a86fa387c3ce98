//! The files of a store, injected: the real folder, or memory that can crash. Knows nothing of what is in them.

mod memory;
mod real;

pub use memory::{CrashStyle, MemoryDisk};
pub use real::RealDisk;

use std::io;

/// What makes a file durable, wherever it is run.
pub type SyncTask = Box<dyn FnOnce() -> io::Result<()> + Send>;

/// Files named by relative paths with `/`, such as `journal/00000001.seg`.
///
/// Only what was synced survives a crash: `append`, `truncate` and `remove` may be undone or torn by one until
/// `sync`; `replace` and `rename` are all or nothing and durable once they return.
pub trait Disk: Send {
    /// Names in a folder, sorted, without the folder. A folder that is not there is empty.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;
    /// Exactly `length_bytes` from `offset` on.
    fn read_range(&self, name: &str, offset: u64, length_bytes: u64) -> io::Result<Vec<u8>>;
    fn length_bytes(&self, name: &str) -> io::Result<u64>;
    /// Writes at the end; creates the file. On failure part of the bytes may stand there.
    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// Makes the content durable, and the name too when the file is new.
    fn sync(&mut self, name: &str) -> io::Result<()>;
    /// The same as a task for another thread. What is appended after this call is not covered.
    fn sync_later(&mut self, name: &str) -> io::Result<SyncTask> {
        let done = self.sync(name);
        Ok(Box::new(move || done))
    }
    /// Puts a whole new content under a name: temporary file, fsync, rename, fsync of the folder.
    fn replace(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;
    fn truncate(&mut self, name: &str, length_bytes: u64) -> io::Result<()>;
    fn remove(&mut self, name: &str) -> io::Result<()>;
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;
    /// Bytes that the whole store takes.
    fn size_bytes(&self) -> u64;
}

/// Content of a file, or none when there is no such file.
pub(crate) fn read_if_there(disk: &dyn Disk, name: &str) -> io::Result<Option<Vec<u8>>> {
    match disk.read(name) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
