#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn the_newest_stands_first_and_once() {
    let folder = tempfile::tempdir().unwrap();
    remember(folder.path(), "/tmp", 1).unwrap();
    remember(folder.path(), "/nowhere/lab", 2).unwrap();
    remember(folder.path(), "/tmp", 3).unwrap();
    let list = list(folder.path());
    let seen: Vec<_> = list.iter().map(|entry| (entry.name.as_str(), entry.opened_ms, entry.missing)).collect();
    assert_eq!(seen, vec![("tmp", 3, false), ("lab", 2, true)]);
}

#[test]
fn a_forgotten_folder_is_only_off_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("project");
    std::fs::create_dir(&project).unwrap();
    remember(folder.path(), project.to_str().unwrap(), 1).unwrap();
    forget(folder.path(), project.to_str().unwrap()).unwrap();
    assert!(list(folder.path()).is_empty());
    assert!(project.is_dir());
}
