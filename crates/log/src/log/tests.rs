#![allow(clippy::unwrap_used)]
//! The log on a disk that crashes, fills up and rots.

mod ahead;
mod full;
mod killed;
mod long;
mod staged;

use super::*;
use crate::journal::Class;
use crate::testing::{self, Author, START_MS, file, typing, verify};
use crate::{CrashStyle, Disk, Outcome};
use codesync_base::{BlobSource, FileId};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

fn options() -> Options {
    Options { segment_bytes_max: 64 << 10, block_steps_min: 100, ..Options::new(verify) }
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

fn lost(report: &OpenReport) -> bool {
    report.findings.iter().any(|finding| finding.outcome == Outcome::Lost)
}

#[test]
fn what_is_appended_is_there_before_and_after_sealing_and_reopening() {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let deltas = typing(500);
    let (mut log, report) = open(&disk, &index);
    assert!(report.is_new);
    for signed in &deltas {
        append(&mut log, signed).unwrap();
        append(&mut log, signed).unwrap();
    }
    let blob = log.put_blob(b"a blob, a blob, a blob").unwrap();
    assert!(log.unsynced());
    log.sync().unwrap();
    assert!(!log.unsynced());
    check_content(&log, &deltas);
    let sealed = log.seal(false).unwrap();
    assert_eq!((sealed.n_deltas, sealed.n_blocks), (501, 1));
    check_content(&log, &deltas);
    drop(log);
    let (log, report) = open(&disk, &index);
    assert_eq!(report, OpenReport::default());
    check_content(&log, &deltas);
    assert_eq!(log.blob(&blob).unwrap(), b"a blob, a blob, a blob");
    assert!(log.verify(&mut |_, _| {}).findings.is_empty());
}

/// Outlines tell the same as the deltas themselves.
fn check_briefs(log: &Log) {
    let row = |delta: &codesync_base::Delta, n_steps| (delta.hlc, delta.log, delta.seq, delta.group, n_steps);
    let (mut whole, mut brief) = (Vec::new(), Vec::new());
    log.for_each(&mut |signed| whole.push(row(&signed.delta, signed.delta.steps.len()))).unwrap();
    log.for_each_brief(&mut |what| {
        brief.push(match what {
            Brief::Whole(signed) => row(&signed.delta, signed.delta.steps.len()),
            Brief::Outline(outline, steps) => (outline.hlc, outline.log, outline.seq, outline.group, steps.len()),
        });
    })
    .unwrap();
    assert_eq!(whole, brief);
}

fn check_content(log: &Log, deltas: &[Arc<SignedDelta>]) {
    check_briefs(log);
    assert_eq!(log.n_deltas(), deltas.len() as u64);
    assert_eq!(hashes(log), sorted(deltas));
    assert_eq!(log.keys().iter().map(|key| key.hash).collect::<Vec<_>>(), sorted(deltas));
    let last = deltas.last().unwrap();
    assert_eq!(log.head(&last.delta.log).unwrap().hash, last.hash);
    assert_eq!(log.newest().unwrap().hash, last.hash);
    let some = &deltas[deltas.len() / 2];
    assert!(log.contains(&some.hash));
    assert_eq!(log.delta(&some.hash).unwrap().unwrap().delta, some.delta);
    assert!(verify(&log.covering(&some.hash).unwrap().unwrap()));
    assert_eq!(log.find_by_prefix(&some.hash.to_string()[..12]), vec![some.hash]);
    assert!(log.find_by_prefix("no").is_empty());
    assert_eq!(log.newest_reading(), last.delta.hlc);
    let mut back = Vec::new();
    log.for_each_back(&mut |signed| {
        back.push(signed.hash);
        if back.len() * 2 > deltas.len() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    assert_eq!(back.len(), deltas.len() / 2 + 1);
    assert!(back.iter().eq(sorted(deltas).iter().rev().take(back.len())));
    let mut from = Vec::new();
    let from_some = &mut |signed: &SignedDelta| {
        from.push(signed.hash);
        ControlFlow::Continue(())
    };
    log.for_each_from(&some.delta.log, some.delta.seq, from_some).unwrap();
    assert_eq!(from, sorted(&deltas[deltas.len() / 2..]));
    let before = log.newest_before(&some.delta.key(some.hash)).unwrap().unwrap();
    assert_eq!(before.hash, some.delta.prev);
    let mut of_file = Vec::new();
    log.for_each_of(&file(2), &mut |signed| of_file.push(signed.hash)).unwrap();
    let wanted: Vec<_> = deltas.iter().filter(|signed| signed.delta.files.contains(&file(2))).cloned().collect();
    assert_eq!(of_file, sorted(&wanted));
    let mut structural = Vec::new();
    log.for_each_structural(&mut |signed| structural.push(signed.hash)).unwrap();
    assert_eq!(structural, vec![deltas[0].hash]);
}

#[test]
fn a_long_tail_is_sealed_part_by_part_and_a_kill_between_two_loses_nothing() {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let deltas = typing(9_000);
    let (mut log, _) = open(&disk, &index);
    deltas.iter().for_each(|signed| append(&mut log, signed).unwrap());
    assert!(log.seal_part().unwrap());
    assert!(log.n_unsealed_steps() > 0 && log.n_unsealed_steps() < 9_000);
    check_content(&log, &deltas);
    drop(log);
    let (mut log, report) = open(&disk, &index);
    assert_eq!(report, OpenReport::default());
    check_content(&log, &deltas);
    while log.seal_part().unwrap() {}
    log.seal(false).unwrap();
    assert_eq!(log.n_unsealed_steps(), 0);
    check_content(&log, &deltas);
    drop(log);
    check_content(&open(&disk, &index).0, &deltas);
}

#[test]
fn outlines_are_kept_with_blocks_and_made_again_where_they_are_missing_or_damaged() {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let (mut log, _) = open(&disk, &index);
    typing(450).iter().for_each(|signed| append(&mut log, signed).unwrap());
    log.seal(true).unwrap();
    drop(log);
    let (log, _) = open(&disk, &index);
    check_briefs(&log);
    assert!(log.new_briefs.borrow().is_empty(), "none had to be made");
    drop(log);
    let whole = disk.read("outlines").unwrap();
    for at in [2, 30, whole.len() - 5] {
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        disk.clone().replace("outlines", &bytes[..bytes.len() - at % 3]).unwrap();
        let (mut log, report) = open(&disk, &index);
        assert_eq!(report, OpenReport::default());
        check_briefs(&log);
        assert!(!log.new_briefs.borrow().is_empty());
        log.seal(true).unwrap();
        drop(log);
        let (log, _) = open(&disk, &index);
        check_briefs(&log);
        assert_eq!(disk.read("outlines").unwrap().len(), whole.len(), "the file holds each block once");
    }
    disk.clone().remove("outlines").unwrap();
    check_briefs(&open(&disk, &index).0);
}

#[test]
fn idle_seals_grow_one_block_until_it_is_worth_a_new_one() {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let deltas = typing(499);
    let (mut log, _) = open(&disk, &index);
    for part in deltas.chunks(10) {
        part.iter().for_each(|signed| append(&mut log, signed).unwrap());
        log.seal(true).unwrap();
        assert_eq!(log.n_unsealed_steps(), 0);
    }
    let n_steps: Vec<u32> = log.blocks.iter().map(|block| block.summary.n_steps).collect();
    assert_eq!(n_steps, [200, 200, 100]);
    check_content(&log, &deltas);
    drop(log);
    let (log, report) = open(&disk, &index);
    assert_eq!(report, OpenReport::default());
    check_content(&log, &deltas);
    assert_eq!(index.fork().state_len("block/"), 3);
}

#[test]
fn late_deltas_of_others_stand_in_their_place() {
    let (mut ann, mut ben) = (Author::new(1), Author::new(2));
    let mut deltas = Vec::new();
    for n in 0..300 {
        deltas.push(ann.key(START_MS + n * 100, file(2), n as u32, "a"));
    }
    for n in 0..300 {
        deltas.push(ben.key(START_MS + n * 100 + 50, file(2), n as u32, "b"));
    }
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let (mut log, _) = open(&disk, &index);
    for part in deltas.chunks(240) {
        part.iter().for_each(|signed| append(&mut log, signed).unwrap());
        log.seal(false).unwrap();
    }
    assert_eq!(hashes(&log), sorted(&deltas));
    let mut back = Vec::new();
    log.for_each_back(&mut |signed| {
        back.push(signed.hash);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert!(back.iter().rev().eq(&sorted(&deltas)));
    assert_eq!(log.heads().len(), 2);
    drop(log);
    assert_eq!(hashes(&open(&disk, &index).0), sorted(&deltas));
}

#[test]
fn both_branches_of_a_fork_stay() {
    let mut author = Author::new(1);
    let trunk: Vec<_> = (0..5).map(|n| author.key(START_MS + n, file(2), n as u32, "t")).collect();
    let (seq, prev) = (author.seq, author.prev);
    let left: Vec<_> = (0..3).map(|n| author.key(START_MS + 100 + n, file(2), n as u32, "l")).collect();
    (author.seq, author.prev) = (seq, prev);
    let right: Vec<_> = (0..2).map(|n| author.key(START_MS + 200 + n, file(2), n as u32, "r")).collect();
    let all = [trunk, left.clone(), right].concat();
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let (mut log, _) = open(&disk, &index);
    all.iter().for_each(|signed| append(&mut log, signed).unwrap());
    log.seal(true).unwrap();
    assert_eq!(hashes(&log), sorted(&all));
    assert_eq!(log.head(&author.log).unwrap().hash, left[2].hash);
    all.iter().for_each(|signed| assert!(verify(&log.covering(&signed.hash).unwrap().unwrap())));
    drop(log);
    assert_eq!(hashes(&open(&disk, &index).0), sorted(&all));
}

#[test]
fn caches_and_local_state_are_believed_only_with_their_checksum() {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let (mut log, _) = open(&disk, &index);
    log.put_cache("timeline", b"cached");
    log.put_local("tabs", b"main.rs");
    log.close().unwrap();
    let (log, _) = open(&disk, &index);
    assert_eq!(log.get_cache("timeline").unwrap(), b"cached");
    assert_eq!(log.get_local("tabs").unwrap(), b"main.rs");
    assert_eq!(log.get_local("timeline"), None);
    drop(log);
    index.damage(|key| key.starts_with(b"cache/"), |value| *value.last_mut().unwrap() ^= 1);
    let (log, _) = open(&disk, &index);
    assert_eq!(log.get_cache("timeline"), None);
    assert_eq!(log.get_local("tabs").unwrap(), b"main.rs");
}

/// What the caller was told is durable.
#[derive(Default)]
struct Promised {
    deltas: BTreeSet<DeltaHash>,
    blobs: BTreeSet<BlobHash>,
}

/// Some work with everything in it; stops at the first failure.
fn work(
    disk: &MemoryDisk,
    index: &MemoryIndex,
    deltas: &[Arc<SignedDelta>],
    promised: &mut Promised,
) -> Result<(), LogError> {
    let (mut log, _) = Log::open_with(Box::new(disk.clone()), Box::new(index.clone()), options())?;
    for (idx, part) in deltas.chunks(40).enumerate() {
        let bytes = format!("blob {idx}").repeat(idx + 1).into_bytes();
        if idx % 2 == 0 {
            for text in [&bytes[..], b"named by nothing"] {
                log.put_ahead(&crate::PackedBlob::of(BlobHash::of(text), text))?;
            }
            if let Some(task) = log.begin_blob_sync()? {
                log.end_blob_sync(task.run())?;
            }
        }
        let blob = log.put_blob(&bytes)?;
        for signed in part {
            append(&mut log, signed)?;
        }
        log.sync()?;
        promised.blobs.insert(blob);
        promised.deltas.extend(part.iter().map(|signed| signed.hash));
        if idx % 3 == 2 {
            log.seal(true)?;
        }
    }
    log.close()
}

fn check_promises(disk: &MemoryDisk, index: &MemoryIndex, promised: &Promised, what: &str) {
    let (mut log, report) = open(disk, index);
    assert!(!lost(&report), "{what}: {report:?}");
    let found: BTreeSet<DeltaHash> = hashes(&log).into_iter().collect();
    assert!(promised.deltas.is_subset(&found), "{what}: {} of {}", found.len(), promised.deltas.len());
    assert_eq!(found.len() as u64, log.n_deltas(), "{what}");
    promised.blobs.iter().for_each(|hash| assert!(log.blob(hash).is_some(), "{what}"));
    let verified = log.verify(&mut |_, _| {});
    assert!(verified.is_sound(), "{what}: {verified:?}");
    // Life goes on: what was lost unpromised is appended again.
    for signed in &typing(400) {
        append(&mut log, signed).unwrap();
    }
    log.seal(true).unwrap();
    assert_eq!(hashes(&log), sorted(&typing(400)), "{what}");
    drop(log);
    let (log, report) = open(disk, index);
    assert_eq!((report.findings, hashes(&log)), (vec![], sorted(&typing(400))), "{what}");
}

#[test]
fn a_crash_at_any_write_loses_nothing_that_was_synced() {
    let deltas = typing(400);
    let whole = MemoryDisk::new();
    work(&whole, &MemoryIndex::new(), &deltas, &mut Promised::default()).unwrap();
    let n_changes = whole.n_changes();
    assert!(n_changes > 400, "{n_changes}");
    let step = if testing::is_slow() { 1 } else { 23 };
    for cut in (0..n_changes).step_by(step) {
        let tears = [CrashStyle::Tear(cut), CrashStyle::Tear(cut + 1_000_000)];
        let styles = [CrashStyle::Lose, CrashStyle::Keep, CrashStyle::Kill, tears[0], tears[1]];
        let style = styles[(cut / step as u64) as usize % styles.len()];
        let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
        disk.die_after(Some(cut));
        let mut promised = Promised::default();
        assert!(work(&disk, &index, &deltas, &mut promised).is_err());
        disk.crash(style);
        if cut % 2 == 0 {
            index.crash();
        }
        check_promises(&disk, &index, &promised, &format!("cut {cut}, {style:?}"));
    }
}

#[test]
fn a_full_disk_refuses_clearly_and_loses_nothing() {
    let deltas = typing(400);
    let whole = MemoryDisk::new();
    work(&whole, &MemoryIndex::new(), &deltas, &mut Promised::default()).unwrap();
    for space in (0..600_000).step_by(if testing::is_slow() { 5_003 } else { 40_009 }) {
        let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
        disk.set_space(Some(space));
        let mut promised = Promised::default();
        match work(&disk, &index, &deltas, &mut promised) {
            Ok(()) | Err(LogError::NoSpace) => {}
            Err(other) => panic!("space {space}: {other:?}"),
        }
        let reopened = Log::open_with(Box::new(disk.clone()), Box::new(index.clone()), options());
        if let Ok((log, report)) = reopened {
            assert!(!lost(&report), "space {space}: {report:?}");
            let found: BTreeSet<DeltaHash> = hashes(&log).into_iter().collect();
            assert!(promised.deltas.is_subset(&found), "space {space}");
        }
        disk.set_space(None);
        check_promises(&disk, &index, &promised, &format!("space {space}"));
    }
}

#[test]
fn the_ballast_pays_for_the_last_writes() {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let (mut log, _) = open(&disk, &index);
    let used: u64 = disk.files().iter().map(|(_, length)| length).sum();
    disk.set_space(Some(used));
    for signed in &typing(500) {
        append(&mut log, signed).unwrap();
        log.sync().unwrap();
    }
    assert!(log.is_low_on_space());
    disk.set_space(None);
    log.seal(true).unwrap();
    assert!(!log.is_low_on_space());
}

#[test]
fn a_failed_sync_is_not_believed_the_second_time() {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let (mut log, _) = open(&disk, &index);
    let deltas = typing(20);
    for signed in &deltas[..10] {
        append(&mut log, signed).unwrap();
    }
    let blob = log.put_blob(b"of the first half").unwrap();
    disk.fail_next_sync();
    assert!(log.sync().is_err());
    assert!(log.unsynced());
    disk.fail_next_sync();
    assert!(log.sync().is_err());
    for signed in &deltas[10..] {
        append(&mut log, signed).unwrap();
    }
    log.sync().unwrap();
    assert_eq!(log.blob(&blob).unwrap(), b"of the first half");
    disk.crash(CrashStyle::Lose);
    index.crash();
    let (log, _) = open(&disk, &index);
    assert_eq!(hashes(&log), sorted(&deltas));
    assert_eq!(log.blob(&blob).unwrap(), b"of the first half");
}

/// A store with sealed blocks, a tail and blobs.
fn store() -> (MemoryDisk, MemoryIndex, Vec<Arc<SignedDelta>>) {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let (mut log, _) = open(&disk, &index);
    let deltas = typing(460);
    for signed in &deltas[..230] {
        append(&mut log, signed).unwrap();
    }
    log.put_blob(&b"first ".repeat(100)).unwrap();
    log.seal(true).unwrap();
    for signed in &deltas[230..450] {
        append(&mut log, signed).unwrap();
    }
    log.put_blob(&b"second ".repeat(100)).unwrap();
    log.seal(true).unwrap();
    for signed in &deltas[450..] {
        append(&mut log, signed).unwrap();
    }
    log.sync().unwrap();
    (disk, index, deltas)
}

fn class_of(disk: &MemoryDisk, name: &str) -> Class {
    let number = crate::journal::segment_number(name.strip_prefix("journal/").unwrap()).unwrap();
    crate::journal::scan(number, &crate::Disk::read(disk, name).unwrap()).class.unwrap()
}

/// Opens a store of which one file or the index was damaged: there are two copies of everything, so that nothing is
/// missing, and after repair all is as it was.
fn check_damage(disk: &MemoryDisk, index: &MemoryIndex, deltas: &[Arc<SignedDelta>], what: &str) {
    let (mut log, report) = open(disk, index);
    assert!(!lost(&report), "{what}: {report:?}");
    assert_eq!(hashes(&log), sorted(deltas), "{what}: {report:?}");
    let contents = [b"first ".repeat(100), b"second ".repeat(100)];
    let check_blobs = |log: &Log| {
        contents.iter().for_each(|bytes| assert_eq!(log.blob(&BlobHash::of(bytes)).as_ref(), Some(bytes), "{what}"));
    };
    check_blobs(&log);
    let repaired = log.repair();
    assert!(repaired.is_sound(), "{what}: {repaired:?}");
    let after = log.verify(&mut |_, _| {});
    assert!(after.findings.is_empty(), "{what}: {after:?}");
    log.close().unwrap();
    let (log, report) = open(disk, index);
    assert!(report.findings.is_empty(), "{what}: {report:?}");
    assert_eq!(hashes(&log), sorted(deltas), "{what}");
    check_blobs(&log);
    let after = log.verify(&mut |_, _| {});
    assert!(after.findings.is_empty(), "{what}: {after:?}");
}

#[test]
fn flipped_bits_cuts_and_deleted_files_are_healed_or_noticed() {
    let (disk, index, deltas) = store();
    let mut random = testing::Random(5);
    for (name, length) in disk.files() {
        for round in 0..12 {
            let at = random.below(length.max(1)) as usize;
            let damaged = disk.fork();
            let copy = index.fork();
            let what = match round {
                0 => {
                    crate::Disk::remove(&mut damaged.clone(), &name).unwrap();
                    damaged.crash(CrashStyle::Keep);
                    format!("{name} deleted")
                }
                1 | 2 => {
                    damaged.damage(&name, |bytes| bytes.truncate(at));
                    format!("{name} cut at {at}")
                }
                3..6 => {
                    let at = if round == 5 { 0 } else { at };
                    let n_zeros = if round == 3 { 512 } else { 4_096 };
                    damaged.damage(&name, |bytes| bytes.iter_mut().skip(at).take(n_zeros).for_each(|byte| *byte = 0));
                    format!("{name} {n_zeros} zeros from {at}")
                }
                _ => {
                    damaged.damage(&name, |bytes| {
                        if let Some(byte) = bytes.get_mut(at) {
                            *byte ^= 1 << (at % 8)
                        }
                    });
                    format!("{name} bit flipped in byte {at}")
                }
            };
            check_damage(&damaged, &copy, &deltas, &what);
        }
    }
}

#[test]
fn a_damaged_or_empty_index_is_built_anew() {
    let (disk, index, deltas) = store();
    for prefix in ["block/", "checkpoint", "blobs/", ""] {
        let (damaged, copy) = (disk.fork(), index.fork());
        copy.damage(|key| key.starts_with(prefix.as_bytes()), |value| value[3] ^= 16);
        check_damage(&damaged, &copy, &deltas, &format!("index {prefix:?} damaged"));
    }
    let (damaged, copy) = (disk.fork(), index.fork());
    copy.clear();
    check_damage(&damaged, &copy, &deltas, "index empty");
    assert!(copy.state_len("block/") >= 2);
}

#[test]
fn history_without_any_good_copy_is_reported_lost_and_the_rest_stays() {
    let (disk, index, deltas) = store();
    let sealed = disk
        .files()
        .into_iter()
        .map(|(name, _)| name)
        .find(|name| name.starts_with("journal/") && class_of(&disk, name) == Class::Sealed);
    disk.damage(&sealed.unwrap(), |bytes| bytes[600] ^= 4);
    let mut first = true;
    index.damage(|key| key.starts_with(b"block/") && std::mem::take(&mut first), |value| value[50] ^= 1);
    let mut second = false;
    index.damage(|key| key.starts_with(b"block/") && std::mem::replace(&mut second, true), |value| value[50] ^= 1);
    let (log, report) = open(&disk, &index);
    assert!(lost(&report), "{report:?}");
    let found = hashes(&log);
    assert!(found.len() < deltas.len() && found.len() > 200);
    // Whatever has no hole behind it or before it is there.
    let span = report.lost.unwrap();
    let n_holes = deltas.iter().filter(|signed| !found.contains(&signed.hash)).inspect(|signed| {
        let at_ms = signed.delta.hlc.wall_ms;
        assert!(span.after_ms.is_none_or(|after_ms| after_ms <= at_ms), "{span:?}, {at_ms}");
        assert!(span.before_ms.is_none_or(|before_ms| at_ms <= before_ms), "{span:?}, {at_ms}");
    });
    assert!(n_holes.count() > 0 && (span.after_ms.is_some() || span.before_ms.is_some()));
    assert!(crate::Disk::list(&disk, "set-aside").unwrap().len() == 1);
}

#[test]
fn newer_stores_and_segments_are_left_alone() {
    let (disk, index, _) = store();
    let newer = disk.fork();
    newer.damage("VERSION", |bytes| *bytes = b"2\n".to_vec());
    let before = newer.n_changes();
    let opened = Log::open_with(Box::new(newer.clone()), Box::new(index.clone()), options());
    assert!(matches!(opened, Err(LogError::NewerVersion { version: 2 })));
    assert_eq!(newer.n_changes(), before);
}

#[test]
fn two_processes_cannot_open_a_store_and_sled_keeps_what_was_put() {
    let folder = tempfile::tempdir().unwrap();
    let deltas = typing(300);
    let (mut log, _) = Log::open(folder.path(), options()).unwrap();
    deltas.iter().for_each(|signed| append(&mut log, signed).unwrap());
    log.put_local("tabs", b"main.rs");
    log.sync().unwrap();
    let busy = Log::open(folder.path(), options()).err().unwrap();
    assert!(matches!(busy, LogError::Busy { pid: Some(pid) } if pid == std::process::id()), "{busy:?}");
    log.close().unwrap();
    let (log, report) = Log::open(folder.path(), options()).unwrap();
    assert_eq!(report, OpenReport::default());
    assert_eq!(hashes(&log), sorted(&deltas));
    assert_eq!(log.get_local("tabs").unwrap(), b"main.rs");
    assert!(log.verify(&mut |_, _| {}).findings.is_empty());
    assert_eq!(std::fs::read(folder.path().join(".codesync/.gitignore")).unwrap(), b"*\n");
}

#[test]
fn a_damaged_sled_is_set_aside_and_nothing_is_missing() {
    let original = tempfile::tempdir().unwrap();
    let deltas = typing(300);
    let (mut log, _) = Log::open(original.path(), options()).unwrap();
    deltas.iter().for_each(|signed| append(&mut log, signed).unwrap());
    log.close().unwrap();
    let mut random = testing::Random(3);
    for round in 0..if testing::is_slow() { 300 } else { 8 } {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(original.path(), folder.path());
        let what = format!("round {round}: {}", damage_sled(folder.path(), &mut random));
        let (log, report) = Log::open(folder.path(), options()).unwrap();
        assert!(!lost(&report), "{what}: {report:?}");
        assert_eq!(hashes(&log), sorted(&deltas), "{what}");
        log.close().unwrap();
        let (log, report) = Log::open(folder.path(), options()).unwrap();
        assert!(report.findings.is_empty(), "{what}: {report:?}");
        assert!(log.verify(&mut |_, _| {}).is_sound(), "{what}");
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Damages one of sled's files and says how.
fn damage_sled(folder: &Path, random: &mut testing::Random) -> String {
    let index = folder.join(".codesync/index");
    let mut files: Vec<_> = std::fs::read_dir(&index).unwrap().flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    let db = index.join("db");
    let path = if random.below(2) == 0 { db } else { files[random.below(files.len() as u64) as usize].clone() };
    let mut bytes = std::fs::read(&path).unwrap();
    // Most of what sled holds here stands at the start.
    let at = random.below(bytes.len().clamp(1, 20_000) as u64) as usize;
    let how = random.below(5);
    match how {
        0 => bytes.truncate(at),
        1 => bytes.iter_mut().skip(at).take(4_096).for_each(|byte| *byte = 0),
        2 => bytes.iter_mut().skip(at).take(64).for_each(|byte| *byte = random.next() as u8),
        _ => bytes[at] ^= 1 << random.below(8),
    }
    std::fs::write(&path, &bytes).unwrap();
    if how == 4 && random.below(4) == 0 {
        std::fs::remove_file(&path).unwrap();
    }
    format!("{} at {at}, way {how}", path.file_name().unwrap().to_string_lossy())
}

#[test]
fn a_log_can_be_handed_to_another_thread() {
    fn takes_send<T: Send>(_: T) {}
    takes_send(Log::in_memory(options()).unwrap().0);
}

#[test]
fn a_file_instead_of_a_folder_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let refused = Log::open(&file, options()).err().unwrap();
    assert!(matches!(refused, LogError::Io { .. }), "{refused}");
}

#[test]
fn a_delta_may_touch_no_file_that_a_mark_only_resembles() {
    let mut author = Author::new(1);
    let mut twin = file(2);
    twin.0[15] = 9;
    let deltas = [author.key(START_MS, file(2), 0, "a"), author.key(START_MS + 1, twin, 0, "b")];
    let (mut log, _) = Log::in_memory(options()).unwrap();
    deltas.iter().for_each(|signed| append(&mut log, signed).unwrap());
    log.seal(true).unwrap();
    let of = |file: FileId| {
        let mut found = Vec::new();
        log.for_each_of(&file, &mut |signed| found.push(signed.hash)).unwrap();
        found
    };
    assert_eq!((of(file(2)), of(twin), of(file(3))), (vec![deltas[0].hash], vec![deltas[1].hash], vec![]));
}

#[test]
fn a_store_of_a_real_session_stays_small_and_opens_fast() {
    if !testing::is_slow() {
        return;
    }
    for name in ["automerge-paper", "seph-blog1", "sveltecomponent", "json-crdt-patch", "json-crdt-blog-post"] {
        let Some(deltas) = testing::trace(name) else {
            return eprintln!("the traces are not here: size of the store not checked");
        };
        let folder = tempfile::tempdir().unwrap();
        let (mut log, _) = Log::open(folder.path(), Options::new(verify)).unwrap();
        let start = std::time::Instant::now();
        let mut block_bytes = 0;
        for signed in &deltas {
            append(&mut log, signed).unwrap();
            if log.n_unsealed_steps() >= 1_000 {
                block_bytes += log.seal(false).unwrap().block_bytes;
            }
        }
        let written = start.elapsed();
        log.close().unwrap();
        let start = std::time::Instant::now();
        let (log, _) = Log::open(folder.path(), Options::new(verify)).unwrap();
        let opened = start.elapsed();
        let start = std::time::Instant::now();
        assert_eq!(hashes(&log).len(), deltas.len());
        let read = start.elapsed();
        let start = std::time::Instant::now();
        log.for_each_structural(&mut |_| {}).unwrap();
        let structural = start.elapsed();
        let n = deltas.len() as f64;
        let du = std::process::Command::new("du").arg("-ab").arg(folder.path()).output().unwrap();
        eprintln!("{}", String::from_utf8_lossy(&du.stdout));
        eprintln!(
            "{name}: blocks {:.3}, store {:.3} bytes a step; written {written:?}, opened {opened:?}, read {read:?}, structural {structural:?}",
            block_bytes as f64 / n,
            log.size_bytes() as f64 / n,
        );
    }
}

#[test]
fn a_run_of_others_whose_signature_a_crash_took_is_left_out_and_received_again() {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let mut run = typing(9);
    run[..9].iter_mut().for_each(|signed| Arc::make_mut(signed).signature = [0; 64]);
    let mut other = Author::new(2);
    let own = other.session(START_MS);
    let mut builds = (*other.session(START_MS + 1)).clone();
    builds.delta.deps = vec![Head { log: run[3].delta.log, seq: 4, hash: run[3].hash }];
    let builds = other.sign(builds.delta);
    let (mut log, _) = open(&disk, &index);
    for signed in [&own].into_iter().chain(&run[..9]).chain([&builds]) {
        append(&mut log, signed).unwrap();
    }
    log.sync().unwrap();
    drop(log);
    let (mut log, report) = open(&disk, &index);
    // What is signed stays, and all that it builds on: it was written when that was whole.
    let kept: BTreeSet<_> = run[..4].iter().map(|signed| signed.hash).chain([own.hash, builds.hash]).collect();
    assert_eq!(hashes(&log).into_iter().collect::<BTreeSet<_>>(), kept);
    assert!(!lost(&report) && report.findings.len() == 1);
    run[4..].iter().for_each(|signed| append(&mut log, signed).unwrap());
    log.sync().unwrap();
    drop(log);
    // The one that built on it is there again, too: nothing of it was wrong.
    let (mut log, report) = open(&disk, &index);
    assert_eq!((log.n_deltas(), report.findings.len()), (12, 0));
    log.seal(true).unwrap();
    assert_eq!(log.covering(&run[0].hash).unwrap().unwrap().hash, run[9].hash);
}

#[test]
fn a_log_that_begins_with_a_cut_is_whole() {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let deltas = typing(300);
    let (before, after) = deltas.split_at(100);
    let head = |signed: &SignedDelta| Head { log: signed.delta.log, seq: signed.delta.seq, hash: signed.hash };
    let (mut log, _) = open(&disk, &index);
    let checkpoint = BlobHash::of(b"what was there");
    log.promise_cut(checkpoint).unwrap();
    drop(log);
    let (mut log, report) = open(&disk, &index);
    assert_eq!(report, OpenReport::default());
    assert!(!log.cut().unwrap().has_begun());
    log.put_blob(b"what was there").unwrap();
    log.begin_cut(checkpoint, [head(&before[99])]).unwrap();
    assert_eq!(log.heads(), [head(&before[99])]);
    drop(log);
    disk.crash(CrashStyle::Lose);
    for n_rounds in 0..2 {
        let (mut log, report) = open(&disk, &index);
        assert_eq!(report, OpenReport::default(), "round {n_rounds}");
        assert!(log.has_blob(&checkpoint));
        after[100 * n_rounds..100 * (n_rounds + 1)].iter().for_each(|signed| append(&mut log, signed).unwrap());
        log.sync().unwrap();
        assert_eq!(log.verify(&mut |_, _| {}).findings, vec![]);
        log.seal(true).unwrap();
        assert_eq!(log.verify(&mut |_, _| {}).findings, vec![]);
    }
    for name in ["cut", "copies/cut"] {
        disk.damage(name, |bytes| bytes[20] ^= 1);
        let (log, report) = open(&disk, &index);
        assert_eq!(report.findings.iter().map(|finding| finding.outcome).collect::<Vec<_>>(), [Outcome::Healed]);
        assert_eq!(log.cut_seq(&before[0].delta.log), 100);
        drop(log);
        assert_eq!(open(&disk, &index).1, OpenReport::default());
    }
}
