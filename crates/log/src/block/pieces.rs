//! What a block shows of a text while it is coded: which units stand where, as far as its steps named them. Only
//! for guessing names; a wrong guess costs bits, never correctness.

/// A unit, its log by the number that it has within the block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Unit {
    pub log: usize,
    pub seq: u32,
    pub offset: u32,
}

impl Unit {
    fn after(self, n: u64) -> Unit {
        Unit { offset: self.offset.wrapping_add(n as u32), ..self }
    }
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    length: u64,
    /// None where nothing is known.
    first: Option<Unit>,
}

/// The text of one file.
#[derive(Clone, Debug)]
pub(super) struct Pieces {
    pieces: Vec<Piece>,
    /// Where the last question was answered: the next one is asked close by.
    near_idx: usize,
    near_start: u64,
}

const UNKNOWN_LENGTH: u64 = 1 << 40;

impl Pieces {
    pub fn new() -> Self {
        Self { pieces: vec![Piece { length: UNKNOWN_LENGTH, first: None }], near_idx: 0, near_start: 0 }
    }

    /// The piece that holds the unit at `position`, and where it starts.
    fn find(&mut self, position: u64) -> (usize, u64) {
        let (mut idx, mut start) = (self.near_idx, self.near_start);
        while position < start {
            idx -= 1;
            start -= self.pieces[idx].length;
        }
        while position >= start + self.pieces[idx].length && idx + 1 < self.pieces.len() {
            start += self.pieces[idx].length;
            idx += 1;
        }
        (self.near_idx, self.near_start) = (idx, start);
        (idx, start)
    }

    /// The unit at a position, if it is known.
    pub fn unit_at(&mut self, position: u64) -> Option<Unit> {
        let (idx, start) = self.find(position);
        self.pieces[idx].first.map(|first| first.after(position - start))
    }

    /// The nearest known unit before a position, and how far before.
    pub fn unit_before(&mut self, position: u64) -> Option<(Unit, u64)> {
        let (idx, start) = self.find(position);
        let piece = self.pieces[..idx].last()?;
        piece.first.map(|first| (first.after(piece.length - 1), position - start + 1))
    }

    /// The nearest known unit after a position, and how far after.
    pub fn unit_after(&mut self, position: u64) -> Option<(Unit, u64)> {
        let (idx, start) = self.find(position);
        let piece = self.pieces.get(idx + 1)?;
        piece.first.map(|first| (first, start + self.pieces[idx].length - position))
    }

    /// Makes a piece begin at `position` and gives its index.
    fn cut(&mut self, position: u64) -> usize {
        let (idx, start) = self.find(position);
        let piece = self.pieces[idx];
        let n_before = position - start;
        if n_before == 0 {
            return idx;
        }
        let rest = Piece { length: piece.length - n_before, first: piece.first.map(|first| first.after(n_before)) };
        self.pieces[idx].length = n_before;
        self.pieces.insert(idx + 1, rest);
        idx + 1
    }

    pub fn insert(&mut self, position: u64, length: u64, first: Unit) {
        if length == 0 || position + length >= UNKNOWN_LENGTH {
            return;
        }
        let idx = self.cut(position);
        // A run that goes on stays one piece.
        let goes_on = |piece: &&mut Piece| piece.first.is_some_and(|unit| unit.after(piece.length) == first);
        if let Some(previous) = idx.checked_sub(1).map(|idx| &mut self.pieces[idx]).filter(goes_on) {
            let start = position - previous.length;
            previous.length += length;
            (self.near_idx, self.near_start) = (idx - 1, start);
            return;
        }
        self.pieces.insert(idx, Piece { length, first: Some(first) });
        (self.near_idx, self.near_start) = (idx, position);
    }

    pub fn delete(&mut self, position: u64, length: u64) {
        if length == 0 || position + length >= UNKNOWN_LENGTH / 2 {
            return;
        }
        let from = self.cut(position);
        let to = self.cut(position + length);
        self.pieces.drain(from..to);
        // The unknown rest at the end is never deleted whole, so a piece stands here.
        (self.near_idx, self.near_start) = (from, position);
    }

    /// Takes note of a name that a step told.
    pub fn learn(&mut self, position: u64, unit: Unit) {
        if position + 1 >= UNKNOWN_LENGTH / 2 || self.unit_at(position) == Some(unit) {
            return;
        }
        self.delete(position, 1);
        self.insert(position, 1, unit);
    }
}
