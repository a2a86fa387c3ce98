//! Two people at work together: real `codesync serve` processes on hosts with real multicast (`codesync_lan`), each with
//! a window's end of the local socket. One argument names the scenarios to run.

#[path = "lan/person.rs"]
mod person;

use anyhow::{Context, Result, bail, ensure};
use codesync_api::{ChatLink, ChatMessage, Event, Place, Reply, Request, Signal, Splice, ViewEdit};
use codesync_lan::{Lan, Scenario};
use codesync_node::{Node, Options};
use person::{Person, Staying, wait_until};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

fn main() -> Result<()> {
    codesync_lan::run_scenarios(SCENARIOS)
}

const SCENARIOS: &[Scenario] = &[
    ("carets_and_keys_are_seen_and_nobody_undoes_the_other", carets_and_keys_are_seen_and_nobody_undoes_the_other),
    ("people_talk", people_talk),
    ("keys_pass_at_once", keys_pass_at_once),
];

/// What is waited for at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// Two at one workspace, both online.
struct Pair {
    /// Goes before the folders do.
    staying: Vec<Staying>,
    asha: Person,
    bo: Person,
    lab: PathBuf,
    copy: PathBuf,
}

impl Pair {
    fn meet(lan: &Lan, role: &[&str]) -> Result<Self> {
        let (asha, bo) = (Person::new(lan.host()?, "Asha")?, Person::new(lan.host()?, "Bo")?);
        let lab = asha.workspace("lab", &[("a.txt", "one\ntwo\nthree\n")])?;
        let invited = asha.invite(&lab, role)?;
        bo.run(&bo.home, &["join", &invited.code], "")?;
        drop(invited);
        let copy = bo.home.join("lab");
        let staying = vec![asha.serve(&lab)?, bo.serve(&copy)?];
        wait_until("they are linked", || {
            asha.run(&lab, &["members", "--json"], "")
                .is_ok_and(|said| said.matches("\"is_connected\":true").count() == 1)
        })?;
        Ok(Self { staying, asha, bo, lab, copy })
    }
}

/// A window, without one: the other end of the local socket.
struct Window {
    node: Node,
    events: Receiver<Event>,
    view_id: u32,
    n_sent: u64,
    revision: u64,
}

impl Window {
    fn open(folder: &Path) -> Result<Self> {
        let node = Node::open(folder, Options::default()).map_err(|error| anyhow::anyhow!("{error}"))?;
        ensure!(!node.is_owner(), "nobody serves {}", folder.display());
        let events = node.subscribe();
        let mut window = Self { node, events, view_id: 0, n_sent: 0, revision: 0 };
        let Reply::View(view) = window.ask(Request::OpenView { path: "a.txt".into() })? else { bail!("no view") };
        window.view_id = view.view_id;
        Ok(window)
    }

    fn ask(&self, request: Request) -> Result<Reply> {
        self.node.call(request).map_err(|error| anyhow::anyhow!("{error}"))
    }

    fn show(&self, place: Place) -> Result<()> {
        self.ask(Request::ShowPlace { place }).map(drop)
    }

    /// Types on the text as it was told.
    fn type_at(&mut self, position: u32, text: &str) -> Result<()> {
        self.n_sent += 1;
        let splices = vec![Splice(position, 0, text.into())];
        let edit = ViewEdit { request_id: self.n_sent, base_revision: self.revision, stays_left: false, splices };
        self.ask(Request::EditView { view_id: self.view_id, edit })?;
        // Its acknowledgement makes a revision, too.
        self.wait("an acknowledgement", |event| matches!(event, Event::ViewAck { .. }).then_some(()))
    }

    fn wait<T>(&mut self, what: &str, mut wanted: impl FnMut(&Event) -> Option<T>) -> Result<T> {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(left).with_context(|| format!("not told: {what}"))?;
            match &event {
                Event::ViewAck { revision, .. } => self.revision = *revision,
                Event::ViewPatch(patch) => self.revision = patch.revision,
                Event::ViewSnapshot(snapshot) => self.revision = snapshot.revision,
                _ => {}
            }
            if let Some(found) = wanted(&event) {
                return Ok(found);
            }
        }
    }

    fn text(&self) -> Result<String> {
        match self.ask(Request::FileAt { path: "a.txt".into(), at: codesync_api::Moment::Now })? {
            Reply::File(file) => file.text.context("no text"),
            other => bail!("{other:?}"),
        }
    }

    fn messages(&self) -> Result<Vec<ChatMessage>> {
        match self.ask(Request::ListMessages { before: None, limit: 50 })? {
            Reply::Messages { messages, .. } => Ok(messages),
            other => bail!("{other:?}"),
        }
    }
}

fn place_of(event: &Event) -> Option<Place> {
    match event {
        Event::Presence(presence) => presence.place.clone(),
        _ => None,
    }
}

fn carets_and_keys_are_seen_and_nobody_undoes_the_other(lan: &Lan) -> Result<()> {
    let mut pair = Pair::meet(lan, &[])?;
    let (mut at_asha, mut at_bo) = (Window::open(&pair.lab)?, Window::open(&pair.copy)?);
    at_asha.type_at(4, "TWO ")?;
    let patch = at_bo.wait("Asha's keys", |event| match event {
        Event::ViewPatch(patch) => Some(patch.clone()),
        _ => None,
    })?;
    ensure!(
        patch.splices == [Splice(4, 0, "TWO ".into())] && patch.source == codesync_api::PatchSource::Peer,
        "{patch:?}"
    );
    let asha = patch.device.context("whose keys these are")?;
    at_asha.show(Place { path: Some("a.txt".into()), selections: vec![(8, 11)], top_line: 2, ..Place::default() })?;
    let place = at_bo.wait("Asha's place", place_of)?;
    ensure!((&place.selections[..], place.top_line) == (&[(8, 11)][..], 2), "{place:?}");
    at_bo.type_at(0, "Bo ")?;
    at_asha.wait("Bo's keys", |event| matches!(event, Event::ViewPatch(_)).then_some(()))?;
    // Told anew it is where the text is now.
    let Reply::Presences { presences } = at_bo.ask(Request::Presences)? else { bail!("no places") };
    let moved = presences.iter().find(|presence| presence.device == asha).and_then(|presence| presence.place.clone());
    ensure!(moved.is_some_and(|place| place.selections == [(11, 14)]), "{presences:?}");
    at_asha.ask(Request::Signal(Signal::Bring { path: "a.txt".into(), line: 3, to: None }))?;
    at_bo.wait("Asha's call", |event| match event {
        Event::Signalled { signal: Signal::Bring { line: 3, .. }, person, .. } if person == "Asha" => Some(()),
        _ => None,
    })?;
    at_asha.ask(Request::Undo { view_id: at_asha.view_id })?;
    at_bo.wait("Asha's undo", |event| matches!(event, Event::ViewPatch(_)).then_some(()))?;
    ensure!(at_bo.text()? == "Bo one\ntwo\nthree\n" && at_asha.text()? == at_bo.text()?, "{}", at_asha.text()?);
    // Asha's computer goes, and with it her caret.
    pair.staying.remove(0);
    at_bo.wait("Asha is gone", |event| match event {
        Event::Presence(presence) if presence.place.is_none() => Some(()),
        _ => None,
    })
}

fn people_talk(lan: &Lan) -> Result<()> {
    let mut pair = Pair::meet(lan, &["--role", "viewer"])?;
    pair.staying.push(Staying::start(pair.asha.command(&pair.lab, &["chat", "--follow"]))?);
    let at_asha = Window::open(&pair.lab)?;
    // A viewer, too.
    pair.bo.run(&pair.copy, &["chat", "may I?"], "")?;
    pair.staying[2].wait("Bo: may I?")?;
    let link = Some(ChatLink::Code { path: "a.txt".into(), line: 3 });
    at_asha.ask(Request::SendMessage { text: "look".into(), link: link.clone() })?;
    wait_until("it is at Bo's", || {
        pair.bo.run(&pair.copy, &["chat"], "").is_ok_and(|said| said.contains("look") && said.contains("a.txt:3"))
    })?;
    // What is said without a cable comes when it is back, and the link goes where the text went.
    pair.bo.host.unplug()?;
    at_asha.ask(Request::SendMessage { text: "are you there?".into(), link: None })?;
    pair.asha.run(&pair.lab, &["edit", "a.txt"], "[0, 0, \"zero\\n\"]\n")?;
    std::thread::sleep(Duration::from_secs(6));
    pair.bo.host.plug_in()?;
    wait_until("all was said everywhere", || {
        pair.bo
            .run(&pair.copy, &["chat"], "")
            .is_ok_and(|said| said.contains("are you there?") && said.contains("a.txt:4"))
    })?;
    let texts: Vec<String> = at_asha.messages()?.into_iter().map(|message| message.text).collect();
    ensure!(texts == ["may I?", "look", "are you there?"], "{texts:?}");
    Ok(())
}

/// From the key at one window to the patch at the other, through both local sockets and with both fsyncs. How long it
/// may take, `cargo xtask bench` holds on a quiet machine.
fn keys_pass_at_once(lan: &Lan) -> Result<()> {
    let n_keys: u32 = std::env::var("CODESYNC_KEYS").ok().and_then(|n| n.parse().ok()).unwrap_or(50);
    let pair = Pair::meet(lan, &[])?;
    let (mut at_asha, mut at_bo) = (Window::open(&pair.lab)?, Window::open(&pair.copy)?);
    let (mut acked_us, mut shown_us) = (Vec::new(), Vec::new());
    for n in 0..n_keys {
        let began = Instant::now();
        at_asha.type_at(n, "x")?;
        acked_us.push(began.elapsed().as_micros());
        at_bo.wait("a key", |event| matches!(event, Event::ViewPatch(_)).then_some(()))?;
        shown_us.push(began.elapsed().as_micros());
        std::thread::sleep(Duration::from_millis(20));
    }
    for (what, times) in [("acknowledged", &mut acked_us), ("at the other", &mut shown_us)] {
        times.sort_unstable();
        let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)] as f64 / 1e3;
        println!(
            "  {n_keys} keys {what}: p50 {:.2} ms, p90 {:.2}, p99 {:.2}, most {:.2}",
            at(50),
            at(90),
            at(99),
            at(100)
        );
    }
    Ok(())
}
