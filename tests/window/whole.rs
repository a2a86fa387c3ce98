//! The first hour of a person with CodeSync in one go, and the minute in which the power fails.

use crate::harness::{App, Home, scenario, until};
use anyhow::{Context, Result, ensure};
use thirtyfour::Key;

const SIZE: (u32, u32) = (1366, 768);
/// The first pane.
const EDITOR: &str = "editor-0";
const BEFORE: &str = "first line\n";
const TYPED: &str = "second line, typed by hand";

#[test]
fn open_type_drag_back_restore_undo_close_reopen() {
    scenario(SIZE, async |home, screen| {
        home.write("notes.txt", BEFORE)?;
        let app = App::start(home, screen, &[]).await?;
        open_from_welcome(&app).await?;
        type_a_line(&app, home).await?;
        let past = drag_back(&app).await?;
        restore_and_take_it_back(&app, home, &past).await?;
        app.quit().await?;
        ensure!(home.read("notes.txt")? == format!("{BEFORE}{TYPED}"), "closing changed the file");
        let again = App::start(home, screen, &[]).await?;
        again.until_seen(EDITOR, &format!("{BEFORE}{TYPED}")).await?;
        again.quit().await
    });
}

async fn open_from_welcome(app: &App) -> Result<()> {
    app.click("open").await?;
    app.open_from_tree("notes.txt").await?;
    app.until_seen(EDITOR, BEFORE).await
}

async fn type_a_line(app: &App, home: &Home) -> Result<()> {
    app.click_editor().await?;
    app.ctrl(Key::End).await?;
    app.keys(TYPED).await?;
    let wanted = format!("{BEFORE}{TYPED}");
    app.until_seen(EDITOR, &wanted).await?;
    until("the folder has the text", async || Ok(home.read("notes.txt")? == wanted)).await
}

/// To the very beginning with the mouse, then forward change by change. Returns the text that was reached.
async fn drag_back(app: &App) -> Result<String> {
    let track = app.find("tl-track").await?.rect().await?;
    app.drag("tl-handle", (track.x as i64 + 1, (track.y + track.height / 2.0) as i64)).await?;
    app.until_shown("past-banner", true).await?;
    let half = format!("{BEFORE}{}", &TYPED[..6]);
    let mut seen = app.seen_text("past-view").await?;
    while seen != half {
        app.shift(Key::Right).await?;
        // The next key only once this one shows: two on the way would go past it.
        until("the next change is shown", async || Ok(app.seen_text("past-view").await? != seen))
            .await
            .with_context(|| format!("the past never showed the half-typed line; the last was {seen:?}"))?;
        seen = app.seen_text("past-view").await?;
    }
    Ok(half)
}

async fn restore_and_take_it_back(app: &App, home: &Home, past: &str) -> Result<()> {
    app.click("past-restore").await?;
    app.until_shown("past-banner", false).await?;
    app.until_seen(EDITOR, past).await?;
    until("the folder has the restored text", async || Ok(home.read("notes.txt")? == past)).await?;
    app.press_toast("Undo").await?;
    let present = format!("{BEFORE}{TYPED}");
    app.until_seen(EDITOR, &present).await?;
    until("the folder has the present text again", async || Ok(home.read("notes.txt")? == present)).await
}

#[test]
fn a_kill_while_typing_loses_nothing_that_was_shown_as_saved() {
    scenario(SIZE, async |home, screen| {
        home.write("notes.txt", "")?;
        let app = App::start(home, screen, &[&home.project().join("notes.txt")]).await?;
        app.until_shown(EDITOR, true).await?;
        app.click_editor().await?;
        let saved = "What stands here was shown as saved. ";
        app.keys(saved).await?;
        app.idle().await?;
        app.until_state("save-pill", "saved").await?;
        let unsaved = "What stands here was still on its way when the power failed.";
        app.keys(unsaved).await?;
        app.kill().await?;
        let again = App::start(home, screen, &[]).await?;
        again.until_shown(EDITOR, true).await?;
        let whole = format!("{saved}{unsaved}");
        let mut found = String::new();
        until("the text is there again", async || Ok(again.seen_text(EDITOR).await?.starts_with(saved.trim_end())))
            .await?;
        found.push_str(&again.seen_text(EDITOR).await?);
        ensure!(whole.starts_with(found.trim_end()), "what came back was never typed: {found:?}");
        again.quit().await
    });
}
