//! An adaptive binary range coder: turns decisions and their probabilities into close to as many bits as they are
//! worth. Integers only, so that every machine decodes what any machine encoded.

/// How likely a decision is, learned as decisions are seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chance {
    /// Of a one, in 1/65536.
    one: u16,
    n_seen: u8,
}

/// Decisions after which a chance still moves: the lower, the faster it forgets.
const SEEN_MAX: u8 = 120;
/// Nothing is ever quite impossible.
const CHANCE_MIN: i32 = 24;

impl Default for Chance {
    fn default() -> Self {
        Self { one: 1 << 15, n_seen: 0 }
    }
}

impl Chance {
    pub fn one(&self) -> u32 {
        u32::from(self.one)
    }

    pub fn n_seen(&self) -> u32 {
        u32::from(self.n_seen)
    }

    pub fn learn(&mut self, bit: bool) {
        let target = if bit { 65_536 } else { 0 };
        let one = i32::from(self.one);
        // The mean of what was seen, the first guess counting as half a decision.
        let moved = one + (target - one) * 2 / (2 * i32::from(self.n_seen) + 3);
        self.one = moved.clamp(CHANCE_MIN, 65_536 - CHANCE_MIN) as u16;
        self.n_seen = (self.n_seen + 1).min(SEEN_MAX);
    }
}

/// Both directions behind one face: whoever describes how a value is written has described how it is read.
pub(super) enum Coder<'a> {
    Write(Writer),
    Read(Reader<'a>),
}

pub(super) struct Writer {
    low: u32,
    high: u32,
    bytes: Vec<u8>,
}

pub(super) struct Reader<'a> {
    low: u32,
    high: u32,
    value: u32,
    rest: &'a [u8],
    n_missing: u32,
}

/// Reading may run this far past the end: what the last decisions leave in the registers.
const MISSING_MAX: u32 = 8;

impl<'a> Coder<'a> {
    pub fn writer() -> Self {
        Coder::Write(Writer { low: 0, high: u32::MAX, bytes: Vec::new() })
    }

    pub fn reader(bytes: &'a [u8]) -> Self {
        let mut reader = Reader { low: 0, high: u32::MAX, value: 0, rest: bytes, n_missing: 0 };
        (0..4).for_each(|_| reader.shift());
        Coder::Read(reader)
    }

    /// Codes one decision. A writer is given it and gives it back; a reader ignores what it is given.
    pub fn bit(&mut self, chance: &mut Chance, bit: bool) -> bool {
        let bit = self.bit_at(chance.one(), bit);
        chance.learn(bit);
        bit
    }

    /// Codes one decision of a fixed chance, in 1/65536.
    pub fn bit_at(&mut self, one: u32, bit: bool) -> bool {
        match self {
            Coder::Write(writer) => {
                writer.put(one, bit);
                bit
            }
            Coder::Read(reader) => reader.take(one),
        }
    }

    /// Codes the lowest `n_bits` bits of a value that nothing is known of.
    pub fn raw(&mut self, n_bits: u32, value: u64) -> u64 {
        (0..n_bits).rev().fold(0, |read, idx| read << 1 | u64::from(self.bit_at(1 << 15, value >> idx & 1 == 1)))
    }

    /// Whether more was read than was ever written: the bytes are no such section.
    pub fn is_exhausted(&self) -> bool {
        matches!(self, Coder::Read(reader) if reader.n_missing > MISSING_MAX)
    }

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        match self {
            Coder::Write(mut writer) => {
                // The first byte that lies between both ends; a reader takes the rest as zeros.
                writer.bytes.push((writer.low >> 24) as u8 + 1);
                writer.bytes
            }
            Coder::Read(_) => Vec::new(),
        }
    }
}

fn split(low: u32, high: u32, one: u32) -> u32 {
    low + ((u64::from(high - low) * u64::from(one)) >> 16) as u32
}

impl Writer {
    fn put(&mut self, one: u32, bit: bool) {
        let middle = split(self.low, self.high, one);
        if bit {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        while (self.low ^ self.high) >> 24 == 0 {
            self.bytes.push((self.high >> 24) as u8);
            self.low <<= 8;
            self.high = self.high << 8 | 0xff;
        }
    }
}

impl Reader<'_> {
    fn take(&mut self, one: u32) -> bool {
        let middle = split(self.low, self.high, one);
        let bit = self.value <= middle;
        if bit {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        while (self.low ^ self.high) >> 24 == 0 {
            self.low <<= 8;
            self.high = self.high << 8 | 0xff;
            self.shift();
        }
        bit
    }

    fn shift(&mut self) {
        let next = match self.rest.split_first() {
            Some((first, rest)) => {
                self.rest = rest;
                *first
            }
            None => {
                self.n_missing += 1;
                0
            }
        };
        self.value = self.value << 8 | u32::from(next);
    }
}
