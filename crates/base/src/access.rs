//! Who may do what in a workspace, as steps of the log. What they amount to is decided in `auth`, from the log alone.

use crate::{BlobHash, DeviceId, Head};
use serde::{Deserialize, Serialize};

/// What a member may do. A higher one may all that a lower one may.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Role {
    /// Sees everything that was shared, says things, changes nothing.
    Viewer,
    Editor,
    /// Lets others in, changes roles, removes.
    Owner,
}

/// From where on a new member is told the history.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum ShareFrom {
    /// All of it.
    Past,
    /// What was done after the [`crate::Checkpoint`] of this name; what stood then comes as it stood.
    Checkpoint(BlobHash),
}

/// A change of who may take part. The only step of its delta.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum AccessStep {
    /// A device becomes a member, or one that is becomes more.
    Grant { device: DeviceId, person: String, role: Role, share_from: ShareFrom },
    /// A member gets another role. When it is a lower one, `accepted` says what of its logs the author had: what is
    /// in none of them was not allowed any more.
    ChangeRole { device: DeviceId, role: Role, accepted: Vec<Head> },
    /// A device is no member any more. `accepted` as above.
    Remove { device: DeviceId, accepted: Vec<Head> },
}

impl AccessStep {
    /// Whom it is about.
    pub fn device(&self) -> DeviceId {
        match self {
            AccessStep::Grant { device, .. }
            | AccessStep::ChangeRole { device, .. }
            | AccessStep::Remove { device, .. } => *device,
        }
    }

    /// The role that it leaves the device with.
    pub fn role(&self) -> Option<Role> {
        match self {
            AccessStep::Grant { role, .. } | AccessStep::ChangeRole { role, .. } => Some(*role),
            AccessStep::Remove { .. } => None,
        }
    }

    /// What of the device's logs was accepted before.
    pub fn accepted(&self) -> &[Head] {
        match self {
            AccessStep::Grant { .. } => &[],
            AccessStep::ChangeRole { accepted, .. } | AccessStep::Remove { accepted, .. } => accepted,
        }
    }
}
