//! The disk changes while the workspace has changes that the disk has not got yet.

use super::*;
use crate::DiskBase;
use codesync_base::{BlobHash, FileId};

fn file(bytes: &str) -> IntakeKind {
    IntakeKind::File { bytes: bytes.into(), mode: 0o644, base: None }
}

fn id(bench: &Bench, path: &str) -> FileId {
    bench.engine.node_at(path).unwrap().file
}

/// As the bridge tells it: what was last on disk at the path is known.
fn disk(bench: &mut Bench, path: &str, known: FileId, kind: IntakeKind) {
    let now = bench.now();
    let mut run = bench.engine.begin_intake(false, false, now).unwrap();
    let path = RelPath::parse(path).unwrap();
    bench.engine.take_in(&mut run, Intake { path, known: Some(known), kind }, now).unwrap();
    bench.engine.end_intake(run, false).unwrap();
    bench.engine.sync(now).unwrap();
}

#[test]
fn typing_while_an_intake_begins_is_an_act_of_its_own() {
    let mut bench = Bench::new();
    bench.edit("mine", &[(0, 0, "mine")]);
    let now = bench.wait(60_000).now();
    let mut run = bench.engine.begin_intake(false, false, now).unwrap();
    bench.edit("mine", &[(4, 0, " too")]);
    let path = RelPath::parse("theirs").unwrap();
    bench.engine.take_in(&mut run, Intake { path, known: None, kind: file("theirs") }, now).unwrap();
    bench.engine.end_intake(run, false).unwrap();
    assert_eq!(bench.undo_last(), UndoneKind::Applied);
    assert_eq!(bench.paths(), ["mine"]);
    assert_eq!(bench.text("mine").unwrap(), "mine too");
}

#[test]
fn a_change_on_disk_follows_a_file_that_was_renamed_here_meanwhile() {
    let mut bench = Bench::new();
    bench.disk_has(&[("a", b"one\ntwo\n")], false);
    let known = id(&bench, "a");
    bench.ask(Request::Rename { from: "a".into(), to: "b".into() });
    disk(&mut bench, "a", known, file("one\ntwo\nthree\n"));
    assert_eq!(bench.paths(), ["b"]);
    assert_eq!(bench.text("b").unwrap(), "one\ntwo\nthree\n");
    assert!(bench.engine.next_write_ms(bench.now()).is_some(), "the disk still has to hear of the new name");
}

#[test]
fn a_removal_on_disk_does_not_hit_the_file_that_took_the_name_since() {
    let mut bench = Bench::new();
    bench.disk_has(&[("a", b"old")], false);
    let known = id(&bench, "a");
    bench.ask(Request::Rename { from: "a".into(), to: "b".into() });
    bench.edit("a", &[(0, 0, "new")]);
    disk(&mut bench, "a", known, IntakeKind::Removed);
    assert_eq!((bench.text("a").unwrap(), bench.text("b").unwrap()), ("new".into(), "old".into()));
    disk(&mut bench, "c", known, IntakeKind::RenamedFrom(RelPath::parse("a").unwrap()));
    assert_eq!(bench.paths(), ["a", "b"]);
    assert_eq!(bench.text("a").unwrap(), "new");
}

#[test]
fn two_programs_that_create_one_file_both_keep_their_text() {
    let mut bench = Bench::new();
    bench.edit("a", &[(0, 0, "mine\n")]);
    let now = bench.now();
    let mut run = bench.engine.begin_intake(false, false, now).unwrap();
    let path = RelPath::parse("a").unwrap();
    bench.engine.take_in(&mut run, Intake { path, known: None, kind: file("theirs\n") }, now).unwrap();
    bench.engine.end_intake(run, false).unwrap();
    assert_eq!(bench.paths(), ["a", "a (2)"]);
    assert_eq!((bench.text("a").unwrap(), bench.text("a (2)").unwrap()), ("mine\n".into(), "theirs\n".into()));
}

#[test]
fn the_steps_that_the_disk_has_are_counted_before_they_are_closed() {
    let mut bench = Bench::new();
    let now = bench.now();
    let mut run = bench.engine.begin_intake(false, false, now).unwrap();
    let path = RelPath::parse("a").unwrap();
    let intake = |known, text: &str| Intake { path: path.clone(), known, kind: file(text) };
    let id = bench.engine.take_in(&mut run, intake(None, "one\n"), now).unwrap().unwrap();
    assert_eq!(bench.engine.n_steps_on_disk(id), Some(0));
    bench.engine.end_intake(run, false).unwrap();
    let mut run = bench.engine.begin_intake(false, false, now).unwrap();
    bench.engine.take_in(&mut run, intake(Some(id), "one\ntwo\n"), now).unwrap().unwrap();
    assert_eq!(bench.engine.n_steps_on_disk(id), Some(1));
    bench.engine.end_intake(run, false).unwrap();
    assert_eq!(bench.engine.n_steps_on_disk(id), Some(1));
}

#[test]
fn a_file_that_gets_its_wanted_name_back_is_written_there() {
    let mut bench = Bench::new();
    bench.disk_has(&[("a", b"first"), ("b", b"second")], false);
    let second = id(&bench, "b");
    // Both want the path: the younger is shown beside it.
    disk(&mut bench, "a", second, IntakeKind::RenamedFrom(RelPath::parse("b").unwrap()));
    assert_eq!(bench.paths(), ["a", "a (2)"]);
    bench.write_out();
    bench.ask(Request::Delete { path: "a".into() });
    assert_eq!(bench.paths(), ["a"]);
    let later = Now { ms: bench.now_ms + 60_000, ..bench.now() };
    let due = bench.engine.due_writes(later, 10);
    assert!(due.contains(&second), "the disk still has it at “a (2)”");
}

#[test]
fn a_change_on_disk_is_measured_against_what_the_disk_really_had() {
    let mut bench = Bench::new();
    bench.edit("a", &[(0, 0, "one\n")]).edit("a", &[(4, 0, "two\n")]).edit("a", &[(8, 0, "three\n")]);
    let file = bench.engine.text_file_at("a").unwrap();
    bench.engine.written(file);
    let take = |bench: &mut Bench, bytes: &str, n_steps: u64, had: &str| {
        let base = Some(DiskBase { n_steps, hash: BlobHash::of(had.as_bytes()) });
        let kind = IntakeKind::File { bytes: bytes.into(), mode: 0o644, base };
        let now = bench.now();
        let mut run = bench.engine.begin_intake(false, false, now).unwrap();
        let intake = Intake { path: RelPath::parse("a").unwrap(), known: Some(file), kind };
        bench.engine.take_in(&mut run, intake, now).unwrap();
        bench.engine.end_intake(run, false).unwrap();
    };
    // The number says one step, the bytes were those of two: the third line was not removed by that program.
    take(&mut bench, "one\nTWO\n", 1, "one\ntwo\n");
    assert_eq!(bench.text("a").unwrap(), "one\nTWO\nthree\n");
    // Bytes that were never ours: nobody can tell what was changed.
    bench.engine.written(file);
    take(&mut bench, "of somebody else\n", 3, "never here\n");
    assert_eq!(bench.text("a").unwrap(), "one\nTWO\nthree\n");
    assert_eq!(bench.text("a (2)").unwrap(), "of somebody else\n");
    let later = Now { ms: bench.now_ms + 60_000, ..bench.now() };
    let due = bench.engine.due_writes(later, 10);
    assert!(due.contains(&file) && due.contains(&id(&bench, "a (2)")), "the disk has neither at its place");
}

#[test]
fn a_text_that_was_none_for_a_while_is_what_stands_on_disk() {
    let mut bench = Bench::new();
    bench.disk_has(&[("taken in", b"one\ntwo\n")], false);
    bench.edit("typed", &[(0, 0, "one\n")]).edit("typed", &[(4, 0, "two\n")]).write_out();
    for path in ["taken in", "typed"] {
        let known = id(&bench, path);
        disk(&mut bench, path, known, file("PNG\0\0"));
        assert_eq!(bench.engine.n_steps_on_disk(known), None);
        // As it was noted once.
        let base = Some(DiskBase { n_steps: 2, hash: BlobHash::of(b"PNG\0\0") });
        disk(&mut bench, path, known, IntakeKind::File { bytes: "one\nTWO\n".into(), mode: 0o644, base });
        assert_eq!(bench.text(path).unwrap(), "one\nTWO\n");
    }
    assert_eq!(bench.paths(), ["taken in", "typed"]);
}

#[test]
fn a_file_gone_from_disk_takes_nothing_along_that_is_in_a_folder_of_its_name() {
    let mut bench = Bench::new();
    bench.disk_has(&[("x", b"file")], false);
    let known = id(&bench, "x");
    bench.ask(Request::Delete { path: "x".into() });
    bench.edit("x/a", &[(0, 0, "kept")]);
    disk(&mut bench, "x", known, IntakeKind::Removed);
    assert_eq!(bench.paths(), ["x/a"]);
    // Where the disk had a folder, all of it goes.
    bench.intake(vec![("x", IntakeKind::Removed)], false);
    assert_eq!(bench.paths(), Vec::<String>::new());
}

#[test]
fn a_clock_that_is_set_back_keeps_no_file_from_the_disk() {
    let mut bench = Bench::new();
    bench.wait(86_400_000).edit("a", &[(0, 0, "text")]);
    let known = id(&bench, "a");
    bench.now_ms -= 86_400_000;
    let now = bench.now();
    assert_eq!(bench.engine.next_write_ms(now), Some(now.ms));
    assert_eq!(bench.engine.due_writes(now, 10), [known]);
    // What waits until it is saved goes on waiting.
    bench.write_out();
    bench.engine.set_auto_save(crate::AutoSave::Off, now);
    let view_id = super::editing::open_view(&mut bench);
    super::editing::type_text(&mut bench, view_id, 1, Splice(0, 0, "more ".into()));
    assert_eq!((bench.engine.next_write_ms(now), bench.engine.due_writes(now, 10)), (None, vec![]));
}
