//! Checks that no compiler makes: who may use whom, how long things are, that generated files are
//! what they should be. Reads the checkout, changes nothing. A rule gives findings; only this file prints.

mod arrows;
mod files;
mod functions;
mod order;

use crate::codegen::{self, Mode};
use crate::process::{Step, is_program};
use crate::project::Project;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    Advice,
    Failure,
}

/// Something that a rule does not like, at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub weight: Weight,
    /// Relative to the root, with a line where there is one.
    pub place: String,
    pub sentence: String,
}

impl Finding {
    pub fn failure(place: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self { weight: Weight::Failure, place: place.into(), sentence: sentence.into() }
    }

    pub fn advice(place: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self { weight: Weight::Advice, place: place.into(), sentence: sentence.into() }
    }
}

/// A text file of the checkout.
pub struct Source {
    /// Relative to the root, with `/`.
    pub path: String,
    pub text: String,
}

impl Source {
    #[cfg(test)]
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.into(), text: text.into() }
    }
}

/// Runs every rule and fails when one of them found a failure.
pub fn run(project: &Project) -> Result<()> {
    let sources = read_sources(&project.root)?;
    let mut findings = Vec::new();
    for source in &sources {
        findings.extend(files::check(source));
        findings.extend(functions::check(source));
    }
    findings.extend(files::check_shell(&sources));
    findings.extend(files::check_links(&sources, &|path| project.root.join(path).exists()));
    findings.extend(order::check(&sources));
    findings.extend(arrows::check(&arrows::read(&project.root)?));
    findings.extend(from_commands(project));
    report(&findings)
}

/// Checks that other programs make.
fn from_commands(project: &Project) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut failed = |place: &str, result: Result<()>| {
        if let Err(reason) = result {
            findings.push(Finding::failure(place, format!("{reason:#}")));
        }
    };
    failed(
        "formatting",
        Step::cargo(&["fmt", "--all", "--", "--check", "--files-with-diff"]).in_folder(&project.root).run(),
    );
    failed("ui/src/api/generated.ts", codegen::run(project, Mode::Check));
    let layers = "ui/scripts/check-layers.mjs";
    if project.root.join(layers).is_file() {
        failed(layers, Step::new("node", &["scripts/check-layers.mjs"]).in_folder(&project.ui()).run());
    }
    findings
}

fn report(findings: &[Finding]) -> Result<()> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by(|a, b| (a.weight, &a.place).cmp(&(b.weight, &b.place)));
    for finding in &sorted {
        let word = if finding.weight == Weight::Failure { "tidy" } else { "tidy (advice)" };
        println!("{word}: {}: {}", finding.place, finding.sentence);
    }
    let n_failures = findings.iter().filter(|finding| finding.weight == Weight::Failure).count();
    if n_failures > 0 {
        bail!("tidy found {n_failures} failures; to repeat it:\n  cargo xtask tidy");
    }
    Ok(())
}

/// Every text file that belongs to the project: what version control has, and what it does not ignore.
fn read_sources(root: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for path in paths(root)? {
        let Ok(bytes) = std::fs::read(root.join(&path)) else {
            continue; // listed, and deleted since
        };
        if let Ok(text) = String::from_utf8(bytes) {
            sources.push(Source { path, text });
        }
    }
    Ok(sources)
}

fn paths(root: &Path) -> Result<Vec<String>> {
    if !is_program("git") {
        bail!("tidy asks git which files belong to the project, and there is no git");
    }
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"];
    // CI checks out as one user and runs as another, which git would refuse; a list of names harms nobody.
    let step = Step::new("git", &["-c", "safe.directory=*"]);
    let step = arguments.iter().fold(step, |step, argument| step.with_argument(argument)).in_folder(root);
    let list = step.output().context("is this a git checkout?")?;
    let mut paths: Vec<String> = list.split('\0').filter(|path| !path.is_empty()).map(String::from).collect();
    paths.retain(|path| {
        let extension = PathBuf::from(path).extension().map(|e| e.to_string_lossy().into_owned());
        matches!(extension.as_deref(), Some("rs" | "ts" | "svelte" | "md" | "toml" | "css" | "mjs" | "sh" | "html"))
    });
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests;
