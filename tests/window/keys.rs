//! Real keys of a real keyboard, as the X server gives them: input methods, selections, the clipboard, and every default
//! binding on a layout for English.

use crate::harness::{App, Home, Screen, scenario, until};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Stdio};

const SIZE: (u32, u32) = (1366, 768);
const EDITOR: &str = "editor-0";

/// T-IME: what is composed is one change each, and nothing of the composing is kept.
#[test]
fn a_dead_key_and_a_compose_sequence_are_two_deltas() {
    with_file("", async |app, screen, home| {
        screen_keys(screen, &["dead_acute", "e"])?;
        app.until_seen(EDITOR, "é").await?;
        app.idle().await?;
        let n_before = n_deltas(app).await?;
        screen_keys(screen, &["BackSpace"])?;
        app.until_seen(EDITOR, "").await?;
        app.idle().await?;
        ensure!(n_deltas(app).await? == n_before + 1, "a key is one delta");
        screen_keys(screen, &["dead_acute", "e"])?;
        app.until_seen(EDITOR, "é").await?;
        app.idle().await?;
        screen_keys(screen, &["Multi_key", "apostrophe", "a"])?;
        app.until_seen(EDITOR, "éá").await?;
        app.idle().await?;
        let n = n_deltas(app).await? - n_before - 1;
        ensure!(n == 2, "two letters composed should be 2 deltas and are {n}");
        until("the folder has them", async || Ok(home.read("notes.txt")? == "éá")).await?;
        for junk in ["´", "'", "·", "\u{301}"] {
            let find = json!({ "cmd": "findInHistory", "args": { "text": junk, "scope": { "kind": "workspace" }, "limit": 5 } });
            let found = app.call(json!({ "to": "workspace", "request": find })).await?;
            ensure!(found["reply"]["value"]["hits"] == json!([]), "{junk:?} was kept: {found}");
        }
        Ok(())
    });
}

/// T-BACKSEL: the first key over a selection made backwards replaces it.
#[test]
fn the_first_key_replaces_a_backward_selection() {
    with_file("", async |app, screen, _| {
        let type_text = |text: &str| screen_command(screen, &["type", "--delay", "20", text]);
        type_text("abcdef")?;
        app.until_seen(EDITOR, "abcdef").await?;
        screen_keys(screen, &["shift+Left", "shift+Left", "shift+Left", "x"])?;
        app.until_seen(EDITOR, "abcx").await?;
        screen_keys(screen, &["shift+Home", "y"])?;
        app.until_seen(EDITOR, "y").await?;
        screen_keys(screen, &["Return", "z", "shift+Up", "w"])?;
        app.until_seen(EDITOR, "yw").await?;
        app.script("window.__cs.workbench.editors.activeEditor.setSelection({ selectionStartLineNumber: 1, selectionStartColumn: 3, positionLineNumber: 1, positionColumn: 1 })")
            .await?;
        screen_keys(screen, &["v"])?;
        app.until_seen(EDITOR, "v").await
    });
}

/// T-CLIP: the menus reach the clipboard of the system, both ways.
#[test]
fn cut_copy_and_paste_in_the_menu_reach_the_systems_clipboard() {
    with_file("from CodeSync\n", async |app, screen, _| {
        screen_keys(screen, &["ctrl+Home", "shift+End"])?;
        menu(app, "edit", "edit.copy").await?;
        until("the clipboard has the text", async || Ok(clipboard(screen)? == "from CodeSync")).await?;
        menu(app, "edit", "edit.cut").await?;
        app.until_seen(EDITOR, "\n").await?;
        ensure!(clipboard(screen)? == "from CodeSync", "cutting kept {:?}", clipboard(screen)?);
        let owner = Owner(put_on_clipboard(screen, "from elsewhere")?);
        until("the other program has it", async || Ok(clipboard(screen)? == "from elsewhere")).await?;
        menu(app, "edit", "edit.paste").await?;
        app.until_seen(EDITOR, "from elsewhere\n").await?;
        drop(owner);
        Ok(())
    });
}

/// T-KEYS: every default binding, pressed on the keyboard, reaches its command (or Monaco's of the same meaning).
#[test]
fn every_default_binding_reaches_its_command() {
    with_file_named("notes.ts", "const one = 1;\n", async |app, screen, _| {
        screen_layout(screen)?;
        let bindings = app.script(LISTEN).await?;
        let bindings = bindings.as_array().context("no bindings")?;
        let (mut n_reached, mut elsewhere, mut failed) = (0, Vec::new(), Vec::new());
        for binding in bindings {
            let (id, keys) = (text(&binding["id"]), text(&binding["keys"]));
            if binding["isOn"] != json!(true) {
                elsewhere.push(format!("{keys} ({id})"));
                continue;
            }
            app.script("window.__ran.length = 0; window.__cs.workbench.editors.activeEditor.focus()").await?;
            for part in keys.split(' ') {
                screen_keys(screen, &[&x_key(part)])?;
            }
            let wanted = [json!(id), binding["action"].clone()];
            let reached = async || {
                let ran = app.script("return window.__ran").await?;
                Ok(ran.as_array().is_some_and(|ran| ran.iter().any(|one| wanted.contains(one))))
            };
            match soon(&reached).await? {
                true => n_reached += 1,
                false => {
                    failed.push(format!("{keys} should run {id}, and ran {}", app.script("return window.__ran").await?))
                }
            }
        }
        println!(
            "{n_reached} bindings reach their commands; not on while the text has the keyboard: {}",
            elsewhere.join(", ")
        );
        ensure!(failed.is_empty(), "{}", failed.join("\n"));
        ensure!(n_reached > 60, "only {n_reached} bindings were tried");
        Ok(())
    });
}

/// Lists the bindings and makes commands note that they were reached instead of running.
const LISTEN: &str = "
    const { commands, editors } = window.__cs.workbench;
    const editor = editors.activeEditor;
    window.__ran = [];
    const isOn = (one) => (one.keysWhen?.() ?? true) && (one.when?.() ?? true);
    editor.focus();
    const actionOf = (command) => {
      if (command.nativeKeysWhen === undefined || command.keysWhen?.() === true) return null;
      const before = editor.trigger;
      let action = null;
      editor.trigger = (_source, id) => { action = id; };
      try { command.run(); } finally { editor.trigger = before; }
      return action;
    };
    const natives = new Set(['edit.cut', 'edit.copy', 'edit.paste']);
    const bindings = commands.all.flatMap((command) => {
      const isNative = command.nativeKeysWhen !== undefined && command.keysWhen?.() !== true;
      const action = isNative && !natives.has(command.id) ? actionOf(command) : null;
      const on = isNative ? action !== null && (command.when?.() ?? true) : isOn(command);
      return commands.keysOf(command).map((keys) => ({ id: command.id, keys, action, isOn: on }));
    });
    commands.run = (id) => { window.__ran.push(id); };
    editor._commandService.executeCommand = (id) => { window.__ran.push(id); return Promise.resolve(); };
    return bindings;";

fn with_file(content: &str, play: impl AsyncFn(&App, &Screen, &Home) -> Result<()>) {
    with_file_named("notes.txt", content, play);
}

fn with_file_named(name: &str, content: &str, play: impl AsyncFn(&App, &Screen, &Home) -> Result<()>) {
    scenario(SIZE, async |home, screen| {
        home.write(name, content)?;
        let app = App::start(home, screen, &[&home.project().join(name)]).await?;
        app.until_shown(EDITOR, true).await?;
        app.until_seen(EDITOR, content).await?;
        app.click_editor().await?;
        play(&app, screen, home).await?;
        app.quit().await
    });
}

/// What the X server calls a key of ours.
fn x_key(keys: &str) -> String {
    let names: [(&str, &str); 17] = [
        ("\\", "backslash"),
        (",", "comma"),
        (".", "period"),
        ("/", "slash"),
        ("-", "minus"),
        ("=", "equal"),
        ("[", "bracketleft"),
        ("]", "bracketright"),
        ("PageDown", "Next"),
        ("PageUp", "Prior"),
        ("Space", "space"),
        ("Enter", "Return"),
        ("Esc", "Escape"),
        ("`", "grave"),
        (";", "semicolon"),
        ("'", "apostrophe"),
        ("Del", "Delete"),
    ];
    let parts = keys.split('+').map(|part| {
        let named = names.iter().find(|(ours, _)| *ours == part).map(|(_, theirs)| (*theirs).to_owned());
        named.unwrap_or_else(|| {
            if part.len() == 1 || ["Ctrl", "Shift", "Alt"].contains(&part) {
                part.to_lowercase()
            } else {
                part.to_owned()
            }
        })
    });
    parts.collect::<Vec<_>>().join("+")
}

/// True when it becomes so within a second and a half.
async fn soon(is_so: &impl AsyncFn() -> Result<bool>) -> Result<bool> {
    for _ in 0..60 {
        if is_so().await? {
            return Ok(true);
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    Ok(false)
}

async fn n_deltas(app: &App) -> Result<u64> {
    let status = app.call(json!({ "to": "workspace", "request": { "cmd": "status" } })).await?;
    status["reply"]["value"]["nDeltas"].as_u64().with_context(|| format!("no count in {status}"))
}

async fn menu(app: &App, name: &str, id: &str) -> Result<()> {
    app.click(&format!("menubar-{name}")).await?;
    app.click(&format!("menu-{id}")).await?;
    app.idle().await
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn screen_keys(screen: &Screen, keys: &[&str]) -> Result<()> {
    let mut words = vec!["key", "--delay", "20"];
    words.extend(keys);
    screen_command(screen, &words)
}

fn screen_command(screen: &Screen, words: &[&str]) -> Result<()> {
    let status = screen
        .command("xdotool")
        .args(words)
        .status()
        .context("xdotool is missing; `cargo xtask setup` installs it")?;
    ensure!(status.success(), "xdotool {words:?} failed");
    Ok(())
}

fn screen_layout(screen: &Screen) -> Result<()> {
    let status = screen.command("setxkbmap").args(["-layout", "us"]).stderr(Stdio::null()).status();
    // Xvfb has this layout from its start; without the program nothing changes.
    if status.is_ok_and(|status| !status.success()) {
        bail!("the layout could not be set");
    }
    Ok(())
}

fn clipboard(screen: &Screen) -> Result<String> {
    let output = screen.command("xclip").args(["-selection", "clipboard", "-o"]).output();
    Ok(String::from_utf8(output.context("xclip is missing; `cargo xtask setup` installs it")?.stdout)?)
}

/// Offers a text as another program does, until it is dropped.
fn put_on_clipboard(screen: &Screen, text: &str) -> Result<Child> {
    let mut command = screen.command("xclip");
    command
        .args(["-selection", "clipboard", "-i", "-quiet"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.current_dir(Path::new("/")).spawn()?;
    child.stdin.take().context("invariant: its input is piped")?.write_all(text.as_bytes())?;
    Ok(child)
}

struct Owner(Child);

impl Drop for Owner {
    fn drop(&mut self) {
        if let Err(reason) = self.0.kill().and_then(|()| self.0.wait().map(drop)) {
            eprintln!("xclip could not be ended: {reason}");
        }
    }
}
