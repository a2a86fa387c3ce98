//! Device keys and signatures: who wrote a delta. Pure: randomness and time come in as arguments.
//! Private keys never leave this crate but as the seed that the node keeps.

mod access;
mod card;
mod code;
mod names;
mod pairing;
mod pake;
mod people;
mod seal;
mod snapshot;
mod token;
mod words;

pub use access::{Access, Act, ENTRIES_MAX, Membership, Past, Verdict, Why};
pub use card::{CARD_BYTES_MAX, Card, CardError, CardMessage, Shared, card_hint, workspace_mark};
pub use code::{Code, CodeError, CodeLength};
pub use names::plain_name;
pub use pairing::{
    ASK_MS, About, AskGuest, AskGuestEvent, AskHost, AskHostEvent, Closed, CodeGuest, CodeGuestEvent, CodeHost,
    CodeHostEvent, Connection, Failure, GRANT_BYTES_MAX, Invitation, InvitationState, LONG_CODE_MS, MESSAGE_BYTES_MAX,
    Other, Place, Reply, SHORT_CODE_MS, TRIES_MAX,
};
pub use people::{Acquaintance, PEOPLE_MAX, People, Remembered};
pub use snapshot::SnapshotDigest;
pub use token::{LEEWAY_SECONDS, Pass, TOKEN_BYTES_MAX, TOKEN_SECONDS_MAX, TokenError, Verified, verify_token};
pub use words::complete;

use codesync_base::{DeltaHash, DeviceId, SignedDelta};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use std::cell::RefCell;
use std::collections::VecDeque;

/// What a signature speaks about, so that it can never be taken for another kind of statement.
const DELTA_CONTEXT: &[u8] = b"codesync delta 1\0";

/// The key pair of this device.
pub struct DeviceKey {
    signing: SigningKey,
}

impl DeviceKey {
    /// From 32 random bytes, drawn or stored by the caller.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self { signing: SigningKey::from_bytes(seed) }
    }

    pub fn device(&self) -> DeviceId {
        DeviceId(self.signing.verifying_key().to_bytes())
    }

    pub fn sign_delta(&self, hash: &DeltaHash) -> [u8; 64] {
        self.signing.sign(&statement(hash)).to_bytes()
    }
}

/// Whether the author device signed this delta. Strict: refuses weak keys and malleable signatures.
pub fn verify_delta(signed: &SignedDelta) -> bool {
    let Some(key) = verifying_key(&signed.delta.log.device) else { return false };
    key.verify_strict(&statement(&signed.hash), &Signature::from_bytes(&signed.signature)).is_ok()
}

/// The same of many, on several cores: that is most of what it takes to catch up. The threads end before it returns.
pub fn verify_deltas(signed: &[&SignedDelta]) -> Vec<bool> {
    let mut are_good = vec![None; signed.len()];
    if signed.len() >= TOGETHER_MIN {
        let n_each = signed.len().div_ceil(THREADS);
        std::thread::scope(|scope| {
            for (signed, are_good) in signed.chunks(n_each).zip(are_good.chunks_mut(n_each)) {
                let each = are_good.iter_mut().zip(signed);
                let check = || each.for_each(|(good, one)| *good = Some(verify_delta(one)));
                // What no thread is found for is checked below.
                drop(std::thread::Builder::new().spawn_scoped(scope, check));
            }
        });
    }
    are_good.into_iter().zip(signed).map(|(good, one)| good.unwrap_or_else(|| verify_delta(one))).collect()
}

/// Fewer signatures are checked where they are asked about.
const TOGETHER_MIN: usize = 64;
/// More than most computers have cores to spare.
const THREADS: usize = 4;

/// Devices whose keys are kept as they are used.
const KEYS_KEPT: usize = 16;

/// The key of a device. To work it out costs a fifth of a signature, and few devices sign many deltas.
fn verifying_key(device: &DeviceId) -> Option<VerifyingKey> {
    thread_local! {
        static KEYS: RefCell<VecDeque<VerifyingKey>> = const { RefCell::new(VecDeque::new()) };
    }
    KEYS.with_borrow_mut(|keys| {
        if let Some(key) = keys.iter().find(|key| key.as_bytes() == &device.0) {
            return Some(*key);
        }
        let key = VerifyingKey::from_bytes(&device.0).ok()?;
        if keys.len() == KEYS_KEPT {
            keys.pop_front();
        }
        keys.push_back(key);
        Some(key)
    })
}

fn statement(hash: &DeltaHash) -> Vec<u8> {
    [DELTA_CONTEXT, &hash.0].concat()
}

#[cfg(test)]
mod tests;
