//! Two changed a file that is kept whole, or made two files of one name, while neither knew of the other: both are
//! kept, one beside the other, and both people are told. Who ends up beside is the same everywhere; the copy of a content
//! is made by whoever's it is, as a delta like any other.

use super::Batch;
use crate::{Engine, Now};
use codesync_api::{Event, Notice};
use codesync_auth::Act as Right;
use codesync_base::{BlobHash, Change, FileId, FileKind, LogId, Origin, RelPath, SignedDelta, StepKey, TextSource};
use std::collections::BTreeMap;

/// Longest name of a person in the name of a file, in characters.
const PERSON_CHARS_MAX: usize = 40;

/// Contents of others that gave way to ours: their copy is to come, and is told then.
pub(super) type GaveWay = BTreeMap<(LogId, BlobHash), FileId>;

/// A content that somebody gave a file without having seen ours.
pub(super) struct Rival {
    pub file: FileId,
    pub key: StepKey,
    pub blob: BlobHash,
    /// The newest delta of ours that its author had seen.
    pub own_seen: u32,
}

/// A content of a file, as the tree has it.
struct Content {
    key: StepKey,
    at_ms: u64,
    source: (BlobHash, u64),
}

impl Engine {
    /// Of a delta that counts, what may be in the way of something of ours.
    pub(super) fn note_rivals(&self, signed: &SignedDelta, own_seen: u32, batch: &mut Batch) {
        let delta = &signed.delta;
        for (step_idx, step) in delta.steps.iter().enumerate() {
            let Some(file) = delta.file_of(step) else { continue };
            match &step.change {
                Change::Content { blob, .. } if own_seen < self.head_seq => {
                    let key = StepKey { delta: delta.key(signed.hash), step_idx: step_idx as u32 };
                    batch.rivals.push(Rival { file, key, blob: *blob, own_seen });
                }
                Change::Create { kind: FileKind::Binary, content: Some(TextSource::Blob { hash, .. }), .. } => {
                    batch.copies.push((delta.log, *hash, file));
                }
                _ => {}
            }
            if crate::history::new_path(&step.change).is_some() {
                batch.placed.insert(file);
            }
        }
    }

    /// After a batch: contents of ours that have to make room are put beside, and all this is told.
    pub(super) fn settle_rivals(&mut self, batch: &Batch, now: Now) {
        let mut files: Vec<FileId> = batch.rivals.iter().map(|rival| rival.file).collect();
        files.sort_unstable();
        files.dedup();
        for file in files {
            let rivals: Vec<&Rival> = batch.rivals.iter().filter(|rival| rival.file == file).collect();
            self.settle_rivals_of(file, &rivals, now);
        }
        for (log, blob, copy) in &batch.copies {
            if let Some(file) = self.others.gave_way.remove(&(*log, *blob)) {
                self.tell_copy(log, file, *copy);
            }
        }
        self.tell_pushed_aside(batch);
    }

    fn settle_rivals_of(&mut self, file: FileId, rivals: &[&Rival], now: Now) {
        let Some(ours) = self.own_content(&file) else { return };
        let unseen = |rival: &&&Rival| rival.own_seen < ours.key.delta.seq && rival.blob != ours.source.0;
        let Some(newest) = rivals.iter().filter(unseen).max_by_key(|rival| rival.key) else { return };
        if newest.key < ours.key {
            self.others.gave_way.insert((newest.key.delta.log, newest.blob), file);
            return;
        }
        // One that others had replaced before is beside already, or was not in the way of anybody.
        let is_of_batch = |key: &StepKey| rivals.iter().any(|rival| rival.key == *key);
        let was_newest = self.contents_after(&file, &ours.key).iter().all(is_of_batch);
        if was_newest && self.may(Right::Edit).is_ok() {
            self.put_beside(file, &ours, newest, now);
        }
    }

    /// The newest content that was given to a file here.
    fn own_content(&self, file: &FileId) -> Option<Content> {
        let events = self.tree.events().iter().rev().filter(|event| event.file == *file);
        let mut own = events.filter(|event| event.key.delta.log == self.own);
        own.find_map(|event| match &*event.change {
            Change::Content { blob, length_bytes } => {
                Some(Content { key: event.key, at_ms: event.at_ms, source: (*blob, *length_bytes) })
            }
            _ => None,
        })
    }

    fn contents_after(&self, file: &FileId, key: &StepKey) -> Vec<StepKey> {
        let later = self.tree.events().iter().rev().take_while(|event| event.key > *key);
        let contents = later.filter(|event| event.file == *file && matches!(*event.change, Change::Content { .. }));
        contents.map(|event| event.key).collect()
    }

    fn put_beside(&mut self, file: FileId, ours: &Content, theirs: &Rival, now: Now) {
        let Some(node) = self.tree.get(&file).filter(|node| node.alive && node.kind == FileKind::Binary) else {
            return;
        };
        let (path, meta) = (node.path.clone(), node.meta.clone());
        let when = now.hour_minute_of(ours.at_ms);
        let beside = self.path_beside(named_beside(&path, &self.profile.person, &when));
        let (hash, length_bytes) = ours.source;
        let source = TextSource::Blob { hash, length: u32::try_from(length_bytes).unwrap_or(u32::MAX) };
        let act = self.begin_act(Origin::FileAction);
        match self.create_step(act, beside.clone(), FileKind::Binary, meta, Some(source), now) {
            Ok(copy) => {
                self.settle();
                self.note_unwritten(copy, now);
            }
            Err(error) => return tracing::warn!(%error, %path, "a second version cannot be put beside the first"),
        }
        let person = self.person_of(&theirs.key.delta.log);
        let title = format!(
            "Both you and {person} changed {}. {person}'s stays; yours is beside it as “{}”.",
            path.name(),
            beside.name()
        );
        self.tell_file("MSG-FILE-3", title, &beside);
    }

    fn tell_copy(&mut self, log: &LogId, file: FileId, copy: FileId) {
        let (Some(node), Some(copy)) = (self.tree.get(&file), self.tree.get(&copy)) else { return };
        let (person, beside) = (self.person_of(log), copy.path.clone());
        let title = format!(
            "Both you and {person} changed {}. Yours stays; {person}'s is beside it as “{}”.",
            node.path.name(),
            beside.name()
        );
        self.tell_file("MSG-FILE-3", title, &beside);
    }

    /// Two files of one name, one of them ours.
    fn tell_pushed_aside(&mut self, batch: &Batch) {
        let own = self.own.device;
        let is_own = |file: &FileId| self.tree.get(file).is_some_and(|node| node.created.delta.log.device == own);
        let mut told: Vec<(String, RelPath)> = Vec::new();
        for file in &batch.moved {
            let Some(node) = self.tree.get(file).filter(|node| node.alive && node.path != node.wanted_path) else {
                continue;
            };
            let Some(holder) = self.tree.by_path(&node.wanted_path) else { continue };
            let is_news = batch.placed.contains(file) || batch.placed.contains(&holder.file);
            let (name, beside) = (node.wanted_path.name(), node.path.name());
            let title = match (is_own(file), is_own(&holder.file)) {
                (true, false) => {
                    let person = self.person_of(&holder.created.delta.log);
                    format!(
                        "Both you and {person} have a file called {name}. {person}'s keeps the name; yours is beside it as “{beside}”."
                    )
                }
                (false, true) => {
                    let person = self.person_of(&node.created.delta.log);
                    format!(
                        "Both you and {person} have a file called {name}. Yours keeps the name; {person}'s is beside it as “{beside}”."
                    )
                }
                _ => continue,
            };
            if is_news {
                told.push((title, node.path.clone()));
            }
        }
        told.into_iter().for_each(|(title, path)| self.tell_file("MSG-FILE-7", title, &path));
    }

    fn tell_file(&mut self, id: &str, title: String, path: &RelPath) {
        let notice = Notice { id: id.into(), title, path: Some(path.to_string()), ..Notice::default() };
        self.events.push(Event::Notice(notice));
    }
}

/// "img/logo.psd" → "img/logo (Bo 14.55).psd".
fn named_beside(path: &RelPath, person: &str, when: &str) -> RelPath {
    let is_plain = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_' | '\'');
    let person: String = person.chars().filter(is_plain).take(PERSON_CHARS_MAX).collect();
    let (folder, name) = match path.as_str().rsplit_once('/') {
        Some((folder, name)) => (format!("{folder}/"), name),
        None => (String::new(), path.as_str()),
    };
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => (stem, format!(".{ending}")),
        _ => (name, String::new()),
    };
    // Colons are in no name that all systems can have.
    let when = when.replace(':', ".");
    let beside = RelPath::parse(&format!("{folder}{stem} ({} {when}){ending}", person.trim()));
    // A name that gets too long is told apart by a number alone.
    beside.unwrap_or_else(|_| path.clone())
}
