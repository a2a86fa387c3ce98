//! `files.autoSave`: history has every edit at once; the folder gets it when the person says so.

use super::{Peer, put};
use codesync_api::{Event, LineEnd, Reply, Request, ViewEdit};

fn peer(auto_save: &str) -> Peer {
    let mut peer = Peer::new(&[("a.txt", "one\ntwo\nthree\n"), ("b.txt", "b\n")]);
    set(&mut peer, auto_save);
    peer
}

fn set(peer: &mut Peer, auto_save: &str) {
    let value = format!("{{\"autoSave\":\"{auto_save}\"}}");
    peer.ask(Request::PutState { key: "settings".into(), value }).unwrap();
    peer.ask(Request::ReadSettings).unwrap();
}

impl Peer {
    /// Types into a new view of a file.
    fn type_into(&mut self, path: &str, at: u32, text: &str) -> &mut Self {
        let Ok(Reply::View(view)) = self.ask(Request::OpenView { path: path.into() }) else { panic!("no view") };
        let splices = vec![codesync_api::Splice(at, 0, text.into())];
        let edit = ViewEdit { request_id: 1, base_revision: 0, stays_left: false, splices };
        self.ask(Request::EditView { view_id: view.view_id, edit }).unwrap();
        self
    }

    fn waiting(&mut self) -> Vec<String> {
        match self.ask(Request::Status) {
            Ok(Reply::Status(status)) => status.waiting_for_save,
            other => panic!("{other:?}"),
        }
    }

    fn write_out(&mut self, path: Option<&str>) -> &mut Self {
        self.ask(Request::Save { path: path.map(str::to_owned) }).unwrap();
        self
    }
}

#[test]
fn only_a_save_writes_and_only_what_it_names() {
    let mut peer = peer("off");
    let (told, events) = std::sync::mpsc::sync_channel(64);
    peer.runtime().turn(vec![super::Message::Subscribe(told)]);
    peer.type_into("a.txt", 0, "A").type_into("b.txt", 0, "B").flush();
    assert_eq!(peer.on_disk("a.txt").unwrap(), "one\ntwo\nthree\n");
    assert_eq!(peer.text("a.txt").unwrap(), "Aone\ntwo\nthree\n");
    assert_eq!(peer.waiting(), ["a.txt", "b.txt"]);
    peer.write_out(Some("a.txt"));
    assert_eq!(peer.on_disk("a.txt").unwrap(), "Aone\ntwo\nthree\n");
    assert_eq!(peer.on_disk("b.txt").unwrap(), "b\n");
    peer.write_out(None);
    assert_eq!(peer.on_disk("b.txt").unwrap(), "Bb\n");
    assert_eq!(peer.waiting(), [""; 0]);
    let told: Vec<usize> = events
        .try_iter()
        .filter_map(|event| match event {
            Event::WaitingForSave { paths } => Some(paths.len()),
            _ => None,
        })
        .collect();
    assert_eq!(told, [1, 2, 1, 0]);
}

#[test]
fn what_was_not_saved_is_there_again_and_still_not_written() {
    let mut peer = peer("off");
    peer.type_into("a.txt", 0, "A").reopen_closed();
    assert_eq!(peer.on_disk("a.txt").unwrap(), "one\ntwo\nthree\n");
    assert_eq!((peer.text("a.txt").unwrap(), peer.waiting()), ("Aone\ntwo\nthree\n".into(), vec!["a.txt".to_owned()]));
    peer.reopen_killed();
    assert_eq!((peer.text("a.txt").unwrap(), peer.waiting()), ("Aone\ntwo\nthree\n".into(), vec!["a.txt".to_owned()]));
    // Nothing waits any more once nothing has to.
    set(&mut peer, "afterDelay");
    peer.flush();
    assert_eq!(peer.on_disk("a.txt").unwrap(), "Aone\ntwo\nthree\n");
    assert_eq!(peer.waiting(), [""; 0]);
}

#[test]
fn both_are_kept_when_others_change_a_file_that_waits() {
    let mut peer = peer("off");
    peer.type_into("a.txt", 0, "A");
    put(&peer.path("a.txt"), "one\ntwo\nTHREE\n");
    peer.changed(&["a.txt"]);
    assert_eq!(peer.text("a.txt").unwrap(), "Aone\ntwo\nTHREE\n");
    assert_eq!(peer.on_disk("a.txt").unwrap(), "one\ntwo\nTHREE\n");
    // Again while no program was open, and with the memory of the process before gone.
    peer.reopen_killed().kill();
    put(&peer.path("a.txt"), "one\nTWO\nTHREE\n");
    peer.open();
    assert_eq!(peer.text("a.txt").unwrap(), "Aone\nTWO\nTHREE\n");
    assert_eq!(peer.on_disk("a.txt").unwrap(), "one\nTWO\nTHREE\n");
    assert_eq!(peer.waiting(), ["a.txt"]);
    peer.write_out(None);
    assert_eq!(peer.on_disk("a.txt").unwrap(), "Aone\nTWO\nTHREE\n");
}

#[test]
fn what_is_done_to_a_file_as_a_whole_does_not_wait() {
    let mut peer = peer("off");
    peer.ask(Request::CreateFile { path: "new.txt".into(), text: String::new() }).unwrap();
    assert_eq!(peer.on_disk("new.txt").unwrap(), "");
    peer.type_into("new.txt", 0, "n");
    assert_eq!(peer.on_disk("new.txt").unwrap(), "");
    peer.ask(Request::Rename { from: "new.txt".into(), to: "old.txt".into() }).unwrap();
    assert_eq!((peer.on_disk("new.txt"), peer.on_disk("old.txt").unwrap()), (None, "n".into()));
    peer.type_into("a.txt", 0, "A");
    peer.ask(Request::SetLineEnd { path: "a.txt".into(), line_end: LineEnd::CrLf }).unwrap();
    assert_eq!(peer.on_disk("a.txt").unwrap(), "Aone\r\ntwo\r\nthree\r\n");
    peer.type_into("b.txt", 0, "B").ask(Request::Delete { path: "b.txt".into() }).unwrap();
    assert_eq!((peer.on_disk("b.txt"), peer.waiting()), (None, vec![]));
}

#[test]
fn closing_is_leaving() {
    let mut peer = peer("onFocusChange");
    peer.type_into("a.txt", 0, "A").flush();
    assert_eq!(peer.on_disk("a.txt").unwrap(), "one\ntwo\nthree\n");
    peer.reopen_closed();
    assert_eq!(peer.on_disk("a.txt").unwrap(), "Aone\ntwo\nthree\n");
    // A program that was killed let nobody stay in a file either.
    peer.type_into("a.txt", 0, "B").reopen_killed().flush();
    assert_eq!(peer.on_disk("a.txt").unwrap(), "BAone\ntwo\nthree\n");
}

/// What stands on disk is what the person has there, however often a file is another kind of file.
#[test]
fn a_text_that_was_binary_for_a_while_keeps_what_another_program_wrote_last() {
    let mut peer = peer("afterDelay");
    peer.edit("a.txt", 0, 0, "zero\n").flush();
    for text in ["zero\nONE\ntwo\n", "all new\n"] {
        std::fs::write(peer.path("a.txt"), b"PNG\0\0").unwrap();
        peer.changed(&["a.txt"]).flush();
        put(&peer.path("a.txt"), text);
        peer.changed(&["a.txt"]).flush();
        assert_eq!((peer.on_disk("a.txt"), peer.text("a.txt")), (Some(text.into()), Some(text.into())));
    }
    assert_eq!(peer.paths(), ["a.txt", "b.txt"]);
}
