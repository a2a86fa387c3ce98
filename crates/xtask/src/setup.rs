//! Makes a machine ready: system packages, npm packages, the page. Says what it will do before it
//! does it, and does nothing that is already done.

use crate::process::{Step, is_program};
use crate::project::Project;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;
use std::{fs, io};

/// Debian packages without which the window does not compile.
const FOR_BUILD: &[&str] = &[
    "build-essential",
    "pkg-config",
    "libwebkit2gtk-4.1-dev",
    "libayatana-appindicator3-dev",
    "librsvg2-dev",
    "libxdo-dev",
    "libssl-dev",
];

/// Debian packages that the tests in a real window use.
const FOR_TESTS: &[&str] = &[
    "xvfb",
    "webkit2gtk-driver",
    "dbus-x11",
    "at-spi2-core",
    "x11-xkb-utils",
    "xdotool",
    "imagemagick",
    "xclip",
    "iproute2",
    "git",
];

/// Debian packages that draw the icons of the packages and try them in a bare system.
const FOR_BUNDLE: &[&str] = &["librsvg2-bin", "mmdebstrap", "xvfb", "xdotool", "imagemagick"];

/// What a command is going to do with the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Build,
    Test,
    Bundle,
}

/// Everything at once: what `cargo xtask setup` does.
pub fn run(project: &Project, purpose: Purpose) -> Result<()> {
    system(purpose)?;
    npm(project)?;
    page(project)
}

/// Installs the Debian packages that are missing.
pub fn system(purpose: Purpose) -> Result<()> {
    if cfg!(not(target_os = "linux")) {
        return Ok(());
    }
    let mut wanted = FOR_BUILD.to_vec();
    match purpose {
        Purpose::Build => {}
        Purpose::Test => wanted.extend(FOR_TESTS),
        Purpose::Bundle => wanted.extend(FOR_BUNDLE),
    }
    if !is_program("dpkg-query") {
        println!("setup: this is not a Debian system; these packages, or what they are called here, are needed:");
        println!("       {}", wanted.join(" "));
        return Ok(());
    }
    let missing: Vec<&str> = wanted.into_iter().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() { Ok(()) } else { install(&missing) }
}

fn is_installed(package: &str) -> bool {
    let output = Command::new("dpkg-query").args(["--show", "--showformat=${db:Status-Status}", package]).output();
    output.is_ok_and(|output| output.stdout == b"installed")
}

fn install(missing: &[&str]) -> Result<()> {
    println!("setup: installing by apt-get: {}", missing.join(" "));
    let as_root: &[&str] = if is_root() { &[] } else { &["sudo"] };
    if !is_root() && !is_program("sudo") {
        bail!("these packages are missing and there is no sudo; as root run: apt-get install {}", missing.join(" "));
    }
    apt(as_root, &["update"])?;
    let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
    arguments.extend(missing);
    apt(as_root, &arguments)
}

fn apt(as_root: &[&str], arguments: &[&str]) -> Result<()> {
    let mut words: Vec<&str> = as_root.to_vec();
    words.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet=2"]);
    words.extend(arguments);
    Step::new(words[0], &words[1..]).run()
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Installs the page's packages when they are missing or older than the list of them.
pub fn npm(project: &Project) -> Result<()> {
    if !is_program("npm") {
        bail!("npm is missing; install Node 20.19 or newer (https://nodejs.org)");
    }
    let ui = project.ui();
    let list = modified(&ui.join("package-lock.json"))?;
    // npm writes this file last, so an interrupted install is noticed.
    let installed = modified(&ui.join("node_modules/.package-lock.json"));
    if installed.is_ok_and(|installed| installed >= list) {
        return Ok(());
    }
    println!("setup: installing the page's packages (npm ci)");
    Step::new("npm", &["ci", "--no-audit", "--no-fund", "--loglevel=error"]).in_folder(&ui).run()
}

/// Builds the page into `ui/dist` when it is missing or older than what it is made from.
pub fn page(project: &Project) -> Result<()> {
    let ui = project.ui();
    if let Ok(built) = modified(&ui.join("dist/index.html"))
        && newest_source(&ui)? <= built
    {
        return Ok(());
    }
    println!("setup: building the page");
    Step::new("npm", &["run", "--silent", "build"]).in_folder(&ui).run()
}

fn newest_source(ui: &Path) -> Result<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    for entry in fs::read_dir(ui).with_context(|| format!("could not read {}", ui.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        if name == "dist" || name == "node_modules" {
            continue;
        }
        newest = newest.max(newest_in(&entry.path())?);
    }
    Ok(newest)
}

/// The newest change at or below a path. A folder counts too: a deleted file changes only that.
fn newest_in(path: &Path) -> io::Result<SystemTime> {
    let data = fs::metadata(path)?;
    let mut newest = data.modified()?;
    if data.is_dir() {
        for entry in fs::read_dir(path)? {
            newest = newest.max(newest_in(&entry?.path())?);
        }
    }
    Ok(newest)
}

fn modified(path: &Path) -> io::Result<SystemTime> {
    fs::metadata(path)?.modified()
}

#[cfg(test)]
mod tests;
