//! Bytes that only the other end of a pairing can read, in one direction and in order. ChaCha20-Poly1305.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};

/// One direction, at either end.
pub(crate) struct Channel {
    cipher: ChaCha20Poly1305,
    /// What the bytes belong to: sealed bytes of another exchange do not open.
    about: [u8; 32],
    n_used: u64,
}

impl Channel {
    /// The key must be of this one direction of this one exchange.
    pub fn new(key: [u8; 32], about: [u8; 32]) -> Self {
        Self { cipher: ChaCha20Poly1305::new(&Key::from(key)), about, n_used: 0 }
    }

    pub fn seal(&mut self, plain: &[u8]) -> Vec<u8> {
        let nonce = self.next_nonce();
        let payload = Payload { msg: plain, aad: &self.about };
        self.cipher.encrypt(&nonce, payload).expect("invariant: far below the size that the cipher can take")
    }

    /// None when the bytes are not what the other end sealed next.
    pub fn open(&mut self, sealed: &[u8]) -> Option<Vec<u8>> {
        let nonce = self.next_nonce();
        self.cipher.decrypt(&nonce, Payload { msg: sealed, aad: &self.about }).ok()
    }

    fn next_nonce(&mut self) -> Nonce {
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(&self.n_used.to_le_bytes());
        self.n_used += 1;
        Nonce::from(nonce)
    }
}
