//! Replacements by UTF-16 position in a rope. Never splits a surrogate pair, never panics on a position
//! out of range: both are moved to the nearest character boundary.

use codesync_base::Splice;
use ropey::Rope;

/// A stretch of a rope in characters and in UTF-16 units, on character boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub char_start: usize,
    pub char_end: usize,
    pub start: u32,
    pub end: u32,
}

/// The stretch `position .. position + length`, widened where it would cut a surrogate pair.
pub(crate) fn stretch(rope: &Rope, position: u32, length: u32) -> Stretch {
    let n_units = rope.len_utf16_cu();
    let start = (position as usize).min(n_units);
    let end = start.saturating_add(length as usize).min(n_units);
    if n_units == rope.len_bytes() {
        return Stretch { char_start: start, char_end: end, start: start as u32, end: end as u32 };
    }
    let char_start = rope.utf16_cu_to_char(start);
    let start = rope.char_to_utf16_cu(char_start);
    if length == 0 {
        return Stretch { char_start, char_end: char_start, start: start as u32, end: start as u32 };
    }
    let mut char_end = rope.utf16_cu_to_char(end);
    if rope.char_to_utf16_cu(char_end) < end {
        char_end += 1;
    }
    let end = rope.char_to_utf16_cu(char_end);
    Stretch { char_start, char_end, start: start as u32, end: end as u32 }
}

/// Applies a replacement; gives the position and the count of units that it really took away.
pub fn splice_rope(rope: &mut Rope, splice: &Splice) -> (u32, u32) {
    replace(rope, splice.position, splice.deleted, &splice.inserted)
}

pub(crate) fn replace(rope: &mut Rope, position: u32, deleted: u32, inserted: &str) -> (u32, u32) {
    let at = stretch(rope, position, deleted);
    if at.char_end > at.char_start {
        rope.remove(at.char_start..at.char_end);
    }
    if !inserted.is_empty() {
        rope.insert(at.char_start, inserted);
    }
    (at.start, at.end - at.start)
}

/// The text of `position .. position + length`.
pub fn slice_rope(rope: &Rope, position: u32, length: u32) -> String {
    let at = stretch(rope, position, length);
    rope.slice(at.char_start..at.char_end).to_string()
}
