//! The rules about who may use whom: the arrows between our crates, and the crates that alone may name
//! a certain dependency. The tables are the architecture (`ARCHITECTURE.md`); a new line in them is a
//! decision, not a repair.

use super::Finding;
use crate::process::Step;
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;

/// Which of our crates a crate may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("codesync-base", &[]),
    ("codesync-doc", &["codesync-base"]),
    ("codesync-log", &["codesync-base"]),
    ("codesync-auth", &["codesync-base"]),
    ("codesync-timeline", &["codesync-base", "codesync-doc", "codesync-log"]),
    ("codesync-sync", &["codesync-base", "codesync-auth"]),
    (
        "codesync-engine",
        &[
            "codesync-base",
            "codesync-doc",
            "codesync-log",
            "codesync-auth",
            "codesync-timeline",
            "codesync-sync",
            "codesync-api",
            // Its pure half: encodings and merging, see docs/decisions/0006.
            "codesync-fs",
        ],
    ),
    ("codesync-fs", &["codesync-base"]),
    // Networks of several hosts inside one machine, for tests of whatever talks to others.
    ("codesync-lan", &[]),
    ("codesync-net", &["codesync-base", "codesync-lan"]),
    // A peer that says what it likes, for tests.
    ("codesync-stranger", &["codesync-base", "codesync-auth", "codesync-net", "codesync-sync"]),
    ("codesync-tools", &["codesync-base"]),
    ("codesync-api", &["codesync-base"]),
    (
        "codesync-node",
        &[
            "codesync-base",
            "codesync-doc",
            "codesync-log",
            "codesync-auth",
            "codesync-timeline",
            "codesync-sync",
            "codesync-engine",
            "codesync-fs",
            "codesync-net",
            "codesync-tools",
            "codesync-api",
            // For tests.
            "codesync-lan",
        ],
    ),
    ("codesync-cli", &["codesync-node", "codesync-api", "codesync-lan"]),
    ("codesync-relay", &["codesync-base", "codesync-auth", "codesync-log", "codesync-sync", "codesync-net"]),
    (
        "codesync-sim",
        &[
            "codesync-base",
            "codesync-doc",
            "codesync-log",
            "codesync-auth",
            "codesync-timeline",
            "codesync-sync",
            "codesync-engine",
            "codesync-api",
        ],
    ),
    (
        "codesync-fuzz",
        &[
            "codesync-base",
            "codesync-doc",
            "codesync-log",
            "codesync-auth",
            "codesync-sync",
            "codesync-engine",
            "codesync-api",
            // Its random numbers.
            "codesync-sim",
        ],
    ),
    (
        "codesync-bench",
        &[
            "codesync-base",
            "codesync-doc",
            "codesync-log",
            "codesync-auth",
            "codesync-timeline",
            "codesync-sync",
            "codesync-engine",
            "codesync-api",
            "codesync-node",
        ],
    ),
    ("xtask", &["codesync-api"]),
    ("codesync-desktop", &["codesync-node", "codesync-api", "codesync-lan", "codesync-stranger"]),
];

/// Dependencies that only some crates may name. A name that ends with `*` stands for all that begin so.
const ALONE: &[(&str, &[&str])] = &[
    ("yrs", &["codesync-doc"]),
    ("sled", &["codesync-log"]),
    // The log packs blocks, the engine packs replay bundles.
    ("zstd", &["codesync-log", "codesync-engine"]),
    ("ed25519-dalek", &["codesync-auth"]),
    ("jsonwebtoken", &["codesync-auth"]),
    ("spake2", &["codesync-auth"]),
    // Of spake2's generation, see docs/decisions/0012.
    ("rand_chacha", &["codesync-auth"]),
    ("chacha20poly1305", &["codesync-auth"]),
    ("notify", &["codesync-fs"]),
    ("notify-debouncer-full", &["codesync-fs"]),
    ("ignore", &["codesync-fs"]),
    ("globset", &["codesync-fs"]),
    ("regex", &["codesync-fs"]),
    ("cap-std", &["codesync-fs"]),
    ("libp2p", &["codesync-net"]),
    ("portable-pty", &["codesync-tools"]),
    ("ts-rs", &["codesync-api", "xtask"]),
    ("interprocess", &["codesync-node"]),
    ("trash", &["codesync-node"]),
    ("directories", &["codesync-node"]),
    ("clap", &["codesync-cli", "codesync-relay", "xtask"]),
    ("axum", &["codesync-relay", "codesync-node"]),
    ("tokio", &["codesync-node", "codesync-net", "codesync-tools", "codesync-relay"]),
    ("tauri*", &["codesync-desktop"]),
    ("wry", &["codesync-desktop"]),
    ("tao", &["codesync-desktop"]),
    ("syn", &["xtask"]),
];

/// Crates that measure others; beside those they may name anything as a comparison.
const COMPARES: &[&str] = &["codesync-bench"];

/// One dependency as a manifest names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrow {
    pub from: String,
    pub to: String,
    pub for_tests: bool,
}

/// Asks cargo for all dependencies of all our packages.
pub fn read(root: &Path) -> Result<Vec<Arrow>> {
    let arguments = ["metadata", "--format-version", "1", "--no-deps", "--offline"];
    let text = Step::cargo(&arguments).in_folder(root).output()?;
    parse(&serde_json::from_str(&text).context("cargo metadata gave something else than JSON")?)
}

fn parse(metadata: &Value) -> Result<Vec<Arrow>> {
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let mut arrows = Vec::new();
    for package in packages {
        let from = package["name"].as_str().unwrap_or_default();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            arrows.push(Arrow {
                from: from.into(),
                to: dependency["name"].as_str().unwrap_or_default().into(),
                for_tests: dependency["kind"] == "dev",
            });
        }
    }
    Ok(arrows)
}

/// Compares the dependencies with both tables.
pub fn check(arrows: &[Arrow]) -> Vec<Finding> {
    arrows.iter().filter_map(|arrow| ours(arrow).or_else(|| foreign(arrow))).collect()
}

fn ours(arrow: &Arrow) -> Option<Finding> {
    let place = manifest(&arrow.from);
    let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == arrow.from) else {
        return Some(Finding::failure(place, "is a crate that the table of arrows does not know"));
    };
    let is_ours = arrow.to.starts_with("codesync-") || arrow.to == "xtask";
    if !is_ours || allowed.contains(&arrow.to.as_str()) || (arrow.for_tests && arrow.from == arrow.to) {
        return None;
    }
    Some(Finding::failure(place, format!("uses {}, which is not below it", arrow.to)))
}

fn foreign(arrow: &Arrow) -> Option<Finding> {
    let (name, allowed) = ALONE.iter().find(|(name, _)| covers(name, &arrow.to))?;
    // Tests may drive what they test from outside.
    let is_free = arrow.for_tests || COMPARES.contains(&arrow.from.as_str());
    if is_free || allowed.contains(&arrow.from.as_str()) {
        return None;
    }
    let sentence = format!("names {}; only {} may name {name}", arrow.to, allowed.join(", "));
    Some(Finding::failure(manifest(&arrow.from), sentence))
}

fn covers(name: &str, dependency: &str) -> bool {
    match name.strip_suffix('*') {
        Some(start) => dependency.starts_with(start),
        None => name == dependency,
    }
}

fn manifest(package: &str) -> String {
    match package {
        "codesync-desktop" => "Cargo.toml".into(),
        name => format!("crates/{}/Cargo.toml", name.trim_start_matches("codesync-")),
    }
}

#[cfg(test)]
pub fn arrow(from: &str, to: &str) -> Arrow {
    Arrow { from: from.into(), to: to.into(), for_tests: false }
}
