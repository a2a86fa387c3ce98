//! Deltas of one frame as they are read. The signatures of many are checked together, before the frame is dealt with.

use crate::frame::WireDelta;
use codesync_auth::{verify_delta, verify_deltas};
use codesync_base::{SignedDelta, decode_delta};

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

    /// What its signature speaks about, where it has one.
    fn to_check(&self) -> Option<&SignedDelta> {
        self.signed.as_ref().filter(|_| self.has_signature)
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
    if are_wanted {
        let signed: Vec<&SignedDelta> = arriving.iter().filter_map(Arriving::to_check).collect();
        let are_good = verify_deltas(&signed);
        let checked = arriving.iter_mut().filter(|one| one.to_check().is_some());
        checked.zip(are_good).for_each(|(one, is_good)| one.is_good = Some(is_good));
    }
    arriving
}
