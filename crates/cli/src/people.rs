//! Other people: inviting, joining, who takes part, roles. The workspace decides; here is only what is typed and said.

use crate::args::RoleArgument;
use crate::failure::Failure;
use crate::output::{Output, harmless};
use crate::session::{Session, Stay};
use crate::stop::Stop;
use crate::unexpected;
use codesync_api::{
    Acquaintance, AskAnswer, Asking, Event, Invitation, InvitationState, LinkState, Member, Notice, Reply, Request,
    Role, Status, Together,
};
use codesync_node::{JoinOptions, Node, Options};
use serde_json::json;
use std::path::Path;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// How soon a signal is noticed.
const NOTICE_WAIT: Duration = Duration::from_millis(100);
/// How often it is looked whether a code still holds.
const LOOK_WAIT: Duration = Duration::from_secs(1);
/// How long nothing of the first history may come.
const FIRST_WAIT: Duration = Duration::from_secs(30);

impl From<RoleArgument> for Role {
    fn from(typed: RoleArgument) -> Self {
        match typed {
            RoleArgument::Owner => Role::Owner,
            RoleArgument::Editor => Role::Editor,
            RoleArgument::Viewer => Role::Viewer,
        }
    }
}

pub fn word(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Editor => "editor",
        Role::Viewer => "viewer",
    }
}

/// Shows a code and stays until somebody came in with it, or it stands no more. A process that has the workspace itself
/// goes on until it is stopped: who came in gets the history from it.
pub fn invite(role: RoleArgument, is_long: bool, share_past: bool, out: &mut Output) -> Result<(), Failure> {
    let stop = Stop::on_signals()?;
    let session = Session::open(Stay::Serving)?;
    let invitation = match session.call(Request::Invite { role: role.into(), is_long, share_past })? {
        Reply::Invitation(invitation) => invitation,
        other => return Err(unexpected(&other).into()),
    };
    // What was told before knows nothing of this code.
    let events = session.subscribe();
    say_invitation(&session, &invitation, share_past, out)?;
    let people = Told { members: members(&session)?.members, ..Told::default() };
    let mut told = State {
        code: invitation.code,
        invitation: InvitationState::Open,
        n_wrong: 0,
        is_gone: false,
        is_another: false,
        people,
    };
    let mut looked = Instant::now();
    while !stop.is_wanted() {
        match events.recv_timeout(NOTICE_WAIT) {
            Ok(Event::Together(together)) => told.tell(&together, out)?,
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        // Whoever has the workspace after another process tells nothing of a code that it never had.
        if looked.elapsed() >= LOOK_WAIT {
            told.tell(&members(&session)?, out)?;
            looked = Instant::now();
        }
        let is_over = told.is_gone || told.invitation != InvitationState::Open;
        // Whoever came in gets the history from here, and another code is this process's, too.
        let is_needed = session.is_owner() && (told.is_another || told.invitation == InvitationState::Used);
        if is_over && !is_needed {
            return told.end();
        }
    }
    // Another's code is not ended.
    if told.invitation == InvitationState::Open && told.is_shown_by(&members(&session)?) {
        session.call(Request::EndInvitation)?;
    }
    session.flush()?;
    told.end()
}

/// What was said already.
struct State {
    /// The one that was shown.
    code: String,
    invitation: InvitationState,
    n_wrong: u32,
    /// It holds no more, and nobody came in with it.
    is_gone: bool,
    /// Another code holds instead.
    is_another: bool,
    people: Told,
}

impl State {
    fn tell(&mut self, together: &Together, out: &mut Output) -> Result<(), Failure> {
        tell_people(&mut self.people, together, out)?;
        let Some(invitation) = together.invitation.as_ref().filter(|_| self.is_shown_by(together)) else {
            return self.tell_gone(together, out);
        };
        if invitation.n_wrong > self.n_wrong {
            self.n_wrong = invitation.n_wrong;
            let from = invitation.wrong_from.as_ref().map(|from| format!(" at {from}")).unwrap_or_default();
            let fields = [("event", json!("wrongCode")), ("address", json!(invitation.wrong_from))];
            out.say(&format!("Somebody{from} tried the code with a wrong word."), &fields)?;
        }
        if invitation.state != self.invitation {
            self.invitation = invitation.state;
            let (sentence, word) = match invitation.state {
                InvitationState::Open => return Ok(()),
                InvitationState::Used => ("The code was used.", "used"),
                InvitationState::SwitchedOff => ("The code is switched off after three wrong tries.", "switchedOff"),
                InvitationState::RunOut => ("The code ran out.", "runOut"),
            };
            out.say(sentence, &[("event", json!("invitation")), ("state", json!(word))])?;
        }
        out.flush()
    }

    fn is_shown_by(&self, together: &Together) -> bool {
        together.invitation.as_ref().is_some_and(|invitation| invitation.code == self.code)
    }

    /// Another code took the place of the one that was shown, or whoever has the workspace now has none.
    fn tell_gone(&mut self, together: &Together, out: &mut Output) -> Result<(), Failure> {
        let was_gone = std::mem::replace(&mut self.is_gone, self.invitation == InvitationState::Open);
        self.is_another = together.invitation.is_some();
        if self.is_gone && !was_gone {
            let state = if self.is_another { "replaced" } else { "gone" };
            out.say("This code holds no more.", &[("event", json!("invitation")), ("state", json!(state))])?;
        }
        out.flush()
    }

    fn end(&self) -> Result<(), Failure> {
        if self.is_gone { Err(Failure::refused("Nobody came in with this code.")) } else { Ok(()) }
    }
}

fn say_invitation(
    session: &Session,
    invitation: &Invitation,
    shares_past: bool,
    out: &mut Output,
) -> Result<(), Failure> {
    let addresses = members(session)?.addresses;
    let fields = [
        ("event", json!("invited")),
        ("code", json!(invitation.code)),
        ("role", json!(word(invitation.role))),
        ("shares_past", json!(shares_past)),
        ("until_ms", json!(invitation.until_ms)),
        ("addresses", json!(addresses)),
    ];
    let mut sentence = invited(invitation, shares_past, &out.time(invitation.until_ms));
    if let Some(address) = addresses.iter().find(|address| !address.starts_with('[')) {
        sentence += &format!("\nIf it finds nobody:     codesync join --address {address} {}", invitation.code);
    }
    out.say(&sentence, &fields)?;
    out.flush()
}

fn invited(invitation: &Invitation, shares_past: bool, until: &str) -> String {
    let (code, role) = (&invitation.code, word(invitation.role));
    let get = gets(shares_past);
    format!(
        "Say this code, or send it:  {code}\nIt works once, until {until}. They join as {role} and get {get}.\n\
         On the other computer:  codesync join {code}"
    )
}

/// What whoever comes in gets.
fn gets(shares_past: bool) -> &'static str {
    if shares_past { "the whole history" } else { "the files as they are now and what comes from then on" }
}

/// Comes into a workspace with a code, and stays until its history is here.
pub fn join(code: &str, dir: Option<&Path>, address: Option<&str>, out: &mut Output) -> Result<(), Failure> {
    let options = JoinOptions {
        code: code.to_owned(),
        address: address.map(str::to_owned),
        folder: dir.map(Path::to_path_buf),
        person: None,
        port: 0,
    };
    let joined = codesync_node::join(&options)?;
    say_let_in(&joined.root.to_string_lossy(), &joined.name, &joined.person, joined.role, out)?;
    arrive(&joined.root, out)
}

/// Asks somebody nearby to be let in, and stays until the history is here.
pub fn join_by_asking(name: &str, dir: Option<&Path>, out: &mut Output) -> Result<(), Failure> {
    let root = crate::nearby::ask(name, dir, out)?;
    arrive(&root, out)
}

pub fn say_let_in(root: &str, name: &str, person: &str, role: Role, out: &mut Output) -> Result<(), Failure> {
    let fields = [
        ("event", json!("letIn")),
        ("name", json!(name)),
        ("person", json!(person)),
        ("role", json!(word(role))),
        ("root", json!(root)),
    ];
    out.say(&format!("{} let you into “{}” as {}.", harmless(person), harmless(name), word(role)), &fields)?;
    out.flush()
}

/// Stays until the history of a workspace that was joined is here.
fn arrive(root: &Path, out: &mut Output) -> Result<(), Failure> {
    let node = Node::open(root, Options { watch: true, create: true, ..Options::default() })?;
    let fetched = fetch(&node);
    node.call(Request::Flush)?;
    let status = status(&node)?;
    node.close();
    status.notices.iter().try_for_each(|notice| say_notice(notice, out))?;
    let shown = harmless(&root.display().to_string());
    match fetched? {
        true => out.say(
            &format!("Everything is in {shown}. To work together, open it, or run “codesync serve” there."),
            &[("event", json!("joined")), ("root", json!(root))],
        ),
        false => Err(Failure::refused(format!(
            "You are in, but the history did not come yet. Run “codesync serve” in {shown} to go on."
        ))),
    }
}

fn say_notice(notice: &Notice, out: &mut Output) -> Result<(), Failure> {
    let fields = [
        ("event", json!("notice")),
        ("id", json!(notice.id)),
        ("title", json!(notice.title)),
        ("body", json!(notice.body)),
    ];
    out.say(&format!("Note: {} {}", harmless(&notice.title), harmless(&notice.body)), &fields)
}

/// Waits until all that the others have is here. False when nothing came for too long.
fn fetch(node: &Node) -> Result<bool, Failure> {
    let events = node.subscribe();
    let store_bytes = || status(node).map(|status| status.history_bytes);
    let mut wait = Wait { since: Instant::now(), link: LinkState::Alone, store_bytes: store_bytes()? };
    loop {
        let link = match node.call(Request::Together)? {
            Reply::Together(together) => together.link,
            other => return Err(unexpected(&other).into()),
        };
        if matches!(link, LinkState::Live { .. }) && has_history(node)? {
            return Ok(true);
        }
        if wait.is_in_vain(link, Instant::now(), store_bytes)? {
            return Ok(false);
        }
        match events.recv_timeout(NOTICE_WAIT) {
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(false),
        }
    }
}

/// Since when nothing came.
struct Wait {
    since: Instant,
    link: LinkState,
    store_bytes: u64,
}

impl Wait {
    /// What the store has is only asked for when nothing else says that something comes: it is looked for on disk.
    fn is_in_vain(
        &mut self,
        link: LinkState,
        now: Instant,
        store_bytes: impl Fn() -> Result<u64, Failure>,
    ) -> Result<bool, Failure> {
        if link != self.link {
            (self.since, self.link) = (now, link);
        }
        if now.duration_since(self.since) <= FIRST_WAIT {
            return Ok(false);
        }
        // As long as contents come, no change does that needs them.
        let before = std::mem::replace(&mut self.store_bytes, store_bytes()?);
        self.since = now;
        Ok(before == self.store_bytes)
    }
}

fn has_history(node: &Node) -> Result<bool, Failure> {
    // Whoever is told nothing of the past may have files and no history yet.
    status(node).map(|status| status.n_moments > 0 || status.n_files > 0)
}

fn status(node: &Node) -> Result<Status, Failure> {
    match node.call(Request::Status)? {
        Reply::Status(status) => Ok(status),
        other => Err(unexpected(&other).into()),
    }
}

pub fn list(out: &mut Output) -> Result<(), Failure> {
    let session = Session::open(Stay::Briefly)?;
    for member in members(&session)?.members {
        say_member(&member, out)?;
    }
    Ok(())
}

pub fn digest(out: &mut Output) -> Result<(), Failure> {
    match Session::open(Stay::Briefly)?.call(Request::Digest)? {
        Reply::Digest(digest) => {
            let fields = [
                ("digest", json!(digest.hex)),
                ("history", json!(digest.history)),
                ("tree", json!(digest.tree)),
                ("texts", json!(digest.texts)),
                ("timeline", json!(digest.timeline)),
                ("n_files", json!(digest.n_files)),
                ("n_deltas", json!(digest.n_deltas)),
            ];
            out.say(&digest.hex, &fields)
        }
        other => Err(unexpected(&other).into()),
    }
}

pub fn set_role(person: &str, role: RoleArgument, out: &mut Output) -> Result<(), Failure> {
    let session = Session::open(Stay::Briefly)?;
    let member = find(&session, person)?;
    session.call(Request::SetRole { device: member.device.clone(), role: role.into() })?;
    let (name, role) = (harmless(&member.person), word(role.into()));
    let fields = [("event", json!("role")), ("device", json!(member.device)), ("role", json!(role))];
    out.say(&format!("{name} is now {role}."), &fields)
}

pub fn remove(person: &str, out: &mut Output) -> Result<(), Failure> {
    let session = Session::open(Stay::Briefly)?;
    let member = find(&session, person)?;
    session.call(Request::RemoveMember { device: member.device.clone() })?;
    let sentence = format!(
        "{} gets nothing more from now on, and nothing more comes from there. The copy already received stays there.",
        harmless(&member.person)
    );
    out.say(&sentence, &[("event", json!("removed")), ("device", json!(member.device))])
}

/// Who asks to come in; with the two words, answers whoever is shown them.
pub fn answer(words: Option<&str>, answer: AskAnswer, out: &mut Output) -> Result<(), Failure> {
    let session = Session::open(Stay::Briefly)?;
    let asking = members(&session)?.asking;
    let Some(words) = words else {
        if asking.is_empty() && !out.json {
            return out.line("Nobody asks.");
        }
        return asking.iter().try_for_each(|asking| say_asking(asking, out));
    };
    // Names are what strangers say. The words are ours, name one who asks, and show that they were looked at.
    let Some(asking) = asking.iter().find(|asking| asking.words.join("-") == words) else {
        return Err(Failure::refused(format!("Nobody asks who is shown “{words}”. “codesync answer” lists who does.")));
    };
    session.call(Request::AnswerAsk { id: asking.id, answer })?;
    let name = harmless(&asking.person);
    let mut shares_past = json!(null);
    let (sentence, word) = match answer {
        AskAnswer::LetIn { role, share_past, .. } => {
            shares_past = json!(share_past);
            (format!("{name} may come in as {} and gets {}.", self::word(role), gets(share_past)), "letIn")
        }
        AskAnswer::NotNow => (format!("{name} hears that it is not possible now."), "notNow"),
        AskAnswer::WordsDiffer => ("Nothing was shared.".to_owned(), "wordsDiffer"),
    };
    let fields = [
        ("event", json!("answered")),
        ("answer", json!(word)),
        ("person", json!(asking.person)),
        ("words", json!(asking.words)),
        ("shares_past", shares_past),
    ];
    out.say(&sentence, &fields)
}

fn say_asking(asking: &Asking, out: &mut Output) -> Result<(), Failure> {
    let fields = [
        ("event", json!("asking")),
        ("person", json!(asking.person)),
        ("device_name", json!(asking.device_name)),
        ("address", json!(asking.address)),
        ("words", json!(asking.words)),
        ("until_ms", json!(asking.until_ms)),
        ("acquaintance", json!(asking.acquaintance)),
    ];
    let name = harmless(&asking.person);
    let [first, second] = &asking.words;
    let check = match asking.acquaintance {
        Acquaintance::Known => "You know this computer.".to_owned(),
        Acquaintance::New => format!("Their screen has to show:  {first}  {second}"),
        Acquaintance::OtherKey => {
            format!("This is not the computer you know as “{name}”. Their screen has to show:  {first}  {second}")
        }
    };
    let sentence = format!(
        "{name} ({}, {}) asks to come in. {check}\nTo answer:  codesync answer {first}-{second}",
        harmless(&asking.device_name),
        asking.address
    );
    out.say(&sentence, &fields)
}

/// Says who came, went, asks, or became something else.
pub fn tell_people(told: &mut Told, together: &Together, out: &mut Output) -> Result<(), Failure> {
    for asking in together.asking.iter().filter(|asking| !told.asking.contains(&asking.id)) {
        say_asking(asking, out)?;
    }
    told.asking = together.asking.iter().map(|asking| asking.id).collect();
    tell_members(&mut told.members, together, out)
}

/// What was said already of the people of a workspace.
#[derive(Default)]
pub struct Told {
    members: Vec<Member>,
    asking: Vec<u64>,
}

fn tell_members(told: &mut Vec<Member>, together: &Together, out: &mut Output) -> Result<(), Failure> {
    for member in together.members.iter().filter(|member| !member.is_self) {
        let before = told.iter().find(|known| known.device == member.device);
        let was_there = before.is_some_and(|known| known.is_connected);
        let name = harmless(&member.person);
        let fields = |event: &str| {
            vec![("event", json!(event)), ("person", json!(member.person)), ("device", json!(member.device))]
        };
        if before.is_none() {
            out.say(&format!("{name} was let in."), &fields("letIn"))?;
        }
        if member.is_connected && !was_there {
            out.say(&format!("{name} is here."), &fields("here"))?;
        }
        if !member.is_connected && was_there {
            let (sentence, event) = match member.left_ms {
                // MSG-PEER-3
                Some(_) => (format!("{name} left."), "left"),
                None => (format!("{name} is gone."), "gone"),
            };
            out.say(&sentence, &fields(event))?;
        }
    }
    told.clone_from(&together.members);
    Ok(())
}

fn say_member(member: &Member, out: &mut Output) -> Result<(), Failure> {
    let role = member.role.map_or("removed", word);
    let state = match (member.is_self, member.is_connected) {
        (true, _) => "you".to_owned(),
        (false, true) => match member.n_behind {
            0 => "here, has everything".to_owned(),
            n => format!("here, {n} changes behind"),
        },
        (false, false) if member.left_ms.is_some() => "left".to_owned(),
        (false, false) => "not connected".to_owned(),
    };
    let fields = [
        ("person", json!(member.person)),
        ("device", json!(member.device)),
        ("role", json!(role)),
        ("is_self", json!(member.is_self)),
        ("is_connected", json!(member.is_connected)),
        ("device_name", json!(member.device_name)),
        ("last_seen_ms", json!(member.last_seen_ms)),
        ("left_ms", json!(member.left_ms)),
        ("other_version", json!(member.other_version)),
        ("round_trip_us", json!(member.round_trip_us)),
        ("address", json!(member.address)),
        ("n_behind", json!(member.n_behind)),
    ];
    out.say(&format!("{:<20} {role:<8} {state}", harmless(&member.person)), &fields)
}

fn members(session: &Session) -> Result<Together, Failure> {
    match session.call(Request::Together)? {
        Reply::Together(together) => Ok(together),
        other => Err(unexpected(&other).into()),
    }
}

/// A member by name, or by the beginning of the device's key.
fn find(session: &Session, person: &str) -> Result<Member, Failure> {
    let members = members(session)?.members;
    let is_meant =
        |member: &&Member| member.person == person || (person.len() >= 6 && member.device.starts_with(person));
    let meant: Vec<&Member> = members.iter().filter(is_meant).collect();
    match meant[..] {
        [member] => Ok(member.clone()),
        [] => Err(Failure::refused(format!("Nobody here is called “{person}”."))),
        _ => Err(Failure::refused(format!(
            "There are {} devices of “{person}”. Say which by the beginning of its key: {}.",
            meant.len(),
            meant.iter().map(|member| &member.device[..8]).collect::<Vec<_>>().join(", ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_they_get_is_said_as_it_is() {
        let invitation = Invitation {
            code: "7-crossover-clockwork".into(),
            role: Role::Viewer,
            until_ms: 0,
            n_wrong: 0,
            wrong_from: None,
            state: InvitationState::Open,
        };
        let said = |shares_past| invited(&invitation, shares_past, "14:10").lines().nth(1).unwrap().to_owned();
        assert_eq!(said(true), "It works once, until 14:10. They join as viewer and get the whole history.");
        assert_eq!(
            said(false),
            "It works once, until 14:10. They join as viewer and get the files as they are now and what comes from then \
             on."
        );
    }

    #[test]
    fn as_long_as_anything_comes_it_is_waited_for() {
        let began = Instant::now();
        let mut wait = Wait { since: began, link: LinkState::Alone, store_bytes: 0 };
        let mut is_in_vain = |n: u32, n_left: u64, bytes: u64| {
            let link = LinkState::CatchingUp { n_left, n_all: 9 };
            wait.is_in_vain(link, began + FIRST_WAIT * n / 4, || Ok(bytes)).unwrap()
        };
        // Changes come, then a long content alone, then nothing.
        let steps = [(3, 9, 10), (6, 8, 10), (11, 8, 20), (16, 8, 30), (20, 8, 30)];
        assert_eq!(steps.map(|(n, n_left, bytes)| is_in_vain(n, n_left, bytes)), [false; 5]);
        assert!(is_in_vain(21, 8, 30));
    }
}
