//! The least edit from one text to another, and differences as people read them.

use codesync_base::{Splice, utf16_len};
use ropey::Rope;
use similar::{Algorithm, DiffOp};
use std::collections::HashMap;
use std::ops::Range;

/// A replaced block longer than this (characters of both sides) is replaced as a whole: comparing costs
/// the product of the lengths at worst, and so many changed characters in a row are a rewrite anyway.
const REFINE_CHARS_MAX: usize = 6_000;
const CONTEXT_LINES: usize = 3;

/// Lines that came and went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LineCounts {
    pub added: u64,
    pub removed: u64,
}

/// Lines `old` of one text became lines `new` of the other.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Block {
    old: Range<usize>,
    new: Range<usize>,
}

/// Two texts cut into lines, each with its line end.
struct Lines<'a> {
    old: Vec<&'a str>,
    new: Vec<&'a str>,
    blocks: Vec<Block>,
}

impl<'a> Lines<'a> {
    fn compare(from: &'a str, to: &'a str) -> Self {
        let old: Vec<&str> = from.split_inclusive('\n').collect();
        let new: Vec<&str> = to.split_inclusive('\n').collect();
        // Numbers compare faster than texts; the map is only looked things up in.
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let mut number = |line: &'a str| {
            let next = numbers.len() as u32;
            *numbers.entry(line).or_insert(next)
        };
        let old_numbers: Vec<u32> = old.iter().map(|line| number(line)).collect();
        let new_numbers: Vec<u32> = new.iter().map(|line| number(line)).collect();
        let blocks = changed_blocks(&old_numbers, &new_numbers);
        Self { old, new, blocks }
    }
}

/// Lines of `from` and the lines of `to` that they became, where the two differ.
pub(crate) fn changed_lines(from: &str, to: &str) -> Vec<(Range<usize>, Range<usize>)> {
    Lines::compare(from, to).blocks.into_iter().map(|block| (block.old, block.new)).collect()
}

/// The edit that makes `from` into `to`: lines first, then characters within the lines that changed.
/// Each splice is meant for the text after those before it.
pub fn edit_script(from: &str, to: &str) -> Vec<Splice> {
    if from == to {
        return Vec::new();
    }
    let lines = Lines::compare(from, to);
    let mut splices = Vec::new();
    let mut position = 0;
    let mut next_line = 0;
    for block in &lines.blocks {
        position += lines.new[next_line..block.new.start].iter().map(|line| utf16_len(line)).sum::<u32>();
        let (old, new) = (lines.old[block.old.clone()].concat(), lines.new[block.new.clone()].concat());
        refine(position, &old, &new, &mut splices);
        position += utf16_len(&new);
        next_line = block.new.end;
    }
    splices
}

/// Applies replacements in order. Positions out of range are moved to the nearest boundary.
pub fn apply(text: &str, splices: &[Splice]) -> String {
    let mut rope = Rope::from_str(text);
    for splice in splices {
        crate::splice_rope(&mut rope, splice);
    }
    rope.to_string()
}

/// Lines added and removed between two texts.
pub fn line_counts(from: &str, to: &str) -> LineCounts {
    let count = |sum: LineCounts, block: &Block| LineCounts {
        added: sum.added + block.new.len() as u64,
        removed: sum.removed + block.old.len() as u64,
    };
    Lines::compare(from, to).blocks.iter().fold(LineCounts::default(), count)
}

/// A unified diff with three lines of context, or an empty text when nothing differs. `/dev/null` is the
/// customary name for a side that does not exist.
pub fn unified_diff(from: &str, to: &str, from_name: &str, to_name: &str) -> String {
    let lines = Lines::compare(from, to);
    let mut patch = String::new();
    if !lines.blocks.is_empty() {
        patch = format!("--- {from_name}\n+++ {to_name}\n");
    }
    let mut rest = &lines.blocks[..];
    while !rest.is_empty() {
        let near = |pair: &[Block]| pair[1].old.start - pair[0].old.end <= 2 * CONTEXT_LINES;
        let n_blocks = rest.windows(2).take_while(|pair| near(pair)).count() + 1;
        write_hunk(&mut patch, &lines, &rest[..n_blocks]);
        rest = &rest[n_blocks..];
    }
    patch
}

/// The stretch of a text that lines `first ..= last` (from 1) are, with the line end of the last one.
/// Lines beyond the end give an empty stretch there.
pub fn lines_range(text: &str, first: u32, last: u32) -> Range<u32> {
    let (mut start, mut end, mut position) = (None, None, 0);
    for (idx, line) in text.split_inclusive('\n').enumerate() {
        let number = idx as u32 + 1;
        if number == first.max(1) {
            start = Some(position);
        }
        position += utf16_len(line);
        if number == last {
            end = Some(position);
        }
    }
    let start = start.unwrap_or(position);
    start..end.unwrap_or(position).max(start)
}

/// The one replacement that makes one text into the other, or none when they are equal.
pub fn minimal_splice(from: &Rope, to: &Rope) -> Option<Splice> {
    let (n_from, n_to) = (from.len_bytes(), to.len_bytes());
    let mut n_before = n_common(End::Front, from.chunks().map(str::as_bytes), to.chunks().map(str::as_bytes));
    if n_before == n_from && n_before == n_to {
        return None;
    }
    // Texts that differ are valid UTF-8 with the same bytes up to here: both cut the same character.
    n_before = from.char_to_byte(from.byte_to_char(n_before));
    let from_back = from.chunks_at_byte(n_from).0.reversed().map(str::as_bytes);
    let to_back = to.chunks_at_byte(n_to).0.reversed().map(str::as_bytes);
    let n_shared = n_common(End::Back, from_back, to_back).min(n_from.min(n_to) - n_before);
    let mut from_end = n_from - n_shared;
    while from_end < n_from && from.char_to_byte(from.byte_to_char(from_end)) != from_end {
        from_end += 1;
    }
    let to_end = n_to - (n_from - from_end);
    let position = from.char_to_utf16_cu(from.byte_to_char(n_before));
    let deleted = from.char_to_utf16_cu(from.byte_to_char(from_end)) - position;
    let inserted = to.byte_slice(n_before..to_end).to_string();
    Some(Splice::new(position as u32, deleted as u32, inserted))
}

/// The replacement of `old` by `new` at `position` without what both begin or end with; none when equal.
pub(crate) fn trimmed(position: u32, old: &str, new: &str) -> Option<Splice> {
    if old == new {
        return None;
    }
    let same = |(a, b): &(char, char)| a == b;
    let before: usize = old.chars().zip(new.chars()).take_while(same).map(|(c, _)| c.len_utf8()).sum();
    let (old_rest, new_rest) = (&old[before..], &new[before..]);
    let behind: usize =
        old_rest.chars().rev().zip(new_rest.chars().rev()).take_while(same).map(|(c, _)| c.len_utf8()).sum();
    let deleted = utf16_len(&old_rest[..old_rest.len() - behind]);
    Some(Splice::new(position + utf16_len(&old[..before]), deleted, &new_rest[..new_rest.len() - behind]))
}

fn refine(position: u32, old: &str, new: &str, splices: &mut Vec<Splice>) {
    let old_chars: Vec<char> = old.chars().collect();
    let new_chars: Vec<char> = new.chars().collect();
    if old_chars.is_empty() || new_chars.is_empty() || old_chars.len() + new_chars.len() > REFINE_CHARS_MAX {
        splices.extend(trimmed(position, old, new));
        return;
    }
    let n_units = |chars: &[char]| chars.iter().map(|c| c.len_utf16() as u32).sum::<u32>();
    let mut position = position;
    let mut next = 0;
    for block in joined(changed_blocks(&old_chars, &new_chars)) {
        position += n_units(&new_chars[next..block.new.start]);
        let inserted: String = new_chars[block.new.clone()].iter().collect();
        splices.push(Splice::new(position, n_units(&old_chars[block.old.clone()]), inserted));
        position += n_units(&new_chars[block.new.clone()]);
        next = block.new.end;
    }
}

/// What differs, in order. Work is bounded by `similar`'s own heuristics, which look at no clock.
fn changed_blocks<T: Eq + std::hash::Hash>(old: &[T], new: &[T]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for op in similar::capture_diff_slices(Algorithm::Myers, old, new) {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        let (old, new) = (op.old_range(), op.new_range());
        match blocks.last_mut() {
            Some(last) if last.old.end == old.start && last.new.end == new.start => {
                last.old.end = old.end;
                last.new.end = new.end;
            }
            _ => blocks.push(Block { old, new }),
        }
    }
    blocks
}

/// Joins changes that share only a few letters by chance: when what stays between two changes is no
/// longer than the changes on both sides, it is part of the change.
fn joined(blocks: Vec<Block>) -> Vec<Block> {
    let mut joined: Vec<Block> = Vec::new();
    let size = |block: &Block| block.old.len().max(block.new.len());
    for block in blocks {
        match joined.last_mut() {
            Some(last) if block.old.start - last.old.end <= size(last).min(size(&block)) / 2 => {
                last.old.end = block.old.end;
                last.new.end = block.new.end;
            }
            _ => joined.push(block),
        }
    }
    joined
}

fn write_hunk(patch: &mut String, lines: &Lines<'_>, blocks: &[Block]) {
    let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else { return };
    let before = first.old.start.min(CONTEXT_LINES);
    let behind = (lines.old.len() - last.old.end).min(CONTEXT_LINES);
    let header = |start: usize, end: usize| match end - start {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        n_lines => format!("{},{n_lines}", start + 1),
    };
    let old = header(first.old.start - before, last.old.end + behind);
    let new = header(first.new.start - before, last.new.end + behind);
    patch.push_str(&format!("@@ -{old} +{new} @@\n"));
    let mut next = first.old.start - before;
    for block in blocks {
        write_lines(patch, ' ', &lines.old[next..block.old.start]);
        write_lines(patch, '-', &lines.old[block.old.clone()]);
        write_lines(patch, '+', &lines.new[block.new.clone()]);
        next = block.old.end;
    }
    write_lines(patch, ' ', &lines.old[next..next + behind]);
}

fn write_lines(patch: &mut String, sign: char, lines: &[&str]) {
    for line in lines {
        patch.push(sign);
        patch.push_str(line);
        if !line.ends_with('\n') {
            patch.push_str("\n\\ No newline at end of file\n");
        }
    }
}

/// From which end texts are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Front,
    Back,
}

impl End {
    /// The `n` bytes at this end, and the rest.
    fn cut(self, bytes: &[u8], n: usize) -> (&[u8], &[u8]) {
        match self {
            End::Front => bytes.split_at(n),
            End::Back => {
                let (rest, part) = bytes.split_at(bytes.len() - n);
                (part, rest)
            }
        }
    }

    fn n_equal(self, a: &[u8], b: &[u8]) -> usize {
        match self {
            _ if a == b => a.len(),
            End::Front => a.iter().zip(b).take_while(|(a, b)| a == b).count(),
            End::Back => a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count(),
        }
    }
}

/// Bytes that two texts given in chunks have in common before they first differ.
fn n_common<'a>(end: End, mut a: impl Iterator<Item = &'a [u8]>, mut b: impl Iterator<Item = &'a [u8]>) -> usize {
    let (mut left, mut right): (&[u8], &[u8]) = (&[], &[]);
    let mut n_found = 0;
    loop {
        if left.is_empty() {
            let Some(next) = a.next() else { return n_found };
            left = next;
        }
        if right.is_empty() {
            let Some(next) = b.next() else { return n_found };
            right = next;
        }
        let n = left.len().min(right.len());
        let ((left_part, left_rest), (right_part, right_rest)) = (end.cut(left, n), end.cut(right, n));
        let n_equal = end.n_equal(left_part, right_part);
        n_found += n_equal;
        if n_equal < n {
            return n_found;
        }
        (left, right) = (left_rest, right_rest);
    }
}

#[cfg(test)]
mod tests;
