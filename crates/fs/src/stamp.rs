//! What the file system says of a file without reading it. A hint that lets a read be skipped, never proof
//! that the content is the same.

use cap_std::fs::Metadata;
#[cfg(unix)]
use cap_std::fs::{MetadataExt, PermissionsExt};
use serde::{Deserialize, Serialize};

/// Times are nanoseconds since 1970; 0 where the system does not tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Stamp {
    pub mtime_ns: i64,
    pub ctime_ns: i64,
    /// When the file came to be. With `inode` it tells a renamed file from one that took over a free inode.
    pub born_ns: i64,
    pub size: u64,
    pub inode: u64,
    /// Unix permission bits.
    pub mode: u32,
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let mut stamp = Stamp { size: metadata.len(), ..Stamp::default() };
        stamp.mtime_ns = metadata.modified().map(|time| since_1970_ns(time.into_std())).unwrap_or(0);
        stamp.born_ns = metadata.created().map(|time| since_1970_ns(time.into_std())).unwrap_or(0);
        #[cfg(unix)]
        {
            stamp.ctime_ns = metadata.ctime().saturating_mul(1_000_000_000).saturating_add(metadata.ctime_nsec());
            stamp.inode = metadata.ino();
            stamp.mode = metadata.permissions().mode() & 0o7777;
        }
        stamp
    }

    /// Whether both name the same file, however its name and content changed between.
    pub(crate) fn is_same_file(&self, other: &Stamp) -> bool {
        self.inode != 0 && self.inode == other.inode && self.born_ns != 0 && self.born_ns == other.born_ns
    }
}

fn since_1970_ns(time: std::time::SystemTime) -> i64 {
    match time.duration_since(std::time::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |ns| -ns),
    }
}
