//! A copy that is told nothing of the past: where it begins, and what stands in the place of what was before. The
//! checkpoint comes first, with all contents that it names; then the log begins, and everything goes on from there as
//! in any other copy (`docs/decisions/0017`). Never makes up anything of the past.

use crate::{Engine, Now, Result, api_error};
use codesync_api::{ApiError, ErrorCode, Event, Notice};
use codesync_base::{
    AccessStep, BlobHash, BlobSource, Change, Checkpoint, CutLog, CutNode, CutState, Delta, DeltaHash, DeltaKey,
    FileId, FileKind, Head, Hlc, LogId, Role, SignedDelta, StepKey, TextUnits,
};
use codesync_doc::{TextDocument, Tree, TreeAuthor};
use codesync_log::Log;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Where this copy begins.
#[derive(Default)]
pub(crate) enum Beginning {
    /// It has all of the past.
    #[default]
    First,
    /// The checkpoint, or a content that it names, is not here yet: nothing is.
    Waiting(Waiting),
    Begun(Arc<Begun>),
}

#[derive(Default)]
pub(crate) struct Waiting {
    checkpoint: BlobHash,
    /// Contents that are not here; the checkpoint itself as long as it is not.
    missing: BTreeSet<BlobHash>,
    /// It came and is none.
    is_bad: bool,
}

#[derive(Clone)]
pub(crate) struct Begun {
    pub name: BlobHash,
    pub checkpoint: Checkpoint,
    /// Files that are known: those that were there, and those among the gone ones that something names since.
    nodes: BTreeMap<FileId, CutNode>,
    /// No step of before stands above this in the canonical order.
    newest: StepKey,
}

impl Beginning {
    pub fn begun(&self) -> Option<&Arc<Begun>> {
        match self {
            Beginning::Begun(begun) => Some(begun),
            Beginning::First | Beginning::Waiting(_) => None,
        }
    }

    /// Where a log was when the copy began.
    pub fn log(&self, log: &LogId) -> Option<&CutLog> {
        self.begun()?.checkpoint.log(log)
    }

    /// Reading of a delta that is before the cut; none for one that is not, or would be in its place.
    pub fn reading_of(&self, head: &Head) -> Option<Hlc> {
        let cut = self.log(&head.log)?;
        match head.seq.cmp(&cut.head.seq) {
            // Nobody here knows when it was: whoever has the past has looked.
            std::cmp::Ordering::Less => Some(Hlc::default()),
            std::cmp::Ordering::Equal if head.hash == cut.head.hash => Some(cut.hlc),
            _ => None,
        }
    }

    /// Place of one of the newest deltas before the cut.
    pub fn key(&self, hash: &DeltaHash) -> Option<DeltaKey> {
        let cut = self.begun()?.checkpoint.logs.iter().find(|cut| cut.head.hash == *hash)?;
        Some(DeltaKey { hlc: cut.hlc, log: cut.head.log, seq: cut.head.seq, hash: *hash })
    }

    /// Files as they were then, and nothing of what came after; none when all of the past is here.
    pub fn tree(&self) -> Option<Tree> {
        let mut tree = Tree::new();
        self.begun()?.enter(&mut tree);
        Some(tree)
    }

    /// Whether a file stood there when the copy began: who wrote what stood in it is not known.
    pub fn has(&self, file: &FileId) -> bool {
        self.begun().is_some_and(|begun| begun.nodes.contains_key(file))
    }

    /// Whether, in the order of history, this moment stands between steps that are before the cut.
    pub fn is_within(&self, key: &StepKey) -> bool {
        self.begun().is_some_and(|begun| *key < begun.newest)
    }

    /// Whether a step of the tree was there when the copy began.
    pub fn is_before(&self, key: &StepKey) -> bool {
        self.log(&key.delta.log).is_some_and(|cut| key.delta.seq <= cut.head.seq)
    }

    /// The text of a file as it was then; empty for one that came later.
    pub fn text(&self, file: &FileId, log: &Log) -> std::result::Result<TextDocument, String> {
        match self.begun().and_then(|begun| begun.nodes.get(file)) {
            Some(node) => text_of(node, log),
            None => Ok(TextDocument::new()),
        }
    }

    /// Contents without which a delta that names gone files cannot be taken in.
    pub fn needs(&self, delta: &Delta, log: &Log) -> Vec<BlobHash> {
        let Some(begun) = self.begun() else { return Vec::new() };
        let mut needs = Vec::new();
        for file in delta.files.iter().filter(|file| !begun.nodes.contains_key(*file)) {
            let Some(CutState::Gone(part)) = begun.checkpoint.file(file) else { continue };
            match log.blob(part).and_then(|bytes| CutNode::decode(&bytes).ok()) {
                Some(node) => needs.extend(node.blobs()),
                None => needs.push(*part),
            }
        }
        needs
    }
}

impl Begun {
    fn read(name: BlobHash, log: &Log) -> std::result::Result<Self, String> {
        let bytes = log.blob(&name).ok_or("the checkpoint is missing")?;
        let checkpoint = Checkpoint::decode(&bytes).map_err(|error| error.to_string())?;
        let mut nodes = BTreeMap::new();
        for file in &checkpoint.files {
            match &file.state {
                CutState::There(node) => drop(nodes.insert(file.file, node.clone())),
                CutState::Gone(part) if log.has_blob(part) => {
                    let node = log.blob(part).and_then(|bytes| CutNode::decode(&bytes).ok());
                    let is_whole = |node: &CutNode| node.blobs().all(|hash| log.has_blob(&hash));
                    node.filter(is_whole).into_iter().for_each(|node| drop(nodes.insert(file.file, node)));
                }
                CutState::Gone(_) => {}
            }
        }
        let keys = nodes.values().flat_map(|node| node.changes.iter().map(|change| change.key));
        let newest = keys.max().unwrap_or(StepKey { delta: DeltaKey::FIRST, step_idx: 0 });
        Ok(Self { name, checkpoint, nodes, newest })
    }

    /// Files whose text had been edited before.
    pub fn typed(&self) -> impl Iterator<Item = FileId> + '_ {
        self.nodes.iter().filter(|(_, node)| node.units.is_some()).map(|(file, _)| *file)
    }

    fn enter(&self, tree: &mut Tree) {
        self.nodes.iter().for_each(|(file, node)| enter(tree, *file, node));
        drop(tree.take_moved());
    }
}

fn enter(tree: &mut Tree, file: FileId, node: &CutNode) {
    for change in &node.changes {
        let author = TreeAuthor { log: change.key.delta.log, disk: change.is_disk };
        let at_ms = change.key.delta.hlc.wall_ms;
        if change.is_void {
            tree.apply_void(change.key, at_ms, author, file, &change.change);
        } else {
            tree.apply(change.key, at_ms, author, file, &change.change);
        }
    }
}

fn text_of(node: &CutNode, log: &Log) -> std::result::Result<TextDocument, String> {
    if let Some(hash) = &node.units {
        let bytes = log.blob(hash).ok_or_else(|| format!("blob {hash} is missing"))?;
        let units = TextUnits::decode(&bytes).map_err(|error| error.to_string())?;
        return TextDocument::from_units(&units).map_err(|error| error.to_string());
    }
    let mut text = TextDocument::new();
    for change in &node.changes {
        if let Change::Create { kind: FileKind::Text, content: Some(source), .. } = &change.change {
            let base = crate::documents::text_of_source(source, log)?;
            let DeltaKey { log, seq, .. } = change.key.delta;
            match change.is_void {
                true => text.integrate_base_void(log, seq, &base),
                false => text.integrate_base(log, seq, &base),
            }
        }
    }
    Ok(text)
}

impl Engine {
    /// This copy, in which nothing is yet, is to begin with a checkpoint that a peer will bring, and is told nothing of
    /// what was before. Durable at once; once it was said, saying it again changes nothing.
    pub fn begin_with(&mut self, checkpoint: BlobHash) -> Result<()> {
        if self.log.cut().is_some() || !self.log.heads().is_empty() {
            return Ok(());
        }
        self.log.promise_cut(checkpoint).map_err(api_error)?;
        self.load_cut()
    }

    /// Whether the beginning of this copy is yet to come.
    pub fn waits_for_beginning(&self) -> bool {
        matches!(self.others.beginning, Beginning::Waiting(_))
    }

    /// Name of what this copy begins with; none when it has all of the past.
    pub fn begins_with(&self) -> Option<BlobHash> {
        self.log.cut().map(|cut| cut.checkpoint)
    }

    /// Reads where this copy begins, first of all.
    pub(crate) fn load_cut(&mut self) -> Result<()> {
        let Some(cut) = self.log.cut() else { return Ok(()) };
        let name = cut.checkpoint;
        if cut.has_begun() {
            let begun = Begun::read(name, &self.log).map_err(|what| {
                let sentence = "What this copy of the workspace begins with can't be read.";
                ApiError::new(ErrorCode::Damaged, sentence).with_detail(what)
            })?;
            self.others.beginning = Beginning::Begun(Arc::new(begun));
        } else {
            let missing = BTreeSet::from([name]);
            self.others.beginning = Beginning::Waiting(Waiting { checkpoint: name, missing, is_bad: false });
            self.note_first(&name)?;
        }
        Ok(())
    }

    /// Puts what was there when the copy began into the tree, which is empty, and names the people.
    pub(crate) fn enter_cut(&mut self) {
        let Some(begun) = self.others.beginning.begun().cloned() else { return };
        self.project = begun.checkpoint.project;
        self.is_shared = true;
        begun.enter(&mut self.tree);
        for cut in &begun.checkpoint.logs {
            self.clock.observe(cut.hlc);
            if let Some(person) = &cut.person {
                self.authors.name(&cut.head.log, person, None);
            }
        }
    }

    /// Contents without which this copy cannot begin.
    pub(crate) fn needed_first(&self, n_max: usize) -> Vec<BlobHash> {
        match &self.others.beginning {
            Beginning::Waiting(waiting) if !waiting.is_bad => waiting.missing.iter().take(n_max).copied().collect(),
            _ => Vec::new(),
        }
    }

    /// A content came that the beginning may have waited for. Says whether all is here.
    pub(crate) fn note_first(&mut self, hash: &BlobHash) -> Result<bool> {
        let Beginning::Waiting(waiting) = &mut self.others.beginning else { return Ok(false) };
        if self.log.has_blob(hash) && waiting.missing.remove(hash) && *hash == waiting.checkpoint {
            match self.log.blob(hash).map(|bytes| Checkpoint::decode(&bytes)) {
                Some(Ok(checkpoint)) => {
                    let nodes = checkpoint.files.iter().filter_map(|file| match &file.state {
                        CutState::There(node) => Some(node),
                        CutState::Gone(_) => None,
                    });
                    waiting.missing.extend(nodes.flat_map(CutNode::blobs).filter(|hash| !self.log.has_blob(hash)));
                }
                other => {
                    tracing::error!(?other, "what this copy is to begin with is no checkpoint");
                    waiting.is_bad = true;
                    waiting.missing.insert(*hash);
                }
            }
        }
        Ok(waiting.missing.is_empty())
    }

    /// All that this copy begins with is here: it begins.
    pub(crate) fn begin(&mut self, now: Now) -> Result<Vec<Head>> {
        let Beginning::Waiting(waiting) = &self.others.beginning else { return Ok(Vec::new()) };
        let name = waiting.checkpoint;
        let damaged = |what: String| {
            let sentence = "What this copy of the workspace was to begin with can't be used.";
            ApiError::new(ErrorCode::Damaged, sentence).with_detail(what)
        };
        if self.log.n_deltas() > 0 {
            return Err(damaged("something else is here already".into()));
        }
        let begun = Begun::read(name, &self.log).map_err(damaged)?;
        for node in begun.nodes.values().filter(|node| node.units.is_some()) {
            text_of(node, &self.log).map_err(damaged)?;
        }
        if begun.checkpoint.project != self.project {
            return Err(damaged("it is of another workspace".into()));
        }
        let heads: Vec<Head> = begun.checkpoint.logs.iter().map(|cut| cut.head).collect();
        self.log.begin_cut(name, heads.iter().copied()).map_err(api_error)?;
        self.others.beginning = Beginning::Begun(Arc::new(begun));
        let before = std::mem::take(&mut self.tree);
        self.enter_cut();
        self.tell_tree_anew(&before, now);
        self.name_all_heads();
        self.digests.clear();
        if self.rights.is_some() {
            self.rights = None;
            self.uphold_rights(None)?;
        }
        self.events.push(Event::HistoryGrew { n_moments: 0, paths: Vec::new() });
        Ok(heads)
    }

    /// Files that were gone when the copy began, and that somebody names again, become known.
    pub(super) fn open_gone(&mut self, delta: &Delta) {
        let Beginning::Begun(begun) = &mut self.others.beginning else { return };
        for file in delta.files.iter().filter(|file| !begun.nodes.contains_key(*file)).collect::<Vec<_>>() {
            let Some(CutState::Gone(part)) = begun.checkpoint.file(file) else { continue };
            let Some(node) = self.log.blob(part).and_then(|bytes| CutNode::decode(&bytes).ok()) else { continue };
            enter(&mut self.tree, *file, &node);
            let begun = Arc::make_mut(begun);
            begun.newest = node.changes.iter().map(|change| change.key).fold(begun.newest, StepKey::max);
            begun.nodes.insert(*file, node);
        }
    }

    /// Somebody does not accept work that this copy began with. Here it can't be taken out again: its deltas are not
    /// here.
    pub(super) fn tell_if_beginning_is_in_doubt(&mut self, signed: &SignedDelta) {
        let Some(begun) = self.others.beginning.begun() else { return };
        let Some(Change::Access(step)) = signed.delta.steps.first().map(|step| &step.change) else { return };
        let is_lowering = matches!(step, AccessStep::Remove { .. } | AccessStep::ChangeRole { role: Role::Viewer, .. });
        let accepted = |log: &LogId| step.accepted().iter().find(|head| head.log == *log).map_or(0, |head| head.seq);
        let of_device = begun.checkpoint.logs.iter().filter(|cut| cut.head.log.device == step.device());
        if is_lowering && of_device.clone().any(|cut| accepted(&cut.head.log) < cut.head.seq) {
            let person = self.authors.person(&step.device());
            let title = format!("Your copy began with work of {person} that was not accepted.");
            let body =
                "It stays in your copy and is in nobody else’s. To have the same as they, ask to be let in again.";
            self.note(Notice { id: "MSG-CUT-1".into(), title, body: body.into(), ..Notice::default() });
        }
    }

    /// The tree as it was at a place of the canonical order, where some of what is before the cut may stand later.
    pub(crate) fn tree_since_cut(&self, key: &StepKey) -> Option<Tree> {
        let beginning = &self.others.beginning;
        let mut tree = beginning.tree()?;
        for event in self.tree.events().iter().filter(|event| event.key <= *key && !beginning.is_before(&event.key)) {
            if event.is_void {
                tree.apply_void(event.key, event.at_ms, event.author, event.file, &event.change);
            } else {
                tree.apply(event.key, event.at_ms, event.author, event.file, &event.change);
            }
        }
        drop(tree.take_moved());
        Some(tree)
    }
}

#[cfg(test)]
mod tests;
