//! Looks that fail. Those that find something are tested with a whole workspace, in `node/src/tests`.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::STORE_FOLDER;
use codesync_auth::DeviceKey;
use codesync_base::ProjectId;
use codesync_engine::Profile;
use codesync_log::Log;

fn opened(root: &std::path::Path) -> (Bridge, Engine) {
    let (log, _) = Log::open(root, codesync_log::Options::new(codesync_auth::verify_delta)).unwrap();
    let profile = Profile {
        new_project: ProjectId([1; 16]),
        person: "Asha".into(),
        device_name: "laptop".into(),
        root: root.display().to_string(),
        incarnation: 0,
    };
    let engine = Engine::open(log, DeviceKey::from_seed(&[1; 32]), profile, crate::runtime::now()).unwrap();
    (Bridge::open(root, &root.join(STORE_FOLDER)).unwrap(), engine)
}

/// While the folder is elsewhere for a moment, a look at it fails; that it was elsewhere may be noticed by nobody.
#[test]
fn a_look_that_fails_is_made_again() {
    let parent = tempfile::tempdir().unwrap();
    let (root, elsewhere) = (parent.path().canonicalize().unwrap().join("lab"), parent.path().join("elsewhere"));
    std::fs::create_dir(&root).unwrap();
    let (mut bridge, mut engine) = opened(&root);
    std::fs::write(root.join("a.txt"), "zero").unwrap();
    bridge.look(&mut engine, None, Size::Few, crate::runtime::now()).unwrap();
    bridge.finish_busy(&mut engine, crate::runtime::now()).unwrap();
    let path = RelPath::parse("a.txt").unwrap();
    // A large look and a small one.
    for (text, paths) in [("one", None), ("two", Some(BTreeSet::from([path.clone()])))] {
        std::fs::write(root.join("a.txt"), text).unwrap();
        std::fs::rename(&root, &elsewhere).unwrap();
        let failed = bridge
            .look_soon(&mut engine, paths.as_ref(), Size::Few, crate::runtime::now())
            .and_then(|()| bridge.finish_busy(&mut engine, crate::runtime::now()));
        assert!(failed.is_err());
        std::fs::rename(&elsewhere, &root).unwrap();
        assert!(!bridge.is_busy() && bridge.patience().is_some_and(|wait| wait > LOOK_LATER / 2), "it waits");
        bridge.paused_until = None;
        assert_eq!(bridge.patience(), Some(std::time::Duration::ZERO));
        bridge.turn(&mut engine, crate::runtime::now()).unwrap();
        bridge.finish_busy(&mut engine, crate::runtime::now()).unwrap();
        assert_eq!(bridge.patience(), None);
        let file = engine.tree().by_path(&path).unwrap().file;
        assert_eq!(engine.text_of(file).as_deref(), Some(text));
    }
}
