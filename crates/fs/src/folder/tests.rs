//! A real folder in a temporary place.
#![allow(clippy::unwrap_used)]

use super::*;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

pub(crate) fn fixture() -> (tempfile::TempDir, Folder) {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("w")).unwrap();
    let folder = Folder::open(&place.path().join("w")).unwrap();
    (place, folder)
}

fn path(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

#[test]
fn what_cannot_be_opened_is_said() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    fs::write(&file, "x").unwrap();
    let sentence = |path: &Path| Folder::open(path).unwrap_err().to_string();
    assert_eq!(
        sentence(&place.path().join("none")),
        format!("The folder “{}” isn't there.", place.path().join("none").display())
    );
    assert_eq!(sentence(&file), format!("“{}” is a file. CodeSync opens folders.", file.display()));
    assert!(matches!(Folder::open(&file.join("x")), Err(FolderError::NotAFolder(_))));
    symlink(place.path().join("loop"), place.path().join("loop")).unwrap();
    assert!(Folder::open(&place.path().join("loop")).is_err());
}

#[test]
fn permissions_of_the_root_are_heeded() {
    let (_place, folder) = fixture();
    assert!(!folder.is_read_only());
    if is_root() {
        return;
    }
    let root = folder.root().to_owned();
    fs::set_permissions(&root, fs::Permissions::from_mode(0o555)).unwrap();
    assert!(Folder::open(&root).unwrap().is_read_only());
    fs::set_permissions(&root, fs::Permissions::from_mode(0o000)).unwrap();
    assert!(matches!(Folder::open(&root), Err(FolderError::NoAccess(_))));
    fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_write_keeps_the_mode_and_leaves_nothing_behind() {
    let (_place, folder) = fixture();
    let script = path("bin/run.sh");
    let first = folder.write(&script, b"one", 0o750).unwrap();
    assert_eq!((first.mode, first.size), (0o750, 3));
    let second = folder.write(&script, b"second", 0).unwrap();
    assert_eq!((second.mode, second.size), (0o750, 6));
    assert_ne!(first.inode, second.inode);
    let file = folder.read(&script).unwrap().unwrap();
    assert_eq!((file.bytes.as_slice(), file.stamp), (&b"second"[..], second));
    assert_eq!(folder.stat(&script).unwrap(), Some(second));
    assert_eq!(names(&folder.root().join("bin")), ["run.sh"]);
    assert_eq!(folder.write(&path("plain"), b"", 0).unwrap().mode & 0o111, 0);
    assert_eq!(folder.set_mode(&script, 0o600).unwrap().mode, 0o600);
    assert!(matches!(folder.set_mode(&path("none"), 0o600), Err(FolderError::Missing(_))));
}

#[test]
fn a_reader_sees_the_old_or_the_new() {
    let (_place, folder) = fixture();
    let target = path("f");
    folder.write(&target, &[b'a'; 100_000], 0).unwrap();
    let open = fs::File::open(folder.root().join("f")).unwrap();
    folder.write(&target, &[b'b'; 100], 0).unwrap();
    let mut old = Vec::new();
    (&open).read_to_end(&mut old).unwrap();
    assert_eq!(old, [b'a'; 100_000]);
}

#[test]
fn links_are_neither_followed_nor_written_through() {
    let (place, folder) = fixture();
    let outside = place.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "secret").unwrap();
    folder.write(&path("real/inner"), b"inner", 0).unwrap();
    let root = folder.root();
    symlink(&outside, root.join("out")).unwrap();
    symlink(outside.join("secret"), root.join("secret")).unwrap();
    symlink("real", root.join("in")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    for target in ["out/secret", "secret", "in/inner", "loop", "loop/x", "out/new"] {
        let target = path(target);
        assert!(matches!(folder.read(&target), Err(FolderError::Link(_))), "{target}");
        assert!(matches!(folder.write(&target, b"x", 0), Err(FolderError::Link(_))), "{target}");
        assert!(matches!(folder.remove(&target), Err(FolderError::Link(_))), "{target}");
        assert!(matches!(folder.rename(&target, &path("stolen")), Err(FolderError::Link(_))), "{target}");
        assert!(matches!(folder.rename(&path("real/inner"), &target), Err(FolderError::Link(_))), "{target}");
    }
    assert_eq!(names(&outside), ["secret"]);
    assert_eq!(fs::read(outside.join("secret")).unwrap(), b"secret");
    assert_eq!(names(root), ["in", "loop", "out", "real", "secret"]);
    let sentence = folder.read(&path("secret")).unwrap_err().to_string();
    assert_eq!(sentence, "“secret” is a symbolic link, or lies behind one. CodeSync leaves links alone.");
}

#[test]
fn a_pipe_does_not_block() {
    let (_place, folder) = fixture();
    let made = std::process::Command::new("mkfifo").arg(folder.root().join("pipe")).status().unwrap();
    assert!(made.success());
    assert!(matches!(folder.read(&path("pipe")), Err(FolderError::Special(_))));
    assert!(matches!(folder.write(&path("pipe"), b"x", 0), Err(FolderError::Special(_))));
}

#[test]
fn things_in_the_way_are_named() {
    let (_place, folder) = fixture();
    folder.write(&path("d/f"), b"x", 0).unwrap();
    assert!(matches!(folder.write(&path("d"), b"x", 0), Err(FolderError::FolderInTheWay(_))));
    assert!(matches!(folder.read(&path("d")), Err(FolderError::FolderInTheWay(_))));
    assert!(matches!(folder.write(&path("d/f/g"), b"x", 0), Err(FolderError::FileInTheWay(_))));
    assert!(matches!(folder.create_folder(&path("d/f")), Err(FolderError::FileInTheWay(_))));
    assert!(matches!(folder.remove_folder(&path("d")), Err(FolderError::NotEmpty(_))));
    assert_eq!(folder.read(&path("d/f/g")).unwrap(), None);
    assert_eq!(folder.read(&path("no/such")).unwrap(), None);
    assert!(!folder.remove(&path("no/such")).unwrap());
}

#[test]
fn renaming_never_replaces() {
    let (_place, folder) = fixture();
    folder.write(&path("a"), b"a", 0).unwrap();
    folder.write(&path("b"), b"b", 0).unwrap();
    assert!(matches!(folder.rename(&path("a"), &path("b")), Err(FolderError::FileInTheWay(_))));
    assert!(matches!(folder.rename(&path("none"), &path("c")), Err(FolderError::Missing(_))));
    folder.rename(&path("a"), &path("x/y/a")).unwrap();
    folder.rename(&path("x"), &path("z")).unwrap();
    assert_eq!(folder.read(&path("z/y/a")).unwrap().unwrap().bytes, b"a");
    folder.rename(&path("b"), &path("B")).unwrap();
    assert_eq!(names(folder.root()), ["B", "z"]);
}

#[test]
fn empty_folders_go_up_to_one_that_is_kept() {
    let (_place, folder) = fixture();
    folder.write(&path("a/b/c/d/f"), b"x", 0).unwrap();
    assert!(folder.remove(&path("a/b/c/d/f")).unwrap());
    assert!(folder.is_empty_folder(&path("a/b/c/d")));
    let removed = folder.remove_empty_folders_up(&path("a/b/c/d/f"), &|folder| folder.as_str() == "a/b");
    assert_eq!(removed, [path("a/b/c/d"), path("a/b/c")]);
    assert!(folder.is_folder(&path("a/b")));
    folder.create_folder(&path("n/e/w")).unwrap();
    folder.create_folder(&path("n/e/w")).unwrap();
    assert!(folder.remove_folder(&path("n/e/w")).unwrap());
    assert!(!folder.remove_folder(&path("n/e/w")).unwrap());
}

#[test]
fn decomposed_names_map_and_map_back() {
    let (_place, folder) = fixture();
    fs::create_dir(folder.root().join("mu\u{308}de")).unwrap();
    fs::write(folder.root().join("mu\u{308}de/e\u{301}.txt"), "x").unwrap();
    let composed = path("müde/é.txt");
    assert_eq!(folder.read(&composed).unwrap().unwrap().bytes, b"x");
    folder.write(&composed, b"written", 0).unwrap();
    assert_eq!(names(&folder.root().join("mu\u{308}de")), ["e\u{301}.txt"]);
    folder.write(&path("müde/neu"), b"n", 0).unwrap();
    assert_eq!(names(folder.root()), ["mu\u{308}de"]);
    assert!(folder.remove(&composed).unwrap());
}

#[test]
fn long_and_odd_names() {
    let (_place, folder) = fixture();
    let long = path(&"n".repeat(255));
    folder.write(&long, b"x", 0).unwrap();
    folder.write(&long, b"y", 0).unwrap();
    assert_eq!(folder.read(&long).unwrap().unwrap().bytes, b"y");
    fs::write(folder.root().join(OsStr::from_bytes(b"bad\xff")), "x").unwrap();
    assert_eq!(folder.read(&path("good 🙂.txt")).unwrap(), None);
    folder.write(&path("good 🙂.txt"), b"x", 0).unwrap();
    assert!(folder.free_space().unwrap() > 0);
}

#[test]
fn a_writable_file_in_a_folder_that_is_not() {
    if is_root() {
        return;
    }
    let (_place, folder) = fixture();
    folder.write(&path("d/f"), b"old", 0).unwrap();
    let inner = folder.root().join("d");
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o555)).unwrap();
    let written = folder.write(&path("d/f"), b"new", 0);
    let new = folder.write(&path("d/g"), b"new", 0);
    fs::set_permissions(inner.join("f"), fs::Permissions::from_mode(0o444)).unwrap();
    let denied = folder.write(&path("d/f"), b"newer", 0);
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(written.unwrap().size, 3);
    assert_eq!(new.unwrap_err().to_string(), "“d/g” could not be written: permission denied.");
    assert!(matches!(denied, Err(FolderError::Denied { .. })));
}

#[test]
fn a_file_that_cannot_be_overwritten_keeps_what_it_had() {
    let (_place, folder) = fixture();
    let target = path("f");
    let overwrite = |fill: Fill| folder.overwrite(&folder.inner.dir, OsStr::new("f"), &target, fill, 0);
    for old in [&b"old"[..], &[b'o'; 100_000]] {
        folder.write(&target, old, 0).unwrap();
        let refused = overwrite(&|file| {
            file.write_all(b"half of what is ")?;
            Err(ErrorKind::StorageFull.into())
        });
        assert!(matches!(refused, Err(FolderError::DiskFull(_))));
        assert_eq!(folder.read(&target).unwrap().unwrap().bytes, old);
        assert_eq!(overwrite(&|file| file.write_all(b"shorter or longer")).unwrap().size, 17);
        assert_eq!(folder.read(&target).unwrap().unwrap().bytes, b"shorter or longer");
    }
}
