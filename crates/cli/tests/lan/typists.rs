//! Real peers that all type at once through their local sockets, and what has to hold when they stop: the same at all of
//! them by text, timeline and digest, nothing missing that was confirmed, and nobody's undo in another's text.
#![allow(dead_code)]

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub const NAMES: [&str; 12] =
    ["Asha", "Bo", "Chidi", "Dana", "Emil", "Fumi", "Gita", "Hugo", "Ines", "Joao", "Kim", "Lena"];
/// So long until all have the same, when nobody types any more.
const PATIENCE: Duration = Duration::from_secs(60);
const ANSWER_WAIT: Duration = Duration::from_secs(20);

pub fn number_of(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The local socket of a peer, past the greeting.
pub struct Line {
    stream: BufReader<UnixStream>,
    n_asked: u64,
}

impl Line {
    pub fn open(folder: &Path) -> Result<Self> {
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
    pub fn ask(&mut self, command: &str, arguments: Value) -> Result<Value> {
        self.n_asked += 1;
        let id = self.n_asked;
        let mut request = json!({ "id": id, "cmd": command });
        if !arguments.is_null() {
            request["args"] = arguments;
        }
        self.send(&request)?;
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

/// Words that one peer typed and was told that they are kept, and in which of the files.
pub type Confirmed = BTreeMap<String, usize>;

/// The word that a person types as the `n`-th: nobody else types it, and it has its end with it. Some end a line.
pub fn word(person: &str, n: usize) -> String {
    let end = if n % 8 == 7 { '\n' } else { ' ' };
    format!("{person}-{n}{end}")
}

/// Threads, one a peer, that type until they are told to stop.
pub struct Typists {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Confirmed>>,
}

impl Typists {
    /// `peers`: whose words, and the folder. Each types a word a time at the beginning of the files, one after the other.
    pub fn start(peers: &[(&'static str, PathBuf)], files: &[String], pause: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = peers.iter().cloned().map(|(person, folder)| {
            let (files, stop) = (files.to_vec(), stop.clone());
            std::thread::spawn(move || type_on(person, &folder, &files, pause, &stop))
        });
        Self { threads: threads.collect(), stop }
    }

    /// What each has typed.
    pub fn collect(self) -> Result<Vec<Confirmed>> {
        self.stop.store(true, Ordering::Relaxed);
        let n_peers = self.threads.len();
        let confirmed: Vec<Confirmed> = self.threads.into_iter().filter_map(|thread| thread.join().ok()).collect();
        let all_typed = confirmed.len() == n_peers && confirmed.iter().all(|words| !words.is_empty());
        ensure!(all_typed, "somebody could not type");
        Ok(confirmed)
    }
}

/// Whatever goes wrong with the socket is what a killed peer looks like; it is tried again.
fn type_on(person: &str, folder: &Path, files: &[String], pause: Duration, stop: &AtomicBool) -> Confirmed {
    let (mut confirmed, mut n_words) = (Confirmed::new(), 0);
    while !stop.load(Ordering::Relaxed) {
        let Ok(mut line) = Line::open(folder) else {
            std::thread::sleep(Duration::from_millis(20));
            continue;
        };
        while !stop.load(Ordering::Relaxed) {
            let (word, at) = (word(person, n_words), n_words % files.len());
            n_words += 1;
            if line.ask("editFile", json!({ "path": files[at], "edits": [[0, 0, word]] })).is_err() {
                break;
            }
            confirmed.insert(word, at);
            std::thread::sleep(pause);
        }
    }
    confirmed
}

/// What a peer has: how many moments its timeline has, and the text of every file.
#[derive(Clone, PartialEq, Debug)]
pub struct Content {
    n_moments: u64,
    pub texts: Vec<String>,
}

fn content(folder: &Path, files: &[String]) -> Result<Content> {
    let mut line = Line::open(folder)?;
    let timeline = line.ask("timeline", json!({ "scope": { "kind": "workspace" } }))?;
    let n_moments = timeline["value"]["nMoments"].as_u64().context("no number of moments")?;
    let mut texts = Vec::with_capacity(files.len());
    for file in files {
        let answer = line.ask("fileAt", json!({ "path": file, "at": { "kind": "now" } }))?;
        texts.push(answer["value"]["text"].as_str().with_context(|| format!("no text: {answer}"))?.to_owned());
    }
    Ok(Content { n_moments, texts })
}

/// The digests of a peer: history, tree, texts, timeline, each by its name.
pub fn digest(folder: &Path) -> Result<Value> {
    let answer = Line::open(folder)?.ask("digest", Value::Null)?;
    ensure!(answer["reply"] == json!("digest"), "{answer}");
    Ok(answer["value"].clone())
}

/// A digest as people compare it.
pub fn shown(digest: &Value) -> String {
    let part = |name: &str| {
        let digits: String = digest[name].as_str().unwrap_or("unknown").chars().take(8).collect();
        format!("{name} {digits}")
    };
    let parts = ["history", "tree", "texts", "timeline"].map(part).join(", ");
    format!("{parts}; {} files, {} deltas", digest["nFiles"], digest["nDeltas"])
}

/// Waits until all have the same digests, and gives them.
pub fn settle_digests(folders: &[PathBuf]) -> Result<Value> {
    let began = Instant::now();
    loop {
        let all: Vec<Value> = folders.iter().map(|folder| digest(folder)).collect::<Result<_>>()?;
        if all.windows(2).all(|pair| pair[0] == pair[1]) {
            return all.into_iter().next().context("nobody is there");
        }
        if began.elapsed() > PATIENCE {
            let all: Vec<String> = all.iter().map(shown).collect();
            bail!("they do not come to have the same:\n{}", all.join("\n"));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Waits until all have the same texts, timelines and digests, says so, and gives what they have.
pub fn settle(folders: &[PathBuf], files: &[String]) -> Result<Content> {
    let began = Instant::now();
    let content = loop {
        let all: Vec<Content> = folders.iter().map(|folder| content(folder, files)).collect::<Result<_>>()?;
        if all.windows(2).all(|pair| pair[0] == pair[1]) {
            break all.into_iter().next().context("nobody is there")?;
        }
        if began.elapsed() > PATIENCE {
            let moments: Vec<u64> = all.iter().map(|content| content.n_moments).collect();
            bail!("they do not come to have the same; moments: {moments:?}");
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    let took = began.elapsed();
    let digest = settle_digests(folders)?;
    println!(
        "  all {} have the same {:.2} s after the last key: {}",
        folders.len(),
        took.as_secs_f32(),
        shown(&digest)
    );
    Ok(content)
}

/// Nothing that was confirmed is missing. Gives how many words that are.
pub fn check_words(content: &Content, confirmed: &[Confirmed]) -> Result<usize> {
    let mut n_words = 0;
    for (word, at) in confirmed.iter().flatten() {
        let text = &content.texts[*at];
        ensure!(text.contains(word.as_str()), "“{word}” was confirmed and is missing; there is {:?}", near(text, word));
        n_words += 1;
    }
    Ok(n_words)
}

/// What stands in a text around where a word should be: beside another one by the same person, the nearest in its number.
fn near(text: &str, word: &str) -> String {
    let Some((person, number)) = word.trim_end().split_once('-') else { return String::new() };
    let number: usize = number.parse().unwrap_or_default();
    let mut beside = (1..=20).flat_map(|n| [number.saturating_sub(n), number + n]);
    let found = beside.find_map(|n| text.find(&format!("{person}-{n} "))).unwrap_or_default();
    let begin = text[..found].chars().count().saturating_sub(60);
    text.chars().skip(begin).take(160).collect()
}

/// What was there before some took back what they did last is there still, but for letters of theirs.
pub fn check_undone(before: &Content, after: &Content, who: &[&str]) -> Result<()> {
    let mut gone: BTreeMap<&str, usize> = BTreeMap::new();
    for (old, new) in before.texts.iter().zip(&after.texts) {
        let mut rest = old.chars();
        let is_part = new.chars().all(|letter| rest.any(|other| other == letter));
        ensure!(is_part, "an undo brought what was not there");
        // With its end each word is in no other.
        for word in old.split_inclusive(char::is_whitespace).filter(|word| !new.contains(word)) {
            let (person, _) = word.split_once('-').with_context(|| format!("“{word}” is gone, which nobody typed"))?;
            *gone.entry(person).or_default() += 1;
        }
    }
    let whose: Vec<&str> = gone.keys().copied().collect();
    let mut wanted = who.to_vec();
    wanted.sort_unstable();
    ensure!(whose == wanted, "{wanted:?} took back what they did last, and words of {whose:?} are gone");
    println!("  taken back by {}: {gone:?}, nothing of anybody else’s", who.len());
    Ok(())
}

/// All of them at once take back what they did last.
pub fn undo(folders: &[PathBuf]) -> Result<()> {
    let all = folders.iter().cloned().map(|folder| {
        std::thread::spawn(move || -> Result<()> {
            let undone = Line::open(&folder)?.ask("undoLast", Value::Null)?;
            ensure!(undone["value"]["kind"] == json!("applied"), "{}: {undone}", folder.display());
            Ok(())
        })
    });
    let all: Vec<JoinHandle<Result<()>>> = all.collect();
    all.into_iter().try_for_each(|one| one.join().map_err(|_| anyhow::anyhow!("a thread panicked"))?)
}
