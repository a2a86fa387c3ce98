//! Bytes of a file ↔ LF-normalised text. Must never write a character as something else: what an encoding
//! cannot hold is written in UTF-8 instead.

use codesync_base::limits::{TEXT_FILE_BYTES_MAX, TEXT_FILE_LINES_MAX};
use codesync_base::{FileMeta, LineEnd};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// What bytes on disk are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    Text {
        /// Line ends are LF.
        text: String,
        /// `mode` is 0 and `raw` is none: the caller knows these.
        meta: FileMeta,
        /// Whether [`write_text`] gives the same bytes again. If not, the caller keeps the bytes.
        exact: bool,
    },
    /// Kept whole.
    Binary { reason: WholeReason },
}

/// Why a file is kept whole. The sentence can be shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WholeReason {
    #[error("This file isn't text.")]
    NotText,
    #[error("This file is larger than 20 MB, too large to edit together.")]
    TooManyBytes,
    #[error("This file has more than 300,000 lines, too many to edit together.")]
    TooManyLines,
}

/// An encoding that does not exist.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("“{label}” is not an encoding that CodeSync knows.")]
pub struct EncodingError {
    pub label: String,
}

/// Name of the encoding that a label of the WHATWG Encoding Standard stands for.
pub fn known_label(label: &str) -> Option<String> {
    Encoding::for_label(label.as_bytes()).map(|encoding| encoding.name().to_owned())
}

/// Reads bytes as text if they are text: by byte order mark, as UTF-8, else as windows-1252.
pub fn read_text(bytes: &[u8]) -> Content {
    if bytes.len() as u64 > TEXT_FILE_BYTES_MAX {
        return Content::Binary { reason: WholeReason::TooManyBytes };
    }
    let marked = Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
    let encoding = match marked {
        Some(encoding) => encoding,
        None if std::str::from_utf8(bytes).is_ok() => UTF_8,
        None if bytes.iter().all(|byte| is_plain_in_windows_1252(*byte)) => WINDOWS_1252,
        None => return Content::Binary { reason: WholeReason::NotText },
    };
    match decode(bytes, encoding) {
        Content::Text { exact: false, meta, .. } if encoding != UTF_8 && !is_exact_but_for_lines(bytes, encoding) => {
            tracing::debug!(encoding = meta.encoding, "bytes do not round-trip: kept whole");
            Content::Binary { reason: WholeReason::NotText }
        }
        Content::Text { exact: false, .. } if std::str::from_utf8(bytes).is_err() && encoding == UTF_8 => {
            Content::Binary { reason: WholeReason::NotText }
        }
        content => content,
    }
}

/// Reads bytes in the encoding that a person chose, by its label in the WHATWG Encoding Standard. What is not
/// valid in it shows as U+FFFD; `exact` is false then.
pub fn decode_as(bytes: &[u8], label: &str) -> Result<Content, EncodingError> {
    let refused = || EncodingError { label: label.chars().take(40).collect() };
    let encoding = Encoding::for_label(label.as_bytes()).ok_or_else(refused)?;
    if encoding == encoding_rs::REPLACEMENT || encoding == encoding_rs::X_USER_DEFINED {
        return Err(refused());
    }
    if bytes.len() as u64 > TEXT_FILE_BYTES_MAX {
        return Ok(Content::Binary { reason: WholeReason::TooManyBytes });
    }
    Ok(decode(bytes, encoding))
}

/// Bytes of a text as its file has them. Where the encoding cannot hold the text they are UTF-8; ask
/// [`meta_that_fits`] first to know.
pub fn write_text(text: &str, meta: &FileMeta) -> Vec<u8> {
    let text = match meta.line_end {
        LineEnd::Lf => std::borrow::Cow::Borrowed(text),
        LineEnd::CrLf => std::borrow::Cow::Owned(text.replace('\n', "\r\n")),
    };
    let encoding = Encoding::for_label(meta.encoding.as_bytes()).unwrap_or(UTF_8);
    encode(&text, encoding, meta.byte_order_mark).unwrap_or_else(|| text.into_owned().into_bytes())
}

/// The same properties, or with UTF-8 in place of an encoding that cannot hold the text.
pub fn meta_that_fits(text: &str, meta: &FileMeta) -> FileMeta {
    let fits = Encoding::for_label(meta.encoding.as_bytes())
        .is_some_and(|encoding| encode(text, encoding, meta.byte_order_mark).is_some());
    if fits {
        return meta.clone();
    }
    FileMeta { encoding: UTF_8.name().into(), byte_order_mark: false, ..meta.clone() }
}

fn decode(bytes: &[u8], encoding: &'static Encoding) -> Content {
    let (body, byte_order_mark) = match Encoding::for_bom(bytes) {
        Some((marked, n_bytes)) if marked == encoding => (&bytes[n_bytes..], true),
        _ => (bytes, false),
    };
    let (decoded, _) = encoding.decode_without_bom_handling(body);
    if decoded.contains('\0') {
        return Content::Binary { reason: WholeReason::NotText };
    }
    let lines = LineEnds::count(&decoded);
    if lines.total() > TEXT_FILE_LINES_MAX {
        return Content::Binary { reason: WholeReason::TooManyLines };
    }
    let meta =
        FileMeta { encoding: encoding.name().into(), byte_order_mark, line_end: lines.majority(), mode: 0, raw: None };
    let text = lines.normalise(decoded.into_owned());
    let exact = write_text(&text, &meta) == bytes;
    Content::Text { text, meta, exact }
}

fn is_exact_but_for_lines(bytes: &[u8], encoding: &'static Encoding) -> bool {
    let n_mark = Encoding::for_bom(bytes).map_or(0, |(_, n_bytes)| n_bytes);
    let (decoded, had_errors) = encoding.decode_without_bom_handling(&bytes[n_mark..]);
    !had_errors && encode(&decoded, encoding, n_mark > 0).is_some_and(|again| again == bytes)
}

/// None when the encoding has no bytes for some character.
fn encode(text: &str, encoding: &'static Encoding, byte_order_mark: bool) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() + 3);
    if byte_order_mark && encoding == UTF_8 {
        bytes.extend([0xef, 0xbb, 0xbf]);
    }
    if encoding == UTF_16LE || encoding == UTF_16BE {
        let to_bytes = if encoding == UTF_16LE { u16::to_le_bytes } else { u16::to_be_bytes };
        let mark = byte_order_mark.then_some(0xfeff);
        bytes.extend(mark.into_iter().chain(text.encode_utf16()).flat_map(to_bytes));
        return Some(bytes);
    }
    let (encoded, _, has_unmappable) = encoding.encode(text);
    if has_unmappable {
        return None;
    }
    bytes.extend_from_slice(&encoded);
    Some(bytes)
}

/// Control characters and the five holes of windows-1252 do not occur in text.
fn is_plain_in_windows_1252(byte: u8) -> bool {
    match byte {
        b'\t' | b'\n' | b'\r' | 0x0c | 0x1b => true,
        0x00..=0x1f | 0x7f | 0x81 | 0x8d | 0x8f | 0x90 | 0x9d => false,
        _ => true,
    }
}

struct LineEnds {
    n_lf: u64,
    n_crlf: u64,
    n_cr: u64,
}

impl LineEnds {
    fn count(text: &str) -> Self {
        let mut ends = LineEnds { n_lf: 0, n_crlf: 0, n_cr: 0 };
        let mut after_cr = false;
        for byte in text.bytes() {
            match byte {
                b'\n' if after_cr => {
                    ends.n_cr -= 1;
                    ends.n_crlf += 1;
                }
                b'\n' => ends.n_lf += 1,
                b'\r' => ends.n_cr += 1,
                _ => {}
            }
            after_cr = byte == b'\r';
        }
        ends
    }

    /// Lines as an editor counts them: one more than there are ends.
    fn total(&self) -> u64 {
        self.n_lf + self.n_crlf + self.n_cr + 1
    }

    fn majority(&self) -> LineEnd {
        if self.n_crlf > self.n_lf + self.n_cr { LineEnd::CrLf } else { LineEnd::Lf }
    }

    fn normalise(&self, text: String) -> String {
        match (self.n_crlf, self.n_cr) {
            (0, 0) => text,
            (_, 0) => text.replace("\r\n", "\n"),
            _ => text.replace("\r\n", "\n").replace('\r', "\n"),
        }
    }
}

#[cfg(test)]
mod tests;
