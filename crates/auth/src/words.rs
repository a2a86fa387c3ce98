//! The 1,024 words of codes and of comparing: ten bits each. Short, plain, and no two that differ in one letter.

use std::sync::LazyLock;

/// Words that are offered at once.
const COMPLETIONS_MAX: usize = 8;
/// Letters that may be wrong in a word for it to be guessed.
const DISTANCE_MAX: usize = 2;

static WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| include_str!("words.txt").lines().collect());

/// The word of a number below 1,024; of a larger one, that of its lowest ten bits.
pub(crate) fn word(number: u16) -> &'static str {
    WORDS[usize::from(number) % WORDS.len()]
}

/// The number of a word in small letters.
pub(crate) fn number(word: &str) -> Option<u16> {
    WORDS.iter().position(|known| *known == word).map(|number| number as u16)
}

/// Words that begin so, for the field in which a code is typed.
pub fn complete(beginning: &str) -> Vec<&'static str> {
    let beginning = beginning.trim().to_lowercase();
    let mut found: Vec<&str> = WORDS.iter().copied().filter(|word| word.starts_with(&beginning)).collect();
    found.sort_unstable();
    found.truncate(COMPLETIONS_MAX);
    found
}

/// The word that was meant, if it is clear.
pub(crate) fn guess(mistyped: &str) -> Option<&'static str> {
    let mut found = complete(mistyped);
    if let [only] = found[..] {
        return Some(only);
    }
    found = WORDS.iter().copied().filter(|word| distance(word, mistyped) <= DISTANCE_MAX).collect();
    // The first letter is seldom the wrong one.
    found
        .into_iter()
        .min_by_key(|word| (distance(word, mistyped), word.chars().next() != mistyped.chars().next(), *word))
}

/// Letters to change, add or leave out.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(32).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn there_are_as_many_words_as_ten_bits_name_and_no_two_are_alike() {
        assert_eq!(WORDS.len(), 1_024);
        assert_eq!(WORDS.iter().collect::<BTreeSet<_>>().len(), 1_024);
        for (n, word) in WORDS.iter().enumerate() {
            assert!((4..=9).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase()), "{word}");
            assert_eq!(number(word), Some(n as u16));
            let alike = WORDS[..n].iter().find(|other| distance(word, other) < 2 || other.starts_with(word));
            assert!(alike.is_none(), "{word} {alike:?}");
        }
    }

    #[test]
    fn mistyped_words_are_guessed() {
        assert_eq!(guess("clockwrk"), Some("clockwork"));
        assert_eq!(guess("crossov"), Some("crossover"));
        assert_eq!(guess("vilon"), Some("violin"));
        assert_eq!(guess("qqqqqqqq"), None);
        assert_eq!(complete("CLOCK"), ["clockwork"]);
    }
}
