#![allow(clippy::unwrap_used)]
use super::*;
use crate::Options;
use crate::tests::Peer;
use codesync_api::{LinkState, Member, Request, Together as Told};
use codesync_auth::{DeviceKey, Other};
use codesync_base::Role;
use std::sync::mpsc;

fn with_a_member() -> Peer {
    let mut peer = Peer::new(&[]);
    let runtime = peer.runtime();
    runtime.engine.uphold_rights(None).unwrap();
    let bo = Other { device: DeviceKey::from_seed(&[2; 32]).device(), about: About::new("Bo", "laptop") };
    let place = runtime.place(Role::Editor);
    runtime.grant(&bo, &place, now()).unwrap();
    peer
}

#[test]
fn a_pause_goes_on_in_the_next_process_until_somebody_ends_it() {
    let mut peer = with_a_member();
    let link = |peer: &mut Peer| match peer.reopen_killed().ask(Request::Together) {
        Ok(Reply::Together(together)) => together.link,
        other => panic!("{other:?}"),
    };
    assert_eq!(link(&mut peer), LinkState::Offline);
    peer.ask(Request::Pause { is_paused: true }).unwrap();
    assert_eq!(link(&mut peer), LinkState::Paused);
    // This process does not stay, and takes no part in any network.
    peer.ask(Request::Pause { is_paused: false }).unwrap_err();
    assert_eq!(link(&mut peer), LinkState::Offline);
}

#[test]
fn that_a_clock_is_wrong_is_told_once_and_not_at_every_link() {
    let mut peer = with_a_member();
    let (sender, events) = mpsc::sync_channel(100);
    peer.runtime().subscribers.push(sender);
    for (link, device) in [(1, 2), (2, 2), (3, 3)] {
        let device = DeviceKey::from_seed(&[device; 32]).device();
        let joined = LinkEvent::Joined { device, software: "0.1.0".into(), clock_offset_ms: 3_600_000 + link };
        peer.runtime().note_link(LinkId(link as u64), LinkOutput::Tell(joined));
    }
    let is_of_clocks = |event: &Event| matches!(event, Event::Notice(notice) if notice.id == "MSG-CLOCK-1");
    assert_eq!(events.try_iter().filter(is_of_clocks).count(), 2);
}

#[test]
fn whose_program_is_too_old_is_said_as_the_document_says_it() {
    let said = |id: &str, person: Option<&str>| {
        let notice = versions_apart(id, person, "0.0.9");
        format!("{} {}", notice.title, notice.body).replace(env!("CARGO_PKG_VERSION"), "0.3")
    };
    assert_eq!(
        said("MSG-VER-1", Some("Bo")),
        "Bo's CodeSync is too old to edit with yours (Bo 0.0.9 · you 0.3). You can both go on working; changes will \
         merge after Bo updates."
    );
    assert_eq!(
        said("MSG-VER-2", Some("Asha")),
        "Your CodeSync is too old to edit with Asha's (you 0.3 · Asha 0.0.9). Your work is safe here and will merge \
         after you update."
    );
    assert!(said("MSG-VER-2", None).starts_with("Your CodeSync is too old to edit with another computer's (you"));
    assert_eq!(plain_version("0.3.0\u{202e}<b>\n"), "0.3.0b");
    assert_eq!(plain_version("\u{202e}"), "unknown");
}

#[test]
fn another_version_is_worth_a_word_and_none_is_not() {
    assert_eq!(other_version(env!("CARGO_PKG_VERSION")), None);
    assert_eq!(other_version("\n"), None);
    assert_eq!(other_version("0.3.1"), Some("0.3.1".into()));
}

#[test]
fn work_here_tells_anew_how_far_others_are_behind_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { person: Some("Asha".into()), watch: false, create: true };
    let mut runtime = Runtime::open(&folder.path().canonicalize().unwrap(), &options).unwrap();
    runtime.begin(None).unwrap();
    let (sender, events) = mpsc::sync_channel(8);
    runtime.turn(vec![Message::Subscribe(sender)]);
    // Were the list made anew, Bo would not be in it: nobody let him in.
    let asha = runtime.together().members.remove(0);
    let bo = Member { device: "07".repeat(32), person: "Bo".into(), is_self: false, n_behind: 7, ..asha.clone() };
    runtime.people.told = Told { members: vec![asha, bo], ..Told::default() };
    (runtime.people.is_stale, runtime.people.stale_at) = (false, None);
    runtime.people.behind_at = Some(Instant::now());
    runtime.tell_people();
    let Ok(Event::Together(told)) = events.try_recv() else { panic!("nothing is told") };
    assert_eq!(told.members.iter().map(|member| member.n_behind).collect::<Vec<_>>(), [0, 0]);
    assert_eq!(runtime.people.patience(&runtime.engine, 0), None);
}
