//! Undo while others write: it takes back one's own, and nothing of theirs (T-UNDO, MSG-UNDO-1).

use super::merging::Random;
use super::*;

/// Somebody's open view of "a".
fn view(peers: &mut Peers, n: usize) -> u32 {
    match peers.ask(n, Request::OpenView { path: "a".into() }) {
        Reply::View(view) => view.view_id,
        other => panic!("{other:?}"),
    }
}

fn undo(peers: &mut Peers, n: usize, view_id: u32) -> codesync_api::Undone {
    match peers.ask(n, Request::Undo { view_id }) {
        Reply::Undone(undone) => undone,
        other => panic!("{other:?}"),
    }
}

/// What one of them brought in, by their alphabet.
fn letters(text: &str, n: usize) -> String {
    text.chars().filter(|c| if n == 0 { c.is_lowercase() } else { c.is_uppercase() }).collect()
}

/// One key of somebody, anywhere; of deletions only one's own letters.
fn key(peers: &mut Peers, n: usize, random: &mut Random) {
    let text: Vec<char> = peers.text(n, "a").unwrap().chars().collect();
    let at = random.below(text.len() + 1);
    let is_own = |c: &&char| if n == 0 { c.is_lowercase() } else { c.is_uppercase() };
    if random.below(4) == 0 && text.get(at).filter(is_own).is_some() {
        peers.edit(n, "a", &[(at as u32, 1, "")]);
    } else {
        let letter = (if n == 0 { b'a' } else { b'A' } + random.below(26) as u8) as char;
        peers.edit(n, "a", &[(at as u32, 0, &letter.to_string())]);
    }
}

#[test]
fn whatever_one_undoes_the_letters_of_the_other_stay() {
    for seed in 0..12 {
        let mut random = Random::new(seed);
        let mut peers = Peers::new(2);
        peers.edit(0, "a", &[(0, 0, "....")]).meet();
        let views = [view(&mut peers, 0), view(&mut peers, 1)];
        for _ in 0..60 {
            let n = random.below(2);
            peers.wait(random.below(1_500) as u64);
            match random.below(6) {
                0 => drop(peers.pull(1 - n, n)),
                1 | 2 => {
                    let before = letters(&peers.text(n, "a").unwrap(), 1 - n);
                    let request = match random.below(3) {
                        0 => Request::Redo { view_id: views[n] },
                        _ => Request::Undo { view_id: views[n] },
                    };
                    peers.ask(n, request);
                    assert_eq!(letters(&peers.text(n, "a").unwrap(), 1 - n), before, "seed {seed}");
                }
                _ => key(&mut peers, n, &mut random),
            }
        }
        peers.meet();
        // All the way back: only the other's letters are left, in their order.
        let theirs = letters(&peers.text(0, "a").unwrap(), 1);
        for _ in 0..200 {
            if undo(&mut peers, 0, views[0]).kind == codesync_api::UndoneKind::NothingToUndo {
                break;
            }
        }
        let left = peers.text(0, "a").unwrap();
        assert_eq!((letters(&left, 1), letters(&left, 0)), (theirs, String::new()), "seed {seed}: {left:?}");
        peers.meet().check_equal(&format!("undo, seed {seed}"));
    }
}

#[test]
fn what_somebody_wrote_over_is_said_with_their_name() {
    let mut peers = Peers::new(2);
    peers.edit(0, "a", &[(0, 0, "base")]).meet();
    let view_id = view(&mut peers, 0);
    peers.wait(5_000).edit(0, "a", &[(4, 0, " mine")]);
    peers.meet().wait(5_000).edit(1, "a", &[(4, 5, " THEIRS")]).meet();
    let undone = undo(&mut peers, 0, view_id);
    assert_eq!(undone.kind, codesync_api::UndoneKind::Overwritten);
    assert_eq!(undone.message.as_deref(), Some("Nothing to undo here: Bo changed that text since."));
    assert_eq!(peers.text(0, "a").unwrap(), "base THEIRS");
    // Half of it is left: that goes, and what Bo wrote stays.
    peers.wait(5_000).edit(0, "a", &[(11, 0, " more")]);
    peers.meet().wait(5_000).edit(1, "a", &[(14, 2, "X")]).meet();
    assert_eq!(undo(&mut peers, 0, view_id).kind, codesync_api::UndoneKind::Applied);
    assert_eq!(peers.text(0, "a").unwrap(), "base THEIRSX");
}
