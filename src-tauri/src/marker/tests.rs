#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn a_run_that_ended_by_itself_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(read(folder.path()), LastRun::Ended);
    set(folder.path());
    set_drawn(folder.path());
    clear(folder.path());
    assert_eq!(read(folder.path()), LastRun::Ended);
}

#[test]
fn an_ending_run_leaves_the_mark_of_the_next() {
    let folder = tempfile::tempdir().unwrap();
    set(folder.path());
    fs::write(path(folder.path()), "1 drawn\n").unwrap();
    clear(folder.path());
    assert_eq!(read(folder.path()), LastRun::Crashed);
}

#[test]
fn a_further_window_leaves_the_mark_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(path(folder.path()), "1\n").unwrap();
    set_drawn(folder.path());
    clear(folder.path());
    assert_eq!(fs::read_to_string(path(folder.path())).unwrap(), "1\n");
}

#[test]
fn a_dead_run_tells_how_far_it_had_come() {
    let folder = tempfile::tempdir().unwrap();
    // Process 1 runs, and is not CodeSync.
    fs::write(path(folder.path()), "1\n").unwrap();
    assert_eq!(read(folder.path()), LastRun::NeverDrawn);
    fs::write(path(folder.path()), "1 drawn\n").unwrap();
    assert_eq!(read(folder.path()), LastRun::Crashed);
}
