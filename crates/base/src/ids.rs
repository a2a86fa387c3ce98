//! Identifiers: fixed bytes, shown as lower-case hexadecimal.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A text that is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id of {n_bytes} bytes in hexadecimal: {text:?}")]
pub struct IdError {
    pub n_bytes: usize,
    pub text: String,
}

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Any bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(HEX_DIGITS[usize::from(digit)])).collect()
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $n:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        pub struct $name(pub [u8; $n]);

        impl $name {
            /// The id of nothing: all bytes zero.
            pub const ZERO: Self = Self([0; $n]);

            /// First eight hexadecimal digits, for people.
            pub fn short(&self) -> String {
                self.to_string()[..8].to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut hex = [0; 2 * $n];
                for (digits, byte) in hex.chunks_exact_mut(2).zip(self.0) {
                    digits[0] = HEX_DIGITS[usize::from(byte >> 4)];
                    digits[1] = HEX_DIGITS[usize::from(byte & 15)];
                }
                f.write_str(std::str::from_utf8(&hex).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.short())
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let refused = || IdError { n_bytes: $n, text: text.chars().take(80).collect() };
                if text.len() != 2 * $n || !text.is_ascii() {
                    return Err(refused());
                }
                let mut bytes = [0; $n];
                for (i, byte) in bytes.iter_mut().enumerate() {
                    *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| refused())?;
                }
                Ok(Self(bytes))
            }
        }
    };
}

id!(
    /// A device: its Ed25519 public key.
    DeviceId, 32
);
id!(
    /// BLAKE3 hash of a delta's encoded bytes: the delta's name.
    DeltaHash, 32
);
id!(
    /// BLAKE3 hash of a blob's bytes.
    BlobHash, 32
);
id!(
    /// A workspace, the same on every replica.
    ProjectId, 16
);
id!(
    /// A file or folder, stable through renames and moves.
    FileId, 16
);

impl BlobHash {
    /// Name of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

/// One append-only chain of deltas: a device, and which of its lives (a new incarnation begins when its
/// store was rolled back, restored or cloned).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct LogId {
    pub device: DeviceId,
    pub incarnation: u32,
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.device.short(), self.incarnation)
    }
}

impl LogId {
    /// The CRDT client number of this log: 53 bits, the same on every replica.
    pub fn client(&self) -> u64 {
        let mut hasher = blake3::Hasher::new_derive_key("codesync 2026 crdt client of a log");
        hasher.update(&self.device.0).update(&self.incarnation.to_le_bytes());
        let bytes = hasher.finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&bytes.as_bytes()[..8]);
        // Zero would be no client to yrs; a 53-bit number survives JavaScript.
        (u64::from_le_bytes(first) >> 11).max(1)
    }
}

impl FileId {
    /// The id of the file that step `step_idx` of a delta creates. Derived, so that nobody can claim
    /// another's id, and the same for everyone who reads the delta.
    pub fn derive(log: &LogId, prev: &DeltaHash, hlc: &crate::Hlc, step_idx: u32) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("codesync 2026 file id");
        hasher.update(&log.device.0).update(&log.incarnation.to_le_bytes()).update(&prev.0);
        hasher.update(&hlc.wall_ms.to_le_bytes()).update(&hlc.counter.to_le_bytes()).update(&step_idx.to_le_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self(id)
    }
}
