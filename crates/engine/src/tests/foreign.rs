//! Several engines that exchange their deltas: in any order, while people type.

use super::*;
use crate::links::tests::{NAMES, profile};
use crate::{Arrived, Held, Received, Refusal};
use codesync_api::{Event, Scope, ViewEdit};
use codesync_base::{BlobSource, DeltaHash, SignedDelta};
use std::collections::BTreeMap;

mod aside;
mod beside;
mod forks;
mod hostile;
mod lies;
mod merging;
mod runs;
mod twice;
mod undoing;

/// Several devices of one project.
struct Peers {
    engines: Vec<Engine>,
    disks: Vec<MemoryDisk>,
    now_ms: u64,
}

fn open_peer(disk: &MemoryDisk, n: usize, now_ms: u64) -> Engine {
    let options = Options::new(verify_delta);
    let (log, _) = Log::open_with(Box::new(disk.clone()), Box::new(MemoryIndex::new()), options).unwrap();
    let key = DeviceKey::from_seed(&[n as u8 + 1; 32]);
    Engine::open(log, key, profile(n), Now { ms: now_ms, local_offset_minutes: 0 }).unwrap()
}

impl Peers {
    fn new(n: usize) -> Self {
        let disks: Vec<MemoryDisk> = (0..n).map(|_| MemoryDisk::new()).collect();
        let engines = disks.iter().enumerate().map(|(n, disk)| open_peer(disk, n, START_MS)).collect();
        Self { engines, disks, now_ms: START_MS }
    }

    fn now(&self) -> Now {
        Now { ms: self.now_ms, local_offset_minutes: 0 }
    }

    fn wait(&mut self, ms: u64) -> &mut Self {
        self.now_ms += ms;
        self
    }

    fn try_ask(&mut self, n: usize, request: Request) -> Result<Reply, codesync_api::ApiError> {
        self.now_ms += 1;
        let now = self.now();
        let reply = self.engines[n].handle(request, now);
        self.engines[n].sync(now).unwrap();
        reply
    }

    fn ask(&mut self, n: usize, request: Request) -> Reply {
        self.try_ask(n, request).unwrap()
    }

    fn edit(&mut self, n: usize, path: &str, edits: &[(u32, u32, &str)]) -> &mut Self {
        let edits = edits.iter().map(|(at, del, ins)| Splice(*at, *del, (*ins).into())).collect();
        self.ask(n, Request::EditFile { path: path.into(), edits });
        self
    }

    /// What one has and another has not, in canonical order.
    fn missing(&mut self, from: usize, to: usize) -> Vec<SignedDelta> {
        let mut all = Vec::new();
        self.engines[from].log().for_each(&mut |signed| all.push(signed.clone())).unwrap();
        all.retain(|signed| !self.engines[to].log().contains(&signed.hash));
        all
    }

    fn give(&mut self, from: usize, to: usize, deltas: &[SignedDelta]) -> Received {
        for signed in deltas {
            for hash in signed.delta.blobs() {
                let bytes = self.engines[from].log().blob(&hash).unwrap();
                self.engines[to].log_mut().put_blob(&bytes).unwrap();
            }
        }
        let now = self.now();
        let received = self.engines[to].receive(deltas.iter().map(Arrived::of).collect(), now).unwrap();
        self.engines[to].sync(now).unwrap();
        received
    }

    /// All that one has goes to another.
    fn pull(&mut self, from: usize, to: usize) -> &mut Self {
        let deltas = self.missing(from, to);
        let received = self.give(from, to, &deltas);
        if let Some((hash, why)) = received.refused.first() {
            let delta = deltas.iter().find(|signed| signed.hash == *hash);
            panic!("{from} to {to}: {why:?}: {delta:?}");
        }
        assert_eq!((&received.refused, &received.held, &received.failure), (&vec![], &vec![], &None));
        assert_eq!(received.n_new, deltas.len() as u64);
        self
    }

    /// Everybody gets everything, twice: taking in may make deltas of its own.
    fn meet(&mut self) -> &mut Self {
        for _ in 0..2 {
            for from in 0..self.engines.len() {
                for to in (0..self.engines.len()).filter(|to| *to != from) {
                    self.pull(from, to);
                }
            }
        }
        self
    }

    fn text(&mut self, n: usize, path: &str) -> Option<String> {
        match self.try_ask(n, Request::FileAt { path: path.into(), at: Moment::Now }) {
            Ok(Reply::File(file)) => file.text,
            _ => None,
        }
    }

    fn paths(&mut self, n: usize) -> Vec<String> {
        match self.ask(n, Request::ListFiles { at: None }) {
            Reply::Files { paths } => paths,
            other => panic!("{other:?}"),
        }
    }

    fn n_moments(&mut self, n: usize, scope: Scope) -> u64 {
        match self.ask(n, Request::Timeline { scope }) {
            Reply::Timeline(info) => info.n_moments,
            other => panic!("{other:?}"),
        }
    }

    fn text_at(&mut self, n: usize, path: &str, scope: Scope, index: u64) -> (Option<String>, bool) {
        match self.ask(n, Request::TextAt { path: path.into(), scope, index, have: None }) {
            Reply::Text(past) => (past.text, past.exists),
            other => panic!("{other:?}"),
        }
    }

    /// All that a person could see of the present and the past: texts, moments, who did what, blame.
    fn picture(&mut self, n: usize) -> Vec<String> {
        let mut picture = Vec::new();
        for path in self.paths(n) {
            picture.push(format!("{path}: {:?}", self.text(n, &path)));
            let scope = Scope::File(path.clone());
            let n_moments = self.n_moments(n, scope.clone());
            for index in 0..=n_moments {
                picture.push(format!("{path} @{index}: {:?}", self.text_at(n, &path, scope.clone(), index)));
            }
            if let Ok(Reply::Blame { spans }) = self.try_ask(n, Request::Blame { path: path.clone(), at: None }) {
                let spans = spans.iter().map(|span| (span.position, span.length, &span.author.name, span.index));
                picture.push(format!("{path} by {:?}", spans.collect::<Vec<_>>()));
            }
        }
        let n_moments = self.n_moments(n, Scope::Workspace);
        for index in 0..=n_moments {
            let Reply::Moment(info) = self.ask(n, Request::MomentInfo { scope: Scope::Workspace, index }) else {
                panic!()
            };
            let author = info.author.map(|author| author.name);
            picture.push(format!(
                "@{index} {:?} {author:?} {:?} {:?} +{} -{} at {:?}",
                info.delta_id, info.path, info.label, info.added, info.removed, info.position
            ));
        }
        picture
    }

    fn reopen(&mut self, n: usize) -> &mut Self {
        self.disks[n] = self.disks[n].fork();
        self.engines[n] = open_peer(&self.disks[n], n, self.now_ms);
        self
    }

    fn check_equal(&mut self, what: &str) {
        let first = self.picture(0);
        for n in 1..self.engines.len() {
            assert_same(&first, &self.picture(n), &format!("{what}: {n} against 0"));
        }
        for n in 0..self.engines.len() {
            self.reopen(n);
            assert_same(&first, &self.picture(n), &format!("{what}: {n} opened anew"));
        }
    }
}

fn assert_same(a: &[String], b: &[String], what: &str) {
    for (a, b) in a.iter().zip(b) {
        assert_eq!(a, b, "{what}");
    }
    assert_eq!(a.len(), b.len(), "{what}");
}

#[test]
fn two_who_type_at_once_end_with_one_text_and_one_history() {
    let mut peers = Peers::new(2);
    peers.edit(0, "a.rs", &[(0, 0, "one\ntwo\nthree\n")]).meet();
    peers.edit(0, "a.rs", &[(4, 0, "ASHA ")]);
    peers.edit(1, "a.rs", &[(8, 0, "BO "), (0, 3, "ONE")]);
    peers.edit(0, "a.rs", &[(19, 0, "four\n")]);
    peers.meet();
    assert_eq!(peers.text(0, "a.rs").unwrap(), "ONE\nASHA two\nBO three\nfour\n");
    peers.check_equal("two");
}

#[test]
fn a_view_gets_others_keys_as_patches_and_what_it_sends_still_fits() {
    let mut peers = Peers::new(2);
    peers.edit(0, "a", &[(0, 0, "hello world")]).meet();
    let Reply::View(view) = peers.ask(0, Request::OpenView { path: "a".into() }) else { panic!() };
    peers.engines[0].take_events();
    peers.edit(1, "a", &[(0, 0, ">> ")]).pull(1, 0);
    let patches: Vec<_> = peers.engines[0]
        .take_events()
        .into_iter()
        .filter_map(|event| match event {
            Event::ViewPatch(patch) => Some(patch.splices),
            _ => None,
        })
        .collect();
    assert_eq!(patches, [vec![Splice(0, 0, ">> ".into())]]);
    // Typed before the patch was seen.
    let edit = ViewEdit { request_id: 1, base_revision: 0, stays_left: false, splices: vec![Splice(5, 0, ",".into())] };
    peers.ask(0, Request::EditView { view_id: view.view_id, edit });
    assert_eq!(peers.text(0, "a").unwrap(), ">> hello, world");
    peers.meet().check_equal("view");
}

#[test]
fn undo_takes_back_ones_own_work_only() {
    let mut peers = Peers::new(2);
    peers.edit(0, "a", &[(0, 0, "base")]).meet();
    let Reply::View(view) = peers.ask(0, Request::OpenView { path: "a".into() }) else { panic!() };
    let edit =
        ViewEdit { request_id: 1, base_revision: 0, stays_left: false, splices: vec![Splice(4, 0, " asha".into())] };
    peers.ask(0, Request::EditView { view_id: view.view_id, edit });
    peers.edit(1, "a", &[(0, 0, "bo "), (7, 0, "!")]);
    peers.pull(1, 0).edit(1, "a", &[(0, 3, "BO ")]).pull(1, 0);
    peers.ask(0, Request::Undo { view_id: view.view_id });
    assert_eq!(peers.text(0, "a").unwrap(), "BO base!");
    peers.ask(0, Request::Redo { view_id: view.view_id });
    assert!(peers.text(0, "a").unwrap().contains(" asha"));
    peers.meet().check_equal("undo");
}

#[test]
fn what_comes_twice_or_too_early_does_no_harm() {
    let mut peers = Peers::new(2);
    peers.edit(0, "a", &[(0, 0, "one")]).wait(5_000).edit(0, "a", &[(3, 0, " two")]).wait(5_000);
    let deltas = peers.missing(0, 1);
    let mut late_first = deltas.clone();
    late_first.reverse();
    let received = peers.give(0, 1, &late_first);
    assert!(received.n_new < deltas.len() as u64 && !received.held.is_empty());
    assert!(received.held.iter().all(|(_, held)| matches!(held, Held::Missing(_))), "{:?}", received.held);
    peers.give(0, 1, &deltas);
    let again = peers.give(0, 1, &deltas);
    assert_eq!((again.n_new, again.n_known), (0, deltas.len() as u64));
    peers.meet().check_equal("twice");
}

#[test]
fn a_clock_far_ahead_is_held_and_one_a_little_ahead_is_passed() {
    let mut peers = Peers::new(2);
    peers.wait(3_600_000);
    peers.edit(0, "a", &[(0, 0, "from the future")]);
    let deltas = peers.missing(0, 1);
    peers.now_ms = START_MS;
    let received = peers.give(0, 1, &deltas);
    // The session mark of the start is not ahead.
    assert_eq!((received.n_new, received.held.len()), (1, deltas.len() - 1));
    assert!(matches!(received.held[0].1, Held::Future { from_ms } if from_ms == START_MS + 3_000_000 + 1));
    peers.now_ms = START_MS + 3_000_001;
    peers.pull(0, 1);
    peers.edit(1, "a", &[(0, 4, "FROM")]);
    assert!(peers.engines[1].log().newest_reading().wall_ms > START_MS + 3_599_000, "above what it builds on");
    peers.meet().check_equal("clock");
}

#[test]
fn a_deleted_file_that_is_edited_elsewhere_stays() {
    let mut peers = Peers::new(2);
    peers.edit(0, "src/a", &[(0, 0, "text")]).edit(0, "b", &[(0, 0, "b")]).meet();
    peers.edit(0, "src/a", &[(4, 0, " more")]);
    peers.ask(1, Request::Delete { path: "src".into() });
    peers.ask(1, Request::Delete { path: "b".into() });
    peers.pull(1, 0);
    let told: Vec<String> = peers.engines[0]
        .take_events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Notice(notice) if notice.id == "MSG-FILE-5" => Some(notice.title),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["Bo deleted src/a while you were editing it, so it stays."]);
    peers.meet();
    assert_eq!(peers.paths(1), ["src/a"]);
    assert_eq!(peers.text(1, "src/a").unwrap(), "text more");
    peers.check_equal("deleted");
}

#[test]
fn refused_by_one_is_refused_by_all() {
    let mut peers = Peers::new(3);
    peers.edit(0, "a", &[(0, 0, "text")]).meet();
    let key = DeviceKey::from_seed(&[9; 32]);
    let mut delta = peers.missing_template();
    delta.log.device = key.device();
    delta.deps.clear();
    // Names units of a log that it does not declare.
    let (_, hash) = codesync_base::encode_delta(&delta);
    let forged = SignedDelta { signature: key.sign_delta(&hash), delta, hash };
    for n in 0..3 {
        let before = peers.picture(n);
        let received = peers.give(0, n, std::slice::from_ref(&forged));
        assert_eq!(received.refused, [(hash, Refusal::Undeclared)]);
        assert_same(&before, &peers.picture(n), "a refused delta leaves no trace");
    }
    let mut unsigned = forged.clone();
    unsigned.signature = [1; 64];
    let received = peers.give(0, 1, &[unsigned]);
    assert_eq!(received.held, [(hash, Held::Signature)]);
}

impl Peers {
    /// A delta like one that replaces the text of "a", to be falsified.
    fn missing_template(&mut self) -> codesync_base::Delta {
        let mut template = None;
        let mut other = Peers::new(2);
        self.engines[0]
            .log()
            .for_each(&mut |signed| {
                template = Some(signed.clone());
            })
            .unwrap();
        drop(template);
        other.edit(0, "a", &[(0, 0, "text")]).meet();
        let file = self.engines[0].tree().by_path(&RelPath::parse("a").unwrap()).unwrap().file;
        other.edit(1, "a", &[(1, 2, "X")]);
        let mut delta = other.missing(1, 0).pop().unwrap().delta;
        delta.files = vec![file];
        delta.seq = 1;
        delta.group = 1;
        delta.prev = DeltaHash::ZERO;
        delta
    }
}

/// Counts what happens, for tests over many seeds.
type Tally = BTreeMap<&'static str, u64>;

#[test]
fn what_each_had_before_a_merge_comes_back_exactly() {
    let mut peers = Peers::new(2);
    peers.edit(0, "a", &[(0, 0, "one\ntwo\nthree\n")]).edit(0, "b", &[(0, 0, "bee")]).meet();
    let sides: Vec<Vec<String>> = (0..2)
        .map(|n| {
            for i in 0..20 {
                peers.wait(700 + 300 * n as u64).edit(n, "a", &[(i, 0, NAMES[n]), (0, 1, "")]);
            }
            peers.ask(n, Request::Rename { from: "b".into(), to: format!("{}/b", NAMES[n]) });
            peers.texts(n)
        })
        .collect();
    peers.wait(3_600_000);
    for n in 0..2 {
        let now = peers.now();
        peers.engines[n].mark_before_merge("work", now).unwrap();
    }
    peers.meet();
    let merged = peers.texts(0);
    for (n, side) in sides.iter().enumerate() {
        for (at, restorer) in NAMES.iter().enumerate().take(2) {
            let Reply::Moments { moments } = peers.ask(at, Request::Moments { scope: Scope::Workspace }) else {
                panic!()
            };
            let mark = moments.iter().find(|mark| mark.name.contains(NAMES[n])).unwrap();
            assert!(mark.automatic && mark.name.starts_with("Before merge ("), "{}", mark.name);
            let target = codesync_api::RestoreTarget::Workspace;
            let at_moment = Moment::Delta(mark.delta_id.clone());
            let Reply::Restored(restored) = peers.ask(at, Request::Restore { target, at: at_moment }) else { panic!() };
            assert_eq!(&peers.texts(at), side, "what {} had, restored by {restorer}", NAMES[n]);
            peers.ask(at, Request::UndoGroup { group_id: restored.group_id.unwrap() });
            assert_eq!(peers.texts(at), merged);
        }
    }
    peers.meet();
    // What was done an hour before is marked as having come late, where it came late only.
    let late: Vec<usize> = (0..2).map(|n| peers.n_late(n)).collect();
    assert!(late[0] > 20 && late[1] > 20, "{late:?}");
    peers.check_equal("before merge");
}

impl Peers {
    fn texts(&mut self, n: usize) -> Vec<String> {
        self.paths(n).into_iter().map(|path| format!("{path}: {:?}", self.text(n, &path))).collect()
    }

    fn n_late(&mut self, n: usize) -> usize {
        let n_moments = self.n_moments(n, Scope::Workspace);
        let late = (1..=n_moments).filter(|index| {
            let request = Request::MomentInfo { scope: Scope::Workspace, index: *index };
            let Reply::Moment(info) = self.ask(n, request) else { panic!() };
            info.arrived_ms.is_some_and(|arrived_ms| arrived_ms > info.at_ms + 3_000_000)
        });
        late.count()
    }
}

#[test]
fn the_notice_after_a_merge_counts_and_lists_what_both_changed() {
    let mut peers = Peers::new(2);
    let base: String = (0..30).map(|i| format!("line {i}\n")).collect();
    peers.edit(0, "a.rs", &[(0, 0, &base)]).edit(0, "b.rs", &[(0, 0, "alone\n")]).meet();
    peers.wait(60_000);
    // "line 3\n" begins at 21.
    peers.edit(0, "a.rs", &[(21, 4, "LINE")]).edit(0, "b.rs", &[(0, 0, "x")]);
    peers.edit(1, "a.rs", &[(26, 1, "three")]).edit(1, "a.rs", &[(0, 0, "top\n")]);
    peers.wait(3_600_000);
    let now = peers.now();
    let marks: Vec<DeltaHash> = (0..2)
        .map(|n| {
            peers.engines[n].mark_before_merge("work", now).unwrap();
            let newest = peers.engines[n].log().newest().unwrap();
            newest.hash
        })
        .collect();
    peers.meet();
    let merged = peers.engines[0].merged(&marks[0], &marks[1], now).unwrap();
    assert_eq!((merged.n_ours, merged.n_theirs, merged.n_files), (2, 2, 2));
    assert_eq!((merged.with, merged.apart_ms / 60_000), (vec!["Bo".to_owned()], 61));
    let places: Vec<_> = merged
        .places
        .iter()
        .map(|place| (place.path.as_str(), place.line, place.ours.as_str(), place.theirs.as_str(), place.now.as_str()))
        .collect();
    assert_eq!(places, [("a.rs", 5, "LINE 3\n", "line three\n", "LINE three\n")]);
    let theirs = peers.engines[1].merged(&marks[1], &marks[0], now).unwrap();
    assert_eq!((theirs.n_ours, theirs.n_theirs, theirs.places.len()), (2, 2, 1));
}

#[test]
fn a_merge_that_is_worked_out_part_by_part_is_the_same() {
    let mut peers = Peers::new(2);
    let base: String = (0..30).map(|i| format!("line {i}\n")).collect();
    for path in ["a.rs", "b.rs", "c.rs"] {
        peers.edit(0, path, &[(0, 0, &base)]);
    }
    peers.meet().wait(60_000);
    for i in 0..20 {
        peers.edit(0, "a.rs", &[(21, 4, "LINE")]).edit(1, "a.rs", &[(26 + i, 1, "three")]);
        peers.edit(0, "b.rs", &[(i, 0, "x")]).edit(1, "b.rs", &[(200, 1, "y")]).edit(1, "c.rs", &[(0, 0, "z")]);
    }
    let heads = [0, 1].map(|n: usize| peers.engines[n].log().newest().unwrap().hash);
    peers.meet();
    let now = peers.now();
    let at_once = peers.engines[0].merged(&heads[0], &heads[1], now).unwrap();
    assert!(at_once.places.iter().any(|place| place.path == "a.rs") && at_once.n_files == 3, "{at_once:?}");
    for n_max in [1, 2, 7, 60] {
        let mut apart = peers.engines[0].begin_apart(heads).unwrap();
        let mut n_turns = 1;
        while !peers.engines[0].go_on_apart(&mut apart, n_max).unwrap() {
            n_turns += 1;
            if n_turns % 50 == 0 {
                // Work goes on, here and there.
                peers.edit(0, "c.rs", &[(0, 0, "here")]).edit(1, "c.rs", &[(0, 0, "there")]).meet();
            }
        }
        assert!(n_turns > 100 / n_max, "{n_turns} turns");
        assert_eq!(peers.engines[0].merged_of(apart, now), at_once);
    }
}

#[test]
fn what_others_name_is_told_once() {
    let mut peers = Peers::new(2);
    peers.edit(0, "a.rs", &[(0, 0, "one")]).meet();
    let told = |peers: &mut Peers| -> Vec<(String, String)> {
        let events = peers.engines[1].take_events().into_iter();
        let named = events.filter_map(|event| match event {
            Event::MomentNamed(moment) => Some((moment.name, moment.author)),
            _ => None,
        });
        named.collect()
    };
    peers.engines[1].take_events();
    peers.ask(0, Request::NameMoment { name: "green".into(), note: None, at: None });
    peers.pull(0, 1);
    assert_eq!(told(&mut peers), [("green".to_owned(), "Asha".to_owned())]);
    let Reply::Moments { moments } = peers.ask(0, Request::Moments { scope: Scope::Workspace }) else { panic!() };
    let delta_id = moments.into_iter().rfind(|moment| moment.name == "green").unwrap().delta_id;
    peers.ask(0, Request::RenameMoment { delta_id, name: "green at last".into(), note: None });
    peers.pull(0, 1);
    assert_eq!(told(&mut peers), [("green at last".to_owned(), "Asha".to_owned())]);
    // What was there before is known.
    peers.reopen(1).edit(0, "a.rs", &[(0, 0, "x")]).pull(0, 1);
    assert_eq!(told(&mut peers), []);
}

#[test]
fn a_run_that_one_signature_vouches_for_is_taken_whole_or_not_at_all() {
    let mut n_cut = 0;
    for space_bytes in (0..4_000).step_by(250) {
        let mut peers = Peers::new(2);
        peers.meet();
        for n in 0..8 {
            peers.edit(0, "a", &[(n, 0, "x")]).wait(3_000);
        }
        let deltas = peers.missing(0, 1);
        let mut run: Vec<Arrived> = deltas.iter().map(Arrived::of).collect();
        let last = run.len() - 1;
        run[..last].iter_mut().for_each(|arrived| arrived.signature = [0; 64]);
        peers.disks[1].set_space(Some(space_bytes));
        let now = peers.now();
        let n_new = peers.engines[1].receive(run, now).map_or(0, |received| received.n_new);
        assert!(n_new == 0 || n_new == deltas.len() as u64, "{n_new} with {space_bytes}");
        n_cut += usize::from(n_new > 0 && peers.engines[1].sync(now).is_err());
        peers.disks[1].set_space(None);
        peers.engines[1].sync(now).unwrap();
        peers.reopen(1).pull(0, 1);
        let head = peers.engines[1].log().head(&deltas[0].delta.log).unwrap();
        let newest = peers.engines[1].log().delta(&head.hash).unwrap().unwrap();
        assert!(verify_delta(&newest), "nobody vouches for {}", newest.delta.seq);
    }
    assert!(n_cut > 0, "in none did the run not fit");
}
