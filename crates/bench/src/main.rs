//! `cargo xtask bench`: measures the real path (engine, log with fsync, node) on recorded typing and prints one
//! table. Every part runs in a process of its own, so that peak memory is that part's alone. It changes nothing
//! outside the temporary folder that it makes and removes.

mod checkout;
mod figures;
mod folders;
mod growth;
mod merging;
mod moments;
mod pair;
mod peers;
mod resident;
mod traces;
mod typing;
mod workspace;

use anyhow::{Context, Result, bail};
use clap::Parser;
use figures::{Figure, Sheet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use traces::Trace;

/// The same as in the programs that are measured: see docs/decisions/0010.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures CodeSync: durable typing, any moment of the past, size on disk, folders, growth.
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Arguments {
    /// One JSON object a line instead of the table.
    #[arg(long)]
    json: bool,
    /// The two smallest traces, 1,000 files, 100,000 steps: about a minute.
    #[arg(long)]
    quick: bool,
    /// Only the parts with this in their name, such as `typing`, `moments:seph-blog1`, `folder`.
    #[arg(long)]
    only: Option<String>,
    /// Folder on the disk to measure; the system's temporary folder when none.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Folder of the recorded traces; `CODESYNC_TRACES` or ../shared/traces when none.
    #[arg(long)]
    traces: Option<PathBuf>,
    /// Runs one part in this process; used by the benchmark itself.
    #[arg(long, hide = true)]
    part: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.part {
        Some(part) => run_part(part, &arguments),
        None => run_all(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("bench: {reason:#}");
            ExitCode::FAILURE
        }
    }
}

impl Arguments {
    fn traces(&self) -> PathBuf {
        let said = self.traces.clone().or_else(|| std::env::var_os("CODESYNC_TRACES").map(PathBuf::from));
        said.unwrap_or_else(|| "../shared/traces".into())
    }
}

/// Names of the parts, in the order of the table.
fn parts(arguments: &Arguments) -> Vec<String> {
    let mut parts = Vec::new();
    let present = traces::present(&arguments.traces());
    if present.is_empty() {
        eprintln!(
            "bench: there are no traces in {} (set CODESYNC_TRACES); the parts on recorded typing are left out",
            arguments.traces().display()
        );
    }
    for name in present.iter().filter(|name| !arguments.quick || traces::QUICK.contains(name)) {
        parts.extend(["typing", "peers", "moments"].map(|kind| format!("{kind}:{name}")));
    }
    // What a long history takes in memory; a short one takes no more than the program itself.
    parts.extend(present.last().filter(|_| !arguments.quick).map(|name| format!("resident:{name}")));
    if merging::TRACES.iter().all(|name| present.contains(name)) {
        parts.push(format!("merge:{}", if arguments.quick { 5_000 } else { 50_000 }));
        parts.extend((!arguments.quick).then(|| "pair:merge".to_owned()));
    }
    parts.extend(["latency", "behind", "files", "idle"].map(|what| format!("pair:{what}")));
    parts.extend(present.contains(&"automerge-paper").then(|| "pair:newcomer".to_owned()));
    let n_files: &[u32] = if arguments.quick { &[1_000] } else { &[1_000, 10_000, 100_000] };
    parts.extend(n_files.iter().map(|n| format!("folder:{n}")));
    parts.push(format!("checkout:{}", if arguments.quick { 2_000 } else { 100_000 }));
    parts.push(format!("growth:{}", if arguments.quick { 100_000 } else { 1_000_000 }));
    if let Some(only) = &arguments.only {
        parts.retain(|part| part.contains(only.as_str()));
    }
    parts
}

fn run_all(arguments: &Arguments) -> Result<()> {
    let parts = parts(arguments);
    if parts.is_empty() {
        bail!("there is nothing to measure");
    }
    let place = arguments.folder.clone().unwrap_or_else(std::env::temp_dir);
    let mut sheet = Sheet::default();
    let mut failed = Vec::new();
    if !arguments.json {
        println!("{}", figures::machine(&place));
    }
    for part in parts {
        eprintln!("bench: {part} …");
        match run_child(&part, arguments, &place) {
            Ok(figures) => sheet.add(figures, arguments.json),
            Err(reason) => {
                eprintln!("bench: {part} FAILED: {reason:#}");
                failed.push(part);
            }
        }
    }
    if !arguments.json {
        print!("{}", sheet.table());
    }
    if !failed.is_empty() {
        bail!("these parts failed: {}", failed.join(", "));
    }
    Ok(())
}

/// Runs one part in a process of its own, with a temporary folder and settings of its own.
fn run_child(part: &str, arguments: &Arguments, place: &Path) -> Result<Vec<Figure>> {
    let folder = tempfile::Builder::new().prefix("codesync-bench-").tempdir_in(place)?;
    let mut child = Command::new(std::env::current_exe()?)
        .arg("--part")
        .arg(part)
        .arg("--folder")
        .arg(folder.path())
        .arg("--traces")
        .arg(arguments.traces())
        .env("CODESYNC_CONFIG_DIR", folder.path().join("config"))
        .stdout(Stdio::piped())
        .spawn()?;
    let lines = BufReader::new(child.stdout.take().context("the part has no output")?).lines();
    let figures = lines.map(|line| Ok(serde_json::from_str(&line?)?)).collect::<Result<Vec<Figure>>>()?;
    let status = child.wait()?;
    if !status.success() {
        bail!("it ended with {status}");
    }
    Ok(figures)
}

fn run_part(part: &str, arguments: &Arguments) -> Result<()> {
    let (kind, what) = part.split_once(':').context("a part is named kind:what")?;
    let folder = arguments.folder.as_deref().context("a part needs a folder")?;
    let trace = || Trace::read(&arguments.traces(), what);
    let figures = match kind {
        "typing" => typing::measure(&trace()?, folder)?,
        "peers" => peers::measure(&trace()?, folder)?,
        "moments" => moments::measure(&trace()?, &arguments.traces(), folder)?,
        "resident" => resident::measure(&trace()?, &arguments.traces(), folder)?,
        // Not in the list of parts: the process that `moments` kills.
        "typist" => return moments::type_until_killed(&trace()?, folder),
        // Nor this one: the process that `resident` looks at.
        "holding" => resident::hold(what, folder)?,
        // Nor this one: for a profiler, on a folder that `moments` left.
        "reopen" => moments::measure_reopening(&trace()?, folder)?,
        // Nor this one: for a profiler, on a folder that `folder` or `checkout` left.
        "opening" => checkout::measure_opening(what.parse()?, folder)?,
        "folder" => folders::measure(what.parse()?, folder)?,
        "checkout" => checkout::measure(what.parse()?, folder)?,
        "pair" => pair::measure(what, &arguments.traces(), folder)?,
        "merge" => merging::measure(what.parse()?, &arguments.traces(), folder)?,
        "growth" => growth::measure(what.parse()?, folder)?,
        _ => bail!("there is no part {part}"),
    };
    for figure in figures {
        println!("{}", serde_json::to_string(&figure)?);
    }
    Ok(())
}
