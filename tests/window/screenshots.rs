//! Every screen of the real window in every theme and size, looked at by the machine (`review`) and kept as a picture for
//! people. `cargo xtask screenshots` runs the whole; a few screens are looked at with every test run.

use crate::harness::{App, Home, Screen, scenario, until};
use crate::review::{Review, show_theme};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::path::{Path, PathBuf};
use thirtyfour::{By, Key};

const THEMES: [&str; 4] = ["dark", "light", "hc-dark", "hc-light"];

/// A window's size in CSS pixels, how many pixels of the screen each of them has, and the name of the person in it.
struct Size {
    width: u32,
    height: u32,
    scale: u32,
    person: &'static str,
}

impl Size {
    fn name(&self) -> String {
        format!("{}x{}", self.width, self.height)
    }

    /// Unless another size is named.
    fn is_wanted(&self, only: &str) -> bool {
        let mut named = only.split_whitespace().filter(|word| SIZES.iter().any(|size| size.name() == **word));
        named.all(|word| word == self.name())
    }
}

const LATIN: &str = "Ωmega-Very-Long-Name Łukasz";
const ARABIC: &str = "عبد الرحمن بن محمد الخوارزمي";

const SIZES: [Size; 3] = [
    Size { width: 1024, height: 640, scale: 1, person: LATIN },
    Size { width: 1366, height: 768, scale: 1, person: ARABIC },
    Size { width: 1920, height: 1080, scale: 2, person: LATIN },
];

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
#[ignore = "minutes of pictures for people; `cargo xtask screenshots` runs it"]
fn screenshots() {
    let folder = PathBuf::from(std::env::var("CODESYNC_SCREENSHOTS").unwrap());
    let only = std::env::var("CODESYNC_SCREENSHOTS_ONLY").unwrap_or_default();
    let mut review = Review::default();
    for size in SIZES.iter().filter(|size| size.is_wanted(&only)) {
        let mut album = Album { folder: Some(folder.clone()), themes: &THEMES, size, only: only.clone(), review };
        album.on_a_screen(Extent::Everything);
        review = album.review;
    }
    say(review);
}

#[test]
fn screens_look_finished() {
    let size = &SIZES[0];
    let themes = &["dark", "hc-light"];
    let mut album = Album { folder: None, themes, size, only: String::new(), review: Review::default() };
    album.on_a_screen(Extent::AFew);
    say(album.review);
}

/// A list of sentences is no place for a stack of calls.
fn say(review: Review) {
    if let Err(reason) = review.finish() {
        panic!("{reason}");
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    AFew,
    Everything,
}

pub struct Album<'a> {
    /// Where pictures go; without it the screens are only looked at.
    folder: Option<PathBuf>,
    themes: &'a [&'static str],
    size: &'a Size,
    /// Only pictures with all these words in their name, such as `chat`, `hc-dark`, `1024x640`.
    only: String,
    review: Review,
}

impl Album<'_> {
    fn on_a_screen(&mut self, extent: Extent) {
        let Size { width, height, scale, person } = *self.size;
        scenario((width * scale, height * scale), async |home, screen| {
            home.set_variable("GDK_SCALE", scale.to_string());
            let place = json!({ "x": 0, "y": 0, "width": width, "height": height, "maximized": false });
            home.configure("window.json", &place)?;
            home.configure("settings.json", &json!({ "theme": "dark", "person": person }))?;
            self.fill(home, screen, extent).await
        });
    }

    async fn fill(&mut self, home: &Home, screen: &Screen, extent: Extent) -> Result<()> {
        write_project(home)?;
        if extent == Extent::Everything {
            let app = App::start(home, screen, &[]).await?;
            self.keep(&app, "welcome").await?;
            self.neighbours(&app).await?;
            app.quit().await?;
        }
        let app = App::start(home, screen, &[&home.project()]).await?;
        let wanted = json!([self.size.width, self.size.height, self.size.scale]);
        let sizes = "return [innerWidth, innerHeight, devicePixelRatio]";
        until("the window has its size", async || Ok(app.script(sizes).await? == wanted)).await?;
        app.expand_in_tree("src").await?;
        app.open_from_tree("src/lexer.rs").await?;
        until("the file is shown", async || Ok(app.seen_text("editor-0").await?.starts_with("use crate"))).await?;
        make_history(&app).await?;
        app.until_shown("editor-0", true).await?;
        app.click_editor().await?;
        self.keep(&app, "bench").await?;
        self.command(&app, "settings.open", "settings-page", "settings").await?;
        command(&app, "tabs.close").await?;
        self.searching(&app).await?;
        if extent == Extent::Everything {
            self.together(&app).await?;
            self.working(&app).await?;
            self.lists(&app).await?;
            self.pages(&app).await?;
            self.files(&app, home).await?;
            self.untitled(&app).await?;
            self.states(&app).await?;
            self.zoomed(&app).await?;
        }
        self.past(&app, extent).await?;
        if extent == Extent::Everything {
            self.nothing(&app).await?;
        }
        app.quit().await
    }

    /// Find and replace in all files.
    async fn searching(&mut self, app: &App) -> Result<()> {
        self.command(app, "search.openReplace", "search-view", "search-empty").await?;
        app.click("search-text").await?;
        app.keys("token").await?;
        app.until_shown("search-match", true).await?;
        app.until_state("search-view", "over").await?;
        app.click("search-details").await?;
        app.click("search-replacement").await?;
        app.keys("word").await?;
        self.keep(app, "search").await?;
        command(app, "search.replaceAll").await?;
        app.until_shown("search-dialog", true).await?;
        self.keep(app, "search-dialog").await?;
        app.keys(Key::Escape).await?;
        app.until_shown("search-dialog", false).await?;
        command(app, "search.clear").await?;
        command(app, "view.explorer").await?;
        app.click_editor().await
    }

    /// What opens over the text.
    async fn lists(&mut self, app: &App) -> Result<()> {
        for (id, name) in [("palette.commands", "palette"), ("palette.files", "go-to-file"), ("view.theme", "themes")] {
            self.command(app, id, "quickpick", name).await?;
            app.keys(Key::Escape).await?;
            app.until_shown("quickpick", false).await?;
        }
        command(app, "edit.find").await?;
        app.find_by(".find-widget.visible").await?;
        self.keep(app, "find").await?;
        app.keys(Key::Escape).await?;
        for menu in ["file", "view"] {
            app.click(&format!("menubar-{menu}")).await?;
            app.find_by(".menu[role=menu]").await?;
            self.keep(app, &format!("menu-{menu}")).await?;
            app.keys(Key::Escape).await?;
        }
        Ok(())
    }

    async fn pages(&mut self, app: &App) -> Result<()> {
        command(app, "settings.open").await?;
        app.click("settings-workspace").await?;
        app.click("settings-open-json").await?;
        app.until_shown("settings-json", true).await?;
        self.keep(app, "settings-json").await?;
        app.click("settings-open-json").await?;
        app.click("settings-user").await?;
        self.command(app, "help.keys", "keys-page", "keys").await?;
        app.click("keys-change").await?;
        app.until_shown("key-recorder", true).await?;
        self.keep(app, "key-recorder").await?;
        app.keys(Key::Escape).await?;
        self.command(app, "help.about", "about", "about").await?;
        app.click("about-licences").await?;
        app.until_shown("about-others", true).await?;
        self.keep(app, "about-licences").await?;
        app.keys(Key::Escape).await?;
        self.command(app, "help.region", "region-help", "region-help").await?;
        app.keys(Key::Escape).await?;
        command(app, "tabs.close").await
    }

    /// Files that are not shown as text, or not whole, and files that are gone.
    async fn files(&mut self, app: &App, home: &Home) -> Result<()> {
        for (path, name) in
            [("logo.png", "image"), ("data.bin", "binary"), ("big.log", "large-file"), ("utf16.txt", "utf-16")]
        {
            app.open_from_tree(path).await?;
            app.idle().await?;
            self.keep(app, name).await?;
        }
        std::fs::remove_file(home.project().join("gone.txt"))?;
        let head = "//*[@data-testid='tree-row'][contains(., 'Deleted recently')]";
        app.click_by(By::XPath(head)).await.context("the deleted file is nowhere")?;
        self.keep(app, "deleted-recently").await?;
        for _ in 0..4 {
            command(app, "tabs.close").await?;
        }
        app.open_from_tree("src/lexer.rs").await?;
        Ok(())
    }

    /// A text that has no name yet, and the question before it is closed.
    async fn untitled(&mut self, app: &App) -> Result<()> {
        command(app, "file.newUntitled").await?;
        until("it has the keys", async || {
            Ok(app.script("return window.__cs.workbench.editors.hasTextFocus").await? == json!(true))
        })
        .await?;
        app.keys("Ideas that nobody has seen yet").await?;
        app.until_seen("editor-0", "Ideas that nobody has seen yet").await?;
        self.keep(app, "untitled").await?;
        self.command(app, "tabs.close", "untitled-question", "untitled-question").await?;
        app.click("untitled-discard").await?;
        app.until_shown("untitled-question", false).await
    }

    /// What the window says when something is wrong. The states are put in by hand: the wording is the engine's.
    async fn states(&mut self, app: &App) -> Result<()> {
        app.script(
            "const { notices } = window.__cs.workbench;
            const run = () => undefined;
            notices.toast('Restored lexer.rs to 14:32:07.', { stays: true, buttons: [{ label: 'Undo', run }, { label: 'Show what changed', run }] });
            notices.toast('“main.rs” is kept in CodeSync but could not be written to the folder: permission denied.',
              { stays: true, isUrgent: true, detail: 'MSG-DISK-3', buttons: [{ label: 'Try again', run }, { label: 'Show in folder', run }] });",
        )
        .await?;
        app.find("toast").await?;
        self.keep(app, "toasts").await?;
        command(app, "notices.toggle").await?;
        self.keep(app, "messages").await?;
        command(app, "notices.toggle").await?;
        app.script("const { notices } = window.__cs.workbench; for (const one of notices.list) notices.close(one.id)")
            .await?;
        for kind in ["saving", "diskFull", "failed", "cannotWriteFile"] {
            let script = "const { session } = window.__cs.workbench;
                session.save = { ...session.save, kind: arguments[0], message: 'Something could not be saved.' };";
            app.web.execute(script, vec![json!(kind)]).await?;
            self.keep(app, &format!("save-{kind}")).await?;
        }
        app.script("const { session } = window.__cs.workbench; session.save = { ...session.save, kind: 'saved', message: null }").await?;
        Ok(())
    }

    /// The same window with half and a third of the room.
    async fn zoomed(&mut self, app: &App) -> Result<()> {
        app.script(include_str!("people_screens.js")).await?;
        for percent in [200, 300] {
            zoom(app, self.size.width, percent).await?;
            app.script("window.__cs.people.set(1)").await?;
            self.keep(app, &format!("zoom-{percent}")).await?;
            self.command(app, "palette.commands", "quickpick", &format!("zoom-{percent}-palette")).await?;
            app.keys(Key::Escape).await?;
            app.until_shown("quickpick", false).await?;
        }
        app.script("window.__cs.people.ask('new')").await?;
        app.until_shown("accept", true).await?;
        self.keep(app, "zoom-300-accept").await?;
        app.script("window.__cs.people.set(0)").await?;
        zoom(app, self.size.width, 100).await
    }

    async fn past(&mut self, app: &App, extent: Extent) -> Result<()> {
        let track = app.find("tl-track").await?.rect().await?;
        let middle = ((track.x + track.width * 0.5) as i64, (track.y + track.height / 2.0) as i64);
        app.drag("tl-handle", middle).await?;
        app.until_shown("past-banner", true).await?;
        self.keep(app, "past").await?;
        app.click("tl-toggle").await?;
        app.until_shown("tl-lanes", true).await?;
        self.keep(app, "timeline").await?;
        if extent == Extent::Everything {
            app.click("tl-diff-now").await?;
            app.idle().await?;
            self.keep(app, "past-diff").await?;
            app.click("tl-diff-off").await?;
        }
        app.click("tl-restore-workspace").await?;
        app.until_shown("tl-restore-dialog", true).await?;
        self.keep(app, "restore-workspace").await?;
        app.click("tl-restore-cancel").await
    }

    /// A workspace in which nothing is open.
    async fn nothing(&mut self, app: &App) -> Result<()> {
        command(app, "timeline.now").await?;
        app.until_shown("past-banner", false).await?;
        while app.is_shown("tab").await? {
            command(app, "tabs.close").await?;
        }
        self.keep(app, "no-tabs").await
    }

    async fn command(&mut self, app: &App, id: &str, shown: &str, name: &str) -> Result<()> {
        command(app, id).await?;
        app.until_shown(shown, true).await?;
        self.keep(app, name).await
    }

    /// Looks at a screen in every theme, and keeps the pictures.
    pub async fn keep(&mut self, app: &App, screen: &str) -> Result<()> {
        let name_in = |theme: &str| format!("{screen}-{theme}-{}", self.size.name());
        let is_wanted = |theme: &&&str| self.only.split_whitespace().all(|word| name_in(theme).contains(word));
        let themes: Vec<&str> = self.themes.iter().filter(is_wanted).copied().collect();
        if themes.is_empty() {
            return Ok(());
        }
        // Where nothing is: what the pointer lies on would say its name over the picture.
        app.web.action_chain().move_to(1, 1).perform().await?;
        app.idle().await?;
        for theme in themes {
            show_theme(app, theme).await?;
            let name = name_in(theme);
            if let Some(folder) = &self.folder {
                let path: &Path = &folder.join(format!("{name}.png"));
                app.picture(path).await.with_context(|| format!("could not draw {name}"))?;
            }
            self.review.look(app, &name).await.with_context(|| format!("could not look at {name}"))?;
        }
        Ok(())
    }
}

pub async fn command(app: &App, id: &str) -> Result<()> {
    let script = "const { commands } = window.__cs.workbench;
        const can = commands.canRun(arguments[0]);
        commands.run(arguments[0]);
        return can;";
    let could = app.web.execute(script, vec![json!(id)]).await?;
    ensure!(could.json() == &json!(true), "{id} cannot run now");
    app.idle().await
}

async fn zoom(app: &App, width: u32, percent: u32) -> Result<()> {
    let script = "window.__cs.workbench.session.changeSettings({ zoomPercent: arguments[0] })";
    app.web.execute(script, vec![json!(percent)]).await?;
    // The web view takes a moment to lay the page out anew.
    let width = f64::from(width) * 100.0 / f64::from(percent);
    let is_there =
        async || Ok(app.script("return innerWidth").await?.as_f64().is_some_and(|is| (is - width).abs() < 2.0));
    until("the page has the new size", is_there).await?;
    app.idle().await
}

fn write_project(home: &Home) -> Result<()> {
    home.write("README.md", "# parser-lab\n\nA lexer to try things with.\n")?;
    home.write("src/lexer.rs", LEXER)?;
    home.write("src/main.rs", "fn main() {\n    println!(\"parser-lab\");\n}\n")?;
    home.write("src/a name that is so long that no tree and no tab has the room for the whole of it.md", "long\n")?;
    home.write("tests/lex.rs", "#[test]\nfn numbers() {}\n")?;
    home.write("gone.txt", "soon\n")?;
    home.write("big.log", &"2026-11-21 12:00:00 nothing to see here, and a lot of it\n".repeat(400_000))?;
    let folder = home.project();
    std::fs::write(folder.join("data.bin"), [0_u8, 159, 146, 150, 0, 1, 2, 3])?;
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("icons/128x128.png"), folder.join("logo.png"))?;
    let utf16: Vec<u8> = "\u{feff}sixteen bits\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    Ok(std::fs::write(folder.join("utf16.txt"), utf16)?)
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
