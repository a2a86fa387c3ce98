//! A runtime on a real folder, driven turn by turn: what the bridge does between folder and workspace, and what
//! is left when the program is killed (the runtime dropped without being closed).
#![allow(clippy::unwrap_used)]

mod first_look;
mod long;
mod mass;
mod places;
mod random;
mod saving;
mod takeover;
mod trash;

use crate::Options;
use crate::runtime::{Message, Runtime};
use codesync_api::{ApiError, ErrorCode, Event, Moment, Reply, Request, Splice, ViewEdit};
use codesync_engine::{Engine, Now};
use codesync_log::Log;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) struct Peer {
    folder: TempDir,
    runtime: Option<Runtime>,
}

impl Peer {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            put(&folder.path().join(path), text);
        }
        Self { folder, runtime: None }.opened()
    }

    fn opened(mut self) -> Self {
        self.open();
        self
    }

    fn open(&mut self) {
        let root = self.folder.path().canonicalize().unwrap();
        let options = Options { person: Some("Asha".into()), watch: false, create: true };
        let until = Instant::now() + Duration::from_secs(5);
        let mut opened = Runtime::open(&root, &options);
        // A program that another test starts just now has a copy of every lock until it runs.
        while opened.as_ref().is_err_and(|error| error.code == ErrorCode::Busy) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
            opened = Runtime::open(&root, &options);
        }
        let mut runtime = opened.unwrap();
        runtime.begin(None).unwrap();
        self.runtime = Some(runtime);
    }

    /// The program is killed: nothing more is written.
    fn kill(&mut self) -> &mut Self {
        drop(self.runtime.take());
        self
    }

    pub(crate) fn reopen_killed(&mut self) -> &mut Self {
        self.kill();
        self.open();
        self
    }

    fn reopen_closed(&mut self) -> &mut Self {
        let (done, _wait) = mpsc::channel();
        let mut runtime = self.runtime.take().unwrap();
        runtime.turn(vec![Message::Close(done)]);
        runtime.close();
        self.open();
        self
    }

    /// Folder and store as they are now, to go on differently.
    fn copied(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(self.folder.path(), folder.path());
        Self { folder, runtime: None }
    }

    pub(crate) fn runtime(&mut self) -> &mut Runtime {
        self.runtime.as_mut().unwrap()
    }

    pub(crate) fn ask(&mut self, request: Request) -> Result<Reply, ApiError> {
        let (answer, wait) = mpsc::channel();
        self.runtime().turn(vec![Message::Call(Box::new(request), answer)]);
        wait.recv().unwrap()
    }

    /// Edits without waiting for the file to be written.
    fn edit(&mut self, path: &str, at: u32, deleted: u32, text: &str) -> &mut Self {
        let edits = vec![Splice(at, deleted, text.into())];
        self.ask(Request::EditFile { path: path.into(), edits }).unwrap();
        self
    }

    fn flush(&mut self) -> &mut Self {
        self.ask(Request::Flush).unwrap();
        self
    }

    /// As the watcher would tell.
    fn changed(&mut self, paths: &[&str]) -> &mut Self {
        let paths = paths.iter().map(|path| codesync_base::RelPath::parse(path).unwrap()).collect();
        let batch = codesync_fs::Batch { paths, ..Default::default() };
        self.runtime().turn(vec![Message::Changed(batch)]);
        self.settle()
    }

    /// The same, without a turn more than that.
    fn look_at(&mut self, paths: &[&str]) -> &mut Self {
        let paths = paths.iter().map(|path| codesync_base::RelPath::parse(path).unwrap()).collect();
        let batch = codesync_fs::Batch { paths, mass: true, ..Default::default() };
        self.runtime().turn(vec![Message::Changed(batch)]);
        self
    }

    /// All that changed is taken in.
    fn settle(&mut self) -> &mut Self {
        while self.runtime().is_busy() {
            self.runtime().turn(Vec::new());
        }
        self
    }

    fn text(&mut self, path: &str) -> Option<String> {
        match self.ask(Request::FileAt { path: path.into(), at: Moment::Now }) {
            Ok(Reply::File(file)) => file.text,
            _ => None,
        }
    }

    fn paths(&mut self) -> Vec<String> {
        match self.ask(Request::ListFiles { at: None }) {
            Ok(Reply::Files { paths }) => paths,
            other => panic!("{other:?}"),
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn on_disk(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.path(path)).ok()
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

fn put(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

#[test]
fn two_changes_on_disk_with_the_program_ended_between_them_are_each_taken_in_once() {
    let mut peer = Peer::new(&[("a", "one\n")]);
    put(&peer.path("a"), "one\ntwo\n");
    peer.changed(&["a"]).reopen_closed();
    peer.kill();
    put(&peer.path("a"), "one\ntwo\nthree\n");
    peer.open();
    assert_eq!(peer.text("a").unwrap(), "one\ntwo\nthree\n");
    peer.flush();
    assert_eq!(peer.on_disk("a").unwrap(), "one\ntwo\nthree\n");
}

#[test]
fn what_was_typed_and_what_the_disk_changed_are_both_there_after_a_kill() {
    let mut peer = Peer::new(&[("a", "one\ntwo\n")]);
    peer.edit("a", 0, 0, "typed\n").kill();
    assert_eq!(peer.on_disk("a").unwrap(), "one\ntwo\n");
    put(&peer.path("a"), "one\ntwo\nthree\n");
    peer.open();
    assert_eq!(peer.text("a").unwrap(), "typed\none\ntwo\nthree\n");
    peer.flush();
    assert_eq!(peer.on_disk("a").unwrap(), "typed\none\ntwo\nthree\n");
}

#[test]
fn a_kill_before_the_file_was_written_writes_it_at_the_next_opening() {
    let mut peer = Peer::new(&[("a", "x")]);
    peer.edit("a", 1, 0, "y").edit("new/b", 0, 0, "b");
    peer.ask(Request::Rename { from: "a".into(), to: "c".into() }).unwrap();
    peer.reopen_killed().flush();
    assert_eq!((peer.on_disk("c"), peer.on_disk("a")), (Some("xy".into()), None));
    assert_eq!(peer.on_disk("new/b").unwrap(), "b");
    assert_eq!(peer.paths(), ["c", "new/b"]);
}

#[test]
fn a_kill_while_disk_changes_are_taken_in_leaves_none_behind() {
    // The change is noted as known before history has it on the medium: the note must not survive alone.
    let mut peer = Peer::new(&[("a", "one\n"), ("b", "b\n")]);
    put(&peer.path("a"), "one\ntheirs\n");
    fs::remove_file(peer.path("b")).unwrap();
    peer.runtime().take_in_without_commit(&["a", "b"]);
    peer.reopen_killed();
    assert_eq!(peer.text("a").unwrap(), "one\ntheirs\n");
    assert_eq!(peer.paths(), ["a"]);
    peer.edit("a", 0, 0, "mine\n").flush();
    assert_eq!(peer.on_disk("a").unwrap(), "mine\none\ntheirs\n");
}

#[test]
fn names_are_swapped_on_disk_and_a_kill_in_between_deletes_nothing() {
    let mut peer = Peer::new(&[("a", "first"), ("b", "second")]);
    for (from, to) in [("a", "c"), ("b", "a"), ("c", "b")] {
        peer.ask(Request::Rename { from: from.into(), to: to.into() }).unwrap();
    }
    peer.flush();
    assert_eq!((peer.on_disk("a").unwrap(), peer.on_disk("b").unwrap()), ("second".into(), "first".into()));
    // Killed after any of the lines that the shadow got: the folder is as far as it could be by then.
    peer.kill();
    let all = fs::read_to_string(peer.path(".codesync/shadow")).unwrap();
    let lines: Vec<&str> = all.split_inclusive('\n').collect();
    let n_certain = lines.iter().rposition(|line| line.contains("\"Intent\"")).unwrap() + 1;
    assert!(lines.len() >= n_certain + 4, "{all}");
    for n_lines in n_certain..=lines.len() {
        for half_done in [false, true] {
            let mut copy = peer.copied();
            fs::write(copy.path(".codesync/shadow"), lines[..n_lines].concat()).unwrap();
            let is_known = |path: &str| {
                let known = format!("{{\"Known\":[\"{path}\"");
                lines[n_certain..n_lines].iter().any(|line| line.contains(&known))
            };
            if half_done {
                // Of two names one is written first, and the other removed with it.
                for (path, other) in [("a", "b"), ("b", "a")] {
                    if is_known(other) && !is_known(path) {
                        fs::remove_file(copy.path(path)).unwrap();
                    }
                }
            }
            copy.open();
            copy.flush();
            for (path, text) in [("a", "second"), ("b", "first")] {
                assert_eq!(copy.text(path).as_deref(), Some(text), "{path} after {n_lines} lines, {half_done}");
                assert_eq!(copy.on_disk(path).as_deref(), Some(text), "{path} after {n_lines} lines, {half_done}");
            }
            assert_eq!(copy.paths(), ["a", "b"]);
        }
    }
}

#[test]
fn a_file_takes_the_place_of_a_folder_and_a_folder_that_of_a_file() {
    let mut peer = Peer::new(&[("a/x", "inside"), ("f", "file")]);
    peer.ask(Request::Delete { path: "a".into() }).unwrap();
    peer.edit("a", 0, 0, "now a file");
    peer.ask(Request::Rename { from: "f".into(), to: "g".into() }).unwrap();
    peer.edit("f/y", 0, 0, "now a folder").flush();
    assert_eq!(peer.on_disk("a").unwrap(), "now a file");
    assert_eq!(peer.on_disk("f/y").unwrap(), "now a folder");
    assert_eq!(peer.on_disk("g").unwrap(), "file");
    assert_eq!(peer.paths(), ["a", "f/y", "g"]);
    peer.reopen_closed();
    assert_eq!(peer.paths(), ["a", "f/y", "g"]);
}

#[test]
fn a_change_of_case_only_renames_and_an_edit_goes_with_it() {
    let mut peer = Peer::new(&[("readme", "text")]);
    peer.ask(Request::Rename { from: "readme".into(), to: "README".into() }).unwrap();
    peer.edit("README", 4, 0, "!").flush();
    assert_eq!((peer.on_disk("README"), peer.on_disk("readme")), (Some("text!".into()), None));
    peer.reopen_closed();
    assert_eq!(peer.paths(), ["README"]);
}

#[test]
fn a_folder_that_went_away_is_no_deletion_of_everything() {
    let outer = tempfile::tempdir().unwrap();
    let (root, away) = (outer.path().join("w"), outer.path().join("away"));
    put(&root.join("a"), "text");
    let options = Options { person: Some("Asha".into()), watch: false, create: true };
    let mut runtime = Runtime::open(&root.canonicalize().unwrap(), &options).unwrap();
    runtime.begin(None).unwrap();
    fs::rename(&root, &away).unwrap();
    fs::create_dir(&root).unwrap();
    let batch = codesync_fs::Batch { paths: Default::default(), mass: true, overflow: true, ..Default::default() };
    runtime.turn(vec![Message::Changed(batch)]);
    let (answer, wait) = mpsc::channel();
    runtime.turn(vec![Message::Call(Box::new(Request::ListFiles { at: None }), answer)]);
    let Reply::Files { paths } = wait.recv().unwrap().unwrap() else { panic!() };
    assert_eq!(paths, ["a"]);
    drop(runtime);
    assert!(fs::read_dir(&root).unwrap().next().is_none(), "nothing is written into another folder of that name");
}

#[test]
fn a_file_that_the_rules_keep_out_is_not_written_over() {
    let mut peer = Peer::new(&[(".gitignore", "secret\n"), ("secret", "theirs")]);
    assert!(!peer.paths().contains(&"secret".to_owned()));
    peer.edit("secret", 0, 0, "mine").flush();
    assert_eq!(peer.on_disk("secret").unwrap(), "theirs");
    assert_eq!(peer.text("secret").unwrap(), "mine");
}

#[test]
fn a_broken_line_in_the_shadow_does_not_hide_those_after_it() {
    let mut peer = Peer::new(&[("a", "x")]);
    peer.edit("a", 1, 0, "y").flush();
    peer.kill();
    let shadow = peer.path(".codesync/shadow");
    let mut bytes = fs::read(&shadow).unwrap();
    bytes.extend_from_slice(b"01234567 {\"Known");
    fs::write(&shadow, bytes).unwrap();
    peer.open();
    peer.edit("a", 2, 0, "z").flush().reopen_killed();
    assert_eq!((peer.text("a").unwrap(), peer.on_disk("a").unwrap()), ("xyz".into(), "xyz".into()));
}

#[test]
fn a_bundle_that_cannot_be_imported_leaves_the_workspace_on_its_own_store() {
    let mut source = Peer::new(&[("a", "theirs")]);
    let bundle = source.path("bundle.codesync-replay");
    source.ask(Request::ExportBundle { file: bundle.display().to_string() }).unwrap();
    let mut peer = Peer::new(&[]);
    // Where the old history is to be put there is a file in the way.
    fs::write(peer.path(".codesync/set-aside"), "in the way").unwrap();
    assert!(peer.ask(Request::ImportBundle { file: bundle.display().to_string() }).is_err());
    peer.edit("b", 0, 0, "typed after it").flush();
    peer.reopen_killed();
    assert_eq!(peer.text("b").unwrap(), "typed after it");
}

/// What was typed last, some of it saved, an hour after the rest.
fn unsaved_edits() -> Vec<u8> {
    let (log, _) = Log::in_memory(codesync_log::Options::new(codesync_auth::verify_delta)).unwrap();
    let profile = codesync_engine::Profile {
        new_project: codesync_base::ProjectId([7; 16]),
        person: "Bo".into(),
        device_name: "Tower".into(),
        root: "/work/demo".into(),
        incarnation: 0,
    };
    let now = Now { ms: 1_790_000_000_000, local_offset_minutes: 0 };
    let mut engine = Engine::open(log, codesync_auth::DeviceKey::from_seed(&[5; 32]), profile, now).unwrap();
    engine.handle(Request::CreateFile { path: "a".into(), text: String::new() }, now).unwrap();
    engine.sync(now).unwrap();
    let later = Now { ms: now.ms + 3_600_000, ..now };
    for text in ["saved", "typed "] {
        engine.sync(later).unwrap();
        let edits = vec![Splice(0, 0, text.into())];
        engine.handle(Request::EditFile { path: "a".into(), edits }, later).unwrap();
    }
    engine.export_unsaved().unwrap().0
}

#[test]
fn edits_without_their_past_are_no_history_for_an_empty_folder() {
    let mut peer = Peer::new(&[]);
    let (bundle, before) = (peer.path("unsaved.codesync-replay"), peer.runtime().log_heads());
    fs::write(&bundle, unsaved_edits()).unwrap();
    let refusal = peer.ask(Request::ImportBundle { file: bundle.display().to_string() }).unwrap_err();
    assert!(refusal.message.contains("the workspace that it came from"), "{refusal:?}");
    assert_eq!(peer.runtime().log_heads(), before);
    assert!(!peer.path(".codesync/set-aside").exists(), "the history that was there is where it was");
}

#[test]
fn a_view_goes_on_when_a_bundle_of_the_same_workspace_is_taken_in() {
    let mut peer = Peer::new(&[("a", "one"), ("b", "two")]);
    let mut other = peer.kill().copied().opened();
    peer.open();
    other.edit("a", 3, 0, " of the other").ask(Request::Delete { path: "b".into() }).unwrap();
    let bundle = other.path("bundle.codesync-replay");
    other.ask(Request::ExportBundle { file: bundle.display().to_string() }).unwrap();
    let mut view = |path: &str| match peer.ask(Request::OpenView { path: path.into() }) {
        Ok(Reply::View(view)) => view.view_id,
        other => panic!("{other:?}"),
    };
    let (of_a, of_b) = (view("a"), view("b"));
    let (subscriber, events) = mpsc::sync_channel(100);
    peer.runtime().turn(vec![Message::Subscribe(subscriber)]);
    peer.ask(Request::ImportBundle { file: bundle.display().to_string() }).unwrap();
    let told: Vec<Event> = events.try_iter().collect();
    let snapshot = told.iter().find_map(|event| match event {
        Event::ViewSnapshot(snapshot) if snapshot.view_id == of_a => Some(snapshot.clone()),
        _ => None,
    });
    let snapshot = snapshot.unwrap_or_else(|| panic!("{told:?}"));
    assert_eq!(snapshot.text, "one of the other");
    let is_gone = |event: &Event| matches!(event, Event::ViewMoved { view_id, path: None } if *view_id == of_b);
    assert!(told.iter().any(is_gone), "{told:?}");
    let edit = ViewEdit {
        request_id: 1,
        base_revision: snapshot.revision,
        stays_left: false,
        splices: vec![Splice(0, 0, "now ".into())],
    };
    peer.ask(Request::EditView { view_id: of_a, edit }).unwrap();
    assert_eq!(peer.text("a").unwrap(), "now one of the other");
}

#[test]
fn a_git_repository_of_the_history_holds_what_the_folder_holds() {
    let mut peer = Peer::new(&[("a", "first"), ("b", "second"), ("d/x", "inside"), ("q 'uote' ö", "odd")]);
    let swap = [("a", "c"), ("b", "a"), ("c", "b")];
    for (from, to) in swap {
        peer.ask(Request::Rename { from: from.into(), to: to.into() }).unwrap();
    }
    peer.ask(Request::NameMoment { name: "«»".into(), note: None, at: None }).unwrap();
    peer.ask(Request::NameMoment { name: "«»".into(), note: None, at: None }).unwrap();
    peer.ask(Request::Delete { path: "d".into() }).unwrap();
    peer.edit("d", 0, 0, "now a file").edit("x (2)", 0, 0, "").flush();
    // Typing goes on while a folder is taken in: the two acts overlap, and each is one commit.
    for n in 0..40 {
        put(&peer.path(&format!("many/{n:02}")), &format!("{n}\n").repeat(4_000));
    }
    peer.look_at(&["many"]);
    for n in 0..40 {
        peer.edit("d", 0, 0, &n.to_string());
    }
    peer.settle();
    // Two that want one name: when the older goes, the younger gets it without being touched itself.
    put(&peer.path("A"), "twin of a");
    peer.changed(&["A"]);
    peer.ask(Request::Delete { path: "a".into() }).unwrap();
    peer.flush();
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("repository");
    peer.ask(Request::ExportGit { dir: dir.display().to_string() }).unwrap();
    let (mut ours, mut theirs) = (Default::default(), Default::default());
    random::collect(peer.folder.path(), peer.folder.path(), &mut ours);
    random::collect(&dir, &dir, &mut theirs);
    assert_eq!(ours, theirs);
    let tags = std::process::Command::new("git").args(["tag"]).current_dir(&dir).output().unwrap();
    let tags = String::from_utf8_lossy(&tags.stdout).into_owned();
    let named: Vec<&str> = tags.lines().filter(|tag| !tag.starts_with("Before-disk-change")).collect();
    assert_eq!(named, ["moment", "moment-2"]);
    let log = std::process::Command::new("git").args(["log", "--format=%s"]).current_dir(&dir).output().unwrap();
    let log = String::from_utf8_lossy(&log.stdout);
    assert_eq!(log.matches("create 40 files").count(), 1, "{log}");
}

#[test]
fn a_folder_of_its_own_goes_when_the_disk_has_it_no_more() {
    let mut peer = Peer::new(&[]);
    for path in ["empty", "full", "new"] {
        peer.ask(Request::CreateFolder { path: path.into() }).unwrap();
    }
    peer.edit("full/x", 0, 0, "x").flush();
    let folders = |peer: &mut Peer| match peer.ask(Request::ListFolder { path: String::new(), at: None }) {
        Ok(Reply::Folder { entries }) => entries.into_iter().map(|entry| entry.name).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(folders(&mut peer), ["empty", "full", "new"]);
    fs::remove_dir(peer.path("empty")).unwrap();
    fs::remove_dir_all(peer.path("full")).unwrap();
    peer.changed(&["empty", "full"]);
    assert_eq!(folders(&mut peer), ["new"]);
    fs::remove_dir(peer.path("new")).unwrap();
    peer.reopen_killed();
    assert_eq!(folders(&mut peer), Vec::<String>::new());
    // One that is still to be made is not one that went.
    peer.ask(Request::CreateFolder { path: "later".into() }).unwrap();
    peer.changed(&["later"]).reopen_killed().flush();
    assert_eq!(folders(&mut peer), ["later"]);
    assert!(peer.path("later").is_dir());
}

#[test]
fn a_heap_of_what_others_sent_is_dealt_with_in_several_turns() {
    let mut peer = Peer::new(&[("a.txt", "text")]);
    let heap: Vec<_> = (0..3).map(|_| codesync_net::Event::Gone(codesync_net::Peer([7; 32]))).collect();
    // One at least, however slow the machine is, and then the rest.
    assert_eq!(peer.runtime().hear(heap, Duration::ZERO), (2, Duration::ZERO));
    peer.edit("a.txt", 0, 0, "a");
    assert_eq!(peer.runtime().hear(Vec::new(), Duration::MAX).0, 0);
}
