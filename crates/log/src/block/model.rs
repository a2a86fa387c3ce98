//! What is learned about numbers and text while a block is coded.

use super::range_coder::{Chance, Coder};
use std::sync::LazyLock;

/// Numbers whose magnitudes repeat: the number of bits is learned, and the first bits below the highest.
#[derive(Clone)]
pub(super) struct Numbers {
    magnitude: Vec<Chance>,
    leading: Vec<Chance>,
}

/// Bits below the highest that are learned; the rest is as good as random.
const LEADING_BITS: u32 = 3;

impl Default for Numbers {
    fn default() -> Self {
        Self { magnitude: vec![Chance::default(); 128], leading: vec![Chance::default(); 65 << LEADING_BITS] }
    }
}

impl Numbers {
    pub fn code(&mut self, coder: &mut Coder, value: u64) -> u64 {
        let n_bits = self.code_magnitude(coder, u64::BITS - value.leading_zeros());
        if n_bits <= 1 {
            return u64::from(n_bits);
        }
        let mut read = 1_u64;
        let n_leading = LEADING_BITS.min(n_bits - 1);
        for idx in 1..=n_leading {
            // The bits so far, their first a one, tell how many they are.
            let context = (n_bits as usize) << LEADING_BITS | read as usize;
            let bit = coder.bit(&mut self.leading[context], value >> (n_bits - 1 - idx) & 1 == 1);
            read = read << 1 | u64::from(bit);
        }
        let n_rest = n_bits - 1 - n_leading;
        if n_rest == 0 { read } else { read << n_rest | coder.raw(n_rest, value) }
    }

    fn code_magnitude(&mut self, coder: &mut Coder, n_bits: u32) -> u32 {
        let node = (0..7).rev().fold(1_usize, |node, idx| {
            node << 1 | usize::from(coder.bit(&mut self.magnitude[node], n_bits >> idx & 1 == 1))
        });
        // A magnitude above 64 is never written; damaged bytes must not shift out of range.
        (node as u32 & 127).min(64)
    }

    /// A difference that may go either way.
    pub fn code_signed(&mut self, coder: &mut Coder, value: i64) -> i64 {
        let read = self.code(coder, (value << 1 ^ value >> 63) as u64);
        (read >> 1) as i64 ^ -((read & 1) as i64)
    }
}

/// Text, learned from the bytes before: the last two, the last one, and how often a byte comes at all.
#[derive(Clone)]
pub(super) struct Text {
    orders: [Vec<Chance>; 4],
    history: u32,
}

/// Contexts share this many chances; a collision costs bits, not correctness.
const ORDER_BITS: u32 = 16;

/// How much the chance of a longer context counts by how often it was seen; it starts with little trust.
fn weight(order: usize, n_seen: u32) -> u64 {
    let trust = [1, 5, 16, 36][order];
    u64::from(n_seen.min(30)) * trust + u64::from(order == 0)
}

impl Text {
    fn empty() -> Self {
        let sized = |order: u32| vec![Chance::default(); if order == 0 { 256 } else { 1 << ORDER_BITS }];
        Self { orders: [sized(0), sized(1), sized(2), sized(3)], history: 0 }
    }

    /// A model that has already read a little of what people write.
    pub fn new() -> Self {
        static PRIMED: LazyLock<Text> = LazyLock::new(|| {
            let mut text = Text::empty();
            let mut coder = Coder::writer();
            for byte in PRIMER.bytes() {
                text.code(&mut coder, byte);
            }
            text.history = 0;
            text
        });
        PRIMED.clone()
    }

    pub fn code(&mut self, coder: &mut Coder, byte: u8) -> u8 {
        let node = (0..8)
            .rev()
            .fold(1_usize, |node, idx| node << 1 | usize::from(self.code_bit(coder, node, byte >> idx & 1 == 1)));
        let read = node as u8;
        self.history = self.history << 8 | u32::from(read);
        read
    }

    fn code_bit(&mut self, coder: &mut Coder, node: usize, bit: bool) -> bool {
        let slots: [usize; 4] = std::array::from_fn(|order| self.slot(order, node));
        let (mut sum, mut weights) = (0, 0);
        for (order, slot) in slots.iter().enumerate() {
            let chance = &self.orders[order][*slot];
            let weight = weight(order, chance.n_seen()) * certainty(chance.one());
            sum += u64::from(chance.one()) * weight;
            weights += weight;
        }
        let one = u64::checked_div(sum, weights).map_or(1 << 15, |one| one as u32);
        let bit = coder.bit_at(one.clamp(64, 65_536 - 64), bit);
        slots.iter().enumerate().for_each(|(order, slot)| self.orders[order][*slot].learn(bit));
        bit
    }

    fn slot(&self, order: usize, node: usize) -> usize {
        if order == 0 {
            return node;
        }
        let seen = u64::from(self.history & (u32::MAX >> (32 - 8 * order as u32)));
        let mixed =
            (seen << 8 | node as u64).wrapping_add(order as u64 * 0x1000_0000_0000).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> (64 - ORDER_BITS)) as usize
    }

    /// Text was entered elsewhere: what stood before says nothing of it.
    pub fn jump(&mut self) {
        self.history = 0;
    }
}

/// A chance near one half knows nothing and should not dampen one that does.
fn certainty(one: u32) -> u64 {
    let distance = u64::from(one.abs_diff(1 << 15));
    1 + distance * distance / (1 << 24)
}

/// Words and code as people type them.
const PRIMER: &str = include_str!("primer.txt");
