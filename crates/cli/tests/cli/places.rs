//! Where a workspace lives: full disks, read-only disks, folders that go, stores that were copied or put back. Real
//! file systems, in a mount namespace of their own.
#![cfg(target_os = "linux")]

use crate::world::{Run, World, finish, wait_for};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs a script in which `$C` is the program and `$M` an empty folder to mount something on. None where this system
/// lets nobody have mounts of their own.
fn in_own_mounts(world: &World, script: &str) -> Option<Run> {
    let probe = Command::new("unshare").args(["-Urm", "true"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this system does not permit mount namespaces (unshare -Urm)");
        return None;
    }
    let mount = world.beside("mount");
    fs::create_dir_all(&mount).unwrap();
    let mut command = world.in_this_world("unshare");
    command.args(["-Urm", "bash", "-eu", "-o", "pipefail", "-c", script]);
    command.env("C", env!("CARGO_BIN_EXE_codesync")).env("M", &mount);
    Some(finish(command, b""))
}

/// A script's lines of the form `name: value`.
fn told<'a>(run: &'a Run, name: &str) -> Vec<&'a str> {
    run.stdout.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
}

const FULL_DISK: &str = r#"
mount -t tmpfs -o size=64m none "$M"
mkdir "$M/work" && cd "$M/work" && echo hello > a.txt
"$C" init > /dev/null
"$C" watch --json > "$M/../watch.out" & WATCH=$!
trap 'kill -9 $WATCH 2> /dev/null || true' EXIT
until [ -e .codesync/run.json ]; do sleep 0.05; done
fill() { dd if=/dev/zero of="$M/fill" bs=64k 2> /dev/null || true; dd if=/dev/zero of="$M/fill2" bs=1k 2> /dev/null || true; }
free() { rm "$M/fill" "$M/fill2"; }
# Types until it is refused; says what was taken, and the refusal.
N=0
type_until_refused() {
    for _ in $(seq 300); do
        N=$((N + 1)) TEXT=$(head -c 3000 /dev/urandom | base64 -w0)
        if echo "[0,0,\"<$N>$TEXT\"]" | "$C" edit a.txt > /dev/null 2> "$M/../refusal"; then
            echo "taken: $N"
        else
            echo "refused: $N" && sed 's/^/sentence: /' "$M/../refusal" && return
        fi
    done
}
fill
type_until_refused
"$C" status | sed -n 's/^Saved  */full: /p'
"$C" show a.txt | grep -o '<[0-9]*>' | tr -d '\n' | sed 's/^/readable: /;s/$/\n/'
free
until "$C" status | grep -q '^Saved  *everything'; do sleep 0.2; done
echo '[0,0,"<again>"]' | "$C" edit a.txt > /dev/null
"$C" show a.txt | grep -o '<[a-z0-9]*>' | tr -d '\n' | sed 's/^/after: /;s/$/\n/'
# Full again, and killed in that state.
fill
type_until_refused
kill -9 $WATCH && wait $WATCH 2> /dev/null || true
"$C" show a.txt | grep -o '<[a-z0-9]*>' | tr -d '\n' | sed 's/^/killed: /;s/$/\n/' || echo "killed: "
free
"$C" show a.txt | grep -o '<[a-z0-9]*>' | tr -d '\n' | sed 's/^/reopened: /;s/$/\n/'
"$C" verify > /dev/null && echo "verify: well"
grep -o '<[a-z0-9]*>' a.txt | tr -d '\n' | sed 's/^/file: /;s/$/\n/'
grep '"trouble"' "$M/../watch.out" | sed 's/^/trouble: /'
"#;

#[test]
fn a_full_disk_loses_nothing_and_is_gone_on_from_by_itself() {
    let world = World::new();
    let Some(run) = in_own_mounts(&world, FULL_DISK) else { return };
    assert_eq!(run.status, Some(0), "{} {}", run.stdout, run.stderr);
    let numbers = |name: &str| -> Vec<u32> { told(&run, name).iter().map(|n| n.parse().unwrap()).collect() };
    let (taken, refused) = (numbers("taken"), numbers("refused"));
    assert_eq!(refused.len(), 2, "{}", run.stdout);
    for sentence in told(&run, "sentence") {
        assert!(sentence.starts_with("This disk is full"), "{sentence}");
    }
    let full = told(&run, "full")[0];
    assert!(full.starts_with("This disk is full, so new changes can't be kept. Everything up to "), "{full}");
    let marks = |name: &str| -> Vec<String> {
        let text = told(&run, name)[0];
        text.trim_matches(['<', '>']).split("><").map(str::to_owned).collect()
    };
    // All that was taken, newest first, and what waited perhaps: in the order in which it was typed, each once.
    let holds = |name: &str, upto: u32| {
        let marks = marks(name);
        let typed: Vec<u32> = marks.iter().filter_map(|mark| mark.parse().ok()).collect();
        assert!(typed.is_sorted_by(|a, b| a > b), "{name}: {marks:?}");
        for n in taken.iter().filter(|n| **n <= upto) {
            assert!(typed.contains(n), "{name}: {n} is missing in {marks:?}");
        }
    };
    holds("readable", refused[0]);
    holds("after", refused[0]);
    assert_eq!(marks("after")[0], "again");
    holds("reopened", refused[1]);
    assert_eq!(told(&run, "file"), told(&run, "reopened"), "the folder has what history has");
    assert_eq!(told(&run, "verify"), ["well"]);
    assert!(told(&run, "trouble").iter().any(|line| line.contains("Free some space; we'll go on by ourselves.")));
}

const READ_ONLY: &str = r#"
mount -t tmpfs none "$M"
mkdir "$M/plain" "$M/known" && echo hello > "$M/plain/a.txt" && echo hello > "$M/known/a.txt"
(cd "$M/known" && "$C" init > /dev/null)
mount -o remount,ro "$M"
cd "$M/plain" && "$C" init 2> "$M/../said" || sed 's/^/plain: /' "$M/../said"
cd "$M/known" && "$C" status 2> "$M/../said" || sed 's/^/known: /' "$M/../said"
ls -A "$M/plain" | sed 's/^/there: /'
mount -o remount,rw "$M"
# Its history can be written, the rest cannot.
mount --bind "$M/known" "$M/known"
mount --bind "$M/known/.codesync" "$M/known/.codesync"
mount -o remount,bind,ro "$M/known"
cd "$M/known"
echo '[0,0,"kept "]' | "$C" edit a.txt > /dev/null 2> "$M/../said" || sed 's/^/edit: /' "$M/../said"
"$C" show a.txt | sed 's/^/text: /'
"$C" status | sed -n 's/^Note  */note: /p'
cat a.txt | sed 's/^/file: /'
cd / && umount "$M/known/.codesync" "$M/known"
cd "$M/known" && "$C" status > /dev/null && cat a.txt | sed 's/^/written: /'
"#;

#[test]
fn a_read_only_folder_is_told_in_plain_words() {
    let world = World::new();
    let Some(run) = in_own_mounts(&world, READ_ONLY) else { return };
    assert_eq!(run.status, Some(0), "{} {}", run.stdout, run.stderr);
    let mount = world.beside("mount").display().to_string();
    let plain = told(&run, "plain").join(" ");
    let wanted =
        format!("“{mount}/plain” can't be written to (the disk is read-only), so its history can't be kept in it.");
    assert!(plain.starts_with(&wanted), "{plain}");
    let known = told(&run, "known").join(" ");
    assert!(known.starts_with(&format!("The history of “{mount}/known” can't be written: ")), "{known}");
    assert_eq!(told(&run, "there"), ["a.txt"]);
    assert_eq!((told(&run, "text"), told(&run, "file")), (vec!["kept hello"], vec!["hello"]), "{}", run.stdout);
    let notes = told(&run, "note");
    assert!(notes.iter().any(|note| note.starts_with("The files in this folder can't be changed")), "{notes:?}");
    assert_eq!(told(&run, "written"), ["kept hello"], "written once it can be");
}

const BUNDLE_ON_A_FULL_DISK: &str = r#"
mount -t tmpfs -o size=16m none "$M"
mkdir "$M/work" && cd "$M/work" && echo hello > a.txt
"$C" init > /dev/null
cp -a "$M/work" "$M/../elsewhere" && cd "$M/../elsewhere"
for n in $(seq 120); do echo "[0,0,\"<$n>$(head -c 5000 /dev/urandom | base64 -w0)\"]"; done | "$C" edit a.txt > /dev/null
"$C" export "$M/../more.codesync-replay" > /dev/null
cd "$M/work"
"$C" watch --json > "$M/../watch.out" & WATCH=$!
trap 'kill -9 $WATCH 2> /dev/null || true' EXIT
until [ -e .codesync/run.json ]; do sleep 0.05; done
dd if=/dev/zero of="$M/fill" bs=64k 2> /dev/null || true
"$C" import "$M/../more.codesync-replay" > /dev/null 2> "$M/../refusal" || sed 's/^/sentence: /' "$M/../refusal"
rm "$M/fill"
until "$C" status | grep -q '^Saved  *everything'; do sleep 0.2; done
echo "history: $("$C" show a.txt | grep -o '<[0-9]*>' | wc -l)"
"$C" verify > /dev/null && echo "verify: well"
"#;

#[test]
fn a_bundle_that_did_not_fit_is_there_once_there_is_room() {
    let world = World::new();
    let Some(run) = in_own_mounts(&world, BUNDLE_ON_A_FULL_DISK) else { return };
    assert_eq!(run.status, Some(0), "{} {}", run.stdout, run.stderr);
    let sentence = told(&run, "sentence").join(" ");
    assert!(sentence.contains("disk is full"), "{sentence}");
    assert_eq!((told(&run, "history"), told(&run, "verify")), (vec!["120"], vec!["well"]), "{}", run.stdout);
}

const OVERWRITTEN_IN_PLACE: &str = r#"
mount -t tmpfs none "$M"
mkdir "$M/work" "$M/small" && echo hello > "$M/work/a.txt" && cd "$M/work"
"$C" init > /dev/null
# Where no other file can be made, on a disk of its own that gets full.
mount -t tmpfs -o size=64k none "$M/small" && cp a.txt "$M/small"
mount --bind "$M/work" "$M/work"
mount --bind "$M/work/.codesync" "$M/work/.codesync"
mount --bind "$M/small/a.txt" "$M/work/a.txt"
mount -o remount,bind,ro "$M/work"
dd if=/dev/zero of="$M/small/fill" bs=4k 2> /dev/null || true
cd "$M/work"
echo "[0,0,\"$(head -c 30000 /dev/zero | tr '\0' x)\"]" | "$C" edit a.txt > /dev/null 2>&1 || true
cat a.txt | head -c 100 | sed 's/^/file: /'
"$C" show a.txt | wc -c | sed 's/^/history: /'
rm "$M/small/fill"
"$C" status > /dev/null
cat a.txt | wc -c | sed 's/^/written: /'
"#;

#[test]
fn a_file_that_does_not_fit_where_it_is_keeps_what_it_had() {
    let world = World::new();
    let Some(run) = in_own_mounts(&world, OVERWRITTEN_IN_PLACE) else { return };
    assert_eq!(run.status, Some(0), "{} {}", run.stdout, run.stderr);
    assert_eq!(told(&run, "file"), ["hello"]);
    assert_eq!((told(&run, "history"), told(&run, "written")), (vec!["30006"], vec!["30006"]), "{}", run.stdout);
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(status.success());
}

#[test]
fn a_history_that_was_put_back_or_copied_is_told_by_status_and_verify() {
    let world = World::with_workspace();
    world.edit("a.txt", &[(0, 0, "one")]);
    let (store, backup) = (world.root().join(".codesync"), world.beside("backup"));
    copy(&store, &backup);
    world.edit("a.txt", &[(3, 0, " two")]);
    fs::remove_dir_all(&store).unwrap();
    copy(&backup, &store);
    let said = world.ok(["status"]);
    assert!(said.contains("Note       This folder's history is an older copy. "), "{said}");
    assert!(world.ok(["verify"]).contains("an older copy of itself"));
    assert_eq!(world.ok(["show", "a.txt"]), "one two", "the file is newer than its history, and is taken in");
    assert!(!world.ok(["status"]).contains("older copy"), "said once");
    world.edit("a.txt", &[(0, 0, "more ")]);
    // A copy of the whole folder, beside the first.
    let other = world.beside("copy");
    copy(&world.root(), &other);
    let mut status = world.command();
    status.arg("status").current_dir(&other);
    let said = finish(status, b"").expect_ok().stdout;
    assert!(said.contains("Note       This folder is a copy of another workspace. "), "{said}");
    assert!(said.contains(&format!("“{}”", world.root().display())), "{said}");
    assert!(!world.ok(["status"]).contains("copy of another"), "the first is not bothered");
    // Moved, it stays what it is.
    let moved = world.beside("moved");
    fs::rename(&other, &moved).unwrap();
    let mut status = world.command();
    status.args(["status", "--json"]).current_dir(&moved);
    let said = finish(status, b"").expect_ok().stdout;
    assert!(!said.contains("MSG-STORE"), "{said}");
}

#[test]
fn a_folder_that_goes_under_a_running_program_is_noticed_and_comes_back() {
    let world = World::with_workspace();
    world.edit("a.txt", &[(0, 0, "one")]);
    let watch = world.watch();
    let status = |place: &Path| {
        let mut status = world.command();
        status.arg("status").current_dir(place);
        finish(status, b"").stdout
    };
    let (root, away) = (world.root(), world.beside("away"));
    fs::rename(&root, &away).unwrap();
    // Asked at its new place, the program that has it answers.
    wait_for("the notice", || status(&away).contains("This folder is gone from").then_some(()));
    let mut edit = world.command();
    edit.args(["edit", "a.txt"]).current_dir(&away);
    let refused = finish(edit, b"[0,0,\"lost?\"]\n");
    assert_eq!(refused.status, Some(1));
    assert!(refused.sentence().contains("This folder is gone"), "{refused:?}");
    assert!(!root.exists(), "nothing is made where it was");
    fs::rename(&away, &root).unwrap();
    wait_for("it goes on", || world.ok(["status"]).contains("Saved      everything").then_some(()));
    world.edit("a.txt", &[(3, 0, " two")]);
    fs::write(root.join("b.txt"), "new").unwrap();
    wait_for("the folder is followed again", || (world.run(["show", "b.txt"]).stdout == "new").then_some(()));
    watch.stop();
    assert_eq!(world.read("a.txt"), b"one two");
    world.ok(["verify"]);
}
