#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn ordinary_names_pass_and_compose() {
    for text in
        ["a", "src/lexer.rs", "Ünïcode/日本語.txt", ".env", "a b/c", "console.log", "com10", ".gitignore", ".github/x"]
    {
        assert_eq!(RelPath::parse(text).unwrap().as_str(), text);
    }
    assert_eq!(RelPath::parse("e\u{301}.txt").unwrap().as_str(), "é.txt");
    assert!(RelPath::parse(&"x".repeat(255)).is_ok());
}

#[test]
fn hostile_names_are_refused() {
    let long = "x".repeat(256);
    let deep = ["a"; 65].join("/");
    for text in [
        "",
        "/",
        "/etc/passwd",
        "a//b",
        "a/",
        "..",
        "../x",
        "a/../b",
        "./a",
        "a\\b",
        "C:x",
        "a\0b",
        "a\nb",
        "con",
        "CON.txt",
        "Aux.c",
        "lpt1",
        "nul .txt",
        "a.",
        "a ",
        ".git",
        ".GIT/hooks/x",
        ".g\u{200c}it/config",
        "git~1",
        ".codesync/db",
        "x/.hg",
        "\u{202e}gpj.exe",
        &long,
        &deep,
    ] {
        assert!(RelPath::parse(text).is_err(), "{text:?} passed");
    }
}

#[test]
fn moving_a_folder_moves_what_is_in_it() {
    let path = |text| RelPath::parse(text).unwrap();
    assert_eq!(path("a/b/c.rs").moved(&path("a/b"), &path("x")).unwrap(), path("x/c.rs"));
    assert!(path("a/b").is_within(&path("a")) && path("a").is_within(&path("a")) && !path("ab").is_within(&path("a")));
    assert_eq!(path("a/b").parent(), Some(path("a")));
    assert_eq!(path("a").parent(), None);
}
