//! What people say to each other: messages as deltas of the log, listed page by page. What a message points at is told
//! as it is now. Never part of a text, and no change of the workspace.

use crate::presence::{line_at, start_of};
use crate::{Engine, Now, Result, api_error, invalid};
use codesync_api::{ApiError, ChatLink, ChatMessage, ErrorCode, Event, Scope};
use codesync_base::{Change, Chat, FileKind, Origin, Pointer, StepKey, UnitName, limits};
use std::collections::BTreeSet;

/// Messages on one page.
const PAGE_MAX: usize = 200;
/// Messages that are told one by one when many come at once; the others stand in the list.
const TOLD_MAX: usize = 20;

#[derive(Default)]
pub(crate) struct Talk {
    /// All messages, in canonical order.
    messages: BTreeSet<StepKey>,
    /// Those that nobody was told of.
    fresh: Vec<StepKey>,
}

impl Talk {
    pub fn note(&mut self, key: StepKey) {
        if self.messages.insert(key) {
            self.fresh.push(key);
        }
    }

    /// What is known so far is no news.
    pub fn settle(&mut self) {
        self.fresh.clear();
    }

    /// It was read anew from the log: what was told before is not told again.
    pub fn follow(&mut self, before: Self) {
        self.fresh = before.fresh.into_iter().filter(|key| self.messages.contains(key)).collect();
    }
}

impl Engine {
    /// Says something to all who take part.
    pub(crate) fn send_message(&mut self, text: &str, link: Option<&ChatLink>, now: Now) -> Result<()> {
        self.may(codesync_auth::Act::Speak)?;
        let text = text.trim();
        if text.is_empty() {
            return Err(invalid("There is nothing to send yet."));
        }
        if text.len() > limits::CHAT_BYTES_MAX {
            return Err(invalid("This message is too long: at most 8,192 bytes. Put it into a file and link that."));
        }
        let points_at = link.map(|link| self.pointer(link)).transpose()?;
        let act = self.begin_act(Origin::Session);
        self.mark_step(act, Change::Chat(Chat { text: text.to_owned(), points_at }), now);
        self.settle();
        self.tell_messages();
        Ok(())
    }

    /// Messages before one, or the newest, oldest first; and whether there are older ones.
    pub(crate) fn list_messages(&mut self, before: Option<&str>, limit: u32) -> Result<(Vec<ChatMessage>, bool)> {
        self.settle();
        let n = (limit as usize).clamp(1, PAGE_MAX);
        let newest_first = self.talk.messages.iter().rev();
        let mut keys: Vec<StepKey> = match before {
            None => newest_first.take(n + 1).copied().collect(),
            Some(id) => {
                let is_later = |key: &&StepKey| key.delta.hash.to_string() != id;
                newest_first.skip_while(is_later).skip(1).take(n + 1).copied().collect()
            }
        };
        let has_more = keys.len() > n;
        keys.truncate(n);
        let mut messages = Vec::with_capacity(keys.len());
        for key in keys.iter().rev() {
            messages.extend(self.message(key, true)?);
        }
        Ok((messages, has_more))
    }

    /// Tells what was said since the last time.
    pub(crate) fn tell_messages(&mut self) {
        let mut fresh = std::mem::take(&mut self.talk.fresh);
        fresh.sort_unstable();
        let n_old = fresh.len().saturating_sub(TOLD_MAX);
        for key in &fresh[n_old..] {
            match self.message(key, false) {
                Ok(message) => self.events.extend(message.map(Event::Message)),
                Err(error) => tracing::warn!(%error, "a message cannot be read"),
            }
        }
    }

    /// A message as it is shown. With `exact`, texts are read for it.
    fn message(&mut self, key: &StepKey, exact: bool) -> Result<Option<ChatMessage>> {
        let waiting = self.waiting.iter().find(|(signed, _)| signed.hash == key.delta.hash);
        let step_of = |signed: &codesync_base::SignedDelta| signed.delta.steps.get(key.step_idx as usize).cloned();
        let step = match waiting {
            Some((signed, _)) => step_of(signed),
            None => self.log.delta(&key.delta.hash).map_err(api_error)?.and_then(|signed| step_of(&signed)),
        };
        let Some((Change::Chat(chat), at_ms)) = step.map(|step| (step.change, step.at_ms)) else { return Ok(None) };
        let link = match &chat.points_at {
            Some(pointer) => self.link_of(pointer, exact)?,
            None => None,
        };
        let device = key.delta.log.device;
        let author = self.authors.index(&key.delta.log, Origin::Session);
        let author = self.author(author);
        Ok(Some(ChatMessage {
            delta_id: key.delta.hash.to_string(),
            device: device.to_string(),
            person: author.name,
            color: author.color.unwrap_or_default(),
            is_self: device == self.own.device,
            at_ms,
            text: chat.text,
            link,
        }))
    }

    fn pointer(&mut self, link: &ChatLink) -> Result<Pointer> {
        match link {
            ChatLink::Code { path, line } => {
                let node = self.node_at(path)?;
                let (file, kind, line) = (node.file, node.kind, (*line).max(1));
                if kind != FileKind::Text {
                    return Ok(Pointer::Line { file, unit: None, line });
                }
                let document = self.live_document(file)?;
                let start = start_of(document.text.text(), line);
                let unit = document.text.name_at(start);
                let unit = unit.map(|(log, seq, offset)| UnitName { log, seq, offset });
                Ok(Pointer::Line { file, unit, line })
            }
            ChatLink::Moment { workspace_index, .. } => {
                let view = self.view(&Scope::Workspace)?;
                let entry = view.entry_of((*workspace_index).min(view.n_moments() as u64) as usize);
                let entry = entry.ok_or_else(|| invalid("Nothing had happened yet at that moment."))?;
                Ok(Pointer::Moment(self.workspace_mut()?.timeline.entry(entry).info.key))
            }
        }
    }

    /// What is pointed at, as it is now; none when it is not known here.
    fn link_of(&mut self, pointer: &Pointer, exact: bool) -> Result<Option<ChatLink>> {
        match pointer {
            Pointer::Line { file, unit, line } => {
                let Some(node) = self.tree.get(file) else { return Ok(None) };
                let (path, is_text) = (node.path.to_string(), node.kind == FileKind::Text);
                let line = match unit.filter(|_| is_text) {
                    Some(unit) => self.line_of(file, &unit, exact)?.unwrap_or(*line),
                    None => *line,
                };
                Ok(Some(ChatLink::Code { path, line: line.max(1) }))
            }
            Pointer::Moment(key) => {
                let view = self.outline_view(&Scope::Workspace)?;
                let timeline = &self.outline_mut()?.timeline;
                let index = view.index_after(timeline, key);
                let at_ms = view.entry_of(index).map(|entry| timeline.entry(entry).info.at_ms);
                Ok(at_ms.map(|at_ms| ChatLink::Moment { at_ms, workspace_index: index as u64 }))
            }
        }
    }

    fn line_of(&mut self, file: &codesync_base::FileId, unit: &UnitName, exact: bool) -> Result<Option<u32>> {
        if exact {
            match self.live_document(*file) {
                // A message stays readable though the file it points at is not.
                Err(ApiError { code: ErrorCode::Damaged, .. }) => return Ok(None),
                loaded => drop(loaded?),
            }
        }
        let Some(document) = self.documents.get_mut(file) else { return Ok(None) };
        let place = document.text.places_of(&[(unit.log, unit.seq, unit.offset)]);
        Ok(place[0].map(|(position, _)| line_at(document.text.text(), position)))
    }
}

#[cfg(test)]
mod tests;
