//! What people and other programs do at a peer. What is refused is refused; people would be told.

use super::World;
use crate::Action;
use codesync_api::{Moment as At, Reply, Request, RestoreTarget, Scope, Splice};

/// Some are twins on a disk that ignores case, one is a folder's name.
pub const FILES: [&str; 8] =
    ["a.txt", "b.txt", "src/main.rs", "src/lib.rs", "notes/c.md", "A.txt", "src", "Notes/c.md"];
const WORDS: [&str; 6] = ["x", "fn ", "\n", "grün 🙂", "a longer line of text\n", "}"];

/// Mostly one of the plain ones.
fn file(n: u64) -> &'static str {
    if n & 0x70 == 0 { FILES[n as usize % 8] } else { FILES[n as usize % 5] }
}

/// Between the halves of a character nobody can type.
fn whole(units: &[u16], at: u64) -> u64 {
    at - u64::from(units.get(at as usize).is_some_and(|unit| (0xdc00..0xe000).contains(unit)))
}

/// The word of this number, which nobody else types.
fn word(idx: usize, n: u64) -> String {
    format!("<{idx}:{n}>")
}

/// A text without the words that somebody typed; one may stand in the other.
fn without_words(text: &str, idx: usize, n_typed: u64) -> String {
    let without = (1..=n_typed).fold(text.to_owned(), |text, n| text.replace(&word(idx, n), ""));
    if without == text { without } else { without_words(&without, idx, n_typed) }
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
        let at = whole(&units, (n >> 8) % (length + 1));
        let end = whole(&units, (at + (n >> 32) % 12).min(length)).max(at);
        let deleted = if (n >> 24).is_multiple_of(3) { end - at } else { 0 };
        let text = match (n >> 40) % 40 {
            0 => WORDS[4].repeat(800),
            _ if deleted > 0 && (n >> 48).is_multiple_of(2) => String::new(),
            word => WORDS[word as usize % 6].to_owned(),
        };
        let edits = match (n >> 50) % 300 {
            // So many steps that the text is kept in the index.
            0 => (0..2_100).map(|step| Splice(at as u32 + step, 0, "k".into())).collect(),
            _ => vec![Splice(at as u32, deleted as u32, text)],
        };
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

    /// What somebody typed last is not the last any more once they do something else, and not surely theirs once anything
    /// is brought back by anybody.
    pub(super) fn forget_typed(&mut self, action: &Action) {
        let by = match *action {
            Action::Restore { .. } | Action::UndoLast { .. } => return self.typed.clear(),
            Action::Edit { peer, .. }
            | Action::Rename { peer, .. }
            | Action::Delete { peer, .. }
            | Action::Undelete { peer }
            | Action::Disk { peer, .. }
            | Action::View { peer, .. }
            | Action::Crash { peer, .. }
            | Action::RollBack { peer } => self.peer(peer),
            _ => return,
        };
        self.typed.retain(|(peer, _), _| *peer != by);
    }

    pub(super) fn type_word(&mut self, idx: usize, n: u64) {
        let (path, steady_ms) = (file(n), self.steady_ms);
        self.typed.retain(|(peer, other), _| *peer != idx || other == path);
        if self.peers[idx].is_short {
            return;
        }
        self.n_typed += 1;
        let word = word(idx, self.n_typed);
        let at = |text: &str| {
            let units: Vec<u16> = text.encode_utf16().collect();
            whole(&units, (n >> 8) % (units.len() as u64 + 1)) as u32
        };
        if self.peers[idx].type_in_view(path, at, &word, steady_ms) {
            self.typed.entry((idx, path.to_owned())).or_default().push(word);
        }
    }

    /// One's own undo takes back one's own words, and nothing that others wrote meanwhile.
    pub(super) fn undo_typed(&mut self, idx: usize) {
        let Some(((peer, path), words)) = self.typed.iter().find(|((peer, _), _)| *peer == idx) else { return };
        let (key, words) = ((*peer, path.clone()), words.clone());
        self.typed.remove(&key);
        let steady_ms = self.steady_ms;
        let Some(before) = self.peers[idx].text(&key.1, At::Now, steady_ms) else { return };
        // Where others wrote into a word, or deleted some of it, what is left of it can't be told from outside.
        let is_whole = words.iter().all(|word| before.matches(word.as_str()).count() == 1);
        if !self.peers[idx].undo_in_view(&key.1, steady_ms) || !is_whole {
            return;
        }
        let after = self.peers[idx].text(&key.1, At::Now, steady_ms).unwrap_or_default();
        let without_own = |text: &str| without_words(text, idx, self.n_typed);
        assert_eq!(without_own(&after), without_own(&before), "an undo touched what others wrote");
        assert_ne!(after, before, "an undo took nothing back");
    }

    pub(super) fn undo_last(&mut self, idx: usize) {
        self.ask(idx, Request::UndoLast);
    }
}
