//! Makes what a member begins with who is told nothing of the past: the files as they stand now, in bytes that everybody
//! with the same deltas makes alike. Puts it and its parts into the log as contents, and decides who is told from where.

use super::{Beginning, Pasts, seen::Seen};
use crate::{Engine, Result, api_error, invalid};
use codesync_base::{
    AccessStep, BlobHash, BlobSource, Change, Checkpoint, CutChange, CutFile, CutLog, CutNode, CutRight, CutState,
    DeviceId, FileId, FileKind, Head, LogId, ShareFrom, SignedDelta, decode_delta, encode_delta,
};
use codesync_doc::{Node, TreeEvent};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Who is told from where, and what that means.
#[derive(Default)]
pub(crate) struct Told {
    /// Devices that were let in without the past.
    from: BTreeMap<DeviceId, BlobHash>,
    /// Checkpoints made here; whoever may come in with one may have all that it names.
    offered: BTreeSet<BlobHash>,
    known: RefCell<BTreeMap<BlobHash, Option<Arc<Checkpoint>>>>,
    allowed: RefCell<BTreeMap<BlobHash, Allowed>>,
}

/// Contents that devices with one beginning may have.
#[derive(Default)]
struct Allowed {
    blobs: BTreeSet<BlobHash>,
    /// Up to where the log was read for it.
    through: Vec<Head>,
    n_deltas: u64,
    n_offered: usize,
}

impl Engine {
    /// What somebody who is let in now, and told nothing of the past, begins with. It is in the log, and durable with the
    /// next [`Engine::sync`].
    pub fn checkpoint(&mut self) -> Result<ShareFrom> {
        self.close()?;
        if !self.others.forks.is_none() {
            let sentence =
                "Part of this workspace’s history goes on in two ways, so it can only be shared with the past.";
            return Err(invalid(sentence));
        }
        if self.waits_for_beginning() {
            return Err(invalid("Your copy of this workspace isn’t here yet."));
        }
        let (typed, rights) = self.typed_and_rights()?;
        let heads = self.log.heads();
        let seen = Seen::of(&heads);
        let mut logs = Vec::with_capacity(heads.len());
        for head in &heads {
            let (hlc, declared) = self.strand_at(head)?;
            let person = self.authors.sessions.get(&head.log).cloned();
            logs.push(CutLog { head: *head, hlc, declared, person });
        }
        let mut events: BTreeMap<FileId, Vec<Arc<TreeEvent>>> = BTreeMap::new();
        for event in self.tree.events() {
            events.entry(event.file).or_default().push(event.clone());
        }
        let nodes: Vec<Node> = self.tree.nodes().cloned().collect();
        let mut files = Vec::with_capacity(nodes.len());
        for node in &nodes {
            let units = match typed.contains(&node.file) {
                true => {
                    let units = self.document_of_seen(node.file, &seen)?.units().encode();
                    Some(self.log.put_blob(&units).map_err(api_error)?)
                }
                false => None,
            };
            let events = events.get(&node.file).map(Vec::as_slice).unwrap_or_default();
            let cut = CutNode { changes: changes_of(events, node, units.is_some()), units };
            let state = match node.alive {
                true => CutState::There(cut),
                false => CutState::Gone(self.log.put_blob(&cut.encode()).map_err(api_error)?),
            };
            files.push(CutFile { file: node.file, state });
        }
        files.extend(self.still_gone());
        files.sort_by_key(|file| file.file);
        let founder = self.rights.as_ref().map_or(self.own.device, codesync_auth::Access::founder);
        let checkpoint = Checkpoint { project: self.project, founder, logs, rights, files };
        let bytes = checkpoint.encode();
        if bytes.len() > codesync_base::limits::CHECKPOINT_BYTES_MAX {
            return Err(invalid("This workspace is too large to be shared without the past."));
        }
        let name = self.log.put_blob(&bytes).map_err(api_error)?;
        self.others.told.offered.insert(name);
        Ok(ShareFrom::Checkpoint(name))
    }

    /// Files that were gone when this copy began, and that nothing has named since: only their names are here.
    fn still_gone(&self) -> Vec<CutFile> {
        let Some(begun) = self.others.beginning.begun() else { return Vec::new() };
        let gone = begun.checkpoint.files.iter().filter(|file| matches!(file.state, CutState::Gone(_)));
        gone.filter(|file| self.tree.get(&file.file).is_none()).cloned().collect()
    }

    /// Files whose text was ever edited, for what they began with is past; and all access deltas with their declared
    /// pasts, in canonical order. Reads the history once.
    fn typed_and_rights(&self) -> Result<(BTreeSet<FileId>, Vec<CutRight>)> {
        let begun = self.others.beginning.begun();
        let mut typed: BTreeSet<FileId> = begun.iter().flat_map(|begun| begun.typed()).collect();
        let mut rights = begun.map(|begun| begun.checkpoint.rights.clone()).unwrap_or_default();
        let mut pasts = Pasts::beginning(&self.others.beginning);
        let mut take = |signed: &SignedDelta| {
            let delta = &signed.delta;
            let texts = delta.steps.iter().filter(|step| matches!(step.change, Change::Text(_)));
            typed.extend(texts.filter_map(|step| delta.file_of(step)));
            let past = pasts.of(signed, false);
            if crate::rights::changes_rights(delta) {
                let past = past.iter().map(|(log, seq)| (*log, *seq)).collect();
                rights.push(CutRight { delta: encode_delta(delta).0, past });
            }
        };
        self.log.for_each(&mut take).map_err(api_error)?;
        Ok((typed, rights))
    }

    /// Who is told from where follows the rights. Whoever had been let in when this copy began is told from before that:
    /// all that is here.
    pub(crate) fn note_told(&mut self) {
        let begun = self.others.beginning.begun();
        let before = begun.map(|begun| begun.checkpoint.rights.as_slice()).unwrap_or_default();
        let before = before.iter().filter_map(|right| decode_delta(&right.delta).ok());
        let before: BTreeSet<BlobHash> = before.flat_map(|(delta, _)| delta.blobs().collect::<Vec<_>>()).collect();
        let members = self.rights.as_ref().map(codesync_auth::Access::members).unwrap_or_default();
        let from = members.iter().filter_map(|member| match member.share_from {
            ShareFrom::Checkpoint(name) if !before.contains(&name) => Some((member.device, name)),
            _ => None,
        });
        self.others.told.from = from.collect();
    }

    /// From where a device is told that was let in without the past. Should what its checkpoint says not be readable, it
    /// is told nothing at all: the outer none is for those who have the past.
    fn told_from(&self, device: &DeviceId) -> Option<Option<Arc<Checkpoint>>> {
        let name = self.others.told.from.get(device)?;
        Some(self.checkpoint_of(name))
    }

    fn checkpoint_of(&self, name: &BlobHash) -> Option<Arc<Checkpoint>> {
        if let Some(Some(known)) = self.others.told.known.borrow().get(name) {
            return Some(known.clone());
        }
        let read = self.log.blob(name).and_then(|bytes| Checkpoint::decode(&bytes).ok()).map(Arc::new);
        self.others.told.known.borrow_mut().insert(*name, read.clone());
        read
    }

    /// Whether a device is not told of a delta.
    pub(crate) fn is_kept_from(&self, device: &DeviceId, log: &LogId, seq: u32) -> bool {
        self.told_from(device).is_some_and(|told| told.is_none_or(|checkpoint| seq <= checkpoint.seq_of(log)))
    }

    /// Whether a device is not given a content: neither what it begins with names it, nor anything after that.
    pub(crate) fn is_blob_kept_from(&self, device: &DeviceId, hash: &BlobHash) -> bool {
        let Some(told) = self.told_from(device) else { return false };
        let Some((checkpoint, name)) = told.zip(self.others.told.from.get(device)) else { return true };
        let mut allowed = self.others.told.allowed.borrow_mut();
        let allowed = allowed.entry(*name).or_default();
        if let Err(error) = self.bring_up(allowed, name, &checkpoint) {
            tracing::warn!(%error, "what a peer may have cannot be read");
            return true;
        }
        !allowed.blobs.contains(hash)
    }

    fn bring_up(&self, allowed: &mut Allowed, name: &BlobHash, checkpoint: &Checkpoint) -> Result<()> {
        let n_newer: u64 =
            self.log.heads().iter().map(|head| u64::from(head.seq - seq_in(&allowed.through, head))).sum();
        let is_whole = allowed.n_deltas + n_newer == self.log.n_deltas() && !allowed.through.is_empty();
        if !is_whole || allowed.n_offered != self.others.told.offered.len() {
            let through = checkpoint.logs.iter().map(|log| log.head).collect();
            *allowed = Allowed { through, n_offered: self.others.told.offered.len(), ..Allowed::default() };
            self.allow(&mut allowed.blobs, name);
            self.others.told.offered.iter().for_each(|name| self.allow(&mut allowed.blobs, name));
        } else if n_newer == 0 {
            return Ok(());
        }
        let blobs = &mut allowed.blobs;
        let mut take = |signed: &SignedDelta| {
            let delta = &signed.delta;
            blobs.extend(delta.blobs());
            if let Some(Change::Access(AccessStep::Grant { share_from: ShareFrom::Checkpoint(name), .. })) =
                delta.steps.first().map(|step| &step.change)
            {
                self.allow(blobs, name);
            }
            for file in &delta.files {
                if let Some(CutState::Gone(part)) = checkpoint.file(file) {
                    blobs.insert(*part);
                    let node = self.log.blob(part).and_then(|bytes| CutNode::decode(&bytes).ok());
                    blobs.extend(node.iter().flat_map(CutNode::blobs));
                }
            }
            ControlFlow::Continue(())
        };
        self.log.for_each_newer(&allowed.through, &mut take).map_err(api_error)?;
        (allowed.through, allowed.n_deltas) = (self.log.heads(), self.log.n_deltas());
        Ok(())
    }

    /// All that a checkpoint names as there.
    fn allow(&self, blobs: &mut BTreeSet<BlobHash>, name: &BlobHash) {
        let Some(checkpoint) = self.checkpoint_of(name) else { return };
        blobs.insert(*name);
        for file in &checkpoint.files {
            if let CutState::There(node) = &file.state {
                blobs.extend(node.blobs());
            }
        }
    }

    /// What is granted for what was asked: nobody shares a past that is not here, and nobody is told less than before.
    pub(crate) fn shareable(&self, device: &DeviceId, share_from: ShareFrom) -> ShareFrom {
        let known = self.rights.as_ref().and_then(|access| access.membership(device));
        let had_past = known.is_some_and(|member| member.share_from == ShareFrom::Past);
        match (share_from, &self.others.beginning) {
            (ShareFrom::Past, Beginning::Begun(begun)) => ShareFrom::Checkpoint(begun.name),
            (ShareFrom::Checkpoint(_), _) if had_past => ShareFrom::Past,
            _ => share_from,
        }
    }

    /// Where somebody begins who is let in without the past: whoever took part before, where they began then.
    pub fn share_from_now(&mut self, device: &DeviceId) -> Result<ShareFrom> {
        let before = self.rights.as_ref().and_then(|access| access.membership(device)).map(|member| member.share_from);
        match before {
            Some(ShareFrom::Checkpoint(name)) if self.checkpoint_of(&name).is_some() => Ok(ShareFrom::Checkpoint(name)),
            Some(ShareFrom::Past) => Ok(self.share_all()),
            _ => self.checkpoint(),
        }
    }

    /// Where somebody who is to have all that is here begins.
    pub fn share_all(&self) -> ShareFrom {
        self.others.beginning.begun().map_or(ShareFrom::Past, |begun| ShareFrom::Checkpoint(begun.name))
    }
}

fn seq_in(heads: &[Head], head: &Head) -> u32 {
    heads.iter().find(|known| known.log == head.log).map_or(0, |known| known.seq.min(head.seq))
}

/// What decided each property of a file last, under the names that it had; of names and contents only the present ones.
fn changes_of(events: &[Arc<TreeEvent>], node: &Node, is_typed: bool) -> Vec<CutChange> {
    let Some(created) = events.iter().position(|event| matches!(*event.change, Change::Create { .. })) else {
        return Vec::new();
    };
    let last = |is_it: &dyn Fn(&Change) -> bool| {
        let found = events.iter().rposition(|event| is_it(&event.change));
        found.filter(|at| *at > created)
    };
    let path = last(&|change| matches!(change, Change::Move { .. } | Change::Revive { .. }));
    let alive = last(&|change| matches!(change, Change::Remove | Change::Revive { .. }));
    let meta = last(&|change| matches!(change, Change::Meta { .. }));
    let content = last(&|change| matches!(change, Change::Content { .. }));
    let kind = last(&|change| matches!(change, Change::Kind { .. }));
    let kept: BTreeSet<usize> = [Some(created), path, alive, meta, content, kind].into_iter().flatten().collect();
    let change_of = |event: &TreeEvent| match &*event.change {
        Change::Create { kind, content: first, .. } => {
            let is_past = if *kind == FileKind::Text { is_typed } else { content.is_some() };
            let (path, meta) = (node.wanted_path.clone(), node.meta.clone());
            Change::Create { path, kind: *kind, meta, content: first.clone().filter(|_| !is_past) }
        }
        Change::Move { .. } => Change::Move { path: node.wanted_path.clone() },
        Change::Revive { .. } => Change::Revive { path: node.wanted_path.clone() },
        other => other.clone(),
    };
    let kept = kept.into_iter().map(|at| &events[at]);
    kept.map(|event| CutChange {
        key: event.key,
        is_disk: event.author.disk,
        is_void: event.is_void,
        change: change_of(event),
    })
    .collect()
}
