//! Questions about history: timelines of a file, a folder, the workspace; what stood where, and who wrote it.

use crate::documents::parse_path;
use crate::moments::Cut;
use crate::workspace::Workspace;
use crate::{Engine, Now, Result, api_error, invalid};
use codesync_api::{
    Axis, BlameSpan, Bucket, Direction, Gap, HistoryHit, HistoryHitKind, Moment, MomentInfo, PastText, Scope, StepUnit,
    TimelineInfo,
};
use codesync_base::{Change, FileId, FileKind, Origin, RelPath, SignedDelta, StepKey};
use codesync_doc::TreeEvent;
use codesync_log::Brief;
use codesync_timeline::{Entry, EntryKind, View};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Bars that one histogram may have.
const BUCKETS_MAX: usize = 2_000;
/// Bursts on one page.
const BURSTS_MAX: usize = 1_000;

impl Engine {
    /// The workspace's timeline, built when first needed and then kept up to date.
    pub(crate) fn workspace_mut(&mut self) -> Result<&mut Workspace> {
        if self.workspace.as_ref().is_none_or(|workspace| workspace.is_brief) {
            self.settle();
            let mut workspace = Workspace::default();
            let (authors, aside) = (&mut self.authors, &self.others.aside);
            let mut push = |signed: &SignedDelta| {
                let author = authors.index(&signed.delta.log, signed.delta.origin);
                if !aside.has(signed) {
                    workspace.push(signed, author);
                }
            };
            self.log.for_each(&mut push).map_err(api_error)?;
            self.waiting.iter().for_each(|(signed, _)| push(signed));
            self.workspace = Some(workspace);
        }
        let workspace = self.workspace.as_mut().expect("invariant: built above");
        workspace.refresh();
        Ok(workspace)
    }

    /// The same for drawing: from outlines where nothing better is there, so that nobody waits for texts and names.
    pub(crate) fn outline_mut(&mut self) -> Result<&mut Workspace> {
        if self.workspace.is_none() {
            self.settle();
            let mut workspace = Workspace::default();
            let (authors, aside) = (&mut self.authors, &self.others.aside);
            self.log
                .for_each_brief(&mut |brief| match brief {
                    Brief::Whole(signed) if aside.has(signed) => {}
                    Brief::Whole(signed) => {
                        workspace.push(signed, authors.index(&signed.delta.log, signed.delta.origin));
                    }
                    Brief::Outline(outline, _) if aside.has_brief(outline.hlc, outline.log, outline.seq) => {}
                    Brief::Outline(outline, steps) => {
                        workspace.push_outline(outline, steps, authors.index(&outline.log, outline.origin));
                    }
                })
                .map_err(api_error)?;
            for (signed, _) in &self.waiting {
                workspace.push(signed, authors.index(&signed.delta.log, signed.delta.origin));
            }
            self.workspace = Some(workspace);
        }
        Ok(self.workspace.as_mut().expect("invariant: built above"))
    }

    pub(crate) fn workspace_index_after(&mut self, key: &StepKey) -> Result<u64> {
        Ok(self.workspace_mut()?.index_after(key) as u64)
    }

    /// Files that a scope is about, dead or alive.
    pub(crate) fn files_of_scope(&mut self, scope: &Scope) -> Result<BTreeSet<FileId>> {
        match scope {
            Scope::File(path) => Ok([self.file_ever_at(path)?].into()),
            Scope::Folder(path) => {
                let folder = parse_path(path)?;
                Ok(self.ever_within(&folder))
            }
            Scope::Workspace => Ok(self.outline_mut()?.all_files().collect()),
        }
    }

    /// The moments of a scope.
    pub(crate) fn view(&mut self, scope: &Scope) -> Result<Arc<View>> {
        self.workspace_mut()?;
        self.outline_view(scope)
    }

    /// The same for drawing.
    pub(crate) fn outline_view(&mut self, scope: &Scope) -> Result<Arc<View>> {
        self.settle();
        match scope {
            Scope::Workspace => {
                let workspace = self.outline_mut()?;
                workspace.refresh();
                Ok(workspace.view().clone())
            }
            Scope::File(path) => {
                let file = self.file_ever_at(path)?;
                Ok(self.outline_mut()?.view_of_file(&file))
            }
            Scope::Folder(_) => {
                let files = self.files_of_scope(scope)?;
                Ok(Arc::new(self.outline_mut()?.view_of(&files)))
            }
        }
    }

    pub(crate) fn timeline_info(&mut self, scope: &Scope) -> Result<TimelineInfo> {
        let view = self.outline_view(scope)?;
        let named = self.moments(scope)?;
        let timeline = &self.outline_mut()?.timeline;
        let authors = view.authors(timeline);
        let n_moments = view.n_moments();
        let bound = |index| if n_moments == 0 { None } else { view.time_ms(index) };
        Ok(TimelineInfo {
            n_moments: n_moments as u64,
            first_ms: bound(0),
            last_ms: bound(n_moments),
            gaps: view.gaps().iter().map(|gap| Gap { index: gap.index as u64, idle_ms: gap.idle_ms }).collect(),
            named,
            authors: authors.into_iter().map(|author| self.author(author)).collect(),
        })
    }

    pub(crate) fn histogram(
        &mut self,
        scope: &Scope,
        axis: Axis,
        from: u64,
        to: u64,
        n_buckets: u32,
    ) -> Result<Vec<Bucket>> {
        let view = self.outline_view(scope)?;
        let timeline = &self.outline_mut()?.timeline;
        let authors = view.authors(timeline);
        let axis = match axis {
            Axis::Activity => codesync_timeline::Axis::Activity,
            Axis::Clock => codesync_timeline::Axis::Clock,
        };
        let n_buckets = (n_buckets as usize).min(BUCKETS_MAX);
        let buckets =
            view.histogram(timeline, axis, from as usize, to as usize, n_buckets).into_iter().map(|bucket| Bucket {
                from: bucket.from as u64,
                to: bucket.to as u64,
                start_ms: bucket.start_ms,
                end_ms: bucket.end_ms,
                chars: bucket
                    .chars
                    .iter()
                    .filter_map(|(author, n)| Some((authors.iter().position(|known| known == author)? as u32, *n)))
                    .collect(),
            });
        Ok(buckets.collect())
    }

    pub(crate) fn moment_info(&mut self, scope: &Scope, index: u64) -> Result<MomentInfo> {
        let view = self.view(scope)?;
        self.moment_info_in(&view, index)
    }

    fn moment_info_in(&mut self, view: &View, index: u64) -> Result<MomentInfo> {
        let n_moments = view.n_moments();
        let index = (index as usize).min(n_moments);
        let workspace = self.workspace_mut()?;
        let Some(entry_idx) = view.entry_of(index) else {
            let at_ms = view.time_ms(0).unwrap_or(0);
            return Ok(MomentInfo {
                index: 0,
                n_moments: n_moments as u64,
                workspace_index: view
                    .entry_of(1)
                    .map_or(0, |first| workspace.view().index_of_entry(first).saturating_sub(1))
                    as u64,
                at_ms,
                delta_id: None,
                author: None,
                path: None,
                added: 0,
                removed: 0,
                label: None,
                position: None,
                arrived_ms: None,
            });
        };
        let entry = workspace.timeline.entry(entry_idx);
        let workspace_index = workspace.view().index_of_entry(entry_idx) as u64;
        let file = entry.file.map(|file| workspace.file(file));
        let position = match (entry.kind, file) {
            (EntryKind::Text, Some(file)) => {
                let timeline = &self.document_mut(file)?.timeline;
                let n = timeline.index_after_near(&entry.info.key, entry.file_step as usize);
                (n > 0).then(|| timeline.position(n))
            }
            _ => None,
        };
        Ok(MomentInfo {
            index: index as u64,
            n_moments: n_moments as u64,
            workspace_index,
            at_ms: entry.info.at_ms,
            delta_id: Some(entry.info.key.delta.hash.to_string()),
            author: Some(self.author(entry.info.author)),
            path: file.and_then(|file| self.tree.get(&file)).map(|node| node.path.to_string()),
            added: u64::from(entry.added),
            removed: u64::from(entry.removed),
            label: self.label_of(&entry, file),
            position,
            arrived_ms: self.arrived_ms(&entry.info.key.delta),
        })
    }

    /// The structural step with this key.
    pub(crate) fn event_at(&self, key: &StepKey) -> Option<&TreeEvent> {
        let events = self.tree.events();
        let at = events.binary_search_by(|event| event.key.cmp(key)).ok()?;
        Some(&events[at])
    }

    /// Files that are or ever were in a folder.
    fn ever_within(&self, folder: &RelPath) -> BTreeSet<FileId> {
        let events = self.tree.events().iter();
        let inside = events.filter(|event| new_path(&event.change).is_some_and(|path| path.is_within(folder)));
        inside.map(|event| event.file).collect()
    }

    /// Words for a change that is not typing.
    fn label_of(&self, entry: &Entry, file: Option<FileId>) -> Option<String> {
        if entry.kind == EntryKind::Text && matches!(entry.info.origin, Origin::Typing | Origin::CommandLine) {
            return None;
        }
        let event = file.and_then(|_| self.event_at(&entry.info.key));
        let path = file.and_then(|file| self.tree.get(&file)).map(|node| node.path.to_string()).unwrap_or_default();
        let new_path = event.and_then(|event| new_path(&event.change)).map_or(path.clone(), RelPath::to_string);
        let what = match entry.kind {
            EntryKind::Text => match entry.info.origin {
                Origin::Restore => format!("restored {path}"),
                Origin::Undo => "undo".into(),
                Origin::Redo => "redo".into(),
                _ => format!("disk changed {path}"),
            },
            EntryKind::Create => format!("created {new_path}"),
            EntryKind::Move => match event.and_then(|event| event.old_path.as_ref()) {
                Some(old) => format!("renamed {old} to {new_path}"),
                None => format!("renamed to {new_path}"),
            },
            EntryKind::Remove => format!("deleted {path}"),
            EntryKind::Revive => format!("brought back {new_path}"),
            EntryKind::Content => format!("replaced {path}"),
            EntryKind::Meta | EntryKind::Kind => format!("changed properties of {path}"),
            EntryKind::Moment | EntryKind::Session => return None,
        };
        Some(what)
    }

    pub(crate) fn step_moment(
        &mut self,
        scope: &Scope,
        index: u64,
        unit: StepUnit,
        direction: Direction,
    ) -> Result<u64> {
        let view = self.view(scope)?;
        let named: Vec<usize> = self.moments(scope)?.iter().map(|moment| moment.index as usize).collect();
        let timeline = &self.workspace_mut()?.timeline;
        let direction = match direction {
            Direction::Back => codesync_timeline::Direction::Back,
            Direction::Forward => codesync_timeline::Direction::Forward,
        };
        let index = (index as usize).min(view.n_moments());
        let back = direction == codesync_timeline::Direction::Back;
        let to = match unit {
            StepUnit::Change if back => index.saturating_sub(1),
            StepUnit::Change => (index + 1).min(view.n_moments()),
            StepUnit::Burst => view.burst_boundary(timeline, index, direction),
            StepUnit::Named => view.marked(&named, index, direction),
            StepUnit::Page => view.page(index, direction),
            StepUnit::End if back => 0,
            StepUnit::End => view.n_moments(),
        };
        Ok(to as u64)
    }

    /// What was done up to moment `before` of a scope, burst by burst, newest first. Each is the moment it ended
    /// at, with the sums of the whole burst.
    pub(crate) fn list_bursts(&mut self, scope: &Scope, before: u64, limit: u32) -> Result<Vec<MomentInfo>> {
        let view = self.view(scope)?;
        let mut index = (before as usize).min(view.n_moments());
        let mut bursts = Vec::new();
        while index > 0 && bursts.len() < (limit as usize).min(BURSTS_MAX) {
            let timeline = &self.workspace_mut()?.timeline;
            let start = view.burst_boundary(timeline, index, codesync_timeline::Direction::Back);
            let sums = view.sums(timeline, start, index);
            let (added, removed) =
                sums.iter().fold((0, 0), |(added, removed), sum| (added + sum.added, removed + sum.removed));
            let moment = self.moment_info_in(&view, index as u64)?;
            bursts.push(MomentInfo { added, removed, ..moment });
            index = start;
        }
        Ok(bursts)
    }

    /// The cut at moment `index` of a scope.
    pub(crate) fn cut_at_index(&mut self, scope: &Scope, index: u64) -> Result<Cut> {
        let view = self.view(scope)?;
        self.cut_in(&view, scope, index)
    }

    fn cut_in(&mut self, view: &View, scope: &Scope, index: u64) -> Result<Cut> {
        let (index, n_moments) = (index as usize, view.n_moments());
        if index > n_moments {
            return Err(invalid(format!("There are only {n_moments} moments, so there is no @{index}.")));
        }
        if index == n_moments {
            return Ok(Cut::Now);
        }
        match (view.entry_of(index), scope) {
            (Some(entry), _) => Ok(Cut::After(self.workspace_mut()?.timeline.entry(entry).info.key)),
            // Before the first change of a file, it had the text it was created with.
            (None, Scope::File(path)) => {
                let file = self.file_ever_at(path)?;
                Ok(self.tree.get(&file).map_or(Cut::Beginning, |node| Cut::After(node.created)))
            }
            (None, _) => Ok(Cut::Beginning),
        }
    }

    /// The moment of a scope at which a cut lies.
    pub(crate) fn index_of_cut(&mut self, scope: &Scope, cut: &Cut) -> Result<u64> {
        let view = self.view(scope)?;
        Ok(match cut {
            Cut::Beginning => 0,
            Cut::After(key) | Cut::Seen(key) => view.index_after(&self.workspace_mut()?.timeline, key) as u64,
            Cut::Now => view.n_moments() as u64,
        })
    }

    /// Wall time of a cut.
    pub(crate) fn time_of_cut(&mut self, cut: &Cut, now: Now) -> Result<u64> {
        match cut {
            Cut::Now => Ok(now.ms),
            Cut::Beginning => Ok(self.workspace_mut()?.view().time_ms(0).unwrap_or(now.ms)),
            Cut::After(key) | Cut::Seen(key) => {
                let workspace = self.workspace_mut()?;
                let place = workspace.timeline.place_of(key).checked_sub(1);
                Ok(place.map_or(now.ms, |idx| workspace.timeline.entry(idx).info.at_ms))
            }
        }
    }

    /// Text of a file at a moment of a scope.
    pub(crate) fn past_text(&mut self, path: &str, scope: &Scope, index: u64, have: Option<u64>) -> Result<PastText> {
        self.settle();
        let own = match scope {
            Scope::File(scoped) if scoped == path => Some(self.file_ever_at(path)?),
            _ => None,
        };
        let view = match &own {
            Some(file) => self.workspace_mut()?.view_of_file(file),
            None => self.view(scope)?,
        };
        let cut = self.cut_in(&view, scope, index)?;
        let tree = match scope {
            Scope::File(_) => None,
            _ => Some(self.tree_at(&cut)),
        };
        let file = match (own, &tree) {
            (Some(file), _) => file,
            (None, Some(tree)) => match tree.by_path(&parse_path(path)?) {
                Some(node) => node.file,
                None => self.file_ever_at(path)?,
            },
            (None, None) => self.file_ever_at(path)?,
        };
        let moment = self.moment_info_in(&view, index)?;
        let node = tree.as_ref().map_or_else(|| self.tree.get(&file), |tree| tree.get(&file));
        let exists = node.is_some_and(|node| node.alive || tree.is_none());
        let past_path = node.map(|node| node.path.to_string());
        let is_text = self.tree.get(&file).is_some_and(|node| node.kind == FileKind::Text);
        if !exists || !is_text {
            return Ok(PastText { index, text: None, splices: None, exists, path: past_path, moment });
        }
        let n = self.file_index_in(&view, index, file, &cut)?;
        let n_have = match have {
            Some(have) => {
                let cut = self.cut_in(&view, scope, have)?;
                Some(self.file_index_in(&view, have, file, &cut)?)
            }
            None => None,
        };
        let timeline = &self.document_mut(file)?.timeline;
        let (text, splices) = match n_have {
            None => (Some(timeline.text_at(n).to_string()), None),
            Some(n_have) => {
                (None, Some(timeline.splices_between(n_have, n).iter().map(crate::views::to_api).collect()))
            }
        };
        Ok(PastText { index, text, splices, exists, path: past_path, moment })
    }

    /// How many steps of a file had happened at moment `index` of a view, whose cut is known.
    fn file_index_in(&mut self, view: &View, index: u64, file: FileId, cut: &Cut) -> Result<usize> {
        let (Cut::After(key), Some(entry)) = (cut, view.entry_of(index as usize)) else {
            return self.file_index_of(file, cut);
        };
        let guess = self.workspace_mut()?.timeline.file_step(entry) as usize;
        Ok(self.document_mut(file)?.timeline.index_after_near(key, guess))
    }

    /// Who wrote each character, at a moment or now.
    pub(crate) fn blame(&mut self, path: &str, at: Option<&Moment>, now: Now) -> Result<Vec<BlameSpan>> {
        let file = self.file_ever_at(path)?;
        let cut = match at {
            Some(moment) => self.resolve(moment, &Scope::File(path.to_owned()), now)?,
            None => Cut::Now,
        };
        let n = self.file_index_of(file, &cut)?;
        let created = self.tree.get(&file).ok_or_else(|| crate::not_found(path))?.created;
        let (created_ms, creator) =
            self.event_at(&created).map(|event| (event.at_ms, event.author)).ok_or_else(|| crate::not_found(path))?;
        let creator = self.authors.index(&creator.log, if creator.disk { Origin::Disk } else { Origin::Typing });
        let timeline = &self.document_mut(file)?.timeline;
        let runs: Vec<_> = timeline
            .blame_at(n)
            .into_iter()
            .map(|run| match run.step {
                Some(step) => {
                    let info = timeline.step(step).info;
                    (run.position, run.length, info.author, info.at_ms, info.key.delta.hash, Some((info.key, step)))
                }
                None => (run.position, run.length, creator, created_ms, created.delta.hash, None),
            })
            .collect();
        let mut spans = Vec::with_capacity(runs.len());
        for (position, length, author, at_ms, hash, step) in runs {
            let index = match step {
                Some((key, n)) => self.moment_of_step(file, &key, n)?,
                None => 0,
            };
            // What stood here when this copy began says nothing of who wrote it.
            let is_before = step.is_none() && self.others.beginning.has(&file);
            let author = if is_before { crate::authors::before() } else { self.author(author) };
            let delta_id = hash.to_string();
            spans.push(BlameSpan { position, length, author, at_ms, delta_id, index });
        }
        Ok(spans)
    }

    /// The moment of a file that a row of its timeline belongs to: where several logs wrote, a step may have several
    /// rows, or none.
    fn moment_of_step(&mut self, file: FileId, key: &StepKey, n: usize) -> Result<u64> {
        if self.log.heads().len() < 2 {
            return Ok(n as u64);
        }
        let workspace = self.workspace_mut()?;
        let view = workspace.view_of_file(&file);
        Ok(view.index_after(&workspace.timeline, key) as u64)
    }

    /// When a text appeared and vanished, oldest first.
    pub(crate) fn find_in_history(&mut self, text: &str, scope: &Scope, limit: u32) -> Result<(Vec<HistoryHit>, bool)> {
        if text.is_empty() {
            return Err(invalid("Say which text to look for."));
        }
        let limit = (limit as usize).clamp(1, 10_000);
        let files = self.files_of_scope(scope)?;
        let mut hits = Vec::new();
        for file in files {
            let Some(node) = self.tree.get(&file).filter(|node| node.kind == FileKind::Text) else { continue };
            let (path, created) = (node.path.to_string(), node.created);
            let is_before = self.others.beginning.has(&file);
            let document = self.document_mut(file)?;
            let mut found: Vec<(usize, bool, String)> = Vec::new();
            let base = document.timeline.text_at(0).to_string();
            // When a text appeared that this copy began with is not known here.
            if let Some(byte) = base.find(text).filter(|_| !is_before) {
                found.push((0, true, line_around(&base, byte)));
            }
            for hit in document.timeline.find(text, limit) {
                let shown = if hit.appeared { hit.n } else { hit.n - 1 };
                let rope = document.timeline.text_at(shown);
                let at = rope.utf16_cu_to_char((hit.position as usize).min(rope.len_utf16_cu()));
                let line = rope.line(rope.char_to_line(at)).to_string();
                found.push((hit.n, hit.appeared, line.trim().chars().take(200).collect()));
            }
            for (n, appeared, line) in found {
                hits.push(self.history_hit(file, &path, (n, appeared, line), created)?);
            }
            self.evict_documents();
        }
        hits.sort_by_key(|hit| hit.workspace_index);
        let truncated = hits.len() > limit;
        hits.truncate(limit);
        Ok((hits, truncated))
    }

    fn history_hit(
        &mut self,
        file: FileId,
        path: &str,
        (n, appeared, line): (usize, bool, String),
        created: StepKey,
    ) -> Result<HistoryHit> {
        let key = match n {
            0 => created,
            n => self.document_mut(file)?.timeline.step(n).info.key,
        };
        let index = if n == 0 { 0 } else { self.moment_of_step(file, &key, n)? };
        let workspace = self.workspace_mut()?;
        let entry_idx = workspace.timeline.place_of(&key).saturating_sub(1);
        let entry = workspace.timeline.entry(entry_idx);
        let workspace_index = workspace.view().index_of_entry(entry_idx) as u64;
        Ok(HistoryHit {
            path: path.to_owned(),
            file_id: file.to_string(),
            kind: if appeared { HistoryHitKind::Appeared } else { HistoryHitKind::Vanished },
            index,
            workspace_index,
            at_ms: entry.info.at_ms,
            author: self.author(entry.info.author),
            delta_id: key.delta.hash.to_string(),
            line,
        })
    }

    /// Other authors' changes to these files after a cut: name and number.
    pub(crate) fn others_since(&mut self, cut: &Cut, files: &[FileId]) -> Result<Vec<(String, u64)>> {
        let own = self.authors.index(&self.own.clone(), Origin::Typing);
        let files: BTreeSet<FileId> = files.iter().copied().collect();
        let view = self.workspace_mut()?.view_of(&files);
        let from = match cut {
            Cut::Beginning => 0,
            Cut::After(key) | Cut::Seen(key) => view.index_after(&self.workspace_mut()?.timeline, key),
            Cut::Now => view.n_moments(),
        };
        let sums = view.sums(&self.workspace_mut()?.timeline, from, view.n_moments());
        let others = sums.iter().filter(|sum| sum.author != own);
        Ok(others.map(|sum| (self.author(sum.author).name, sum.n_steps)).collect())
    }

    /// Tells clients that history grew.
    pub(crate) fn flush_growth(&mut self) {
        self.tell_marks_of_others();
        if self.grown.is_empty() {
            return;
        }
        let paths = std::mem::take(&mut self.grown).into_iter().take(1_000).collect();
        let n_moments = match &mut self.workspace {
            Some(workspace) => {
                workspace.refresh();
                workspace.view().n_moments() as u64
            }
            None => 0,
        };
        self.events.push(codesync_api::Event::HistoryGrew { n_moments, paths });
    }
}

/// The path that a structural step puts its file at.
pub(crate) fn new_path(change: &Change) -> Option<&RelPath> {
    match change {
        Change::Create { path, .. } | Change::Move { path } | Change::Revive { path } => Some(path),
        _ => None,
    }
}

fn line_around(text: &str, byte: usize) -> String {
    let start = text[..byte].rfind('\n').map_or(0, |at| at + 1);
    let end = text[byte..].find('\n').map_or(text.len(), |at| byte + at);
    text[start..end].trim().chars().take(200).collect()
}
