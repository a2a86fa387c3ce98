//! Deltas for the tests of this crate: authors who type, jump about and fork.
#![allow(clippy::unwrap_used)]

pub(crate) mod recording;

use codesync_base::*;
use std::sync::Arc;

/// SplitMix64: tests print its seed.
#[derive(Clone)]
pub(crate) struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// Stands in for Ed25519: bound to the name and the author.
pub(crate) fn sign(hash: &DeltaHash, device: &DeviceId) -> [u8; 64] {
    let half = *blake3::hash(&[hash.0, device.0].concat()).as_bytes();
    [half, half].concat().try_into().unwrap()
}

pub(crate) fn verify(signed: &SignedDelta) -> bool {
    signed.signature == sign(&signed.hash, &signed.delta.log.device)
}

pub(crate) struct Author {
    pub log: LogId,
    pub seq: u32,
    pub prev: DeltaHash,
    pub clock: Clock,
}

pub(crate) const START_MS: u64 = 1_790_000_000_000;

impl Author {
    pub fn new(n: u8) -> Self {
        let log = LogId { device: DeviceId([n; 32]), incarnation: 0 };
        Self { log, seq: 0, prev: DeltaHash::ZERO, clock: Clock::default() }
    }

    pub fn delta(&mut self, now_ms: u64, files: Vec<FileId>, steps: Vec<Step>) -> Arc<SignedDelta> {
        self.seq += 1;
        let delta = Delta {
            project: ProjectId([7; 16]),
            log: self.log,
            seq: self.seq,
            prev: self.prev,
            hlc: self.clock.tick(now_ms),
            deps: vec![],
            origin: Origin::Typing,
            group: self.seq,
            logs: vec![],
            files,
            steps,
        };
        self.sign(delta)
    }

    pub fn sign(&mut self, delta: Delta) -> Arc<SignedDelta> {
        let (_, hash) = encode_delta(&delta);
        self.prev = hash;
        let signature = sign(&hash, &self.log.device);
        Arc::new(SignedDelta { delta, hash, signature })
    }

    /// One key at the end of a text that this author types alone.
    pub fn key(&mut self, now_ms: u64, file: FileId, position: u32, text: &str) -> Arc<SignedDelta> {
        self.insert(now_ms, file, position, TextSource::Inline(text.into()))
    }

    /// The same with a text that is kept as a blob.
    pub fn paste(&mut self, now_ms: u64, file: FileId, position: u32, text: &str) -> Arc<SignedDelta> {
        let source = TextSource::Blob { hash: BlobHash::of(text.as_bytes()), length: utf16_len(text) };
        self.insert(now_ms, file, position, source)
    }

    fn insert(&mut self, now_ms: u64, file: FileId, position: u32, text: TextSource) -> Arc<SignedDelta> {
        let left = self.seq.checked_sub(1).map(|_| ItemRef { log: 0, seq: self.seq, offset: 0 });
        let insert = Insert { left, right: None, text };
        let change = Change::Text(TextStep { position, delete: vec![], insert: Some(insert) });
        self.delta(now_ms, vec![file], vec![Step { at_ms: now_ms, file: 0, change }])
    }

    pub fn session(&mut self, now_ms: u64) -> Arc<SignedDelta> {
        let change = Change::Session { person: "Ann".into(), device_name: "laptop".into() };
        self.delta(now_ms, vec![], vec![Step { at_ms: now_ms, file: 0, change }])
    }
}

pub(crate) fn file(n: u8) -> FileId {
    FileId([n; 16])
}

/// `n` keys of one author, a session first.
pub(crate) fn typing(n: u32) -> Vec<Arc<SignedDelta>> {
    let mut author = Author::new(1);
    let mut random = Random(1);
    let mut now_ms = START_MS;
    let mut deltas = vec![author.session(now_ms)];
    for position in 0..n {
        now_ms += 40 + random.below(200);
        let letter = char::from(b'a' + random.below(26) as u8).to_string();
        deltas.push(author.key(now_ms, file(1 + (position % 2) as u8), position, &letter));
    }
    deltas
}

pub(crate) fn bytes(signed: &SignedDelta) -> Vec<u8> {
    encode_delta(&signed.delta).0
}

/// Whether the slow tests are wanted, too.
pub(crate) fn is_slow() -> bool {
    std::env::var_os("CODESYNC_SLOW_TESTS").is_some()
}

/// One delta for each edit of a recorded session, as a lone author types it.
pub(crate) fn trace(name: &str) -> Option<Vec<Arc<SignedDelta>>> {
    let folder = std::env::var("CODESYNC_TRACES")
        .unwrap_or_else(|_| format!("{}/../../../shared/traces", env!("CARGO_MANIFEST_DIR")));
    let packed = std::fs::File::open(format!("{folder}/{name}.json.gz")).ok()?;
    let trace: serde_json::Value = serde_json::from_reader(flate2::read::GzDecoder::new(packed)).unwrap();
    let mut author = Author::new(1);
    let mut typist = Typist::default();
    let start: Vec<u16> = trace["startContent"].as_str().unwrap().encode_utf16().collect();
    assert!(start.is_empty());
    let mut now_ms = START_MS;
    let mut last_ms = None;
    let mut deltas = Vec::new();
    for (idx, txn) in trace["txns"].as_array().unwrap().iter().enumerate() {
        let at_ms = parse_ms(txn["time"].as_str().unwrap_or("")).unwrap_or(idx as u64 * 150);
        now_ms += at_ms.saturating_sub(last_ms.replace(at_ms).unwrap_or(at_ms));
        for patch in txn["patches"].as_array().unwrap() {
            let (position, n_deleted) = (patch[0].as_u64().unwrap() as usize, patch[1].as_u64().unwrap() as usize);
            let text = patch[2].as_str().unwrap();
            let step = typist.step(author.seq + 1, position, n_deleted, text);
            deltas.push(author.delta(
                now_ms,
                vec![file(2)],
                vec![Step { at_ms: now_ms, file: 0, change: Change::Text(step) }],
            ));
        }
    }
    Some(deltas)
}

#[derive(Default)]
pub(crate) struct Typist {
    /// Visible units: which they were among all inserted, delta and offset.
    units: Vec<(u32, ItemRef)>,
    n_inserted: u32,
}

impl Typist {
    pub fn step(&mut self, seq: u32, position: usize, n_deleted: usize, text: &str) -> TextStep {
        let mut delete: Vec<(u32, ItemRange)> = Vec::new();
        for (ordinal, first) in self.units[position..position + n_deleted].iter().copied() {
            match delete.last_mut() {
                Some((start, range)) if *start + range.length == ordinal => range.length += 1,
                _ => delete.push((ordinal, ItemRange { first, length: 1 })),
            }
        }
        let left = position.checked_sub(1).map(|idx| self.units[idx].1);
        let right = self.units.get(position + n_deleted).map(|unit| unit.1);
        let length = utf16_len(text);
        let new = (0..length).map(|offset| (self.n_inserted + offset, ItemRef { log: 0, seq, offset }));
        self.units.splice(position..position + n_deleted, new);
        self.n_inserted += length;
        let insert = (length > 0).then(|| Insert { left, right, text: TextSource::Inline(text.into()) });
        TextStep { position: position as u32, delete: delete.into_iter().map(|(_, range)| range).collect(), insert }
    }
}

/// Milliseconds of a day and time such as `2023-06-07T15:11:26.123Z`.
fn parse_ms(time: &str) -> Option<u64> {
    let number = |from: usize, to: usize| time.get(from..to)?.parse::<u64>().ok();
    let day = number(0, 4)? * 366 + number(5, 7)? * 31 + number(8, 10)?;
    let seconds = ((day * 24 + number(11, 13)?) * 60 + number(14, 16)?) * 60 + number(17, 19)?;
    Some(seconds * 1000 + number(20, 23).unwrap_or(0))
}
