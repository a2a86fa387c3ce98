//! Pieces together are the file, and no path leads out.

#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn pieces_together_are_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let whole: Vec<u8> = (0..PIECE_BYTES * 2 + 7).map(|n| n.to_le_bytes()[0]).collect();
    std::fs::write(folder.path().join("big.log"), &whole).unwrap();
    let mut read_bytes = Vec::new();
    loop {
        let piece = read(folder.path(), "big.log", read_bytes.len() as u64).unwrap();
        if piece.is_empty() {
            break;
        }
        read_bytes.extend(piece);
    }
    assert!(read_bytes == whole);
}

#[test]
fn no_path_leads_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("inside")).unwrap();
    std::fs::write(folder.path().join("secret"), "x").unwrap();
    let root = folder.path().join("inside");
    assert_eq!(read(&root, "../secret", 0).unwrap_err().code, ErrorCode::Invalid);
    assert_eq!(read(&root, "missing", 0).unwrap_err().code, ErrorCode::Io);
}
