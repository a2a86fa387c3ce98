//! The present text of files with a long history, kept in the index: such a file is on the screen before its
//! history is read. Believed only when nothing happened to the file since; never the only place of anything.

use crate::{Engine, Result};
use codesync_api::PatchSource;
use codesync_base::{FileId, FileKind, Head};
use codesync_fs::disk_edit;

/// Files with fewer steps are read at once anyway.
const STEPS_MIN: usize = 2_000;
/// Texts longer than this are not kept a second time.
const TEXT_BYTES_MAX: usize = 4 << 20;
const ZSTD_LEVEL: i32 = 3;
/// Bound on what a damaged text could unpack to.
const UNPACKED_BYTES_MAX: usize = 32 << 20;

/// Heads and count of deltas at the time, steps of the file, its text.
type Kept = (Vec<Head>, u64, u64, String);

impl Engine {
    /// Keeps the texts of the documents in memory.
    pub(crate) fn keep_texts(&mut self) {
        if !self.waiting.is_empty() {
            return;
        }
        let (heads, n_deltas) = (self.log.heads(), self.log.n_deltas());
        for (file, document) in self.documents.iter() {
            let n_steps = document.timeline.n_steps();
            if n_steps < STEPS_MIN || self.kept_text(file).is_some() {
                continue;
            }
            let text = document.text.to_string();
            if text.len() > TEXT_BYTES_MAX {
                continue;
            }
            let kept: Kept = (heads.clone(), n_deltas, n_steps as u64, text);
            let bytes = serde_json::to_vec(&kept).expect("invariant: plain data has a JSON form");
            if let Ok(packed) = zstd::bulk::compress(&bytes, ZSTD_LEVEL) {
                self.log.put_cache(&key(file), &packed);
            }
        }
    }

    /// Text and steps of a file, if nothing happened to it since they were kept.
    pub(crate) fn kept_text(&self, file: &FileId) -> Option<(String, u64)> {
        if self.pending.is_some() || !self.waiting.is_empty() {
            return None;
        }
        let packed = self.log.get_cache(&key(file))?;
        let bytes = zstd::bulk::decompress(&packed, UNPACKED_BYTES_MAX).ok()?;
        let (heads, n_deltas, n_steps, text): Kept = serde_json::from_slice(&bytes).ok()?;
        self.log.is_untouched_since(file, &heads, n_deltas).then_some((text, n_steps))
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

    /// Reads the history of one file that is shown already. Returns whether there was one.
    pub fn read_ahead(&mut self) -> bool {
        let Some(file) = self.shown.keys().next().copied() else { return false };
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
