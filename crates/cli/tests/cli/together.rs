//! Several programs on one workspace at the same time.

use crate::world::{World, lines_of};
use std::sync::Arc;

#[test]
fn two_at_once_do_no_harm() {
    at_once(false);
}

#[test]
fn two_at_once_do_no_harm_while_another_follows_the_folder() {
    at_once(true);
}

fn at_once(watched: bool) {
    let world = Arc::new(World::with_workspace());
    let watch = watched.then(|| world.watch());
    let threads = (0..4).map(|thread| {
        let world = world.clone();
        std::thread::spawn(move || {
            let own = format!("own{thread}.txt");
            for round in 0..3u32 {
                let edits: Vec<_> = (0..100).map(|n| (round * 100 + n, 0, "x")).collect();
                world.run_with(["edit", &own], &lines_of(edits)).expect_ok();
                world.run_with(["edit", "shared.txt"], &lines_of([(0, 0, "s")])).expect_ok();
                assert_eq!(world.ok(["show", &own]).len(), (round as usize + 1) * 100);
                world.ok(["log"]);
            }
        })
    });
    threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(world.ok(["show", "shared.txt"]), "s".repeat(12));
    let with = world.ok(["log", "--steps", "--json"]);
    world.ok(["verify"]);
    if let Some(watch) = watch {
        watch.stop();
    }
    // The same answers without it.
    assert_eq!(world.ok(["log", "--steps", "--json"]), with);
    for thread in 0..4 {
        assert_eq!(world.read(&format!("own{thread}.txt")), "x".repeat(300).as_bytes());
    }
    assert_eq!(world.read("shared.txt"), "s".repeat(12).as_bytes());
    world.ok(["verify"]);
}

#[test]
fn when_the_owner_is_killed_the_next_takes_over() {
    let world = World::with_workspace();
    for round in 0..3u32 {
        let watch = world.watch();
        world.edit("a.txt", &[(round, 0, "x")]);
        drop(watch);
    }
    assert_eq!(world.ok(["show", "a.txt"]), "xxx");
    assert_eq!(world.read("a.txt"), b"xxx");
    let second = world.watch();
    let third = world.watch();
    second.stop();
    world.edit("a.txt", &[(3, 0, "y")]);
    third.stop();
    assert_eq!(world.read("a.txt"), b"xxxy");
    assert!(!world.root().join(".codesync/run.json").exists());
}
