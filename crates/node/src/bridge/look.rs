//! Finding out what other programs did to the folder. Needs neither the engine nor the store, so that a look at very
//! many files can go on a thread of its own while the engine answers. It changes nothing anywhere.

use crate::shadow::Known;
use codesync_base::limits::TEXT_FILE_BYTES_MAX;
use codesync_base::{BlobHash, FileId, RelPath};
use codesync_fs::{
    Content, DiskChange, DiskState, Folder, FolderError, Observed, Rules, Scan, ShadowEntry, ShadowTable, Stamp, Texts,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// Writes of ours that may not have got through, by path.
pub(crate) type Intents = BTreeMap<RelPath, (FileId, BlobHash, Option<u64>)>;

/// Up to this many files are looked at in place.
pub(super) const SMALL_FILES: usize = 32;
/// Up to so many bytes are read in place.
pub(super) const SMALL_BYTES: u64 = 1 << 20;

/// What to look at, and what was known when it began.
pub(super) struct Look {
    pub folder: Folder,
    pub rules: Arc<Rules>,
    /// None: everything.
    pub paths: Option<BTreeSet<RelPath>>,
    pub shadow: Arc<ShadowTable>,
    pub intents: Intents,
    /// Folders of their own in the workspace.
    pub own_folders: Vec<RelPath>,
    /// Nothing was ever known: everything is new, and not read yet.
    pub is_first: bool,
    /// When it began: no stamp is older.
    pub began_ns: i64,
}

/// What a look found.
pub(super) struct Looked {
    pub paths: Option<BTreeSet<RelPath>>,
    /// Without observations; those that matter are in the other fields.
    pub observed: Observed,
    /// By others.
    pub changes: Vec<DiskChange>,
    /// Our own writes that got through without our noting it.
    pub ours: Vec<(RelPath, Known)>,
    /// Same contents with newer stamps.
    pub refreshed: Vec<(RelPath, BlobHash, Stamp)>,
    /// Folders of their own that the disk does not have any more, inner ones first.
    pub gone_folders: Vec<RelPath>,
    pub is_first: bool,
    pub began_ns: i64,
    /// Size of the files whose contents are to be taken in.
    pub n_bytes: u64,
}

impl Look {
    /// Whether so little is to be looked at that nobody notices.
    pub fn is_small(&self) -> bool {
        let Some(paths) = &self.paths else { return false };
        let n_within = |path| self.shadow.within(path).take(SMALL_FILES + 1).count();
        let size = |path| self.folder.stat(path).ok().flatten().map_or(0, |stamp| stamp.size);
        paths.len() <= SMALL_FILES
            && paths.iter().map(size).sum::<u64>() <= SMALL_BYTES
            && paths.iter().map(n_within).sum::<usize>() <= SMALL_FILES
            && !paths.iter().any(|path| self.folder.is_folder(path))
    }

    pub fn run(self, texts: &dyn Texts) -> Result<Looked, FolderError> {
        if self.is_first {
            return self.run_first();
        }
        let mut observed = codesync_fs::observe(&self.folder, &self.rules, &self.shadow, self.paths.as_ref())?;
        let mut observations = std::mem::take(&mut observed.observations);
        observations.retain(|observation| match (observation.state, self.shadow.get(&observation.path)) {
            (DiskState::Present { stamp, .. }, Some(known)) => !known.is_surely_unchanged(&stamp),
            _ => true,
        });
        let mut changes = codesync_fs::reconcile(&self.shadow, &observations, texts);
        let (mut ours, mut refreshed, mut hashes) = (Vec::new(), Vec::new(), BTreeMap::new());
        for observation in observations {
            let DiskState::Present { hash, stamp } = observation.state else { continue };
            match self.shadow.get(&observation.path) {
                Some(known) if known.hash == hash && known.stamp.mode == stamp.mode => {
                    refreshed.push((observation.path, hash, stamp));
                }
                _ => drop(hashes.insert(observation.path, (hash, stamp))),
            }
        }
        changes.retain(|change| match self.own_write(change, &hashes) {
            Some(known) => {
                ours.push(known);
                false
            }
            None => true,
        });
        let gone_folders = self.gone_folders();
        let n_bytes = hashes.values().map(|(_, stamp)| stamp.size).sum();
        let Self { paths, is_first, began_ns, .. } = self;
        Ok(Looked { paths, observed, changes, ours, refreshed, gone_folders, is_first, began_ns, n_bytes })
    }

    /// Takes everything there is as new, without reading each file once to compare it and once to take it in.
    fn run_first(self) -> Result<Looked, FolderError> {
        let Scan { files, empty_folders, refused, leftovers, n_ignored, .. } =
            codesync_fs::scan(&self.folder, &self.rules)?;
        let empty_folders = empty_folders.into_iter().collect();
        let observed = Observed { empty_folders, refused, leftovers, n_ignored, ..Observed::default() };
        let n_bytes = files.iter().map(|(_, stamp)| stamp.size).sum();
        let mut changes: Vec<_> = files.into_iter().map(|(path, _)| DiskChange::Created { path }).collect();
        // Neighbours stand together in history, too, where the next mass change looks for them in this order.
        changes.sort();
        let (ours, refreshed, gone_folders) = (Vec::new(), Vec::new(), Vec::new());
        let Self { paths, is_first, began_ns, .. } = self;
        Ok(Looked { paths, observed, changes, ours, refreshed, gone_folders, is_first, began_ns, n_bytes })
    }

    /// If a change on disk is what we had been about to write, what is known of it.
    fn own_write(
        &self,
        change: &DiskChange,
        hashes: &BTreeMap<RelPath, (BlobHash, Stamp)>,
    ) -> Option<(RelPath, Known)> {
        let (DiskChange::Created { path } | DiskChange::Modified { path }) = change else { return None };
        let (hash, stamp) = *hashes.get(path)?;
        let (file, _, n_steps) = *self.intents.get(path).filter(|(_, intended, _)| *intended == hash)?;
        let entry = ShadowEntry { hash, stamp, file, noted_ns: self.began_ns };
        Some((path.clone(), Known { entry, n_steps }))
    }

    fn gone_folders(&self) -> Vec<RelPath> {
        let is_looked_at = |folder: &RelPath| match &self.paths {
            None => true,
            Some(paths) => {
                std::iter::successors(Some(folder.clone()), RelPath::parent).any(|path| paths.contains(&path))
            }
        };
        let folders = self.own_folders.iter().filter(|folder| is_looked_at(folder));
        let gone: BTreeSet<&RelPath> = folders.filter(|folder| !self.folder.is_folder(folder)).collect();
        gone.into_iter().rev().cloned().collect()
    }
}

/// A look that goes on on a thread of its own.
pub(super) struct Looking {
    notes: Receiver<Note>,
    answers: Sender<Option<String>>,
}

/// What the looking thread says.
pub(super) enum Note {
    /// It needs the text of the file that was last at this path, by [`Looking::answer`].
    Wants(FileId),
    Done(Result<Box<Looked>, FolderError>),
}

impl Looking {
    pub fn start(look: Look) -> std::io::Result<Self> {
        let (notes, inbox) = mpsc::channel();
        let (answers, questions) = mpsc::channel();
        let texts =
            AskedTexts { folder: look.folder.clone(), shadow: look.shadow.clone(), notes: notes.clone(), questions };
        let run = move || {
            let looked = look.run(&texts).map(Box::new);
            // Whoever takes this up changes the table of which it holds a part.
            drop(texts);
            // Whoever wanted to know may be gone.
            notes.send(Note::Done(looked)).unwrap_or_default();
        };
        std::thread::Builder::new().name("codesync-look".into()).spawn(run)?;
        Ok(Self { notes: inbox, answers })
    }

    /// The next note, waited for until then.
    pub fn next(&self, until: Instant) -> Option<Note> {
        let wait = until.saturating_duration_since(Instant::now());
        match self.notes.recv_timeout(wait.max(Duration::from_micros(1))) {
            Ok(note) => Some(note),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                let source = std::io::Error::other("the look ended early");
                let gone = FolderError::Other { path: "the folder".into(), what: "looked at", source };
                Some(Note::Done(Err(gone)))
            }
        }
    }

    pub fn answer(&self, text: Option<String>) {
        // If the thread is gone, its end is the next note.
        self.answers.send(text).unwrap_or_default();
    }
}

/// Texts by which a renamed and edited file is recognised, asked of the engine thread.
struct AskedTexts {
    folder: Folder,
    shadow: Arc<ShadowTable>,
    notes: Sender<Note>,
    questions: Receiver<Option<String>>,
}

impl Texts for AskedTexts {
    fn shadow_text(&self, path: &RelPath) -> Option<String> {
        self.notes.send(Note::Wants(self.shadow.get(path)?.file)).ok()?;
        self.questions.recv().ok()?
    }

    fn disk_text(&self, path: &RelPath) -> Option<String> {
        disk_text(&self.folder, path)
    }
}

pub(super) fn disk_text(folder: &Folder, path: &RelPath) -> Option<String> {
    // A longer one is no text, and not to be read as a whole.
    folder.stat(path).ok()?.filter(|stamp| stamp.size <= TEXT_FILE_BYTES_MAX)?;
    let file = folder.read(path).ok()??;
    match codesync_fs::read_text(&file.bytes) {
        Content::Text { text, .. } => Some(text),
        Content::Binary { .. } => None,
    }
}
