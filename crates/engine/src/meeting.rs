//! When a link leads to somebody again after work was done on both sides: what each had before is marked, and once all
//! is merged it is told once, with the places that both changed (UX §3.8). Merges nothing itself.

mod reviews;

use crate::activity::duration;
use crate::foreign::Apart;
use crate::{Engine, Now, Result, api_error};
use codesync_api::Event;
use codesync_base::{DeviceId, Head, LogId, SignedDelta, StepKey};
use codesync_sync::{LinkId, Moment};
use reviews::Reviewable;
use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;

/// Work done apart for less than this is no merge worth a mark: a connection that only stuttered.
const MARKED_MS: u64 = 15_000;
/// It is told above this, and with so many changes or a place that both changed.
const TOLD_MS: u64 = 60_000;
const TOLD_CHANGES: u64 = 20;
/// How long the other side's mark may take once all else is here.
const MARK_WAIT_MS: u64 = 2_000;
/// So many deltas are read and merged in one turn for what is told: a key that comes meanwhile waits for no more.
const TURN_DELTAS: usize = 6_000;
const TOGETHER_KEY: &str = "together";

/// What is known of being together and apart.
#[derive(Default)]
pub(crate) struct Meetings {
    links: BTreeMap<LinkId, Meeting>,
    /// Unix milliseconds until which a device had all that was here, and the other way round.
    together_ms: BTreeMap<DeviceId, u64>,
    /// Merges that a lost connection broke off.
    unfinished: BTreeMap<DeviceId, Merging>,
    /// What a device told last that it has, when the link to it ended.
    heads_told: BTreeMap<DeviceId, Vec<Head>>,
    /// Merges that are complete and being worked out.
    tellings: VecDeque<Telling>,
    /// Merges with places that both sides changed, the newest last.
    reviewable: Vec<Reviewable>,
    /// When links were tended last.
    now_ms: u64,
}

struct Meeting {
    device: DeviceId,
    /// All was at both ends at some time.
    is_level: bool,
    /// It was seen whether both have something to tell: later looks see what is on its way already.
    is_looked_at: bool,
    merging: Option<Merging>,
}

/// Work of both sides that is on its way.
struct Merging {
    /// What stands for all that was here.
    ours: StepKey,
    /// The newest that the other side wrote before it met us.
    theirs: Head,
    apart_ms: u64,
    /// Steady time from which the other side's mark is not waited for.
    due_ms: Option<u64>,
}

/// A merge on its way to be told.
struct Telling {
    apart: Apart,
    /// Without the number of places, which is not known yet.
    reviewable: Reviewable,
    /// When it was complete.
    now: Now,
}

impl Engine {
    /// Reads until when others were here last; that may be lost.
    pub(crate) fn load_meetings(&mut self) {
        let bytes = self.log.get_local(TOGETHER_KEY).unwrap_or_default();
        let known: Vec<(DeviceId, u64)> = serde_json::from_slice(&bytes).unwrap_or_default();
        self.meetings.together_ms = known.into_iter().collect();
        self.load_reviewable();
    }

    /// A link leads to a device.
    pub(crate) fn meet(&mut self, id: LinkId, device: DeviceId) {
        // What is due with its first news: see `note_progress`.
        let merging = self.meetings.unfinished.remove(&device);
        let is_looked_at = merging.is_some();
        self.meetings.links.entry(id).or_insert(Meeting { device, is_level: false, is_looked_at, merging });
    }

    /// The link is gone.
    pub(crate) fn end_meeting(&mut self, id: LinkId) {
        let Some(meeting) = self.meetings.links.remove(&id) else { return };
        if let Some(merging) = meeting.merging {
            self.meetings.unfinished.insert(meeting.device, Merging { due_ms: None, ..merging });
        }
        if meeting.is_level {
            self.meetings.together_ms.insert(meeting.device, self.meetings.now_ms);
            self.keep_meetings();
        }
    }

    /// A link ends whose other end had told that it has this.
    pub(crate) fn note_heads_told(&mut self, device: DeviceId, heads: Vec<Head>) {
        if !heads.is_empty() {
            self.meetings.heads_told.insert(device, heads);
        }
    }

    /// Whether it is known of anybody what they had when their link ended.
    pub fn knows_who_is_behind(&self) -> bool {
        !self.meetings.heads_told.is_empty()
    }

    /// Deltas that are here and that a device lacked when the link to it ended or that came later; 0 where nothing is
    /// known of it.
    pub fn n_behind(&self, device: &DeviceId) -> u64 {
        let Some(told) = self.meetings.heads_told.get(device) else { return 0 };
        let theirs: BTreeMap<LogId, u32> = told.iter().map(|head| (head.log, head.seq)).collect();
        let lead = |head: Head| head.seq.saturating_sub(theirs.get(&head.log).copied().unwrap_or_default());
        self.log.heads().into_iter().map(|head| u64::from(lead(head))).sum()
    }

    /// The work ends here, with whomever it was done.
    pub(crate) fn end_meetings(&mut self) {
        let links: Vec<LinkId> = self.meetings.links.keys().copied().collect();
        links.into_iter().for_each(|id| self.end_meeting(id));
        // What is worked out by now only could never be reviewed.
        while !self.meetings.tellings.is_empty() {
            self.go_on_telling(usize::MAX);
        }
    }

    fn keep_meetings(&mut self) {
        let known: Vec<(&DeviceId, &u64)> = self.meetings.together_ms.iter().collect();
        let bytes = serde_json::to_vec(&known).expect("invariant: plain data has a JSON form");
        self.log.put_local(TOGETHER_KEY, &bytes);
    }

    /// How much is still on its way over a link. The first of these comes before any delta does.
    pub(crate) fn note_progress(&mut self, id: LinkId, receive_left: u64, send_left: u64, moment: Moment) {
        let Some(meeting) = self.meetings.links.get_mut(&id) else { return };
        let is_over = receive_left == 0 && send_left == 0;
        let is_first = !std::mem::replace(&mut meeting.is_looked_at, true);
        meeting.is_level |= is_over;
        if let Some(merging) = &mut meeting.merging
            && receive_left == 0
        {
            merging.due_ms.get_or_insert(moment.steady_ms + MARK_WAIT_MS);
        }
        if is_first && receive_left > 0 && send_left > 0 {
            let (device, now) = (meeting.device, self.now_at(moment));
            match self.begin_merging(id, &device, now) {
                Ok(merging) => drop(self.meetings.links.get_mut(&id).map(|meeting| meeting.merging = merging)),
                Err(error) => tracing::warn!(%error, "what was here before a merge could not be marked"),
            }
        }
    }

    /// Marks what is here, if both sides did something for long enough.
    fn begin_merging(&mut self, id: LinkId, device: &DeviceId, now: Now) -> Result<Option<Merging>> {
        let theirs = self.heads_told(id);
        let newest = theirs.iter().filter(|head| head.log.device == *device).max_by_key(|head| head.log.incarnation);
        let Some(newest) = newest.copied().filter(|_| self.may(codesync_auth::Act::Edit).is_ok()) else {
            return Ok(None);
        };
        self.close()?;
        let Some(parted_ms) = self.newest_common_ms(&theirs)? else { return Ok(None) };
        let since_ms = self.meetings.together_ms.get(device).copied().unwrap_or_default().max(parted_ms);
        let apart_ms = now.ms.saturating_sub(since_ms);
        if apart_ms < MARKED_MS || !self.has_work_beyond(&theirs)? {
            return Ok(None);
        }
        let apart = format!("{} of work with {}", duration(apart_ms), self.authors.person(device));
        self.mark_before_merge(&apart, now)?;
        let ours = self.newest_mark_of(&self.own, self.head_seq - 1);
        Ok(ours.map(|ours| Merging { ours, theirs: newest, apart_ms, due_ms: None }))
    }

    /// When the newest change was made that both sides have; none when they have nothing in common.
    fn newest_common_ms(&self, theirs: &[Head]) -> Result<Option<u64>> {
        let ours: BTreeMap<LogId, Head> = self.log.heads().into_iter().map(|head| (head.log, head)).collect();
        let mut newest_ms = None;
        for head in theirs {
            let Some(own) = ours.get(&head.log) else { continue };
            let common = if head.seq < own.seq { head } else { own };
            let signed = self.log.delta(&common.hash).map_err(api_error)?;
            newest_ms = newest_ms.max(signed.map(|signed| signed.delta.hlc.wall_ms));
        }
        Ok(newest_ms)
    }

    fn has_work_beyond(&self, heads: &[Head]) -> Result<bool> {
        let mut has_work = false;
        let mut look = |signed: &SignedDelta| {
            has_work = signed.delta.steps.iter().any(|step| signed.delta.file_of(step).is_some());
            if has_work { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        self.log.for_each_newer(heads, &mut look).map_err(api_error)?;
        Ok(has_work)
    }

    /// Steady time at which somebody's mark is not waited for any more, or there is something to go on with.
    pub(crate) fn meetings_due_ms(&self) -> Option<u64> {
        if !self.meetings.tellings.is_empty() {
            return Some(0);
        }
        self.meetings.links.values().filter_map(|meeting| meeting.merging.as_ref()?.due_ms).min()
    }

    /// Tells of merges that are complete.
    pub(crate) fn tend_meetings(&mut self, moment: Moment) {
        self.meetings.now_ms = moment.wall_ms;
        let ids: Vec<LinkId> = self.meetings.links.keys().copied().collect();
        for id in ids {
            let Some(merging) = self.meetings.links.get(&id).and_then(|meeting| meeting.merging.as_ref()) else {
                continue;
            };
            let Some(due_ms) = merging.due_ms else { continue };
            let their_mark = self.newest_mark_of(&merging.theirs.log, merging.theirs.seq);
            if their_mark.is_none() && due_ms > moment.steady_ms {
                continue;
            }
            let meeting = self.meetings.links.get_mut(&id);
            let Some(merging) = meeting.and_then(|meeting| meeting.merging.take()) else { continue };
            let now = self.now_at(moment);
            if let Err(error) = self.tell_merge(&merging, their_mark, now) {
                tracing::warn!(%error, "a merge could not be told");
            }
        }
        self.go_on_telling(TURN_DELTAS);
    }

    fn tell_merge(&mut self, merging: &Merging, their_mark: Option<StepKey>, now: Now) -> Result<()> {
        if their_mark.is_none() && !self.log.contains(&merging.theirs.hash) {
            // It did not come after all: the link broke, or what was told was not so.
            return Ok(());
        }
        let mark = match their_mark {
            None if self.may(codesync_auth::Act::Edit).is_ok() => self.mark_for_them(&merging.theirs, now)?,
            // What came may have made a viewer of whoever began this as an editor: everybody would refuse their mark.
            mark => mark,
        };
        let theirs = their_mark.map_or(merging.theirs.hash, |mark| mark.delta.hash);
        let apart = self.begin_apart([merging.ours.delta.hash, theirs])?;
        let reviewable = Reviewable {
            ours: merging.ours.delta.hash,
            theirs,
            their_mark: mark.map(|mark| mark.delta.hash),
            apart_ms: merging.apart_ms,
            since_ms: now.ms.saturating_sub(merging.apart_ms),
            n_places: 0,
        };
        self.meetings.tellings.push_back(Telling { apart, reviewable, now });
        Ok(())
    }

    /// Works some more of the oldest merge out, and tells it when all is known.
    fn go_on_telling(&mut self, n_deltas: usize) {
        let Some(mut telling) = self.meetings.tellings.pop_front() else { return };
        match self.go_on_apart(&mut telling.apart, n_deltas) {
            Ok(true) => self.tell_worked_out(telling),
            Ok(false) => self.meetings.tellings.push_front(telling),
            Err(error) => tracing::warn!(%error, "a merge could not be told"),
        }
    }

    fn tell_worked_out(&mut self, Telling { apart, mut reviewable, now }: Telling) {
        let merged = self.merged_of(apart, now);
        reviewable.n_places = merged.places.len() as u64;
        let is_much = merged.n_ours + merged.n_theirs >= TOLD_CHANGES || !merged.places.is_empty();
        if reviewable.apart_ms >= TOLD_MS && is_much && merged.n_ours > 0 && merged.n_theirs > 0 {
            self.events.push(Event::Merged(reviewable.told(merged)));
        }
        self.keep_reviewable(reviewable);
    }

    /// A mark for what the other side had, which made none.
    fn mark_for_them(&mut self, head: &Head, now: Now) -> Result<Option<StepKey>> {
        let signed = self.log.delta(&head.hash).map_err(api_error)?;
        let Some(signed) = signed else { return Ok(None) };
        let step_idx = signed.delta.steps.len() as u32 - 1;
        let at = StepKey { delta: signed.delta.key(head.hash), step_idx };
        self.mark_before_merge_of(at, now)?;
        Ok(self.newest_mark_of(&self.own, self.head_seq - 1))
    }

    /// The newest mark “Before merge” that a log made after its delta `seq`.
    fn newest_mark_of(&self, log: &LogId, seq: u32) -> Option<StepKey> {
        let marks = self.marks_before_merge();
        marks.filter(|key| key.delta.log == *log && key.delta.seq > seq).max()
    }
}

#[cfg(test)]
mod tests;
