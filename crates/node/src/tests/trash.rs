//! What a person deletes, as the folder, the trash and history have it afterwards.

use super::{Peer, put};
use crate::trash::test_trash;
use codesync_api::{ErrorCode, Reply, Request};
use std::fs;

fn trashed(peer: &mut Peer, path: &str) -> (Option<String>, bool) {
    match peer.ask(Request::MoveToTrash { path: path.into() }) {
        Ok(Reply::Trashed { group_id, in_trash }) => (group_id, in_trash),
        other => panic!("{other:?}"),
    }
}

fn in_trash(path: &str) -> Option<String> {
    fs::read_to_string(test_trash().join(path)).ok()
}

#[test]
fn what_is_deleted_is_in_the_trash_as_it_was_last_and_in_history() {
    let mut peer = Peer::new(&[("trash-a/one", "first"), ("trash-a/two", "second"), ("kept", "k")]);
    // Typed a moment ago, and changed by another program a moment ago.
    peer.edit("trash-a/one", 5, 0, ", typed");
    put(&peer.path("trash-a/two"), "second, changed");
    let (group, is_in) = trashed(&mut peer, "trash-a");
    assert!(is_in && !peer.path("trash-a").exists());
    assert_eq!(in_trash("trash-a/one").unwrap(), "first, typed");
    assert_eq!(in_trash("trash-a/two").unwrap(), "second, changed");
    peer.changed(&["trash-a", "trash-a/one", "trash-a/two"]).flush();
    assert_eq!(peer.paths(), ["kept"]);
    // The one act takes back all of it, whatever the watcher said of the folder meanwhile.
    peer.ask(Request::UndoGroup { group_id: group.unwrap() }).unwrap();
    peer.flush();
    assert_eq!(peer.on_disk("trash-a/one").unwrap(), "first, typed");
    assert_eq!(peer.on_disk("trash-a/two").unwrap(), "second, changed");
}

#[test]
fn a_trash_that_does_not_take_it_is_not_in_the_way() {
    let mut peer = Peer::new(&[("refused", "text")]);
    let (group, is_in) = trashed(&mut peer, "refused");
    assert!(!is_in);
    peer.flush();
    assert!(peer.paths().is_empty() && !peer.path("refused").exists());
    peer.ask(Request::UndoGroup { group_id: group.unwrap() }).unwrap();
    peer.flush();
    assert_eq!(peer.on_disk("refused").unwrap(), "text");
}

#[test]
fn what_history_does_not_have_goes_to_the_trash_or_stays() {
    let mut peer = Peer::new(&[(".gitignore", "out\nrefused\n"), ("out/made", "bytes"), ("refused", "text")]);
    assert_eq!(trashed(&mut peer, "out"), (None, true));
    assert_eq!(in_trash("out/made").unwrap(), "bytes");
    let kept = peer.ask(Request::MoveToTrash { path: "refused".into() }).unwrap_err();
    assert!(kept.code == ErrorCode::Io && kept.message.contains("so it stays"), "{kept}");
    assert_eq!(peer.on_disk("refused").unwrap(), "text");
    fs::create_dir_all(peer.path(".git/objects")).unwrap();
    for path in [".codesync", ".git", ".git/objects", "nothing", "../x", ""] {
        assert!(peer.ask(Request::MoveToTrash { path: path.into() }).is_err(), "{path}");
    }
    assert!(peer.path(".codesync").is_dir() && peer.path(".git/objects").is_dir());
}
