//! What a device tells others on the network about itself before they know each other: who is there, and what can be
//! asked for. Signed, and bound to the one connection it is sent over, so that nobody can show another's card. Tells
//! nothing that gives a right to anything. The bytes: `docs/protocol.md`, "Cards".

use crate::pairing::{About, NAME_BYTES_MAX, Signed, cut};
use crate::{DeviceKey, plain_name};
use codesync_base::{DeviceId, ProjectId};
use ed25519_dalek::{Signature, Signer, VerifyingKey};
use serde::{Deserialize, Serialize};

/// First byte of every message.
const VERSION: u8 = 1;
/// Longest message.
pub const CARD_BYTES_MAX: usize = 4 * 1024;
const CONTEXT: &[u8] = b"codesync card 1\0";
const HINT_CONTEXT: &str = "codesync 2026 card hint";
const WORKSPACE_CONTEXT: &str = "codesync 2026 card workspace";

/// Who is there, and what is shared there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Card {
    pub device: DeviceId,
    pub about: About,
    pub shares: Option<Shared>,
    /// The one who gets this card is invited to what is shared.
    pub invites: bool,
}

/// A workspace that can be asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Shared {
    /// Tells members which one it is, and others nothing: [`workspace_mark`].
    pub mark: [u8; 32],
    pub name: String,
    pub n_people: u32,
}

/// What goes over a stream of cards, either way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CardMessage {
    /// Whoever knows the sender's device recognises it by this; to others it is noise. [`card_hint`].
    Hint([u8; 32]),
    Card(Card),
    /// The card that was sent holds no more.
    Withdrawn,
}

/// Why a message is refused. The stream ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CardError {
    #[error("not a message of this protocol")]
    Malformed,
    #[error("the other end speaks version {0}")]
    Version(u8),
    /// Not its sender's card, or not for this connection.
    #[error("a card that is not its sender's")]
    Forged,
}

#[derive(Serialize, Deserialize)]
enum Wire {
    Hint([u8; 32]),
    Card { body: Vec<u8>, signature: Signed },
    Withdrawn,
}

#[derive(Serialize, Deserialize)]
struct Body {
    device: DeviceId,
    about: About,
    shares: Option<Shared>,
    invites: bool,
}

/// What shows a device to those who know it. `from` and `to`: the keys of the connection's ends.
pub fn card_hint(device: &DeviceId, from: &[u8; 32], to: &[u8; 32]) -> [u8; 32] {
    blake3::derive_key(HINT_CONTEXT, &[&device.0[..], from, to].concat())
}

/// What stands for a project on cards.
pub fn workspace_mark(project: &ProjectId) -> [u8; 32] {
    blake3::derive_key(WORKSPACE_CONTEXT, &project.0)
}

impl CardMessage {
    /// `key` is that of the card's device.
    pub fn encode(&self, key: &DeviceKey, from: &[u8; 32], to: &[u8; 32]) -> Vec<u8> {
        let plain = "invariant: writing to memory cannot fail";
        let wire = match self {
            Self::Hint(hint) => Wire::Hint(*hint),
            Self::Withdrawn => Wire::Withdrawn,
            Self::Card(card) => {
                let Card { device, about, shares, invites } = card.clone();
                let body = postcard::to_stdvec(&Body { device, about, shares, invites }).expect(plain);
                let signature = Signed::of(key.signing.sign(&statement(from, to, &body)).to_bytes());
                Wire::Card { body, signature }
            }
        };
        let mut bytes = vec![VERSION];
        bytes.extend(postcard::to_stdvec(&wire).expect(plain));
        bytes
    }

    /// # Errors
    /// Anything that is not exactly a message, within the limits, of whoever it says it is.
    pub fn decode(bytes: &[u8], from: &[u8; 32], to: &[u8; 32]) -> Result<Self, CardError> {
        let (version, rest) = bytes.split_first().ok_or(CardError::Malformed)?;
        if *version != VERSION {
            return Err(CardError::Version(*version));
        }
        if bytes.len() > CARD_BYTES_MAX {
            return Err(CardError::Malformed);
        }
        match exactly(rest)? {
            Wire::Hint(hint) => Ok(Self::Hint(hint)),
            Wire::Withdrawn => Ok(Self::Withdrawn),
            Wire::Card { body, signature } => {
                let Body { device, about, shares, invites } = exactly(&body)?;
                let longest = shares.as_ref().map_or(0, |shared: &Shared| shared.name.len());
                if about.person.len().max(about.device_name.len()).max(longest) > NAME_BYTES_MAX {
                    return Err(CardError::Malformed);
                }
                let key = VerifyingKey::from_bytes(&device.0).map_err(|_| CardError::Forged)?;
                let signature = Signature::from_bytes(&signature.bytes());
                let is_signed = key.verify_strict(&statement(from, to, &body), &signature).is_ok();
                let shares = shares.map(|shared| Shared { name: plain_name(&shared.name), ..shared });
                let card = Card { device, about: about.plain(), shares, invites };
                if is_signed { Ok(Self::Card(card)) } else { Err(CardError::Forged) }
            }
        }
    }
}

impl Shared {
    /// A name longer than a name is is cut.
    pub fn new(project: &ProjectId, name: &str, n_people: u32) -> Self {
        Self { mark: workspace_mark(project), name: cut(name), n_people }
    }
}

fn exactly<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, CardError> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        _ => Err(CardError::Malformed),
    }
}

fn statement(from: &[u8; 32], to: &[u8; 32], body: &[u8]) -> Vec<u8> {
    [CONTEXT, from, to, body].concat()
}

#[cfg(test)]
mod tests;
