//! What other programs did to the folder: compares what we last wrote or read with what is there. Pure.
//! A hash tells our own write from another's, never a time.

use crate::Stamp;
use crate::parted::PartedMap;
use codesync_base::{BlobHash, FileId, RelPath};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A file changed this shortly before we looked may change again without a new time: some file systems
/// count in steps of two seconds.
const RACY_NS: i64 = 2_000_000_000;
/// A changed file under another name is the same file when at least this much of it is.
const SIMILAR_PERCENT_MIN: u64 = 60;
/// The same inode counts as evidence, so that less has to be alike.
const SIMILAR_SAME_INODE_PERCENT_MIN: u64 = 30;
/// Beyond this many files on a side similar ones are not looked for; git stops at 1,000, too.
const SIMILAR_FILES_MAX: usize = 1_000;

/// What we last wrote to or read from one path.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ShadowEntry {
    /// BLAKE3 of the bytes.
    pub hash: BlobHash,
    pub stamp: Stamp,
    pub file: FileId,
    /// When the stamp was taken, nanoseconds since 1970.
    pub noted_ns: i64,
}

/// What the folder was like when we last looked. A copy costs little, and so does the first change after it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ShadowTable {
    entries: PartedMap<RelPath, ShadowEntry>,
}

/// What is at a path now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Observation {
    pub path: RelPath,
    pub state: DiskState,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiskState {
    Missing,
    Present { hash: BlobHash, stamp: Stamp },
}

/// What another program did. In one list: removals, then renames, then the rest; a renamed file whose
/// content changed is `Renamed` and then `Modified`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum DiskChange {
    Removed { path: RelPath },
    Renamed { from: RelPath, to: RelPath },
    Created { path: RelPath },
    Modified { path: RelPath },
    ModeChanged { path: RelPath, mode: u32 },
}

/// Texts to tell a renamed and edited file by; asked for only when names and contents do not.
pub trait Texts {
    /// Text that was last at this path; none for binaries.
    fn shadow_text(&self, path: &RelPath) -> Option<String>;
    /// Text that is there now; none for binaries.
    fn disk_text(&self, path: &RelPath) -> Option<String>;
}

/// No texts: files renamed and edited at once are a removed and a created one.
pub struct NoTexts;

impl Texts for NoTexts {
    fn shadow_text(&self, _path: &RelPath) -> Option<String> {
        None
    }

    fn disk_text(&self, _path: &RelPath) -> Option<String> {
        None
    }
}

impl ShadowEntry {
    /// Whether a file with this stamp need not be read.
    pub fn is_surely_unchanged(&self, stamp: &Stamp) -> bool {
        self.stamp == *stamp && stamp.mtime_ns.saturating_add(RACY_NS) < self.noted_ns
    }
}

impl ShadowTable {
    pub fn get(&self, path: &RelPath) -> Option<&ShadowEntry> {
        self.entries.get(path)
    }

    /// Notes what was just written or read.
    pub fn note(&mut self, path: RelPath, entry: ShadowEntry) {
        self.entries.insert(path, entry);
    }

    /// Notes that nothing is there any more. Answers what was.
    pub fn forget(&mut self, path: &RelPath) -> Option<ShadowEntry> {
        self.entries.remove(path)
    }

    /// Takes over newer stamps of unchanged contents, so that they need not be read again.
    pub fn refresh(&mut self, observed: &[Observation], now_ns: i64) {
        for observation in observed {
            let Some(entry) = self.entries.get(&observation.path).copied() else { continue };
            match observation.state {
                DiskState::Present { hash, stamp } if hash == entry.hash && stamp.mode == entry.stamp.mode => {
                    self.note(observation.path.clone(), ShadowEntry { stamp, noted_ns: now_ns, ..entry });
                }
                _ => {}
            }
        }
    }

    /// Sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&RelPath, &ShadowEntry)> {
        self.entries.iter()
    }

    /// What is at a path or below it.
    pub fn within<'a>(&'a self, folder: &'a RelPath) -> impl Iterator<Item = (&'a RelPath, &'a ShadowEntry)> {
        // Between `a` and `a/b` sort names such as `a-b`.
        let rest = self.entries.iter_from(folder);
        rest.take_while(|(path, _)| path.as_str().starts_with(folder.as_str()))
            .filter(|(path, _)| path.is_within(folder))
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.len() == 0
    }
}

/// What happened, as far as the observed paths tell. A path is to be observed once; renames are found when
/// both ends are in the list.
pub fn reconcile(shadow: &ShadowTable, observed: &[Observation], texts: &dyn Texts) -> Vec<DiskChange> {
    let mut batch = Pairing::default();
    let mut changes = Vec::new();
    for observation in observed {
        let path = &observation.path;
        match (shadow.get(path), observation.state) {
            (None, DiskState::Missing) => {}
            (Some(entry), DiskState::Missing) => {
                batch.removed.insert(path, *entry);
            }
            (None, DiskState::Present { hash, stamp }) => {
                batch.created.insert(path, (hash, stamp));
            }
            (Some(entry), DiskState::Present { hash, stamp }) => compare(path, entry, hash, &stamp, &mut changes),
        }
    }
    batch.pair_same_file();
    batch.pair_same_content();
    batch.pair_similar(texts);
    for (from, to, entry, hash, stamp) in batch.pairs {
        changes.push(DiskChange::Renamed { from: from.clone(), to: to.clone() });
        compare(to, &entry, hash, &stamp, &mut changes);
    }
    changes.extend(batch.removed.into_keys().map(|path| DiskChange::Removed { path: path.clone() }));
    changes.extend(batch.created.into_keys().map(|path| DiskChange::Created { path: path.clone() }));
    changes.sort();
    changes
}

fn compare(path: &RelPath, entry: &ShadowEntry, hash: BlobHash, stamp: &Stamp, changes: &mut Vec<DiskChange>) {
    if hash != entry.hash {
        changes.push(DiskChange::Modified { path: path.clone() });
    }
    if stamp.mode != entry.stamp.mode {
        changes.push(DiskChange::ModeChanged { path: path.clone(), mode: stamp.mode });
    }
}

#[derive(Default)]
struct Pairing<'a> {
    removed: BTreeMap<&'a RelPath, ShadowEntry>,
    created: BTreeMap<&'a RelPath, (BlobHash, Stamp)>,
    pairs: Vec<(&'a RelPath, &'a RelPath, ShadowEntry, BlobHash, Stamp)>,
}

impl<'a> Pairing<'a> {
    fn pair(&mut self, from: &'a RelPath, to: &'a RelPath) {
        if let (Some(entry), Some((hash, stamp))) = (self.removed.remove(from), self.created.remove(to)) {
            self.pairs.push((from, to, entry, hash, stamp));
        }
    }

    /// Inode and time of birth name a file. The inode alone does not: a new file gets one that became free.
    fn pair_same_file(&mut self) {
        let by_file = self.removed.iter().map(|(path, entry)| (entry.stamp.inode, (*path, entry.stamp)));
        let by_file: BTreeMap<u64, (&RelPath, Stamp)> = by_file.collect();
        let matched = |(to, (_, stamp)): (&&'a RelPath, &(BlobHash, Stamp))| {
            let (from, old) = by_file.get(&stamp.inode)?;
            old.is_same_file(stamp).then_some((*from, *to))
        };
        let matches: Vec<_> = self.created.iter().filter_map(matched).collect();
        // Of two hard links made from one file the first is its new name.
        matches.into_iter().for_each(|(from, to)| self.pair(from, to));
    }

    /// One to one; among several of one content those that kept their file name.
    fn pair_same_content(&mut self) {
        let mut groups: BTreeMap<BlobHash, (Vec<&'a RelPath>, Vec<&'a RelPath>)> = BTreeMap::new();
        for (path, entry) in &self.removed {
            groups.entry(entry.hash).or_default().0.push(path);
        }
        for (path, (hash, _)) in &self.created {
            groups.entry(*hash).or_default().1.push(path);
        }
        let empty = BlobHash::of(&[]);
        for (hash, (removed, created)) in groups {
            if let ([from], [to]) = (removed.as_slice(), created.as_slice())
                && (hash != empty || from.name() == to.name())
            {
                self.pair(from, to);
                continue;
            }
            for from in &removed {
                let is_named = |path: &&&RelPath| path.name() == from.name();
                let mut targets = created.iter().filter(is_named);
                if let (Some(to), None) = (targets.next(), targets.next())
                    && removed.iter().filter(is_named).count() == 1
                {
                    self.pair(from, to);
                }
            }
        }
    }

    /// Texts that are alike for the most part, the likest first.
    fn pair_similar(&mut self, texts: &dyn Texts) {
        if self.removed.is_empty() || self.removed.len().max(self.created.len()) > SIMILAR_FILES_MAX {
            return;
        }
        let old = Sketch::of_all(self.removed.keys().map(|path| (*path, texts.shadow_text(path))));
        let new = Sketch::of_all(self.created.keys().map(|path| (*path, texts.disk_text(path))));
        let mut holders: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
        for (n, sketch) in old.iter().enumerate() {
            sketch.lines.keys().for_each(|line| holders.entry(line).or_default().push(n));
        }
        let mut scored = Vec::new();
        for (to_idx, to) in new.iter().enumerate() {
            let candidates: BTreeSet<usize> =
                to.lines.keys().filter_map(|line| holders.get(line.as_slice())).flatten().copied().collect();
            for from_idx in candidates {
                let from = &old[from_idx];
                let percent = from.likeness_percent(to);
                let is_same_inode = self.inodes(from.path, to.path).is_some_and(|(a, b)| a == b && a != 0);
                let percent_min = if is_same_inode { SIMILAR_SAME_INODE_PERCENT_MIN } else { SIMILAR_PERCENT_MIN };
                if percent >= percent_min {
                    let is_same_name = from.path.name() == to.path.name();
                    scored.push((std::cmp::Reverse((percent, is_same_inode, is_same_name)), from_idx, to_idx));
                }
            }
        }
        scored.sort();
        for (_, from_idx, to_idx) in scored {
            // Does nothing once either is paired.
            if self.removed.contains_key(old[from_idx].path) && self.created.contains_key(new[to_idx].path) {
                self.pair(old[from_idx].path, new[to_idx].path);
            }
        }
    }

    fn inodes(&self, from: &RelPath, to: &RelPath) -> Option<(u64, u64)> {
        Some((self.removed.get(from)?.stamp.inode, self.created.get(to)?.1.inode))
    }
}

/// A text as a bag of lines.
struct Sketch<'a> {
    path: &'a RelPath,
    /// How often each line occurs.
    lines: BTreeMap<Vec<u8>, u64>,
    n_bytes: u64,
}

impl<'a> Sketch<'a> {
    fn of_all(texts: impl Iterator<Item = (&'a RelPath, Option<String>)>) -> Vec<Self> {
        let sketch = |(path, text): (&'a RelPath, Option<String>)| {
            let text = text.filter(|text| !text.trim().is_empty())?;
            let mut lines = BTreeMap::new();
            for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                *lines.entry(line.as_bytes().to_vec()).or_default() += 1;
            }
            let n_bytes = lines.iter().map(|(line, n)| line.len() as u64 * n).sum();
            Some(Sketch { path, lines, n_bytes })
        };
        texts.filter_map(sketch).collect()
    }

    /// Bytes of lines that both have, of the larger's.
    fn likeness_percent(&self, other: &Self) -> u64 {
        let shared = |(line, n): (&Vec<u8>, &u64)| other.lines.get(line).map_or(0, |m| line.len() as u64 * n.min(m));
        let n_shared: u64 = self.lines.iter().map(shared).sum();
        100 * n_shared / self.n_bytes.max(other.n_bytes).max(1)
    }
}

#[cfg(test)]
mod tests;
