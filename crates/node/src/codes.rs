//! What is known of a code while it is typed: which parts are good, and what the others may be meant for. Pure.

use codesync_api::{CodeCheck, CodePart, CodePartState};
use codesync_auth::{Code, CodeError, complete};

/// Longest text that is looked at, and words.
const TEXT_BYTES_MAX: usize = 200;
const WORDS_MAX: usize = 12;

/// Looks at a code as far as it is typed.
pub fn check_code(text: &str) -> CodeCheck {
    let text = &text[..text.floor_char_boundary(TEXT_BYTES_MAX)];
    let lower = text.to_lowercase();
    let is_going_on = lower.chars().last().is_some_and(char::is_alphanumeric);
    let mut typed: Vec<&str> =
        lower.split(|letter: char| !letter.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
    typed.truncate(WORDS_MAX);
    // "7crossover": the digit may stick to the word after it.
    if let Some(first) = typed.first().copied() {
        let n_digits = first.len() - first.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        if n_digits > 0 && n_digits < first.len() {
            typed.splice(0..1, [&first[..n_digits], &first[n_digits..]]);
        }
    }
    let n_typed = typed.len();
    let parts: Vec<CodePart> =
        typed.iter().enumerate().map(|(at, part)| look_at(part, at == 0, is_going_on && at + 1 == n_typed)).collect();
    let is_complete = Code::parse(text).is_ok();
    CodeCheck { completed: completed(&parts), parts, is_complete }
}

fn look_at(text: &str, is_first: bool, is_last: bool) -> CodePart {
    let part = |state, suggestion: Option<&str>| CodePart {
        text: text.to_owned(),
        state,
        suggestion: suggestion.map(str::to_owned),
    };
    if is_first && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let state = if text.len() == 1 { CodePartState::Good } else { CodePartState::Unknown };
        return part(state, None);
    }
    let begun = complete(text);
    if begun.contains(&text) {
        return part(CodePartState::Good, None);
    }
    if is_last && let Some(first) = begun.first() {
        return part(CodePartState::Begun, Some(first));
    }
    part(CodePartState::Unknown, meant(text))
}

fn meant(word: &str) -> Option<&'static str> {
    match Code::parse(&format!("7-{word}-{word}")) {
        Err(CodeError::UnknownWord { meant, .. }) => meant,
        _ => None,
    }
}

/// With the last word completed, where there is one way to do so.
fn completed(parts: &[CodePart]) -> Option<String> {
    let (last, before) = parts.split_last()?;
    let only = match complete(&last.text)[..] {
        [only] if last.state == CodePartState::Begun => only,
        _ => return None,
    };
    let words = before.iter().map(|part| part.text.as_str()).chain([only]);
    Some(words.collect::<Vec<_>>().join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(text: &str) -> Vec<CodePartState> {
        check_code(text).parts.into_iter().map(|part| part.state).collect()
    }

    #[test]
    fn a_code_is_followed_as_it_is_typed() {
        use CodePartState::{Begun, Good, Unknown};
        assert_eq!(states(""), []);
        assert_eq!(states("7"), [Good]);
        assert_eq!(states("7-crossover-clo"), [Good, Good, Begun]);
        assert_eq!(states("7 crossover clockwrk "), [Good, Good, Unknown]);
        assert_eq!(states("7CROSSOVER"), [Good, Good]);
        assert_eq!(states("77 crossover"), [Unknown, Good]);
        let check = check_code("7 crossover clockw");
        assert_eq!(check.completed.as_deref(), Some("7-crossover-clockwork"));
        assert_eq!(check.parts[2].suggestion.as_deref(), Some("clockwork"));
        assert_eq!(check_code("7 crossover clockwrk").parts[2].suggestion.as_deref(), Some("clockwork"));
        assert!(!check.is_complete && check_code("7-crossover-clockwork").is_complete);
        assert!(!check_code("crossover-clockwork").is_complete);
    }

    #[test]
    fn nothing_typed_is_too_much() {
        for text in ["ä".repeat(5_000), "7-".repeat(5_000), "---".into(), "7crossover7".into()] {
            let check = check_code(&text);
            assert!(check.parts.len() <= WORDS_MAX + 1 && !check.is_complete);
        }
    }
}
