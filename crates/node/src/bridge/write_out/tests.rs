//! What writing does where another program changed the same file.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::STORE_FOLDER;
use codesync_api::{Event, Request, SaveKind, Splice};
use codesync_auth::{DeviceKey, verify_delta};
use codesync_base::{ProjectId, Role, ShareFrom};
use codesync_engine::{Arrived, Profile};
use codesync_log::{Log, Options};

const START_MS: u64 = 1_790_000_000_000;

fn at(ms: u64) -> Now {
    Now { ms: START_MS + ms, local_offset_minutes: 0 }
}

fn profile(person: &str) -> Profile {
    Profile {
        new_project: ProjectId([1; 16]),
        person: person.into(),
        device_name: "laptop".into(),
        root: "lab".into(),
        incarnation: 0,
    }
}

fn key(n: u8) -> DeviceKey {
    DeviceKey::from_seed(&[n; 32])
}

fn edit(engine: &mut Engine, text: &str, ms: u64) {
    let edits = vec![Splice(0, 0, text.into())];
    engine.handle(Request::EditFile { path: "a.txt".into(), edits }, at(ms)).unwrap();
    engine.sync(at(ms)).unwrap();
}

fn pull(from: &Engine, to: &mut Engine, ms: u64) -> codesync_engine::Received {
    let mut deltas = Vec::new();
    from.log().for_each(&mut |signed| deltas.push(Arrived::of(signed))).unwrap();
    let received = to.receive(deltas, at(ms)).unwrap();
    to.sync(at(ms)).unwrap();
    received
}

#[test]
fn what_a_viewer_changed_in_the_folder_stays_there_and_is_no_edit() {
    let (log, _) = Log::in_memory(Options::new(verify_delta)).unwrap();
    let mut asha = Engine::open(log, key(1), profile("Asha"), at(0)).unwrap();
    asha.uphold_rights(None).unwrap();
    edit(&mut asha, "one\n", 1);
    asha.grant(key(2).device(), "Bo", Role::Viewer, ShareFrom::Past, at(2)).unwrap();
    asha.sync(at(2)).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let (log, _) = Log::open(&root, Options::new(verify_delta)).unwrap();
    let mut bo = Engine::join(log, key(2), profile("Bo")).unwrap();
    bo.uphold_rights(Some(key(1).device())).unwrap();
    let mut bridge = Bridge::open(&root, &root.join(STORE_FOLDER)).unwrap();
    pull(&asha, &mut bo, 3);
    bridge.write_due(&mut bo, at(10_000)).unwrap();
    let on_disk = || std::fs::read_to_string(root.join("a.txt")).unwrap();
    assert_eq!(on_disk(), "one\n");

    std::fs::write(root.join("a.txt"), "one\nof another program\n").unwrap();
    edit(&mut asha, "zero\n", 20_000);
    pull(&asha, &mut bo, 20_001);
    let n_deltas = bo.log().n_deltas();
    bo.take_events();
    bridge.write_due(&mut bo, at(30_000)).unwrap();
    bridge.sync(&mut bo, at(30_000)).unwrap();
    assert_eq!(on_disk(), "one\nof another program\n");
    assert_eq!(bo.log().n_deltas(), n_deltas);
    assert_eq!(pull(&bo, &mut asha, 30_001).refused, []);
    let said = bo.take_events().into_iter().any(|event| {
        matches!(event, Event::SaveState(state) if state.kind == SaveKind::CannotWriteFile
            && state.message.as_deref().is_some_and(|message| message.ends_with("You're a viewer here.")))
    });
    assert!(said, "the person hears why");

    // Once Bo may edit, it is one.
    asha.change_role(key(2).device(), Role::Editor, at(40_000)).unwrap();
    asha.sync(at(40_000)).unwrap();
    pull(&asha, &mut bo, 40_001);
    bridge.write_due(&mut bo, at(50_000)).unwrap();
    bridge.sync(&mut bo, at(50_000)).unwrap();
    assert_eq!(on_disk(), "zero\none\nof another program\n");
    assert_eq!(pull(&bo, &mut asha, 50_001).refused, []);
}

/// A turn writes many files, and syncs before the first: another program may save one of them meanwhile.
#[test]
fn what_another_program_saves_just_before_a_file_is_written_is_not_written_over() {
    for is_deleted in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (log, _) = Log::open(&root, Options::new(verify_delta)).unwrap();
        let mut engine = Engine::open(log, key(1), profile("Asha"), at(0)).unwrap();
        let mut bridge = Bridge::open(&root, &root.join(STORE_FOLDER)).unwrap();
        edit(&mut engine, "one\n", 1);
        bridge.write_due(&mut engine, at(10_000)).unwrap();
        let file = engine.tree().by_path(&RelPath::parse("a.txt").unwrap()).unwrap().file;
        match is_deleted {
            true => drop(engine.handle(Request::Delete { path: "a.txt".into() }, at(20_000)).unwrap()),
            false => edit(&mut engine, "zero\n", 20_000),
        }
        let image = engine.disk_image(file).unwrap().unwrap();
        let images = bridge.settle_conflicts(&mut engine, vec![image], at(30_000)).unwrap();
        std::fs::write(root.join("a.txt"), "one\nof another program\n").unwrap();
        bridge.write_image(&mut engine, &images[0], at(30_000)).unwrap();
        let on_disk = || std::fs::read_to_string(root.join("a.txt")).unwrap();
        assert_eq!(on_disk(), "one\nof another program\n");
        bridge.write_due(&mut engine, at(40_000)).unwrap();
        let wanted = if is_deleted { "one\nof another program\n" } else { "zero\none\nof another program\n" };
        assert_eq!(on_disk(), wanted);
    }
}
