//! The words all other crates speak: ids, paths, the clock, deltas and their steps, limits.
//! Values here are valid once built. No file, socket, clock or random number is touched.

mod access;
mod chat;
mod checkpoint;
mod clock;
mod delta;
mod ids;
pub mod limits;
mod meta;
mod path;
mod wire;

pub use access::{AccessStep, Role, ShareFrom};
pub use chat::{Chat, Pointer, UnitName};
pub use checkpoint::{
    BLOT, BLOT_PAIR, Checkpoint, CutChange, CutFile, CutLog, CutNode, CutRight, CutState, TextUnits, UnitAt,
    UnitInsertion, UnitLog, UnitRun,
};
pub use clock::{Clock, Hlc};
pub use delta::{
    Change, Delta, DeltaKey, Head, Insert, ItemRange, ItemRef, Origin, SignedDelta, Splice, Step, StepKey, TextSource,
    TextStep,
};
pub use ids::{BlobHash, DeltaHash, DeviceId, FileId, IdError, LogId, ProjectId, hex};
pub use meta::{FileKind, FileMeta, LineEnd, RawContent};
pub use path::{PathError, RelPath, is_bidi_control};
pub use wire::{DecodeError, FORMAT_VERSION, decode_delta, encode_delta};

/// Where the content of a blob comes from: the log, or a map in tests.
pub trait BlobSource {
    /// Bytes with this BLAKE3 hash, or none when they are not here.
    fn blob(&self, hash: &BlobHash) -> Option<Vec<u8>>;
}

/// A source without any blob, for histories whose texts are all inline.
pub struct NoBlobs;

impl BlobSource for NoBlobs {
    fn blob(&self, _hash: &BlobHash) -> Option<Vec<u8>> {
        None
    }
}

/// Length in UTF-16 code units, the unit of every position.
pub fn utf16_len(text: &str) -> u32 {
    text.chars().map(|c| c.len_utf16() as u32).sum()
}
