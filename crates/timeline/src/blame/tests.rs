//! Blame and survivors, against tags carried along by hand.
#![allow(clippy::unwrap_used)]

use crate::testing::{History, history};
use codesync_base::utf16_len;

/// For each unit of the text after each step: the step that brought it in.
fn naive_blame(history: &History) -> Vec<Vec<usize>> {
    let mut tags = vec![vec![0; utf16_len(&history.texts[0]) as usize]];
    for (idx, splice) in history.splices.iter().enumerate() {
        let mut next = tags[idx].clone();
        let (start, end) = (splice.position as usize, (splice.position + splice.deleted) as usize);
        next.splice(start..end, std::iter::repeat_n(idx + 1, utf16_len(&splice.inserted) as usize));
        tags.push(next);
    }
    tags
}

#[test]
fn blame_names_the_step_of_every_unit() {
    for seed in 0..12 {
        let history = history(seed, 400);
        for (n, tags) in naive_blame(&history).iter().enumerate().step_by(3) {
            let mut position = 0;
            let mut found = Vec::new();
            for run in history.timeline.blame_at(n) {
                assert_eq!(run.position, position, "without holes");
                position += run.length;
                found.extend(std::iter::repeat_n(run.step.unwrap_or(0), run.length as usize));
            }
            assert_eq!(found, *tags, "seed {seed}, moment {n}");
        }
    }
}

#[test]
fn survivors_are_where_blame_says() {
    for seed in 0..12 {
        let history = history(seed, 300);
        let tags = naive_blame(&history);
        for n in (1..=300).step_by(11) {
            for to in [n, (n + 17).min(300), 300] {
                let ranges = history.timeline.surviving(n, to);
                let found: Vec<usize> = ranges.iter().flat_map(|r| r.start as usize..r.end as usize).collect();
                let wanted: Vec<usize> = (0..tags[to].len()).filter(|position| tags[to][*position] == n).collect();
                assert_eq!(found, wanted, "seed {seed}, step {n} at {to}");
            }
        }
    }
}
