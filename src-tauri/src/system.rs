//! Small questions to the desktop around the window.

use codesync_api::{ApiError, ErrorCode};
use std::ffi::OsStr;
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
    let folder = folder_of(path)?;
    let mut command = opener();
    if cfg!(target_os = "macos") {
        command.arg("-R").arg(path);
    } else {
        command.arg(folder);
    }
    start(command)
        .map_err(|reason| ApiError::new(ErrorCode::Io, "The file manager could not be opened.").with_detail(reason))
}

/// Opens a file with the program that the system has for it.
///
/// # Errors
/// When the file is gone, is itself a program, or there is nothing to open it with.
pub fn open_in_its_app(path: &Path) -> Result<(), ApiError> {
    folder_of(path)?;
    // The file may be somebody else's: looking at it must not run it.
    if codesync_node::may_run(path) {
        let sentence =
            "This file is a program or may start one, so it isn't opened from here. Your file manager can open it.";
        return Err(ApiError::new(ErrorCode::Invalid, sentence));
    }
    let mut command = opener();
    command.arg(path);
    start(command)
        .map_err(|reason| ApiError::new(ErrorCode::Io, "No program was found to open this file.").with_detail(reason))
}

/// What opens anything on this system.
fn opener() -> Command {
    Command::new(if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(target_os = "windows") {
        "explorer"
    } else {
        "xdg-open"
    })
}

/// Opens the system's terminal in a folder, or in that of a file.
///
/// # Errors
/// When the path is gone or no terminal is found.
pub fn open_terminal(path: &Path) -> Result<(), ApiError> {
    let folder = folder_of(path)?;
    let of_person = std::env::var("TERMINAL").ok().filter(|name| !name.is_empty());
    let mut reason = None;
    for name in of_person.iter().map(String::as_str).chain(TERMINALS.iter().copied()) {
        let mut command = Command::new(name);
        if cfg!(target_os = "macos") {
            command.args(["-a", "Terminal"]).arg(folder);
        }
        command.current_dir(folder);
        match start(command) {
            Ok(()) => return Ok(()),
            Err(error) => reason = Some(error),
        }
    }
    let refused = ApiError::new(ErrorCode::Io, "No terminal was found on this computer.");
    Err(match reason {
        Some(reason) => refused.with_detail(reason),
        None => refused,
    })
}

/// Programs that open a terminal in the folder they are started in, the system's own choice first.
const TERMINALS: &[&str] = if cfg!(target_os = "macos") {
    &["open"]
} else if cfg!(target_os = "windows") {
    &["wt", "cmd"]
} else {
    &["x-terminal-emulator", "gnome-terminal", "kgx", "konsole", "xfce4-terminal", "xterm"]
};

/// Opens another window: a program of its own, so that what happens to one of them leaves the others alone.
///
/// # Errors
/// When this program cannot be started once more.
pub fn open_window(place: Option<&OsStr>) -> Result<(), ApiError> {
    let started = std::env::current_exe().and_then(|program| {
        let mut command = Command::new(program);
        command.arg("--new-window");
        if let Some(place) = place {
            command.arg("--").arg(place);
        }
        start(command)
    });
    started.map_err(|reason| ApiError::new(ErrorCode::Io, "Another window could not be opened.").with_detail(reason))
}

fn folder_of(path: &Path) -> Result<&Path, ApiError> {
    if path.exists() {
        return Ok(if path.is_dir() { path } else { path.parent().unwrap_or(path) });
    }
    let sentence = format!("{} is not there any more.", path.display());
    Err(ApiError::new(ErrorCode::NotFound, sentence))
}

fn start(mut command: Command) -> std::io::Result<()> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    // Left alone it would stay as a zombie until the window is closed.
    std::thread::spawn(move || child.wait());
    Ok(())
}
