#![allow(clippy::unwrap_used)]

use super::arrows::{Arrow, arrow};
use super::*;

fn failures(findings: &[Finding]) -> Vec<String> {
    let failures = findings.iter().filter(|finding| finding.weight == Weight::Failure);
    failures.map(|finding| format!("{}: {}", finding.place, finding.sentence)).collect()
}

fn function(n_lines: usize) -> Source {
    let body = "    work();\n".repeat(n_lines);
    Source::new("crates/a/src/b.rs", &format!("//! Text.\n\nimpl A {{\n    fn long() {{\n{body}    }}\n}}\n"))
}

#[test]
fn a_clean_file_is_clean() {
    let source = function(10);
    assert_eq!(files::check(&source), vec![]);
    assert_eq!(functions::check(&source), vec![]);
}

#[test]
fn long_functions_fail_and_middling_ones_are_advised() {
    assert_eq!(
        failures(&functions::check(&function(101))),
        ["crates/a/src/b.rs:4: `long` has 101 lines, the limit is 100"]
    );
    let advice = functions::check(&function(71));
    assert_eq!((advice.len(), advice[0].weight), (1, Weight::Advice));
    assert_eq!(functions::check(&function(70)), vec![]);
}

#[test]
fn nested_functions_and_their_comments_are_counted_right() {
    let comments = "    // why\n\n".repeat(90);
    let text = format!("//! T.\n\nmod m {{\n    fn a() {{\n{comments}    }}\n}}\n");
    assert_eq!(functions::check(&Source::new("a.rs", &text)), vec![]);
}

#[test]
fn what_cannot_be_parsed_is_said() {
    assert!(failures(&functions::check(&Source::new("a.rs", "fn {")))[0].contains("could not be parsed"));
}

#[test]
fn a_file_must_say_what_it_is() {
    let source = Source::new("crates/a/src/b.rs", "fn a() {}\n");
    assert!(failures(&files::check(&source))[0].contains("`//!`"));
    assert_eq!(files::check(&Source::new("crates/a/src/b/tests.rs", "fn a() {}\n")), vec![]);
}

#[test]
fn blanks_at_line_ends_and_missing_line_ends_are_found() {
    let source = Source::new("a.ts", "one \ntwo\t\nthree\r\nfour");
    let found = failures(&files::check(&source));
    assert_eq!(found.len(), 4);
    assert!(found[0].starts_with("a.ts:1:") && found[3].contains("line end"));
}

#[test]
fn long_files_fail_and_long_components_are_advised() {
    let long = Source::new("a.ts", &"x\n".repeat(1_501));
    assert!(failures(&files::check(&long))[0].contains("1501 lines"));
    let component = Source::new("A.svelte", &"x\n".repeat(251));
    assert_eq!(files::check(&component)[0].weight, Weight::Advice);
}

#[test]
fn the_desktop_shell_stays_small() {
    let part = |name: &str| Source::new(&format!("src-tauri/src/{name}"), &"work();\n\n// why\n".repeat(751));
    assert!(files::check_shell(&[part("a.rs"), part("b.rs")]).unwrap().sentence.contains("1502"));
    assert_eq!(files::check_shell(&[part("a.rs"), part("b/tests.rs")]), None);
}

#[test]
fn links_must_lead_somewhere() {
    let text = "[a](b.md) [c](../x.md#part) [out](https://example.org/x) [up](#there) [far](../../shared/D.md)\n```\n[code](no.md)\n```\n";
    let sources = [Source::new("docs/a.md", text)];
    let found = files::check_links(&sources, &|path| path == "docs/b.md");
    assert_eq!(failures(&found), ["docs/a.md:1: links to ../x.md#part, which is not there"]);
}

#[test]
fn arrows_go_down_only() {
    assert_eq!(arrows::check(&[arrow("codesync-doc", "codesync-base")]), vec![]);
    let up = failures(&arrows::check(&[arrow("codesync-base", "codesync-doc")]));
    assert_eq!(up, ["crates/base/Cargo.toml: uses codesync-doc, which is not below it"]);
    let sideways = Arrow { for_tests: true, ..arrow("codesync-fs", "codesync-engine") };
    assert_eq!(arrows::check(&[sideways]).len(), 1);
    assert!(failures(&arrows::check(&[arrow("codesync-new", "serde")]))[0].contains("does not know"));
}

#[test]
fn a_kept_dependency_is_named_by_its_crate_only() {
    assert_eq!(arrows::check(&[arrow("codesync-doc", "yrs"), arrow("codesync-desktop", "tauri-build")]), vec![]);
    let found = failures(&arrows::check(&[arrow("codesync-engine", "yrs"), arrow("codesync-node", "tauri-plugin-x")]));
    assert_eq!(found.len(), 2);
    assert_eq!(found[0], "crates/engine/Cargo.toml: names yrs; only codesync-doc may name yrs");
    let in_tests = Arrow { for_tests: true, ..arrow("codesync-desktop", "tokio") };
    assert_eq!(arrows::check(&[in_tests]), vec![]);
}

#[test]
fn bytes_reach_yrs_from_one_call() {
    let call = "use yrs::Update;\nfn apply(bytes: &[u8]) {\n    let update = Update::decode_v1(bytes);\n    doc.apply_update(update);\n}\n";
    let order = |text: String| Source::new("crates/doc/src/text/order.rs", &text);
    assert_eq!(order::check(&[order(call.into())]), vec![]);
    let again = format!("{call}// Not this: decode_v1(x)\nfn other() {{ doc.apply_update(theirs); }}\n");
    let found = failures(&order::check(&[order(again)]));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("crates/doc/src/text/order.rs:7: a second way"), "{found:?}");
    let elsewhere = Source::new("crates/engine/src/a.rs", "fn f() { yrs::merge_updates_v1(&[]); }\n");
    assert_eq!(failures(&order::check(&[order(call.into()), elsewhere])).len(), 1);
    let in_tests = Source::new("crates/doc/src/text/tests.rs", "use yrs::Update;\n");
    assert_eq!(order::check(&[order(call.into()), in_tests]), vec![]);
    assert_eq!(order::check(&[order("use yrs::Doc;\n".into())]).len(), 2);
}

#[test]
fn failures_fail_and_advice_does_not() {
    assert!(report(&[Finding::advice("a", "b")]).is_ok());
    assert!(report(&[Finding::failure("a", "b")]).is_err());
}
