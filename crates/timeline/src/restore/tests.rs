//! A stretch comes back where it was, and what others wrote around it stays.
#![allow(clippy::unwrap_used)]

use super::{past_range, present_range, restore_past_selection, restore_present_selection};
use crate::testing::{History, Random, boundaries, history, info, naive_apply, push};
use crate::{StepInfo, apply, lines_range};
use codesync_base::{Origin, Splice, utf16_len};

fn start(text: &str) -> History {
    History { timeline: crate::FileTimeline::new(text), texts: vec![text.into()], splices: Vec::new() }
}

/// Each edit ten seconds after the one before.
fn edit(history: &mut History, position: u32, deleted: u32, inserted: &str) {
    let n = history.splices.len() + 1;
    push(history, &info(n, 0, n as u64 * 10_000), Splice::new(position, deleted, inserted));
}

/// Typing, a tenth of a second between keys.
fn type_at(history: &mut History, position: u32, deleted: u32, keys: &str) {
    for (idx, key) in keys.chars().enumerate() {
        let n = history.splices.len() + 1;
        let splice = Splice::new(position + idx as u32, if idx == 0 { deleted } else { 0 }, key.to_string());
        push(history, &info(n, 0, 1_000_000 + n as u64 * 100), splice);
    }
}

fn after(history: &History, splices: &[Splice]) -> String {
    apply(history.texts.last().unwrap(), splices)
}

#[test]
fn lines_come_back_where_they_were() {
    let text = "one\ntwo\nthree\nfour\n";
    let mut history = start(text);
    edit(&mut history, 0, 0, "zero\n");
    edit(&mut history, 9, 4, ""); // without "two\n"
    edit(&mut history, 15, 4, "FOUR");
    assert_eq!(history.texts[3], "zero\none\nthree\nFOUR\n");
    let restored = restore_past_selection(&history.timeline, 0, lines_range(text, 2, 2));
    assert_eq!(after(&history, &restored), "zero\none\ntwo\nthree\nFOUR\n");
    let restored = restore_past_selection(&history.timeline, 0, lines_range(text, 2, 4));
    assert_eq!(after(&history, &restored), "zero\none\ntwo\nthree\nfour\n");
    let restored = restore_past_selection(&history.timeline, 0, 0..utf16_len(text));
    assert_eq!(after(&history, &restored), text);
}

#[test]
fn a_stretch_is_followed_past_a_restore_and_its_undo() {
    let text = "one\ntwo\nthree\nfour\n";
    let mut history = start(text);
    edit(&mut history, 0, 0, "zero\n");
    let act = |history: &mut History, origin: Origin, position: u32, deleted: u32, inserted: &str| {
        let n = history.splices.len() + 1;
        let info = StepInfo { origin, ..info(n, 0, n as u64 * 10_000) };
        push(history, &info, Splice::new(position, deleted, inserted));
    };
    act(&mut history, Origin::Restore, 2, 17, "");
    act(&mut history, Origin::Undo, 2, 0, "ro\none\ntwo\nthree\n");
    assert_eq!(history.texts[3], history.texts[1]);
    let line = lines_range(text, 2, 2);
    assert_eq!(present_range(&history.timeline, 0, line.clone()), 9..13);
    assert_eq!(past_range(&history.timeline, 0, 9..13), line);
    assert_eq!(restore_past_selection(&history.timeline, 0, line), []);
}

#[test]
fn typing_over_a_selection_is_taken_out_whole() {
    let mut history = start("let old = 1;");
    type_at(&mut history, 4, 3, "renamed");
    assert_eq!(present_range(&history.timeline, 0, 4..7), 4..11);
    assert_eq!(past_range(&history.timeline, 0, 4..11), 4..7);
    let restored = restore_past_selection(&history.timeline, 0, 4..7);
    assert_eq!(after(&history, &restored), "let old = 1;");
    let restored = restore_present_selection(&history.timeline, 0, 4..11);
    assert_eq!(after(&history, &restored), "let old = 1;");
}

#[test]
fn whole_lines_come_back_without_what_came_at_their_edges() {
    let text = "one\ntwo\nthree\n";
    let mut history = start(text);
    edit(&mut history, 4, 0, "AAA "); // before "two"
    edit(&mut history, 11, 0, " BBB"); // behind it
    edit(&mut history, 15, 0, "\nafter");
    edit(&mut history, 4, 0, "before\n");
    assert_eq!(history.texts[4], "one\nbefore\nAAA two BBB\nafter\nthree\n");
    let without_line_feed = 4..7;
    for selected in [without_line_feed, lines_range(text, 2, 2)] {
        let restored = restore_past_selection(&history.timeline, 0, selected);
        assert_eq!(after(&history, &restored), "one\nbefore\ntwo\nafter\nthree\n");
    }
    let in_the_line = restore_past_selection(&history.timeline, 0, 5..6);
    assert_eq!(in_the_line, []);
    // Lines that were joined since: the one before is not this one's edge.
    edit(&mut history, 3, 1, "");
    assert_eq!(history.texts[5], "onebefore\nAAA two BBB\nafter\nthree\n");
    let restored = restore_past_selection(&history.timeline, 4, 4..10);
    assert_eq!(after(&history, &restored), history.texts[5]);
}

#[test]
fn later_work_beside_the_stretch_stays() {
    let mut history = start("keep\ngone\n");
    edit(&mut history, 5, 5, "");
    edit(&mut history, 5, 0, "new work\n");
    let restored = restore_past_selection(&history.timeline, 0, 5..10);
    let text = after(&history, &restored);
    assert!(text.contains("gone\n") && text.contains("new work\n"), "{text:?}");
}

#[test]
fn the_present_selection_becomes_what_stood_there() {
    let mut history = start("a = 1\nb = 2\nc = 3\n");
    edit(&mut history, 4, 1, "100");
    edit(&mut history, 12, 1, "200");
    assert_eq!(history.texts[2], "a = 100\nb = 200\nc = 3\n");
    let selected = lines_range(&history.texts[2], 2, 2);
    let restored = restore_present_selection(&history.timeline, 0, selected);
    assert_eq!(after(&history, &restored), "a = 100\nb = 2\nc = 3\n");
    // Text that was not there yet leaves nothing behind.
    edit(&mut history, 8, 0, "new\n");
    let restored = restore_present_selection(&history.timeline, 0, 8..12);
    assert_eq!(after(&history, &restored), history.texts[2]);
}

#[test]
#[allow(clippy::reversed_empty_ranges)]
fn a_selection_out_of_range_or_inside_a_pair_does_no_harm() {
    let mut history = start("a🎉b\nc");
    edit(&mut history, 0, 0, "🎊");
    edit(&mut history, 3, 2, "");
    assert_eq!(history.texts[2], "🎊ab\nc");
    let restored = restore_past_selection(&history.timeline, 0, 2..3);
    assert_eq!(after(&history, &restored), "🎊a🎉b\nc");
    for range in [9..4, 99..200, 3..u32::MAX, 1..1] {
        let restored = restore_past_selection(&history.timeline, 0, range.clone());
        assert!(utf16_len(&after(&history, &restored)) >= 6);
        restore_present_selection(&history.timeline, 0, range);
    }
    let restored = restore_present_selection(&history.timeline, 0, 1..3);
    assert!(after(&history, &restored).ends_with("b\nc"));
}

#[test]
fn restoring_touches_nothing_outside_the_stretch() {
    for seed in 0..40 {
        let history = history(seed, 150);
        let mut random = Random::new(seed);
        let present = history.texts.last().unwrap();
        for _ in 0..10 {
            let n = random.below(151);
            let cuts = boundaries(&history.texts[n]);
            let from = random.below(cuts.len());
            let past = cuts[from]..cuts[from + random.below(cuts.len() - from)];
            let ends_with_line = history.texts[n].encode_utf16().nth((past.end as usize).wrapping_sub(1)) == Some(10);
            if ends_with_line {
                continue; // its line feed is followed by itself
            }
            let range = present_range(&history.timeline, n, past.clone());
            let restored = restore_past_selection(&history.timeline, n, past.clone());
            let wanted_units: Vec<u16> = history.texts[n].encode_utf16().collect();
            let stretch = String::from_utf16(&wanted_units[past.start as usize..past.end as usize]).unwrap();
            let whole = Splice::new(range.start, range.end - range.start, stretch);
            assert_eq!(after(&history, &restored), naive_apply(present, &whole), "seed {seed}");
        }
        let length = utf16_len(present);
        let restored = restore_present_selection(&history.timeline, 70, 0..length);
        assert_eq!(after(&history, &restored), history.texts[70]);
    }
}
