//! A model of a disk, random programs on it, and what we make of it.
#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

#[derive(Clone, PartialEq, Debug)]
struct File {
    text: String,
    stamp: Stamp,
}

/// A disk that gives inodes that became free to new files, as ext4 does.
#[derive(Clone, Default)]
struct Disk {
    files: BTreeMap<RelPath, File>,
    now_ns: i64,
}

fn path(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

impl Disk {
    fn create(&mut self, at: &str, text: &str) {
        self.now_ns += 1;
        let used: BTreeSet<u64> = self.files.values().map(|file| file.stamp.inode).collect();
        let inode = (1..).find(|inode| !used.contains(inode)).unwrap();
        let size = text.len() as u64;
        let stamp =
            Stamp { mtime_ns: self.now_ns, ctime_ns: self.now_ns, born_ns: self.now_ns, size, inode, mode: 0o644 };
        self.files.insert(path(at), File { text: text.into(), stamp });
    }

    fn edit(&mut self, at: &str, text: &str) {
        self.now_ns += 1;
        let file = self.files.get_mut(&path(at)).unwrap();
        file.text = text.into();
        file.stamp.mtime_ns = self.now_ns;
        file.stamp.size = text.len() as u64;
    }

    fn rename(&mut self, from: &str, to: &str) {
        let file = self.files.remove(&path(from)).unwrap();
        self.files.insert(path(to), file);
    }

    fn remove(&mut self, at: &str) {
        self.files.remove(&path(at)).unwrap();
    }

    fn shadow(&self) -> ShadowTable {
        let mut shadow = ShadowTable::default();
        for (path, file) in &self.files {
            let hash = BlobHash::of(file.text.as_bytes());
            shadow.note(path.clone(), ShadowEntry { hash, stamp: file.stamp, file: FileId::ZERO, noted_ns: 0 });
        }
        shadow
    }

    fn observed(&self, shadow: &ShadowTable) -> Vec<Observation> {
        let known = shadow.iter().map(|(path, _)| path.clone());
        let all: BTreeSet<RelPath> = known.chain(self.files.keys().cloned()).collect();
        let state = |path: &RelPath| {
            self.files.get(path).map_or(DiskState::Missing, |file| DiskState::Present {
                hash: BlobHash::of(file.text.as_bytes()),
                stamp: file.stamp,
            })
        };
        all.into_iter().map(|path| Observation { state: state(&path), path }).collect()
    }
}

struct Both<'a>(&'a Disk, &'a Disk);

impl Texts for Both<'_> {
    fn shadow_text(&self, path: &RelPath) -> Option<String> {
        self.0.files.get(path).map(|file| file.text.clone())
    }

    fn disk_text(&self, path: &RelPath) -> Option<String> {
        self.1.files.get(path).map(|file| file.text.clone())
    }
}

fn changes(before: &Disk, after: &Disk) -> String {
    let shadow = before.shadow();
    let changes = reconcile(&shadow, &after.observed(&shadow), &Both(before, after));
    let line = |change: &DiskChange| match change {
        DiskChange::Removed { path } => format!("-{path}"),
        DiskChange::Renamed { from, to } => format!("{from}>{to}"),
        DiskChange::Created { path } => format!("+{path}"),
        DiskChange::Modified { path } => format!("~{path}"),
        DiskChange::ModeChanged { path, mode } => format!("{path}:{mode:o}"),
    };
    changes.iter().map(line).collect::<Vec<_>>().join(" ")
}

const POEM: &str = "the first line\nthe second line\nthe third line\nthe fourth line\nthe fifth line\n";

#[test]
fn our_own_write_is_no_change() {
    let mut disk = Disk::default();
    disk.create("a", "one");
    let shadow = disk.clone();
    disk.edit("a", "one");
    assert_eq!(changes(&shadow, &disk), "");
}

#[test]
fn plain_changes() {
    let mut disk = Disk::default();
    ["a", "b", "c"].iter().for_each(|name| disk.create(name, name));
    let shadow = disk.clone();
    disk.edit("a", "other");
    disk.files.get_mut(&path("a")).unwrap().stamp.mode = 0o755;
    disk.remove("b");
    disk.create("d", "new");
    assert_eq!(changes(&shadow, &disk), "-b +d ~a a:755");
}

#[test]
fn a_moved_folder_is_renames() {
    let mut disk = Disk::default();
    disk.create("src/a.rs", "a");
    disk.create("src/b.rs", "");
    disk.create("src/c.rs", "");
    let shadow = disk.clone();
    ["a", "b", "c"].iter().for_each(|name| disk.rename(&format!("src/{name}.rs"), &format!("lib/{name}.rs")));
    assert_eq!(changes(&shadow, &disk), "src/a.rs>lib/a.rs src/b.rs>lib/b.rs src/c.rs>lib/c.rs");
}

#[test]
fn git_moves_by_writing_anew() {
    let mut disk = Disk::default();
    disk.create("old/a", POEM);
    disk.create("old/mod", "same");
    disk.create("other/mod2", "same");
    let shadow = disk.clone();
    ["old/a", "old/mod", "other/mod2"].iter().for_each(|at| disk.remove(at));
    disk.create("new/mod", "same");
    disk.create("new/mod2", "same");
    disk.create("new/a", &POEM.replace("third", "3rd"));
    assert_eq!(changes(&shadow, &disk), "old/a>new/a old/mod>new/mod other/mod2>new/mod2 ~new/a");
}

#[test]
fn an_inode_alone_is_no_evidence() {
    let mut disk = Disk::default();
    disk.create("a", POEM);
    let shadow = disk.clone();
    disk.remove("a");
    disk.create("b", "nothing of it\n");
    assert_eq!(disk.files[&path("b")].stamp.inode, shadow.files[&path("a")].stamp.inode);
    assert_eq!(changes(&shadow, &disk), "-a +b");
}

#[test]
fn moved_and_edited_in_place() {
    let mut disk = Disk::default();
    disk.create("a", POEM);
    let shadow = disk.clone();
    disk.rename("a", "b");
    disk.edit("b", "all of it new\n");
    assert_eq!(changes(&shadow, &disk), "a>b ~b");
}

#[test]
fn likest_texts_pair_and_each_only_once() {
    let mut disk = Disk::default();
    disk.create("a", POEM);
    disk.create("keep", "keep");
    let shadow = disk.clone();
    disk.remove("a");
    disk.create("z", "z");
    disk.create("far", &POEM.replace("first", "1st").replace("second", "2nd"));
    disk.create("near", &POEM.replace("first", "1st"));
    assert_eq!(changes(&shadow, &disk), "a>near +far +z ~near");
    disk.remove("near");
    disk.remove("far");
    disk.create("half", "the first line\nthe second line\nother words altogether\nand more of them\nthe end of it\n");
    disk.files.get_mut(&path("half")).unwrap().stamp.inode = 99;
    assert_eq!(changes(&shadow, &disk), "-a +half +z");
}

#[test]
fn an_empty_file_is_like_no_other() {
    let mut disk = Disk::default();
    disk.create("a", "");
    let shadow = disk.clone();
    disk.remove("a");
    disk.create("b", "");
    assert_eq!(changes(&shadow, &disk), "-a +b");
}

#[test]
fn stamps_save_a_read_but_not_when_racy() {
    let stamp = Stamp { mtime_ns: 10_000_000_000, size: 3, inode: 1, ..Stamp::default() };
    let entry = |noted_ns| ShadowEntry { hash: BlobHash::ZERO, stamp, file: FileId::ZERO, noted_ns };
    assert!(entry(12_000_000_001).is_surely_unchanged(&stamp));
    assert!(!entry(12_000_000_000).is_surely_unchanged(&stamp));
    assert!(!entry(20_000_000_000).is_surely_unchanged(&Stamp { ctime_ns: 1, ..stamp }));
}

#[test]
fn a_refreshed_stamp_saves_the_next_read() {
    let mut disk = Disk::default();
    disk.create("a", "x");
    let mut shadow = disk.shadow();
    disk.edit("a", "x");
    let seen = disk.observed(&shadow);
    shadow.refresh(&seen, 60_000_000_000);
    assert!(shadow.get(&path("a")).unwrap().is_surely_unchanged(&disk.files[&path("a")].stamp));
    disk.edit("a", "y");
    let seen = disk.observed(&shadow);
    let before = shadow.clone();
    shadow.refresh(&seen, 70_000_000_000);
    assert_eq!(shadow, before);
}

#[test]
fn a_folder_of_the_table() {
    let mut disk = Disk::default();
    ["a", "a-b", "a.c", "a/x", "a/y/z", "ab"].iter().for_each(|at| disk.create(at, at));
    let shadow = disk.shadow();
    let folder = path("a");
    let within: Vec<&str> = shadow.within(&folder).map(|(path, _)| path.as_str()).collect();
    assert_eq!(within, ["a", "a/x", "a/y/z"]);
}

#[derive(Clone, Debug)]
enum Act {
    Create(usize, String),
    Edit(usize, String),
    Rename(usize, usize),
    Remove(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let text = || proptest::collection::vec("[abc]{1,3}", 0..5).prop_map(|lines| lines.join("\n"));
    prop_oneof![
        (0_usize..8, text()).prop_map(|(at, text)| Act::Create(at, text)),
        (0_usize..8, text()).prop_map(|(at, text)| Act::Edit(at, text)),
        (0_usize..8, 0_usize..8).prop_map(|(from, to)| Act::Rename(from, to)),
        (0_usize..8).prop_map(Act::Remove),
    ]
}

fn run(disk: &mut Disk, acts: &[Act]) {
    let name = |n: usize| ["a", "b", "d/a", "d/b", "d/c", "e/a", "e/f/a", "g"][n];
    for act in acts {
        let has = |disk: &Disk, n: usize| disk.files.contains_key(&path(name(n)));
        match act {
            Act::Create(at, text) => disk.create(name(*at), text),
            Act::Edit(at, text) if has(disk, *at) => disk.edit(name(*at), text),
            Act::Rename(from, to) if has(disk, *from) => disk.rename(name(*from), name(*to)),
            Act::Remove(at) if has(disk, *at) => disk.remove(name(*at)),
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Doing to the old state what we say happened gives the new state.
    #[test]
    fn changes_lead_to_what_is_there(
        first in proptest::collection::vec(act(), 0..12),
        then in proptest::collection::vec(act(), 0..12))
    {
        let mut disk = Disk::default();
        run(&mut disk, &first);
        let before = disk.clone();
        run(&mut disk, &then);
        let shadow = before.shadow();
        let changes = reconcile(&shadow, &disk.observed(&shadow), &Both(&before, &disk));
        let mut model: BTreeMap<RelPath, String> = before.files.iter().map(|(path, file)| (path.clone(), file.text.clone())).collect();
        let now = |path: &RelPath| disk.files[path].text.clone();
        for change in &changes {
            match change {
                DiskChange::Removed { path } => prop_assert!(model.remove(path).is_some()),
                DiskChange::Renamed { from, to } => {
                    let text = model.remove(from).unwrap();
                    prop_assert!(model.insert(to.clone(), text).is_none());
                }
                DiskChange::Created { path } => prop_assert!(model.insert(path.clone(), now(path)).is_none()),
                DiskChange::Modified { path } => {
                    let old = model.insert(path.clone(), now(path)).unwrap();
                    prop_assert!(old != now(path), "said to be modified, and is not");
                }
                DiskChange::ModeChanged { .. } => prop_assert!(false, "no mode was changed"),
            }
        }
        let there: BTreeMap<RelPath, String> = disk.files.iter().map(|(path, file)| (path.clone(), file.text.clone())).collect();
        prop_assert_eq!(model, there);
    }
}
