//! What each step of a scenario took, beside what it may take. Held to that only where the program and the machine are
//! those that the bounds were written for; elsewhere, only what is broken fails.

use anyhow::{Result, ensure};
use std::time::{Duration, Instant};

/// Where a debug build shares its machine with a compiler.
const LOOSENED: u32 = 8;

/// A release program, named by `CODESYNC_WINDOW_PROGRAM`, on a machine that does nothing else.
pub fn has_exact_bounds() -> bool {
    std::env::var_os("CODESYNC_EXACT_BOUNDS").is_some()
}

/// Takes as long as people do, where the usual run is brief.
pub fn is_long() -> bool {
    std::env::var_os("CODESYNC_LONG").is_some()
}

pub struct Steps {
    /// When the first person started for the first time.
    began: Instant,
    late: Vec<String>,
}

impl Steps {
    pub fn begin() -> Self {
        println!("  {:<4} {:<58} {:>8} {:>9} {:>6}", "step", "what", "bound s", "took s", "at");
        Self { began: Instant::now(), late: Vec::new() }
    }

    /// Says what took so long.
    pub fn took(&mut self, step: &str, what: &str, bound_ms: u64, took: Duration) {
        let bound = Duration::from_millis(bound_ms);
        let (bound_s, took_s, at_s) = (bound.as_secs_f32(), took.as_secs_f32(), self.elapsed().as_secs());
        println!("  {step:<4} {what:<58} {bound_s:>8.2} {took_s:>9.3} {:>3}:{:02}", at_s / 60, at_s % 60);
        if took > bound * if has_exact_bounds() { 1 } else { LOOSENED } {
            self.late.push(format!("step {step}, {what}: {took_s:.2} s instead of {bound_s} s"));
        }
    }

    /// Says how long took what began then and is done now.
    pub fn done(&mut self, step: &str, what: &str, bound_ms: u64, since: Instant) {
        self.took(step, what, bound_ms, since.elapsed());
    }

    /// Since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    pub fn finish(self) -> Result<()> {
        ensure!(self.late.is_empty(), "late:\n{}", self.late.join("\n"));
        Ok(())
    }
}
