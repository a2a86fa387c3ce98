//! Two people who typed different traces into one file while they could not reach each other, and are linked again: each
//! an engine on a thread of its own, with all a node does about a link, until both have everything durably. It checks
//! that both are equal, that both marks give back what each had, and which places are told as changed by both.

use super::{Pair, START_MS, two};
use crate::figures::{Figure, Gathered, timed};
use crate::merging::{TRACES, type_alone};
use crate::traces::Trace;
use crate::workspace::{PATH, Workspace, now};
use anyhow::{Context, Result, bail, ensure};
use codesync_api::{Event, Merged, Moment as At, Request, Splice};
use codesync_engine::LinkOutput;
use codesync_sync::{Event as LinkEvent, LinkId, Moment};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// Edits of each side.
const EDITS: usize = 50_000;
/// What both have, of lines as long as each other.
const LINES: u32 = 8;
const LINE_UNITS: u32 = 8;
/// Lines that each changes beside its trace: one is the same.
const CHANGED: [[u32; 2]; 2] = [[2, 4], [4, 6]];
/// As a node has it: time for frames in a turn, and until what came is durable while there is more.
const FRAMES_TURN: Duration = Duration::from_millis(20);
const SYNC_EVERY: Duration = Duration::from_millis(500);
/// They have to meet by then.
const PATIENCE: Duration = Duration::from_secs(60);

/// One end, on its own thread.
struct Side<'a> {
    workspace: Workspace,
    id: LinkId,
    frames: Receiver<Vec<u8>>,
    to_other: Sender<Vec<u8>>,
    clock: Clock,
    so_far: &'a SoFar,
    synced: Instant,
}

/// What both wait for.
#[derive(Default)]
struct SoFar {
    /// Ends at which the merge was told.
    n_told: AtomicUsize,
    /// An end found the same digest at the other. When both tell theirs at once, only one of them may.
    have_agreed: AtomicBool,
}

/// Time since the link is up, and by the clock of the traces.
#[derive(Clone, Copy)]
struct Clock {
    began: Instant,
    start_ms: u64,
}

/// How it went at one end.
#[derive(Default)]
struct Took {
    /// Since the link is up, until everything was durable here.
    all: Duration,
    /// Of that: frames dealt with, and made durable.
    frames: Duration,
    durable: Duration,
    longest_turn: Duration,
    n_bytes: u64,
    merged: Option<Merged>,
}

pub fn measure(traces: &Path, folder: &Path) -> Result<Vec<Figure>> {
    let read = |name: &str| Trace::read(traces, name).with_context(|| format!("trace {name}"));
    let traces = [read(TRACES[0])?, read(TRACES[1])?];
    let mut figures = meet(&traces, false, &folder.join("typed"))?;
    figures.extend(meet(&traces, true, &folder.join("rested"))?);
    Ok(figures)
}

/// With `is_at_rest`, history was put in order before they met, as a node does after two quiet seconds.
fn meet(traces: &[Trace; 2], is_at_rest: bool, folder: &Path) -> Result<Vec<Figure>> {
    let how = if is_at_rest { "put in order" } else { "just typed" };
    let mut figures = Gathered::of(format!("two meet, {EDITS} edits a side, {how}"));
    let mut sides = together(two(folder, START_MS)?)?;
    let mut texts = Vec::new();
    for ((side, trace), changed) in sides.iter_mut().zip(traces).zip(CHANGED) {
        for line in changed {
            side.edit(vec![Splice(line * LINE_UNITS, 4, "LINE".into())], trace.at_ms[0])?;
        }
        type_alone(side, trace, EDITS)?;
        // Nobody is there; from now on it counts as durable for the links.
        side.engine.pass_on(Moment { steady_ms: 0, wall_ms: START_MS });
        if is_at_rest {
            side.engine.rest(true)?;
        }
        texts.push(side.file_at(At::Now)?);
    }
    let start_ms = traces.iter().flat_map(|trace| trace.at_ms.last()).max().context("an empty trace")? + 3_600_000;
    let clock = Clock { began: Instant::now(), start_ms };
    let (mut sides, took) = link_up(sides, clock)?;
    let [a, b] = &took;
    let slower = a.all.max(b.all);
    figures.add("everything at both, durable", slower.as_secs_f64() * 1e3, "ms");
    for (took, name) in took.iter().zip(TRACES.iter().rev()) {
        let part = |of: Duration| of.as_secs_f64() * 1e3;
        figures.add(format!("what came is {name}: everything"), part(took.all), "ms");
        figures.add("of that: checked and merged", part(took.frames), "ms");
        figures.add("of that: made durable", part(took.durable), "ms");
        figures.add("longest turn", part(took.longest_turn), "ms");
    }
    figures.add("sent for it", (a.n_bytes + b.n_bytes) as f64 / 1e6, "MB");
    let (digests, computed) = timed(|| sides.each_mut().map(|side| side.engine.digest()));
    let [of_a, of_b] = digests;
    ensure!(of_a? == of_b?, "they are not equal");
    figures.add("digests of both, computed from all", computed.as_secs_f64() * 1e3, "ms");
    for (n, side) in sides.iter_mut().enumerate() {
        let merged = took[n].merged.as_ref().context("the merge is not told")?;
        check(side, merged, &texts[n], &texts[1 - n]).with_context(|| format!("at side {n}"))?;
    }
    figures.add_memory("both sides");
    Ok(figures.figures)
}

/// Both have the same lines, and the file open; the link is down.
fn together(sides: [Workspace; 2]) -> Result<[Workspace; 2]> {
    let mut pair = Pair::meet(sides, START_MS)?;
    let base = (0..LINES).map(|n| format!("line {n:2}\n")).collect();
    pair.sides[0].edit(vec![Splice(0, 0, base)], START_MS)?;
    pair.make_durable(0)?;
    pair.settle(Duration::from_secs(10))?;
    for (n, side) in pair.sides.iter_mut().enumerate() {
        side.engine.disconnect(LinkId(n as u64 + 1));
        side.engine.handle(Request::OpenView { path: PATH.into() }, now(START_MS))?;
    }
    Ok(pair.sides)
}

fn link_up(sides: [Workspace; 2], clock: Clock) -> Result<([Workspace; 2], [Took; 2])> {
    let [a, b] = sides;
    // What goes to one comes from the other.
    let ((to_a, at_a), (to_b, at_b)) = (channel(), channel());
    let so_far = SoFar::default();
    let a =
        Side { workspace: a, id: LinkId(3), frames: at_a, to_other: to_b, clock, so_far: &so_far, synced: clock.began };
    let b =
        Side { workspace: b, id: LinkId(4), frames: at_b, to_other: to_a, clock, so_far: &so_far, synced: clock.began };
    let ended = std::thread::scope(|scope| {
        let threads = [a, b].map(|side| scope.spawn(|| side.run()));
        threads.map(|thread| thread.join().unwrap_or_else(|_| bail!("an engine panicked")))
    });
    let [a, b] = ended;
    let ((a, of_a), (b, of_b)) = (a?, b?);
    Ok(([a, b], [of_a, of_b]))
}

impl Side<'_> {
    fn run(mut self) -> Result<(Workspace, Took)> {
        let mut took = Took::default();
        self.workspace.engine.connect(self.id, Vec::new(), self.clock.moment());
        self.send(&mut took)?;
        while self.so_far.n_told.load(Ordering::Acquire) < 2 || !self.so_far.have_agreed.load(Ordering::Acquire) {
            if self.clock.began.elapsed() > PATIENCE {
                let (n_deltas, is_told) = (self.workspace.engine.log().n_deltas(), took.merged.is_some());
                bail!("not over in time: {n_deltas} deltas are here, told: {is_told}");
            }
            let due_ms = self.workspace.engine.links_due_ms();
            let wait_ms = due_ms.map_or(50, |due_ms| due_ms.saturating_sub(self.clock.moment().steady_ms)).clamp(1, 50);
            let first = self.frames.recv_timeout(Duration::from_millis(wait_ms)).ok();
            self.turn(first, &mut took)?;
        }
        Ok((self.workspace, took))
    }

    /// What a node does in a turn: takes what has come, for a moment, makes it durable, passes on.
    fn turn(&mut self, first: Option<Vec<u8>>, took: &mut Took) -> Result<()> {
        let moment = self.clock.moment();
        let start = Instant::now();
        let mut next = first;
        while let Some(frame) = next {
            self.workspace.engine.handle_frame(self.id, &frame, moment);
            next = if start.elapsed() < FRAMES_TURN { self.frames.try_recv().ok() } else { None };
        }
        self.workspace.engine.tend_links(moment);
        let dealt_with = start.elapsed();
        took.frames += dealt_with;
        let is_heap = dealt_with >= FRAMES_TURN && self.synced.elapsed() < SYNC_EVERY;
        if self.workspace.engine.is_unsynced() && !is_heap {
            self.synced = Instant::now();
            self.workspace.engine.sync(now(moment.wall_ms))?;
            took.durable += start.elapsed() - dealt_with;
            self.workspace.engine.pass_on(moment);
            took.all = self.clock.began.elapsed();
        }
        for event in self.workspace.engine.take_events() {
            if let Event::Merged(merged) = event {
                took.merged = Some(merged);
                self.so_far.n_told.fetch_add(1, Ordering::AcqRel);
            }
        }
        self.send(took)?;
        took.longest_turn = took.longest_turn.max(start.elapsed());
        Ok(())
    }

    fn send(&mut self, took: &mut Took) -> Result<()> {
        for (_, output) in self.workspace.engine.take_link_outputs() {
            match output {
                LinkOutput::Send(bytes) => {
                    took.n_bytes += bytes.len() as u64;
                    // It may have ended first.
                    drop(self.to_other.send(bytes));
                }
                LinkOutput::Tell(LinkEvent::Agreed) => self.so_far.have_agreed.store(true, Ordering::Release),
                LinkOutput::Close => bail!("the link was closed"),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Clock {
    fn moment(&self) -> Moment {
        let steady_ms = self.began.elapsed().as_millis() as u64;
        Moment { steady_ms, wall_ms: self.start_ms + steady_ms }
    }
}

/// Both marks give what each had, and the places are those that both changed.
fn check(side: &mut Workspace, merged: &Merged, ours: &str, theirs: &str) -> Result<()> {
    for (mark, text) in [(&merged.before_ours, ours), (&merged.before_theirs, theirs)] {
        let mark = mark.clone().context("a side has no mark")?;
        ensure!(side.file_at(At::Delta(mark))? == text, "a mark gives another text than was there");
    }
    let end = "line  0\n";
    let first = |text: &str| text.find(end).map(|at| text[..at].to_owned()).context("a line is gone");
    let places: Vec<_> = merged.places.iter().map(|place| (place.ours.clone(), place.theirs.clone())).collect();
    let same = "LINE  4\n".to_owned();
    let expected = [(first(ours)?, first(theirs)?), (same.clone(), same)];
    ensure!(places == expected, "{} places are told as changed by both, and not the two that are", places.len());
    let counts = (merged.n_ours, merged.n_theirs, merged.n_files);
    ensure!(counts == (EDITS as u64 + 2, EDITS as u64 + 2, 1), "it is told as so many changes: {counts:?}");
    Ok(())
}
