//! Whether typing stays smooth while another program changes many files, and how soon a folder of many files can be
//! used. The real node follows a real folder; keystrokes are timed from the request to its answer, which is durable.

use crate::figures::{Figure, Gathered, timed};
use crate::folders::make_files;
use anyhow::{Context, Result, bail, ensure};
use codesync_api::{Event, Reply, Request, Splice};
use codesync_node::{Node, Options};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two keystrokes.
const KEY_EVERY: Duration = Duration::from_millis(8);
/// What is waited for is not coming after this.
const PATIENCE: Duration = Duration::from_secs(240);
/// The node puts history in order after this much quiet.
const QUIET: Duration = Duration::from_millis(2_010);
const TYPED: &str = "typed.md";

pub fn measure(n_files: u32, folder: &Path) -> Result<Vec<Figure>> {
    let mut figures = Gathered::of(format!("{n_files} files, half of them changed by a checkout"));
    let root = folder.join("workspace");
    make_files(n_files, 3, &root)?;
    std::fs::write(root.join(TYPED), "typed here\n")?;
    for what in ["first opening", "reopening"] {
        open_and_use(what, n_files, &root, &mut figures)?;
    }
    let node = open(&root)?;
    let events = node.subscribe();
    open_view(&node, Path::new(TYPED))?;
    let typist = Typist::start(node.clone());
    std::thread::sleep(Duration::from_secs(2));
    let before = typist.take();
    let n_changed = n_files / 2;
    let began = Instant::now();
    make_files(n_changed, 4, &root)?;
    figures.add("files written by the checkout", began.elapsed().as_secs_f64(), "s");
    let n_told = told_of(&events, n_changed)?;
    ensure!(n_told == u64::from(n_changed), "{n_told} of {n_changed} files came as one change");
    figures.add("checkout taken in", began.elapsed().as_secs_f64(), "s");
    let during = typist.take();
    add_keys("before the checkout", before, &mut figures);
    add_keys("during the checkout", during, &mut figures);
    std::thread::sleep(Duration::from_secs(3));
    add_keys("after the checkout", typist.stop()?, &mut figures);
    keys_after_quiet(&node, &mut figures)?;
    let (done, took) = timed(|| node.close());
    let () = done;
    figures.add("closed", took.as_secs_f64(), "s");
    figures.add_memory("checkout");
    Ok(figures.figures)
}

/// Only the opening, of a folder that was taken in before.
pub fn measure_opening(n_files: u32, folder: &Path) -> Result<Vec<Figure>> {
    let mut figures = Gathered::of(format!("{n_files} files"));
    open_and_use("reopening", n_files, &folder.join("workspace"), &mut figures)?;
    Ok(figures.figures)
}

fn open(root: &Path) -> Result<Node> {
    Ok(Node::open(root, Options { person: Some("Bench".into()), watch: true, create: true })?)
}

/// How soon the folder is listed and a file takes typing, and when all of it is taken in.
fn open_and_use(what: &str, n_files: u32, root: &Path, figures: &mut Gathered) -> Result<()> {
    let began = Instant::now();
    let seconds = |figures: &mut Gathered, name: &str| {
        figures.add(format!("{what}: {name}"), began.elapsed().as_secs_f64(), "s");
    };
    let node = open(root)?;
    seconds(figures, "answers");
    match node.call(Request::ListFolder { path: String::new(), at: None })? {
        Reply::Folder { entries } => ensure!(entries.len() > 1, "the folder lists {} entries", entries.len()),
        other => bail!("a listing was answered with {other:?}"),
    }
    seconds(figures, "lists the folder");
    open_view(&node, &last_file(n_files))?;
    seconds(figures, "opens a file");
    // As a window has it that is typed into. Its history stands between all that was taken in meanwhile.
    open_view(&node, Path::new(TYPED))?;
    seconds(figures, "opens the file that is typed into");
    let typist = Typist::start(node.clone());
    let n_wanted = u64::from(n_files) + 1;
    while n_known(&node)? < n_wanted {
        ensure!(began.elapsed() < PATIENCE, "the folder was not taken in");
        std::thread::sleep(Duration::from_millis(20));
    }
    seconds(figures, "all taken in");
    add_keys(&format!("while all is taken in ({what})"), typist.stop()?, figures);
    let ((), took) = timed(|| node.close());
    figures.add(format!("{what}: closed"), took.as_secs_f64(), "s");
    figures.add_memory(what);
    Ok(())
}

fn open_view(node: &Node, path: &Path) -> Result<()> {
    match node.call(Request::OpenView { path: path.display().to_string() })? {
        Reply::View(view) => ensure!(view.read_only.is_none() && !view.text.is_empty(), "a file opened unusable"),
        other => bail!("an opening was answered with {other:?}"),
    }
    Ok(())
}

/// Keystrokes at the moment at which history is put in order.
fn keys_after_quiet(node: &Node, figures: &mut Gathered) -> Result<()> {
    let mut keys = Vec::new();
    for _ in 0..3 {
        std::thread::sleep(QUIET);
        for _ in 0..20 {
            keys.push(Key::typed(node)?);
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    add_keys("while history is put in order", keys, figures);
    Ok(())
}

fn last_file(n_files: u32) -> PathBuf {
    crate::folders::path_of(n_files - 1)
}

fn n_known(node: &Node) -> Result<u64> {
    match node.call(Request::Status)? {
        Reply::Status(status) => Ok(status.n_files),
        other => bail!("a question for the status was answered with {other:?}"),
    }
}

/// Waits until the change of so many files by the disk is told. Says how many it was.
fn told_of(events: &Receiver<Event>, n_wanted: u32) -> Result<u64> {
    let until = Instant::now() + PATIENCE;
    let mut n_told = 0;
    while n_told < u64::from(n_wanted) {
        let wait = until.saturating_duration_since(Instant::now());
        let event = events.recv_timeout(wait).with_context(|| format!("only {n_told} files were told of"))?;
        if let Event::Act(act) = event
            && act.author == "Disk"
        {
            n_told = n_told.max(act.n_files);
        }
    }
    Ok(n_told)
}

fn type_key(node: &Node) -> Result<()> {
    let edits = vec![Splice(0, 0, "k".into())];
    match node.call(Request::EditFile { path: TYPED.into(), edits })? {
        Reply::Edited { n_applied: 1 } => Ok(()),
        other => bail!("an edit was answered with {other:?}"),
    }
}

/// One keystroke.
struct Key {
    /// From the request to its answer.
    took: Duration,
    /// What the engine's thread computed meanwhile; the rest is the disk, and other programs on a busy machine.
    computed: Duration,
}

impl Key {
    fn typed(node: &Node) -> Result<Self> {
        let before = engine_time();
        let (done, took) = timed(|| type_key(node));
        done?;
        Ok(Self { took, computed: engine_time().saturating_sub(before) })
    }
}

fn add_keys(when: &str, keys: Vec<Key>, figures: &mut Gathered) {
    let longest_ms = |times: &[Duration]| times.iter().max().map_or(0.0, |time| time.as_secs_f64() * 1e3);
    let (mut took, mut computed): (Vec<_>, Vec<_>) = keys.into_iter().map(|key| (key.took, key.computed)).unzip();
    figures.add_times(&format!("keystroke {when}"), &mut took);
    figures.add(format!("keystroke {when}, longest"), longest_ms(&took), "ms");
    figures.add_times(&format!("keystroke {when}, computing"), &mut computed);
    figures.add(format!("keystroke {when}, computing, longest"), longest_ms(&computed), "ms");
}

/// Processor time of the engine's thread so far; none where the system does not say.
fn engine_time() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let engine = threads
        .map(|thread| thread.path())
        .find(|thread| std::fs::read_to_string(thread.join("comm")).is_ok_and(|name| name.trim() == "codesync-engine"));
    let said = engine.and_then(|thread| std::fs::read_to_string(thread.join("schedstat")).ok()).unwrap_or_default();
    Duration::from_nanos(said.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0))
}

/// Types on a thread of its own until it is stopped.
struct Typist {
    times: Arc<Mutex<Vec<Key>>>,
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Result<()>>,
}

impl Typist {
    fn start(node: Node) -> Self {
        let (times, stop) = (Arc::<Mutex<Vec<Key>>>::default(), Arc::new(AtomicBool::new(false)));
        let (noted, stopped) = (times.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let key = Key::typed(&node)?;
                noted.lock().unwrap_or_else(PoisonError::into_inner).push(key);
                std::thread::sleep(KEY_EVERY);
            }
            Ok(())
        });
        Self { times, stop, thread }
    }

    /// Times noted since the last call.
    fn take(&self) -> Vec<Key> {
        std::mem::take(&mut self.times.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn stop(self) -> Result<Vec<Key>> {
        self.stop.store(true, Ordering::Relaxed);
        let times = self.times.clone();
        self.thread.join().map_err(|_| anyhow::anyhow!("the typist panicked"))??;
        Ok(std::mem::take(&mut times.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}
