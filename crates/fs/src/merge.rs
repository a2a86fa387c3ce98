//! What changed between two texts, and how to apply it to a third that changed on its own (differential
//! synchronisation). Pure. Text that either side wrote is never lost.
//!
//! Positions are UTF-16 units. A list of splices is applied in order: each position counts in the text as the
//! splices before it left it, and positions ascend.

use codesync_base::{Splice, utf16_len};
use similar::{Algorithm, DiffTag, capture_diff_slices};
use std::ops::Range;

/// Blocks of changed lines beyond this are replaced as they are: finer differences are of no use to a reader.
const REFINED_BLOCK_BYTES_MAX: usize = 64 * 1024;

/// The edit that turns `shadow_text` into `disk_text`, as small as a line and word diff makes it.
pub fn disk_edit(shadow_text: &str, disk_text: &str) -> Vec<Splice> {
    to_splices(&diff(shadow_text, disk_text))
}

/// `splices` turn `shadow_text` into what the disk has; the answer brings the same change to
/// `document_text`, which came from `shadow_text` by other edits. What both did alike is done once; where
/// both inserted, both texts stay, the document's first; what the document inserted into text that the disk
/// deleted stays.
pub fn rebase(splices: &[Splice], shadow_text: &str, document_text: &str) -> Vec<Splice> {
    let disk = from_splices(splices);
    if shadow_text == document_text {
        return to_splices(&disk);
    }
    if apply_splices(shadow_text, splices) == document_text {
        return Vec::new();
    }
    to_splices(&transform(&disk, &diff(shadow_text, document_text)))
}

/// Applies splices in order. Positions outside the text or inside a surrogate pair are moved to the nearest
/// character before.
pub fn apply_splices(text: &str, splices: &[Splice]) -> String {
    let edits = from_splices(splices);
    let mut result = String::with_capacity(text.len());
    let mut cursor = Cursor::new(text);
    for edit in &edits {
        result.push_str(cursor.take_until(edit.range.start));
        cursor.take_until(edit.range.end);
        result.push_str(&edit.inserted);
    }
    result.push_str(cursor.rest());
    result
}

/// A replacement in coordinates of the text before all edits of its list.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Edit {
    /// UTF-16 units.
    range: Range<u32>,
    inserted: String,
}

struct Cursor<'a> {
    text: &'a str,
    byte: usize,
    unit: u32,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, byte: 0, unit: 0 }
    }

    fn take_until(&mut self, unit: u32) -> &'a str {
        let start = self.byte;
        for c in self.text[start..].chars() {
            let next = self.unit + c.len_utf16() as u32;
            if next > unit {
                break;
            }
            self.unit = next;
            self.byte += c.len_utf8();
        }
        &self.text[start..self.byte]
    }

    fn rest(&self) -> &'a str {
        &self.text[self.byte..]
    }
}

fn diff(old: &str, new: &str) -> Vec<Edit> {
    let (prefix, suffix) = common_lines(old, new);
    let old_middle = &old[prefix..old.len() - suffix];
    let new_middle = &new[prefix..new.len() - suffix];
    let mut edits = Vec::new();
    let mut unit = utf16_len(&old[..prefix]);
    if old_middle.is_empty() || new_middle.is_empty() {
        push(&mut edits, unit, old_middle, new_middle);
        return edits;
    }
    let old_lines: Vec<&str> = old_middle.split_inclusive('\n').collect();
    let new_lines: Vec<&str> = new_middle.split_inclusive('\n').collect();
    for op in capture_diff_slices(Algorithm::Histogram, &old_lines, &new_lines) {
        let old_block = old_lines[op.old_range()].concat();
        let new_block = new_lines[op.new_range()].concat();
        match op.tag() {
            DiffTag::Equal => {}
            DiffTag::Replace if old_block.len() + new_block.len() <= REFINED_BLOCK_BYTES_MAX => {
                refine(&mut edits, unit, &old_block, &new_block);
            }
            DiffTag::Replace | DiffTag::Insert | DiffTag::Delete => {
                push_trimmed(&mut edits, unit, &old_block, &new_block)
            }
        }
        unit += utf16_len(&old_block);
    }
    edits
}

/// Word by word, then without what the ends of a replaced word share.
fn refine(edits: &mut Vec<Edit>, mut unit: u32, old: &str, new: &str) {
    let old_words = words(old);
    let new_words = words(new);
    for op in capture_diff_slices(Algorithm::Myers, &old_words, &new_words) {
        let old_part = old_words[op.old_range()].concat();
        let new_part = new_words[op.new_range()].concat();
        if op.tag() != DiffTag::Equal {
            push_trimmed(edits, unit, &old_part, &new_part);
        }
        unit += utf16_len(&old_part);
    }
}

/// Runs of letters and digits, runs of blanks, and single other characters.
fn words(text: &str) -> Vec<&str> {
    let class = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 1,
        ' ' | '\t' => 2,
        _ => 0,
    };
    let mut words = Vec::new();
    let mut start = 0;
    let mut last = 0;
    for (byte, c) in text.char_indices() {
        let this = class(c);
        if byte > start && (this == 0 || this != last) {
            words.push(&text[start..byte]);
            start = byte;
        }
        last = this;
    }
    if start < text.len() {
        words.push(&text[start..]);
    }
    words
}

fn push_trimmed(edits: &mut Vec<Edit>, unit: u32, old: &str, new: &str) {
    let (prefix, suffix) = common_ends(old, new);
    let start = unit + utf16_len(&old[..prefix]);
    push(edits, start, &old[prefix..old.len() - suffix], &new[prefix..new.len() - suffix]);
}

/// Like [`common_ends`], but whole lines: a cut inside a line would make an added line look as if it began
/// at the end of the line before.
fn common_lines(a: &str, b: &str) -> (usize, usize) {
    let (prefix, suffix) = common_ends(a, b);
    let lines_before = a[..prefix].rfind('\n').map_or(0, |at| at + 1);
    let end = &a[a.len() - suffix..];
    let lines_after = end.find('\n').map_or(0, |at| end.len() - at - 1);
    (lines_before, lines_after)
}

/// Bytes of whole characters that both texts share at their start, and beyond that at their end.
fn common_ends(a: &str, b: &str) -> (usize, usize) {
    let shared = |pairs: &mut dyn Iterator<Item = (char, char)>| -> usize {
        pairs.take_while(|(x, y)| x == y).map(|(x, _)| x.len_utf8()).sum()
    };
    let prefix = shared(&mut a.chars().zip(b.chars()));
    let suffix = shared(&mut a[prefix..].chars().rev().zip(b[prefix..].chars().rev()));
    (prefix, suffix)
}

/// Adds an edit, joined to the one before when they touch.
fn push(edits: &mut Vec<Edit>, start: u32, deleted: &str, inserted: &str) {
    let range = start..start + utf16_len(deleted);
    if range.is_empty() && inserted.is_empty() {
        return;
    }
    push_edit(edits, Edit { range, inserted: inserted.to_owned() });
}

fn push_edit(edits: &mut Vec<Edit>, edit: Edit) {
    match edits.last_mut() {
        Some(last) if last.range.end == edit.range.start => {
            last.range.end = edit.range.end;
            last.inserted.push_str(&edit.inserted);
        }
        _ => edits.push(edit),
    }
}

fn to_splices(edits: &[Edit]) -> Vec<Splice> {
    let mut shift = 0_i64;
    edits
        .iter()
        .map(|edit| {
            let deleted = edit.range.end - edit.range.start;
            let position = (i64::from(edit.range.start) + shift) as u32;
            shift += i64::from(utf16_len(&edit.inserted)) - i64::from(deleted);
            Splice::new(position, deleted, edit.inserted.as_str())
        })
        .collect()
}

/// Back to coordinates of the first text. Splices that do not ascend are taken as if they touched.
fn from_splices(splices: &[Splice]) -> Vec<Edit> {
    let mut shift = 0_i64;
    let mut end = 0;
    let mut edits = Vec::with_capacity(splices.len());
    for splice in splices {
        let start = u32::try_from(i64::from(splice.position) - shift).unwrap_or(0).max(end);
        end = start.saturating_add(splice.deleted);
        shift += i64::from(utf16_len(&splice.inserted)) - i64::from(splice.deleted);
        edits.push(Edit { range: start..end, inserted: splice.inserted.to_string() });
    }
    edits
}

/// `disk` over `document`, both in coordinates of the shadow: the answer is in coordinates of the document.
fn transform(disk: &[Edit], document: &[Edit]) -> Vec<Edit> {
    let places = Places::new(document);
    let mut result = Vec::new();
    for edit in disk {
        let at = document.partition_point(|other| other.range.start < edit.range.start);
        if document[at..].iter().take(2).any(|other| other == edit) {
            continue;
        }
        let place = places.of_insertion(edit.range.start);
        if !edit.inserted.is_empty() {
            push_edit(&mut result, Edit { range: place..place, inserted: edit.inserted.clone() });
        }
        for kept in places.kept_within(&edit.range) {
            push_edit(&mut result, Edit { range: kept, inserted: String::new() });
        }
    }
    result
}

/// Where places of the shadow are in the document.
struct Places<'a> {
    document: &'a [Edit],
    /// `shifts[n]`: what the first `n` edits add to the length.
    shifts: Vec<i64>,
}

impl<'a> Places<'a> {
    fn new(document: &'a [Edit]) -> Self {
        let mut shifts = vec![0_i64];
        let mut sum = 0;
        for edit in document {
            sum += i64::from(utf16_len(&edit.inserted)) - i64::from(edit.range.end - edit.range.start);
            shifts.push(sum);
        }
        Self { document, shifts }
    }

    /// Edits of the document that end at or before this unit.
    fn n_before(&self, unit: u32) -> usize {
        self.document.partition_point(|edit| edit.range.end <= unit)
    }

    /// Behind what the document inserted at the same place, so that its text comes first.
    fn of_insertion(&self, unit: u32) -> u32 {
        let n = self.n_before(unit);
        match self.document.get(n) {
            Some(over) if over.range.start < unit => {
                (i64::from(over.range.start) + self.shifts[n]) as u32 + utf16_len(&over.inserted)
            }
            _ => (i64::from(unit) + self.shifts[n]) as u32,
        }
    }

    /// The parts of a range that the document still has, cut where it inserted.
    fn kept_within(&self, range: &Range<u32>) -> Vec<Range<u32>> {
        let mut kept = Vec::new();
        let mut at = range.start;
        let mut n = self.n_before(at);
        while at < range.end {
            let next = self.document.get(n).map_or(range.end, |edit| edit.range.start.clamp(at, range.end));
            if next > at {
                let place = |unit: u32| (i64::from(unit) + self.shifts[n]) as u32;
                kept.push(place(at)..place(next));
            }
            at = self.document.get(n).map_or(range.end, |edit| edit.range.end.max(next));
            n += 1;
        }
        kept
    }
}

#[cfg(test)]
mod tests;
