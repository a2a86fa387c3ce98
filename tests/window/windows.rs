//! Several windows: each is a program of its own beside the others, with a folder or empty, and all have the same settings.

use crate::harness::{App, Screen, scenario, until};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::process::Stdio;
use thirtyfour::Key;

const SIZE: (u32, u32) = (1366, 768);

#[test]
fn windows_stand_beside_each_other() {
    scenario(SIZE, async |home, screen| {
        home.write("one.txt", "first\n")?;
        let app = App::start(home, screen, &[&home.project()]).await?;
        app.open_from_tree("one.txt").await?;
        ensure!(windows(screen)?.len() == 1, "{:?}", windows(screen)?);
        // An empty one, and one with a folder.
        app.web.action_chain().key_down(Key::Control).key_down(Key::Shift).send_keys("n").perform().await?;
        app.web.action_chain().key_up(Key::Shift).key_up(Key::Control).perform().await?;
        until("an empty window stands beside it", async || Ok(titles(screen)?.iter().any(|title| title == "CodeSync")))
            .await?;
        let other = home.project().with_file_name("other");
        std::fs::create_dir_all(&other)?;
        std::fs::write(other.join("two.txt"), "second\n")?;
        app.call(json!({ "to": "app", "request": { "cmd": "newWindow", "args": { "path": other } } })).await?;
        until("so does one with the other folder", async || {
            Ok(titles(screen)?.iter().any(|title| title.contains("other — CodeSync")))
        })
        .await?;
        ensure!(windows(screen)?.len() == 3, "{:?}", titles(screen)?);
        until("the other folder is a workspace", async || Ok(other.join(".codesync").is_dir())).await?;
        app.click_editor().await?;
        app.keys("still here ").await?;
        until("this one goes on", async || Ok(home.read("one.txt")?.contains("still here"))).await?;
        // What another window sets is seen once this one is looked at.
        home.configure("settings.json", &json!({ "theme": "light" }))?;
        focus(screen, "one.txt")?;
        until("the theme follows", async || {
            Ok(app.script("return document.documentElement.dataset.theme").await? == json!("light"))
        })
        .await?;
        let own = windows(screen)?.into_iter().find(|window| window.title.contains("one.txt")).context("it is gone")?;
        for window in windows(screen)?.into_iter().filter(|window| window.pid != own.pid) {
            let ended = screen.command("kill").arg(window.pid.to_string()).status()?;
            ensure!(ended.success(), "{} could not be ended", window.title);
        }
        until("the others are gone", async || Ok(windows(screen)?.len() == 1)).await?;
        app.quit().await
    });
}

struct Window {
    pid: u32,
    title: String,
    id: String,
}

impl std::fmt::Debug for Window {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} of {}", self.title, self.pid)
    }
}

/// Those that can be seen.
fn windows(screen: &Screen) -> Result<Vec<Window>> {
    let asked = |words: &[&str]| -> Result<String> {
        let output = screen.command("xdotool").args(words).stderr(Stdio::null()).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let ids = asked(&["search", "--onlyvisible", "--name", "CodeSync"])?;
    let mut windows = Vec::new();
    for id in ids.lines() {
        // One that goes just now has no process any more.
        let Ok(pid) = asked(&["getwindowpid", id])?.parse() else { continue };
        windows.push(Window { pid, title: asked(&["getwindowname", id])?, id: id.to_owned() });
    }
    Ok(windows)
}

fn titles(screen: &Screen) -> Result<Vec<String>> {
    Ok(windows(screen)?.into_iter().map(|window| window.title).collect())
}

/// Looks elsewhere and back, as somebody does who goes from one window to the other.
fn focus(screen: &Screen, title: &str) -> Result<()> {
    let all = windows(screen)?;
    let (these, others): (Vec<_>, Vec<_>) = all.iter().partition(|window| window.title.contains(title));
    for window in others.iter().take(1).chain(these.iter().take(1)) {
        screen.command("xdotool").args(["windowfocus", "--sync", &window.id]).status()?;
    }
    Ok(())
}
