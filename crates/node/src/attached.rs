//! A workspace that another process has, and what happens when that one ends: this one takes the store over, or goes
//! on with whoever did. Views keep their numbers, and get a snapshot; nothing that was certainly done is done twice,
//! nothing that was certainly not done is lost.

use crate::local::Local;
use crate::runtime::Runtime;
use crate::socket::{NOT_DONE, SocketClient};
use crate::{EVENTS_MAX, Options, STORE_FOLDER};
use codesync_api::{ApiError, ErrorCode, Event, Reply, Request, ResumedView};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How long a process that ends may take to close its store, with a margin.
const REOPEN_WAIT: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const EARLY_MAX: usize = 64;

/// What an opening came to.
pub(crate) enum Opened {
    Here(Box<Runtime>),
    There(SocketClient),
}

/// Takes the store, or finds the process that has it.
pub(crate) fn open(root: &Path, options: &Options, busy_wait: Duration) -> Result<Opened, ApiError> {
    let began = Instant::now();
    loop {
        match Runtime::open(root, options) {
            Ok(runtime) => return Ok(Opened::Here(Box::new(runtime))),
            Err(error) if error.code == ErrorCode::Busy => {
                if let Some(client) = SocketClient::connect(&root.join(STORE_FOLDER))? {
                    return Ok(Opened::There(client));
                }
                if began.elapsed() > busy_wait {
                    return Err(error);
                }
                // A command that is about to end, or a window that is about to serve.
                std::thread::sleep(LOOK_AGAIN);
            }
            Err(error) => return Err(error),
        }
    }
}

/// A node that follows its workspace from process to process.
pub(crate) struct Attached {
    root: PathBuf,
    options: Options,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    link: Link,
    /// Those who listen, while the workspace is elsewhere.
    listeners: Vec<SyncSender<Event>>,
    /// Notices that came before anybody listened.
    early: Vec<Event>,
    views: BTreeMap<u32, ResumedView>,
}

#[derive(Clone)]
enum Link {
    There(Arc<SocketClient>),
    Here(Arc<Local>),
    /// The process that had it has ended, and this one is looking for it.
    Between,
    Over(ApiError),
}

impl Attached {
    /// Follows the workspace by this connection, as long as what is returned lives.
    pub fn start(root: &Path, options: Options, client: SocketClient) -> Result<Arc<Self>, ApiError> {
        let client = Arc::new(client);
        let events = client.subscribe();
        let state =
            State { link: Link::There(client), listeners: Vec::new(), early: Vec::new(), views: BTreeMap::new() };
        let attached =
            Arc::new(Self { root: root.to_path_buf(), options, state: Mutex::new(state), changed: Condvar::new() });
        let for_thread = Arc::downgrade(&attached);
        std::thread::Builder::new()
            .name("codesync-attached".into())
            .spawn(move || follow(&for_thread, events))
            .map_err(|error| ApiError::new(ErrorCode::Internal, "A thread could not be started.").with_detail(error))?;
        Ok(attached)
    }

    pub fn is_owner(&self) -> bool {
        matches!(self.lock().link, Link::Here(_))
    }

    /// Asks. If the process that has the workspace ends meanwhile, asks the next one what it can be asked again.
    pub fn call(&self, request: Request) -> Result<Reply, ApiError> {
        loop {
            let client = match self.link()? {
                Link::Here(local) => return local.call(request),
                Link::There(client) => client,
                Link::Between | Link::Over(_) => continue,
            };
            let answer = client.call(request.clone());
            match answer {
                Err(error) if SocketClient::is_gone(&error) => {
                    self.wait_for_another(&client)?;
                    let is_certain = error.detail.as_deref() == Some(NOT_DONE);
                    if !is_certain && !codesync_engine::only_asks(&request) {
                        return match request {
                            // The view has a snapshot now, which says what became of it.
                            Request::EditView { .. } => Ok(Reply::Done),
                            _ => Err(error),
                        };
                    }
                }
                answer => {
                    if self.note(&client, &request, &answer) {
                        return answer;
                    }
                }
            }
        }
    }

    pub fn subscribe(&self) -> Receiver<Event> {
        let mut state = self.lock();
        if let Link::Here(local) = &state.link {
            return local.subscribe();
        }
        let (sender, events) = mpsc::sync_channel(EVENTS_MAX);
        for notice in std::mem::take(&mut state.early) {
            sender.try_send(notice).unwrap_or_default();
        }
        if !matches!(state.link, Link::Over(_)) {
            state.listeners.push(sender);
        }
        events
    }

    pub fn close(&self) {
        let link = {
            let mut state = self.lock();
            let over = Link::Over(ApiError::new(ErrorCode::Internal, "The workspace is closed."));
            state.listeners.clear();
            std::mem::replace(&mut state.link, over)
        };
        self.changed.notify_all();
        if let Link::Here(local) = link {
            local.close();
        }
    }

    /// Where the workspace is, once it is somewhere.
    fn link(&self) -> Result<Link, ApiError> {
        let mut state = self.lock();
        while matches!(state.link, Link::Between) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        match &state.link {
            Link::Over(error) => Err(error.clone()),
            link => Ok(link.clone()),
        }
    }

    /// Waits until this connection is noticed to be over and another takes its place.
    fn wait_for_another(&self, gone: &Arc<SocketClient>) -> Result<(), ApiError> {
        let mut state = self.lock();
        while matches!(&state.link, Link::There(client) if Arc::ptr_eq(client, gone)) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        self.link().map(drop)
    }

    /// Takes note of what an answer says about views. False when the view went with the process that opened it.
    fn note(&self, client: &Arc<SocketClient>, request: &Request, answer: &Result<Reply, ApiError>) -> bool {
        let mut state = self.lock();
        match (request, answer) {
            (Request::OpenView { .. }, Ok(Reply::View(view))) if view.view_id != 0 => {
                let is_same = matches!(&state.link, Link::There(now) if Arc::ptr_eq(now, client));
                if !is_same {
                    return false;
                }
                let (view_id, path, revision) = (view.view_id, view.path.clone(), view.revision);
                // Its first events may have been here before this answer.
                let known = ResumedView { view_id, path, revision, acked_request_id: 0 };
                state.views.entry(view_id).or_insert(known);
            }
            (Request::CloseView { view_id }, Ok(_)) => drop(state.views.remove(view_id)),
            (Request::EditView { view_id, edit }, Ok(_)) => {
                if let Some(view) = state.views.get_mut(view_id)
                    && edit.request_id == view.acked_request_id + 1
                {
                    view.acked_request_id = edit.request_id;
                }
            }
            _ => {}
        }
        true
    }

    /// Takes note of what an event says about views, and passes it on.
    fn pass_on(&self, event: Event) {
        let mut state = self.lock();
        let (view_id, revision, acked_request_id) = match &event {
            Event::ViewPatch(patch) => (patch.view_id, patch.revision, None),
            Event::ViewAck { view_id, request_id, revision } => (*view_id, *revision, Some(*request_id)),
            Event::ViewSnapshot(snapshot) => (snapshot.view_id, snapshot.revision, Some(snapshot.acked_request_id)),
            _ => (0, 0, None),
        };
        if let Some(view) = state.views.get_mut(&view_id) {
            view.revision = view.revision.max(revision);
            view.acked_request_id = acked_request_id.map_or(view.acked_request_id, |id| id.max(view.acked_request_id));
        }
        if let Event::ViewMoved { view_id, path: Some(path) } = &event
            && let Some(view) = state.views.get_mut(view_id)
        {
            view.path.clone_from(path);
        }
        if state.listeners.is_empty() && matches!(event, Event::Notice(_)) && state.early.len() < EARLY_MAX {
            state.early.push(event);
            return;
        }
        // One who does not read is let go.
        state.listeners.retain(|listener| listener.try_send(event.clone()).is_ok());
    }

    /// The process that had the workspace is gone: finds it again. The events of the next one, unless this process
    /// has it from now on, or it is over.
    fn find_again(&self) -> Option<Receiver<Event>> {
        {
            let mut state = self.lock();
            if matches!(state.link, Link::Over(_)) {
                return None;
            }
            state.link = Link::Between;
        }
        self.changed.notify_all();
        let found = open(&self.root, &self.options, REOPEN_WAIT).and_then(|opened| match opened {
            Opened::There(client) => Ok((Link::There(Arc::new(client)), None)),
            Opened::Here(runtime) => {
                let local = Local::start(*runtime, &self.root.join(STORE_FOLDER), &self.options)?;
                let local = Arc::new(local);
                Ok((Link::Here(local.clone()), Some(local)))
            }
        });
        let next = self.go_on(found);
        self.changed.notify_all();
        next
    }

    fn go_on(&self, found: Result<(Link, Option<Arc<Local>>), ApiError>) -> Option<Receiver<Event>> {
        let mut state = self.lock();
        let was_closed = matches!(state.link, Link::Over(_));
        match found {
            Err(error) => {
                tracing::warn!(%error, "the workspace could not be gone on with");
                state.listeners.clear();
                state.link = Link::Over(error);
                None
            }
            Ok((_, local)) if was_closed => {
                drop(state);
                local.inspect(|local| local.close());
                None
            }
            Ok((link, Some(local))) => {
                local.resume(std::mem::take(&mut state.listeners), state.views.values().cloned().collect());
                state.link = link;
                None
            }
            Ok((link, None)) => {
                let Link::There(client) = &link else { return None };
                let (events, client) = (client.subscribe(), client.clone());
                let views = state.views.values().cloned().collect();
                drop(state);
                // If it ends already, so do its events, and all this is done again.
                if let Err(error) = client.call(Request::ResumeViews { views }) {
                    tracing::debug!(%error, "views are gone on with later");
                }
                let mut state = self.lock();
                if !matches!(state.link, Link::Over(_)) {
                    state.link = link;
                }
                Some(events)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn follow(attached: &Weak<Attached>, mut events: Receiver<Event>) {
    loop {
        for event in events {
            let Some(attached) = attached.upgrade() else { return };
            attached.pass_on(event);
        }
        let Some(attached) = attached.upgrade() else { return };
        match attached.find_again() {
            Some(next) => events = next,
            None => return,
        }
    }
}
