//! The order of all units gives the present text, however runs are cut and joined.
#![allow(clippy::unwrap_used)]

use super::{ALIVE, Run, Units};
use crate::testing::Random;

#[test]
fn present_units_match_a_plain_list() {
    for seed in 0..30 {
        let mut random = Random::new(seed);
        let mut units = Units::new(50);
        let mut list: Vec<u32> = (0..50).collect();
        let mut next = 50;
        for step in 1..=1_500 {
            let position = random.below(list.len() + 1);
            let deleted = if random.below(3) == 0 { random.below(40).min(list.len() - position) } else { 0 };
            let inserted = random.below(5) as u32;
            units.splice(position as u32, deleted as u32, next, inserted, step);
            list.splice(position..position + deleted, next..next + inserted);
            next += inserted;
        }
        let alive = units.runs().filter(|run| run.died == ALIVE);
        let found: Vec<u32> = alive.flat_map(|run| run.first..run.first + run.length).collect();
        assert_eq!(found, list, "seed {seed}");
        let n_all: u32 = units.runs().map(|run| run.length).sum();
        assert_eq!(n_all, next, "nothing is ever forgotten");
    }
}

#[test]
fn typing_on_stays_one_run() {
    let mut units = Units::new(10);
    for n in 0..500 {
        units.splice(5 + n, 0, 10 + n, 1, n + 1);
    }
    let runs: Vec<Run> = units.runs().collect();
    let alive = |first, length| Run { first, length, died: ALIVE };
    assert_eq!(runs, [alive(0, 5), alive(10, 500), alive(5, 5)]);
}
