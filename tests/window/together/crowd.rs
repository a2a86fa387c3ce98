//! A window and headless peers at one workspace, twelve where it is asked for: all type at once in one file and in twenty,
//! and in the end all have the same, to the digest. `cargo xtask prove crowd` runs it for longer.

use super::headless::{self, Staying};
use super::typists::{Confirmed, NAMES, Typists, check_undone, check_words, number_of, settle, undo, word};
use super::{Person, until};
use anyhow::{Context, Result, ensure};
use codesync_lan::Lan;
use serde_json::json;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Between two words of a headless peer.
const PAUSE: Duration = Duration::from_millis(150);

/// Somebody without a window.
pub struct Peer {
    /// Goes before the folder does.
    serving: Option<Staying>,
    pub person: headless::Person,
    pub folder: PathBuf,
}

/// Lets somebody without a window into the workspace of a window, whose peer serves from then on.
pub async fn let_in(lan: &Lan, host: &Person, name: &'static str) -> Result<Peer> {
    let mut peer = let_join(lan, host, name).await?;
    peer.serve()?;
    Ok(peer)
}

impl Peer {
    fn serve(&mut self) -> Result<()> {
        if self.serving.is_none() {
            self.serving = Some(self.person.serve(&self.folder)?);
        }
        Ok(())
    }
}

/// Lets somebody without a window in by a code; they have the copy, and are gone again.
async fn let_join(lan: &Lan, host: &Person, name: &'static str) -> Result<Peer> {
    let invite = json!({ "cmd": "invite", "args": { "role": "editor", "isLong": false, "sharePast": true } });
    let answer = host.app().call(json!({ "to": "workspace", "request": invite })).await?;
    let code = answer["reply"]["value"]["code"].as_str().with_context(|| format!("no code: {answer}"))?;
    let person = headless::Person::new(lan.host()?, name)?;
    person.run(&person.home, &["join", code, "copy"], "")?;
    let folder = person.home.join("copy");
    Ok(Peer { serving: None, person, folder })
}

/// Waits until a window is connected with so many.
pub async fn until_with(person: &Person, n_others: usize) -> Result<()> {
    let script = "return window.__cs.workbench.people.link";
    let is_so = async || {
        let link = person.app().script(script).await?;
        Ok(link["kind"] == json!("live") && link["nOthers"] == json!(n_others))
    };
    until(&format!("{} is live with {n_others}", person.name), is_so).await
}

pub async fn a_crowd_around_a_window(lan: &Lan) -> Result<()> {
    let n_peers = number_of("CODESYNC_CROWD_PEERS", 3).clamp(2, NAMES.len() as u64) as usize;
    let typing = Duration::from_secs(number_of("CODESYNC_CROWD_SECONDS", 2));
    let one: Vec<String> = vec!["one.txt".into()];
    let twenty: Vec<String> = (0..20).map(|n| format!("src/file-{n}.txt")).collect();
    let mut asha = Person::new(lan, NAMES[0])?;
    one.iter().chain(&twenty).try_for_each(|name| asha.home.write(name, "begin\n"))?;
    let folder = asha.home.project();
    asha.start(&[&folder]).await?;
    asha.app().until_state("save-pill", "saved").await?;
    let began = Instant::now();
    let mut others = Vec::new();
    for name in &NAMES[1..n_peers] {
        others.push(let_join(lan, &asha, name).await?);
    }
    others.iter_mut().try_for_each(Peer::serve)?;
    until_with(&asha, n_peers - 1).await?;
    println!("  a window and {} headless peers met within {:.1} s", n_peers - 1, began.elapsed().as_secs_f32());
    let folders: Vec<PathBuf> = std::iter::once(folder).chain(others.iter().map(|peer| peer.folder.clone())).collect();
    for (what, files) in [("one file", one), ("twenty files", twenty)] {
        let by_socket: Vec<(&str, PathBuf)> = NAMES.into_iter().zip(folders.clone()).skip(1).collect();
        let typists = Typists::start(&by_socket, &files, PAUSE);
        let typed = type_by_hand(&asha, &files, typing).await;
        let mut confirmed = typists.collect()?;
        asha.app().idle().await?;
        asha.picture("crowd").await?;
        confirmed.insert(0, typed?);
        let before = settle(&folders, &files)?;
        let n_words = check_words(&before, &confirmed)?;
        let n_by_hand = confirmed[0].len();
        println!("  {what}: {n_words} words by {n_peers} in {} s, {n_by_hand} of them in the window", typing.as_secs());
        // The window and every other one take back what they did last.
        let (who, undoing): (Vec<&str>, Vec<PathBuf>) = by_socket.into_iter().skip(1).step_by(2).unzip();
        asha.app().ctrl("z").await?;
        undo(&undoing)?;
        asha.app().idle().await?;
        let who: Vec<&str> = std::iter::once(NAMES[0]).chain(who).collect();
        let after = settle(&folders, &files)?;
        check_undone(&before, &after, &who)?;
        let shown = asha.model_text().await?;
        ensure!(after.texts.contains(&shown), "the window shows another text than everybody has: {shown}");
    }
    others.iter().try_for_each(|peer| peer.person.run(&peer.folder, &["verify"], "").map(drop))
}

/// Words typed in the window at the beginning of the files, one after the other.
async fn type_by_hand(asha: &Person, files: &[String], typing: Duration) -> Result<Confirmed> {
    let (began, mut typed) = (Instant::now(), Confirmed::new());
    while began.elapsed() < typing || typed.is_empty() {
        let at = typed.len() % files.len();
        if files.len() > 1 || typed.is_empty() {
            asha.open(&files[at]).await?;
            asha.put_caret(1, 1).await?;
        }
        // Enter could take a suggestion.
        let word = word(NAMES[0], typed.len()).replace('\n', " ");
        asha.app().keys(word.as_str()).await?;
        typed.insert(word, at);
    }
    Ok(typed)
}
