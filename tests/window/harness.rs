//! Starts the real window on a screen of its own, drives it as a hand would, and ends what it started,
//! and only that. Must never reach into the app by another way than the window, its folder and its
//! process id.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use thirtyfour::prelude::*;
use thirtyfour::{Capabilities, Key, TypingData};

/// Longer than anything takes on a loaded machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(25);

/// Two windows at once on two processors make times that no one should reason about.
static ONE_WINDOW: Mutex<()> = Mutex::new(());

/// An X server without a screen, of the given size. What it shows can be read from a file.
pub struct Screen {
    server: Child,
    display: String,
    picture: TempDir,
}

impl Screen {
    pub fn start(width: u32, height: u32) -> Result<Self> {
        // In memory where that is possible: what is drawn is not to wait for a disk.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let picture = tempfile::Builder::new().prefix("codesync-screen-").tempdir_in(folder)?;
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0", &format!("{width}x{height}x24"), "-fbdir"])
            .arg(picture.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("Xvfb could not be started; `cargo xtask setup` installs it")?;
        let mut number = String::new();
        let output = server.stdout.take().context("invariant: its output is piped")?;
        BufReader::new(output).read_line(&mut number)?;
        Ok(Self { server, display: format!(":{}", number.trim()), picture })
    }

    /// The file that always holds what is shown.
    pub fn picture(&self) -> PathBuf {
        self.picture.path().join("Xvfb_screen0")
    }

    /// A program that uses this screen.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("DISPLAY", &self.display);
        command
    }

    /// Presses and lets go a key as hardware does, whatever has the focus. Done when the child has ended.
    pub fn press(&self, key: &str) -> Result<Child> {
        let child = Command::new("xdotool").args(["key", "--delay", "0", key]).env("DISPLAY", &self.display).spawn();
        child.context("xdotool is missing; `cargo xtask setup` installs it")
    }

    /// What is on the screen when a test fails, for the person who has to find out why.
    fn keep_picture(&self) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("out/window-failures");
        let test = std::thread::current().name().unwrap_or("test").replace("::", "-");
        let picture = folder.join(format!("{test}.png"));
        if let Err(reason) = fs::create_dir_all(&folder) {
            eprintln!("no picture could be kept: {reason}");
            return;
        }
        match take_picture(&self.display, &picture) {
            Ok(()) => eprintln!("what was on the screen: {}", picture.display()),
            Err(reason) => eprintln!("no picture could be kept: {reason:#}"),
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        end(&mut self.server);
    }
}

/// Another computer of a test's network: how a program is started there, and where it is reached.
struct Computer {
    /// Program and arguments that another program's follow.
    prefix: Vec<OsString>,
    /// The address that leads from here to one of its ports, whatever becomes of its cable.
    reach: Reach,
}

type Reach = Box<dyn Fn(u16) -> Result<SocketAddr> + Send + Sync>;

/// A person's home with all that CodeSync keeps there, and a project folder. Outlives the windows.
pub struct Home {
    folder: TempDir,
    /// What the window's environment has beyond the usual.
    variables: Mutex<Vec<(String, String)>>,
    /// The project folder is a disk of its own, of this many bytes.
    small_disk_bytes: OnceLock<u64>,
    /// The computer on which the windows are, if it is not this one.
    computer: OnceLock<Computer>,
}

impl Home {
    pub fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("codesync-window-").tempdir()?;
        let home =
            Self { folder, variables: Mutex::default(), small_disk_bytes: OnceLock::new(), computer: OnceLock::new() };
        // Without the home folder itself, the toolkit's start takes many seconds.
        for path in [home.project(), home.config(), home.inside("home"), home.inside("run")] {
            fs::create_dir_all(path)?;
        }
        Ok(home)
    }

    /// The workspace of the test.
    pub fn project(&self) -> PathBuf {
        self.inside("project")
    }

    pub fn config(&self) -> PathBuf {
        self.inside("config/codesync")
    }

    /// Where programs of this session keep their sockets.
    pub fn runtime(&self) -> PathBuf {
        self.inside("run")
    }

    /// What the window finds in its configuration folder at the next start.
    pub fn configure(&self, name: &str, value: &Value) -> Result<()> {
        Ok(fs::write(self.config().join(name), value.to_string())?)
    }

    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.project().join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        Ok(fs::write(path, text)?)
    }

    /// Sets a variable in the environment of the windows started from now on; an empty one is not there at all.
    pub fn set_variable(&self, name: &str, value: impl Into<String>) {
        let mut variables = self.variables.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        variables.push((name.into(), value.into()));
    }

    /// The window will find the project folder, with what is in it by then, on a disk of this many bytes that nobody
    /// else sees.
    pub fn put_project_on_small_disk(&self, bytes: u64) {
        self.small_disk_bytes.get_or_init(|| bytes);
    }

    /// The windows will be on another computer, where programs are started as this one is, and whose ports are reached so.
    #[allow(dead_code, reason = "only tests of several windows have several computers")]
    pub fn move_to(&self, example: &Command, reach: impl Fn(u16) -> Result<SocketAddr> + Send + Sync + 'static) {
        let mut prefix: Vec<OsString> =
            std::iter::once(example.get_program()).chain(example.get_args()).map(Into::into).collect();
        prefix.pop();
        self.computer.get_or_init(|| Computer { prefix, reach: Box::new(reach) });
    }

    /// Where the driver of windows is called that listens on this port of its own computer.
    fn address(&self, port: u16) -> Result<SocketAddr> {
        self.computer.get().map_or(Ok(SocketAddr::from(([127, 0, 0, 1], port))), |computer| (computer.reach)(port))
    }

    /// The driver of windows, in a world of its own where the small disk is mounted, if there is to be one.
    fn driver(&self) -> Command {
        if let Some(computer) = self.computer.get() {
            let mut words = computer.prefix.iter();
            let mut command = Command::new(words.next().map_or(OsStr::new("env"), OsString::as_os_str));
            command.args(words).arg("WebKitWebDriver");
            return command;
        }
        let Some(bytes) = self.small_disk_bytes.get() else { return Command::new("WebKitWebDriver") };
        let script = "cp -a \"$0\" \"$1\" && mount -t tmpfs -o size=\"$2\" small \"$0\" && cp -a \"$1\"/. \"$0\"/ && \
                      shift 2 && exec WebKitWebDriver \"$@\"";
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
        command.args([self.project(), self.inside("seed")]).arg(bytes.to_string());
        command
    }

    /// Text of a project file as it is on the disk.
    pub fn read(&self, name: &str) -> Result<String> {
        fs::read_to_string(self.project().join(name)).with_context(|| format!("could not read {name}"))
    }

    fn inside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts the window as a desktop does: nobody drives it but mouse and keys.
    pub fn start_alone(&self, screen: &Screen, words: &[&Path]) -> Result<Alone> {
        let log = fs::File::options().create(true).append(true).open(self.inside("log"))?;
        let mut command = Command::new(program());
        command.args(words).env_clear().envs(self.environment(screen)).env_remove("TAURI_WEBVIEW_AUTOMATION");
        let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn();
        Ok(Alone(child.with_context(|| format!("{} could not be started", program().display()))?))
    }

    fn environment(&self, screen: &Screen) -> Vec<(String, String)> {
        let at = |name: &str| self.inside(name).to_string_lossy().into_owned();
        let own = |name: &str| std::env::var(name).unwrap_or_default();
        [
            ("PATH", own("PATH")),
            ("LANG", "C.UTF-8".into()),
            ("DISPLAY", screen.display.clone()),
            ("HOME", at("home")),
            ("XDG_CONFIG_HOME", at("config")),
            ("XDG_DATA_HOME", at("data")),
            ("XDG_CACHE_HOME", at("cache")),
            ("XDG_RUNTIME_DIR", at("run")),
            ("CODESYNC_CONFIG_DIR", self.config().to_string_lossy().into_owned()),
            ("CODESYNC_E2E", "1".into()),
            // A test of one window is to meet nobody.
            ("CODESYNC_NETWORK", if self.computer.get().is_some() { String::new() } else { "off".into() }),
            ("CODESYNC_PICK_FOLDER", self.project().to_string_lossy().into_owned()),
            ("CODESYNC_LOG", "info".into()),
            ("TAURI_WEBVIEW_AUTOMATION", "true".into()),
            ("WEBKIT_DISABLE_DMABUF_RENDERER", "1".into()),
            ("NO_AT_BRIDGE", "1".into()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .chain(self.variables.lock().unwrap_or_else(std::sync::PoisonError::into_inner).iter().cloned())
        .collect::<std::collections::BTreeMap<_, _>>()
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
    }
}

/// The program under test: the one just built, or another that is named.
fn program() -> PathBuf {
    std::env::var_os("CODESYNC_WINDOW_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_codesync-desktop").into()).into()
}

/// A window that nobody drives. Ended by the signal that a log-out sends.
pub struct Alone(Child);

impl Drop for Alone {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}

/// The running window.
pub struct App {
    pub web: WebDriver,
    driver: Child,
    display: String,
    pid: u32,
}

impl App {
    /// Starts the window with these words on its command line and waits until its page is drawn.
    pub async fn start(home: &Home, screen: &Screen, words: &[&Path]) -> Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let address = home.address(port)?;
        let log = fs::File::options().create(true).append(true).open(home.inside("log"))?;
        let driver = home
            .driver()
            .args([format!("--port={port}"), "--host=127.0.0.1".into()])
            .env_clear()
            .envs(home.environment(screen))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("WebKitWebDriver could not be started; `cargo xtask setup` installs it")?;
        let mut driver = Unfinished(Some(driver));
        until("WebKitWebDriver listens", async || Ok(TcpStream::connect(address).is_ok())).await?;
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        let mut wanted = Capabilities::new();
        wanted.set("webkitgtk:browserOptions", json!({ "binary": program(), "args": words }))?;
        let web = WebDriver::new(format!("http://{address}"), wanted)
            .await
            .with_context(|| format!("the window did not start; its log:\n{}", home.log()))?;
        let driver = driver.0.take().context("invariant: it was put there above")?;
        // The mark of a window that was killed stands until the next one has set its own.
        until("the window marks its process", async || Ok(home.running_pid().is_some_and(runs))).await?;
        let pid = home.running_pid().context("the window left no mark of its process")?;
        let app = Self { web, driver, display: screen.display.clone(), pid };
        app.ready().await?;
        Ok(app)
    }

    /// How long ago the window's process was started.
    #[allow(dead_code, reason = "only asked in tests of several windows")]
    pub fn age(&self) -> Result<Duration> {
        let uptime = fs::read_to_string("/proc/uptime")?;
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        // The field that counts in hundredths of a second since this machine was started; the name before may have spaces.
        let started = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(19)).context("no time of start")?;
        let now_s: f64 = uptime.split(' ').next().context("no time")?.parse()?;
        Ok(Duration::from_secs_f64((now_s - started.parse::<f64>()? / 100.0).max(0.0)))
    }

    /// A path that the window sees, for one who lives outside its world.
    pub fn outside_path(&self, path: &Path) -> PathBuf {
        Path::new("/proc").join(self.pid.to_string()).join("root").join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Waits for the first real picture.
    pub async fn ready(&self) -> Result<()> {
        until("the page says that it is drawn", async || {
            Ok(self.script("return document.documentElement.dataset.ready === '1'").await? == Value::Bool(true))
        })
        .await
    }

    /// Waits until nothing is on its way between page and engine.
    pub async fn idle(&self) -> Result<()> {
        let script = "const done = arguments[arguments.length - 1]; window.__cs.idle().then(() => done(true), () => done(false))";
        let answer = self.web.execute_async(script, vec![]).await?;
        if answer.json() != &Value::Bool(true) {
            bail!("the page did not come to rest");
        }
        Ok(())
    }

    pub async fn script(&self, script: &str) -> Result<Value> {
        Ok(self.web.execute(script, vec![]).await?.json().clone())
    }

    /// Asks the shell as the page does. Gives an object with `reply` or `refusal`.
    pub async fn ask(&self, call: Value) -> Result<Value> {
        let script = "const done = arguments[arguments.length - 1];
            window.__TAURI_INTERNALS__.invoke('rpc', { call: arguments[0] })
              .then((reply) => done({ reply }), (refusal) => done({ refusal }));";
        Ok(self.web.execute_async(script, vec![call]).await?.json().clone())
    }

    /// Asks the shell for what it must not refuse.
    pub async fn call(&self, call: Value) -> Result<Value> {
        let answer = self.ask(call).await?;
        answer.get("reply").cloned().with_context(|| format!("the call was refused: {answer}"))
    }

    /// The element of this test id, once it can be seen.
    pub async fn find(&self, id: &str) -> Result<WebElement> {
        self.find_by(&format!("[data-testid=\"{id}\"]")).await
    }

    pub async fn find_by(&self, selector: &str) -> Result<WebElement> {
        let query = self.web.query(By::Css(selector)).wait(PATIENCE, BETWEEN_LOOKS).and_displayed();
        query.first().await.with_context(|| format!("{selector} did not appear"))
    }

    pub async fn click(&self, id: &str) -> Result<()> {
        let element = self.find(id).await?;
        Ok(self.web.action_chain().click_element(&element).perform().await?)
    }

    /// Clicks what is found another way.
    pub async fn click_by(&self, by: By) -> Result<()> {
        let element = self.web.query(by).wait(PATIENCE, BETWEEN_LOOKS).and_displayed().first().await?;
        Ok(self.web.action_chain().click_element(&element).perform().await?)
    }

    /// Presses a button in a message at the bottom right.
    pub async fn press_toast(&self, label: &str) -> Result<()> {
        let path = format!("//*[@data-testid='toast']//button[normalize-space()='{label}']");
        let button = self.web.query(By::XPath(path)).wait(PATIENCE, BETWEEN_LOOKS).and_displayed().first().await;
        let button = button.with_context(|| format!("no message offered {label}"))?;
        Ok(self.web.action_chain().click_element(&button).perform().await?)
    }

    pub async fn is_shown(&self, id: &str) -> Result<bool> {
        let script = "const e = document.querySelector(`[data-testid=\"${arguments[0]}\"]`); return !!e && e.getClientRects().length > 0";
        Ok(self.web.execute(script, vec![json!(id)]).await?.json() == &Value::Bool(true))
    }

    /// Waits until an element of this test id can, or can no longer, be seen.
    pub async fn until_shown(&self, id: &str, shown: bool) -> Result<()> {
        let what = format!("{id} is {}", if shown { "shown" } else { "gone" });
        until(&what, async || Ok(self.is_shown(id).await? == shown)).await
    }

    /// Keys to whatever has the focus.
    pub async fn keys(&self, text: impl Into<TypingData>) -> Result<()> {
        Ok(self.web.action_chain().send_keys(text).perform().await?)
    }

    /// One key with Ctrl held.
    pub async fn ctrl(&self, key: impl Into<TypingData>) -> Result<()> {
        self.with_held(Key::Control, key).await
    }

    /// One key with Shift held.
    pub async fn shift(&self, key: impl Into<TypingData>) -> Result<()> {
        self.with_held(Key::Shift, key).await
    }

    async fn with_held(&self, held: Key, key: impl Into<TypingData>) -> Result<()> {
        Ok(self.web.action_chain().key_down(held.clone()).send_keys(key).key_up(held).perform().await?)
    }

    /// Opens a file by its row in the tree.
    pub async fn open_from_tree(&self, path: &str) -> Result<()> {
        let row = self.tree_row(path).await?;
        Ok(self.web.action_chain().double_click_element(&row).perform().await?)
    }

    /// Shows what is in a folder of the tree.
    pub async fn expand_in_tree(&self, path: &str) -> Result<()> {
        let row = self.tree_row(path).await?;
        Ok(self.web.action_chain().click_element(&row).perform().await?)
    }

    async fn tree_row(&self, path: &str) -> Result<WebElement> {
        self.find_by(&format!("[data-testid=\"tree-row\"][data-path=\"{path}\"]")).await
    }

    /// Puts the caret into the shown editor's text.
    pub async fn click_editor(&self) -> Result<()> {
        let editor = self.find_by("[data-testid=\"editor-0\"] .monaco-editor").await?;
        Ok(self.web.action_chain().click_element(&editor).perform().await?)
    }

    /// Waits until an element says this of itself.
    pub async fn until_state(&self, id: &str, state: &str) -> Result<()> {
        let element = self.find(id).await?;
        until(&format!("{id} is {state}"), async || Ok(element.attr("data-state").await?.as_deref() == Some(state)))
            .await
    }

    /// The text that can be seen in the editor inside an element, line by line.
    pub async fn seen_text(&self, within: &str) -> Result<String> {
        let script = "
            const within = [...document.querySelectorAll(`[data-testid=\"${arguments[0]}\"] .view-lines`)];
            const shown = within.find((element) => element.getClientRects().length > 0);
            if (!shown) return '';
            const lines = [...shown.querySelectorAll('.view-line')];
            lines.sort((a, b) => parseFloat(a.style.top) - parseFloat(b.style.top));
            return lines.map((line) => line.textContent.replaceAll('\\u00a0', ' ')).join('\\n');";
        let answer = self.web.execute(script, vec![json!(within)]).await?;
        Ok(answer.json().as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the editor inside an element shows exactly this text.
    pub async fn until_seen(&self, within: &str, wanted: &str) -> Result<()> {
        let result = until("the text is shown", async || Ok(self.seen_text(within).await? == wanted)).await;
        if result.is_err() {
            bail!("{within} should show {wanted:?} and shows {:?}", self.seen_text(within).await?);
        }
        Ok(())
    }

    /// Drags an element by the mouse to a place in the window, in CSS pixels, over a place in between.
    pub async fn drag(&self, id: &str, to: (i64, i64)) -> Result<()> {
        let handle = self.find(id).await?;
        let from = handle.rect().await?;
        let between = (((from.x as i64) + to.0) / 2, ((from.y as i64) + to.1) / 2);
        let chain = self.web.action_chain().move_to_element_center(&handle).click_and_hold();
        Ok(chain.move_to(between.0, between.1).move_to(to.0, to.1).release().perform().await?)
    }

    /// Keeps what the screen shows, taken from the X server: the driver's own pictures at times never come.
    pub async fn picture(&self, path: &Path) -> Result<()> {
        let two_frames = "const done = arguments[arguments.length - 1];
            requestAnimationFrame(() => requestAnimationFrame(() => done(true)));";
        self.web.execute_async(two_frames, vec![]).await?;
        take_picture(&self.display, path)
    }

    /// Ends the window as its menu does, and waits until its process is gone.
    pub async fn quit(self) -> Result<()> {
        // The answer may not come any more.
        let script = "window.__TAURI_INTERNALS__.invoke('rpc', { call: { to: 'app', request: { cmd: 'quit' } } })";
        if let Err(reason) = self.web.execute(script, vec![]).await {
            eprintln!("while quitting: {reason}");
        }
        self.gone().await
    }

    /// Takes the process away, as a power cut does.
    pub async fn kill(self) -> Result<()> {
        signal("-KILL", self.pid);
        self.gone().await
    }

    async fn gone(&self) -> Result<()> {
        until("the window's process is gone", async || Ok(!runs(self.pid))).await
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // A session that still runs would be ended through the driver that is about to go.
        if let Err(reason) = self.web.clone().leak() {
            eprintln!("{reason:?}");
        }
        end(&mut self.driver);
        // The driver sometimes leaves the window behind.
        if runs(self.pid) {
            signal("-KILL", self.pid);
        }
    }
}

impl Home {
    fn running_pid(&self) -> Option<u32> {
        let text = fs::read_to_string(self.config().join("running")).ok()?;
        text.split_whitespace().next()?.parse().ok()
    }

    /// What the windows and their driver said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.inside("log")).unwrap_or_default()
    }
}

/// A driver whose session may not come about.
struct Unfinished(Option<Child>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(driver) = &mut self.0 {
            end(driver);
        }
    }
}

/// Runs one scenario on a screen and in a home of its own.
pub fn scenario(size: (u32, u32), play: impl AsyncFnOnce(&Home, &Screen) -> Result<()>) {
    let _alone = ONE_WINDOW.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let result = runtime.context("no runtime").and_then(|runtime| {
        runtime.block_on(async {
            let screen = Screen::start(size.0, size.1)?;
            let home = Home::new()?;
            home.configure(
                "window.json",
                &json!({ "x": 0, "y": 0, "width": size.0, "height": size.1, "maximized": false }),
            )?;
            let result = play(&home, &screen).await;
            if result.is_err() {
                eprintln!("the window's log:\n{}", home.log());
                screen.keep_picture();
            }
            result
        })
    });
    if let Err(reason) = result {
        panic!("{reason:#}");
    }
}

/// Looks again and again until it is so.
pub async fn until(what: &str, is_so: impl AsyncFn() -> Result<bool>) -> Result<()> {
    let start = Instant::now();
    while !is_so().await? {
        if start.elapsed() > PATIENCE {
            bail!("waited in vain until {what}");
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Ok(())
}

/// Takes all the room there is, to the last block; what the store gave back since, too.
pub fn fill(path: &Path) -> Result<()> {
    let mut file = fs::File::options()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("{} cannot be reached", path.display()))?;
    for block in [1 << 16, 4096] {
        let bytes = vec![0xa5; block];
        loop {
            match file.write_all(&bytes) {
                Ok(()) => {}
                Err(reason) if reason.kind() == ErrorKind::StorageFull => break,
                Err(reason) => return Err(reason.into()),
            }
        }
    }
    Ok(())
}

fn take_picture(display: &str, path: &Path) -> Result<()> {
    let status = Command::new("import").args(["-display", display, "-window", "root"]).arg(path).status();
    let status = status.context("ImageMagick is missing; `cargo xtask setup` installs it")?;
    if !status.success() {
        bail!("{} could not be drawn", path.display());
    }
    Ok(())
}

fn runs(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // A process that has ended and was not yet asked about is in state Z.
    stat.contains("codesync") && !stat.contains(") Z ")
}

fn signal(kind: &str, pid: u32) {
    let status = Command::new("kill").args([kind, &pid.to_string()]).stderr(Stdio::null()).status();
    if let Err(reason) = status {
        eprintln!("could not signal process {pid}: {reason}");
    }
}

/// Asks a child of ours to end, and insists after a while. Killed at once, the driver would leave its own child.
fn end(child: &mut Child) {
    signal("-TERM", child.id());
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(1_500) {
        if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
            return;
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    if let Err(reason) = child.kill().and_then(|()| child.wait()) {
        eprintln!("a process of the test could not be ended: {reason}");
    }
}
