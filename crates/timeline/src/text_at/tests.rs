//! Any moment equals the plain replay; the way between two moments leads from one to the other.
#![allow(clippy::unwrap_used)]

use crate::testing::{History, Random, history, info};
use crate::{Bias, FileTimeline, apply};
use codesync_base::Splice;

#[test]
fn every_moment_is_exact() {
    for seed in 0..20 {
        let History { timeline, texts, .. } = history(seed, 600);
        for (n, text) in texts.iter().enumerate() {
            assert_eq!(timeline.text_at(n).to_string(), *text, "seed {seed}, moment {n}");
        }
        assert_eq!(timeline.text_at(9_999).to_string(), *texts.last().unwrap());
    }
}

#[test]
fn splices_lead_from_any_moment_to_any_other() {
    for seed in 0..20 {
        let History { timeline, texts, .. } = history(seed, 700);
        let mut random = Random::new(seed);
        for _ in 0..60 {
            let from = random.below(texts.len());
            let near = (from + random.below(8)).saturating_sub(4).min(texts.len() - 1);
            for to in [near, random.below(texts.len())] {
                let splices = timeline.splices_between(from, to);
                assert_eq!(apply(&texts[from], &splices), texts[to], "seed {seed}, {from} to {to}");
            }
        }
        assert!(timeline.splices_between(3, 3).is_empty());
        assert!(timeline.splices_between(0, 700).len() <= 1, "far moments are one splice apart");
    }
}

#[test]
fn late_steps_rebuild_from_their_place() {
    for seed in 0..20 {
        let whole = history(seed, 560);
        for n in [0, 1, 255, 256, 257, 400, 559, 560] {
            let mut timeline = whole.timeline.clone();
            timeline.truncate(n);
            assert_eq!((timeline.n_steps(), timeline.text_at(n).to_string()), (n, whole.texts[n].clone()));
            for step in n + 1..=560 {
                timeline.push(&whole.timeline.step(step).info, &whole.splices[step - 1]);
            }
            for moment in (0..=560).step_by(7) {
                assert_eq!(timeline.text_at(moment).to_string(), whole.texts[moment], "seed {seed}, cut at {n}");
                assert_eq!(timeline.blame_at(moment), whole.timeline.blame_at(moment));
            }
        }
    }
}

#[test]
fn positions_follow_the_text() {
    let mut timeline = FileTimeline::new("hello world");
    timeline.push(&info(1, 0, 1), &Splice::new(0, 0, ">> "));
    timeline.push(&info(2, 0, 2), &Splice::new(9, 5, "moon"));
    assert_eq!(timeline.text_at(2), ">> hello moon");
    assert_eq!(timeline.map_position(6, 0, 2, Bias::Before), 9);
    assert_eq!(timeline.map_position(8, 0, 2, Bias::Before), 9, "inside what went away");
    assert_eq!(timeline.map_position(8, 0, 2, Bias::After), 13);
    assert_eq!(timeline.map_position(0, 0, 1, Bias::Before), 0);
    assert_eq!(timeline.map_position(0, 0, 1, Bias::After), 3);
    assert_eq!(timeline.map_position(13, 2, 0, Bias::After), 11);
    assert_eq!(timeline.map_position(4, 2, 0, Bias::After), 1);
}

#[test]
fn positions_out_of_range_or_inside_a_pair_do_no_harm() {
    let mut timeline = FileTimeline::new("a🎉b");
    timeline.push(&info(1, 0, 1), &Splice::new(2, 0, "x"));
    assert_eq!(timeline.text_at(1), "ax🎉b");
    timeline.push(&info(2, 0, 2), &Splice::new(3, 1, ""));
    assert_eq!(timeline.text_at(2), "axb");
    assert_eq!(timeline.deleted_text(2), "🎉");
    timeline.push(&info(3, 0, 3), &Splice::new(900, 7, "!"));
    assert_eq!(timeline.text_at(3), "axb!");
    assert_eq!(timeline.blame_at(3).iter().map(|run| run.length).sum::<u32>(), 4);
}
