//! Other people: who is nearby, who takes part, invitations and joining, presence, chat, and how far each peer is.

use crate::ApiError;
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
    /// Oneself first, then by name.
    pub members: Vec<Member>,
    pub link: LinkState,
    /// The invitation that is open.
    pub invitation: Option<Invitation>,
    /// Who waits to be let in.
    pub asks: Vec<JoinAsk>,
    /// Where a typed address reaches this computer, `host:port`.
    pub addresses: Vec<String>,
    /// MSG-NET-5: the usual port was taken.
    pub port_taken: Option<u16>,
}

/// The pill in the status bar, in one word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LinkState {
    /// Nobody else takes part.
    #[default]
    Alone,
    /// Connected, and all that anybody has is everywhere.
    Live { n_others: u32 },
    CatchingUp { percent: u32 },
    /// Others take part, and none can be reached.
    Offline,
    /// By the person.
    Paused,
    /// MSG-VER-1 and MSG-VER-2: one of two is too old.
    Incompatible { sentence: String },
    /// MSG-PEER-1.
    Removed { by: String, until_ms: u64 },
}

/// A device that takes part, and the person at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    pub device: String,
    pub person: String,
    pub device_name: String,
    /// Index into the table of author colours.
    pub color: u32,
    pub role: Role,
    pub is_self: bool,
    pub was_removed: bool,
    pub is_connected: bool,
    /// There and back, microseconds.
    pub round_trip_us: Option<u32>,
    /// When a connection with it was last there; none while it is, or if it never was.
    pub last_seen_ms: Option<u64>,
    /// Changes of this computer that it does not have yet, and since when.
    pub n_behind: u64,
    pub behind_since_ms: Option<u64>,
    pub presence: Option<Presence>,
}

/// Where a person is. Never kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Presence {
    pub path: Option<String>,
    /// Anchor and head of each selection, newest last.
    pub selections: Vec<(u32, u32)>,
    /// From 1; of the newest selection's head.
    pub line: u32,
    /// The moment that they look at, Unix milliseconds; none in the present.
    pub past_ms: Option<u64>,
    pub is_typing: bool,
    pub is_away: bool,
    /// The device that they follow.
    pub follows: Option<String>,
}

/// How somebody is asked in with a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    pub code: String,
    pub role: Role,
    pub shares_past: bool,
    pub until_ms: u64,
    pub n_files: u64,
    pub n_bytes: u64,
    /// Names that the ignore rules keep back, shortened to a few.
    pub not_shared: Vec<String>,
    /// Wrong tries so far (MSG-PAIR-2b).
    pub n_wrong: u32,
}

/// Somebody nearby asks to be let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct JoinAsk {
    pub ask_id: u64,
    pub person: String,
    pub device_name: String,
    pub address: String,
    /// The two words that must stand on both screens.
    pub words: String,
    pub until_ms: u64,
    /// MSG-PAIR-7: this computer knows a person of that name with another key.
    pub is_known_otherwise: bool,
}

/// What others on the network let be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Nearby {
    pub people: Vec<NearbyPerson>,
    /// Whether this computer answers when others look.
    pub visible: bool,
    pub addresses: Vec<String>,
    /// Since when it has been looked, Unix milliseconds; none while it is not.
    pub looking_since_ms: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct NearbyPerson {
    /// Names the connection; another one after the program was started anew.
    pub peer: String,
    pub person: String,
    pub device_name: String,
    pub color: u32,
    /// The name of the workspace that they share, and how many take part.
    pub sharing: Option<(String, u32)>,
    pub address: String,
}

/// Where a joining stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Joining {
    /// Nobody with this code was found yet.
    Searching,
    /// MSG-PAIR-4 after two minutes.
    Waiting {
        person: String,
        words: String,
        until_ms: u64,
    },
    /// Let in: the files are coming.
    Fetching {
        project: String,
        root: String,
        n_done: u64,
        n_all: u64,
    },
    Joined {
        root: String,
    },
    Failed {
        error: ApiError,
        /// Wrong code: tries that are left.
        n_tries_left: Option<u32>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChatMessage {
    pub delta_id: String,
    pub device: String,
    pub person: String,
    pub text: String,
    pub sent_ms: u64,
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
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Overlap {
    pub path: String,
    /// From 1, in the text as it is now.
    pub line: u32,
    pub ours: String,
    pub theirs: String,
    pub now: String,
}
