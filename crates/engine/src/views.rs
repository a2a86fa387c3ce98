//! The engine's half of the editor link: one revision counter a view, edits of the view transformed over
//! what was sent to it and not yet seen, others' edits sent as patches. The rules are written down in
//! `docs/architecture/editor-link.md`; the view's half is `ui/src/editor/link.ts`.

use crate::changeset::{Changeset, Left, transform};

use crate::{Engine, Now, Result, invalid};
use codesync_api::{
    ApiError, ErrorCode, Event, LineEnd, PatchSource, ReadOnlyReason, ResumedView, SaveKind, Splice as ApiSplice,
    ViewEdit, ViewOpened, ViewPatch, ViewSnapshot,
};
use codesync_base::{BlobHash, DeviceId, FileId, FileKind, Origin, RawContent, RelPath, Splice, utf16_len};
use codesync_doc::{Node, Rope};
use codesync_fs::{Content, WholeReason};
use std::collections::{BTreeSet, VecDeque};

/// A checksum of the text travels with every so many patches.
const CHECKSUM_EVERY: u64 = 16;
/// Patches kept for a view that never answers; beyond, it starts over from a snapshot.
const BRIDGE_MAX: usize = 4_096;
/// Deltas of what was typed before a window heard that the disk is full.
const ON_THEIR_WAY_MAX: usize = 64;

pub(crate) struct View {
    pub file: FileId,
    revision: u64,
    /// Patches that the view may not have seen when it sends its next edit, each with its revision and
    /// expressed on top of all edits of the view that are applied already.
    bridge: VecDeque<(u64, Changeset)>,
    acked_request_id: u64,
    /// Revision of the newest snapshot; an edit on anything older is sent again by the view.
    snapshot_revision: u64,
}

/// Path of a file, whether it is there, and its kind.
pub(crate) type Shown = (RelPath, bool, FileKind);

impl Engine {
    pub(crate) fn open_view(&mut self, path: &str) -> Result<ViewOpened> {
        self.settle();
        if let Some(opened) = self.look_at(path) {
            return Ok(opened);
        }
        let node = self.node_at(path)?;
        let (file, kind, meta) = (node.file, node.kind, node.meta.clone());
        let opened = ViewOpened {
            view_id: self.next_view_id,
            file_id: Some(file.to_string()),
            path: node.path.to_string(),
            revision: 0,
            text: String::new(),
            encoding: meta.encoding,
            byte_order_mark: meta.byte_order_mark,
            line_end: line_end_to_api(meta.line_end),
            mixed_line_ends: false,
            read_only: None,
            size_bytes: node.content.map_or(0, |(_, length)| length),
            n_moments: 0,
        };
        let opened = match kind {
            FileKind::Folder => return Err(ApiError::new(ErrorCode::NotText, format!("“{path}” is a folder."))),
            FileKind::Binary => ViewOpened { read_only: Some(self.whole_file_reason(file)), ..opened },
            FileKind::Text => {
                let (text, n_moments) = self.present_text(file)?;
                if self.documents.get_mut(&file).is_none() {
                    self.shown.insert(file, text.clone());
                }
                let mixed_line_ends = meta.raw.is_some_and(|raw| self.has_mixed_line_ends(&raw, &text));
                ViewOpened { size_bytes: text.len() as u64, n_moments, mixed_line_ends, text, ..opened }
            }
        };
        self.next_view_id += 1;
        self.views.insert(opened.view_id, View::of(file));
        Ok(opened)
    }

    /// A view that showed what was only looked at shows a file from now on.
    pub(crate) fn show_in(&mut self, view_id: u32, file: FileId) -> Result<()> {
        self.views.insert(view_id, View::of(file));
        self.send_snapshot(view_id)
    }

    /// Whoever looks at a file looks at another from now on; what they type meanwhile goes there.
    pub(crate) fn show_instead(&mut self, file: &FileId, other: FileId) -> Result<()> {
        let path = self.tree.get(&other).map(|node| node.path.to_string());
        let showing: Vec<u32> = self.views.iter().filter(|(_, view)| view.file == *file).map(|(id, _)| *id).collect();
        for view_id in showing {
            if let Some(view) = self.views.get_mut(&view_id) {
                view.file = other;
            }
            self.events.push(Event::ViewMoved { view_id, path: path.clone() });
            self.send_snapshot(view_id)?;
        }
        Ok(())
    }

    /// Whether the bytes that stand on disk for this text have both kinds of line ends.
    fn has_mixed_line_ends(&self, raw: &RawContent, text: &str) -> bool {
        if raw.text_hash != BlobHash::of(text.as_bytes()) {
            return false;
        }
        let bytes = self.blob(&raw.bytes).unwrap_or_default();
        let [mut lf, mut cr_lf, mut cr] = [false; 3];
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'\n' if at > 0 && bytes[at - 1] == b'\r' => cr_lf = true,
                b'\n' => lf = true,
                b'\r' if bytes.get(at + 1) != Some(&b'\n') => cr = true,
                // Two bytes a character: not to be read byte by byte.
                0 => return false,
                _ => {}
            }
        }
        [lf, cr_lf, cr].into_iter().filter(|is_there| *is_there).count() > 1
    }

    /// Why a file is kept whole: too large, or no text at all.
    fn whole_file_reason(&self, file: FileId) -> ReadOnlyReason {
        let content = self.tree.get(&file).and_then(|node| node.content);
        let is_too_large = content.is_some_and(|(hash, length)| {
            let has_too_many_lines = || {
                let bytes = self.blob(&hash).unwrap_or_default();
                matches!(codesync_fs::read_text(&bytes), Content::Binary { reason: WholeReason::TooManyLines })
            };
            length > codesync_base::limits::TEXT_FILE_BYTES_MAX || has_too_many_lines()
        });
        if is_too_large { ReadOnlyReason::TooLarge } else { ReadOnlyReason::Binary }
    }

    /// Views that a client had in a process that ended, gone on with under their numbers.
    pub(crate) fn resume_views(&mut self, views: &[ResumedView]) -> Result<()> {
        self.settle();
        for resumed in views {
            let view_id = resumed.view_id;
            let node = self.node_at(&resumed.path).ok().filter(|node| node.kind == FileKind::Text);
            let Some(file) = node.map(|node| node.file) else {
                self.events.push(Event::ViewMoved { view_id, path: None });
                continue;
            };
            let (revision, acked_request_id) = (resumed.revision, resumed.acked_request_id);
            let view = View { file, revision, bridge: VecDeque::new(), acked_request_id, snapshot_revision: revision };
            self.views.insert(view_id, view);
            self.send_snapshot(view_id)?;
        }
        // What happened between the two processes nobody has told.
        self.tell_all_anew();
        Ok(())
    }

    /// Goes on with the views of another engine, under their numbers.
    pub(crate) fn succeed_views(&mut self, other: &Self) {
        for (view_id, known) in &other.views {
            let (view_id, file) = (*view_id, known.file);
            let place =
                |engine: &Self| engine.tree.get(&file).filter(|node| node.alive).map(|node| node.path.to_string());
            let path = place(self);
            if path != place(other) {
                self.events.push(Event::ViewMoved { view_id, path });
            }
            let Some(kind) = self.tree.get(&file).map(|node| node.kind) else { continue };
            let (revision, acked_request_id) = (known.revision, known.acked_request_id);
            let view = View { file, revision, bridge: VecDeque::new(), acked_request_id, snapshot_revision: revision };
            self.views.insert(view_id, view);
            if kind == FileKind::Text
                && let Err(error) = self.send_snapshot(view_id)
            {
                tracing::warn!(%error, "a view cannot go on with what was taken in");
            }
        }
        self.tell_all_anew();
    }

    fn tell_all_anew(&mut self) {
        let mut folders: BTreeSet<String> = [String::new()].into();
        let parents = self.tree.alive().filter_map(|node| node.path.parent());
        folders.extend(parents.map(|parent| parent.to_string()));
        self.events.push(Event::TreeChanged { folders: folders.into_iter().collect() });
        self.events.push(Event::HistoryGrew { n_moments: self.count_moments(), paths: Vec::new() });
        self.events.push(Event::SaveState(self.save.clone()));
        self.has_waiting_changed = true;
    }

    pub(crate) fn close_view(&mut self, view_id: u32) -> Result<()> {
        let was_open = self.look_away(view_id) || self.views.remove(&view_id).is_some();
        if was_open { Ok(()) } else { Err(no_view(view_id)) }
    }

    /// Applies what was typed in a view. What does not fit is refused whole and answered by a snapshot.
    pub(crate) fn edit_view(&mut self, view_id: u32, edit: &ViewEdit, now: Now) -> Result<()> {
        // What was on its way when the disk became full waits with what came before it, and moves with it to another disk.
        let is_on_its_way = self.save.kind == SaveKind::DiskFull && self.waiting.len() < ON_THEIR_WAY_MAX;
        if self.is_store_failed() && !is_on_its_way {
            self.send_snapshot(view_id)?;
            return Err(self.store_refusal());
        }
        let view = self.views.get_mut(&view_id).ok_or_else(|| no_view(view_id))?;
        if edit.request_id <= view.acked_request_id || edit.base_revision < view.snapshot_revision {
            return Ok(());
        }
        let in_order = edit.request_id == view.acked_request_id + 1 && edit.base_revision <= view.revision;
        if !in_order {
            self.send_snapshot(view_id)?;
            return Ok(());
        }
        let incoming: Vec<Splice> = edit.splices.iter().map(from_api).collect();
        let file = view.file;
        if let Some(node) = self.tree.get(&file).filter(|node| node.kind != FileKind::Text) {
            return Err(ApiError::new(ErrorCode::NotText, format!("“{}” isn't text any more.", node.path)));
        }
        let splices = view.receive(edit.base_revision, &incoming, Left::of_view(edit.stays_left));
        let request_id = edit.request_id;
        let document = self.live_document(file)?;
        if !fits(&splices, document.text.len_utf16()) || document.n_applicable(&splices) < splices.len() {
            self.send_snapshot(view_id)?;
            return Err(invalid("An edit did not fit the text, so the text was sent anew."));
        }
        if !splices.is_empty() {
            let act = self.typing_act(Origin::Typing, file, now);
            if let Err(error) = self.text_steps(act, file, &splices, now) {
                self.send_snapshot(view_id)?;
                return Err(error);
            }
        }
        self.acknowledge(view_id, request_id);
        self.tell_views(file, &splices, PatchSource::Other, Some(view_id))
    }

    fn acknowledge(&mut self, view_id: u32, request_id: u64) {
        if let Some(view) = self.views.get_mut(&view_id) {
            view.revision += 1;
            view.acked_request_id = request_id;
            self.events.push(Event::ViewAck { view_id, request_id, revision: view.revision });
        }
    }

    /// Sends edits of a document to the views that did not make them.
    pub(crate) fn tell_views(
        &mut self,
        file: FileId,
        splices: &[Splice],
        source: PatchSource,
        except: Option<u32>,
    ) -> Result<()> {
        self.tell_views_of(file, splices, source, None, except)
    }

    /// The same for edits of another device.
    pub(crate) fn tell_views_of(
        &mut self,
        file: FileId,
        splices: &[Splice],
        source: PatchSource,
        device: Option<DeviceId>,
        except: Option<u32>,
    ) -> Result<()> {
        if splices.is_empty() {
            return Ok(());
        }
        let showing: Vec<u32> = self
            .views
            .iter()
            .filter(|(id, view)| view.file == file && Some(**id) != except)
            .map(|(id, _)| *id)
            .collect();
        if showing.is_empty() {
            return Ok(());
        }
        let set = Changeset::of_splices(splices);
        let text = self.live_document(file)?.text.text().clone();
        let mut checksum = None;
        for view_id in showing {
            let view = self.views.get_mut(&view_id).ok_or_else(|| no_view(view_id))?;
            view.revision += 1;
            view.bridge.push_back((view.revision, set.clone()));
            if view.bridge.len() > BRIDGE_MAX {
                self.send_snapshot(view_id)?;
                continue;
            }
            let is_due = view.revision.is_multiple_of(CHECKSUM_EVERY);
            let checksum = is_due.then(|| *checksum.get_or_insert_with(|| checksum_of(&text)));
            self.events.push(Event::ViewPatch(ViewPatch {
                view_id,
                revision: view.revision,
                splices: splices.iter().map(to_api).collect(),
                source,
                device: device.map(|device| device.to_string()),
                checksum,
            }));
        }
        Ok(())
    }

    /// Lets a view start over from the text as it is.
    pub(crate) fn send_snapshot(&mut self, view_id: u32) -> Result<()> {
        let file = self.views.get(&view_id).ok_or_else(|| no_view(view_id))?.file;
        let text = self.live_document(file)?.text.to_string();
        let view = self.views.get_mut(&view_id).ok_or_else(|| no_view(view_id))?;
        view.revision += 1;
        view.bridge.clear();
        view.snapshot_revision = view.revision;
        let (revision, acked_request_id) = (view.revision, view.acked_request_id);
        self.events.push(Event::ViewSnapshot(ViewSnapshot { view_id, revision, text, acked_request_id }));
        Ok(())
    }

    /// The file that a view shows.
    pub(crate) fn file_of_view(&self, view_id: u32) -> Result<FileId> {
        self.views.get(&view_id).map(|view| view.file).ok_or_else(|| no_view(view_id))
    }

    /// Tells explorers and views that a file came, went, moved, or is a text or none from now on.
    pub(crate) fn tell_tree_change(&mut self, file: FileId, before: Option<Shown>) {
        let after = self.tree.get(&file).map(shown);
        let folder = |path: &RelPath| path.parent().map_or(String::new(), |parent| parent.to_string());
        let mut folders: Vec<String> = before.iter().chain(&after).map(|(path, ..)| folder(path)).collect();
        folders.dedup();
        match self.events.last_mut() {
            // Many files of one act: one event.
            Some(Event::TreeChanged { folders: known }) => {
                folders.retain(|folder| !known.contains(folder));
                known.extend(folders);
            }
            _ => self.events.push(Event::TreeChanged { folders }),
        }
        // A view of a text shows nothing of a file that is none: it is opened anew.
        let is_other_kind = |kind: FileKind| before.as_ref().is_some_and(|(.., before)| *before != kind);
        let shown = after.as_ref().filter(|(_, alive, kind)| *alive && !is_other_kind(*kind));
        let path = shown.map(|(path, ..)| path.to_string());
        let showing: Vec<u32> = self.views.iter().filter(|(_, view)| view.file == file).map(|(id, _)| *id).collect();
        if before != after {
            self.events.extend(showing.into_iter().map(|view_id| Event::ViewMoved { view_id, path: path.clone() }));
        }
        if let Some((path, ..)) = after {
            self.grown.insert(path.to_string());
        }
    }
}

/// What explorers and views show of a file.
pub(crate) fn shown(node: &Node) -> Shown {
    (node.path.clone(), node.alive, node.kind)
}

impl View {
    fn of(file: FileId) -> Self {
        Self { file, revision: 0, bridge: VecDeque::new(), acked_request_id: 0, snapshot_revision: 0 }
    }

    #[cfg(test)]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// An edit of the view, made on `base_revision`, as it applies to the document now.
    fn receive(&mut self, base_revision: u64, incoming: &[Splice], at_ties: Left) -> Vec<Splice> {
        while self.bridge.front().is_some_and(|(revision, _)| *revision <= base_revision) {
            self.bridge.pop_front();
        }
        if self.bridge.is_empty() {
            return incoming.to_vec();
        }
        let mut edit = Changeset::of_splices(incoming);
        for (_, patch) in &mut self.bridge {
            let (patch_after, edit_after) = transform(patch, &edit, at_ties);
            *patch = patch_after;
            edit = edit_after;
        }
        edit.splices()
    }
}

fn checksum_of(text: &Rope) -> u32 {
    text.chunks().fold(0, |checksum, chunk| crc32c::crc32c_append(checksum, chunk.as_bytes()))
}

fn fits(splices: &[Splice], length: u32) -> bool {
    let mut length = u64::from(length);
    splices.iter().all(|splice| {
        let end = u64::from(splice.position) + u64::from(splice.deleted);
        let fits = end <= length;
        length = (length + u64::from(utf16_len(&splice.inserted))).saturating_sub(u64::from(splice.deleted));
        fits && length <= u64::from(u32::MAX / 2)
    })
}

pub(crate) fn from_api(splice: &ApiSplice) -> Splice {
    Splice::new(splice.0, splice.1, with_line_feeds(&splice.2))
}

/// Documents are LF always; the file's own line end is applied when it is written.
pub(crate) fn with_line_feeds(text: &str) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() }
}

pub(crate) fn to_api(splice: &Splice) -> ApiSplice {
    ApiSplice(splice.position, splice.deleted, splice.inserted.to_string())
}

pub(crate) fn line_end_to_api(line_end: codesync_base::LineEnd) -> LineEnd {
    match line_end {
        codesync_base::LineEnd::Lf => LineEnd::Lf,
        codesync_base::LineEnd::CrLf => LineEnd::CrLf,
    }
}

fn no_view(view_id: u32) -> ApiError {
    ApiError::new(ErrorCode::NotFound, format!("View {view_id} is closed."))
}
