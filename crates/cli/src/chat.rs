//! `codesync chat`: what people say to each other. Sends, lists, and prints what comes.

use crate::failure::Failure;
use crate::output::{Output, Style, harmless, rfc3339};
use crate::session::{Session, Stay};
use crate::stop::Stop;
use crate::unexpected;
use codesync_api::{ChatLink, ChatMessage, Event, Reply, Request};
use serde_json::json;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// How soon a signal is noticed.
const NOTICE_WAIT: Duration = Duration::from_millis(100);
/// Messages that are listed.
const LISTED_MAX: u32 = 50;
/// Messages that may be missed while the workspace changes hands.
const MISSED_MAX: u32 = 200;

pub fn chat(message: Option<&str>, is_followed: bool, out: &mut Output) -> Result<(), Failure> {
    if is_followed {
        return follow(message, out);
    }
    let session = Session::open(Stay::Briefly)?;
    match message {
        Some(text) => {
            send(&session, text)?;
            out.say("Sent.", &[("event", json!("sent"))])
        }
        None => list(&session, LISTED_MAX)?.iter().try_for_each(|message| print(message, out)),
    }
}

/// Prints what was said last and then what comes, until stopped. When the process that has the workspace ends, this one
/// takes over.
fn follow(message: Option<&str>, out: &mut Output) -> Result<(), Failure> {
    let stop = Stop::on_signals()?;
    let (mut to_send, mut newest) = (message, None);
    loop {
        let session = Session::open(Stay::Serving)?;
        let events = session.subscribe();
        if let Some(text) = to_send.take() {
            send(&session, text)?;
        }
        let n_max = if newest.is_none() { LISTED_MAX } else { MISSED_MAX };
        let listed = list(&session, n_max)?;
        let n_known =
            listed.iter().rposition(|message| newest.as_ref() == Some(&message.delta_id)).map_or(0, |at| at + 1);
        for message in &listed[n_known..] {
            print(message, out)?;
        }
        newest = listed.last().map(|message| message.delta_id.clone()).or(newest);
        out.flush()?;
        // What was told meanwhile stands in the list.
        let known: Vec<String> = listed.into_iter().map(|message| message.delta_id).collect();
        let ended = print_coming(&events, &stop, &known, &mut newest, out);
        session.close();
        if ended.is_err() || stop.is_wanted() {
            return ended;
        }
    }
}

fn print_coming(
    events: &Receiver<Event>,
    stop: &Stop,
    known: &[String],
    newest: &mut Option<String>,
    out: &mut Output,
) -> Result<(), Failure> {
    while !stop.is_wanted() {
        match events.recv_timeout(NOTICE_WAIT) {
            Ok(Event::Message(message)) if !known.contains(&message.delta_id) => {
                print(&message, out)?;
                out.flush()?;
                *newest = Some(message.delta_id);
            }
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
    Ok(())
}

fn send(session: &Session, text: &str) -> Result<(), Failure> {
    session.call(Request::SendMessage { text: text.to_owned(), link: None }).map(drop)
}

fn list(session: &Session, limit: u32) -> Result<Vec<ChatMessage>, Failure> {
    match session.call(Request::ListMessages { before: None, limit })? {
        Reply::Messages { messages, .. } => Ok(messages),
        other => Err(unexpected(&other).into()),
    }
}

/// One message.
pub fn print(message: &ChatMessage, out: &mut Output) -> Result<(), Failure> {
    let link = match &message.link {
        None => None,
        Some(ChatLink::Code { path, line }) => Some(json!({"kind": "code", "path": path, "line": line})),
        Some(ChatLink::Moment { at_ms, workspace_index }) => {
            Some(json!({"kind": "moment", "timestamp": rfc3339(*at_ms), "moment": format!("@{workspace_index}")}))
        }
    };
    if out.json {
        return out.object(&[
            ("event", json!("message")),
            ("id", json!(message.delta_id)),
            ("timestamp", json!(rfc3339(message.at_ms))),
            ("user_id", json!(message.person)),
            ("device", json!(message.device)),
            ("is_self", json!(message.is_self)),
            ("text", json!(message.text)),
            ("link", json!(link)),
        ]);
    }
    let time = out.paint(Style::Faint, &out.time(message.at_ms));
    let person = out.paint(Style::Heading, &harmless(&message.person));
    let link = match &message.link {
        None => String::new(),
        Some(ChatLink::Code { path, line }) => format!("  ({}:{line})", harmless(path)),
        Some(ChatLink::Moment { at_ms, .. }) => format!("  ({})", out.time(*at_ms)),
    };
    let text = message.text.lines().map(harmless).collect::<Vec<_>>().join("\n    ");
    out.line(format!("{time}  {person}: {text}{}", out.paint(Style::Faint, &link)))
}
