//! Branches that come one by one: known as if all had been read at once, without reading it all for each.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::links::tests::profile;
use crate::{Arrived, Now};
use codesync_api::{Request, Splice};
use codesync_auth::{DeviceKey, verify_delta};
use codesync_base::encode_delta;
use codesync_log::{Log, Options};

const START_MS: u64 = 1_790_000_000_000;

fn now(ms: u64) -> Now {
    Now { ms: START_MS + ms, local_offset_minutes: 0 }
}

fn open(n: usize) -> Engine {
    let (log, _) = Log::in_memory(Options::new(verify_delta)).unwrap();
    Engine::open(log, DeviceKey::from_seed(&[n as u8 + 1; 32]), profile(n), now(0)).unwrap()
}

/// Somebody who goes on from any of their deltas as often as they like.
struct Liar {
    key: DeviceKey,
    said: Vec<SignedDelta>,
}

impl Liar {
    fn new() -> Self {
        let mut first = None;
        open(2).log().for_each(&mut |signed| first = Some(signed.clone())).unwrap();
        Self { key: DeviceKey::from_seed(&[3; 32]), said: first.into_iter().collect() }
    }

    /// Says one more thing after something said before, or at the very beginning.
    fn say(&mut self, after: Option<usize>, n: u64) -> SignedDelta {
        let mut delta = self.said[0].delta.clone();
        delta.steps[0].at_ms += n;
        if let Some(before) = after.map(|idx| &self.said[idx]) {
            (delta.seq, delta.prev, delta.hlc) = (before.delta.seq + 1, before.hash, before.delta.hlc);
            delta.hlc.counter += 1;
        }
        let (_, hash) = encode_delta(&delta);
        let signed = SignedDelta { signature: self.key.sign_delta(&hash), delta, hash };
        self.said.push(signed.clone());
        signed
    }
}

fn give(engine: &mut Engine, signed: &SignedDelta, ms: u64) {
    let received = engine.receive(vec![Arrived::of(signed)], now(ms)).unwrap();
    assert_eq!((received.n_new, received.refused, received.held), (1, vec![], vec![]));
}

fn edit(engine: &mut Engine, ms: u64) {
    let edits = vec![Splice(0, 0, "word ".into())];
    engine.handle(Request::EditFile { path: "a.txt".into(), edits }, now(ms)).unwrap();
    engine.sync(now(ms)).unwrap();
}

#[test]
fn branches_one_by_one_are_the_same_as_all_at_once() {
    for story in 0..12_u64 {
        let (mut engine, mut liar) = (open(0), Liar::new());
        give(&mut engine, &liar.said[0].clone(), 1);
        for n in 1..20_u64 {
            let place = n.wrapping_mul(story * 7 + 3) % (liar.said.len() as u64 + 1);
            let signed = liar.say((place as usize).checked_sub(1), story * 100 + n);
            give(&mut engine, &signed, 10 * n);
            if n % 3 == 0 {
                edit(&mut engine, 10 * n + 1);
            }
        }
        edit(&mut engine, 1_000);
        let log = liar.said[0].delta.log;
        let own = engine.log.head(&engine.own).unwrap();
        let newest = engine.log.delta(&own.hash).unwrap().unwrap();
        let forks = engine.others.forks.clone();
        let seen: BTreeSet<Head> = forks.by_log[&log].tips(&forks.seen_by(&newest.delta, &log)).into_iter().collect();
        assert_eq!(seen, forks.heads(&log).unwrap().into_iter().collect(), "story {story}: all branches are named");
        engine.load_forks().unwrap();
        assert_eq!(forks, engine.others.forks, "story {story}");
    }
}

#[test]
fn one_more_branch_costs_neither_history_nor_documents_nor_marks() {
    let (mut engine, mut liar) = (open(0), Liar::new());
    give(&mut engine, &liar.said[0].clone(), 1);
    edit(&mut engine, 2);
    let file = engine.tree().alive().next().unwrap().file;
    let first = liar.say(None, 1);
    give(&mut engine, &first, 3);
    edit(&mut engine, 4);
    let least = liar.said[0].hash.min(first.hash);
    let siblings: Vec<SignedDelta> = (2..200).map(|n| liar.say(None, n)).filter(|one| one.hash > least).collect();
    assert!(siblings.len() > 40, "the test needs other numbers");
    // What is forgotten here only a reading of all history would bring back.
    assert!(!engine.others.forks.sightings.is_empty());
    engine.others.forks.sightings.clear();
    let (n_deltas, own_seq) = (engine.log.n_deltas(), engine.head_seq);
    for sibling in &siblings {
        engine.load_document(file).unwrap();
        give(&mut engine, sibling, 5);
        assert!(engine.documents.get_mut(&file).is_some());
    }
    assert!(engine.others.forks.sightings.values().flat_map(|seen| seen.iter()).all(|(seq, _)| *seq > own_seq));
    // Each branch is named once, 64 in a mark.
    let n_marks = engine.log.n_deltas() - n_deltas - siblings.len() as u64;
    assert!(n_marks <= siblings.len() as u64 / 32, "{n_marks} marks for {} branches", siblings.len());
}
