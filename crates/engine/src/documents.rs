//! Open documents: text, history and undo of one file, loaded from the log when first needed.

use crate::foreign::{Aside, Forks, Trail, Translated, begin_text};
use crate::undo::{UndoStack, UndoStep};
use crate::workspace::Workspace;
use crate::{Engine, Result, api_error, not_found};
use codesync_api::{ApiError, ErrorCode};
use codesync_base::{
    Change, DeviceId, FileId, FileKind, Origin, RelPath, SignedDelta, Splice, StepKey, TextSource, TextStep,
};
use codesync_doc::{IntegrateError, Node, TextDocument};
use codesync_timeline::{FileTimeline, GroupKey, StepInfo};
use std::collections::BTreeMap;

/// Documents kept though no view shows them.
const DOCUMENTS_KEPT_MAX: usize = 24;
/// Steps that all of them have together, but for the one used last: a long history takes some 200 bytes a step.
const STEPS_KEPT_MAX: usize = 50_000;

pub(crate) struct Document {
    pub text: TextDocument,
    pub timeline: FileTimeline,
    pub undo: UndoStack,
    /// Steps that it had when its text was kept last; 0 when that is not known.
    pub n_kept: usize,
    /// The first step that belongs before others that the timeline has: from it on the timeline is not told yet.
    pub late: Option<StepKey>,
    /// The text before the last such step.
    pub trail: Option<Trail>,
    /// The newest step that this device took in from its folder.
    pub from_disk: Option<StepKey>,
    /// See [`merge_again`].
    pub has_lies: bool,
    used: u64,
}

#[derive(Default)]
pub(crate) struct Documents {
    by_file: BTreeMap<FileId, Document>,
    n_uses: u64,
}

impl Documents {
    pub fn get_mut(&mut self, file: &FileId) -> Option<&mut Document> {
        self.n_uses += 1;
        let document = self.by_file.get_mut(file)?;
        document.used = self.n_uses;
        Some(document)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&FileId, &Document)> {
        self.by_file.iter()
    }

    pub fn has(&self, file: &FileId) -> bool {
        self.by_file.contains_key(file)
    }

    pub fn insert(&mut self, file: FileId, document: Document) {
        self.by_file.insert(file, document);
    }

    pub fn take(&mut self, file: &FileId) -> Option<Document> {
        self.by_file.remove(file)
    }

    /// Frees what only makes the next late delta cheaper.
    pub fn drop_trails(&mut self) {
        self.by_file.values_mut().for_each(|document| document.trail = None);
    }

    /// Lets a document be read anew from the log.
    pub fn forget(&mut self, file: &FileId) {
        self.by_file.remove(file);
    }

    /// Drops the documents that were not used for longest, but for those that `is_needed`.
    pub fn evict(&mut self, is_needed: impl Fn(&FileId) -> bool) {
        let idle = self.by_file.iter().filter(|(file, _)| !is_needed(file));
        let mut idle: Vec<(u64, FileId, usize)> =
            idle.map(|(file, document)| (document.used, *file, document.timeline.n_steps())).collect();
        idle.sort_unstable();
        let mut n_steps = 0;
        for (n_newer, (_, file, n)) in idle.iter().rev().enumerate().skip(1) {
            n_steps += n;
            if n_newer >= DOCUMENTS_KEPT_MAX || n_steps > STEPS_KEPT_MAX {
                self.by_file.remove(file);
            }
        }
    }
}

impl Document {
    pub fn new(base: &str) -> Self {
        let timeline = FileTimeline::new(base);
        Self {
            text: TextDocument::new(),
            timeline,
            undo: UndoStack::default(),
            n_kept: 0,
            late: None,
            trail: None,
            from_disk: None,
            has_lies: false,
            used: 0,
        }
    }

    /// A document that begins with a text.
    pub fn of(text: TextDocument) -> Self {
        Self { timeline: FileTimeline::new(&text.to_string()), text, ..Self::new("") }
    }

    /// Takes note of where a step belongs whose text is merged already.
    pub fn note_place(&mut self, key: StepKey) {
        let is_late = self.timeline.last_key().is_some_and(|last| key < last);
        if is_late && self.late.is_none_or(|late| key < late) {
            self.late = Some(key);
        }
    }

    /// Takes note of what this device took in from its folder.
    pub fn note_from_disk(&mut self, info: &StepInfo, change: &Change, own: &DeviceId) {
        let is_ours = info.origin == Origin::Disk && info.key.delta.log.device == *own;
        if is_ours && matches!(change, Change::Text(_)) {
            self.from_disk = self.from_disk.max(Some(info.key));
        }
    }

    /// Enters what a step did, in order, unless the timeline waits to be told anew.
    pub fn enter(&mut self, info: &StepInfo, splice: &Splice) {
        if self.late.is_none() {
            self.timeline.push(info, splice);
        }
    }

    /// How many named ranges a deletion touches.
    pub fn n_ranges(&self, splice: &Splice) -> usize {
        match splice.deleted {
            0..=1 => splice.deleted as usize,
            _ => self.text.ranges_in(splice.position, splice.deleted).count(),
        }
    }

    /// For a deletion of more than `n_max` ranges, the units of its first `n_max`.
    pub fn first_part(&self, splice: &Splice, n_max: usize) -> Option<u32> {
        if (splice.deleted as usize) <= n_max || self.n_ranges(splice) <= n_max {
            return None;
        }
        // A cut between two runs never splits a surrogate pair: a pair is always inserted, and so named, as one.
        Some(self.text.ranges_in(splice.position, splice.deleted).take(n_max).sum())
    }
}

impl Engine {
    /// Loads a text file's document if it is not in memory.
    pub(crate) fn load_document(&mut self, file: FileId) -> Result<()> {
        if self.documents.get_mut(&file).is_some() {
            return Ok(());
        }
        // Steps that are still being collected would be missing from the log.
        self.settle();
        let mut document = Document::of(self.beginning_of(&file)?);
        let mut failure = None;
        // Where nearly everything is this file, the timeline comes out of the same reading.
        let has_no_names = self.workspace.as_ref().is_none_or(|workspace| workspace.is_brief);
        let is_most = has_no_names && 2 * self.log.n_steps_near(&file) >= self.log.n_steps();
        let mut workspace = is_most.then(Workspace::default);
        let (log, authors, own) = (&self.log, &mut self.authors, self.own);
        let reading = Reading { log, forks: &self.others.forks, aside: &self.others.aside };
        let mut take = |signed: &SignedDelta| {
            let delta = &signed.delta;
            let author = authors.index(&delta.log, delta.origin);
            if let Some(workspace) = workspace.as_mut().filter(|_| !reading.aside.has(signed)) {
                workspace.push(signed, author);
            }
            let group = GroupKey { log: delta.log, seq: delta.group };
            for (step_idx, step) in delta.steps.iter().enumerate().filter(|(_, step)| delta.file_of(step) == Some(file))
            {
                let info = StepInfo {
                    key: StepKey { delta: delta.key(signed.hash), step_idx: step_idx as u32 },
                    at_ms: step.at_ms,
                    author,
                    origin: delta.origin,
                    group,
                };
                if let Err(what) =
                    replay(&mut document, signed, &step.change, &info, &reading, delta.log.device == own.device)
                {
                    failure.get_or_insert(what);
                }
                document.note_from_disk(&info, &step.change, &own.device);
            }
        };
        let read = if is_most { log.for_each(&mut take) } else { log.for_each_of(&file, &mut take) };
        read.map_err(api_error)?;
        self.waiting.iter().for_each(|(signed, _)| take(signed));
        self.workspace = workspace.or(self.workspace.take());
        if let Some(what) = failure {
            return Err(
                ApiError::new(ErrorCode::Damaged, "Part of this file's history can't be read.").with_detail(what)
            );
        }
        self.documents.insert(file, document);
        self.settle_shown(file)
    }

    /// The text that a file has before the first step that is here: empty, but where this copy begins without the past.
    pub(crate) fn beginning_of(&self, file: &FileId) -> Result<TextDocument> {
        self.others.beginning.text(file, &self.log).map_err(|what| {
            let sentence = "What this file began with here can't be read.";
            ApiError::new(ErrorCode::Damaged, sentence).with_detail(what)
        })
    }

    /// Lets documents go that no view shows and nobody used lately.
    pub(crate) fn evict_documents(&mut self) {
        let views = &self.views;
        self.documents.evict(|file| views.values().any(|view| view.file == *file));
    }

    /// A document with its history up to date.
    pub(crate) fn document_mut(&mut self, file: FileId) -> Result<&mut Document> {
        if self.live_document(file)?.late.is_some() {
            self.retell(file)?;
        }
        self.live_document(file)
    }

    /// A document whose text is up to date, though its timeline may not be: for those who only type.
    pub(crate) fn live_document(&mut self, file: FileId) -> Result<&mut Document> {
        self.load_document(file)?;
        Ok(self.documents.get_mut(&file).expect("invariant: just loaded"))
    }

    /// The alive file or folder at a path.
    pub(crate) fn node_at(&self, path: &str) -> Result<&Node> {
        let parsed = parse_path(path)?;
        self.tree.by_path(&parsed).ok_or_else(|| not_found(path))
    }

    /// The alive text file at a path.
    pub(crate) fn text_file_at(&self, path: &str) -> Result<FileId> {
        let node = self.node_at(path)?;
        match node.kind {
            FileKind::Text => Ok(node.file),
            FileKind::Binary => {
                Err(ApiError::new(ErrorCode::NotText, format!("“{path}” isn't text. It is kept whole.")))
            }
            FileKind::Folder => Err(ApiError::new(ErrorCode::NotText, format!("“{path}” is a folder."))),
        }
    }

    /// A file by its present path, else the newest that ever had the path.
    pub(crate) fn file_ever_at(&self, path: &str) -> Result<FileId> {
        let parsed = parse_path(path)?;
        match self.tree.by_path(&parsed) {
            Some(node) => Ok(node.file),
            None => self.tree.past_path(&parsed).ok_or_else(|| not_found(path)),
        }
    }

    pub(crate) fn blob(&self, hash: &codesync_base::BlobHash) -> Result<Vec<u8>> {
        use codesync_base::BlobSource;
        self.log
            .blob(hash)
            .ok_or_else(|| ApiError::new(ErrorCode::Damaged, "Some kept content is missing.").with_detail(hash))
    }
}

/// Parses what a person or a client gave as a path; its refusal is a sentence.
pub(crate) fn parse_path(path: &str) -> Result<RelPath> {
    RelPath::parse(path.trim_end_matches('/')).map_err(|error| ApiError::new(ErrorCode::Invalid, error.to_string()))
}

/// Where the meaning of steps is read.
pub(crate) struct Reading<'a> {
    pub log: &'a codesync_log::Log,
    pub forks: &'a Forks,
    pub aside: &'a Aside,
}

impl Engine {
    pub(crate) fn reading(&self) -> Reading<'_> {
        Reading { log: &self.log, forks: &self.others.forks, aside: &self.others.aside }
    }
}

/// The text that a step brings in.
pub(crate) fn text_of_source(source: &TextSource, log: &codesync_log::Log) -> std::result::Result<String, String> {
    use codesync_base::BlobSource;
    match source {
        TextSource::Inline(text) => Ok(text.to_string()),
        TextSource::Blob { hash, .. } => {
            let bytes = log.blob(hash).ok_or_else(|| format!("blob {hash} is missing"))?;
            String::from_utf8(bytes).map_err(|error| error.to_string())
        }
    }
}

/// Merges a step that was taken in before. Read in order, one whose author lied about its neighbours may mean nothing;
/// then it means nothing to everybody, and neither does what names it (`has_lies`).
pub(crate) fn merge_again(
    text: &mut TextDocument,
    signed: &SignedDelta,
    step: &TextStep,
    reading: &Reading<'_>,
    has_lies: &mut bool,
) -> std::result::Result<Vec<Splice>, String> {
    let translated = reading.forks.translated(signed, step, text);
    let (delta, step) = match &translated {
        Translated::Same => (&signed.delta, step),
        Translated::Other(other) => (&other.0, &other.1),
        Translated::Nothing => {
            *has_lies = true;
            return Ok(Vec::new());
        }
    };
    *has_lies |= matches!(translated, Translated::Other(_));
    let merged = match reading.aside.has(signed) {
        true => text.integrate_void(delta, step, reading.log).map(|()| Vec::new()),
        false => text.integrate(delta, step, reading.log),
    };
    match merged {
        Err(IntegrateError::LeftAfterRight) => {
            *has_lies = true;
            Ok(Vec::new())
        }
        Err(IntegrateError::MissingBlob(hash) | IntegrateError::BadBlob(hash)) => {
            Err(format!("blob {hash} is missing"))
        }
        Err(_) if *has_lies => Ok(Vec::new()),
        done => done.map_err(|error| error.to_string()),
    }
}

pub(crate) fn replay(
    document: &mut Document,
    signed: &SignedDelta,
    change: &Change,
    info: &StepInfo,
    reading: &Reading<'_>,
    own: bool,
) -> std::result::Result<(), String> {
    match change {
        Change::Create { kind: FileKind::Text, content: Some(source), .. } => {
            let text = text_of_source(source, reading.log)?;
            document.timeline = FileTimeline::new(&begin_text(&mut document.text, signed, &text, reading));
        }
        Change::Text(step) => {
            let splices = merge_again(&mut document.text, signed, step, reading, &mut document.has_lies)?;
            for splice in &splices {
                document.timeline.push(info, splice);
                if own {
                    document.undo.note(&UndoStep::new(info, splice));
                } else {
                    document.undo.shift(splice);
                }
            }
        }
        _ => {}
    }
    Ok(())
}
