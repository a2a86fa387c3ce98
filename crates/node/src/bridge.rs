//! Keeps folder and workspace equal: takes in what other programs did, writes out what was edited. Never
//! overwrites what it has not seen: before a write the disk is looked at.

mod look;
mod read_ahead;

pub(crate) use look::Intents;

use crate::config::cannot;
use crate::health;
use crate::identity::Place;
use crate::shadow::{Known, Shadow};
use codesync_api::{ApiError, ErrorCode};
use codesync_base::{BlobHash, FileId, FileKind, RelPath};
use codesync_engine::{AutoSave, DiskImage, DiskImageKind, Engine, Intake, IntakeKind, IntakeRun, Now};
use codesync_fs::{DiskChange, DiskFile, Folder, FolderError, Observed, Rules, ShadowEntry, Stamp, Texts};
use look::{Look, Looked, Looking, Note, SMALL_BYTES, SMALL_FILES};
use read_ahead::{Read, ReadAhead, ReadContent, ReadFile};
use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, ApiError>;

/// Files written between two looks at the inbox.
const WRITES_PER_TURN: usize = 48;
/// Time for which a long intake may keep others waiting.
const TURN: Duration = Duration::from_millis(4);
/// How often it is asked whether a look is done.
const ASK_EVERY: Duration = Duration::from_millis(2);
/// An opening waits this long for its first look; nearly all are done by then.
const FIRST_LOOK: Duration = Duration::from_millis(200);
/// Cheap things done between two looks at the clock.
const CHEAP: usize = 64;
/// How long an intake rests that the full disk stopped.
const PAUSE: Duration = Duration::from_secs(1);
/// The next part of a mass change is handed on sooner than this, if there is one.
const HOLD: Duration = Duration::from_secs(11);
/// More changed files than this at once are a mass change.
const MASS_FILES: usize = 20;

pub(crate) struct Bridge {
    pub folder: Folder,
    /// The history inside it, and what it was when it was opened.
    store: PathBuf,
    store_place: Option<Place>,
    pub rules: Arc<Rules>,
    shadow: Shadow,
    /// A look under way.
    looking: Option<Begun>,
    intake: Option<Running>,
    held: Option<Held>,
    /// Where to look once the running intake is done.
    next_look: Option<Wanted>,
    /// An intake that the full disk stopped goes on then.
    paused_until: Option<Instant>,
    /// Files of which the shadow does not say yet that the disk lacks their newest text.
    unmarked: Vec<FileId>,
}

/// How much another program changed, as far as is known when it is to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Size {
    Few,
    /// One act, with an automatic moment before it.
    Mass,
    /// More of it is to come.
    PartOfMass,
}

impl Size {
    pub fn of(batch: &codesync_fs::Batch) -> Self {
        match (batch.mass, batch.goes_on) {
            (true, true) => Size::PartOfMass,
            (true, false) => Size::Mass,
            (false, _) => Size::Few,
        }
    }
}

/// The act of a mass change, open for what is still to come of it.
struct Held {
    run: IntakeRun,
    until: Instant,
}

/// A look at paths, or at everything (none).
struct Wanted {
    paths: Option<BTreeSet<RelPath>>,
    size: Size,
}

/// A look under way, and what could not wait for its end.
struct Begun {
    looking: Looking,
    size: Size,
    is_first: bool,
    run: Option<IntakeRun>,
}

/// How far an intake got.
#[derive(PartialEq, Eq)]
enum Step {
    More,
    /// What comes next is still being read.
    Awaited,
    Done,
}

/// An intake that goes on over several turns.
struct Running {
    run: IntakeRun,
    size: Size,
    /// Files that did not change, with newer stamps, and when these were taken.
    refreshed: VecDeque<(RelPath, BlobHash, Stamp)>,
    began_ns: i64,
    changes: VecDeque<DiskChange>,
    /// Many files, or large ones, are read on a thread of its own.
    ahead: Option<ReadAhead>,
    /// Empty folders that came, and folders that went.
    folders: VecDeque<(RelPath, IntakeKind)>,
}

impl Bridge {
    pub fn open(root: &Path, store: &Path) -> Result<Self> {
        let folder = Folder::open(root).map_err(folder_error)?;
        let rules = Arc::new(Rules::new(&folder));
        let shadow_path = store.join("shadow");
        let shadow =
            Shadow::open(shadow_path.clone()).map_err(|error| cannot("read or write", &shadow_path, &error))?;
        let (store, store_place) = (store.to_path_buf(), Place::of(store));
        Ok(Self {
            folder,
            store,
            store_place,
            rules,
            shadow,
            looking: None,
            intake: None,
            held: None,
            next_look: None,
            paused_until: None,
            unmarked: Vec::new(),
        })
    }

    /// Files that were not yet written when the program last ended are to be compared again. Before the first
    /// look: it is to know that they are on their way.
    pub fn resume(&mut self, engine: &mut Engine, now: Now) {
        let behind = match self.shadow.is_cut_short {
            true => self.files_on_disk().into_iter().collect(),
            false => self.shadow.stale(),
        };
        for file in behind {
            match self.left_for_save(engine, file) {
                Some(on_disk) => engine.await_save(file, &on_disk),
                None => engine.request_write(file, now),
            }
        }
    }

    /// What the disk has of a text that is otherwise only because it was not saved.
    fn left_for_save(&self, engine: &mut Engine, file: FileId) -> Option<BlobHash> {
        if engine.auto_save() != AutoSave::Off {
            return None;
        }
        let node = engine.tree().get(&file).filter(|node| node.alive && node.kind == FileKind::Text)?;
        let on_disk = self.shadow.table.get(&node.path).filter(|known| known.file == file)?.hash;
        match engine.disk_image(file).ok()??.kind {
            DiskImageKind::File { bytes } if BlobHash::of(&bytes) != on_disk => Some(on_disk),
            _ => None,
        }
    }

    /// Files that the disk had from this workspace.
    pub fn files_on_disk(&self) -> BTreeSet<FileId> {
        self.shadow.table.iter().map(|(_, entry)| entry.file).collect()
    }

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
        if look.is_small() {
            return self.look_here(engine, look, size, now);
        }
        let is_first = look.is_first;
        let looking = Looking::start(look).map_err(|source| cannot("look at", self.folder.root(), &source))?;
        self.looking = Some(Begun { looking, size, is_first, run: None });
        Ok(())
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

    fn prepare(&mut self, engine: &Engine, paths: Option<BTreeSet<RelPath>>) -> Look {
        if paths.as_ref().is_some_and(|paths| paths.iter().any(Rules::is_ignore_file)) {
            self.rules.reload();
        }
        let tree = engine.tree();
        let nodes: Vec<_> = match &paths {
            // Asking for all of a large tree takes a moment.
            Some(paths) if paths.len() <= SMALL_FILES => paths.iter().flat_map(|path| tree.within(path)).collect(),
            _ => tree.alive().collect(),
        };
        let folders = nodes.into_iter().filter(|node| node.kind == FileKind::Folder);
        Look {
            own_folders: folders.map(|node| node.path.clone()).collect(),
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
    fn hear_look(&mut self, engine: &mut Engine, until: Instant, now: Now) -> Result<()> {
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
                    if !self.is_busy() {
                        self.look_again(engine, now)?;
                    }
                    return taken_up;
                }
            }
        }
        Ok(())
    }

    /// Looks where it was to be looked meanwhile.
    fn look_again(&mut self, engine: &mut Engine, now: Now) -> Result<()> {
        match self.next_look.take() {
            Some(next) => self.begin_look(engine, next.paths, next.size, now),
            None => Ok(()),
        }
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
            (None, None) => engine.begin_intake(looked.is_first, size > Size::Few, now)?,
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

    /// One mass change is one act, though it was handed on in parts.
    fn end_or_hold(&mut self, engine: &mut Engine, running: Running) -> Result<()> {
        let is_next_near = self.next_look.as_ref().is_some_and(|next| next.size > Size::Few);
        if running.size == Size::PartOfMass || (running.size == Size::Mass && is_next_near) {
            self.held = Some(Held { run: running.run, until: Instant::now() + HOLD });
            return Ok(());
        }
        engine.end_intake(running.run, running.size > Size::Few)
    }

    fn end_held(&mut self, engine: &mut Engine) -> Result<()> {
        self.held.take().map_or(Ok(()), |held| engine.end_intake(held.run, true))
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

    /// Whether a look or an intake is under way.
    pub fn is_busy(&self) -> bool {
        self.looking.is_some() || self.intake.is_some()
    }

    /// How long an intake need not be gone on with; none without one.
    pub fn patience(&self) -> Option<Duration> {
        let wait = self.paused_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
        let intake = self.intake.is_some().then_some(wait);
        let looking = self.looking.is_some().then_some(ASK_EVERY);
        let held = self.held.as_ref().map(|held| held.until.saturating_duration_since(Instant::now()));
        intake.or(looking).or(held)
    }

    /// Goes on with an intake for a moment.
    pub fn turn(&mut self, engine: &mut Engine, now: Now) -> Result<()> {
        if self.paused_until.is_some_and(|until| Instant::now() < until) {
            return Ok(());
        }
        self.paused_until = None;
        if !self.is_busy() && self.held.as_ref().is_some_and(|held| Instant::now() >= held.until) {
            self.end_held(engine)?;
        }
        let until = Instant::now() + TURN;
        // A look that wants to know something often wants more right after.
        self.hear_look(engine, Instant::now() + ASK_EVERY, now)?;
        while let Some(mut running) = self.intake.take() {
            let done = self.take_in_next(engine, &mut running, now);
            match done {
                Ok(Step::More) => self.intake = Some(running),
                Ok(Step::Awaited) => {
                    self.intake = Some(running);
                    break;
                }
                Ok(Step::Done) => {
                    self.end_or_hold(engine, running)?;
                    self.look_again(engine, now)?;
                }
                Err(error) => {
                    self.intake = Some(running);
                    self.paused_until = Some(Instant::now() + PAUSE);
                    return Err(error);
                }
            }
            if Instant::now() >= until {
                break;
            }
        }
        Ok(())
    }

    /// Takes in the next change and the next folder. Fails when the disk is full, and nothing is passed over then.
    fn take_in_next(&mut self, engine: &mut Engine, running: &mut Running, now: Now) -> Result<Step> {
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
            engine.take_in(&mut running.run, Intake { path, known: None, kind }, now)?;
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
        match self.take_in(engine, run, change, read, now) {
            Err(error) if error.code == ErrorCode::DiskFull => return Err(error),
            Err(error) => tracing::warn!(%error, ?change, "a change of the folder could not be taken in"),
            Ok(()) => {}
        }
        Ok(())
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
        if self.folder.is_folder(path) {
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

    fn finish_busy(&mut self, engine: &mut Engine, now: Now) -> Result<()> {
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

    fn take_in_content(
        &mut self,
        engine: &mut Engine,
        run: &mut IntakeRun,
        path: &RelPath,
        read: Option<ReadFile>,
        now: Now,
    ) -> Result<()> {
        let (hash, stamp, content) = match read {
            Some(ReadFile { hash, stamp, content, .. }) => (hash, stamp, content),
            // Gone again, or not to be read: the next look tells.
            None => match self.folder.read(path) {
                Ok(Some(DiskFile { bytes, stamp })) => (BlobHash::of(&bytes), stamp, ReadContent::Bytes(bytes)),
                _ => return Ok(()),
            },
        };
        let known = self.shadow.table.get(path).copied();
        if known.is_some_and(|known| known.hash == hash && known.stamp.mode == stamp.mode) {
            // Taken in or written by us since the look.
            return Ok(());
        }
        let mode = stamp.mode & 0o777;
        let kind = match content {
            ReadContent::Bytes(bytes) => IntakeKind::File { bytes, mode, base_step: self.shadow.n_steps(path) },
            ReadContent::Whole { length_bytes } => IntakeKind::Whole { hash, length_bytes, mode },
        };
        let intake = Intake { path: path.clone(), known: known.map(|known| known.file), kind };
        let Some(file) = engine.take_in(run, intake, now)? else { return Ok(()) };
        let n_steps = engine.n_steps_on_disk(file);
        self.shadow.known_later(path, Known { entry: ShadowEntry { hash, stamp, file, noted_ns: now_ns() }, n_steps });
        Ok(())
    }

    /// Why nothing may be written now: folder or history are not what they were when they were opened. `until`: the
    /// time up to which all is kept.
    pub fn gone(&self, until: &str) -> Option<String> {
        health::gone(&self.folder, &self.store, self.store_place, until)
    }

    /// Makes everything durable, the shadow's part before and after history's.
    pub fn sync(&mut self, engine: &mut Engine, now: Now) -> Result<()> {
        self.unmarked.extend(engine.take_newly_unwritten());
        match self.shadow.mark_stale(self.unmarked.iter().copied()) {
            Ok(()) => self.unmarked.clear(),
            // History matters more: without the mark a file may wait for its next edit to be written again.
            Err(error) => tracing::warn!(%error, "the shadow could not be written"),
        }
        if engine.is_unsynced() {
            engine.sync_while(now, &|until| self.gone(until))?;
        }
        if let Err(error) = self.shadow.write_later() {
            tracing::warn!(%error, "the shadow could not be written");
        }
        Ok(())
    }

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
            if let DiskImageKind::File { bytes } = &image.kind {
                self.shadow
                    .intend(&image.path, image.file, BlobHash::of(bytes), image.n_steps)
                    .map_err(shadow_error)?;
            }
        }
        self.shadow.sync().map_err(shadow_error)?;
        // What goes makes room for what comes; what still had something in its way is tried once more.
        images.sort_by_key(|image| image.kind != DiskImageKind::Gone);
        let mut again = Vec::new();
        for image in images {
            if self.write_image(engine, &image).is_err() {
                again.push(image);
            }
        }
        for image in again {
            if let Err(why) = self.write_image(engine, &image) {
                let sentence =
                    format!("“{}” is kept in CodeSync but could not be written to the folder. {why}", image.path);
                self.not_written(engine, image.file, &sentence, now);
            }
        }
        Ok(())
    }

    fn write_image(&mut self, engine: &mut Engine, image: &DiskImage) -> std::result::Result<(), FolderError> {
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
        let is_file = |image: &&DiskImage| matches!(image.kind, DiskImageKind::File { .. });
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
                    let sentence = format!(
                        "“{path}” is kept in CodeSync but not written to the folder, because what is there now \
                         could not be taken in."
                    );
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
            (Ok(Some(_)), Some(known)) => match self.folder.read(path) {
                Ok(Some(file)) => BlobHash::of(&file.bytes) == known.hash,
                _ => false,
            },
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
                if self.folder.is_empty_folder(&image.path) {
                    self.folder.remove_folder(&image.path)?;
                }
                self.write_file(image, bytes, &old_paths)?;
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
        bytes: &[u8],
        old_paths: &[RelPath],
    ) -> std::result::Result<(), FolderError> {
        let hash = BlobHash::of(bytes);
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
            (None, None) => self.folder.write(&image.path, bytes, image.mode)?,
        };
        let entry = ShadowEntry { hash, stamp, file: image.file, noted_ns: now_ns() };
        let known = Known { entry, n_steps: image.n_steps };
        self.shadow.known(&image.path, known).map_err(|source| not_noted(&image.path, source))
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
fn content_path(change: &DiskChange) -> Option<&RelPath> {
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

fn not_noted(path: &RelPath, source: std::io::Error) -> FolderError {
    FolderError::Other { path: path.to_string(), what: "noted as written", source }
}

/// Texts by which a renamed and edited file is recognised.
struct EngineTexts<'a> {
    engine: RefCell<&'a mut Engine>,
    folder: &'a Folder,
    shadow: &'a Shadow,
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

pub(crate) fn folder_error(error: FolderError) -> ApiError {
    let code = match &error {
        FolderError::NotThere(_) | FolderError::Missing(_) => ErrorCode::NotFound,
        FolderError::DiskFull(_) => ErrorCode::DiskFull,
        FolderError::NotAFolder(_) => ErrorCode::Invalid,
        _ => ErrorCode::Io,
    };
    ApiError::new(code, error.to_string())
}

fn shadow_error(error: std::io::Error) -> ApiError {
    cannot("write", Path::new(".codesync/shadow"), &error)
}

fn now_ns() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
