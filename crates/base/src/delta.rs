//! The delta: what one device did between two commits, as named steps.

use crate::{
    AccessStep, BlobHash, Chat, DeltaHash, FileId, FileKind, FileMeta, Hlc, LogId, ProjectId, RelPath, ShareFrom,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One entry of a log. Its name is the BLAKE3 hash of its encoding; `prev` chains it to the one before.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Delta {
    pub project: ProjectId,
    pub log: LogId,
    /// Counts from 1 within the log.
    pub seq: u32,
    /// Hash of delta `seq - 1` of this log; zero for the first.
    pub prev: DeltaHash,
    pub hlc: Hlc,
    /// Heads of other logs that its author had seen and that no earlier delta of this log names.
    pub deps: Vec<Head>,
    pub origin: Origin,
    /// `seq` of the first delta of the act that this is part of: its own when it stands alone.
    /// An act (a restore, a mass disk change) is shown and taken back as one.
    pub group: u32,
    /// Other logs whose items the steps name. [`ItemRef::log`] 0 is this delta's own log, `n` is `logs[n - 1]`.
    pub logs: Vec<LogId>,
    /// Files that the steps name by index.
    pub files: Vec<FileId>,
    pub steps: Vec<Step>,
}

/// Newest known delta of a log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Head {
    pub log: LogId,
    pub seq: u32,
    pub hash: DeltaHash,
}

/// By what act a delta came about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Origin {
    Typing,
    /// Other programs changed the folder. Shown as the author "Disk".
    Disk,
    /// The first taking in of a folder. Shown as "Disk", too.
    Import,
    CommandLine,
    /// Created, renamed, moved, deleted, duplicated in the explorer or on the command line.
    FileAction,
    Restore,
    Undo,
    Redo,
    /// A moment was named, by hand or automatically.
    Moment,
    /// A session began: who, on which device; or who may take part changed; or somebody said something.
    Session,
}

impl Origin {
    /// Whether the author shown is "Disk" and not the person.
    pub fn is_disk(self) -> bool {
        matches!(self, Origin::Disk | Origin::Import)
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// The author's wall clock, Unix milliseconds.
    pub at_ms: u64,
    /// Index into [`Delta::files`]; 0 where no file is meant.
    pub file: u16,
    pub change: Change,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Change {
    Text(TextStep),
    /// A file comes to be. For text the content is its first text, its units named (this delta, offset)
    /// like any inserted text; for binaries it is the bytes.
    Create {
        path: RelPath,
        kind: FileKind,
        meta: FileMeta,
        content: Option<TextSource>,
    },
    Move {
        path: RelPath,
    },
    /// The file goes away; text and history stay.
    Remove,
    /// A removed file comes back, at this path.
    Revive {
        path: RelPath,
    },
    /// New bytes of a file that is kept whole.
    Content {
        blob: BlobHash,
        length_bytes: u64,
    },
    Meta {
        meta: FileMeta,
    },
    /// A file begins or ceases to be kept whole (`Binary`) or character by character (`Text`).
    Kind {
        kind: FileKind,
    },
    /// Names a moment: `at` or, without it, the moment of this step.
    Moment {
        name: String,
        note: Option<String>,
        automatic: bool,
        at: Option<StepKey>,
    },
    Session {
        person: String,
        device_name: String,
    },
    /// Who may take part changes. Alone in its delta.
    Access(AccessStep),
    /// Somebody says something to the others. Alone in its delta.
    Chat(Chat),
    /// The person at this device wishes to be shown in this author colour, an index below [`limits::AUTHOR_COLORS`];
    /// none: in whichever is free.
    Color {
        color: Option<u8>,
    },
}

/// One replacement in one file, its units named so that it means the same on every replica.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TextStep {
    /// Where the author saw it, UTF-16 units. A hint that makes replay fast; names decide.
    pub position: u32,
    /// What goes away, left to right.
    pub delete: Vec<ItemRange>,
    pub insert: Option<Insert>,
}

/// Names one UTF-16 unit: the `offset`-th that delta `seq` of a log inserted into this file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct ItemRef {
    /// 0: the delta's own log; `n`: `logs[n - 1]` of the delta.
    pub log: u16,
    pub seq: u32,
    pub offset: u32,
}

/// Units that one log inserted into this file, in the order in which it inserted them: from `first` on,
/// running over as many of its deltas as `length` needs. So a text typed key by key, each key a delta of
/// its own, is still one range.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ItemRange {
    pub first: ItemRef,
    pub length: u32,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Insert {
    /// The unit directly left of `right` in the order of all units, gone ones too; none when there is none.
    /// Not the visible one: replicas agree on the order only when the two were neighbours.
    pub left: Option<ItemRef>,
    /// Visible unit to the right; none at the end.
    pub right: Option<ItemRef>,
    pub text: TextSource,
}

/// Text or bytes, inline when short.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum TextSource {
    Inline(Arc<str>),
    /// `length` counts UTF-16 units for text and bytes for binaries.
    Blob {
        hash: BlobHash,
        length: u32,
    },
}

/// Place of a delta in the one order that is the same on every replica: total, and causal because a
/// clock reading stands above all it depends on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct DeltaKey {
    pub hlc: Hlc,
    pub log: LogId,
    pub seq: u32,
    pub hash: DeltaHash,
}

/// Place of a step.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct StepKey {
    pub delta: DeltaKey,
    pub step_idx: u32,
}

/// A delta with its name and its author's signature over that name.
#[derive(Clone, PartialEq, Debug)]
pub struct SignedDelta {
    pub delta: Delta,
    pub hash: DeltaHash,
    /// Ed25519 by `delta.log.device`.
    pub signature: [u8; 64],
}

impl DeltaKey {
    /// Before every delta there can be.
    pub const FIRST: Self = Self {
        hlc: Hlc { wall_ms: 0, counter: 0 },
        log: LogId { device: crate::DeviceId::ZERO, incarnation: 0 },
        seq: 0,
        hash: DeltaHash::ZERO,
    };
}

impl Delta {
    pub fn key(&self, hash: DeltaHash) -> DeltaKey {
        DeltaKey { hlc: self.hlc, log: self.log, seq: self.seq, hash }
    }

    /// The file that a step is about.
    pub fn file_of(&self, step: &Step) -> Option<FileId> {
        match step.change {
            Change::Moment { .. }
            | Change::Session { .. }
            | Change::Access(_)
            | Change::Chat(_)
            | Change::Color { .. } => None,
            _ => self.files.get(usize::from(step.file)).copied(),
        }
    }

    /// Contents that the steps name and do not carry themselves.
    pub fn blobs(&self) -> impl Iterator<Item = BlobHash> {
        let of_source = |source: &TextSource| match source {
            TextSource::Blob { hash, .. } => Some(*hash),
            TextSource::Inline(_) => None,
        };
        let of_meta = |meta: &FileMeta| meta.raw.map(|raw| raw.bytes);
        let of_step = move |step: &Step| match &step.change {
            Change::Text(TextStep { insert: Some(insert), .. }) => [of_source(&insert.text), None],
            Change::Create { meta, content, .. } => [content.as_ref().and_then(of_source), of_meta(meta)],
            Change::Content { blob, .. } => [Some(*blob), None],
            Change::Meta { meta } => [None, of_meta(meta)],
            Change::Access(AccessStep::Grant { share_from: ShareFrom::Checkpoint(hash), .. }) => [Some(*hash), None],
            _ => [None, None],
        };
        self.steps.iter().flat_map(of_step).flatten()
    }

    /// The log that an item of this delta's steps belongs to.
    pub fn log_of(&self, item: &ItemRef) -> Option<LogId> {
        match item.log {
            0 => Some(self.log),
            n => self.logs.get(usize::from(n) - 1).copied(),
        }
    }
}

/// A replacement by position: what an editor, a file on disk or a diff speaks.
/// Positions and lengths in UTF-16 units of LF-normalised text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Splice {
    pub position: u32,
    pub deleted: u32,
    pub inserted: Arc<str>,
}

impl Splice {
    pub fn new(position: u32, deleted: u32, inserted: impl Into<Arc<str>>) -> Self {
        Self { position, deleted, inserted: inserted.into() }
    }
}
