//! The past: moments, disk changes, restores and their undoing.

use super::*;
use codesync_api::{BlameSpan, HistoryHitKind, RestoreTarget, Restored};

fn restore(bench: &mut Bench, target: RestoreTarget, at: Moment) -> Restored {
    match bench.ask(Request::Restore { target, at }) {
        Reply::Restored(restored) => restored,
        other => panic!("{other:?}"),
    }
}

/// Texts of all files.
fn everything(bench: &mut Bench) -> Vec<(String, String)> {
    let paths = bench.paths();
    paths.into_iter().map(|path| (path.clone(), bench.text(&path).unwrap_or_default())).collect()
}

#[test]
fn a_mass_change_is_one_act_with_a_moment_before_it_and_one_restore_brings_all_back() {
    let mut bench = Bench::new();
    for i in 0..30 {
        bench.edit(&format!("src/f{i}.rs"), &[(0, 0, "original\n"), (9, 0, "line two\n")]);
    }
    let before = everything(&mut bench);
    bench.wait(60_000);
    let gone = (0..20).map(|i| format!("src/f{i}.rs")).collect::<Vec<_>>();
    let mut items: Vec<(&str, IntakeKind)> = gone.iter().map(|path| (path.as_str(), IntakeKind::Removed)).collect();
    let file = |text: &str| IntakeKind::File { bytes: text.into(), mode: 0o644, base: None };
    items.push(("src/f25.rs", file("changed\n")));
    items.push(("new.txt", file("new\n")));
    items.push(("moved.rs", IntakeKind::RenamedFrom(RelPath::parse("src/f26.rs").unwrap())));
    bench.intake(items, true);
    let after = everything(&mut bench);
    assert_eq!(after.len(), 11);

    let Reply::Moments { moments } = bench.ask(Request::Moments { scope: Scope::Workspace }) else { panic!() };
    let moment = moments.last().unwrap();
    assert!(moment.automatic && moment.name.starts_with("Before disk change "));
    let records = log(&mut bench);
    let record = records.last().unwrap();
    assert_eq!((record.kind.as_str(), record.user_id.as_str(), record.n_files), ("disk", "Disk", Some(23)));

    let restored = restore(&mut bench, RestoreTarget::Workspace, Moment::Name(moment.name.clone()));
    assert_eq!(everything(&mut bench), before);
    bench.undo_group(&restored.group_id.unwrap());
    assert_eq!(everything(&mut bench), after);
    bench.reopen();
    assert_eq!(everything(&mut bench), after);
    // The mass change itself can be taken back, too.
    let group = record.group_id.clone().unwrap();
    bench.undo_group(&group);
    assert_eq!(everything(&mut bench), before);
}

fn log(bench: &mut Bench) -> Vec<codesync_api::LogRecord> {
    let query = codesync_api::LogQuery { limit: 1_000, ..Default::default() };
    match bench.ask(Request::Log { query }) {
        Reply::Log { records, next } => {
            assert_eq!(next, None);
            records
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_and_a_selection_come_back_and_go_again() {
    let mut bench = Bench::new();
    bench.edit("a", &[(0, 0, "one\ntwo\nthree\n")]);
    bench.wait(10_000).edit("a", &[(4, 4, "")]);
    bench.wait(10_000).edit("a", &[(0, 0, "zero\n")]);
    assert_eq!(bench.text("a").unwrap(), "zero\none\nthree\n");
    let lines = RestoreTarget::Lines { path: "a".into(), first: 2, last: 2 };
    let restored = restore(&mut bench, lines, Moment::Step(1));
    assert_eq!(bench.text("a").unwrap(), "zero\none\ntwo\nthree\n");
    bench.undo_group(&restored.group_id.unwrap());
    assert_eq!(bench.text("a").unwrap(), "zero\none\nthree\n");
    let restored = restore(&mut bench, RestoreTarget::File { path: "a".into() }, Moment::Step(1));
    assert_eq!(bench.text("a").unwrap(), "one\ntwo\nthree\n");
    assert!(restored.sentence.starts_with("Restored a to "), "{}", restored.sentence);
    bench.undo_group(&restored.group_id.unwrap());
    assert_eq!(bench.text("a").unwrap(), "zero\none\nthree\n");
    let nothing = restore(&mut bench, RestoreTarget::File { path: "a".into() }, Moment::Now);
    assert_eq!(nothing.group_id, None);
}

#[test]
fn a_deleted_and_a_renamed_file_come_back_by_restore() {
    let mut bench = Bench::new();
    bench.edit("old/name.rs", &[(0, 0, "text")]).edit("b", &[(0, 0, "bee")]);
    bench.ask(Request::NameMoment { name: "good".into(), note: None, at: None });
    bench.wait(1_000);
    bench.ask(Request::Rename { from: "old/name.rs".into(), to: "new.rs".into() });
    bench.ask(Request::Delete { path: "b".into() });
    let now = everything(&mut bench);
    let one = restore(&mut bench, RestoreTarget::File { path: "b".into() }, Moment::Name("good".into()));
    assert_eq!(bench.text("b").unwrap(), "bee");
    let two = restore(&mut bench, RestoreTarget::File { path: "new.rs".into() }, Moment::Name("good".into()));
    assert_eq!(bench.paths(), ["b", "old/name.rs"]);
    bench.undo_group(&two.group_id.unwrap());
    bench.undo_group(&one.group_id.unwrap());
    assert_eq!(everything(&mut bench), now);
    let folder = restore(&mut bench, RestoreTarget::Folder { path: "old".into() }, Moment::Name("good".into()));
    assert_eq!(bench.paths(), ["old/name.rs"]);
    bench.undo_group(&folder.group_id.unwrap());
    assert_eq!(everything(&mut bench), now);
}

#[test]
fn undo_last_walks_back_through_all_kinds_of_acts() {
    let mut bench = Bench::new();
    bench.edit("a", &[(0, 0, "one")]);
    bench.wait(10_000).edit("a", &[(3, 0, " two")]);
    bench.ask(Request::Rename { from: "a".into(), to: "b".into() });
    bench.wait(10_000).disk_has(&[("b", b"formatted")], false);
    assert_eq!(bench.undo_last(), UndoneKind::Applied);
    assert_eq!(bench.text("b").unwrap(), "one two");
    assert_eq!(bench.undo_last(), UndoneKind::Applied);
    assert_eq!(bench.paths(), ["a"]);
    assert_eq!(bench.undo_last(), UndoneKind::Applied);
    assert_eq!(bench.text("a").unwrap(), "one");
}

#[test]
fn bytes_that_text_alone_would_not_give_back_are_kept() {
    let mut bench = Bench::new();
    let files: [(&str, &[u8]); 5] = [
        ("mixed.txt", b"a\r\nb\nc\r\n"),
        ("latin.txt", b"caf\xe9\n"),
        ("bom.txt", b"\xef\xbb\xbfhi\r\n"),
        ("bin", b"\0\x01\x02"),
        ("empty", b""),
    ];
    bench.disk_has(&files, false);
    for (path, bytes) in files {
        let file = bench.engine.tree().by_path(&RelPath::parse(path).unwrap()).unwrap().file;
        let image = bench.engine.disk_image(file).unwrap().unwrap();
        assert_eq!(image.kind, crate::DiskImageKind::File { bytes: bytes.to_vec() }, "{path}");
    }
    bench.ask(Request::Delete { path: "mixed.txt".into() });
    bench.undo_last();
    let file = bench.engine.tree().by_path(&RelPath::parse("mixed.txt").unwrap()).unwrap().file;
    let image = bench.engine.disk_image(file).unwrap().unwrap();
    assert_eq!(image.kind, crate::DiskImageKind::File { bytes: files[0].1.to_vec() });
}

#[test]
fn disk_and_typing_at_once_keep_both() {
    let mut bench = Bench::new();
    bench.disk_has(&[("a", b"one\ntwo\nthree\n")], false);
    bench.edit("a", &[(0, 0, "typed\n")]);
    // The disk changed its own copy, which lacks what was typed.
    bench.disk_has(&[("a", b"one\ntwo\nTHREE\n")], false);
    assert_eq!(bench.text("a").unwrap(), "typed\none\ntwo\nTHREE\n");
}

#[test]
fn blame_and_search_tell_who_and_when() {
    let mut bench = Bench::new();
    bench.disk_has(&[("a", b"disk text\n")], false);
    bench.edit("a", &[(0, 0, "needle ")]);
    bench.wait(5_000).edit("a", &[(0, 7, "")]);
    bench.wait(5_000).edit("a", &[(0, 0, "x")]);
    let Reply::Blame { spans } = bench.ask(Request::Blame { path: "a".into(), at: None }) else { panic!() };
    let told: Vec<(u32, u32, &str)> = spans
        .iter()
        .map(|BlameSpan { position, length, author, .. }| (*position, *length, author.name.as_str()))
        .collect();
    assert_eq!(told, [(0, 1, "Asha"), (1, 10, "Disk")]);
    let find = Request::FindInHistory { text: "needle".into(), scope: Scope::Workspace, limit: 10 };
    let Reply::Found { hits, truncated } = bench.ask(find) else { panic!() };
    let told: Vec<_> = hits.iter().map(|hit| (hit.kind, hit.index, hit.author.name.as_str())).collect();
    assert_eq!(told, [(HistoryHitKind::Appeared, 1, "Asha"), (HistoryHitKind::Vanished, 2, "Asha")]);
    assert!(!truncated);
}

#[test]
fn moments_that_do_not_exist_are_refused_in_words() {
    let mut bench = Bench::new();
    bench.edit("a", &[(0, 0, "x")]);
    for (at, words) in [
        (Moment::Step(5), "only 1 moments"),
        (Moment::Name("nope".into()), "No moment is named"),
        (Moment::Delta("ffff".into()), "No moment has the id"),
    ] {
        let refused = bench.try_ask(Request::FileAt { path: "a".into(), at }).unwrap_err();
        assert!(refused.message.contains(words), "{}", refused.message);
    }
    let target = RestoreTarget::Lines { path: "a".into(), first: 7, last: 9 };
    assert!(bench.try_ask(Request::Restore { target, at: Moment::Step(1) }).is_err());
}

#[test]
fn a_bundle_gives_the_same_history_elsewhere() {
    let mut bench = Bench::new();
    bench.edit("a", &[(0, 0, &"long text\n".repeat(2_000)), (3, 4, "🙂")]).disk_has(&[("b.bin", b"\0\0")], false);
    bench.ask(Request::NameMoment { name: "here".into(), note: Some("why".into()), at: None });
    let (bytes, n_deltas) = bench.engine.export_bundle().unwrap();
    let bundle = crate::Bundle::read(&bytes).unwrap();
    assert_eq!(bundle.deltas.len() as u64, n_deltas);
    let mut other = Bench::new();
    let (mut log, _) =
        Log::open_with(Box::new(MemoryDisk::new()), Box::new(MemoryIndex::new()), Options::new(verify_delta)).unwrap();
    crate::add_bundle(&mut log, &bundle).unwrap();
    let mut profile = other.engine.profile.clone();
    profile.incarnation = 9;
    other.engine = Engine::open(log, DeviceKey::from_seed(&[5; 32]), profile, bench.now()).unwrap();
    let query = codesync_api::LogQuery { steps: true, limit: 1_000, ..Default::default() };
    let (ours, theirs) = (bench.ask(Request::Log { query: query.clone() }), other.ask(Request::Log { query }));
    let ours = format!("{ours:?}");
    // The newcomer's own session follows.
    assert!(format!("{theirs:?}").starts_with(&ours[..ours.len() - 20]));
    for cut in [0, 5, bytes.len() / 2, bytes.len() - 1] {
        assert!(crate::Bundle::read(&bytes[..cut]).is_err());
    }
}

#[test]
fn a_signature_in_a_bundle_that_is_not_its_authors_is_taken_away_or_refused() {
    let mut bench = Bench::new();
    bench.edit("a", &[(0, 0, "x")]).edit("a", &[(1, 0, "y")]);
    let (bytes, _) = bench.engine.export_bundle().unwrap();
    let mut forged_at = |at: usize| {
        let packed = crate::Bundle::read(&bytes).unwrap();
        let all = packed.deltas.into_iter().enumerate().map(|(n, (mut signed, _))| {
            signed.signature[0] ^= u8::from(n == at);
            signed
        });
        let all: Vec<_> = all.collect();
        (all.len(), crate::Bundle::read(&bench.engine.bundle_of(all).unwrap().0))
    };
    let (n_deltas, covered) = forged_at(0);
    assert!(covered.unwrap().deltas.iter().all(|(signed, _)| verify_delta(signed) || signed.signature == [0; 64]));
    assert!(forged_at(n_deltas - 1).1.is_err(), "nothing vouches for the last one");
}

fn named(bench: &mut Bench) -> Vec<codesync_api::NamedMoment> {
    match bench.ask(Request::Moments { scope: Scope::Workspace }) {
        Reply::Moments { moments } => moments,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_moment_gets_another_name_and_keeps_its_place() {
    let mut bench = Bench::new();
    bench.edit("a", &[(0, 0, "one")]);
    bench.ask(Request::NameMoment { name: "tests green".into(), note: None, at: Some(Moment::WorkspaceStep(2)) });
    bench.edit("a", &[(3, 0, " two")]);
    bench.ask(Request::NameMoment { name: "later".into(), note: None, at: None });
    let before = named(&mut bench);
    let Reply::Status(status) = bench.ask(Request::Status) else { panic!() };
    for (name, note) in [("all green", Some("on my machine")), ("green at last", None)] {
        let (delta_id, note) = (before[0].delta_id.clone(), note.map(str::to_owned));
        bench.ask(Request::RenameMoment { delta_id, name: name.into(), note });
    }
    let renamed = codesync_api::NamedMoment { name: "green at last".into(), ..before[0].clone() };
    assert_eq!(named(&mut bench), [renamed.clone(), before[1].clone()]);
    bench.reopen();
    assert_eq!(named(&mut bench), [renamed, before[1].clone()]);
    // A name of before still leads there, and no moment of the timeline came of it.
    for name in ["tests green", "green at last"] {
        assert_eq!(bench.text_at("a", Moment::Name(name.into())).as_deref(), Some("one"));
    }
    let Reply::Status(after) = bench.ask(Request::Status) else { panic!() };
    assert_eq!(after.n_moments, status.n_moments);
    let unknown = Request::RenameMoment { delta_id: "ff".into(), name: "x".into(), note: None };
    assert!(bench.try_ask(unknown).is_err());
}

#[test]
fn an_automatic_moment_keeps_its_name() {
    let mut bench = Bench::new();
    bench.edit("a", &[(0, 0, "one")]);
    bench.engine.automatic_moment("Before restore 15:10", bench.now()).unwrap();
    let delta_id = named(&mut bench)[0].delta_id.clone();
    assert!(bench.try_ask(Request::RenameMoment { delta_id, name: "mine".into(), note: None }).is_err());
}

#[test]
fn bursts_are_listed_newest_first_page_by_page() {
    let mut bench = Bench::new();
    bench.edit("a", &[(0, 0, "abc")]);
    for (at, text) in [(3, "d"), (4, "e")] {
        bench.edit("a", &[(at, 0, text)]);
    }
    bench.wait(60_000).edit("a", &[(0, 2, "")]);
    let scope = Scope::File("a".into());
    let mut page = |before, limit| match bench.ask(Request::ListBursts { scope: scope.clone(), before, limit }) {
        Reply::Bursts { bursts } => bursts.iter().map(|b| (b.index, b.added, b.removed)).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let all = page(99, 50);
    assert_eq!(all, [(4, 0, 2), (3, 5, 0)]);
    assert_eq!(page(99, 1), all[..1]);
    assert_eq!(page(3, 50), all[1..]);
    assert_eq!(page(0, 50), []);
}

#[test]
fn the_way_from_one_moment_to_another_is_exact_while_others_write() {
    let mut bench = Bench::new();
    let mut below = {
        let mut seed = 7_u32;
        move |n: usize| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as usize % n
        }
    };
    let mut texts = vec![String::new()];
    bench.edit("a", &[]);
    let (mut shown, scope) = (None::<(u64, String)>, Scope::File("a".into()));
    for round in 0..400 {
        let edits: Vec<Splice> = (0..below(if round % 40 == 0 { 300 } else { 3 }))
            .map(|_| {
                let mut text = texts.last().unwrap().clone();
                let at = below(text.len() + 1);
                let deleted = if below(4) == 0 { below(text.len() - at + 1).min(3) } else { 0 };
                let inserted = if deleted > 0 { "" } else { ["x", "\n", "word "][below(3)] };
                text.replace_range(at..at + deleted, inserted);
                texts.push(text);
                Splice(at as u32, deleted as u32, inserted.into())
            })
            .collect();
        bench.ask(Request::EditFile { path: "a".into(), edits });
        let index = below(texts.len()) as u64;
        let have = shown.as_ref().map(|(index, _)| *index);
        let reply = bench.ask(Request::TextAt { path: "a".into(), scope: scope.clone(), index, have });
        let Reply::Text(then) = reply else { panic!("{reply:?}") };
        let text = match (then.text, then.splices, &shown) {
            (Some(text), None, _) => text,
            (None, Some(splices), Some((_, text))) => splices.iter().fold(text.clone(), |mut text, splice| {
                text.replace_range(splice.0 as usize..(splice.0 + splice.1) as usize, &splice.2);
                text
            }),
            other => panic!("{other:?}"),
        };
        assert_eq!(text, texts[index as usize], "from {have:?} to {index} of {}", texts.len() - 1);
        shown = Some((index, text));
    }
}

#[test]
fn a_file_deleted_and_brought_back_unchanged_is_not_marked_in_the_past() {
    let mut bench = Bench::new();
    bench.edit("same.md", &[(0, 0, "as it was")]);
    bench.edit("other.md", &[(0, 0, "as it was")]);
    let Reply::Timeline(timeline) = bench.ask(Request::Timeline { scope: Scope::Workspace }) else { panic!() };
    bench.ask(Request::Delete { path: "same.md".into() });
    let Reply::Deleted { files } = bench.ask(Request::ListDeleted { limit: 10 }) else { panic!() };
    bench.ask(Request::Undelete { file_id: files[0].file_id.clone() });
    bench.edit("other.md", &[(0, 0, "not ")]);
    let at = Some(Moment::Step(timeline.n_moments));
    let Reply::Folder { entries } = bench.ask(Request::ListFolder { path: String::new(), at }) else { panic!() };
    let marks: Vec<_> = entries.iter().map(|entry| (entry.path.as_str(), entry.change)).collect();
    assert_eq!(marks, [("other.md", Some(codesync_api::EntryChange::Differs)), ("same.md", None)]);
}
