//! Edit, look back, restore, take back; text beyond ASCII; bad lines; interruption.

use crate::world::{Naive, World, lines_of, send_signal, wait_for, wait_for_end};
use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

#[test]
fn edit_show_log_restore_undo() {
    let world = World::with_workspace();
    world.edit("src/a.rs", &[(0, 0, "fn main() {}\n"), (11, 0, " todo!() ")]);
    world.edit("src/a.rs", &[(0, 2, "pub fn")]);
    let now = "pub fn main() { todo!() }\n";
    assert_eq!(world.ok(["show", "src/a.rs"]), now);
    assert_eq!(world.read("src/a.rs"), now.as_bytes(), "the folder has it too");
    for (n, text) in [(0, ""), (1, "fn main() {}\n"), (2, "fn main() { todo!() }\n"), (3, now)] {
        assert_eq!(world.ok(["show", "src/a.rs", "--at", &format!("@{n}")]), text, "@{n}");
    }

    let steps = world.json(["log", "src/a.rs", "--steps"]);
    let edits: Vec<_> = steps.iter().filter(|step| step["kind"] == "edit").collect();
    assert_eq!(edits.len(), 3);
    for (n, edit) in edits.iter().enumerate() {
        assert_eq!(
            (edit["step"].as_u64(), edit["user_id"].as_str(), edit["path"].as_str()),
            (Some(n as u64 + 1), Some("Asha"), Some("src/a.rs"))
        );
        let names =
            ["deleted", "id", "inserted", "kind", "path", "position", "session_id", "step", "timestamp", "user_id"];
        // Whether an object keeps the order of its keys depends on who else uses the JSON library.
        let mut keys: Vec<_> = edit.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(keys, names);
    }
    assert_eq!(
        (edits[2]["position"].as_u64(), edits[2]["deleted"].as_u64(), edits[2]["inserted"].as_str()),
        (Some(0), Some(2), Some("pub fn"))
    );

    let plan = world.ok(["restore", "src/a.rs", "--at", "@2", "--dry-run"]);
    assert!(plan.contains("src/a.rs"), "{plan}");
    assert_eq!(world.ok(["show", "src/a.rs"]), now, "a dry run does nothing");
    world.ok(["restore", "src/a.rs", "--at", "@2"]);
    assert_eq!(world.ok(["show", "src/a.rs"]), "fn main() { todo!() }\n");
    assert_eq!(world.read("src/a.rs"), b"fn main() { todo!() }\n");
    let moments = world.json(["moments"]);
    assert!(moments.iter().any(|moment| moment["automatic"] == true), "{moments:?}");
    world.ok(["undo"]);
    assert_eq!(world.ok(["show", "src/a.rs"]), now);
    assert_eq!(world.read("src/a.rs"), now.as_bytes());
    assert_eq!(world.ok(["show", "src/a.rs", "--at", "@3"]), now, "history only grows");
    world.ok(["verify"]);
}

#[test]
fn emoji_cjk_and_combining_marks_at_every_step() {
    let world = World::with_workspace();
    let edits: &[(u32, u32, &str)] = &[
        (0, 0, "héllo 世界\n"),
        (6, 0, "👩‍👩‍👧‍👦"),
        (6, 2, "🧑🏽"),
        (0, 0, "e\u{301}o\u{308} "),
        (1, 1, ""),
        (0, 0, "한국어 ไทย العربية\n"),
        (4, 3, "𝒳𝒴\u{200d}"),
        (0, 0, "\u{feff}"),
        (1, 0, "\u{2028}\u{0}\t\"\\"),
    ];
    let mut naive = Naive::default();
    let mut texts = vec![naive.text()];
    for (position, deleted, inserted) in edits {
        naive.apply(*position, *deleted, inserted);
        texts.push(naive.text());
    }
    world.edit("ü/世界 🎈.txt", edits);
    for (n, text) in texts.iter().enumerate() {
        assert_eq!(&world.ok(["show", "ü/世界 🎈.txt", "--at", &format!("@{n}")]), text, "@{n}");
    }
    assert_eq!(world.ok(["show", "ü/世界 🎈.txt"]), naive.text());
    assert_eq!(world.read("ü/世界 🎈.txt"), naive.text().as_bytes());
}

#[test]
fn a_bad_line_is_named_and_nothing_after_it_is_applied() {
    let cases: &[(&str, &str)] = &[
        ("[0,0]", "Line 3 was refused"),
        ("hello", "Line 3 was refused"),
        ("[9,0,\"x\"]", "Line 3 was refused"),
        ("[1,5,\"x\"]", "Line 3 was refused"),
        ("[2,0,\"x\"]", "Line 3 was refused"),
        ("[1,1,\"\"]", "Line 3 was refused"),
        ("[-1,0,\"x\"]", "Line 3 was refused"),
        ("[4294967295,4294967295,\"x\"]", "Line 3 was refused"),
    ];
    let world = World::with_workspace();
    for (i, (bad, sentence)) in cases.iter().enumerate() {
        let path = format!("f{i}");
        let input = format!("[0,0,\"a\"]\n[1,0,\"😀\"]\n{bad}\n[0,0,\"never\"]\n");
        let run = world.run_with(["edit", &path], input.as_bytes());
        assert_eq!(run.status, Some(1), "{bad}: {run:?}");
        assert!(run.sentence().starts_with(sentence), "{bad}: {run:?}");
        assert_eq!(run.stdout, format!("2 edits applied to {path}.\n"));
        assert_eq!(world.ok(["show", &path]), "a😀", "{bad}");
    }
    let run = world.run_with(["edit", "bytes"], b"[0,0,\"a\"]\n[1,0,\"\xff\"]\n");
    assert!(run.status == Some(1) && run.sentence().starts_with("Line 2 was refused"), "{run:?}");
    let first_is_bad = world.run_with(["edit", "fresh"], b"nonsense\n");
    assert_eq!((first_is_bad.status, first_is_bad.stdout.as_str()), (Some(1), "0 edits applied to fresh.\n"));
    assert!(!world.root().join("fresh").exists());
    // Far down, in another batch.
    let mut input = lines_of((0..3_500).map(|n| (n, 0, "x")));
    input.extend_from_slice(b"[9999,0,\"x\"]\n[0,0,\"never\"]\n");
    let run = world.run_with(["edit", "long"], &input);
    assert!(run.sentence().starts_with("Line 3501 was refused"), "{run:?}");
    assert_eq!(world.ok(["show", "long"]), "x".repeat(3_500));
}

#[test]
fn lines_are_applied_as_they_arrive_and_others_can_look() {
    let world = World::with_workspace();
    let mut child =
        world.command().args(["edit", "live.txt"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for (n, text) in [(0, "a"), (1, "ab"), (2, "abc")] {
        writeln!(input, "[{n},0,{:?}]", &text[n..]).unwrap();
        wait_for(text, || {
            let run = world.run(["show", "live.txt"]);
            (run.stdout == text).then_some(())
        });
    }
    // Ctrl+C ends it with all of it kept.
    send_signal("INT", child.id());
    assert!(wait_for_end(&mut child).success());
    assert_eq!(world.read("live.txt"), b"abc");
    assert_eq!(world.ok(["show", "live.txt"]), "abc");
}

#[test]
fn killed_while_editing_what_is_there_is_a_whole_beginning_of_it() {
    let world = World::with_workspace();
    for (round, wait_ms) in [30, 120, 300].into_iter().enumerate() {
        let path = format!("k{round}.txt");
        let mut child =
            world.command().args(["edit", &path]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let feeder = std::thread::spawn(move || {
            for n in 0u32.. {
                if writeln!(input, "[{n},0,\"{}\"]", n % 10).is_err() {
                    return;
                }
                if n % 50 == 0 {
                    std::thread::sleep(Duration::from_millis(3));
                }
            }
        });
        std::thread::sleep(Duration::from_millis(wait_ms));
        child.kill().unwrap();
        child.wait().unwrap();
        feeder.join().unwrap();
        world.ok(["verify"]);
        let run = world.run(["show", &path]);
        let expected: String = (0..run.stdout.len()).map(|n| char::from_digit(n as u32 % 10, 10).unwrap()).collect();
        assert_eq!(run.stdout, expected);
        // The folder catches up, and all goes on.
        world.edit(&path, &[(0, 0, "on ")]);
        assert_eq!(world.read(&path), format!("on {expected}").as_bytes());
    }
}

#[test]
fn a_file_edited_on_disk_between_commands_becomes_history() {
    let world = World::new();
    world.write("a.txt", "one\ntwo\n");
    world.ok(["init"]);
    world.write("a.txt", "one\n2\ntwo\n");
    assert_eq!(world.ok(["show", "a.txt"]), "one\n2\ntwo\n");
    let last = world.json(["log", "a.txt", "--steps"]).pop().unwrap();
    assert_eq!((last["user_id"].as_str(), last["inserted"].as_str()), (Some("Disk"), Some("2\n")));
    world.edit("a.txt", &[(0, 0, "zero\n")]);
    assert_eq!(world.read("a.txt"), b"zero\none\n2\ntwo\n");
}
