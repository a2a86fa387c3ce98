//! `codesync watch`: follows the folder until stopped, and says what happens. When another process has the
//! workspace it does the following; should that one end, this one takes over.

use crate::chat;
use crate::failure::Failure;
use crate::history::moment_fields;
use crate::output::{Output, Style, harmless, rfc3339};
use crate::people::{Told, tell_people};
use crate::session::{Session, Stay};
use crate::stop::Stop;
use codesync_api::{Event, Request, SaveKind};
use serde_json::json;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

/// How soon a signal is noticed.
const NOTICE_WAIT: Duration = Duration::from_millis(100);

/// `connect`: addresses of others to stay connected with.
pub fn watch(connect: &[String], out: &mut Output) -> Result<(), Failure> {
    let stop = Stop::on_signals()?;
    let mut is_first = true;
    loop {
        let session = Session::open(Stay::Serving)?;
        if is_first {
            let root = session.root().display().to_string();
            let sentence = format!("Following {}. Press Ctrl+C to stop.", harmless(&root));
            out.say(&sentence, &[("event", json!("following")), ("root", json!(root))])?;
            out.flush()?;
            is_first = false;
        }
        for address in connect {
            session.call(Request::Connect { address: address.clone() })?;
        }
        let ended = follow(&session, &stop, out);
        let over = ended.is_err() || stop.is_wanted();
        let flushed = if stop.is_wanted() { session.flush() } else { Ok(()) };
        session.close();
        if over {
            return ended.and(flushed);
        }
    }
}

/// Prints events until a signal comes or the workspace's process ends.
fn follow(session: &Session, stop: &Stop, out: &mut Output) -> Result<(), Failure> {
    let events = session.subscribe();
    let (mut last_trouble, mut told) = (None, Told::default());
    while !stop.is_wanted() {
        match events.recv_timeout(NOTICE_WAIT) {
            Ok(Event::Together(together)) => {
                tell_people(&mut told, &together, out)?;
                out.flush()?;
            }
            Ok(event) => {
                print_event(&event, &mut last_trouble, out)?;
                out.flush()?;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
    Ok(())
}

fn print_event(event: &Event, last_trouble: &mut Option<String>, out: &mut Output) -> Result<(), Failure> {
    match event {
        Event::Act(act) => {
            let time = out.paint(Style::Faint, &out.time(act.at_ms));
            let fields = [
                ("event", json!("act")),
                ("timestamp", json!(rfc3339(act.at_ms))),
                ("user_id", json!(act.author)),
                ("sentence", json!(act.sentence)),
                ("group_id", json!(act.group_id)),
                ("n_files", json!(act.n_files)),
                ("paths", json!(act.paths)),
            ];
            out.say(&format!("{time}  {}", harmless(&act.sentence)), &fields)
        }
        Event::HistoryGrew { n_moments, paths } if out.json => {
            out.object(&[("event", json!("history")), ("n_moments", json!(n_moments)), ("paths", json!(paths))])
        }
        Event::HistoryGrew { paths, .. } if !paths.is_empty() => {
            let shown = paths.iter().take(3).map(|path| harmless(path)).collect::<Vec<_>>().join(", ");
            let more = if paths.len() > 3 { format!(" and {} more", paths.len() - 3) } else { String::new() };
            let now = jiff::Timestamp::now().as_millisecond();
            let time = out.paint(Style::Faint, &out.time(u64::try_from(now).unwrap_or(0)));
            out.line(format!("{time}  {shown}{more}"))
        }
        Event::Message(message) => chat::print(message, out),
        Event::MomentNamed(moment) => {
            let mark = if moment.automatic { "◇" } else { "★" };
            let time = out.paint(Style::Faint, &out.time(moment.at_ms));
            let mut fields = vec![("event", json!("moment"))];
            fields.extend(moment_fields(moment));
            out.say(&format!("{time}  {mark} {}", harmless(&moment.name)), &fields)
        }
        Event::Notice(notice) => {
            let fields = [
                ("event", json!("notice")),
                ("title", json!(notice.title)),
                ("body", json!(notice.body)),
                ("path", json!(notice.path)),
            ];
            out.say(&format!("{} {}", harmless(&notice.title), harmless(&notice.body)), &fields)
        }
        Event::SaveState(state) => {
            let trouble = state.message.clone().filter(|_| !matches!(state.kind, SaveKind::Saved | SaveKind::Saving));
            let is_news = trouble.is_some() && trouble != *last_trouble;
            last_trouble.clone_from(&trouble);
            match trouble.filter(|_| is_news) {
                Some(sentence) => {
                    out.say(&harmless(&sentence), &[("event", json!("trouble")), ("sentence", json!(sentence))])
                }
                None => Ok(()),
            }
        }
        Event::HistoryGrew { .. }
        | Event::ViewPatch(_)
        | Event::ViewAck { .. }
        | Event::ViewSnapshot(_)
        | Event::ViewMoved { .. }
        | Event::TreeChanged { .. }
        | Event::WaitingForSave { .. }
        | Event::Together(_)
        | Event::Presence(_)
        | Event::Signalled { .. }
        | Event::Merged(_) => Ok(()),
    }
}
