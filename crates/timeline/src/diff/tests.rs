//! Edit scripts lead from one text to the other and never cut a character; patches are what `diff -u` makes.
#![allow(clippy::unwrap_used)]

use super::{
    LineCounts, Lines, REFINE_CHARS_MAX, apply, edit_script, line_counts, lines_range, minimal_splice, unified_diff,
};
use crate::testing::{Random, boundaries, naive_apply, random_splice, words};
use codesync_base::{Splice, utf16_len};
use expect_test::{Expect, expect};
use ropey::Rope;

fn related_texts(seed: u64) -> (String, String) {
    let mut random = Random::new(seed);
    let from = words(&mut random, 60);
    let mut to = from.clone();
    for _ in 0..random.below(6) {
        to = naive_apply(&to.clone(), &random_splice(&mut random, &to, 0));
    }
    (from, to)
}

fn assert_cuts_no_character(text: &str, splice: &Splice) {
    let cuts = boundaries(text);
    assert!(cuts.contains(&splice.position) && cuts.contains(&(splice.position + splice.deleted)), "{splice:?}");
}

#[test]
fn scripts_lead_from_one_text_to_the_other() {
    for seed in 0..400 {
        let (from, to) = related_texts(seed);
        let mut text = from.clone();
        for splice in edit_script(&from, &to) {
            assert_cuts_no_character(&text, &splice);
            text = naive_apply(&text, &splice);
        }
        assert_eq!(text, to, "seed {seed}");
        assert_eq!(apply(&from, &edit_script(&from, &to)), to);
        assert!(edit_script(&to, &to).is_empty());
    }
}

#[test]
fn one_splice_is_enough_and_least() {
    for seed in 0..400 {
        let (from, to) = related_texts(seed);
        let splice = minimal_splice(&Rope::from_str(&from), &Rope::from_str(&to));
        assert_eq!(splice.is_none(), from == to);
        if let Some(splice) = splice {
            assert_cuts_no_character(&from, &splice);
            assert_eq!(naive_apply(&from, &splice), to, "seed {seed}");
        }
    }
    let one = |from: &str, to: &str| minimal_splice(&Rope::from_str(from), &Rope::from_str(to)).unwrap();
    assert_eq!(one("aXa", "aa"), Splice::new(1, 1, ""));
    assert_eq!(one("", "ab"), Splice::new(0, 0, "ab"));
    // 🎉 and 🎊 share three of their four bytes.
    assert_eq!(one("🎉", "🎊"), Splice::new(0, 2, "🎊"));
    // é and Щ share their last byte.
    assert_eq!(one("é", "Щ"), Splice::new(0, 1, "Щ"));
    let (long, longer) = ("ab\n".repeat(9_000), "ab\n".repeat(5_000) + "🎉" + &"ab\n".repeat(4_000));
    assert_eq!(one(&long, &longer), Splice::new(15_000, 0, "🎉"));
}

#[test]
fn only_what_changed_within_a_line_is_replaced() {
    let from = "fn a() {}\nfn b() { old(); }\nfn c() {}\n";
    let to = "fn a() {}\nfn b() { new(); }\nfn c() {}\n";
    assert_eq!(edit_script(from, to), [Splice::new(19, 3, "new")]);
    assert_eq!(edit_script("a\nb\nc\n", "a\nc\n"), [Splice::new(2, 2, "")]);
}

#[test]
fn a_rewrite_of_a_long_text_costs_little() {
    let mut random = Random::new(5);
    let mut lines =
        |n: usize| (0..n).map(|_| format!("{} {}\n", random.below(5_000), random.below(9))).collect::<String>();
    let (from, to) = (lines(20_000), lines(20_000));
    assert!(utf16_len(&from) as usize > REFINE_CHARS_MAX);
    assert_eq!(apply(&from, &edit_script(&from, &to)), to);
    let one_line = ("x".repeat(400_000), "y".repeat(400_000));
    assert_eq!(edit_script(&one_line.0, &one_line.1).len(), 1);
}

#[test]
fn lines_are_counted() {
    assert_eq!(line_counts("a\nb\nc\n", "a\nB\nB2\nc\n"), LineCounts { added: 2, removed: 1 });
    assert_eq!(line_counts("", "a"), LineCounts { added: 1, removed: 0 });
    assert_eq!(line_counts("a\n", "a\n"), LineCounts::default());
    assert!(Lines::compare("", "").blocks.is_empty());
}

#[test]
fn lines_have_their_ends() {
    let text = "one\n🎉🎉\nthree";
    assert_eq!(lines_range(text, 1, 1), 0..4);
    assert_eq!(lines_range(text, 2, 2), 4..9);
    assert_eq!(lines_range(text, 2, 3), 4..14);
    assert_eq!(lines_range(text, 2, 99), 4..14);
    assert_eq!(lines_range(text, 7, 9), 14..14);
    assert_eq!(lines_range(text, 3, 1), 9..9);
    assert_eq!(lines_range("", 1, 1), 0..0);
}

fn check_patch(from: &str, to: &str, wanted: Expect) {
    wanted.assert_eq(&unified_diff(from, to, "a/x", "b/x"));
}

#[test]
fn patches_read_like_those_of_diff() {
    check_patch("same\n", "same\n", expect![""]);
    check_patch(
        "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n",
        "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15",
        expect![[r#"
            --- a/x
            +++ b/x
            @@ -2,7 +2,7 @@
             2
             3
             4
            -5
            +five
             6
             7
             8
            @@ -12,4 +12,4 @@
             12
             13
             14
            -15
            +15
            \ No newline at end of file
        "#]],
    );
    check_patch(
        "",
        "new\nfile\n",
        expect![[r#"
            --- a/x
            +++ b/x
            @@ -0,0 +1,2 @@
            +new
            +file
        "#]],
    );
    check_patch(
        "a\nb\n",
        "",
        expect![[r#"
            --- a/x
            +++ b/x
            @@ -1,2 +0,0 @@
            -a
            -b
        "#]],
    );
    check_patch(
        "a\n",
        "b\n",
        expect![[r#"
            --- a/x
            +++ b/x
            @@ -1 +1 @@
            -a
            +b
        "#]],
    );
}
