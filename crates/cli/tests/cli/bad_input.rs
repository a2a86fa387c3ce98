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

#[cfg(unix)]
#[test]
fn folders_that_cannot_be_read_or_written() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let locked = world.root().join("locked");
    fs::create_dir(&locked).unwrap();
    mode(&locked, 0o555);
    if fs::write(locked.join("probe"), "").is_ok() {
        fs::remove_file(locked.join("probe")).unwrap();
        println!("SKIPPED in part: permissions do not bind this user (root)");
    } else {
        assert!(world.refused(["init", "locked"]).contains("permission"));
        mode(&locked, 0o000);
        assert!(world.refused(["init", "locked"]).contains("permission"));
    }
    mode(&locked, 0o755);
    world.write("file", "x");
    assert!(world.refused(["init", "file"]).contains("file"));
    assert!(world.refused(["init", "file/below"]).contains("file"));
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
