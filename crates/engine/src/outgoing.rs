//! What has to be written to the folder: half a second after the last edit of a file, at the latest five
//! seconds after the first. The bridge of the node does the writing.

use crate::{Engine, Now, Result};
use codesync_base::{BlobHash, Change, FileId, FileKind, FileMeta, Origin, RelPath};
use codesync_fs::encoding;

/// Quiet time after which a file is written (`UX.md` §1.2).
const WRITE_DELAY_MS: u64 = 500;
/// Someone who never pauses still gets the file written.
const WRITE_DELAY_MAX_MS: u64 = 5_000;

pub(crate) struct Unwritten {
    due_ms: u64,
    latest_ms: u64,
    /// The last try to write it failed.
    has_failed: bool,
    /// Text as it is on disk, which a change on disk is measured against.
    pub shadow_text: Option<String>,
}

/// A file as it should stand on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskImage {
    pub file: FileId,
    pub path: RelPath,
    pub kind: DiskImageKind,
    /// Unix permission bits.
    pub mode: u32,
    /// For text: how many steps of the file's timeline it contains.
    pub n_steps: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskImageKind {
    File {
        bytes: Vec<u8>,
    },
    Folder,
    /// The file is deleted: it should not be there.
    Gone,
}

impl Engine {
    /// Text is about to change (its present state is what the disk has), or the file moved, came or went.
    pub(crate) fn note_unwritten(&mut self, file: FileId, now: Now) {
        match self.unwritten.get_mut(&file) {
            Some(known) => known.due_ms = (now.ms + WRITE_DELAY_MS).min(known.latest_ms),
            None => {
                let shadow_text = self.documents.get_mut(&file).map(|document| document.text.to_string());
                let latest_ms = now.ms + WRITE_DELAY_MAX_MS;
                let unwritten =
                    Unwritten { due_ms: now.ms + WRITE_DELAY_MS, latest_ms, has_failed: false, shadow_text };
                self.unwritten.insert(file, unwritten);
                self.newly_unwritten.push(file);
            }
        }
    }

    /// The file should be compared with the disk and written if it differs (after a crash, for example).
    pub fn request_write(&mut self, file: FileId, now: Now) {
        self.newly_unwritten.push(file);
        let due_ms = now.ms;
        self.unwritten.entry(file).or_insert(Unwritten {
            due_ms,
            latest_ms: due_ms,
            has_failed: false,
            shadow_text: None,
        });
    }

    /// Makes every waiting file due at once.
    pub fn hurry_writes(&mut self, now: Now) {
        self.unwritten.values_mut().for_each(|unwritten| unwritten.due_ms = unwritten.due_ms.min(now.ms));
    }

    /// Files that became stale on disk since the last call, to be remembered before the next sync.
    pub fn take_newly_unwritten(&mut self) -> Vec<FileId> {
        let mut files = std::mem::take(&mut self.newly_unwritten);
        // What came from the disk itself is there already.
        files.retain(|file| self.unwritten.contains_key(file));
        files
    }

    /// When the next file is due, Unix milliseconds.
    pub fn next_write_ms(&self) -> Option<u64> {
        self.unwritten.values().map(|unwritten| unwritten.due_ms).min()
    }

    /// Up to `n_max` files that are due.
    pub fn due_writes(&self, now: Now, n_max: usize) -> Vec<FileId> {
        self.unwritten
            .iter()
            .filter(|(_, unwritten)| unwritten.due_ms <= now.ms)
            .map(|(file, _)| *file)
            .take(n_max)
            .collect()
    }

    /// The file as it should stand on disk now.
    pub fn disk_image(&mut self, file: FileId) -> Result<Option<DiskImage>> {
        self.settle();
        let Some(node) = self.tree.get(&file) else { return Ok(None) };
        let (path, meta, kind, content, alive) =
            (node.path.clone(), node.meta.clone(), node.kind, node.content, node.alive);
        let mut n_steps = None;
        let kind = match (alive, kind) {
            (false, _) => DiskImageKind::Gone,
            (true, FileKind::Folder) => DiskImageKind::Folder,
            (true, FileKind::Binary) => {
                let bytes = content.map(|(hash, _)| self.blob(&hash)).transpose()?.unwrap_or_default();
                DiskImageKind::File { bytes }
            }
            (true, FileKind::Text) => {
                let document = self.document_mut(file)?;
                let text = document.text.to_string();
                n_steps = Some(document.timeline.n_steps() as u64);
                let meta = self.fitting_meta(file, &text, meta.clone())?;
                DiskImageKind::File { bytes: self.text_on_disk(&text, &meta)? }
            }
        };
        Ok(Some(DiskImage { file, path, kind, mode: meta.mode, n_steps }))
    }

    /// A text that its encoding cannot hold any more gets one that can, and that is noted.
    fn fitting_meta(&mut self, file: FileId, text: &str, meta: FileMeta) -> Result<FileMeta> {
        let fitting = encoding::meta_that_fits(text, &meta);
        if fitting.encoding != meta.encoding {
            let act = self.begin_act(Origin::FileAction);
            let now = Now { ms: self.clock.last().wall_ms, local_offset_minutes: 0 };
            self.tree_step(act, file, Change::Meta { meta: fitting.clone() }, now);
            self.settle();
        }
        Ok(fitting)
    }

    /// Bytes of a text file: those that were read, when the text is still the one they were read as.
    pub(crate) fn text_on_disk(&self, text: &str, meta: &FileMeta) -> Result<Vec<u8>> {
        match &meta.raw {
            Some(raw) if raw.text_hash == BlobHash::of(text.as_bytes()) => self.blob(&raw.bytes),
            _ => Ok(encoding::write_text(text, meta)),
        }
    }

    /// The image of this file stands on disk.
    pub fn written(&mut self, file: FileId) {
        self.unwritten.remove(&file);
        let (kind, saved_ms) = match self.save.kind {
            codesync_api::SaveKind::CannotWriteFile if !self.unwritten.values().any(|other| other.has_failed) => {
                (codesync_api::SaveKind::Saved, self.save.saved_ms)
            }
            kind => (kind, self.save.saved_ms),
        };
        let message = self.save.message.clone().filter(|_| kind != codesync_api::SaveKind::Saved);
        self.set_save(kind, saved_ms, message);
    }

    /// It is not the time to write this file.
    pub fn write_later(&mut self, file: FileId, now: Now) {
        if let Some(unwritten) = self.unwritten.get_mut(&file) {
            unwritten.due_ms = now.ms + WRITE_DELAY_MS;
            unwritten.latest_ms = unwritten.latest_ms.max(unwritten.due_ms);
        }
    }

    /// The image could not be written; it is tried again later.
    pub fn write_failed(&mut self, file: FileId, now: Now) {
        if let Some(unwritten) = self.unwritten.get_mut(&file) {
            unwritten.due_ms = now.ms + WRITE_DELAY_MAX_MS;
            unwritten.latest_ms = unwritten.due_ms;
            unwritten.has_failed = true;
        }
    }

    /// How many steps of its timeline the file on disk contains, where that is known without loading it.
    pub fn n_steps_on_disk(&mut self, file: FileId) -> Option<u64> {
        if self.unwritten.contains_key(&file) {
            return None;
        }
        let n_pending = self.pending.as_ref().map_or(0, |pending| pending.n_text_steps(&file));
        // Without a document there was no text to change: the file has just been created.
        let n_closed = self.documents.get_mut(&file).map_or(0, |document| document.timeline.n_steps());
        Some((n_closed + n_pending) as u64)
    }

    /// Present text of a text file.
    pub fn text_of(&mut self, file: FileId) -> Option<String> {
        self.document_mut(file).ok().map(|document| document.text.to_string())
    }

    /// Text as it was last read from or written to disk.
    pub(crate) fn shadow_text(&self, file: &FileId) -> Option<String> {
        self.unwritten.get(file).and_then(|unwritten| unwritten.shadow_text.clone())
    }
}
