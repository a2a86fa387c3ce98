//! Keeps folder and workspace equal: takes in what other programs did, writes out what was edited. Never
//! overwrites what it has not seen: before a write the disk is looked at.

use crate::config::cannot;
use crate::shadow::{Known, Shadow};
use codesync_api::{ApiError, ErrorCode};
use codesync_base::{BlobHash, FileId, RelPath};
use codesync_engine::{DiskImage, DiskImageKind, Engine, Intake, IntakeKind, IntakeRun, Now};
use codesync_fs::{Content, DiskChange, DiskState, Folder, FolderError, Rules, ShadowEntry, Stamp, Texts};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, ApiError>;

/// Files written between two looks at the inbox.
const WRITES_PER_TURN: usize = 48;
/// Time for which a long intake may keep others waiting.
const TURN: Duration = Duration::from_millis(20);
/// More changed files than this at once are a mass change.
const MASS_FILES: usize = 20;

pub(crate) struct Bridge {
    pub folder: Folder,
    pub rules: Arc<Rules>,
    shadow: Shadow,
    intake: Option<Running>,
}

/// An intake that goes on over several turns.
struct Running {
    run: IntakeRun,
    mass: bool,
    changes: VecDeque<DiskChange>,
    empty_folders: VecDeque<RelPath>,
}

impl Bridge {
    pub fn open(root: &Path, store: &Path) -> Result<Self> {
        let folder = Folder::open(root).map_err(folder_error)?;
        let rules = Arc::new(Rules::new(&folder));
        let shadow_path = store.join("shadow");
        let shadow =
            Shadow::open(shadow_path.clone()).map_err(|error| cannot("read or write", &shadow_path, &error))?;
        Ok(Self { folder, rules, shadow, intake: None })
    }

    /// Files that were not yet written when the program last ended are to be compared again.
    pub fn resume(&mut self, engine: &mut Engine, now: Now) {
        for file in self.shadow.stale() {
            engine.request_write(file, now);
        }
    }

    /// Looks at paths (none: at everything) and begins to take in what changed.
    pub fn look(&mut self, engine: &mut Engine, paths: Option<&BTreeSet<RelPath>>, mass: bool, now: Now) -> Result<()> {
        self.finish_intake(engine, now)?;
        if paths.is_some_and(|paths| paths.iter().any(Rules::is_ignore_file)) {
            self.rules.reload();
        }
        let observed =
            codesync_fs::observe(&self.folder, &self.rules, &self.shadow.table, paths).map_err(folder_error)?;
        if paths.is_none() {
            let refused = observed.refused.iter().chain(&observed.unread);
            engine
                .note_scan(refused.map(|refused| (refused.path.clone(), refused.sentence.clone())), observed.n_ignored);
            for path in &observed.leftovers {
                // Ours alone, since we hold the store; one that cannot be removed does no harm.
                if let Err(error) = self.folder.remove(path) {
                    tracing::debug!(%path, %error, "a half-written file stays");
                }
            }
        }
        let first_time = self.shadow.table.is_empty() && engine.tree().events().is_empty();
        let hashes: BTreeMap<&RelPath, (BlobHash, Stamp)> = observed
            .observations
            .iter()
            .filter_map(|observation| match observation.state {
                DiskState::Present { hash, stamp } => Some((&observation.path, (hash, stamp))),
                DiskState::Missing => None,
            })
            .collect();
        let texts = EngineTexts { engine: RefCell::new(engine), folder: &self.folder, shadow: &self.shadow };
        let mut changes = codesync_fs::reconcile(&self.shadow.table, &observed.observations, &texts);
        let mut ours = Vec::new();
        changes.retain(|change| match own_write(&self.shadow, change, &hashes) {
            Some(known) => {
                ours.push(known);
                false
            }
            None => true,
        });
        for (path, known) in ours {
            self.shadow.known(&path, known).map_err(shadow_error)?;
        }
        self.shadow.table.refresh(&observed.observations, now_ns());
        let tree = engine.tree();
        let empty_folders: VecDeque<RelPath> =
            observed.empty_folders.into_iter().filter(|path| tree.by_path(path).is_none()).collect();
        if changes.is_empty() && empty_folders.is_empty() {
            return Ok(());
        }
        let mass = (mass && changes.len() > 1) || changes.len() > MASS_FILES;
        let run = engine.begin_intake(first_time, mass, now)?;
        self.intake = Some(Running { run, mass, changes: changes.into(), empty_folders });
        Ok(())
    }

    /// Whether an intake is under way.
    pub fn is_busy(&self) -> bool {
        self.intake.is_some()
    }

    /// Goes on with an intake for a moment.
    pub fn turn(&mut self, engine: &mut Engine, now: Now) -> Result<()> {
        let until = Instant::now() + TURN;
        while let Some(running) = &mut self.intake {
            match (running.changes.pop_front(), running.empty_folders.pop_front()) {
                (None, None) => {
                    if let Some(Running { run, mass, .. }) = self.intake.take() {
                        engine.end_intake(run, mass)?;
                    }
                }
                (change, folder) => {
                    let mut running = self.intake.take().expect("invariant: matched above");
                    let done = change.map_or(Ok(()), |change| self.take_in(engine, &mut running.run, change, now));
                    if let Some(path) = folder {
                        engine.take_in(&mut running.run, Intake { path, kind: IntakeKind::Folder }, now)?;
                    }
                    self.intake = Some(running);
                    done?;
                }
            }
            if Instant::now() >= until {
                break;
            }
        }
        Ok(())
    }

    pub fn finish_intake(&mut self, engine: &mut Engine, now: Now) -> Result<()> {
        while self.is_busy() {
            self.turn(engine, now)?;
        }
        Ok(())
    }

    fn take_in(&mut self, engine: &mut Engine, run: &mut IntakeRun, change: DiskChange, now: Now) -> Result<()> {
        match change {
            DiskChange::Removed { path } => {
                self.shadow.gone(&path).map_err(shadow_error)?;
                engine.take_in(run, Intake { path, kind: IntakeKind::Removed }, now).map(drop)
            }
            DiskChange::Renamed { from, to } => {
                let known = self
                    .shadow
                    .table
                    .get(&from)
                    .map(|entry| Known { entry: *entry, n_steps: self.shadow.n_steps(&from) });
                self.shadow.gone(&from).map_err(shadow_error)?;
                if let Some(known) = known {
                    self.shadow.known(&to, known).map_err(shadow_error)?;
                }
                engine.take_in(run, Intake { path: to, kind: IntakeKind::RenamedFrom(from) }, now).map(drop)
            }
            DiskChange::Created { path } | DiskChange::Modified { path } | DiskChange::ModeChanged { path, .. } => {
                // Gone again, or not to be read: the next look tells.
                let Ok(Some(file)) = self.folder.read(&path) else { return Ok(()) };
                let base_step = self.shadow.n_steps(&path);
                let hash = BlobHash::of(&file.bytes);
                let kind = IntakeKind::File { bytes: file.bytes, mode: file.stamp.mode & 0o777, base_step };
                let taken = engine.take_in(run, Intake { path: path.clone(), kind }, now)?;
                let Some(id) = taken else { return Ok(()) };
                let n_steps = engine.n_steps_on_disk(id);
                let entry = ShadowEntry { hash, stamp: file.stamp, file: id, noted_ns: now_ns() };
                self.shadow.known(&path, Known { entry, n_steps }).map_err(shadow_error)
            }
        }
    }

    /// Remembers which files the disk lacks the newest text of; before the text is synced.
    pub fn mark_stale(&mut self, engine: &mut Engine) -> Result<()> {
        let files = engine.take_newly_unwritten();
        self.shadow.mark_stale(files).map_err(shadow_error)
    }

    /// Writes some of the files that are due. Returns whether more are.
    pub fn write_due(&mut self, engine: &mut Engine, now: Now) -> Result<bool> {
        let due = engine.due_writes(now, WRITES_PER_TURN);
        let more = due.len() == WRITES_PER_TURN;
        let mut images = Vec::new();
        for file in due {
            match engine.disk_image(file) {
                Ok(Some(image)) => images.push(image),
                Ok(None) => engine.written(file),
                Err(error) => self.not_written(engine, file, &error.message, now),
            }
        }
        let images = self.settle_conflicts(engine, images, now)?;
        for image in &images {
            if let DiskImageKind::File { bytes } = &image.kind {
                self.shadow
                    .intend(&image.path, image.file, BlobHash::of(bytes), image.n_steps)
                    .map_err(shadow_error)?;
            }
        }
        self.shadow.sync().map_err(shadow_error)?;
        for image in images {
            match self.write(engine, &image) {
                Ok(()) => {
                    engine.written(image.file);
                    self.shadow.mark_fresh(image.file).map_err(shadow_error)?;
                }
                Err(why) => {
                    let sentence =
                        format!("“{}” is kept in CodeSync but could not be written to the folder. {why}", image.path);
                    self.not_written(engine, image.file, &sentence, now);
                }
            }
        }
        Ok(more)
    }

    fn not_written(&mut self, engine: &mut Engine, file: FileId, sentence: &str, now: Now) {
        engine.write_failed(file, now);
        engine.note_unwritable(sentence.to_owned());
    }

    /// Where somebody else changed a file that is about to be written, their change is taken in first and
    /// the image made anew.
    fn settle_conflicts(&mut self, engine: &mut Engine, images: Vec<DiskImage>, now: Now) -> Result<Vec<DiskImage>> {
        let conflicts: BTreeSet<RelPath> = images
            .iter()
            .flat_map(|image| self.shadow.paths_of(&image.file).into_iter().chain([image.path.clone()]))
            .filter(|path| !self.is_as_known(path))
            .collect();
        if conflicts.is_empty() {
            return Ok(images);
        }
        self.look(engine, Some(&conflicts), false, now)?;
        self.finish_intake(engine, now)?;
        let anew = images.iter().filter_map(|image| engine.disk_image(image.file).transpose());
        anew.collect()
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
        let old_paths = self.shadow.paths_of(&image.file);
        match &image.kind {
            DiskImageKind::Folder => self.folder.create_folder(&image.path)?,
            DiskImageKind::Gone => {}
            DiskImageKind::File { bytes } => self.write_file(image, bytes, &old_paths)?,
        }
        let is_gone = image.kind == DiskImageKind::Gone;
        for old in old_paths.iter().filter(|old| is_gone || **old != image.path) {
            self.folder.remove(old)?;
            self.forget_path(engine, old);
        }
        if is_gone && engine.tree().by_path(&image.path).is_none() && self.folder.is_empty_folder(&image.path) {
            self.folder.remove_folder(&image.path)?;
        }
        Ok(())
    }

    fn forget_path(&mut self, engine: &Engine, path: &RelPath) {
        if let Err(error) = self.shadow.gone(path) {
            tracing::warn!(%path, %error, "could not note that a file is gone");
        }
        self.folder.remove_empty_folders_up(path, &|folder| engine.tree().by_path(folder).is_some());
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
        self.shadow.known(&image.path, Known { entry, n_steps: image.n_steps }).map_err(|source| FolderError::Other {
            path: image.path.to_string(),
            what: "noted as written",
            source,
        })
    }
}

/// If a change on disk is what we had been about to write, what is known of it.
fn own_write(
    shadow: &Shadow,
    change: &DiskChange,
    hashes: &BTreeMap<&RelPath, (BlobHash, Stamp)>,
) -> Option<(RelPath, Known)> {
    let (DiskChange::Created { path } | DiskChange::Modified { path }) = change else { return None };
    let (hash, stamp) = hashes.get(path)?;
    let (file, n_steps) = shadow.intended(path, hash)?;
    let entry = ShadowEntry { hash: *hash, stamp: *stamp, file, noted_ns: now_ns() };
    Some((path.clone(), Known { entry, n_steps }))
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
        let file = self.folder.read(path).ok()??;
        match codesync_fs::read_text(&file.bytes) {
            Content::Text { text, .. } => Some(text),
            Content::Binary { .. } => None,
        }
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
