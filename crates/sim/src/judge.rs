//! What has to hold when all faults have stopped (`DESIGN.md` §10). Each sentence that is given up with names one
//! invariant.

use crate::Random;
use crate::world::World;
use codesync_api::{Moment as At, Reply, Request, RestoreTarget, Scope};
use codesync_base::DeltaHash;
use codesync_log::CrashStyle;
use std::collections::{BTreeMap, BTreeSet};

pub fn judge(world: &mut World, seed: u64) {
    same_history(world);
    nothing_lost(world);
    let now = picture(world, 0, None);
    for idx in 1..world.peers.len() {
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
    for peer in &world.peers[1..] {
        assert_eq!(peer.engine.log().keys(), first, "peer {} has another history than peer 0", peer.idx);
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
    let n_lost = world.written.iter().filter(|hash| !all.contains(hash)).count();
    assert_eq!(n_lost, 0, "durable work is lost");
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
    let n_moments: Vec<u64> = world
        .peers
        .iter_mut()
        .map(|peer| match peer.ask(Request::Timeline { scope: Scope::Workspace }, steady_ms) {
            Ok(Reply::Timeline(info)) => info.n_moments,
            other => panic!("the timeline cannot be read: {other:?}"),
        })
        .collect();
    assert!(n_moments.windows(2).all(|pair| pair[0] == pair[1]), "timelines differ: {n_moments:?}");
    let n = n_moments[0];
    let end = picture(world, 0, Some(At::WorkspaceStep(n)));
    assert_eq!(&end, now, "the end of the timeline is not the present");
    let mut random = Random(seed);
    for _ in 0..6 {
        let step = random.below(n + 1);
        let past = picture(world, 0, Some(At::WorkspaceStep(step)));
        for idx in 1..world.peers.len() {
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
    for idx in 0..world.peers.len() {
        assert_eq!(picture(world, idx, None), past, "after a restore peer {idx} does not show what was");
    }
    if past != *now {
        let steady_ms = world.steady_ms;
        world.peers[0].ask(Request::UndoLast, steady_ms).expect("a restore can be taken back");
    }
    world.heal();
    for idx in 0..world.peers.len() {
        assert_eq!(&picture(world, idx, None), now, "a restore taken back leaves something at peer {idx}");
    }
}

fn healthy(world: &mut World) {
    let steady_ms = world.steady_ms;
    for peer in &mut world.peers {
        match peer.ask(Request::Verify { repair: false }, steady_ms) {
            Ok(Reply::Verified(report)) => assert!(report.ok, "peer {}: {:?}", peer.idx, report.problems),
            other => panic!("verify does not answer: {other:?}"),
        }
    }
}

/// All that is shown comes from the log alone: made anew from the disk it is the same.
fn same_after_reopening(world: &mut World, now: &BTreeMap<String, Option<String>>) {
    for idx in 0..world.peers.len() {
        let steady_ms = world.steady_ms;
        world.peers[idx].crash(CrashStyle::Lose, steady_ms);
        assert_eq!(&picture(world, idx, None), now, "peer {idx} shows other files after it was opened again");
    }
}
