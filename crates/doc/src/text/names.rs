//! Who inserted what: between the names that steps use, (log, seq, offset), and the compact ones in memory,
//! (log number, clock), where clock counts what a log inserted into this file.

use codesync_base::LogId;

/// A unit in memory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Unit {
    pub log: u16,
    pub clock: u32,
}

#[derive(Clone, Default, Debug)]
pub(crate) struct Names {
    logs: Vec<LogUnits>,
}

/// What one log inserted into this file.
#[derive(Clone, Debug)]
pub(crate) struct LogUnits {
    pub id: LogId,
    /// The number of this log to yrs.
    pub client: u64,
    /// Every unit it inserted, also those that are gone.
    pub text: String,
    /// How many those are in UTF-16 units: the next clock.
    pub length: u32,
    /// For each delta that inserted here, its first clock; both rising.
    starts: Vec<Start>,
    /// Clocks of the second halves of surrogate pairs, rising.
    second_halves: Vec<u32>,
    /// Newest delta that inserted here.
    newest_seq: u32,
}

#[derive(Clone, Copy, Debug)]
struct Start {
    seq: u32,
    clock: u32,
}

impl Names {
    pub fn log(&self, number: u16) -> &LogUnits {
        &self.logs[usize::from(number)]
    }

    pub fn find(&self, id: &LogId) -> Option<u16> {
        self.logs.iter().position(|log| log.id == *id).and_then(|idx| u16::try_from(idx).ok())
    }

    /// All logs with their numbers.
    pub fn ids(&self) -> impl Iterator<Item = (LogId, u16)> + '_ {
        self.logs.iter().zip(0..).map(|(log, number)| (log.id, number))
    }

    /// The number of a log, new if need be; none when there are too many.
    pub fn intern(&mut self, id: &LogId) -> Option<u16> {
        if let Some(number) = self.find(id) {
            return Some(number);
        }
        if !self.can_intern(id) {
            return None;
        }
        let number = u16::try_from(self.logs.len()).ok()?;
        self.logs.push(LogUnits::new(*id));
        Some(number)
    }

    /// Whether there is room for a new log. Two logs with one client number would be one to yrs: nobody has
    /// that by chance, so the later one is refused.
    pub fn can_intern(&self, id: &LogId) -> bool {
        let client = id.client();
        self.logs.len() < usize::from(u16::MAX) && self.logs.iter().all(|log| log.client != client)
    }

    /// Takes in what a delta of a known log inserted next; `length` is that of `text` and fits.
    pub fn push(&mut self, log: u16, seq: u32, text: &str, length: u32) {
        self.logs[usize::from(log)].push(seq, text, length);
    }

    /// Whether a cut before this unit, known or next, would part a surrogate pair.
    pub fn is_second_half(&self, unit: Unit) -> bool {
        self.log(unit.log).second_halves.binary_search(&unit.clock).is_ok()
    }

    /// Delta and offset of a known unit, and how many units from it on that delta inserted.
    pub fn name(&self, unit: Unit) -> (u32, u32, u32) {
        let log = self.log(unit.log);
        let idx = log.start_idx(|start| start.clock <= unit.clock);
        let start = log.starts[idx - 1];
        let end = log.starts.get(idx).map_or(log.length, |next| next.clock);
        (start.seq, unit.clock - start.clock, end - unit.clock)
    }
}

impl LogUnits {
    fn new(id: LogId) -> Self {
        let (text, starts, second_halves) = (String::new(), Vec::new(), Vec::new());
        Self { id, client: id.client(), text, length: 0, starts, second_halves, newest_seq: 0 }
    }

    /// The deltas that inserted here, and how many units each.
    pub fn deltas(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let ends = self.starts.iter().skip(1).map(|start| start.clock).chain([self.length]);
        self.starts.iter().zip(ends).map(|(start, end)| (start.seq, end - start.clock))
    }

    pub fn newest_seq(&self) -> u32 {
        self.newest_seq
    }

    /// The clock of a delta's unit, if it inserted that many.
    pub fn clock(&self, seq: u32, offset: u32) -> Option<u32> {
        let idx = self.start_idx(|start| start.seq <= seq);
        let start = self.starts.get(idx.checked_sub(1)?)?;
        let end = self.starts.get(idx).map_or(self.length, |next| next.clock);
        let clock = start.clock.checked_add(offset)?;
        (start.seq == seq && clock < end).then_some(clock)
    }

    /// The clock at which the deltas from `seq` on begin.
    pub fn start_of(&self, seq: u32) -> u32 {
        let idx = self.start_idx(|start| start.seq < seq);
        self.starts.get(idx).map_or(self.length, |start| start.clock)
    }

    fn push(&mut self, seq: u32, text: &str, length: u32) {
        if seq > self.newest_seq || self.starts.is_empty() {
            self.starts.push(Start { seq, clock: self.length });
            self.newest_seq = seq;
        }
        self.text.push_str(text);
        // Only a character of four bytes is two units.
        if text.len() != length as usize {
            let mut clock = self.length;
            for character in text.chars() {
                clock += character.len_utf16() as u32;
                if character.len_utf16() == 2 {
                    self.second_halves.push(clock - 1);
                }
            }
        }
        self.length += length;
    }

    /// How many starts satisfy `is_before`, which holds for a first part of them. Edits mostly name new units,
    /// so the search widens from the end.
    fn start_idx(&self, is_before: impl Fn(&Start) -> bool) -> usize {
        let n = self.starts.len();
        let mut step = 1;
        while step < n && !is_before(&self.starts[n - step]) {
            step *= 2;
        }
        let from = n.saturating_sub(step);
        from + self.starts[from..].partition_point(is_before)
    }
}
