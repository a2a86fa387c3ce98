#![allow(clippy::unwrap_used)]
use super::*;
use crate::*;
use proptest::prelude::*;

fn sample() -> Delta {
    Delta {
        project: ProjectId([7; 16]),
        log: LogId { device: DeviceId([1; 32]), incarnation: 0 },
        seq: 2,
        prev: DeltaHash([9; 32]),
        hlc: Hlc { wall_ms: 1_790_000_000_000, counter: 3 },
        deps: vec![],
        origin: Origin::Typing,
        group: 2,
        logs: vec![],
        files: vec![FileId([5; 16])],
        steps: vec![Step {
            at_ms: 1_790_000_000_001,
            file: 0,
            change: Change::Text(TextStep {
                position: 3,
                delete: vec![ItemRange { first: ItemRef { log: 0, seq: 1, offset: 4 }, length: 2 }],
                insert: Some(Insert {
                    left: Some(ItemRef { log: 0, seq: 1, offset: 3 }),
                    right: None,
                    text: TextSource::Inline("é🙂".into()),
                }),
            }),
        }],
    }
}

#[test]
fn golden_bytes_of_format_1() {
    let (bytes, hash) = encode_delta(&sample());
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    expect_test::expect_file!["golden-delta.txt"].assert_eq(&format!("{hex}\n{hash}\n"));
    assert_eq!(decode_delta(&bytes).unwrap(), (sample(), hash));
}

#[test]
fn every_cut_and_every_flipped_bit_is_refused_or_renamed() {
    let (bytes, hash) = encode_delta(&sample());
    for n in 0..bytes.len() {
        assert!(decode_delta(&bytes[..n]).is_err());
    }
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        if let Ok((_, other)) = decode_delta(&damaged) {
            assert_ne!(other, hash);
        }
    }
}

#[test]
fn indexes_that_point_nowhere_are_refused() {
    let mut delta = sample();
    delta.steps[0].file = 1;
    assert_eq!(decode_delta(&encode_delta(&delta).0), Err(DecodeError::Limit { what: "file index" }));
    let mut delta = sample();
    let Change::Text(text) = &mut delta.steps[0].change else { unreachable!() };
    text.delete[0].first.log = 1;
    assert_eq!(decode_delta(&encode_delta(&delta).0), Err(DecodeError::Limit { what: "log index" }));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut() { *first = FORMAT_VERSION; }
        let _ = decode_delta(&bytes);
    }
}
