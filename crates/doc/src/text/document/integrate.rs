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

/// Where a step's units are.
pub(super) struct Found {
    /// Visible pieces of the delete ranges as positions and lengths, left to right.
    delete: Vec<(u32, u32)>,
    /// How many units, visible or gone, stand up to and with the left neighbour, and before the right one.
    /// The new ones come between.
    from: u32,
    to: u32,
}

impl Resolved {
    pub(super) fn without_deletion(self) -> Self {
        Self { delete: Vec::new(), ..self }
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

    /// See [`TextDocument::newest_named`].
    pub(super) fn newest_named_in(&self, delta: &Delta, step: &TextStep) -> Result<Vec<(LogId, u32)>, IntegrateError> {
        let mut newest: BTreeMap<LogId, u32> = BTreeMap::new();
        let mut name = |unit: Unit| {
            let (seq, ..) = self.names.name(unit);
            let known = newest.entry(self.names.log(unit.log).id).or_default();
            *known = seq.max(*known);
        };
        for range in &step.delete {
            let range = self.resolve_range(delta, range)?;
            name(Unit { log: range.first.log, clock: range.end() - 1 });
        }
        for item in step.insert.iter().flat_map(|insert| [&insert.left, &insert.right]).flatten() {
            name(self.resolve_item(delta, item)?);
        }
        Ok(newest.into_iter().collect())
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
        if self.fits(&step, step.position) {
            return Ok(self.apply_by_position(delta, &step));
        }
        let found = self.find_as_before(&step).unwrap_or_else(|| self.find(&step));
        if found.from > found.to {
            return Err(IntegrateError::LeftAfterRight);
        }
        // From the right, so that the positions further left stay true.
        let mut splices: Vec<Splice> =
            found.delete.iter().rev().map(|(position, length)| Splice::new(*position, *length, "")).collect();
        for splice in &splices {
            self.delete_visible(splice.position, splice.deleted);
            splice_rope_silently(&mut self.text, splice).expect("invariant: visible units are in the text");
        }
        if let Some(insert) = &step.insert {
            let first = self.add(delta, insert);
            let index = self.index_of_new(first, &found);
            let position = self.runs.visible_before(index);
            let splice = Splice { position, deleted: 0, inserted: insert.text.clone() };
            splice_rope_silently(&mut self.text, &splice).expect("invariant: visible units are in the text");
            self.runs.insert(index, new_run(first, insert.length));
            splices.push(splice);
        }
        if let Some(leftmost) = splices.last() {
            self.shift = i64::from(leftmost.position) - i64::from(step.position);
            self.shifted_to = i64::from(leftmost.position);
        }
        Ok(splices)
    }

    /// Whether the step can be applied at this position. The new units stand between their two
    /// neighbours in any case; when these still are neighbours, that is one place.
    fn fits(&self, step: &Resolved, position: u32) -> bool {
        #[cfg(test)]
        if self.always_ask_yrs {
            return false;
        }
        let deleted = step.delete.iter().try_fold(0u32, |sum, range| sum.checked_add(range.length));
        let end = deleted.and_then(|deleted| position.checked_add(deleted));
        if end.is_none_or(|end| end > self.runs.len()) {
            return false;
        }
        if let Some(insert) = &step.insert {
            let gap = self.runs.gap(position);
            if gap.left != insert.left || gap.right != insert.right {
                return false;
            }
        }
        self.is_exactly(position, &step.delete)
    }

    /// Whether the visible units from `position` on are exactly these.
    fn is_exactly(&self, position: u32, ranges: &[Deletion]) -> bool {
        let mut ranges = ranges.iter().copied();
        let Some(mut wanted) = ranges.next() else { return true };
        for run in self.runs.range(position, u32::MAX) {
            let mut run = Deletion { first: run.unit(), length: run.length };
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
        let deleted: u32 = step.delete.iter().map(|range| range.length).sum();
        let inserted = step.insert.as_ref().map_or_else(|| "".into(), |insert| insert.text.clone());
        if i64::from(step.position) <= self.shifted_to {
            let grown = step.insert.as_ref().map_or(0, |insert| i64::from(insert.length)) - i64::from(deleted);
            self.shift += grown;
            self.shifted_to += grown;
        }
        let splice = Splice { position: step.position, deleted, inserted };
        let gap = self.runs.gap(step.position);
        self.delete_visible(step.position, deleted);
        splice_rope_silently(&mut self.text, &splice).expect("invariant: visible units are in the text");
        if let Some(insert) = &step.insert {
            let first = self.add(delta, insert);
            self.runs.insert(gap.index, new_run(first, insert.length));
        }
        vec![splice]
    }

    /// Names the units of a checked insertion.
    fn add(&mut self, delta: &Delta, insert: &ResolvedInsert) -> Unit {
        let number = self.names.intern(&delta.log).expect("invariant: checked before");
        self.record(number, delta.seq, &insert.text, insert.length, (insert.left, insert.right))
    }

    /// Where the step's units are, if all stand as far from where their author saw them as those of the step before.
    /// What is found is what [`Self::find`] would find.
    pub(super) fn find_as_before(&self, step: &Resolved) -> Option<Found> {
        let position = u32::try_from(i64::from(step.position) + self.shift).ok()?;
        if self.shift == 0 || !self.fits(step, position) {
            return None;
        }
        let index = self.runs.gap(position).index;
        let deleted: u32 = step.delete.iter().map(|range| range.length).sum();
        let delete = if deleted == 0 { Vec::new() } else { vec![(position, deleted)] };
        Some(Found { delete, from: index, to: index })
    }

    fn find(&self, step: &Resolved) -> Found {
        let ranges = sorted(&step.delete);
        let (left, right) = step.insert.as_ref().map_or((None, None), |insert| (insert.left, insert.right));
        let mut found = Found { delete: Vec::new(), from: 0, to: self.runs.len_all() };
        let (mut index, mut position) = (0, 0);
        for run in self.runs.iter() {
            let place_of = |unit: Option<Unit>| {
                let skip = unit.filter(|unit| unit.log == run.log)?.clock.checked_sub(run.clock)?;
                (skip < run.length).then_some(index + skip)
            };
            found.from = place_of(left).map_or(found.from, |place| place + 1);
            found.to = place_of(right).unwrap_or(found.to);
            index += run.length;
            if run.is_visible {
                add_pieces(&mut found.delete, &ranges, run, position);
                position += run.length;
            }
        }
        found
    }

    /// Where among all units the new ones stand, which are recorded but not yet among the runs.
    fn index_of_new(&mut self, first: Unit, found: &Found) -> u32 {
        #[cfg(test)]
        let is_sure = found.from == found.to && !self.always_ask_yrs;
        #[cfg(not(test))]
        let is_sure = found.from == found.to;
        if is_sure {
            return found.from;
        }
        let order = self.order.get_or_insert_with(Order::new);
        order.feed(&self.names, &self.insertions);
        order.rank(&self.names, first)
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
