//! A large file, read piece by piece as it lies on the disk, so that neither side ever waits for the whole. Must
//! never leave the workspace's folder, nor write.

use codesync_api::{ApiError, ErrorCode};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Little enough for a page that goes on drawing between two pieces.
const PIECE_BYTES: u64 = 512 * 1024;

/// The bytes of a file from a place on; none at its end.
///
/// # Errors
/// When the path leads out of the folder, or the file cannot be read.
pub fn read(root: &Path, path: &str, from: u64) -> Result<Vec<u8>, ApiError> {
    let refused =
        |reason: io::Error| ApiError::new(ErrorCode::Io, format!("“{path}” could not be read.")).with_detail(reason);
    let root = root.canonicalize().map_err(refused)?;
    let file = root.join(path).canonicalize().map_err(refused)?;
    if !file.starts_with(&root) {
        return Err(ApiError::new(ErrorCode::Invalid, format!("“{path}” is not in the open folder.")));
    }
    let mut bytes = Vec::new();
    let mut file = File::open(file).map_err(refused)?;
    file.seek(SeekFrom::Start(from)).map_err(refused)?;
    file.take(PIECE_BYTES).read_to_end(&mut bytes).map_err(refused)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
