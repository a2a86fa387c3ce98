//! Places that two sides changed while they did not know of each other, measured on the text that both had before.

use crate::diff::changed_lines;
use std::ops::Range;

/// A place that both sides changed, as lines (from 0, the end not among them) of each of the four texts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Overlap {
    pub common: Range<usize>,
    pub ours: Range<usize>,
    pub theirs: Range<usize>,
    pub now: Range<usize>,
}

/// Lines of the old text that became lines of the new one.
type Block = (Range<usize>, Range<usize>);

/// Places that both sides changed: changed lines of the two with no whole line between them that neither changed.
pub fn overlaps(common: &str, ours: &str, theirs: &str, now: &str) -> Vec<Overlap> {
    let (by_us, by_them, by_both) =
        (changed_lines(common, ours), changed_lines(common, theirs), changed_lines(common, now));
    let tagged = |blocks: &[Block], is_ours: bool| -> Vec<(Range<usize>, bool)> {
        blocks.iter().map(|(old, _)| (old.clone(), is_ours)).collect()
    };
    let mut changes = tagged(&by_us, true);
    changes.extend(tagged(&by_them, false));
    changes.sort_by_key(|(old, _)| (old.start, old.end));
    let mut groups: Vec<(Range<usize>, [bool; 2])> = Vec::new();
    for (old, is_ours) in changes {
        match groups.last_mut() {
            Some((range, by)) if old.start <= range.end => {
                range.end = range.end.max(old.end);
                by[usize::from(is_ours)] = true;
            }
            _ => {
                let mut by = [false; 2];
                by[usize::from(is_ours)] = true;
                groups.push((old, by));
            }
        }
    }
    let of_both = groups.into_iter().filter(|(_, by)| *by == [true; 2]);
    of_both
        .map(|(common, _)| Overlap {
            ours: mapped(&by_us, &common),
            theirs: mapped(&by_them, &common),
            now: mapped(&by_both, &common),
            common,
        })
        .collect()
}

/// The lines that became of these old lines, with all that came in at their edges.
fn mapped(blocks: &[Block], old: &Range<usize>) -> Range<usize> {
    let mut mapped = old.clone();
    let mut is_met = false;
    for (from, to) in blocks {
        if from.end < old.start {
            let shift = |line: usize| line + to.end - from.end;
            mapped = shift(old.start)..shift(old.end);
        } else if from.start <= old.end {
            if !std::mem::replace(&mut is_met, true) && from.start <= old.start {
                mapped.start = to.start;
            }
            mapped.end = to.end + old.end.saturating_sub(from.end);
        }
    }
    mapped
}

#[cfg(test)]
mod tests;
