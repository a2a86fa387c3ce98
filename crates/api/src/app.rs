//! What a window asks of the desktop shell itself, beside the workspace it shows.

use crate::{
    ApiError, CodeCheck, Event, Joining, KnownPerson, LargeReply, LargeRequest, Nearby, Reply, Request, SearchReply,
    SearchRequest, UntitledReply, UntitledRequest,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The one thing the window sends (Tauri command `rpc`).
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "to", content = "request", rename_all = "camelCase")]
pub enum Call {
    /// To the workspace that this window has open.
    Workspace(Request),
    App(AppRequest),
    /// To the files of that workspace's folder that are too large to edit.
    Large(LargeRequest),
    /// To all texts of that workspace.
    Search(SearchRequest),
    /// To what is written in that workspace and has no name yet.
    Untitled(UntitledRequest),
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "to", content = "reply", rename_all = "camelCase")]
pub enum CallReply {
    Workspace(Reply),
    App(AppReply),
    Large(LargeReply),
    Search(SearchReply),
    Untitled(UntitledReply),
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "cmd", content = "args", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum AppRequest {
    /// First call of a window: what to show.
    Start,
    /// The system's folder picker. The reply has no path when it was cancelled.
    PickFolder {
        title: String,
    },
    PickSaveFile {
        title: String,
        name: String,
    },
    /// Opens (and if needed creates) a workspace in this window.
    OpenWorkspace {
        path: String,
    },
    /// A small project to try things in, made fresh in the user's documents folder.
    OpenSample,
    CloseWorkspace,
    /// Opens another window beside this one: with a folder, or empty.
    NewWindow {
        path: Option<String>,
    },
    /// Makes ready to take the open workspace into another folder: copies, if it is on another disk, while work goes on.
    /// Told by `AppEvent::MoveProgress`; answers with the path that it will have.
    PrepareMove {
        into: String,
    },
    /// Ends what was prepared: the workspace is closed, and opened at its new place.
    FinishMove,
    CancelMove,
    /// Copies the files of a workspace that cannot be opened, without its history, to a folder beside it.
    CopyFilesOnly {
        path: String,
    },
    ListRecent,
    ForgetRecent {
        path: String,
    },
    GetSettings,
    PutSettings {
        settings: Box<Settings>,
    },
    RevealInFileManager {
        path: String,
    },
    /// Opens a file of the workspace with the program that the system has for it. One that would be run is refused.
    OpenInItsApp {
        path: String,
    },
    /// Opens the system's terminal in a folder, or in that of a file. Relative to the workspace, or absolute.
    OpenTerminal {
        path: String,
    },
    /// Somebody waits for an answer while the window is not looked at: the desktop shows it on the window's icon.
    DrawAttention,
    ReadClipboard,
    WriteClipboard {
        text: String,
    },
    SetTitle {
        title: String,
    },
    /// The window is drawn: show it (it is created hidden, so that nothing flashes).
    Painted,
    ToggleFullScreen,
    /// Does nothing in a window that is not full screen.
    LeaveFullScreen,
    Quit,

    // --- other people, whether a workspace is open or not
    /// Who is nearby now. From then on changes are told.
    Nearby,
    /// Looks for others at once, for a list that somebody looks at.
    LookAround,
    CheckCode {
        text: String,
    },
    /// Comes into a workspace with a code; how it goes is told by `AppEvent::Joining`.
    Join {
        code: String,
        /// Where whoever gave the code is, `host` or `host:port`, if they are not found by themselves.
        address: Option<String>,
        /// Absolute path of the folder that the copy is to be in: not there yet, or empty.
        folder: String,
    },
    /// Asks somebody nearby to be let in, see [`crate::NearbyPerson::peer`].
    AskToJoin {
        peer: String,
        folder: String,
    },
    CancelJoin,
    /// The words on the screens differ (MSG-PAIR-6).
    WordsDiffer,
    /// A folder for the copy of a workspace of this name, that is not there yet. The reply says whether the first choice was taken.
    SuggestFolder {
        name: String,
    },
    ListKnownPeople,
    ForgetPerson {
        device: String,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "reply", content = "value", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum AppReply {
    Done,
    Started(Started),
    Path {
        path: Option<String>,
    },
    Opened {
        root: String,
        name: String,
    },
    /// `left`: what stayed at the old place because it changed meanwhile. `unsaved`: a bundle of edits that the new
    /// place has not taken either.
    Moved {
        root: String,
        name: String,
        left: Vec<String>,
        unsaved: Option<String>,
    },
    Recent {
        folders: Vec<RecentFolder>,
    },
    Settings {
        settings: Settings,
    },
    Clipboard {
        text: String,
    },
    Nearby(Nearby),
    CodeCheck(CodeCheck),
    Folder {
        path: String,
        is_taken: bool,
    },
    KnownPeople {
        people: Vec<KnownPerson>,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    pub version: String,
    pub settings: Settings,
    /// Absolute path of the workspace to open at once: from the command line, or the last one.
    pub open: Option<String>,
    /// File (relative) and line to show first.
    pub goto: Option<(String, u32)>,
    /// MSG-CRASH-1 applies: the last run did not end by itself.
    pub crashed: bool,
    pub person: String,
    pub system_dark: bool,
    /// The desktop asks for high contrast.
    pub system_contrast: bool,
    pub platform: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RecentFolder {
    pub path: String,
    pub name: String,
    pub opened_ms: u64,
    pub missing: bool,
}

/// The user's settings, one file in the configuration folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// `system`, `dark`, `light`, `hc-dark` or `hc-light`.
    pub theme: String,
    pub zoom_percent: u32,
    pub person: Option<String>,
    /// The author colour that the person chose, an index below 8; without one they have whichever is free.
    pub color: Option<u8>,
    pub editor_font_family: String,
    pub editor_font_size: u32,
    /// In percent of the font size.
    pub line_height_percent: u32,
    /// Signs such as `=>` drawn as one.
    pub ligatures: bool,
    /// Ctrl and the wheel over the text change its size only.
    pub wheel_zooms_text: bool,
    /// Suggestions while typing; Ctrl+Space gives them always.
    pub suggest: bool,
    pub tab_size: u32,
    pub word_wrap: bool,
    pub minimap: bool,
    pub show_whitespace: bool,
    pub reduce_motion: bool,
    /// Of the frame around the text, in pixels.
    pub ui_font_size: u32,
    /// Screen-reader mode of the text editor: `auto`, `on` or `off`.
    pub screen_reader: String,
    pub timeline_visible: bool,
    pub timeline_hint_seen: bool,
    pub axis: String,
    /// Open the last workspace at start.
    pub reopen: bool,
    /// When a changed text is written to the folder: `afterDelay`, `onFocusChange` or `off`.
    pub auto_save: String,
    /// What is deleted in the window goes to the system's trash, too.
    pub enable_trash: bool,
    /// Who on the network sees this computer: `everyone`, `known`, `panel` (while a list of people is shown) or `nobody`.
    pub visible_to: String,
    /// Until then everybody does, whatever `visible_to` says; Unix milliseconds.
    pub visible_until_ms: u64,
    /// The tree of files goes along with the editor.
    pub reveal_active: bool,
    /// Names beside others' carets: `activity`, `always` or `never`.
    pub name_flags: String,
    /// After joining, the view goes where the other is.
    pub follow_on_join: bool,
    /// Role that is proposed for newcomers: `editor` or `viewer`.
    pub default_role: String,
    /// Enter sends a message; otherwise Ctrl+Enter does.
    pub enter_sends: bool,
    /// Key bindings changed by the user: command id to key.
    pub keys: std::collections::BTreeMap<String, String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: "system".into(),
            zoom_percent: 100,
            person: None,
            color: None,
            editor_font_family: String::new(),
            editor_font_size: 14,
            line_height_percent: 135,
            ligatures: false,
            wheel_zooms_text: false,
            suggest: true,
            tab_size: 4,
            word_wrap: false,
            minimap: true,
            show_whitespace: false,
            reduce_motion: false,
            ui_font_size: 13,
            screen_reader: "auto".into(),
            timeline_visible: true,
            timeline_hint_seen: false,
            axis: "activity".into(),
            reopen: true,
            auto_save: "afterDelay".into(),
            enable_trash: true,
            visible_to: "everyone".into(),
            visible_until_ms: 0,
            reveal_active: true,
            name_flags: "activity".into(),
            follow_on_join: true,
            default_role: "editor".into(),
            enter_sends: true,
            keys: Default::default(),
        }
    }
}

/// What the shell pushes to the window (the one event channel).
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "from", content = "event", rename_all = "camelCase")]
pub enum Push {
    Workspace(Event),
    App(AppEvent),
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "event", content = "data", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum AppEvent {
    /// A second launch asked for this folder, file or line.
    OpenRequested {
        path: String,
        goto: Option<(String, u32)>,
    },
    /// Files were dropped on the window from outside, at this place in CSS pixels. `folder` is the one that was dropped
    /// when it was a folder, alone.
    Dropped {
        paths: Vec<String>,
        folder: Option<String>,
        x: f64,
        y: f64,
    },
    SystemThemeChanged {
        dark: bool,
        /// The desktop asks for high contrast.
        contrast: bool,
    },
    /// The settings were changed by another window.
    SettingsChanged {
        settings: Box<Settings>,
    },
    Nearby(Nearby),
    Joining(Joining),
    /// How far a copy is (`AppRequest::PrepareMove`, `CopyFilesOnly`).
    MoveProgress {
        done_bytes: u64,
        total_bytes: u64,
    },
    /// The workspace went away under the window (store failed, folder moved).
    WorkspaceClosed {
        error: ApiError,
    },
}
