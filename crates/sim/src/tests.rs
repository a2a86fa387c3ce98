use super::*;

#[test]
fn the_same_seed_takes_the_same_way() {
    let plan = Plan::new(3);
    assert_eq!(run(&plan), run(&plan));
    assert_ne!(run(&plan), run(&Plan::new(4)));
}

#[test]
fn what_fails_is_made_short() {
    // Nothing fails, so nothing is taken away.
    let plan = Plan { actions: Plan::new(5).actions[..20].to_vec(), ..Plan::new(5) };
    assert_eq!(minimise(&plan, 10), plan);
}
