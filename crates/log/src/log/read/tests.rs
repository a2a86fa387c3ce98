//! What reading by name costs.

#![allow(clippy::unwrap_used)]

use super::super::Options;
use super::*;
use crate::testing::{self, Author, typing, verify};

#[test]
fn places_of_sealed_deltas_are_known_without_decoding_anything() {
    let options = Options { block_steps_min: 20, ..Options::new(verify) };
    let (mut log, _) = Log::in_memory(options).unwrap();
    let mut other = Author::new(2);
    for part in typing(300).chunks(40) {
        let mark = other.session(part[0].delta.hlc.wall_ms);
        part.iter().chain([&mark]).for_each(|signed| log.append(signed, &testing::bytes(signed)).unwrap());
        log.seal(true).unwrap();
    }
    let keys = log.keys();
    assert!(log.blocks.len() > DECODED_BLOCKS_MAX && log.contains(&keys[0].hash));
    log.decoded.borrow_mut().recent.clear();
    let told: Vec<DeltaKey> = keys.iter().filter_map(|key| log.key_of(&key.hash)).collect();
    assert_eq!(told, keys);
    assert_eq!(log.key_of(&DeltaHash([9; 32])), None);
    assert!(log.decoded.borrow().recent.is_empty());
    for key in &keys {
        assert_eq!(log.delta(&key.hash).unwrap().unwrap().hash, key.hash);
    }
}
