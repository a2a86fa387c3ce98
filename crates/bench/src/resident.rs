//! What a node without a window keeps in memory while a file with a long history is open in it: a process of its own
//! that did nothing else (what typing and measuring took is not in it).

use crate::figures::{Figure, Gathered, status_kib};
use crate::traces::Trace;
use crate::workspace::PATH;
use anyhow::{Context, Result, bail, ensure};
use codesync_api::{Reply, Request, Scope};
use codesync_node::{Node, Options};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Time in which a node that is left alone lets go of what it only needed to open.
const SETTLES_WITHIN: Duration = Duration::from_secs(4);

/// Types the trace, then opens it in another process and asks that one.
pub fn measure(trace: &Trace, traces: &Path, folder: &Path) -> Result<Vec<Figure>> {
    let root = folder.join("workspace");
    crate::moments::type_keys(trace, 1, &root)?;
    std::fs::write(root.join(PATH), &trace.end_text)?;
    let output = Command::new(std::env::current_exe()?)
        .args(["--part", &format!("holding:{}", trace.name), "--folder"])
        .arg(&root)
        .arg("--traces")
        .arg(traces)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!("the node ended with {}", output.status);
    }
    let lines = String::from_utf8(output.stdout)?;
    lines.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// In the other process.
pub fn hold(trace_name: &str, root: &Path) -> Result<Vec<Figure>> {
    let mut figures = Gathered::of(trace_name);
    let mut add = |what: &str| -> Result<()> {
        let kib = status_kib("VmRSS:").context("the system does not say what this process takes")?;
        figures.add(format!("headless node, {what}"), kib as f64 / 1024.0, "MiB");
        Ok(())
    };
    let node = Node::open(root, Options { person: Some("Bench".into()), watch: true, create: true })?;
    match node.call(Request::OpenView { path: PATH.into() })? {
        Reply::View(view) => ensure!(!view.text.is_empty(), "the file opened empty"),
        other => bail!("an opening was answered with {other:?}"),
    }
    add("file open")?;
    match node.call(Request::Timeline { scope: Scope::File(PATH.into()) })? {
        Reply::Timeline(timeline) => ensure!(timeline.n_moments > 0, "the file has no past"),
        other => bail!("a question for a timeline was answered with {other:?}"),
    }
    add("timeline ready")?;
    std::thread::sleep(SETTLES_WITHIN);
    add("timeline ready, after 4 s")?;
    node.close();
    Ok(figures.figures)
}
