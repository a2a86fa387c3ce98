//! The sync link: what two peers of a project say to each other so that both have every delta. Sans-IO: frames, time
//! and the replica come in as arguments, frames and deltas go out. It opens no socket, reads no clock, keeps no
//! history, and believes no byte of a peer. `docs/protocol.md` describes what goes over the wire.

mod frame;
mod held;
pub mod limits;
mod link;
mod mesh;
mod rate;
mod replica;

pub use frame::{
    Blob, BlobChunk, BlobRange, Bye, Bytes, Cause, Deltas, Digest, Eager, Frame, FrameError, Hello, Reason, Signature,
    Snapshot, SnapshotPiece, VERSION_NEWEST, VERSION_OLDEST, Want, WantLog, WireDelta,
};
pub use held::{Incoming, Refusal};
pub use link::{Config, Ended, Event, Fork, LinkId, Moment, OtherVersion, Output};
pub use mesh::Mesh;
pub use replica::{Admission, BlobPiece, Branches, Computed, Replica, SignedTexts};

#[cfg(test)]
mod tests;
