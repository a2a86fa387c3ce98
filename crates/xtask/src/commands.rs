//! The commands that put the parts together: run, test, bench, screenshots.

use crate::codegen::{self, Mode};
use crate::process::Step;
use crate::project::Project;
use crate::setup::{self, Purpose};
use crate::tidy;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Which build of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    Debug,
    Release,
}

/// How many plans the simulator carries out among the tests: some minutes.
const SIM_SEEDS: &str = "5000";

/// How much of the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    WithoutWindow,
    Everything,
}

/// Opens the window, with everything that needs to be done before.
pub fn run(project: &Project, folder: Option<PathBuf>, build: Build) -> Result<()> {
    let has = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if cfg!(target_os = "linux") && !has("DISPLAY") && !has("WAYLAND_DISPLAY") {
        bail!(
            "there is no display here to show the window on; start this in a graphical session (or under `xvfb-run`)"
        );
    }
    codegen::run(project, Mode::Write)?;
    setup::run(project, Purpose::Build)?;
    let mut step = Step::cargo(&["run", "--package", "codesync-desktop", "--bin", "codesync-desktop"]);
    if build == Build::Release {
        // Without this feature a Tauri program looks for a development server.
        step = step.with_argument("--release").with_argument("--features").with_argument("custom-protocol");
    }
    step = step.with_argument("--");
    if let Some(folder) = folder {
        step = step.with_argument(std::env::current_dir()?.join(folder));
    }
    step.in_folder(&project.root).run()
}

/// All that CI runs, in the order in which it fails soonest.
pub fn test(project: &Project, depth: Depth) -> Result<()> {
    let start = Instant::now();
    let purpose = if depth == Depth::Everything { Purpose::Test } else { Purpose::Build };
    stage("setup", || setup::run(project, purpose))?;
    stage("codegen", || codegen::run(project, Mode::Check))?;
    stage("tidy", || tidy::run(project))?;
    let ui = project.ui();
    stage("page types", || Step::new("npm", &["run", "--silent", "check"]).in_folder(&ui).run())?;
    stage("page tests", || Step::new("npm", &["run", "--silent", "test"]).in_folder(&ui).run())?;
    let cargo = |arguments: &[&str]| Step::cargo(arguments).in_folder(&project.root).run();
    stage("clippy", || cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;
    if depth == Depth::Everything {
        // Both select the whole workspace, or its packages would be compiled for each with other features.
        stage("unit tests", || cargo(&["test", "--workspace", "--lib", "--bins"]))?;
        let seeds =
            Step::cargo(&["test", "--workspace", "--test", "*"]).with_environment("CODESYNC_SIM_SEEDS", SIM_SEEDS);
        stage("tests of the programs", || seeds.in_folder(&project.root).run())?;
    } else {
        stage("crate tests", || cargo(&["test", "--workspace", "--exclude", "codesync-desktop"]))?;
    }
    println!("xtask: everything passed in {} s", start.elapsed().as_secs());
    Ok(())
}

/// Runs one part and says how long it took.
fn stage(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let start = Instant::now();
    println!("xtask: {name} …");
    let result = work();
    let outcome = if result.is_ok() { "ok" } else { "FAILED" };
    println!("xtask: {name} {outcome} ({:.1} s)", start.elapsed().as_secs_f64());
    result
}

/// Runs the benchmarks.
pub fn bench(project: &Project, arguments: &[String]) -> Result<()> {
    if !project.root.join("crates/bench").is_dir() {
        bail!("there are no benchmarks in this checkout (crates/bench)");
    }
    let command = ["run", "--release", "--package", "codesync-bench", "--features", "peers", "--"];
    let mut step = Step::cargo(&command).in_folder(&project.root);
    for argument in arguments {
        step = step.with_argument(argument);
    }
    step.run()
}

/// Draws every screen of the real window into `out/screenshots`.
pub fn screenshots(project: &Project, only: Option<&str>) -> Result<()> {
    setup::run(project, Purpose::Test)?;
    let target: &Path = &project.root.join("out/screenshots");
    std::fs::create_dir_all(target)?;
    let mut step = Step::cargo(&["test", "--workspace", "--test", "window", "--", "screenshots"])
        .with_argument("--ignored")
        .with_argument("--nocapture")
        .with_environment("CODESYNC_SCREENSHOTS", target);
    if let Some(only) = only {
        step = step.with_environment("CODESYNC_SCREENSHOTS_ONLY", only);
    }
    step.in_folder(&project.root).run()?;
    println!("xtask: the pictures are in {}", target.display());
    Ok(())
}
