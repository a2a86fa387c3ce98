//! What is staged: all of it is kept, or no trace of any.

use super::*;

fn stage(log: &mut Log, signed: &SignedDelta) {
    log.stage(signed, &testing::bytes(signed));
}

#[test]
fn what_is_staged_is_read_like_the_rest_and_kept_or_dropped_as_a_whole() {
    let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
    let all = typing(9);
    let (mut log, _) = open(&disk, &index);
    all[..4].iter().for_each(|signed| append(&mut log, signed).unwrap());
    log.sync().unwrap();
    let (before, heads, n_steps) = (hashes(&log), log.heads(), log.n_steps());
    all.iter().for_each(|signed| stage(&mut log, signed));
    assert_eq!((hashes(&log), log.n_deltas()), (sorted(&all), 10));
    assert!(!log.unsynced(), "nothing of it is written");
    log.drop_staged();
    assert_eq!((hashes(&log), log.heads(), log.n_steps()), (before.clone(), heads, n_steps));
    assert!(all[4..].iter().all(|signed| !log.contains(&signed.hash)));
    drop(log);
    let (mut log, report) = open(&disk, &index);
    assert_eq!((report.findings, hashes(&log)), (vec![], before));
    all.iter().for_each(|signed| stage(&mut log, signed));
    log.keep_staged().unwrap();
    log.sync().unwrap();
    drop(log);
    let (log, report) = open(&disk, &index);
    assert_eq!((report.findings, hashes(&log)), (vec![], sorted(&all)));
}

#[test]
fn a_full_disk_takes_nothing_of_it_or_the_rest_waits() {
    let all = typing(400);
    let (mut n_refused, mut n_begun) = (0, 0);
    for room_bytes in (0..4_000).step_by(60) {
        let (disk, index) = (MemoryDisk::new(), MemoryIndex::new());
        let (mut log, _) = open(&disk, &index);
        append(&mut log, &all[0]).unwrap();
        log.sync().unwrap();
        let spare_bytes = disk.length_bytes("ballast").unwrap_or(0);
        disk.set_space(Some(disk.size_bytes() - spare_bytes + room_bytes));
        all[1..].iter().for_each(|signed| stage(&mut log, signed));
        match log.keep_staged() {
            Err(_) => {
                n_refused += 1;
                assert_eq!(log.n_deltas(), 1);
                disk.set_space(None);
                all[1..].iter().for_each(|signed| stage(&mut log, signed));
                log.keep_staged().unwrap();
            }
            Ok(()) => {
                n_begun += 1;
                assert_eq!(log.n_deltas(), all.len() as u64);
                assert!(log.unsynced() && log.sync().is_err(), "not all of it is written");
                disk.set_space(None);
            }
        }
        log.sync().unwrap();
        drop(log);
        let (log, report) = open(&disk, &index);
        assert_eq!((report.findings, hashes(&log)), (vec![], sorted(&all)));
    }
    assert!(n_refused > 0 && n_begun > 0, "{n_refused} {n_begun}");
}
