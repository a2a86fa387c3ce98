//! Taking in what other programs did, over as many turns as it takes: nobody who types waits for it.

use super::read_ahead::{NotPacked, Read, ReadContent, ReadFile, pack_long};
use super::{ASK_EVERY, Bridge, CHEAP, HOLD, Held, PAUSE, Result, Running, Size, Step, folder_error, now_ns};
use crate::bridge::looks::EngineTexts;
use crate::shadow::Known;
use codesync_api::ErrorCode;
use codesync_auth::Act;
use codesync_base::{BlobHash, FileId, RelPath};
use codesync_engine::{DiskBase, Engine, Intake, IntakeKind, IntakeRun, Now, api_error};
use codesync_fs::{DiskChange, DiskFile, ShadowEntry};
use std::cell::RefCell;
use std::time::Instant;

impl Bridge {
    /// One mass change is one act, though it was handed on in parts.
    pub(super) fn end_or_hold(&mut self, engine: &mut Engine, running: Running) -> Result<()> {
        let is_next_near = self.next_look.as_ref().is_some_and(|next| next.size > Size::Few);
        if running.size == Size::PartOfMass || (running.size == Size::Mass && is_next_near) {
            self.held = Some(Held { run: running.run, until: Instant::now() + HOLD });
            return Ok(());
        }
        engine.end_intake(running.run, running.size > Size::Few)
    }

    pub(super) fn end_held(&mut self, engine: &mut Engine) -> Result<()> {
        self.held.take().map_or(Ok(()), |held| engine.end_intake(held.run, true))
    }

    /// Takes in the next change and the next folder. Fails when the disk is full, and nothing is passed over then.
    pub(super) fn take_in_next(&mut self, engine: &mut Engine, running: &mut Running, now: Now) -> Result<Step> {
        let n_cheap = running.refreshed.len().min(CHEAP);
        for (path, hash, stamp) in running.refreshed.drain(..n_cheap) {
            self.shadow.refresh(&path, hash, stamp, running.began_ns);
        }
        if n_cheap > 0 {
            return Ok(Step::More);
        }
        if running.changes.is_empty() && running.folders.is_empty() {
            return Ok(Step::Done);
        }
        if let Some(change) = running.changes.front() {
            let mut read = None;
            if let (Some(path), Some(ahead)) = (content_path(change), &mut running.ahead) {
                match ahead.take(path, engine.log_mut(), Instant::now() + ASK_EVERY)? {
                    Read::Ready(file) => read = Some(*file),
                    Read::Awaited => return Ok(Step::Awaited),
                    Read::Never => {}
                }
            }
            let read = read.filter(|read| self.is_still_so(read, running.began_ns));
            self.take_in_front(engine, &mut running.run, change, read, now)?;
            running.changes.pop_front();
        }
        // After all files: a folder is empty only then.
        if running.changes.is_empty()
            && let Some((path, kind)) = running.folders.pop_front()
        {
            let intake = Intake { path: path.clone(), known: None, kind };
            pass_over(engine.take_in(&mut running.run, intake, now).map(drop), &path)?;
        }
        Ok(Step::More)
    }

    /// Whether what was read may be taken in: nothing of the file was taken in or written by us since the look, or
    /// else it is what is there now.
    fn is_still_so(&self, read: &ReadFile, began_ns: i64) -> bool {
        let is_untouched = self.shadow.table.get(&read.path).is_none_or(|known| known.noted_ns <= began_ns);
        is_untouched || matches!(self.folder.stat(&read.path), Ok(Some(stamp)) if stamp == read.stamp)
    }

    /// Takes in one change. Fails when the disk is full only: one file that cannot be taken in must not stop the
    /// others. It stays unknown, so that it is not written over, either.
    fn take_in_front(
        &mut self,
        engine: &mut Engine,
        run: &mut IntakeRun,
        change: &DiskChange,
        read: Option<ReadFile>,
        now: Now,
    ) -> Result<()> {
        pass_over(self.take_in(engine, run, change, read, now), change)
    }

    /// Takes in what changed at one path before the rest of a running intake: somebody waits for it.
    pub fn take_in_now(&mut self, engine: &mut Engine, path: &RelPath, now: Now) -> Result<()> {
        if self.looking.is_some() {
            return self.take_in_before_look(engine, path, now);
        }
        let Some(mut running) = self.intake.take() else { return Ok(()) };
        let place = |running: &Running| running.changes.iter().position(|change| is_content_of(change, path));
        let mut done = Ok(());
        if place(&running).is_some() {
            // What goes or moves is to be out of the way of what comes.
            let is_in_the_way = running.changes.iter().any(|change| !has_content(change) && concerns(change, path));
            while is_in_the_way && done.is_ok() && running.changes.front().is_some_and(|change| !has_content(change)) {
                done = self.take_in_next(engine, &mut running, now).map(drop);
            }
            let change = done.is_ok().then(|| place(&running)).flatten().and_then(|at| running.changes.remove(at));
            if let Some(change) = change {
                let read = running.ahead.as_mut().and_then(|ahead| ahead.take_early(path));
                let read = read.filter(|read| self.is_still_so(read, running.began_ns));
                done = self.take_in_front(engine, &mut running.run, &change, read, now);
                if done.is_err() {
                    running.changes.push_front(change);
                }
            }
        }
        self.intake = Some(running);
        done
    }

    /// The same while it is not known yet what changed: only this one path is looked at.
    fn take_in_before_look(&mut self, engine: &mut Engine, path: &RelPath, now: Now) -> Result<()> {
        if self.folder.is_folder(path) || engine.may(Act::Edit).is_err() {
            return Ok(());
        }
        let look = self.prepare(engine, Some([path.clone()].into()));
        let texts = EngineTexts { engine: RefCell::new(engine), folder: &self.folder, shadow: &self.shadow };
        let looked = look.run(&texts).map_err(folder_error)?;
        for (path, known) in looked.ours {
            self.shadow.known_later(&path, known);
        }
        // That a file went may be half of a rename: the look that goes on tells.
        let contents = looked.changes.iter().filter(|change| has_content(change));
        for change in contents {
            let Some(begun) = &mut self.looking else { break };
            let mut run = match begun.run.take() {
                Some(run) => run,
                None => engine.begin_intake(begun.is_first, begun.size > Size::Few, now)?,
            };
            let done = self.take_in_front(engine, &mut run, change, None, now);
            if let Some(begun) = &mut self.looking {
                begun.run = Some(run);
            }
            done?;
        }
        Ok(())
    }

    /// Takes in all that is known to have changed.
    pub fn finish_intake(&mut self, engine: &mut Engine, now: Now) -> Result<()> {
        self.finish_busy(engine, now)?;
        self.end_held(engine)
    }

    pub(super) fn finish_busy(&mut self, engine: &mut Engine, now: Now) -> Result<()> {
        self.paused_until = None;
        while self.is_busy() {
            self.hear_look(engine, Instant::now() + PAUSE, now)?;
            self.turn(engine, now)?;
        }
        Ok(())
    }

    /// The folder may be another by now than it was when it was looked at: whoever made it so is noticed again.
    fn take_in(
        &mut self,
        engine: &mut Engine,
        run: &mut IntakeRun,
        change: &DiskChange,
        read: Option<ReadFile>,
        now: Now,
    ) -> Result<()> {
        match change {
            DiskChange::Removed { path } if self.is_there(path) => Ok(()),
            DiskChange::Removed { path } => self.take_in_removal(engine, run, path, now),
            DiskChange::Renamed { from, to } => match (self.is_there(from), self.is_there(to)) {
                (true, _) if from.folded() != to.folded() => self.take_in_content(engine, run, to, None, now),
                (_, false) => self.take_in_removal(engine, run, from, now),
                _ => self.take_in_rename(engine, run, from, to, now),
            },
            DiskChange::Created { path } | DiskChange::Modified { path } | DiskChange::ModeChanged { path, .. } => {
                self.take_in_content(engine, run, path, read, now)
            }
        }
    }

    /// Whether a file is at this path now.
    fn is_there(&self, path: &RelPath) -> bool {
        matches!(self.folder.stat(path), Ok(Some(_)))
    }

    fn last_at(&self, path: &RelPath) -> Option<FileId> {
        self.shadow.table.get(path).map(|entry| entry.file)
    }

    fn take_in_removal(&mut self, engine: &mut Engine, run: &mut IntakeRun, path: &RelPath, now: Now) -> Result<()> {
        let intake = Intake { path: path.clone(), known: self.last_at(path), kind: IntakeKind::Removed };
        engine.take_in(run, intake, now)?;
        self.shadow.gone_later(path);
        Ok(())
    }

    fn take_in_rename(
        &mut self,
        engine: &mut Engine,
        run: &mut IntakeRun,
        from: &RelPath,
        to: &RelPath,
        now: Now,
    ) -> Result<()> {
        let kind = IntakeKind::RenamedFrom(from.clone());
        engine.take_in(run, Intake { path: to.clone(), known: self.last_at(from), kind }, now)?;
        let entry = self.shadow.table.get(from).copied();
        let n_steps = self.shadow.n_steps(from);
        self.shadow.gone_later(from);
        if let Some(entry) = entry {
            self.shadow.known_later(to, Known { entry, n_steps });
        }
        Ok(())
    }

    /// What a file has now; none when it is gone again, or not to be read. One that is too large to be a text goes into
    /// the log part by part.
    fn read_here(&self, engine: &mut Engine, path: &RelPath) -> Result<Option<ReadFile>> {
        let (log, mut failure) = (engine.log_mut(), None);
        let keep = &mut |part| {
            log.put_part(&part).map_err(|error| {
                failure = Some(api_error(error));
                NotPacked::NotRead
            })
        };
        let packed = pack_long(&self.folder, path, keep);
        if let Some(failure) = failure {
            return Err(failure);
        }
        let Ok(packed) = packed else { return Ok(None) };
        Ok(packed.or_else(|| {
            let DiskFile { bytes, stamp } = self.folder.read(path).ok()??;
            let hash = BlobHash::of(&bytes);
            Some(ReadFile { path: path.clone(), hash, stamp, content: ReadContent::Bytes(bytes) })
        }))
    }

    fn take_in_content(
        &mut self,
        engine: &mut Engine,
        run: &mut IntakeRun,
        path: &RelPath,
        read: Option<ReadFile>,
        now: Now,
    ) -> Result<()> {
        let read = match read {
            None => self.read_here(engine, path)?,
            read => read,
        };
        // What cannot be read the next look tells.
        let Some(ReadFile { hash, stamp, content, .. }) = read else { return Ok(()) };
        let known = self.shadow.table.get(path).copied();
        if known.is_some_and(|known| known.hash == hash && known.stamp.mode == stamp.mode) {
            // Taken in or written by us since the look.
            return Ok(());
        }
        let mode = stamp.mode & 0o777;
        let kind = match content {
            ReadContent::Bytes(bytes) => {
                let n_steps = self.shadow.n_steps(path);
                let base = known.zip(n_steps).map(|(known, n_steps)| DiskBase { n_steps, hash: known.hash });
                IntakeKind::File { bytes, mode, base }
            }
            ReadContent::Whole { length_bytes } => IntakeKind::Whole { hash, length_bytes, mode },
        };
        let intake = Intake { path: path.clone(), known: known.map(|known| known.file), kind };
        let Some(file) = engine.take_in(run, intake, now)? else { return Ok(()) };
        let n_steps = engine.n_steps_on_disk(file);
        self.shadow.known_later(path, Known { entry: ShadowEntry { hash, stamp, file, noted_ns: now_ns() }, n_steps });
        Ok(())
    }
}

/// Only a full disk stops an intake.
fn pass_over(taken_in: Result<()>, change: &dyn std::fmt::Debug) -> Result<()> {
    match taken_in {
        Err(error) if error.code != ErrorCode::DiskFull => {
            tracing::warn!(%error, ?change, "a change of the folder could not be taken in");
            Ok(())
        }
        done => done,
    }
}

/// Whether a change is that a file is there, or is another.
fn has_content(change: &DiskChange) -> bool {
    !matches!(change, DiskChange::Removed { .. } | DiskChange::Renamed { .. })
}

/// Whether a removal or a rename has to do with this path, or with a folder that it is in.
fn concerns(change: &DiskChange, path: &RelPath) -> bool {
    let touches = |other: &RelPath| other.is_within(path) || path.is_within(other);
    match change {
        DiskChange::Removed { path } => touches(path),
        DiskChange::Renamed { from, to } => touches(from) || touches(to),
        _ => false,
    }
}

/// The path whose content is to be read for a change.
pub(super) fn content_path(change: &DiskChange) -> Option<&RelPath> {
    match change {
        DiskChange::Created { path } | DiskChange::Modified { path } | DiskChange::ModeChanged { path, .. } => {
            Some(path)
        }
        DiskChange::Removed { .. } | DiskChange::Renamed { .. } => None,
    }
}

fn is_content_of(change: &DiskChange, wanted: &RelPath) -> bool {
    matches!(change, DiskChange::Created { path } | DiskChange::Modified { path } if path == wanted)
}
