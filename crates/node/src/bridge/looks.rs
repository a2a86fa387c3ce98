//! When the bridge looks at the folder, and how it takes up what a look found. The looking itself is in `look.rs`.

use super::intake::content_path;
use super::look::{self, Look, Looked, Looking, Note, SMALL_BYTES, SMALL_FILES};
use super::read_ahead::ReadAhead;
use super::{Begun, Bridge, FIRST_LOOK, LOOK_LATER, MASS_FILES, Result, Running, Size, Wanted, folder_error, now_ns};
use crate::config::cannot;
use crate::shadow::Shadow;
use codesync_auth::Act;
use codesync_base::{FileKind, RelPath};
use codesync_engine::{Engine, IntakeKind, IntakeRun, Now};
use codesync_fs::{DiskChange, Folder, Observed, Rules, Texts};
use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

impl Bridge {
    /// Looks without keeping anybody waiting; what changed is taken in by [`Self::turn`].
    pub fn look_soon(
        &mut self,
        engine: &mut Engine,
        paths: Option<&BTreeSet<RelPath>>,
        size: Size,
        now: Now,
    ) -> Result<()> {
        if !self.is_busy() {
            return self.begin_look(engine, paths.cloned(), size, now);
        }
        let next = self.next_look.get_or_insert(Wanted { paths: Some(BTreeSet::new()), size });
        next.size = next.size.max(size);
        match (&mut next.paths, paths) {
            (Some(known), Some(paths)) => known.extend(paths.iter().cloned()),
            (known, _) => *known = None,
        }
        Ok(())
    }

    /// The first look of an opening: at everything. Small folders are known when this returns.
    pub fn look_first(&mut self, engine: &mut Engine, now: Now) -> Result<()> {
        self.begin_look(engine, None, Size::Few, now)?;
        let until = Instant::now() + FIRST_LOOK;
        while self.looking.is_some() && Instant::now() < until {
            self.hear_look(engine, until, now)?;
        }
        Ok(())
    }

    fn begin_look(
        &mut self,
        engine: &mut Engine,
        paths: Option<BTreeSet<RelPath>>,
        size: Size,
        now: Now,
    ) -> Result<()> {
        let look = self.prepare(engine, paths);
        let begun = if look.is_small() {
            self.look_here(engine, look, size, now)
        } else {
            let is_first = look.is_first;
            let looking = Looking::start(look).map_err(|source| cannot("look at", self.folder.root(), &source));
            looking.map(|looking| self.looking = Some(Begun { looking, size, is_first, run: None }))
        };
        if begun.is_err() {
            self.look_later(size);
        }
        begun
    }

    /// Looks at paths (none: at everything) at once, and begins to take in what changed.
    pub fn look(&mut self, engine: &mut Engine, paths: Option<&BTreeSet<RelPath>>, size: Size, now: Now) -> Result<()> {
        self.finish_busy(engine, now)?;
        let look = self.prepare(engine, paths.cloned());
        self.look_here(engine, look, size, now)
    }

    fn look_here(&mut self, engine: &mut Engine, look: Look, size: Size, now: Now) -> Result<()> {
        let texts = EngineTexts { engine: RefCell::new(engine), folder: &self.folder, shadow: &self.shadow };
        let looked = look.run(&texts).map_err(folder_error)?;
        self.take_up(engine, looked, None, size, now)
    }

    pub(super) fn prepare(&mut self, engine: &Engine, paths: Option<BTreeSet<RelPath>>) -> Look {
        if paths.as_ref().is_some_and(|paths| paths.iter().any(Rules::is_ignore_file)) {
            self.rules.reload();
        }
        let tree = engine.tree();
        let folders: Vec<_> = match &paths {
            Some(paths) if paths.len() <= SMALL_FILES => {
                let nodes = paths.iter().flat_map(|path| tree.within(path));
                nodes.filter(|node| node.kind == FileKind::Folder).map(|node| node.path.clone()).collect()
            }
            _ => tree.folders().map(|node| node.path.clone()).collect(),
        };
        Look {
            own_folders: folders,
            folder: self.folder.clone(),
            rules: self.rules.clone(),
            is_first: paths.is_none() && self.is_first(engine),
            paths,
            shadow: self.shadow.table.clone(),
            intents: self.shadow.intents().clone(),
            began_ns: now_ns(),
        }
    }

    fn is_first(&self, engine: &Engine) -> bool {
        self.shadow.is_blank() && engine.tree().events().is_empty()
    }

    /// What a look on a thread of its own has to say until then.
    pub(super) fn hear_look(&mut self, engine: &mut Engine, until: Instant, now: Now) -> Result<()> {
        while let Some(begun) = &self.looking
            && let Some(note) = begun.looking.next(until)
        {
            match note {
                Note::Wants(file) => begun.looking.answer(engine.text_of(file)),
                Note::Done(looked) => {
                    let begun = self.looking.take();
                    let (run, size) = begun.map_or((None, Size::Few), |begun| (begun.run, begun.size));
                    let taken_up = match looked {
                        Ok(looked) => self.take_up(engine, *looked, run, size, now),
                        Err(error) => {
                            run.map_or(Ok(()), |run| engine.end_intake(run, false)).and(Err(folder_error(error)))
                        }
                    };
                    if taken_up.is_err() {
                        self.look_later(size);
                    } else if !self.is_busy() {
                        self.look_again(engine, now)?;
                    }
                    return taken_up;
                }
            }
        }
        Ok(())
    }

    /// Looks where it was to be looked meanwhile.
    pub(super) fn look_again(&mut self, engine: &mut Engine, now: Now) -> Result<()> {
        match self.next_look.take() {
            Some(next) => self.begin_look(engine, next.paths, next.size, now),
            None => Ok(()),
        }
    }

    /// What changed is told once, and a look that failed has not found it: everything is looked at after a pause.
    fn look_later(&mut self, size: Size) {
        let size = self.next_look.take().map_or(size, |next| next.size.max(size));
        self.next_look = Some(Wanted { paths: None, size });
        self.paused_until = Some(Instant::now() + LOOK_LATER);
    }

    /// Begins to take in what a look found.
    fn take_up(
        &mut self,
        engine: &mut Engine,
        looked: Looked,
        run: Option<IntakeRun>,
        size: Size,
        now: Now,
    ) -> Result<()> {
        let observed = &looked.observed;
        match &looked.paths {
            None => self.note_scan(engine, observed),
            Some(paths) => {
                let refused = observed.refused.iter().chain(&observed.unread);
                engine.note_refused(paths, refused.map(|refused| (refused.path.clone(), refused.sentence.clone())));
            }
        }
        for (path, known) in looked.ours {
            self.shadow.known_later(&path, known);
        }
        if engine.may(Act::Edit).is_err() {
            // What a viewer changes in the folder stays as it is.
            return run.map_or(Ok(()), |run| engine.end_intake(run, false));
        }
        let tree = engine.tree();
        let came = looked.observed.empty_folders.into_iter().filter(|path| tree.by_path(path).is_none());
        let mut folders: VecDeque<_> = came.map(|path| (path, IntakeKind::Folder)).collect();
        folders.extend(looked.gone_folders.into_iter().map(|path| (path, IntakeKind::FolderRemoved)));
        let is_quiet = looked.changes.is_empty() && folders.is_empty() && looked.refreshed.is_empty();
        if is_quiet && run.is_none() {
            return Ok(());
        }
        let n_changes = looked.changes.len();
        let mut size = if n_changes > MASS_FILES { size.max(Size::Mass) } else { size };
        let is_part = size == Size::PartOfMass;
        if n_changes <= 1 && !is_part {
            size = Size::Few;
        }
        let run = match (run, self.held.take()) {
            (None, Some(held)) => {
                // More of a mass change that was handed on in parts.
                size = size.max(Size::Mass);
                held.run
            }
            (Some(run), held) => {
                held.map_or(Ok(()), |held| engine.end_intake(held.run, true))?;
                run
            }
            (None, None) => engine.begin_intake(looked.is_first, size > Size::Few, now).or_else(|error| {
                // The moment before a mass change is worth less than the change.
                tracing::warn!(%error, "no moment could be named before a change of the folder");
                engine.begin_intake(looked.is_first, false, now)
            })?,
        };
        let ahead = self.read_ahead(&looked.changes, looked.n_bytes);
        let (changes, refreshed, began_ns) = (looked.changes.into(), looked.refreshed.into(), looked.began_ns);
        self.intake = Some(Running { run, size, refreshed, began_ns, changes, ahead, folders });
        Ok(())
    }

    /// Begins to read what is to be taken in, where that is much.
    fn read_ahead(&self, changes: &[DiskChange], n_bytes: u64) -> Option<ReadAhead> {
        let contents: Vec<_> = changes.iter().filter_map(content_path).collect();
        if contents.len() <= SMALL_FILES && n_bytes <= SMALL_BYTES {
            return None;
        }
        let paths = contents.into_iter().map(|path| (path.clone(), self.shadow.table.get(path).is_some()));
        // Without a thread they are read when they are taken in.
        ReadAhead::start(self.folder.clone(), paths.collect()).ok()
    }

    fn note_scan(&self, engine: &mut Engine, observed: &Observed) {
        let refused = observed.refused.iter().chain(&observed.unread);
        engine.note_scan(refused.map(|refused| (refused.path.clone(), refused.sentence.clone())), observed.n_ignored);
        for path in &observed.leftovers {
            // Ours alone, since we hold the store; one that cannot be removed does no harm.
            if let Err(error) = self.folder.remove(path) {
                tracing::debug!(%path, %error, "a half-written file stays");
            }
        }
    }
}

/// Texts by which a renamed and edited file is recognised.
pub(super) struct EngineTexts<'a> {
    pub engine: RefCell<&'a mut Engine>,
    pub folder: &'a Folder,
    pub shadow: &'a Shadow,
}

impl Texts for EngineTexts<'_> {
    fn shadow_text(&self, path: &RelPath) -> Option<String> {
        let file = self.shadow.table.get(path)?.file;
        self.engine.borrow_mut().text_of(file)
    }

    fn disk_text(&self, path: &RelPath) -> Option<String> {
        look::disk_text(self.folder, path)
    }
}

#[cfg(test)]
mod tests;
