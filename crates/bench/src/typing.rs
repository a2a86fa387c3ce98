//! How many edits a second become durable through the engine, and how long one keystroke takes.

use crate::figures::{Figure, Gathered, timed};
use crate::traces::Trace;
use crate::workspace::Workspace;
use anyhow::{Result, ensure};
use codesync_api::Moment;
use std::path::Path;
use std::time::Duration;

/// Edits that share one fsync.
pub const BATCHES: [usize; 3] = [64, 256, 1_000];
/// Edits of the part in which every edit has its own fsync.
pub const SINGLE_MAX: usize = 2_000;

pub fn measure(trace: &Trace, folder: &Path) -> Result<Vec<Figure>> {
    let mut figures = Gathered::of(&trace.name);
    figures.add("edits in the trace", trace.edits.len() as f64, "edits");
    for n_batch in BATCHES {
        let seconds = type_in_batches(trace, n_batch, &folder.join(n_batch.to_string()))?;
        figures.add(ours(n_batch), trace.edits.len() as f64 / seconds, "edits/s");
    }
    let n = trace.edits.len().min(SINGLE_MAX);
    let (mut keys, mut handled) = type_one_by_one(trace, n, &folder.join("single"))?;
    figures.add(ours(1), n as f64 / keys.iter().sum::<Duration>().as_secs_f64(), "edits/s");
    figures.add_times("one keystroke, durable", &mut keys);
    figures.add_times("one keystroke, without its fsync", &mut handled);
    figures.add_memory("typing");
    Ok(figures.figures)
}

/// What the figure of a batch size is called.
pub fn ours(n_batch: usize) -> String {
    match n_batch {
        1 => format!("durable typing, 1 an fsync (first {SINGLE_MAX})"),
        n => format!("durable typing, {n} an fsync"),
    }
}

fn type_in_batches(trace: &Trace, n_batch: usize, folder: &Path) -> Result<f64> {
    let mut workspace = Workspace::open(folder, trace.at_ms[0])?;
    let batches: Vec<_> = trace.edits.chunks(n_batch).map(<[_]>::to_vec).zip(trace.at_ms.chunks(n_batch)).collect();
    let (done, took) = timed(|| -> Result<()> {
        for (edits, at_ms) in batches {
            workspace.edit(edits, at_ms[0])?;
            workspace.sync(at_ms[0])?;
        }
        Ok(())
    });
    done?;
    ensure!(workspace.file_at(Moment::Now)? == trace.end_text, "the engine has another end text than the trace");
    Ok(took.as_secs_f64())
}

/// Times of handle + sync, and of handle alone.
fn type_one_by_one(trace: &Trace, n: usize, folder: &Path) -> Result<(Vec<Duration>, Vec<Duration>)> {
    let mut workspace = Workspace::open(folder, trace.at_ms[0])?;
    let (mut keys, mut handled) = (Vec::with_capacity(n), Vec::with_capacity(n));
    for (edit, at_ms) in trace.edits[..n].iter().zip(&trace.at_ms) {
        let edits = vec![edit.clone()];
        let (done, handle) = timed(|| workspace.edit(edits, *at_ms));
        done?;
        let (done, sync) = timed(|| workspace.sync(*at_ms));
        done?;
        keys.push(handle + sync);
        handled.push(handle);
    }
    Ok((keys, handled))
}
