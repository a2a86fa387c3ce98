//! The outlines of sealed blocks, kept in one file beside the journal, from which a timeline is drawn at once. A cache:
//! every record is bound to its block by a checksum, what cannot be believed is made again from the block, and a
//! failure to write it fails nobody.
//!
//! Format: records of length u32, checksum, id of the block, outline (see `block/brief.rs`), one after the other.

use super::{Block, Log};
use crate::block::BlockId;
use crate::block::brief::BriefBlock;
use crate::disk::read_if_there;
use crate::index::{checked, unchecked};
use codesync_base::SignedDelta;
use std::collections::BTreeMap;
use std::sync::Arc;

const FILE: &str = "outlines";
/// Records that no block needs any more may take this much before the file is written anew.
const DEAD_BYTES_MAX: usize = 16 << 10;

/// Outlines that the file does not have yet.
pub(super) type NewBriefs = Vec<(BlockId, Vec<u8>)>;

/// What the file holds.
#[derive(Default)]
pub(super) struct KeptBriefs {
    by_block: BTreeMap<BlockId, Vec<u8>>,
    /// Something in it is not a record, and what comes after could not be read.
    is_torn: bool,
}

impl KeptBriefs {
    fn parse(mut rest: &[u8]) -> Self {
        let mut kept = Self::default();
        while !rest.is_empty() {
            let record = rest.split_first_chunk::<4>().and_then(|(length, behind)| {
                let (record, behind) = behind.split_at_checked(u32::from_le_bytes(*length) as usize)?;
                let (id, bytes) = unchecked(FILE.as_bytes(), record)?.split_first_chunk::<16>()?;
                kept.by_block.insert(BlockId(*id), bytes.to_vec());
                Some(behind)
            });
            match record {
                Some(behind) => rest = behind,
                None => {
                    kept.is_torn = true;
                    break;
                }
            }
        }
        kept
    }

    fn size(&self, block: &Block) -> usize {
        self.get(block).map_or(0, |bytes| record(&block.id, bytes).len())
    }

    pub fn get(&self, block: &Block) -> Option<&[u8]> {
        self.by_block.get(&block.id).map(Vec::as_slice)
    }
}

fn record(id: &BlockId, bytes: &[u8]) -> Vec<u8> {
    let checked = checked(FILE.as_bytes(), &[&id.0, bytes].concat());
    [&(checked.len() as u32).to_le_bytes()[..], &checked].concat()
}

impl Log {
    pub(super) fn kept_briefs(&self) -> KeptBriefs {
        let bytes = read_if_there(&*self.writer.disk, FILE).ok().flatten();
        bytes.map_or_else(KeptBriefs::default, |bytes| KeptBriefs::parse(&bytes))
    }

    /// The outline of a block, to be written with the next ones.
    pub(super) fn note_brief(&self, block: &Block, deltas: &[Arc<SignedDelta>]) -> BriefBlock {
        let brief = BriefBlock::of(deltas);
        let bytes = brief.encode(&block.summary);
        // What it cannot express is read from the block itself.
        if BriefBlock::decode(&bytes, &block.summary, brief.structural.clone()).as_ref() == Some(&brief) {
            self.new_briefs.borrow_mut().push((block.id, bytes));
        }
        brief
    }

    /// Adds the new ones to the file; `tidy` also takes out what no block needs any more.
    pub(super) fn write_briefs(&mut self, tidy: bool) {
        let new = self.new_briefs.take();
        let written = if tidy { self.tidy_briefs(new) } else { self.append_briefs(&new) };
        if let Err(error) = written {
            tracing::debug!(%error, "outlines of blocks are made again when they are needed");
        }
    }

    fn append_briefs(&mut self, new: &NewBriefs) -> std::io::Result<()> {
        let records: Vec<u8> = new.iter().flat_map(|(id, bytes)| record(id, bytes)).collect();
        if records.is_empty() { Ok(()) } else { self.writer.disk.append(FILE, &records) }
    }

    fn tidy_briefs(&mut self, new: NewBriefs) -> std::io::Result<()> {
        let bytes = read_if_there(&*self.writer.disk, FILE)?.unwrap_or_default();
        let mut kept = KeptBriefs::parse(&bytes);
        let alive_bytes: usize = self.blocks.iter().map(|block| kept.size(block)).sum();
        if !kept.is_torn && bytes.len() <= alive_bytes + DEAD_BYTES_MAX {
            return self.append_briefs(&new);
        }
        kept.by_block.extend(new);
        let alive = self.blocks.iter().filter_map(|block| Some((&block.id, kept.get(block)?)));
        let whole: Vec<u8> = alive.flat_map(|(id, bytes)| record(id, bytes)).collect();
        self.writer.disk.replace(FILE, &whole)
    }
}
