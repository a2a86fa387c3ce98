//! Where folder, store and membership meet, between real peers: a store that was put back, somebody who is let in again,
//! a disk that is full.

use crate::Joined;
use crate::person::{Person, Staying, read, wait_until};
use crate::typists::{Line, digest, settle_digests};
use anyhow::{Context, Result, ensure};
use codesync_lan::Lan;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Replaces a folder by what another has.
fn replace(folder: &Path, by: &Path) -> Result<()> {
    fs::remove_dir_all(folder).or_else(|error| if folder.exists() { Err(error) } else { Ok(()) })?;
    let copied = Command::new("cp").arg("-a").arg(by).arg(folder).status()?;
    ensure!(copied.success(), "{} could not be copied", by.display());
    Ok(())
}

/// Asha and Bo with a workspace, and a backup of Bo's store: what both did since is in their folders, and of Bo's store
/// the backup is what is left. Nobody serves.
struct PutBack {
    asha: Person,
    bo: Person,
    lab: PathBuf,
    copy: PathBuf,
}

impl PutBack {
    fn new(lan: &Lan) -> Result<Self> {
        let files = [("a.txt", "one\ntwo\nthree\n"), ("c.txt", "gone soon\n")];
        let Joined { asha, bo, lab, copy } = Joined::new(lan, &files, &[])?;
        let backup = bo.home.join("backup");
        bo.run(&copy, &["edit", "a.txt"], "[0, 0, \"Bo \"]\n")?;
        replace(&backup, &copy.join(".codesync"))?;
        let (at_asha, at_bo) = (asha.serve(&lab)?, bo.serve(&copy)?);
        bo.run(&copy, &["edit", "a.txt"], "[3, 3, \"1\"]\n[5, 3, \"second\"]\n")?;
        fs::write(copy.join("b.txt"), "begun\n")?;
        wait_until("Bo's edits are at Asha's", || {
            read(&lab, "a.txt") == "Bo 1\nsecond\nthree\n" && read(&lab, "b.txt") == "begun\n"
        })?;
        asha.run(&lab, &["edit", "a.txt"], "[12, 5, \"last\"]\n")?;
        bo.run(&copy, &["edit", "b.txt"], "[5, 0, \" by Bo\"]\n")?;
        bo.run(&copy, &["delete", "c.txt"], "")?;
        let folders = [lab.clone(), copy.clone()];
        settle_digests(&folders)?;
        drop((at_asha, at_bo));
        let this = Self { asha, bo, lab, copy };
        this.is_everywhere("Bo 1\nsecond\nlast\n", "begun by Bo\n")?;
        replace(&this.copy.join(".codesync"), &backup)?;
        Ok(this)
    }

    /// What both folders and both histories have, but for that it may still be on its way to the folder.
    fn is_everywhere(&self, a: &str, b: &str) -> Result<()> {
        let has = |folder: &Path| read(folder, "a.txt") == a && read(folder, "b.txt") == b;
        let come = wait_until("both folders have the same", || has(&self.lab) && has(&self.copy));
        come.with_context(|| {
            let at = |folder: &Path| (read(folder, "a.txt"), read(folder, "b.txt"));
            format!("{:?} {:?}", at(&self.lab), at(&self.copy))
        })?;
        let names = |folder: &Path| -> Result<Vec<String>> {
            let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
            let mut names: Vec<String> = entries.collect::<Result<_>>()?;
            names.sort();
            Ok(names)
        };
        for folder in [&self.lab, &self.copy] {
            ensure!(names(folder)? == [".codesync", "a.txt", "b.txt"], "{:?}", names(folder)?);
        }
        Ok(())
    }
}

/// The folder has what the store has lost, and so have others: it comes once.
pub fn a_store_put_back_under_newer_files_doubles_nothing(lan: &Lan) -> Result<()> {
    let both = PutBack::new(lan)?;
    let (asha, bo) = (both.asha.serve(&both.lab)?, both.bo.serve(&both.copy)?);
    settle_digests(&[both.lab.clone(), both.copy.clone()])?;
    wait_until("all are together", || {
        both.bo.run(&both.copy, &["show", "b.txt"], "").is_ok_and(|text| text == "begun by Bo\n")
    })?;
    std::thread::sleep(Duration::from_secs(1));
    settle_digests(&[both.lab.clone(), both.copy.clone()])?;
    both.is_everywhere("Bo 1\nsecond\nlast\n", "begun by Bo\n")?;
    drop((asha, bo));
    both.bo.run(&both.copy, &["verify"], "").map(drop)
}

/// The same where nobody is there at first: both work on meanwhile.
pub fn work_on_a_store_that_was_put_back_merges_later(lan: &Lan) -> Result<()> {
    let both = PutBack::new(lan)?;
    let bo = both.bo.serve(&both.copy)?;
    both.bo.run(&both.copy, &["edit", "a.txt"], "[3, 1, \"first\"]\n[15, 0, \" of all\"]\n")?;
    both.bo.run(&both.copy, &["edit", "b.txt"], "[0, 0, \"Was \"]\n")?;
    drop(bo);
    both.asha.run(&both.lab, &["edit", "a.txt"], "[12, 4, \"the end\"]\n")?;
    let (asha, bo) = (both.asha.serve(&both.lab)?, both.bo.serve(&both.copy)?);
    wait_until("they are together", || read(&both.copy, "a.txt").contains("the end"))?;
    std::thread::sleep(Duration::from_secs(1));
    settle_digests(&[both.lab.clone(), both.copy.clone()])?;
    both.is_everywhere("Bo first\nsecond of all\nthe end\n", "Was begun by Bo\n")?;
    drop((asha, bo));
    both.bo.run(&both.copy, &["verify"], "").map(drop)
}

/// Asha and Bo with a workspace, both serving, from which Bo was removed and knows it.
struct Removed {
    asha: Person,
    bo: Person,
    lab: PathBuf,
    copy: PathBuf,
    at_asha: Staying,
    at_bo: Option<Staying>,
}

impl Removed {
    fn new(lan: &Lan) -> Result<Self> {
        let Joined { asha, bo, lab, copy } = Joined::new(lan, &[("a.txt", "one\ntwo\nthree\n")], &[])?;
        let (at_asha, at_bo) = (asha.serve(&lab)?, Some(bo.serve(&copy)?));
        bo.run(&copy, &["edit", "a.txt"], "[0, 0, \"Bo: \"]\n")?;
        wait_until("Bo's edit is at Asha's", || read(&lab, "a.txt").starts_with("Bo: one"))?;
        asha.run(&lab, &["remove", "Bo"], "")?;
        wait_until("Bo hears of it", || bo.run(&copy, &["members"], "").is_ok_and(|said| said.contains("removed")))?;
        // Each goes on alone.
        bo.run(&copy, &["edit", "a.txt"], "[4, 3, \"alone\"]\n")?;
        fs::write(copy.join("mine.txt"), "made alone\n")?;
        wait_until("Bo works alone", || {
            bo.run(&copy, &["show", "mine.txt"], "").is_ok_and(|text| text.contains("alone"))
        })?;
        asha.run(&lab, &["edit", "a.txt"], "[8, 3, \"second\"]\n")?;
        ensure!(!lab.join("mine.txt").exists() && !read(&lab, "a.txt").contains("alone"));
        Ok(Self { asha, bo, lab, copy, at_asha, at_bo })
    }

    /// Both have what Asha had, and what Bo did since he is back; what he did alone is kept at his.
    fn check(self, said: &str) -> Result<()> {
        let Self { asha, bo, lab, copy, .. } = &self;
        let come = wait_until("Bo has what Asha did", || read(copy, "a.txt") == "Bo: one\nsecond\nthree\n");
        come.with_context(|| format!("{:?} {:?}", read(copy, "a.txt"), bo.run(copy, &["members"], "")))?;
        ensure!(!copy.join("mine.txt").exists(), "others would never have it");
        bo.run(copy, &["edit", "a.txt"], "[4, 3, \"first\"]\n")?;
        fs::write(copy.join("new.txt"), "by Bo\n")?;
        asha.run(lab, &["edit", "a.txt"], "[15, 5, \"last\"]\n").map(drop)?;
        let has_all = |folder: &Path| read(folder, "new.txt") == "by Bo\n" && read(folder, "a.txt").contains("first");
        wait_until("Bo is heard again", || has_all(lab) && has_all(copy))?;
        settle_digests(&[lab.clone(), copy.clone()])?;
        wait_until("the folders are equal", || read(lab, "a.txt") == read(copy, "a.txt"))?;
        // What he did alone is kept, and he is told where.
        let (_, kept) = said.split_once("They are kept in “").with_context(|| said.to_owned())?;
        let kept = Path::new(kept.split('”').next().unwrap_or_default());
        ensure!(read(kept, "a.txt") == "Bo: alone\ntwo\nthree\n" && read(kept, "mine.txt") == "made alone\n", "{said}");
        drop((self.at_asha, self.at_bo));
        self.asha.run(&self.lab, &["verify"], "")?;
        self.bo.run(&self.copy, &["verify"], "").map(drop)
    }
}

pub fn who_is_let_in_again_goes_on_in_the_old_folder(lan: &Lan) -> Result<()> {
    let mut both = Removed::new(lan)?;
    drop(both.at_bo.take());
    let invited = both.asha.invite(&both.lab, &["--role", "editor"])?;
    let said = both.bo.run(&both.bo.home, &["join", &invited.code, "lab"], "")?;
    drop(invited);
    both.at_bo = Some(both.bo.serve(&both.copy)?);
    both.check(&said)
}

/// Nothing is started anew at either end.
pub fn who_is_let_in_again_is_linked_by_itself(lan: &Lan) -> Result<()> {
    let both = Removed::new(lan)?;
    let invited = both.asha.invite(&both.lab, &["--role", "editor"])?;
    let said = both.bo.run(&both.bo.home, &["join", &invited.code, "lab"], "")?;
    drop(invited);
    both.check(&said)
}

/// Over the link that stood when he was removed nothing comes to Bo any more, and neither counts the other as there.
pub fn who_is_removed_gets_nothing_more(lan: &Lan) -> Result<()> {
    let both = Removed::new(lan)?;
    let together = |folder: &Path| Line::open(folder).and_then(|mut line| line.ask("together", Value::Null));
    let is_alone = |folder: &Path| {
        let told = together(folder).unwrap_or_default();
        let members = told["value"]["members"].as_array().cloned().unwrap_or_default();
        members.len() == 2 && members.iter().all(|member| member["isConnected"] == false)
    };
    wait_until("their link is over", || is_alone(&both.lab) && is_alone(&both.copy))?;
    // Bo is told who did it.
    ensure!(together(&both.copy)?["value"]["removedBy"] == "Asha", "{}", together(&both.copy)?);
    ensure!(together(&both.lab)?["value"]["removedBy"].is_null(), "{}", together(&both.lab)?);
    let before = digest(&both.copy)?;
    both.asha.run(&both.lab, &["edit", "a.txt"], "[0, 0, \"after Bo \"]\n")?;
    std::thread::sleep(Duration::from_secs(3));
    ensure!(digest(&both.copy)? == before, "what was done after Bo was removed came to him");
    ensure!(is_alone(&both.lab), "Bo is there again");
    drop((both.at_asha, both.at_bo));
    Ok(())
}

/// Nothing more is sent to Bo, so he has it from nobody that he was removed.
pub fn who_is_removed_while_away_hears_that_nobody_lets_them_in(lan: &Lan) -> Result<()> {
    let Joined { asha, bo, lab, copy } = Joined::new(lan, &[("a.txt", "one\n")], &[])?;
    let _at_asha = asha.serve(&lab)?;
    asha.run(&lab, &["remove", "Bo"], "")?;
    let again = asha.try_run(&lab, &["remove", "Bo"], "")?;
    ensure!(again.0 != 0 && again.1.contains("They don't take part any more."), "{again:?}");
    let _at_bo = bo.serve(&copy)?;
    wait_until("Bo hears that he is not let in", || link_of(&copy)["id"] == "MSG-PEER-6")?;
    // It stays said, though his computer goes on asking.
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(150));
        ensure!(link_of(&copy)["kind"] == "needsYou", "{}", link_of(&copy));
    }
    bo.run(&copy, &["edit", "a.txt"], "[0, 0, \"alone \"]\n")?;
    wait_until("Bo works alone", || read(&copy, "a.txt") == "alone one\n")?;
    ensure!(read(&lab, "a.txt") == "one\n", "what somebody wrote who was removed came here");
    Ok(())
}

fn link_of(folder: &Path) -> Value {
    let told = Line::open(folder).and_then(|mut line| line.ask("together", Value::Null));
    told.unwrap_or_default()["value"]["link"].clone()
}

/// Bo, an owner, lets Chidi in, and is removed: that he was Chidi's host counts no more.
pub fn who_is_removed_gets_nothing_from_those_they_let_in(lan: &Lan) -> Result<()> {
    let Joined { asha, bo, lab, copy } = Joined::new(lan, &[("a.txt", "one\n")], &["--role", "owner"])?;
    let chidi = Person::new(lan.host()?, "Chidi")?;
    let (_at_asha, at_bo) = (asha.serve(&lab)?, bo.serve(&copy)?);
    let invited = bo.invite(&copy, &[])?;
    chidi.run(&chidi.home, &["join", &invited.code, "copy"], "")?;
    let third = chidi.home.join("copy");
    let _at_chidi = chidi.serve(&third)?;
    wait_until("Asha knows Chidi", || asha.run(&lab, &["members"], "").is_ok_and(|said| said.contains("Chidi")))?;
    // While Bo is away.
    at_bo.kill();
    asha.run(&lab, &["remove", "Bo"], "")?;
    wait_until("Chidi hears of it", || chidi.run(&third, &["members"], "").is_ok_and(|said| said.contains("removed")))?;
    asha.run(&lab, &["edit", "a.txt"], "[0, 0, \"after Bo \"]\n")?;
    wait_until("Chidi has it", || read(&third, "a.txt") == "after Bo one\n")?;
    let _at_bo = bo.serve(&copy)?;
    std::thread::sleep(Duration::from_secs(4));
    ensure!(read(&copy, "a.txt") == "one\n", "what was done after Bo was removed came to him");
    Ok(())
}

/// The program ends before it is at rest once: the log that Bo goes on in is one that his computer knows of.
pub fn who_is_removed_and_killed_reads_of_no_backup(lan: &Lan) -> Result<()> {
    let Joined { asha, bo, lab, copy } = Joined::new(lan, &[("a.txt", "one\n")], &[])?;
    let (_at_asha, at_bo) = (asha.serve(&lab)?, bo.serve(&copy)?);
    bo.run(&copy, &["edit", "a.txt"], "[0, 0, \"Bo \"]\n")?;
    wait_until("Bo's edit is at Asha's", || read(&lab, "a.txt") == "Bo one\n")?;
    asha.run(&lab, &["remove", "Bo"], "")?;
    wait_until("Bo hears of it", || bo.run(&copy, &["members"], "").is_ok_and(|said| said.contains("removed")))?;
    at_bo.kill();
    let said = bo.run(&copy, &["verify"], "")?;
    ensure!(!said.contains("older copy"), "{said}");
    Ok(())
}

/// The engine is another one after that; the links are, too.
pub fn all_goes_on_live_after_a_bundle_was_taken_in(lan: &Lan) -> Result<()> {
    let Joined { asha, bo, lab, copy } = Joined::new(lan, &[("a.txt", "one\n")], &[])?;
    let (_at_asha, _at_bo) = (asha.serve(&lab)?, bo.serve(&copy)?);
    asha.run(&lab, &["edit", "a.txt"], "[0, 0, \"Asha \"]\n")?;
    wait_until("Asha's edit is at Bo's", || read(&copy, "a.txt") == "Asha one\n")?;
    let bundle = asha.home.join("lab.codesync-replay");
    let mut window = Line::open(&lab)?;
    window.ask("exportBundle", json!({ "file": bundle }))?;
    window.ask("importBundle", json!({ "file": bundle }))?;
    asha.run(&lab, &["edit", "a.txt"], "[5, 0, \"again \"]\n")?;
    bo.run(&copy, &["edit", "a.txt"], "[0, 0, \"Bo, \"]\n")?;
    wait_until("all is at both", || [&lab, &copy].iter().all(|folder| read(folder, "a.txt") == "Bo, Asha again one\n"))
}

/// A disk of its own, which goes with this.
struct Disk(PathBuf);

impl Disk {
    fn new(at: &Path, size: &str) -> Result<Self> {
        fs::create_dir_all(at)?;
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "none"]).arg(at).status()?;
        ensure!(mounted.success(), "no disk at {}", at.display());
        Ok(Self(at.to_path_buf()))
    }

    fn fill(&self) -> Result<()> {
        let mut file = fs::File::create(self.0.join("fill"))?;
        for n_bytes in [1 << 16, 1 << 10, 1] {
            let piece = vec![1; n_bytes];
            while file.write_all(&piece).is_ok() {}
        }
        Ok(())
    }

    fn free(&self) -> Result<()> {
        Ok(fs::remove_file(self.0.join("fill"))?)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // It ends with the namespace at the latest.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Bo's disk is full while Asha works: she does not notice, and he has all of it once there is room.
pub fn a_full_disk_hinders_nobody_else(lan: &Lan) -> Result<()> {
    let (asha, bo) = (Person::new(lan.host()?, "Asha")?, Person::new(lan.host()?, "Bo")?);
    let lab = asha.workspace("lab", &[("a.txt", "one\n"), ("b.txt", "")])?;
    let place = bo.home.join("disk");
    let disk = Disk::new(&place, "48m")?;
    let invited = asha.invite(&lab, &[])?;
    bo.run(&place, &["join", &invited.code], "")?;
    drop(invited);
    let copy = place.join("lab");
    let (at_asha, at_bo) = (asha.serve(&lab)?, bo.serve(&copy)?);
    bo.run(&copy, &["edit", "a.txt"], "[0, 0, \"Bo \"]\n")?;
    wait_until("they are together", || read(&lab, "a.txt") == "Bo one\n")?;
    disk.fill()?;
    // More than what is kept in reserve for such a day, from both sides.
    let text: String = (0..4_000).map(|n: u64| format!("{:016x} ", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    let (mut n_texts, began) = (0, Instant::now());
    let refusal = loop {
        ensure!(began.elapsed() < Duration::from_secs(20), "the disk is never full");
        n_texts += 1;
        fs::write(lab.join(format!("t{n_texts}.txt")), format!("{n_texts}\n{text}"))?;
        let (code, said) = bo.try_run(&copy, &["edit", "b.txt"], &format!("[0, 0, \"<{n_texts}>{text}\"]\n"))?;
        if code != 0 {
            break said;
        }
    };
    ensure!(refusal.contains("disk is full"), "{refusal}");
    let began = Instant::now();
    asha.run(&lab, &["edit", "a.txt"], "[7, 0, \"Asha goes on\\n\"]\n")?;
    println!("  {n_texts} texts; Asha's edit took {:.2} s", began.elapsed().as_secs_f32());
    let said = asha.run(&lab, &["status"], "")?;
    ensure!(said.contains("everything"), "{said}");
    disk.free()?;
    wait_until("Bo has all of it", || read(&copy, "a.txt").ends_with("one\nAsha goes on\n"))?;
    bo.run(&copy, &["edit", "a.txt"], "[0, 0, \"back: \"]\n")?;
    settle_digests(&[lab.clone(), copy.clone()])?;
    wait_until("both folders have the same", || {
        let names = (1..=n_texts).map(|n| format!("t{n}.txt")).chain(["a.txt", "b.txt"].map(str::to_owned));
        names.into_iter().all(|name| read(&lab, &name) == read(&copy, &name))
            && read(&lab, "a.txt").starts_with("back: ")
    })?;
    // All that Bo was told is kept; what was refused may have waited, and is there at most once.
    let typed = read(&lab, "b.txt");
    ensure!((1..n_texts).all(|n| typed.matches(&format!("<{n}>")).count() == 1), "{n_texts}");
    ensure!(typed.matches(&format!("<{n_texts}>")).count() <= 1);
    drop((at_asha, at_bo));
    bo.run(&copy, &["verify"], "")?;
    Ok(())
}
