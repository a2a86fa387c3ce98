//! Which files are programs to one system or another. They come from others, too: must never be opened as what they are.

use std::ffi::OsStr;
use std::path::Path;

/// Endings of files that one system or another runs when they are opened.
const RUN_ENDINGS: &[&str] = &[
    "app", "appimage", "bat", "cmd", "com", "command", "cpl", "desktop", "exe", "hta", "jar", "js", "jse", "lnk",
    "msc", "msi", "pif", "pkg", "ps1", "reg", "scr", "sh", "url", "vb", "vbe", "vbs", "wsf", "wsh",
];

/// Whether the system would run this file, or something that it names, when it is opened.
pub fn may_run(path: &Path) -> bool {
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
    RUN_ENDINGS.contains(&ending.as_str()) || is_executable(path)
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|data| data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_would_be_run_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        for (name, runs) in [("a.psd", false), ("A.EXE", true), ("a.desktop", true), ("plain", false)] {
            let path = folder.path().join(name);
            std::fs::write(&path, "x").unwrap();
            assert_eq!(may_run(&path), runs, "{name}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let path = folder.path().join("plain");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            assert!(may_run(&path));
        }
    }
}
