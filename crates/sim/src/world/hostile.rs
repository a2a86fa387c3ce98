//! The member without honour: signs whatever it likes with a good key, in its own name and in others', and says it to
//! whom it likes. It keeps nothing from one lie to the next, so that each can be left out of a plan.

use super::World;
use crate::Random;
use crate::peer::{Kind, LIAR, PROJECT, START_MS, device_of, key_of};
use codesync_base::{
    AccessStep, Change, Delta, DeltaHash, FileId, FileKind, FileMeta, Head, Hlc, Insert, ItemRange, ItemRef, LogId,
    Origin, RelPath, Role, ShareFrom, SignedDelta, Step, TextSource, TextStep, encode_delta,
};
use codesync_sync::{Bytes, Cause, Deltas, Frame, Hello, LinkId, Signature, WireDelta, limits};

/// Paths that no file may have.
const BAD_PATHS: [&str; 8] =
    ["../x", ".git/hooks/x", "CON", "a/../../b", "/etc/passwd", "x\u{202e}txt.exe", "a\\b", ".codesync/x"];
/// More at once than anybody types.
const FLOOD: u32 = 1_200;

impl World {
    /// The liar connects, names more than there is, says what it made up, and goes.
    pub(super) fn lie(&mut self, idx: usize, n: u64) {
        let mut random = Random(n);
        let frames = match random.below(14) {
            0 => self.nonsense(idx, &mut random),
            1 => vec![any_bytes(&mut random)],
            2 => vec![deltas(&[self.with_bad_path(idx, &mut random)])],
            3 => self.flood(idx, &mut random),
            // Two versions of one delta: this one here, the other elsewhere.
            4 => {
                let (one, two) = (self.falsified(idx, &mut random), self.falsified(idx, &mut random));
                let other = (idx + 1) % self.peers.len();
                self.say_to(other, n ^ 1, vec![deltas(&[two])]);
                vec![deltas(&[one])]
            }
            5 => vec![deltas(&[self.in_a_name(idx, &mut random)])],
            6 | 7 => vec![self.run(idx, &mut random)],
            // The same to two, of whom one may know what it names without saying that it had seen it.
            10 => {
                let mut delta = self.next_delta(idx, &mut random);
                delta.deps.truncate(random.index(2));
                let bytes = encode_delta(&delta);
                self.say_to((idx + 1) % self.peers.len(), n ^ 1, vec![deltas(std::slice::from_ref(&bytes))]);
                vec![deltas(&[bytes])]
            }
            // To one that somebody was let in, to the other nothing of it or something else.
            8 | 9 => {
                let (one, two) = (self.granting(idx, &mut random), self.falsified(idx, &mut random));
                self.say_to((idx + 1) % self.peers.len(), n ^ 1, vec![deltas(&[two])]);
                vec![deltas(&[one])]
            }
            _ => {
                let delta = self.falsified(idx, &mut random);
                vec![deltas(&[delta])]
            }
        };
        self.say_to(idx, n, frames);
    }

    fn say_to(&mut self, idx: usize, n: u64, frames: Vec<Vec<u8>>) {
        let link = LinkId(u64::MAX - self.next_link);
        self.next_link += 1;
        let moment = self.peers[idx].moment(self.steady_ms);
        self.peers[idx].engine.connect(link, vec![], moment);
        let hello = Hello {
            oldest: 1,
            newest: 1,
            software: "0".into(),
            project: PROJECT,
            device: device_of(LIAR),
            wall_ms: n,
            token: Bytes(vec![]),
        };
        self.give(idx, link, &Frame::Hello(hello).encode());
        let heads = self.peers[idx].engine.log().heads();
        let more = heads.iter().map(|head| Head { seq: head.seq.saturating_add(3), hash: DeltaHash([9; 32]), ..*head });
        self.give(idx, link, &Frame::Heads(more.collect()).encode());
        for frame in frames {
            self.give(idx, link, &frame);
        }
        for (n_held, held_bytes) in self.peers[idx].engine.held_for_links() {
            assert!(
                n_held <= limits::HELD_ASKED_MAX && held_bytes <= limits::HELD_BYTES_MAX,
                "too much is kept for a peer"
            );
        }
        self.peers[idx].engine.disconnect(link);
        self.carry(idx);
    }

    /// Deltas that nobody may take: on a past that is not there, in names of others.
    fn nonsense(&self, idx: usize, random: &mut Random) -> Vec<Vec<u8>> {
        let (heads, now) = (self.peers[idx].engine.log().heads(), self.peers[idx].now(self.steady_ms));
        let some = |random: &mut Random| match heads.is_empty() {
            true => any_bytes(random),
            false => made_up(random, &heads, now.ms).encode(),
        };
        (0..random.below(6)).map(|_| some(random)).collect()
    }

    /// The next delta of the liar's log, or one beside it, made of somebody's steps.
    fn falsified(&self, idx: usize, random: &mut Random) -> (Vec<u8>, DeltaHash) {
        let mut delta = self.next_delta(idx, random);
        for _ in 0..random.below(3) {
            falsify(&mut delta, random);
        }
        encode_delta(&delta)
    }

    fn next_delta(&self, idx: usize, random: &mut Random) -> Delta {
        let log = self.peers[idx].engine.log();
        let own = LogId { device: device_of(LIAR), incarnation: 0 };
        let mut all: Vec<SignedDelta> = Vec::new();
        log.for_each(&mut |signed| all.push(signed.clone())).expect("a log in memory can be read");
        let said: Vec<&SignedDelta> = all.iter().filter(|signed| signed.delta.log == own).collect();
        // Mostly goes on from what it said last, now and then from before: its log forks.
        let n_back = if random.below(4) == 0 { random.index(3) } else { 0 };
        let prev = said.len().checked_sub(1 + n_back).and_then(|at| said.get(at));
        let model = all.get(random.index(all.len()));
        let model = model.filter(|signed| !self.would_confuse(&signed.delta));
        let model = model.map_or_else(|| empty(own), |signed| signed.delta.clone());
        let mut heads: Vec<Head> = log.heads().into_iter().filter(|head| head.log != own).collect();
        if random.below(4) == 0 {
            heads.truncate(random.index(3));
        }
        let newest = log.newest_reading();
        let hlc = Hlc { wall_ms: newest.wall_ms.saturating_add(1 + random.below(30)), counter: 0 };
        let seq = prev.map_or(1, |prev| prev.delta.seq + 1);
        let mut delta = Delta {
            project: PROJECT,
            log: own,
            seq,
            prev: prev.map_or(DeltaHash::ZERO, |prev| prev.hash),
            hlc,
            deps: heads,
            group: seq,
            ..adopted(model)
        };
        if let Some(Change::Create { .. }) = delta.steps.first().map(|step| &step.change) {
            delta.files = vec![FileId::derive(&own, &delta.prev, &hlc, 0)];
            delta.steps.truncate(1);
            delta.steps[0].file = 0;
        }
        delta
    }

    /// Deltas without signatures and one that vouches for them: a good one, or one that nobody may take.
    fn run(&self, idx: usize, random: &mut Random) -> Vec<u8> {
        let mut delta = self.next_delta(idx, random);
        let mut all = Vec::new();
        for _ in 0..1 + random.below(4) {
            all.push(encode_delta(&delta));
            follow(&mut delta, all[all.len() - 1].1);
            delta.steps = empty(delta.log).steps;
        }
        match random.below(4) {
            0 => delta.steps[0].change = Change::Kind { kind: FileKind::Folder },
            1 => delta.steps[0].change = Change::Remove,
            2 => delta.steps[0].change = self.grant_of_somebody(random),
            _ => {}
        }
        if !matches!(delta.steps[0].change, Change::Session { .. } | Change::Access(_)) {
            delta.files = vec![FileId([9; 16])];
        }
        all.push(encode_delta(&delta));
        let n_bare = all.len() - 1;
        let mut wire: Vec<WireDelta> = all.iter().map(signed_by_liar).collect();
        wire[..n_bare].iter_mut().for_each(|wire| wire.signature = None);
        Frame::Deltas(Deltas { cause: Cause::Live, deltas: wire }).encode()
    }

    /// Lets somebody in, as if knowing nothing of what they are already.
    fn granting(&self, idx: usize, random: &mut Random) -> (Vec<u8>, DeltaHash) {
        let mut delta = self.next_delta(idx, random);
        (delta.logs, delta.files) = (vec![], vec![]);
        delta.steps = vec![Step { at_ms: 1, file: 0, change: self.grant_of_somebody(random) }];
        encode_delta(&delta)
    }

    fn grant_of_somebody(&self, random: &mut Random) -> Change {
        let about = random.index(self.peers.len());
        // Where nobody has rights none change; and what was taken is not given back.
        if self.peers[0].kind == Kind::Free || self.lowered.contains_key(&about) {
            return empty(LogId::default()).steps.remove(0).change;
        }
        let may_edit = self.peers[about].kind == Kind::Upright && random.below(2) == 0;
        let role = if may_edit { Role::Editor } else { Role::Viewer };
        let (device, person) = (device_of(about), "somebody".to_owned());
        Change::Access(AccessStep::Grant { device, person, role, share_from: ShareFrom::Past })
    }

    /// Whether the same from the liar, who may be an owner, would change what rights were taken by whom: what counts then
    /// would be hard to say from outside.
    fn would_confuse(&self, delta: &Delta) -> bool {
        delta.steps.iter().any(|step| match &step.change {
            Change::Access(AccessStep::Grant { device, .. }) => {
                self.lowered.keys().any(|idx| device_of(*idx) == *device)
            }
            Change::Access(_) => true,
            _ => false,
        })
    }

    fn with_bad_path(&self, idx: usize, random: &mut Random) -> (Vec<u8>, DeltaHash) {
        let bad = BAD_PATHS[random.index(8)];
        let placeholder = "z".repeat(bad.len());
        let mut delta = self.next_delta(idx, random);
        let path = RelPath::parse(&placeholder).expect("a name of letters is one");
        let change = Change::Create { path, kind: FileKind::Text, meta: FileMeta::default(), content: None };
        delta.files = vec![FileId::derive(&delta.log, &delta.prev, &delta.hlc, 0)];
        delta.steps = vec![Step { at_ms: 1, file: 0, change }];
        let (mut bytes, _) = encode_delta(&delta);
        let at = bytes.windows(bad.len()).position(|part| part == placeholder.as_bytes());
        let at = at.expect("the path is in there");
        bytes[at..at + bad.len()].copy_from_slice(bad.as_bytes());
        let hash = DeltaHash(*blake3::hash(&bytes).as_bytes());
        (bytes, hash)
    }

    /// An honest author's next delta, as the liar would have it.
    fn in_a_name(&self, idx: usize, random: &mut Random) -> (Vec<u8>, DeltaHash) {
        let mut delta = self.next_delta(idx, random);
        let victims: Vec<Head> = delta.deps.clone();
        if let Some(victim) = victims.get(random.index(victims.len())) {
            (delta.log, delta.seq, delta.prev) = (victim.log, victim.seq + 1, victim.hash);
            (delta.group, delta.deps) = (victim.seq + 1, Vec::new());
        }
        encode_delta(&delta)
    }

    fn flood(&self, idx: usize, random: &mut Random) -> Vec<Vec<u8>> {
        let mut delta = self.next_delta(idx, random);
        if random.below(4) > 0 {
            return vec![];
        }
        delta.steps =
            vec![Step { at_ms: 1, file: 0, change: Change::Session { person: "x".into(), device_name: "y".into() } }];
        let mut all = Vec::new();
        for _ in 0..FLOOD {
            let (bytes, hash) = encode_delta(&delta);
            all.push((bytes, hash));
            follow(&mut delta, hash);
        }
        all.chunks(300).map(deltas).collect()
    }
}

/// A frame with these, signed by the liar, whoever they say is their author.
fn deltas(all: &[(Vec<u8>, DeltaHash)]) -> Vec<u8> {
    Frame::Deltas(Deltas { cause: Cause::Live, deltas: all.iter().map(signed_by_liar).collect() }).encode()
}

fn signed_by_liar((bytes, hash): &(Vec<u8>, DeltaHash)) -> WireDelta {
    WireDelta { bytes: Bytes(bytes.clone()), signature: Some(Signature(key_of(LIAR).sign_delta(hash))) }
}

/// The delta after this one, which has this name.
fn follow(delta: &mut Delta, hash: DeltaHash) {
    delta.deps.clear();
    (delta.logs, delta.files) = (vec![], vec![]);
    (delta.prev, delta.seq, delta.group) = (hash, delta.seq + 1, delta.seq + 1);
    delta.hlc.counter += 1;
}

fn any_bytes(random: &mut Random) -> Vec<u8> {
    let n = random.below(600);
    (0..n).map(|_| random.draw() as u8).collect()
}

fn empty(log: LogId) -> Delta {
    Delta {
        project: PROJECT,
        log,
        seq: 1,
        prev: DeltaHash::ZERO,
        hlc: Hlc { wall_ms: START_MS, counter: 0 },
        deps: vec![],
        origin: Origin::Session,
        group: 1,
        logs: vec![],
        files: vec![],
        steps: vec![Step {
            at_ms: 1,
            file: 0,
            change: Change::Session { person: "L".into(), device_name: "L".into() },
        }],
    }
}

/// Somebody's delta as another's: what it called its own is now that author's.
fn adopted(mut delta: Delta) -> Delta {
    delta.logs.push(delta.log);
    let author = delta.logs.len() as u16;
    let adopt = |item: &mut ItemRef| item.log = if item.log == 0 { author } else { item.log };
    for step in &mut delta.steps {
        if let Change::Text(text) = &mut step.change {
            text.delete.iter_mut().for_each(|range| adopt(&mut range.first));
            let ends = text.insert.iter_mut().flat_map(|insert| [&mut insert.left, &mut insert.right]);
            ends.flatten().for_each(adopt);
        }
    }
    delta
}

fn any_item(random: &mut Random) -> ItemRef {
    ItemRef { log: random.below(3) as u16, seq: 1 + random.below(40) as u32, offset: random.below(20) as u32 }
}

/// Changes something of a delta that was good.
fn falsify(delta: &mut Delta, random: &mut Random) {
    let range = ItemRange { first: any_item(random), length: random.below(9) as u32 };
    match random.below(12) {
        0 => delta.hlc.wall_ms = delta.hlc.wall_ms.saturating_add(3_600_000),
        1 => delta.hlc.wall_ms = delta.hlc.wall_ms.saturating_sub(random.below(10_000_000)),
        2 => delta.hlc = Hlc { wall_ms: random.draw() >> random.below(60), counter: random.draw() as u32 },
        3 => delta.files = vec![FileId([random.below(4) as u8; 16])],
        4 => delta.deps.clear(),
        5 => delta.steps.extend(delta.steps.clone()),
        6 => delta.seq = delta.seq.wrapping_add(random.below(3) as u32),
        7 => delta.logs.reverse(),
        // Good steps before a bad one.
        8 | 9 if !delta.files.is_empty() => {
            let text = TextStep { position: 0, delete: vec![range], insert: None };
            delta.steps.push(Step { at_ms: 1, file: 0, change: Change::Text(text) });
        }
        _ => {
            let insert = Insert {
                left: (random.below(2) == 0).then(|| any_item(random)),
                right: (random.below(2) == 0).then(|| any_item(random)),
                text: TextSource::Inline("lie".into()),
            };
            let text = TextStep { position: random.below(50) as u32, delete: vec![range], insert: Some(insert) };
            if let Some(step) = delta.steps.first_mut().filter(|_| !delta.files.is_empty()) {
                step.change = Change::Text(text);
            }
        }
    }
}

/// A delta that nobody may take: forged, back-dated, on a past that is not there, or with names of others.
fn made_up(random: &mut Random, heads: &[Head], wall_ms: u64) -> Frame {
    let liar = key_of(LIAR);
    let own = LogId { device: liar.device(), incarnation: 0 };
    let victim = heads[random.index(heads.len())];
    let in_its_name = random.below(2) == 0;
    let log = if in_its_name { victim.log } else { own };
    let (seq, prev) = if in_its_name { (victim.seq + 1, victim.hash) } else { (7, DeltaHash([5; 32])) };
    let delta = Delta {
        log,
        seq,
        prev,
        hlc: Hlc { wall_ms: START_MS + random.below(2) * 100_000_000_000, counter: 0 },
        origin: Origin::FileAction,
        group: seq,
        files: vec![FileId([random.below(4) as u8; 16])],
        steps: vec![Step { at_ms: wall_ms, file: 0, change: Change::Remove }],
        ..empty(own)
    };
    let (bytes, hash) = encode_delta(&delta);
    let signature = (random.below(2) == 0).then(|| Signature(liar.sign_delta(&hash)));
    let cause = if random.below(2) == 0 { Cause::Live } else { Cause::Answer { id: 1, is_last: true } };
    Frame::Deltas(Deltas { cause, deltas: vec![WireDelta { bytes: Bytes(bytes), signature }] })
}
