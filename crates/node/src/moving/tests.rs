#![allow(clippy::unwrap_used)]
use super::*;
use crate::{Node, Options};
use codesync_api::{Reply, Request, Splice};
use std::collections::BTreeMap;
use tempfile::TempDir;

/// A folder to be moved, and one on "another disk".
fn places() -> (TempDir, PathBuf, PathBuf) {
    let outer = tempfile::tempdir().unwrap();
    let (from, into) = (outer.path().join("lab"), outer.path().join("another-disk"));
    fs::create_dir_all(from.join("src/deep/empty")).unwrap();
    fs::create_dir_all(&into).unwrap();
    fs::write(from.join("src/a"), "first").unwrap();
    fs::write(from.join("src/deep/b"), vec![7; 3 << 20]).unwrap();
    fs::write(from.join("odd \u{e9}\n name"), "").unwrap();
    (outer, from, into)
}

/// Everything below a folder: what it is, what is in it, who may do what.
fn picture(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let (mut picture, mut folders) = (BTreeMap::new(), vec![folder.to_path_buf()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap().flatten() {
            let (path, metadata) = (entry.path(), entry.metadata().unwrap());
            let content = if metadata.is_dir() {
                folders.push(path.clone());
                Vec::new()
            } else if metadata.is_symlink() {
                fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
            } else {
                fs::read(&path).unwrap()
            };
            let rights = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
            picture.insert(path.strip_prefix(folder).unwrap().to_path_buf(), (rights, content));
        }
    }
    picture
}

fn set_rights(place: &Path, rights: u32) {
    fs::set_permissions(place, std::os::unix::fs::PermissionsExt::from_mode(rights)).unwrap();
}

#[test]
fn a_copy_has_all_of_it_and_what_changed_meanwhile() {
    let (_outer, from, into) = places();
    std::os::unix::fs::symlink("src/a", from.join("link")).unwrap();
    std::os::unix::fs::symlink("..", from.join("src/loop")).unwrap();
    set_rights(&from.join("src/a"), 0o750);
    let mut moving = Moving::plan(&from, &into).unwrap();
    let mut told = Vec::new();
    moving
        .copy(&mut |done, total| {
            told.push((done, total));
            true
        })
        .unwrap();
    assert!(told.is_sorted() && told.iter().all(|(done, total)| done <= total) && told.len() > 4);
    // Work goes on: changed with the same length and time, new, gone, another kind.
    let before = fs::metadata(from.join("src/a")).unwrap().modified().unwrap();
    fs::write(from.join("src/a"), "FIRST").unwrap();
    fs::File::options().write(true).open(from.join("src/a")).unwrap().set_modified(before).unwrap();
    fs::write(from.join("src/new"), "new").unwrap();
    fs::remove_file(from.join("link")).unwrap();
    fs::create_dir(from.join("link")).unwrap();
    fs::remove_dir(from.join("src/deep/empty")).unwrap();
    set_rights(&from.join("src/deep"), 0o555);
    let wanted = picture(&from);
    let moved = moving.finish().unwrap();
    assert_eq!(picture(moved.to()), wanted);
    set_rights(&from.join("src/deep"), 0o755);
    assert!(moved.remove_original().is_empty() && !from.exists());
    assert_eq!(fs::read_dir(&into).unwrap().count(), 1, "no copy of the copy");
}

#[test]
fn where_a_move_cannot_be_made_durable_the_workspace_is_in_one_place() {
    for is_copied in [false, true] {
        let (outer, from, into) = places();
        let into = if is_copied { into.join("failing") } else { outer.path().join("failing") };
        fs::create_dir(&into).unwrap();
        let wanted = picture(&from);
        let mut moving = Moving::plan(&from, &into).unwrap();
        moving.copy(&mut |_, _| true).unwrap();
        let (from, to) = (from.clone(), moving.to().to_path_buf());
        // Renamed, it is there. Copied, it can stay where it was, and nothing of it is at the other place.
        assert_eq!(moving.finish().is_ok(), !is_copied);
        let (place, other) = if is_copied { (from, to) } else { (to, from) };
        assert!(picture(&place) == wanted && !other.exists());
        assert_eq!(fs::read_dir(&into).unwrap().count(), usize::from(!is_copied));
    }
}

#[test]
fn what_changed_after_the_copy_stays_and_is_named() {
    let (_outer, from, into) = places();
    let mut moving = Moving::plan(&from, &into).unwrap();
    moving.copy(&mut |_, _| true).unwrap();
    let moved = moving.finish().unwrap();
    fs::write(from.join("src/a"), "saved by another program").unwrap();
    fs::write(from.join("late"), "late").unwrap();
    let left = moved.remove_original();
    assert!(left.contains(&from.join("src/a")), "{left:?}");
    assert_eq!(fs::read_to_string(from.join("src/a")).unwrap(), "saved by another program");
    assert_eq!(fs::read_to_string(from.join("late")).unwrap(), "late");
    assert!(!from.join("src/deep").exists());
}

#[test]
fn a_move_that_is_stopped_or_let_go_leaves_everything_as_it_was() {
    let (_outer, from, into) = places();
    let wanted = picture(&from);
    for n_steps in [0, 1, 3, 5] {
        let mut moving = Moving::plan(&from, &into).unwrap();
        let mut n = 0;
        let stopped = moving.copy(&mut |_, _| {
            n += 1;
            n <= n_steps
        });
        assert!(stopped.unwrap_err().message.contains("where it was"));
        drop(moving);
        assert_eq!(fs::read_dir(&into).unwrap().count(), 0);
    }
    let mut moving = Moving::plan(&from, &into).unwrap();
    moving.copy(&mut |_, _| true).unwrap();
    drop(moving);
    let unreadable = into.join("lab");
    fs::write(&unreadable, "in the way").unwrap();
    assert_eq!(Moving::plan(&from, &into).err().unwrap().code, ErrorCode::Exists);
    assert_eq!(picture(&from), wanted);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let (outer, from, into) = places();
    for wrong in [outer.path(), &from, &from.join("src"), &into.join("nothing")] {
        assert!(Moving::plan(&from, wrong).is_err(), "{}", wrong.display());
    }
    // There now, not there when it was planned.
    let mut moving = Moving::plan(&from, &into).unwrap();
    moving.copy(&mut |_, _| true).unwrap();
    fs::create_dir(into.join("lab")).unwrap();
    fs::write(into.join("lab/theirs"), "theirs").unwrap();
    assert!(moving.finish().is_err());
    assert_eq!(fs::read_to_string(into.join("lab/theirs")).unwrap(), "theirs");
    assert_eq!(fs::read_to_string(from.join("src/a")).unwrap(), "first");
}

fn open(root: &Path) -> Node {
    Node::open(root, Options { person: Some("Asha".into()), watch: false, create: true }).unwrap()
}

fn type_into(node: &Node, text: &str) {
    let edits = vec![Splice(0, 0, text.into())];
    node.call(Request::EditFile { path: "src/a".into(), edits }).unwrap();
    node.call(Request::Flush).unwrap();
}

#[test]
fn a_workspace_goes_on_at_its_new_place_under_its_own_name() {
    for is_copied in [true, false] {
        let (outer, from, another) = places();
        let into = if is_copied { another } else { outer.path().join("same-disk") };
        fs::create_dir_all(&into).unwrap();
        let node = open(&from);
        type_into(&node, "typed, ");
        let mut moving = Moving::plan(&from, &into).unwrap();
        moving.copy(&mut |_, _| true).unwrap();
        type_into(&node, "typed later, ");
        node.close();
        let moved = moving.finish().unwrap();
        assert!(!from.join(STORE_FOLDER).exists());
        let node = open(moved.to());
        assert!(moved.remove_original().is_empty() && !from.exists());
        let Ok(Reply::Status(status)) = node.call(Request::Status) else { panic!() };
        assert!(status.notices.is_empty(), "it is no copy: {:?}", status.notices);
        assert_eq!(fs::read_to_string(into.join("lab/src/a")).unwrap(), "typed later, typed, first");
        type_into(&node, "on, ");
        let Ok(Reply::Verified(report)) = node.call(Request::Verify { repair: false }) else { panic!() };
        assert!(report.ok && report.problems.is_empty(), "{report:?}");
        let Ok(Reply::Status(after)) = node.call(Request::Status) else { panic!() };
        assert_eq!(after.n_moments, status.n_moments + 1);
        node.close();
    }
}

#[test]
fn a_workspace_that_does_not_open_there_is_where_it_was() {
    for is_copied in [true, false] {
        let (outer, from, another) = places();
        let into = if is_copied { another } else { outer.path().join("same-disk") };
        fs::create_dir_all(&into).unwrap();
        let node = open(&from);
        type_into(&node, "typed, ");
        node.close();
        let wanted = picture(&from);
        let mut moving = Moving::plan(&from, &into).unwrap();
        moving.copy(&mut |_, _| true).unwrap();
        moving.finish().unwrap().back().unwrap();
        assert_eq!(picture(&from), wanted);
        assert_eq!(fs::read_dir(&into).unwrap().count(), 0);
    }
}

#[test]
fn the_files_alone_are_copied_beside_it() {
    let (outer, from, _) = places();
    open(&from).close();
    for name in ["lab (files only)", "lab (files only 2)"] {
        let made = copy_files_only(&from, outer.path(), &mut |_, _| true).unwrap();
        assert_eq!(made.file_name().unwrap(), name);
        let mut wanted = picture(&from);
        wanted.retain(|path, _| !path.starts_with(STORE_FOLDER));
        assert_eq!(picture(&made), wanted);
    }
    assert!(copy_files_only(&from, outer.path(), &mut |_, _| false).is_err());
    assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 4);
}
