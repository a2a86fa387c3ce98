//! For tests only: a local network of several hosts inside this machine, out of Linux network namespaces. Needs no
//! rights beyond making user namespaces, and nothing that is sent in it ever leaves it.
//!
//! A test program calls [`run_scenarios`], which runs it again in namespaces of its own. There [`Lan::host`] makes hosts
//! with an address each, in which programs can be started.

use anyhow::{Context, Result, bail};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::cell::Cell;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

const MARK: &str = "CODESYNC_LAN";
/// Longer than any takes, those by hand of twice ten minutes included.
const SCENARIO_MAX: Duration = Duration::from_secs(40 * 60);

/// Whether this machine can have such networks; why not, otherwise.
fn is_possible() -> Result<()> {
    let tried = Command::new("unshare").args(["-Urnm", "--", "ip", "link"]).stdin(Stdio::null()).output();
    let output = tried.context("`unshare` is missing (util-linux)")?;
    if !output.status.success() {
        bail!("network namespaces can't be made: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// Goes on only inside namespaces of its own: outside them it runs this program again in there, with the same
/// arguments, and ends with its exit code.
fn inside() -> Result<()> {
    if std::env::var_os(MARK).is_some() {
        return Ok(());
    }
    let program = std::env::current_exe()?;
    let status = Command::new("unshare")
        .args(["-Urnm", "--kill-child", "--fork", "--"])
        .arg(program)
        .args(std::env::args_os().skip(1))
        .env(MARK, "1")
        .status()
        .context("`unshare` is missing (util-linux)")?;
    std::process::exit(status.code().unwrap_or(1));
}

/// A test on a network: its name, and what it does.
pub type Scenario = (&'static str, fn(&Lan) -> Result<()>);

/// What a test program without a harness does: runs the scenarios whose name contains its first argument, on one network,
/// where this machine can have one.
pub fn run_scenarios(scenarios: &[Scenario]) -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--list") {
        return Ok(());
    }
    if let Err(why) = is_possible() {
        println!("test lan ... ignored: {why}");
        return Ok(());
    }
    inside()?;
    let filter = words.iter().find(|word| !word.starts_with('-')).cloned().unwrap_or_default();
    let lan = Lan::new()?;
    for (name, scenario) in scenarios.iter().filter(|(name, _)| name.contains(&filter)) {
        let began = Instant::now();
        let goes_on = watch(name);
        scenario(&lan).with_context(|| format!("scenario {name}"))?;
        drop(goes_on);
        println!("test {name} ... ok ({:.1} s)", began.elapsed().as_secs_f32());
    }
    Ok(())
}

/// Ends this program and all that it started if a scenario goes on for too long: one that waits for a process which never
/// ends would hold up whoever runs the tests for ever. Over once what is returned is dropped.
fn watch(name: &'static str) -> mpsc::Sender<()> {
    let (goes_on, ended) = mpsc::channel();
    std::thread::spawn(move || {
        if ended.recv_timeout(SCENARIO_MAX) != Err(mpsc::RecvTimeoutError::Timeout) {
            return;
        }
        eprintln!("scenario {name} has no end; what it started is ended with it:");
        for (id, line) in started_by(std::process::id()) {
            let is_ended = Command::new("kill").args(["-KILL", &id.to_string()]).stderr(Stdio::null()).status();
            eprintln!("{line}{}", if is_ended.is_ok() { "" } else { " (goes on)" });
        }
        std::process::exit(1);
    });
    goes_on
}

/// The processes that one started, and those that they did, with what is known of each.
fn started_by(ancestor: u32) -> Vec<(u32, String)> {
    let listed = Command::new("ps").args(["-eo", "pid,ppid,stat,etimes,wchan:20,args"]).output();
    let listed = listed.map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).into_owned());
    let mut found: Vec<(u32, String)> = Vec::new();
    // A child may be listed before its parent: numbers start anew.
    loop {
        let n_found = found.len();
        for line in listed.lines() {
            let mut words = line.split_whitespace().map_while(|word| word.parse::<u32>().ok());
            let (Some(id), Some(parent)) = (words.next(), words.next()) else { continue };
            let is_known = |id| found.iter().any(|(known, _)| *known == id);
            if (parent == ancestor || is_known(parent)) && !is_known(id) {
                found.push((id, line.to_owned()));
            }
        }
        if found.len() == n_found {
            return found;
        }
    }
}

/// A switch that hosts hang on.
pub struct Lan {
    n_hosts: Cell<u8>,
}

/// A host on it.
#[derive(Clone)]
pub struct Host {
    name: String,
    cable: String,
    address: Ipv4Addr,
}

impl Lan {
    /// To be called once, after [`inside`].
    fn new() -> Result<Self> {
        if std::env::var_os(MARK).is_none() {
            bail!("not in namespaces of its own");
        }
        // `ip netns` keeps its names there; nobody else's are to be seen or touched.
        run("mount", ["-t", "tmpfs", "none", "/run"])?;
        run("ip", ["link", "set", "lo", "up"])?;
        run("ip", ["link", "add", "switch", "type", "bridge", "mcast_snooping", "0"])?;
        run("ip", ["addr", "add", "10.77.0.254/24", "dev", "switch"])?;
        run("ip", ["link", "set", "switch", "up"])?;
        Ok(Self { n_hosts: Cell::new(0) })
    }

    /// One more host, plugged in, with a real multicast-capable interface `eth0`.
    pub fn host(&self) -> Result<Host> {
        let n = self.n_hosts.get() + 1;
        self.n_hosts.set(n);
        let (name, cable) = (format!("host{n}"), format!("cable{n}"));
        run("ip", ["netns", "add", &name])?;
        run("ip", ["link", "add", &cable, "type", "veth", "peer", "name", "eth0", "netns", &name])?;
        run("ip", ["link", "set", &cable, "master", "switch", "up"])?;
        let host = Host { address: Ipv4Addr::new(10, 77, 0, n), name, cable };
        host.run(["ip", "link", "set", "lo", "up"])?;
        host.run(["ip", "addr", "add", &format!("{}/24", host.address), "dev", "eth0"])?;
        host.run(["ip", "link", "set", "eth0", "up"])?;
        Ok(host)
    }
}

impl Host {
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// A program to be started on this host.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// Gives an address here that leads to a port of the host's own loopback, with its cable or without. Stands for as long
    /// as this program runs.
    pub fn reach(&self, port: u16) -> Result<SocketAddr> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let space = File::open(Path::new("/run/netns").join(&self.name))?;
        std::thread::spawn(move || {
            if let Err(reason) = forward(&listener, &space, port) {
                eprintln!("port {port} of a host can't be reached any more: {reason}");
            }
        });
        Ok(address)
    }

    /// Pulls the cable.
    pub fn unplug(&self) -> Result<()> {
        self.run(["ip", "link", "set", "eth0", "down"])
    }

    pub fn plug_in(&self) -> Result<()> {
        self.run(["ip", "link", "set", "eth0", "up"])
    }

    /// What many a Wi-Fi does: nothing that is sent to a group arrives here.
    pub fn block_multicast(&self) -> Result<()> {
        run("bridge", ["link", "set", "dev", &self.cable, "mcast_flood", "off"])
    }

    /// Ends [`Self::block_multicast`].
    pub fn let_multicast_through(&self) -> Result<()> {
        run("bridge", ["link", "set", "dev", &self.cable, "mcast_flood", "on"])
    }

    fn run<const N: usize>(&self, words: [&str; N]) -> Result<()> {
        finish(self.command(words[0]).args(&words[1..]))
    }
}

/// Leads whoever calls the listener to a port inside the network namespace.
fn forward(listener: &TcpListener, space: &File, port: u16) -> io::Result<()> {
    // What this thread connects from now on it connects in there; the listener stays where it was made.
    move_into_link_name_space(space.as_fd(), Some(LinkNameSpaceType::Network))?;
    for near in listener.incoming() {
        let near = near?;
        let Some(far) = call(port) else { continue };
        for (from, to) in [(near.try_clone()?, far.try_clone()?), (far, near)] {
            std::thread::spawn(move || {
                // Whichever end goes away, the other one sees that nothing more comes.
                io::copy(&mut &from, &mut &to).unwrap_or_default();
                to.shutdown(Shutdown::Write).unwrap_or_default();
            });
        }
    }
    Ok(())
}

/// Calls a program that may only just have been started.
fn call(port: u16) -> Option<TcpStream> {
    (0..200).find_map(|_| {
        let called = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
        if called.is_err() {
            std::thread::sleep(Duration::from_millis(50));
        }
        called.ok()
    })
}

fn run<const N: usize>(program: &str, arguments: [&str; N]) -> Result<()> {
    finish(Command::new(program).args(arguments))
}

fn finish(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
