//! A segment and its second copy, put together: what either has. Pure.

use crate::journal::{self, Class, HEADER_BYTES, RECORD_HEADER_BYTES, Scan};
use std::collections::BTreeSet;
use std::ops::Range;

/// What a segment holds when its second copy is added.
pub(super) struct Joined {
    pub class: Class,
    /// In order.
    pub payloads: Vec<Vec<u8>>,
    /// Nothing of the damaged parts is missing.
    pub is_whole: bool,
}

/// What the two copies hold together; none when the second adds nothing. A record that was found by searching behind
/// damage may be content that imitates one: it counts only when `is_proven` says so.
pub(super) fn join(
    number: u32,
    (bytes, scan): (&[u8], &Scan),
    twin: &[u8],
    is_proven: &dyn Fn(Class, &[u8]) -> bool,
) -> Option<Joined> {
    let twin_scan = journal::scan(number, twin);
    let class = scan.class.or(twin_scan.class).filter(|class| class.has_twin())?;
    if twin_scan.class != Some(class) {
        return None;
    }
    let is_proven = |payload: &[u8]| is_proven(class, payload);
    let mut payloads = believed(bytes, scan, &is_proven);
    let of_twin = believed(twin, &twin_scan, &is_proven);
    let known: BTreeSet<&[u8]> = payloads.iter().map(|(_, payload)| *payload).collect();
    let new: Vec<_> = of_twin.iter().filter(|(_, payload)| !known.contains(payload)).copied().collect();
    let known_to_twin: BTreeSet<&[u8]> = of_twin.iter().map(|(_, payload)| *payload).collect();
    let twin_has_all = twin_scan.is_clean() && known.is_subset(&known_to_twin);
    if new.is_empty() && (scan.damaged.is_empty() || !twin_has_all) {
        return None;
    }
    payloads.extend(new);
    payloads.sort_by_key(|(at, _)| *at);
    let is_whole = twin_has_all || scan.damaged.iter().all(|range| is_covered(range, &twin_scan));
    let payloads = payloads.into_iter().map(|(_, payload)| payload.to_vec()).collect();
    Some(Joined { class, payloads, is_whole })
}

/// Payloads with their places.
fn believed<'a>(bytes: &'a [u8], scan: &Scan, is_proven: &dyn Fn(&[u8]) -> bool) -> Vec<(usize, &'a [u8])> {
    let all = scan.records.iter().map(|record| (record, &bytes[record.payload.clone()]));
    let believed = all.filter(|(record, payload)| !record.is_after_damage || is_proven(payload));
    believed.map(|(record, payload)| (record.payload.start, payload)).collect()
}

/// Whether whole records of the second copy, or its header, stand wherever the first is damaged.
fn is_covered(damaged: &Range<usize>, twin: &Scan) -> bool {
    let of_header = damaged.end.min(HEADER_BYTES).saturating_sub(damaged.start);
    let of_records: usize = twin
        .records
        .iter()
        .map(|record| (record.payload.start - RECORD_HEADER_BYTES, record.payload.end))
        .map(|(start, end)| damaged.end.min(end).saturating_sub(damaged.start.max(start)))
        .sum();
    of_header + of_records == damaged.len()
}
