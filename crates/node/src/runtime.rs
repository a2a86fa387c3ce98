//! The engine thread: takes what arrived, handles all of it, makes it durable with one fsync, answers, then
//! writes files that are due.

pub(crate) mod people;

use crate::bridge::{Bridge, Size};
use crate::identity::Identity;
use crate::join::Welcome;
use crate::{Options, STORE_FOLDER, config, health, settings, state, trash, whole};
use codesync_api::{
    ApiError, Entry, EntryKind, ErrorCode, Event, LineEnd, Notice, ReadOnlyReason, Reply, Request, ResumedView,
    SaveKind, SaveState, ViewOpened,
};
use codesync_auth::{Act, verify_delta};
use codesync_base::limits::TEXT_FILE_BYTES_MAX;
use codesync_base::{ProjectId, RelPath};
use codesync_engine::{AutoSave, Engine, Now, Profile, api_error};
use codesync_fs::{Batch, Watcher};
use codesync_log::{Log, MemoryDisk, MemoryIndex, OpenReport, Outcome};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

type Result<T> = std::result::Result<T, ApiError>;
type Answer = Sender<Result<Reply>>;

pub(crate) enum Message {
    Call(Box<Request>, Answer),
    Subscribe(SyncSender<Event>),
    /// Listeners and views that another process served until it ended.
    Resume(Vec<SyncSender<Event>>, Vec<ResumedView>),
    Changed(Batch),
    /// Of the network with this number; an earlier one may still have something to say.
    Net(u64, codesync_net::Event),
    Close(Sender<()>),
}

/// Messages handled before the next fsync.
const BATCH_MAX: usize = 512;
/// Quiet time after which history is put in order.
const REST_AFTER: Duration = Duration::from_secs(2);
const IDLE_AFTER: Duration = Duration::from_secs(30);
/// What a long intake takes in, and a heap of what others sent, is durable within this time.
const COMMIT_EVERY: Duration = Duration::from_millis(500);
/// Time in one turn for what others sent.
const OTHERS_TURN: Duration = Duration::from_millis(20);
/// How often a full disk is tried again, and a folder that is gone is looked for.
const RETRY: Duration = Duration::from_secs(1);
/// While work goes on without a rest, the head of the log is remembered this often, and room is looked for.
const NOTE_EVERY: Duration = Duration::from_secs(30);

/// That some of what was done here does not count.
const OWN_SET_ASIDE: &str = "MSG-ROLE-5";

pub(crate) struct Runtime {
    engine: Engine,
    bridge: Bridge,
    root: PathBuf,
    /// Who was said to work here when it was opened.
    person: Option<String>,
    watcher: Option<Watcher>,
    /// Kept for a watcher that is to be started anew.
    inbox: Option<Sender<Message>>,
    subscribers: Vec<SyncSender<Event>>,
    identity: Identity,
    last_noted: Instant,
    last_activity: Instant,
    last_commit: Instant,
    rested: bool,
    idled: bool,
    /// The next turn of a long intake goes to history.
    is_order_due: bool,
    /// The store was let go and could not be opened again.
    has_no_store: bool,
    people: people::People,
    /// What came from the network and is not dealt with yet, with the number of the network.
    from_others: VecDeque<(u64, codesync_net::Event)>,
}

impl Runtime {
    /// Takes the store.
    pub fn open(root: &Path, options: &Options) -> Result<Self> {
        let store = root.join(STORE_FOLDER);
        let (log, report) = open_log(root)?;
        let until = health::day_and_time(log.newest_reading().wall_ms);
        let identity = Identity::settle(&store, &log, config::device_key()?.device(), now().ms);
        // Both take a moment in a large folder, and neither needs the other.
        let (bridge, engine) = std::thread::scope(|scope| {
            let bridge = scope.spawn(|| Bridge::open(root, &store));
            let engine = open_engine(log, root, options.person.clone(), identity.incarnation());
            (bridge.join(), engine)
        });
        let bridge = bridge.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let mut engine = engine?;
        // What is lost the log itself says again to `verify`.
        let mended = report.findings.iter().filter(|finding| finding.outcome != Outcome::Lost);
        engine.note_healed(mended.map(|finding| format!("{}: {}", finding.place, finding.what)));
        engine.note_healed(identity.past(health::day_and_time));
        engine.set_auto_save(settings::auto_save(&store), now());
        let checked = || health::Checked::of(&engine, &bridge.folder);
        let damage = health::damage(&report, checked, health::moment);
        let notices = [identity.notice(&until), damage, health::read_only(&bridge.folder)];
        notices.into_iter().flatten().for_each(|notice| engine.note(notice));
        Ok(Self {
            engine,
            bridge,
            root: root.to_path_buf(),
            person: options.person.clone(),
            watcher: None,
            inbox: None,
            subscribers: Vec::new(),
            identity,
            last_noted: Instant::now(),
            last_activity: Instant::now(),
            last_commit: Instant::now(),
            rested: true,
            idled: true,
            is_order_due: false,
            has_no_store: false,
            people: people::People::default(),
            from_others: VecDeque::new(),
        })
    }

    /// Brings workspace and folder together; with an inbox, goes on following the folder.
    pub fn begin(&mut self, inbox: Option<Sender<Message>>) -> Result<()> {
        let (now, stay) = (now(), inbox.is_some());
        self.inbox = inbox;
        self.watch()?;
        if stay {
            // Views of several processes may come together here when one of them ends.
            let mut start = [0; 4];
            config::fill_random(&mut start);
            self.engine.number_views_from(u32::from_le_bytes(start) >> 2);
        }
        self.bridge.resume(&mut self.engine, now);
        self.meet_people()?;
        self.engine.set_color(settings::color(), now);
        if !self.may_take_in() {
            // What the folder has is looked at once this device may edit.
        } else if stay {
            self.bridge.look_first(&mut self.engine, now)?;
        } else {
            self.bridge.look(&mut self.engine, None, Size::Few, now)?;
        }
        while !stay && self.bridge.is_busy() {
            self.bridge.turn(&mut self.engine, now)?;
            self.commit_some(now)?;
            // Nobody listens yet.
            drop(self.engine.take_events());
        }
        self.commit(now)?;
        self.note_state();
        // Nobody listens yet.
        drop(self.engine.take_events());
        Ok(())
    }

    /// Follows the folder, if this runtime stays.
    fn watch(&mut self) -> Result<()> {
        let Some(inbox) = self.inbox.clone() else { return Ok(()) };
        let (batches, changes) = mpsc::channel();
        let watcher = Watcher::start(&self.bridge.folder, self.bridge.rules.clone(), batches)
            .map_err(crate::bridge::folder_error)?;
        self.watcher = Some(watcher);
        let forward = move || {
            // Ends when the watcher or the engine does.
            for batch in changes {
                if inbox.send(Message::Changed(batch)).is_err() {
                    break;
                }
            }
        };
        std::thread::Builder::new()
            .name("codesync-changes".into())
            .spawn(forward)
            .map(drop)
            .map_err(|error| ApiError::new(ErrorCode::Internal, "A thread could not be started.").with_detail(error))
    }

    /// Runs until it is closed.
    pub fn run(mut self, messages: &Receiver<Message>) {
        loop {
            let first = match messages.recv_timeout(self.patience()) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let mut batch: Vec<Message> = first.into_iter().collect();
            batch.extend(messages.try_iter().take(BATCH_MAX));
            let turned = catch_unwind(AssertUnwindSafe(|| self.turn(batch)));
            match turned {
                Ok(None) => {}
                Ok(Some(done)) => {
                    self.close();
                    done.send(()).unwrap_or_default();
                    return;
                }
                Err(_) => {
                    tracing::error!("the workspace met a bug and is closed; its history is intact");
                    self.tell_end();
                    return;
                }
            }
            if self.has_no_store {
                self.tell_end();
                return;
            }
        }
        self.close();
    }

    /// How long nothing needs to be done.
    fn patience(&self) -> Duration {
        if !self.from_others.is_empty() {
            return Duration::ZERO;
        }
        if self.engine.is_folder_gone() {
            // Nothing is due before it is back.
            return RETRY;
        }
        let now = now();
        let until_write =
            self.engine.next_write_ms(now).map(|due_ms| Duration::from_millis(due_ms.saturating_sub(now.ms)));
        let quiet = self.last_activity.elapsed();
        let until_rest = match (self.rested, self.idled) {
            (false, _) => Some(REST_AFTER.saturating_sub(quiet)),
            (true, false) => Some(IDLE_AFTER.saturating_sub(quiet)),
            (true, true) => None,
        };
        let until_retry = self.engine.is_unsynced().then_some(RETRY);
        let until_read = self.engine.has_more_to_read().then_some(Duration::ZERO);
        [
            self.bridge.patience(),
            self.people.patience(&self.engine, now.ms),
            until_read,
            until_write,
            until_rest,
            until_retry,
        ]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(Duration::from_secs(3_600))
    }

    /// One turn. Returns whom to tell when this was the last.
    pub(crate) fn turn(&mut self, batch: Vec<Message>) -> Option<Sender<()>> {
        let now = now();
        let (mut answers, mut closing, mut hurried, mut flushed) = (Vec::new(), None, false, false);
        // That a connection is alive is no work.
        let is_news = |message: &Message| !matches!(message, Message::Net(_, codesync_net::Event::RoundTrip { .. }));
        if batch.iter().any(is_news) || !self.from_others.is_empty() {
            (self.last_activity, self.rested, self.idled) = (Instant::now(), false, false);
        }
        self.look_for_folder(now);
        for message in batch {
            match message {
                Message::Call(request, answer) => {
                    hurried |= matches!(*request, Request::Flush | Request::Save { .. });
                    flushed |= matches!(*request, Request::Flush);
                    // What was typed is in its view, and the save state says whether it is kept; what is written elsewhere is there.
                    let only_asks = codesync_engine::only_asks(&request)
                        || matches!(*request, Request::EditView { .. } | Request::ExportUnsaved { .. });
                    let result = self.handle(*request, now);
                    answers.push((answer, result, only_asks));
                }
                Message::Subscribe(subscriber) => self.subscribe(subscriber),
                Message::Resume(listeners, views) => {
                    self.subscribers.extend(listeners);
                    if let Err(error) = self.handle(Request::ResumeViews { views }, now) {
                        tracing::warn!(%error, "views could not be gone on with");
                    }
                }
                Message::Changed(batch) => self.take_in(&batch, now),
                Message::Net(network, event) => self.from_others.push_back((network, event)),
                Message::Close(done) => closing = Some(done),
            }
        }
        self.take_from_others(OTHERS_TURN, now);
        // Who waits for an answer does not wait for an intake, but nothing may stand in the way of what a flush writes.
        let is_waited_for = !answers.is_empty();
        if flushed {
            self.go_on(Bridge::finish_intake, now);
        } else if !is_waited_for {
            self.take_in_some(now);
        }
        if !is_waited_for {
            // Others' keys are durable where they come from: whoever sees them here does not wait until they are here, too.
            self.tell();
        }
        let committed = if is_waited_for { self.commit(now) } else { self.commit_some(now) };
        if hurried && !self.engine.is_folder_gone() {
            self.write_all(now);
        }
        for (answer, result, only_asks) in answers {
            let result = match &committed {
                Err(error) if !only_asks => result.and(Err(health::waits(error))),
                _ => result,
            };
            // Whoever asked may be gone.
            answer.send(result).unwrap_or_default();
        }
        self.talk(committed.is_ok() && !self.engine.is_unsynced(), now);
        self.tell();
        if is_waited_for && self.bridge.is_busy() {
            self.take_in_some(now);
            // Whoever hears of it later is told then.
            if let Err(error) = self.commit_some(now) {
                tracing::debug!(%error, "changes of the folder wait to be saved");
            }
        }
        // The text is on the screen; its history is read before it is asked for.
        if self.engine.read_ahead() {
            self.tell();
        }
        if !self.engine.is_folder_gone() {
            self.write_some(now);
            self.tell();
            self.rest();
        }
        closing
    }

    /// Deals with some of what others sent, one at least: whoever types meanwhile does not wait for a heap of it.
    fn take_from_others(&mut self, time: Duration, now: Now) {
        let began = Instant::now();
        while let Some((network, event)) = self.from_others.pop_front() {
            if network == self.people.network {
                self.handle_net(event, now);
            }
            if began.elapsed() >= time {
                break;
            }
        }
    }

    /// Goes on with what changed in the folder.
    fn go_on(&mut self, how: fn(&mut Bridge, &mut Engine, Now) -> Result<()>, now: Now) {
        // What may not be taken in now is looked at once it may.
        self.may_take_in();
        if !self.engine.is_folder_gone()
            && let Err(error) = how(&mut self.bridge, &mut self.engine, now)
        {
            tracing::warn!(%error, "changes of the folder could not be taken in");
        }
    }

    /// Goes on for a moment with a mass change. Every changed file asks the newest history for its text, so that must
    /// stay short: it is put in order in turns of its own, that a key waits for one of the two only.
    fn take_in_some(&mut self, now: Now) {
        if std::mem::take(&mut self.is_order_due) {
            if let Err(error) = self.engine.rest_some() {
                tracing::debug!(%error, "history is put in order later");
            }
            return;
        }
        self.go_on(Bridge::turn, now);
        self.is_order_due = self.bridge.is_busy();
    }

    /// Whoever listens from now on is told first what all are to know.
    fn subscribe(&mut self, subscriber: SyncSender<Event>) {
        for notice in self.engine.notices() {
            // Whoever subscribed may be gone.
            subscriber.try_send(Event::Notice(notice.clone())).unwrap_or_default();
        }
        self.subscribers.push(subscriber);
    }

    /// Notices that the folder went, and goes on when it is back.
    fn look_for_folder(&mut self, now: Now) {
        let was_gone = self.engine.is_folder_gone();
        let is_here = self.engine.look_for_folder(now, &|until| self.bridge.gone(until)).is_ok();
        if was_gone && is_here {
            drop(self.watcher.take());
            if let Err(error) = self.watch() {
                tracing::warn!(%error, "the folder could not be looked at");
            }
            self.take_in(&Batch { overflow: true, ..Batch::default() }, now);
        }
    }

    /// Remembers how far history goes, and looks whether there is room for more.
    fn note_state(&mut self) {
        self.last_noted = Instant::now();
        if self.engine.is_unsynced() {
            return;
        }
        self.identity.note_head(self.engine.log());
        health::note_space(&mut self.engine, &self.bridge.folder);
    }

    /// Makes everything durable.
    fn commit(&mut self, now: Now) -> Result<()> {
        self.last_commit = Instant::now();
        let done = self.bridge.sync(&mut self.engine, now);
        if done.is_ok() && self.last_noted.elapsed() >= NOTE_EVERY {
            self.note_state();
        }
        done
    }

    /// Makes what a long intake did durable now and then: an fsync for each of its turns would be most of its time.
    fn commit_some(&mut self, now: Now) -> Result<()> {
        let goes_on = self.bridge.is_busy() || !self.from_others.is_empty();
        if goes_on && self.last_commit.elapsed() < COMMIT_EVERY {
            return Ok(());
        }
        self.commit(now)
    }

    fn take_in(&mut self, batch: &Batch, now: Now) {
        if self.engine.is_folder_gone() || !self.may_take_in() {
            // Everything is looked at when it is back, or when it may be taken in.
            return;
        }
        let paths = if batch.overflow { None } else { Some(&batch.paths) };
        if let Err(error) = self.bridge.look_soon(&mut self.engine, paths, Size::of(batch), now) {
            tracing::warn!(%error, "the folder could not be looked at");
        }
    }

    fn write_some(&mut self, now: Now) {
        let is_due = self.engine.next_write_ms(now).is_some_and(|due_ms| due_ms <= now.ms);
        if is_due && let Err(error) = self.bridge.write_due(&mut self.engine, now).and_then(|_| self.commit(now)) {
            tracing::warn!(%error, "files could not be written");
        }
    }

    /// Writes every file that waits.
    fn write_all(&mut self, now: Now) {
        self.engine.hurry_writes(now);
        loop {
            match self.bridge.write_due(&mut self.engine, now) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(%error, "files could not be written");
                    return;
                }
            }
        }
    }

    fn rest(&mut self) {
        if self.bridge.is_busy() {
            (self.last_activity, self.rested, self.idled) = (Instant::now(), false, false);
            return;
        }
        let quiet = self.last_activity.elapsed();
        let idle = quiet >= IDLE_AFTER && !self.idled;
        if (quiet >= REST_AFTER && !self.rested) || idle {
            match self.engine.rest_some() {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "history could not be put in order"),
            }
            (self.rested, self.idled) = (true, self.idled || idle);
            if let Err(error) = self.engine.rest(idle) {
                tracing::warn!(%error, "history could not be put in order");
            }
            if idle {
                self.bridge.tidy();
            }
            self.note_state();
        }
    }

    /// The last that clients hear: what they type from now on would be kept nowhere.
    fn tell_end(&mut self) {
        let message = "CodeSync can't go on with this folder. Everything shown as saved is kept. Open the folder again \
                       to go on.";
        let state =
            SaveState { kind: SaveKind::Failed, saved_ms: None, n_unwritten: 0, message: Some(message.to_owned()) };
        self.tell_all(&Event::SaveState(state));
    }

    fn tell(&mut self) {
        for event in self.engine.take_events() {
            match event {
                Event::Notice(notice) if notice.id == OWN_SET_ASIDE => self.keep_set_aside(notice),
                event => self.tell_all(&event),
            }
        }
    }

    /// MSG-ROLE-5: what somebody did that does not count goes from the folder, and is put where they find it.
    fn keep_set_aside(&mut self, mut notice: Notice) {
        let kept = self.engine.own_set_aside().and_then(|files| whole::keep_beside(&self.root, &files));
        match kept {
            Ok(folder) if folder.is_dir() => {
                notice.body = format!("They are kept in “{}”.", folder.display());
                notice.path = folder.strip_prefix(&self.root).ok().map(|within| within.display().to_string());
            }
            Ok(_) => notice.body = "They were about folders alone.".into(),
            Err(error) => {
                tracing::error!(%error, "what does not count is in history alone");
                notice.body = "They are kept in the history alone.".into();
            }
        }
        // Whoever looks later is to know it, too.
        self.engine.forget_notice(OWN_SET_ASIDE);
        self.engine.note(notice);
        self.engine.take_events().iter().for_each(|event| self.tell_all(event));
    }

    /// One who does not read is let go: the end of its events tells it to begin anew.
    fn tell_all(&mut self, event: &Event) {
        self.subscribers.retain(|subscriber| subscriber.try_send(event.clone()).is_ok());
    }

    fn handle(&mut self, request: Request, now: Now) -> Result<Reply> {
        if self.engine.is_folder_gone() && needs_folder(&request) {
            self.engine.look_for_folder(now, &|until| self.bridge.gone(until))?;
        }
        match request {
            Request::OpenView { path } => self.open_view(path, now),
            Request::PresentText { path } => self.present_text(path, now),
            Request::GetState { key } => state::get(&self.root.join(STORE_FOLDER), &key),
            Request::PutState { key, value } => state::put(&self.root.join(STORE_FOLDER), &key, &value),
            Request::ReadSettings => {
                self.engine.set_auto_save(settings::auto_save(&self.root.join(STORE_FOLDER)), now);
                self.engine.set_color(settings::color(), now);
                self.read_visibility();
                Ok(Reply::Done)
            }
            Request::ListFolder { path, at: None } => self.list_folder(path, now),
            Request::MoveToTrash { path } => self.move_to_trash(&path, now),
            Request::ImportFile { source, path } => self.import_file(Path::new(&source), &path, now),
            Request::ExportBundle { file } => whole::export_bundle(&mut self.engine, Path::new(&file)),
            Request::ExportUnsaved { file } => whole::export_unsaved(&mut self.engine, Path::new(&file)),
            Request::ImportBundle { file } => self.import_bundle(Path::new(&file), now),
            Request::Together => Ok(Reply::Together(self.together())),
            Request::Invite { role, is_long, share_past } => self.invite(role, is_long, share_past, now),
            Request::Share => self.share(),
            Request::InviteNearby { peer, role, share_past } => self.invite_nearby(&peer, role, share_past),
            Request::AnswerAsk { id, answer } => self.answer_ask(id, answer, now),
            Request::Pause { is_paused } => self.pause(is_paused),
            Request::SyncNow => self.sync_now(),
            Request::Leave => self.leave(),
            Request::Digest => Ok(Reply::Digest(whole::digest(&mut self.engine)?)),
            Request::EndInvitation => self.end_invitation(),
            Request::SetRole { device, role } => self.set_role(&device, role, now),
            Request::RemoveMember { device } => self.remove_member(&device, now),
            Request::Connect { address } => self.connect_to(&address),
            Request::ExportGit { dir } => whole::export_git(&mut self.engine, Path::new(&dir)),
            request => self.engine.handle(request, now),
        }
    }

    fn present_text(&mut self, path: String, now: Now) -> Result<Reply> {
        if let Ok(wanted) = RelPath::parse(&path) {
            self.bridge.take_in_now(&mut self.engine, &wanted, now)?;
        }
        self.engine.handle(Request::PresentText { path }, now)
    }

    /// A file of the workspace, or one that the ignore rules keep out of history: shown, not edited.
    fn open_view(&mut self, path: String, now: Now) -> Result<Reply> {
        if let Ok(wanted) = RelPath::parse(&path) {
            self.bridge.take_in_now(&mut self.engine, &wanted, now)?;
        }
        let opened = self.engine.handle(Request::OpenView { path: path.clone() }, now);
        match opened {
            Err(error) if error.code == ErrorCode::NotFound => self.view_ignored(&path).ok_or(error),
            opened => opened,
        }
    }

    fn view_ignored(&self, path: &str) -> Option<Reply> {
        let (folder, path_here) = (&self.bridge.folder, RelPath::parse(path).ok()?);
        folder.stat(&path_here).ok()?.filter(|stamp| stamp.size <= TEXT_FILE_BYTES_MAX)?;
        let file = folder.read(&path_here).ok()??;
        let codesync_fs::Content::Text { text, meta, .. } = codesync_fs::read_text(&file.bytes) else { return None };
        let line_end = match meta.line_end {
            codesync_base::LineEnd::Lf => LineEnd::Lf,
            codesync_base::LineEnd::CrLf => LineEnd::CrLf,
        };
        Some(Reply::View(ViewOpened {
            view_id: 0,
            file_id: None,
            path: path.to_owned(),
            revision: 0,
            text,
            encoding: meta.encoding,
            byte_order_mark: meta.byte_order_mark,
            line_end,
            mixed_line_ends: false,
            read_only: Some(ReadOnlyReason::Ignored),
            size_bytes: file.bytes.len() as u64,
            n_moments: 0,
        }))
    }

    /// What is in a folder, with what the ignore rules keep out.
    fn list_folder(&mut self, path: String, now: Now) -> Result<Reply> {
        // A folder that is being taken in shows what is on disk, though it may not be in the workspace yet.
        let is_busy = self.bridge.is_busy();
        let mut reply = match self.engine.handle(Request::ListFolder { path: path.clone(), at: None }, now) {
            Err(error) if error.code == ErrorCode::NotFound && is_busy => Reply::Folder { entries: Vec::new() },
            reply => reply?,
        };
        let parsed = if path.is_empty() { None } else { RelPath::parse(&path).ok() };
        let listed = codesync_fs::list(&self.bridge.folder, &self.bridge.rules, parsed.as_ref());
        let (Reply::Folder { entries }, Ok(listed)) = (&mut reply, listed) else { return Ok(reply) };
        let known: std::collections::BTreeSet<String> = entries.iter().map(|entry| entry.path.clone()).collect();
        let others = listed.into_iter().filter(|entry| entry.is_ignored || is_busy).filter_map(|entry| {
            let ignored = entry.is_ignored;
            let path = entry.path?.to_string();
            let kind = match entry.kind {
                codesync_fs::EntryKind::Folder => EntryKind::Folder,
                _ => EntryKind::Text,
            };
            let other = Entry { name: entry.name, path, kind, file_id: None, executable: false, ignored, change: None };
            (!known.contains(&other.path)).then_some(other)
        });
        entries.extend(others);
        entries.sort_by(|a, b| a.kind.cmp(&b.kind).then_with(|| a.name.to_lowercase().cmp(&b.name.to_lowercase())));
        Ok(reply)
    }

    /// Deletes what the folder has by now: what was typed or changed there last is to be in the trash and in history.
    fn move_to_trash(&mut self, path: &str, now: Now) -> Result<Reply> {
        self.engine.may(Act::Edit)?;
        if let Ok(wanted) = RelPath::parse(path)
            && !self.bridge.is_busy()
        {
            self.bridge.look(&mut self.engine, Some(&[wanted].into()), Size::Few, now)?;
            self.bridge.finish_intake(&mut self.engine, now)?;
        }
        self.commit(now)?;
        self.write_all(now);
        trash::delete(&mut self.engine, &self.bridge, path, now)
    }

    /// Copies a file or folder from elsewhere into the workspace, through the folder.
    fn import_file(&mut self, source: &Path, path: &str, now: Now) -> Result<Reply> {
        self.engine.may(Act::Edit)?;
        let target = RelPath::parse(path).map_err(|error| ApiError::new(ErrorCode::Invalid, error.to_string()))?;
        whole::copy_in(&self.bridge.folder, source, &target)?;
        self.bridge.look(&mut self.engine, Some(&[target].into()), Size::Few, now)?;
        self.bridge.finish_intake(&mut self.engine, now)?;
        Ok(Reply::Done)
    }

    fn import_bundle(&mut self, file: &Path, now: Now) -> Result<Reply> {
        let bundle = whole::read_bundle(file)?;
        self.bridge.finish_intake(&mut self.engine, now)?;
        self.commit(now)?;
        if self.engine.project() == bundle.project {
            let n_before = self.engine.log().n_deltas();
            let imported = self.engine.import_bundle(&bundle, now);
            // What does not fit the disk now may be in the log already, and this engine knows nothing of it.
            if imported.is_ok() || self.engine.log().n_deltas() > n_before {
                self.reopen(now)?;
            }
            return imported.map(|n_deltas| Reply::Imported { n_deltas });
        }
        bundle.check_needs(|_| false)?;
        if !self.engine.tree().events().is_empty() {
            let sentence = "This folder has a history of its own already. Import the bundle in a new, empty folder.";
            return Err(ApiError::new(ErrorCode::Exists, sentence));
        }
        let (store, person) = (self.root.join(STORE_FOLDER), self.person.clone());
        let n_deltas = bundle.deltas.len() as u64;
        // A life of its own: the device that made the bundle may be this one, and may go on elsewhere.
        self.identity = Identity::begin_anew(&store, config::device_key()?.device());
        let incarnation = self.identity.incarnation();
        self.replace_engine(|log, root| {
            log.close().map_err(api_error)?;
            whole::set_history_aside(&store)?;
            let (mut log, _) = open_log(root)?;
            codesync_engine::add_bundle(&mut log, &bundle)?;
            open_engine(log, root, person, incarnation)
        })?;
        self.write_whole_tree(now)?;
        Ok(Reply::Imported { n_deltas })
    }

    /// Opens the engine anew on its log, which has all that this one has.
    fn reopen(&mut self, now: Now) -> Result<()> {
        let (person, incarnation) = (self.person.clone(), self.identity.incarnation());
        self.replace_engine(|log, root| open_engine(log, root, person, incarnation))?;
        self.write_whole_tree(now)
    }

    fn replace_engine(&mut self, make: impl FnOnce(Log, &Path) -> Result<Engine>) -> Result<()> {
        let (spare, _) = Log::open_with(Box::new(MemoryDisk::new()), Box::new(MemoryIndex::new()), log_options())
            .map_err(api_error)?;
        // The next engine knows nothing of what this one has to tell, nor of its links.
        self.tell();
        let meeting = self.part_for_now();
        let old = std::mem::replace(self.engine.log_mut(), spare);
        let made = make(old, &self.root);
        let (engine, failure) = match made {
            Ok(engine) => (Ok(engine), Ok(())),
            // The engine at hand has no store any more: nothing may be taken by it.
            Err(error) => (
                open_log(&self.root).and_then(|(log, _)| {
                    open_engine(log, &self.root, self.person.clone(), self.identity.incarnation())
                }),
                Err(error),
            ),
        };
        match engine {
            Ok(mut engine) => {
                engine.succeed(&self.engine);
                self.engine = engine;
                self.meet_again(meeting)?;
            }
            Err(_) => self.has_no_store = true,
        }
        failure
    }

    fn write_whole_tree(&mut self, now: Now) -> Result<()> {
        let alive: Vec<_> = self.engine.tree().alive().map(|node| node.file).collect();
        // What the imported history deletes goes from the folder, too.
        for file in self.bridge.files_on_disk().into_iter().chain(alive) {
            self.engine.request_write(file, now);
        }
        self.write_all(now);
        self.commit(now)
    }

    pub(crate) fn close(mut self) {
        let now = now();
        self.look_for_folder(now);
        if self.engine.is_folder_gone() {
            // Nothing may be made anew where it was; what is not saved was said to be so.
            tracing::warn!("the folder is gone; the workspace is let go as it is");
            self.tell();
            return;
        }
        if let Err(error) = self.bridge.finish_intake(&mut self.engine, now).and_then(|()| self.commit(now)) {
            tracing::warn!(%error, "not all changes of the folder were taken in");
        }
        if self.engine.auto_save() != AutoSave::Off {
            // Whoever closes the workspace leaves its files.
            self.engine.save(None, now);
        }
        self.write_all(now);
        self.tell();
        drop(self.watcher.take());
        self.note_state();
        if let Err(error) = self.engine.shut_down(now) {
            tracing::warn!(%error, "the workspace did not close cleanly; everything shown as saved is kept");
        }
    }
}

#[cfg(test)]
impl Runtime {
    pub(crate) fn log_heads(&self) -> Vec<codesync_base::Head> {
        self.engine.log().heads()
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.bridge.is_busy()
    }

    /// Others sent this, and there is so much time for it in this turn. Returns how much is left, and until when nothing is due.
    pub(crate) fn hear(&mut self, events: Vec<codesync_net::Event>, time: Duration) -> (usize, Duration) {
        self.from_others.extend(events.into_iter().map(|event| (self.people.network, event)));
        self.take_from_others(time, now());
        (self.from_others.len(), self.patience())
    }

    /// As far as a program gets that is killed in the middle of a turn.
    pub(crate) fn take_in_without_commit(&mut self, paths: &[&str]) {
        let paths = paths.iter().filter_map(|path| RelPath::parse(path).ok()).collect();
        self.bridge.look(&mut self.engine, Some(&paths), Size::Few, now()).expect("invariant: the folder is there");
        self.bridge.finish_intake(&mut self.engine, now()).expect("invariant: the disk has room");
    }
}

fn log_options() -> codesync_log::Options {
    codesync_log::Options::new(verify_delta)
}

fn open_log(root: &Path) -> Result<(Log, OpenReport)> {
    let opened = Log::open(root, log_options()).map_err(|error| health::store_refusal(root, error))?;
    opened.1.findings.iter().for_each(|finding| tracing::warn!(?finding, "the history was not whole"));
    Ok(opened)
}

fn open_engine(log: Log, root: &Path, person: Option<String>, incarnation: u32) -> Result<Engine> {
    let welcome = Welcome::read(&root.join(STORE_FOLDER)).filter(|_| log.n_deltas() == 0);
    let mut project = ProjectId::ZERO;
    config::fill_random(&mut project.0);
    let profile = Profile {
        new_project: welcome.as_ref().map_or(project, |welcome| welcome.project),
        person: person.unwrap_or_else(config::person_name),
        device_name: config::device_name(),
        root: root.display().to_string(),
        incarnation,
    };
    let key = config::device_key()?;
    let Some(welcome) = welcome else { return Engine::open(log, key, profile, now()) };
    let mut engine = Engine::join(log, key, profile)?;
    if let Some(checkpoint) = welcome.begins_with {
        engine.begin_with(checkpoint)?;
    }
    Ok(engine)
}

/// Requests that read or write the folder itself, or are only done when it has what they made.
fn needs_folder(request: &Request) -> bool {
    matches!(
        request,
        Request::PutState { .. }
            | Request::ImportFile { .. }
            | Request::ImportBundle { .. }
            | Request::Verify { .. }
            | Request::Save { .. }
            | Request::Flush
    )
}

/// The time, asked of the system.
pub(crate) fn now() -> Now {
    let ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
    let offset = jiff::Timestamp::from_millisecond(ms as i64)
        .map(|instant| jiff::tz::TimeZone::system().to_offset(instant).seconds() / 60)
        .unwrap_or(0);
    Now { ms, local_offset_minutes: offset }
}
