//! What people and other programs do at a peer. What is refused is refused; people would be told.

use super::World;
use codesync_api::{Moment as At, Reply, Request, RestoreTarget, Scope, Splice};

/// Some are twins on a disk that ignores case, one is a folder's name.
pub const FILES: [&str; 8] =
    ["a.txt", "b.txt", "src/main.rs", "src/lib.rs", "notes/c.md", "A.txt", "src", "Notes/c.md"];
const WORDS: [&str; 6] = ["x", "fn ", "\n", "grün 🙂", "a longer line of text\n", "}"];

/// Mostly one of the plain ones.
fn file(n: u64) -> &'static str {
    if n & 0x70 == 0 { FILES[n as usize % 8] } else { FILES[n as usize % 5] }
}

impl World {
    fn ask(&mut self, idx: usize, request: Request) -> Option<Reply> {
        let steady_ms = self.steady_ms;
        self.peers[idx].ask(request, steady_ms).ok()
    }

    pub(super) fn edit(&mut self, idx: usize, n: u64) {
        let path = file(n);
        let steady_ms = self.steady_ms;
        let text = self.peers[idx].text(path, At::Now, steady_ms).unwrap_or_default();
        let units: Vec<u16> = text.encode_utf16().collect();
        let length = units.len() as u64;
        // Between the halves of a character nobody can type.
        let whole =
            |at: u64| at - u64::from(units.get(at as usize).is_some_and(|unit| (0xdc00..0xe000).contains(unit)));
        let at = whole((n >> 8) % (length + 1));
        let end = whole((at + (n >> 32) % 12).min(length)).max(at);
        let deleted = if (n >> 24).is_multiple_of(3) { end - at } else { 0 };
        let text = match (n >> 40) % 40 {
            0 => WORDS[4].repeat(800),
            _ if deleted > 0 && (n >> 48).is_multiple_of(2) => String::new(),
            word => WORDS[word as usize % 6].to_owned(),
        };
        let edits = vec![Splice(at as u32, deleted as u32, text)];
        self.ask(idx, Request::EditFile { path: path.into(), edits });
    }

    pub(super) fn rename(&mut self, idx: usize, n: u64) {
        self.ask(idx, Request::Rename { from: file(n).into(), to: file(n >> 8).into() });
    }

    pub(super) fn delete(&mut self, idx: usize, n: u64) {
        self.ask(idx, Request::Delete { path: file(n).into() });
    }

    pub(super) fn undelete(&mut self, idx: usize) {
        if let Some(Reply::Deleted { files }) = self.ask(idx, Request::ListDeleted { limit: 1 })
            && let Some(file) = files.first()
        {
            self.ask(idx, Request::Undelete { file_id: file.file_id.clone() });
        }
    }

    pub(super) fn view(&mut self, idx: usize, n: u64) {
        let steady_ms = self.steady_ms;
        self.peers[idx].toggle_view(file(n), steady_ms);
    }

    pub(super) fn disk(&mut self, idx: usize, n: u64) {
        let steady_ms = self.steady_ms;
        let text = WORDS[(n >> 8) as usize % 6].repeat(1 + (n >> 16) as usize % 40);
        self.peers[idx].disk_writes(file(n), &text, steady_ms);
    }

    pub(super) fn restore(&mut self, idx: usize, n: u64) {
        let Some(Reply::Timeline(info)) = self.ask(idx, Request::Timeline { scope: Scope::Workspace }) else {
            return;
        };
        let at = At::WorkspaceStep((n >> 8) % (info.n_moments + 1));
        let target = match n % 3 {
            0 => RestoreTarget::Workspace,
            _ => RestoreTarget::File { path: file(n >> 4).into() },
        };
        self.ask(idx, Request::Restore { target, at });
    }

    pub(super) fn undo_last(&mut self, idx: usize) {
        self.ask(idx, Request::UndoLast);
    }
}
