//! Deltas of one frame as they are read. The signatures of many are checked on several cores: that is most of what it
//! takes to catch up. The threads end before the frame is dealt with.

use crate::frame::WireDelta;
use codesync_auth::verify_delta;
use codesync_base::{SignedDelta, decode_delta};
use std::thread;

/// Fewer are checked as they are dealt with.
const TOGETHER_MIN: usize = 64;
/// More than most computers have cores to spare.
const THREADS: usize = 4;

/// A delta of a frame.
pub(super) struct Arriving {
    /// None: its bytes are no delta. Without a signature of its own it has zeros.
    pub signed: Option<SignedDelta>,
    pub bytes: Vec<u8>,
    pub has_signature: bool,
    /// Whether its signature is its author's, where that was looked at.
    is_good: Option<bool>,
}

impl Arriving {
    fn read(WireDelta { bytes, signature }: WireDelta) -> Self {
        let has_signature = signature.is_some();
        let signature = signature.map_or([0; 64], |signature| signature.0);
        let signed = decode_delta(&bytes.0).ok().map(|(delta, hash)| SignedDelta { delta, hash, signature });
        Self { signed, bytes: bytes.0, has_signature, is_good: None }
    }

    fn check(&mut self) {
        if let Some(signed) = self.signed.as_ref().filter(|_| self.has_signature) {
            self.is_good = Some(verify_delta(signed));
        }
    }

    /// Whether it has a signature that is not its author's.
    pub fn is_forged(&self) -> bool {
        let looks_bad = || self.signed.as_ref().is_none_or(|signed| !verify_delta(signed));
        self.has_signature && self.is_good.map_or_else(looks_bad, |is_good| !is_good)
    }
}

/// Reads the deltas of a frame, in its order. `are_wanted`: they are most likely not here yet.
pub(super) fn read(deltas: Vec<WireDelta>, are_wanted: bool) -> Vec<Arriving> {
    let mut arriving: Vec<Arriving> = deltas.into_iter().map(Arriving::read).collect();
    if are_wanted && arriving.len() >= TOGETHER_MIN {
        let n_each = arriving.len().div_ceil(THREADS);
        thread::scope(|scope| {
            for some in arriving.chunks_mut(n_each) {
                // What no thread is found for is checked when it is dealt with.
                drop(thread::Builder::new().spawn_scoped(scope, move || some.iter_mut().for_each(Arriving::check)));
            }
        });
    }
    arriving
}
