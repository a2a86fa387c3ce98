//! T-A11Y: with nothing but the keyboard and what a screen reader is told, a person opens a file, edits it, goes back in
//! time and restores. Every control says what it is, and the keyboard gets out of everywhere.

use crate::desktop::{Desktop, Node, listing};
use crate::harness::{Home, Screen, scenario, until};
use anyhow::{Context, Result, bail, ensure};

const SIZE: (u32, u32) = (1366, 768);
const BEFORE: &str = "first line\n";

/// Roles that can be acted on; each needs a name.
const CONTROLS: [&str; 14] = [
    "push button",
    "toggle button",
    "check box",
    "radio button",
    "menu item",
    "check menu item",
    "page tab",
    "slider",
    "entry",
    "combo box",
    "list item",
    "tree item",
    "spin button",
    "link",
];

struct Reader<'a> {
    screen: &'a Screen,
    desktop: Desktop,
}

#[test]
fn keyboard_and_screen_reader_open_edit_go_back_and_restore() {
    scenario(SIZE, async |home, screen| {
        home.write("notes.txt", BEFORE)?;
        home.write("other.txt", "other\n")?;
        home.configure("settings.json", &serde_json::json!({ "screenReader": "on", "suggest": false }))?;
        let reader = Reader { screen, desktop: Desktop::start(home, screen)? };
        let window = home.start_alone(screen, &[&home.project()])?;
        reader.hears("the menus", |node| node.role == "menu bar").await?;
        open_and_edit(&reader, home).await?;
        tab_gets_out_of_the_editor(&reader).await?;
        go_back_and_restore(&reader, home).await?;
        every_screen_is_named(&reader).await?;
        drop(window);
        Ok(())
    });
}

async fn open_and_edit(reader: &Reader<'_>, home: &Home) -> Result<()> {
    reader.press("ctrl+p")?;
    reader
        .hears("the box to go to a file", |node| node.role == "combo box" && node.name.starts_with("Go to a file"))
        .await?;
    reader.write("notes")?;
    reader.hears("the file in the list", |node| node.role == "list item" && node.name.contains("notes.txt")).await?;
    reader.press("Return")?;
    let is_editor = |node: &Node| node.is_focused && node.name == "notes.txt, editor";
    reader.hears("the editor with its text", |node| is_editor(node) && node.text.starts_with("first line")).await?;
    reader.press("ctrl+End")?;
    for part in ["by hand", " and more"] {
        reader.write(part)?;
        reader.hears("what was typed", |node| is_editor(node) && node.text.ends_with(part)).await?;
        // A pause makes two steps of it on the timeline.
        tokio::time::sleep(std::time::Duration::from_millis(2_300)).await;
    }
    until("the folder has it", async || Ok(home.read("notes.txt")? == format!("{BEFORE}by hand and more"))).await?;
    let nodes = reader.desktop.nodes()?;
    let is_leaf = |index: usize| nodes.get(index + 1).is_none_or(|next| next.depth <= nodes[index].depth);
    let says = |node: &Node| node.role != "entry" && node.text.replace('\u{a0}', " ").contains("by hand");
    let doubled = nodes.iter().enumerate().find(|(index, node)| is_leaf(*index) && says(node));
    ensure!(doubled.is_none(), "the drawn lines are read as well: {doubled:?}");
    Ok(())
}

/// Ctrl+M lets Tab move the focus, and Tab comes around to the editor again.
async fn tab_gets_out_of_the_editor(reader: &Reader<'_>) -> Result<()> {
    reader.press("ctrl+m")?;
    reader
        .hears("that Tab moves the focus", |node| {
            node.role == "push button" && node.name.starts_with("Tab moves focus")
        })
        .await?;
    let mut seen: Vec<String> = Vec::new();
    for _ in 0..60 {
        reader.press("Tab")?;
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        let focused = reader.focused().await?;
        let name = focused.map_or("the web view".into(), |node| format!("{} {}", node.role, node.name));
        if seen.len() > 8 && name.ends_with("notes.txt, editor") {
            reader.press("ctrl+m")?;
            return Ok(());
        }
        ensure!(seen.iter().filter(|one| **one == name).count() < 6, "Tab does not leave {name}; before: {seen:?}");
        seen.push(name);
    }
    bail!("sixty Tabs never came back to the text: {seen:?}")
}

async fn go_back_and_restore(reader: &Reader<'_>, home: &Home) -> Result<()> {
    for _ in 0..8 {
        reader.press("F6")?;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        if reader.focused().await?.is_some_and(|node| node.role == "slider") {
            break;
        }
    }
    reader.hears("the timeline has the keyboard", |node| node.is_focused && node.role == "slider").await?;
    reader.press("Left")?;
    reader
        .hears("who, what and which change", |node| node.role == "slider" && node.value_text.contains(", change "))
        .await?;
    reader.hears("the older text", |node| node.role == "entry" && node.text.trim_end().ends_with("by hand")).await?;
    reader.press("r")?;
    until("the folder has the older text", async || Ok(home.read("notes.txt")? == format!("{BEFORE}by hand"))).await?;
    reader
        .hears("that it was restored", |node| {
            node.text.contains("Restored notes.txt") || node.name.contains("Restored notes.txt")
        })
        .await?;
    Ok(())
}

async fn every_screen_is_named(reader: &Reader<'_>) -> Result<()> {
    let screens: [(&[&str], &str); 5] = [
        (&["ctrl+comma"], "Search settings"),
        (&["ctrl+k", "ctrl+s"], "Search by command or by keys"),
        (&["F1"], "Type the name of a command"),
        (&["alt+F1"], "Next and previous part of the window"),
        (&["alt+f"], "New file…"),
    ];
    for (keys, sign) in screens {
        for key in keys {
            reader.press(key)?;
        }
        reader.hears(sign, |node| node.name.starts_with(sign)).await?;
        let nodes = reader.desktop.nodes()?;
        let nameless: Vec<&Node> =
            nodes.iter().filter(|node| CONTROLS.contains(&node.role) && node.name.trim().is_empty()).collect();
        ensure!(
            nameless.is_empty(),
            "on the screen with {sign}, controls without a name: {nameless:?}\n{}",
            listing(&nodes)
        );
        reader.press("Escape")?;
        // Pages stay; what lies over the window goes, and only then the next keys count.
        let is_over = |node: &Node| node.role == "dialog";
        let gone = until("nothing lies over it", async || Ok(!reader.desktop.nodes()?.iter().any(is_over))).await;
        if let Err(reason) = gone {
            bail!("{reason:#} after {keys:?} and Escape:\n{}", listing(&reader.desktop.nodes()?));
        }
    }
    Ok(())
}

impl Reader<'_> {
    fn press(&self, key: &str) -> Result<()> {
        let status = self.screen.press(key)?.wait()?;
        ensure!(status.success(), "{key} could not be pressed");
        Ok(())
    }

    fn write(&self, text: &str) -> Result<()> {
        let status = self.screen.command("xdotool").args(["type", "--delay", "15", text]).status()?;
        ensure!(status.success(), "{text:?} could not be typed");
        Ok(())
    }

    /// What has the keyboard, as far as the window says it: behind its last control a web view has it itself for one Tab.
    async fn focused(&self) -> Result<Option<Node>> {
        for _ in 0..10 {
            if let Some(node) = self.desktop.focused()? {
                return Ok(Some(node));
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        Ok(None)
    }

    /// Waits until the screen reader is told this.
    async fn hears(&self, what: &str, is_it: impl Fn(&Node) -> bool) -> Result<Node> {
        let found = std::cell::RefCell::new(None);
        let heard = until(what, async || {
            *found.borrow_mut() = self.desktop.nodes()?.into_iter().find(|node| is_it(node));
            Ok(found.borrow().is_some())
        });
        if let Err(reason) = heard.await {
            bail!("{reason:#}; a screen reader has only this:\n{}", listing(&self.desktop.nodes()?));
        }
        found.into_inner().context("invariant: it was found")
    }
}
