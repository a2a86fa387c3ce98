//! Writing to the folder what was edited here. What somebody else changed there meanwhile is taken in first, and nothing
//! that was not seen is written over.

use super::{Bridge, Result, Size, WRITES_PER_TURN, now_ns};
use crate::config::cannot;
use crate::shadow::Known;
use codesync_api::ApiError;
use codesync_auth::Act;
use codesync_base::{BlobHash, FileId, RelPath};
use codesync_engine::{DiskImage, DiskImageKind, Engine, Now};
use codesync_fs::{FolderError, ShadowEntry};
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

impl Bridge {
    /// Writes some of the files that are due. Returns whether more are.
    pub fn write_due(&mut self, engine: &mut Engine, now: Now) -> Result<bool> {
        let due = engine.due_writes(now, WRITES_PER_TURN);
        let written = self.write_files(engine, &due, now);
        if let Err(error) = &written {
            due.iter().for_each(|file| engine.write_failed(*file, now));
            engine.note_unwritable(format!("Files could not be written to the folder. {}", error.message));
        }
        written.map(|()| due.len() == WRITES_PER_TURN)
    }

    fn write_files(&mut self, engine: &mut Engine, due: &[FileId], now: Now) -> Result<()> {
        let mut images = Vec::new();
        for file in due {
            match engine.disk_image(*file) {
                Ok(Some(image)) => images.push(image),
                Ok(None) => engine.written(*file),
                Err(error) => self.not_written(engine, *file, &error.message, now),
            }
        }
        let mut images = self.settle_conflicts(engine, images, now)?;
        // Nothing stands in the folder as ours that history could lose.
        self.sync(engine, now)?;
        for image in &images {
            if let Some(hash) = content_hash(image) {
                self.shadow.intend(&image.path, image.file, hash, image.n_steps).map_err(shadow_error)?;
            }
        }
        self.shadow.sync().map_err(shadow_error)?;
        // What goes makes room for what comes; what still had something in its way is tried once more.
        images.sort_by_key(|image| image.kind != DiskImageKind::Gone);
        let mut again = Vec::new();
        for image in images {
            if self.write_image(engine, &image, now).is_err() {
                again.push(image);
            }
        }
        for image in again {
            if let Err(why) = self.write_image(engine, &image, now) {
                let sentence =
                    format!("“{}” is kept in CodeSync but could not be written to the folder. {why}", image.path);
                self.not_written(engine, image.file, &sentence, now);
            }
        }
        Ok(())
    }

    fn write_image(
        &mut self,
        engine: &mut Engine,
        image: &DiskImage,
        now: Now,
    ) -> std::result::Result<(), FolderError> {
        if !self.is_free_for(image) {
            // Somebody changed it while the ones before were written: that is taken in first.
            engine.write_later(image.file, now);
            return Ok(());
        }
        self.write(engine, image)?;
        engine.written(image.file);
        self.shadow.mark_fresh(image.file).map_err(|source| not_noted(&image.path, source))
    }

    fn not_written(&mut self, engine: &mut Engine, file: FileId, sentence: &str, now: Now) {
        engine.write_failed(file, now);
        engine.note_unwritable(sentence.to_owned());
    }

    /// Where somebody else changed a file that is about to be written, their change is taken in first and
    /// the image made anew. What cannot be taken in is not written over.
    fn settle_conflicts(&mut self, engine: &mut Engine, images: Vec<DiskImage>, now: Now) -> Result<Vec<DiskImage>> {
        let mut conflicts: BTreeSet<RelPath> = images.iter().flat_map(|image| self.conflicts_of(image)).collect();
        // A folder where a file is to be may hold what nobody here has seen; it is never written over.
        let is_file = |image: &&DiskImage| !matches!(image.kind, DiskImageKind::Folder | DiskImageKind::Gone);
        let folders = images.iter().filter(is_file).filter(|image| self.folder.is_folder(&image.path));
        conflicts.extend(folders.map(|image| image.path.clone()));
        if conflicts.is_empty() {
            return Ok(images);
        }
        if self.is_busy() {
            // What is there is on its way in already, or will be: nobody waits for it here.
            let (free, taken): (Vec<_>, Vec<_>) =
                images.into_iter().partition(|image| self.is_free_for(image) && !conflicts.contains(&image.path));
            taken.iter().for_each(|image| engine.write_later(image.file, now));
            return Ok(free);
        }
        self.look(engine, Some(&conflicts), Size::Few, now)?;
        self.finish_busy(engine, now)?;
        let mut settled = Vec::new();
        for file in images.iter().map(|image| image.file) {
            let Some(image) = engine.disk_image(file)? else { continue };
            match self.conflicts_of(&image).pop() {
                None => settled.push(image),
                Some(path) => {
                    let mut sentence = format!(
                        "“{path}” is kept in CodeSync but not written to the folder, because what is there now \
                         could not be taken in."
                    );
                    if let Err(refusal) = engine.may(Act::Edit) {
                        sentence.push(' ');
                        sentence.push_str(&refusal.message);
                    }
                    self.not_written(engine, file, &sentence, now);
                }
            }
        }
        Ok(settled)
    }

    fn is_free_for(&self, image: &DiskImage) -> bool {
        self.conflicts_of(image).is_empty()
    }

    /// Paths that writing this image would touch and that are not as we know them.
    fn conflicts_of(&self, image: &DiskImage) -> Vec<RelPath> {
        let own = (image.kind != DiskImageKind::Gone).then(|| image.path.clone());
        let paths: BTreeSet<RelPath> = self.shadow.paths_of(&image.file).into_iter().chain(own).collect();
        paths.into_iter().filter(|path| !self.is_as_known(path)).collect()
    }

    /// Whether the disk has at this path what we last read or wrote there.
    fn is_as_known(&self, path: &RelPath) -> bool {
        let known = self.shadow.table.get(path);
        match (self.folder.stat(path), known) {
            (Ok(None), None) => true,
            (Ok(Some(stamp)), Some(known)) if known.is_surely_unchanged(&stamp) => true,
            (Ok(Some(_)), Some(known)) => {
                matches!(self.folder.hash(path), Ok(Some((hash, _))) if hash == known.hash)
            }
            // Missing though known, or there though unknown: somebody else's doing. An unreadable one fails
            // when it is written, with its sentence.
            (Ok(_), _) => false,
            (Err(_), _) => true,
        }
    }

    fn write(&mut self, engine: &Engine, image: &DiskImage) -> std::result::Result<(), FolderError> {
        let mut old_paths = self.shadow.paths_of(&image.file);
        let is_gone = image.kind == DiskImageKind::Gone;
        if !is_gone {
            self.change_case(image, &mut old_paths)?;
            // A file that goes into a folder of its own old name cannot stay there until it is written.
            for old in old_paths.iter().filter(|old| **old != image.path && image.path.is_within(old)) {
                self.folder.remove(old)?;
                self.shadow.gone(old).map_err(|source| not_noted(old, source))?;
            }
        }
        match &image.kind {
            DiskImageKind::Folder => self.folder.create_folder(&image.path)?,
            DiskImageKind::Gone => {}
            DiskImageKind::File { bytes } => {
                self.write_file(image, BlobHash::of(bytes), &old_paths, &|file| file.write_all(bytes))?;
            }
            DiskImageKind::Long { hash } => {
                self.write_file(image, *hash, &old_paths, &|file| engine.write_content(hash, file))?;
            }
        }
        for old in old_paths.iter().filter(|old| is_gone || **old != image.path) {
            self.folder.remove(old)?;
            self.forget_path(engine, old);
        }
        if is_gone && engine.tree().by_path(&image.path).is_none() && self.folder.is_empty_folder(&image.path) {
            self.folder.remove_folder(&image.path)?;
            self.forget_path(engine, &image.path);
        }
        Ok(())
    }

    /// A name that differs in case only is the same file where case is ignored: it is renamed, and never
    /// removed as the old name of what was written.
    fn change_case(&mut self, image: &DiskImage, old_paths: &mut Vec<RelPath>) -> std::result::Result<(), FolderError> {
        let is_twin = |old: &RelPath| *old != image.path && old.folded() == image.path.folded();
        let Some(at) = old_paths.iter().position(is_twin) else { return Ok(()) };
        let old = old_paths.remove(at);
        if self.folder.stat(&old)?.is_some() {
            self.folder.rename(&old, &image.path)?;
        }
        let known =
            self.shadow.table.get(&old).copied().map(|entry| Known { entry, n_steps: self.shadow.n_steps(&old) });
        self.shadow.gone(&old).map_err(|source| not_noted(&old, source))?;
        match known {
            Some(known) => self.shadow.known(&image.path, known).map_err(|source| not_noted(&image.path, source)),
            None => Ok(()),
        }
    }

    fn forget_path(&mut self, engine: &Engine, path: &RelPath) {
        if let Err(error) = self.shadow.gone(path) {
            tracing::warn!(%path, %error, "could not note that a file is gone");
        }
        let is_kept = |folder: &RelPath| {
            engine.tree().by_path(folder).is_some_and(|node| node.kind == codesync_base::FileKind::Folder)
        };
        self.folder.remove_empty_folders_up(path, &is_kept);
    }

    fn write_file(
        &mut self,
        image: &DiskImage,
        hash: BlobHash,
        old_paths: &[RelPath],
        fill: &dyn Fn(&mut dyn Write) -> io::Result<()>,
    ) -> std::result::Result<(), FolderError> {
        if self.folder.is_empty_folder(&image.path) {
            self.folder.remove_folder(&image.path)?;
        }
        let known = self.shadow.table.get(&image.path).copied();
        let on_disk = known.filter(|known| known.hash == hash);
        let moved_from = old_paths.iter().find(|old| {
            **old != image.path && known.is_none() && self.shadow.table.get(old).is_some_and(|entry| entry.hash == hash)
        });
        let stamp = match (on_disk, moved_from) {
            (Some(known), _) if image.mode == 0 || known.stamp.mode & 0o777 == image.mode => known.stamp,
            (Some(_), _) => self.folder.set_mode(&image.path, image.mode)?,
            (None, Some(old)) => {
                self.folder.rename(old, &image.path)?;
                match image.mode {
                    0 => self.folder.stat(&image.path)?.unwrap_or_default(),
                    mode => self.folder.set_mode(&image.path, mode)?,
                }
            }
            (None, None) => self.folder.write_with(&image.path, image.mode, fill)?,
        };
        let entry = ShadowEntry { hash, stamp, file: image.file, noted_ns: now_ns() };
        let known = Known { entry, n_steps: image.n_steps };
        self.shadow.known(&image.path, known).map_err(|source| not_noted(&image.path, source))
    }
}

/// Of a file that should stand on disk.
fn content_hash(image: &DiskImage) -> Option<BlobHash> {
    match &image.kind {
        DiskImageKind::File { bytes } => Some(BlobHash::of(bytes)),
        DiskImageKind::Long { hash } => Some(*hash),
        DiskImageKind::Folder | DiskImageKind::Gone => None,
    }
}

fn not_noted(path: &RelPath, source: std::io::Error) -> FolderError {
    FolderError::Other { path: path.to_string(), what: "noted as written", source }
}

fn shadow_error(error: std::io::Error) -> ApiError {
    cannot("write", Path::new(".codesync/shadow"), &error)
}

#[cfg(test)]
mod tests;
