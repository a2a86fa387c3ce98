//! Recorded typing sessions, read from files that are not part of the project.

use anyhow::{Context, Result, ensure};
use codesync_api::Splice;
use serde::Deserialize;
use std::path::Path;

/// The sequential traces, smallest first.
const NAMES: [&str; 5] = ["json-crdt-patch", "sveltecomponent", "json-crdt-blog-post", "seph-blog1", "automerge-paper"];
/// Those of a quick run.
pub const QUICK: [&str; 2] = ["json-crdt-patch", "sveltecomponent"];
/// Traces whose times are real to the millisecond.
const TIMED: [&str; 2] = ["json-crdt-patch", "json-crdt-blog-post"];

/// One person typing one text.
pub struct Trace {
    pub name: String,
    pub edits: Vec<Splice>,
    /// Unix milliseconds of each edit, never falling.
    pub at_ms: Vec<u64>,
    pub end_text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    start_content: String,
    end_content: String,
    txns: Vec<Transaction>,
}

#[derive(Deserialize)]
struct Transaction {
    time: String,
    patches: Vec<Splice>,
}

/// Names of the traces that are there.
pub fn present(folder: &Path) -> Vec<&'static str> {
    NAMES.into_iter().filter(|name| file_of(folder, name).is_file()).collect()
}

impl Trace {
    /// Reads a trace and checks it against itself.
    pub fn read(folder: &Path, name: &str) -> Result<Self> {
        let path = file_of(folder, name);
        let bytes = std::fs::File::open(&path).with_context(|| format!("could not open {}", path.display()))?;
        let file: File = serde_json::from_reader(std::io::BufReader::new(flate2::read::GzDecoder::new(bytes)))?;
        ensure!(file.start_content.is_empty(), "{name} does not begin with an empty text");
        let mut at_ms = Vec::new();
        let mut newest_ms = 0;
        for transaction in &file.txns {
            let instant: jiff::Timestamp = transaction.time.parse()?;
            newest_ms = newest_ms.max(instant.as_millisecond().max(0) as u64);
            at_ms.extend(std::iter::repeat_n(newest_ms, transaction.patches.len()));
        }
        let edits: Vec<Splice> = file.txns.into_iter().flat_map(|transaction| transaction.patches).collect();
        // Positions count characters; that they are bytes and UTF-16 units too keeps the plain replay plain.
        let is_ascii = edits.iter().all(|edit| edit.2.is_ascii());
        ensure!(is_ascii, "{name} holds other characters than ASCII");
        if !TIMED.contains(&name) {
            at_ms = made_up_times(edits.len());
        }
        let trace = Self { name: name.to_owned(), edits, at_ms, end_text: file.end_content };
        let mut text = String::new();
        trace.edits.iter().for_each(|edit| replay(&mut text, edit));
        ensure!(text == trace.end_text, "{name} does not give its own end text");
        Ok(trace)
    }
}

/// The plainest possible edit, which everything else is compared with.
pub fn replay(text: &mut String, edit: &Splice) {
    let start = edit.0 as usize;
    text.replace_range(start..start + edit.1 as usize, &edit.2);
}

/// Times like a person's, for traces that have none: 80 to 335 ms between keys, now and then a pause.
fn made_up_times(n: usize) -> Vec<u64> {
    let mut random = Random::new(7);
    let mut at_ms = 1_790_000_000_000;
    let mut next = |_| {
        at_ms += 80 + random.below(256) as u64;
        if random.below(60) == 0 {
            at_ms += 2_000 + random.below(20_000) as u64;
        }
        at_ms
    };
    (0..n).map(&mut next).collect()
}

fn file_of(folder: &Path, name: &str) -> std::path::PathBuf {
    folder.join(format!("{name}.json.gz"))
}

/// The same numbers in every run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number in `0..below`.
    pub fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below
    }
}
