//! How two devices that have never met come to trust each other, over a connection that anybody may have opened: with
//! a code that one person says to the other ([`CodeHost`], [`CodeGuest`]), or by asking, two words being compared on
//! both screens ([`AskHost`], [`AskGuest`]). The *host* lets in, the *guest* is let in. State machines: messages and
//! time in, messages and what happened out; no bytes make them panic. The bytes: `docs/protocol.md`, "Pairing".

mod by_asking;
mod by_code;
mod message;

pub use by_asking::{AskGuest, AskGuestEvent, AskHost, AskHostEvent};
pub use by_code::{CodeGuest, CodeGuestEvent, CodeHost, CodeHostEvent, Invitation, InvitationState};
pub use message::{Closed, MESSAGE_BYTES_MAX};

use crate::{DeviceKey, plain_name};
use codesync_base::{DeviceId, ProjectId, Role, ShareFrom, limits};
use ed25519_dalek::{Signature, Signer, VerifyingKey};
use message::Message;
pub(crate) use message::Signed;
use serde::{Deserialize, Serialize};

/// Wrong tries after which a code is switched off.
pub const TRIES_MAX: u32 = 3;
/// How long a short code stands.
pub const SHORT_CODE_MS: u64 = 10 * 60 * 1_000;
/// How long a code of six words stands.
pub const LONG_CODE_MS: u64 = 24 * 60 * 60 * 1_000;
/// How long somebody who asks waits.
pub const ASK_MS: u64 = 2 * 60 * 1_000;
/// What was given out on a clock that is put back by more than this is over: it would stand for so much longer.
const PUT_BACK_MS_MAX: u64 = 60 * 1_000;
/// Bytes of the grant that a host hands over. Above what a delta with its signature can have.
pub const GRANT_BYTES_MAX: usize = limits::DELTA_BYTES_MAX + 1_024;

/// The keys of a connection's two ends, as the transport proved them. Neither can be another's inside the pairing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Connection {
    pub host_peer: [u8; 32],
    pub guest_peer: [u8; 32],
}

/// Who somebody says they are.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct About {
    pub person: String,
    pub device_name: String,
}

/// The device at the other end, which has shown that it has its key; the names are only what it says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Other {
    pub device: DeviceId,
    pub about: About,
}

/// What a guest is let into.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Place {
    pub project: ProjectId,
    pub name: String,
    /// Whose workspace it was first: where its rights begin.
    pub founder: DeviceId,
    pub role: Role,
    pub share_from: ShareFrom,
}

/// What a state machine answers.
#[derive(Debug)]
pub struct Reply<E> {
    /// To be sent to the other end.
    pub send: Option<Vec<u8>>,
    pub event: Option<E>,
    /// Nothing more is taken or sent: the stream can be closed once `send` is out.
    pub is_over: bool,
}

/// Why a pairing came to nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    #[error("the other end closed it: {0:?}")]
    Closed(Closed),
    /// What was sent means nothing here and now.
    #[error("the other end does not speak the protocol")]
    Malformed,
    #[error("the other end speaks version {0}")]
    Version(u8),
    /// The other end let it look as if it knew the code, or had a key, and does not.
    #[error("the other end is not who it says it is")]
    NotProved,
}

impl<E> Reply<E> {
    fn send(message: &Message) -> Self {
        Self { send: Some(message.encode()), event: None, is_over: false }
    }

    fn with(mut self, event: E) -> Self {
        self.event = Some(event);
        self
    }

    fn over(mut self) -> Self {
        self.is_over = true;
        self
    }

    fn silent(event: E) -> Self {
        Self { send: None, event: Some(event), is_over: false }
    }
}

impl About {
    /// Names longer than a name is are cut.
    pub fn new(person: &str, device_name: &str) -> Self {
        Self { person: cut(person), device_name: cut(device_name) }
    }

    /// As people may read it. What is signed is what was sent.
    pub(crate) fn plain(self) -> Self {
        Self { person: plain_name(&self.person), device_name: plain_name(&self.device_name) }
    }

    fn is_sound(&self) -> bool {
        self.person.len().max(self.device_name.len()) <= NAME_BYTES_MAX
    }
}

/// Names in messages: two of them and all else fit into [`MESSAGE_BYTES_MAX`].
pub(crate) const NAME_BYTES_MAX: usize = 256;

pub(crate) fn cut(name: &str) -> String {
    let mut name = plain_name(name);
    name.truncate(name.floor_char_boundary(NAME_BYTES_MAX));
    name
}

impl Other {
    fn plain(self) -> Self {
        Self { about: self.about.plain(), ..self }
    }
}

impl Place {
    fn plain(self) -> Self {
        Self { name: plain_name(&self.name), ..self }
    }
}

/// One number for all that was said, part by part.
fn digest(context: &'static str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    *hasher.finalize().as_bytes()
}

/// Same bytes, in a time that does not depend on them.
fn is_same(a: [u8; 32], b: [u8; 32]) -> bool {
    blake3::Hash::from_bytes(a) == blake3::Hash::from_bytes(b)
}

/// What of one secret seed is used for what.
fn random(seed: &[u8; 32], what: &'static str) -> [u8; 32] {
    digest("codesync 2026 pairing randomness", &[seed, what.as_bytes()])
}

/// Statements that a device signs while pairing. None can be taken for another, nor for a delta.
const HOST_CONTEXT: &[u8] = b"codesync pairing host 1\0";
const GUEST_CONTEXT: &[u8] = b"codesync pairing guest 1\0";
const LET_IN_CONTEXT: &[u8] = b"codesync pairing let in 1\0";

fn sign(key: &DeviceKey, context: &[u8], said: &[u8; 32]) -> Signed {
    Signed::of(key.signing.sign(&[context, said].concat()).to_bytes())
}

fn is_signed(device: &DeviceId, context: &[u8], said: &[u8; 32], signature: &Signed) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(&device.0) else { return false };
    key.verify_strict(&[context, said].concat(), &Signature::from_bytes(&signature.bytes())).is_ok()
}

/// Whether what stands until a time, and for so long in all, is over.
fn is_over(until_ms: u64, stands_ms: u64, now_ms: u64) -> bool {
    until_ms <= now_ms || until_ms - now_ms > stands_ms + PUT_BACK_MS_MAX
}

/// The end of a pairing in which the other end closed it, or did what it should not.
fn fail<E>(event: impl Fn(Failure) -> E, failure: Failure) -> Reply<E> {
    let reply = Reply::silent(event(failure)).over();
    match failure {
        Failure::Closed(_) => reply,
        _ => Reply { send: Some(Message::Closed(Closed::Malformed).encode()), ..reply },
    }
}

#[cfg(test)]
mod tests;
