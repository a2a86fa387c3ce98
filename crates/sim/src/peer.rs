//! One simulated peer: an engine, the disk it stands on, and a clock that may be wrong.

use codesync_api::{ApiError, Moment as At, Reply, Request};
use codesync_auth::{Access, Act, DeviceKey, verify_delta};
use codesync_base::{DeltaHash, DeviceId, ProjectId, RelPath};
use codesync_engine::{Engine, Intake, IntakeKind, LinkOutput, Now, Profile};
use codesync_log::{CrashStyle, Disk, Log, MemoryDisk, MemoryIndex, Options};
use codesync_sync::{Admission, Hello, LinkId, Moment};
use std::collections::{BTreeMap, BTreeSet};

pub const PROJECT: ProjectId = ProjectId([7; 16]);
pub const START_MS: u64 = 1_790_000_000_000;
/// The member without honour.
pub const LIAR: usize = 40;

/// How a peer takes part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Nobody looks at rights.
    Free,
    /// The log says what this peer may do.
    Upright,
    /// Its program was changed: it heeds no rights, its own least of all.
    Modified,
}

pub struct Peer {
    pub idx: usize,
    pub kind: Kind,
    pub engine: Engine,
    pub disk: MemoryDisk,
    pub incarnation: u32,
    pub skew_ms: i64,
    /// Its disk has little room, and whatever is written may fail.
    pub is_short: bool,
    /// Where each link leads: the other peer, and its name of the link.
    pub links: BTreeMap<LinkId, (usize, LinkId)>,
    /// What a crash cannot take.
    pub durable: BTreeSet<DeltaHash>,
    pub backup: Option<MemoryDisk>,
    views: BTreeMap<String, u32>,
}

pub fn key_of(idx: usize) -> DeviceKey {
    DeviceKey::from_seed(&[idx as u8 + 1; 32])
}

pub fn device_of(idx: usize) -> DeviceId {
    key_of(idx).device()
}

impl Peer {
    pub fn new(idx: usize, kind: Kind) -> Self {
        let disk = MemoryDisk::new();
        let engine = open(&disk, idx, kind, 0, START_MS);
        Self {
            idx,
            kind,
            engine,
            disk,
            incarnation: 0,
            skew_ms: 0,
            is_short: false,
            links: BTreeMap::new(),
            durable: BTreeSet::new(),
            backup: None,
            views: BTreeMap::new(),
        }
    }

    pub fn moment(&self, steady_ms: u64) -> Moment {
        let wall_ms = (START_MS + steady_ms).saturating_add_signed(self.skew_ms);
        Moment { steady_ms, wall_ms }
    }

    pub fn now(&self, steady_ms: u64) -> Now {
        Now { ms: self.moment(steady_ms).wall_ms, local_offset_minutes: 0 }
    }

    pub fn ask(&mut self, request: Request, steady_ms: u64) -> Result<Reply, ApiError> {
        self.engine.handle(request, self.now(steady_ms))
    }

    /// One fsync, and what it covers goes out.
    pub fn sync(&mut self, steady_ms: u64) {
        if let Err(error) = self.engine.sync(self.now(steady_ms)) {
            assert!(self.is_short, "a disk with room does not take what is written: {error}");
            return;
        }
        self.note_durable();
        self.engine.pass_on(self.moment(steady_ms));
    }

    /// Whatever the log holds right after a sync is durable.
    fn note_durable(&mut self) {
        let log = self.engine.log();
        if log.n_deltas() != self.durable.len() as u64 {
            self.durable.extend(log.keys().iter().map(|key| key.hash));
        }
    }

    /// Leaves room for so many bytes, or for all.
    pub fn set_room(&mut self, bytes: Option<u64>) {
        self.is_short = bytes.is_some();
        self.disk.set_space(bytes.map(|bytes| self.disk.size_bytes() + bytes));
    }

    pub fn crash(&mut self, style: CrashStyle, steady_ms: u64) {
        self.disk.crash(style);
        self.reopen(steady_ms);
    }

    pub fn roll_back(&mut self, steady_ms: u64) -> bool {
        let Some(backup) = self.backup.take() else { return false };
        self.disk = backup;
        // What the node does when it notices (docs/decisions/0009).
        self.incarnation += 1;
        self.reopen(steady_ms);
        true
    }

    fn reopen(&mut self, steady_ms: u64) {
        self.links.clear();
        self.views.clear();
        self.durable.clear();
        self.is_short = false;
        // The disk is the old engine's, too: it must be gone before.
        let disk = self.disk.fork();
        self.engine = open(&disk, self.idx, self.kind, self.incarnation, self.moment(steady_ms).wall_ms);
        self.disk = disk;
        self.sync(steady_ms);
    }

    /// Whether this peer would let a device in, as far as it knows.
    pub fn admits(&self, device: &DeviceId) -> bool {
        match self.engine.access() {
            None => true,
            Some(access) => access.may(device, Act::Speak) || (access.members().len() == 1 && *device == device_of(0)),
        }
    }

    pub fn text(&mut self, path: &str, at: At, steady_ms: u64) -> Option<String> {
        match self.ask(Request::FileAt { path: path.into(), at }, steady_ms) {
            Ok(Reply::File(file)) => file.text,
            _ => None,
        }
    }

    pub fn paths(&mut self, at: Option<At>, steady_ms: u64) -> Vec<String> {
        match self.ask(Request::ListFiles { at }, steady_ms) {
            Ok(Reply::Files { mut paths }) => {
                paths.sort();
                paths
            }
            other => panic!("files cannot be listed: {other:?}"),
        }
    }

    /// Opens a view of a file, or closes the one there is.
    pub fn toggle_view(&mut self, path: &str, steady_ms: u64) {
        let request = match self.views.remove(path) {
            Some(view_id) => Request::CloseView { view_id },
            None => Request::OpenView { path: path.into() },
        };
        if let Ok(Reply::View(view)) = self.ask(request, steady_ms) {
            self.views.insert(path.into(), view.view_id);
        }
    }

    /// Another program wrote a file.
    pub fn disk_writes(&mut self, path: &str, text: &str, steady_ms: u64) {
        let now = self.now(steady_ms);
        let Ok(path) = RelPath::parse(path) else { return };
        // As the node does: what a viewer changes in the folder stays there.
        if self.engine.may(Act::Edit).is_err() {
            return;
        }
        let Ok(mut run) = self.engine.begin_intake(false, false, now) else { return };
        let known = self.engine.tree().by_path(&path).map(|node| node.file);
        let kind = IntakeKind::File { bytes: text.as_bytes().to_vec(), mode: 0o644, base: None };
        // A path that cannot be taken is told to people, not to us.
        drop(self.engine.take_in(&mut run, Intake { path, known, kind }, now));
        drop(self.engine.end_intake(run, false));
    }

    pub fn take_outputs(&mut self) -> Vec<(LinkId, LinkOutput)> {
        self.engine.take_events();
        self.engine.take_link_outputs()
    }
}

fn open(disk: &MemoryDisk, idx: usize, kind: Kind, incarnation: u32, wall_ms: u64) -> Engine {
    let options = Options::new(verify_delta);
    let (log, report) = Log::open_with(Box::new(disk.clone()), Box::new(MemoryIndex::new()), options)
        .expect("a store that a crash left can be opened");
    assert!(report.findings.iter().all(|finding| finding.outcome != codesync_log::Outcome::Lost), "{report:?}");
    let profile = Profile {
        new_project: PROJECT,
        person: format!("Person {idx}"),
        device_name: "laptop".into(),
        root: "/work/demo".into(),
        incarnation,
    };
    let now = Now { ms: wall_ms, local_offset_minutes: 0 };
    // Who was let in says nothing before the delta that does so is here.
    let opened = match kind {
        Kind::Free => Engine::open(log, key_of(idx), profile, now),
        Kind::Upright if idx == 0 => Engine::open(log, key_of(idx), profile, now),
        Kind::Upright | Kind::Modified => Engine::join(log, key_of(idx), profile),
    };
    let mut engine = opened.expect("the history that a crash left can be read");
    if kind == Kind::Upright {
        engine.uphold_rights(Some(device_of(0))).expect("the rights that a log says can be read");
    }
    engine.sync(now).expect("a disk in memory takes everything");
    engine.open_links("0.1.0", Box::new(gate));
    engine
}

/// Lets in who is a member, and as long as nothing is known the founder alone.
fn gate(_: LinkId, hello: &Hello, access: Option<&Access>) -> Admission {
    let is_member = match access {
        None => true,
        Some(access) => {
            access.may(&hello.device, Act::Speak) || (access.members().len() == 1 && hello.device == device_of(0))
        }
    };
    if is_member { Admission::Welcome } else { Admission::NotAMember }
}
