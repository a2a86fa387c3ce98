//! Work that was done by a device after the right to it was taken away, and merged by some before they heard of that:
//! in the end it counts nowhere, everything is kept everywhere, and what others wrote on top of it stays.

use super::*;
use codesync_auth::Access;
use codesync_base::{DeviceId, Role, ShareFrom};

fn device(n: usize) -> DeviceId {
    DeviceKey::from_seed(&[n as u8 + 1; 32]).device()
}

impl Peers {
    /// Asha's workspace, and the others as editors.
    pub(super) fn with_rights(n: usize) -> Self {
        let mut peers = Self::new(1);
        for (other, name) in NAMES.iter().enumerate().take(n).skip(1) {
            let disk = MemoryDisk::new();
            let options = Options::new(verify_delta);
            let (log, _) = Log::open_with(Box::new(disk.clone()), Box::new(MemoryIndex::new()), options).unwrap();
            let profile = Profile {
                new_project: ProjectId([7; 16]),
                person: (*name).into(),
                device_name: "laptop".into(),
                root: "/work/demo".into(),
                incarnation: 0,
            };
            let engine = Engine::join(log, DeviceKey::from_seed(&[other as u8 + 1; 32]), profile).unwrap();
            peers.disks.push(disk);
            peers.engines.push(engine);
        }
        peers.engines.iter_mut().for_each(|engine| engine.uphold_rights(Some(device(0))).unwrap());
        for (other, name) in NAMES.iter().enumerate().take(n).skip(1) {
            let now = peers.wait(1).now();
            peers.engines[0].grant(device(other), name, Role::Editor, ShareFrom::Past, now).unwrap();
        }
        let now = peers.now();
        peers.engines[0].sync(now).unwrap();
        for other in 1..n {
            peers.pull(0, other);
            let now = peers.wait(1).now();
            peers.engines[other].begin_session(now);
            peers.engines[other].sync(now).unwrap();
        }
        peers.meet();
        peers
    }

    fn remove(&mut self, by: usize, n: usize) -> &mut Self {
        let now = self.wait(1).now();
        self.engines[by].remove_member(device(n), now).unwrap();
        self.engines[by].sync(now).unwrap();
        self
    }

    fn demote(&mut self, by: usize, n: usize) -> &mut Self {
        let now = self.wait(1).now();
        self.engines[by].change_role(device(n), Role::Viewer, now).unwrap();
        self.engines[by].sync(now).unwrap();
        self
    }

    fn let_in(&mut self, by: usize, n: usize, role: Role) -> &mut Self {
        let now = self.wait(1).now();
        self.engines[by].grant(device(n), NAMES[n], role, ShareFrom::Past, now).unwrap();
        self.engines[by].sync(now).unwrap();
        self
    }

    /// What the node does when somebody hears that they were removed, or let in again.
    fn begin_another_log(&mut self, n: usize, incarnation: u32) -> &mut Self {
        let now = self.wait(1).now();
        self.engines[n].begin_incarnation(incarnation, now).unwrap();
        self.engines[n].sync(now).unwrap();
        self
    }

    /// The first so many deltas that the other lacks.
    fn pull_some(&mut self, from: usize, to: usize, n_max: usize) {
        let mut deltas = self.missing(from, to);
        deltas.truncate(n_max);
        let received = self.give(from, to, &deltas);
        if let Some((hash, why)) = received.refused.first() {
            let delta = deltas.iter().find(|signed| signed.hash == *hash);
            panic!("{from} to {to}: {why:?}: {delta:?}");
        }
        // A run that was cut comes again with its end.
        assert_eq!(received.failure, None);
    }

    fn check_same(&mut self, of: &[usize], what: &str) {
        let first = self.picture(of[0]);
        for n in &of[1..] {
            assert_same(&first, &self.picture(*n), &format!("{what}: {n} against {}", of[0]));
        }
        for n in of {
            self.reopen(*n);
            assert_same(&first, &self.picture(*n), &format!("{what}: {n} opened anew"));
        }
        let heads: Vec<_> = of.iter().map(|n| self.engines[*n].log().heads()).collect();
        assert!(heads.windows(2).all(|pair| pair[0] == pair[1]), "{what}: not all is kept everywhere");
    }
}

#[test]
fn what_was_merged_before_the_removal_was_known_is_taken_back() {
    let mut peers = Peers::with_rights(3);
    peers.edit(0, "a", &[(0, 0, "one\ntwo\n")]).meet();
    // Bo goes on while Asha removes him; Chidi hears of Bo first, and writes into Bo's line.
    peers.remove(0, 1);
    peers.edit(1, "a", &[(4, 0, "BO WAS HERE\n"), (0, 4, "")]).edit(1, "of-bo", &[(0, 0, "mine")]);
    peers.pull(1, 2);
    assert_eq!(peers.text(2, "a").unwrap(), "BO WAS HERE\ntwo\n");
    peers.edit(2, "a", &[(6, 0, " (and Chidi)")]);
    let Reply::View(_) = peers.ask(2, Request::OpenView { path: "a".into() }) else { panic!() };
    peers.engines[2].take_events();
    peers.pull(0, 2);
    assert_eq!(peers.text(2, "a").unwrap(), "one\n (and Chidi)two\n");
    assert_eq!(peers.text(2, "of-bo"), None);
    let events = peers.engines[2].take_events();
    assert!(events.iter().any(|event| matches!(event, Event::ViewPatch(_))), "{events:?}");
    let notices = events.iter().filter_map(|event| match event {
        Event::Notice(notice) => Some(notice.title.as_str()),
        _ => None,
    });
    let expected =
        format!("4 changes by Bo came too late: Bo was removed at {}.", peers.now().hour_minute_of(START_MS));
    assert_eq!(notices.collect::<Vec<_>>(), [expected]);
    // Asha never merged any of it.
    peers.pull(2, 0);
    assert_eq!(peers.text(0, "a").unwrap(), "one\n (and Chidi)two\n");
    peers.check_same(&[0, 2], "removed");
    let aside = peers.engines[0].set_aside();
    assert_eq!((aside.len(), aside[0].n_changes, aside[0].person.as_str()), (1, 4, "Bo"));
    let file = aside[0].files.iter().find(|(_, path)| path == "a").unwrap().0;
    let kept = peers.engines[0].text_set_aside(file, &device(1)).unwrap().unwrap();
    assert_eq!(kept, "BO WAS HERE\ntwo\n");
    // He keeps what he has.
    peers.pull(0, 1);
    assert_eq!(peers.text(1, "a").unwrap(), "BO WAS (and Chidi) HERE\ntwo\n");
    assert!(peers.text(1, "of-bo").is_some());
}

#[test]
fn who_became_a_viewer_is_told_what_was_not_accepted_and_finds_it() {
    let mut peers = Peers::with_rights(2);
    peers.edit(0, "a", &[(0, 0, "one\n")]).meet();
    peers.demote(0, 1);
    peers.edit(1, "a", &[(4, 0, "late\n")]);
    peers.engines[1].take_events();
    peers.pull(0, 1);
    assert_eq!(peers.text(1, "a").unwrap(), "one\n");
    let events = peers.engines[1].take_events();
    let notice = events.iter().find_map(|event| match event {
        Event::Notice(notice) if notice.id == "MSG-ROLE-5" => Some((notice.title.clone(), notice.became_viewer)),
        _ => None,
    });
    let at = peers.now().hour_minute_of(START_MS);
    let title = format!("1 of your changes wasn't accepted, because you became a viewer at {at}.");
    assert_eq!(notice.unwrap(), (title, true));
    let aside = peers.engines[1].set_aside();
    assert!(aside[0].is_own);
    let kept = peers.engines[1].text_set_aside(aside[0].files[0].0, &device(1)).unwrap().unwrap();
    assert_eq!(kept, "one\nlate\n");
    peers.pull(1, 0).check_same(&[0, 1], "viewer");
}

#[test]
fn who_worked_alone_and_is_let_in_again_takes_part_again() {
    let mut peers = Peers::with_rights(3);
    peers.edit(0, "a", &[(0, 0, "one\n")]).meet();
    peers.remove(0, 1).pull(0, 1).begin_another_log(1, 7);
    peers.edit(1, "a", &[(4, 0, "alone\n")]).edit(1, "of-bo", &[(0, 0, "mine")]);
    peers.let_in(0, 1, Role::Editor);
    peers.engines[1].take_events();
    peers.pull(0, 1);
    let notices = peers.engines[1].take_events().into_iter().filter_map(|event| match event {
        Event::Notice(notice) if notice.id == "MSG-ROLE-5" => Some(notice.title),
        _ => None,
    });
    let at = peers.now().hour_minute_of(START_MS);
    let title = format!("3 of your changes weren't accepted, because you were let in again only at {at}.");
    assert_eq!(notices.collect::<Vec<_>>(), [title]);
    peers.begin_another_log(1, 8).edit(1, "a", &[(4, 0, "together\n")]).meet();
    assert_eq!(peers.text(0, "a").unwrap(), "one\ntogether\n");
    let file = peers.engines[1].set_aside()[0].files.iter().find(|(_, path)| path == "a").unwrap().0;
    let kept = peers.engines[1].text_set_aside(file, &device(1)).unwrap().unwrap();
    assert_eq!(kept, "one\nalone\n");
    peers.check_same(&[0, 1, 2], "let in again");
}

#[test]
fn who_was_removed_by_somebody_who_might_not_loses_nothing() {
    let mut peers = Peers::with_rights(4);
    peers.let_in(0, 2, Role::Owner).edit(0, "a", &[(0, 0, "one\n")]).meet();
    // Asha takes that from Chidi, who removes Bo before hearing of it.
    let now = peers.wait(1).now();
    peers.engines[0].change_role(device(2), Role::Editor, now).unwrap();
    peers.remove(2, 1).pull(2, 1).begin_another_log(1, 7);
    peers.edit(1, "a", &[(4, 0, "alone\n")]);
    peers.pull(1, 3).pull(2, 0).pull(0, 1).begin_another_log(1, 8).edit(1, "a", &[(4, 0, "together\n")]);
    peers.meet();
    assert_eq!(peers.text(0, "a").unwrap(), "one\ntogether\nalone\n");
    assert!(peers.engines[0].set_aside().iter().all(|entry| entry.n_changes == 0));
    peers.check_same(&[0, 1, 2, 3], "never gone");
}

/// Small and its own, so that a seed tells the same story for ever.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

const PATHS: [&str; 4] = ["a", "b", "src/c", "d"];

fn step(peers: &mut Peers, dice: &mut Dice) {
    let n = dice.below(4);
    let path = PATHS[dice.below(4)];
    peers.wait(dice.below(50) as u64);
    match dice.below(10) {
        0..=5 => {
            let length = peers.text(n, path).map_or(0, |text| text.len());
            let at = dice.below(length + 1);
            let deleted = dice.below(6).min(length - at);
            let text = ["x", "yz\n", "", "longer "][dice.below(4)];
            let edits = vec![Splice(at as u32, deleted as u32, text.into())];
            drop(peers.try_ask(n, Request::EditFile { path: path.into(), edits }));
        }
        6 => drop(peers.try_ask(n, Request::Delete { path: path.into() })),
        7 => {
            let to = PATHS[dice.below(4)].into();
            drop(peers.try_ask(n, Request::Rename { from: path.into(), to }));
        }
        8 => drop(peers.try_ask(n, Request::UndoLast)),
        _ => drop(peers.try_ask(n, Request::OpenView { path: path.into() })),
    }
}

/// What becomes of Bo.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Demoted,
    Removed,
    LetInAgain,
    /// By somebody who was no owner any more.
    RemovedInVain,
}

fn story(seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9) + 1);
    let mut peers = Peers::with_rights(4);
    let removed_at = 10 + dice.below(25);
    let fate = [Fate::Demoted, Fate::Removed, Fate::LetInAgain, Fate::RemovedInVain][dice.below(4)];
    let (hears, begins_anew) = (dice.below(3) == 0, dice.below(2) == 0);
    if fate == Fate::RemovedInVain {
        peers.let_in(0, 2, Role::Owner).meet();
    }
    let mut was_out = false;
    for turn in 0..60 {
        match fate {
            Fate::Demoted if turn == removed_at => drop(peers.demote(0, 1)),
            Fate::Removed | Fate::LetInAgain if turn == removed_at => drop(peers.remove(0, 1)),
            Fate::LetInAgain if turn == removed_at + 15 => drop(peers.let_in(0, 1, Role::Editor)),
            Fate::RemovedInVain if turn == removed_at => {
                let now = peers.wait(1).now();
                peers.engines[0].change_role(device(2), Role::Editor, now).unwrap();
                peers.remove(2, 1);
            }
            _ => {}
        }
        step(&mut peers, &mut dice);
        let (from, to) = (dice.below(4), dice.below(4));
        // Whoever is removed is cut off by those who know of it, and hears of it late.
        if from != to && (to != 1 || hears || turn < removed_at) {
            let n_max = 1 + dice.below(20);
            peers.pull_some(from, to, n_max);
        }
        if begins_anew && peers.engines[1].is_removed() != was_out {
            was_out = !was_out;
            peers.begin_another_log(1, 100 + turn as u32);
        }
    }
    // In an order of its own for each seed, until nobody has anything new.
    let is_gone = fate == Fate::Removed;
    for _ in 0..4 {
        for _ in 0..12 {
            let (from, to) = (dice.below(4), dice.below(4));
            if from != to && (to != 1 || !is_gone) {
                peers.pull_some(from, to, usize::MAX);
            }
        }
        for (from, to) in [(1, 0), (1, 2), (1, 3), (2, 0), (3, 0), (0, 2), (0, 3)] {
            peers.pull_some(from, to, usize::MAX);
        }
        if !is_gone {
            peers.pull_some(0, 1, usize::MAX);
        }
    }
    let of: &[usize] = if is_gone { &[0, 2, 3] } else { &[0, 1, 2, 3] };
    peers.check_same(of, &format!("seed {seed}"));
    let aside = |peers: &Peers, n: usize| peers.engines[n].set_aside().iter().map(|entry| entry.n_changes).sum::<u64>();
    assert!(of.iter().all(|n| aside(&peers, *n) == aside(&peers, 0)), "seed {seed}: not the same is set aside");
    let access = peers.engines[0].access().map(Access::head);
    assert!(of.iter().all(|n| peers.engines[*n].access().map(Access::head) == access), "seed {seed}");
}

#[test]
fn whenever_a_removal_arrives_all_end_with_the_same() {
    let n_seeds = std::env::var("CODESYNC_ASIDE_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(25);
    let first = std::env::var("CODESYNC_ASIDE_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    (first..first + n_seeds).for_each(story);
}
