//! Edits between texts, and over one another.
#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

fn merged(shadow: &str, disk: &str, document: &str) -> String {
    apply_splices(document, &rebase(&disk_edit(shadow, disk), shadow, document))
}

#[test]
fn an_edit_is_small() {
    assert_eq!(disk_edit("let a = 1;\nlet b = 2;\n", "let a = 10;\nlet b = 2;\n"), [Splice::new(9, 0, "0")]);
    assert_eq!(disk_edit("a👍b", "a👎b"), [Splice::new(1, 2, "👎")]);
    assert_eq!(disk_edit("x", "x"), []);
    let edits = disk_edit("fn one() {}\nfn two() {}\nfn six() {}\n", "fn One() {}\nfn two() {}\nfn six(n: u8) {}\n");
    assert_eq!(edits, [Splice::new(3, 1, "O"), Splice::new(31, 0, "n: u8")]);
}

#[test]
fn a_sed_over_the_file_leaves_what_is_between() {
    let old = "foo(1);\nbar(foo, 2);\nbaz();\n".repeat(50);
    let new = old.replace("foo", "quux");
    let edits = disk_edit(&old, &new);
    assert_eq!(edits.len(), 100);
    assert_eq!(apply_splices(&old, &edits), new);
}

#[test]
fn one_long_line_is_not_replaced_for_one_character() {
    let old = "var x=1;".repeat(50_000);
    let mut new = old.clone();
    new.insert_str(200_000, "y();");
    let edits = disk_edit(&old, &new);
    assert_eq!((edits.len(), edits[0].deleted, edits[0].inserted.len()), (1, 0, 4));
    assert_eq!(apply_splices(&old, &edits), new);
}

#[test]
fn both_sides_are_kept() {
    let shadow = "one\ntwo\nthree\n";
    assert_eq!(merged(shadow, "one\nTWO\nthree\n", "zero\none\ntwo\nthree!\n"), "zero\none\nTWO\nthree!\n");
    // Both insert in one place: the document's text first.
    assert_eq!(merged("ab", "aDb", "aXb"), "aXDb");
    // The disk deletes around what the document inserted.
    assert_eq!(merged("a(bc)d", "ad", "a(bXc)d"), "aXd");
    // The document deleted what the disk replaces.
    assert_eq!(merged("a(bc)d", "a[Q]d", "ad"), "a[Q]d");
}

#[test]
fn the_same_change_on_both_sides_is_made_once() {
    assert_eq!(merged("ab", "aXb", "aXb"), "aXb");
    assert_eq!(merged("one\ntwo\nsix\n", "one\n2\nsix!\n", "one\n2\nsix\nten\n"), "one\n2\nsix!\nten\n");
}

#[test]
fn large_texts_take_no_time() {
    let line = |n: usize| format!("line {} of many\n", n * 7919 % 100_003);
    let old: String = (0..30_000).map(line).collect();
    let new: String = (0..30_000).map(|n| if n % 3 == 0 { format!("other {n}\n") } else { line(n) }).collect();
    assert_eq!(apply_splices(&old, &disk_edit(&old, &new)), new);
    let alien: String = (0..30_000).map(|n| format!("nothing {n} alike\n")).collect();
    assert_eq!(apply_splices(&old, &disk_edit(&old, &alien)), alien);
}

/// Characters that are words of their own, each once: a diff of such texts finds what stayed.
const SYMBOLS: [char; 12] = ['∀', '∂', '∃', '∅', '∆', '∇', '∈', '∉', '🙂', '🙃', '∏', '∑'];

/// Drops some symbols and inserts texts: one (dropped, inserted before) for each symbol, and an insertion at the end.
fn variant(letters: &'static str) -> impl Strategy<Value = String> {
    let insertion =
        move || prop_oneof![3 => Just(String::new()), 1 => proptest::string::string_regex(letters).unwrap()];
    proptest::collection::vec((any::<bool>(), any::<bool>(), insertion()), SYMBOLS.len()..=SYMBOLS.len())
        .prop_flat_map(move |parts| (Just(parts), insertion()))
        .prop_map(|(parts, last)| {
            let text = SYMBOLS.iter().zip(parts).map(
                |(symbol, (a, b, inserted))| {
                    if a && b { inserted } else { format!("{inserted}{symbol}") }
                },
            );
            text.collect::<String>() + &last
        })
}

fn only(text: &str, keeps: impl Fn(char) -> bool) -> String {
    text.chars().filter(|c| keeps(*c)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn an_edit_leads_from_old_to_new(old in "[ab👍\n ]{0,60}", new in "[ab👍\n ]{0,60}") {
        let edits = disk_edit(&old, &new);
        prop_assert_eq!(apply_splices(&old, &edits), new.clone());
        prop_assert_eq!(merged(&old, &new, &old), new.clone());
        prop_assert_eq!(merged(&old, &old, &new), new.clone());
        prop_assert_eq!(merged(&old, &new, &new), new);
    }

    #[test]
    fn nothing_is_lost_or_doubled(disk in variant("[0-9]{1,4}"), document in variant("[A-Z]{1,4}")) {
        let shadow: String = SYMBOLS.iter().collect();
        let result = merged(&shadow, &disk, &document);
        prop_assert_eq!(only(&result, |c| c.is_ascii_digit()), only(&disk, |c| c.is_ascii_digit()));
        prop_assert_eq!(only(&result, |c| c.is_ascii_uppercase()), only(&document, |c| c.is_ascii_uppercase()));
        let kept = only(&shadow, |c| disk.contains(c) && document.contains(c));
        prop_assert_eq!(only(&result, |c| !c.is_ascii()), kept);
    }

    #[test]
    fn nothing_is_lost_over_lines(
        shadow in proptest::collection::vec("[a-d]{0,3}", 0..8),
        disk in proptest::collection::vec("[a-d0-9]{0,3}", 0..8),
        document in proptest::collection::vec("[a-dA-Z]{0,3}", 0..8))
    {
        let (shadow, disk, document) = (shadow.join("\n"), disk.join("\n"), document.join("\n"));
        let result = merged(&shadow, &disk, &document);
        prop_assert_eq!(only(&result, |c| c.is_ascii_digit()), only(&disk, |c| c.is_ascii_digit()));
        prop_assert_eq!(only(&result, |c| c.is_ascii_uppercase()), only(&document, |c| c.is_ascii_uppercase()));
    }
}
