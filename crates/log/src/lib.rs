//! The durable log of deltas: a journal of checked records with real fsync, sealed into small blocks, with a
//! second copy in sled. Bytes from the disk are never believed without their checksum, and nothing that was
//! confirmed is ever dropped or changed: what is damaged is set aside.

mod block;
mod disk;
mod error;
mod index;
mod journal;
mod log;
mod report;
#[cfg(test)]
mod testing;
mod writer;

pub use block::brief::{BriefStep, Outline};
pub use disk::{CrashStyle, Disk, MemoryDisk, RealDisk, SyncTask};
pub use error::LogError;
pub use index::{Entry, Index, IndexChange, MemoryIndex, SledIndex};
pub use log::{BlobReader, BlobSync, BlobSynced, Brief, Cut, Log, Options, PackedBlob, Packer};
pub use report::{Finding, LostSpan, OpenReport, Outcome, SealReport, VerifyReport};
