//! Ignore files in real folders.
#![allow(clippy::unwrap_used)]

use super::*;
use std::fs;

fn with(files: &[(&str, &str)]) -> (tempfile::TempDir, Rules) {
    let place = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = place.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let rules = Rules::new(&Folder::open(place.path()).unwrap());
    (place, rules)
}

fn is_out(rules: &Rules, path: &str) -> bool {
    rules.is_ignored(&RelPath::parse(path).unwrap())
}

#[test]
fn git_ignore_files_nested_and_without_a_repository() {
    let (_place, rules) = with(&[
        (".gitignore", "*.log\n/build/\n# no\n\n[bad\n"),
        ("sub/.gitignore", "!keep.log\nlocal\n"),
        ("build/x", ""),
        ("sub/build/x", ""),
    ]);
    for (path, expected) in [
        ("a.log", true),
        ("sub/a.log", true),
        ("sub/keep.log", false),
        ("keep.log", true),
        ("build/x", true),
        ("sub/build/x", false),
        ("sub/local", true),
        ("sub/deep/local", true),
        ("local", false),
        (".env", false),
        (".github/workflows/ci.yml", false),
    ] {
        assert_eq!(is_out(&rules, path), expected, "{path}");
    }
}

#[test]
fn folders_that_tools_fill() {
    let (_place, rules) = with(&[
        ("node_modules/a/index.js", ""),
        ("web/node_modules/a/index.js", ""),
        ("rust/Cargo.toml", ""),
        ("rust/target/debug/x", ""),
        ("tagged/target/CACHEDIR.TAG", ""),
        ("game/target/archery.rs", ""),
        ("py/__pycache__/x.pyc", ""),
        (".venv/lib", ""),
    ]);
    for (path, expected) in [
        ("node_modules", true),
        ("web/node_modules/a/index.js", true),
        ("rust/target/debug/x", true),
        ("tagged/target/x", true),
        ("game/target/archery.rs", false),
        ("py/__pycache__/x.pyc", true),
        (".venv/lib", true),
        ("src/node_modules", false), // A file of that name, were there one.
        (".codesync-tmp-1-2", true),
    ] {
        assert_eq!(is_out(&rules, path), expected, "{path}");
    }
}

#[test]
fn own_rules_win() {
    let (_place, rules) = with(&[
        (".gitignore", "dist/\n*.gen\nsecret\n"),
        (".codesyncignore", "!dist/\n!node_modules/\nmovies/\n"),
        ("sub/.codesyncignore", "!secret\n"),
        ("dist/x", ""),
        ("node_modules/x", ""),
        ("movies/x", ""),
    ]);
    for (path, expected) in [
        ("dist/x", false),
        ("dist/x.gen", true),
        ("node_modules/x", false),
        ("movies/x", true),
        ("secret", true),
        ("sub/secret", false),
    ] {
        assert_eq!(is_out(&rules, path), expected, "{path}");
    }
}

#[test]
fn rules_of_the_repository_around_it() {
    let place = tempfile::tempdir().unwrap();
    let inner = place.path().join("repo/app");
    fs::create_dir_all(&inner).unwrap();
    fs::create_dir_all(place.path().join("repo/.git/info")).unwrap();
    fs::write(place.path().join(".gitignore"), "beyond\n").unwrap();
    fs::write(place.path().join("repo/.gitignore"), "/app/cache\n").unwrap();
    fs::write(place.path().join("repo/.git/info/exclude"), "mine\n").unwrap();
    let rules = Rules::new(&Folder::open(&inner).unwrap());
    assert!(is_out(&rules, "cache") && is_out(&rules, "mine"));
    assert!(!is_out(&rules, "beyond") && !is_out(&rules, "sub/cache"));
}

#[test]
fn changed_rules_hold_after_reload() {
    let (place, rules) = with(&[(".gitignore", "a\n")]);
    assert!(is_out(&rules, "a") && !is_out(&rules, "b"));
    fs::write(place.path().join(".gitignore"), "b\n").unwrap();
    rules.reload();
    assert!(!is_out(&rules, "a") && is_out(&rules, "b"));
}
