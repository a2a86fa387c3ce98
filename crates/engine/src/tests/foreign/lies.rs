//! What an honest author wrote beside somebody's lies: it may come to mean nothing where more is known of the liar, but nobody
//! refuses it, and in the end all have the same.

use super::*;
use codesync_base::{
    Change, Delta, Head, Hlc, Insert, LogId, Origin, RelPath, Step, TextSource, TextStep, encode_delta,
};

/// The first delta of a liar who puts a letter at the beginning of a file as if nothing stood there.
fn letter(peers: &Peers, letter: &str) -> SignedDelta {
    let key = DeviceKey::from_seed(&[9; 32]);
    let file = peers.engines[0].tree.by_path(&RelPath::parse("a").unwrap()).unwrap().file;
    let insert = Insert { left: None, right: None, text: TextSource::Inline(letter.into()) };
    let text = TextStep { position: 0, delete: vec![], insert: Some(insert) };
    let delta = Delta {
        project: peers.engines[0].project,
        log: LogId { device: key.device(), incarnation: 0 },
        seq: 1,
        prev: DeltaHash::ZERO,
        hlc: Hlc { wall_ms: peers.now_ms, counter: 0 },
        deps: peers.engines[0].log().heads().into_iter().collect::<Vec<Head>>(),
        origin: Origin::Typing,
        group: 1,
        logs: vec![],
        files: vec![file],
        steps: vec![Step { at_ms: peers.now_ms, file: 0, change: Change::Text(text) }],
    };
    let (_, hash) = encode_delta(&delta);
    SignedDelta { signature: key.sign_delta(&hash), delta, hash }
}

/// Bo writes between two letters that stand the other way round for Chidi, who knows of a fork that gives one of them
/// another name. Gives whether it came to that: where they stand depends on names.
fn written_between(wait_ms: u64) -> bool {
    let mut peers = Peers::new(3);
    peers.edit(0, "a", &[(0, 0, "x")]).meet().wait(1 + wait_ms);
    let mut branches = [letter(&peers, "y"), letter(&peers, "z")];
    branches.sort_by_key(|signed| signed.hash);
    peers.give(0, 1, &branches[1..]);
    branches.iter().rev().for_each(|branch| drop(peers.give(0, 2, std::slice::from_ref(branch))));
    let (bo, chidi) = (peers.text(1, "a").unwrap(), peers.text(2, "a").unwrap());
    let chidi: String = chidi.chars().filter(|letter| bo.contains(*letter)).collect();
    if bo == chidi {
        return false;
    }
    peers.edit(1, "a", &[(1, 0, "!?")]);
    // Names nothing but what Bo wrote.
    peers.edit(1, "a", &[(1, 1, "")]);
    peers.pull(1, 2).meet().check_equal("between letters");
    true
}

#[test]
fn what_was_written_between_two_that_change_places_is_refused_by_nobody() {
    assert!((0..40).any(written_between));
}
