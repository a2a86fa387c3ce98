//! A store in a real folder.

use super::{Disk, SyncTask};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Files below one folder. Files that are appended to stay open, so that a keystroke costs one write and one
/// fdatasync.
#[derive(Debug)]
pub struct RealDisk {
    folder: PathBuf,
    open: BTreeMap<String, Appending>,
}

#[derive(Debug)]
struct Appending {
    file: File,
    /// The folder does not durably know this name yet.
    is_new: bool,
}

/// More files than this are never appended to at once; the rest are closed.
const OPEN_FILES_MAX: usize = 16;

impl RealDisk {
    /// Uses `folder`, creating it where it is missing.
    pub fn new(folder: &Path) -> io::Result<Self> {
        if !folder.exists() {
            fs::create_dir_all(folder)?;
            let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
            sync_folder(parent.unwrap_or(Path::new(".")))?;
        }
        Ok(Self { folder: folder.to_path_buf(), open: BTreeMap::new() })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn appending(&mut self, name: &str) -> io::Result<&mut Appending> {
        if !self.open.contains_key(name) {
            let path = self.path(name);
            let is_new = !path.exists();
            if is_new {
                self.make_parent(&path)?;
            }
            if self.open.len() >= OPEN_FILES_MAX {
                self.close_synced();
            }
            let file = OpenOptions::new().append(true).create(true).open(&path)?;
            self.open.insert(name.to_owned(), Appending { file, is_new });
        }
        Ok(self.open.get_mut(name).expect("invariant: inserted above"))
    }

    // A file whose name is not durable yet must stay open, or its next sync would forget the folder.
    fn close_synced(&mut self) {
        self.open.retain(|_, appending| appending.is_new);
    }

    fn make_parent(&self, path: &Path) -> io::Result<()> {
        let Some(parent) = path.parent() else { return Ok(()) };
        if !parent.exists() {
            fs::create_dir_all(parent)?;
            sync_folder(&self.folder)?;
        }
        Ok(())
    }
}

impl Disk for RealDisk {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(self.path(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names.extend(entry.file_name().into_string().ok());
            }
        }
        names.sort();
        Ok(names)
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path(name))
    }

    fn read_range(&self, name: &str, offset: u64, length_bytes: u64) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.path(name))?;
        // A damaged length must not reserve more than the file can give.
        if file.metadata()?.len().checked_sub(offset).is_none_or(|rest| rest < length_bytes) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = vec![0; usize::try_from(length_bytes).map_err(io::Error::other)?];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn length_bytes(&self, name: &str) -> io::Result<u64> {
        Ok(fs::metadata(self.path(name))?.len())
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.appending(name)?.file.write_all(bytes)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        let path = self.path(name);
        let appending = self.appending(name)?;
        if let Err(error) = sync_file(&appending.file, &path, appending.is_new) {
            if error.kind() == io::ErrorKind::NotFound {
                self.open.remove(name);
            }
            return Err(error);
        }
        appending.is_new = false;
        Ok(())
    }

    fn sync_later(&mut self, name: &str) -> io::Result<SyncTask> {
        let path = self.path(name);
        let appending = self.appending(name)?;
        let (file, is_new) = (appending.file.try_clone()?, appending.is_new);
        Ok(Box::new(move || sync_file(&file, &path, is_new)))
    }

    fn replace(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.open.remove(name);
        let path = self.path(name);
        self.make_parent(&path)?;
        let mut temporary = path.clone().into_os_string();
        temporary.push(".tmp");
        let temporary = PathBuf::from(temporary);
        let written = write_synced(&temporary, bytes).and_then(|()| fs::rename(&temporary, &path));
        if let Err(error) = written {
            // What is left of the temporary file would only take room; that it may stay is harmless.
            fs::remove_file(&temporary).unwrap_or_else(|left| tracing::debug!(%left, "temporary file stays"));
            return Err(error);
        }
        sync_folder(path.parent().unwrap_or(&path))
    }

    fn truncate(&mut self, name: &str, length_bytes: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(self.path(name))?;
        file.set_len(length_bytes)?;
        file.sync_all()
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.open.remove(name);
        fs::remove_file(self.path(name))
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.open.remove(from);
        self.open.remove(to);
        let (from, to) = (self.path(from), self.path(to));
        self.make_parent(&to)?;
        fs::rename(&from, &to)?;
        sync_folder(to.parent().unwrap_or(&to))?;
        sync_folder(from.parent().unwrap_or(&from))
    }

    fn size_bytes(&self) -> u64 {
        folder_bytes(&self.folder)
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_file(file: &File, path: &Path, is_new: bool) -> io::Result<()> {
    file.sync_data()?;
    if is_removed(file)? {
        // What stands in a file without a name is gone when the program ends.
        return Err(io::ErrorKind::NotFound.into());
    }
    if is_new { sync_folder(path.parent().unwrap_or(path)) } else { Ok(()) }
}

/// Whether somebody took the file away while it was open.
fn is_removed(file: &File) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Ok(file.metadata()?.nlink() == 0)
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        Ok(false)
    }
}

/// Makes the names in a folder durable.
fn sync_folder(folder: &Path) -> io::Result<()> {
    // Windows cannot open a folder as a file and keeps names durable by itself.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
