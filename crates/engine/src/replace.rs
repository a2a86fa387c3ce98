//! Replaces stretches of text in files, as one act: what find and replace comes to. What is to be replaced, and by what,
//! was decided by who knows the texts; here it is made sure that each still stands where it was said to be.

use crate::acts::Act;
use crate::{Engine, Now, Result, invalid};
use codesync_api::{ErrorCode, FileReplacement, PatchSource, Reply, Stretch};
use codesync_base::{FileId, FileKind, Origin, Splice, utf16_len};

impl Engine {
    /// In each of these files all of it, or nothing where the text is another by now. Large amounts come in several
    /// requests, that keys are not held up: all but the first name the act.
    pub(crate) fn replace_in_files(
        &mut self,
        group_id: Option<&str>,
        keeps_moment: bool,
        files: &[FileReplacement],
        now: Now,
    ) -> Result<Reply> {
        let open = group_id.map(|group_id| self.act_of_replacing(group_id)).transpose()?;
        let mut work = Vec::new();
        for file in files {
            if let Some((id, splices)) = self.splices_that_fit(file)? {
                work.push((id, splices, file.path.clone()));
            }
        }
        if work.is_empty() {
            return Ok(Reply::InFilesReplaced { group_id: group_id.map(str::to_owned), changed: Vec::new() });
        }
        let act = match open {
            Some(act) => act,
            None => self.begin_replacing(keeps_moment, now)?,
        };
        self.settle();
        self.burst = None;
        let mut changed = Vec::new();
        for (file, splices, path) in work {
            self.edit_and_tell(act, file, &splices, PatchSource::Other, now)?;
            changed.push(path);
        }
        self.settle();
        self.evict_documents();
        Ok(Reply::InFilesReplaced { group_id: Some(self.group_id(act)), changed })
    }

    fn begin_replacing(&mut self, keeps_moment: bool, now: Now) -> Result<Act> {
        if keeps_moment {
            self.automatic_moment(&format!("Before replace in files {}", now.hour_minute()), now)?;
        }
        let act = self.begin_act(Origin::FileAction);
        self.replacing = Some(act);
        Ok(act)
    }

    /// Only what was begun so last can be gone on with.
    fn act_of_replacing(&self, group_id: &str) -> Result<Act> {
        let open = self.replacing.filter(|act| self.group_id(*act) == group_id);
        open.ok_or_else(|| invalid("That is not a replacement that is being made."))
    }

    /// In the order of the text, each positioned after those before it; none when one stretch does not stand there.
    fn splices_that_fit(&mut self, wanted: &FileReplacement) -> Result<Option<(FileId, Vec<Splice>)>> {
        let file = match self.text_file_at(&wanted.path) {
            Ok(file) => file,
            Err(error) if matches!(error.code, ErrorCode::NotFound | ErrorCode::NotText) => return Ok(None),
            Err(error) => return Err(error),
        };
        let text: Vec<u16> = self.live_document(file)?.text.to_string().encode_utf16().collect();
        let (mut joined, mut free_from) = (Vec::<(u32, u32, String)>::new(), 0);
        for Stretch { position, old, new } in &wanted.stretches {
            let (start, length) = (*position as usize, utf16_len(old));
            let end = start + length as usize;
            let stands = text.get(start..end).is_some_and(|there| old.encode_utf16().eq(there.iter().copied()));
            if !stands || start < free_from {
                return Ok(None);
            }
            match joined.last_mut() {
                // Views take what has something between as one edit, and that only.
                Some((_, deleted, inserted)) if start == free_from => {
                    *deleted += length;
                    inserted.push_str(new);
                }
                _ => joined.push((*position, length, new.clone())),
            }
            free_from = end;
        }
        Ok(Some((file, in_turn(joined))))
    }

    /// Paths of the texts that the folder does not have as they are, sorted.
    pub(crate) fn unwritten_texts(&self) -> Vec<String> {
        let nodes = self.unwritten.keys().filter_map(|file| self.tree.get(file));
        let texts = nodes.filter(|node| node.alive && node.kind == FileKind::Text);
        let mut paths: Vec<String> = texts.map(|node| node.path.to_string()).collect();
        paths.sort_unstable();
        paths
    }
}

/// Positions of one text become those that each finds.
fn in_turn(stretches: Vec<(u32, u32, String)>) -> Vec<Splice> {
    let mut grown = 0_i64;
    let each = stretches.into_iter().map(|(position, deleted, inserted)| {
        let found_at = (i64::from(position) + grown) as u32;
        grown += i64::from(utf16_len(&inserted)) - i64::from(deleted);
        Splice::new(found_at, deleted, inserted)
    });
    each.collect()
}
