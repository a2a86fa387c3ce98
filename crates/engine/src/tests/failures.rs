//! When the disk fails: nothing that the engine took is lost, nothing is taken twice, and it goes on by itself.

use super::editing::open_view;
use super::*;
use codesync_api::{Event, SaveKind, ViewEdit};
use codesync_log::Disk;

fn try_type(
    bench: &mut Bench,
    view_id: u32,
    request_id: u64,
    splices: Vec<Splice>,
) -> Result<Reply, codesync_api::ApiError> {
    bench.now_ms += 3_000;
    let base_revision = bench.engine.views[&view_id].revision();
    let (edit, now) = (ViewEdit { request_id, base_revision, stays_left: false, splices }, bench.now());
    bench.engine.handle(Request::EditView { view_id, edit }, now)
}

fn try_sync(bench: &mut Bench) -> bool {
    let now = bench.now();
    bench.engine.sync(now).is_ok()
}

fn save_kind(bench: &Bench) -> SaveKind {
    bench.engine.save.kind
}

/// Types until the disk takes no more. Returns the newest request and all that was typed.
fn type_until_full(bench: &mut Bench, view_id: u32) -> (u64, String) {
    bench.disk.set_space(Some(0));
    // Room in reserve (the ballast) may last for a while.
    let (mut request_id, mut typed) = (0, String::new());
    while save_kind(bench) == SaveKind::Saved {
        // Several acts in one turn: more than one delta is closed before the failure shows.
        for _ in 0..3 {
            request_id += 1;
            let key = format!("{request_id} ");
            let at = typed.len() as u32;
            try_type(bench, view_id, request_id, vec![Splice(at, 0, key.clone())]).unwrap();
            typed.push_str(&key);
        }
        try_sync(bench);
        assert!(request_id < 1_000_000);
    }
    (request_id, typed)
}

#[test]
fn what_a_full_disk_did_not_take_can_be_taken_to_another() {
    for is_sealed in [false, true] {
        let mut bench = Bench::new();
        let view_id = open_view(&mut bench);
        bench.edit("a", &[(0, 0, "an hour ago")]).wait(3_600_000);
        if is_sealed {
            bench.engine.rest(true).unwrap();
        }
        assert_eq!(bench.engine.export_unsaved().unwrap().1, 0);
        let (_, typed) = type_until_full(&mut bench, view_id);
        let (bytes, n_deltas) = bench.engine.export_unsaved().unwrap();
        assert!(n_deltas > 0);
        let elsewhere = bench.disk.fork();
        elsewhere.crash(codesync_log::CrashStyle::Lose);
        elsewhere.set_space(None);
        bench.engine = open_leniently(&elsewhere);
        let wanted = typed + "an hour ago";
        assert_ne!(bench.text("a").unwrap(), wanted, "the disk lacks what it did not take");
        let now = bench.now();
        bench.engine.import_bundle(&crate::Bundle::read(&bytes).unwrap(), now).unwrap();
        bench.engine = open_leniently(&elsewhere.fork());
        assert_eq!(bench.text("a").unwrap(), wanted);
    }
}

#[test]
fn edits_whose_past_is_not_here_are_refused() {
    let (mut bench, mut other) = (Bench::new(), Bench::new());
    other.wait(1).edit("a", &[(0, 0, "one")]).edit("a", &[(3, 0, " two")]);
    let newest = other.engine.log().head(&other.engine.own).unwrap().hash;
    let newest = other.engine.log().delta(&newest).unwrap().unwrap();
    let bundle = crate::Bundle::read(&other.engine.bundle_of(vec![newest.as_ref().clone()]).unwrap().0).unwrap();
    bench.edit("b", &[(0, 0, "mine")]);
    let n_deltas = bench.engine.log().n_deltas();
    let now = other.now();
    let refusal = bench.engine.import_bundle(&bundle, now).unwrap_err();
    assert!(refusal.message.contains("neither in it nor here"), "{refusal:?}");
    assert_eq!(bench.engine.log().n_deltas(), n_deltas);
    assert_eq!(other.engine.import_bundle(&bundle, now).unwrap(), 0, "where they were made, their past is here");
}

#[test]
fn a_bundle_that_does_not_fit_the_disk_is_taken_whole_or_not_at_all() {
    let mut source = Bench::new();
    source.edit("a", &[(0, 0, "x")]);
    let disk = source.disk.fork();
    for _ in 0..400 {
        source.edit("a", &[(1, 0, &"long ".repeat(400))]);
    }
    // Of sealed deltas only the last of a chain is signed: it vouches for all before it.
    source.engine.rest(true).unwrap();
    let bundle = crate::Bundle::read(&source.engine.export_bundle().unwrap().0).unwrap();
    let wanted = source.text("a").unwrap();
    let (mut n_refused, mut n_waiting) = (0, 0);
    for room_bytes in (0..400_000).step_by(40_000) {
        let disk = disk.fork();
        let mut bench = Bench { engine: open_leniently(&disk), disk, now_ms: START_MS + 10_000_000 };
        assert!(try_sync(&mut bench));
        let n_before = bench.engine.log().n_deltas();
        let n_missing = bundle.deltas.iter().filter(|(signed, _)| !bench.engine.log().contains(&signed.hash)).count();
        let spare_bytes = bench.disk.length_bytes("ballast").unwrap_or(0);
        bench.disk.set_space(Some(bench.disk.size_bytes() - spare_bytes + room_bytes));
        let now = bench.now();
        bench.engine.import_bundle(&bundle, now).unwrap_err();
        match bench.engine.log().n_deltas() - n_before {
            0 => n_refused += 1,
            n_new => {
                assert_eq!(n_new, n_missing as u64);
                n_waiting += 1;
            }
        }
        bench.disk.set_space(None);
        bench.engine.import_bundle(&bundle, now).unwrap();
        bench.reopen();
        assert_eq!(bench.text("a").unwrap(), wanted);
    }
    assert!(n_refused > 0 && n_waiting > 0, "{n_refused} {n_waiting}");
}

#[test]
fn a_full_disk_loses_nothing_that_was_taken_and_goes_on_by_itself() {
    let mut bench = Bench::new();
    let view_id = open_view(&mut bench);
    let (mut request_id, mut typed) = type_until_full(&mut bench, view_id);
    assert_eq!(save_kind(&bench), SaveKind::DiskFull);
    assert!(bench.engine.is_unsynced(), "it is tried again");
    // What was on its way is taken, and so much of it.
    let n_before = request_id;
    while try_type(&mut bench, view_id, request_id + 1, vec![Splice(0, 0, "w".into())]).is_ok() {
        (request_id, typed) = (request_id + 1, format!("w{typed}"));
        assert!(!try_sync(&mut bench) && request_id < n_before + 100);
    }
    assert!(request_id > n_before + 10);
    // Read-only now, and history can still be read.
    assert!(try_type(&mut bench, view_id, request_id + 1, vec![Splice(0, 0, "no".into())]).is_err());
    assert!(!try_sync(&mut bench));
    bench.disk.set_space(None);
    assert!(try_sync(&mut bench));
    assert_eq!(save_kind(&bench), SaveKind::Saved);
    try_type(&mut bench, view_id, request_id + 1, vec![Splice(0, 0, "on ".into())]).unwrap();
    assert!(try_sync(&mut bench));
    let wanted = format!("on {typed}");
    assert_eq!(bench.text("a").unwrap(), wanted);
    bench.reopen();
    assert_eq!(bench.text("a").unwrap(), wanted);
    assert_eq!(bench.n_moments(Scope::File("a".into())), request_id + 1);
}

#[test]
fn an_edit_that_does_not_fit_the_disk_is_refused_whole() {
    let mut bench = Bench::new();
    let view_id = open_view(&mut bench);
    try_type(&mut bench, view_id, 1, vec![Splice(0, 0, "small".into())]).unwrap();
    assert!(try_sync(&mut bench));
    bench.disk.set_space(Some(0));
    bench.engine.take_events();
    // Text that zstd cannot make small, larger than any reserve.
    let mut state = 1_u64;
    let long: String = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from_u32(0x4e00 + (state >> 33) as u32 % 20_000).unwrap()
    })
    .take(400_000)
    .collect();
    let edit = vec![Splice(0, 0, "first ".into()), Splice(6, 0, long.clone())];
    assert!(try_type(&mut bench, view_id, 2, edit.clone()).is_err());
    assert_eq!(save_kind(&bench), SaveKind::DiskFull);
    assert_eq!(bench.engine.text_of(bench.engine.views[&view_id].file).unwrap(), "small");
    let events = bench.engine.take_events();
    let Some(Event::ViewSnapshot(snapshot)) = events.iter().find(|event| matches!(event, Event::ViewSnapshot(_)))
    else {
        panic!("{events:?}")
    };
    assert_eq!((snapshot.text.as_str(), snapshot.acked_request_id), ("small", 1));
    bench.disk.set_space(None);
    assert!(bench.engine.is_unsynced());
    assert!(try_sync(&mut bench));
    try_type(&mut bench, view_id, 2, edit).unwrap();
    assert!(try_sync(&mut bench));
    bench.engine = open_leniently(&bench.disk.fork());
    assert_eq!(bench.text("a").unwrap(), format!("first {long}small"));
}

#[test]
fn a_failed_sync_is_made_good_by_the_next() {
    let mut bench = Bench::new();
    let view_id = open_view(&mut bench);
    for request_id in 1..=3 {
        try_type(&mut bench, view_id, request_id, vec![Splice(0, 0, "x".into())]).unwrap();
        bench.disk.fail_next_sync();
        assert!(!try_sync(&mut bench));
        assert_eq!(save_kind(&bench), SaveKind::Failed);
        assert!(try_sync(&mut bench));
    }
    bench.disk.crash(codesync_log::CrashStyle::Lose);
    bench.reopen();
    assert_eq!(bench.text("a").unwrap(), "xxx");
}

#[test]
fn a_workspace_opens_on_a_full_disk() {
    let mut bench = Bench::new();
    bench.edit("a", &[(0, 0, "text")]);
    bench.disk = bench.disk.fork();
    bench.disk.set_space(Some(0));
    let mut options = Options::new(verify_delta);
    options.segment_bytes_max = 1 << 20;
    let (log, _) = Log::open_with(Box::new(bench.disk.clone()), Box::new(MemoryIndex::new()), options).unwrap();
    let profile = Profile {
        new_project: ProjectId([7; 16]),
        person: "Someone with a new name".into(),
        device_name: "ThinkPad".into(),
        root: "/work/demo".into(),
        incarnation: 0,
    };
    let now = bench.now();
    bench.engine = Engine::open(log, DeviceKey::from_seed(&[5; 32]), profile, now).unwrap();
    assert_eq!(bench.engine.text_of(bench.engine.node_at("a").unwrap().file).unwrap(), "text");
}

/// Whatever write is the last that the machine did: what was shown as saved by then is there, in order,
/// and nothing but a beginning of what was typed after it.
#[test]
fn killed_after_any_write_nothing_shown_as_saved_is_missing() {
    for style in [codesync_log::CrashStyle::Lose, codesync_log::CrashStyle::Keep, codesync_log::CrashStyle::Tear(7)] {
        let mut n_changes = 0;
        loop {
            let (done, saved, taken, disk) = recorded_session(n_changes);
            disk.crash(style);
            let mut bench = Bench { engine: open_leniently(&disk), disk, now_ms: START_MS + 10_000_000 };
            let text = bench.text("a").unwrap_or_default();
            let n_words = text.split_terminator(' ').count();
            let wanted: String = (1..=n_words).map(|n| format!("{n} ")).collect();
            assert_eq!(text, wanted, "after {n_changes} writes, {style:?}");
            assert!(
                saved <= n_words && n_words <= taken,
                "{saved} {n_words} {taken} after {n_changes} writes, {style:?}"
            );
            // And work goes on from there.
            bench.edit("a", &[(text.len() as u32, 0, "on")]);
            bench.engine = open_leniently(&bench.disk.fork());
            assert_eq!(bench.text("a").unwrap(), format!("{wanted}on"));
            if done {
                break;
            }
            n_changes += 1;
        }
        assert!(n_changes > 60, "{n_changes}");
    }
}

/// Types words until the disk is dead: whether it lived to the end, the words shown as saved, those taken.
fn recorded_session(n_changes: u64) -> (bool, usize, usize, MemoryDisk) {
    let disk = MemoryDisk::new();
    let mut bench = Bench { engine: open(&disk, START_MS), disk, now_ms: START_MS };
    bench.ask(Request::CreateFile { path: "a".into(), text: String::new() });
    bench.disk.die_after(Some(n_changes));
    let (mut typed, mut saved) = (String::new(), 0);
    for n in 1..=40 {
        let edits = vec![Splice(typed.len() as u32, 0, format!("{n} "))];
        bench.now_ms += 700;
        let now = bench.now();
        // A dead disk may refuse; what is refused was not taken.
        let _ = bench.engine.handle(Request::EditFile { path: "a".into(), edits }, now);
        typed.push_str(&format!("{n} "));
        if n % 9 == 0 {
            let _ = bench.engine.rest(true);
        }
        if !try_sync(&mut bench) {
            let disk = bench.disk.clone();
            return (false, saved, n, disk);
        }
        saved = n;
    }
    let disk = bench.disk.clone();
    (true, saved, 40, disk)
}

fn open_leniently(disk: &MemoryDisk) -> Engine {
    let (log, _) =
        Log::open_with(Box::new(disk.clone()), Box::new(MemoryIndex::new()), Options::new(verify_delta)).unwrap();
    let profile = Profile {
        new_project: ProjectId([7; 16]),
        person: "Asha".into(),
        device_name: "ThinkPad".into(),
        root: "/work/demo".into(),
        incarnation: 0,
    };
    Engine::open(log, DeviceKey::from_seed(&[5; 32]), profile, Now { ms: START_MS, local_offset_minutes: 0 }).unwrap()
}

#[test]
fn a_file_that_cannot_be_written_stays_news_until_it_is() {
    let mut bench = Bench::new();
    bench.edit("a", &[(0, 0, "a")]).edit("b", &[(0, 0, "b")]);
    let (a, b) = (bench.engine.node_at("a").unwrap().file, bench.engine.node_at("b").unwrap().file);
    let now = bench.now();
    bench.engine.write_failed(a, now);
    bench.engine.note_unwritable("It can't be written.".into());
    bench.engine.written(b);
    bench.edit("b", &[(0, 0, "c")]);
    assert_eq!(save_kind(&bench), SaveKind::CannotWriteFile);
    bench.engine.written(a);
    assert_eq!(save_kind(&bench), SaveKind::Saved);
    // That history cannot be kept is worse, and must not be covered by it.
    bench.disk.fail_next_sync();
    bench.engine.handle(Request::CreateFile { path: "c".into(), text: String::new() }, now).unwrap();
    assert!(!try_sync(&mut bench));
    bench.engine.note_unwritable("It can't be written.".into());
    assert_eq!(save_kind(&bench), SaveKind::Failed);
}

#[test]
fn a_folder_that_goes_during_the_sync_is_not_called_saved() {
    let mut bench = Bench::new();
    let view_id = open_view(&mut bench);
    try_type(&mut bench, view_id, 1, vec![Splice(0, 0, "kept ".into())]).unwrap();
    assert!(try_sync(&mut bench));
    let saved_ms = bench.engine.saved_ms();
    try_type(&mut bench, view_id, 2, vec![Splice(5, 0, "gone? ".into())]).unwrap();
    // There before the fsync, not after it.
    let n_asked = std::cell::Cell::new(0);
    let gone = |until: &str| {
        n_asked.set(n_asked.get() + 1);
        (n_asked.get() > 1).then(|| format!("Gone. {until}"))
    };
    let now = bench.now();
    assert!(bench.engine.sync_while(now, &gone).is_err());
    assert_eq!((save_kind(&bench), bench.engine.saved_ms()), (SaveKind::FolderGone, saved_ms));
    assert!(bench.engine.is_unsynced(), "it is tried again");
    let refused = try_type(&mut bench, view_id, 3, vec![Splice(0, 0, "no".into())]).unwrap_err();
    assert!(refused.message.starts_with("Gone."), "{refused}");
    let now = bench.now();
    assert!(bench.engine.sync_while(now, &gone).is_err());
    // Back.
    assert!(try_sync(&mut bench));
    assert_eq!(save_kind(&bench), SaveKind::Saved);
    try_type(&mut bench, view_id, 3, vec![Splice(0, 0, "and ".into())]).unwrap();
    assert!(try_sync(&mut bench));
    bench.reopen();
    assert_eq!(bench.text("a").unwrap(), "and kept gone? ");
}

#[test]
fn views_of_another_process_are_gone_on_with_under_their_numbers() {
    let mut bench = Bench::new();
    let own = open_view(&mut bench);
    try_type(&mut bench, own, 1, vec![Splice(0, 0, "text".into())]).unwrap();
    bench.engine.take_events();
    let view = |view_id, path: &str| codesync_api::ResumedView {
        view_id,
        path: path.into(),
        revision: 40,
        acked_request_id: 7,
    };
    let now = bench.now();
    let request = Request::ResumeViews { views: vec![view(900, "a"), view(901, "no such file")] };
    bench.engine.handle(request, now).unwrap();
    let events = bench.engine.take_events();
    let snapshot = events.iter().find_map(|event| match event {
        Event::ViewSnapshot(snapshot) => Some(snapshot.clone()),
        _ => None,
    });
    let snapshot = snapshot.unwrap();
    assert_eq!((snapshot.view_id, snapshot.text.as_str()), (900, "text"));
    assert_eq!((snapshot.revision, snapshot.acked_request_id), (41, 7));
    assert!(events.iter().any(|event| matches!(event, Event::ViewMoved { view_id: 901, path: None })));
    // An edit that was on its way to the other process is passed over; the next one counts.
    let mut edit = |request_id, base_revision, text: &str| {
        let edit = ViewEdit { request_id, base_revision, stays_left: false, splices: vec![Splice(0, 0, text.into())] };
        let now = bench.now();
        bench.engine.handle(Request::EditView { view_id: 900, edit }, now).unwrap();
    };
    edit(8, 39, "old ");
    edit(8, 41, "new ");
    assert_eq!(bench.text("a").unwrap(), "new text");
}
