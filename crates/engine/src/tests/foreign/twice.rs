//! What the folder had before its history came: under a store that was put back, or from elsewhere while one was away.

use super::*;

impl Peers {
    /// Another program has written a file in somebody's folder; none: it is gone.
    fn program(&mut self, n: usize, path: &str, text: &str) -> &mut Self {
        let kind = IntakeKind::File { bytes: text.as_bytes().to_vec(), mode: 0o644, base: None };
        let path = RelPath::parse(path).unwrap();
        self.now_ms += 1;
        let (now, engine) = (self.now(), &mut self.engines[n]);
        // All that waited was written before.
        for file in engine.due_writes(Now { ms: now.ms + 60_000, ..now }, usize::MAX) {
            engine.written(file);
        }
        let mut run = engine.begin_intake(false, false, now).unwrap();
        let known = engine.tree().by_path(&path).map(|node| node.file);
        engine.take_in(&mut run, Intake { path, known, kind }, now).unwrap();
        engine.end_intake(run, false).unwrap();
        engine.sync(now).unwrap();
        self
    }

    /// The store of one is put back as it was; it goes on under a new name.
    fn put_back(&mut self, n: usize, backup: &MemoryDisk) -> &mut Self {
        self.put_back_as(n, backup, 7)
    }

    fn put_back_as(&mut self, n: usize, backup: &MemoryDisk, incarnation: u32) -> &mut Self {
        self.wait(60_000);
        self.disks[n] = backup.fork();
        let (log, _) =
            Log::open_with(Box::new(self.disks[n].clone()), Box::new(MemoryIndex::new()), Options::new(verify_delta))
                .unwrap();
        let key = DeviceKey::from_seed(&[n as u8 + 1; 32]);
        self.engines[n] = Engine::open(log, key, crate::Profile { incarnation, ..profile(n) }, self.now()).unwrap();
        let now = self.now();
        self.engines[n].sync(now).unwrap();
        self
    }

    /// All that anybody has, after all have got everything.
    fn settled(&mut self) -> BTreeMap<String, String> {
        self.meet().meet();
        let texts = |peers: &mut Self, n| -> BTreeMap<String, String> {
            let paths = peers.paths(n);
            paths.into_iter().map(|path| (path.clone(), peers.text(n, &path).unwrap_or_default())).collect()
        };
        let first = texts(self, 0);
        let pictures: Vec<_> = (0..self.engines.len()).map(|n| self.picture(n)).collect();
        pictures.iter().for_each(|other| assert_same(&pictures[0], other, "all are equal"));
        first
    }
}

fn files(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

/// Bo has lost what both did since the backup that is given; his folder has it.
fn lost() -> (Peers, MemoryDisk) {
    let mut peers = Peers::new(2);
    peers.edit(0, "a", &[(0, 0, "one\ntwo\nthree\n")]).meet().wait(5_000);
    let backup = peers.disks[1].fork();
    peers.edit(1, "a", &[(0, 3, "1"), (2, 3, "second")]).edit(1, "b", &[(0, 0, "begun")]).meet().wait(5_000);
    peers.edit(0, "a", &[(9, 5, "last")]).edit(1, "b", &[(5, 0, " by Bo")]).meet();
    assert_eq!(peers.settled(), files(&[("a", "1\nsecond\nlast\n"), ("b", "begun by Bo")]));
    (peers, backup)
}

#[test]
fn what_a_store_that_was_put_back_has_lost_comes_once() {
    let (mut peers, backup) = lost();
    peers.put_back(1, &backup).program(1, "a", "1\nsecond\nlast\n").program(1, "b", "begun by Bo");
    assert_eq!(peers.settled(), files(&[("a", "1\nsecond\nlast\n"), ("b", "begun by Bo")]));
    // It is over: nothing is taken back a second time.
    peers.wait(5_000).edit(0, "a", &[(0, 0, "x")]).edit(1, "b", &[(0, 0, "y")]);
    assert_eq!(peers.settled(), files(&[("a", "x1\nsecond\nlast\n"), ("b", "ybegun by Bo")]));
}

#[test]
fn a_restore_brings_back_both_of_what_was_there_twice() {
    let (mut peers, backup) = lost();
    peers.put_back(1, &backup).program(1, "b", "begun by Bo");
    assert!(!peers.settled().contains_key("b (2)"));
    let both = (0..=peers.n_moments(0, Scope::Workspace)).map(Moment::WorkspaceStep).find(|at| {
        let Reply::Files { paths } = peers.ask(0, Request::ListFiles { at: Some(at.clone()) }) else { panic!() };
        paths.contains(&"b (2)".to_owned())
    });
    let target = codesync_api::RestoreTarget::Workspace;
    peers.wait(5_000).ask(0, Request::Restore { target, at: both.unwrap() });
    assert!(peers.settled().contains_key("b (2)"));
    assert!(peers.edit(1, "b", &[(0, 0, "y")]).settled().contains_key("b (2)"));
}

#[test]
fn what_comes_in_parts_is_recognised_with_the_last_of_them() {
    let (mut peers, backup) = lost();
    peers.put_back(1, &backup).program(1, "a", "1\nsecond\nlast\n").program(1, "b", "begun by Bo");
    for signed in peers.missing(0, 1) {
        peers.give(0, 1, &[signed]);
    }
    assert_eq!(peers.text(1, "a").unwrap(), "1\nsecond\nlast\n");
    assert_eq!(peers.settled(), files(&[("a", "1\nsecond\nlast\n"), ("b", "begun by Bo")]));
}

#[test]
fn both_go_on_from_what_stays() {
    let (mut peers, backup) = lost();
    peers.put_back(1, &backup).program(1, "a", "1\nsecond\nlast\n").program(1, "b", "begun by Bo").wait(5_000);
    // Inside what the folder brought, and inside what it was elsewhere.
    peers.edit(1, "a", &[(0, 1, "first"), (12, 0, " of all")]).edit(1, "b", &[(0, 5, "Made")]);
    peers.edit(0, "a", &[(9, 4, "the end")]).edit(0, "b", &[(11, 0, "!")]);
    assert_eq!(peers.text(1, "a").unwrap(), "first\nsecond of all\nlast\n");
    assert_eq!(peers.settled(), files(&[("a", "first\nsecond of all\nthe end\n"), ("b", "Made by Bo!")]));
}

#[test]
fn a_view_of_the_file_that_goes_shows_the_one_that_stays() {
    let (mut peers, backup) = lost();
    peers.put_back(1, &backup).program(1, "b", "begun by Bo");
    let Reply::View(view) = peers.ask(1, Request::OpenView { path: "b".into() }) else { panic!() };
    peers.engines[1].take_events();
    peers.settled();
    let events = peers.engines[1].take_events();
    let moved = events.iter().rev().find_map(|event| match event {
        Event::ViewMoved { path, .. } => Some(path.clone()),
        _ => None,
    });
    assert_eq!(moved.unwrap().as_deref(), Some("b"));
    let shown = events.iter().rev().find_map(|event| match event {
        Event::ViewSnapshot(snapshot) => Some((snapshot.revision, snapshot.text.clone())),
        _ => None,
    });
    let (base_revision, text) = shown.unwrap();
    assert_eq!(text, "begun by Bo");
    let splices = vec![Splice(0, 5, "Made".into())];
    let edit = ViewEdit { request_id: 1, base_revision, stays_left: false, splices };
    peers.ask(1, Request::EditView { view_id: view.view_id, edit });
    assert_eq!(peers.settled()["b"], "Made by Bo");
}

#[test]
fn what_was_typed_into_the_file_that_goes_can_be_undone() {
    let mut peers = Peers::new(2);
    peers.edit(0, "a", &[(0, 0, "}")]).wait(5_000).program(1, "a", "}").wait(5_000);
    let Reply::View(view) = peers.ask(1, Request::OpenView { path: "a".into() }) else { panic!() };
    let edit = ViewEdit {
        request_id: 1,
        base_revision: view.revision,
        stays_left: false,
        splices: vec![Splice(0, 0, "typed ".into())],
    };
    peers.ask(1, Request::EditView { view_id: view.view_id, edit });
    peers.wait(5_000);
    assert_eq!(peers.settled(), files(&[("a", "typed }")]));
    let Reply::Undone(undone) = peers.ask(1, Request::Undo { view_id: view.view_id }) else { panic!() };
    assert_eq!(undone.kind, codesync_api::UndoneKind::Applied);
    assert_eq!(peers.settled(), files(&[("a", "}")]));
}

#[test]
fn a_store_put_back_that_only_others_can_tell_has_all_once() {
    let (mut peers, backup) = lost();
    // It goes on under its old name, so its log says two things under one number.
    peers.put_back_as(1, &backup, 0).program(1, "a", "1\nsecond\nlast\n").program(1, "b", "begun by Bo");
    let deltas = peers.missing(0, 1);
    let received = peers.give(0, 1, &deltas);
    assert!(received.held.iter().any(|(_, why)| *why == Held::OwnLog), "{received:?}");
    let now = peers.now();
    peers.engines[1].begin_incarnation(7, now).unwrap();
    peers.engines[1].sync(now).unwrap();
    assert_eq!(peers.settled(), files(&[("a", "1\nsecond\nlast\n"), ("b", "begun by Bo")]));
}

#[test]
fn two_who_get_the_same_from_elsewhere_have_it_once() {
    let mut peers = Peers::new(3);
    peers.edit(0, "a", &[(0, 0, "one\ntwo\n")]).meet().wait(5_000);
    for n in 0..3 {
        peers.program(n, "a", "one\nand more\ntwo\n").program(n, "new", "from elsewhere\n");
        peers.program(n, "logo", "\0no text").wait(5_000);
    }
    let wanted = [("a", "one\nand more\ntwo\n"), ("logo", ""), ("new", "from elsewhere\n")];
    assert_eq!(peers.settled(), files(&wanted));
}

#[test]
fn what_only_the_folder_had_is_added_to_what_comes_back() {
    let (mut peers, backup) = lost();
    // The newest nobody else has got, or another program wrote it.
    peers.put_back(1, &backup).program(1, "a", "1\nsecond\nlast\nmine\n").program(1, "b", "begun by Bo, mine");
    peers.wait(5_000).edit(1, "a", &[(0, 0, "now ")]).edit(0, "a", &[(2, 0, "my ")]);
    let wanted = [("a", "now 1\nmy second\nlast\nmine\n"), ("b", "begun by Bo, mine")];
    assert_eq!(peers.settled(), files(&wanted));
}

#[test]
fn what_is_not_the_same_stays() {
    let mut peers = Peers::new(2);
    peers.edit(0, "a", &[(0, 0, "one\ntwo\n")]).meet().wait(5_000);
    peers.edit(0, "a", &[(4, 0, "x\ny\n")]).edit(0, "b", &[(0, 0, "theirs")]).wait(5_000);
    peers.program(1, "a", "one\nx\nz\ntwo\n").program(1, "b", "ours");
    let settled = peers.settled();
    assert_eq!(settled["b"], "theirs");
    assert_eq!(settled["b (2)"], "ours");
    assert!(
        ["x\ny\nx\nz\n", "x\nz\nx\ny\n"].iter().any(|both| settled["a"] == format!("one\n{both}two\n")),
        "{settled:?}"
    );
}

#[test]
fn going_back_to_an_older_text_is_no_repetition() {
    let mut peers = Peers::new(2);
    peers.edit(0, "a", &[(0, 0, "old\n")]).meet().wait(5_000);
    // Asha types something and takes it away, which Bo does not hear of.
    peers.edit(0, "a", &[(0, 0, "x")]).wait(5_000).edit(0, "a", &[(0, 1, "")]).wait(5_000);
    peers.edit(1, "a", &[(0, 3, "new")]).wait(5_000).program(1, "a", "old\n");
    assert_eq!(peers.settled(), files(&[("a", "old\n")]));
    // The same line written by one in a program and by the other here, one after the other, stands twice.
    peers.program(0, "a", "old\nline\n").meet().wait(5_000).program(1, "a", "old\nline\nline\n");
    assert_eq!(peers.settled(), files(&[("a", "old\nline\nline\n")]));
}
