//! How people find each other and come in: real `codesync` processes on hosts with real multicast (`codesync_lan`). One
//! argument names the scenarios to run.

#[path = "lan/person.rs"]
mod person;

use anyhow::{Context, Result, ensure};
use codesync_api::{Acquaintance, AskAnswer, Asking, Event, LinkState, Member, Reply, Request, Role, Together};
use codesync_lan::{Lan, Scenario};
use codesync_node::{Node, Options};
use person::{Person, Staying, read, wait_until};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

fn main() -> Result<()> {
    codesync_lan::run_scenarios(SCENARIOS)
}

const SCENARIOS: &[Scenario] = &[
    ("who_is_nearby_and_what_they_share_is_seen_at_once", who_is_nearby_and_what_they_share_is_seen_at_once),
    ("asking_lets_in_once_the_words_are_the_same", asking_lets_in_once_the_words_are_the_same),
    ("who_is_turned_away_gets_nothing", who_is_turned_away_gets_nothing),
    ("who_wants_not_to_be_seen_is_not", who_wants_not_to_be_seen_is_not),
    ("who_pauses_or_leaves_sees_it_and_can_go_on", who_pauses_or_leaves_sees_it_and_can_go_on),
    ("what_is_not_accepted_is_kept_and_told_to_every_window", what_is_not_accepted_is_kept_and_told_to_every_window),
];

/// Asha at a workspace that she shares.
struct Sharing {
    /// Goes before the folders do.
    node: Node,
    _staying: Vec<Staying>,
    asha: Person,
    bo: Person,
    lab: PathBuf,
}

impl Sharing {
    fn begin(lan: &Lan) -> Result<Self> {
        let (asha, bo) = (Person::new(lan.host()?, "Asha")?, Person::new(lan.host()?, "Bo")?);
        let lab = asha.workspace("lab", &[("a.txt", "text\n")])?;
        let _staying = vec![asha.serve(&lab)?];
        let node = window(&lab)?;
        node.call(Request::Share)?;
        Ok(Self { node, _staying, asha, bo, lab })
    }

    /// Where Bo has a copy, once he came in with a code.
    fn copy_of_an_editor(&self) -> Result<PathBuf> {
        let invited = match self.node.call(Request::Invite { role: Role::Editor, is_long: false, share_past: true })? {
            Reply::Invitation(invitation) => invitation,
            other => anyhow::bail!("{other:?}"),
        };
        self.bo.run(&self.bo.home, &["join", &invited.code, "copy"], "")?;
        Ok(self.bo.home.join("copy"))
    }

    /// Bo asks; what he and Asha are shown.
    fn asked(&self, folder: &str) -> Result<(Staying, Value, Asking)> {
        let asking = Staying::start(self.bo.command(&self.bo.home, &["join", "--json", "--ask", "Asha", folder]))?;
        let at_bo: Value = serde_json::from_str(&asking.wait("\"waiting\"")?)?;
        wait_until("Asha sees who asks", || together(&self.node).is_ok_and(|together| !together.asking.is_empty()))?;
        let at_asha = together(&self.node)?.asking.remove(0);
        Ok((asking, at_bo, at_asha))
    }
}

/// A window's end of the local socket.
fn window(folder: &Path) -> Result<Node> {
    Ok(Node::open(folder, Options { watch: false, create: false, ..Options::default() })?)
}

fn together(node: &Node) -> Result<Together> {
    match node.call(Request::Together)? {
        Reply::Together(together) => Ok(together),
        other => anyhow::bail!("{other:?}"),
    }
}

fn follow(person: &Person) -> Result<Staying> {
    Staying::start(person.command(&person.home, &["nearby", "--follow", "--json"]))
}

fn who_is_nearby_and_what_they_share_is_seen_at_once(lan: &Lan) -> Result<()> {
    let (asha, bo) = (Person::new(lan.host()?, "Asha")?, Person::new(lan.host()?, "Bo")?);
    let at_asha = follow(&asha)?;
    let began = Instant::now();
    let at_bo = follow(&bo)?;
    let line: Value = serde_json::from_str(&at_bo.wait("\"Asha\"")?)?;
    println!("  Asha is there: {:.2} s", began.elapsed().as_secs_f32());
    ensure!(line["shares"].is_null() && line["acquaintance"] == "new", "{line}");
    ensure!(line["address"] == asha.host.address().to_string(), "{line}");
    at_asha.wait("\"Bo\"")?;
    let lab = asha.workspace("parser-lab", &[("a.txt", "text\n")])?;
    let staying = asha.serve(&lab)?;
    let node = window(&lab)?;
    let began = Instant::now();
    node.call(Request::Share)?;
    let line: Value = serde_json::from_str(&at_bo.wait("parser-lab")?)?;
    println!("  what she shares: {:.2} s after sharing", began.elapsed().as_secs_f32());
    ensure!(line["n_people"] == 1 && line["is_joined"] == false, "{line}");
    // One line a device: what is shared stands in the place of the lobby's own.
    let listed = bo.run(&bo.home, &["nearby", "--json", "--seconds", "2"], "")?;
    ensure!(listed.lines().count() == 1 && listed.contains("parser-lab"), "{listed}");
    node.close();
    drop(staying);
    let line: Value = serde_json::from_str(&at_bo.wait("\"Asha\"")?)?;
    ensure!(line["shares"].is_null(), "{line}");
    drop(at_asha);
    at_bo.wait("\"gone\"").map(drop)
}

fn asking_lets_in_once_the_words_are_the_same(lan: &Lan) -> Result<()> {
    let sharing = Sharing::begin(lan)?;
    sharing.asha.run(&sharing.lab, &["edit", "a.txt"], "[0, 0, \"secret \"]\n[0, 7, \"\"]\n")?;
    let (asking, at_bo, at_asha) = sharing.asked("mine")?;
    ensure!(at_bo["words"] == serde_json::to_value(&at_asha.words)?, "{at_bo} {at_asha:?}");
    ensure!(at_asha.acquaintance == Acquaintance::New && at_asha.person == "Bo", "{at_asha:?}");
    ensure!(at_asha.address == sharing.bo.host.address().to_string(), "{at_asha:?}");
    // What whoever asks is called answers nobody: anybody may be called so.
    let (code, said) = sharing.asha.try_run(&sharing.lab, &["answer", "Bo"], "")?;
    ensure!(code == 1 && said.contains("Nobody asks who is shown “Bo”"), "{said}");
    let words = at_asha.words.join("-");
    let said = sharing.asha.run(&sharing.lab, &["answer"], "")?;
    ensure!(said.contains(&format!("codesync answer {words}\n")), "{said}");
    let said = sharing.asha.run(&sharing.lab, &["answer", "--json", &words], "")?;
    let said: Value = serde_json::from_str(&said)?;
    ensure!(said["answer"] == "letIn" && said["words"] == at_bo["words"] && said["shares_past"] == false, "{said}");
    asking.wait("\"letIn\"")?;
    asking.wait("\"joined\"")?;
    let mine = sharing.bo.home.join("mine");
    ensure!(read(&mine, "a.txt") == "text\n");
    drop(asking);
    // Nothing was said of the past.
    let (_, found) = sharing.bo.try_run(&mine, &["find", "secret"], "")?;
    ensure!(!found.contains("appeared"), "{found}");
    let members = together(&sharing.node)?.members;
    ensure!(members.len() == 2 && members[1].role == Some(Role::Editor), "{members:?}");
    // The next time Bo is known: with what he has, and with what he is asked into.
    let (asking, _, at_asha) = sharing.asked("again")?;
    ensure!(at_asha.acquaintance == Acquaintance::Known, "{at_asha:?}");
    drop(asking);
    wait_until("Bo asks no longer", || together(&sharing.node).is_ok_and(|together| together.asking.is_empty()))?;
    let at_bo = follow(&sharing.bo)?;
    let line: Value = serde_json::from_str(&at_bo.wait("\"lab\"")?)?;
    ensure!(line["is_joined"] == true && line["acquaintance"] == "known", "{line}");
    // Asked in by name, somebody who is known is in at once.
    let lobby = at_bo_listed(&sharing)?;
    sharing.node.call(Request::InviteNearby { peer: lobby, role: Role::Editor, share_past: true })?;
    at_bo.wait("\"invites\":true")?;
    drop(at_bo);
    sharing.bo.run(&sharing.bo.home, &["join", "--ask", "Asha", "third"], "")?;
    let third = sharing.bo.home.join("third");
    ensure!(read(&third, "a.txt") == "text\n");
    let found = sharing.bo.run(&third, &["find", "secret"], "")?;
    ensure!(found.contains("appeared"), "{found}");
    // That lets in once: whoever was removed is asked for again.
    sharing.asha.run(&sharing.lab, &["remove", "Bo"], "")?;
    sharing.asked("fourth").map(drop)
}

fn who_pauses_or_leaves_sees_it_and_can_go_on(lan: &Lan) -> Result<()> {
    let sharing = Sharing::begin(lan)?;
    let copy = sharing.copy_of_an_editor()?;
    let serving = sharing.bo.serve(&copy)?;
    let bo = window(&copy)?;
    let (events, at_bo) = (sharing.node.subscribe(), bo.subscribe());
    wait_until("both are live", || is_live(&sharing.node) && is_live(&bo))?;
    let (asking, ..) = sharing.asked("again")?;
    let told_live = |events| told(events, |together| matches!(together.link, LinkState::Live { .. }));
    for (request, link) in [(Request::Pause { is_paused: true }, LinkState::Paused), (Request::Leave, LinkState::Left)]
    {
        sharing.node.call(request.clone())?;
        let told = told(&events, |together| together.link == link)?;
        ensure!(told.asking.is_empty(), "{request:?}: {told:?}");
        ensure!(!told.members[1].is_connected && told.members[1].last_seen_ms.is_some(), "{request:?}: {told:?}");
        // Whoever pauses is offline for the others; whoever leaves left, until they are back.
        let seen = told_of_asha(&at_bo, |asha| !asha.is_connected)?;
        ensure!(seen.left_ms.is_some() == (link == LinkState::Left), "{request:?}: {seen:?}");
        sharing.node.call(Request::Pause { is_paused: false })?;
        told_live(&events)?;
        let seen = told_of_asha(&at_bo, |asha| asha.is_connected)?;
        ensure!(seen.left_ms.is_none(), "{seen:?}");
    }
    drop(asking);
    // That somebody left is known the next day, too.
    sharing.node.call(Request::Leave)?;
    told_of_asha(&at_bo, |asha| asha.left_ms.is_some())?;
    serving.wait("Asha left.")?;
    bo.close();
    drop(serving);
    let listed = sharing.bo.run(&copy, &["members"], "")?;
    ensure!(listed.lines().any(|line| line.starts_with("Asha ") && line.ends_with(" left")), "{listed}");
    let _serving = sharing.bo.serve(&copy)?;
    // Naming an address is going on, too.
    sharing.node.call(Request::Connect { address: sharing.bo.host.address().to_string() })?;
    wait_until("both are live at an address", || is_live(&sharing.node))
}

fn is_live(node: &Node) -> bool {
    together(node).is_ok_and(|together| matches!(together.link, LinkState::Live { .. }))
}

/// Asha as others see her, once it is so.
fn told_of_asha(events: &Receiver<Event>, is_so: impl Fn(&Member) -> bool) -> Result<Member> {
    let asha = |together: &Together| together.members.iter().find(|member| member.person == "Asha").cloned();
    asha(&told(events, |together| asha(together).is_some_and(|asha| is_so(&asha)))?).context("Asha")
}

/// The next that is told by itself of how things stand, once it is so.
fn told(events: &Receiver<Event>, is_so: impl Fn(&Together) -> bool) -> Result<Together> {
    loop {
        match events.recv_timeout(Duration::from_secs(10)).context("nothing is told")? {
            Event::Together(together) if is_so(&together) => return Ok(together),
            _ => {}
        }
    }
}

/// Bo's peer as Asha's window has it.
fn at_bo_listed(sharing: &Sharing) -> Result<String> {
    let listed = sharing.asha.run(&sharing.asha.home, &["nearby", "--json"], "")?;
    let line = listed.lines().find(|line| line.contains("\"Bo\"")).context("Bo is not there")?;
    let line: Value = serde_json::from_str(line)?;
    Ok(line["peer"].as_str().context("peer")?.to_owned())
}

fn who_is_turned_away_gets_nothing(lan: &Lan) -> Result<()> {
    let sharing = Sharing::begin(lan)?;
    for (answer, why) in [
        (AskAnswer::NotNow, "Asha can't let you in right now."),
        (AskAnswer::WordsDiffer, "this may not be Asha's computer. We stopped."),
    ] {
        let said = std::thread::scope(|scope| {
            let bo = &sharing.bo;
            let asking = scope.spawn(|| bo.try_run(&bo.home, &["join", "--ask", "Asha", "x"], ""));
            wait_until("Asha sees who asks", || {
                together(&sharing.node).is_ok_and(|together| !together.asking.is_empty())
            })?;
            let id = together(&sharing.node)?.asking[0].id;
            sharing.node.call(Request::AnswerAsk { id, answer })?;
            asking.join().expect("the other thread goes on")
        });
        let (code, said) = said?;
        ensure!(code != 0 && said.contains(why), "{said}");
        ensure!(together(&sharing.node)?.asking.is_empty() && together(&sharing.node)?.members.len() == 1);
    }
    ensure!(!sharing.bo.home.join("x").exists(), "something was shared");
    // A folder with files is refused before anybody is asked.
    std::fs::write(sharing.bo.home.join("file"), "")?;
    let (code, said) = sharing.bo.try_run(&sharing.bo.home, &["join", "--ask", "Asha", "."], "")?;
    ensure!(code != 0 && said.contains("already has files"), "{said}");
    Ok(())
}

fn who_wants_not_to_be_seen_is_not(lan: &Lan) -> Result<()> {
    let sharing = Sharing::begin(lan)?;
    let at_bo = follow(&sharing.bo)?;
    at_bo.wait("\"lab\"")?;
    let set = |who: &str| {
        let settings = sharing.asha.home.with_file_name("config").join("settings.json");
        std::fs::write(settings, format!("{{\"visibleTo\":\"{who}\"}}")).context("settings")?;
        sharing.node.call(Request::ReadSettings).context("read")
    };
    set("nobody")?;
    at_bo.wait("\"gone\"")?;
    // Those who are known see it: Bo is not, until he was let in.
    set("known")?;
    let (code, said) = sharing.bo.try_run(&sharing.bo.home, &["nearby", "--seconds", "3"], "")?;
    ensure!(code == 0 && said.contains("Nobody found"), "{said}");
    let invited = match sharing.node.call(Request::Invite { role: Role::Viewer, is_long: false, share_past: true })? {
        Reply::Invitation(invitation) => invitation,
        other => anyhow::bail!("{other:?}"),
    };
    sharing.bo.run(&sharing.bo.home, &["join", &invited.code, "copy"], "")?;
    at_bo.wait("\"lab\"").context("whoever is known sees it")?;
    Ok(())
}

fn what_is_not_accepted_is_kept_and_told_to_every_window(lan: &Lan) -> Result<()> {
    let sharing = Sharing::begin(lan)?;
    let copy = sharing.copy_of_an_editor()?;
    let at_bo = sharing.bo.serve(&copy)?;
    wait_until("both have the same", || is_live(&sharing.node))?;
    drop(at_bo);
    wait_until("Bo is gone", || together(&sharing.node).is_ok_and(|together| together.link == LinkState::Offline))?;
    // What is done without Bo waits for him.
    let events = sharing.node.subscribe();
    sharing.asha.run(&sharing.lab, &["role", "Bo", "viewer"], "")?;
    told(&events, |together| together.members[1].n_behind == 1)?;
    sharing.bo.run(&copy, &["edit", "a.txt"], "[0, 0, \"Bo \"]\n")?;
    let _at_bo = sharing.bo.serve(&copy)?;
    wait_until("Bo's change is gone", || read(&copy, "a.txt") == "text\n")?;
    for _ in 0..2 {
        let window = window(&copy)?;
        let events = window.subscribe();
        let notice = loop {
            match events.recv_timeout(Duration::from_secs(10)).context("nothing is told")? {
                Event::Notice(notice) if notice.id == "MSG-ROLE-5" => break notice,
                _ => {}
            }
        };
        let kept = copy.join(notice.path.context("where is it?")?);
        ensure!(read(&kept, "a.txt") == "Bo text\n", "{}", notice.body);
    }
    Ok(())
}
