//! What two sides did while they were apart, for the notice after they met: how much, and where both changed the
//! same.

use super::seen::Seen;
use crate::{Engine, Now, Result, api_error, invalid};
use codesync_base::{Change, DeltaHash, FileId, FileKind, LogId, SignedDelta, utf16_len};
use codesync_timeline::overlaps;
use std::collections::BTreeSet;
use std::ops::Range;

/// Bytes of the texts told of all places of a merge together, so that each can be put in whole.
const PLACES_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of a text of a place for which that is not enough: to be looked at only.
const CUT_BYTES: usize = 4_096;
/// Places that are told of one merge.
const PLACES_MAX: usize = 1_000;

/// What two sides did while they were apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// Whose work was merged into ours, by name.
    pub with: Vec<String>,
    /// Since the newest change that both had, milliseconds.
    pub apart_ms: u64,
    /// Changes of each side, in so many files altogether.
    pub n_ours: u64,
    pub n_theirs: u64,
    pub n_files: u64,
    /// By file, from the top.
    pub places: Vec<Place>,
}

/// Lines that both changed, and what became of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub path: String,
    /// From 1, in the text as it is now.
    pub line: u32,
    /// Where the line begins there, UTF-16 units.
    pub position: u32,
    pub ours: String,
    pub theirs: String,
    pub now: String,
    /// The texts are not cut.
    pub is_whole: bool,
}

/// What one side did alone.
#[derive(Default)]
struct Alone {
    n_steps: u64,
    files: BTreeSet<FileId>,
    typed: BTreeSet<FileId>,
    newest_ms: u64,
    logs: BTreeSet<LogId>,
}

impl Alone {
    fn take_in(&mut self, signed: &SignedDelta) {
        let delta = &signed.delta;
        for step in &delta.steps {
            let Some(file) = delta.file_of(step) else { continue };
            self.logs.insert(delta.log);
            self.n_steps += 1;
            self.files.insert(file);
            if matches!(step.change, Change::Text(_)) {
                self.typed.insert(file);
            }
        }
        self.newest_ms = self.newest_ms.max(delta.hlc.wall_ms);
    }
}

impl Engine {
    /// What was done apart by those who had seen `ours` and `theirs`, two deltas that are here: the marks that
    /// [`Self::mark_before_merge`] made on both sides, or the newest delta that each had.
    pub fn merged(&mut self, ours: &DeltaHash, theirs: &DeltaHash, now: Now) -> Result<Merged> {
        self.close()?;
        let (our_seen, _) = self.seen_at(ours)?;
        let (their_seen, person) = self.seen_at(theirs)?;
        let common = our_seen.common(&their_seen);
        let (mut by_us, mut by_them, mut parted_ms) = (Alone::default(), Alone::default(), 0);
        let (forks, aside) = (&self.others.forks, &self.others.aside);
        let mut sort = |signed: &SignedDelta| {
            let key = signed.delta.key(signed.hash);
            if aside.has(signed) {
                return;
            }
            match (common.has(forks, &key), our_seen.has(forks, &key), their_seen.has(forks, &key)) {
                (true, ..) => parted_ms = parted_ms.max(key.hlc.wall_ms),
                (false, true, _) => by_us.take_in(signed),
                (false, false, true) => by_them.take_in(signed),
                (false, false, false) => {}
            }
        };
        self.log.for_each(&mut sort).map_err(api_error)?;
        let mut places = Vec::new();
        let files: Vec<FileId> = by_us.typed.intersection(&by_them.typed).copied().collect();
        for file in files {
            if places.len() < PLACES_MAX {
                places.extend(self.places_of(file, [&common, &our_seen, &their_seen])?);
            }
        }
        places.truncate(PLACES_MAX);
        cut_what_is_too_much(&mut places);
        let mut with: BTreeSet<String> = by_them.logs.iter().map(|log| self.person_of(log)).collect();
        if with.is_empty() {
            with.insert(person);
        }
        Ok(Merged {
            with: with.into_iter().collect(),
            apart_ms: now.ms.saturating_sub(parted_ms),
            n_ours: by_us.n_steps,
            n_theirs: by_them.n_steps,
            n_files: by_us.files.union(&by_them.files).count() as u64,
            places,
        })
    }

    fn seen_at(&self, hash: &DeltaHash) -> Result<(Seen, String)> {
        let signed = self.log.delta(hash).map_err(api_error)?;
        let signed = signed.ok_or_else(|| invalid("That change is not known here."))?;
        Ok((self.seen_by(&signed.delta.key(*hash))?, self.person_of(&signed.delta.log)))
    }

    /// Places of a text that both changed, from the top.
    fn places_of(&mut self, file: FileId, [common, ours, theirs]: [&Seen; 3]) -> Result<Vec<Place>> {
        let Some(node) = self.tree.get(&file).filter(|node| node.kind == FileKind::Text) else { return Ok(Vec::new()) };
        let path = node.path.to_string();
        let now = self.present_text(file)?.0;
        let texts = [common, ours, theirs].map(|seen| self.text_of_seen(file, seen));
        let [common, ours, theirs] = texts;
        let (common, ours, theirs) = (common?, ours?, theirs?);
        let places = overlaps(&common, &ours, &theirs, &now).into_iter().take(PLACES_MAX).map(|place| Place {
            path: path.clone(),
            line: place.now.start as u32 + 1,
            position: now.split_inclusive('\n').take(place.now.start).map(utf16_len).sum(),
            ours: lines_of(&ours, &place.ours),
            theirs: lines_of(&theirs, &place.theirs),
            now: lines_of(&now, &place.now),
            is_whole: true,
        });
        Ok(places.collect())
    }
}

fn lines_of(text: &str, lines: &Range<usize>) -> String {
    text.split_inclusive('\n').skip(lines.start).take(lines.len()).collect()
}

/// Keeps the places whole for which there is room, from the top.
fn cut_what_is_too_much(places: &mut [Place]) {
    let mut left_bytes = PLACES_BYTES_MAX;
    for place in places {
        let n_bytes = place.ours.len() + place.theirs.len() + place.now.len();
        match left_bytes.checked_sub(n_bytes) {
            Some(left) => left_bytes = left,
            None => {
                place.is_whole = false;
                for text in [&mut place.ours, &mut place.theirs, &mut place.now] {
                    text.truncate(text.floor_char_boundary(CUT_BYTES));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(n_bytes: usize) -> Place {
        let text = "é".repeat(n_bytes / 2);
        Place {
            path: "a".into(),
            line: 1,
            position: 0,
            ours: text.clone(),
            theirs: text,
            now: String::new(),
            is_whole: true,
        }
    }

    #[test]
    fn places_are_told_whole_while_there_is_room() {
        let mut places = [place(200_000), place(PLACES_BYTES_MAX), place(6_000)];
        cut_what_is_too_much(&mut places);
        assert_eq!(places.each_ref().map(|place| place.is_whole), [true, false, true]);
        assert_eq!(places.each_ref().map(|place| place.ours.len()), [200_000, CUT_BYTES, 6_000]);
    }
}
