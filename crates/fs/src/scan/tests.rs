//! Walks of real folders.
#![allow(clippy::unwrap_used)]

use super::*;
use expect_test::{Expect, expect};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

fn fixture() -> (tempfile::TempDir, Folder, Rules) {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(place.path()).unwrap();
    let rules = Rules::new(&folder);
    (place, folder, rules)
}

fn put(root: &Path, path: impl AsRef<Path>, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn check(scan: &Scan, expected: Expect) {
    let mut lines: Vec<String> = scan.files.iter().map(|(path, stamp)| format!("{path} {}", stamp.size)).collect();
    lines.extend(scan.empty_folders.iter().map(|path| format!("empty {path}")));
    lines.extend(scan.refused.iter().map(|refused| format!("refused {}: {}", refused.path, refused.sentence)));
    lines.extend(scan.leftovers.iter().map(|path| format!("leftover {path}")));
    lines.push(format!("{} ignored", scan.n_ignored));
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn what_is_taken_in_and_what_is_not() {
    let (place, folder, rules) = fixture();
    let root = place.path();
    for path in [".git/HEAD", ".git/objects/ab/cd", "sub/.git", ".hg/x", ".codesync/x", "node_modules/x/y.js", "a.log"]
    {
        put(root, path, "x");
    }
    for path in ["main.rs", "src/lib.rs", ".env", ".github/ci.yml", "src/.codesync-tmp-1-2"] {
        put(root, path, "text");
    }
    put(root, ".gitignore", "*.log\nlinks/ignored\n");
    fs::create_dir_all(root.join("empty/inner")).unwrap();
    symlink("/etc/passwd", root.join("out")).unwrap();
    symlink("src", root.join("in")).unwrap();
    symlink("..", root.join("src/loop")).unwrap();
    fs::create_dir(root.join("links")).unwrap();
    symlink("x", root.join("links/ignored")).unwrap();
    put(root, "aux.c", "x");
    put(root, "what?", "x");
    put(root, OsStr::from_bytes(b"latin\xe9.txt"), "x");
    check(
        &scan(&folder, &rules).unwrap(),
        expect![[r#"
            .env 4
            .github/ci.yml 4
            .gitignore 20
            main.rs 4
            src/lib.rs 4
            empty empty/inner
            refused aux.c: “aux.c” is left out: “aux.c” is a name that Windows keeps for itself.
            refused in: “in” is a symbolic link, or lies behind one. CodeSync leaves links alone.
            refused latin�.txt: “latin�.txt” has a name that is not valid Unicode, so it is left out.
            refused out: “out” is a symbolic link, or lies behind one. CodeSync leaves links alone.
            refused src/loop: “src/loop” is a symbolic link, or lies behind one. CodeSync leaves links alone.
            refused what?: “what?” is left out: “what?” has a character that file names cannot have everywhere.
            leftover src/.codesync-tmp-1-2
            3 ignored"#]],
    );
}

#[test]
fn names_that_compose_to_one_path_are_there_once() {
    let (place, folder, rules) = fixture();
    put(place.path(), "e\u{301}.txt", "decomposed");
    check(
        &scan(&folder, &rules).unwrap(),
        expect![[r#"
        é.txt 10
        0 ignored"#]],
    );
    put(place.path(), "é.txt", "composed");
    let found = scan(&folder, &rules).unwrap();
    assert_eq!((found.files.len(), found.refused.len()), (1, 1));
    assert!(found.refused[0].sentence.starts_with("“é.txt” is there twice"));
}

#[test]
fn deep_and_long() {
    let (place, folder, rules) = fixture();
    put(place.path(), "n".repeat(255), "x");
    put(place.path(), "d/".repeat(63) + "f", "x");
    put(place.path(), "e/".repeat(64) + "f", "x");
    let found = scan(&folder, &rules).unwrap();
    assert_eq!(found.files.len(), 2);
    assert!(found.refused[0].sentence.ends_with("The path has more than 64 folders inside each other."));
}

#[test]
fn a_part_of_the_folder() {
    let (place, folder, rules) = fixture();
    put(place.path(), ".gitignore", "/a/b/x\nout/\n");
    for path in ["a/b/x", "a/b/y", "a/b/c/z", "a/other", "out/a"] {
        put(place.path(), path, "");
    }
    let below = |path: &str| scan_below(&folder, &rules, Some(&RelPath::parse(path).unwrap())).unwrap();
    check(
        &below("a/b"),
        expect![[r#"
        a/b/c/z 0
        a/b/y 0
        1 ignored"#]],
    );
    assert_eq!(below("out"), Scan::default());
    assert_eq!(below("none"), Scan::default());
}

#[test]
fn the_explorer_sees_ignored_ones_greyed() {
    let (place, folder, rules) = fixture();
    put(place.path(), ".gitignore", "*.log\n");
    for path in [".git/HEAD", "node_modules/x", "src/x", "b.log", "a.rs", ".codesync-tmp-3-4"] {
        put(place.path(), path, "");
    }
    symlink("a.rs", place.path().join("link")).unwrap();
    let rows = list(&folder, &rules, None).unwrap();
    let rows: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.is_ignored, row.refused.is_some())).collect();
    let plain = |name| (name, false, false);
    let grey = |name| (name, true, false);
    assert_eq!(
        rows,
        [grey("node_modules"), plain("src"), plain(".gitignore"), plain("a.rs"), grey("b.log"), ("link", false, true)]
    );
    assert_eq!(list(&folder, &rules, Some(&RelPath::parse("src").unwrap())).unwrap().len(), 1);
    assert!(matches!(list(&folder, &rules, Some(&RelPath::parse("none").unwrap())), Err(FolderError::Missing(_))));
}

/// `CODESYNC_SLOW_TESTS=1 cargo test --release -p codesync-fs huge -- --nocapture` prints the time.
#[test]
fn huge_folders() {
    let (place, folder, rules) = fixture();
    let n_files = if std::env::var_os("CODESYNC_SLOW_TESTS").is_some() { 100_000 } else { 2_000 };
    put(place.path(), ".gitignore", "*.o\n/dist/\n");
    for n in 0..n_files {
        let folder = place.path().join(format!("d{}/e{}", n / 1_000, n / 100));
        if n % 100 == 0 {
            fs::create_dir_all(&folder).unwrap();
        }
        fs::write(folder.join(format!("file{n}.rs")), "x").unwrap();
    }
    let start = std::time::Instant::now();
    let found = scan(&folder, &rules).unwrap();
    println!("{n_files} files in {:?}", start.elapsed());
    assert_eq!(found.files.len(), n_files + 1);
}
