//! Why a command did not do what it was asked: one sentence, and an exit status.

use codesync_api::{ApiError, ErrorCode};
use std::io;

#[derive(Debug)]
pub enum Failure {
    /// Exit status 1: a whole sentence.
    Refused(String),
    /// Exit status 2: what was typed makes no sense.
    Usage(String),
    /// Nobody reads on (`| head`): not a failure at all.
    OutputClosed,
}

impl Failure {
    pub fn refused(sentence: impl Into<String>) -> Self {
        Self::Refused(sentence.into())
    }

    pub fn usage(sentence: impl Into<String>) -> Self {
        Self::Usage(sentence.into())
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Refused(sentence_of(&error))
    }
}

/// Trouble with writing to standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::Refused(format!("The output could not be written: {}.", reason(&error))),
        }
    }
}

/// The refusal, and what helps against it.
pub fn sentence_of(error: &ApiError) -> String {
    let hint = match error.code {
        ErrorCode::Damaged => " Try “codesync verify”.",
        ErrorCode::Internal => match &error.detail {
            Some(detail) if detail != codesync_node::NOT_DONE => return format!("{} ({detail})", error.message),
            _ => "",
        },
        ErrorCode::Invalid
        | ErrorCode::NotFound
        | ErrorCode::Exists
        | ErrorCode::NotText
        | ErrorCode::ReadOnly
        | ErrorCode::DiskFull
        | ErrorCode::Busy
        | ErrorCode::NewerVersion
        | ErrorCode::Io
        | ErrorCode::Mismatch => "",
    };
    format!("{}{hint}", without_numbers(&error.message))
}

/// Takes the system's own error numbers out of a sentence: ` (os error 13)`.
fn without_numbers(sentence: &str) -> String {
    let mut parts = sentence.split(" (os error ");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.split_once(')').map_or(part, |(_, rest)| rest));
    }
    text
}

/// The system's reason in plain words, without its number.
pub fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::NotADirectory => "it is not a folder".into(),
        io::ErrorKind::StorageFull => "the disk is full".into(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
    }
}
