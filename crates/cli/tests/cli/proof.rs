//! Proof with the real program: it is killed while it is told edits, and single files of its store are damaged.
//! `cargo xtask prove kill` and `prove damage` run these for longer; a failure names the seed that repeats it.

use crate::world::*;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }
}

fn number_of(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The seeds to try: some by default, more when asked for.
fn seeds(default: u64) -> std::ops::Range<u64> {
    let first = number_of("CODESYNC_PROOF_SEED", 1);
    first..first + number_of("CODESYNC_PROOF_ROUNDS", default)
}

#[cfg(unix)]
type Line = BufReader<std::os::unix::net::UnixStream>;

/// The socket of a running program, past the greeting.
#[cfg(unix)]
fn connect(world: &World) -> Line {
    let run = fs::read(world.root().join(".codesync/run.json")).unwrap();
    let run: Value = serde_json::from_slice(&run).unwrap();
    let stream = std::os::unix::net::UnixStream::connect(run["socket"].as_str().unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut line = BufReader::new(stream);
    send(&mut line, &json!({ "token": run["token"], "apiVersion": run["apiVersion"] })).unwrap();
    line.read_line(&mut String::new()).unwrap();
    line
}

#[cfg(unix)]
fn send(line: &mut Line, message: &Value) -> std::io::Result<()> {
    line.get_mut().write_all(format!("{message}\n").as_bytes())
}

/// Pastes as long as that many times sixteen characters; the last is stored apart.
const PASTES: [usize; 4] = [1, 30, 80, 600];

/// A text and every state that it went through since the program was last started.
struct Typed {
    now: Naive,
    states: Vec<String>,
    n_confirmed: usize,
}

impl Typed {
    /// A key, a deletion, or a paste that is long enough to be stored apart.
    fn edit(&mut self, random: &mut Random) -> Value {
        let length = self.now.0.len() as u64;
        let (position, deleted, inserted) = match random.below(12) {
            0 if length > 0 => {
                let position = random.below(length);
                (position, (1 + random.below(6)).min(length - position), String::new())
            }
            1 => (random.below(length + 1), 0, format!("{:x}", random.next()).repeat(PASTES[random.below(4) as usize])),
            2..5 => (random.below(length + 1), 0, "word".into()),
            _ => (length, 0, char::from(b'a' + random.below(26) as u8).to_string()),
        };
        self.now.apply(position as u32, deleted as u32, &inserted);
        self.states.push(self.now.text());
        json!([position, deleted, inserted])
    }
}

/// Types over the socket until the program is gone. Up to some edits are on their way at a time, so that several
/// share a commit.
#[cfg(unix)]
fn type_until_killed(mut line: Line, typed: &mut Typed, random: &mut Random) {
    let n_on_the_way_max = 1 + random.below(8) as usize;
    loop {
        while typed.states.len() - 1 - typed.n_confirmed < n_on_the_way_max {
            let edit = typed.edit(random);
            let request =
                json!({ "id": typed.states.len(), "cmd": "editFile", "args": { "path": "k.txt", "edits": [edit] } });
            if send(&mut line, &request).is_err() {
                return;
            }
        }
        let mut answer = String::new();
        if !matches!(line.read_line(&mut answer), Ok(n) if n > 0 && answer.ends_with('\n')) {
            return;
        }
        let answer: Value = serde_json::from_str(&answer).unwrap();
        if answer.get("reply").is_some() {
            assert!(answer["reply"].to_string().contains("Ok"), "{answer}");
            typed.n_confirmed += 1;
        }
    }
}

/// Rounds in one workspace: what was confirmed must be there, exactly, whatever moment the program was killed at.
#[cfg(unix)]
fn kill_rounds(seed: u64, n_rounds: u64, n_confirmed: &mut u64) {
    let world = World::with_workspace();
    let mut random = Random(seed);
    let mut text = String::new();
    for round in 0..n_rounds {
        let what = format!("seed {seed}, round {round}");
        let watch = world.watch();
        let line = connect(&world);
        let until = Duration::from_micros(500 + random.below(350_000));
        let killer = std::thread::spawn(move || {
            std::thread::sleep(until);
            watch.kill();
        });
        let now = Naive(text.encode_utf16().collect());
        let mut typed = Typed { now, states: vec![text], n_confirmed: 0 };
        type_until_killed(line, &mut typed, &mut random);
        killer.join().unwrap();
        *n_confirmed += typed.n_confirmed as u64;
        // Refused, so empty here, where the file was never made.
        text = world.run(["show", "k.txt"]).stdout;
        let found = typed.states[typed.n_confirmed..].contains(&text);
        let was = typed.states[..typed.n_confirmed].iter().rposition(|state| *state == text);
        let confirmed = &typed.states[typed.n_confirmed];
        let same = text.bytes().zip(confirmed.bytes()).take_while(|(a, b)| a == b).count();
        assert!(
            found,
            "{what}: {} edits of {} were confirmed; found state {was:?}: {} bytes instead of {}, the first {same} are right",
            typed.n_confirmed,
            typed.states.len() - 1,
            text.len(),
            confirmed.len()
        );
        if world.root().join("k.txt").exists() {
            assert_eq!(world.read("k.txt"), text.as_bytes(), "{what}: the file in the folder");
        }
        if round % 8 == 7 || round + 1 == n_rounds {
            let report = world.run(["verify", "--json"]);
            assert_eq!(report.status, Some(0), "{what}: {report:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn killed_at_any_moment_it_has_everything_it_confirmed() {
    /// Longer histories would only make each round slower.
    const ROUNDS_OF_ONE_WORKSPACE: u64 = 40;
    let seed = number_of("CODESYNC_PROOF_SEED", 1);
    let n_rounds = number_of("CODESYNC_PROOF_ROUNDS", 6);
    let (mut n_done, mut n_confirmed) = (0, 0);
    while n_done < n_rounds {
        let n = (n_rounds - n_done).min(ROUNDS_OF_ONE_WORKSPACE);
        kill_rounds(seed + n_done, n, &mut n_confirmed);
        n_done += n;
        println!("{n_done} times killed, {n_confirmed} edits confirmed, none missing");
    }
}

/// What must stay whatever is damaged.
#[derive(PartialEq, Debug)]
struct Content {
    tree: String,
    log: Vec<Value>,
    texts: Vec<String>,
    /// In the folder.
    files: Vec<(String, u64)>,
}

impl Content {
    fn difference(&self, expected: &Self) -> String {
        let differs = |ours: &str, theirs: &str| {
            let at = ours.bytes().zip(theirs.bytes()).take_while(|(a, b)| a == b).count();
            format!(
                "{:?} instead of {:?}",
                ours.get(at..(at + 300).min(ours.len())),
                theirs.get(at..(at + 300).min(theirs.len()))
            )
        };
        let (ours, theirs) = (format!("{self:?}"), format!("{expected:?}"));
        differs(&ours, &theirs)
    }
}

/// Tells contents apart, and fits on a line.
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(bytes.len() as u64, |sum, byte| Random(sum ^ u64::from(*byte)).next())
}

const FILES: [&str; 3] = ["notes.txt", "src/long.txt", "disk.txt"];

impl Content {
    fn of(world: &World) -> Self {
        Self {
            tree: world.ok(["tree"]),
            // Where the store no longer knows who it is, a new life of it begins, with an entry of its own.
            log: world.json(["log"]).into_iter().filter(|entry| entry["kind"] != "session").collect(),
            texts: FILES.iter().map(|path| world.run(["show", path]).stdout).collect(),
            files: world.files().into_iter().map(|(path, (bytes, _))| (path, sum(&bytes))).collect(),
        }
    }
}

/// A workspace with everything in its store: sealed history, contents stored apart, a tail that a killed program
/// left, what the window keeps.
#[cfg(unix)]
fn store_with_everything() -> World {
    let world = World::with_workspace();
    world.write("disk.txt", "from the folder, ".repeat(200));
    world.write("picture.bin", (0..3_000_u32).map(|n| (n * n) as u8).collect::<Vec<_>>());
    let keys: Vec<_> = (0..300).map(|n| (n, 0, "k")).collect();
    world.edit("notes.txt", &keys);
    world.edit("src/long.txt", &[(0, 0, &"a long paste ".repeat(800))]);
    world.ok(["verify"]);
    let watch = world.watch();
    let mut line = connect(&world);
    for n in 0..40 {
        let inserted = if n % 10 == 3 { "another paste ".repeat(700) } else { "t".into() };
        let args = json!({ "path": "notes.txt", "edits": [[n, 0, inserted]] });
        send(&mut line, &json!({ "id": n, "cmd": "editFile", "args": args })).unwrap();
        line.read_line(&mut String::new()).unwrap();
    }
    let args = json!({ "key": "window", "value": "{\"tabs\":[\"notes.txt\"]}" });
    send(&mut line, &json!({ "id": 99, "cmd": "putState", "args": args })).unwrap();
    line.read_line(&mut String::new()).unwrap();
    // One fault at a time: the folder has what history has when the program is killed.
    let text = world.run(["show", "notes.txt"]).stdout;
    wait_for("the file in the folder", || (world.read("notes.txt") == text.as_bytes()).then_some(()));
    watch.kill();
    world
}

/// Files of the store, with the same weight for each kind of them.
fn victim(store: &Path, random: &mut Random) -> PathBuf {
    let mut kinds: Vec<Vec<PathBuf>> = Vec::new();
    for folder in ["journal", "copies", "index", "index/blobs", "state", "."] {
        let Ok(entries) = fs::read_dir(store.join(folder)) else { continue };
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
        files.sort();
        kinds.extend((!files.is_empty()).then_some(files));
    }
    let kind = &kinds[random.below(kinds.len() as u64) as usize];
    kind[random.below(kind.len() as u64) as usize].clone()
}

/// Damages one file and says how.
fn damage(store: &Path, random: &mut Random) -> (PathBuf, String) {
    let path = victim(store, random);
    let mut bytes = fs::read(&path).unwrap();
    let at = random.below(bytes.len() as u64) as usize;
    let what = match random.below(6) {
        0 => {
            fs::remove_file(&path).unwrap();
            return (path.clone(), format!("{} deleted", path.display()));
        }
        1 => {
            bytes.truncate(at);
            format!("cut at {at}")
        }
        2 => {
            let page = at & !4_095;
            bytes.iter_mut().skip(page).take(4_096).for_each(|byte| *byte = 0);
            format!("page at {page} zeroed")
        }
        3 => {
            bytes.iter_mut().skip(at).take(64).for_each(|byte| *byte = random.next() as u8);
            format!("garbage at {at}")
        }
        _ => {
            let bit = random.below(8);
            bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << bit);
            format!("bit {bit} of byte {at} flipped")
        }
    };
    fs::write(&path, &bytes).unwrap();
    (path.clone(), format!("{} {what}", path.display()))
}

/// What became of one damage.
#[derive(Default, Debug)]
struct Tally {
    noticed: u64,
    harmless: u64,
    refused: u64,
}

fn check_damage(world: &World, expected: &Content, seed: u64, tally: &mut Tally) {
    let store = world.root().join(".codesync");
    let (path, what) = damage(&store, &mut Random(seed));
    let what = format!("seed {seed}: {what}");
    let first = world.run(["verify", "--json"]);
    if first.status == Some(1) && path.ends_with("VERSION") {
        // A format that cannot be told from a newer one is refused with a sentence, and stays as it is.
        assert!(first.sentence().contains("newer"), "{what}: {first:?}");
        tally.refused += 1;
        return;
    }
    let report = |run: &Run| -> Value {
        let debris = ["panicked", "backtrace", "rror:"].iter().any(|debris| run.stderr.contains(debris));
        assert!(!debris && matches!(run.status, Some(0 | 1)), "{what}: {run:?}");
        let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{what}: {run:?}"));
        assert_eq!(report["ok"] == true, run.status == Some(0), "{what}: {run:?}");
        report
    };
    let told = report(&first);
    let lists = |report: &Value, name: &str| report[name].as_array().is_some_and(|list| !list.is_empty());
    let is_noticed = lists(&told, "problems") || lists(&told, "repaired");
    if told["ok"] == false {
        assert!(first.stderr.is_empty() || first.stderr.contains("verify"), "{what}: {first:?}");
        let mended = report(&world.run(["verify", "--repair", "--json"]));
        assert!(mended["ok"] == true && lists(&mended, "repaired"), "{what}: {told} then {mended}");
    }
    // There are two copies of everything: all is there, and the program says so.
    let after = report(&world.run(["verify", "--json"]));
    assert_eq!((&after["ok"], &after["repaired"]), (&json!(true), &json!([])), "{what}: {told} then {after}");
    let content = Content::of(world);
    assert!(content == *expected, "{what}: {told}\n{}", content.difference(expected));
    match is_noticed {
        true => tally.noticed += 1,
        false => tally.harmless += 1,
    }
}

#[cfg(unix)]
#[test]
fn damage_to_any_file_of_the_store_is_healed_or_harmless() {
    let world = store_with_everything();
    let kept = world.keep();
    world.ok(["verify"]);
    let expected = Content::of(&world);
    assert!(expected.texts.iter().all(|text| !text.is_empty()));
    let mut tally = Tally::default();
    for seed in seeds(10) {
        world.put_back(&kept);
        check_damage(&world, &expected, seed, &mut tally);
        if seed % 100 == 99 {
            println!("up to seed {seed}: {tally:?}");
        }
    }
    println!("{tally:?}");
}

/// Segments of one kind (the byte in their header), in both copies where there are two.
fn segments(world: &World, kind: u8) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["journal", "copies"] {
        let entries = fs::read_dir(world.root().join(".codesync").join(folder)).unwrap().map(Result::unwrap);
        found.extend(entries.map(|entry| entry.path()).filter(|path| fs::read(path).unwrap().get(10) == Some(&kind)));
    }
    found.retain(|path| path.extension().is_some_and(|ending| ending == "seg"));
    found
}

const SEALED: u8 = 2;
const BLOBS: u8 = 3;

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at.min(bytes.len() - 20);
    bytes[at] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

/// What `verify` says in its two forms: both must agree.
fn verified(world: &World, arguments: &[&str], is_well: bool) -> (Vec<String>, Vec<String>) {
    let run = world.run(["verify", "--json"].iter().chain(arguments));
    assert_eq!(run.status, Some(i32::from(!is_well)), "{run:?}");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["ok"], is_well, "{report}");
    let list = |name: &str| -> Vec<String> {
        report[name].as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(list("problems").is_empty(), is_well, "{report}");
    (list("problems"), list("repaired"))
}

fn one_content() -> World {
    let world = World::with_workspace();
    world.write("a.txt", "content that is stored apart ".repeat(40));
    world.edit("b.txt", &[(0, 0, "short")]);
    world
}

#[test]
fn verify_says_of_each_copy_whether_it_is_good_and_mends_it() {
    let world = one_content();
    let healthy = world.ok(["verify"]);
    assert!(healthy.starts_with("All is well: ") && healthy.contains("1 stored content checked"), "{healthy}");
    for segment in segments(&world, BLOBS) {
        flip(&segment, 200);
        let run = world.run(["verify"]);
        assert!(run.status == Some(1) && run.sentence().contains("verify --repair"), "{run:?}");
        let (problems, _) = verified(&world, &[], false);
        assert!(problems[0].contains(segment.file_name().unwrap().to_str().unwrap()), "{problems:?}");
        let (_, repaired) = verified(&world, &["--repair"], true);
        assert!(!repaired.is_empty());
        assert_eq!(verified(&world, &[], true), (vec![], vec![]));
    }
    // A copy that is gone altogether comes back by itself.
    for segment in segments(&world, BLOBS) {
        let bytes = fs::read(&segment).unwrap();
        fs::remove_file(&segment).unwrap();
        verified(&world, &[], true);
        world.ok(["status"]);
        assert_eq!(fs::read(&segment).unwrap(), bytes);
    }
    assert_eq!(world.ok(["show", "a.txt"]).as_bytes(), world.read("a.txt"));
}

#[test]
fn verify_names_what_has_no_good_copy_left_and_does_not_forget_it() {
    let world = one_content();
    let files = world.files();
    for segment in segments(&world, BLOBS) {
        flip(&segment, 200);
    }
    let (problems, _) = verified(&world, &[], false);
    assert!(
        problems.iter().any(|problem| problem.contains("ontent") && problem.contains("cannot be read")),
        "{problems:?}"
    );
    let (problems, _) = verified(&world, &["--repair"], false);
    assert!(problems.iter().any(|problem| problem.contains("is missing")), "{problems:?}");
    verified(&world, &[], false);
    // The rest is as it was, and so is the folder.
    assert_eq!(world.ok(["show", "b.txt"]), "short");
    assert_eq!(world.files(), files);
    let refused = world.refused(["show", "a.txt"]);
    assert!(refused.contains("a.txt") || refused.contains("history"), "{refused}");
}

#[test]
fn verify_brings_sealed_history_back_from_the_index_and_says_when_it_is_gone() {
    let world = one_content();
    let log = world.json(["log"]);
    for segment in segments(&world, SEALED) {
        fs::remove_file(segment).unwrap();
    }
    let (_, repaired) = verified(&world, &[], true);
    assert!(repaired.iter().any(|sentence| sentence.contains("second copy")), "{repaired:?}");
    assert_eq!(world.json(["log"]), log);
    for segment in segments(&world, SEALED) {
        fs::remove_file(segment).unwrap();
    }
    fs::remove_dir_all(world.root().join(".codesync/index")).unwrap();
    // Nothing tells this from an old copy put in its place: that is said, and the folder is taken in anew.
    let files = world.files();
    let (_, said) = verified(&world, &[], true);
    assert!(said.iter().any(|sentence| sentence.contains("older copy")), "{said:?}");
    assert_eq!(world.files(), files);
}
