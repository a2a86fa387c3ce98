//! A large folder can be looked at and worked in while it is still being taken in.
use super::*;
use codesync_api::{Entry, ReadOnlyReason, ViewOpened};

const N_FILES: usize = 3_000;

fn listed(peer: &mut Peer, path: &str) -> Vec<Entry> {
    match peer.ask(Request::ListFolder { path: path.into(), at: None }).unwrap() {
        Reply::Folder { entries } => entries,
        other => panic!("{other:?}"),
    }
}

#[test]
fn files_are_listed_and_opened_before_they_are_taken_in() {
    let folder = tempfile::tempdir().unwrap();
    put(&folder.path().join(".gitignore"), "*.tmp\n");
    put(&folder.path().join("part9/left-out.tmp"), "x");
    for n in 0..N_FILES {
        put(&folder.path().join(format!("part{}/file{n:04}.rs", n % 10)), &format!("// {n}\n"));
    }
    let root = folder.path().canonicalize().unwrap();
    let options = Options { person: Some("Asha".into()), watch: true, create: true };
    let mut runtime = Runtime::open(&root, &options).unwrap();
    let (inbox, _changes) = mpsc::channel();
    runtime.begin(Some(inbox)).unwrap();
    let mut peer = Peer { folder, runtime: Some(runtime) };
    assert!(peer.runtime().is_busy(), "nothing was taken in yet");
    assert_eq!(listed(&mut peer, "").iter().filter(|entry| entry.name.starts_with("part")).count(), 10);
    let inner = listed(&mut peer, "part9");
    assert_eq!(inner.iter().filter(|entry| !entry.ignored).count(), N_FILES / 10);
    assert_eq!(inner.iter().filter(|entry| entry.ignored).count(), 1);
    // The last of all is opened, can be edited, and is there once in the end.
    let path = "part9/file2999.rs";
    let Reply::View(ViewOpened { text, read_only, .. }) = peer.ask(Request::OpenView { path: path.into() }).unwrap()
    else {
        panic!("no view")
    };
    assert_eq!((text.as_str(), read_only), ("// 2999\n", None::<ReadOnlyReason>));
    peer.ask(Request::EditFile { path: path.into(), edits: vec![Splice(0, 0, "ours ".into())] }).unwrap();
    while peer.runtime().is_busy() {
        peer.runtime().turn(Vec::new());
    }
    let Reply::Files { paths } = peer.ask(Request::ListFiles { at: None }).unwrap() else { panic!("no files") };
    assert_eq!(paths.len(), N_FILES + 1);
    assert_eq!(listed(&mut peer, "part9").iter().filter(|entry| entry.file_id.is_some()).count(), N_FILES / 10);
    let Reply::File(file) = peer.ask(Request::FileAt { path: path.into(), at: Moment::Now }).unwrap() else {
        panic!("no file")
    };
    assert_eq!(file.text.as_deref(), Some("ours // 2999\n"));
}
