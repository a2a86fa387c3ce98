//! Stores that were rolled back, copied or moved, and folders that go away under an open workspace.

use super::*;
use codesync_api::{Notice, SaveKind, SaveState, Status};

impl Peer {
    fn status(&mut self) -> Status {
        match self.ask(Request::Status) {
            Ok(Reply::Status(status)) => status,
            other => panic!("{other:?}"),
        }
    }

    fn notices(&mut self) -> Vec<Notice> {
        self.status().notices
    }

    /// Ids of what it says about the store; how much room the disk has is another matter.
    fn store_notices(&mut self) -> Vec<String> {
        self.notices().into_iter().map(|notice| notice.id).filter(|id| id.starts_with("MSG-STORE")).collect()
    }

    fn save(&mut self) -> SaveState {
        self.status().save
    }

    fn close(&mut self) -> &mut Self {
        let (done, _wait) = mpsc::channel();
        let mut runtime = self.runtime.take().unwrap();
        runtime.turn(vec![Message::Close(done)]);
        runtime.close();
        self
    }

    /// Logs in the store: how often this device began anew.
    fn n_lives(&mut self) -> usize {
        self.runtime().log_heads().len()
    }

    fn put_store_back(&self, backup: &Path) {
        fs::remove_dir_all(self.path(".codesync")).unwrap();
        copy_folder(backup, &self.path(".codesync"));
    }

    fn back_up_store(&self) -> TempDir {
        let backup = tempfile::tempdir().unwrap();
        copy_folder(&self.path(".codesync"), backup.path());
        backup
    }
}

#[test]
fn an_older_store_put_back_is_noticed_and_goes_on_under_a_new_name() {
    let mut peer = Peer::new(&[("a.txt", "one")]);
    peer.edit("a.txt", 3, 0, " two").flush().close();
    let backup = peer.back_up_store();
    peer.open();
    peer.edit("a.txt", 7, 0, " three").flush().close();
    for round in 1..=2 {
        peer.put_store_back(backup.path());
        peer.open();
        assert_eq!(peer.store_notices(), ["MSG-STORE-1"], "round {round}");
        // The files are newer than the history: taken in as changes, nothing is written over.
        assert_eq!(peer.text("a.txt").unwrap(), format!("one two three{}", " more".repeat(round - 1)));
        assert_eq!(peer.n_lives(), 2);
        peer.edit("a.txt", 0, 0, "").edit("a.txt", 13, 0, " more").flush();
        peer.reopen_closed();
        // Said once; `verify` still knows.
        assert_eq!(peer.store_notices(), [] as [String; 0]);
        let Ok(Reply::Verified(report)) = peer.ask(Request::Verify { repair: false }) else { panic!() };
        assert!(report.ok, "{report:?}");
        assert!(report.repaired.iter().any(|sentence| sentence.contains("an older copy of itself")), "{report:?}");
        peer.close();
    }
}

#[test]
fn a_copied_folder_is_noticed_and_the_original_is_not_bothered() {
    let mut original = Peer::new(&[("a.txt", "one")]);
    original.edit("a.txt", 3, 0, " two").flush().close();
    let mut copy = original.copied();
    copy.open();
    assert_eq!(copy.store_notices(), ["MSG-STORE-2"]);
    let of = original.folder.path().canonicalize().unwrap().display().to_string();
    assert!(copy.notices().iter().any(|notice| notice.body.contains(&of)));
    copy.edit("a.txt", 0, 0, "copy ").flush();
    original.open();
    assert_eq!(original.store_notices(), [] as [String; 0]);
    original.edit("a.txt", 0, 0, "original ").flush();
    assert_eq!((original.n_lives(), copy.n_lives()), (1, 2));
    assert_eq!(copy.text("a.txt").unwrap(), "copy one two");
    assert_eq!(original.text("a.txt").unwrap(), "original one two");
    copy.reopen_closed();
    assert_eq!(copy.store_notices(), [] as [String; 0]);
    assert_eq!(copy.n_lives(), 2, "no new name at every opening");
    // One author, however often the log began anew.
    let Ok(Reply::Timeline(info)) = copy.ask(Request::Timeline { scope: codesync_api::Scope::Workspace }) else {
        panic!()
    };
    let mut ids: Vec<_> = info.authors.iter().map(|author| author.id.clone()).collect();
    ids.dedup();
    assert_eq!(ids.len(), info.authors.len());
}

#[test]
fn a_folder_that_was_moved_is_the_same() {
    let mut peer = Peer::new(&[("a.txt", "one")]);
    peer.edit("a.txt", 3, 0, " two").flush().close();
    // Renamed: the same folder to the system.
    let elsewhere = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(peer.folder.path()).unwrap().flatten() {
        fs::rename(entry.path(), elsewhere.path().join(entry.file_name())).unwrap();
    }
    let mut moved = Peer { folder: elsewhere, runtime: None }.opened();
    assert_eq!(moved.store_notices(), [] as [String; 0]);
    moved.edit("a.txt", 7, 0, " three").flush().close();
    // To another disk: a copy, and the first is taken away.
    let mut copied = moved.copied();
    drop(moved);
    copied.open();
    assert_eq!((copied.store_notices(), copied.n_lives()), (vec![], 1));
    assert_eq!(copied.text("a.txt").unwrap(), "one two three");
}

#[test]
fn a_killed_program_is_no_roll_back() {
    let mut peer = Peer::new(&[("a.txt", "")]);
    for n in 0..20 {
        peer.edit("a.txt", n, 0, "x");
        peer.reopen_killed();
        assert_eq!((peer.store_notices(), peer.n_lives()), (vec![], 1));
    }
}

#[test]
fn an_unreadable_or_missing_name_is_never_taken_for_the_first() {
    for text in
        [None, Some("{ torn"), Some(""), Some("{\"incarnation\":0}"), Some("{\"incarnation\":0,\"id\":\"../x\"}")]
    {
        let mut peer = Peer::new(&[("a.txt", "one")]);
        peer.edit("a.txt", 3, 0, " two").flush().close();
        let replica = peer.path(".codesync/replica.json");
        match text {
            Some(text) => fs::write(&replica, text).unwrap(),
            None => fs::remove_file(&replica).unwrap(),
        }
        peer.open();
        assert!(peer.runtime().log_heads().iter().all(|head| head.log.incarnation != 0));
        peer.edit("a.txt", 7, 0, " three").flush();
        assert_eq!((peer.n_lives(), peer.store_notices()), (2, vec![]), "{text:?}");
        assert_eq!(peer.reopen_closed().text("a.txt").unwrap(), "one two three");
        assert_eq!(peer.n_lives(), 2);
    }
}

#[test]
fn a_folder_that_goes_away_takes_nothing_and_comes_back() {
    let mut peer = Peer::new(&[("a.txt", "one"), ("b/c.txt", "two")]);
    peer.edit("a.txt", 3, 0, " and").flush();
    let saved_ms = peer.save().saved_ms;
    let (root, away) = (peer.folder.path().to_path_buf(), peer.folder.path().with_extension("away"));
    fs::rename(&root, &away).unwrap();
    let refused = peer.ask(Request::EditFile { path: "a.txt".into(), edits: vec![Splice(0, 0, "lost?".into())] });
    assert!(refused.unwrap_err().message.contains("This folder is gone"), "not taken");
    let save = peer.save();
    assert_eq!((save.kind, save.saved_ms), (SaveKind::FolderGone, saved_ms));
    for request in [Request::Flush, Request::PutState { key: "tabs".into(), value: "x".into() }] {
        assert!(peer.ask(request).is_err());
    }
    // As the watcher tells of a removal: nothing counts as deleted.
    let batch = codesync_fs::Batch { paths: Default::default(), mass: true, overflow: true, ..Default::default() };
    peer.runtime().turn(vec![Message::Changed(batch)]);
    assert_eq!(peer.paths(), ["a.txt", "b/c.txt"]);
    assert!(!root.exists(), "nothing is made where it was");
    fs::write(away.join("b/c.txt"), "changed meanwhile").unwrap();
    fs::rename(&away, &root).unwrap();
    peer.runtime().turn(Vec::new());
    while peer.runtime().is_busy() {
        peer.runtime().turn(Vec::new());
    }
    assert_eq!(peer.save().kind, SaveKind::Saved);
    assert_eq!(peer.text("b/c.txt").unwrap(), "changed meanwhile");
    peer.edit("a.txt", 0, 0, "again ").flush();
    assert_eq!(peer.reopen_closed().text("a.txt").unwrap(), "again one and");
}

#[test]
fn a_folder_that_is_deleted_is_not_called_saved_and_is_not_made_anew() {
    let mut peer = Peer::new(&[("a.txt", "one")]);
    peer.flush();
    fs::remove_dir_all(peer.folder.path()).unwrap();
    assert!(peer.ask(Request::Flush).is_err());
    assert_eq!(peer.save().kind, SaveKind::FolderGone);
    // Another folder in its place is not this one.
    fs::create_dir(peer.folder.path()).unwrap();
    assert!(peer.ask(Request::EditFile { path: "a.txt".into(), edits: vec![Splice(0, 0, "x".into())] }).is_err());
    assert_eq!(peer.text("a.txt").unwrap(), "one", "what is in memory can still be read and copied");
    peer.close();
    assert_eq!(fs::read_dir(peer.folder.path()).unwrap().count(), 0);
}

#[test]
fn a_history_that_is_taken_away_is_noticed_before_anything_is_called_saved() {
    let mut peer = Peer::new(&[("a.txt", "one")]);
    peer.flush();
    let aside = tempfile::tempdir().unwrap();
    let aside = aside.path().join("store");
    fs::rename(peer.path(".codesync"), &aside).unwrap();
    let refused = peer.ask(Request::EditFile { path: "a.txt".into(), edits: vec![Splice(0, 0, "x".into())] });
    assert!(refused.unwrap_err().message.contains("The history of this folder is gone"));
    assert_eq!(peer.save().kind, SaveKind::FolderGone);
    assert!(!peer.path(".codesync").exists());
    fs::rename(&aside, peer.path(".codesync")).unwrap();
    peer.edit("a.txt", 3, 0, " more").flush();
    assert_eq!(peer.save().kind, SaveKind::Saved);
    assert_eq!(peer.reopen_closed().text("a.txt").unwrap(), "one more");
}

#[test]
fn a_journal_that_is_taken_away_is_noticed_and_written_anew() {
    let mut peer = Peer::new(&[("a.txt", "one")]);
    peer.edit("a.txt", 3, 0, " two").flush();
    for entry in fs::read_dir(peer.path(".codesync/journal")).unwrap().flatten() {
        fs::remove_file(entry.path()).unwrap();
    }
    let edits = vec![Splice(7, 0, " three".into())];
    assert!(peer.ask(Request::EditFile { path: "a.txt".into(), edits }).is_err(), "never called saved");
    assert_eq!(peer.save().kind, SaveKind::Failed);
    // It has all of it in memory still, and tries again.
    peer.runtime().turn(Vec::new());
    assert_eq!(peer.save().kind, SaveKind::Saved);
    let n_moments = peer.flush().status().n_moments;
    assert_eq!(peer.reopen_killed().text("a.txt").unwrap(), "one two three");
    assert_eq!(peer.status().n_moments, n_moments, "the history is whole, not only the file");
}

#[test]
fn a_name_that_cannot_be_taken_in_is_told_when_it_comes() {
    let mut peer = Peer::new(&[("odd/fine.txt", "x")]);
    let (events, told) = mpsc::sync_channel(100);
    peer.runtime().turn(vec![Message::Subscribe(events)]);
    put(&peer.path("odd/nul.txt"), "x");
    peer.changed(&["odd"]).changed(&["odd"]);
    let notices: Vec<Notice> = told
        .try_iter()
        .filter_map(|event| match event {
            codesync_api::Event::Notice(notice) if notice.id == "MSG-FILE-6" => Some(notice),
            _ => None,
        })
        .collect();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert_eq!(notices[0].path.as_deref(), Some("odd/nul.txt"));
    assert_eq!(peer.status().refused.len(), 1);
    fs::remove_file(peer.path("odd/nul.txt")).unwrap();
    assert_eq!(peer.changed(&["odd"]).status().refused.len(), 0);
}
