//! What cannot be opened is refused in plain words, and the window goes on.

use crate::harness::{App, scenario};
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use std::path::Path;

#[test]
fn what_cannot_be_opened_is_said_and_the_window_goes_on() {
    scenario((1024, 640), async |home, screen| {
        home.write("notes.txt", "text\n")?;
        let app = App::start(home, screen, &[]).await?;
        let nowhere = open(&app, Path::new("/nowhere/at/all")).await?;
        is_sentence(&nowhere, "notFound")?;
        is_sentence(&open(&app, &home.project().join("notes.txt")).await?, "invalid")?;
        let status = app.ask(json!({ "to": "workspace", "request": { "cmd": "status" } })).await?;
        is_sentence(&status["refusal"], "notFound")?;
        let unknown = app.ask(json!({ "to": "app", "request": { "cmd": "flyToTheMoon" } })).await?;
        is_sentence(&unknown["refusal"], "invalid")?;
        let opened = app.call(json!({ "to": "app", "request": { "cmd": "pickFolder", "args": { "title": "Open" } } }));
        ensure!(opened.await?["reply"]["value"]["path"] == json!(home.project()), "the picker gave another folder");
        app.quit().await
    });
}

async fn open(app: &App, path: &Path) -> Result<Value> {
    let request = json!({ "cmd": "openWorkspace", "args": { "path": path } });
    Ok(app.ask(json!({ "to": "app", "request": request })).await?["refusal"].clone())
}

fn is_sentence(refusal: &Value, code: &str) -> Result<()> {
    let message = refusal["message"].as_str().unwrap_or_default();
    ensure!(refusal["code"] == code, "{refusal} should have the code {code}");
    ensure!(message.ends_with('.') && !message.to_lowercase().contains("error"), "{message:?} is no plain sentence");
    Ok(())
}
