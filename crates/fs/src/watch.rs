//! Watches the folder, one system watch for each folder that is not left out, and hands on batches. Reads no
//! content; without enough watches it walks the folder every two seconds instead and says so.

use crate::collector::{Batch, Collector};
use crate::folder::{Folder, FolderError, is_temp_name};
use crate::rules::{EntryKind, Rules};
use crate::scan::{scan, scan_below};
use crate::stamp::Stamp;
use codesync_base::{PathError, RelPath};
use notify::event::{ModifyKind, RenameMode};
use notify::{ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Time between two walks when the system cannot watch.
const POLL_MS: u64 = 2_000;
/// How often the thread looks whether the folder is still there; our open handle keeps the system from
/// telling of its removal.
const LOOK_MS: u64 = 1_000;

/// How changes are noticed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WatchState {
    Watching,
    /// The system has no more watches: changes are seen up to two seconds late. The sentence can be shown.
    Polling {
        sentence: String,
    },
    /// The folder itself was moved or removed.
    Gone,
}

/// A running watch; dropping it stops it.
#[derive(Debug)]
pub struct Watcher {
    state: Arc<Mutex<WatchState>>,
    stop: Sender<Note>,
    thread: Option<JoinHandle<()>>,
}

enum Note {
    Seen(notify::Result<Event>),
    Stop,
}

impl Watcher {
    /// Starts watching. What changes after this returns arrives at `sender`; the caller looks at the whole
    /// folder once after that. Ends by itself when the receiver is gone.
    pub fn start(folder: &Folder, rules: Arc<Rules>, sender: Sender<Batch>) -> Result<Watcher, FolderError> {
        let (notes, inbox) = mpsc::channel();
        let state = Arc::new(Mutex::new(WatchState::Watching));
        let mut eyes = Eyes::open(folder.clone(), rules, state.clone(), notes.clone());
        eyes.watch_all();
        if eyes.is_polling() {
            eyes.remember();
        }
        let run = move || eyes.run(&inbox, &sender);
        let thread = std::thread::Builder::new().name("codesync-watch".into()).spawn(run);
        let thread = thread.map_err(|source| FolderError::Watch(source.to_string()))?;
        Ok(Watcher { state, stop: notes, thread: Some(thread) })
    }

    pub fn state(&self) -> WatchState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let is_told = self.stop.send(Note::Stop).is_ok();
        if let Some(thread) = self.thread.take()
            && is_told
            && thread.join().is_err()
        {
            tracing::warn!("the watching thread had panicked");
        }
    }
}

/// State of the watching thread.
struct Eyes {
    folder: Folder,
    rules: Arc<Rules>,
    state: Arc<Mutex<WatchState>>,
    /// None while polling.
    system: Option<RecommendedWatcher>,
    /// Folders with a watch of their own.
    watched: BTreeSet<RelPath>,
    /// Git's own folder: inside the workspace or, for a linked work tree, elsewhere.
    git_folder: Option<PathBuf>,
    collector: Collector,
    started: Instant,
    /// What the last walk found, while polling.
    known: BTreeMap<RelPath, Stamp>,
    next_walk_ms: u64,
    next_look_ms: u64,
}

impl Eyes {
    fn open(folder: Folder, rules: Arc<Rules>, state: Arc<Mutex<WatchState>>, notes: Sender<Note>) -> Self {
        let git_folder = git_folder(folder.root());
        let hand_on = move |seen| {
            // The thread is gone only when the watcher is being dropped.
            notes.send(Note::Seen(seen)).ok();
        };
        let config = notify::Config::default().with_follow_symlinks(false);
        let system = RecommendedWatcher::new(hand_on, config);
        let mut eyes = Eyes {
            folder,
            rules,
            state,
            system: None,
            watched: BTreeSet::new(),
            git_folder,
            collector: Collector::default(),
            started: Instant::now(),
            known: BTreeMap::new(),
            next_walk_ms: 0,
            next_look_ms: LOOK_MS,
        };
        match system {
            Ok(system) => eyes.system = Some(system),
            Err(source) => eyes.fall_back(&source),
        }
        eyes
    }

    fn run(mut self, inbox: &mpsc::Receiver<Note>, sender: &Sender<Batch>) {
        loop {
            let wait = Duration::from_millis(self.next_ms().saturating_sub(self.now_ms()));
            match inbox.recv_timeout(wait) {
                Ok(Note::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Note::Seen(seen)) => self.handle(seen),
                Err(RecvTimeoutError::Timeout) => {}
            }
            while let Ok(note) = inbox.try_recv() {
                match note {
                    Note::Stop => return,
                    Note::Seen(seen) => self.handle(seen),
                }
            }
            if self.is_polling() && self.now_ms() >= self.next_walk_ms {
                self.walk();
            }
            self.check_index_lock();
            self.check_root();
            if let Some(batch) = self.collector.poll(self.now_ms())
                && sender.send(batch).is_err()
            {
                return;
            }
        }
    }

    fn now_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    fn next_ms(&self) -> u64 {
        let walk_ms = self.is_polling().then_some(self.next_walk_ms);
        let look_ms = Some(self.next_look_ms);
        [self.collector.next_ms(), walk_ms, look_ms].into_iter().flatten().min().unwrap_or(self.next_look_ms)
    }

    fn is_polling(&self) -> bool {
        self.system.is_none()
    }

    fn handle(&mut self, seen: notify::Result<Event>) {
        let now_ms = self.now_ms();
        let event = match seen {
            Ok(event) => event,
            Err(source) if matches!(source.kind, ErrorKind::MaxFilesWatch) => return self.fall_back(&source),
            Err(source) => {
                tracing::debug!(%source, "the watcher lost something");
                return self.collector.add_overflow(now_ms);
            }
        };
        if event.need_rescan() {
            self.collector.add_overflow(now_ms);
            self.watch_all();
        }
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        for path in &event.paths {
            self.handle_path(path, &event.kind, now_ms);
        }
    }

    fn handle_path(&mut self, path: &Path, kind: &EventKind, now_ms: u64) {
        if let Some(inside) = self.git_folder.as_ref().and_then(|git| path.strip_prefix(git).ok()) {
            return self.handle_git(inside.to_str().unwrap_or(""), now_ms);
        }
        let Ok(inside) = path.strip_prefix(self.folder.root()) else { return };
        let Some(inside) = inside.to_str() else {
            // A name that is not Unicode: a look at the folder that it is in reports it.
            return self.add_parent(path, now_ms);
        };
        if inside.is_empty() {
            // The folder itself: removed, perhaps.
            self.next_look_ms = now_ms;
            return;
        }
        let path = match RelPath::parse(&inside.replace(std::path::MAIN_SEPARATOR, "/")) {
            Ok(path) => path,
            Err(PathError::Protected(_)) => return self.find_git(inside, now_ms),
            Err(_) => return self.add_parent(path, now_ms),
        };
        if is_temp_name(path.name()) {
            return;
        }
        if matches!(kind, EventKind::Modify(ModifyKind::Data(_))) && self.collector.is_pending(&path) {
            return self.collector.add(path, now_ms);
        }
        let was_folder = self.watched.contains(&path);
        if was_folder && is_departure(kind) {
            self.unwatch(&path);
        }
        let is_folder = self.folder.is_folder(&path);
        let kind = if is_folder || was_folder { EntryKind::Folder } else { EntryKind::File };
        if self.rules.is_ignored_as(&path, kind) {
            return;
        }
        if is_folder && !self.watched.contains(&path) {
            self.watch_new(&path, now_ms);
        }
        if Rules::is_ignore_file(&path) {
            self.rules.reload();
            self.watch_all();
            self.collector.add_overflow(now_ms);
        }
        self.collector.add(path, now_ms);
    }

    fn handle_git(&mut self, inside: &str, now_ms: u64) {
        match inside {
            // Made anew, perhaps: the old watch went with the old folder.
            "" => self.watch_git(),
            "HEAD" | "ORIG_HEAD" => self.collector.add_git_moved(now_ms),
            "index.lock" => self.note_index_lock(now_ms),
            "info/exclude" => self.rules.reload(),
            _ => {}
        }
    }

    fn note_index_lock(&mut self, now_ms: u64) {
        let is_locked = self.git_folder.as_ref().is_some_and(|git| git.join("index.lock").exists());
        self.collector.set_index_locked(is_locked, now_ms);
    }

    /// A lock left behind by a git that was killed must not hold changes back for ever; one that went while
    /// nobody told must not either.
    fn check_index_lock(&mut self) {
        if self.collector.is_index_locked()
            && self.git_folder.as_ref().is_none_or(|git| !git.join("index.lock").exists())
        {
            let now_ms = self.now_ms();
            self.collector.set_index_locked(false, now_ms);
        }
    }

    /// `git init` in a folder that is open.
    fn find_git(&mut self, inside: &str, now_ms: u64) {
        if inside == ".git" && !self.git_folder.as_ref().is_some_and(|git| git.starts_with(self.folder.root())) {
            self.git_folder = git_folder(self.folder.root());
            self.watch_git();
            self.collector.add_git_moved(now_ms);
        }
    }

    fn check_root(&mut self) {
        let now_ms = self.now_ms();
        if now_ms < self.next_look_ms {
            return;
        }
        self.next_look_ms = now_ms + LOOK_MS;
        if self.folder.is_in_place() {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *state != WatchState::Gone {
            *state = WatchState::Gone;
            self.collector.add_overflow(now_ms);
        }
    }

    fn add_parent(&mut self, path: &Path, now_ms: u64) {
        let parent = path.parent().and_then(|parent| parent.strip_prefix(self.folder.root()).ok());
        match parent
            .and_then(Path::to_str)
            .map(|parent| RelPath::parse(&parent.replace(std::path::MAIN_SEPARATOR, "/")))
        {
            Some(Ok(parent)) => {
                if !self.rules.is_ignored_as(&parent, EntryKind::Folder) {
                    self.collector.add(parent, now_ms);
                }
            }
            _ => self.collector.add_overflow(now_ms),
        }
    }

    /// A folder came to be: watched first, then looked into, so that nothing falls between.
    fn watch_new(&mut self, path: &RelPath, now_ms: u64) {
        if !cfg!(target_os = "linux") {
            self.watched.insert(path.clone());
            return;
        }
        let mut pending = vec![path.clone()];
        while let Some(folder) = pending.pop() {
            self.watch(&folder);
            let Ok(below) = crate::scan::list(&self.folder, &self.rules, Some(&folder)) else { continue };
            for entry in below.into_iter().filter(|entry| !entry.is_ignored) {
                let Some(inner) = entry.path else { continue };
                if entry.kind == EntryKind::Folder {
                    pending.push(inner.clone());
                }
                self.collector.add(inner, now_ms);
            }
        }
    }

    /// Brings the watches in line with what is there and not left out.
    fn watch_all(&mut self) {
        if self.is_polling() {
            return;
        }
        let root = self.folder.root().to_owned();
        let mode = if cfg!(target_os = "linux") { RecursiveMode::NonRecursive } else { RecursiveMode::Recursive };
        self.watch_path(&root, mode);
        self.watch_git();
        // Walked again until nothing new turns up: a folder made behind the walk has no watch yet.
        for _ in 0..8 {
            let Ok(found) = scan_below(&self.folder, &self.rules, None) else { return };
            let there: BTreeSet<RelPath> = found.folders.into_iter().collect();
            let gone: Vec<RelPath> = self.watched.difference(&there).cloned().collect();
            gone.iter().for_each(|folder| self.unwatch(folder));
            let new: Vec<RelPath> = there.difference(&self.watched).cloned().collect();
            new.iter().for_each(|folder| self.watch(folder));
            if new.is_empty() || self.is_polling() {
                return;
            }
        }
    }

    fn watch_git(&mut self) {
        if let Some(git) = self.git_folder.clone().filter(|_| cfg!(target_os = "linux")) {
            self.watch_path(&git, RecursiveMode::NonRecursive);
        }
    }

    fn watch(&mut self, folder: &RelPath) {
        self.watched.insert(folder.clone());
        if cfg!(target_os = "linux") {
            let path = self.folder.root().join(folder.as_str());
            self.watch_path(&path, RecursiveMode::NonRecursive);
        }
    }

    fn watch_path(&mut self, path: &Path, mode: RecursiveMode) {
        let Some(system) = &mut self.system else { return };
        match system.watch(path, mode) {
            Ok(()) => {}
            Err(source) if matches!(source.kind, ErrorKind::MaxFilesWatch) => self.fall_back(&source),
            // Gone again, or not readable: the walk says so.
            Err(source) => tracing::debug!(%source, path = %path.display(), "not watched"),
        }
    }

    fn unwatch(&mut self, folder: &RelPath) {
        let within: Vec<RelPath> = self.watched.iter().filter(|path| path.is_within(folder)).cloned().collect();
        for path in within {
            self.watched.remove(&path);
            if let Some(system) = self.system.as_mut().filter(|_| cfg!(target_os = "linux")) {
                // The system drops watches of removed folders by itself.
                system.unwatch(&self.folder.root().join(path.as_str())).ok();
            }
        }
    }

    fn fall_back(&mut self, source: &notify::Error) {
        tracing::warn!(%source, "no system watch: the folder is walked every {POLL_MS} ms");
        let sentence = "This system can't watch so many folders at once, so changes by other programs are noticed \
                        up to two seconds late."
            .to_owned();
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = WatchState::Polling { sentence };
        self.system = None;
        self.watched.clear();
        let now_ms = self.now_ms();
        self.remember();
        self.collector.add_overflow(now_ms);
    }

    /// What is there now is where polling starts from.
    fn remember(&mut self) {
        self.next_walk_ms = self.now_ms() + POLL_MS;
        if let Ok(found) = scan(&self.folder, &self.rules) {
            self.known = found.files.into_iter().collect();
        }
    }

    fn walk(&mut self) {
        let now_ms = self.now_ms();
        // Ignore files may have changed, and nobody told.
        self.rules.reload();
        match scan(&self.folder, &self.rules) {
            Ok(found) => {
                let there: BTreeMap<RelPath, Stamp> = found.files.into_iter().collect();
                let gone = self.known.keys().filter(|path| !there.contains_key(*path));
                let new =
                    there.iter().filter(|(path, stamp)| self.known.get(*path) != Some(*stamp)).map(|(path, _)| path);
                let changed: Vec<RelPath> = gone.chain(new).cloned().collect();
                changed.into_iter().for_each(|path| self.collector.add(path, now_ms));
                self.known = there;
            }
            Err(source) => tracing::debug!(%source, "the folder could not be walked"),
        }
        self.next_walk_ms = self.now_ms() + POLL_MS;
    }
}

fn is_departure(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::Remove(_)
            | EventKind::Create(_)
            | EventKind::Modify(ModifyKind::Name(RenameMode::From | RenameMode::Both | RenameMode::Any))
    )
}

/// Where git keeps HEAD and the index of this work tree.
fn git_folder(root: &Path) -> Option<PathBuf> {
    // The workspace may be a part of the repository.
    let git = root.ancestors().map(|folder| folder.join(".git")).find(|git| git.exists())?;
    if git.is_dir() {
        return Some(git);
    }
    // A linked work tree or a submodule: a file that says where.
    let text = std::fs::read_to_string(&git).ok()?;
    let target = git.parent()?.join(text.strip_prefix("gitdir:")?.trim());
    target.canonicalize().ok().filter(|folder| folder.is_dir())
}

#[cfg(test)]
mod tests;
