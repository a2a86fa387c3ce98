//! What is found and what it becomes, and which files are looked into.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::Rules;
use expect_test::{Expect, expect};
use std::fs;
use std::ops::ControlFlow;

fn pattern(typed: &str) -> Pattern {
    Pattern::new(typed, true, true, false).unwrap()
}

/// One line a match: `line:column position+length` and the preview with the match in brackets.
fn check(pattern: &Pattern, text: &str, expected: Expect) {
    let (matches, is_cut) = pattern.matches(text, 50);
    assert!(!is_cut);
    let mut lines = String::new();
    for one in matches {
        let units: Vec<u16> = one.preview.encode_utf16().collect();
        let part = |range: std::ops::Range<usize>| String::from_utf16(&units[range]).unwrap();
        let (from, to) = (one.from as usize, one.to as usize);
        let shown = format!("{}[{}]{}", part(0..from), part(from..to), part(to..units.len()));
        lines.push_str(&format!("{}:{} {}+{} {shown}\n", one.line, one.column, one.position, one.length));
    }
    expected.assert_eq(&lines);
}

#[test]
fn text_is_found_as_it_is_typed() {
    let plain = |typed, match_case, whole_word| Pattern::new(typed, false, match_case, whole_word).unwrap();
    let text = "let a.b = 1;\n\tA.B(axb, a.bc)\n😀 a.b";
    check(
        &plain("a.b", false, false),
        text,
        expect![[r#"
            1:5 4+3 let [a.b] = 1;
            2:2 14+3 [A.B](axb, a.bc)
            2:11 23+3 A.B(axb, [a.b]c)
            3:4 32+3 😀 [a.b]
        "#]],
    );
    check(
        &plain("a.b", true, true),
        text,
        expect![[r#"
            1:5 4+3 let [a.b] = 1;
            3:4 32+3 😀 [a.b]
        "#]],
    );
    check(
        &plain("= 1;", true, true),
        text,
        expect![[r#"
            1:9 8+4 let a.b [= 1;]
        "#]],
    );
    check(
        &plain("1;\n\ta", false, false),
        text,
        expect![[r#"
            1:11 10+5 let a.b = [1;]
        "#]],
    );
}

#[test]
fn an_expression_stays_in_its_line_unless_it_names_the_end() {
    let text = "a\n\nb\nab\n";
    check(
        &pattern(r"a\s*b"),
        text,
        expect![[r#"
            4:1 5+2 [ab]
        "#]],
    );
    check(
        &pattern(r"[^x]+"),
        text,
        expect![[r#"
            1:1 0+1 [a]
            3:1 3+1 [b]
            4:1 5+2 [ab]
        "#]],
    );
    check(
        &pattern(r"a\n*b"),
        text,
        expect![[r#"
            1:1 0+4 [a]
            4:1 5+2 [ab]
        "#]],
    );
    check(
        &pattern("^"),
        "x\ny",
        expect![[r#"
            1:1 0+0 []x
            2:1 2+0 []y
        "#]],
    );
}

#[test]
fn a_long_line_is_shown_around_the_match() {
    let text = format!("{}needle{}", "ä".repeat(5_000), "ö".repeat(5_000));
    let (matches, _) = pattern("needle").matches(&text, 9);
    let one = &matches[0];
    assert_eq!((one.column, one.from, one.to), (5_001, 41, 47));
    assert_eq!(one.preview.chars().count(), 1 + 250);
    assert!(one.preview.starts_with("…ä") && one.preview.ends_with('ö'));
    let (matches, is_cut) = pattern("e").matches(&text, 2);
    assert_eq!((matches.len(), is_cut), (2, true));
    let wide = pattern(".*").matches(&text, 9).0;
    assert_eq!((wide[0].length, wide[0].to), (10_006, 250));
}

#[test]
fn matches_become_what_was_typed() {
    let becomes = |typed: &str, text: &str, replacement: &str| {
        let pattern = pattern(typed);
        let replacement = Replacement::with_groups(replacement, pattern.n_groups());
        pattern.replaced(text, &replacement).into_iter().map(|(_, new)| new).collect::<Vec<_>>()
    };
    assert_eq!(becomes(r"(\w+)=(\w*)", "a=1\nbb=", "$2:$1"), ["1:a", ":bb"]);
    assert_eq!(becomes("(a)(?<n>b)?", "ab a", r"$12${n}$$\n\\$&$9\q"), ["a2b$\n\\ab$9\\q", "a2$\n\\a$9\\q"]);
    assert_eq!(becomes(r"x$", "x\nx", "$0;"), ["x;", "x;"]);
    assert_eq!(becomes(r"\bfoo", "foo barfoo", "$0"), ["foo"]);
    assert_eq!(Replacement::text("$1").plain(), Some("$1"));
    assert_eq!(Replacement::with_groups("", 1).plain(), Some(""));
    assert_eq!(Replacement::with_groups(r"a\nb", 1).plain(), Some("a\nb"));
    assert_eq!(Replacement::with_groups("a$1", 2).plain(), None);
}

#[test]
fn what_is_no_pattern_says_why() {
    let refused = |typed, whole_word| Pattern::new(typed, true, false, whole_word).unwrap_err().to_string();
    assert_eq!(refused("a(b", false), "unclosed group");
    assert_eq!(refused("a)(b", true), "unopened group");
    assert_eq!(refused("", false), "There is nothing to look for.");
    assert_eq!(refused(r"(\w{999}){999}", false), "it is too large");
    let glob = Globs::new(&["a[".into()], &[]).unwrap_err().to_string();
    assert!(glob.starts_with("“a[” names no files: "), "{glob}");
}

#[test]
fn globs_are_those_of_editors() {
    let has = |include: &[&str], exclude: &[&str], path: &str| {
        let owned = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect::<Vec<_>>();
        Globs::new(&owned(include), &owned(exclude)).unwrap().has(&RelPath::parse(path).unwrap())
    };
    assert!(has(&[], &[], "a/b.rs"));
    assert!(has(&["", "*.rs"], &[], "a/deep/b.rs") && !has(&["*.rs"], &[], "a/b.ts"));
    assert!(has(&["src"], &[], "x/src/deep/b") && !has(&["src"], &[], "x/srcs/b"));
    assert!(has(&["./src"], &[], "src/b") && !has(&["./src"], &[], "x/src/b"));
    assert!(has(&["src/*.{ts,rs}"], &[], "x/src/b.ts") && !has(&["src/*.rs"], &[], "src/deep/b.rs"));
    assert!(has(&["src/**/*.rs"], &[], "src/deep/b.rs"));
    assert!(!has(&["*.rs"], &["test*"], "a/tests/b.rs") && has(&["*.rs"], &["test*/"], "a/b.rs"));
}

#[test]
fn a_folder_is_walked_as_the_explorer_shows_it() {
    let place = tempfile::tempdir().unwrap();
    let put = |path: &str| {
        let path = place.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    };
    for path in
        ["b.txt", "A.txt", "src/z.rs", "src/inner/a.rs", "out/a", "x.log", ".git/HEAD", "node_modules/a.js", "t/c"]
    {
        put(path);
    }
    fs::write(place.path().join(".gitignore"), "*.log\n").unwrap();
    let folder = Folder::open(place.path()).unwrap();
    let rules = Rules::new(&folder);
    let mut found = Vec::new();
    let is_whole = walk(&folder, &rules, &|folder| folder.as_str() != "out", &mut |path| {
        found.push(path.to_string());
        ControlFlow::Continue(())
    });
    assert!(is_whole.unwrap());
    assert_eq!(found, ["src/inner/a.rs", "src/z.rs", "t/c", ".gitignore", "A.txt", "b.txt"]);
    assert!(!walk(&folder, &rules, &|_| true, &mut |_| ControlFlow::Break(())).unwrap());
}

#[test]
fn texts_are_searched_as_the_workspace_has_them() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(place.path()).unwrap();
    let look = |name: &str, bytes: &[u8]| {
        fs::write(place.path().join(name), bytes).unwrap();
        searched_text(&folder, &RelPath::parse(name).unwrap()).unwrap()
    };
    let text = |text: &str| Searched::Text(text.into());
    assert_eq!(look("plain", "grün\n".as_bytes()), text("grün\n"));
    assert_eq!(look("crlf", b"a\r\nb"), text("a\nb"));
    assert_eq!(look("bom", "\u{feff}a".as_bytes()), text("a"));
    assert_eq!(look("latin", b"gr\xfcn"), text("grün"));
    assert_eq!(look("utf16", b"\xff\xfea\0\n\0"), text("a\n"));
    assert_eq!(look("binary", b"a\0b"), Searched::Nothing);
    assert_eq!(look("lines", "\n".repeat(300_000).as_bytes()), Searched::TooLarge);
    assert_eq!(look("bytes", &vec![b'a'; 20 * 1024 * 1024 + 1]), Searched::TooLarge);
    assert_eq!(searched_text(&folder, &RelPath::parse("missing").unwrap()).unwrap(), Searched::Nothing);
}
