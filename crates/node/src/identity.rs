//! Which life of this device's log a store holds. A store that was rolled back, restored or copied must not go on
//! under the old name: two different changes would get one number. So the head of the own log is remembered twice,
//! in the store and in the configuration folder, and where the two do not fit a new life (incarnation) begins.
//! Never changes history; says plainly what it found (`docs/decisions/0009-store-identity.md`).

use crate::config;
use crate::whole::write_atomically;
use codesync_api::{ApiError, Notice};
use codesync_base::{DeltaHash, DeviceId, Head, LogId};
use codesync_log::Log;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

const REPLICA_FILE: &str = "replica.json";
/// Folder of the records in the configuration folder.
const RECORDS_FOLDER: &str = "stores";

/// What a store says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Replica {
    pub incarnation: u32,
    /// Names the record in the configuration folder; 32 hexadecimal digits.
    id: String,
    /// Where the store was when it last said so.
    place: Option<Place>,
    /// Program that last opened it, for the sentence of an older one.
    #[serde(default)]
    pub app_version: String,
    /// Why this life began, when not for the first time.
    #[serde(default)]
    began: Option<Began>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Began {
    why: Why,
    at_ms: u64,
    /// Folder of the store that this one is a copy of.
    of: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Why {
    /// The store is behind what this computer remembers of it.
    OlderCopy,
    /// The store it was copied from is still where it was.
    Copied,
}

/// What a folder is to the system, whatever its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    device: u64,
    inode: u64,
}

/// What the configuration folder remembers of a store. Never ahead of what was durable in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    store: PathBuf,
    place: Option<Place>,
    incarnation: u32,
    seq: u32,
    hash: DeltaHash,
}

/// The identity of an open store.
pub(crate) struct Identity {
    store: PathBuf,
    device: DeviceId,
    replica: Replica,
    record: Option<Record>,
    /// The store could not say who it is; nothing may be remembered of it either.
    is_unkept: bool,
    /// A new life began at this opening.
    is_news: bool,
}

impl Place {
    /// None where the folder is not there, or the system has no such numbers.
    pub fn of(folder: &Path) -> Option<Self> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let metadata = folder.symlink_metadata().ok().filter(fs::Metadata::is_dir)?;
            Some(Self { device: metadata.dev(), inode: metadata.ino() })
        }
        #[cfg(not(unix))]
        {
            let _ = folder;
            None
        }
    }
}

impl Identity {
    /// Decides under which name this store goes on. Before anything is added to the log.
    pub fn settle(store: &Path, log: &Log, device: DeviceId, now_ms: u64) -> Self {
        let replica = read(&store.join(REPLICA_FILE)).filter(|replica: &Replica| is_id(&replica.id));
        let Some(replica) = replica else { return Self::begin(store, device, None) };
        let record: Option<Record> = read(&record_file(&replica.id));
        let place = Place::of(store);
        let is_as_it_was = match &record {
            // The configuration folder was cleared, or cannot be written: the store itself is all there is to go by.
            None => replica.place.is_some() && replica.place == place,
            Some(record) => record.incarnation == replica.incarnation && has_passed(log, device, record),
        };
        let original = record.as_ref().and_then(|record| original_of(store, place, record, &replica.id));
        if is_as_it_was && original.is_none() {
            let mut identity =
                Self { store: store.to_path_buf(), device, replica, record, is_unkept: false, is_news: false };
            identity.keep_replica(place, true);
            return identity;
        }
        let began = record.map(|_| {
            let why = if original.is_some() { Why::Copied } else { Why::OlderCopy };
            Began { why, at_ms: now_ms, of: original.clone() }
        });
        // A copy gets a record of its own; the record of an older state in the same place is gone on with, so that
        // the same backup is noticed again.
        let id = if original.is_some() || began.is_none() { new_id() } else { replica.id };
        Self::begin(store, device, Some((id, began)))
    }

    /// A life of its own, for a store that was never told which it has.
    pub fn begin_anew(store: &Path, device: DeviceId) -> Self {
        Self::begin(store, device, None)
    }

    fn begin(store: &Path, device: DeviceId, known: Option<(String, Option<Began>)>) -> Self {
        let (id, began) = known.unwrap_or_else(|| (new_id(), None));
        let is_news = began.is_some();
        let replica = Replica { incarnation: new_incarnation(), id, place: None, app_version: String::new(), began };
        let mut identity =
            Self { store: store.to_path_buf(), device, replica, record: None, is_unkept: false, is_news };
        identity.keep_replica(Place::of(store), false);
        identity
    }

    /// Others have more of this store's log than it has itself: it is an older copy, though nothing here showed that.
    pub fn begin_after_backup(&mut self, now_ms: u64) {
        let began = Began { why: Why::OlderCopy, at_ms: now_ms, of: None };
        *self = Self::begin(&self.store.clone(), self.device, Some((self.replica.id.clone(), Some(began))));
    }

    /// The same store goes on in another log.
    pub fn begin_another_log(&mut self) {
        *self = Self::begin(&self.store.clone(), self.device, Some((self.replica.id.clone(), None)));
    }

    pub fn incarnation(&self) -> u32 {
        self.replica.incarnation
    }

    /// Remembers how far the own log is certainly durable. Cheap when nothing is new.
    pub fn note_head(&mut self, log: &Log) {
        if self.is_unkept {
            return;
        }
        let own = LogId { device: self.device, incarnation: self.replica.incarnation };
        let (seq, hash) = log.head(&own).map_or((0, DeltaHash::ZERO), |head: Head| (head.seq, head.hash));
        let record = Record {
            store: self.store.clone(),
            place: Place::of(&self.store),
            incarnation: self.replica.incarnation,
            seq,
            hash,
        };
        if self.record.as_ref() == Some(&record) {
            return;
        }
        match write(&record_file(&self.replica.id), &record) {
            Ok(()) => self.record = Some(record),
            Err(error) => tracing::warn!(%error, "how far this history goes could not be noted"),
        }
    }

    /// What to say when a new life has just begun; `until` is the local time of the newest change.
    pub fn notice(&self, until: &str) -> Option<Notice> {
        let began = self.replica.began.as_ref().filter(|_| self.is_news)?;
        let notice = |id: &str, title: &str, body: String| {
            Some(Notice { id: id.into(), title: title.into(), body, ..Notice::default() })
        };
        match began.why {
            Why::OlderCopy => notice(
                "MSG-STORE-1",
                "This folder's history is an older copy.",
                format!(
                    "It was newer on this computer before; a backup was put back, perhaps. Everything up to {until} is \
                     here and safe, your files are as they are, and new changes are kept after it. If you still have \
                     the newer “.codesync” folder, close CodeSync and put it back."
                ),
            ),
            Why::Copied => {
                let of = began.of.as_deref().and_then(Path::parent).unwrap_or(Path::new("")).display();
                notice(
                    "MSG-STORE-2",
                    "This folder is a copy of another workspace.",
                    format!(
                        "Up to {until} its history is that of “{of}”. Both are safe, and from here each goes its own \
                         way: what changes in one does not change the other. Nothing needs to be done."
                    ),
                )
            }
        }
    }

    /// For `verify`: what happened to this store once.
    pub fn past(&self, time: impl Fn(u64) -> String) -> Option<String> {
        let began = self.replica.began.as_ref()?;
        let at = time(began.at_ms);
        Some(match (began.why, began.of.as_deref().and_then(Path::parent)) {
            (Why::Copied, Some(of)) => {
                format!("On {at} this folder was found to be a copy of “{}”; it goes its own way since.", of.display())
            }
            _ => format!(
                "On {at} this history was found to be an older copy of itself; what was kept after it before is not here."
            ),
        })
    }

    fn keep_replica(&mut self, place: Option<Place>, is_there: bool) {
        let before = self.replica.clone();
        self.replica.place = place;
        self.replica.app_version = env!("CARGO_PKG_VERSION").into();
        let file = self.store.join(REPLICA_FILE);
        if is_there && before == self.replica {
            return;
        }
        if let Err(error) = write(&file, &self.replica) {
            tracing::warn!(%error, "the store cannot say which it is");
            // The old name stands there still; a new one that stands nowhere must not be remembered.
            self.is_unkept = !is_there;
        }
    }
}

/// The version that last opened a store, where it says.
pub(crate) fn app_version_of(store: &Path) -> Option<String> {
    read::<Replica>(&store.join(REPLICA_FILE)).map(|replica| replica.app_version).filter(|version| !version.is_empty())
}

/// Whether the log has come at least as far as was remembered, on the same way.
fn has_passed(log: &Log, device: DeviceId, record: &Record) -> bool {
    if record.seq == 0 {
        return true;
    }
    match log.head(&LogId { device, incarnation: record.incarnation }) {
        None => false,
        Some(head) if head.seq <= record.seq => (head.seq, head.hash) == (record.seq, record.hash),
        Some(_) => log.contains(&record.hash),
    }
}

/// The store that this one was copied from, if that is still where it was. One that was moved is no copy.
fn original_of(store: &Path, place: Option<Place>, record: &Record, id: &str) -> Option<PathBuf> {
    let is_same = record.store == store || (place.is_some() && place == record.place);
    if is_same {
        return None;
    }
    let there: Replica = read(&record.store.join(REPLICA_FILE))?;
    let stands_there = there.id == id && (record.place.is_none() || Place::of(&record.store) == record.place);
    stands_there.then(|| record.store.clone())
}

fn record_file(id: &str) -> PathBuf {
    config::config_dir().join(RECORDS_FOLDER).join(format!("{id}.json"))
}

fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn new_id() -> String {
    let mut bytes = [0; 16];
    config::fill_random(&mut bytes);
    codesync_base::hex(&bytes)
}

/// Never zero, which stores of the first version had.
fn new_incarnation() -> u32 {
    let mut bytes = [0; 4];
    config::fill_random(&mut bytes);
    u32::from_le_bytes(bytes) | 1
}

/// None when it is missing or makes no sense: both mean that nothing is known.
fn read<T: for<'a> Deserialize<'a>>(file: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

fn write(file: &Path, value: &impl Serialize) -> Result<(), ApiError> {
    let json = serde_json::to_vec(value).expect("invariant: plain data has a JSON form");
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| write_atomically(file, &json))
        .map_err(|error| config::cannot("write", file, &error))
}
