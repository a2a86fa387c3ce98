//! Getting what the peer has: asking, checking, holding, delivering.

mod arriving;

use super::heads::by_log;
use super::{Context, Event, Fork, Link, Moment, Output};
use crate::frame::*;
use crate::held::{Held, Incoming, Way};
use crate::limits::*;
use crate::rate::Rate;
use arriving::Arriving;
use codesync_base::{DeltaHash, Head, LogId, SignedDelta};
use std::collections::{BTreeMap, BTreeSet};

/// News of a delta that others will bring soon: so long nobody asks for it.
const GRAFT_MS: u64 = 500;
/// A peer that answers nothing for so long is not waited for.
const SILENCE_MS: u64 = 10_000;
/// Nothing that is held can go, and there is no room for more: so long it may last.
const STUCK_MS: u64 = 3_000;
/// How much more has to come before a full hold is looked through again, as a part of what is held; and for how long less waits.
const FRESH_PART: usize = 64;
const FRESH_WAIT_MS: u64 = 100;
/// How often it is looked whether what everything begins with is here.
const FIRST_CHECK_MS: u64 = 1_000;
/// Logs that are looked at to find one whose place another can take.
const ROOM_SOUGHT_MAX: usize = 16;
/// Longest time between two tries to get a log.
const RETRY_MS_MAX: u64 = 60_000;

#[derive(Debug)]
pub(super) struct Receiving {
    asked: Option<Asked>,
    next_id: u32,
    retries: BTreeMap<LogId, Retry>,
    /// Logs that this peer cannot bring: of what it sent of them something was refused.
    dead: BTreeSet<LogId>,
    /// Logs that somebody else brings faster.
    declined: BTreeSet<LogId>,
    /// Deliveries that the host has not dealt with: until then it is not known what is here.
    n_delivering: usize,
    rate: Rate,
    is_flooded: bool,
    had_overflow: bool,
    /// After an overflow: one log at a time, this one last.
    narrow: Option<LogId>,
    told_future_ms: u64,
    /// When something that came from the future is looked at again.
    future_due_ms: Option<u64>,
    /// When it is looked whether what other links brought lets something go.
    release_due_ms: Option<u64>,
    /// Deltas that were held, and contents that came, since it was looked what can go; and how much news there was then
    /// ([`super::Shared::n_news`]).
    n_fresh: usize,
    n_news_seen: u64,
    /// The contents that everything begins with are not here yet, and when to look whether another link brought them.
    is_waiting_for_first: bool,
    first_check_ms: u64,
}

/// A Want under way.
#[derive(Debug)]
struct Asked {
    id: u32,
    logs: Vec<LogId>,
    /// When something of it came last.
    heard_ms: u64,
    /// When to see whether it goes on.
    check_ms: u64,
}

#[derive(Debug, Default)]
struct Retry {
    not_before_ms: u64,
    n_tries: u32,
    /// What was here when it was asked for.
    tip: Option<(u32, DeltaHash)>,
}

impl Receiving {
    pub fn new() -> Self {
        Self {
            asked: None,
            next_id: 1,
            retries: BTreeMap::new(),
            dead: BTreeSet::new(),
            declined: BTreeSet::new(),
            n_delivering: 0,
            rate: Rate::new(LIVE_PER_SECOND, LIVE_BURST_TAKEN),
            is_flooded: false,
            had_overflow: false,
            narrow: None,
            told_future_ms: 0,
            future_due_ms: None,
            release_due_ms: None,
            n_fresh: 0,
            n_news_seen: 0,
            is_waiting_for_first: false,
            first_check_ms: 0,
        }
    }
}

impl Link {
    pub(super) fn handle_heads(&mut self, heads: Vec<Head>, context: &mut Context) {
        self.has_heads = true;
        self.theirs.clear();
        let logs = self.note_told(heads);
        self.note_known(&logs, context);
        for log in logs {
            self.receiving.retries.insert(log, Retry::default());
        }
        self.ask_for_snapshot(context);
        self.consider_wants(context);
        self.note_progress(context);
    }

    pub(super) fn handle_stored(&mut self, heads: Vec<Head>, context: &mut Context) {
        let logs = self.note_told(heads);
        self.note_known(&logs, context);
        self.consider_wants(context);
        self.note_progress(context);
    }

    /// What the peer has and is here, too, need not be sent.
    fn note_known(&mut self, logs: &[LogId], context: &Context) {
        for log in logs {
            for head in self.theirs.get(log).into_iter().flatten() {
                let is_newer = self.sent.get(log).is_none_or(|sent| sent.seq < head.seq);
                let is_here = |key: codesync_base::DeltaKey| (key.log, key.seq) == (head.log, head.seq);
                if is_newer && context.replica.key(&head.hash).is_some_and(is_here) {
                    self.sent.insert(*log, *head);
                }
            }
        }
    }

    /// Asks for what the peer has and we lack, unless that is under way.
    pub(crate) fn consider_wants(&mut self, context: &mut Context) {
        if !self.is_open() || !self.has_heads || self.receiving.asked.is_some() || self.receiving.n_delivering > 0 {
            return;
        }
        if self.waits_for_first(context) {
            return;
        }
        let mut logs = self.logs_to_want(context);
        if let Some(last) = self.receiving.narrow {
            let next = logs.iter().find(|log| **log > last).or(logs.first()).copied();
            logs = next.into_iter().collect();
            self.receiving.narrow = next.or(Some(last));
        }
        logs.truncate(WANT_LOGS_MAX);
        if logs.is_empty() {
            return;
        }
        let now_ms = context.now.steady_ms;
        let id = self.receiving.next_id;
        self.receiving.next_id = id.saturating_add(1);
        let mut wanted = Vec::with_capacity(logs.len());
        for log in &logs {
            let mut known = context.replica.known(log);
            known.truncate(WANT_KNOWN_MAX);
            let retry = self.receiving.retries.entry(*log).or_default();
            let tip = known.first().copied();
            retry.n_tries = if retry.tip == tip { retry.n_tries.saturating_add(1) } else { 0 };
            retry.tip = tip;
            let pause_ms = (GRAFT_MS << retry.n_tries.min(10)).min(RETRY_MS_MAX);
            retry.not_before_ms = now_ms.saturating_add(pause_ms);
            context.shared.fetching.insert(*log, (self.id, now_ms));
            if self.receiving.declined.remove(log) {
                self.send(&Frame::Eager(Eager { log: *log, on: true }));
            }
            wanted.push(WantLog { log: *log, known });
        }
        self.receiving.asked = Some(Asked { id, logs, heard_ms: now_ms, check_ms: now_ms.saturating_add(STUCK_MS) });
        self.send(&Frame::Want(Want { id, logs: wanted }));
    }

    pub(super) fn is_waiting_for_first(&self) -> bool {
        self.receiving.is_waiting_for_first
    }

    /// Whether the contents that everything begins with are not here yet. They are asked for; when they are here, the
    /// peer is told from where on this replica has history.
    fn waits_for_first(&mut self, context: &mut Context) -> bool {
        let is_waiting = !context.replica.needed_first(1).is_empty();
        let was_waiting = std::mem::replace(&mut self.receiving.is_waiting_for_first, is_waiting);
        if is_waiting && (!was_waiting || self.receiving.first_check_ms <= context.now.steady_ms) {
            self.receiving.first_check_ms = context.now.steady_ms.saturating_add(FIRST_CHECK_MS);
            self.blobs.is_first_refused = false;
            self.fetch_blobs(context);
        }
        if was_waiting && !is_waiting {
            let logs: Vec<LogId> = self.theirs.keys().copied().collect();
            self.note_known(&logs, context);
            self.announce_all(context);
        }
        is_waiting
    }

    /// Logs of which the peer has something that is not here, and that may be asked for now.
    fn logs_to_want(&mut self, context: &Context) -> Vec<LogId> {
        let now_ms = context.now.steady_ms;
        let mut logs = Vec::new();
        for (log, heads) in &self.theirs {
            let is_past = |head: &Head| head.seq <= context.replica.cut_seq(log);
            let is_lacking = heads.iter().any(|head| !is_past(head) && context.replica.key(&head.hash).is_none());
            if !is_lacking || self.receiving.dead.contains(log) {
                self.receiving.retries.remove(log);
                continue;
            }
            let first = Retry { not_before_ms: now_ms.saturating_add(GRAFT_MS), ..Retry::default() };
            let retry = self.receiving.retries.entry(*log).or_insert(first);
            let has_grown = retry.n_tries > 0 && context.replica.known(log).first().copied() != retry.tip;
            let other = context.shared.fetching.get(log).filter(|(link, _)| *link != self.id);
            if other.is_some_and(|(_, heard_ms)| now_ms.saturating_sub(*heard_ms) < SILENCE_MS) {
                retry.not_before_ms = retry.not_before_ms.max(now_ms.saturating_add(GRAFT_MS));
            } else if retry.not_before_ms <= now_ms || has_grown {
                logs.push(*log);
            }
        }
        logs
    }

    pub(super) fn handle_deltas(&mut self, frame: Deltas, context: &mut Context) {
        let cost_bytes: u64 = frame.deltas.iter().map(|delta| (delta.bytes.0.len() + DELTA_COST_BYTES) as u64).sum();
        let Some(left) = self.window_bytes.checked_sub(cost_bytes) else {
            return self.end(Reason::Limit, "more than the credit");
        };
        self.window_bytes = left;
        let (way, is_last) = match frame.cause {
            Cause::Live => (Way::Live, false),
            Cause::Answer { id, is_last } => {
                let Some(is_current) = self.hear_answer(id, context) else {
                    return self.end(Reason::Malformed, "an answer to nothing");
                };
                (Way::Asked, is_last && is_current)
            }
        };
        for delta in arriving::read(frame.deltas, way == Way::Asked) {
            self.take_delta(delta, way, context);
            if self.is_ended() {
                return;
            }
        }
        self.release_some(is_last, context);
        if is_last {
            self.end_answer(context);
        }
        self.settle_credit();
        self.consider_wants(context);
        // That the peer has what is here already is news, too; of what is new it is told once it is dealt with.
        if self.receiving.n_delivering == 0 {
            self.note_progress(context);
        }
    }

    /// Whether an answer is to the question that is open; none when there was no such question.
    fn hear_answer(&mut self, id: u32, context: &mut Context) -> Option<bool> {
        if self.receiving.asked.as_ref().is_some_and(|asked| asked.id == id) {
            self.note_heard(context);
            return Some(true);
        }
        (1..self.receiving.next_id).contains(&id).then_some(false)
    }

    /// What was asked for is coming: other links need not ask for it.
    pub(super) fn note_heard(&mut self, context: &mut Context) {
        let Some(asked) = &mut self.receiving.asked else { return };
        asked.heard_ms = context.now.steady_ms;
        for log in &asked.logs {
            if let Some((_, heard_ms)) = context.shared.fetching.get_mut(log).filter(|(link, _)| *link == self.id) {
                *heard_ms = context.now.steady_ms;
            }
        }
    }

    fn end_answer(&mut self, context: &mut Context) {
        for log in self.receiving.asked.take().into_iter().flat_map(|asked| asked.logs) {
            if context.shared.fetching.get(&log).is_some_and(|(link, _)| *link == self.id) {
                context.shared.fetching.remove(&log);
            }
        }
        if std::mem::take(&mut self.receiving.had_overflow) {
            self.start_narrow();
        } else if self.hold.is_empty() {
            self.receiving.narrow = None;
        }
    }

    /// More came than there is room for, and none of it could go: what is asked for next is less.
    fn start_narrow(&mut self) {
        self.owed_bytes += self.hold.clear();
        self.receiving.narrow.get_or_insert_default();
    }

    fn take_delta(&mut self, arriving: Arriving, way: Way, context: &mut Context) {
        let cost_bytes = (arriving.bytes.len() + DELTA_COST_BYTES) as u64;
        let Some(signed) = &arriving.signed else {
            return self.end(Reason::Malformed, "no delta");
        };
        let (delta, hash) = (&signed.delta, signed.hash);
        if delta.project != self.config.project {
            return self.end(Reason::Malformed, "a delta of another project");
        }
        let log = delta.log;
        self.note_theirs(Head { log, seq: delta.seq, hash }, &delta.prev);
        if context.replica.key(&hash).is_some() || delta.seq <= context.replica.cut_seq(&log) {
            self.owed_bytes += cost_bytes;
            if way == Way::Live && self.peer() != Some(log.device) {
                self.decline(log);
            }
            return;
        }
        if self.receiving.dead.contains(&log) || !self.is_within_rate(way, context.now) {
            self.owed_bytes += cost_bytes;
            return;
        }
        if arriving.is_forged() {
            return self.end(Reason::Forged, "a signature that is not its author's");
        }
        self.note_past(&delta.deps, context);
        let signature = arriving.has_signature.then_some(signed.signature);
        let blobs = context.replica.needs(delta).into_iter().collect();
        let held = Held::new(delta, blobs, hash, arriving.bytes, signature, way);
        let is_fresh = !self.hold.has_as_good(&held);
        match self.hold.insert(held) {
            Ok(freed_bytes) => {
                self.owed_bytes += freed_bytes;
                self.receiving.n_fresh += usize::from(is_fresh);
            }
            Err(held) => {
                self.owed_bytes += held.cost_bytes();
                self.receiving.had_overflow |= way == Way::Asked;
            }
        }
    }

    fn is_within_rate(&mut self, way: Way, now: Moment) -> bool {
        if way == Way::Asked || self.receiving.rate.take(now.steady_ms) {
            self.receiving.is_flooded &= way == Way::Asked;
            return true;
        }
        if !std::mem::replace(&mut self.receiving.is_flooded, true) {
            self.tell(Event::Flooded);
        }
        false
    }

    /// A peer sends only what is durable there.
    fn note_theirs(&mut self, head: Head, prev: &DeltaHash) {
        if self.theirs.len() >= LOGS_MAX && !self.theirs.contains_key(&head.log) {
            return;
        }
        let heads = self.theirs.entry(head.log).or_default();
        if let Some(known) = heads.iter_mut().find(|known| known.hash == *prev) {
            *known = head;
        } else if heads.iter().all(|known| known.seq < head.seq) {
            *heads = vec![head];
        }
        if self.sent.get(&head.log).is_none_or(|sent| sent.seq < head.seq) {
            self.sent.insert(head.log, head);
        }
    }

    /// What a delta builds on is durable at the peer as well, though not all branches of a log are told.
    fn note_past(&mut self, deps: &[Head], context: &Context) {
        let is_here =
            |head: &Head| head.seq <= context.replica.cut_seq(&head.log) || context.replica.key(&head.hash).is_some();
        for dep in deps.iter().filter(|dep| !is_here(dep)) {
            let mut heads = self.theirs.get(&dep.log).cloned().unwrap_or_default();
            // Else the log is asked for anyway, and all branches of it come.
            if heads.iter().all(is_here) {
                heads.push(*dep);
                self.make_room_for(&dep.log, context);
                self.note_told(heads);
            }
        }
    }

    /// Among too many logs one that is needed goes before one of which all is here. Only a few are looked at: nearly all
    /// are of that kind.
    fn make_room_for(&mut self, log: &LogId, context: &Context) {
        if self.theirs.len() < LOGS_MAX || self.theirs.contains_key(log) {
            return;
        }
        let is_here =
            |(_, heads): &(&LogId, &Vec<Head>)| heads.iter().all(|head| context.replica.key(&head.hash).is_some());
        let near = self.theirs.range(log..).chain(self.theirs.range(..log));
        if let Some(log) = near.take(ROOM_SOUGHT_MAX).find(is_here).map(|(log, _)| *log) {
            self.theirs.remove(&log);
            self.receiving.retries.remove(&log);
        }
    }

    /// Somebody else was faster with this log.
    fn decline(&mut self, log: LogId) {
        if self.receiving.declined.insert(log) {
            self.send(&Frame::Eager(Eager { log, on: false }));
        }
    }

    /// Something came. What is held is looked through where that can be of use, and seldom where it is much: a peer can send
    /// many small frames. `is_last`: no more will come of what was asked for.
    fn release_some(&mut self, is_last: bool, context: &mut Context) {
        let (n_fresh, n_held) = (self.receiving.n_fresh, self.hold.n_held());
        if n_fresh == 0 && !self.has_news(context) {
            return;
        }
        if is_last || n_held <= HELD_LIVE_MAX || n_fresh * FRESH_PART >= n_held {
            return self.release(context);
        }
        let due_ms = context.now.steady_ms.saturating_add(FRESH_WAIT_MS);
        let release_due_ms = self.receiving.release_due_ms.get_or_insert(due_ms);
        *release_due_ms = due_ms.min(*release_due_ms);
    }

    /// Whether another link brought something since it was looked what can go.
    fn has_news(&self, context: &Context) -> bool {
        self.receiving.n_news_seen != context.shared.n_news
    }

    /// Delivers what can be, and asks for the contents that the rest needs.
    pub(super) fn release(&mut self, context: &mut Context) {
        (self.receiving.future_due_ms, self.receiving.release_due_ms) = (None, None);
        (self.receiving.n_fresh, self.receiving.n_news_seen) = (0, context.shared.n_news);
        if self.hold.is_empty() {
            return;
        }
        let released = self.hold.release(context.replica, context.now.wall_ms);
        self.owed_bytes += released.freed_bytes;
        for (key, why) in released.refused {
            self.note_dead(key.log);
            self.tell(Event::Refused { log: key.log, seq: key.seq, why });
        }
        if !released.ready.is_empty() {
            self.find_forks(&released.ready, context);
            self.receiving.n_delivering += 1;
            self.outputs.push(Output::Deliver { deltas: released.ready, cost_bytes: released.ready_cost_bytes });
        }
        self.owed_bytes += self.hold.pay();
        self.wait_for_the_future(context.now);
        self.fetch_blobs(context);
    }

    /// A content came over this link.
    pub(super) fn note_content(&mut self, context: &mut Context) {
        context.shared.n_news += 1;
        self.receiving.n_fresh += 1;
        self.release_some(false, context);
    }

    /// Something came over whichever link: what is held here may have waited for it.
    pub(super) fn release_soon(&mut self, now: Moment) {
        if !self.hold.is_empty() {
            self.receiving.release_due_ms.get_or_insert(now.steady_ms.saturating_add(GRAFT_MS));
        }
    }

    fn wait_for_the_future(&mut self, now: Moment) {
        let Some(until_wall_ms) = self.hold.due_ms(now.wall_ms) else { return };
        let wait_ms = until_wall_ms.saturating_sub(now.wall_ms).clamp(1_000, RETRY_MS_MAX);
        self.receiving.future_due_ms = Some(now.steady_ms.saturating_add(wait_ms));
        if self.receiving.told_future_ms != until_wall_ms {
            self.receiving.told_future_ms = until_wall_ms;
            self.tell(Event::FromTheFuture { until_wall_ms });
        }
    }

    /// Second deltas under a number that is taken: told to people and to all peers of this link's other end.
    fn find_forks(&mut self, ready: &[Incoming], context: &mut Context) {
        let peer = self.peer();
        let ours = by_log(context.replica.heads());
        let mut ends: BTreeSet<DeltaHash> = ours.values().flatten().map(|head| head.hash).collect();
        for Incoming { signed, .. } in ready {
            let is_known = |heads: &Vec<Head>| heads.iter().any(|head| head.seq >= signed.delta.seq);
            let goes_on = ends.remove(&signed.delta.prev);
            ends.insert(signed.hash);
            if goes_on || !ours.get(&signed.delta.log).is_some_and(is_known) {
                continue;
            }
            if let Some(first) = context.replica.sibling(signed) {
                let pair = [wire(&first), wire(signed)];
                let (log, seq) = (&signed.delta.log, signed.delta.seq);
                let is_kept = peer.is_some_and(|peer| context.replica.is_kept_from(&peer, log, seq));
                if !is_kept && pair.iter().all(|delta| delta.signature.is_some()) {
                    self.send(&Frame::Fork(Box::new(pair)));
                }
                self.tell(Event::Forked(Box::new(Fork { first, second: signed.clone() })));
            }
        }
    }

    /// The host has dealt with a delivery.
    pub fn handle_delivered(&mut self, cost_bytes: u64, context: &mut Context) {
        self.owed_bytes += cost_bytes;
        self.receiving.n_delivering = self.receiving.n_delivering.saturating_sub(1);
        context.shared.n_news += 1;
        self.release(context);
        self.settle_credit();
        self.consider_wants(context);
        self.note_progress(context);
    }

    /// This log is of no use any more: the engine refused a delta of it.
    pub fn refuse(&mut self, log: LogId) {
        self.note_dead(log);
    }

    fn note_dead(&mut self, log: LogId) {
        if self.receiving.dead.len() < LOGS_MAX {
            self.receiving.dead.insert(log);
        }
    }

    /// What was of no use may be of some.
    pub fn look_again(&mut self) {
        self.receiving.dead.clear();
    }

    pub(super) fn drop_waiting_for(&mut self, blob: &codesync_base::BlobHash) {
        let (logs, freed_bytes) = self.hold.drop_waiting_for(blob);
        self.owed_bytes += freed_bytes;
        logs.into_iter().for_each(|log| self.note_dead(log));
        self.settle_credit();
    }

    pub(super) fn settle_credit(&mut self) {
        if self.owed_bytes >= CREDIT_BYTES / 8 && self.is_open() {
            let n_bytes = std::mem::take(&mut self.owed_bytes);
            self.window_bytes = (self.window_bytes + n_bytes).min(CREDIT_BYTES);
            self.send(&Frame::Credit(n_bytes));
        }
    }

    /// What to do about time that went by without anything coming.
    pub(super) fn receive_due(&mut self, context: &mut Context) {
        let now_ms = context.now.steady_ms;
        let Receiving { future_due_ms, release_due_ms, .. } = self.receiving;
        let is_due = [future_due_ms, release_due_ms].into_iter().flatten().any(|due_ms| due_ms <= now_ms);
        if is_due || self.has_news(context) {
            self.release(context);
        }
        self.owed_bytes += self.hold.pay();
        if self.blobs.due_ms().is_some_and(|due_ms| due_ms <= now_ms) {
            self.fetch_blobs(context);
        }
        if self.receiving.n_delivering == 0
            && let Some(asked) = self.receiving.asked.as_mut().filter(|asked| asked.check_ms <= now_ms)
        {
            asked.check_ms = now_ms.saturating_add(STUCK_MS);
            let silent_ms = now_ms.saturating_sub(asked.heard_ms);
            let is_full = self.hold.held_bytes() > HELD_BYTES_PAID && self.blobs.is_idle();
            if is_full && silent_ms >= STUCK_MS {
                self.end_answer(context);
                self.start_narrow();
            } else if silent_ms >= SILENCE_MS && self.blobs.is_idle() {
                self.end_answer(context);
            }
        }
        self.settle_credit();
        self.consider_wants(context);
    }

    pub(super) fn receive_due_ms(&self) -> Option<u64> {
        let silence = self.receiving.asked.as_ref().map(|asked| asked.check_ms);
        let is_free = self.receiving.asked.is_none() && self.receiving.n_delivering == 0;
        let retry = self.receiving.retries.values().map(|retry| retry.not_before_ms).min();
        let retry = if self.receiving.is_waiting_for_first { Some(self.receiving.first_check_ms) } else { retry };
        let retry = retry.filter(|_| is_free);
        let Receiving { future_due_ms, release_due_ms, .. } = self.receiving;
        [future_due_ms, release_due_ms, self.blobs.due_ms(), silence, retry].into_iter().flatten().min()
    }
}

pub(super) fn wire(signed: &SignedDelta) -> WireDelta {
    wire_of(signed, codesync_base::encode_delta(&signed.delta).0)
}

pub(super) fn wire_of(signed: &SignedDelta, bytes: Vec<u8>) -> WireDelta {
    let signature = Some(signed.signature).filter(|signature| *signature != [0; 64]).map(Signature);
    WireDelta { bytes: Bytes(bytes), signature }
}
