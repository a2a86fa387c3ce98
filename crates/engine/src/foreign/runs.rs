//! Runs: deltas without signatures of their own, vouched for by a later one of their log. What vouches may be refused, and
//! then nobody could ever be shown that the others are genuine. So a run is weighed as a whole, on a trial: it is merged
//! and entered as anything else, but only staged in the log, and taken back where it does not hold.

use super::{Aside, Batch, Forks, Held, Received, Verdict};
use crate::{Engine, Now, Result, api_error, invalid};
use codesync_auth::Access;
use codesync_base::{Change, DeltaHash, Head, LogId, SignedDelta};
use std::collections::{BTreeMap, BTreeSet};

/// A delta whose signature is good, or that a later one vouches for, and its bytes.
pub(super) type Opened = (SignedDelta, Vec<u8>);

/// In place of a signature.
pub(super) const UNSIGNED: [u8; 64] = [0; 64];

/// Cuts a batch where no run is under way: each part can be taken in without the next.
pub(super) fn parts(opened: Vec<Opened>) -> Vec<Vec<Opened>> {
    let mut parts = vec![Vec::new()];
    let mut is_waiting: BTreeSet<(LogId, DeltaHash)> = BTreeSet::new();
    for (signed, bytes) in opened {
        is_waiting.remove(&(signed.delta.log, signed.delta.prev));
        if signed.signature == UNSIGNED {
            is_waiting.insert((signed.delta.log, signed.hash));
        }
        parts.last_mut().expect("invariant: begins with one").push((signed, bytes));
        if is_waiting.is_empty() {
            parts.push(Vec::new());
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// How it was before a trial.
struct Before {
    rights: Option<Access>,
    aside: Aside,
    forks: Forks,
    unnamed: BTreeMap<LogId, Head>,
    is_shared: bool,
    n_events: usize,
}

impl Engine {
    /// Takes in what stands for itself, or runs that are whole. On failure nothing of the part was taken.
    pub(super) fn take_in_part(
        &mut self,
        part: Vec<Opened>,
        batch: &mut Batch,
        received: &mut Received,
        now: Now,
    ) -> Result<()> {
        if let [(signed, bytes)] = part.as_slice() {
            let verdict = self.take_in_foreign(signed.clone(), bytes, batch, now)?;
            self.note_verdict(signed.hash, verdict, received);
            return Ok(());
        }
        let mut rest = part;
        while !rest.is_empty() {
            let before = self.before_trial();
            let mut trial = Batch { is_trial: true, ..Batch::default() };
            let mut verdicts = Vec::with_capacity(rest.len());
            for (signed, bytes) in &rest {
                match self.take_in_foreign(signed.clone(), bytes, &mut trial, now) {
                    Ok(verdict) => {
                        if matches!(verdict, Verdict::Refused(_)) {
                            self.remember_refused(signed.hash);
                        }
                        verdicts.push(verdict);
                    }
                    Err(error) => {
                        self.undo_trial(before, &rest);
                        return Err(error);
                    }
                }
            }
            let gone = without_voucher(&rest, &verdicts);
            if gone.is_empty() {
                self.keep_trial(before, &rest, trial, batch, now)?;
                let all = rest.iter().map(|(signed, _)| signed.hash).zip(verdicts);
                all.for_each(|(hash, verdict)| self.note_verdict(hash, verdict, received));
                return Ok(());
            }
            self.undo_trial(before, &rest);
            let all = rest.into_iter().zip(verdicts);
            rest = Vec::new();
            for ((signed, bytes), verdict) in all {
                match verdict {
                    _ if gone.contains(&signed.hash) => received.held.push((signed.hash, Held::Signature)),
                    Verdict::Good { .. } | Verdict::Known => rest.push((signed, bytes)),
                    refused_or_held => self.note_verdict(signed.hash, refused_or_held, received),
                }
            }
        }
        Ok(())
    }

    /// All of a bundle, or nothing: judged as what a peer sends, but for what is said to be of this very log. Only the log
    /// can be used afterwards.
    pub(crate) fn take_in_bundle(&mut self, deltas: &[Opened], now: Now) -> Result<()> {
        let before = self.before_trial();
        let mut trial = Batch { is_trial: true, ..Batch::default() };
        let mut each = deltas.iter();
        let taken = each.try_for_each(|(signed, bytes)| self.take_in_bundled(signed, bytes, &mut trial, now));
        let kept = taken.and_then(|()| self.log.keep_staged().map_err(api_error));
        if kept.is_err() {
            self.undo_trial(before, deltas);
        }
        kept
    }

    fn take_in_bundled(&mut self, signed: &SignedDelta, bytes: &[u8], trial: &mut Batch, now: Now) -> Result<()> {
        if signed.delta.log == self.own && !self.log.contains(&signed.hash) {
            signed.delta.files.iter().for_each(|file| self.documents.forget(file));
            self.log.stage(signed, bytes);
            return self.enter_foreign(signed.clone(), Vec::new(), trial, now);
        }
        let why = match self.take_in_foreign(signed.clone(), bytes, trial, now)? {
            Verdict::Good { .. } | Verdict::Known => return Ok(()),
            Verdict::Held(held) => format!("{held:?}"),
            Verdict::Refused(refusal) => format!("{refusal:?}"),
        };
        let sentence = "This file holds edits that nobody would take here, so nothing of it was taken.";
        Err(invalid(sentence).with_detail(format!("{}: {why}", signed.hash)))
    }

    fn note_verdict(&mut self, hash: DeltaHash, verdict: Verdict, received: &mut Received) {
        match verdict {
            Verdict::Good { fork, aside } => {
                received.n_new += 1;
                received.forks.extend(fork);
                received.set_aside.extend(aside.map(|_| hash));
            }
            Verdict::Known => received.n_known += 1,
            Verdict::Held(held) => received.held.push((hash, held)),
            Verdict::Refused(refusal) => {
                self.remember_refused(hash);
                received.refused.push((hash, refusal));
            }
        }
    }

    fn before_trial(&self) -> Before {
        Before {
            rights: self.rights.clone(),
            aside: self.others.aside.clone(),
            forks: self.others.forks.clone(),
            unnamed: self.others.unnamed.clone(),
            is_shared: self.is_shared,
            n_events: self.events.len(),
        }
    }

    fn keep_trial(&mut self, before: Before, part: &[Opened], trial: Batch, batch: &mut Batch, now: Now) -> Result<()> {
        if let Err(error) = self.log.keep_staged() {
            self.undo_trial(before, part);
            let error = api_error(error);
            self.note_store_failure(error.clone(), now);
            return Err(error);
        }
        trial.entered.iter().for_each(|entered| self.links.note(&entered.signed));
        batch.unite(trial);
        Ok(())
    }

    /// Nothing of a trial stays: what it changed is as it was, or is read anew from the log, which does not have it.
    fn undo_trial(&mut self, before: Before, part: &[Opened]) {
        self.log.drop_staged();
        self.others.strands.clear();
        self.rights = before.rights;
        self.others.aside = before.aside;
        self.others.forks = before.forks;
        self.others.unnamed = before.unnamed;
        self.is_shared = before.is_shared;
        self.documents = Default::default();
        self.workspace = None;
        let is_structural =
            |signed: &SignedDelta| signed.delta.steps.iter().any(|step| !matches!(step.change, Change::Text(_)));
        if part.iter().any(|(signed, _)| is_structural(signed))
            && let Err(error) = self.read_tree_anew()
        {
            tracing::warn!(%error, "the list of files cannot be read");
        }
        self.unwritten.retain(|file, _| self.tree.get(file).is_some());
        part.iter().flat_map(|(signed, _)| &signed.delta.files).for_each(|file| self.digests.forget(file));
        self.events.truncate(before.n_events);
    }
}

impl Batch {
    fn unite(&mut self, later: Batch) {
        for (file, change) in later.texts {
            match self.texts.get_mut(&file) {
                Some(known) => {
                    known.splices.extend(change.splices);
                    known.is_new |= change.is_new;
                }
                None => drop(self.texts.insert(file, change)),
            }
        }
        self.entered.extend(later.entered);
        self.removed.extend(later.removed);
        self.rivals.extend(later.rivals);
        self.copies.extend(later.copies);
        self.placed.extend(later.placed);
        self.moved.extend(later.moved);
    }
}

/// Those that would be taken though nothing that is taken vouches for them, and with them what builds on them. Each goes
/// once, however they are tangled.
fn without_voucher(part: &[Opened], verdicts: &[Verdict]) -> BTreeSet<DeltaHash> {
    let mut left: BTreeMap<DeltaHash, (&SignedDelta, bool)> = BTreeMap::new();
    for ((signed, _), verdict) in part.iter().zip(verdicts) {
        let is_new = matches!(verdict, Verdict::Good { .. });
        if is_new || matches!(verdict, Verdict::Known) {
            left.entry(signed.hash).or_insert((signed, is_new && signed.signature == UNSIGNED));
        }
    }
    let mut n_vouchers: BTreeMap<(LogId, DeltaHash), usize> = BTreeMap::new();
    let mut builds_on: BTreeMap<DeltaHash, Vec<DeltaHash>> = BTreeMap::new();
    for (signed, _) in left.values() {
        let delta = &signed.delta;
        *n_vouchers.entry((delta.log, delta.prev)).or_default() += 1;
        for past in delta.deps.iter().map(|dep| dep.hash).chain([delta.prev]) {
            builds_on.entry(past).or_default().push(signed.hash);
        }
    }
    let lacks_voucher = |n_vouchers: &BTreeMap<_, usize>, (signed, needs_one): &(&SignedDelta, bool)| {
        *needs_one && n_vouchers.get(&(signed.delta.log, signed.hash)).is_none_or(|n| *n == 0)
    };
    let mut falling: Vec<DeltaHash> =
        left.values().filter(|one| lacks_voucher(&n_vouchers, one)).map(|(signed, _)| signed.hash).collect();
    let mut gone = BTreeSet::new();
    while let Some(hash) = falling.pop() {
        let Some((signed, _)) = left.remove(&hash) else { continue };
        gone.insert(hash);
        falling.extend(builds_on.remove(&hash).unwrap_or_default());
        let prev = signed.delta.prev;
        if let Some(n) = n_vouchers.get_mut(&(signed.delta.log, prev)) {
            *n -= 1;
        }
        falling.extend(left.get(&prev).filter(|one| lacks_voucher(&n_vouchers, one)).map(|_| prev));
    }
    gone
}
