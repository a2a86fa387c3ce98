//! The history as a git repository: one commit for each act, a tag for each named moment, as a stream for
//! `git fast-import`. Bursts of typing are acts, so a commit is what a person did without a pause.
//!
//! History is read once to know the commits, and then once for every some thousand files to have their texts: what it
//! costs grows with the history, not with its files times its commits, and memory is bounded.

use crate::documents::{Reading, merge_again, text_of_source};
use crate::foreign::{apply_void, begin_text};
use crate::{Engine, Result, api_error};
use codesync_api::{ApiError, ErrorCode};
use codesync_base::{BlobHash, Change, FileId, FileKind, FileMeta, SignedDelta, StepKey};
use codesync_doc::{Node, TextDocument, Tree, TreeAuthor};
use codesync_timeline::GroupKey;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Write;

/// Texts that are followed through one reading of the history.
const FILES_AT_ONCE: usize = 8_192;
/// Steps that they have together, but for the first.
const STEPS_AT_ONCE: usize = 400_000;

/// What the stream had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GitStream {
    pub n_commits: u64,
    pub n_bytes: u64,
}

/// The commits to be made, and the contents that they name.
#[derive(Default)]
struct Plan {
    tree: Tree,
    /// What the last commit has at each path, by file.
    committed: BTreeMap<FileId, String>,
    by_path: BTreeMap<String, FileId>,
    n_steps: BTreeMap<FileId, usize>,
    /// Deltas that acts still have before them. Typing goes on while a checkout is taken in: acts overlap.
    n_deltas: BTreeMap<GroupKey, u64>,
    open: BTreeMap<GroupKey, OpenAct>,
    commits: Vec<Commit>,
    /// Name and the number of commits before it.
    tags: Vec<(String, usize)>,
    tag_names: BTreeSet<String>,
    texts: BTreeMap<FileId, VecDeque<Wanted>>,
    stored: BTreeMap<BlobHash, u64>,
    n_marks: u64,
}

/// An act that goes on.
#[derive(Default)]
struct OpenAct {
    touched: BTreeSet<FileId>,
    message: String,
    author: String,
    at_ms: u64,
}

struct Commit {
    mark: u64,
    author: String,
    at_ms: u64,
    message: String,
    removed: Vec<String>,
    /// Path, mode and the mark of the content.
    changed: Vec<(String, &'static str, u64)>,
}

/// The text of a file after so many steps, as it stood on disk.
struct Wanted {
    n_steps: usize,
    meta: FileMeta,
    mark: u64,
}

/// A text on its way through the history.
struct Followed {
    text: TextDocument,
    has_lies: bool,
    n_steps: usize,
    wanted: VecDeque<Wanted>,
}

/// Counts what goes out.
struct Out<'a> {
    to: &'a mut dyn Write,
    n_bytes: u64,
}

impl Engine {
    /// Writes the stream.
    pub fn git_stream(&mut self, to: &mut dyn Write) -> Result<GitStream> {
        self.close()?;
        self.has_whole_history()?;
        let mut plan = Plan::default();
        let count = &mut |signed: &SignedDelta| *plan.n_deltas.entry(group_of(signed)).or_default() += 1;
        self.log.for_each(count).map_err(api_error)?;
        self.log.for_each(&mut |signed| self.visit_for_git(&mut plan, signed)).map_err(api_error)?;
        plan.end_all();
        let mut out = Out { to, n_bytes: 0 };
        out.put(b"feature done\nreset refs/heads/main\n")?;
        for (hash, mark) in std::mem::take(&mut plan.stored) {
            let bytes = if hash == BlobHash::of(&[]) { Vec::new() } else { self.blob(&hash)? };
            out.blob(mark, &bytes)?;
        }
        self.write_texts(std::mem::take(&mut plan.texts), &plan.n_steps, &mut out)?;
        let n_commits = plan.commits.len() as u64;
        let mut tags = plan.tags.into_iter().peekable();
        for (idx, commit) in plan.commits.into_iter().enumerate() {
            out.commit(&commit)?;
            while let Some((tag, _)) = tags.next_if(|(_, n_before)| *n_before == idx + 1) {
                out.put(format!("reset refs/tags/{tag}\nfrom :{}\n\n", commit.mark).as_bytes())?;
            }
        }
        out.put(b"done\n")?;
        Ok(GitStream { n_commits, n_bytes: out.n_bytes })
    }

    fn visit_for_git(&self, plan: &mut Plan, signed: &SignedDelta) {
        let delta = &signed.delta;
        let author = TreeAuthor { log: delta.log, disk: delta.origin.is_disk() };
        if self.others.aside.has(signed) {
            apply_void(&mut plan.tree, signed);
            return plan.count_down(&group_of(signed));
        }
        let name = if author.disk { "Disk".to_owned() } else { self.person_of(&delta.log) };
        let group = group_of(signed);
        for (step_idx, step) in delta.steps.iter().enumerate() {
            let file = delta.file_of(step).unwrap_or(FileId::ZERO);
            let mut touched = vec![file];
            match &step.change {
                Change::Session { .. } | Change::Access(_) | Change::Chat(_) | Change::Color { .. } => continue,
                Change::Text(_) => *plan.n_steps.entry(file).or_default() += 1,
                Change::Moment { name, at: None, .. } => {
                    plan.end_all();
                    plan.tag(name);
                    continue;
                }
                // A moment named afterwards: its commit is long made.
                Change::Moment { .. } => continue,
                change => {
                    let key = StepKey { delta: delta.key(signed.hash), step_idx: step_idx as u32 };
                    plan.tree.apply(key, step.at_ms, author, file, change);
                    // Also what was only in the way of another now has another path.
                    touched.extend(plan.tree.take_moved());
                }
            }
            let act = plan.open.entry(group).or_default();
            act.touched.extend(touched);
            act.author.clone_from(&name);
            act.at_ms = act.at_ms.max(step.at_ms);
            act.message = crate::records::change_kind(&step.change).to_owned();
        }
        plan.count_down(&group);
    }

    /// Writes every text that a commit names, in readings of the history for some files each.
    fn write_texts(
        &self,
        mut texts: BTreeMap<FileId, VecDeque<Wanted>>,
        n_steps: &BTreeMap<FileId, usize>,
        out: &mut Out<'_>,
    ) -> Result<()> {
        while !texts.is_empty() {
            let (mut followed, mut n_together) = (BTreeMap::new(), 0);
            while let Some(entry) = texts.first_entry() {
                n_together += n_steps.get(entry.key()).copied().unwrap_or(0);
                if !followed.is_empty() && (followed.len() >= FILES_AT_ONCE || n_together > STEPS_AT_ONCE) {
                    break;
                }
                let (file, wanted) = entry.remove_entry();
                followed.insert(file, Followed { text: TextDocument::new(), has_lies: false, n_steps: 0, wanted });
            }
            self.follow(followed, out)?;
        }
        Ok(())
    }

    fn follow(&self, mut followed: BTreeMap<FileId, Followed>, out: &mut Out<'_>) -> Result<()> {
        let mut failure = None;
        let read = self.log.for_each(&mut |signed| {
            let is_touched = signed.delta.files.iter().any(|file| followed.contains_key(file));
            if is_touched && failure.is_none() {
                failure = self.follow_delta(&mut followed, signed, out).err();
            }
        });
        read.map_err(api_error)?;
        match failure {
            Some(why) => Err(why),
            None if followed.is_empty() => Ok(()),
            None => Err(unreadable(format!("{} texts do not come to their end", followed.len()))),
        }
    }

    fn follow_delta(
        &self,
        followed: &mut BTreeMap<FileId, Followed>,
        signed: &SignedDelta,
        out: &mut Out<'_>,
    ) -> Result<()> {
        let delta = &signed.delta;
        for step in &delta.steps {
            let Some(file) = delta.file_of(step) else { continue };
            let Some(text) = followed.get_mut(&file) else { continue };
            text.take(signed, &step.change, &self.reading())?;
            while let Some(wanted) = text.wanted.pop_front_if(|wanted| wanted.n_steps == text.n_steps) {
                out.blob(wanted.mark, &self.text_on_disk(&text.text.to_string(), &wanted.meta)?)?;
            }
            if text.wanted.is_empty() {
                followed.remove(&file);
            }
        }
        Ok(())
    }
}

impl Followed {
    fn take(&mut self, signed: &SignedDelta, change: &Change, reading: &Reading<'_>) -> Result<()> {
        match change {
            Change::Create { kind: FileKind::Text, content: Some(source), .. } => {
                let base = text_of_source(source, reading.log).map_err(unreadable)?;
                begin_text(&mut self.text, signed, &base, reading);
            }
            Change::Text(step) => {
                merge_again(&mut self.text, signed, step, reading, &mut self.has_lies).map_err(unreadable)?;
                self.n_steps += usize::from(!reading.aside.has(signed));
            }
            _ => {}
        }
        Ok(())
    }
}

impl Plan {
    fn count_down(&mut self, group: &GroupKey) {
        if let Some(n_left) = self.n_deltas.get_mut(group) {
            *n_left = n_left.saturating_sub(1);
            if *n_left == 0 {
                self.n_deltas.remove(group);
                if let Some(act) = self.open.remove(group) {
                    self.commit(act);
                }
            }
        }
    }

    /// Commits what every act did so far, the oldest first.
    fn end_all(&mut self) {
        let mut acts: Vec<OpenAct> = std::mem::take(&mut self.open).into_values().collect();
        acts.sort_by_key(|act| act.at_ms);
        acts.into_iter().for_each(|act| self.commit(act));
    }

    /// A commit of what an act touched.
    fn commit(&mut self, mut act: OpenAct) {
        let (mut removed, mut changed, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for file in std::mem::take(&mut act.touched) {
            let node = self.tree.get(&file).filter(|node| node.alive && node.kind != FileKind::Folder).cloned();
            let old = self.committed.remove(&file);
            let path = node.as_ref().map(|node| node.path.to_string());
            if let Some(old) = old.filter(|old| Some(old) != path.as_ref()) {
                names.push(old.clone());
                self.by_path.remove(&old);
                // An act that overlaps this one may have made it a folder already.
                let inside = format!("{old}/");
                let is_folder =
                    self.by_path.range(inside.clone()..).next().is_some_and(|(at, _)| at.starts_with(&inside));
                removed.extend((!is_folder).then_some(old));
            }
            let Some((path, node)) = path.zip(node) else { continue };
            let mode = if node.meta.mode & 0o111 != 0 { "100755" } else { "100644" };
            names.push(path.clone());
            changed.push((path.clone(), mode, self.content_of(&node)));
            // Whose place it took, in an act that overlaps this one, has nothing to remove there any more.
            if let Some(other) = self.by_path.insert(path.clone(), file).filter(|other| *other != file) {
                self.committed.remove(&other);
            }
            self.committed.insert(file, path);
        }
        if names.is_empty() {
            return;
        }
        let message = match names.as_slice() {
            [name] => format!("{} {name}", act.message),
            many => format!("{} {} files", act.message, many.len()),
        };
        let mark = self.new_mark();
        let OpenAct { author, at_ms, .. } = act;
        self.commits.push(Commit { mark, author, at_ms, message, removed, changed });
    }

    /// Mark of what a file holds now.
    fn content_of(&mut self, node: &Node) -> u64 {
        if node.kind == FileKind::Text {
            let n_steps = self.n_steps.get(&node.file).copied().unwrap_or(0);
            let meta = FileMeta { mode: 0, ..node.meta.clone() };
            let last = self.texts.get(&node.file).and_then(|wanted| wanted.back());
            if let Some(same) = last.filter(|last| last.n_steps == n_steps && last.meta == meta) {
                return same.mark;
            }
            let mark = self.new_mark();
            self.texts.entry(node.file).or_default().push_back(Wanted { n_steps, meta, mark });
            return mark;
        }
        let hash = node.content.map_or(BlobHash::of(&[]), |(hash, _)| hash);
        let mark = self.new_mark();
        *self.stored.entry(hash).or_insert(mark)
    }

    fn new_mark(&mut self) -> u64 {
        self.n_marks += 1;
        self.n_marks
    }

    fn tag(&mut self, name: &str) {
        if self.commits.is_empty() {
            return;
        }
        let base: String = name.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '-' }).collect();
        let base = base.trim_matches('-');
        let base = if base.is_empty() { "moment" } else { base };
        let numbered = (2..).map(|n| format!("{base}-{n}"));
        let free = std::iter::once(base.to_owned()).chain(numbered).find(|tag| !self.tag_names.contains(tag));
        let tag = free.expect("invariant: some number is free");
        self.tag_names.insert(tag.clone());
        self.tags.push((tag, self.commits.len()));
    }
}

impl Out<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.to
            .write_all(bytes)
            .map_err(|error| ApiError::new(ErrorCode::Io, "git could not make the repository.").with_detail(error))?;
        self.n_bytes += bytes.len() as u64;
        Ok(())
    }

    fn blob(&mut self, mark: u64, bytes: &[u8]) -> Result<()> {
        self.put(format!("blob\nmark :{mark}\ndata {}\n", bytes.len()).as_bytes())?;
        self.put(bytes)?;
        self.put(b"\n")
    }

    fn commit(&mut self, commit: &Commit) -> Result<()> {
        let Commit { mark, at_ms, message, .. } = commit;
        let (seconds, author) = (at_ms / 1_000, git_name(&commit.author));
        let mut text = format!(
            "commit refs/heads/main\nmark :{mark}\nauthor {author} {seconds} +0000\ncommitter {author} {seconds} \
             +0000\ndata {}\n{message}\n",
            message.len(),
        );
        // What goes makes room for what comes.
        commit.removed.iter().for_each(|path| text.push_str(&format!("D {}\n", quoted(path))));
        let changed = commit.changed.iter();
        changed.for_each(|(path, mode, mark)| text.push_str(&format!("M {mode} :{mark} {}\n", quoted(path))));
        text.push('\n');
        self.put(text.as_bytes())
    }
}

fn group_of(signed: &SignedDelta) -> GroupKey {
    GroupKey { log: signed.delta.log, seq: signed.delta.group }
}

fn unreadable(what: String) -> ApiError {
    ApiError::new(ErrorCode::Damaged, "Part of the history can't be read.").with_detail(what)
}

/// `Asha <asha@codesync.invalid>`, without what git forbids in names.
fn git_name(name: &str) -> String {
    let clean: String = name.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>')).collect();
    let mail: String = clean.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '.' }).collect();
    format!("{} <{}@codesync.invalid>", clean.trim(), mail.trim_matches('.'))
}

/// Path as fast-import wants it: in C quotes.
fn quoted(path: &str) -> String {
    format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\""))
}
