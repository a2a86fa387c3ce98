//! Text of any size, read in rows and never held whole. A row is a line, or a part of a line that is very long. Where
//! rows begin is noted once, with gaps, in an index that stays small whatever the file; then any row can be had,
//! found or copied by reading a little. Must never write, and never read more at once than its bounds say.

mod needle;
mod walk;

pub use needle::Needle;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::io::{self, Read, Seek, SeekFrom};
use walk::{RowAt, Walk};

/// Longer lines continue in further rows.
pub const ROW_BYTES_MAX: usize = 4_096;
/// Rows that one answer has at most.
pub const ROWS_MAX: usize = 1_024;
/// What one step of a search reads.
pub const SEARCH_BYTES: u64 = 8 << 20;
/// What can be copied at once.
pub const COPY_BYTES_MAX: u64 = 16 << 20;

/// Beginnings that are kept; when there are more, every other one is let go.
const MARKS_MAX: usize = 65_536;
const FIRST_STRIDE: u64 = 64;
/// A file with a NUL in its first bytes is no text.
const SNIFFED_BYTES: u64 = 64 * 1024;

/// Where rows begin in a file, as far as it was looked through.
#[derive(Clone, Debug)]
pub struct RowIndex {
    /// By the byte order mark, or else UTF-8 until something is not; then windows-1252, as for smaller files.
    encoding: &'static Encoding,
    is_text: bool,
    /// Beginnings of the rows 0, stride, 2·stride, …
    marks: Vec<Mark>,
    stride: u64,
    /// Whole rows; what follows `next` is one more.
    n_rows: u64,
    /// The beginning of the first row that is not noted yet.
    next: Mark,
    /// Bytes looked through.
    n_bytes: u64,
    widest_units: usize,
    has_crlf: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    offset: u64,
    /// The line that the row belongs to, from 1.
    line: u64,
    /// The row is the first of its line.
    starts_line: bool,
}

/// One row. `text` has no line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub text: String,
    /// From 1.
    pub line: u64,
    /// False where a long line goes on.
    pub starts_line: bool,
}

/// A place in the text: the row from 0, the column in UTF-16 units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub row: u64,
    pub column: u64,
}

/// What one step of a search came to. Offsets are bytes in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Found {
        from: u64,
        to: u64,
    },
    /// Nothing here; the search goes on from there.
    GoesOn {
        from: u64,
    },
    /// Nothing until the end, or until the beginning.
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Backward,
}

impl RowIndex {
    /// An index that knows nothing but how the file is encoded.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn begin(file: &mut (impl Read + Seek)) -> io::Result<Self> {
        let mut head = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.take(SNIFFED_BYTES).read_to_end(&mut head)?;
        let (encoding, n_mark) = Encoding::for_bom(&head).unwrap_or((UTF_8, 0));
        let is_text = is_wide(encoding) || !head.contains(&0);
        let next = Mark { offset: n_mark as u64, line: 1, starts_line: true };
        let marks = vec![next];
        Ok(Self {
            encoding,
            is_text,
            marks,
            stride: FIRST_STRIDE,
            n_rows: 0,
            next,
            n_bytes: n_mark as u64,
            widest_units: 0,
            has_crlf: false,
        })
    }

    /// Looks through up to `n_bytes_max` more bytes of a file that is `size` long. False when all is looked through;
    /// it can be gone on with when the file has grown.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn go_on(&mut self, file: &mut (impl Read + Seek), size: u64, n_bytes_max: u64) -> io::Result<bool> {
        let until = self.next.offset.saturating_add(n_bytes_max);
        let mut walk = Walk::new(file, self.encoding, self.next, size)?;
        while let Some(row) = walk.next()? {
            self.look_at(walk.text_of(&row), row.is_last);
            if row.is_last {
                self.n_bytes = size;
                return Ok(false);
            }
            self.note(&row);
            if self.next.offset >= until {
                break;
            }
        }
        self.n_bytes = self.next.offset;
        Ok(true)
    }

    fn look_at(&mut self, text: &[u8], is_last: bool) {
        let n_units = if is_wide(self.encoding) { text.len() / 2 } else { text.len() };
        self.widest_units = self.widest_units.max(n_units);
        if self.encoding == UTF_8
            && let Err(reason) = std::str::from_utf8(text)
        {
            // A program that writes right now may have got as far as half a character.
            let is_cut = is_last && reason.error_len().is_none();
            self.encoding = if is_cut { UTF_8 } else { WINDOWS_1252 };
        }
    }

    fn note(&mut self, row: &RowAt) {
        self.has_crlf |= row.n_end > 1 + usize::from(is_wide(self.encoding));
        self.n_rows += 1;
        let ends_line = row.n_end > 0;
        let line = self.next.line + u64::from(ends_line);
        self.next = Mark { offset: row.offset + (row.n_text + row.n_end) as u64, line, starts_line: ends_line };
        if !self.n_rows.is_multiple_of(self.stride) {
            return;
        }
        self.marks.push(self.next);
        if self.marks.len() > MARKS_MAX {
            let mut is_kept = false;
            self.marks.retain(|_| {
                is_kept = !is_kept;
                is_kept
            });
            self.stride *= 2;
        }
    }

    /// WHATWG name.
    pub fn encoding(&self) -> &'static str {
        self.encoding.name()
    }

    pub fn is_text(&self) -> bool {
        self.is_text
    }

    pub fn has_crlf(&self) -> bool {
        self.has_crlf
    }

    /// Rows known so far, the unfinished last one among them.
    pub fn n_rows(&self) -> u64 {
        self.n_rows + 1
    }

    pub fn n_lines(&self) -> u64 {
        self.next.line
    }

    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// At least as many columns as the widest row seen so far takes, wide characters and tabs aside.
    pub fn widest_units(&self) -> usize {
        self.widest_units
    }

    /// Bytes that the index itself takes.
    pub fn size_bytes(&self) -> usize {
        self.marks.capacity() * size_of::<Mark>()
    }

    /// What tells that a file still begins and goes on as it did when it was looked through; see [`Self::fits`].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sample(&self, file: &mut (impl Read + Seek)) -> io::Result<Vec<u8>> {
        let mut sample = read_range(file, 0, self.n_bytes.min(ROW_BYTES_MAX as u64))?;
        let from = self.n_bytes.saturating_sub(ROW_BYTES_MAX as u64);
        sample.extend(read_range(file, from, self.n_bytes)?);
        Ok(sample)
    }

    /// Whether a file that grew can be gone on with.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn fits(&self, file: &mut (impl Read + Seek), sample: &[u8]) -> io::Result<bool> {
        // The other half of a line end may follow now.
        let is_between = sample[sample.len().saturating_sub(2)..].contains(&b'\r');
        Ok(!is_between && self.n_bytes > self.marks[0].offset && self.sample(file)? == sample)
    }

    fn mark_before_row(&self, row: u64) -> (Mark, u64) {
        let index = ((row / self.stride) as usize).min(self.marks.len() - 1);
        (self.marks[index], index as u64 * self.stride)
    }

    fn walk<'a, F: Read + Seek>(&self, file: &'a mut F, mark: Mark) -> io::Result<Walk<'a, F>> {
        Walk::new(file, self.encoding, mark, self.n_bytes)
    }

    /// Rows from one on, at most `n` and at most [`ROWS_MAX`]; fewer at the end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn rows(&self, file: &mut (impl Read + Seek), from: u64, n: usize) -> io::Result<Vec<Row>> {
        let (mark, first) = self.mark_before_row(from);
        let mut walk = self.walk(file, mark)?;
        for _ in first..from {
            if walk.next()?.is_none() {
                return Ok(Vec::new());
            }
        }
        let mut rows = Vec::new();
        while rows.len() < n.min(ROWS_MAX)
            && let Some(row) = walk.next()?
        {
            let (text, _) = self.encoding.decode_without_bom_handling(walk.text_of(&row));
            rows.push(Row { text: text.into_owned(), line: row.line, starts_line: row.starts_line });
        }
        Ok(rows)
    }

    /// The row in which a line begins; the last one for a line beyond the end. Lines count from 1.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn row_of_line(&self, file: &mut (impl Read + Seek), line: u64) -> io::Result<u64> {
        let is_before = |mark: &Mark| mark.line < line || (mark.line == line && mark.starts_line);
        let index = self.marks.partition_point(is_before).saturating_sub(1);
        let mut walk = self.walk(file, self.marks[index])?;
        let mut row = index as u64 * self.stride;
        while let Some(found) = walk.next()? {
            if (found.line == line && found.starts_line) || found.is_last {
                break;
            }
            row += 1;
        }
        Ok(row)
    }

    /// The byte at which a place is; the end of its row when the column is beyond it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn offset_of(&self, file: &mut (impl Read + Seek), place: Place) -> io::Result<u64> {
        let (mark, first) = self.mark_before_row(place.row);
        let mut walk = self.walk(file, mark)?;
        for _ in first..place.row {
            if walk.next()?.is_none() {
                return Ok(self.n_bytes);
            }
        }
        let Some(row) = walk.next()? else { return Ok(self.n_bytes) };
        Ok(row.offset + self.bytes_of_units(walk.text_of(&row), place.column) as u64)
    }

    /// The place of a byte.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn place_of(&self, file: &mut (impl Read + Seek), offset: u64) -> io::Result<Place> {
        let index = self.marks.partition_point(|mark| mark.offset <= offset).saturating_sub(1);
        let mut walk = self.walk(file, self.marks[index])?;
        let mut place = Place { row: index as u64 * self.stride, column: 0 };
        while let Some(row) = walk.next()? {
            if row.is_last || offset < row.offset + (row.n_text + row.n_end) as u64 {
                let n_before = (offset.saturating_sub(row.offset) as usize).min(row.n_text);
                let (text, _) = self.encoding.decode_without_bom_handling(&walk.text_of(&row)[..n_before]);
                place.column = text.encode_utf16().count() as u64;
                break;
            }
            place.row += 1;
        }
        Ok(place)
    }

    /// How many bytes so many UTF-16 units at the beginning of a text take.
    fn bytes_of_units(&self, text: &[u8], n_units: u64) -> usize {
        let mut n_left = usize::try_from(n_units).unwrap_or(usize::MAX);
        if is_wide(self.encoding) {
            return n_left.saturating_mul(2).min(text.len());
        }
        if self.encoding != UTF_8 {
            return n_left.min(text.len());
        }
        let text = String::from_utf8_lossy(text);
        let mut n_bytes = 0;
        for letter in text.chars() {
            if n_left < letter.len_utf16() {
                break;
            }
            n_left -= letter.len_utf16();
            n_bytes += letter.len_utf8();
        }
        n_bytes
    }

    /// The text between two bytes, its line ends LF. None when it is more than [`COPY_BYTES_MAX`].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn text(&self, file: &mut (impl Read + Seek), from: u64, to: u64) -> io::Result<Option<String>> {
        let to = to.min(self.n_bytes);
        if to.saturating_sub(from) > COPY_BYTES_MAX {
            return Ok(None);
        }
        let bytes = read_range(file, from, to)?;
        let (text, _) = self.encoding.decode_without_bom_handling(&bytes);
        Ok(Some(text.replace("\r\n", "\n").replace('\r', "\n")))
    }

    /// What is looked for, as its bytes are in this file; none when they cannot be.
    pub fn needle(&self, text: &str, matches_case: bool) -> Option<Needle> {
        Needle::new(text, self.encoding, matches_case)
    }

    /// One step of a search, from a byte on: forward what begins there or behind, backward what begins before.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn find(
        &self,
        file: &mut (impl Read + Seek),
        needle: &Needle,
        offset: u64,
        direction: Direction,
    ) -> io::Result<Step> {
        let begin = self.marks[0].offset;
        let (from, until) = match direction {
            Direction::Forward => (offset.max(begin), offset.saturating_add(SEARCH_BYTES).min(self.n_bytes)),
            Direction::Backward => (offset.saturating_sub(SEARCH_BYTES).max(begin), offset.min(self.n_bytes)),
        };
        // Wide characters begin at even places behind the mark.
        let from = if is_wide(self.encoding) { from - (from - begin) % 2 } else { from };
        let bytes = read_range(file, from, until.saturating_add(needle.n_bytes_max() as u64).min(self.n_bytes))?;
        let reach = usize::try_from(until.saturating_sub(from)).unwrap_or(usize::MAX);
        let found = match direction {
            Direction::Forward => needle.first_in(&bytes, reach),
            Direction::Backward => needle.last_in(&bytes, reach),
        };
        Ok(match (found, direction) {
            (Some((at, n_bytes)), _) => Step::Found { from: from + at as u64, to: from + (at + n_bytes) as u64 },
            (None, Direction::Forward) if until < self.n_bytes => Step::GoesOn { from: until },
            (None, Direction::Backward) if from > begin => Step::GoesOn { from },
            (None, _) => Step::Over,
        })
    }
}

/// Two bytes a unit.
fn is_wide(encoding: &'static Encoding) -> bool {
    encoding == UTF_16LE || encoding == UTF_16BE
}

fn read_range(file: &mut (impl Read + Seek), from: u64, to: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    file.take(to.saturating_sub(from)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
