//! The same typing through others: yrs, loro, automerge, diamond-types and cola in memory, and yrs with a sled record
//! for each edit. None signs, chains, keeps times or is durable (sled's `flush` does not fsync on Linux): they are what
//! the simplest program would do. Each peer's end text is compared with the trace's.

#[cfg(feature = "peers")]
mod others;

use crate::figures::{Figure, Gathered, timed};
use crate::traces::Trace;
use crate::typing::{BATCHES, SINGLE_MAX, ours};
use anyhow::{Result, ensure};
use codesync_api::Splice;
use std::path::Path;
use yrs::{Doc, GetString, OffsetKind, Options, Text, TextRef, Transact};

/// Sessions of more edits than this are long.
const LONG: usize = 100_000;

pub fn measure(trace: &Trace, folder: &Path) -> Result<Vec<Figure>> {
    let mut figures = Gathered::of(&trace.name);
    let n = trace.edits.len() as f64;
    let mut peer = Yrs::new();
    let (n_bytes, took) = timed(|| trace.edits.iter().map(|edit| peer.edit(edit).len()).sum::<usize>());
    ensure!(peer.text() == trace.end_text, "yrs has another end text than the trace");
    figures.add("yrs alone, in memory", n / took.as_secs_f64(), "edits/s").against(&ours(256));
    figures.add("yrs alone, updates", n_bytes as f64 / n, "B/edit");
    #[cfg(feature = "peers")]
    others::measure(trace, &mut figures)?;
    // Long sessions take yrs minutes: of those one batch size is enough.
    let is_short = trace.edits.len() <= LONG;
    for n_batch in BATCHES.into_iter().filter(|n_batch| is_short || *n_batch == 256) {
        let place = folder.join(format!("sled-{n_batch}"));
        let seconds = type_into_sled(&trace.edits, n_batch, &place)?;
        figures.add(format!("yrs + sled, {n_batch} a flush"), n / seconds, "edits/s").against(&ours(n_batch));
        if n_batch == 256 {
            figures.add("yrs + sled, on disk", crate::moments::size_bytes(&place)? as f64 / n, "B/edit");
        }
    }
    let first = &trace.edits[..trace.edits.len().min(SINGLE_MAX)];
    let seconds = type_into_sled(first, 1, &folder.join("sled-1"))?;
    figures.add("yrs + sled, 1 a flush", first.len() as f64 / seconds, "edits/s").against(&ours(1));
    figures.add_memory("yrs and sled");
    Ok(figures.figures)
}

fn type_into_sled(edits: &[Splice], n_batch: usize, place: &Path) -> Result<f64> {
    let database = sled::open(place)?;
    let mut peer = Yrs::new();
    let (done, took) = timed(|| -> Result<()> {
        for (at, edit) in edits.iter().enumerate() {
            database.insert((at as u64).to_be_bytes(), peer.edit(edit))?;
            if (at + 1) % n_batch == 0 {
                database.flush()?;
            }
        }
        database.flush()?;
        Ok(())
    });
    done?;
    Ok(took.as_secs_f64())
}

struct Yrs {
    doc: Doc,
    text: TextRef,
}

impl Yrs {
    fn new() -> Self {
        let doc = Doc::with_options(Options { offset_kind: OffsetKind::Utf16, ..Options::default() });
        let text = doc.get_or_insert_text("text");
        Self { doc, text }
    }

    /// One transaction; its update.
    fn edit(&mut self, edit: &Splice) -> Vec<u8> {
        let mut transaction = self.doc.transact_mut();
        if edit.1 > 0 {
            self.text.remove_range(&mut transaction, edit.0, edit.1);
        }
        if !edit.2.is_empty() {
            self.text.insert(&mut transaction, edit.0, &edit.2);
        }
        transaction.encode_update_v1()
    }

    fn text(&self) -> String {
        self.text.get_string(&self.doc.transact())
    }
}
