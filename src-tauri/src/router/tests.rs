#![allow(clippy::unwrap_used)]

use super::*;
use codesync_api::{AppRequest, UntitledRequest};

fn workspace(json: &str) -> Call {
    Call::Workspace(serde_json::from_str(json).unwrap())
}

#[test]
fn what_changes_a_workspace_keeps_its_order() {
    for json in [
        r#"{"cmd":"editView","args":{"viewId":1,"edit":{"requestId":1,"baseRevision":0,"staysLeft":false,"splices":[[0,0,"a"]]}}}"#,
        r#"{"cmd":"undo","args":{"viewId":1}}"#,
        r#"{"cmd":"openView","args":{"path":"a"}}"#,
        r#"{"cmd":"verify","args":{"repair":true}}"#,
        r#"{"cmd":"flush"}"#,
    ] {
        assert!(!may_overtake(&workspace(json)), "{json}");
    }
    // The last of many writings is the one that counts.
    assert!(!may_overtake(&Call::Untitled(UntitledRequest::DropUntitled { id: "1-a".into() })));
}

#[test]
fn long_readings_and_dialogs_hold_up_nobody() {
    assert!(may_overtake(&workspace(r#"{"cmd":"verify","args":{"repair":false}}"#)));
    assert!(may_overtake(&workspace(r#"{"cmd":"exportGit","args":{"dir":"x"}}"#)));
    assert!(may_overtake(&Call::App(AppRequest::PickFolder { title: "Open".into() })));
}
