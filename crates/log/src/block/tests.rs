#![allow(clippy::unwrap_used)]
//! Blocks give back exactly what was sealed.

use super::*;
use crate::testing::{Author, Random, START_MS, bytes, file, is_slow, trace, typing, verify};
use codesync_base::*;
use proptest::prelude::*;

fn check(deltas: &[Arc<SignedDelta>]) -> Vec<u8> {
    let payload = encode(deltas, vec![]);
    let decoded = decode(&payload).unwrap();
    assert_eq!(decoded.len(), deltas.len());
    for (new, old) in decoded.iter().zip(deltas) {
        assert_eq!(new.delta, old.delta);
        assert_eq!(bytes(new), bytes(old));
        assert!(new.signature == [0; 64] || new.signature == old.signature);
    }
    let structural: Vec<_> = deltas.iter().filter(|signed| is_structural(&signed.delta)).map(|s| s.hash).collect();
    assert_eq!(decode_structural(&payload).unwrap().iter().map(|s| s.hash).collect::<Vec<_>>(), structural);
    payload
}

fn is_modelled(payload: &[u8]) -> bool {
    split(payload).unwrap().2[0] == TextMethod::Modelled as u8
}

#[test]
fn golden_block() {
    let payload = check(&typing(12));
    assert!(is_modelled(&payload));
    let hex: String = payload.iter().map(|byte| format!("{byte:02x}")).collect();
    expect_test::expect_file!["golden-block.txt"].assert_eq(&format!("{hex}\n"));
}

#[test]
fn only_the_ends_of_chains_keep_their_signatures() {
    let decoded = decode(&encode(&typing(50), vec![])).unwrap();
    let (last, covered) = decoded.split_last().unwrap();
    assert!(verify(last));
    assert!(covered.iter().all(|signed| signed.signature == [0; 64]));
}

#[test]
fn what_another_log_names_as_its_predecessor_keeps_its_signature() {
    let (mut ann, mut eve) = (Author::new(1), Author::new(2));
    let mut deltas = vec![ann.key(START_MS, file(2), 0, "a"), ann.key(START_MS + 1, file(2), 1, "b")];
    eve.prev = deltas[1].hash;
    eve.seq = 2;
    deltas.push(eve.key(START_MS + 2, file(2), 2, "c"));
    sort(&mut deltas);
    check(&deltas);
    let decoded = decode(&encode(&deltas, vec![])).unwrap();
    assert!(decoded.iter().any(|signed| signed.hash == deltas[1].hash && verify(signed)));
}

#[test]
fn every_flipped_bit_is_refused_or_changes_a_name() {
    let deltas = typing(6);
    let payload = check(&deltas);
    for bit in 0..payload.len() * 8 {
        let mut damaged = payload.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        // The journal's checksum and the block's own name catch it; here it must only never panic.
        let _ = decode(&damaged);
        let _ = decode_structural(&damaged);
    }
}

/// A delta of anything, from a seed.
fn any_delta(author: &mut Author, random: &mut Random, now_ms: u64) -> Arc<SignedDelta> {
    let files: Vec<FileId> = (0..1 + random.below(3)).map(|_| file(random.below(5) as u8)).collect();
    let logs: Vec<LogId> = (0..random.below(3))
        .map(|_| LogId { device: DeviceId([random.below(4) as u8; 32]), incarnation: random.below(2) as u32 })
        .collect();
    let n_logs = logs.len() as u64;
    let item = move |random: &mut Random| ItemRef {
        log: random.below(n_logs + 1) as u16,
        seq: if random.below(20) == 0 { random.next() as u32 } else { random.below(40) as u32 },
        offset: if random.below(20) == 0 { random.next() as u32 } else { random.below(5) as u32 },
    };
    let steps = (0..1 + random.below(4)).map(|_| any_step(random, files.len() as u64, now_ms, &item)).collect();
    author.seq += 1;
    let delta = Delta {
        project: ProjectId([random.below(2) as u8; 16]),
        log: author.log,
        seq: author.seq,
        prev: if random.below(30) == 0 { DeltaHash([9; 32]) } else { author.prev },
        hlc: if random.below(3) > 0 {
            author.clock.tick(now_ms)
        } else {
            Hlc { wall_ms: now_ms, counter: random.next() as u32 }
        },
        deps: (0..random.below(3))
            .map(|n| Head { log: author.log, seq: n as u32, hash: DeltaHash([n as u8; 32]) })
            .collect(),
        origin: [Origin::Typing, Origin::Undo, Origin::Disk][random.below(3) as usize],
        group: 1 + random.below(u64::from(author.seq)) as u32,
        logs,
        files,
        steps,
    };
    author.sign(delta)
}

fn any_step(random: &mut Random, n_files: u64, now_ms: u64, item: &dyn Fn(&mut Random) -> ItemRef) -> Step {
    let at_ms = if random.below(10) == 0 { random.next() } else { now_ms + random.below(100) };
    let change = match random.below(12) {
        0 => Change::Remove,
        1 => Change::Move { path: RelPath::parse("src/main.rs").unwrap() },
        2 => Change::Session { person: "Ann".into(), device_name: "laptop".into() },
        _ => Change::Text(TextStep {
            position: if random.below(20) == 0 { random.next() as u32 } else { random.below(60) as u32 },
            delete: (0..random.below(3))
                .map(|_| ItemRange {
                    first: item(random),
                    length: if random.below(30) == 0 { u32::MAX } else { 1 + random.below(4) as u32 },
                })
                .collect(),
            insert: (random.below(3) > 0).then(|| Insert {
                left: (random.below(4) > 0).then(|| item(random)),
                right: (random.below(2) > 0).then(|| item(random)),
                text: match random.below(6) {
                    0 => TextSource::Blob { hash: BlobHash([random.below(9) as u8; 32]), length: random.next() as u32 },
                    1 => TextSource::Inline("é🙂 漢".into()),
                    n => TextSource::Inline("fn main() {}\n"[..n as usize].into()),
                },
            }),
        }),
    };
    Step { at_ms, file: random.below(n_files) as u16, change }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn random_deltas_come_back(seed: u64, n in 1_usize..60) {
        let mut random = Random(seed);
        let mut authors = [Author::new(1), Author::new(2), Author::new(3)];
        let mut now_ms = START_MS;
        let mut deltas: Vec<_> = (0..n).map(|_| {
            now_ms += random.below(500);
            let author = random.below(3) as usize;
            any_delta(&mut authors[author], &mut random, now_ms)
        }).collect();
        sort(&mut deltas);
        deltas.dedup_by_key(|signed| signed.hash);
        let payload = check(&deltas);
        prop_assert!(is_modelled(&payload));
    }

    #[test]
    fn random_bytes_never_panic(mut random in proptest::collection::vec(any::<u8>(), 0..300), keep in 0_usize..200) {
        let _ = decode(&random);
        let whole = encode(&typing(3), vec![]);
        let mut mixed = whole[..keep.min(whole.len())].to_vec();
        mixed.append(&mut random);
        let _ = decode(&mixed);
    }
}

#[test]
fn a_real_session_takes_few_bytes() {
    let Some(deltas) = trace("json-crdt-blog-post") else {
        return eprintln!("the traces are not here: size of blocks not checked");
    };
    let deltas = if is_slow() { &deltas[..] } else { &deltas[..4_000] };
    let mut n_bytes = 0;
    for chunk in deltas.chunks(2_000) {
        let payload = encode(chunk, vec![]);
        assert!(is_modelled(&payload));
        n_bytes += payload.len();
    }
    let per_step_bytes = n_bytes as f64 / deltas.len() as f64;
    eprintln!("{per_step_bytes:.3} bytes a step in blocks of 2,000");
    assert!(per_step_bytes < 2.4, "{per_step_bytes}");
}

#[test]
fn a_delta_without_a_signature_vouches_for_nothing() {
    let mut deltas = typing(50);
    for idx in [49, 50] {
        Arc::make_mut(&mut deltas[idx]).signature = [0; 64];
    }
    check(&deltas);
    let decoded = decode(&encode(&deltas, vec![])).unwrap();
    let signed: Vec<usize> = (0..51).filter(|idx| decoded[*idx].signature != [0; 64]).collect();
    assert_eq!(signed, vec![48]);
    assert!(verify(&decoded[48]));
}

#[test]
fn what_programs_wrote_by_the_kilobyte_is_compressed_and_not_modelled() {
    let mut deltas = typing(200);
    assert!(is_modelled(&check(&deltas)));
    let mut other = Author::new(2);
    for n in 0..12 {
        let text: String = (0..200).map(|line| format!("line {line} of {n}\n")).collect();
        deltas.push(other.key(START_MS + n, file(2), 0, &text));
    }
    sort(&mut deltas);
    let payload = check(&deltas);
    assert!(!is_modelled(&payload));
    assert!(payload.len() < 30_000, "{}", payload.len());
}
