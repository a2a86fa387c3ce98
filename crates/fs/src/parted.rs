//! A sorted map in parts that copies share: a copy costs a pointer for each part, and a change after it one part. Pure.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

/// A part is cut in two beyond this: copying one takes microseconds.
const PART_MAX: usize = 256;

/// A map whose clones share what neither has changed.
#[derive(Clone, Debug)]
pub(crate) struct PartedMap<K, V> {
    /// None is empty; each has lower keys than the next.
    parts: Vec<Arc<BTreeMap<K, V>>>,
    len: usize,
}

impl<K, V> Default for PartedMap<K, V> {
    fn default() -> Self {
        Self { parts: Vec::new(), len: 0 }
    }
}

impl<K: Ord + Clone + PartialEq, V: Clone + PartialEq> PartialEq for PartedMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<K: Ord + Clone + Eq, V: Clone + Eq> Eq for PartedMap<K, V> {}

impl<K: Ord + Clone, V: Clone> PartedMap<K, V> {
    /// The part that holds a key, or would: the last that does not begin behind it.
    fn part_of(&self, key: &K) -> usize {
        let begins_before = |part: &Arc<BTreeMap<K, V>>| part.first_key_value().is_some_and(|(first, _)| first <= key);
        self.parts.partition_point(begins_before).saturating_sub(1)
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        self.parts.get(self.part_of(key))?.get(key)
    }

    pub fn insert(&mut self, key: K, value: V) {
        let idx = self.part_of(&key);
        let Some(part) = self.parts.get_mut(idx) else {
            self.parts.push(Arc::new([(key, value)].into()));
            self.len = 1;
            return;
        };
        let part = Arc::make_mut(part);
        if part.insert(key, value).is_none() {
            self.len += 1;
        }
        if part.len() > PART_MAX {
            // Keys mostly come in order: a full part is left as it is, and a new one begun.
            let n_kept = if idx + 1 == self.parts.len() { PART_MAX } else { PART_MAX / 2 };
            let cut = self.parts[idx].keys().nth(n_kept).cloned();
            if let Some(cut) = cut {
                let rest = Arc::make_mut(&mut self.parts[idx]).split_off(&cut);
                self.parts.insert(idx + 1, Arc::new(rest));
            }
        }
    }

    pub fn remove(&mut self, key: &K) -> Option<V> {
        let idx = self.part_of(key);
        // Nothing is copied for what is not there.
        self.parts.get(idx)?.get(key)?;
        let part = Arc::make_mut(&mut self.parts[idx]);
        let removed = part.remove(key)?;
        self.len -= 1;
        if part.is_empty() {
            self.parts.remove(idx);
        }
        Some(removed)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.parts.iter().flat_map(|part| part.iter())
    }

    /// In order, from this key on.
    pub fn iter_from<'a>(&'a self, first: &K) -> impl Iterator<Item = (&'a K, &'a V)> + use<'a, K, V> {
        let idx = self.part_of(first).min(self.parts.len());
        let (here, behind) = self.parts[idx..].split_at(usize::from(idx < self.parts.len()));
        let here = here.iter().flat_map({
            let first = first.clone();
            move |part| part.range(first.clone()..)
        });
        here.chain(behind.iter().flat_map(|part| part.deref().iter()))
    }

    pub fn len(&self) -> usize {
        self.len
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A sequence that looks random and is always the same.
    fn numbers(n: usize) -> impl Iterator<Item = u64> {
        std::iter::successors(Some(7_u64), |x| Some(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1))).take(n)
    }

    #[test]
    fn it_is_a_map_and_copies_stay_as_they_were() {
        let (mut parted, mut plain) = (PartedMap::default(), BTreeMap::new());
        let mut copies = Vec::new();
        for (n, x) in numbers(20_000).enumerate() {
            let key = (x >> 40) % 3_000;
            if x >> 60 < 6 {
                assert_eq!(parted.remove(&key), plain.remove(&key));
            } else {
                parted.insert(key, n);
                plain.insert(key, n);
            }
            if n % 4_000 == 0 {
                copies.push((parted.clone(), plain.clone()));
            }
        }
        copies.push((parted, plain));
        for (parted, plain) in &copies {
            assert_eq!(parted.len(), plain.len());
            assert!(parted.iter().eq(plain.iter()));
            for key in [0, 1, 700, 1_500, 2_999, 9_999] {
                assert_eq!(parted.get(&key), plain.get(&key));
                assert!(parted.iter_from(&key).eq(plain.range(key..)), "from {key}");
            }
            assert!(parted.parts.iter().all(|part| !part.is_empty() && part.len() <= PART_MAX));
        }
        assert_eq!(PartedMap::<u8, u8>::default().iter_from(&1).next(), None);
    }

    #[test]
    fn a_change_copies_one_part_only() {
        let mut parted: PartedMap<u32, u32> = PartedMap::default();
        (0..10_000).for_each(|n| parted.insert(n, n));
        assert!(parted.parts.len() <= 10_000 / PART_MAX + 1, "what comes in order fills its parts");
        let copy = parted.clone();
        parted.insert(5_000, 1);
        let n_shared = parted.parts.iter().zip(&copy.parts).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert_eq!(n_shared, copy.parts.len() - 1);
        parted.remove(&20_000);
        assert_eq!(copy.get(&5_000), Some(&5_000));
    }
}
