//! So many a second, and so many at once.

/// A token bucket. Counts in thousandths, so that slow rates are exact to the millisecond.
#[derive(Clone, Debug)]
pub(crate) struct Rate {
    per_second: u64,
    most_milli: u64,
    left_milli: u64,
    at_ms: u64,
}

impl Rate {
    pub fn new(per_second: u32, burst: u32) -> Self {
        let most_milli = u64::from(burst) * 1_000;
        Self { per_second: u64::from(per_second), most_milli, left_milli: most_milli, at_ms: 0 }
    }

    /// Whether one more is within the rate at this time.
    pub fn take(&mut self, now_ms: u64) -> bool {
        let passed_ms = now_ms.saturating_sub(self.at_ms);
        self.at_ms = self.at_ms.max(now_ms);
        let gained_milli = passed_ms.saturating_mul(self.per_second);
        self.left_milli = self.left_milli.saturating_add(gained_milli).min(self.most_milli);
        let is_within = self.left_milli >= 1_000;
        if is_within {
            self.left_milli -= 1_000;
        }
        is_within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let mut rate = Rate::new(20, 5);
        let taken = |rate: &mut Rate, at_ms| (0..100).filter(|_| rate.take(at_ms)).count();
        assert_eq!(taken(&mut rate, 1_000), 5);
        assert_eq!(taken(&mut rate, 1_049), 0);
        assert_eq!(taken(&mut rate, 1_050), 1);
        assert_eq!(taken(&mut rate, 900), 0);
        assert_eq!(taken(&mut rate, 1_000_000), 5);
    }
}
