//! Lines of a text as an editor counts them: parted by line feeds alone, from 1.

use codesync_doc::Rope;

/// The line in which a position is.
pub(crate) fn line_at(text: &Rope, position: u32) -> u32 {
    let units = (position as usize).min(text.len_utf16_cu());
    let before = text.slice(..text.utf16_cu_to_char(units));
    1 + before.chunks().map(|chunk| count(chunk.as_bytes())).sum::<usize>() as u32
}

/// Where a line begins; the end of the text when there are not so many. UTF-16 units.
pub(crate) fn start_of(text: &Rope, line: u32) -> u32 {
    let mut n_left = line.saturating_sub(1) as usize;
    if n_left == 0 {
        return 0;
    }
    let mut n_bytes = 0;
    for chunk in text.chunks() {
        let here = count(chunk.as_bytes());
        if here >= n_left {
            let ends = chunk.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            let end = ends.map(|(at, _)| at + 1).nth(n_left - 1).unwrap_or(chunk.len());
            return text.char_to_utf16_cu(text.byte_to_char(n_bytes + end)) as u32;
        }
        n_left -= here;
        n_bytes += chunk.len();
    }
    text.len_utf16_cu() as u32
}

fn count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}
