//! Changesets over a text: the arithmetic of the editor link (operational transformation of two parties,
//! after Ellis & Gibbs 1989 and the Jupiter protocol, Nichols et al. 1995). Pure.
//!
//! A changeset says what happens to a base text from left to right: keep, insert, delete. Where both sides
//! insert at one place, the view's message says whose text stands left ([`Left`]). What both delete is
//! deleted once. That defines [`transform`] uniquely; `ui/src/editor/link.ts` does the same.

use codesync_base::{Splice, utf16_len};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Units of the base that stay.
    Keep(u32),
    Insert(String),
    /// Units of the base that go.
    Delete(u32),
}

/// Operations from left to right; what follows the last one is kept. Adjacent operations of one kind are
/// merged, and between two keeps an insert stands before a delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changeset {
    ops: Vec<Op>,
}

impl Changeset {
    pub fn of_splice(splice: &Splice) -> Self {
        let mut set = Self::default();
        set.keep(splice.position);
        set.insert(&splice.inserted);
        set.delete(splice.deleted);
        set
    }

    /// One changeset for a list of splices, each positioned in the text after those before it.
    pub fn of_splices(splices: &[Splice]) -> Self {
        match splices {
            [] => Self::default(),
            [one] => Self::of_splice(one),
            // By halves: one after the other, ten thousand would each be carried past all those before.
            _ => {
                let (first, rest) = splices.split_at(splices.len() / 2);
                Self::of_splices(first).then(&Self::of_splices(rest))
            }
        }
    }

    /// As splices, each positioned in the text after those before it.
    pub fn splices(&self) -> Vec<Splice> {
        let mut splices: Vec<Splice> = Vec::new();
        let (mut position, mut open) = (0, None::<Splice>);
        for op in &self.ops {
            match op {
                Op::Keep(n) => {
                    splices.extend(open.take());
                    position += n;
                }
                Op::Insert(text) => {
                    let splice = open.get_or_insert_with(|| Splice::new(position, 0, ""));
                    splice.inserted = format!("{}{text}", splice.inserted).into();
                    position += utf16_len(text);
                }
                Op::Delete(n) => open.get_or_insert_with(|| Splice::new(position, 0, "")).deleted += n,
            }
        }
        splices.extend(open);
        splices
    }

    /// `self`, then `next` (whose base is the result of `self`), as one.
    pub fn then(&self, next: &Self) -> Self {
        let (mut left, mut right) = (Cursor::new(&self.ops), Cursor::new(&next.ops));
        let mut out = Self::default();
        loop {
            match (left.peek(), right.peek()) {
                (None, None) => return out,
                (Some(Op::Delete(n)), _) => {
                    out.delete(n);
                    left.skip_op();
                }
                (_, Some(Op::Insert(text))) => {
                    out.insert(&text);
                    right.skip_op();
                }
                (None, Some(_)) => out.push(right.take_op()),
                (Some(_), None) => out.push(left.take_op()),
                (Some(Op::Keep(n)), Some(other)) => {
                    let n = n.min(length(&other));
                    match other {
                        Op::Delete(_) => out.delete(n),
                        Op::Keep(_) | Op::Insert(_) => out.keep(n),
                    }
                    left.advance(n);
                    right.advance(n);
                }
                (Some(Op::Insert(text)), Some(other)) => {
                    let n = utf16_len(&text).min(length(&other));
                    if matches!(other, Op::Keep(_)) {
                        out.insert(&take_units(&text, n));
                    }
                    left.advance(n);
                    right.advance(n);
                }
            }
        }
    }

    fn keep(&mut self, n: u32) {
        match self.ops.last_mut() {
            _ if n == 0 => {}
            Some(Op::Keep(last)) => *last += n,
            _ => self.ops.push(Op::Keep(n)),
        }
    }

    fn insert(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        // An insert before or after a delete at one place means the same: the insert is put first.
        let at = match self.ops.last() {
            Some(Op::Delete(_)) => self.ops.len() - 1,
            _ => self.ops.len(),
        };
        match at.checked_sub(1).map(|i| &mut self.ops[i]) {
            Some(Op::Insert(last)) => last.push_str(text),
            _ => self.ops.insert(at, Op::Insert(text.to_owned())),
        }
    }

    fn delete(&mut self, n: u32) {
        match self.ops.last_mut() {
            _ if n == 0 => {}
            Some(Op::Delete(last)) => *last += n,
            _ => self.ops.push(Op::Delete(n)),
        }
    }

    fn push(&mut self, op: Op) {
        match op {
            Op::Keep(n) => self.keep(n),
            Op::Insert(text) => self.insert(&text),
            Op::Delete(n) => self.delete(n),
        }
    }
}

/// What stands left of the view's text where both sides insert at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The engine's lines. What it inserts behind its last line end stands right: it may be a word that goes on.
    Lines,
    /// Nothing: what was typed behind a letter goes on behind it (`ViewEdit::stays_left`).
    View,
}

impl Left {
    pub fn of_view(stays_left: bool) -> Self {
        if stays_left { Self::View } else { Self::Lines }
    }
}

/// Two changesets of one base, made without knowing each other, to two that can follow the other:
/// `engine.then(view')` and `view.then(engine')` give the same text.
pub fn transform(engine: &Changeset, view: &Changeset, at_ties: Left) -> (Changeset, Changeset) {
    let (mut left, mut right) = (Cursor::new(&engine.ops), Cursor::new(&view.ops));
    let (mut engine_after, mut view_after) = (Changeset::default(), Changeset::default());
    loop {
        match (left.peek(), right.peek()) {
            (None, None) => return (engine_after, view_after),
            (Some(Op::Insert(text)), other) if left_part(&text, other.as_ref(), at_ties) > 0 => {
                let text = &text[..left_part(&text, other.as_ref(), at_ties)];
                engine_after.insert(text);
                view_after.keep(utf16_len(text));
                left.advance(utf16_len(text));
            }
            (_, Some(Op::Insert(text))) => {
                view_after.insert(&text);
                engine_after.keep(utf16_len(&text));
                right.skip_op();
            }
            (Some(_), None) => engine_after.push(left.take_op()),
            (None, Some(_)) => view_after.push(right.take_op()),
            (Some(ours), Some(theirs)) => {
                let n = length(&ours).min(length(&theirs));
                match (ours, theirs) {
                    (Op::Keep(_), Op::Keep(_)) => {
                        engine_after.keep(n);
                        view_after.keep(n);
                    }
                    (Op::Delete(_), Op::Keep(_)) => engine_after.delete(n),
                    (Op::Keep(_), Op::Delete(_)) => view_after.delete(n),
                    // Both deleted it: for either, it is gone already.
                    (Op::Delete(_), Op::Delete(_)) | (Op::Insert(_), _) | (_, Op::Insert(_)) => {}
                }
                left.advance(n);
                right.advance(n);
            }
        }
    }
}

/// How many bytes of what the engine inserts stand left of what the view does at that place.
fn left_part(engine: &str, view: Option<&Op>, at_ties: Left) -> usize {
    match (view, at_ties) {
        (Some(Op::Insert(_)), Left::View) => 0,
        (Some(Op::Insert(_)), Left::Lines) => engine.rfind('\n').map_or(0, |at| at + 1),
        _ => engine.len(),
    }
}

fn length(op: &Op) -> u32 {
    match op {
        Op::Keep(n) | Op::Delete(n) => *n,
        Op::Insert(text) => utf16_len(text),
    }
}

/// First `n` UTF-16 units.
fn take_units(text: &str, n: u32) -> String {
    text[..byte_of_unit(text, n)].to_owned()
}

fn byte_of_unit(text: &str, n: u32) -> usize {
    let mut units = 0;
    for (byte, c) in text.char_indices() {
        if units >= n {
            return byte;
        }
        units += c.len_utf16() as u32;
    }
    text.len()
}

/// Reads operations piece by piece.
struct Cursor<'a> {
    ops: &'a [Op],
    /// Units of the first operation that are already read.
    used: u32,
}

impl<'a> Cursor<'a> {
    fn new(ops: &'a [Op]) -> Self {
        Self { ops, used: 0 }
    }

    /// What is left of the operation at hand.
    fn peek(&self) -> Option<Op> {
        Some(match self.ops.first()? {
            Op::Keep(n) => Op::Keep(n - self.used),
            Op::Delete(n) => Op::Delete(n - self.used),
            Op::Insert(text) => Op::Insert(text[byte_of_unit(text, self.used)..].to_owned()),
        })
    }

    fn take_op(&mut self) -> Op {
        let op = self.peek().expect("invariant: peeked before");
        self.skip_op();
        op
    }

    fn skip_op(&mut self) {
        self.ops = &self.ops[1..];
        self.used = 0;
    }

    fn advance(&mut self, n: u32) {
        self.used += n;
        if self.ops.first().is_some_and(|op| length(op) == self.used) {
            self.skip_op();
        }
    }
}

#[cfg(test)]
mod tests;
