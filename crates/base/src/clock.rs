//! Hybrid logical clock (Kulkarni et al., "Logical Physical Clocks", 2014): wall time that never steps
//! back and stands strictly above everything it depends on.

use serde::{Deserialize, Serialize};

/// A reading: Unix milliseconds, then a counter for what falls into the same millisecond.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Hlc {
    pub wall_ms: u64,
    pub counter: u32,
}

/// The clock of one replica.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    last: Hlc,
}

impl Clock {
    /// A clock that has already seen `last`.
    pub fn starting_above(last: Hlc) -> Self {
        Self { last }
    }

    /// Newest reading given out or observed.
    pub fn last(&self) -> Hlc {
        self.last
    }

    /// Takes note of another's reading.
    pub fn observe(&mut self, other: Hlc) {
        self.last = self.last.max(other);
    }

    /// A reading above all before it.
    pub fn tick(&mut self, now_ms: u64) -> Hlc {
        self.last = if now_ms > self.last.wall_ms {
            Hlc { wall_ms: now_ms, counter: 0 }
        } else {
            match self.last.counter.checked_add(1) {
                Some(counter) => Hlc { wall_ms: self.last.wall_ms, counter },
                None => Hlc { wall_ms: self.last.wall_ms + 1, counter: 0 },
            }
        };
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_rise_though_the_wall_clock_falls() {
        let mut clock = Clock::default();
        let mut last = clock.tick(1_000);
        for now_ms in [1_000, 900, 0, 1_001, 1_000, 5_000] {
            let next = clock.tick(now_ms);
            assert!(next > last);
            last = next;
        }
        assert_eq!(last, Hlc { wall_ms: 5_000, counter: 0 });
    }

    #[test]
    fn a_full_counter_moves_the_wall_on() {
        let mut clock = Clock::starting_above(Hlc { wall_ms: 7, counter: u32::MAX });
        assert_eq!(clock.tick(7), Hlc { wall_ms: 8, counter: 0 });
    }
}
