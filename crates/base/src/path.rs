//! Paths inside a workspace: once a [`RelPath`] exists it cannot leave the folder, cannot touch version
//! control, and can exist on every system CodeSync runs on.

use crate::limits::{NAME_BYTES_MAX, PATH_DEPTH_MAX};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// A path relative to the workspace: NFC components separated by `/`, never empty.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RelPath(Arc<str>);

/// Why a text is no such path. The sentence can be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("A name is needed.")]
    Empty,
    #[error("“{0}” would lead out of the workspace.")]
    Escapes(String),
    #[error("“{0}” is longer than {NAME_BYTES_MAX} bytes.")]
    TooLong(String),
    #[error("The path has more than {PATH_DEPTH_MAX} folders inside each other.")]
    TooDeep,
    #[error("“{0}” has a character that file names cannot have everywhere.")]
    BadCharacter(String),
    #[error("“{0}” is a name that Windows keeps for itself.")]
    ReservedName(String),
    #[error("“{0}” ends in a dot or a space, which Windows drops.")]
    BadEnd(String),
    #[error("“{0}” belongs to version control or to CodeSync itself.")]
    Protected(String),
}

impl RelPath {
    /// Parses a path as typed or read from disk; `\` is not a separator. Decomposed letters are composed (NFC).
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        let is_composed = text.is_ascii() || is_nfc(text);
        let composed: Cow<str> = if is_composed { text.into() } else { text.nfc().collect() };
        let mut n_components = 0;
        for name in composed.split('/') {
            check_name(name)?;
            n_components += 1;
        }
        if n_components > PATH_DEPTH_MAX {
            return Err(PathError::TooDeep);
        }
        Ok(Self(composed.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Last component.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The folder it is in; none at the root of the workspace.
    pub fn parent(&self) -> Option<RelPath> {
        self.0.rsplit_once('/').map(|(folder, _)| RelPath(folder.into()))
    }

    pub fn join(&self, name: &str) -> Result<RelPath, PathError> {
        RelPath::parse(&format!("{}/{name}", self.0))
    }

    /// Whether this is `folder` itself or lies below it.
    pub fn is_within(&self, folder: &RelPath) -> bool {
        self.0.strip_prefix(folder.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The same path with `from` at its start replaced by `to`.
    pub fn moved(&self, from: &RelPath, to: &RelPath) -> Result<RelPath, PathError> {
        let rest = self.0.strip_prefix(from.as_str()).unwrap_or("");
        RelPath::parse(&format!("{}{rest}", to.0))
    }

    /// What two paths must not share on a file system that ignores case.
    pub fn folded(&self) -> String {
        self.0.chars().flat_map(char::to_lowercase).collect()
    }

    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &self.0)
    }
}

impl<'de> Deserialize<'de> for RelPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        RelPath::parse(&text).map_err(serde::de::Error::custom)
    }
}

fn check_name(name: &str) -> Result<(), PathError> {
    let shown = || name.chars().take(60).filter(|c| !c.is_control()).collect::<String>();
    match name {
        "" => return Err(PathError::Empty),
        "." | ".." => return Err(PathError::Escapes(shown())),
        _ => {}
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(PathError::TooLong(shown()));
    }
    if name.chars().any(is_bad_character) {
        return Err(PathError::BadCharacter(shown()));
    }
    if name.ends_with(['.', ' ']) {
        return Err(PathError::BadEnd(shown()));
    }
    if is_windows_device(name) {
        return Err(PathError::ReservedName(shown()));
    }
    if is_protected(name) {
        return Err(PathError::Protected(shown()));
    }
    Ok(())
}

fn is_bad_character(c: char) -> bool {
    c.is_control() || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|') || is_bidi_control(c)
}

/// Characters that turn the direction of text and so can make a name look like another.
pub fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Of the longest name that is reserved on Windows, without its ending.
const DEVICE_BYTES_MAX: usize = "CONOUT$".len();

fn is_windows_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end_matches(' ');
    if stem.len() > DEVICE_BYTES_MAX {
        return false;
    }
    let stem = stem.to_ascii_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" => true,
        _ => {
            let digit = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
            digit.is_some_and(|d| matches!(d, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"))
        }
    }
}

const PROTECTED: [&str; 7] = [".git", ".hg", ".svn", ".jj", ".codesync", "git~1", "codesy~1"];

/// Names that some file system folds to a protected folder: other case, characters that HFS+ ignores, the
/// short names and trailing dots of NTFS (git's own rules, `verify_path` in `read-cache.c`).
fn is_protected(name: &str) -> bool {
    if name.is_ascii() {
        // Nothing is left out of these, and no other letter is the same.
        let bare = name.trim_end_matches(['.', ' ']);
        return PROTECTED.iter().any(|protected| bare.eq_ignore_ascii_case(protected));
    }
    let visible: String = name.chars().filter(|c| !is_ignored_by_hfs(*c)).flat_map(char::to_lowercase).collect();
    let bare = visible.trim_end_matches(['.', ' ']);
    PROTECTED.contains(&bare)
}

fn is_ignored_by_hfs(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests;
