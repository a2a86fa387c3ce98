//! A text without a name: typed into at once, there again after a kill, nobody else's until it is a file.

use crate::harness::{App, Home, scenario, until};
use anyhow::{Result, ensure};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use thirtyfour::Key;

const SIZE: (u32, u32) = (1366, 768);
const TYPED: &str = "only mine so far";

#[test]
fn what_has_no_name_is_kept_alone_until_it_has_one() {
    scenario(SIZE, async |home, screen| {
        home.write("one.txt", "first\n")?;
        let app = App::start(home, screen, &[&home.project().join("one.txt")]).await?;
        app.until_seen("editor-0", "first\n").await?;
        app.script("window.__asked = []; window.__cs.workbench.client.onAsked(({ cmd }) => window.__asked.push(cmd))")
            .await?;
        app.ctrl("n").await?;
        app.keys(TYPED).await?;
        app.until_seen("editor-0", TYPED).await?;
        app.idle().await?;
        let asked = app.script("return window.__asked").await?.to_string();
        for told in ["editView", "openView", "createFile", "showPlace", "signal"] {
            ensure!(!asked.contains(told), "the engine was asked to {told}: {asked}");
        }
        app.kill().await?;
        let found = files_with(&home.project(), TYPED)?;
        ensure!(found.len() == 1 && found[0].starts_with(kept(home)), "it is in {found:?}");
        let again = App::start(home, screen, &[]).await?;
        again.until_seen("editor-0", TYPED).await?;
        name_it(&again, home).await?;
        throw_one_away(&again, home).await?;
        again.quit().await
    });
}

/// It goes on in the same tab at the same caret, and nothing is kept of it any more.
async fn name_it(app: &App, home: &Home) -> Result<()> {
    // Where the caret was is kept a moment later than what was typed.
    app.ctrl(Key::End).await?;
    app.keys(", and").await?;
    app.ctrl("s").await?;
    app.until_shown("quickpick", true).await?;
    app.keys("deep/notes.md").await?;
    app.keys(Key::Enter).await?;
    until("the file has it", async || Ok(home.read("deep/notes.md").is_ok_and(|text| text == format!("{TYPED}, and"))))
        .await?;
    app.find_by("[data-testid=\"tab\"][data-path=\"deep/notes.md\"]").await?;
    until("nothing is kept of it", async || Ok(fs::read_dir(kept(home))?.count() == 0)).await?;
    app.idle().await?;
    app.keys(" now").await?;
    app.ctrl("s").await?;
    until("it is typed on", async || Ok(home.read("deep/notes.md")? == format!("{TYPED}, and now"))).await?;
    ensure!(tabs(app).await? == json!(["one.txt", "deep/notes.md"]), "{}", tabs(app).await?);
    Ok(())
}

async fn throw_one_away(app: &App, home: &Home) -> Result<()> {
    app.ctrl("n").await?;
    app.keys("gone").await?;
    for (answer, n_tabs) in [("untitled-cancel", 3), ("untitled-discard", 2)] {
        app.ctrl("w").await?;
        app.click(answer).await?;
        app.until_shown("untitled-question", false).await?;
        ensure!(tabs(app).await?.as_array().is_some_and(|tabs| tabs.len() == n_tabs), "{}", tabs(app).await?);
    }
    until("nothing is kept of it", async || Ok(fs::read_dir(kept(home))?.count() == 0)).await
}

async fn tabs(app: &App) -> Result<serde_json::Value> {
    app.script("return [...document.querySelectorAll('[data-testid=tab]')].map((tab) => tab.dataset.path)").await
}

fn kept(home: &Home) -> PathBuf {
    home.project().join(".codesync/untitled")
}

/// All files below a folder that contain a text.
fn files_with(folder: &Path, text: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files_with(&path, text)?);
        } else if fs::read(&path)?.windows(text.len()).any(|bytes| bytes == text.as_bytes()) {
            found.push(path);
        }
    }
    Ok(found)
}
