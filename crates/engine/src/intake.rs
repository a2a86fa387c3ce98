//! What other programs did to the folder, taken in as edits by "Disk". Only the difference between what was
//! last on disk and what is there now becomes an edit, so what was typed meanwhile stays.

use crate::acts::Act;
use crate::{Engine, Now, Result};
use codesync_api::{Act as ActEvent, Event, Notice, PatchSource};
use codesync_base::{BlobHash, Change, FileId, FileKind, FileMeta, Origin, RawContent, RelPath, TextSource};
use codesync_fs::{disk_edit, encoding, rebase};

/// One path that changed on disk.
#[derive(Clone, Debug)]
pub struct Intake {
    pub path: RelPath,
    /// The file that was last on disk there (before a rename: at the old path), where that is known. The
    /// workspace may have moved or replaced it since, without the disk having got that yet.
    pub known: Option<FileId>,
    pub kind: IntakeKind,
}

#[derive(Clone, Debug)]
pub enum IntakeKind {
    /// The file is there with these bytes.
    File {
        bytes: Vec<u8>,
        mode: u32,
        base: Option<DiskBase>,
    },
    /// The same of a file that is kept whole and whose bytes the log has already ([`codesync_log::Log::put_ahead`]).
    Whole {
        hash: BlobHash,
        length_bytes: u64,
        mode: u32,
    },
    Folder,
    /// A folder of its own is not there any more. What is in it here goes only if it is said to.
    FolderRemoved,
    Removed,
    RenamedFrom(RelPath),
}

/// What disk last had of a text, where the bridge knows it and the engine may not (changes while no program was open).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskBase {
    /// Steps of its timeline that it contained then. Late work of others may have changed what that number means.
    pub n_steps: u64,
    /// Of the bytes.
    pub hash: BlobHash,
}

/// A running intake: one act, though it may take many turns.
pub struct IntakeRun {
    origin: Origin,
    /// Begun with the first change, so that no other act can take its number before.
    act: Option<Act>,
    paths: Vec<String>,
    n_paths: u64,
    began_ms: u64,
}

/// What stands on disk.
enum Found<'a> {
    Text {
        text: String,
        meta: FileMeta,
        exact: bool,
        bytes: &'a [u8],
    },
    /// Kept whole; the log has it.
    Whole {
        hash: BlobHash,
        length_bytes: u64,
    },
}

/// Moments on either side of the one that disk should have had, of which one may be it.
const BASES_TRIED_MAX: usize = 16;
/// Paths that an act names in its event.
const PATHS_NAMED_MAX: usize = 200;

impl Engine {
    /// Begins to take in changes. A mass change is preceded by an automatic moment. Whoever may not edit takes in nothing:
    /// nobody would take their log from there on.
    pub fn begin_intake(&mut self, first_time: bool, mass: bool, now: Now) -> Result<IntakeRun> {
        self.may(codesync_auth::Act::Edit)?;
        if mass && !first_time {
            self.automatic_moment(&format!("Before disk change {}", now.hour_minute()), now)?;
        }
        let origin = if first_time { Origin::Import } else { Origin::Disk };
        Ok(IntakeRun { origin, act: None, paths: Vec::new(), n_paths: 0, began_ms: now.ms })
    }

    /// Takes in one changed path. Returns the file it belongs to now.
    pub fn take_in(&mut self, run: &mut IntakeRun, intake: Intake, now: Now) -> Result<Option<FileId>> {
        // The right may have gone since it began.
        self.may(codesync_auth::Act::Edit)?;
        let (path, known) = (intake.path.clone(), intake.known);
        let act = run.act.unwrap_or_else(|| self.begin_act(run.origin));
        let changed_before = self.n_steps_pending();
        let file = match intake.kind {
            IntakeKind::File { bytes, mode, base } => {
                let found = self.found(&bytes)?;
                Some(self.take_in_file(act, path, known, found, mode, base, now)?)
            }
            IntakeKind::Whole { hash, length_bytes, mode } => {
                if !self.log.name_blob(&hash) {
                    return Err(crate::not_found(path.as_str()));
                }
                Some(self.take_in_file(act, path, known, Found::Whole { hash, length_bytes }, mode, None, now)?)
            }
            IntakeKind::Folder => self.take_in_folder(act, path, now)?,
            IntakeKind::FolderRemoved => self.take_in_folder_removal(act, &path, now),
            IntakeKind::Removed => self.take_in_removal(act, &path, known, now)?,
            IntakeKind::RenamedFrom(from) => self.take_in_rename(act, &from, path, known, now)?,
        };
        if self.n_steps_pending() != changed_before {
            run.act = Some(act);
            run.n_paths += 1;
            if run.paths.len() < PATHS_NAMED_MAX {
                run.paths.push(intake.path.to_string());
            }
        }
        Ok(file)
    }

    /// Ends it; clients hear of it when it was more than one file.
    pub fn end_intake(&mut self, run: IntakeRun, mass: bool) -> Result<()> {
        self.settle();
        let is_told = mass && run.n_paths > 1;
        if let Some(act) = run.act.filter(|act| is_told && act.origin == Origin::Disk) {
            self.events.push(Event::Act(ActEvent {
                group_id: self.group_id(act),
                sentence: format!("Disk changed {} files.", run.n_paths),
                author: "Disk".into(),
                n_files: run.n_paths,
                paths: run.paths,
                at_ms: run.began_ms,
                can_undo: true,
            }));
        }
        Ok(())
    }

    fn n_steps_pending(&self) -> (u32, usize) {
        (self.head_seq, self.pending.as_ref().map_or(0, crate::acts::Pending::n_steps))
    }

    fn found<'a>(&mut self, bytes: &'a [u8]) -> Result<Found<'a>> {
        Ok(match encoding::read_text(bytes) {
            encoding::Content::Text { text, meta, exact } => Found::Text { text, meta, exact, bytes },
            encoding::Content::Binary { .. } => {
                let hash = self.log.put_blob(bytes).map_err(crate::api_error)?;
                Found::Whole { hash, length_bytes: bytes.len() as u64 }
            }
        })
    }

    #[allow(clippy::too_many_arguments)]
    fn take_in_file(
        &mut self,
        act: Act,
        path: RelPath,
        known: Option<FileId>,
        found: Found<'_>,
        mode: u32,
        base: Option<DiskBase>,
        now: Now,
    ) -> Result<FileId> {
        let same = known.and_then(|file| self.tree.get(&file)).filter(|node| node.alive);
        let node = same.or_else(|| self.tree.by_path(&path));
        // What the disk had before says nothing about another file that stands there by now, nor about a text that was none
        // yet.
        let is_text = node.is_some_and(|node| node.kind == FileKind::Text);
        let base = base.filter(|_| is_text && known == node.map(|node| node.file));
        // What stands here as others' permissions are taken over is no change of them.
        let mode = node.filter(|node| self.mode_here(node) == mode).map_or(mode, |node| node.meta.mode);
        let node = node.map(|node| (node.file, node.kind, node.meta.clone()));
        if let Some((file, kind, _)) = &node
            && known != Some(*file)
            && self.is_another(*file, *kind, &found)
        {
            // It and ours want one path: both are kept, and the tree says how they are called.
            let file = self.create_from_disk(act, path, found, mode, now)?;
            self.note_unwritten(file, now);
            return Ok(file);
        }
        match (node, found) {
            (Some((folder, FileKind::Folder, _)), found) => {
                self.tree_step(act, folder, Change::Remove, now);
                self.settle();
                self.create_from_disk(act, path, found, mode, now)
            }
            (None, found) => self.create_from_disk(act, path, found, mode, now),
            (Some((file, kind, meta)), Found::Text { text, meta: found, exact, bytes }) => {
                if kind == FileKind::Binary {
                    self.tree_step(act, file, Change::Kind { kind: FileKind::Text }, now);
                }
                let shadow = self.text_before(file, &[&meta, &found], base)?;
                let Some(shadow) = shadow else {
                    // Nobody knows any more what was changed there: what stands there now is kept beside ours.
                    let theirs = self.path_beside(path.clone());
                    self.tell_beside(&path, &theirs);
                    let path = theirs;
                    let whole = Found::Text { text, meta: found, exact, bytes };
                    self.note_unwritten(file, now);
                    let beside = self.create_from_disk(act, path, whole, mode, now)?;
                    self.note_unwritten(beside, now);
                    return Ok(beside);
                };
                self.update_text(act, file, &meta, (&text, found, exact), ((&path, known), bytes, mode), &shadow, now)?;
                Ok(file)
            }
            (Some((file, kind, meta)), Found::Whole { hash, length_bytes }) => {
                if kind == FileKind::Text {
                    self.tree_step(act, file, Change::Kind { kind: FileKind::Binary }, now);
                }
                self.note_content(act, file, hash, length_bytes, now);
                if meta.mode != mode {
                    self.tree_step(act, file, Change::Meta { meta: FileMeta { mode, ..meta } }, now);
                }
                self.settle();
                Ok(file)
            }
        }
    }

    /// Whether a file of ours waits to be written where the disk has got something else from somebody else.
    fn is_another(&mut self, file: FileId, kind: FileKind, found: &Found<'_>) -> bool {
        if !self.unwritten.contains_key(&file) {
            return false;
        }
        let content = self.tree.get(&file).and_then(|node| node.content).map(|(hash, _)| hash);
        match (kind, found) {
            (FileKind::Text, Found::Text { text, .. }) => self.text_of(file).as_ref() != Some(text),
            (FileKind::Binary, Found::Text { bytes, .. }) => content != Some(BlobHash::of(bytes)),
            (FileKind::Binary, Found::Whole { hash, .. }) => content != Some(*hash),
            (FileKind::Text, _) => true,
            (FileKind::Folder, _) => false,
        }
    }

    fn create_from_disk(&mut self, act: Act, path: RelPath, found: Found<'_>, mode: u32, now: Now) -> Result<FileId> {
        match found {
            Found::Text { text, meta, exact, bytes } => {
                let meta = FileMeta { mode, raw: self.raw_content(&text, bytes, exact)?, ..meta };
                let source = self.text_source(&text)?;
                self.create_step(act, path, FileKind::Text, meta, Some(source), now)
            }
            Found::Whole { hash, length_bytes } => {
                let length = u32::try_from(length_bytes).unwrap_or(u32::MAX);
                let meta = FileMeta { mode, ..FileMeta::default() };
                self.create_step(act, path, FileKind::Binary, meta, Some(TextSource::Blob { hash, length }), now)
            }
        }
    }

    /// The bytes themselves, where the text alone would not give them back.
    fn raw_content(&mut self, text: &str, bytes: &[u8], exact: bool) -> Result<Option<RawContent>> {
        if exact {
            return Ok(None);
        }
        let hash = self.log.put_blob(bytes).map_err(crate::api_error)?;
        Ok(Some(RawContent { text_hash: BlobHash::of(text.as_bytes()), bytes: hash }))
    }

    #[allow(clippy::too_many_arguments)]
    fn update_text(
        &mut self,
        act: Act,
        file: FileId,
        meta: &FileMeta,
        (text, found, exact): (&str, FileMeta, bool),
        ((path, known), bytes, mode): ((&RelPath, Option<FileId>), &[u8], u32),
        shadow: &str,
        now: Now,
    ) -> Result<()> {
        let present = self.document_mut(file)?.text.to_string();
        let edits = rebase(&disk_edit(shadow, text), shadow, &present);
        if !edits.is_empty() {
            self.text_steps(act, file, &edits, now)?;
            self.tell_views(file, &edits, PatchSource::Disk, None)?;
        }
        let meta_now = FileMeta { mode, raw: self.raw_content(text, bytes, exact)?, ..found };
        if meta_now != *meta {
            self.tree_step(act, file, Change::Meta { meta: meta_now }, now);
            self.settle();
        }
        // Under another name, or where the disk did not have this file, it is still to be written.
        let is_in_place = known == Some(file) && self.tree.get(&file).is_some_and(|node| node.path == *path);
        let is_equal = self.document_mut(file)?.text.to_string() == text;
        if is_equal && is_in_place {
            self.forget_unwritten(&file);
        } else if self.waits_for_save(&file) {
            // What the next change on disk is measured against, also when this process is over by then.
            self.log.put_blob(bytes).map_err(crate::api_error)?;
        } else if !is_equal {
            self.note_unwritten(file, now);
        }
        if let Some(unwritten) = self.unwritten.get_mut(&file) {
            unwritten.shadow_text = Some(text.to_owned());
        }
        Ok(())
    }

    fn tell_beside(&mut self, path: &RelPath, theirs: &RelPath) {
        let title = format!("Another program changed {path} on top of a version that is not known here.");
        let body = format!("Yours stays; what it wrote is beside it as “{}”.", theirs.name());
        let notice =
            Notice { id: "MSG-FILE-8".into(), title, body, path: Some(theirs.to_string()), ..Notice::default() };
        self.events.push(Event::Notice(notice));
    }

    /// The text that disk last had; none when what is known of it fits nothing in history.
    fn text_before(&mut self, file: FileId, metas: &[&FileMeta], base: Option<DiskBase>) -> Result<Option<String>> {
        if let Some(text) = self.shadow_text(&file) {
            return Ok(Some(text));
        }
        let document = self.document_mut(file)?;
        let Some(base) = base else { return Ok(Some(document.text.to_string())) };
        let n_all = document.timeline.n_steps();
        let n = (base.n_steps as usize).min(n_all);
        let near = (1..=BASES_TRIED_MAX).flat_map(|by| [n.checked_sub(by), n.checked_add(by)]).flatten();
        let tried = [n].into_iter().chain(near).filter(|n| *n <= n_all);
        for n in tried {
            let text = self.document_mut(file)?.timeline.text_at(n).to_string();
            for meta in metas {
                if BlobHash::of(&self.text_on_disk(&text, meta)?) == base.hash {
                    return Ok(Some(text));
                }
            }
        }
        Ok(None)
    }

    fn note_content(&mut self, act: Act, file: FileId, blob: BlobHash, length_bytes: u64, now: Now) {
        let known = self.tree.get(&file).and_then(|node| node.content);
        if known.is_none_or(|(hash, _)| hash != blob) {
            self.tree_step(act, file, Change::Content { blob, length_bytes }, now);
        }
    }

    fn take_in_folder(&mut self, act: Act, path: RelPath, now: Now) -> Result<Option<FileId>> {
        if self.tree.by_path(&path).is_some() {
            return Ok(None);
        }
        self.create_step(act, path, FileKind::Folder, FileMeta { mode: 0o755, ..FileMeta::default() }, None, now)
            .map(Some)
    }

    fn take_in_folder_removal(&mut self, act: Act, path: &RelPath, now: Now) -> Option<FileId> {
        self.settle();
        let folder = self.tree.by_path(path).filter(|node| node.kind == FileKind::Folder).map(|node| node.file)?;
        // One that waits to be made was never there.
        if self.unwritten.contains_key(&folder) {
            return None;
        }
        self.tree_step(act, folder, Change::Remove, now);
        Some(folder)
    }

    /// The path is gone: the file there, or the folder with all that was in it.
    fn take_in_removal(&mut self, act: Act, path: &RelPath, known: Option<FileId>, now: Now) -> Result<Option<FileId>> {
        self.settle();
        if let Some(node) = known.and_then(|file| self.tree.get(&file)).filter(|node| node.path != *path) {
            // It was moved here, and the disk has not got that yet: whoever removed it knew its old place only.
            let file = node.file;
            self.note_unwritten(file, now);
            return Ok(None);
        }
        let gone: Vec<FileId> = match self.tree.by_path(path) {
            Some(node) if known.is_some_and(|known| known != node.file) => Vec::new(),
            Some(node) if node.kind != FileKind::Folder => vec![node.file],
            // The file has made way for what others have in a folder of its name.
            None if known.is_some() => Vec::new(),
            _ => self.tree.within(path).iter().map(|node| node.file).collect(),
        };
        for file in &gone {
            self.tree_step(act, *file, Change::Remove, now);
            self.forget_unwritten(file);
        }
        Ok(gone.first().copied())
    }

    fn take_in_rename(
        &mut self,
        act: Act,
        from: &RelPath,
        to: RelPath,
        known: Option<FileId>,
        now: Now,
    ) -> Result<Option<FileId>> {
        self.settle();
        let node = known.map_or_else(|| self.tree.by_path(from), |known| self.tree.get(&known));
        let Some((file, is_in_place)) = node.map(|node| (node.file, node.alive && node.path == *from)) else {
            return Ok(None);
        };
        if !is_in_place {
            // Moved or deleted here meanwhile: that stays so, and the disk gets it from its new place.
            self.note_unwritten(file, now);
            return Ok(Some(file));
        }
        self.tree_step(act, file, Change::Move { path: to }, now);
        self.settle();
        Ok(Some(file))
    }
}
