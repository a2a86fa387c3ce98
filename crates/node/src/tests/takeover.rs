//! A node that is attached to another process goes on when that one ends, closed or killed.

use crate::{Node, Options};
use codesync_api::{Event, Moment, Reply, Request, SaveKind, Splice, ViewEdit};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);
const ROOT: &str = "CODESYNC_TEST_OWNED_ROOT";

fn staying(root: &Path) -> Node {
    Node::open(root, Options { person: Some("Asha".into()), watch: true, create: true }).unwrap()
}

fn text(node: &Node, path: &str) -> String {
    match node.call(Request::FileAt { path: path.into(), at: Moment::Now }) {
        Ok(Reply::File(file)) => file.text.unwrap(),
        other => panic!("{other:?}"),
    }
}

fn wait_for<T>(events: &Receiver<Event>, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        let event = events.recv_timeout(PATIENCE.saturating_sub(began.elapsed())).expect("the event did not come");
        if let Some(found) = wanted(&event) {
            return found;
        }
    }
}

fn open_view(node: &Node) -> u32 {
    match node.call(Request::OpenView { path: "a.txt".into() }) {
        Ok(Reply::View(view)) => view.view_id,
        other => panic!("{other:?}"),
    }
}

fn type_in(node: &Node, view_id: u32, request_id: u64, base_revision: u64, splice: Splice) {
    let edit = ViewEdit { request_id, base_revision, stays_left: false, splices: vec![splice] };
    node.call(Request::EditView { view_id, edit }).unwrap();
}

/// What a window does when the process that has its workspace ends: nothing, and it goes on.
fn goes_on(attached: &Node, events: &Receiver<Event>, view_id: u32, end: impl FnOnce()) {
    type_in(attached, view_id, 1, 0, Splice(0, 0, "before ".into()));
    wait_for(events, |event| matches!(event, Event::ViewAck { request_id: 1, .. }).then_some(()));
    end();
    let snapshot = wait_for(events, |event| match event {
        Event::ViewSnapshot(snapshot) if snapshot.view_id == view_id => Some(snapshot.clone()),
        _ => None,
    });
    assert_eq!((snapshot.text.as_str(), snapshot.acked_request_id), ("before text", 1));
    assert!(snapshot.revision > 1, "newer than all that was heard of");
    wait_for(events, |event| {
        matches!(event, Event::TreeChanged { folders } if folders.contains(&String::new())).then_some(())
    });
    wait_for(events, |event| matches!(event, Event::SaveState(state) if state.kind == SaveKind::Saved).then_some(()));
    type_in(attached, view_id, 2, snapshot.revision, Splice(0, 0, "after ".into()));
    wait_for(events, |event| matches!(event, Event::ViewAck { request_id: 2, .. }).then_some(()));
    assert_eq!(text(attached, "a.txt"), "after before text");
}

#[test]
fn a_window_goes_on_when_the_process_that_had_its_workspace_closes() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "text").unwrap();
    let owner = staying(folder.path());
    let (attached, third) = (staying(folder.path()), staying(folder.path()));
    assert!(owner.is_owner() && !attached.is_owner() && !third.is_owner());
    let (events, third_events) = (attached.subscribe(), third.subscribe());
    let (view_id, third_view) = (open_view(&attached), open_view(&third));
    assert_ne!(view_id, third_view);
    goes_on(&attached, &events, view_id, || owner.close());
    // One of the two has it now, and both work on it under the numbers they had.
    assert!(attached.is_owner() != third.is_owner());
    // It hears of what was typed, before or after it found its way.
    wait_for(&third_events, |event| match event {
        Event::ViewPatch(patch) => (patch.view_id == third_view && patch.splices[0].2 == "after ").then_some(()),
        Event::ViewSnapshot(snapshot) => {
            (snapshot.view_id == third_view && snapshot.text.starts_with("after ")).then_some(())
        }
        _ => None,
    });
    // And again, the other way round.
    let (first, second) = if attached.is_owner() { (attached, third) } else { (third, attached) };
    first.close();
    assert_eq!(text(&second, "a.txt"), "after before text");
    second.close();
    assert_eq!(std::fs::read_to_string(folder.path().join("a.txt")).unwrap(), "after before text");
}

#[test]
fn a_window_goes_on_when_the_process_that_had_its_workspace_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "text").unwrap();
    let mut owner = owner_process(folder.path());
    let attached = staying(folder.path());
    assert!(!attached.is_owner());
    let events = attached.subscribe();
    let view_id = open_view(&attached);
    goes_on(&attached, &events, view_id, || {
        owner.kill().unwrap();
        owner.wait().unwrap();
    });
    assert!(attached.is_owner());
    attached.close();
    assert_eq!(std::fs::read_to_string(folder.path().join("a.txt")).unwrap(), "after before text");
}

#[test]
fn an_attached_window_that_is_closed_lets_the_workspace_alone() {
    let folder = tempfile::tempdir().unwrap();
    let owner = staying(folder.path());
    let attached = staying(folder.path());
    let events = attached.subscribe();
    attached.close();
    let ended = loop {
        match events.recv_timeout(PATIENCE) {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(ended, RecvTimeoutError::Disconnected);
    owner.close();
    let again = staying(folder.path());
    assert!(again.is_owner());
    again.close();
}

#[test]
fn a_listener_that_never_reads_is_let_go() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "").unwrap();
    let owner = staying(folder.path());
    let events = owner.subscribe();
    let view_id = open_view(&owner);
    for request_id in 1..=crate::EVENTS_MAX as u64 + 100 {
        type_in(&owner, view_id, request_id, request_id - 1, Splice(0, 0, "x".into()));
    }
    let n_kept = events.iter().count();
    assert!(n_kept <= crate::EVENTS_MAX, "{n_kept}");
    // It begins anew.
    let events = owner.subscribe();
    owner.call(Request::ResumeViews { views: Vec::new() }).unwrap();
    wait_for(&events, |event| matches!(event, Event::TreeChanged { .. }).then_some(()));
    owner.close();
}

/// This very program, run so that only the next function does anything.
fn owner_process(root: &Path) -> Child {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "tests::takeover::owns_a_workspace_until_it_is_killed"])
        .env(ROOT, root)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while !root.join(".codesync/run.json").exists() {
        assert!(began.elapsed() < PATIENCE, "the other process did not start");
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

#[test]
#[ignore = "a process of its own for the test of a kill"]
fn owns_a_workspace_until_it_is_killed() {
    let Some(root) = std::env::var_os(ROOT) else { return };
    let _node = staying(Path::new(&root));
    std::thread::sleep(PATIENCE);
}
