//! Somebody at a computer of their own, for tests with real `codesync` processes on a network: starts them, and looks at
//! their folders. Each test program uses what it needs of it.
#![allow(dead_code)]

use anyhow::{Context, Result, bail, ensure};
use codesync_lan::Host;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

pub fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_default()
}

pub fn wait_until(what: &str, is_so: impl Fn() -> bool) -> Result<()> {
    let began = Instant::now();
    while !is_so() {
        ensure!(began.elapsed() < Duration::from_secs(10), "not within ten seconds: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
    println!("  {what}: {:.2} s", began.elapsed().as_secs_f32());
    Ok(())
}

/// The command line under test: the one just built; for tests of another package, the one beside their own program.
fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("CODESYNC_COMMAND_PROGRAM") {
        return named.into();
    }
    let beside = || Some(std::env::current_exe().ok()?.parent()?.parent()?.join("codesync"));
    option_env!("CARGO_BIN_EXE_codesync").map(PathBuf::from).or_else(beside).unwrap_or("codesync".into())
}

/// Somebody at a computer of their own.
pub struct Person {
    pub host: Host,
    name: &'static str,
    pub home: PathBuf,
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
    pub fn new(host: Host, name: &'static str) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("codesync-lan-{}-{}", std::process::id(), host.address()));
        let home = folder.join("home");
        std::fs::create_dir_all(&home)?;
        Ok(Self { host, name, home, _temp: TempFolder(folder) })
    }

    pub fn command(&self, folder: &Path, words: &[&str]) -> Command {
        let mut command = self.host.command(program());
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

    pub fn try_run(&self, folder: &Path, words: &[&str], input: &str) -> Result<(i32, String)> {
        use std::io::Write;
        let mut child = self.command(folder, words).spawn()?;
        child.stdin.take().context("input")?.write_all(input.as_bytes())?;
        let output = child.wait_with_output()?;
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned()))
    }

    pub fn run(&self, folder: &Path, words: &[&str], input: &str) -> Result<String> {
        let (code, said) = self.try_run(folder, words, input)?;
        ensure!(code == 0, "{}: codesync {words:?} ended with {code}: {said}", self.name);
        Ok(said)
    }

    pub fn workspace(&self, name: &str, files: &[(&str, &str)]) -> Result<PathBuf> {
        let folder = self.home.join(name);
        for (path, text) in files {
            let file = folder.join(path);
            std::fs::create_dir_all(file.parent().context("folder")?)?;
            std::fs::write(file, text)?;
        }
        self.run(&folder, &["init"], "")?;
        Ok(folder)
    }

    /// With the past.
    pub fn invite(&self, folder: &Path, words: &[&str]) -> Result<Invited> {
        self.invite_from_now(folder, &[&["--share-past"], words].concat())
    }

    pub fn invite_from_now(&self, folder: &Path, words: &[&str]) -> Result<Invited> {
        let staying = Staying::start(self.command(folder, &[&["invite", "--json"], words].concat()))?;
        let line = staying.wait("\"invited\"")?;
        let said: Value = serde_json::from_str(&line)?;
        ensure!(said["shares_past"] == words.contains(&"--share-past"), "{said}");
        let code = said["code"].as_str().context("a code")?.to_owned();
        Ok(Invited { code, staying })
    }

    pub fn serve(&self, folder: &Path) -> Result<Staying> {
        let staying = Staying::start(self.command(folder, &["serve"]))?;
        staying.wait("Following")?;
        Ok(staying)
    }
}

pub struct Invited {
    pub code: String,
    pub staying: Staying,
}

impl Invited {
    /// The same digit and another second word.
    pub fn wrong_code(&self) -> String {
        let words: Vec<&str> = self.code.split('-').collect();
        let other = if words[2] == "harbor" { "violin" } else { "harbor" };
        format!("{}-{}-{other}", words[0], words[1])
    }
}

/// A process that goes on until this is dropped.
pub struct Staying {
    process: Child,
    lines: mpsc::Receiver<String>,
}

impl Staying {
    pub fn start(mut command: Command) -> Result<Self> {
        let mut process = command.stderr(Stdio::inherit()).spawn()?;
        let output = BufReader::new(process.stdout.take().context("output")?);
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || output.lines().map_while(|line| line.ok()).try_for_each(|line| sender.send(line)));
        Ok(Self { process, lines })
    }

    pub fn wait(&self, part: &str) -> Result<String> {
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

impl Staying {
    /// The exit status, once it ends by itself.
    pub fn ended(mut self) -> Result<i32> {
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            if let Some(status) = self.process.try_wait()? {
                return Ok(status.code().unwrap_or(-1));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("it goes on")
    }

    /// Ends it as a power failure does: it can save nothing more.
    pub fn kill(mut self) {
        self.process.kill().unwrap_or_default();
        let _ = self.process.wait();
    }
}

impl Drop for Staying {
    fn drop(&mut self) {
        // Killed before, its number may be another's by now.
        if matches!(self.process.try_wait(), Ok(Some(_))) {
            return;
        }
        // As a person does: Ctrl+C, so that the workspace is let go.
        let interrupted = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        if !interrupted.is_ok_and(|status| status.success()) {
            self.process.kill().unwrap_or_default();
        }
        let _ = self.process.wait();
    }
}
