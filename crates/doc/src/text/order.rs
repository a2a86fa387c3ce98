//! The order of all units ever inserted, decided by yrs. It is given validated names only, never a peer's bytes:
//! yrs 0.28 is not memory-safe on hostile updates.
//!
//! The yrs document here holds placeholders, not the text, and no deletions: the place of a unit depends on
//! neither, and so the offset of a unit is its rank among all units, also those that are gone.

use super::names::{Names, Unit};
use std::fmt;
use yrs::updates::decoder::Decode;
use yrs::{Assoc, ClientID, Doc, GetString, ID, OffsetKind, Options, ReadTxn, StickyIndex, TextRef, Transact, Update};

/// An insertion as it was integrated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Insertion {
    pub first: Unit,
    /// UTF-16 units.
    pub length: u32,
    pub length_bytes: u32,
    pub left: Option<Unit>,
    pub right: Option<Unit>,
}

impl Insertion {
    /// Makes one insertion of two, when yrs cannot tell them apart: the second was typed right after the first.
    pub fn extend(&mut self, next: &Insertion) -> bool {
        let last = Unit { log: self.first.log, clock: self.first.clock + self.length - 1 };
        let is_next = next.first.log == last.log && next.first.clock == last.clock + 1;
        if !is_next || next.left != Some(last) || next.right != self.right {
            return false;
        }
        self.length += next.length;
        self.length_bytes += next.length_bytes;
        true
    }
}

/// Units that went away, in the order in which their log inserted them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deletion {
    pub first: Unit,
    pub length: u32,
}

impl Deletion {
    pub fn end(&self) -> u32 {
        self.first.clock + self.length
    }

    /// Makes one deletion of two neighbours.
    pub fn extend(&mut self, next: &Deletion) -> bool {
        if next.first.log != self.first.log {
            return false;
        }
        if next.first.clock == self.end() {
            self.length += next.length;
            true
        } else if next.end() == self.first.clock {
            self.first = next.first;
            self.length += next.length;
            true
        } else {
            false
        }
    }
}

/// yrs as the judge of order, fed as far as `n_fed` insertions.
pub(crate) struct Order {
    doc: Doc,
    n_fed: usize,
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Order").field("n_fed", &self.n_fed).finish_non_exhaustive()
    }
}

const ROOT: &str = "t";

impl Order {
    pub fn new() -> Self {
        Self { doc: new_doc().0, n_fed: 0 }
    }

    pub fn n_fed(&self) -> usize {
        self.n_fed
    }

    /// Takes in the insertions that came since the last time.
    pub fn feed(&mut self, names: &Names, insertions: &[Insertion]) {
        if self.n_fed == insertions.len() {
            return;
        }
        let mut transaction = self.doc.transact_mut();
        for insertion in &insertions[self.n_fed..] {
            let placeholders = "x".repeat(insertion.length as usize);
            apply(&mut transaction, &insertion_bytes(names, insertion, &placeholders));
        }
        self.n_fed = insertions.len();
    }

    /// How many units ever inserted stand before this one, which has been fed.
    pub fn rank(&self, names: &Names, unit: Unit) -> u32 {
        let transaction = self.doc.transact();
        let id = ID::new(ClientID::new(names.log(unit.log).client), unit.clock);
        let offset = StickyIndex::from_id(id, Assoc::After).get_offset(&transaction);
        offset.expect("invariant: only known units are asked for").index
    }
}

/// The text that yrs alone makes of all insertions and deletions.
pub(crate) fn text_by_yrs(names: &Names, insertions: &[Insertion], deletions: &[Deletion]) -> Result<String, String> {
    let (doc, text) = new_doc();
    let mut transaction = doc.transact_mut();
    let mut bytes_used = Vec::new();
    for insertion in insertions {
        let log = usize::from(insertion.first.log);
        if bytes_used.len() <= log {
            bytes_used.resize(log + 1, 0);
        }
        let from = bytes_used[log];
        bytes_used[log] += insertion.length_bytes as usize;
        let inserted = names.log(insertion.first.log).text.get(from..bytes_used[log]);
        let inserted = inserted.ok_or("the kept texts do not fit the kept insertions")?;
        apply(&mut transaction, &insertion_bytes(names, insertion, inserted));
    }
    for deletion in deletions {
        apply(&mut transaction, &deletion_bytes(names, deletion));
    }
    if transaction.store().pending_update().is_some() {
        return Err("yrs waits for units that are not there".into());
    }
    Ok(text.get_string(&transaction))
}

fn new_doc() -> (Doc, TextRef) {
    // The client number of a document that never edits is never seen by anyone.
    let mut options = Options::with_client_id(ClientID::new(1));
    options.offset_kind = OffsetKind::Utf16;
    options.skip_gc = true;
    let doc = Doc::with_options(options);
    let text = doc.get_or_insert_text(ROOT);
    (doc, text)
}

fn apply(transaction: &mut yrs::TransactionMut<'_>, bytes: &[u8]) {
    let update = Update::decode_v1(bytes).expect("invariant: our own encoding is well-formed");
    transaction.apply_update(update).expect("invariant: only known units are named");
}

/// Yjs update v1 of one insertion.
pub(crate) fn insertion_bytes(names: &Names, insertion: &Insertion, text: &str) -> Vec<u8> {
    const STRING: u8 = 4;
    const HAS_LEFT: u8 = 0x80;
    const HAS_RIGHT: u8 = 0x40;
    let mut bytes = vec![1, 1];
    push_number(&mut bytes, names.log(insertion.first.log).client);
    push_number(&mut bytes, u64::from(insertion.first.clock));
    let left = if insertion.left.is_some() { HAS_LEFT } else { 0 };
    let right = if insertion.right.is_some() { HAS_RIGHT } else { 0 };
    bytes.push(STRING | left | right);
    for unit in [insertion.left, insertion.right].into_iter().flatten() {
        push_number(&mut bytes, names.log(unit.log).client);
        push_number(&mut bytes, u64::from(unit.clock));
    }
    if left | right == 0 {
        bytes.extend([1, ROOT.len() as u8]);
        bytes.extend(ROOT.bytes());
    }
    push_number(&mut bytes, text.len() as u64);
    bytes.extend(text.bytes());
    bytes.push(0);
    bytes
}

/// Yjs update v1 of one deletion.
pub(crate) fn deletion_bytes(names: &Names, deletion: &Deletion) -> Vec<u8> {
    let mut bytes = vec![0, 1];
    push_number(&mut bytes, names.log(deletion.first.log).client);
    bytes.push(1);
    push_number(&mut bytes, u64::from(deletion.first.clock));
    push_number(&mut bytes, u64::from(deletion.length));
    bytes
}

fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
