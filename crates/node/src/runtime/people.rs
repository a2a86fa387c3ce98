//! What the engine thread does about other people: its part in the network, letting them in, and saying who is there.

mod addresses;
mod cards;
mod hosting;
mod leaving;
mod shown;

use super::{Message, Result, Runtime, Size, now};
use crate::join::{Welcome, network_is_off, parse_address};
use crate::seen::Seen;
use crate::together::{Answer, Host, Scene, Step, Together, random};
use crate::{STORE_FOLDER, config, known, state};
use codesync_api::{ApiError, ErrorCode, Event, Notice, Reply};
use codesync_auth::{About, Act};
use codesync_base::DeviceId;
use codesync_engine::{LinkOutput, Now};
use codesync_net::{Config, Event as NetEvent, Net, StreamId};
use codesync_sync::{Ended, Event as LinkEvent, LinkId, Moment, Reason};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Kept with the workspace when the person here left it.
pub(crate) const LEFT: &str = "left";
/// The same, when they paused.
pub(crate) const PAUSED: &str = "paused";
/// Kept with the workspace when this device was removed from it.
const OUT: &str = "removed";
/// How late it may be told what changes all the time.
const TELL_WITHIN: Duration = Duration::from_millis(250);
/// More of such are not told: somebody makes them up.
const TOLD_ONCE_MAX: usize = 16;
/// How long a link with somebody who was removed stands: that they were is to get through first.
const OUT_WAIT: Duration = Duration::from_secs(2);
/// In place of a version that is none.
const UNKNOWN_VERSION: &str = "unknown";
/// Clocks that differ by more are told of.
const CLOCK_OFFSET_MAX_MS: u64 = 10 * 60 * 1_000;

/// The people of a workspace, as far as the node knows them.
#[derive(Default)]
pub(crate) struct People {
    together: Option<Together>,
    /// Counts the parts that were taken in the network, one after the other.
    pub(super) network: u64,
    host: Host,
    /// Members that a link leads to.
    linked: BTreeMap<LinkId, Linked>,
    /// What was told last.
    told: codesync_api::Together,
    /// So many deltas were here then.
    n_deltas_told: u64,
    /// What is told may be different by now.
    is_stale: bool,
    /// The same, for what changes all the time: told then.
    stale_at: Option<Instant>,
    /// Work went on here: how far those are behind who are not here is told then.
    behind_at: Option<Instant>,
    /// Where others were reached last.
    addresses: addresses::Addresses,
    /// Who sees what is shared.
    seen: Seen,
    /// The folder waits until this device may edit.
    leaves_folder: bool,
    /// This device was removed, and its log is one that others take nothing of.
    is_out: bool,
    /// The person here left this workspace.
    has_left: bool,
    /// Syncs with nobody, because the person here said so.
    is_paused: bool,
    /// What keeps a peer from syncing, until it is gone: id of the wording, and the sentence.
    trouble: Option<(String, String)>,
    /// What was said of links, and is said once.
    told_once: BTreeSet<String>,
    /// Others have more of this store's log than it has itself: it is to go on under another name.
    is_log_elsewhere: bool,
    /// That another copy of the workspace is open on this computer was told.
    is_copy_told: bool,
    /// Changes that were to come or go when that began; 0 when all is level.
    n_catching: u64,
    /// The port on which others reach this peer.
    port: Option<u16>,
    /// When others were here last, as far as it is known, Unix milliseconds.
    last_seen: BTreeMap<DeviceId, u64>,
    /// Who of the others left.
    left: leaving::Left,
}

/// What there was with people before the engine was replaced.
pub(super) struct Meeting {
    has_rights: bool,
    is_together: bool,
}

struct Linked {
    device: DeviceId,
    /// It said what it has: this device is let in there, too.
    has_answered: bool,
    receive_left: u64,
    send_left: u64,
    /// Version of the program there, if it is another than this one's.
    other_version: Option<String>,
    /// This device was no member any more when the link came about: it may be let in again over it.
    is_for_return: bool,
    /// Since when one of the two ends is no member any more.
    out_since: Option<Instant>,
}

impl People {
    fn stale_soon(&mut self) {
        self.stale_at.get_or_insert_with(|| Instant::now() + TELL_WITHIN);
    }

    /// Whether it is time to look whether something is to be told.
    fn take_stale(&mut self) -> bool {
        let is_due = self.is_stale || self.stale_at.is_some_and(|at| at <= Instant::now());
        if is_due {
            (self.is_stale, self.stale_at, self.behind_at) = (false, None, None);
        }
        is_due
    }

    pub fn patience(&self, engine: &codesync_engine::Engine, now_ms: u64) -> Option<Duration> {
        let until_due = self.host.due_ms(now_ms).map(|due_ms| Duration::from_millis(due_ms.saturating_sub(now_ms)));
        let told_at = self.stale_at.into_iter().chain(self.behind_at).min();
        let until_told = told_at.map(|at| at.saturating_duration_since(Instant::now()));
        let until_hidden = self.seen.ends().map(|at| at.saturating_duration_since(Instant::now()));
        let out = self.linked.values().filter_map(|linked| linked.out_since);
        let until_ended = out.map(|since| OUT_WAIT.saturating_sub(since.elapsed()));
        let Some(together) = &self.together else { return until_told };
        let other = until_due.into_iter().chain(self.host.patience()).chain(until_told).chain(until_hidden);
        together.patience(engine).into_iter().chain(other).chain(until_ended).min()
    }
}

impl Runtime {
    /// From here on rights count, if others take part in this workspace. A node that stays takes part in the network.
    pub(super) fn meet_people(&mut self) -> Result<()> {
        let welcome = self.welcome();
        let store = self.root.join(STORE_FOLDER);
        let is_set = |key| {
            let kept = state::get(&store, key)?;
            Ok(matches!(kept, Reply::State { value: Some(value) } if value == "true"))
        };
        (self.people.has_left, self.people.is_paused) = (is_set(LEFT)?, is_set(PAUSED)?);
        if !self.engine.is_shared() && welcome.is_none() {
            return Ok(());
        }
        self.engine.uphold_rights(welcome.map(|welcome| welcome.founder))?;
        self.people.is_out = is_set(OUT)?;
        self.people.left = leaving::read(&store);
        self.follow_membership(now());
        if self.inbox.is_some()
            && !self.people.has_left
            && let Err(error) = self.take_part()
        {
            // Alone it works as well.
            tracing::warn!(%error, "others can't be reached");
        }
        Ok(())
    }

    /// Ends what there is with people, for as long as the engine is replaced; [`Self::meet_again`] goes on with it.
    pub(super) fn part_for_now(&mut self) -> Meeting {
        let meeting =
            Meeting { has_rights: self.engine.access().is_some(), is_together: self.people.together.is_some() };
        self.part();
        meeting
    }

    pub(super) fn meet_again(&mut self, meeting: Meeting) -> Result<()> {
        if meeting.has_rights {
            self.meet_people()?;
        }
        // A workspace that others may ask for, and nobody was let into yet, is not shared by its history.
        if meeting.is_together
            && let Err(error) = self.take_part()
        {
            tracing::warn!(%error, "others can't be reached");
        }
        Ok(())
    }

    /// Whether changes of the folder may become edits. What a viewer, or one whose history is not here yet, changes there
    /// stays as it is.
    pub(super) fn may_take_in(&mut self) -> bool {
        let may = self.engine.may(Act::Edit).is_ok();
        self.people.leaves_folder |= !may;
        may
    }

    /// How this device came into the workspace, if it did.
    fn welcome(&self) -> Option<Welcome> {
        Welcome::read(&self.root.join(STORE_FOLDER))
    }

    fn take_part(&mut self) -> Result<()> {
        if self.people.together.is_some() || self.people.is_paused {
            return Ok(());
        }
        let Some(inbox) = self.inbox.clone() else {
            let sentence = "This needs a CodeSync that stays: the window, or “codesync serve”.";
            return Err(ApiError::new(ErrorCode::Invalid, sentence));
        };
        if config::is_network_off() {
            return Err(network_is_off());
        }
        self.commit(now())?;
        let welcome = self.welcome();
        self.engine.uphold_rights(welcome.as_ref().map(|welcome| welcome.founder))?;
        let config = Config { port: config::port(), ..Config::new(random()) };
        // The thread ends with the workspace.
        self.people.network += 1;
        let network = self.people.network;
        let hand_over = move |event| inbox.send(Message::Net(network, event)).unwrap_or_default();
        let host = welcome.as_ref().map(|welcome| welcome.host);
        let together = Together::start(config, &mut self.engine, config::device_key()?, host, hand_over);
        let together = together?;
        if let Some(address) = welcome.and_then(|welcome| welcome.address) {
            together.net().keep(parse_address(&address)?);
        }
        self.addresses_known().into_iter().for_each(|address| together.net().keep(address));
        self.people.host.is_shared |= self.engine.is_shared();
        self.people.last_seen = known::read().all().iter().map(|known| (known.device, known.last_seen_ms)).collect();
        self.people.together = Some(together);
        self.people.is_stale = true;
        self.note_copy();
        Ok(())
    }

    pub(super) fn handle_net(&mut self, event: NetEvent, now: Now) {
        let Some(mut together) = self.people.together.take() else { return };
        match &event {
            // What members say to each other all the time changes little of who is there.
            NetEvent::RoundTrip { .. } => self.people.stale_soon(),
            NetEvent::Frame { stream, .. } if together.is_link(*stream) => self.people.stale_soon(),
            _ => self.people.is_stale = true,
        }
        if let NetEvent::Listening(address) = &event
            && !address.ip().is_loopback()
        {
            self.note_port(address.port());
        }
        match event {
            NetEvent::Frame { stream, frame } if !together.is_link(stream) => {
                self.handle_guest(&mut together, stream, &frame.bytes, now);
            }
            NetEvent::Closed(stream) if !together.is_link(stream) => drop(self.people.host.closed(stream)),
            event => {
                if let Some(stream) = together.handle(event, &mut self.engine, now.ms) {
                    let address = together.address_of(&stream.peer).map(|address| address.ip());
                    self.people.host.take(stream, address);
                }
            }
        }
        self.people.together = Some(together);
    }

    fn handle_guest(&mut self, together: &mut Together, stream: StreamId, bytes: &[u8], now: Now) {
        if !self.people.host.has(stream) {
            return;
        }
        let about = About::new(&self.person_here(), &config::device_name());
        let scene = Scene {
            own: together.net().peer(),
            key: together.key(),
            about: &about,
            invited: &together.cards().mine().invited,
            now_ms: now.ms,
        };
        match self.people.host.handle(stream, bytes, &scene) {
            Step::Nothing | Step::News => {}
            Step::Proved { stream, other, place } => match self.grant(&other, &place, now) {
                Ok(()) => {
                    self.remember(&other, now);
                    together.cards_mut().note_let_in(&other.device);
                    self.people.host.let_in(stream);
                }
                Err(error) => {
                    tracing::warn!(%error, "nobody can be let in now");
                    self.people.host.closed(stream);
                    let title = format!("{} could not be let in.", other.about.person);
                    let body = format!("{} The code is used now, so they need a new one.", error.message);
                    self.notify(Notice { id: "MSG-PAIR-9".into(), title, body, ..Notice::default() });
                }
            },
            Step::Expected { id, other, offer } => {
                let place = self.let_in(&other, offer, now);
                let answer = match &place {
                    Ok(place) => {
                        together.cards_mut().note_let_in(&other.device);
                        Answer::LetIn(place)
                    }
                    Err(error) => {
                        tracing::warn!(%error, "nobody can be let in now");
                        Answer::NotNow
                    }
                };
                self.people.host.answer(id, answer, together.key(), now.ms);
            }
        }
    }

    /// After a commit: what became durable goes out, and so does all that waits.
    pub(super) fn talk(&mut self, is_committed: bool, now: Now) {
        // Those who are not here are behind by one more.
        if self.engine.knows_who_is_behind() && self.engine.log().n_deltas() != self.people.n_deltas_told {
            self.people.behind_at.get_or_insert_with(|| Instant::now() + TELL_WITHIN);
        }
        // That one takes no part any more is told, too.
        let Some(mut together) = self.people.together.take() else { return self.tell_people() };
        let moment = together.moment(now.ms);
        if is_committed {
            self.engine.pass_on(moment);
        }
        together.tend(&mut self.engine, now.ms);
        self.end_with_removed(moment);
        self.people.is_stale |= self.people.host.tend(now.ms) | self.people.seen.tend();
        for (id, output) in together.carry_out(&mut self.engine) {
            self.note_link(id, output);
        }
        self.let_go_ended(&together, now);
        self.people.together = Some(together);
        if is_committed && self.people.is_log_elsewhere {
            // The engine says it once: what fails here is tried again.
            match self.go_on_after_backup(now) {
                Ok(()) => self.people.is_log_elsewhere = false,
                Err(error) => tracing::warn!(%error, "this store's log cannot go on under another name yet"),
            }
        }
        self.follow_membership(now);
        if self.people.leaves_folder && self.engine.may(Act::Edit).is_ok() {
            self.people.leaves_folder = false;
            if let Err(error) = self.bridge.look_soon(&mut self.engine, None, Size::Few, now) {
                tracing::warn!(%error, "the folder could not be looked at");
            }
        }
        self.tell_people();
    }

    /// Membership is asked for when a link begins: whoever is removed later would go on getting everything over it. A
    /// newcomer may not have heard yet of those it is linked with, nor that they were let in again.
    fn end_with_removed(&mut self, moment: Moment) {
        let (is_out, is_member) = (self.engine.is_removed(), self.engine.may(Act::Speak).is_ok());
        let mut over = Vec::new();
        for (id, linked) in &mut self.people.linked {
            let member = self.engine.access().and_then(|access| access.membership(&linked.device));
            let are_out = is_member && member.is_some_and(|member| member.role.is_none());
            let is_one_out = are_out || (is_out && !linked.is_for_return);
            linked.out_since = is_one_out.then(|| linked.out_since.unwrap_or_else(Instant::now));
            if linked.out_since.is_some_and(|since| since.elapsed() >= OUT_WAIT) {
                over.push(*id);
            }
        }
        over.into_iter().for_each(|id| self.engine.end_link(id, Reason::NotAdmitted, moment));
    }

    /// Links that are over: whoever was at the other end was here until now.
    fn let_go_ended(&mut self, together: &Together, now: Now) {
        let ended = |(id, _): &(LinkId, Linked)| !together.is_link(StreamId(id.0));
        let (ended, linked) = std::mem::take(&mut self.people.linked).into_iter().partition(ended);
        self.people.linked = linked;
        self.note_gone(ended, now);
    }

    fn note_gone(&mut self, ended: BTreeMap<LinkId, Linked>, now: Now) {
        for linked in ended.into_values() {
            self.people.is_stale = true;
            self.people.last_seen.insert(linked.device, now.ms);
            if let Err(error) = known::seen(&linked.device, now.ms) {
                tracing::debug!(%error, "when somebody was here last is not kept");
            }
        }
    }

    /// Whoever was removed goes on with the copy in a log of its own, and whoever is let in again in yet another: of a log in
    /// which others refused one delta they take none that comes after it.
    fn follow_membership(&mut self, now: Now) {
        let is_out = self.engine.is_removed();
        if is_out == self.people.is_out {
            return;
        }
        let begun = self.commit(now).and_then(|()| {
            self.identity.begin_another_log();
            self.engine.begin_incarnation(self.identity.incarnation(), now)?;
            self.commit(now)?;
            // A program that is killed before the next rest would take the store for a backup that was put back.
            self.identity.note_head(self.engine.log());
            state::put(&self.root.join(STORE_FOLDER), OUT, if is_out { "true" } else { "false" })
        });
        match begun {
            Ok(_) => self.people.is_out = is_out,
            Err(error) => tracing::warn!(%error, "what is done from now on can't have a log of its own yet"),
        }
    }

    /// A store that was put back from a backup goes on beside what it did after that, which others have.
    fn go_on_after_backup(&mut self, now: Now) -> Result<()> {
        self.commit(now)?;
        self.identity.begin_after_backup(now.ms);
        self.engine.begin_incarnation(self.identity.incarnation(), now)?;
        let until = crate::health::day_and_time(self.engine.saved_ms().unwrap_or(now.ms));
        self.identity.notice(&until).into_iter().for_each(|notice| self.engine.note(notice));
        self.commit(now)?;
        self.identity.note_head(self.engine.log());
        Ok(())
    }

    fn note_link(&mut self, id: LinkId, output: LinkOutput) {
        match &output {
            LinkOutput::Tell(LinkEvent::Progress { .. }) => self.people.stale_soon(),
            _ => self.people.is_stale = true,
        }
        if let LinkOutput::Tell(LinkEvent::Progress { receive_left, send_left }) = &output {
            tracing::trace!(?id, receive_left, send_left, "how far a link is");
        }
        match output {
            LinkOutput::Admitted(device) => {
                let linked = Linked {
                    device,
                    has_answered: false,
                    receive_left: 0,
                    send_left: 0,
                    other_version: None,
                    is_for_return: self.engine.is_removed(),
                    out_since: None,
                };
                self.people.linked.insert(id, linked);
                self.note_back(&device);
            }
            LinkOutput::Tell(LinkEvent::Progress { receive_left, send_left }) => {
                if let Some(linked) = self.people.linked.get_mut(&id) {
                    (linked.receive_left, linked.send_left) = (receive_left, send_left);
                    (linked.has_answered, self.people.trouble) = (true, None);
                }
                let n_left = self.people.linked.values().map(|linked| linked.receive_left + linked.send_left).sum();
                self.people.n_catching = if n_left == 0 { 0 } else { self.people.n_catching.max(n_left) };
            }
            LinkOutput::Tell(LinkEvent::Joined { device, software, clock_offset_ms }) => {
                if let Some(linked) = self.people.linked.get_mut(&id) {
                    linked.other_version = other_version(&software);
                }
                if clock_offset_ms.unsigned_abs() > CLOCK_OFFSET_MAX_MS {
                    self.tell_of_clocks(&device, clock_offset_ms);
                }
            }
            LinkOutput::Tell(LinkEvent::Ended(Ended::ByPeer(Reason::NotAdmitted))) => self.note_refused(id),
            LinkOutput::Tell(LinkEvent::Ended(Ended::ByPeer(Reason::Leaving))) => self.note_left(id),
            LinkOutput::Tell(LinkEvent::Ended(ended)) => self.note_end(ended),
            LinkOutput::Tell(event) => tracing::debug!(?event, "a link"),
            LinkOutput::OwnLogElsewhere => self.people.is_log_elsewhere = true,
            LinkOutput::Send(_) | LinkOutput::Close => {}
        }
    }

    /// MSG-VER-1 and MSG-VER-2, told once for each program that was met.
    fn note_end(&mut self, ended: Ended) {
        let (id, other) = match ended {
            Ended::PeerTooOld(other) => ("MSG-VER-1", other),
            Ended::WeAreTooOld(other) => ("MSG-VER-2", other),
            Ended::ByUs(Reason::Double, _) | Ended::ByPeer(Reason::Double) => return self.tell_of_copy(),
            ended => return tracing::debug!(?ended, "a link ended"),
        };
        // Whoever knows the project may say any name: only a member's is worth one.
        let members = self.engine.members();
        let is_member = |device: &DeviceId| members.iter().any(|member| member.device == *device);
        let person =
            other.device.filter(is_member).and_then(|device| self.engine.person_at(&device).map(str::to_owned));
        let notice = versions_apart(id, person.as_deref(), &plain_version(&other.software));
        let sentence = format!("{} {}", notice.title, notice.body);
        self.people.trouble = Some((id.to_owned(), sentence.clone()));
        self.notify_once(notice, sentence);
    }

    fn notify_once(&mut self, notice: Notice, of_what: String) {
        if self.people.told_once.len() < TOLD_ONCE_MAX && self.people.told_once.insert(of_what) {
            self.notify(notice);
        }
    }

    /// Whoever was removed while they were away hears of it by this alone: nothing more is sent to them.
    fn note_refused(&mut self, id: LinkId) {
        let device = self.people.linked.get(&id).map(|linked| linked.device);
        let is_owner = |device: &DeviceId| {
            self.engine.access().is_some_and(|access| access.may(device, Act::Govern)) && !self.engine.is_removed()
        };
        let Some(device) = device.filter(is_owner) else { return };
        let person = self.engine.person_at(&device).unwrap_or("An owner").to_owned();
        let title = format!("{person}'s computer doesn't let this one into “{}” now.", self.workspace_name());
        let body = format!(
            "You were removed, or {person}'s computer has not heard of you yet. You keep the copy you have, and can go on \
             working in it; it doesn't sync."
        );
        let sentence = format!("{title} {body}");
        self.people.trouble = Some(("MSG-PEER-6".into(), sentence.clone()));
        self.notify_once(Notice { id: "MSG-PEER-6".into(), title, body, ..Notice::default() }, sentence);
    }

    fn tell_of_clocks(&mut self, device: &DeviceId, offset_ms: i64) {
        let person = self.engine.person_at(device).unwrap_or("the other").to_owned();
        let minutes = (offset_ms.unsigned_abs() + 30_000) / 60_000;
        let apart =
            if minutes >= 120 { format!("{} hours", (minutes + 30) / 60) } else { format!("{minutes} minutes") };
        let which = if offset_ms > 0 { "ahead of" } else { "behind" };
        let notice = Notice {
            id: "MSG-CLOCK-1".into(),
            title: format!("The clocks of {person}'s computer and this one are {apart} apart."),
            body: format!(
                "{person}'s is {which} this one. Nothing is lost; changes may stand at a wrong time in the timeline until \
                 the clocks are set right."
            ),
            ..Notice::default()
        };
        self.notify_once(notice, format!("clock of {device}"));
    }

    /// The device at the other end is this one: what the two do reaches the other over the computers of others alone.
    fn tell_of_copy(&mut self) {
        if std::mem::replace(&mut self.people.is_copy_told, true) {
            return;
        }
        let name = self.workspace_name();
        self.notify(Notice {
            id: "MSG-PEER-5".into(),
            title: format!("Another copy of “{name}” is open on this computer."),
            body: "The two do not sync with each other. Each syncs with the computers of the other people.".into(),
            ..Notice::default()
        });
    }

    /// MSG-NET-5.
    fn note_port(&mut self, port: u16) {
        let wanted = config::port();
        let is_told = self.people.port.replace(port) == Some(port);
        if is_told || wanted == 0 || port == wanted {
            return;
        }
        self.engine.note(Notice {
            id: "MSG-NET-5".into(),
            title: format!("Port {wanted} is taken, so CodeSync uses {port}."),
            body: format!("People nearby still find you; typed addresses need “:{port}”."),
            ..Notice::default()
        });
    }

    fn notify(&mut self, notice: Notice) {
        self.tell_all(&Event::Notice(notice));
    }

    /// Syncs with nobody until told otherwise, in whichever process the workspace is.
    pub(super) fn pause(&mut self, is_paused: bool) -> Result<Reply> {
        if is_paused {
            (self.people.is_paused, self.people.is_stale) = (true, true);
            self.part();
            return state::put(&self.root.join(STORE_FOLDER), PAUSED, "true");
        }
        self.come_back()?;
        if self.engine.is_shared() {
            self.take_part()?;
        }
        Ok(Reply::Done)
    }

    /// Ends the part in the network; the ends of links are told by the network.
    fn part(&mut self) {
        self.people.together = None;
        self.people.host.let_all_go();
        let linked = std::mem::take(&mut self.people.linked);
        linked.keys().for_each(|id| self.engine.disconnect(*id));
        self.engine.take_link_outputs();
        self.note_gone(linked, now());
    }

    /// Whoever had left or paused takes part again.
    fn come_back(&mut self) -> Result<()> {
        self.people.is_stale = true;
        let store = self.root.join(STORE_FOLDER);
        for (was_so, key) in [(&mut self.people.is_paused, PAUSED), (&mut self.people.has_left, LEFT)] {
            if std::mem::take(was_so) {
                state::put(&store, key, "false")?;
            }
        }
        Ok(())
    }

    /// Looks for everybody now.
    pub(super) fn sync_now(&mut self) -> Result<Reply> {
        self.come_back()?;
        let welcome = self.welcome();
        if self.engine.is_shared() || welcome.is_some() {
            self.take_part()?;
            let address = welcome.and_then(|welcome| welcome.address);
            if let Some(net) = self.net() {
                net.look();
                if let Some(address) = address {
                    net.keep(parse_address(&address)?);
                }
            }
        }
        Ok(Reply::Done)
    }

    fn net(&self) -> Option<&Net> {
        self.people.together.as_ref().map(Together::net)
    }

    fn person_here(&self) -> String {
        self.person.clone().unwrap_or_else(config::person_name)
    }
}

fn parse_device(text: &str) -> Result<DeviceId> {
    text.parse().map_err(|_| ApiError::new(ErrorCode::Invalid, "That names no member."))
}

/// MSG-VER-1 or MSG-VER-2.
fn versions_apart(id: &str, person: Option<&str>, theirs: &str) -> Notice {
    let ours = env!("CARGO_PKG_VERSION");
    let (whose, them, who) = match person {
        Some(person) => (format!("{person}'s"), person, person),
        None => ("Another computer's".to_owned(), "theirs", "it"),
    };
    let (title, body) = if id == "MSG-VER-1" {
        (
            format!("{whose} CodeSync is too old to edit with yours"),
            format!(
                "({them} {theirs} · you {ours}). You can both go on working; changes will merge after {who} updates."
            ),
        )
    } else {
        let whose = if person.is_some() { whose } else { "another computer's".to_owned() };
        (
            format!("Your CodeSync is too old to edit with {whose}"),
            format!("(you {ours} · {them} {theirs}). Your work is safe here and will merge after you update."),
        )
    };
    Notice { id: id.to_owned(), title, body, ..Notice::default() }
}

/// What another program says of its version, as far as it looks like one.
fn plain_version(software: &str) -> String {
    let plain: String =
        software.chars().filter(|letter| letter.is_ascii_alphanumeric() || ".-+".contains(*letter)).take(20).collect();
    if plain.is_empty() { UNKNOWN_VERSION.into() } else { plain }
}

/// MSG-VER-3: a version that speaks the same protocol, and is not this one.
fn other_version(software: &str) -> Option<String> {
    let theirs = plain_version(software);
    (theirs != env!("CARGO_PKG_VERSION") && theirs != UNKNOWN_VERSION).then_some(theirs)
}

#[cfg(test)]
mod tests;
