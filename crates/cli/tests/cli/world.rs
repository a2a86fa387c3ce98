//! A world of its own for each test: temporary folders, configuration and runtime folders that nobody shares.

use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// Longer than anything but a stuck program takes.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct World {
    temp: tempfile::TempDir,
}

/// What a command said.
#[derive(Debug)]
pub struct Run {
    pub bytes: Vec<u8>,
    pub stdout: String,
    pub stderr: String,
    pub status: Option<i32>,
}

impl World {
    pub fn new() -> Self {
        let temp = tempfile::Builder::new().prefix("cs-cli-").tempdir().unwrap();
        fs::create_dir(temp.path().join("run")).unwrap();
        fs::create_dir(temp.path().join("work")).unwrap();
        Self { temp }
    }

    /// A world whose folder is a workspace already.
    pub fn with_workspace() -> Self {
        let world = Self::new();
        world.ok(["init"]);
        world
    }

    /// Everything in it, as it is now.
    pub fn keep(&self) -> tempfile::TempDir {
        let kept = tempfile::tempdir().unwrap();
        copy_folder(self.temp.path(), kept.path());
        kept
    }

    /// Puts everything back to where it was when it was kept: a copy elsewhere would be found to be one.
    pub fn put_back(&self, kept: &tempfile::TempDir) {
        for entry in fs::read_dir(self.temp.path()).unwrap().map(Result::unwrap) {
            fs::remove_dir_all(entry.path()).unwrap();
        }
        copy_folder(kept.path(), self.temp.path());
    }

    /// The folder that commands run in.
    pub fn root(&self) -> PathBuf {
        self.temp.path().canonicalize().unwrap().join("work")
    }

    /// Another place beside it.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.root().with_file_name(name)
    }

    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let file = self.root().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }

    pub fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn command(&self) -> Command {
        // A long proof runs a copy that nobody builds anew meanwhile.
        let program = std::env::var_os("CODESYNC_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_codesync").into());
        self.in_this_world(program)
    }

    /// Any program, with this world's folders and without the tester's own settings.
    pub fn in_this_world(&self, program: impl AsRef<OsStr>) -> Command {
        let place = |name: &str| self.temp.path().join(name);
        let mut command = Command::new(program);
        command.current_dir(self.root());
        command.env("HOME", place("home")).env("XDG_CONFIG_HOME", place("config")).env("XDG_RUNTIME_DIR", place("run"));
        command.env("XDG_DATA_HOME", place("data")).env("CODESYNC_PERSON", "Asha").env("TZ", "UTC");
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null").env("LC_ALL", "C.UTF-8");
        for name in ["CODESYNC_CONFIG_DIR", "CODESYNC_LOG", "NO_COLOR", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(name);
        }
        command
    }

    pub fn run<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> Run {
        self.run_with(arguments, b"")
    }

    pub fn run_with<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>, input: &[u8]) -> Run {
        let mut command = self.command();
        command.args(arguments);
        finish(command, input)
    }

    /// Runs a command that has to succeed, and gives what it printed.
    #[track_caller]
    pub fn ok<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> String {
        self.run(arguments).expect_ok().stdout
    }

    /// A command that has to be refused: status 1, one sentence, no debris.
    #[track_caller]
    pub fn refused<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> String {
        let run = self.run(arguments);
        assert_eq!(run.status, Some(1), "{run:?}");
        run.sentence()
    }

    #[track_caller]
    pub fn edit(&self, path: &str, edits: &[(u32, u32, &str)]) {
        let run = self.run_with(["edit", path], &lines_of(edits.iter().copied()));
        assert_eq!(run.expect_ok().stdout, format!("{} applied to {path}.\n", n_edits(edits.len())));
    }

    #[track_caller]
    pub fn json<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> Vec<Value> {
        let arguments = arguments.into_iter().map(|one| one.as_ref().to_owned());
        let text = self.ok(arguments.chain(["--json".into()]));
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
    }

    #[track_caller]
    pub fn git(&self, arguments: &[&str]) -> String {
        let mut command = self.in_this_world("git");
        command.args(["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main"]);
        command.args(arguments);
        finish(command, b"").expect_ok().stdout
    }

    /// `codesync watch`, once it follows.
    pub fn watch(&self) -> Watch {
        let mut command = self.command();
        command.arg("watch").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
        assert!(first.starts_with("Following "), "{first}");
        // Read on, or the program would wait for a reader.
        let mut rest = child.stdout.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut rest, &mut std::io::sink()));
        Watch { child }
    }

    /// Every file but what version control and CodeSync keep: bytes and permissions.
    pub fn files(&self) -> BTreeMap<String, (Vec<u8>, u32)> {
        let mut files = BTreeMap::new();
        collect(&self.root(), &self.root(), &|name| name == ".git" || name == ".codesync", &mut files);
        files
    }

    /// Every file below one folder.
    pub fn files_in(&self, folder: &Path) -> BTreeMap<String, (Vec<u8>, u32)> {
        let mut files = BTreeMap::new();
        collect(folder, folder, &|_| false, &mut files);
        files
    }
}

impl Run {
    #[track_caller]
    pub fn expect_ok(self) -> Self {
        assert_eq!(self.status, Some(0), "{} {}", self.stdout, self.stderr);
        assert_eq!(self.stderr, "", "{}", self.stdout);
        self
    }

    /// What it said on standard error, held to the manners for refusals.
    #[track_caller]
    pub fn sentence(&self) -> String {
        let text = self.stderr.trim_end().to_owned();
        assert!(!text.is_empty(), "no sentence: {self:?}");
        for debris in
            ["panicked", "RUST_BACKTRACE", "stack backtrace", "os error", "Err(", "None", "made a mistake", "rror:"]
        {
            assert!(!text.contains(debris), "{text}");
        }
        text
    }
}

/// A running `codesync watch`.
pub struct Watch {
    child: Child,
}

impl Watch {
    /// Ctrl+C.
    #[track_caller]
    pub fn stop(mut self) -> ExitStatus {
        send_signal("INT", self.child.id());
        let status = wait_for_end(&mut self.child);
        assert!(status.success(), "{status}");
        status
    }
}

impl Watch {
    /// As the system does it when memory is short: at once, without a word.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }
}

pub fn send_signal(signal: &str, pid: u32) {
    assert!(Command::new("kill").args([format!("-{signal}"), pid.to_string()]).status().unwrap().success());
}

pub fn wait_for_end(child: &mut Child) -> ExitStatus {
    let began = Instant::now();
    loop {
        match child.try_wait().unwrap() {
            Some(status) => return status,
            None if began.elapsed() > PATIENCE => {
                child.kill().unwrap();
                panic!("the program did not end");
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// Asks again and again until there is an answer.
#[track_caller]
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "never came: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Runs a program to its end.
pub fn finish(mut command: Command, input: &[u8]) -> Run {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that refuses the input closes it early.
    let writer = std::thread::spawn(move || stdin.write_all(&input).unwrap_or_default());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Run {
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        bytes: stdout,
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
        status: status.code(),
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (kind, target) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            copy_folder(&entry.path(), &target);
        } else if kind.is_file() {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn collect(root: &Path, folder: &Path, leave_out: &dyn Fn(&str) -> bool, files: &mut BTreeMap<String, (Vec<u8>, u32)>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let metadata = entry.metadata().unwrap();
        if leave_out(&name) {
            continue;
        }
        if metadata.is_dir() {
            collect(root, &path, leave_out, files);
        } else {
            let inside = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            files.insert(inside, (fs::read(&path).unwrap_or_default(), mode_of(&metadata)));
        }
    }
}

#[cfg(unix)]
fn mode_of(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o777
}

#[cfg(not(unix))]
fn mode_of(_metadata: &fs::Metadata) -> u32 {
    0
}

/// Edits as `codesync edit` reads them.
pub fn lines_of<'a>(edits: impl IntoIterator<Item = (u32, u32, &'a str)>) -> Vec<u8> {
    let lines = edits
        .into_iter()
        .map(|(position, deleted, inserted)| format!("[{position},{deleted},{}]\n", Value::from(inserted)));
    lines.collect::<String>().into_bytes()
}

pub fn n_edits(n: usize) -> String {
    let digits = n.to_string();
    match n {
        1 => "1 edit".into(),
        0..1_000 => format!("{n} edits"),
        _ => format!("{},{} edits", &digits[..digits.len() - 3], &digits[digits.len() - 3..]),
    }
}

/// The plainest text there can be: UTF-16 units in a row.
#[derive(Clone, Default)]
pub struct Naive(pub Vec<u16>);

impl Naive {
    pub fn apply(&mut self, position: u32, deleted: u32, inserted: &str) {
        let (start, end) = (position as usize, (position + deleted) as usize);
        drop(self.0.splice(start..end, inserted.encode_utf16()));
    }

    pub fn text(&self) -> String {
        String::from_utf16(&self.0).unwrap()
    }
}
