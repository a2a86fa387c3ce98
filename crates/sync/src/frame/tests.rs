#![allow(clippy::unwrap_used)]
use super::*;
use crate::tests::store::Random;
use codesync_base::LogId;

fn log(n: u8) -> LogId {
    LogId { device: DeviceId([n; 32]), incarnation: u32::from(n) }
}

fn head(n: u8) -> Head {
    Head { log: log(n), seq: 300, hash: DeltaHash([n; 32]) }
}

fn delta() -> WireDelta {
    WireDelta { bytes: Bytes(vec![1, 2, 3]), signature: Some(Signature(std::array::from_fn(|n| n as u8))) }
}

/// One of each kind.
pub(crate) fn samples() -> Vec<Frame> {
    let hash = BlobHash([8; 32]);
    let reasons = [
        Reason::Leaving,
        Reason::Version { oldest: 2, newest: 3, software: "0.4.1".into() },
        Reason::Project,
        Reason::NotAdmitted,
        Reason::Limit,
        Reason::Malformed,
        Reason::Forged,
        Reason::Double,
        Reason::Busy,
    ];
    let byes = reasons.map(|reason| Frame::Bye(Bye { reason, detail: "why".into() }));
    let mut all = vec![
        Frame::Hello(Hello {
            oldest: 1,
            newest: 1,
            software: "0.1.0".into(),
            project: ProjectId([7; 16]),
            device: DeviceId([1; 32]),
            wall_ms: 1_790_000_000_000,
            token: Bytes(b"token".to_vec()),
        }),
        Frame::Heads(vec![head(1), head(2)]),
        Frame::Want(Want { id: 5, logs: vec![WantLog { log: log(1), known: vec![(300, DeltaHash([3; 32]))] }] }),
        Frame::Deltas(Deltas { cause: Cause::Live, deltas: vec![delta()] }),
        Frame::Deltas(Deltas {
            cause: Cause::Answer { id: 5, is_last: true },
            deltas: vec![WireDelta { signature: None, ..delta() }],
        }),
        Frame::Stored(vec![head(3)]),
        Frame::Credit(262_144),
        Frame::Eager(Eager { log: log(1), on: false }),
        Frame::Digest(Digest { heads: [1; 32], whole: [2; 32], files: vec![(FileId([3; 16]), [4; 32])] }),
        Frame::Fork(Box::new([delta(), delta()])),
        Frame::Blob(Blob::Want(vec![BlobRange { hash, offset: 65_536, length: 524_288 }])),
        Frame::Blob(Blob::Chunk(BlobChunk { hash, total_bytes: 3, offset: 0, bytes: Bytes(vec![7, 8, 9]) })),
        Frame::Blob(Blob::Lacks(hash)),
        Frame::Snapshot(Snapshot::Want { bytes_max: 4_194_304 }),
        Frame::Snapshot(Snapshot::Piece(SnapshotPiece {
            path: RelPath::parse("src/main.rs").unwrap(),
            goes_on: false,
            bytes: Bytes(b"fn main() {}".to_vec()),
        })),
        Frame::Snapshot(Snapshot::End(Signature([9; 64]))),
        Frame::Presence(Bytes(vec![1, 2])),
    ];
    all.extend(byes);
    all
}

#[test]
fn golden_bytes_of_every_frame() {
    let mut lines = String::new();
    for frame in samples() {
        let bytes = frame.encode();
        assert_eq!(Frame::decode(&bytes, FRAME_BYTES_MAX).as_ref(), Ok(&frame));
        let name = format!("{frame:?}").chars().take_while(|c| c.is_alphanumeric()).collect::<String>();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        lines.push_str(&format!("{name} {hex}\n"));
    }
    expect_test::expect_file!["golden-frames.txt"].assert_eq(&lines);
}

#[test]
fn only_hello_and_bye_may_say_more_than_is_known() {
    for frame in samples() {
        let mut bytes = frame.encode();
        bytes.push(0);
        let is_open_ended = matches!(frame, Frame::Hello(_) | Frame::Bye(_));
        assert_eq!(Frame::decode(&bytes, FRAME_BYTES_MAX).is_ok(), is_open_ended, "{frame:?}");
    }
}

#[test]
fn every_field_is_bounded() {
    let of = |frame: Frame| Frame::decode(&frame.encode(), usize::MAX).is_ok();
    let many_heads = |n| vec![head(1); n];
    assert!(of(Frame::Heads(many_heads(FRAME_HEADS_MAX))));
    assert!(!of(Frame::Heads(many_heads(FRAME_HEADS_MAX + 1))));
    assert!(!of(Frame::Stored(many_heads(FRAME_HEADS_MAX + 1))));
    let deltas = |n| Frame::Deltas(Deltas { cause: Cause::Live, deltas: vec![delta(); n] });
    assert!(of(deltas(FRAME_DELTAS_MAX)) && !of(deltas(FRAME_DELTAS_MAX + 1)));
    let presence = |n| Frame::Presence(Bytes(vec![0; n]));
    assert!(of(presence(PRESENCE_BYTES_MAX)) && !of(presence(PRESENCE_BYTES_MAX + 1)));
    let long = |n| {
        let delta = WireDelta { bytes: Bytes(vec![0; n]), signature: None };
        Frame::Deltas(Deltas { cause: Cause::Live, deltas: vec![delta] })
    };
    assert!(of(long(64 * 1024)) && !of(long(64 * 1024 + 1)));
    let want = |n, known| {
        let known = vec![(1, DeltaHash([1; 32])); known];
        Frame::Want(Want { id: 1, logs: vec![WantLog { log: log(1), known }; n] })
    };
    assert!(of(want(WANT_LOGS_MAX, 1)) && !of(want(WANT_LOGS_MAX + 1, 1)));
    assert!(of(want(1, WANT_KNOWN_MAX)) && !of(want(1, WANT_KNOWN_MAX + 1)));
    let ranges = |n| Frame::Blob(Blob::Want(vec![BlobRange { hash: BlobHash([1; 32]), offset: 0, length: 1 }; n]));
    assert!(of(ranges(BLOB_REQUESTS_MAX)) && !of(ranges(BLOB_REQUESTS_MAX + 1)));
    let bye = |n| Frame::Bye(Bye { reason: Reason::Busy, detail: "x".repeat(n) });
    assert!(of(bye(DETAIL_BYTES_MAX)) && !of(bye(DETAIL_BYTES_MAX + 1)));
}

#[test]
fn the_largest_honest_frames_fit() {
    assert!(
        Frame::Heads(vec![Head { seq: u32::MAX, ..head(0xff) }; FRAME_HEADS_MAX]).encode().len() <= FRAME_BYTES_MAX
    );
    let full = Deltas {
        cause: Cause::Answer { id: u32::MAX, is_last: true },
        deltas: vec![WireDelta { bytes: Bytes(vec![0; 64 * 1024]), ..delta() }; 3],
    };
    assert!(Frame::Deltas(full).encode().len() <= FRAME_BYTES_MAX);
}

#[test]
fn a_path_that_leaves_the_folder_is_no_frame() {
    let good = samples().into_iter().find(|frame| matches!(frame, Frame::Snapshot(Snapshot::Piece(_)))).unwrap();
    let bytes = good.encode();
    let at = bytes.windows(11).position(|window| window == b"src/main.rs").unwrap();
    for path in [b"../../../ab", b"/etc/passwd", b".git/hooks/"] {
        let mut bad = bytes.clone();
        bad[at..at + 11].copy_from_slice(path);
        assert_eq!(Frame::decode(&bad, FRAME_BYTES_MAX), Err(FrameError::Malformed));
    }
}

/// What the door makes of random bytes and of frames with a few bytes changed. `CODESYNC_FUZZ_ROUNDS` makes it longer.
#[test]
fn random_bytes_never_get_the_better_of_the_door() {
    let rounds = std::env::var("CODESYNC_FUZZ_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(60_000u64);
    let mut random = Random(std::env::var("CODESYNC_FUZZ_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1));
    println!("seed {}", random.0);
    let samples: Vec<Vec<u8>> = samples().iter().map(Frame::encode).collect();
    let mut n_good = 0u64;
    for _ in 0..rounds {
        let mut bytes = samples[random.below(samples.len() as u64) as usize].clone();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len() as u64) as usize;
            match random.below(4) {
                0 => bytes[at] = random.next() as u8,
                1 => bytes.insert(at, 0xff),
                2 => bytes.truncate(at.max(1)),
                _ => bytes[at] ^= 1 << random.below(8),
            }
        }
        if let Ok(frame) = Frame::decode(&bytes, FRAME_BYTES_MAX) {
            n_good += 1;
            let again = frame.encode();
            assert_eq!(Frame::decode(&again, usize::MAX), Ok(frame));
        }
    }
    assert!(n_good > 0);
}
