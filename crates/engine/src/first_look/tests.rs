//! Somebody who was just let in, and what they see before the history is there.

#![allow(clippy::unwrap_used)]

use crate::links::tests::{World, joined, noise, put_whole};
use codesync_api::{Event, ReadOnlyReason, Reply, Request, Splice, ViewEdit, ViewOpened};

fn view(world: &mut World, path: &str) -> ViewOpened {
    let now = world.now();
    match world.engines[1].handle(Request::OpenView { path: path.into() }, now).unwrap() {
        Reply::View(opened) => opened,
        other => panic!("{other:?}"),
    }
}

fn paths_in(world: &mut World, folder: &str) -> Vec<String> {
    let now = world.now();
    match world.engines[1].handle(Request::ListFolder { path: folder.into(), at: None }, now) {
        Ok(Reply::Folder { entries }) => entries.into_iter().map(|entry| entry.path).collect(),
        other => panic!("{other:?}"),
    }
}

/// A history that waits for a long content, as far as the first look.
fn looking() -> World {
    let mut world = World::new(2);
    let now = world.now();
    put_whole(&mut world.engines[0], "film.bin", noise(3_000_000), now);
    world.edit(0, "src/main.rs", 0, "fn main() {}\n");
    world.edit(0, "a.txt", 0, "text\n");
    world.engines[1] = joined(1);
    world.connect(0, 1);
    while world.engines[1].first_look.texts.is_empty() {
        let (id, to, bytes) = world.frames.pop_front().unwrap();
        let moment = world.moment();
        world.engines[to].handle_frame(id, &bytes, moment);
        world.collect();
    }
    world
}

#[test]
fn texts_are_shown_before_the_history_is_here_and_edited_when_it_is() {
    let mut world = looking();
    assert_eq!(world.engines[1].log().n_deltas(), 0);
    assert_eq!(paths_in(&mut world, ""), ["src", "a.txt"]);
    assert_eq!(paths_in(&mut world, "src"), ["src/main.rs"]);
    let opened = view(&mut world, "a.txt");
    assert_eq!((opened.text.as_str(), opened.read_only), ("text\n", Some(ReadOnlyReason::Coming)));
    let now = world.now();
    let edit = ViewEdit { request_id: 1, base_revision: 0, stays_left: false, splices: vec![Splice(0, 0, "x".into())] };
    let refused = world.engines[1].handle(Request::EditView { view_id: opened.view_id, edit }, now);
    assert!(refused.is_err(), "{refused:?}");
    let closed = view(&mut world, "src/main.rs");
    world.engines[1].handle(Request::CloseView { view_id: closed.view_id }, now).unwrap();
    world.engines[1].take_events();
    world.run().assert_equal();
    let events = world.engines[1].take_events();
    let snapshot = events.iter().find_map(|event| match event {
        Event::ViewSnapshot(snapshot) => Some(snapshot.clone()),
        _ => None,
    });
    let snapshot = snapshot.unwrap();
    assert_eq!((snapshot.view_id, snapshot.text.as_str()), (opened.view_id, "text\n"));
    let edit = ViewEdit {
        request_id: 1,
        base_revision: snapshot.revision,
        stays_left: false,
        splices: vec![Splice(0, 0, "x".into())],
    };
    let now = world.now();
    world.engines[1].handle(Request::EditView { view_id: opened.view_id, edit }, now).unwrap();
    world.sync(1);
    world.run();
    assert_eq!(world.text(0, "a.txt").as_deref(), Some("xtext\n"));
    assert_eq!(view(&mut world, "src/main.rs").read_only, None);
    assert_eq!(paths_in(&mut world, ""), ["src", "a.txt", "film.bin"]);
}

#[test]
fn what_is_gone_when_the_history_is_here_is_shown_no_more() {
    let mut world = looking();
    let opened = view(&mut world, "a.txt");
    let now = world.now();
    world.engines[0].handle(Request::Delete { path: "a.txt".into() }, now).unwrap();
    world.sync(0);
    world.engines[1].take_events();
    world.run().assert_equal();
    let is_gone =
        |event: &Event| matches!(event, Event::ViewMoved { view_id, path: None } if *view_id == opened.view_id);
    assert!(world.engines[1].take_events().iter().any(is_gone));
}

#[test]
fn a_short_history_needs_no_first_look() {
    let mut world = World::new(2);
    world.edit(0, "a.txt", 0, "text\n");
    assert!(world.engines[0].texts_for_newcomer(1_000).is_none());
}
