//! Several real peers that type at once, on a network of their own: killed at any moment nothing that one of them
//! confirmed is missing, and in the end all have the same. `cargo xtask prove peers` and `prove crowd` run these for
//! longer.

#[path = "lan/person.rs"]
mod person;

use anyhow::{Context, Result, bail, ensure};
use codesync_lan::{Lan, Scenario};
use person::{Person, Staying};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const SCENARIOS: &[Scenario] = &[
    ("peers_killed_at_any_moment_lose_nothing", peers_killed_at_any_moment_lose_nothing),
    ("a_crowd_types_at_once", a_crowd_types_at_once),
];
const NAMES: [&str; 12] =
    ["Asha", "Bo", "Chidi", "Dana", "Emil", "Fumi", "Gita", "Hugo", "Ines", "Joao", "Kim", "Lena"];
/// So long until all have the same, when nobody types any more.
const PATIENCE: Duration = Duration::from_secs(60);
const ANSWER_WAIT: Duration = Duration::from_secs(20);

fn main() -> Result<()> {
    codesync_lan::run_scenarios(SCENARIOS)
}

fn number_of(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
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

/// The local socket of a serving peer, past the greeting.
struct Line {
    stream: BufReader<UnixStream>,
    n_asked: u64,
}

impl Line {
    fn open(folder: &Path) -> Result<Self> {
        let run: Value = serde_json::from_slice(&std::fs::read(folder.join(".codesync/run.json"))?)?;
        let stream = UnixStream::connect(run["socket"].as_str().context("a socket")?)?;
        stream.set_read_timeout(Some(ANSWER_WAIT))?;
        let mut line = Self { stream: BufReader::new(stream), n_asked: 0 };
        line.send(&json!({ "token": run["token"], "apiVersion": run["apiVersion"] }))?;
        ensure!(line.stream.read_line(&mut String::new())? > 0, "no greeting");
        Ok(line)
    }

    fn send(&mut self, message: &Value) -> Result<()> {
        Ok(self.stream.get_mut().write_all(format!("{message}\n").as_bytes())?)
    }

    /// The answer to a request, which for an edit says that it is durable.
    fn ask(&mut self, command: &str, arguments: Value) -> Result<Value> {
        self.n_asked += 1;
        let id = self.n_asked;
        self.send(&json!({ "id": id, "cmd": command, "args": arguments }))?;
        loop {
            let mut answer = String::new();
            ensure!(self.stream.read_line(&mut answer)? > 0 && answer.ends_with('\n'), "the other end is gone");
            let answer: Value = serde_json::from_str(&answer)?;
            if answer["reply"]["id"] == json!(id) {
                let result = &answer["reply"]["result"];
                ensure!(result.get("Err").is_none(), "{answer}");
                return Ok(result["Ok"].clone());
            }
        }
    }
}

/// Words that one peer typed and was told that they are kept.
type Confirmed = BTreeMap<String, usize>;

/// Types a word a time into one of the files, at its beginning, until told to stop. Whatever goes wrong with the socket
/// is what a killed peer looks like; it is tried again.
fn type_on(n: usize, folder: PathBuf, files: Vec<String>, pause: Duration, stop: Arc<AtomicBool>) -> Confirmed {
    let (mut confirmed, mut n_words) = (Confirmed::new(), 0);
    while !stop.load(Ordering::Relaxed) {
        let Ok(mut line) = Line::open(&folder) else {
            std::thread::sleep(Duration::from_millis(20));
            continue;
        };
        while !stop.load(Ordering::Relaxed) {
            let (word, at) = (format!("{}-{n_words} ", NAMES[n]), n_words % files.len());
            n_words += 1;
            let arguments = json!({ "path": files[at], "edits": [[0, 0, word]] });
            if line.ask("editFile", arguments).is_err() {
                break;
            }
            confirmed.insert(word, at);
            std::thread::sleep(pause);
        }
    }
    confirmed
}

/// What a peer has: the text of every file, and how many moments its timeline has.
fn content(peer: &Peer, files: &[String]) -> Result<Vec<String>> {
    let mut line = Line::open(&peer.folder)?;
    let mut all = vec![strip(&line.ask("timeline", json!({ "scope": { "kind": "workspace" } }))?, "nMoments")];
    for file in files {
        all.push(strip(&line.ask("fileAt", json!({ "path": file, "at": { "kind": "now" } }))?, "text"));
    }
    Ok(all)
}

/// The value of a field, wherever it is.
fn strip(value: &Value, name: &str) -> String {
    let found = match value {
        Value::Object(fields) => fields
            .get(name)
            .filter(|value| !value.is_null())
            .map(ToString::to_string)
            .or_else(|| fields.values().map(|value| strip(value, name)).find(|text| !text.is_empty())),
        Value::Array(values) => values.iter().map(|value| strip(value, name)).find(|text| !text.is_empty()),
        _ => None,
    };
    found.unwrap_or_default()
}

/// Waits until all have the same, and gives it.
fn settle(peers: &[Peer], files: &[String]) -> Result<Vec<String>> {
    let began = Instant::now();
    loop {
        let all: Vec<Vec<String>> = peers.iter().map(|peer| content(peer, files)).collect::<Result<_>>()?;
        if all.windows(2).all(|pair| pair[0] == pair[1]) {
            println!("  all have the same: {:.2} s after the last key", began.elapsed().as_secs_f32());
            return all.into_iter().next().context("nobody is there");
        }
        if began.elapsed() > PATIENCE {
            let moments: Vec<&String> = all.iter().map(|content| &content[0]).collect();
            bail!("they do not come to have the same; moments: {moments:?}");
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn check_words(content: &[String], confirmed: &[Confirmed]) -> Result<usize> {
    let mut n_words = 0;
    for (word, at) in confirmed.iter().flatten() {
        let text = &content[1 + at];
        ensure!(text.contains(word.as_str()), "“{word}” was confirmed and is missing");
        n_words += 1;
    }
    Ok(n_words)
}

fn verify(peers: &[Peer]) -> Result<()> {
    peers.iter().try_for_each(|peer| peer.person.run(&peer.folder, &["verify"], "").map(drop))
}

/// Three type; again and again one of them is killed and started again.
fn peers_killed_at_any_moment_lose_nothing(lan: &Lan) -> Result<()> {
    let (n_rounds, seed) = (number_of("CODESYNC_PROOF_ROUNDS", 3), number_of("CODESYNC_PROOF_SEED", 1));
    let files: Vec<String> = ["a.txt", "b.txt"].map(String::from).to_vec();
    let mut peers = meet(lan, 3, &[("a.txt", "one\n"), ("b.txt", "two\n")])?;
    let stop = Arc::new(AtomicBool::new(false));
    let typists: Vec<_> = peers
        .iter()
        .enumerate()
        .map(|(n, peer)| {
            let (folder, files, stop) = (peer.folder.clone(), files.clone(), stop.clone());
            std::thread::spawn(move || type_on(n, folder, files, Duration::from_millis(15), stop))
        })
        .collect();
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
    stop.store(true, Ordering::Relaxed);
    let confirmed: Vec<Confirmed> = typists.into_iter().filter_map(|typist| typist.join().ok()).collect();
    killed?;
    ensure!(confirmed.len() == 3 && confirmed.iter().all(|words| !words.is_empty()), "somebody could not type");
    let content = settle(&peers, &files)?;
    let n_words = check_words(&content, &confirmed)?;
    println!("  {n_rounds} times killed (seed {seed}), {n_words} edits confirmed, none missing");
    verify(&peers)
}

/// Everybody types at once: all in one file, then each in twenty.
fn a_crowd_types_at_once(lan: &Lan) -> Result<()> {
    let n_peers = number_of("CODESYNC_CROWD_PEERS", 3).clamp(2, NAMES.len() as u64) as usize;
    let seconds = number_of("CODESYNC_CROWD_SECONDS", 2);
    let one: Vec<String> = vec!["one.txt".into()];
    let twenty: Vec<String> = (0..20).map(|n| format!("src/file-{n}.txt")).collect();
    let all: Vec<String> = [one.clone(), twenty.clone()].concat();
    let texts: Vec<(&str, &str)> = all.iter().map(|name| (name.as_str(), "begin\n")).collect();
    let began = Instant::now();
    let peers = meet(lan, n_peers, &texts)?;
    println!("  {n_peers} peers met within {:.1} s", began.elapsed().as_secs_f32());
    for (what, files) in [("one file", one), ("twenty files", twenty)] {
        let stop = Arc::new(AtomicBool::new(false));
        let typists: Vec<_> = peers
            .iter()
            .enumerate()
            .map(|(n, peer)| {
                let (folder, files, stop) = (peer.folder.clone(), files.clone(), stop.clone());
                std::thread::spawn(move || type_on(n, folder, files, Duration::from_millis(150), stop))
            })
            .collect();
        std::thread::sleep(Duration::from_secs(seconds) / 2);
        stop.store(true, Ordering::Relaxed);
        let confirmed: Vec<Confirmed> = typists.into_iter().filter_map(|typist| typist.join().ok()).collect();
        ensure!(
            confirmed.len() == n_peers && confirmed.iter().all(|words| !words.is_empty()),
            "somebody could not type"
        );
        let content = settle(&peers, &files)?;
        let n_words = check_words(&content, &confirmed)?;
        println!("  {what}: {n_words} edits by {n_peers} in {} s, all the same everywhere", seconds / 2);
    }
    verify(&peers)
}
