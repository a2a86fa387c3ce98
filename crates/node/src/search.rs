//! Find and replace in all texts of a workspace. A search reads the folder on threads of its own and asks the engine only
//! for what the folder does not have yet, so keys never wait for it. A replacement is decided here, file by file, from
//! the texts as the engine has them; the engine sees to it that they still are the same.

mod replace;
mod running;
mod texts;

pub use running::Searches;

use crate::bridge::folder_error;
use codesync_api::{ApiError, ErrorCode, FileMatches, Reply, Request, SearchMatch, SearchQuery};
use codesync_base::RelPath;
use codesync_fs::search::{Globs, Match, Pattern, Replacement, Searched, searched_text, walk};
use codesync_fs::{Folder, Rules};
use std::ops::ControlFlow;
use std::path::Path;
use texts::Unwritten;

/// So many matches are told; then a search ends.
pub const MATCHES_MAX: usize = 10_000;
/// Files looked at between two looks at whether somebody still wants to know.
const FILES_AT_ONCE: usize = 64;
/// More do not help: the disk and the memory are what they wait for.
const THREADS_MAX: usize = 4;

/// How the workspace is asked.
pub type Ask<'a> = dyn Fn(Request) -> Result<Reply, ApiError> + 'a;

/// What is heard of a search while it runs.
pub struct Heard {
    /// In the order of the explorer.
    pub files: Vec<FileMatches>,
    /// Files looked at so far.
    pub n_files: u64,
    /// Too large to be searched, so far.
    pub n_too_large: u64,
}

/// A query that can be asked.
struct Question {
    pattern: Pattern,
    globs: Globs,
    /// What matches are to become, where that is to be shown.
    replacement: Option<Replacement>,
}

impl Question {
    fn new(query: &SearchQuery) -> Result<Self, ApiError> {
        let SearchQuery { text, is_regex, match_case, whole_word, .. } = query;
        let pattern = Pattern::new(text, *is_regex, *match_case, *whole_word).map_err(|why| {
            let sentence = if *is_regex { format!("This expression can't be used: {why}.") } else { why.to_string() };
            ApiError::new(ErrorCode::Invalid, sentence)
        })?;
        let globs = Globs::new(&query.include, &query.exclude)
            .map_err(|why| ApiError::new(ErrorCode::Invalid, format!("{why}.")))?;
        let replacement = query.replacement.as_deref().map(|typed| replacement(&pattern, *is_regex, typed));
        Ok(Self { pattern, globs, replacement })
    }

    /// The matches in a text; none when there are none. With `n_max` 0 it only says whether there are some.
    fn ask(&self, path: &RelPath, text: &str, n_max: usize) -> Option<FileMatches> {
        let (found, is_cut) = self.pattern.matches(text, n_max);
        if found.is_empty() && !is_cut {
            return None;
        }
        let matches = found.into_iter().map(|one| self.to_api(text, one)).collect();
        Some(FileMatches { path: path.to_string(), matches, is_cut })
    }

    fn to_api(&self, text: &str, one: Match) -> SearchMatch {
        let becomes = self.replacement.as_ref().map(|replacement| self.pattern.becomes(text, &one, replacement));
        let Match { position, length, line, column, preview, from, to, range: _ } = one;
        SearchMatch { position, length, line, column, preview, from, to, becomes }
    }
}

fn replacement(pattern: &Pattern, is_regex: bool, typed: &str) -> Replacement {
    if is_regex { Replacement::with_groups(typed, pattern.n_groups()) } else { Replacement::text(typed) }
}

/// Searches the workspace at `root`, and tells `hear` again and again what it found, until that wants no more. Returns whether
/// there are more matches than were told.
///
/// # Errors
/// When the query cannot be asked, or the folder cannot be read.
pub fn search(
    ask: &Ask<'_>,
    root: &Path,
    query: &SearchQuery,
    hear: &mut dyn FnMut(Heard) -> ControlFlow<()>,
) -> Result<bool, ApiError> {
    Search::new(ask, root, Question::new(query)?)?.run(hear)
}

struct Search<'a> {
    ask: &'a Ask<'a>,
    folder: Folder,
    question: Question,
    unwritten: Unwritten,
    n_files: u64,
    n_too_large: u64,
    n_matches: usize,
    is_cut: bool,
}

impl<'a> Search<'a> {
    fn new(ask: &'a Ask<'a>, root: &Path, question: Question) -> Result<Self, ApiError> {
        let folder = Folder::open(root).map_err(folder_error)?;
        let unwritten = Unwritten::ask(ask)?;
        Ok(Self { ask, folder, question, unwritten, n_files: 0, n_too_large: 0, n_matches: 0, is_cut: false })
    }

    fn run(mut self, hear: &mut dyn FnMut(Heard) -> ControlFlow<()>) -> Result<bool, ApiError> {
        let (folder, globs) = (self.folder.clone(), self.question.globs.clone());
        let rules = Rules::new(&folder);
        let (mut paths, mut failure) = (Vec::new(), None);
        let mut look = |paths: &mut Vec<RelPath>| match self.look(std::mem::take(paths), hear) {
            Ok(flow) => flow,
            Err(error) => {
                failure = Some(error);
                ControlFlow::Break(())
            }
        };
        let is_whole = walk(&folder, &rules, &|inner| globs.enters(inner), &mut |path| {
            if globs.has(&path) {
                paths.push(path);
            }
            if paths.len() < FILES_AT_ONCE { ControlFlow::Continue(()) } else { look(&mut paths) }
        })
        .map_err(folder_error)?;
        if is_whole && look(&mut paths).is_continue() {
            // What the folder does not have at all yet.
            let mut rest: Vec<RelPath> = self.unwritten.rest().into_iter().filter(|path| globs.has(path)).collect();
            rest.retain(|path| !rules.is_ignored(path));
            if let Err(error) = self.look(rest, hear) {
                failure = Some(error);
            }
        }
        failure.map_or(Ok(self.is_cut), Err)
    }

    /// Looks at these files at once, tells, and says whether to go on.
    fn look(
        &mut self,
        paths: Vec<RelPath>,
        hear: &mut dyn FnMut(Heard) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ApiError> {
        let n_left = MATCHES_MAX - self.n_matches;
        let looked = self.look_at_all(&paths, n_left)?;
        self.n_files += paths.len() as u64;
        let mut files = Vec::new();
        for found in looked {
            match found {
                Looked::Nothing => {}
                Looked::TooLarge => self.n_too_large += 1,
                Looked::Found(mut file) => {
                    let n_left = MATCHES_MAX - self.n_matches;
                    file.is_cut |= file.matches.len() > n_left;
                    file.matches.truncate(n_left);
                    self.is_cut |= file.is_cut;
                    self.n_matches += file.matches.len();
                    if !file.matches.is_empty() {
                        files.push(file);
                    }
                }
            }
        }
        let flow = hear(Heard { files, n_files: self.n_files, n_too_large: self.n_too_large });
        let is_enough = self.is_cut || flow.is_break();
        Ok(if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn look_at_all(&mut self, paths: &[RelPath], n_max: usize) -> Result<Vec<Looked>, ApiError> {
        let mut looked: Vec<Option<Looked>> = Vec::with_capacity(paths.len());
        for path in paths {
            let text = self.unwritten.take(self.ask, path)?;
            looked.push(text.map(|text| Looked::of(self.question.ask(path, &text, n_max))));
        }
        let (folder, question) = (&self.folder, &self.question);
        let work: Vec<(&RelPath, &mut Option<Looked>)> =
            paths.iter().zip(&mut looked).filter(|(_, looked)| looked.is_none()).collect();
        each_in_threads(work, &|(path, place)| *place = Some(look_at(folder, question, path, n_max)));
        Ok(looked.into_iter().map(|looked| looked.unwrap_or(Looked::Nothing)).collect())
    }
}

enum Looked {
    Found(FileMatches),
    TooLarge,
    Nothing,
}

impl Looked {
    fn of(found: Option<FileMatches>) -> Self {
        found.map_or(Self::Nothing, Self::Found)
    }

    fn found(self) -> Option<FileMatches> {
        match self {
            Self::Found(file) => Some(file),
            Self::TooLarge | Self::Nothing => None,
        }
    }
}

fn look_at(folder: &Folder, question: &Question, path: &RelPath, n_max: usize) -> Looked {
    match searched_text(folder, path) {
        Ok(Searched::Text(text)) => Looked::of(question.ask(path, &text, n_max)),
        Ok(Searched::TooLarge) => Looked::TooLarge,
        Ok(Searched::Nothing) => Looked::Nothing,
        Err(reason) => {
            tracing::debug!(%path, %reason, "not searched");
            Looked::Nothing
        }
    }
}

/// Does the work on as many threads as leave one processor to who types.
fn each_in_threads<T: Send>(work: Vec<T>, act: &(dyn Fn(T) + Sync)) {
    let n_processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let n_threads = (n_processors - 1).clamp(1, THREADS_MAX).min(work.len());
    if n_threads <= 1 {
        return work.into_iter().for_each(act);
    }
    let queue = std::sync::Mutex::new(work.into_iter());
    let next = || queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
    std::thread::scope(|scope| {
        for _ in 0..n_threads {
            scope.spawn(|| {
                while let Some(one) = next() {
                    act(one);
                }
            });
        }
    });
}

#[cfg(test)]
mod tests;
