//! From paths that may have changed to what happened, on a real folder.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::{DiskChange, NoTexts, ShadowEntry, reconcile};
use codesync_base::{BlobHash, FileId};
use std::fs;
use std::path::Path;

struct Fixture {
    place: tempfile::TempDir,
    folder: Folder,
    rules: Rules,
    shadow: ShadowTable,
}

impl Fixture {
    fn new(files: &[&str]) -> Self {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let rules = Rules::new(&folder);
        let mut shadow = ShadowTable::default();
        for file in files {
            let path = RelPath::parse(file).unwrap();
            let stamp = folder.write(&path, file.as_bytes(), 0).unwrap();
            let hash = BlobHash::of(file.as_bytes());
            shadow.note(path, ShadowEntry { hash, stamp, file: FileId::ZERO, noted_ns: i64::MAX });
        }
        Self { place, folder, rules, shadow }
    }

    fn root(&self) -> &Path {
        self.place.path()
    }

    fn look(&self, paths: Option<&[&str]>) -> (Vec<String>, Observed) {
        let paths = paths.map(|paths| paths.iter().map(|path| RelPath::parse(path).unwrap()).collect());
        let seen = observe(&self.folder, &self.rules, &self.shadow, paths.as_ref()).unwrap();
        let changes = reconcile(&self.shadow, &seen.observations, &NoTexts);
        let line = |change: &DiskChange| match change {
            DiskChange::Removed { path } => format!("-{path}"),
            DiskChange::Renamed { from, to } => format!("{from}>{to}"),
            DiskChange::Created { path } => format!("+{path}"),
            DiskChange::Modified { path } => format!("~{path}"),
            DiskChange::ModeChanged { path, .. } => format!("{path}:mode"),
        };
        (changes.iter().map(line).collect(), seen)
    }
}

#[test]
fn a_look_at_everything() {
    let fixture = Fixture::new(&["a", "d/b", "d/c", "same"]);
    fs::write(fixture.root().join("a"), "other").unwrap();
    fs::rename(fixture.root().join("d"), fixture.root().join("e")).unwrap();
    fs::create_dir(fixture.root().join("d")).unwrap();
    fs::write(fixture.root().join("new"), "").unwrap();
    let (changes, seen) = fixture.look(None);
    assert_eq!(changes, ["d/b>e/b", "d/c>e/c", "+new", "~a"]);
    assert_eq!(seen.empty_folders.into_iter().map(|path| path.to_string()).collect::<Vec<_>>(), ["d"]);
}

#[test]
fn folders_named_by_the_watcher_are_opened_up() {
    let fixture = Fixture::new(&["a/x", "a/y/z", "b"]);
    fs::rename(fixture.root().join("a"), fixture.root().join("c")).unwrap();
    assert_eq!(fixture.look(Some(&["a", "c"])).0, ["a/x>c/x", "a/y/z>c/y/z"]);
    fs::remove_dir_all(fixture.root().join("c")).unwrap();
    assert_eq!(fixture.look(Some(&["a"])).0, ["-a/x", "-a/y/z"]);
    fs::write(fixture.root().join("a"), "now a file").unwrap();
    assert_eq!(fixture.look(Some(&["a"])).0, ["-a/x", "-a/y/z", "+a"]);
    fs::remove_file(fixture.root().join("b")).unwrap();
    fs::create_dir(fixture.root().join("b")).unwrap();
    fs::write(fixture.root().join("b/in"), "x").unwrap();
    assert_eq!(fixture.look(Some(&["b"])).0, ["-b", "+b/in"]);
}

#[test]
fn a_folder_whose_last_file_went_is_empty() {
    let fixture = Fixture::new(&["d/only"]);
    fs::remove_file(fixture.root().join("d/only")).unwrap();
    let (changes, seen) = fixture.look(Some(&["d/only"]));
    assert_eq!((changes, seen.empty_folders.len()), (vec!["-d/only".to_owned()], 1));
}

#[test]
fn a_file_that_becomes_a_link_is_gone_and_said() {
    let fixture = Fixture::new(&["a"]);
    fs::remove_file(fixture.root().join("a")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", fixture.root().join("a")).unwrap();
    for paths in [None, Some(&["a"][..])] {
        let (changes, seen) = fixture.look(paths);
        assert_eq!((changes, seen.refused.len()), (vec!["-a".to_owned()], 1));
    }
}

#[test]
fn a_folder_that_is_not_there_is_no_reason_to_remove_all() {
    let fixture = Fixture::new(&["w/a"]);
    let folder = Folder::open(&fixture.root().join("w")).unwrap();
    fs::rename(fixture.root().join("w"), fixture.root().join("moved")).unwrap();
    let look = || observe(&folder, &Rules::new(&folder), &fixture.shadow, None);
    assert!(matches!(look(), Err(FolderError::NotThere(_))));
    fs::create_dir(fixture.root().join("w")).unwrap();
    assert!(matches!(look(), Err(FolderError::NotThere(_))));
}

#[test]
fn new_ignored_files_are_not_seen_and_known_ones_stay() {
    let fixture = Fixture::new(&["a.log", "b"]);
    fs::write(fixture.root().join(".gitignore"), "*.log\n").unwrap();
    fs::write(fixture.root().join("new.log"), "x").unwrap();
    assert_eq!(fixture.look(None).0, ["+.gitignore"]);
    assert_eq!(fixture.look(Some(&["new.log", "a.log"])).0, Vec::<String>::new());
}

#[test]
fn a_file_that_surely_did_not_change_is_not_read() {
    use std::os::unix::fs::PermissionsExt;
    let mut fixture = Fixture::new(&["a"]);
    // A hash that the content does not have: only a read could tell.
    let path = RelPath::parse("a").unwrap();
    let mut entry = *fixture.shadow.get(&path).unwrap();
    entry.hash = BlobHash::ZERO;
    fixture.shadow.note(path.clone(), entry);
    assert_eq!(fixture.look(None).0, Vec::<String>::new());
    entry.noted_ns = entry.stamp.mtime_ns + 1;
    fixture.shadow.note(path, entry);
    assert_eq!(fixture.look(None).0, ["~a"]);
    fs::set_permissions(fixture.root().join("a"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(fixture.look(Some(&["a"])).0, ["~a", "a:mode"]);
}

#[test]
fn what_cannot_be_read_is_not_taken_for_gone() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        return;
    }
    let fixture = Fixture::new(&["d/a", "b"]);
    fs::set_permissions(fixture.root().join("d"), fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(fixture.root().join("b"), fs::Permissions::from_mode(0o000)).unwrap();
    let (changes, seen) = fixture.look(None);
    fs::set_permissions(fixture.root().join("d"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!((changes.len(), seen.unread.len()), (0, 2));
}
