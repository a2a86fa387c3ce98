//! Work done apart, and what is told when links lead to each other again.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::links::tests::World;
use codesync_api::{Moment as At, NamedMoment, Reply, Request, RestoreTarget, Scope};

impl World {
    fn merged(&mut self, n: usize) -> Vec<codesync_api::Merged> {
        let events = self.engines[n].take_events().into_iter();
        events.filter_map(|event| if let Event::Merged(merged) = event { Some(merged) } else { None }).collect()
    }

    fn marks(&mut self, n: usize) -> Vec<NamedMoment> {
        let now = self.now();
        match self.engines[n].handle(Request::Moments { scope: Scope::Workspace }, now).unwrap() {
            Reply::Moments { moments } => moments.into_iter().filter(|moment| moment.automatic).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn restore(&mut self, n: usize, delta_id: &str) {
        self.now_ms += 1;
        let (now, target) = (self.now(), RestoreTarget::Workspace);
        self.engines[n].handle(Request::Restore { target, at: At::Delta(delta_id.into()) }, now).unwrap();
        self.sync(n);
    }

    fn splice(&mut self, n: usize, path: &str, at: u32, deleted: u32, text: &str) {
        self.now_ms += 1;
        let (now, edits) = (self.now(), vec![codesync_api::Splice(at, deleted, text.into())]);
        self.engines[n].handle(Request::EditFile { path: path.into(), edits }, now).unwrap();
        self.sync(n);
    }
}

/// Two who had the same, were parted, and were away from each other for so long.
fn parted(apart_ms: u64) -> World {
    let mut world = World::new(2);
    let lines: String = (0..10).map(|n| format!("line {n}\n")).collect();
    world.edit(0, "a.rs", 0, &lines);
    world.edit(0, "b.rs", 0, "alone\n");
    let id = world.connect(0, 1);
    world.run();
    world.disconnect(id);
    world.now_ms += apart_ms;
    world
}

#[test]
fn a_long_time_apart_is_told_with_the_places_that_both_changed() {
    let mut world = parted(3 * 3_600_000);
    world.splice(0, "a.rs", 21, 4, "LINE");
    world.splice(1, "a.rs", 26, 1, "three");
    world.splice(1, "b.rs", 0, 0, "not ");
    let (ours, theirs) = (world.text(0, "a.rs"), world.text(1, "a.rs"));
    world.connect(0, 1);
    world.run().assert_equal();
    let sides: Vec<_> = (0..2).map(|n| world.merged(n)).collect();
    assert_eq!((sides[0].len(), sides[1].len()), (1, 1), "{sides:?}");
    let (at_asha, at_bo) = (&sides[0][0], &sides[1][0]);
    assert_eq!(
        (&at_asha.with[..], at_asha.n_ours, at_asha.n_theirs, at_asha.n_files),
        (&["Bo".to_owned()][..], 1, 2, 2)
    );
    assert_eq!((&at_bo.with[..], at_bo.n_ours, at_bo.n_theirs), (&["Asha".to_owned()][..], 2, 1));
    assert_eq!(
        (at_asha.before_ours.clone(), at_asha.before_theirs.clone()),
        (at_bo.before_theirs.clone(), at_bo.before_ours.clone())
    );
    let minutes = at_asha.apart_ms / 60_000;
    assert!((180..182).contains(&minutes), "{minutes}");
    let place = &at_asha.places[0];
    assert_eq!((place.path.as_str(), place.line, place.position), ("a.rs", 4, 21));
    assert_eq!(
        (place.ours.as_str(), place.theirs.as_str(), place.now.as_str()),
        ("LINE 3\n", "line three\n", "LINE three\n")
    );
    // Both sides as they were, and once only.
    assert_eq!(world.marks(0).len(), 2);
    let merged = world.text(0, "a.rs");
    for (id, then) in [(&at_asha.before_ours, ours), (&at_asha.before_theirs, theirs)] {
        world.restore(0, id.as_ref().unwrap());
        assert_eq!(world.text(0, "a.rs"), then);
        world.run().assert_equal();
        assert_eq!(world.text(1, "a.rs"), then);
    }
    assert_ne!(world.text(0, "a.rs"), merged);
}

#[test]
fn a_merge_can_be_reviewed_after_a_restart() {
    let mut world = parted(3 * 3_600_000);
    world.splice(0, "a.rs", 21, 4, "LINE");
    world.splice(1, "a.rs", 26, 1, "three");
    let id = world.connect(0, 1);
    world.run().assert_equal();
    let first = world.merged(0).remove(0);
    world.disconnect(id);
    world.now_ms += 3_600_000;
    world.splice(0, "a.rs", 0, 1, "L");
    world.splice(1, "a.rs", 0, 1, "K");
    world.connect(0, 1);
    world.run().assert_equal();
    let second = world.merged(0).remove(0);
    // All that is known of merges is what was kept.
    world.engines[0].meetings = Meetings::default();
    world.engines[0].load_meetings();
    let now = world.now();
    let mut again = |delta_id: Option<&String>| match world.engines[0]
        .handle(Request::Merged { delta_id: delta_id.cloned() }, now)
        .unwrap()
    {
        Reply::Merged { merged } => merged,
        other => panic!("{other:?}"),
    };
    // Where it stands in the text as it is now.
    let mut of_first = again(first.before_ours.as_ref()).unwrap();
    assert_eq!((of_first.places[0].position, first.places[0].position), (22, 21));
    of_first.places[0].position = 21;
    assert_eq!(of_first, first);
    assert_eq!(again(second.before_ours.as_ref()), Some(second.clone()));
    assert_eq!(again(None), Some(second.clone()));
    assert_eq!(again(second.before_theirs.as_ref()), None);
    // And each line of the activity leads to its own.
    let query = codesync_api::LogQuery { limit: 1_000, ..Default::default() };
    let Reply::Log { records, .. } = world.engines[0].handle(Request::Log { query }, now).unwrap() else { panic!() };
    let both: Vec<_> = records.into_iter().filter_map(|record| Some((record.id, record.n_both?))).collect();
    assert_eq!(both, [(first.before_ours.unwrap(), 1), (second.before_ours.unwrap(), 1)]);
}

#[test]
fn whoever_is_away_is_behind_by_what_came_since() {
    let mut world = World::new(2);
    world.edit(0, "a.rs", 0, "text\n");
    let (asha, bo) = (world.engines[0].device(), world.engines[1].device());
    let id = world.connect(0, 1);
    world.run();
    assert_eq!(world.engines[0].n_behind(&bo), 0);
    world.disconnect(id);
    assert!(world.engines[0].knows_who_is_behind());
    assert_eq!((world.engines[0].n_behind(&bo), world.engines[1].n_behind(&asha)), (0, 0));
    for n in 1..=3 {
        world.now_ms += 60_000;
        world.edit(0, "a.rs", 0, "x");
        assert_eq!((world.engines[0].n_behind(&bo), world.engines[1].n_behind(&asha)), (n, 0));
    }
    let id = world.connect(0, 1);
    world.run().assert_equal();
    world.disconnect(id);
    assert_eq!((world.engines[0].n_behind(&bo), world.engines[1].n_behind(&asha)), (0, 0));
}

#[test]
fn little_work_without_a_place_of_both_is_marked_and_not_told() {
    let mut world = parted(10 * 60_000);
    world.splice(0, "a.rs", 0, 0, "Asha\n");
    world.splice(1, "b.rs", 0, 0, "Bo ");
    world.connect(0, 1);
    world.run().assert_equal();
    assert!(world.merged(0).is_empty() && world.merged(1).is_empty());
    assert_eq!(world.marks(1).len(), 2);
}

#[test]
fn much_work_is_told_though_nothing_was_changed_by_both() {
    let mut world = parted(61_000);
    for n in 0..19 {
        world.splice(0, "a.rs", n, 0, "x");
    }
    world.splice(1, "b.rs", 0, 0, "Bo ");
    world.connect(0, 1);
    world.run();
    let told = world.merged(0);
    assert!(told.len() == 1 && told[0].places.is_empty() && told[0].n_ours == 19, "{told:?}");
}

#[test]
fn a_minute_apart_is_no_news_and_a_stutter_leaves_no_mark() {
    for (apart_ms, n_marks) in [(40_000, 2), (5_000, 0)] {
        let mut world = parted(apart_ms);
        for _ in 0..30 {
            world.splice(0, "a.rs", 21, 1, "L");
            world.splice(1, "a.rs", 22, 1, "I");
        }
        world.connect(0, 1);
        world.run().assert_equal();
        assert!(world.merged(0).is_empty() && world.merged(1).is_empty(), "{apart_ms}");
        assert_eq!(world.marks(0).len(), n_marks, "{apart_ms}");
    }
}

#[test]
fn a_connection_that_breaks_in_the_middle_does_not_lose_the_notice() {
    let mut world = parted(3_600_000);
    for n in 0..30 {
        world.splice(0, "a.rs", n, 0, "x");
        world.splice(1, "b.rs", n, 0, "y");
    }
    let id = world.connect(0, 1);
    let moment = world.moment();
    // Hello and Heads of both, and no delta.
    for _ in 0..4 {
        let (id, to, bytes) = world.frames.pop_front().unwrap();
        world.engines[to].handle_frame(id, &bytes, moment);
        world.sync(to);
    }
    world.disconnect(id);
    world.now_ms += 5_000;
    world.connect(0, 1);
    world.run().assert_equal();
    assert_eq!((world.merged(0).len(), world.merged(1).len(), world.marks(0).len()), (1, 1, 2));
}

#[test]
fn what_is_typed_while_the_others_work_comes_is_no_second_side() {
    let mut world = parted(3_600_000);
    for n in 0..30 {
        world.splice(1, "b.rs", n, 0, "y");
    }
    world.connect(0, 1);
    for _ in 0..4 {
        let (id, to, bytes) = world.frames.pop_front().unwrap();
        let moment = world.moment();
        world.engines[to].handle_frame(id, &bytes, moment);
        world.sync(to);
    }
    world.splice(0, "a.rs", 0, 0, "x");
    world.run().assert_equal();
    assert!(world.merged(0).is_empty() && world.marks(0).is_empty());
}

#[test]
fn one_sided_work_is_no_merge() {
    let mut world = parted(3_600_000);
    for n in 0..30 {
        world.splice(1, "a.rs", n, 0, "x");
    }
    world.connect(0, 1);
    world.run().assert_equal();
    assert!(world.merged(0).is_empty() && world.merged(1).is_empty());
    assert!(world.marks(0).is_empty());
}

#[test]
fn who_was_together_all_the_time_is_not_apart_since_the_last_change() {
    let mut world = parted(0);
    let id = world.connect(0, 1);
    world.run();
    // An hour passes in which nobody does anything.
    world.now_ms += 3_600_000;
    world.run();
    world.disconnect(id);
    world.now_ms += 5_000;
    world.splice(0, "a.rs", 21, 1, "L");
    world.splice(1, "a.rs", 22, 1, "I");
    world.connect(0, 1);
    world.run().assert_equal();
    assert!(world.merged(0).is_empty() && world.marks(0).is_empty());
}

#[test]
fn the_mark_of_a_side_that_made_none_is_made_for_it() {
    let mut world = parted(3_600_000);
    world.splice(0, "a.rs", 21, 4, "LINE");
    world.splice(1, "a.rs", 26, 1, "three");
    let theirs = world.text(1, "a.rs");
    // Bo thinks that he was here a moment ago.
    let (asha, now_ms) = (world.engines[0].device(), world.now_ms);
    world.engines[1].meetings.together_ms.insert(asha, now_ms);
    world.connect(0, 1);
    world.run();
    assert!(world.merged(0).is_empty(), "his mark may be on its way");
    world.run().run().run().assert_equal();
    let told = world.merged(0).remove(0);
    assert_eq!(world.marks(0).len(), 2);
    world.restore(0, &told.before_theirs.unwrap());
    assert_eq!(world.text(0, "a.rs"), theirs);
}

/// What came may have made a viewer of whoever began the merge as an editor.
#[test]
fn who_may_not_change_anything_makes_no_mark_for_the_other_side() {
    let mut world = parted(3 * 3_600_000);
    let (now, engine) = (world.now(), &mut world.engines[1]);
    let heads = engine.log.heads();
    let ours = heads.iter().find(|head| head.log == engine.own).copied().unwrap();
    let theirs = heads.iter().find(|head| head.log != engine.own).copied().unwrap();
    let signed = engine.log.delta(&ours.hash).unwrap().unwrap();
    let ours = StepKey { delta: signed.delta.key(ours.hash), step_idx: 0 };
    let merging = Merging { ours, theirs, apart_ms: 3 * 3_600_000, due_ms: None };
    engine.rights = Some(codesync_auth::Access::new(theirs.log.device));
    let head_seq = engine.head_seq;
    engine.tell_merge(&merging, None, now).unwrap();
    assert_eq!(engine.head_seq, head_seq);
    engine.rights = None;
    engine.tell_merge(&merging, None, now).unwrap();
    assert_eq!(engine.head_seq, head_seq + 1);
}

#[test]
fn a_merge_is_worked_out_in_turns_of_their_own_or_at_the_end() {
    let mut world = parted(3 * 3_600_000);
    world.splice(0, "a.rs", 21, 4, "LINE");
    world.splice(1, "a.rs", 26, 1, "three");
    world.connect(0, 1);
    world.run().assert_equal();
    let told = world.merged(0).remove(0);
    let (now, engine) = (world.now(), &mut world.engines[0]);
    assert_eq!(engine.meetings_due_ms(), None);
    let sides = [&told.before_ours, &told.before_theirs].map(|mark| mark.as_ref().unwrap().parse().unwrap());
    let begin = |engine: &mut Engine| {
        let apart = engine.begin_apart(sides).unwrap();
        let reviewable = Reviewable { n_places: 0, ..engine.meetings.reviewable[0].clone() };
        engine.meetings.tellings.push_back(Telling { apart, reviewable, now });
    };
    begin(engine);
    let mut n_turns = 0;
    while engine.meetings_due_ms() == Some(0) {
        engine.go_on_telling(1);
        n_turns += 1;
    }
    assert!(n_turns > 5, "{n_turns} turns");
    assert_eq!(world.merged(0), std::slice::from_ref(&told));
    begin(&mut world.engines[0]);
    world.engines[0].end_meetings();
    assert_eq!(world.merged(0), [told]);
}
