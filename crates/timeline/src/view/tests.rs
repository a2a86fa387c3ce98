//! What a scope shows: its moments, bars, pauses and stops.
#![allow(clippy::unwrap_used)]

use super::{Axis, Gap, View};
use crate::testing::{info, log};
use crate::{AuthorIdx, Direction, EntryKind, FileIdx, GroupKey, NewEntry, WorkspaceTimeline};
use codesync_base::Origin;

fn entry(n: usize, author: u16, at_ms: u64, file: u32) -> NewEntry {
    NewEntry { info: info(n, author, at_ms), file: Some(FileIdx(file)), kind: EntryKind::Text, added: 3, removed: 1 }
}

fn mark(n: usize, at_ms: u64) -> NewEntry {
    NewEntry { file: None, kind: EntryKind::Moment, added: 0, removed: 0, ..entry(n, 0, at_ms, 0) }
}

fn timeline(entries: &[NewEntry]) -> WorkspaceTimeline {
    let mut timeline = WorkspaceTimeline::new();
    entries.iter().for_each(|entry| {
        timeline.push(entry);
    });
    timeline
}

fn sample() -> WorkspaceTimeline {
    timeline(&[
        entry(1, 0, 1_000, 0),
        entry(2, 0, 1_500, 0),
        mark(3, 1_600),
        entry(4, 1, 2_000, 1),
        entry(5, 0, 100_000, 0),
        entry(6, 0, 100_400, 1),
    ])
}

fn stops(view: &View, timeline: &WorkspaceTimeline) -> Vec<usize> {
    let mut stops = vec![0];
    while *stops.last().unwrap() < view.n_moments() {
        stops.push(view.burst_boundary(timeline, *stops.last().unwrap(), Direction::Forward));
    }
    let mut back = vec![view.n_moments()];
    while *back.last().unwrap() > 0 {
        back.push(view.burst_boundary(timeline, *back.last().unwrap(), Direction::Back));
    }
    back.reverse();
    assert_eq!(stops, back, "the same stops both ways");
    stops
}

#[test]
fn marks_make_no_moments() {
    let timeline = sample();
    let view = timeline.view(|_| true);
    assert_eq!(view.n_moments(), 5);
    assert_eq!(
        (0..=6).map(|index| view.entry_of(index)).collect::<Vec<_>>(),
        [None, Some(0), Some(1), Some(3), Some(4), Some(5), None]
    );
    assert_eq!(view.index_of_entry(2), 2, "a mark stands at the moment before it");
    assert_eq!(view.index_after(&timeline, &mark(3, 1_600).info.key), 2);
    assert_eq!([0, 1_000, 1_999, 50_000, 200_000].map(|at| view.index_at_ms(at)), [0, 1, 2, 3, 5]);
    assert_eq!(view.authors(&timeline), [AuthorIdx(0), AuthorIdx(1)]);
    assert_eq!(view.gaps(), [Gap { index: 3, idle_ms: 98_000 }]);
    assert_eq!(stops(&view, &timeline), [0, 2, 3, 5]);
}

#[test]
fn a_scope_has_moments_of_its_own() {
    let mut timeline = sample();
    let mut view = timeline.view(|file| file.0 == 1);
    assert_eq!((view.n_moments(), view.entry_of(1), view.entry_of(2)), (2, Some(3), Some(5)));
    timeline.push(&entry(7, 0, 100_500, 0));
    timeline.push(&entry(8, 0, 100_600, 1));
    view.extend(&timeline, |file| file.0 == 1);
    assert_eq!((view.n_moments(), view.entry_of(3)), (3, Some(7)));
    assert!(!view.is_stale(&timeline));
    timeline.push(&entry(4, 0, 1_900, 1));
    assert!(view.is_stale(&timeline));
}

#[test]
fn a_mass_change_is_one_stop() {
    let act = |n: usize, at_ms: u64| {
        let mut entry = entry(n, 2, at_ms, n as u32);
        entry.info.origin = Origin::Disk;
        entry.info.group = GroupKey { log: log(2), seq: 2 };
        entry
    };
    let timeline =
        timeline(&[entry(1, 0, 1_000, 0), act(2, 1_100), act(3, 5_000), act(4, 9_000), entry(5, 0, 9_100, 0)]);
    let view = timeline.view(|_| true);
    assert_eq!(view.n_moments(), 5);
    assert_eq!(stops(&view, &timeline), [0, 1, 4, 5]);
}

#[test]
fn bars_cover_every_moment_once() {
    let timeline = sample();
    let view = timeline.view(|_| true);
    for (axis, n_buckets, n_bars) in
        [(Axis::Activity, 2, 2), (Axis::Activity, 100, 5), (Axis::Clock, 10, 10), (Axis::Clock, 1, 1)]
    {
        for (from, to) in [(0, 5), (1, 4), (0, 99)] {
            let bars = view.histogram(&timeline, axis, from, to, n_buckets);
            assert!(bars.len() <= n_bars && !bars.is_empty());
            assert_eq!(bars.first().unwrap().from, from);
            assert_eq!(bars.last().unwrap().to, to.min(5));
            assert!(bars.windows(2).all(|pair| pair[0].to == pair[1].from));
            let n_chars: u64 = bars.iter().flat_map(|bar| &bar.chars).map(|(_, n)| n).sum();
            assert_eq!(n_chars, 4 * (to.min(5) - from) as u64);
        }
    }
    let bars = view.histogram(&timeline, Axis::Clock, 0, 5, 10);
    assert_eq!(bars[0].chars, [(AuthorIdx(0), 8), (AuthorIdx(1), 4)]);
    assert!(bars[1..9].iter().all(|bar| bar.chars.is_empty()), "idle time is empty on this axis");
    assert!(view.histogram(&timeline, Axis::Clock, 5, 5, 10).is_empty());
    assert!(view.histogram(&timeline, Axis::Activity, 0, 5, 0).is_empty());
}

#[test]
fn pages_marks_and_sums() {
    let timeline = sample();
    let view = timeline.view(|_| true);
    assert_eq!((view.page(3, Direction::Back), view.page(5, Direction::Forward)), (2, 5));
    assert_eq!(view.marked(&[2, 4], 2, Direction::Forward), 4);
    assert_eq!(view.marked(&[2, 4], 2, Direction::Back), 0);
    assert_eq!(view.marked(&[2, 4], 4, Direction::Forward), 5);
    let sums = view.sums(&timeline, 0, 4);
    assert_eq!(
        sums.iter().map(|sum| (sum.author.0, sum.n_steps, sum.added)).collect::<Vec<_>>(),
        [(0, 3, 9), (1, 1, 3)]
    );
    assert_eq!(timeline.view(|_| false).time_ms(0), None);
    assert_eq!(view.time_ms(3), Some(2_000));
}
