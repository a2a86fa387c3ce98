//! The deterministic workspace: requests and disk changes in, replies, events and files to write out.
//! Owns the documents, the tree, the log, the views and undo. It reads no clock, opens no socket, touches
//! no file of the workspace: time comes in as [`Now`], the store as a [`Log`].
//!
//! Where a keystroke goes: `views::edit_view` → `acts::text_step` → (document edited, step named) →
//! `acts::close` → (delta hashed, signed, appended to the log) → `Engine::sync` → (fsync) → shown as saved.

mod activity;
mod acts;
mod authors;
mod away;
mod bundle;
mod changeset;
mod chat;
mod compare;
mod digests;
mod documents;
mod files;
mod first_look;
mod foreign;
mod git_export;
mod history;
mod intake;
mod kept_text;
mod links;
mod meeting;
mod moments;
mod outgoing;
mod presence;
mod records;
mod replace;
mod request;
mod restore;
mod rights;
mod undo;
mod views;
mod workspace;

pub use bundle::{Bundle, add_bundle};
pub use digests::Digest;
pub use foreign::{Arrived, Fork, Held, Merged, Place, Received, Refusal, SetAside};
pub use git_export::GitStream;
pub use intake::{DiskBase, Intake, IntakeKind, IntakeRun};
pub use links::{Gate, LinkOutput};
pub use outgoing::{AutoSave, DiskImage, DiskImageKind};
pub use request::only_asks;

use authors::Authors;
use codesync_api::{ApiError, Author, ErrorCode, Event, Notice, SaveKind, SaveState};
use codesync_auth::DeviceKey;
use codesync_base::{Clock, DeltaHash, DeviceId, FileId, LogId, ProjectId, RelPath, SignedDelta, StepKey};
use codesync_doc::Tree;
use codesync_log::{Log, LogError};
use codesync_timeline::AuthorIdx;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

type Result<T> = std::result::Result<T, ApiError>;

/// The time at which something is handled, given by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Unix milliseconds.
    pub ms: u64,
    /// Minutes that the local clock is ahead of UTC, for the names of automatic moments.
    pub local_offset_minutes: i32,
}

impl Now {
    /// Local `HH:MM`.
    fn hour_minute(self) -> String {
        let (hour, minute, _) = clock_time(self.ms, self.local_offset_minutes);
        format!("{hour:02}:{minute:02}")
    }

    /// Local `HH:MM` of another instant.
    fn hour_minute_of(self, at_ms: u64) -> String {
        Self { ms: at_ms, ..self }.hour_minute()
    }

    /// Local `HH:MM:SS` of another instant.
    fn time_of(self, at_ms: u64) -> String {
        let (hour, minute, second) = clock_time(at_ms, self.local_offset_minutes);
        format!("{hour:02}:{minute:02}:{second:02}")
    }
}

fn clock_time(ms: u64, offset_minutes: i32) -> (i64, i64, i64) {
    let seconds = (ms / 1_000) as i64 + i64::from(offset_minutes) * 60;
    let of_day = seconds.rem_euclid(86_400);
    (of_day / 3_600, of_day / 60 % 60, of_day % 60)
}

/// Who and where this replica is.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Used when the log is empty; otherwise the log says.
    pub new_project: ProjectId,
    pub person: String,
    pub device_name: String,
    /// Absolute path of the folder, for [`codesync_api::Status`] only.
    pub root: String,
    /// Life of this device's log (see [`LogId`]).
    pub incarnation: u32,
}

/// One open workspace.
pub struct Engine {
    log: Log,
    key: DeviceKey,
    profile: Profile,
    /// The author colour that the person here asks for; none until it is known whether they do.
    wished_color: Option<Option<u8>>,
    project: ProjectId,
    own: LogId,
    head_seq: u32,
    head_hash: DeltaHash,
    clock: Clock,
    pending: Option<acts::Pending>,
    /// Closed deltas that the log has not taken yet, oldest first: its disk is full or broken.
    waiting: VecDeque<(SignedDelta, Vec<u8>)>,
    burst: Option<acts::Burst>,
    /// What was begun last to be replaced in files.
    replacing: Option<acts::Act>,
    tree: Tree,
    /// Named moments in canonical order.
    marks: Vec<moments::Mark>,
    /// Those that others made and no client here was told of.
    marks_of_others: Vec<StepKey>,
    /// Steps that say who works here, who may, or what people say to each other.
    n_sessions: u64,
    documents: documents::Documents,
    workspace: Option<workspace::Workspace>,
    authors: Authors,
    /// What views were opened with before their documents were read.
    shown: BTreeMap<FileId, String>,
    /// What a newcomer looks at before history is here.
    first_look: first_look::FirstLook,
    others: foreign::Others,
    links: links::Links,
    digests: digests::Digests,
    presence: presence::Presences,
    talk: chat::Talk,
    away: away::Away,
    rights_told: activity::RightsTold,
    meetings: meeting::Meetings,
    /// As it was last said.
    local_offset_minutes: i32,
    is_shared: bool,
    /// None as long as everybody may do everything here.
    rights: Option<codesync_auth::Access>,
    views: BTreeMap<u32, views::View>,
    next_view_id: u32,
    unwritten: BTreeMap<FileId, outgoing::Unwritten>,
    /// Files whose disk state became stale since the last `take_newly_unwritten`.
    newly_unwritten: Vec<FileId>,
    auto_save: AutoSave,
    /// Other files than were told wait until they are saved.
    has_waiting_changed: bool,
    refused: BTreeMap<String, String>,
    n_ignored: u64,
    /// The folder was looked at as a whole.
    was_scanned: bool,
    /// What opening the log found and healed, for `verify`.
    healed: Vec<String>,
    /// What everybody who opens this workspace is to know.
    notices: Vec<Notice>,
    events: Vec<Event>,
    grown: BTreeSet<String>,
    save: SaveState,
    /// Time of the newest change that is not yet durable.
    unsaved_since_ms: Option<u64>,
}

impl Engine {
    /// Opens the workspace that a log holds; an empty log becomes a new workspace.
    pub fn open(log: Log, key: DeviceKey, profile: Profile, now: Now) -> Result<Self> {
        let mut engine = Self::join(log, key, profile)?;
        engine.begin_session(now);
        Ok(engine)
    }

    /// The same for a workspace of others that this device was let into: before their history is here, and with it the
    /// delta that lets it in, nothing is said.
    pub fn join(log: Log, key: DeviceKey, profile: Profile) -> Result<Self> {
        let own = LogId { device: key.device(), incarnation: profile.incarnation };
        let head = log.head(&own);
        let mut engine = Self {
            project: profile.new_project,
            own,
            head_seq: head.map_or(0, |head| head.seq),
            head_hash: head.map_or(DeltaHash::ZERO, |head| head.hash),
            clock: Clock::default(),
            pending: None,
            waiting: VecDeque::new(),
            burst: None,
            replacing: None,
            tree: Tree::new(),
            marks: Vec::new(),
            marks_of_others: Vec::new(),
            n_sessions: 0,
            documents: Default::default(),
            workspace: None,
            authors: Authors::default(),
            shown: BTreeMap::new(),
            first_look: first_look::FirstLook::default(),
            others: foreign::Others::knowing(log.heads().into_iter().filter(|head| head.log != own)),
            links: links::Links::default(),
            digests: digests::Digests::default(),
            presence: presence::Presences::default(),
            talk: chat::Talk::default(),
            away: away::Away::default(),
            rights_told: activity::RightsTold::default(),
            meetings: meeting::Meetings::default(),
            local_offset_minutes: 0,
            is_shared: false,
            rights: None,
            views: BTreeMap::new(),
            next_view_id: 1,
            unwritten: BTreeMap::new(),
            newly_unwritten: Vec::new(),
            auto_save: AutoSave::default(),
            has_waiting_changed: false,
            refused: BTreeMap::new(),
            n_ignored: 0,
            was_scanned: false,
            healed: Vec::new(),
            notices: Vec::new(),
            events: Vec::new(),
            grown: BTreeSet::new(),
            save: SaveState { kind: SaveKind::Saved, saved_ms: None, n_unwritten: 0, message: None },
            unsaved_since_ms: None,
            log,
            key,
            profile,
            wished_color: None,
        };
        engine.load_cut()?;
        engine.load_tree()?;
        engine.load_arrivals();
        engine.load_meetings();
        engine.load_away();
        engine.load_forks()?;
        if engine.is_shared {
            engine.uphold_rights(None)?;
        }
        // All that an opened log has is on disk.
        engine.save.saved_ms = Some(engine.clock.last().wall_ms).filter(|ms| *ms > 0);
        Ok(engine)
    }

    /// Goes on under a new name: others have a log of the present one that goes on otherwise. The name has to be kept
    /// where the next opening finds it before this is called.
    pub fn begin_incarnation(&mut self, incarnation: u32, now: Now) -> Result<()> {
        self.close()?;
        self.burst = None;
        self.own.incarnation = incarnation;
        self.profile.incarnation = incarnation;
        let head = self.log.head(&self.own);
        self.head_seq = head.map_or(0, |head| head.seq);
        self.head_hash = head.map_or(DeltaHash::ZERO, |head| head.hash);
        self.name_all_heads();
        if self.may(codesync_auth::Act::Speak).is_ok() {
            self.begin_session(now);
        }
        Ok(())
    }

    /// Makes everything handled so far durable (one fsync), then says so.
    pub fn sync(&mut self, now: Now) -> Result<()> {
        self.sync_while(now, &|_| None)
    }

    /// The same, as long as `gone` does not say that the folder is not where it was. It is given the time up to
    /// which everything is kept, and asked before and after: what was written into a folder that went meanwhile
    /// went with it, and must not be called saved.
    pub fn sync_while(&mut self, now: Now, gone: &dyn Fn(&str) -> Option<String>) -> Result<()> {
        self.local_offset_minutes = now.local_offset_minutes;
        self.look_for_folder(now, gone)?;
        let done = self.close().and_then(|()| self.log.sync().map_err(api_error));
        self.look_for_folder(now, gone)?;
        match &done {
            Ok(()) => {
                self.links.note_durable();
                let saved_ms = self.unsaved_since_ms.take().map(|_| now.ms).or(self.save.saved_ms);
                let still = Some(self.save.kind).filter(|kind| *kind == SaveKind::CannotWriteFile);
                let message = self.save.message.clone().filter(|_| still.is_some());
                self.set_save(still.unwrap_or(SaveKind::Saved), saved_ms, message);
            }
            Err(error) => self.note_store_failure(error.clone(), now),
        }
        self.flush_growth();
        done
    }

    /// Notices that the folder went, or that it is back. While it is gone nothing is taken and nothing is called
    /// saved; what was taken before and is not saved waits.
    pub fn look_for_folder(&mut self, now: Now, gone: &dyn Fn(&str) -> Option<String>) -> Result<()> {
        let until = self.save.saved_ms.map_or("now".to_owned(), |ms| now.time_of(ms));
        match gone(&until) {
            Some(sentence) => {
                self.set_save(SaveKind::FolderGone, self.save.saved_ms, Some(sentence.clone()));
                Err(ApiError::new(ErrorCode::Io, sentence))
            }
            None => {
                if self.is_folder_gone() {
                    // Until the sync says how it is.
                    self.set_save(SaveKind::Saving, self.save.saved_ms, None);
                }
                Ok(())
            }
        }
    }

    pub fn is_folder_gone(&self) -> bool {
        self.save.kind == SaveKind::FolderGone
    }

    /// Whether something was handled that is not durable yet.
    pub fn is_unsynced(&self) -> bool {
        let is_waiting = self.pending.is_some() || !self.waiting.is_empty() || self.log.unsynced();
        // After a failure, going on is a sync that succeeds.
        is_waiting || self.unsaved_since_ms.is_some() || self.is_store_failed() || self.save.kind == SaveKind::Saving
    }

    /// Housekeeping when nothing happens: blocks are sealed, unused documents dropped.
    pub fn rest(&mut self, idle: bool) -> Result<()> {
        self.close()?;
        if idle {
            self.keep_texts(1);
            self.documents.drop_trails();
        } else {
            self.keep_long_grown_texts();
        }
        self.evict_documents();
        self.log.seal(idle).map(drop).map_err(api_error)
    }

    /// A little of the housekeeping that much new history makes. Says whether more of it is to be done before
    /// [`Self::rest`].
    pub fn rest_some(&mut self) -> Result<bool> {
        self.close()?;
        let is_more = self.log.seal_part().map_err(api_error)?;
        if is_more {
            self.documents.evict(|file| self.views.values().any(|view| view.file == *file));
        }
        Ok(is_more)
    }

    pub fn take_events(&mut self) -> Vec<Event> {
        if std::mem::take(&mut self.has_waiting_changed) {
            self.events.push(Event::WaitingForSave { paths: self.paths_waiting_for_save() });
        }
        std::mem::take(&mut self.events)
    }

    /// What the scan of the folder found that cannot be part of the workspace. News is told, but for the first.
    pub fn note_scan(&mut self, refused: impl IntoIterator<Item = (String, String)>, n_ignored: u64) {
        let before = std::mem::replace(&mut self.refused, refused.into_iter().collect());
        if std::mem::replace(&mut self.was_scanned, true) {
            self.tell_refused(&before);
        }
        self.n_ignored = n_ignored;
    }

    /// The same of a look at some paths, folders with all that is in them.
    pub fn note_refused(&mut self, looked_at: &BTreeSet<RelPath>, refused: impl IntoIterator<Item = (String, String)>) {
        let before = self.refused.clone();
        let is_within = |path: &str, folder: &RelPath| {
            path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.refused.retain(|path, _| !looked_at.iter().any(|folder| is_within(path, folder)));
        self.refused.extend(refused);
        self.tell_refused(&before);
    }

    fn tell_refused(&mut self, before: &BTreeMap<String, String>) {
        let news: Vec<_> = self.refused.iter().filter(|(path, _)| !before.contains_key(*path)).collect();
        let Some((path, reason)) = news.first() else { return };
        let title = match news.len() {
            1 => format!("“{path}” is left out of history."),
            n => format!("{n} files are left out of history, “{path}” first."),
        };
        let notice = Notice {
            id: "MSG-FILE-6".into(),
            title,
            body: (*reason).clone(),
            path: Some((*path).clone()),
            ..Notice::default()
        };
        self.events.push(Event::Notice(notice));
    }

    /// What opening the log found, as sentences.
    pub fn note_healed(&mut self, findings: impl IntoIterator<Item = String>) {
        self.healed.extend(findings);
    }

    pub fn project(&self) -> ProjectId {
        self.project
    }

    pub fn log(&self) -> &Log {
        &self.log
    }

    pub fn log_mut(&mut self) -> &mut Log {
        &mut self.log
    }

    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The time at which a link does something; what hour it is here, it does not know.
    fn now_at(&self, moment: codesync_sync::Moment) -> Now {
        Now { ms: moment.wall_ms, local_offset_minutes: self.local_offset_minutes }
    }

    /// Takes the place of an engine, with its views.
    pub fn succeed(&mut self, other: &Self) {
        self.next_view_id = self.next_view_id.max(other.next_view_id);
        self.notices.clone_from(&other.notices);
        self.auto_save = other.auto_save;
        self.succeed_views(other);
    }

    /// The first view gets this number, so that a client that goes on here from another process finds its own free.
    pub fn number_views_from(&mut self, view_id: u32) {
        self.next_view_id = self.next_view_id.max(view_id);
    }

    /// Tells something that everybody who opens this workspace later is to know, too. What is known by its id is
    /// only brought up to date.
    pub fn note(&mut self, notice: Notice) {
        match self.notices.iter_mut().find(|known| known.id == notice.id) {
            Some(known) => *known = notice,
            None => {
                self.events.push(Event::Notice(notice.clone()));
                self.notices.push(notice);
            }
        }
    }

    /// A notice that does not hold any more.
    pub fn forget_notice(&mut self, id: &str) {
        self.notices.retain(|known| known.id != id);
    }

    /// What [`Self::note`] was told so far.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Unix milliseconds up to which everything is durable, where anything is.
    pub fn saved_ms(&self) -> Option<u64> {
        self.save.saved_ms
    }

    /// Ends the work: everything durable, the store closed.
    pub fn shut_down(mut self, now: Now) -> Result<()> {
        self.end_meetings();
        self.leave(now);
        self.sync(now)?;
        self.keep_texts(1);
        self.log.close().map_err(api_error)
    }

    fn set_save(&mut self, kind: SaveKind, saved_ms: Option<u64>, message: Option<String>) {
        let state = SaveState { kind, saved_ms, n_unwritten: self.unwritten.len() as u64, message };
        if state != self.save {
            self.save = state.clone();
            self.events.push(Event::SaveState(state));
        }
    }

    fn note_store_failure(&mut self, error: ApiError, now: Now) {
        let until = self.save.saved_ms.map_or("now".to_owned(), |ms| now.time_of(ms));
        let (kind, message) = match error.code {
            ErrorCode::DiskFull => (
                SaveKind::DiskFull,
                format!(
                    "This disk is full, so new changes can't be kept. Everything up to {until} is safe. Free some space; \
                     we'll go on by ourselves. Until then the editor is read-only so that nothing is lost."
                ),
            ),
            _ => (SaveKind::Failed, format!("Changes after {until} could not be kept: {}", error.message)),
        };
        self.set_save(kind, self.save.saved_ms, Some(message));
    }

    /// A file could not be written to the folder, though its text is kept.
    pub fn note_unwritable(&mut self, message: String) {
        // That history cannot be kept is the worse news of the two.
        if !self.is_store_failed() {
            self.set_save(SaveKind::CannotWriteFile, self.save.saved_ms, Some(message));
        }
    }

    fn person_of(&self, log: &LogId) -> String {
        self.authors.person(&log.device)
    }

    /// The name that a device gave itself, if it said anything yet.
    pub fn person_at(&self, device: &DeviceId) -> Option<&str> {
        self.authors.names.get(device).map(String::as_str)
    }

    /// The name that a device gave its computer, if it said anything yet.
    pub fn device_name_at(&self, device: &DeviceId) -> Option<&str> {
        self.authors.device_names.get(device).map(String::as_str)
    }

    /// Which of the author colours a device has, the same on every replica that knows the same people.
    pub fn color_of(&self, device: &DeviceId) -> u8 {
        self.authors.color(device)
    }

    pub fn device(&self) -> DeviceId {
        self.own.device
    }

    /// Whether anybody was ever let in.
    pub fn is_shared(&self) -> bool {
        self.is_shared
    }

    fn author(&self, index: AuthorIdx) -> Author {
        self.authors.shown(index)
    }
}

/// A failure of the store in words that can be shown.
pub fn api_error(error: LogError) -> ApiError {
    let code = match &error {
        LogError::NoSpace => ErrorCode::DiskFull,
        LogError::NewerVersion { .. } => ErrorCode::NewerVersion,
        LogError::Busy { .. } => ErrorCode::Busy,
        LogError::Damaged { .. } => ErrorCode::Damaged,
        _ => ErrorCode::Io,
    };
    // The system's number for its reason helps nobody.
    let sentence = error.to_string();
    let sentence = match sentence.split_once(" (os error ") {
        Some((before, after)) => format!("{before}{}", after.split_once(')').map_or("", |(_, rest)| rest)),
        None => sentence,
    };
    ApiError::new(code, sentence)
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::Invalid, message)
}

fn not_found(path: &str) -> ApiError {
    ApiError::new(ErrorCode::NotFound, format!("“{path}” is not in this workspace."))
}

#[cfg(test)]
mod tests;
