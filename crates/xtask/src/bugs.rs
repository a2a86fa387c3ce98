//! `cargo xtask sim --bugs`: which deliberate bugs the simulator catches. They are patches (`crates/sim/bugs.txt`) that
//! are applied to a copy of the sources, all at once and each behind a switch; the sources themselves never have them.

use crate::process::Step;
use crate::project::Project;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};

const LIST: &str = "crates/sim/bugs.txt";
/// What the simulator is made of.
const CRATES: &[&str] = &["base", "doc", "log", "auth", "timeline", "fs", "api", "sync", "engine", "sim"];
/// What asks in the copy whether a bug is to be there.
const SWITCH: &str = "
/// Whether a deliberate bug is to be there.
pub fn bug(name: &str) -> bool {
    static WANTED: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    WANTED.get_or_init(|| std::env::var(\"CODESYNC_BUG\").ok()).as_deref() == Some(name)
}
";
/// How many of the bugs the simulator has to catch.
const CAUGHT_MIN: usize = 18;

/// A deliberate bug.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Bug {
    pub name: String,
    pub sentence: String,
    pub patches: Vec<Patch>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Patch {
    pub file: String,
    pub before: String,
    pub after: String,
    /// The text may stand there more than once.
    pub is_everywhere: bool,
}

pub fn read(text: &str) -> Result<Vec<Bug>> {
    let mut bugs: Vec<Bug> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let Some(inner) = line.strip_prefix("  ") else {
            let (name, sentence) = line.split_once(": ").with_context(|| format!("no bug: {line}"))?;
            bugs.push(Bug { name: name.into(), sentence: sentence.into(), patches: Vec::new() });
            continue;
        };
        let bug = bugs.last_mut().with_context(|| format!("no bug yet: {line}"))?;
        match inner.split_at(1) {
            ("-" | "+", rest) => {
                let patch = bug.patches.last_mut().with_context(|| format!("no file yet: {line}"))?;
                patch.is_everywhere |= inner.starts_with("-*");
                let side = if inner.starts_with('-') { &mut patch.before } else { &mut patch.after };
                if !side.is_empty() {
                    side.push('\n');
                }
                side.push_str(rest.strip_prefix('*').filter(|_| inner.starts_with('-')).unwrap_or(rest));
            }
            _ => bug.patches.push(Patch { file: inner.trim().into(), ..Patch::default() }),
        }
    }
    Ok(bugs)
}

/// A file with the patches for it.
pub fn patched(text: &str, bug: &Bug, patch: &Patch) -> Result<String> {
    let n_places = text.matches(&patch.before).count();
    let is_there = if patch.is_everywhere { n_places > 0 } else { n_places == 1 };
    let place = format!("{LIST}: {}: {}", bug.name, patch.file);
    ensure!(is_there, "{place}: what is to be replaced stands there {n_places} times:\n{}", patch.before);
    let name = if patch.file.starts_with("crates/base/") { "crate" } else { "codesync_base" };
    let switch = format!("{name}::bug(\"{}\")", bug.name);
    Ok(text.replace(&patch.before, &patch.after.replace("BUG", &switch)))
}

/// Builds the copy and lets the simulator look for each bug in at most `seeds` plans.
pub fn run(project: &Project, seeds: u64, release: bool) -> Result<()> {
    let bugs = read(&fs::read_to_string(project.root.join(LIST))?)?;
    let copy = project.root.join("target/bugs");
    write_copy(&project.root, &copy, &bugs)?;
    // Apart, so that nothing of it is ever among what is built for people.
    let target = project.root.join("target/with-bugs");
    let (profile, built) = if release { ("release", "release") } else { ("dev", "debug") };
    let build = ["build", "--offline", "--package", "codesync-sim", "--profile", profile];
    Step::cargo(&build).with_environment("CARGO_TARGET_DIR", &target).in_folder(&copy).run()?;
    let program = target.join(built).join(format!("codesync-sim-with-bugs{}", std::env::consts::EXE_SUFFIX));
    let look = |name: &str| {
        let step = Step::new(&program, &[]).with_argument(seeds.to_string()).with_argument("1");
        step.with_argument("--until-caught").with_environment("CODESYNC_BUG", name).output()
    };
    let sound = look("none")?;
    ensure!(sound.starts_with("not caught"), "without a bug: {sound}");
    let mut n_caught = 0;
    for bug in &bugs {
        let outcome = look(&bug.name)?;
        n_caught += usize::from(outcome.starts_with("caught"));
        println!("| {} | {} | {} |", bug.name, bug.sentence, outcome.trim());
    }
    println!("{n_caught} of {} bugs caught within {seeds} seeds each", bugs.len());
    if n_caught < CAUGHT_MIN {
        bail!("the simulator misses too many");
    }
    Ok(())
}

fn write_copy(root: &Path, copy: &Path, bugs: &[Bug]) -> Result<()> {
    if copy.exists() {
        fs::remove_dir_all(copy)?;
    }
    for name in CRATES {
        copy_folder(&root.join("crates").join(name), &copy.join("crates").join(name))?;
    }
    // Of the root's manifest all but the window's package.
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let (workspace, rest) = manifest.split_once("\n[package]\n").context("the root's manifest has no package")?;
    let profiles = rest.find("\n[profile.").context("the root's manifest has no profiles")?;
    fs::write(copy.join("Cargo.toml"), format!("{workspace}\n{}", &rest[profiles..]))?;
    fs::copy(root.join("Cargo.lock"), copy.join("Cargo.lock"))?;
    let base = copy.join("crates/base/src/lib.rs");
    fs::write(&base, fs::read_to_string(&base)? + SWITCH)?;
    let sim = copy.join("crates/sim/Cargo.toml");
    let bin = "[[bin]]\nname = \"codesync-sim\"";
    let named = fs::read_to_string(&sim)?.replace(bin, "[[bin]]\nname = \"codesync-sim-with-bugs\"");
    fs::write(&sim, named)?;
    for bug in bugs {
        for patch in &bug.patches {
            let path = copy.join(&patch.file);
            let text = fs::read_to_string(&path).with_context(|| patch.file.clone())?;
            fs::write(&path, patched(&text, bug, patch)?)?;
        }
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path: PathBuf = entry?.path();
        let target = to.join(path.file_name().context("a name")?);
        if path.is_dir() { copy_folder(&path, &target)? } else { fs::copy(&path, &target).map(drop)? }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
