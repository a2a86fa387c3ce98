//! Two ends that know the same few bits come to the same strong key; who knows them not learns nothing but whether
//! one guess was right (SPAKE2). The only place that knows the crate, which is of an older generation than ours.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use spake2::{Ed25519Group, Identity, Password, Spake2};

/// Bytes of an end's message.
pub(crate) const SHARE_BYTES: usize = 32;
/// What the crate puts before a message, by side.
const SIDE_JOINER: u8 = 0x41;
const SIDE_INVITER: u8 = 0x42;

/// One end in the middle of the exchange.
pub(crate) struct Exchange {
    spake: Spake2<Ed25519Group>,
    share: [u8; SHARE_BYTES],
    other_side: u8,
}

/// Both ends say the same about who they are, or they get different keys.
pub(crate) struct Ends<'a> {
    pub joiner: &'a [u8],
    pub inviter: &'a [u8],
}

impl Exchange {
    /// `random` must be new for each exchange.
    pub fn as_joiner(secret: &[u8], ends: &Ends<'_>, random: [u8; 32]) -> Self {
        let (joiner, inviter) = (Identity::new(ends.joiner), Identity::new(ends.inviter));
        let rng = ChaCha20Rng::from_seed(random);
        let (spake, message) = Spake2::start_a_with_rng(&Password::new(secret), &joiner, &inviter, rng);
        Self { spake, share: share_of(&message), other_side: SIDE_INVITER }
    }

    /// `random` must be new for each exchange.
    pub fn as_inviter(secret: &[u8], ends: &Ends<'_>, random: [u8; 32]) -> Self {
        let (joiner, inviter) = (Identity::new(ends.joiner), Identity::new(ends.inviter));
        let rng = ChaCha20Rng::from_seed(random);
        let (spake, message) = Spake2::start_b_with_rng(&Password::new(secret), &joiner, &inviter, rng);
        Self { spake, share: share_of(&message), other_side: SIDE_JOINER }
    }

    /// What to send.
    pub fn share(&self) -> [u8; SHARE_BYTES] {
        self.share
    }

    /// The key; none when the other's message is none. Nothing is proved before both have shown that they have it.
    pub fn finish(self, other: &[u8; SHARE_BYTES]) -> Option<[u8; 32]> {
        let message = [&[self.other_side][..], other].concat();
        self.spake.finish(&message).ok()?.try_into().ok()
    }
}

fn share_of(message: &[u8]) -> [u8; SHARE_BYTES] {
    message.get(1..).and_then(|share| share.try_into().ok()).expect("invariant: a side and a point of 32 bytes")
}
