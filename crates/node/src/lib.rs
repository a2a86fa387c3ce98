//! A running peer: one thread owns the engine of a workspace, others feed it (the folder watcher, the local
//! socket, callers). The only place with concurrency; decides nothing that the engine can decide.

mod bridge;
mod config;
mod endpoint;
mod runtime;
mod sample;
mod shadow;
mod socket;
mod state;
mod whole;

pub use config::{config_dir, device_name, person_name};
pub use sample::create_sample;
pub use socket::{Handler, NOT_DONE, SocketClient, SocketServer};

use codesync_api::{ApiError, ErrorCode, Event, Reply, Request};
use runtime::{Message, Runtime};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Folder inside a workspace that holds its history.
pub const STORE_FOLDER: &str = ".codesync";
/// How long an opening waits for another program that has the store for a moment.
const BUSY_WAIT: Duration = Duration::from_secs(10);

/// How to open a workspace.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the person; the system's user name when none.
    pub person: Option<String>,
    /// Stay: follow the folder, serve the local socket. Without it the node is for a command or two.
    pub watch: bool,
    /// Make a workspace of the folder when it is none yet.
    pub create: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { person: None, watch: true, create: true }
    }
}

/// An open workspace, here or in the process that has it. Clones share it.
#[derive(Clone)]
pub struct Node {
    inner: Arc<Inner>,
}

enum Inner {
    Local(Local),
    Remote(SocketClient),
}

struct Local {
    inbox: Mutex<Sender<Message>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    server: Mutex<Option<SocketServer>>,
}

impl Node {
    /// Opens a workspace: takes its store, or talks to the process that has it.
    pub fn open(root: &Path, options: Options) -> Result<Self, ApiError> {
        let root = checked_root(root)?;
        let store = root.join(STORE_FOLDER);
        if !options.create && !store.is_dir() {
            let sentence = format!("“{}” is not a CodeSync workspace yet. Run “codesync init” there.", root.display());
            return Err(ApiError::new(ErrorCode::NotFound, sentence));
        }
        let began = Instant::now();
        loop {
            match Runtime::open(&root, &options) {
                Ok(runtime) => return Self::start(runtime, &store, &options),
                Err(error) if error.code == ErrorCode::Busy => {
                    if let Some(client) = SocketClient::connect(&store)? {
                        return Ok(Self { inner: Arc::new(Inner::Remote(client)) });
                    }
                    if began.elapsed() > BUSY_WAIT {
                        return Err(error);
                    }
                    // A command that is about to end, or a window that is about to serve.
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn start(mut runtime: Runtime, store: &Path, options: &Options) -> Result<Self, ApiError> {
        let (inbox, messages) = mpsc::channel();
        runtime.begin(options.watch.then(|| inbox.clone()))?;
        let thread =
            std::thread::Builder::new().name("codesync-engine".into()).spawn(move || runtime.run(&messages)).map_err(
                |error| ApiError::new(ErrorCode::Internal, "A thread could not be started.").with_detail(error),
            )?;
        let local = Local { inbox: Mutex::new(inbox), thread: Mutex::new(Some(thread)), server: Mutex::new(None) };
        let node = Self { inner: Arc::new(Inner::Local(local)) };
        if options.watch {
            node.serve(store);
        }
        Ok(node)
    }

    /// Lets other processes of this user use the workspace. Without it they wait until it is free.
    fn serve(&self, store: &Path) {
        let Inner::Local(local) = &*self.inner else { return };
        let inbox = lock(&local.inbox).clone();
        match SocketServer::start(store, Arc::new(Inbox(Mutex::new(inbox)))) {
            Ok(server) => *lock(&local.server) = Some(server),
            Err(error) => tracing::warn!(%error, "the local socket could not be opened"),
        }
    }

    /// Asks the workspace and waits for the answer.
    pub fn call(&self, request: Request) -> Result<Reply, ApiError> {
        match &*self.inner {
            Inner::Local(local) => ask(&lock(&local.inbox).clone(), request),
            Inner::Remote(client) => client.call(request),
        }
    }

    /// Events from now on.
    pub fn subscribe(&self) -> Receiver<Event> {
        match &*self.inner {
            Inner::Local(local) => subscribe(&lock(&local.inbox)),
            Inner::Remote(client) => client.subscribe(),
        }
    }

    /// Whether this process has the store itself.
    pub fn is_owner(&self) -> bool {
        matches!(&*self.inner, Inner::Local(_))
    }

    /// Ends the work: everything durable and written, the store closed. The last of several clones counts.
    pub fn close(self) {
        let Inner::Local(local) = &*self.inner else { return };
        let server = lock(&local.server).take();
        if let Some(server) = server {
            server.stop();
        }
        let (done, wait) = mpsc::channel();
        if lock(&local.inbox).send(Message::Close(done)).is_ok() {
            // An error means that the thread is gone already, which is what is waited for.
            wait.recv().unwrap_or_default();
        }
        let thread = lock(&local.thread).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the engine thread ended by a panic");
        }
    }
}

/// The nearest folder from `start` upward that is a workspace.
pub fn find_workspace(start: &Path) -> Option<PathBuf> {
    let start = start.canonicalize().ok()?;
    start.ancestors().find(|folder| folder.join(STORE_FOLDER).is_dir()).map(Path::to_path_buf)
}

fn checked_root(root: &Path) -> Result<PathBuf, ApiError> {
    let error = match root.metadata() {
        Ok(metadata) if !metadata.is_dir() => codesync_fs::FolderError::NotAFolder(root.to_path_buf()),
        Ok(_) => return root.canonicalize().map_err(|error| config::cannot("open", root, &error)),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            codesync_fs::FolderError::NoAccess(root.to_path_buf())
        }
        Err(_) => codesync_fs::FolderError::NotThere(root.to_path_buf()),
    };
    Err(bridge::folder_error(error))
}

/// The engine thread as others in this process reach it.
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
    let (sender, events) = mpsc::channel();
    // If the workspace is closed, the receiver sees the end at once.
    inbox.send(Message::Subscribe(sender)).unwrap_or_default();
    events
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
