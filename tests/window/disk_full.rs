//! T-DISK: the disk under the workspace fills up while a person types. The window says so, takes no more, keeps what
//! it took, and goes on by itself when there is room.

use crate::harness::{App, fill, scenario, until};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;
use thirtyfour::Key;

const SIZE: (u32, u32) = (1366, 768);
const DISK_BYTES: u64 = 64 << 20;
const NAME: &str = "notes.txt";
/// Words that are typed until the window takes no more; each is some bytes in the log.
const WORDS_MAX: usize = 400;

#[test]
fn a_full_disk_loses_no_key_and_is_over_when_there_is_room() {
    scenario(SIZE, async |home, screen| {
        home.write(NAME, "")?;
        // What fills the disk is no part of the workspace.
        home.write(".gitignore", "filler\n")?;
        home.put_project_on_small_disk(DISK_BYTES);
        let app = App::start(home, screen, &[&home.project().join(NAME)]).await?;
        app.until_shown("editor-0", true).await?;
        app.click_editor().await?;
        app.keys("before ").await?;
        app.until_state("save-pill", "saved").await?;
        let filler = app.outside_path(&home.project().join("filler"));
        let taken = type_until_full(&app, &filler).await?;
        is_said(&app).await?;
        app.keys("refused").await?;
        ensure!(app.seen_text("editor-0").await? == taken, "a full disk took another key");
        fs::remove_file(&filler)?;
        app.until_shown("banner-disk-full", false).await?;
        app.until_state("save-pill", "saved").await?;
        ensure!(app.seen_text("editor-0").await? == taken, "what was taken is not there any more");
        app.click_editor().await?;
        app.ctrl(Key::End).await?;
        app.keys("after").await?;
        let whole = format!("{taken}after");
        app.until_seen("editor-0", &whole).await?;
        let file = app.outside_path(&home.project().join(NAME));
        until("the file has every key", async || Ok(fs::read_to_string(&file)? == whole)).await?;
        verify(&app).await?;
        app.quit().await
    });
}

#[test]
fn a_full_disk_is_left_with_every_key() {
    scenario(SIZE, async |home, screen| {
        home.write(NAME, "")?;
        home.write(".gitignore", "filler\n")?;
        home.put_project_on_small_disk(DISK_BYTES);
        let into = home.config().with_file_name("elsewhere");
        fs::create_dir_all(&into)?;
        home.set_variable("CODESYNC_PICK_FOLDER", into.to_string_lossy());
        let app = App::start(home, screen, &[&home.project().join(NAME)]).await?;
        app.until_shown("editor-0", true).await?;
        app.click_editor().await?;
        app.keys("before ").await?;
        app.until_state("save-pill", "saved").await?;
        let taken = type_until_full(&app, &app.outside_path(&home.project().join("filler"))).await?;
        app.find("disk-full-move").await?.click().await?;
        app.until_shown("banner-disk-full", false).await?;
        app.until_seen("editor-0", &taken).await?;
        app.until_state("save-pill", "saved").await?;
        let moved = into.join("project");
        until("the file at the new place has every key", async || {
            Ok(fs::read_to_string(moved.join(NAME)).unwrap_or_default() == taken)
        })
        .await?;
        ensure!(fs::read_dir(&into)?.count() == 1, "nothing is left beside the workspace");
        ensure!(!app.outside_path(&home.project().join(NAME)).exists(), "the old place is empty");
        verify(&app).await?;
        app.quit().await
    });
}

/// Types until the window says that it takes no more. Gives the text that it has taken by then.
async fn type_until_full(app: &App, filler: &Path) -> Result<String> {
    for n in 0..WORDS_MAX {
        if app.is_shown("banner-disk-full").await? {
            break;
        }
        fill(filler)?;
        app.keys(format!("word{n} ")).await?;
    }
    app.until_shown("banner-disk-full", true).await?;
    app.until_state("save-pill", "diskFull").await?;
    let taken = app.seen_text("editor-0").await?;
    ensure!(taken.starts_with("before word0 "), "keys from before are gone: {taken:?}");
    Ok(taken)
}

/// MSG-DISK-1, word for word but for the time.
async fn is_said(app: &App) -> Result<()> {
    let said = app.find("banner-disk-full").await?.text().await?;
    for part in [
        "This disk is full, so new changes can't be kept.",
        "Everything up to",
        "is safe. Free some space; we'll go on by ourselves. Until then the editor is read-only so that nothing is lost.",
    ] {
        ensure!(said.contains(part), "MSG-DISK-1 lacks {part:?}: {said:?}");
    }
    Ok(())
}

/// The history that was cut short by the full disk is whole.
async fn verify(app: &App) -> Result<()> {
    let request = serde_json::json!({ "cmd": "verify", "args": { "repair": false } });
    let answer = app.call(serde_json::json!({ "to": "workspace", "request": request })).await?;
    let report = &answer["reply"]["value"];
    ensure!(report["ok"] == true && report["problems"] == serde_json::json!([]), "the history is not whole: {report}");
    Ok(())
}
