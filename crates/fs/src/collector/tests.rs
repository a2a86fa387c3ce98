//! Timing of batches, with a clock in hand.
#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn path(n: usize) -> RelPath {
    RelPath::parse(&format!("f{n}")).unwrap()
}

#[test]
fn a_few_files_come_after_a_short_quiet() {
    let mut collector = Collector::default();
    assert_eq!((collector.next_ms(), collector.poll(0)), (None, None));
    collector.add(path(1), 100);
    collector.add(path(2), 130);
    assert_eq!((collector.poll(189), collector.next_ms()), (None, Some(190)));
    let batch = collector.poll(190).unwrap();
    assert_eq!((batch.paths.len(), batch.mass, batch.overflow), (2, false, false));
    assert_eq!((collector.next_ms(), collector.poll(9_999)), (None, None));
}

#[test]
fn a_file_written_without_pause_comes_every_two_seconds() {
    let mut collector = Collector::default();
    let n_batches = (0..100).filter(|n| {
        collector.add(path(1), n * 50);
        collector.poll(n * 50).is_some()
    });
    assert_eq!(n_batches.count(), 2);
}

#[test]
fn many_files_wait_until_it_is_over() {
    let mut collector = Collector::default();
    for n in 0..60 {
        collector.add(path(n), 1_000 + n as u64 * 55);
        assert_eq!(collector.poll(1_000 + n as u64 * 55), None);
    }
    let last_ms = 1_000 + 59 * 55;
    assert_eq!(collector.poll(last_ms + 399), None);
    let batch = collector.poll(last_ms + 400).unwrap();
    assert_eq!((batch.paths.len(), batch.mass), (60, true));
}

#[test]
fn twenty_files_are_few_and_one_more_is_many() {
    for (n_files, mass) in [(20, false), (21, true)] {
        let mut collector = Collector::default();
        (0..n_files).for_each(|n| collector.add(path(n), 10));
        assert_eq!(collector.poll(10_000).unwrap().mass, mass);
    }
}

#[test]
fn a_slow_formatter_becomes_a_mass_change_on_its_way() {
    let mut collector = Collector::default();
    let mut batches = Vec::new();
    for n in 0..40_usize {
        let now_ms = n as u64 * 150;
        batches.extend(collector.poll(now_ms));
        collector.add(path(n), now_ms);
    }
    batches.extend(collector.poll(60_000));
    let n_files: usize = batches.iter().map(|batch| batch.paths.len()).sum();
    assert_eq!((n_files, batches.len(), batches.last().unwrap().mass), (40, 21, true));
    // Slower than the window: each alone.
    let mut collector = Collector::default();
    for n in 0..40_usize {
        let now_ms = n as u64 * 300;
        collector.add(path(n), now_ms);
        assert!(!collector.poll(now_ms + 60).unwrap().mass);
    }
}

#[test]
fn only_a_part_of_a_mass_change_says_that_it_goes_on() {
    let mut collector = Collector::default();
    let mut parts = Vec::new();
    for n in 0..300_u64 {
        collector.add(path(n as usize), n * 50);
        parts.extend(collector.poll(n * 50).map(|batch| batch.goes_on));
    }
    parts.extend(collector.poll(300 * 50 + 400).map(|batch| batch.goes_on));
    assert_eq!(parts, [true, false]);
    collector.add(path(1), 90_000);
    assert!(!collector.poll(91_000).unwrap().goes_on);
}

#[test]
fn a_mass_change_without_end_comes_in_parts() {
    let mut collector = Collector::default();
    let mut at_ms = Vec::new();
    for n in 0..500_usize {
        let now_ms = n as u64 * 50;
        collector.add(path(n), now_ms);
        at_ms.extend(collector.poll(now_ms).map(|_| now_ms));
    }
    assert_eq!(at_ms, [10_000, 20_050]);
}

#[test]
fn git_holds_the_batch_until_its_lock_is_gone() {
    let mut collector = Collector::default();
    collector.set_index_locked(true, 1_000);
    collector.add(path(1), 1_010);
    collector.add(path(2), 1_020);
    assert_eq!(collector.poll(5_000), None);
    collector.set_index_locked(false, 5_000);
    collector.add_git_moved(5_010);
    assert_eq!(collector.poll(5_409), None);
    let batch = collector.poll(5_410).unwrap();
    assert_eq!((batch.paths.len(), batch.mass), (2, true));
}

#[test]
fn a_lock_left_behind_holds_nothing_for_ever() {
    let mut collector = Collector::default();
    collector.set_index_locked(true, 0);
    collector.add(path(1), 10);
    assert_eq!(collector.next_ms(), Some(10_010));
    assert!(collector.poll(10_010).is_some());
}

#[test]
fn git_status_beside_one_edit_is_no_mass_change() {
    let mut collector = Collector::default();
    collector.add(path(1), 1_000);
    collector.set_index_locked(true, 1_005);
    collector.set_index_locked(false, 1_008);
    assert!(!collector.poll(1_408).unwrap().mass);
    // And what git did long ago has nothing to do with an edit now.
    collector.add_git_moved(2_000);
    collector.add(path(1), 3_001);
    assert!(!collector.poll(3_061).unwrap().mass);
    collector.add(path(1), 3_900);
    collector.add_git_moved(3_910);
    assert!(collector.poll(4_310).unwrap().mass);
}

#[test]
fn lost_changes_ask_for_a_look_at_everything() {
    let mut collector = Collector::default();
    collector.add(path(1), 0);
    collector.add_overflow(10);
    assert_eq!(collector.poll(409), None);
    assert_eq!(collector.poll(410).unwrap(), Batch { mass: true, overflow: true, ..Batch::default() });
}

proptest! {
    /// Whatever comes, each path added is handed on, at the latest ten seconds after.
    #[test]
    fn no_path_is_lost(steps in proptest::collection::vec((0_usize..40, 0_u64..700, 0..6), 1..200)) {
        let mut collector = Collector::default();
        let mut now_ms = 0;
        let mut waiting: BTreeMap<RelPath, u64> = BTreeMap::new();
        for (n, pause_ms, act) in steps {
            now_ms += pause_ms;
            match act {
                0 => collector.set_index_locked(n % 2 == 0, now_ms),
                1 => collector.add_git_moved(now_ms),
                _ => {
                    collector.add(path(n), now_ms);
                    waiting.entry(path(n)).or_insert(now_ms);
                }
            }
            if let Some(batch) = collector.poll(now_ms) {
                batch.paths.iter().for_each(|path| assert!(waiting.remove(path).is_some()));
            }
            prop_assert!(waiting.values().all(|at_ms| now_ms < at_ms + 10_000 + 700));
        }
        if let Some(batch) = collector.poll(now_ms + 10_000) {
            batch.paths.iter().for_each(|path| assert!(waiting.remove(path).is_some()));
        }
        prop_assert!(waiting.is_empty());
    }
}
