#![allow(clippy::unwrap_used)]
use super::*;
use crate::random::Random;
use codesync_base::{DeltaHash, DeviceId, Hlc, NoBlobs, Origin, ProjectId};

mod hostile;
mod trace;

/// The same edits in plain yrs documents that exchange their own updates.
mod plain_yrs {
    use super::*;
    use yrs::updates::decoder::Decode;
    use yrs::{ClientID, Doc, GetString, OffsetKind, Options, Text, TextRef, Transact, Update};

    pub struct Plain(Doc, TextRef);

    impl Plain {
        pub fn new(client: u64) -> Self {
            let mut options = Options::with_client_id(ClientID::new(client));
            options.offset_kind = OffsetKind::Utf16;
            options.skip_gc = true;
            let doc = Doc::with_options(options);
            let text = doc.get_or_insert_text("t");
            Self(doc, text)
        }

        pub fn edit(&self, splice: &Splice) -> Vec<u8> {
            let mut transaction = self.0.transact_mut();
            if !splice.inserted.is_empty() {
                self.1.insert(&mut transaction, splice.position, &splice.inserted);
            }
            if splice.deleted > 0 {
                let after = splice.position + utf16_len(&splice.inserted);
                self.1.remove_range(&mut transaction, after, splice.deleted);
            }
            transaction.encode_update_v1()
        }

        pub fn receive(&self, bytes: &[u8]) {
            self.0.transact_mut().apply_update(Update::decode_v1(bytes).unwrap()).unwrap();
        }

        pub fn text(&self) -> String {
            self.1.get_string(&self.0.transact())
        }
    }
}

fn log_id(n: u8) -> LogId {
    LogId { device: DeviceId([n; 32]), incarnation: u32::from(n) }
}

fn delta(log: LogId, seq: u32, logs: Vec<LogId>) -> Delta {
    Delta {
        project: ProjectId::ZERO,
        log,
        seq,
        prev: DeltaHash::ZERO,
        hlc: Hlc::default(),
        deps: vec![],
        origin: Origin::Typing,
        group: 1,
        logs,
        files: vec![],
        steps: vec![],
    }
}

/// A delta's steps in this file, and how many deltas of each replica stood before it.
#[derive(Clone)]
struct Sent {
    delta: Delta,
    steps: Vec<TextStep>,
    /// What plain yrs makes of the same edits.
    updates: Vec<Vec<u8>>,
    past: Vec<usize>,
}

struct Replica {
    log: LogId,
    document: TextDocument,
    /// The same steps, each decided by yrs.
    slow: TextDocument,
    /// What somebody has who began with the units as they once were here.
    cut: Option<TextDocument>,
    plain: plain_yrs::Plain,
    seen: Vec<usize>,
}

const PIECES: [&str; 10] = ["a", "hello ", "\n", "é", "e\u{301}", "世界", "😀", "👩‍👩‍👧", "fn f() {}\n", "x"];

impl Replica {
    fn new(n: u8, n_replicas: usize) -> Self {
        let slow = TextDocument { always_ask_yrs: true, ..TextDocument::new() };
        let plain = plain_yrs::Plain::new(log_id(n).client());
        Self { log: log_id(n), document: TextDocument::new(), slow, cut: None, plain, seen: vec![0; n_replicas] }
    }

    /// A position between two characters.
    fn place(&self, random: &mut Random) -> u32 {
        let text = self.document.text();
        let character = random.below(text.len_chars() as u32 + 1);
        text.char_to_utf16_cu(character as usize) as u32
    }

    fn random_splice(&self, random: &mut Random) -> Splice {
        let (one, other) = (self.place(random), self.place(random));
        let (from, mut to) = (one.min(other), one.max(other));
        if random.below(8) > 0 {
            let text = self.document.text();
            let first = text.utf16_cu_to_char(from as usize);
            let last = (first + random.below(4) as usize).min(text.len_chars());
            to = text.char_to_utf16_cu(last) as u32;
        }
        match random.below(10) {
            0..=5 => Splice::new(from, 0, PIECES[random.below(10) as usize]),
            6..=7 => Splice::new(from, to - from, ""),
            _ => Splice::new(from, to - from, PIECES[random.below(10) as usize]),
        }
    }

    fn type_delta(&mut self, me: usize, random: &mut Random) -> Sent {
        let past = self.seen.clone();
        let seq = self.seen[me] as u32 + 1;
        let mut open = OpenDelta { log: self.log, seq, logs: vec![] };
        let (mut steps, mut updates) = (vec![], vec![]);
        for _ in 0..1 + random.below(3) {
            let splice = self.random_splice(random);
            let mut expected = self.document.to_string();
            apply_to_string(&mut expected, &splice);
            steps.push(self.document.edit(&mut open, &splice).unwrap());
            updates.push(self.plain.edit(&splice));
            assert_eq!(self.document.to_string(), expected);
            assert_eq!(self.plain.text(), expected, "after {splice:?}");
            self.check_names(&self.document);
        }
        self.seen[me] += 1;
        let sent = Sent { delta: delta(self.log, seq, open.logs), steps, updates, past };
        for step in &sent.steps {
            self.slow.integrate(&sent.delta, step, &NoBlobs).unwrap();
            self.follow_cut(&sent, step);
        }
        sent
    }

    fn receive(&mut self, from: usize, sent: &Sent) {
        for step in &sent.steps {
            let mut text = self.document.to_string();
            let mut unguided = TextDocument { shift: 0, ..self.document.clone() };
            let splices = self.document.integrate(&sent.delta, step, &NoBlobs).unwrap();
            let found = unguided.integrate(&sent.delta, step, &NoBlobs).unwrap();
            assert_eq!(splices, found, "the guess changes nothing but the time it takes");
            splices.iter().for_each(|splice| apply_to_string(&mut text, splice));
            assert_eq!(self.document.to_string(), text, "the splices are what happened");
            self.check_names(&self.document);
            self.slow.integrate(&sent.delta, step, &NoBlobs).unwrap();
            self.check_names(&self.slow);
            self.follow_cut(sent, step);
        }
        sent.updates.iter().for_each(|update| self.plain.receive(update));
        assert_eq!(self.document.to_string(), self.plain.text(), "after {:?}", sent.steps);
        self.seen[from] += 1;
    }

    /// Somebody begins with what is here now.
    fn cut(&mut self) {
        let bytes = self.document.units().encode();
        let units = codesync_base::TextUnits::decode(&bytes).unwrap();
        let cut = TextDocument::from_units(&units).unwrap();
        assert_eq!(cut.to_string(), self.document.to_string());
        self.cut = Some(cut);
    }

    fn follow_cut(&mut self, sent: &Sent, step: &TextStep) {
        if let Some(cut) = &mut self.cut {
            cut.integrate(&sent.delta, step, &NoBlobs).unwrap();
        }
    }

    fn check_cut(&mut self, seed: u64) {
        let Some(cut) = &mut self.cut else { return };
        assert_eq!(cut.to_string(), self.document.to_string(), "with and without the past, seed {seed}");
        assert_eq!(cut.check_against_yrs(), Ok(()), "seed {seed}");
        let runs: Vec<_> = self.document.runs().collect();
        assert_eq!(cut.runs().collect::<Vec<_>>(), runs, "names with and without the past, seed {seed}");
        assert_eq!(cut.units(), self.document.units(), "units with and without the past, seed {seed}");
    }

    fn check(&mut self, seed: u64) {
        self.check_cut(seed);
        let runs: Vec<_> = self.document.runs().collect();
        assert_eq!(self.document.to_string(), self.slow.to_string(), "fast and slow differ, seed {seed}");
        assert_eq!(runs, self.slow.runs().collect::<Vec<_>>(), "names fast and slow, seed {seed}");
        assert_eq!(self.document.check_against_yrs(), Ok(()), "seed {seed}");
        assert_eq!(self.slow.check_against_yrs(), Ok(()), "seed {seed}");
        assert_eq!(self.document.to_string(), self.plain.text(), "plain yrs replicas, seed {seed}");
        let total: u32 = runs.iter().map(|run| run.length).sum();
        assert_eq!(total, self.document.len_utf16());
    }
}

fn apply_to_string(text: &mut String, splice: &Splice) {
    let units: Vec<u16> = text.encode_utf16().collect();
    let (from, to) = (splice.position as usize, (splice.position + splice.deleted) as usize);
    let inserted = splice.inserted.encode_utf16();
    let all: Vec<u16> = units[..from].iter().copied().chain(inserted).chain(units[to..].iter().copied()).collect();
    *text = String::from_utf16(&all).unwrap();
}

/// Replicas type and exchange in causal orders of their own, then exchange everything.
fn converge(seed: u64, n_rounds: u32) {
    let mut random = Random::new(seed);
    let n = 2 + random.below(4) as usize;
    let mut replicas: Vec<_> = (0..n).map(|i| Replica::new(i as u8 + 1, n)).collect();
    let mut logs: Vec<Vec<Sent>> = vec![vec![]; n];
    let base = if random.below(2) == 0 { "" } else { "let 😀 = \"世界\";\n" };
    let base_author = plain_yrs::Plain::new(log_id(99).client());
    let base_update = base_author.edit(&Splice::new(0, 0, base));
    for replica in &mut replicas {
        replica.plain.receive(&base_update);
        replica.document.integrate_base(log_id(99), 1, base);
        replica.slow.integrate_base(log_id(99), 1, base);
    }
    for _ in 0..n_rounds {
        let me = random.below(n as u32) as usize;
        if random.below(2) == 0 {
            let sent = replicas[me].type_delta(me, &mut random);
            logs[me].push(sent);
        } else {
            let budget = random.below(12);
            deliver(&mut replicas[me], &logs, &mut random, budget);
        }
        if random.below(30) == 0 {
            replicas[me].cut();
        }
    }
    for replica in &mut replicas {
        deliver(replica, &logs, &mut random, u32::MAX);
        replica.check(seed);
    }
    let names: Vec<_> = replicas[0].document.runs().collect();
    for replica in &replicas[1..] {
        assert_eq!(replica.document.to_string(), replicas[0].document.to_string(), "texts differ, seed {seed}");
        assert_eq!(replica.document.runs().collect::<Vec<_>>(), names, "names differ, seed {seed}");
        assert_eq!(replica.document.digest(), replicas[0].document.digest(), "seed {seed}");
        assert_eq!(replica.document.units(), replicas[0].document.units(), "units differ, seed {seed}");
    }
}

/// Hands over deltas whose past is there, in random order, until `budget` or nothing is left.
fn deliver(replica: &mut Replica, logs: &[Vec<Sent>], random: &mut Random, budget: u32) {
    for _ in 0..budget {
        let ready: Vec<usize> = (0..logs.len())
            .filter(|from| {
                let next = logs[*from].get(replica.seen[*from]);
                next.is_some_and(|sent| sent.past.iter().zip(&replica.seen).all(|(past, seen)| past <= seen))
            })
            .collect();
        if ready.is_empty() {
            return;
        }
        let from = ready[random.below(ready.len() as u32) as usize];
        replica.receive(from, &logs[from][replica.seen[from]]);
    }
}

fn seeds() -> std::ops::Range<u64> {
    match std::env::var("CODESYNC_SEEDS").ok().and_then(|n| n.parse::<u64>().ok()) {
        Some(n) => 1..n,
        None => 1..100,
    }
}

#[test]
fn replicas_converge_on_text_and_names_whatever_the_order() {
    for seed in seeds() {
        converge(seed, 20 + (seed as u32 % 7) * 20);
    }
}

impl Replica {
    /// The units that the rope has and those that the names stand for are the same.
    fn check_names(&self, document: &TextDocument) {
        let mut by_names = Vec::new();
        for run in document.runs.range(0, u32::MAX) {
            let all: Vec<u16> = document.names.log(run.log).text.encode_utf16().collect();
            by_names.extend(&all[run.clock as usize..(run.clock + run.length) as usize]);
        }
        assert_eq!(String::from_utf16_lossy(&by_names), document.to_string());
        let length = document.len_utf16();
        let names: Vec<_> = (0..length).map(|position| document.name_at(position).unwrap()).collect();
        let places: Vec<_> = (0..length).map(|position| Some((position, true))).collect();
        assert_eq!(document.places_of(&names), places);
    }
}

/// Though the one goes on before it in the text meanwhile.
#[test]
fn what_was_typed_apart_is_found_without_a_search() {
    let mut replicas = [1, 2].map(|n| Replica::new(n, 2));
    let mut both = TextDocument::new();
    let documents = replicas.iter_mut().map(|replica| &mut replica.document).chain([&mut both]);
    documents.for_each(|document| document.integrate_base(log_id(99), 1, "base\n"));
    for n in 0..20 {
        let mut open = OpenDelta { log: log_id(2), seq: n + 1, logs: vec![] };
        // Some of it replaces what was typed before.
        let step = replicas[1].document.edit(&mut open, &Splice::new(5 + n / 2, n % 2, "b")).unwrap();
        let theirs = delta(log_id(2), n + 1, open.logs);
        let mut open = OpenDelta { log: log_id(1), seq: n + 1, logs: vec![] };
        let own = replicas[0].document.edit(&mut open, &Splice::new(n, 0, "a")).unwrap();
        let ours = delta(log_id(1), n + 1, open.logs);
        // In the order in which it was typed.
        both.integrate(&ours, &own, &NoBlobs).unwrap();
        let is_guessed = both.find_as_before(&both.resolve(&theirs, &step, &NoBlobs).unwrap()).is_some();
        assert!(is_guessed, "{n}");
        both.integrate(&theirs, &step, &NoBlobs).unwrap();
        let expected = "a".repeat(n as usize + 1) + &replicas[1].document.to_string();
        assert_eq!(both.to_string(), expected);
    }
}
