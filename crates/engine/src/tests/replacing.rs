//! What was found is replaced where it still stands, as one act.

use super::*;
use codesync_api::{Event, FileReplacement, NamedMoment, Stretch};

/// As somebody who found `old` in this text would have it replaced.
fn replacement(path: &str, text: &str, old: &str, new: &str) -> FileReplacement {
    let stretch = |(at, _): (usize, &str)| Stretch {
        position: text[..at].encode_utf16().count() as u32,
        old: old.into(),
        new: new.into(),
    };
    FileReplacement { path: path.into(), stretches: text.match_indices(old).map(stretch).collect() }
}

fn replace(bench: &mut Bench, group_id: Option<String>, files: Vec<FileReplacement>) -> (Option<String>, Vec<String>) {
    let keeps_moment = group_id.is_none();
    match bench.ask(Request::ReplaceInFiles { group_id, keeps_moment, files }) {
        Reply::InFilesReplaced { group_id, changed } => (group_id, changed),
        other => panic!("{other:?}"),
    }
}

fn moments(bench: &mut Bench) -> Vec<NamedMoment> {
    match bench.ask(Request::Moments { scope: Scope::Workspace }) {
        Reply::Moments { moments } => moments,
        other => panic!("{other:?}"),
    }
}

const TEXT: &str = "foo 😀 foofoo\nbar foo\n";

fn bench() -> Bench {
    let mut bench = Bench::new();
    for path in ["a.txt", "b.txt", "c.txt"] {
        bench.edit(path, &[(0, 0, TEXT)]).wait(10_000);
    }
    bench
}

#[test]
fn several_requests_are_one_act_with_a_moment_before() {
    let mut bench = bench();
    let (group, changed) = replace(&mut bench, None, vec![replacement("a.txt", TEXT, "foo", "longer")]);
    assert_eq!(changed, ["a.txt"]);
    // Whoever types meanwhile is not part of it.
    bench.edit("c.txt", &[(0, 0, "typed ")]);
    let (again, changed) = replace(&mut bench, group.clone(), vec![replacement("b.txt", TEXT, "foo", "")]);
    assert_eq!((&again, changed), (&group, vec!["b.txt".to_owned()]));
    assert_eq!(bench.text("a.txt").unwrap(), "longer 😀 longerlonger\nbar longer\n");
    assert_eq!(bench.text("b.txt").unwrap(), " 😀 \nbar \n");
    let moments = moments(&mut bench);
    let before = moments.last().unwrap();
    assert!(before.automatic && before.name.starts_with("Before replace in files "), "{}", before.name);
    assert_eq!(bench.text_at("a.txt", Moment::Delta(before.delta_id.clone())).unwrap(), TEXT);

    bench.undo_group(&group.unwrap());
    assert_eq!(bench.text("a.txt").unwrap(), TEXT);
    assert_eq!(bench.text("b.txt").unwrap(), TEXT);
    assert_eq!(bench.text("c.txt").unwrap(), format!("typed {TEXT}"));
}

#[test]
fn what_is_another_by_now_is_left_as_it_is() {
    let mut bench = bench();
    bench.edit("b.txt", &[(8, 1, "F")]);
    let there = bench.text("b.txt").unwrap();
    let files = vec![
        replacement("b.txt", TEXT, "foo", "new"),
        replacement("gone.txt", TEXT, "foo", "new"),
        replacement("a.txt", TEXT, "foo", "new"),
    ];
    let (group, changed) = replace(&mut bench, None, files);
    assert!(group.is_some());
    assert_eq!((changed, bench.text("b.txt").unwrap()), (vec!["a.txt".to_owned()], there));

    let overlapping = vec![
        Stretch { position: 0, old: "foo".into(), new: "x".into() },
        Stretch { position: 2, old: "o".into(), new: "y".into() },
    ];
    let beyond = vec![Stretch { position: 400, old: "foo".into(), new: "x".into() }];
    for stretches in [overlapping, beyond] {
        let n_before = moments(&mut bench).len();
        let files = vec![FileReplacement { path: "c.txt".into(), stretches }];
        assert_eq!(replace(&mut bench, None, files), (None, Vec::new()));
        assert_eq!(moments(&mut bench).len(), n_before, "there was nothing to be kept");
    }
    let other = Request::ReplaceInFiles { group_id: Some("00:1".into()), keeps_moment: false, files: Vec::new() };
    assert_eq!(bench.try_ask(other).unwrap_err().code, codesync_api::ErrorCode::Invalid);
}

#[test]
fn a_view_gets_one_patch_and_undo_takes_its_part_back() {
    let mut bench = bench();
    let view_id = match bench.ask(Request::OpenView { path: "a.txt".into() }) {
        Reply::View(view) => view.view_id,
        other => panic!("{other:?}"),
    };
    bench.engine.take_events();
    replace(&mut bench, None, vec![replacement("a.txt", TEXT, "foo", "ab")]);
    let patches: Vec<_> = bench
        .engine
        .take_events()
        .into_iter()
        .filter_map(|event| match event {
            Event::ViewPatch(patch) => Some(patch.splices),
            _ => None,
        })
        .collect();
    let told: Vec<_> = patches[0].iter().map(|splice| (splice.0, splice.1, splice.2.as_str())).collect();
    // The two that touch are one.
    assert_eq!((patches.len(), told), (1, vec![(0, 3, "ab"), (6, 6, "abab"), (15, 3, "ab")]));
    match bench.ask(Request::Undo { view_id }) {
        Reply::Undone(undone) => assert_eq!(undone.kind, UndoneKind::Applied),
        other => panic!("{other:?}"),
    }
    assert_eq!(bench.text("a.txt").unwrap(), TEXT);
}

#[test]
fn what_the_folder_does_not_have_yet_is_named() {
    let mut bench = bench();
    let unwritten = |bench: &mut Bench| match bench.ask(Request::ListUnwritten) {
        Reply::Files { paths } => paths,
        other => panic!("{other:?}"),
    };
    bench.write_out();
    assert_eq!(unwritten(&mut bench), Vec::<String>::new());
    replace(&mut bench, None, vec![replacement("b.txt", TEXT, "bar", "baz")]);
    assert_eq!(unwritten(&mut bench), ["b.txt"]);
    match bench.ask(Request::PresentText { path: "b.txt".into() }) {
        Reply::PresentText { text } => assert_eq!(text, TEXT.replace("bar", "baz")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn ten_thousand_at_once_are_one_change() {
    let mut bench = Bench::new();
    let text = "needle in a line\n".repeat(10_000);
    bench.edit("big.txt", &[(0, 0, &text)]).wait(10_000);
    bench.ask(Request::OpenView { path: "big.txt".into() });
    let (group, changed) = replace(&mut bench, None, vec![replacement("big.txt", &text, "needle", "pin")]);
    assert_eq!((changed.len(), bench.text("big.txt").unwrap()), (1, text.replace("needle", "pin")));
    bench.undo_group(&group.unwrap());
    assert_eq!(bench.text("big.txt").unwrap(), text);
}

/// Two things are typed after a replacement, and that is taken back: no undo of one's own brings it back with what was typed.
#[test]
fn what_was_taken_back_out_of_its_order_is_undone_like_any_other_act() {
    let mut bench = bench();
    let replaced = TEXT.replace("foo", "longer");
    let (group, _) = replace(&mut bench, None, vec![replacement("a.txt", TEXT, "foo", "longer")]);
    let Reply::View(view) = bench.wait(5_000).ask(Request::OpenView { path: "a.txt".into() }) else { panic!() };
    for (request_id, text) in [(1, "B"), (2, "C")] {
        let end = bench.text("a.txt").unwrap().encode_utf16().count() as u32;
        super::editing::type_text(&mut bench, view.view_id, request_id, Splice(end, 0, text.into()));
        bench.wait(5_000);
    }
    bench.ask(Request::NameMoment { name: "good".into(), note: Some("something else".into()), at: None });
    bench.undo_group(&group.unwrap());
    assert_eq!(bench.text("a.txt").unwrap(), format!("{TEXT}BC"));
    let query = codesync_api::LogQuery { limit: 100, ..Default::default() };
    let Reply::Log { records, .. } = bench.ask(Request::Log { query }) else { panic!() };
    assert_eq!(records.last().unwrap().sentence.as_deref(), Some("Asha restored a.txt."));
    for left in [format!("{replaced}BC"), format!("{replaced}B"), replaced] {
        bench.ask(Request::Undo { view_id: view.view_id });
        assert_eq!(bench.text("a.txt").unwrap(), left);
    }
}

#[test]
fn walking_back_passes_over_what_was_taken_back_and_what_took_it_back() {
    let mut bench = bench();
    let replaced = TEXT.replace("foo", "longer");
    let (group, _) = replace(&mut bench, None, vec![replacement("a.txt", TEXT, "foo", "longer")]);
    bench.wait(5_000).edit("a.txt", &[(0, 0, "B ")]).wait(5_000);
    let group_id = group.unwrap();
    let Reply::Undone(undone) = bench.ask(Request::UndoGroup { group_id }) else { panic!() };
    assert_eq!(bench.undo_last(), UndoneKind::Applied);
    assert_eq!(bench.text("a.txt").unwrap(), TEXT);
    // What took it back is taken back itself: it stands again.
    bench.undo_group(&undone.group_id.unwrap());
    assert_eq!(bench.text("a.txt").unwrap(), replaced);
    assert_eq!(bench.undo_last(), UndoneKind::Applied);
    assert_eq!(bench.text("a.txt").unwrap(), TEXT);
    // Then what was there before all this.
    assert_eq!(bench.undo_last(), UndoneKind::Applied);
    assert_eq!((bench.text("a.txt").unwrap().as_str(), bench.text("c.txt").unwrap().as_str()), (TEXT, ""));
}
