//! Moments: what people call them, where they lie in a timeline, and what the workspace was then.

use crate::{Engine, Now, Result, api_error, invalid};
use codesync_api::{ApiError, ErrorCode, Event, Moment, NamedMoment, Scope};
use codesync_base::{Change, FileId, Origin, StepKey, limits};
use codesync_doc::Tree;
use std::collections::BTreeSet;

/// A place between two steps of the canonical order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Beginning,
    /// This step and all before it have happened.
    After(StepKey),
    Now,
}

/// A named moment.
pub(crate) struct Mark {
    key: StepKey,
    /// The moment that it names.
    cut: StepKey,
    at_ms: u64,
    name: String,
    note: Option<String>,
    automatic: bool,
}

impl Engine {
    /// Finds the moment that a person means.
    pub(crate) fn resolve(&mut self, moment: &Moment, scope: &Scope, now: Now) -> Result<Cut> {
        self.settle();
        match moment {
            Moment::Now => Ok(Cut::Now),
            Moment::Time(at_ms) => self.cut_at_time(*at_ms),
            Moment::Ago(ms) => self.cut_at_time(now.ms.saturating_sub(*ms)),
            Moment::Delta(prefix) => self.cut_at_delta(prefix),
            Moment::Name(name) => self.cut_at_name(name),
            Moment::Step(n) => self.cut_at_index(scope, *n),
            Moment::WorkspaceStep(n) => self.cut_at_index(&Scope::Workspace, *n),
        }
    }

    fn cut_at_time(&mut self, at_ms: u64) -> Result<Cut> {
        let n = self.workspace_mut()?.index_at_ms(at_ms);
        self.cut_at_index(&Scope::Workspace, n as u64)
    }

    fn cut_at_delta(&mut self, prefix: &str) -> Result<Cut> {
        let found = self.log.find_by_prefix(prefix);
        let no_moment = |sentence| Err(ApiError::new(ErrorCode::NotFound, sentence));
        match found.as_slice() {
            [hash] => {
                let signed = self.log.delta(hash).map_err(api_error)?;
                let key = signed.map(|signed| signed.delta.key(*hash));
                Ok(key.map_or(Cut::Now, |delta| Cut::After(StepKey { delta, step_idx: u32::MAX })))
            }
            [] => no_moment(format!("No moment has the id “{prefix}”.")),
            many => no_moment(format!("{} moments have ids that begin with “{prefix}”. Give more of it.", many.len())),
        }
    }

    fn cut_at_name(&mut self, name: &str) -> Result<Cut> {
        match self.marks.iter().rev().find(|mark| mark.name == name) {
            Some(mark) => Ok(Cut::After(mark.cut)),
            None => Err(ApiError::new(ErrorCode::NotFound, format!("No moment is named “{name}”."))),
        }
    }

    pub(crate) fn moments(&mut self, scope: &Scope) -> Result<Vec<NamedMoment>> {
        self.settle();
        let view = self.view(scope)?;
        let cuts: Vec<StepKey> = self.marks.iter().map(|mark| mark.cut).collect();
        let timeline = &self.workspace_mut()?.timeline;
        let indices: Vec<usize> = cuts.iter().map(|cut| view.index_after(timeline, cut)).collect();
        let named = self.marks.iter().zip(indices).map(|(mark, index)| NamedMoment {
            delta_id: mark.key.delta.hash.to_string(),
            name: mark.name.clone(),
            note: mark.note.clone(),
            automatic: mark.automatic,
            at_ms: mark.at_ms,
            author: self.person_of(&mark.key.delta.log),
            index: index as u64,
        });
        Ok(named.collect())
    }

    /// Takes note of a named moment, early or late.
    pub(crate) fn note_mark(&mut self, key: StepKey, at_ms: u64, change: &Change) {
        let Change::Moment { name, note, automatic, at } = change else { return };
        let place = self.marks.partition_point(|mark| mark.key < key);
        let (name, note) = (name.clone(), note.clone());
        self.marks.insert(place, Mark { key, cut: at.unwrap_or(key), at_ms, name, note, automatic: *automatic });
    }

    /// Names the present or a past moment.
    pub(crate) fn name_moment(
        &mut self,
        name: &str,
        note: Option<String>,
        at: Option<&Moment>,
        now: Now,
    ) -> Result<()> {
        let name = name.trim();
        let too_long = name.len() > limits::MOMENT_NAME_BYTES_MAX
            || note.as_ref().is_some_and(|note| note.len() > limits::MOMENT_NAME_BYTES_MAX);
        if name.is_empty() || too_long {
            return Err(invalid("A moment needs a name of at most 1,024 bytes."));
        }
        let at = match at {
            None => None,
            Some(moment) => match self.resolve(moment, &Scope::Workspace, now)? {
                Cut::After(key) => Some(self.exact_key(key)),
                Cut::Now => None,
                Cut::Beginning => return Err(invalid("Nothing had happened yet at that moment.")),
            },
        };
        self.add_moment(name, note, false, at, now)
    }

    /// ◇ made before something risky.
    pub(crate) fn automatic_moment(&mut self, name: &str, now: Now) -> Result<()> {
        self.add_moment(name, None, true, None, now)
    }

    fn add_moment(
        &mut self,
        name: &str,
        note: Option<String>,
        automatic: bool,
        at: Option<StepKey>,
        now: Now,
    ) -> Result<()> {
        let act = self.begin_act(Origin::Moment);
        self.mark_step(act, Change::Moment { name: name.to_owned(), note, automatic, at }, now);
        self.settle();
        if let Some(moment) = self.moments(&Scope::Workspace)?.pop() {
            self.events.push(Event::MomentNamed(moment));
        }
        Ok(())
    }

    /// A cut "after the whole delta" as a key that exists.
    fn exact_key(&self, key: StepKey) -> StepKey {
        match self.log.delta(&key.delta.hash) {
            Ok(Some(signed)) => StepKey { step_idx: key.step_idx.min(signed.delta.steps.len() as u32 - 1), ..key },
            _ => key,
        }
    }

    /// The tree as of a cut.
    pub(crate) fn tree_at(&self, cut: &Cut) -> Tree {
        match cut {
            Cut::Beginning => Tree::new(),
            Cut::After(key) => self.tree.at(Some(*key)),
            Cut::Now => self.tree.clone(),
        }
    }

    /// Text of a file as of a cut, whether or not the file was there then.
    pub(crate) fn text_at_cut(&mut self, file: FileId, cut: &Cut) -> Result<String> {
        if *cut == Cut::Now {
            return Ok(self.present_text(file)?.0);
        }
        let n = self.file_index_of(file, cut)?;
        Ok(self.document_mut(file)?.timeline.text_at(n).to_string())
    }

    /// How many steps of a file had happened.
    pub(crate) fn file_index_of(&mut self, file: FileId, cut: &Cut) -> Result<usize> {
        let document = self.document_mut(file)?;
        Ok(match cut {
            Cut::Beginning => 0,
            Cut::After(key) => document.timeline.index_after(key),
            Cut::Now => document.timeline.n_steps(),
        })
    }

    /// Files that anything happened to after a cut.
    pub(crate) fn changed_since(&mut self, cut: &Cut) -> Result<BTreeSet<FileId>> {
        let from = match cut {
            Cut::Beginning => 0,
            Cut::After(key) => self.workspace_mut()?.index_after(key),
            Cut::Now => return Ok(BTreeSet::new()),
        };
        Ok(self.workspace_mut()?.files_from(from))
    }
}
