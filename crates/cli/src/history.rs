//! Looking back: log, diff, blame, find, moments.

use crate::failure::Failure;
use crate::output::{Output, Style, grouped, harmless, rfc3339, short};
use crate::session::{Session, Stay};
use crate::unexpected;
use codesync_api::{
    BlameSpan, FileChange, FileChangeKind, HistoryHit, HistoryHitKind, LogQuery, LogRecord, Moment, NamedMoment, Reply,
    Request, Scope,
};
use serde_json::json;

/// Records asked for at once.
const PAGE: u32 = 5_000;
const HITS_MAX: u32 = 1_000;

/// What `log` was asked for, as typed.
pub struct LogArguments<'a> {
    pub path: Option<&'a str>,
    pub since: Option<&'a str>,
    pub until: Option<&'a str>,
    pub author: Option<&'a str>,
    pub steps: bool,
}

pub fn log(arguments: &LogArguments<'_>, out: &mut Output) -> Result<(), Failure> {
    let session = Session::open(Stay::Briefly)?;
    let done = print_log(&session, arguments, out);
    session.close();
    done
}

fn print_log(session: &Session, arguments: &LogArguments<'_>, out: &mut Output) -> Result<(), Failure> {
    let bound = |typed: Option<&str>| typed.map(|typed| session.moment(typed)).transpose();
    let mut query = LogQuery {
        path: arguments.path.map(|path| session.path(path)).transpose()?.filter(|path| !path.is_empty()),
        since: bound(arguments.since)?,
        until: bound(arguments.until)?,
        author: arguments.author.map(str::to_owned),
        steps: arguments.steps,
        cursor: None,
        limit: PAGE,
    };
    loop {
        let (records, next) = match session.call(Request::Log { query: query.clone() })? {
            Reply::Log { records, next } => (records, next),
            other => return Err(unexpected(&other).into()),
        };
        for record in &records {
            print_record(record, arguments.steps, out)?;
        }
        if next.is_none() {
            return Ok(());
        }
        query.cursor = next;
    }
}

fn print_record(record: &LogRecord, steps: bool, out: &mut Output) -> Result<(), Failure> {
    if out.json {
        return print_record_object(record, steps, out);
    }
    let id = out.paint(Style::Id, short(&record.id));
    let time = out.paint(Style::Faint, &format!("{:<19}", out.time_of(&record.timestamp)));
    let is_about_people = matches!(record.kind.as_str(), "joined" | "role" | "left" | "removed" | "merge");
    let what = match (record.path.as_deref(), record.n_files, record.detail.as_deref()) {
        _ if is_about_people => record.sentence.clone().unwrap_or_default(),
        (Some(path), _, Some(detail)) if detail != path => format!("{path}  ({detail})"),
        (Some(path), ..) => path.to_owned(),
        (None, Some(n), None) if n > 0 => format!("{} files", grouped(n)),
        (None, _, detail) => detail.unwrap_or_default().to_owned(),
    };
    let mut line = format!("{time}  {id}  {:<10}  {:<10}  {}", harmless(&record.user_id), record.kind, harmless(&what));
    if let (Some(position), Some(deleted), Some(inserted)) = (record.position, record.deleted, &record.inserted) {
        let step = record.step.map(|step| format!("@{step}")).unwrap_or_default();
        line.push_str(&format!("  {step}  {position} −{deleted} +{}", serde_json::Value::from(inserted.as_str())));
    }
    for (sign, style, n) in [("+", Style::Added, record.added), ("−", Style::Removed, record.removed)] {
        if let Some(n) = n.filter(|n| *n > 0) {
            line.push_str(&format!("  {}", out.paint(style, &format!("{sign}{}", grouped(n)))));
        }
    }
    out.line(line.trim_end())
}

fn print_record_object(record: &LogRecord, steps: bool, out: &mut Output) -> Result<(), Failure> {
    let mut fields = vec![
        ("id", json!(record.id)),
        ("session_id", json!(record.session_id)),
        ("user_id", json!(record.user_id)),
        ("timestamp", json!(record.timestamp)),
        ("kind", json!(record.kind)),
        ("path", json!(record.path)),
    ];
    if steps {
        fields.extend([
            ("step", json!(record.step)),
            ("position", json!(record.position)),
            ("deleted", json!(record.deleted)),
            ("inserted", json!(record.inserted)),
        ]);
    } else {
        fields.extend([
            ("group_id", json!(record.group_id)),
            ("n_steps", json!(record.n_steps)),
            ("n_files", json!(record.n_files)),
            ("added", json!(record.added)),
            ("removed", json!(record.removed)),
            ("detail", json!(record.detail)),
            ("sentence", json!(record.sentence)),
        ]);
    }
    out.object(&fields)
}

pub fn diff(path: Option<&str>, from: &str, to: Option<&str>, out: &mut Output) -> Result<(), Failure> {
    let session = Session::open(Stay::Briefly)?;
    let path = path.map(|path| session.path(path)).transpose()?.filter(|path| !path.is_empty());
    let (from, to) = (session.moment(from)?, session.moment_or_now(to)?);
    let reply = session.call(Request::Compare { path, from, to });
    session.close();
    match reply? {
        Reply::Compared { files } => files.iter().try_for_each(|file| print_change(file, true, out)),
        other => Err(unexpected(&other).into()),
    }
}

/// A changed file: with its patch, or as one line.
pub fn print_change(file: &FileChange, with_patch: bool, out: &mut Output) -> Result<(), Failure> {
    if out.json {
        return out.object(&change_fields(file, with_patch));
    }
    let old = file.old_path.as_deref().map(|old| format!(" (was {})", harmless(old))).unwrap_or_default();
    match file.patch.as_deref().filter(|patch| with_patch && !patch.is_empty()) {
        Some(patch) => {
            for line in patch.split_inclusive('\n') {
                let text = line.strip_suffix('\n').unwrap_or(line);
                let painted = match text.as_bytes().first() {
                    _ if text.starts_with("+++") || text.starts_with("---") => out.paint(Style::Heading, text),
                    Some(b'+') => out.paint(Style::Added, text),
                    Some(b'-') => out.paint(Style::Removed, text),
                    Some(b'@') => out.paint(Style::Faint, text),
                    _ => text.to_owned(),
                };
                out.line(painted)?;
            }
            Ok(())
        }
        None => {
            let kind = kind_word(file.kind);
            let counts = match (file.lines_added, file.lines_removed) {
                (0, 0) => String::new(),
                (added, removed) => format!("  +{} −{}", grouped(added), grouped(removed)),
            };
            out.line(format!("{kind:<8}  {}{old}{counts}", harmless(&file.path)))
        }
    }
}

pub fn change_fields(file: &FileChange, with_patch: bool) -> Vec<(&'static str, serde_json::Value)> {
    let mut fields = vec![
        ("path", json!(file.path)),
        ("old_path", json!(file.old_path)),
        ("kind", json!(kind_word(file.kind))),
        ("lines_added", json!(file.lines_added)),
        ("lines_removed", json!(file.lines_removed)),
    ];
    if with_patch {
        fields.push(("patch", json!(file.patch)));
    }
    fields
}

fn kind_word(kind: FileChangeKind) -> &'static str {
    match kind {
        FileChangeKind::Added => "added",
        FileChangeKind::Removed => "removed",
        FileChangeKind::Changed => "changed",
        FileChangeKind::Renamed => "renamed",
    }
}

pub fn blame(path: &str, at: Option<&str>, out: &mut Output) -> Result<(), Failure> {
    let session = Session::open(Stay::Briefly)?;
    let done = print_blame(&session, path, at, out);
    session.close();
    done
}

fn print_blame(session: &Session, path: &str, at: Option<&str>, out: &mut Output) -> Result<(), Failure> {
    let path = session.file_path(path)?;
    let at = session.moment_or_now(at)?;
    let text = match session.call(Request::FileAt { path: path.clone(), at: at.clone() })? {
        Reply::File(file) => file.text.ok_or_else(|| Failure::refused(format!("“{path}” is not text.")))?,
        other => return Err(unexpected(&other).into()),
    };
    let at = (at != Moment::Now).then_some(at);
    let spans = match session.call(Request::Blame { path, at })? {
        Reply::Blame { spans } => spans,
        other => return Err(unexpected(&other).into()),
    };
    if out.json { print_spans(&spans, &text, out) } else { print_blamed_lines(&spans, &text, out) }
}

fn print_spans(spans: &[BlameSpan], text: &str, out: &mut Output) -> Result<(), Failure> {
    let units: Vec<u16> = text.encode_utf16().collect();
    for span in spans {
        let (start, end) = (span.position as usize, span.position as usize + span.length as usize);
        let stretch = String::from_utf16_lossy(units.get(start..end).unwrap_or_default());
        out.object(&[
            ("position", json!(span.position)),
            ("length", json!(span.length)),
            ("user_id", json!(span.author.name)),
            ("timestamp", json!(rfc3339(span.at_ms))),
            ("id", json!(span.delta_id)),
            ("step", json!(span.index)),
            ("text", json!(stretch)),
        ])?;
    }
    Ok(())
}

/// Each line with the newest change in it.
fn print_blamed_lines(spans: &[BlameSpan], text: &str, out: &mut Output) -> Result<(), Failure> {
    let mut start = 0u32;
    let mut first = 0;
    for (n, line) in text.split_inclusive('\n').enumerate() {
        let end = start + line.encode_utf16().count() as u32;
        while spans.get(first).is_some_and(|span| span.position + span.length <= start) {
            first += 1;
        }
        let newest =
            spans[first..].iter().take_while(|span| span.position < end).max_by_key(|span| (span.at_ms, span.index));
        let (id, author, time) = match newest {
            Some(span) => (short(&span.delta_id), span.author.name.as_str(), out.time(span.at_ms)),
            None => ("", "", String::new()),
        };
        let id = out.paint(Style::Id, &format!("{id:<8}"));
        let who = out.paint(Style::Faint, &format!("{:<10}  {time:<19}  {:>4}", harmless(author), n + 1));
        out.line(format!("{id}  {who}  {}", harmless(line.trim_end_matches('\n'))))?;
        start = end;
    }
    Ok(())
}

pub fn find(text: &str, out: &mut Output) -> Result<(), Failure> {
    let session = Session::open(Stay::Briefly)?;
    let request = Request::FindInHistory { text: text.to_owned(), scope: Scope::Workspace, limit: HITS_MAX };
    let reply = session.call(request);
    session.close();
    let (hits, truncated) = match reply? {
        Reply::Found { hits, truncated } => (hits, truncated),
        other => return Err(unexpected(&other).into()),
    };
    if hits.is_empty() && !out.json {
        return out.line(format!("“{}” was never in this workspace.", harmless(text)));
    }
    hits.iter().try_for_each(|hit| print_hit(hit, out))?;
    if truncated && !out.json {
        out.line(format!("There are more; these are the first {}.", grouped(hits.len() as u64)))?;
    }
    Ok(())
}

fn print_hit(hit: &HistoryHit, out: &mut Output) -> Result<(), Failure> {
    let kind = match hit.kind {
        HistoryHitKind::Appeared => "appeared",
        HistoryHitKind::Vanished => "vanished",
    };
    if out.json {
        return out.object(&[
            ("path", json!(hit.path)),
            ("kind", json!(kind)),
            ("step", json!(hit.index)),
            ("timestamp", json!(rfc3339(hit.at_ms))),
            ("user_id", json!(hit.author.name)),
            ("id", json!(hit.delta_id)),
            ("line", json!(hit.line)),
        ]);
    }
    let time = out.paint(Style::Faint, &format!("{:<19}", out.time(hit.at_ms)));
    let id = out.paint(Style::Id, short(&hit.delta_id));
    let (author, path, line) = (harmless(&hit.author.name), harmless(&hit.path), harmless(hit.line.trim()));
    out.line(format!("{time}  {id}  {author:<10}  {kind}  {path} @{}  {line}", hit.index))
}

pub fn moments(out: &mut Output) -> Result<(), Failure> {
    let session = Session::open(Stay::Briefly)?;
    let reply = session.call(Request::Moments { scope: Scope::Workspace });
    session.close();
    match reply? {
        Reply::Moments { moments } => moments.iter().try_for_each(|moment| print_moment(moment, out)),
        other => Err(unexpected(&other).into()),
    }
}

fn print_moment(moment: &NamedMoment, out: &mut Output) -> Result<(), Failure> {
    if out.json {
        return out.object(&moment_fields(moment));
    }
    let mark = if moment.automatic { "◇" } else { "★" };
    let time = out.paint(Style::Faint, &format!("{:<19}", out.time(moment.at_ms)));
    let id = out.paint(Style::Id, short(&moment.delta_id));
    let note = moment.note.as_deref().map(|note| format!("  {}", harmless(note))).unwrap_or_default();
    out.line(format!("{mark}  {time}  {id}  {:<10}  {}{note}", harmless(&moment.author), harmless(&moment.name)))
}

pub fn moment_fields(moment: &NamedMoment) -> Vec<(&'static str, serde_json::Value)> {
    vec![
        ("id", json!(moment.delta_id)),
        ("name", json!(moment.name)),
        ("note", json!(moment.note)),
        ("automatic", json!(moment.automatic)),
        ("timestamp", json!(rfc3339(moment.at_ms))),
        ("user_id", json!(moment.author)),
        ("step", json!(moment.index)),
    ]
}
