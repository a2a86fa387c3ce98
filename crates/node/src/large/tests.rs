//! A large file is there at once, whole soon after, and followed when it changes.

#![allow(clippy::unwrap_used)]

use super::*;
use std::io::Write;
use std::time::{Duration, Instant};

const LINE: &str = "2026-11-21 INFO worker took a request\n";

fn look(files: &LargeFiles, root: &Path, path: &str) -> LargeState {
    match files.answer(root, LargeRequest::Look { path: path.into() }).unwrap() {
        LargeReply::State(state) => state,
        other => panic!("{other:?}"),
    }
}

fn look_to_the_end(files: &LargeFiles, root: &Path, path: &str) -> LargeState {
    let start = Instant::now();
    loop {
        let state = look(files, root, path);
        if state.looked_bytes == state.size_bytes {
            return state;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "the file is never looked through");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn rows(files: &LargeFiles, root: &Path, from: u64, n: u32) -> Vec<String> {
    match files.answer(root, LargeRequest::Rows { path: "big.log".into(), from, n }).unwrap() {
        LargeReply::Rows { rows, .. } => rows.into_iter().map(|row| row.text).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_large_file_is_there_at_once_and_followed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::write(root.join("big.log"), LINE.repeat(50_000)).unwrap();
    let files = LargeFiles::default();
    assert!(look(&files, root, "big.log").n_rows > 1_000);
    assert_eq!(rows(&files, root, 0, 2), [LINE.trim_end(), LINE.trim_end()]);
    let state = look_to_the_end(&files, root, "big.log");
    assert_eq!((state.n_rows, state.n_lines, state.encoding.as_str()), (50_001, 50_001, "UTF-8"));

    let mut file = File::options().append(true).open(root.join("big.log")).unwrap();
    write!(file, "the end").unwrap();
    let grown = look_to_the_end(&files, root, "big.log");
    assert_eq!((grown.generation, rows(&files, root, 50_000, 9)), (state.generation, vec!["the end".to_owned()]));

    std::fs::write(root.join("big.log"), "another\r\nfile").unwrap();
    let other = look_to_the_end(&files, root, "big.log");
    assert!(other.generation > state.generation);
    assert_eq!((other.line_end, rows(&files, root, 0, 9)), (LineEnd::CrLf, vec!["another".into(), "file".into()]));

    std::fs::remove_file(root.join("big.log")).unwrap();
    let gone = files.answer(root, LargeRequest::Look { path: "big.log".into() }).unwrap_err();
    assert_eq!(gone.code, ErrorCode::NotFound);
}

#[test]
fn a_search_and_a_copy_name_places() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::write(root.join("big.log"), format!("{}here it is\n{}", LINE.repeat(400_000), LINE.repeat(10))).unwrap();
    let files = LargeFiles::default();
    let find = |from, backwards| {
        let (path, text) = ("big.log".into(), "HERE it".into());
        match files.answer(root, LargeRequest::Find { path, text, match_case: false, backwards, from }).unwrap() {
            LargeReply::Found(found) => found,
            other => panic!("{other:?}"),
        }
    };
    let search = |backwards| {
        let mut from = LargeFrom::Edge;
        loop {
            match find(from, backwards) {
                LargeFound::GoesOn { offset } => from = LargeFrom::Offset { offset },
                found => return found,
            }
        }
    };
    let at = |column| LargePlace { row: 400_000, column };
    assert_eq!(search(false), LargeFound::Match { from: at(0), to: at(7) });
    look_to_the_end(&files, root, "big.log");
    assert_eq!(search(true), LargeFound::Match { from: at(0), to: at(7) });
    assert_eq!(find(LargeFrom::Place { place: at(1) }, false), LargeFound::Over);
    let row = files.answer(root, LargeRequest::RowOfLine { path: "big.log".into(), line: 400_001 }).unwrap();
    assert_eq!(row, LargeReply::Row { row: 400_000 });
    let copy = |from, to| files.answer(root, LargeRequest::Text { path: "big.log".into(), from, to });
    assert_eq!(copy(at(5), at(99)).unwrap(), LargeReply::Text { text: "it is".into() });
    assert!(copy(LargePlace { row: 0, column: 0 }, at(99)).is_ok_and(|reply| reply != LargeReply::Done));
}

#[test]
fn no_path_leads_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("inside")).unwrap();
    std::fs::write(folder.path().join("secret"), "x").unwrap();
    let (root, files) = (folder.path().join("inside"), LargeFiles::default());
    let ask = |path: &str| files.answer(&root, LargeRequest::Look { path: path.into() }).unwrap_err().code;
    assert_eq!(ask("../secret"), ErrorCode::Invalid);
    assert_eq!(ask("missing"), ErrorCode::NotFound);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("../secret", root.join("link")).unwrap();
        let refused = files.answer(&root, LargeRequest::Look { path: "link".into() });
        assert!(refused.is_err());
    }
}
