//! Entries stand in canonical order whatever order they come in.
#![allow(clippy::unwrap_used)]

use super::{EntryKind, FileIdx, NewEntry, WorkspaceTimeline};
use crate::GroupKey;
use crate::testing::{Random, info};

fn text(n: usize, file: u32) -> NewEntry {
    NewEntry {
        info: info(n, 0, n as u64 * 100),
        file: Some(FileIdx(file)),
        kind: EntryKind::Text,
        added: n as u32,
        removed: 1,
    }
}

fn random_entries(seed: u64, n: usize) -> Vec<NewEntry> {
    let mut random = Random::new(seed);
    let kinds =
        [EntryKind::Text, EntryKind::Text, EntryKind::Text, EntryKind::Create, EntryKind::Move, EntryKind::Moment];
    let entry = |n: usize| {
        let kind = kinds[random.below(kinds.len())];
        let file = kind.is_change().then(|| FileIdx(random.below(4) as u32));
        NewEntry { kind, file, ..text(n, 0) }
    };
    (1..=n).map(entry).collect()
}

fn assert_same(one: &WorkspaceTimeline, other: &WorkspaceTimeline) {
    assert_eq!(one.n_entries(), other.n_entries());
    for idx in 0..one.n_entries() {
        assert_eq!(one.entry(idx), other.entry(idx), "entry {idx}");
    }
}

#[test]
fn late_entries_take_their_place() {
    for seed in 0..20 {
        let entries = random_entries(seed, 120);
        let mut in_order = WorkspaceTimeline::new();
        entries.iter().for_each(|entry| {
            in_order.push(entry);
        });
        let mut random = Random::new(seed);
        let (mut one_by_one, mut in_batches) = (WorkspaceTimeline::new(), WorkspaceTimeline::new());
        let mut left = entries.clone();
        while !left.is_empty() {
            let batch: Vec<NewEntry> =
                (0..random.below(30).min(left.len() - 1) + 1).map(|_| left.remove(random.below(left.len()))).collect();
            for entry in &batch {
                let idx = one_by_one.push(entry);
                assert_eq!(one_by_one.entry(idx).info, entry.info);
            }
            let first = in_batches.insert_all(&batch).unwrap();
            let lowest = batch.iter().map(|entry| entry.info.key).min().unwrap();
            assert_eq!(in_batches.entry(first).info.key, lowest);
        }
        assert_same(&one_by_one, &in_order);
        assert_same(&in_batches, &in_order);
    }
}

#[test]
fn text_steps_are_counted_per_file() {
    let mut timeline = WorkspaceTimeline::new();
    for (n, file) in [(1, 0), (2, 1), (3, 0), (5, 0)] {
        timeline.push(&text(n, file));
    }
    let generation = timeline.generation();
    assert_eq!(timeline.push(&text(4, 0)), 3);
    assert_ne!(timeline.generation(), generation, "views made before are stale");
    let steps: Vec<u32> = (0..5).map(|idx| timeline.entry(idx).file_step).collect();
    assert_eq!(steps, [1, 1, 2, 3, 4]);
    let move_entry = NewEntry { kind: EntryKind::Move, ..text(6, 0) };
    timeline.push(&move_entry);
    assert_eq!(timeline.entry(5).file_step, 4, "how many text steps there were before");
    timeline.set_counts(3, 7, 9);
    assert_eq!((timeline.entry(3).added, timeline.entry(3).removed), (7, 9));
}

#[test]
fn entries_are_found_by_key_and_act() {
    let mut timeline = WorkspaceTimeline::new();
    let mut first = text(1, 0);
    let mut second = text(2, 1);
    let group = GroupKey { log: first.info.key.delta.log, seq: 1 };
    (first.info.group, second.info.group) = (group, group);
    timeline.push(&first);
    timeline.push(&second);
    timeline.push(&NewEntry { file: None, kind: EntryKind::Moment, ..text(3, 0) });
    assert_eq!(timeline.entries_of_group(&group), [0, 1]);
    assert_eq!(timeline.marks(), [2]);
    assert_eq!(timeline.find_key(&second.info.key), Some(1));
    assert_eq!(timeline.find_key(&text(9, 0).info.key), None);
    assert_eq!(timeline.place_of(&first.info.key), 1);
    assert_eq!(timeline.deltas().map(|(idx, key)| (idx, key.seq)).collect::<Vec<_>>(), [(0, 1), (1, 2), (2, 3)]);
    assert_eq!(timeline.insert_all(&[]), None);
}
