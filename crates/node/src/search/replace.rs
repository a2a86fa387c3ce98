//! Replaces what matches, file by file, as one act. Nothing is replaced that does not match at that very moment.

use super::texts::{present_text, unexpected};
use super::{Ask, Question, replacement};
use codesync_api::{ApiError, FileReplacement, ReplaceTarget, Replaced, Reply, Request, SearchQuery, Stretch};
use codesync_fs::search::{Pattern, Replacement};
use std::collections::BTreeSet;

/// Replaced in one turn of the engine; keys come in between.
const STRETCHES_AT_ONCE: usize = 500;
const FILES_AT_ONCE: usize = 16;
/// Whoever types in a file while it is replaced in is waited for so often.
const TRIES: usize = 5;

/// Replaces in these files.
///
/// # Errors
/// When the query cannot be asked, or the very first replacement is refused. What comes later is in the answer.
pub fn replace(
    ask: &Ask<'_>,
    query: &SearchQuery,
    typed: &str,
    targets: &[ReplaceTarget],
    keeps_moment: bool,
) -> Result<Replaced, ApiError> {
    let question = Question::new(query)?;
    let replacement = replacement(&question.pattern, query.is_regex, typed);
    let mut work = Work {
        ask,
        pattern: question.pattern,
        replacement,
        keeps_moment,
        ready: Vec::new(),
        done: Replaced { group_id: None, n_replaced: 0, paths: Vec::new(), n_missed: 0, trouble: None },
    };
    let ended = targets.iter().try_for_each(|target| work.take(target)).and_then(|()| work.send());
    match ended {
        Err(trouble) if work.done.group_id.is_none() => Err(trouble),
        ended => Ok(Replaced { trouble: ended.err(), ..work.done }),
    }
}

struct Work<'a> {
    ask: &'a Ask<'a>,
    pattern: Pattern,
    replacement: Replacement,
    keeps_moment: bool,
    /// Decided and not sent yet.
    ready: Vec<(&'a ReplaceTarget, FileReplacement)>,
    done: Replaced,
}

impl<'a> Work<'a> {
    fn take(&mut self, target: &'a ReplaceTarget) -> Result<(), ApiError> {
        let file = self.decide(target)?;
        self.note_missed(target, file.as_ref());
        if let Some(file) = file {
            self.ready.push((target, file));
        }
        let n_stretches: usize = self.ready.iter().map(|(_, file)| file.stretches.len()).sum();
        if n_stretches >= STRETCHES_AT_ONCE || self.ready.len() >= FILES_AT_ONCE { self.send() } else { Ok(()) }
    }

    /// What is to be done in a file, as its text is now.
    fn decide(&self, target: &ReplaceTarget) -> Result<Option<FileReplacement>, ApiError> {
        let Some(text) = present_text(self.ask, &target.path)? else { return Ok(None) };
        let meant: Option<BTreeSet<(u32, u32)>> = target.only.as_ref().map(|only| only.iter().copied().collect());
        let is_meant = |place: (u32, u32)| meant.as_ref().is_none_or(|meant| meant.contains(&place));
        let found = self.pattern.replaced(&text, &self.replacement);
        let meant = found.into_iter().filter(|(one, _)| is_meant((one.position, one.length)));
        let stretches: Vec<Stretch> =
            meant.map(|(one, new)| Stretch { position: one.position, old: text[one.range].to_owned(), new }).collect();
        Ok((!stretches.is_empty()).then(|| FileReplacement { path: target.path.clone(), stretches }))
    }

    fn note_missed(&mut self, target: &ReplaceTarget, file: Option<&FileReplacement>) {
        let n_found = file.map_or(0, |file| file.stretches.len());
        let n_meant = target.only.as_ref().map_or(1, Vec::len);
        self.done.n_missed += n_meant.saturating_sub(n_found) as u64;
    }

    /// Has all of it done that is decided, decided anew where somebody typed in between.
    fn send(&mut self) -> Result<(), ApiError> {
        for _ in 0..TRIES {
            if self.ready.is_empty() {
                return Ok(());
            }
            let ready = std::mem::take(&mut self.ready);
            let request = Request::ReplaceInFiles {
                group_id: self.done.group_id.clone(),
                keeps_moment: self.keeps_moment,
                files: ready.iter().map(|(_, file)| file.clone()).collect(),
            };
            let (group_id, changed) = match (self.ask)(request)? {
                Reply::InFilesReplaced { group_id, changed } => (group_id, changed),
                other => return Err(unexpected(&other)),
            };
            self.done.group_id = group_id;
            let changed: BTreeSet<String> = changed.into_iter().collect();
            for (target, file) in ready {
                if changed.contains(&file.path) {
                    self.done.n_replaced += file.stretches.len() as u64;
                    self.done.paths.push(file.path);
                } else if let Some(again) = self.decide(target)? {
                    self.ready.push((target, again));
                } else {
                    self.done.n_missed += file.stretches.len() as u64;
                }
            }
        }
        self.done.n_missed += self.ready.drain(..).map(|(_, file)| file.stretches.len() as u64).sum::<u64>();
        Ok(())
    }
}
