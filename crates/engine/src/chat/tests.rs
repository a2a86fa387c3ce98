//! Messages between people, over links that are carried by hand.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::links::tests::{World, joined};
use codesync_api::{Reply, Request};
use codesync_base::{Role, ShareFrom};

impl World {
    fn say(&mut self, n: usize, text: &str, link: Option<ChatLink>) -> std::result::Result<(), ApiError> {
        self.now_ms += 1;
        let now = self.now();
        let said = self.engines[n].handle(Request::SendMessage { text: text.into(), link }, now);
        self.sync(n);
        said.map(drop)
    }

    fn page(&mut self, n: usize, before: Option<String>, limit: u32) -> (Vec<ChatMessage>, bool) {
        let now = self.now();
        match self.engines[n].handle(Request::ListMessages { before, limit }, now).unwrap() {
            Reply::Messages { messages, has_more } => (messages, has_more),
            other => panic!("{other:?}"),
        }
    }

    fn messages(&mut self, n: usize) -> Vec<ChatMessage> {
        self.page(n, None, 100).0
    }

    fn heard(&mut self, n: usize) -> Vec<ChatMessage> {
        let events = self.engines[n].take_events().into_iter();
        events.filter_map(|event| if let Event::Message(message) = event { Some(message) } else { None }).collect()
    }
}

fn linked() -> World {
    let mut world = World::new(2);
    world.edit(0, "a.rs", 0, "one\ntwo\nthree\n");
    world.connect(0, 1);
    world.run();
    for n in 0..2 {
        world.engines[n].take_events();
    }
    world
}

fn texts(messages: &[ChatMessage]) -> Vec<&str> {
    messages.iter().map(|message| message.text.as_str()).collect()
}

#[test]
fn what_is_said_is_heard_and_stays() {
    let mut world = linked();
    let n_moments = |world: &mut World| world.engines[1].view(&Scope::Workspace).unwrap().n_moments();
    let before = n_moments(&mut world);
    world.say(0, "  look at this \n", None).unwrap();
    let own = world.heard(0);
    assert!(own.len() == 1 && own[0].is_self && own[0].person == "Asha", "{own:?}");
    world.run();
    let heard = world.heard(1);
    assert_eq!(texts(&heard), ["look at this"]);
    assert!(!heard[0].is_self && heard[0].delta_id == own[0].delta_id && heard[0].person == "Asha");
    world.say(1, "ok", None).unwrap();
    world.run().assert_equal();
    assert_eq!(texts(&world.messages(0)), ["look at this", "ok"]);
    assert_eq!(texts(&world.messages(1)), ["look at this", "ok"]);
    // It is no change of anything.
    assert_eq!(n_moments(&mut world), before);
    assert_eq!(world.engines[1].count_moments(), before as u64);
    assert!(world.say(0, " \n ", None).is_err());
    assert!(world.say(0, &"x".repeat(limits::CHAT_BYTES_MAX + 1), None).is_err());
    world.say(0, &"é".repeat(limits::CHAT_BYTES_MAX / 2), None).unwrap();
    world.run().assert_equal();
}

#[test]
fn a_link_to_code_follows_the_text_and_the_file() {
    let mut world = linked();
    let link = Some(ChatLink::Code { path: "a.rs".into(), line: 2 });
    world.say(0, "here", link.clone()).unwrap();
    world.run();
    assert_eq!(world.heard(1)[0].link, link);
    world.edit(1, "a.rs", 0, "zero\n");
    let (now, rename) = (world.now(), Request::Rename { from: "a.rs".into(), to: "b.rs".into() });
    world.engines[1].handle(rename, now).unwrap();
    world.sync(1);
    world.run();
    for n in 0..2 {
        assert_eq!(world.messages(n)[0].link, Some(ChatLink::Code { path: "b.rs".into(), line: 3 }));
    }
    // Past the end there is no unit to follow.
    let end = ChatLink::Code { path: "b.rs".into(), line: 99 };
    world.say(1, "nowhere", Some(end.clone())).unwrap();
    assert_eq!(world.messages(1)[1].link, Some(end));
    assert!(world.say(1, "what", Some(ChatLink::Code { path: "no.rs".into(), line: 1 })).is_err());
}

#[test]
fn a_link_to_a_moment_is_the_same_moment_elsewhere() {
    let mut world = linked();
    world.edit(1, "b.rs", 0, "Bo\n");
    world.edit(0, "a.rs", 0, "zero\n");
    let moment = world.engines[0].view(&Scope::Workspace).unwrap().n_moments() as u64;
    let link = ChatLink::Moment { at_ms: 0, workspace_index: moment };
    world.say(0, "this one", Some(link)).unwrap();
    let told = world.heard(0)[0].link.clone();
    world.run().assert_equal();
    // Bo had a file of his own before it.
    let Some(ChatLink::Moment { workspace_index, at_ms }) = world.messages(1)[0].link.clone() else { panic!() };
    assert!(workspace_index > moment);
    assert!(matches!(told, Some(ChatLink::Moment { at_ms: then, .. }) if then == at_ms), "{told:?}");
    let now = world.now();
    let Ok(Reply::Moment(info)) =
        world.engines[1].handle(Request::MomentInfo { scope: Scope::Workspace, index: workspace_index }, now)
    else {
        panic!()
    };
    assert_eq!((info.path.as_deref(), info.at_ms), (Some("a.rs"), at_ms));
    assert!(world.say(0, "before all", Some(ChatLink::Moment { at_ms: 0, workspace_index: 0 })).is_err());
}

#[test]
fn pages_go_back_to_the_first() {
    let mut world = linked();
    for n in 0..25 {
        world.say(n % 2, &format!("{n}"), None).unwrap();
        world.run();
    }
    let mut all = Vec::new();
    let mut before = None;
    loop {
        let (page, has_more) = world.page(1, before.take(), 10);
        assert_eq!(page.len(), if has_more { 10 } else { 5 });
        before = Some(page[0].delta_id.clone());
        all.splice(0..0, page);
        if !has_more {
            break;
        }
    }
    assert_eq!(texts(&all), (0..25).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(world.page(1, Some("no such".into()), 10), (vec![], false));
}

#[test]
fn of_many_at_once_the_newest_are_told() {
    let mut world = World::new(2);
    for n in 0..30 {
        world.say(0, &format!("{n}"), None).unwrap();
    }
    world.connect(0, 1);
    world.run();
    let heard = world.heard(1);
    assert!(heard.len() <= 2 * TOLD_MAX && heard.last().unwrap().text == "29", "{}", heard.len());
    assert_eq!(world.messages(1).len(), 30);
}

#[test]
fn viewers_talk_and_strangers_do_not() {
    let mut world = World::new(2);
    let (now, asha, bo) = (world.now(), world.engines[0].device(), world.engines[1].device());
    world.engines[1] = joined(1);
    world.engines[0].uphold_rights(None).unwrap();
    world.engines[1].uphold_rights(Some(asha)).unwrap();
    world.engines[0].grant(bo, "Bo", Role::Viewer, ShareFrom::Past, now).unwrap();
    world.sync(0);
    world.connect(0, 1);
    world.run();
    assert!(world.engines[1].may(codesync_auth::Act::Edit).is_err());
    world.say(1, "may I?", None).unwrap();
    world.run().assert_equal();
    assert_eq!(texts(&world.messages(0)), ["may I?"]);
    let now = world.now();
    world.engines[0].remove_member(bo, now).unwrap();
    world.sync(0);
    world.run();
    assert!(world.say(1, "hello?", None).is_err());
}
