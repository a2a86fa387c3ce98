//! What has to be written to the folder: half a second after the last edit of a file, at the latest five
//! seconds after the first. The bridge of the node does the writing.

use crate::{Engine, Now, Result};
use codesync_base::{BlobHash, Change, FileId, FileKind, FileMeta, Origin, RelPath};
use codesync_fs::encoding;

/// Quiet time after which a file is written (`UX.md` §1.2).
const WRITE_DELAY_MS: u64 = 500;
/// Someone who never pauses still gets the file written.
const WRITE_DELAY_MAX_MS: u64 = 5_000;
/// What is read of a long content at once.
const CONTENT_PIECE_BYTES: usize = 1 << 20;
/// When a file is due that waits until it is saved.
const NEVER_MS: u64 = u64::MAX;

/// When a text that was changed here goes to the folder (`files.autoSave`). History has it at once, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AutoSave {
    #[default]
    AfterDelay,
    /// When the person leaves the file: whoever shows it saves it then. At the latest when the workspace is closed.
    OnFocusChange,
    /// Only when it is saved, be that after days.
    Off,
}

pub(crate) struct Unwritten {
    /// [`NEVER_MS`] while it waits until it is saved.
    due_ms: u64,
    latest_ms: u64,
    /// The last try to write it failed.
    has_failed: bool,
    /// Text as it is on disk, which a change on disk is measured against.
    pub shadow_text: Option<String>,
}

impl Unwritten {
    /// When it is due. A time further ahead than any that is waited for is of a clock that was set back since.
    fn due_ms(&self, now: Now) -> u64 {
        let is_ahead = self.due_ms != NEVER_MS && self.due_ms > now.ms.saturating_add(WRITE_DELAY_MAX_MS);
        if is_ahead { now.ms } else { self.due_ms }
    }
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
    /// A file whose content is long: see [`Engine::write_content`].
    Long {
        hash: BlobHash,
    },
    Folder,
    /// The file is deleted: it should not be there.
    Gone,
}

impl Engine {
    /// The file moved, came or went, or is written otherwise: the disk gets it soon, and its text with it.
    pub(crate) fn note_unwritten(&mut self, file: FileId, now: Now) {
        self.release(file, now);
        // Where texts wait for the person, nothing else does: what is typed next must not be taken along.
        let delay_ms = if self.auto_save == AutoSave::AfterDelay { WRITE_DELAY_MS } else { 0 };
        self.note_due(file, now.ms + delay_ms, now);
    }

    /// Text is about to change; its present state is what the disk has.
    pub(crate) fn note_text(&mut self, file: FileId, origin: Origin, now: Now) {
        if self.waits_for_save(&file) {
            return;
        }
        let is_by_hand = matches!(origin, Origin::Typing | Origin::Undo | Origin::Redo | Origin::Restore);
        if self.auto_save == AutoSave::AfterDelay || !is_by_hand || self.unwritten.contains_key(&file) {
            return self.note_due(file, now.ms + WRITE_DELAY_MS, now);
        }
        self.note_due(file, NEVER_MS, now);
        self.has_waiting_changed = true;
    }

    fn note_due(&mut self, file: FileId, due_ms: u64, now: Now) {
        match self.unwritten.get_mut(&file) {
            Some(known) => known.due_ms = due_ms.min(known.latest_ms),
            None => {
                let shadow_text = self.documents.get_mut(&file).map(|document| document.text.to_string());
                let latest_ms = due_ms.max(now.ms + WRITE_DELAY_MAX_MS);
                self.unwritten.insert(file, Unwritten { due_ms, latest_ms, has_failed: false, shadow_text });
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

    /// A file waited until it is saved when the workspace was closed, and goes on waiting. `on_disk`: the bytes that
    /// the disk had then.
    pub fn await_save(&mut self, file: FileId, on_disk: &BlobHash) {
        let shadow_text = self.blob(on_disk).ok().and_then(|bytes| match encoding::read_text(&bytes) {
            encoding::Content::Text { text, .. } => Some(text),
            encoding::Content::Binary { .. } => None,
        });
        let unwritten = Unwritten { due_ms: NEVER_MS, latest_ms: NEVER_MS, has_failed: false, shadow_text };
        self.unwritten.insert(file, unwritten);
        self.has_waiting_changed = true;
    }

    /// Whether the text of a file waits until it is saved.
    pub(crate) fn waits_for_save(&self, file: &FileId) -> bool {
        self.unwritten.get(file).is_some_and(|unwritten| unwritten.due_ms == NEVER_MS)
    }

    /// Paths of the files that wait until they are saved, sorted.
    pub(crate) fn paths_waiting_for_save(&self) -> Vec<String> {
        let waiting = self.unwritten.iter().filter(|(_, unwritten)| unwritten.due_ms == NEVER_MS);
        let mut paths: Vec<_> =
            waiting.filter_map(|(file, _)| self.tree.get(file)).map(|node| node.path.to_string()).collect();
        paths.sort_unstable();
        paths
    }

    pub fn auto_save(&self) -> AutoSave {
        self.auto_save
    }

    /// What waits until it is saved is written once nothing has to wait any more.
    pub fn set_auto_save(&mut self, auto_save: AutoSave, now: Now) {
        self.auto_save = auto_save;
        if auto_save == AutoSave::AfterDelay {
            self.save(None, now);
        }
    }

    /// Lets a file (none: every one) wait no longer.
    pub fn save(&mut self, path: Option<&str>, now: Now) {
        let files: Vec<FileId> = match path {
            Some(path) => self.node_at(path).map(|node| node.file).into_iter().collect(),
            None => self.unwritten.keys().copied().collect(),
        };
        files.into_iter().for_each(|file| self.release(file, now));
        self.hurry_writes(now);
    }

    fn release(&mut self, file: FileId, now: Now) {
        let waiting = self.unwritten.get_mut(&file).filter(|unwritten| unwritten.due_ms == NEVER_MS);
        if let Some(unwritten) = waiting {
            (unwritten.due_ms, unwritten.latest_ms) = (now.ms, now.ms);
            self.has_waiting_changed = true;
        }
    }

    /// The disk has it, or is not to have it any more.
    pub(crate) fn forget_unwritten(&mut self, file: &FileId) {
        self.has_waiting_changed |= self.waits_for_save(file);
        self.unwritten.remove(file);
    }

    /// Makes every file due at once, but for those that wait until they are saved.
    pub fn hurry_writes(&mut self, now: Now) {
        let soon = self.unwritten.values_mut().filter(|unwritten| unwritten.due_ms != NEVER_MS);
        soon.for_each(|unwritten| unwritten.due_ms = unwritten.due_ms.min(now.ms));
    }

    /// Files that became stale on disk since the last call, to be remembered before the next sync.
    pub fn take_newly_unwritten(&mut self) -> Vec<FileId> {
        let mut files = std::mem::take(&mut self.newly_unwritten);
        // What came from the disk itself is there already.
        files.retain(|file| self.unwritten.contains_key(file));
        files
    }

    /// When the next file is due, Unix milliseconds.
    pub fn next_write_ms(&self, now: Now) -> Option<u64> {
        self.unwritten.values().map(|unwritten| unwritten.due_ms(now)).min().filter(|due_ms| *due_ms != NEVER_MS)
    }

    /// Up to `n_max` files that are due.
    pub fn due_writes(&self, now: Now, n_max: usize) -> Vec<FileId> {
        self.unwritten
            .iter()
            .filter(|(_, unwritten)| unwritten.due_ms(now) <= now.ms)
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
        let (mode, mut n_steps) = (self.mode_here(node), None);
        let kind = match (alive, kind) {
            (false, _) => DiskImageKind::Gone,
            (true, FileKind::Folder) => DiskImageKind::Folder,
            (true, FileKind::Binary) if content.is_some_and(|(hash, _)| self.log.is_long_blob(&hash)) => {
                DiskImageKind::Long { hash: content.map_or(BlobHash::of(&[]), |(hash, _)| hash) }
            }
            (true, FileKind::Binary) => {
                let bytes = content.map(|(hash, _)| self.blob(&hash)).transpose()?.unwrap_or_default();
                DiskImageKind::File { bytes }
            }
            (true, FileKind::Text) => {
                let document = self.live_document(file)?;
                let text = document.text.to_string();
                n_steps = document.late.is_none().then(|| document.timeline.n_steps() as u64);
                let meta = self.fitting_meta(file, &text, meta.clone())?;
                DiskImageKind::File { bytes: self.text_on_disk(&text, &meta)? }
            }
        };
        Ok(Some(DiskImage { file, path, kind, mode, n_steps }))
    }

    /// Writes a content piece by piece: of a long one no more than a part is in memory.
    pub fn write_content(&self, hash: &BlobHash, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        let missing = || std::io::Error::other("its content is not here");
        let mut reader = self.log.blob_reader(hash).map_err(std::io::Error::other)?.ok_or_else(missing)?;
        let mut at = 0;
        while at < reader.length_bytes() {
            let piece = reader.read(&self.log, at, CONTENT_PIECE_BYTES).map_err(std::io::Error::other)?;
            out.write_all(&piece)?;
            at += piece.len() as u64;
        }
        Ok(())
    }

    /// Permissions of a file on this disk. Nobody else makes a file executable here, or one that its owner cannot read.
    pub(crate) fn mode_here(&self, node: &codesync_doc::Node) -> u32 {
        match node.meta.mode {
            0 => 0,
            mode if node.mode_by.device == self.own.device || node.kind == FileKind::Folder => mode,
            mode => mode & 0o666 | 0o400,
        }
    }

    /// A text that its encoding cannot hold any more gets one that can, and whoever may edit notes that.
    fn fitting_meta(&mut self, file: FileId, text: &str, meta: FileMeta) -> Result<FileMeta> {
        let fitting = encoding::meta_that_fits(text, &meta);
        if fitting.encoding != meta.encoding && self.may(codesync_auth::Act::Edit).is_ok() {
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
        self.forget_unwritten(&file);
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

    /// How many steps of its timeline the text on disk contains, where that is known without loading it.
    pub fn n_steps_on_disk(&mut self, file: FileId) -> Option<u64> {
        let is_whole = self.tree.get(&file).is_some_and(|node| node.kind != FileKind::Text);
        if is_whole || self.unwritten.contains_key(&file) {
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
