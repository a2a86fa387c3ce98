//! The activity list, as it reads at somebody who was not there.

#![allow(clippy::unwrap_used)]

use crate::links::tests::{World, joined};
use codesync_api::{Event, LogQuery, Moment as At, Reply, Request, RestoreTarget};
use codesync_base::{Role, ShareFrom};

impl World {
    fn ask(&mut self, n: usize, request: Request) -> Reply {
        self.now_ms += 1;
        let now = self.now();
        let reply = self.engines[n].handle(request, now).unwrap();
        self.sync(n);
        reply
    }

    fn records(&mut self, n: usize, steps: bool) -> Vec<codesync_api::LogRecord> {
        let query = LogQuery { steps, limit: 1_000, ..LogQuery::default() };
        match self.ask(n, Request::Log { query }) {
            Reply::Log { records, .. } => records,
            other => panic!("{other:?}"),
        }
    }

    fn sentences(&mut self, n: usize) -> Vec<String> {
        self.records(n, false).into_iter().filter_map(|record| record.sentence).collect()
    }
}

#[test]
fn what_others_did_reads_well() {
    let mut world = World::new(2);
    let (now, asha, bo) = (world.now(), world.engines[0].device(), world.engines[1].device());
    world.engines[1] = joined(1);
    world.engines[0].uphold_rights(None).unwrap();
    world.engines[1].uphold_rights(Some(asha)).unwrap();
    world.edit(0, "a.rs", 0, "one\n");
    world.engines[0].grant(bo, "Bo", Role::Viewer, ShareFrom::Past, now).unwrap();
    world.sync(0);
    world.connect(0, 1);
    world.run();
    world.engines[0].grant(bo, "Bo", Role::Editor, ShareFrom::Past, now).unwrap();
    world.sync(0);
    world.run();
    world.edit(1, "a.rs", 0, "zero\n");
    world.ask(1, Request::Rename { from: "a.rs".into(), to: "b.rs".into() });
    world.ask(1, Request::SendMessage { text: "look".into(), link: None });
    world.ask(1, Request::NameMoment { name: "works".into(), note: None, at: None });
    world.run();
    world.engines[0].take_events();
    world.now_ms += 3_000;
    world.edit(1, "b.rs", 0, "not ");
    let at = At::Name("works".into());
    world.ask(1, Request::Restore { target: RestoreTarget::File { path: "b.rs".into() }, at });
    world.run();
    let told = world.engines[0].take_events();
    let acts: Vec<_> =
        told.iter().filter_map(|event| if let Event::Act(act) = event { Some(act) } else { None }).collect();
    let restored = &acts.last().unwrap();
    assert!(restored.sentence.starts_with("Bo restored b.rs to ") && restored.author == "Bo", "{restored:?}");
    world.ask(1, Request::Delete { path: "b.rs".into() });
    world.run();
    world.engines[0].remove_member(bo, now).unwrap();
    world.sync(0);
    let sentences = world.sentences(0);
    let expected = [
        "Asha created a.rs.",
        "Bo joined as viewer.",
        "Asha made Bo an editor.",
        "Bo renamed a.rs to b.rs.",
        "Bo named a moment “works”.",
        &restored.sentence,
        "Bo deleted b.rs.",
        "Asha removed Bo.",
    ];
    assert_eq!(sentences, expected);
    assert!(world.records(0, false).iter().all(|record| record.kind != "chat"));
    assert!(world.records(0, true).iter().any(|record| record.kind == "chat"));
}

#[test]
fn a_folder_that_was_renamed_is_told_from_its_files() {
    let moved = |old, new| super::moved_folder(old, new).map(|(old, new)| format!("{old} {new}"));
    assert_eq!(moved("docs/guide.md", "manual/guide.md").as_deref(), Some("docs manual"));
    assert_eq!(moved("a/b/c/d.rs", "a/x/c/d.rs").as_deref(), Some("a/b a/x"));
    assert_eq!(moved("src/a.rs", "src/b.rs"), None);
    // It went into another, or came out of it.
    assert_eq!(moved("docs/guide.md", "old/docs/guide.md"), None);
    assert_eq!(moved("old/docs/guide.md", "docs/guide.md"), None);
}
