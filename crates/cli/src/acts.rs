//! Acts on history: name a moment, restore, take back.

use crate::failure::Failure;
use crate::history::{change_fields, print_change};
use crate::output::{Output, counted, harmless, object_text, rfc3339};
use crate::session::{Session, Stay};
use crate::unexpected;
use codesync_api::{Moment, Reply, Request, RestorePlan, RestoreTarget, UndoneKind};
use serde_json::{Value, json};

/// Deleted files looked at to find out whether a path was a folder.
const DELETED_MAX: u32 = 100_000;

pub fn name_moment(name: &str, note: Option<&str>, at: Option<&str>, out: &mut Output) -> Result<(), Failure> {
    let session = Session::open(Stay::Briefly)?;
    let at = at.map(|at| session.moment(at)).transpose()?.filter(|at| *at != Moment::Now);
    let request = Request::NameMoment { name: name.to_owned(), note: note.map(str::to_owned), at };
    let done = session.call(request).and_then(|_| session.flush());
    session.close();
    done?;
    let sentence = format!("Named this moment “{}”.", harmless(name.trim()));
    out.say(&sentence, &[("name", json!(name.trim())), ("note", json!(note))])
}

/// What `restore` was asked for, as typed.
pub struct RestoreArguments<'a> {
    /// None: the whole workspace.
    pub path: Option<&'a str>,
    pub at: &'a str,
    pub lines: Option<&'a str>,
    pub dry_run: bool,
}

pub fn restore(arguments: &RestoreArguments<'_>, out: &mut Output) -> Result<(), Failure> {
    let session = Session::open(Stay::Briefly)?;
    let done = restore_in(&session, arguments, out);
    session.close();
    done
}

fn restore_in(session: &Session, arguments: &RestoreArguments<'_>, out: &mut Output) -> Result<(), Failure> {
    let at = session.moment(arguments.at)?;
    let target = target_of(session, arguments, &at)?;
    if arguments.dry_run {
        return match session.call(Request::RestorePreview { target, at })? {
            Reply::Preview(plan) => print_plan(&plan, out),
            other => Err(unexpected(&other).into()),
        };
    }
    let restored = match session.call(Request::Restore { target, at })? {
        Reply::Restored(restored) => restored,
        other => return Err(unexpected(&other).into()),
    };
    session.flush()?;
    let mut sentence = harmless(&restored.sentence);
    if restored.group_id.is_some() {
        sentence.push_str(" “codesync undo” takes it back.");
    }
    let fields = [
        ("sentence", json!(restored.sentence)),
        ("group_id", json!(restored.group_id)),
        ("n_files", json!(restored.n_files)),
        ("paths", json!(restored.paths)),
    ];
    out.say(&sentence, &fields)
}

fn target_of(session: &Session, arguments: &RestoreArguments<'_>, at: &Moment) -> Result<RestoreTarget, Failure> {
    let path = match arguments.path {
        None => return Ok(RestoreTarget::Workspace),
        Some(typed) => session.path(typed)?,
    };
    if let Some(lines) = arguments.lines {
        let (first, last) = lines_of(lines)?;
        return Ok(RestoreTarget::Lines { path, first, last });
    }
    if path.is_empty() {
        return Ok(RestoreTarget::Workspace);
    }
    Ok(if is_folder(session, &path, at)? { RestoreTarget::Folder { path } } else { RestoreTarget::File { path } })
}

/// `7-12`, or `7` alone: lines counted from 1.
fn lines_of(text: &str) -> Result<(u32, u32), Failure> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) if 1 <= first && first <= last => Ok((first, last)),
        _ => Err(Failure::usage(format!("“{text}” are no lines: write the first and the last, as in 7-12."))),
    }
}

/// Whether a path is a folder now, or was one when something was still in it.
fn is_folder(session: &Session, path: &str, at: &Moment) -> Result<bool, Failure> {
    let inside = format!("{path}/");
    let has = |request: Request| -> Result<(bool, bool), Failure> {
        let paths = match session.call(request)? {
            Reply::Files { paths } => paths,
            Reply::Deleted { files } => files.into_iter().map(|file| file.path).collect(),
            other => return Err(unexpected(&other).into()),
        };
        Ok((paths.iter().any(|other| other == path), paths.iter().any(|other| other.starts_with(&inside))))
    };
    let (is_file, has_inside) = has(Request::ListFiles { at: None })?;
    if is_file || has_inside {
        return Ok(has_inside);
    }
    // `@N` counts in the timeline of what is asked about, which is not known yet.
    if !matches!(at, Moment::Step(_)) {
        let (was_file, had_inside) = has(Request::ListFiles { at: Some(at.clone()) })?;
        if was_file || had_inside {
            return Ok(had_inside);
        }
    }
    let (was_file, had_inside) = has(Request::ListDeleted { limit: DELETED_MAX })?;
    Ok(had_inside && !was_file)
}

fn print_plan(plan: &RestorePlan, out: &mut Output) -> Result<(), Failure> {
    if out.json {
        return print_plan_object(plan, out);
    }
    if plan.changes.is_empty() {
        return out.line(format!("Nothing would change: it is as it was at {}.", out.time(plan.at_ms)));
    }
    plan.changes.iter().try_for_each(|change| print_change(change, false, out))?;
    out.line(format!(
        "Would restore to {}: {} changed, {} coming back, {} going.",
        out.time(plan.at_ms),
        counted(plan.n_changed, "file", "files"),
        plan.n_returning,
        plan.n_leaving
    ))?;
    for (author, n) in &plan.others {
        out.line(format!("Takes back {} by {}.", counted(*n, "later change", "later changes"), harmless(author)))?;
    }
    Ok(())
}

fn print_plan_object(plan: &RestorePlan, out: &mut Output) -> Result<(), Failure> {
    let parsed = |fields: &[(&str, Value)]| serde_json::from_str(&object_text(fields)).unwrap_or(Value::Null);
    let changes: Vec<Value> = plan.changes.iter().map(|change| parsed(&change_fields(change, false))).collect();
    let others: Vec<Value> =
        plan.others.iter().map(|(author, n)| parsed(&[("user_id", json!(author)), ("n_changes", json!(n))])).collect();
    out.object(&[
        ("timestamp", json!(rfc3339(plan.at_ms))),
        ("n_changed", json!(plan.n_changed)),
        ("n_returning", json!(plan.n_returning)),
        ("n_leaving", json!(plan.n_leaving)),
        ("others", json!(others)),
        ("changes", json!(changes)),
    ])
}

pub fn undo(out: &mut Output) -> Result<(), Failure> {
    let session = Session::open(Stay::Briefly)?;
    let reply = session.call(Request::UndoLast).and_then(|reply| session.flush().map(|()| reply));
    session.close();
    let undone = match reply? {
        Reply::Undone(undone) => undone,
        other => return Err(unexpected(&other).into()),
    };
    match undone.kind {
        UndoneKind::Applied => {
            let sentence = undone.message.clone().unwrap_or_else(|| match undone.paths.as_slice() {
                [path] => format!("Taken back: the last change of {path}."),
                paths => format!("Taken back: {}.", counted(paths.len() as u64, "file", "files")),
            });
            let fields =
                [("sentence", json!(sentence)), ("group_id", json!(undone.group_id)), ("paths", json!(undone.paths))];
            out.say(&harmless(&sentence), &fields)
        }
        UndoneKind::NothingToUndo => {
            Err(Failure::refused(undone.message.unwrap_or("There is nothing to take back.".into())))
        }
        UndoneKind::Overwritten => {
            Err(Failure::refused(undone.message.unwrap_or("Nothing to undo here: it was changed since.".into())))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lines_are_a_range_or_one() {
        assert_eq!(lines_of("7-12").unwrap(), (7, 12));
        assert_eq!(lines_of("3").unwrap(), (3, 3));
        for bad in ["", "-", "0-3", "5-4", "a-b", "1-", "-3", "1-2-3", "1.5"] {
            assert!(matches!(lines_of(bad), Err(Failure::Usage(_))), "{bad}");
        }
    }
}
