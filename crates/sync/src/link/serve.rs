//! Giving what the peer lacks: answers to its Wants, new deltas as they become durable, and news of the rest.

use super::receive::{wire, wire_of};
use super::{Context, Link};
use crate::frame::*;
use crate::limits::*;
use crate::rate::Rate;
use codesync_base::{DeltaKey, Head, LogId, SignedDelta};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// News of what is durable are collected for so long.
const ANNOUNCE_MS: u64 = 100;

#[derive(Debug)]
pub(super) struct Serving {
    answer: Option<Answer>,
    /// Logs that the peer gets faster from somebody else.
    lazy: BTreeSet<LogId>,
    announce: BTreeSet<LogId>,
    announce_due_ms: Option<u64>,
    rate: Rate,
}

/// A Want of the peer, as far as it is answered.
#[derive(Debug)]
struct Answer {
    id: u32,
    first_seqs: BTreeMap<LogId, u32>,
    /// The last that was sent.
    through: DeltaKey,
}

/// A delta that just became durable, and its bytes.
pub(crate) type Fresh<'a> = (&'a SignedDelta, &'a [u8]);

impl Serving {
    pub fn new() -> Self {
        Self {
            answer: None,
            lazy: BTreeSet::new(),
            announce: BTreeSet::new(),
            announce_due_ms: None,
            rate: Rate::new(LIVE_PER_SECOND, LIVE_BURST),
        }
    }

    pub fn due_ms(&self) -> Option<u64> {
        self.announce_due_ms
    }
}

impl Link {
    pub(super) fn handle_want(&mut self, want: Want, context: &mut Context) {
        let mut first_seqs = BTreeMap::new();
        let mut from: Option<DeltaKey> = None;
        for WantLog { log, known } in want.logs {
            let keys = known
                .iter()
                .filter_map(|(seq, hash)| context.replica.key(hash).filter(|key| (key.log, key.seq) == (log, *seq)));
            let newest = keys.max_by_key(|key| key.seq);
            // Whoever lacks what is before the cut gets nothing here that it could use.
            if newest.as_ref().map_or(0, |key| key.seq) < context.replica.cut_seq(&log) {
                continue;
            }
            let fork = context.replica.forked_at(&log);
            // Of a log that forked the peer may have one branch: it gets all of both.
            let base = newest.filter(|key| fork.is_none_or(|fork| key.seq < fork));
            let known_seq = newest.map_or(0, |key| key.seq).min(fork.map_or(u32::MAX, |fork| fork - 1));
            first_seqs.insert(log, known_seq.saturating_add(1));
            let base = base.unwrap_or(DeltaKey::FIRST);
            from = Some(from.map_or(base, |from| from.min(base)));
            self.serving.lazy.remove(&log);
        }
        self.serving.answer = Some(Answer { id: want.id, first_seqs, through: from.unwrap_or(DeltaKey::FIRST) });
        self.answer(context);
    }

    pub(super) fn handle_credit(&mut self, n_bytes: u64, context: &mut Context) {
        self.credit_bytes = self.credit_bytes.saturating_add(n_bytes).min(CREDIT_BYTES);
        self.answer(context);
    }

    pub(super) fn handle_eager(&mut self, eager: Eager) {
        if eager.on {
            self.serving.lazy.remove(&eager.log);
        } else if self.serving.lazy.len() < LOGS_MAX {
            self.serving.lazy.insert(eager.log);
        }
    }

    /// Sends of what was asked for as much as the credit allows.
    fn answer(&mut self, context: &mut Context) {
        let Some(mut answer) = self.serving.answer.take() else { return };
        // Little by little would read the same block again and again.
        if self.credit_bytes < CREDIT_BYTES / 8 {
            self.serving.answer = Some(answer);
            return;
        }
        let mut frames = Frames::default();
        let mut is_last = true;
        let through = answer.through;
        let Some(peer) = self.peer() else { return };
        let replica = &*context.replica;
        replica.walk(&answer.first_seqs, &through, &mut |signed| {
            let key = signed.delta.key(signed.hash);
            if key <= through || replica.is_kept_from(&peer, &key.log, key.seq) {
                return ControlFlow::Continue(());
            }
            let delta = wire(signed);
            let cost_bytes = (delta.bytes.0.len() + DELTA_COST_BYTES) as u64;
            if cost_bytes > self.credit_bytes {
                is_last = false;
                return ControlFlow::Break(());
            }
            self.credit_bytes -= cost_bytes;
            self.note_sent(signed);
            answer.through = key;
            frames.push(delta);
            ControlFlow::Continue(())
        });
        let id = answer.id;
        let n_frames = frames.all.len();
        for (idx, deltas) in frames.all.into_iter().enumerate() {
            let is_last = is_last && idx + 1 == n_frames;
            self.send(&Frame::Deltas(Deltas { cause: Cause::Answer { id, is_last }, deltas }));
        }
        if !is_last {
            self.serving.answer = Some(answer);
        } else if n_frames == 0 {
            self.send(&Frame::Deltas(Deltas { cause: Cause::Answer { id, is_last }, deltas: Vec::new() }));
        }
    }

    fn note_sent(&mut self, signed: &SignedDelta) {
        let head = Head { log: signed.delta.log, seq: signed.delta.seq, hash: signed.hash };
        self.sent.insert(head.log, head);
    }

    /// Deltas became durable here: the peer gets them at once if it has all before them, and else the news.
    pub fn handle_durable(&mut self, fresh: &[Fresh], context: &mut Context) {
        if !self.is_open() {
            return;
        }
        let mut frames = Frames::default();
        for (signed, bytes) in fresh {
            if self.is_to_be_pushed(signed, bytes.len(), context) {
                self.credit_bytes -= (bytes.len() + DELTA_COST_BYTES) as u64;
                self.note_sent(signed);
                frames.push(wire_of(signed, bytes.to_vec()));
            } else {
                self.serving.announce.insert(signed.delta.log);
                self.serving.announce_due_ms.get_or_insert(context.now.steady_ms + ANNOUNCE_MS);
            }
        }
        for deltas in frames.all {
            self.send(&Frame::Deltas(Deltas { cause: Cause::Live, deltas }));
        }
        self.release_soon(context.now);
        self.consider_wants(context);
        self.note_progress(context);
    }

    fn is_to_be_pushed(&mut self, signed: &SignedDelta, n_bytes: usize, context: &Context) -> bool {
        let delta = &signed.delta;
        let is_next = match self.sent.get(&delta.log) {
            Some(sent) => sent.hash == delta.prev,
            None => delta.seq == 1,
        };
        let is_kept = self.peer().is_none_or(|peer| context.replica.is_kept_from(&peer, &delta.log, delta.seq));
        let is_answered = self.serving.answer.as_ref().is_some_and(|answer| answer.first_seqs.contains_key(&delta.log));
        self.has_heads
            && is_next
            && !is_kept
            && !is_answered
            && !self.serving.lazy.contains(&delta.log)
            && self.credit_bytes >= (n_bytes + DELTA_COST_BYTES) as u64
            && self.serving.rate.take(context.now.steady_ms)
    }

    /// All that is durable here is told anew.
    pub(super) fn announce_all(&mut self, context: &Context) {
        self.serving.announce.extend(context.replica.heads().into_iter().map(|head| head.log));
        self.serving.announce_due_ms = Some(context.now.steady_ms);
    }

    pub(super) fn announce_due(&mut self, context: &Context) {
        let is_due = self.serving.announce_due_ms.is_some_and(|due_ms| due_ms <= context.now.steady_ms);
        if !is_due || self.owes_heads {
            return;
        }
        self.serving.announce_due_ms = None;
        let logs = std::mem::take(&mut self.serving.announce);
        self.send_stored(context.replica.heads().into_iter().filter(|head| logs.contains(&head.log)).collect());
    }
}

/// Deltas, cut into frames.
#[derive(Default)]
struct Frames {
    all: Vec<Vec<WireDelta>>,
    last_bytes: usize,
}

impl Frames {
    fn push(&mut self, delta: WireDelta) {
        let is_full = self.all.last().is_none_or(|last| last.len() == FRAME_DELTAS_MAX);
        if is_full || self.last_bytes > FRAME_FILL_BYTES {
            self.all.push(Vec::new());
            self.last_bytes = 0;
        }
        self.last_bytes += delta.bytes.0.len() + DELTA_COST_BYTES;
        self.all.last_mut().expect("invariant: pushed above").push(delta);
    }
}
