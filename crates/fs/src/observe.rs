//! Looks at paths that may have changed and says what is there: folders opened up, unchanged files not read.
//! Judges nothing: [`crate::reconcile`] does.

use crate::folder::{Folder, FolderError};
use crate::reconcile::{DiskState, Observation, ShadowTable};
use crate::rules::{EntryKind, Rules};
use crate::scan::{Refused, scan, scan_below};
use crate::stamp::Stamp;
use codesync_base::RelPath;
use std::collections::{BTreeMap, BTreeSet};

/// What was seen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Observed {
    /// Sorted; each path once. For [`crate::reconcile`].
    pub observations: Vec<Observation>,
    /// Folders with nothing in them.
    pub empty_folders: BTreeSet<RelPath>,
    pub refused: Vec<Refused>,
    /// Files that could not be read now; nothing is known of them, so they are not observed.
    pub unread: Vec<Refused>,
    /// After a look at everything: half-written files of a program that was killed.
    pub leftovers: Vec<RelPath>,
    /// After a look at everything: entries left out by rules.
    pub n_ignored: u64,
}

/// Looks at `paths` (files, folders, gone ones), or at the whole folder when none are given. A workspace that
/// was moved away or unplugged is [`FolderError::NotThere`], never a removal of all that is in it.
pub fn observe(
    folder: &Folder,
    rules: &Rules,
    shadow: &ShadowTable,
    paths: Option<&BTreeSet<RelPath>>,
) -> Result<Observed, FolderError> {
    let mut seen = Seen::default();
    match paths {
        None => {
            let all = scan(folder, rules)?;
            seen.files.extend(all.files.into_iter().map(|(path, stamp)| (path, Some(stamp))));
            seen.result.empty_folders.extend(all.empty_folders);
            seen.result.refused = all.refused;
            seen.result.leftovers = all.leftovers;
            seen.result.n_ignored = all.n_ignored;
            for (path, _) in shadow.iter() {
                seen.files.entry(path.clone()).or_insert(None);
            }
        }
        Some(paths) => {
            for path in paths {
                seen.look_at(folder, rules, shadow, path);
            }
        }
    }
    let Seen { files, parents, mut result } = seen;
    // What went away may have been the last in its folder.
    let empty = parents.into_iter().filter(|parent| folder.is_empty_folder(parent));
    result.empty_folders.extend(empty.filter(|parent| !rules.is_ignored_as(parent, EntryKind::Folder)));
    for (path, stamp) in files {
        match state_of(folder, shadow, &path, stamp) {
            Ok(state) => result.observations.push(Observation { path, state }),
            Err(why) => result.unread.push(Refused { path: path.to_string(), sentence: why.to_string() }),
        }
    }
    if !folder.is_in_place() {
        return Err(FolderError::NotThere(folder.root().to_owned()));
    }
    Ok(result)
}

#[derive(Default)]
struct Seen {
    /// None: known, but not met on the walk. It may be gone, left out by now, or behind a folder that cannot
    /// be read; only a look tells.
    files: BTreeMap<RelPath, Option<Stamp>>,
    parents: BTreeSet<RelPath>,
    result: Observed,
}

impl Seen {
    fn look_at(&mut self, folder: &Folder, rules: &Rules, shadow: &ShadowTable, path: &RelPath) {
        if folder.is_folder(path) {
            match scan_below(folder, rules, Some(path)) {
                Ok(below) => {
                    self.files.extend(below.files.into_iter().map(|(path, stamp)| (path, Some(stamp))));
                    self.not_met_within(shadow, path);
                    self.result.empty_folders.extend(below.empty_folders);
                    self.result.refused.extend(below.refused);
                }
                Err(why) => self.refuse(path, &why),
            }
            return;
        }
        let is_known = shadow.get(path).is_some();
        match folder.stat(path) {
            Ok(Some(_)) if !is_known && rules.is_ignored_as(path, EntryKind::File) => {}
            Ok(Some(stamp)) => {
                self.files.insert(path.clone(), Some(stamp));
                // A file where a folder was: what was in the folder is gone.
                self.not_met_within(shadow, path);
            }
            Ok(None) => {
                self.not_met_within(shadow, path);
                self.parents.extend(path.parent());
            }
            Err(why @ (FolderError::Link(_) | FolderError::Special(_))) => {
                self.refuse(path, &why);
                self.not_met_within(shadow, path);
            }
            Err(why) => self.refuse(path, &why),
        }
    }

    fn not_met_within(&mut self, shadow: &ShadowTable, path: &RelPath) {
        for (known, _) in shadow.within(path) {
            self.files.entry(known.clone()).or_insert(None);
        }
    }

    fn refuse(&mut self, path: &RelPath, why: &FolderError) {
        self.result.refused.push(Refused { path: path.to_string(), sentence: why.to_string() });
    }
}

fn state_of(
    folder: &Folder,
    shadow: &ShadowTable,
    path: &RelPath,
    stamp: Option<Stamp>,
) -> Result<DiskState, FolderError> {
    // Replaced by something else: the file is gone either way.
    let gone = |why| match why {
        FolderError::Link(_) | FolderError::Special(_) | FolderError::FolderInTheWay(_) => Ok(DiskState::Missing),
        why => Err(why),
    };
    let stamp = match stamp.map_or_else(|| folder.stat(path), |stamp| Ok(Some(stamp))) {
        Ok(Some(stamp)) => stamp,
        Ok(None) => return Ok(DiskState::Missing),
        Err(why) => return gone(why),
    };
    if let Some(entry) = shadow.get(path)
        && entry.is_surely_unchanged(&stamp)
    {
        return Ok(DiskState::Present { hash: entry.hash, stamp });
    }
    match folder.hash(path) {
        Ok(Some((hash, stamp))) => Ok(DiskState::Present { hash, stamp }),
        Ok(None) => Ok(DiskState::Missing),
        Err(why) => gone(why),
    }
}

#[cfg(test)]
mod tests;
