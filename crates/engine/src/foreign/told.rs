//! What people are told of others' work: acts in words, files that stay though somebody deleted them, and which work
//! arrived later than it was done.

use super::{Batch, Fork};
use crate::activity::moved_folder;
use crate::acts::group_text;
use crate::{Engine, Now};
use codesync_api::{Act as ActEvent, Event, Notice};
use codesync_auth::Act as Right;
use codesync_base::{Change, Delta, DeltaKey, FileId, FileKind, LogId, Origin, RelPath, SignedDelta};
use codesync_sync::Moment;
use codesync_timeline::GroupKey;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// Work that took longer than this to arrive is marked.
const LATE_MS: u64 = 60_000;
/// Deltas that arrived within this time arrived together.
const TOGETHER_MS: u64 = 10_000;
/// More acts of one person at once are told as one.
const ACTS_TOLD_MAX: usize = 3;
/// Fewer files changed by other programs at once are no news.
const DISK_FILES_MIN: usize = 20;
/// How long nothing more of such a change came when it is told: what is one act there comes in parts.
const DISK_QUIET_MS: u64 = 1_000;
const ARRIVALS_KEY: &str = "arrivals";

/// Sequence numbers from, to, and when they arrived, Unix milliseconds.
type Span = (u32, u32, u64);

/// When work arrived that was done long before. Of this device only: history is the same for all.
#[derive(Default)]
pub(super) struct Arrivals {
    by_log: BTreeMap<LogId, Vec<Span>>,
    is_changed: bool,
}

impl Arrivals {
    pub fn note(&mut self, delta: &Delta, now: Now) {
        if now.ms.saturating_sub(delta.hlc.wall_ms) <= LATE_MS {
            return;
        }
        self.is_changed = true;
        let spans = self.by_log.entry(delta.log).or_default();
        match spans.last_mut() {
            Some((_, to, at_ms)) if *to + 1 == delta.seq && now.ms.saturating_sub(*at_ms) <= TOGETHER_MS => {
                *to = delta.seq;
            }
            _ => spans.push((delta.seq, delta.seq, now.ms)),
        }
    }

    fn of(&self, key: &DeltaKey) -> Option<u64> {
        let spans = self.by_log.get(&key.log)?;
        let idx = spans.partition_point(|(_, to, _)| *to < key.seq);
        spans.get(idx).filter(|(from, ..)| *from <= key.seq).map(|(.., at_ms)| *at_ms)
    }
}

/// Changes of others' folders, of which more may come.
#[derive(Default)]
pub(super) struct FolderActs(BTreeMap<GroupKey, Coming>);

struct Coming {
    act: ForeignAct,
    /// Steady time at which it is told, once it was looked at.
    due_ms: Option<u64>,
}

impl FolderActs {
    fn add(&mut self, act: ForeignAct) {
        match self.0.get_mut(&act.group) {
            Some(coming) => {
                coming.act.files.extend(act.files);
                coming.due_ms = None;
            }
            None => drop(self.0.insert(act.group, Coming { act, due_ms: None })),
        }
    }

    fn take_due(&mut self, steady_ms: u64) -> Vec<ForeignAct> {
        for coming in self.0.values_mut() {
            coming.due_ms.get_or_insert(steady_ms + DISK_QUIET_MS);
        }
        let is_due = |coming: &Coming| coming.due_ms.is_some_and(|due_ms| due_ms <= steady_ms);
        self.0.extract_if(.., |_, coming| is_due(coming)).map(|(_, coming)| coming.act).collect()
    }
}

/// An act of somebody else, as far as it is in a batch.
struct ForeignAct {
    group: GroupKey,
    origin: Origin,
    at_ms: u64,
    files: BTreeSet<FileId>,
    first: Option<(FileId, Change)>,
}

impl Engine {
    /// When a delta that was made long before arrived here, Unix milliseconds.
    pub(crate) fn arrived_ms(&self, key: &DeltaKey) -> Option<u64> {
        self.others.arrivals.of(key)
    }

    /// Reads when late work arrived; that may be lost, history does not depend on it.
    pub(crate) fn load_arrivals(&mut self) {
        let bytes = self.log.get_local(ARRIVALS_KEY).unwrap_or_default();
        let spans: Vec<(LogId, Vec<Span>)> = serde_json::from_slice(&bytes).unwrap_or_default();
        self.others.arrivals.by_log = spans.into_iter().collect();
    }

    pub(super) fn keep_arrivals(&mut self) {
        if std::mem::take(&mut self.others.arrivals.is_changed) {
            let spans: Vec<(&LogId, &Vec<Span>)> = self.others.arrivals.by_log.iter().collect();
            let bytes = serde_json::to_vec(&spans).expect("invariant: plain data has a JSON form");
            self.log.put_local(ARRIVALS_KEY, &bytes);
        }
    }

    /// Tells what others did beside typing.
    pub(super) fn tell_acts(&mut self, batch: &Batch, now: Now) {
        let mut by_person: BTreeMap<String, Vec<ForeignAct>> = BTreeMap::new();
        for act in acts_of(batch) {
            match act.origin {
                Origin::Disk => self.others.folder_acts.add(act),
                _ => by_person.entry(self.person_of(&act.group.log)).or_default().push(act),
            }
        }
        self.tell_by_person(by_person, now);
    }

    /// Steady time at which a change of somebody's folder may be told.
    pub(crate) fn folder_acts_due_ms(&self) -> Option<u64> {
        self.others.folder_acts.0.values().map(|coming| coming.due_ms.unwrap_or(0)).min()
    }

    /// Tells what others' folders changed, once all of it is here.
    pub(crate) fn tend_folder_acts(&mut self, moment: Moment) {
        let mut by_person: BTreeMap<String, Vec<ForeignAct>> = BTreeMap::new();
        for act in self.others.folder_acts.take_due(moment.steady_ms) {
            if act.files.len() > DISK_FILES_MIN {
                by_person.entry(self.person_of(&act.group.log)).or_default().push(act);
            }
        }
        self.tell_by_person(by_person, self.now_at(moment));
    }

    fn tell_by_person(&mut self, by_person: BTreeMap<String, Vec<ForeignAct>>, now: Now) {
        for (person, mut acts) in by_person {
            if acts.len() > ACTS_TOLD_MAX {
                let files: BTreeSet<FileId> = acts.iter().flat_map(|act| act.files.iter().copied()).collect();
                let sentence = format!("{person} changed {}.", self.counted(&files));
                acts.truncate(1);
                acts[0].files = files;
                self.tell_act(&acts[0], &person, sentence, false, now);
                continue;
            }
            for act in acts {
                if let Some(sentence) = self.words_for(&act, &person) {
                    self.tell_act(&act, &person, sentence, true, now);
                }
            }
        }
    }

    fn tell_act(&mut self, act: &ForeignAct, person: &str, sentence: String, can_undo: bool, now: Now) {
        self.events.push(Event::Act(ActEvent {
            group_id: group_text(&act.group),
            sentence,
            author: person.to_owned(),
            n_files: act.files.len() as u64,
            paths: act.files.iter().filter_map(|file| self.path_of(file)).take(200).collect(),
            at_ms: act.at_ms.min(now.ms),
            can_undo,
        }));
    }

    fn words_for(&self, act: &ForeignAct, person: &str) -> Option<String> {
        let counted = self.counted(&act.files);
        match act.origin {
            Origin::Restore => Some(self.restore_sentence(person, &act.group, &counted)),
            Origin::Disk => Some(format!("{person}’s folder changed {counted}.")),
            Origin::Import if !act.files.is_empty() => Some(format!("{person} added {counted}.")),
            Origin::FileAction => {
                let (file, change) = act.first.as_ref()?;
                Some(match change {
                    Change::Create { .. } => format!("{person} created {counted}."),
                    Change::Remove => format!("{person} deleted {counted}."),
                    Change::Revive { .. } => format!("{person} brought back {counted}."),
                    Change::Move { path } if act.files.len() == 1 => match self.old_path(file, path) {
                        Some(old) => format!("{person} renamed {old} to {path}."),
                        None => format!("{person} moved {counted}."),
                    },
                    Change::Move { path } => {
                        let old = self.old_path(file, path);
                        match old.and_then(|old| moved_folder(old.as_str(), path.as_str())) {
                            Some((old, new)) => format!("{person} renamed {old} to {new}."),
                            None => format!("{person} moved {counted}."),
                        }
                    }
                    Change::Text(_) => format!("{person} replaced text in {counted}."),
                    _ => return None,
                })
            }
            _ => None,
        }
    }

    /// "lexer.rs", or "3 files".
    fn counted(&self, files: &BTreeSet<FileId>) -> String {
        match files.first().filter(|_| files.len() == 1).and_then(|file| self.path_of(file)) {
            Some(path) => path,
            None => format!("{} files", files.len()),
        }
    }

    fn path_of(&self, file: &FileId) -> Option<String> {
        self.tree.get(file).map(|node| node.path.to_string())
    }

    fn old_path(&self, file: &FileId, path: &RelPath) -> Option<RelPath> {
        let moved = |event: &&std::sync::Arc<codesync_doc::TreeEvent>| {
            event.file == *file && crate::history::new_path(&event.change) == Some(path)
        };
        self.tree.events().iter().rev().find(moved)?.old_path.clone()
    }

    /// A file that somebody deleted while it was edited here stays: whoever edited it brings it back. Every replica gets
    /// that as a delta like any other, so all agree whatever came first.
    pub(super) fn keep_what_was_edited(&mut self, batch: &Batch, now: Now) {
        let is_gone = |file: &FileId| self.tree.get(file).is_some_and(|node| !node.alive);
        let mut gone: BTreeMap<FileId, (LogId, u32)> = BTreeMap::new();
        for (file, log, own_seen) in batch.removed.iter().filter(|(file, ..)| is_gone(file)) {
            gone.insert(*file, (*log, *own_seen));
        }
        if gone.is_empty() || self.may(Right::Edit).is_err() {
            return;
        }
        let Some(from) = gone.values().map(|(_, own_seen)| own_seen + 1).min().filter(|from| *from <= self.head_seq)
        else {
            return;
        };
        let mut edited: BTreeMap<FileId, LogId> = BTreeMap::new();
        let find = &mut |signed: &SignedDelta| {
            for step in &signed.delta.steps {
                let is_edit = matches!(step.change, Change::Text(_) | Change::Content { .. });
                let Some(file) = signed.delta.file_of(step).filter(|_| is_edit) else { continue };
                if let Some((log, _)) = gone.get(&file).filter(|(_, own_seen)| signed.delta.seq > *own_seen) {
                    edited.insert(file, *log);
                }
            }
            ControlFlow::Continue(())
        };
        if let Err(error) = self.log.for_each_from(&self.own, from, find) {
            tracing::warn!(%error, "whether a deleted file was edited here cannot be read");
        }
        if edited.is_empty() {
            return;
        }
        let act = self.begin_act(Origin::FileAction);
        for (file, log) in edited {
            let Some(path) = self.tree.get(&file).map(|node| node.wanted_path.clone()) else { continue };
            let path = self.path_beside(path);
            self.tree_step(act, file, Change::Revive { path: path.clone() }, now);
            // One after the other: each has to see the place that the one before took.
            self.settle();
            self.note_unwritten(file, now);
            let title = format!("{} deleted {path} while you were editing it, so it stays.", self.person_of(&log));
            let notice = Notice { id: "MSG-FILE-5".into(), title, path: Some(path.to_string()), ..Notice::default() };
            self.events.push(Event::Notice(notice));
        }
    }

    /// Nothing is lost by a fork, but whoever owns the device should know that its store is in use twice.
    pub(super) fn tell_fork(&mut self, fork: &Fork) {
        let person = self.person_of(&fork.log);
        let title = format!("{person}’s history goes on in two ways. Both are kept.");
        let body = "A copy of the workspace’s store is in use somewhere, or somebody tells different things to different people.";
        self.events.push(Event::Notice(Notice {
            id: "MSG-FORK-1".into(),
            title,
            body: body.into(),
            ..Notice::default()
        }));
    }

    /// A mark that only names what was seen.
    pub(crate) fn say_session(&mut self, now: Now) {
        let act = self.begin_act(Origin::Session);
        let change =
            Change::Session { person: self.profile.person.clone(), device_name: self.profile.device_name.clone() };
        self.mark_step(act, change, now);
        self.settle();
    }
}

/// The acts of a batch that are more than typing, oldest first.
fn acts_of(batch: &Batch) -> Vec<ForeignAct> {
    let mut acts: Vec<ForeignAct> = Vec::new();
    let mut known: BTreeMap<(LogId, u32), usize> = BTreeMap::new();
    for entered in batch.entered.iter().filter(|entered| !entered.is_aside) {
        let delta = &entered.signed.delta;
        if !matches!(delta.origin, Origin::Disk | Origin::Import | Origin::FileAction | Origin::Restore) {
            continue;
        }
        let idx = *known.entry((delta.log, delta.group)).or_insert_with(|| {
            let group = GroupKey { log: delta.log, seq: delta.group };
            let at_ms = delta.hlc.wall_ms;
            acts.push(ForeignAct { group, origin: delta.origin, at_ms, files: BTreeSet::new(), first: None });
            acts.len() - 1
        });
        for step in &delta.steps {
            let Some(file) = delta.file_of(step) else { continue };
            let is_folder = matches!(step.change, Change::Create { kind: FileKind::Folder, .. });
            if is_folder && !acts[idx].files.is_empty() {
                // It stays behind empty.
                continue;
            }
            acts[idx].files.insert(file);
            acts[idx].first.get_or_insert_with(|| (file, step.change.clone()));
        }
    }
    acts
}
