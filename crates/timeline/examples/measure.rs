//! Measures this crate on real typing: `cargo run --release -p codesync-timeline --example measure`.
//! Prints one table; changes nothing.
#![allow(clippy::unwrap_used)]

use codesync_base::{DeltaHash, DeltaKey, DeviceId, Hlc, LogId, Origin, Splice, StepKey};
use codesync_timeline::{
    AuthorIdx, Axis, Direction, EntryKind, FileIdx, FileTimeline, GroupKey, NewEntry, StepInfo, WorkspaceTimeline,
};
use std::io::Read;
use std::time::Instant;

fn main() {
    let folder = std::env::var("CODESYNC_TRACES").unwrap_or_else(|_| "../shared/traces".into());
    for name in ["automerge-paper", "seph-blog1"] {
        let Ok(file) = std::fs::File::open(format!("{folder}/{name}.json.gz")) else {
            println!("no trace {name} in {folder}");
            continue;
        };
        let mut json = String::new();
        flate2::read::GzDecoder::new(file).read_to_string(&mut json).unwrap();
        measure(name, &splices_of(&serde_json::from_str(&json).unwrap()));
    }
    measure_workspace();
}

fn splices_of(trace: &serde_json::Value) -> Vec<Splice> {
    let patches = trace["txns"].as_array().unwrap().iter().flat_map(|txn| txn["patches"].as_array().unwrap());
    let splice = |patch: &serde_json::Value| {
        Splice::new(patch[0].as_u64().unwrap() as u32, patch[1].as_u64().unwrap() as u32, patch[2].as_str().unwrap())
    };
    patches.map(splice).collect()
}

/// `per_delta` steps share a delta.
fn info(n: usize, per_delta: usize) -> StepInfo {
    let log = LogId { device: DeviceId([7; 32]), incarnation: 0 };
    let seq = (n / per_delta) as u32 + 1;
    let mut hash = DeltaHash::ZERO;
    hash.0[..4].copy_from_slice(&seq.to_le_bytes());
    let hlc = Hlc { wall_ms: u64::from(seq) * 200, counter: 0 };
    StepInfo {
        key: StepKey { delta: DeltaKey { hlc, log, seq, hash }, step_idx: (n % per_delta) as u32 },
        at_ms: n as u64 * 200,
        author: AuthorIdx(0),
        origin: Origin::Typing,
        group: GroupKey { log, seq },
    }
}

fn measure(name: &str, splices: &[Splice]) {
    for per_delta in [1, 100] {
        let before_kib = resident_kib();
        let start = Instant::now();
        let mut timeline = FileTimeline::new("");
        for (n, splice) in splices.iter().enumerate() {
            timeline.push(&info(n, per_delta), splice);
        }
        let seconds = start.elapsed().as_secs_f64();
        let n = timeline.n_steps();
        println!(
            "{name}, {per_delta} steps a delta: {n} steps pushed in {:.0} ms ({:.2} M/s); {:.1} B a step without ropes, {:.1} resident",
            seconds * 1e3,
            n as f64 / seconds / 1e6,
            timeline.n_bytes() as f64 / n as f64,
            (resident_kib() - before_kib) as f64 * 1024.0 / n as f64,
        );
        if per_delta == 100 {
            measure_reads(&timeline);
        }
    }
}

fn measure_reads(timeline: &FileTimeline) {
    let n = timeline.n_steps();
    let mut state = 88_172_645_463_325_252_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below
    };
    report("text_at, random moment", 5_000, |_| timeline.text_at(random(n + 1)).len_bytes());
    report("one step forward", 5_000, |i| timeline.splices_between(i * 17 % n, i * 17 % n + 1).len());
    report("one step back", 5_000, |i| timeline.splices_between(i * 17 % n + 1, i * 17 % n).len());
    report("300 steps back", 1_000, |i| timeline.splices_between(i * 17 % n + 300, i * 17 % n).len());
    report("20,000 steps further", 200, |i| timeline.splices_between(i * 97, i * 97 + 20_000).len());
    report("blame of the present", 20, |_| timeline.blame_at(n).len());
    report("blame of the middle", 20, |_| timeline.blame_at(n / 2).len());
    report("undo of the last step", 50, |_| timeline.revert(n..=n).splices.len());
    report("undo of every 3rd step", 10, |_| timeline.revert((1..=n).step_by(3)).splices.len());
    report("find a word", 10, |_| timeline.find("the ", usize::MAX).len());
    report("sums of all", 20, |_| timeline.sums(0, n).len());
    report("burst boundary", 5_000, |i| timeline.burst_boundary(i * 17 % n, Direction::Forward));
    report("moment by time", 5_000, |i| timeline.index_at_ms(i as u64 * 3_000));
    report("cut off 1,000 steps", 10, |_| {
        let mut cut = timeline.clone();
        cut.truncate(n - 1_000);
        cut.n_steps()
    });
}

fn measure_workspace() {
    let entry = |n: usize| NewEntry {
        info: info(n, 1),
        file: Some(FileIdx(n as u32 / 500 % 40)),
        kind: EntryKind::Text,
        added: 1,
        removed: 0,
    };
    let n = 1_000_000;
    let start = Instant::now();
    let mut timeline = WorkspaceTimeline::new();
    for i in 0..n {
        timeline.push(&entry(2 * i));
    }
    println!(
        "workspace, 1 step a delta: {n} entries pushed in {:.0} ms; {:.1} B an entry",
        start.elapsed().as_secs_f64() * 1e3,
        timeline.n_bytes() as f64 / n as f64
    );
    report("view of all", 10, |_| timeline.view(|_| true).n_moments());
    report("view of a tenth", 10, |_| timeline.view(|file| file.0 < 4).n_moments());
    let view = timeline.view(|_| true);
    report("histogram by activity, 300 bars", 10, |_| view.histogram(&timeline, Axis::Activity, 0, n, 300).len());
    report("histogram by clock, 300 bars", 10, |_| view.histogram(&timeline, Axis::Clock, 0, n, 300).len());
    report("place of a key", 5_000, |i| timeline.place_of(&info(i * 199, 1).key));
    report("a late entry", 10, |i| timeline.push(&entry(2 * (i + 7) + 1)));
    let late: Vec<NewEntry> = (0..10_000).map(|i| entry(2 * i + 100_001)).collect();
    report("10,000 late entries", 3, |_| timeline.insert_all(&late).unwrap_or(0));
}

fn report(what: &str, n_times: usize, mut act: impl FnMut(usize) -> usize) {
    let mut times_us: Vec<f64> = Vec::with_capacity(n_times);
    for i in 0..n_times {
        let start = Instant::now();
        std::hint::black_box(act(i));
        times_us.push(start.elapsed().as_nanos() as f64 / 1e3);
    }
    times_us.sort_by(f64::total_cmp);
    let at = |part: f64| times_us[((n_times - 1) as f64 * part) as usize];
    println!("  {what}: p50 {:.1} us, p99 {:.1} us, max {:.1} us", at(0.5), at(0.99), at(1.0));
}

fn resident_kib() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or("");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}
