//! What an honest window shows when something is wrong with somebody else, and with the computer it is on: other versions,
//! clocks, lies, floods; a full disk, a folder that is moved, a store that comes from a backup. The others go on typing.

use super::crowd::let_in;
use super::harness::fill;
use super::typists::{settle_digests, shown};
use super::working::put_invitation_away;
use super::{Person, asha_and_bo, join_with, project, share, until, until_live};
use anyhow::{Context, Result, bail, ensure};
use codesync_lan::Lan;
use codesync_stranger::{Stranger, Talk};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// Connections of somebody who wants to do harm.
const N_CONNECTIONS: usize = 400;
/// Deltas of somebody who wants to do harm, at once.
const N_DELTAS: u32 = 3_000;
const SMALL_DISK: &str = "size=64m";
/// Words that are typed until the window takes no more; each is some bytes in the log.
const WORDS_MAX: usize = 400;

/// A workspace of Asha's and Bo's, both with `src/lexer.rs` open.
async fn two(lan: &Lan) -> Result<(Person, Person)> {
    let (asha, bo) = asha_and_bo(lan).await?;
    meet(&asha, &bo).await?;
    Ok((asha, bo))
}

async fn meet(asha: &Person, bo: &Person) -> Result<()> {
    let code = share(asha).await?;
    join_with(bo, &code).await?;
    until_live([asha, bo]).await?;
    put_invitation_away(asha).await?;
    for person in [asha, bo] {
        person.open("src/lexer.rs").await?;
    }
    Ok(())
}

/// What Bo types is soon at Asha's.
async fn both_type(asha: &Person, bo: &Person, word: &str) -> Result<()> {
    bo.write(word).await?;
    asha.until_text(word).await.context("what Bo typed is not at Asha's")?;
    asha.write(&format!(" {word}'")).await?;
    bo.until_text(&format!("{word}'")).await.context("what Asha typed is not at Bo's")
}

fn the_same(folders: &[PathBuf]) -> Result<()> {
    println!("  all the same: {}", shown(&settle_digests(folders)?));
    Ok(())
}

pub async fn faults_of_others(lan: &Lan) -> Result<()> {
    let (asha, bo) = two(lan).await?;
    let mallory = let_in(lan, &asha, "Mallory").await?;
    let status: Value = serde_json::from_str(&mallory.person.run(&mallory.folder, &["status", "--json"], "")?)?;
    let key = fs::read(mallory.person.home.with_file_name("config/device.key"))?;
    // From now on the key is in other hands.
    drop(mallory);
    let stranger = Stranger {
        device_key: key.try_into().ok().context("a key")?,
        project: status["session_id"].as_str().context("a project")?.parse()?,
    };
    let address = asha.app().script("return window.__cs.workbench.people.together.addresses[0]").await?;
    let at: SocketAddr = address.as_str().context("Asha's window has no address")?.parse()?;
    other_versions(&asha, &stranger, at).await?;
    a_clock(&asha, &stranger, at).await?;
    two_versions(&asha, &bo, &stranger, at).await?;
    let before = asha.told().await?;
    let work = tokio::task::spawn_blocking(move || lies_and_floods(&stranger, at));
    let mut n_words = 0;
    while !work.is_finished() || n_words == 0 {
        both_type(&asha, &bo, &format!("word{n_words}")).await?;
        n_words += 1;
    }
    work.await??;
    println!("  {n_words} words went there and back meanwhile");
    let after = asha.told().await?;
    ensure!(before == after, "lies were told of: {after:?}");
    until_live([&asha, &bo]).await?;
    asha.picture("after-lies").await?;
    the_same(&[asha.home.project(), bo.root().await?])
}

/// MSG-VER-1, MSG-VER-2 and MSG-VER-3.
async fn other_versions(asha: &Person, stranger: &Stranger, at: SocketAddr) -> Result<()> {
    let ours = env!("CARGO_PKG_VERSION");
    let meet = |seed, versions: (u16, u16), software: &str| -> Result<Talk> {
        stranger.meet(seed, at, |hello| {
            (hello.oldest, hello.newest) = versions;
            hello.software = software.to_owned();
        })
    };
    let older = meet(101, (0, 0), "0.0.9")?;
    ensure!(older.bye.is_some() && older.heads.is_empty(), "an older program was let in");
    asha.until_told(&format!(
        "Mallory's CodeSync is too old to edit with yours (Mallory 0.0.9 · you {ours}). You can both go on working; \
         changes will merge after Mallory updates."
    ))
    .await?;
    asha.picture("older").await?;
    asha.app().press_toast("Copy update note for Mallory").await?;
    let newer = meet(102, (7, 9), "9.0.0")?;
    ensure!(newer.heads.is_empty(), "a newer program was let in");
    asha.until_told(&format!(
        "Your CodeSync is too old to edit with Mallory's (you {ours} · Mallory 9.0.0). Your work is safe here and will \
         merge after you update."
    ))
    .await?;
    asha.picture("newer").await?;
    asha.app().press_toast("How to update").await?;
    asha.until_told("Get the newer CodeSync from where you got this one").await?;
    // MSG-VER-3: what both can speak is no trouble.
    let other = meet(105, (1, 1), "0.3.1")?;
    other.say_no_heads();
    asha.until_in_activity("Mallory uses 0.3.1; playing back your history may show fewer details there").await?;
    asha.app().click("right-close").await
}

/// A clock a day off: told, and let in all the same.
async fn a_clock(asha: &Person, stranger: &Stranger, at: SocketAddr) -> Result<()> {
    let talk = stranger.meet(103, at, |hello| hello.wall_ms += DAY_MS)?;
    ensure!(!talk.heads.is_empty(), "a wrong clock shuts out");
    asha.until_told("The clocks of Mallory's computer and this one are 24 hours apart.").await?;
    asha.picture("clock").await
}

/// Of one delta: both are kept, and everybody is told.
async fn two_versions(asha: &Person, bo: &Person, stranger: &Stranger, at: SocketAddr) -> Result<()> {
    let talk = stranger.meet(104, at, |_| {})?;
    talk.send(&talk.fork());
    for person in [asha, bo] {
        person.until_told("Mallory’s history goes on in two ways. Both are kept.").await?;
    }
    bo.picture("fork").await
}

/// Each ends the link, and nothing else.
fn lies_and_floods(stranger: &Stranger, at: SocketAddr) -> Result<()> {
    type Lie = fn(&Talk) -> Result<()>;
    let lies: [(&str, Lie); 3] = [
        ("random bytes", |talk| {
            talk.send_bytes((0..300_u32).map(|n| (n * 167 + 91) as u8).collect());
            Ok(())
        }),
        ("a huge frame", |talk| {
            talk.send_bytes(vec![7; 600 * 1024]);
            Ok(())
        }),
        ("a delta in Asha's name", |talk| {
            talk.send(&talk.forged()?);
            Ok(())
        }),
    ];
    for (n, (what, lie)) in (0_u8..).zip(lies) {
        let talk = stranger.meet(110 + n, at, |_| {})?;
        lie(&talk)?;
        let reason = talk.until_ended().with_context(|| format!("{what} ended nothing"))?;
        println!("  {what}: let go, {reason:?}");
    }
    let flooding = stranger.meet(120, at, |_| {})?;
    for frame in flooding.flood(N_DELTAS) {
        flooding.send(&frame);
    }
    println!("  {N_DELTAS} deltas at once: sent");
    let mut open = Vec::new();
    for _ in 0..N_CONNECTIONS {
        if let Ok(mut stream) = TcpStream::connect_timeout(&at, Duration::from_secs(2)) {
            // Whoever was let go at once is told so here.
            stream.write_all(&[b'x'; 50]).unwrap_or_default();
            open.push(stream);
        }
    }
    println!("  {} connections that say nothing: opened", open.len());
    std::thread::sleep(Duration::from_secs(2));
    Ok(())
}

/// A disk that is full at one side, a folder that is moved away under an open window, a store from a backup.
pub async fn faults_at_one_side(lan: &Lan) -> Result<()> {
    let (mut asha, mut bo) = (Person::new(lan, "Asha")?, Person::new(lan, "Bo")?);
    let lab = asha.home.project();
    let _disk = SmallDisk::mount(&lab)?;
    project(&asha)?;
    asha.home.write(".gitignore", "filler\n")?;
    asha.start(&[&lab]).await?;
    asha.app().until_state("save-pill", "saved").await?;
    bo.start(&[]).await?;
    meet(&asha, &bo).await?;
    a_full_disk(&asha, &bo).await.context("a full disk")?;
    a_moved_folder(&asha, &bo).await.context("a moved folder")?;
    a_backup(&asha, &mut bo).await.context("a backup")
}

/// A disk of its own for a folder, as long as this is there.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path) -> Result<Self> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", SMALL_DISK, "small"]).arg(folder).status()?;
        ensure!(mounted.success(), "a small disk can't be mounted");
        Ok(Self(folder.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A window may hold it still; the folder is removed right after this.
        if let Err(reason) = Command::new("umount").arg("--lazy").arg(&self.0).status() {
            eprintln!("{} stays a disk of its own: {reason}", self.0.display());
        }
    }
}

async fn a_full_disk(asha: &Person, bo: &Person) -> Result<()> {
    let filler = asha.home.project().join("filler");
    let mut n_words = 0;
    while !asha.app().is_shown("banner-disk-full").await? {
        ensure!(n_words < WORDS_MAX, "the disk does not get full");
        fill(&filler)?;
        asha.write(&format!(" a{n_words}")).await?;
        n_words += 1;
    }
    asha.until_said("banner-disk-full", "This disk is full, so new changes can't be kept.").await?;
    let taken = asha.model_text().await?;
    // Where Asha does not type: her last keys wait for room.
    bo.put_caret(1, 1).await?;
    bo.app().keys("typed by Bo while Asha's disk is full ").await?;
    bo.until_on_disk("src/lexer.rs", |text| text.contains("while Asha's disk is full")).await?;
    ensure!(!bo.app().is_shown("banner-disk-full").await?, "Bo's disk has room");
    asha.picture("disk-full").await?;
    bo.picture("disk-full-elsewhere").await?;
    fs::remove_file(&filler)?;
    asha.app().until_shown("banner-disk-full", false).await?;
    asha.until_text("typed by Bo while Asha's disk is full").await?;
    for word in taken.split_whitespace() {
        bo.until_text(word).await.context("a word that Asha's window had taken")?;
    }
    both_type(asha, bo, " room").await?;
    the_same(&[asha.home.project(), bo.root().await?])
}

async fn a_moved_folder(asha: &Person, bo: &Person) -> Result<()> {
    let root = bo.root().await?;
    let elsewhere = root.with_file_name("elsewhere");
    fs::rename(&root, &elsewhere)?;
    bo.app().until_shown("banner-folder-gone", true).await?;
    bo.picture("folder-gone").await?;
    asha.write(" typed by Asha while Bo's folder is gone").await?;
    asha.until_on_disk("src/lexer.rs", |text| text.contains("while Bo's folder is gone")).await?;
    fs::rename(&elsewhere, &root)?;
    bo.app().until_shown("banner-folder-gone", false).await?;
    bo.until_text("typed by Asha while Bo's folder is gone").await?;
    both_type(asha, bo, " back").await?;
    the_same(&[asha.home.project(), root])
}

/// Bo's computer is put back to what it was: nothing on it knows better until Asha is met. Then MSG-STORE-1, and what was
/// done since comes back.
async fn a_backup(asha: &Person, bo: &mut Person) -> Result<()> {
    let root = bo.root().await?;
    // The workspace, and what the computer remembers of its store.
    let kept = [root.clone(), bo.home.config().join("stores")];
    let backups = [root.with_file_name("backup"), bo.home.config().join("stores-backup")];
    bo.app.take().context("Bo's window")?.quit().await?;
    kept.iter().zip(&backups).try_for_each(|(kept, backup)| copy(kept, backup))?;
    bo.start(&[&root]).await?;
    until_live([asha, bo]).await?;
    bo.open("src/lexer.rs").await?;
    both_type(asha, bo, " later").await?;
    bo.until_on_disk("src/lexer.rs", |text| text.contains("later'")).await?;
    bo.app.take().context("Bo's window")?.quit().await?;
    for (kept, backup) in kept.iter().zip(&backups) {
        fs::remove_dir_all(kept)?;
        copy(backup, kept)?;
    }
    bo.start(&[&root]).await?;
    bo.until_told("This folder's history is an older copy.").await?;
    until_live([asha, bo]).await?;
    bo.open("src/lexer.rs").await?;
    bo.picture("backup").await?;
    both_type(asha, bo, " again").await?;
    let text = asha.model_text().await?;
    ensure!(text.matches(" later").count() == 2 && bo.model_text().await? == text, "not once each: {text}");
    the_same(&[asha.home.project(), root])
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let status = Command::new("cp").arg("-a").args([from, to]).status()?;
    ensure!(status.success(), "{} could not be copied", from.display());
    Ok(())
}

impl Person {
    /// Waits until the text that is open has this in it.
    async fn until_text(&self, part: &str) -> Result<()> {
        let has = async || Ok(self.model_text().await?.contains(part));
        if until(part, has).await.is_err() {
            bail!("{} should have {part:?} and has {:?}", self.name, self.model_text().await?);
        }
        Ok(())
    }
}
