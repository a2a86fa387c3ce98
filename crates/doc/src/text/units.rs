//! A text as it stands, with the names of all its units and without a character of what is gone: what somebody begins
//! with who is told nothing of the past. Two documents that integrated the same steps in different orders say the same;
//! a document made of it takes in later steps, late ones too, as they do.

use super::document::{TextDocument, new_run};
use super::names::{Names, Unit};
use super::order::{Deletion, Insertion};
use super::runs::{Run, Runs};
use codesync_base::{BLOT, BLOT_PAIR, LogId, TextUnits, UnitAt, UnitInsertion, UnitLog, UnitRun};
use ropey::RopeBuilder;
use std::collections::BTreeMap;

/// Why units make no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the units of a text do not fit together: {0}")]
pub struct UnitsError(&'static str);

type Result<T> = std::result::Result<T, UnitsError>;

impl TextDocument {
    /// All units. What yrs makes of them is the same as here.
    pub fn units(&self) -> TextUnits {
        let numbers = self.names.numbers_by_log();
        let place: BTreeMap<u16, u16> = numbers.iter().zip(0..).map(|(number, at)| (*number, at)).collect();
        let at = |unit: Unit| UnitAt { log: place[&unit.log], clock: unit.clock };
        let gone = self.gone_by_log();
        let logs = numbers.iter().map(|number| {
            let units = self.names.log(*number);
            let gone = gone.get(number).map(Vec::as_slice).unwrap_or_default();
            UnitLog { log: units.id, deltas: units.deltas().collect(), text: blotted(&units.text, gone) }
        });
        let logs = logs.collect();
        let mut sorted = self.insertions.clone();
        sorted.sort_unstable_by_key(|insertion| (place[&insertion.first.log], insertion.first.clock));
        let mut insertions: Vec<Insertion> = Vec::with_capacity(sorted.len());
        for insertion in sorted {
            if !insertions.last_mut().is_some_and(|last| last.extend(&insertion)) {
                insertions.push(insertion);
            }
        }
        let insertions = insertions.iter().map(|insertion| UnitInsertion {
            log: place[&insertion.first.log],
            length: insertion.length,
            left: insertion.left.map(at),
            right: insertion.right.map(at),
        });
        let mut order: Vec<UnitRun> = Vec::new();
        for run in self.runs.iter().filter(|run| run.length > 0) {
            let next = UnitRun { first: at(run.unit()), length: run.length, is_visible: run.is_visible };
            match order.last_mut() {
                Some(last) if goes_on(last, &next) => last.length += next.length,
                _ => order.push(next),
            }
        }
        TextUnits { insertions: insertions.collect(), logs, order }
    }

    /// A text of such units; they may come from somebody else.
    pub fn from_units(units: &TextUnits) -> Result<Self> {
        let names = names_of(&units.logs)?;
        let texts = Texts::new(&units.logs);
        let insertions = insertions_of(units, &names, &texts)?;
        check_order(units, &names)?;
        let (mut text, mut runs, mut deletions) = (RopeBuilder::new(), Runs::default(), Vec::new());
        for run in &units.order {
            let first = Unit { log: run.first.log, clock: run.first.clock };
            let piece = texts.slice(&run.first, run.length)?;
            if run.is_visible {
                text.append(piece);
            } else {
                deletions.push(Deletion { first, length: run.length });
            }
            runs.insert(runs.len_all(), Run { is_visible: run.is_visible, ..new_run(first, run.length) });
        }
        let mut document = Self::default();
        (document.text, document.runs, document.names) = (text.finish(), runs, names);
        (document.insertions, document.deletions) = (insertions, deletions);
        Ok(document)
    }

    /// Stretches of units that are gone, by log, in the order in which the log made them.
    fn gone_by_log(&self) -> BTreeMap<u16, Vec<(u32, u32)>> {
        let mut gone: BTreeMap<u16, Vec<(u32, u32)>> = BTreeMap::new();
        for run in self.runs.iter().filter(|run| !run.is_visible) {
            gone.entry(run.log).or_default().push((run.clock, run.clock + run.length));
        }
        gone.values_mut().for_each(|stretches| stretches.sort_unstable());
        gone
    }
}

fn goes_on(last: &UnitRun, next: &UnitRun) -> bool {
    let end = UnitAt { clock: last.first.clock + last.length, ..last.first };
    (end, last.is_visible) == (next.first, next.is_visible)
}

/// A text with the characters of some stretches made unreadable.
fn blotted(text: &str, gone: &[(u32, u32)]) -> String {
    if gone.is_empty() {
        return text.to_owned();
    }
    let (mut clock, mut idx) = (0, 0);
    let blot = |character: char| {
        while gone.get(idx).is_some_and(|(_, end)| *end <= clock) {
            idx += 1;
        }
        let is_gone = gone.get(idx).is_some_and(|(from, _)| *from <= clock);
        let n_units = character.len_utf16();
        clock += n_units as u32;
        match (is_gone, n_units) {
            (false, _) => character,
            (true, 1) => BLOT,
            (true, _) => BLOT_PAIR,
        }
    };
    text.chars().map(blot).collect()
}

fn names_of(logs: &[UnitLog]) -> Result<Names> {
    let mut names = Names::default();
    let mut n_all = 0_u32;
    if !logs.is_sorted_by(|a, b| a.log < b.log) {
        return Err(UnitsError("logs out of order"));
    }
    for log in logs {
        let number = names.intern(&log.log).ok_or(UnitsError("too many logs"))?;
        let (mut rest, mut last_seq) = (log.text.as_str(), 0);
        for (seq, n_units) in &log.deltas {
            let room = names.log(number).length.checked_add(*n_units).filter(|n| *n < i32::MAX as u32);
            n_all = n_all.checked_add(*n_units).ok_or(UnitsError("too long"))?;
            if *seq <= last_seq || *n_units == 0 || room.is_none() {
                return Err(UnitsError("deltas out of order"));
            }
            let length = bytes_of(rest, *n_units).ok_or(UnitsError("a delta ends inside a character"))?;
            let (text, after) = rest.split_at(length);
            names.push(number, *seq, text, *n_units);
            (rest, last_seq) = (after, *seq);
        }
        if !rest.is_empty() || log.deltas.is_empty() {
            return Err(UnitsError("more text than deltas"));
        }
    }
    Ok(names)
}

/// How many bytes the first `n_units` of a text take; none when they end inside a character, or behind the text.
fn bytes_of(text: &str, n_units: u32) -> Option<usize> {
    let mut left = n_units as usize;
    for (at, character) in text.char_indices() {
        if left == 0 {
            return Some(at);
        }
        left = left.checked_sub(character.len_utf16())?;
    }
    (left == 0).then_some(text.len())
}

/// Where in its log's text each unit stands.
struct Texts<'a> {
    logs: Vec<(&'a str, Vec<usize>)>,
}

/// Not a place where a character begins.
const INSIDE: usize = usize::MAX;

impl<'a> Texts<'a> {
    fn new(logs: &'a [UnitLog]) -> Self {
        let of_log = |log: &'a UnitLog| {
            let mut places = Vec::with_capacity(log.text.len() + 1);
            for (at, character) in log.text.char_indices() {
                places.push(at);
                places.extend((character.len_utf16() == 2).then_some(INSIDE));
            }
            places.push(log.text.len());
            (log.text.as_str(), places)
        };
        Self { logs: logs.iter().map(of_log).collect() }
    }

    fn slice(&self, first: &UnitAt, length: u32) -> Result<&'a str> {
        let unknown = UnitsError("a unit that is not there");
        let (text, places) = self.logs.get(usize::from(first.log)).ok_or(unknown)?;
        let end = first.clock.checked_add(length).ok_or(unknown)?;
        let from = places.get(first.clock as usize).ok_or(unknown)?;
        let to = places.get(end as usize).ok_or(unknown)?;
        text.get(*from..*to).ok_or(UnitsError("half a character"))
    }
}

/// The insertions in an order in which each comes after its neighbours and after what its log made before.
fn insertions_of(units: &TextUnits, names: &Names, texts: &Texts<'_>) -> Result<Vec<Insertion>> {
    let mut by_log: Vec<Vec<Insertion>> = vec![Vec::new(); units.logs.len()];
    for insertion in &units.insertions {
        let of_log = by_log.get_mut(usize::from(insertion.log)).ok_or(UnitsError("a log that is not there"))?;
        let clock = of_log.last().map_or(0, |last: &Insertion| last.first.clock + last.length);
        let first = UnitAt { log: insertion.log, clock };
        let text = texts.slice(&first, insertion.length)?;
        let known = |at: UnitAt| {
            let is_there = units.logs.get(usize::from(at.log)).is_some() && at.clock < names.log(at.log).length;
            is_there.then_some(Unit { log: at.log, clock: at.clock }).ok_or(UnitsError("an unknown neighbour"))
        };
        if insertion.length == 0 {
            return Err(UnitsError("an empty insertion"));
        }
        of_log.push(Insertion {
            first: Unit { log: first.log, clock },
            length: insertion.length,
            length_bytes: text.len() as u32,
            left: insertion.left.map(known).transpose()?,
            right: insertion.right.map(known).transpose()?,
        });
    }
    let is_whole = |(number, of_log): (usize, &Vec<Insertion>)| {
        let n_units: u32 = of_log.iter().map(|insertion| insertion.length).sum();
        n_units == names.log(number as u16).length
    };
    if !by_log.iter().enumerate().all(is_whole) {
        return Err(UnitsError("units without an insertion"));
    }
    causal(&by_log)
}

fn causal(by_log: &[Vec<Insertion>]) -> Result<Vec<Insertion>> {
    let n_all = by_log.iter().map(Vec::len).sum();
    let mut ordered: Vec<Insertion> = Vec::with_capacity(n_all);
    let mut next = vec![0; by_log.len()];
    let mut made = vec![0; by_log.len()];
    while ordered.len() < n_all {
        let n_before = ordered.len();
        for number in 0..by_log.len() {
            while let Some(insertion) = by_log[number].get(next[number]) {
                let is_made = |unit: &Unit| unit.clock < made[usize::from(unit.log)];
                if ![insertion.left, insertion.right].iter().flatten().all(is_made) {
                    break;
                }
                made[number] = insertion.first.clock + insertion.length;
                next[number] += 1;
                ordered.push(*insertion);
            }
        }
        if ordered.len() == n_before {
            return Err(UnitsError("neighbours in a circle"));
        }
    }
    Ok(ordered)
}

/// Each unit stands once in the order.
fn check_order(units: &TextUnits, names: &Names) -> Result<()> {
    let mut stretches: Vec<(UnitAt, u32)> = units.order.iter().map(|run| (run.first, run.length)).collect();
    stretches.sort_unstable_by_key(|(first, _)| (first.log, first.clock));
    let mut ends: Vec<u32> = vec![0; units.logs.len()];
    for (first, length) in stretches {
        let end = ends.get_mut(usize::from(first.log)).ok_or(UnitsError("a log that is not there"))?;
        if first.clock != *end || length == 0 {
            return Err(UnitsError("a unit that stands twice or nowhere"));
        }
        *end = end.checked_add(length).ok_or(UnitsError("too long"))?;
    }
    let is_whole = |(number, end): (usize, &u32)| names.log(number as u16).length == *end;
    if ends.iter().enumerate().all(is_whole) { Ok(()) } else { Err(UnitsError("a unit that stands nowhere")) }
}

impl Names {
    /// Numbers of the logs that inserted anything, by log.
    fn numbers_by_log(&self) -> Vec<u16> {
        let mut known: Vec<(LogId, u16)> = self.ids().filter(|(_, number)| self.log(*number).length > 0).collect();
        known.sort_unstable();
        known.into_iter().map(|(_, number)| number).collect()
    }
}

#[cfg(test)]
mod tests;
