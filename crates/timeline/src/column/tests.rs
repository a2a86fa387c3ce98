use super::*;

#[test]
fn a_column_is_a_list() {
    let mut column = Column::default();
    let mut list: Vec<u64> = Vec::new();
    let mut state = 7_u64;
    for round in 0..40_usize {
        for n in 0..97_u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // From stretches that never change to such that take all bytes.
            let value = (state >> 7) >> (57 - (round as u64 * 3 + n / 90) % 58);
            column.push(value);
            list.push(value);
        }
        if round % 5 == 4 {
            let n = (state >> 40) as usize % list.len();
            list.truncate(n);
            column.truncate(n);
        }
        if let Some(idx) = list.len().checked_sub(1 + round) {
            list[idx] = state;
            column.set(idx, state);
        }
        assert_eq!((0..column.len()).map(|idx| column.get(idx)).collect::<Vec<_>>(), list, "round {round}");
        assert_eq!(column.last(), list.last().copied());
    }
    let n = list.len();
    assert_eq!(column.partition_point(n / 3..n, |_| true), n - n / 3);
    column = Column::default();
    (0..1_000).for_each(|value| column.push(value * 2));
    assert_eq!(column.partition_point(100..900, |value| value < 501), 151);
    assert!(column.n_bytes() < 2_500, "{} bytes", column.n_bytes());
}
