//! Reading the files of a mass change, or large ones, before they are taken in: they are read, hashed and packed on a
//! thread of its own, and their contents are durable before the first edit names them. So no keystroke waits for any of
//! that. It decides nothing: what it read may be old by the time it is taken.

use codesync_api::ApiError;
use codesync_base::limits::{BLOB_BYTES_MAX, TEXT_FILE_BYTES_MAX};
use codesync_base::{BlobHash, RelPath};
use codesync_engine::api_error;
use codesync_fs::{Content, Folder, Stamp};
use codesync_log::{BlobSync, BlobSynced, Log, PackedBlob, Packer};
use std::collections::{BTreeMap, VecDeque};
use std::io::Read as _;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TryRecvError};
use std::time::Instant;

type Result<T> = std::result::Result<T, ApiError>;

/// Files that are handed over and made durable together.
const FILES_TOGETHER: usize = 256;
/// Bytes of them, but for the last.
const BYTES_TOGETHER: usize = 2 << 20;
/// What is read of a long file at once.
const PIECE_BYTES: usize = 256 << 10;
/// Shorter texts stand in their delta.
const BLOB_BYTES_MIN: usize = 257;

/// A file as it was read.
pub(super) struct ReadFile {
    pub path: RelPath,
    pub hash: BlobHash,
    pub stamp: Stamp,
    pub content: ReadContent,
}

/// Files that were read, and the blobs that they consist of, in the order in which these are to be kept. A long file
/// comes last of several: its parts come as they are read.
#[derive(Default)]
struct Batch {
    files: Vec<ReadFile>,
    packed: VecDeque<PackedBlob>,
    n_bytes: usize,
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
    batches: Receiver<Batch>,
    /// Read, but the log had no room for all of it yet.
    waiting: Option<Batch>,
    syncing: Option<(Receiver<BlobSynced>, Vec<ReadFile>)>,
    ready: BTreeMap<RelPath, ReadFile>,
    has_all: bool,
}

impl ReadAhead {
    /// Begins to read these files in this order, each with whether the disk had it before.
    pub fn start(folder: Folder, paths: Vec<(RelPath, bool)>) -> std::io::Result<Self> {
        let (out, batches) = mpsc::sync_channel(1);
        std::thread::Builder::new().name("codesync-read".into()).spawn(move || read_all(&folder, paths, &out))?;
        Ok(Self { batches, waiting: None, syncing: None, ready: BTreeMap::new(), has_all: false })
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
        self.has_all && self.waiting.is_none() && self.syncing.is_none()
    }

    fn hear_reader(&mut self, until: Option<Instant>) {
        if self.has_all || self.waiting.is_some() {
            return;
        }
        match received(&self.batches, until) {
            Ok(batch) => self.waiting = Some(batch),
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
        let Some(batch) = self.waiting.as_mut().filter(|_| self.syncing.is_none()) else { return Ok(()) };
        while let Some(blob) = batch.packed.front() {
            log.put_ahead(blob).map_err(api_error)?;
            batch.packed.pop_front();
        }
        let begun = log.begin_blob_sync().map_err(api_error)?;
        let files = self.waiting.take().map(|batch| batch.files).unwrap_or_default();
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

fn read_all(folder: &Folder, paths: Vec<(RelPath, bool)>, out: &SyncSender<Batch>) {
    let mut batch = Batch::default();
    for (path, is_known) in paths {
        let read = match pack_long(folder, &path, &mut |part| batch.add(part, out)) {
            Ok(None) => read(folder, path, is_known, &mut batch),
            Ok(long) => long,
            Err(NotPacked::NobodyWaits) => return,
            // Gone again, or not to be read: who takes it in finds out.
            Err(NotPacked::NotRead) => None,
        };
        let Some(file) = read else { continue };
        batch.n_bytes += file.n_bytes();
        batch.files.push(file);
        let is_full = batch.files.len() >= FILES_TOGETHER || batch.n_bytes >= BYTES_TOGETHER;
        if is_full && batch.hand_on(out).is_err() {
            return;
        }
    }
    // Whoever wanted them may be gone.
    batch.hand_on(out).unwrap_or_default();
}

impl Batch {
    fn add(&mut self, blob: PackedBlob, out: &SyncSender<Batch>) -> std::result::Result<(), NotPacked> {
        self.n_bytes += blob.n_bytes();
        self.packed.push_back(blob);
        if self.n_bytes < BYTES_TOGETHER { Ok(()) } else { self.hand_on(out) }
    }

    fn hand_on(&mut self, out: &SyncSender<Batch>) -> std::result::Result<(), NotPacked> {
        out.send(std::mem::take(self)).map_err(|_| NotPacked::NobodyWaits)
    }
}

/// Why a long file was not read.
pub(super) enum NotPacked {
    NobodyWaits,
    NotRead,
}

/// Reads a file that is too large to be a text, part by part; none when it is not.
pub(super) fn pack_long(
    folder: &Folder,
    path: &RelPath,
    keep: &mut dyn FnMut(PackedBlob) -> std::result::Result<(), NotPacked>,
) -> std::result::Result<Option<ReadFile>, NotPacked> {
    let is_long = |stamp: &Stamp| (TEXT_FILE_BYTES_MAX + 1..=BLOB_BYTES_MAX).contains(&stamp.size);
    if !matches!(folder.stat(path), Ok(Some(stamp)) if is_long(&stamp)) {
        return Ok(None);
    }
    let Ok(Some((mut file, stamp))) = folder.open_file(path) else { return Err(NotPacked::NotRead) };
    let (mut packer, mut piece) = (Packer::default(), vec![0; PIECE_BYTES]);
    loop {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(n_bytes) => packer.take(&piece[..n_bytes], keep)?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return Err(NotPacked::NotRead),
        }
        if packer.length_bytes() > BLOB_BYTES_MAX {
            return Err(NotPacked::NotRead);
        }
    }
    let length_bytes = packer.length_bytes();
    let hash = packer.end(keep)?;
    // Where somebody is writing it, the stamp from before does not fit the file, so that it is read once more later.
    Ok(Some(ReadFile { path: path.clone(), hash, stamp, content: ReadContent::Whole { length_bytes } }))
}

fn read(folder: &Folder, path: RelPath, is_known: bool, batch: &mut Batch) -> Option<ReadFile> {
    let file = folder.read(&path).ok()??;
    let hash = BlobHash::of(&file.bytes);
    let mut pack = |hash, bytes: &[u8]| {
        let blob = PackedBlob::of(hash, bytes);
        batch.n_bytes += blob.n_bytes();
        batch.packed.push_back(blob);
    };
    let content = match codesync_fs::read_text(&file.bytes) {
        Content::Text { text, exact, .. } => {
            // Of a text that was there before only the difference is kept.
            if !is_known && text.len() >= BLOB_BYTES_MIN {
                let name = if text.as_bytes() == file.bytes { hash } else { BlobHash::of(text.as_bytes()) };
                pack(name, text.as_bytes());
            }
            if !exact {
                pack(hash, &file.bytes);
            }
            ReadContent::Bytes(file.bytes)
        }
        Content::Binary { .. } => {
            pack(hash, &file.bytes);
            ReadContent::Whole { length_bytes: file.bytes.len() as u64 }
        }
    };
    Some(ReadFile { path, hash, stamp: file.stamp, content })
}

impl ReadFile {
    /// That it keeps in memory.
    fn n_bytes(&self) -> usize {
        match &self.content {
            ReadContent::Bytes(bytes) => bytes.len(),
            ReadContent::Whole { .. } => 0,
        }
    }
}
