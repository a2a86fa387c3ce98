//! Every command once, for people and for programs; the manual lists what there is.

use crate::world::World;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

#[test]
fn the_manual_lists_every_command_and_option() {
    let manual = include_str!("../../../../docs/cli.md");
    let world = World::new();
    let help = world.ok(["--help"]);
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| !line.trim().is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() >= 21, "{commands:?}");
    let documented: Vec<&str> = manual
        .lines()
        .filter_map(|line| line.strip_prefix("### `codesync "))
        .filter_map(|line| line.split([' ', '`']).next())
        .collect();
    assert_eq!(
        documented, commands,
        "docs/cli.md has one “### `codesync …`” heading a command, in the order of --help"
    );
    for command in commands {
        let help = world.ok([command, "--help"]);
        let heading = manual.lines().position(|line| line.starts_with(&format!("### `codesync {command}"))).unwrap();
        let section: Vec<&str> = manual.lines().skip(heading).take_while(|line| !line.starts_with("---")).collect();
        let section = section
            .iter()
            .skip(1)
            .take_while(|line| !line.starts_with("### "))
            .chain(&section[..1])
            .copied()
            .collect::<String>();
        let options = help
            .split_whitespace()
            .filter(|word| word.starts_with("--"))
            .map(|word| word.trim_end_matches(|c: char| !c.is_alphanumeric()));
        for option in options.filter(|option| !["--help", "--json", "--no-color"].contains(option)) {
            assert!(section.contains(option), "docs/cli.md says nothing of {option} at {command}");
        }
    }
    for global in ["-C", "--json", "--no-color", "--version", "--help"] {
        assert!(manual.contains(&format!("`{global}")), "docs/cli.md says nothing of {global}");
    }
}

#[test]
fn the_manual_names_every_field_of_every_object() {
    let manual = include_str!("../../../../docs/cli.md");
    let world = World::new();
    world.write("logo.png", b"\x89PNG\0\xff");
    let bundle = world.beside("b");
    let (bundle, git) = (bundle.to_str().unwrap(), world.beside("g"));
    let mut is_edited = false;
    let commands: &[&[&str]] = &[
        &["init"],
        &["status"],
        &["moment", "m", "--note", "n"],
        &["log"],
        &["log", "--steps"],
        &["show", "a.txt"],
        &["show", "logo.png"],
        &["tree"],
        &["diff", "--from", "name:m"],
        &["blame", "a.txt"],
        &["find", "two"],
        &["search", "two"],
        &["moments"],
        &["restore", "--all", "--at", "name:m", "--dry-run"],
        &["restore", "a.txt", "--at", "@1"],
        &["undo"],
        &["rename", "a.txt", "b.txt"],
        &["delete", "b.txt"],
        &["chat", "hello"],
        &["chat"],
        &["verify"],
        &["export", bundle],
        &["export", "--git", git.to_str().unwrap()],
        &["import", bundle],
    ];
    for arguments in commands {
        if arguments[0] == "log" && !is_edited {
            world.edit("a.txt", &[(0, 0, "one\n"), (4, 0, "two\n")]);
            is_edited = true;
        }
        let heading = format!("### `codesync {}", arguments[0]);
        let is_heading = |line: &&str| line.strip_prefix(&*heading).is_some_and(|rest| rest.starts_with([' ', '`']));
        let section: Vec<&str> = manual
            .lines()
            .skip_while(|line| !is_heading(line))
            .skip(1)
            .take_while(|line| !line.starts_with("### "))
            .collect();
        let section = section.join("\n");
        for object in world.json(*arguments) {
            let fields = object.as_object().unwrap();
            assert!(!fields.values().any(serde_json::Value::is_null), "{arguments:?}: {object}");
            for field in fields.keys() {
                assert!(
                    section.contains(&format!("`{field}`")),
                    "docs/cli.md says nothing of `{field}` at {arguments:?}: {object}"
                );
            }
        }
    }
}

#[test]
fn watch_says_what_happens() {
    let world = World::with_workspace();
    let mut command = world.command();
    let mut child = command.args(["watch", "--json"]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()).unwrap());
    assert_eq!(lines.next().unwrap()["event"], "following");
    world.edit("a.txt", &[(0, 0, "x")]);
    let grew = lines.find(|event| event["event"] == "history").unwrap();
    assert_eq!(grew["paths"][0], "a.txt");
    world.ok(["moment", "named"]);
    assert_eq!(lines.find(|event| event["event"] == "moment").unwrap()["name"], "named");
    world.ok(["restore", "a.txt", "--at", "@0"]);
    let act = lines.find(|event| event["event"] == "act").unwrap();
    assert!(act["sentence"].as_str().unwrap().starts_with("Restored a.txt"), "{act}");
    crate::world::send_signal("TERM", child.id());
    assert!(lines.all(|event| event.is_object()));
    assert!(crate::world::wait_for_end(&mut child).success());
}

#[test]
fn init_status_tree_rename_delete() {
    let world = World::new();
    world.write("src/a.rs", "a\n");
    world.write("logo.png", b"\x89PNG\r\n\x1a\n\0\0\xff\xfe");
    let said = world.ok(["init"]);
    assert!(said.contains("2 files") && said.contains(world.root().to_str().unwrap()), "{said}");
    assert!(world.ok(["init"]).contains("already"));
    assert_eq!(world.ok(["tree"]), "logo.png\nsrc/a.rs\n");
    let status = world.json(["status"]).pop().unwrap();
    assert_eq!(
        (status["n_files"].as_u64(), status["person"].as_str(), status["save"].as_str()),
        (Some(2), Some("Asha"), Some("saved"))
    );
    assert_eq!(status["root"].as_str(), world.root().to_str());
    assert!(world.ok(["status"]).contains("Asha"));

    world.ok(["rename", "src/a.rs", "lib/b.rs"]);
    assert!(!world.root().join("src/a.rs").exists());
    assert_eq!(world.read("lib/b.rs"), b"a\n");
    assert_eq!(world.ok(["show", "lib/b.rs"]), "a\n");
    world.ok(["delete", "lib/b.rs"]);
    assert!(!world.root().join("lib/b.rs").exists());
    assert_eq!(world.ok(["tree"]), "logo.png\n");
    world.ok(["undo"]);
    assert_eq!(world.read("lib/b.rs"), b"a\n");
    assert_eq!(world.run(["show", "logo.png"]).bytes, b"\x89PNG\r\n\x1a\n\0\0\xff\xfe");
    world.ok(["delete", "lib"]);
    assert_eq!(world.ok(["tree"]), "logo.png\n");
}

#[test]
fn paths_count_from_where_one_stands() {
    let world = World::with_workspace();
    world.write("src/deep/a.txt", "deep\n");
    world.ok(["status"]);
    let deep = world.root().join("src/deep");
    let c = deep.to_str().unwrap();
    for path in ["a.txt", "./a.txt", "../deep/a.txt", "../../src/deep/a.txt", &format!("{c}/a.txt")] {
        assert_eq!(world.ok(["-C", c, "show", path]), "deep\n", "{path}");
    }
    assert!(world.refused(["-C", c, "show", "../../../x"]).contains("not in the workspace"));
    assert!(world.refused(["-C", "/", "status"]).contains("codesync init"));
    world.run_with(["-C", c, "edit", "b.txt"], b"[0,0,\"b\"]\n").expect_ok();
    assert_eq!(world.read("src/deep/b.txt"), b"b");
    // A folder reached through a link is the same folder.
    #[cfg(unix)]
    {
        let link = world.beside("link");
        std::os::unix::fs::symlink(world.root(), &link).unwrap();
        assert_eq!(world.ok(["show", link.join("src/deep/a.txt").to_str().unwrap()]), "deep\n");
        assert_eq!(world.ok(["-C", link.to_str().unwrap(), "show", "src/deep/a.txt"]), "deep\n");
    }
}

#[test]
fn search_looks_into_the_files_as_they_are() {
    let world = World::with_workspace();
    world.write("src/a.rs", "fn one() {}\n\tfn two() {}\n");
    world.write("notes.txt", "Function\n");
    assert_eq!(world.ok(["search", "fn"]), "src/a.rs:1:1: fn one() {}\nsrc/a.rs:2:2: fn two() {}\n");
    assert_eq!(world.ok(["search", "function", "--include", "*.txt"]), "notes.txt:1:1: Function\n");
    let none = world.ok(["search", "function", "--case", "--exclude", "src"]);
    assert!(none.starts_with("“function” is in none of "), "{none}");
    let found = world.json(["search", r"\bt\w+", "--regex", "--word"]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0]["path"].as_str(), found[0]["line"].as_u64()), (Some("src/a.rs"), Some(2)));
    assert!(world.refused(["search", "(", "--regex"]).contains("unclosed group"));
}

#[test]
fn diff_blame_find_moments_and_lines() {
    let world = World::with_workspace();
    world.edit("a.txt", &[(0, 0, "one\ntwo\nthree\n")]);
    world.ok(["moment", "three lines", "--note", "all of them"]);
    world.edit("a.txt", &[(0, 3, "ONE"), (8, 5, "DREI")]);
    world.write("a.txt", "ONE\ntwo\nDREI\nfour\n");

    let diff = world.ok(["diff", "a.txt", "--from", "name:three lines"]);
    for line in ["-one", "+ONE", " two", "-three", "+DREI", "+four"] {
        assert!(diff.lines().any(|found| found == line), "{line} in\n{diff}");
    }
    let changes = world.json(["diff", "--from", "@0", "--to", "name:three lines"]);
    assert_eq!(
        (changes[0]["path"].as_str(), changes[0]["kind"].as_str(), changes[0]["lines_added"].as_u64()),
        (Some("a.txt"), Some("added"), Some(3))
    );

    let blame = world.json(["blame", "a.txt"]);
    let joined: String = blame.iter().map(|span| span["text"].as_str().unwrap()).collect();
    assert_eq!(joined, "ONE\ntwo\nDREI\nfour\n");
    let who = |text: &str| {
        blame.iter().find(|span| span["text"].as_str().unwrap().contains(text)).unwrap()["user_id"].clone()
    };
    assert_eq!((who("ONE"), who("four")), ("Asha".into(), "Disk".into()));
    assert_eq!(world.ok(["blame", "a.txt"]).lines().count(), 4);
    assert_eq!(world.json(["blame", "a.txt", "--at", "@1"]).len(), 1);

    let hits = world.json(["find", "three"]);
    let kinds: Vec<_> = hits.iter().map(|hit| (hit["kind"].as_str().unwrap(), hit["step"].as_u64().unwrap())).collect();
    assert_eq!(kinds, [("appeared", 1), ("vanished", 3)]);
    assert!(world.ok(["find", "nowhere to be found"]).contains("never"));

    let moments = world.json(["moments"]);
    assert_eq!(
        (moments[0]["name"].as_str(), moments[0]["note"].as_str(), moments[0]["automatic"].as_bool()),
        (Some("three lines"), Some("all of them"), Some(false))
    );
    assert!(world.ok(["moments"]).contains("★"));

    world.ok(["restore", "a.txt", "--at", "name:three lines", "--lines", "1-1"]);
    assert_eq!(world.ok(["show", "a.txt"]), "one\ntwo\nDREI\nfour\n");
    world.ok(["undo"]);
    assert_eq!(world.ok(["show", "a.txt"]), "ONE\ntwo\nDREI\nfour\n");
}

#[test]
fn every_word_for_a_moment_finds_it() {
    let world = World::with_workspace();
    world.edit("a.txt", &[(0, 0, "old")]);
    let record = world.json(["log", "a.txt", "--steps"]).into_iter().find(|record| record["kind"] == "edit").unwrap();
    let (id, time) = (record["id"].as_str().unwrap().to_owned(), record["timestamp"].as_str().unwrap().to_owned());
    world.ok(["moment", "first", "--at", &id]);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    world.edit("a.txt", &[(0, 3, "new")]);
    for moment in [id.as_str(), &id[..12], &time, "name:first", "@1", "-1s"] {
        assert_eq!(world.ok(["show", "a.txt", "--at", moment]), "old", "{moment}");
    }
    for moment in ["now", "@2", "2999-01-01", "-0s"] {
        assert_eq!(world.ok(["show", "a.txt", "--at", moment]), "new", "{moment}");
    }
    let since = world.json(["log", "a.txt", "--steps", "--since", "@1"]);
    assert!(since.len() == 1 && since[0]["inserted"] == "new", "{since:?}");
    let until = world.json(["log", "a.txt", "--steps", "--until", &id]);
    assert!(until.iter().all(|record| record["inserted"] != "new"), "{until:?}");
    assert!(world.json(["log", "--author", "Nobody"]).is_empty());
    assert!(!world.json(["log", "--author", "asha"]).is_empty());
}

#[test]
fn folders_deleted_and_renamed_files_come_back() {
    let world = World::with_workspace();
    world.write("src/a.rs", "a\n");
    world.write("src/sub/b.rs", "b\n");
    world.write("other.txt", "o\n");
    world.ok(["moment", "all there"]);
    let before = world.files();
    world.ok(["delete", "src"]);
    world.edit("other.txt", &[(0, 0, "changed ")]);
    assert!(!world.root().join("src").exists());
    world.ok(["restore", "src", "--at", "name:all there"]);
    assert_eq!(world.read("src/sub/b.rs"), b"b\n");
    assert_eq!(world.read("other.txt"), b"changed o\n", "only the folder");
    world.ok(["rename", "src/a.rs", "moved.rs"]);
    world.edit("moved.rs", &[(0, 1, "A")]);
    world.ok(["restore", "--all", "--at", "name:all there"]);
    assert_eq!(world.files(), before);
    // The file kept its identity: its whole history is under its old path again.
    let texts: Vec<String> = world
        .json(["log", "src/a.rs", "--steps"])
        .iter()
        .filter_map(|record| Some(record["inserted"].as_str()?.to_owned()))
        .collect();
    assert!(texts.contains(&"A".to_owned()), "{texts:?}");
    world.ok(["undo"]);
    assert_eq!(world.read("moved.rs"), b"A\n");
    assert!(!world.root().join("src/a.rs").exists());
}

#[test]
fn a_closed_output_is_no_failure() {
    let world = World::with_workspace();
    world.edit("a.txt", &(0..2_000).map(|n| (n, 0, "x")).collect::<Vec<_>>());
    let mut child = world
        .command()
        .args(["log", "--steps", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert!(line.starts_with("{\"id\":\""), "{line}");
}

#[test]
fn version_completions_and_colours() {
    let world = World::with_workspace();
    assert_eq!(world.ok(["--version"]), format!("codesync {}\n", env!("CARGO_PKG_VERSION")));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(world.ok(["completions", shell]).contains("restore"), "{shell}");
    }
    world.edit("a.txt", &[(0, 0, "x\n")]);
    for arguments in [vec!["log"], vec!["diff", "--from", "@0"], vec!["status", "--no-color"]] {
        assert!(!world.ok(&arguments).contains('\x1b'), "no colours in a pipe: {arguments:?}");
    }
}

#[test]
fn open_starts_the_window_beside_it_or_says_that_there_is_none() {
    let world = World::with_workspace();
    let beside = world.beside("bin");
    std::fs::create_dir(&beside).unwrap();
    let own = beside.join("codesync");
    std::fs::copy(env!("CARGO_BIN_EXE_codesync"), &own).unwrap();
    let run = |path: &str| {
        let mut command = world.in_this_world(&own);
        command.args(["open", "sub"]).env("PATH", path).output().unwrap()
    };
    std::fs::create_dir(world.root().join("sub")).unwrap();
    let none = run("/nowhere");
    assert_eq!(none.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&none.stderr).starts_with("The window is not installed"), "{none:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let window = beside.join("codesync-desktop");
        std::fs::write(&window, "#!/bin/sh\nprintf '%s' \"$1\" > \"$0.saw\"\n").unwrap();
        std::fs::set_permissions(&window, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(run("/usr/bin:/bin").status.success());
        let saw = beside.join("codesync-desktop.saw");
        crate::world::wait_for("the window", || {
            std::fs::read_to_string(&saw).ok().filter(|text| *text == world.root().to_str().unwrap())
        });
    }
}
