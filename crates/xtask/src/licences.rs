//! Lists every part of others that goes into the window, with its licence, for the about box. Reads
//! what cargo and npm say of the parts; never guesses a licence.

use crate::project::Project;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// npm packages whose code or pictures are in the page.
const IN_THE_PAGE: &[&str] = &["@tauri-apps/api", "@vscode/codicons", "monaco-editor", "svelte"];

/// The generated file, as it should be.
///
/// # Errors
/// When cargo cannot tell, or a part has no licence.
pub fn generate(project: &Project) -> Result<String> {
    let mut parts = crates(&project.root)?;
    for name in IN_THE_PAGE {
        parts.insert((*name).into(), npm_licence(&project.ui(), name)?);
    }
    let rows: Vec<String> =
        parts.iter().map(|(name, licence)| json!({ "name": name, "licence": licence }).to_string()).collect();
    Ok(format!("[\n{}\n]\n", rows.join(",\n")))
}

/// What the window is linked from on Linux, beyond our own crates: name to licence.
fn crates(root: &Path) -> Result<BTreeMap<String, String>> {
    let arguments = ["metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"];
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments)
        .current_dir(root)
        .output()
        .context("cargo cannot be run")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    linked(&serde_json::from_slice(&output.stdout)?)
}

fn linked(metadata: &Value) -> Result<BTreeMap<String, String>> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages: BTreeMap<String, Value> =
        list(&metadata["packages"]).into_iter().map(|one| (text(&one["id"]), one)).collect();
    let nodes: BTreeMap<String, Value> =
        list(&metadata["resolve"]["nodes"]).into_iter().map(|one| (text(&one["id"]), one)).collect();
    let is_window = |one: &&Value| one["name"] == "codesync-desktop";
    let window = packages.values().find(is_window).context("the window's package is not in this workspace")?;
    let mut waiting = vec![text(&window["id"])];
    let mut seen = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if !seen.insert(id.clone()) {
            continue;
        }
        for dependency in list(&nodes.get(&id).cloned().unwrap_or_default()["deps"]) {
            // Kind `null` is an ordinary dependency; the others do not go into the program.
            if list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null()) {
                waiting.push(text(&dependency["pkg"]));
            }
        }
    }
    let foreign = seen.iter().filter_map(|id| packages.get(id)).filter(|one| !one["source"].is_null());
    foreign
        .map(|one| {
            let name = text(&one["name"]);
            let licence = one["license"].as_str().or(one["license_file"].as_str());
            let licence = licence.with_context(|| format!("{name} names no licence"))?;
            Ok((name, licence.replace('/', " OR ")))
        })
        .collect()
}

fn npm_licence(ui: &Path, name: &str) -> Result<String> {
    let lock: Value = serde_json::from_str(&std::fs::read_to_string(ui.join("package-lock.json"))?)?;
    let licence = lock["packages"][format!("node_modules/{name}")]["license"].as_str();
    Ok(licence.with_context(|| format!("{name} names no licence in package-lock.json"))?.to_owned())
}

#[cfg(test)]
mod tests;
