#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn a_peer_is_written_and_read() {
    let peer = Peer([171; 32]);
    assert_eq!(parse_peer(&peer_text(&peer)).unwrap(), peer);
    assert!(parse_peer("").is_err() && parse_peer("xyz").is_err());
}

#[test]
fn who_looks_asks_less_and_less_often() {
    let mut looking = Looking { since: Instant::now(), since_ms: 0, n_looks: 0, last: Instant::now() };
    let mut waits = Vec::new();
    for n in 0..6 {
        looking.n_looks = n;
        waits.push(looking.wait());
    }
    assert!(waits.is_sorted() && waits[5] == Duration::from_secs(10));
}
