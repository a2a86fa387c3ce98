//! Digests of what was computed from the log, to compare with others who have the same deltas: equal where text, tree
//! and timeline are equal. Changes nothing, but for files that turn out to be wrong: those are made anew.

use crate::foreign::Batch;
use crate::{Engine, Now, Result, api_error};
use codesync_api::{Event, Notice};
use codesync_base::{DeviceId, FileId, FileKind, LineEnd, SignedDelta, TextSource};
use codesync_doc::Node;
use codesync_sync::Computed;
use std::collections::{BTreeMap, BTreeSet};

/// Steps of history that one part of the work may read, and files that it may look at.
const PART_STEPS_MAX: u64 = 20_000;
const PART_FILES_MAX: usize = 64;
/// Paths that a notice names.
const PATHS_NAMED_MAX: usize = 3;

/// Digests of texts that did not change since.
#[derive(Default)]
pub(crate) struct Digests {
    texts: BTreeMap<FileId, [u8; 32]>,
}

/// What the replicas of a workspace compare. BLAKE3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Of all deltas, in canonical order.
    pub history: [u8; 32],
    /// Of the files that are there: names, kinds, properties, contents kept whole.
    pub tree: [u8; 32],
    /// Of their texts.
    pub texts: [u8; 32],
    /// Of everybody's steps in the order in which timelines show them, without what does not count.
    pub timeline: [u8; 32],
    /// Of all of these.
    pub whole: [u8; 32],
    pub n_files: u64,
    pub n_deltas: u64,
}

impl Digests {
    pub fn forget(&mut self, file: &FileId) {
        self.texts.remove(file);
    }

    pub fn clear(&mut self) {
        self.texts.clear();
    }
}

impl Engine {
    /// The digests of all that is here. Reads every text: not for while somebody types.
    pub fn digest(&mut self) -> Result<Digest> {
        self.close()?;
        let typed = self.typed_files()?;
        let texts: Vec<FileId> = self.alive_texts();
        let mut of_texts = blake3::Hasher::new_derive_key("codesync 2026 digest of texts");
        for file in &texts {
            let digest = self.text_digest(*file, &typed)?;
            of_texts.update(&file.0).update(&digest);
            self.evict_documents();
        }
        let mut of_tree = blake3::Hasher::new_derive_key("codesync 2026 digest of the tree");
        self.tree.alive().for_each(|node| add_node(&mut of_tree, node));
        let mut of_history = blake3::Hasher::new_derive_key("codesync 2026 digest of history");
        let mut of_timeline = blake3::Hasher::new_derive_key("codesync 2026 digest of the timeline");
        let aside = &self.others.aside;
        let add = &mut |signed: &SignedDelta| {
            of_history.update(&signed.hash.0);
            if !aside.has(signed) {
                of_timeline.update(&signed.hash.0).update(&(signed.delta.steps.len() as u32).to_le_bytes());
            }
        };
        self.log.for_each(add).map_err(api_error)?;
        let n_moments = self.workspace_mut()?.n_moments() as u64;
        of_timeline.update(&n_moments.to_le_bytes());
        let parts = [of_history, of_tree, of_texts, of_timeline].map(|hasher| *hasher.finalize().as_bytes());
        let mut whole = blake3::Hasher::new_derive_key("codesync 2026 digest of a workspace");
        for part in &parts {
            whole.update(part);
        }
        let [history, tree, texts_digest, timeline] = parts;
        Ok(Digest {
            history,
            tree,
            texts: texts_digest,
            timeline,
            whole: *whole.finalize().as_bytes(),
            n_files: self.tree.alive().filter(|node| node.kind != FileKind::Folder).count() as u64,
            n_deltas: self.log.n_deltas(),
        })
    }

    /// What a link compares, computed part by part: the files with their texts.
    pub(crate) fn digest_some(&mut self) -> Computed {
        if self.is_unsynced() || self.is_removed() {
            // There will be news, and another time to compare.
            return Computed::Unknown;
        }
        let Ok(typed) = self.typed_files() else { return Computed::Unknown };
        let (mut n_steps, mut n_files) = (0, 0);
        for file in self.alive_texts() {
            if self.digests.texts.contains_key(&file) {
                continue;
            }
            if n_steps > PART_STEPS_MAX || n_files > PART_FILES_MAX {
                self.evict_documents();
                return Computed::Soon;
            }
            if typed.contains(&file) && !self.documents.has(&file) {
                n_steps += self.log.n_steps_near(&file);
                n_files += 1;
            }
            if let Err(error) = self.text_digest(file, &typed) {
                tracing::warn!(%error, %file, "a text cannot be compared");
                return Computed::Unknown;
            }
        }
        self.evict_documents();
        let mut whole = blake3::Hasher::new_derive_key("codesync 2026 digest of files");
        for (file, digest) in self.file_digests(usize::MAX) {
            whole.update(&file.0).update(&digest);
        }
        Computed::Known(*whole.finalize().as_bytes())
    }

    /// The same by file, sorted, at most so many; those whose texts are known.
    pub(crate) fn file_digests(&self, n_max: usize) -> Vec<(FileId, [u8; 32])> {
        let mut digests: Vec<_> = self.tree.alive().map(|node| (node.file, self.file_digest(node))).collect();
        digests.sort_unstable();
        digests.truncate(n_max);
        digests
    }

    fn file_digest(&self, node: &Node) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("codesync 2026 digest of a file");
        add_node(&mut hasher, node);
        hasher.update(self.digests.texts.get(&node.file).unwrap_or(&[0; 32]));
        *hasher.finalize().as_bytes()
    }

    fn alive_texts(&self) -> Vec<FileId> {
        self.tree.alive().filter(|node| node.kind == FileKind::Text).map(|node| node.file).collect()
    }

    fn typed_files(&mut self) -> Result<BTreeSet<FileId>> {
        let workspace = self.outline_mut()?;
        workspace.refresh();
        Ok(workspace.files_typed_from(0))
    }

    /// BLAKE3 of a text in UTF-8. What was never edited is as it was created, and need not be read.
    fn text_digest(&mut self, file: FileId, typed: &BTreeSet<FileId>) -> Result<[u8; 32]> {
        if let Some(known) = self.digests.texts.get(&file) {
            return Ok(*known);
        }
        let base = self.tree.get(&file).and_then(|node| node.base.as_ref());
        let digest = match base.map(|base| &base.text) {
            Some(TextSource::Inline(text)) if !typed.contains(&file) => *blake3::hash(text.as_bytes()).as_bytes(),
            Some(TextSource::Blob { hash, .. }) if !typed.contains(&file) => hash.0,
            _ => match self.documents.get_mut(&file) {
                Some(document) => document.text.digest(),
                None => *blake3::hash(self.present_text(file)?.0.as_bytes()).as_bytes(),
            },
        };
        self.digests.texts.insert(file, digest);
        Ok(digest)
    }

    /// A peer with the same deltas has something else: these files, and the tree, are made anew from the log.
    pub(crate) fn make_anew(&mut self, files: &[FileId], peer: Option<DeviceId>, now: Now) {
        self.settle();
        let mut batch = Batch::default();
        self.read_all_anew(&mut batch);
        self.workspace = None;
        let before = self.tree.clone();
        let done = self.read_tree_anew();
        self.tell_tree_anew(&before, now);
        if let Err(error) = done.and_then(|()| self.finish_batch(batch, now)) {
            tracing::warn!(%error, "what differs cannot be read");
        }
        let person = peer.map_or_else(|| "Somebody".to_owned(), |peer| self.authors.person(&peer));
        let paths: Vec<String> = files.iter().filter_map(|file| Some(self.tree.get(file)?.path.to_string())).collect();
        tracing::error!(?paths, "a peer computed something else from the same deltas");
        let what = match paths.len() {
            0 => "the list of files".to_owned(),
            n if n <= PATHS_NAMED_MAX => paths.join(", "),
            n => format!("{} and {} more files", paths[..PATHS_NAMED_MAX].join(", "), n - PATHS_NAMED_MAX),
        };
        let title =
            format!("{person}’s copy of {what} was not the same as yours. Both were made again from the history.");
        let body = "Nothing is lost: all changes of everybody are kept.".to_owned();
        let path = paths.first().filter(|_| paths.len() == 1).cloned();
        self.events.push(Event::Notice(Notice { id: "MSG-MERGE-2".into(), title, body, path, ..Notice::default() }));
    }
}

fn add_node(hasher: &mut blake3::Hasher, node: &Node) {
    let text = |hasher: &mut blake3::Hasher, text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    };
    hasher.update(&node.file.0);
    text(hasher, node.path.as_str());
    text(hasher, node.wanted_path.as_str());
    let kind = match node.kind {
        FileKind::Text => 0,
        FileKind::Binary => 1,
        FileKind::Folder => 2,
    };
    let meta = &node.meta;
    hasher.update(&[kind, u8::from(meta.byte_order_mark), u8::from(meta.line_end == LineEnd::CrLf)]);
    hasher.update(&meta.mode.to_le_bytes());
    text(hasher, &meta.encoding);
    if let Some(raw) = &meta.raw {
        hasher.update(&raw.text_hash.0).update(&raw.bytes.0);
    }
    if let Some((hash, length_bytes)) = node.content {
        hasher.update(&hash.0).update(&length_bytes.to_le_bytes());
    }
}
