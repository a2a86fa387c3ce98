//! What came into the folder another way before its history did: under a store that was put back from a backup, or
//! with a commit that was pulled while one was away. “Disk” took it in as a change; once older history turns out to
//! have led to the very same text, that change is taken back, and nothing is there twice
//! (`docs/decisions/0022-what-the-folder-had-first.md`). Takes back nothing but what this device took in from its own
//! folder, and that only where all of the text was the same, or where this device itself had done what its store did
//! not know of any more.

use super::seen::Seen;
use super::{Batch, Forks};
use crate::{Engine, Now, Result, api_error};
use codesync_api::PatchSource;
use codesync_auth::Act as Right;
use codesync_base::{Change, DeltaKey, FileId, FileKind, LogId, Origin, SignedDelta, Splice, StepKey, utf16_len};
use codesync_doc::TreeEvent;
use codesync_fs::{disk_edit, rebase};
use codesync_timeline::{FileTimeline, StepInfo, apply, edit_script};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::sync::Arc;

/// Changes of the folder that one arrival is compared with.
const ACTS_TRIED_MAX: usize = 16;
/// Moments of the right length whose text is compared.
const MOMENTS_TRIED_MAX: usize = 64;

/// Files looked at in one go: nobody who types waits for more.
const FILES_AT_ONCE: usize = 16;

/// What has to be looked at.
#[derive(Default)]
pub(crate) struct Twice {
    /// Texts into which something came that is older than what the folder brought, each with the oldest of it.
    texts: BTreeMap<FileId, StepKey>,
    /// Files of this device beside others of their name.
    second: BTreeSet<FileId>,
    /// Those of them that something happened to.
    files: BTreeSet<FileId>,
}

impl Twice {
    pub fn is_none(&self) -> bool {
        self.texts.is_empty() && self.files.is_empty()
    }
}

/// What the authors of deltas had seen, each read once.
type Sights = BTreeMap<DeltaKey, Rc<Seen>>;

/// An act by its number in a log, or in a branch of one.
type NamedAct = (LogId, u32);

fn named_act(forks: &Forks, info: &StepInfo) -> NamedAct {
    let key = &info.key.delta;
    (forks.name_of(&key.log, &key.hash), info.group.seq)
}

/// A change of one text that was taken in from the folder.
struct Taken {
    /// Its steps in the timeline, counted from 1; never none.
    rows: Vec<usize>,
    first: DeltaKey,
    last: DeltaKey,
}

impl Engine {
    /// Of a delta that counts, which texts it comes into behind the back of what the folder brought.
    pub(super) fn note_older(&mut self, signed: &SignedDelta) {
        let delta = &signed.delta;
        for (step_idx, step) in delta.steps.iter().enumerate() {
            let Some(file) = delta.file_of(step).filter(|_| matches!(step.change, Change::Text(_))) else { continue };
            let key = StepKey { delta: delta.key(signed.hash), step_idx: step_idx as u32 };
            let from_disk = self.documents.get_mut(&file).and_then(|document| document.from_disk);
            if from_disk.is_some_and(|newest| key < newest) {
                let oldest = self.others.twice.texts.entry(file).or_insert(key);
                *oldest = key.min(*oldest);
            }
        }
    }

    /// After a batch: which files of ours could not have their name, and which of these something happened to.
    pub(super) fn note_second_files(&mut self, batch: &Batch) {
        let own = self.own.device;
        let is_second = |file: &FileId| {
            let node = self.tree.get(file).filter(|node| node.alive && node.path != node.wanted_path);
            node.is_some_and(|node| node.created.delta.log.device == own)
        };
        let mut second = std::mem::take(&mut self.others.twice.second);
        second.extend(batch.moved.iter().copied());
        second.retain(is_second);
        let is_touched = |file: &FileId| batch.texts.contains_key(file) || batch.moved.contains(file);
        let touched = second
            .iter()
            .filter(|file| is_touched(file) || self.file_before(file).is_some_and(|first| is_touched(&first)));
        let touched: Vec<FileId> = touched.copied().collect();
        self.others.twice.files.extend(touched);
        self.others.twice.second = second;
    }

    /// Takes back what is here twice by now, a few files at a time.
    pub(crate) fn settle_twice(&mut self, now: Now) {
        if self.others.twice.is_none() {
            return;
        }
        if self.may(Right::Edit).is_err() {
            self.others.twice = Twice::default();
            return;
        }
        let mut sights = Sights::default();
        for _ in 0..FILES_AT_ONCE {
            let twice = &mut self.others.twice;
            let settled = if let Some((file, oldest)) = twice.texts.pop_first() {
                self.settle_text_twice(file, &oldest, &mut sights, now)
            } else if let Some(file) = twice.files.pop_first() {
                self.settle_file_twice(file, &mut sights, now)
            } else {
                return;
            };
            if let Err(error) = settled {
                tracing::warn!(%error, "whether a change of the folder came twice cannot be read");
            }
        }
    }

    /// Steady time of the next [`Self::settle_twice`]: at once, where more than that is to be looked at.
    pub(crate) fn twice_due_ms(&self) -> Option<u64> {
        (!self.others.twice.is_none()).then_some(0)
    }

    fn settle_text_twice(&mut self, file: FileId, since: &StepKey, sights: &mut Sights, now: Now) -> Result<()> {
        self.settle();
        for act in self.acts_from_disk(file, since)? {
            let Some(edits) = self.edits_without(file, &act, sights)? else { continue };
            let act = self.begin_act(Origin::Disk);
            self.edit_and_tell(act, file, &edits, PatchSource::Disk, now)?;
            self.settle();
        }
        Ok(())
    }

    fn sight(&self, key: &DeltaKey, sights: &mut Sights) -> Result<Rc<Seen>> {
        if let Some(seen) = sights.get(key) {
            return Ok(seen.clone());
        }
        let seen = Rc::new(self.seen_by(key)?);
        sights.insert(*key, seen.clone());
        Ok(seen)
    }

    /// What this device took in from its folder after a step, oldest first.
    fn acts_from_disk(&mut self, file: FileId, since: &StepKey) -> Result<Vec<NamedAct>> {
        let device = self.own.device;
        self.document_mut(file)?;
        let timeline = &self.documents.get_mut(&file).expect("invariant: read above").timeline;
        let mut acts: Vec<NamedAct> = Vec::new();
        for n in timeline.index_before(since) + 1..=timeline.n_steps() {
            let info = timeline.step(n).info;
            let act = named_act(&self.others.forks, &info);
            let is_ours = info.origin == Origin::Disk && info.key.delta.log.device == device;
            if is_ours && !acts.contains(&act) && acts.len() < ACTS_TRIED_MAX {
                acts.push(act);
            }
        }
        Ok(acts)
    }

    /// The edit that takes a change of the folder back, if older history led to the same text. What was done here since
    /// goes on from the one that stays.
    fn edits_without(&mut self, file: FileId, act: &NamedAct, sights: &mut Sights) -> Result<Option<Vec<Splice>>> {
        self.document_mut(file)?;
        let timeline = &self.documents.get_mut(&file).expect("invariant: read above").timeline;
        let Some(taken) = Taken::of(timeline, &self.others.forks, act) else { return Ok(None) };
        let seen = self.sight(&taken.last, sights)?;
        let text = self.text_of_seen(file, &seen)?;
        let is_put_back = self.has_forgotten(&seen, &taken.first)?;
        let forks = &self.others.forks;
        let timeline = &self.documents.get_mut(&file).expect("invariant: read above").timeline;
        let Some(moments) = taken.moments(timeline, |key| seen.has(forks, key)) else { return Ok(None) };
        let reached = match moment_with(timeline, &text, &moments) {
            None if is_put_back => nearest_moment(timeline, &text, &moments, taken.size(timeline)),
            found => found,
        };
        let Some(reached) = reached else { return Ok(None) };
        let reached = timeline.text_at(reached).to_string();
        let device = self.own.device;
        let later: Vec<(usize, DeltaKey)> =
            rows_of(timeline, taken.end()).filter(|(_, key)| key.log.device == device).collect();
        let is_later = |key: &DeltaKey| later.iter().any(|(_, own)| own == key);
        let unseen = rows_of(timeline, 0).map(|(_, key)| key);
        let unseen: BTreeSet<DeltaKey> = unseen.filter(|key| !seen.has(forks, key) && !is_later(key)).collect();
        let present = timeline.text_at(timeline.n_steps()).to_string();
        let mut edits = timeline.revert(taken.rows.iter().copied()).splices;
        let rows = taken.rows.iter().copied().chain(later.iter().map(|(n, _)| *n));
        let theirs = apply(&present, &timeline.revert(rows).splices);
        let ours_seen = later.last().map_or(Ok(seen), |(_, newest)| self.sight(newest, sights))?;
        if !self.are_apart(&taken, &ours_seen, &unseen, sights)? {
            return Ok((reached == text).then_some(edits));
        }
        let ours = self.text_of_seen(file, &ours_seen)?;
        let wanted = apply(&theirs, &rebase(&disk_edit(&reached, &ours), &reached, &theirs));
        edits.extend(edit_script(&apply(&present, &edits), &wanted));
        Ok(Some(edits))
    }

    /// Whether this device did something before a change that its store did not know of when it was made: then the store
    /// had been put back from a backup.
    fn has_forgotten(&self, seen: &Seen, change: &DeltaKey) -> Result<bool> {
        let forks = &self.others.forks;
        for head in self.log.heads().into_iter().filter(|head| head.log.device == self.own.device) {
            let branches = forks.heads(&head.log).unwrap_or_else(|| vec![head]);
            for head in branches {
                let Some(signed) = self.log.delta(&head.hash).map_err(api_error)? else { continue };
                let key = signed.delta.key(signed.hash);
                if key < *change && !seen.has(forks, &key) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Whether nobody has built on both: on a change of the folder, and on what led to the same. Else nothing but the
    /// change itself may be taken away.
    fn are_apart(&self, taken: &Taken, ours: &Seen, others: &BTreeSet<DeltaKey>, sights: &mut Sights) -> Result<bool> {
        let forks = &self.others.forks;
        if !ours.has(forks, &taken.last) || others.iter().any(|key| ours.has(forks, key)) {
            return Ok(false);
        }
        let newest: BTreeMap<LogId, DeltaKey> =
            others.iter().map(|key| (forks.name_of(&key.log, &key.hash), *key)).collect();
        for key in newest.values().filter(|key| **key > taken.first) {
            if self.sight(key, sights)?.has(forks, &taken.first) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The file that has the name of another one.
    fn file_before(&self, file: &FileId) -> Option<FileId> {
        let node = self.tree.get(file)?;
        self.tree.by_path(&node.wanted_path).filter(|first| first.file != *file).map(|first| first.file)
    }

    /// A file that the folder brought goes again, if there is an older one of this name that had the same content.
    fn settle_file_twice(&mut self, file: FileId, sights: &mut Sights, now: Now) -> Result<()> {
        self.settle();
        let first = self.file_before(&file).and_then(|first| self.tree.get(&first));
        let (Some(node), Some(first)) = (self.tree.get(&file).filter(|node| node.alive), first) else { return Ok(()) };
        let (created, kind) = (node.created.delta, node.kind);
        let is_like_it = kind == first.kind && first.created < node.created;
        let (is_same, first_created, first) = (node.content == first.content, first.created.delta, first.file);
        let delta = self.log.delta(&created.hash).map_err(api_error)?;
        let is_from_disk = delta.is_some_and(|signed| signed.delta.origin == Origin::Disk);
        if !is_like_it || !is_from_disk || self.sight(&created, sights)?.has(&self.others.forks, &first_created) {
            return Ok(());
        }
        // Somebody, or a restore, put one of them where it is: they are not there twice by themselves.
        let is_placed = |event: &Arc<TreeEvent>| {
            let is_place = matches!(*event.change, Change::Revive { .. } | Change::Move { .. });
            is_place && (event.file == file || event.file == first)
        };
        if self.tree.events().iter().any(is_placed) {
            return Ok(());
        }
        let edits = match kind {
            FileKind::Text => self.edits_of_second(file, (first, first_created), &created)?,
            FileKind::Binary => is_same.then(Default::default),
            FileKind::Folder => None,
        };
        let Some((from_disk, typed)) = edits else { return Ok(()) };
        let mut act = self.begin_act(Origin::Disk);
        self.edit_and_tell(act, first, &from_disk, PatchSource::Disk, now)?;
        if !typed.is_empty() {
            let typing = self.begin_act(Origin::Typing);
            self.edit_and_tell(typing, first, &typed, PatchSource::Disk, now)?;
            act = self.begin_act(Origin::Disk);
        }
        self.settle();
        self.show_instead(&file, first)?;
        self.tree_step(act, file, Change::Remove, now);
        self.settle();
        self.note_unwritten(file, now);
        self.note_unwritten(first, now);
        Ok(())
    }

    /// What was done here to the second file since it came, for the first one: by other programs, and after that by the
    /// person here, who can undo it. None where that is another file.
    fn edits_of_second(
        &mut self,
        file: FileId,
        (first, first_created): (FileId, DeltaKey),
        created: &DeltaKey,
    ) -> Result<Option<(Vec<Splice>, Vec<Splice>)>> {
        let device = self.own.device;
        let second = &self.document_mut(file)?.timeline;
        let text = second.text_at(0).to_string();
        let ours = second.text_at(second.n_steps()).to_string();
        if rows_of(second, 0).any(|(_, key)| key.log.device != device) {
            return Ok(None);
        }
        let typed = (1..=second.n_steps()).filter(|n| !second.step(*n).info.origin.is_disk());
        let untyped = apply(&ours, &second.revert(typed).splices);
        let timeline = &self.document_mut(first)?.timeline;
        let moments = 0..=timeline.index_before(&StepKey { delta: *created, step_idx: 0 });
        let reached = match moment_with(timeline, &text, &moments) {
            // What this device made itself and did not know of any more: its store was put back.
            None if first_created.log.device == device => nearest_moment(timeline, &text, &moments, utf16_len(&text)),
            found => found,
        };
        let Some(reached) = reached.map(|n| timeline.text_at(n).to_string()) else { return Ok(None) };
        let theirs = timeline.text_at(timeline.n_steps()).to_string();
        let from_disk = rebase(&disk_edit(&reached, &untyped), &reached, &theirs);
        let theirs = apply(&theirs, &from_disk);
        let typed = rebase(&disk_edit(&untyped, &ours), &untyped, &theirs);
        Ok(Some((from_disk, typed)))
    }
}

impl Taken {
    fn of(timeline: &FileTimeline, forks: &Forks, act: &NamedAct) -> Option<Self> {
        let is_of_act = |n: &usize| named_act(forks, &timeline.step(*n).info) == *act;
        let rows: Vec<usize> = (1..=timeline.n_steps()).filter(is_of_act).collect();
        let key = |n: usize| timeline.step(n).info.key.delta;
        let (first, last) = (key(*rows.first()?), key(*rows.last()?));
        Some(Self { rows, first, last })
    }

    /// The last of its steps.
    fn end(&self) -> usize {
        self.rows.last().copied().unwrap_or_default()
    }

    /// How much it changed.
    fn size(&self, timeline: &FileTimeline) -> u32 {
        self.rows.iter().map(|n| timeline.step(*n)).map(|step| step.deleted + utf16_len(step.inserted)).sum()
    }

    /// Moments before it that have all that its author had seen, and something else.
    fn moments(&self, timeline: &FileTimeline, is_seen: impl Fn(&DeltaKey) -> bool) -> Option<RangeInclusive<usize>> {
        let until = self.rows.first().map_or(0, |n| n - 1);
        let is_seen: Vec<bool> = rows_of(timeline, 0).take(until).map(|(_, key)| is_seen(&key)).collect();
        let first_new = is_seen.iter().position(|is_seen| !is_seen)? + 1;
        let last_seen = is_seen.iter().rposition(|is_seen| *is_seen).map_or(0, |idx| idx + 1);
        Some(last_seen.max(first_new)..=until)
    }
}

/// The steps after one, with the deltas that they are of.
fn rows_of(timeline: &FileTimeline, after: usize) -> impl Iterator<Item = (usize, DeltaKey)> {
    (after + 1..=timeline.n_steps()).map(|n| (n, timeline.step(n).info.key.delta))
}

/// The newest of some moments that has this text.
fn moment_with(timeline: &FileTimeline, text: &str, moments: &RangeInclusive<usize>) -> Option<usize> {
    let wanted = utf16_len(text);
    let mut length = timeline.base_length();
    let mut fitting: Vec<usize> = if moments.contains(&0) && length == wanted { vec![0] } else { Vec::new() };
    for n in 1..=*moments.end() {
        let step = timeline.step(n);
        length = length + utf16_len(step.inserted) - step.deleted;
        if length == wanted && moments.contains(&n) {
            fitting.push(n);
        }
    }
    fitting.into_iter().rev().take(MOMENTS_TRIED_MAX).find(|n| timeline.text_at(*n) == *text)
}

/// Of some moments one whose text is near to this one, and nearer than so many units.
fn nearest_moment(timeline: &FileTimeline, text: &str, moments: &RangeInclusive<usize>, size: u32) -> Option<usize> {
    let distance = |n: usize| {
        let edits = disk_edit(&timeline.text_at(n).to_string(), text);
        edits.iter().map(|splice| splice.deleted + utf16_len(&splice.inserted)).sum::<u32>()
    };
    let nearest = |from: usize, until: usize| {
        let step = (until - from).div_ceil(MOMENTS_TRIED_MAX).max(1);
        let tried = (from..=until).rev().step_by(step);
        tried.map(|n| (distance(n), n)).min_by_key(|(distance, n)| (*distance, Reverse(*n))).map(|found| (found, step))
    };
    let (from, until) = (*moments.start(), *moments.end());
    let ((_, about), step) = nearest(from, until)?;
    let ((distance, n), _) = nearest(about.saturating_sub(step).max(from), (about + step).min(until))?;
    (distance < size).then_some(n)
}
