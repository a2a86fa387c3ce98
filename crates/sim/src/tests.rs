use super::*;

#[test]
fn the_same_seed_takes_the_same_way() {
    let plan = Plan::new(3);
    assert_eq!(run(&plan), run(&plan));
    assert_ne!(run(&plan), run(&Plan::new(4)));
}

#[test]
fn all_invariants_hold_for_some_seeds() {
    for seed in 1..=20 {
        if let Err(why) = run(&Plan::new(seed)) {
            panic!("seed {seed}: {why}");
        }
    }
}
