//! What one person had before them at a moment: all that a delta's author had seen, and nothing of what others did
//! meanwhile. In the one order of all history that is no stretch from the beginning, for work done apart stands
//! between each other there.

use super::Forks;
use crate::documents::{Reading, merge_again, text_of_source};
use crate::{Engine, Now, Result, api_error};
use codesync_api::{ApiError, ErrorCode};
use codesync_base::{Change, DeltaKey, FileId, FileKind, Head, LogId, SignedDelta, StepKey};
use codesync_doc::{TextDocument, Tree};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// How the moment is called that is made before others' work is merged into one's own.
const BEFORE_MERGE: &str = "Before merge";

/// The past of a delta: the newest delta of each log that its author had.
#[derive(Clone)]
pub(crate) struct Seen(BTreeMap<LogId, u32>);

impl Seen {
    /// All up to these.
    pub(super) fn of(heads: &[Head]) -> Self {
        Self(heads.iter().map(|head| (head.log, head.seq)).collect())
    }

    /// What both have seen.
    pub fn common(&self, other: &Seen) -> Seen {
        let both = self.0.iter().filter_map(|(log, seq)| Some((*log, *other.0.get(log)?.min(seq))));
        Seen(both.collect())
    }

    pub fn has(&self, forks: &Forks, key: &DeltaKey) -> bool {
        self.0.get(&forks.name_of(&key.log, &key.hash)).is_some_and(|seq| key.seq <= *seq)
    }
}

/// Whether a named moment stands for what its author had seen.
pub(crate) fn is_before_merge(name: &str, automatic: bool) -> bool {
    automatic && name.starts_with(BEFORE_MERGE)
}

/// A text on its way to what somebody had seen of it.
pub(super) struct TextSeen {
    text: TextDocument,
    has_lies: bool,
    failure: Option<String>,
}

impl TextSeen {
    pub fn begin(text: TextDocument) -> Self {
        Self { text, has_lies: false, failure: None }
    }

    /// Merges what was seen of a delta. Returns whether it was.
    pub fn take(&mut self, signed: &SignedDelta, file: FileId, seen: &Seen, reading: &Reading<'_>) -> bool {
        let delta = &signed.delta;
        let is_wanted = seen.has(reading.forks, &delta.key(signed.hash));
        for step in delta.steps.iter().filter(|step| is_wanted && delta.file_of(step) == Some(file)) {
            let done = match &step.change {
                Change::Create { kind: FileKind::Text, content: Some(source), .. } => {
                    let base = text_of_source(source, reading.log);
                    base.map(|base| drop(super::begin_text(&mut self.text, signed, &base, reading)))
                }
                Change::Text(step) => merge_again(&mut self.text, signed, step, reading, &mut self.has_lies).map(drop),
                _ => Ok(()),
            };
            if let Err(what) = done {
                self.failure.get_or_insert(what);
            }
        }
        is_wanted
    }

    pub fn finish(self) -> Result<TextDocument> {
        match self.failure {
            None => Ok(self.text),
            Some(what) => {
                let sentence = "Part of this file's history can't be read.";
                Err(ApiError::new(ErrorCode::Damaged, sentence).with_detail(what))
            }
        }
    }
}

impl Engine {
    /// Marks what is here before the work of somebody is merged into it that was done apart. Call it before the first
    /// [`Self::receive`] of that work; restoring the mark gives exactly what was here. `apart` says what is merged:
    /// "3 h 12 min of work with Bo".
    pub fn mark_before_merge(&mut self, apart: &str, now: Now) -> Result<()> {
        let name = format!("{BEFORE_MERGE} ({}) {}", self.profile.person, now.hour_minute());
        self.noted_moment(&name, apart.to_owned(), now)?;
        self.close()
    }

    /// The same for somebody who made no such mark: all that the author of a step had seen.
    pub(crate) fn mark_before_merge_of(&mut self, at: StepKey, now: Now) -> Result<()> {
        let name = format!("{BEFORE_MERGE} ({}) {}", self.person_of(&at.delta.log), now.hour_minute());
        self.automatic_moment_at(&name, at, now)?;
        self.close()
    }

    /// What the author of this delta had seen when they made it.
    pub(crate) fn seen_by(&self, key: &DeltaKey) -> Result<Seen> {
        let forks = &self.others.forks;
        let chain = forks.chain(&Head { log: key.log, seq: key.seq, hash: key.hash });
        let mut seen: BTreeMap<LogId, u32> = chain.iter().copied().collect();
        for (log, seq) in self.others.beginning.log(&key.log).iter().flat_map(|cut| &cut.declared) {
            let newest = seen.entry(*log).or_insert(*seq);
            *newest = (*seq).max(*newest);
        }
        let mut take = |signed: &SignedDelta| {
            let (name, seq) = (forks.name_of(&key.log, &signed.hash), signed.delta.seq);
            if !chain.iter().any(|(of, newest)| *of == name && seq <= *newest) {
                return;
            }
            for (name, seq) in signed.delta.deps.iter().flat_map(|dep| forks.chain(dep)) {
                let newest = seen.entry(name).or_insert(seq);
                *newest = seq.max(*newest);
            }
        };
        let mut visit = |signed: &SignedDelta| {
            take(signed);
            ControlFlow::Continue(())
        };
        self.log.for_each_from(&key.log, 1, &mut visit).map_err(api_error)?;
        for (signed, _) in self.waiting.iter().filter(|(signed, _)| signed.delta.log == key.log) {
            let _ = visit(signed);
        }
        Ok(Seen(seen))
    }

    /// The tree as the author of this delta had it.
    pub(crate) fn tree_seen(&self, key: &StepKey) -> Result<Tree> {
        let seen = self.seen_by(&key.delta)?;
        let beginning = &self.others.beginning;
        let mut tree = beginning.tree().unwrap_or_default();
        let is_seen = |key: &StepKey| seen.has(&self.others.forks, &key.delta) && !beginning.is_before(key);
        for event in self.tree.events().iter().filter(|event| is_seen(&event.key)) {
            tree.apply(event.key, event.at_ms, event.author, event.file, &event.change);
        }
        drop(tree.take_moved());
        Ok(tree)
    }

    /// The text of a file as the author of this delta had it.
    pub(crate) fn text_seen(&mut self, file: FileId, key: &StepKey) -> Result<String> {
        self.settle();
        let seen = self.seen_by(&key.delta)?;
        self.text_of_seen(file, &seen)
    }

    /// The text that the seen deltas make; with each of them, all it depends on has to be seen.
    pub(super) fn text_of_seen(&self, file: FileId, seen: &Seen) -> Result<String> {
        self.document_of_seen(file, seen).map(|text| text.to_string())
    }

    /// The same with the names of its units.
    pub(super) fn document_of_seen(&self, file: FileId, seen: &Seen) -> Result<TextDocument> {
        let (mut text, reading) = (TextSeen::begin(self.beginning_of(&file)?), self.reading());
        let mut take = |signed: &SignedDelta| {
            text.take(signed, file, seen, &reading);
        };
        self.log.for_each_of(&file, &mut take).map_err(api_error)?;
        self.waiting.iter().for_each(|(signed, _)| take(signed));
        text.finish()
    }

    /// Files that something happened to which the author of this delta had not seen.
    pub(crate) fn changed_unseen(&mut self, key: &StepKey) -> Result<BTreeSet<FileId>> {
        self.settle();
        let seen = self.seen_by(&key.delta)?;
        let mut files = BTreeSet::new();
        let mut take = |signed: &SignedDelta| {
            if !self.others.aside.has(signed) && !seen.has(&self.others.forks, &signed.delta.key(signed.hash)) {
                files.extend(signed.delta.steps.iter().filter_map(|step| signed.delta.file_of(step)));
            }
        };
        self.log.for_each(&mut take).map_err(api_error)?;
        self.waiting.iter().for_each(|(signed, _)| take(signed));
        Ok(files)
    }
}
