//! Rows are the lines of the file, in every encoding and however long; finding and copying agree with them.

#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;
use std::io::Cursor;

fn indexed(bytes: &[u8], step_bytes: u64) -> (RowIndex, Cursor<Vec<u8>>) {
    let mut file = Cursor::new(bytes.to_vec());
    let mut index = RowIndex::begin(&mut file).unwrap();
    while index.go_on(&mut file, bytes.len() as u64, step_bytes).unwrap() {}
    (index, file)
}

fn all_rows(index: &RowIndex, file: &mut Cursor<Vec<u8>>) -> Vec<Row> {
    let mut rows = Vec::new();
    loop {
        let more = index.rows(file, rows.len() as u64, 7).unwrap();
        if more.is_empty() {
            return rows;
        }
        rows.extend(more);
    }
}

/// Lines as an editor has them.
fn lines_of(text: &str) -> Vec<String> {
    text.replace("\r\n", "\n").replace('\r', "\n").split('\n').map(str::to_owned).collect()
}

fn joined(rows: &[Row]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for row in rows {
        match lines.last_mut() {
            Some(line) if !row.starts_line => line.push_str(&row.text),
            _ => lines.push(row.text.clone()),
        }
        assert_eq!(row.line, lines.len() as u64);
    }
    lines
}

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(to_bytes).collect()
}

fn in_all_encodings(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let with_mark = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    let mut all = vec![
        ("UTF-8", text.as_bytes().to_vec()),
        ("UTF-8", with_mark),
        ("UTF-16LE", utf16(text, u16::to_le_bytes)),
        ("UTF-16BE", utf16(text, u16::to_be_bytes)),
    ];
    let (bytes, _, has_unmappable) = WINDOWS_1252.encode(text);
    // What could be UTF-8 is taken for that; half a character of it at the very end is one that is being written.
    let is_told_apart = std::str::from_utf8(&bytes).is_err() && text.ends_with(|letter: char| letter.is_ascii());
    if !has_unmappable && is_told_apart {
        all.push(("windows-1252", bytes.into_owned()));
    }
    all
}

#[test]
fn rows_are_lines_in_every_encoding() {
    for text in ["", "\n", "one", "one\n", "grün\r\nblau\rrot\n\n€", "a\r", "a\r\r\n", "😀\n😀😀"] {
        for (encoding, bytes) in in_all_encodings(text) {
            let (index, mut file) = indexed(&bytes, 3);
            let rows = all_rows(&index, &mut file);
            assert_eq!(joined(&rows), lines_of(text), "{encoding} {text:?}");
            assert_eq!((index.n_rows(), index.encoding()), (rows.len() as u64, encoding), "{text:?}");
        }
    }
}

#[test]
fn a_long_line_goes_on_in_further_rows_and_no_letter_is_cut() {
    for letter in ["x", "ü", "€", "😀"] {
        for n_before in 0..5 {
            let text = format!("first\n{}{}\nlast", "y".repeat(n_before), letter.repeat(30_000));
            for (encoding, bytes) in in_all_encodings(&text) {
                let (index, mut file) = indexed(&bytes, 100_000);
                let rows = all_rows(&index, &mut file);
                assert_eq!(joined(&rows), lines_of(&text), "{encoding}");
                assert!(rows.iter().all(|row| row.text.encode_utf16().count() <= ROW_BYTES_MAX));
                let n_rows = rows.len() as u64;
                assert_eq!(index.row_of_line(&mut file, 2).unwrap(), 1);
                assert_eq!(index.row_of_line(&mut file, 3).unwrap(), n_rows - 1);
                assert_eq!(index.row_of_line(&mut file, 99).unwrap(), n_rows - 1);
            }
        }
    }
}

#[test]
fn the_index_stays_small_and_right() {
    let bytes = "\n".repeat(MARKS_MAX * 64 * 3);
    let (index, mut file) = indexed(bytes.as_bytes(), u64::MAX);
    assert!(index.marks.len() <= MARKS_MAX && index.size_bytes() < 4 << 20);
    let line = bytes.len() as u64 - 5;
    assert_eq!(index.row_of_line(&mut file, line).unwrap(), line - 1);
    assert_eq!(
        index.rows(&mut file, line - 1, 3).unwrap().iter().map(|row| row.line).collect::<Vec<_>>(),
        [line, line + 1, line + 2]
    );
}

#[test]
fn a_file_that_grew_is_gone_on_with() {
    let text = "one\r\ntwo\nthr\u{fc}\r\nfour\n\n".repeat(40);
    for n_first in 0..text.len() {
        let (mut index, mut file) = indexed(&text.as_bytes()[..n_first], 1 << 20);
        let sample = index.sample(&mut file).unwrap();
        *file.get_mut() = text.clone().into_bytes();
        // Not from between the two halves of a line end.
        let can_go_on = n_first > 0 && !text.as_bytes()[n_first - 2.min(n_first)..n_first].contains(&b'\r');
        assert_eq!(index.fits(&mut file, &sample).unwrap(), can_go_on, "{n_first}");
        if !can_go_on {
            continue;
        }
        while index.go_on(&mut file, text.len() as u64, 50).unwrap() {}
        assert_eq!(joined(&all_rows(&index, &mut file)), lines_of(&text), "{n_first}");
        assert_eq!(index.encoding(), "UTF-8");
        file.get_mut()[0] = b'x';
        assert!(!index.fits(&mut file, &sample).unwrap());
    }
}

#[test]
fn what_is_no_text_is_said() {
    assert!(!indexed(b"#!/bin/sh\n\0\x01\x02", 100).0.is_text());
    assert!(indexed(&utf16("a\nb", u16::to_le_bytes), 100).0.is_text());
    let late = ["x".repeat(SNIFFED_BYTES as usize).as_bytes(), b"\0"].concat();
    assert!(indexed(&late, 1 << 20).0.is_text());
}

#[test]
fn a_search_finds_across_rows_and_steps() {
    let text = format!("Straße {}NADEL und nadel\n{}Ünadel", "x".repeat(ROW_BYTES_MAX - 12), "z\n".repeat(20));
    for (encoding, bytes) in in_all_encodings(&text) {
        let (index, mut file) = indexed(&bytes, 1 << 20);
        let all = |needle: &str, matches_case: bool, direction: Direction| {
            let mut found = Vec::new();
            let needle = index.needle(needle, matches_case).unwrap();
            let mut at = if direction == Direction::Forward { 0 } else { bytes.len() as u64 };
            loop {
                match index.find(&mut file.clone(), &needle, at, direction).unwrap() {
                    Step::Found { from, to } => {
                        found.push(index.text(&mut file.clone(), from, to).unwrap().unwrap());
                        at = if direction == Direction::Forward { to } else { from };
                    }
                    Step::GoesOn { from } => at = from,
                    Step::Over => return found,
                }
            }
        };
        assert_eq!(all("nadel", false, Direction::Forward), ["NADEL", "nadel", "nadel"], "{encoding}");
        assert_eq!(all("nadel", true, Direction::Backward), ["nadel", "nadel"], "{encoding}");
        assert_eq!(all("ünadel", false, Direction::Backward), ["Ünadel"], "{encoding}");
        assert_eq!(all("nirgends", false, Direction::Forward), [""; 0], "{encoding}");
        let needle = index.needle("NADEL", true).unwrap();
        let Step::Found { from, .. } = index.find(&mut file, &needle, 0, Direction::Forward).unwrap() else {
            panic!("not found")
        };
        let place = index.place_of(&mut file, from).unwrap();
        assert_eq!(index.offset_of(&mut file, place).unwrap(), from, "{encoding}");
    }
    let (index, _) = indexed(b"gr\xfcn", 100);
    assert!(index.needle("中", true).is_none() && index.needle("", true).is_none());
}

#[test]
fn a_copy_is_the_text_and_bounded() {
    let (index, mut file) = indexed("ab\r\ncd\r\nef".as_bytes(), 100);
    let from = index.offset_of(&mut file, Place { row: 0, column: 1 }).unwrap();
    let to = index.offset_of(&mut file, Place { row: 2, column: 9 }).unwrap();
    assert_eq!(index.text(&mut file, from, to).unwrap().unwrap(), "b\ncd\nef");
    let (index, mut file) = indexed(&vec![b'x'; COPY_BYTES_MAX as usize + 2], u64::MAX);
    assert_eq!(index.text(&mut file, 0, COPY_BYTES_MAX + 1).unwrap(), None);
}

#[test]
fn a_file_that_became_shorter_ends_early() {
    let (index, mut file) = indexed("one\ntwo\nthree\n".repeat(100).as_bytes(), 1 << 20);
    file.get_mut().truncate(9);
    assert_eq!(index.rows(&mut file, 0, 10).unwrap().len(), 3);
    assert!(index.rows(&mut file, 200, 10).unwrap().is_empty());
}

proptest! {
    #[test]
    fn any_text_is_its_lines(text in "([a-c\u{e4}\u{20ac}\u{1f600}]{0,3}|\r|\n|\r\n){0,60}", step in 1_u64..40) {
        for (encoding, bytes) in in_all_encodings(&text) {
            let (index, mut file) = indexed(&bytes, step);
            let rows = all_rows(&index, &mut file);
            prop_assert_eq!(joined(&rows), lines_of(&text), "{}", encoding);
            for row in 0..rows.len() as u64 {
                for column in [0, 1] {
                    let offset = index.offset_of(&mut file, Place { row, column }).unwrap();
                    let place = index.place_of(&mut file, offset).unwrap();
                    prop_assert_eq!(index.offset_of(&mut file, place).unwrap(), offset);
                }
            }
        }
    }
}
