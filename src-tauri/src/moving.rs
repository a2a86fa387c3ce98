//! Takes the open workspace to another folder. The node knows the way; here the window opens and closes, and the page is told.

use crate::recent;
use crate::shell::Shell;
use codesync_api::{ApiError, AppEvent, AppReply};
use codesync_node::{Node, Traveller};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The page is told how far it is this often.
const TOLD_EVERY: Duration = Duration::from_millis(100);

pub fn prepare(shell: &Arc<Shell>, into: &Path) -> Result<AppReply, ApiError> {
    let (node, root) = shell.open_node()?;
    shell.journey.prepare(&node, &root, into, &mut teller(shell)).map(|to| path_reply(&to))
}

pub fn finish(shell: &Arc<Shell>) -> Result<AppReply, ApiError> {
    let _one_at_a_time = shell.changing();
    let (node, before) = shell.open_node()?;
    let arrived = shell.journey.finish(node, &before, &mut Window(shell))?;
    if let Err(reason) = recent::forget(&shell.folder, &before.to_string_lossy()) {
        tracing::warn!(%reason, "the list of recent folders has the old place, too");
    }
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let root = text(&arrived.root);
    let (left, unsaved) = (arrived.left.iter().map(|path| text(path)).collect(), arrived.unsaved.as_deref().map(text));
    Ok(AppReply::Moved { name: recent::name_of(&root), root, left, unsaved })
}

pub fn copy_files_only(shell: &Arc<Shell>, path: &Path, elsewhere: &Path) -> Result<AppReply, ApiError> {
    shell.journey.copy_files_only(path, elsewhere, &mut teller(shell)).map(|made| path_reply(&made))
}

fn path_reply(path: &Path) -> AppReply {
    AppReply::Path { path: Some(path.to_string_lossy().into_owned()) }
}

struct Window<'a>(&'a Arc<Shell>);

impl Traveller for Window<'_> {
    fn open(&mut self, root: &Path) -> Result<Node, ApiError> {
        self.0.take_workspace(root)?;
        self.0.open_node().map(|(node, _)| node)
    }

    fn close(&mut self) {
        self.0.close_now();
    }
}

fn teller(shell: &Arc<Shell>) -> impl FnMut(u64, u64) -> bool {
    let (shell, mut told) = (Arc::clone(shell), None::<Instant>);
    move |done_bytes, total_bytes| {
        if told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
            told = Some(Instant::now());
            shell.tell(AppEvent::MoveProgress { done_bytes, total_bytes });
        }
        true
    }
}
