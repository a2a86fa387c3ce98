//! One simulated peer: an engine, the disk it stands on, and a clock that may be wrong.

use codesync_api::{ApiError, Moment as At, Reply, Request, Splice, ViewEdit};
use codesync_auth::{Access, Act, DeviceKey, verify_delta};
use codesync_base::{DeltaHash, DeviceId, ProjectId, RelPath, SignedDelta};
use codesync_engine::{Engine, Intake, IntakeKind, LinkOutput, Now, Profile};
use codesync_log::{CrashStyle, Disk, Log, MemoryDisk, MemoryIndex, Options};
use codesync_sync::{Admission, Hello, LinkId, Moment};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

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
    index: MemoryIndex,
    pub incarnation: u32,
    /// It knows that it was removed.
    is_out: bool,
    pub skew_ms: i64,
    /// Its disk has little room, and whatever is written may fail.
    pub is_short: bool,
    /// Where each link leads: the other peer, and its name of the link.
    pub links: BTreeMap<LinkId, (usize, LinkId)>,
    /// What a crash cannot take.
    pub durable: BTreeSet<DeltaHash>,
    backup: Option<(MemoryDisk, MemoryIndex)>,
    views: BTreeMap<String, u32>,
}

pub fn key_of(idx: usize) -> DeviceKey {
    DeviceKey::from_seed(&[idx as u8 + 1; 32])
}

pub fn device_of(idx: usize) -> DeviceId {
    // Asked for at every step; making a key is as dear as signing.
    static DEVICES: LazyLock<[DeviceId; 64]> = LazyLock::new(|| std::array::from_fn(|idx| key_of(idx).device()));
    DEVICES[idx]
}

impl Peer {
    pub fn new(idx: usize, kind: Kind) -> Self {
        // Another run has other deltas.
        VERIFIED.with_borrow_mut(BTreeSet::clear);
        let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
        let engine = open(&disk, &index, idx, kind, 0, START_MS);
        Self {
            idx,
            kind,
            engine,
            disk,
            index,
            incarnation: 0,
            is_out: false,
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
        self.follow_membership(steady_ms);
    }

    /// What the node does when this device was removed, or takes part again: it goes on in another log. Every other peer does
    /// not, as one that was not there yet when more came.
    fn follow_membership(&mut self, steady_ms: u64) {
        let is_out = self.engine.is_removed();
        if is_out != self.is_out && self.kind == Kind::Upright && self.idx % 2 == 1 && !self.is_short {
            self.is_out = is_out;
            self.incarnation += 1;
            let begun = self.engine.begin_incarnation(self.incarnation, self.now(steady_ms));
            begun.expect("a disk with room takes what was said");
        }
    }

    /// Whatever the log holds right after a sync is durable.
    fn note_durable(&mut self) {
        let log = self.engine.log();
        if log.n_deltas() != self.durable.len() as u64 {
            self.durable.extend(log.keys().iter().map(|key| key.hash));
        }
    }

    /// Leaves room for so many bytes, or for all. The log's own spare room is used up.
    pub fn set_room(&mut self, bytes: Option<u64>) {
        self.is_short = bytes.is_some();
        let spare_bytes = self.disk.length_bytes("ballast").unwrap_or(0);
        self.disk.set_space(bytes.map(|bytes| self.disk.size_bytes() - spare_bytes + bytes));
    }

    pub fn crash(&mut self, style: CrashStyle, steady_ms: u64) {
        self.disk.crash(style);
        if style == CrashStyle::Lose {
            self.index.crash();
        }
        self.reopen(steady_ms);
    }

    /// Copies the store, for [`Self::roll_back`].
    pub fn back_up(&mut self) {
        self.backup = Some((self.disk.fork(), self.index.fork()));
    }

    pub fn roll_back(&mut self, steady_ms: u64) -> bool {
        let Some(backup) = self.backup.take() else { return false };
        (self.disk, self.index) = backup;
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
        (self.disk, self.index) = (self.disk.fork(), self.index.fork());
        let wall_ms = self.moment(steady_ms).wall_ms;
        self.engine = open(&self.disk, &self.index, self.idx, self.kind, self.incarnation, wall_ms);
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

    /// Types into a fresh view of a file.
    pub fn type_in_view(&mut self, path: &str, at: impl Fn(&str) -> u32, word: &str, steady_ms: u64) -> bool {
        if let Some(view_id) = self.views.remove(path) {
            drop(self.ask(Request::CloseView { view_id }, steady_ms));
        }
        let Ok(Reply::View(view)) = self.ask(Request::OpenView { path: path.into() }, steady_ms) else { return false };
        self.views.insert(path.into(), view.view_id);
        let splices = vec![Splice(at(&view.text), 0, word.into())];
        let edit = ViewEdit { request_id: 1, base_revision: view.revision, stays_left: false, splices };
        self.ask(Request::EditView { view_id: view.view_id, edit }, steady_ms).is_ok()
    }

    /// Takes back in the view of a file what was done last there.
    pub fn undo_in_view(&mut self, path: &str, steady_ms: u64) -> bool {
        let Some(view_id) = self.views.get(path).copied() else { return false };
        self.ask(Request::Undo { view_id }, steady_ms).is_ok()
    }

    /// Another program wrote a file.
    pub fn disk_writes(&mut self, path: &str, text: &str, steady_ms: u64) {
        let now = self.now(steady_ms);
        let Ok(path) = RelPath::parse(path) else { return };
        // What a viewer changes in the folder stays there.
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

fn open(disk: &MemoryDisk, index: &MemoryIndex, idx: usize, kind: Kind, incarnation: u32, wall_ms: u64) -> Engine {
    let options = Options::new(verify_once);
    let (log, report) = Log::open_with(Box::new(disk.clone()), Box::new(index.clone()), options)
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

thread_local! {
    /// Names and signatures that were found good: stores are opened and verified again and again.
    static VERIFIED: RefCell<BTreeSet<(DeltaHash, [u8; 64])>> = const { RefCell::new(BTreeSet::new()) };
}

/// The same as [`verify_delta`]: the name of a delta binds its author.
fn verify_once(signed: &SignedDelta) -> bool {
    let name = (signed.hash, signed.signature);
    VERIFIED.with_borrow_mut(|known| known.contains(&name) || (verify_delta(signed) && known.insert(name)))
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
