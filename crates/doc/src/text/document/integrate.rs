//! Taking in a step by name: first everything is checked, then everything is done.

use super::*;

/// A step whose names are known units.
pub(super) struct Resolved {
    position: u32,
    delete: Vec<Deletion>,
    insert: Option<ResolvedInsert>,
}

struct ResolvedInsert {
    left: Option<Unit>,
    right: Option<Unit>,
    text: Arc<str>,
    length: u32,
}

/// Where visible units of interest are.
struct Found {
    /// Pieces of the delete ranges, left to right.
    delete: Vec<(u32, u32)>,
    left: Option<u32>,
    right: Option<u32>,
}

impl Found {
    /// The same once the pieces are gone.
    fn after_deletion(&self) -> Found {
        Found { delete: Vec::new(), left: self.moved(self.left), right: self.moved(self.right) }
    }

    fn moved(&self, position: Option<u32>) -> Option<u32> {
        let position = position?;
        let mut gone = 0;
        for (at, length) in self.delete.iter().take_while(|(at, _)| *at <= position) {
            if position < at + length {
                return None;
            }
            gone += length;
        }
        Some(position - gone)
    }
}

impl TextDocument {
    pub(super) fn resolve(
        &self,
        delta: &Delta,
        step: &TextStep,
        blobs: &dyn BlobSource,
    ) -> Result<Resolved, IntegrateError> {
        let delete = step.delete.iter().map(|range| self.resolve_range(delta, range)).collect::<Result<_, _>>()?;
        let insert = step.insert.as_ref().map(|insert| self.resolve_insert(delta, insert, blobs)).transpose()?;
        Ok(Resolved { position: step.position, delete, insert })
    }

    fn resolve_item(&self, delta: &Delta, item: &ItemRef) -> Result<Unit, IntegrateError> {
        let unknown = IntegrateError::UnknownItem(*item);
        let Some(log) = delta.log_of(item).and_then(|id| self.names.find(&id)) else { return Err(unknown) };
        let clock = self.names.log(log).clock(item.seq, item.offset).ok_or(unknown)?;
        Ok(Unit { log, clock })
    }

    fn resolve_range(&self, delta: &Delta, range: &ItemRange) -> Result<Deletion, IntegrateError> {
        let first = self.resolve_item(delta, &range.first)?;
        if range.length == 0 {
            return Err(IntegrateError::Empty);
        }
        let known = self.names.log(first.log).length;
        let Some(end) = first.clock.checked_add(range.length).filter(|end| *end <= known) else {
            return Err(IntegrateError::UnknownItem(range.first));
        };
        self.check_cut(first, &range.first)?;
        self.check_cut(Unit { log: first.log, clock: end }, &range.first)?;
        Ok(Deletion { first, length: range.length })
    }

    fn check_cut(&self, unit: Unit, item: &ItemRef) -> Result<(), IntegrateError> {
        if self.names.is_second_half(unit) { Err(IntegrateError::InsideCharacter(*item)) } else { Ok(()) }
    }

    fn resolve_insert(
        &self,
        delta: &Delta,
        insert: &Insert,
        blobs: &dyn BlobSource,
    ) -> Result<ResolvedInsert, IntegrateError> {
        let left = insert.left.as_ref().map(|item| self.resolve_item(delta, item)).transpose()?;
        let right = insert.right.as_ref().map(|item| self.resolve_item(delta, item)).transpose()?;
        if let (Some(unit), Some(item)) = (left, &insert.left) {
            self.check_cut(Unit { clock: unit.clock + 1, ..unit }, item)?;
        }
        if let (Some(unit), Some(item)) = (right, &insert.right) {
            self.check_cut(unit, item)?;
        }
        if left.is_some() && left == right {
            return Err(IntegrateError::LeftAfterRight);
        }
        let text = read_text(&insert.text, blobs)?;
        let length = utf16_len(&text);
        if length == 0 {
            return Err(IntegrateError::Empty);
        }
        self.check_next(delta, length)?;
        Ok(ResolvedInsert { left, right, text, length })
    }

    fn check_next(&self, delta: &Delta, length: u32) -> Result<(), IntegrateError> {
        let Some(number) = self.names.find(&delta.log) else {
            return if self.names.can_intern(&delta.log) { Ok(()) } else { Err(IntegrateError::TooManyLogs) };
        };
        let seen = self.names.log(number).newest_seq();
        if delta.seq < seen {
            return Err(IntegrateError::NotNext { log: delta.log, seq: delta.seq, seen });
        }
        if self.has_room(number, length) { Ok(()) } else { Err(IntegrateError::TooLong) }
    }

    pub(super) fn apply(&mut self, delta: &Delta, step: Resolved) -> Result<Vec<Splice>, IntegrateError> {
        if step.delete.is_empty() && step.insert.is_none() {
            return Ok(Vec::new());
        }
        if self.fits(&step) {
            return Ok(self.apply_by_position(delta, &step));
        }
        let found = self.find(&step);
        let insert = match &step.insert {
            None => None,
            Some(insert) => {
                self.check_order(insert, &found)?;
                Some((insert, self.add(delta, insert)))
            }
        };
        // From the right, so that the positions further left stay true.
        let mut splices: Vec<Splice> =
            found.delete.iter().rev().map(|(position, length)| Splice::new(*position, *length, "")).collect();
        for splice in &splices {
            self.do_splice(splice, None);
        }
        if let Some((insert, first)) = insert {
            let position = self.position_of_new(insert, first, &found.after_deletion());
            let splice = Splice { position, deleted: 0, inserted: insert.text.clone() };
            self.do_splice(&splice, Some(Run { log: first.log, clock: first.clock, length: insert.length }));
            splices.push(splice);
        }
        Ok(splices)
    }

    /// Whether the step can be applied where its author saw it. The new units stand between their two
    /// neighbours in any case; when nothing visible lies between, that is one place in the visible text.
    fn fits(&self, step: &Resolved) -> bool {
        #[cfg(test)]
        if self.always_ask_yrs {
            return false;
        }
        let deleted = step.delete.iter().try_fold(0u32, |sum, range| sum.checked_add(range.length));
        let end = deleted.and_then(|deleted| step.position.checked_add(deleted));
        let Some(end) = end.filter(|end| *end <= self.runs.len()) else { return false };
        if let Some(insert) = &step.insert {
            let left = step.position.checked_sub(1).and_then(|before| self.unit_at(before));
            if left != insert.left || self.unit_at(end) != insert.right {
                return false;
            }
        }
        self.is_exactly(step.position, &step.delete)
    }

    /// Whether the visible units from `position` on are exactly these.
    fn is_exactly(&self, position: u32, ranges: &[Deletion]) -> bool {
        let mut ranges = ranges.iter().copied();
        let Some(mut wanted) = ranges.next() else { return true };
        for run in self.runs.range(position, u32::MAX) {
            let mut run = Deletion { first: Unit { log: run.log, clock: run.clock }, length: run.length };
            while run.length > 0 {
                if run.first != wanted.first {
                    return false;
                }
                let same = run.length.min(wanted.length);
                run.skip(same);
                wanted.skip(same);
                if wanted.length == 0 {
                    match ranges.next() {
                        Some(next) => wanted = next,
                        None => return true,
                    }
                }
            }
        }
        false
    }

    fn apply_by_position(&mut self, delta: &Delta, step: &Resolved) -> Vec<Splice> {
        let deleted = step.delete.iter().map(|range| range.length).sum();
        let inserted = step.insert.as_ref().map_or_else(|| "".into(), |insert| insert.text.clone());
        let splice = Splice { position: step.position, deleted, inserted };
        self.delete_visible(step.position, deleted);
        splice_rope_silently(&mut self.text, &splice).expect("invariant: visible units are in the text");
        if let Some(insert) = &step.insert {
            let first = self.add(delta, insert);
            self.runs.insert(step.position, Run { log: first.log, clock: first.clock, length: insert.length });
        }
        vec![splice]
    }

    /// Names the units of a checked insertion.
    fn add(&mut self, delta: &Delta, insert: &ResolvedInsert) -> Unit {
        let number = self.names.intern(&delta.log).expect("invariant: checked before");
        self.record(number, delta.seq, &insert.text, insert.length, (insert.left, insert.right))
    }

    fn do_splice(&mut self, splice: &Splice, run: Option<Run>) {
        self.delete_visible(splice.position, splice.deleted);
        splice_rope_silently(&mut self.text, splice).expect("invariant: visible units are in the text");
        if let Some(run) = run {
            self.runs.insert(splice.position, run);
        }
    }

    /// Looks for the step's units among the visible ones.
    fn find(&self, step: &Resolved) -> Found {
        let ranges = sorted(&step.delete);
        let (left, right) = step.insert.as_ref().map_or((None, None), |insert| (insert.left, insert.right));
        let mut found = Found { delete: Vec::new(), left: None, right: None };
        let mut position = 0;
        for run in self.runs.iter() {
            let place_of = |unit: Option<Unit>| {
                let skip = unit.filter(|unit| unit.log == run.log)?.clock.checked_sub(run.clock)?;
                (skip < run.length).then_some(position + skip)
            };
            found.left = found.left.or_else(|| place_of(left));
            found.right = found.right.or_else(|| place_of(right));
            add_pieces(&mut found.delete, &ranges, run, position);
            position += run.length;
        }
        found
    }

    fn check_order(&mut self, insert: &ResolvedInsert, found: &Found) -> Result<(), IntegrateError> {
        let (Some(left), Some(right)) = (insert.left, insert.right) else { return Ok(()) };
        let is_ordered = match (found.left, found.right) {
            (Some(left), Some(right)) => left < right,
            _ => self.rank(left) < self.rank(right),
        };
        if is_ordered { Ok(()) } else { Err(IntegrateError::LeftAfterRight) }
    }

    fn rank(&mut self, unit: Unit) -> u32 {
        let order = self.order.get_or_insert_with(Order::new);
        order.feed(&self.names, &self.insertions);
        order.rank(&self.names, unit)
    }

    /// Where new units, recorded but not yet visible, stand among the visible ones: after those of lower rank.
    fn position_of_new(&mut self, insert: &ResolvedInsert, first: Unit, found: &Found) -> u32 {
        let from = match (insert.left, found.left) {
            (Some(_), Some(position)) => position + 1,
            _ => 0,
        };
        let to = match (insert.right, found.right) {
            (Some(_), Some(position)) => position,
            _ => self.runs.len(),
        };
        #[cfg(test)]
        let (from, to) = if self.always_ask_yrs { (0, self.runs.len()) } else { (from, to) };
        if from == to {
            return from;
        }
        let rank = self.rank(first);
        let (mut low, mut high) = self.narrow(rank, from, to, found);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.is_before(middle, rank) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Steps away from the neighbour that is still visible, for the place is rarely far from it.
    fn narrow(&mut self, rank: u32, from: u32, to: u32, found: &Found) -> (u32, u32) {
        let (mut low, mut high, mut step) = (from, to, 1);
        if found.left.is_some() || found.right.is_none() {
            while low + step < high && self.is_before(low + step - 1, rank) {
                low += step;
                step *= 2;
            }
            (low, high.min(low + step))
        } else {
            while high - low > step && !self.is_before(high - step, rank) {
                high -= step;
                step *= 2;
            }
            (low.max(high.saturating_sub(step)), high)
        }
    }

    fn is_before(&mut self, position: u32, rank: u32) -> bool {
        let unit = self.unit_at(position).expect("invariant: searched among visible units");
        self.rank(unit) < rank
    }
}

impl Deletion {
    fn skip(&mut self, length: u32) {
        self.first.clock += length;
        self.length -= length;
    }
}

/// Ranges by log and clock, none overlapping another.
fn sorted(ranges: &[Deletion]) -> Vec<Deletion> {
    let mut sorted = ranges.to_vec();
    sorted.sort_by_key(|range| range.first);
    let mut merged: Vec<Deletion> = Vec::with_capacity(sorted.len());
    for range in sorted {
        match merged.last_mut() {
            Some(last) if last.first.log == range.first.log && range.first.clock <= last.end() => {
                last.length = last.end().max(range.end()) - last.first.clock;
            }
            _ => merged.push(range),
        }
    }
    merged
}

/// The parts of a visible run that the ranges name, as positions and lengths.
fn add_pieces(pieces: &mut Vec<(u32, u32)>, ranges: &[Deletion], run: Run, position: u32) {
    let run_end = run.clock + run.length;
    let from = ranges.partition_point(|range| (range.first.log, range.end()) <= (run.log, run.clock));
    for range in &ranges[from..] {
        if range.first.log != run.log || range.first.clock >= run_end {
            break;
        }
        let start = range.first.clock.max(run.clock);
        let length = range.end().min(run_end) - start;
        let at = position + start - run.clock;
        match pieces.last_mut() {
            Some((last, last_length)) if *last + *last_length == at => *last_length += length,
            _ => pieces.push((at, length)),
        }
    }
}

fn read_text(source: &TextSource, blobs: &dyn BlobSource) -> Result<Arc<str>, IntegrateError> {
    match source {
        TextSource::Inline(text) => Ok(text.clone()),
        TextSource::Blob { hash, length } => {
            let bytes = blobs.blob(hash).ok_or(IntegrateError::MissingBlob(*hash))?;
            let text = String::from_utf8(bytes).map_err(|_| IntegrateError::BadBlob(*hash))?;
            if utf16_len(&text) == *length { Ok(text.into()) } else { Err(IntegrateError::BadBlob(*hash)) }
        }
    }
}
