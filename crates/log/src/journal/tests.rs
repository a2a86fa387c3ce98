#![allow(clippy::unwrap_used)]
use super::*;

fn sample() -> (Vec<u8>, Vec<Range<usize>>) {
    let mut bytes = encode_header(7, Class::Live);
    let payloads = [&b"one"[..], b"", b"the third is a little longer"];
    let places = payloads.iter().map(|p| encode_record(7, RecordKind::Delta, p, &mut bytes)).collect();
    (bytes, places)
}

#[test]
fn golden_bytes_of_a_segment() {
    let hex: String = sample().0.iter().map(|byte| format!("{byte:02x}")).collect();
    expect_test::expect_file!["golden-segment.txt"].assert_eq(&format!("{hex}\n"));
}

#[test]
fn records_come_back() {
    let (bytes, places) = sample();
    let scan = scan(7, &bytes);
    assert_eq!(scan.class, Some(Class::Live));
    assert_eq!(scan.records.iter().map(|r| r.payload.clone()).collect::<Vec<_>>(), places);
    assert!(scan.damaged.is_empty() && scan.torn_at.is_none());
}

#[test]
fn every_cut_leaves_the_whole_records_and_names_the_torn_place() {
    let (bytes, places) = sample();
    for cut in 0..bytes.len() {
        let scan = scan(7, &bytes[..cut]);
        let n_whole = places.iter().filter(|place| place.end <= cut).count();
        assert_eq!(scan.records.len(), if cut < HEADER_BYTES { 0 } else { n_whole }, "cut {cut}");
        let is_clean = cut == 0 || cut == HEADER_BYTES || places.iter().any(|place| place.end == cut);
        assert_eq!(scan.torn_at.is_none(), is_clean, "cut {cut}");
    }
}

#[test]
fn every_flipped_bit_costs_one_record_at_most_and_is_noticed() {
    let (bytes, places) = sample();
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let scan = scan(7, &damaged);
        assert!(!scan.damaged.is_empty() || scan.torn_at.is_some(), "bit {bit}");
        assert!(scan.records.len() + 1 >= places.len(), "bit {bit}");
        assert!(scan.records.iter().all(|record| places.contains(&record.payload)), "bit {bit}");
    }
}

#[test]
fn a_segment_under_another_number_is_not_believed() {
    let scan = scan(8, &sample().0);
    assert!(scan.records.is_empty());
    assert_eq!(scan.torn_at, Some(0));
}

#[test]
fn a_newer_format_is_told_apart_from_damage() {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&9u16.to_le_bytes());
    bytes.extend_from_slice(&[1, 0, 7, 0, 0, 0]);
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    assert_eq!(scan(7, &bytes).newer_version, Some(9));
}
