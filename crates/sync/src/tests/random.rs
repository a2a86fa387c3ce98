//! Random work on a network with random faults and hostile peers. `CODESYNC_SYNC_SEEDS` and `CODESYNC_SYNC_SEED` make it
//! longer, or repeat one.

use super::network::Network;
use super::store::*;
use crate::frame::samples;
use crate::*;
use codesync_base::{Hlc, SignedDelta, encode_delta};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn whatever_happens_all_end_with_the_same() {
    let first = number("CODESYNC_SYNC_SEED").unwrap_or(1);
    for seed in first..first + number("CODESYNC_SYNC_SEEDS").unwrap_or(25) {
        println!("seed {seed}");
        run(seed);
    }
}

#[test]
fn the_same_seed_takes_the_same_way() {
    assert_eq!(run(7), run(7));
}

/// Frames and bytes that were sent.
fn run(seed: u64) -> (u64, u64) {
    let mut random = Random(seed);
    let n = 2 + random.below(4) as u8;
    let mut net = Network::new(n);
    for idx in 0..usize::from(n) {
        net.nodes[idx].skew_ms = random.below(4_000) as i64 - 2_000;
    }
    for _ in 0..300 + random.below(900) {
        act(&mut net, &mut random);
    }
    for idx in 0..net.nodes.len() {
        for link in net.nodes[idx].links.keys().copied().collect::<Vec<_>>() {
            net.disconnect(idx, link);
        }
    }
    // In a line or all with all.
    let is_line = random.one_in(3);
    for a in 0..net.nodes.len() {
        for b in 0..a {
            if !is_line || a == b + 1 {
                net.connect(a, b);
            }
        }
    }
    net.converge(200_000);
    net.wait(30_000);
    assert!(net.is_quiet(), "something goes on and on");
    (net.n_frames, net.sent_bytes)
}

fn act(net: &mut Network, random: &mut Random) {
    let n = net.nodes.len() as u64;
    let idx = random.below(n) as usize;
    match random.below(100) {
        0..15 => drop(net.write(idx)),
        15..18 => {
            let bytes_max = 1 << random.below(19);
            let n_bytes = 1 + random.below(bytes_max);
            let bytes = random.bytes(n_bytes);
            let wall_ms = net.moment(idx).wall_ms;
            net.nodes[idx].store.write_blob(wall_ms, bytes);
        }
        18..30 => net.sync(idx),
        30..36 => {
            let other = random.below(n) as usize;
            if other != idx && !net.are_connected(idx, other) {
                net.connect(idx, other);
            }
        }
        36..38 => {
            let links: Vec<LinkId> = net.nodes[idx].links.keys().copied().collect();
            if !links.is_empty() {
                net.disconnect(idx, links[random.below(links.len() as u64) as usize]);
            }
        }
        38 => crash(net, idx),
        39 => net.nodes[idx].store.seal(1 + random.below(200) as usize),
        40 => spoil(net, random),
        41 => be_hostile(net, idx, random),
        42..50 => {
            let ms = random.below(400);
            net.pass(ms);
        }
        50 => net.pass(15_000),
        _ => {
            let busy: Vec<_> = net.queues.iter().filter(|(_, queue)| !queue.is_empty()).map(|(to, _)| *to).collect();
            if !busy.is_empty() {
                let (idx, link) = busy[random.below(busy.len() as u64) as usize];
                net.arrive(idx, link);
            }
        }
    }
}

/// All connections break, and what was not synced is gone.
fn crash(net: &mut Network, idx: usize) {
    for link in net.nodes[idx].links.keys().copied().collect::<Vec<_>>() {
        net.disconnect(idx, link);
    }
    net.nodes[idx].store.crash();
    net.nodes[idx].mesh = Mesh::new(net.nodes[idx].store.config());
}

/// A frame on its way is changed, lost together with its connection, or comes twice.
fn spoil(net: &mut Network, random: &mut Random) {
    let busy: Vec<_> = net.queues.iter().filter(|(_, queue)| !queue.is_empty()).map(|(to, _)| *to).collect();
    let Some((idx, link)) = busy.get(random.below(busy.len().max(1) as u64) as usize).copied() else { return };
    let queue = net.queues.get_mut(&(idx, link)).unwrap();
    let Some(Some(frame)) = queue.front_mut() else { return };
    match random.below(3) {
        0 => {
            let at = random.below(frame.len() as u64) as usize;
            frame[at] ^= 1 << random.below(8);
        }
        1 => frame.truncate(random.below(frame.len() as u64) as usize),
        _ => {
            let again = frame.clone();
            queue.push_front(Some(again));
        }
    }
}

/// A member without honour connects, says things, and goes.
fn be_hostile(net: &mut Network, idx: usize, random: &mut Random) {
    let link = LinkId(1_000_000 + random.next() % 1_000_000);
    let now = net.moment(idx);
    net.nodes[idx].mesh.connect(link, vec![], now);
    let mut peer = Store::new(60 + random.below(3) as u8);
    let hello = Hello {
        oldest: 1,
        newest: 1,
        software: "evil".into(),
        project: PROJECT,
        device: peer.log.device,
        wall_ms: 0,
        token: Bytes(vec![]),
    };
    net.give(idx, link, &Frame::Hello(hello).encode());
    let heads = net.nodes[idx].store.heads().into_iter().map(|head| codesync_base::Head { seq: head.seq + 9, ..head });
    net.give(idx, link, &Frame::Heads(heads.collect()).encode());
    for _ in 0..random.below(20) {
        let frame = hostile_frame(&mut peer, net, random);
        net.give(idx, link, &frame.encode());
    }
    net.nodes[idx].mesh.disconnect(link);
}

fn hostile_frame(peer: &mut Store, net: &Network, random: &mut Random) -> Frame {
    if random.one_in(2) {
        let samples = samples();
        return samples[random.below(samples.len() as u64) as usize].clone();
    }
    let hlc = Hlc { wall_ms: START_MS + random.below(3) * 1_000_000_000, counter: 0 };
    let mut delta = peer.draft(hlc, net.nodes[0].store.heads().into_iter().take(1).collect(), vec![Store::step(0)]);
    // In the name of somebody honest, on top of what they really wrote.
    let victim = &net.nodes[random.below(net.nodes.len() as u64) as usize].store;
    let mut cause = Cause::Live;
    if random.one_in(2) {
        delta.log = victim.log;
        if let Some(last) = victim.all().filter(|signed| signed.delta.log == victim.log).last() {
            delta.seq = last.delta.seq + 1;
            delta.group = 1;
            delta.prev = last.hash;
            delta.deps.clear();
        }
    }
    if random.one_in(2) {
        cause = Cause::Answer { id: 1, is_last: random.one_in(2) };
    }
    // Its own back-dated ones are refused by all, so that nobody passes them on; those that are good would be taken.
    if delta.log == peer.log {
        delta.deps.clear();
        delta.seq = 2;
        delta.prev = codesync_base::DeltaHash([3; 32]);
    }
    let (bytes, hash) = encode_delta(&delta);
    let signed = SignedDelta { signature: peer.key.sign_delta(&hash), delta, hash };
    let signature = random.one_in(2).then_some(Signature(signed.signature));
    Frame::Deltas(Deltas { cause, deltas: vec![WireDelta { bytes: Bytes(bytes), signature }] })
}
