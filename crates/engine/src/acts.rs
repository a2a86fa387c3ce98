//! From steps to deltas: collects the steps of one act, closes them into a signed delta in the log, and
//! brings tree, timelines and undo up to date with it.

use crate::foreign::apply_void;
use crate::undo::UndoStep;
use crate::{Engine, Now, Result, api_error, invalid};
use codesync_base::{
    Change, Delta, FileId, FileKind, FileMeta, Hlc, LogId, Origin, RelPath, SignedDelta, Splice, Step, StepKey,
    TextSource, TextStep, encode_delta, limits, utf16_len,
};
use codesync_doc::{OpenDelta, TreeAuthor};
use codesync_timeline::{GroupKey, StepInfo};

/// What belongs together and is taken back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Act {
    pub origin: Origin,
    /// Sequence number of its first delta.
    pub group: u32,
}

/// Typing without a pause is one act.
pub(crate) struct Burst {
    act: Act,
    file: FileId,
    last_ms: u64,
}

/// A pause longer than this ends a burst (`UX.md` §3.4).
const BURST_GAP_MS: u64 = 2_000;
/// A delta is closed above this estimate of its size, well below the limit.
const DELTA_BYTES_SOFT: usize = 40 * 1024;
/// First contents longer than this are blobs: the tree is read whole at every opening, contents only when wanted.
const CONTENT_INLINE_BYTES_MAX: usize = 256;
/// Ranges that one step may delete; more are spread over several steps.
const STEP_RANGES_MAX: usize = 1_500;
/// A text step and one range it deletes take no more than this.
const TEXT_STEP_BYTES: usize = 64;
const RANGE_BYTES: usize = 16;

/// The delta being made.
pub(crate) struct Pending {
    act: Act,
    hlc: Hlc,
    open: OpenDelta,
    files: Vec<FileId>,
    steps: Vec<Step>,
    /// What each text step did to the visible text, for the timelines.
    splices: Vec<(u32, Splice)>,
    size_bytes: usize,
}

impl Engine {
    /// Begins something of its own.
    pub(crate) fn begin_act(&mut self, origin: Origin) -> Act {
        self.settle();
        self.burst = None;
        Act { origin, group: self.head_seq + 1 }
    }

    /// The act that typing in this file now belongs to.
    pub(crate) fn typing_act(&mut self, origin: Origin, file: FileId, now: Now) -> Act {
        let joins = self.burst.as_ref().is_some_and(|burst| {
            burst.file == file && burst.act.origin == origin && now.ms.saturating_sub(burst.last_ms) <= BURST_GAP_MS
        });
        let act = match &self.burst {
            Some(burst) if joins => burst.act,
            _ => self.begin_act(origin),
        };
        self.burst = Some(Burst { act, file, last_ms: now.ms });
        act
    }

    /// Edits a document: all of these splices, or none of them when the store refuses a long text.
    pub(crate) fn text_steps(&mut self, act: Act, file: FileId, splices: &[Splice], now: Now) -> Result<()> {
        self.load_document(file)?;
        self.keep_long_texts(splices, now)?;
        if !splices.is_empty() {
            self.note_text(file, act.origin, now);
        }
        // One that does nothing would have a place in this timeline and in no other.
        let mut splices = splices.iter().filter(|splice| splice.deleted > 0 || !splice.inserted.is_empty());
        splices.try_for_each(|splice| self.text_step(act, file, splice, now))
    }

    /// Long texts go into the store before the first step is made, so that no act stops half done.
    pub(crate) fn keep_long_texts(&mut self, splices: &[Splice], now: Now) -> Result<()> {
        for splice in splices {
            if let Err(error) = self.stored_text(&splice.inserted) {
                self.note_store_failure(error.clone(), now);
                return Err(error);
            }
        }
        Ok(())
    }

    /// One step, but for a deletion that names more items than one delta may.
    fn text_step(&mut self, act: Act, file: FileId, splice: &Splice, now: Now) -> Result<()> {
        let mut rest = splice.clone();
        while let Some(length) = self.live_document(file)?.first_part(&rest, STEP_RANGES_MAX) {
            self.single_step(act, file, &Splice::new(rest.position, length, ""), now)?;
            rest.deleted -= length;
        }
        self.single_step(act, file, &rest, now)
    }

    fn single_step(&mut self, act: Act, file: FileId, splice: &Splice, now: Now) -> Result<()> {
        let n_ranges = self.live_document(file)?.n_ranges(splice);
        let inline_bytes = splice.inserted.len().min(limits::INLINE_TEXT_BYTES_MAX);
        self.make_room(act, TEXT_STEP_BYTES + n_ranges * RANGE_BYTES + inline_bytes, now);
        let text = self.stored_text(&splice.inserted)?;
        let pending = self.pending.as_mut().expect("invariant: make_room opened it");
        let document = self.documents.get_mut(&file).expect("invariant: loaded by text_step");
        let mut step = document.text.edit(&mut pending.open, splice).map_err(|error| invalid(error.to_string()))?;
        if let (Some(insert), Some(text)) = (&mut step.insert, text) {
            insert.text = text;
        }
        self.push_text(file, step, splice.clone(), now);
        Ok(())
    }

    fn push_text(&mut self, file: FileId, step: TextStep, splice: Splice, now: Now) {
        let pending = self.pending.as_mut().expect("invariant: opened by make_room");
        let inline_bytes = splice.inserted.len().min(limits::INLINE_TEXT_BYTES_MAX);
        pending.size_bytes += TEXT_STEP_BYTES + step.delete.len() * RANGE_BYTES + inline_bytes;
        let file = pending.file_index(file);
        pending.splices.push((pending.steps.len() as u32, splice));
        pending.steps.push(Step { at_ms: now.ms, file, change: Change::Text(step) });
        self.unsaved_since_ms.get_or_insert(now.ms);
    }

    /// Long text goes into a blob; short text stays in the step (none).
    fn stored_text(&mut self, text: &str) -> Result<Option<TextSource>> {
        if text.len() <= limits::INLINE_TEXT_BYTES_MAX {
            return Ok(None);
        }
        check_length(text, limits::TEXT_INSERTED_MAX)?;
        let hash = self.log.put_blob(text.as_bytes()).map_err(api_error)?;
        Ok(Some(TextSource::Blob { hash, length: utf16_len(text) }))
    }

    /// Text as content of a new file.
    pub(crate) fn text_source(&mut self, text: &str) -> Result<TextSource> {
        check_length(text, limits::TEXT_CREATED_MAX)?;
        if text.len() > CONTENT_INLINE_BYTES_MAX
            && let Ok(hash) = self.log.put_blob(text.as_bytes())
        {
            return Ok(TextSource::Blob { hash, length: utf16_len(text) });
        }
        // Where there is no room for a blob, a short text can wait in its delta.
        Ok(self.stored_text(text)?.unwrap_or_else(|| TextSource::Inline(text.into())))
    }

    /// Creates a file; it is in the tree once the delta is closed.
    pub(crate) fn create_step(
        &mut self,
        act: Act,
        path: RelPath,
        kind: FileKind,
        meta: FileMeta,
        content: Option<TextSource>,
        now: Now,
    ) -> Result<FileId> {
        let inline_bytes = match &content {
            Some(TextSource::Inline(text)) => text.len(),
            _ => 0,
        };
        self.make_room(act, 160 + path.as_str().len() + inline_bytes, now);
        let pending = self.pending.as_mut().expect("invariant: make_room opened it");
        let prev = self.head_hash;
        let file = FileId::derive(&self.own, &prev, &pending.hlc, pending.steps.len() as u32);
        let index = pending.file_index(file);
        pending.size_bytes += 160 + path.as_str().len() + inline_bytes;
        pending.steps.push(Step { at_ms: now.ms, file: index, change: Change::Create { path, kind, meta, content } });
        self.unsaved_since_ms.get_or_insert(now.ms);
        Ok(file)
    }

    /// Any other step on a file.
    pub(crate) fn tree_step(&mut self, act: Act, file: FileId, change: Change, now: Now) {
        let size_bytes = 256 + crate::history::new_path(&change).map_or(0, |path| path.as_str().len());
        self.make_room(act, size_bytes, now);
        let pending = self.pending.as_mut().expect("invariant: make_room opened it");
        let index = pending.file_index(file);
        pending.size_bytes += size_bytes;
        pending.steps.push(Step { at_ms: now.ms, file: index, change });
        self.unsaved_since_ms.get_or_insert(now.ms);
    }

    /// A step that is about no file: a named moment, a session.
    pub(crate) fn mark_step(&mut self, act: Act, change: Change, now: Now) {
        let size_bytes = 2 * limits::MOMENT_NAME_BYTES_MAX + 256;
        self.make_room(act, size_bytes, now);
        let pending = self.pending.as_mut().expect("invariant: make_room opened it");
        pending.size_bytes += size_bytes;
        pending.steps.push(Step { at_ms: now.ms, file: 0, change });
        self.unsaved_since_ms.get_or_insert(now.ms);
    }

    /// Makes sure that a delta of this act is open and has room for one more step.
    fn make_room(&mut self, act: Act, more_bytes: usize, now: Now) {
        let fits = self.pending.as_ref().is_some_and(|pending| {
            pending.act == act
                && pending.steps.len() < limits::DELTA_STEPS_MAX
                && pending.files.len() < usize::from(u16::MAX)
                && pending.size_bytes + more_bytes <= DELTA_BYTES_SOFT
        });
        if fits {
            return;
        }
        self.settle();
        let hlc = self.clock.tick(now.ms);
        let open = OpenDelta { log: self.own, seq: self.head_seq + 1, logs: Vec::new() };
        self.pending = Some(Pending {
            act,
            hlc,
            open,
            files: Vec::new(),
            steps: Vec::new(),
            splices: Vec::new(),
            size_bytes: 256,
        });
    }

    /// Closes the delta being made and has the log up to date: for whoever reads the log next.
    pub(crate) fn close(&mut self) -> Result<()> {
        self.seal_pending();
        self.append_waiting()
    }

    /// Closes the delta being made. What the log does not take now (its disk is full) waits for the next sync.
    pub(crate) fn settle(&mut self) {
        if let Err(error) = self.close() {
            tracing::debug!(%error, "deltas wait for the log");
        }
    }

    /// Appends what is closed, in order, until the log refuses.
    fn append_waiting(&mut self) -> Result<()> {
        while let Some((signed, bytes)) = self.waiting.front() {
            self.log.append(signed, bytes).map_err(api_error)?;
            self.links.note(signed);
            self.waiting.pop_front();
        }
        Ok(())
    }

    /// Hashes and signs the delta being made. It has happened from here on: whether or not the log takes it
    /// at once, documents, tree and the next delta build on it.
    fn seal_pending(&mut self) {
        let Some(pending) = self.pending.take().filter(|pending| !pending.steps.is_empty()) else { return };
        let delta = Delta {
            project: self.project,
            log: self.own,
            seq: pending.open.seq,
            prev: self.head_hash,
            hlc: pending.hlc,
            deps: self.new_dependencies(),
            origin: pending.act.origin,
            group: pending.act.group,
            logs: pending.open.logs,
            files: pending.files,
            steps: pending.steps,
        };
        let (bytes, hash) = encode_delta(&delta);
        assert!(bytes.len() <= limits::DELTA_BYTES_MAX, "invariant: make_room counts no less than a step takes");
        let signed = SignedDelta { signature: self.key.sign_delta(&hash), delta, hash };
        self.head_seq = signed.delta.seq;
        self.head_hash = hash;
        self.apply_closed(&signed, &pending.splices);
        self.waiting.push_back((signed, bytes));
    }

    fn apply_closed(&mut self, signed: &SignedDelta, splices: &[(u32, Splice)]) {
        self.take_rights(signed);
        let key = signed.delta.key(signed.hash);
        self.follow_forks(signed);
        signed.delta.files.iter().for_each(|file| self.digests.forget(file));
        self.apply_tree(signed);
        // Also a file that others pushed aside, or that got its place back, is to be where it is shown.
        for file in self.tree.take_moved() {
            self.note_unwritten(file, Now { ms: signed.delta.hlc.wall_ms, local_offset_minutes: 0 });
        }
        let author = self.authors.index(&signed.delta.log, signed.delta.origin);
        let group = GroupKey { log: signed.delta.log, seq: signed.delta.group };
        for (step_idx, splice) in splices {
            let step = &signed.delta.steps[*step_idx as usize];
            let Some(file) = signed.delta.file_of(step) else { continue };
            let info = StepInfo {
                key: StepKey { delta: key, step_idx: *step_idx },
                at_ms: step.at_ms,
                author,
                origin: signed.delta.origin,
                group,
            };
            if let Some(document) = self.documents.get_mut(&file) {
                document.enter(&info, splice);
                document.note_from_disk(&info, &step.change, &self.own.device);
                document.undo.note(&UndoStep::new(&info, splice));
            }
            if let Some(node) = self.tree.get(&file) {
                self.grown.insert(node.path.to_string());
            }
        }
        if let Some(workspace) = &mut self.workspace {
            workspace.push(signed, author);
        }
    }

    /// Brings the tree up to date with the structural steps of a delta.
    pub(crate) fn apply_tree(&mut self, signed: &SignedDelta) {
        let delta = &signed.delta;
        let author = TreeAuthor { log: delta.log, disk: delta.origin.is_disk() };
        if self.others.aside.has(signed) {
            return apply_void(&mut self.tree, signed);
        }
        for (step_idx, step) in delta.steps.iter().enumerate() {
            let key = StepKey { delta: delta.key(signed.hash), step_idx: step_idx as u32 };
            match &step.change {
                Change::Text(_) => continue,
                Change::Session { person, device_name } => {
                    self.authors.name(&delta.log, person, Some(device_name));
                }
                Change::Color { color } => self.authors.wish(key, *color),
                Change::Access(step) => {
                    self.is_shared = true;
                    self.rights_told.insert(key, (step.device(), step.role()));
                }
                Change::Chat(_) => self.talk.note(key),
                _ => {}
            }
            let is_of_people = matches!(
                step.change,
                Change::Session { .. } | Change::Access(_) | Change::Chat(_) | Change::Color { .. }
            );
            if is_of_people {
                self.n_sessions += 1;
                continue;
            }
            self.note_mark(key, step.at_ms, &step.change);
            let Some(file) = delta.file_of(step) else { continue };
            let before = self.tree.get(&file).map(crate::views::shown);
            if self.tree.apply(key, step.at_ms, author, file, &step.change) {
                self.tell_tree_change(file, before);
            }
        }
    }

    /// Reads the structural part of the log: tree, names of people, clock.
    pub(crate) fn load_tree(&mut self) -> Result<()> {
        let mut structural = Vec::new();
        self.log.for_each_structural(&mut |signed| structural.push(signed.clone())).map_err(api_error)?;
        if let Some(first) = structural.first() {
            self.project = first.delta.project;
        }
        self.enter_cut();
        self.events.clear();
        self.tree.begin_reading();
        for signed in structural {
            self.apply_tree(&signed);
            // Nobody has to hear of what was there before.
            self.events.clear();
            self.grown.clear();
            self.marks_of_others.clear();
        }
        self.tree.end_reading();
        drop(self.tree.take_moved());
        self.talk.settle();
        self.clock.observe(self.log.newest_reading());
        Ok(())
    }

    /// Says who works here, once for each name and device, and in which colour.
    pub(crate) fn begin_session(&mut self, now: Now) {
        if self.authors.sessions.get(&self.own) != Some(&self.profile.person) {
            self.say_session(now);
        }
        self.say_color(now);
    }

    /// The colour in which the person here wishes to be shown; none: whichever is free.
    pub fn set_color(&mut self, color: Option<u8>, now: Now) {
        self.wished_color = Some(color.filter(|color| *color < limits::AUTHOR_COLORS));
        if self.may(codesync_auth::Act::Speak).is_ok() {
            self.say_color(now);
        }
    }

    fn say_color(&mut self, now: Now) {
        let Some(color) = self.wished_color else { return };
        if self.authors.wished(&self.own.device) == color {
            return;
        }
        let act = self.begin_act(Origin::Session);
        self.mark_step(act, Change::Color { color }, now);
        self.settle();
    }

    /// Id of an act as clients see it: `<log>:<sequence number>`.
    pub(crate) fn group_id(&self, act: Act) -> String {
        group_text(&GroupKey { log: self.own, seq: act.group })
    }
}

/// What others would refuse is not done.
fn check_length(text: &str, units_max: u64) -> Result<()> {
    let is_short = text.len() as u64 <= units_max || u64::from(utf16_len(text)) <= units_max;
    if is_short { Ok(()) } else { Err(invalid("This text is too long.")) }
}

/// `<device in hexadecimal>.<incarnation>:<sequence number of the first delta>`.
pub(crate) fn group_text(group: &GroupKey) -> String {
    format!("{}.{}:{}", group.log.device, group.log.incarnation, group.seq)
}

pub(crate) fn parse_group(text: &str) -> Option<GroupKey> {
    let (log, seq) = text.split_once(':')?;
    let (device, incarnation) = log.split_once('.')?;
    let log = LogId { device: device.parse().ok()?, incarnation: incarnation.parse().ok()? };
    Some(GroupKey { log, seq: seq.parse().ok()? })
}

impl Pending {
    pub fn n_steps(&self) -> usize {
        self.steps.len()
    }

    /// Text steps of a file that are not in its timeline yet.
    pub fn n_text_steps(&self, file: &FileId) -> usize {
        let is_of_file = |step: &Step| self.files.get(usize::from(step.file)) == Some(file);
        self.splices.iter().filter(|(step_idx, _)| is_of_file(&self.steps[*step_idx as usize])).count()
    }

    fn file_index(&mut self, file: FileId) -> u16 {
        // The newest files are the likeliest: search from the end.
        let at = self.files.iter().rposition(|known| *known == file).unwrap_or_else(|| {
            self.files.push(file);
            self.files.len() - 1
        });
        at as u16
    }
}
