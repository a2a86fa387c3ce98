//! The people whom this computer remembers, in a file beside its key. All its processes share it, so it is read anew
//! whenever it is another. Nothing in it gives a right to anything.

use crate::config::{self, cannot};
use crate::whole;
use codesync_api::{Acquaintance, ApiError, ErrorCode, KnownPerson};
use codesync_auth::{Other, People, Remembered};
use codesync_base::DeviceId;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// The file as it was last read, and what it said.
static LAST: Mutex<Option<(Version, Arc<People>)>> = Mutex::new(None);

/// Which file it is: it is never written in place.
type Version = (PathBuf, SystemTime, u64, u64);

/// Everybody who is remembered. Nobody, when the file can't be read: whoever was known is met anew then.
pub(crate) fn read() -> Arc<People> {
    let file = file();
    let Some(version) = version_of(&file) else { return Arc::new(read_or_nobody(&file)) };
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, people)) = last.as_ref().filter(|(known, _)| *known == version) {
        return people.clone();
    }
    let people = Arc::new(read_or_nobody(&file));
    // What was read may be newer than that, never older.
    *last = Some((version, people.clone()));
    people
}

fn version_of(file: &Path) -> Option<Version> {
    let metadata = fs::metadata(file).ok()?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let inode = 0;
    Some((file.to_path_buf(), metadata.modified().ok()?, metadata.len(), inode))
}

fn read_or_nobody(file: &Path) -> People {
    read_anew(file).unwrap_or_else(|error| {
        tracing::warn!(%error, "the people known here can't be read");
        People::default()
    })
}

fn read_anew(file: &Path) -> Result<People, ApiError> {
    match fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| cannot("read", file, &error.into())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(People::default()),
        Err(error) => Err(cannot("read", file, &error)),
    }
}

/// For the list in the settings, those last seen first.
pub fn known_people() -> Vec<KnownPerson> {
    let shown = |known: &Remembered| KnownPerson {
        device: known.device.to_string(),
        person: known.person.clone(),
        device_name: known.device_name.clone(),
        last_seen_ms: known.last_seen_ms,
    };
    read().all().iter().map(shown).collect()
}

/// Keeps somebody who was paired with.
pub(crate) fn remember(other: &Other, color: u32, now_ms: u64) -> Result<(), ApiError> {
    change(|people| {
        people.remember(Remembered {
            device: other.device,
            person: other.about.person.clone(),
            device_name: other.about.device_name.clone(),
            color,
            last_seen_ms: now_ms,
        });
    })
}

/// Somebody was here; nothing happens if they are not remembered.
pub(crate) fn seen(device: &DeviceId, now_ms: u64) -> Result<(), ApiError> {
    change(|people| {
        if let Some(known) = people.all().iter().find(|known| known.device == *device) {
            people.remember(Remembered { last_seen_ms: now_ms, ..known.clone() });
        }
    })
}

/// # Errors
/// The name is none of a device, or the file can't be read or written.
pub fn forget_person(device: &str) -> Result<(), ApiError> {
    let device: DeviceId =
        device.parse().map_err(|_| ApiError::new(ErrorCode::Invalid, "That names nobody who is known here."))?;
    change(|people| {
        people.forget(&device);
    })
}

/// Whether somebody who has shown that they have a key was met before.
pub(crate) fn acquaintance(people: &People, other: &Other) -> Acquaintance {
    match people.recognise(&other.device, &other.about.person) {
        codesync_auth::Acquaintance::Stranger => Acquaintance::New,
        codesync_auth::Acquaintance::Known(_) => Acquaintance::Known,
        codesync_auth::Acquaintance::KnownOtherwise(_) => Acquaintance::OtherKey,
    }
}

fn file() -> PathBuf {
    config::config_dir().join("people.json")
}

fn change(change: impl FnOnce(&mut People)) -> Result<(), ApiError> {
    let file = file();
    let folder = config::config_dir();
    fs::create_dir_all(&folder).map_err(|error| cannot("make", &folder, &error))?;
    // Another window may remember somebody at the same time.
    let lock = folder.join("people.lock");
    let _alone = File::create(&lock)
        .and_then(|lock| lock.lock().map(|()| lock))
        .map_err(|error| cannot("keep", &lock, &error))?;
    // What can't be read now is not to be written over.
    let before = read_anew(&file)?;
    let mut people = before.clone();
    change(&mut people);
    if people == before {
        return Ok(());
    }
    let bytes = serde_json::to_vec_pretty(&people).map_err(|error| {
        ApiError::new(ErrorCode::Internal, "The people known here could not be written down.").with_detail(error)
    })?;
    whole::write_atomically(&file, &bytes).map_err(|error| cannot("write", &file, &error))
}

#[cfg(test)]
mod tests;
