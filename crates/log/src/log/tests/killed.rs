//! A process that was killed before it synced what it wrote, another one that goes on, and then the power goes.
use super::*;

/// What the last process wrote is kept by the system only. Another one opens it.
fn open_after_kill(disk: &MemoryDisk, index: &MemoryIndex) -> Log {
    open_after(disk, index, CrashStyle::Kill)
}

fn open_after_power_loss(disk: &MemoryDisk, index: &MemoryIndex) -> Log {
    open_after(disk, index, CrashStyle::Lose)
}

fn open_after(disk: &MemoryDisk, index: &MemoryIndex, style: CrashStyle) -> Log {
    disk.crash(style);
    index.crash();
    let (log, report) = open(disk, index);
    assert!(!lost(&report), "{report:?}");
    log
}

/// A store whose tail is sealed, the block written and not synced.
fn sealed_and_killed() -> (MemoryDisk, MemoryIndex, Vec<Arc<SignedDelta>>) {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let deltas = typing(150);
    let (mut log, _) = open(&disk, &index);
    deltas.iter().for_each(|signed| append(&mut log, signed).unwrap());
    log.sync().unwrap();
    // The header of the segment, and the block.
    disk.die_after(Some(2));
    assert!(log.seal(true).is_err());
    (disk, index, deltas)
}

#[test]
fn a_block_that_was_never_synced_does_not_replace_what_was() {
    let (disk, index, deltas) = sealed_and_killed();
    let log = open_after_kill(&disk, &index);
    assert_eq!(log.n_unsealed_steps(), 0, "the block is there");
    drop(log);
    // The live segment that goes may be gone before the block is there, and before the index has a copy of it.
    for seed in 0..20 {
        let disk = disk.fork();
        disk.crash(CrashStyle::Tear(seed));
        let (log, report) = open(&disk, &MemoryIndex::new());
        assert!(!lost(&report), "seed {seed}: {report:?}");
        assert_eq!(hashes(&log), sorted(&deltas), "seed {seed}");
    }
}

#[test]
fn a_block_that_cannot_be_synced_replaces_nothing_until_it_can() {
    let (disk, index, deltas) = sealed_and_killed();
    disk.fail_next_sync();
    let mut log = open_after_kill(&disk, &index);
    assert!(log.unsynced());
    disk.fail_next_sync();
    assert!(log.seal(true).is_err());
    assert_eq!(hashes(&open_after_power_loss(&disk.fork(), &MemoryIndex::new())), sorted(&deltas));
    log.seal(true).unwrap();
    assert!(!log.unsynced() && log.writer.numbers(Class::Live).is_empty());
    drop(log);
    assert_eq!(hashes(&open_after_power_loss(&disk, &MemoryIndex::new())), sorted(&deltas));
}

#[test]
fn what_is_found_is_durable_before_anything_builds_on_it() {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let mut author = Author::new(1);
    let (first, paste) = (author.session(START_MS), author.paste(START_MS + 1, file(2), 0, "pasted"));
    let (mut log, _) = open(&disk, &index);
    log.put_ahead(&crate::PackedBlob::of(BlobHash::of(b"pasted"), b"pasted")).unwrap();
    append(&mut log, &first).unwrap();
    drop(log);
    // There already, as far as can be seen: neither is written again.
    let mut log = open_after_kill(&disk, &index);
    let blob = log.put_blob(b"pasted").unwrap();
    [&first, &paste].into_iter().for_each(|signed| append(&mut log, signed).unwrap());
    log.sync().unwrap();
    drop(log);
    let log = open_after_power_loss(&disk, &index);
    assert_eq!(hashes(&log), sorted(&[first, paste]));
    assert_eq!(log.blob(&blob).unwrap(), b"pasted");
}

#[test]
fn a_found_blob_that_cannot_be_synced_goes_before_a_delta_that_names_it() {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let mut author = Author::new(1);
    let paste = author.paste(START_MS, file(2), 0, "pasted");
    let (mut log, _) = open(&disk, &index);
    let blob = log.put_blob(b"pasted").unwrap();
    drop(log);
    disk.fail_next_sync();
    let mut log = open_after_kill(&disk, &index);
    append(&mut log, &paste).unwrap();
    log.sync().unwrap();
    drop(log);
    let log = open_after_power_loss(&disk, &index);
    assert_eq!((hashes(&log), log.blob(&blob).unwrap()), (vec![paste.hash], b"pasted".to_vec()));
}
