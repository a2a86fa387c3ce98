#![allow(clippy::unwrap_used)]
use crate::{Engine, Now, Profile};
use codesync_api::{Event, Moment, PastFile, Reply, Request, Scope, Splice, ViewEdit};
use codesync_auth::{DeviceKey, verify_delta};
use codesync_base::ProjectId;
use codesync_log::{Log, MemoryDisk, MemoryIndex, Options};

const NOW: Now = Now { ms: 1_790_000_000_000, local_offset_minutes: 0 };

fn open(disk: &MemoryDisk, index: &MemoryIndex) -> Engine {
    let options = Options::new(verify_delta);
    let (log, _) = Log::open_with(Box::new(disk.clone()), Box::new(index.clone()), options).unwrap();
    open_as(log, 5)
}

fn open_as(log: Log, device: u8) -> Engine {
    let profile = Profile {
        new_project: ProjectId([7; 16]),
        person: "Asha".into(),
        device_name: "desk".into(),
        root: "/home/asha/notes".into(),
        incarnation: 0,
    };
    Engine::open(log, DeviceKey::from_seed(&[device; 32]), profile, NOW).unwrap()
}

fn edit(engine: &mut Engine, path: &str, n_keys: u32) {
    let edits = (0..n_keys).map(|_| Splice(0, 0, "k".into())).collect();
    engine.handle(Request::EditFile { path: path.into(), edits }, NOW).unwrap();
    engine.sync(NOW).unwrap();
}

fn text(engine: &mut Engine, path: &str) -> String {
    match engine.handle(Request::FileAt { path: path.into(), at: Moment::Now }, NOW).unwrap() {
        Reply::File(PastFile { text: Some(text), .. }) => text,
        other => panic!("{other:?}"),
    }
}

fn view(engine: &mut Engine, path: &str) -> (u32, String, u64) {
    match engine.handle(Request::OpenView { path: path.into() }, NOW).unwrap() {
        Reply::View(view) => (view.view_id, view.text, view.n_moments),
        other => panic!("{other:?}"),
    }
}

fn closed_with(n_keys: u32) -> (MemoryDisk, MemoryIndex) {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let mut engine = open(&disk, &index);
    edit(&mut engine, "long.md", n_keys);
    edit(&mut engine, "other.md", 3);
    engine.shut_down(NOW).unwrap();
    (disk, index)
}

#[test]
fn a_long_file_is_shown_without_its_history_and_then_edited_with_it() {
    let (disk, index) = closed_with(2_500);
    let mut engine = open(&disk, &index);
    edit(&mut engine, "other.md", 3);
    let (view_id, shown, n_moments) = view(&mut engine, "long.md");
    assert_eq!((shown.len(), n_moments), (2_500, 2_500));
    let file = engine.text_file_at("long.md").unwrap();
    assert!(engine.documents.get_mut(&file).is_none(), "nothing was read yet");
    engine.take_events();
    let edit = ViewEdit { request_id: 1, base_revision: 0, stays_left: false, splices: vec![Splice(0, 0, "x".into())] };
    engine.handle(Request::EditView { view_id, edit }, NOW).unwrap();
    assert!(text(&mut engine, "long.md").starts_with("xkk"));
    assert!(!engine.read_ahead(), "the edit has read it");
    assert!(!engine.take_events().iter().any(|event| matches!(event, Event::ViewPatch { .. })));
}

#[test]
fn a_kept_text_and_what_was_typed_since_are_shown_after_a_kill() {
    let (disk, index) = closed_with(2_500);
    let mut engine = open(&disk, &index);
    let edits = vec![Splice(1, 2, "ä😀\n".into()), Splice(2, 2, "b".into()), Splice(0, 1, String::new())];
    engine.handle(Request::EditFile { path: "long.md".into(), edits }, NOW).unwrap();
    edit(&mut engine, "long.md", 1_500);
    let whole = text(&mut engine, "long.md");
    // As if the program were killed: what was kept stays as it was, and a part was sealed since.
    engine.log.seal(true).unwrap();
    edit(&mut engine, "long.md", 1);
    drop(engine);
    let mut engine = open(&disk, &index);
    let (_, shown, n_moments) = view(&mut engine, "long.md");
    assert_eq!((shown, n_moments), (format!("k{whole}"), 2_500 + 3 + 1_500 + 1));
    let file = engine.text_file_at("long.md").unwrap();
    assert!(engine.documents.get_mut(&file).is_none(), "its history was not read");
    engine.take_events();
    assert!(engine.read_ahead());
    while engine.read_ahead() {}
    assert!(!engine.take_events().iter().any(|event| matches!(event, Event::ViewPatch { .. })), "and it was right");
}

#[test]
fn a_damaged_kept_text_is_not_believed() {
    let (disk, index) = closed_with(2_500);
    index.damage(|key| key.starts_with(b"cache/text/"), |value| value[20] ^= 1);
    let mut engine = open(&disk, &index);
    let file = engine.text_file_at("long.md").unwrap();
    assert_eq!(engine.kept_text(&file), None);
    assert_eq!(view(&mut engine, "long.md").1, "k".repeat(2_500));
}

#[test]
fn a_text_is_kept_while_work_goes_on() {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let mut engine = open(&disk, &index);
    edit(&mut engine, "long.md", 9_000);
    engine.rest(false).unwrap();
    let file = engine.text_file_at("long.md").unwrap();
    assert_eq!(engine.kept(&file).map(|kept| kept.2), Some(9_000));
}

#[test]
fn a_text_kept_before_the_last_edit_is_not_shown() {
    let (disk, index) = closed_with(2_500);
    let mut engine = open(&disk, &index);
    edit(&mut engine, "long.md", 1);
    // As if the program were killed: what was kept stays as it was.
    drop(engine);
    let mut engine = open(&disk, &index);
    assert_eq!(view(&mut engine, "long.md").1.len(), 2_501);
}

/// What another device did in its copy of this store.
fn of_another_device(disk: &MemoryDisk, index: &MemoryIndex, path: &str) -> Vec<crate::Arrived> {
    let (log, _) = Log::open_with(Box::new(disk.fork()), Box::new(index.fork()), Options::new(verify_delta)).unwrap();
    let mut other = open_as(log, 6);
    edit(&mut other, path, 5);
    let mut made = Vec::new();
    let take = &mut |signed: &codesync_base::SignedDelta| {
        made.push(crate::Arrived::of(signed));
        std::ops::ControlFlow::Continue(())
    };
    other.log.for_each_from(&other.own.clone(), 1, take).unwrap();
    made
}

#[test]
fn a_kept_text_holds_though_others_worked_elsewhere_but_not_when_they_worked_in_it() {
    for (path, is_kept) in [("other.md", true), ("long.md", false)] {
        let (disk, index) = closed_with(2_500);
        let theirs = of_another_device(&disk, &index, path);
        let mut engine = open(&disk, &index);
        edit(&mut engine, "long.md", 7);
        let received = engine.receive(theirs, NOW).unwrap();
        assert!(received.n_new >= 2 && received.refused.is_empty() && received.held.is_empty(), "{received:?}");
        edit(&mut engine, "long.md", 4);
        engine.log.seal(true).unwrap();
        let whole = text(&mut engine, "long.md");
        // As if the program were killed: what was kept stays as it was.
        drop(engine);
        let mut engine = open(&disk, &index);
        let file = engine.text_file_at("long.md").unwrap();
        let kept = engine.kept_text(&file);
        assert_eq!(kept, is_kept.then(|| (whole.clone(), 2_511)), "{path}");
        assert_eq!(view(&mut engine, "long.md").1, whole);
        while engine.read_ahead() {}
        assert_eq!(text(&mut engine, "long.md"), whole);
    }
}

#[test]
fn a_wrong_kept_text_is_put_right() {
    let (disk, index) = closed_with(2_500);
    let mut engine = open(&disk, &index);
    let file = engine.text_file_at("long.md").unwrap();
    let kept: super::Kept = (engine.log.heads(), engine.log.n_deltas(), 2_500, "k".repeat(2_400));
    let packed = zstd::bulk::compress(&serde_json::to_vec(&kept).unwrap(), 3).unwrap();
    engine.log.put_cache(&super::key(&file), &packed);
    assert_eq!(view(&mut engine, "long.md").1.len(), 2_400);
    engine.take_events();
    assert!(engine.read_ahead());
    while engine.read_ahead() {}
    let patched = engine.take_events().iter().any(|event| format!("{event:?}").contains("splices"));
    assert!(patched, "the view was told");
    assert_eq!(text(&mut engine, "long.md").len(), 2_500);
}

#[test]
fn long_histories_that_nobody_looks_at_are_let_go() {
    let mut engine = open(&MemoryDisk::new(), &MemoryIndex::new());
    for path in ["a.md", "b.md", "c.md", "d.md"] {
        edit(&mut engine, path, 20_000);
    }
    let shown = view(&mut engine, "a.md").1.len();
    for path in ["b.md", "c.md", "d.md"] {
        text(&mut engine, path);
    }
    engine.rest(true).unwrap();
    let n_held = engine.documents.iter().count();
    assert_eq!((shown, n_held), (20_000, 4), "40,000 steps and the one used last, and what a view shows");
    edit(&mut engine, "e.md", 20_000);
    engine.rest(true).unwrap();
    let held: Vec<_> = engine.documents.iter().map(|(file, _)| engine.tree.get(file).unwrap().path.as_str()).collect();
    assert_eq!(held.len(), 4);
    assert!(held.contains(&"a.md") && held.contains(&"e.md"));
}

#[test]
fn the_strip_is_drawn_from_outlines_and_all_else_from_the_deltas_themselves() {
    let (disk, index) = closed_with(2_500);
    let mut engine = open(&disk, &index);
    edit(&mut engine, "long.md", 700);
    engine.shut_down(NOW).unwrap();
    let (mut brief, mut whole) = (open(&disk, &index), open(&disk.fork(), &index.fork()));
    whole.workspace_mut().unwrap();
    for scope in [Scope::File("long.md".into()), Scope::Workspace, Scope::Folder(String::new())] {
        let axis = codesync_api::Axis::Activity;
        let bars = Request::Histogram { scope: scope.clone(), axis, from: 0, to: 4_000, n_buckets: 90 };
        for request in [Request::Timeline { scope: scope.clone() }, bars] {
            let replies = [&mut brief, &mut whole].map(|engine| format!("{:?}", engine.handle(request.clone(), NOW)));
            assert_eq!(replies[0], replies[1]);
        }
    }
    assert!(brief.workspace.as_ref().unwrap().is_brief);
    // Work goes on while only the outline is known.
    let create = Request::CreateFile { path: "new.md".into(), text: String::new() };
    let _ = [&mut brief, &mut whole].map(|engine| engine.handle(create.clone(), NOW).unwrap());
    assert!(brief.workspace.as_ref().unwrap().is_brief);
    for index in [0, 1, 1_200, 3_000, 3_203, 3_206, 3_207] {
        let request = Request::MomentInfo { scope: Scope::Workspace, index };
        let replies = [&mut brief, &mut whole].map(|engine| format!("{:?}", engine.handle(request.clone(), NOW)));
        assert_eq!(replies[0], replies[1]);
    }
    assert!(!brief.workspace.as_ref().unwrap().is_brief);
}
