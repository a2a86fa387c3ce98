//! A timeline made again from the place on where a late delta belongs. Replays the steps of one file in canonical
//! order; the text before that place is kept, for the next late one mostly comes close behind.

use crate::documents::{Document, Reading, merge_again};
use crate::{Engine, Result, api_error};
use codesync_api::{ApiError, ErrorCode, PatchSource};
use codesync_base::{Change, DeltaKey, FileId, FileKind, SignedDelta, StepKey};
use codesync_doc::TextDocument;
use codesync_fs::disk_edit;
use codesync_timeline::{AuthorIdx, FileTimeline, GroupKey, StepInfo};
use std::ops::ControlFlow;

/// The text of a file as all deltas up to `through` made it.
pub(crate) struct Trail {
    through: DeltaKey,
    text: TextDocument,
    has_lies: bool,
}

/// A replay under way.
struct Retelling<'a> {
    file: FileId,
    reading: Reading<'a>,
    text: TextDocument,
    timeline: &'a mut FileTimeline,
    late: DeltaKey,
    through: Option<DeltaKey>,
    trail: Option<Trail>,
    is_telling: bool,
    has_lies: bool,
    failure: Option<String>,
}

impl Engine {
    /// Makes the timeline of a document that late deltas came into, from where they belong.
    pub(crate) fn retell(&mut self, file: FileId) -> Result<()> {
        // What is still being collected would be missing from the log.
        self.settle();
        let Some(mut document) = self.documents.take(&file) else { return Ok(()) };
        let told = self.retell_document(file, &mut document);
        let before = document.text.text().clone();
        match told {
            Ok(text) => {
                document.late = None;
                let is_same = *text.text() == before;
                if !is_same {
                    tracing::warn!(%file, "a text was not what its history in order makes of it");
                    document.text = text;
                }
                let after = document.text.text().clone();
                self.documents.insert(file, document);
                if is_same {
                    return Ok(());
                }
                self.tell_views(file, &disk_edit(&before.to_string(), &after.to_string()), PatchSource::Other, None)
            }
            // It is read anew when it is needed next.
            Err(error) => Err(error),
        }
    }

    fn retell_document(&mut self, file: FileId, document: &mut Document) -> Result<TextDocument> {
        let Some(late) = document.late.map(|late| late.delta) else { return Ok(document.text.clone()) };
        let trail = document.trail.take().filter(|trail| trail.through < late);
        let (text, through, has_lies) = match trail {
            Some(trail) => (trail.text, Some(trail.through), trail.has_lies),
            None => (self.beginning_of(&file)?, None, false),
        };
        let timeline = &mut document.timeline;
        let (trail, failure, log) = (None, None, &self.log);
        let reading = Reading { log, forks: &self.others.forks, aside: &self.others.aside };
        let mut retelling =
            Retelling { file, reading, text, timeline, late, through, trail, is_telling: false, has_lies, failure };
        let authors = &mut self.authors;
        let mut visit = |signed: &SignedDelta| {
            if signed.delta.files.contains(&file) {
                retelling.visit(signed, authors.index(&signed.delta.log, signed.delta.origin));
            }
            ControlFlow::Continue(())
        };
        let first = through.unwrap_or(DeltaKey::FIRST);
        let read = if through.is_some() {
            log.for_each_after(&first, &mut visit)
        } else {
            log.for_each_of(&file, &mut |signed| {
                let _ = visit(signed);
            })
        };
        read.map_err(api_error)?;
        for (signed, _) in &self.waiting {
            let _ = visit(signed);
        }
        if let Some(what) = retelling.failure {
            let sentence = "Part of this file's history can't be read.";
            return Err(ApiError::new(ErrorCode::Damaged, sentence).with_detail(what));
        }
        document.trail = retelling.trail;
        Ok(retelling.text)
    }
}

impl Retelling<'_> {
    fn visit(&mut self, signed: &SignedDelta, author: AuthorIdx) {
        let delta = &signed.delta;
        let key = delta.key(signed.hash);
        if self.through.is_some_and(|through| key <= through) || self.failure.is_some() {
            return;
        }
        if !self.is_telling && key >= self.late {
            self.is_telling = true;
            self.trail =
                self.through.map(|through| Trail { through, text: self.text.clone(), has_lies: self.has_lies });
            let n = self.timeline.index_before(&StepKey { delta: self.late, step_idx: 0 });
            self.timeline.truncate(n);
        }
        let file = self.file;
        for (step_idx, step) in delta.steps.iter().enumerate().filter(|(_, step)| delta.file_of(step) == Some(file)) {
            let info = StepInfo {
                key: StepKey { delta: key, step_idx: step_idx as u32 },
                at_ms: step.at_ms,
                author,
                origin: delta.origin,
                group: GroupKey { log: delta.log, seq: delta.group },
            };
            if let Err(what) = self.replay(signed, &step.change, &info) {
                self.failure.get_or_insert(what);
            }
        }
        self.through = Some(key);
    }

    fn replay(&mut self, signed: &SignedDelta, change: &Change, info: &StepInfo) -> std::result::Result<(), String> {
        match change {
            Change::Create { kind: FileKind::Text, content: Some(source), .. } => {
                let text = crate::documents::text_of_source(source, self.reading.log)?;
                super::begin_text(&mut self.text, signed, &text, &self.reading);
            }
            Change::Text(step) => {
                let splices = merge_again(&mut self.text, signed, step, &self.reading, &mut self.has_lies)?;
                if self.is_telling {
                    splices.iter().for_each(|splice| self.timeline.push(info, splice));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
