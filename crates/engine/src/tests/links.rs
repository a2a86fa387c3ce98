//! The editor link under random interleavings: several views type at once, messages wait in queues, and the
//! views follow the rules of `docs/architecture/editor-link.md`.

use super::*;
use crate::changeset::{Changeset, Left, transform};
use codesync_api::{Event, ViewEdit};
use codesync_base::{Splice as BaseSplice, utf16_len};
use proptest::prelude::*;
use std::collections::VecDeque;

/// A view as a client would write it: text, pending edits, queues in both directions.
struct Client {
    view_id: u32,
    text: Vec<u16>,
    revision: u64,
    next_request_id: u64,
    pending: VecDeque<(u64, Changeset, Left)>,
    outbox: VecDeque<ViewEdit>,
    inbox: VecDeque<Event>,
}

impl Client {
    fn type_at(&mut self, at: u16, n_deleted: u16, text: &str, stays_left: bool) {
        let length = self.text.len() as u32;
        let position = u32::from(at) % (length + 1);
        let deleted = u32::from(n_deleted % 4).min(length - position);
        if deleted == 0 && text.is_empty() {
            return;
        }
        let splice = BaseSplice::new(position, deleted, text);
        self.apply(std::slice::from_ref(&splice));
        let request_id = self.next_request_id;
        self.next_request_id += 1;
        self.pending.push_back((request_id, Changeset::of_splice(&splice), Left::of_view(stays_left)));
        let splices = vec![Splice(position, deleted, text.to_owned())];
        self.outbox.push_back(ViewEdit { request_id, base_revision: self.revision, stays_left, splices });
    }

    fn apply(&mut self, splices: &[BaseSplice]) {
        for splice in splices {
            let at = splice.position as usize;
            self.text.splice(at..at + splice.deleted as usize, splice.inserted.encode_utf16());
        }
    }

    fn receive(&mut self) {
        let Some(event) = self.inbox.pop_front() else { return };
        self.revision += 1;
        match event {
            Event::ViewAck { request_id, revision, .. } => {
                assert_eq!(revision, self.revision);
                assert_eq!(self.pending.pop_front().unwrap().0, request_id);
            }
            Event::ViewPatch(patch) => {
                assert_eq!(patch.revision, self.revision);
                let splices: Vec<BaseSplice> = patch.splices.iter().map(crate::views::from_api).collect();
                let mut set = Changeset::of_splices(&splices);
                for (_, pending, at_ties) in &mut self.pending {
                    let (set_after, pending_after) = transform(&set, pending, *at_ties);
                    (set, *pending) = (set_after, pending_after);
                }
                self.apply(&set.splices());
            }
            other => panic!("{other:?}"),
        }
    }
}

#[derive(Clone, Debug)]
enum Action {
    Type(usize, u16, u16, String, bool),
    Send(usize),
    Receive(usize),
    Disk(u16, String),
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => (0usize..2, any::<u16>(), any::<u16>(), "[a-zé日\n]{0,3}", any::<bool>()).prop_map(|(v, a, d, t, l)| Action::Type(v, a, d, t, l)),
        3 => (0usize..2).prop_map(Action::Send),
        4 => (0usize..2).prop_map(Action::Receive),
        1 => (any::<u16>(), "[A-Z\n]{1,3}").prop_map(|(at, text)| Action::Disk(at, text)),
    ]
}

fn deliver(bench: &mut Bench, clients: &mut [Client]) {
    for event in bench.engine.take_events() {
        let to = match &event {
            Event::ViewAck { view_id, .. } => *view_id,
            Event::ViewPatch(patch) => patch.view_id,
            Event::ViewSnapshot(snapshot) => panic!("nothing was lost, yet {snapshot:?}"),
            _ => continue,
        };
        clients.iter_mut().find(|client| client.view_id == to).unwrap().inbox.push_back(event);
    }
}

fn send(bench: &mut Bench, clients: &mut [Client], at: usize) {
    if let Some(edit) = clients[at].outbox.pop_front() {
        bench.ask(Request::EditView { view_id: clients[at].view_id, edit });
        deliver(bench, clients);
    }
}

fn engine_text(bench: &mut Bench) -> String {
    bench.text("a").unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn views_and_engine_agree_in_the_end(actions in proptest::collection::vec(action(), 1..40)) {
        let mut bench = Bench::new();
        bench.edit("a", &[(0, 0, "The quick brown fox")]);
        let mut clients: Vec<Client> = (0..2).map(|_| {
            let view_id = editing::open_view(&mut bench);
            let text = engine_text(&mut bench).encode_utf16().collect();
            Client { view_id, text, revision: 0, next_request_id: 1, pending: VecDeque::new(), outbox: VecDeque::new(), inbox: VecDeque::new() }
        }).collect();
        bench.engine.take_events();
        for action in actions {
            match action {
                Action::Type(view, at, n_deleted, text, stays_left) => clients[view].type_at(at, n_deleted, &text, stays_left),
                Action::Send(view) => send(&mut bench, &mut clients, view),
                Action::Receive(view) => clients[view].receive(),
                Action::Disk(at, text) => {
                    let length = utf16_len(&engine_text(&mut bench));
                    bench.edit("a", &[(u32::from(at) % (length + 1), 0, &text)]);
                    deliver(&mut bench, &mut clients);
                }
            }
        }
        while clients.iter().any(|client| !client.outbox.is_empty()) {
            (0..2).for_each(|at| send(&mut bench, &mut clients, at));
        }
        for client in &mut clients {
            while !client.inbox.is_empty() {
                client.receive();
            }
            prop_assert!(client.pending.is_empty());
        }
        let text = engine_text(&mut bench);
        for client in &clients {
            prop_assert_eq!(&String::from_utf16(&client.text).unwrap(), &text);
        }
    }
}

#[test]
fn what_does_not_fit_is_answered_by_a_snapshot() {
    let mut bench = Bench::new();
    let view_id = editing::open_view(&mut bench);
    bench.engine.take_events();
    let edit =
        ViewEdit { request_id: 1, base_revision: 0, stays_left: false, splices: vec![Splice(99, 1, "x".into())] };
    assert!(bench.try_ask(Request::EditView { view_id, edit }).is_err());
    let gap = ViewEdit { request_id: 5, base_revision: 0, stays_left: false, splices: vec![Splice(0, 0, "x".into())] };
    bench.ask(Request::EditView { view_id, edit: gap });
    assert_eq!(engine_text(&mut bench), "");
    let snapshots = bench.engine.take_events().into_iter().filter(|event| matches!(event, Event::ViewSnapshot(_)));
    assert!(snapshots.count() >= 1);
}

#[test]
fn a_word_goes_on_behind_its_letters_when_others_put_a_line_in_just_there() {
    let mut bench = Bench::new();
    let view_id = editing::open_view(&mut bench);
    let splices = |at, text: &str| vec![Splice(at, 0, text.into())];
    let first = ViewEdit { request_id: 1, base_revision: 0, stays_left: false, splices: splices(0, "A") };
    bench.ask(Request::EditView { view_id, edit: first });
    bench.edit("a", &[(1, 0, "Joao\n")]);
    // Typed before the window has heard of either.
    for (request_id, letter) in [(2, "s"), (3, "h"), (4, "a")] {
        let at = request_id as u32 - 1;
        let edit = ViewEdit { request_id, base_revision: 0, stays_left: true, splices: splices(at, letter) };
        bench.ask(Request::EditView { view_id, edit });
    }
    assert_eq!(engine_text(&mut bench), "AshaJoao\n");
}

#[test]
fn a_word_begun_at_a_line_s_start_does_not_part_one_that_somebody_else_begins_there() {
    let mut bench = Bench::new();
    let view_id = editing::open_view(&mut bench);
    bench.edit("a", &[(0, 0, "A")]);
    let splices = |at, text: &str| vec![Splice(at, 0, text.into())];
    // Typed before the window has heard of the A; behind it, the next letters of it would meet this one.
    let first = ViewEdit { request_id: 1, base_revision: 0, stays_left: false, splices: splices(0, "B") };
    bench.ask(Request::EditView { view_id, edit: first });
    assert_eq!(engine_text(&mut bench), "BA");
}
