//! Refusals: a code to decide by, a sentence to show.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Why a request was refused. `message` is a whole sentence in plain words that can be shown as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, thiserror::Error)]
#[error("{message}")]
#[serde(rename_all = "camelCase")]
pub struct ApiError {
    pub code: ErrorCode,
    pub message: String,
    /// Technical cause for "Details"; never needed to understand the message.
    pub detail: Option<String>,
}

impl ApiError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), detail: None }
    }

    pub fn with_detail(mut self, detail: impl ToString) -> Self {
        self.detail = Some(detail.to_string());
        self
    }
}

/// Only codes that some client decides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ErrorCode {
    /// The request itself makes no sense (bad name, bad position, bad moment).
    Invalid,
    NotFound,
    Exists,
    /// The file is binary or too large for this.
    NotText,
    ReadOnly,
    DiskFull,
    /// Another program holds the store.
    Busy,
    /// The store was written by a newer version.
    NewerVersion,
    Damaged,
    Io,
    /// The restored text was not the previewed text; it was taken back.
    Mismatch,
    Internal,
}
