//! Texts that have no name yet. They are this device's own: no request about them reaches an engine.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "cmd", content = "args", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum UntitledRequest {
    /// All texts of the open workspace that no other window has. From then on this one has them.
    TakeUntitled,
    /// Puts a text in the place of what was kept of it before. Small letters, digits and dashes make an id.
    KeepUntitled { id: String, text: String },
    /// The text was thrown away, or it is a file now.
    DropUntitled { id: String },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "reply", content = "value", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum UntitledReply {
    Texts { texts: Vec<UntitledText> },
    Done,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UntitledText {
    pub id: String,
    pub text: String,
}
