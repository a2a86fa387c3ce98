//! Small questions to the desktop around the window.

use codesync_api::{ApiError, ErrorCode};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// Whether a window can be shown at all.
pub fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(not(target_os = "linux")) || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

/// Now, in Unix milliseconds.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Test runs answer the native pickers by the environment, because no driver can reach them.
pub fn picked_by_test(name: &str) -> Option<String> {
    let is_test = std::env::var("CODESYNC_E2E").is_ok_and(|value| value == "1");
    if is_test { std::env::var(name).ok() } else { None }
}

/// Shows a file or folder in the system's file manager.
///
/// # Errors
/// When the path is gone or there is no program for it.
pub fn reveal(path: &Path) -> Result<(), ApiError> {
    if !path.exists() {
        let sentence = format!("{} is not there any more.", path.display());
        return Err(ApiError::new(ErrorCode::NotFound, sentence));
    }
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    let mut command = if cfg!(target_os = "macos") {
        let mut command = Command::new("open");
        command.arg("-R").arg(path);
        command
    } else if cfg!(target_os = "windows") {
        let mut command = Command::new("explorer");
        command.arg(folder);
        command
    } else {
        let mut command = Command::new("xdg-open");
        command.arg(folder);
        command
    };
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = child
        .map_err(|reason| ApiError::new(ErrorCode::Io, "The file manager could not be opened.").with_detail(reason))?;
    // Left alone it would stay as a zombie until the window is closed.
    std::thread::spawn(move || child.wait());
    Ok(())
}
