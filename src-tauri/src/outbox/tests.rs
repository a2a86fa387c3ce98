use super::*;
use codesync_api::{SaveKind, SaveState};

fn saved(at: u64) -> Push {
    let state = SaveState { kind: SaveKind::Saved, saved_ms: Some(at), n_unwritten: 0, message: None };
    Push::Workspace(Event::SaveState(state))
}

fn ack(view_id: u32, revision: u64) -> Push {
    Push::Workspace(Event::ViewAck { view_id, request_id: revision, revision })
}

fn tree(folder: &str) -> Push {
    Push::Workspace(Event::TreeChanged { folders: vec![folder.into()] })
}

#[test]
fn what_repeats_is_folded_and_views_are_not() {
    let outbox = Outbox::default();
    let page = outbox.attach();
    let waiting = |path: &str| Push::Workspace(Event::WaitingForSave { paths: vec![path.into()] });
    let pushes =
        [saved(1), ack(7, 1), tree("a"), waiting("a"), ack(7, 2), saved(2), tree("b"), waiting("b"), tree("a")];
    for push in pushes {
        assert!(outbox.push(push).is_empty());
    }
    let batch = outbox.take(page).unwrap_or_default();
    assert_eq!(batch.len(), 5);
    assert!(matches!(&batch[3], Push::Workspace(Event::WaitingForSave { paths }) if paths == &["b"]));
    assert!(matches!(&batch[0], Push::Workspace(Event::SaveState(state)) if state.saved_ms == Some(2)));
    assert!(matches!(&batch[2], Push::Workspace(Event::TreeChanged { folders }) if folders == &["a", "b"]));
}

#[test]
fn a_page_that_does_not_keep_up_is_given_snapshots() {
    let outbox = Outbox::default();
    let page = outbox.attach();
    let mut lost = BTreeSet::new();
    for revision in 0..20_000 {
        lost.extend(outbox.push(ack(u32::try_from(revision % 3).unwrap_or_default(), revision)));
    }
    assert_eq!(lost, BTreeSet::from([0, 1, 2]));
    assert!(outbox.take(page).unwrap_or_default().len() <= WAITING_MAX);
}

#[test]
fn cleared_is_empty() {
    let outbox = Outbox::default();
    let page = outbox.attach();
    outbox.push(ack(1, 1));
    outbox.clear();
    outbox.push(ack(2, 1));
    assert_eq!(outbox.take(page).unwrap_or_default().len(), 1);
}

#[test]
fn a_page_that_was_replaced_gets_nothing() {
    let outbox = Outbox::default();
    let old = outbox.attach();
    let new = outbox.attach();
    outbox.push(ack(1, 1));
    assert!(outbox.take(old).is_none());
    assert_eq!(outbox.take(new).map(|batch| batch.len()), Some(1));
}
