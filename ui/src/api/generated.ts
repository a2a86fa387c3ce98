// Generated from crates/api by `cargo xtask codegen`. Do not edit.
// Positions and lengths are UTF-16 code units of LF-normalised text; *_ms are Unix milliseconds.

export const API_VERSION = 2;

/**
 * Whether the person who asks was met before.
 */
export type Acquaintance = "new" | "known" | "otherKey";

/**
 * One whole act that a client may offer to take back.
 */
export type Act = { groupId: string,
/**
 * "Restored lexer.rs to 14:32:07." or "Disk changed 42 files."
 */
sentence: string, author: string, nFiles: number, paths: Array<string>, atMs: number, canUndo: boolean, };

/**
 * Why a request was refused. `message` is a whole sentence in plain words that can be shown as it is.
 */
export type ApiError = { code: ErrorCode, message: string,
/**
 * Technical cause for "Details"; never needed to understand the message.
 */
detail: string | null, };

export type AppEvent = { "event": "openRequested", "data": { path: string, goto: [string, number] | null, } } | { "event": "dropped", "data": { paths: Array<string>, folder: string | null, x: number, y: number, } } | { "event": "systemThemeChanged", "data": { dark: boolean,
/**
 * The desktop asks for high contrast.
 */
contrast: boolean, } } | { "event": "settingsChanged", "data": { settings: Settings, } } | { "event": "nearby", "data": Nearby } | { "event": "joining", "data": Joining } | { "event": "moveProgress", "data": { doneBytes: number, totalBytes: number, } } | { "event": "workspaceClosed", "data": { error: ApiError, } };

export type AppReply = { "reply": "done" } | { "reply": "started", "value": Started } | { "reply": "path", "value": { path: string | null, } } | { "reply": "opened", "value": { root: string, name: string, } } | { "reply": "moved", "value": { root: string, name: string, left: Array<string>, unsaved: string | null, } } | { "reply": "recent", "value": { folders: Array<RecentFolder>, } } | { "reply": "settings", "value": { settings: Settings, } } | { "reply": "clipboard", "value": { text: string, } } | { "reply": "nearby", "value": Nearby } | { "reply": "codeCheck", "value": CodeCheck } | { "reply": "folder", "value": { path: string, isTaken: boolean, } } | { "reply": "knownPeople", "value": { people: Array<KnownPerson>, } };

export type AppRequest = { "cmd": "start" } | { "cmd": "pickFolder", "args": { title: string, } } | { "cmd": "pickSaveFile", "args": { title: string, name: string, } } | { "cmd": "openWorkspace", "args": { path: string, } } | { "cmd": "openSample" } | { "cmd": "closeWorkspace" } | { "cmd": "newWindow", "args": { path: string | null, } } | { "cmd": "prepareMove", "args": { into: string, } } | { "cmd": "finishMove" } | { "cmd": "cancelMove" } | { "cmd": "copyFilesOnly", "args": { path: string, } } | { "cmd": "listRecent" } | { "cmd": "forgetRecent", "args": { path: string, } } | { "cmd": "getSettings" } | { "cmd": "putSettings", "args": { settings: Settings, } } | { "cmd": "revealInFileManager", "args": { path: string, } } | { "cmd": "openInItsApp", "args": { path: string, } } | { "cmd": "openTerminal", "args": { path: string, } } | { "cmd": "drawAttention" } | { "cmd": "readClipboard" } | { "cmd": "writeClipboard", "args": { text: string, } } | { "cmd": "setTitle", "args": { title: string, } } | { "cmd": "painted" } | { "cmd": "toggleFullScreen" } | { "cmd": "leaveFullScreen" } | { "cmd": "quit" } | { "cmd": "nearby" } | { "cmd": "lookAround" } | { "cmd": "checkCode", "args": { text: string, } } | { "cmd": "join", "args": { code: string,
/**
 * Where whoever gave the code is, `host` or `host:port`, if they are not found by themselves.
 */
address: string | null,
/**
 * Absolute path of the folder that the copy is to be in: not there yet, or empty.
 */
folder: string, } } | { "cmd": "askToJoin", "args": { peer: string, folder: string, } } | { "cmd": "cancelJoin" } | { "cmd": "wordsDiffer" } | { "cmd": "suggestFolder", "args": { name: string, } } | { "cmd": "listKnownPeople" } | { "cmd": "forgetPerson", "args": { device: string, } };

/**
 * The answer to [`Asking`].
 */
export type AskAnswer = { "kind": "letIn", role: Role, remember: boolean,
/**
 * As of an invitation.
 */
sharePast: boolean, } | { "kind": "notNow" } | { "kind": "wordsDiffer" };

/**
 * Somebody who asks to come in.
 */
export type Asking = { id: number, person: string, deviceName: string,
/**
 * Without the port.
 */
address: string,
/**
 * To be compared with what the other screen shows.
 */
words: [string, string], untilMs: number, acquaintance: Acquaintance, };

/**
 * Who made changes. `Disk` is the author of what other programs did to the folder.
 */
export type Author = { id: string, name: string, initials: string,
/**
 * Index into the eight author colours of `UX.md` §8.1; none for Disk.
 */
color: number | null, };

/**
 * One stretch of work at one file.
 */
export type AwayBurst = { path: string, fromMs: number, toMs: number, added: number, removed: number,
/**
 * Moment in the workspace's timeline at its end.
 */
workspaceIndex: number, };

export type AwayPerson = { person: string, color: number, nChanges: number, bursts: Array<AwayBurst>, };

export type Axis = "activity" | "clock";

/**
 * Who wrote a stretch of text, character-exact.
 */
export type BlameSpan = { position: number, length: number, author: Author, atMs: number, deltaId: string,
/**
 * Moment index in the file's timeline.
 */
index: number, };

/**
 * One bar of the histogram. Covers moments `from+1..=to`.
 */
export type Bucket = { from: number, to: number, startMs: number, endMs: number,
/**
 * Characters changed, per author (index into `TimelineInfo::authors`).
 */
chars: Array<[number, number]>, };

/**
 * The one thing the window sends (Tauri command `rpc`).
 */
export type Call = { "to": "workspace", "request": Request } | { "to": "app", "request": AppRequest } | { "to": "large", "request": LargeRequest } | { "to": "search", "request": SearchRequest } | { "to": "untitled", "request": UntitledRequest };

export type CallReply = { "to": "workspace", "reply": Reply } | { "to": "app", "reply": AppReply } | { "to": "large", "reply": LargeReply } | { "to": "search", "reply": SearchReply } | { "to": "untitled", "reply": UntitledReply };

/**
 * What a message points at.
 */
export type ChatLink = { "kind": "code", path: string, line: number, } | { "kind": "moment", atMs: number, workspaceIndex: number, };

/**
 * A message between the people of a workspace; part of its history.
 */
export type ChatMessage = { deltaId: string, device: string, person: string, color: number, isSelf: boolean, atMs: number, text: string, link: ChatLink | null, };

/**
 * What is known of a code while it is typed.
 */
export type CodeCheck = {
/**
 * Each part as typed, with what it is.
 */
parts: Array<CodePart>,
/**
 * Complete and made of our words.
 */
isComplete: boolean,
/**
 * The code with the last word completed, if there is one way to do so.
 */
completed: string | null, };

export type CodePart = { text: string, state: CodePartState,
/**
 * The word it may be meant for (MSG-PAIR-1), or what it begins.
 */
suggestion: string | null, };

export type CodePartState = "good" | "begun" | "unknown";

export type DeletedFile = { fileId: string, path: string, deletedMs: number, author: string,
/**
 * Workspace moment index just before the deletion.
 */
indexBefore: number, };

/**
 * Hashes (BLAKE3, hexadecimal) of what a workspace has: equal on peers that are equal, and each part tells where they
 * are not.
 */
export type Digest = {
/**
 * Of the four parts.
 */
hex: string,
/**
 * Of all deltas.
 */
history: string,
/**
 * Of the files that are there: names, kinds, properties, contents kept whole.
 */
tree: string,
/**
 * Of the texts of all files.
 */
texts: string,
/**
 * Of everybody's steps, in the order in which timelines show them.
 */
timeline: string, nFiles: number, nDeltas: number, };

export type Direction = "back" | "forward";

export type Entry = { name: string, path: string, kind: EntryKind,
/**
 * Stable through renames; none for a folder that only exists by what is in it.
 */
fileId: string | null, executable: boolean,
/**
 * Kept out of history by the ignore rules: listed, openable, greyed.
 */
ignored: boolean,
/**
 * Against now, when a past moment was asked for.
 */
change: EntryChange | null, };

export type EntryChange = "onlyThen" | "notYet" | "differs";

export type EntryKind = "folder" | "text" | "binary";

/**
 * Only codes that some client decides by.
 */
export type ErrorCode = "invalid" | "notFound" | "exists" | "notText" | "readOnly" | "diskFull" | "busy" | "newerVersion" | "damaged" | "io" | "mismatch" | "internal";

/**
 * What a peer tells its clients unasked.
 */
export type Event = { "event": "viewPatch", "data": ViewPatch } | { "event": "viewAck", "data": { viewId: number, requestId: number, revision: number, } } | { "event": "viewSnapshot", "data": ViewSnapshot } | { "event": "viewMoved", "data": { viewId: number, path: string | null, } } | { "event": "treeChanged", "data": { folders: Array<string>, } } | { "event": "saveState", "data": SaveState } | { "event": "waitingForSave", "data": { paths: Array<string>, } } | { "event": "historyGrew", "data": { nMoments: number, paths: Array<string>, } } | { "event": "momentNamed", "data": NamedMoment } | { "event": "act", "data": Act } | { "event": "notice", "data": Notice } | { "event": "together", "data": Together } | { "event": "presence", "data": Presence } | { "event": "signalled", "data": { device: string, person: string, signal: Signal, } } | { "event": "message", "data": ChatMessage } | { "event": "merged", "data": Merged };

export type FileChange = { path: string, oldPath: string | null, kind: FileChangeKind, linesAdded: number, linesRemoved: number,
/**
 * Unified diff, when one file was asked about or both sides are text.
 */
patch: string | null, };

export type FileChangeKind = "added" | "removed" | "changed" | "renamed";

export type FileMatches = { path: string,
/**
 * In the order of the text.
 */
matches: Array<SearchMatch>,
/**
 * There are more in this file.
 */
isCut: boolean, };

/**
 * What is to be replaced in one file, by who knows its text: all of it, or nothing when the text is another by now.
 */
export type FileReplacement = { path: string,
/**
 * In the order of the text, none within another.
 */
stretches: Array<Stretch>, };

export type Gap = {
/**
 * The gap lies between moment `index` and the next.
 */
index: number, idleMs: number, };

export type HistoryHit = { path: string, fileId: string,
/**
 * Number of occurrences went up (`appeared`) or down at this moment.
 */
kind: HistoryHitKind,
/**
 * Moment index in the file's timeline.
 */
index: number, workspaceIndex: number, atMs: number, author: Author, deltaId: string,
/**
 * The line around it.
 */
line: string, };

export type HistoryHitKind = "appeared" | "vanished";

/**
 * How somebody is asked in with a code.
 */
export type Invitation = { code: string, role: Role, untilMs: number,
/**
 * Wrong tries so far (MSG-PAIR-2b).
 */
nWrong: number,
/**
 * The address of whoever tried it with a wrong word last.
 */
wrongFrom: string | null, state: InvitationState, };

export type InvitationState = "open" | "used" | "switchedOff" | "runOut";

/**
 * How coming into a workspace goes. Told until it is over.
 */
export type Joining = { "kind": "searching" } | { "kind": "waiting", person: string, words: [string, string], untilMs: number, } | { "kind": "joined", root: string, name: string, person: string, role: Role, } | { "kind": "failed", id: string | null, sentence: string, nTriesLeft: number | null, } | { "kind": "cancelled" };

/**
 * A person this computer remembers.
 */
export type KnownPerson = { device: string, person: string, deviceName: string, lastSeenMs: number, };

export type LargeFound = { "kind": "match", from: LargePlace, to: LargePlace, } | { "kind": "goesOn", offset: number, } | { "kind": "over" };

/**
 * Where a search begins, or goes on.
 */
export type LargeFrom = { "kind": "place", place: LargePlace, } | { "kind": "offset", offset: number, } | { "kind": "edge" };

/**
 * Row from 0, column in UTF-16 units.
 */
export type LargePlace = { row: number, column: number, };

export type LargeReply = { "reply": "state", "value": LargeState } | { "reply": "rows", "value": { generation: number, rows: Array<LargeRow>, } } | { "reply": "row", "value": { row: number, } } | { "reply": "found", "value": LargeFound } | { "reply": "text", "value": { text: string, } } | { "reply": "done" };

export type LargeRequest = { "cmd": "look", "args": { path: string, } } | { "cmd": "rows", "args": { path: string, from: number, n: number, } } | { "cmd": "rowOfLine", "args": { path: string, line: number, } } | { "cmd": "find", "args": { path: string, text: string, matchCase: boolean, backwards: boolean, from: LargeFrom, } } | { "cmd": "text", "args": { path: string, from: LargePlace, to: LargePlace, } } | { "cmd": "leave", "args": { path: string, } };

export type LargeRow = { text: string,
/**
 * From 1.
 */
line: number,
/**
 * False where a long line goes on.
 */
startsLine: boolean, };

export type LargeState = {
/**
 * Rises when rows that were told before may be other ones now.
 */
generation: number,
/**
 * False for a file that holds no text; it has no rows to show then.
 */
isText: boolean,
/**
 * Known so far, at least one.
 */
nRows: number, nLines: number, sizeBytes: number,
/**
 * As many as `size_bytes` when all is looked through.
 */
lookedBytes: number,
/**
 * Columns of the widest row, roughly.
 */
widestUnits: number, encoding: string, lineEnd: LineEnd, };

export type LineEnd = "lf" | "crLf";

/**
 * How this workspace stands with the others', in one word.
 */
export type LinkState = { "kind": "alone" } | { "kind": "live", nOthers: number, } | { "kind": "catchingUp", nLeft: number, nAll: number, } | { "kind": "offline" } | { "kind": "paused" } | { "kind": "left" } | { "kind": "needsYou", id: string, sentence: string, };

export type LogQuery = { path: string | null, since: Moment | null, until: Moment | null, author: string | null,
/**
 * One record a step instead of one a change group.
 */
steps: boolean, cursor: string | null, limit: number, };

/**
 * One line of `codesync log --json`.
 */
export type LogRecord = {
/**
 * Id of the delta (hex of its hash).
 */
id: string,
/**
 * Id of the workspace.
 */
session_id: string,
/**
 * Name of the author; `Disk` for what other programs did.
 */
user_id: string,
/**
 * RFC 3339 with milliseconds, UTC.
 */
timestamp: string, kind: string, path: string | null,
/**
 * N of `@N` in this file's timeline, for text steps.
 */
step: number | null, position: number | null, deleted: number | null, inserted: string | null,
/**
 * For groups: how many steps, characters added and removed, files.
 */
n_steps: number | null, added: number | null, removed: number | null, n_files: number | null, group_id: string | null,
/**
 * For renames the old path, for named moments the name.
 */
detail: string | null,
/**
 * For groups that are news by themselves: what happened, in a sentence with the author's name.
 */
sentence?: string,
/**
 * For merges made here: places that both sides changed. `Request::Merged` with this record's id tells them.
 */
n_both?: number, };

/**
 * A device that takes part, and the person at it.
 */
export type Member = {
/**
 * Hexadecimal.
 */
device: string, person: string,
/**
 * Name of the computer, where it is known.
 */
deviceName: string | null,
/**
 * Index into the eight author colours, the same as in histories and blame.
 */
color: number,
/**
 * None for a device that was removed.
 */
role: Role | null, isSelf: boolean, isConnected: boolean,
/**
 * `host:port` of the connection.
 */
address: string | null,
/**
 * There and back, microseconds.
 */
roundTripUs: number | null,
/**
 * Changes of this computer that it does not have yet, as far as is known.
 */
nBehind: number,
/**
 * When it was connected last; none while it is, or if it never was.
 */
lastSeenMs: number | null,
/**
 * When the person at it left this workspace (MSG-PEER-3); none when they come again, and where nobody here heard of it.
 */
leftMs: number | null,
/**
 * Version of the program there, while it is connected, if it is another than here (MSG-VER-3).
 */
otherVersion: string | null, };

/**
 * Where two sides changed the same lines while they were apart.
 */
export type Merged = { with: Array<string>, apartMs: number, nOurs: number, nTheirs: number, nFiles: number, places: Array<Overlap>,
/**
 * When both had the same last, Unix milliseconds.
 */
sinceMs: number,
/**
 * The moments “Before merge”, as [`crate::NamedMoment::delta_id`].
 */
beforeOurs: string | null, beforeTheirs: string | null, };

/**
 * How a person names a moment. On the command line: an RFC 3339 time, `-10m`, a delta id or a unique
 * prefix of it, `name:…`, or `@N`, the N-th step of the file's (or workspace's) timeline.
 */
export type Moment = { "kind": "now" } | { "kind": "time", "value": number } | { "kind": "ago", "value": number } | { "kind": "delta", "value": string } | { "kind": "name", "value": string } | { "kind": "step", "value": number } | { "kind": "workspaceStep", "value": number };

export type MomentInfo = { index: number, nMoments: number,
/**
 * The same moment in the workspace's timeline.
 */
workspaceIndex: number, atMs: number, deltaId: string | null, author: Author | null, path: string | null, added: number, removed: number,
/**
 * For anything but typing: "renamed a.rs to b.rs", "Disk changed 42 files".
 */
label: string | null,
/**
 * Where in the text the change was, to reveal and flash it.
 */
position: number | null,
/**
 * When it arrived on this device, Unix milliseconds, if that was long after it was done.
 */
arrivedMs?: number, };

export type NamedMoment = { deltaId: string, name: string, note: string | null,
/**
 * ◇ instead of ★: made by CodeSync before a risky act.
 */
automatic: boolean, atMs: number, author: string,
/**
 * Index in the timeline that was asked about.
 */
index: number, };

/**
 * Who else is on the network, and whether one is seen oneself. Told as a whole when it changes.
 */
export type Nearby = {
/**
 * By name. One entry a device; one that shares several workspaces stands here once for each.
 */
people: Array<NearbyPerson>, network: NetworkState, };

export type NearbyPerson = {
/**
 * To be given to `AskToJoin` and `InviteNearby`. Holds for this run only.
 */
peer: string, device: string, person: string, deviceName: string,
/**
 * Without the port.
 */
address: string, acquaintance: Acquaintance,
/**
 * What is shared there and can be asked for. None: nothing.
 */
shares: SharedWorkspace | null,
/**
 * They invite this device to what they share.
 */
invites: boolean, };

/**
 * Facts for "Why is nobody listed?".
 */
export type NetworkState = {
/**
 * Addresses of this computer, without loopback.
 */
addresses: Array<string>,
/**
 * Name of the network, where the system tells it.
 */
name: string | null,
/**
 * Interfaces that look like a VPN's, such as `tun0` (MSG-NET-2).
 */
vpns: Array<string>,
/**
 * Whether others find this computer now.
 */
isVisible: boolean,
/**
 * As others see it.
 */
person: string,
/**
 * The port in use; 0 when there is no network.
 */
port: number,
/**
 * Looking since, Unix milliseconds; none while nobody looks.
 */
lookingSinceMs: number | null, };

/**
 * A message of `UX.md` §5 that no request asked for.
 */
export type Notice = {
/**
 * Id of the wording, such as `MSG-DISK-3`.
 */
id: string, title: string, body: string, path: string | null,
/**
 * Of MSG-ROLE-5: it came of becoming a viewer, so that an owner may be asked for what was done.
 */
becameViewer: boolean, };

export type Overlap = { path: string,
/**
 * From 1, in the text as it is now.
 */
line: number,
/**
 * Where `now` stands in the text as it is now, UTF-16 units.
 */
position: number, ours: string, theirs: string, now: string,
/**
 * False where the texts are cut, so that they can be looked at, but not put in.
 */
isWhole: boolean, };

/**
 * A file as of a moment, exactly as it stood (or would have stood) on disk.
 */
export type PastFile = { path: string, text: string | null,
/**
 * Base64 of the bytes on disk; for binaries, or where the bytes are not the text in UTF-8.
 */
bytesBase64: string | null, };

/**
 * Text at a moment: whole, or as splices over the text of the index the caller has.
 */
export type PastText = { index: number, text: string | null, splices: Array<Splice> | null,
/**
 * False when the file did not exist at that moment.
 */
exists: boolean,
/**
 * Its path then.
 */
path: string | null, moment: MomentInfo, };

export type PatchSource = "undo" | "restore" | "disk" | "peer" | "other";

/**
 * Where a person is and what is selected, told while it is so and never kept. Positions are UTF-16 units of the text as
 * the engine has it when it tells them.
 */
export type Place = {
/**
 * The file that is looked at. None: no text.
 */
path: string | null,
/**
 * Anchor and head of each selection; the first is the main caret.
 */
selections: Array<[number, number]>,
/**
 * First line on the screen, from 1.
 */
topLine: number,
/**
 * Line of the main caret, from 1; 0 where there is none.
 */
line: number,
/**
 * The moment of the past that is looked at, Unix milliseconds.
 */
pastMs: number | null,
/**
 * Nothing was done at that computer for five minutes.
 */
isAway: boolean,
/**
 * Whoever is there writes a message just now.
 */
isWritingMessage: boolean, };

/**
 * Another person's place, told anew when it changes ([`crate::Event::Presence`]).
 */
export type Presence = {
/**
 * Hexadecimal, as [`Member::device`].
 */
device: string,
/**
 * None: gone.
 */
place: Place | null,
/**
 * When something was typed there last, Unix milliseconds; 0 for never.
 */
typedMs: number, };

/**
 * What the shell pushes to the window (the one event channel).
 */
export type Push = { "from": "workspace", "event": Event } | { "from": "app", "event": AppEvent };

export type ReadOnlyReason = "binary" | "tooLarge" | "ignored" | "coming" | "diskFull";

export type RecentFolder = { path: string, name: string, openedMs: number, missing: boolean, };

export type RefusedPath = { path: string, reason: string, };

/**
 * Where to replace.
 */
export type ReplaceTarget = { path: string,
/**
 * `(position, length)` of the matches that are meant, as they were told; none for all of the file.
 */
only: Array<[number, number]> | null, };

export type Replaced = {
/**
 * To be given to `UndoGroup`; none when nothing was replaced.
 */
groupId: string | null, nReplaced: number,
/**
 * Files that changed.
 */
paths: Array<string>,
/**
 * Matches and files that were meant but are not there any more.
 */
nMissed: number,
/**
 * Why it ended before its end. What was replaced before stays, and can be taken back.
 */
trouble: ApiError | null, };

/**
 * The answer to a [`Request`] of the same name.
 */
export type Reply = { "reply": "done" } | { "reply": "status", "value": Status } | { "reply": "state", "value": { value: string | null, } } | { "reply": "verified", "value": VerifyReport } | { "reply": "folder", "value": { entries: Array<Entry>, } } | { "reply": "files", "value": { paths: Array<string>, } } | { "reply": "deleted", "value": { files: Array<DeletedFile>, } } | { "reply": "trashed", "value": { groupId: string | null, inTrash: boolean, } } | { "reply": "view", "value": ViewOpened } | { "reply": "undone", "value": Undone } | { "reply": "edited", "value": { nApplied: number, } } | { "reply": "presentText", "value": { text: string, } } | { "reply": "inFilesReplaced", "value": { groupId: string | null, changed: Array<string>, } } | { "reply": "timeline", "value": TimelineInfo } | { "reply": "histogram", "value": { buckets: Array<Bucket>, } } | { "reply": "moment", "value": MomentInfo } | { "reply": "text", "value": PastText } | { "reply": "file", "value": PastFile } | { "reply": "compared", "value": { files: Array<FileChange>, } } | { "reply": "blame", "value": { spans: Array<BlameSpan>, } } | { "reply": "found", "value": { hits: Array<HistoryHit>, truncated: boolean, } } | { "reply": "log", "value": { records: Array<LogRecord>, next: string | null, } } | { "reply": "moments", "value": { moments: Array<NamedMoment>, } } | { "reply": "bursts", "value": { bursts: Array<MomentInfo>, } } | { "reply": "preview", "value": RestorePlan } | { "reply": "restored", "value": Restored } | { "reply": "together", "value": Together } | { "reply": "invitation", "value": Invitation } | { "reply": "presences", "value": { presences: Array<Presence>, } } | { "reply": "messages", "value": { messages: Array<ChatMessage>, hasMore: boolean, } } | { "reply": "away", "value": { away: WhileAway | null, } } | { "reply": "merged", "value": { merged: Merged | null, } } | { "reply": "digest", "value": Digest } | { "reply": "exported", "value": { nDeltas: number, nCommits: number, bytes: number, } } | { "reply": "imported", "value": { nDeltas: number, } };

/**
 * Everything a client may ask of a peer that has a workspace open.
 */
export type Request = { "cmd": "status" } | { "cmd": "flush" } | { "cmd": "readSettings" } | { "cmd": "getState", "args": { key: string, } } | { "cmd": "putState", "args": { key: string, value: string, } } | { "cmd": "verify", "args": { repair: boolean, } } | { "cmd": "listFolder", "args": { path: string, at: Moment | null, } } | { "cmd": "listFiles", "args": { at: Moment | null, } } | { "cmd": "createFile", "args": { path: string, text: string, } } | { "cmd": "createFolder", "args": { path: string, } } | { "cmd": "rename", "args": { from: string, to: string, } } | { "cmd": "delete", "args": { path: string, } } | { "cmd": "moveToTrash", "args": { path: string, } } | { "cmd": "duplicate", "args": { path: string, to: string, } } | { "cmd": "listDeleted", "args": { limit: number, } } | { "cmd": "undelete", "args": { fileId: string, } } | { "cmd": "importFile", "args": { source: string, path: string, } } | { "cmd": "openView", "args": { path: string, } } | { "cmd": "closeView", "args": { viewId: number, } } | { "cmd": "editView", "args": { viewId: number, edit: ViewEdit, } } | { "cmd": "resyncView", "args": { viewId: number, } } | { "cmd": "resumeViews", "args": { views: Array<ResumedView>, } } | { "cmd": "undo", "args": { viewId: number, } } | { "cmd": "redo", "args": { viewId: number, } } | { "cmd": "undoLast" } | { "cmd": "undoGroup", "args": { groupId: string, } } | { "cmd": "save", "args": { path: string | null, } } | { "cmd": "setEncoding", "args": { path: string, encoding: string, byteOrderMark: boolean, } } | { "cmd": "setLineEnd", "args": { path: string, lineEnd: LineEnd, } } | { "cmd": "editFile", "args": { path: string, edits: Array<Splice>, } } | { "cmd": "listUnwritten" } | { "cmd": "presentText", "args": { path: string, } } | { "cmd": "replaceInFiles", "args": { groupId: string | null, keepsMoment: boolean, files: Array<FileReplacement>, } } | { "cmd": "timeline", "args": { scope: Scope, } } | { "cmd": "histogram", "args": { scope: Scope, axis: Axis, from: number, to: number, nBuckets: number, } } | { "cmd": "momentInfo", "args": { scope: Scope, index: number, } } | { "cmd": "stepMoment", "args": { scope: Scope, index: number, unit: StepUnit, direction: Direction, } } | { "cmd": "resolveMoment", "args": { scope: Scope, moment: Moment, } } | { "cmd": "textAt", "args": { path: string, scope: Scope, index: number, have: number | null, } } | { "cmd": "fileAt", "args": { path: string, at: Moment, } } | { "cmd": "compare", "args": { path: string | null, from: Moment, to: Moment, } } | { "cmd": "blame", "args": { path: string, at: Moment | null, } } | { "cmd": "findInHistory", "args": { text: string, scope: Scope, limit: number, } } | { "cmd": "log", "args": { query: LogQuery, } } | { "cmd": "moments", "args": { scope: Scope, } } | { "cmd": "nameMoment", "args": { name: string, note: string | null, at: Moment | null, } } | { "cmd": "renameMoment", "args": { deltaId: string, name: string, note: string | null, } } | { "cmd": "listBursts", "args": { scope: Scope, before: number, limit: number, } } | { "cmd": "restorePreview", "args": { target: RestoreTarget, at: Moment, } } | { "cmd": "restore", "args": { target: RestoreTarget, at: Moment, } } | { "cmd": "together" } | { "cmd": "invite", "args": { role: Role,
/**
 * Six words that stand for a day, rather than a digit and two words that stand for minutes.
 */
isLong: boolean,
/**
 * Newcomers get the history so far, too, not only what comes from now on.
 */
sharePast: boolean, } } | { "cmd": "endInvitation" } | { "cmd": "share" } | { "cmd": "inviteNearby", "args": { peer: string, role: Role,
/**
 * As of an invitation.
 */
sharePast: boolean, } } | { "cmd": "answerAsk", "args": { id: number, answer: AskAnswer, } } | { "cmd": "leave" } | { "cmd": "pause", "args": { isPaused: boolean, } } | { "cmd": "syncNow" } | { "cmd": "showPlace", "args": { place: Place, } } | { "cmd": "signal", "args": Signal } | { "cmd": "presences" } | { "cmd": "sendMessage", "args": { text: string, link: ChatLink | null, } } | { "cmd": "listMessages", "args": { before: string | null, limit: number, } } | { "cmd": "whileAway" } | { "cmd": "merged", "args": { deltaId: string | null, } } | { "cmd": "digest" } | { "cmd": "setRole", "args": { device: string, role: Role, } } | { "cmd": "removeMember", "args": { device: string, } } | { "cmd": "connect", "args": { address: string, } } | { "cmd": "exportBundle", "args": { file: string, } } | { "cmd": "exportUnsaved", "args": { file: string, } } | { "cmd": "importBundle", "args": { file: string, } } | { "cmd": "exportGit", "args": { dir: string, } };

/**
 * What a restore would do.
 */
export type RestorePlan = { atMs: number, changes: Array<FileChange>, nChanged: number, nReturning: number, nLeaving: number,
/**
 * Other authors whose later changes it takes back: name and number of changes.
 */
others: Array<[string, number]>, };

export type RestoreTarget = { "kind": "selection", "value": { path: string, start: number, end: number, } } | { "kind": "pastSelection", "value": { path: string, start: number, end: number, } } | { "kind": "lines", "value": { path: string, first: number, last: number, } } | { "kind": "file", "value": { path: string, } } | { "kind": "folder", "value": { path: string, } } | { "kind": "workspace" };

export type Restored = {
/**
 * To be given to `UndoGroup`; none when nothing had to change.
 */
groupId: string | null, sentence: string, nFiles: number, paths: Array<string>, };

/**
 * A view as its client knows it, to be gone on with elsewhere.
 */
export type ResumedView = { viewId: number, path: string,
/**
 * Newest revision that the client has heard of.
 */
revision: number,
/**
 * Newest of its edits that was certainly done.
 */
ackedRequestId: number, };

/**
 * What a person may do in a workspace.
 */
export type Role = "viewer" | "editor" | "owner";

export type SaveKind = "saved" | "saving" | "diskFull" | "cannotWriteFile" | "folderGone" | "failed";

/**
 * The truth about "is it kept?". Nothing is shown as saved before a real fsync.
 */
export type SaveState = { kind: SaveKind,
/**
 * Newest moment up to which everything is on disk.
 */
savedMs: number | null,
/**
 * Files whose text is kept in history but not yet written to the folder.
 */
nUnwritten: number,
/**
 * For anything but `saved` and `saving`: the sentence to show.
 */
message: string | null, };

/**
 * Whose timeline.
 */
export type Scope = { "kind": "file", "path": string } | { "kind": "folder", "path": string } | { "kind": "workspace" };

export type SearchMatch = { position: number, length: number,
/**
 * From 1.
 */
line: number,
/**
 * From 1, UTF-16 units.
 */
column: number,
/**
 * The line in which it begins, or the part of a long one around it.
 */
preview: string,
/**
 * Where it stands in `preview`, UTF-16 units.
 */
from: number, to: number,
/**
 * What it would become, where the query has a replacement that was to be shown.
 */
becomes: string | null, };

/**
 * What a search found since it was asked last.
 */
export type SearchNews = {
/**
 * In the order of the explorer.
 */
files: Array<FileMatches>,
/**
 * Files looked at so far.
 */
nFiles: number,
/**
 * Of the files looked at, those that are too large to edit and were not searched.
 */
nTooLarge: number,
/**
 * There are more matches than are told.
 */
isCut: boolean, isOver: boolean,
/**
 * Why it ended before its end.
 */
trouble: ApiError | null, };

/**
 * What is looked for, and where.
 */
export type SearchQuery = { text: string,
/**
 * The text is a regular expression. One that names no line end never finds more than a line.
 */
isRegex: boolean, matchCase: boolean, wholeWord: boolean,
/**
 * Globs, as editors take them: `*.rs` and `src` at any depth, `./src` only at the top; a folder stands for what is
 * in it. None: every file.
 */
include: Array<string>, exclude: Array<string>,
/**
 * What the matches are to become, for who wants to see that before: see [`SearchMatch::becomes`].
 */
replacement: string | null, };

export type SearchReply = { "reply": "begun", "value": { id: number, } } | { "reply": "found", "value": SearchNews } | { "reply": "files", "value": { files: Array<FileMatches>, } } | { "reply": "replaced", "value": Replaced } | { "reply": "done" };

/**
 * What a window asks. It has one search at a time.
 */
export type SearchRequest = { "cmd": "begin", "args": { query: SearchQuery, } } | { "cmd": "more", "args": { id: number, } } | { "cmd": "end", "args": { id: number, } } | { "cmd": "again", "args": { query: SearchQuery, paths: Array<string>, } } | { "cmd": "replace", "args": { query: SearchQuery, replacement: string, targets: Array<ReplaceTarget>, keepsMoment: boolean, } };

/**
 * The user's settings, one file in the configuration folder.
 */
export type Settings = {
/**
 * `system`, `dark`, `light`, `hc-dark` or `hc-light`.
 */
theme: string, zoomPercent: number, person: string | null,
/**
 * The author colour that the person chose, an index below 8; without one they have whichever is free.
 */
color: number | null, editorFontFamily: string, editorFontSize: number,
/**
 * In percent of the font size.
 */
lineHeightPercent: number,
/**
 * Signs such as `=>` drawn as one.
 */
ligatures: boolean,
/**
 * Ctrl and the wheel over the text change its size only.
 */
wheelZoomsText: boolean,
/**
 * Suggestions while typing; Ctrl+Space gives them always.
 */
suggest: boolean, tabSize: number, wordWrap: boolean, minimap: boolean, showWhitespace: boolean, reduceMotion: boolean,
/**
 * Of the frame around the text, in pixels.
 */
uiFontSize: number,
/**
 * Screen-reader mode of the text editor: `auto`, `on` or `off`.
 */
screenReader: string, timelineVisible: boolean, timelineHintSeen: boolean, axis: string,
/**
 * Open the last workspace at start.
 */
reopen: boolean,
/**
 * When a changed text is written to the folder: `afterDelay`, `onFocusChange` or `off`.
 */
autoSave: string,
/**
 * What is deleted in the window goes to the system's trash, too.
 */
enableTrash: boolean,
/**
 * Who on the network sees this computer: `everyone`, `known`, `panel` (while a list of people is shown) or `nobody`.
 */
visibleTo: string,
/**
 * Until then everybody does, whatever `visible_to` says; Unix milliseconds.
 */
visibleUntilMs: number,
/**
 * The tree of files goes along with the editor.
 */
revealActive: boolean,
/**
 * Names beside others' carets: `activity`, `always` or `never`.
 */
nameFlags: string,
/**
 * After joining, the view goes where the other is.
 */
followOnJoin: boolean,
/**
 * Role that is proposed for newcomers: `editor` or `viewer`.
 */
defaultRole: string,
/**
 * Enter sends a message; otherwise Ctrl+Enter does.
 */
enterSends: boolean,
/**
 * Key bindings changed by the user: command id to key.
 */
keys: { [key in string]: string }, };

export type SharedWorkspace = { name: string, nPeople: number,
/**
 * This device takes part already: where its copy is, if that is known.
 */
isJoined: boolean, };

/**
 * What one window tells of whoever sits before it ([`crate::Request::ShowPlace`]) or asks of the others.
 */
export type Signal = { "kind": "bring", path: string, line: number, to: string | null, } | { "kind": "askToEdit" };

/**
 * One replacement: at `position`, take `deleted` units away and put `inserted` there.
 * As JSON it is an array, `[position, deleted, inserted]`.
 */
export type Splice = [number, number, string];

export type Started = { version: string, settings: Settings,
/**
 * Absolute path of the workspace to open at once: from the command line, or the last one.
 */
open: string | null,
/**
 * File (relative) and line to show first.
 */
goto: [string, number] | null,
/**
 * MSG-CRASH-1 applies: the last run did not end by itself.
 */
crashed: boolean, person: string, systemDark: boolean,
/**
 * The desktop asks for high contrast.
 */
systemContrast: boolean, platform: string, };

export type Status = { apiVersion: number, appVersion: string,
/**
 * Absolute path of the folder.
 */
root: string,
/**
 * Its last component.
 */
name: string,
/**
 * Id of the workspace, the same on every replica.
 */
projectId: string, deviceId: string, person: string, nFiles: number, nDeltas: number, nMoments: number, historyBytes: number, save: SaveState,
/**
 * Files that the ignore rules keep out are not counted.
 */
nIgnored: number,
/**
 * Paths that could not be taken in, with the reason as a sentence.
 */
refused: Array<RefusedPath>,
/**
 * What whoever opens this workspace is to know of it, such as that its history is a copy.
 */
notices?: Array<Notice>,
/**
 * Files whose text waits until it is saved, see [`crate::Event::WaitingForSave`].
 */
waitingForSave: Array<string>, };

export type StepUnit = "change" | "burst" | "named" | "page" | "end";

/**
 * `old`, which stands at `position` before any other is replaced, becomes `new`.
 */
export type Stretch = { position: number, old: string, new: string, };

export type TimelineInfo = {
/**
 * Moments are 0..=n_moments; `n_moments` is now.
 */
nMoments: number, firstMs: number | null, lastMs: number | null, authors: Array<Author>,
/**
 * Idle stretches over 60 s, to be drawn folded on the activity axis.
 */
gaps: Array<Gap>, named: Array<NamedMoment>, };

/**
 * The workspace as several people's: who takes part and how far the peers are. Told anew as a whole when it changes.
 */
export type Together = {
/**
 * Oneself first, then by name. Only oneself when nobody was let in yet.
 */
members: Array<Member>, link: LinkState,
/**
 * The invitation that is open.
 */
invitation: Invitation | null,
/**
 * People who ask to come in and wait for an answer, oldest first.
 */
asking: Array<Asking>,
/**
 * Where a typed address reaches this computer, `host:port`. Empty while it takes no part in any network.
 */
addresses: Array<string>,
/**
 * The person who took this computer out (MSG-PEER-1), where that is known; none while it takes part.
 */
removedBy: string | null, };

export type Undone = { kind: UndoneKind,
/**
 * Where the caret belongs afterwards, in the file of the view.
 */
caret: number | null,
/**
 * MSG-UNDO-1 and the like.
 */
message: string | null, paths: Array<string>,
/**
 * The group that this made, itself to be taken back by `UndoGroup`.
 */
groupId: string | null, };

export type UndoneKind = "applied" | "nothingToUndo" | "overwritten";

export type UntitledReply = { "reply": "texts", "value": { texts: Array<UntitledText>, } } | { "reply": "done" };

export type UntitledRequest = { "cmd": "takeUntitled" } | { "cmd": "keepUntitled", "args": { id: string, text: string, } } | { "cmd": "dropUntitled", "args": { id: string, } };

export type UntitledText = { id: string, text: string, };

export type VerifyReport = { ok: boolean, nDeltas: number, nBlobs: number,
/**
 * One sentence each.
 */
problems: Array<string>, repaired: Array<string>, };

/**
 * All edits of one Monaco event. Each splice's position counts in the text as it is after the
 * splices before it in the list.
 */
export type ViewEdit = { requestId: number,
/**
 * Newest engine revision that the view had applied when this was typed.
 */
baseRevision: number,
/**
 * All of it was typed behind a letter of its line, not at a line's start: where others insert at the same
 * place, it stays left of theirs, so that a word goes on as one.
 */
staysLeft: boolean, splices: Array<Splice>, };

export type ViewOpened = { viewId: number, fileId: string | null, path: string, revision: number,
/**
 * Empty for binaries and files over the limit.
 */
text: string, encoding: string,
/**
 * The file on disk begins with the mark of its encoding.
 */
byteOrderMark: boolean, lineEnd: LineEnd,
/**
 * The file on disk has other line ends, too. It keeps them until its text changes; then all become `line_end`.
 */
mixedLineEnds: boolean, readOnly: ReadOnlyReason | null, sizeBytes: number,
/**
 * Number of text steps in this file's timeline.
 */
nMoments: number, };

/**
 * Others' edits (disk, undo, another view) for a view to apply over its own pending ones.
 */
export type ViewPatch = { viewId: number,
/**
 * Revision after these splices.
 */
revision: number, splices: Array<Splice>, source: PatchSource,
/**
 * Whose edit it is, hexadecimal, when another device's.
 */
device?: string,
/**
 * CRC32C (Castagnoli) of the UTF-8 text at `revision`, sent with every so many revisions.
 */
checksum: number | null, };

/**
 * The whole text, to start over from.
 */
export type ViewSnapshot = { viewId: number, revision: number, text: string,
/**
 * Newest request of this view that is contained in `text`.
 */
ackedRequestId: number, };

/**
 * What others did since this device was here last, by person and burst (UX "while you were away").
 */
export type WhileAway = { sinceMs: number, people: Array<AwayPerson>, };
