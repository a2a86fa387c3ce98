//! Two people who typed different traces into one file while they could not reach each other, then meet: how long
//! until both have one text and one history.

use crate::figures::{Figure, Gathered, timed};
use crate::traces::Trace;
use crate::workspace::{PATH, Workspace, now};
use anyhow::{Context, Result, bail, ensure};
use codesync_api::{Moment, Reply, Request, Splice};
use codesync_base::{LogId, SignedDelta};
use codesync_engine::Arrived;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

/// The traces of the two.
pub const TRACES: [&str; 2] = ["automerge-paper", "seph-blog1"];
/// Deltas that come at once, as a link hands them over.
const BATCH: usize = 1_000;
/// Keys that each types when both type at once.
const KEYS: u64 = 400;

pub fn measure(n_edits: usize, traces: &Path, folder: &Path) -> Result<Vec<Figure>> {
    let read = |name: &str| Trace::read(traces, name).with_context(|| format!("trace {name}"));
    let (ours, theirs) = (read(TRACES[0])?, read(TRACES[1])?);
    let mut figures = Gathered::of(format!("{n_edits} edits a side"));
    let start_ms = ours.at_ms[0];
    let mut a = Workspace::open_as(&folder.join("a"), 5, start_ms)?;
    a.edit(vec![Splice(0, 0, "base\n".into())], start_ms)?;
    a.sync(start_ms)?;
    let mut b = Workspace::open_as(&folder.join("b"), 6, start_ms)?;
    exchange(&mut a, &mut b, start_ms + 1)?;
    exchange(&mut b, &mut a, start_ms + 1)?;
    type_alone(&mut a, &ours, n_edits)?;
    type_alone(&mut b, &theirs, n_edits)?;
    let end_ms = *ours.at_ms.last().context("an empty trace")?;
    for side in [&mut a, &mut b] {
        side.engine.handle(Request::OpenView { path: PATH.into() }, now(end_ms))?;
    }
    let of_a = news(&a, &b)?;
    let (done, to_b) = timed(|| take_in(&mut b, &of_a, end_ms));
    done?;
    let of_b = news(&b, &a)?;
    let (done, to_a) = timed(|| take_in(&mut a, &of_b, end_ms));
    done?;
    figures.add("merge what the other did, kept and shown", to_b.as_secs_f64() * 1e3, "ms");
    figures.add("the same on the other side", to_a.as_secs_f64() * 1e3, "ms");
    let (done, told) = timed(|| a.text_at(n_edits as u64, None));
    let past = done?;
    ensure!(a.file_at(Moment::Now)? == b.file_at(Moment::Now)?, "two texts after meeting");
    figures.add("first question about the past", told.as_secs_f64() * 1e3, "ms");
    ensure!(past.text == b.text_at(n_edits as u64, None)?.text, "two pasts after meeting");
    a.edit(vec![Splice(0, 0, "x".into())], end_ms + 1)?;
    a.sync(end_ms + 1)?;
    let key = news(&a, &b)?;
    let (done, live) = timed(|| take_in(&mut b, &key, end_ms + 2));
    done?;
    figures.add("one more key, taken in", live.as_secs_f64() * 1e3, "ms");
    let (mut keys, mut undos) = type_together(&mut a, &mut b, end_ms + 2)?;
    figures.add_times("both type: one key taken in, durable", &mut keys);
    figures.add_times("both type: undo among the other's keys", &mut undos);
    figures.add_memory("merging");
    let end_ms = end_ms + 1_000 * KEYS;
    exchange(&mut b, &mut a, end_ms)?;
    let past = a.text_at(n_edits as u64, None)?;
    a.engine.rest(true)?;
    a.close(end_ms + 3)?;
    let (opened, open) = timed(|| -> Result<Workspace> {
        let mut a = Workspace::open_as(&folder.join("a"), 5, end_ms + 4)?;
        a.text_at(n_edits as u64, None)?;
        Ok(a)
    });
    figures.add("opened anew, first question about the past", open.as_secs_f64() * 1e3, "ms");
    ensure!(opened?.text_at(n_edits as u64, None)?.text == past.text, "another past after opening anew");
    Ok(figures.figures)
}

/// Every edit a delta of its own, as when one types slowly.
pub fn type_alone(workspace: &mut Workspace, trace: &Trace, n_edits: usize) -> Result<()> {
    for (i, (edit, at_ms)) in trace.edits.iter().zip(&trace.at_ms).take(n_edits).enumerate() {
        workspace.edit(vec![edit.clone()], *at_ms)?;
        workspace.engine.handle(Request::Status, now(*at_ms))?;
        if i % 4_096 == 0 {
            workspace.sync(*at_ms)?;
        }
    }
    workspace.sync(*trace.at_ms.last().context("an empty trace")?)
}

/// Both type on in the same file, each key on its way while the other types, too.
fn type_together(a: &mut Workspace, b: &mut Workspace, start_ms: u64) -> Result<(Vec<Duration>, Vec<Duration>)> {
    let view = match b.engine.handle(Request::OpenView { path: PATH.into() }, now(start_ms))? {
        Reply::View(view) => view.view_id,
        other => bail!("a view was answered with {other:?}"),
    };
    b.n_moments()?;
    let (mut keys, mut undos) = (Vec::new(), Vec::new());
    for i in 0..KEYS {
        let at_ms = start_ms + i * 100;
        a.edit(vec![Splice(i as u32, 0, "a".into())], at_ms)?;
        b.edit(vec![Splice(500 + i as u32, 0, "b".into())], at_ms + 1)?;
        a.sync(at_ms)?;
        b.sync(at_ms)?;
        let of_a = news(a, b)?;
        let (done, took) = timed(|| take_in(b, &of_a, at_ms + 2));
        done?;
        keys.push(took);
        exchange(b, a, at_ms + 2)?;
        if i % 20 == 19 {
            let (done, took) = timed(|| b.engine.handle(Request::Undo { view_id: view }, now(at_ms + 3)));
            done?;
            undos.push(took);
            b.sync(at_ms + 3)?;
        }
    }
    exchange(b, a, start_ms + KEYS * 100)?;
    ensure!(a.file_at(Moment::Now)? == b.file_at(Moment::Now)?, "two texts after typing together");
    Ok((keys, undos))
}

fn exchange(from: &mut Workspace, to: &mut Workspace, at_ms: u64) -> Result<()> {
    let deltas = news(from, to)?;
    take_in(to, &deltas, at_ms)
}

/// What one has and another has not.
fn news(from: &Workspace, to: &Workspace) -> Result<Vec<Arrived>> {
    let mut news = Vec::new();
    let known = |log: &LogId| to.engine.log().head(log).map_or(0, |head| head.seq);
    for head in from.engine.log().heads() {
        let first = known(&head.log) + 1;
        let mut take = |signed: &SignedDelta| {
            news.push(Arrived::of(signed));
            ControlFlow::Continue(())
        };
        from.engine.log().for_each_from(&head.log, first, &mut take)?;
    }
    Ok(news)
}

fn take_in(to: &mut Workspace, deltas: &[Arrived], at_ms: u64) -> Result<()> {
    for batch in deltas.chunks(BATCH) {
        let received = to.engine.receive(batch.to_vec(), now(at_ms))?;
        ensure!(received.n_new == batch.len() as u64, "{} of {} were taken: {received:?}", received.n_new, batch.len());
        to.sync(at_ms)?;
    }
    Ok(())
}
