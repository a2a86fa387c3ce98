//! Which files a search looks into: globs as people type them into an editor. Pure.

use super::PatternError;
use codesync_base::RelPath;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Files to look into and files to leave out.
#[derive(Clone, Debug)]
pub struct Globs {
    /// None: all.
    include: Option<GlobSet>,
    exclude: GlobSet,
}

impl Globs {
    /// `*.rs` and `src` at any depth, `./src` only at the top; a folder stands for what is in it. Empty ones do not count.
    pub fn new(include: &[String], exclude: &[String]) -> Result<Self, PatternError> {
        let named = |globs: &[String]| globs.iter().any(|glob| !glob.trim().is_empty());
        Ok(Self { include: named(include).then(|| set(include)).transpose()?, exclude: set(exclude)? })
    }

    pub fn has(&self, path: &RelPath) -> bool {
        self.include.as_ref().is_none_or(|globs| globs.is_match(path.as_str())) && !self.exclude.is_match(path.as_str())
    }

    /// Whether anything in this folder may be looked into.
    pub fn enters(&self, folder: &RelPath) -> bool {
        !self.exclude.is_match(folder.as_str())
    }
}

fn set(globs: &[String]) -> Result<GlobSet, PatternError> {
    let mut builder = GlobSetBuilder::new();
    for glob in globs.iter().map(|glob| glob.trim()).filter(|glob| !glob.is_empty()) {
        let inner = glob.trim_end_matches('/');
        let whole = match inner.strip_prefix("./").or_else(|| inner.strip_prefix('/')) {
            Some(from_the_top) => from_the_top.to_owned(),
            None if inner.starts_with("**/") => inner.to_owned(),
            None => format!("**/{inner}"),
        };
        for one in [whole.clone(), format!("{whole}/**")] {
            let built = GlobBuilder::new(&one).literal_separator(true).build();
            builder.add(built.map_err(|error| PatternError::of_glob(glob, error.kind()))?);
        }
    }
    builder.build().map_err(|error| PatternError::of_glob("", error.kind()))
}
