//! Files too large to edit, for whoever shows them: where their rows begin is looked up by a thread of its own, so that
//! the first rows are there at once. Reads the folder and nothing else; must never write, nor go through the engine.

use crate::bridge::folder_error;
use codesync_api::{
    ApiError, ErrorCode, LargeFound, LargeFrom, LargePlace, LargeReply, LargeRequest, LargeRow, LargeState, LineEnd,
};
use codesync_base::RelPath;
use codesync_fs::large::{Direction, Place, RowIndex, Step};
use codesync_fs::{Folder, Stamp};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Files kept open for those who look at them in turn.
const OPEN_MAX: usize = 8;
/// What is looked through before the first answer.
const FIRST_BYTES: u64 = 256 * 1024;
/// What is looked through before the next answers know of it.
const BETWEEN_BYTES: u64 = 16 << 20;

/// The large files that are being looked at. The newest is last.
#[derive(Default)]
pub struct LargeFiles {
    open: Mutex<Vec<Arc<LargeFile>>>,
}

struct LargeFile {
    root: PathBuf,
    name: String,
    path: RelPath,
    folder: Folder,
    now: Mutex<Now>,
}

struct Now {
    file: File,
    /// Of the file when it was opened.
    stamp: Stamp,
    index: RowIndex,
    /// See [`RowIndex::fits`]; taken when all was looked through.
    sample: Vec<u8>,
    generation: u64,
    is_looking: bool,
}

impl LargeFiles {
    /// Answers for a file of the workspace at `root`.
    ///
    /// # Errors
    /// When the path names no file there, or the file cannot be read.
    pub fn answer(&self, root: &Path, request: LargeRequest) -> Result<LargeReply, ApiError> {
        match request {
            LargeRequest::Look { path } => self.find(root, &path)?.look().map(LargeReply::State),
            LargeRequest::Rows { path, from, n } => self.find(root, &path)?.rows(from, n),
            LargeRequest::RowOfLine { path, line } => self.find(root, &path)?.row_of_line(line),
            LargeRequest::Find { path, text, match_case, backwards, from } => {
                let direction = if backwards { Direction::Backward } else { Direction::Forward };
                self.find(root, &path)?.search(&text, match_case, direction, from).map(LargeReply::Found)
            }
            LargeRequest::Text { path, from, to } => self.find(root, &path)?.text(from, to),
            LargeRequest::Leave { path } => {
                self.lock().retain(|file| file.root != root || file.name != path);
                Ok(LargeReply::Done)
            }
        }
    }

    fn find(&self, root: &Path, path: &str) -> Result<Arc<LargeFile>, ApiError> {
        let mut open = self.lock();
        let known = open.iter().position(|file| file.root == root && file.name == path);
        let file = match known {
            Some(at) => open.remove(at),
            None => LargeFile::open(root, path)?,
        };
        open.push(Arc::clone(&file));
        if open.len() > OPEN_MAX {
            open.remove(0);
        }
        Ok(file)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<LargeFile>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LargeFile {
    fn open(root: &Path, name: &str) -> Result<Arc<Self>, ApiError> {
        let path = RelPath::parse(name).map_err(|reason| {
            ApiError::new(ErrorCode::Invalid, format!("“{name}” names no file.")).with_detail(reason)
        })?;
        let folder = Folder::open(root).map_err(folder_error)?;
        let (mut file, stamp) = folder.open_file(&path).map_err(folder_error)?.ok_or_else(|| missing(name))?;
        let mut index = RowIndex::begin(&mut file).map_err(|reason| unreadable(name, reason))?;
        // Without these the first answer would be a file of one row.
        index.go_on(&mut file, stamp.size, FIRST_BYTES).map_err(|reason| unreadable(name, reason))?;
        let now = Now { file, stamp, index, sample: Vec::new(), generation: 1, is_looking: false };
        let (root, name) = (root.to_path_buf(), name.to_owned());
        let large = Arc::new(Self { root, name, path, folder, now: Mutex::new(now) });
        large.go_on_looking(&mut large.lock())?;
        Ok(large)
    }

    /// How far it is looked through. When the file changed, it is looked through again, or on where it only grew.
    fn look(self: &Arc<Self>) -> Result<LargeState, ApiError> {
        let stamp = self.folder.stat(&self.path).map_err(folder_error)?.ok_or_else(|| missing(&self.name))?;
        let mut now = self.lock();
        if !now.is_looking && stamp != now.stamp {
            self.take_in(&mut now)?;
        }
        Ok(LargeState {
            generation: now.generation,
            is_text: now.index.is_text(),
            n_rows: now.index.n_rows(),
            n_lines: now.index.n_lines(),
            size_bytes: now.stamp.size,
            looked_bytes: if now.is_looking { now.index.n_bytes() } else { now.stamp.size },
            widest_units: now.index.widest_units() as u64,
            encoding: now.index.encoding().to_owned(),
            line_end: if now.index.has_crlf() { LineEnd::CrLf } else { LineEnd::Lf },
        })
    }

    fn take_in(self: &Arc<Self>, now: &mut Now) -> Result<(), ApiError> {
        let opened = self.folder.open_file(&self.path).map_err(folder_error)?;
        let (mut file, stamp) = opened.ok_or_else(|| missing(&self.name))?;
        let has_grown = stamp.inode == now.stamp.inode && stamp.size > now.stamp.size;
        let refused = |reason| unreadable(&self.name, reason);
        let goes_on = has_grown && now.index.fits(&mut file, &now.sample).map_err(refused)?;
        if !goes_on {
            now.index = RowIndex::begin(&mut file).map_err(refused)?;
            now.index.go_on(&mut file, stamp.size, FIRST_BYTES).map_err(refused)?;
            now.generation += 1;
        }
        now.file = file;
        now.stamp = stamp;
        self.go_on_looking(now)
    }

    fn go_on_looking(self: &Arc<Self>, now: &mut Now) -> Result<(), ApiError> {
        if !now.index.is_text() {
            return Ok(());
        }
        let (mut file, stamp) =
            self.folder.open_file(&self.path).map_err(folder_error)?.ok_or_else(|| missing(&self.name))?;
        let (weak, mut index, size) = (Arc::downgrade(self), now.index.clone(), stamp.size.min(now.stamp.size));
        now.is_looking = true;
        let work = move || {
            let result = look_through(&weak, &mut file, &mut index, size);
            let Some(large) = weak.upgrade() else { return };
            let mut now = large.lock();
            now.is_looking = false;
            match result {
                Ok(sample) => now.sample = sample,
                Err(reason) => {
                    tracing::warn!(path = large.name, %reason, "a large file was not looked through to its end");
                    // Looked through again when it is asked for.
                    now.stamp.mtime_ns = 0;
                }
            }
        };
        std::thread::Builder::new().name("large file".into()).spawn(work).map(drop).map_err(|reason| {
            now.is_looking = false;
            unreadable(&self.name, reason)
        })
    }

    fn rows(&self, from: u64, n: u32) -> Result<LargeReply, ApiError> {
        let mut now = self.lock();
        let Now { file, index, generation, .. } = &mut *now;
        let rows = index.rows(file, from, n as usize).map_err(|reason| unreadable(&self.name, reason))?;
        let rows =
            rows.into_iter().map(|row| LargeRow { text: row.text, line: row.line, starts_line: row.starts_line });
        Ok(LargeReply::Rows { generation: *generation, rows: rows.collect() })
    }

    fn row_of_line(&self, line: u64) -> Result<LargeReply, ApiError> {
        let mut now = self.lock();
        let Now { file, index, .. } = &mut *now;
        let row = index.row_of_line(file, line).map_err(|reason| unreadable(&self.name, reason))?;
        Ok(LargeReply::Row { row })
    }

    fn text(&self, from: LargePlace, to: LargePlace) -> Result<LargeReply, ApiError> {
        let mut now = self.lock();
        let Now { file, index, .. } = &mut *now;
        let text = index
            .offset_of(file, place(from))
            .and_then(|from| Ok((from, index.offset_of(file, place(to))?)))
            .and_then(|(from, to)| index.text(file, from, to));
        let text = text.map_err(|reason| unreadable(&self.name, reason))?.ok_or_else(|| {
            ApiError::new(ErrorCode::Invalid, "That is too much to copy at once. Up to 16 MB can be copied.")
        })?;
        Ok(LargeReply::Text { text })
    }

    fn search(
        &self,
        text: &str,
        matches_case: bool,
        direction: Direction,
        from: LargeFrom,
    ) -> Result<LargeFound, ApiError> {
        let mut now = self.lock();
        let Now { file, index, is_looking, .. } = &mut *now;
        let Some(needle) = index.needle(text, matches_case) else { return Ok(LargeFound::Over) };
        let mut step = || -> io::Result<LargeFound> {
            let offset = match (from, direction) {
                (LargeFrom::Place { place: at }, _) => index.offset_of(file, place(at))?,
                (LargeFrom::Offset { offset }, _) => offset,
                (LargeFrom::Edge, Direction::Forward) => 0,
                (LargeFrom::Edge, Direction::Backward) => index.n_bytes(),
            };
            Ok(match index.find(file, &needle, offset, direction)? {
                Step::Found { from, to } => LargeFound::Match {
                    from: to_api(index.place_of(file, from)?),
                    to: to_api(index.place_of(file, to)?),
                },
                Step::GoesOn { from } => LargeFound::GoesOn { offset: from },
                // More of the file is about to be known.
                Step::Over if *is_looking && direction == Direction::Forward => LargeFound::GoesOn { offset },
                Step::Over => LargeFound::Over,
            })
        };
        step().map_err(|reason| unreadable(&self.name, reason))
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks through the rest of a file and tells from time to time how far that is. Ends early when nobody has the file
/// open any more.
fn look_through(weak: &Weak<LargeFile>, file: &mut File, index: &mut RowIndex, size: u64) -> io::Result<Vec<u8>> {
    loop {
        let has_more = index.go_on(file, size, BETWEEN_BYTES)?;
        let sample = if has_more { Vec::new() } else { index.sample(file)? };
        let Some(large) = weak.upgrade() else { return Ok(sample) };
        let mut now = large.lock();
        if now.index.encoding() != index.encoding() {
            now.generation += 1;
        }
        now.index = index.clone();
        if !has_more {
            return Ok(sample);
        }
    }
}

fn place(place: LargePlace) -> Place {
    Place { row: place.row, column: place.column }
}

fn to_api(place: Place) -> LargePlace {
    LargePlace { row: place.row, column: place.column }
}

fn missing(name: &str) -> ApiError {
    ApiError::new(ErrorCode::NotFound, format!("“{name}” is not there any more."))
}

fn unreadable(name: &str, reason: io::Error) -> ApiError {
    ApiError::new(ErrorCode::Io, format!("“{name}” could not be read.")).with_detail(reason)
}

#[cfg(test)]
mod tests;
