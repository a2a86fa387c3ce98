//! What is told to somebody who comes back.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::links::tests::World;
use codesync_api::{Place, Reply, Request};

impl World {
    fn sits_down(&mut self, n: usize) {
        let now = self.now();
        self.engines[n].handle(Request::ShowPlace { place: Place::default() }, now).unwrap();
    }

    fn away(&mut self, n: usize) -> Option<WhileAway> {
        let now = self.now();
        match self.engines[n].handle(Request::WhileAway, now).unwrap() {
            Reply::Away { away } => away,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_others_did_meanwhile_is_told_by_person_and_stretch() {
    let mut world = World::new(2);
    world.edit(0, "a.rs", 0, "one\n");
    world.connect(0, 1);
    world.run();
    world.sits_down(1);
    assert_eq!(world.away(1), None, "nobody was ever here before");
    let left_ms = world.now_ms;
    world.now_ms += 3_600_000;
    let began_ms = world.now_ms;
    world.edit(0, "a.rs", 0, "zero\n");
    world.now_ms += 60_000;
    world.edit(0, "a.rs", 0, "less\n");
    world.edit(0, "b.rs", 0, "bee\n");
    world.now_ms += 3_600_000;
    world.edit(0, "a.rs", 0, "x");
    world.run();
    world.edit(1, "mine.rs", 0, "Bo\n");
    world.sits_down(1);
    let told = world.away(1).unwrap();
    assert_eq!((told.since_ms, told.people.len()), (left_ms, 1));
    let asha = &told.people[0];
    assert_eq!(asha.person, "Asha");
    let bursts: Vec<_> =
        asha.bursts.iter().map(|burst| (burst.path.as_str(), burst.added, burst.to_ms - burst.from_ms)).collect();
    assert_eq!(bursts[0], ("a.rs", 1, 0));
    assert_eq!(bursts.last().unwrap(), &("a.rs", 10, 60_001));
    assert!(
        asha.bursts.iter().any(|burst| burst.path == "b.rs") && asha.bursts.last().unwrap().from_ms == began_ms + 1
    );
    assert!(asha.bursts[0].workspace_index > asha.bursts.last().unwrap().workspace_index);
    // What comes while one is here is no news.
    world.now_ms += 1_000;
    world.edit(0, "a.rs", 0, "live");
    world.run();
    assert_eq!(world.away(1).unwrap(), told);
    world.now_ms += 10_000;
    world.sits_down(1);
    world.now_ms += 3_600_000;
    world.sits_down(1);
    assert_eq!(world.away(1), None);
}

#[test]
fn many_stretches_are_cut_to_the_newest() {
    let mut world = World::new(2);
    world.edit(0, "a.rs", 0, "one\n");
    world.connect(0, 1);
    world.run();
    world.sits_down(1);
    for _ in 0..50 {
        world.now_ms += 600_000;
        world.edit(0, "a.rs", 0, "x");
    }
    world.run();
    world.sits_down(1);
    let told = world.away(1).unwrap().people.remove(0);
    assert_eq!((told.n_changes, told.bursts.len()), (50, BURSTS_MAX));
    assert!(told.bursts.is_sorted_by(|a, b| a.to_ms > b.to_ms));
}
