//! The workspace as a whole: init, status, open, verify, export, import, completions.

use crate::args::Arguments;
use crate::failure::{Failure, reason};
use crate::output::{Output, Style, counted, grouped, harmless, rfc3339, size};
use crate::session::{Session, Stay};
use crate::unexpected;
use clap::CommandFactory;
use codesync_api::{Reply, Request, SaveKind, Status};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Name of the window's program.
const DESKTOP: &str = "codesync-desktop";

pub fn init(dir: Option<&Path>, out: &mut Output) -> Result<(), Failure> {
    let dir = dir.unwrap_or(Path::new("."));
    let was_there = dir.join(codesync_node::STORE_FOLDER).is_dir();
    if !dir.exists() {
        let refused = |error| Failure::refused(format!("“{}” could not be made: {}.", dir.display(), reason(&error)));
        std::fs::create_dir_all(dir).map_err(refused)?;
    }
    let session = Session::create(dir)?;
    let reply = session.flush().and_then(|()| session.call(Request::Status));
    session.close();
    let status = status_of(reply?)?;
    let files = counted(status.n_files, "file", "files");
    let sentence = match was_there {
        true => format!("{} is a workspace already, with {files}.", status.root),
        false => format!("{} is a workspace now, with {files}.", status.root),
    };
    let fields = [
        ("root", json!(status.root)),
        ("session_id", json!(status.project_id)),
        ("n_files", json!(status.n_files)),
        ("created", json!(!was_there)),
    ];
    out.say(&sentence, &fields)
}

fn status_of(reply: Reply) -> Result<Status, Failure> {
    match reply {
        Reply::Status(status) => Ok(status),
        other => Err(unexpected(&other).into()),
    }
}

pub fn status(out: &mut Output) -> Result<(), Failure> {
    let session = Session::open(Stay::Briefly)?;
    let reply = session.call(Request::Status);
    session.close();
    let status = status_of(reply?)?;
    if out.json { print_status_object(&status, out) } else { print_status(&status, out) }
}

fn print_status(status: &Status, out: &mut Output) -> Result<(), Failure> {
    let name = out.paint(Style::Heading, &harmless(&status.name));
    let ignored = match status.n_ignored {
        0 => String::new(),
        n => format!(", {} ignored", grouped(n)),
    };
    out.line(format!("Workspace  {name}  {}", harmless(&status.root)))?;
    out.line(format!("Person     {}", harmless(&status.person)))?;
    out.line(format!("Files      {}{ignored}", grouped(status.n_files)))?;
    out.line(format!("History    {}, {}", counted(status.n_moments, "change", "changes"), size(status.history_bytes)))?;
    out.line(format!("Saved      {}", saved_sentence(status, out)))?;
    for refused in &status.refused {
        out.line(format!("Left out   {}: {}", harmless(&refused.path), harmless(&refused.reason)))?;
    }
    for notice in &status.notices {
        out.line(format!("Note       {} {}", harmless(&notice.title), harmless(&notice.body)))?;
    }
    Ok(())
}

fn saved_sentence(status: &Status, out: &Output) -> String {
    let save = &status.save;
    if let Some(message) = &save.message {
        return message.clone();
    }
    let unwritten = match save.n_unwritten {
        0 => String::new(),
        n => format!("; {} to be written to the folder", counted(n, "file is still", "files are still")),
    };
    match (save.kind, save.saved_ms) {
        (SaveKind::Saved, Some(at_ms)) => format!("everything, up to {}{unwritten}", out.time(at_ms)),
        (SaveKind::Saved, None) => format!("everything{unwritten}"),
        (SaveKind::Saving, _) => "just being saved".into(),
        (SaveKind::DiskFull, _) => "no: the disk is full".into(),
        (SaveKind::CannotWriteFile, _) => format!("in history{unwritten}"),
        (SaveKind::FolderGone, _) => "no: the folder is not where it was".into(),
        (SaveKind::Failed, _) => "no: the history could not be written".into(),
    }
}

fn save_word(kind: SaveKind) -> &'static str {
    match kind {
        SaveKind::Saved => "saved",
        SaveKind::Saving => "saving",
        SaveKind::DiskFull => "disk_full",
        SaveKind::CannotWriteFile => "cannot_write_file",
        SaveKind::FolderGone => "folder_gone",
        SaveKind::Failed => "failed",
    }
}

fn print_status_object(status: &Status, out: &mut Output) -> Result<(), Failure> {
    let refused: Vec<_> = status.refused.iter().map(|one| json!({"path": one.path, "reason": one.reason})).collect();
    out.object(&[
        ("root", json!(status.root)),
        ("name", json!(status.name)),
        ("session_id", json!(status.project_id)),
        ("device_id", json!(status.device_id)),
        ("person", json!(status.person)),
        ("n_files", json!(status.n_files)),
        ("n_ignored", json!(status.n_ignored)),
        ("n_deltas", json!(status.n_deltas)),
        ("n_moments", json!(status.n_moments)),
        ("history_bytes", json!(status.history_bytes)),
        ("save", json!(save_word(status.save.kind))),
        ("saved_at", json!(status.save.saved_ms.map(rfc3339))),
        ("n_unwritten", json!(status.save.n_unwritten)),
        ("message", json!(status.save.message)),
        ("refused", json!(refused)),
        ("notices", json!(status.notices)),
        ("version", json!(status.app_version)),
    ])
}

pub fn open(dir: Option<&Path>, out: &mut Output) -> Result<(), Failure> {
    let dir = dir.unwrap_or(Path::new("."));
    let whole = dir
        .canonicalize()
        .map_err(|error| Failure::refused(format!("“{}” cannot be opened: {}.", dir.display(), reason(&error))))?;
    if !whole.is_dir() {
        return Err(Failure::refused(format!("“{}” is a file. Give the folder it is in.", dir.display())));
    }
    let root = codesync_node::find_workspace(&whole).unwrap_or(whole);
    let spawned = Command::new(desktop_program())
        .arg(&root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match spawned {
        Ok(child) => {
            let fields = [("root", json!(root.display().to_string())), ("pid", json!(child.id()))];
            out.say(&format!("Opening {}.", root.display()), &fields)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Failure::refused(format!(
            "The window is not installed: “{DESKTOP}” is neither beside this program nor on the PATH."
        ))),
        Err(error) => Err(Failure::refused(format!("The window could not be started: {}.", reason(&error)))),
    }
}

/// Beside this program, else whatever the PATH has.
fn desktop_program() -> PathBuf {
    let name = format!("{DESKTOP}{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().ok().and_then(|own| Some(own.canonicalize().ok()?.parent()?.join(&name)));
    beside.filter(|program| program.is_file()).unwrap_or_else(|| name.into())
}

pub fn verify(repair: bool, out: &mut Output) -> Result<(), Failure> {
    let session = Session::open(Stay::Briefly)?;
    let reply = session.call(Request::Verify { repair });
    session.close();
    let report = match reply? {
        Reply::Verified(report) => report,
        other => return Err(unexpected(&other).into()),
    };
    if out.json {
        out.object(&[
            ("ok", json!(report.ok)),
            ("n_deltas", json!(report.n_deltas)),
            ("n_blobs", json!(report.n_blobs)),
            ("problems", json!(report.problems)),
            ("repaired", json!(report.repaired)),
        ])?;
    } else {
        for sentence in report.repaired.iter() {
            out.line(format!("Mended: {sentence}"))?;
        }
        if report.ok {
            let blobs = counted(report.n_blobs, "stored content", "stored contents");
            out.line(format!("All is well: {} and {blobs} checked.", counted(report.n_deltas, "change", "changes")))?;
        }
    }
    if report.ok {
        return Ok(());
    }
    out.flush()?;
    let mut sentence = report.problems.join("\n");
    if sentence.is_empty() {
        sentence = "The history is not whole.".into();
    }
    if !repair {
        sentence.push_str("\n“codesync verify --repair” mends what can be mended.");
    }
    Err(Failure::Refused(sentence))
}

/// The process that has the store may have been started elsewhere: paths go to it whole.
fn whole_path(path: &Path) -> Result<String, Failure> {
    let refused = |why: String| Failure::refused(format!("“{}” cannot be used: {why}.", path.display()));
    let whole = std::path::absolute(path).map_err(|error| refused(reason(&error)))?;
    whole.to_str().map(str::to_owned).ok_or_else(|| refused("its name is not UTF-8".into()))
}

pub fn export_bundle(file: &Path, out: &mut Output) -> Result<(), Failure> {
    let file = whole_path(file)?;
    let session = Session::open(Stay::Briefly)?;
    let reply = session.call(Request::ExportBundle { file: file.clone() });
    session.close();
    match reply? {
        Reply::Exported { n_deltas, bytes, .. } => {
            let sentence = format!("Wrote {} ({}) to {file}.", counted(n_deltas, "change", "changes"), size(bytes));
            out.say(&sentence, &[("file", json!(file)), ("n_deltas", json!(n_deltas)), ("bytes", json!(bytes))])
        }
        other => Err(unexpected(&other).into()),
    }
}

pub fn export_git(dir: &Path, out: &mut Output) -> Result<(), Failure> {
    let dir = whole_path(dir)?;
    let session = Session::open(Stay::Briefly)?;
    let reply = session.call(Request::ExportGit { dir: dir.clone() });
    session.close();
    match reply? {
        Reply::Exported { n_commits, .. } => {
            let sentence = format!("Wrote {} to the git repository {dir}.", counted(n_commits, "commit", "commits"));
            out.say(&sentence, &[("dir", json!(dir)), ("n_commits", json!(n_commits))])
        }
        other => Err(unexpected(&other).into()),
    }
}

pub fn import(file: &Path, out: &mut Output) -> Result<(), Failure> {
    let file = whole_path(file)?;
    // Before a workspace is made for nothing.
    let readable = std::fs::File::open(&file).and_then(|file| file.metadata());
    match readable {
        Ok(metadata) if metadata.is_dir() => {
            return Err(Failure::refused(format!("“{file}” is a folder, not a bundle.")));
        }
        Ok(_) => {}
        Err(error) => return Err(Failure::refused(format!("“{file}” could not be read: {}.", reason(&error)))),
    }
    let session = match codesync_node::find_workspace(Path::new(".")) {
        Some(_) => Session::open(Stay::Briefly)?,
        None => Session::create(Path::new("."))?,
    };
    let reply =
        session.call(Request::ImportBundle { file: file.clone() }).and_then(|reply| session.flush().map(|()| reply));
    session.close();
    match reply? {
        Reply::Imported { n_deltas } => {
            let sentence = format!("Took in {} from {file}.", counted(n_deltas, "change", "changes"));
            out.say(&sentence, &[("file", json!(file)), ("n_deltas", json!(n_deltas))])
        }
        other => Err(unexpected(&other).into()),
    }
}

pub fn completions(shell: clap_complete::Shell, out: &mut Output) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "codesync", &mut script);
    out.bytes(&script)
}
