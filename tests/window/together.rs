//! Two people in two real windows, each on a computer of its own of a network inside this machine: finding each other,
//! coming in, roles, removing. The promises are those of `UX.md` §6.2; what is said is compared word for word.

#![allow(clippy::unwrap_used)]

#[path = "together/acts.rs"]
mod acts;
#[path = "together/crowd.rs"]
mod crowd;
#[path = "together/faults.rs"]
mod faults;
#[path = "together/first_five_minutes.rs"]
mod first_five_minutes;
#[allow(dead_code, reason = "shared with the tests of one window")]
#[path = "harness.rs"]
mod harness;
#[path = "../../crates/cli/tests/lan/person.rs"]
mod headless;
#[path = "together/steps.rs"]
mod steps;
#[path = "../../crates/cli/tests/lan/typists.rs"]
mod typists;
mod working;

use anyhow::{Context, Result, bail, ensure};
use codesync_lan::{Host, Lan, Scenario, run_scenarios};
use harness::{App, Home, Screen, until};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use thirtyfour::{By, Key};

const SIZE: (u32, u32) = (1100, 700);

/// Those that a run of all tests has the time for.
const USUAL: [Scenario; 6] = [
    ("first_five_minutes", |lan| play(first_five_minutes::first_five_minutes(lan))),
    ("viewers_look_and_ask", |lan| play(viewers_look_and_ask(lan))),
    ("who_is_removed_keeps_the_copy", |lan| play(who_is_removed_keeps_the_copy(lan))),
    ("working_together", |lan| play(working::working_together(lan))),
    ("acts_at_once", |lan| play(acts::acts_at_once(lan))),
    ("faults_of_others", |lan| play(faults::faults_of_others(lan))),
];

/// Those that wait for somebody to give up. Run when they are named, and with `CODESYNC_TOGETHER_ALL=1`.
const LONG: [Scenario; 6] = [
    ("a_code_lets_in_once", |lan| play(a_code_lets_in_once(lan))),
    ("three_wrong_words", |lan| play(three_wrong_words(lan))),
    ("nobody_is_found", |lan| play(nobody_is_found(lan))),
    ("working_apart", |lan| play(working::working_apart(lan))),
    ("a_crowd_around_a_window", |lan| play(crowd::a_crowd_around_a_window(lan))),
    ("faults_at_one_side", |lan| play(faults::faults_at_one_side(lan))),
];

fn main() -> Result<()> {
    let is_named = |word: String| LONG.iter().any(|(name, _)| !word.starts_with('-') && name.contains(&word));
    let all = std::env::var_os("CODESYNC_TOGETHER_ALL").is_some() || std::env::args().skip(1).any(is_named);
    let scenarios: Vec<Scenario> = USUAL.into_iter().chain(LONG.into_iter().filter(|_| all)).collect();
    run_scenarios(&scenarios)
}

fn play(scenario: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(scenario)
}

/// Somebody at a computer of the network, before a window.
struct Person {
    name: &'static str,
    home: Home,
    screen: Screen,
    host: Host,
    app: Option<App>,
    n_pictures: std::cell::Cell<u32>,
}

impl Person {
    /// Puts the computer there; no window yet.
    fn new(lan: &Lan, name: &'static str) -> Result<Self> {
        let (home, screen, host) = (Home::new()?, Screen::start(SIZE.0, SIZE.1)?, lan.host()?);
        home.configure(
            "window.json",
            &json!({ "x": 0, "y": 0, "width": SIZE.0, "height": SIZE.1, "maximized": false }),
        )?;
        home.configure("settings.json", &json!({ "theme": "dark", "person": name }))?;
        home.move_to(&host.command("any"), {
            let host = host.clone();
            move |port| host.reach(port)
        });
        Ok(Self { name, home, screen, host, app: None, n_pictures: Default::default() })
    }

    async fn start(&mut self, words: &[&Path]) -> Result<()> {
        self.app = Some(App::start(&self.home, &self.screen, words).await.with_context(|| self.name)?);
        Ok(())
    }

    fn app(&self) -> &App {
        self.app.as_ref().expect("invariant: the scenario started it")
    }

    /// The copy that joining made, where the window says it is.
    async fn root(&self) -> Result<PathBuf> {
        let root = self.app().script("return window.__cs.workbench.session.workspace.root").await?;
        Ok(PathBuf::from(root.as_str().context("no workspace is open")?))
    }

    /// Says something, and leaves a picture of it where somebody asked for pictures.
    async fn picture(&self, what: &str) -> Result<()> {
        let Some(folder) = std::env::var_os("CODESYNC_TOGETHER_PICTURES") else { return Ok(()) };
        std::fs::create_dir_all(&folder)?;
        let Some(app) = &self.app else { return Ok(()) };
        self.n_pictures.set(self.n_pictures.get() + 1);
        app.idle().await?;
        let name = format!("{what}-{}-{:02}.png", self.name, self.n_pictures.get());
        app.picture(&Path::new(&folder).join(name)).await
    }

    async fn text(&self, id: &str) -> Result<String> {
        Ok(self.app().find(id).await?.text().await?.trim().to_owned())
    }

    /// Waits until an element says something with this in it.
    async fn until_said(&self, id: &str, part: &str) -> Result<()> {
        let script = "return document.querySelector(`[data-testid=\"${arguments[0]}\"]`)?.textContent ?? ''";
        let text =
            async || Ok::<_, anyhow::Error>(self.app().web.execute(script, vec![json!(id)]).await?.json().to_string());
        if until(part, async || Ok(text().await?.contains(part))).await.is_err() {
            self.picture("unsaid").await?;
            bail!("{id} at {}'s should say {part:?} and says {}", self.name, text().await?);
        }
        Ok(())
    }

    /// Waits for a message at the bottom right that contains this.
    async fn until_told(&self, part: &str) -> Result<()> {
        let has = async || Ok(self.told().await?.iter().any(|text| text.contains(part)));
        if until(part, has).await.is_err() {
            bail!("{} should be told {part:?} and was told {:?}", self.name, self.told().await?);
        }
        Ok(())
    }

    /// All messages of this window so far.
    async fn told(&self) -> Result<Vec<String>> {
        let texts = self.app().script("return window.__cs.workbench.notices.list.map((one) => one.text)").await?;
        Ok(serde_json::from_value(texts)?)
    }

    async fn command(&self, id: &str, argument: Value) -> Result<()> {
        let script = "const { commands } = window.__cs.workbench; const can = commands.canRun(arguments[0]); commands.run(...arguments); return can;";
        let could = self.app().web.execute(script, vec![json!(id), argument]).await?;
        ensure!(could.json() == &json!(true), "{id} cannot run now at {}'s", self.name);
        Ok(())
    }

    /// Waits until a file of the copy is on the disk and is so.
    async fn until_on_disk(&self, path: &str, is_so: impl Fn(&str) -> bool) -> Result<()> {
        let file = self.root().await?.join(path);
        let looks = async || Ok(std::fs::read_to_string(&file).is_ok_and(|text| is_so(&text)));
        if until("the file is there", looks).await.is_err() {
            let text = std::fs::read_to_string(&file);
            bail!("{path} at {}'s is {text:?}; what the window said: {:?}", self.name, self.told().await?);
        }
        Ok(())
    }

    /// Types at the end of the file that is open.
    async fn write(&self, text: &str) -> Result<()> {
        self.app().click_editor().await?;
        self.app().ctrl(Key::End).await?;
        self.app().keys(text).await
    }

    async fn until_seen(&self, part: &str, is_there: bool) -> Result<()> {
        let sees = async || Ok(self.app().seen_text("editor-0").await?.contains(part) == is_there);
        if until(part, sees).await.is_err() {
            bail!(
                "{} sees {:?}; {part:?} in it should be {is_there}",
                self.name,
                self.app().seen_text("editor-0").await?
            );
        }
        Ok(())
    }

    /// The member's row in the panel of people: role, or none when nobody of that name is listed.
    async fn role_of(&self, person: &str) -> Result<Option<String>> {
        let script =
            "return window.__cs.workbench.people.members.find((one) => one.person === arguments[0])?.role ?? null";
        Ok(self.app().web.execute(script, vec![json!(person)]).await?.json().as_str().map(str::to_owned))
    }
}

fn project(person: &Person) -> Result<()> {
    person.home.write("README.md", "# parser-lab\n\nA lexer to try things with.\n")?;
    person.home.write("src/lexer.rs", "fn next() {}\n")?;
    person.home.write("src/main.rs", "fn main() {}\n")
}

/// Asha with a workspace open, and a first window of Bo's.
async fn asha_and_bo(lan: &Lan) -> Result<(Person, Person)> {
    let (mut asha, mut bo) = (Person::new(lan, "Asha")?, Person::new(lan, "Bo")?);
    project(&asha)?;
    let folder = asha.home.project();
    asha.start(&[&folder]).await?;
    asha.app().until_state("save-pill", "saved").await?;
    bo.start(&[]).await?;
    bo.app().until_shown("welcome", true).await?;
    Ok((asha, bo))
}

/// Presses Share and gives the code.
async fn share(asha: &Person) -> Result<String> {
    asha.app().click("share").await?;
    let code = asha.app().find("code").await?.attr("data-code").await?;
    code.context("the button has no code")
}

/// Types a code by its words, each finished with Tab after four letters.
async fn type_code(bo: &Person, code: &str) -> Result<()> {
    bo.command("people.join", Value::Null).await?;
    bo.app().find("join-code").await?;
    bo.app().idle().await?;
    for (index, word) in code.split('-').enumerate() {
        if index == 0 {
            bo.app().keys(format!("{word} ")).await?;
            continue;
        }
        for letter in word.chars() {
            bo.app().keys(letter.to_string()).await?;
            bo.app().idle().await?;
            let state =
                bo.app().script("return document.querySelector('[data-testid=join-parts]').textContent").await?;
            if state.as_str().is_some_and(|text| text.contains("(Tab)")) {
                break;
            }
        }
        bo.app().keys(Key::Tab).await?;
        let begun: Vec<&str> = code.split('-').take(index + 1).collect();
        until("Tab has finished the word", async || Ok(typed_words(bo).await? == begun))
            .await
            .with_context(|| format!("of {code}"))?;
    }
    Ok(())
}

/// What stands in the field of a code, word by word.
async fn typed_words(bo: &Person) -> Result<Vec<String>> {
    let typed = bo.app().find("join-code").await?.prop("value").await?.unwrap_or_default();
    let words = typed.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    Ok(words.map(str::to_owned).collect())
}

async fn join_with(bo: &Person, code: &str) -> Result<()> {
    type_code(bo, code).await?;
    bo.app().keys(Key::Enter).await?;
    if bo.app().until_shown("statusbar", true).await.is_err() {
        bo.picture("not-in").await?;
        let joining = bo.app().script("return JSON.stringify(window.__cs.workbench.people.joining)").await?;
        bail!("{code} did not let {} in: {joining}", bo.name);
    }
    Ok(())
}

/// Until both windows say that they are connected.
async fn until_live(people: [&Person; 2]) -> Result<()> {
    for person in people {
        person.app().until_state("save-pill", "live").await.with_context(|| format!("at {}'s", person.name))?;
    }
    Ok(())
}

/// T-PAIR-CODE
async fn a_code_lets_in_once(lan: &Lan) -> Result<()> {
    let (asha, bo) = asha_and_bo(lan).await?;
    let code = share(&asha).await?;
    join_with(&bo, &code).await?;
    until_live([&asha, &bo]).await?;
    asha.until_told("Bo joined with your code as Editor.").await?;
    asha.picture("joined").await?;
    ensure!(asha.role_of("Bo").await?.as_deref() == Some("editor"), "Bo's role is {:?}", asha.role_of("Bo").await?);
    ensure!(!asha.app().is_shown("accept").await?, "a code was typed right, and there was a question all the same");
    bo.until_on_disk("src/lexer.rs", |text| text == "fn next() {}\n").await?;
    // The same code is of no use to a third.
    let mut cara = Person::new(lan, "Cara")?;
    cara.start(&[]).await?;
    type_code(&cara, &code).await?;
    cara.app().keys(Key::Enter).await?;
    cara.app().until_state("join-state", "failed").await?;
    cara.picture("used-code").await?;
    ensure!(asha.role_of("Cara").await?.is_none(), "a used code let somebody in");
    Ok(())
}

/// T-PAIR-WRONG
async fn three_wrong_words(lan: &Lan) -> Result<()> {
    let (asha, bo) = asha_and_bo(lan).await?;
    let code = share(&asha).await?;
    let (digit, rest) = code.split_once('-').context("the code has no dash")?;
    bo.command("people.join", Value::Null).await?;
    bo.app().find("join-code").await?;
    bo.app().keys(format!("{digit} clockwrk ")).await?;
    bo.app().until_shown("join-unknown", true).await?;
    ensure!(
        bo.text("join-unknown").await?.starts_with("“clockwrk” isn't one of our words. Did you mean clockwork?"),
        "{}",
        bo.text("join-unknown").await?
    );
    ensure!(bo.app().find("join-go").await?.attr("disabled").await?.is_some(), "what is no code can be sent");
    let last = rest.split('-').next_back().unwrap_or_default();
    let wrong = if last == "clockwork" { "crossover" } else { "clockwork" };
    let first = rest.split('-').next().unwrap_or_default();
    let says = ["2 tries left", "1 try left", "switched off"];
    for (n, part) in says.iter().enumerate() {
        let field = bo.app().find("join-code").await?;
        field.clear().await?;
        field.send_keys(format!("{digit}-{first}-{wrong}")).await?;
        bo.app().idle().await?;
        bo.app().click("join-go").await?;
        bo.until_said("join-trouble", part).await?;
        bo.picture("wrong").await?;
        let told = if n < 2 {
            "tried your code with a wrong word. The code still works."
        } else {
            "This code is switched off after three wrong tries."
        };
        asha.until_told(told).await?;
    }
    asha.picture("switched-off").await?;
    // The right words come too late.
    let field = bo.app().find("join-code").await?;
    field.clear().await?;
    field.send_keys(code.as_str()).await?;
    bo.app().idle().await?;
    bo.app().click("join-go").await?;
    bo.app().until_state("join-state", "failed").await?;
    ensure!(asha.role_of("Bo").await?.is_none(), "a code that is off let somebody in");
    Ok(())
}

/// T-ROLE
async fn viewers_look_and_ask(lan: &Lan) -> Result<()> {
    let (asha, bo) = asha_and_bo(lan).await?;
    let first = share(&asha).await?;
    asha.app().click("invite-viewer").await?;
    until("there is another code", async || {
        Ok(asha.app().find("code").await?.attr("data-code").await? != Some(first.clone()))
    })
    .await?;
    let code = asha.app().find("code").await?.attr("data-code").await?.context("no code")?;
    join_with(&bo, &code).await?;
    until_live([&asha, &bo]).await?;
    bo.app().expand_in_tree("src").await?;
    bo.app().open_from_tree("src/lexer.rs").await?;
    bo.until_seen("fn next", true).await?;
    bo.app().until_shown("status-viewer", true).await?;
    bo.app().until_shown("tab-lock", true).await?;
    bo.write("x").await?;
    let message = bo.app().find_by(".monaco-editor-overlaymessage").await?.text().await?;
    ensure!(message.contains("You're a viewer here."), "the message is {message:?}");
    bo.picture("viewer").await?;
    write_alone(&asha, &bo).await?;
    bo.app().click_by(By::LinkText("Ask to edit")).await?;
    bo.until_told("Asked Asha.").await?;
    asha.until_told("Bo would like to edit.").await?;
    asha.picture("would-like-to-edit").await?;
    asha.app().press_toast("Make editor").await?;
    bo.until_told("Asha made you an editor.").await?;
    bo.app().until_shown("status-viewer", false).await?;
    bo.write("// mine").await?;
    // What was typed as a viewer is nowhere.
    asha.until_on_disk("src/lexer.rs", |text| text == "fn next() {}\n// mine").await
}

/// What a viewer writes without a name is seen by nobody, and stays when no file may be made of it.
async fn write_alone(asha: &Person, bo: &Person) -> Result<()> {
    bo.app().ctrl("n").await?;
    bo.app().keys("mine alone").await?;
    bo.until_seen("mine alone", true).await?;
    let places = "return [...window.__cs.workbench.people.presences.values()].map(({ place }) => [place.path, place.line, place.selections])";
    until("Asha sees Bo at no place", async || Ok(asha.app().script(places).await? == json!([[null, 0, []]]))).await?;
    bo.app().ctrl("s").await?;
    bo.app().until_shown("quickpick", true).await?;
    bo.app().keys("bo.txt").await?;
    bo.app().keys(Key::Enter).await?;
    bo.until_told("You're a viewer here.").await?;
    bo.until_seen("mine alone", true).await?;
    ensure!(!bo.root().await?.join("bo.txt").exists(), "a viewer has made a file");
    bo.command("tabs.close", Value::Null).await?;
    bo.app().click("untitled-discard").await?;
    bo.until_seen("fn next", true).await?;
    bo.write("x").await?;
    bo.app().find_by(".monaco-editor-overlaymessage").await.map(drop)
}

/// T-REMOVE
async fn who_is_removed_keeps_the_copy(lan: &Lan) -> Result<()> {
    let (asha, bo) = asha_and_bo(lan).await?;
    let code = share(&asha).await?;
    join_with(&bo, &code).await?;
    until_live([&asha, &bo]).await?;
    // The code did what it was for.
    asha.app().until_shown("invite", false).await?;
    bo.app().open_from_tree("README.md").await?;
    bo.write("before").await?;
    asha.until_on_disk("README.md", |text| text.contains("before")).await?;
    let device = asha.app().script("return window.__cs.workbench.people.others[0].device").await?;
    asha.command("people.remove", device).await?;
    let question = asha.text("people-question").await?;
    ensure!(
        question.contains("Remove Bo from") && question.contains("Bo keeps the copy already received"),
        "{question}"
    );
    asha.picture("remove").await?;
    let focus = asha.app().script("return document.activeElement?.dataset.testid ?? ''").await?;
    ensure!(focus == json!("people-cancel"), "the keyboard is on {focus}");
    asha.app().click("people-yes").await?;
    bo.app().until_shown("banner-removed", true).await?;
    ensure!(
        bo.text("banner-removed").await?.starts_with("Asha removed you from"),
        "{}",
        bo.text("banner-removed").await?
    );
    bo.picture("removed").await?;
    bo.app().click("removed-keep").await?;
    bo.write(" and after").await?;
    bo.until_on_disk("README.md", |text| text.contains("before and after")).await?;
    // Time enough for it to come, if it could.
    tokio::time::sleep(Duration::from_millis(500)).await;
    ensure!(!asha.home.read("README.md")?.contains("and after"), "what somebody wrote who was removed came here");
    Ok(())
}

/// T-NOBODY
async fn nobody_is_found(lan: &Lan) -> Result<()> {
    let (mut asha, mut bo) = (Person::new(lan, "Asha")?, Person::new(lan, "Bo")?);
    // Whoever hears the other could call.
    bo.host.block_multicast()?;
    asha.host.block_multicast()?;
    project(&asha)?;
    let folder = asha.home.project();
    let began = Instant::now();
    asha.start(&[&folder]).await?;
    bo.start(&[]).await?;
    bo.app().until_state("nearby", "nobody").await?;
    println!("  said that nobody is there after {:?}", bo.app().age()?);
    ensure!(
        bo.text("nearby-nobody").await?.starts_with("Nobody found yet. Both computers need the same network"),
        "{}",
        bo.text("nearby-nobody").await?
    );
    bo.picture("nobody").await?;
    bo.app().click("nearby-why").await?;
    bo.app().until_shown("connection-check", true).await?;
    bo.picture("why").await?;
    bo.app().keys(Key::Escape).await?;
    let code = share(&asha).await?;
    type_code(&bo, &code).await?;
    let address = asha.app().script("return window.__cs.workbench.people.together.addresses[0]").await?;
    let address = address.as_str().context("Asha's window has no address")?.to_owned();
    bo.app().find("join-address").await?.send_keys(address).await?;
    bo.app().click("join-go").await?;
    bo.app().until_shown("statusbar", true).await?;
    until_live([&asha, &bo]).await?;
    for person in [&asha, &bo] {
        person.open("README.md").await?;
    }
    bo.write("Bo was here").await?;
    asha.until_seen("Bo was here", true).await?;
    println!("  Bo's first letters at Asha's {:?} after Asha's first launch", began.elapsed());
    ensure!(began.elapsed() < Duration::from_secs(60), "it took {:?}", began.elapsed());
    Ok(())
}
