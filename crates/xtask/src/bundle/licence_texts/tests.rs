//! The list names every part and repeats no text.

#![allow(clippy::unwrap_used)]

use super::*;

fn part(folder: &Path, name: &str, licence: &str) -> Part {
    let folder = folder.join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("LICENSE-MIT"), licence).unwrap();
    fs::write(folder.join("lib.rs"), "code").unwrap();
    Part { name: name.into(), version: "1.0.0".into(), licence: "MIT".into(), folder }
}

#[test]
fn a_text_that_two_parts_share_is_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let parts: BTreeSet<Part> =
        ["one", "two"].map(|name| part(folder.path(), name, "Permission is granted.\r\n")).into();
    let list = write_list(&parts).unwrap();
    assert!(list.contains("one 1.0.0: MIT\ntwo 1.0.0: MIT\n"), "{list}");
    assert_eq!(list.matches("Permission is granted.").count(), 1);
    assert!(list.contains("\none 1.0.0, two 1.0.0\n"), "{list}");
    assert!(!list.contains("code"), "{list}");
}

#[test]
fn a_part_of_the_page_without_a_licence_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    for (name, json) in PAGE_PARTS.iter().zip([
        r#"{"version":"1","license":"MIT"}"#,
        r#"{"version":"2","license":"CC-BY-4.0","dependencies":{"marked":"1"}}"#,
        r#"{"version":"3","license":"MIT"}"#,
        r#"{"version":"4","license":"MIT"}"#,
    ]) {
        fs::create_dir_all(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("package.json"), json).unwrap();
    }
    let marked = folder.path().join("marked");
    fs::create_dir_all(&marked).unwrap();
    fs::write(marked.join("package.json"), r#"{"version":"5"}"#).unwrap();
    assert!(page_parts(folder.path()).unwrap_err().to_string().contains("marked"));
    fs::write(marked.join("package.json"), r#"{"version":"5","license":"MIT"}"#).unwrap();
    assert_eq!(page_parts(folder.path()).unwrap().len(), 5);
}

#[test]
fn lines_of_cargo_tree_are_understood() {
    assert_eq!(name_and_version("serde v1.0.2 (*)"), Some(("serde".into(), "1.0.2".into())));
    assert_eq!(name_and_version(""), None);
}
