//! The one handle on a workspace's folder. Every access goes through a directory handle, component by
//! component: no symbolic link is followed or written through, no path leaves the folder, nothing is written
//! where version control lives ([`RelPath`] cannot name it).

use crate::Stamp;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, Metadata, OpenOptions};
#[cfg(unix)]
use cap_std::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use codesync_base::limits::BLOB_BYTES_MAX;
use codesync_base::{BlobHash, RelPath};
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use unicode_normalization::UnicodeNormalization;

/// How the names of half-written files begin; scanner and watcher pass these over.
pub(crate) const TEMP_PREFIX: &str = ".codesync-tmp-";

/// Why the folder did not do what was asked. Each is a sentence that can be shown.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("The folder “{}” isn't there.", .0.display())]
    NotThere(PathBuf),
    #[error("“{}” is a file. CodeSync opens folders.", .0.display())]
    NotAFolder(PathBuf),
    #[error("The folder “{}” can't be opened: permission denied.", .0.display())]
    NoAccess(PathBuf),
    #[error("“{0}” isn't there.")]
    Missing(RelPath),
    #[error("“{0}” is a symbolic link, or lies behind one. CodeSync leaves links alone.")]
    Link(RelPath),
    #[error("“{0}” is neither a file nor a folder. CodeSync leaves it alone.")]
    Special(RelPath),
    #[error("A folder is in the way at “{0}”.")]
    FolderInTheWay(RelPath),
    #[error("A file is in the way at “{0}”.")]
    FileInTheWay(RelPath),
    #[error("The folder “{0}” isn't empty.")]
    NotEmpty(RelPath),
    #[error("“{path}” could not be {what}: permission denied.")]
    Denied { path: RelPath, what: &'static str },
    #[error("This disk is full: “{0}” could not be written.")]
    DiskFull(RelPath),
    #[error("“{0}” is larger than 4 GB, too large to keep.")]
    TooLarge(RelPath),
    #[error("The folder could not be watched: {0}.")]
    Watch(String),
    #[error("“{path}” could not be {what}: {source}.")]
    Other { path: String, what: &'static str, source: io::Error },
}

/// How often a file is read that changes while it is.
const READ_TRIES: usize = 3;

/// A file as read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiskFile {
    pub bytes: Vec<u8>,
    pub stamp: Stamp,
}

/// An open workspace folder; clones share the handle.
#[derive(Clone, Debug)]
pub struct Folder {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    dir: Dir,
    read_only: bool,
    n_temps: AtomicU64,
}

/// Writes the content of a file.
type Fill<'a> = &'a dyn Fn(&mut dyn Write) -> io::Result<()>;

/// What is at a path, links not followed.
enum Found {
    Nothing,
    File(Metadata),
    Folder,
}

/// Whether a name is one that [`Folder::write`] gives to a file it has not finished.
pub fn is_temp_name(name: &str) -> bool {
    name.starts_with(TEMP_PREFIX)
}

impl Folder {
    /// Opens a workspace folder. A folder that cannot be written to opens too: see [`Folder::is_read_only`].
    pub fn open(root: &Path) -> Result<Folder, FolderError> {
        let refused = |source: io::Error| match source.kind() {
            ErrorKind::NotFound => FolderError::NotThere(root.to_owned()),
            ErrorKind::PermissionDenied => FolderError::NoAccess(root.to_owned()),
            ErrorKind::NotADirectory => FolderError::NotAFolder(root.to_owned()),
            _ => FolderError::Other { path: root.display().to_string(), what: "opened", source },
        };
        let root = root.canonicalize().map_err(refused)?;
        if !root.metadata().map_err(refused)?.is_dir() {
            return Err(FolderError::NotAFolder(root));
        }
        let dir = Dir::open_ambient_dir(&root, ambient_authority()).map_err(refused)?;
        dir.entries().map_err(refused)?;
        let read_only = is_read_only(&dir);
        Ok(Folder { inner: Arc::new(Inner { root, dir, read_only, n_temps: AtomicU64::new(0) }) })
    }

    /// Absolute path, for people, the watcher and programs started in the folder.
    pub fn root(&self) -> &Path {
        &self.inner.root
    }

    /// Whether the folder could not be written to when it was opened.
    pub fn is_read_only(&self) -> bool {
        self.inner.read_only
    }

    /// Whether the folder is still where it was opened: not removed, moved, or on a disk that was unplugged.
    pub fn is_in_place(&self) -> bool {
        let there = Dir::open_ambient_dir(&self.inner.root, ambient_authority()).and_then(|dir| dir.dir_metadata());
        match (there, self.inner.dir.dir_metadata()) {
            (Ok(there), Ok(ours)) => is_same_inode(&there, &ours),
            _ => false,
        }
    }

    /// Bytes free to us on the folder's disk; none where the system does not tell.
    pub fn free_space(&self) -> Option<u64> {
        #[cfg(unix)]
        {
            let space = rustix::fs::fstatvfs(&self.inner.dir).ok()?;
            Some(space.f_bavail.saturating_mul(space.f_frsize))
        }
        #[cfg(not(unix))]
        None
    }

    /// Whole content; none when nothing is there.
    pub fn read(&self, path: &RelPath) -> Result<Option<DiskFile>, FolderError> {
        // Another program may be writing. What changes again and again is read as it is: the stamp from
        // before does not fit the file then, so that it is read once more later.
        let mut last = None;
        for _ in 0..READ_TRIES {
            let Some((file, stamp)) = self.open_bounded(path)? else { return Ok(None) };
            let failed = |source| failure(path, "read", source);
            let mut bytes = Vec::with_capacity(stamp.size as usize);
            (&file).take(BLOB_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
            let is_settled = stamp == Stamp::of(&file.metadata().map_err(failed)?);
            last = Some(DiskFile { bytes, stamp });
            if is_settled {
                break;
            }
        }
        Ok(last)
    }

    /// Name of the whole content, read piece by piece; none when nothing is there. As [`Self::read`], where another
    /// program is writing.
    pub fn hash(&self, path: &RelPath) -> Result<Option<(BlobHash, Stamp)>, FolderError> {
        let mut last = None;
        for _ in 0..READ_TRIES {
            let Some((file, stamp)) = self.open_bounded(path)? else { return Ok(None) };
            let failed = |source| failure(path, "read", source);
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader((&file).take(BLOB_BYTES_MAX + 1)).map_err(failed)?;
            let is_settled = stamp == Stamp::of(&file.metadata().map_err(failed)?);
            last = Some((BlobHash(*hasher.finalize().as_bytes()), stamp));
            if is_settled {
                break;
            }
        }
        Ok(last)
    }

    /// Opens a file to read some of it, with what the file system says of it; none when nothing is there.
    pub fn open_file(&self, path: &RelPath) -> Result<Option<(std::fs::File, Stamp)>, FolderError> {
        Ok(self.open_plain_file(path)?.map(|(file, stamp)| (file.into_std(), stamp)))
    }

    /// One that is not too large to be kept.
    fn open_bounded(&self, path: &RelPath) -> Result<Option<(File, Stamp)>, FolderError> {
        match self.open_plain_file(path)? {
            Some((_, stamp)) if stamp.size > BLOB_BYTES_MAX => Err(FolderError::TooLarge(path.clone())),
            opened => Ok(opened),
        }
    }

    fn open_plain_file(&self, path: &RelPath) -> Result<Option<(File, Stamp)>, FolderError> {
        let Some((dir, name)) = self.parent(path)? else { return Ok(None) };
        match self.found(&dir, &name, path)? {
            Found::File(_) => {}
            Found::Nothing => return Ok(None),
            Found::Folder => return Err(FolderError::FolderInTheWay(path.clone())),
        }
        let Some(file) = self.open_plain(&dir, &name, path)? else { return Ok(None) };
        let stamp = Stamp::of(&file.metadata().map_err(|source| failure(path, "read", source))?);
        Ok(Some((file, stamp)))
    }

    /// What the file system says of a file; none when nothing is there.
    pub fn stat(&self, path: &RelPath) -> Result<Option<Stamp>, FolderError> {
        let Some((dir, name)) = self.parent(path)? else { return Ok(None) };
        match self.found(&dir, &name, path)? {
            Found::Nothing => Ok(None),
            Found::File(metadata) => Ok(Some(Stamp::of(&metadata))),
            Found::Folder => Err(FolderError::FolderInTheWay(path.clone())),
        }
    }

    /// Whether a folder (not a link to one) is at this path.
    pub fn is_folder(&self, path: &RelPath) -> bool {
        match self.parent(path) {
            Ok(Some((dir, name))) => matches!(self.found(&dir, &name, path), Ok(Found::Folder)),
            _ => false,
        }
    }

    /// Puts a file in place as one step: after a crash the path has the old content or the new. Missing
    /// folders are made. `mode` 0 keeps the permissions that are there. A file in a folder where no
    /// other can be made is overwritten in place. Hard links to the old content keep the old content.
    pub fn write(&self, path: &RelPath, bytes: &[u8], mode: u32) -> Result<Stamp, FolderError> {
        self.write_with(path, mode, &|file| file.write_all(bytes))
    }

    /// The same with a content that `fill` writes.
    pub fn write_with(&self, path: &RelPath, mode: u32, fill: Fill) -> Result<Stamp, FolderError> {
        let (dir, name) = self.made_parent(path)?;
        let old = match self.found(&dir, &name, path)? {
            Found::Folder => return Err(FolderError::FolderInTheWay(path.clone())),
            Found::File(metadata) => Some(metadata),
            Found::Nothing => None,
        };
        let wanted_mode = match (mode, &old) {
            (0, Some(metadata)) => Stamp::of(metadata).mode,
            (mode, _) => mode & 0o7777,
        };
        match self.replace(&dir, &name, fill, wanted_mode) {
            Ok(stamp) => Ok(stamp),
            Err(source) if old.is_some() && is_denied(&source) => {
                tracing::debug!(%path, "no file can be made beside it: written in place");
                self.overwrite(&dir, &name, path, fill, wanted_mode)
            }
            Err(source) => Err(failure(path, "written", source)),
        }
    }

    /// Gives a file these permission bits. Does nothing where the system has none.
    pub fn set_mode(&self, path: &RelPath, mode: u32) -> Result<Stamp, FolderError> {
        let missing = || FolderError::Missing(path.clone());
        let (dir, name) = self.parent(path)?.ok_or_else(missing)?;
        if !matches!(self.found(&dir, &name, path)?, Found::File(_)) {
            return Err(missing());
        }
        let failed = |source| failure(path, "changed", source);
        #[cfg(unix)]
        dir.set_permissions(&name, cap_std::fs::Permissions::from_mode(mode & 0o7777)).map_err(failed)?;
        #[cfg(not(unix))]
        let _ = mode;
        Ok(Stamp::of(&dir.symlink_metadata(&name).map_err(failed)?))
    }

    /// Removes a file. Says whether one was there.
    pub fn remove(&self, path: &RelPath) -> Result<bool, FolderError> {
        let Some((dir, name)) = self.parent(path)? else { return Ok(false) };
        match self.found(&dir, &name, path)? {
            Found::Nothing => Ok(false),
            Found::Folder => Err(FolderError::FolderInTheWay(path.clone())),
            Found::File(_) => {
                dir.remove_file(&name).map_err(|source| failure(path, "removed", source))?;
                sync_folder(&dir);
                Ok(true)
            }
        }
    }

    /// Gives a file or folder another path. Never replaces what is there; missing folders are made.
    pub fn rename(&self, from: &RelPath, to: &RelPath) -> Result<(), FolderError> {
        let missing = || FolderError::Missing(from.clone());
        let (from_dir, from_name) = self.parent(from)?.ok_or_else(missing)?;
        if matches!(self.found(&from_dir, &from_name, from)?, Found::Nothing) {
            return Err(missing());
        }
        let (to_dir, to_name) = self.made_parent(to)?;
        let there = self.found(&to_dir, &to_name, to)?;
        // On a file system that ignores case both names are the same thing.
        let is_same = from.folded() == to.folded() && same_thing(&from_dir, &from_name, &to_dir, &to_name);
        match there {
            Found::File(_) if !is_same => return Err(FolderError::FileInTheWay(to.clone())),
            Found::Folder if !is_same => return Err(FolderError::FolderInTheWay(to.clone())),
            _ => {}
        }
        from_dir.rename(&from_name, &to_dir, &to_name).map_err(|source| failure(from, "renamed", source))?;
        sync_folder(&from_dir);
        sync_folder(&to_dir);
        Ok(())
    }

    /// Makes a folder and those above it. Fine when it is there.
    pub fn create_folder(&self, path: &RelPath) -> Result<(), FolderError> {
        let (dir, name) = self.made_parent(path)?;
        make_folder(&dir, &name).map_err(|source| failure(path, "created", source))?;
        match self.found(&dir, &name, path)? {
            Found::Folder => Ok(()),
            _ => Err(FolderError::FileInTheWay(path.clone())),
        }
    }

    /// Removes an empty folder. Says whether one was there.
    pub fn remove_folder(&self, path: &RelPath) -> Result<bool, FolderError> {
        let Some((dir, name)) = self.parent(path)? else { return Ok(false) };
        match self.found(&dir, &name, path)? {
            Found::Nothing => Ok(false),
            Found::File(_) => Err(FolderError::FileInTheWay(path.clone())),
            Found::Folder => match dir.remove_dir(&name) {
                Ok(()) => {
                    sync_folder(&dir);
                    Ok(true)
                }
                Err(source) if source.kind() == ErrorKind::DirectoryNotEmpty => {
                    Err(FolderError::NotEmpty(path.clone()))
                }
                Err(source) => Err(failure(path, "removed", source)),
            },
        }
    }

    /// Removes the folders above `path` that are empty now, up to the first that is not or that `keeps`.
    /// Answers those removed.
    pub fn remove_empty_folders_up(&self, path: &RelPath, keeps: &dyn Fn(&RelPath) -> bool) -> Vec<RelPath> {
        let mut removed = Vec::new();
        let mut next = path.parent();
        while let Some(folder) = next {
            if keeps(&folder) || !matches!(self.remove_folder(&folder), Ok(true)) {
                break;
            }
            next = folder.parent();
            removed.push(folder);
        }
        removed
    }

    /// Whether a folder with nothing in it is at this path.
    pub fn is_empty_folder(&self, path: &RelPath) -> bool {
        let entries = self.open_folder(Some(path)).ok().flatten().and_then(|dir| dir.entries().ok());
        entries.is_some_and(|mut entries| entries.next().is_none())
    }

    /// Handle of a folder inside, or of the root; none when it is not there.
    pub(crate) fn open_folder(&self, path: Option<&RelPath>) -> Result<Option<Dir>, FolderError> {
        let Some(path) = path else {
            return self.root_handle().map(Some);
        };
        let Some((dir, name)) = self.parent(path)? else { return Ok(None) };
        self.step(&dir, &name, path)
    }

    fn root_handle(&self) -> Result<Dir, FolderError> {
        self.inner.dir.try_clone().map_err(|source| FolderError::Other {
            path: self.inner.root.display().to_string(),
            what: "opened",
            source,
        })
    }

    /// The folder that a path is in, and the name it has there; none when that folder is missing.
    fn parent(&self, path: &RelPath) -> Result<Option<(Dir, OsString)>, FolderError> {
        let mut dir = self.root_handle()?;
        let mut names = path.components().peekable();
        while let Some(name) = names.next() {
            let name = name_on_disk(&dir, name);
            if names.peek().is_none() {
                return Ok(Some((dir, name)));
            }
            match self.step(&dir, &name, path)? {
                Some(inner) => dir = inner,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Like `parent`, making what is missing.
    fn made_parent(&self, path: &RelPath) -> Result<(Dir, OsString), FolderError> {
        let mut dir = self.root_handle()?;
        let mut names = path.components().peekable();
        loop {
            let name = name_on_disk(&dir, names.next().unwrap_or_else(|| path.name()));
            if names.peek().is_none() {
                return Ok((dir, name));
            }
            let inner = match self.step(&dir, &name, path)? {
                Some(inner) => inner,
                None => {
                    make_folder(&dir, &name).map_err(|source| failure(path, "created", source))?;
                    self.step(&dir, &name, path)?.ok_or_else(|| FolderError::FileInTheWay(path.clone()))?
                }
            };
            dir = inner;
        }
    }

    /// Opens a folder in a folder. A link in its place is refused, also when it is put there at this instant.
    fn step(&self, dir: &Dir, name: &OsStr, path: &RelPath) -> Result<Option<Dir>, FolderError> {
        match dir.symlink_metadata(name) {
            Ok(metadata) if metadata.is_symlink() => Err(FolderError::Link(path.clone())),
            Ok(metadata) if !metadata.is_dir() => Ok(None),
            Ok(before) => {
                let inner = dir.open_dir(name).map_err(|source| failure(path, "opened", source))?;
                let after = inner.dir_metadata().map_err(|source| failure(path, "opened", source))?;
                if is_same_inode(&before, &after) { Ok(Some(inner)) } else { Err(FolderError::Link(path.clone())) }
            }
            Err(source) if source.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failure(path, "opened", source)),
        }
    }

    fn found(&self, dir: &Dir, name: &OsStr, path: &RelPath) -> Result<Found, FolderError> {
        match dir.symlink_metadata(name) {
            Ok(metadata) if metadata.is_symlink() => Err(FolderError::Link(path.clone())),
            Ok(metadata) if metadata.is_dir() => Ok(Found::Folder),
            Ok(metadata) if metadata.is_file() => Ok(Found::File(metadata)),
            Ok(_) => Err(FolderError::Special(path.clone())),
            Err(source) if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Ok(Found::Nothing)
            }
            Err(source) => Err(failure(path, "read", source)),
        }
    }

    /// Opens a regular file for reading; a link is refused and a pipe does not block.
    fn open_plain(&self, dir: &Dir, name: &OsStr, path: &RelPath) -> Result<Option<File>, FolderError> {
        let mut options = OpenOptions::new();
        options.read(true);
        let file = match dir.open_with(name, not_following(&mut options)) {
            Ok(file) => file,
            Err(source) if source.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(failure(path, "read", source)),
        };
        let metadata = file.metadata().map_err(|source| failure(path, "read", source))?;
        if metadata.is_file() { Ok(Some(file)) } else { Err(FolderError::Special(path.clone())) }
    }

    fn replace(&self, dir: &Dir, name: &OsStr, fill: Fill, mode: u32) -> io::Result<Stamp> {
        let (temp, mut file) = self.new_temp(dir)?;
        let written = (|| {
            fill(&mut file)?;
            #[cfg(unix)]
            if mode != 0 {
                file.set_permissions(cap_std::fs::Permissions::from_mode(mode))?;
            }
            file.sync_all()?;
            dir.rename(&temp, dir, name)?;
            file.metadata()
        })();
        match written {
            Ok(metadata) => {
                sync_folder(dir);
                Ok(Stamp::of(&metadata))
            }
            Err(source) => {
                if let Err(left) = dir.remove_file(&temp) {
                    tracing::debug!(%left, "a half-written file stays until the next start");
                }
                Err(source)
            }
        }
    }

    fn new_temp(&self, dir: &Dir) -> io::Result<(String, File)> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        loop {
            let n = self.inner.n_temps.fetch_add(1, Ordering::Relaxed);
            let temp = format!("{TEMP_PREFIX}{}-{n}", std::process::id());
            match dir.open_with(&temp, &options) {
                Ok(file) => return Ok((temp, file)),
                Err(source) if source.kind() == ErrorKind::AlreadyExists => {}
                Err(source) => return Err(source),
            }
        }
    }

    /// On failure the file has its old content: half of the new one would be taken for what somebody wrote.
    fn overwrite(&self, dir: &Dir, name: &OsStr, path: &RelPath, fill: Fill, mode: u32) -> Result<Stamp, FolderError> {
        let written = (|| {
            let mut options = OpenOptions::new();
            options.read(true).write(true);
            let mut file = dir.open_with(name, not_following(&mut options))?;
            let mut old = Vec::new();
            file.read_to_end(&mut old)?;
            if let Err(source) = fill_anew(&mut file, fill) {
                // It has had the room for that all along, however full the disk is.
                if let Err(lost) = fill_anew(&mut file, &|file| file.write_all(&old)) {
                    tracing::warn!(%path, %lost, "a file that could not be written does not have its old content either");
                }
                return Err(source);
            }
            #[cfg(unix)]
            if mode != 0 && Stamp::of(&file.metadata()?).mode != mode {
                file.set_permissions(cap_std::fs::Permissions::from_mode(mode))?;
                file.sync_all()?;
            }
            file.metadata()
        })();
        written.map(|metadata| Stamp::of(&metadata)).map_err(|source| failure(path, "written", source))
    }
}

/// Writes a file from its start, durably. It is cut only then: until all is written it gives no room away.
fn fill_anew(file: &mut File, fill: Fill) -> io::Result<()> {
    file.rewind()?;
    fill(file)?;
    let length_bytes = file.stream_position()?;
    file.set_len(length_bytes)?;
    file.sync_all()
}

/// The name that stands for `name` (NFC) in a folder: itself, or one there that composes to it.
fn name_on_disk(dir: &Dir, name: &str) -> OsString {
    if name.is_ascii() || dir.symlink_metadata(name).is_ok() {
        return name.into();
    }
    let composes =
        |other: &OsString| other.to_str().is_some_and(|other| !other.is_ascii() && other.nfc().eq(name.chars()));
    let names = dir.entries().into_iter().flatten().filter_map(|entry| entry.ok().map(|entry| entry.file_name()));
    let mut twins: Vec<OsString> = names.filter(composes).collect();
    twins.sort();
    twins.into_iter().next().unwrap_or_else(|| name.into())
}

fn make_folder(dir: &Dir, name: &OsStr) -> io::Result<()> {
    match dir.create_dir(name) {
        Ok(()) => {
            sync_folder(dir);
            Ok(())
        }
        Err(source) if source.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(source),
    }
}

/// Some file systems cannot sync a folder; the rename itself has been done by then.
fn sync_folder(dir: &Dir) {
    #[cfg(unix)]
    if let Err(source) = dir.open(".").and_then(|folder| folder.sync_all()) {
        tracing::debug!(%source, "folder not synced");
    }
    #[cfg(not(unix))]
    let _ = dir;
}

fn is_read_only(dir: &Dir) -> bool {
    #[cfg(unix)]
    {
        use rustix::fs::{Access, AtFlags, accessat};
        accessat(dir, ".", Access::WRITE_OK, AtFlags::empty()).is_err()
    }
    #[cfg(not(unix))]
    dir.dir_metadata().is_ok_and(|metadata| metadata.permissions().readonly())
}

fn not_following(options: &mut OpenOptions) -> &OpenOptions {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32);
    }
    options
}

fn is_same_inode(a: &Metadata, b: &Metadata) -> bool {
    #[cfg(unix)]
    {
        a.ino() == b.ino() && a.dev() == b.dev()
    }
    #[cfg(not(unix))]
    {
        a.is_dir() == b.is_dir()
    }
}

fn same_thing(a_dir: &Dir, a: &OsStr, b_dir: &Dir, b: &OsStr) -> bool {
    match (a_dir.symlink_metadata(a), b_dir.symlink_metadata(b)) {
        (Ok(a), Ok(b)) => is_same_inode(&a, &b),
        _ => false,
    }
}

fn is_denied(source: &io::Error) -> bool {
    matches!(source.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}

pub(crate) fn failure(path: &RelPath, what: &'static str, source: io::Error) -> FolderError {
    match source.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => FolderError::Denied { path: path.clone(), what },
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => FolderError::DiskFull(path.clone()),
        ErrorKind::NotADirectory => FolderError::FileInTheWay(path.clone()),
        ErrorKind::IsADirectory => FolderError::FolderInTheWay(path.clone()),
        _ => FolderError::Other { path: path.to_string(), what, source },
    }
}

#[cfg(test)]
mod tests;
