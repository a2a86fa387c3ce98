//! T-RESUME: the window comes back as it was when its process was taken away, and so does the text. And a replay
//! bundle named at the start opens as a workspace.

use crate::harness::{App, Home, scenario, until};
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use thirtyfour::Key;

const SIZE: (u32, u32) = (1366, 768);
const TYPED: &str = "typed before the power failed";
/// What is typed is safe after this long; the window's looks are kept a little later.
const KEPT_WITHIN_MS: u64 = 1_500;

#[test]
fn tabs_split_scroll_caret_and_text_are_back_after_a_kill() {
    scenario(SIZE, async |home, screen| {
        for name in ["one.txt", "two.txt", "three.txt"] {
            home.write(name, &long_text(name))?;
        }
        let app = App::start(home, screen, &[&home.project()]).await?;
        arrange(&app).await?;
        app.keys(TYPED).await?;
        app.idle().await?;
        app.until_state("save-pill", "saved").await?;
        tokio::time::sleep(std::time::Duration::from_millis(KEPT_WITHIN_MS)).await;
        let before = looks(&app).await?;
        ensure!(before["groups"].as_array().is_some_and(|groups| groups.len() == 2), "there is no split: {before}");
        ensure!(before["tabs"].as_array().is_some_and(|tabs| tabs.len() == 4), "three tabs and one more: {before}");
        app.kill().await?;
        let again = App::start(home, screen, &[]).await?;
        let result = until("the window looks as before", async || Ok(looks(&again).await? == before)).await;
        if result.is_err() {
            ensure!(looks(&again).await? == before, "the window was {before} and is {}", looks(&again).await?);
        }
        let end = format!("line 300 of three.txt{TYPED}");
        until("the text is whole", async || Ok(again.seen_text("editor-1").await?.lines().any(|line| line == end)))
            .await?;
        until("the file is whole", async || Ok(home.read("three.txt")? == long_text("three.txt") + TYPED)).await?;
        again.quit().await?;
        open_a_bundle(home, screen).await
    });
}

/// Three tabs; the second scrolled; the third in a pane of its own with the caret at its end.
async fn arrange(app: &App) -> Result<()> {
    for name in ["one.txt", "two.txt", "three.txt"] {
        app.open_from_tree(name).await?;
        until("the file is shown", async || Ok(app.seen_text("editor-0").await?.contains(&format!("of {name}"))))
            .await?;
    }
    app.click("split").await?;
    app.until_shown("editor-1", true).await?;
    let two = app.find_by("[data-testid=\"tabs-0\"] [data-path=\"two.txt\"]").await?;
    app.web.action_chain().click_element(&two).perform().await?;
    until("two is shown", async || Ok(app.seen_text("editor-0").await?.contains("of two.txt"))).await?;
    app.click_editor().await?;
    for _ in 0..4 {
        app.keys(Key::PageDown).await?;
    }
    let three = app.find_by("[data-testid=\"editor-1\"] .monaco-editor").await?;
    app.web.action_chain().click_element(&three).perform().await?;
    app.ctrl(Key::End).await
}

/// Everything of the window's looks that a person would miss.
async fn looks(app: &App) -> Result<Value> {
    app.script(
        "const all = (selector, from = document) => [...from.querySelectorAll(selector)];
        const shown = (element) => element.getClientRects().length > 0;
        const top = (editor) => Math.min(...all('.line-numbers', editor).filter(shown).map((e) => Number(e.textContent)));
        return {
          groups: all('[data-testid^=group-]').map((group) => [
            all('[data-testid=tab]', group).map((tab) => [tab.dataset.path, tab.ariaSelected]),
            top(group.querySelector('[data-testid^=editor-]')),
          ]),
          tabs: all('[data-testid=tab]').map((tab) => tab.dataset.path),
          caret: document.querySelector('[data-testid=status-caret]')?.textContent.trim(),
        };",
    )
    .await
}

fn long_text(name: &str) -> String {
    let lines: Vec<String> = (1..=300).map(|line| format!("line {line} of {name}")).collect();
    lines.join("\n")
}

/// The bundle comes into a folder of its own, and the same one is found again.
async fn open_a_bundle(home: &Home, screen: &crate::harness::Screen) -> Result<()> {
    let bundle = home.project().with_file_name("lab.codesync-replay");
    let app = App::start(home, screen, &[&home.project()]).await?;
    let request = json!({ "cmd": "exportBundle", "args": { "file": bundle } });
    app.call(json!({ "to": "workspace", "request": request })).await?;
    app.quit().await?;
    let mut folders = Vec::new();
    for _ in 0..2 {
        let app = App::start(home, screen, &[&bundle]).await?;
        app.find_by("[data-testid=\"tree-row\"][data-path=\"three.txt\"]").await?;
        let workspace = app.script("return window.__cs.workbench.session.workspace").await?;
        ensure!(workspace["name"] == "lab", "{workspace} is not named as the bundle");
        let folder = std::path::PathBuf::from(workspace["root"].as_str().unwrap_or_default());
        ensure!(folder != home.project(), "the bundle was put into the folder it came from");
        ensure!(std::fs::read_to_string(folder.join("three.txt"))? == long_text("three.txt") + TYPED);
        folders.push(folder);
        app.quit().await?;
    }
    ensure!(folders[0] == folders[1], "the same bundle was unpacked twice: {folders:?}");
    Ok(())
}
