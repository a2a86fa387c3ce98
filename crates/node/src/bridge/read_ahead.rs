//! Reading the files of a mass change, or large ones, before they are taken in: they are read, hashed and packed on a
//! thread of its own, and their contents are durable before the first edit names them. So no keystroke waits for any of
//! that. It decides nothing: what it read may be old by the time it is taken.

use codesync_api::ApiError;
use codesync_base::{BlobHash, RelPath};
use codesync_engine::api_error;
use codesync_fs::{Content, Folder, Stamp};
use codesync_log::{BlobSync, BlobSynced, Log, PackedBlob};
use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TryRecvError};
use std::time::Instant;

type Result<T> = std::result::Result<T, ApiError>;

/// Files that are handed over and made durable together.
const FILES_TOGETHER: usize = 256;
/// Bytes of them, but for the last.
const BYTES_TOGETHER: usize = 2 << 20;
/// Shorter texts stand in their delta.
const BLOB_BYTES_MIN: usize = 257;

/// A file as it was read.
pub(super) struct ReadFile {
    pub path: RelPath,
    pub hash: BlobHash,
    pub stamp: Stamp,
    pub content: ReadContent,
    packed: Vec<PackedBlob>,
}

pub(super) enum ReadContent {
    /// Text, or what is found out when it is taken in.
    Bytes(Vec<u8>),
    /// Kept whole: the log has the bytes.
    Whole { length_bytes: u64 },
}

/// What is known of a file that was asked for.
pub(super) enum Read {
    Ready(Box<ReadFile>),
    /// It is on its way.
    Awaited,
    /// It will not come: it could not be read, or was not among those to be.
    Never,
}

pub(super) struct ReadAhead {
    batches: Receiver<Vec<ReadFile>>,
    /// Read, but the log had no room for all of it yet.
    waiting: Vec<ReadFile>,
    syncing: Option<(Receiver<BlobSynced>, Vec<ReadFile>)>,
    ready: BTreeMap<RelPath, ReadFile>,
    has_all: bool,
}

impl ReadAhead {
    /// Begins to read these files in this order, each with whether the disk had it before.
    pub fn start(folder: Folder, paths: Vec<(RelPath, bool)>) -> std::io::Result<Self> {
        let (out, batches) = mpsc::sync_channel(1);
        std::thread::Builder::new().name("codesync-read".into()).spawn(move || read_all(&folder, paths, &out))?;
        Ok(Self { batches, waiting: Vec::new(), syncing: None, ready: BTreeMap::new(), has_all: false })
    }

    /// The file at a path, with all that it consists of durable. Waits for it until then.
    pub fn take(&mut self, path: &RelPath, log: &mut Log, until: Instant) -> Result<Read> {
        loop {
            self.hear_sync(log, None)?;
            if self.syncing.is_none() && self.ready.len() < FILES_TOGETHER / 2 {
                self.hear_reader(None);
                self.put_ahead(log)?;
            }
            if let Some(file) = self.ready.remove(path) {
                return Ok(Read::Ready(Box::new(file)));
            }
            if self.syncing.is_some() {
                self.hear_sync(log, Some(until))?;
            } else {
                self.hear_reader(Some(until));
            }
            self.put_ahead(log)?;
            if self.is_over() {
                return Ok(self.ready.remove(path).map_or(Read::Never, |file| Read::Ready(Box::new(file))));
            }
            if Instant::now() >= until && !self.ready.contains_key(path) {
                return Ok(Read::Awaited);
            }
        }
    }

    /// A file that somebody wants at once, if it happens to be there.
    pub fn take_early(&mut self, path: &RelPath) -> Option<ReadFile> {
        self.ready.remove(path)
    }

    fn is_over(&self) -> bool {
        self.has_all && self.waiting.is_empty() && self.syncing.is_none()
    }

    fn hear_reader(&mut self, until: Option<Instant>) {
        if self.has_all || !self.waiting.is_empty() {
            return;
        }
        match received(&self.batches, until) {
            Ok(batch) => self.waiting = batch,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.has_all = true,
        }
    }

    fn hear_sync(&mut self, log: &mut Log, until: Option<Instant>) -> Result<()> {
        let Some((done, _)) = &self.syncing else { return Ok(()) };
        let synced = match received(done, until) {
            Ok(synced) => Some(synced),
            Err(RecvTimeoutError::Timeout) => return Ok(()),
            Err(RecvTimeoutError::Disconnected) => None,
        };
        // Should it have failed, the log makes them durable itself before anything names them.
        let files = self.syncing.take().map(|(_, files)| files).unwrap_or_default();
        self.ready.extend(files.into_iter().map(|file| (file.path.clone(), file)));
        synced.map_or(Ok(()), |synced| log.end_blob_sync(synced).map_err(api_error))
    }

    /// Puts contents into the log and begins to make them durable.
    fn put_ahead(&mut self, log: &mut Log) -> Result<()> {
        if self.waiting.is_empty() || self.syncing.is_some() {
            return Ok(());
        }
        for file in &mut self.waiting {
            while let Some(blob) = file.packed.last() {
                log.put_ahead(blob).map_err(api_error)?;
                file.packed.pop();
            }
        }
        let begun = log.begin_blob_sync().map_err(api_error)?;
        let files = std::mem::take(&mut self.waiting);
        match begun.map(sync_elsewhere) {
            Some(Some(done)) => self.syncing = Some((done, files)),
            // Nothing to do, or no thread to do it: then the next commit does.
            Some(None) | None => self.ready.extend(files.into_iter().map(|file| (file.path.clone(), file))),
        }
        Ok(())
    }
}

/// What came, waited for until then, or not at all.
fn received<T>(from: &Receiver<T>, until: Option<Instant>) -> std::result::Result<T, RecvTimeoutError> {
    let wait = until.map(|until| until.saturating_duration_since(Instant::now())).filter(|wait| !wait.is_zero());
    match wait {
        Some(wait) => from.recv_timeout(wait),
        None => from.try_recv().map_err(|error| match error {
            TryRecvError::Empty => RecvTimeoutError::Timeout,
            TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
        }),
    }
}

fn sync_elsewhere(task: BlobSync) -> Option<Receiver<BlobSynced>> {
    let (out, done) = mpsc::channel();
    // Whoever wanted to know may be gone.
    let run = move || out.send(task.run()).unwrap_or_default();
    std::thread::Builder::new().name("codesync-blobs".into()).spawn(run).ok()?;
    Some(done)
}

fn read_all(folder: &Folder, paths: Vec<(RelPath, bool)>, out: &SyncSender<Vec<ReadFile>>) {
    let (mut batch, mut n_bytes) = (Vec::new(), 0);
    for (path, is_known) in paths {
        // Gone again, or not to be read: who takes it in finds out.
        let Some(file) = read(folder, path, is_known) else { continue };
        n_bytes += file.n_bytes();
        batch.push(file);
        if batch.len() >= FILES_TOGETHER || n_bytes >= BYTES_TOGETHER {
            n_bytes = 0;
            if out.send(std::mem::take(&mut batch)).is_err() {
                return;
            }
        }
    }
    if !batch.is_empty() {
        // Whoever wanted them may be gone.
        out.send(batch).unwrap_or_default();
    }
}

fn read(folder: &Folder, path: RelPath, is_known: bool) -> Option<ReadFile> {
    let file = folder.read(&path).ok()??;
    let hash = BlobHash::of(&file.bytes);
    let mut packed = Vec::new();
    let content = match codesync_fs::read_text(&file.bytes) {
        Content::Text { text, exact, .. } => {
            // Of a text that was there before only the difference is kept.
            if !is_known && text.len() >= BLOB_BYTES_MIN {
                let name = if text.as_bytes() == file.bytes { hash } else { BlobHash::of(text.as_bytes()) };
                packed.push(PackedBlob::of(name, text.as_bytes()));
            }
            if !exact {
                packed.push(PackedBlob::of(hash, &file.bytes));
            }
            ReadContent::Bytes(file.bytes)
        }
        Content::Binary { .. } => {
            packed.push(PackedBlob::of(hash, &file.bytes));
            ReadContent::Whole { length_bytes: file.bytes.len() as u64 }
        }
    };
    Some(ReadFile { path, hash, stamp: file.stamp, content, packed })
}

impl ReadFile {
    fn n_bytes(&self) -> usize {
        let kept = match &self.content {
            ReadContent::Bytes(bytes) => bytes.len(),
            ReadContent::Whole { .. } => 0,
        };
        kept + self.packed.iter().map(PackedBlob::n_bytes).sum::<usize>()
    }
}
