//! What the settings say to the node: those of the workspace count more than the person's. Only reads; the window
//! writes them.

use crate::config;
use codesync_engine::AutoSave;
use std::path::Path;

/// When texts that were changed here are written to the folder.
pub(crate) fn auto_save(store: &Path) -> AutoSave {
    let of_workspace = said_in(&store.join("state/settings.json"));
    of_workspace.or_else(|| said_in(&config::config_dir().join("settings.json"))).unwrap_or_default()
}

fn said_in(file: &Path) -> Option<AutoSave> {
    match read(file)?.get("autoSave")?.as_str()? {
        "afterDelay" => Some(AutoSave::AfterDelay),
        "onFocusChange" => Some(AutoSave::OnFocusChange),
        "off" => Some(AutoSave::Off),
        _ => None,
    }
}

/// Who on the network may see this computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visibility {
    Everyone,
    Known,
    /// Everybody, while a list of people is looked at.
    WhileLooking,
    Nobody,
}

pub(crate) fn visibility() -> Visibility {
    let settings = read(&config::config_dir().join("settings.json"));
    match settings.as_ref().and_then(|settings| settings.get("visibleTo")?.as_str()) {
        Some("known") => Visibility::Known,
        Some("panel") => Visibility::WhileLooking,
        Some("nobody") => Visibility::Nobody,
        _ => Visibility::Everyone,
    }
}

fn read(file: &Path) -> Option<serde_json::Value> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}
