#![allow(clippy::unwrap_used)]

use super::*;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The allocator counts for the whole process: what one test takes would be held against another.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Long tries: `cargo xtask fuzz --minutes 10`.
#[test]
fn every_door_stands_for_a_moment() {
    let _alone = alone();
    for door in DOORS {
        match try_door(door, 1, Duration::from_millis(1_500)) {
            Ok(tally) => assert!(tally.n_inputs > 0, "{}", door.name),
            Err(why) => panic!("{why}"),
        }
    }
}

/// Without this, all inputs could be thrown away at the first byte and nobody would know.
#[test]
fn unchanged_inputs_are_taken() {
    let _alone = alone();
    for door in DOORS {
        let mut opened = (door.open)();
        let taken = (door.corpus)().iter().filter(|input| opened(input) == Ok(true)).count();
        assert!(taken > 0, "door {} takes nothing of its corpus", door.name);
    }
}

#[test]
fn what_breaks_a_rule_is_found() {
    let _alone = alone();
    fn open() -> doors::Opened {
        Box::new(|input| {
            assert!(!input.contains(&0xff), "a byte it cannot stand");
            Ok(true)
        })
    }
    let door = Door { name: "weak", open, corpus: || vec![vec![1, 2, 3]], inputs_per_opening: 1_000 };
    assert!(try_door(&door, 1, Duration::from_secs(5)).unwrap_err().contains("a byte it cannot stand"));
    fn greedy() -> doors::Opened {
        Box::new(|_| {
            let much = vec![1_u8; 2 * EXTRA_BYTES_MAX];
            Ok(much.len() > 1)
        })
    }
    let door = Door { name: "greedy", open: greedy, ..door };
    assert!(try_door(&door, 1, Duration::from_secs(5)).unwrap_err().contains("it needs"));
}
