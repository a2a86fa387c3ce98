//! The bytes never change, and what is no checkpoint is refused.

#![allow(clippy::unwrap_used)]
use super::*;
use crate::{DeltaHash, DeltaKey, FileKind, FileMeta, RelPath};

fn log(n: u8) -> LogId {
    LogId { device: DeviceId([n; 32]), incarnation: 0 }
}

fn key(n: u8, seq: u32) -> StepKey {
    let hlc = Hlc { wall_ms: 1_790_000_000_000 + u64::from(seq), counter: 0 };
    StepKey { delta: DeltaKey { hlc, log: log(n), seq, hash: DeltaHash([n; 32]) }, step_idx: 1 }
}

fn node() -> CutNode {
    let path = RelPath::parse("src/lexer.rs").unwrap();
    let (meta, kind) = (FileMeta::default(), FileKind::Text);
    let create = Change::Create { path: path.clone(), kind, meta, content: Some(TextSource::Inline("fn".into())) };
    let change = |seq, change| CutChange { key: key(1, seq), is_disk: false, is_void: false, change };
    CutNode { changes: vec![change(2, create), change(7, Change::Move { path })], units: Some(BlobHash([8; 32])) }
}

fn sample() -> Checkpoint {
    let head = Head { log: log(1), seq: 9, hash: DeltaHash([6; 32]) };
    let hlc = Hlc { wall_ms: 1_790_000_000_009, counter: 3 };
    Checkpoint {
        project: ProjectId([7; 16]),
        founder: DeviceId([1; 32]),
        logs: vec![CutLog { head, hlc, declared: vec![(log(2), 4)], person: Some("Asha".into()) }],
        rights: vec![CutRight { delta: vec![1, 2, 3], past: vec![(log(2), 3)] }],
        files: vec![
            CutFile { file: FileId([4; 16]), state: CutState::There(node()) },
            CutFile { file: FileId([5; 16]), state: CutState::Gone(BlobHash([9; 32])) },
        ],
    }
}

fn units() -> TextUnits {
    let at = |log, clock| UnitAt { log, clock };
    TextUnits {
        logs: vec![UnitLog { log: log(1), deltas: vec![(2, 3), (5, 1)], text: format!("a{BLOT_PAIR}b") }],
        insertions: vec![UnitInsertion { log: 0, length: 4, left: None, right: Some(at(0, 0)) }],
        order: vec![UnitRun { first: at(0, 0), length: 4, is_visible: true }],
    }
}

#[test]
fn golden_bytes() {
    let hex = |bytes: Vec<u8>| crate::hex(&bytes) + "\n";
    let golden = [hex(sample().encode()), hex(node().encode()), hex(units().encode())].concat();
    expect_test::expect_file!["golden.txt"].assert_eq(&golden);
}

#[test]
fn what_was_encoded_is_read_again_and_nothing_else() {
    let bytes = sample().encode();
    assert_eq!(Checkpoint::decode(&bytes), Ok(sample()));
    assert_eq!(CutNode::decode(&node().encode()), Ok(node()));
    assert_eq!(TextUnits::decode(&units().encode()), Ok(units()));
    for n in 0..bytes.len() {
        assert!(Checkpoint::decode(&bytes[..n]).is_err());
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(Checkpoint::decode(&longer), Err(DecodeError::Malformed));
    let mut newer = bytes;
    newer[0] = 2;
    assert_eq!(Checkpoint::decode(&newer), Err(DecodeError::Version { version: 2 }));
}

#[test]
fn what_has_no_order_is_refused() {
    let refused = |checkpoint: &Checkpoint| match Checkpoint::decode(&checkpoint.encode()) {
        Err(DecodeError::Limit { what }) => what,
        other => panic!("{other:?}"),
    };
    let mut twice = sample();
    twice.logs.push(twice.logs[0].clone());
    assert_eq!(refused(&twice), "logs of a checkpoint");
    let mut empty = sample();
    empty.logs[0].head.seq = 0;
    assert_eq!(refused(&empty), "logs of a checkpoint");
    let mut files = sample();
    files.files.reverse();
    assert_eq!(refused(&files), "files of a checkpoint");
    let mut uncreated = sample();
    let CutState::There(node) = &mut uncreated.files[0].state else { unreachable!() };
    node.changes.remove(0);
    assert_eq!(refused(&uncreated), "changes of a file");
}
