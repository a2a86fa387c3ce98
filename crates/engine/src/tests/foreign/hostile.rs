//! A member who sends anything that has a good signature: nothing panics, all who hear of it judge alike, and what
//! they make of it is the same.

use super::merging::Random;
use super::*;
use codesync_base::{
    BlobHash, Change, Delta, FileId, FileKind, FileMeta, Head, Hlc, ItemRange, ItemRef, LogId, Origin, Step, StepKey,
    TextSource, encode_delta,
};

/// Somebody with a key of their own and no scruples.
struct Attacker {
    key: DeviceKey,
    log: LogId,
    seq: u32,
    prev: DeltaHash,
    hlc: Hlc,
}

impl Attacker {
    fn new() -> Self {
        let key = DeviceKey::from_seed(&[99; 32]);
        let log = LogId { device: key.device(), incarnation: 0 };
        Self { key, log, seq: 0, prev: DeltaHash::ZERO, hlc: Hlc { wall_ms: START_MS, counter: 0 } }
    }

    fn sign(&self, delta: Delta) -> SignedDelta {
        let (_, hash) = encode_delta(&delta);
        SignedDelta { signature: self.key.sign_delta(&hash), delta, hash }
    }

    /// The next delta of the log, made of somebody's steps.
    fn next(&mut self, heads: &[Head], steps: Delta, random: &mut Random) -> Delta {
        let n_deps = random.below(heads.len() + 1);
        let deps = heads.iter().filter(|head| head.log != self.log).take(n_deps).copied().collect();
        self.hlc.wall_ms += 1 + random.below(50) as u64;
        Delta { log: self.log, seq: self.seq + 1, prev: self.prev, hlc: self.hlc, deps, group: 1, ..steps }
    }
}

fn any_number(random: &mut Random) -> u32 {
    match random.below(4) {
        0 => 0,
        1 => random.below(12) as u32,
        2 => random.below(300) as u32,
        _ => random.next() as u32,
    }
}

fn any_item(random: &mut Random) -> ItemRef {
    ItemRef { log: random.below(4) as u16, seq: 1 + random.below(40) as u32, offset: any_number(random) % 16 }
}

fn any_text(random: &mut Random) -> TextSource {
    match random.below(6) {
        0 => TextSource::Blob { hash: BlobHash([random.below(3) as u8; 32]), length: any_number(random) },
        1 => TextSource::Inline("".into()),
        2 => TextSource::Inline("😀\r\n\0".into()),
        _ => TextSource::Inline("evil".into()),
    }
}

fn any_change(random: &mut Random, paths: &[RelPath]) -> Change {
    let path = paths[random.below(paths.len())].clone();
    let meta = FileMeta { mode: any_number(random), ..FileMeta::default() };
    let good = FileMeta { mode: 0o755, ..FileMeta::default() };
    let kind = [FileKind::Text, FileKind::Binary, FileKind::Folder][random.below(3)];
    match random.below(12) {
        0 => Change::Create { path, kind, meta: good, content: Some(any_text(random)) },
        1 => Change::Move { path },
        2 => Change::Remove,
        3 => Change::Revive { path },
        4 => Change::Content { blob: BlobHash([1; 32]), length_bytes: random.next() },
        5 => Change::Meta { meta },
        6 => Change::Kind { kind },
        7 => Change::Meta { meta: FileMeta { encoding: "no such".into(), ..good } },
        8 => Change::Moment { name: "Before merge".into(), note: None, automatic: random.below(2) == 0, at: None },
        9 => {
            let at = StepKey { delta: codesync_base::DeltaKey::FIRST, step_idx: any_number(random) };
            Change::Moment {
                name: "x".into(),
                note: Some("y".repeat(random.below(2_000))),
                automatic: false,
                at: Some(at),
            }
        }
        10 => Change::Session { person: "Eve".repeat(random.below(600)), device_name: "e".into() },
        _ => any_edit(random),
    }
}

fn any_edit(random: &mut Random) -> Change {
    let ranges = (0..random.below(3)).map(|_| ItemRange { first: any_item(random), length: any_number(random) });
    let delete = ranges.collect();
    let insert = (random.below(3) > 0).then(|| codesync_base::Insert {
        left: (random.below(3) > 0).then(|| any_item(random)),
        right: (random.below(3) > 0).then(|| any_item(random)),
        text: any_text(random),
    });
    Change::Text(codesync_base::TextStep { position: any_number(random), delete, insert })
}

/// Changes a few things of an honest delta.
fn falsify(delta: &mut Delta, files: &[FileId], paths: &[RelPath], random: &mut Random) {
    for _ in 0..random.below(4) {
        let idx = random.below(delta.steps.len());
        match random.below(14) {
            0 => delta.steps[idx].change = any_change(random, paths),
            1 => delta.steps.push(Step { at_ms: random.next(), file: 0, change: any_edit(random) }),
            2 => delta.files = files.iter().take(1 + random.below(files.len())).copied().collect(),
            3 => delta.files.push(FileId([random.below(256) as u8; 16])),
            4 => delta.hlc.wall_ms = random.next() >> random.below(60),
            5 => delta.hlc.counter = random.next() as u32,
            6 => delta.seq = any_number(random),
            7 => delta.group = any_number(random),
            8 => delta.prev.0[0] ^= random.below(2) as u8,
            9 => delta.logs.reverse(),
            10 => delta.steps[idx].file = random.below(3) as u16,
            11 => delta.origin = [Origin::Undo, Origin::Disk, Origin::Restore, Origin::Import][random.below(4)],
            12 => {
                let file = FileId::derive(&delta.log, &delta.prev, &delta.hlc, idx as u32);
                delta.files.push(file);
                delta.steps[idx].file = delta.files.len() as u16 - 1;
                delta.steps[idx].change = any_change(random, paths);
            }
            _ => {
                if let Change::Text(text) = &mut delta.steps[idx].change {
                    match random.below(4) {
                        0 => text.position = any_number(random),
                        1 => text.delete.push(ItemRange { first: any_item(random), length: any_number(random) }),
                        2 => text.insert.iter_mut().for_each(|insert| insert.left = Some(any_item(random))),
                        _ => text.insert.iter_mut().for_each(|insert| insert.right = Some(any_item(random))),
                    }
                }
            }
        }
    }
}

/// Honest people work; their deltas are falsified and sent to all of them.
fn attack(seed: u64, n_deltas: usize, tally: &mut Tally) {
    let mut random = Random::new(seed);
    let mut peers = Peers::new(2);
    peers.edit(0, "a", &[(0, 0, "one\ntwo 😀\nthree\n")]).edit(1, "src/b", &[(0, 0, "bee")]).meet();
    for i in 0..6 {
        peers.edit(i % 2, "a", &[(i as u32, i as u32 % 3, "xy")]).wait(50);
    }
    peers.ask(0, Request::Rename { from: "src/b".into(), to: "c".into() });
    peers.meet();
    let mut honest = Vec::new();
    peers.engines[0].log().for_each(&mut |signed| honest.push(signed.delta.clone())).unwrap();
    let files: Vec<FileId> = peers.engines[0].tree().alive().map(|node| node.file).collect();
    let paths: Vec<RelPath> =
        ["a", "A", "c", "c/d", "src", "e"].iter().map(|path| RelPath::parse(path).unwrap()).collect();
    let mut attacker = Attacker::new();
    let mut said = vec![(0, DeltaHash::ZERO)];
    for _ in 0..n_deltas {
        // What both have: they judge alike only what both can judge.
        let mut heads = peers.engines[0].log().heads();
        heads.retain(|head| peers.engines[1].log().contains(&head.hash));
        let template = honest[random.below(honest.len())].clone();
        let mut delta = attacker.next(&heads, template, &mut random);
        // Names of the honest author's own log are now names of another's.
        delta.logs = heads.iter().map(|head| head.log).filter(|log| *log != attacker.log).collect();
        for step in &mut delta.steps {
            if let Change::Text(text) = &mut step.change {
                let shift = |item: &mut ItemRef| item.log = item.log.max(1);
                text.delete.iter_mut().for_each(|range| shift(&mut range.first));
                text.insert
                    .iter_mut()
                    .flat_map(|insert| [&mut insert.left, &mut insert.right])
                    .flatten()
                    .for_each(shift);
            }
        }
        falsify(&mut delta, &files, &paths, &mut random);
        let signed = attacker.sign(delta);
        let arrived = Arrived::of(&signed);
        let mut judged = Vec::new();
        if std::env::var_os("CODESYNC_TELL").is_some() {
            println!("seed {seed} {} seq {} prev {}", signed.hash.short(), signed.delta.seq, signed.delta.prev.short());
        }
        for n in 0..2 {
            let now = peers.now();
            let received = peers.engines[n].receive(vec![arrived.clone()], now).unwrap();
            peers.engines[n].sync(now).unwrap();
            assert_eq!(received.failure, None, "seed {seed}");
            judged.push((received.n_new, received.refused, received.held, received.forks));
        }
        if std::env::var_os("CODESYNC_TELL").is_some() {
            println!("   {:?}", judged[0]);
        }
        assert_eq!(judged[0], judged[1], "seed {seed}: {:?}", signed.delta);
        if judged[0].0 == 1 {
            *tally.entry("forks").or_default() += judged[0].3.len() as u64;
            (attacker.seq, attacker.prev, attacker.hlc) = (signed.delta.seq, signed.hash, signed.delta.hlc);
            *tally.entry("taken").or_default() += 1;
        } else if judged[0].1.is_empty() {
            *tally.entry("held").or_default() += 1;
            attacker.hlc.wall_ms = attacker.hlc.wall_ms.min(peers.now_ms + 1_000);
        } else {
            *tally.entry("refused").or_default() += 1;
        }
        said.push((attacker.seq, attacker.prev));
        if random.below(10) == 0 {
            // Says something else under a number that is taken.
            (attacker.seq, attacker.prev) = said[random.below(said.len())];
        }
        if random.below(4) == 0 {
            let n = random.below(2);
            if let Some(path) = peers.paths(n).first().cloned() {
                let _ = peers.try_ask(n, Request::EditFile { path, edits: vec![Splice(0, 0, "honest ".into())] });
            }
        }
        if random.below(8) == 0 {
            peers.meet();
        }
    }
    peers.meet();
    // What a hostile author names may have another order where it came in another order; read in the one order it is
    // the same for all.
    for n in 0..2 {
        peers.reopen(n);
    }
    peers.check_equal(&format!("seed {seed}"));
}

#[test]
fn a_member_who_signs_anything_harms_nobody() {
    let n = std::env::var("CODESYNC_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let mut tally = Tally::new();
    for seed in 1..=n {
        attack(seed, 80, &mut tally);
    }
    println!("{tally:?}");
    assert!(tally["taken"] > 3 * n && tally["refused"] > 3 * n, "{tally:?}");
}

#[test]
fn bytes_that_are_no_delta_are_refused() {
    let mut peers = Peers::new(2);
    peers.edit(0, "a", &[(0, 0, "text")]).edit(0, "a", &[(1, 2, "X")]);
    let deltas = peers.missing(0, 1);
    let mut random = Random::new(3);
    let before = peers.picture(1);
    for _ in 0..3_000 {
        let mut arrived = Arrived::of(&deltas[random.below(deltas.len())]);
        for _ in 0..1 + random.below(3) {
            let at = random.below(arrived.bytes.len());
            match random.below(4) {
                0 => arrived.bytes.truncate(at),
                1 => arrived.bytes.insert(at, random.next() as u8),
                2 => arrived.bytes[at] = random.next() as u8,
                _ => arrived.bytes[at] ^= 1 << random.below(8),
            }
            if arrived.bytes.is_empty() {
                break;
            }
        }
        if arrived.bytes == Arrived::of(&deltas[0]).bytes {
            continue;
        }
        let now = peers.now();
        let received = peers.engines[1].receive(vec![arrived], now).unwrap();
        assert_eq!((received.n_new, received.failure), (0, None));
    }
    assert_same(&before, &peers.picture(1), "no trace");
}

/// What becomes of a delta of a stranger about a file of its own, where this content is.
fn verdict(changes: Vec<Change>, content: &[u8]) -> Option<Refusal> {
    let mut peers = Peers::new(1);
    let (now, engine, attacker) = (peers.now(), &mut peers.engines[0], Attacker::new());
    let step = |change| Step { at_ms: START_MS, file: 0, change };
    let delta = Delta {
        project: engine.project(),
        log: attacker.log,
        seq: 1,
        prev: DeltaHash::ZERO,
        hlc: attacker.hlc,
        deps: vec![],
        origin: Origin::Session,
        group: 1,
        logs: vec![],
        files: vec![FileId::derive(&attacker.log, &DeltaHash::ZERO, &attacker.hlc, 0)],
        steps: changes.into_iter().map(step).collect(),
    };
    engine.log_mut().put_blob(content).unwrap();
    let received = engine.receive(vec![Arrived::of(&attacker.sign(delta))], now).unwrap();
    assert_eq!(received.held, []);
    received.refused.first().map(|(_, why)| why.clone())
}

#[test]
fn no_text_is_taken_that_is_longer_than_one_can_be() {
    use codesync_base::limits::{TEXT_CREATED_MAX, TEXT_INSERTED_MAX};
    let content = b"text".as_slice();
    let text = |length: u64| TextSource::Blob { hash: BlobHash::of(content), length: length as u32 };
    let create = |length: u64| {
        let path = RelPath::parse("long").unwrap();
        Change::Create { path, kind: FileKind::Text, meta: FileMeta::default(), content: Some(text(length)) }
    };
    assert_eq!(verdict(vec![create(4)], content), None);
    assert_eq!(verdict(vec![create(TEXT_CREATED_MAX + 1)], content), Some(Refusal::Limit("length of a text")));
    assert_eq!(verdict(vec![create(TEXT_CREATED_MAX)], content), Some(Refusal::Content));
    assert_eq!(verdict(vec![create(1)], content), Some(Refusal::Content), "it is longer than it says");
    let insert = |length: u64| {
        let insert = codesync_base::Insert { left: None, right: None, text: text(length) };
        let empty = Change::Create {
            path: RelPath::parse("empty").unwrap(),
            kind: FileKind::Text,
            meta: FileMeta::default(),
            content: None,
        };
        vec![empty, Change::Text(codesync_base::TextStep { position: 0, delete: vec![], insert: Some(insert) })]
    };
    assert_eq!(verdict(insert(4), content), None);
    assert_eq!(verdict(insert(TEXT_INSERTED_MAX + 1), content), Some(Refusal::Limit("length of a text")));
    assert_eq!(verdict(insert(1), content), Some(Refusal::Content), "it is longer than it says");
}
