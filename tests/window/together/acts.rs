//! What three do to one folder at once: a `git checkout` to another branch, a folder renamed, a file in it edited, a file
//! deleted that another edits, one path made twice, one picture changed twice. Connected first, then with the cables
//! pulled. Nothing is lost, all have the same, and each is told in the words of `UX.md` §5.

use super::crowd::{Peer, let_in, until_with};
use super::typists::{number_of, settle_digests, shown};
use super::working::put_invitation_away;
use super::{Person, asha_and_bo, join_with, share, until, until_live};
use anyhow::{Context, Result, ensure};
use codesync_lan::Lan;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use thirtyfour::Key;

/// Files that the two branches have otherwise: more than are passed over without a word.
const N_FILES: usize = 24;

struct Three {
    asha: Person,
    bo: Person,
    chidi: Peer,
    /// In this order.
    folders: [PathBuf; 3],
}

pub async fn acts_at_once(lan: &Lan) -> Result<()> {
    let (asha, bo) = asha_and_bo(lan).await?;
    let lab = asha.home.project();
    make_repository(&asha)?;
    let code = share(&asha).await?;
    join_with(&bo, &code).await?;
    until_live([&asha, &bo]).await?;
    put_invitation_away(&asha).await?;
    let chidi = let_in(lan, &asha, "Chidi").await?;
    let folders = [lab, bo.root().await?, chidi.folder.clone()];
    let three = Three { asha, bo, chidi, folders };
    three.until_together().await?;
    three.all_the_same().await.context("before anything was done")?;
    three.connected().await.context("connected")?;
    three.apart().await.context("apart")?;
    three.deleted_for_everyone().await.context("[Delete for everyone]")
}

impl Three {
    async fn until_together(&self) -> Result<()> {
        until_with(&self.asha, 2).await?;
        until_with(&self.bo, 2).await
    }

    /// A checkout at Asha's while Bo types into a file that it changes, and Chidi renames a folder.
    async fn connected(&self) -> Result<()> {
        let Self { asha, bo, chidi, .. } = self;
        bo.open("src/lexer.rs").await?;
        bo.put_caret(2, 1).await?;
        asha.open("notes/todo.md").await?;
        let checkout = spawn_git(&self.folders[0], &["checkout", "--quiet", "other"])?;
        bo.type_slowly("// typed by Bo meanwhile").await?;
        chidi.person.run(&chidi.folder, &["rename", "docs", "manual"], "")?;
        finish(checkout)?;
        let is_there = |folder: &PathBuf| {
            let lexer = read(folder, "src/lexer.rs");
            lexer.contains("// typed by Bo meanwhile")
                && lexer.contains("// as on the other branch")
                && read(folder, "f23.txt") == "other 23\n"
                && read(folder, "only-other.txt") == "other\n"
                && !folder.join("only-main.txt").exists()
                && read(folder, "manual/guide.md") == "guide\n"
                && !folder.join("docs/guide.md").exists()
        };
        until("the checkout, the keys and the new name are everywhere", async || Ok(self.folders.iter().all(is_there)))
            .await
            .with_context(|| self.folders.each_ref().map(|folder| format!("{:#?}", files_of(folder))).join("\n"))?;
        println!("  connected: {}", self.all_the_same().await?);
        bo.until_told("Asha’s folder changed").await?;
        bo.picture("checkout").await?;
        for person in [asha, bo] {
            person.until_in_activity("Chidi renamed docs to manual").await?;
        }
        bo.until_in_activity("Disk changed").await?;
        bo.picture("activity").await?;
        ensure!(
            git_says(&self.folders[0], &["rev-parse", "--abbrev-ref", "HEAD"])? == "other",
            "`.git` is as git left it"
        );
        Ok(())
    }

    /// All cables are pulled; each goes on; the cables are plugged in.
    async fn apart(&self) -> Result<()> {
        let Self { asha, bo, chidi, folders } = self;
        let hosts = [&asha.host, &bo.host, &chidi.person.host];
        hosts.iter().try_for_each(|host| host.unplug())?;
        for person in [asha, bo] {
            person.app().until_state("save-pill", "offline").await?;
        }
        // Without a commit git would not leave what Bo and Chidi did on the branch.
        git(&folders[0], &["add", "--all", "."])?;
        git(&folders[0], &["commit", "--quiet", "--message", "of all three"])?;
        git(&folders[0], &["checkout", "--quiet", "main"])?;
        asha.open("notes/todo.md").await?;
        asha.write("and one more by Asha").await?;
        asha.make_file("ideas.md", "ideas of Asha\n").await?;
        std::fs::write(folders[0].join("logo.bin"), picture(1))?;
        bo.rename_in_tree("src", "source").await?;
        bo.delete_in_tree("notes", "notes/todo.md").await?;
        bo.make_file("ideas.md", "ideas of Bo\n").await?;
        bo.picture("apart").await?;
        chidi.person.run(&chidi.folder, &["edit", "src/lexer.rs"], "[0, 0, \"// Chidi was here\\n\"]\n")?;
        std::fs::write(folders[2].join("logo.bin"), picture(2))?;
        let taken_in = async || {
            let changes =
                |folder| Ok::<_, anyhow::Error>(chidi.person.run(folder, &["log", "logo.bin"], "")?.lines().count());
            let is_changed = changes(&folders[0])? > 1 && changes(&folders[2])? > 1;
            Ok(is_changed && !folders[1].join("notes/todo.md").exists())
        };
        until("what was done apart is taken in", taken_in).await?;
        // A merge is told of after a minute apart.
        let apart = number_of("CODESYNC_APART_SECONDS", 0);
        tokio::time::sleep(Duration::from_secs(apart)).await;
        hosts.iter().try_for_each(|host| host.plug_in())?;
        self.until_together().await?;
        let is_there = |folder: &PathBuf| {
            let lexer = read(folder, "source/lexer.rs");
            lexer.contains("// Chidi was here")
                && !lexer.contains("// as on the other branch")
                && read(folder, "docs/guide.md") == "guide\n"
                && read(folder, "notes/todo.md").contains("and one more by Asha")
                && beside(folder, "ideas") == ["ideas of Asha\n", "ideas of Bo\n"]
                && beside(folder, "logo").len() == 2
                && read(folder, "f23.txt") == "main 23\n"
                && !folder.join("src").exists()
        };
        until("all that was done apart is everywhere", async || Ok(folders.iter().all(is_there)))
            .await
            .with_context(|| folders.each_ref().map(|folder| format!("{:#?}", files_of(folder))).join("\n"))?;
        println!("  apart: {}", self.all_the_same().await?);
        self.is_told().await?;
        if apart > 60 {
            for person in [asha, bo] {
                person.until_told("Back together with").await?;
                person.picture("merged").await?;
            }
        }
        ensure!(git_says(&folders[0], &["rev-parse", "--abbrev-ref", "HEAD"])? == "main", "`.git` is as git left it");
        chidi.person.run(&chidi.folder, &["verify"], "").map(drop)
    }

    /// Each in the words of the document.
    async fn is_told(&self) -> Result<()> {
        let Self { asha, bo, .. } = self;
        asha.until_told("Bo deleted notes/todo.md while you were editing it, so it stays.").await?;
        asha.picture("told").await?;
        bo.picture("told").await?;
        let (of_asha, of_bo) = (asha.told().await?, bo.told().await?);
        let has = |told: &[String], parts: [&str; 2]| {
            told.iter().any(|text| text.starts_with(parts[0]) && text.contains(parts[1]))
        };
        let ideas = |person: &str| format!("Both you and {person} have a file called ideas.md.");
        ensure!(has(&of_asha, [&ideas("Bo"), "beside it as “ideas"]), "Asha was told {of_asha:?}");
        ensure!(has(&of_bo, [&ideas("Asha"), "beside it as “ideas"]), "Bo was told {of_bo:?}");
        let logo = "Both you and Chidi changed logo.bin.";
        ensure!(has(&of_asha, [logo, "beside it as “logo ("]), "Asha was told {of_asha:?}");
        ensure!(!has(&of_bo, ["Both you and", "logo"]), "Bo changed no picture and was told {of_bo:?}");
        bo.until_in_activity("Asha brought back notes/todo.md").await?;
        asha.until_in_activity("Bo deleted notes/todo.md").await
    }

    /// MSG-FILE-5's other button.
    async fn deleted_for_everyone(&self) -> Result<()> {
        self.asha.app().press_toast("Delete for everyone").await?;
        let is_gone = async || Ok(self.folders.iter().all(|folder| !folder.join("notes/todo.md").exists()));
        until("the file is gone everywhere", is_gone).await?;
        self.all_the_same().await.map(drop)
    }

    /// Waits until the folders are the same, and the digests.
    async fn all_the_same(&self) -> Result<String> {
        let is_same = async || {
            let [a, b, c] = self.folders.each_ref().map(|folder| files_of(folder));
            Ok(a == b && b == c)
        };
        let same = until("the folders have the same", is_same).await;
        same.with_context(|| self.folders.each_ref().map(|folder| format!("{:#?}", files_of(folder))).join("\n"))?;
        let digest = settle_digests(&self.folders)?;
        let own = self.chidi.person.run(&self.chidi.folder, &["digest", "--json"], "")?;
        let own: Value = serde_json::from_str(&own)?;
        ensure!(own["digest"] == digest["hex"], "`codesync digest` says something else: {own}");
        Ok(shown(&digest))
    }
}

/// Two branches that differ in many files.
fn make_repository(asha: &Person) -> Result<()> {
    let folder = asha.home.project();
    let write = |branch: &str| {
        (0..N_FILES).try_for_each(|n| asha.home.write(&format!("f{n:02}.txt"), &format!("{branch} {n}\n")))?;
        asha.home.write(&format!("only-{branch}.txt"), &format!("{branch}\n"))
    };
    write("main")?;
    asha.home.write("src/lexer.rs", "fn next() {}\n\nfn last() {}\n")?;
    asha.home.write("docs/guide.md", "guide\n")?;
    asha.home.write("docs/index.md", "index\n")?;
    asha.home.write("notes/todo.md", "one thing to do\n")?;
    std::fs::write(folder.join("logo.bin"), picture(0))?;
    git(&folder, &["init", "--quiet", "--initial-branch", "main"])?;
    git(&folder, &["add", "."])?;
    git(&folder, &["commit", "--quiet", "--message", "main"])?;
    git(&folder, &["checkout", "--quiet", "-b", "other"])?;
    write("other")?;
    std::fs::remove_file(folder.join("only-main.txt"))?;
    asha.home.write("src/lexer.rs", "fn next() {}\n\nfn last() {}\n// as on the other branch\n")?;
    git(&folder, &["add", "--all", "."])?;
    git(&folder, &["commit", "--quiet", "--message", "other"])?;
    git(&folder, &["checkout", "--quiet", "main"])
}

fn picture(n: u8) -> Vec<u8> {
    [0, n].repeat(500)
}

fn git_command(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new("git");
    let who = ["-c", "user.name=Asha", "-c", "user.email=asha@example.org", "-c", "safe.directory=*"];
    command.current_dir(folder).args(who).args(words);
    command
}

fn spawn_git(folder: &Path, words: &[&str]) -> Result<std::process::Child> {
    git_command(folder, words).spawn().context("git is missing; `cargo xtask setup` installs it")
}

fn finish(mut git: std::process::Child) -> Result<()> {
    ensure!(git.wait()?.success(), "git failed");
    Ok(())
}

fn git(folder: &Path, words: &[&str]) -> Result<()> {
    finish(spawn_git(folder, words)?).with_context(|| format!("git {words:?}"))
}

fn git_says(folder: &Path, words: &[&str]) -> Result<String> {
    Ok(String::from_utf8(git_command(folder, words).output()?.stdout)?.trim().to_owned())
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_default()
}

/// Contents of the files of a folder whose name begins so, sorted.
fn beside(folder: &Path, start: &str) -> Vec<String> {
    let all = files_of(folder);
    let mut found: Vec<String> = all.into_iter().filter(|(name, _)| name.starts_with(start)).map(|one| one.1).collect();
    found.sort();
    found
}

/// All files of a copy by path, without what is not shared.
fn files_of(folder: &Path) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inside) = folders.pop() {
        for entry in std::fs::read_dir(&inside).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
            if name == ".git" || name == ".codesync" {
                continue;
            }
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let bytes = std::fs::read(&path).unwrap_or_default();
                    all.insert(name, String::from_utf8_lossy(&bytes).into_owned());
                }
            }
        }
    }
    all
}

impl Person {
    /// Renames by F2 in the tree.
    async fn rename_in_tree(&self, path: &str, name: &str) -> Result<()> {
        self.app().expand_in_tree(path).await?;
        self.app().keys(Key::F2 + "").await?;
        self.app().find("name-box").await?;
        self.app().ctrl("a").await?;
        self.app().keys(name).await?;
        self.app().keys(Key::Enter + "").await?;
        self.app().find_by(&format!("[data-testid=\"tree-row\"][data-path=\"{name}\"]")).await.map(drop)
    }

    /// Deletes by the key in the tree.
    async fn delete_in_tree(&self, folder: &str, path: &str) -> Result<()> {
        self.app().expand_in_tree(folder).await?;
        self.app().expand_in_tree(path).await?;
        self.command("explorer.delete", Value::Null).await?;
        self.until_told("History keeps it").await
    }

    pub(super) async fn until_in_activity(&self, sentence: &str) -> Result<()> {
        self.command("activity.show", Value::Null).await?;
        self.until_said("activity-list", sentence).await
    }
}
