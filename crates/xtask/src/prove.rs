//! `cargo xtask prove`: the proofs of the log and of the program, run for as long as is asked. The proofs themselves
//! are tests of `codesync-log` and `codesync-cli`; `docs/decisions/0008-proof-of-the-log.md` says what they show.

use crate::process::Step;
use crate::project::Project;
use anyhow::Result;
use clap::ValueEnum;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// Recorded sessions, cut off at every write: what was not synced is lost, torn and out of order.
    Cuts,
    /// A disk that is full at any write.
    Full,
    /// The program, killed while it is told edits.
    Kill,
    /// One file of a real store, damaged at random.
    Damage,
}

impl What {
    /// Package, tests in it, and the test; rounds where none are asked for.
    fn test(self) -> (&'static str, &'static str, &'static str, u64) {
        match self {
            What::Cuts => ("codesync-log", "--lib", "log::proof::a_trace_cut", 10),
            What::Full => ("codesync-log", "--lib", "log::proof::a_disk_full", 1),
            What::Kill => ("codesync-cli", "--test=cli", "proof::killed", 500),
            What::Damage => ("codesync-cli", "--test=cli", "proof::damage", 1_000),
        }
    }
}

pub fn run(project: &Project, what: What, rounds: Option<u64>, seed: u64) -> Result<()> {
    let (package, target, test, rounds_by_default) = what.test();
    Step::cargo(&["test", "--package", package, target, "--", "--nocapture", test])
        .with_environment("CODESYNC_PROOF_ROUNDS", rounds.unwrap_or(rounds_by_default).to_string())
        .with_environment("CODESYNC_PROOF_SEED", seed.to_string())
        .in_folder(&project.root)
        .run()
}
