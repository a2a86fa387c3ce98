//! Chance does to a followed folder what people and programs do: writes, patches, moves and removes files and
//! folders, edits, undoes, restores. Whatever came before, the history knows exactly what is on the disk, and any
//! named moment comes back byte for byte. `CODESYNC_SOAK_STEPS` and `CODESYNC_SOAK_SEED` make it longer or another.

use crate::world::{World, finish};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

const NAMES: [&str; 10] = [
    "a.txt",
    "b.md",
    "src/x.rs",
    "src/y.rs",
    "src/deep/z.py",
    "docs/ü n.md",
    "docs/日本.txt",
    "run.sh",
    "K.txt",
    "data.bin",
];
const WORDS: [&str; 11] = ["a", "b", " ", "\n", "é", "漢", "🎉", "e\u{301}", "x", "\t", "zz"];
const STEPS_BETWEEN_MOMENTS: u64 = 12;

/// Content and whether it may be run, by path.
type Files = BTreeMap<String, (Vec<u8>, bool)>;

struct Dice(u64);

impl Dice {
    /// From 0 to below `n`: xorshift64* (Vigna 2016).
    fn roll(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.roll(choices.len())]
    }

    fn text(&mut self, n_words_below: usize) -> String {
        (0..self.roll(n_words_below)).map(|_| *self.of(&WORDS)).collect()
    }
}

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

fn files(world: &World) -> Files {
    let with_rights = |(path, (bytes, mode)): (String, (Vec<u8>, u32))| (path, (bytes, mode & 0o111 != 0));
    world.files().into_iter().map(with_rights).collect()
}

/// The folder, once nothing has been written there for longer than any delay of ours.
fn settled(world: &World) -> Files {
    let (mut last, mut n_same) = (files(world), 0);
    for _ in 0..200 {
        std::thread::sleep(Duration::from_millis(250));
        let now = files(world);
        n_same = if now == last { n_same + 1 } else { 0 };
        last = now;
        if n_same == 8 {
            return last;
        }
    }
    panic!("the folder never comes to rest");
}

/// One act; says which, for the story of a failure.
fn act(world: &World, dice: &mut Dice, moments: &[(String, Files)]) -> String {
    let there: Vec<String> = files(world).into_keys().collect();
    let kind = if there.is_empty() { 0 } else { dice.roll(100) };
    let name = *dice.of(&NAMES);
    let path = if there.is_empty() { name.to_owned() } else { dice.of(&there).clone() };
    let full = |path: &str| world.root().join(path);
    match kind {
        0..22 if !full(name).is_dir() => {
            world.write(name, new_content(dice, name));
            format!("write {name}")
        }
        22..40 => {
            let mut bytes = world.read(&path);
            let at = dice.roll(bytes.len() + 1);
            let end = bytes.len().min(at + dice.roll(6));
            drop(bytes.splice(at..end, dice.text(8).into_bytes()));
            world.write(&path, bytes);
            format!("patch {path}")
        }
        40..48 => {
            fs::remove_file(full(&path)).unwrap();
            format!("remove {path}")
        }
        48..58 if !full(name).is_dir() => {
            fs::create_dir_all(full(name).parent().unwrap()).unwrap();
            fs::rename(full(&path), full(name)).unwrap();
            format!("move {path} to {name}")
        }
        58..62 => make_executable(world, &path, dice.roll(2) == 0),
        62..65 => {
            let folder = *dice.of(&["src", "docs"]);
            // Not there is fine, too.
            fs::remove_dir_all(full(folder)).unwrap_or_default();
            format!("remove folder {folder}")
        }
        65..67 if full("src").is_dir() && !full("lib").exists() => {
            fs::rename(full("src"), full("lib")).unwrap();
            "move src to lib".into()
        }
        67..85 => edit(world, dice, &path),
        85..90 => format!("undo: {:?}", world.run(["undo"]).status),
        90..95 if !moments.is_empty() => {
            let (moment, _) = dice.of(moments);
            format!("restore {moment}: {:?}", world.run(["restore", "--all", "--at", &format!("name:{moment}")]).status)
        }
        _ => "wait".into(),
    }
}

fn new_content(dice: &mut Dice, name: &str) -> Vec<u8> {
    if name.ends_with(".bin") {
        return (0..dice.roll(400)).map(|_| dice.roll(256) as u8).collect();
    }
    let line_end = *dice.of(&["\n", "\n", "\r\n"]);
    let text = dice.text(60).replace('\n', line_end);
    if dice.roll(4) > 0 {
        return text.into_bytes();
    }
    let with_mark = "\u{feff}".encode_utf16().chain(text.encode_utf16().collect::<Vec<u16>>());
    with_mark.flat_map(u16::to_le_bytes).collect()
}

fn make_executable(world: &World, path: &str, executable: bool) -> String {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = if executable { 0o755 } else { 0o644 };
        fs::set_permissions(world.root().join(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    format!("executable {executable}: {path}")
}

/// Some edits on the command line, where the file is text.
fn edit(world: &World, dice: &mut Dice, path: &str) -> String {
    let shown = world.run(["show", path]);
    let Ok(text) = String::from_utf8(shown.bytes) else { return format!("no text: {path}") };
    let mut n_units = text.encode_utf16().count();
    let mut lines = String::new();
    for _ in 0..=dice.roll(7) {
        let (at, inserted) = (dice.roll(n_units + 1), dice.text(4));
        let deleted = dice.roll(4).min(n_units - at);
        lines += &format!("[{at},{deleted},{}]\n", serde_json::Value::from(inserted.as_str()));
        n_units = n_units - deleted + inserted.encode_utf16().count();
    }
    // An edit may be refused: chance cuts through pairs, and through files that just went.
    let mut command = world.command();
    command.args(["edit", path]);
    format!("edit {path}: {:?}", finish(command, lines.as_bytes()).status)
}

#[track_caller]
fn knows_what_is_there(world: &World, there: &Files, story: &[String]) {
    let listed = world.json(["tree"]);
    let listed: BTreeSet<&str> =
        listed.iter().filter(|entry| entry["kind"] != "folder").filter_map(|entry| entry["path"].as_str()).collect();
    assert_eq!(listed, there.keys().map(String::as_str).collect(), "{story:#?}");
    assert_eq!(world.run(["verify"]).status, Some(0), "{story:#?}");
}

#[test]
fn whatever_happens_to_a_folder_its_history_is_exact() {
    let seed = from_environment("CODESYNC_SOAK_SEED", 1);
    println!("CODESYNC_SOAK_SEED={seed}");
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let (mut moments, mut story) = (Vec::new(), Vec::new());
    let world = World::with_workspace();
    let watch = world.watch();
    for step in 1..=from_environment("CODESYNC_SOAK_STEPS", 2 * STEPS_BETWEEN_MOMENTS) {
        story.push(act(&world, &mut dice, &moments));
        if dice.roll(3) == 0 {
            std::thread::sleep(Duration::from_millis(dice.roll(800) as u64));
        }
        if step % STEPS_BETWEEN_MOMENTS > 0 {
            continue;
        }
        let there = settled(&world);
        knows_what_is_there(&world, &there, &story);
        let name = format!("m{step}");
        world.ok(["moment", &name]);
        moments.push((name, there));
        let (name, before) = dice.of(&moments).clone();
        world.ok(["restore", "--all", "--at", &format!("name:{name}")]);
        story.push(format!("restore {name}"));
        let restored = settled(&world);
        assert!(restored == before, "{name} came back differently: {story:#?}");
    }
    let there = settled(&world);
    watch.stop();
    knows_what_is_there(&world, &there, &story);
    assert!(files(&world) == there, "reopening changed the folder: {story:#?}");
}
