//! A workspace that this process has itself: the engine thread, and the socket by which others reach it.

use crate::runtime::{Message, Runtime};
use crate::socket::{Handler, SocketServer};
use crate::{EVENTS_MAX, Options};
use codesync_api::{ApiError, ErrorCode, Event, Reply, Request, ResumedView};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

pub(crate) struct Local {
    inbox: Mutex<Sender<Message>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    server: Mutex<Option<SocketServer>>,
}

impl Local {
    /// Brings folder and workspace together and begins to answer.
    pub fn start(mut runtime: Runtime, store: &Path, options: &Options) -> Result<Self, ApiError> {
        let (inbox, messages) = mpsc::channel();
        runtime.begin(options.watch.then(|| inbox.clone()))?;
        let thread =
            std::thread::Builder::new().name("codesync-engine".into()).spawn(move || runtime.run(&messages)).map_err(
                |error| ApiError::new(ErrorCode::Internal, "A thread could not be started.").with_detail(error),
            )?;
        let local = Self { inbox: Mutex::new(inbox), thread: Mutex::new(Some(thread)), server: Mutex::new(None) };
        if options.watch {
            local.serve(store);
        }
        Ok(local)
    }

    /// Lets other processes of this user use the workspace. Without it they wait until it is free.
    fn serve(&self, store: &Path) {
        match SocketServer::start(store, Arc::new(Inbox(Mutex::new(self.inbox())))) {
            Ok(server) => *lock(&self.server) = Some(server),
            Err(error) => tracing::warn!(%error, "the local socket could not be opened"),
        }
    }

    fn inbox(&self) -> Sender<Message> {
        lock(&self.inbox).clone()
    }

    pub fn call(&self, request: Request) -> Result<Reply, ApiError> {
        ask(&self.inbox(), request)
    }

    pub fn subscribe(&self) -> Receiver<Event> {
        subscribe(&self.inbox())
    }

    /// Goes on with listeners and views that another process served until it ended.
    pub fn resume(&self, listeners: Vec<SyncSender<Event>>, views: Vec<ResumedView>) {
        // If the workspace is closed already, the listeners see the end at once.
        self.inbox().send(Message::Resume(listeners, views)).unwrap_or_default();
    }

    /// Ends the work: everything durable and written, the store closed.
    pub fn close(&self) {
        let server = lock(&self.server).take();
        if let Some(server) = server {
            server.stop();
        }
        let (done, wait) = mpsc::channel();
        if self.inbox().send(Message::Close(done)).is_ok() {
            // An error means that the thread is gone already, which is what is waited for.
            wait.recv().unwrap_or_default();
        }
        let thread = lock(&self.thread).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the engine thread ended by a panic");
        }
    }
}

/// The engine thread as others reach it.
struct Inbox(Mutex<Sender<Message>>);

impl Handler for Inbox {
    fn call(&self, request: Request) -> Result<Reply, ApiError> {
        let inbox = lock(&self.0).clone();
        ask(&inbox, request)
    }

    fn subscribe(&self) -> Receiver<Event> {
        subscribe(&lock(&self.0))
    }
}

fn ask(inbox: &Sender<Message>, request: Request) -> Result<Reply, ApiError> {
    let closed = || ApiError::new(ErrorCode::Internal, "The workspace is closed.");
    let (answer, wait) = mpsc::channel();
    inbox.send(Message::Call(Box::new(request), answer)).map_err(|_| closed())?;
    wait.recv().map_err(|_| closed())?
}

fn subscribe(inbox: &Sender<Message>) -> Receiver<Event> {
    let (sender, events) = mpsc::sync_channel(EVENTS_MAX);
    // If the workspace is closed, the receiver sees the end at once.
    inbox.send(Message::Subscribe(sender)).unwrap_or_default();
    events
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
