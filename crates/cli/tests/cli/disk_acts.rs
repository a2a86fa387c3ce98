//! What other programs do to many files at once, while `codesync watch` follows: one grouped change, an
//! automatic moment before it, and one restore that brings everything back. `.git` is never written.

use crate::world::{World, wait_for};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

const N_FILES: usize = 50;

/// A git repository of 60 files, `N_FILES` of them edited by hand since the commit, and a script.
fn edited_repository() -> World {
    let world = World::new();
    for n in 0..60 {
        world.write(&format!("src/m{}/file{n}.rs", n % 7), format!("fn f{n}() {{\n    let x = {n};\n}}\n"));
    }
    world.write("README.md", "# repository\n");
    world.write("bin/tool", "#!/bin/sh\necho tool\n");
    world.write("src/data.bin", [0u8, 159, 146, 150].repeat(40));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &str, mode| {
            std::fs::set_permissions(world.root().join(path), std::fs::Permissions::from_mode(mode)).unwrap()
        };
        mode("bin/tool", 0o755);
        mode("src/m0/file0.rs", 0o755);
        mode("README.md", 0o600);
    }
    world.git(&["init", "-q"]);
    world.git(&["add", "-A"]);
    world.git(&["commit", "-q", "-m", "first"]);
    world.git(&["checkout", "-q", "-b", "other"]);
    for n in 0..30 {
        world.write(&format!("src/m{}/file{n}.rs", n % 7), format!("// other branch {n}\n"));
    }
    world.git(&["rm", "-q", "-f", "-r", "src/m6"]);
    world.write("src/only-other.rs", "// only here\n");
    world.git(&["add", "-A"]);
    world.git(&["commit", "-q", "-m", "second"]);
    world.git(&["checkout", "-q", "main"]);
    world.ok(["init"]);
    world
}

fn edit_many(world: &World) {
    for n in 0..N_FILES {
        world.write(
            &format!("src/m{}/file{n}.rs", n % 7),
            format!("fn f{n}() {{\n    let x = {n};\n}}\n// by hand {n} 😀\r\nmixed\n"),
        );
    }
    world.write("src/new.txt", "not committed\n");
}

fn groups(world: &World) -> Vec<Value> {
    world.json(["log"])
}

/// Does something to the folder and waits until it is one record of the log.
#[track_caller]
fn one_group(world: &World, n_files_min: u64, act: impl FnOnce()) -> Value {
    let n_before = groups(world).len();
    act();
    let count = |records: &[Value]| records[n_before..].iter().filter(|record| record["user_id"] == "Disk").count();
    let records = wait_for("the change in the log", || {
        let records = groups(world);
        let n_files: u64 = records[n_before..].iter().filter_map(|record| record["n_files"].as_u64()).max()?;
        (n_files >= n_files_min).then_some(records)
    });
    assert_eq!(count(&records), 1, "one grouped change: {:#?}", &records[n_before..]);
    let moment = records[n_before..].iter().position(|record| record["kind"] == "moment");
    let change = records[n_before..].iter().position(|record| record["user_id"] == "Disk");
    assert!(moment.is_some() && moment < change, "an automatic moment before it: {:#?}", &records[n_before..]);
    world.json(["moments"]).into_iter().rev().find(|moment| moment["automatic"] == true).unwrap()
}

/// One restore brings back what was there before the act, and leaves git alone.
#[track_caller]
fn brings_all_back(world: &World, before: &BTreeMap<String, (Vec<u8>, u32)>, moment: &Value) {
    let after = world.files();
    let git = world.files_in(&world.root().join(".git"));
    let at = moment["id"].as_str().unwrap();
    world.ok(["restore", "--all", "--at", at]);
    let now = world.files();
    for (path, file) in before {
        assert!(now.get(path) == Some(file), "{path} is {:?}, was {:?}", now.get(path).map(shown), shown(file));
    }
    assert_eq!(now.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    assert!(git == world.files_in(&world.root().join(".git")), ".git was touched");
    world.ok(["undo"]);
    assert!(world.files() == after, "and taken back");
}

fn shown(file: &(Vec<u8>, u32)) -> (String, String) {
    (String::from_utf8_lossy(&file.0).into_owned(), format!("{:o}", file.1))
}

#[test]
fn git_reset_hard_over_fifty_edited_files() {
    let world = edited_repository();
    let watch = world.watch();
    one_group(&world, N_FILES as u64, || edit_many(&world));
    let before = world.files();
    let moment = one_group(&world, N_FILES as u64, || drop(world.git(&["reset", "-q", "--hard"])));
    assert!(world.files() != before);
    brings_all_back(&world, &before, &moment);
    watch.stop();
    world.ok(["verify"]);
}

#[test]
fn rm_rf_src() {
    let world = edited_repository();
    let watch = world.watch();
    let before = world.files();
    let moment = one_group(&world, 60, || std::fs::remove_dir_all(world.root().join("src")).unwrap());
    assert!(!world.root().join("src").exists());
    brings_all_back(&world, &before, &moment);
    watch.stop();
}

#[test]
fn a_formatter_over_the_tree() {
    let world = edited_repository();
    let watch = world.watch();
    let before = world.files();
    let moment = one_group(&world, 60, || {
        let find = "find src -name '*.rs' -print0 | xargs -0 sed -i -e 's/    /\\t/' -e 's/;$/ ;/'";
        assert!(Command::new("sh").args(["-c", find]).current_dir(world.root()).status().unwrap().success());
    });
    brings_all_back(&world, &before, &moment);
    watch.stop();
}

#[test]
fn git_checkout_of_another_branch() {
    let world = edited_repository();
    let watch = world.watch();
    let before = world.files();
    let moment = one_group(&world, 30, || drop(world.git(&["checkout", "-q", "other"])));
    assert!(world.root().join("src/only-other.rs").exists() && !world.root().join("src/m6").exists());
    brings_all_back(&world, &before, &moment);
    watch.stop();
}

#[test]
fn the_same_while_nobody_follows_is_seen_by_the_next_command() {
    let world = edited_repository();
    let before = world.files();
    let n_before = groups(&world).len();
    world.git(&["checkout", "-q", "other"]);
    let records = groups(&world);
    let disk: Vec<_> = records[n_before..].iter().filter(|record| record["user_id"] == "Disk").collect();
    assert_eq!(disk.len(), 1, "{:#?}", &records[n_before..]);
    let moment = world.json(["moments"]).into_iter().rev().find(|moment| moment["automatic"] == true).unwrap();
    brings_all_back(&world, &before, &moment);
}

#[test]
fn git_moving_its_head_is_a_whole_act_even_over_few_files() {
    let world = World::new();
    world.write("a.txt", "a\n");
    world.git(&["init", "-q"]);
    world.git(&["add", "-A"]);
    world.git(&["commit", "-q", "-m", "first"]);
    world.git(&["checkout", "-q", "-b", "other"]);
    world.write("a.txt", "other a\n");
    world.write("b.txt", "other b\n");
    world.git(&["add", "-A"]);
    world.git(&["commit", "-q", "-m", "second"]);
    world.git(&["checkout", "-q", "main"]);
    world.ok(["init"]);
    let watch = world.watch();
    let before = world.files();
    let moment = one_group(&world, 2, || drop(world.git(&["checkout", "-q", "other"])));
    brings_all_back(&world, &before, &moment);
    watch.stop();
}

#[test]
fn one_file_saved_by_another_editor_is_its_own_small_change() {
    let world = World::new();
    world.write("a.txt", "one\ntwo\nthree\n");
    world.ok(["init"]);
    let watch = world.watch();
    let n_before = groups(&world).len();
    // As editors save: a new file moved over the old one.
    world.write(".a.txt.tmp~", "one\nzwei\nthree\n");
    std::fs::rename(world.root().join(".a.txt.tmp~"), world.root().join("a.txt")).unwrap();
    wait_for("the change", || (world.ok(["show", "a.txt"]) == "one\nzwei\nthree\n").then_some(()));
    let records = groups(&world);
    let new: Vec<_> = records[n_before..].iter().filter(|record| record["path"] == "a.txt").collect();
    assert_eq!(new.len(), 1, "{new:#?}");
    assert_eq!(
        (new[0]["user_id"].as_str(), new[0]["added"].as_u64(), new[0]["removed"].as_u64()),
        (Some("Disk"), Some(4), Some(3))
    );
    assert!(world.json(["moments"]).is_empty(), "no automatic moment for a small change");
    // Its history goes on: the same file.
    assert_eq!(world.ok(["show", "a.txt", "--at", "@0"]), "one\ntwo\nthree\n");
    watch.stop();
}
