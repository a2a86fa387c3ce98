//! Files that two changed while neither knew of the other: what is kept whole, names, folders, permissions.

use super::*;
use crate::{DiskImage, DiskImageKind};
use codesync_base::RelPath;

impl Peers {
    /// Another program writes a file of bytes.
    fn disk(&mut self, n: usize, path: &str, bytes: &[u8], mode: u32) -> &mut Self {
        let now = self.wait(1).now();
        let path = RelPath::parse(path).unwrap();
        let engine = &mut self.engines[n];
        let known = engine.tree().by_path(&path).map(|node| node.file);
        known.into_iter().for_each(|file| engine.written(file));
        let mut run = engine.begin_intake(false, false, now).unwrap();
        let kind = IntakeKind::File { bytes: bytes.into(), mode, base: None };
        engine.take_in(&mut run, Intake { path, known, kind }, now).unwrap();
        engine.end_intake(run, false).unwrap();
        engine.sync(now).unwrap();
        self
    }

    fn image(&mut self, n: usize, path: &str) -> DiskImage {
        let file = self.engines[n].node_at(path).unwrap().file;
        self.engines[n].disk_image(file).unwrap().unwrap()
    }

    fn bytes(&mut self, n: usize, path: &str) -> Vec<u8> {
        match self.image(n, path).kind {
            DiskImageKind::File { bytes } => bytes,
            other => panic!("{other:?}"),
        }
    }

    fn told(&mut self, n: usize, id: &str) -> Vec<String> {
        let events = self.engines[n].take_events();
        let notices = events.into_iter().filter_map(|event| match event {
            Event::Notice(notice) if notice.id == id => Some(notice.title),
            _ => None,
        });
        notices.collect()
    }
}

#[test]
fn of_two_versions_of_a_binary_one_stays_and_the_other_is_beside_it_everywhere() {
    let mut peers = Peers::new(3);
    peers.disk(0, "art/logo.psd", b"\0first", 0o644).meet();
    peers.disk(0, "art/logo.psd", b"\0Asha's", 0o644);
    peers.wait(60_000).disk(1, "art/logo.psd", b"\0Bo's", 0o644);
    let minute = peers.now().hour_minute_of(START_MS).replace(':', ".");
    peers.pull(1, 0);
    let beside = format!("art/logo (Asha {minute}).psd");
    assert_eq!(peers.bytes(0, "art/logo.psd"), b"\0Bo's");
    assert_eq!(peers.bytes(0, &beside), b"\0Asha's");
    let name = beside.strip_prefix("art/").unwrap();
    let title = format!("Both you and Bo changed logo.psd. Bo's stays; yours is beside it as “{name}”.");
    assert_eq!(peers.told(0, "MSG-FILE-3"), [title]);
    // Bo hears of the other version, then of its copy.
    peers.pull(0, 1);
    let title = format!("Both you and Asha changed logo.psd. Yours stays; Asha's is beside it as “{name}”.");
    assert_eq!(peers.told(1, "MSG-FILE-3"), [title]);
    peers.meet().check_equal("two versions");
    for n in 0..3 {
        assert_eq!(peers.paths(n), [beside.as_str(), "art/logo.psd"]);
        assert_eq!(peers.bytes(n, "art/logo.psd"), b"\0Bo's");
        assert_eq!(peers.told(n, "MSG-FILE-3"), Vec::<String>::new(), "said once");
    }
    // One after the other is no conflict.
    peers.disk(0, "art/logo.psd", b"\0third", 0o644).meet().disk(1, "art/logo.psd", b"\0fourth", 0o644).meet();
    assert_eq!(peers.paths(2).len(), 2);
}

#[test]
fn three_versions_are_all_kept_and_each_once() {
    let mut peers = Peers::new(3);
    peers.disk(0, "a.bin", b"\0", 0o644).meet();
    for n in 0..3 {
        peers.wait(1_000).disk(n, "a.bin", &[0, n as u8], 0o644);
    }
    // Dealt out in an order that has the middle one lose twice.
    peers.pull(1, 0).pull(2, 1).pull(2, 0).pull(0, 2).meet();
    peers.check_equal("three versions");
    let paths = peers.paths(0);
    assert_eq!(paths.len(), 3, "{paths:?}");
    let mut kept: Vec<Vec<u8>> = paths.iter().map(|path| peers.bytes(0, path)).collect();
    kept.sort();
    assert_eq!(kept, [[0, 0], [0, 1], [0, 2]]);
}

#[test]
fn two_files_of_one_name_are_both_there_and_both_people_hear_of_it() {
    let mut peers = Peers::new(2);
    peers.meet();
    peers.edit(0, "notes.md", &[(0, 0, "Asha")]).wait(1_000).edit(1, "notes.md", &[(0, 0, "Bo")]);
    peers.meet();
    assert_eq!((peers.text(1, "notes.md"), peers.text(1, "notes (2).md")), (Some("Asha".into()), Some("Bo".into())));
    let asha =
        "Both you and Bo have a file called notes.md. Yours keeps the name; Bo's is beside it as “notes (2).md”.";
    let bo =
        "Both you and Asha have a file called notes.md. Asha's keeps the name; yours is beside it as “notes (2).md”.";
    assert_eq!((peers.told(0, "MSG-FILE-7"), peers.told(1, "MSG-FILE-7")), (vec![asha.into()], vec![bo.into()]));
    peers.check_equal("one name");
}

#[test]
fn an_edit_in_a_folder_that_is_renamed_meanwhile_goes_along_and_of_two_names_the_newer_holds() {
    let mut peers = Peers::new(2);
    peers.edit(0, "src/a.rs", &[(0, 0, "one\n")]).edit(0, "src/b.rs", &[(0, 0, "two\n")]).meet();
    peers.ask(0, Request::Rename { from: "src".into(), to: "lib".into() });
    peers.edit(1, "src/a.rs", &[(4, 0, "more\n")]);
    peers.wait(1_000).ask(1, Request::Rename { from: "src/b.rs".into(), to: "src/c.rs".into() });
    peers.meet();
    for n in 0..2 {
        assert_eq!(peers.paths(n), ["lib/a.rs", "src/c.rs"]);
        assert_eq!(peers.text(n, "lib/a.rs").unwrap(), "one\nmore\n");
    }
    peers.check_equal("folder");
}

#[test]
fn nobody_else_makes_a_file_executable_here() {
    let mut peers = Peers::new(2);
    peers.disk(0, "run.sh", b"#!/bin/sh\n", 0o755).disk(0, "secret", b"x", 0o600).meet();
    assert_eq!((peers.image(0, "run.sh").mode, peers.image(1, "run.sh").mode), (0o755, 0o644));
    assert_eq!(peers.image(1, "secret").mode, 0o600);
    // What stands there so is no change of the permissions of everybody.
    peers.disk(1, "run.sh", b"#!/bin/sh\necho\n", 0o644).meet();
    assert_eq!((peers.image(0, "run.sh").mode, peers.image(1, "run.sh").mode), (0o755, 0o644));
    // Whoever makes it executable here has it so.
    peers.disk(1, "run.sh", b"#!/bin/sh\necho\n", 0o755).meet();
    peers.disk(1, "other.sh", b"#!/bin/sh\n", 0o755).meet();
    assert_eq!((peers.image(1, "other.sh").mode, peers.image(0, "other.sh").mode), (0o755, 0o644));
}
