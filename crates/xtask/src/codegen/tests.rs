#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn every_root_and_what_it_reaches_is_exported() {
    let text = generate();
    for name in
        ["Call", "CallReply", "Push", "Request", "Reply", "Event", "ApiError", "ErrorCode", "Splice", "Settings"]
    {
        assert!(text.contains(&format!("export type {name} =")), "{name} is missing");
    }
}

#[test]
fn large_integers_are_numbers() {
    let text = generate();
    assert!(!text.contains("bigint"));
}

#[test]
fn generation_is_repeatable_and_clean() {
    let text = generate();
    assert_eq!(text, generate());
    assert!(text.lines().all(|line| line.trim_end() == line));
}
