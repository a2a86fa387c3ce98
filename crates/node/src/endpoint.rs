//! Where the process that holds a store can be reached: the file `.codesync/run.json` and the folder its
//! socket lies in. Whoever may read that file may drive the workspace, so only its owner may.

use codesync_base::hex;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

const FILE_NAME: &str = "run.json";
/// More than this is no endpoint of ours.
const FILE_BYTES_MAX: u64 = 16 * 1024;
const FOLDER_PREFIX: &str = "codesync-";
#[cfg(unix)]
const SOCKET_NAME: &str = "socket";
/// Unix keeps socket paths in 108 bytes (104 on macOS), the last of them zero.
#[cfg(unix)]
const SOCKET_PATH_BYTES_MAX: usize = 100;

/// What a client needs to know to reach the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Endpoint {
    pub pid: u32,
    /// Path of a Unix socket, or name of a Windows pipe.
    pub socket: String,
    /// To be said first: 64 hexadecimal digits.
    pub token: String,
    pub api_version: u32,
}

/// A published endpoint and the folder of its socket; both go when it is dropped.
pub(crate) struct Published {
    pub endpoint: Endpoint,
    file: PathBuf,
    /// Owner-only; held for its `Drop`.
    #[cfg(unix)]
    _folder: tempfile::TempDir,
}

impl Endpoint {
    /// What is published for a store, if anything that can be read.
    pub fn read(codesync_dir: &Path) -> Option<Self> {
        let mut text = String::new();
        let file = fs::File::open(codesync_dir.join(FILE_NAME)).ok()?;
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Takes away what a process that is no more has left, unless another has published meanwhile.
    pub fn remove_stale(&self, codesync_dir: &Path) {
        if self.is_process_alive() || Self::read(codesync_dir).as_ref() != Some(self) {
            return;
        }
        // Nobody is hurt by what cannot be removed: the next owner writes over it.
        fs::remove_file(codesync_dir.join(FILE_NAME)).unwrap_or_default();
        #[cfg(unix)]
        remove_socket(Path::new(&self.socket));
    }

    /// Whether the socket lies where only this user can have put it.
    #[cfg(unix)]
    pub fn is_mine(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        let me = rustix::process::geteuid().as_raw();
        let folder = Path::new(&self.socket).parent().and_then(|folder| folder.symlink_metadata().ok());
        folder.is_some_and(|folder| folder.is_dir() && folder.mode() & 0o077 == 0 && (folder.uid() == me || me == 0))
    }

    #[cfg(not(unix))]
    pub fn is_mine(&self) -> bool {
        true
    }

    #[cfg(unix)]
    fn is_process_alive(&self) -> bool {
        let pid = i32::try_from(self.pid).ok().and_then(rustix::process::Pid::from_raw);
        // "Not permitted" means that somebody is there.
        pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
    }

    /// A Windows pipe goes with its process; one that cannot be reached has none.
    #[cfg(not(unix))]
    fn is_process_alive(&self) -> bool {
        false
    }
}

/// Removes a socket of ours and its folder, and nothing else whatever the published file says.
#[cfg(unix)]
fn remove_socket(socket: &Path) {
    use std::os::unix::fs::FileTypeExt;
    let Some(folder) = socket.parent() else { return };
    let is_ours = folder.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(FOLDER_PREFIX))
        && socket.symlink_metadata().is_ok_and(|metadata| metadata.file_type().is_socket());
    if is_ours {
        fs::remove_file(socket).and_then(|()| fs::remove_dir(folder)).unwrap_or_default();
    }
}

/// Chooses a place for the socket and a token. `listen` is called with the socket's name before the
/// endpoint is published, so that a client which reads it finds somebody there.
pub(crate) fn publish<T>(
    codesync_dir: &Path,
    api_version: u32,
    listen: impl FnOnce(&str) -> io::Result<T>,
) -> io::Result<(Published, T)> {
    let mut token = [0; 32];
    crate::config::fill_random(&mut token);
    #[cfg(unix)]
    let (folder, socket) = socket_folder()?;
    #[cfg(not(unix))]
    let socket = pipe_name();
    let listener = listen(&socket)?;
    let endpoint = Endpoint { pid: std::process::id(), socket, token: hex(&token), api_version };
    let file = codesync_dir.join(FILE_NAME);
    write_private(&file, &serde_json::to_vec(&endpoint)?)?;
    let published = Published {
        endpoint,
        file,
        #[cfg(unix)]
        _folder: folder,
    };
    Ok((published, listener))
}

impl Drop for Published {
    fn drop(&mut self) {
        // Another process may have taken over and published itself.
        let ours = self.file.parent().and_then(Endpoint::read).is_some_and(|found| found == self.endpoint);
        if ours {
            fs::remove_file(&self.file).unwrap_or_default();
        }
    }
}

/// A fresh owner-only folder whose path is short enough for a socket.
#[cfg(unix)]
fn socket_folder() -> io::Result<(tempfile::TempDir, String)> {
    use std::os::unix::fs::PermissionsExt;
    let places =
        [std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from), Some(std::env::temp_dir()), Some("/tmp".into())];
    let mut last = io::Error::new(io::ErrorKind::NotFound, "there is no folder for the socket");
    for place in places.into_iter().flatten().filter(|place| place.is_absolute()) {
        let made = tempfile::Builder::new()
            .prefix(FOLDER_PREFIX)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(&place);
        match made {
            Ok(folder) => match folder.path().join(SOCKET_NAME).to_str() {
                Some(socket) if socket.len() <= SOCKET_PATH_BYTES_MAX => {
                    let socket = socket.to_owned();
                    return Ok((folder, socket));
                }
                _ => last = io::Error::new(io::ErrorKind::InvalidFilename, "the path of the socket is too long"),
            },
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(not(unix))]
fn pipe_name() -> String {
    let mut name = [0; 16];
    crate::config::fill_random(&mut name);
    format!("{FOLDER_PREFIX}{}", hex(&name))
}

/// Writes a file that only its owner can read, whole or not at all, over what is there.
fn write_private(file: &Path, bytes: &[u8]) -> io::Result<()> {
    // Temporary files are made with mode 0600.
    let mut temp = tempfile::Builder::new().prefix(".run").tempfile_in(file.parent().unwrap_or(Path::new(".")))?;
    temp.write_all(bytes)?;
    temp.persist(file).map_err(|error| error.error)?;
    Ok(())
}
