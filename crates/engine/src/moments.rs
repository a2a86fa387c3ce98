//! Moments: what people call them, where they lie in a timeline, and what the workspace was then.

use crate::foreign::is_before_merge;
use crate::workspace::Workspace;
use crate::{Engine, Now, Result, api_error, invalid};
use codesync_api::{ApiError, ErrorCode, Event, Moment, NamedMoment, Scope};
use codesync_base::{Change, FileId, LogId, Origin, StepKey, limits};
use codesync_doc::Tree;
use std::collections::BTreeSet;

/// So many that others named at once are told one by one.
const MARKS_TOLD_MAX: usize = 100;

/// A place between two steps of the canonical order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Beginning,
    /// This step and all before it have happened.
    After(StepKey),
    /// All that the author of this step's delta had seen has happened, and nothing else.
    Seen(StepKey),
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
    /// It only gives another name to the mark with this key.
    renames: Option<StepKey>,
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
                let mark = self.marks.iter().find(|mark| mark.key.delta.hash == *hash);
                Ok(match mark.filter(|mark| is_before_merge(&mark.name, mark.automatic)) {
                    Some(mark) => Cut::Seen(mark.cut),
                    None => key.map_or(Cut::Now, |delta| Cut::After(StepKey { delta, step_idx: u32::MAX })),
                })
            }
            [] => no_moment(format!("No moment has the id “{prefix}”.")),
            many => no_moment(format!("{} moments have ids that begin with “{prefix}”. Give more of it.", many.len())),
        }
    }

    fn cut_at_name(&mut self, name: &str) -> Result<Cut> {
        match self.marks.iter().rev().find(|mark| mark.name == name) {
            Some(mark) if is_before_merge(&mark.name, mark.automatic) => Ok(Cut::Seen(mark.cut)),
            Some(mark) => Ok(Cut::After(mark.cut)),
            None => Err(ApiError::new(ErrorCode::NotFound, format!("No moment is named “{name}”."))),
        }
    }

    pub(crate) fn moments(&mut self, scope: &Scope) -> Result<Vec<NamedMoment>> {
        self.settle();
        let view = self.outline_view(scope)?;
        let cuts: Vec<StepKey> = self.marks.iter().map(|mark| mark.cut).collect();
        let timeline = &self.outline_mut()?.timeline;
        let indices: Vec<usize> = cuts.iter().map(|cut| view.index_after(timeline, cut)).collect();
        let made = self.marks.iter().zip(indices).filter(|(mark, _)| mark.renames.is_none());
        let named = made.map(|(mark, index)| {
            let newest = self.marks.iter().rfind(|other| other.renames == Some(mark.key)).unwrap_or(mark);
            NamedMoment {
                delta_id: mark.key.delta.hash.to_string(),
                name: newest.name.clone(),
                note: newest.note.clone(),
                automatic: mark.automatic,
                at_ms: mark.at_ms,
                author: self.person_of(&mark.key.delta.log),
                index: index as u64,
            }
        });
        Ok(named.collect())
    }

    /// Takes note of a named moment, early or late.
    pub(crate) fn note_mark(&mut self, key: StepKey, at_ms: u64, change: &Change) {
        let Change::Moment { name, note, automatic, at } = change else { return };
        let place = self.marks.partition_point(|mark| mark.key < key);
        let (name, note) = (name.clone(), note.clone());
        // To name what one named oneself is to rename it.
        let own = |mark: &&Mark| Some(mark.key) == *at && mark.key.delta.log.device == key.delta.log.device;
        let (cut, renames) = match self.marks.iter().find(own) {
            Some(named) => (named.cut, Some(named.key)),
            None => (at.unwrap_or(key), None),
        };
        self.marks.insert(place, Mark { key, cut, at_ms, name, note, automatic: *automatic, renames });
        if key.delta.log != self.own {
            self.marks_of_others.push(renames.unwrap_or(key));
        }
    }

    /// Tells clients what others named, the newest of it where that is a whole history.
    pub(crate) fn tell_marks_of_others(&mut self) {
        let news = std::mem::take(&mut self.marks_of_others);
        if news.is_empty() {
            return;
        }
        let news: BTreeSet<String> =
            news.iter().rev().take(MARKS_TOLD_MAX).map(|key| key.delta.hash.to_string()).collect();
        match self.moments(&Scope::Workspace) {
            Ok(named) => {
                let told = named.into_iter().filter(|moment| news.contains(&moment.delta_id));
                self.events.extend(told.map(Event::MomentNamed));
            }
            // Whoever asks for the moments is told why.
            Err(error) => tracing::debug!(%error, "named moments could not be told"),
        }
    }

    /// Names the present or a past moment.
    pub(crate) fn name_moment(
        &mut self,
        name: &str,
        note: Option<String>,
        at: Option<&Moment>,
        now: Now,
    ) -> Result<()> {
        let name = checked_name(name, note.as_deref())?;
        let at = match at {
            None => None,
            Some(moment) => match self.resolve(moment, &Scope::Workspace, now)? {
                Cut::After(key) | Cut::Seen(key) => Some(self.exact_key(key)),
                Cut::Now => None,
                Cut::Beginning => return Err(invalid("Nothing had happened yet at that moment.")),
            },
        };
        self.add_moment(name, note, false, at, now)
    }

    /// Gives a moment another name. The log keeps the old one, as it keeps everything.
    pub(crate) fn rename_moment(&mut self, delta_id: &str, name: &str, note: Option<String>, now: Now) -> Result<()> {
        let name = checked_name(name, note.as_deref())?;
        let made = self.marks.iter().find(|mark| mark.renames.is_none() && mark.key.delta.hash.to_string() == delta_id);
        let Some(mark) = made else {
            return Err(ApiError::new(ErrorCode::NotFound, "This moment is not there any more."));
        };
        if mark.automatic {
            return Err(invalid("CodeSync made this moment by itself, and it keeps its name."));
        }
        if mark.key.delta.log.device != self.own.device {
            return Err(invalid("Only the person who named this moment can rename it."));
        }
        let key = mark.key;
        self.add_moment(name, note, false, Some(key), now)
    }

    /// ◇ made before something risky.
    pub(crate) fn automatic_moment(&mut self, name: &str, now: Now) -> Result<()> {
        self.add_moment(name, None, true, None, now)
    }

    /// The same with a remark.
    pub(crate) fn noted_moment(&mut self, name: &str, note: String, now: Now) -> Result<()> {
        let note = Some(note).filter(|note| note.len() <= limits::MOMENT_NAME_BYTES_MAX);
        self.add_moment(name, note, true, None, now)
    }

    /// The same for the moment of a step.
    pub(crate) fn automatic_moment_at(&mut self, name: &str, at: StepKey, now: Now) -> Result<()> {
        self.add_moment(name, None, true, Some(at), now)
    }

    /// What is remarked at the mark that was made by itself with the delta `seq` of a log.
    pub(crate) fn note_of_mark(&self, log: &LogId, seq: u32) -> Option<&str> {
        let made = |mark: &&Mark| mark.automatic && mark.key.delta.log == *log && mark.key.delta.seq == seq;
        self.marks.iter().rev().find(made)?.note.as_deref()
    }

    /// The marks that stand for what somebody had before a merge.
    pub(crate) fn marks_before_merge(&self) -> impl Iterator<Item = StepKey> {
        self.marks.iter().filter(|mark| is_before_merge(&mark.name, mark.automatic)).map(|mark| mark.key)
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
        let made = self.marks.last().map(|mark| mark.renames.unwrap_or(mark.key).delta.hash.to_string());
        let named = self.moments(&Scope::Workspace)?;
        if let Some(moment) = named.into_iter().rfind(|moment| Some(&moment.delta_id) == made.as_ref()) {
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
            Cut::Beginning => self.others.beginning.tree().unwrap_or_default(),
            // Late work may stand between steps that were before this copy began.
            Cut::After(key) if self.others.beginning.is_within(key) => {
                self.tree_since_cut(key).unwrap_or_else(|| self.tree.at(Some(*key)))
            }
            Cut::After(key) => self.tree.at(Some(*key)),
            // What cannot be read is told when the texts are.
            Cut::Seen(key) => self.tree_seen(key).unwrap_or_else(|_| self.tree.at(Some(*key))),
            Cut::Now => self.tree.clone(),
        }
    }

    /// Text of a file as of a cut, whether or not the file was there then.
    pub(crate) fn text_at_cut(&mut self, file: FileId, cut: &Cut) -> Result<String> {
        if *cut == Cut::Now {
            return Ok(self.present_text(file)?.0);
        }
        if let Cut::Seen(key) = cut {
            return self.text_seen(file, key);
        }
        let n = self.file_index_of(file, cut)?;
        Ok(self.document_mut(file)?.timeline.text_at(n).to_string())
    }

    /// How many steps of a file had happened.
    pub(crate) fn file_index_of(&mut self, file: FileId, cut: &Cut) -> Result<usize> {
        let document = self.document_mut(file)?;
        Ok(match cut {
            Cut::Beginning => 0,
            Cut::After(key) | Cut::Seen(key) => document.timeline.index_after(key),
            Cut::Now => document.timeline.n_steps(),
        })
    }

    /// Files whose text was edited after a cut.
    pub(crate) fn typed_since(&mut self, cut: &Cut) -> Result<BTreeSet<FileId>> {
        self.files_since(cut, Workspace::files_typed_from)
    }

    /// Files that anything happened to after a cut.
    pub(crate) fn changed_since(&mut self, cut: &Cut) -> Result<BTreeSet<FileId>> {
        self.files_since(cut, Workspace::files_from)
    }

    fn files_since(
        &mut self,
        cut: &Cut,
        from_step: fn(&Workspace, usize) -> BTreeSet<FileId>,
    ) -> Result<BTreeSet<FileId>> {
        let from = match cut {
            Cut::Beginning => 0,
            Cut::After(key) => self.workspace_mut()?.index_after(key),
            Cut::Seen(key) => return self.changed_unseen(key),
            Cut::Now => return Ok(BTreeSet::new()),
        };
        Ok(from_step(self.workspace_mut()?, from))
    }
}

fn checked_name<'a>(name: &'a str, note: Option<&str>) -> Result<&'a str> {
    let name = name.trim();
    let is_long = |text: &str| text.len() > limits::MOMENT_NAME_BYTES_MAX;
    if name.is_empty() || is_long(name) || note.is_some_and(is_long) {
        return Err(invalid("A moment needs a name of at most 1,024 bytes."));
    }
    Ok(name)
}
