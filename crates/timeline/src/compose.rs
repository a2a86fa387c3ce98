//! Joins replacements that touch into one. What a list does to a text never changes by it.

use codesync_base::{Splice, utf16_len};

/// A replacement that still grows.
struct Pending {
    position: u32,
    deleted: u32,
    inserted: String,
    /// Of `inserted`, in UTF-16 units.
    length: u32,
}

/// Takes replacements in order, each in the text after those before it, and gives fewer that do the same.
pub(crate) struct Composer {
    done: Vec<Splice>,
    pending: Option<Pending>,
}

impl Composer {
    pub fn new() -> Self {
        Self { done: Vec::new(), pending: None }
    }

    pub fn push(&mut self, position: u32, deleted: u32, inserted: &str) {
        let length = utf16_len(inserted);
        if let Some(pending) = &mut self.pending {
            if position <= pending.position + pending.length && position + deleted >= pending.position {
                pending.absorb(position, deleted, inserted, length);
                return;
            }
            self.flush();
        }
        self.pending = Some(Pending { position, deleted, inserted: inserted.to_owned(), length });
    }

    pub fn finish(mut self) -> Vec<Splice> {
        self.flush();
        self.done
    }

    fn flush(&mut self) {
        if let Some(pending) = self.pending.take()
            && (pending.deleted > 0 || pending.length > 0)
        {
            self.done.push(Splice::new(pending.position, pending.deleted, pending.inserted));
        }
    }
}

impl Pending {
    fn absorb(&mut self, position: u32, deleted: u32, inserted: &str, length: u32) {
        let end = self.position + self.length;
        let from = position.max(self.position) - self.position;
        let to = (position + deleted).min(end) - self.position;
        let before = self.position.saturating_sub(position);
        let behind = (position + deleted).saturating_sub(end);
        let bytes = byte_of(&self.inserted, self.length, from)..byte_of(&self.inserted, self.length, to);
        self.inserted.replace_range(bytes, inserted);
        self.length = self.length - (to - from) + length;
        self.deleted += before + behind;
        self.position = self.position.min(position);
    }
}

/// Byte offset of a UTF-16 offset in a text that is `length` units long.
pub(crate) fn byte_of(text: &str, length: u32, offset: u32) -> usize {
    if text.len() == length as usize {
        return offset as usize;
    }
    if offset == length {
        return text.len();
    }
    let mut units = 0;
    for (byte, c) in text.char_indices() {
        if units >= offset {
            return byte;
        }
        units += c.len_utf16() as u32;
    }
    text.len()
}

/// The same edits, those that touch joined. Each is meant for the text after those before it.
pub fn compose(splices: impl IntoIterator<Item = Splice>) -> Vec<Splice> {
    let mut composer = Composer::new();
    for splice in splices {
        composer.push(splice.position, splice.deleted, &splice.inserted);
    }
    composer.finish()
}

#[cfg(test)]
mod tests;
