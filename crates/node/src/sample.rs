//! The sample workspace: a small real project to try things in.

use crate::config::cannot;
use codesync_api::ApiError;
use std::fs;
use std::path::{Path, PathBuf};

const FILES: [(&str, &str); 4] = [
    ("README.md", include_str!("../sample/README.md")),
    ("src/lexer.rs", include_str!("../sample/src/lexer.rs")),
    ("src/main.rs", include_str!("../sample/src/main.rs")),
    ("notes/ideas.md", include_str!("../sample/notes/ideas.md")),
];

/// Makes the sample in a new folder inside `dir` and returns that folder. An older sample stays as it is.
pub fn create_sample(dir: &Path) -> Result<PathBuf, ApiError> {
    let names = (1..1_000).map(|n| if n == 1 { "parser-lab".to_owned() } else { format!("parser-lab-{n}") });
    let root =
        names.map(|name| dir.join(name)).find(|root| !root.exists()).unwrap_or_else(|| dir.join("parser-lab-new"));
    for (path, text) in FILES {
        let file = root.join(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(|error| cannot("make the folder", folder, &error))?;
        }
        fs::write(&file, text).map_err(|error| cannot("write", &file, &error))?;
    }
    Ok(root)
}
