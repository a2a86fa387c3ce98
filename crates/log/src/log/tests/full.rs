//! A disk that stays full, or fails while it is full: tries leave nothing behind, and work goes on when there is room.
use super::*;
use crate::PackedBlob;

/// A store without the room that the ballast gives.
fn open_without_ballast() -> (MemoryDisk, MemoryIndex, Log) {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    drop(open(&disk, &index));
    disk.clone().remove("ballast").unwrap();
    disk.set_space(Some(0));
    let (log, _) = open(&disk, &index);
    assert!(log.is_low_on_space());
    disk.set_space(None);
    (disk, index, log)
}

fn leave_room(disk: &MemoryDisk, n_bytes: u64) {
    disk.set_space(Some(disk.size_bytes() + n_bytes));
}

/// Of texts that do not compress.
fn noise(seed: u64, n_bytes: usize) -> String {
    let mut random = testing::Random(seed);
    (0..n_bytes).map(|_| char::from(b'!' + random.below(90) as u8)).collect()
}

fn ahead(log: &mut Log, text: &str) -> Result<(), LogError> {
    log.put_ahead(&PackedBlob::of(BlobHash::of(text.as_bytes()), text.as_bytes()))
}

/// Puts both ahead, and their sync on another thread fails.
fn put_in_doubt(disk: &MemoryDisk, log: &mut Log, texts: [&str; 2]) {
    texts.iter().for_each(|text| ahead(log, text).unwrap());
    disk.fail_next_sync();
    let task = log.begin_blob_sync().unwrap().unwrap();
    assert!(log.end_blob_sync(task.run()).is_err());
}

/// Names this content in a delta, makes that durable, and has the power go.
fn check_named(disk: &MemoryDisk, index: &MemoryIndex, mut log: Log, text: &str) {
    let paste = Author::new(1).paste(START_MS, file(2), 0, text);
    append(&mut log, &paste).unwrap();
    log.sync().unwrap();
    drop(log);
    disk.crash(CrashStyle::Lose);
    index.crash();
    let (log, _) = open(disk, index);
    assert_eq!(hashes(&log), [paste.hash]);
    assert_eq!(log.blob(&BlobHash::of(text.as_bytes())).as_deref(), Some(text.as_bytes()));
}

#[test]
fn a_segment_that_finds_no_room_leaves_nothing_behind() {
    let (disk, index, mut log) = open_without_ballast();
    let key = &typing(1)[0];
    let files = disk.files();
    for room_bytes in [0, 7, 20, 60] {
        leave_room(&disk, room_bytes);
        for _ in 0..25 {
            assert!(append(&mut log, key).is_err());
        }
    }
    assert!(disk.files().len() <= files.len() + 1, "at most the segment that was begun: {:?}", disk.files());
    disk.set_space(None);
    append(&mut log, key).unwrap();
    log.sync().unwrap();
    drop(log);
    let (log, report) = open(&disk, &index);
    assert_eq!((report.findings, hashes(&log)), (vec![], vec![key.hash]));
}

#[test]
fn records_that_find_no_room_in_a_fresh_segment_leave_nothing_behind() {
    let (disk, index, mut log) = open_without_ballast();
    let deltas = typing(20);
    deltas.iter().for_each(|signed| append(&mut log, signed).unwrap());
    disk.fail_next_sync();
    assert!(log.sync().is_err());
    let files = disk.files();
    // For a header, for some of the records, for not even a header.
    for room_bytes in [20, 1_000, 7, 400] {
        leave_room(&disk, room_bytes);
        for _ in 0..25 {
            assert!(log.sync().is_err());
        }
    }
    assert_eq!(disk.files(), files);
    disk.set_space(None);
    log.sync().unwrap();
    drop(log);
    disk.crash(CrashStyle::Lose);
    let (log, report) = open(&disk, &index);
    assert!(!lost(&report), "{report:?}");
    assert_eq!(hashes(&log), sorted(&deltas));
}

/// `/dev/full` stands in for the files of a full disk: it can be opened, and takes no byte.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_does_not_use_up_the_open_files() {
    let n_open = || {
        let open = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
        open.filter(|entry| std::fs::read_link(entry.path()).is_ok_and(|path| path == Path::new("/dev/full"))).count()
    };
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join(".codesync/journal");
    let (mut log, _) = Log::open(folder.path(), options()).unwrap();
    std::fs::create_dir(&journal).unwrap();
    let full = |number: u32| folder.path().join(".codesync").join(crate::journal::segment_name(number));
    (1..=100).for_each(|number| std::os::unix::fs::symlink("/dev/full", full(number)).unwrap());
    let key = &typing(1)[0];
    for _ in 0..100 {
        assert!(append(&mut log, key).is_err());
    }
    assert_eq!((n_open(), std::fs::read_dir(&journal).unwrap().count()), (0, 0));
    append(&mut log, key).unwrap();
    log.sync().unwrap();
    drop(log);
    let (log, report) = Log::open(folder.path(), options()).unwrap();
    assert_eq!((report.findings, hashes(&log)), (vec![], vec![key.hash]));
}

#[test]
fn a_delta_waits_for_its_blob_though_only_others_found_room_again() {
    let (disk, index, mut log) = open_without_ballast();
    let texts = [noise(1, 1_000), noise(2, 3_000)];
    put_in_doubt(&disk, &mut log, [&texts[0], &texts[1]]);
    leave_room(&disk, 2_000);
    assert!(ahead(&mut log, "another").is_err());
    disk.set_space(None);
    check_named(&disk, &index, log, &texts[1]);
}

#[test]
fn a_delta_waits_for_its_blob_though_that_moved_and_the_next_found_no_place() {
    let (disk, index, mut log) = open_without_ballast();
    let texts = [noise(1, 1_000), noise(2, 60_000)];
    put_in_doubt(&disk, &mut log, [&texts[0], &texts[1]]);
    // Both move to a fresh segment. That is full, and cannot be synced to be left for another one.
    for _ in 0..2 {
        disk.fail_next_sync();
        assert!(ahead(&mut log, &noise(3, 20_000)).is_err());
    }
    check_named(&disk, &index, log, &texts[0]);
}
