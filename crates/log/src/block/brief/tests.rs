#![allow(clippy::unwrap_used)]
//! Outlines tell the same as the blocks they stand beside, or nothing.

use super::*;
use crate::block::{encode, sort, summary};
use crate::testing::{Author, Random, START_MS, file, typing};

fn check(deltas: &[Arc<SignedDelta>]) -> (Vec<u8>, Summary) {
    let summary = summary(&encode(deltas, vec![])).unwrap();
    let brief = BriefBlock::of(deltas);
    let bytes = brief.encode(&summary);
    assert_eq!(BriefBlock::decode(&bytes, &summary, brief.structural.clone()), Some(brief));
    (bytes, summary)
}

#[test]
fn a_step_takes_little_and_comes_back() {
    let deltas = typing(2_000);
    let (bytes, summary) = check(&deltas);
    assert!(bytes.len() < 2 * summary.n_steps as usize, "{} bytes", bytes.len());
}

#[test]
fn several_logs_files_and_long_pauses_come_back() {
    let mut authors = [Author::new(1), Author::new(2), Author::new(3)];
    let mut random = Random(7);
    let mut deltas = Vec::new();
    let mut at_ms = START_MS;
    for step in 0..900 {
        at_ms += [0, 3, 70, 90_000, 40_000_000_000][random.below(5) as usize];
        let text = ["a", "äö", "😀", "a longer word"][random.below(4) as usize];
        let author = &mut authors[random.below(3) as usize];
        deltas.push(author.key(at_ms, file(step as u8 % 5), 0, text));
    }
    sort(&mut deltas);
    check(&deltas);
}

#[test]
fn damaged_outlines_are_refused_or_decode_without_harm() {
    let (bytes, summary) = check(&typing(40));
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        drop(BriefBlock::decode(&damaged, &summary, Vec::new()));
    }
    for end in 0..bytes.len() {
        drop(BriefBlock::decode(&bytes[..end], &summary, Vec::new()));
    }
    let mut newer = bytes;
    newer[0] = BRIEF_VERSION + 1;
    assert_eq!(BriefBlock::decode(&newer, &summary, Vec::new()), None);
}
