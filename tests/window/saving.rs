//! `files.autoSave` in the window: the dot, what Ctrl+S and leaving a file do, and that closing asks nothing.

use crate::harness::{App, Home, Screen, scenario, until};
use anyhow::{Result, ensure};
use serde_json::json;

const SIZE: (u32, u32) = (1366, 768);

async fn start(home: &Home, screen: &Screen, auto_save: &str) -> Result<App> {
    home.write("a.txt", "a\n")?;
    home.write("b.txt", "b\n")?;
    home.configure("settings.json", &json!({ "autoSave": auto_save }))?;
    let app = App::start(home, screen, &[&home.project().join("a.txt")]).await?;
    app.until_seen("editor-0", "a\n").await?;
    app.click_editor().await?;
    Ok(app)
}

async fn until_dot(app: &App, shown: bool) -> Result<()> {
    let script = format!(
        "return document.querySelector('[data-testid=\"tab\"][data-path=\"a.txt\"]').dataset.unsaved == '{shown}'"
    );
    until("the dot in the tab is right", async || Ok(app.script(&script).await? == json!(true))).await
}

#[test]
fn only_ctrl_s_writes_and_closing_asks_nothing() {
    scenario(SIZE, async |home, screen| {
        let app = start(home, screen, "off").await?;
        app.keys("X").await?;
        until_dot(&app, true).await?;
        ensure!(home.read("a.txt")? == "a\n", "written before it was saved");
        app.ctrl("s").await?;
        until("the folder has it", async || Ok(home.read("a.txt")?.contains('X'))).await?;
        until_dot(&app, false).await?;
        app.keys("Y").await?;
        until_dot(&app, true).await?;
        app.ctrl("w").await?;
        app.idle().await?;
        let dialogs = app.script("return document.querySelectorAll('[role=dialog], dialog[open]').length").await?;
        ensure!(dialogs == json!(0), "something was asked");
        app.open_from_tree("a.txt").await?;
        until_dot(&app, true).await?;
        until("what was typed is there", async || Ok(app.seen_text("editor-0").await?.contains('Y'))).await?;
        ensure!(!home.read("a.txt")?.contains('Y'), "closing a tab has written it");
        app.quit().await
    });
}

#[test]
fn leaving_the_file_writes_it() {
    scenario(SIZE, async |home, screen| {
        let app = start(home, screen, "onFocusChange").await?;
        app.keys("X").await?;
        until_dot(&app, true).await?;
        ensure!(home.read("a.txt")? == "a\n", "written while it has the keyboard");
        app.open_from_tree("b.txt").await?;
        until("the folder has it", async || Ok(home.read("a.txt")?.contains('X'))).await?;
        until_dot(&app, false).await?;
        app.quit().await
    });
}
