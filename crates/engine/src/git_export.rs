//! The history as a git repository: one commit for each act, a tag for each named moment, as a stream for
//! `git fast-import`. Bursts of typing are acts, so a commit is what a person did without a pause.

use crate::{Engine, Result, api_error};
use codesync_base::{Change, FileId, FileKind, FileMeta, SignedDelta, StepKey};
use codesync_doc::{Tree, TreeAuthor};
use codesync_timeline::GroupKey;
use std::collections::{BTreeMap, BTreeSet};

/// Writes the stream.
struct Writer {
    out: Vec<u8>,
    tree: Tree,
    /// What the last commit has at each path, by file.
    committed: BTreeMap<FileId, String>,
    n_steps: BTreeMap<FileId, usize>,
    touched: BTreeSet<FileId>,
    n_commits: u64,
    message: String,
    author: String,
    at_ms: u64,
    tags: Vec<String>,
}

impl Engine {
    /// The stream and the number of commits in it.
    pub fn git_stream(&mut self) -> Result<(Vec<u8>, u64)> {
        self.close()?;
        let mut all = Vec::new();
        self.log.for_each(&mut |signed| all.push(signed.clone())).map_err(api_error)?;
        let mut writer = Writer {
            out: b"feature done\nreset refs/heads/main\n".to_vec(),
            tree: Tree::new(),
            committed: BTreeMap::new(),
            n_steps: BTreeMap::new(),
            touched: BTreeSet::new(),
            n_commits: 0,
            message: String::new(),
            author: String::new(),
            at_ms: 0,
            tags: Vec::new(),
        };
        let mut open: Option<GroupKey> = None;
        for signed in &all {
            let group = GroupKey { log: signed.delta.log, seq: signed.delta.group };
            if open.is_some_and(|open| open != group) {
                self.commit_to(&mut writer)?;
            }
            open = Some(group);
            self.visit_for_git(&mut writer, signed)?;
        }
        self.commit_to(&mut writer)?;
        writer.out.extend_from_slice(b"done\n");
        Ok((writer.out, writer.n_commits))
    }

    fn visit_for_git(&mut self, writer: &mut Writer, signed: &SignedDelta) -> Result<()> {
        let delta = &signed.delta;
        let author = TreeAuthor { log: delta.log, disk: delta.origin.is_disk() };
        let name = if author.disk { "Disk".to_owned() } else { self.person_of(&delta.log) };
        for (step_idx, step) in delta.steps.iter().enumerate() {
            let file = delta.file_of(step).unwrap_or(FileId::ZERO);
            match &step.change {
                Change::Session { .. } => continue,
                Change::Text(_) => *writer.n_steps.entry(file).or_default() += 1,
                Change::Moment { name, at: None, .. } => {
                    self.commit_to(writer)?;
                    writer.tag(name);
                    continue;
                }
                // A moment named afterwards: its commit is long made.
                Change::Moment { .. } => continue,
                change => {
                    let key = StepKey { delta: delta.key(signed.hash), step_idx: step_idx as u32 };
                    writer.tree.apply(key, step.at_ms, author, file, change);
                    // Also what was only in the way of another now has another path.
                    writer.touched.extend(writer.tree.take_moved());
                }
            }
            writer.touched.insert(file);
            writer.author.clone_from(&name);
            writer.at_ms = writer.at_ms.max(step.at_ms);
            writer.message = crate::records::change_kind(&step.change).to_owned();
        }
        Ok(())
    }

    /// Makes a commit of what was touched since the last.
    fn commit_to(&mut self, writer: &mut Writer) -> Result<()> {
        let touched = std::mem::take(&mut writer.touched);
        let (mut removed, mut changed, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for file in touched {
            let node = writer.tree.get(&file).filter(|node| node.alive && node.kind != FileKind::Folder);
            let old = writer.committed.remove(&file);
            let path = node.map(|node| node.path.to_string());
            if let Some(old) = old.filter(|old| Some(old) != path.as_ref()) {
                names.push(old.clone());
                removed.push(old);
            }
            let Some((path, node)) = path.zip(node) else { continue };
            let (kind, meta, content) = (node.kind, node.meta.clone(), node.content);
            let bytes = match kind {
                FileKind::Text => {
                    let n = writer.n_steps.get(&file).copied().unwrap_or(0);
                    let text = self.document_mut(file)?.timeline.text_at(n).to_string();
                    self.text_on_disk(&text, &meta)?
                }
                _ => content.map(|(hash, _)| self.blob(&hash)).transpose()?.unwrap_or_default(),
            };
            names.push(path.clone());
            changed.push((path.clone(), meta, bytes));
            writer.committed.insert(file, path);
        }
        if !names.is_empty() {
            writer.commit(&names, &removed, &changed);
        }
        self.evict_documents();
        Ok(())
    }
}

impl Writer {
    fn commit(&mut self, names: &[String], removed: &[String], changed: &[(String, FileMeta, Vec<u8>)]) {
        let what = match names {
            [name] => format!("{} {name}", self.message),
            many => format!("{} {} files", self.message, many.len()),
        };
        let seconds = self.at_ms / 1_000;
        let author = git_name(&self.author);
        let header = format!(
            "commit refs/heads/main\nmark :{}\nauthor {author} {seconds} +0000\ncommitter {author} {seconds} +0000\ndata {}\n{what}\n",
            self.n_commits + 1,
            what.len(),
        );
        self.out.extend_from_slice(header.as_bytes());
        for path in removed {
            self.out.extend_from_slice(format!("D {}\n", quoted(path)).as_bytes());
        }
        for (path, meta, bytes) in changed {
            let mode = if meta.mode & 0o111 != 0 { "100755" } else { "100644" };
            self.out.extend_from_slice(format!("M {mode} inline {}\ndata {}\n", quoted(path), bytes.len()).as_bytes());
            self.out.extend_from_slice(bytes);
            self.out.push(b'\n');
        }
        self.out.push(b'\n');
        self.n_commits += 1;
    }

    fn tag(&mut self, name: &str) {
        if self.n_commits == 0 {
            return;
        }
        let base: String = name.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '-' }).collect();
        let base = base.trim_matches('-');
        let base = if base.is_empty() { "moment" } else { base };
        let mut tag = base.to_owned();
        let mut n = 1;
        while self.tags.contains(&tag) {
            n += 1;
            tag = format!("{base}-{n}");
        }
        self.out.extend_from_slice(format!("reset refs/tags/{tag}\nfrom :{}\n\n", self.n_commits).as_bytes());
        self.tags.push(tag);
    }
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
