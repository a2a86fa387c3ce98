//! T-EOL, and T-BIG but for size (see `large.rs`): files of every kind in one window. Line ends and encodings stay as
//! they were on the disk; what cannot be edited is said in the words of the design.

use crate::harness::{App, Home, scenario, until};
use anyhow::{Result, ensure};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use thirtyfour::Key;

const SIZE: (u32, u32) = (1366, 768);
/// The smallest whole PNG: one pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

#[test]
fn files_of_every_kind_are_shown_and_kept_as_they_are() {
    scenario(SIZE, async |home, screen| {
        write_all(home)?;
        put_opener(home)?;
        let app = App::start(home, screen, &[&home.project()]).await?;
        line_ends(&app, home).await?;
        encodings(&app, home).await?;
        binaries(&app, home).await?;
        ensure!(fs::read(home.project().join("pixel.png"))? == PNG, "the picture was changed");
        app.quit().await
    });
}

fn write_all(home: &Home) -> Result<()> {
    let at = |name: &str| home.project().join(name);
    home.write("windows.txt", "one\r\ntwo\r\nthree\r\n")?;
    home.write("mixed.txt", "one\r\ntwo\nthree\r\n")?;
    let text = "\u{feff}grün\r\nblau\r\n";
    fs::write(at("utf16.txt"), text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>())?;
    fs::write(at("pixel.png"), PNG)?;
    fs::write(at("program.bin"), [0_u8, 1, 2, 3, 0, 255].repeat(1_000))?;
    Ok(())
}

/// T-EOL: positions inside count a line end as one, the disk keeps it as it was.
async fn line_ends(app: &App, home: &Home) -> Result<()> {
    open(app, "windows.txt").await?;
    app.until_seen("editor-0", "one\ntwo\nthree\n").await?;
    ensure!(app.find("status-eol").await?.text().await? == "CRLF", "the status bar does not say CRLF");
    app.click_editor().await?;
    app.ctrl(Key::End).await?;
    app.keys("four").await?;
    app.keys(Key::Enter).await?;
    app.keys("five").await?;
    let wanted = "one\r\ntwo\r\nthree\r\nfour\r\nfive";
    until("the disk has CRLF everywhere", async || Ok(home.read("windows.txt")? == wanted)).await?;
    // Taking in our own writing back must not change a thing.
    app.idle().await?;
    app.until_seen("editor-0", "one\ntwo\nthree\nfour\nfive").await?;
    open(app, "mixed.txt").await?;
    app.until_seen("editor-0", "one\ntwo\nthree\n").await?;
    ensure!(home.read("mixed.txt")? == "one\r\ntwo\nthree\r\n", "mixed line ends were changed by looking at them");
    Ok(())
}

async fn encodings(app: &App, home: &Home) -> Result<()> {
    open(app, "utf16.txt").await?;
    app.until_seen("editor-0", "grün\nblau\n").await?;
    let said = app.find("status-encoding").await?.text().await?;
    ensure!(said.to_uppercase().contains("UTF-16"), "the status bar says {said:?} of UTF-16");
    app.click_editor().await?;
    app.ctrl(Key::End).await?;
    app.keys("rot").await?;
    let wanted: Vec<u8> = "\u{feff}grün\r\nblau\r\nrot".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let path = home.project().join("utf16.txt");
    until("the disk has UTF-16 still", async || Ok(fs::read(&path)? == wanted)).await
}

/// In the place of the system's own: it writes down what it is to open.
fn put_opener(home: &Home) -> Result<()> {
    let programs = home.runtime().join("programs");
    let opener = programs.join("xdg-open");
    fs::create_dir_all(&programs)?;
    fs::write(&opener, format!("#!/bin/sh\nprintf %s \"$1\" > {}\n", opened_by(home).display()))?;
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o755))?;
    home.set_variable("PATH", format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default()));
    Ok(())
}

fn opened_by(home: &Home) -> PathBuf {
    home.runtime().join("opened")
}

async fn binaries(app: &App, home: &Home) -> Result<()> {
    open(app, "program.bin").await?;
    let said = app.find("file-binary").await?.text().await?;
    let wanted = "program.bin isn't text. It is synced whole, and its history has one moment per save.";
    ensure!(said.contains(wanted), "MSG-FILE-2 reads {said:?}");
    app.click("open-in-app").await?;
    let program = home.project().join("program.bin");
    until("its app has it", async || {
        Ok(fs::read_to_string(opened_by(home)).is_ok_and(|path| Path::new(&path) == program))
    })
    .await?;
    open(app, "pixel.png").await?;
    app.until_shown("image-view", true).await?;
    app.until_shown("file-binary", false).await
}

async fn open(app: &App, name: &str) -> Result<()> {
    app.open_from_tree(name).await?;
    app.find_by(&format!("[data-testid=\"tab\"][data-path=\"{name}\"][aria-selected=\"true\"]")).await.map(drop)
}
