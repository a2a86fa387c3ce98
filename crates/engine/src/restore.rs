//! Restore and taking back: nothing is rewound. What stood at a moment comes back by new edits from the
//! present, one act, itself to be taken back; files keep their identity and history.

use crate::acts::{Act, parse_group};
use crate::documents::parse_path;
use crate::moments::Cut;
use crate::{Engine, Now, Result, api_error, invalid, not_found};
use codesync_api::{
    Act as ActEvent, ApiError, ErrorCode, Event, Moment, PatchSource, RestorePlan, RestoreTarget, Restored, Scope,
    Undone, UndoneKind,
};
use codesync_base::{Change, DeltaHash, FileId, FileKind, Origin, SignedDelta, Splice, StepKey};
use codesync_doc::{Node, Tree};
use codesync_timeline::{AuthorIdx, FileTimeline, GroupKey, edit_script, lines_range};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// Where the index keeps which acts were taken back.
const TAKEN_BACK: &str = "taken back";

/// What a restore has to do.
enum Work {
    Files(Vec<FileId>),
    Stretch { file: FileId, path: String, edits: Vec<Splice> },
}

/// An act that is to be taken back.
struct TakenApart {
    /// Text steps by file.
    steps: BTreeMap<FileId, Vec<StepKey>>,
    /// Files with structural steps.
    structural: BTreeSet<FileId>,
    /// The step just before the act.
    before: Option<StepKey>,
    newest: DeltaHash,
}

impl Engine {
    /// What a restore would do, without doing it.
    pub(crate) fn restore_preview(&mut self, target: &RestoreTarget, at: &Moment, now: Now) -> Result<RestorePlan> {
        let cut = self.resolve(at, &scope_of(target), now)?;
        let files = self.files_to_restore(target, &cut)?;
        let then = self.tree_at(&cut);
        let mut plan = RestorePlan {
            at_ms: self.time_of_cut(&cut, now)?,
            changes: Vec::new(),
            n_changed: 0,
            n_returning: 0,
            n_leaving: 0,
            others: self.others_since(&cut, &files)?,
        };
        for file in &files {
            let Some(change) = self.compare_file(*file, &then, &cut)? else { continue };
            match (then.get(file).is_some_and(|node| node.alive), self.tree.get(file).is_some_and(|node| node.alive)) {
                (true, false) => plan.n_returning += 1,
                (false, true) => plan.n_leaving += 1,
                _ => plan.n_changed += 1,
            }
            plan.changes.push(change);
        }
        Ok(plan)
    }

    /// Brings back what stood at a moment.
    pub(crate) fn restore(&mut self, target: &RestoreTarget, at: &Moment, now: Now) -> Result<Restored> {
        let cut = self.resolve(at, &scope_of(target), now)?;
        let at_ms = self.time_of_cut(&cut, now)?;
        let what = match target {
            RestoreTarget::Workspace => "the workspace".to_owned(),
            RestoreTarget::Folder { path } | RestoreTarget::File { path } => path.clone(),
            RestoreTarget::Selection { path, .. } | RestoreTarget::PastSelection { path, .. } => {
                format!("the selection in {path}")
            }
            RestoreTarget::Lines { path, first, last } => format!("lines {first}–{last} of {path}"),
        };
        let nothing = format!("Nothing to restore: {what} is as it was at {}.", now.time_of(at_ms));
        let Some(work) = self.restore_work(target, &cut)? else {
            return Ok(Restored { group_id: None, sentence: nothing, n_files: 0, paths: Vec::new() });
        };
        let note = format!("{what} to {}", now.time_of(at_ms));
        self.noted_moment(&format!("Before restore {}", now.hour_minute()), note, now)?;
        let act = self.begin_act(Origin::Restore);
        let paths = match work {
            Work::Files(files) => self.restore_files(act, files, &cut, now)?,
            Work::Stretch { file, path, edits } => {
                self.edit_and_tell(act, file, &edits, PatchSource::Restore, now)?;
                vec![path]
            }
        };
        self.settle();
        let sentence = format!("Restored {what} to {}.", now.time_of(at_ms));
        let group_id = self.group_id(act);
        self.announce(group_id.clone(), &sentence, &paths, now);
        Ok(Restored { group_id: Some(group_id), sentence, n_files: paths.len() as u64, paths })
    }

    /// What a restore has to do; none when all is as it was.
    fn restore_work(&mut self, target: &RestoreTarget, cut: &Cut) -> Result<Option<Work>> {
        let is_whole =
            matches!(target, RestoreTarget::Workspace | RestoreTarget::Folder { .. } | RestoreTarget::File { .. });
        if !is_whole {
            let (file, path, edits) = self.stretch_edits(target, cut)?;
            return Ok((!edits.is_empty()).then_some(Work::Stretch { file, path, edits }));
        }
        let then = self.tree_at(cut);
        let mut files = Vec::new();
        for file in self.files_to_restore(target, cut)? {
            if self.compare_file(file, &then, cut)?.is_some() || self.is_folder_change(&file, &then) {
                files.push(file);
            }
        }
        Ok((!files.is_empty()).then_some(Work::Files(files)))
    }

    /// Folders of their own come and go, too, but are no files to compare.
    fn is_folder_change(&self, file: &FileId, then: &Tree) -> bool {
        let place = |tree: &Tree| {
            let node = tree.get(file).filter(|node| node.kind == FileKind::Folder)?;
            node.alive.then(|| node.path.clone())
        };
        place(&self.tree) != place(then)
    }

    fn announce(&mut self, group_id: String, sentence: &str, paths: &[String], now: Now) {
        self.events.push(Event::Act(ActEvent {
            group_id,
            sentence: sentence.to_owned(),
            author: self.profile.person.clone(),
            n_files: paths.len() as u64,
            paths: paths.iter().take(200).cloned().collect(),
            at_ms: now.ms,
            can_undo: true,
        }));
    }

    fn restore_files(&mut self, act: Act, files: Vec<FileId>, cut: &Cut, now: Now) -> Result<Vec<String>> {
        let then = self.tree_at(cut);
        let mut paths = Vec::new();
        // Files that go away first: they may stand where others return.
        let (leaving, others): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|file| !then.get(file).is_some_and(|node| node.alive));
        for file in leaving.into_iter().chain(others) {
            if self.bring_back(act, file, &then, cut, now)? {
                let node = then.get(&file).filter(|node| node.alive).or_else(|| self.tree.get(&file));
                paths.extend(node.map(|node| node.path.to_string()));
            }
        }
        self.settle();
        self.check_restored(&paths, &then, cut, act, now)?;
        Ok(paths)
    }

    /// What is on screen must be what was promised: text by text.
    fn check_restored(&mut self, paths: &[String], then: &Tree, cut: &Cut, act: Act, now: Now) -> Result<()> {
        for path in paths {
            let Some(past) = then.by_path(&parse_path(path)?).filter(|node| node.kind == FileKind::Text) else {
                continue;
            };
            let wanted = self.text_at_cut(past.file, cut)?;
            if self.document_mut(past.file)?.text.to_string() != wanted {
                let group = GroupKey { log: self.own, seq: act.group };
                self.take_back_group(&group, now)?;
                let sentence = "The restore didn't give exactly the text you saw, so we took it back. Nothing changed.";
                return Err(ApiError::new(ErrorCode::Mismatch, sentence).with_detail(path));
            }
        }
        Ok(())
    }

    /// One file becomes what it was. Returns whether anything had to change.
    fn bring_back(&mut self, act: Act, file: FileId, then: &Tree, cut: &Cut, now: Now) -> Result<bool> {
        let mut changed = self.bring_back_node(act, file, then.get(&file), now)?;
        let Some(past) = then.get(&file).filter(|node| node.alive && node.kind == FileKind::Text) else {
            return Ok(changed);
        };
        let wanted = self.text_at_cut(past.file, cut)?;
        let present = self.document_mut(file)?.text.to_string();
        let edits = edit_script(&present, &wanted);
        changed |= !edits.is_empty();
        self.edit_and_tell(act, file, &edits, PatchSource::Restore, now)?;
        Ok(changed)
    }

    /// Path, existence, bytes and permissions become those of `past`.
    fn bring_back_node(&mut self, act: Act, file: FileId, past: Option<&Node>, now: Now) -> Result<bool> {
        let Some(present) = self.tree.get(&file) else { return Ok(false) };
        let (alive, path, kind, content, meta) =
            (present.alive, present.wanted_path.clone(), present.kind, present.content, present.meta.clone());
        let Some(past) = past.filter(|node| node.alive) else {
            if alive {
                self.tree_step(act, file, Change::Remove, now);
                self.note_unwritten(file, now);
            }
            return Ok(alive);
        };
        let mut changes = Vec::new();
        if !alive {
            changes.push(Change::Revive { path: past.path.clone() });
        } else if path != past.path {
            changes.push(Change::Move { path: past.path.clone() });
        }
        if kind != past.kind {
            changes.push(Change::Kind { kind: past.kind });
        }
        if let Some((blob, length_bytes)) = past.content.filter(|past| Some(*past) != content) {
            changes.push(Change::Content { blob, length_bytes });
        }
        if meta != past.meta {
            changes.push(Change::Meta { meta: past.meta.clone() });
        }
        let changed = !changes.is_empty();
        for change in changes {
            self.tree_step(act, file, change, now);
        }
        if changed {
            self.note_unwritten(file, now);
        }
        Ok(changed)
    }

    /// Edits a document as part of an act, and tells the views.
    pub(crate) fn edit_and_tell(
        &mut self,
        act: Act,
        file: FileId,
        edits: &[Splice],
        source: PatchSource,
        now: Now,
    ) -> Result<()> {
        self.text_steps(act, file, edits, now)?;
        self.tell_views(file, edits, source, None)
    }

    /// File, path and the edits that bring a stretch of text back.
    fn stretch_edits(&mut self, target: &RestoreTarget, cut: &Cut) -> Result<(FileId, String, Vec<Splice>)> {
        let (RestoreTarget::Selection { path, .. }
        | RestoreTarget::PastSelection { path, .. }
        | RestoreTarget::Lines { path, .. }) = target
        else {
            return Err(invalid("Only a stretch of text can be restored so."));
        };
        let file = self.file_ever_at(path)?;
        if !self.tree.get(&file).is_some_and(|node| node.alive) {
            return Err(invalid(format!("“{path}” is deleted now. Restore the whole file to bring it back.")));
        }
        if let Cut::Seen(_) = cut {
            return Err(invalid(
                "Of this moment whole files can be restored. Restore the file, or copy what you need.",
            ));
        }
        let n = self.file_index_of(file, cut)?;
        let document = self.document_mut(file)?;
        let edits = match target {
            RestoreTarget::Selection { start, end, .. } => {
                codesync_timeline::restore_present_selection(&document.timeline, n, *start..*end)
            }
            RestoreTarget::PastSelection { start, end, .. } => {
                codesync_timeline::restore_past_selection(&document.timeline, n, *start..*end)
            }
            RestoreTarget::Lines { first, last, .. } => {
                let past = document.timeline.text_at(n).to_string();
                let range = lines_range(&past, *first, *last);
                if *first > *last || range.start >= codesync_base::utf16_len(&past) {
                    return Err(invalid(format!("“{path}” had no lines {first}–{last} at that moment.")));
                }
                codesync_timeline::restore_past_selection(&document.timeline, n, range)
            }
            _ => Vec::new(),
        };
        Ok((file, path.clone(), edits))
    }

    /// Files of the target that may differ from what they were.
    fn files_to_restore(&mut self, target: &RestoreTarget, cut: &Cut) -> Result<Vec<FileId>> {
        match target {
            RestoreTarget::Workspace => Ok(self.changed_since(cut)?.into_iter().collect()),
            RestoreTarget::Folder { path } => {
                let folder = parse_path(path)?;
                let then = self.tree_at(cut);
                let inside = |node: Option<&Node>| node.is_some_and(|node| node.alive && node.path.is_within(&folder));
                let changed = self.changed_since(cut)?;
                Ok(changed.into_iter().filter(|file| inside(then.get(file)) || inside(self.tree.get(file))).collect())
            }
            RestoreTarget::File { path }
            | RestoreTarget::Selection { path, .. }
            | RestoreTarget::PastSelection { path, .. }
            | RestoreTarget::Lines { path, .. } => {
                // The path may be the present one or the one it had then; a deleted file is found by its last.
                let parsed = parse_path(path)?;
                let then = self.tree_at(cut);
                let file = match self.tree.by_path(&parsed).or_else(|| then.by_path(&parsed)) {
                    Some(node) if node.kind == FileKind::Folder => {
                        return self.files_to_restore(&RestoreTarget::Folder { path: path.clone() }, cut);
                    }
                    Some(node) => node.file,
                    None => self.tree.past_path(&parsed).ok_or_else(|| not_found(path))?,
                };
                if !then.get(&file).is_some_and(|node| node.alive) {
                    return Err(invalid(format!("“{path}” did not exist at that moment.")));
                }
                Ok(vec![file])
            }
        }
    }

    /// Takes back the newest undo group of one file (Ctrl+Z), or of redo.
    pub(crate) fn undo_in_view(&mut self, view_id: u32, origin: Origin, now: Now) -> Result<Undone> {
        let file = self.file_of_view(view_id)?;
        self.settle();
        let path = self.tree.get(&file).map(|node| node.path.to_string()).unwrap_or_default();
        // Of all lives of this device's log: one begins anew after a removal, or a backup that was put back.
        let own = self.own.device;
        let document = self.document_mut(file)?;
        let entry = match origin {
            Origin::Redo => document.undo.next_redo(),
            _ => document.undo.next_undo(),
        };
        let Some(first) = entry.map(|entry| entry.first) else {
            return Ok(nothing_undone(UndoneKind::NothingToUndo, None));
        };
        // What was undone above this act and its undo cancel each other: every own step from here on.
        let first = document.timeline.index_before(&first) + 1;
        let timeline = &document.timeline;
        let is_own = |n: &usize| {
            let info = timeline.step(*n).info;
            info.key.delta.log.device == own && !info.origin.is_disk()
        };
        let revert = timeline.revert((first..=timeline.n_steps()).filter(is_own));
        if revert.splices.is_empty() {
            let by = timeline.overwritten_by((first..=timeline.n_steps()).filter(is_own));
            let by = by.map(|n| timeline.step(n).info.author);
            match origin {
                Origin::Redo => document.undo.drop_redo(),
                _ => document.undo.drop_undo(),
            }
            let kind = if revert.overwritten { UndoneKind::Overwritten } else { UndoneKind::NothingToUndo };
            return Ok(nothing_undone(kind, Some(self.overwritten_sentence(by))));
        }
        let act = self.begin_act(origin);
        self.edit_and_tell(act, file, &revert.splices, PatchSource::Undo, now)?;
        self.settle();
        let caret = revert.splices.last().map(|splice| splice.position + codesync_base::utf16_len(&splice.inserted));
        Ok(Undone {
            kind: UndoneKind::Applied,
            caret,
            message: None,
            paths: vec![path],
            group_id: Some(self.group_id(act)),
        })
    }

    /// Takes back one act, wherever it stands in history; what came later stays.
    pub(crate) fn undo_group(&mut self, group_id: &str, now: Now) -> Result<Undone> {
        let group = parse_group(group_id).ok_or_else(|| invalid("That is not the id of a change."))?;
        self.close()?;
        self.take_back_group(&group, now)
    }

    /// Takes back the newest act that was not taken back yet.
    pub(crate) fn undo_last(&mut self, now: Now) -> Result<Undone> {
        self.close()?;
        let mut taken_back = self.taken_back();
        loop {
            let Some((group, newest)) = self.newest_act(&taken_back)? else {
                return Ok(nothing_undone(UndoneKind::NothingToUndo, Some("There is nothing to undo.".into())));
            };
            let undone = self.take_back_group(&group, now)?;
            if undone.kind == UndoneKind::Applied {
                return Ok(undone);
            }
            // Nothing is left of it.
            taken_back.insert(newest, newest);
            self.remember_taken_back(&taken_back);
        }
    }

    /// Acts that were taken back, by their newest delta, each with the newest delta of what took it back. A crash may have
    /// left this and taken either; then the act still counts, or another one has its number.
    fn taken_back(&self) -> BTreeMap<DeltaHash, DeltaHash> {
        let bytes = self.log.get_local(TAKEN_BACK).unwrap_or_default();
        let pair = |line: &str| {
            let (act, by) = line.split_once(' ')?;
            Some((act.parse().ok()?, by.parse().ok()?))
        };
        String::from_utf8_lossy(&bytes).lines().filter_map(pair).collect()
    }

    fn remember_taken_back(&mut self, acts: &BTreeMap<DeltaHash, DeltaHash>) {
        let lines: Vec<String> = acts.iter().map(|(act, by)| format!("{act} {by}")).collect();
        self.log.put_local(TAKEN_BACK, lines.join("\n").as_bytes());
    }

    /// The newest act that was not taken back, and its newest delta.
    fn newest_act(&self, taken_back: &BTreeMap<DeltaHash, DeltaHash>) -> Result<Option<(GroupKey, DeltaHash)>> {
        let (own, mut newest, mut gone) = (self.own.device, None, BTreeSet::new());
        // What took an act back is none: walking back must not go to and fro.
        let undos: BTreeSet<&DeltaHash> = taken_back.values().collect();
        let find = &mut |signed: &SignedDelta| {
            let delta = &signed.delta;
            let group = GroupKey { log: delta.log, seq: delta.group };
            let is_act = !matches!(
                delta.origin,
                Origin::Undo | Origin::Redo | Origin::Import | Origin::Moment | Origin::Session
            );
            if delta.log.device != own || !is_act || gone.contains(&group) {
                return ControlFlow::Continue(());
            }
            if undos.contains(&signed.hash) || self.is_taken_back(&signed.hash, taken_back) {
                gone.insert(group);
                return ControlFlow::Continue(());
            }
            newest = Some((group, signed.hash));
            ControlFlow::Break(())
        };
        self.log.for_each_back(find).map_err(api_error)?;
        Ok(newest)
    }

    /// Whether what took this act back stands: that may have been taken back, too.
    fn is_taken_back(&self, act: &DeltaHash, taken_back: &BTreeMap<DeltaHash, DeltaHash>) -> bool {
        let undone_by = |act: &&DeltaHash| taken_back.get(act).filter(|by| by != act && self.log.contains(by));
        std::iter::successors(Some(act), undone_by).count().is_multiple_of(2)
    }

    /// An act of its own, which Ctrl+Z takes back like any other: unlike an undo it may be of something older than what
    /// Ctrl+Z would take back next.
    fn take_back_group(&mut self, group: &GroupKey, now: Now) -> Result<Undone> {
        let TakenApart { steps, structural, before, newest } = self.steps_of_group(group)?;
        let act = self.begin_act(Origin::Restore);
        let mut paths = Vec::new();
        let then = self.tree_at(&before.map_or(Cut::Beginning, Cut::After));
        let now_tree_files: Vec<FileId> = structural.into_iter().collect();
        let (leaving, others): (Vec<_>, Vec<_>) =
            now_tree_files.into_iter().partition(|file| !then.get(file).is_some_and(|node| node.alive));
        for file in leaving.into_iter().chain(others) {
            if self.bring_back_node(act, file, then.get(&file), now)? {
                paths.extend(self.tree.get(&file).map(|node| node.path.to_string()));
            }
        }
        let (mut overwritten, mut by) = (false, None);
        for (file, keys) in steps {
            if self.tree.get(&file).is_none_or(|node| node.kind != FileKind::Text) {
                continue;
            }
            let timeline = &self.document_mut(file)?.timeline;
            // A step that concurrent ones parted has several rows, and one with nothing left to do has none.
            let rows = keys.iter().flat_map(|key| timeline.index_before(key) + 1..=timeline.index_after(key));
            let indices: Vec<usize> = rows.collect();
            let (edits, was_overwritten) = edits_that_take_back(timeline, &indices);
            overwritten |= was_overwritten;
            if edits.is_empty() {
                by = timeline.overwritten_by(indices.iter().copied()).map(|n| timeline.step(n).info.author).or(by);
            }
            if !edits.is_empty() {
                self.edit_and_tell(act, file, &edits, PatchSource::Undo, now)?;
                paths.extend(self.tree.get(&file).map(|node| node.path.to_string()));
            }
        }
        self.settle();
        paths.sort();
        paths.dedup();
        if self.head_seq < act.group {
            let kind = if overwritten { UndoneKind::Overwritten } else { UndoneKind::NothingToUndo };
            return Ok(nothing_undone(kind, Some(self.overwritten_sentence(by))));
        }
        let mut taken_back = self.taken_back();
        taken_back.insert(newest, self.head_hash);
        self.remember_taken_back(&taken_back);
        Ok(Undone { kind: UndoneKind::Applied, caret: None, message: None, paths, group_id: Some(self.group_id(act)) })
    }

    /// MSG-UNDO-1
    fn overwritten_sentence(&self, by: Option<AuthorIdx>) -> String {
        let others = by.map(|by| self.author(by)).filter(|author| author.id != self.own.device.to_string());
        match others {
            Some(author) => format!("Nothing to undo here: {} changed that text since.", author.name),
            None => "Nothing to undo here: that text was changed since.".into(),
        }
    }

    fn steps_of_group(&self, group: &GroupKey) -> Result<TakenApart> {
        let (mut steps, mut structural): (BTreeMap<_, Vec<_>>, _) = (BTreeMap::new(), BTreeSet::new());
        let mut ends = None;
        let collect = &mut |signed: &SignedDelta| {
            if signed.delta.group != group.seq {
                return ControlFlow::Continue(());
            }
            let key = signed.delta.key(signed.hash);
            ends = Some((ends.map_or(key, |(first, _)| first), signed.hash));
            for (step_idx, step) in signed.delta.steps.iter().enumerate() {
                let Some(file) = signed.delta.file_of(step) else { continue };
                match step.change {
                    Change::Text(_) => {
                        steps.entry(file).or_default().push(StepKey { delta: key, step_idx: step_idx as u32 });
                    }
                    _ => drop(structural.insert(file)),
                }
            }
            ControlFlow::Continue(())
        };
        self.log.for_each_from(&group.log, group.seq, collect).map_err(api_error)?;
        let Some((first, newest)) = ends else { return Err(invalid("That change is not known here.")) };
        let before = self.log.newest_before(&first).map_err(api_error)?;
        let before = before.map(|delta| StepKey { delta, step_idx: u32::MAX });
        Ok(TakenApart { steps, structural, before, newest })
    }
}

/// The edit of the present text that takes steps back, and whether nothing was left of them.
fn edits_that_take_back(timeline: &FileTimeline, steps: &[usize]) -> (Vec<Splice>, bool) {
    let (Some(&first), Some(&last)) = (steps.iter().min(), steps.iter().max()) else { return (Vec::new(), true) };
    let after = timeline.text_at(last);
    // The text is as the act left it, whatever went and came back since: then it becomes as it was before.
    if last - first + 1 == steps.len() && after == timeline.text_at(timeline.n_steps()) {
        return (edit_script(&after.to_string(), &timeline.text_at(first - 1).to_string()), false);
    }
    let revert = timeline.revert(steps.iter().copied());
    (revert.splices, revert.overwritten)
}

fn nothing_undone(kind: UndoneKind, message: Option<String>) -> Undone {
    Undone { kind, caret: None, message, paths: Vec::new(), group_id: None }
}

/// Whose timeline a moment is counted in when this is restored.
pub(crate) fn scope_of(target: &RestoreTarget) -> Scope {
    match target {
        RestoreTarget::Workspace => Scope::Workspace,
        RestoreTarget::Folder { path } => Scope::Folder(path.clone()),
        RestoreTarget::File { path }
        | RestoreTarget::Selection { path, .. }
        | RestoreTarget::PastSelection { path, .. }
        | RestoreTarget::Lines { path, .. } => Scope::File(path.clone()),
    }
}
