use super::*;

fn hash(n: usize) -> DeltaHash {
    DeltaHash(std::array::from_fn(|byte| (n >> (byte % 4 * 8)) as u8 ^ byte as u8))
}

#[test]
fn two_tables_in_step_share_their_hashes_and_both_give_them_back() {
    let (mut one, mut two) = (Names::default(), Names::default());
    let numbers: Vec<(u32, u32)> = (0..1_000).map(|n| (one.number(&hash(n)), two.number(&hash(n)))).collect();
    for (n, (of_one, of_two)) in numbers.iter().enumerate() {
        assert_eq!((one.hash(*of_one), two.hash(*of_two)), (hash(n), hash(n)));
    }
    assert!(one.chunks.len() <= 5 && one.chunks.iter().zip(&two.chunks).all(|(one, two)| Arc::ptr_eq(one, two)));
}

#[test]
fn a_table_that_was_cut_goes_on_and_others_keep_what_they_had() {
    let (mut one, mut two) = (Names::default(), Names::default());
    let old: Vec<(u32, u32)> = (0..600).map(|n| (one.number(&hash(n)), two.number(&hash(n)))).collect();
    one.truncate_after(Some(old[99].0));
    let new: Vec<u32> = (700..1_300).map(|n| one.number(&hash(n))).collect();
    assert!((0..100).all(|n| one.hash(old[n].0) == hash(n)));
    assert!((700..1_300).all(|n| one.hash(new[n - 700]) == hash(n)));
    assert!((0..600).all(|n| two.hash(old[n].1) == hash(n)));
    one.truncate_after(None);
    assert_eq!(one.n_bytes(), 0);
}
