//! Texts as the workspace has them where the folder does not: edits are there at once, in the folder half a second later
//! or when they are saved.

use super::Ask;
use codesync_api::{ApiError, ErrorCode, Reply, Request};
use codesync_base::RelPath;
use std::collections::BTreeSet;

/// The files of which the folder has another text, or none.
pub struct Unwritten {
    paths: BTreeSet<String>,
}

impl Unwritten {
    pub fn ask(ask: &Ask<'_>) -> Result<Self, ApiError> {
        match ask(Request::ListUnwritten)? {
            Reply::Files { paths } => Ok(Self { paths: paths.into_iter().collect() }),
            other => Err(unexpected(&other)),
        }
    }

    /// The text of such a file; it is not asked for again.
    pub fn take(&mut self, ask: &Ask<'_>, path: &RelPath) -> Result<Option<String>, ApiError> {
        if self.paths.is_empty() || !self.paths.remove(path.as_str()) {
            return Ok(None);
        }
        present_text(ask, path.as_str())
    }

    /// Those that were not asked for.
    pub fn rest(&self) -> Vec<RelPath> {
        self.paths.iter().filter_map(|path| RelPath::parse(path).ok()).collect()
    }
}

/// The text of a file; none when it is gone or no text.
pub fn present_text(ask: &Ask<'_>, path: &str) -> Result<Option<String>, ApiError> {
    match ask(Request::PresentText { path: path.to_owned() }) {
        Ok(Reply::PresentText { text }) => Ok(Some(text)),
        Ok(other) => Err(unexpected(&other)),
        Err(error) if matches!(error.code, ErrorCode::NotFound | ErrorCode::NotText) => Ok(None),
        Err(error) => Err(error),
    }
}

pub fn unexpected(reply: &Reply) -> ApiError {
    let kind: String = format!("{reply:?}").chars().take_while(|c| c.is_alphanumeric()).collect();
    ApiError::new(ErrorCode::Internal, "The workspace gave an answer to another question.").with_detail(kind)
}
