#![allow(clippy::unwrap_used)]
use super::*;
use codesync_base::{Change, Delta, Hlc, LogId, Origin, ProjectId, Step, encode_delta};

fn signed_by(key: &DeviceKey, claimed: DeviceId) -> SignedDelta {
    let delta = Delta {
        project: ProjectId([1; 16]),
        log: LogId { device: claimed, incarnation: 0 },
        seq: 1,
        prev: DeltaHash::ZERO,
        hlc: Hlc { wall_ms: 5, counter: 0 },
        deps: vec![],
        origin: Origin::Session,
        group: 1,
        logs: vec![],
        files: vec![],
        steps: vec![Step {
            at_ms: 5,
            file: 0,
            change: Change::Session { person: "Asha".into(), device_name: "x".into() },
        }],
    };
    let (_, hash) = encode_delta(&delta);
    SignedDelta { signature: key.sign_delta(&hash), delta, hash }
}

#[test]
fn only_the_author_device_can_sign() {
    let key = DeviceKey::from_seed(&[3; 32]);
    let other = DeviceKey::from_seed(&[4; 32]);
    assert!(verify_delta(&signed_by(&key, key.device())));
    assert!(!verify_delta(&signed_by(&other, key.device())));
}

#[test]
fn a_changed_hash_or_signature_is_refused() {
    let key = DeviceKey::from_seed(&[3; 32]);
    let good = signed_by(&key, key.device());
    for byte in 0..64 {
        let mut bad = good.clone();
        bad.signature[byte] ^= 1;
        assert!(!verify_delta(&bad));
    }
    let mut bad = good;
    bad.hash.0[0] ^= 1;
    assert!(!verify_delta(&bad));
}

#[test]
fn a_key_of_zeros_signs_nothing() {
    let key = DeviceKey::from_seed(&[3; 32]);
    assert!(!verify_delta(&signed_by(&key, DeviceId::ZERO)));
}

/// Few, where one thread does it, and many, with a number that does not divide evenly among threads.
#[test]
fn many_are_judged_as_each_alone() {
    let key = DeviceKey::from_seed(&[3; 32]);
    let honest = signed_by(&key, key.device());
    for n in [0, 1, TOGETHER_MIN - 1, TOGETHER_MIN, 3 * TOGETHER_MIN + 1] {
        let is_bad = |at: usize| at % 7 == 3 || at + 1 == n;
        let all: Vec<SignedDelta> =
            (0..n).map(|at| if is_bad(at) { forged(&honest, at as u64) } else { honest.clone() }).collect();
        let are_good = verify_deltas(&all.iter().collect::<Vec<_>>());
        assert_eq!(are_good, (0..n).map(|at| !is_bad(at)).collect::<Vec<_>>());
    }
}

/// A delta whose author never made it, forged in one of the ways there are; none of them can be honest.
fn forged(honest: &SignedDelta, n: u64) -> SignedDelta {
    let chance = *blake3::hash(&n.to_le_bytes()).as_bytes();
    let mut forged = honest.clone();
    let other = DeviceKey::from_seed(&chance);
    let pick = usize::from(chance[31]);
    // What it says is another thing each time.
    if let Change::Session { person, .. } = &mut forged.delta.steps[0].change {
        *person = format!("Forger {n}");
    }
    forged.hash = encode_delta(&forged.delta).1;
    match n % 7 {
        // The signature of what was there before.
        0 => {}
        // Another key's signature.
        1 => forged.signature = other.sign_delta(&forged.hash),
        // Chance.
        2 => forged.signature.chunks_mut(32).for_each(|half| half.copy_from_slice(blake3::hash(half).as_bytes())),
        // The honest delta, with a bit of its signature flipped.
        3 => {
            forged = honest.clone();
            forged.signature[pick % 64] ^= 1 << (pick % 8);
        }
        // The honest delta, as another device's.
        4 => {
            forged = honest.clone();
            forged.delta.log.device = other.device();
            forged.hash = encode_delta(&forged.delta).1;
        }
        // Keys that are points of small order, for which signatures can be made without any secret.
        5 => {
            let small = [[0; 32], [1; 1].into_iter().chain([0; 31]).collect::<Vec<u8>>().try_into().unwrap()];
            forged.delta.log.device = DeviceId(small[pick % 2]);
            forged.hash = encode_delta(&forged.delta).1;
            forged.signature = [0; 64];
            forged.signature[0] = 1;
        }
        // The same signature once more: the group's order added to its second half.
        _ => {
            forged = honest.clone();
            let order = hex_of("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
            let mut carry = 0u16;
            for (byte, add) in forged.signature[32..].iter_mut().zip(order) {
                let sum = u16::from(*byte) + u16::from(add) + carry;
                (*byte, carry) = (sum as u8, sum >> 8);
            }
        }
    }
    forged
}

fn hex_of(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|n| u8::from_str_radix(&text[2 * n..2 * n + 2], 16).unwrap()).collect()
}

fn n_forged_accepted(range: std::ops::Range<u64>) -> usize {
    let key = DeviceKey::from_seed(&[3; 32]);
    let honest = signed_by(&key, key.device());
    assert!(verify_delta(&honest));
    range.filter(|n| verify_delta(&forged(&honest, *n))).count()
}

#[test]
fn no_forged_delta_is_accepted() {
    assert_eq!(n_forged_accepted(0..700), 0);
}

/// `cargo test --release -p codesync-auth forged -- --ignored --nocapture`
#[test]
#[ignore = "a proof to be run by hand in release"]
fn a_hundred_thousand_forged_deltas_and_none_is_accepted() {
    let started = std::time::Instant::now();
    let n_accepted = n_forged_accepted(0..100_000);
    println!("100,000 forged deltas, {n_accepted} accepted, {:.1} s", started.elapsed().as_secs_f64());
    assert_eq!(n_accepted, 0);
}
