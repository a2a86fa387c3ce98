//! Fields with bounds: what is too long fails while it is read, before memory is taken for it.

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;

/// At most `MAX` bytes.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Bytes<const MAX: usize>(pub Vec<u8>);

impl<const MAX: usize> fmt::Debug for Bytes<MAX> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "[{} bytes]", self.0.len())
    }
}

impl<const MAX: usize> Serialize for Bytes<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Bytes<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Take<const MAX: usize>;
        impl<const MAX: usize> Visitor<'_> for Take<MAX> {
            type Value = Bytes<MAX>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "at most {MAX} bytes")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                if bytes.len() > MAX { Err(E::invalid_length(bytes.len(), &self)) } else { Ok(Bytes(bytes.to_vec())) }
            }
        }
        deserializer.deserialize_bytes(Take)
    }
}

/// Ed25519.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Signature")
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (first, second) = self.0.split_at(32);
        let halves: ([u8; 32], [u8; 32]) = (
            first.try_into().expect("invariant: half of 64 is 32"),
            second.try_into().expect("invariant: half of 64 is 32"),
        );
        halves.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (first, second) = <([u8; 32], [u8; 32])>::deserialize(deserializer)?;
        let mut whole = [0; 64];
        whole[..32].copy_from_slice(&first);
        whole[32..].copy_from_slice(&second);
        Ok(Self(whole))
    }
}

/// At most `MAX` of something.
pub(super) fn few<'de, D: Deserializer<'de>, T: Deserialize<'de>, const MAX: usize>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    struct Take<T, const MAX: usize>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Take<T, MAX> {
        type Value = Vec<T>;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(out, "at most {MAX}")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
            if items.size_hint().is_some_and(|n| n > MAX) {
                return Err(A::Error::invalid_length(MAX + 1, &self));
            }
            // Grows with what is really there, not with what is announced.
            let mut taken = Vec::new();
            while let Some(item) = items.next_element()? {
                if taken.len() == MAX {
                    return Err(A::Error::invalid_length(MAX + 1, &self));
                }
                taken.push(item);
            }
            Ok(taken)
        }
    }
    deserializer.deserialize_seq(Take::<T, MAX>(PhantomData))
}

/// A text of at most `MAX` bytes.
pub(super) fn text<'de, D: Deserializer<'de>, const MAX: usize>(deserializer: D) -> Result<String, D::Error> {
    let text = <&str>::deserialize(deserializer)?;
    if text.len() > MAX { Err(D::Error::invalid_length(text.len(), &"a short text")) } else { Ok(text.to_owned()) }
}
