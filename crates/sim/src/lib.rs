//! The simulator: real engines on real logs and links, in one thread, with time, network and disks that do whatever a
//! plan says. A plan comes from a number, and the same number always takes the same way. It never touches a socket,
//! a file or a clock.

mod judge;
mod peer;
mod plan;
mod world;

pub use plan::{Action, Plan, Random};

use std::panic::{AssertUnwindSafe, catch_unwind};
use world::World;

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Outcome {
    /// BLAKE3 over every frame and every text in the end.
    pub trace: String,
    pub n_frames: u64,
    pub n_deltas: u64,
    pub n_crashes: u64,
    pub n_roll_backs: u64,
}

/// Carries a plan out, lets all faults stop, and looks at every invariant.
///
/// # Errors
/// The sentence of the invariant that does not hold.
pub fn run(plan: &Plan) -> Result<Outcome, String> {
    let run = || {
        let mut world = World::new(plan);
        plan.actions.iter().for_each(|action| world.act(action));
        world.heal();
        judge::judge(&mut world, plan.seed);
        world.outcome()
    };
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    })
}

/// The shortest plan found that still fails: with fewer peers, and without actions that are not needed.
pub fn minimise(plan: &Plan, tries_max: usize) -> Plan {
    let (mut least, mut n_tries) = (plan.clone(), 0);
    let kind = kind_of(plan);
    let fails_alike = |plan: &Plan| kind.is_some() && kind_of(plan) == kind;
    for n_peers in 1..plan.n_peers {
        let fewer = Plan { n_peers, ..plan.clone() };
        if fails_alike(&fewer) {
            least = fewer;
            break;
        }
    }
    let mut length = least.actions.len() / 2;
    while length > 0 {
        let mut at = 0;
        while at < least.actions.len() && n_tries < tries_max {
            n_tries += 1;
            let mut shorter = least.clone();
            let end = (at + length).min(shorter.actions.len());
            shorter.actions.drain(at..end);
            if fails_alike(&shorter) {
                least = shorter;
            } else {
                at += length;
            }
        }
        length /= 2;
    }
    least
}

/// The beginning of the sentence that a plan fails with: what is made shorter is to fail with the same one.
fn kind_of(plan: &Plan) -> Option<String> {
    run(plan).err().map(|why| why.chars().take(30).collect())
}

#[cfg(test)]
mod tests;
