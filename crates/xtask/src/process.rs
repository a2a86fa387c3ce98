//! Runs other programs, says which failed and how to run it again.

use anyhow::{Context, Result, bail};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One program to run.
#[derive(Clone, Debug)]
pub struct Step {
    program: OsString,
    arguments: Vec<OsString>,
    folder: Option<PathBuf>,
    environment: Vec<(String, OsString)>,
}

impl Step {
    pub fn new(program: impl AsRef<OsStr>, arguments: &[&str]) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: arguments.iter().map(OsString::from).collect(),
            folder: None,
            environment: Vec::new(),
        }
    }

    /// The cargo that runs this xtask.
    pub fn cargo(arguments: &[&str]) -> Self {
        Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), arguments)
    }

    pub fn in_folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_path_buf());
        self
    }

    pub fn with_argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    pub fn with_environment(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// How to run it by hand, from the checkout's root.
    pub fn by_hand(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        if let Some(folder) = &self.folder {
            words.push(format!("cd {} &&", folder.display()));
        }
        words.extend(self.environment.iter().map(|(name, value)| format!("{name}={}", value.to_string_lossy())));
        let program = Path::new(&self.program).file_name().unwrap_or(&self.program);
        words.push(program.to_string_lossy().into_owned());
        words.extend(self.arguments.iter().map(|argument| argument.to_string_lossy().into_owned()));
        words.join(" ")
    }

    /// Runs to the end, with this program's own output.
    ///
    /// # Errors
    /// When it cannot be started or does not succeed; the sentence says how to repeat it.
    pub fn run(&self) -> Result<()> {
        let status = self.command().stdin(Stdio::inherit()).status();
        let status = status.with_context(|| format!("could not start `{}`", self.by_hand()))?;
        if !status.success() {
            bail!("this did not succeed ({status}); to repeat it:\n  {}", self.by_hand());
        }
        Ok(())
    }

    /// Runs to the end and gives what it wrote to standard output.
    ///
    /// # Errors
    /// When it cannot be started, does not succeed or writes other than text.
    pub fn output(&self) -> Result<String> {
        let output = self.command().stderr(Stdio::inherit()).output();
        let output = output.with_context(|| format!("could not start `{}`", self.by_hand()))?;
        if !output.status.success() {
            bail!("this did not succeed ({}); to repeat it:\n  {}", output.status, self.by_hand());
        }
        String::from_utf8(output.stdout).context("its output was not text")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }
}

/// Whether a program of this name is on the path.
pub fn is_program(name: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(name).is_file())
}
