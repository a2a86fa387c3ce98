//! Takes a workspace to another place, history and all. Until the copy is whole, durable and read back, the original is
//! untouched; nothing is removed of it that changed since it was copied.

mod copier;
mod journey;

use crate::STORE_FOLDER;
use crate::config::cannot;
use codesync_api::{ApiError, ErrorCode};
use copier::{Copier, stopped, sync_folder};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

pub use copier::Progress;
pub use journey::{Arrived, Journey, Traveller};

type Result<T> = std::result::Result<T, ApiError>;

/// The history of the original, once it lives elsewhere and until it is removed.
const STORE_BEFORE: &str = ".codesync-moved";
/// Room that has to be left where it goes.
const SPARE_BYTES: u64 = 16 << 20;
/// Passes for what other programs go on changing.
const PASSES_MAX: usize = 4;

/// A move that is being prepared. Let go, it leaves everything as it was.
pub(crate) struct Moving {
    from: PathBuf,
    to: PathBuf,
    /// Where the copy is made; none when a rename does.
    copy: Option<(PathBuf, Copier)>,
    is_done: bool,
}

/// A workspace that stands at its new place, and still at the old one.
pub(crate) struct Moved {
    from: PathBuf,
    to: PathBuf,
    copier: Option<Copier>,
}

impl Moving {
    /// Looks whether the folder `from` can be taken into the folder `into`, under its own name.
    ///
    /// # Errors
    /// Why it cannot: no rights, no room, something of that name there.
    pub fn plan(from: &Path, into: &Path) -> Result<Self> {
        let open = |place: &Path| place.canonicalize().map_err(|error| cannot("open", place, &error));
        let (from, into) = (open(from)?, open(into)?);
        let name = from.file_name().ok_or_else(|| refused("A whole disk can't be moved."))?;
        let to = into.join(name);
        if to == from {
            return Err(refused(&format!("The workspace is in “{}” already.", into.display())));
        }
        if into.starts_with(&from) {
            return Err(refused("A folder can't be moved into itself."));
        }
        if to.symlink_metadata().is_ok() {
            let sentence = format!("“{}” is there already. Choose another folder.", to.display());
            return Err(ApiError::new(ErrorCode::Exists, sentence));
        }
        if is_one_disk(&from, &into) {
            return Ok(Self { from, to, copy: None, is_done: false });
        }
        Self::plan_copy(from, to)
    }

    fn plan_copy(from: PathBuf, to: PathBuf) -> Result<Self> {
        let into = to.parent().unwrap_or(&to);
        let made = tempfile::Builder::new().prefix(".codesync-moving-").tempdir_in(into);
        let place = made.map_err(|error| cannot("write to", into, &error))?.keep();
        let copier = Copier::new(&from, &place, None);
        let moving = Self { copy: Some((place, copier)), from, to, is_done: false };
        moving.check_room()?;
        Ok(moving)
    }

    fn check_room(&self) -> Result<()> {
        let Some((place, copier)) = &self.copy else { return Ok(()) };
        let needed_bytes = copier.size_bytes()?;
        match free_bytes(place) {
            Some(free_bytes) if free_bytes < needed_bytes + SPARE_BYTES => {
                let (needed, free) = (crate::health::size(needed_bytes), crate::health::size(free_bytes));
                let sentence = format!("There isn't enough room: {needed} are needed, {free} are free there.");
                Err(ApiError::new(ErrorCode::DiskFull, sentence))
            }
            _ => Ok(()),
        }
    }

    /// Where the workspace will be.
    pub fn to(&self) -> &Path {
        &self.to
    }

    /// Copies all there is now, while work goes on.
    ///
    /// # Errors
    /// What cannot be read or written; that it was to stop.
    pub fn copy(&mut self, progress: Progress<'_>) -> Result<()> {
        match &mut self.copy {
            Some((_, copier)) => copier.pass(progress).map(drop),
            None if progress(0, 1) => Ok(()),
            None => Err(stopped()),
        }
    }

    /// Puts the workspace at its new place. Nobody may have its store open.
    ///
    /// # Errors
    /// What stood in the way. The workspace is where it was then.
    pub fn finish(mut self) -> Result<Moved> {
        if self.copy.is_none() {
            match fs::rename(&self.from, &self.to) {
                Ok(()) => {
                    self.is_done = true;
                    // It is there already: that it could be back after a power failure is no reason to say it is not.
                    for place in [&self.from, &self.to] {
                        if let Err(error) = sync_entry(place) {
                            tracing::warn!(%error, place = %place.display(), "a move may not be durable yet");
                        }
                    }
                    return Ok(Moved { from: self.from.clone(), to: self.to.clone(), copier: None });
                }
                // Two places that only look like one disk.
                Err(error) if error.kind() == ErrorKind::CrossesDevices => {
                    return Self::plan_copy(self.from.clone(), self.to.clone())?.finish();
                }
                Err(error) => return Err(cannot("move", &self.from, &error)),
            }
        }
        self.finish_copy()
    }

    fn finish_copy(mut self) -> Result<Moved> {
        let Some((place, copier)) = &mut self.copy else { return Err(stopped()) };
        let mut n_passes = 0;
        loop {
            copier.pass(&mut |_, _| true)?;
            if copier.is_whole()? {
                break;
            }
            n_passes += 1;
            if n_passes == PASSES_MAX {
                return Err(refused("Another program goes on changing files in this folder, so it stays where it is."));
            }
        }
        copier.seal()?;
        fs::rename(&*place, &self.to).map_err(|error| cannot("write", &self.to, &error))?;
        // Whatever fails from here on, the copy goes from there.
        place.clone_from(&self.to);
        sync_entry(&self.to)?;
        // From here on the old place is no workspace any more, so that the new one is no copy of it.
        let before = self.from.join(STORE_FOLDER);
        if before.is_dir()
            && let Err(error) = fs::rename(&before, self.from.join(STORE_BEFORE))
        {
            return Err(cannot("move", &before, &error));
        }
        self.is_done = true;
        let copier = self.copy.take().map(|(_, copier)| copier);
        Ok(Moved { from: self.from.clone(), to: self.to.clone(), copier })
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        if let (Some((place, _)), false) = (&self.copy, self.is_done)
            && let Err(error) = remove_whole(place)
        {
            tracing::warn!(%error, place = %place.display(), "a copy that is not needed stays");
        }
    }
}

impl Moved {
    pub fn to(&self) -> &Path {
        &self.to
    }

    /// Removes the original. Returns what of it stays, because it came or changed after it was copied.
    pub fn remove_original(self) -> Vec<PathBuf> {
        self.copier.map_or_else(Vec::new, |copier| copier.remove_original(Some((STORE_FOLDER, STORE_BEFORE))))
    }

    /// Has the workspace at its old place again, as it was.
    ///
    /// # Errors
    /// What stood in the way: the new place has it all then.
    pub fn back(self) -> Result<()> {
        if self.copier.is_none() {
            return fs::rename(&self.to, &self.from).map_err(|error| cannot("move", &self.to, &error));
        }
        let (before, now) = (self.from.join(STORE_FOLDER), self.from.join(STORE_BEFORE));
        if now.is_dir() {
            fs::rename(&now, &before).map_err(|error| cannot("move", &now, &error))?;
        }
        remove_whole(&self.to).map_err(|error| cannot("remove", &self.to, &error))
    }
}

/// Copies the files of a workspace, without its history, to a folder beside it, or into `elsewhere` where that is not
/// allowed. Returns the new folder.
///
/// # Errors
/// What cannot be read or written; no room.
pub(crate) fn copy_files_only(from: &Path, elsewhere: &Path, progress: Progress<'_>) -> Result<PathBuf> {
    let from = from.canonicalize().map_err(|error| cannot("open", from, &error))?;
    let name = from.file_name().map_or_else(|| "workspace".into(), |name| name.to_string_lossy().into_owned());
    let made = [from.parent().unwrap_or(&from), elsewhere].into_iter().find_map(|into| {
        let made = tempfile::Builder::new().prefix(".codesync-copying-").tempdir_in(into).ok()?;
        Some((into.to_path_buf(), made.keep()))
    });
    let (into, place) = made.ok_or_else(|| refused("There is no folder that a copy could be written to."))?;
    let mut copier = Copier::new(&from, &place, Some(STORE_FOLDER));
    let free = (1..=1_000).map(|n| match n {
        1 => into.join(format!("{name} (files only)")),
        n => into.join(format!("{name} (files only {n})")),
    });
    let done = copier.pass(progress).and_then(|_| copier.seal()).and_then(|()| {
        let to = free.into_iter().find(|to| to.symlink_metadata().is_err());
        let to = to.ok_or_else(|| refused("There are too many copies of it already."))?;
        fs::rename(&place, &to).map(|()| to).map_err(|error| cannot("write", &place, &error))
    });
    if done.is_err() {
        // What is left of it harms nobody.
        remove_whole(&place).unwrap_or_default();
    }
    done
}

/// Makes it durable that something is at a place, or is there no more.
fn sync_entry(place: &Path) -> Result<()> {
    let Some(folder) = place.parent() else { return Ok(()) };
    // Tests have no disk that fails.
    if cfg!(test) && folder.file_name().is_some_and(|name| name == "failing") {
        return Err(refused("The disk fails."));
    }
    sync_folder(folder)
}

/// Removes a copy made here, folders without the right to write included.
fn remove_whole(place: &Path) -> std::io::Result<()> {
    if let Err(error) = fs::remove_dir_all(place) {
        if error.kind() != ErrorKind::PermissionDenied {
            return Err(error);
        }
        let mut folders = vec![place.to_path_buf()];
        while let Some(folder) = folders.pop() {
            open_to_owner(&folder)?;
            for entry in fs::read_dir(&folder)?.flatten() {
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                }
            }
        }
        return fs::remove_dir_all(place);
    }
    Ok(())
}

#[cfg(unix)]
fn open_to_owner(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn open_to_owner(_folder: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn is_one_disk(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    // Tests have no second disk.
    let is_elsewhere = cfg!(test) && b.components().any(|part| part.as_os_str() == "another-disk");
    let device = |place: &Path| place.metadata().map(|metadata| metadata.dev()).ok();
    device(a) == device(b) && !is_elsewhere
}

#[cfg(not(unix))]
fn is_one_disk(_a: &Path, _b: &Path) -> bool {
    false
}

#[cfg(unix)]
fn free_bytes(place: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(place).ok()?;
    Some(space.f_bavail.saturating_mul(space.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_place: &Path) -> Option<u64> {
    None
}

fn refused(sentence: &str) -> ApiError {
    ApiError::new(ErrorCode::Invalid, sentence)
}

#[cfg(test)]
mod tests;
