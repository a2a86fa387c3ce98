//! The doors, each with good bytes to begin with.

use codesync_api::{Moment as At, Place as ApiPlace, Reply, Request, Signal, Splice as Edit};
use codesync_auth::{
    About, Access, AskGuest, AskHost, Card, CardMessage, Code, CodeGuest, CodeHost, Connection, DeviceKey, Invitation,
    Pass, Place, verify_delta, verify_token,
};
use codesync_base::{
    Checkpoint, CutNode, Delta, DeltaHash, Head, LogId, ProjectId, RelPath, Role, ShareFrom, SignedDelta, Splice,
    TextUnits, decode_delta, encode_delta,
};
use codesync_doc::{OpenDelta, TextDocument};
use codesync_engine::{Arrived, Engine, Now, Profile};
use codesync_log::{Disk, Log, MemoryDisk, MemoryIndex, Options};
use codesync_sync::{Admission, Bytes, Cause, Deltas, Frame, Hello, LinkId, Moment, Signature, WireDelta, limits};

/// Takes one input: whether it was taken for good, or the rule that it broke.
pub type Opened = Box<dyn FnMut(&[u8]) -> Result<bool, String>>;

/// A door.
pub struct Door {
    pub name: &'static str,
    pub open: fn() -> Opened,
    pub corpus: fn() -> Vec<Vec<u8>>,
    /// After so many inputs it is opened anew.
    pub inputs_per_opening: u64,
}

/// All of them. What a knock is worth (`node::together::knock`) is one comparison of 32 bytes, and needs no more.
pub const DOORS: &[Door] = &[
    Door { name: "frames", open: frames, corpus: golden_frames, inputs_per_opening: u64::MAX },
    Door { name: "link", open: link, corpus: link_frames, inputs_per_opening: 400 },
    Door { name: "deltas", open: deltas, corpus: golden_deltas, inputs_per_opening: u64::MAX },
    Door { name: "checkpoints", open: checkpoints, corpus: golden_checkpoints, inputs_per_opening: u64::MAX },
    Door { name: "units", open: units, corpus: some_units, inputs_per_opening: u64::MAX },
    Door { name: "bodies", open: bodies, corpus: honest_deltas, inputs_per_opening: 400 },
    Door { name: "grants", open: grants, corpus: access_deltas, inputs_per_opening: 400 },
    Door { name: "paths", open: paths, corpus: some_paths, inputs_per_opening: u64::MAX },
    Door { name: "journal", open: journal, corpus: golden_segments, inputs_per_opening: u64::MAX },
    Door { name: "bundles", open: bundles, corpus: some_bundles, inputs_per_opening: u64::MAX },
    Door { name: "pairing", open: pairing, corpus: golden_pairing, inputs_per_opening: u64::MAX },
    Door { name: "cards", open: cards, corpus: some_cards, inputs_per_opening: u64::MAX },
    Door { name: "presence", open: presence, corpus: some_presences, inputs_per_opening: 20_000 },
    Door { name: "tokens", open: tokens, corpus: some_tokens, inputs_per_opening: u64::MAX },
];

const PROJECT: ProjectId = ProjectId([7; 16]);
const START_MS: u64 = 1_790_000_000_000;

fn now(ms: u64) -> Now {
    Now { ms: START_MS + ms, local_offset_minutes: 0 }
}

fn moment(ms: u64) -> Moment {
    Moment { steady_ms: ms, wall_ms: START_MS + ms }
}

fn key(n: u8) -> DeviceKey {
    DeviceKey::from_seed(&[n; 32])
}

/// Bytes in hexadecimal, one a line, behind the last blank.
fn from_hex(text: &str) -> Vec<Vec<u8>> {
    let digits = text.lines().filter_map(|line| line.split_whitespace().last());
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap_or_default(), 16).ok();
    let bytes = |digits: &str| digits.as_bytes().chunks(2).map(byte).collect::<Option<Vec<u8>>>();
    digits.filter_map(bytes).collect()
}

fn golden_frames() -> Vec<Vec<u8>> {
    from_hex(include_str!("../../sync/src/frame/golden-frames.txt"))
}

fn frames() -> Opened {
    Box::new(|input| {
        let Ok(frame) = Frame::decode(input, limits::FRAME_BYTES_MAX) else { return Ok(false) };
        let again = frame.encode();
        match Frame::decode(&again, limits::FRAME_BYTES_MAX) {
            Ok(same) if same == frame => Ok(true),
            _ => Err("a frame that was read is not what is written of it".into()),
        }
    })
}

fn golden_deltas() -> Vec<Vec<u8>> {
    let golden = [
        include_str!("../../base/src/wire/golden-delta.txt"),
        include_str!("../../base/src/wire/golden-rights.txt"),
        include_str!("../../base/src/wire/golden-chat.txt"),
    ];
    let mut all: Vec<Vec<u8>> =
        golden.iter().flat_map(|text| from_hex(text)).filter(|bytes| bytes.len() > 32).collect();
    all.extend(honest_deltas());
    all
}

fn deltas() -> Opened {
    Box::new(|input| {
        let Ok((delta, hash)) = decode_delta(input) else { return Ok(false) };
        if encode_delta(&delta) != (input.to_vec(), hash) {
            return Err("a delta has two names".into());
        }
        Ok(true)
    })
}

fn golden_checkpoints() -> Vec<Vec<u8>> {
    from_hex(include_str!("../../base/src/checkpoint/golden.txt"))
}

fn checkpoints() -> Opened {
    Box::new(|input| {
        let whole = Checkpoint::decode(input).map(|checkpoint| checkpoint.encode());
        let node = CutNode::decode(input).map(|node| node.encode());
        let again: Vec<Vec<u8>> = whole.into_iter().chain(node).collect();
        match again.iter().all(|again| again == input) {
            true => Ok(!again.is_empty()),
            false => Err("a checkpoint has two names".into()),
        }
    })
}

/// Texts of two who typed, deleted and typed at the same place.
fn some_units() -> Vec<Vec<u8>> {
    let log = |n| LogId { device: key(n).device(), incarnation: 0 };
    let mut text = TextDocument::new();
    text.integrate_base(log(1), 1, "one\ntwo 😀\n");
    let mut all = vec![text.units().encode()];
    for (n, seq, at) in [(2, 3, 4), (1, 5, 5), (2, 9, 0)] {
        let mut open = OpenDelta { log: log(n), seq, logs: vec![] };
        text.edit(&mut open, &Splice::new(at, 2, "new 世界")).expect("it is in the text");
        all.push(text.units().encode());
    }
    all
}

/// A text made of others' units can be edited, and takes in steps that stand anywhere.
fn units() -> Opened {
    Box::new(|input| {
        let Ok(units) = TextUnits::decode(input) else { return Ok(false) };
        let Ok(mut text) = TextDocument::from_units(&units) else { return Ok(false) };
        let end = text.len_utf16();
        let mut open = OpenDelta { log: LogId { device: key(8).device(), incarnation: 0 }, seq: 1, logs: vec![] };
        let step = text.edit(&mut open, &Splice::new(end, 0, "end")).map_err(|error| error.to_string())?;
        let delta = Delta {
            project: PROJECT,
            log: LogId { device: key(9).device(), incarnation: 0 },
            seq: 1,
            prev: DeltaHash::ZERO,
            hlc: codesync_base::Hlc::default(),
            deps: vec![],
            origin: codesync_base::Origin::Typing,
            group: 1,
            logs: open.logs,
            files: vec![],
            steps: vec![],
        };
        // As if it had been typed into the empty text: somewhere between all units.
        let insert = step.insert.map(|insert| codesync_base::Insert { left: None, right: None, ..insert });
        let anywhere = codesync_base::TextStep { position: 0, delete: vec![], insert };
        let splices = text.integrate(&delta, &anywhere, &codesync_base::NoBlobs).map_err(|error| error.to_string())?;
        match splices.len() {
            1 if text.len_utf16() == end + 6 => Ok(true),
            _ => Err("a step was not taken in whole".into()),
        }
    })
}

/// A workspace of somebody who let the attacker (key 9) in as an owner, with work in it.
fn workspace() -> Engine {
    let (log, _) = Log::in_memory(Options::new(verify_delta)).expect("a log in memory can be opened");
    let profile = Profile {
        new_project: PROJECT,
        person: "Asha".into(),
        device_name: "laptop".into(),
        root: "/work/demo".into(),
        incarnation: 0,
    };
    let mut engine = Engine::open(log, key(1), profile, now(0)).expect("an empty log is a new workspace");
    engine.uphold_rights(None).expect("rights can be read");
    engine.grant(key(9).device(), "Eve", Role::Owner, ShareFrom::Past, now(1)).expect("the founder lets in");
    for (n, path) in ["a.txt", "src/b.rs", "a.txt", "notes/c.md"].into_iter().enumerate() {
        let edits = vec![Edit(0, 0, format!("line {n} 😀\n"))];
        engine.handle(Request::EditFile { path: path.into(), edits }, now(10 + n as u64)).expect("an owner may edit");
    }
    engine.sync(now(20)).expect("memory takes everything");
    engine.open_links("0.1.0", Box::new(|_, _, _: Option<&Access>| Admission::Welcome));
    engine
}

/// The attacker's own copy.
fn attacker() -> Engine {
    let mut host = workspace();
    let (log, _) = Log::in_memory(Options::new(verify_delta)).expect("a log in memory can be opened");
    let profile = Profile {
        new_project: PROJECT,
        person: "Eve".into(),
        device_name: "laptop".into(),
        root: "/work/demo".into(),
        incarnation: 0,
    };
    let mut engine = Engine::join(log, key(9), profile).expect("an empty log can be joined");
    engine.uphold_rights(Some(key(1).device())).expect("rights can be read");
    let all = all_of(&mut host).iter().map(Arrived::of).collect();
    engine.receive(all, now(30)).expect("memory takes everything");
    engine
}

/// What they could say in earnest when they work in it.
fn attackers_log() -> Vec<SignedDelta> {
    let mut engine = attacker();
    let ask = |engine: &mut Engine, request: Request, ms: u64| drop(engine.handle(request, now(ms)));
    let edit = |path: &str, at: u32, deleted: u32, text: &str| Request::EditFile {
        path: path.into(),
        edits: vec![Edit(at, deleted, text.into())],
    };
    ask(&mut engine, edit("a.txt", 3, 2, "Eve 😀"), 40);
    ask(&mut engine, edit("new.txt", 0, 0, "mine\n"), 50);
    ask(&mut engine, Request::Rename { from: "src/b.rs".into(), to: "src/d.rs".into() }, 60);
    ask(&mut engine, Request::Delete { path: "notes/c.md".into() }, 70);
    ask(&mut engine, edit("a.txt", 0, 6, ""), 80);
    ask(&mut engine, Request::UndoLast, 90);
    let grant = engine.grant(key(3).device(), "Mallory", Role::Editor, ShareFrom::Past, now(100));
    grant.and_then(|()| engine.change_role(key(3).device(), Role::Viewer, now(110))).expect("an owner governs");
    engine.remove_member(key(3).device(), now(120)).expect("an owner governs");
    engine.sync(now(130)).expect("memory takes everything");
    let own = key(9).device();
    all_of(&mut engine).into_iter().filter(|signed| signed.delta.log.device == own).collect()
}

fn all_of(engine: &mut Engine) -> Vec<SignedDelta> {
    engine.sync(now(25)).expect("memory takes everything");
    let mut all = Vec::new();
    engine.log().for_each(&mut |signed| all.push(signed.clone())).expect("memory can be read");
    all
}

fn honest_deltas() -> Vec<Vec<u8>> {
    attackers_log().iter().map(|signed| encode_delta(&signed.delta).0).collect()
}

fn access_deltas() -> Vec<Vec<u8>> {
    let is_access = |signed: &&SignedDelta| {
        signed.delta.steps.iter().any(|step| matches!(step.change, codesync_base::Change::Access(_)))
    };
    attackers_log().iter().filter(is_access).map(|signed| encode_delta(&signed.delta).0).collect()
}

/// What a good delta does in an engine when the bytes of it were changed: made to go on from the attacker's log as it is
/// here, and signed, so that it gets as far as it can.
fn bodies() -> Opened {
    let mut engine = workspace();
    let mut ms = 1_000;
    Box::new(move |input| {
        let Ok((delta, _)) = decode_delta(input) else { return Ok(false) };
        ms += 10;
        Ok(offer(&mut engine, delta, ms))
    })
}

/// The same for changes of rights; and afterwards somebody is still owner.
fn grants() -> Opened {
    let mut engine = workspace();
    let mut ms = 1_000;
    Box::new(move |input| {
        let Ok((delta, _)) = decode_delta(input) else { return Ok(false) };
        ms += 10;
        let is_taken = offer(&mut engine, delta, ms);
        match engine.members().iter().any(|member| member.role == Some(Role::Owner)) {
            true => Ok(is_taken),
            false => Err("nobody is owner any more".into()),
        }
    })
}

fn offer(engine: &mut Engine, mut delta: codesync_base::Delta, ms: u64) -> bool {
    let own = LogId { device: key(9).device(), incarnation: 0 };
    let head = engine.log().head(&own);
    delta.log = own;
    delta.seq = head.map_or(1, |head| head.seq + 1);
    delta.prev = head.map_or(DeltaHash::ZERO, |head| head.hash);
    delta.group = delta.seq;
    delta.hlc.wall_ms = delta.hlc.wall_ms.max(START_MS + ms);
    let heads: Vec<Head> = engine.log().heads().into_iter().filter(|head| head.log != own).collect();
    delta.deps = heads;
    let (bytes, hash) = encode_delta(&delta);
    let arrived = Arrived { bytes, signature: key(9).sign_delta(&hash) };
    let received = engine.receive(vec![arrived], now(ms)).expect("memory takes everything");
    engine.sync(now(ms)).expect("memory takes everything");
    received.n_new > 0
}

/// Frames of a link from its beginning: Hello, then whatever.
fn link_frames() -> Vec<Vec<u8>> {
    let mut all = golden_frames();
    let wire = |signed: &SignedDelta| WireDelta {
        bytes: Bytes(encode_delta(&signed.delta).0),
        signature: Some(Signature(signed.signature)),
    };
    let deltas: Vec<WireDelta> = attackers_log().iter().map(wire).collect();
    all.extend(
        deltas.iter().map(|delta| Frame::Deltas(Deltas { cause: Cause::Live, deltas: vec![delta.clone()] }).encode()),
    );
    all.push(Frame::Deltas(Deltas { cause: Cause::Answer { id: 1, is_last: true }, deltas }).encode());
    all
}

fn link() -> Opened {
    let mut engine = workspace();
    let mut next = 1;
    let mut is_open = false;
    Box::new(move |input| {
        let ms = 1_000 + next;
        if !is_open {
            next += 1;
            engine.connect(LinkId(next), vec![], moment(ms));
            engine.handle_frame(LinkId(next), &hello(9), moment(ms));
            is_open = true;
        }
        engine.handle_frame(LinkId(next), input, moment(ms));
        engine.tend_links(moment(ms + 500));
        engine.sync(now(ms)).expect("memory takes everything");
        engine.pass_on(moment(ms));
        for (n_held, held_bytes) in engine.held_for_links() {
            if n_held > limits::HELD_ASKED_MAX || held_bytes > limits::HELD_BYTES_MAX {
                return Err("too much is kept for a peer".into());
            }
        }
        let outputs = engine.take_link_outputs();
        engine.take_events();
        let is_closed = outputs.iter().any(|(_, output)| matches!(output, codesync_engine::LinkOutput::Close));
        if is_closed {
            engine.disconnect(LinkId(next));
            is_open = false;
        }
        Ok(!is_closed)
    })
}

fn hello(n: u8) -> Vec<u8> {
    let hello = Hello {
        oldest: 1,
        newest: 1,
        software: "0".into(),
        project: PROJECT,
        device: key(n).device(),
        wall_ms: START_MS,
        token: Bytes(vec![]),
    };
    Frame::Hello(hello).encode()
}

/// Where the attacker is and what they ask, in files and at units that are there.
fn some_presences() -> Vec<Vec<u8>> {
    let mut all = from_hex(include_str!("../../engine/src/presence/golden-presence.txt"));
    let mut engine = attacker();
    engine.sync(now(35)).expect("memory takes everything");
    engine.open_links("0.1.0", Box::new(|_, _, _: Option<&Access>| Admission::Welcome));
    engine.connect(LinkId(1), vec![], moment(40));
    engine.handle_frame(LinkId(1), &hello(1), moment(40));
    let at = |path: &str, selections: &[(u32, u32)]| ApiPlace {
        path: Some(path.into()),
        selections: selections.to_vec(),
        top_line: 1,
        ..ApiPlace::default()
    };
    let asked = [
        Request::ShowPlace { place: at("a.txt", &[(0, 4), (9, 9)]) },
        Request::ShowPlace { place: at("src/b.rs", &[(1, 1)]) },
        Request::Signal(Signal::Bring { path: "a.txt".into(), line: 2, to: None }),
        Request::Signal(Signal::AskToEdit),
    ];
    for (n, request) in (1..).zip(asked) {
        drop(engine.handle(Request::OpenView { path: "a.txt".into() }, now(40 + n * 1_000)));
        while engine.read_ahead() {}
        engine.handle(request, now(40 + n * 1_000)).expect("whoever is here may say so");
        engine.tend_links(moment(40 + n * 1_000));
        let sent = engine.take_link_outputs().into_iter().filter_map(|(_, output)| match output {
            codesync_engine::LinkOutput::Send(bytes) => Frame::decode(&bytes, limits::FRAME_BYTES_MAX).ok(),
            _ => None,
        });
        all.extend(sent.filter_map(|frame| match frame {
            Frame::Presence(bytes) => Some(bytes.0),
            _ => None,
        }));
    }
    all
}

/// What a member says of where they are: it is shown inside of files that are there, or not at all.
fn presence() -> Opened {
    let mut engine = workspace();
    engine.handle(Request::OpenView { path: "a.txt".into() }, now(50)).expect("it is there");
    let mut ms = 1_000;
    Box::new(move |input| {
        ms += 40;
        engine.take_presence(key(9).device(), input, now(ms));
        engine.tend_links(moment(ms));
        let is_taken = !engine.take_events().is_empty();
        let Ok(Reply::Presences { presences }) = engine.handle(Request::Presences, now(ms)) else {
            return Err("nobody can ask where people are any more".into());
        };
        for place in presences.into_iter().filter_map(|presence| presence.place) {
            let Some(path) = place.path else { continue };
            let is_in_memory = path == "a.txt";
            let Ok(Reply::File(file)) = engine.handle(Request::FileAt { path, at: At::Now }, now(ms)) else {
                return Err("somebody is shown in a file that is not there".into());
            };
            let n_units = file.text.unwrap_or_default().encode_utf16().count() as u32;
            // In a text that nobody reads here they are where their author saw them.
            let is_outside = place.selections.iter().any(|(anchor, head)| *anchor > n_units || *head > n_units);
            if is_in_memory && is_outside {
                return Err("somebody is shown outside of a text".into());
            }
        }
        Ok(is_taken)
    })
}

fn some_paths() -> Vec<Vec<u8>> {
    let all =
        ["a.txt", "src/main.rs", "grün/🙂.md", "../x", ".git/hooks/x", "CON", "a/./b", "x\u{202e}txt.exe", "A/b/C/d/e"];
    all.iter().map(|path| path.as_bytes().to_vec()).collect()
}

fn paths() -> Opened {
    Box::new(|input| {
        let Ok(text) = std::str::from_utf8(input) else { return Ok(false) };
        let Ok(path) = RelPath::parse(text) else { return Ok(false) };
        let bad = |name: &str| matches!(name, "" | "." | ".." | ".git" | ".codesync") || name.contains(['\\', '\0']);
        if path.as_str().starts_with('/') || path.components().any(bad) {
            return Err(format!("a path that leads astray: {path:?}"));
        }
        match RelPath::parse(path.as_str()) {
            Ok(same) if same == path => Ok(true),
            _ => Err(format!("a path that is none: {path:?}")),
        }
    })
}

const GOLDEN_STORE: &[(&str, &[u8])] = &[
    ("VERSION", include_bytes!("../../log/tests/golden/format-1/VERSION")),
    ("journal/00000002.seg", include_bytes!("../../log/tests/golden/format-1/journal/00000002.seg")),
    ("journal/00000005.seg", include_bytes!("../../log/tests/golden/format-1/journal/00000005.seg")),
    ("journal/00000012.seg", include_bytes!("../../log/tests/golden/format-1/journal/00000012.seg")),
    ("journal/00000013.seg", include_bytes!("../../log/tests/golden/format-1/journal/00000013.seg")),
];

/// The number of a segment, and its bytes.
fn golden_segments() -> Vec<Vec<u8>> {
    (1..GOLDEN_STORE.len() as u8).map(|n| [&[n], GOLDEN_STORE[usize::from(n)].1].concat()).collect()
}

/// A store of which one segment is not what it was: opened, it says what it has, and can be read.
fn journal() -> Opened {
    Box::new(|input| {
        let Some((n, bytes)) = input.split_first() else { return Ok(false) };
        let which = 1 + usize::from(*n) % (GOLDEN_STORE.len() - 1);
        let mut disk = MemoryDisk::new();
        for (idx, (name, good)) in GOLDEN_STORE.iter().enumerate() {
            let bytes = if idx == which { bytes } else { good };
            disk.replace(name, bytes).expect("memory takes everything");
        }
        let opened = Log::open_with(Box::new(disk), Box::new(MemoryIndex::new()), Options::new(verify_delta));
        let Ok((mut log, _)) = opened else { return Ok(false) };
        let mut n_read = 0;
        let is_read = log.for_each(&mut |_| n_read += 1).is_ok();
        drop(log.verify(&mut |_, _| {}));
        drop(log.repair());
        if is_read && n_read != log.n_deltas() {
            return Err(format!("{n_read} deltas are read of {}", log.n_deltas()));
        }
        Ok(is_read)
    })
}

fn some_bundles() -> Vec<Vec<u8>> {
    let (bytes, _) = workspace().export_bundle().expect("memory can be read");
    vec![bytes]
}

fn bundles() -> Opened {
    Box::new(|input| Ok(codesync_engine::Bundle::read(input).is_ok()))
}

const CONNECTION: Connection = Connection { host_peer: [1; 32], guest_peer: [2; 32] };
const CODE: &str = "7-crossover-clockwork";

fn golden_pairing() -> Vec<Vec<u8>> {
    let mut all = from_hex(include_str!("../../auth/src/pairing/golden-pairing.txt"));
    all.extend([CODE.as_bytes().to_vec(), b"7 Crossover CLOCKWORK".to_vec()]);
    all
}

fn invitation() -> Invitation {
    let place = Place {
        project: PROJECT,
        name: "lab".into(),
        founder: key(1).device(),
        role: Role::Editor,
        share_from: ShareFrom::Past,
    };
    Invitation::new(Code::parse(CODE).expect("a good code"), place, START_MS)
}

/// Both ends of both ways in, each as far as one message gets, and the code itself as text.
fn pairing() -> Opened {
    Box::new(|input| {
        let about = || About::new("Asha", "desk");
        let reply = CodeHost::new(CONNECTION, about(), [1; 32]).handle(&mut invitation(), &key(1), input, START_MS);
        let (mut guest, first) =
            CodeGuest::start(Code::parse(CODE).expect("a good code"), CONNECTION, &key(2), &about(), [2; 32]);
        let mut host = CodeHost::new(CONNECTION, about(), [3; 32]);
        let mut open = invitation();
        let answer = host.handle(&mut open, &key(1), &first, START_MS);
        // The second message of the host's, and of the guest's, as somebody in between would have them.
        drop(host.handle(&mut open, &key(1), input, START_MS));
        drop(guest.handle(&key(2), input));
        if let Some(bytes) = answer.send {
            drop(guest.handle(&key(2), &bytes));
            drop(guest.handle(&key(2), input));
        }
        drop(AskHost::new(CONNECTION, about(), [4; 32], START_MS).handle(&key(1), input, START_MS));
        drop(AskGuest::start(CONNECTION, &key(2), about(), [5; 32]).0.handle(&key(2), input));
        let (_, _) = (CodeHost::channel(input), AskHost::is_for(input));
        let is_code = std::str::from_utf8(input).is_ok_and(|text| Code::parse(text).is_ok());
        Ok(is_code || !reply.is_over)
    })
}

fn some_cards() -> Vec<Vec<u8>> {
    let about = About::new("Asha", "desk");
    let shares = Some(codesync_auth::Shared::new(&PROJECT, "lab", 3));
    let card = CardMessage::Card(Card { device: key(1).device(), about, shares, invites: true });
    let all = [card, CardMessage::Hint([4; 32]), CardMessage::Withdrawn];
    all.iter().map(|message| message.encode(&key(1), &[1; 32], &[2; 32])).collect()
}

fn cards() -> Opened {
    let read = |input: &[u8]| CardMessage::decode(input, &[1; 32], &[2; 32]);
    let good: Vec<_> = some_cards().iter().map(|card| read(card)).collect();
    Box::new(move |input| match read(input) {
        card @ Ok(CardMessage::Card(_)) if !good.contains(&card) => Err("a card that nobody signed is taken".into()),
        message => Ok(message.is_ok()),
    })
}

fn some_tokens() -> Vec<Vec<u8>> {
    let pass = Pass { project: PROJECT, peer: [1; 32], role: Role::Editor, access_head: DeltaHash::ZERO, id: [3; 16] };
    vec![pass.issue(&key(1), START_MS / 1_000, 900).into_bytes()]
}

fn tokens() -> Opened {
    let good = some_tokens().remove(0);
    Box::new(move |input| {
        let Ok(text) = std::str::from_utf8(input) else { return Ok(false) };
        let is_taken = verify_token(text, &PROJECT, &[1; 32], START_MS / 1_000).is_ok();
        if is_taken && input != good { Err("a token that was not issued is good".into()) } else { Ok(is_taken) }
    })
}
