//! The timeline under the hand: dragging through a long past while others go on writing, every key of the
//! strip, and every kind of restore. What it shows is compared with texts that are computed here.

use crate::harness::{App, Home, scenario, until};
use anyhow::{Context, Result, anyhow, bail, ensure};
use codesync_api::{NamedMoment, Reply, Request, Scope, Splice};
use codesync_node::{Node, Options};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use thirtyfour::Key;

const SIZE: (u32, u32) = (1366, 768);
const EDITOR: &str = "editor-0";
const PAST: &str = "past-view";
/// Longer than two bursts may be apart.
const BETWEEN_BURSTS: Duration = Duration::from_millis(2_200);

// --- T-TL-DRAG

const STEPS: usize = 10_000;
const EDITS_AT_ONCE: usize = 1_000;
/// Moves of the hand from one end to the other, one a frame.
const MOVES: i64 = 90;
/// As fast as a person types.
const BETWEEN_LIVE_EDITS: Duration = Duration::from_millis(100);
/// On a machine that does nothing else it is 50 ms; `CODESYNC_TL_TRACE` holds it to that.
const FRAME_MS_MAX: f64 = 400.0;

#[test]
fn the_text_follows_the_hand_through_a_long_past_while_others_write() {
    scenario(SIZE, async |home, screen| {
        home.write("paper.txt", "")?;
        let app = App::start(home, screen, &[&home.project()]).await?;
        let trace = trace()?;
        let peer = peer(home)?;
        for edits in trace.chunks(EDITS_AT_ONCE) {
            peer.call(Request::EditFile { path: "paper.txt".into(), edits: edits.to_vec() })?;
        }
        app.open_from_tree("paper.txt").await?;
        app.until_shown(EDITOR, true).await?;
        // Whose timeline it is follows the focus.
        app.click_editor().await?;
        app.idle().await?;
        until_moments(&app, trace.len() as u64).await?;
        app.script(SAMPLER).await?;
        let stop = Arc::new(AtomicBool::new(false));
        let writer = std::thread::spawn({
            let (peer, stop) = (peer.clone(), Arc::clone(&stop));
            move || write_on(&peer, &stop)
        });
        let dragged = drag_through(&app).await;
        stop.store(true, Ordering::Relaxed);
        let n_live = writer.join().map_err(|_| anyhow!("the writer beside the window broke down"))??;
        dragged?;
        ensure!(n_live > 10, "only {n_live} edits were made meanwhile");
        let seen: Seen = serde_json::from_value(app.script("return window.__drag.end()").await?)?;
        judge(&seen, &trace)?;
        app.keys(Key::Escape).await?;
        app.until_shown("past-banner", false).await?;
        let present = format!("{}{}", "x".repeat(n_live), text_after(&trace));
        until("the present has all that was written meanwhile", async || Ok(live_text(&app).await? == present)).await?;
        until("so has the folder", async || Ok(home.read("paper.txt")? == present)).await?;
        app.quit().await
    });
}

/// What the page noted frame by frame.
#[derive(serde::Deserialize)]
struct Seen {
    /// Milliseconds since the frame before.
    frames: Vec<f64>,
    /// How far the text was behind the handle, in pixels of the strip.
    behind: Vec<f64>,
    /// Moment and hash of the whole text that stood in the editor.
    samples: Vec<(usize, u32)>,
    /// What was said where no text could be shown.
    gaps: Vec<String>,
}

/// In every frame: how long it took, where the handle is, which moment the text is of; now and then the text.
const SAMPLER: &str = "
    const track = document.querySelector('[data-testid=tl-track]');
    const seen = { frames: [], behind: [], samples: [], gaps: [] };
    const hash = (text) => {
      let sum = 0x811c9dc5;
      for (let i = 0; i < text.length; i += 1) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
      return sum >>> 0;
    };
    let isOn = true, last = performance.now(), n = 0;
    const frame = (now) => {
      const past = document.querySelector('[data-testid=past-view]');
      const shown = past?.dataset.index;
      if (shown !== undefined) {
        seen.frames.push(now - last);
        const gap = document.querySelector('[data-testid=past-nothing]');
        if (gap) seen.gaps.push(`${shown}: ${gap.textContent.trim()}`);
        const far = Math.abs(Number(track.getAttribute('aria-valuenow')) - Number(shown));
        seen.behind.push(far / Number(track.getAttribute('aria-valuemax')) * track.clientWidth);
        const editors = window.__cs.workbench.editors.monaco.editor.getEditors();
        const editor = editors.find((one) => past.contains(one.getDomNode()));
        if ((n += 1) % 4 === 0 && editor) seen.samples.push([Number(shown), hash(editor.getModel().getValue())]);
      }
      last = now;
      if (isOn) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    window.__drag = { end: () => { isOn = false; return seen; } };";

/// From now to the beginning and back to two thirds, by the handle.
async fn drag_through(app: &App) -> Result<()> {
    let (handle, track) = (app.find("tl-handle").await?, app.find("tl-track").await?.rect().await?);
    let from = handle.rect().await?;
    let (start, y) = ((from.x + from.width / 2.0) as i64, (from.y + from.height / 2.0) as i64);
    let far = track.width as i64;
    let out = (1..=MOVES).map(|i| start - far * i / MOVES);
    let back = (1..=MOVES).map(|i| start - far + far * 2 / 3 * i / MOVES);
    let frame = Some(Duration::from_millis(16));
    let chain = app.web.action_chain_with_delay(None, frame).move_to(start, y).click_and_hold();
    Ok(out.chain(back).fold(chain, |chain, x| chain.move_to(x, y)).perform().await?)
}

fn write_on(peer: &Node, stop: &AtomicBool) -> Result<usize> {
    let mut n = 0;
    while !stop.load(Ordering::Relaxed) {
        let edits = vec![Splice(0, 0, "x".into())];
        peer.call(Request::EditFile { path: "paper.txt".into(), edits })?;
        n += 1;
        std::thread::sleep(BETWEEN_LIVE_EDITS);
    }
    Ok(n)
}

fn judge(seen: &Seen, trace: &[Splice]) -> Result<()> {
    let (frame_ms, behind_px) = (percentile(&seen.frames, 95), percentile(&seen.behind, 95));
    let mut wanted: BTreeMap<usize, u32> = seen.samples.iter().map(|(index, _)| (*index, 0)).collect();
    println!(
        "{} frames, p95 {frame_ms:.0} ms; the text {behind_px:.0} px behind the handle at p95; {} moments compared",
        seen.frames.len(),
        wanted.len()
    );
    let mut text: Vec<u16> = Vec::new();
    for n in 0..=trace.len() {
        if let Some(hash) = wanted.get_mut(&n) {
            *hash = hash_of(&text);
        }
        if let Some(edit) = trace.get(n) {
            apply(&mut text, edit);
        }
    }
    ensure!(seen.gaps.is_empty(), "in place of a text it said {:?}", seen.gaps);
    for (index, hash) in &seen.samples {
        ensure!(wanted[index] == *hash, "moment {index} was shown with another text");
    }
    ensure!(wanted.len() > 20, "only {} moments were shown on the way", wanted.len());
    let frame_ms_max = if std::env::var_os("CODESYNC_TL_TRACE").is_some() { 50.0 } else { FRAME_MS_MAX };
    ensure!(frame_ms <= frame_ms_max, "95 of 100 frames should take at most {frame_ms_max} ms; {frame_ms:.0} ms");
    Ok(())
}

fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() * percent / 100).copied().unwrap_or(f64::INFINITY)
}

fn hash_of(text: &[u16]) -> u32 {
    text.iter().fold(0x811c_9dc5, |sum: u32, unit| (sum ^ u32::from(*unit)).wrapping_mul(0x0100_0193))
}

fn apply(text: &mut Vec<u16>, Splice(position, deleted, inserted): &Splice) {
    let start = *position as usize;
    text.splice(start..start + *deleted as usize, inserted.encode_utf16());
}

fn text_after(trace: &[Splice]) -> String {
    let mut text = Vec::new();
    trace.iter().for_each(|edit| apply(&mut text, edit));
    String::from_utf16_lossy(&text)
}

/// A session as a person types it: words, corrections, jumps, pasted lines. Of `CODESYNC_TL_TRACE`, a file of
/// edits as `codesync edit` reads them, when that is given.
fn trace() -> Result<Vec<Splice>> {
    if let Some(file) = std::env::var_os("CODESYNC_TL_TRACE") {
        let text = std::fs::read_to_string(file)?;
        return text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect();
    }
    let mut seed = 7_u32;
    let mut below = |n: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % n
    };
    let words = "what was typed is kept and comes back from any moment of the past\n";
    let (mut caret, mut length) = (0_usize, 0_usize);
    let mut edits = Vec::with_capacity(STEPS);
    for n in 0..STEPS {
        let (position, deleted, inserted) = match below(100) {
            0 => (below(length + 1), 0, words),
            1 => (below(length + 1), 0, "\n"),
            2..12 if caret > 0 => (caret - 1, 1, ""),
            _ => (caret, 0, &words[n % words.len()..=n % words.len()]),
        };
        length = length + inserted.len() - deleted;
        caret = position + inserted.len();
        edits.push(Splice(position as u32, deleted as u32, inserted.into()));
    }
    Ok(edits)
}

// --- T-TL-KEYS

#[test]
fn every_key_of_the_strip_does_what_it_should() {
    scenario(SIZE, async |home, screen| {
        let lines = long_text();
        home.write("docs/notes.txt", &lines)?;
        let app = App::start(home, screen, &[&home.project()]).await?;
        app.expand_in_tree("docs").await?;
        app.open_from_tree("docs/notes.txt").await?;
        app.until_shown(EDITOR, true).await?;
        app.click_editor().await?;
        app.ctrl(Key::End).await?;
        for (n, words) in ["alpha ", "beta ", "gamma"].into_iter().enumerate() {
            if n > 0 {
                tokio::time::sleep(BETWEEN_BURSTS).await;
            }
            app.keys(words).await?;
        }
        until_moments(&app, 16).await?;
        let before = place(&app).await?;
        steps(&app).await.context("steps")?;
        keeps_the_keyboard(&app).await.context("keeps the keyboard")?;
        says_what_it_shows(&app).await.context("says what it shows")?;
        names(&app).await.context("names")?;
        zoom_diff_scope(&app).await.context("zoom diff scope")?;
        list(&app).await.context("list")?;
        app.keys(Key::Escape).await?;
        app.until_shown("past-banner", false).await?;
        let after = place(&app).await?;
        ensure!(before == after, "caret and scroll were {before} and came back as {after}");
        plays(&app).await.context("plays")?;
        app.quit().await
    });
}

fn long_text() -> String {
    (1..=200).map(|n| format!("line {n}\n")).collect()
}

async fn steps(app: &App) -> Result<()> {
    focus_strip(app).await?;
    app.keys(Key::Left).await?;
    until_at(app, 11).await?;
    app.keys(Key::Left).await?;
    until_at(app, 6).await?;
    app.shift(Key::Right).await?;
    until_at(app, 7).await?;
    app.shift(Key::Left).await?;
    until_at(app, 6).await?;
    app.keys(Key::Right).await?;
    until_at(app, 11).await?;
    app.keys(Key::Home).await?;
    until_at(app, 0).await?;
    app.keys(Key::Left).await?;
    until_says(app, "tl-notice", "This is the first moment we have of this file.").await?;
    app.keys(Key::PageDown).await?;
    app.keys(Key::PageDown).await?;
    until_at(app, 2).await?;
    app.keys(Key::PageUp).await?;
    until_at(app, 1).await?;
    app.keys(Key::End).await?;
    app.until_shown("past-banner", false).await
}

/// A screen reader hears time, how long ago, who, what, and which change of how many.
async fn says_what_it_shows(app: &App) -> Result<()> {
    focus_strip(app).await?;
    app.keys(Key::Left).await?;
    app.keys(Key::Left).await?;
    until_at(app, 6).await?;
    app.idle().await?;
    let track = app.find("tl-track").await?;
    ensure!(track.attr("role").await?.as_deref() == Some("slider"), "the strip is no slider");
    let said = track.attr("aria-valuetext").await?.unwrap_or_default();
    let parts: Vec<&str> = said.split(", ").collect();
    let [time, ago, author, what, which] = parts.as_slice() else { bail!("the strip says {said:?}") };
    ensure!(time.len() == 8 && time.chars().filter(|letter| *letter == ':').count() == 2, "{said:?} has no time");
    ensure!(*ago == "just now" || ago.ends_with(" ago"), "{said:?} does not say how long ago");
    ensure!(!author.is_empty(), "{said:?} does not say who");
    ensure!(*what == "added 1 character" && *which == "change 6 of 16", "{said:?} does not say what");
    Ok(())
}

/// M names, Ctrl with the arrows goes from name to name, F2 gives another name.
async fn names(app: &App) -> Result<()> {
    focus_strip(app).await?;
    app.keys("m").await?;
    app.find("tl-name").await?;
    app.keys("one word").await?;
    app.keys(Key::Enter).await?;
    until_says(app, "tl-mark", "★one word").await?;
    focus_strip(app).await?;
    app.keys(Key::Home).await?;
    until_at(app, 0).await?;
    app.ctrl(Key::Right).await?;
    until_at(app, 6).await?;
    app.keys(Key::Right).await?;
    until_at(app, 11).await?;
    app.ctrl(Key::Left).await?;
    until_at(app, 6).await?;
    app.script("document.querySelector('[data-testid=tl-mark]').focus()").await?;
    app.keys(Key::F2).await?;
    app.find("tl-name").await?;
    app.ctrl("a").await?;
    app.keys("the first word").await?;
    app.keys(Key::Enter).await?;
    until_says(app, "tl-mark", "★the first word").await
}

async fn zoom_diff_scope(app: &App) -> Result<()> {
    focus_strip(app).await?;
    let zoom = "return document.querySelector('[data-testid=tl-zoom]').value";
    let all = app.script(zoom).await?;
    app.keys("+").await?;
    until("the strip shows less", async || Ok(app.script(zoom).await? != all)).await?;
    app.keys("-").await?;
    until("the strip shows all again", async || Ok(app.script(zoom).await? == all)).await?;
    for mode in ["now", "previous", "off"] {
        app.keys("d").await?;
        let diff = format!("return document.querySelector('[data-testid=past-view]').dataset.diff === '{mode}'");
        until("D changes what is compared", async || Ok(app.script(&diff).await? == json!(true))).await?;
    }
    for scope in ["folder", "workspace", "file"] {
        app.keys("s").await?;
        let chosen = format!("return document.querySelector('[data-testid=tl-scope]').value === '{scope}'");
        until("S changes whose timeline it is", async || Ok(app.script(&chosen).await? == json!(true))).await?;
        app.idle().await?;
    }
    until_at(app, 6).await
}

/// The same moments as a list: what the strip shows by place, by arrow keys and in words.
async fn list(app: &App) -> Result<()> {
    app.click("tl-list-toggle").await?;
    let list = app.find("tl-list").await?;
    app.script("document.querySelector('[data-testid=tl-list]').focus()").await?;
    app.keys(Key::Home).await?;
    app.keys(Key::Down).await?;
    until_at(app, 11).await?;
    app.keys(Key::Down).await?;
    until_at(app, 6).await?;
    let chosen = list.attr("aria-activedescendant").await?.context("the list does not say which row is chosen")?;
    let row = app.find_by(&format!("[id='{chosen}']")).await?;
    ensure!(row.text().await?.contains("the first word"), "the named moment is not in the list");
    app.click("tl-list-toggle").await
}

/// Space plays from the moment shown until now.
async fn plays(app: &App) -> Result<()> {
    focus_strip(app).await?;
    app.keys(Key::Home).await?;
    until_at(app, 0).await?;
    app.keys(" ").await?;
    app.until_shown("past-banner", false).await
}

/// Caret and scroll of the live text.
async fn place(app: &App) -> Result<Value> {
    app.script(
        "const editor = window.__cs.workbench.editors.activeEditor;
         const { lineNumber, column } = editor.getPosition();
         return [lineNumber, column, editor.getScrollTop()];",
    )
    .await
}

// --- T-RESTORE-F, T-RESTORE-S, T-RESTORE-W

#[test]
fn a_file_and_a_selection_come_back_and_go_again() {
    scenario(SIZE, async |home, screen| {
        let (first, second) = ("one\ntwo\nthree\n", "uno\ntwo\nthree, and more\nfour\n");
        home.write("notes.txt", first)?;
        let app = App::start(home, screen, &[&home.project().join("notes.txt")]).await?;
        app.until_seen(EDITOR, first).await?;
        let peer = peer(home)?;
        let id = file_id(&peer, "notes.txt")?;
        let edits = [Splice(0, 3, "uno".into()), Splice(13, 0, ", and more".into()), Splice(24, 0, "four\n".into())];
        peer.call(Request::EditFile { path: "notes.txt".into(), edits: edits.to_vec() })?;
        app.until_seen(EDITOR, second).await?;
        until_moments(&app, 3).await?;
        // The whole file, by its key.
        app.click_editor().await?;
        focus_strip(&app).await?;
        app.keys(Key::Home).await?;
        app.until_seen(PAST, first).await?;
        app.keys("r").await?;
        until_present(&app, home, first).await?;
        ensure!(file_id(&peer, "notes.txt")? == id, "the restored file is another file");
        app.press_toast("Undo").await?;
        until_present(&app, home, second).await?;
        // A part of it, after the restore and its undo.
        for _ in 0..2 {
            restore_first_line(&app).await?;
            until_present(&app, home, "one\ntwo\nthree, and more\nfour\n").await?;
            app.press_toast("Undo").await?;
            until_present(&app, home, second).await?;
        }
        ensure!(named(&peer)?.iter().any(|moment| moment.automatic), "no ◇ keeps the present before a restore");
        app.quit().await
    });
}

async fn restore_first_line(app: &App) -> Result<()> {
    focus_strip(app).await?;
    app.keys(Key::Home).await?;
    app.until_seen(PAST, "one\ntwo\nthree\n").await?;
    if !app.is_shown("tl-restore-selection").await? {
        app.click("tl-toggle").await?;
    }
    let text = app.find_by("[data-testid=past-view] .view-line").await?;
    app.web.action_chain().click_element(&text).perform().await?;
    app.ctrl(Key::Home).await?;
    app.shift(Key::End).await?;
    app.click("tl-restore-selection").await?;
    app.until_shown("past-banner", false).await
}

#[test]
fn a_workspace_comes_back_whole_and_goes_again() {
    scenario(SIZE, async |home, screen| {
        let then = [("gone.txt", "deleted later\n"), ("old.txt", "renamed later\n"), ("src/a.txt", "changed later\n")];
        for (name, text) in then {
            home.write(name, text)?;
        }
        let app = App::start(home, screen, &[&home.project()]).await?;
        app.open_from_tree("old.txt").await?;
        app.until_seen(EDITOR, "renamed later\n").await?;
        let peer = peer(home)?;
        let old = file_id(&peer, "old.txt")?;
        peer.call(Request::NameMoment { name: "all there".into(), note: None, at: None })?;
        peer.call(Request::Delete { path: "gone.txt".into() })?;
        peer.call(Request::Rename { from: "old.txt".into(), to: "new.txt".into() })?;
        peer.call(Request::EditFile { path: "src/a.txt".into(), edits: vec![Splice(0, 7, "is other".into())] })?;
        peer.call(Request::EditFile { path: "src/made.txt".into(), edits: vec![Splice(0, 0, "made since".into())] })?;
        peer.call(Request::Flush)?;
        let present = folder(home)?;
        ensure!(
            present.len() == 3 && !present.contains_key("gone.txt"),
            "the folder is not as it was made: {present:?}"
        );

        app.click("tl-toggle").await?;
        app.script(
            "document.querySelector('[data-testid=tl-scope]').value = 'workspace';
            document.querySelector('[data-testid=tl-scope]').dispatchEvent(new Event('change', { bubbles: true }))",
        )
        .await?;
        app.idle().await?;
        app.click("tl-mark").await?;
        app.until_shown("past-banner", true).await?;
        app.idle().await?;
        app.click("tl-restore-workspace").await?;
        let counts = "2 files change back · 1 deleted file returns · 1 file made since then goes away";
        until_says(&app, "tl-restore-counts", counts).await?;
        let focused = "return document.activeElement.dataset.testid === 'tl-restore-cancel'";
        ensure!(app.script(focused).await? == json!(true), "Enter would restore the workspace at once");
        app.click("tl-restore-yes").await?;
        let wanted: BTreeMap<String, String> = then.map(|(name, text)| (name.into(), text.into())).into();
        until("the folder is as it was then", async || Ok(folder(home)? == wanted)).await?;
        ensure!(file_id(&peer, "old.txt")? == old, "the file that was renamed back is another file");
        let is_kept = named(&peer)?.iter().any(|moment| moment.automatic && moment.name.starts_with("Before restore"));
        ensure!(is_kept, "no ◇ keeps the present");
        app.press_toast("Undo").await?;
        until("the folder is as it was before the restore", async || Ok(folder(home)? == present)).await?;
        ensure!(file_id(&peer, "new.txt")? == old, "the file that got its new name again is another file");
        app.quit().await
    });
}

async fn until_present(app: &App, home: &Home, text: &str) -> Result<()> {
    app.until_shown("past-banner", false).await?;
    until("the editor has the text", async || Ok(live_text(app).await? == text)).await?;
    until("the folder has the text", async || Ok(home.read("notes.txt")? == text)).await
}

// --- what they share

/// Another process of the same person beside the window, as `codesync` on the command line is one.
fn peer(home: &Home) -> Result<Node> {
    let node = Node::open(&home.project(), Options { person: None, watch: false, create: false })?;
    ensure!(!node.is_owner(), "the window does not have its workspace");
    Ok(node)
}

fn file_id(peer: &Node, path: &str) -> Result<String> {
    let Reply::View(view) = peer.call(Request::OpenView { path: path.into() })? else { bail!("no view of {path}") };
    peer.call(Request::CloseView { view_id: view.view_id })?;
    view.file_id.with_context(|| format!("{path} has no id"))
}

fn named(peer: &Node) -> Result<Vec<NamedMoment>> {
    match peer.call(Request::Moments { scope: Scope::Workspace })? {
        Reply::Moments { moments } => Ok(moments),
        other => bail!("{other:?}"),
    }
}

/// The files of the project and their texts, without CodeSync's own folder.
fn folder(home: &Home) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![home.project()];
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(at)? {
            let path = entry?.path();
            let name = path.strip_prefix(home.project())?.to_string_lossy().into_owned();
            if path.is_dir() {
                folders.extend((name != ".codesync").then_some(path));
            } else {
                files.insert(name.clone(), home.read(&name)?);
            }
        }
    }
    Ok(files)
}

async fn live_text(app: &App) -> Result<String> {
    let text = app.script("return window.__cs.workbench.editors.activeEditor?.getModel()?.getValue() ?? ''").await?;
    Ok(text.as_str().unwrap_or_default().to_owned())
}

async fn focus_strip(app: &App) -> Result<()> {
    app.script("document.querySelector('[data-testid=tl-track]').focus()").await.map(drop)
}

/// In the past no way to the editor leads under it: what is typed there would change the present unseen.
async fn keeps_the_keyboard(app: &App) -> Result<()> {
    let text = live_text(app).await?;
    focus_strip(app).await?;
    app.keys(Key::Left).await?;
    until_at(app, 11).await?;
    app.ctrl("1").await?;
    app.keys("unseen").await?;
    ensure!(live_text(app).await? == text, "what was typed in the past is in the present");
    app.keys(Key::Escape).await?;
    app.until_shown("past-banner", false).await?;
    let focus = "return document.activeElement.closest('[data-testid=editor-0]') !== null";
    until("the editor has the keyboard again", async || Ok(app.script(focus).await? == json!(true))).await
}

/// Waits until an element says this, cut off by its width or not.
async fn until_says(app: &App, id: &str, words: &str) -> Result<()> {
    let text = format!("return document.querySelector('[data-testid={id}]')?.textContent ?? ''");
    let said = async || -> Result<String> {
        let text = app.script(&text).await?;
        Ok(text.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "))
    };
    if until("it says so", async || Ok(said().await? == words)).await.is_err() {
        bail!("{id} should say {words:?} and says {:?}", said().await?);
    }
    Ok(())
}

/// Waits until the timeline at hand has so many moments.
async fn until_moments(app: &App, n: u64) -> Result<()> {
    until_number(app, "aria-valuemax", n).await
}

/// Waits until handle and text are at a moment.
async fn until_at(app: &App, index: u64) -> Result<()> {
    until_number(app, "aria-valuenow", index).await?;
    let shown = "return document.querySelector('[data-testid=past-view]')?.dataset.index";
    until("the text is of that moment", async || Ok(app.script(shown).await? == json!(index.to_string()))).await
}

async fn until_number(app: &App, name: &str, n: u64) -> Result<()> {
    let track = app.find("tl-track").await?;
    let result = until("the strip says so", async || Ok(track.attr(name).await? == Some(n.to_string()))).await;
    if result.is_err() {
        bail!("{name} of the strip should be {n} and is {:?}", track.attr(name).await?);
    }
    Ok(())
}
