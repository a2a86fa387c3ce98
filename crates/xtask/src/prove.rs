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
    /// Three real peers that type, one of them killed again and again.
    Peers,
    /// As many real peers as `--peers` says, typing at once for `--minutes` in one file and for as long in twenty; then
    /// again with a window among them, and with two windows alone.
    Crowd,
}

/// How much.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    pub rounds: Option<u64>,
    pub seed: u64,
    pub peers: u64,
    pub minutes: u64,
}

impl What {
    /// Package, tests in it, and the test; rounds where none are asked for.
    fn test(self) -> (&'static str, &'static str, &'static str, u64) {
        match self {
            What::Cuts => ("codesync-log", "--lib", "log::proof::a_trace_cut", 10),
            What::Full => ("codesync-log", "--lib", "log::proof::a_disk_full", 1),
            What::Kill => ("codesync-cli", "--test=cli", "proof::killed", 500),
            What::Damage => ("codesync-cli", "--test=cli", "proof::damage", 1_000),
            What::Peers => ("codesync-cli", "--test=crowd", "peers_killed", 200),
            What::Crowd => ("codesync-cli", "--test=crowd", "a_crowd", 1),
        }
    }
}

pub fn run(project: &Project, what: What, measure: Measure) -> Result<()> {
    let (package, target, test, rounds_by_default) = what.test();
    let prove = |package: &str, target: &str, test: &str, peers: u64, windows: u64| {
        Step::cargo(&["test", "--package", package, target, "--", "--nocapture", test])
            .with_environment("CODESYNC_PROOF_ROUNDS", measure.rounds.unwrap_or(rounds_by_default).to_string())
            .with_environment("CODESYNC_PROOF_SEED", measure.seed.to_string())
            .with_environment("CODESYNC_CROWD_PEERS", peers.to_string())
            .with_environment("CODESYNC_CROWD_WINDOWS", windows.to_string())
            .with_environment("CODESYNC_CROWD_SECONDS", (60 * measure.minutes).to_string())
            .in_folder(&project.root)
            .run()
    };
    prove(package, target, test, measure.peers, 1)?;
    if what == What::Crowd {
        // The same around a window, and between two. The others are the command line that the run before has built.
        for (peers, windows) in [(measure.peers, 1), (2, 2)] {
            prove("codesync-desktop", "--test=together", "a_crowd_around_a_window", peers, windows)?;
        }
    }
    Ok(())
}
