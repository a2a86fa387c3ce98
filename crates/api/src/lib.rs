//! The contract between a running peer and whoever drives it (window, command line, tests):
//! every request, reply, event and error code as plain data. `cargo xtask codegen` makes the
//! TypeScript of `ui/src/api/generated.ts` from these types. Nothing here does anything.
//!
//! Units: positions and lengths are UTF-16 code units of LF-normalised text; `*_ms` are Unix
//! milliseconds; paths are relative to the workspace, separated by `/`.

mod app;
mod editor;
mod error;
mod files;
mod history;
mod large;
mod search;
mod together;
mod untitled;
mod workspace;

pub use app::*;
pub use editor::*;
pub use error::*;
pub use files::*;
pub use history::*;
pub use large::*;
pub use search::*;
pub use together::*;
pub use untitled::*;
pub use workspace::*;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Version of this contract; a client and a peer of different versions refuse each other politely.
pub const API_VERSION: u32 = 2;

/// Everything a client may ask of a peer that has a workspace open.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "cmd", content = "args", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Request {
    // --- workspace
    Status,
    /// Makes everything durable and every changed file written to the folder before it answers, but for those that
    /// wait until they are saved.
    Flush,
    /// The settings of the person or of the workspace changed: what concerns the folder is read anew.
    ReadSettings,
    /// Small texts that a client keeps with the workspace (open tabs, panel sizes). Not history.
    GetState {
        key: String,
    },
    PutState {
        key: String,
        value: String,
    },
    Verify {
        repair: bool,
    },

    // --- files
    ListFolder {
        path: String,
        at: Option<Moment>,
    },
    /// Paths of all files, for "go to file" and the command line.
    ListFiles {
        at: Option<Moment>,
    },
    /// A new file, with what is in it at first.
    CreateFile {
        path: String,
        #[serde(default)]
        text: String,
    },
    CreateFolder {
        path: String,
    },
    /// Renames or moves a file, or a folder with all that is in it.
    Rename {
        from: String,
        to: String,
    },
    Delete {
        path: String,
    },
    /// Deletes, and what the folder has of it goes to the system's trash where that can be done at once. What the
    /// ignore rules keep out of history goes there, too.
    MoveToTrash {
        path: String,
    },
    Duplicate {
        path: String,
        to: String,
    },
    ListDeleted {
        limit: u32,
    },
    /// Brings a deleted file back to the path it had.
    Undelete {
        file_id: String,
    },
    /// Copies a file from outside the workspace into it (drag and drop, paste).
    ImportFile {
        source: String,
        path: String,
    },

    // --- editing
    OpenView {
        path: String,
    },
    CloseView {
        view_id: u32,
    },
    EditView {
        view_id: u32,
        edit: ViewEdit,
    },
    /// Asks for a `ViewSnapshot` event: after a gap, a reload or a failed hash check.
    ResyncView {
        view_id: u32,
    },
    /// A client goes on with views that another process served until it ended. Each gets a `ViewSnapshot`, or a
    /// `ViewMoved` to nowhere; folders, history and save state are told anew.
    ResumeViews {
        views: Vec<ResumedView>,
    },
    Undo {
        view_id: u32,
    },
    Redo {
        view_id: u32,
    },
    /// Takes back the newest restore, disk change or other whole act, whatever files it touched.
    UndoLast,
    /// Takes back one change group by its id, wherever it stands in history.
    UndoGroup {
        group_id: String,
    },
    /// Writes a file to the folder, or all (none).
    Save {
        path: Option<String>,
    },
    SetEncoding {
        path: String,
        encoding: String,
        byte_order_mark: bool,
    },
    SetLineEnd {
        path: String,
        line_end: LineEnd,
    },
    /// Applies edits in order without a view (command line). Creates the file where it is missing.
    EditFile {
        path: String,
        edits: Vec<Splice>,
    },
    /// Paths of the texts that the folder does not have as they are: not written yet, or waiting until they are saved.
    ListUnwritten,
    /// The text of a file as it is now, without a view.
    PresentText {
        path: String,
    },
    /// Replaces stretches of text, as one act with what was replaced under `group_id` before; without one it begins an
    /// act. With `keeps_moment` an automatic moment is made before that.
    ReplaceInFiles {
        group_id: Option<String>,
        keeps_moment: bool,
        files: Vec<FileReplacement>,
    },

    // --- history
    Timeline {
        scope: Scope,
    },
    Histogram {
        scope: Scope,
        axis: Axis,
        from: u64,
        to: u64,
        n_buckets: u32,
    },
    /// What is known of moment `index` of a scope: 0 is "before the first change".
    MomentInfo {
        scope: Scope,
        index: u64,
    },
    /// Where a step key leads from `index`.
    StepMoment {
        scope: Scope,
        index: u64,
        unit: StepUnit,
        direction: Direction,
    },
    ResolveMoment {
        scope: Scope,
        moment: Moment,
    },
    /// Text of a file as of a moment. With `have`, only the splices that lead there from that index.
    TextAt {
        path: String,
        scope: Scope,
        index: u64,
        have: Option<u64>,
    },
    FileAt {
        path: String,
        at: Moment,
    },
    Compare {
        path: Option<String>,
        from: Moment,
        to: Moment,
    },
    Blame {
        path: String,
        at: Option<Moment>,
    },
    FindInHistory {
        text: String,
        scope: Scope,
        limit: u32,
    },
    Log {
        query: LogQuery,
    },
    Moments {
        scope: Scope,
    },
    NameMoment {
        name: String,
        note: Option<String>,
        at: Option<Moment>,
    },
    /// Gives a named moment another name and note. Only its author may.
    RenameMoment {
        delta_id: String,
        name: String,
        note: Option<String>,
    },
    /// The bursts that end at moment `before` of a scope or earlier, newest first.
    ListBursts {
        scope: Scope,
        before: u64,
        limit: u32,
    },
    RestorePreview {
        target: RestoreTarget,
        at: Moment,
    },
    Restore {
        target: RestoreTarget,
        at: Moment,
    },

    // --- together
    /// Who takes part, and how far the peers are.
    Together,
    /// Opens an invitation, in place of the one before. From then on others on the network find this peer.
    Invite {
        role: Role,
        /// Six words that stand for a day, rather than a digit and two words that stand for minutes.
        is_long: bool,
        /// Newcomers get the history so far, too, not only what comes from now on.
        share_past: bool,
    },
    EndInvitation,
    /// Lets others on the network see that this workspace is shared, and ask to come in.
    Share,
    /// Offers this workspace to somebody nearby, by [`NearbyPerson::peer`].
    InviteNearby {
        peer: String,
        role: Role,
        /// As of an invitation.
        share_past: bool,
    },
    AnswerAsk {
        id: u64,
        answer: AskAnswer,
    },
    /// Ends one's own part: others' changes come no more, the copy stays.
    Leave,
    /// Syncs no more until told to go on.
    Pause {
        is_paused: bool,
    },
    /// Tries again now whatever waits to be tried again.
    SyncNow,
    /// Where the person at this window is. Told to the others, never kept.
    ShowPlace {
        place: Place,
    },
    Signal(Signal),
    /// Where the others are.
    Presences,
    SendMessage {
        text: String,
        link: Option<ChatLink>,
    },
    /// Messages before one (its delta id), or the newest; oldest first.
    ListMessages {
        before: Option<String>,
        limit: u32,
    },
    /// What others did since this device was here last. Asked once, after opening.
    WhileAway,
    /// A merge that was told before, as its places are now: that of a mark “Before merge” (its delta id) made here, or the
    /// newest.
    Merged {
        delta_id: Option<String>,
    },
    /// Hashes of the text of every file, of the tree and of the order of the timeline: equal on peers that are equal.
    Digest,
    SetRole {
        device: String,
        role: Role,
    },
    RemoveMember {
        device: String,
    },
    /// Stays connected with whoever is at an address: `host` or `host:port`.
    Connect {
        address: String,
    },

    // --- whole history
    ExportBundle {
        file: String,
    },
    /// Writes what may not be durable yet into a bundle elsewhere; no file when there is nothing.
    ExportUnsaved {
        file: String,
    },
    ImportBundle {
        file: String,
    },
    ExportGit {
        dir: String,
    },
}

/// The answer to a [`Request`] of the same name.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "reply", content = "value", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Reply {
    Done,
    Status(Status),
    State {
        value: Option<String>,
    },
    Verified(VerifyReport),
    Folder {
        entries: Vec<Entry>,
    },
    Files {
        paths: Vec<String>,
    },
    Deleted {
        files: Vec<DeletedFile>,
    },
    /// `group_id` is to be given to `UndoGroup`; none for what was not in history.
    Trashed {
        group_id: Option<String>,
        in_trash: bool,
    },
    View(ViewOpened),
    Undone(Undone),
    Edited {
        n_applied: u64,
    },
    PresentText {
        text: String,
    },
    /// `changed`: the files in which all was replaced. The others are as they were: their text is another than was said.
    InFilesReplaced {
        group_id: Option<String>,
        changed: Vec<String>,
    },
    Timeline(TimelineInfo),
    Histogram {
        buckets: Vec<Bucket>,
    },
    Moment(MomentInfo),
    Text(PastText),
    File(PastFile),
    Compared {
        files: Vec<FileChange>,
    },
    Blame {
        spans: Vec<BlameSpan>,
    },
    Found {
        hits: Vec<HistoryHit>,
        truncated: bool,
    },
    Log {
        records: Vec<LogRecord>,
        next: Option<String>,
    },
    Moments {
        moments: Vec<NamedMoment>,
    },
    Bursts {
        bursts: Vec<MomentInfo>,
    },
    Preview(RestorePlan),
    Restored(Restored),
    Together(Together),
    Invitation(Invitation),
    Presences {
        presences: Vec<Presence>,
    },
    Messages {
        messages: Vec<ChatMessage>,
        has_more: bool,
    },
    Away {
        away: Option<WhileAway>,
    },
    Merged {
        merged: Option<Merged>,
    },
    Digest(Digest),
    Exported {
        n_deltas: u64,
        n_commits: u64,
        bytes: u64,
    },
    Imported {
        n_deltas: u64,
    },
}

/// What a peer tells its clients unasked.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "event", content = "data", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Event {
    ViewPatch(ViewPatch),
    ViewAck {
        view_id: u32,
        request_id: u64,
        revision: u64,
    },
    ViewSnapshot(ViewSnapshot),
    /// The file behind a view has another path now, or none. None is also said of a file that is no text any more, or is
    /// one again: it is opened anew.
    ViewMoved {
        view_id: u32,
        path: Option<String>,
    },
    /// Entries of these folders changed ("" is the root).
    TreeChanged {
        folders: Vec<String>,
    },
    SaveState(SaveState),
    /// All files that history has otherwise than the folder, until they are saved (`Settings::auto_save`).
    WaitingForSave {
        paths: Vec<String>,
    },
    /// History grew: the newest index of the workspace, and the files that took part.
    HistoryGrew {
        n_moments: u64,
        paths: Vec<String>,
    },
    MomentNamed(NamedMoment),
    /// A whole act was done: a mass disk change, a restore. Clients show it as a toast.
    Act(Act),
    Notice(Notice),
    /// Who takes part and how far the peers are: as [`Request::Together`] answers it now.
    Together(Together),
    /// Another person is elsewhere, or gone.
    Presence(Presence),
    /// Somebody asks something of this person.
    Signalled {
        device: String,
        person: String,
        signal: Signal,
    },
    Message(ChatMessage),
    /// Work done apart was merged (UX §3.8).
    Merged(Merged),
}

/// A request with the id that its answer carries; one JSON object a line on the local socket.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RequestFrame {
    pub id: u64,
    #[serde(flatten)]
    pub request: Request,
}

/// What a peer sends on the local socket, one JSON object a line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ServerFrame {
    Reply { id: u64, result: Result<Reply, ApiError> },
    Event(Event),
}
