//! What a file is beside its text.

use crate::BlobHash;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum FileKind {
    /// Edited character by character.
    Text,
    /// Kept whole: binary, or too large to edit together.
    Binary,
    /// A folder that stays though nothing is in it.
    Folder,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub enum LineEnd {
    #[default]
    Lf,
    CrLf,
}

/// How a text file is written to disk, and its permissions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FileMeta {
    /// Label of the WHATWG Encoding Standard, such as `UTF-8` or `windows-1252`.
    pub encoding: String,
    pub byte_order_mark: bool,
    pub line_end: LineEnd,
    /// Unix permission bits; 0 where the system has none.
    pub mode: u32,
    /// Set when encoding the text does not give the bytes that were read (mixed line ends, bytes that are
    /// not valid in the encoding): those bytes, good as long as the text is the one they were read as.
    pub raw: Option<RawContent>,
}

/// Bytes on disk and the text that they stand for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RawContent {
    /// BLAKE3 of the LF-normalised UTF-8 text.
    pub text_hash: BlobHash,
    pub bytes: BlobHash,
}

impl Default for FileMeta {
    fn default() -> Self {
        Self { encoding: "UTF-8".into(), byte_order_mark: false, line_end: LineEnd::Lf, mode: 0o644, raw: None }
    }
}
