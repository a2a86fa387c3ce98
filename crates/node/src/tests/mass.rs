//! Many files, or large ones, changed by other programs at once: read on a thread of its own, taken in over many turns,
//! one act, and nothing that was typed meanwhile is lost.
use super::*;
use codesync_api::{Event, Scope, UndoneKind};
use std::sync::mpsc::Receiver;
use std::time::Duration;

const N_FILES: usize = 300;

fn name(n: usize) -> String {
    format!("part{}/f{n:03}", n % 3)
}

fn old(n: usize) -> String {
    format!("first {n}\nsecond\nthird\n")
}

fn new(n: usize) -> String {
    format!("first {n}\nsecond by them\nthird\n")
}

fn many() -> Peer {
    let mut peer = Peer::new(&[]);
    (0..N_FILES).for_each(|n| put(&peer.path(&name(n)), &old(n)));
    peer.look_at(&["part0", "part1", "part2"]).settle();
    assert_eq!(peer.paths().len(), N_FILES);
    peer
}

fn checkout(peer: &Peer) {
    (0..N_FILES).for_each(|n| put(&peer.path(&name(n)), &new(n)));
}

fn events(peer: &mut Peer) -> Receiver<Event> {
    let (out, events) = mpsc::sync_channel(4_096);
    peer.runtime().turn(vec![Message::Subscribe(out)]);
    events
}

/// Acts by the disk that were told, each with its number of files.
fn told(events: &Receiver<Event>) -> Vec<u64> {
    let acts = events.try_iter().filter_map(|event| match event {
        Event::Act(act) if act.author == "Disk" => Some(act.n_files),
        _ => None,
    });
    acts.collect()
}

fn n_automatic(peer: &mut Peer) -> usize {
    match peer.ask(Request::Moments { scope: Scope::Workspace }) {
        Ok(Reply::Moments { moments }) => moments.iter().filter(|moment| moment.automatic).count(),
        other => panic!("{other:?}"),
    }
}

/// Turns until so many files have their new content.
fn half(peer: &mut Peer) {
    let last = name(0);
    for _ in 0..10_000 {
        peer.runtime().turn(Vec::new());
        if peer.text(&last) == Some(new(0)) {
            return assert!(peer.runtime().is_busy(), "the intake is still under way");
        }
    }
    panic!("nothing was taken in");
}

fn all_as_on_disk(peer: &mut Peer) {
    for n in 0..N_FILES {
        assert_eq!(peer.text(&name(n)), peer.on_disk(&name(n)), "{}", name(n));
    }
}

#[test]
fn a_checkout_is_one_act_with_a_moment_before_it_and_undone_as_one() {
    let mut peer = many();
    let events = events(&mut peer);
    let n_before = n_automatic(&mut peer);
    checkout(&peer);
    peer.look_at(&["part0", "part1", "part2"]).settle();
    assert_eq!((told(&events), n_automatic(&mut peer)), (vec![N_FILES as u64], n_before + 1));
    all_as_on_disk(&mut peer);
    match peer.ask(Request::UndoLast) {
        Ok(Reply::Undone(undone)) => assert_eq!(undone.kind, UndoneKind::Applied),
        other => panic!("{other:?}"),
    }
    peer.flush();
    (0..N_FILES).for_each(|n| assert_eq!(peer.on_disk(&name(n)), Some(old(n))));
}

#[test]
fn parts_of_a_mass_change_are_one_act() {
    let mut peer = many();
    let events = events(&mut peer);
    checkout(&peer);
    let n_before = n_automatic(&mut peer);
    for (part, goes_on) in [("part0", true), ("part1", true), ("part2", false)] {
        let paths = [codesync_base::RelPath::parse(part).unwrap()].into();
        let batch = codesync_fs::Batch { paths, mass: true, goes_on, ..Default::default() };
        peer.runtime().turn(vec![Message::Changed(batch)]);
        peer.settle();
        // Typing between two parts is an act of its own.
        peer.edit("typed", 0, 0, "x");
    }
    assert_eq!((told(&events), n_automatic(&mut peer)), (vec![N_FILES as u64], n_before + 1));
    all_as_on_disk(&mut peer);
}

#[test]
fn a_file_written_again_while_it_is_taken_in_has_its_last_content_in_the_end() {
    let mut peer = many();
    checkout(&peer);
    peer.look_at(&["part0", "part1", "part2"]);
    half(&mut peer);
    for n in 0..N_FILES {
        put(&peer.path(&name(n)), &format!("{}and again\n", new(n)));
    }
    peer.look_at(&["part0", "part1", "part2"]).settle();
    all_as_on_disk(&mut peer);
    assert_eq!(peer.text(&name(7)).unwrap(), format!("{}and again\n", new(7)));
}

#[test]
fn what_is_typed_in_files_of_the_change_stays_beside_it() {
    let mut peer = many();
    checkout(&peer);
    // Before the look, during it, and in files that were taken in already.
    peer.edit(&name(298), 0, 0, "typed ");
    peer.look_at(&["part0", "part1", "part2"]);
    peer.edit(&name(299), 0, 0, "typed ");
    half(&mut peer);
    peer.edit(&name(297), 0, 0, "typed ").edit(&name(0), 0, 0, "typed ");
    std::thread::sleep(Duration::from_millis(600));
    // Writing what is due is put off where the disk has what was not taken in yet.
    peer.runtime().turn(Vec::new());
    peer.settle().flush();
    for n in [0, 297, 298, 299] {
        assert_eq!(peer.text(&name(n)), Some(format!("typed {}", new(n))));
    }
    all_as_on_disk(&mut peer);
}

#[test]
fn files_removed_and_made_again_or_renamed_meanwhile_are_what_the_disk_has() {
    let mut peer = many();
    checkout(&peer);
    peer.look_at(&["part0", "part1", "part2"]);
    half(&mut peer);
    let (removed, again, from, to) = (name(296), name(295), name(294), "part1/renamed");
    for path in [&removed, &again] {
        fs::remove_file(peer.path(path)).unwrap();
    }
    fs::rename(peer.path(&from), peer.path(to)).unwrap();
    peer.runtime().turn(Vec::new());
    put(&peer.path(&again), "made again\n");
    peer.look_at(&["part0", "part1", "part2"]).settle();
    let paths = peer.paths();
    assert_eq!(paths.len(), N_FILES - 1);
    assert!(!paths.contains(&removed) && !paths.contains(&from) && paths.contains(&to.to_owned()));
    assert_eq!(peer.text(&again).as_deref(), Some("made again\n"));
    assert_eq!(peer.text(to), Some(new(294)));
}

#[test]
fn killed_in_the_middle_of_a_mass_change_nothing_is_lost_or_taken_in_twice() {
    for is_committed in [false, true] {
        let mut peer = many();
        checkout(&peer);
        (0..40).for_each(|n| put(&peer.path(&format!("part0/new{n:02}")), &format!("new {n}\n").repeat(100)));
        peer.look_at(&["part0", "part1", "part2"]);
        half(&mut peer);
        if is_committed {
            peer.edit("typed", 0, 0, "x");
        }
        peer.reopen_killed();
        all_as_on_disk(&mut peer);
        let n_files = N_FILES + 40 + usize::from(is_committed);
        assert_eq!(peer.paths().len(), n_files, "no file is there twice");
        for n in [0, 1, 150, 299] {
            let Ok(Reply::Timeline(info)) = peer.ask(Request::Timeline { scope: Scope::File(name(n)) }) else {
                panic!("no timeline")
            };
            assert_eq!(info.n_moments, 1, "changed once: {}", name(n));
        }
        let before = peer.runtime().log_heads();
        peer.look_at(&["part0", "part1", "part2"]).settle();
        assert_eq!(peer.runtime().log_heads(), before, "nothing is left to be taken in");
    }
}

#[test]
fn large_files_come_whole_and_from_a_thread_of_their_own() {
    let mut peer = Peer::new(&[("a", "text\n")]);
    let mut bytes: Vec<u8> = (0..3_000_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    bytes[0] = 0;
    fs::write(peer.path("large.bin"), &bytes).unwrap();
    peer.look_at(&["large.bin"]);
    assert!(peer.runtime().is_busy(), "nobody waits for it");
    peer.edit("a", 0, 0, "typed ");
    peer.settle();
    bytes[5] ^= 1;
    fs::write(peer.path("large.bin"), &bytes).unwrap();
    peer.look_at(&["large.bin"]).settle();
    fs::remove_file(peer.path("large.bin")).unwrap();
    peer.look_at(&["large.bin"]).settle();
    assert_eq!(peer.paths(), ["a"]);
    peer.ask(Request::UndoLast).unwrap();
    peer.flush().reopen_killed();
    assert!(fs::read(peer.path("large.bin")).unwrap() == bytes);
    assert_eq!(peer.text("a").as_deref(), Some("typed text\n"));
}
