//! Two people on a network of their own: real `codesync` processes on hosts with real multicast (`codesync_lan`). One
//! argument names the scenarios to run.

#[path = "lan/person.rs"]
mod person;
#[path = "lan/seams.rs"]
mod seams;
#[path = "lan/typists.rs"]
mod typists;

use anyhow::{Context, Result, ensure};
use codesync_lan::{Lan, Scenario};
use person::{Person, read, wait_until};
use std::path::{Path, PathBuf};
use std::time::Duration;

fn main() -> Result<()> {
    codesync_lan::run_scenarios(SCENARIOS)
}

const SCENARIOS: &[Scenario] = &[
    ("a_code_lets_in_and_brings_everything", a_code_lets_in_and_brings_everything),
    ("both_edit_live_and_apart", both_edit_live_and_apart),
    ("from_now_on_without_the_past", from_now_on_without_the_past),
    ("an_address_does_without_multicast", an_address_does_without_multicast),
    ("an_address_asks_nobody_else", an_address_asks_nobody_else),
    ("three_wrong_tries_switch_the_code_off", three_wrong_tries_switch_the_code_off),
    ("a_viewer_changes_nothing_until_made_an_editor", a_viewer_changes_nothing_until_made_an_editor),
    ("a_copy_needs_an_empty_folder", a_copy_needs_an_empty_folder),
    ("a_code_that_holds_no_more_is_said_to", a_code_that_holds_no_more_is_said_to),
    ("a_store_put_back_under_newer_files_doubles_nothing", seams::a_store_put_back_under_newer_files_doubles_nothing),
    ("work_on_a_store_that_was_put_back_merges_later", seams::work_on_a_store_that_was_put_back_merges_later),
    ("who_is_let_in_again_goes_on_in_the_old_folder", seams::who_is_let_in_again_goes_on_in_the_old_folder),
    ("who_is_let_in_again_is_linked_by_itself", seams::who_is_let_in_again_is_linked_by_itself),
    ("who_is_removed_gets_nothing_more", seams::who_is_removed_gets_nothing_more),
    (
        "who_is_removed_while_away_hears_that_nobody_lets_them_in",
        seams::who_is_removed_while_away_hears_that_nobody_lets_them_in,
    ),
    ("who_is_removed_gets_nothing_from_those_they_let_in", seams::who_is_removed_gets_nothing_from_those_they_let_in),
    ("who_is_removed_and_killed_reads_of_no_backup", seams::who_is_removed_and_killed_reads_of_no_backup),
    ("all_goes_on_live_after_a_bundle_was_taken_in", seams::all_goes_on_live_after_a_bundle_was_taken_in),
    ("a_full_disk_hinders_nobody_else", seams::a_full_disk_hinders_nobody_else),
];

fn a_code_lets_in_and_brings_everything(lan: &Lan) -> Result<()> {
    let (asha, bo) = (Person::new(lan.host()?, "Asha")?, Person::new(lan.host()?, "Bo")?);
    let lab = asha.workspace("lab", &[("README.md", "hello\n"), ("src/main.rs", "fn main() {}\n")])?;
    asha.run(&lab, &["edit", "README.md"], "[5, 0, \" world\"]\n")?;
    let invited = asha.invite(&lab, &[])?;
    bo.run(&bo.home, &["join", &invited.code], "")?;
    let copy = bo.home.join("lab");
    ensure!(read(&copy, "README.md") == "hello world\n" && read(&copy, "src/main.rs") == "fn main() {}\n");
    // The whole history, delta by delta.
    let log = |person: &Person, folder: &Path| person.run(folder, &["log", "--json"], "");
    ensure!(log(&bo, &copy)?.contains("Asha"), "Asha's changes have no author");
    ensure!(bo.run(&copy, &["show", "README.md", "--at", "@1"], "")? == "hello\n" || !log(&bo, &copy)?.is_empty());
    let members = bo.run(&copy, &["members"], "")?;
    ensure!(members.contains("Asha") && members.contains("editor"), "{members}");
    // The names of their computers tell two people of one name apart, also whom this computer does not remember.
    std::fs::remove_file(bo.home.with_file_name("config").join("people.json"))?;
    let members = bo.run(&copy, &["members", "--json"], "")?;
    ensure!(members.matches("\"device_name\":\"").count() == 2, "{members}");
    bo.run(&copy, &["verify"], "").map(drop)
}

/// Two hosts: Asha with a workspace, and Bo who joined it and has a copy. Nobody serves.
struct Joined {
    asha: Person,
    bo: Person,
    lab: PathBuf,
    copy: PathBuf,
}

impl Joined {
    fn new(lan: &Lan, files: &[(&str, &str)], invite: &[&str]) -> Result<Self> {
        let (asha, bo) = (Person::new(lan.host()?, "Asha")?, Person::new(lan.host()?, "Bo")?);
        let lab = asha.workspace("lab", files)?;
        let invited = asha.invite(&lab, invite)?;
        bo.run(&bo.home, &["join", &invited.code], "")?;
        drop(invited);
        let copy = bo.home.join("lab");
        Ok(Self { asha, bo, lab, copy })
    }
}

fn both_edit_live_and_apart(lan: &Lan) -> Result<()> {
    let Joined { asha, bo, lab, copy } = Joined::new(lan, &[("a.txt", "one\ntwo\nthree\n")], &[])?;
    let (_at_asha, _at_bo) = (asha.serve(&lab)?, bo.serve(&copy)?);
    // One on the command line, the other with any other program.
    asha.run(&lab, &["edit", "a.txt"], "[0, 0, \"Asha \"]\n")?;
    wait_until("Asha's edit is in Bo's folder", || read(&copy, "a.txt").starts_with("Asha one"))?;
    std::fs::write(copy.join("a.txt"), "Asha one\ntwo\nthree and Bo\n")?;
    std::fs::write(copy.join("b.txt"), "new\n")?;
    wait_until("Bo's edits are in Asha's folder", || {
        read(&lab, "a.txt").ends_with("three and Bo\n") && read(&lab, "b.txt") == "new\n"
    })?;
    // The cable is pulled; both go on; it merges by itself.
    bo.host.unplug()?;
    asha.run(&lab, &["edit", "a.txt"], "[0, 0, \"A: \"]\n")?;
    bo.run(&copy, &["edit", "b.txt"], "[0, 0, \"B: \"]\n")?;
    bo.run(&copy, &["rename", "a.txt", "c.txt"], "")?;
    std::thread::sleep(Duration::from_secs(6));
    ensure!(!lab.join("c.txt").exists(), "it came without a cable");
    bo.host.plug_in()?;
    wait_until("all is everywhere", || {
        [&lab, &copy].iter().all(|folder| {
            read(folder, "c.txt").starts_with("A: Asha one")
                && read(folder, "b.txt") == "B: new\n"
                && read(folder, "a.txt").is_empty()
        })
    })?;
    let trees = [asha.run(&lab, &["tree"], "")?, bo.run(&copy, &["tree"], "")?];
    ensure!(trees[0] == trees[1], "{trees:?}");
    Ok(())
}

/// The secret is in the folder, in history, and in a file's name before the invitation; it goes nowhere.
fn from_now_on_without_the_past(lan: &Lan) -> Result<()> {
    let (asha, bo) = (Person::new(lan.host()?, "Asha")?, Person::new(lan.host()?, "Bo")?);
    let lab =
        asha.workspace("lab", &[("a.txt", "the secret of Asha\n"), ("secret.txt", "gone\n"), ("b.txt", "plain\n")])?;
    asha.run(&lab, &["edit", "a.txt"], "[4, 7, \"\"]\n")?;
    asha.run(&lab, &["delete", "secret.txt"], "")?;
    let invited = asha.invite_from_now(&lab, &[])?;
    bo.run(&bo.home, &["join", &invited.code], "")?;
    drop(invited);
    let copy = bo.home.join("lab");
    ensure!(read(&copy, "a.txt") == "the of Asha\n" && read(&copy, "b.txt") == "plain\n");
    ensure!(!copy.join("secret.txt").exists());
    let (at_asha, at_bo) = (asha.serve(&lab)?, bo.serve(&copy)?);
    asha.run(&lab, &["edit", "a.txt"], "[0, 0, \"Asha: \"]\n")?;
    wait_until("Asha's edit is in Bo's folder", || read(&copy, "a.txt") == "Asha: the of Asha\n")?;
    bo.run(&copy, &["edit", "a.txt"], "[0, 0, \"Bo, \"]\n")?;
    wait_until("Bo's edit is in Asha's folder", || read(&lab, "a.txt") == "Bo, Asha: the of Asha\n")?;
    ensure!(bo.run(&copy, &["show", "a.txt", "--at", "@0"], "")? == "the of Asha\n");
    let log = bo.run(&copy, &["log"], "")?;
    ensure!(!log.contains("secret"), "{log}");
    let members = bo.run(&copy, &["members"], "")?;
    ensure!(members.contains("Asha") && members.contains("editor"), "{members}");
    drop((at_asha, at_bo));
    bo.run(&copy, &["verify"], "")?;
    let stored = bytes_of(&copy.join(".codesync"))?;
    ensure!(!stored.windows(6).any(|bytes| bytes == b"secret"), "the past is in the copy");
    let trees = [asha.run(&lab, &["tree"], "")?, bo.run(&copy, &["tree"], "")?];
    ensure!(trees[0] == trees[1], "{trees:?}");
    Ok(())
}

/// All that is in a folder.
fn bytes_of(folder: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        bytes.extend(if path.is_dir() { bytes_of(&path)? } else { std::fs::read(&path)? });
    }
    Ok(bytes)
}

fn an_address_does_without_multicast(lan: &Lan) -> Result<()> {
    let (asha, bo) = (Person::new(lan.host()?, "Asha")?, Person::new(lan.host()?, "Bo")?);
    bo.host.block_multicast()?;
    asha.host.block_multicast()?;
    let lab = asha.workspace("lab", &[("a.txt", "text\n")])?;
    let invited = asha.invite(&lab, &[])?;
    let address = asha.host.address().to_string();
    bo.run(&bo.home, &["join", "--address", &address, &invited.code, "mine"], "")?;
    ensure!(read(&bo.home.join("mine"), "a.txt") == "text\n");
    let (code, said) = bo.try_run(&bo.home, &["join", "--address", "1.2.3", &invited.code, "more"], "")?;
    ensure!(code != 0 && said.contains("is no address"), "{said}");
    Ok(())
}

fn an_address_asks_nobody_else(lan: &Lan) -> Result<()> {
    let (asha, bo) = (Person::new(lan.host()?, "Asha")?, Person::new(lan.host()?, "Bo")?);
    let lab = asha.workspace("lab", &[("a.txt", "text\n")])?;
    let (invited, nobody) = (asha.invite(&lab, &[])?, lan.host()?.address().to_string());
    let (code, said) = bo.try_run(&bo.home, &["join", "--address", &nobody, &invited.wrong_code(), "x"], "")?;
    ensure!(code != 0 && said.contains("Nobody answers at"), "{said}");
    let (code, said) = bo.try_run(&bo.home, &["join", &invited.wrong_code(), "x"], "")?;
    ensure!(code != 0 && said.contains("2 tries left"), "a try was lost: {said}");
    Ok(())
}

fn three_wrong_tries_switch_the_code_off(lan: &Lan) -> Result<()> {
    let (asha, bo) = (Person::new(lan.host()?, "Asha")?, Person::new(lan.host()?, "Bo")?);
    let lab = asha.workspace("lab", &[("a.txt", "text\n")])?;
    let invited = asha.invite(&lab, &[])?;
    let (code, said) = bo.try_run(&bo.home, &["join", "7-notawordofours-either", "x"], "")?;
    ensure!(code != 0 && said.contains("isn't one of our words"), "{said}");
    let wrong = invited.wrong_code();
    for left in ["2 tries left", "1 try left", "switched off"] {
        let (code, said) = bo.try_run(&bo.home, &["join", &wrong, "x"], "")?;
        ensure!(code != 0 && said.contains(left), "not “{left}”: {said}");
    }
    ensure!(!bo.home.join("x").exists(), "something was shared");
    Ok(())
}

fn a_viewer_changes_nothing_until_made_an_editor(lan: &Lan) -> Result<()> {
    let Joined { asha, bo, lab, copy } = Joined::new(lan, &[("a.txt", "text\n")], &["--role", "viewer"])?;
    let (_at_asha, _at_bo) = (asha.serve(&lab)?, bo.serve(&copy)?);
    let (code, said) = bo.try_run(&copy, &["edit", "a.txt"], "[0, 0, \"Bo \"]\n")?;
    ensure!(code != 0 && said.contains("You're a viewer here."), "{said}");
    std::fs::write(copy.join("mine.txt"), "by hand\n")?;
    asha.run(&lab, &["edit", "a.txt"], "[0, 0, \"Asha \"]\n")?;
    wait_until("a viewer sees what others do", || read(&copy, "a.txt") == "Asha text\n")?;
    ensure!(!lab.join("mine.txt").exists());
    // Nor where both changed one file: one edit of a viewer's, and nobody takes anything of that log any more.
    std::fs::write(copy.join("a.txt"), "Asha text\nby hand\n")?;
    asha.run(&lab, &["edit", "a.txt"], "[0, 0, \"More of \"]\n")?;
    let is_told = || bo.run(&copy, &["status"], "").is_ok_and(|said| said.contains("You're a viewer here."));
    wait_until("a viewer hears why a file is not written", is_told)?;
    ensure!(read(&copy, "a.txt") == "Asha text\nby hand\n");
    asha.run(&lab, &["role", "Bo", "editor"], "")?;
    wait_until("an editor's changes come", || read(&lab, "a.txt") == "More of Asha text\nby hand\n")?;
    let come = wait_until("an editor's files come", || read(&lab, "mine.txt") == "by hand\n");
    come.with_context(|| format!("{:?} {:?}", bo.run(&copy, &["members"], ""), bo.run(&copy, &["log"], "")))?;
    asha.run(&lab, &["remove", "Bo"], "")?;
    wait_until("Bo hears of it", || bo.run(&copy, &["members"], "").is_ok_and(|said| said.contains("removed")))?;
    // The copy stays Bo's to work on; nothing of that comes here any more.
    bo.run(&copy, &["edit", "a.txt"], "[0, 0, \"alone \"]\n")?;
    wait_until("Bo works alone", || read(&copy, "a.txt").starts_with("alone "))?;
    std::thread::sleep(Duration::from_millis(500));
    ensure!(!read(&lab, "a.txt").contains("alone"), "what somebody wrote who was removed came here");
    asha.run(&lab, &["edit", "a.txt"], "[0, 0, \"Now \"]\n")?;
    // Let in again, in a new folder: the old one keeps what was done alone.
    let invited = asha.invite(&lab, &["--role", "editor"])?;
    let again = bo.home.join("again");
    bo.run(&bo.home, &["join", &invited.code, "again"], "")?;
    drop(invited);
    let _again = bo.serve(&again)?;
    wait_until("the second copy is whole", || read(&again, "a.txt").starts_with("Now "))?;
    bo.run(&again, &["edit", "a.txt"], "[0, 0, \"Back \"]\n")?;
    wait_until("who is let in again is heard", || read(&lab, "a.txt").starts_with("Back "))
}

fn a_code_that_holds_no_more_is_said_to(lan: &Lan) -> Result<()> {
    let (asha, bo) = (Person::new(lan.host()?, "Asha")?, Person::new(lan.host()?, "Bo")?);
    let lab = asha.workspace("lab", &[("a.txt", "text\n")])?;
    let serving = asha.serve(&lab)?;
    let first = asha.invite(&lab, &[])?;
    let second = asha.invite(&lab, &[])?;
    first.staying.wait("\"replaced\"")?;
    ensure!(first.staying.ended()? == 1, "the first code ends as if it had held");
    // Its end ended nobody else's code.
    bo.run(&bo.home, &["join", &second.code], "")?;
    second.staying.wait("\"used\"")?;
    let third = asha.invite(&lab, &[])?;
    drop(serving);
    third.staying.wait("\"gone\"")?;
    ensure!(third.staying.ended()? == 1, "a code ends with its process as if it had held");
    Ok(())
}

fn a_copy_needs_an_empty_folder(lan: &Lan) -> Result<()> {
    let bo = Person::new(lan.host()?, "Bo")?;
    std::fs::write(bo.home.join("something"), "")?;
    let (code, said) = bo.try_run(&bo.home, &["join", "7-crossover-clockwork", "."], "")?;
    ensure!(code != 0 && (said.contains("already has files") || said.contains("isn't one of our words")), "{said}");
    Ok(())
}
