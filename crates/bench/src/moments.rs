//! The past: every step of a trace comes back exactly, how fast, and what it takes on disk. The trace is typed key
//! by key with its own times; the questions are asked of the store with one delta a keystroke, the dearest one.

use crate::figures::{Figure, Gathered, timed};
use crate::traces::{Random, Trace, replay};
use crate::workspace::Workspace;
use anyhow::{Context, Result, ensure};
use codesync_api::Moment;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Random questions of a kind.
const N_QUESTIONS: usize = 1_000;
/// Keystrokes in a delta where they come faster than the disk, as those of `codesync edit` do.
const PER_DELTA: usize = 64;
/// Keystrokes that share an fsync while the trace is typed; sharing it does not change what is kept.
const SYNC_EVERY: usize = 256;

pub fn measure(trace: &Trace, traces: &Path, folder: &Path) -> Result<Vec<Figure>> {
    let mut figures = Gathered::of(&trace.name);
    for (keys, place) in [(PER_DELTA, "bursts"), (1, "keys")] {
        type_keys(trace, keys, &folder.join(place))?;
        let what = if keys == 1 { "one delta a keystroke".into() } else { format!("{keys} keystrokes a delta") };
        disk_figures(trace, &what, &folder.join(place), &mut figures)?;
    }
    after_a_kill(trace, traces, &folder.join("killed"), &mut figures)?;
    let mut workspace = reopen(trace, &folder.join("keys"), &mut figures)?;
    ask_at_random(trace, &mut workspace, &mut figures)?;
    sweep(trace, &mut workspace, &mut figures)?;
    figures.add_memory("history");
    Ok(figures.figures)
}

/// Only the reopening, of a folder in which the trace was typed before.
pub fn measure_reopening(trace: &Trace, folder: &Path) -> Result<Vec<Figure>> {
    let mut figures = Gathered::of(&trace.name);
    let mut workspace = reopen(trace, &folder.join("keys"), &mut figures)?;
    figures.add_memory("reopened");
    ask_at_random(trace, &mut workspace, &mut figures)?;
    Ok(figures.figures)
}

/// Types a trace into a store and closes that.
pub fn type_keys(trace: &Trace, keys_per_delta: usize, folder: &Path) -> Result<()> {
    let mut workspace = type_on(trace, keys_per_delta, folder)?;
    let last_ms = trace.at_ms[trace.at_ms.len() - 1];
    workspace.engine.rest(true)?;
    workspace.close(last_ms)
}

/// Types a trace into a store and leaves that open, all of it durable.
fn type_on(trace: &Trace, keys_per_delta: usize, folder: &Path) -> Result<Workspace> {
    let mut workspace = Workspace::open(folder, trace.at_ms[0])?;
    for (at, (edit, at_ms)) in trace.edits.iter().zip(&trace.at_ms).enumerate() {
        workspace.edit(vec![edit.clone()], *at_ms)?;
        if (at + 1) % keys_per_delta == 0 {
            // Closes the delta, and seals whenever there is enough.
            workspace.engine.rest(false)?;
        }
        if at % SYNC_EVERY == 0 {
            workspace.sync(*at_ms)?;
        }
    }
    let last_ms = trace.at_ms[trace.at_ms.len() - 1];
    workspace.sync(last_ms)?;
    Ok(workspace)
}

/// In a process of its own: types the trace, says so, and is killed.
pub fn type_until_killed(trace: &Trace, folder: &Path) -> Result<()> {
    let _open = type_on(trace, 1, folder)?;
    println!("{TYPED}");
    loop {
        std::thread::park();
    }
}

/// What the process to be killed says when it may be.
const TYPED: &str = "typed";

/// How long the text takes when the process that had typed it was killed at once.
fn after_a_kill(trace: &Trace, traces: &Path, folder: &Path, figures: &mut Gathered) -> Result<()> {
    let mut typist = Command::new(std::env::current_exe()?)
        .args(["--part", &format!("typist:{}", trace.name), "--folder"])
        .arg(folder)
        .arg("--traces")
        .arg(traces)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut said = String::new();
    BufReader::new(typist.stdout.take().context("the typist has no output")?).read_line(&mut said)?;
    typist.kill()?;
    typist.wait()?;
    ensure!(said.trim() == TYPED, "the typist said {said:?}");
    let last_ms = trace.at_ms[trace.at_ms.len() - 1];
    let (opened, open) = timed(|| Workspace::open(folder, last_ms));
    let mut workspace = opened?;
    let (text, to_text) = timed(|| workspace.file_at(Moment::Now));
    ensure!(text? == trace.end_text, "after a kill the text is another");
    figures.add("after kill -9: to the text", (open + to_text).as_secs_f64() * 1e3, "ms");
    Ok(())
}

fn disk_figures(trace: &Trace, what: &str, folder: &Path, figures: &mut Gathered) -> Result<()> {
    let store = folder.join(".codesync");
    let per_step = |n_bytes: u64| n_bytes as f64 / trace.edits.len() as f64;
    let mut places: Vec<_> = std::fs::read_dir(&store)?.collect::<std::io::Result<_>>()?;
    places.sort_by_key(std::fs::DirEntry::file_name);
    figures.add(format!("on disk, {what}"), per_step(size_bytes(&store)?), "B/step");
    for place in places {
        let n_bytes = size_bytes(&place.path())?;
        if n_bytes > 1_000 {
            let name = place.file_name().to_string_lossy().into_owned();
            figures.add(format!("on disk, {what}: {name}"), per_step(n_bytes), "B/step");
        }
    }
    Ok(())
}

/// Bytes of all files at and below a place.
pub fn size_bytes(place: &Path) -> std::io::Result<u64> {
    let metadata = place.symlink_metadata()?;
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    std::fs::read_dir(place)?.map(|entry| size_bytes(&entry?.path())).sum()
}

fn reopen(trace: &Trace, folder: &Path, figures: &mut Gathered) -> Result<Workspace> {
    let last_ms = trace.at_ms[trace.at_ms.len() - 1];
    let (opened, open) = timed(|| Workspace::open(folder, last_ms));
    let mut workspace = opened?;
    let (text, to_text) = timed(|| workspace.file_at(Moment::Now));
    ensure!(text? == trace.end_text, "after reopening the text is another");
    let (n_moments, to_timeline) = timed(|| workspace.n_moments());
    let n_moments = n_moments?;
    ensure!(n_moments == trace.edits.len() as u64, "there are {n_moments} moments of {} edits", trace.edits.len());
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    figures.add("reopen: store and tree", ms(open), "ms");
    figures.add("reopen: to the text", ms(open + to_text), "ms");
    figures.add("reopen: to the timeline too", ms(open + to_text + to_timeline), "ms");
    Ok(workspace)
}

fn ask_at_random(trace: &Trace, workspace: &mut Workspace, figures: &mut Gathered) -> Result<()> {
    let n = trace.edits.len();
    let mut random = Random::new(1);
    let mut times = |ask: &mut dyn FnMut(u64) -> Result<()>| -> Result<Vec<Duration>> {
        let question = |_| {
            let index = random.below(n) as u64 + 1;
            let (done, took) = timed(|| ask(index));
            done.map(|()| took)
        };
        (0..N_QUESTIONS).map(question).collect()
    };
    let mut texts = times(&mut |index| workspace.text_at(index, None).map(drop))?;
    let mut files = times(&mut |index| workspace.file_at(Moment::Step(index)).map(drop))?;
    figures.add_times("text at a random moment", &mut texts);
    figures.add_times("file at a random moment", &mut files);
    scrub(trace, workspace, figures)
}

/// Moments stepped over one by one from each of some random places, as a hand on the timeline does.
const SCRUB_STEPS: u64 = 200;
const SCRUBS: usize = 100;

/// What a step of the hand asks: the way from the moment before, and what is shown of the new one.
fn scrub(trace: &Trace, workspace: &mut Workspace, figures: &mut Gathered) -> Result<()> {
    let mut random = Random::new(2);
    let n = trace.edits.len();
    let (mut back, mut forward) = (Vec::new(), Vec::new());
    for _ in 0..SCRUBS {
        let start = random.below(n - SCRUB_STEPS as usize) as u64;
        for index in (start..start + SCRUB_STEPS).rev() {
            let (done, took) = timed(|| workspace.text_at(index, Some(index + 1)).map(drop));
            done?;
            back.push(took);
        }
        for index in start + 1..=start + SCRUB_STEPS {
            let (done, took) = timed(|| workspace.text_at(index, Some(index - 1)).map(drop));
            done?;
            forward.push(took);
        }
    }
    figures.add_times("scrub one step back", &mut back);
    figures.add_times("scrub one step forward", &mut forward);
    Ok(())
}

/// `show --at @N` for every single N, against a plain replay.
fn sweep(trace: &Trace, workspace: &mut Workspace, figures: &mut Gathered) -> Result<()> {
    let mut text = String::new();
    let (done, took) = timed(|| -> Result<()> {
        for n in 0..=trace.edits.len() {
            if let Some(before) = n.checked_sub(1) {
                replay(&mut text, &trace.edits[before]);
            }
            let past = workspace.file_at(Moment::Step(n as u64))?;
            ensure!(past == text, "text at @{n} is not the text after {n} edits");
        }
        Ok(())
    });
    done?;
    figures.add("moments that are exactly right (all)", trace.edits.len() as f64 + 1.0, "moments");
    figures.add("checking them took", took.as_secs_f64(), "s");
    Ok(())
}
