#![allow(clippy::unwrap_used)]
use super::*;
use crate::{Code, CodeLength};
use codesync_base::{BlobHash, hex};
use proptest::prelude::*;

const NOW_MS: u64 = 1_790_000_000_000;
const CONNECTION: Connection = Connection { host_peer: [1; 32], guest_peer: [2; 32] };

fn host_key() -> DeviceKey {
    DeviceKey::from_seed(&[10; 32])
}

fn guest_key() -> DeviceKey {
    DeviceKey::from_seed(&[20; 32])
}

fn asha() -> About {
    About::new("Asha", "desk")
}

fn bo() -> About {
    About::new("Bo", "ThinkPad-Bo")
}

fn place() -> Place {
    Place {
        project: ProjectId([5; 16]),
        name: "parser-lab".into(),
        founder: host_key().device(),
        role: Role::Editor,
        share_from: ShareFrom::Checkpoint(BlobHash([5; 32])),
    }
}

fn invitation(code: &str) -> Invitation {
    Invitation::new(Code::parse(code).unwrap(), place(), NOW_MS)
}

fn host(seed: u8) -> CodeHost {
    CodeHost::new(CONNECTION, asha(), [seed; 32])
}

fn guest(code: &str, seed: u8) -> (CodeGuest, Vec<u8>) {
    CodeGuest::start(Code::parse(code).unwrap(), CONNECTION, &guest_key(), &bo(), [seed; 32])
}

/// What both ends were told.
#[derive(Default)]
struct Told {
    host: Vec<CodeHostEvent>,
    guest: Vec<CodeGuestEvent>,
    n_messages: usize,
}

impl Told {
    fn is_host_sure(&self) -> bool {
        self.host.iter().any(|event| matches!(event, CodeHostEvent::Proved { .. }))
    }

    fn is_guest_sure(&self) -> bool {
        self.guest.iter().any(|event| !matches!(event, CodeGuestEvent::Failed(_)))
    }
}

/// Carries messages to and fro; `meddle` may change the n-th.
fn run(
    invitation: &mut Invitation,
    host: &mut CodeHost,
    guest: (CodeGuest, Vec<u8>),
    now_ms: u64,
    mut meddle: impl FnMut(usize, Vec<u8>) -> Vec<u8>,
) -> Told {
    let (mut guest, first) = guest;
    let mut told = Told::default();
    let mut to_host = Some(first);
    while let Some(bytes) = to_host.take() {
        let reply = host.handle(invitation, &host_key(), &meddle(told.n_messages, bytes), now_ms);
        told.n_messages += 1;
        let is_proved = matches!(reply.event, Some(CodeHostEvent::Proved { .. }));
        told.host.extend(reply.event);
        let to_guest = if is_proved { host.grant(b"signed grant") } else { reply.send };
        let Some(bytes) = to_guest else { break };
        let reply = guest.handle(&guest_key(), &meddle(told.n_messages, bytes));
        told.n_messages += 1;
        told.guest.extend(reply.event);
        to_host = reply.send.filter(|_| !reply.is_over);
    }
    told
}

fn untouched(_n: usize, bytes: Vec<u8>) -> Vec<u8> {
    assert!(bytes.len() <= MESSAGE_BYTES_MAX);
    bytes
}

#[test]
fn who_says_the_code_is_in_and_the_code_is_used() {
    let mut invitation = invitation("7-crossover-clockwork");
    let told = run(&mut invitation, &mut host(1), guest("7 Crossover CLOCKWORK", 2), NOW_MS, untouched);
    let guest_there = Other { device: guest_key().device(), about: bo() };
    let host_there = Other { device: host_key().device(), about: asha() };
    assert_eq!(told.host, [CodeHostEvent::Proved { guest: guest_there, place: place() }]);
    let granted = CodeGuestEvent::Granted(b"signed grant".to_vec());
    assert_eq!(told.guest, [CodeGuestEvent::Proved { host: host_there, place: place() }, granted]);
    assert_eq!(invitation.state(NOW_MS), InvitationState::Used);
    let again = run(&mut invitation, &mut host(3), guest("7-crossover-clockwork", 4), NOW_MS, untouched);
    assert_eq!(again.guest, [CodeGuestEvent::Failed(Failure::Closed(Closed::NoCode))]);
}

#[test]
fn six_words_stand_for_a_day() {
    let code = Code::draw(CodeLength::Long, &[9; 32]);
    let mut invitation = Invitation::new(code.clone(), place(), NOW_MS);
    let late_ms = NOW_MS + LONG_CODE_MS - 1;
    let told = run(&mut invitation, &mut host(1), guest(&code.to_string(), 2), late_ms, untouched);
    assert!(told.is_host_sure() && told.is_guest_sure());
}

#[test]
fn three_wrong_tries_switch_the_code_off() {
    let mut invitation = invitation("7-crossover-clockwork");
    for n_left in [2, 1, 0] {
        let told = run(&mut invitation, &mut host(1), guest("7-crossover-violin", 2), NOW_MS, untouched);
        let closed = if n_left == 0 { Closed::SwitchedOff } else { Closed::WrongCode { n_left } };
        assert_eq!(told.host, [CodeHostEvent::WrongCode { n_left }]);
        assert_eq!(told.guest, [CodeGuestEvent::Failed(Failure::Closed(closed))]);
    }
    let told = run(&mut invitation, &mut host(1), guest("7-crossover-clockwork", 2), NOW_MS, untouched);
    assert!(!told.is_host_sure());
    assert_eq!(told.guest, [CodeGuestEvent::Failed(Failure::Closed(Closed::SwitchedOff))]);
}

#[test]
fn tries_begun_before_the_code_was_switched_off_are_too_late() {
    let mut invitation = invitation("7-crossover-clockwork");
    let mut pairs: Vec<_> = (0..20u8)
        .map(|n| {
            let mut host = host(n);
            let code = if n < 10 { "7-harbor-violin" } else { "7-crossover-clockwork" };
            let (mut guest, knock) = guest(code, 100 + n);
            let answer = host.handle(&mut invitation, &host_key(), &knock, NOW_MS).send.unwrap();
            let attempt = guest.handle(&guest_key(), &answer).send.unwrap();
            (host, attempt)
        })
        .collect();
    for (host, attempt) in &mut pairs {
        let reply = host.handle(&mut invitation, &host_key(), attempt, NOW_MS);
        assert!(!matches!(reply.event, Some(CodeHostEvent::Proved { .. })));
    }
    assert_eq!((invitation.n_wrong(), invitation.state(NOW_MS)), (TRIES_MAX, InvitationState::SwitchedOff));
}

#[test]
fn a_code_runs_out_even_in_the_middle() {
    let mut invitation = invitation("7-crossover-clockwork");
    let mut host = host(1);
    let (mut guest, knock) = guest("7-crossover-clockwork", 2);
    let answer = host.handle(&mut invitation, &host_key(), &knock, NOW_MS).send.unwrap();
    let attempt = guest.handle(&guest_key(), &answer).send.unwrap();
    let reply = host.handle(&mut invitation, &host_key(), &attempt, NOW_MS + SHORT_CODE_MS);
    assert!(reply.is_over && reply.event.is_none());
    let reply = guest.handle(&guest_key(), &reply.send.unwrap());
    assert_eq!(reply.event, Some(CodeGuestEvent::Failed(Failure::Closed(Closed::RunOut))));
}

#[test]
fn a_clock_that_is_put_back_by_a_day_ends_a_code_and_the_time_of_who_asks() {
    let day_ms = 24 * 60 * 60 * 1_000;
    let code = Code::draw(CodeLength::Long, &[9; 32]);
    for invitation in [invitation("7-crossover-clockwork"), Invitation::new(code, place(), NOW_MS)] {
        assert_eq!(invitation.state(NOW_MS - 1_000), InvitationState::Open, "it is set right all the time");
        assert_eq!(invitation.state(NOW_MS - day_ms), InvitationState::RunOut);
    }
    let host = ask_host(1);
    assert!(!host.is_over(NOW_MS - 1_000) && host.is_over(NOW_MS - day_ms));
}

/// The host and what the guest says next, after so many messages of the guest were answered.
fn begun(invitation: &mut Invitation, n_answered: usize) -> (CodeHost, CodeGuest, Vec<u8>) {
    let mut host = host(1);
    let (mut guest, mut said) = guest("7-crossover-clockwork", 2);
    for _ in 0..n_answered {
        let answer = host.handle(invitation, &host_key(), &said, NOW_MS).send.unwrap();
        said = guest.handle(&guest_key(), &answer).send.unwrap();
    }
    (host, guest, said)
}

#[test]
fn what_was_begun_with_one_invitation_is_over_with_the_next() {
    for n_answered in [1, 2] {
        let (mut first, mut next) = (invitation("7-crossover-clockwork"), invitation("7-harbor-violin"));
        let (mut host, mut guest, said) = begun(&mut first, n_answered);
        let reply = host.handle(&mut next, &host_key(), &said, NOW_MS);
        assert!(reply.is_over && reply.event.is_none(), "{:?}", reply.event);
        let told = guest.handle(&guest_key(), &reply.send.unwrap()).event;
        assert_eq!(told, Some(CodeGuestEvent::Failed(Failure::Closed(Closed::NoCode))));
        assert_eq!((next.n_wrong(), next.state(NOW_MS)), (0, InvitationState::Open));
    }
}

#[test]
fn who_turns_back_at_what_the_host_shows_uses_up_no_code() {
    let mut invitation = invitation("7-crossover-clockwork");
    // The host has matched the code, and never hears who the guest is.
    begun(&mut invitation, 2);
    assert_eq!((invitation.n_wrong(), invitation.state(NOW_MS)), (0, InvitationState::Open));
    let told = run(&mut invitation, &mut host(3), guest("7-crossover-clockwork", 4), NOW_MS, untouched);
    assert!(told.is_host_sure() && told.is_guest_sure());
}

#[test]
fn an_invitation_answers_on_its_channel_only() {
    let (_, knock) = guest("8-crossover-clockwork", 2);
    assert_eq!(CodeHost::channel(&knock), Some(8));
    let reply = host(1).handle(&mut invitation("7-crossover-clockwork"), &host_key(), &knock, NOW_MS);
    assert_eq!(reply.event, Some(CodeHostEvent::Failed(Failure::Malformed)));
    let (mut guest, _) = guest("8-crossover-clockwork", 2);
    let reply = guest.handle(&guest_key(), &CodeHost::no_code());
    assert_eq!(reply.event, Some(CodeGuestEvent::Failed(Failure::Closed(Closed::NoCode))));
}

#[test]
fn somebody_in_between_who_only_passes_on_is_found_out() {
    // Both ends know the code; the connections are not one, but two that end in the middle.
    let mut invitation = invitation("7-crossover-clockwork");
    let with_host = Connection { guest_peer: [66; 32], ..CONNECTION };
    let mut host = CodeHost::new(with_host, asha(), [1; 32]);
    let told = run(&mut invitation, &mut host, guest("7-crossover-clockwork", 2), NOW_MS, untouched);
    assert!(!told.is_host_sure() && !told.is_guest_sure());
    assert_eq!(told.host, [CodeHostEvent::WrongCode { n_left: 2 }]);
}

#[test]
fn a_host_that_does_not_know_the_code_is_found_out() {
    let mut theirs = invitation("7-harbor-violin");
    let mut host = host(1);
    let (mut guest, knock) = guest("7-crossover-clockwork", 2);
    let answer = host.handle(&mut theirs, &host_key(), &knock, NOW_MS).send.unwrap();
    guest.handle(&guest_key(), &answer).send.unwrap();
    // It says "right" to whatever comes.
    let matched = Message::Match { proof: [0; 32], sealed: vec![0; 200] }.encode();
    let reply = guest.handle(&guest_key(), &matched);
    assert_eq!(reply.event, Some(CodeGuestEvent::Failed(Failure::NotProved)));
}

#[test]
fn a_changed_bit_anywhere_ends_it() {
    let mut lengths = Vec::new();
    run(
        &mut invitation("7-crossover-clockwork"),
        &mut host(1),
        guest("7-crossover-clockwork", 2),
        NOW_MS,
        |_, bytes| {
            lengths.push(bytes.len());
            bytes
        },
    );
    assert_eq!(lengths.len(), 6);
    for (n, length) in lengths.into_iter().enumerate() {
        for byte in (0..length).step_by(if n < 3 { 1 } else { 7 }) {
            let mut invitation = invitation("7-crossover-clockwork");
            let meddle = |at: usize, mut bytes: Vec<u8>| {
                if at == n {
                    bytes[byte] ^= 1 << (byte % 8);
                }
                bytes
            };
            let told = run(&mut invitation, &mut host(1), guest("7-crossover-clockwork", 2), NOW_MS, meddle);
            let is_granted = told.guest.iter().any(|event| matches!(event, CodeGuestEvent::Granted(_)));
            assert!(!is_granted, "message {n}, byte {byte}");
            assert!(n >= 5 || !told.is_host_sure(), "message {n}, byte {byte}");
        }
    }
}

/// One wrong code after the other, each weighed by a host that has the right one. Returns how many passed.
fn n_wrong_codes_that_pass(from: u64, n_codes: u64) -> u64 {
    let right = Code::parse("7-crossover-clockwork").unwrap();
    let (host_key, guest_key) = (host_key(), guest_key());
    let (mut n_passed, mut n_tried, mut draw) = (0, 0, from);
    let mut invitation = Invitation::new(right.clone(), place(), NOW_MS);
    while n_tried < n_codes {
        draw += 1;
        let seed = digest("codesync test", &[&draw.to_le_bytes()]);
        let drawn = Code::draw(CodeLength::Short, &seed).to_string();
        let code = Code::parse(&format!("7{}", &drawn[1..])).unwrap();
        if code == right {
            continue;
        }
        n_tried += 1;
        if invitation.state(NOW_MS) != InvitationState::Open {
            invitation = Invitation::new(right.clone(), place(), NOW_MS);
        }
        let (mut guest, knock) = CodeGuest::start(code, CONNECTION, &guest_key, &bo(), seed);
        let mut host = CodeHost::new(CONNECTION, asha(), random(&seed, "host"));
        let answer = host.handle(&mut invitation, &host_key, &knock, NOW_MS).send.unwrap();
        let attempt = guest.handle(&guest_key, &answer).send.unwrap();
        let reply = host.handle(&mut invitation, &host_key, &attempt, NOW_MS);
        n_passed += u64::from(!matches!(reply.event, Some(CodeHostEvent::WrongCode { .. })));
    }
    n_passed
}

#[test]
fn no_wrong_code_passes() {
    assert_eq!(n_wrong_codes_that_pass(0, 400), 0);
}

/// `cargo test --release -p codesync-auth million_wrong -- --ignored --nocapture`; `WRONG_CODES` for another number.
#[test]
#[ignore = "minutes; a proof to be run by hand in release"]
fn a_million_wrong_codes_and_none_passes() {
    let n_codes: u64 = std::env::var("WRONG_CODES").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let started = std::time::Instant::now();
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let n_passed: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads)
            .map(|n| scope.spawn(move || n_wrong_codes_that_pass(n << 40, n_codes.div_ceil(n_threads))))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    let seconds = started.elapsed().as_secs_f64();
    println!("{n_codes} wrong codes, {n_passed} passed, {:.0}/s", n_codes as f64 / seconds);
    assert_eq!(n_passed, 0);
}

fn ask_host(seed: u8) -> AskHost {
    AskHost::new(CONNECTION, asha(), [seed; 32], NOW_MS)
}

/// Up to where both screens show words; the messages may be changed on their way.
fn asked(
    host: &mut AskHost,
    guest: &mut AskGuest,
    ask: Vec<u8>,
    mut meddle: impl FnMut(usize, Vec<u8>) -> Vec<u8>,
) -> (Option<AskHostEvent>, Option<AskGuestEvent>) {
    let commit = host.handle(&host_key(), &meddle(0, ask), NOW_MS);
    let Some(commit) = commit.send else { return (commit.event, None) };
    let half = guest.handle(&guest_key(), &meddle(1, commit));
    let Some(half) = half.send else { return (None, half.event) };
    let reveal = host.handle(&host_key(), &meddle(2, half), NOW_MS);
    let Some(bytes) = reveal.send else { return (reveal.event, None) };
    (reveal.event, guest.handle(&guest_key(), &meddle(3, bytes)).event)
}

#[test]
fn who_asks_sees_the_same_words_and_is_let_in() {
    let mut host = ask_host(1);
    let (mut guest, ask) = AskGuest::start(CONNECTION, &guest_key(), bo(), [2; 32]);
    assert!(AskHost::is_for(&ask) && CodeHost::channel(&ask).is_none());
    let (at_host, at_guest) = asked(&mut host, &mut guest, ask, untouched);
    let Some(AskHostEvent::Asked { guest: who, words }) = at_host else { panic!("{at_host:?}") };
    assert_eq!(who, Other { device: guest_key().device(), about: bo() });
    let host_there = Other { device: host_key().device(), about: asha() };
    assert_eq!(at_guest, Some(AskGuestEvent::Waiting { host: host_there.clone(), words }));
    let let_in = host.let_in(&host_key(), &place(), b"signed grant", NOW_MS + 1_000).unwrap();
    let reply = guest.handle(&guest_key(), &let_in);
    let grant = b"signed grant".to_vec();
    assert_eq!(reply.event, Some(AskGuestEvent::LetIn { host: host_there, place: place(), grant }));
    assert!(reply.is_over && host.let_in(&host_key(), &place(), b"", NOW_MS).is_none());
}

#[test]
fn names_are_told_without_what_cannot_be_seen_in_them() {
    let loud = About { person: "Bo\u{202e}\u{1b}\u{200b}".into(), device_name: "Think\nPad-Bo".into() };
    let loud_place = Place { name: "parser\u{2066}-lab".into(), ..place() };
    let host_there = Other { device: host_key().device(), about: bo() };
    let mut host = AskHost::new(CONNECTION, loud.clone(), [1; 32], NOW_MS);
    let (mut guest, ask) = AskGuest::start(CONNECTION, &guest_key(), loud.clone(), [2; 32]);
    let (at_host, at_guest) = asked(&mut host, &mut guest, ask, untouched);
    let Some(AskHostEvent::Asked { guest: who, words }) = at_host else { panic!("{at_host:?}") };
    assert_eq!(who.about, bo());
    assert_eq!(at_guest, Some(AskGuestEvent::Waiting { host: host_there.clone(), words }));
    let let_in = host.let_in(&host_key(), &loud_place, b"", NOW_MS).unwrap();
    let expected = AskGuestEvent::LetIn { host: host_there.clone(), place: place(), grant: vec![] };
    assert_eq!(guest.handle(&guest_key(), &let_in).event, Some(expected));
    let mut invitation = invitation("7-crossover-clockwork");
    invitation.set_place(loud_place);
    let mut host = CodeHost::new(CONNECTION, loud.clone(), [1; 32]);
    let code = invitation.code().clone();
    let guest = CodeGuest::start(code, CONNECTION, &guest_key(), &loud, [2; 32]);
    let told = run(&mut invitation, &mut host, guest, NOW_MS, untouched);
    let [CodeHostEvent::Proved { guest, .. }] = &told.host[..] else { panic!("{:?}", told.host) };
    assert_eq!(guest.about, bo());
    assert_eq!(told.guest[0], CodeGuestEvent::Proved { host: host_there, place: place() });
}

#[test]
fn who_is_declined_or_too_late_is_not_let_in() {
    let mut host = ask_host(1);
    let (mut guest, ask) = AskGuest::start(CONNECTION, &guest_key(), bo(), [2; 32]);
    asked(&mut host, &mut guest, ask, untouched);
    let reply = guest.handle(&guest_key(), &host.decline());
    assert_eq!(reply.event, Some(AskGuestEvent::Failed(Failure::Closed(Closed::Declined))));
    assert!(host.let_in(&host_key(), &place(), b"", NOW_MS).is_none());

    let mut wary = ask_host(1);
    let (mut guest, ask) = AskGuest::start(CONNECTION, &guest_key(), bo(), [2; 32]);
    asked(&mut wary, &mut guest, ask, untouched);
    let reply = guest.handle(&guest_key(), &wary.words_differ());
    assert_eq!(reply.event, Some(AskGuestEvent::Failed(Failure::Closed(Closed::WordsDiffer))));
    assert!(wary.let_in(&host_key(), &place(), b"", NOW_MS).is_none());

    let mut late = ask_host(1);
    let (mut guest, ask) = AskGuest::start(CONNECTION, &guest_key(), bo(), [2; 32]);
    asked(&mut late, &mut guest, ask, untouched);
    assert!(late.let_in(&host_key(), &place(), b"", NOW_MS + ASK_MS).is_none());
    let reply = late.handle(&host_key(), &guest.cancel(), NOW_MS);
    assert_eq!(reply.event, Some(AskHostEvent::Failed(Failure::Closed(Closed::Cancelled))));
}

#[test]
fn somebody_in_between_shows_different_words() {
    let mut n_alike = 0;
    for seed in 0..100u8 {
        // They are a host to the guest and a guest to the host, with keys of their own.
        let middle = DeviceKey::from_seed(&[99; 32]);
        let with_guest = Connection { host_peer: [66; 32], ..CONNECTION };
        let with_host = Connection { guest_peer: [66; 32], ..CONNECTION };
        let (mut guest, ask) = AskGuest::start(with_guest, &guest_key(), bo(), [seed; 32]);
        let mut false_host = AskHost::new(with_guest, asha(), [seed ^ 1; 32], NOW_MS);
        let (mut false_guest, false_ask) = AskGuest::start(with_host, &middle, bo(), [seed ^ 2; 32]);
        let mut host = AskHost::new(with_host, asha(), [seed ^ 3; 32], NOW_MS);
        let commit = false_host.handle(&middle, &ask, NOW_MS).send.unwrap();
        let half = guest.handle(&guest_key(), &commit).send.unwrap();
        let reveal = false_host.handle(&middle, &half, NOW_MS).send.unwrap();
        let Some(AskGuestEvent::Waiting { words: at_guest, .. }) = guest.handle(&guest_key(), &reveal).event else {
            panic!()
        };
        let commit = host.handle(&host_key(), &false_ask, NOW_MS).send.unwrap();
        let half = false_guest.handle(&middle, &commit).send.unwrap();
        let reply = host.handle(&host_key(), &half, NOW_MS);
        let Some(AskHostEvent::Asked { words: at_host, .. }) = reply.event else { panic!() };
        n_alike += u32::from(at_host == at_guest);
        // Passing on what the true ends say does not work at all: it is signed for another connection.
        let mut host = AskHost::new(with_host, asha(), [seed; 32], NOW_MS);
        let (mut guest, ask) = AskGuest::start(with_guest, &guest_key(), bo(), [seed; 32]);
        let told = asked(&mut host, &mut guest, ask, untouched);
        let at_guest = AskGuestEvent::Failed(Failure::Closed(Closed::Malformed));
        assert_eq!(told, (Some(AskHostEvent::Failed(Failure::NotProved)), Some(at_guest)));
    }
    assert_eq!(n_alike, 0);
}

#[test]
fn a_changed_bit_in_asking_changes_the_words_or_ends_it() {
    let mut lengths = Vec::new();
    let (mut guest, ask) = AskGuest::start(CONNECTION, &guest_key(), bo(), [2; 32]);
    asked(&mut ask_host(1), &mut guest, ask, |_, bytes| {
        lengths.push(bytes.len());
        bytes
    });
    for (n, length) in lengths.into_iter().enumerate() {
        for byte in 0..length {
            let meddle = |at: usize, mut bytes: Vec<u8>| {
                if at == n {
                    bytes[byte] ^= 1 << (byte % 8);
                }
                bytes
            };
            let (mut guest, ask) = AskGuest::start(CONNECTION, &guest_key(), bo(), [2; 32]);
            let (_, at_guest) = asked(&mut ask_host(1), &mut guest, ask, meddle);
            assert!(!matches!(at_guest, Some(AskGuestEvent::Waiting { .. })), "message {n}, byte {byte}");
        }
    }
}

#[test]
fn a_grant_is_bound_to_what_was_said() {
    let seeds = [(1, 2), (3, 4)];
    let [mut first, mut second] = seeds.map(|(host, guest)| {
        let mut host = ask_host(host);
        let (mut guest, ask) = AskGuest::start(CONNECTION, &guest_key(), bo(), [guest; 32]);
        asked(&mut host, &mut guest, ask, untouched);
        (host, guest)
    });
    let let_in = first.0.let_in(&host_key(), &place(), b"grant", NOW_MS).unwrap();
    let reply = second.1.handle(&guest_key(), &let_in);
    assert_eq!(reply.event, Some(AskGuestEvent::Failed(Failure::NotProved)));
    for byte in 0..let_in.len() {
        let mut host = ask_host(1);
        let (mut guest, ask) = AskGuest::start(CONNECTION, &guest_key(), bo(), [2; 32]);
        asked(&mut host, &mut guest, ask, untouched);
        let mut changed = let_in.clone();
        changed[byte] ^= 1 << (byte % 8);
        let reply = guest.handle(&guest_key(), &changed);
        assert!(matches!(reply.event, Some(AskGuestEvent::Failed(_))), "byte {byte}");
    }
}

#[test]
fn longer_messages_than_allowed_are_not_read() {
    let huge = vec![1; MESSAGE_BYTES_MAX + 1];
    let reply = host(1).handle(&mut invitation("7-crossover-clockwork"), &host_key(), &huge, NOW_MS);
    assert_eq!(reply.event, Some(CodeHostEvent::Failed(Failure::Malformed)));
    let reply = ask_host(1).handle(&host_key(), &[2, 0], NOW_MS);
    assert_eq!(reply.event, Some(AskHostEvent::Failed(Failure::Version(2))));
    let long = "ä".repeat(10_000);
    let (_, knock) = AskGuest::start(CONNECTION, &guest_key(), About::new(&long, &long), [2; 32]);
    assert!(knock.len() <= MESSAGE_BYTES_MAX);
    let mut host = host(1);
    assert!(host.grant(b"x").is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_bytes_at_any_time_end_it_without_a_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        at in 0..6usize,
        kind in 0..12u8,
        is_cut in any::<bool>(),
    ) {
        let meddle = |n: usize, real: Vec<u8>| match (n == at, is_cut) {
            (false, _) => real,
            (true, true) => [&real[..real.len() * 2 / 3], &bytes[..]].concat(),
            (true, false) => [&[1, kind][..], &bytes[..]].concat(),
        };
        let mut invitation = invitation("7-crossover-clockwork");
        let told = run(&mut invitation, &mut host(1), guest("7-crossover-clockwork", 2), NOW_MS, meddle);
        prop_assert!(!told.guest.iter().any(|event| matches!(event, CodeGuestEvent::Granted(_))));
        let (mut guest, ask) = AskGuest::start(CONNECTION, &guest_key(), bo(), [2; 32]);
        let (_, at_guest) = asked(&mut ask_host(1), &mut guest, ask, meddle);
        let is_waiting = matches!(at_guest, Some(AskGuestEvent::Waiting { .. }));
        prop_assert_eq!(is_waiting, at > 3);
    }

    #[test]
    fn random_messages_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..5_000)) {
        let versioned = [&[1], &bytes[..]].concat();
        for bytes in [&bytes, &versioned] {
            let _ = Message::decode(bytes, false);
            let _ = Message::decode(bytes, true);
        }
    }
}

/// With given seeds every byte of both ways is determined: another implementation can be held against this.
#[test]
fn golden_bytes_of_both_ways() {
    let mut golden = String::new();
    let mut invitation = invitation("7-crossover-clockwork");
    run(&mut invitation, &mut host(1), guest("7-crossover-clockwork", 2), NOW_MS, |n, bytes| {
        golden += &format!("code {n}: {}\n", hex(&bytes));
        bytes
    });
    let mut host = ask_host(1);
    let (mut guest, ask) = AskGuest::start(CONNECTION, &guest_key(), bo(), [2; 32]);
    let (told, _) = asked(&mut host, &mut guest, ask, |n, bytes| {
        golden += &format!("ask {n}: {}\n", hex(&bytes));
        bytes
    });
    let Some(AskHostEvent::Asked { words, .. }) = told else { panic!("{told:?}") };
    golden += &format!("words: {} {}\n", words[0], words[1]);
    let let_in = host.let_in(&host_key(), &place(), b"signed grant", NOW_MS).unwrap();
    golden += &format!("ask 4: {}\n", hex(&let_in));
    golden += &format!("declined: {}\n", hex(&host.decline()));
    golden += &format!("words differ: {}\n", hex(&host.words_differ()));
    expect_test::expect_file!["golden-pairing.txt"].assert_eq(&golden);
}

/// Changes real bytes in one of the ways in which bytes go wrong, or are made to.
fn mangled(real: &[u8], n: u64) -> Vec<u8> {
    let mut chance = [0; 96];
    blake3::Hasher::new().update(&n.to_le_bytes()).finalize_xof().fill(&mut chance);
    let mut bytes = real.to_vec();
    for change in chance.chunks_exact(4).take(usize::from(chance[95] % 6) + 1) {
        let (kind, value) = (change[0] % 6, change[3]);
        let at = usize::from(u16::from_le_bytes([change[1], change[2]])) % (bytes.len() + 1);
        match kind {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, value),
            2 => drop(bytes.splice(at..at, [0xff, 0xff, 0xff, 0xff, value])),
            3 => bytes.extend_from_slice(&chance[..usize::from(value) % 96]),
            _ if at < bytes.len() => bytes[at] ^= 1 << (value % 8),
            _ => {}
        }
    }
    bytes
}

/// All doors of this crate, with mangled bytes. Returns how many were tried.
fn knock_at_all_doors(from: u64, until: impl Fn(u64) -> bool) -> u64 {
    let mut messages: Vec<Vec<u8>> = Vec::new();
    let mut keep = |_: usize, bytes: Vec<u8>| {
        messages.push(bytes.clone());
        bytes
    };
    run(&mut invitation("7-crossover-clockwork"), &mut host(1), guest("7-crossover-clockwork", 2), NOW_MS, &mut keep);
    let (mut asking, ask) = AskGuest::start(CONNECTION, &guest_key(), bo(), [2; 32]);
    asked(&mut ask_host(1), &mut asking, ask, &mut keep);
    let pass = crate::Pass {
        project: place().project,
        peer: [1; 32],
        role: Role::Editor,
        access_head: Default::default(),
        id: [1; 16],
    };
    let token = pass.issue(&guest_key(), NOW_MS / 1_000, 60);
    let mut n = from;
    while until(n) {
        n += 1;
        let real = &messages[(n % messages.len() as u64) as usize];
        let bytes = mangled(real, n);
        let reply = host(1).handle(&mut invitation("7-crossover-clockwork"), &host_key(), &bytes, NOW_MS);
        assert!(!matches!(reply.event, Some(CodeHostEvent::Proved { .. })));
        let (mut guest, _) = guest("7-crossover-clockwork", 2);
        assert!(!matches!(guest.handle(&guest_key(), &bytes).event, Some(CodeGuestEvent::Granted(_))));
        ask_host(1).handle(&host_key(), &bytes, NOW_MS);
        let (mut asking, _) = AskGuest::start(CONNECTION, &guest_key(), bo(), [2; 32]);
        asking.handle(&guest_key(), &bytes);
        if let Ok(mangled) = String::from_utf8(mangled(token.as_bytes(), n)) {
            let verified = crate::verify_token(&mangled, &place().project, &[1; 32], NOW_MS / 1_000);
            assert!(verified.is_err() || mangled == token);
        }
        let text = String::from_utf8_lossy(&mangled("7-crossover-clockwork".as_bytes(), n)).into_owned();
        let _ = Code::parse(&text);
    }
    n - from
}

#[test]
fn mangled_bytes_open_no_door() {
    assert_eq!(knock_at_all_doors(0, |n| n < 300), 300);
}

/// `FUZZ_SECONDS=600 cargo test --release -p codesync-auth for_long -- --ignored --nocapture`
#[test]
#[ignore = "minutes; to be run by hand in release"]
fn mangled_bytes_open_no_door_for_long() {
    let seconds: u64 = std::env::var("FUZZ_SECONDS").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    let started = std::time::Instant::now();
    let n = knock_at_all_doors(1 << 40, |_| started.elapsed().as_secs() < seconds);
    println!("{n} mangled messages, tokens and codes in {seconds} s");
}
