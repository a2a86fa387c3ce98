//! What two peers say to each other, and its bytes. The one guarded door for them: nothing that comes in here panics,
//! or takes more memory than a frame justifies.
//!
//! A frame is the postcard encoding of [`Frame`]: a tag, then the fields. On a stream its length (u32, little-endian)
//! goes first; that is the business of `net`. Tags are the order of the variants and never change. Only Hello and Bye
//! are read across versions: bytes behind what is known of a Hello are skipped.

mod wire;

pub use wire::{Bytes, Signature};
use wire::{few, text};

use crate::limits::*;
use codesync_base::{BlobHash, DeltaHash, DeviceId, FileId, Head, LogId, ProjectId, RelPath};
use serde::{Deserialize, Serialize};

/// Versions of the protocol that this code speaks.
pub const VERSION_OLDEST: u16 = 1;
pub const VERSION_NEWEST: u16 = 1;

/// One message of a link.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Frame {
    Hello(Hello),
    Bye(Bye),
    /// What is durable here. Comes once, first after the Hellos; what has no room in it follows as news.
    Heads(#[serde(deserialize_with = "few::<_, _, FRAME_HEADS_MAX>")] Vec<Head>),
    /// Asks for deltas. Takes the place of the Want before, if that is not answered yet.
    Want(Want),
    Deltas(Deltas),
    /// News of what is durable here: replaces what was told of these logs.
    Stored(#[serde(deserialize_with = "few::<_, _, FRAME_HEADS_MAX>")] Vec<Head>),
    /// So many more bytes of deltas may be sent.
    Credit(u64),
    /// New deltas of a log shall come unasked, or not: somebody else is faster.
    Eager(Eager),
    Digest(Digest),
    /// Two deltas of one log with the same predecessor, both signed: proof that it forked.
    Fork(Box<[WireDelta; 2]>),
    Blob(Blob),
    Snapshot(Snapshot),
    /// Carets and the like: shown, never kept, not passed on.
    Presence(Bytes<PRESENCE_BYTES_MAX>),
}

/// The first frame of either end.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// Versions of the protocol that this end speaks, both included.
    pub oldest: u16,
    pub newest: u16,
    /// Version of the program, for people.
    #[serde(deserialize_with = "text::<_, SOFTWARE_BYTES_MAX>")]
    pub software: String,
    pub project: ProjectId,
    pub device: DeviceId,
    /// This end's clock, Unix milliseconds.
    pub wall_ms: u64,
    /// Proves to the other end's `auth` that this device may come in, over this connection.
    pub token: Bytes<TOKEN_BYTES_MAX>,
}

/// The last frame of whoever ends the link.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Bye {
    pub reason: Reason,
    /// In English, for a log file; never shown as it is.
    #[serde(deserialize_with = "text::<_, DETAIL_BYTES_MAX>")]
    pub detail: String,
}

/// Why a link ends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Reason {
    /// Whoever is at this end left the workspace: takes no part any more, until they come again. A program that only ends
    /// closes the connection and says nothing.
    Leaving,
    /// No version of the protocol that both speak. What the one who ends it speaks, and its program's version.
    Version {
        oldest: u16,
        newest: u16,
        #[serde(deserialize_with = "text::<_, SOFTWARE_BYTES_MAX>")]
        software: String,
    },
    /// Another project.
    Project,
    /// Not a member, or not any more, or the token is not good.
    NotAdmitted,
    /// A limit was broken.
    Limit,
    /// Bytes that are no frame, or no delta, or come when they must not.
    Malformed,
    /// A signature that is not its author's.
    Forged,
    /// Both ends are the same device.
    Double,
    /// There are too many links between the two devices.
    Busy,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Want {
    /// Comes back with the answers.
    pub id: u32,
    #[serde(deserialize_with = "few::<_, _, WANT_LOGS_MAX>")]
    pub logs: Vec<WantLog>,
}

/// Asks for all of a log behind the newest of these places that the other end knows, too; for the whole log when it
/// knows none.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WantLog {
    pub log: LogId,
    #[serde(deserialize_with = "few::<_, _, WANT_KNOWN_MAX>")]
    pub known: Vec<(u32, DeltaHash)>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Deltas {
    pub cause: Cause,
    /// Each behind its past, as far as it goes with this frame and those before.
    #[serde(deserialize_with = "few::<_, _, FRAME_DELTAS_MAX>")]
    pub deltas: Vec<WireDelta>,
}

/// Why deltas come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Cause {
    /// They just became durable.
    Live,
    /// Asked for by a Want.
    Answer { id: u32, is_last: bool },
}

/// An encoded delta. Without a signature a later one of its log has to vouch for it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WireDelta {
    pub bytes: Bytes<{ codesync_base::limits::DELTA_BYTES_MAX }>,
    pub signature: Option<Signature>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Eager {
    pub log: LogId,
    pub on: bool,
}

/// What a replica computed from its deltas, to compare.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Digest {
    /// BLAKE3 over the heads: only with the same deltas it makes sense to compare.
    pub heads: [u8; 32],
    pub whole: [u8; 32],
    /// Sorted. Empty as long as nobody asked: sent when `whole` differs.
    #[serde(deserialize_with = "few::<_, _, DIGEST_FILES_MAX>")]
    pub files: Vec<(FileId, [u8; 32])>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Blob {
    /// Asks for parts. Each is the other end's leave to send so many bytes.
    Want(#[serde(deserialize_with = "few::<_, _, BLOB_REQUESTS_MAX>")] Vec<BlobRange>),
    Chunk(BlobChunk),
    /// It is not here.
    Lacks(BlobHash),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BlobRange {
    pub hash: BlobHash,
    pub offset: u64,
    pub length: u32,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct BlobChunk {
    pub hash: BlobHash,
    /// Bytes of the whole blob.
    pub total_bytes: u64,
    pub offset: u64,
    pub bytes: Bytes<{ BLOB_CHUNK_BYTES as usize }>,
}

/// Texts to look at at once, while history is on its way.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Snapshot {
    Want {
        bytes_max: u32,
    },
    Piece(SnapshotPiece),
    /// All came. Signed by the device of the other end, see [`codesync_auth::SnapshotDigest`].
    End(Signature),
}

/// A part of a text. The parts of a text follow each other.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SnapshotPiece {
    pub path: RelPath,
    /// Whether the text goes on in the next piece.
    pub goes_on: bool,
    pub bytes: Bytes<{ BLOB_CHUNK_BYTES as usize }>,
}

/// Why bytes are no frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("a frame of {n_bytes} bytes is over the limit")]
    TooLarge { n_bytes: usize },
    #[error("the bytes are no frame")]
    Malformed,
}

impl Frame {
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("invariant: writing to memory cannot fail")
    }

    /// Reads bytes of a peer. Never panics.
    pub fn decode(bytes: &[u8], bytes_max: usize) -> Result<Self, FrameError> {
        if bytes.len() > bytes_max {
            return Err(FrameError::TooLarge { n_bytes: bytes.len() });
        }
        match postcard::take_from_bytes(bytes) {
            Ok((frame, [])) => Ok(frame),
            // A newer version may say more.
            Ok((frame @ (Frame::Hello(_) | Frame::Bye(_)), _)) => Ok(frame),
            _ => Err(FrameError::Malformed),
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::samples;
