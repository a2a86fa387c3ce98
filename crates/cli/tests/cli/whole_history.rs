//! The whole history leaves and comes back: bundle, git repository.

use crate::world::World;
use serde_json::Value;
use std::path::Path;

fn some_history() -> World {
    let world = World::new();
    world.write("README.md", "hello\n");
    world.write("bin/run.sh", "#!/bin/sh\n");
    world.write("logo.bin", b"\0\x01\xff");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(world.root().join("bin/run.sh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    world.ok(["init"]);
    world.edit("src/ü 😀.rs", &[(0, 0, "fn a() {}\n"), (3, 1, "b"), (0, 0, "// 世界\n")]);
    world.ok(["moment", "Before the big change", "--note", "n"]);
    world.edit("README.md", &[(5, 0, " world")]);
    world.ok(["rename", "README.md", "docs/READ ME.md"]);
    world.ok(["delete", "logo.bin"]);
    world.ok(["restore", "src/ü 😀.rs", "--at", "@1"]);
    world.edit("big.txt", &[(0, 0, &"long line\n".repeat(30_000))]);
    world
}

/// The timeline without what a device notes when it begins its work.
fn timeline(world: &World, folder: &Path) -> Vec<Value> {
    let records = world.json(["-C", folder.to_str().unwrap(), "log", "--steps"]);
    records.into_iter().filter(|record| record["kind"] != "session").collect()
}

#[test]
fn a_bundle_shows_the_same_timeline_elsewhere() {
    let world = some_history();
    let bundle = world.beside("history.codesync");
    let said = world.json(["export", bundle.to_str().unwrap()]).pop().unwrap();
    assert_eq!(said["bytes"].as_u64(), Some(bundle.metadata().unwrap().len()));
    let other = world.beside("other");
    std::fs::create_dir(&other).unwrap();
    let o = other.to_str().unwrap();
    // A path counts from the folder given with -C.
    world.ok(["-C", o, "import", "../history.codesync"]);
    let (here, there) = (timeline(&world, &world.root()), timeline(&world, &other));
    assert!(here.len() >= 9, "{here:#?}");
    assert_eq!(here, there);
    assert_eq!(world.ok(["tree"]), world.ok(["-C", o, "tree"]));
    assert_eq!(world.json(["moments"]), world.json(["-C", o, "moments"]));
    for n in 0..=4 {
        let at = format!("@{n}");
        assert_eq!(
            world.ok(["show", "src/ü 😀.rs", "--at", &at]),
            world.ok(["-C", o, "show", "src/ü 😀.rs", "--at", &at])
        );
    }
    let mut files = world.files_in(&other);
    files.retain(|path, _| !path.starts_with(".codesync/"));
    assert_eq!(files, world.files());
    world.ok(["-C", o, "verify"]);
    // Once more adds nothing.
    let again = world.json(["-C", o, "import", bundle.to_str().unwrap()]).pop().unwrap();
    assert_eq!(again["n_deltas"].as_u64(), Some(0));
    assert_eq!(timeline(&world, &other), here);
}

#[test]
fn damaged_and_foreign_bundles_are_refused_and_change_nothing() {
    let world = some_history();
    let bundle = world.beside("b");
    world.ok(["export", bundle.to_str().unwrap()]);
    let good = std::fs::read(&bundle).unwrap();
    let fresh = |name: &str| {
        let folder = world.beside(name);
        std::fs::create_dir(&folder).unwrap();
        folder
    };
    let mut damaged: Vec<(String, Vec<u8>)> = vec![
        ("empty".into(), Vec::new()),
        ("text".into(), b"hello\n".to_vec()),
        ("cut".into(), good[..good.len() / 2].to_vec()),
    ];
    for part in [3, 5, 7] {
        let mut bytes = good.clone();
        let at = bytes.len() * part / 8;
        bytes[at] ^= 0x10;
        damaged.push((format!("flipped{part}"), bytes));
    }
    for (name, bytes) in damaged {
        let (file, folder) = (world.beside(&format!("{name}.b")), fresh(&name));
        std::fs::write(&file, bytes).unwrap();
        world.refused(["-C", folder.to_str().unwrap(), "import", file.to_str().unwrap()]);
        let tree = world.run(["-C", folder.to_str().unwrap(), "tree"]);
        assert_eq!(tree.stdout, "", "{name}: {tree:?}");
    }
    let stranger = fresh("stranger");
    std::fs::write(stranger.join("mine.txt"), "mine\n").unwrap();
    let s = stranger.to_str().unwrap();
    world.ok(["-C", s, "init"]);
    assert!(world.refused(["-C", s, "import", bundle.to_str().unwrap()]).contains("history of its own"));
    assert_eq!(std::fs::read(stranger.join("mine.txt")).unwrap(), b"mine\n");
    assert_eq!(world.ok(["-C", s, "tree"]), "mine.txt\n");
    let fresh = fresh("untouched");
    assert!(world.refused(["-C", fresh.to_str().unwrap(), "import", "/nowhere/x"]).contains("/nowhere/x"));
    assert!(std::fs::read_dir(&fresh).unwrap().next().is_none(), "no workspace was made for nothing");
}

#[test]
fn git_accepts_the_exported_repository() {
    let world = some_history();
    let repository = world.beside("as-git");
    let r = repository.to_str().unwrap();
    let said = world.json(["export", "--git", r]).pop().unwrap();
    assert!(said["n_commits"].as_u64().unwrap() >= 5, "{said}");
    world.git(&["-C", r, "fsck", "--strict"]);
    let log = world.git(&["-C", r, "log", "-p", "--format=%an %s"]);
    for text in ["Asha", "Disk", "world", "+// 世界"] {
        assert!(log.contains(text), "{text} in\n{}", &log[..log.len().min(4_000)]);
    }
    assert_eq!(world.git(&["-C", r, "rev-list", "--count", "HEAD"]).trim(), said["n_commits"].to_string());
    let tags = world.git(&["-C", r, "tag"]);
    assert!(tags.to_lowercase().contains("before"), "{tags}");
    // What git checks out is what is here.
    let out = world.beside("checked-out");
    world.git(&["clone", "-q", r, out.to_str().unwrap()]);
    let mut files = world.files_in(&out);
    files.retain(|path, _| !path.starts_with(".git/"));
    assert_eq!(files, world.files());
    assert!(world.refused(["export", "--git", r]).contains(r), "a folder that is not empty");
}
