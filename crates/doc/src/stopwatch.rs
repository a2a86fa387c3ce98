//! How long a piece of work took, for tests that print it. Never decides whether a test passes.

use std::time::{Duration, Instant};

/// Counts the time on the processor where the system tells it, so that other work beside does not show.
pub(crate) struct Stopwatch {
    wall: Instant,
    processor: Option<u64>,
}

impl Stopwatch {
    pub fn start() -> Self {
        Self { wall: Instant::now(), processor: processor_ns() }
    }

    pub fn elapsed(&self) -> Duration {
        match (self.processor, processor_ns()) {
            (Some(start), Some(now)) => Duration::from_nanos(now - start),
            _ => self.wall.elapsed(),
        }
    }
}

fn processor_ns() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok()
}
