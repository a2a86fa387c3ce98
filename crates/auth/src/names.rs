//! Names as others say them: what cannot be seen in them, or turns what stands beside them, is taken out before anybody
//! reads them.

use codesync_base::is_bidi_control;

/// A name without control characters, and without those that only say how others are shown.
pub fn plain_name(name: &str) -> String {
    name.chars().filter(|char| !is_unseen(*char)).collect()
}

/// Whether two names are read as the same.
pub(crate) fn is_same_name(one: &str, other: &str) -> bool {
    folded(one) == folded(other)
}

fn folded(name: &str) -> String {
    let seen: String = name.chars().filter(|char| !is_unseen(*char) && !is_joiner(*char)).collect();
    seen.trim().to_lowercase()
}

fn is_unseen(char: char) -> bool {
    let is_format = matches!(
        char,
        '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    );
    is_format || char.is_control() || is_bidi_control(char)
}

/// Names of some languages need these; by themselves they show nothing.
fn is_joiner(char: char) -> bool {
    matches!(
        char,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{200c}' | '\u{200d}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0100}'..='\u{e01ef}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_taken_out_of_names() {
        assert_eq!(plain_name("\u{1b}[2JBo\u{202e}\u{2066}\u{200b}\n Lin\u{feff}"), "[2JBo Lin");
        for name in ["Zoë Müller", "علی\u{200c}رضا", "李", "👩\u{200d}💻"] {
            assert_eq!(plain_name(name), name);
        }
        assert!(is_same_name("Bo", " bo\u{200b}\u{200d}") && !is_same_name("Bo", "Bob"));
    }
}
