//! A running peer: one thread owns the engine of a workspace, others feed it (the folder watcher, the local
//! socket, callers). The only place with concurrency; decides nothing that the engine can decide.

mod attached;
mod bridge;
mod codes;
mod config;
mod copies;
mod endpoint;
mod health;
mod identity;
mod join;
mod known;
mod large;
mod lobby;
mod local;
mod moving;
mod programs;
mod replay;
mod runtime;
mod sample;
mod search;
mod seen;
mod settings;
mod shadow;
mod socket;
mod state;
mod together;
mod trash;
mod untitled;
mod whole;

pub use codes::check_code;
pub use codesync_base::is_bidi_control;
pub use config::{config_dir, device_name, person_name};
pub use join::{JoinOptions, Joined, free_folder, join, suggest_folder};
pub use known::{forget_person, known_people};
pub use large::LargeFiles;
pub use lobby::Lobby;
pub use moving::{Arrived, Journey, Progress, Traveller};
pub use programs::may_run;
pub use replay::{is_bundle, unpack_bundle};
pub use sample::create_sample;
pub use search::{Ask, Heard, MATCHES_MAX, Searches, search};
pub use socket::{Handler, NOT_DONE, SocketClient, SocketServer};
pub use untitled::Untitled;

use attached::{Attached, Opened};
use codesync_api::{ApiError, ErrorCode, Event, Reply, Request, SaveKind};
use local::Local;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// Folder inside a workspace that holds its history.
pub const STORE_FOLDER: &str = ".codesync";
/// How long an opening waits for another program that has the store for a moment.
const BUSY_WAIT: Duration = Duration::from_secs(10);

/// Events that wait for one listener. Who lets more wait is let go, and has to listen anew.
pub(crate) const EVENTS_MAX: usize = if cfg!(test) { 1_024 } else { 16_384 };

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
    /// For a command or two.
    Remote(SocketClient),
    /// To stay, whichever process has the workspace.
    Attached(Arc<Attached>),
}

impl Node {
    /// Opens a workspace: takes its store, or talks to the process that has it. One that stays (`Options::watch`)
    /// goes on by itself when that process ends.
    pub fn open(root: &Path, options: Options) -> Result<Self, ApiError> {
        let root = checked_root(root)?;
        let store = root.join(STORE_FOLDER);
        if !options.create && !store.is_dir() {
            let sentence = format!("“{}” is not a CodeSync workspace yet. Run “codesync init” there.", root.display());
            return Err(ApiError::new(ErrorCode::NotFound, sentence));
        }
        let inner = match attached::open(&root, &options, BUSY_WAIT)? {
            Opened::Here(runtime) => Inner::Local(Local::start(*runtime, &store, &options)?),
            Opened::There(client) if options.watch => Inner::Attached(Attached::start(&root, options, client)?),
            Opened::There(client) => Inner::Remote(client),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Asks the workspace and waits for the answer.
    pub fn call(&self, request: Request) -> Result<Reply, ApiError> {
        match &*self.inner {
            Inner::Local(local) => local.call(request),
            Inner::Remote(client) => client.call(request),
            Inner::Attached(attached) => attached.call(request),
        }
    }

    /// Events from now on. They end with the workspace, and for one who lets thousands of them wait: whoever wants to
    /// go on subscribes again and sends [`Request::ResumeViews`].
    pub fn subscribe(&self) -> Receiver<Event> {
        match &*self.inner {
            Inner::Local(local) => local.subscribe(),
            Inner::Remote(client) => client.subscribe(),
            Inner::Attached(attached) => attached.subscribe(),
        }
    }

    /// Subscribes again, for a listener that was let go. Views notice their gap by themselves; all else is told anew.
    /// None when the workspace is over.
    pub fn subscribe_again(&self) -> Option<Receiver<Event>> {
        let events = self.subscribe();
        self.call(Request::ResumeViews { views: Vec::new() }).is_ok().then_some(events)
    }

    /// Whether the folder is not where it was opened, so that it has to be opened anew or brought back.
    pub fn is_folder_gone(&self) -> bool {
        let status = self.call(Request::Status);
        matches!(status, Ok(Reply::Status(status)) if status.save.kind == SaveKind::FolderGone)
    }

    /// Whether this process has the store itself.
    pub fn is_owner(&self) -> bool {
        match &*self.inner {
            Inner::Local(_) => true,
            Inner::Remote(_) => false,
            Inner::Attached(attached) => attached.is_owner(),
        }
    }

    /// Ends the work: everything durable and written, the store closed. The last of several clones counts.
    pub fn close(self) {
        match &*self.inner {
            Inner::Local(local) => local.close(),
            Inner::Remote(_) => {}
            Inner::Attached(attached) => attached.close(),
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

#[cfg(test)]
mod tests;
