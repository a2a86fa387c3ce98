//! What waits to be sent to the page. A channel into the web view never pushes back, so this queue
//! does: it sends batches, folds what repeats, and when a page does not keep up it drops what the
//! page can ask for again.

use codesync_api::{Event, Push};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Enough for a restore that touches every open file; far more than a page draws in a second.
const WAITING_MAX: usize = 4_096;
/// Together what comes at once; short, for somebody else's key waits here, too.
pub const BETWEEN_BATCHES: Duration = Duration::from_millis(4);

/// The queue between the peer's events and one page.
#[derive(Default)]
pub struct Outbox {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    queue: VecDeque<Push>,
    /// Views whose messages were dropped, to be given a snapshot.
    lost_views: BTreeSet<u32>,
    /// Counts the pages that have listened; only the newest gets anything.
    page: u64,
}

impl Outbox {
    /// Adds an event. Returns the views that have to be brought up to date by a snapshot, because
    /// what was queued for them had to go.
    pub fn push(&self, push: Push) -> BTreeSet<u32> {
        let mut waiting = self.lock();
        waiting.add(push);
        let lost = std::mem::take(&mut waiting.lost_views);
        drop(waiting);
        self.changed.notify_all();
        lost
    }

    /// A page begins to listen. What it gets back is its number for [`Outbox::take`].
    pub fn attach(&self) -> u64 {
        let mut waiting = self.lock();
        waiting.page += 1;
        self.changed.notify_all();
        waiting.page
    }

    /// Waits until there is something, and takes all of it. None when a newer page listens.
    pub fn take(&self, page: u64) -> Option<Vec<Push>> {
        let mut waiting = self.lock();
        while waiting.page == page && waiting.queue.is_empty() {
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        (waiting.page == page).then(|| waiting.queue.drain(..).collect())
    }

    /// Forgets what a workspace that is gone had to say.
    pub fn clear(&self) {
        let mut waiting = self.lock();
        waiting.queue.retain(|push| matches!(push, Push::App(_)));
        waiting.lost_views.clear();
    }

    // A panic elsewhere leaves the queue whole: every change to it is a single push or drain.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn add(&mut self, push: Push) {
        if let Some(last) = self.queue.iter_mut().rev().find(|queued| same_kind(queued, &push)) {
            fold(last, push);
            return;
        }
        self.queue.push_back(push);
        if self.queue.len() > WAITING_MAX {
            self.drop_views();
        }
        // Only with thousands of notices; the oldest of them matter least.
        while self.queue.len() > WAITING_MAX {
            self.queue.pop_front();
        }
    }

    fn drop_views(&mut self) {
        let lost = &mut self.lost_views;
        self.queue.retain(|queued| match view_of(queued) {
            Some(view_id) => {
                lost.insert(view_id);
                false
            }
            None => true,
        });
    }
}

/// The view whose text a message changes.
fn view_of(push: &Push) -> Option<u32> {
    match push {
        Push::Workspace(Event::ViewPatch(patch)) => Some(patch.view_id),
        Push::Workspace(Event::ViewAck { view_id, .. }) => Some(*view_id),
        Push::Workspace(Event::ViewSnapshot(snapshot)) => Some(snapshot.view_id),
        _ => None,
    }
}

fn same_kind(queued: &Push, new: &Push) -> bool {
    use Event::{HistoryGrew, SaveState, TreeChanged, WaitingForSave};
    matches!(
        (queued, new),
        (Push::Workspace(SaveState(_)), Push::Workspace(SaveState(_)))
            | (Push::Workspace(WaitingForSave { .. }), Push::Workspace(WaitingForSave { .. }))
            | (Push::Workspace(TreeChanged { .. }), Push::Workspace(TreeChanged { .. }))
            | (Push::Workspace(HistoryGrew { .. }), Push::Workspace(HistoryGrew { .. }))
    )
}

/// Makes one event say what two of the same kind said.
fn fold(queued: &mut Push, new: Push) {
    match (queued, new) {
        (Push::Workspace(Event::TreeChanged { folders }), Push::Workspace(Event::TreeChanged { folders: more })) => {
            add_missing(folders, more);
        }
        (
            Push::Workspace(Event::HistoryGrew { n_moments, paths }),
            Push::Workspace(Event::HistoryGrew { n_moments: newer, paths: more }),
        ) => {
            *n_moments = newer.max(*n_moments);
            add_missing(paths, more);
        }
        (queued, new) => *queued = new,
    }
}

fn add_missing(list: &mut Vec<String>, more: Vec<String>) {
    let known: BTreeSet<String> = list.iter().cloned().collect();
    list.extend(more.into_iter().filter(|name| !known.contains(name)));
}

#[cfg(test)]
mod tests;
