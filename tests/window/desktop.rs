//! The desktop around a window as a screen reader has it: a session bus and a bus of accessible objects, both of the test's
//! own. Must never look into the page by another way.

use crate::harness::{Home, Screen};
use anyhow::{Context, Result};
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use zbus::blocking::{Connection, Proxy, connection, proxy};
use zbus::proxy::CacheProperties;
use zbus::zvariant::OwnedObjectPath;

const LAUNCHERS: [&str; 2] = ["/usr/libexec/at-spi-bus-launcher", "/usr/lib/at-spi2-core/at-spi-bus-launcher"];
const ACCESSIBLE: &str = "org.a11y.atspi.Accessible";
const TEXT: &str = "org.a11y.atspi.Text";
const NODES_MAX: usize = 2_000;

/// The kinds that the tests speak of, as AT-SPI numbers and names them; toolkits do not always give the names.
const ROLES: [(u32, &str); 26] = [
    (7, "check box"),
    (8, "check menu item"),
    (11, "combo box"),
    (16, "dialog"),
    (23, "frame"),
    (31, "list"),
    (32, "list item"),
    (34, "menu bar"),
    (35, "menu item"),
    (37, "page tab"),
    (43, "push button"),
    (44, "radio button"),
    (51, "slider"),
    (52, "spin button"),
    (54, "status bar"),
    (61, "text"),
    (62, "toggle button"),
    (65, "tree"),
    (79, "entry"),
    (85, "section"),
    (88, "link"),
    (91, "tree item"),
    (95, "document web"),
    (98, "list box"),
    (101, "notification"),
    (110, "landmark"),
];

/// Numbers of AT-SPI's list of states.
const FOCUSED: u32 = 12;

/// Both buses. Ended with it.
pub struct Desktop {
    children: Vec<Child>,
    accessible: Connection,
}

/// One object as a screen reader sees it.
#[derive(Clone, Debug)]
pub struct Node {
    pub role: &'static str,
    pub name: String,
    pub text: String,
    /// What a slider says in place of its number.
    pub value_text: String,
    pub is_focused: bool,
    pub depth: usize,
}

impl Desktop {
    /// Starts the buses; windows of this home started from now on use them.
    pub fn start(home: &Home, screen: &Screen) -> Result<Self> {
        let mut bus = screen
            .command("dbus-daemon")
            .args(["--session", "--nofork", "--print-address"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("dbus-daemon could not be started; `cargo xtask setup` installs it")?;
        let mut address = String::new();
        BufReader::new(bus.stdout.take().context("invariant: its output is piped")?).read_line(&mut address)?;
        let address = address.trim();
        let launcher = LAUNCHERS.into_iter().find(|path| std::path::Path::new(path).exists());
        let launcher = launcher.context("at-spi-bus-launcher is missing; `cargo xtask setup` installs it")?;
        let mut command = screen.command(launcher);
        command.arg("--launch-immediately").env("DBUS_SESSION_BUS_ADDRESS", address);
        // It keeps its socket there, by the number of the display.
        command.env("XDG_RUNTIME_DIR", home.runtime()).env("XDG_CACHE_HOME", home.runtime());
        let launched = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let mut desktop = Unfinished(vec![bus, launched]);
        let session = connection::Builder::address(address)?.build()?;
        let accessible = retry(|| {
            let proxy = Proxy::new(&session, "org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus")?;
            let address: String = proxy.call("GetAddress", &())?;
            Ok(connection::Builder::address(address.as_str())?.build()?)
        })?;
        home.set_variable("DBUS_SESSION_BUS_ADDRESS", address);
        home.set_variable("GTK_MODULES", "gail:atk-bridge");
        // The web view asks only whether it is set.
        home.set_variable("NO_AT_BRIDGE", "");
        Ok(Self { children: std::mem::take(&mut desktop.0), accessible })
    }

    /// Everything that a screen reader can reach of the window, in reading order.
    pub fn nodes(&self) -> Result<Vec<Node>> {
        let root = ("org.a11y.atspi.Registry".to_owned(), "/org/a11y/atspi/accessible/root".to_owned());
        let mut nodes = Vec::new();
        for (name, path) in self.children(&root.0, &root.1)? {
            self.walk(&name, path.as_str(), 0, &mut nodes);
        }
        Ok(nodes)
    }

    /// What has the keyboard: the innermost of all that say so.
    pub fn focused(&self) -> Result<Option<Node>> {
        Ok(self.nodes()?.into_iter().rfind(|node| node.is_focused))
    }

    // What goes away while it is looked at is not there.
    fn walk(&self, bus_name: &str, path: &str, depth: usize, nodes: &mut Vec<Node>) {
        if nodes.len() >= NODES_MAX {
            return;
        }
        let Ok(node) = self.node(bus_name, path, depth) else {
            return;
        };
        nodes.push(node);
        for (name, path) in self.children(bus_name, path).unwrap_or_default() {
            self.walk(&name, path.as_str(), depth + 1, nodes);
        }
    }

    fn node(&self, bus_name: &str, path: &str, depth: usize) -> zbus::Result<Node> {
        let accessible = self.object(bus_name, path, ACCESSIBLE)?;
        let states: Vec<u32> = accessible.call("GetState", &())?;
        let has = |state: u32| states.get((state / 32) as usize).is_some_and(|word| word & (1 << (state % 32)) != 0);
        let interfaces: Vec<String> = accessible.call("GetInterfaces", &())?;
        let text = if interfaces.iter().any(|one| one == TEXT) {
            self.object(bus_name, path, TEXT)?.call("GetText", &(0_i32, -1_i32)).unwrap_or_default()
        } else {
            String::new()
        };
        let role: u32 = accessible.call("GetRole", &())?;
        let mut attributes: HashMap<String, String> = accessible.call("GetAttributes", &()).unwrap_or_default();
        Ok(Node {
            role: ROLES.iter().find(|(number, _)| *number == role).map_or("", |(_, name)| *name),
            name: accessible.get_property("Name").unwrap_or_default(),
            text,
            value_text: attributes.remove("valuetext").unwrap_or_default(),
            is_focused: has(FOCUSED),
            depth,
        })
    }

    /// Nothing is remembered of it: the toolkits do not say when it changes.
    fn object<'a>(&self, bus_name: &'a str, path: &'a str, interface: &'a str) -> zbus::Result<Proxy<'a>> {
        let builder = proxy::Builder::new(&self.accessible).destination(bus_name)?.path(path)?.interface(interface)?;
        builder.cache_properties(CacheProperties::No).build()
    }

    // One by one: asked for all at once, the toolkit leaves out what lives in the web view's own process.
    fn children(&self, bus_name: &str, path: &str) -> zbus::Result<Vec<(String, OwnedObjectPath)>> {
        let accessible = self.object(bus_name, path, ACCESSIBLE)?;
        let n_children: i32 = accessible.get_property("ChildCount")?;
        (0..n_children).map(|index| accessible.call("GetChildAtIndex", &(index))).collect()
    }
}

/// The whole as text, for the message of a test that fails.
pub fn listing(nodes: &[Node]) -> String {
    let line = |node: &Node| {
        let mark = if node.is_focused { "*" } else { "" };
        format!("{}{mark}{} “{}” {:?} {}", "  ".repeat(node.depth), node.role, node.name, node.text, node.value_text)
    };
    nodes.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn retry<T>(ask: impl Fn() -> Result<T>) -> Result<T> {
    for _ in 0..100 {
        if let Ok(answer) = ask() {
            return Ok(answer);
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    ask()
}

struct Unfinished(Vec<Child>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        end(&mut self.children);
    }
}

fn end(children: &mut [Child]) {
    for child in children.iter_mut().rev() {
        if let Err(reason) = child.kill().and_then(|()| child.wait().map(drop)) {
            eprintln!("a bus of the test could not be ended: {reason}");
        }
    }
}
