//! UX §4, “the first five minutes”, as Asha and Bo have them: from a first launch on two computers to letters that both see,
//! each one's own undo, the past, a pulled cable, and opening it all again. Without step 10: nothing is run yet.

use super::harness::{App, until};
use super::steps::{Steps, is_long};
use super::working::{FLAG_SHOWN, NOTE_LETTERS, echo};
use super::{Person, share, until_live};
use anyhow::{Context, Result, ensure};
use codesync_lan::Lan;
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use thirtyfour::{By, Key};

const WORKSPACE: &str = "parser-lab";
const LEXER: &str = "src/lexer.rs";
const N_FILES: usize = 42;
/// Lines that Bo deletes and Asha brings back.
const N_LINES: u32 = 20;
/// From the first launch to the first letter of the one at the other's, on whatever machine.
const FIRST_LETTER_MAX: Duration = Duration::from_secs(60);
/// What is done apart for less is no merge that anybody is told of (UX §3.8).
const APART_LONG: Duration = Duration::from_secs(62);
const APART: Duration = Duration::from_secs(3);

/// Nobody types faster for long.
const BETWEEN_WORDS: Duration = Duration::from_millis(300);

pub async fn first_five_minutes(lan: &Lan) -> Result<()> {
    let (mut asha, mut bo) = (Person::new(lan, "Asha")?, Person::new(lan, "Bo")?);
    write_project(&asha)?;
    let mut steps = Steps::begin();
    let played = step_by_step(&mut asha, &mut bo, &mut steps).await;
    if played.is_err() {
        for person in [&asha, &bo] {
            person.picture("failed").await.unwrap_or_default();
            println!("  {}'s log:\n{}", person.name, person.home.log());
        }
    }
    played.and_then(|()| steps.finish())
}

async fn step_by_step(asha: &mut Person, bo: &mut Person, steps: &mut Steps) -> Result<()> {
    alone(asha, steps).await.context("alone")?;
    meet(asha, bo, steps).await.context("meet")?;
    let_in(asha, bo, steps).await.context("let in")?;
    first_letters(asha, bo, steps).await.context("first letters")?;
    one_function(asha, bo, steps).await.context("one function")?;
    the_past(asha, bo, steps).await.context("the past")?;
    name_it(asha, bo, steps).await.context("a name")?;
    let away = apart(asha, bo, steps).await.context("apart")?;
    open_again(asha, bo, steps).await.context("open again")?;
    through_the_others_work(bo, &away, steps).await.context("through the other's work")?;
    for person in [asha, bo] {
        person.app.take().context("a window is missing")?.quit().await?;
    }
    Ok(())
}

fn write_project(asha: &Person) -> Result<()> {
    let root = asha.home.project().with_file_name(WORKSPACE);
    asha.home.set_variable("CODESYNC_PICK_FOLDER", root.to_string_lossy());
    let mut files = vec![
        ("README.md".to_owned(), "# parser-lab\n\nA lexer to try things with.\n".to_owned()),
        (LEXER.to_owned(), lexer()),
        ("src/main.rs".to_owned(), "fn main() {\n    println!(\"1 + 2\");\n}\n".to_owned()),
    ];
    files.extend((files.len()..N_FILES).map(|n| (format!("samples/{n:02}.txt"), format!("{n} + {n}\n"))));
    for (path, text) in files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().context("invariant: it is in the folder")?)?;
        std::fs::write(path, text)?;
    }
    Ok(())
}

/// Long enough to scroll; `fn number` with the empty line after it has as many lines as Bo deletes.
fn lexer() -> String {
    let head = "//! Turns text into tokens.\n\npub struct Lexer<'a> {\n    rest: &'a str,\n    line: u32,\n}\n\nimpl Lexer<'_> {\n";
    let rule = |n: u32| {
        format!(
            "    fn rule_{n}(&self) -> bool {{\n        let first = self.peek();\n        first == Some('{n}')\n    }}\n\n"
        )
    };
    let next = "    pub fn next_token(&mut self) -> Token {\n        let c = self.bump();\n        match c {\n            '+' => Token::Plus,\n            '-' => Token::Minus,\n            '0'..='9' => self.number(c),\n            _ => Token::Unknown(c),\n        }\n    }\n\n";
    let digits: String = (1..=N_LINES - 4).map(|n| format!("        // digit {n} of a number\n")).collect();
    let number = format!("    fn number(&mut self, c: char) -> Token {{\n{digits}        Token::Number(c)\n    }}\n\n");
    let rules = |from: u32| (from..from + 8).map(rule).collect::<String>();
    format!("{head}{}{next}{number}{}}}\n", rules(1), rules(11))
}

/// Steps 1 to 3.
async fn alone(asha: &mut Person, steps: &mut Steps) -> Result<()> {
    asha.start(&[]).await?;
    asha.app().until_shown("welcome", true).await?;
    steps.took("1", "Asha's first launch: the welcome page", 2_000, asha.app().age()?);
    ensure!(asha.focus().await? == "open", "the keyboard is on {:?}", asha.focus().await?);
    let name = asha.app().find("you-name").await?.prop("value").await?;
    ensure!(name.as_deref() == Some("Asha"), "the name is {name:?}");
    asha.picture("01-welcome").await?;

    let began = Instant::now();
    let shown = click_until_seen(asha.app(), "open", &row("README.md")).await?;
    steps.took("2", "the tree of the folder", 500, shown);
    asha.until_seen("A lexer to try things with", true).await?;
    steps.done("2", "its README", 1_000, began);
    asha.app().until_state("save-pill", "saved").await?;
    steps.done("2", "all of it kept", 8_000, began);
    asha.picture("02-opened").await?;

    let began = Instant::now();
    asha.app().expand_in_tree("src").await?;
    asha.app().open_from_tree(LEXER).await?;
    asha.until_seen("pub struct Lexer", true).await?;
    let n_before = asha.n_moments().await?;
    asha.put_caret_after("let c = self.bump();").await?;
    asha.type_slowly(" // three more words").await?;
    until("the strip has grown", async || Ok(asha.n_moments().await? > n_before)).await?;
    asha.app().until_state("save-pill", "saved").await?;
    steps.done("3", "three words typed and kept", 5_000, began);
    asha.picture("03-typed").await
}

/// Steps 4 and 5.
async fn meet(asha: &Person, bo: &mut Person, steps: &mut Steps) -> Result<()> {
    bo.start(&[]).await?;
    bo.app().until_shown("welcome", true).await?;
    steps.took("4", "Bo's first launch: the welcome page", 2_000, bo.app().age()?);
    let began = Instant::now();
    bo.app().find_by(CARD).await?;
    steps.done("4", "Asha is listed there", 3_000, began);
    bo.until_said("nearby-card", "not sharing").await?;
    bo.picture("04-listed").await?;

    let began = Instant::now();
    share(asha).await?;
    steps.done("5", "a code is shown", 500, began);
    asha.app().click("code").await?;
    asha.until_said("code-copy", "Copied").await?;
    bo.app().find_by(&format!("{CARD} [data-testid='nearby-ask']")).await?;
    steps.done("5", "it is copied, and Bo's page offers to ask", 3_000, began);
    asha.picture("05-shared").await?;
    bo.picture("05-offered").await
}

/// Steps 6 and 7.
async fn let_in(asha: &Person, bo: &Person, steps: &mut Steps) -> Result<()> {
    let asked = Instant::now();
    bo.app().click_by(By::Css(format!("{CARD} [data-testid='nearby-ask']"))).await?;
    let (question, waiting) = tokio::try_join!(
        timed(asked, asha.app().until_shown("accept", true)),
        timed(asked, bo.until_said("join-state", "Waiting for Asha"))
    )?;
    steps.took("6b", "Asha is asked", 500, question);
    steps.took("6a", "Bo has two words to compare", 3_000, waiting);
    let words = [asha.text("sas").await?, bo.text("sas").await?];
    ensure!(words[0] == words[1] && words[0].split(' ').count() == 2, "the words are {words:?}");
    asha.picture("06-question").await?;
    bo.picture("06-waiting").await?;
    asha.app().keys(Key::Enter).await?;
    ensure!(asha.app().is_shown("accept").await?, "Enter answered");
    ensure!(asha.focus().await? != "accept-yes", "the keyboard is on Let in");
    asha.app().click("accept-yes").await?;
    steps.done("6b", "let in", 8_000, asked);

    let began = Instant::now();
    bo.app().find_by(&row("README.md")).await?;
    steps.done("7", "the tree at Bo's", 1_000, began);
    bo.app().until_shown("follow-pill", true).await?;
    let is_there = async || Ok(bo.view().await? == asha.view().await?);
    until("Bo sees what Asha sees", is_there).await?;
    steps.done("7", "Asha's file at Asha's place, followed", 2_000, began);
    until("all files are in Bo's folder", async || Ok(n_files(&bo.root().await?)? == N_FILES)).await?;
    steps.done("7", "all files in Bo's folder", 5_000, began);
    bo.picture("07-following").await
}

/// Step 8.
async fn first_letters(asha: &Person, bo: &Person, steps: &mut Steps) -> Result<()> {
    let began = Instant::now();
    bo.app().click_editor().await?;
    bo.app().until_shown("follow-pill", false).await?;
    bo.put_caret_after("Token::Plus,").await?;
    for person in [asha, bo] {
        person.app().script(NOTE_LETTERS).await?;
    }
    let letters = " // Bo was here";
    bo.type_slowly(letters).await?;
    until("Asha sees the name", async || Ok(asha.app().script(FLAG_SHOWN).await? == json!(true))).await?;
    until("all letters are there", async || Ok(asha.letters().await?.len() >= letters.len())).await?;
    steps.done("8", "Bo's letters at Asha's, with his name", 4_000, began);
    let first = steps.elapsed();
    steps.took("8", "… since Asha's first launch", 40_000, first);
    ensure!(first < FIRST_LETTER_MAX, "the first letters came after {first:?}");
    let echo = echo(bo, asha, |_| true, letters.len()).await?;
    steps.took("8", "95 of 100 letters", 100, Duration::from_secs_f64(echo.most_ms / 1_000.0));
    asha.picture("08-together").await?;
    bo.picture("08-together").await?;
    until_live([asha, bo]).await?;
    for person in [asha, bo] {
        person.until_said("save-pill", "Live · direct").await?;
    }
    Ok(())
}

/// Steps 9 and 11.
async fn one_function(asha: &Person, bo: &Person, steps: &mut Steps) -> Result<()> {
    let began = Instant::now();
    asha.put_caret_after("Token::Minus,").await?;
    bo.put_caret_after("self.number(c),").await?;
    tokio::try_join!(asha.type_slowly(" // Asha writes"), bo.type_slowly(" uno dos"))?;
    until_alike(asha, bo, |text| text.contains("Asha writes") && text.contains(" uno dos")).await?;
    asha.app().web.execute(WATCH, vec![json!("Asha writes"), json!("Bo was here")]).await?;
    bo.app().ctrl("z").await?;
    bo.app().ctrl("z").await?;
    until_alike(asha, bo, |text| !text.contains("uno") && !text.contains("dos")).await?;
    let [n_changes, n_odd]: [u32; 2] = serde_json::from_value(asha.app().script("return window.__watched").await?)?;
    ensure!(n_odd == 0 && n_changes <= 4, "{n_changes} changes at Asha's, {n_odd} without what was to stay");
    steps.done("9", "both type; Bo takes his words back", 30_000, began);

    let began = Instant::now();
    let line = bo.line_of("fn number(").await?;
    bo.put_caret(line, 1).await?;
    bo.select_lines(N_LINES).await?;
    bo.app().keys(Key::Delete).await?;
    until_alike(asha, bo, |text| !text.contains("fn number(") && !text.contains("digit ")).await?;
    steps.done("11", "Bo deletes 20 lines", 15_000, began);
    Ok(())
}

/// Steps 12 and 13: Bo types all the time.
async fn the_past(asha: &Person, bo: &Person, steps: &mut Steps) -> Result<()> {
    let is_done = Cell::new(false);
    let restored = async {
        let result = bring_back(asha, steps).await;
        is_done.set(true);
        result
    };
    let typed = async {
        bo.put_caret_after("fn rule_11(&self) -> bool {").await?;
        let first = bo.first_line().await?;
        let mut typed = String::from(" //");
        bo.type_slowly(&typed).await?;
        let mut was_past = false;
        while !is_done.get() {
            let word = format!(" {}", typed.len());
            bo.type_slowly(&word).await?;
            typed.push_str(&word);
            tokio::time::sleep(BETWEEN_WORDS).await;
            if !was_past && bo.avatar_of_other().await?.0 == "past" {
                was_past = true;
                bo.picture("12-undisturbed").await?;
            }
        }
        ensure!(was_past, "Bo never saw that Asha looks at the past");
        ensure!(bo.first_line().await? == first, "Bo's text moved");
        Ok(typed)
    };
    let ((), typed) = tokio::try_join!(restored, typed)?;
    let number =
        lexer().split_once("    fn number(").map(|(_, rest)| rest.split_once("\n\n").unwrap_or_default().0.to_owned());
    let number = number.context("invariant: the function is in it")?;
    let is_whole =
        |text: &str| text.matches(&number).count() == 1 && text.contains(&typed) && text.contains("Asha writes");
    until_alike(asha, bo, is_whole).await?;
    bo.until_told("Asha restored").await?;
    asha.picture("13-restored").await?;
    bo.picture("13-restored").await
}

async fn bring_back(asha: &Person, steps: &mut Steps) -> Result<()> {
    let began = Instant::now();
    let seen = asha.drag_back(0.15).await?;
    asha.until_said("past-banner", "You are looking at").await?;
    asha.until_said("past-others", "Bo is typing").await?;
    let n_moments = seen.iter().map(|(index, _)| index).collect::<BTreeSet<_>>().len();
    ensure!(n_moments >= 3, "the text stood at {n_moments} moments on the way");
    steps.done("12", "Asha drags back; the text follows the hand", 10_000, began);
    asha.picture("12-past").await?;

    let began = Instant::now();
    let (_, past) = asha.shown_moment().await?;
    let line = past.lines().position(|line| line.contains("fn number(")).context("the lines are not in that moment")?;
    let text = asha.app().find_by("[data-testid=past-view] .monaco-editor").await?;
    asha.app().web.action_chain().click_element(&text).perform().await?;
    asha.app().ctrl(Key::Home).await?;
    asha.app().keys(presses(Key::Down, line as u32)).await?;
    asha.select_lines(N_LINES).await?;
    asha.app().click("tl-toggle").await?;
    asha.picture("13-selected").await?;
    asha.app().click("tl-restore-selection").await?;
    asha.app().until_shown("past-banner", false).await?;
    asha.until_told("Restored the selection in src/lexer.rs to").await?;
    steps.done("13", "the lines are restored", 10_000, began);
    Ok(())
}

/// Step 14.
async fn name_it(asha: &Person, bo: &Person, steps: &mut Steps) -> Result<()> {
    let began = Instant::now();
    asha.app().script("document.querySelector('[data-testid=tl-track]').focus()").await?;
    asha.app().keys("m").await?;
    asha.app().find("tl-name").await?;
    asha.app().keys("first parser works").await?;
    asha.app().keys(Key::Enter).await?;
    bo.app().click("tl-toggle").await?;
    for person in [asha, bo] {
        person.until_marked("first parser works").await?;
    }
    steps.done("14", "a moment has a name at both", 8_000, began);
    asha.picture("14-named").await?;
    bo.picture("14-named").await
}

/// Steps 15 to 18. Gives what Asha wrote meanwhile, word by word.
async fn apart(asha: &Person, bo: &Person, steps: &mut Steps) -> Result<Vec<String>> {
    let told = [asha.told().await?, bo.told().await?];
    let began = Instant::now();
    bo.host.unplug()?;
    let is_gone = until("Bo's avatar is hollow", async || Ok(asha.avatar_of_other().await?.0 == "offline"));
    let (gone, offline) =
        tokio::try_join!(timed(began, is_gone), timed(began, bo.app().until_state("save-pill", "offline")))?;
    steps.took("15", "Asha sees that Bo is gone", 5_000, gone);
    steps.took("15", "Bo sees that he is offline", 5_000, offline);
    let title = asha.avatar_of_other().await?.1;
    ensure!(title.contains("last seen"), "Bo's avatar says {title:?}");
    asha.picture("15-alone").await?;
    bo.picture("15-offline").await?;

    let (ashas, bos) = tokio::try_join!(
        work_apart(asha, "let c = self.bump();", "asha"),
        work_apart(bo, "let c = self.bump();", "bo")
    )?;
    for (person, before) in [asha, bo].into_iter().zip(&told) {
        ensure!(person.told().await? == *before, "{} was told {:?}", person.name, person.told().await?);
    }
    asha.picture("16-apart").await?;
    bo.picture("16-apart").await?;

    let began = Instant::now();
    bo.host.plug_in()?;
    until_live([asha, bo]).await?;
    steps.done("17", "together again by itself", 5_000, began);
    let began = Instant::now();
    let all = [&ashas[..], &bos[..]].concat();
    until_alike(asha, bo, |text| all.iter().all(|word| text.contains(word))).await?;
    steps.done("17", "both have all", 3_000, began);
    review(asha, bo, steps).await?;
    Ok(ashas)
}

/// At a line that the other changes, too, and then at one of one's own.
async fn work_apart(person: &Person, common: &str, mark: &str) -> Result<Vec<String>> {
    let began = Instant::now();
    let mut words = vec![format!(" also-{mark}")];
    person.put_caret_after(common).await?;
    person.type_slowly(&words[0]).await?;
    person
        .put_caret_after(if mark == "bo" { "fn rule_12(&self) -> bool {" } else { "fn rule_13(&self) -> bool {" })
        .await?;
    person.type_slowly(" //").await?;
    let span = if is_long() { APART_LONG } else { APART };
    while began.elapsed() < span || words.len() < 6 {
        let word = format!(" {mark}-{}", words.len());
        person.type_slowly(&word).await?;
        words.push(word);
        if is_long() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    Ok(words)
}

/// Step 18, and what is told of a merge.
async fn review(asha: &Person, bo: &Person, steps: &mut Steps) -> Result<()> {
    let is_merge = |text: &&String| text.contains("Back together with");
    if !is_long() {
        println!(
            "  18   left out: below a minute nobody is told of a merge (UX §3.8); CODESYNC_LONG=1 takes the minute"
        );
        return Ok(());
    }
    let began = Instant::now();
    for (person, other) in [(asha, "Bo"), (bo, "Asha")] {
        person.until_told(&format!("Back together with {other}. Merged 1 min of work:")).await?;
        person.until_told("1 place was edited by both of you.").await?;
    }
    steps.done("17", "both are told", 3_000, began);
    asha.picture("17-merged").await?;
    bo.picture("17-merged").await?;
    let began = Instant::now();
    bo.app().press_toast("Review").await?;
    bo.app().until_shown("merge-review", true).await?;
    let n_places = bo.app().script("return document.querySelectorAll('[data-testid=merge-place]').length").await?;
    ensure!(n_places == json!(1), "{n_places} places are to be reviewed");
    bo.picture("18-review").await?;
    bo.app().click("merge-right").await?;
    // Its name may be cut off, and the driver takes that for hidden.
    bo.app().script("document.querySelector('[data-testid=merge-open]').click()").await?;
    until("the file is shown", async || Ok(bo.view().await?[0] == LEXER && bo.view().await?[1].is_u64())).await?;
    let line = bo.line_of("also-bo").await?;
    let caret = "return window.__cs.workbench.editors.activePane.editor.getPosition().lineNumber";
    until("Bo is at the place", async || Ok(bo.app().script(caret).await? == json!(line))).await?;
    bo.until_marked("Before merge").await?;
    steps.done("18", "Bo reviews: looks right", 15_000, began);
    bo.picture("18-place").await?;
    bo.command("merge.review", Value::Null).await?;
    bo.app().click("merge-done").await?;
    bo.open(LEXER).await?;
    for person in [asha, bo] {
        let n_told = person.told().await?.iter().filter(is_merge).count();
        ensure!(n_told == 1, "{} was told {n_told} times", person.name);
    }
    Ok(())
}

/// Step 19.
async fn open_again(asha: &mut Person, bo: &mut Person, steps: &mut Steps) -> Result<()> {
    let before = [asha.looks().await?, bo.looks().await?];
    for person in [&mut *asha, &mut *bo] {
        person.app.take().context("a window is missing")?.quit().await?;
    }
    let began = Instant::now();
    let (first, second) = tokio::try_join!(back_live(asha), back_live(bo))?;
    steps.took("19", "Asha is connected again", 5_000, first);
    steps.took("19", "Bo is connected again", 5_000, second);
    for (person, before) in [&*asha, &*bo].into_iter().zip(&before) {
        let is_same = async || Ok(person.looks().await? == *before);
        if until("the window looks as before", is_same).await.is_err() {
            ensure!(
                person.looks().await? == *before,
                "{}'s was {before} and is {}",
                person.name,
                person.looks().await?
            );
        }
        ensure!(!person.app().is_shown("accept").await?, "{} was asked again", person.name);
    }
    steps.done("19", "both windows are as they were", 15_000, began);
    asha.picture("19-again").await?;
    bo.picture("19-again").await
}

async fn back_live(person: &mut Person) -> Result<Duration> {
    person.start(&[]).await?;
    person.app().until_state("save-pill", "live").await?;
    person.app().age()
}

/// Step 20.
async fn through_the_others_work(bo: &Person, away: &[String], steps: &mut Steps) -> Result<()> {
    let began = Instant::now();
    // The longer they were apart, the further back it began.
    let seen = bo.drag_back(if is_long() { 0.1 } else { 0.35 }).await?;
    bo.picture("20-through").await?;
    let n_there = |text: &String| away.iter().filter(|word| text.contains(word.as_str())).count();
    let stages: BTreeSet<usize> = seen.iter().map(|(_, text)| n_there(text)).collect();
    ensure!(stages.len() >= 3 && stages.contains(&0), "of Asha's {} words these were there: {stages:?}", away.len());
    bo.app().keys(Key::Escape).await?;
    bo.app().until_shown("past-banner", false).await?;
    steps.done("20", "Bo drags through what Asha did meanwhile", 20_000, began);
    Ok(())
}

const CARD: &str = "[data-testid='nearby-card'][data-person='Asha']";

fn row(path: &str) -> String {
    format!("[data-testid='tree-row'][data-path='{path}']")
}

fn presses(key: Key, n: u32) -> String {
    std::iter::repeat_n(key.value(), n as usize).collect()
}

/// Clicks, and gives how long after that the page shows what a selector finds, by its own clock: the driver takes 0.3 s
/// to come to an element, and half of that to look for the next.
async fn click_until_seen(app: &App, id: &str, selector: &str) -> Result<Duration> {
    let note = format!(
        "const selector = {selector:?};
        window.__clicked = window.__seen = null;
        addEventListener('click', () => (window.__clicked = performance.now()), {{ capture: true, once: true }});
        (function look() {{
          const found = document.querySelector(selector);
          if (window.__clicked !== null && found !== null && found.getClientRects().length > 0) window.__seen = performance.now();
          else requestAnimationFrame(look);
        }})()"
    );
    app.script(&note).await?;
    app.click(id).await?;
    app.find_by(selector).await?;
    let took_ms = app.script("return window.__seen - window.__clicked").await?;
    Ok(Duration::from_secs_f64(took_ms.as_f64().context("the page saw no click")? / 1e3))
}

/// How long after an instant something was so.
async fn timed(since: Instant, what: impl Future<Output = Result<()>>) -> Result<Duration> {
    what.await?;
    Ok(since.elapsed())
}

/// Waits until both have one text that is so.
async fn until_alike(asha: &Person, bo: &Person, is_so: impl Fn(&str) -> bool) -> Result<()> {
    let texts = async || Ok::<_, anyhow::Error>([asha.model_text().await?, bo.model_text().await?]);
    let is_alike = async || {
        let [first, second] = texts().await?;
        Ok(first == second && is_so(&first))
    };
    if let Err(reason) = until("both have the same text", is_alike).await {
        let [first, second] = texts().await?;
        return Err(reason.context(format!("Asha has\n{first}\nBo has\n{second}")));
    }
    Ok(())
}

fn n_files(root: &std::path::Path) -> Result<usize> {
    let mut n = 0;
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        if entry.file_name() == ".codesync" {
            continue;
        }
        n += if entry.file_type()?.is_dir() { n_files(&entry.path())? } else { 1 };
    }
    Ok(n)
}

/// Counts the changes of the text from now on, and those after which something is missing.
const WATCH: &str = "
    const words = [...arguments];
    const model = window.__cs.workbench.editors.activePane.editor.getModel();
    window.__watched = [0, 0];
    model.onDidChangeContent(() => {
      window.__watched[0] += 1;
      if (!words.every((word) => model.getValue().includes(word))) window.__watched[1] += 1;
    });";

/// The moment that is looked at and its text; null in the present.
const SHOWN_MOMENT: &str = "
    const past = document.querySelector('[data-testid=past-view]');
    const editors = window.__cs.workbench.editors.monaco.editor.getEditors();
    const editor = past && editors.find((one) => past.contains(one.getDomNode()));
    if (!editor || past.dataset.index === undefined) return null;
    return [Number(past.dataset.index), editor.getModel().getValue()];";

impl Person {
    /// What has the keyboard.
    async fn focus(&self) -> Result<String> {
        let focus = self.app().script("return document.activeElement?.dataset.testid ?? ''").await?;
        Ok(focus.as_str().unwrap_or_default().to_owned())
    }

    /// The file that is shown, and its first line on the screen.
    async fn view(&self) -> Result<Value> {
        let script = "const { activePane, activePath } = window.__cs.workbench.editors;
            return [activePath, activePane.editor?.getVisibleRanges()[0]?.startLineNumber];";
        self.app().script(script).await
    }

    /// Number of the line that has this in it.
    async fn line_of(&self, part: &str) -> Result<u32> {
        let text = self.model_text().await?;
        let line = text.lines().position(|line| line.contains(part));
        Ok(line.with_context(|| format!("{part:?} is not in {text}"))? as u32 + 1)
    }

    async fn put_caret_after(&self, part: &str) -> Result<()> {
        let line = self.line_of(part).await?;
        let text = self.model_text().await?;
        let length = text.lines().nth(line as usize - 1).unwrap_or_default().encode_utf16().count();
        self.put_caret(line, length as u32 + 1).await
    }

    async fn select_lines(&self, n: u32) -> Result<()> {
        self.app().shift(presses(Key::Down, n)).await
    }

    /// Moments of the timeline at hand.
    async fn n_moments(&self) -> Result<u64> {
        let n = self.app().find("tl-track").await?.attr("aria-valuemax").await?;
        Ok(n.context("the strip has no end")?.parse()?)
    }

    async fn until_marked(&self, name: &str) -> Result<()> {
        let script = "return [...document.querySelectorAll('[data-testid=tl-mark]')].map((mark) => mark.ariaLabel)";
        let names =
            async || Ok::<Vec<String>, anyhow::Error>(serde_json::from_value(self.app().script(script).await?)?);
        let is_there = async || Ok(names().await?.iter().any(|one| one.starts_with(name)));
        if let Err(reason) = until("the moment is marked", is_there).await {
            return Err(reason.context(format!("{}'s strip has {:?}", self.name, names().await?)));
        }
        Ok(())
    }

    /// State and words of the other one's avatar.
    async fn avatar_of_other(&self) -> Result<(String, String)> {
        let script = "const { device } = window.__cs.workbench.people.others[0];
            const { dataset, title } = document.querySelector(`[data-testid=avatar][data-device='${device}']`);
            return [dataset.state, title];";
        Ok(serde_json::from_value(self.app().script(script).await?)?)
    }

    /// Moves the handle to a part of the strip by the mouse. Gives the moments that were shown on the way, with their texts.
    async fn drag_back(&self, to: f64) -> Result<Vec<(u64, String)>> {
        const MOVES: i64 = 40;
        let (handle, track) = (self.app().find("tl-handle").await?, self.app().find("tl-track").await?.rect().await?);
        let from = handle.rect().await?;
        let (start, y) = ((from.x + from.width / 2.0) as i64, (from.y + from.height / 2.0) as i64);
        let far = (track.width * (1.0 - to)) as i64;
        let frame = Some(Duration::from_millis(16));
        let chain = self.app().web.action_chain_with_delay(None, frame).move_to(start, y).click_and_hold();
        let chain = (1..=MOVES).fold(chain, |chain, i| chain.move_to(start - far * i / MOVES, y));
        let note = format!(
            "const shown = () => {{ {SHOWN_MOMENT} }};
            window.__moments = [];
            const frame = () => {{
              const now = shown();
              if (now !== null && now[0] !== window.__moments.at(-1)?.[0]) window.__moments.push(now);
              requestAnimationFrame(frame);
            }};
            requestAnimationFrame(frame);"
        );
        self.app().script(&note).await?;
        chain.release().perform().await?;
        self.app().idle().await?;
        Ok(serde_json::from_value(self.app().script("return window.__moments").await?)?)
    }

    async fn shown_moment(&self) -> Result<(u64, String)> {
        let shown = self.app().script(SHOWN_MOMENT).await?;
        serde_json::from_value(shown).context("nothing of the past is shown")
    }

    /// Tabs, caret, and what is at the top of the text.
    async fn looks(&self) -> Result<Value> {
        let script = "const { editors } = window.__cs.workbench;
            const { editor } = editors.activePane;
            return editor && [
              editors.tabs.groups.map((group) => [group.tabs.map((tab) => tab.path), group.active?.path]),
              editor.getPosition(),
              editor.getVisibleRanges()[0]?.startLineNumber,
            ];";
        self.app().script(script).await
    }
}
