//! Restores and takings back after anything: what a moment showed is what comes back, path by path.

use super::*;
use codesync_api::RestoreTarget;
use std::collections::BTreeMap;

const NAMES: [&str; 6] = ["a", "b", "f/a", "f/c", "f", "A"];

type Shown = BTreeMap<String, String>;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

fn shown(bench: &mut Bench) -> Shown {
    let paths = bench.paths();
    paths
        .into_iter()
        .map(|path| {
            let text = bench.text(&path).unwrap();
            (path, text)
        })
        .collect()
}

fn change(bench: &mut Bench, dice: &mut Dice) -> String {
    let (name, to) = (NAMES[dice.roll(NAMES.len())], NAMES[dice.roll(NAMES.len())]);
    bench.wait(10_000);
    let request = match dice.roll(8) {
        0 | 1 => Request::Rename { from: name.into(), to: to.into() },
        2 => Request::Delete { path: name.into() },
        3 => Request::Duplicate { path: name.into(), to: to.into() },
        4 => {
            let text = format!("disk {}\n", dice.roll(1_000));
            let is_blocked = bench.paths().iter().any(|path| path.starts_with(&format!("{name}/")));
            if !is_blocked {
                bench.disk_has(&[(name, text.as_bytes())], false);
            }
            return format!("disk {name} {text}");
        }
        _ => {
            let length = bench.paths().contains(&name.to_owned()).then(|| bench.text(name)).flatten();
            let length = length.map_or(0, |text| text.len() as u32);
            let at = dice.roll(length as usize + 1) as u32;
            let deleted = (dice.roll(4) as u32).min(length - at);
            let edits = vec![Splice(at, deleted, format!("{}", dice.roll(1_000)))];
            Request::EditFile { path: name.into(), edits }
        }
    };
    let said = format!("{request:?}");
    let done = bench.try_ask(request).is_ok();
    format!("{} {said}", if done { "+" } else { "-" })
}

#[test]
fn a_workspace_comes_back_as_it_was_at_any_moment_and_a_restore_is_taken_back_whole() {
    let n_walks = std::env::var("CODESYNC_WALKS").ok().and_then(|n| n.parse().ok()).unwrap_or(40);
    for seed in 0..n_walks {
        let (mut bench, mut dice) = (Bench::new(), Dice(seed));
        let mut moments: Vec<(u64, Shown)> = Vec::new();
        let mut journal = vec![format!("seed {seed}")];
        for _ in 0..30 {
            journal.push(change(&mut bench, &mut dice));
            let now = shown(&mut bench);
            moments.push((bench.n_moments(Scope::Workspace), now));
            if dice.roll(6) > 0 {
                continue;
            }
            let (n, wanted) = moments[dice.roll(moments.len())].clone();
            let before = shown(&mut bench);
            bench.wait(10_000);
            let request = Request::Restore { target: RestoreTarget::Workspace, at: Moment::WorkspaceStep(n) };
            let Reply::Restored(restored) = bench.ask(request) else { panic!() };
            journal.push(format!("restore {n}"));
            assert_eq!(shown(&mut bench), wanted, "\n{}", journal.join("\n"));
            let Some(group_id) = restored.group_id else { continue };
            moments.push((bench.n_moments(Scope::Workspace), wanted));
            if dice.roll(2) == 0 {
                bench.wait(10_000).undo_group(&group_id);
                journal.push("take it back".into());
                assert_eq!(shown(&mut bench), before, "\n{}", journal.join("\n"));
                moments.push((bench.n_moments(Scope::Workspace), before));
            }
        }
        let now = shown(&mut bench);
        bench.reopen();
        assert_eq!(shown(&mut bench), now, "\n{}", journal.join("\n"));
    }
}

#[test]
fn undo_goes_back_to_the_beginning_and_redo_to_the_end_whatever_was_done() {
    for seed in 0..150 {
        let (mut bench, mut dice) = (Bench::new(), Dice(seed));
        let view_id = super::editing::open_view(&mut bench);
        let mut journal = vec![format!("seed {seed}")];
        let mut groups = Vec::new();
        for request_id in 1..=20 {
            bench.wait(dice.roll(3_000) as u64);
            let length = bench.text("a").unwrap().len() as u32;
            let at = dice.roll(length as usize + 1) as u32;
            let splice = Splice(at, (dice.roll(3) as u32).min(length - at), format!("<{request_id}>"));
            journal.push(format!("{splice:?}"));
            super::editing::type_text(&mut bench, view_id, request_id, splice);
            let n = bench.n_moments(Scope::File("a".into()));
            match dice.roll(8) {
                0 => {
                    let at = Moment::Step(dice.roll(n as usize + 1) as u64);
                    journal.push(format!("restore {at:?}"));
                    let target = RestoreTarget::File { path: "a".into() };
                    let Reply::Restored(restored) = bench.wait(9_000).ask(Request::Restore { target, at }) else {
                        panic!()
                    };
                    groups.extend(restored.group_id);
                }
                1 => {
                    journal.push("undo".into());
                    bench.ask(Request::Undo { view_id });
                }
                2 => {
                    journal.push("redo".into());
                    bench.ask(Request::Redo { view_id });
                }
                3 if !groups.is_empty() => {
                    let group_id = groups.swap_remove(dice.roll(groups.len()));
                    journal.push(format!("take back {group_id}"));
                    bench.ask(Request::UndoGroup { group_id });
                }
                _ => {}
            }
        }
        let last = bench.text("a").unwrap();
        let go = |bench: &mut Bench, request: Request| {
            let mut n = 0;
            while let Reply::Undone(undone) = bench.ask(request.clone())
                && undone.kind != UndoneKind::NothingToUndo
            {
                n += 1;
                assert!(n < 500, "it never ends");
            }
        };
        go(&mut bench, Request::Redo { view_id });
        let end = bench.text("a").unwrap();
        go(&mut bench, Request::Undo { view_id });
        assert_eq!(bench.text("a").unwrap(), "", "from {last}\n{}", journal.join("\n"));
        go(&mut bench, Request::Redo { view_id });
        assert_eq!(bench.text("a").unwrap(), end, "\n{}", journal.join("\n"));
    }
}

#[test]
fn what_a_crash_took_of_an_undo_does_not_stand_in_for_what_came_after_it() {
    for lost in ["the act and its undo", "the undo"] {
        let (mut bench, index) = (Bench::new(), MemoryIndex::new());
        bench.engine = open_with(&bench.disk, &index, bench.now_ms);
        bench.edit("a", &[(0, 0, "one")]).edit("b", &[(0, 0, "kept")]).wait(10_000);
        let mut disk = bench.disk.fork();
        // Not synced: the index may be on the disk before the journal.
        bench.engine.handle(edit("a", 3, " two"), bench.now()).unwrap();
        if lost == "the undo" {
            let now = bench.now();
            bench.engine.sync(now).unwrap();
            disk = bench.disk.fork();
        }
        bench.engine.handle(Request::UndoLast, bench.now()).unwrap();
        bench.wait(10_000);
        (bench.engine, bench.disk) = (open_with(&disk, &index, bench.now_ms), disk);
        if lost == "the act and its undo" {
            assert_eq!(bench.text("a").as_deref(), Some("one"));
            bench.ask(edit("a", 3, " three"));
        }
        assert_eq!(bench.undo_last(), UndoneKind::Applied, "{lost}");
        assert_eq!(bench.text("a").as_deref(), Some("one"), "{lost}");
        assert_eq!(bench.text("b").as_deref(), Some("kept"), "{lost}");
    }
}

fn edit(path: &str, at: u32, text: &str) -> Request {
    Request::EditFile { path: path.into(), edits: vec![Splice(at, 0, text.into())] }
}
