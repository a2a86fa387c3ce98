//! `cargo xtask sim`: the simulator (`crates/sim`), for as many seeds as is asked.

use crate::process::Step;
use crate::project::Project;
use anyhow::Result;

pub fn run(project: &Project, seeds: u64, first: u64, release: bool) -> Result<()> {
    let profile = if release { "release" } else { "dev" };
    Step::cargo(&["run", "--package", "codesync-sim", "--profile", profile, "--"])
        .with_argument(seeds.to_string())
        .with_argument(first.to_string())
        .in_folder(&project.root)
        .run()
}
