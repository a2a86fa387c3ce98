//! The code that one person says to another: a digit and two words, or six words. The digit says where to ask and is
//! no secret, and of six words the first does so, which gives away eight of its bits; each other word is ten bits that
//! nobody else knows.

use crate::words;
use std::fmt;

/// Longest text that is looked at.
const TEXT_BYTES_MAX: usize = 200;

/// How long a code is, and so how long it may stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodeLength {
    /// A digit and two words: 20 secret bits, for minutes.
    Short,
    /// Six words: 52 secret bits, for a day.
    Long,
}

/// A code that was drawn or typed.
#[derive(Clone, PartialEq, Eq)]
pub struct Code {
    digit: Option<u8>,
    words: Vec<u16>,
}

/// Why a text is no code.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CodeError {
    #[error("a code is a digit and two words, or six words")]
    Shape,
    /// MSG-PAIR-1.
    #[error("“{word}” isn't one of our words")]
    UnknownWord { word: String, meant: Option<&'static str> },
}

impl Code {
    /// From random bytes that nobody else can guess.
    pub fn draw(length: CodeLength, random: &[u8; 32]) -> Self {
        let number = |at: usize| u16::from_le_bytes([random[at], random[at + 1]]) % 1_024;
        let n_words = match length {
            CodeLength::Short => 2,
            CodeLength::Long => 6,
        };
        let mut first = [0; 8];
        first.copy_from_slice(&random[24..]);
        let digit = (length == CodeLength::Short).then_some((u64::from_le_bytes(first) % 10) as u8);
        Self { digit, words: (0..n_words).map(|n| number(2 * n)).collect() }
    }

    /// From what somebody typed: capitals, spaces, dashes and the like do not matter.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(CodeError::Shape);
        }
        let text = text.to_lowercase();
        let parts: Vec<&str> =
            text.split(|letter: char| !letter.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
        let (first, rest) = parts.split_first().ok_or(CodeError::Shape)?;
        let leading = first.len() - first.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        // "7crossover clockwork": the digit may stick to the word after it.
        let (digits, stuck) = first.split_at(leading);
        let stuck = (!stuck.is_empty()).then_some(stuck);
        let digit = match digits.as_bytes() {
            [] => None,
            [digit] => Some(digit - b'0'),
            _ => return Err(CodeError::Shape),
        };
        let named: Vec<&str> = stuck.into_iter().chain(rest.iter().copied()).collect();
        let words = named.iter().map(|word| number(word)).collect::<Result<Vec<u16>, CodeError>>()?;
        match (digit, words.len()) {
            (Some(_), 2) | (None, 6) => Ok(Self { digit, words }),
            _ => Err(CodeError::Shape),
        }
    }

    /// Where to ask: an invitation answers only to its own channel. No secret.
    pub fn channel(&self) -> u8 {
        // Those after the digits are for six words.
        self.digit.unwrap_or_else(|| 10 + (self.words[0] % 246) as u8)
    }

    pub fn length(&self) -> CodeLength {
        if self.digit.is_some() { CodeLength::Short } else { CodeLength::Long }
    }
}

fn number(word: &str) -> Result<u16, CodeError> {
    words::number(word).ok_or_else(|| CodeError::UnknownWord { word: word.to_owned(), meant: words::guess(word) })
}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digit = self.digit.iter().map(u8::to_string);
        let parts: Vec<String> = digit.chain(self.words.iter().map(|number| words::word(*number).to_owned())).collect();
        out.write_str(&parts.join("-"))
    }
}

/// Nothing of a code goes into a log by accident.
impl fmt::Debug for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Code(…)")
    }
}

#[cfg(test)]
mod tests;
