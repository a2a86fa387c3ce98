//! Many plans, as many at a time as there are processors. CI asks for many (`CODESYNC_SIM_SEEDS`); without being asked it
//! is a few, so that every other test run stays short.

use codesync_sim::{Plan, run};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

const SEEDS: u64 = 60;

#[test]
fn all_invariants_hold_for_every_plan() {
    let n_seeds = std::env::var("CODESYNC_SIM_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SEEDS);
    let (next, failures) = (AtomicU64::new(1), Mutex::new(Vec::new()));
    let work = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed > n_seeds {
            return;
        }
        if let Err(why) = run(&Plan::new(seed)) {
            failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((seed, why));
        }
    };
    std::thread::scope(|scope| {
        let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
        (0..n_threads).for_each(|_| drop(scope.spawn(work)));
    });
    let failures = failures.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some((seed, why)) = failures.first() else { return };
    let n = failures.len();
    panic!("{n} of {n_seeds} plans fail; `cargo xtask sim --seeds 1 --seed {seed}` makes the first short: {why}");
}
