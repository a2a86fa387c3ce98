//! Others' deltas, taken in while people work: judged, kept in the log, merged into texts, tree and timeline, shown.
//! The one door for deltas that somebody else made: whatever comes in here, nothing panics, and what is refused
//! leaves no trace. Why so, and what the rules are: `docs/decisions/0014-others-deltas.md`.

mod aside;
mod beside;
mod checkpoint;
mod cut;
mod declared;
mod forks;
mod judge;
mod parted;
mod retell;
mod runs;
mod seen;
mod told;
mod twice;

pub use aside::SetAside;
pub(crate) use aside::{Aside, Pasts, apply_void, begin_text};
pub(crate) use cut::Beginning;
pub(crate) use declared::Seen;
pub(crate) use forks::{Forks, Translated};
pub use judge::{Held, Refusal};
pub(crate) use parted::Apart;
pub use parted::{Merged, Place};
pub(crate) use retell::Trail;
pub(crate) use seen::is_before_merge;

use crate::documents::{Document, replay};
use crate::{Engine, Now, Result, api_error};
use codesync_api::{ApiError, PatchSource};
use codesync_auth::{Act, verify_deltas};
use codesync_base::{
    Change, DeltaHash, DeltaKey, DeviceId, FileId, Head, LogId, Origin, SignedDelta, Splice, StepKey, decode_delta,
    limits,
};
use codesync_doc::Rope;
use codesync_fs::disk_edit;
use codesync_timeline::{AuthorIdx, GroupKey, StepInfo};
use declared::Strand;
use judge::Verdict;
use std::collections::{BTreeMap, BTreeSet};

/// More splices than this are told to the views as the difference between before and after.
const SPLICES_TOLD_MAX: usize = 256;
/// Names of refused deltas that are remembered, so that what builds on them is refused and not waited for.
const REFUSED_KEPT_MAX: usize = 65_536;

/// A delta as it came from another device: nothing about it is believed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    pub bytes: Vec<u8>,
    /// By the author device; zeros when a later delta of the same chain, in the same batch, vouches for it.
    pub signature: [u8; 64],
}

/// What became of a batch.
#[derive(Debug, Default)]
pub struct Received {
    /// Deltas that were new and are in the log now. They are durable after the next [`Engine::sync`], and must not be
    /// passed on before.
    pub n_new: u64,
    /// Deltas that were there already.
    pub n_known: u64,
    /// Refused for good, by every replica alike.
    pub refused: Vec<(DeltaHash, Refusal)>,
    /// Not taken now; may be offered again later.
    pub held: Vec<(DeltaHash, Held)>,
    /// Those among the new ones that are the second under their sequence number: their author, or a copy of its
    /// store, said two different things. Both are kept and merged.
    pub forks: Vec<Fork>,
    /// Those among the new ones that are kept and do not count: the right to them was taken from their author.
    pub set_aside: Vec<DeltaHash>,
    /// The store took no more. What stands above has been taken; the rest of the batch was not looked at.
    pub failure: Option<ApiError>,
}

/// Two deltas of one log with one sequence number: its author, or a copy of its store, said two different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fork {
    pub log: LogId,
    pub seq: u32,
    /// The one that came second.
    pub other: DeltaHash,
}

/// What the engine knows of others beside their deltas themselves.
#[derive(Default)]
pub(crate) struct Others {
    /// Each log, or branch of one, by its newest delta.
    strands: BTreeMap<(LogId, DeltaHash), Strand>,
    pub forks: Forks,
    pub aside: Aside,
    pub beginning: Beginning,
    pub told: checkpoint::Told,
    /// Heads of other logs, and of their branches, that no delta of ours names yet.
    unnamed: BTreeMap<LogId, Head>,
    refused: BTreeSet<DeltaHash>,
    arrivals: told::Arrivals,
    folder_acts: told::FolderActs,
    gave_way: beside::GaveWay,
    twice: twice::Twice,
}

/// One call of [`Engine::receive`] under way.
#[derive(Default)]
pub(crate) struct Batch {
    texts: BTreeMap<FileId, TextChange>,
    entered: Vec<Entered>,
    /// Files that others removed, each with the newest delta of ours that whoever did it had seen.
    removed: Vec<(FileId, LogId, u32)>,
    rivals: Vec<beside::Rival>,
    /// Files kept whole that were created: by whom, of what. One may be the copy of a content that gave way to ours.
    copies: Vec<(LogId, codesync_base::BlobHash, FileId)>,
    /// Files that got a name, and those that are shown under another by now.
    placed: BTreeSet<FileId>,
    moved: BTreeSet<FileId>,
    /// What the log is given is only staged there ([`runs`]).
    is_trial: bool,
}

/// A delta that the log has taken.
struct Entered {
    signed: SignedDelta,
    author: AuthorIdx,
    /// It did not count from the beginning.
    is_aside: bool,
}

/// What a batch did to an open text.
struct TextChange {
    before: Rope,
    splices: Vec<Splice>,
    /// The splices are not all that happened.
    is_new: bool,
}

/// What a delta did to the visible texts: file, step, splice.
type Done = Vec<(FileId, u32, Splice)>;

impl Arrived {
    pub fn of(signed: &SignedDelta) -> Self {
        Self { bytes: codesync_base::encode_delta(&signed.delta).0, signature: signed.signature }
    }
}

impl Others {
    /// Heads that a new log, or one just opened, names with its first delta.
    pub fn knowing(heads: impl Iterator<Item = Head>) -> Self {
        Self { unnamed: heads.map(|head| (head.log, head)).collect(), ..Self::default() }
    }

    /// Takes the heads that the next delta of ours has to name.
    pub fn take_unnamed(&mut self) -> Vec<Head> {
        let n_rest = self.unnamed.len().saturating_sub(limits::DELTA_DEPS_MAX);
        let rest = self.unnamed.keys().nth(self.unnamed.len() - n_rest).copied();
        let rest = rest.map_or_else(BTreeMap::new, |first| self.unnamed.split_off(&first));
        std::mem::replace(&mut self.unnamed, rest).into_values().collect()
    }
}

impl Engine {
    /// Takes in deltas of other devices, in an order in which each comes after all it depends on; those that do not
    /// are held. They are in the log afterwards, and durable after the next [`Self::sync`]. Own work that waits for
    /// the store goes first: while it cannot, this fails.
    pub fn receive(&mut self, arrived: Vec<Arrived>, now: Now) -> Result<Received> {
        let mut received = Received::default();
        let mut opened = opened(arrived, &mut received);
        drop_forged(&mut opened);
        let vouched = vouched(opened, &mut received);
        self.receive_vouched(vouched, received, now)
    }

    /// The same of deltas that a link has read: it lets none through whose own signature is not good.
    pub(crate) fn receive_read(&mut self, read: Vec<(SignedDelta, Vec<u8>)>, now: Now) -> Result<Received> {
        let mut received = Received::default();
        let vouched = vouched(read, &mut received);
        self.receive_vouched(vouched, received, now)
    }

    fn receive_vouched(
        &mut self,
        vouched: Vec<(SignedDelta, Vec<u8>)>,
        mut received: Received,
        now: Now,
    ) -> Result<Received> {
        self.close()?;
        let mut batch = Batch::default();
        for part in runs::parts(vouched) {
            if let Err(error) = self.take_in_part(part, &mut batch, &mut received, now) {
                received.failure = Some(error);
                break;
            }
        }
        if let Err(error) = self.finish_batch(batch, now) {
            received.failure.get_or_insert(error);
        }
        Ok(received)
    }

    /// The next delta of ours is the first that names anything.
    pub(crate) fn name_all_heads(&mut self) {
        let heads = self.log.heads().into_iter().filter(|head| head.log != self.own);
        self.others.unnamed = heads.map(|head| (head.log, head)).collect();
        self.name_branches();
    }

    /// Heads of other logs that no delta of ours names yet.
    pub(crate) fn new_dependencies(&mut self) -> Vec<Head> {
        self.others.take_unnamed()
    }

    fn remember_refused(&mut self, hash: DeltaHash) {
        if self.others.refused.len() == REFUSED_KEPT_MAX {
            self.others.refused.clear();
        }
        self.others.refused.insert(hash);
    }

    /// One delta: judged, merged into the texts, appended, entered everywhere else.
    fn take_in_foreign(&mut self, signed: SignedDelta, bytes: &[u8], batch: &mut Batch, now: Now) -> Result<Verdict> {
        let verdict = self.judge(&signed, now)?;
        let Verdict::Good { fork, aside } = verdict else { return Ok(verdict) };
        if let Some(by) = aside {
            self.others.aside.insert(&signed, by);
        }
        let (key, prev) = (signed.delta.key(signed.hash), (signed.delta.log, signed.delta.prev));
        let before = fork.map(|_| (self.others.forks.clone(), self.others.strands.get(&prev).cloned()));
        let is_renamed = fork.is_some() && self.note_fork(&signed)?;
        if is_renamed {
            self.read_all_anew(batch);
        }
        let taken = self.take_in_judged(signed, bytes, batch, now);
        match (fork.zip(before), &taken) {
            (Some((fork, (_, strand))), Ok(None)) => {
                // Where a log parted it may part again.
                self.others.strands.extend(strand.map(|strand| (prev, strand)));
                self.tell_fork(&fork);
            }
            (Some((fork, (forks, _))), _) => {
                self.forget_fork(&fork.log, forks);
                if is_renamed {
                    self.read_all_anew(batch);
                }
            }
            (None, _) => {}
        }
        if !matches!(taken, Ok(None)) {
            self.others.aside.remove(&key);
        }
        Ok(taken?.map_or(Verdict::Good { fork, aside }, Verdict::Refused))
    }

    /// Names mean something else from now on: every text that is open is made anew from the log, and told as such.
    pub(crate) fn read_all_anew(&mut self, batch: &mut Batch) {
        self.digests.clear();
        let shown: BTreeSet<FileId> = self.views.values().map(|view| view.file).collect();
        for file in shown {
            if let Some(document) = self.documents.take(&file) {
                let before = document.text.text().clone();
                let change =
                    batch.texts.entry(file).or_insert(TextChange { before, splices: Vec::new(), is_new: true });
                change.is_new = true;
            }
        }
        self.documents = Default::default();
    }

    /// Gives the reason if it has to be refused after all.
    fn take_in_judged(
        &mut self,
        signed: SignedDelta,
        bytes: &[u8],
        batch: &mut Batch,
        now: Now,
    ) -> Result<Option<Refusal>> {
        let files = signed.delta.files.clone();
        let done = match self.merge_texts(&signed, batch, now) {
            Ok(Ok(done)) => done,
            Ok(Err(refusal)) => {
                // What of it was merged is read anew from the log, which does not have it.
                files.iter().for_each(|file| self.documents.forget(file));
                return Ok(Some(refusal));
            }
            Err(error) => {
                files.iter().for_each(|file| self.documents.forget(file));
                return Err(error);
            }
        };
        if batch.is_trial {
            self.log.stage(&signed, bytes);
        } else if let Err(error) = self.log.append(&signed, bytes) {
            files.iter().for_each(|file| self.documents.forget(file));
            let error = api_error(error);
            self.note_store_failure(error.clone(), now);
            return Err(error);
        } else {
            self.links.note(&signed);
        }
        self.enter_foreign(signed, done, batch, now)?;
        Ok(None)
    }

    /// Merges the text steps of a judged delta into their documents. After a refusal the documents are of no use.
    fn merge_texts(
        &mut self,
        signed: &SignedDelta,
        batch: &mut Batch,
        now: Now,
    ) -> Result<std::result::Result<Done, Refusal>> {
        let delta = &signed.delta;
        let is_aside = self.others.aside.has(signed);
        let typed = |file: &FileId| {
            delta.steps.iter().any(|step| matches!(step.change, Change::Text(_)) && delta.file_of(step) == Some(*file))
        };
        for file in delta.files.iter().filter(|file| typed(file)) {
            // One that this very delta creates is not in the log yet.
            match self.document_created_by(signed, file) {
                Some(Ok(document)) => self.documents.insert(*file, document),
                Some(Err(refusal)) => return Ok(Err(refusal)),
                None => self.load_document(*file)?,
            }
            if is_aside {
                continue;
            }
            self.note_text(*file, Origin::CommandLine, now);
            let Some(document) = self.documents.get_mut(file) else { continue };
            let before = || TextChange { before: document.text.text().clone(), splices: Vec::new(), is_new: false };
            batch.texts.entry(*file).or_insert_with(before);
        }
        let declared = self.declared_by(signed);
        let mut done = Vec::new();
        for (step_idx, step) in delta.steps.iter().enumerate() {
            let (Change::Text(text), Some(file)) = (&step.change, delta.file_of(step)) else { continue };
            let Some(document) = self.documents.get_mut(&file) else { continue };
            if !declared.covers_items(&self.others.forks, signed, text) {
                return Ok(Err(Refusal::Undeclared));
            }
            let translated = self.others.forks.translated(signed, text, &document.text);
            let (delta, text) = match &translated {
                Translated::Same => (delta, text),
                Translated::Other(other) => (&other.0, &other.1),
                Translated::Nothing => {
                    document.has_lies = true;
                    continue;
                }
            };
            document.has_lies |= matches!(translated, Translated::Other(_));
            let merged = match document.text.newest_named(delta, text) {
                // Of forked logs a translated step names only what its author had seen.
                Ok(named) if !named.iter().all(|(log, seq)| declared.covers(log, *seq)) => {
                    return Ok(Err(Refusal::Undeclared));
                }
                Ok(_) if is_aside => {
                    // A text kept from before would lack the units.
                    document.trail = None;
                    document.text.integrate_void(delta, text, &self.log).map(|()| Vec::new()).map_err(Refusal::of_text)
                }
                Ok(_) => document.text.integrate(delta, text, &self.log).map_err(Refusal::of_text),
                Err(error) => Err(Refusal::of_text(error)),
            };
            match merged {
                Ok(splices) => done.extend(splices.into_iter().map(|splice| (file, step_idx as u32, splice))),
                // What a name of a forked log means may depend on how many branches are known, and what builds on that.
                Err(_) if document.has_lies => {}
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        Ok(Ok(done))
    }

    /// The beginning of a text file that this delta creates.
    fn document_created_by(
        &self,
        signed: &SignedDelta,
        file: &FileId,
    ) -> Option<std::result::Result<Document, Refusal>> {
        let delta = &signed.delta;
        let creates = |(_, step): &(usize, &codesync_base::Step)| {
            matches!(step.change, Change::Create { .. }) && delta.file_of(step) == Some(*file)
        };
        let (step_idx, step) = delta.steps.iter().enumerate().find(creates)?;
        let mut document = Document::new("");
        let info = StepInfo {
            key: StepKey { delta: delta.key(signed.hash), step_idx: step_idx as u32 },
            at_ms: step.at_ms,
            author: AuthorIdx(0),
            origin: delta.origin,
            group: GroupKey { log: delta.log, seq: delta.group },
        };
        let begun = replay(&mut document, signed, &step.change, &info, &self.reading(), false);
        Some(begun.map(|()| document).map_err(|_| Refusal::Content))
    }

    /// Brings all but the texts up to date with a delta that the log has taken.
    fn enter_foreign(&mut self, signed: SignedDelta, done: Done, batch: &mut Batch, now: Now) -> Result<()> {
        let delta = &signed.delta;
        let is_aside = self.others.aside.has(&signed);
        let declared = self.declared_by(&signed);
        let own_seen = declared.newest_of(&self.own);
        // By what its author had declared before it.
        let has_changed_rights = self.take_rights(&signed);
        self.tell_if_beginning_is_in_doubt(&signed);
        self.note_strand(&signed);
        self.follow_forks(&signed);
        self.clock.observe(delta.hlc);
        self.apply_tree(&signed);
        for step in delta.steps.iter().filter(|_| !is_aside) {
            let Some(file) = delta.file_of(step).filter(|_| !matches!(step.change, Change::Text(_))) else { continue };
            self.note_unwritten(file, now);
            if matches!(step.change, Change::Remove) {
                batch.removed.push((file, delta.log, own_seen));
            }
        }
        if !is_aside {
            self.note_rivals(&signed, own_seen, batch);
            self.note_older(&signed);
        }
        for file in self.tree.take_moved() {
            self.note_unwritten(file, now);
            batch.moved.insert(file);
        }
        delta.files.iter().for_each(|file| self.digests.forget(file));
        let author = self.authors.index(&delta.log, delta.origin);
        self.enter_splices(&signed, author, &done);
        for (file, _, splice) in done {
            if let Some(change) = batch.texts.get_mut(&file) {
                change.splices.push(splice);
            }
        }
        batch.entered.push(Entered { signed, author, is_aside });
        if has_changed_rights {
            self.weigh_anew(batch, now)?;
        }
        Ok(())
    }

    /// Timelines and undo of the open documents follow their texts. A delta that belongs before what is there lets
    /// the timeline be made again from its place on, when somebody asks for it.
    fn enter_splices(&mut self, signed: &SignedDelta, author: AuthorIdx, done: &Done) {
        let delta = &signed.delta;
        let group = GroupKey { log: delta.log, seq: delta.group };
        let key = |step_idx| StepKey { delta: delta.key(signed.hash), step_idx };
        for (step_idx, step) in delta.steps.iter().enumerate() {
            let Some(file) = delta.file_of(step).filter(|_| matches!(step.change, Change::Text(_))) else { continue };
            if let Some(document) = self.documents.get_mut(&file) {
                document.note_place(key(step_idx as u32));
            }
            if let Some(node) = self.tree.get(&file) {
                self.grown.insert(node.path.to_string());
            }
        }
        for (file, step_idx, splice) in done {
            let Some(document) = self.documents.get_mut(file) else { continue };
            let at_ms = delta.steps[*step_idx as usize].at_ms;
            let info = StepInfo { key: key(*step_idx), at_ms, author, origin: delta.origin, group };
            document.enter(&info, splice);
            document.undo.shift(splice);
        }
    }

    /// What can be done for all deltas of a batch at once.
    pub(crate) fn finish_batch(&mut self, batch: Batch, now: Now) -> Result<()> {
        if let Some(workspace) = &mut self.workspace {
            // One that counted when it came may not any more.
            let entered = batch.entered.iter().filter(|entered| !self.others.aside.has(&entered.signed));
            workspace.push_all(entered.map(|entered| (&entered.signed, entered.author)));
        }
        for (file, change) in &batch.texts {
            self.tell_merged(*file, change, &batch.entered)?;
        }
        for entered in &batch.entered {
            self.presence.note(&entered.signed, now);
            self.others.arrivals.note(&entered.signed.delta, now);
        }
        self.tell_messages();
        self.tell_acts(&batch, now);
        let aside = batch.entered.iter().filter(|entered| entered.is_aside);
        let aside: Vec<DeltaKey> = aside.map(|entered| entered.signed.delta.key(entered.signed.hash)).collect();
        self.tell_arrived_aside(&aside, now);
        self.keep_arrivals();
        self.keep_what_was_edited(&batch, now);
        self.note_second_files(&batch);
        self.settle_twice(now);
        self.settle_rivals(&batch, now);
        // A delta can name only so many logs: the rest is named by marks before anybody works on.
        while self.others.unnamed.len() > limits::DELTA_DEPS_MAX && self.may(Act::Speak).is_ok() {
            self.say_session(now);
        }
        self.evict_documents();
        Ok(())
    }

    fn tell_merged(&mut self, file: FileId, change: &TextChange, entered: &[Entered]) -> Result<()> {
        if (change.splices.is_empty() && !change.is_new) || !self.views.values().any(|view| view.file == file) {
            return Ok(());
        }
        let by = entered.iter().map(|entered| &entered.signed.delta).filter(|delta| delta.files.contains(&file));
        let by: BTreeSet<DeviceId> = by.map(|delta| delta.log.device).collect();
        let device = by.first().copied().filter(|_| by.len() == 1);
        if change.splices.len() <= SPLICES_TOLD_MAX && !change.is_new {
            return self.tell_views_of(file, &change.splices, PatchSource::Peer, device, None);
        }
        let after = self.live_document(file)?.text.to_string();
        let edits = disk_edit(&change.before.to_string(), &after);
        self.tell_views_of(file, &edits, PatchSource::Peer, device, None)
    }
}

/// Decodes a batch.
fn opened(arrived: Vec<Arrived>, received: &mut Received) -> Vec<(SignedDelta, Vec<u8>)> {
    let mut opened = Vec::with_capacity(arrived.len());
    for Arrived { bytes, signature } in arrived {
        match decode_delta(&bytes) {
            Ok((delta, hash)) => opened.push((SignedDelta { delta, hash, signature }, bytes)),
            Err(error) => {
                let name = DeltaHash(*blake3::hash(&bytes).as_bytes());
                received.refused.push((name, Refusal::Malformed(error)));
            }
        }
    }
    opened
}

/// Whether somebody signed it, be it the author or not.
pub(crate) fn is_signed(signed: &SignedDelta) -> bool {
    signed.signature != runs::UNSIGNED
}

/// Takes signatures away that are not their authors'.
pub(crate) fn drop_forged(opened: &mut [(SignedDelta, Vec<u8>)]) {
    let signed: Vec<&SignedDelta> = opened.iter().map(|(signed, _)| signed).filter(|one| is_signed(one)).collect();
    let are_good = verify_deltas(&signed);
    let signed = opened.iter_mut().map(|(signed, _)| signed).filter(|one| is_signed(one));
    signed.zip(are_good).filter(|(_, is_good)| !is_good).for_each(|(forged, _)| forged.signature = runs::UNSIGNED);
}

/// Leaves what is signed, each signature being its author's, and what a later one of the batch that is left names as `prev`.
fn vouched(opened: Vec<(SignedDelta, Vec<u8>)>, received: &mut Received) -> Vec<(SignedDelta, Vec<u8>)> {
    let mut vouched: BTreeSet<(LogId, DeltaHash)> = BTreeSet::new();
    let mut good = Vec::with_capacity(opened.len());
    for (signed, bytes) in opened.into_iter().rev() {
        if signed.signature == runs::UNSIGNED && !vouched.contains(&(signed.delta.log, signed.hash)) {
            received.held.push((signed.hash, Held::Signature));
            continue;
        }
        vouched.insert((signed.delta.log, signed.delta.prev));
        good.push((signed, bytes));
    }
    good.reverse();
    good
}
