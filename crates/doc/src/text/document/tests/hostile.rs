//! Steps that no honest author makes are refused, and nothing changes.

use super::*;
use codesync_base::BlobHash;
use std::collections::BTreeMap;

struct Blobs(BTreeMap<BlobHash, Vec<u8>>);

impl BlobSource for Blobs {
    fn blob(&self, hash: &BlobHash) -> Option<Vec<u8>> {
        self.0.get(hash).cloned()
    }
}

fn item(log: u16, seq: u32, offset: u32) -> ItemRef {
    ItemRef { log, seq, offset }
}

fn inline(left: Option<ItemRef>, right: Option<ItemRef>, text: &str) -> Option<Insert> {
    Some(Insert { left, right, text: TextSource::Inline(text.into()) })
}

/// `a😀bc` by log 99, then `XY` before `c` by log 1 in delta 5, its `Y` taken out again.
fn document() -> TextDocument {
    let mut document = TextDocument::new();
    document.integrate_base(log_id(99), 1, "a😀bc");
    let mut open = OpenDelta { log: log_id(1), seq: 5, logs: vec![] };
    document.edit(&mut open, &Splice::new(4, 0, "XY")).unwrap();
    document.edit(&mut open, &Splice::new(5, 1, "")).unwrap();
    assert_eq!(document.to_string(), "a😀bXc");
    document
}

/// The names in use: 0 is log 2, 1 is log 99, 2 is log 1, 3 is a log that wrote nothing.
fn delta_of_two(seq: u32) -> Delta {
    delta(log_id(2), seq, vec![log_id(99), log_id(1), log_id(50)])
}

fn check_refused(step: TextStep, expected: IntegrateError) {
    for always_ask_yrs in [false, true] {
        let mut document = TextDocument { always_ask_yrs, ..document() };
        let (runs, insertions): (Vec<_>, _) = (document.runs().collect(), document.insertions.len());
        let refused = document.integrate(&delta_of_two(1), &step, &NoBlobs).unwrap_err();
        assert_eq!(refused, expected, "{step:?}");
        assert_eq!(document.to_string(), "a😀bXc");
        assert_eq!(document.runs().collect::<Vec<_>>(), runs);
        assert_eq!((document.insertions.len(), document.deletions.len()), (insertions, 1));
        assert_eq!(document.check_against_yrs(), Ok(()));
    }
}

#[test]
fn insertions_at_unknown_or_half_units_are_refused() {
    use IntegrateError::*;
    let at = |left, right, text: &str| TextStep { position: 0, delete: vec![], insert: inline(left, right, text) };
    for unknown in
        [item(1, 1, 5), item(1, 2, 0), item(2, 5, 2), item(2, 4, 0), item(3, 1, 0), item(9, 1, 0), item(0, 1, 0)]
    {
        check_refused(at(Some(unknown), None, "x"), UnknownItem(unknown));
        check_refused(at(None, Some(unknown), "x"), UnknownItem(unknown));
    }
    check_refused(at(Some(item(1, 1, u32::MAX)), None, "x"), UnknownItem(item(1, 1, u32::MAX)));
    check_refused(at(Some(item(1, 1, 1)), None, "x"), InsideCharacter(item(1, 1, 1)));
    check_refused(at(None, Some(item(1, 1, 2)), "x"), InsideCharacter(item(1, 1, 2)));
    check_refused(at(Some(item(1, 1, 3)), Some(item(1, 1, 0)), "x"), LeftAfterRight);
    check_refused(at(Some(item(1, 1, 3)), Some(item(1, 1, 3)), "x"), LeftAfterRight);
    // `Y` is gone, and yet stands between `X` and `c`.
    check_refused(at(Some(item(2, 5, 1)), Some(item(2, 5, 0)), "x"), LeftAfterRight);
    check_refused(at(Some(item(1, 1, 4)), Some(item(2, 5, 1)), "x"), LeftAfterRight);
    check_refused(at(None, Some(item(1, 1, 0)), ""), Empty);
}

#[test]
fn deletions_of_unknown_or_half_units_are_refused() {
    use IntegrateError::*;
    let range = |first, length| ItemRange { first, length };
    let delete = |ranges: &[ItemRange]| TextStep { position: 0, delete: ranges.to_vec(), insert: None };
    check_refused(delete(&[range(item(1, 1, 0), 0)]), Empty);
    check_refused(delete(&[range(item(1, 1, 0), 6)]), UnknownItem(item(1, 1, 0)));
    check_refused(delete(&[range(item(1, 1, 0), u32::MAX)]), UnknownItem(item(1, 1, 0)));
    check_refused(delete(&[range(item(1, 1, 4), u32::MAX)]), UnknownItem(item(1, 1, 4)));
    check_refused(delete(&[range(item(1, 1, 0), 2)]), InsideCharacter(item(1, 1, 0)));
    check_refused(delete(&[range(item(1, 1, 2), 1)]), InsideCharacter(item(1, 1, 2)));
    // What comes first in a step is not done when what follows is refused.
    check_refused(delete(&[range(item(1, 1, 0), 1), range(item(2, 9, 0), 1)]), UnknownItem(item(2, 9, 0)));
    let insert = inline(Some(item(2, 9, 0)), None, "x");
    let both = TextStep { position: 0, delete: vec![range(item(1, 1, 0), 1)], insert };
    check_refused(both, UnknownItem(item(2, 9, 0)));
}

#[test]
fn deltas_of_a_log_add_in_their_order() {
    let mut document = document();
    let step = TextStep { position: 0, delete: vec![], insert: inline(None, Some(item(1, 1, 0)), "x") };
    let before = delta(log_id(1), 4, vec![log_id(99)]);
    let refused = document.integrate(&before, &step, &NoBlobs);
    assert_eq!(refused, Err(IntegrateError::NotNext { log: log_id(1), seq: 4, seen: 5 }));
    let mut open = OpenDelta { log: log_id(1), seq: 4, logs: vec![] };
    let refused = document.edit(&mut open, &Splice::new(0, 0, "x"));
    assert_eq!(refused, Err(EditError::NotNext { log: log_id(1), seq: 4, seen: 5 }));
    assert_eq!(document.to_string(), "a😀bXc");
}

#[test]
fn texts_in_blobs_must_be_there_and_be_as_said() {
    use IntegrateError::*;
    let good = "世😀".as_bytes().to_vec();
    let bad = vec![b'a', 0xff];
    let (good_hash, bad_hash) = (BlobHash::of(&good), BlobHash::of(&bad));
    let blobs = Blobs([(good_hash, good), (bad_hash, bad)].into());
    let step = |hash, length| {
        let insert = Insert { left: None, right: Some(item(1, 1, 0)), text: TextSource::Blob { hash, length } };
        TextStep { position: 0, delete: vec![], insert: Some(insert) }
    };
    let mut document = document();
    let delta = delta_of_two(1);
    assert_eq!(document.integrate(&delta, &step(good_hash, 3), &NoBlobs), Err(MissingBlob(good_hash)));
    assert_eq!(document.integrate(&delta, &step(bad_hash, 2), &blobs), Err(BadBlob(bad_hash)));
    assert_eq!(document.integrate(&delta, &step(good_hash, 4), &blobs), Err(BadBlob(good_hash)));
    assert_eq!(document.integrate(&delta, &step(good_hash, 3), &blobs), Ok(vec![Splice::new(0, 0, "世😀")]));
    assert_eq!(document.to_string(), "世😀a😀bXc");
}

#[test]
fn edits_out_of_range_or_inside_a_character_are_refused() {
    let mut document = document();
    let mut open = OpenDelta { log: log_id(1), seq: 6, logs: vec![] };
    for (position, deleted) in [(7, 0), (0, 7), (6, 1), (1, u32::MAX), (u32::MAX, 1)] {
        let refused = document.edit(&mut open, &Splice::new(position, deleted, "x"));
        assert!(matches!(refused, Err(EditError::OutOfRange { .. })), "{position} {deleted}: {refused:?}");
    }
    for (position, deleted, at) in [(2, 0, 2), (1, 1, 2), (2, 1, 2), (0, 2, 2)] {
        let refused = document.edit(&mut open, &Splice::new(position, deleted, "x"));
        assert_eq!(refused, Err(EditError::InsideCharacter { position: at }));
    }
    assert_eq!(document.to_string(), "a😀bXc");
    assert_eq!(document.slice(1..3), Ok("😀".into()));
    assert!(document.slice(1..2).is_err() && document.slice(0..9).is_err());
}

/// Well-formed steps with arbitrary known names: never a panic, runs and text always agree.
#[test]
fn arbitrary_names_do_no_harm() {
    for seed in 1..60 {
        let mut random = Random::new(seed);
        let mut document = document();
        for seq in 1..60 {
            let delta = delta_of_two(seq);
            let mut any =
                || item(random.below(4) as u16, [1, 1, 5, random.below(70)][random.below(4) as usize], random.below(7));
            let (left, right, first) = (any(), any(), any());
            let delete = ItemRange { first, length: random.below(5) };
            let insert =
                inline(Some(left), Some(right).filter(|_| random.below(3) > 0), PIECES[random.below(10) as usize]);
            let delete = if random.below(2) == 0 { vec![] } else { vec![delete, delete] };
            let step = TextStep { position: random.below(9), delete, insert: insert.filter(|_| random.below(5) > 0) };
            let mut text = document.to_string();
            if let Ok(splices) = document.integrate(&delta, &step, &NoBlobs) {
                splices.iter().for_each(|splice| apply_to_string(&mut text, splice));
            }
            assert_eq!(document.to_string(), text, "seed {seed}");
            assert_eq!(document.check_against_yrs(), Ok(()), "seed {seed}");
        }
    }
}

#[test]
fn a_range_names_all_the_deltas_that_it_runs_over() {
    let mut document = document();
    let mut open = OpenDelta { log: log_id(1), seq: 8, logs: vec![] };
    document.edit(&mut open, &Splice::new(0, 0, "uvw")).unwrap();
    let delete = vec![ItemRange { first: item(2, 5, 1), length: 2 }];
    let insert = inline(Some(item(2, 5, 0)), Some(item(1, 1, 4)), "x");
    let named = document.newest_named(&delta_of_two(1), &TextStep { position: 0, delete, insert });
    assert_eq!(named, Ok(vec![(log_id(1), 8), (log_id(99), 1)]));
}
