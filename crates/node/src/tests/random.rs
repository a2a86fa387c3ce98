//! Folder and workspace changed at random, both at once, with kills: in the end they are equal, no line that
//! anybody wrote is missing from history, and none is there twice.

use super::*;
use codesync_api::Scope;
use std::collections::{BTreeMap, BTreeSet};

const NAMES: [&str; 6] = ["a", "b", "f/a", "f/c", "f", "A"];

struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn name(&mut self) -> &'static str {
        NAMES[self.roll(NAMES.len())]
    }
}

/// What a random walk has done so far.
struct Walk {
    peer: Peer,
    dice: Dice,
    n_lines: u32,
    /// Lines that history must know.
    lines: BTreeSet<String>,
    journal: Vec<String>,
}

impl Walk {
    fn line(&mut self, who: &str) -> String {
        self.n_lines += 1;
        format!("<{who}{}>\n", self.n_lines)
    }

    fn step(&mut self) {
        let name = self.dice.name();
        match self.dice.roll(14) {
            0..=3 => self.type_line(name),
            4..=6 => self.disk_line(name),
            7 => {
                let to = self.dice.name();
                self.journal.push(format!("rename {name} {to}"));
                let _ = self.peer.ask(Request::Rename { from: name.into(), to: to.into() });
            }
            8 => {
                self.journal.push(format!("delete {name}"));
                let _ = self.peer.ask(Request::Delete { path: name.into() });
            }
            9 => {
                let to = self.dice.name();
                let is_blocked = to.starts_with("f/") && self.peer.path("f").is_file();
                let is_free = !is_blocked && !self.peer.path(to).exists();
                if self.peer.path(name).is_file() && is_free {
                    self.journal.push(format!("disk rename {name} {to}"));
                    fs::create_dir_all(self.peer.path(to).parent().unwrap()).unwrap();
                    fs::rename(self.peer.path(name), self.peer.path(to)).unwrap();
                }
            }
            10 => {
                if let Some(text) = self.peer.on_disk(name) {
                    self.journal.push(format!("disk delete {name}"));
                    // What nobody saw cannot be known.
                    self.lines.retain(|line| !line.starts_with("<d") || !text.contains(line.as_str()));
                    fs::remove_file(self.peer.path(name)).unwrap();
                }
            }
            11 => {
                self.journal.push("look".into());
                self.peer.changed(&["a", "b", "f", "A"]);
            }
            12 => {
                self.journal.push("flush".into());
                self.peer.flush();
            }
            _ => {
                self.journal.push("kill".into());
                self.peer.reopen_killed();
            }
        }
    }

    fn type_line(&mut self, name: &str) {
        let line = self.line("t");
        let length = self.peer.text(name).map_or(0, |text| text.encode_utf16().count() as u32);
        let at = if self.dice.roll(2) == 0 { 0 } else { length };
        let edits = vec![Splice(at, 0, line.clone())];
        if self.peer.ask(Request::EditFile { path: name.into(), edits }).is_ok() {
            self.journal.push(format!("type {name} {at} {}", line.trim()));
            self.lines.insert(line);
        }
    }

    fn disk_line(&mut self, name: &str) {
        if self.peer.path(name).is_dir() || (name.starts_with("f/") && self.peer.path("f").is_file()) {
            return;
        }
        let line = self.line("d");
        let old = self.peer.on_disk(name).unwrap_or_default();
        let text = if self.dice.roll(2) == 0 { format!("{line}{old}") } else { format!("{old}{line}") };
        put(&self.peer.path(name), &text);
        self.journal.push(format!("disk {name} {}", line.trim()));
        self.lines.insert(line);
    }

    fn check(&mut self) {
        self.peer.reopen_killed().flush();
        let root = self.peer.path("");
        let mut on_disk = BTreeMap::new();
        collect(&root, &root, &mut on_disk);
        let in_tree: BTreeMap<String, String> = self
            .peer
            .paths()
            .into_iter()
            .map(|path| {
                let text = self.peer.text(&path).unwrap();
                (path, text)
            })
            .collect();
        let journal = self.journal.join("\n");
        assert_eq!(on_disk, in_tree, "\n{journal}");
        for line in &self.lines.clone() {
            let query = Request::FindInHistory { text: line.trim().into(), scope: Scope::Workspace, limit: 100 };
            let Ok(Reply::Found { hits, .. }) = self.peer.ask(query) else { panic!() };
            assert!(!hits.is_empty(), "{line} is lost\n{journal}");
            for (path, text) in &in_tree {
                assert!(text.matches(line.as_str()).count() <= 1, "{line} is twice in {path}\n{text}\n{journal}");
            }
        }
    }
}

/// Texts of all files but those of the store.
pub(super) fn collect(root: &Path, folder: &Path, texts: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder)
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name() != ".codesync" && entry.file_name() != ".git")
    {
        let path = entry.path();
        match path.is_dir() {
            true => collect(root, &path, texts),
            false => {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                texts.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
}

#[test]
fn folder_and_workspace_agree_after_anything_and_nothing_is_lost() {
    let n_walks = std::env::var("CODESYNC_WALKS").ok().and_then(|n| n.parse().ok()).unwrap_or(30);
    let first: u64 = std::env::var("CODESYNC_WALK").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    for seed in first..first + n_walks {
        let mut walk = Walk {
            peer: Peer::new(&[("a", "one\ntwo\nthree\n"), ("f/c", "four\nfive\n")]),
            dice: Dice(seed),
            n_lines: 0,
            lines: BTreeSet::new(),
            journal: vec![format!("seed {seed}")],
        };
        for _ in 0..25 {
            walk.step();
        }
        walk.check();
    }
}
