//! Undo: exact on a history of one, never touching others' text on a shared one.
#![allow(clippy::unwrap_used)]

use crate::testing::{History, Random, history, info, naive_apply, push};
use crate::{FileTimeline, apply};
use codesync_base::Splice;

fn present(history: &History) -> &str {
    history.texts.last().unwrap()
}

/// Takes the steps back by new steps; gives their numbers.
fn take_back(history: &mut History, steps: &[usize], author: u16) -> std::ops::RangeInclusive<usize> {
    let revert = history.timeline.revert(steps.iter().copied());
    let first = history.timeline.n_steps() + 1;
    for splice in revert.splices {
        let n = history.timeline.n_steps() + 1;
        push(history, &info(n, author, n as u64 * 700), splice);
    }
    first..=history.timeline.n_steps()
}

#[test]
fn taking_the_last_steps_back_gives_the_earlier_text_exactly() {
    for seed in 0..30 {
        let history = history(seed, 200);
        for n_back in [0, 1, 2, 3, 5, 17, 50, 200] {
            let revert = history.timeline.revert(201 - n_back..=200);
            assert_eq!(apply(present(&history), &revert.splices), history.texts[200 - n_back], "seed {seed}, {n_back}");
            assert_eq!(revert.overwritten, revert.splices.is_empty());
        }
    }
}

#[test]
fn others_text_stays() {
    for seed in 0..30 {
        let history = history(seed, 200);
        let mine = |n: usize| history.timeline.step(n).info.author.0 == 0;
        let revert = history.timeline.revert((1..=200).filter(|n| mine(*n)));
        let text = apply(present(&history), &revert.splices);
        // What others brought in and is there now is still there, in its order.
        let units: Vec<u16> = present(&history).encode_utf16().collect();
        let runs = history.timeline.blame_at(200);
        let others = runs.iter().filter(|run| run.step.is_none_or(|n| !mine(n)));
        let kept = others.flat_map(|run| &units[run.position as usize..(run.position + run.length) as usize]);
        let mut rest = text.encode_utf16();
        for unit in kept {
            assert!(rest.any(|other| other == *unit), "seed {seed}: others' text is gone");
        }
    }
}

#[test]
fn nothing_of_mine_is_left_and_what_i_deleted_is_back() {
    let mut history =
        History { timeline: FileTimeline::new("one two three"), texts: vec!["one two three".into()], splices: vec![] };
    push(&mut history, &info(1, 0, 1), Splice::new(4, 4, "")); // mine: "one three"
    push(&mut history, &info(2, 1, 2), Splice::new(0, 0, "zero ")); // theirs
    push(&mut history, &info(3, 0, 3), Splice::new(5, 0, "ABCD")); // mine
    push(&mut history, &info(4, 1, 4), Splice::new(7, 0, "-x-")); // theirs, inside mine
    assert_eq!(present(&history), "zero AB-x-CDone three");
    let revert = history.timeline.revert([1, 3].into_iter());
    assert_eq!(apply(present(&history), &revert.splices), "zero -x-one two three");
}

#[test]
fn taking_back_twice_is_as_if_nothing_happened() {
    for seed in 0..40 {
        let mut history = history(seed, 120);
        let mut random = Random::new(seed);
        let steps: Vec<usize> = (1..=120).filter(|_| random.below(3) == 0).collect();
        let before = present(&history).to_owned();
        let undo: Vec<usize> = take_back(&mut history, &steps, 0).collect();
        let redo = history.timeline.revert(undo.iter().copied());
        assert_eq!(apply(present(&history), &redo.splices), before, "seed {seed}");
    }
}

#[test]
fn an_undo_stack_goes_down_and_up_again_exactly() {
    for seed in 0..20 {
        let mut history = history(seed, 40);
        let mut undos: Vec<(usize, String)> = Vec::new();
        // Undo one act after the other: every own step from the act's first on.
        for act in (11..=40).rev() {
            let before = present(&history).to_owned();
            let own: Vec<usize> = (act..=history.timeline.n_steps()).collect();
            let first_step = *take_back(&mut history, &own, 0).start();
            assert_eq!(present(&history), history.texts[act - 1], "seed {seed}, act {act}");
            undos.push((first_step, before));
        }
        for (first_step, before) in undos.into_iter().rev() {
            let own: Vec<usize> = (first_step..=history.timeline.n_steps()).collect();
            take_back(&mut history, &own, 0);
            assert_eq!(present(&history), before, "seed {seed}");
        }
    }
}

#[test]
fn a_burst_of_typing_is_one_clean_splice() {
    let mut timeline = FileTimeline::new("ab");
    for (idx, (position, deleted, inserted)) in
        [(1, 0, "x"), (2, 0, "y"), (3, 0, "z"), (3, 1, ""), (2, 1, ""), (2, 0, "🎉")].into_iter().enumerate()
    {
        timeline.push(&info(idx + 1, 0, idx as u64), &Splice::new(position, deleted, inserted));
    }
    assert_eq!(timeline.text_at(6), "ax🎉b");
    let revert = timeline.revert(1..=6);
    assert_eq!(revert.splices, [Splice::new(1, 3, "")]);
    assert!(!revert.overwritten);
}

#[test]
fn what_others_deleted_cannot_be_taken_back() {
    let mut timeline = FileTimeline::new("");
    timeline.push(&info(1, 0, 1), &Splice::new(0, 0, "mine"));
    timeline.push(&info(2, 1, 2), &Splice::new(0, 4, "theirs"));
    let revert = timeline.revert(std::iter::once(1));
    assert!(revert.overwritten && revert.splices.is_empty());
    assert!(timeline.revert([0, 3, 99].into_iter()).overwritten, "no such steps");
    assert_eq!(naive_apply("theirs", &timeline.revert(std::iter::once(2)).splices[0]), "mine");
}
