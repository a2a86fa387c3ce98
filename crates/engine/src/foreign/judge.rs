//! Whether a delta can be taken in. A refusal depends on the delta and its declared past alone, so that all replicas
//! refuse the same for ever; what depends on the time or on what is here already is only held.

use super::Fork;
use super::declared::Declared;
use crate::{Engine, Now, Result};
use codesync_auth::Verdict as Rights;
use codesync_base::{
    BlobHash, Change, Delta, DeltaHash, FileId, FileKind, FileMeta, Head, Hlc, SignedDelta, Step, TextSource, TextStep,
    limits, utf16_len,
};
use codesync_doc::IntegrateError;
use std::collections::BTreeSet;

/// A clock reading further ahead of ours than this is not believed yet.
pub(crate) const AHEAD_MS_MAX: u64 = 600_000;
/// Names of persons and devices.
const NAME_BYTES_MAX: usize = 1_024;
/// Labels of encodings are short.
const ENCODING_BYTES_MAX: usize = 64;

/// Why a delta is refused, by everybody and for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The bytes are no delta.
    Malformed(codesync_base::DecodeError),
    /// It belongs to another workspace.
    Project,
    /// `seq`, `prev` or a dependency do not say what is so.
    Chain,
    /// Its clock does not stand above what it depends on.
    Clock,
    /// It builds on a delta that was refused.
    Past(DeltaHash),
    /// A limit is broken.
    Limit(&'static str),
    /// It creates a file under an id that is not its own.
    FileId,
    /// A step names a file or units that are not in its declared past.
    Undeclared,
    /// A step creates a file with what cannot be its content.
    Content,
    /// Its author may not do this.
    Rights(codesync_auth::Why),
    /// A text step that means nothing.
    Text(IntegrateError),
}

impl Refusal {
    /// Whether a unit is not known or only not declared depends on who looks: to everybody it is not declared.
    pub(super) fn of_text(error: IntegrateError) -> Self {
        match error {
            IntegrateError::UnknownItem(_) => Refusal::Undeclared,
            error => Refusal::Text(error),
        }
    }
}

/// Why a delta cannot be taken in now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// Its signature is not its author's, and nothing in the batch vouches for it.
    Signature,
    /// It depends on this delta, which is not here.
    Missing(DeltaHash),
    /// These contents are not here.
    Blobs(Vec<BlobHash>),
    /// Its clock is further ahead than can be; Unix milliseconds from which it can be taken.
    Future { from_ms: u64 },
    /// It is of this very log, which does not have it: the store was put back or copied. It needs a new incarnation.
    OwnLog,
}

pub(super) enum Verdict {
    Good {
        /// It is the second of two.
        fork: Option<Fork>,
        /// It does not count, because of this access delta.
        aside: Option<DeltaHash>,
    },
    Known,
    Held(Held),
    Refused(Refusal),
}

impl Engine {
    /// Whether it is refused whatever its contents are: they are looked at last.
    pub(crate) fn refuses(&mut self, signed: &SignedDelta, now: Now) -> bool {
        matches!(self.judge(signed, now), Ok(Verdict::Refused(_)))
    }

    /// Judges all but what the names of text steps mean.
    pub(super) fn judge(&mut self, signed: &SignedDelta, now: Now) -> Result<Verdict> {
        let delta = &signed.delta;
        if let Some(checkpoint) = self.begins_with().filter(|_| self.waits_for_beginning()) {
            return Ok(Verdict::Held(Held::Blobs(vec![checkpoint])));
        }
        if delta.project != self.project {
            return Ok(Verdict::Refused(Refusal::Project));
        }
        let is_fork = match self.judge_chain(signed)? {
            Ok(is_fork) => is_fork,
            Err(verdict) => return Ok(verdict),
        };
        if let Err(verdict) = self.judge_dependencies(delta) {
            return Ok(verdict);
        }
        let aside = match self.judge_rights(signed) {
            Rights::Allowed => None,
            Rights::Refused(why) => return Ok(Verdict::Refused(Refusal::Rights(why))),
            Rights::Quarantined { by } => Some(by),
        };
        let from_ms = delta.hlc.wall_ms.saturating_sub(AHEAD_MS_MAX);
        if from_ms > now.ms {
            return Ok(Verdict::Held(Held::Future { from_ms }));
        }
        let needs = self.others.beginning.needs(delta, &self.log);
        let missing: Vec<BlobHash> = needs.into_iter().filter(|hash| !self.log.has_blob(hash)).collect();
        if !missing.is_empty() {
            return Ok(Verdict::Held(Held::Blobs(missing)));
        }
        self.open_gone(delta);
        if let Err(refusal) = check_steps(delta).and_then(|()| self.check_files(signed)) {
            return Ok(Verdict::Refused(refusal));
        }
        let missing: Vec<BlobHash> = delta.blobs().filter(|hash| !self.log.has_blob(hash)).collect();
        if !missing.is_empty() {
            return Ok(Verdict::Held(Held::Blobs(missing)));
        }
        if let Err(refusal) = self.check_contents(delta) {
            return Ok(Verdict::Refused(refusal));
        }
        let fork = Fork { log: delta.log, seq: delta.seq, other: signed.hash };
        Ok(Verdict::Good { fork: Some(fork).filter(|_| is_fork), aside })
    }

    /// Whether it goes on from a delta of its log. Gives whether another one does that already.
    fn judge_chain(&mut self, signed: &SignedDelta) -> Result<std::result::Result<bool, Verdict>> {
        let delta = &signed.delta;
        if (delta.seq == 1) != (delta.prev == DeltaHash::ZERO) {
            return Ok(Err(Verdict::Refused(Refusal::Chain)));
        }
        if delta.seq <= self.log.cut_seq(&delta.log) {
            // Before the cut everything counts as here.
            return Ok(Err(Verdict::Known));
        }
        let newest_seq = self.log.head(&delta.log).map_or(0, |head| head.seq);
        if delta.seq <= newest_seq && self.log.contains(&signed.hash) {
            return Ok(Err(Verdict::Known));
        }
        if delta.log == self.own {
            return Ok(Err(Verdict::Held(Held::OwnLog)));
        }
        let prev = Head { log: delta.log, seq: delta.seq - 1, hash: delta.prev };
        if delta.seq > 1 {
            match self.reading_of(&prev) {
                None if self.others.refused.contains(&delta.prev) => {
                    return Ok(Err(Verdict::Refused(Refusal::Past(delta.prev))));
                }
                None => return Ok(Err(Verdict::Held(Held::Missing(delta.prev)))),
                Some(None) => return Ok(Err(Verdict::Refused(Refusal::Chain))),
                Some(Some(hlc)) if hlc >= delta.hlc => return Ok(Err(Verdict::Refused(Refusal::Clock))),
                Some(Some(_)) => {}
            }
        }
        self.strand(&prev)?;
        let heads = self.others.forks.heads(&delta.log).or(self.log.head(&delta.log).map(|head| vec![head]));
        let goes_on = match heads {
            None => true,
            Some(heads) => delta.seq > 1 && heads.iter().any(|head| head.hash == delta.prev),
        };
        Ok(Ok(!goes_on))
    }

    fn judge_dependencies(&self, delta: &Delta) -> std::result::Result<(), Verdict> {
        let named: BTreeSet<_> = delta.deps.iter().map(|dep| dep.hash).collect();
        if named.len() < delta.deps.len() || delta.deps.iter().any(|dep| dep.log == delta.log) {
            return Err(Verdict::Refused(Refusal::Chain));
        }
        for dep in &delta.deps {
            match self.reading_of(dep) {
                None if self.others.refused.contains(&dep.hash) => {
                    return Err(Verdict::Refused(Refusal::Past(dep.hash)));
                }
                None => return Err(Verdict::Held(Held::Missing(dep.hash))),
                Some(None) => return Err(Verdict::Refused(Refusal::Chain)),
                Some(Some(hlc)) if hlc >= delta.hlc => return Err(Verdict::Refused(Refusal::Clock)),
                Some(Some(_)) => {}
            }
        }
        Ok(())
    }

    /// Clock reading of a delta that is here; some of none when it is not what it is said to be.
    fn reading_of(&self, head: &Head) -> Option<Option<Hlc>> {
        if let Some(hlc) = self.others.beginning.reading_of(head) {
            return Some(Some(hlc));
        }
        if let Some(strand) = self.others.strands.get(&(head.log, head.hash)) {
            let is_newest = self.log.head(&head.log) == Some(*head);
            if is_newest {
                return Some(Some(strand.hlc));
            }
        }
        let found = self.log.key_of(&head.hash);
        found.map(|key| ((key.log, key.seq) == (head.log, head.seq)).then_some(key.hlc))
    }

    /// Files that the steps name are of the declared past, or created before in the same delta.
    fn check_files(&self, signed: &SignedDelta) -> std::result::Result<(), Refusal> {
        let delta = &signed.delta;
        let declared = self.declared_by(signed);
        let mut created: BTreeSet<FileId> = BTreeSet::new();
        for (step_idx, step) in delta.steps.iter().enumerate() {
            let Some(file) = delta.file_of(step) else { continue };
            if matches!(step.change, Change::Create { .. }) {
                if file != FileId::derive(&delta.log, &delta.prev, &delta.hlc, step_idx as u32) {
                    return Err(Refusal::FileId);
                }
                created.insert(file);
            } else if !created.contains(&file) && !self.is_declared_file(&declared, &file) {
                return Err(Refusal::Undeclared);
            }
        }
        Ok(())
    }

    fn is_declared_file(&self, declared: &Declared, file: &FileId) -> bool {
        let created = self.tree().get(file).map(|node| node.created.delta);
        created.is_some_and(|created| {
            declared.covers(&self.others.forks.name_of(&created.log, &created.hash), created.seq)
        })
    }

    /// First texts are texts, as long as is said; and what text steps bring in is no longer.
    fn check_contents(&self, delta: &Delta) -> std::result::Result<(), Refusal> {
        use codesync_base::BlobSource;
        for step in &delta.steps {
            match &step.change {
                Change::Create { kind: FileKind::Text, content: Some(TextSource::Blob { hash, length }), .. } => {
                    let hash = Some(hash).filter(|hash| self.can_be_text(hash, *length));
                    let bytes = hash.and_then(|hash| self.log.blob(hash));
                    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
                    if text.is_none_or(|text| utf16_len(&text) != *length) {
                        return Err(Refusal::Content);
                    }
                }
                Change::Text(TextStep { insert: Some(insert), .. }) => {
                    if let TextSource::Blob { hash, length } = &insert.text
                        && !self.can_be_text(hash, *length)
                    {
                        return Err(Refusal::Content);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a content has so many bytes that it can be a text of this length: asked before it is read, for contents may
    /// be longer than the memory.
    fn can_be_text(&self, hash: &BlobHash, length: u32) -> bool {
        let reader = self.log.blob_reader(hash).ok().flatten();
        let lengths = u64::from(length)..=3 * u64::from(length);
        reader.is_some_and(|reader| lengths.contains(&reader.length_bytes()))
    }
}

/// What a delta alone can tell.
fn check_steps(delta: &Delta) -> std::result::Result<(), Refusal> {
    delta.steps.iter().try_for_each(check_step)
}

fn check_step(step: &Step) -> std::result::Result<(), Refusal> {
    match &step.change {
        Change::Text(text) => check_text(text),
        Change::Create { kind: FileKind::Text, content: Some(TextSource::Blob { length, .. }), .. }
            if u64::from(*length) > limits::TEXT_CREATED_MAX =>
        {
            Err(Refusal::Limit("length of a text"))
        }
        Change::Create { kind, meta, content, .. } => {
            let fits = match (kind, content) {
                (FileKind::Text, _) | (_, None) => true,
                (FileKind::Binary, Some(TextSource::Blob { .. })) => true,
                (FileKind::Binary | FileKind::Folder, Some(_)) => false,
            };
            if fits { check_meta(meta) } else { Err(Refusal::Content) }
        }
        Change::Meta { meta } => check_meta(meta),
        Change::Content { length_bytes, .. } if *length_bytes > limits::BLOB_BYTES_MAX => {
            Err(Refusal::Limit("bytes of a file"))
        }
        Change::Kind { kind: FileKind::Folder } => Err(Refusal::Content),
        Change::Moment { name, note, .. } => {
            let n_bytes = name.len().max(note.as_ref().map_or(0, String::len));
            if n_bytes > limits::MOMENT_NAME_BYTES_MAX { Err(Refusal::Limit("name of a moment")) } else { Ok(()) }
        }
        Change::Session { person, device_name } if person.len().max(device_name.len()) > NAME_BYTES_MAX => {
            Err(Refusal::Limit("name of a person"))
        }
        _ => Ok(()),
    }
}

/// Sums of lengths stay far below what a `u32` holds, whatever the ranges; what is brought in has to fit the memory.
fn check_text(text: &TextStep) -> std::result::Result<(), Refusal> {
    let deleted: u64 = text.delete.iter().map(|range| u64::from(range.length)).sum();
    let inserted = match text.insert.as_ref().map(|insert| &insert.text) {
        None => 0,
        Some(TextSource::Inline(text)) => text.len() as u64,
        Some(TextSource::Blob { length, .. }) => u64::from(*length),
    };
    if deleted > u64::from(u32::MAX / 4) || inserted > limits::TEXT_INSERTED_MAX {
        return Err(Refusal::Limit("length of a text"));
    }
    Ok(())
}

fn check_meta(meta: &FileMeta) -> std::result::Result<(), Refusal> {
    let is_known =
        meta.encoding.len() <= ENCODING_BYTES_MAX && codesync_fs::encoding::known_label(&meta.encoding).is_some();
    if !is_known {
        return Err(Refusal::Limit("encoding"));
    }
    if meta.mode > 0o7777 {
        return Err(Refusal::Limit("permissions"));
    }
    Ok(())
}
