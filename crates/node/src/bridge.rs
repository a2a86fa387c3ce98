//! Keeps folder and workspace equal: takes in what other programs did, writes out what was edited. Never
//! overwrites what it has not seen: before a write the disk is looked at.

mod intake;
mod look;
mod looks;
mod read_ahead;
mod write_out;

pub(crate) use look::Intents;

use crate::config::cannot;
use crate::health;
use crate::identity::Place;
use crate::shadow::Shadow;
use codesync_api::{ApiError, ErrorCode};
use codesync_base::{BlobHash, FileId, FileKind, RelPath};
use codesync_engine::{AutoSave, DiskImageKind, Engine, IntakeKind, IntakeRun, Now};
use codesync_fs::{DiskChange, Folder, FolderError, Rules, Stamp};
use look::Looking;
use read_ahead::ReadAhead;
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
/// After a look that failed, the next one waits this long.
const LOOK_LATER: Duration = Duration::from_secs(2);
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
    /// An intake that the full disk stopped goes on then, and a look that failed is made again.
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

    /// Whether a look or an intake is under way.
    pub fn is_busy(&self) -> bool {
        self.looking.is_some() || self.intake.is_some()
    }

    /// How long nothing of an intake, or of a look, needs to be gone on with; none without one.
    pub fn patience(&self) -> Option<Duration> {
        let wait = self.paused_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
        let intake = self.intake.is_some().then_some(wait);
        let looking = self.looking.is_some().then_some(ASK_EVERY);
        let held = self.held.as_ref().map(|held| held.until.saturating_duration_since(Instant::now()));
        // A look that failed is made again.
        let next = self.next_look.is_some().then_some(wait);
        intake.or(looking).or([held, next].into_iter().flatten().min())
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
        if !self.is_busy() {
            self.look_again(engine, now)?;
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

    /// Why nothing may be written now: folder or history are not what they were when they were opened. `until`: the
    /// time up to which all is kept.
    pub fn gone(&self, until: &str) -> Option<String> {
        health::gone(&self.folder, &self.store, self.store_place, until)
    }

    /// Puts its own notes in order, when nothing happens.
    pub fn tidy(&mut self) {
        self.shadow.tidy();
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

fn now_ns() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
