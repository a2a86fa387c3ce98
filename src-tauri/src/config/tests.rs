#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.json", &vec![1, 2]).unwrap();
    write(folder.path(), "a.json", &vec![3]).unwrap();
    assert_eq!(read::<Vec<i32>>(folder.path(), "a.json"), vec![3]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn an_unreadable_file_is_set_aside_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.json"), "{ half").unwrap();
    assert_eq!(read::<Vec<i32>>(folder.path(), "a.json"), Vec::<i32>::new());
    assert_eq!(fs::read_to_string(folder.path().join("a.json.unreadable")).unwrap(), "{ half");
}
