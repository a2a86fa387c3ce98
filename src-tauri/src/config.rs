//! Small JSON files in the configuration folder. A file is whole or it is the one before; one that
//! cannot be read is set aside, never deleted and never in the way.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// The value in `folder/name`; the default when there is none or it cannot be understood.
pub fn read<T: DeserializeOwned + Default>(folder: &Path, name: &str) -> T {
    let path = folder.join(name);
    let Ok(bytes) = fs::read(&path) else {
        return T::default();
    };
    serde_json::from_slice(&bytes).unwrap_or_else(|reason| {
        let aside = folder.join(format!("{name}.unreadable"));
        tracing::warn!(file = %path.display(), %reason, "set aside a configuration file that could not be read");
        if let Err(reason) = fs::rename(&path, &aside) {
            tracing::warn!(%reason, "could not set it aside");
        }
        T::default()
    })
}

/// Replaces `folder/name` as a whole.
///
/// # Errors
/// When the folder cannot be written; the file before is then untouched.
pub fn write<T: Serialize>(folder: &Path, name: &str, value: &T) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let fresh = folder.join(format!(".{name}.{}", std::process::id()));
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    let mut file = File::create(&fresh)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, folder.join(name))
}

#[cfg(test)]
mod tests;
