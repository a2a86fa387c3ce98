//! Every command has a page, and every shell knows every command.

#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn every_command_has_a_page_with_its_own_name() {
    let pages = pages().unwrap();
    let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
    for wanted in ["codesync.1", "codesync-log.1", "codesync-restore.1"] {
        assert!(names.contains(&wanted), "{wanted} is not among {names:?}");
    }
    let (_, restore) = pages.iter().find(|(name, _)| name == "codesync-restore.1").unwrap();
    let text = String::from_utf8_lossy(restore);
    assert!(text.contains("Bring back what stood at a moment"), "{text}");
    assert!(text.contains("dry\\-run"), "{text}");
}

#[test]
fn every_shell_completes_the_commands() {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let script = String::from_utf8(completions(shell)).unwrap();
        assert!(script.contains("restore") && script.contains("codesync"), "{shell}");
    }
}
