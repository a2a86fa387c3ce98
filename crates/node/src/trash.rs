//! What a person deletes goes to the system's trash, too, as from any other program of the desktop. History has it in
//! any case: nothing here may stand in the way of a deletion, and nothing is removed that the trash did not take.

use crate::bridge::Bridge;
use codesync_api::{ApiError, ErrorCode, Reply, Request};
use codesync_base::RelPath;
use codesync_engine::{Engine, Now};
use std::path::Path;

/// What the trash is never to have: history itself, and what belongs to version control.
const KEPT: [&str; 2] = [crate::STORE_FOLDER, ".git"];

/// Deletes a file or folder as the engine does, and puts what the folder has of it into the trash. What the ignore
/// rules keep out of history goes to the trash or not at all.
///
/// # Errors
/// What the engine refuses; that the trash did not take what history does not have.
pub(crate) fn delete(engine: &mut Engine, bridge: &Bridge, path: &str, now: Now) -> Result<Reply, ApiError> {
    let wanted = RelPath::parse(path).map_err(|error| ApiError::new(ErrorCode::Invalid, error.to_string()))?;
    match engine.handle(Request::Delete { path: path.to_owned() }, now) {
        Ok(Reply::Restored(done)) => {
            Ok(Reply::Trashed { group_id: done.group_id, in_trash: put(bridge.folder.root(), &wanted) })
        }
        Err(error) if error.code == ErrorCode::NotFound && is_out_of_history(bridge, &wanted) => {
            if put(bridge.folder.root(), &wanted) {
                return Ok(Reply::Trashed { group_id: None, in_trash: true });
            }
            let sentence = format!(
                "“{}” is kept out of history, and the system's trash didn't take it, so it stays. Your file manager can delete it.",
                wanted.name()
            );
            Err(ApiError::new(ErrorCode::Io, sentence))
        }
        other => other,
    }
}

fn is_out_of_history(bridge: &Bridge, path: &RelPath) -> bool {
    let is_there = bridge.folder.is_folder(path) || bridge.folder.stat(path).is_ok_and(|stat| stat.is_some());
    is_there && bridge.rules.is_ignored(path) && !path.components().any(|name| KEPT.contains(&name))
}

/// Whether the trash took it. It does not where there is none (no home folder, no rights, another system), or where
/// it is on another disk: copying there would keep everybody waiting, and could end halfway.
fn put(root: &Path, path: &RelPath) -> bool {
    match take(&path.components().fold(root.to_path_buf(), |place, name| place.join(name))) {
        Ok(()) => true,
        Err(reason) => {
            tracing::info!(%reason, "not in the trash, only in history");
            false
        }
    }
}

#[cfg(not(test))]
fn take(place: &Path) -> Result<(), String> {
    if !is_near(place) {
        return Err("the trash is on another disk".into());
    }
    trash::delete(place).map_err(|reason| reason.to_string())
}

/// Tests leave the person's own trash alone. One file has a name that it refuses.
#[cfg(test)]
fn take(place: &Path) -> std::io::Result<()> {
    let name = place.file_name().filter(|name| *name != "refused").ok_or(std::io::ErrorKind::PermissionDenied)?;
    let trash = test_trash();
    std::fs::create_dir_all(&trash)?;
    std::fs::rename(place, trash.join(name))
}

#[cfg(test)]
pub(crate) fn test_trash() -> std::path::PathBuf {
    crate::config_dir().join("trash")
}

/// Whether going to the trash is a rename: the trash of the home folder, or one at the top of the same disk.
#[cfg(all(unix, not(target_os = "macos"), not(test)))]
fn is_near(place: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let device = |path: &Path| path.symlink_metadata().map(|metadata| metadata.dev()).ok();
    let Some(own) = device(place) else { return false };
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(std::path::PathBuf::from);
    let data = named("XDG_DATA_HOME").or_else(|| named("HOME").map(|home| home.join(".local/share")));
    // What is not there yet is made in the nearest folder that is.
    let home = data.and_then(|data| data.ancestors().find_map(device));
    let top = place.ancestors().skip(1).take_while(|folder| device(folder) == Some(own)).last();
    let is_writable = |top: &Path| rustix::fs::access(top, rustix::fs::Access::WRITE_OK).is_ok();
    home == Some(own) || top.is_some_and(is_writable)
}

#[cfg(all(not(all(unix, not(target_os = "macos"))), not(test)))]
fn is_near(_place: &Path) -> bool {
    true
}
