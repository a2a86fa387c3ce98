//! The search of a window: runs on a thread of its own, and is asked for news.

use super::replace::replace;
use super::{Ask, Heard, MATCHES_MAX, Question, Search, look_at, texts};
use crate::Node;
use crate::bridge::folder_error;
use codesync_api::{ApiError, ErrorCode, FileMatches, SearchNews, SearchQuery, SearchReply, SearchRequest};
use codesync_base::RelPath;
use codesync_fs::Folder;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Whoever asks for news waits so long for some.
const NEWS_WAIT: Duration = Duration::from_millis(250);

/// What a window searches: one thing at a time.
#[derive(Default)]
pub struct Searches {
    running: Mutex<Option<Arc<Running>>>,
    last_id: AtomicU64,
}

struct Running {
    id: u64,
    is_ended: AtomicBool,
    news: Mutex<SearchNews>,
    has_news: Condvar,
}

impl Searches {
    /// Answers for the workspace at `root`.
    ///
    /// # Errors
    /// When the query cannot be asked, or the workspace refuses.
    pub fn answer(&self, node: &Node, root: &Path, request: SearchRequest) -> Result<SearchReply, ApiError> {
        let ask = |request| node.call(request);
        match request {
            SearchRequest::Begin { query } => self.begin(node, root, &query).map(|id| SearchReply::Begun { id }),
            SearchRequest::More { id } => Ok(SearchReply::Found(self.more(id))),
            SearchRequest::End { id } => {
                let mut running = lock(&self.running);
                if running.as_ref().is_some_and(|running| running.id == id) {
                    end(&mut running);
                }
                Ok(SearchReply::Done)
            }
            SearchRequest::Again { query, paths } => {
                again(&ask, root, &query, &paths).map(|files| SearchReply::Files { files })
            }
            SearchRequest::Replace { query, replacement, targets, keeps_moment } => {
                replace(&ask, &query, &replacement, &targets, keeps_moment).map(SearchReply::Replaced)
            }
        }
    }

    /// Ends what runs: its workspace is being closed.
    pub fn stop(&self) {
        end(&mut lock(&self.running));
    }

    fn begin(&self, node: &Node, root: &Path, query: &SearchQuery) -> Result<u64, ApiError> {
        // What cannot be asked ends nothing.
        let question = Question::new(query)?;
        let running = Arc::new(Running {
            id: self.last_id.fetch_add(1, Ordering::Relaxed) + 1,
            is_ended: AtomicBool::new(false),
            news: Mutex::new(nothing_yet()),
            has_news: Condvar::new(),
        });
        let mut now = lock(&self.running);
        end(&mut now);
        let (for_thread, node, root) = (Arc::clone(&running), node.clone(), root.to_path_buf());
        let work = move || for_thread.run(&|request| node.call(request), &root, question);
        std::thread::Builder::new()
            .name("search".into())
            .spawn(work)
            .map_err(|error| ApiError::new(ErrorCode::Internal, "A thread could not be started.").with_detail(error))?;
        let id = running.id;
        *now = Some(running);
        Ok(id)
    }

    fn more(&self, id: u64) -> SearchNews {
        let running = lock(&self.running).clone().filter(|running| running.id == id);
        match running {
            Some(running) => running.take(),
            // Another one took its place: nobody wants to know.
            None => SearchNews { is_over: true, ..nothing_yet() },
        }
    }
}

impl Running {
    fn run(&self, ask: &Ask<'_>, root: &Path, question: Question) {
        let mut hear = |heard: Heard| {
            let mut news = lock(&self.news);
            news.files.extend(heard.files);
            (news.n_files, news.n_too_large) = (heard.n_files, heard.n_too_large);
            if !news.files.is_empty() {
                self.has_news.notify_all();
            }
            if self.is_ended.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let ended = Search::new(ask, root, question).and_then(|search| search.run(&mut hear));
        let mut news = lock(&self.news);
        news.is_over = true;
        match ended {
            Ok(is_cut) => news.is_cut = is_cut,
            Err(trouble) => news.trouble = Some(trouble),
        }
        self.has_news.notify_all();
    }

    fn take(&self) -> SearchNews {
        let is_waited_for = |news: &mut SearchNews| news.files.is_empty() && !news.is_over;
        let waited = self.has_news.wait_timeout_while(lock(&self.news), NEWS_WAIT, is_waited_for);
        let (mut news, _) = waited.unwrap_or_else(PoisonError::into_inner);
        SearchNews { files: std::mem::take(&mut news.files), ..news.clone() }
    }
}

fn end(running: &mut Option<Arc<Running>>) {
    if let Some(before) = running.take() {
        before.is_ended.store(true, Ordering::Relaxed);
    }
}

/// The same in a few files, as they are now.
fn again(ask: &Ask<'_>, root: &Path, query: &SearchQuery, paths: &[String]) -> Result<Vec<FileMatches>, ApiError> {
    let question = Question::new(query)?;
    let folder = Folder::open(root).map_err(folder_error)?;
    let mut unwritten = texts::Unwritten::ask(ask)?;
    let mut files = Vec::new();
    let paths = paths.iter().filter_map(|path| RelPath::parse(path).ok());
    for path in paths.filter(|path| question.globs.has(path)) {
        let found = match unwritten.take(ask, &path)? {
            Some(text) => question.ask(&path, &text, MATCHES_MAX),
            None => look_at(&folder, &question, &path, MATCHES_MAX).found(),
        };
        files.extend(found);
    }
    Ok(files)
}

fn nothing_yet() -> SearchNews {
    SearchNews { files: Vec::new(), n_files: 0, n_too_large: 0, is_cut: false, is_over: false, trouble: None }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
