//! Blobs that another thread made durable before a delta names them, and those it did not.
use super::*;
use crate::PackedBlob;

fn ahead(log: &mut Log, text: &str) -> BlobHash {
    let hash = BlobHash::of(text.as_bytes());
    log.put_ahead(&PackedBlob::of(hash, text.as_bytes())).unwrap();
    hash
}

/// On a thread of its own, as it is meant.
fn sync_elsewhere(log: &mut Log) -> Result<(), LogError> {
    let task = log.begin_blob_sync()?.unwrap();
    let done = std::thread::spawn(move || task.run()).join().unwrap();
    log.end_blob_sync(done)
}

#[test]
fn a_blob_that_no_delta_names_keeps_no_keystroke_waiting() {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let (mut log, _) = open(&disk, &index);
    let keys = typing(10);
    let blob = ahead(&mut log, "put ahead");
    assert!(!log.unsynced());
    append(&mut log, &keys[0]).unwrap();
    log.sync().unwrap();
    disk.crash(CrashStyle::Lose);
    let (log, _) = open(&disk, &index);
    assert_eq!(hashes(&log), [keys[0].hash], "the key did not wait for the blob");
    assert!(!log.has_blob(&blob));
}

#[test]
fn a_delta_never_outlives_the_blob_it_names() {
    for is_synced_elsewhere in [false, true] {
        let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
        let (mut log, _) = open(&disk, &index);
        let keys = typing(10);
        let blob = ahead(&mut log, "put ahead");
        if is_synced_elsewhere {
            sync_elsewhere(&mut log).unwrap();
        }
        // What is put after that is not covered by it.
        let later = ahead(&mut log, "put later");
        assert_eq!(log.put_blob(b"put ahead").unwrap(), blob);
        append(&mut log, &keys[0]).unwrap();
        let written = disk.fork();
        written.crash(CrashStyle::Keep);
        let (early, _) = open(&written, &index);
        assert!(hashes(&early).is_empty() || is_synced_elsewhere, "held back until the blob is durable");
        drop(early);
        log.sync().unwrap();
        disk.crash(CrashStyle::Lose);
        let (log, report) = open(&disk, &index);
        assert!(!lost(&report), "{report:?}");
        assert_eq!(hashes(&log), [keys[0].hash]);
        assert_eq!(log.blob(&blob).unwrap(), b"put ahead");
        assert_eq!(log.has_blob(&later), !is_synced_elsewhere, "only what had to be was synced with the key");
    }
}

#[test]
fn a_sync_that_failed_elsewhere_is_made_good_before_a_delta_names_the_blob() {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let (mut log, _) = open(&disk, &index);
    let keys = typing(10);
    let blob = ahead(&mut log, "put ahead");
    disk.fail_next_sync();
    assert!(sync_elsewhere(&mut log).is_err());
    log.put_blob(b"put ahead").unwrap();
    append(&mut log, &keys[0]).unwrap();
    log.sync().unwrap();
    assert_eq!(log.blob(&blob).unwrap(), b"put ahead");
    disk.crash(CrashStyle::Lose);
    let (log, _) = open(&disk, &index);
    assert_eq!((hashes(&log), log.blob(&blob).unwrap()), (vec![keys[0].hash], b"put ahead".to_vec()));
}

#[test]
fn sealing_and_closing_leave_no_blob_behind() {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let (mut log, _) = open(&disk, &index);
    typing(10).iter().for_each(|signed| append(&mut log, signed).unwrap());
    let blob = ahead(&mut log, "put ahead");
    let task = log.begin_blob_sync().unwrap().unwrap();
    log.seal(true).unwrap();
    // An answer that comes late changes nothing any more.
    log.end_blob_sync(task.run()).unwrap();
    disk.crash(CrashStyle::Lose);
    let (log, _) = open(&disk, &index);
    assert_eq!(log.blob(&blob).unwrap(), b"put ahead");
    assert!(log.verify(&mut |_, _| {}).findings.is_empty());
}

#[test]
fn a_full_segment_rotates_while_blobs_are_on_their_way() {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let (mut log, _) = open(&disk, &index);
    let mut random = testing::Random(3);
    let mut text = |n_bytes: usize| (0..n_bytes).map(|_| (b'a' + random.below(26) as u8) as char).collect::<String>();
    let first = ahead(&mut log, &text(60_000));
    let task = log.begin_blob_sync().unwrap().unwrap();
    let second = ahead(&mut log, &text(60_000));
    log.end_blob_sync(task.run()).unwrap();
    sync_elsewhere(&mut log).unwrap();
    disk.crash(CrashStyle::Lose);
    let (log, report) = open(&disk, &index);
    assert!(!lost(&report), "{report:?}");
    assert!(log.has_blob(&first) && log.has_blob(&second));
}
