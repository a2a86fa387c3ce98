//! Writes the generated files of the page: the TypeScript twins of the API types, and the licences. Must never know a type by name beyond the roots:
//! whatever the roots reach is exported.

use crate::licences;
use crate::project::Project;
use anyhow::{Context, Result, bail};
use codesync_api::{ApiError, Call, CallReply, Push};
use std::any::TypeId;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use ts_rs::{Config, TS, TypeVisitor};

const HEADER: &str = "\
// Generated from crates/api by `cargo xtask codegen`. Do not edit.
// Positions and lengths are UTF-16 code units of LF-normalised text; *_ms are Unix milliseconds.
";

/// Writes the generated files of the page, or with [`Mode::Check`] fails when one is not what would be written.
pub fn run(project: &Project, mode: Mode) -> Result<()> {
    one(project, mode, "ui/src/api/generated.ts", generate())?;
    one(project, mode, "ui/src/features/help/licences.json", licences::generate(project)?)
}

fn one(project: &Project, mode: Mode, name: &str, wanted: String) -> Result<()> {
    let path = project.root.join(name);
    let present = fs::read_to_string(&path).unwrap_or_default();
    if present == wanted {
        return Ok(());
    }
    if mode == Mode::Check {
        bail!("{name} is not up to date; run `cargo xtask codegen`");
    }
    let folder = path.parent().context("invariant: the path has a parent")?;
    fs::create_dir_all(folder)?;
    fs::write(&path, wanted).with_context(|| format!("could not write {}", path.display()))
}

/// Whether files are written or only compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Write,
    Check,
}

/// The whole generated file. The same types always give the same bytes.
pub fn generate() -> String {
    let mut collector = Collector {
        config: Config::new().with_large_int("number"),
        seen: HashSet::new(),
        declarations: BTreeMap::new(),
    };
    collector.visit::<Call>();
    collector.visit::<CallReply>();
    collector.visit::<Push>();
    collector.visit::<ApiError>();
    let mut text = String::from(HEADER);
    text.push_str(&format!("\nexport const API_VERSION = {};\n", codesync_api::API_VERSION));
    for declaration in collector.declarations.values() {
        text.push('\n');
        text.push_str(declaration);
        text.push('\n');
    }
    text
}

struct Collector {
    config: Config,
    seen: HashSet<TypeId>,
    declarations: BTreeMap<String, String>,
}

impl TypeVisitor for Collector {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if !self.seen.insert(TypeId::of::<T>()) {
            return;
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
        if T::output_path().is_some() {
            let docs = T::docs().unwrap_or_default();
            let declaration = T::decl(&self.config);
            let text = format!("{docs}export {}", declaration.trim_end());
            let tidy: Vec<&str> = text.lines().map(str::trim_end).collect();
            self.declarations.insert(T::ident(&self.config), tidy.join("\n"));
        }
    }
}

#[cfg(test)]
mod tests;
