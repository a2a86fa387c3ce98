//! Names and licences of what others wrote and is in the packages: the crates that are linked in and the parts of
//! the page. Reads what cargo and npm have unpacked; a part without a licence is a failure, not a gap in the list.

use crate::process::Step;
use crate::project::Project;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// What is linked into the page; the rest of `node_modules` only builds it. Parts of parts are found by themselves.
const PAGE_PARTS: [&str; 4] = ["@tauri-apps/api", "@vscode/codicons", "monaco-editor", "svelte"];

/// Something that somebody else wrote.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    name: String,
    version: String,
    licence: String,
    folder: PathBuf,
}

/// The list for the package's documents: every part with its licence, then every licence text once.
///
/// # Errors
/// When cargo or npm have not unpacked a part, or a part names no licence.
pub fn third_party(project: &Project) -> Result<String> {
    let mut parts = crates(project)?;
    parts.extend(page_parts(&project.ui().join("node_modules"))?);
    write_list(&parts)
}

/// The crates that are linked into the two programs on this system.
fn crates(project: &Project) -> Result<BTreeSet<Part>> {
    let mut linked = BTreeSet::new();
    for package in ["codesync-desktop", "codesync-cli"] {
        let tree = ["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--format", "{p}"];
        linked.extend(Step::cargo(&tree).in_folder(&project.root).output()?.lines().filter_map(name_and_version));
    }
    let metadata = Step::cargo(&["metadata", "--format-version", "1", "--locked"]).in_folder(&project.root);
    let metadata: Value = serde_json::from_str(&metadata.output()?)?;
    let all = metadata["packages"].as_array().context("cargo lists no packages")?;
    let foreign = all.iter().filter(|package| !package["source"].is_null());
    let parts = foreign
        .map(part_of_crate)
        .filter(|part| part.as_ref().map_or(true, |part| linked.contains(&(part.name.clone(), part.version.clone()))));
    parts.collect()
}

/// From a line of `cargo tree`: `serde v1.0.0 (*)`.
fn name_and_version(line: &str) -> Option<(String, String)> {
    let mut words = line.split_whitespace();
    Some((words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned()))
}

fn part_of_crate(package: &Value) -> Result<Part> {
    let text = |key: &str| package[key].as_str().map(str::to_owned);
    let name = text("name").context("cargo lists a package without a name")?;
    let manifest = PathBuf::from(text("manifest_path").unwrap_or_default());
    let licence = text("license").or_else(|| text("license_file").map(|file| format!("see {file}")));
    Ok(Part {
        licence: licence.with_context(|| format!("the crate {name} names no licence"))?,
        version: text("version").unwrap_or_default(),
        folder: manifest.parent().map(Path::to_path_buf).unwrap_or_default(),
        name,
    })
}

/// What the page is made of, with what that depends on.
fn page_parts(modules: &Path) -> Result<BTreeSet<Part>> {
    let mut waiting: Vec<String> = PAGE_PARTS.map(String::from).into();
    let mut parts = BTreeSet::new();
    let mut seen = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        let folder = modules.join(&name);
        let text = fs::read_to_string(folder.join("package.json"))
            .with_context(|| format!("{name} is not in {}; run cargo xtask setup", modules.display()))?;
        let package: Value = serde_json::from_str(&text).with_context(|| format!("package.json of {name}"))?;
        let word = |key: &str| package[key].as_str().map(str::to_owned);
        let licence = word("license").with_context(|| format!("the npm package {name} names no licence"))?;
        waiting.extend(package["dependencies"].as_object().into_iter().flat_map(|list| list.keys().cloned()));
        parts.insert(Part { version: word("version").unwrap_or_default(), licence, folder, name });
    }
    Ok(parts)
}

fn write_list(parts: &BTreeSet<Part>) -> Result<String> {
    let mut text =
        String::from("Parts of CodeSync that others wrote, with their licences.\nThe texts follow the list.\n\n");
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for part in parts {
        writeln!(text, "{} {}: {}", part.name, part.version, part.licence)?;
        for licence in texts_in(&part.folder)? {
            texts.entry(licence).or_default().push(format!("{} {}", part.name, part.version));
        }
    }
    if texts.is_empty() {
        bail!("no licence text was found in any part");
    }
    for (licence, of) in &texts {
        write!(text, "\n{}\n{}\n\n{licence}\n", "=".repeat(72), of.join(", "))?;
    }
    Ok(text)
}

/// Licence texts and notices in a part's folder.
fn texts_in(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        let is_text = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT", "UNLICENSE", "THIRDPARTYNOTICES"];
        if is_text.iter().any(|start| name.starts_with(start)) && entry.path().is_file() {
            names.push(entry.path());
        }
    }
    names.sort();
    let texts = names.iter().map(|name| Ok(String::from_utf8_lossy(&fs::read(name)?).trim().replace("\r\n", "\n")));
    texts.collect()
}

#[cfg(test)]
mod tests;
