//! Copies a folder to another disk so that the original may be removed afterwards: every byte is on the disk and was
//! read back from there, links are copied as links, and what changed meanwhile is copied again by the next pass.

use crate::config::cannot;
use codesync_api::{ApiError, ErrorCode};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, FileTimes, Metadata, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

type Result<T> = std::result::Result<T, ApiError>;

const CHUNK_BYTES: usize = 1 << 20;
/// What a file without a byte counts in the progress.
const ENTRY_BYTES: u64 = 4 << 10;

/// Told how many bytes of how many are done; answers whether to go on.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64) -> bool;

/// By what a change of a file is noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    length_bytes: u64,
    modified: Option<SystemTime>,
    /// Changes with every change, whatever is done to the time above.
    changed: Option<(i64, i64)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Folder,
    File,
    Link,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    kind: Kind,
    stamp: Stamp,
}

pub(super) struct Copier {
    from: PathBuf,
    to: PathBuf,
    /// Name in the top folder that is not copied.
    left_out: Option<&'static str>,
    /// By path below `from`; only what is whole at `to`.
    copied: BTreeMap<PathBuf, Entry>,
}

impl Copier {
    /// Nothing is copied yet. `to` must not be there.
    pub fn new(from: &Path, to: &Path, left_out: Option<&'static str>) -> Self {
        Self { from: from.to_path_buf(), to: to.to_path_buf(), left_out, copied: BTreeMap::new() }
    }

    /// Bytes that a copy takes, about.
    pub fn size_bytes(&self) -> Result<u64> {
        Ok(size_of(self.scan()?.values()))
    }

    /// Copies what is not copied yet or changed since. Returns how many files that were.
    ///
    /// # Errors
    /// What cannot be read or written, with its name; that it was to stop.
    pub fn pass(&mut self, progress: Progress<'_>) -> Result<usize> {
        let found = self.scan()?;
        self.drop_gone(&found)?;
        make_folder(&self.to)?;
        let (total_bytes, mut done_bytes, mut n_copied) = (size_of(found.values()), 0, 0);
        for (path, entry) in found {
            if !progress(done_bytes, total_bytes) {
                return Err(stopped());
            }
            if self.copied.get(&path) != Some(&entry) {
                let (from, to) = (self.from.join(&path), self.to.join(&path));
                match entry.kind {
                    Kind::Folder => make_folder(&to)?,
                    Kind::Link => copy_link(&from, &to)?,
                    Kind::File => {
                        copy_file(&from, &to, &mut |bytes| progress(done_bytes + bytes, total_bytes))?;
                        n_copied += 1;
                    }
                }
                // What was changed while it was read is copied once more.
                if stamp_now(&from).is_some_and(|stamp| stamp == entry.stamp) {
                    self.copied.insert(path, entry.clone());
                } else {
                    self.copied.remove(&path);
                }
            }
            done_bytes += bytes_of(&entry);
        }
        Ok(n_copied)
    }

    /// Whether the original is now as it was copied.
    pub fn is_whole(&self) -> Result<bool> {
        Ok(self.scan()? == self.copied)
    }

    /// Gives the folders their rights and times, and makes their names durable.
    pub fn seal(&self) -> Result<()> {
        let folders =
            self.copied.iter().filter(|(_, entry)| entry.kind == Kind::Folder).map(|(path, _)| path.as_path());
        // Those inside come first: a folder without the right to write takes nothing any more.
        for path in folders.rev().chain([Path::new("")]) {
            let (from, to) = (self.from.join(path), self.to.join(path));
            let metadata = from.symlink_metadata().map_err(|error| cannot("read", &from, &error))?;
            sync_folder(&to)?;
            keep_rights(&to, &metadata)?;
        }
        Ok(())
    }

    /// Removes from the original what was copied and has not changed since; the rest stays. `renamed` is a
    /// name in it and what it was renamed to. Returns what is left over, if anything is.
    pub fn remove_original(&self, renamed: Option<(&str, &str)>) -> Vec<PathBuf> {
        let place = |path: &Path| match renamed {
            Some((before, now)) if path.starts_with(before) => {
                self.from.join(now).join(path.strip_prefix(before).unwrap_or(path))
            }
            _ => self.from.join(path),
        };
        let mut left = Vec::new();
        for (path, entry) in self.copied.iter().rev() {
            let place = place(path);
            let removed = match entry.kind {
                Kind::Folder => fs::remove_dir(&place),
                _ if stamp_now(&place).as_ref() == Some(&entry.stamp) => fs::remove_file(&place),
                _ => Err(ErrorKind::Other.into()),
            };
            if removed.is_err() && place.symlink_metadata().is_ok() {
                left.push(place);
            }
        }
        if fs::remove_dir(&self.from).is_err() && left.is_empty() {
            // Made meanwhile, or the top of a disk, which stays.
            left = fs::read_dir(&self.from).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        }
        left
    }

    /// What is there now, folders before what is in them. Sockets, pipes and devices hold nothing and are left out.
    fn scan(&self) -> Result<BTreeMap<PathBuf, Entry>> {
        let (mut found, mut folders) = (BTreeMap::new(), vec![PathBuf::new()]);
        while let Some(folder) = folders.pop() {
            let place = self.from.join(&folder);
            let unread = |error: &std::io::Error| cannot("read", &place, error);
            for entry in fs::read_dir(&place).map_err(|error| unread(&error))? {
                let entry = entry.map_err(|error| unread(&error))?;
                if folder.as_os_str().is_empty()
                    && self.left_out.is_some_and(|name| entry.file_name() == OsStr::new(name))
                {
                    continue;
                }
                let metadata = match entry.metadata() {
                    Ok(metadata) => metadata,
                    // Gone between two looks.
                    Err(error) if error.kind() == ErrorKind::NotFound => continue,
                    Err(error) => return Err(cannot("read", &entry.path(), &error)),
                };
                let kind = match metadata.file_type() {
                    kind if kind.is_dir() => Kind::Folder,
                    kind if kind.is_symlink() => Kind::Link,
                    kind if kind.is_file() => Kind::File,
                    _ => continue,
                };
                let path = folder.join(entry.file_name());
                if kind == Kind::Folder {
                    folders.push(path.clone());
                }
                let stamp = Stamp::of(&metadata, &kind);
                found.insert(path, Entry { kind, stamp });
            }
        }
        Ok(found)
    }

    /// Takes away what is not in the original any more, or of another kind.
    fn drop_gone(&mut self, found: &BTreeMap<PathBuf, Entry>) -> Result<()> {
        let is_gone = |path: &PathBuf, entry: &Entry| found.get(path).is_none_or(|now| now.kind != entry.kind);
        let gone: Vec<_> = self.copied.iter().filter(|(path, entry)| is_gone(path, entry)).rev().collect();
        for (path, entry) in &gone {
            let place = self.to.join(path);
            let removed = if entry.kind == Kind::Folder { fs::remove_dir(&place) } else { fs::remove_file(&place) };
            removed.map_err(|error| cannot("remove", &place, &error))?;
        }
        let gone: Vec<_> = gone.into_iter().map(|(path, _)| path.clone()).collect();
        for path in gone {
            self.copied.remove(&path);
        }
        Ok(())
    }
}

impl Stamp {
    /// A folder's times change with what is in it, which is looked at itself.
    fn of(metadata: &Metadata, kind: &Kind) -> Self {
        match kind {
            Kind::Folder => Self { length_bytes: 0, modified: None, changed: None },
            _ => {
                Self { length_bytes: metadata.len(), modified: metadata.modified().ok(), changed: changed_of(metadata) }
            }
        }
    }
}

fn stamp_now(place: &Path) -> Option<Stamp> {
    let metadata = place.symlink_metadata().ok()?;
    let kind = if metadata.is_dir() { Kind::Folder } else { Kind::File };
    Some(Stamp::of(&metadata, &kind))
}

fn bytes_of(entry: &Entry) -> u64 {
    entry.stamp.length_bytes + ENTRY_BYTES
}

fn size_of<'a>(entries: impl Iterator<Item = &'a Entry>) -> u64 {
    entries.map(bytes_of).sum()
}

pub(super) fn stopped() -> ApiError {
    ApiError::new(ErrorCode::Invalid, "Stopped. Everything is where it was.")
}

fn make_folder(place: &Path) -> Result<()> {
    match fs::create_dir(place) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(cannot("make the folder", place, &error)),
        _ => Ok(()),
    }
}

fn copy_file(from: &Path, to: &Path, go_on: &mut dyn FnMut(u64) -> bool) -> Result<()> {
    let unread = |error: std::io::Error| cannot("read", from, &error);
    let unwritten = |error: std::io::Error| cannot("write", to, &error);
    let mut source = not_following(OpenOptions::new().read(true)).open(from).map_err(unread)?;
    let metadata = source.metadata().map_err(unread)?;
    // One that a pass before could not finish.
    if to.symlink_metadata().is_ok() {
        fs::remove_file(to).map_err(unwritten)?;
    }
    let mut copy = OpenOptions::new().write(true).create_new(true).open(to).map_err(unwritten)?;
    let (mut hash, mut chunk, mut done_bytes) = (blake3::Hasher::new(), vec![0; CHUNK_BYTES], 0);
    loop {
        let n = source.read(&mut chunk).map_err(unread)?;
        if n == 0 {
            break;
        }
        hash.update(&chunk[..n]);
        copy.write_all(&chunk[..n]).map_err(unwritten)?;
        done_bytes += n as u64;
        if !go_on(done_bytes) {
            return Err(stopped());
        }
    }
    let times = FileTimes::new().set_modified(metadata.modified().map_err(unread)?);
    copy.set_times(times).map_err(unwritten)?;
    copy.sync_all().map_err(unwritten)?;
    forget_cached(&copy);
    drop(copy);
    let mut written = blake3::Hasher::new();
    written.update_reader(File::open(to).map_err(unwritten)?).map_err(unwritten)?;
    if written.finalize() != hash.finalize() {
        let sentence =
            format!("“{}” came out differently on the other disk. Everything is where it was.", from.display());
        return Err(ApiError::new(ErrorCode::Io, sentence));
    }
    keep_rights(to, &metadata)
}

/// Reading back is to ask the disk.
fn forget_cached(file: &File) {
    #[cfg(target_os = "linux")]
    // Advice only: a system that does not take it reads from memory.
    rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed).unwrap_or_default();
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}

#[cfg(unix)]
fn not_following(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags((rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits() as i32)
}

#[cfg(not(unix))]
fn not_following(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn changed_of(metadata: &Metadata) -> Option<(i64, i64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.ctime(), metadata.ctime_nsec()))
}

#[cfg(not(unix))]
fn changed_of(_metadata: &Metadata) -> Option<(i64, i64)> {
    None
}

#[cfg(unix)]
fn keep_rights(place: &Path, metadata: &Metadata) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let rights = Permissions::from_mode(metadata.permissions().mode() & 0o7777);
    fs::set_permissions(place, rights).map_err(|error| cannot("write", place, &error))
}

#[cfg(not(unix))]
fn keep_rights(_place: &Path, _metadata: &Metadata) -> Result<()> {
    Ok(())
}

#[cfg(unix)]
fn copy_link(from: &Path, to: &Path) -> Result<()> {
    let target = fs::read_link(from).map_err(|error| cannot("read", from, &error))?;
    if to.symlink_metadata().is_ok() {
        fs::remove_file(to).map_err(|error| cannot("write", to, &error))?;
    }
    std::os::unix::fs::symlink(target, to).map_err(|error| cannot("write", to, &error))
}

#[cfg(not(unix))]
fn copy_link(from: &Path, _to: &Path) -> Result<()> {
    let sentence = format!("“{}” is a link, which can't be copied here.", from.display());
    Err(ApiError::new(ErrorCode::Io, sentence))
}

pub(super) fn sync_folder(place: &Path) -> Result<()> {
    if cfg!(unix) {
        let synced = File::open(place).and_then(|folder| folder.sync_all());
        return synced.map_err(|error| cannot("write", place, &error));
    }
    Ok(())
}
