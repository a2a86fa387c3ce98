#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

#[test]
fn capitals_spaces_and_dashes_do_not_matter() {
    let code = Code::parse("7-crossover-clockwork").unwrap();
    for text in [
        "7 crossover clockwork",
        "  7 - Crossover - CLOCKWORK\n",
        "7crossover clockwork",
        "7–crossover—clockwork",
        "7,crossover.clockwork",
    ] {
        assert!(Code::parse(text).unwrap() == code, "{text}");
    }
    assert_eq!((code.to_string().as_str(), code.channel()), ("7-crossover-clockwork", 7));
}

#[test]
fn what_is_no_code_says_why() {
    let wrong = CodeError::UnknownWord { word: "clockwrk".into(), meant: Some("clockwork") };
    assert_eq!(Code::parse("7 crossover clockwrk").unwrap_err(), wrong);
    for text in
        ["", "7", "7 crossover", "crossover clockwork", "17 crossover clockwork", "7 harbor harbor harbor", "- -"]
    {
        assert_eq!(Code::parse(text).unwrap_err(), CodeError::Shape, "{text}");
    }
    assert_eq!(Code::parse(&"x".repeat(201)).unwrap_err(), CodeError::Shape);
}

#[test]
fn six_words_are_a_code_of_their_own() {
    let code = Code::draw(CodeLength::Long, &[7; 32]);
    assert_eq!(code.to_string().split('-').count(), 6);
    assert_eq!(code.length(), CodeLength::Long);
    assert!(Code::parse(&code.to_string()).unwrap() == code);
}

#[test]
fn codes_of_six_words_have_channels_that_no_digit_is() {
    let channels: BTreeSet<u8> = (0..=255).map(|n| Code::draw(CodeLength::Long, &[n; 32]).channel()).collect();
    assert!(channels.len() > 128 && channels.iter().all(|channel| *channel >= 10), "{channels:?}");
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in ".{0,300}") {
        if let Ok(code) = Code::parse(&text) {
            prop_assert!(Code::parse(&code.to_string()).unwrap() == code);
        }
    }

    #[test]
    fn what_is_drawn_is_read_back(random in any::<[u8; 32]>()) {
        for length in [CodeLength::Short, CodeLength::Long] {
            let code = Code::draw(length, &random);
            prop_assert!(Code::parse(&code.to_string().replace('-', "  ").to_uppercase()).unwrap() == code);
        }
    }
}
