//! Finding text in the files of a folder: what matches, in which files, and what a match becomes. Patterns are those of
//! `regex`, which takes time linear in the text whatever is typed. Reads only; must never write, nor know an engine.

mod globs;
mod pattern;
mod replacement;
mod walk;

pub use globs::Globs;
pub use pattern::{Match, Pattern, PatternError};
pub use replacement::Replacement;
pub use walk::walk;

use crate::encoding::{Content, read_text};
use crate::folder::{Folder, FolderError};
use codesync_base::RelPath;
use codesync_base::limits::{TEXT_FILE_BYTES_MAX, TEXT_FILE_LINES_MAX};
use std::io::Read;

/// What a file is to a search.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Searched {
    /// Line ends are LF.
    Text(String),
    /// Text or not: more of it than can be edited.
    TooLarge,
    /// No text, or not there any more.
    Nothing,
}

/// Text of a file as the workspace has it.
pub fn searched_text(folder: &Folder, path: &RelPath) -> Result<Searched, FolderError> {
    let Some((file, stamp)) = folder.open_file(path)? else { return Ok(Searched::Nothing) };
    if stamp.size > TEXT_FILE_BYTES_MAX {
        return Ok(Searched::TooLarge);
    }
    let mut bytes = Vec::with_capacity(stamp.size as usize);
    let read = file.take(TEXT_FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|source| crate::folder::failure(path, "read", source))?;
    Ok(text_of(bytes))
}

fn text_of(bytes: Vec<u8>) -> Searched {
    let is_plain = |bytes: &[u8]| !bytes.iter().any(|byte| matches!(byte, b'\0' | b'\r')) && !bytes.starts_with(BOM);
    let bytes = match String::from_utf8(bytes) {
        // Nearly every file is as it stands in memory; the rest is decoded as the workspace does it.
        Ok(text) if is_plain(text.as_bytes()) && has_few_lines(&text) => return Searched::Text(text),
        Ok(text) => text.into_bytes(),
        Err(other) => other.into_bytes(),
    };
    match read_text(&bytes) {
        Content::Text { text, .. } => Searched::Text(text),
        Content::Binary { reason: crate::WholeReason::NotText } => Searched::Nothing,
        Content::Binary { .. } => Searched::TooLarge,
    }
}

const BOM: &[u8] = "\u{feff}".as_bytes();

fn has_few_lines(text: &str) -> bool {
    (text.len() as u64) < TEXT_FILE_LINES_MAX
        || (text.bytes().filter(|byte| *byte == b'\n').count() as u64) < TEXT_FILE_LINES_MAX
}

#[cfg(test)]
mod tests;
