//! `cargo xtask sim` and `fuzz`: the simulator (`crates/sim`) for as many seeds as is asked, and the doors that untrusted
//! bytes come through (`crates/fuzz`) for as long.

use crate::process::Step;
use crate::project::Project;
use anyhow::Result;

pub fn run(project: &Project, seeds: u64, first: u64, release: bool) -> Result<()> {
    Step::cargo(&["run", "--package", "codesync-sim", "--profile", profile(release), "--"])
        .with_argument(seeds.to_string())
        .with_argument(first.to_string())
        .in_folder(&project.root)
        .run()
}

fn profile(release: bool) -> &'static str {
    if release { "release" } else { "dev" }
}

pub fn fuzz(project: &Project, door: Option<&str>, minutes: u64, seed: u64, release: bool) -> Result<()> {
    let mut step = Step::cargo(&["run", "--package", "codesync-fuzz", "--profile", profile(release), "--"])
        .with_argument("--minutes")
        .with_argument(minutes.to_string())
        .with_argument("--seed")
        .with_argument(seed.to_string());
    if let Some(door) = door {
        step = step.with_argument("--door").with_argument(door);
    }
    step.in_folder(&project.root).run()
}
