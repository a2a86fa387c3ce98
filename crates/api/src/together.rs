//! Other people: who takes part, invitations, and how far each peer is.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a person may do in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    Viewer,
    Editor,
    Owner,
}

/// The workspace as several people's: who takes part and how far the peers are. Told anew as a whole when it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Together {
    /// Oneself first, then by name. Only oneself when nobody was let in yet.
    pub members: Vec<Member>,
    pub link: LinkState,
    /// The invitation that is open.
    pub invitation: Option<Invitation>,
    /// People who ask to come in and wait for an answer, oldest first.
    pub asking: Vec<Asking>,
    /// Where a typed address reaches this computer, `host:port`. Empty while it takes no part in any network.
    pub addresses: Vec<String>,
    /// The person who took this computer out (MSG-PEER-1), where that is known; none while it takes part.
    pub removed_by: Option<String>,
}

/// How this workspace stands with the others', in one word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LinkState {
    /// Nobody else takes part.
    #[default]
    Alone,
    /// Connected, and what each has the other has too.
    Live { n_others: u32 },
    /// Changes are on their way: so many still, of so many since it began.
    CatchingUp { n_left: u64, n_all: u64 },
    /// Others take part, and none can be reached.
    Offline,
    /// Paused by the person here.
    Paused,
    /// The person here left. The copy stays, and others hear nothing of what is done to it.
    Left,
    /// It does not go on by itself: what is the matter, as a sentence.
    NeedsYou { id: String, sentence: String },
}

/// A device that takes part, and the person at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// Hexadecimal.
    pub device: String,
    pub person: String,
    /// Name of the computer, where it is known.
    pub device_name: Option<String>,
    /// Index into the eight author colours, the same as in histories and blame.
    pub color: u8,
    /// None for a device that was removed.
    pub role: Option<Role>,
    pub is_self: bool,
    pub is_connected: bool,
    /// `host:port` of the connection.
    pub address: Option<String>,
    /// There and back, microseconds.
    pub round_trip_us: Option<u32>,
    /// Changes of this computer that it does not have yet, as far as is known.
    pub n_behind: u64,
    /// When it was connected last; none while it is, or if it never was.
    pub last_seen_ms: Option<u64>,
    /// When the person at it left this workspace (MSG-PEER-3); none when they come again, and where nobody here heard of it.
    pub left_ms: Option<u64>,
    /// Version of the program there, while it is connected, if it is another than here (MSG-VER-3).
    pub other_version: Option<String>,
}

/// How somebody is asked in with a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    pub code: String,
    pub role: Role,
    pub until_ms: u64,
    /// Wrong tries so far (MSG-PAIR-2b).
    pub n_wrong: u32,
    /// The address of whoever tried it with a wrong word last.
    pub wrong_from: Option<String>,
    pub state: InvitationState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum InvitationState {
    Open,
    Used,
    /// After three wrong tries.
    SwitchedOff,
    RunOut,
}

/// Somebody who asks to come in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Asking {
    pub id: u64,
    pub person: String,
    pub device_name: String,
    /// Without the port.
    pub address: String,
    /// To be compared with what the other screen shows.
    pub words: [String; 2],
    pub until_ms: u64,
    pub acquaintance: Acquaintance,
}

/// Whether the person who asks was met before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Acquaintance {
    New,
    /// The same person at the same computer as before: one click lets them in.
    Known,
    /// A name that is known, with another key (MSG-PAIR-7).
    OtherKey,
}

/// The answer to [`Asking`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum AskAnswer {
    LetIn {
        role: Role,
        remember: bool,
        /// As of an invitation.
        share_past: bool,
    },
    NotNow,
    /// MSG-PAIR-6 on both sides.
    WordsDiffer,
}

/// Where a person is and what is selected, told while it is so and never kept. Positions are UTF-16 units of the text as
/// the engine has it when it tells them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The file that is looked at. None: no text.
    pub path: Option<String>,
    /// Anchor and head of each selection; the first is the main caret.
    pub selections: Vec<(u32, u32)>,
    /// First line on the screen, from 1.
    pub top_line: u32,
    /// Line of the main caret, from 1; 0 where there is none.
    pub line: u32,
    /// The moment of the past that is looked at, Unix milliseconds.
    pub past_ms: Option<u64>,
    /// Nothing was done at that computer for five minutes.
    pub is_away: bool,
    /// Whoever is there writes a message just now.
    pub is_writing_message: bool,
}

/// What one window tells of whoever sits before it ([`crate::Request::ShowPlace`]) or asks of the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Signal {
    /// Come and look: `Bring everyone here`, or one alone (`to`, as [`Member::device`]). Nobody is moved without being
    /// asked.
    Bring { path: String, line: u32, to: Option<String> },
    /// A viewer would like to edit (MSG-ROLE-2). Owners are told.
    AskToEdit,
}

/// Another person's place, told anew when it changes ([`crate::Event::Presence`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Presence {
    /// Hexadecimal, as [`Member::device`].
    pub device: String,
    /// None: gone.
    pub place: Option<Place>,
    /// When something was typed there last, Unix milliseconds; 0 for never.
    pub typed_ms: u64,
}

/// A message between the people of a workspace; part of its history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChatMessage {
    pub delta_id: String,
    pub device: String,
    pub person: String,
    pub color: u8,
    pub is_self: bool,
    pub at_ms: u64,
    pub text: String,
    pub link: Option<ChatLink>,
}

/// What a message points at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ChatLink {
    /// A line of a file, from 1. Told as it is now: it follows the text, and the file.
    Code { path: String, line: u32 },
    /// A moment of the workspace's timeline.
    Moment { at_ms: u64, workspace_index: u64 },
}

/// What others did since this device was here last, by person and burst (UX "while you were away").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WhileAway {
    pub since_ms: u64,
    pub people: Vec<AwayPerson>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AwayPerson {
    pub person: String,
    pub color: u8,
    pub n_changes: u64,
    pub bursts: Vec<AwayBurst>,
}

/// One stretch of work at one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AwayBurst {
    pub path: String,
    pub from_ms: u64,
    pub to_ms: u64,
    pub added: u64,
    pub removed: u64,
    /// Moment in the workspace's timeline at its end.
    pub workspace_index: u64,
}

/// Where two sides changed the same lines while they were apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Merged {
    pub with: Vec<String>,
    pub apart_ms: u64,
    pub n_ours: u64,
    pub n_theirs: u64,
    pub n_files: u64,
    pub places: Vec<Overlap>,
    /// When both had the same last, Unix milliseconds.
    pub since_ms: u64,
    /// The moments “Before merge”, as [`crate::NamedMoment::delta_id`].
    pub before_ours: Option<String>,
    pub before_theirs: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Overlap {
    pub path: String,
    /// From 1, in the text as it is now.
    pub line: u32,
    /// Where `now` stands in the text as it is now, UTF-16 units.
    pub position: u32,
    pub ours: String,
    pub theirs: String,
    pub now: String,
    /// False where the texts are cut, so that they can be looked at, but not put in.
    pub is_whole: bool,
}

// --- the neighbourhood: what is on the network, whether a workspace is open or not

/// Who else is on the network, and whether one is seen oneself. Told as a whole when it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Nearby {
    /// By name. One entry a device; one that shares several workspaces stands here once for each.
    pub people: Vec<NearbyPerson>,
    pub network: NetworkState,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct NearbyPerson {
    /// To be given to `AskToJoin` and `InviteNearby`. Holds for this run only.
    pub peer: String,
    pub device: String,
    pub person: String,
    pub device_name: String,
    /// Without the port.
    pub address: String,
    pub acquaintance: Acquaintance,
    /// What is shared there and can be asked for. None: nothing.
    pub shares: Option<SharedWorkspace>,
    /// They invite this device to what they share.
    pub invites: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SharedWorkspace {
    pub name: String,
    pub n_people: u32,
    /// This device takes part already: where its copy is, if that is known.
    pub is_joined: bool,
}

/// Facts for "Why is nobody listed?".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct NetworkState {
    /// Addresses of this computer, without loopback.
    pub addresses: Vec<String>,
    /// Name of the network, where the system tells it.
    pub name: Option<String>,
    /// Interfaces that look like a VPN's, such as `tun0` (MSG-NET-2).
    pub vpns: Vec<String>,
    /// Whether others find this computer now.
    pub is_visible: bool,
    /// As others see it.
    pub person: String,
    /// The port in use; 0 when there is no network.
    pub port: u16,
    /// Looking since, Unix milliseconds; none while nobody looks.
    pub looking_since_ms: Option<u64>,
}

/// How coming into a workspace goes. Told until it is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Joining {
    /// Looking for whoever gave the code.
    Searching,
    /// Asked: the words are to be compared.
    Waiting {
        person: String,
        words: [String; 2],
        until_ms: u64,
    },
    /// Let in: the copy can be opened.
    Joined {
        root: String,
        name: String,
        person: String,
        role: Role,
    },
    /// It came to nothing. `id` is that of UX §5 where there is one.
    Failed {
        id: Option<String>,
        sentence: String,
        n_tries_left: Option<u32>,
    },
    Cancelled,
}

/// What is known of a code while it is typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CodeCheck {
    /// Each part as typed, with what it is.
    pub parts: Vec<CodePart>,
    /// Complete and made of our words.
    pub is_complete: bool,
    /// The code with the last word completed, if there is one way to do so.
    pub completed: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CodePart {
    pub text: String,
    pub state: CodePartState,
    /// The word it may be meant for (MSG-PAIR-1), or what it begins.
    pub suggestion: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum CodePartState {
    Good,
    Begun,
    Unknown,
}

/// A person this computer remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct KnownPerson {
    pub device: String,
    pub person: String,
    pub device_name: String,
    pub last_seen_ms: u64,
}

/// Hashes (BLAKE3, hexadecimal) of what a workspace has: equal on peers that are equal, and each part tells where they
/// are not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Digest {
    /// Of the four parts.
    pub hex: String,
    /// Of all deltas.
    pub history: String,
    /// Of the files that are there: names, kinds, properties, contents kept whole.
    pub tree: String,
    /// Of the texts of all files.
    pub texts: String,
    /// Of everybody's steps, in the order in which timelines show them.
    pub timeline: String,
    pub n_files: u64,
    pub n_deltas: u64,
}
