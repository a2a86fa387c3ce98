//! Runs many plans: `codesync-sim [SEEDS] [FIRST] [--until-caught]`. Says how far it is every 1,000 plans, and what fails
//! when it does. The first plan that fails is made as short as it goes and shown; with the last word only the first
//! failure is told, which is how deliberate bugs are looked for.

use codesync_sim::{Outcome, Plan, minimise, run};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

const TRIES_MAX: usize = 400;
/// Plans between two words about how far it is.
const TOLD_EVERY: u64 = 1_000;

fn main() -> ExitCode {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let n_seeds = numbers.first().copied().unwrap_or(200);
    let first = numbers.get(1).copied().unwrap_or(1);
    // What fails says so in the end, once.
    std::panic::set_hook(Box::new(|_| {}));
    if std::env::args().any(|word| word == "--until-caught") {
        return until_caught(first, n_seeds);
    }
    let next = AtomicU64::new(first);
    let all = Mutex::new((Outcome::default(), Vec::new()));
    let began = Instant::now();
    let work = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= first + n_seeds {
            return;
        }
        let result = run(&Plan::new(seed));
        let mut all = all.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match result {
            Ok(outcome) => add(&mut all.0, &outcome),
            Err(why) => {
                println!("seed {seed}: {}", why.chars().take(600).collect::<String>());
                all.1.push((seed, why));
            }
        }
        let n_done = seed - first + 1;
        if n_done.is_multiple_of(TOLD_EVERY) {
            println!("about {n_done} seeds after {} s, {} failures", began.elapsed().as_secs(), all.1.len());
        }
    };
    std::thread::scope(|scope| {
        let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
        (0..n_threads).for_each(|_| drop(scope.spawn(work)));
    });
    let (sum, mut failures) = all.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    println!(
        "{n_seeds} seeds from {first}: {} deltas, {} frames, {} crashes, {} roll-backs, {} failures",
        sum.n_deltas,
        sum.n_frames,
        sum.n_crashes,
        sum.n_roll_backs,
        failures.len()
    );
    failures.sort();
    let Some((seed, _)) = failures.first() else { return ExitCode::SUCCESS };
    let least = minimise(&Plan::new(*seed), TRIES_MAX);
    let rights = if least.has_rights { ", with rights" } else { "" };
    println!("the shortest plan found for seed {seed}, {} peers{rights}:", least.n_peers);
    least.actions.iter().for_each(|action| println!("  {action:?}"));
    println!("{:?}", run(&least).err());
    ExitCode::FAILURE
}

fn until_caught(first: u64, n_seeds: u64) -> ExitCode {
    for seed in first..first + n_seeds {
        if let Err(why) = run(&Plan::new(seed)) {
            let why: String = why.chars().take(80).collect();
            println!("caught by seed {seed}: {}", why.replace(['\n', '|'], " "));
            return ExitCode::SUCCESS;
        }
    }
    println!("not caught");
    ExitCode::SUCCESS
}

fn add(sum: &mut Outcome, outcome: &Outcome) {
    sum.n_frames += outcome.n_frames;
    sum.n_deltas += outcome.n_deltas;
    sum.n_crashes += outcome.n_crashes;
    sum.n_roll_backs += outcome.n_roll_backs;
}
