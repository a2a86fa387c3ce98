#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;

fn apply(text: &str, splices: &[Splice]) -> String {
    let mut units: Vec<u16> = text.encode_utf16().collect();
    for splice in splices {
        let at = splice.position as usize;
        units.splice(at..at + splice.deleted as usize, splice.inserted.encode_utf16());
    }
    String::from_utf16(&units).unwrap()
}

/// Splices over a text of ASCII letters, as pairs of fractions, so that they always fit.
fn splices(text: &str, raw: &[(u16, u16, String)]) -> Vec<Splice> {
    let mut length = utf16_len(text);
    let mut out = Vec::new();
    for (at, del, ins) in raw {
        let position = u32::from(*at) % (length + 1);
        let deleted = (u32::from(*del) % 4).min(length - position);
        length = length - deleted + utf16_len(ins);
        out.push(Splice::new(position, deleted, ins.as_str()));
    }
    out
}

fn raw_edits() -> impl Strategy<Value = Vec<(u16, u16, String)>> {
    proptest::collection::vec((any::<u16>(), any::<u16>(), "[a-zé日\n]{0,3}"), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn both_orders_give_the_same_text(base in "[A-Z]{0,12}", a in raw_edits(), b in raw_edits(), stays_left: bool) {
        let (a, b) = (splices(&base, &a), splices(&base, &b));
        let (ca, cb) = (Changeset::of_splices(&a), Changeset::of_splices(&b));
        let (ca2, cb2) = transform(&ca, &cb, Left::of_view(stays_left));
        let one = apply(&apply(&base, &a), &cb2.splices());
        let two = apply(&apply(&base, &b), &ca2.splices());
        prop_assert_eq!(&one, &two);
        // Nothing lost or doubled: every unit that either inserted and did not itself delete is there.
        let kept = |c: &Changeset| c.ops.iter().map(|op| match op { Op::Insert(t) => t.chars().count(), _ => 0 }).sum::<usize>();
        let inserted = one.chars().filter(|c| !c.is_ascii_uppercase()).count();
        prop_assert_eq!(inserted, kept(&ca) + kept(&cb));
    }

    #[test]
    fn composing_is_doing_one_after_the_other(base in "[A-Z]{0,12}", a in raw_edits()) {
        let list = splices(&base, &a);
        let composed = Changeset::of_splices(&list);
        prop_assert_eq!(apply(&base, &composed.splices()), apply(&base, &list));
    }
}

/// What both orders give.
fn meet(base: &str, engine: &Splice, view: &Splice, at_ties: Left) -> String {
    let (engine, view) = (Changeset::of_splice(engine), Changeset::of_splice(view));
    let (engine_after, view_after) = transform(&engine, &view, at_ties);
    let text = apply(base, &view.then(&engine_after).splices());
    assert_eq!(apply(base, &engine.then(&view_after).splices()), text);
    text
}

#[test]
fn lines_of_the_engine_stand_left_at_ties_and_what_may_go_on_stands_right() {
    let view = Splice::new(1, 1, "v");
    for (engine, text) in [("E\n", "aE\nvc"), ("E\nF\nG", "aE\nF\nvGc"), ("E", "avEc"), ("\n", "a\nvc")] {
        assert_eq!(meet("abc", &Splice::new(1, 0, engine), &view, Left::Lines), text);
    }
    assert_eq!(meet("abc", &Splice::new(1, 1, "E\nF"), &view, Left::Lines), "aE\nvFc");
}

#[test]
fn what_goes_on_behind_a_letter_stands_left_at_ties() {
    assert_eq!(meet("A", &Splice::new(1, 0, "Joao\n"), &Splice::new(1, 0, "sha"), Left::View), "AshaJoao\n");
}
