//! What the folder on disk had when we last read or wrote it: one append-only file of lines, written anew when most of
//! them are old. It tells our own writes from others' even after a crash between two of them.
//!
//! A line is `crc32c-hex json`. A line that does not check ends the reading: what follows is forgotten, and
//! the files concerned are simply compared again.

use crate::bridge::Intents;
use codesync_base::{BlobHash, FileId, RelPath};
use codesync_fs::{ShadowEntry, ShadowTable, Stamp};
use serde::{Deserialize, Serialize};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Lines beyond the number of entries after which the file is written anew.
const SLACK_LINES: usize = 20_000;

/// What is known of one path on disk.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Known {
    pub entry: ShadowEntry,
    /// Steps of the file's timeline that these bytes contain.
    pub n_steps: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Line {
    Known(RelPath, Known),
    Gone(RelPath),
    /// We are about to write these bytes.
    Intent(RelPath, FileId, BlobHash, Option<u64>),
    /// The file's text is ahead of the disk (or the other way round, until compared).
    Stale(FileId),
    Fresh(FileId),
}

#[derive(Debug, Default)]
pub(crate) struct Shadow {
    /// What other programs' changes are measured against.
    pub table: Arc<ShadowTable>,
    n_steps: BTreeMap<RelPath, u64>,
    /// Nearly always one path each.
    by_file: BTreeMap<FileId, Vec<RelPath>>,
    intents: Intents,
    stale: BTreeSet<FileId>,
    path: PathBuf,
    out: Option<File>,
    /// Length of the whole lines in the file: a write that broke off is cut away before the next.
    length_bytes: u64,
    is_torn: bool,
    /// Some of what was noted could not be read: it is not known which files are behind.
    pub is_cut_short: bool,
    /// Lines that may be written once history has what they speak of.
    later: String,
    n_lines: usize,
}

impl Shadow {
    pub fn open(path: PathBuf) -> io::Result<Self> {
        let mut shadow = Self { path, ..Self::default() };
        match fs::read_to_string(&shadow.path) {
            Ok(text) => {
                for line in text.split_inclusive('\n') {
                    let Some(known) = checked(line.trim_end()) else {
                        shadow.is_cut_short = true;
                        break;
                    };
                    shadow.apply(&known);
                    shadow.length_bytes += line.len() as u64;
                    shadow.n_lines += 1;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // Not readable as text: nothing is known, everything is compared again.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => shadow.is_cut_short = true,
            Err(error) => return Err(error),
        }
        if !(shadow.is_cut_short || shadow.is_mostly_old()) || !shadow.is_compacted() {
            shadow.out = Some(OpenOptions::new().create(true).append(true).open(&shadow.path)?);
            shadow.cut()?;
        }
        Ok(shadow)
    }

    /// Steps of its timeline that the file at this path contained when it was last read or written.
    pub fn n_steps(&self, path: &RelPath) -> Option<u64> {
        self.n_steps.get(path).copied()
    }

    /// Nothing was ever known: the first look at a folder.
    pub fn is_blank(&self) -> bool {
        self.table.is_empty() && self.intents.is_empty() && self.stale.is_empty()
    }

    /// What another program did is known from now on, but not after a crash that history did not survive: the
    /// change would be passed over, and then written over. [`Self::write_later`] makes it last.
    pub fn known_later(&mut self, path: &RelPath, known: Known) {
        self.put_later(Line::Known(path.clone(), known));
    }

    pub fn gone_later(&mut self, path: &RelPath) {
        if self.table.get(path).is_some() {
            self.put_later(Line::Gone(path.clone()));
        }
    }

    /// History has all that was noted for later.
    pub fn write_later(&mut self) -> io::Result<()> {
        let text = std::mem::take(&mut self.later);
        let written = self.append(&text);
        if written.is_err() {
            self.later = text;
        }
        written
    }

    pub fn known(&mut self, path: &RelPath, known: Known) -> io::Result<()> {
        self.put(Line::Known(path.clone(), known))
    }

    pub fn gone(&mut self, path: &RelPath) -> io::Result<()> {
        if self.table.get(path).is_some() { self.put(Line::Gone(path.clone())) } else { Ok(()) }
    }

    /// Says which bytes are about to be written, durably.
    pub fn intend(&mut self, path: &RelPath, file: FileId, hash: BlobHash, n_steps: Option<u64>) -> io::Result<()> {
        self.put(Line::Intent(path.clone(), file, hash, n_steps))
    }

    /// Bytes that we were about to write: if the disk has them, that was us.
    pub fn intents(&self) -> &Intents {
        &self.intents
    }

    /// The same contents were seen with a newer stamp at this time; they need not be read again.
    pub fn refresh(&mut self, path: &RelPath, hash: BlobHash, stamp: Stamp, noted_ns: i64) {
        if let Some(entry) = self.table.get(path).copied().filter(|entry| entry.hash == hash) {
            Arc::make_mut(&mut self.table).note(path.clone(), ShadowEntry { stamp, noted_ns, ..entry });
        }
    }

    pub fn mark_stale(&mut self, files: impl IntoIterator<Item = FileId>) -> io::Result<()> {
        let new: Vec<FileId> = files.into_iter().filter(|file| !self.stale.contains(file)).collect();
        if new.is_empty() {
            return Ok(());
        }
        new.into_iter().try_for_each(|file| self.put(Line::Stale(file)))?;
        self.sync()
    }

    pub fn mark_fresh(&mut self, file: FileId) -> io::Result<()> {
        if self.stale.contains(&file) { self.put(Line::Fresh(file)) } else { Ok(()) }
    }

    pub fn stale(&self) -> Vec<FileId> {
        self.stale.iter().copied().collect()
    }

    /// Paths on disk that hold this file.
    pub fn paths_of(&self, file: &FileId) -> Vec<RelPath> {
        self.by_file.get(file).cloned().unwrap_or_default()
    }

    pub fn sync(&mut self) -> io::Result<()> {
        self.out.as_ref().map_or(Ok(()), File::sync_data)
    }

    fn put(&mut self, line: Line) -> io::Result<()> {
        self.append(&encoded(&line))?;
        self.apply(&line);
        Ok(())
    }

    fn is_mostly_old(&self) -> bool {
        self.n_lines > 2 * self.table.len() + SLACK_LINES
    }

    /// Writes the file anew where most of it is old. For when nobody waits: in a large folder it takes a moment.
    pub fn tidy(&mut self) {
        if self.is_mostly_old() && self.later.is_empty() && !self.is_compacted() {
            self.n_lines = self.table.len();
        }
    }

    /// On a full disk it may not be, and what is there is gone on with.
    fn is_compacted(&mut self) -> bool {
        let done = self.compact();
        if let Err(error) = &done {
            tracing::debug!(%error, "the shadow stays as long as it is");
        }
        done.is_ok()
    }

    fn put_later(&mut self, line: Line) {
        self.later.push_str(&encoded(&line));
        self.apply(&line);
    }

    fn append(&mut self, text: &str) -> io::Result<()> {
        if self.is_torn {
            self.cut()?;
        }
        let Some(out) = &mut self.out else { return Ok(()) };
        if let Err(error) = out.write_all(text.as_bytes()) {
            self.is_torn = true;
            return Err(error);
        }
        self.length_bytes += text.len() as u64;
        self.n_lines += text.lines().count();
        Ok(())
    }

    /// Takes away what stands after the last whole line.
    fn cut(&mut self) -> io::Result<()> {
        self.out.as_ref().map_or(Ok(()), |out| out.set_len(self.length_bytes))?;
        self.is_torn = false;
        Ok(())
    }

    fn apply(&mut self, line: &Line) {
        match line {
            Line::Known(path, known) => {
                self.forget(path);
                match self.by_file.entry(known.entry.file) {
                    Entry::Vacant(vacant) => drop(vacant.insert(vec![path.clone()])),
                    Entry::Occupied(mut paths) => {
                        let paths = paths.get_mut();
                        if let Err(idx) = paths.binary_search(path) {
                            paths.insert(idx, path.clone());
                        }
                    }
                }
                Arc::make_mut(&mut self.table).note(path.clone(), known.entry);
                if let Some(n_steps) = known.n_steps {
                    self.n_steps.insert(path.clone(), n_steps);
                }
                self.intents.remove(path);
            }
            Line::Gone(path) => self.forget(path),
            Line::Intent(path, file, hash, n_steps) => self.intents.extend([(path.clone(), (*file, *hash, *n_steps))]),
            Line::Stale(file) => drop(self.stale.insert(*file)),
            Line::Fresh(file) => drop(self.stale.remove(file)),
        }
    }

    fn forget(&mut self, path: &RelPath) {
        self.n_steps.remove(path);
        let Some(entry) = Arc::make_mut(&mut self.table).forget(path) else { return };
        if let Some(paths) = self.by_file.get_mut(&entry.file) {
            paths.retain(|known| known != path);
            if paths.is_empty() {
                self.by_file.remove(&entry.file);
            }
        }
    }

    /// Writes the file anew with what is true now.
    fn compact(&mut self) -> io::Result<()> {
        let mut text = String::new();
        for (path, entry) in self.table.iter() {
            let known = Known { entry: *entry, n_steps: self.n_steps(path) };
            text.push_str(&encoded(&Line::Known(path.clone(), known)));
        }
        for (path, (file, hash, n_steps)) in &self.intents {
            text.push_str(&encoded(&Line::Intent(path.clone(), *file, *hash, *n_steps)));
        }
        self.stale.iter().for_each(|file| text.push_str(&encoded(&Line::Stale(*file))));
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut temp = tempfile::NamedTempFile::new_in(folder)?;
        temp.write_all(text.as_bytes())?;
        temp.as_file().sync_data()?;
        temp.persist(&self.path).map_err(|error| error.error)?;
        self.out = Some(OpenOptions::new().append(true).open(&self.path)?);
        self.length_bytes = text.len() as u64;
        self.n_lines = self.table.len();
        Ok(())
    }
}

fn encoded(line: &Line) -> String {
    let json = serde_json::to_string(line).expect("invariant: plain data has a JSON form");
    format!("{:08x} {json}\n", crc32c::crc32c(json.as_bytes()))
}

fn checked(line: &str) -> Option<Line> {
    let (crc, json) = line.split_once(' ')?;
    (u32::from_str_radix(crc, 16).ok()? == crc32c::crc32c(json.as_bytes())).then(|| serde_json::from_str(json).ok())?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn known(byte: u8) -> Known {
        let stamp = codesync_fs::Stamp::default();
        let entry = ShadowEntry { file: FileId([byte; 16]), hash: BlobHash([byte; 32]), stamp, noted_ns: 5 };
        Known { entry, n_steps: Some(3) }
    }

    #[test]
    fn what_was_known_is_known_after_reopening_even_with_a_torn_end() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("shadow");
        let (a, b) = (RelPath::parse("a.rs").unwrap(), RelPath::parse("b/ö.rs").unwrap());
        let mut shadow = Shadow::open(file.clone()).unwrap();
        shadow.known(&a, known(1)).unwrap();
        shadow.known(&b, known(2)).unwrap();
        shadow.gone(&a).unwrap();
        shadow.mark_stale([FileId([2; 16]), FileId([3; 16])]).unwrap();
        shadow.mark_fresh(FileId([3; 16])).unwrap();
        shadow.intend(&b, FileId([2; 16]), BlobHash([9; 32]), None).unwrap();
        drop(shadow);
        let mut text = fs::read_to_string(&file).unwrap();
        text.push_str("0123 torn");
        fs::write(&file, text).unwrap();
        let shadow = Shadow::open(file).unwrap();
        assert_eq!(shadow.table.len(), 1);
        assert_eq!(shadow.table.get(&b), Some(&known(2).entry));
        assert_eq!((shadow.n_steps(&a), shadow.n_steps(&b)), (None, Some(3)));
        assert_eq!(shadow.stale(), vec![FileId([2; 16])]);
        assert_eq!(shadow.intents().get(&b), Some(&(FileId([2; 16]), BlobHash([9; 32]), None)));
        assert_eq!(shadow.paths_of(&FileId([2; 16])), vec![b]);
    }
}
