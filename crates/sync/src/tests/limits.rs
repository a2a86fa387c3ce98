//! What a peer may not do, and what comes of it.

use super::store::*;
use crate::limits::*;
use crate::*;
use codesync_base::{
    BlobHash, Change, Delta, DeltaHash, FileId, Head, Hlc, LogId, ProjectId, SignedDelta, Step, encode_delta,
};

/// An honest replica, and a peer that says whatever a test wants.
struct Door {
    store: Store,
    mesh: Mesh,
    now_ms: u64,
    outputs: Vec<Output>,
    /// Whether what was delivered is never dealt with.
    is_slow: bool,
}

const LINK: LinkId = LinkId(1);

impl Door {
    fn closed() -> Self {
        let store = Store::new(1);
        let mut mesh = Mesh::new(store.config());
        let now_ms = 1_000_000;
        mesh.connect(LINK, vec![], Moment { steady_ms: now_ms, wall_ms: START_MS });
        Self { store, mesh, now_ms, outputs: Vec::new(), is_slow: false }
    }

    /// Both said Hello; the peer told no heads yet.
    fn open() -> Self {
        let mut door = Self::closed();
        door.say(Frame::Hello(hello()));
        assert!(door.outputs.contains(&Output::Admitted));
        door
    }

    fn joined() -> Self {
        let mut door = Self::open();
        door.say(Frame::Heads(vec![]));
        door
    }

    fn now(&self) -> Moment {
        Moment { steady_ms: self.now_ms, wall_ms: START_MS + self.now_ms - 1_000_000 }
    }

    fn say(&mut self, frame: Frame) -> &mut Self {
        self.say_bytes(&frame.encode())
    }

    fn say_bytes(&mut self, bytes: &[u8]) -> &mut Self {
        let now = self.now();
        self.mesh.handle_frame(LINK, bytes, &mut self.store, now);
        self.work()
    }

    fn live(&mut self, deltas: &[SignedDelta]) -> &mut Self {
        let deltas = deltas.iter().map(wire).collect();
        self.say(Frame::Deltas(Deltas { cause: Cause::Live, deltas }))
    }

    fn work(&mut self) -> &mut Self {
        let now = self.now();
        for (link, output) in self.mesh.take_outputs() {
            if let Output::Deliver { deltas, cost_bytes } = &output {
                self.store.receive(deltas);
                if !self.is_slow {
                    self.mesh.delivered(link, *cost_bytes, &mut self.store, now);
                }
            }
            self.outputs.push(output);
        }
        self
    }

    fn wait(&mut self, ms: u64) -> &mut Self {
        self.now_ms += ms;
        let now = self.now();
        self.mesh.handle_time(&mut self.store, now);
        self.work()
    }

    fn sent(&self) -> Vec<Frame> {
        let frame = |output: &Output| match output {
            Output::Send(bytes) => Some(Frame::decode(bytes, FRAME_BYTES_MAX).unwrap()),
            _ => None,
        };
        self.outputs.iter().filter_map(frame).collect()
    }

    fn told(&self, event: &Event) -> bool {
        self.outputs.contains(&Output::Tell(event.clone()))
    }

    #[track_caller]
    fn ended(&self, expected: Reason) {
        let bye = self.sent().into_iter().find_map(|frame| match frame {
            Frame::Bye(bye) => Some(bye.reason),
            _ => None,
        });
        assert_eq!(bye, Some(expected));
        assert_eq!(self.outputs.last(), Some(&Output::Close));
    }

    #[track_caller]
    fn goes_on(&self) {
        assert!(!self.outputs.contains(&Output::Close), "{:?}", self.sent().last());
    }
}

fn hello() -> Hello {
    Hello {
        oldest: 1,
        newest: 1,
        software: "0.1.0".into(),
        project: PROJECT,
        device: key_of(2).device(),
        wall_ms: START_MS,
        token: Bytes(vec![]),
    }
}

fn wire(signed: &SignedDelta) -> WireDelta {
    let signature = Some(signed.signature).filter(|signature| *signature != [0; 64]).map(Signature);
    WireDelta { bytes: Bytes(encode_delta(&signed.delta).0), signature }
}

/// Deltas of the peer, each on the one before.
fn written(n: usize) -> Vec<SignedDelta> {
    let mut peer = Store::new(2);
    (0..n).map(|_| peer.write(START_MS)).collect()
}

#[test]
fn before_hello_nothing_long_and_nothing_else() {
    let mut door = Door::closed();
    door.say_bytes(&[0; FRAME_BYTES_MAX_FIRST + 1]).ended(Reason::Limit);
    let mut door = Door::closed();
    door.say(Frame::Heads(vec![])).ended(Reason::Malformed);
    let mut door = Door::open();
    door.say_bytes(&[0; FRAME_BYTES_MAX + 1]).ended(Reason::Limit);
    let mut door = Door::open();
    door.say_bytes(&[0xff; 100]).ended(Reason::Malformed);
    let mut door = Door::open();
    door.say(Frame::Hello(hello())).ended(Reason::Malformed);
    let mut door = Door::joined();
    door.say(Frame::Heads(vec![])).ended(Reason::Malformed);
}

#[test]
fn who_may_not_come_in_is_told_why_and_learns_nothing() {
    let of = |hello: Hello| {
        let mut door = Door::closed();
        door.store.write(START_MS);
        door.store.sync();
        door.say(Frame::Hello(hello));
        assert!(!door.sent().iter().any(|frame| matches!(frame, Frame::Heads(_))));
        door
    };
    of(Hello { project: ProjectId([8; 16]), ..hello() }).ended(Reason::Project);
    of(Hello { device: key_of(200).device(), ..hello() }).ended(Reason::NotAdmitted);
    of(Hello { device: key_of(1).device(), ..hello() }).ended(Reason::Double);
    let version = Reason::Version { oldest: VERSION_OLDEST, newest: VERSION_NEWEST, software: "0.1.0".into() };
    let older = of(Hello { oldest: 0, newest: 0, software: "0.0.9".into(), ..hello() });
    older.ended(version.clone());
    let other = |software: &str, device| OtherVersion { software: software.into(), device };
    assert!(older.told(&Event::Ended(Ended::PeerTooOld(other("0.0.9", Some(hello().device))))));
    let newer = of(Hello { oldest: 2, newest: 5, software: "0.3.0".into(), ..hello() });
    newer.ended(version);
    assert!(newer.told(&Event::Ended(Ended::WeAreTooOld(other("0.3.0", Some(hello().device))))));
    let mut both = Door::closed();
    both.say(Frame::Hello(Hello { oldest: 1, newest: 9, ..hello() })).goes_on();
}

#[test]
fn a_bye_says_whose_program_is_too_old() {
    let mut door = Door::closed();
    let reason = Reason::Version { oldest: 2, newest: 3, software: "0.3.0".into() };
    door.say(Frame::Bye(Bye { reason, detail: String::new() }));
    let other = OtherVersion { software: "0.3.0".into(), device: None };
    assert!(door.told(&Event::Ended(Ended::WeAreTooOld(other))));
    assert_eq!(door.outputs.last(), Some(&Output::Close));
}

#[test]
fn a_delta_keeps_to_its_limits() {
    let peer = Store::new(2);
    let send = |delta: Delta| {
        let mut door = Door::joined();
        door.live(&[peer.sign(delta)]);
        door
    };
    let hlc = Hlc { wall_ms: START_MS, counter: 0 };
    let with_steps = |n| peer.draft(hlc, vec![], vec![Step { at_ms: 0, file: 0, change: Change::Remove }; n]);
    let removing = |n| Delta { files: vec![FileId([1; 16])], ..with_steps(n) };
    send(removing(4_096)).goes_on();
    send(removing(4_097)).ended(Reason::Malformed);
    let dep = |n: u8| Head { log: Store::new(n).log, seq: 1, hash: codesync_base::DeltaHash([n; 32]) };
    let with_deps = |n: u8| peer.draft(hlc, (3..3 + n).map(dep).collect(), vec![Store::step(START_MS)]);
    send(with_deps(64)).goes_on();
    send(with_deps(65)).ended(Reason::Malformed);
    let other = Delta { project: ProjectId([1; 16]), ..removing(1) };
    send(other).ended(Reason::Malformed);
}

#[test]
fn forged_deltas_end_the_link_and_none_is_taken() {
    let mut bad = written(3);
    bad[1].signature[5] ^= 1;
    let mut door = Door::joined();
    door.live(&bad).ended(Reason::Forged);
    assert_eq!(door.store.n_deltas(), 0);
    // Signed, but by somebody else.
    let mut bad = written(1);
    bad[0].signature = key_of(3).sign_delta(&bad[0].hash);
    let mut door = Door::joined();
    door.live(&bad).ended(Reason::Forged);
}

/// The signatures of a long answer are checked together.
#[test]
fn one_forged_delta_among_many_that_were_asked_for_ends_the_link() {
    for n_forged in [0, 1] {
        let mut deltas = written(200);
        deltas[150..150 + n_forged].iter_mut().for_each(|signed| signed.signature[5] ^= 1);
        let newest = &deltas[199];
        let mut door = Door::open();
        door.say(Frame::Heads(vec![Head { log: newest.delta.log, seq: newest.delta.seq, hash: newest.hash }]));
        let deltas = deltas.iter().map(wire).collect();
        door.say(Frame::Deltas(Deltas { cause: Cause::Answer { id: 1, is_last: true }, deltas }));
        match n_forged {
            0 => door.goes_on(),
            _ => door.ended(Reason::Forged),
        }
        assert_eq!(door.store.n_deltas(), if n_forged == 0 { 200 } else { 0 });
    }
}

#[test]
fn without_a_signature_nothing_is_delivered_until_one_vouches() {
    let mut deltas = written(4);
    deltas[..3].iter_mut().for_each(|signed| signed.signature = [0; 64]);
    let mut door = Door::joined();
    door.live(&deltas[..3]);
    assert_eq!(door.store.n_deltas(), 0);
    door.live(&deltas[3..]);
    assert_eq!(door.store.n_deltas(), 4);
}

#[test]
fn a_back_dated_delta_is_refused_and_all_that_builds_on_it() {
    let mut peer = Store::new(2);
    let first = peer.write(START_MS);
    let mut back = peer.draft(Hlc { wall_ms: START_MS - 1, counter: 0 }, vec![], vec![Store::step(START_MS)]);
    let bad = peer.sign(back.clone());
    back.seq = 3;
    back.prev = bad.hash;
    back.hlc.wall_ms = START_MS + 5;
    let after = peer.sign(back);
    let mut door = Door::joined();
    door.live(&[first, bad]);
    door.live(&[after]);
    door.goes_on();
    assert_eq!(door.store.n_deltas(), 1);
    assert!(door.told(&Event::Refused { log: peer.log, seq: 2, why: Refusal::BackDated }));
}

#[test]
fn a_delta_that_misnames_its_past_is_refused() {
    let mut peer = Store::new(2);
    let first = peer.write(START_MS);
    let hlc = Hlc { wall_ms: START_MS + 5, counter: 0 };
    let skips = Delta { seq: 3, group: 3, ..peer.draft(hlc, vec![], vec![Store::step(START_MS)]) };
    let mut door = Door::joined();
    door.live(&[first, peer.sign(skips)]);
    assert!(door.told(&Event::Refused { log: peer.log, seq: 3, why: Refusal::Chain }));
}

#[test]
fn so_many_are_held_and_no_more() {
    let mut peer = Store::new(2);
    peer.write(START_MS);
    let mut door = Door::joined();
    // Their past never comes.
    for _ in 0..HELD_LIVE_MAX + 500 {
        let signed = peer.write(START_MS);
        door.wait(5).live(&[signed]).goes_on();
    }
    let (n_held, _) = door.mesh.held()[0];
    assert_eq!(n_held, HELD_LIVE_MAX);
}

/// Deltas of many logs, each of which vouches for one that the next log goes on from; for the first nobody does.
fn tangled(n_logs: u32, content: BlobHash) -> Vec<SignedDelta> {
    let mut peer = Store::new(2);
    let write = |peer: &Store, seq: u32, prev: DeltaHash, n: u32, deps: Vec<Head>| {
        let step = Step { at_ms: 0, file: 0, change: Change::Content { blob: content, length_bytes: 0 } };
        let delta = peer.draft(Hlc { wall_ms: START_MS, counter: n }, deps, vec![step]);
        peer.sign(Delta { seq, prev, files: vec![FileId([1; 16])], ..delta })
    };
    let mut all: Vec<SignedDelta> = Vec::new();
    let mut unsigned: Option<SignedDelta> = None;
    for n in 0..n_logs {
        peer.log.incarnation = n;
        let first = write(&peer, 1, DeltaHash::ZERO, 2 * n, vec![]);
        let Some(past) = unsigned.replace(SignedDelta { signature: [0; 64], ..first.clone() }) else { continue };
        let dep = Head { log: past.delta.log, seq: 1, hash: past.hash };
        all.extend([past, write(&peer, 2, first.hash, 2 * n + 1, vec![dep])]);
    }
    all.extend(unsigned);
    all
}

/// Says that there is much of a log, and hears it asked for.
fn asked() -> Door {
    let mut door = Door::open();
    let head = Head { log: Store::new(2).log, seq: 900_000, hash: DeltaHash([1; 32]) };
    door.say(Frame::Heads(vec![head]));
    door
}

fn answer(deltas: &[SignedDelta]) -> Frame {
    let deltas = deltas.iter().map(wire).collect();
    Frame::Deltas(Deltas { cause: Cause::Answer { id: 1, is_last: false }, deltas })
}

#[test]
fn what_is_held_is_looked_through_a_few_times_however_it_is_tangled() {
    let mut door = asked();
    let content = door.store.put_blob(b"");
    let deltas = tangled(500, content);
    for deltas in deltas.chunks(500) {
        door.say(answer(deltas)).goes_on();
    }
    assert_eq!((door.mesh.held()[0].0, door.store.n_deltas()), (deltas.len(), 0));
    let n_looks = door.store.n_looks.take();
    assert!(n_looks < 20 * deltas.len(), "{n_looks} looks for {} deltas", deltas.len());
    // Nor does what adds nothing let it begin anew.
    for _ in 0..100 {
        door.say(answer(&[])).say(answer(&deltas[..1]));
    }
    let n_looks = door.store.n_looks.take();
    assert!(n_looks < 2_000, "{n_looks} looks for nothing new");
    // Once somebody vouches for the first, all goes.
    let first = deltas[0].clone();
    let signature = Store::new(2).key.sign_delta(&first.hash);
    door.live(&[SignedDelta { signature, ..first }]);
    assert_eq!(door.store.n_deltas(), deltas.len());
}

#[test]
fn what_comes_in_small_pieces_is_looked_through_seldom_and_goes_all_the_same() {
    let mut door = asked();
    let content = door.store.put_blob(b"");
    let deltas = tangled(HELD_LIVE_MAX as u32, content);
    door.say(answer(&deltas[..600])).say(answer(&deltas[600..1_200]));
    door.store.n_looks.take();
    for delta in &deltas[1_200..] {
        door.say(answer(std::slice::from_ref(delta))).goes_on();
    }
    let n_looks = door.store.n_looks.take();
    assert!(n_looks < 500 * deltas.len(), "{n_looks} looks for {} deltas", deltas.len());
    let first = deltas[0].clone();
    let signature = Store::new(2).key.sign_delta(&first.hash);
    door.live(&[SignedDelta { signature, ..first }]).wait(100);
    assert_eq!(door.store.n_deltas(), deltas.len());
}

#[test]
fn what_is_held_goes_as_soon_as_another_link_brought_its_past() {
    let (mut door, mut peer) = (Door::joined(), Store::new(2));
    let past = Store::new(3).write(START_MS);
    let brought = [Incoming { bytes: encode_delta(&past.delta).0, signed: past }];
    peer.receive(&brought);
    let after = peer.write(START_MS);
    door.live(std::slice::from_ref(&after));
    // Asked again, the peer has nothing more: it is asked less and less often.
    for _ in 0..40 {
        door.outputs.clear();
        door.wait(500);
        for frame in door.sent() {
            if let Frame::Want(Want { id, .. }) = frame {
                door.say(Frame::Deltas(Deltas { cause: Cause::Answer { id, is_last: true }, deltas: vec![] }));
            }
        }
    }
    assert!(door.store.key(&after.hash).is_none());
    door.store.receive(&brought);
    let (fresh, now) = (door.store.sync(), door.now());
    door.mesh.durable(&fresh, &mut door.store, now);
    door.wait(600);
    assert!(door.store.key(&after.hash).is_some());
}

#[test]
fn what_is_held_is_bounded_in_bytes() {
    let peer = Store::new(2);
    let mut door = Door::open();
    let head = Head { log: peer.log, seq: 900_000, hash: codesync_base::DeltaHash([1; 32]) };
    door.say(Frame::Heads(vec![head]));
    let big = Change::Session { person: "x".repeat(60_000), device_name: String::new() };
    let mut n_sent = 0;
    for n in 0..400u32 {
        let step = Step { at_ms: 0, file: 0, change: big.clone() };
        let mut delta = peer.draft(Hlc { wall_ms: START_MS, counter: n }, vec![], vec![step]);
        delta.seq = 10 + n;
        delta.group = 1;
        delta.prev = codesync_base::DeltaHash([1; 32]);
        let signed = SignedDelta { signature: [0; 64], ..peer.sign(delta) };
        let cause = Cause::Answer { id: 1, is_last: false };
        door.say(Frame::Deltas(Deltas { cause, deltas: vec![wire(&signed)] }));
        if door.outputs.contains(&Output::Close) {
            break;
        }
        n_sent += 1;
    }
    door.ended(Reason::Limit);
    let (_, held_bytes) = door.mesh.held()[0];
    assert!(held_bytes <= HELD_BYTES_MAX && n_sent > 80, "{held_bytes} {n_sent}");
}

#[test]
fn more_than_the_credit_ends_the_link() {
    let mut door = Door::open();
    door.is_slow = true;
    let mut peer = Store::new(2);
    let long = Change::Session { person: "x".repeat(60_000), device_name: String::new() };
    door.say(Frame::Heads(vec![Head { log: peer.log, seq: 99, hash: codesync_base::DeltaHash([1; 32]) }]));
    let mut sent_bytes = 0;
    for _ in 0..100 {
        let signed = peer.write_steps(START_MS, vec![Step { at_ms: 0, file: 0, change: long.clone() }]);
        let delta = wire(&signed);
        sent_bytes += (delta.bytes.0.len() + DELTA_COST_BYTES) as u64;
        door.say(Frame::Deltas(Deltas { cause: Cause::Answer { id: 1, is_last: false }, deltas: vec![delta] }));
        if sent_bytes > CREDIT_BYTES {
            return door.ended(Reason::Limit);
        }
        door.goes_on();
    }
    panic!("the credit has no end");
}

#[test]
fn a_flood_of_live_deltas_is_cut_and_asked_for_instead() {
    let deltas = written(1_500);
    let mut door = Door::joined();
    for deltas in deltas.chunks(500) {
        door.live(deltas).goes_on();
    }
    assert!(door.told(&Event::Flooded));
    assert_eq!(door.store.n_deltas(), 1_000);
    door.wait(600);
    assert!(door.sent().iter().any(|frame| matches!(frame, Frame::Want(_))));
    // Two hundred a second go for ever.
    let mut door = Door::joined();
    for deltas in deltas.chunks(20) {
        door.wait(100).live(deltas);
    }
    assert_eq!(door.store.n_deltas(), 1_500);
}

#[test]
fn presence_that_comes_too_often_is_not_shown() {
    let mut door = Door::joined();
    for n in 0..100 {
        door.say(Frame::Presence(Bytes(vec![n])));
    }
    let n_shown = door.outputs.iter().filter(|output| matches!(output, Output::Presence(_))).count();
    assert_eq!(n_shown, PRESENCE_PER_SECOND as usize);
    // The newest is not lost.
    door.wait(1_000);
    assert_eq!(
        door.outputs.iter().rfind(|output| matches!(output, Output::Presence(_))),
        Some(&Output::Presence(vec![99]))
    );
}

#[test]
fn nobody_gets_an_answer_in_that_was_not_asked_for() {
    let answer = |id| Frame::Deltas(Deltas { cause: Cause::Answer { id, is_last: true }, deltas: vec![] });
    let mut door = Door::joined();
    door.say(answer(1)).ended(Reason::Malformed);
    let hash = BlobHash::of(b"abc");
    let chunk = BlobChunk { hash, total_bytes: 3, offset: 0, bytes: Bytes(b"abc".to_vec()) };
    let mut door = Door::joined();
    door.say(Frame::Blob(Blob::Chunk(chunk))).ended(Reason::Malformed);
    let mut door = Door::joined();
    door.say(Frame::Snapshot(Snapshot::End(Signature([0; 64])))).ended(Reason::Malformed);
}

#[test]
fn a_content_that_is_not_what_its_name_says_ends_the_link() {
    let mut peer = Store::new(2);
    let named = peer.write_blob(START_MS, b"what was promised".to_vec());
    let hash = named.delta.blobs().next().unwrap();
    let mut door = Door::joined();
    door.live(&[named]);
    assert!(door.sent().iter().any(|frame| matches!(frame, Frame::Blob(Blob::Want(_)))));
    let chunk = BlobChunk { hash, total_bytes: 3, offset: 0, bytes: Bytes(b"bad".to_vec()) };
    door.say(Frame::Blob(Blob::Chunk(chunk))).ended(Reason::Malformed);
    assert_eq!((door.store.n_deltas(), door.store.blob(&hash)), (0, None));
}

#[test]
fn contents_of_what_is_refused_anyway_are_not_asked_for() {
    let asks = |door: &Door| door.sent().iter().any(|frame| matches!(frame, Frame::Blob(Blob::Want(_))));
    let mut peer = Store::new(2);
    let deltas = [b"one", b"two"].map(|bytes| peer.write_blob(START_MS, bytes.to_vec()));
    for is_viewer in [false, true] {
        let mut door = Door::joined();
        door.store.viewers.extend(Some(peer.log.device).filter(|_| is_viewer));
        // Without its past it is of no use.
        door.live(&deltas[1..]).goes_on();
        assert_eq!((asks(&door), door.mesh.held()[0].0), (false, 1));
        // It is delivered at once, to be refused.
        door.live(&deltas[..1]).goes_on();
        assert_eq!((asks(&door), door.mesh.held()[0].0), (!is_viewer, 2 - usize::from(is_viewer)));
    }
    // Who sends it says whose it is, and nobody vouches for that.
    let unsigned = SignedDelta { signature: [0; 64], ..deltas[0].clone() };
    let mut door = Door::joined();
    door.live(&[unsigned]);
    assert!(!asks(&door));
    door.live(&deltas[1..]);
    assert!(asks(&door));
}

#[test]
fn a_request_for_too_much_of_a_content_ends_the_link() {
    let mut door = Door::joined();
    let range = BlobRange { hash: BlobHash::of(b""), offset: 0, length: BLOB_REQUEST_BYTES_MAX + 1 };
    door.say(Frame::Blob(Blob::Want(vec![range]))).ended(Reason::Limit);
    // Nor does it come to more in parts.
    let want = |n| Frame::Blob(Blob::Want(vec![BlobRange { length: BLOB_REQUEST_BYTES_MAX, ..range }; n]));
    Door::joined().say(want(5)).goes_on();
    Door::joined().say(want(6)).ended(Reason::Limit);
}

#[test]
fn a_proof_of_a_fork_has_to_prove_it() {
    let deltas = written(2);
    let mut door = Door::joined();
    door.say(Frame::Fork(Box::new([wire(&deltas[0]), wire(&deltas[1])]))).ended(Reason::Forged);
    let peer = Store::new(2);
    let hlc = Hlc { wall_ms: START_MS, counter: 0 };
    let [first, second] = [1, 2].map(|at_ms| peer.sign(peer.draft(hlc, vec![], vec![Store::step(at_ms)])));
    let mut door = Door::joined();
    door.say(Frame::Fork(Box::new([wire(&first), wire(&second)]))).goes_on();
    assert!(door.told(&Event::Forked(Box::new(Fork { first, second }))));
}

#[test]
fn a_snapshot_has_to_be_signed_by_the_peer() {
    let mut door = Door::open();
    door.say(Frame::Heads(vec![Head { log: Store::new(2).log, seq: 1, hash: codesync_base::DeltaHash([1; 32]) }]));
    door.say(Frame::Snapshot(Snapshot::End(Signature([3; 64])))).ended(Reason::Forged);
}

/// A delta in the n-th log of a device that begins as many as it likes.
fn first_of(n: u32) -> SignedDelta {
    let mut peer = Store::new(2);
    peer.log.incarnation = n;
    peer.write(START_MS)
}

fn heads_in(frames: &[Frame]) -> Vec<Head> {
    let heads = frames.iter().filter_map(|frame| match frame {
        Frame::Heads(heads) | Frame::Stored(heads) => Some(heads.clone()),
        _ => None,
    });
    heads.flatten().collect()
}

#[test]
fn any_number_of_logs_is_told_and_none_ends_a_link() {
    let mut door = Door::closed();
    let all: Vec<SignedDelta> = (0..FRAME_HEADS_MAX as u32 + 10).map(first_of).collect();
    all.into_iter().for_each(|signed| {
        door.store.receive(&[Incoming { bytes: encode_delta(&signed.delta).0, signed }]);
    });
    door.store.sync();
    door.say(Frame::Hello(hello()));
    door.say(Frame::Heads(vec![])).goes_on();
    let told = door.sent();
    assert_eq!(heads_in(&told), door.store.heads());
    assert!(told.iter().all(|frame| frame.encode().len() <= FRAME_BYTES_MAX));
}

#[test]
fn logs_above_the_limit_are_passed_over_and_the_link_goes_on() {
    let head = |n: u32| {
        let mut log = Store::new(2).log;
        log.incarnation = n;
        Head { log, seq: 1, hash: codesync_base::DeltaHash([1; 32]) }
    };
    let mut door = Door::joined();
    for first in (0..LOGS_MAX as u32 + 100).step_by(1_024) {
        door.say(Frame::Stored((first..first + 1_024).map(head).collect())).goes_on();
    }
    assert_eq!(door.mesh.heads_told(LINK).len(), LOGS_MAX);
    let fresh = first_of(900_000);
    door.live(std::slice::from_ref(&fresh)).goes_on();
    assert!(door.store.key(&fresh.hash).is_some());
}

#[test]
fn what_was_not_told_is_asked_for_once_something_builds_on_it() {
    let liar = Store::new(3);
    let hlc = Hlc { wall_ms: START_MS, counter: 0 };
    let [here, there] = [1, 2].map(|at_ms| liar.sign(liar.draft(hlc, vec![], vec![Store::step(at_ms)])));
    let here_in = |log: LogId| Head { log, seq: 1, hash: here.hash };
    // Another branch of the log is told; or more logs than anybody keeps account of, and not this one.
    let begun = |incarnation| here_in(LogId { incarnation, ..Store::new(4).log });
    for told in [vec![here_in(liar.log)], (0..LOGS_MAX as u32).map(begun).collect()] {
        let mut door = Door::open();
        door.store.receive(&[Incoming { bytes: encode_delta(&here.delta).0, signed: here.clone() }]);
        door.store.sync();
        door.say(Frame::Heads(vec![]));
        for heads in told.chunks(1_024) {
            door.say(Frame::Stored(heads.to_vec()));
        }
        let peer = Store::new(2);
        let after = Hlc { wall_ms: START_MS + 1, counter: 0 };
        let past = Head { log: liar.log, seq: 1, hash: there.hash };
        door.live(&[peer.sign(peer.draft(after, vec![past], vec![Store::step(START_MS)]))]);
        door.wait(600);
        let asks = |frame: &Frame| matches!(frame, Frame::Want(want) if want.logs.iter().any(|of| of.log == liar.log));
        assert!(door.sent().iter().any(asks), "with {} logs", told.len());
    }
}

#[test]
fn what_comes_back_shows_that_the_peer_has_it() {
    let mut door = Door::joined();
    // Progress is not told more often than people can read it.
    door.wait(5_000);
    door.store.write(START_MS);
    let (fresh, now) = (door.store.sync(), door.now());
    door.mesh.durable(&fresh, &mut door.store, now);
    door.work();
    assert!(door.told(&Event::Progress { receive_left: 0, send_left: 1 }));
    door.outputs.clear();
    // Somebody else was faster, so the peer believes that it is news here.
    door.live(&fresh);
    assert!(door.told(&Event::Progress { receive_left: 0, send_left: 0 }), "{:?}", door.outputs);
}
