//! Who is on the network, and asking one of them to be let in. The lobby does it; here is only what is said.

use crate::failure::Failure;
use crate::output::{Output, harmless};
use crate::people;
use crate::stop::Stop;
use codesync_api::{AppEvent, Joining, Nearby, NearbyPerson};
use codesync_node::{Lobby, person_name};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How soon a signal is noticed.
const NOTICE_WAIT: Duration = Duration::from_millis(100);
/// How long somebody who is asked for is looked for.
const SEARCH_MAX: Duration = Duration::from_secs(20);

/// Lists who is found within `seconds`; with `follow` says who comes and goes until it is stopped.
pub fn nearby(seconds: u64, follow: bool, out: &mut Output) -> Result<(), Failure> {
    let stop = Stop::on_signals()?;
    let (lobby, events) = enter()?;
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut told = Vec::new();
    while !stop.is_wanted() && (follow || Instant::now() < until) {
        let news = next(&events)?;
        if let (true, Some(AppEvent::Nearby(nearby))) = (follow, news) {
            tell_news(&mut told, &nearby, out)?;
            out.flush()?;
        }
    }
    if follow {
        return Ok(());
    }
    let found = lobby.nearby();
    if found.people.is_empty() && !out.json {
        out.line("Nobody found. Both computers need the same network, and guest or office Wi-Fi may hide them.")?;
    }
    found.people.iter().try_for_each(|person| say(person, out))
}

/// Asks somebody nearby to be let in, by their name or that of what they share. Returns where the copy is to be.
pub fn ask(name: &str, dir: Option<&Path>, out: &mut Output) -> Result<PathBuf, Failure> {
    let stop = Stop::on_signals()?;
    let (lobby, events) = enter()?;
    let found = find(name, &lobby, &events, &stop)?;
    let shared = found.shares.as_ref().map_or("", |shared| &shared.name);
    let here = std::env::current_dir().unwrap_or_default();
    let folder = dir.map_or_else(|| codesync_node::free_folder(&here, shared), |dir| here.join(dir));
    lobby.ask(&found.peer, folder)?;
    loop {
        if stop.is_wanted() {
            lobby.cancel();
            return Err(Failure::refused("You asked no longer.".to_owned()));
        }
        let Some(AppEvent::Joining(joining)) = next(&events)? else { continue };
        match joining {
            Joining::Searching => {}
            Joining::Waiting { person, words, until_ms } => {
                let fields = [
                    ("event", json!("waiting")),
                    ("person", json!(person)),
                    ("words", json!(words)),
                    ("until_ms", json!(until_ms)),
                ];
                let sentence = format!(
                    "Waiting for {}. Check these two words together:  {}  {}\nIf they differ, press Ctrl+C.",
                    harmless(&person),
                    words[0],
                    words[1]
                );
                out.say(&sentence, &fields)?;
                out.flush()?;
            }
            Joining::Joined { root, name, person, role } => {
                people::say_let_in(&root, &name, &person, role, out)?;
                return Ok(root.into());
            }
            Joining::Failed { sentence, .. } => return Err(Failure::refused(sentence)),
            Joining::Cancelled => return Err(Failure::refused("You asked no longer.".to_owned())),
        }
    }
}

fn enter() -> Result<(Lobby, Receiver<AppEvent>), Failure> {
    let (sender, events) = mpsc::channel();
    // When nobody listens any more, the command is over.
    let lobby = Lobby::start(&person_name(), move |event| sender.send(event).unwrap_or_default())?;
    lobby.look_around();
    Ok((lobby, events))
}

/// What is told next; none when nothing is for a moment.
fn next(events: &Receiver<AppEvent>) -> Result<Option<AppEvent>, Failure> {
    match events.recv_timeout(NOTICE_WAIT) {
        Ok(event) => Ok(Some(event)),
        Err(RecvTimeoutError::Timeout) => Ok(None),
        Err(RecvTimeoutError::Disconnected) => Err(Failure::refused("The network is gone.")),
    }
}

/// The one who is meant, once they share something.
fn find(name: &str, lobby: &Lobby, events: &Receiver<AppEvent>, stop: &Stop) -> Result<NearbyPerson, Failure> {
    let until = Instant::now() + SEARCH_MAX;
    let is_meant = |person: &NearbyPerson| {
        let shares = person.shares.as_ref().is_some_and(|shared| shared.name == name);
        shares || person.person == name || (name.len() >= 6 && person.device.starts_with(name))
    };
    let mut is_there = false;
    while !stop.is_wanted() && Instant::now() < until {
        let people = lobby.nearby().people;
        is_there = people.iter().any(is_meant);
        let meant: Vec<&NearbyPerson> =
            people.iter().filter(|person| is_meant(person) && person.shares.is_some()).collect();
        match meant[..] {
            [] => drop(next(events)?),
            [person] => return Ok(person.clone()),
            _ => {
                return Err(Failure::refused(format!(
                    "“{name}” is not one alone. Say which by the name of the workspace, or by the beginning of the \
                     device's key; “codesync nearby --json” lists them."
                )));
            }
        }
    }
    Err(Failure::refused(match is_there {
        true => format!("“{name}” is here, and shares nothing that can be asked for."),
        false => format!("“{name}” was not found. With a code and an address it works even then."),
    }))
}

/// Says who came, went, or shares something else.
fn tell_news(told: &mut Vec<NearbyPerson>, nearby: &Nearby, out: &mut Output) -> Result<(), Failure> {
    for person in nearby.people.iter().filter(|person| !told.contains(person)) {
        say(person, out)?;
    }
    for gone in told.iter().filter(|known| !nearby.people.iter().any(|person| person.device == known.device)) {
        let fields = [("event", json!("gone")), ("person", json!(gone.person)), ("device", json!(gone.device))];
        out.say(&format!("{:<20} gone", harmless(&gone.person)), &fields)?;
    }
    told.clone_from(&nearby.people);
    Ok(())
}

fn say(person: &NearbyPerson, out: &mut Output) -> Result<(), Failure> {
    let shares = match &person.shares {
        None => "not sharing".to_owned(),
        Some(shared) => {
            let people = if shared.n_people == 1 { "person" } else { "people" };
            let invites = if person.invites { ", invites you" } else { "" };
            format!("sharing “{}” · {} {people}{invites}", harmless(&shared.name), shared.n_people)
        }
    };
    let fields = [
        ("event", json!("nearby")),
        ("person", json!(person.person)),
        ("device_name", json!(person.device_name)),
        ("device", json!(person.device)),
        ("address", json!(person.address)),
        ("peer", json!(person.peer)),
        ("acquaintance", json!(person.acquaintance)),
        ("shares", json!(person.shares.as_ref().map(|shared| &shared.name))),
        ("n_people", json!(person.shares.as_ref().map(|shared| shared.n_people))),
        ("is_joined", json!(person.shares.as_ref().is_some_and(|shared| shared.is_joined))),
        ("invites", json!(person.invites)),
    ];
    let sentence = format!("{:<20} {:<20} {shares}", harmless(&person.person), harmless(&person.device_name));
    out.say(&sentence, &fields)
}
