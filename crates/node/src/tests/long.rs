//! A file that is far too large to be a text: taken in and brought back part by part.
use super::*;

#[test]
fn a_long_file_goes_into_history_and_back_into_the_folder() {
    let mut seed = 3_u64;
    let mut bytes = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed.to_le_bytes()
    };
    let content: Vec<u8> = std::iter::repeat_with(&mut bytes).take(2_800_000).flatten().collect();
    let mut peer = Peer::new(&[("a.txt", "text\n")]);
    let file = peer.folder.path().join("film.bin");
    fs::write(&file, &content).unwrap();
    peer.changed(&["film.bin"]).flush();
    peer.reopen_killed();
    peer.ask(Request::Delete { path: "film.bin".into() }).unwrap();
    peer.flush();
    assert!(!file.exists());
    peer.ask(Request::UndoLast).unwrap();
    peer.flush();
    assert!(fs::read(&file).unwrap() == content);
    // A part of it changes: what did not is not kept again.
    let room = |peer: &Peer| {
        let segments = fs::read_dir(peer.folder.path().join(".codesync/journal")).unwrap().flatten();
        segments.map(|entry| entry.metadata().unwrap().len()).sum::<u64>()
    };
    let before = room(&peer);
    let mut changed = content.clone();
    changed[12_345_678] ^= 1;
    fs::write(&file, &changed).unwrap();
    peer.changed(&["film.bin"]).flush();
    assert!(room(&peer) - before < 4_000_000, "{} bytes more", room(&peer) - before);
    peer.ask(Request::EditFile { path: "b.txt".into(), edits: vec![Splice(0, 0, "later".into())] }).unwrap();
    peer.flush();
    assert!(fs::read(&file).unwrap() == changed);
    let Reply::Verified(report) = peer.ask(Request::Verify { repair: false }).unwrap() else { panic!("no report") };
    assert!(report.ok, "{report:?}");
}
