//! The list of bad input: a clear sentence, a status, nothing lost.

use crate::world::World;
use std::fs;
use std::path::Path;

#[test]
fn what_cannot_be_typed_is_a_usage_fault() {
    let world = World::with_workspace();
    world.edit("a.txt", &[(0, 0, "kept")]);
    let usage: &[&[&str]] = &[
        &[],
        &["dance"],
        &["show"],
        &["show", "a.txt", "--at"],
        &["show", "a.txt", "--at", "yesterday"],
        &["show", "a.txt", "--at", "abc"],
        &["show", "a.txt", "--at", "@-1"],
        &["show", "a.txt", "--at", "25:00"],
        &["show", "a.txt", "--nonsense"],
        &["restore", "--at", "@1"],
        &["restore", "a.txt", "--all", "--at", "@1"],
        &["restore", "a.txt"],
        &["restore", "a.txt", "--at", "@1", "--lines", "0-2"],
        &["restore", "a.txt", "--at", "@1", "--lines", "x"],
        &["diff", "a.txt"],
        &["export"],
        &["export", "x", "--git", "y"],
        &["completions", "tcl"],
        &["show", ""],
    ];
    for arguments in usage {
        let run = world.run(*arguments);
        assert_eq!(run.status, Some(2), "{arguments:?}: {run:?}");
        run.sentence();
    }
    assert_eq!(world.ok(["show", "a.txt"]), "kept");
}

#[test]
fn what_is_not_there_is_refused() {
    let world = World::with_workspace();
    world.edit("a.txt", &[(0, 0, "kept")]);
    world.write("folder/b.txt", "b");
    let refused: &[&[&str]] = &[
        &["show", "missing.txt"],
        &["show", "a.txt", "--at", "@2"],
        &["show", "a.txt", "--at", "name:never named"],
        &["show", "a.txt", "--at", "0123456789abcdef"],
        &["show", "folder"],
        &["show", "."],
        &["blame", "missing.txt"],
        &["log", "missing.txt"],
        &["diff", "--from", "name:nope"],
        &["restore", "missing.txt", "--at", "@1"],
        &["restore", "a.txt", "--at", "@99"],
        &["restore", "--all", "--at", "name:nope"],
        &["rename", "missing.txt", "x.txt"],
        &["rename", "a.txt", "folder/b.txt"],
        &["rename", "a.txt", ".git/config"],
        &["rename", "a.txt", "../a.txt"],
        &["rename", "a.txt", "aux.txt"],
        &["rename", "folder", "folder/inside"],
        &["delete", "missing.txt"],
        &["delete", "."],
        &["moment", ""],
        &["moment", "  "],
        &["moment", "x", "--at", "name:nope"],
        &["import", "missing.bundle"],
        &["export", "/nowhere/at/all/file"],
        &["export", "."],
        &["open", "missing"],
        &["open", "a.txt"],
        &["init", "a.txt"],
        &["-C", "missing", "status"],
        &["-C", "a.txt", "status"],
    ];
    for arguments in refused {
        let run = world.run(*arguments);
        assert_eq!(run.status, Some(1), "{arguments:?}: {run:?}");
        let sentence = run.sentence();
        assert!(sentence.ends_with('.') && !sentence.contains('\n'), "{arguments:?}: {sentence}");
    }
    let long = "n".repeat(1_025);
    world.refused(["moment", &long]);
    assert_eq!(world.ok(["show", "a.txt"]), "kept");
    assert_eq!(world.read("folder/b.txt"), b"b");
    world.ok(["verify"]);
}

#[test]
fn names_that_cannot_be_everywhere_are_refused_for_new_files() {
    let world = World::with_workspace();
    for path in [
        "CON",
        "a:b",
        "x/.git/hooks",
        ".codesync/x",
        "tail ",
        "tail.",
        "a\u{202e}b",
        "a\nb",
        &"n".repeat(256),
        &"d/".repeat(70),
    ] {
        let run = world.run_with(["edit", path], b"[0,0,\"x\"]\n");
        assert_eq!(run.status, Some(1), "{path:?}: {run:?}");
        run.sentence();
    }
    let longest = "n".repeat(255);
    world.edit(&longest, &[(0, 0, "x")]);
    assert_eq!(world.read(&longest), b"x");
    assert_eq!(world.ok(["tree"]), format!("{longest}\n"));
}

#[test]
fn a_folder_that_is_no_workspace() {
    let world = World::new();
    for arguments in
        [vec!["status"], vec!["log"], vec!["edit", "x"], vec!["watch"], vec!["undo"], vec!["verify"], vec!["moments"]]
    {
        let sentence = world.refused(&arguments);
        assert!(sentence.contains("codesync init"), "{sentence}");
    }
    assert!(!world.root().join(".codesync").exists());
    let run = world.run(["init", "new/deeper"]);
    assert_eq!(run.status, Some(0), "{run:?}");
    assert!(world.root().join("new/deeper/.codesync").is_dir());
    assert!(world.refused(["undo", "-C", "new/deeper"]).contains("othing"));
}

#[test]
fn a_file_instead_of_a_folder() {
    let world = World::new();
    world.write("file", "x");
    for arguments in [["init", "file"], ["init", "file/below"], ["open", "file"]] {
        assert!(world.refused(arguments).contains("file"), "{arguments:?}");
    }
    assert_eq!(world.read("file"), b"x");
}

/// Permissions do not bind root, so the program runs as nobody then.
#[cfg(target_os = "linux")]
#[test]
fn folders_and_files_that_cannot_be_read_or_written() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let world = World::new();
    let root = world.root();
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    for name in ["locked", "readonly", "mixed"] {
        world.write(&format!("{name}/a.txt"), "a\n");
    }
    world.write("mixed/secret.txt", "secret\n");
    let program = world.beside("codesync");
    fs::copy(env!("CARGO_BIN_EXE_codesync"), &program).unwrap();
    let owner = fs::metadata(&root).unwrap();
    let is_root = std::os::unix::fs::MetadataExt::uid(&owner) == 0;
    if is_root {
        let home = root.parent().unwrap().to_path_buf();
        let all = world.files_in(&home);
        let paths =
            all.keys().map(|path| home.join(path)).chain(["locked", "readonly", "mixed"].map(|name| root.join(name)));
        let nobody = Some(65_534);
        paths
            .chain([home.clone(), root.clone(), home.join("run")])
            .for_each(|path| chown(path, nobody, nobody).unwrap());
    }
    mode(&root.join("locked"), 0o000);
    mode(&root.join("readonly"), 0o555);
    mode(&root.join("mixed/secret.txt"), 0o000);
    let run = |arguments: &[&str]| {
        let mut command = match is_root {
            true => {
                let mut command = world.in_this_world("setpriv");
                command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
                command
            }
            false => world.in_this_world(&program),
        };
        command.args(arguments);
        crate::world::finish(command, b"")
    };
    for (arguments, word) in
        [(["init", "locked"], "locked"), (["init", "readonly"], "readonly"), (["init", "readonly/new"], "readonly")]
    {
        let refused = run(&arguments);
        assert_eq!(refused.status, Some(1), "{arguments:?}: {refused:?}");
        let sentence = refused.sentence();
        assert!(sentence.contains(word) && !sentence.contains('\n'), "{arguments:?}: {sentence}");
    }
    assert!(!root.join("readonly/.codesync").exists());
    // One file that cannot be read does not keep the others out, and is said.
    run(&["-C", "mixed", "init"]).expect_ok();
    assert_eq!(run(&["-C", "mixed", "tree"]).stdout, "a.txt\n");
    let status = run(&["-C", "mixed", "status"]).stdout;
    assert!(status.contains("secret.txt"), "{status}");
    for name in ["locked", "readonly"] {
        mode(&root.join(name), 0o755);
    }
}

#[test]
fn a_store_of_a_newer_version_stays_untouched() {
    let world = World::with_workspace();
    world.edit("a.txt", &[(0, 0, "kept")]);
    let version = world.root().join(".codesync/VERSION");
    let own = fs::read(&version).unwrap();
    fs::write(&version, "4711\n").unwrap();
    let before = world.files_in(&world.root());
    for arguments in [vec!["status"], vec!["show", "a.txt"], vec!["verify", "--repair"], vec!["init"]] {
        let sentence = world.refused(&arguments);
        assert!(sentence.contains("newer") || sentence.contains("4711"), "{sentence}");
    }
    assert!(world.run_with(["edit", "a.txt"], b"[0,0,\"x\"]\n").status == Some(1));
    let after = world.files_in(&world.root());
    let kept: Vec<_> = before
        .iter()
        .filter(|(path, file)| !path.ends_with("lock") && after.get(*path) != Some(file))
        .map(|(path, _)| path)
        .collect();
    assert!(kept.is_empty(), "{kept:?}");
    fs::write(&version, own).unwrap();
    assert_eq!(world.ok(["show", "a.txt"]), "kept");
}

#[test]
fn a_damaged_history_is_noticed_and_the_files_stay() {
    let world = World::with_workspace();
    let edits: Vec<_> = (0..400).map(|n| (n, 0, "x")).collect();
    for round in 0..5 {
        world.edit(&format!("f{round}.txt"), &edits);
    }
    let journal = world.root().join(".codesync/journal");
    let segment = fs::read_dir(&journal)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .max_by_key(|path| path.metadata().unwrap().len())
        .unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 0xff;
    fs::write(&segment, bytes).unwrap();
    // The other copy heals it; the damaged bytes are kept aside.
    world.ok(["verify", "--repair"]);
    assert!(!world.files_in(&world.root().join(".codesync/set-aside")).is_empty());
    for round in 0..5 {
        assert_eq!(world.read(&format!("f{round}.txt")), "x".repeat(400).as_bytes());
        assert_eq!(world.ok(["show", &format!("f{round}.txt")]), "x".repeat(400));
    }
    world.ok(["verify"]);
}

#[test]
fn a_file_that_cannot_be_read_is_left_out_and_said() {
    let world = World::new();
    world.write("a.txt", "a");
    #[cfg(unix)]
    {
        // A pipe is no file: reading it would wait for ever.
        assert!(std::process::Command::new("mkfifo").arg(world.root().join("pipe")).status().unwrap().success());
    }
    world.ok(["init"]);
    assert_eq!(world.ok(["tree"]), "a.txt\n");
}

#[cfg(unix)]
#[test]
fn links_in_out_and_in_a_loop() {
    use std::os::unix::fs::symlink;
    let world = World::new();
    world.write("real.txt", "real\n");
    let outside = world.beside("outside.txt");
    fs::write(&outside, "outside\n").unwrap();
    symlink("real.txt", world.root().join("in")).unwrap();
    symlink(&outside, world.root().join("out")).unwrap();
    symlink(".", world.root().join("loop")).unwrap();
    symlink("nowhere", world.root().join("dangling")).unwrap();
    world.ok(["init"]);
    assert_eq!(world.ok(["tree"]), "real.txt\n");
    // Through a link nothing outside is ever written.
    let run = world.run_with(["edit", "out"], b"[0,0,\"x\"]\n");
    assert_eq!(fs::read(&outside).unwrap(), b"outside\n", "{run:?}");
    assert!(fs::symlink_metadata(world.root().join("out")).unwrap().is_symlink(), "{run:?}");
    assert_eq!(world.ok(["show", "real.txt"]), "real\n");
}

#[test]
fn bytes_that_are_no_text_are_kept_as_they_are() {
    let world = World::new();
    let contents: &[(&str, &[u8])] = &[
        ("zeros.bin", b"a\0b\0\xff\n"),
        ("latin1.txt", b"caf\xe9\nna\xefve\n"),
        ("mixed.txt", b"one\r\ntwo\nthree\rfour\r\n"),
        ("crlf.txt", b"one\r\ntwo\r\n"),
        ("bom.txt", b"\xef\xbb\xbfbom\n"),
        ("utf16.txt", b"\xff\xfeh\0i\0\n\0"),
        ("broken.txt", b"ok \xc3( broken \xf0\x9f\n"),
        ("empty", b""),
        ("no-end", b"no line end"),
    ];
    for (path, bytes) in contents {
        world.write(path, bytes);
    }
    world.ok(["init"]);
    world.ok(["moment", "as they were"]);
    for (path, bytes) in contents {
        assert_eq!(&world.read(path), bytes, "{path}: taking it in changes nothing");
        let run = world.run(["show", path]);
        assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{path}");
    }
    assert_eq!(world.run(["show", "zeros.bin"]).bytes, b"a\0b\0\xff\n");
    assert!(world.run_with(["edit", "zeros.bin"], b"[0,0,\"x\"]\n").status == Some(1));
    for (path, _) in &contents[1..4] {
        world.edit(path, &[(0, 0, "x")]);
    }
    assert_eq!(world.read("crlf.txt"), b"xone\r\ntwo\r\n", "line ends stay");
    assert_eq!(world.read("latin1.txt"), b"xcaf\xe9\nna\xefve\n", "the encoding stays");
    for (path, _) in contents {
        fs::remove_file(world.root().join(path)).unwrap();
    }
    world.ok(["status"]);
    world.ok(["restore", "--all", "--at", "name:as they were"]);
    for (path, bytes) in contents {
        assert_eq!(&world.read(path), bytes, "{path}: back byte for byte");
    }
}

#[test]
fn a_store_that_another_program_holds() {
    let world = World::with_workspace();
    let watch = world.watch();
    // Without its address it cannot be reached: others wait, then say so.
    let run_file = world.root().join(".codesync/run.json");
    let hidden = world.beside("run.json");
    fs::rename(&run_file, &hidden).unwrap();
    let sentence = world.refused(["status"]);
    assert!(sentence.contains("nother"), "{sentence}");
    fs::rename(&hidden, &run_file).unwrap();
    world.ok(["status"]);
    watch.stop();
}
