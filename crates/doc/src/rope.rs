//! Positions in UTF-16 units on a rope that counts characters. Never cuts a surrogate pair.

use crate::EditError;
use codesync_base::Splice;
use ropey::Rope;
use std::ops::Range;

/// Applies a replacement and gives the text that went away.
pub fn splice_rope(rope: &mut Rope, splice: &Splice) -> Result<String, EditError> {
    let chars = char_range(rope, splice.position, splice.deleted)?;
    let deleted = rope.slice(chars.clone()).to_string();
    replace_chars(rope, chars, &splice.inserted);
    Ok(deleted)
}

/// Applies a replacement whose deleted text nobody asks for.
pub(crate) fn splice_rope_silently(rope: &mut Rope, splice: &Splice) -> Result<(), EditError> {
    let chars = char_range(rope, splice.position, splice.deleted)?;
    replace_chars(rope, chars, &splice.inserted);
    Ok(())
}

pub(crate) fn len_utf16(rope: &Rope) -> u32 {
    u32::try_from(rope.len_utf16_cu()).unwrap_or(u32::MAX)
}

/// The characters from `position` on for `length` units.
pub(crate) fn char_range(rope: &Rope, position: u32, length: u32) -> Result<Range<usize>, EditError> {
    let end = position.checked_add(length).filter(|end| *end <= len_utf16(rope));
    let Some(end) = end else {
        return Err(EditError::OutOfRange { position, length, length_of_text: len_utf16(rope) });
    };
    Ok(char_at(rope, position)?..char_at(rope, end)?)
}

fn char_at(rope: &Rope, position: u32) -> Result<usize, EditError> {
    let units = position as usize;
    if rope.len_chars() == rope.len_utf16_cu() {
        return Ok(units);
    }
    let character = rope.utf16_cu_to_char(units);
    if rope.char_to_utf16_cu(character) != units {
        return Err(EditError::InsideCharacter { position });
    }
    Ok(character)
}

fn replace_chars(rope: &mut Rope, chars: Range<usize>, inserted: &str) {
    let start = chars.start;
    if !chars.is_empty() {
        rope.remove(chars);
    }
    if !inserted.is_empty() {
        rope.insert(start, inserted);
    }
}
