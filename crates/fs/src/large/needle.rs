//! A text to look for, as bytes of a certain encoding. Looks in bytes, so that nothing has to be decoded that does not
//! match.

use super::is_wide;
use encoding_rs::{Encoding, UTF_16LE};

/// Each letter in the ways in which it may be written.
pub struct Needle {
    letters: Vec<Vec<Vec<u8>>>,
    /// Whether a byte can be the first.
    begins: [bool; 256],
    step: usize,
}

impl Needle {
    /// None when there is nothing to look for, or the encoding has no bytes for it. A line end in `text` finds LF only.
    pub(super) fn new(text: &str, encoding: &'static Encoding, matches_case: bool) -> Option<Self> {
        let letters: Option<Vec<_>> = text.chars().map(|letter| ways(letter, encoding, matches_case)).collect();
        let letters = letters.filter(|letters| !letters.is_empty())?;
        let mut begins = [false; 256];
        for byte in letters.first()?.iter().filter_map(|way| way.first()) {
            begins[usize::from(*byte)] = true;
        }
        Some(Self { letters, begins, step: if is_wide(encoding) { 2 } else { 1 } })
    }

    /// The longest that a match can be.
    pub fn n_bytes_max(&self) -> usize {
        self.letters.iter().map(|ways| ways.iter().map(Vec::len).max().unwrap_or(0)).sum()
    }

    /// Place and length of the first match that begins before `reach`.
    pub fn first_in(&self, bytes: &[u8], reach: usize) -> Option<(usize, usize)> {
        (0..reach.min(bytes.len())).step_by(self.step).find_map(|at| self.match_at(bytes, at))
    }

    /// Place and length of the last match that begins before `reach`.
    pub fn last_in(&self, bytes: &[u8], reach: usize) -> Option<(usize, usize)> {
        (0..reach.min(bytes.len())).step_by(self.step).rev().find_map(|at| self.match_at(bytes, at))
    }

    #[inline]
    fn match_at(&self, bytes: &[u8], at: usize) -> Option<(usize, usize)> {
        if !self.begins[usize::from(bytes[at])] {
            return None;
        }
        let mut end = at;
        for ways in &self.letters {
            end += ways.iter().find(|way| bytes[end..].starts_with(way))?.len();
        }
        Some((at, end - at))
    }
}

fn ways(letter: char, encoding: &'static Encoding, matches_case: bool) -> Option<Vec<Vec<u8>>> {
    let mut letters = vec![letter];
    if !matches_case {
        // Only what stays one letter: “ß” is not found as “SS”.
        let others = [single(letter.to_lowercase()), single(letter.to_uppercase())];
        letters.extend(others.into_iter().flatten().filter(|other| *other != letter));
        letters.dedup();
    }
    let ways: Vec<Vec<u8>> = letters.into_iter().filter_map(|letter| encoded(letter, encoding)).collect();
    (!ways.is_empty()).then_some(ways)
}

fn single(mut letters: impl Iterator<Item = char>) -> Option<char> {
    letters.next().filter(|_| letters.next().is_none())
}

fn encoded(letter: char, encoding: &'static Encoding) -> Option<Vec<u8>> {
    if is_wide(encoding) {
        let to_bytes = if encoding == UTF_16LE { u16::to_le_bytes } else { u16::to_be_bytes };
        return Some(letter.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| to_bytes(*unit)).collect());
    }
    let text = letter.to_string();
    let (bytes, _, has_unmappable) = encoding.encode(&text);
    (!has_unmappable).then(|| bytes.into_owned())
}
