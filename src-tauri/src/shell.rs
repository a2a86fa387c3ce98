//! What the window's page may ask of the shell: to open a workspace, to be told what happens in it, and
//! the few things of the desktop. Calls to the workspace pass through unread.

use crate::arguments::Place;
use crate::marker::{self, LastRun};
use crate::outbox::{BETWEEN_BATCHES, Outbox};
use crate::{desktop_theme, moving, people, recent, settings, system, window};
use codesync_api::{
    ApiError, AppEvent, AppReply, AppRequest, Call, CallReply, ErrorCode, Event, Push, Request, Settings, Started,
};
use codesync_node::{self as peer, LargeFiles, Node, Searches, Untitled};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tauri::ipc::Channel;
use tauri::{AppHandle, Manager};
use tauri_plugin_clipboard_manager::ClipboardExt;
use tauri_plugin_dialog::DialogExt;

/// What the page still sends when it is told that it goes away is on its way that long at most.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// One window's state.
pub struct Shell {
    /// Configuration folder.
    pub folder: PathBuf,
    last_run: LastRun,
    first: First,
    /// As the page has them.
    settings_known: Mutex<Settings>,
    workspace: Mutex<Current>,
    /// Held while a workspace is opened or closed, so that two requests do not cross.
    changing: Mutex<()>,
    outbox: Outbox,
    large: LargeFiles,
    searches: Searches,
    untitled: Untitled,
    pub(crate) journey: peer::Journey,
    pub(crate) people: people::People,
    /// What waits its turn on the one thread on which everything that changes a workspace is done.
    turns: Sender<Work>,
}

/// What a window is started for.
pub struct First {
    pub place: Option<Place>,
    /// Others are open: without a place it is empty, whatever was open last.
    pub is_further: bool,
}

type Work = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Current {
    open: Option<Workspace>,
    /// Raised with every change, so that a thread of an older workspace knows it is over.
    turn: u64,
}

#[derive(Clone)]
struct Workspace {
    node: Node,
    root: String,
}

impl Shell {
    pub fn new(folder: PathBuf, first: First, last_run: LastRun) -> Arc<Self> {
        let (turns, waiting) = channel::<Work>();
        spawn("changes", move || waiting.into_iter().for_each(|work| work()));
        Arc::new(Self {
            folder,
            turns,
            last_run,
            first,
            settings_known: Mutex::default(),
            workspace: Mutex::default(),
            changing: Mutex::default(),
            outbox: Outbox::default(),
            large: LargeFiles::default(),
            searches: Searches::default(),
            untitled: Untitled::default(),
            journey: peer::Journey::default(),
            people: people::People::default(),
        })
    }

    /// Answers one call. Blocks as long as the work takes.
    ///
    /// # Errors
    /// What the workspace or the system refused, as a sentence to show.
    pub fn answer(self: &Arc<Self>, app: &AppHandle, call: Call) -> Result<CallReply, ApiError> {
        match call {
            Call::Workspace(request) => self.node()?.call(request).map(CallReply::Workspace),
            Call::App(request) => self.answer_app(app, request).map(CallReply::App),
            Call::Large(request) => self.large.answer(&self.root(), request).map(CallReply::Large),
            Call::Search(request) => {
                let (node, root) = self.open_node()?;
                self.searches.answer(&node, &root, request).map(CallReply::Search)
            }
            Call::Untitled(request) => {
                let (_, root) = self.open_node()?;
                self.untitled.answer(&root, request).map(CallReply::Untitled)
            }
        }
    }

    /// Sends everything that happens from now on to this page, and to no page before it.
    pub fn subscribe(self: &Arc<Self>, channel: Channel<Vec<Push>>) {
        let shell = Arc::clone(self);
        let page = self.outbox.attach();
        spawn("page", move || {
            while let Some(batch) = shell.outbox.take(page) {
                if let Err(reason) = channel.send(batch) {
                    tracing::warn!(%reason, "the page does not listen any more");
                    return;
                }
                std::thread::sleep(BETWEEN_BATCHES);
            }
        });
    }

    /// Tells the page something of the shell's own.
    pub fn tell(&self, event: AppEvent) {
        self.outbox.push(Push::App(event));
    }

    /// Does something after all that was asked before it.
    pub fn in_turn(&self, work: impl FnOnce() + Send + 'static) {
        if self.turns.send(Box::new(work)).is_err() {
            tracing::error!("the thread that makes changes is gone");
        }
    }

    /// Closes what is open and ends the program. The window is gone at once; the last writes are not hurried.
    pub fn leave(self: &Arc<Self>, app: &AppHandle) {
        window::put_away(app, &self.folder);
        let (shell, app) = (Arc::clone(self), app.clone());
        spawn("leave", move || {
            std::thread::sleep(LAST_WORDS);
            let closing = Arc::clone(&shell);
            shell.in_turn(move || {
                closing.people.leave();
                closing.close_workspace();
                marker::clear(&closing.folder);
                app.exit(0);
            });
        });
    }

    fn answer_app(self: &Arc<Self>, app: &AppHandle, request: AppRequest) -> Result<AppReply, ApiError> {
        match request {
            AppRequest::Start => {
                people::begin(self);
                return Ok(AppReply::Started(self.start(app)));
            }
            AppRequest::PickFolder { title } => return Ok(AppReply::Path { path: pick_folder(app, title) }),
            AppRequest::PickSaveFile { title, name } => {
                return Ok(AppReply::Path { path: pick_save_file(app, title, name) });
            }
            AppRequest::OpenWorkspace { path } => return self.open_place(app, Path::new(&path)),
            AppRequest::OpenSample => return self.open_workspace(&peer::create_sample(&documents(app))?),
            AppRequest::CloseWorkspace => self.close_workspace(),
            AppRequest::NewWindow { path } => system::open_window(path.as_deref().map(OsStr::new))?,
            AppRequest::PrepareMove { into } => return moving::prepare(self, Path::new(&into)),
            AppRequest::FinishMove => return moving::finish(self),
            AppRequest::CancelMove => self.journey.stop(),
            AppRequest::CopyFilesOnly { path } => {
                return moving::copy_files_only(self, Path::new(&path), &documents(app));
            }
            AppRequest::ListRecent => return Ok(AppReply::Recent { folders: recent::list(&self.folder) }),
            AppRequest::ForgetRecent { path } => recent::forget(&self.folder, &path).map_err(not_kept)?,
            AppRequest::GetSettings => return Ok(AppReply::Settings { settings: self.settings_for_page() }),
            AppRequest::PutSettings { settings } => {
                settings::write(&self.folder, *settings).map_err(not_kept)?;
                window::follow_settings(app, &self.settings_for_page());
                self.people.settings_changed(&self.person());
            }
            AppRequest::RevealInFileManager { path } => system::reveal(&self.absolute(&path))?,
            AppRequest::OpenInItsApp { path } => system::open_in_its_app(&self.absolute(&path))?,
            AppRequest::OpenTerminal { path } => system::open_terminal(&self.absolute(&path))?,
            AppRequest::DrawAttention => window::draw_attention(app),
            AppRequest::ReadClipboard => {
                return Ok(AppReply::Clipboard { text: app.clipboard().read_text().unwrap_or_default() });
            }
            AppRequest::WriteClipboard { text } => app.clipboard().write_text(text).map_err(|reason| {
                ApiError::new(ErrorCode::Io, "The clipboard did not take the text.").with_detail(reason)
            })?,
            AppRequest::SetTitle { title } => window::set_title(app, &title),
            AppRequest::Painted => window::show(app, &self.folder),
            AppRequest::ToggleFullScreen => window::toggle_full_screen(app),
            AppRequest::LeaveFullScreen => window::leave_full_screen(app),
            AppRequest::Quit => self.leave(app),
            request @ (AppRequest::Nearby
            | AppRequest::LookAround
            | AppRequest::CheckCode { .. }
            | AppRequest::Join { .. }
            | AppRequest::AskToJoin { .. }
            | AppRequest::CancelJoin
            | AppRequest::WordsDiffer
            | AppRequest::SuggestFolder { .. }
            | AppRequest::ListKnownPeople
            | AppRequest::ForgetPerson { .. }) => return people::answer(self, request),
        }
        Ok(AppReply::Done)
    }

    fn start(&self, app: &AppHandle) -> Started {
        let settings = self.settings_for_page();
        let open_now = self.lock().open.as_ref().map(|workspace| workspace.root.clone());
        // A page that is loaded again goes on where it was; the command line was for the first one.
        let first = if open_now.is_none() { self.first.place.as_ref() } else { None };
        let named = first.map(|place| place.folder.to_string_lossy().into_owned());
        let reopens = settings.reopen && !self.first.is_further;
        let last = || recent::list(&self.folder).into_iter().find(|_| reopens).filter(|entry| !entry.missing);
        Started {
            version: env!("CARGO_PKG_VERSION").into(),
            open: open_now.or(named).or_else(|| last().map(|entry| entry.path)),
            goto: first.and_then(|place| place.goto.clone()),
            crashed: matches!(self.last_run, LastRun::Crashed | LastRun::NeverDrawn),
            person: self.person(),
            system_dark: window::system_is_dark(app),
            system_contrast: desktop_theme::prefers_contrast(app),
            platform: std::env::consts::OS.into(),
            settings,
        }
    }

    /// Whoever works here, as others see them.
    pub(crate) fn person(&self) -> String {
        self.settings().person.unwrap_or_else(peer::person_name)
    }

    fn settings(&self) -> Settings {
        settings::read(&self.folder)
    }

    /// The settings now, for the page.
    fn settings_for_page(&self) -> Settings {
        let settings = self.settings();
        self.hand_to_page(&settings);
        settings
    }

    /// From now on the page has these. Gives what it had.
    fn hand_to_page(&self, settings: &Settings) -> Settings {
        let mut known = self.settings_known.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut known, settings.clone())
    }

    /// Another window may have changed the settings.
    pub fn follow_settings(&self, app: &AppHandle) {
        let settings = self.settings();
        let known = self.hand_to_page(&settings);
        if settings != known {
            window::follow_settings(app, &settings);
            self.people.settings_changed(&self.person());
            self.tell(AppEvent::SettingsChanged { settings: Box::new(settings) });
        }
    }

    /// A folder is open here, and it is another one.
    pub fn shows_another_than(&self, folder: &Path) -> bool {
        self.lock().open.as_ref().is_some_and(|workspace| Path::new(&workspace.root) != folder)
    }

    /// Opens a folder, or what a replay bundle holds.
    fn open_place(self: &Arc<Self>, app: &AppHandle, path: &Path) -> Result<AppReply, ApiError> {
        if !peer::is_bundle(path) {
            return self.open_workspace(path);
        }
        let person = self.settings().person;
        self.open_workspace(&peer::unpack_bundle(path, &documents(app), person.as_deref())?)
    }

    fn open_workspace(self: &Arc<Self>, path: &Path) -> Result<AppReply, ApiError> {
        let _one_at_a_time = self.changing();
        let root = self.take_workspace(path)?;
        Ok(AppReply::Opened { name: recent::name_of(&root), root })
    }

    /// Opens a folder in the place of the one that is open. Returns its absolute path. To be called while changing.
    pub(crate) fn take_workspace(self: &Arc<Self>, path: &Path) -> Result<String, ApiError> {
        // A path that leads nowhere is refused by the node, in its words.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let root = path.to_string_lossy().into_owned();
        let same = self.lock().open.clone().filter(|workspace| workspace.root == root);
        if same.is_some_and(|workspace| !workspace.node.is_folder_gone()) {
            return Ok(root);
        }
        let options = peer::Options { person: self.settings().person, ..peer::Options::default() };
        let node = Node::open(&path, options)?;
        let events = node.subscribe();
        let turn = self.replace(Some(Workspace { node, root: root.clone() }));
        let shell = Arc::clone(self);
        spawn("events", move || shell.forward(turn, events));
        if let Err(reason) = recent::remember(&self.folder, &root, system::now_ms()) {
            tracing::warn!(%reason, "could not keep the list of recent folders");
        }
        Ok(root)
    }

    fn close_workspace(&self) {
        let _one_at_a_time = self.changing();
        self.journey.stop();
        self.replace(None);
    }

    /// For as long as the workspace is being changed.
    pub(crate) fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called while changing.
    pub(crate) fn close_now(&self) {
        self.replace(None);
    }

    /// The open workspace and its folder.
    pub(crate) fn open_node(&self) -> Result<(Node, PathBuf), ApiError> {
        Ok((self.node()?, self.root()))
    }

    /// Puts a workspace in the place of the one before, which is closed. Returns the new turn.
    fn replace(&self, workspace: Option<Workspace>) -> u64 {
        let (before, turn) = {
            let mut current = self.lock();
            current.turn += 1;
            (std::mem::replace(&mut current.open, workspace), current.turn)
        };
        self.searches.stop();
        self.untitled.release();
        if let Some(before) = before {
            before.node.close();
        }
        self.outbox.clear();
        turn
    }

    /// Passes a workspace's events on until it is closed.
    fn forward(&self, turn: u64, events: Receiver<Event>) {
        let mut next = Some(events);
        while let Some(events) = next.take() {
            for event in events {
                if self.lock().turn != turn {
                    return;
                }
                for view_id in self.outbox.push(Push::Workspace(event)) {
                    self.bring_up_to_date(view_id);
                }
            }
            if self.lock().turn == turn {
                next = self.node().ok().and_then(|node| node.subscribe_again());
            }
        }
        if self.lock().turn == turn {
            self.replace(None);
            let sentence = "The workspace was closed because it could not go on. What was saved is kept.";
            self.tell(AppEvent::WorkspaceClosed { error: ApiError::new(ErrorCode::Internal, sentence) });
        }
    }

    fn bring_up_to_date(&self, view_id: u32) {
        let result = self.node().and_then(|node| node.call(Request::ResyncView { view_id }));
        if let Err(reason) = result {
            tracing::warn!(view_id, %reason, "a view could not be brought up to date");
        }
    }

    fn node(&self) -> Result<Node, ApiError> {
        let node = self.lock().open.as_ref().map(|workspace| workspace.node.clone());
        node.ok_or_else(|| ApiError::new(ErrorCode::NotFound, "No folder is open in this window."))
    }

    /// Paths from the page are absolute, or relative to the open workspace.
    fn absolute(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    /// Of the open workspace; empty without one.
    fn root(&self) -> PathBuf {
        self.lock().open.as_ref().map(|workspace| PathBuf::from(&workspace.root)).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.workspace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pick_folder(app: &AppHandle, title: String) -> Option<String> {
    system::picked_by_test("CODESYNC_PICK_FOLDER").or_else(|| {
        let picked = app.dialog().file().set_title(title).blocking_pick_folder()?;
        Some(picked.into_path().ok()?.to_string_lossy().into_owned())
    })
}

fn pick_save_file(app: &AppHandle, title: String, name: String) -> Option<String> {
    system::picked_by_test("CODESYNC_PICK_FILE").or_else(|| {
        let picked = app.dialog().file().set_title(title).set_file_name(name).blocking_save_file()?;
        Some(picked.into_path().ok()?.to_string_lossy().into_owned())
    })
}

fn documents(app: &AppHandle) -> PathBuf {
    let path = app.path();
    path.document_dir().or_else(|_| path.home_dir()).unwrap_or_else(|_| std::env::temp_dir())
}

fn not_kept(reason: std::io::Error) -> ApiError {
    ApiError::new(ErrorCode::Io, "This could not be kept: the settings folder cannot be written.").with_detail(reason)
}

/// Starts a named thread. One that cannot be started is as fatal as no memory.
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    let started = std::thread::Builder::new().name(name.into()).spawn(work);
    if let Err(reason) = started {
        tracing::error!(name, %reason, "a thread could not be started");
    }
}
