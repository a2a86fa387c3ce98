//! Seeded random histories for this crate's tests, and the slow, plain way to replay them.
#![allow(clippy::unwrap_used)]

use crate::{AuthorIdx, FileTimeline, GroupKey, StepInfo};
use codesync_base::{DeltaHash, DeltaKey, DeviceId, Hlc, LogId, Origin, Splice, StepKey};

/// A small generator (xorshift64*), the same everywhere for the same seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n as u64) as usize
    }
}

const WORDS: [&str; 14] =
    ["a", "b", "ab", "aab", "\n", " ", "x\ny\n", "é", "e\u{301}", "漢字", "👩‍👩‍👧", "🎉", "ありがとう", "let x = 1;\n"];

pub fn words(random: &mut Random, n_max: usize) -> String {
    (0..random.below(n_max + 1)).map(|_| WORDS[random.below(WORDS.len())]).collect()
}

pub fn log(device: u8) -> LogId {
    LogId { device: DeviceId([device; 32]), incarnation: 0 }
}

/// Step `n` of author `author`, each step a delta and an act of its own.
pub fn info(n: usize, author: u16, at_ms: u64) -> StepInfo {
    let log = log(author as u8);
    let mut hash = DeltaHash::ZERO;
    hash.0[..8].copy_from_slice(&(n as u64).to_le_bytes());
    let hlc = Hlc { wall_ms: at_ms, counter: n as u32 };
    let delta = DeltaKey { hlc, log, seq: n as u32, hash };
    StepInfo {
        key: StepKey { delta, step_idx: 0 },
        at_ms,
        author: AuthorIdx(author),
        origin: Origin::Typing,
        group: GroupKey { log, seq: n as u32 },
    }
}

/// Positions in UTF-16 units at which a text may be cut.
pub fn boundaries(text: &str) -> Vec<u32> {
    let mut position = 0;
    let mut all = vec![0];
    for c in text.chars() {
        position += c.len_utf16() as u32;
        all.push(position);
    }
    all
}

/// The slow, plain way.
pub fn naive_apply(text: &str, splice: &Splice) -> String {
    let units: Vec<u16> = text.encode_utf16().collect();
    let (start, end) = (splice.position as usize, (splice.position + splice.deleted) as usize);
    let new: Vec<u16> = units[..start]
        .iter()
        .copied()
        .chain(splice.inserted.encode_utf16())
        .chain(units[end..].iter().copied())
        .collect();
    String::from_utf16(&new).unwrap()
}

pub fn random_splice(random: &mut Random, text: &str, near: u32) -> Splice {
    let cuts = boundaries(text);
    // Half of the edits go on near the last one, as typing does.
    let mut from = random.below(cuts.len());
    if random.below(2) == 0 {
        from = cuts.partition_point(|cut| *cut < near).min(cuts.len() - 1);
    }
    let to = match random.below(3) {
        0 => (from + random.below(6)).min(cuts.len() - 1),
        _ => from,
    };
    Splice::new(cuts[from], cuts[to] - cuts[from], words(random, 2))
}

/// A timeline of `n_steps` by three authors, its texts at all moments, and its splices.
pub struct History {
    pub timeline: FileTimeline,
    pub texts: Vec<String>,
    pub splices: Vec<Splice>,
}

pub fn history(seed: u64, n_steps: usize) -> History {
    let mut random = Random::new(seed);
    let base = words(&mut random, 6);
    let mut history = History { timeline: FileTimeline::new(&base), texts: vec![base], splices: Vec::new() };
    for n in 1..=n_steps {
        let near = history.splices.last().map_or(0, |s| s.position + codesync_base::utf16_len(&s.inserted));
        let splice = random_splice(&mut random, &history.texts[n - 1], near);
        let author = random.below(3) as u16;
        push(&mut history, &info(n, author, n as u64 * 700), splice);
    }
    history
}

pub fn push(history: &mut History, info: &StepInfo, splice: Splice) {
    history.timeline.push(info, &splice);
    let text = naive_apply(history.texts.last().unwrap(), &splice);
    history.texts.push(text);
    history.splices.push(splice);
}
