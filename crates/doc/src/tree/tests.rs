#![allow(clippy::unwrap_used)]
use super::*;
use crate::random::Random;
use crate::stopwatch::Stopwatch;
use codesync_base::{BlobHash, DeltaHash, DeltaKey, DeviceId, FileMeta, Hlc, TextSource};
use std::collections::BTreeSet;

fn key(n: u64) -> StepKey {
    let delta = DeltaKey { hlc: Hlc { wall_ms: n, counter: 0 }, log: LogId::default(), seq: 1, hash: DeltaHash::ZERO };
    StepKey { delta, step_idx: 0 }
}

fn author(n: u8) -> TreeAuthor {
    TreeAuthor { log: LogId { device: DeviceId([n; 32]), incarnation: 0 }, disk: n == 0 }
}

fn file(n: u32) -> FileId {
    let mut id = [0; 16];
    id[12..].copy_from_slice(&n.to_be_bytes());
    // Spread, as real ids are.
    id[0] = (n.wrapping_mul(0x9E37_79B9) >> 24) as u8;
    FileId(id)
}

fn path(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

fn create(at: &str, kind: FileKind) -> Change {
    let content = (kind != FileKind::Folder).then(|| TextSource::Inline("text".into()));
    Change::Create { path: path(at), kind, meta: FileMeta::default(), content }
}

fn text(at: &str) -> Change {
    create(at, FileKind::Text)
}

/// Applies changes at the moments 1, 2, …
fn tree(changes: &[(u32, Change)]) -> Tree {
    let mut tree = Tree::new();
    for (i, (id, change)) in changes.iter().enumerate() {
        tree.apply(key(i as u64 + 1), i as u64 + 1, author(1), file(*id), change);
    }
    tree
}

fn paths(tree: &Tree) -> Vec<String> {
    tree.alive().map(|node| node.path.to_string()).collect()
}

/// All that can be seen of a tree.
fn seen(tree: &Tree) -> (Vec<Node>, Vec<Node>, Vec<TreeEvent>, Vec<Child>) {
    let events = tree.events().iter().map(|event| TreeEvent::clone(event)).collect();
    (tree.alive().cloned().collect(), tree.removed().into_iter().cloned().collect(), events, tree.children(None))
}

#[test]
fn the_file_created_first_keeps_its_path() {
    let changes = [
        (1, text("a.txt")),
        (2, text("a.txt")),
        (3, text("A.TXT")),
        (4, text("a (2).txt")),
        (5, text(".env")),
        (6, text(".ENV")),
        (7, text("b.tar.gz")),
        (8, text("b.tar.gz")),
    ];
    let mut tree = tree(&changes);
    let expected = [".ENV (2)", ".env", "A (4).TXT", "a (2).txt", "a (3).txt", "a.txt", "b.tar (2).gz", "b.tar.gz"];
    assert_eq!(paths(&tree), expected);
    assert_eq!(tree.get(&file(2)).unwrap().wanted_path, path("a.txt"));
    assert_eq!(tree.by_path(&path("a (3).txt")).unwrap().file, file(2));
    tree.apply(key(20), 20, author(1), file(1), &Change::Remove);
    assert_eq!(tree.by_path(&path("a.txt")).unwrap().file, file(2), "the next in line moves up");
    assert_eq!(tree.by_path(&path("A (3).TXT")).unwrap().file, file(3));
    tree.apply(key(21), 21, author(1), file(1), &Change::Revive { path: path("a.txt") });
    assert_eq!(paths(&tree), expected);
}

#[test]
fn files_give_way_to_folders_whoever_came_first() {
    let mut tree =
        tree(&[(1, text("src")), (2, text("src/main.rs")), (3, create("docs", FileKind::Folder)), (4, text("Docs"))]);
    assert_eq!(paths(&tree), ["Docs (2)", "docs", "src (2)", "src/main.rs"]);
    tree.apply(key(10), 10, author(1), file(2), &Change::Move { path: path("main.rs") });
    tree.apply(key(11), 11, author(1), file(3), &Change::Remove);
    assert_eq!(paths(&tree), ["Docs", "main.rs", "src"]);
}

#[test]
fn folders_made_twice_are_one() {
    let mut tree =
        tree(&[(1, create("src", FileKind::Folder)), (2, create("src", FileKind::Folder)), (3, text("src/a.rs"))]);
    assert_eq!(tree.children(None).len(), 1);
    assert_eq!(tree.by_path(&path("src")).unwrap().file, file(1));
    let within: BTreeSet<FileId> = tree.within(&path("src")).iter().map(|node| node.file).collect();
    assert_eq!(within, BTreeSet::from([file(1), file(2), file(3)]));
    tree.apply(key(10), 10, author(1), file(1), &Change::Remove);
    assert_eq!(tree.by_path(&path("src")).unwrap().file, file(2));
}

#[test]
fn children_are_folders_first_and_then_by_name() {
    let tree = tree(&[
        (1, text("b.txt")),
        (2, text("a/deep/er/x")),
        (3, text("Z/y")),
        (4, create("empty", FileKind::Folder)),
        (5, create("a", FileKind::Folder)),
        (6, text("a b")),
        (7, create("A.png", FileKind::Binary)),
        (8, text("a0")),
        (9, text("a/f")),
    ]);
    let shown = |folder: Option<&str>| -> Vec<String> {
        let children = tree.children(folder.map(path).as_ref());
        children.iter().map(|child| format!("{:?} {} {}", child.kind, child.path, child.file.is_some())).collect()
    };
    let root = [
        "Folder a true",
        "Folder empty true",
        "Folder Z false",
        "Text a b true",
        "Binary A.png true",
        "Text a0 true",
        "Text b.txt true",
    ];
    assert_eq!(shown(None), root);
    assert_eq!(shown(Some("a")), ["Folder a/deep false", "Text a/f true"]);
    assert_eq!(shown(Some("a/deep")), ["Folder a/deep/er false"]);
    assert!(shown(Some("empty")).is_empty() && shown(Some("nowhere")).is_empty());
}

#[test]
fn removed_files_are_remembered() {
    let mut tree =
        tree(&[(1, text("a")), (2, text("b")), (1, Change::Remove), (2, Change::Remove), (1, Change::Remove)]);
    let removed: Vec<FileId> = tree.removed().iter().map(|node| node.file).collect();
    assert_eq!(removed, [file(2), file(1)], "a second removal of the same file is none");
    assert_eq!(tree.get(&file(1)).unwrap().removed.unwrap().key, key(3));
    assert_eq!(tree.past_path(&path("a")), Some(file(1)));
    assert_eq!(tree.past_path(&path("c")), None);
    tree.apply(key(9), 9, author(1), file(3), &text("a"));
    tree.apply(key(10), 10, author(1), file(3), &Change::Move { path: path("c") });
    assert_eq!(tree.past_path(&path("a")), Some(file(3)), "the newest that was there");
    assert_eq!(tree.events().last().unwrap().old_path, Some(path("a")));
}

#[test]
fn what_changes_nothing_says_so() {
    let mut tree = tree(&[(1, text("a")), (1, Change::Remove)]);
    let mut apply = |n, change: Change| tree.apply(key(n), n, author(1), file(1), &change);
    assert!(!apply(2, Change::Remove), "known already");
    assert!(!apply(5, Change::Remove), "gone already");
    assert!(apply(6, Change::Revive { path: path("a") }));
    assert!(!apply(4, Change::Move { path: path("z") }), "late: the revival stands above it");
    assert!(!apply(7, Change::Moment { name: "m".into(), note: None, automatic: false, at: None }));
    assert!(apply(8, Change::Content { blob: BlobHash::of(b"x"), length_bytes: 1 }));
    let after_moves: Vec<_> = tree.events().iter().map(|event| event.old_path.clone()).collect();
    let (a, z) = (Some(path("a")), Some(path("z")));
    assert_eq!(after_moves, [None, a.clone(), a, z.clone(), z, Some(path("a"))]);
}

#[test]
fn names_stay_within_their_limits() {
    let long = format!("{}.txt", "é".repeat(125));
    let extension = format!("a.{}", "x".repeat(253));
    let tree = tree(&[(1, text(&long)), (2, text(&long)), (3, text(&extension)), (4, text(&extension))]);
    let unique: BTreeSet<String> = tree.alive().map(|node| node.path.folded()).collect();
    assert_eq!(unique.len(), 4);
}

#[test]
fn folders_and_files_are_counted_whatever_happens_to_them() {
    let mut tree = Tree::new();
    let mut n = 0;
    let mut apply = |tree: &mut Tree, file_no: u32, change: Change| {
        n += 1;
        tree.apply(key(n), n, author(1), file(file_no), &change);
        let is_folder = |node: &&Node| node.kind == FileKind::Folder;
        let mut folders: Vec<FileId> = tree.alive().filter(is_folder).map(|node| node.file).collect();
        folders.sort_unstable();
        assert!(tree.folders().map(|node| node.file).eq(folders));
        assert_eq!(tree.n_files(), tree.alive().filter(|node| !is_folder(node)).count());
    };
    let folder = |name: &str| create(name, FileKind::Folder);
    for (file_no, change) in [
        (1, text("a")),
        (2, folder("d")),
        (3, folder("d")),
        (4, text("a")),
        (5, text("d")),
        (1, Change::Remove),
        (2, Change::Remove),
        (4, Change::Move { path: path("d/x") }),
        (2, Change::Revive { path: path("e") }),
        (3, Change::Move { path: path("a") }),
    ] {
        apply(&mut tree, file_no, change);
    }
}

/// Paths by the rule itself, without any index.
fn plain_paths(tree: &Tree) -> BTreeMap<FileId, String> {
    let mut nodes: Vec<&Node> = tree.state.entries.values().filter_map(|entry| entry.node.as_ref()).collect();
    nodes.retain(|node| node.alive);
    nodes.sort_by_key(|node| (node.created, node.file));
    let wanted: BTreeSet<String> = nodes.iter().map(|node| node.wanted_path.folded()).collect();
    let mut folders: BTreeSet<String> =
        wanted.iter().flat_map(|path| path.match_indices('/').map(|(end, _)| path[..end].to_owned())).collect();
    let own = nodes.iter().filter(|node| node.kind == FileKind::Folder);
    folders.extend(own.map(|node| node.wanted_path.folded()));
    let (mut taken, mut result, mut displaced) = (folders.clone(), BTreeMap::new(), vec![]);
    for node in nodes {
        if node.kind == FileKind::Folder || taken.insert(node.wanted_path.folded()) {
            result.insert(node.file, node.wanted_path.to_string());
        } else {
            displaced.push(node);
        }
    }
    taken.extend(wanted);
    for node in displaced {
        let wanted = node.wanted_path.as_str();
        let (stem, extension) = wanted.rsplit_once('.').map_or((wanted, String::new()), |(s, e)| (s, format!(".{e}")));
        let name = (2..).map(|n| format!("{stem} ({n}){extension}")).find(|name| taken.insert(name.to_lowercase()));
        result.insert(node.file, name.unwrap());
    }
    result
}

fn random_change(random: &mut Random) -> Change {
    let paths = ["a", "A", "b", "a/b", "a/B", "a/b/c", "x.txt", "X.txt", "x (2).txt", "x (3).txt", "a (2)"];
    let at = paths[random.below(paths.len() as u32) as usize];
    match random.below(8) {
        0..=1 => Change::Move { path: path(at) },
        2..=3 => Change::Remove,
        4 => Change::Revive { path: path(at) },
        5 => Change::Kind { kind: [FileKind::Text, FileKind::Binary, FileKind::Folder][random.below(3) as usize] },
        6 => Change::Content { blob: BlobHash::of(at.as_bytes()), length_bytes: 3 },
        _ => create(at, [FileKind::Text, FileKind::Binary, FileKind::Folder][random.below(3) as usize]),
    }
}

#[test]
fn any_order_of_arrival_gives_the_same_tree() {
    for seed in 1..150 {
        let mut random = Random::new(seed);
        let n = 1 + u64::from(random.below(40));
        let steps: Vec<(u64, FileId, Change)> = (1..=n)
            .map(|moment| {
                let id = file(random.below(1 + n as u32 / 3));
                let change = if random.below(3) == 0 {
                    text(["a", "x.txt"][random.below(2) as usize])
                } else {
                    random_change(&mut random)
                };
                (moment, id, change)
            })
            .collect();
        let in_order = replay(&steps);
        let nodes: BTreeMap<FileId, String> = in_order.alive().map(|node| (node.file, node.path.to_string())).collect();
        assert_eq!(nodes, plain_paths(&in_order), "seed {seed}");
        let mut shuffled = steps.clone();
        for i in (1..shuffled.len()).rev() {
            shuffled.swap(i, random.below(i as u32 + 1) as usize);
        }
        let late = replay(&shuffled);
        assert_eq!(seen(&late), seen(&in_order), "seed {seed}");
        for _ in 0..4 {
            let moment = u64::from(random.below(n as u32 + 1));
            // Of two trees asked for the same, one has asked for others before.
            let late = if random.below(2) == 0 { &late } else { &late.clone() };
            let then = replay(&steps[..moment as usize]);
            let past = late.at(Some(key(moment)));
            assert_eq!(paths(&past), paths(&then), "at {moment}, seed {seed}");
            assert_eq!(seen(&past), seen(&then), "at {moment}, seed {seed}");
        }
        assert_eq!(seen(&late.at(None)), seen(&Tree::new()));
    }
}

/// Names that are shortened, and one that is a letter in another script: files that want different paths may look at the
/// same names.
#[test]
fn any_order_of_arrival_gives_the_same_names() {
    let long = "k".repeat(249);
    let names =
        [&long, &format!("{long}ab"), &format!("{long}cd.x"), &format!("{long}ef.x"), "x", "x (2)", "x (2) (2)"];
    let kelvin = "\u{212a}".repeat(84);
    let names: Vec<&str> = names.into_iter().chain([kelvin.as_str(), &kelvin[3..], &long[..83], "x/y"]).collect();
    for seed in 1..100 {
        let mut random = Random::new(seed);
        let mut tree = Tree::new();
        for n in 1..80 {
            let at = names[random.below(names.len() as u32) as usize];
            let id = file(random.below(25));
            let change = match random.below(6) {
                0 => Change::Remove,
                1 => Change::Move { path: path(at) },
                2 => Change::Revive { path: path(at) },
                3 => create(at, FileKind::Folder),
                _ => text(at),
            };
            let moment = u64::from(random.below(1_000)) * 100 + n;
            tree.apply(key(moment), moment, author(1), id, &change);
            let at_once = State::replayed(tree.events());
            let at_once = Tree {
                events: tree.events.clone(),
                n_events: tree.n_events,
                state: Arc::new(at_once),
                moments: Mutex::default(),
            };
            assert_eq!(seen(&tree), seen(&at_once), "seed {seed}, step {n}");
        }
    }
}

/// Takes in claims one by one, and counts how many had to be given a path.
fn n_placed(paths: impl Iterator<Item = String>) -> usize {
    let mut index = index::Index::default();
    let claims = paths.enumerate().map(|(n, at)| {
        let created = key(n as u64 + 1);
        (file(n as u32), node::Claim { created, path: path(&at), is_folder: false })
    });
    claims.map(|(file, claim)| index.replace(file, None, Some(claim)).len()).sum()
}

#[test]
fn those_who_want_one_path_are_not_all_placed_anew_with_each_more() {
    assert_eq!(n_placed((0..3_000).map(|_| "same.txt".to_owned())), 3_000);
    // As when two who are apart get the same files from elsewhere.
    assert_eq!(n_placed((0..3_000).map(|n| format!("d{}/{}.txt", n % 7, n % 1_500))), 3_000);
}

#[test]
fn what_is_read_at_once_is_the_same() {
    for seed in 1..50 {
        let mut random = Random::new(seed);
        let steps: Vec<(u64, FileId, Change)> =
            (1..40).map(|n| (n, file(random.below(12)), random_change(&mut random))).collect();
        let mut tree = replay(&steps[..10]);
        tree.begin_reading();
        for (moment, file, change) in &steps[10..] {
            tree.apply(key(*moment), *moment, author(1), *file, change);
        }
        tree.end_reading();
        assert_eq!(seen(&tree), seen(&replay(&steps)), "seed {seed}");
        let more = text("a");
        let mut plain = replay(&steps);
        plain.apply(key(100), 100, author(1), file(99), &more);
        tree.apply(key(100), 100, author(1), file(99), &more);
        assert_eq!(seen(&tree), seen(&plain), "seed {seed}");
    }
}

fn replay(steps: &[(u64, FileId, Change)]) -> Tree {
    let mut tree = Tree::new();
    for (moment, file, change) in steps {
        tree.apply(key(*moment), *moment, author(1), *file, change);
    }
    tree
}

#[test]
fn a_past_tree_goes_its_own_way() {
    let mut now = tree(&[(1, text("a")), (2, text("b"))]);
    let mut then = now.at(Some(key(1)));
    assert_eq!((paths(&then), then.events().len()), (vec!["a".to_owned()], 1));
    then.apply(key(7), 7, author(1), file(7), &text("c"));
    now.apply(key(8), 8, author(1), file(8), &text("d"));
    assert_eq!(paths(&then), ["a", "c"]);
    assert_eq!(paths(&now), ["a", "b", "d"]);
}

/// Prints what a large folder costs. The debug build has a tenth of the files.
#[test]
fn large_folders() {
    let n: u32 = if cfg!(debug_assertions) { 10_000 } else { 100_000 };
    let start = Stopwatch::start();
    let mut tree = Tree::new();
    for i in 0..n {
        let at = format!("folder{}/sub{}/file{i}.rs", i % 100, i % 7);
        tree.apply(key(u64::from(i) + 1), 1, author(0), file(i), &text(&at));
    }
    println!("{n} files created in {:?}", start.elapsed());
    let timed = |what: &str, moment: u64| {
        let start = Stopwatch::start();
        let then = tree.at(Some(key(moment)));
        println!("{what} in {:?}", start.elapsed());
        assert_eq!(then.alive().count(), moment as usize);
    };
    timed("a moment", u64::from(n) - 5);
    timed("one close by", u64::from(n) - 3);
    timed("the middle", u64::from(n) / 2);
    timed("an early one", u64::from(n) / 4);
    let start = Stopwatch::start();
    assert_eq!((tree.children(None).len(), tree.children(Some(&path("folder7"))).len()), (100, 7));
    println!("two folders listed in {:?}", start.elapsed());
    assert_eq!(tree.within(&path("folder7")).len(), n as usize / 100);
}
