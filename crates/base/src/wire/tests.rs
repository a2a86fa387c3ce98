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

fn granting(access: AccessStep) -> Delta {
    let step = Step { at_ms: 1_790_000_000_001, file: 0, change: Change::Access(access) };
    Delta { origin: Origin::Session, files: vec![], steps: vec![step], ..sample() }
}

fn removal(accepted: Vec<Head>) -> Delta {
    granting(AccessStep::Remove { device: DeviceId([3; 32]), accepted })
}

fn head(device: u8, incarnation: u32, seq: u32) -> Head {
    Head { log: LogId { device: DeviceId([device; 32]), incarnation }, seq, hash: DeltaHash([6; 32]) }
}

#[test]
fn golden_bytes_of_rights() {
    let device = DeviceId([3; 32]);
    let deltas = [
        granting(AccessStep::Grant { device, person: "Bo".into(), role: Role::Editor, share_from: ShareFrom::Past }),
        granting(AccessStep::Grant {
            device,
            person: "Bo".into(),
            role: Role::Owner,
            share_from: ShareFrom::Checkpoint(BlobHash([8; 32])),
        }),
        granting(AccessStep::ChangeRole { device, role: Role::Viewer, accepted: vec![head(3, 0, 300)] }),
        removal(vec![head(3, 0, 300), head(3, 7, 1)]),
    ];
    let mut golden = String::new();
    for delta in deltas {
        let (bytes, hash) = encode_delta(&delta);
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        golden.push_str(&format!("{hex}\n{hash}\n"));
        assert_eq!(decode_delta(&bytes).unwrap(), (delta, hash));
    }
    expect_test::expect_file!["golden-rights.txt"].assert_eq(&golden);
}

fn saying(chat: Chat) -> Delta {
    let step = Step { at_ms: 1_790_000_000_001, file: 0, change: Change::Chat(chat) };
    Delta { origin: Origin::Session, files: vec![], steps: vec![step], ..sample() }
}

#[test]
fn golden_bytes_of_messages() {
    let unit = UnitName { log: LogId { device: DeviceId([3; 32]), incarnation: 1 }, seq: 300, offset: 2 };
    let delta = sample().key(DeltaHash([6; 32]));
    let messages = [
        Chat { text: "look – é🙂".into(), points_at: None },
        Chat {
            text: "here".into(),
            points_at: Some(Pointer::Line { file: FileId([5; 16]), unit: Some(unit), line: 43 }),
        },
        Chat { text: "end".into(), points_at: Some(Pointer::Line { file: FileId([5; 16]), unit: None, line: 1 }) },
        Chat { text: "then".into(), points_at: Some(Pointer::Moment(StepKey { delta, step_idx: 4 })) },
    ];
    let mut golden = String::new();
    for chat in messages {
        let delta = saying(chat);
        let (bytes, hash) = encode_delta(&delta);
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        golden.push_str(&format!("{hex}\n{hash}\n"));
        assert_eq!(decode_delta(&bytes).unwrap(), (delta, hash));
    }
    expect_test::expect_file!["golden-chat.txt"].assert_eq(&golden);
}

#[test]
fn messages_that_are_none_are_refused() {
    let refused = |delta: &Delta| match decode_delta(&encode_delta(delta).0) {
        Err(DecodeError::Limit { what }) => what,
        other => panic!("{other:?}"),
    };
    let of_length = |n| saying(Chat { text: "x".repeat(n), points_at: None });
    assert_eq!(refused(&of_length(0)), "length of a message");
    assert_eq!(refused(&of_length(limits::CHAT_BYTES_MAX + 1)), "length of a message");
    assert!(decode_delta(&encode_delta(&of_length(limits::CHAT_BYTES_MAX)).0).is_ok());
    let mut two = of_length(1);
    two.steps.push(two.steps[0].clone());
    assert_eq!(refused(&two), "steps beside a message");
}

#[test]
fn bytes_of_a_wish_for_a_colour() {
    let wishing = |color| {
        let step = Step { at_ms: 1_790_000_000_001, file: 0, change: Change::Color { color } };
        Delta { origin: Origin::Session, files: vec![], steps: vec![step], ..sample() }
    };
    let mut golden = String::new();
    for color in [None, Some(0), Some(7)] {
        let (bytes, hash) = encode_delta(&wishing(color));
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        golden.push_str(&format!("{hex}\n"));
        assert_eq!(decode_delta(&bytes).unwrap(), (wishing(color), hash));
    }
    expect_test::expect_file!["golden-color.txt"].assert_eq(&golden);
    let refused = decode_delta(&encode_delta(&wishing(Some(limits::AUTHOR_COLORS))).0);
    assert!(matches!(refused, Err(DecodeError::Limit { what: "number of a colour" })), "{refused:?}");
}

#[test]
fn rights_that_make_no_sense_are_refused() {
    let refused = |delta: &Delta| match decode_delta(&encode_delta(delta).0) {
        Err(DecodeError::Limit { what }) => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&removal(vec![head(4, 0, 1)])), "accepted heads");
    assert_eq!(refused(&removal(vec![head(3, 0, 0)])), "accepted heads");
    assert_eq!(refused(&removal(vec![head(3, 1, 1), head(3, 0, 1)])), "accepted heads");
    assert_eq!(refused(&removal(vec![head(3, 0, 1), head(3, 0, 2)])), "accepted heads");
    assert_eq!(refused(&removal((0..65).map(|n| head(3, n, 1)).collect())), "number of accepted heads");
    let mut two = removal(vec![]);
    two.steps.push(sample().steps[0].clone());
    two.files = sample().files;
    assert_eq!(refused(&two), "steps beside a change of rights");
    let person = "x".repeat(limits::PERSON_NAME_BYTES_MAX + 1);
    let device = DeviceId([3; 32]);
    let long = AccessStep::Grant { device, person, role: Role::Editor, share_from: ShareFrom::Past };
    assert_eq!(refused(&granting(long)), "name of a person");
}
