//! Which folder a bundle comes into; the histories themselves are tried in the real window.

#![allow(clippy::unwrap_used)]

use super::*;

fn damaged() -> ApiError {
    ApiError::new(ErrorCode::Damaged, "This file is not a whole replay bundle.")
}

fn of_another() -> ApiError {
    ApiError::new(ErrorCode::Exists, "This folder has a history of its own already.")
}

#[test]
fn a_bundle_is_known_by_its_first_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anything.txt");
    fs::write(&path, b"CODESYNC-REPLAY 1\nrest").unwrap();
    assert!(is_bundle(&path));
    fs::write(&path, b"CODESYNC").unwrap();
    assert!(!is_bundle(&path) && !is_bundle(folder.path()) && !is_bundle(&folder.path().join("missing")));
}

#[test]
fn folders_of_others_are_passed_by() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("lab")).unwrap();
    fs::create_dir_all(at("lab-2/.codesync")).unwrap();
    let import = |_: &Path, kind| if kind == Folder::New { Ok(()) } else { Err(of_another()) };
    assert_eq!(place("lab", folder.path(), import).unwrap(), at("lab-3"));
    assert_eq!(fs::read_dir(at("lab")).unwrap().count(), 0);
}

#[test]
fn the_folder_of_the_same_history_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("lab/.codesync")).unwrap();
    let import = |_: &Path, kind| if kind == Folder::Workspace { Ok(()) } else { Err(of_another()) };
    assert_eq!(place("lab", folder.path(), import).unwrap(), folder.path().join("lab"));
}

#[test]
fn a_damaged_bundle_leaves_nothing_behind_and_takes_nothing_away() {
    let folder = tempfile::tempdir().unwrap();
    let refuse = |_: &Path, _| Err(damaged());
    assert_eq!(place("lab", folder.path(), refuse).unwrap_err().code, ErrorCode::Damaged);
    assert!(!folder.path().join("lab").exists());
    fs::create_dir_all(folder.path().join("lab/.codesync")).unwrap();
    assert_eq!(place("lab", folder.path(), refuse).unwrap_err().code, ErrorCode::Damaged);
    assert!(folder.path().join("lab/.codesync").exists());
}
