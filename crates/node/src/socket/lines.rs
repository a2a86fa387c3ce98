//! Lines from a stream, bounded, and interruptible where the system allows it.

use std::io::{self, ErrorKind, Read};

const CHUNK_BYTES: usize = 64 * 1024;

/// Reads lines. Its buffer never grows beyond the longest line allowed and one chunk.
pub(crate) struct LineReader<R> {
    stream: R,
    buffer: Vec<u8>,
    /// Bytes at the start of `buffer` known to have no line end.
    n_searched: usize,
}

impl<R: Read> LineReader<R> {
    pub fn new(stream: R) -> Self {
        Self { stream, buffer: Vec::new(), n_searched: 0 }
    }

    /// The next line without its end; none at the end of the stream, or when `is_over` says so (asked
    /// before every reading and at every time-out of the stream).
    pub fn read_line(&mut self, bytes_max: usize, is_over: impl Fn() -> bool) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(at) = self.buffer[self.n_searched..].iter().position(|byte| *byte == b'\n') {
                let end = self.n_searched + at;
                if end > bytes_max {
                    return Err(too_long());
                }
                let rest = self.buffer.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.buffer, rest);
                line.pop();
                self.n_searched = 0;
                return Ok(Some(line));
            }
            self.n_searched = self.buffer.len();
            if self.n_searched > bytes_max {
                return Err(too_long());
            }
            if is_over() || !self.fill(&is_over)? {
                return Ok(None);
            }
        }
    }

    fn fill(&mut self, is_over: &impl Fn() -> bool) -> io::Result<bool> {
        let start = self.buffer.len();
        self.buffer.resize(start + CHUNK_BYTES, 0);
        let read = loop {
            match self.stream.read(&mut self.buffer[start..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if is_over() {
                        break Ok(0);
                    }
                }
                other => break other,
            }
        };
        self.buffer.truncate(start + *read.as_ref().unwrap_or(&0));
        Ok(read? > 0)
    }
}

fn too_long() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "a line is longer than allowed")
}
