//! Device keys and signatures: who wrote a delta. Pure: randomness and time come in as arguments.
//! Private keys never leave this crate but as the seed that the node keeps.

mod access;
mod code;
mod pairing;
mod pake;
mod seal;
mod snapshot;
mod words;

pub use access::{Access, Act, ENTRIES_MAX, Membership, Past, Verdict, Why};
pub use code::{Code, CodeError, CodeLength};
pub use pairing::{
    ASK_MS, About, AskGuest, AskGuestEvent, AskHost, AskHostEvent, Closed, CodeGuest, CodeGuestEvent, CodeHost,
    CodeHostEvent, Connection, Failure, GRANT_BYTES_MAX, Invitation, InvitationState, LONG_CODE_MS, MESSAGE_BYTES_MAX,
    Other, Place, Reply, SHORT_CODE_MS, TRIES_MAX,
};
pub use snapshot::SnapshotDigest;
pub use words::complete;

use codesync_base::{DeltaHash, DeviceId, SignedDelta};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

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
    let Ok(key) = VerifyingKey::from_bytes(&signed.delta.log.device.0) else { return false };
    key.verify_strict(&statement(&signed.hash), &Signature::from_bytes(&signed.signature)).is_ok()
}

fn statement(hash: &DeltaHash) -> Vec<u8> {
    [DELTA_CONTEXT, &hash.0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use codesync_base::{Change, Delta, Hlc, LogId, Origin, ProjectId, Step, encode_delta};

    fn signed_by(key: &DeviceKey, claimed: DeviceId) -> SignedDelta {
        let delta = Delta {
            project: ProjectId([1; 16]),
            log: LogId { device: claimed, incarnation: 0 },
            seq: 1,
            prev: DeltaHash::ZERO,
            hlc: Hlc { wall_ms: 5, counter: 0 },
            deps: vec![],
            origin: Origin::Session,
            group: 1,
            logs: vec![],
            files: vec![],
            steps: vec![Step {
                at_ms: 5,
                file: 0,
                change: Change::Session { person: "Asha".into(), device_name: "x".into() },
            }],
        };
        let (_, hash) = encode_delta(&delta);
        SignedDelta { signature: key.sign_delta(&hash), delta, hash }
    }

    #[test]
    fn only_the_author_device_can_sign() {
        let key = DeviceKey::from_seed(&[3; 32]);
        let other = DeviceKey::from_seed(&[4; 32]);
        assert!(verify_delta(&signed_by(&key, key.device())));
        assert!(!verify_delta(&signed_by(&other, key.device())));
    }

    #[test]
    fn a_changed_hash_or_signature_is_refused() {
        let key = DeviceKey::from_seed(&[3; 32]);
        let good = signed_by(&key, key.device());
        for byte in 0..64 {
            let mut bad = good.clone();
            bad.signature[byte] ^= 1;
            assert!(!verify_delta(&bad));
        }
        let mut bad = good;
        bad.hash.0[0] ^= 1;
        assert!(!verify_delta(&bad));
    }

    #[test]
    fn a_key_of_zeros_signs_nothing() {
        let key = DeviceKey::from_seed(&[3; 32]);
        assert!(!verify_delta(&signed_by(&key, DeviceId::ZERO)));
    }
}
