//! What the settings say to the node: those of the workspace count more than the person's. Only reads; the window
//! writes them.

use crate::config;
use codesync_engine::AutoSave;
use std::path::Path;
use std::time::Duration;

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

/// “Everyone for 10 minutes” is not longer than that.
const VISIBLE_FOR_MS_MAX: u64 = 10 * 60 * 1_000;

/// Who on the network may see this computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visibility {
    Everyone,
    Known,
    /// Everybody, while a list of people is looked at.
    WhileLooking,
    Nobody,
}

/// Who may see it at a moment (Unix milliseconds), and for how long that is so; for good without a time.
pub(crate) fn visibility(now_ms: u64) -> (Visibility, Option<Duration>) {
    visibility_in(&of_person(), now_ms)
}

fn visibility_in(settings: &serde_json::Value, now_ms: u64) -> (Visibility, Option<Duration>) {
    let until_ms = settings.get("visibleUntilMs").and_then(serde_json::Value::as_u64).unwrap_or_default();
    // A clock that was put back must not show somebody for longer than they chose.
    let left_ms = until_ms.saturating_sub(now_ms);
    if left_ms > 0 && left_ms <= VISIBLE_FOR_MS_MAX {
        return (Visibility::Everyone, Some(Duration::from_millis(left_ms)));
    }
    let by = match settings.get("visibleTo").and_then(serde_json::Value::as_str) {
        Some("known") => Visibility::Known,
        Some("panel") => Visibility::WhileLooking,
        Some("nobody") => Visibility::Nobody,
        _ => Visibility::Everyone,
    };
    (by, None)
}

/// The author colour that the person asks for.
pub(crate) fn color() -> Option<u8> {
    of_person().get("color")?.as_u64()?.try_into().ok()
}

fn of_person() -> serde_json::Value {
    read(&config::config_dir().join("settings.json")).unwrap_or_default()
}

fn read(file: &Path) -> Option<serde_json::Value> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn everybody_sees_it_for_ten_minutes_at_the_most() {
        let settings = json!({ "visibleTo": "nobody", "visibleUntilMs": 900_000 });
        let at = |now_ms| visibility_in(&settings, now_ms);
        assert_eq!(at(600_000), (Visibility::Everyone, Some(Duration::from_secs(300))));
        assert_eq!(at(900_000), (Visibility::Nobody, None));
        // The clock was put back.
        assert_eq!(at(1_000), (Visibility::Nobody, None));
        assert_eq!(visibility_in(&json!({}), 5), (Visibility::Everyone, None));
    }
}
