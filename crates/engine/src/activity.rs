//! What happened, in sentences for the activity list: one for each act that is news by itself. Typing has none.

use crate::Engine;
use codesync_api::LogRecord;
use codesync_base::{AccessStep, Change, DeviceId, Role, StepKey};
use codesync_timeline::GroupKey;
use std::collections::BTreeMap;

/// Changes of who may take part, in canonical order, by whom they are about: what they left a device with.
pub(crate) type RightsTold = BTreeMap<StepKey, (DeviceId, Option<Role>)>;

impl Engine {
    /// Word and sentence for a change of rights.
    pub(crate) fn rights_told(&self, key: &StepKey, step: &AccessStep) -> (&'static str, String) {
        let device = step.device();
        let by = self.person_of(&key.delta.log);
        let person = match step {
            AccessStep::Grant { person, .. } => self.person_at(&device).unwrap_or(person).to_owned(),
            _ => self.authors.person(&device),
        };
        let before = self.rights_told.range(..*key).rev().find(|(_, (about, _))| *about == device);
        let had_role = before.and_then(|(_, (_, role))| *role);
        match step {
            AccessStep::Grant { role, .. } if had_role.is_none() => {
                ("joined", format!("{person} joined as {}.", role_word(*role)))
            }
            AccessStep::Grant { role, .. } | AccessStep::ChangeRole { role, .. } => {
                let article = if *role == Role::Viewer { "a" } else { "an" };
                ("role", format!("{by} made {person} {article} {}.", role_word(*role)))
            }
            AccessStep::Remove { .. } if key.delta.log.device == device => ("left", format!("{person} left.")),
            AccessStep::Remove { .. } => ("removed", format!("{by} removed {person}.")),
        }
    }

    /// What a whole act that began with `first` comes to in a sentence; none when it is no news by itself.
    pub(crate) fn sentence_of(&self, record: &LogRecord, group: &GroupKey, first: Option<&Change>) -> Option<String> {
        let person = &record.user_id;
        let n_files = record.n_files.unwrap_or_default();
        let what = match &record.path {
            Some(path) if n_files == 1 => path.clone(),
            _ => format!("{n_files} files"),
        };
        // The path that it had then.
        let then = record.detail.as_deref().filter(|_| n_files == 1);
        match record.kind.as_str() {
            "restore" => Some(self.restore_sentence(person, group, &what)),
            "replace" => Some(format!("{person} replaced text in {what}.")),
            "disk" => Some(format!("Disk changed {what}.")),
            "import" => Some(format!("{what} came from the folder.")),
            "create" => Some(format!("{person} created {}.", then.unwrap_or(&what))),
            "delete" => Some(format!("{person} deleted {what}.")),
            "undelete" => Some(format!("{person} brought back {}.", then.unwrap_or(&what))),
            "rename" => match (&record.detail, first) {
                (Some(old), Some(Change::Move { path })) if n_files == 1 => {
                    Some(format!("{person} renamed {old} to {path}."))
                }
                _ => Some(format!("{person} moved {what}.")),
            },
            "merge" => {
                let Some(Change::Moment { note, .. }) = first else { return None };
                Some(match note {
                    Some(apart) => format!("{person} merged {apart}."),
                    None => format!("{person} merged work done apart."),
                })
            }
            "moment" => match first {
                Some(Change::Moment { name, automatic: false, .. }) => {
                    Some(format!("{person} named a moment “{name}”."))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// "Bo restored lexer.rs to 14:32:07.", as far as the mark before it says.
    pub(crate) fn restore_sentence(&self, person: &str, group: &GroupKey, what: &str) -> String {
        let before = group.seq.checked_sub(1).and_then(|seq| self.note_of_mark(&group.log, seq));
        format!("{person} restored {}.", before.unwrap_or(what))
    }
}

/// The folder that was renamed, and its new name, when a file in it went from one path to another. Several files move in
/// one act only with their folder.
pub(crate) fn moved_folder(old: &str, new: &str) -> Option<(String, String)> {
    let mut rests = (old, new);
    while let (Some((old_rest, old_name)), Some((new_rest, new_name))) =
        (rests.0.rsplit_once('/'), rests.1.rsplit_once('/'))
        && old_name == new_name
    {
        rests = (old_rest, new_rest);
    }
    // Where the names end alike to the first one, the folder went into another or came out of it.
    let is_renamed = rests.0 != old && rests.0 != rests.1 && last_name(rests.0) != last_name(rests.1);
    is_renamed.then(|| (rests.0.to_owned(), rests.1.to_owned()))
}

fn last_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// "3 h 12 min", "45 s".
pub(crate) fn duration(ms: u64) -> String {
    let minutes = ms / 60_000;
    match (minutes / 1_440, minutes / 60 % 24, minutes % 60) {
        (0, 0, 0) => format!("{} s", ms / 1_000),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (1, ..) => "1 day".to_owned(),
        (days, ..) => format!("{days} days"),
    }
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Editor => "editor",
        Role::Owner => "owner",
    }
}

#[cfg(test)]
mod tests;
