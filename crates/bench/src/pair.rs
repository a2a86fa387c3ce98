//! Two engines on real logs, linked: every frame goes from one to the other at once, and everything that a node makes
//! durable is made durable. What a network adds is not in it (`cargo xtask prove` and the LAN tests have that).

mod merge;

use crate::figures::{Figure, Gathered, timed};
use crate::traces::Trace;
use crate::workspace::{PATH, Workspace, now};
use anyhow::{Context, Result, ensure};
use codesync_api::{Moment as At, Reply, Request, Splice};
use codesync_base::RelPath;
use codesync_engine::{Intake, IntakeKind, LinkOutput};
use codesync_log::Packer;
use codesync_sync::{Admission, LinkId, Moment};
use std::path::Path;
use std::time::{Duration, Instant};

/// Keys of the latency.
const KEYS: usize = 2_000;
/// Deltas that one is behind.
const BEHIND: usize = 10_000;
/// Files of binary content, and the bytes of each.
const FILES: usize = 50;
const FILE_BYTES: usize = 1_000_000;
/// Bytes of one long file, and of the pieces in which it comes.
const LARGE_BYTES: usize = 1 << 30;
const PIECE_BYTES: usize = 1 << 20;
/// How long nothing happens for the CPU that an idle link costs.
const IDLE: Duration = Duration::from_secs(5);

/// Both sides, and the link between them.
struct Pair {
    sides: [Workspace; 2],
    /// By the clock of the trace: when the pair met, and since when it is.
    start_ms: u64,
    began: Instant,
    n_bytes: u64,
}

impl Pair {
    fn meet(mut sides: [Workspace; 2], start_ms: u64) -> Result<Self> {
        for (n, side) in sides.iter_mut().enumerate() {
            side.sync(start_ms)?;
            side.engine.open_links("0.1.0", Box::new(|_, _, _| Admission::Welcome));
            side.engine.connect(LinkId(n as u64 + 1), Vec::new(), Moment { steady_ms: 0, wall_ms: start_ms });
        }
        Ok(Self { sides, start_ms, began: Instant::now(), n_bytes: 0 })
    }

    fn moment(&self) -> Moment {
        let steady_ms = self.began.elapsed().as_millis() as u64;
        Moment { steady_ms, wall_ms: self.start_ms + steady_ms }
    }

    /// What one side wants to send arrives at the other; whether there was anything.
    fn carry(&mut self, from: usize) -> Result<bool> {
        let outputs = self.sides[from].engine.take_link_outputs();
        let to = 1 - from;
        let mut any = false;
        for (_, output) in outputs {
            match output {
                LinkOutput::Send(bytes) => {
                    any = true;
                    self.n_bytes += bytes.len() as u64;
                    let moment = self.moment();
                    self.sides[to].engine.handle_frame(LinkId(to as u64 + 1), &bytes, moment);
                }
                LinkOutput::Close => anyhow::bail!("the link was closed"),
                _ => {}
            }
        }
        self.make_durable(to)?;
        Ok(any)
    }

    fn make_durable(&mut self, n: usize) -> Result<()> {
        let moment = self.moment();
        if self.sides[n].engine.is_unsynced() {
            self.sides[n].sync(moment.wall_ms)?;
            self.sides[n].engine.pass_on(moment);
        }
        Ok(())
    }

    /// What a window at that side shows, if it shows anything yet.
    fn text_shown(&mut self, n: usize) -> Result<String> {
        let at = now(self.moment().wall_ms);
        let engine = &mut self.sides[n].engine;
        let Ok(Reply::View(view)) = engine.handle(Request::OpenView { path: PATH.into() }, at) else {
            return Ok(String::new());
        };
        engine.handle(Request::CloseView { view_id: view.view_id }, at)?;
        Ok(view.text)
    }

    fn has_same(&self) -> bool {
        self.sides[0].engine.log().n_deltas() == self.sides[1].engine.log().n_deltas()
    }

    /// Until both have the same.
    fn settle(&mut self, patience: Duration) -> Result<Duration> {
        let start = Instant::now();
        loop {
            let any = self.carry(0)? | self.carry(1)?;
            if !any && self.has_same() {
                return Ok(start.elapsed());
            }
            ensure!(start.elapsed() < patience, "they do not come to have the same");
            if !any {
                let moment = self.moment();
                self.sides.iter_mut().for_each(|side| side.engine.tend_links(moment));
            }
        }
    }
}

/// `what`: `latency`, `newcomer`, `behind`, `files`, `large` (by name only: 4 GB on disk), `idle` or `merge`.
pub fn measure(what: &str, traces: &Path, folder: &Path) -> Result<Vec<Figure>> {
    match what {
        "latency" => latency(folder),
        "newcomer" => newcomer(&Trace::read(traces, "automerge-paper")?, folder),
        "behind" => behind(folder),
        "files" => files(folder),
        "large" => large(folder),
        "idle" => idle(folder),
        "merge" => merge::measure(traces, folder),
        _ => anyhow::bail!("there is no part pair:{what}"),
    }
}

const START_MS: u64 = 1_790_000_000_000;

fn two(folder: &Path, at_ms: u64) -> Result<[Workspace; 2]> {
    Ok([Workspace::open_as(&folder.join("a"), 5, at_ms)?, Workspace::open_as(&folder.join("b"), 6, at_ms)?])
}

/// From a key at one to the text at the other, durable at both.
fn latency(folder: &Path) -> Result<Vec<Figure>> {
    let mut figures = Gathered::of(format!("{KEYS} keys"));
    let mut pair = Pair::meet(two(folder, START_MS)?, START_MS)?;
    pair.sides[0].edit(vec![Splice(0, 0, "base\n".into())], START_MS)?;
    pair.make_durable(0)?;
    pair.settle(Duration::from_secs(10))?;
    let mut keys = Vec::with_capacity(KEYS);
    let mut own = Vec::with_capacity(KEYS);
    for n in 0..KEYS {
        // Slower than the rate above which a link asks instead of being told (200 a second).
        std::thread::sleep(Duration::from_millis(6));
        let n_before = pair.sides[1].engine.log().n_deltas();
        let start = Instant::now();
        let at_ms = pair.moment().wall_ms;
        pair.sides[0].edit(vec![Splice(n as u32, 0, "x".into())], at_ms)?;
        pair.make_durable(0)?;
        own.push(start.elapsed());
        while pair.sides[1].engine.log().n_deltas() == n_before {
            pair.carry(0)?;
            ensure!(start.elapsed() < Duration::from_secs(5), "a key does not arrive");
        }
        keys.push(start.elapsed());
        pair.settle(Duration::from_secs(5))?;
    }
    let texts = [pair.sides[0].file_at(At::Now)?, pair.sides[1].file_at(At::Now)?];
    ensure!(texts[0] == texts[1], "two texts");
    keys.sort_unstable();
    figures.add("core to core, p95", keys[KEYS * 95 / 100].as_nanos() as f64 / 1e3, "us");
    figures.add_times("core to core, durable at both", &mut keys);
    figures.add_times("of that: durable where it was typed", &mut own);
    Ok(figures.figures)
}

/// A whole long history for somebody who has nothing.
fn newcomer(trace: &Trace, folder: &Path) -> Result<Vec<Figure>> {
    let mut figures = Gathered::of(&trace.name);
    let start_ms = trace.at_ms[0];
    let end_ms = *trace.at_ms.last().context("an empty trace")?;
    let mut host = Workspace::open_as(&folder.join("a"), 5, start_ms)?;
    // As somebody who types: some keys a delta.
    for (edits, at_ms) in trace.edits.chunks(8).zip(trace.at_ms.chunks(8)) {
        host.edit(edits.to_vec(), at_ms[0])?;
        host.engine.handle(codesync_api::Request::Status, now(at_ms[0]))?;
    }
    host.sync(end_ms)?;
    host.engine.rest(true)?;
    let n_deltas = host.engine.log().n_deltas();
    let guest = Workspace::open_as(&folder.join("b"), 6, end_ms)?;
    let mut pair = Pair::meet([host, guest], end_ms)?;
    let start = Instant::now();
    while pair.text_shown(1)? != trace.end_text {
        ensure!(start.elapsed() < Duration::from_secs(60), "the text is not shown");
        let _ = pair.carry(0)? | pair.carry(1)?;
    }
    let shown = start.elapsed();
    pair.settle(Duration::from_secs(120))?;
    let took = start.elapsed();
    ensure!(pair.sides[1].file_at(At::Now)? == trace.end_text, "the newcomer has another text");
    figures.add("deltas", n_deltas as f64, "deltas");
    figures.add("text visible", shown.as_secs_f64() * 1e3, "ms");
    figures.add("whole history at a newcomer, durable", took.as_secs_f64() * 1e3, "ms");
    figures.add("sent for it", pair.n_bytes as f64 / 1e6, "MB");
    figures.add_memory("both sides");
    Ok(figures.figures)
}

/// Somebody who was away while much was typed.
fn behind(folder: &Path) -> Result<Vec<Figure>> {
    let mut figures = Gathered::of(format!("{BEHIND} deltas"));
    let mut pair = Pair::meet(two(folder, START_MS)?, START_MS)?;
    pair.sides[0].edit(vec![Splice(0, 0, "base\n".into())], START_MS)?;
    pair.make_durable(0)?;
    pair.settle(Duration::from_secs(10))?;
    let [mut a, mut b] = pair.sides;
    a.engine.disconnect(LinkId(1));
    b.engine.disconnect(LinkId(2));
    let before = a.engine.log().n_deltas();
    for n in 0..BEHIND {
        let at_ms = START_MS + 1_000 + n as u64 * 3_000;
        a.edit(vec![Splice(n as u32, 0, "y".into())], at_ms)?;
        a.engine.handle(codesync_api::Request::Status, now(at_ms))?;
    }
    let end_ms = START_MS + 1_000 + BEHIND as u64 * 3_000;
    a.sync(end_ms)?;
    let n_deltas = a.engine.log().n_deltas() - before;
    let mut pair = Pair::meet([a, b], end_ms)?;
    let took = pair.settle(Duration::from_secs(60))?;
    figures.add("deltas missed", n_deltas as f64, "deltas");
    figures.add("caught up, durable", took.as_secs_f64() * 1e3, "ms");
    Ok(figures.figures)
}

/// Binary files.
fn files(folder: &Path) -> Result<Vec<Figure>> {
    let mut figures = Gathered::of(format!("{FILES} files of {FILE_BYTES} bytes"));
    let [mut a, b] = two(folder, START_MS)?;
    let at = now(START_MS + 10);
    let mut run = a.engine.begin_intake(false, false, at)?;
    for n in 0..FILES {
        let mut seed = n as u64 + 1;
        let mut byte = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 56) as u8
        };
        let bytes: Vec<u8> = std::iter::once(0).chain((1..FILE_BYTES).map(|_| byte())).collect();
        let path = RelPath::parse(&format!("data/{n}.bin"))?;
        let kind = IntakeKind::File { bytes, mode: 0o644, base: None };
        a.engine.take_in(&mut run, Intake { path, known: None, kind }, at)?;
    }
    a.engine.end_intake(run, false)?;
    a.sync(START_MS + 20)?;
    let mut pair = Pair::meet([a, b], START_MS + 30)?;
    let took = pair.settle(Duration::from_secs(120))?;
    let n_there = pair.sides[1].engine.tree().n_files();
    ensure!(n_there == FILES, "{n_there} files are there");
    figures.add("contents at the other, durable", took.as_secs_f64() * 1e3, "ms");
    figures.add("that is", (FILES * FILE_BYTES) as f64 / 1e6 / took.as_secs_f64(), "MB/s");
    figures.add_memory("both sides");
    Ok(figures.figures)
}

/// One file that is far longer than what may be in memory for it.
fn large(folder: &Path) -> Result<Vec<Figure>> {
    let mut figures = Gathered::of(format!("one file of {LARGE_BYTES} bytes"));
    let [mut a, b] = two(folder, START_MS)?;
    let at = now(START_MS + 10);
    let (log, mut packer) = (a.engine.log_mut(), Packer::default());
    let mut seed = 1_u64;
    for _ in 0..LARGE_BYTES / PIECE_BYTES {
        let piece: Vec<u8> = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 56) as u8
        })
        .take(PIECE_BYTES)
        .collect();
        packer.take(&piece, &mut |part| log.put_part(&part))?;
    }
    let hash = packer.end(&mut |last| log.put_part(&last))?;
    let mut run = a.engine.begin_intake(false, false, at)?;
    let kind = IntakeKind::Whole { hash, length_bytes: LARGE_BYTES as u64, mode: 0o644 };
    a.engine.take_in(&mut run, Intake { path: RelPath::parse("film.bin")?, known: None, kind }, at)?;
    a.engine.end_intake(run, false)?;
    a.sync(START_MS + 20)?;
    let mut pair = Pair::meet([a, b], START_MS + 30)?;
    let took = pair.settle(Duration::from_secs(600))?;
    ensure!(pair.sides[1].engine.log().has_blob(&hash), "the content is not there");
    figures.add("content at the other, durable", took.as_secs_f64() * 1e3, "ms");
    figures.add("that is", LARGE_BYTES as f64 / 1e6 / took.as_secs_f64(), "MB/s");
    figures.add_memory("both sides");
    Ok(figures.figures)
}

/// What a link costs on which nothing happens.
fn idle(folder: &Path) -> Result<Vec<Figure>> {
    let mut figures = Gathered::of("an idle link");
    let mut pair = Pair::meet(two(folder, START_MS)?, START_MS)?;
    pair.sides[0].edit(vec![Splice(0, 0, "base\n".into())], START_MS)?;
    pair.make_durable(0)?;
    pair.settle(Duration::from_secs(10))?;
    let (start, before_bytes) = (Instant::now(), pair.n_bytes);
    let (mut n_turns, mut busy) = (0_u64, Duration::ZERO);
    while start.elapsed() < IDLE {
        let due_ms = pair.sides.iter().filter_map(|side| side.engine.links_due_ms()).min();
        let now_ms = pair.moment().steady_ms;
        let wait_ms = due_ms.map_or(1_000, |due_ms| due_ms.saturating_sub(now_ms)).min(1_000);
        std::thread::sleep(Duration::from_millis(wait_ms.max(1)));
        let (done, took) = timed(|| -> Result<()> {
            let moment = pair.moment();
            pair.sides.iter_mut().for_each(|side| side.engine.tend_links(moment));
            while pair.carry(0)? | pair.carry(1)? {}
            Ok(())
        });
        done?;
        n_turns += 1;
        busy += took;
    }
    let seconds = start.elapsed().as_secs_f64();
    figures.add("CPU of both ends", busy.as_secs_f64() / seconds * 100.0, "%");
    figures.add("turns", n_turns as f64 / seconds, "/s");
    figures.add("bytes sent", (pair.n_bytes - before_bytes) as f64 / seconds, "B/s");
    ensure!(pair.has_same(), "they have the same");
    Ok(figures.figures)
}
