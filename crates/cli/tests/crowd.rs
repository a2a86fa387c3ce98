//! Several real peers that type at once, on a network of their own: killed at any moment nothing that one of them
//! confirmed is missing, and in the end all have the same. `cargo xtask prove peers` and `prove crowd` run these for
//! longer.

#[path = "lan/person.rs"]
mod person;
#[path = "lan/typists.rs"]
mod typists;

use anyhow::{Context, Result};
use codesync_lan::{Lan, Scenario};
use person::{Person, Staying};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use typists::{NAMES, Typists, check_undone, check_words, number_of, settle, undo};

const SCENARIOS: &[Scenario] = &[
    ("peers_killed_at_any_moment_lose_nothing", peers_killed_at_any_moment_lose_nothing),
    ("a_crowd_types_at_once", a_crowd_types_at_once),
];

fn main() -> Result<()> {
    codesync_lan::run_scenarios(SCENARIOS)
}

/// One of them, with a copy of the workspace.
struct Peer {
    /// Goes before the folder does.
    serving: Option<Staying>,
    folder: PathBuf,
    person: Person,
}

fn meet(lan: &Lan, n_peers: usize, files: &[(&str, &str)]) -> Result<Vec<Peer>> {
    let founder = Person::new(lan.host()?, NAMES[0])?;
    let folder = founder.workspace("lab", files)?;
    let mut peers = vec![Peer { serving: None, folder: folder.clone(), person: founder }];
    for name in &NAMES[1..n_peers] {
        let person = Person::new(lan.host()?, name)?;
        let invited = peers[0].person.invite(&folder, &[])?;
        person.run(&person.home, &["join", &invited.code], "")?;
        peers.push(Peer { serving: None, folder: person.home.join("lab"), person });
    }
    for peer in &mut peers {
        peer.serving = Some(peer.person.serve(&peer.folder)?);
    }
    Ok(peers)
}

fn folders(peers: &[Peer]) -> Vec<PathBuf> {
    peers.iter().map(|peer| peer.folder.clone()).collect()
}

/// All of them begin to type.
fn all_type(peers: &[Peer], files: &[String], pause: Duration) -> Typists {
    let typists: Vec<(&str, PathBuf)> = NAMES.into_iter().zip(folders(peers)).collect();
    Typists::start(&typists, files, pause)
}

fn verify(peers: &[Peer]) -> Result<()> {
    peers.iter().try_for_each(|peer| peer.person.run(&peer.folder, &["verify"], "").map(drop))
}

/// Three type; again and again one of them is killed and started again.
fn peers_killed_at_any_moment_lose_nothing(lan: &Lan) -> Result<()> {
    let (n_rounds, seed) = (number_of("CODESYNC_PROOF_ROUNDS", 3), number_of("CODESYNC_PROOF_SEED", 1));
    let files: Vec<String> = ["a.txt", "b.txt"].map(String::from).to_vec();
    let mut peers = meet(lan, 3, &[("a.txt", "one\n"), ("b.txt", "two\n")])?;
    let typists = all_type(&peers, &files, Duration::from_millis(15));
    let mut chance = seed;
    let mut draw = |n: u64| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (chance >> 33) % n
    };
    let killed = (0..n_rounds).try_for_each(|round| {
        std::thread::sleep(Duration::from_millis(30 + draw(600)));
        let n = draw(3) as usize;
        let peer = &mut peers[n];
        peer.serving.take().context("it serves")?.kill();
        std::thread::sleep(Duration::from_millis(draw(200)));
        peer.serving = Some(peer.person.serve(&peer.folder).with_context(|| format!("round {round}, peer {n}"))?);
        if round % 20 == 19 {
            println!("  {} times killed", round + 1);
        }
        anyhow::Ok(())
    });
    let confirmed = typists.collect();
    killed?;
    let n_words = check_words(&settle(&folders(&peers), &files)?, &confirmed?)?;
    println!("  {n_rounds} times killed (seed {seed}), {n_words} edits confirmed, none missing");
    verify(&peers)
}

/// Everybody types at once: all in one file, then each in twenty. After each, every other one takes back what they did
/// last.
fn a_crowd_types_at_once(lan: &Lan) -> Result<()> {
    let n_peers = number_of("CODESYNC_CROWD_PEERS", 3).clamp(2, NAMES.len() as u64) as usize;
    let typing = Duration::from_secs(number_of("CODESYNC_CROWD_SECONDS", 1));
    let one: Vec<String> = vec!["one.txt".into()];
    let twenty: Vec<String> = (0..20).map(|n| format!("src/file-{n}.txt")).collect();
    let all: Vec<String> = [one.clone(), twenty.clone()].concat();
    let texts: Vec<(&str, &str)> = all.iter().map(|name| (name.as_str(), "begin\n")).collect();
    let began = Instant::now();
    let peers = meet(lan, n_peers, &texts)?;
    println!("  {n_peers} peers met within {:.1} s", began.elapsed().as_secs_f32());
    for (what, files) in [("one file", one), ("twenty files", twenty)] {
        let typists = all_type(&peers, &files, Duration::from_millis(150));
        std::thread::sleep(typing);
        let confirmed = typists.collect()?;
        let before = settle(&folders(&peers), &files)?;
        let n_words = check_words(&before, &confirmed)?;
        println!("  {what}: {n_words} edits by {n_peers} in {} s", typing.as_secs());
        let undoing: Vec<PathBuf> = folders(&peers).into_iter().step_by(2).collect();
        undo(&undoing)?;
        let who: Vec<&str> = NAMES[..n_peers].iter().copied().step_by(2).collect();
        check_undone(&before, &settle(&folders(&peers), &files)?, &who)?;
    }
    verify(&peers)
}
