//! The engine on a real log in a real folder, as a node has it, but driven step by step with given times.

use anyhow::{Context, Result, bail};
use codesync_api::{Moment, PastText, Reply, Request, Scope, Splice};
use codesync_auth::{DeviceKey, verify_delta};
use codesync_base::ProjectId;
use codesync_engine::{Engine, Now, Profile};
use codesync_log::{Log, Options};
use std::path::Path;

/// The one file that is typed into.
pub const PATH: &str = "text.md";

/// An open workspace.
pub struct Workspace {
    pub engine: Engine,
}

impl Workspace {
    /// Opens the store in a folder, made where it is missing.
    pub fn open(folder: &Path, at_ms: u64) -> Result<Self> {
        Self::open_as(folder, 5, at_ms)
    }

    /// The same on another device.
    pub fn open_as(folder: &Path, device: u8, at_ms: u64) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let (log, report) = Log::open(folder, Options::new(verify_delta))?;
        if !report.findings.is_empty() {
            bail!("the store is not whole: {:?}", report.findings);
        }
        let profile = Profile {
            new_project: ProjectId([7; 16]),
            person: "Bench".into(),
            device_name: "bench".into(),
            root: folder.display().to_string(),
            incarnation: 0,
        };
        let engine = Engine::open(log, DeviceKey::from_seed(&[device; 32]), profile, now(at_ms))?;
        Ok(Self { engine })
    }

    /// Applies edits; not durable before `sync`.
    pub fn edit(&mut self, edits: Vec<Splice>, at_ms: u64) -> Result<()> {
        let n = edits.len() as u64;
        match self.engine.handle(Request::EditFile { path: PATH.into(), edits }, now(at_ms))? {
            Reply::Edited { n_applied } if n_applied == n => Ok(()),
            other => bail!("edits were answered with {other:?}"),
        }
    }

    /// Makes everything durable, and hands the events out as a node would.
    pub fn sync(&mut self, at_ms: u64) -> Result<()> {
        self.engine.sync(now(at_ms))?;
        drop(self.engine.take_events());
        Ok(())
    }

    /// The text at a moment of the file, by the way of the command line.
    pub fn file_at(&mut self, at: Moment) -> Result<String> {
        match self.engine.handle(Request::FileAt { path: PATH.into(), at }, now(0))? {
            Reply::File(file) => file.text.context("the file has no text"),
            other => bail!("a question for a file was answered with {other:?}"),
        }
    }

    /// The text at a moment of the file, by the way of the window; with `have`, the way from there.
    pub fn text_at(&mut self, index: u64, have: Option<u64>) -> Result<PastText> {
        let scope = Scope::File(PATH.into());
        match self.engine.handle(Request::TextAt { path: PATH.into(), scope, index, have }, now(0))? {
            Reply::Text(text) => Ok(text),
            other => bail!("a question for a moment was answered with {other:?}"),
        }
    }

    /// How many moments the file has.
    pub fn n_moments(&mut self) -> Result<u64> {
        match self.engine.handle(Request::Timeline { scope: Scope::File(PATH.into()) }, now(0))? {
            Reply::Timeline(timeline) => Ok(timeline.n_moments),
            other => bail!("a question for a timeline was answered with {other:?}"),
        }
    }

    pub fn close(self, at_ms: u64) -> Result<()> {
        Ok(self.engine.shut_down(now(at_ms))?)
    }
}

pub fn now(ms: u64) -> Now {
    Now { ms, local_offset_minutes: 0 }
}
