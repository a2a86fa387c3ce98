//! Two people on a network of their own: real `codesync` processes on hosts with real multicast (`codesync_lan`). One
//! argument names the scenarios to run.

use anyhow::{Context, Result, bail, ensure};
use codesync_lan::{Host, Lan, Scenario};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

fn main() -> Result<()> {
    codesync_lan::run_scenarios(SCENARIOS)
}

const SCENARIOS: &[Scenario] = &[
    ("a_code_lets_in_and_brings_everything", a_code_lets_in_and_brings_everything),
    ("both_edit_live_and_apart", both_edit_live_and_apart),
    ("an_address_does_without_multicast", an_address_does_without_multicast),
    ("three_wrong_tries_switch_the_code_off", three_wrong_tries_switch_the_code_off),
    ("a_viewer_changes_nothing_until_made_an_editor", a_viewer_changes_nothing_until_made_an_editor),
    ("a_copy_needs_an_empty_folder", a_copy_needs_an_empty_folder),
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
    bo.run(&copy, &["verify"], "").map(drop)
}

fn both_edit_live_and_apart(lan: &Lan) -> Result<()> {
    let (asha, bo) = (Person::new(lan.host()?, "Asha")?, Person::new(lan.host()?, "Bo")?);
    let lab = asha.workspace("lab", &[("a.txt", "one\ntwo\nthree\n")])?;
    let invited = asha.invite(&lab, &[])?;
    bo.run(&bo.home, &["join", &invited.code], "")?;
    drop(invited);
    let copy = bo.home.join("lab");
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
    let (asha, bo) = (Person::new(lan.host()?, "Asha")?, Person::new(lan.host()?, "Bo")?);
    let lab = asha.workspace("lab", &[("a.txt", "text\n")])?;
    let invited = asha.invite(&lab, &["--role", "viewer"])?;
    bo.run(&bo.home, &["join", &invited.code], "")?;
    drop(invited);
    let copy = bo.home.join("lab");
    let (_at_asha, _at_bo) = (asha.serve(&lab)?, bo.serve(&copy)?);
    let (code, said) = bo.try_run(&copy, &["edit", "a.txt"], "[0, 0, \"Bo \"]\n")?;
    ensure!(code != 0 && said.contains("You're a viewer here."), "{said}");
    std::fs::write(copy.join("mine.txt"), "by hand\n")?;
    asha.run(&lab, &["edit", "a.txt"], "[0, 0, \"Asha \"]\n")?;
    wait_until("a viewer sees what others do", || read(&copy, "a.txt") == "Asha text\n")?;
    ensure!(!lab.join("mine.txt").exists());
    asha.run(&lab, &["role", "Bo", "editor"], "")?;
    let come = wait_until("an editor's files come", || read(&lab, "mine.txt") == "by hand\n");
    come.with_context(|| format!("{:?} {:?}", bo.run(&copy, &["members"], ""), bo.run(&copy, &["log"], "")))?;
    asha.run(&lab, &["remove", "Bo"], "")?;
    wait_until("Bo hears of it", || {
        bo.try_run(&copy, &["edit", "a.txt"], "[0, 0, \"x\"]\n").is_ok_and(|(code, _)| code != 0)
    })
}

fn a_copy_needs_an_empty_folder(lan: &Lan) -> Result<()> {
    let bo = Person::new(lan.host()?, "Bo")?;
    std::fs::write(bo.home.join("something"), "")?;
    let (code, said) = bo.try_run(&bo.home, &["join", "7-crossover-clockwork", "."], "")?;
    ensure!(code != 0 && (said.contains("already has files") || said.contains("isn't one of our words")), "{said}");
    Ok(())
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_default()
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) -> Result<()> {
    let began = Instant::now();
    while !is_so() {
        ensure!(began.elapsed() < Duration::from_secs(10), "not within ten seconds: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
    println!("  {what}: {:.2} s", began.elapsed().as_secs_f32());
    Ok(())
}

/// Somebody at a computer of their own.
struct Person {
    host: Host,
    name: &'static str,
    home: PathBuf,
    _temp: TempFolder,
}

struct TempFolder(PathBuf);

impl Drop for TempFolder {
    fn drop(&mut self) {
        // Left for looking at when it cannot be removed.
        std::fs::remove_dir_all(&self.0).unwrap_or_default();
    }
}

impl Person {
    fn new(host: Host, name: &'static str) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("codesync-lan-{}-{}", std::process::id(), host.address()));
        let home = folder.join("home");
        std::fs::create_dir_all(&home)?;
        Ok(Self { host, name, home, _temp: TempFolder(folder) })
    }

    fn command(&self, folder: &Path, words: &[&str]) -> Command {
        let mut command = self.host.command(env!("CARGO_BIN_EXE_codesync"));
        command
            .args(words)
            .current_dir(folder)
            .env("CODESYNC_PERSON", self.name)
            .env("CODESYNC_CONFIG_DIR", self.home.with_file_name("config"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn try_run(&self, folder: &Path, words: &[&str], input: &str) -> Result<(i32, String)> {
        use std::io::Write;
        let mut child = self.command(folder, words).spawn()?;
        child.stdin.take().context("input")?.write_all(input.as_bytes())?;
        let output = child.wait_with_output()?;
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned()))
    }

    fn run(&self, folder: &Path, words: &[&str], input: &str) -> Result<String> {
        let (code, said) = self.try_run(folder, words, input)?;
        ensure!(code == 0, "{}: codesync {words:?} ended with {code}: {said}", self.name);
        Ok(said)
    }

    fn workspace(&self, name: &str, files: &[(&str, &str)]) -> Result<PathBuf> {
        let folder = self.home.join(name);
        for (path, text) in files {
            let file = folder.join(path);
            std::fs::create_dir_all(file.parent().context("folder")?)?;
            std::fs::write(file, text)?;
        }
        self.run(&folder, &["init"], "")?;
        Ok(folder)
    }

    fn invite(&self, folder: &Path, words: &[&str]) -> Result<Invited> {
        let staying = Staying::start(self.command(folder, &[&["invite", "--json"], words].concat()))?;
        let line = staying.wait("\"invited\"")?;
        let said: Value = serde_json::from_str(&line)?;
        let code = said["code"].as_str().context("a code")?.to_owned();
        Ok(Invited { code, _staying: staying })
    }

    fn serve(&self, folder: &Path) -> Result<Staying> {
        let staying = Staying::start(self.command(folder, &["serve"]))?;
        staying.wait("Following")?;
        Ok(staying)
    }
}

struct Invited {
    code: String,
    _staying: Staying,
}

impl Invited {
    /// The same digit and another second word.
    fn wrong_code(&self) -> String {
        let words: Vec<&str> = self.code.split('-').collect();
        let other = if words[2] == "harbor" { "violin" } else { "harbor" };
        format!("{}-{}-{other}", words[0], words[1])
    }
}

/// A process that goes on until this is dropped.
struct Staying {
    process: Child,
    lines: mpsc::Receiver<String>,
}

impl Staying {
    fn start(mut command: Command) -> Result<Self> {
        let mut process = command.stderr(Stdio::inherit()).spawn()?;
        let output = BufReader::new(process.stdout.take().context("output")?);
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || output.lines().map_while(|line| line.ok()).try_for_each(|line| sender.send(line)));
        Ok(Self { process, lines })
    }

    fn wait(&self, part: &str) -> Result<String> {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains(part) => return Ok(line),
                Ok(_) => {}
                Err(_) => bail!("nothing with “{part}” was said"),
            }
        }
    }
}

impl Drop for Staying {
    fn drop(&mut self) {
        // As a person does: Ctrl+C, so that the workspace is let go.
        let interrupted = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        if !interrupted.is_ok_and(|status| status.success()) {
            self.process.kill().unwrap_or_default();
        }
        let _ = self.process.wait();
    }
}
