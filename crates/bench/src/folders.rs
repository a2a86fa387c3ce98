//! How long a node takes to take a folder of many small files in, and to open it again.

use crate::figures::{Figure, Gathered, timed};
use crate::traces::Random;
use anyhow::{Result, bail, ensure};
use codesync_api::{Reply, Request};
use codesync_node::{Node, Options};
use std::fmt::Write;
use std::path::{Path, PathBuf};

pub fn measure(n_files: u32, folder: &Path) -> Result<Vec<Figure>> {
    let mut figures = Gathered::of(format!("a folder of {n_files} files"));
    let root = folder.join("workspace");
    // A profiler lets the files be made in a run before.
    let n_bytes = if root.exists() { crate::moments::size_bytes(&root)? } else { make_files(n_files, 3, &root)? };
    figures.add("size of the files", n_bytes as f64 / 1e6, "MB");
    for what in ["taken in", "opened again"] {
        let options = || Options { person: Some("Bench".into()), watch: false, create: true };
        let (node, took) = timed(|| Node::open(&root, options()));
        let node = node?;
        figures.add(what, took.as_secs_f64(), "s");
        ensure_known(&node, n_files)?;
        let ((), took) = timed(|| node.close());
        figures.add(format!("{what}: closed"), took.as_secs_f64(), "s");
    }
    let n_stored = crate::moments::size_bytes(&root.join(codesync_node::STORE_FOLDER))?;
    figures.add("store", n_stored as f64 / 1e6, "MB");
    figures.add_memory("folder");
    Ok(figures.figures)
}

fn ensure_known(node: &Node, n_files: u32) -> Result<()> {
    match node.call(Request::Status)? {
        Reply::Status(status) => {
            ensure!(status.n_files == u64::from(n_files), "the workspace has {} of {n_files} files", status.n_files);
            Ok(())
        }
        other => bail!("a question for the status was answered with {other:?}"),
    }
}

/// Where the file of this number is, below the root.
pub fn path_of(n: u32) -> PathBuf {
    format!("part{:02}/group{:03}/file{n:06}.rs", n / 10_000, n / 100).into()
}

/// Small source files, a hundred to a folder, no two alike, others for another seed. Returns their bytes.
pub fn make_files(n_files: u32, seed: u64, root: &Path) -> Result<u64> {
    let mut random = Random::new(seed);
    let mut n_bytes = 0;
    for n in 0..n_files {
        let path = root.join(path_of(n));
        if n % 100 == 0 {
            std::fs::create_dir_all(path.parent().unwrap_or(root))?;
        }
        let mut text = String::new();
        for line in 0..5 + random.below(40) {
            let number = random.below(1_000_000);
            writeln!(text, "pub const VALUE_{line}: u32 = {number}; // file {n}")
                .expect("invariant: a String can be written to");
        }
        n_bytes += text.len() as u64;
        std::fs::write(path, text)?;
    }
    Ok(n_bytes)
}
