//! Whole histories: in and out as bundles, as git repositories, files from elsewhere; and their digests.

use crate::STORE_FOLDER;
use crate::config::cannot;
use codesync_api::{ApiError, Digest, ErrorCode, Reply};
use codesync_base::{RelPath, hex};
use codesync_engine::{Bundle, Engine};
use codesync_fs::Folder;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

type Result<T> = std::result::Result<T, ApiError>;

/// Folders inside each other that are copied in from elsewhere.
const COPY_DEPTH_MAX: usize = 64;

pub(crate) fn export_bundle(engine: &mut Engine, file: &Path) -> Result<Reply> {
    let (bytes, n_deltas) = engine.export_bundle()?;
    write_atomically(file, &bytes).map_err(|error| cannot("write", file, &error))?;
    Ok(Reply::Exported { n_deltas, n_commits: 0, bytes: bytes.len() as u64 })
}

pub(crate) fn export_unsaved(engine: &mut Engine, file: &Path) -> Result<Reply> {
    let (bytes, n_deltas) = engine.export_unsaved()?;
    if n_deltas > 0 {
        write_atomically(file, &bytes).map_err(|error| cannot("write", file, &error))?;
    }
    Ok(Reply::Exported { n_deltas, n_commits: 0, bytes: bytes.len() as u64 })
}

/// What peers compare.
pub(crate) fn digest(engine: &mut Engine) -> Result<Digest> {
    let codesync_engine::Digest { history, tree, texts, timeline, whole, n_files, n_deltas } = engine.digest()?;
    let [hex, history, tree, texts, timeline] = [whole, history, tree, texts, timeline].map(|part| hex(&part));
    Ok(Digest { hex, history, tree, texts, timeline, n_files, n_deltas })
}

pub(crate) fn read_bundle(file: &Path) -> Result<Bundle> {
    Bundle::read(&fs::read(file).map_err(|error| cannot("read", file, &error))?)
}

/// Makes a new git repository of the history.
pub(crate) fn export_git(engine: &mut Engine, dir: &Path) -> Result<Reply> {
    if dir.exists() && fs::read_dir(dir).map_or(true, |mut entries| entries.next().is_some()) {
        let sentence = format!("“{}” is not an empty folder, so no repository is made there.", dir.display());
        return Err(ApiError::new(ErrorCode::Exists, sentence));
    }
    fs::create_dir_all(dir).map_err(|error| cannot("make the folder", dir, &error))?;
    git(dir, &["init", "--quiet", "--initial-branch=main"], |_| Ok(()))?;
    let streamed = git(dir, &["fast-import", "--quiet", "--done"], |input| engine.git_stream(input))?;
    if streamed.n_commits > 0 {
        git(dir, &["reset", "--quiet", "--hard", "main"], |_| Ok(()))?;
    }
    Ok(Reply::Exported { n_deltas: 0, n_commits: streamed.n_commits, bytes: streamed.n_bytes })
}

fn git<T>(dir: &Path, arguments: &[&str], feed: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
    let failed = |why: String| ApiError::new(ErrorCode::Io, "git could not make the repository.").with_detail(why);
    let mut child = Command::new("git")
        .args(arguments)
        .current_dir(dir)
        // Whatever repository the caller stands in must not be the one that is written.
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ApiError::new(ErrorCode::NotFound, "“git” isn't installed on this computer."),
            _ => failed(error.to_string()),
        })?;
    let fed = match child.stdin.take() {
        Some(stdin) => {
            let mut input = io::BufWriter::new(stdin);
            let fed = feed(&mut input);
            fed.and_then(|done| input.flush().map(|()| done).map_err(|error| failed(error.to_string())))
        }
        None => Err(failed("it takes no input".into())),
    };
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    match (fed, output.status.success()) {
        // History that cannot be read is why git had no end of its input.
        (Err(why), _) if why.code != ErrorCode::Io => Err(why),
        // A git that gives up early says why on its error output.
        (_, false) => Err(failed(String::from_utf8_lossy(&output.stderr).into_owned())),
        (fed, true) => fed,
    }
}

/// Moves an empty workspace's log away, to make room for an imported one. Nothing is deleted.
pub(crate) fn set_history_aside(store: &Path) -> Result<()> {
    let aside = store.join("set-aside").join(format!("before-import-{}", crate::runtime::now().ms));
    fs::create_dir_all(&aside).map_err(|error| cannot("make the folder", &aside, &error))?;
    for part in ["journal", "index"] {
        let from = store.join(part);
        if from.exists() {
            fs::rename(&from, aside.join(part)).map_err(|error| cannot("move", &from, &error))?;
        }
    }
    Ok(())
}

/// Writes files into a folder of their own beside the history, named by the time, and gives that folder. What is kept there
/// is never deleted.
pub(crate) fn keep_beside(root: &Path, files: &[(RelPath, Vec<u8>)]) -> Result<PathBuf> {
    let at = jiff::Zoned::now().strftime("%Y-%m-%d %H.%M.%S").to_string();
    let folder = root.join(STORE_FOLDER).join("set-aside").join(format!("My changes {at}"));
    for (path, bytes) in files {
        let file = folder.join(path.as_str());
        let within = file.parent().unwrap_or(&folder);
        fs::create_dir_all(within).map_err(|error| cannot("make the folder", within, &error))?;
        write_atomically(&file, bytes).map_err(|error| cannot("write", &file, &error))?;
    }
    Ok(folder)
}

/// Copies a file, or a folder with all that is in it, into the workspace. Links are left out.
pub(crate) fn copy_in(folder: &Folder, source: &Path, target: &RelPath) -> Result<()> {
    copy_level(folder, source, target, COPY_DEPTH_MAX)
}

fn copy_level(folder: &Folder, source: &Path, target: &RelPath, depth: usize) -> Result<()> {
    let metadata = fs::symlink_metadata(source).map_err(|error| cannot("read", source, &error))?;
    if metadata.is_dir() && depth > 0 {
        folder.create_folder(target).map_err(crate::bridge::folder_error)?;
        for entry in fs::read_dir(source).map_err(|error| cannot("read", source, &error))?.flatten() {
            let name = entry.file_name();
            let inside = name.to_str().and_then(|name| target.join(name).ok());
            if let Some(inside) = inside {
                copy_level(folder, &entry.path(), &inside, depth - 1)?;
            }
        }
        return Ok(());
    }
    if !metadata.is_file() {
        return Ok(());
    }
    if folder.stat(target).is_ok_and(|stat| stat.is_some()) {
        return Err(ApiError::new(ErrorCode::Exists, format!("“{target}” is already there.")));
    }
    let copy = |file: &mut dyn Write| fs::File::open(source).and_then(|mut from| io::copy(&mut from, file)).map(drop);
    folder.write_with(target, mode_of(&metadata), &copy).map(drop).map_err(crate::bridge::folder_error)
}

#[cfg(unix)]
fn mode_of(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o777
}

#[cfg(not(unix))]
fn mode_of(_metadata: &fs::Metadata) -> u32 {
    0
}

/// Replaces a file by these bytes, whole or not at all.
pub(crate) fn write_atomically(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut temp = tempfile::NamedTempFile::new_in(folder)?;
    temp.write_all(bytes)?;
    temp.as_file().sync_all()?;
    temp.persist(file).map(drop).map_err(|error| error.error)
}
