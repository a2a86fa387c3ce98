//! What a snapshot shows, as one number that its sender signs.

use crate::DeviceKey;
use codesync_base::{DeviceId, ProjectId};
use ed25519_dalek::{Signature, Signer, VerifyingKey};

const SNAPSHOT_CONTEXT: &[u8] = b"codesync snapshot 1\0";

/// The texts of a snapshot, told one after the other.
pub struct SnapshotDigest {
    hasher: blake3::Hasher,
}

impl SnapshotDigest {
    pub fn new(project: &ProjectId) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("codesync 2026 snapshot");
        hasher.update(&project.0);
        Self { hasher }
    }

    pub fn add(&mut self, path: &str, text: &[u8]) {
        for part in [path.as_bytes(), text] {
            self.hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
    }

    pub fn sign(&self, key: &DeviceKey) -> [u8; 64] {
        key.signing.sign(&self.statement()).to_bytes()
    }

    pub fn verify(&self, device: &DeviceId, signature: &[u8; 64]) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(&device.0) else { return false };
        key.verify_strict(&self.statement(), &Signature::from_bytes(signature)).is_ok()
    }

    fn statement(&self) -> Vec<u8> {
        [SNAPSHOT_CONTEXT, self.hasher.finalize().as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_signed_as_a_whole() {
        let key = DeviceKey::from_seed(&[3; 32]);
        let of = |texts: &[(&str, &str)]| {
            let mut digest = SnapshotDigest::new(&ProjectId([1; 16]));
            texts.iter().for_each(|(path, text)| digest.add(path, text.as_bytes()));
            digest
        };
        let signature = of(&[("a", "bc")]).sign(&key);
        assert!(of(&[("a", "bc")]).verify(&key.device(), &signature));
        assert!(!of(&[("ab", "c")]).verify(&key.device(), &signature));
        assert!(!of(&[("a", "bc"), ("d", "")]).verify(&key.device(), &signature));
        assert!(!of(&[("a", "bc")]).verify(&DeviceKey::from_seed(&[4; 32]).device(), &signature));
    }
}
