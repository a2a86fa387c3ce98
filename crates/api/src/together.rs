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
    /// Where a typed address reaches this computer, `host:port`. Empty while it takes no part in any network.
    pub addresses: Vec<String>,
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
    /// Changes are on their way, so many.
    CatchingUp { n_left: u64 },
    /// Others take part, and none can be reached.
    Offline,
}

/// A device that takes part, and the person at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// Hexadecimal.
    pub device: String,
    pub person: String,
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
