//! Opens a replay bundle as a workspace: it is unpacked into a folder of its own, and the same bundle later finds
//! that folder again. Must never put a history into a folder that it did not make for one.

use crate::{Node, Options, STORE_FOLDER};
use codesync_api::{ApiError, ErrorCode, Request};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

const FIRST_BYTES: &[u8; 16] = b"CODESYNC-REPLAY ";
/// More folders of the same name than anyone has.
const FOLDERS_MAX: u32 = 1_000;

/// Whether a file is a replay bundle, by its first bytes: its name may be any.
pub fn is_bundle(path: &Path) -> bool {
    let mut first = [0; FIRST_BYTES.len()];
    path.is_file() && File::open(path).and_then(|mut file| file.read_exact(&mut first)).is_ok() && &first == FIRST_BYTES
}

/// Puts the history of a bundle into a folder among others, named as the bundle. Gives that folder.
///
/// # Errors
/// When the bundle is damaged or the folder cannot be made; then nothing is left behind.
pub fn unpack_bundle(bundle: &Path, among: &Path, person: Option<&str>) -> Result<PathBuf, ApiError> {
    let bundle = std::path::absolute(bundle).map_err(|reason| not_made(bundle, &reason))?;
    let name = bundle.file_stem().map_or_else(|| "replay".into(), |stem| stem.to_string_lossy().into_owned());
    place(&name, among, |folder, kind| import(&bundle, folder, kind, person))
}

/// A folder that is offered to a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Folder {
    /// Made for it just now.
    New,
    /// A workspace, which may hold this very history.
    Workspace,
}

/// Offers one folder after the other until one takes the history.
fn place(
    name: &str,
    among: &Path,
    import: impl Fn(&Path, Folder) -> Result<(), ApiError>,
) -> Result<PathBuf, ApiError> {
    for n in 1..FOLDERS_MAX {
        let folder = among.join(if n == 1 { name.to_owned() } else { format!("{name}-{n}") });
        if !folder.exists() {
            fs::create_dir_all(&folder).map_err(|reason| not_made(&folder, &reason))?;
            if let Err(refusal) = import(&folder, Folder::New) {
                fs::remove_dir_all(&folder).map_err(|reason| not_made(&folder, &reason))?;
                return Err(refusal);
            }
            return Ok(folder);
        }
        if !folder.join(STORE_FOLDER).is_dir() {
            continue;
        }
        match import(&folder, Folder::Workspace) {
            Err(refusal) if refusal.code == ErrorCode::Exists => {}
            taken => return taken.map(|()| folder),
        }
    }
    Err(ApiError::new(ErrorCode::Exists, format!("There are too many folders called “{name}” already.")))
}

fn import(bundle: &Path, folder: &Path, kind: Folder, person: Option<&str>) -> Result<(), ApiError> {
    let person = person.map(str::to_owned);
    let node = Node::open(folder, Options { person, watch: false, create: kind == Folder::New })?;
    let file = bundle.to_string_lossy().into_owned();
    let imported = node.call(Request::ImportBundle { file }).and_then(|_| node.call(Request::Flush));
    node.close();
    imported.map(drop)
}

fn not_made(folder: &Path, reason: &std::io::Error) -> ApiError {
    let sentence = format!("“{}” could not be made for the bundle.", folder.display());
    ApiError::new(ErrorCode::Io, sentence).with_detail(reason)
}

#[cfg(test)]
mod tests;
