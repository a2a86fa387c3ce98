//! Whether a keystroke costs more the longer the history behind it: one file, made-up typing, measured at marks.

use crate::figures::{Figure, Gathered, timed};
use crate::traces::Random;
use crate::workspace::Workspace;
use anyhow::Result;
use codesync_api::Splice;
use std::path::Path;
use std::time::Duration;

const MARKS: [usize; 3] = [10_000, 100_000, 1_000_000];
/// Keystrokes measured at each mark.
const N_MEASURED: usize = 2_000;
/// Edits that are applied together between the marks.
const N_BATCH: usize = 500;

pub fn measure(n_steps_max: usize, folder: &Path) -> Result<Vec<Figure>> {
    let mut figures = Gathered::of("growth of one file");
    let mut workspace = Workspace::open(folder, 1_790_000_000_000)?;
    let mut typist = Typist::new();
    for mark in MARKS.into_iter().filter(|mark| *mark <= n_steps_max) {
        while typist.n_typed + N_MEASURED < mark {
            let edits = (0..N_BATCH).map(|_| typist.next()).collect();
            workspace.edit(edits, typist.at_ms)?;
            workspace.sync(typist.at_ms)?;
            workspace.engine.rest(false)?;
        }
        let (mut handled, mut synced) = (Vec::new(), Vec::new());
        for _ in 0..N_MEASURED {
            let edits = vec![typist.next()];
            let (done, handle) = timed(|| workspace.edit(edits, typist.at_ms));
            done?;
            let (done, sync) = timed(|| workspace.sync(typist.at_ms));
            done?;
            handled.push(handle);
            synced.push(handle + sync);
        }
        let ns: Duration = handled.iter().sum();
        figures.add(
            format!("keystroke at {mark} steps, without fsync, mean"),
            ns.as_nanos() as f64 / N_MEASURED as f64,
            "ns",
        );
        figures.add_times(&format!("keystroke at {mark} steps, without fsync"), &mut handled);
        figures.add_times(&format!("keystroke at {mark} steps, durable"), &mut synced);
        let (done, took) = timed(|| workspace.text_at(mark as u64 / 2, None));
        done?;
        figures.add(format!("first look at the past at {mark} steps"), took.as_secs_f64() * 1e3, "ms");
        figures.add_memory(&format!("at {mark} steps"));
    }
    Ok(figures.figures)
}

/// Types words at a caret that now and then moves elsewhere; one key in ten is a backspace.
struct Typist {
    random: Random,
    n_typed: usize,
    length: usize,
    caret: usize,
    at_ms: u64,
}

impl Typist {
    fn new() -> Self {
        Self { random: Random::new(11), n_typed: 0, length: 0, caret: 0, at_ms: 1_790_000_000_000 }
    }

    fn next(&mut self) -> Splice {
        self.n_typed += 1;
        self.at_ms += 80 + self.random.below(200) as u64;
        if self.random.below(150) == 0 {
            self.caret = self.random.below(self.length + 1);
        }
        if self.caret > 0 && self.random.below(10) == 0 {
            self.caret -= 1;
            self.length -= 1;
            return Splice(self.caret as u32, 1, String::new());
        }
        let key = b"etaoin shrdlu\ncmf"[self.random.below(17)];
        let splice = Splice(self.caret as u32, 0, char::from(key).to_string());
        self.caret += 1;
        self.length += 1;
        splice
    }
}
