//! Every door that untrusted bytes come through, tried with bytes that nobody meant well: golden bytes, changed at random
//! and where it hurts. A door must not panic, not hang, and not keep or need much memory. Never touches a file, a socket
//! or a clock beside the one that bounds it.

mod change;
mod doors;

pub use change::change;
use codesync_sim::Random;
pub use doors::{DOORS, Door};

use peak_alloc::PeakAlloc;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What one input may need beyond what was there.
pub const EXTRA_BYTES_MAX: usize = 16 << 20;
/// How long one input may take: far more than any does, also on a machine that does other things.
pub const INPUT_TIME_MAX: Duration = Duration::from_secs(5);
/// A process that is in one input for so long hangs.
const HANG: Duration = Duration::from_secs(20);

/// What became of one door.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub n_inputs: u64,
    /// Inputs that the door took for good.
    pub n_taken: u64,
    pub most_bytes: usize,
    pub longest: Duration,
}

/// Tries a door until the time is over.
///
/// # Errors
/// The first input that broke a rule, as hexadecimal, with the rule.
pub fn try_door(door: &Door, seed: u64, time: Duration) -> Result<Tally, String> {
    let mut opened = (door.open)();
    let seeds = (door.corpus)();
    let (mut random, mut tally) = (Random(seed), Tally::default());
    let began = Instant::now();
    let watch = Watch::new(door.name);
    while began.elapsed() < time {
        // What a door keeps is bounded by how long it is open, and that is not what is tried here.
        if tally.n_inputs % door.inputs_per_opening == door.inputs_per_opening - 1 {
            opened = (door.open)();
        }
        let input = change(&seeds, &mut random);
        let before_bytes = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        watch.enter();
        let start = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| opened(&input)));
        let took = start.elapsed();
        watch.leave();
        let most_bytes = ALLOCATOR.peak_usage().saturating_sub(before_bytes);
        let broken = match outcome {
            Err(panic) => Some(format!("it panics: {}", words_of(panic.as_ref()))),
            Ok(Err(why)) => Some(why),
            Ok(Ok(_)) if most_bytes > EXTRA_BYTES_MAX => Some(format!("it needs {most_bytes} bytes")),
            Ok(Ok(_)) if took > INPUT_TIME_MAX => Some(format!("it takes {took:?}")),
            Ok(Ok(is_taken)) => {
                tally.n_taken += u64::from(is_taken);
                None
            }
        };
        tally.n_inputs += 1;
        tally.most_bytes = tally.most_bytes.max(most_bytes);
        tally.longest = tally.longest.max(took);
        if let Some(why) = broken {
            let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
            return Err(format!("door {}, seed {seed}, input {}: {why}\n{hex}", door.name, tally.n_inputs));
        }
    }
    Ok(tally)
}

/// The words of a panic.
fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// Ends the process when one input never ends.
struct Watch(Arc<AtomicU64>);

impl Watch {
    fn new(name: &'static str) -> Self {
        // Even: nothing is tried.
        let turns = Arc::new(AtomicU64::new(0));
        let weak = Arc::downgrade(&turns);
        std::thread::spawn(move || {
            let mut seen = 0;
            loop {
                std::thread::sleep(HANG);
                let Some(turns) = weak.upgrade() else { return };
                let now = turns.load(Ordering::Relaxed);
                if now % 2 == 1 && now == seen {
                    eprintln!("fuzz: door {name} hangs at input {}", now / 2 + 1);
                    std::process::exit(2);
                }
                seen = now;
            }
        });
        Self(turns)
    }

    fn enter(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn leave(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
