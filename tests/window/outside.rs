//! T-EXT: another program changes two hundred files under the open folder at once. That is one moment by the author
//! Disk, no question is asked, what is open shows it, and what the person typed can still be taken back.

use crate::harness::{App, Home, scenario, until};
use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use std::process::Command;
use thirtyfour::Key;

const SIZE: (u32, u32) = (1366, 768);
const N_FILES: usize = 200;
const TYPED: &str = "mine";

#[test]
fn a_checkout_under_the_open_folder_is_one_moment_by_the_disk() {
    scenario(SIZE, async |home, screen| {
        make_repository(home)?;
        let app = App::start(home, screen, &[&home.project().join("notes.txt")]).await?;
        app.until_seen("editor-0", "notes\n").await?;
        app.click_editor().await?;
        app.ctrl(Key::End).await?;
        app.keys(TYPED).await?;
        until("the folder has what was typed", async || Ok(home.read("notes.txt")? == format!("notes\n{TYPED}")))
            .await?;
        app.open_from_tree("f197.txt").await?;
        app.until_seen("editor-0", "old text of file 197\n").await?;
        git(home, &["checkout", "--quiet", "other"])?;
        app.until_seen("editor-0", "new text of file 197\n").await?;
        until("every file is taken in", async || Ok(taken_in(&app).await? == N_FILES)).await?;
        no_question(&app).await?;
        one_moment(&app).await?;
        my_undo(&app, home).await?;
        app.quit().await
    });
}

fn make_repository(home: &Home) -> Result<()> {
    let write = |word: &str| -> Result<()> {
        (0..N_FILES).try_for_each(|n| home.write(&format!("f{n:03}.txt"), &format!("{word} text of file {n}\n")))
    };
    home.write("notes.txt", "notes\n")?;
    write("old")?;
    git(home, &["init", "--quiet", "--initial-branch", "main"])?;
    git(home, &["add", "."])?;
    git(home, &["commit", "--quiet", "--message", "old"])?;
    git(home, &["checkout", "--quiet", "-b", "other"])?;
    write("new")?;
    git(home, &["commit", "--quiet", "--all", "--message", "new"])?;
    git(home, &["checkout", "--quiet", "main"])
}

fn git(home: &Home, words: &[&str]) -> Result<()> {
    let who = ["-c", "user.name=Bo", "-c", "user.email=bo@example.org", "-c", "safe.directory=*"];
    let status = Command::new("git").current_dir(home.project()).args(who).args(words).status();
    ensure!(status.context("git is missing; `cargo xtask setup` installs it")?.success(), "git {words:?} failed");
    Ok(())
}

/// How many of the files the engine has with their new text.
async fn taken_in(app: &App) -> Result<usize> {
    let mut n_new = 0;
    for n in [0, 1, N_FILES / 2, N_FILES - 1] {
        let request = json!({ "cmd": "fileAt", "args": { "path": format!("f{n:03}.txt"), "at": { "kind": "now" } } });
        let answer = app.call(json!({ "to": "workspace", "request": request })).await?;
        n_new += usize::from(answer["reply"]["value"]["text"] == format!("new text of file {n}\n"));
    }
    Ok(if n_new == 4 { N_FILES } else { n_new })
}

async fn no_question(app: &App) -> Result<()> {
    let dialogs =
        app.script("return document.querySelectorAll('[role=dialog], [role=alertdialog], dialog[open]').length");
    ensure!(dialogs.await? == json!(0), "something was asked");
    Ok(())
}

/// One ◇ to go back to, and one act of all files by the author Disk.
async fn one_moment(app: &App) -> Result<()> {
    let request = json!({ "cmd": "moments", "args": { "scope": { "kind": "workspace" } } });
    let answer = app.call(json!({ "to": "workspace", "request": request })).await?;
    let moments = answer["reply"]["value"]["moments"].as_array().cloned().context("no list of moments")?;
    let [moment] = &moments[..] else { bail!("one ◇ was wanted: {moments:?}") };
    ensure!(moment["automatic"] == true, "{moment} is not a ◇");
    ensure!(moment["name"].as_str().is_some_and(|name| name.starts_with("Before disk change")), "{moment}");
    let query = json!({ "path": null, "since": null, "until": null, "author": "Disk", "steps": false, "cursor": null, "limit": 50 });
    let request = json!({ "cmd": "log", "args": { "query": query } });
    let answer = app.call(json!({ "to": "workspace", "request": request })).await?;
    let records = answer["reply"]["value"]["records"].as_array().cloned().context("no log")?;
    let newest = records.last().context("the log is empty")?;
    ensure!(newest["user_id"] == "Disk" && newest["n_files"] == N_FILES, "not one act of {N_FILES} files: {newest}");
    Ok(())
}

/// The newest thing that I did is still mine to take back.
async fn my_undo(app: &App, home: &Home) -> Result<()> {
    let tab = app.find_by("[data-testid=\"tab\"][data-path=\"notes.txt\"]").await?;
    app.web.action_chain().click_element(&tab).perform().await?;
    app.until_seen("editor-0", &format!("notes\n{TYPED}")).await?;
    app.click_editor().await?;
    app.ctrl("z").await?;
    app.until_seen("editor-0", "notes\n").await?;
    until("the folder is back, too", async || Ok(home.read("notes.txt")? == "notes\n")).await?;
    ensure!(home.read("f197.txt")? == "new text of file 197\n", "undo took back what the disk did");
    Ok(())
}
