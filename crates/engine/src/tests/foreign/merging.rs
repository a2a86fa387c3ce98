//! Random work of several people with random partitions: in the end all have the same, whatever came when.

use super::*;

pub(super) struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for _ in 0..4 {
            random.next();
        }
        random
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, n: usize) -> usize {
        ((self.next() >> 33) as usize) % n.max(1)
    }
}

const PIECES: [&str; 6] = ["a", "hello ", "\n", "é", "😀", "fn f() {}\n"];

pub(super) fn random_edit(peers: &mut Peers, n: usize, path: &str, random: &mut Random) {
    let text = peers.text(n, path).unwrap_or_default();
    let places: Vec<u32> = text
        .char_indices()
        .map(|(byte, _)| text[..byte].encode_utf16().count() as u32)
        .chain([text.encode_utf16().count() as u32])
        .collect();
    let first = random.below(places.len());
    let last = (first + random.below(5)).min(places.len() - 1);
    let (at, end) = (places[first], places[last]);
    let inserted = if random.below(3) == 0 && end > at { "" } else { PIECES[random.below(PIECES.len())] };
    let deleted = if inserted.is_empty() || random.below(2) == 0 { end - at } else { 0 };
    if deleted > 0 || !inserted.is_empty() {
        peers.edit(n, path, &[(at, deleted, inserted)]);
    }
}

fn some_path(peers: &mut Peers, n: usize, random: &mut Random) -> Option<String> {
    let paths = peers.paths(n);
    (!paths.is_empty()).then(|| paths[random.below(paths.len())].clone())
}

fn act(peers: &mut Peers, n: usize, random: &mut Random, tally: &mut Tally) {
    let names = ["a", "b", "src/x", "src/y", "A", "src"];
    let new = names[random.below(names.len())].to_owned();
    let Some(path) = some_path(peers, n, random) else {
        let _ = peers.try_ask(n, Request::CreateFile { path: new, text: String::new() });
        return;
    };
    let (what, request) = match random.below(30) {
        0..=1 => ("create", Request::CreateFile { path: new, text: String::new() }),
        2..=3 => ("rename", Request::Rename { from: path, to: new }),
        4 => ("rename folder", Request::Rename { from: "src".into(), to: format!("lib{}", random.below(2)) }),
        5 => ("delete", Request::Delete { path }),
        6 => ("undo last", Request::UndoLast),
        7 => {
            let n_moments = peers.n_moments(n, Scope::File(path.clone()));
            let at = Moment::Step(random.below(n_moments as usize + 1) as u64);
            ("restore", Request::Restore { target: codesync_api::RestoreTarget::File { path }, at })
        }
        8 => {
            let n_moments = peers.n_moments(n, Scope::Workspace);
            let at = Moment::WorkspaceStep(random.below(n_moments as usize + 1) as u64);
            ("restore all", Request::Restore { target: codesync_api::RestoreTarget::Workspace, at })
        }
        9..=10 => {
            let Ok(Reply::View(view)) = peers.try_ask(n, Request::OpenView { path }) else { return };
            let request = match random.below(3) {
                0 => Request::Redo { view_id: view.view_id },
                _ => Request::Undo { view_id: view.view_id },
            };
            let _ = peers.try_ask(n, request);
            ("close", Request::CloseView { view_id: view.view_id })
        }
        _ => return random_edit(peers, n, &path, random),
    };
    let done = peers.try_ask(n, request);
    *tally.entry(what).or_default() += u64::from(done.is_ok());
}

fn scenario(seed: u64, tally: &mut Tally) {
    let mut random = Random::new(seed);
    let n = 2 + random.below(3);
    let mut peers = Peers::new(n);
    peers.edit(0, "a", &[(0, 0, "one\ntwo\nthree\n")]).edit(0, "src/x", &[(0, 0, "x\n")]).meet();
    for _ in 0..20 + random.below(60) {
        let me = random.below(n);
        match random.below(8) {
            0 => {
                let other = random.below(n);
                if other != me {
                    peers.pull(other, me);
                }
            }
            1 => {
                // Only a first part arrives.
                let other = random.below(n);
                let mut deltas = peers.missing(other, me);
                deltas.truncate(random.below(deltas.len() + 1));
                let received = peers.give(other, me, &deltas);
                assert_eq!((received.refused, received.failure), (vec![], None), "seed {seed}");
            }
            2 => drop(peers.wait(random.below(5_000) as u64)),
            3 if random.below(4) == 0 => drop(peers.reopen(me)),
            _ => act(&mut peers, me, &mut random, tally),
        }
    }
    for _ in 0..3 {
        peers.meet();
    }
    for from in 0..n {
        assert!((0..n).all(|to| peers.missing(from, to).is_empty()), "seed {seed}: still news");
    }
    peers.check_equal(&format!("seed {seed}"));
}

#[test]
fn all_end_with_the_same_whatever_came_when() {
    let n = std::env::var("CODESYNC_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let first = std::env::var("CODESYNC_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut tally = Tally::new();
    for seed in first..first + n {
        scenario(seed, &mut tally);
    }
    println!("{tally:?}");
}

#[test]
fn undo_among_others_keys_takes_back_all_of_ones_own_and_nothing_else() {
    for seed in 1..=20 {
        let mut random = Random::new(seed);
        let mut peers = Peers::new(2);
        peers.ask(0, Request::CreateFile { path: "a".into(), text: String::new() });
        peers.meet();
        let Reply::View(view) = peers.ask(0, Request::OpenView { path: "a".into() }) else { panic!() };
        let view_id = view.view_id;
        let mut n_theirs = 0;
        for _ in 0..80 {
            let n = random.below(2);
            let length = peers.text(n, "a").unwrap().len();
            let at = random.below(length + 1) as u32;
            match random.below(8) {
                0 => drop(peers.pull(1 - n, n)),
                1 => drop(peers.wait(random.below(3_000) as u64)),
                2 if n == 0 => drop(peers.ask(0, Request::Undo { view_id })),
                3 if n == 0 => drop(peers.ask(0, Request::Redo { view_id })),
                _ => {
                    peers.edit(n, "a", &[(at, 0, ["a", "b"][n])]);
                    n_theirs += n;
                }
            }
            if random.below(6) == 0 {
                peers.meet();
                assert_eq!(peers.text(0, "a").unwrap().matches('b').count(), n_theirs, "seed {seed}");
            }
        }
        peers.meet();
        for _ in 0..200 {
            peers.ask(0, Request::Undo { view_id });
        }
        assert_eq!(peers.text(0, "a").unwrap(), "b".repeat(n_theirs), "seed {seed}");
        peers.meet().check_equal(&format!("undo, seed {seed}"));
    }
}
