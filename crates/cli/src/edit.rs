//! `codesync edit`: edits from standard input, applied as they arrive. A line that cannot be applied ends it:
//! what stood before it is applied, nothing after it is.

use crate::failure::{Failure, reason, sentence_of};
use crate::output::{Output, counted};
use crate::session::{Session, Stay};
use crate::stop::Stop;
use crate::unexpected;
use codesync_api::{ApiError, Reply, Request, Splice};
use serde_json::json;
use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Edits in one request.
const BATCH_EDITS_MAX: usize = 1_000;
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long a first edit waits for company.
const BATCH_WAIT: Duration = Duration::from_millis(20);
const LINE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How soon a signal is noticed while nothing arrives.
const NOTICE_WAIT: Duration = Duration::from_millis(100);

/// A line of the input, by its number counted from 1.
struct Line {
    number: u64,
    edit: Result<Splice, String>,
    n_bytes: usize,
}

/// What became of the input.
struct Applied {
    n_applied: u64,
    refusal: Option<String>,
}

pub fn edit(path: &str, out: &mut Output) -> Result<(), Failure> {
    let session = Session::open(Stay::Serving)?;
    let path = session.file_path(path)?;
    let applied = apply_input(&session, &path)?;
    if applied.n_applied > 0 {
        session.flush()?;
    }
    session.close();
    let sentence = format!("{} applied to {path}.", counted(applied.n_applied, "edit", "edits"));
    let fields = [("path", json!(path)), ("applied", json!(applied.n_applied))];
    let said = out.say(&sentence, &fields).and_then(|()| out.flush());
    match applied.refusal {
        Some(sentence) => Err(Failure::Refused(sentence)),
        None => said,
    }
}

fn apply_input(session: &Session, path: &str) -> Result<Applied, Failure> {
    let stop = Stop::on_signals()?;
    let (sender, lines) = sync_channel(4 * BATCH_EDITS_MAX);
    std::thread::Builder::new()
        .name("codesync-input".into())
        .spawn(move || read_lines(&mut io::stdin().lock(), &sender))
        .map_err(|error| Failure::refused(format!("A thread could not be started: {}.", reason(&error))))?;
    let mut n_applied = 0;
    while let Some(batch) = next_batch(&lines, &stop) {
        let refusal = batch.last().and_then(|line| line.edit.as_ref().err()).cloned();
        let numbers: Vec<u64> = batch.iter().map(|line| line.number).collect();
        let edits: Vec<Splice> = batch.into_iter().filter_map(|line| line.edit.ok()).collect();
        if !edits.is_empty() {
            match send(session, path, edits) {
                Ok(n) => n_applied += n,
                Err(error) => return refused_in_batch(&error, &numbers, n_applied),
            }
        }
        if refusal.is_some() {
            return Ok(Applied { n_applied, refusal });
        }
    }
    if n_applied == 0 {
        // No edits at all still make the file, or say why it cannot be edited.
        session.call(Request::EditFile { path: path.to_owned(), edits: Vec::new() })?;
    }
    Ok(Applied { n_applied, refusal: None })
}

fn send(session: &Session, path: &str, edits: Vec<Splice>) -> Result<u64, ApiError> {
    match session.try_call(Request::EditFile { path: path.to_owned(), edits })? {
        Reply::Edited { n_applied } => Ok(n_applied),
        other => Err(unexpected(&other)),
    }
}

/// The engine says how many of a batch it has applied; the next one is the line that it refused.
fn refused_in_batch(error: &ApiError, numbers: &[u64], n_before: u64) -> Result<Applied, Failure> {
    let detail = error.detail.as_deref().and_then(|detail| detail.strip_prefix("applied "));
    let Some(n_of_batch) = detail.and_then(|n| n.parse::<u64>().ok()) else {
        return Ok(Applied { n_applied: n_before, refusal: Some(sentence_of(error)) });
    };
    let number = usize::try_from(n_of_batch).ok().and_then(|at| numbers.get(at)).copied().unwrap_or(0);
    let refusal = Some(format!("Line {number} was refused: {}", error.message));
    Ok(Applied { n_applied: n_before + n_of_batch, refusal })
}

/// What has arrived, at the longest [`BATCH_WAIT`] after its first line; a bad line is the last of its batch.
/// None at the end of the input.
fn next_batch(lines: &Receiver<Line>, stop: &Stop) -> Option<Vec<Line>> {
    let first = loop {
        match lines.recv_timeout(NOTICE_WAIT) {
            Ok(line) => break line,
            Err(RecvTimeoutError::Timeout) if stop.is_wanted() => return None,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    };
    let until = Instant::now() + BATCH_WAIT;
    let mut n_bytes = first.n_bytes;
    let mut batch = vec![first];
    while batch.len() < BATCH_EDITS_MAX
        && n_bytes < BATCH_BYTES_MAX
        && batch.last().is_some_and(|line| line.edit.is_ok())
    {
        match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                n_bytes += line.n_bytes;
                batch.push(line);
            }
            Err(_) => break,
        }
    }
    Some(batch)
}

/// Parses lines until the end, a bad one, or nobody wants more.
fn read_lines(input: &mut impl BufRead, sender: &SyncSender<Line>) {
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        let read = input.by_ref().take(LINE_BYTES_MAX as u64 + 1).read_until(b'\n', &mut bytes);
        let edit = match read {
            Ok(0) => return,
            Ok(_) if bytes.trim_ascii().is_empty() => continue,
            Ok(_) => parse_line(number, &bytes),
            Err(error) => Err(format!("Line {number} could not be read: {}.", reason(&error))),
        };
        let is_bad = edit.is_err();
        if sender.send(Line { number, edit, n_bytes: bytes.len() }).is_err() || is_bad {
            return;
        }
    }
}

fn parse_line(number: u64, bytes: &[u8]) -> Result<Splice, String> {
    if bytes.len() > LINE_BYTES_MAX {
        return Err(format!("Line {number} is longer than 32 MiB."));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| format!("Line {number} was refused: it is not UTF-8."))?;
    serde_json::from_str(text).map_err(|_| {
        let shown: String = crate::output::harmless(text.trim()).chars().take(60).collect();
        format!("Line {number} was refused: it has to be [position, deleted, \"inserted\"], not {shown}")
    })
}

#[cfg(test)]
mod tests;
