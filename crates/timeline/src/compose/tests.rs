//! Joining changes nothing but the count.
#![allow(clippy::unwrap_used)]

use super::{byte_of, compose};
use crate::testing::{Random, naive_apply, random_splice, words};
use codesync_base::{Splice, utf16_len};

#[test]
fn joined_splices_do_the_same() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let start = words(&mut random, 8);
        let (mut text, mut splices) = (start.clone(), Vec::new());
        for _ in 0..random.below(12) {
            let near = splices.last().map_or(0, |s: &Splice| s.position + utf16_len(&s.inserted));
            let splice = random_splice(&mut random, &text, near);
            text = naive_apply(&text, &splice);
            splices.push(splice);
        }
        let joined = compose(splices.clone());
        assert!(joined.len() <= splices.len());
        let result = joined.iter().fold(start, |text, splice| naive_apply(&text, splice));
        assert_eq!(result, text, "seed {seed}");
    }
}

#[test]
fn typing_becomes_one_and_what_cancels_out_none() {
    let typed = [Splice::new(3, 0, "a"), Splice::new(4, 0, "b"), Splice::new(5, 1, ""), Splice::new(2, 1, "")];
    assert_eq!(compose(typed), [Splice::new(2, 2, "ab")]);
    assert!(compose([Splice::new(3, 0, "a"), Splice::new(3, 1, "")]).is_empty());
}

#[test]
fn bytes_of_utf16_offsets() {
    assert_eq!([0, 1, 3, 4].map(|offset| byte_of("a🎉é", 4, offset)), [0, 1, 5, 7]);
}
