//! Who on the network sees this computer just now: what the settings say, and until when. Reads the settings; shows
//! nothing to anybody.

use crate::settings::{self, Visibility};
use crate::together::Shown;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long all see this computer after people were looked at last, where only that is wanted.
const SEEN_AFTER_LOOKING: Duration = Duration::from_secs(10 * 60);

/// Who sees what is shown here.
pub(crate) struct Seen {
    looked_at: Option<Moment>,
    shown: Shown,
    decided: Moment,
    /// It may be others so long after that.
    left: Option<Duration>,
}

/// By two clocks: one stands still while the computer sleeps, the other may be put back.
#[derive(Clone, Copy)]
struct Moment {
    steady: Instant,
    wall: SystemTime,
}

impl Moment {
    fn now() -> Self {
        Self { steady: Instant::now(), wall: SystemTime::now() }
    }

    fn elapsed(&self) -> Duration {
        self.steady.elapsed().max(self.wall.elapsed().unwrap_or_default())
    }
}

impl Default for Seen {
    /// Opening a workspace counts as looking.
    fn default() -> Self {
        Self::new(true)
    }
}

impl Seen {
    /// As the settings are now; people are looked at here, or were not yet.
    pub fn new(is_looked_at: bool) -> Self {
        Self::since(is_looked_at.then(Moment::now))
    }

    fn since(looked_at: Option<Moment>) -> Self {
        let decided = Moment::now();
        let since_epoch = decided.wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        let looked_for = looked_at.map(|at| at.elapsed());
        let (shown, left) = decide(settings::visibility(since_epoch.as_millis() as u64), looked_for);
        Self { looked_at, shown, decided, left }
    }

    pub fn shown(&self) -> Shown {
        self.shown
    }

    /// Somebody deals with people here.
    pub fn look(&mut self) {
        *self = Self::since(Some(Moment::now()));
    }

    /// The settings may be others.
    pub fn read_again(&mut self) {
        *self = Self::since(self.looked_at);
    }

    /// When it may be others who see it.
    pub fn ends(&self) -> Option<Instant> {
        self.left.map(|left| self.decided.steady + left)
    }

    /// Looks again when it is time. Whether it was.
    pub fn tend(&mut self) -> bool {
        let is_over = self.left.is_some_and(|left| self.decided.elapsed() >= left);
        if is_over {
            self.read_again();
        }
        is_over
    }
}

/// Who sees it, and for how long that is so; for good without a time.
fn decide((by, left): (Visibility, Option<Duration>), looked_for: Option<Duration>) -> (Shown, Option<Duration>) {
    match by {
        Visibility::Everyone => (Shown::Everyone, left),
        Visibility::Known => (Shown::Known, None),
        Visibility::WhileLooking => {
            let left = looked_for.and_then(|passed| SEEN_AFTER_LOOKING.checked_sub(passed));
            (if left.is_some() { Shown::Everyone } else { Shown::Nobody }, left)
        }
        Visibility::Nobody => (Shown::Nobody, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_at_people_shows_oneself_for_ten_minutes() {
        let looking = |minutes: u64| decide((Visibility::WhileLooking, None), Some(Duration::from_secs(60 * minutes)));
        assert_eq!(looking(4), (Shown::Everyone, Some(Duration::from_secs(360))));
        assert_eq!(looking(11), (Shown::Nobody, None));
        assert_eq!(decide((Visibility::WhileLooking, None), None), (Shown::Nobody, None));
        let for_a_while = Some(Duration::from_secs(5));
        assert_eq!(decide((Visibility::Everyone, for_a_while), None), (Shown::Everyone, for_a_while));
        assert_eq!(decide((Visibility::Known, None), Some(Duration::ZERO)), (Shown::Known, None));
    }

    #[test]
    fn a_computer_that_sleeps_is_not_seen_for_longer() {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        let slept = |n: u64| Moment { wall: SystemTime::now() - minutes(n), ..Moment::now() };
        let seen = |decided| Seen { looked_at: None, shown: Shown::Everyone, decided, left: Some(minutes(10)) };
        assert!(!seen(slept(9)).tend() && seen(slept(10)).tend());
        let clock_put_back = Moment { wall: SystemTime::now() + minutes(60), ..Moment::now() };
        assert!(!seen(clock_put_back).tend());
    }
}
