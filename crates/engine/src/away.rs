//! What others did since somebody sat before this computer last, told when they are back. Kept for this device only:
//! history is the same for all, and what was seen of it is not.

use crate::workspace::sizes;
use crate::{Engine, Now, Result, api_error};
use codesync_api::{AwayBurst, AwayPerson, Scope, WhileAway};
use codesync_base::{DeltaHash, DeviceId, FileId, Head, LogId, Origin, SignedDelta, StepKey};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Without a sign of life for so long, whoever is back was away.
const AWAY_MS: u64 = 5 * 60_000;
/// How often what is here is noted while somebody works, and how often that is kept.
const NOTE_EVERY_MS: u64 = 5_000;
const KEEP_EVERY_MS: u64 = 30_000;
/// Work at one file without a longer pause is one stretch.
const PAUSE_MS: u64 = 5 * 60_000;
/// Stretches told of one person, the newest.
const BURSTS_MAX: usize = 30;
const AWAY_KEY: &str = "away";

/// What was here when somebody looked.
#[derive(Clone, Default)]
struct Looked {
    /// Unix milliseconds.
    at_ms: u64,
    heads: BTreeMap<LogId, u32>,
}

#[derive(Default)]
pub(crate) struct Away {
    /// What was here when somebody was here last, this sitting not counted.
    before: Option<Looked>,
    /// When this sitting began.
    began_ms: Option<u64>,
    newest: Option<Looked>,
    kept_ms: u64,
}

/// Work of one person.
#[derive(Default)]
struct Work {
    n_changes: u64,
    bursts: Vec<Burst>,
    /// The newest stretch of each file.
    last: BTreeMap<FileId, usize>,
}

struct Burst {
    file: FileId,
    from_ms: u64,
    to_ms: u64,
    added: u64,
    removed: u64,
    end: StepKey,
}

impl Engine {
    /// Reads what was here when somebody looked last; that may be lost.
    pub(crate) fn load_away(&mut self) {
        let bytes = self.log.get_local(AWAY_KEY).unwrap_or_default();
        let known: Option<(u64, Vec<(LogId, u32)>)> = serde_json::from_slice(&bytes).ok();
        self.away.newest = known.map(|(at_ms, heads)| Looked { at_ms, heads: heads.into_iter().collect() });
    }

    /// Somebody does something here, or looks.
    pub(crate) fn note_here(&mut self, now: Now) {
        let away = &self.away;
        let last_ms = away.newest.as_ref().map_or(0, |looked| looked.at_ms);
        if away.began_ms.is_none() || now.ms.saturating_sub(last_ms) > AWAY_MS {
            self.away.before = self.away.newest.take();
            self.away.began_ms = Some(now.ms);
        } else if now.ms.saturating_sub(last_ms) < NOTE_EVERY_MS {
            return;
        }
        let heads = self.log.heads().into_iter().map(|head| (head.log, head.seq)).collect();
        self.away.newest = Some(Looked { at_ms: now.ms, heads });
        if now.ms.saturating_sub(self.away.kept_ms) >= KEEP_EVERY_MS {
            self.away.kept_ms = now.ms;
            self.keep_away();
        }
    }

    /// The work ends. Whoever was here until a moment ago has seen all that is here.
    pub(crate) fn leave(&mut self, now: Now) {
        let was_here = |looked: &Looked| now.ms.saturating_sub(looked.at_ms) <= AWAY_MS;
        if self.away.began_ms.is_none() || !self.away.newest.as_ref().is_some_and(was_here) {
            return;
        }
        let heads = self.log.heads().into_iter().map(|head| (head.log, head.seq)).collect();
        self.away.newest = Some(Looked { at_ms: now.ms, heads });
        self.keep_away();
    }

    fn keep_away(&mut self) {
        let Some(newest) = &self.away.newest else { return };
        let heads: Vec<(&LogId, &u32)> = newest.heads.iter().collect();
        let bytes = serde_json::to_vec(&(newest.at_ms, heads)).expect("invariant: plain data has a JSON form");
        self.log.put_local(AWAY_KEY, &bytes);
    }

    /// What others did between the last sitting and this one. None when there is nothing to tell.
    pub(crate) fn while_away(&mut self) -> Result<Option<WhileAway>> {
        self.close()?;
        let (looked, until_ms) = match (&self.away.before, self.away.began_ms) {
            (Some(before), Some(began_ms)) => (before.clone(), began_ms),
            // Nobody sat down yet, or never before.
            (_, None) => match self.away.newest.clone() {
                Some(newest) => (newest, u64::MAX),
                None => return Ok(None),
            },
            (None, Some(_)) => return Ok(None),
        };
        let mut by_device: BTreeMap<DeviceId, Work> = BTreeMap::new();
        let heads: Vec<Head> =
            looked.heads.iter().map(|(log, seq)| Head { log: *log, seq: *seq, hash: DeltaHash::ZERO }).collect();
        let (own, aside) = (self.own.device, &self.others.aside);
        let mut take = |signed: &SignedDelta| {
            let device = signed.delta.log.device;
            if device != own && !aside.has(signed) {
                by_device.entry(device).or_default().take(signed, until_ms);
            }
            ControlFlow::Continue(())
        };
        self.log.for_each_newer(&heads, &mut take).map_err(api_error)?;
        by_device.retain(|_, work| work.n_changes > 0);
        if by_device.is_empty() {
            return Ok(None);
        }
        let mut people = Vec::with_capacity(by_device.len());
        for (device, work) in by_device {
            people.push(self.told_work(device, work)?);
        }
        people.sort_by(|a, b| (b.n_changes, &a.person).cmp(&(a.n_changes, &b.person)));
        Ok(Some(WhileAway { since_ms: looked.at_ms, people }))
    }

    fn told_work(&mut self, device: DeviceId, work: Work) -> Result<AwayPerson> {
        let author = self.authors.index(&LogId { device, incarnation: 0 }, Origin::Session);
        let author = self.author(author);
        let mut newest = work.bursts;
        newest.sort_by_key(|burst| std::cmp::Reverse(burst.end));
        newest.truncate(BURSTS_MAX);
        let mut bursts = Vec::with_capacity(newest.len());
        for burst in newest {
            let Some(path) = self.tree.get(&burst.file).map(|node| node.path.to_string()) else { continue };
            let view = self.outline_view(&Scope::Workspace)?;
            let workspace_index = view.index_after(&self.outline_mut()?.timeline, &burst.end) as u64;
            let Burst { from_ms, to_ms, added, removed, .. } = burst;
            bursts.push(AwayBurst { path, from_ms, to_ms, added, removed, workspace_index });
        }
        Ok(AwayPerson {
            person: author.name,
            color: author.color.unwrap_or_default(),
            n_changes: work.n_changes,
            bursts,
        })
    }
}

impl Work {
    fn take(&mut self, signed: &SignedDelta, until_ms: u64) {
        let delta = &signed.delta;
        for (step_idx, step) in delta.steps.iter().enumerate().filter(|(_, step)| step.at_ms <= until_ms) {
            let Some(file) = delta.file_of(step) else { continue };
            self.n_changes += 1;
            let (added, removed) = sizes(&step.change);
            let end = StepKey { delta: delta.key(signed.hash), step_idx: step_idx as u32 };
            let last = self.last.get(&file).and_then(|idx| self.bursts.get_mut(*idx));
            match last.filter(|last| step.at_ms.saturating_sub(last.to_ms) <= PAUSE_MS) {
                Some(burst) => {
                    (burst.to_ms, burst.end) = (burst.to_ms.max(step.at_ms), end);
                    burst.added += u64::from(added);
                    burst.removed += u64::from(removed);
                }
                None => {
                    self.last.insert(file, self.bursts.len());
                    let (added, removed) = (u64::from(added), u64::from(removed));
                    self.bursts.push(Burst { file, from_ms: step.at_ms, to_ms: step.at_ms, added, removed, end });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
