//! Runs that one signature vouches for: taken in whole, or not a trace of them.

use super::*;
use codesync_base::{Change, Delta, FileId, FileMeta, Origin, Role, ShareFrom, Step, encode_delta};

/// What a peer says next, well signed, and refused by everybody: no encoding has such a name.
fn refused_after(n: usize, last: &SignedDelta) -> SignedDelta {
    let meta = FileMeta { encoding: "no such".into(), ..FileMeta::default() };
    let mut hlc = last.delta.hlc;
    hlc.wall_ms += 1;
    let delta = Delta {
        seq: last.delta.seq + 1,
        prev: last.hash,
        hlc,
        deps: vec![],
        origin: Origin::FileAction,
        group: last.delta.seq + 1,
        logs: vec![],
        files: vec![FileId([1; 16])],
        steps: vec![Step { at_ms: 1, file: 0, change: Change::Meta { meta } }],
        ..last.delta.clone()
    };
    let (_, hash) = encode_delta(&delta);
    let signature = DeviceKey::from_seed(&[n as u8 + 1; 32]).sign_delta(&hash);
    SignedDelta { delta, hash, signature }
}

/// The same deltas, each log with the signature of its newest only.
fn as_runs(mut deltas: Vec<SignedDelta>) -> Vec<SignedDelta> {
    deltas.sort_by_key(|signed| signed.delta.key(signed.hash));
    let newest: BTreeMap<_, _> = deltas.iter().map(|signed| (signed.delta.log, signed.delta.seq)).collect();
    for signed in &mut deltas {
        if newest[&signed.delta.log] > signed.delta.seq {
            signed.signature = [0; 64];
        }
    }
    deltas
}

#[test]
fn of_a_run_whose_voucher_is_refused_nothing_stays_and_the_others_are_taken() {
    let mut peers = Peers::new(3);
    peers.edit(0, "a", &[(0, 0, "asha\n")]).meet();
    let Reply::View(_) = peers.ask(0, Request::OpenView { path: "a".into() }) else { panic!() };
    let before = peers.picture(0);
    // Chidi lies, Bo does not; what they say came in between each other.
    for _ in 0..3 {
        peers.edit(1, "bo", &[(0, 0, "bo ")]).edit(2, "a", &[(0, 0, "CHIDI ")]).edit(2, "chidi", &[(0, 0, "x")]);
    }
    let (of_bo, mut of_chidi) = (peers.missing(1, 0), peers.missing(2, 0));
    let honest = of_chidi.clone();
    let lie = refused_after(2, of_chidi.last().unwrap());
    of_chidi.push(lie.clone());
    peers.engines[0].take_events();
    let received = peers.give(2, 0, &as_runs(of_chidi.clone()));
    assert_eq!((received.n_new, received.n_known), (0, 0));
    assert_eq!(received.refused, [(lie.hash, Refusal::Limit("encoding"))]);
    assert_eq!(received.held.len(), honest.len());
    assert_same(&before, &peers.picture(0), "nothing was taken");
    assert!(!peers.engines[0].take_events().iter().any(|event| matches!(event, Event::ViewPatch(_))));
    let log = of_bo[0].delta.log;
    let batch = as_runs(of_chidi.iter().chain(&of_bo).cloned().collect());
    let received = peers.give(2, 0, &batch);
    assert_eq!(received.n_new, of_bo.len() as u64, "{received:?}");
    assert_eq!(peers.text(0, "bo").unwrap(), "bo bo bo ");
    assert_eq!(peers.engines[0].log().head(&log).unwrap().seq, of_bo.last().unwrap().delta.seq);
    // With a voucher that is good the same run is taken, by who had refused it and by a newcomer alike.
    let received = peers.give(2, 0, &as_runs(honest.clone()));
    assert_eq!((received.n_new, &received.refused, &received.held), (honest.len() as u64, &vec![], &vec![]));
    let known = peers.missing(0, 1);
    assert!(known.iter().all(|signed| !signed.delta.log.eq(&log)));
    peers.meet().check_equal("runs");
}

/// The signatures of a long batch are checked together, and no forged one is kept.
#[test]
fn of_many_only_signatures_that_are_good_count_and_stay() {
    let mut peers = Peers::new(2);
    peers.edit(0, "a", &[(0, 0, "asha\n")]).meet();
    for _ in 0..100 {
        peers.edit(0, "a", &[(0, 0, "x")]).wait(3_000);
    }
    let mut deltas = peers.missing(0, 1);
    let newest = deltas.len() - 1;
    assert!(newest > 90, "{newest}");
    for at in [40, newest] {
        deltas[at].signature[5] ^= 1;
    }
    let received = peers.give(0, 1, &deltas);
    assert_eq!(received.n_new, newest as u64, "{received:?}");
    assert_eq!(received.held, [(deltas[newest].hash, Held::Signature)]);
    let kept = |at: usize| peers.engines[1].log().delta(&deltas[at].hash).unwrap().unwrap().signature;
    assert_eq!((kept(39), kept(40), kept(41)), (deltas[39].signature, [0; 64], deltas[41].signature));
    peers.pull(0, 1).meet().check_equal("forged");
}

#[test]
fn what_builds_on_a_run_without_a_voucher_waits() {
    let mut peers = Peers::new(3);
    peers.edit(0, "a", &[(0, 0, "asha\n")]).meet();
    peers.edit(2, "a", &[(0, 0, "chidi ")]);
    let of_chidi = peers.missing(2, 0);
    peers.pull(2, 1).edit(1, "a", &[(0, 0, "bo ")]).edit(1, "a", &[(0, 0, "bo ")]);
    let of_bo: Vec<_> = peers.missing(1, 0).into_iter().filter(|signed| !of_chidi.contains(signed)).collect();
    let lie = refused_after(2, of_chidi.last().unwrap());
    let all: Vec<_> = of_chidi.iter().chain(&of_bo).chain([&lie]).cloned().collect();
    let received = peers.give(1, 0, &as_runs(all));
    assert_eq!((received.n_new, received.refused.len()), (0, 1), "{received:?}");
    assert_eq!(received.held.len(), of_chidi.len() + of_bo.len());
    peers.pull(1, 0).meet().check_equal("built on");
}

#[test]
fn a_change_of_rights_in_such_a_run_never_was() {
    let mut peers = Peers::with_rights(3);
    peers.edit(0, "a", &[(0, 0, "asha\n")]).meet();
    let before = (peers.engines[1].members(), peers.picture(1));
    let now = peers.wait(1).now();
    let dana = DeviceKey::from_seed(&[4; 32]).device();
    peers.engines[0].grant(dana, "Dana", Role::Owner, ShareFrom::Past, now).unwrap();
    peers.engines[0].sync(now).unwrap();
    peers.edit(0, "b", &[(0, 0, "more")]);
    let good = peers.missing(0, 1);
    let lie = refused_after(0, good.last().unwrap());
    let all = good.iter().chain([&lie]).cloned().collect();
    let received = peers.give(0, 1, &as_runs(all));
    assert_eq!((received.n_new, received.refused.len()), (0, 1), "{received:?}");
    assert_eq!(peers.engines[1].members(), before.0);
    assert_same(&before.1, &peers.picture(1), "no trace");
    let received = peers.give(0, 1, &as_runs(good.clone()));
    assert_eq!(received.n_new, good.len() as u64, "{received:?}");
    assert_eq!(peers.engines[1].members(), peers.engines[0].members());
}
