#![allow(clippy::unwrap_used)]

use super::*;
use std::fs::{File, FileTimes};
use std::time::Duration;

#[test]
fn the_newest_change_below_a_folder_is_found_and_results_do_not_count() {
    let ui = tempfile::tempdir().unwrap();
    let later = SystemTime::now() + Duration::from_secs(1_000);
    for name in ["src/deep", "dist", "node_modules"] {
        fs::create_dir_all(ui.path().join(name)).unwrap();
    }
    for (name, at) in [("src/deep/a.ts", later), ("dist/b.js", later + Duration::from_secs(9))] {
        let file = File::create(ui.path().join(name)).unwrap();
        file.set_times(FileTimes::new().set_modified(at)).unwrap();
    }
    assert_eq!(newest_source(ui.path()).unwrap(), later);
}
