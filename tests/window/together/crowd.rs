//! One or two windows and headless peers at one workspace, twelve where it is asked for: all type at once in one file and in
//! twenty, and in the end all have the same, to the digest. `cargo xtask prove crowd` runs it for longer.

use super::headless::{self, Staying};
use super::typists::{Confirmed, NAMES, Typists, check_undone, check_words, number_of, settle, undo, word};
use super::{Person, join_with, share, until};
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
    let n_windows = number_of("CODESYNC_CROWD_WINDOWS", 1).clamp(1, 2) as usize;
    let typing = Duration::from_secs(number_of("CODESYNC_CROWD_SECONDS", 2));
    let one: Vec<String> = vec!["one.txt".into()];
    let twenty: Vec<String> = (0..20).map(|n| format!("src/file-{n}.txt")).collect();
    let mut asha = Person::new(lan, NAMES[0])?;
    one.iter().chain(&twenty).try_for_each(|name| asha.home.write(name, "begin\n"))?;
    let folder = asha.home.project();
    asha.start(&[&folder]).await?;
    asha.app().until_state("save-pill", "saved").await?;
    let began = Instant::now();
    let (mut windows, mut folders) = (vec![asha], vec![folder]);
    for name in &NAMES[1..n_windows] {
        let mut person = Person::new(lan, name)?;
        person.start(&[]).await?;
        join_with(&person, &share(&windows[0]).await?).await?;
        folders.push(person.root().await?);
        windows.push(person);
    }
    let mut others = Vec::new();
    for name in &NAMES[n_windows..n_peers] {
        others.push(let_join(lan, &windows[0], name).await?);
    }
    others.iter_mut().try_for_each(Peer::serve)?;
    for window in &windows {
        until_with(window, n_peers - 1).await?;
    }
    println!(
        "  {n_windows} windows and {} headless peers met within {:.1} s",
        others.len(),
        began.elapsed().as_secs_f32()
    );
    folders.extend(others.iter().map(|peer| peer.folder.clone()));
    for (what, files) in [("one file", one), ("twenty files", twenty)] {
        let by_socket: Vec<(&str, PathBuf)> = NAMES.into_iter().zip(folders.clone()).skip(n_windows).collect();
        let typists = Typists::start(&by_socket, &files, PAUSE);
        let by_hand = all_type(&windows, &files, typing).await;
        let mut confirmed = typists.collect()?;
        let by_hand = by_hand?;
        let n_by_hand: usize = by_hand.iter().map(Confirmed::len).sum();
        confirmed.extend(by_hand);
        for window in &windows {
            window.app().idle().await?;
            window.picture("crowd").await?;
        }
        let before = settle(&folders, &files)?;
        let n_words = check_words(&before, &confirmed)?;
        println!("  {what}: {n_words} words by {n_peers} in {} s, {n_by_hand} of them in windows", typing.as_secs());
        // The windows and every other one without take back what they did last.
        let (mut who, undoing): (Vec<&str>, Vec<PathBuf>) = by_socket.into_iter().skip(1).step_by(2).unzip();
        who.extend(&NAMES[..n_windows]);
        for window in &windows {
            window.app().ctrl("z").await?;
        }
        undo(&undoing)?;
        for window in &windows {
            window.app().idle().await?;
        }
        let after = settle(&folders, &files)?;
        check_undone(&before, &after, &who)?;
        for window in &windows {
            let shown = window.model_text().await?;
            ensure!(after.texts.contains(&shown), "{}'s window shows what nobody has: {shown}", window.name);
        }
    }
    others.iter().try_for_each(|peer| peer.person.run(&peer.folder, &["verify"], "").map(drop))
}

/// All windows at once.
async fn all_type(windows: &[Person], files: &[String], typing: Duration) -> Result<Vec<Confirmed>> {
    Ok(match windows {
        [asha, bo] => {
            let (one, other) = tokio::try_join!(type_by_hand(asha, files, typing), type_by_hand(bo, files, typing))?;
            vec![one, other]
        }
        _ => vec![type_by_hand(&windows[0], files, typing).await?],
    })
}

/// Words typed in a window at the beginning of the files, one after the other.
async fn type_by_hand(person: &Person, files: &[String], typing: Duration) -> Result<Confirmed> {
    let (began, mut typed) = (Instant::now(), Confirmed::new());
    while began.elapsed() < typing || typed.is_empty() {
        let at = typed.len() % files.len();
        if files.len() > 1 || typed.is_empty() {
            person.open(&files[at]).await?;
            person.put_caret(1, 1).await?;
        }
        // Enter could take a suggestion.
        let word = word(person.name, typed.len()).replace('\n', " ");
        person.app().keys(word.as_str()).await?;
        typed.insert(word, at);
    }
    Ok(typed)
}
