//! What lies in the packages beside the window's program: the command, its pages and completions, icons, the
//! kind of file for replay bundles, licences. Written below `target/packaging`, never into the checkout.

use super::{licence_texts, words};
use crate::process::Step;
use crate::project::Project;
use anyhow::{Context, Result, bail};
use clap_complete::Shell;
use flate2::{Compression, GzBuilder};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Sizes in which desktops look for icons, in pixels.
const ICON_SIZES: [u32; 8] = [16, 24, 32, 48, 64, 128, 256, 512];
const REPLAY_ICON: &str = "application-vnd.codesync.replay";

/// Which family of systems a package is for. They look for few things in different places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    Debian,
    RedHat,
}

/// What the bundler is to put into a package.
#[derive(Debug)]
pub struct Contents {
    /// Where it is in the system, and where it lies now.
    pub files: BTreeMap<String, PathBuf>,
    /// The window's icon in every size.
    pub window_icons: Vec<PathBuf>,
    pub changelog: PathBuf,
}

/// Writes everything out and says where it lies.
///
/// # Errors
/// When something cannot be made or written; a package without it would not be whole.
pub fn stage(project: &Project, target: &Path, system: System) -> Result<Contents> {
    let root = target.join("packaging").join(format!("{system:?}").to_lowercase());
    if root.exists() {
        fs::remove_dir_all(&root).with_context(|| format!("could not empty {}", root.display()))?;
    }
    let mut tree = Tree { root, files: BTreeMap::new() };
    let packaging = project.root.join("src-tauri/packaging");
    check_versions(&packaging)?;
    let program = tree.place("/usr/bin/codesync")?;
    Step::new("strip", &["-o"]).with_argument(&program).with_argument(target.join("release/codesync")).run()?;
    for (name, text) in words::pages()? {
        tree.write_packed(&format!("/usr/share/man/man1/{name}.gz"), &text)?;
    }
    let window_page = fs::read(packaging.join("codesync-desktop.1"))?;
    tree.write_packed("/usr/share/man/man1/codesync-desktop.1.gz", &window_page)?;
    for (shell, place) in completion_places(system) {
        tree.write(place, &words::completions(shell))?;
    }
    tree.copy(&packaging.join("codesync.mime.xml"), "/usr/share/mime/packages/codesync.xml")?;
    tree.copy(&packaging.join("codesync.metainfo.xml"), "/usr/share/metainfo/dev.codesync.desktop.metainfo.xml")?;
    let third_party = licence_texts::third_party(project)?;
    tree.copy(&packaging.join("copyright"), "/usr/share/doc/codesync/copyright")?;
    tree.copy(&project.root.join("CHANGELOG.md"), "/usr/share/doc/codesync/CHANGELOG.md")?;
    tree.write("/usr/share/doc/codesync/README.md", &readme(project)?)?;
    tree.write_packed("/usr/share/doc/codesync/third-party.txt.gz", third_party.as_bytes())?;
    let window_icons = add_icons(project, &mut tree)?;
    Ok(Contents { files: tree.files, window_icons, changelog: packaging.join("changelog") })
}

/// What is written by hand must speak of the version that is built.
fn check_versions(packaging: &Path) -> Result<()> {
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    let said = [("changelog", format!("({VERSION})")), ("codesync.metainfo.xml", format!("version=\"{VERSION}\""))];
    for (name, words) in said {
        if !fs::read_to_string(packaging.join(name))?.contains(&words) {
            bail!("{name} does not speak of version {VERSION} yet");
        }
    }
    Ok(())
}

fn completion_places(system: System) -> [(Shell, &'static str); 3] {
    let zsh = match system {
        System::Debian => "/usr/share/zsh/vendor-completions/_codesync",
        System::RedHat => "/usr/share/zsh/site-functions/_codesync",
    };
    [
        (Shell::Bash, "/usr/share/bash-completion/completions/codesync"),
        (Shell::Zsh, zsh),
        (Shell::Fish, "/usr/share/fish/vendor_completions.d/codesync.fish"),
    ]
}

/// The description without its pictures, which are not in the package.
fn readme(project: &Project) -> Result<Vec<u8>> {
    let text = fs::read_to_string(project.root.join("README.md"))?;
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("![")).collect();
    Ok((lines.join("\n") + "\n").into_bytes())
}

/// Icons of the window and of replay bundles; gives those of the window, which the bundler installs itself.
fn add_icons(project: &Project, tree: &mut Tree) -> Result<Vec<PathBuf>> {
    let icons = project.root.join("icons");
    let (window, replay) = (icons.join("codesync.svg"), icons.join("replay.svg"));
    let scalable = "/usr/share/icons/hicolor/scalable";
    tree.copy(&window, &format!("{scalable}/apps/codesync-desktop.svg"))?;
    tree.copy(&replay, &format!("{scalable}/mimetypes/{REPLAY_ICON}.svg"))?;
    let mut window_icons = Vec::new();
    for pixels in ICON_SIZES {
        let own = tree.root.with_extension(format!("window-{pixels}.png"));
        draw(&window, pixels, &own)?;
        window_icons.push(own);
        let place = format!("/usr/share/icons/hicolor/{pixels}x{pixels}/mimetypes/{REPLAY_ICON}.png");
        draw(&replay, pixels, &tree.place(&place)?)?;
    }
    Ok(window_icons)
}

fn draw(picture: &Path, pixels: u32, target: &Path) -> Result<()> {
    let size = pixels.to_string();
    Step::new("rsvg-convert", &["--width", &size, "--height", &size])
        .with_argument(picture)
        .with_argument("--output")
        .with_argument(target)
        .run()
}

/// Files at the places where they will be in the system.
struct Tree {
    root: PathBuf,
    files: BTreeMap<String, PathBuf>,
}

impl Tree {
    /// Where to write the file that will be at `place`.
    fn place(&mut self, place: &str) -> Result<PathBuf> {
        let path = self.root.join(place.trim_start_matches('/'));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        self.files.insert(place.into(), path.clone());
        Ok(path)
    }

    fn copy(&mut self, from: &Path, place: &str) -> Result<()> {
        let to = self.place(place)?;
        fs::copy(from, &to).with_context(|| format!("could not copy {}", from.display()))?;
        Ok(())
    }

    fn write(&mut self, place: &str, bytes: &[u8]) -> Result<()> {
        let to = self.place(place)?;
        fs::write(&to, bytes).with_context(|| format!("could not write {}", to.display()))
    }

    /// Packed by gzip without name and time, so that the same contents give the same bytes.
    fn write_packed(&mut self, place: &str, bytes: &[u8]) -> Result<()> {
        let mut packed = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
        packed.write_all(bytes)?;
        self.write(place, &packed.finish()?)
    }
}
