//! The bridge between a workspace and its ordinary folder on disk: reading, writing, scanning, watching,
//! telling what changed, merging. It never follows a symbolic link, never touches version control and never
//! decides what a change means to a document: the engine does.

mod collector;
pub mod encoding;
mod folder;
pub mod large;
mod merge;
mod observe;
mod parted;
mod reconcile;
mod rules;
mod scan;
pub mod search;
mod stamp;
mod watch;

pub use collector::{Batch, Collector};
pub use encoding::{Content, EncodingError, WholeReason, decode_as, meta_that_fits, read_text, write_text};
pub use folder::{DiskFile, Folder, FolderError, is_temp_name};
pub use merge::{apply_splices, disk_edit, rebase};
pub use observe::{Observed, observe};
pub use reconcile::{DiskChange, DiskState, NoTexts, Observation, ShadowEntry, ShadowTable, Texts, reconcile};
pub use rules::{EntryKind, Rules};
pub use scan::{Entry, Refused, Scan, list, scan};
pub use stamp::Stamp;
pub use watch::{WatchState, Watcher};
