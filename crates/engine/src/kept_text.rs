//! The present text of files with a long history, kept in the index: such a file is on the screen before its
//! history is read, after a crash, too. Believed only when what happened since is known to follow it; never the only
//! place of anything.

use crate::{Engine, Result};
use codesync_api::PatchSource;
use codesync_base::{BlobSource, Change, Delta, FileId, FileKind, Head, LogId, Splice, TextSource, TextStep};
use codesync_fs::disk_edit;
use std::collections::BTreeMap;
use std::io::Read;
use std::ops::ControlFlow;

/// Files with fewer steps are read at once anyway.
const STEPS_MIN: usize = 2_000;
/// While work goes on, so many steps more are worth keeping a text again: what came since is read when it is opened.
const STEPS_BETWEEN: usize = 8_192;
/// Texts longer than this are not kept a second time.
const TEXT_BYTES_MAX: usize = 4 << 20;
const ZSTD_LEVEL: i32 = 3;
/// Bound on what a damaged text could unpack to.
const UNPACKED_BYTES_MAX: u64 = 32 << 20;

/// Heads and count of deltas at the time, steps of the file, its text.
type Kept = (Vec<Head>, u64, u64, String);

impl Engine {
    /// Keeps the texts of the documents in memory that have `n_new_min` steps more than when they were kept.
    pub(crate) fn keep_texts(&mut self, n_new_min: usize) {
        // Where some of what was done does not count, positions in what was typed tell too little.
        if !self.waiting.is_empty() || !self.others.aside.is_none() {
            return;
        }
        let is_due = |n_steps: usize, n_kept: usize| n_steps >= STEPS_MIN && n_steps.abs_diff(n_kept) >= n_new_min;
        let due = self.documents.iter().filter(|(_, document)| is_due(document.timeline.n_steps(), document.n_kept));
        let due: Vec<FileId> = due.map(|(file, _)| *file).collect();
        for file in due {
            let kept = self.kept(&file).filter(|kept| self.log.is_untouched_since(&file, &kept.0, kept.1));
            let heads = (self.log.heads(), self.log.n_deltas());
            // Late work of others lets the count of steps be wrong until somebody asks.
            let Ok(document) = self.document_mut(file) else { continue };
            let n_steps = document.timeline.n_steps();
            document.n_kept = n_steps;
            if kept.is_some() || document.text.len_utf16() as usize > TEXT_BYTES_MAX {
                continue;
            }
            let kept: Kept = (heads.0, heads.1, n_steps as u64, document.text.to_string());
            let bytes = serde_json::to_vec(&kept).expect("invariant: plain data has a JSON form");
            if let Ok(packed) = zstd::bulk::compress(&bytes, ZSTD_LEVEL) {
                self.log.put_cache(&key(&file), &packed);
            }
        }
    }

    /// The same while work goes on, now and then.
    pub(crate) fn keep_long_grown_texts(&mut self) {
        // What is still being collected is in the texts but not in the log.
        if self.pending.is_none() {
            self.keep_texts(STEPS_BETWEEN);
        }
    }

    fn kept(&self, file: &FileId) -> Option<Kept> {
        let packed = self.log.get_cache(&key(file))?;
        let mut bytes = Vec::new();
        zstd::Decoder::new(&packed[..]).ok()?.take(UNPACKED_BYTES_MAX).read_to_end(&mut bytes).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Text and steps of a file, if they follow from what was kept.
    pub(crate) fn kept_text(&self, file: &FileId) -> Option<(String, u64)> {
        if self.pending.is_some() || !self.waiting.is_empty() || !self.others.aside.is_none() {
            return None;
        }
        let kept = self.kept(file)?;
        if self.log.is_untouched_since(file, &kept.0, kept.1) {
            return Some((kept.3, kept.2));
        }
        let splices = self.splices_since(file, &kept.0, kept.1)?;
        Some((codesync_timeline::apply(&kept.3, &splices), kept.2 + splices.len() as u64))
    }

    /// What was typed into a file since the log had these heads and so many deltas, where all that touched it since
    /// is of this device: it saw all that was there, so its positions are those of the text. What other logs did
    /// elsewhere changes nothing here; but every log must go on as one chain from its head of then.
    fn splices_since(&self, file: &FileId, heads: &[Head], n_deltas: u64) -> Option<Vec<Splice>> {
        let mut reached: BTreeMap<LogId, Head> = heads.iter().map(|head| (head.log, *head)).collect();
        let (mut n_newer, mut splices) = (0, Some(Vec::new()));
        let read = self.log.for_each_newer(heads, &mut |signed| {
            let delta = &signed.delta;
            n_newer += 1;
            let head = Head { log: delta.log, seq: delta.seq, hash: signed.hash };
            let follows = match reached.insert(delta.log, head) {
                Some(known) => (delta.seq, delta.prev) == (known.seq + 1, known.hash),
                None => delta.seq == 1,
            };
            if delta.log == self.own {
                self.collect(file, delta, &mut splices);
            } else if delta.files.contains(file) {
                splices = None;
            }
            splices = splices.take().filter(|_| follows);
            if splices.is_some() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        let is_whole = n_deltas + n_newer == self.log.n_deltas() && reached.into_values().eq(self.log.heads());
        splices.filter(|_| read.is_ok() && is_whole)
    }

    /// Adds what a delta did to the text of a file; anything but typing is in doubt.
    fn collect(&self, file: &FileId, delta: &Delta, splices: &mut Option<Vec<Splice>>) {
        for step in delta.steps.iter().filter(|step| delta.file_of(step) == Some(*file)) {
            let splice = match &step.change {
                Change::Text(text) => self.splice_of(text),
                _ => None,
            };
            match (splice, splices.as_mut()) {
                (Some(splice), Some(all)) => all.push(splice),
                _ => *splices = None,
            }
        }
    }

    fn splice_of(&self, step: &TextStep) -> Option<Splice> {
        let inserted = match step.insert.as_ref().map(|insert| &insert.text) {
            None => String::new(),
            Some(TextSource::Inline(text)) => text.to_string(),
            Some(TextSource::Blob { hash, .. }) => String::from_utf8(self.log.blob(hash)?).ok()?,
        };
        Some(Splice::new(step.position, step.delete.iter().map(|range| range.length).sum(), inserted))
    }

    /// Text and steps of a text file as it is now: from its document, else as kept, else from its history.
    pub(crate) fn present_text(&mut self, file: FileId) -> Result<(String, u64)> {
        let is_text = self.tree.get(&file).is_some_and(|node| node.kind == FileKind::Text);
        if self.documents.get_mut(&file).is_none()
            && is_text
            && let Some((text, n_steps)) = self.kept_text(&file)
        {
            return Ok((text, n_steps));
        }
        let document = self.document_mut(file)?;
        Ok((document.text.to_string(), document.timeline.n_steps() as u64))
    }

    /// Reads the history of one file that is shown already, but first what a timeline is drawn from: somebody will ask
    /// for that at once. Returns whether there was one.
    pub fn read_ahead(&mut self) -> bool {
        let Some(file) = self.shown.keys().next().copied() else { return false };
        if self.workspace.is_none() && self.outline_mut().is_ok() {
            return true;
        }
        if let Err(error) = self.load_document(file) {
            tracing::warn!(%error, %file, "the history of a file that is shown cannot be read");
        }
        self.shown.remove(&file);
        true
    }

    /// Whether there is something for [`Self::read_ahead`].
    pub fn has_more_to_read(&self) -> bool {
        !self.shown.is_empty()
    }

    /// Should a kept text have been wrong after all, those who were shown it get the right one.
    pub(crate) fn settle_shown(&mut self, file: FileId) -> Result<()> {
        let Some(shown) = self.shown.remove(&file) else { return Ok(()) };
        let text = self.document_mut(file)?.text.to_string();
        if shown == text {
            return Ok(());
        }
        tracing::error!(%file, "a kept text was not that of its file");
        self.tell_views(file, &disk_edit(&shown, &text), PatchSource::Disk, None)
    }
}

fn key(file: &FileId) -> String {
    format!("text/{file}")
}

#[cfg(test)]
mod tests;
