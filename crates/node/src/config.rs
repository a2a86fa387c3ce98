//! Where this device keeps its key and its settings, and who works on it. The only place that asks the
//! environment.

use codesync_api::{ApiError, ErrorCode};
use codesync_auth::DeviceKey;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The configuration folder: `CODESYNC_CONFIG_DIR`, else the system's place for it.
pub fn config_dir() -> PathBuf {
    if cfg!(test) {
        // Tests leave the person's own key alone.
        return std::env::temp_dir().join(format!("codesync-test-{}", std::process::id()));
    }
    if let Some(dir) = std::env::var_os("CODESYNC_CONFIG_DIR") {
        return dir.into();
    }
    match directories::ProjectDirs::from("dev", "codesync", "codesync") {
        Some(dirs) => dirs.config_dir().to_path_buf(),
        // No home folder at all (a bare container): beside nothing better, the temporary folder.
        None => std::env::temp_dir().join("codesync-config"),
    }
}

/// The port that others reach this computer at: `CODESYNC_PORT`, else the usual one.
pub(crate) fn port() -> u16 {
    let from_env = std::env::var("CODESYNC_PORT").ok().and_then(|port| port.parse().ok());
    from_env.unwrap_or(codesync_net::DEFAULT_PORT)
}

/// The port of the lobby: none in particular where another port for workspaces was asked for.
pub(crate) fn lobby_port(usual: u16) -> u16 {
    if std::env::var_os("CODESYNC_PORT").is_some() { 0 } else { usual }
}

/// `CODESYNC_NETWORK=off`: no socket is opened, for tests and for who wants none.
pub(crate) fn is_network_off() -> bool {
    std::env::var_os("CODESYNC_NETWORK").is_some_and(|value| value == "off")
}

/// Name of the person at this computer, until they say another.
pub fn person_name() -> String {
    let from_env = ["CODESYNC_PERSON", "USER", "LOGNAME", "USERNAME"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| !name.trim().is_empty());
    from_env.unwrap_or_else(|| "Me".to_owned())
}

/// Name of this computer.
pub fn device_name() -> String {
    let from_env = std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME"));
    let from_file = || fs::read_to_string("/etc/hostname").map(|name| name.trim().to_owned());
    from_env.or_else(|_| from_file()).ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "this computer".to_owned())
}

/// This device's key: read, or made on first use (a file that only its owner can read).
pub fn device_key() -> Result<DeviceKey, ApiError> {
    let file = config_dir().join("device.key");
    match fs::read(&file) {
        Ok(bytes) => {
            let seed = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| {
                let sentence = format!(
                    "The key of this device ({}) is damaged. Move it away to begin with a new one.",
                    file.display()
                );
                ApiError::new(ErrorCode::Damaged, sentence)
            })?;
            Ok(DeviceKey::from_seed(&seed))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut seed = [0; 32];
            fill_random(&mut seed);
            match write_private(&file, &seed) {
                Ok(()) => Ok(DeviceKey::from_seed(&seed)),
                // Another process was first: its key is this device's.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => device_key(),
                Err(error) => Err(cannot("keep the key of this device in", &file, &error)),
            }
        }
        Err(error) => Err(cannot("read the key of this device in", &file, &error)),
    }
}

/// Bytes that nobody can guess.
pub(crate) fn fill_random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("invariant: the system gives random bytes");
}

/// Writes a new file that only its owner can read, whole or not at all.
fn write_private(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut temp = tempfile::Builder::new().prefix(".device").tempfile_in(folder)?;
    temp.write_all(bytes)?;
    temp.as_file().sync_all()?;
    temp.persist_noclobber(file).map_err(|error| error.error)?;
    Ok(())
}

pub(crate) fn cannot(what: &str, file: &Path, error: &std::io::Error) -> ApiError {
    let code = match error.kind() {
        std::io::ErrorKind::StorageFull => ErrorCode::DiskFull,
        std::io::ErrorKind::NotFound => ErrorCode::NotFound,
        _ => ErrorCode::Io,
    };
    ApiError::new(code, format!("Could not {what} {}: {}.", file.display(), plain(error)))
}

/// The system's reason in plain words, without its number.
pub(crate) fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => "permission denied".into(),
        std::io::ErrorKind::NotFound => "not found".into(),
        std::io::ErrorKind::StorageFull => "the disk is full".into(),
        std::io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only".into(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
    }
}
