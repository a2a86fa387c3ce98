//! The workspace a command works on: found from the present folder upward, opened or reached in the process
//! that has it. Paths as typed become paths in the workspace here.

use crate::failure::{Failure, reason};
use crate::moment::parse_moment;
use codesync_api::{ApiError, ErrorCode, Event, Moment, Reply, Request};
use codesync_node::{NOT_DONE, Node, Options, find_workspace};
use jiff::Zoned;
use std::cell::RefCell;
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::Receiver;

/// Owners of a store that may end one after the other while one request is made.
const HANDOVERS_MAX: usize = 50;

/// How long the command stays.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// For a command or two; others wait their turn.
    Briefly,
    /// Serves other processes meanwhile, and follows the folder.
    Serving,
}

pub struct Session {
    node: RefCell<Node>,
    stay: Stay,
    root: PathBuf,
    here: PathBuf,
    now: Zoned,
}

impl Session {
    /// Opens the workspace that the present folder is in.
    pub fn open(stay: Stay) -> Result<Self, Failure> {
        let here = present_folder()?;
        let root = find_workspace(&here).ok_or_else(|| {
            Failure::refused(format!(
                "“{}” is not in a CodeSync workspace. Run “codesync init” there first.",
                here.display()
            ))
        })?;
        Self::open_at(root, here, stay, false)
    }

    /// Opens a folder, which becomes a workspace if it is none.
    pub fn create(folder: &Path) -> Result<Self, Failure> {
        Self::open_at(folder.to_path_buf(), present_folder()?, Stay::Briefly, true)
    }

    fn open_at(root: PathBuf, here: PathBuf, stay: Stay, create: bool) -> Result<Self, Failure> {
        let node = Node::open(&root, options_for(stay, create))?;
        let root = root.canonicalize().unwrap_or(root);
        Ok(Self { node: RefCell::new(node), stay, root, here, now: Zoned::now() })
    }

    /// Events from now on, until the process that has the workspace ends.
    pub fn subscribe(&self) -> Receiver<Event> {
        self.node.borrow().subscribe()
    }

    /// Whether this process has the workspace itself.
    pub fn is_owner(&self) -> bool {
        self.node.borrow().is_owner()
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn call(&self, request: Request) -> Result<Reply, Failure> {
        Ok(self.try_call(request)?)
    }

    /// Asks. When the process that has the workspace ends in this moment, asks the next one, unless the
    /// request changes something and may have been carried out.
    pub fn try_call(&self, request: Request) -> Result<Reply, ApiError> {
        let only_looks = only_looks(&request);
        for _ in 0..HANDOVERS_MAX {
            let (answer, is_elsewhere) = {
                let node = self.node.borrow();
                (node.call(request.clone()), !node.is_owner())
            };
            match answer {
                Err(error) if is_elsewhere && error.detail.as_deref() == Some(NOT_DONE) => {}
                Err(error) if is_elsewhere && only_looks && error.code == ErrorCode::Internal => {}
                answer => return answer,
            }
            let next = Node::open(&self.root, options_for(self.stay, false))?;
            self.node.replace(next).close();
        }
        Err(ApiError::new(ErrorCode::Busy, "Other programs open and close this workspace all the time. Try again."))
    }

    /// Makes everything durable, and the folder as the workspace is.
    pub fn flush(&self) -> Result<(), Failure> {
        self.call(Request::Flush).map(drop)
    }

    /// Ends the work on the workspace, as dropping it does.
    pub fn close(self) {
        drop(self);
    }

    pub fn moment(&self, text: &str) -> Result<Moment, Failure> {
        parse_moment(text, &self.now).map_err(Failure::Usage)
    }

    pub fn moment_or_now(&self, text: Option<&str>) -> Result<Moment, Failure> {
        text.map_or(Ok(Moment::Now), |text| self.moment(text))
    }

    /// A path as typed, as one in the workspace; "" is the workspace itself.
    pub fn path(&self, typed: &str) -> Result<String, Failure> {
        let outside = || Failure::refused(format!("“{typed}” is not in the workspace {}.", self.root.display()));
        if typed.is_empty() {
            return Err(Failure::usage("A path is needed."));
        }
        let whole = without_dots(&self.here.join(typed)).ok_or_else(outside)?;
        let inner = match whole.strip_prefix(&self.root) {
            Ok(inner) => inner.to_path_buf(),
            // The same folder by another name, through a link.
            Err(_) => canonical(&whole).strip_prefix(&self.root).map_err(|_| outside())?.to_path_buf(),
        };
        let names: Option<Vec<&str>> = inner.components().map(|name| name.as_os_str().to_str()).collect();
        names.map(|names| names.join("/")).ok_or_else(outside)
    }

    /// A path of a file: not the workspace itself.
    pub fn file_path(&self, typed: &str) -> Result<String, Failure> {
        match self.path(typed)? {
            path if path.is_empty() => {
                Err(Failure::refused(format!("“{typed}” is the workspace itself, not a file in it.")))
            }
            path => Ok(path),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.node.borrow().clone().close();
    }
}

fn options_for(stay: Stay, create: bool) -> Options {
    Options { watch: stay == Stay::Serving, create, ..Options::default() }
}

/// Requests that can be made twice.
fn only_looks(request: &Request) -> bool {
    matches!(
        request,
        Request::Status
            | Request::Together
            | Request::ListMessages { .. }
            | Request::Flush
            | Request::Verify { .. }
            | Request::ListFiles { .. }
            | Request::ListDeleted { .. }
            | Request::ListUnwritten
            | Request::PresentText { .. }
            | Request::FileAt { .. }
            | Request::Compare { .. }
            | Request::Blame { .. }
            | Request::FindInHistory { .. }
            | Request::Log { .. }
            | Request::Moments { .. }
            | Request::RestorePreview { .. }
    )
}

fn present_folder() -> Result<PathBuf, Failure> {
    std::env::current_dir()
        .and_then(|here| here.canonicalize())
        .map_err(|error| Failure::refused(format!("The present folder cannot be used: {}.", reason(&error))))
}

/// `a/./b/../c` is `a/c`; none when it leads above the root.
fn without_dots(path: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !out.pop() {
                    return None;
                }
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(part),
        }
    }
    Some(out)
}

/// The part of a path that exists made canonical, the rest kept.
fn canonical(path: &Path) -> PathBuf {
    let existing = path.ancestors().find_map(|part| Some((part, part.canonicalize().ok()?)));
    match existing {
        Some((part, real)) => path.strip_prefix(part).map_or_else(|_| path.to_path_buf(), |rest| real.join(rest)),
        None => path.to_path_buf(),
    }
}
