//! Goes over a file row by row through a buffer of one size. Where a row ends follows from where it begins and from
//! nothing else, so that every walk finds the same rows.

use super::{Mark, ROW_BYTES_MAX, is_wide};
use encoding_rs::{Encoding, UTF_16LE};
use std::io::{self, Read, Seek, SeekFrom};

/// Enough to see where a row ends: its text, a line end of two wide characters.
const LOOK_AHEAD: usize = ROW_BYTES_MAX + 4;
const BUFFER_BYTES: usize = 256 * 1024;
/// The first reading, for one who wants a few rows only.
const FIRST_BYTES: usize = 16 * 1024;

/// A row in the buffer of its walk, until the next one is asked for.
pub struct RowAt {
    pub offset: u64,
    pub line: u64,
    pub starts_line: bool,
    pub n_text: usize,
    /// Bytes of the line end; none where a long line goes on, and at the end of the file.
    pub n_end: usize,
    pub is_last: bool,
}

pub struct Walk<'a, F> {
    file: &'a mut F,
    encoding: &'static Encoding,
    buffer: Vec<u8>,
    /// Of the next row in the buffer.
    at: usize,
    /// Of the row before.
    before: usize,
    next: Mark,
    /// Bytes of the file that are not in the buffer yet.
    n_left: u64,
    fill_bytes: usize,
    is_over: bool,
}

impl<'a, F: Read + Seek> Walk<'a, F> {
    pub fn new(file: &'a mut F, encoding: &'static Encoding, from: Mark, size: u64) -> io::Result<Self> {
        file.seek(SeekFrom::Start(from.offset))?;
        let n_left = size.saturating_sub(from.offset);
        let fill_bytes = FIRST_BYTES;
        Ok(Self {
            file,
            encoding,
            buffer: Vec::new(),
            at: 0,
            before: 0,
            next: from,
            n_left,
            fill_bytes,
            is_over: false,
        })
    }

    /// The next row; none behind the last.
    pub fn next(&mut self) -> io::Result<Option<RowAt>> {
        if self.is_over {
            return Ok(None);
        }
        if self.buffer.len() - self.at < LOOK_AHEAD && self.n_left > 0 {
            self.fill()?;
        }
        let rest = &self.buffer[self.at..];
        let (n_text, n_end) = if is_wide(self.encoding) { wide_row(rest, self.encoding) } else { narrow_row(rest) };
        let Mark { offset, line, starts_line } = self.next;
        let is_last = n_end == 0 && n_text == rest.len();
        self.is_over = is_last;
        self.before = self.at;
        self.at += n_text + n_end;
        let ends_line = n_end > 0;
        let line_after = line + u64::from(ends_line);
        self.next = Mark { offset: offset + (n_text + n_end) as u64, line: line_after, starts_line: ends_line };
        Ok(Some(RowAt { offset, line, starts_line, n_text, n_end, is_last }))
    }

    /// The bytes of the row that came last.
    pub fn text_of(&self, row: &RowAt) -> &[u8] {
        &self.buffer[self.before..self.before + row.n_text]
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let n_wanted = (self.fill_bytes as u64).min(self.n_left);
        let n_read = (&mut *self.file).take(n_wanted).read_to_end(&mut self.buffer)? as u64;
        // A file that became shorter ends here.
        self.n_left = if n_read < n_wanted { 0 } else { self.n_left - n_read };
        self.fill_bytes = BUFFER_BYTES;
        Ok(())
    }
}

/// Bytes of the text and of the line end of the first row, where line ends are single bytes.
fn narrow_row(bytes: &[u8]) -> (usize, usize) {
    let seen = &bytes[..bytes.len().min(ROW_BYTES_MAX + 1)];
    if let Some(at) = seen.iter().position(|byte| *byte == b'\n' || *byte == b'\r') {
        let is_pair = bytes[at..].starts_with(b"\r\n");
        return (at, 1 + usize::from(is_pair));
    }
    if bytes.len() <= ROW_BYTES_MAX {
        return (bytes.len(), 0);
    }
    // Not inside a character. What is no UTF-8 can be cut anywhere.
    let is_begin = |at: &usize| bytes[*at] & 0xc0 != 0x80;
    let cut = (ROW_BYTES_MAX - 3..=ROW_BYTES_MAX).rev().find(is_begin).unwrap_or(ROW_BYTES_MAX);
    (cut, 0)
}

fn wide_row(bytes: &[u8], encoding: &'static Encoding) -> (usize, usize) {
    let to_unit = if encoding == UTF_16LE { u16::from_le_bytes } else { u16::from_be_bytes };
    let unit_at = |at: usize| bytes.get(at..at + 2).map(|pair| to_unit([pair[0], pair[1]]));
    for at in (0..=ROW_BYTES_MAX).step_by(2) {
        match unit_at(at) {
            Some(0x0a) => return (at, 2),
            Some(0x0d) => return (at, if unit_at(at + 2) == Some(0x0a) { 4 } else { 2 }),
            Some(_) => {}
            None => return (bytes.len(), 0),
        }
    }
    let parts_pair = unit_at(ROW_BYTES_MAX).is_some_and(|unit| (0xdc00..0xe000).contains(&unit));
    (if parts_pair { ROW_BYTES_MAX - 2 } else { ROW_BYTES_MAX }, 0)
}
