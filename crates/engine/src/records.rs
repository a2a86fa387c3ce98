//! `codesync log`: history as records, one a step or one an act, page by page.

use crate::activity::moved_folder;
use crate::acts::group_text;
use crate::foreign::is_before_merge;
use crate::{Engine, Now, Result, api_error, invalid};
use codesync_api::{LogQuery, LogRecord, Scope};
use codesync_base::{
    AccessStep, Change, DeltaKey, FileId, FileKind, Origin, SignedDelta, Step, StepKey, TextSource, TextStep, utf16_len,
};
use codesync_timeline::{GroupKey, WorkspaceTimeline};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Records on one page at most.
const PAGE_MAX: usize = 50_000;

/// What a query comes to.
struct Filter {
    files: Option<BTreeSet<FileId>>,
    author: Option<String>,
    since: Option<StepKey>,
    until: Option<StepKey>,
}

impl Engine {
    /// One page of records, oldest first, and the cursor of the next page.
    pub(crate) fn log_records(&mut self, query: &LogQuery, now: Now) -> Result<(Vec<LogRecord>, Option<String>)> {
        self.close()?;
        let filter = self.filter_of(query, now)?;
        let after = query.cursor.as_deref().map(|cursor| self.read_cursor(cursor)).transpose()?;
        let first = filter.since.max(after).map_or(DeltaKey::FIRST, |key| key.delta);
        self.workspace_mut()?;
        let mut walk = Walk {
            engine: &*self,
            timeline: &self.workspace.as_ref().expect("invariant: built above").timeline,
            filter: Filter { since: filter.since.max(after), ..filter },
            grouped: !query.steps,
            n_max: (query.limit as usize).clamp(1, PAGE_MAX),
            records: Vec::new(),
            open_group: None,
            firsts: Vec::new(),
            last: None,
        };
        let mut more = false;
        self.log
            .for_each_after(&first, &mut |signed| {
                let flow = walk.visit(signed);
                more |= flow.is_break();
                flow
            })
            .map_err(api_error)?;
        let (mut records, firsts, last) = (walk.records, walk.firsts, walk.last);
        for (record, (group, first)) in records.iter_mut().zip(&firsts) {
            if record.sentence.is_none() {
                record.sentence = self.sentence_of(record, group, first.as_ref());
            }
            if record.kind == "merge" {
                record.n_both = self.n_both_of(&record.id);
            }
        }
        let texts: Vec<_> = records
            .iter()
            .enumerate()
            .filter_map(|(i, record)| {
                record.inserted.as_ref()?.strip_prefix(BLOB_MARK).map(|hash| (i, hash.to_owned()))
            })
            .collect();
        for (i, hash) in texts {
            let hash = hash.parse().map_err(|_| invalid("A kept text is not readable."))?;
            records[i].inserted = Some(String::from_utf8_lossy(&self.blob(&hash)?).into_owned());
        }
        let next = last.filter(|_| more).map(|key| format!("{}:{}", key.delta.hash, key.step_idx));
        Ok((records, next))
    }

    /// `<delta>:<step>`: the last step of the page before.
    fn read_cursor(&self, cursor: &str) -> Result<StepKey> {
        let bad = || invalid("That is not a page of this log.");
        let (hash, step_idx) = cursor.split_once(':').ok_or_else(bad)?;
        let (hash, step_idx) = (hash.parse().map_err(|_| bad())?, step_idx.parse().map_err(|_| bad())?);
        let signed = self.log.delta(&hash).map_err(api_error)?.ok_or_else(bad)?;
        Ok(StepKey { delta: signed.delta.key(hash), step_idx })
    }

    fn filter_of(&mut self, query: &LogQuery, now: Now) -> Result<Filter> {
        let scope = match &query.path {
            Some(path) => self.scope_of_path(path)?,
            None => Scope::Workspace,
        };
        let files = match &scope {
            Scope::Workspace => None,
            scope => Some(self.files_of_scope(scope)?),
        };
        let mut bound = |moment: &Option<codesync_api::Moment>| -> Result<Option<StepKey>> {
            match moment {
                None => Ok(None),
                Some(moment) => Ok(match self.resolve(moment, &scope, now)? {
                    crate::moments::Cut::After(key) | crate::moments::Cut::Seen(key) => Some(key),
                    crate::moments::Cut::Beginning => Some(StepKey { delta: DeltaKey::FIRST, step_idx: 0 }),
                    crate::moments::Cut::Now => None,
                }),
            }
        };
        Ok(Filter { files, author: query.author.clone(), since: bound(&query.since)?, until: bound(&query.until)? })
    }
}

/// Marks an inserted text that is still a blob.
const BLOB_MARK: &str = "\u{0}blob ";

/// The act of the last record.
struct OpenGroup {
    group: GroupKey,
    /// Those that it has touched.
    files: BTreeSet<FileId>,
    /// The folder that was renamed, if that is what it is, and its new name.
    folder: Option<(String, String)>,
}

/// Makes the records of one page.
struct Walk<'a> {
    engine: &'a Engine,
    timeline: &'a WorkspaceTimeline,
    filter: Filter,
    /// One record an act instead of one a step.
    grouped: bool,
    n_max: usize,
    records: Vec<LogRecord>,
    open_group: Option<OpenGroup>,
    /// What each record of an act began with, where its sentence depends on that.
    firsts: Vec<(GroupKey, Option<Change>)>,
    /// Last step that is in the page.
    last: Option<StepKey>,
}

impl Walk<'_> {
    /// Breaks at the first step that belongs to the next page.
    fn visit(&mut self, signed: &SignedDelta) -> ControlFlow<()> {
        let delta = &signed.delta;
        let group = GroupKey { log: delta.log, seq: delta.group };
        for (step_idx, step) in delta.steps.iter().enumerate() {
            let file = delta.file_of(step);
            let key = StepKey { delta: delta.key(signed.hash), step_idx: step_idx as u32 };
            // What people say to each other stands in the chat.
            let is_talk = self.grouped && matches!(step.change, Change::Chat(_));
            if is_talk || !self.passes(signed, file, &key) {
                continue;
            }
            let joins = self.grouped && self.open_group.as_ref().is_some_and(|open| open.group == group);
            if !joins && self.records.len() == self.n_max {
                return ControlFlow::Break(());
            }
            match self.grouped {
                true => self.add_to_group(signed, step, &key, joins),
                false => self.records.push(self.step_record(signed, step, file, &key)),
            }
            self.last = Some(key);
        }
        ControlFlow::Continue(())
    }

    fn passes(&self, signed: &SignedDelta, file: Option<FileId>, key: &StepKey) -> bool {
        let filter = &self.filter;
        let in_files = filter.files.as_ref().is_none_or(|files| file.is_some_and(|file| files.contains(&file)));
        let by = filter.author.as_ref().is_none_or(|author| self.author(signed).eq_ignore_ascii_case(author));
        in_files
            && by
            && filter.since.is_none_or(|since| *key > since)
            && filter.until.is_none_or(|until| *key <= until)
    }

    fn author(&self, signed: &SignedDelta) -> String {
        match signed.delta.origin.is_disk() {
            true => "Disk".into(),
            false => self.engine.person_of(&signed.delta.log),
        }
    }

    fn step_record(&self, signed: &SignedDelta, step: &Step, file: Option<FileId>, key: &StepKey) -> LogRecord {
        let mut record = self.bare_record(signed, step, file);
        match &step.change {
            Change::Text(text) => {
                let (deleted, _) = sizes(text);
                record.step = self.timeline.find_key(key).map(|idx| u64::from(self.timeline.entry(idx).file_step));
                record.position = Some(text.position);
                record.deleted = Some(deleted);
                record.inserted = Some(match text.insert.as_ref().map(|insert| &insert.text) {
                    None => String::new(),
                    Some(TextSource::Inline(text)) => text.to_string(),
                    Some(TextSource::Blob { hash, .. }) => format!("{BLOB_MARK}{hash}"),
                });
            }
            Change::Create { path, .. } | Change::Revive { path } | Change::Move { path } => {
                record.path = Some(path.to_string());
            }
            _ => {}
        }
        record
    }

    fn add_to_group(&mut self, signed: &SignedDelta, step: &Step, key: &StepKey, joins: bool) {
        let file = signed.delta.file_of(step);
        if !joins {
            let group = GroupKey { log: signed.delta.log, seq: signed.delta.group };
            let mut folder = None;
            let mut record = LogRecord {
                kind: act_kind(signed.delta.origin, &step.change).into(),
                group_id: Some(group_text(&group)),
                n_steps: Some(0),
                n_files: Some(0),
                added: Some(0),
                removed: Some(0),
                ..self.bare_record(signed, step, file)
            };
            match &step.change {
                Change::Access(access) => {
                    let (kind, sentence) = self.engine.rights_told(key, access);
                    (record.kind, record.sentence) = (kind.into(), Some(sentence));
                }
                Change::Move { path } => {
                    let old = self.engine.event_at(key).and_then(|event| event.old_path.as_ref());
                    record.detail = old.map(ToString::to_string);
                    // Other programs and undo have sentences of their own.
                    let is_own = signed.delta.origin == Origin::FileAction;
                    folder = old.filter(|_| is_own).and_then(|old| moved_folder(old.as_str(), path.as_str()));
                }
                _ => {}
            }
            let is_telling = matches!(step.change, Change::Move { .. } | Change::Moment { .. });
            self.firsts.push((group, is_telling.then(|| step.change.clone())));
            self.records.push(record);
            self.open_group = Some(OpenGroup { group, files: BTreeSet::new(), folder });
        }
        let (Some(record), Some(OpenGroup { files, folder, .. })) = (self.records.last_mut(), self.open_group.as_mut())
        else {
            return;
        };
        // A folder that stays behind empty is nobody's act.
        let stays_behind = joins && matches!(step.change, Change::Create { kind: FileKind::Folder, .. });
        files.extend(file.filter(|_| !stays_behind));
        let (removed, added) = match &step.change {
            Change::Text(text) => sizes(text),
            Change::Create { content: Some(TextSource::Inline(text)), .. } => (0, utf16_len(text)),
            Change::Create { content: Some(TextSource::Blob { length, .. }), .. } => (0, *length),
            _ => (0, 0),
        };
        record.n_steps = record.n_steps.map(|n| n + 1);
        record.n_files = Some(files.len() as u64);
        record.added = record.added.map(|n| n + u64::from(added));
        record.removed = record.removed.map(|n| n + u64::from(removed));
        if files.len() > 1 {
            (record.path, record.detail) = (None, None);
            if let Some((old, new)) = folder.take() {
                record.sentence = Some(format!("{} renamed {old} to {new}.", record.user_id));
            }
        }
    }

    fn bare_record(&self, signed: &SignedDelta, step: &Step, file: Option<FileId>) -> LogRecord {
        let path = file.and_then(|file| self.engine.tree().get(&file)).map(|node| node.path.to_string());
        let detail = match &step.change {
            Change::Moment { name, .. } => Some(name.clone()),
            Change::Session { person, .. } => Some(person.clone()),
            Change::Access(AccessStep::Grant { person, .. }) => Some(person.clone()),
            Change::Create { path, .. } | Change::Revive { path } | Change::Move { path } => Some(path.to_string()),
            _ => None,
        };
        LogRecord {
            id: signed.hash.to_string(),
            session_id: signed.delta.project.to_string(),
            user_id: self.author(signed),
            timestamp: rfc3339(step.at_ms),
            kind: change_kind(&step.change).into(),
            path,
            step: None,
            position: None,
            deleted: None,
            inserted: None,
            n_steps: None,
            added: None,
            removed: None,
            n_files: None,
            group_id: None,
            detail,
            sentence: None,
            n_both: None,
        }
    }
}

fn sizes(text: &TextStep) -> (u32, u32) {
    let deleted = text.delete.iter().map(|range| range.length).sum();
    let inserted = match text.insert.as_ref().map(|insert| &insert.text) {
        None => 0,
        Some(TextSource::Inline(text)) => utf16_len(text),
        Some(TextSource::Blob { length, .. }) => *length,
    };
    (deleted, inserted)
}

/// Word for a step.
pub(crate) fn change_kind(change: &Change) -> &'static str {
    match change {
        Change::Text(_) => "edit",
        Change::Create { .. } => "create",
        Change::Move { .. } => "rename",
        Change::Remove => "delete",
        Change::Revive { .. } => "undelete",
        Change::Content { .. } => "content",
        Change::Meta { .. } | Change::Kind { .. } => "properties",
        Change::Moment { .. } => "moment",
        Change::Session { .. } | Change::Color { .. } => "session",
        Change::Access(_) => "access",
        Change::Chat(_) => "chat",
    }
}

/// Word for a whole act.
fn act_kind(origin: Origin, first: &Change) -> &'static str {
    match origin {
        Origin::Typing | Origin::CommandLine => "edit",
        Origin::Disk => "disk",
        Origin::Import => "import",
        // Find and replace is the one such act that begins with text.
        Origin::FileAction if matches!(first, Change::Text(_)) => "replace",
        Origin::FileAction => change_kind(first),
        Origin::Restore => "restore",
        Origin::Undo => "undo",
        Origin::Redo => "redo",
        Origin::Moment => match first {
            Change::Moment { name, automatic, .. } if is_before_merge(name, *automatic) => "merge",
            _ => "moment",
        },
        Origin::Session => change_kind(first),
    }
}

/// `2026-11-21T01:54:52.123Z`
pub(crate) fn rfc3339(at_ms: u64) -> String {
    jiff::Timestamp::from_millisecond(at_ms as i64)
        .map(|instant| instant.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
        .unwrap_or_default()
}
