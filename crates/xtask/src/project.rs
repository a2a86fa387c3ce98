//! Where the project lies. Knows paths only.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// The checkout that this xtask was built from.
#[derive(Clone, Debug)]
pub struct Project {
    pub root: PathBuf,
}

impl Project {
    /// Finds the root from the place of this crate.
    pub fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .and_then(Path::parent)
            .context("invariant: xtask lies in crates/xtask")?;
        Ok(Self { root: root.to_path_buf() })
    }

    pub fn ui(&self) -> PathBuf {
        self.root.join("ui")
    }
}
