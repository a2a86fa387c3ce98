//! Two people at work in one workspace, in two real windows: typing at one line, undo, carets, following, and coming
//! together after work apart. The promises are T-TYPE2, T-UNDO, T-CURSOR, T-FOLLOW and T-OFFLINE of `UX.md` §6.2.

use super::harness::until;
use super::steps::{has_exact_bounds, is_long};
use super::{Person, asha_and_bo, join_with, share, until_live};
use anyhow::{Context, Result, ensure};
use codesync_lan::Lan;
use serde_json::{Value, json};
use std::time::Duration;
use thirtyfour::Key;

/// Letters that each types at one line; lower case is Asha's, upper case Bo's.
const N_LETTERS: usize = 200;
const BETWEEN_KEYS: Duration = Duration::from_millis(20);
/// So often the line may change from one's letters to the other's: only the first ones of both may meet on their way.
const TURNS_MAX: usize = 8;
/// For 95 of 100 letters, on a machine that does nothing else.
const ECHO_MS_MAX: f64 = 50.0;
/// Far above what anybody should wait.
const ECHO_MS_MAX_LOOSENED: f64 = 2_000.0;

/// Notes when which letter came into the text, whoever typed it.
pub const NOTE_LETTERS: &str = "
    const model = window.__cs.workbench.editors.activePane.editor.getModel();
    window.__letters = [];
    model.onDidChangeContent((event) => {
      const at_ms = performance.timeOrigin + performance.now();
      for (const change of event.changes) for (const letter of change.text) window.__letters.push([letter, at_ms]);
    });";

pub async fn working_together(lan: &Lan) -> Result<()> {
    let (asha, bo) = asha_and_bo(lan).await?;
    let code = share(&asha).await?;
    join_with(&bo, &code).await?;
    until_live([&asha, &bo]).await?;
    put_invitation_away(&asha).await?;
    for person in [&asha, &bo] {
        person.command("follow.stop", Value::Null).await.ok();
    }
    type_at_one_line(&asha, &bo).await.context("T-TYPE2")?;
    undo_only_ones_own(&asha, &bo).await.context("T-UNDO")?;
    carets(&asha, &bo).await.context("T-CURSOR")?;
    follow(&asha, &bo).await.context("T-FOLLOW")?;
    leave(&asha, &bo).await.context("leaving")
}

/// It may have gone by itself with its use.
pub(super) async fn put_invitation_away(asha: &Person) -> Result<()> {
    if asha.app().is_shown("invite-done").await? {
        asha.app().click("invite-done").await?;
    }
    asha.command("view.explorer", Value::Null).await
}

/// T-TYPE2
async fn type_at_one_line(asha: &Person, bo: &Person) -> Result<()> {
    let n_rounds = if has_exact_bounds() { 3 } else { 1 };
    for n in 1..=n_rounds {
        let path = format!("typing-{n}.rs");
        open_new_file(asha, bo, &path, "// before\n").await?;
        for person in [asha, bo] {
            person.put_caret(1, 1).await?;
            person.app().script(NOTE_LETTERS).await?;
        }
        let letters = |from: u8| (0..N_LETTERS).map(|n| char::from(from + (n % 26) as u8)).collect::<String>();
        let (lower, upper) = (letters(b'a'), letters(b'A'));
        let before = asha.model_text().await?;
        tokio::try_join!(asha.type_slowly(&lower), bo.type_slowly(&upper))?;
        let n_whole = before.chars().count() + 2 * N_LETTERS;
        for person in [asha, bo] {
            let has_all = async || Ok(person.model_text().await?.chars().count() >= n_whole);
            until("all letters are there", has_all).await.with_context(|| person.name)?;
        }
        let texts = [asha.model_text().await?, bo.model_text().await?];
        ensure!(texts[0] == texts[1], "the texts differ:\n{}\n{}", texts[0], texts[1]);
        let line = texts[0].lines().next().unwrap_or_default();
        let first = |is_own: fn(&char) -> bool| line.chars().filter(is_own).take(N_LETTERS).collect::<String>();
        ensure!(first(char::is_ascii_uppercase) == upper, "Bo's letters are not in their order: {line}");
        ensure!(first(char::is_ascii_lowercase) == lower, "Asha's letters are not in their order: {line}");
        let turns: Vec<bool> = line.chars().take(2 * N_LETTERS).map(|letter| letter.is_ascii_uppercase()).collect();
        let n_turns = turns.windows(2).filter(|two| two[0] != two[1]).count();
        ensure!(n_turns <= TURNS_MAX, "the two tore each other's words apart: {line}");
        for (typist, reader, is_own) in
            [(asha, bo, char::is_ascii_lowercase as fn(&char) -> bool), (bo, asha, char::is_ascii_uppercase)]
        {
            let echo = echo(typist, reader, is_own, N_LETTERS).await?;
            let most_ms_max = if has_exact_bounds() { ECHO_MS_MAX } else { ECHO_MS_MAX_LOOSENED };
            ensure!(echo.most_ms < most_ms_max, "letters of {}'s are late: {:.0} ms", typist.name, echo.most_ms);
        }
    }
    Ok(())
}

/// How long letters took from one text to the other, in milliseconds.
pub struct Echo {
    /// For 95 of 100.
    pub most_ms: f64,
}

/// Of all letters noted since [`NOTE_LETTERS`] that are the typist's: from the text where they were typed to the other's.
pub async fn echo(typist: &Person, reader: &Person, is_own: fn(&char) -> bool, n_letters: usize) -> Result<Echo> {
    let times = async |person: &Person| -> Result<Vec<f64>> {
        let letters: Vec<(char, f64)> = person.letters().await?;
        Ok(letters.into_iter().filter(|(letter, _)| is_own(letter)).map(|one| one.1).collect())
    };
    let (typed, seen) = (times(typist).await?, times(reader).await?);
    ensure!(typed.len() == n_letters && seen.len() == n_letters, "{} letters, {} were seen", typed.len(), seen.len());
    let mut waits: Vec<f64> = typed.iter().zip(&seen).map(|(typed, seen)| seen - typed).collect();
    waits.sort_by(f64::total_cmp);
    let (half_ms, most_ms) = (waits[n_letters / 2], waits[n_letters * 95 / 100]);
    println!(
        "  letters of {}'s at {}'s: half of them after {half_ms:.0} ms, 95 of 100 after {most_ms:.0} ms, all after {:.0} ms",
        typist.name,
        reader.name,
        waits[n_letters - 1]
    );
    Ok(Echo { most_ms })
}

/// A file that both have open.
pub async fn open_new_file(asha: &Person, bo: &Person, path: &str, text: &str) -> Result<()> {
    asha.make_file(path, text).await?;
    for person in [asha, bo] {
        until("the file is there", async || Ok(person.root().await?.join(path).exists())).await?;
        person.open(path).await?;
        until("the text is there", async || Ok(person.model_text().await? == text)).await?;
    }
    Ok(())
}

/// T-UNDO
async fn undo_only_ones_own(asha: &Person, bo: &Person) -> Result<()> {
    for person in [asha, bo] {
        person.open("src/main.rs").await?;
    }
    let before = asha.model_text().await?;
    let both = async |text: &str| -> Result<()> {
        for person in [asha, bo] {
            let is_so = async || Ok(person.model_text().await? == text);
            until("both have the text", is_so)
                .await
                .with_context(|| format!("{}, who should have {text:?}", person.name))?;
        }
        Ok(())
    };
    asha.put_caret(1, 1).await?;
    asha.app().keys("aaa").await?;
    both(&format!("aaa{before}")).await?;
    bo.put_caret(1, 3).await?;
    bo.app().keys("bbb").await?;
    both(&format!("aabbba{before}")).await?;
    asha.app().ctrl("z").await?;
    both(&format!("bbb{before}")).await?;
    bo.app().ctrl("z").await?;
    both(&before).await?;
    asha.app().ctrl("y").await?;
    both(&format!("aaa{before}")).await?;
    asha.app().ctrl("z").await?;
    both(&before).await
}

/// T-CURSOR
async fn carets(asha: &Person, bo: &Person) -> Result<()> {
    let lines: String = (1..=80).map(|n| format!("{n}{}\n", " word".repeat(if n == 20 { 200 } else { 12 }))).collect();
    open_new_file(asha, bo, "long.md", &lines).await?;
    asha.command("view.wordWrap", Value::Null).await?;
    let mut n_flags = 0;
    for (own, theirs, column) in [
        (10, 11, 1),
        (10, 10, 30),
        (10, 9, 5),
        (5, 1, 1),
        (18, 20, 200),
        (20, 20, 700),
        (19, 20, 200),
        (25, 20, 900),
        (1, 1, 1),
    ] {
        asha.put_caret(own, 1).await?;
        bo.put_caret(theirs, column).await?;
        until("Bo's caret is there", async || Ok(asha.sees_caret_at(theirs, column).await?))
            .await
            .with_context(|| format!("{theirs}:{column}"))?;
        asha.app().idle().await?;
        let covers = asha.app().script(FLAG_COVERS).await?;
        ensure!(covers == json!(false), "with the caret at line {own}, the name at {theirs}:{column} lies over it");
        n_flags += usize::from(asha.app().script(FLAG_SHOWN).await? == json!(true));
    }
    ensure!(n_flags >= 2, "the name was to be seen {n_flags} times");
    asha.app().script("document.querySelector('.remote-flag').dataset.mark = 'first'").await?;
    asha.put_caret(40, 1).await?;
    bo.put_caret(30, 3).await?;
    until("the name is shown", async || Ok(asha.app().script(FLAG_SHOWN).await? == json!(true))).await?;
    until("the name goes again", async || Ok(asha.app().script(FLAG_SHOWN).await? == json!(false))).await?;
    bo.put_caret(31, 3).await?;
    until("the name is shown again", async || Ok(asha.app().script(FLAG_SHOWN).await? == json!(true))).await?;
    let same = asha.app().script("return document.querySelectorAll('.remote-flag').length === 1 && document.querySelector('.remote-flag').dataset.mark === 'first'").await?;
    ensure!(same == json!(true), "the name is another element than before");
    asha.picture("carets").await?;
    // What others put in above leaves what is looked at where it is.
    asha.app().script("window.__cs.workbench.editors.activePane.editor.setScrollTop(600)").await?;
    asha.app().idle().await?;
    let first = asha.first_line().await?;
    bo.put_caret(1, 1).await?;
    bo.app().keys(Key::Enter + "").await?;
    bo.app().keys(Key::Enter + "").await?;
    until("the lines came", async || Ok(asha.model_text().await?.starts_with("\n\n"))).await?;
    ensure!(asha.first_line().await? == first, "the text moved from {first:?} to {:?}", asha.first_line().await?);
    asha.app().until_shown("remote-edge", true).await?;
    asha.app().click("remote-edge").await?;
    until("the chip leads to Bo", async || Ok(asha.first_line().await?.is_empty())).await?;
    asha.command("view.wordWrap", Value::Null).await
}

/// T-FOLLOW
async fn follow(asha: &Person, bo: &Person) -> Result<()> {
    asha.open("long.md").await?;
    bo.open("README.md").await?;
    bo.command("follow.toggle", Value::Null).await?;
    bo.app().until_shown("follow-pill", true).await?;
    let path = async |person: &Person| person.app().script("return window.__cs.workbench.editors.activePath").await;
    until("Bo sees Asha's file", async || Ok(path(bo).await? == json!("long.md"))).await?;
    asha.app().script("window.__cs.workbench.editors.activePane.editor.revealLineNearTop(50)").await?;
    until("Bo sees Asha's lines", async || Ok(bo.first_line().await? == asha.first_line().await?)).await?;
    bo.picture("follow").await?;
    bo.app()
        .script("window.dispatchEvent(new FocusEvent('blur')); window.dispatchEvent(new FocusEvent('focus'))")
        .await?;
    ensure!(bo.app().is_shown("follow-pill").await?, "the window's focus ended the following");
    bo.app().keys(Key::Down + "").await?;
    bo.app().until_shown("follow-pill", false).await?;
    asha.open("README.md").await?;
    asha.app().idle().await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    ensure!(path(bo).await? == json!("long.md"), "Bo was led on after a key");
    // Esc ends it as well, and so does opening a file.
    bo.command("follow.toggle", Value::Null).await?;
    until("Bo sees Asha's file again", async || Ok(path(bo).await? == json!("README.md"))).await?;
    bo.app().keys(Key::Escape + "").await?;
    bo.app().until_shown("follow-pill", false).await?;
    bo.command("follow.toggle", Value::Null).await?;
    bo.app().until_shown("follow-pill", true).await?;
    bo.open("src/main.rs").await?;
    bo.app().until_shown("follow-pill", false).await?;
    // Nobody is moved who does not want to.
    asha.command("follow.bring", Value::Null).await?;
    bo.until_told("Asha asks everyone to come to README.md:").await?;
    bo.app().press_toast("Go there").await?;
    until("Bo is there", async || Ok(path(bo).await? == json!("README.md"))).await
}

/// MSG-PEER-3
async fn leave(asha: &Person, bo: &Person) -> Result<()> {
    bo.command("follow.toggle", Value::Null).await?;
    bo.app().until_shown("follow-pill", true).await?;
    asha.command("people.leave", Value::Null).await?;
    asha.app().click("people-yes").await?;
    bo.until_told("You were following Asha, who left.").await?;
    bo.until_in_activity("Asha left").await?;
    let title = async || {
        bo.app().script("return document.querySelector('[data-testid=avatar][data-state=offline]')?.title").await
    };
    let seen = title().await?;
    ensure!(seen.as_str().is_some_and(|title| title.starts_with("Asha, left ")), "Asha is shown as {seen}");
    bo.picture("left").await?;
    asha.command("people.takePart", Value::Null).await?;
    until_live([asha, bo]).await?;
    until("Asha is here again", async || Ok(title().await?.is_null())).await
}

/// T-OFFLINE. Work apart is told of after a minute, so this takes longer than anybody waits for by the way.
pub async fn working_apart(lan: &Lan) -> Result<()> {
    if !is_long() {
        println!("  left out: it takes more than a minute; CODESYNC_LONG=1 runs it");
        return Ok(());
    }
    let (asha, bo) = asha_and_bo(lan).await?;
    let code = share(&asha).await?;
    join_with(&bo, &code).await?;
    until_live([&asha, &bo]).await?;
    put_invitation_away(&asha).await?;
    asha.make_file("apart.md", "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n").await?;
    until_live([&asha, &bo]).await?;
    for (person, mark) in [(&asha, "a"), (&bo, "b")] {
        person.command("follow.stop", Value::Null).await.ok();
        until("the file is there", async || Ok(person.root().await?.join("apart.md").exists())).await?;
        person.open("apart.md").await?;
        // So many edits are too many for the keys: the window does its work by itself.
        person.app().web.execute(WORK_APART, vec![json!(mark)]).await?;
    }
    for person in [&asha, &bo] {
        person.host.unplug()?;
    }
    tokio::time::sleep(Duration::from_secs(75)).await;
    for person in [&asha, &bo] {
        person.host.plug_in()?;
    }
    for person in [&asha, &bo] {
        person.until_told("Back together with").await?;
        person.until_told("2 places were edited by both of you.").await?;
    }
    until("both have one text", async || Ok(asha.model_text().await? == bo.model_text().await?)).await?;
    let text = asha.model_text().await?;
    for mark in ["a", "b"] {
        let n = text.matches(&format!("line of {mark}")).count();
        ensure!(n == 500, "{n} of the 500 lines of {mark} are there");
    }
    asha.picture("merged").await?;
    asha.app().press_toast("Review").await?;
    asha.app().until_shown("merge-review", true).await?;
    let n_places = asha.app().script("return document.querySelectorAll('[data-testid=merge-place]').length").await?;
    ensure!(n_places == json!(2), "{n_places} places are to be reviewed");
    asha.picture("review").await?;
    asha.app().click("merge-mine").await?;
    asha.app().click("merge-right").await?;
    // Each side's version is kept, and comes back whole.
    for (whose, mark, other) in [("theirs", "b", "a"), ("ours", "a", "b")] {
        asha.app().click(&format!("merge-before-{whose}")).await?;
        asha.app().until_shown("merge-before", true).await?;
        asha.picture("before").await?;
        asha.app().click("merge-restore").await?;
        let is_back = async || {
            let text = std::fs::read_to_string(bo.root().await?.join("apart.md"))?;
            let (own, others) =
                (text.matches(&format!("line of {mark}")).count(), text.matches(&format!("line of {other}")).count());
            Ok(text.starts_with(&format!("first by {mark}\n")) && (own, others) == (500, 0))
        };
        until(&format!("{mark}'s version is back on both sides"), is_back).await?;
    }
    Ok(())
}

/// Two lines that the other changes, too, and 500 new ones: at the end for one, in the middle for the other.
const WORK_APART: &str = "
    const [mark] = arguments;
    const model = window.__cs.workbench.editors.activePane.editor.getModel();
    const replace = (line, text) => model.applyEdits([{ range: { startLineNumber: line, startColumn: 1, endLineNumber: line, endColumn: model.getLineMaxColumn(line) }, text }]);
    setTimeout(() => {
      replace(1, `first by ${mark}`);
      replace(3, `third by ${mark}`);
      let n = 0;
      const timer = setInterval(() => {
        const at = mark === 'a' ? 5 : model.getLineCount();
        model.applyEdits([{ range: { startLineNumber: at, startColumn: 1, endLineNumber: at, endColumn: 1 }, text: `line of ${mark}\\n` }]);
        n += 1;
        if (n === 500) clearInterval(timer);
      }, 20);
    }, 5000);";

pub const FLAG_SHOWN: &str = "
    const flag = document.querySelector('.remote-flag');
    return flag !== null && flag.dataset.state === 'shown' && flag.getClientRects().length > 0 && getComputedStyle(flag).visibility === 'visible';";

/// Whether the name that is shown lies over the line that is typed in.
const FLAG_COVERS: &str = "
    const editor = window.__cs.workbench.editors.activePane.editor;
    const flag = document.querySelector('.remote-flag');
    const own = editor.getPosition();
    const place = editor.getScrolledVisiblePosition(own);
    if (flag === null || place === null || flag.getClientRects().length === 0 || getComputedStyle(flag).visibility !== 'visible') return false;
    const top = editor.getDomNode().getBoundingClientRect().top + place.top;
    const box = flag.getBoundingClientRect();
    return box.bottom > top + 1 && box.top < top + place.height - 1;";

impl Person {
    pub(super) async fn open(&self, path: &str) -> Result<()> {
        self.app().web.execute("window.__cs.workbench.editors.open(arguments[0])", vec![json!(path)]).await?;
        let script = "const { editors } = window.__cs.workbench; return editors.activePane.file?.path === arguments[0] && editors.hasTextFocus";
        let is_open = async || Ok(self.app().web.execute(script, vec![json!(path)]).await?.json() == &json!(true));
        until(&format!("{path} is open at {}'s", self.name), is_open).await
    }

    pub(super) async fn make_file(&self, path: &str, text: &str) -> Result<()> {
        for request in [
            json!({ "cmd": "createFile", "args": { "path": path } }),
            json!({ "cmd": "editFile", "args": { "path": path, "edits": [[0, 0, text]] } }),
        ] {
            self.app().call(json!({ "to": "workspace", "request": request })).await?;
        }
        Ok(())
    }

    pub(super) async fn put_caret(&self, line: u32, column: u32) -> Result<()> {
        let script = "const { editor } = window.__cs.workbench.editors.activePane;
            editor.setPosition({ lineNumber: arguments[0], column: arguments[1] });
            editor.revealPositionInCenterIfOutsideViewport(editor.getPosition());
            editor.focus();";
        self.app().web.execute(script, vec![json!(line), json!(column)]).await?;
        Ok(())
    }

    pub(super) async fn model_text(&self) -> Result<String> {
        let text =
            self.app().script("return window.__cs.workbench.editors.activePane.editor.getModel().getValue()").await?;
        Ok(text.as_str().context("no text is shown")?.to_owned())
    }

    /// Text of the first line on the screen.
    pub(super) async fn first_line(&self) -> Result<String> {
        let script = "const { editor } = window.__cs.workbench.editors.activePane;
            return editor.getModel().getLineContent(editor.getVisibleRanges()[0].startLineNumber)";
        Ok(self.app().script(script).await?.as_str().unwrap_or_default().to_owned())
    }

    pub(super) async fn type_slowly(&self, text: &str) -> Result<()> {
        let letters: Vec<char> = text.chars().collect();
        // Not all at once: on a busy machine the driver would be given up before it has done.
        for some in letters.chunks(20) {
            let chain = self.app().web.action_chain_with_delay(Some(BETWEEN_KEYS), None);
            chain.send_keys(some.iter().collect::<String>()).perform().await?;
        }
        Ok(())
    }

    pub(super) async fn letters(&self) -> Result<Vec<(char, f64)>> {
        Ok(serde_json::from_value(self.app().script("return window.__letters").await?)?)
    }

    /// The other's caret is drawn at a place of the text.
    pub(super) async fn sees_caret_at(&self, line: u32, column: u32) -> Result<bool> {
        let script = "const { editor } = window.__cs.workbench.editors.activePane;
            const marks = editor.getModel().getAllDecorations().filter((one) => /remote-caret/.test(one.options.className ?? ''));
            return marks.some(({ range }) => range.startLineNumber === arguments[0] && range.startColumn === arguments[1]);";
        Ok(self.app().web.execute(script, vec![json!(line), json!(column)]).await?.json() == &json!(true))
    }
}
