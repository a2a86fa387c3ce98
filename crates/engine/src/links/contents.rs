//! Contents on their way over links: kept part by part as they come, read part by part as they are asked for. No more
//! than a part of one is ever in memory.

use codesync_base::{BlobHash, DeviceId};
use codesync_log::{BlobReader, Log, LogError, Packer};
use codesync_sync::{BlobPiece, LinkId};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Contents of which a part came before their link ended, and that are gone on with.
const LEFT_MAX: usize = 16;

#[derive(Default)]
pub(super) struct Contents {
    coming: BTreeMap<(LinkId, BlobHash), Packer>,
    /// The newest is last. Only the device that they came from goes on with them: what it sent is proven with the last
    /// part alone.
    left: Vec<(DeviceId, BlobHash, Packer)>,
    /// The one that was asked for last: it is asked for piece by piece.
    asked: RefCell<Option<BlobReader>>,
}

impl Contents {
    /// Length of a content, and a piece of it.
    pub fn piece(&self, log: &Log, hash: &BlobHash, offset: u64, length: u32) -> Option<(u64, Vec<u8>)> {
        let mut asked = self.asked.borrow_mut();
        let read = |asked: &mut Option<BlobReader>| -> Result<Option<(u64, Vec<u8>)>, LogError> {
            if asked.as_ref().is_none_or(|reader| reader.hash() != hash) {
                *asked = log.blob_reader(hash)?;
            }
            let Some(reader) = asked else { return Ok(None) };
            let bytes = reader.read(log, offset, length as usize)?;
            Ok(Some((reader.length_bytes(), bytes)))
        };
        read(&mut asked).unwrap_or_else(|error| {
            tracing::warn!(%error, %hash, "a content that a peer asks for cannot be read");
            None
        })
    }

    /// How much of a content came over an earlier link with this device: this one goes on.
    pub fn go_on(&mut self, link: LinkId, device: DeviceId, hash: &BlobHash) -> Option<(u64, blake3::Hasher)> {
        let at = self.left.iter().position(|(from, left, _)| (from, left) == (&device, hash))?;
        let (_, _, mut packer) = self.left.remove(at);
        let begun = packer.rewind();
        self.coming.insert((link, *hash), packer);
        Some(begun)
    }

    /// Keeps the next piece. One that cannot be kept ends it: then the content is not here in the end, and is asked
    /// for again.
    pub fn put(&mut self, log: &mut Log, link: LinkId, hash: &BlobHash, piece: BlobPiece) {
        let known = self.coming.remove(&(link, *hash)).filter(|_| piece.offset > 0);
        let mut packer = match known {
            Some(packer) if packer.length_bytes() == piece.offset => packer,
            None if piece.offset == 0 => Packer::default(),
            _ => return,
        };
        let keep = &mut |blob| log.put_part(&blob);
        let kept = match packer.take(piece.bytes, keep) {
            Ok(()) if piece.is_whole => packer.end(keep).map(drop),
            Ok(()) => {
                self.coming.insert((link, *hash), packer);
                Ok(())
            }
            Err(error) => Err(error),
        };
        if let Err(error) = kept {
            tracing::warn!(%error, %hash, "a content of a peer could not be kept");
        }
    }

    pub fn forget(&mut self, link: LinkId, hash: &BlobHash) {
        self.coming.remove(&(link, *hash));
    }

    /// The link is over. What it began is gone on with when the device is back.
    pub fn part_with(&mut self, link: LinkId, device: Option<DeviceId>) {
        let ended: Vec<BlobHash> = self.coming.keys().filter(|(of, _)| *of == link).map(|(_, hash)| *hash).collect();
        for hash in ended {
            let packer = self.coming.remove(&(link, hash));
            if let Some((mut packer, device)) = packer.zip(device)
                && packer.rewind().0 > 0
            {
                self.left.push((device, hash, packer));
            }
        }
        self.left.drain(..self.left.len().saturating_sub(LEFT_MAX));
    }
}
