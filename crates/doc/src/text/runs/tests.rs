#![allow(clippy::unwrap_used)]
use super::*;
use crate::random::Random;

/// One entry per unit: the plain form that runs stand for.
type Plain = Vec<(Unit, bool)>;

fn plain_of(runs: &Runs) -> Plain {
    let units = |run: Run| (0..run.length).map(move |i| (run.part(i, 1).unit(), run.is_visible));
    runs.iter().flat_map(units).collect()
}

fn check(runs: &Runs, plain: &Plain, seed: u64) {
    assert_eq!(&plain_of(runs), plain, "seed {seed}");
    for (chunk, count) in runs.chunks.iter().zip(&runs.counts) {
        let mut again = Count::default();
        chunk.iter().for_each(|run| again.add(run));
        assert_eq!(again, *count, "seed {seed}");
        assert!(chunk.len() <= CHUNK_RUNS_MAX && chunk.iter().all(|run| run.length > 0), "seed {seed}");
    }
    assert!(runs.chunks.len() == 1 || runs.chunks.iter().all(|chunk| !chunk.is_empty()), "seed {seed}");
    assert_eq!(runs.len_all() as usize, plain.len(), "seed {seed}");
    assert_eq!(runs.len() as usize, plain.iter().filter(|unit| unit.1).count(), "seed {seed}");
}

/// Everything that can be asked, asked at a random place.
fn check_questions(runs: &Runs, plain: &Plain, random: &mut Random, seed: u64) {
    let visible: Vec<usize> = (0..plain.len()).filter(|i| plain[*i].1).collect();
    let (position, n) = (random.below(runs.len() + 1), random.below(20));
    let units = |run: Run| (0..run.length).map(move |i| run.part(i, 1).unit());
    let part: Vec<Unit> = runs.range(position, n).flat_map(units).collect();
    let to = (position + n).min(runs.len()) as usize;
    let expected: Vec<Unit> = visible[position as usize..to].iter().map(|i| plain[*i].0).collect();
    assert_eq!(part, expected, "seed {seed}");
    let index = visible.get(position as usize).copied().unwrap_or(plain.len());
    let left = index.checked_sub(1).map(|i| plain[i].0);
    let gap = Gap { index: index as u32, left, right: plain.get(index).map(|unit| unit.0) };
    assert_eq!(runs.gap(position), gap, "seed {seed}");
    let index = random.below(runs.len_all() + 1);
    let before = plain[..index as usize].iter().filter(|unit| unit.1).count();
    assert_eq!(runs.visible_before(index) as usize, before, "seed {seed}");
}

#[test]
fn runs_are_what_a_plain_list_of_units_is() {
    for seed in 1..40u64 {
        let mut random = Random::new(seed);
        let (mut runs, mut plain, mut clocks) = (Runs::default(), Plain::new(), [0u32; 3]);
        for step in 0..500 {
            let length = runs.len();
            if length < 5 || random.below(100) < 70 {
                let log = random.below(3) as u16;
                let run = Run { log, clock: clocks[usize::from(log)], length: 1 + random.below(6), is_visible: true };
                clocks[usize::from(log)] += run.length;
                let index = random.below(runs.len_all() + 1);
                runs.insert(index, run);
                let new = (0..run.length).map(|i| (run.part(i, 1).unit(), true));
                plain.splice(index as usize..index as usize, new);
            } else {
                let position = random.below(length);
                let n = 1 + random.below((length - position).min(if step % 50 == 0 { length } else { 9 }));
                let n = n.min(length - position);
                runs.hide(position, n);
                plain
                    .iter_mut()
                    .filter(|unit| unit.1)
                    .skip(position as usize)
                    .take(n as usize)
                    .for_each(|unit| unit.1 = false);
            }
            check_questions(&runs, &plain, &mut random, seed);
        }
        check(&runs, &plain, seed);
        runs.hide(0, runs.len());
        plain.iter_mut().for_each(|unit| unit.1 = false);
        check(&runs, &plain, seed);
        check_questions(&runs, &plain, &mut random, seed);
    }
}
