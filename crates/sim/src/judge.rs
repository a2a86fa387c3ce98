//! What has to hold when all faults have stopped (`DESIGN.md` §10). Each sentence that is given up with names one
//! invariant.

use crate::Random;
use crate::peer::{Kind, LIAR, device_of};
use crate::world::World;
use codesync_api::{Moment as At, Reply, Request, RestoreTarget, Scope};
use codesync_auth::Act;
use codesync_base::{DeltaHash, DeviceId, SignedDelta};
use codesync_log::CrashStyle;
use std::collections::{BTreeMap, BTreeSet};

pub fn judge(world: &mut World, seed: u64) {
    same_history(world);
    nothing_lost(world);
    nothing_unlawful(world);
    same_rights(world);
    let now = picture(world, 0, None);
    for idx in world.members() {
        assert_eq!(picture(world, idx, None), now, "peer {idx} shows other files than peer 0");
    }
    same_past(world, seed, &now);
    restore_is_exact(world, seed, &now);
    healthy(world);
    same_after_reopening(world, &now);
    for (path, text) in &now {
        world.trace.update(path.as_bytes()).update(text.as_deref().unwrap_or_default().as_bytes());
    }
}

/// Same deltas, in the same canonical order, each behind its past.
fn same_history(world: &World) {
    let first = world.peers[0].engine.log().keys();
    for idx in world.members() {
        assert_eq!(world.peers[idx].engine.log().keys(), first, "peer {idx} has another history than peer 0");
    }
    let mut seen: BTreeSet<DeltaHash> = BTreeSet::new();
    let walked = world.peers[0].engine.log().for_each(&mut |signed| {
        let delta = &signed.delta;
        let past = delta.deps.iter().map(|dep| dep.hash).chain((delta.seq > 1).then_some(delta.prev));
        for hash in past {
            assert!(seen.contains(&hash), "a delta stands before its past");
        }
        seen.insert(signed.hash);
    });
    walked.expect("a log in memory can be read");
}

fn nothing_lost(world: &World) {
    let all = &world.peers[0].durable;
    let members: BTreeSet<usize> = world.members().into_iter().collect();
    let counts = |author: &usize| members.contains(author) && world.is_unquestioned(*author);
    let lost: Vec<_> = world.written.iter().filter(|(hash, author)| counts(author) && !all.contains(*hash)).collect();
    assert!(lost.is_empty(), "durable work is lost, and whose: {lost:?}");
}

/// Nobody took what a changed program made of a viewer's rights, what was done after rights were taken, or what is no
/// path; and who was never let in learned nothing.
fn nothing_unlawful(world: &World) {
    let members = world.members();
    if world.peers[0].kind == Kind::Free {
        return;
    }
    let mut late: BTreeMap<DeviceId, u64> = BTreeMap::new();
    let mut check = |signed: &SignedDelta| {
        let delta = &signed.delta;
        let author = (0..world.peers.len()).find(|idx| device_of(*idx) == delta.log.device);
        assert!(author.is_some() || delta.log.device == device_of(LIAR), "a delta of nobody");
        let Some(author) = author else { return };
        let is_edit = Act::of(delta) > Act::Speak;
        // Of whoever was removed everything is kept, and none of it counts.
        let is_unlawful = is_edit && world.peers[author].kind == Kind::Modified;
        assert!(!is_unlawful || world.lowered.contains_key(&author), "a viewer with a changed program was heeded");
        let lowered = world.lowered.get(&author).filter(|lowered| world.surely_counts(lowered));
        let is_late = lowered.is_some_and(|lowered| {
            let accepted = lowered.accepted.get(&delta.log).copied().unwrap_or(0);
            delta.seq > accepted && lowered.role < Some(Act::of(delta).needs())
        });
        if is_unlawful || is_late {
            let n_changes = delta.steps.iter().filter(|step| delta.file_of(step).is_some()).count();
            *late.entry(delta.log.device).or_default() += n_changes as u64;
        }
    };
    world.peers[0].engine.log().for_each(&mut check).expect("a log in memory can be read");
    for idx in &members {
        let aside: BTreeMap<DeviceId, u64> =
            world.peers[*idx].engine.set_aside().into_iter().map(|aside| (aside.device, aside.n_changes)).collect();
        for (device, n_late) in &late {
            let n_aside = aside.get(device).copied().unwrap_or(0);
            assert!(n_aside >= *n_late, "what a device did after its rights were taken counts at peer {idx}");
        }
    }
    let strangers = world.peers.iter().filter(|peer| !members.contains(&peer.idx) && peer.kind == Kind::Upright);
    for peer in strangers.filter(|peer| !world.lowered.contains_key(&peer.idx)) {
        let n_others = peer.engine.log().heads().iter().filter(|head| head.log.device != device_of(peer.idx)).count();
        let was_let_in = peer.engine.access().is_some_and(|access| access.members().len() > 1);
        assert!(n_others == 0 || was_let_in, "somebody who was never let in learned something");
    }
}

/// All agree on who takes part and may do what.
fn same_rights(world: &World) {
    let rights = |idx: usize| world.peers[idx].engine.access().map(|access| (access.head(), access.members()));
    let first = rights(0);
    for idx in world.members() {
        assert_eq!(rights(idx), first, "peer {idx} has other rights than peer 0");
    }
}

/// Paths and their texts.
fn picture(world: &mut World, idx: usize, at: Option<At>) -> BTreeMap<String, Option<String>> {
    let steady_ms = world.steady_ms;
    let peer = &mut world.peers[idx];
    let paths = peer.paths(at.clone(), steady_ms);
    let text = |path: String| {
        let text = peer.text(&path, at.clone().unwrap_or(At::Now), steady_ms);
        (path, text)
    };
    paths.into_iter().map(text).collect()
}

/// The timeline is the same everywhere, and its end is the present.
fn same_past(world: &mut World, seed: u64, now: &BTreeMap<String, Option<String>>) {
    let steady_ms = world.steady_ms;
    let members = world.members();
    let n_moments = |idx: &usize| match world.peers[*idx].ask(Request::Timeline { scope: Scope::Workspace }, steady_ms)
    {
        Ok(Reply::Timeline(info)) => info.n_moments,
        other => panic!("the timeline cannot be read: {other:?}"),
    };
    let n_moments: Vec<u64> = members.iter().map(n_moments).collect();
    assert!(n_moments.windows(2).all(|pair| pair[0] == pair[1]), "timelines differ: {n_moments:?}");
    let n = n_moments[0];
    let end = picture(world, 0, Some(At::WorkspaceStep(n)));
    assert_eq!(&end, now, "the end of the timeline is not the present");
    let mut random = Random(seed);
    for _ in 0..6 {
        let step = random.below(n + 1);
        let past = picture(world, 0, Some(At::WorkspaceStep(step)));
        for idx in members.iter().copied() {
            let theirs = picture(world, idx, Some(At::WorkspaceStep(step)));
            assert_eq!(theirs, past, "peer {idx} shows moment {step} otherwise than peer 0");
        }
    }
}

/// A file brought back is what it was, at every peer; taken back, all is as before.
fn restore_is_exact(world: &mut World, seed: u64, now: &BTreeMap<String, Option<String>>) {
    let steady_ms = world.steady_ms;
    let Ok(Reply::Timeline(info)) = world.peers[0].ask(Request::Timeline { scope: Scope::Workspace }, steady_ms) else {
        panic!("the timeline cannot be read");
    };
    let mut random = Random(seed ^ 1);
    let at = At::WorkspaceStep(random.below(info.n_moments + 1));
    let past = picture(world, 0, Some(at.clone()));
    let request = Request::Restore { target: RestoreTarget::Workspace, at };
    if let Err(error) = world.peers[0].ask(request, steady_ms) {
        panic!("a restore is refused: {}", error.message);
    }
    world.heal();
    for idx in world.members() {
        assert_eq!(picture(world, idx, None), past, "after a restore peer {idx} does not show what was");
    }
    if past != *now {
        let steady_ms = world.steady_ms;
        world.peers[0].ask(Request::UndoLast, steady_ms).expect("a restore can be taken back");
    }
    world.heal();
    for idx in world.members() {
        assert_eq!(&picture(world, idx, None), now, "a restore taken back leaves something at peer {idx}");
    }
}

fn healthy(world: &mut World) {
    let steady_ms = world.steady_ms;
    for peer in &mut world.peers {
        // Everybody's store, also of those who do not take part any more.
        match peer.ask(Request::Verify { repair: false }, steady_ms) {
            Ok(Reply::Verified(report)) => assert!(report.ok, "peer {}: {:?}", peer.idx, report.problems),
            other => panic!("verify does not answer: {other:?}"),
        }
    }
}

/// All that is shown comes from the log alone: made anew from the disk it is the same.
fn same_after_reopening(world: &mut World, now: &BTreeMap<String, Option<String>>) {
    for idx in world.members() {
        let steady_ms = world.steady_ms;
        world.peers[idx].crash(CrashStyle::Lose, steady_ms);
        assert_eq!(&picture(world, idx, None), now, "peer {idx} shows other files after it was opened again");
    }
}
