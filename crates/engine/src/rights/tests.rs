//! Rights as they come about: granted, lowered and taken by deltas that are exchanged, and the same everywhere.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::{Arrived, DiskImageKind, Intake, IntakeKind, Profile, Received, Refusal};
use codesync_api::{Moment, Reply, Request, Splice};
use codesync_auth::{DeviceKey, Why, verify_delta};
use codesync_base::{ProjectId, RelPath, encode_delta};
use codesync_log::{Log, Options};

const START_MS: u64 = 1_790_000_000_000;

/// Asha's workspace, and the engines of those she lets in.
struct Peers {
    engines: Vec<Engine>,
    now_ms: u64,
}

fn device(n: usize) -> DeviceId {
    DeviceKey::from_seed(&[n as u8 + 1; 32]).device()
}

impl Peers {
    fn new(n: usize) -> Self {
        let engines = (0..n).map(|n| {
            let (log, _) = Log::in_memory(Options::new(verify_delta)).unwrap();
            let profile = Profile {
                new_project: ProjectId([7; 16]),
                person: ["Asha", "Bo", "Chidi"][n].into(),
                device_name: "laptop".into(),
                root: "/work/demo".into(),
                incarnation: 0,
            };
            let key = DeviceKey::from_seed(&[n as u8 + 1; 32]);
            let now = Now { ms: START_MS, local_offset_minutes: 0 };
            match n {
                0 => Engine::open(log, key, profile, now).unwrap(),
                _ => Engine::join(log, key, profile).unwrap(),
            }
        });
        let mut peers = Self { engines: engines.collect(), now_ms: START_MS };
        peers.engines.iter_mut().for_each(|engine| engine.uphold_rights(Some(device(0))).unwrap());
        peers
    }

    fn now(&mut self) -> Now {
        self.now_ms += 1;
        Now { ms: self.now_ms, local_offset_minutes: 0 }
    }

    fn edit(&mut self, n: usize, text: &str) -> Result<()> {
        let now = self.now();
        let edits = vec![Splice(0, 0, text.into())];
        self.engines[n].handle(Request::EditFile { path: "a.txt".into(), edits }, now)?;
        self.engines[n].sync(now)
    }

    fn pull(&mut self, from: usize, to: usize) -> Received {
        let now = self.now();
        self.engines[from].sync(now).unwrap();
        let mut deltas = Vec::new();
        self.engines[from].log().for_each(&mut |signed| deltas.push(Arrived::of(signed))).unwrap();
        let received = self.engines[to].receive(deltas, now).unwrap();
        self.engines[to].sync(now).unwrap();
        received
    }

    fn let_in(&mut self, n: usize, role: Role) {
        let now = self.now();
        self.engines[0].grant(device(n), "someone", role, ShareFrom::Past, now).unwrap();
        self.pull(0, n);
    }

    fn text(&mut self, n: usize) -> String {
        let now = self.now();
        match self.engines[n].handle(Request::FileAt { path: "a.txt".into(), at: Moment::Now }, now) {
            Ok(Reply::File(file)) => file.text.unwrap_or_default(),
            _ => String::new(),
        }
    }
}

#[test]
fn who_was_let_in_may_edit_and_who_was_not_may_nothing() {
    let mut peers = Peers::new(3);
    peers.edit(0, "Asha\n").unwrap();
    peers.let_in(1, Role::Editor);
    peers.edit(1, "Bo\n").unwrap();
    assert_eq!(peers.pull(1, 0).refused, []);
    assert_eq!(peers.text(0), "Bo\nAsha\n");
    // Chidi has a copy all the same, from a friend: what he writes into it by force nobody takes.
    peers.pull(0, 2);
    assert!(peers.edit(2, "Chidi\n").is_err());
    peers.engines[2].rights = None;
    peers.edit(2, "Chidi\n").unwrap();
    let received = peers.pull(2, 0);
    assert!(received.refused.iter().any(|(_, why)| *why == Refusal::Rights(Why::NotAMember)), "{received:?}");
    assert_eq!((received.n_new, peers.text(0).as_str()), (0, "Bo\nAsha\n"));
}

#[test]
fn a_viewer_sees_all_and_changes_nothing() {
    let mut peers = Peers::new(2);
    peers.edit(0, "Asha\n").unwrap();
    peers.let_in(1, Role::Viewer);
    assert_eq!(peers.text(1), "Asha\n");
    let refusal = peers.edit(1, "Bo\n").unwrap_err();
    assert_eq!((refusal.code, refusal.message.as_str()), (ErrorCode::ReadOnly, "You're a viewer here."));
    peers.engines[1].rights = None;
    peers.edit(1, "Bo\n").unwrap();
    let received = peers.pull(1, 0);
    let why = Refusal::Rights(Why::Role { has: Role::Viewer, needed: Role::Editor });
    assert!(received.refused.iter().any(|(_, refusal)| *refusal == why), "{received:?}");
    assert_eq!(peers.text(0), "Asha\n");
}

#[test]
fn what_a_removed_device_did_before_stands_and_nothing_after() {
    let mut peers = Peers::new(3);
    peers.edit(0, "Asha\n").unwrap();
    peers.let_in(1, Role::Editor);
    peers.let_in(2, Role::Editor);
    peers.edit(1, "before\n").unwrap();
    peers.pull(1, 0);
    let now = peers.now();
    peers.engines[0].remove_member(device(1), now).unwrap();
    peers.edit(1, "after\n").unwrap();
    peers.pull(0, 2);
    for n in [0, 2] {
        let received = peers.pull(1, n);
        assert_eq!((received.set_aside.len(), received.n_new), (1, 1), "{received:?}");
        assert_eq!(peers.text(n), "before\nAsha\n");
    }
    // Once Bo hears of it Bo works alone: on the copy as it is there, and nowhere else.
    peers.pull(0, 1);
    let now = peers.now();
    peers.engines[1].begin_incarnation(77, now).unwrap();
    peers.edit(1, "more\n").unwrap();
    assert_eq!(peers.text(1), "more\nafter\nbefore\nAsha\n");
    for n in [0, 2] {
        let received = peers.pull(1, n);
        assert_eq!((received.set_aside.len(), received.n_new), (1, 1), "{received:?}");
        assert_eq!(peers.text(n), "before\nAsha\n");
    }
}

#[test]
fn rights_are_what_the_log_says_also_when_it_is_opened_again() {
    let mut peers = Peers::new(2);
    peers.let_in(1, Role::Viewer);
    let now = peers.now();
    peers.engines[1].begin_session(now);
    peers.pull(1, 0);
    // What Asha had seen of Bo she names in this one, not in the change of the role.
    peers.edit(0, "Asha\n").unwrap();
    peers.engines[0].change_role(device(1), Role::Editor, now).unwrap();
    peers.pull(0, 1);
    for engine in &mut peers.engines {
        let live = engine.members();
        engine.rights = None;
        engine.uphold_rights(None).unwrap();
        assert_eq!(engine.members(), live);
        assert_eq!(engine.access().unwrap().role_of(&device(1)), Some(Role::Editor));
        assert_eq!(engine.access().unwrap().founder(), device(0));
    }
}

#[test]
fn an_editor_lets_nobody_in() {
    let mut peers = Peers::new(2);
    peers.let_in(1, Role::Editor);
    let now = peers.now();
    assert!(peers.engines[1].grant(device(2), "Chidi", Role::Editor, ShareFrom::Past, now).is_err());
    assert!(peers.engines[1].remove_member(device(0), now).is_err());
    // The last owner stays.
    assert!(peers.engines[0].change_role(device(0), Role::Viewer, now).is_err());
}

/// Bo, an owner, says one thing to Chidi and another to Asha. What Chidi had not seen is not what Chidi goes against.
#[test]
fn a_change_of_rights_in_a_branch_that_its_author_never_saw_refuses_nothing() {
    let mut peers = Peers::new(3);
    peers.edit(0, "Asha\n").unwrap();
    peers.let_in(1, Role::Owner);
    let now = peers.now();
    peers.engines[1].begin_session(now);
    peers.engines[1].sync(now).unwrap();
    let mut of_bo = Vec::new();
    peers.engines[1].log().for_each(&mut |signed| of_bo.push(signed.clone())).unwrap();
    of_bo.retain(|signed| signed.delta.log.device == device(1));
    let first = of_bo.last().unwrap().clone();
    peers.let_in(2, Role::Editor);
    // By what Bo says there that Bo has seen, Chidi is nobody yet.
    let step = AccessStep::Grant {
        device: device(2),
        person: "Chidi".into(),
        role: Role::Viewer,
        share_from: ShareFrom::Past,
    };
    let mut other = first.clone();
    other.delta = Delta { seq: first.delta.seq + 1, prev: first.hash, deps: vec![], ..first.delta.clone() };
    (other.delta.hlc.wall_ms, other.delta.group) = (first.delta.hlc.wall_ms + 1, other.delta.seq);
    other.delta.steps[0].change = Change::Access(step);
    let (bytes, hash) = encode_delta(&other.delta);
    let other = Arrived { bytes, signature: DeviceKey::from_seed(&[2; 32]).sign_delta(&hash) };
    peers.edit(1, "Bo\n").unwrap();
    peers.pull(1, 2);
    peers.edit(2, "Chidi\n").unwrap();
    let now = peers.now();
    peers.pull(1, 0);
    let received = peers.engines[0].receive(vec![other.clone()], now).unwrap();
    assert_eq!((received.n_new, received.forks.len()), (1, 1), "{received:?}");
    let received = peers.pull(2, 0);
    assert_eq!((&received.refused, &received.set_aside), (&vec![], &vec![]));
    assert_eq!(peers.text(0), "Chidi\nBo\nAsha\n");
    // Once it is known there, Chidi is a viewer, and what was written before stays: live and opened again.
    let received = peers.engines[2].receive(vec![other], now).unwrap();
    assert_eq!((received.n_new, received.forks.len()), (1, 1), "{received:?}");
    assert!(peers.edit(2, "more").is_err());
    for n in [0, 2] {
        assert_eq!(peers.text(n), "Chidi\nBo\nAsha\n");
        let live = peers.engines[n].members();
        peers.engines[n].rights = None;
        peers.engines[n].uphold_rights(None).unwrap();
        assert_eq!(peers.engines[n].members(), live);
        assert_eq!(peers.text(n), "Chidi\nBo\nAsha\n");
    }
}

/// Everybody refuses what comes after a change of rights that nobody takes: such a one must not be written at all.
#[test]
fn what_nobody_would_take_is_not_said() {
    let mut peers = Peers::new(3);
    peers.edit(0, "Asha\n").unwrap();
    peers.let_in(1, Role::Owner);
    peers.let_in(2, Role::Editor);
    peers.pull(0, 1);
    let now = peers.now();
    let bo = &mut peers.engines[1];
    let n_deltas = bo.log().n_deltas();
    // As it is already, about who has been owner for longer, or about somebody who is none.
    bo.change_role(device(0), Role::Owner, now).unwrap();
    bo.change_role(device(2), Role::Editor, now).unwrap();
    bo.grant(device(0), "Asha", Role::Owner, ShareFrom::Past, now).unwrap();
    assert!(bo.remove_member(device(0), now).is_err());
    assert!(bo.change_role(DeviceId([9; 32]), Role::Viewer, now).is_err());
    assert_eq!(bo.log().n_deltas(), n_deltas);
    bo.remove_member(device(2), now).unwrap();
    let refusal = bo.remove_member(device(2), now).unwrap_err();
    assert_eq!(refusal.message, "They don't take part any more.");
    peers.edit(1, "Bo\n").unwrap();
    assert_eq!(peers.pull(1, 0).refused, []);
    assert_eq!(peers.text(0), "Bo\nAsha\n");
}

fn bytes(bytes: &[u8]) -> Intake {
    let path = RelPath::parse("a.txt").unwrap();
    Intake { path, known: None, kind: IntakeKind::File { bytes: bytes.to_vec(), mode: 0o644, base: None } }
}

/// One delta of an edit, and nobody would take anything of this log any more.
#[test]
fn what_another_program_does_at_a_viewer_is_no_edit() {
    let mut peers = Peers::new(2);
    let now = peers.now();
    let mut run = peers.engines[0].begin_intake(false, false, now).unwrap();
    let file = peers.engines[0].take_in(&mut run, bytes(b"caf\xe9\n"), now).unwrap().unwrap();
    peers.engines[0].end_intake(run, false).unwrap();
    peers.let_in(1, Role::Editor);
    let now = peers.now();
    let mut begun_before = peers.engines[1].begin_intake(false, false, now).unwrap();
    peers.engines[0].change_role(device(1), Role::Viewer, now).unwrap();
    // No letter of windows-1252.
    peers.edit(0, "\u{2192} ").unwrap();
    peers.pull(0, 1);
    let bo = &mut peers.engines[1];
    let n_deltas = bo.log().n_deltas();
    assert!(bo.begin_intake(false, true, now).is_err());
    assert!(bo.take_in(&mut begun_before, bytes(b"more\n"), now).is_err());
    bo.end_intake(begun_before, false).unwrap();
    // What is written to the folder can be read all the same.
    let image = bo.disk_image(file).unwrap().unwrap();
    assert_eq!(image.kind, DiskImageKind::File { bytes: "\u{2192} café\n".into() });
    bo.sync(now).unwrap();
    assert_eq!(bo.log().n_deltas(), n_deltas);
    assert_eq!(peers.pull(1, 0).refused, []);
}

#[test]
fn a_bundle_that_brings_what_nobody_may_do_is_not_imported() {
    let mut peers = Peers::new(2);
    peers.edit(0, "Asha\n").unwrap();
    peers.let_in(1, Role::Viewer);
    peers.engines[1].rights = None;
    let now = peers.now();
    peers.engines[1].handle(Request::NameMoment { name: "seen".into(), note: None, at: None }, now).unwrap();
    peers.edit(1, "Bo\n").unwrap();
    let bundle = crate::Bundle::read(&peers.engines[1].export_bundle().unwrap().0).unwrap();
    let (now, n_deltas) = (peers.now(), peers.engines[0].log().n_deltas());
    let refusal = peers.engines[0].import_bundle(&bundle, now).unwrap_err();
    assert!(refusal.message.contains("nobody would take"), "{refusal:?}");
    assert_eq!((peers.engines[0].log().n_deltas(), peers.text(0).as_str()), (n_deltas, "Asha\n"));
    // What was taken before it is as if it had never been here.
    peers.edit(0, "more\n").unwrap();
    assert_eq!(peers.pull(0, 1).refused, []);
    assert_eq!(peers.text(0), "more\nAsha\n");
}
