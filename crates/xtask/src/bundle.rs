//! Makes the packages that users install, and tries them where nobody ever saw the source. What lies in them
//! is decided in `contents`; the programs in them are built once, here.

mod contents;
mod licence_texts;
mod words;

use crate::process::Step;
use crate::project::Project;
use crate::setup::{self, Purpose};
use anyhow::{Context, Result};
use contents::{Contents, System};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// The bundler's name for the window on Linux, and with it the packages' name.
const PACKAGE: &str = "codesync";
/// Packages want an address; the project has none yet.
const MAINTAINER: &str = "The CodeSync authors <authors@codesync.invalid>";

/// Makes the .deb and the .rpm.
pub fn make(project: &Project) -> Result<()> {
    setup::system(Purpose::Bundle)?;
    setup::npm(project)?;
    setup::page(project)?;
    let packages = ["codesync-desktop", "codesync-cli"];
    let mut build = Step::cargo(&["build", "--release", "--features", "codesync-desktop/custom-protocol"]);
    for package in packages {
        build = build.with_argument("--package").with_argument(package);
    }
    build.in_folder(&project.root).run()?;
    let target = target_folder(project)?;
    // Names of functions are for developers; they are a quarter of the package.
    Step::new("strip", &[]).with_argument(target.join("release/codesync-desktop")).run()?;
    remove_older(&target)?;
    for (system, kind) in [(System::Debian, "deb"), (System::RedHat, "rpm")] {
        let contents = contents::stage(project, &target, system)?;
        let config = target.join(format!("packaging/{kind}.json"));
        fs::write(&config, config_of(project, &contents, system).to_string())?;
        let bundler = Step::new("npx", &["--prefix", "ui", "tauri", "bundle", "--bundles", kind, "--config"]);
        bundler.with_argument(&config).in_folder(&project.root).run()?;
    }
    println!("xtask: the packages are in {}", target.join("release/bundle").display());
    Ok(())
}

/// Installs the .deb in a bare system without a network, uses it there and removes it.
pub fn try_out(project: &Project) -> Result<()> {
    setup::system(Purpose::Bundle)?;
    let target = target_folder(project)?;
    let package = only_file(&target.join("release/bundle/deb"), "deb")?;
    let pictures = project.root.join("out/package");
    fs::create_dir_all(&pictures)?;
    Step::new("bash", &["src-tauri/packaging/try.sh"])
        .with_argument(&package)
        .with_argument(target.join("packaging/try"))
        .with_argument(&pictures)
        .in_folder(&project.root)
        .run()?;
    println!("xtask: {} works; pictures are in {}", package.display(), pictures.display());
    Ok(())
}

/// What the bundler is told beyond `tauri.conf.json`.
fn config_of(project: &Project, contents: &Contents, system: System) -> Value {
    let packaging = project.root.join("src-tauri/packaging");
    let own = json!({
        "files": contents.files,
        "desktopTemplate": packaging.join("codesync.desktop"),
    });
    let mut linux = json!({});
    match system {
        System::Debian => {
            linux["deb"] = own;
            linux["deb"]["section"] = json!("devel");
            linux["deb"]["priority"] = json!("optional");
            linux["deb"]["changelog"] = json!(contents.changelog);
            // The bundler adds the web view and its toolkit, which bring everything else.
            linux["deb"]["depends"] = json!(["libc6 (>= 2.34)", "libgcc-s1", "libdbus-1-3"]);
            linux["deb"]["recommends"] = json!(["xdg-utils"]);
        }
        System::RedHat => linux["rpm"] = own,
    }
    let bundle = json!({ "icon": contents.window_icons, "publisher": MAINTAINER, "linux": linux });
    json!({ "productName": PACKAGE, "bundle": bundle })
}

/// Packages of an older version would be taken for the new ones.
fn remove_older(target: &Path) -> Result<()> {
    for kind in ["deb", "rpm"] {
        let folder = target.join("release/bundle").join(kind);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("could not remove {}", folder.display()))?;
        }
    }
    Ok(())
}

fn only_file(folder: &Path, extension: &str) -> Result<PathBuf> {
    let list = fs::read_dir(folder)
        .with_context(|| format!("there is no package in {} yet: cargo xtask bundle", folder.display()))?;
    let mut found = Vec::new();
    for entry in list {
        let path = entry?.path();
        if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
    let [one] = <[PathBuf; 1]>::try_from(found)
        .map_err(|found| anyhow::anyhow!("{} packages in {} instead of one", found.len(), folder.display()))?;
    Ok(one)
}

/// Where cargo puts what it builds.
fn target_folder(project: &Project) -> Result<PathBuf> {
    let metadata = Step::cargo(&["metadata", "--format-version", "1", "--no-deps"]).in_folder(&project.root);
    let metadata: Value = serde_json::from_str(&metadata.output()?)?;
    let folder = metadata["target_directory"].as_str().context("cargo does not say where it builds")?;
    Ok(folder.into())
}
