//! What a person is to know of the place where a workspace lives: damage found at opening, a folder or store that
//! cannot be written, a disk that fills up. Words only; decides nothing (`UX.md` §5, MSG-DISK and MSG-VER).

use crate::identity::{self, Place};
use crate::{STORE_FOLDER, config};
use codesync_api::{ApiError, ErrorCode, Notice};
use codesync_base::{FileKind, RelPath};
use codesync_engine::{Engine, api_error};
use codesync_fs::Folder;
use codesync_log::{LogError, LostSpan, OpenReport, Outcome};
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

/// Reading all files for MSG-DISK-4 keeps an opening waiting no longer than that.
const CHECK_TIME: Duration = Duration::from_secs(3);
/// MSG-DISK-2 is said below this, and may be said again once there was more than the second.
const LOW_SPACE_BYTES: u64 = 500 * 1_000_000;
const SPACE_AGAIN_BYTES: u64 = 600 * 1_000_000;
const LOW_SPACE: &str = "MSG-DISK-2";

/// Why a store cannot be opened.
pub(crate) fn store_refusal(root: &Path, error: LogError) -> ApiError {
    let store = root.join(STORE_FOLDER);
    let error = match error {
        LogError::Io { source, .. }
            if matches!(source.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) =>
        {
            return cannot_write(root, &store, &config::plain(&source));
        }
        LogError::NewerVersion { .. } => {
            // The format is what counts: a development version may have the same number.
            let newer = identity::app_version_of(&store).filter(|version| version != env!("CARGO_PKG_VERSION"));
            let newer = newer.map_or("a newer CodeSync".into(), |version| format!("CodeSync {version}"));
            let sentence = newer_version(&newer, env!("CARGO_PKG_VERSION"));
            return ApiError::new(ErrorCode::NewerVersion, sentence).with_detail(error);
        }
        error => error,
    };
    api_error(error)
}

/// MSG-VER-4
fn newer_version(theirs: &str, ours: &str) -> String {
    format!(
        "This workspace was last opened by {theirs}. Version {ours} could misread its history, so it stays untouched."
    )
}

fn cannot_write(root: &Path, store: &Path, why: &str) -> ApiError {
    let (root, sentence) = (root.display(), "Nothing was changed.");
    let sentence = match store.is_dir() {
        true => format!(
            "The history of “{root}” can't be written: {why}. {sentence} Give yourself write access to “{STORE_FOLDER}” \
             in it, or copy the folder to a place of your own."
        ),
        false => format!(
            "“{root}” can't be written to ({why}), so its history can't be kept in it. {sentence} Give yourself write \
             access, or copy the folder to a place of your own."
        ),
    };
    ApiError::new(ErrorCode::ReadOnly, sentence)
}

/// How many of the files that history knows are in the folder and can be read, and how many it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    n_fine: usize,
    n_known: usize,
}

impl Checked {
    /// Reads them; those that come after the time is up are only looked at.
    pub fn of(engine: &Engine, folder: &Folder) -> Self {
        let began = Instant::now();
        let known: Vec<_> = engine.tree().alive().filter(|node| node.kind != FileKind::Folder).collect();
        let is_fine = |path: &RelPath| match began.elapsed() < CHECK_TIME {
            true => folder.hash(path).is_ok_and(|file| file.is_some()),
            false => folder.stat(path).is_ok_and(|stat| stat.is_some()),
        };
        Self { n_fine: known.iter().filter(|node| is_fine(&node.path)).count(), n_known: known.len() }
    }

    fn sentence(self) -> String {
        let Self { n_fine, n_known } = self;
        match n_fine == n_known {
            true => format!("Your files are fine (checked {n_fine} of {n_known})."),
            false => format!("{n_fine} of {n_known} files are in the folder and can be read."),
        }
    }
}

/// Which part of history is there.
fn available(lost: LostSpan, words: impl Fn(u64) -> String) -> String {
    match (lost.after_ms.map(&words), lost.before_ms.map(&words)) {
        (None, Some(from)) => format!("History from {from} on is available."),
        (Some(until), Some(from)) => format!("History up to {until} and from {from} on is available."),
        (Some(until), None) => format!("History up to {until} is available."),
        (None, None) => "Parts of the history are available.".into(),
    }
}

/// MSG-DISK-4, or the good news that nothing is missing. `words` says a time; what is damaged in detail, `verify` says.
pub(crate) fn damage(
    report: &OpenReport,
    check: impl FnOnce() -> Checked,
    words: impl Fn(u64) -> String,
) -> Option<Notice> {
    let notice = |id: &str, title: &str, body: String| {
        Some(Notice { id: id.into(), title: title.into(), body, ..Notice::default() })
    };
    if let Some(lost) = report.lost {
        let body = format!("{} {} A copy of the damaged part is kept.", check().sentence(), available(lost, words));
        return notice("MSG-DISK-4", "Part of this workspace's history can't be read.", body);
    }
    let healed = report.findings.iter().filter(|finding| finding.outcome == Outcome::Healed);
    let healed: Vec<_> = healed.map(|finding| format!("{}: {}", finding.place, finding.what)).collect();
    let body = format!("It was brought back from its second copy, and nothing is missing. {}", healed.join(" "));
    let title = "Part of this workspace's history was damaged and is mended.";
    if healed.is_empty() { None } else { notice("MSG-DISK-5", title, body) }
}

/// Why nothing may be written now: folder or store are not what they were when they were opened.
pub(crate) fn gone(folder: &Folder, store: &Path, store_place: Option<Place>, until: &str) -> Option<String> {
    if !folder.is_in_place() {
        return Some(format!(
            "This folder is gone from “{}”: it was moved or deleted, or its disk was taken out. Everything up to {until} \
             was kept in it. Bring it back and we'll go on by ourselves, or open it at its new place. Until then the \
             editor is read-only so that nothing is lost.",
            folder.root().display()
        ));
    }
    (Place::of(store) != store_place).then(|| {
        format!(
            "The history of this folder is gone: “{}” was moved or deleted. Everything up to {until} was kept in it, and \
             your files are where they are. Put it back and we'll go on by ourselves, or open the folder again to begin \
             a new history. Until then the editor is read-only so that nothing is lost.",
            store.display()
        )
    })
}

pub(crate) fn read_only(folder: &Folder) -> Option<Notice> {
    folder.is_read_only().then(|| Notice {
        id: "MSG-DISK-6".into(),
        title: "The files in this folder can't be changed: permission denied.".into(),
        body: "What you type is kept in CodeSync, but it can't be written to the files. Give yourself write access to \
               the folder, and it will be."
            .into(),
        ..Notice::default()
    })
}

/// What was done, and is not on disk: it must not be done a second time.
pub(crate) fn waits(error: &ApiError) -> ApiError {
    match error.code {
        ErrorCode::DiskFull => ApiError::new(
            ErrorCode::DiskFull,
            "This disk is full. The change is not lost: it waits in memory, and is kept as soon as there is room. Don't \
             make it a second time.",
        )
        .with_detail(error),
        _ => error.clone(),
    }
}

/// MSG-DISK-2, once until there was room again.
pub(crate) fn note_space(engine: &mut Engine, folder: &Folder) {
    let Some(free_bytes) = folder.free_space() else { return };
    let is_said = engine.notices().iter().any(|notice| notice.id == LOW_SPACE);
    if is_said && free_bytes > SPACE_AGAIN_BYTES {
        engine.forget_notice(LOW_SPACE);
    } else if is_said || free_bytes < LOW_SPACE_BYTES {
        engine.note(low_space(free_bytes, engine.log().size_bytes()));
    }
}

fn low_space(free_bytes: u64, history_bytes: u64) -> Notice {
    let title = format!("Only {} left on this disk.", size(free_bytes));
    let body = format!("History uses {}.", size(history_bytes));
    Notice { id: LOW_SPACE.into(), title, body, ..Notice::default() }
}

/// `480 MB`, in the units that disks are sold in.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        1_000_000..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// Local day and time, such as `3 Nov 2026, 14:02`.
pub(crate) fn day_and_time(at_ms: u64) -> String {
    jiff::Timestamp::from_millisecond(i64::try_from(at_ms).unwrap_or(i64::MAX))
        .map(|at| at.to_zoned(jiff::tz::TimeZone::system()).strftime("%-d %b %Y, %H:%M").to_string())
        .unwrap_or_default()
}

/// The same beside others of this year: `3 Nov 14:02`.
pub(crate) fn moment(at_ms: u64) -> String {
    let zone = jiff::tz::TimeZone::system();
    let Ok(at) = jiff::Timestamp::from_millisecond(i64::try_from(at_ms).unwrap_or(i64::MAX)) else {
        return String::new();
    };
    let (at, now) = (at.to_zoned(zone.clone()), jiff::Timestamp::now().to_zoned(zone));
    at.strftime(if at.year() == now.year() { "%-d %b %H:%M" } else { "%-d %b %Y %H:%M" }).to_string()
}

#[cfg(test)]
mod tests;
