//! Units say nothing of what is gone, and what does not fit together makes no text.

#![allow(clippy::unwrap_used)]
use super::*;
use crate::OpenDelta;
use codesync_base::{DeviceId, Splice};

fn log(n: u8) -> LogId {
    LogId { device: DeviceId([n; 32]), incarnation: 0 }
}

fn sample() -> TextDocument {
    let mut document = TextDocument::new();
    document.integrate_base(log(1), 3, "a secret 😀 here");
    let mut open = OpenDelta { log: log(2), seq: 1, logs: vec![] };
    document.edit(&mut open, &Splice::new(2, 9, "word")).unwrap();
    document.edit(&mut open, &Splice::new(0, 0, "is ")).unwrap();
    document
}

#[test]
fn what_is_gone_is_in_no_byte() {
    let document = sample();
    assert_eq!(document.to_string(), "is a word here");
    let bytes = document.units().encode();
    assert!(!bytes.windows(4).any(|bytes| bytes == b"secr"), "{bytes:?}");
    assert!(!bytes.windows(4).any(|bytes| bytes == "😀".as_bytes()));
    let again = TextDocument::from_units(&TextUnits::decode(&bytes).unwrap()).unwrap();
    assert_eq!(again.to_string(), "is a word here");
    assert_eq!(again.units(), document.units());
    // Both halves of what is gone are known to belong together.
    assert_eq!(
        again.places_of(&[(log(1), 3, 9), (log(1), 3, 10)]),
        document.places_of(&[(log(1), 3, 9), (log(1), 3, 10)])
    );
}

#[test]
fn an_empty_text_has_no_units() {
    let units = TextDocument::new().units();
    assert_eq!(units, TextUnits::default());
    assert_eq!(TextDocument::from_units(&units).unwrap().to_string(), "");
}

#[test]
fn what_does_not_fit_is_no_text() {
    let refused = |change: &dyn Fn(&mut TextUnits)| {
        let mut units = sample().units();
        change(&mut units);
        TextDocument::from_units(&units).unwrap_err().0
    };
    let at = |log, clock| UnitAt { log, clock };
    assert_eq!(refused(&|units| units.logs.reverse()), "logs out of order");
    assert_eq!(refused(&|units| units.logs[0].text.push('x')), "more text than deltas");
    assert_eq!(refused(&|units| units.logs[0].deltas[0].1 += 1), "a delta ends inside a character");
    assert_eq!(refused(&|units| units.logs[0].deltas.push((3, 0))), "deltas out of order");
    assert_eq!(refused(&|units| _ = units.order.pop()), "a unit that stands nowhere");
    assert_eq!(refused(&|units| units.order.push(units.order[0])), "a unit that stands twice or nowhere");
    assert_eq!(refused(&|units| units.order[0].first.log = 9), "a log that is not there");
    assert_eq!(refused(&|units| _ = units.insertions.pop()), "units without an insertion");
    assert_eq!(refused(&|units| units.insertions[0].left = Some(at(1, 99))), "an unknown neighbour");
    assert_eq!(refused(&|units| units.insertions[0].left = Some(at(1, 0))), "neighbours in a circle");
    assert_eq!(refused(&|units| units.insertions[0].length = u32::MAX), "a unit that is not there");
    assert_eq!(refused(&|units| units.insertions[0].length = 10), "half a character");
}
