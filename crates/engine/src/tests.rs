//! The engine on a real log core over a disk in memory: no clock, no folder.
#![allow(clippy::unwrap_used)]

mod disk_races;
mod editing;
mod failures;
mod foreign;
mod histories;
mod links;
mod replacing;
mod restores;

use crate::{Engine, Intake, IntakeKind, Now, Profile};
use codesync_api::{Moment, Reply, Request, Scope, Splice, UndoneKind};
use codesync_auth::{DeviceKey, verify_delta};
use codesync_base::{ProjectId, RelPath};
use codesync_log::{Log, MemoryDisk, MemoryIndex, Options};

/// A workspace with a hand-moved clock.
struct Bench {
    engine: Engine,
    disk: MemoryDisk,
    now_ms: u64,
}

const START_MS: u64 = 1_790_000_000_000;

impl Bench {
    fn new() -> Self {
        let disk = MemoryDisk::new();
        Self { engine: open(&disk, START_MS), disk, now_ms: START_MS }
    }

    fn now(&self) -> Now {
        Now { ms: self.now_ms, local_offset_minutes: 0 }
    }

    /// Lets time pass.
    fn wait(&mut self, ms: u64) -> &mut Self {
        self.now_ms += ms;
        self
    }

    fn ask(&mut self, request: Request) -> Reply {
        self.try_ask(request).unwrap()
    }

    fn try_ask(&mut self, request: Request) -> Result<Reply, codesync_api::ApiError> {
        self.now_ms += 1;
        let now = self.now();
        let reply = self.engine.handle(request, now);
        self.engine.sync(now).unwrap();
        reply
    }

    fn edit(&mut self, path: &str, edits: &[(u32, u32, &str)]) -> &mut Self {
        let edits = edits.iter().map(|(at, del, ins)| Splice(*at, *del, (*ins).into())).collect();
        self.ask(Request::EditFile { path: path.into(), edits });
        self
    }

    fn text(&mut self, path: &str) -> Option<String> {
        self.text_at(path, Moment::Now)
    }

    fn text_at(&mut self, path: &str, at: Moment) -> Option<String> {
        match self.try_ask(Request::FileAt { path: path.into(), at }) {
            Ok(Reply::File(file)) => file.text,
            _ => None,
        }
    }

    fn paths(&mut self) -> Vec<String> {
        match self.ask(Request::ListFiles { at: None }) {
            Reply::Files { paths } => paths,
            other => panic!("{other:?}"),
        }
    }

    /// The folder has got all that waited for it.
    fn write_out(&mut self) -> &mut Self {
        let later = Now { ms: self.now_ms + 60_000, ..self.now() };
        for file in self.engine.due_writes(later, usize::MAX) {
            self.engine.written(file);
        }
        self
    }

    fn disk_has(&mut self, files: &[(&str, &[u8])], mass: bool) -> &mut Self {
        let items = files
            .iter()
            .map(|(path, bytes)| (*path, IntakeKind::File { bytes: bytes.to_vec(), mode: 0o644, base: None }));
        self.intake(items.collect(), mass)
    }

    fn intake(&mut self, items: Vec<(&str, IntakeKind)>, mass: bool) -> &mut Self {
        let now = self.now();
        let mut run = self.engine.begin_intake(false, mass, now).unwrap();
        for (path, kind) in items {
            let path = RelPath::parse(path).unwrap();
            let last_path = match &kind {
                IntakeKind::RenamedFrom(from) => from.clone(),
                _ => path.clone(),
            };
            let known = self.engine.tree().by_path(&last_path).map(|node| node.file);
            self.engine.take_in(&mut run, Intake { path, known, kind }, now).unwrap();
        }
        self.engine.end_intake(run, mass).unwrap();
        self.engine.sync(now).unwrap();
        self
    }

    fn n_moments(&mut self, scope: Scope) -> u64 {
        match self.ask(Request::Timeline { scope }) {
            Reply::Timeline(info) => info.n_moments,
            other => panic!("{other:?}"),
        }
    }

    fn undo_last(&mut self) -> UndoneKind {
        match self.ask(Request::UndoLast) {
            Reply::Undone(undone) => undone.kind,
            other => panic!("{other:?}"),
        }
    }

    fn undo_group(&mut self, group_id: &str) {
        match self.ask(Request::UndoGroup { group_id: group_id.into() }) {
            Reply::Undone(undone) => assert_eq!(undone.kind, UndoneKind::Applied),
            other => panic!("{other:?}"),
        }
    }

    /// Ends the program and starts it again on what was durable.
    fn reopen(&mut self) -> &mut Self {
        self.disk = self.disk.fork();
        self.engine = open(&self.disk, self.now_ms);
        self
    }
}

fn open(disk: &MemoryDisk, now_ms: u64) -> Engine {
    open_with(disk, &MemoryIndex::new(), now_ms)
}

fn open_with(disk: &MemoryDisk, index: &MemoryIndex, now_ms: u64) -> Engine {
    let options = Options::new(verify_delta);
    let (log, report) = Log::open_with(Box::new(disk.clone()), Box::new(index.clone()), options).unwrap();
    assert_eq!(report.findings, vec![]);
    let profile = Profile {
        new_project: ProjectId([7; 16]),
        person: "Asha".into(),
        device_name: "ThinkPad".into(),
        root: "/work/demo".into(),
        incarnation: 0,
    };
    Engine::open(log, DeviceKey::from_seed(&[5; 32]), profile, Now { ms: now_ms, local_offset_minutes: 0 }).unwrap()
}
