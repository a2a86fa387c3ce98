//! What goes over the wire while pairing: a version byte, then one message in postcard.

use super::{About, Failure, GRANT_BYTES_MAX};
use codesync_base::DeviceId;
use serde::{Deserialize, Serialize};

/// First byte of every message.
const VERSION: u8 = 1;
/// Longest message before the other end has shown that it may be here.
pub const MESSAGE_BYTES_MAX: usize = 4 * 1024;
/// Longest message at all: the one with the grant.
const GRANT_MESSAGE_BYTES_MAX: usize = GRANT_BYTES_MAX + MESSAGE_BYTES_MAX;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Message {
    /// Guest: is there a code on this channel? The commitment is to who the guest is.
    Knock { channel: u8, commitment: [u8; 32] },
    /// Host: there is. The commitment is to who the host is and what the guest would be let into.
    Answer { commitment: [u8; 32], share: [u8; 32] },
    /// Guest: the code, so to speak.
    Try { share: [u8; 32], proof: [u8; 32] },
    /// Host: it is right, and here is what I committed to.
    Match { proof: [u8; 32], sealed: Vec<u8> },
    /// Guest: what I committed to.
    Myself { sealed: Vec<u8> },
    /// Host: what makes the guest a member.
    Grant { sealed: Vec<u8> },
    /// Guest, without a code.
    Ask { device: DeviceId, about: About },
    /// Host: who I am, and a commitment to my half of the words.
    Commit { device: DeviceId, about: About, commitment: [u8; 32] },
    /// Guest: my half of the words.
    Half { nonce: [u8; 32], signature: Signed },
    /// Host: mine. From here on both screens show the words.
    Reveal { nonce: [u8; 32], signature: Signed },
    /// Host, when its person said yes.
    LetIn { place: Vec<u8>, grant: Vec<u8>, signature: Signed },
    /// It comes to nothing.
    Closed(Closed),
}

/// Why one end closed a pairing, in its own words.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Closed {
    /// No code is open on this channel, or it was used.
    NoCode,
    /// MSG-PAIR-2.
    WrongCode { n_left: u32 },
    /// MSG-PAIR-2c.
    SwitchedOff,
    /// MSG-PAIR-3.
    RunOut,
    /// MSG-PAIR-5.
    Declined,
    /// What the other end sent made no sense.
    Malformed,
    /// Somebody pressed Cancel.
    Cancelled,
    /// MSG-PAIR-6: the host's person sees other words.
    WordsDiffer,
}

/// An Ed25519 signature, in two halves because serde knows no longer arrays.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Signed([u8; 32], [u8; 32]);

impl Signed {
    pub fn of(bytes: [u8; 64]) -> Self {
        let mut halves = Self([0; 32], [0; 32]);
        halves.0.copy_from_slice(&bytes[..32]);
        halves.1.copy_from_slice(&bytes[32..]);
        halves
    }

    pub fn bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&self.0);
        bytes[32..].copy_from_slice(&self.1);
        bytes
    }
}

impl Message {
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_extend(self, vec![VERSION]).expect("invariant: writing to memory cannot fail")
    }

    /// Reads what the other end sent. Nothing longer than the bytes themselves is ever reserved.
    pub fn decode(bytes: &[u8], is_proved: bool) -> Result<Self, Failure> {
        let max = if is_proved { GRANT_MESSAGE_BYTES_MAX } else { MESSAGE_BYTES_MAX };
        if bytes.len() > max {
            return Err(Failure::Malformed);
        }
        let (&version, body) = bytes.split_first().ok_or(Failure::Malformed)?;
        if version != VERSION {
            return Err(Failure::Version(version));
        }
        match postcard::take_from_bytes(body) {
            Ok((message, [])) => Ok(message),
            _ => Err(Failure::Malformed),
        }
    }
}
