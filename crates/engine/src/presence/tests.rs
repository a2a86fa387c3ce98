//! Where people are, told over links that are carried by hand.

#![allow(clippy::unwrap_used)]

use super::wire::{LooksAt, More, Shown};
use super::*;
use crate::links::tests::World;
use codesync_api::{Reply, Request};
use proptest::prelude::*;

fn place(path: &str, selections: &[(u32, u32)]) -> Place {
    Place { path: Some(path.into()), selections: selections.to_vec(), top_line: 1, ..Place::default() }
}

impl World {
    fn show(&mut self, n: usize, place: Place) {
        let now = self.now();
        self.engines[n].handle(Request::ShowPlace { place }, now).unwrap();
        let moment = self.moment();
        self.engines[n].tend_links(moment);
        self.collect();
    }

    fn signal(&mut self, n: usize, signal: Signal) {
        let now = self.now();
        self.engines[n].handle(Request::Signal(signal), now).unwrap();
    }

    /// The texts are in memory, as they are where a view shows them.
    fn open_views(&mut self, path: &str) {
        for n in 0..self.engines.len() {
            let now = self.now();
            self.engines[n].handle(Request::OpenView { path: path.into() }, now).unwrap();
            while self.engines[n].read_ahead() {}
        }
    }

    fn presences(&mut self, n: usize) -> Vec<Presence> {
        let now = self.now();
        match self.engines[n].handle(Request::Presences, now).unwrap() {
            Reply::Presences { presences } => presences,
            other => panic!("{other:?}"),
        }
    }

    fn places(&mut self, n: usize) -> Vec<Place> {
        self.presences(n).into_iter().filter_map(|presence| presence.place).collect()
    }

    fn told(&mut self, n: usize) -> Vec<Event> {
        self.engines[n].take_events()
    }
}

fn two() -> World {
    let mut world = World::new(2);
    world.edit(0, "a.rs", 0, "one\ntwo\nthree\n");
    world.connect(0, 1);
    world.run();
    world.open_views("a.rs");
    world.told(0);
    world.told(1);
    world
}

#[test]
fn a_place_means_the_same_though_the_texts_differ() {
    let mut world = two();
    let id = *world.ends.keys().next().unwrap();
    // Asha is on “two”, and Bo has two lines more above it.
    world.edit(1, "a.rs", 0, "Bo\nwas\n");
    world.show(0, Place { top_line: 2, ..place("a.rs", &[(4, 7), (8, 8)]) });
    let waiting = std::mem::take(&mut world.frames);
    let is_presence =
        |bytes: &Vec<u8>| matches!(codesync_sync::Frame::decode(bytes, 4_096), Ok(codesync_sync::Frame::Presence(_)));
    let moment = world.moment();
    for (_, to, bytes) in waiting.iter().filter(|(_, to, bytes)| *to == 1 && is_presence(bytes)) {
        world.engines[*to].handle_frame(id, bytes, moment);
    }
    assert_eq!(world.places(1), [Place { top_line: 4, line: 4, ..place("a.rs", &[(11, 14), (15, 15)]) }]);
    world.frames = waiting;
    world.run().assert_equal();
    // And it follows the text where nobody told it anew.
    world.edit(1, "a.rs", 11, "xx");
    assert_eq!(world.places(1)[0].selections, [(13, 16), (17, 17)]);
}

#[test]
fn a_caret_behind_what_was_just_typed_is_shown_with_it_and_not_before() {
    let mut world = two();
    world.type_(0, "a.rs", 3, "!");
    world.show(0, place("a.rs", &[(4, 4)]));
    // The place goes out at once, the letter when it is durable.
    let (id, to, bytes) = world.frames.pop_front().unwrap();
    assert_eq!((to, world.frames.len()), (1, 0));
    let moment = world.moment();
    world.engines[1].handle_frame(id, &bytes, moment);
    assert!(world.told(1).is_empty());
    world.sync(0);
    world.run();
    let told = world.told(1);
    let patch = told.iter().position(|event| matches!(event, Event::ViewPatch(_))).unwrap();
    let Some(shown) = told.iter().position(|event| matches!(event, Event::Presence(_))) else { panic!("{told:?}") };
    assert!(patch < shown);
    let Event::Presence(presence) = &told[shown] else { panic!() };
    assert_eq!(presence.place, Some(Place { line: 1, ..place("a.rs", &[(4, 4)]) }));
    assert!(presence.typed_ms > 0);
    let Event::ViewPatch(patch) = &told[patch] else { panic!() };
    assert_eq!((patch.source, patch.device.clone()), (codesync_api::PatchSource::Peer, Some(presence.device.clone())));
}

#[test]
fn who_comes_later_hears_where_one_is_and_who_goes_is_gone() {
    let mut world = World::new(2);
    world.edit(0, "a.rs", 0, "one\n");
    world.show(0, Place { is_away: true, past_ms: Some(7), ..place("a.rs", &[(2, 0)]) });
    let id = world.connect(0, 1);
    world.run();
    world.open_views("a.rs");
    assert_eq!(world.places(1), [Place { is_away: true, past_ms: Some(7), line: 1, ..place("a.rs", &[(2, 0)]) }]);
    world.told(1);
    world.disconnect(id);
    let told = world.told(1);
    assert!(matches!(&told[..], [Event::Presence(presence)] if presence.place.is_none()), "{told:?}");
    assert_eq!(world.presences(1), []);
    world.connect(0, 1);
    world.run();
    assert_eq!(world.places(1).len(), 1);
}

#[test]
fn a_text_nobody_has_open_is_placed_as_its_author_saw_it_and_exactly_once_it_is_open() {
    let mut world = World::new(2);
    world.edit(0, "a.rs", 0, "one\ntwo\n");
    world.connect(0, 1);
    world.run();
    world.edit(1, "a.rs", 0, "Bo\n");
    world.engines[1].documents = Default::default();
    world.show(0, Place { line: 2, ..place("a.rs", &[(5, 5)]) });
    while let Some((id, to, bytes)) = world.frames.pop_front() {
        let moment = world.moment();
        if to == 1 {
            world.engines[1].handle_frame(id, &bytes, moment);
        }
    }
    assert_eq!(world.places(1), [Place { line: 2, ..place("a.rs", &[(5, 5)]) }]);
    world.open_views("a.rs");
    let moment = world.moment();
    world.engines[1].tend_links(moment);
    let told = world.told(1);
    let placed = told.iter().rev().find_map(|event| match event {
        Event::Presence(presence) => presence.place.clone(),
        _ => None,
    });
    assert_eq!(placed, Some(Place { top_line: 2, line: 3, ..place("a.rs", &[(8, 8)]) }));
}

#[test]
fn only_the_last_of_many_places_is_sure_to_come_and_it_does() {
    let mut world = two();
    for at in 0..14 {
        world.show(0, place("a.rs", &[(at, at)]));
    }
    world.run();
    let told = world.told(1);
    let places: Vec<_> = told.iter().filter(|event| matches!(event, Event::Presence(_))).collect();
    assert!(places.len() <= 3, "{places:?}");
    assert_eq!(world.places(1), [Place { line: 3, ..place("a.rs", &[(13, 13)]) }]);
}

#[test]
fn what_somebody_asks_is_heard_once() {
    let mut world = two();
    world.signal(0, Signal::Bring { path: "a.rs".into(), line: 3, to: None });
    world.run();
    world.show(0, place("a.rs", &[(1, 1)]));
    world.run();
    world.show(0, place("a.rs", &[(2, 2)]));
    world.run();
    let bring = Signal::Bring { path: "a.rs".into(), line: 3, to: None };
    assert_eq!(asked(world.told(1)), [("Asha".to_owned(), bring.clone())]);
    world.now_ms += 5_000;
    world.signal(0, bring.clone());
    world.run();
    assert_eq!(asked(world.told(1)).len(), 1);
}

#[test]
fn the_computers_of_others_have_the_names_that_they_say() {
    let world = two();
    let asha = world.engines[0].device();
    assert_eq!(world.engines[1].device_name_at(&asha), Some("laptop"));
    assert_eq!(world.engines[1].device_name_at(&DeviceId([9; 32])), None);
}

fn asked(events: Vec<Event>) -> Vec<(String, Signal)> {
    let asked = events.into_iter().filter_map(|event| match event {
        Event::Signalled { signal, person, .. } => Some((person, signal)),
        _ => None,
    });
    asked.collect()
}

#[test]
fn what_one_is_asked_alone_nobody_else_hears() {
    let mut world = two();
    let bring = |to: &str| Signal::Bring { path: "a.rs".into(), line: 3, to: Some(to.to_owned()) };
    let bo = world.engines[1].device().to_string();
    world.signal(0, bring(&DeviceId([9; 32]).to_string()));
    world.run();
    assert_eq!(asked(world.told(1)), []);
    // Nor does it stand in the way of what comes soon behind it.
    world.signal(0, bring(&bo));
    world.run();
    assert_eq!(asked(world.told(1)), [("Asha".to_owned(), bring(&bo))]);
    let now = world.now();
    assert!(world.engines[0].handle(Request::Signal(bring("Bo")), now).is_err());
}

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

fn n_signals(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::Signalled { .. })).count()
}

#[test]
fn what_is_asked_is_heard_after_the_clock_there_was_set_right() {
    let mut world = two();
    let bring = Signal::Bring { path: "a.rs".into(), line: 3, to: None };
    let ahead = Now { ms: world.now_ms + DAY_MS, ..world.now() };
    world.engines[0].handle(Request::Signal(bring.clone()), ahead).unwrap();
    world.run();
    assert_eq!(n_signals(&world.told(1)), 1);
    for is_begun_anew in [false, true] {
        world.now_ms += 5_000;
        if is_begun_anew {
            let id = *world.ends.keys().next().unwrap();
            world.disconnect(id);
            world.engines[0].presence = Presences::default();
            world.connect(0, 1);
            world.run();
        }
        world.signal(0, bring.clone());
        world.run();
        assert_eq!(n_signals(&world.told(1)), 1, "begun anew: {is_begun_anew}");
    }
}

#[test]
fn what_is_asked_is_heard_after_the_clock_here_was_set_right() {
    let mut world = two();
    let (asha, file) = (world.engines[0].device(), world.engines[1].tree().alive().next().unwrap().file);
    for (number, ahead_ms) in [(1, DAY_MS), (2, 0)] {
        let mut shown = Shown::default();
        let line = Line { start: shown.spot(None, false, 0), number: 1 };
        shown.signals = vec![(number, Sign::Bring { file, line })];
        let now = Now { ms: world.now_ms + ahead_ms, ..world.now() };
        world.engines[1].take_presence(asha, &shown.encode().unwrap(), now);
        assert_eq!(n_signals(&world.told(1)), 1, "signal {number}");
    }
}

#[test]
fn who_comes_back_hears_nothing_twice_and_who_comes_late_nothing_old() {
    let mut world = two();
    world.signal(0, Signal::Bring { path: "a.rs".into(), line: 1, to: None });
    world.run();
    assert_eq!(n_signals(&world.told(1)), 1);
    let id = *world.ends.keys().next().unwrap();
    world.disconnect(id);
    world.connect(0, 1);
    world.run();
    assert_eq!((world.places(1).len(), n_signals(&world.told(1))), (1, 0));
    let late = Now { ms: world.now_ms + 60_000, ..world.now() };
    world.engines[0].greet(LinkId(9), DeviceId([9; 32]), late);
    let frame = world.engines[0].presence.take_fresh().unwrap();
    assert_eq!(Shown::decode(&frame).unwrap().signals, []);
}

#[test]
fn many_selections_are_cut_to_what_fits_and_the_first_stay() {
    let mut world = World::new(2);
    world.edit(0, "a.rs", 0, &"line\n".repeat(2_000));
    world.connect(0, 1);
    world.run();
    world.open_views("a.rs");
    let selections: Vec<(u32, u32)> = (0..500).map(|n| (n * 20, n * 20 + 3)).collect();
    world.show(0, place("a.rs", &selections));
    world.run();
    let shown = world.places(1).remove(0).selections;
    assert!((20..=SELECTIONS_MAX).contains(&shown.len()), "{}", shown.len());
    assert_eq!(shown, selections[..shown.len()]);
}

#[test]
fn who_is_no_member_any_more_is_not_shown() {
    let mut world = two();
    for engine in &mut world.engines {
        engine.uphold_rights(None).unwrap();
    }
    // Nobody ever let Asha in, as Bo has it.
    world.show(0, place("a.rs", &[(1, 1)]));
    world.run();
    let asha = world.engines[0].device();
    let is_member = world.engines[1].access().unwrap().may(&asha, Act::Speak);
    assert_eq!(world.places(1).len(), usize::from(is_member));
    let stranger = DeviceId([9; 32]);
    let now = world.now();
    world.engines[1].take_presence(stranger, &Shown::default().encode().unwrap(), now);
    assert!(world.presences(1).iter().all(|presence| presence.device != stranger.to_string()));
}

#[test]
fn golden_bytes() {
    let log = |n: u8| LogId { device: DeviceId([n; 32]), incarnation: u32::from(n) };
    let file = FileId([5; 16]);
    let mut looking = Shown::default();
    let top = Line { start: looking.spot(Some((log(1), 300, 2)), false, 40), number: 3 };
    let caret = looking.spot(Some((log(2), 7, 0)), true, 57);
    let start = looking.spot(None, true, 0);
    looking.looks_at = Some(LooksAt { file, top, selections: vec![(caret, caret), (start, caret)] });
    looking.more.line = 4;
    let mut asking =
        Shown { past_ms: Some(1_790_000_000_000), is_away: true, is_writing_message: true, ..Shown::default() };
    let line = Line { start: asking.spot(Some((log(1), 300, 2)), false, 40), number: 3 };
    asking.signals = vec![(1_790_000_000_001, Sign::Bring { file, line }), (1_790_000_000_002, Sign::AskToEdit)];
    asking.more.to_one = vec![(1_790_000_000_001, DeviceId([2; 32]))];
    let mut golden = String::new();
    for (what, shown) in [("nothing", Shown::default()), ("looking", looking), ("asking", asking)] {
        let bytes = shown.encode().unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        golden.push_str(&format!("{what} {hex}\n"));
        assert_eq!(Shown::decode(&bytes).as_ref(), Some(&shown));
        // What a later program adds behind it is passed over.
        assert!(Shown::decode(&[&bytes[..], &[1, 2, 3]].concat()).is_some());
        // The first programs ended before what was added since.
        let n_first = 1 + postcard::to_stdvec(&shown).unwrap().len();
        for n in 0..bytes.len() {
            assert_eq!(Shown::decode(&bytes[..n]).is_some(), n == n_first);
        }
        assert_eq!(Shown::decode(&bytes[..n_first]), Some(Shown { more: More::default(), ..shown }));
    }
    expect_test::expect_file!["golden-presence.txt"].assert_eq(&golden);
}

proptest! {
    #[test]
    fn whatever_bytes_come_nothing_breaks(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), is_framed: bool) {
        if let Some(first) = bytes.first_mut().filter(|_| is_framed) {
            *first = 1;
        }
        let mut world = World::new(1);
        world.edit(0, "a.rs", 0, "one\n");
        let now = world.now();
        world.engines[0].take_presence(DeviceId([9; 32]), &bytes, now);
        let moment = world.moment();
        world.engines[0].tend_links(moment);
        drop(world.presences(0));
    }

    #[test]
    fn hostile_numbers_are_harmless(seq: u32, offset: u32, position: u32, line: u32, number: u64) {
        let mut world = World::new(1);
        world.edit(0, "a.rs", 0, "one\n");
        world.open_views("a.rs");
        let (now, log) = (world.now(), world.engines[0].log().heads()[0].log);
        let file = world.engines[0].tree().alive().next().unwrap().file;
        let mut shown = Shown { past_ms: Some(number), ..Shown::default() };
        let spot = shown.spot(Some((log, seq, offset)), true, position);
        let top = Line { start: spot, number: line };
        shown.looks_at = Some(LooksAt { file, top, selections: vec![(spot, spot); 20] });
        shown.signals = vec![(number, Sign::Bring { file, line: top }), (number, Sign::AskToEdit)];
        world.engines[0].take_presence(DeviceId([9; 32]), &shown.encode().unwrap(), now);
        for place in world.places(0) {
            prop_assert!(place.top_line >= 1);
        }
    }
}
