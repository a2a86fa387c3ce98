//! Which workspaces this device takes part in with others, and where its copies are: a file in the configuration folder, so
//! that a workspace seen on the network is recognised. Losing it costs nothing but that.

use crate::config;
use crate::whole::write_atomically;
use codesync_auth::workspace_mark;
use codesync_base::{ProjectId, hex};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const FILE: &str = "workspaces.json";
/// Workspaces that are remembered.
const WORKSPACES_MAX: usize = 1_000;

/// By the mark that stands for the workspace on cards, in hexadecimal.
#[derive(Default, Serialize, Deserialize)]
struct Copies(BTreeMap<String, PathBuf>);

/// This device takes part in a workspace with others, and its copy is there.
pub(crate) fn note(project: &ProjectId, root: &Path) {
    let (name, mut copies) = (hex(&workspace_mark(project)), read());
    if copies.0.get(&name).is_some_and(|at| at == root) {
        return;
    }
    if copies.0.len() >= WORKSPACES_MAX {
        copies.0.pop_first();
    }
    copies.0.insert(name, root.to_path_buf());
    let folder = config::config_dir();
    let json = serde_json::to_vec_pretty(&copies).expect("invariant: plain data has a JSON form");
    let written = fs::create_dir_all(&folder).and_then(|()| write_atomically(&folder.join(FILE), &json));
    if let Err(error) = written {
        tracing::warn!(%error, "where a copy is could not be noted");
    }
}

/// Whether this device has a copy of that workspace.
pub(crate) fn has(mark: &[u8; 32]) -> bool {
    read().0.get(&hex(mark)).is_some_and(|root| root.join(crate::STORE_FOLDER).is_dir())
}

/// What cannot be read is as good as not there.
fn read() -> Copies {
    let bytes = fs::read(config::config_dir().join(FILE)).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}
