//! The command line of the window: `codesync-desktop [PATH[:LINE]]`. Reads words and the file
//! system, changes nothing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub const HELP: &str = "\
Usage: codesync-desktop [--new-window] [--safe-graphics] [PATH[:LINE]]

Opens the CodeSync window. PATH is a folder, a file to show in the folder it belongs to, or a
replay bundle, which is unpacked into a folder of its own.

  --new-window     open a window beside those that are open, whatever they show
  --safe-graphics  draw without the graphics card, when the window stays empty
  --version        print the version
  --help           print this text";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    Window(Arguments),
    Help,
    Version,
}

/// How to open the window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    pub place: Option<Place>,
    pub safe_graphics: bool,
    /// A window beside those that are open. Without a place it is empty.
    pub new_window: bool,
}

/// A workspace, and what to show in it first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub folder: PathBuf,
    /// File, relative to the folder, and its line counted from 1.
    pub goto: Option<(String, u32)>,
}

impl Arguments {
    /// Understands the words after the program's name, said in the folder `from`.
    ///
    /// # Errors
    /// A sentence for the user when a word is not understood.
    pub fn parse(words: impl IntoIterator<Item = OsString>, from: &Path) -> Result<Asked, String> {
        let mut arguments = Arguments::default();
        let mut options_end = false;
        for word in words {
            let text = word.to_string_lossy().into_owned();
            match text.as_str() {
                "--" if !options_end => options_end = true,
                "--help" | "-h" if !options_end => return Ok(Asked::Help),
                "--version" | "-V" if !options_end => return Ok(Asked::Version),
                "--new-window" | "-n" if !options_end => arguments.new_window = true,
                "--safe-graphics" if !options_end => arguments.safe_graphics = true,
                option if option.starts_with('-') && !options_end => {
                    return Err(format!("`{option}` is not an option of codesync-desktop. Try --help."));
                }
                _ if arguments.place.is_some() => {
                    return Err("Only one folder or file can be opened at a time.".into());
                }
                _ => arguments.place = Some(Place::find(&word, from)),
            }
        }
        Ok(Asked::Window(arguments))
    }
}

impl Place {
    /// The word that means this place.
    pub fn word(&self) -> OsString {
        match &self.goto {
            Some((file, line)) => {
                let mut word = self.folder.join(file).into_os_string();
                word.push(format!(":{line}"));
                word
            }
            None => self.folder.clone().into_os_string(),
        }
    }

    /// What `PATH[:LINE]` means from the folder `from`. A path that does not exist is kept as a
    /// folder, so that opening it gives the sentence about it; a replay bundle, so that opening unpacks it.
    pub fn find(word: &OsString, from: &Path) -> Place {
        let whole = from.join(word);
        let (path, line) = if whole.exists() { (whole, 1) } else { split_line(word, from) };
        let path = path.canonicalize().unwrap_or(path);
        if !path.is_file() || codesync_node::is_bundle(&path) {
            return Place { folder: path, goto: None };
        }
        let folder = workspace_of(&path);
        let relative = path.strip_prefix(&folder).unwrap_or(&path);
        let name = relative.to_string_lossy().replace('\\', "/");
        Place { goto: Some((name, line)), folder }
    }
}

fn split_line(word: &OsString, from: &Path) -> (PathBuf, u32) {
    let text = word.to_string_lossy();
    if let Some((path, digits)) = text.rsplit_once(':')
        && let Ok(line) = digits.parse::<u32>()
        && from.join(path).exists()
    {
        return (from.join(path), line.max(1));
    }
    (from.join(word), 1)
}

/// The nearest folder above a file that already is a workspace or a repository, else its own folder.
fn workspace_of(file: &Path) -> PathBuf {
    let own = file.parent().unwrap_or(Path::new("/"));
    for mark in [".codesync", ".git"] {
        if let Some(folder) = own.ancestors().find(|folder| folder.join(mark).exists()) {
            return folder.to_path_buf();
        }
    }
    own.to_path_buf()
}

#[cfg(test)]
mod tests;
