//! Other programs at work in a real folder.
#![allow(clippy::unwrap_used)]

use super::*;
use std::fs;
use std::process::Command;
use std::sync::mpsc::Receiver;

struct Fixture {
    place: tempfile::TempDir,
    folder: Folder,
    batches: Receiver<Batch>,
    watcher: Watcher,
}

/// Runs a shell script in a folder, apart from the settings of whoever runs the tests.
fn shell(root: &Path, script: &str) {
    let done = Command::new("sh")
        .args(["-ec", script])
        .current_dir(root)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn watched(script: &str) -> Fixture {
    let place = tempfile::tempdir().unwrap();
    shell(place.path(), script);
    let folder = Folder::open(place.path()).unwrap();
    let (sender, batches) = mpsc::channel();
    let watcher = Watcher::start(&folder, Arc::new(Rules::new(&folder)), sender).unwrap();
    assert_eq!(watcher.state(), WatchState::Watching);
    Fixture { place, folder, batches, watcher }
}

impl Fixture {
    fn run(&self, script: &str) {
        shell(self.place.path(), script);
    }

    fn next(&self) -> Batch {
        self.batches.recv_timeout(Duration::from_secs(15)).expect("a batch")
    }

    /// Batches until all of these paths came.
    fn until(&self, wanted: &[&str]) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        while !wanted.iter().all(|path| seen.contains(*path)) {
            seen.extend(self.next().paths.iter().map(RelPath::to_string));
        }
        seen
    }

    fn is_quiet_for(&self, time_ms: u64) -> bool {
        self.batches.recv_timeout(Duration::from_millis(time_ms)).is_err()
    }
}

#[test]
fn sed_in_place() {
    let fixture = watched("echo foo > a.txt; mkdir -p deep/er; echo foo > deep/er/b.txt");
    fixture.run("sed -i s/foo/bar/ a.txt deep/er/b.txt");
    let seen = fixture.until(&["a.txt", "deep/er/b.txt"]);
    assert!(seen.iter().all(|path| !path.contains("codesync-tmp")));
}

#[test]
fn our_own_half_written_files_are_not_seen() {
    let fixture = watched("");
    fixture.folder.write(&RelPath::parse("a").unwrap(), b"x", 0).unwrap();
    let batch = fixture.next();
    assert_eq!(batch.paths.iter().map(RelPath::as_str).collect::<Vec<_>>(), ["a"]);
}

#[test]
fn a_removed_folder_and_one_that_takes_its_place() {
    let fixture = watched("mkdir -p src/inner; touch src/a src/inner/b");
    fixture.run("rm -rf src");
    fixture.until(&["src/a", "src/inner/b", "src"]);
    fixture.run("mkdir -p src/inner");
    fixture.until(&["src/inner"]);
    fixture.run("echo x > src/inner/c");
    fixture.until(&["src/inner/c"]);
    fixture.run("mv src lib; mkdir src");
    fixture.until(&["src", "lib"]);
    fixture.run("echo x > lib/inner/d; echo x > src/e");
    fixture.until(&["lib/inner/d", "src/e"]);
}

#[test]
fn new_folders_are_watched_without_a_gap() {
    let fixture = watched("");
    fixture.run("for n in 1 2 3 4 5 6 7 8 9; do mkdir -p a$n/b/c; echo x > a$n/b/c/f; done");
    let wanted: Vec<String> = (1..=9).map(|n| format!("a{n}/b/c/f")).collect();
    fixture.until(&wanted.iter().map(String::as_str).collect::<Vec<_>>());
    fixture.run("echo y > a5/b/c/f; echo y > a5/b/c/g");
    fixture.until(&["a5/b/c/f", "a5/b/c/g"]);
}

#[test]
fn what_is_left_out_is_not_watched() {
    let fixture = watched("git init -q; mkdir -p node_modules/x; printf 'out/\\n*.log\\n' > .gitignore; mkdir out");
    fixture
        .run("echo x > node_modules/x/y; echo x > out/z; echo x > a.log; mkdir node_modules/new; git add .gitignore");
    assert!(fixture.is_quiet_for(700));
    fixture.run("echo x > b.txt");
    assert_eq!(fixture.until(&["b.txt"]).len(), 1);
    // The rules change: everything is looked at, and what is let in is watched from now on.
    fixture.run("echo '*.log' > .gitignore");
    while !fixture.next().overflow {}
    fixture.run("echo y > out/z");
    fixture.until(&["out/z"]);
}

#[test]
fn a_checkout_is_one_mass_change() {
    let fixture = watched(
        "git init -q -b main; git config user.email a@b; git config user.name A
         mkdir -p src/deep; for n in $(seq 30); do echo one > src/deep/f$n; done; git add .; git commit -qm one
         git checkout -qb other; for n in $(seq 30); do echo two > src/deep/f$n; done; echo x > new; git add .; git commit -qm two",
    );
    fixture.run("git checkout -q main");
    let batch = fixture.next();
    assert!(batch.mass && !batch.overflow);
    assert!((1..=30).all(|n| batch.paths.contains(&RelPath::parse(&format!("src/deep/f{n}")).unwrap())));
    assert!(batch.paths.contains(&RelPath::parse("new").unwrap()));
    assert!(fixture.is_quiet_for(700), "one batch, and no more");
    // Few files, and still git's doing.
    fixture
        .run("echo three > src/deep/f1; echo three > src/deep/f2; git commit -qam three; git reset -q --hard HEAD~1");
    let mut last = fixture.next();
    while let Ok(batch) = fixture.batches.recv_timeout(Duration::from_millis(900)) {
        last = batch;
    }
    assert!(last.mass && last.paths.len() == 2, "{last:?}");
}

#[test]
fn a_part_of_a_repository_and_a_linked_work_tree() {
    let place = tempfile::tempdir().unwrap();
    shell(
        place.path(),
        "git init -q -b main repo; cd repo; git config user.email a@b; git config user.name A
         mkdir part; echo x > part/a; echo x > part/b; git add .; git commit -qm one; git worktree add -q ../linked",
    );
    let root = place.path().canonicalize().unwrap();
    for (workspace, git) in [("repo/part", "repo/.git"), ("linked", "repo/.git/worktrees/linked")] {
        assert_eq!(git_folder(&root.join(workspace)), Some(root.join(git)));
        let folder = Folder::open(&root.join(workspace)).unwrap();
        let (sender, batches) = mpsc::channel();
        let watcher = Watcher::start(&folder, Arc::new(Rules::new(&folder)), sender).unwrap();
        shell(
            &root.join(workspace),
            "cd $(git rev-parse --show-toplevel)/part; echo y > a; echo y > b; git reset -q --hard",
        );
        let mut last = batches.recv_timeout(Duration::from_secs(15)).unwrap();
        while let Ok(batch) = batches.recv_timeout(Duration::from_millis(900)) {
            last = batch;
        }
        assert!(last.mass, "{workspace} {last:?}");
        drop(watcher);
    }
}

#[test]
fn git_init_in_an_open_folder() {
    let fixture = watched("echo x > a; echo x > b");
    fixture
        .run("git init -q -b main; git config user.email a@b; git config user.name A; git add .; git commit -qm one");
    assert!(fixture.is_quiet_for(300));
    fixture.run("echo y > a; echo y > b; git reset -q --hard");
    let mut last = fixture.next();
    while let Ok(batch) = fixture.batches.recv_timeout(Duration::from_millis(900)) {
        last = batch;
    }
    assert!(last.mass, "{last:?}");
}

#[test]
fn the_folder_itself_goes() {
    let fixture = watched("mkdir w");
    let root = fixture.place.path().join("w");
    let folder = Folder::open(&root).unwrap();
    let (sender, batches) = mpsc::channel();
    let watcher = Watcher::start(&folder, Arc::new(Rules::new(&folder)), sender).unwrap();
    fs::remove_dir(&root).unwrap();
    assert!(batches.recv_timeout(Duration::from_secs(15)).unwrap().overflow);
    assert_eq!(watcher.state(), WatchState::Gone);
    drop(watcher);
    assert!(batches.recv().is_err());
}

#[test]
fn without_system_watches_the_folder_is_walked() {
    let place = tempfile::tempdir().unwrap();
    shell(place.path(), "echo x > a; echo x > b; echo '*.log' > .gitignore");
    let folder = Folder::open(place.path()).unwrap();
    let (notes, inbox) = mpsc::channel();
    let (sender, batches) = mpsc::channel();
    let state = Arc::new(Mutex::new(WatchState::Watching));
    let mut eyes = Eyes::open(folder.clone(), Arc::new(Rules::new(&folder)), state.clone(), notes.clone());
    eyes.watch_all();
    eyes.fall_back(&notify::Error::new(ErrorKind::MaxFilesWatch));
    assert!(matches!(&*state.lock().unwrap(), WatchState::Polling { sentence } if sentence.ends_with("late.")));
    let thread = std::thread::spawn(move || eyes.run(&inbox, &sender));
    assert!(batches.recv_timeout(Duration::from_secs(15)).unwrap().overflow);
    shell(place.path(), "echo yy > a; rm b; mkdir -p n/e; echo x > n/e/w; echo x > c.log");
    let seen = batches.recv_timeout(Duration::from_secs(15)).unwrap();
    assert_eq!(seen.paths.iter().map(RelPath::as_str).collect::<Vec<_>>(), ["a", "b", "n/e/w"]);
    notes.send(Note::Stop).unwrap();
    thread.join().unwrap();
}

#[test]
fn dropping_the_watcher_ends_its_thread() {
    let fixture = watched("");
    drop(fixture.watcher);
    assert!(fixture.batches.recv().is_err());
}
