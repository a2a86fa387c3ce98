//! Small texts that a window keeps with a workspace (open tabs, sizes): one file each, there at once, so that
//! a killed window opens as it was. Not history, and never in the way of it.

use crate::config::cannot;
use codesync_api::{ApiError, ErrorCode, Reply};
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

const FOLDER: &str = "state";
const KEY_BYTES_MAX: usize = 64;
const VALUE_BYTES_MAX: usize = 1024 * 1024;

pub(crate) fn get(store: &Path, key: &str) -> Result<Reply, ApiError> {
    let file = file_of(store, key)?;
    match fs::read_to_string(&file) {
        Ok(value) => Ok(Reply::State { value: Some(value) }),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) => {
            Ok(Reply::State { value: None })
        }
        Err(error) => Err(cannot("read", &file, &error)),
    }
}

pub(crate) fn put(store: &Path, key: &str, value: &str) -> Result<Reply, ApiError> {
    if value.len() > VALUE_BYTES_MAX {
        return Err(ApiError::new(ErrorCode::Invalid, "That is too much to be kept with a workspace."));
    }
    let file = file_of(store, key)?;
    let written = write_whole(&store.join(FOLDER), &file, value);
    written.map(|()| Reply::Done).map_err(|error| cannot("write", &file, &error))
}

/// Whole or not at all, but without waiting for the disk: losing the newest in a power cut costs a tab.
fn write_whole(folder: &Path, file: &Path, value: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut temp = tempfile::NamedTempFile::new_in(folder)?;
    temp.write_all(value.as_bytes())?;
    temp.persist(file).map(drop).map_err(|error| error.error)
}

fn file_of(store: &Path, key: &str) -> Result<PathBuf, ApiError> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match (1..=KEY_BYTES_MAX).contains(&key.len()) && key.chars().all(is_plain) {
        true => Ok(store.join(FOLDER).join(format!("{key}.json"))),
        false => Err(ApiError::new(ErrorCode::Invalid, "A key is made of small letters, digits and dashes.")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn value(reply: Reply) -> Option<String> {
        match reply {
            Reply::State { value } => value,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_put_is_there_and_keys_lead_nowhere_else() {
        let store = tempfile::tempdir().unwrap();
        assert_eq!(value(get(store.path(), "window").unwrap()), None);
        put(store.path(), "window", "{\"tabs\":[]}").unwrap();
        assert_eq!(value(get(store.path(), "window").unwrap()).as_deref(), Some("{\"tabs\":[]}"));
        for key in ["", "../x", "a/b", "UP", &"x".repeat(65)] {
            assert!(put(store.path(), key, "x").is_err() && get(store.path(), key).is_err());
        }
        assert!(put(store.path(), "window", &"x".repeat(VALUE_BYTES_MAX + 1)).is_err());
    }
}
