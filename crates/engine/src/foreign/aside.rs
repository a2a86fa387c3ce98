//! Deltas that are kept and do not count: the right to them was taken from their authors by an access delta that did
//! not accept them (`docs/decisions/0012`, rules 3 and 8). They are in every log and go on to everybody; texts keep the
//! units that they inserted as units that are gone, the tree knows the files that they created, all else of them is
//! passed over. Which they are depends on the access deltas that are here, not on the order in which anything came.

use super::{Batch, Seen, TextChange};
use crate::documents::Reading;
use crate::{Engine, Now, Result, api_error};
use codesync_api::{Event, Notice};
use codesync_auth::{Access, Verdict};
use codesync_base::{
    BlobHash, Change, DeltaHash, DeltaKey, DeviceId, FileId, FileKind, Hlc, LogId, Origin, RelPath, Role, SignedDelta,
    StepKey, TextSource,
};
use codesync_doc::{TextDocument, Tree, TreeAuthor};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Each by its place, with the access delta because of which it does not count.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Aside(BTreeMap<DeltaKey, DeltaHash>);

/// What does not count of the work of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    pub device: DeviceId,
    pub person: String,
    /// Whether it is this device.
    pub is_own: bool,
    /// The role that it was left with; none when it was removed.
    pub role: Option<Role>,
    /// When it got that role, Unix milliseconds.
    pub since_ms: u64,
    pub n_changes: u64,
    /// Files that they are about, where they are now or would be.
    pub files: Vec<(FileId, String)>,
    /// From the oldest to the newest, Unix milliseconds.
    pub from_ms: u64,
    pub to_ms: u64,
}

impl Aside {
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    pub fn has(&self, signed: &SignedDelta) -> bool {
        !self.0.is_empty() && self.0.contains_key(&signed.delta.key(signed.hash))
    }

    /// The same of a delta of which the hash is not known.
    pub fn has_brief(&self, hlc: Hlc, log: LogId, seq: u32) -> bool {
        let key = |hash| DeltaKey { hlc, log, seq, hash };
        let mut near = self.0.range(key(DeltaHash::ZERO)..=key(DeltaHash([0xff; 32])));
        near.next().is_some()
    }

    pub fn insert(&mut self, signed: &SignedDelta, by: DeltaHash) {
        self.0.insert(signed.delta.key(signed.hash), by);
    }

    pub fn remove(&mut self, key: &DeltaKey) {
        self.0.remove(key);
    }

    /// What is in one of them only.
    fn differing(&self, other: &Self) -> Vec<DeltaKey> {
        let only = |a: &Self, b: &Self| -> Vec<DeltaKey> {
            a.0.keys().filter(|key| !b.0.contains_key(*key)).copied().collect()
        };
        [only(self, other), only(other, self)].concat()
    }
}

/// Declared pasts of deltas, read in canonical order.
#[derive(Default)]
pub(crate) struct Pasts(BTreeMap<(LogId, DeltaHash), Arc<BTreeMap<LogId, u32>>>);

impl Pasts {
    /// Of a log that begins there.
    pub fn beginning(beginning: &super::Beginning) -> Self {
        let logs = beginning.begun().map(|begun| begun.checkpoint.logs.as_slice()).unwrap_or_default();
        let past = |cut: &codesync_base::CutLog| Arc::new(cut.declared.iter().copied().collect());
        Self(logs.iter().map(|cut| ((cut.head.log, cut.head.hash), past(cut))).collect())
    }

    /// The past of the next delta of a log: what it and those before it name.
    pub fn of(&mut self, signed: &SignedDelta, is_forked: bool) -> Arc<BTreeMap<LogId, u32>> {
        let delta = &signed.delta;
        let before = (delta.log, delta.prev);
        let known = if is_forked { self.0.get(&before).cloned() } else { self.0.remove(&before) };
        let mut past = known.unwrap_or_default();
        for dep in &delta.deps {
            if past.get(&dep.log).is_none_or(|seq| *seq < dep.seq) {
                Arc::make_mut(&mut past).insert(dep.log, dep.seq);
            }
        }
        self.0.insert((delta.log, signed.hash), past.clone());
        past
    }
}

impl Engine {
    /// Weighs anew what counts after rights changed, and tells what became of it.
    pub(super) fn weigh_anew(&mut self, batch: &mut Batch, now: Now) -> Result<()> {
        let aside = self.weighed()?;
        if aside == self.others.aside {
            return Ok(());
        }
        let changed = aside.differing(&self.others.aside);
        let mut touched: BTreeSet<FileId> = BTreeSet::new();
        for key in &changed {
            if let Some(signed) = self.log.delta(&key.hash).map_err(api_error)? {
                touched.extend(signed.delta.steps.iter().filter_map(|step| signed.delta.file_of(step)));
            }
        }
        self.note_texts_before(&touched, batch, now)?;
        self.read_all_anew(batch);
        self.others.aside = aside;
        self.workspace = None;
        let before = std::mem::take(&mut self.tree);
        self.read_tree_anew()?;
        self.tell_tree_anew(&before, now);
        self.tell_set_aside(&changed, now);
        Ok(())
    }

    /// The same for a change of rights that was made here.
    pub(crate) fn weigh_own(&mut self, now: Now) -> Result<()> {
        let mut batch = Batch::default();
        self.weigh_anew(&mut batch, now)?;
        self.finish_batch(batch, now)
    }

    /// Nothing of the workspace was read yet but its tree.
    pub(crate) fn set_aside_at_opening(&mut self) -> Result<()> {
        self.others.aside = self.weighed()?;
        if !self.others.aside.is_none() {
            self.documents = Default::default();
            self.workspace = None;
            self.read_tree_anew()?;
        }
        Ok(())
    }

    /// What the disk has of these files, and what views show, is known before it changes.
    fn note_texts_before(&mut self, files: &BTreeSet<FileId>, batch: &mut Batch, now: Now) -> Result<()> {
        for file in files {
            if self.tree.get(file).is_none_or(|node| node.kind != FileKind::Text) {
                continue;
            }
            self.load_document(*file)?;
            self.note_text(*file, Origin::CommandLine, now);
            if let Some(document) = self.documents.get_mut(file) {
                let before = document.text.text().clone();
                batch.texts.entry(*file).or_insert(TextChange { before, splices: Vec::new(), is_new: true });
            }
        }
        Ok(())
    }

    /// Which deltas do not count by the rights as they are. Whoever was removed keeps what they have: theirs is no
    /// copy that anybody compares any more.
    pub(crate) fn weighed(&mut self) -> Result<Aside> {
        let mut aside = Aside::default();
        let own = self.own.device;
        let Some(access) = &mut self.rights else { return Ok(aside) };
        let is_out = is_out(access, &own);
        let is_doubtful =
            |access: &Access, device: &DeviceId| access.may_quarantine(device) && !(is_out && *device == own);
        let doubtful: BTreeSet<DeviceId> = self
            .log
            .heads()
            .into_iter()
            .map(|head| head.log.device)
            .filter(|device| is_doubtful(access, device))
            .collect();
        if doubtful.is_empty() {
            return Ok(aside);
        }
        let (mut pasts, forks) = (Pasts::beginning(&self.others.beginning), &self.others.forks);
        let mut weigh = |signed: &SignedDelta| {
            let log = signed.delta.log;
            if doubtful.contains(&log.device) {
                let past = pasts.of(signed, forks.concern(&log));
                if let Verdict::Quarantined { by } = access.judge(signed, &Seen::new(signed, past, forks)) {
                    aside.insert(signed, by);
                }
            }
        };
        self.log.for_each(&mut weigh).map_err(api_error)?;
        self.waiting.iter().for_each(|(signed, _)| weigh(signed));
        Ok(aside)
    }

    /// Whether this device was removed. It keeps what it did, and has something else than the others from then on.
    pub fn is_removed(&self) -> bool {
        self.rights.as_ref().is_some_and(|access| is_out(access, &self.own.device))
    }

    pub(crate) fn read_tree_anew(&mut self) -> Result<()> {
        let (events, grown) = (std::mem::take(&mut self.events), std::mem::take(&mut self.grown));
        let talk = std::mem::take(&mut self.talk);
        self.rights_told.clear();
        self.marks.clear();
        self.n_sessions = 0;
        self.authors.forget_names();
        self.tree = Tree::new();
        self.enter_cut();
        let mut structural = Vec::new();
        self.log.for_each_structural(&mut |signed| structural.push(signed.clone())).map_err(api_error)?;
        structural.extend(self.waiting.iter().map(|(signed, _)| signed.clone()));
        self.tree.begin_reading();
        structural.iter().for_each(|signed| self.apply_tree(signed));
        self.tree.end_reading();
        drop(self.tree.take_moved());
        self.talk.follow(talk);
        (self.events, self.grown) = (events, grown);
        Ok(())
    }

    pub(crate) fn tell_tree_anew(&mut self, before: &Tree, now: Now) {
        let files: BTreeSet<FileId> = before.nodes().chain(self.tree.nodes()).map(|node| node.file).collect();
        for file in files {
            let is_same = match (before.get(&file), self.tree.get(&file)) {
                (Some(a), Some(b)) => {
                    (&a.path, a.alive, a.kind, &a.meta, a.content) == (&b.path, b.alive, b.kind, &b.meta, b.content)
                }
                (a, b) => a.is_none() && b.is_none(),
            };
            if !is_same {
                self.note_unwritten(file, now);
                self.tell_tree_change(file, before.get(&file).map(crate::views::shown));
            }
        }
    }

    /// What does not count, by device.
    pub fn set_aside(&self) -> Vec<SetAside> {
        let keys: Vec<DeltaKey> = self.others.aside.0.keys().copied().collect();
        self.described(&keys)
    }

    fn described(&self, keys: &[DeltaKey]) -> Vec<SetAside> {
        let mut by_device: BTreeMap<DeviceId, (SetAside, BTreeSet<FileId>)> = BTreeMap::new();
        for key in keys {
            let device = key.log.device;
            let Ok(Some(signed)) = self.log.delta(&key.hash) else { continue };
            let member = self.rights.as_ref().and_then(|access| access.membership(&device));
            let at_ms = key.hlc.wall_ms;
            let (entry, files) = by_device.entry(device).or_insert_with(|| {
                let entry = SetAside {
                    device,
                    person: self.person_of(&key.log),
                    is_own: device == self.own.device,
                    role: member.as_ref().and_then(|member| member.role),
                    since_ms: member.and_then(|member| member.since).map_or(at_ms, |since| since.hlc.wall_ms),
                    n_changes: 0,
                    files: Vec::new(),
                    from_ms: at_ms,
                    to_ms: at_ms,
                };
                (entry, BTreeSet::new())
            });
            let delta = &signed.delta;
            entry.n_changes += delta.steps.iter().filter(|step| delta.file_of(step).is_some()).count() as u64;
            entry.from_ms = at_ms.min(entry.from_ms);
            entry.to_ms = at_ms.max(entry.to_ms);
            files.extend(delta.steps.iter().filter_map(|step| delta.file_of(step)));
        }
        let path = |file: FileId| Some((file, self.tree.get(&file)?.path.to_string()));
        by_device
            .into_values()
            .map(|(entry, files)| SetAside { files: files.into_iter().filter_map(path).collect(), ..entry })
            .collect()
    }

    /// The text of a file as a device had it whose work does not count, with all that.
    pub fn text_set_aside(&mut self, file: FileId, device: &DeviceId) -> Result<Option<String>> {
        let of_device = |key: &&DeltaKey| key.log.device == *device;
        let mut newest = None;
        for key in self.others.aside.0.keys().filter(of_device) {
            let signed = self.log.delta(&key.hash).map_err(api_error)?;
            if signed.is_some_and(|signed| signed.delta.files.contains(&file)) {
                newest = Some(*key);
            }
        }
        let Some(newest) = newest else { return Ok(None) };
        let aside = std::mem::take(&mut self.others.aside);
        let text = self.text_seen(file, &StepKey { delta: newest, step_idx: u32::MAX });
        self.others.aside = aside;
        text.map(Some)
    }

    /// What this device did that does not count, as it was with all that: the files by their paths, and what stood in
    /// them.
    pub fn own_set_aside(&mut self) -> Result<Vec<(RelPath, Vec<u8>)>> {
        let own = self.own.device;
        let keys: Vec<DeltaKey> = self.others.aside.0.keys().filter(|key| key.log.device == own).copied().collect();
        let (mut contents, mut newest): (BTreeMap<FileId, Option<BlobHash>>, _) = (BTreeMap::new(), None);
        for key in &keys {
            let Some(signed) = self.log.delta(&key.hash).map_err(api_error)? else { continue };
            for step in &signed.delta.steps {
                let Some(file) = signed.delta.file_of(step) else { continue };
                newest = Some(*key);
                let content = contents.entry(file).or_default();
                match &step.change {
                    Change::Content { blob: hash, .. }
                    | Change::Create { kind: FileKind::Binary, content: Some(TextSource::Blob { hash, .. }), .. } => {
                        *content = Some(*hash);
                    }
                    _ => {}
                }
            }
        }
        let Some(newest) = newest else { return Ok(Vec::new()) };
        let aside = std::mem::take(&mut self.others.aside);
        let seen = self.seen_by(&newest);
        let files = seen.and_then(|seen| {
            let files = contents.into_iter().filter_map(|(file, content)| {
                let node = self.tree.get(&file).filter(|node| node.kind != FileKind::Folder)?;
                let bytes = match (node.kind, content) {
                    (_, Some(hash)) => self.blob(&hash),
                    (FileKind::Text, None) => {
                        self.text_of_seen(file, &seen).and_then(|text| self.text_on_disk(&text, &node.meta))
                    }
                    _ => return None,
                };
                Some(bytes.map(|bytes| (node.path.clone(), bytes)))
            });
            files.collect()
        });
        self.others.aside = aside;
        files
    }

    /// News of what does not count any more, or counts again.
    fn tell_set_aside(&mut self, changed: &[DeltaKey], now: Now) {
        let new: Vec<DeltaKey> = changed.iter().filter(|key| self.others.aside.0.contains_key(*key)).copied().collect();
        for entry in self.described(&new) {
            self.tell_one_set_aside(&entry, now);
        }
    }

    pub(super) fn tell_one_set_aside(&mut self, entry: &SetAside, now: Now) {
        if entry.n_changes == 0 {
            return;
        }
        let since = now.hour_minute_of(entry.since_ms);
        let notice = if entry.is_own {
            let was = if entry.n_changes == 1 { "wasn't" } else { "weren't" };
            let became_viewer = matches!(entry.role, None | Some(Role::Viewer));
            let cause = match became_viewer {
                true => format!("you became a viewer at {since}"),
                false => format!("you were let in again only at {since}"),
            };
            let title = format!("{} of your changes {was} accepted, because {cause}.", entry.n_changes);
            let body = format!("They are kept in your copy as “My changes {}”.", now.hour_minute_of(entry.to_ms));
            Notice { id: "MSG-ROLE-5".into(), title, body, became_viewer, ..Notice::default() }
        } else {
            let noun =
                if entry.n_changes == 1 { "1 change".to_owned() } else { format!("{} changes", entry.n_changes) };
            let came = match entry.role {
                None => format!("came too late: {} was removed", entry.person),
                Some(Role::Viewer) => format!("came too late: {} became a viewer", entry.person),
                Some(_) => format!("came too early: {} was let in again", entry.person),
            };
            let title = format!("{noun} by {} {came} at {since}.", entry.person);
            let body = "They are kept beside the history and change nothing.".to_owned();
            Notice { id: "MSG-ROLE-6".into(), title, body, ..Notice::default() }
        };
        self.events.push(Event::Notice(notice));
    }

    /// One of several that came set aside already.
    pub(super) fn tell_arrived_aside(&mut self, arrived: &[DeltaKey], now: Now) {
        for entry in self.described(arrived) {
            self.tell_one_set_aside(&entry, now);
        }
    }
}

fn is_out(access: &Access, device: &DeviceId) -> bool {
    access.membership(device).is_some_and(|member| member.role.is_none())
}

/// What a delta that does not count leaves in the tree.
pub(crate) fn apply_void(tree: &mut Tree, signed: &SignedDelta) {
    let delta = &signed.delta;
    let author = TreeAuthor { log: delta.log, disk: delta.origin.is_disk() };
    for (step_idx, step) in delta.steps.iter().enumerate() {
        let key = StepKey { delta: delta.key(signed.hash), step_idx: step_idx as u32 };
        if let Some(file) = delta.file_of(step) {
            tree.apply_void(key, step.at_ms, author, file, &step.change);
        }
    }
}

/// The first text of a file, as far as it counts; gives what is to be seen of it.
pub(crate) fn begin_text(text: &mut TextDocument, signed: &SignedDelta, base: &str, reading: &Reading<'_>) -> String {
    let name = reading.forks.name_of_delta(signed);
    if reading.aside.has(signed) {
        text.integrate_base_void(name, signed.delta.seq, base);
        return String::new();
    }
    text.integrate_base(name, signed.delta.seq, base);
    base.to_owned()
}
