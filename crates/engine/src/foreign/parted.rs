//! What two sides did while they were apart, for the notice after they met: how much, and where both changed the
//! same.

use super::Aside;
use super::seen::{Seen, TextSeen};
use crate::{Engine, Now, Result, api_error, invalid};
use codesync_base::{Change, DeltaHash, DeltaKey, FileId, FileKind, LogId, SignedDelta, utf16_len};
use codesync_timeline::overlaps;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::ops::Range;

/// Bytes of the texts told of all places of a merge together, so that each can be put in whole.
const PLACES_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of a text of a place for which that is not enough: to be looked at only.
const CUT_BYTES: usize = 4_096;
/// Places that are told of one merge.
const PLACES_MAX: usize = 1_000;

/// What a file costs beside its deltas, as so many of them.
const FILE_COST: usize = 500;

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

/// What two sides did while they were apart, on its way: it is worked out part by part, so that keys come between.
pub(crate) struct Apart {
    /// What stands for all that each of the two had.
    sides: [DeltaHash; 2],
    /// Branches of logs, and what does not count: when that changes, all begins anew.
    rules: (Vec<LogId>, Aside),
    /// What we had seen and they, as far as it is known; then what both had comes first.
    seen: Vec<Seen>,
    person: String,
    by_us: Alone,
    by_them: Alone,
    parted_ms: u64,
    is_sorted: bool,
    /// Files that both typed in and that are not looked at yet, the next one last.
    files: Vec<FileId>,
    /// The next of them as each had it, as far as it is read.
    texts: Option<[TextSeen; 3]>,
    /// Where the log is read on.
    next: DeltaKey,
    places: Vec<Place>,
}

impl Engine {
    /// What was done apart by those who had seen `ours` and `theirs`, two deltas that are here: the marks that
    /// [`Self::mark_before_merge`] made on both sides, or the newest delta that each had.
    pub fn merged(&mut self, ours: &DeltaHash, theirs: &DeltaHash, now: Now) -> Result<Merged> {
        let mut apart = self.begin_apart([*ours, *theirs])?;
        while !self.go_on_apart(&mut apart, usize::MAX)? {}
        Ok(self.merged_of(apart, now))
    }

    /// The same, to be worked out by [`Self::go_on_apart`].
    pub(crate) fn begin_apart(&mut self, sides: [DeltaHash; 2]) -> Result<Apart> {
        self.close()?;
        Ok(Apart {
            sides,
            rules: self.rules(),
            seen: Vec::new(),
            person: String::new(),
            by_us: Alone::default(),
            by_them: Alone::default(),
            parted_ms: 0,
            is_sorted: false,
            files: Vec::new(),
            texts: None,
            next: DeltaKey::FIRST,
            places: Vec::new(),
        })
    }

    fn rules(&self) -> (Vec<LogId>, Aside) {
        (self.others.forks.names(), self.others.aside.clone())
    }

    /// Reads on, until about so many deltas are read and merged. Returns whether all is worked out.
    pub(crate) fn go_on_apart(&mut self, apart: &mut Apart, n_max: usize) -> Result<bool> {
        if apart.rules != self.rules() {
            *apart = self.begin_apart(apart.sides)?;
        }
        let mut n_left = n_max;
        while n_left > 0 {
            match apart.files.last().copied() {
                _ if apart.seen.len() < 3 => self.see_side(apart, &mut n_left)?,
                _ if !apart.is_sorted => self.sort_some(apart, &mut n_left)?,
                Some(file) => self.read_some(apart, file, &mut n_left)?,
                None => return Ok(true),
            }
        }
        Ok(false)
    }

    pub(crate) fn merged_of(&self, apart: Apart, now: Now) -> Merged {
        let Apart { by_us, by_them, mut places, person, parted_ms, .. } = apart;
        places.truncate(PLACES_MAX);
        cut_what_is_too_much(&mut places);
        let mut with: BTreeSet<String> = by_them.logs.iter().map(|log| self.person_of(log)).collect();
        if with.is_empty() {
            with.insert(person);
        }
        Merged {
            with: with.into_iter().collect(),
            apart_ms: now.ms.saturating_sub(parted_ms),
            n_ours: by_us.n_steps,
            n_theirs: by_them.n_steps,
            n_files: by_us.files.union(&by_them.files).count() as u64,
            places,
        }
    }

    /// Reads what the next of the two had seen.
    fn see_side(&self, apart: &mut Apart, n_left: &mut usize) -> Result<()> {
        let hash = apart.sides[apart.seen.len()];
        let signed = self.log.delta(&hash).map_err(api_error)?;
        let signed = signed.ok_or_else(|| invalid("That change is not known here."))?;
        apart.person = self.person_of(&signed.delta.log);
        apart.seen.push(self.seen_by(&signed.delta.key(hash))?);
        if let [ours, theirs] = &apart.seen[..] {
            let common = ours.common(theirs);
            apart.seen.insert(0, common);
        }
        // All of its log was read for it.
        *n_left = n_left.saturating_sub(signed.delta.seq as usize);
        Ok(())
    }

    /// Says of some deltas whose work they are.
    fn sort_some(&self, apart: &mut Apart, n_left: &mut usize) -> Result<()> {
        let (forks, aside) = (&self.others.forks, &self.others.aside);
        let [common, ours, theirs] = [0, 1, 2].map(|side: usize| &apart.seen[side]);
        let mut next = None;
        let mut sort = |signed: &SignedDelta| {
            let key = signed.delta.key(signed.hash);
            if *n_left == 0 {
                next = Some(key);
                return ControlFlow::Break(());
            }
            *n_left -= 1;
            if !aside.has(signed) {
                match (common.has(forks, &key), ours.has(forks, &key), theirs.has(forks, &key)) {
                    (true, ..) => apart.parted_ms = apart.parted_ms.max(key.hlc.wall_ms),
                    (false, true, _) => apart.by_us.take_in(signed),
                    (false, false, true) => apart.by_them.take_in(signed),
                    (false, false, false) => {}
                }
            }
            ControlFlow::Continue(())
        };
        self.log.for_each_after(&apart.next, &mut sort).map_err(api_error)?;
        if next.is_none() {
            let both: Vec<FileId> = apart.by_us.typed.intersection(&apart.by_them.typed).copied().collect();
            (apart.is_sorted, apart.files) = (true, both.into_iter().rev().collect());
        }
        apart.next = next.unwrap_or(DeltaKey::FIRST);
        Ok(())
    }

    /// Makes some more of the texts of a file that both typed in.
    fn read_some(&mut self, apart: &mut Apart, file: FileId, n_left: &mut usize) -> Result<()> {
        let is_text = self.tree.get(&file).is_some_and(|node| node.kind == FileKind::Text);
        if !is_text || apart.places.len() >= PLACES_MAX {
            (apart.texts, apart.next) = (None, DeltaKey::FIRST);
            apart.files.pop();
            return Ok(());
        }
        let mut texts = match apart.texts.take() {
            Some(texts) => texts,
            None => {
                *n_left = n_left.saturating_sub(FILE_COST);
                let begin = || self.beginning_of(&file).map(TextSeen::begin);
                [begin()?, begin()?, begin()?]
            }
        };
        let (mut next, reading) = (None, self.reading());
        let mut take = |signed: &SignedDelta| {
            if *n_left == 0 {
                next = Some(signed.delta.key(signed.hash));
                return ControlFlow::Break(());
            }
            let sides = texts.iter_mut().zip(&apart.seen);
            let n_merged =
                sides.filter_map(|(text, seen)| text.take(signed, file, seen, &reading).then_some(())).count();
            *n_left = n_left.saturating_sub(1 + n_merged);
            ControlFlow::Continue(())
        };
        self.log.for_each_of_after(&file, &apart.next, &mut take).map_err(api_error)?;
        apart.next = next.unwrap_or(DeltaKey::FIRST);
        if next.is_some() {
            apart.texts = Some(texts);
            return Ok(());
        }
        apart.files.pop();
        apart.places.extend(self.places_of(file, texts)?);
        Ok(())
    }

    /// Places of a text that both changed, from the top.
    fn places_of(&mut self, file: FileId, texts: [TextSeen; 3]) -> Result<Vec<Place>> {
        let Some(path) = self.tree.get(&file).map(|node| node.path.to_string()) else { return Ok(Vec::new()) };
        let now = match self.documents.has(&file) {
            // Its timeline need not be told anew for this.
            true => self.live_document(file)?.text.to_string(),
            false => self.present_text(file)?.0,
        };
        let [common, ours, theirs] = texts.map(|text| text.finish().map(|text| text.to_string()));
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
