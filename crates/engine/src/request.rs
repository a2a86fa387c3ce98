//! One door for all requests: what each command comes to.

use crate::{Engine, Now, Result, invalid, not_found};
use codesync_api::{
    API_VERSION, ApiError, ErrorCode, LineEnd, PastFile, Reply, Request, SaveKind, Scope, Status, VerifyReport,
};
use codesync_base::{Change, FileKind, FileMeta, Origin};
use codesync_fs::encoding;
use codesync_log::{Finding, Outcome};

/// Longer contents are not answered: they would have to be in memory as a whole, several times.
const SHOWN_BYTES_MAX: u64 = 64 << 20;

impl Engine {
    /// Handles a request of a client. Requests about files outside the engine (opening ignored files,
    /// importing from elsewhere, writing bundles) are the node's; it never passes them on.
    pub fn handle(&mut self, request: Request, now: Now) -> Result<Reply> {
        if self.is_store_failed() && changes_something(&request) {
            return Err(self.store_refusal());
        }
        if changes_something(&request) || matches!(request, Request::EditView { .. }) {
            self.may(codesync_auth::Act::Edit)?;
        }
        match request {
            Request::Status => self.status().map(Reply::Status),
            Request::Flush => {
                self.hurry_writes(now);
                Ok(Reply::Done)
            }
            Request::Verify { repair } => self.verify(repair).map(Reply::Verified),
            request => self.handle_files(request, now),
        }
    }

    fn handle_files(&mut self, request: Request, now: Now) -> Result<Reply> {
        match request {
            Request::ListFolder { path, at } => {
                Ok(Reply::Folder { entries: self.entries_at(&path, at.as_ref(), now)? })
            }
            Request::ListFiles { at } => {
                let tree = match at {
                    Some(moment) => {
                        let cut = self.resolve(&moment, &Scope::Workspace, now)?;
                        self.tree_at(&cut)
                    }
                    None => self.tree.clone(),
                };
                let mut paths: Vec<String> = tree
                    .alive()
                    .filter(|node| node.kind != FileKind::Folder)
                    .map(|node| node.path.to_string())
                    .collect();
                paths.sort_unstable();
                Ok(Reply::Files { paths })
            }
            Request::CreateFile { path, text } => self.create_file(&path, &text, now).map(|_| Reply::Done),
            Request::CreateFolder { path } => self.create_folder(&path, now).map(|()| Reply::Done),
            Request::Rename { from, to } => self.rename(&from, &to, now).map(|()| Reply::Done),
            Request::Delete { path } => {
                let group_id = self.delete(&path, now)?;
                Ok(Reply::Restored(codesync_api::Restored {
                    group_id: Some(group_id),
                    sentence: format!("Deleted {path}."),
                    n_files: 1,
                    paths: vec![path],
                }))
            }
            Request::Duplicate { path, to } => self.duplicate(&path, &to, now).map(|()| Reply::Done),
            Request::ListDeleted { limit } => Ok(Reply::Deleted { files: self.list_deleted(limit)? }),
            Request::Undelete { file_id } => {
                let path = self.undelete(&file_id, now)?;
                Ok(Reply::Files { paths: vec![path] })
            }
            request => self.handle_editing(request, now),
        }
    }

    fn handle_editing(&mut self, request: Request, now: Now) -> Result<Reply> {
        match request {
            Request::OpenView { path } => self.open_view(&path).map(Reply::View),
            Request::CloseView { view_id } => self.close_view(view_id).map(|()| Reply::Done),
            Request::EditView { view_id, edit } => self.edit_view(view_id, &edit, now).map(|()| Reply::Done),
            Request::ResyncView { view_id } => self.send_snapshot(view_id).map(|()| Reply::Done),
            Request::ResumeViews { views } => self.resume_views(&views).map(|()| Reply::Done),
            Request::Undo { view_id } => self.undo_in_view(view_id, Origin::Undo, now).map(Reply::Undone),
            Request::Redo { view_id } => self.undo_in_view(view_id, Origin::Redo, now).map(Reply::Undone),
            Request::UndoLast => self.undo_last(now).map(Reply::Undone),
            Request::UndoGroup { group_id } => self.undo_group(&group_id, now).map(Reply::Undone),
            Request::Save { path } => {
                self.save(path.as_deref(), now);
                Ok(Reply::Done)
            }
            Request::SetEncoding { path, encoding, byte_order_mark } => {
                self.set_encoding(&path, &encoding, byte_order_mark, now).map(|()| Reply::Done)
            }
            Request::SetLineEnd { path, line_end } => {
                let line_end = match line_end {
                    LineEnd::Lf => codesync_base::LineEnd::Lf,
                    LineEnd::CrLf => codesync_base::LineEnd::CrLf,
                };
                self.change_meta(&path, |meta| FileMeta { line_end, raw: None, ..meta }, now).map(|()| Reply::Done)
            }
            Request::ShowPlace { place } => {
                if !place.is_away {
                    self.note_here(now);
                }
                self.show_place(place, now);
                Ok(Reply::Done)
            }
            Request::Signal(signal) => self.signal(signal, now).map(|()| Reply::Done),
            Request::SendMessage { text, link } => self.send_message(&text, link.as_ref(), now).map(|()| Reply::Done),
            Request::ListMessages { before, limit } => {
                let (messages, has_more) = self.list_messages(before.as_deref(), limit)?;
                Ok(Reply::Messages { messages, has_more })
            }
            Request::WhileAway => Ok(Reply::Away { away: self.while_away()? }),
            Request::Merged { delta_id } => Ok(Reply::Merged { merged: self.merged_again(delta_id.as_deref(), now)? }),
            Request::Presences => Ok(Reply::Presences { presences: self.presences(now) }),
            Request::EditFile { path, edits } => {
                self.edit_file(&path, &edits, now).map(|n_applied| Reply::Edited { n_applied })
            }
            Request::ListUnwritten => Ok(Reply::Files { paths: self.unwritten_texts() }),
            Request::PresentText { path } => {
                let file = self.text_file_at(&path)?;
                let (text, _) = self.present_text(file)?;
                self.evict_documents();
                Ok(Reply::PresentText { text })
            }
            Request::ReplaceInFiles { group_id, keeps_moment, files } => {
                self.replace_in_files(group_id.as_deref(), keeps_moment, &files, now)
            }
            request => self.handle_history(request, now),
        }
    }

    fn handle_history(&mut self, request: Request, now: Now) -> Result<Reply> {
        match request {
            Request::Timeline { scope } => self.timeline_info(&scope).map(Reply::Timeline),
            Request::Histogram { scope, axis, from, to, n_buckets } => {
                Ok(Reply::Histogram { buckets: self.histogram(&scope, axis, from, to, n_buckets)? })
            }
            Request::MomentInfo { scope, index } => self.moment_info(&scope, index).map(Reply::Moment),
            Request::StepMoment { scope, index, unit, direction } => {
                let index = self.step_moment(&scope, index, unit, direction)?;
                self.moment_info(&scope, index).map(Reply::Moment)
            }
            Request::ResolveMoment { scope, moment } => {
                let cut = self.resolve(&moment, &scope, now)?;
                let index = self.index_of_cut(&scope, &cut)?;
                self.moment_info(&scope, index).map(Reply::Moment)
            }
            Request::TextAt { path, scope, index, have } => self.past_text(&path, &scope, index, have).map(Reply::Text),
            Request::FileAt { path, at } => self.past_file(&path, &at, now).map(Reply::File),
            Request::Compare { path, from, to } => {
                Ok(Reply::Compared { files: self.compare(path.as_deref(), &from, &to, now)? })
            }
            Request::Blame { path, at } => Ok(Reply::Blame { spans: self.blame(&path, at.as_ref(), now)? }),
            Request::FindInHistory { text, scope, limit } => {
                let (hits, truncated) = self.find_in_history(&text, &scope, limit)?;
                Ok(Reply::Found { hits, truncated })
            }
            Request::Log { query } => {
                let (records, next) = self.log_records(&query, now)?;
                Ok(Reply::Log { records, next })
            }
            Request::Moments { scope } => Ok(Reply::Moments { moments: self.moments(&scope)? }),
            Request::NameMoment { name, note, at } => {
                self.name_moment(&name, note, at.as_ref(), now)?;
                Ok(Reply::Done)
            }
            Request::RenameMoment { delta_id, name, note } => {
                self.rename_moment(&delta_id, &name, note, now)?;
                Ok(Reply::Done)
            }
            Request::ListBursts { scope, before, limit } => {
                Ok(Reply::Bursts { bursts: self.list_bursts(&scope, before, limit)? })
            }
            Request::RestorePreview { target, at } => self.restore_preview(&target, &at, now).map(Reply::Preview),
            Request::Restore { target, at } => self.restore(&target, &at, now).map(Reply::Restored),
            other => Err(invalid("This request is not for a workspace alone.").with_detail(format!("{other:?}"))),
        }
    }

    fn status(&mut self) -> Result<Status> {
        self.settle();
        let n_moments = self.count_moments();
        let name = self.profile.root.rsplit(['/', '\\']).next().unwrap_or(&self.profile.root).to_owned();
        Ok(Status {
            api_version: API_VERSION,
            app_version: env!("CARGO_PKG_VERSION").into(),
            root: self.profile.root.clone(),
            name,
            project_id: self.project.to_string(),
            device_id: self.own.device.to_string(),
            person: self.profile.person.clone(),
            n_files: self.tree.n_files() as u64,
            n_deltas: self.log.n_deltas(),
            n_moments,
            history_bytes: self.log.size_bytes(),
            save: self.save.clone(),
            n_ignored: self.n_ignored,
            refused: self
                .refused
                .iter()
                .map(|(path, reason)| codesync_api::RefusedPath { path: path.clone(), reason: reason.clone() })
                .collect(),
            notices: self.notices.clone(),
            waiting_for_save: self.paths_waiting_for_save(),
        })
    }

    /// Moments of the workspace, without building its timeline: every step but marks.
    pub(crate) fn count_moments(&self) -> u64 {
        let n_waiting: u64 = self.waiting.iter().map(|(signed, _)| signed.delta.steps.len() as u64).sum();
        (self.log.n_steps() + n_waiting).saturating_sub(self.marks.len() as u64 + self.n_sessions)
    }

    fn verify(&mut self, repair: bool) -> Result<VerifyReport> {
        self.close()?;
        let report = if repair { self.log.repair() } else { self.log.verify(&mut |_, _| {}) };
        let (healed, open): (Vec<_>, Vec<_>) = report
            .findings
            .iter()
            .partition(|finding| matches!(finding.outcome, Outcome::Healed | Outcome::Unfinished));
        let sentence = |finding: &&Finding| format!("{}: {}", finding.place, finding.what);
        let mut problems: Vec<String> = open.iter().map(sentence).collect();
        let files: Vec<_> = self
            .tree
            .alive()
            .filter(|node| node.kind == FileKind::Text)
            .map(|node| (node.file, node.path.clone()))
            .collect();
        for (file, path) in files {
            let checked = self
                .document_mut(file)
                .map_err(|error| error.message)
                .and_then(|document| document.text.check_against_yrs());
            if let Err(what) = checked {
                problems.push(format!("{path}: {what}"));
            }
            self.evict_documents();
        }
        Ok(VerifyReport {
            ok: problems.is_empty(),
            n_deltas: report.n_deltas,
            n_blobs: report.n_blobs,
            problems,
            repaired: std::mem::take(&mut self.healed).into_iter().chain(healed.iter().map(sentence)).collect(),
        })
    }

    fn set_encoding(&mut self, path: &str, label: &str, byte_order_mark: bool, now: Now) -> Result<()> {
        let known =
            encoding::known_label(label).ok_or_else(|| invalid(format!("“{label}” is not an encoding we know.")))?;
        self.change_meta(path, |meta| FileMeta { encoding: known.clone(), byte_order_mark, raw: None, ..meta }, now)
    }

    fn change_meta(&mut self, path: &str, change: impl FnOnce(FileMeta) -> FileMeta, now: Now) -> Result<()> {
        let file = self.text_file_at(path)?;
        let Some(meta) = self.tree.get(&file).map(|node| node.meta.clone()) else { return Err(not_found(path)) };
        let act = self.begin_act(Origin::FileAction);
        self.tree_step(act, file, Change::Meta { meta: change(meta) }, now);
        self.settle();
        self.note_unwritten(file, now);
        Ok(())
    }

    /// Edits without a view, in order up to the first that does not fit. Its refusal says in `detail` how many
    /// were applied: `applied N`.
    fn edit_file(&mut self, path: &str, edits: &[codesync_api::Splice], now: Now) -> Result<u64> {
        let file = match self.text_file_at(path) {
            Err(error) if error.code == ErrorCode::NotFound => self.create_file(path, "", now)?,
            other => other?,
        };
        let splices: Vec<_> =
            edits.iter().map(|edit| codesync_base::Splice::new(edit.0, edit.1, edit.2.as_str())).collect();
        let n_good = self.document_mut(file)?.n_applicable(&splices);
        let act = self.typing_act(Origin::CommandLine, file, now);
        self.text_steps(act, file, &splices[..n_good], now)?;
        self.tell_views(file, &splices[..n_good], codesync_api::PatchSource::Other, None)?;
        if n_good < splices.len() {
            let bad = &splices[n_good];
            let length = self.document_mut(file)?.text.len_utf16();
            let sentence = format!(
                "[{}, {}, …] does not fit: the text has {length} units there, or it would split a character.",
                bad.position, bad.deleted
            );
            return Err(invalid(sentence).with_detail(format!("applied {n_good}")));
        }
        Ok(n_good as u64)
    }

    /// A file exactly as it stood on disk at a moment.
    fn past_file(&mut self, path: &str, at: &codesync_api::Moment, now: Now) -> Result<PastFile> {
        let cut = self.resolve(at, &Scope::File(path.to_owned()), now)?;
        let tree = self.tree_at(&cut);
        let parsed = crate::documents::parse_path(path)?;
        let node = match tree.by_path(&parsed) {
            Some(node) => node,
            None => {
                let file = self.file_ever_at(path)?;
                tree.get(&file).filter(|node| node.alive).ok_or_else(|| {
                    ApiError::new(ErrorCode::NotFound, format!("“{path}” did not exist at that moment."))
                })?
            }
        };
        let (file, kind, meta, content, path) =
            (node.file, node.kind, node.meta.clone(), node.content, node.path.to_string());
        match kind {
            FileKind::Folder => Err(ApiError::new(ErrorCode::NotText, format!("“{path}” is a folder."))),
            FileKind::Binary if content.is_some_and(|(_, length_bytes)| length_bytes > SHOWN_BYTES_MAX) => {
                let sentence = format!("“{path}” is too large to be shown at a moment. It can be restored.");
                Err(ApiError::new(ErrorCode::NotText, sentence))
            }
            FileKind::Binary => {
                let bytes = content.map(|(hash, _)| self.blob(&hash)).transpose()?.unwrap_or_default();
                Ok(PastFile { path, text: None, bytes_base64: Some(base64(&bytes)) })
            }
            FileKind::Text => {
                let text = self.text_at_cut(file, &cut)?;
                let bytes = self.text_on_disk(&text, &meta)?;
                let bytes_base64 = (bytes != text.as_bytes()).then(|| base64(&bytes));
                Ok(PastFile { path, text: Some(text), bytes_base64 })
            }
        }
    }

    pub(crate) fn is_store_failed(&self) -> bool {
        matches!(self.save.kind, SaveKind::DiskFull | SaveKind::Failed | SaveKind::FolderGone)
    }

    /// Why nothing can be taken now.
    pub(crate) fn store_refusal(&self) -> ApiError {
        let code = match self.save.kind {
            SaveKind::DiskFull => ErrorCode::DiskFull,
            _ => ErrorCode::Io,
        };
        ApiError::new(code, self.save.message.clone().unwrap_or_default())
    }
}

/// Whether a request only asks: its answer holds though what others did cannot be made durable now.
pub fn only_asks(request: &Request) -> bool {
    matches!(
        request,
        Request::Status
            | Request::GetState { .. }
            | Request::PutState { .. }
            | Request::ReadSettings
            | Request::ListFolder { .. }
            | Request::ListFiles { .. }
            | Request::ListDeleted { .. }
            | Request::ListUnwritten
            | Request::PresentText { .. }
            | Request::OpenView { .. }
            | Request::CloseView { .. }
            | Request::ResyncView { .. }
            | Request::ResumeViews { .. }
            | Request::Timeline { .. }
            | Request::Histogram { .. }
            | Request::MomentInfo { .. }
            | Request::StepMoment { .. }
            | Request::ResolveMoment { .. }
            | Request::TextAt { .. }
            | Request::FileAt { .. }
            | Request::Compare { .. }
            | Request::Blame { .. }
            | Request::FindInHistory { .. }
            | Request::Moments { .. }
            | Request::ListBursts { .. }
            | Request::RestorePreview { .. }
            | Request::Together
            | Request::ShowPlace { .. }
            | Request::Signal(_)
            | Request::Presences
            | Request::ListMessages { .. }
            | Request::WhileAway
            | Request::Merged { .. }
    )
}

fn changes_something(request: &Request) -> bool {
    matches!(
        request,
        Request::CreateFile { .. }
            | Request::CreateFolder { .. }
            | Request::Rename { .. }
            | Request::Delete { .. }
            | Request::Duplicate { .. }
            | Request::Undelete { .. }
            | Request::Undo { .. }
            | Request::Redo { .. }
            | Request::UndoLast
            | Request::UndoGroup { .. }
            | Request::SetEncoding { .. }
            | Request::SetLineEnd { .. }
            | Request::EditFile { .. }
            | Request::ReplaceInFiles { .. }
            | Request::NameMoment { .. }
            | Request::RenameMoment { .. }
            | Request::Restore { .. }
    )
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

impl crate::documents::Document {
    /// How many of these edits, from the first on, fit the text as each finds it.
    pub(crate) fn n_applicable(&self, splices: &[codesync_base::Splice]) -> usize {
        let mut text = self.text.text().clone();
        splices.iter().position(|splice| codesync_doc::splice_rope(&mut text, splice).is_err()).unwrap_or(splices.len())
    }
}
