//! Puts a stretch of the past back into the present, or the present's stretch back to what it was. Only
//! the edit is made here; doing it is a change like any other.

use crate::bursts::BURST_GAP_MS;
use crate::diff::edit_script;
use crate::{FileTimeline, rope};
use codesync_base::{Origin, Splice};
use ropey::Rope;
use std::ops::Range;

/// A stretch of text followed through the steps, in either direction.
///
/// What replaces a part of it belongs to it. What merely comes at its edge does not, unless it goes on
/// with the change that touched the stretch last: typing over a selection is one replacing key and then
/// keys at the edge. What came at its edges all the same is between `reach` and the stretch: whoever selects
/// whole lines means that, too, as far as it is in these lines.
struct Followed {
    start: u32,
    end: u32,
    reach: Range<u32>,
    touched_by: Option<usize>,
}

/// A step seen in the direction of the walk: `gone` units at `at` become `come` others.
struct Passed {
    n: usize,
    at: u32,
    gone: u32,
    come: u32,
}

impl Followed {
    fn new(stretch: Range<u32>) -> Self {
        Self { start: stretch.start, end: stretch.end, reach: stretch, touched_by: None }
    }

    fn pass(&mut self, timeline: &FileTimeline, step: &Passed) {
        let gone_end = step.at + step.gone;
        let is_inside = step.at < self.end && gone_end > self.start;
        let is_at_edge = step.gone == 0 && (step.at == self.start || step.at == self.end);
        if (is_inside && (step.gone > 0 || !is_at_edge)) || (is_at_edge && self.goes_on(timeline, step.n)) {
            self.touched_by = Some(step.n);
            self.start = self.start.min(step.at);
            self.end = self.end.max(gone_end) - step.gone + step.come;
        } else if gone_end <= self.start {
            self.start = self.start - step.gone + step.come;
            self.end = self.end - step.gone + step.come;
        }
        let reach = &mut self.reach;
        if step.at <= reach.end {
            reach.end = reach.end.max(gone_end) - step.gone + step.come;
        }
        if step.at < reach.start {
            reach.start = if gone_end <= reach.start { reach.start - step.gone + step.come } else { step.at };
        }
    }

    /// Where the stretch is in `text` at the end of the walk, which began with `stretch` of `origin`.
    fn arrived(&self, origin: &Rope, stretch: &Range<u32>, text: &Rope) -> Range<u32> {
        let (mut start, mut end) = (self.start, self.end);
        if stretch.start == line_start(origin, stretch.start) {
            start = line_start(text, start).max(self.reach.start).min(start);
        }
        let ends_in_line = stretch.end > line_start(origin, stretch.end);
        if ends_in_line && stretch.end == line_end(origin, stretch.end) {
            end = line_end(text, end).min(self.reach.end).max(end);
        }
        start..end
    }

    fn goes_on(&self, timeline: &FileTimeline, n: usize) -> bool {
        self.touched_by.is_some_and(|touched_by| {
            let (one, other) = (timeline.info(touched_by), timeline.info(n));
            one.group == other.group || (one.author == other.author && one.at_ms.abs_diff(other.at_ms) <= BURST_GAP_MS)
        })
    }
}

/// Where the stretch `past` of the text at moment `n` is in the present text, with all that replaced it.
pub fn present_range(timeline: &FileTimeline, n: usize, past: Range<u32>) -> Range<u32> {
    let text = timeline.text_at(n);
    let past = within(&text, &past);
    if past == whole(&text) {
        return whole(&timeline.now);
    }
    let mut followed = Followed::new(past.clone());
    let detours = detours(timeline, n);
    let mut moment = n;
    while moment < timeline.n_steps() {
        if let Some(back) = detours.iter().find(|detour| detour.start == moment) {
            moment = back.end;
            continue;
        }
        moment += 1;
        let (at, gone) = (timeline.rows.position(moment - 1), timeline.rows.deleted(moment - 1));
        let come = timeline.inserted_length(moment);
        followed.pass(timeline, &Passed { n: moment, at, gone, come });
    }
    followed.arrived(&text, &past, &timeline.now)
}

/// The stretch of the text at moment `n` that the present stretch grew from.
pub fn past_range(timeline: &FileTimeline, n: usize, present: Range<u32>) -> Range<u32> {
    let present = within(&timeline.now, &present);
    if present == whole(&timeline.now) {
        return whole(&timeline.text_at(n));
    }
    let mut followed = Followed::new(present.clone());
    let detours = detours(timeline, n);
    let mut moment = timeline.n_steps();
    while moment > n {
        if let Some(back) = detours.iter().find(|detour| detour.end == moment) {
            moment = back.start;
            continue;
        }
        let (at, come) = (timeline.rows.position(moment - 1), timeline.rows.deleted(moment - 1));
        let gone = timeline.inserted_length(moment);
        followed.pass(timeline, &Passed { n: moment, at, gone, come });
        moment -= 1;
    }
    followed.arrived(&timeline.now, &present, &timeline.text_at(n))
}

/// Restores and undos looked at for detours, newest first.
const DETOURS_MAX: usize = 1_000;

/// Moments `start..end` after `n` between which the text went away and came back the same: a restore and its
/// undo, an undo and its redo. Text that comes back is new text to every step, so a stretch cannot be followed
/// through them; but nothing happened to it either. None overlap.
fn detours(timeline: &FileTimeline, n: usize) -> Vec<Range<usize>> {
    let mut acts: Vec<Range<usize>> = Vec::new();
    for step in (n + 1..=timeline.n_steps()).rev() {
        let info = timeline.info(step);
        if !matches!(info.origin, Origin::Restore | Origin::Undo | Origin::Redo) {
            continue;
        }
        let n_acts = acts.len();
        match acts.last_mut() {
            Some(act) if act.start == step && timeline.info(act.end).group == info.group => act.start = step - 1,
            _ if n_acts == DETOURS_MAX => break,
            _ => acts.push(step - 1..step),
        }
    }
    let starts: Vec<(usize, Rope)> =
        acts.iter().map(|act| act.start).chain([n]).map(|start| (start, timeline.text_at(start))).collect();
    let mut detours: Vec<Range<usize>> = Vec::new();
    for act in &acts {
        if detours.last().is_some_and(|last| act.end > last.start) {
            continue;
        }
        let text = timeline.text_at(act.end);
        let same = starts.iter().rev().find(|(start, before)| *start < act.end && *before == text);
        detours.extend(same.map(|(start, _)| *start..act.end));
    }
    detours
}

/// The edit of the present text that puts the stretch `past` of moment `n` back where it was.
pub fn restore_past_selection(timeline: &FileTimeline, n: usize, past: Range<u32>) -> Vec<Splice> {
    let past = without_last_feed(&timeline.text_at(n), past, |feed| !present_range(timeline, n, feed).is_empty());
    let present = present_range(timeline, n, past.clone());
    replacing(timeline, n, present, past)
}

/// The edit of the present text that makes its stretch `present` what stood in its place at moment `n`.
pub fn restore_present_selection(timeline: &FileTimeline, n: usize, present: Range<u32>) -> Vec<Splice> {
    let present = without_last_feed(&timeline.now, present, |feed| !past_range(timeline, n, feed).is_empty());
    let past = past_range(timeline, n, present.clone());
    replacing(timeline, n, present, past)
}

/// Whole lines without their last line feed where the other text has that, too: lines that were begun behind
/// them by pressing Enter stand before it.
fn without_last_feed(text: &Rope, selected: Range<u32>, is_kept: impl Fn(Range<u32>) -> bool) -> Range<u32> {
    let selected = within(text, &selected);
    let feed = selected.end.saturating_sub(1)..selected.end;
    let ends_with_feed = feed.start > selected.start && feed.end == line_start(text, feed.end);
    let is_some_lines = ends_with_feed && selected != whole(text);
    if is_some_lines && is_kept(feed.clone()) { selected.start..feed.start } else { selected }
}

fn replacing(timeline: &FileTimeline, n: usize, present: Range<u32>, past: Range<u32>) -> Vec<Splice> {
    let past_text = timeline.text_at(n);
    let (present, past) = (within(&timeline.now, &present), within(&past_text, &past));
    let text = |rope: &Rope, range: &Range<u32>| rope::slice_rope(rope, range.start, range.end - range.start);
    let moved = |splice: Splice| Splice { position: splice.position + present.start, ..splice };
    let script = edit_script(&text(&timeline.now, &present), &text(&past_text, &past));
    script.into_iter().map(moved).collect()
}

/// A selection as it may come from anywhere, brought within the text and to character boundaries.
fn within(text: &Rope, range: &Range<u32>) -> Range<u32> {
    let stretch = rope::stretch(text, range.start, range.end.saturating_sub(range.start));
    stretch.start..stretch.end
}

/// Where the line with the boundary `at` begins, in UTF-16 units. Lines end with a line feed.
fn line_start(text: &Rope, at: u32) -> u32 {
    let end = text.utf16_cu_to_char(at as usize);
    let n_chars = text.chars_at(end).reversed().take_while(|character| *character != '\n').count();
    text.char_to_utf16_cu(end - n_chars) as u32
}

/// Where the line with the boundary `at` ends, before its line feed, in UTF-16 units.
fn line_end(text: &Rope, at: u32) -> u32 {
    let start = text.utf16_cu_to_char(at as usize);
    let n_chars = text.chars_at(start).take_while(|character| *character != '\n').count();
    text.char_to_utf16_cu(start + n_chars) as u32
}

fn whole(text: &Rope) -> Range<u32> {
    0..text.len_utf16_cu() as u32
}

#[cfg(test)]
mod tests;
