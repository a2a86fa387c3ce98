//! Two or three replicas and what the link is for.

use super::network::Network;
use super::store::*;
use crate::*;
use codesync_base::*;

fn joined(n: u8) -> Network {
    let mut net = Network::new(n);
    for a in 0..usize::from(n) {
        for b in 0..a {
            net.connect(a, b);
        }
    }
    net.settle();
    net
}

#[test]
fn two_that_meet_have_the_same() {
    let mut net = Network::new(2);
    for idx in 0..2 {
        for _ in 0..30 {
            net.write(idx);
        }
        net.sync(idx);
    }
    net.connect(0, 1);
    net.settle();
    assert_eq!(net.nodes[0].store.hashes().len(), 60);
    assert_eq!(net.nodes[0].store.hashes(), net.nodes[1].store.hashes());
    net.wait(200);
    let done = Event::Progress { receive_left: 0, send_left: 0 };
    assert!(net.nodes.iter().all(|node| node.events.contains(&done)));
}

#[test]
fn a_new_delta_goes_at_once_when_it_is_durable_and_not_before() {
    let mut net = joined(2);
    let signed = net.write(0);
    net.pass(100);
    net.settle_without_sync();
    assert!(net.nodes[1].store.key(&signed.hash).is_none());
    net.sync(0);
    net.settle_without_sync();
    assert!(net.nodes[1].store.key(&signed.hash).is_some());
}

#[test]
fn what_one_gets_it_passes_on_and_not_back() {
    let mut net = Network::new(3);
    net.connect(0, 1);
    net.connect(1, 2);
    net.settle();
    let before = net.n_by_tag.get(&4).copied().unwrap_or(0);
    net.write(0);
    net.settle();
    assert_eq!(net.nodes[2].store.n_deltas(), 1);
    assert_eq!(net.n_by_tag[&4] - before, 2, "from 0 to 1, from 1 to 2, and no more");
}

#[test]
fn in_a_full_mesh_everything_soon_comes_once() {
    let mut net = joined(6);
    for _ in 0..3 {
        (0..6).for_each(|idx| drop(net.write(idx)));
        net.converge(10_000);
        net.wait(200);
    }
    let before = net.n_by_tag[&4];
    for _ in 0..10 {
        (0..6).for_each(|idx| drop(net.write(idx)));
        net.settle();
    }
    net.converge(1);
    // 60 deltas to 5 others each; relays are declined.
    assert!(net.n_by_tag[&4] - before <= 330, "{}", net.n_by_tag[&4] - before);
}

#[test]
fn sealed_history_comes_with_one_signature_for_many() {
    let mut net = Network::new(3);
    net.connect(0, 1);
    net.settle();
    for _ in 0..2_000 {
        net.write(0);
        net.write(1);
        net.now_ms += 3;
    }
    net.wait(10_000);
    net.nodes[0].store.seal(1_500);
    let before = net.sent_bytes;
    net.connect(0, 2);
    net.settle();
    assert_eq!(net.nodes[2].store.n_deltas(), 4_000);
    let signatures_bytes = 4_000 * 64;
    assert!(net.sent_bytes - before < signatures_bytes + 4_000 * 120, "{}", net.sent_bytes - before);
    // And on to the next, from one that never saw most signatures.
    net.nodes[2].store.seal(700);
    net.nodes.push(Network::new(9).nodes.pop().unwrap());
    net.connect(2, 3);
    net.settle();
    assert_eq!(net.nodes[3].store.hashes(), net.nodes[0].store.hashes());
}

#[test]
fn interrupted_at_any_frame_it_resumes() {
    let mut net = Network::new(2);
    for _ in 0..6_000 {
        net.write(0);
    }
    net.sync(0);
    let mut n_rounds = 0;
    while net.nodes[1].store.n_deltas() < 6_000 {
        n_rounds += 1;
        assert!(n_rounds < 200);
        net.connect(0, 1);
        for _ in 0..8 {
            let targets: Vec<_> = net.queues.keys().copied().collect();
            targets.iter().for_each(|(idx, link)| net.arrive(*idx, *link));
            net.sync(1);
        }
        let link = *net.nodes[0].links.keys().next().unwrap();
        net.disconnect(0, link);
    }
    assert!(n_rounds > 1);
}

#[test]
fn contents_come_before_the_deltas_that_name_them() {
    let mut net = Network::new(2);
    let mut random = Random(3);
    let mut blobs = vec![vec![], random.bytes(1), random.bytes(200_000), random.bytes(3_000_000)];
    blobs.extend((0..300).map(|_| random.bytes(9_000)));
    for bytes in &blobs {
        net.now_ms += 1;
        let now_ms = net.moment(0).wall_ms;
        net.nodes[0].store.write_blob(now_ms, bytes.clone());
        net.write(0);
    }
    net.sync(0);
    net.connect(0, 1);
    net.settle();
    net.converge(1);
    for bytes in &blobs {
        assert_eq!(net.nodes[1].store.blob(&BlobHash::of(bytes)), Some(bytes));
    }
}

#[test]
fn a_content_that_cannot_be_kept_is_asked_for_again_but_not_all_the_time() {
    let mut net = joined(2);
    net.nodes[1].store.is_full = true;
    let now_ms = net.moment(0).wall_ms;
    net.nodes[0].store.write_blob(now_ms, Random(5).bytes(100_000));
    let before = net.sent_bytes;
    net.sync(0);
    net.wait(20_000);
    let n_times = (net.sent_bytes - before) / 100_000;
    assert!((2..=8).contains(&n_times), "{n_times}");
    net.nodes[1].store.is_full = false;
    net.converge(6_000);
}

#[test]
fn nothing_long_is_sent_before_the_other_end_can_take_it() {
    for n_logs in [3, 200] {
        let mut net = Network::new(2);
        for idx in 0..2 {
            for n in 0..n_logs {
                let mut other = Store::new(50 + idx as u8);
                other.log.incarnation = n;
                let signed = other.write(START_MS);
                let bytes = encode_delta(&signed.delta).0;
                net.nodes[idx].store.receive(&[Incoming { signed, bytes }]);
            }
            net.nodes[idx].store.sync();
        }
        net.connect(0, 1);
        let mut n_read = [0; 2];
        while let Some((idx, link)) = net.queues.iter().find(|(_, queue)| !queue.is_empty()).map(|(target, _)| *target)
        {
            let next = net.queues[&(idx, link)].front().unwrap().as_ref().unwrap().len();
            // What an end sent before it read a second frame has to be short: the other may still be closed.
            assert!(next <= crate::limits::FRAME_BYTES_MAX_FIRST || n_read[idx] > 0 && n_read[1 - idx] > 1);
            n_read[idx] += 1;
            net.arrive(idx, link);
        }
        net.converge(1_000);
        assert_eq!(net.nodes[0].store.n_deltas(), 2 * n_logs as usize);
    }
}

#[test]
fn a_fork_is_kept_shown_and_proved() {
    let mut net = joined(3);
    for _ in 0..40 {
        net.write(0);
    }
    net.converge(10_000);
    let link =
        |net: &Network, a: usize, b: usize| *net.nodes[a].links.iter().find(|(_, (node, _))| *node == b).unwrap().0;
    let (to_1, to_2) = (link(&net, 0, 1), link(&net, 0, 2));
    net.disconnect(0, to_1);
    net.disconnect(0, to_2);
    let between = link(&net, 1, 2);
    net.disconnect(1, between);
    // Node 0 goes on twice from number 30, once towards each of the others.
    net.nodes[0].store.roll_back(30);
    net.write(0);
    net.connect(0, 1);
    net.wait(2_000);
    assert_eq!(net.nodes[1].store.n_deltas(), 41);
    net.connect(1, 2);
    net.converge(120_000);
    assert_eq!(net.nodes[2].store.n_deltas(), 41);
    let has_seen = |idx: usize| net.nodes[idx].events.iter().any(|event| matches!(event, Event::Forked(_)));
    assert!(has_seen(1) && has_seen(2));
    // Both branches grow on.
    net.write(0);
    net.converge(120_000);
}

#[test]
fn a_newcomer_sees_texts_first() {
    let mut net = Network::new(2);
    let text = "wörds ".repeat(60_000);
    net.nodes[0].store.texts =
        vec![(RelPath::parse("src/main.rs").unwrap(), text), (RelPath::parse("empty").unwrap(), String::new())];
    for _ in 0..10 {
        net.write(0);
    }
    net.sync(0);
    net.connect(0, 1);
    net.settle();
    assert_eq!(net.nodes[1].snapshots, vec![net.nodes[0].store.texts.clone()]);
    assert_eq!(net.nodes[0].snapshots.len(), 0);
    // Who has history is no newcomer.
    let link = *net.nodes[0].links.keys().next().unwrap();
    net.disconnect(0, link);
    net.connect(0, 1);
    net.settle();
    assert_eq!(net.nodes[1].snapshots.len(), 1);
}

#[test]
fn digests_are_compared_when_nothing_is_new() {
    for (theirs, expected) in [([1; 32], Event::Agreed), ([2; 32], Event::Mismatch { files: vec![FileId([9; 16])] })] {
        let mut net = joined(2);
        net.nodes[0].store.digest = Some([1; 32]);
        net.nodes[1].store.digest = Some(theirs);
        net.write(0);
        net.converge(1_000);
        // One that goes on differing is not made anew for ever.
        net.wait(20_000);
        assert!(net.nodes.iter().all(|node| node.events.contains(&expected)), "{expected:?}");
        assert!(net.is_quiet());
    }
}

#[test]
fn clocks_are_told_and_the_future_waits() {
    let mut net = Network::new(2);
    net.nodes[0].skew_ms = 3_600_000;
    net.connect(0, 1);
    net.settle();
    let offset = net.nodes[1].events.iter().find_map(|event| match event {
        Event::Joined { clock_offset_ms, .. } => Some(*clock_offset_ms),
        _ => None,
    });
    assert_eq!(offset, Some(3_600_000));
    net.write(0);
    net.settle();
    assert_eq!(net.nodes[1].store.n_deltas(), 0);
    assert!(net.nodes[1].events.iter().any(|event| matches!(event, Event::FromTheFuture { .. })));
    net.converge(3_600_000);
    assert!(net.now_ms > 2_900_000);
}

#[test]
fn an_idle_link_waits_for_nothing() {
    let mut net = joined(3);
    (0..3).for_each(|idx| drop(net.write(idx)));
    net.converge(10_000);
    net.wait(10_000);
    assert!(net.is_quiet());
    let n_frames = net.n_frames;
    net.pass(3_600_000);
    net.settle();
    assert_eq!(net.n_frames, n_frames);
}

#[test]
fn presence_is_passed_newest_first_and_not_too_often() {
    let mut net = joined(2);
    for n in 0..100u8 {
        let now = net.moment(0);
        net.nodes[0].mesh.set_presence(&[n], now);
        net.do_outputs(0);
        net.wait(10);
    }
    net.wait(100);
    let seen = &net.nodes[1].presence;
    assert!((18..=22).contains(&seen.len()), "{}", seen.len());
    assert_eq!(seen.last(), Some(&vec![99]));
}

#[test]
fn a_log_that_one_link_brings_in_vain_comes_over_another() {
    let mut net = Network::new(3);
    net.connect(1, 2);
    let signed = net.write(1);
    net.settle();
    net.connect(0, 1);
    let in_vain = *net.nodes[0].links.keys().next().unwrap();
    net.nodes[0].mesh.refuse(in_vain, signed.delta.log);
    net.settle();
    net.wait(5_000);
    assert!(net.nodes[0].store.key(&signed.hash).is_none());
    net.connect(0, 2);
    net.settle();
    net.wait(5_000);
    assert!(net.nodes[0].store.key(&signed.hash).is_some());
}

#[test]
fn once_more_is_known_what_was_refused_is_asked_for_again() {
    let mut net = Network::new(2);
    let signed = net.write(1);
    net.settle();
    net.connect(0, 1);
    let link = *net.nodes[0].links.keys().next().unwrap();
    net.nodes[0].mesh.refuse(link, signed.delta.log);
    net.wait(5_000);
    assert!(net.nodes[0].store.key(&signed.hash).is_none());
    net.nodes[0].mesh.look_again();
    net.write(0);
    net.wait(5_000);
    assert!(net.nodes[0].store.key(&signed.hash).is_some());
}
