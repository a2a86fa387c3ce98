//! A device whose store was copied goes on in both: two deltas under one number. Nobody loses anything, nobody is held
//! up, and all have the same.

use super::merging::Random;
use super::*;
use codesync_base::{
    Change, Delta, FileId, Head, Hlc, Insert, ItemRange, ItemRef, LogId, Origin, Step, TextStep, encode_delta,
};

/// Asha's store is copied; 3 is the copy. Bo is 1, Chidi 2.
fn copied(base: &str) -> Peers {
    let mut peers = Peers::new(3);
    peers.edit(0, "a", &[(0, 0, base)]).meet();
    let disk = peers.disks[0].fork();
    peers.engines.push(open_peer(&disk, 0, peers.now_ms));
    peers.disks.push(disk);
    peers
}

/// Bo and Chidi have the same, also after opening anew.
fn check_two(peers: &mut Peers, what: &str) {
    for _ in 0..3 {
        peers.pull(1, 2).pull(2, 1);
    }
    let first = peers.picture(1);
    assert_same(&first, &peers.picture(2), what);
    for n in [1, 2] {
        peers.reopen(n);
        assert_same(&first, &peers.picture(n), &format!("{what}: {n} opened anew"));
    }
}

#[test]
fn both_branches_are_merged_whichever_comes_first() {
    let mut peers = copied("one\ntwo\nthree\n");
    peers.edit(0, "a", &[(0, 0, "left ")]).edit(0, "a", &[(5, 3, "ONE")]).wait(3_000);
    peers.edit(3, "a", &[(0, 0, "right ")]).edit(3, "a", &[(10, 3, "TWO")]).wait(3_000);
    // Bo hears of one first and Chidi of the other, and both build on that.
    peers.pull(0, 1).edit(1, "a", &[(2, 1, "F")]);
    peers.pull(3, 2).edit(2, "a", &[(3, 1, "G")]);
    assert_eq!(peers.text(1, "a").unwrap(), "leFt ONE\ntwo\nthree\n");
    assert_eq!(peers.text(2, "a").unwrap(), "rigGt one\nTWO\nthree\n");
    let Reply::View(_) = peers.ask(1, Request::OpenView { path: "a".into() }) else { panic!() };
    let deltas = peers.missing(2, 1);
    let received = peers.give(2, 1, &deltas);
    assert_eq!((received.forks.len(), received.refused, received.held), (1, vec![], vec![]));
    peers.pull(1, 2);
    let asked = peers.try_ask(1, Request::FileAt { path: "a".into(), at: Moment::Now });
    assert!(asked.is_ok(), "{asked:?}");
    let text = peers.text(1, "a").unwrap();
    for part in ["leFt ", "rigGt ", "ONE", "TWO\n", "three\n"] {
        assert!(text.contains(part), "{text:?}");
    }
    peers.edit(1, "a", &[(0, text.len() as u32, "all of it by Bo")]);
    peers.edit(2, "a", &[(1, 0, "x")]);
    // Both branches go on.
    peers.edit(0, "a", &[(0, 0, "more left ")]).edit(3, "a", &[(0, 0, "more right ")]);
    peers.pull(0, 1).pull(3, 2);
    check_two(&mut peers, "two branches");
}

#[test]
fn forked_logs_converge_whatever_came_when() {
    let n = std::env::var("CODESYNC_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(15);
    for seed in 1..=n {
        let mut random = Random::new(seed);
        let mut peers = copied("one\ntwo\nthree\nfour\n");
        for _ in 0..40 {
            let me = random.below(4);
            match random.below(6) {
                0 | 1 => {
                    let from = random.below(4);
                    // Who has the log itself would have to go on under another number.
                    if from != me && (me == 1 || me == 2) {
                        peers.pull(from, me);
                    }
                }
                2 => drop(peers.wait(random.below(3_000) as u64)),
                3 if me == 1 || me == 2 => drop(peers.reopen(me)),
                _ => super::merging::random_edit(&mut peers, me, "a", &mut random),
            }
        }
        peers.pull(0, 1).pull(3, 2);
        check_two(&mut peers, &format!("seed {seed}"));
    }
}

#[test]
fn a_branch_that_parts_again_is_known_by_the_name_it_had() {
    // Which branch keeps a name depends on hashes.
    for n in 0..8 {
        let mut peers = copied("one\n");
        peers.edit(0, "a", &[(0, 0, "left ")]).edit(3, "a", &[(0, 0, &format!("right {n} "))]);
        let disk = peers.disks[3].fork();
        peers.engines.push(open_peer(&disk, 0, peers.now_ms));
        peers.disks.push(disk);
        peers.edit(3, "a", &[(0, 0, "more ")]).edit(4, "a", &[(0, 0, "other ")]);
        peers.pull(0, 1).pull(3, 1);
        let at = peers.text(1, "a").unwrap().find("more ").unwrap() as u32;
        peers.edit(1, "a", &[(at + 2, 0, "Bo")]);
        peers.pull(0, 2).pull(3, 2).pull(4, 2).pull(1, 2);
        let text = peers.text(2, "a").unwrap();
        assert!(text.contains("moBore "), "{n}: {text:?}");
        peers.pull(2, 1);
        check_two(&mut peers, &format!("variant {n}"));
    }
}

#[test]
fn a_store_from_a_backup_goes_on_under_a_new_name_and_gets_back_what_it_lost() {
    let mut peers = Peers::new(2);
    peers.edit(0, "a", &[(0, 0, "one\n")]).meet();
    let backup = peers.disks[0].fork();
    peers.edit(0, "a", &[(4, 0, "two\n")]).pull(0, 1);
    peers.disks[0] = backup;
    peers.engines[0] = open_peer(&peers.disks[0], 0, peers.now_ms);
    peers.edit(0, "a", &[(0, 0, "zero\n")]);
    let lost = peers.missing(1, 0);
    let received = peers.give(1, 0, &lost);
    assert!(received.held.iter().all(|(_, held)| *held == Held::OwnLog), "{received:?}");
    let now = peers.wait(1).now();
    peers.engines[0].begin_incarnation(77, now).unwrap();
    let lost = peers.missing(1, 0);
    let received = peers.give(1, 0, &lost);
    assert_eq!((received.n_new, received.forks.len(), received.held), (1, 1, vec![]));
    peers.edit(0, "a", &[(0, 0, "more\n")]);
    peers.pull(0, 1);
    let text = peers.text(0, "a").unwrap();
    for line in ["zero", "one", "two", "more"] {
        assert!(text.contains(line), "{text:?}");
    }
    let first = peers.picture(0);
    assert_same(&first, &peers.picture(1), "after the backup");
}

/// What somebody without honour says right after these deltas, with the key of a peer or their own.
fn said(
    key: u8,
    peers: &Peers,
    prev: Option<&SignedDelta>,
    deps: Vec<Head>,
    step: (LogId, FileId, TextStep),
) -> SignedDelta {
    let key = DeviceKey::from_seed(&[key; 32]);
    let (named, file, text) = step;
    let delta = Delta {
        project: peers.engines[1].project,
        log: LogId { device: key.device(), incarnation: 0 },
        seq: prev.map_or(1, |prev| prev.delta.seq + 1),
        prev: prev.map_or(DeltaHash::ZERO, |prev| prev.hash),
        hlc: Hlc { wall_ms: peers.now_ms, counter: 0 },
        deps,
        origin: Origin::Typing,
        group: 1,
        logs: vec![named],
        files: vec![file],
        steps: vec![Step { at_ms: peers.now_ms, file: 0, change: Change::Text(text) }],
    };
    let (_, hash) = encode_delta(&delta);
    SignedDelta { signature: key.sign_delta(&hash), delta, hash }
}

fn newest(peers: &Peers, n: usize, log: LogId) -> SignedDelta {
    let head = peers.engines[n].log().head(&log).unwrap();
    peers.engines[n].log().delta(&head.hash).unwrap().unwrap().as_ref().clone()
}

#[test]
fn what_was_not_declared_is_refused_whether_a_fork_is_known_or_not() {
    let mut peers = copied("one\n");
    let (asha, bo) = (peers.engines[0].own, peers.engines[1].own);
    let both_had = newest(&peers, 0, asha);
    let seen = Head { log: asha, seq: both_had.delta.seq, hash: both_had.hash };
    peers.edit(0, "a", &[(0, 0, "left ")]).edit(3, "a", &[(0, 0, "right ")]);
    // Chidi does not know that Asha's log forked.
    peers.pull(0, 1).pull(0, 2).pull(3, 1);
    peers.edit(1, "a", &[(0, 0, "of Bo ")]).pull(1, 2).wait(10);
    let (of_asha, of_bo) = (newest(&peers, 0, asha), newest(&peers, 1, bo));
    let file = of_bo.delta.files[0];
    let after = |named: &SignedDelta| {
        let left = Some(ItemRef { log: 1, seq: named.delta.seq, offset: 0 });
        let insert = Insert { left, right: None, text: codesync_base::TextSource::Inline("!".into()) };
        TextStep { position: 1, delete: vec![], insert: Some(insert) }
    };
    let in_the_fork = said(1, &peers, Some(&of_asha), vec![], (bo, file, after(&of_bo)));
    let about_the_fork = said(99, &peers, None, vec![seen], (asha, file, after(&of_asha)));
    for lie in [in_the_fork, about_the_fork] {
        for n in [1, 2] {
            let received = peers.give(n, n, std::slice::from_ref(&lie));
            assert_eq!(received.refused, vec![(lie.hash, Refusal::Undeclared)], "peer {n}: {received:?}");
        }
    }
}

#[test]
fn a_range_that_runs_into_what_was_not_seen_means_nothing_now_and_when_it_is_read_again() {
    let mut peers = copied("one\n");
    peers.edit(0, "a", &[(0, 0, "first ")]).wait(3_000);
    let asha = peers.engines[0].own;
    let seen = newest(&peers, 0, asha);
    peers.edit(0, "a", &[(6, 0, "second ")]).wait(3_000).edit(3, "a", &[(0, 0, "right ")]).wait(3_000);
    peers.pull(0, 1).pull(3, 1);
    let head = Head { log: asha, seq: seen.delta.seq, hash: seen.hash };
    let first = ItemRef { log: 1, seq: seen.delta.seq, offset: 0 };
    let text = TextStep { position: 0, delete: vec![ItemRange { first, length: 9 }], insert: None };
    let lie = said(99, &peers, None, vec![head], (asha, seen.delta.files[0], text));
    let before = peers.text(1, "a");
    let received = peers.give(1, 1, std::slice::from_ref(&lie));
    assert_eq!((received.n_new, received.refused), (1, vec![]));
    assert_eq!(peers.text(1, "a"), before);
    peers.reopen(1);
    assert_eq!(peers.text(1, "a"), before, "read again");
}
