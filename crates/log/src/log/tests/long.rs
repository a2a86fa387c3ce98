//! Contents that are kept in parts: read from anywhere, whole after a crash or not there at all, and put again where a
//! part was lost.
use super::*;
use crate::{PackedBlob, Packer};
use codesync_base::BlobHash;

const PART_BYTES: usize = 10_000;

fn open_long(disk: &MemoryDisk, index: &MemoryIndex) -> (Log, OpenReport) {
    let options = Options { part_bytes: PART_BYTES, ..options() };
    Log::open_with(Box::new(disk.clone()), Box::new(index.clone()), options).unwrap()
}

fn noise(seed: u64, n_bytes: usize) -> Vec<u8> {
    let mut random = testing::Random(seed);
    (0..n_bytes).map(|_| random.below(256) as u8).collect()
}

/// As it comes from a peer: in pieces that are no parts.
fn stream(log: &mut Log, bytes: &[u8]) -> Result<BlobHash, LogError> {
    let mut packer = Packer::new(PART_BYTES);
    for piece in bytes.chunks(4_321) {
        packer.take(piece, &mut |part| log.put_part(&part))?;
    }
    let hash = packer.end(&mut |last| log.put_part(&last))?;
    log.name_blob(&hash);
    Ok(hash)
}

#[test]
fn a_long_content_is_read_from_anywhere_and_is_there_after_reopening() {
    for length in [0, 1, PART_BYTES, PART_BYTES + 1, 7 * PART_BYTES, 7 * PART_BYTES + 77] {
        let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
        let bytes = noise(length as u64, length);
        let (mut log, _) = open_long(&disk, &index);
        let hash = stream(&mut log, &bytes).unwrap();
        assert_eq!(hash, BlobHash::of(&bytes));
        assert_eq!(log.put_blob(&bytes).unwrap(), hash);
        assert_eq!(log.is_long_blob(&hash), length > PART_BYTES);
        log.sync().unwrap();
        log.seal(true).unwrap();
        drop(log);
        // With what the index remembers, and without.
        for index in [index, MemoryIndex::new()] {
            let (log, report) = open_long(&disk, &index);
            assert!(!lost(&report), "{report:?}");
            assert_eq!(log.is_long_blob(&hash), length > PART_BYTES);
            assert_eq!(log.blob(&hash).unwrap(), bytes);
            let mut reader = log.blob_reader(&hash).unwrap().unwrap();
            assert_eq!(reader.length_bytes(), length as u64);
            for (from, n) in [(0, 1), (5, 30_000), (9_999, 2), (20_000, 10_000), (65_000, 9_000), (90_000, 5)] {
                let expected = &bytes[from.min(length)..(from + n).min(length)];
                assert_eq!(reader.read(&log, from as u64, n).unwrap(), expected, "{from} {n} of {length}");
            }
            let report = log.verify(&mut |_, _| {});
            assert!(report.findings.is_empty(), "{report:?}");
        }
    }
}

#[test]
fn a_crash_in_the_middle_leaves_all_of_it_or_nothing_and_it_can_be_put_again() {
    let bytes = noise(3, 12 * PART_BYTES + 5);
    let keys = typing(10);
    for n_changes in 0.. {
        for style in [CrashStyle::Lose, CrashStyle::Keep, CrashStyle::Kill, CrashStyle::Tear(n_changes)] {
            let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
            let (mut log, _) = open_long(&disk, &index);
            append(&mut log, &keys[0]).unwrap();
            log.sync().unwrap();
            disk.die_after(Some(n_changes));
            let done = stream(&mut log, &bytes).and_then(|_| log.sync());
            drop(log);
            disk.crash(style);
            let (mut log, report) = open_long(&disk, &index);
            assert!(!lost(&report), "{n_changes} {style:?}: {report:?}");
            assert_eq!(hashes(&log), [keys[0].hash]);
            let hash = BlobHash::of(&bytes);
            let is_there = log.has_blob(&hash);
            assert!(is_there || done.is_err(), "{n_changes} {style:?}: confirmed, and not there");
            assert!(!is_there || log.blob(&hash).unwrap() == bytes);
            stream(&mut log, &bytes).unwrap();
            log.sync().unwrap();
            disk.crash(CrashStyle::Lose);
            drop(log);
            let (log, _) = open_long(&disk, &index);
            assert_eq!(log.blob(&hash).unwrap(), bytes, "{n_changes} {style:?}");
            if done.is_ok() && style == CrashStyle::Lose {
                return;
            }
        }
    }
}

#[test]
fn a_content_that_lacks_a_part_is_not_there_until_it_is_put_again() {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let (mut log, _) = open_long(&disk, &index);
    let bytes = noise(4, 20 * PART_BYTES);
    let hash = stream(&mut log, &bytes).unwrap();
    log.sync().unwrap();
    log.seal(true).unwrap();
    drop(log);
    // Both copies of the first segment of contents.
    let mut names: Vec<String> = disk.files().into_iter().map(|(name, _)| name).collect();
    names.retain(|name| name.ends_with(".seg"));
    let twins: Vec<String> = names.iter().filter(|name| name.starts_with("copies/")).cloned().collect();
    let number = twins.first().unwrap().trim_start_matches("copies/").to_owned();
    for folder in ["copies", "journal"] {
        disk.damage(&format!("{folder}/{number}"), |bytes| bytes.drain(100..25_000).for_each(drop));
    }
    let (mut log, report) = open_long(&disk, &index);
    assert!(lost(&report), "{report:?}");
    assert!(!log.has_blob(&hash));
    stream(&mut log, &bytes).unwrap();
    log.sync().unwrap();
    drop(log);
    let (log, _) = open_long(&disk, &index);
    assert_eq!(log.blob(&hash).unwrap(), bytes);
}

#[test]
fn parts_are_kept_once_and_a_list_never_without_them() {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let (mut log, _) = open_long(&disk, &index);
    let mut packed: Vec<PackedBlob> = Vec::new();
    let mut packer = Packer::new(PART_BYTES);
    let mut keep = |part| {
        packed.push(part);
        Ok::<_, ()>(())
    };
    packer.take(&noise(5, 3 * PART_BYTES), &mut keep).unwrap();
    let hash = packer.end(&mut keep).unwrap();
    assert!(log.put_ahead(packed.last().unwrap()).is_err() && !log.has_blob(&hash));
    let room = |disk: &MemoryDisk| disk.files().iter().map(|(_, n_bytes)| n_bytes).sum::<u64>();
    packed.iter().for_each(|blob| log.put_ahead(blob).unwrap());
    let before = room(&disk);
    packed.iter().for_each(|blob| log.put_ahead(blob).unwrap());
    assert_eq!((room(&disk), log.has_blob(&hash)), (before, true));
}
