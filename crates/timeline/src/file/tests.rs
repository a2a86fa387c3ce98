//! Steps are kept as they were given and found by key, time, burst and act.
#![allow(clippy::unwrap_used)]

use crate::testing::{History, history, info, log, naive_apply};
use crate::{AuthorSum, Direction, FileTimeline, GroupKey, StepInfo};
use codesync_base::{Origin, Splice, utf16_len};
use std::io::Read;

fn timeline(steps: &[StepInfo]) -> FileTimeline {
    let mut timeline = FileTimeline::new("");
    for step in steps {
        timeline.push(step, &Splice::new(0, 0, "ab"));
    }
    timeline
}

#[test]
fn steps_are_given_back_as_they_came() {
    let History { timeline, texts, splices } = history(3, 300);
    for n in 1..=300 {
        let step = timeline.step(n);
        let splice = &splices[n - 1];
        assert_eq!(step.info, info(n, step.info.author.0, n as u64 * 700));
        assert_eq!((step.position, step.deleted, step.inserted), (splice.position, splice.deleted, &*splice.inserted));
        let gone = timeline.deleted_text(n);
        assert_eq!(utf16_len(gone), splice.deleted);
        let back = Splice::new(splice.position, utf16_len(&splice.inserted), gone);
        assert_eq!(naive_apply(&texts[n], &back), texts[n - 1]);
    }
}

#[test]
fn steps_are_found_by_key() {
    let infos: Vec<StepInfo> = (1..=9).map(|n| info(n, 0, n as u64 * 10)).collect();
    let timeline = timeline(&infos);
    for (idx, step) in infos.iter().enumerate() {
        assert_eq!(timeline.index_after(&step.key), idx + 1);
    }
    assert_eq!(timeline.index_after(&info(4, 0, 45).key), 4, "a key between two steps");
    assert_eq!(timeline.index_after(&info(1, 0, 1).key), 0);
}

#[test]
fn steps_are_found_by_time_though_clocks_disagree() {
    let times: Vec<u64> = (0..2_000).map(|n| 1_000_000 + n * 10 - if n % 7 == 3 { 5_000 } else { 0 }).collect();
    let infos: Vec<StepInfo> =
        times.iter().enumerate().map(|(n, at)| StepInfo { at_ms: *at, ..info(n + 1, 0, 1_000_000) }).collect();
    let mut timeline = timeline(&infos);
    let naive = |at_ms: u64, n: usize| {
        let mut newest = 0;
        times[..n]
            .iter()
            .take_while(|at| {
                newest = newest.max(**at);
                newest <= at_ms
            })
            .count()
    };
    for at_ms in (990_000..1_030_000).step_by(77) {
        assert_eq!(timeline.index_at_ms(at_ms), naive(at_ms, 2_000), "{at_ms}");
    }
    timeline.truncate(700);
    for at_ms in (990_000..1_030_000).step_by(77) {
        assert_eq!(timeline.index_at_ms(at_ms), naive(at_ms, 700), "{at_ms}");
    }
}

#[test]
fn a_step_from_a_clock_gone_mad_hides_nothing() {
    let mad = StepInfo { at_ms: u64::MAX, ..info(2, 0, 2_000) };
    let timeline = timeline(&[info(1, 0, 1_000), mad, info(3, 0, 3_000)]);
    assert_eq!([999, 1_500, 2_500, 3_500].map(|at| timeline.index_at_ms(at)), [0, 1, 2, 3]);
}

#[test]
fn bursts_end_at_a_pause_another_author_or_an_act() {
    let act = |n: usize, at_ms: u64, origin: Origin, group: u32| StepInfo {
        origin,
        group: GroupKey { log: log(0), seq: group },
        ..info(n, 0, at_ms)
    };
    let timeline = timeline(&[
        info(1, 0, 1_000),
        info(2, 0, 3_000),
        info(3, 0, 5_001), // pause
        info(4, 1, 5_100), // another author
        act(5, 5_200, Origin::Restore, 5),
        act(6, 9_900, Origin::Restore, 5), // the same act, however long it took
        act(7, 9_950, Origin::Restore, 7),
        info(8, 0, 9_960),
    ]);
    let mut forward = vec![0];
    while *forward.last().unwrap() < 8 {
        forward.push(timeline.burst_boundary(*forward.last().unwrap(), Direction::Forward));
    }
    assert_eq!(forward, [0, 2, 3, 4, 6, 7, 8]);
    let mut back = vec![8];
    while *back.last().unwrap() > 0 {
        back.push(timeline.burst_boundary(*back.last().unwrap(), Direction::Back));
    }
    assert_eq!(back, [8, 7, 6, 4, 3, 2, 0]);
    assert_eq!(timeline.burst_boundary(1, Direction::Forward), 2, "from inside a burst");
    assert_eq!(timeline.burst_boundary(1, Direction::Back), 0);
    assert_eq!(timeline.burst_boundary(8, Direction::Forward), 8);
    assert_eq!(timeline.steps_of_group(&GroupKey { log: log(0), seq: 5 }), [5, 6]);
}

#[test]
fn sums_are_by_author() {
    let timeline = timeline(&[info(1, 0, 1), info(2, 1, 2), info(3, 0, 3)]);
    let sum = |author, n_steps, added| AuthorSum { author: crate::AuthorIdx(author), n_steps, added, removed: 0 };
    assert_eq!(timeline.sums(0, 3), [sum(0, 2, 4), sum(1, 1, 2)]);
    assert_eq!(timeline.sums(1, 2), [sum(1, 1, 2)]);
    assert!(timeline.sums(3, 3).is_empty());
}

/// Real typing: `CODESYNC_TRACES`, by default beside the checkout.
#[test]
fn real_typing_comes_back_exactly() {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/traces");
    let folder = std::env::var("CODESYNC_TRACES").unwrap_or_else(|_| default.into());
    let n_edits_max = if std::env::var_os("CODESYNC_SLOW_TESTS").is_some() { usize::MAX } else { 20_000 };
    for name in ["automerge-paper", "seph-blog1", "sveltecomponent", "json-crdt-patch", "json-crdt-blog-post"] {
        let path = format!("{folder}/{name}.json.gz");
        let Ok(file) = std::fs::File::open(&path) else {
            println!("skipped: no trace at {path}");
            continue;
        };
        let mut json = String::new();
        flate2::read::GzDecoder::new(file).read_to_string(&mut json).unwrap();
        check_trace(name, &serde_json::from_str(&json).unwrap(), n_edits_max);
    }
}

fn check_trace(name: &str, trace: &serde_json::Value, n_edits_max: usize) {
    let mut plain = trace["startContent"].as_str().unwrap().to_owned();
    let mut timeline = FileTimeline::new(&plain);
    let mut samples = vec![(0, plain.clone())];
    let patches = trace["txns"].as_array().unwrap().iter().flat_map(|txn| txn["patches"].as_array().unwrap());
    for (idx, patch) in patches.take(n_edits_max).enumerate() {
        let (position, deleted) = (patch[0].as_u64().unwrap() as usize, patch[1].as_u64().unwrap() as usize);
        let inserted = patch[2].as_str().unwrap();
        assert!(plain.is_ascii(), "positions of these traces count characters");
        plain.replace_range(position..position + deleted, inserted);
        timeline.push(&info(idx + 1, 0, idx as u64), &Splice::new(position as u32, deleted as u32, inserted));
        if idx % 97 == 0 {
            samples.push((idx + 1, plain.clone()));
        }
    }
    if timeline.n_steps() < n_edits_max {
        assert_eq!(plain, trace["endContent"].as_str().unwrap(), "{name}");
    }
    samples.push((timeline.n_steps(), plain));
    for (n, text) in &samples {
        assert_eq!(timeline.text_at(*n), text.as_str(), "{name} at {n}");
    }
    let length: u32 = timeline.blame_at(timeline.n_steps()).iter().map(|run| run.length).sum();
    assert_eq!(length as usize, samples.last().unwrap().1.len());
    let half = timeline.n_steps() / 2;
    let undone = crate::apply(&samples.last().unwrap().1, &timeline.revert(half + 1..=timeline.n_steps()).splices);
    assert_eq!(timeline.text_at(half), undone.as_str(), "{name}: all of the second half taken back");
}
