//! Goes through a folder file by file, in the order of the explorer, so that what is found first can be shown while the
//! rest is still looked for.

use crate::folder::{Folder, FolderError};
use crate::rules::{Chain, EntryKind, Rules};
use crate::scan::{Look, look_at};
use codesync_base::RelPath;
use std::ops::ControlFlow;

/// Gives `take` every file that the rules let in, and goes into the folders for which `enters` says so, until `take` has
/// enough. A folder that can't be read is passed over. Says whether it came to the end.
pub fn walk(
    folder: &Folder,
    rules: &Rules,
    enters: &dyn Fn(&RelPath) -> bool,
    take: &mut dyn FnMut(RelPath) -> ControlFlow<()>,
) -> Result<bool, FolderError> {
    // Whether the folder is there at all is to be known.
    if folder.open_folder(None)?.is_none() {
        return Err(FolderError::NotThere(folder.root().to_owned()));
    }
    let walk = Walk { folder, rules, enters };
    Ok(walk.level(None, &rules.root_chain(), take).is_continue())
}

struct Walk<'a> {
    folder: &'a Folder,
    rules: &'a Rules,
    enters: &'a dyn Fn(&RelPath) -> bool,
}

impl Walk<'_> {
    /// As deep as a path may be, and no deeper: `RelPath` bounds it.
    fn level(
        &self,
        below: Option<&RelPath>,
        chain: &Chain,
        take: &mut dyn FnMut(RelPath) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let (folders, files) = self.entries(below, chain);
        for path in folders {
            let inner = self.rules.inner_chain(chain, &path);
            self.level(Some(&path), &inner, take)?;
        }
        files.into_iter().try_for_each(take)
    }

    fn entries(&self, below: Option<&RelPath>, chain: &Chain) -> (Vec<RelPath>, Vec<RelPath>) {
        let (mut folders, mut files) = (Vec::new(), Vec::new());
        let Ok(Some(dir)) = self.folder.open_folder(below) else { return (folders, files) };
        let Ok(entries) = dir.entries() else { return (folders, files) };
        for entry in entries.flatten() {
            match look_at(&entry, below) {
                Look::File(path) if !self.rules.is_out(chain, &path, EntryKind::File) => files.push(path),
                Look::Folder(path) if !self.rules.is_out(chain, &path, EntryKind::Folder) && (self.enters)(&path) => {
                    folders.push(path);
                }
                _ => {}
            }
        }
        for paths in [&mut folders, &mut files] {
            paths.sort_by_cached_key(|path| (path.name().to_lowercase(), path.name().to_owned()));
            // Two names of the disk may be one path (Unicode written in two ways).
            paths.dedup();
        }
        (folders, files)
    }
}
