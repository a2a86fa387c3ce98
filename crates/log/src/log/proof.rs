//! Proof of the log: what any crash, any full disk and any damage to one file leaves. `cargo xtask prove` runs these
//! for longer. Every failure names its seed; `CODESYNC_PROOF_SEED` runs it alone.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::testing::recording::{Crash, Event, Media, RecordingDisk, RecordingIndex, Trace};
use crate::testing::{self, Author, Random, START_MS, file, verify};
use crate::{CrashStyle, Outcome};
use codesync_base::BlobSource;

/// Small, so that a short session has several of everything.
fn options() -> Options {
    Options { segment_bytes_max: 6 << 10, block_steps_min: 60, part_bytes: 700, ..Options::new(verify) }
}

fn open(disk: &MemoryDisk, index: &MemoryIndex) -> (Log, OpenReport) {
    Log::open_with(Box::new(disk.clone()), Box::new(index.clone()), options()).unwrap()
}

fn append(log: &mut Log, signed: &SignedDelta) -> Result<(), LogError> {
    log.append(signed, &testing::bytes(signed))
}

fn hashes(log: &Log) -> Vec<DeltaHash> {
    let mut hashes = Vec::new();
    log.for_each(&mut |signed| hashes.push(signed.hash)).unwrap();
    hashes
}

fn sorted(deltas: &[Arc<SignedDelta>]) -> Vec<DeltaHash> {
    let mut deltas = deltas.to_vec();
    crate::block::sort(&mut deltas);
    deltas.iter().map(|signed| signed.hash).collect()
}

fn number_of(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// One device's session: keys, and pastes whose text is a blob.
struct Session {
    deltas: Vec<Arc<SignedDelta>>,
    /// Of each delta that names one.
    pastes: BTreeMap<DeltaHash, Vec<u8>>,
}

fn session(seed: u64, n: u32) -> Session {
    let mut random = Random(seed);
    let mut author = Author::new(1);
    let mut now_ms = START_MS;
    let mut deltas = vec![author.session(now_ms)];
    let mut pastes = BTreeMap::new();
    for position in 0..n {
        now_ms += 40 + random.below(200);
        if random.below(12) > 0 {
            deltas.push(author.key(now_ms, file(2), position, "k"));
            continue;
        }
        let text: String = (0..200 + random.below(1_500)).map(|_| char::from(b'a' + random.below(26) as u8)).collect();
        let signed = author.paste(now_ms, file(2), position, &text);
        pastes.insert(signed.hash, text.into_bytes());
        deltas.push(signed);
    }
    Session { deltas, pastes }
}

/// Works through a session over a recording disk: groups of several sizes, now and then sealed or opened anew.
fn record(session: &Session, seed: u64) -> Vec<Event> {
    let trace = Trace::default();
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let open = || {
        let disk = RecordingDisk { inner: disk.clone(), trace: trace.clone() };
        let index = RecordingIndex { inner: index.clone(), trace: trace.clone() };
        Log::open_with(Box::new(disk), Box::new(index), options()).unwrap().0
    };
    let mut random = Random(seed);
    let mut log = open();
    let mut rest = session.deltas.as_slice();
    while !rest.is_empty() {
        let (group, later) = rest.split_at((1 + random.below(14) as usize).min(rest.len()));
        rest = later;
        for signed in group {
            if let Some(text) = session.pastes.get(&signed.hash) {
                trace.note(Event::BlobBegun(log.put_blob(text).unwrap()));
            }
            trace.note(Event::Begun(signed.hash));
            append(&mut log, signed).unwrap();
        }
        log.sync().unwrap();
        trace.note(Event::Promised);
        match random.below(16) {
            0 => drop(log.seal(true).unwrap()),
            1..4 => drop(log.seal(false).unwrap()),
            4 => {
                drop(log);
                log = open();
            }
            _ => {}
        }
    }
    log.close().unwrap();
    trace.events()
}

#[derive(Clone, Default)]
struct Promises {
    begun: Vec<DeltaHash>,
    n_promised: usize,
    blobs_begun: Vec<BlobHash>,
    n_blobs_promised: usize,
}

impl Promises {
    fn note(&mut self, event: &Event) {
        match event {
            Event::Begun(hash) => self.begun.push(*hash),
            Event::BlobBegun(hash) => self.blobs_begun.push(*hash),
            Event::Promised => {
                self.n_promised = self.begun.len();
                self.n_blobs_promised = self.blobs_begun.len();
            }
            _ => {}
        }
    }
}

/// Another process opens what a killed one left. Whatever it finds it builds on, so that is promised, too; then power
/// goes.
fn open_and_lose_power(disk: &MemoryDisk, index: &MemoryIndex, promises: &mut Promises, what: &str) {
    let (log, report) = open(disk, index);
    assert!(!report.findings.iter().any(|finding| finding.outcome == Outcome::Lost), "{what}: {report:?}");
    promises.n_promised = promises.n_promised.max(hashes(&log).len());
    promises.blobs_begun.retain(|hash| log.has_blob(hash));
    promises.n_blobs_promised = promises.blobs_begun.len();
    drop(log);
    disk.crash(CrashStyle::Lose);
    index.crash();
}

fn check_after_crash(disk: &MemoryDisk, index: &MemoryIndex, promises: &Promises, session: &Session, what: &str) {
    let (mut log, report) = open(disk, index);
    let is_lost = |finding: &Finding| finding.outcome == Outcome::Lost;
    assert!(!report.findings.iter().any(is_lost), "{what}: {report:?}");
    // One device's deltas form a chain: what is there is its beginning, with all that was promised, no more than
    // was begun, and no hole.
    let found = hashes(&log);
    assert!(found.len() >= promises.n_promised, "{what}: {} of {}", found.len(), promises.n_promised);
    assert!(found.len() <= promises.begun.len(), "{what}: {} of {}", found.len(), promises.begun.len());
    assert_eq!(found, promises.begun[..found.len()], "{what}: {report:?}");
    for hash in &promises.blobs_begun[..promises.n_blobs_promised] {
        assert!(log.blob(hash).is_some(), "{what}: blob {hash}");
    }
    let verified = log.verify(&mut |_, _| {});
    assert!(verified.findings.is_empty(), "{what}: {verified:?}");
    assert_eq!(verified.n_deltas, found.len() as u64, "{what}");
    // Life goes on.
    for signed in &session.deltas[found.len()..] {
        if let Some(text) = session.pastes.get(&signed.hash) {
            log.put_blob(text).unwrap();
        }
        append(&mut log, signed).unwrap();
    }
    log.close().unwrap();
    let (log, report) = open(disk, index);
    assert_eq!((report.findings, hashes(&log)), (vec![], sorted(&session.deltas)), "{what}");
    let verified = log.verify(&mut |_, _| {});
    assert!(verified.findings.is_empty(), "{what}: {verified:?}");
}

#[test]
fn a_trace_cut_anywhere_leaves_all_that_was_promised_and_nothing_else() {
    let seed = number_of("CODESYNC_PROOF_SEED", 1);
    let n_seeds = number_of("CODESYNC_PROOF_ROUNDS", 1);
    let only_cut = std::env::var("CODESYNC_PROOF_CUT").ok().and_then(|text| text.parse::<u64>().ok());
    let is_long = std::env::var_os("CODESYNC_PROOF_ROUNDS").is_some() || only_cut.is_some();
    let mut n_opened = 0_u64;
    for seed in seed..seed + n_seeds {
        let session = session(seed, 160);
        let events = record(&session, seed);
        let (mut media, mut promises) = (Media::default(), Promises::default());
        for (cut, event) in events.iter().enumerate() {
            // The short run takes every other place, and one way for each.
            if only_cut.is_some_and(|only| only != cut as u64) || !is_long && cut % 2 == 1 {
                media.apply(event);
                promises.note(event);
                continue;
            }
            let mut crashes = vec![Crash::Lose, Crash::Keep, Crash::Kill];
            crashes.extend((0..6).map(|n| Crash::Scatter(seed * 1_000_003 + cut as u64 * 31 + n)));
            if !is_long {
                crashes = vec![crashes[(seed as usize + cut / 2) % crashes.len()]];
            }
            for crash in crashes {
                let (disk, index) = media.after(crash);
                let (mut promises, what) = (promises.clone(), format!("seed {seed}, cut {cut}, {crash:?}"));
                if crash == Crash::Kill {
                    open_and_lose_power(&disk, &index, &mut promises, &what);
                }
                check_after_crash(&disk, &index, &promises, &session, &what);
                n_opened += 1;
            }
            media.apply(event);
            promises.note(event);
        }
    }
    println!("{n_opened} crashes of {n_seeds} sessions survived");
}

/// Works through a session like the engine: what the log refuses waits and is offered again. Returns how often the
/// disk was full; frees it after some refusals.
fn work_through_full_disk(session: &Session, disk: &MemoryDisk, log: &mut Log, what: &str) -> u32 {
    let mut n_refused = 0;
    let mut refuse = |result: Result<(), LogError>| {
        if let Err(error) = result {
            assert!(matches!(error, LogError::NoSpace), "{what}: {error}");
            n_refused += 1;
            assert!(n_refused < 40, "{what}: it does not go on after space is free again");
            if n_refused == 7 {
                disk.set_space(None);
            }
            return false;
        }
        true
    };
    for (idx, group) in session.deltas.chunks(5).enumerate() {
        for signed in group {
            if let Some(text) = session.pastes.get(&signed.hash) {
                while !refuse(log.put_blob(text).map(drop)) {}
            }
            while !refuse(append(log, signed)) {}
        }
        while !refuse(log.sync()) {}
        if idx % 8 == 7 {
            refuse(log.seal(idx % 16 == 7).map(drop));
        }
    }
    n_refused
}

#[test]
fn a_disk_full_at_any_write_loses_nothing_and_work_goes_on() {
    let session = session(number_of("CODESYNC_PROOF_SEED", 1), 160);
    let whole = MemoryDisk::new();
    let (mut log, _) = open(&whole, &MemoryIndex::new());
    assert_eq!(work_through_full_disk(&session, &whole, &mut log, "enough room"), 0);
    drop(log);
    let step = if std::env::var_os("CODESYNC_PROOF_ROUNDS").is_some() { 1 } else { 7 };
    let mut n_refusals = 0;
    for full_at in (1..whole.n_changes()).step_by(step) {
        let what = format!("full at change {full_at}");
        let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
        let (mut log, _) = open(&disk, &index);
        // Now and then somebody else takes the room that the ballast gives.
        disk.fill_at(full_at, if full_at % 3 == 0 { 0 } else { 512 << 10 });
        n_refusals += work_through_full_disk(&session, &disk, &mut log, &what);
        log.sync().unwrap();
        // The machine stops just then.
        drop(log);
        disk.set_space(None);
        disk.crash(CrashStyle::Lose);
        index.crash();
        let (mut log, report) = open(&disk, &index);
        assert!(report.findings.iter().all(|finding| finding.outcome == Outcome::Unfinished), "{what}: {report:?}");
        assert_eq!(hashes(&log), sorted(&session.deltas), "{what}");
        session.pastes.values().for_each(|text| assert!(log.blob(&BlobHash::of(text)).is_some(), "{what}"));
        // With room again there is ballast again, and a second copy of everything.
        log.seal(true).unwrap();
        assert!(!log.is_low_on_space(), "{what}");
        let verified = log.verify(&mut |_, _| {});
        assert!(verified.findings.is_empty(), "{what}: {verified:?}");
    }
    println!("the disk refused {n_refusals} writes");
    assert!(n_refusals > 100);
}

/// The store of format 1 as it was first released: sealed history, a tail, contents stored apart.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/format-1");
/// Set to write the golden store anew: only together with a new format, into a folder of its own.
const WRITE_GOLDEN: &str = "CODESYNC_WRITE_GOLDEN";

fn golden_names(folder: &std::path::Path) -> Vec<String> {
    let mut names = Vec::new();
    for part in ["", "journal", "copies"] {
        let entries = std::fs::read_dir(folder.join(part)).unwrap().map(Result::unwrap);
        let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
        names.extend(files.map(|entry| format!("{part}/{}", entry.file_name().to_str().unwrap())));
    }
    names.iter_mut().for_each(|name| *name = name.trim_start_matches('/').to_owned());
    names.sort();
    names
}

/// Everything that a store yields, one line for each delta in its order: name, bytes as on the wire, and whether its
/// own signature is kept; then the contents.
fn listing(log: &Log, session: &Session) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut lines = String::new();
    log.for_each(&mut |signed| {
        let is_signed = if signed.signature == [0; 64] { "covered" } else { "signed" };
        lines += &format!("{} {is_signed} {}\n", hex(&signed.hash.0), hex(&testing::bytes(signed)));
    })
    .unwrap();
    for text in session.pastes.values() {
        let hash = BlobHash::of(text);
        lines += &format!("blob {} {}\n", hex(&hash.0), hex(&log.blob(&hash).unwrap_or_default()));
    }
    lines
}

#[test]
fn a_store_of_the_first_format_is_read_to_the_byte() {
    let folder = std::path::Path::new(GOLDEN);
    let session = session(7, 230);
    if std::env::var_os(WRITE_GOLDEN).is_some() {
        write_golden(folder, &session);
    }
    let expected = std::fs::read_to_string(folder.join("listing.txt")).unwrap();
    for without_copies in [false, true] {
        // The index is made anew: it may change its format, the journal may not.
        let mut disk = MemoryDisk::new();
        for name in golden_names(folder).iter().filter(|name| !without_copies || !name.starts_with("copies/")) {
            crate::Disk::replace(&mut disk, name, &std::fs::read(folder.join(name)).unwrap()).unwrap();
        }
        let (mut log, report) = open(&disk, &MemoryIndex::new());
        assert!(report.findings.is_empty(), "{report:?}");
        assert!(listing(&log, &session) == expected, "the store no longer yields what was written to it");
        assert!(log.blocks.len() > 1 && log.n_unsealed_steps() > 0);
        assert!(log.verify(&mut |_, _| {}).is_sound());
        // And it goes on.
        let Session { deltas, .. } = self::session(7, 260);
        deltas.iter().for_each(|signed| append(&mut log, signed).unwrap());
        log.close().unwrap();
        assert_eq!(hashes(&open(&disk, &MemoryIndex::new()).0), sorted(&deltas));
    }
}

fn write_golden(folder: &std::path::Path, session: &Session) {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let (mut log, _) = open(&disk, &index);
    for (n, group) in session.deltas.chunks(5).enumerate() {
        for signed in group {
            session.pastes.get(&signed.hash).map(|text| log.put_blob(text).unwrap());
            append(&mut log, signed).unwrap();
        }
        log.sync().unwrap();
        if n % 7 == 6 {
            log.seal(false).unwrap();
        }
    }
    if folder.exists() {
        std::fs::remove_dir_all(folder).unwrap();
    }
    for (name, _) in disk.files().into_iter().filter(|(name, _)| name != "ballast" && name != ".gitignore") {
        let path = folder.join(&name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, crate::Disk::read(&disk, &name).unwrap()).unwrap();
    }
    std::fs::write(folder.join("listing.txt"), listing(&log, session)).unwrap();
}
