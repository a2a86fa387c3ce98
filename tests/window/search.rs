//! Find and replace in all files, by keyboard and mouse, as one who comes from another editor does it.

use crate::harness::{App, Home, scenario, until};
use anyhow::{Context, Result, ensure};
use thirtyfour::Key;

const SIZE: (u32, u32) = (1366, 768);
const EDITOR: &str = "editor-0";
const LEXER: &str = "fn next() {\n    token();\n}\n";
const PARSER: &str = "use lexer;\n\nfn parse() {\n    token(); // Token\n}\n";

#[test]
fn find_walk_replace_all_and_take_it_back() {
    scenario(SIZE, async |home, screen| {
        home.write("src/lexer.rs", LEXER)?;
        home.write("src/parser.rs", PARSER)?;
        home.write("notes.txt", "the token is here\n")?;
        home.write("ignored.log", "token\n")?;
        home.write(".gitignore", "*.log\n")?;
        let app = App::start(home, screen, &[&home.project().join("notes.txt")]).await?;
        app.until_seen(EDITOR, "the token is here\n").await?;
        find_from_a_selection(&app).await?;
        walk(&app).await?;
        narrow(&app).await?;
        follow_typing(&app).await?;
        replace_all(&app, home).await?;
        replace_one(&app, home).await?;
        app.quit().await
    });
}

async fn chord(app: &App, held: &[Key], key: &str) -> Result<()> {
    let chain = held.iter().fold(app.web.action_chain(), |chain, held| chain.key_down(held.clone())).send_keys(key);
    Ok(held.iter().fold(chain, |chain, held| chain.key_up(held.clone())).perform().await?)
}

/// The rows of the list: files by path, matches by line and text.
async fn rows(app: &App) -> Result<Vec<String>> {
    let script =
        "return [...document.querySelectorAll('[data-testid=\"search-results\"] [role=treeitem]')].map((row) =>
        row.dataset.line ? `${row.dataset.line}: ${row.querySelector('.text').textContent}` : row.dataset.path);";
    let found = app.script(script).await?;
    Ok(found.as_array().into_iter().flatten().filter_map(|row| row.as_str().map(str::to_owned)).collect())
}

async fn until_rows(app: &App, wanted: &[&str]) -> Result<()> {
    let result = until("the results are those", async || Ok(rows(app).await? == wanted)).await;
    result.with_context(|| format!("wanted {wanted:?}"))?;
    Ok(())
}

async fn focused(app: &App) -> Result<String> {
    let id = app.script("return document.activeElement?.dataset.testid ?? ''").await?;
    Ok(id.as_str().unwrap_or_default().to_owned())
}

async fn find_from_a_selection(app: &App) -> Result<()> {
    app.click_editor().await?;
    app.ctrl(Key::Home).await?;
    app.keys("Token: ").await?;
    app.ctrl(Key::Home).await?;
    for _ in 0..5 {
        app.shift(Key::Right).await?;
    }
    chord(app, &[Key::Control, Key::Shift], "f").await?;
    app.until_shown("search-view", true).await?;
    until("the field has the keyboard", async || Ok(focused(app).await? == "search-text")).await?;
    // What was typed a moment ago is found, what is ignored is not.
    let all = [
        "src/lexer.rs",
        "2: token();",
        "src/parser.rs",
        "4: token(); // Token",
        "4: token(); // Token",
        "notes.txt",
        "1: Token: the token is here",
        "1: Token: the token is here",
    ];
    until_rows(app, &all).await?;
    let said = app.find("search-standing").await?.text().await?;
    ensure!(said.starts_with("5 results in 3 files"), "it says {said:?}");
    let seeded = app.script("return document.querySelector('[data-testid=search-text]').value").await?;
    ensure!(seeded == "Token", "the field has {seeded}");
    Ok(())
}

/// From the field by F4, from the list by the arrows, and by a click.
async fn walk(app: &App) -> Result<()> {
    app.keys(Key::F4).await?;
    app.until_seen(EDITOR, LEXER).await?;
    app.keys(Key::F4).await?;
    app.until_seen(EDITOR, PARSER).await?;
    chord(app, &[Key::Shift], &char::from(Key::F4).to_string()).await?;
    app.until_seen(EDITOR, LEXER).await?;
    ensure!(focused(app).await? == "search-text", "the keyboard went away");
    let picked = "const editor = window.__cs.workbench.editors.activeEditor;
        return editor.getModel().getValueInRange(editor.getSelection());";
    until("the match is selected", async || Ok(app.script(picked).await? == "token")).await?;
    app.ctrl(Key::Down).await?;
    until("the list has the keyboard", async || Ok(focused(app).await? == "search-results")).await?;
    app.keys(Key::End).await?;
    app.keys(Key::Enter).await?;
    app.until_seen(EDITOR, "Token: the token is here\n").await?;
    until("the text has the keyboard", async || {
        Ok(app.script("return window.__cs.workbench.editors.hasTextFocus").await? == true)
    })
    .await?;
    app.click_by(thirtyfour::By::Css("[data-testid=search-match][data-path='src/parser.rs']")).await?;
    app.until_seen(EDITOR, PARSER).await?;
    let tab = app.script("return window.__cs.workbench.editors.activeTab.isPreview").await?;
    ensure!(tab == true, "a click keeps the tab");
    Ok(())
}

async fn narrow(app: &App) -> Result<()> {
    chord(app, &[Key::Control, Key::Shift], "f").await?;
    until("the field has the keyboard", async || Ok(focused(app).await? == "search-text")).await?;
    chord(app, &[Key::Alt], "c").await?;
    until_rows(app, &["src/parser.rs", "4: token(); // Token", "notes.txt", "1: Token: the token is here"]).await?;
    chord(app, &[Key::Alt], "c").await?;
    app.click("search-details").await?;
    until("the field has the keyboard", async || Ok(focused(app).await? == "search-include")).await?;
    app.keys("*.rs").await?;
    until_rows(app, &["src/lexer.rs", "2: token();", "src/parser.rs", "4: token(); // Token", "4: token(); // Token"])
        .await?;
    app.click("search-text").await?;
    app.ctrl("a").await?;
    chord(app, &[Key::Alt], "r").await?;
    app.keys("tok(").await?;
    app.until_shown("search-standing", true).await?;
    until("the expression is refused", async || {
        Ok(app.find("search-standing").await?.text().await? == "This expression can't be used: unclosed group.")
    })
    .await?;
    app.keys(Key::Backspace).await?;
    app.keys("(en)").await?;
    until_rows(app, &["src/lexer.rs", "2: token();", "src/parser.rs", "4: token(); // Token", "4: token(); // Token"])
        .await
}

/// What is typed after the search moves the results along.
async fn follow_typing(app: &App) -> Result<()> {
    app.click_editor().await?;
    app.ctrl(Key::Home).await?;
    app.keys("// token").await?;
    app.keys(Key::Enter).await?;
    until_rows(
        app,
        &[
            "src/lexer.rs",
            "2: token();",
            "src/parser.rs",
            "1: // token",
            "5: token(); // Token",
            "5: token(); // Token",
        ],
    )
    .await
}

async fn replace_all(app: &App, home: &Home) -> Result<()> {
    chord(app, &[Key::Control, Key::Shift], "h").await?;
    until("a field has the keyboard", async || Ok(focused(app).await? == "search-replacement")).await?;
    app.keys("W$1").await?;
    until("the list shows what it becomes", async || Ok(rows(app).await?.contains(&"2: tokenWen();".to_owned())))
        .await?;
    app.click("search-replace-all").await?;
    app.until_shown("search-dialog", true).await?;
    let question = app.find("search-dialog").await?.text().await?;
    ensure!(question.contains("Replace 4 matches in 2 files?"), "it asks {question:?}");
    // Enter is the safe answer.
    app.keys(Key::Enter).await?;
    app.until_shown("search-dialog", false).await?;
    app.click("search-replace-all").await?;
    app.click("search-dialog-yes").await?;
    let replaced = format!("// token\n{PARSER}").replace("token", "Wen").replace("Token", "Wen");
    app.until_seen(EDITOR, &replaced).await?;
    until("the folder has it", async || {
        Ok(home.read("src/parser.rs")? == replaced && home.read("src/lexer.rs")? == LEXER.replace("token", "Wen"))
    })
    .await?;
    until_rows(app, &[]).await?;
    app.press_toast("Undo").await?;
    app.until_seen(EDITOR, &format!("// token\n{PARSER}")).await?;
    until("the folder has the text from before", async || Ok(home.read("src/lexer.rs")? == LEXER)).await?;
    until("the results are there again", async || Ok(rows(app).await?.len() == 6)).await
}

async fn replace_one(app: &App, home: &Home) -> Result<()> {
    app.click("search-text").await?;
    app.ctrl(Key::Down).await?;
    app.keys(Key::Home).await?;
    app.keys(Key::Down).await?;
    chord(app, &[Key::Control, Key::Shift], "1").await?;
    until("one is replaced", async || Ok(home.read("src/lexer.rs")? == LEXER.replace("token", "Wen"))).await?;
    until("the other results stay", async || Ok(rows(app).await?.len() == 4)).await?;
    ensure!(home.read("src/parser.rs")?.contains("token"), "more than one was replaced");
    app.keys(Key::Delete).await?;
    until("it is taken from the list", async || Ok(rows(app).await?.len() < 4)).await?;
    Ok(())
}
