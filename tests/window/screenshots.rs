//! Pictures of the real window for people to look at: every screen in every theme and size. Run by
//! `cargo xtask screenshots`, which says where the pictures go.

use crate::harness::{App, Home, Screen, scenario, until};
use anyhow::{Context, Result};
use serde_json::json;
use std::path::{Path, PathBuf};
use thirtyfour::Key;

const SIZES: [(u32, u32); 3] = [(1024, 640), (1366, 768), (1920, 1080)];
/// High contrast changes colours only, so one size of it shows everything.
const THEMES: [(&str, &[(u32, u32)]); 4] =
    [("dark", &SIZES), ("light", &SIZES), ("hc-dark", &[SIZES[1]]), ("hc-light", &[SIZES[1]])];

const LEXER: &str = "\
use crate::token::Token;

/// Reads a text token by token.
pub struct Lexer<'a> {
    rest: std::str::Chars<'a>,
}

impl Lexer<'_> {
    pub fn next_token(&mut self) -> Token {
        match self.bump() {
            Some(first @ '0'..='9') => self.number(first),
            Some(first) => Token::Unknown(first),
            None => Token::End,
        }
    }

    fn bump(&mut self) -> Option<char> {
        self.rest.next()
    }
}
";

#[test]
#[ignore = "makes pictures for people; `cargo xtask screenshots` runs it"]
fn screenshots() {
    let folder = PathBuf::from(std::env::var("CODESYNC_SCREENSHOTS").unwrap());
    let only = std::env::var("CODESYNC_SCREENSHOTS_ONLY").unwrap_or_default();
    for (theme, sizes) in THEMES {
        for &size in sizes {
            let name = format!("{theme}-{}x{}", size.0, size.1);
            let album = Album { folder: folder.clone(), name, only: only.clone() };
            scenario(size, async |home, screen| {
                home.configure("settings.json", &json!({ "theme": theme, "person": "Bo" }))?;
                album.fill(home, screen).await
            });
        }
    }
}

struct Album {
    folder: PathBuf,
    /// Theme and size.
    name: String,
    /// Only pictures with this in their name are kept.
    only: String,
}

impl Album {
    async fn fill(&self, home: &Home, screen: &Screen) -> Result<()> {
        home.write("README.md", "# parser-lab\n\nA lexer to try things with.\n")?;
        home.write("src/lexer.rs", LEXER)?;
        home.write("src/main.rs", "fn main() {\n    println!(\"parser-lab\");\n}\n")?;
        home.write("tests/lex.rs", "#[test]\nfn numbers() {}\n")?;
        let app = App::start(home, screen, &[]).await?;
        self.keep(&app, "welcome").await?;
        app.quit().await?;
        let app = App::start(home, screen, &[&home.project()]).await?;
        app.expand_in_tree("src").await?;
        app.open_from_tree("src/lexer.rs").await?;
        until("the file is shown", async || Ok(app.seen_text("editor-0").await?.starts_with("use crate"))).await?;
        make_history(&app).await?;
        self.bench(&app).await?;
        self.past(&app).await?;
        app.quit().await
    }

    async fn bench(&self, app: &App) -> Result<()> {
        app.until_shown("editor-0", true).await?;
        app.click_editor().await?;
        self.keep(app, "bench").await?;
        app.keys(Key::F1).await?;
        app.until_shown("quickpick", true).await?;
        self.keep(app, "palette").await?;
        app.keys(Key::Escape).await?;
        app.ctrl("p").await?;
        app.until_shown("quickpick", true).await?;
        self.keep(app, "go-to-file").await?;
        app.keys(Key::Escape).await?;
        app.click_editor().await?;
        app.ctrl("f").await?;
        app.find_by(".find-widget.visible").await?;
        self.keep(app, "find").await?;
        app.keys(Key::Escape).await?;
        Ok(())
    }

    async fn past(&self, app: &App) -> Result<()> {
        let track = app.find("tl-track").await?.rect().await?;
        let middle = ((track.x + track.width * 0.5) as i64, (track.y + track.height / 2.0) as i64);
        app.drag("tl-handle", middle).await?;
        app.until_shown("past-banner", true).await?;
        self.keep(app, "past").await?;
        app.click("tl-toggle").await?;
        app.until_shown("tl-lanes", true).await?;
        self.keep(app, "timeline").await?;
        app.click("tl-restore-workspace").await?;
        app.until_shown("tl-restore-dialog", true).await?;
        self.keep(app, "restore-workspace").await?;
        app.click("tl-restore-cancel").await
    }

    async fn keep(&self, app: &App, screen: &str) -> Result<()> {
        app.idle().await?;
        let name = format!("{screen}-{}.png", self.name);
        if !name.contains(&self.only) {
            return Ok(());
        }
        let path: &Path = &self.folder.join(&name);
        app.picture(path).await.with_context(|| format!("could not draw {name}"))
    }
}

/// Enough of a past to fill the timeline: a function written by hand, a change of mind, a named moment.
async fn make_history(app: &App) -> Result<()> {
    let end = LEXER.encode_utf16().count() - 2;
    let written = "\n    fn number(&mut self, first: char) -> Token {\n        Token::Number(first)\n    }\n";
    let typed = written.chars().enumerate().map(|(index, letter)| json!([end + index, 0, letter.to_string()]));
    let letters = "Token::Number(first)".chars().count();
    let from = end + written.find("Token::Number").unwrap_or_default();
    let taken_back = (0..letters).rev().map(|index| json!([from + index, 1, ""]));
    edit(app, typed.collect()).await?;
    let name = json!({ "cmd": "nameMoment", "args": { "name": "numbers work", "note": null, "at": null } });
    app.call(json!({ "to": "workspace", "request": name })).await?;
    edit(app, taken_back.collect()).await?;
    let again = "self.collect_number(first)".chars().enumerate();
    edit(app, again.map(|(index, letter)| json!([from + index, 0, letter.to_string()])).collect()).await?;
    edit_other(app).await
}

async fn edit(app: &App, edits: Vec<serde_json::Value>) -> Result<()> {
    let request = json!({ "cmd": "editFile", "args": { "path": "src/lexer.rs", "edits": edits } });
    app.call(json!({ "to": "workspace", "request": request })).await.map(drop)
}

async fn edit_other(app: &App) -> Result<()> {
    let request = json!({ "cmd": "editFile", "args": { "path": "src/main.rs", "edits": [[0, 0, "mod lexer;\n\n"]] } });
    app.call(json!({ "to": "workspace", "request": request })).await.map(drop)
}
