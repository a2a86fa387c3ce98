//! Edits, files, undo.

use super::*;

#[test]
fn edits_are_there_after_reopening() {
    let mut bench = Bench::new();
    bench.edit("a.rs", &[(0, 0, "hello"), (5, 0, " wörld 🙂"), (0, 1, "H")]);
    assert_eq!(bench.text("a.rs").unwrap(), "Hello wörld 🙂");
    bench.reopen();
    assert_eq!(bench.text("a.rs").unwrap(), "Hello wörld 🙂");
    assert_eq!(bench.text_at("a.rs", Moment::Step(1)).unwrap(), "hello");
    assert_eq!(bench.text_at("a.rs", Moment::Step(0)).unwrap(), "");
}

#[test]
fn a_bad_edit_stops_the_rest_and_keeps_what_was_before() {
    let mut bench = Bench::new();
    let edits = vec![Splice(0, 0, "a🙂b".into()), Splice(2, 0, "x".into()), Splice(0, 0, "y".into())];
    let refused = bench.try_ask(Request::EditFile { path: "a".into(), edits }).unwrap_err();
    assert_eq!(refused.detail.as_deref(), Some("applied 1"));
    assert_eq!(bench.text("a").unwrap(), "a🙂b");
    let edits = vec![Splice(9, 0, "x".into())];
    assert!(bench.try_ask(Request::EditFile { path: "a".into(), edits }).is_err());
}

#[test]
fn a_long_paste_is_one_step() {
    let mut bench = Bench::new();
    let long = "0123456789\n".repeat(20_000);
    bench.edit("big", &[(0, 0, &long), (5, long.len() as u32 - 10, "")]);
    assert_eq!(bench.n_moments(Scope::File("big".into())), 2);
    assert_eq!(bench.text_at("big", Moment::Step(1)).unwrap(), long);
    bench.reopen();
    assert_eq!(bench.text("big").unwrap(), format!("{}{}", &long[..5], &long[long.len() - 5..]));
}

#[test]
fn a_text_typed_key_by_key_can_be_deleted_in_one_step() {
    let mut bench = Bench::new();
    for i in 0..400u32 {
        // Each key is a delta of its own, and in random order, so that hardly two units have one name.
        let at = (i * 7919) % (i + 1);
        bench.edit("a", &[(at, 0, "x")]);
    }
    bench.edit("a", &[(0, 400, "all new")]);
    assert_eq!(bench.text("a").unwrap(), "all new");
    assert_eq!(bench.n_moments(Scope::File("a".into())), 401);
    bench.reopen();
    assert_eq!(bench.text("a").unwrap(), "all new");
}

#[test]
fn deleting_more_ranges_than_a_delta_may_name_is_spread_over_steps() {
    let mut bench = Bench::new();
    for i in 0..4_000u32 {
        bench.edit("a", &[((i * 7919) % (i + 1), 0, "x")]);
    }
    bench.edit("a", &[(0, 4_000, "y")]);
    assert_eq!(bench.text("a").unwrap(), "y");
    bench.reopen();
    assert_eq!(bench.text("a").unwrap(), "y");
}

#[test]
fn files_are_created_renamed_deleted_and_brought_back_with_their_history() {
    let mut bench = Bench::new();
    bench.edit("src/a.rs", &[(0, 0, "one")]);
    bench.ask(Request::Rename { from: "src".into(), to: "lib".into() });
    bench.edit("lib/a.rs", &[(3, 0, " two")]);
    assert_eq!(bench.paths(), ["lib/a.rs"]);
    bench.ask(Request::Delete { path: "lib/a.rs".into() });
    assert_eq!(bench.paths(), Vec::<String>::new());
    let Reply::Deleted { files } = bench.ask(Request::ListDeleted { limit: 10 }) else { panic!() };
    assert_eq!((files.len(), files[0].path.as_str(), files[0].author.as_str()), (1, "lib/a.rs", "Asha"));
    bench.ask(Request::Undelete { file_id: files[0].file_id.clone() });
    assert_eq!(bench.text("lib/a.rs").unwrap(), "one two");
    assert_eq!(bench.text_at("lib/a.rs", Moment::Step(1)).unwrap(), "one");
}

#[test]
fn a_folder_stays_when_its_last_file_is_deleted_or_moved_by_hand() {
    let mut bench = Bench::new();
    bench.edit("src/deep/a.rs", &[(0, 0, "one")]);
    bench.ask(Request::Delete { path: "src/deep/a.rs".into() });
    let kept = |bench: &mut Bench, path: &str| {
        let path = codesync_base::RelPath::parse(path).unwrap();
        bench.engine.tree().by_path(&path).is_some_and(|node| node.kind == codesync_base::FileKind::Folder)
    };
    assert!(kept(&mut bench, "src/deep"));
    bench.ask(Request::Rename { from: "src/deep".into(), to: "deep".into() });
    assert!(kept(&mut bench, "deep") && kept(&mut bench, "src"));
    bench.ask(Request::Delete { path: "src".into() });
    assert!(!kept(&mut bench, "src"));
}

#[test]
fn names_that_are_taken_or_impossible_are_refused_in_words() {
    let mut bench = Bench::new();
    bench.edit("a", &[(0, 0, "x")]);
    bench.ask(Request::CreateFolder { path: "f".into() });
    for (request, words) in [
        (Request::CreateFile { path: "a".into(), text: String::new() }, "already there"),
        (Request::CreateFile { path: "a/b".into(), text: String::new() }, "is a file"),
        (Request::CreateFile { path: "../x".into(), text: String::new() }, "out of the workspace"),
        (Request::CreateFile { path: ".git/hooks/x".into(), text: String::new() }, "version control"),
        (Request::CreateFile { path: "CON".into(), text: String::new() }, "Windows"),
        (Request::Rename { from: "a".into(), to: "f".into() }, "already there"),
        (Request::Rename { from: "f".into(), to: "f/g".into() }, "into itself"),
        (Request::Rename { from: "nope".into(), to: "x".into() }, "not in this workspace"),
        (Request::Delete { path: "nope".into() }, "not in this workspace"),
    ] {
        let refused = bench.try_ask(request).unwrap_err();
        assert!(refused.message.contains(words), "{}", refused.message);
    }
}

#[test]
fn a_file_may_have_its_text_from_the_beginning_and_undo_leaves_it_there() {
    let mut bench = Bench::new();
    for (path, text) in [("short.txt", "one\r\ntwo\rthree".to_owned()), ("long.txt", "a line\n".repeat(2_000))] {
        bench.ask(Request::CreateFile { path: path.into(), text: text.clone() });
        let Reply::View(view) = bench.ask(Request::OpenView { path: path.into() }) else { panic!() };
        assert_eq!(view.text, text.replace("\r\n", "\n").replace('\r', "\n"));
        bench.ask(Request::Undo { view_id: view.view_id });
        assert_eq!(bench.text(path), Some(view.text));
    }
}

#[test]
fn undo_goes_back_word_by_word_and_redo_returns() {
    let mut bench = Bench::new();
    let view_id = open_view(&mut bench);
    for (i, key) in "let x = 1".chars().enumerate() {
        bench.wait(50);
        type_text(&mut bench, view_id, i as u64 + 1, Splice(i as u32, 0, key.into()));
    }
    let mut seen = vec![bench.text("a").unwrap()];
    while undo(&mut bench, view_id) == UndoneKind::Applied {
        seen.push(bench.text("a").unwrap());
    }
    assert_eq!(seen, ["let x = 1", "let x = ", "let x ", "let ", ""]);
    while redo(&mut bench, view_id) == UndoneKind::Applied {}
    assert_eq!(bench.text("a").unwrap(), "let x = 1");
}

#[test]
fn undo_takes_back_mine_only_and_survives_the_program() {
    let mut bench = Bench::new();
    let view_id = open_view(&mut bench);
    type_text(&mut bench, view_id, 1, Splice(0, 0, "mine ".into()));
    bench.write_out();
    bench.disk_has(&[("a", b"mine disk")], false);
    assert_eq!(bench.text("a").unwrap(), "mine disk");
    bench.reopen();
    let view_id = open_view(&mut bench);
    assert_eq!(undo(&mut bench, view_id), UndoneKind::Applied);
    assert_eq!(bench.text("a").unwrap(), "disk");
    assert_eq!(undo(&mut bench, view_id), UndoneKind::NothingToUndo);
}

#[test]
fn undo_after_undo_and_new_typing_takes_the_right_things_back() {
    let mut bench = Bench::new();
    let view_id = open_view(&mut bench);
    type_text(&mut bench, view_id, 1, Splice(0, 0, "abc".into()));
    bench.wait(5_000);
    type_text(&mut bench, view_id, 2, Splice(1, 1, String::new()));
    assert_eq!(bench.text("a").unwrap(), "ac");
    undo(&mut bench, view_id);
    assert_eq!(bench.text("a").unwrap(), "abc");
    undo(&mut bench, view_id);
    assert_eq!(bench.text("a").unwrap(), "");
    redo(&mut bench, view_id);
    redo(&mut bench, view_id);
    assert_eq!(bench.text("a").unwrap(), "ac");
    bench.wait(5_000);
    undo(&mut bench, view_id);
    bench.wait(5_000);
    type_text(&mut bench, view_id, 3, Splice(3, 0, "!".into()));
    assert_eq!(redo(&mut bench, view_id), UndoneKind::NothingToUndo);
    undo(&mut bench, view_id);
    undo(&mut bench, view_id);
    assert_eq!(bench.text("a").unwrap(), "");
}

pub(super) fn open_view(bench: &mut Bench) -> u32 {
    if bench.text("a").is_none() {
        bench.ask(Request::CreateFile { path: "a".into(), text: String::new() });
    }
    match bench.ask(Request::OpenView { path: "a".into() }) {
        Reply::View(view) => view.view_id,
        other => panic!("{other:?}"),
    }
}

/// Types in a view that has seen everything.
pub(super) fn type_text(bench: &mut Bench, view_id: u32, request_id: u64, splice: Splice) {
    let base_revision = bench.engine.views[&view_id].revision();
    let edit = codesync_api::ViewEdit { request_id, base_revision, stays_left: false, splices: vec![splice] };
    bench.ask(Request::EditView { view_id, edit });
}

fn undo(bench: &mut Bench, view_id: u32) -> UndoneKind {
    match bench.ask(Request::Undo { view_id }) {
        Reply::Undone(undone) => undone.kind,
        other => panic!("{other:?}"),
    }
}

/// A log begins a life of its own after a removal, and after a backup that was put back.
#[test]
fn undo_goes_back_beyond_the_beginning_of_another_life() {
    let mut bench = Bench::new();
    let view_id = open_view(&mut bench);
    type_text(&mut bench, view_id, 1, Splice(0, 0, "before".into()));
    let now = bench.wait(5_000).now();
    bench.engine.begin_incarnation(77, now).unwrap();
    type_text(&mut bench, view_id, 2, Splice(6, 0, " and after".into()));
    assert_eq!((undo(&mut bench, view_id), bench.text("a").unwrap().as_str()), (UndoneKind::Applied, "before"));
    assert_eq!((undo(&mut bench, view_id), bench.text("a").unwrap().as_str()), (UndoneKind::Applied, ""));
    assert_eq!(undo(&mut bench, view_id), UndoneKind::NothingToUndo);
}

fn redo(bench: &mut Bench, view_id: u32) -> UndoneKind {
    match bench.ask(Request::Redo { view_id }) {
        Reply::Undone(undone) => undone.kind,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_kept_whole_says_why() {
    let mut bench = Bench::new();
    let many_lines = b"\n".repeat(codesync_base::limits::TEXT_FILE_LINES_MAX as usize + 1);
    bench.disk_has(&[("many.log", &many_lines), ("picture.png", b"\x89PNG\0\0")], false);
    for (path, reason) in
        [("many.log", codesync_api::ReadOnlyReason::TooLarge), ("picture.png", codesync_api::ReadOnlyReason::Binary)]
    {
        let Reply::View(view) = bench.ask(Request::OpenView { path: path.into() }) else { panic!() };
        assert_eq!(view.read_only, Some(reason), "{path}");
    }
}

#[test]
fn both_kinds_of_line_ends_are_said_until_the_text_changes() {
    let mut bench = Bench::new();
    let files: [(&str, &[u8]); 4] =
        [("mixed.txt", b"a\r\nb\nc\n"), ("old.txt", b"a\rb\n"), ("windows.txt", b"a\r\nb\r\n"), ("plain.txt", b"a\n")];
    bench.disk_has(&files, false);
    let is_mixed = |bench: &mut Bench, path: &str| match bench.ask(Request::OpenView { path: path.into() }) {
        Reply::View(view) => view.mixed_line_ends,
        other => panic!("{other:?}"),
    };
    assert_eq!(files.map(|(path, _)| is_mixed(&mut bench, path)), [true, true, false, false]);
    bench.ask(Request::EditFile { path: "mixed.txt".into(), edits: vec![codesync_api::Splice(0, 1, "x".into())] });
    assert!(!is_mixed(&mut bench, "mixed.txt"));
}

#[test]
fn a_view_of_a_file_that_is_no_text_any_more_is_opened_anew() {
    let mut bench = Bench::new();
    let view_id = open_view(&mut bench);
    type_text(&mut bench, view_id, 1, Splice(0, 0, "text".into()));
    for bytes in [&b"PNG\0\0"[..], b"text again"] {
        bench.engine.take_events();
        bench.disk_has(&[("a", bytes)], false);
        let events = bench.engine.take_events();
        let moved = events.into_iter().find_map(|event| match event {
            codesync_api::Event::ViewMoved { view_id: moved, path } if moved == view_id => Some(path),
            _ => None,
        });
        assert_eq!(moved, Some(None));
        let Reply::View(view) = bench.ask(Request::OpenView { path: "a".into() }) else { panic!() };
        assert_eq!(view.read_only.is_some(), bytes.contains(&0));
        if view.read_only.is_some() {
            let base_revision = bench.engine.views[&view_id].revision();
            let splices = vec![Splice(0, 0, "more ".into())];
            let edit = codesync_api::ViewEdit { request_id: 2, base_revision, stays_left: false, splices };
            let refusal = bench.try_ask(Request::EditView { view_id, edit }).unwrap_err();
            assert_eq!(refusal.code, codesync_api::ErrorCode::NotText);
        }
    }
    assert_eq!(bench.text("a").unwrap(), "text again");
}
