//! When a text came and went.

use crate::FileTimeline;

/// A moment at which a text became more, or fewer, times present.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hit {
    /// The moment after the step; 0 when the file was created with the text in it.
    pub n: usize,
    /// Whether it came (or went).
    pub appeared: bool,
    /// Where it came to stand in the text at `n`, or where it had stood in the text at `n - 1`.
    pub position: u32,
}

impl FileTimeline {
    /// The first `limit` moments at which the number of occurrences (overlapping ones count) grew or
    /// shrank, oldest first.
    pub fn find(&self, text: &str, limit: usize) -> Vec<Hit> {
        let needle: Vec<u16> = text.encode_utf16().collect();
        let mut hits = Vec::new();
        if needle.is_empty() || limit == 0 {
            return hits;
        }
        let mut now = GapText::new(self.text_of(0, self.base_length()));
        if let (_, Some(position)) = now.occurrences(0, self.base_length() as usize, &needle) {
            hits.push(Hit { n: 0, appeared: true, position });
        }
        let reach = needle.len() - 1;
        for idx in 0..self.rows.len() {
            if hits.len() >= limit {
                break;
            }
            let inserted = self.inserted(idx + 1);
            let inserted_length = self.inserted_length(idx + 1) as usize;
            let (start, deleted) = (self.rows.position(idx) as usize, self.rows.deleted(idx) as usize);
            let from = start.saturating_sub(reach);
            let (n_before, old) = now.occurrences(from, start + deleted + reach, &needle);
            now.splice(start, deleted, inserted);
            let (n_after, new) = now.occurrences(from, start + inserted_length + reach, &needle);
            let position = if n_after > n_before { new } else { old };
            if let Some(position) = position.filter(|_| n_after != n_before) {
                hits.push(Hit { n: idx + 1, appeared: n_after > n_before, position });
            }
        }
        hits
    }
}

/// UTF-16 text with a gap where the last edit was, so that edits near each other cost little.
struct GapText {
    units: Vec<u16>,
    gap_start: usize,
    gap_end: usize,
}

impl GapText {
    fn new(text: &str) -> Self {
        let units: Vec<u16> = text.encode_utf16().collect();
        let end = units.len();
        Self { units, gap_start: end, gap_end: end }
    }

    fn len(&self) -> usize {
        self.units.len() - (self.gap_end - self.gap_start)
    }

    fn get(&self, position: usize) -> u16 {
        if position < self.gap_start {
            self.units[position]
        } else {
            self.units[position + self.gap_end - self.gap_start]
        }
    }

    fn splice(&mut self, position: usize, deleted: usize, inserted: &str) {
        self.move_gap(position);
        self.gap_end += deleted;
        for unit in inserted.encode_utf16() {
            if self.gap_start == self.gap_end {
                self.widen();
            }
            self.units[self.gap_start] = unit;
            self.gap_start += 1;
        }
    }

    fn move_gap(&mut self, position: usize) {
        let gap = self.gap_end - self.gap_start;
        if position < self.gap_start {
            self.units.copy_within(position..self.gap_start, position + gap);
        } else {
            self.units.copy_within(self.gap_end..position + gap, self.gap_start);
        }
        self.gap_start = position;
        self.gap_end = position + gap;
    }

    fn widen(&mut self) {
        let more = self.units.len().max(1_024);
        let behind = self.units.len() - self.gap_end;
        self.units.resize(self.units.len() + more, 0);
        self.units.copy_within(self.gap_end..self.gap_end + behind, self.gap_end + more);
        self.gap_end += more;
    }

    /// How often the needle stands within `start .. end`, and where first.
    fn occurrences(&self, start: usize, end: usize, needle: &[u16]) -> (usize, Option<u32>) {
        let end = end.min(self.len());
        let mut n_found = 0;
        let mut first = None;
        for position in start..(end + 1).saturating_sub(needle.len()) {
            if (0..needle.len()).all(|offset| self.get(position + offset) == needle[offset]) {
                n_found += 1;
                first.get_or_insert(position as u32);
            }
        }
        (n_found, first)
    }
}

#[cfg(test)]
mod tests;
