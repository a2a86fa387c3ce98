//! A set of small numbers. Equal sets are equal values.

const BITS: usize = 64;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Set {
    /// The last word is not zero.
    words: Vec<u64>,
}

impl Set {
    pub fn insert(&mut self, idx: usize) {
        if self.words.len() <= idx / BITS {
            self.words.resize(idx / BITS + 1, 0);
        }
        self.words[idx / BITS] |= 1 << (idx % BITS);
    }

    pub fn contains(&self, idx: usize) -> bool {
        self.words.get(idx / BITS).is_some_and(|word| word & (1 << (idx % BITS)) != 0)
    }

    pub fn unite(&mut self, other: &Set) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
    }

    /// What is in both.
    pub fn and(&self, other: &Set) -> Set {
        Self::trimmed(self.words.iter().zip(&other.words).map(|(a, b)| a & b).collect())
    }

    /// What is in this one alone.
    pub fn without(&self, other: &Set) -> Set {
        let others = other.words.iter().copied().chain(std::iter::repeat(0));
        Self::trimmed(self.words.iter().zip(others).map(|(a, b)| a & !b).collect())
    }

    /// What is in one of them only.
    pub fn differing(&self, other: &Set) -> impl Iterator<Item = usize> + use<> {
        let mut either = self.without(other);
        either.unite(&other.without(self));
        either.into_iter()
    }

    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.clone().into_iter()
    }

    fn into_iter(self) -> impl Iterator<Item = usize> {
        let n_bits = self.words.len() * BITS;
        (0..n_bits).filter(move |idx| self.contains(*idx))
    }

    fn trimmed(mut words: Vec<u64>) -> Self {
        while words.last() == Some(&0) {
            words.pop();
        }
        Self { words }
    }
}
