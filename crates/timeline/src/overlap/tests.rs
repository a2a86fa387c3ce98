//! Overlaps against texts whose lines say who changed them.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::testing::Random;

fn lines_of(text: &str, range: &Range<usize>) -> String {
    text.split_inclusive('\n').skip(range.start).take(range.len()).collect()
}

fn told(common: &str, ours: &str, theirs: &str, now: &str) -> Vec<[String; 4]> {
    overlaps(common, ours, theirs, now)
        .into_iter()
        .map(|place| {
            [(common, &place.common), (ours, &place.ours), (theirs, &place.theirs), (now, &place.now)]
                .map(|(text, range)| lines_of(text, range))
        })
        .collect()
}

#[test]
fn lines_that_both_changed_are_told_with_what_each_made_of_them() {
    let common = "a\nb\nc\nd\ne\n";
    let places = told(common, "a\nB\nc\nd\nE\n", "zero\na\nb!\nc\nd\ne\n", "zero\na\nB!\nc\nd\nE\n");
    assert_eq!(places, [["b\n", "B\n", "b!\n", "B!\n"].map(str::to_owned)]);
}

#[test]
fn changes_with_a_whole_line_between_them_do_not_meet_and_neighbours_do() {
    let common = "a\nb\nc\nd\n";
    assert_eq!(told(common, "A\nb\nc\nd\n", "a\nb\nC\nd\n", "A\nb\nC\nd\n").len(), 0);
    let places = told(common, "A\nb\nc\nd\n", "a\nB\nc\nd\n", "A\nB\nc\nd\n");
    assert_eq!(places, [["a\nb\n", "A\nb\n", "a\nB\n", "A\nB\n"].map(str::to_owned)]);
}

#[test]
fn both_may_put_lines_in_at_one_place_or_delete_the_same() {
    let places = told("a\nb\n", "a\nx\nb\n", "a\ny\nb\n", "a\nx\ny\nb\n");
    assert_eq!(places, [["", "x\n", "y\n", "x\ny\n"].map(str::to_owned)]);
    let places = told("a\nb\nc\n", "a\nc\n", "a\nc\n", "a\nc\n");
    assert_eq!(places, [["b\n", "", "", ""].map(str::to_owned)]);
}

#[test]
fn exactly_the_lines_changed_by_both_are_told() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let n = 3 + random.below(60);
        let common: Vec<String> = (0..n).map(|i| format!("line {i}\n")).collect();
        let (mut ours, mut theirs, mut now) = (common.clone(), common.clone(), common.clone());
        let mut by = vec![[false; 2]; n];
        for _ in 0..random.below(12) {
            let (i, side) = (random.below(n), random.below(2));
            by[i][side] = true;
            let text = if side == 0 { &mut ours[i] } else { &mut theirs[i] };
            *text = format!("by {side} {i}\n");
            now[i] = if by[i] == [true; 2] { format!("by both {i}\n") } else { text.clone() };
        }
        // Stretches of changed lines, those that both were at.
        let mut wanted: Vec<Range<usize>> = Vec::new();
        let mut i = 0;
        while i < n {
            let start = i;
            let mut seen = [false; 2];
            while i < n && by[i] != [false; 2] {
                (0..2).for_each(|side| seen[side] |= by[i][side]);
                i += 1;
            }
            if seen == [true; 2] {
                wanted.push(start..i);
            }
            i += 1;
        }
        let places = overlaps(&common.concat(), &ours.concat(), &theirs.concat(), &now.concat());
        let told: Vec<Range<usize>> = places.iter().map(|place| place.common.clone()).collect();
        assert_eq!(told, wanted, "seed {seed}");
        assert!(places.iter().all(|place| place.now == place.common && place.ours == place.common), "seed {seed}");
    }
}
