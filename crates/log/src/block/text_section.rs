//! The text deltas of a block as one range-coded stream. Each field is described once, by a function that both
//! writes and reads it, against what the fields before let expect.

use super::model::{Numbers, Text};
use super::pieces::{Pieces, Unit};
use super::range_coder::{Chance, Coder};
use super::{Summary, is_structural};
use codesync_base::{
    BlobHash, Change, Delta, DeltaHash, DeviceId, FileId, Head, Hlc, Insert, ItemRange, ItemRef, LogId, Origin,
    ProjectId, SignedDelta, Step, TextSource, TextStep, encode_delta, utf16_len,
};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn encode(summary: &Summary, deltas: &[Arc<SignedDelta>], covered: &[bool]) -> Vec<u8> {
    let mut section = Section::new(summary, Coder::writer());
    for (signed, covered) in deltas.iter().zip(covered) {
        let is_structural = is_structural(&signed.delta);
        section.coder.bit(&mut section.models.is_structural, is_structural);
        if !is_structural {
            section.delta(Some(&signed.delta));
            section.signature(Some((*covered, &signed.signature)));
        }
        section.follow(signed);
    }
    section.coder.finish()
}

/// Reads the text deltas back and merges them with the structural ones.
pub(super) fn decode(
    summary: &Summary,
    structural: Vec<Arc<SignedDelta>>,
    bytes: &[u8],
) -> Option<Vec<Arc<SignedDelta>>> {
    let mut section = Section::new(summary, Coder::reader(bytes));
    let mut structural = structural.into_iter();
    let mut deltas = Vec::new();
    for _ in 0..summary.n_deltas {
        let signed = if section.coder.bit(&mut section.models.is_structural, false) {
            structural.next()?
        } else {
            let delta = section.delta(None)?;
            let signature = section.signature(None);
            let hash = encode_delta(&delta).1;
            Arc::new(SignedDelta { delta, hash, signature })
        };
        if section.coder.is_exhausted() {
            return None;
        }
        section.follow(&signed);
        deltas.push(signed);
    }
    structural.next().is_none().then_some(deltas)
}

/// No count in a delta is larger; damaged bytes must not make one up.
const COUNT_MAX: u64 = 1 << 16;

/// What a step did, for expecting what the next one does.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Kind {
    #[default]
    None,
    Insert,
    Delete,
    Replace,
}

const N_KINDS: usize = 4;
const N_PAUSES: usize = 4;

#[derive(Default)]
struct Models {
    is_structural: Chance,
    is_covered: Chance,
    is_same_log: Chance,
    log: Numbers,
    seq: Numbers,
    is_chained: Chance,
    wall: Numbers,
    counter: Numbers,
    is_same_project: Chance,
    n_deps: Numbers,
    dep_seq: Numbers,
    origin: Numbers,
    group: [Numbers; 2],
    is_same_logs: Chance,
    is_same_files: Chance,
    count: Numbers,
    known_log: Numbers,
    known_file: Numbers,
    n_steps: Numbers,
    at_first: Numbers,
    at_next: [Numbers; N_KINDS],
    is_same_file: Chance,
    file: Numbers,
    n_deletes: [Numbers; N_KINDS * N_PAUSES],
    has_insert: [[Chance; 3]; N_KINDS * N_PAUSES],
    position: [Numbers; N_KINDS * N_KINDS],
    has_unit: [Chance; 2 * 2],
    candidate: [Numbers; 4 * 3],
    unit_log: Numbers,
    unit_seq: [Numbers; 2],
    unit_offset: Numbers,
    range_length: [Numbers; N_KINDS],
    is_blob: Chance,
    blob_length: Numbers,
    text_length: [Numbers; N_KINDS],
}

/// What is known of a log while coding.
#[derive(Clone, Default)]
struct LogState {
    seq: u32,
    hash: Option<DeltaHash>,
    origin: u64,
    group: u32,
    logs: Vec<LogId>,
    files: Vec<FileId>,
}

/// What is known of a file while coding.
struct FileState {
    pieces: Pieces,
    /// Where the caret stands after the last step.
    caret: i64,
    kind: Kind,
    /// Last unit that was named: the next is rarely far.
    last: Option<Unit>,
    right: Option<Unit>,
}

struct Section<'a> {
    coder: Coder<'a>,
    models: Models,
    text: Text,
    logs: Vec<LogId>,
    files: Vec<FileId>,
    states: BTreeMap<LogId, LogState>,
    texts: BTreeMap<FileId, FileState>,
    log: LogId,
    project: ProjectId,
    hlc: Hlc,
    pause: usize,
    kind: Kind,
    file: Option<FileId>,
}

impl<'a> Section<'a> {
    fn new(summary: &Summary, coder: Coder<'a>) -> Self {
        let state = |first_seq: u32| LogState { seq: first_seq.wrapping_sub(1), ..LogState::default() };
        Self {
            coder,
            models: Models::default(),
            text: Text::new(),
            logs: summary.logs.iter().map(|part| part.log).collect(),
            files: Vec::new(),
            states: summary.logs.iter().map(|part| (part.log, state(part.first_seq))).collect(),
            texts: BTreeMap::new(),
            log: summary.logs.first().map(|part| part.log).unwrap_or_default(),
            project: ProjectId::ZERO,
            hlc: Hlc { counter: 0, ..summary.first },
            pause: 0,
            kind: Kind::None,
            file: None,
        }
    }

    /// Takes note of a delta that was coded, of whichever section.
    fn follow(&mut self, signed: &SignedDelta) {
        let state = self.states.entry(signed.delta.log).or_default();
        (state.seq, state.hash) = (signed.delta.seq, Some(signed.hash));
        self.log = signed.delta.log;
        self.hlc = signed.delta.hlc;
        self.project = signed.delta.project;
    }

    fn delta(&mut self, given: Option<&Delta>) -> Option<Delta> {
        let log = self.author(given.map(|delta| delta.log))?;
        let mut state = self.states.get(&log).cloned().unwrap_or_default();
        let (seq, prev) = self.chain(&state, given);
        let hlc = self.reading(given.map(|delta| delta.hlc));
        let project = self.project(given.map(|delta| delta.project));
        let deps = self.deps(given.map(|delta| delta.deps.as_slice()))?;
        let origin = self
            .models
            .origin
            .code(&mut self.coder, given.map_or(0, |delta| origin_number(delta.origin) ^ state.origin));
        state.origin ^= origin;
        let origin = parse_origin(state.origin)?;
        let group = self.group(seq, &state, given.map(|delta| delta.group));
        let logs = self.logs_of(&state, given.map(|delta| delta.logs.as_slice()))?;
        let files = self.files_of(&state, given.map(|delta| delta.files.as_slice()))?;
        (state.group, state.logs, state.files) = (group, logs.clone(), files.clone());
        self.states.insert(log, state);
        let mut delta = Delta { project, log, seq, prev, hlc, deps, origin, group, logs, files, steps: Vec::new() };
        self.steps(&mut delta, given)?;
        Some(delta)
    }

    fn signature(&mut self, given: Option<(bool, &[u8; 64])>) -> [u8; 64] {
        let covered = given.is_some_and(|(covered, _)| covered);
        if self.coder.bit(&mut self.models.is_covered, covered) {
            return [0; 64];
        }
        self.bytes(given.map(|(_, signature)| signature))
    }

    fn bytes<const N: usize>(&mut self, given: Option<&[u8; N]>) -> [u8; N] {
        std::array::from_fn(|idx| self.coder.raw(8, given.map_or(0, |bytes| u64::from(bytes[idx]))) as u8)
    }

    fn author(&mut self, given: Option<LogId>) -> Option<LogId> {
        let known = self.log;
        if self.coder.bit(&mut self.models.is_same_log, given == Some(known)) {
            return Some(known);
        }
        let idx = given.and_then(|log| self.logs.iter().position(|known| *known == log)).unwrap_or(0);
        let idx = self.models.log.code(&mut self.coder, idx as u64);
        self.logs.get(usize::try_from(idx).ok()?).copied()
    }

    /// Sequence number and predecessor.
    fn chain(&mut self, state: &LogState, given: Option<&Delta>) -> (u32, DeltaHash) {
        let expected = state.seq.wrapping_add(1);
        let gap = given.map_or(0, |delta| i64::from(delta.seq) - i64::from(expected));
        let gap = self.models.seq.code_signed(&mut self.coder, gap);
        let seq = i64::from(expected).wrapping_add(gap) as u32;
        let known = if seq == 1 { Some(DeltaHash::ZERO) } else { state.hash.filter(|_| gap == 0) };
        let is_known = given.is_some_and(|delta| Some(delta.prev) == known);
        if let (true, Some(known)) = (self.coder.bit(&mut self.models.is_chained, is_known), known) {
            return (seq, known);
        }
        (seq, DeltaHash(self.bytes(given.map(|delta| &delta.prev.0))))
    }

    fn reading(&mut self, given: Option<Hlc>) -> Hlc {
        let last = self.hlc;
        let passed_ms = given.map_or(0, |hlc| hlc.wall_ms.wrapping_sub(last.wall_ms));
        let passed_ms = self.models.wall.code(&mut self.coder, passed_ms);
        let expected = if passed_ms == 0 { last.counter.wrapping_add(1) } else { 0 };
        let off = given.map_or(0, |hlc| i64::from(hlc.counter) - i64::from(expected));
        let off = self.models.counter.code_signed(&mut self.coder, off);
        self.pause = pause(passed_ms);
        Hlc { wall_ms: last.wall_ms.wrapping_add(passed_ms), counter: i64::from(expected).wrapping_add(off) as u32 }
    }

    fn project(&mut self, given: Option<ProjectId>) -> ProjectId {
        let known = self.project;
        if self.coder.bit(&mut self.models.is_same_project, given == Some(known)) {
            return known;
        }
        ProjectId(self.bytes(given.as_ref().map(|project| &project.0)))
    }

    fn deps(&mut self, given: Option<&[Head]>) -> Option<Vec<Head>> {
        let n_deps = self.models.n_deps.code(&mut self.coder, given.map_or(0, |deps| deps.len() as u64));
        if n_deps > COUNT_MAX {
            return None;
        }
        let mut deps = Vec::new();
        for idx in 0..n_deps as usize {
            let given = given.map(|deps| deps[idx]);
            let log = self.log_id(given.map(|head| head.log))?;
            let known = self.states.get(&log).map_or(0, |state| i64::from(state.seq));
            let off = given.map_or(0, |head| i64::from(head.seq) - known);
            let seq = known.wrapping_add(self.models.dep_seq.code_signed(&mut self.coder, off)) as u32;
            let hash = DeltaHash(self.bytes(given.as_ref().map(|head| &head.hash.0)));
            deps.push(Head { log, seq, hash });
        }
        Some(deps)
    }

    fn group(&mut self, seq: u32, state: &LogState, given: Option<u32>) -> u32 {
        let joins = given.is_some_and(|group| group == state.group && group != seq);
        let how = match given {
            Some(group) if group == seq => 0,
            _ if joins => 1,
            _ => 2,
        };
        match self.models.group[0].code(&mut self.coder, how) {
            0 => seq,
            1 => state.group,
            _ => {
                let back = given.map_or(0, |group| u64::from(seq.wrapping_sub(group)));
                seq.wrapping_sub(self.models.group[1].code(&mut self.coder, back) as u32)
            }
        }
    }

    fn logs_of(&mut self, state: &LogState, given: Option<&[LogId]>) -> Option<Vec<LogId>> {
        if self.coder.bit(&mut self.models.is_same_logs, given.is_some_and(|logs| logs == state.logs)) {
            return Some(state.logs.clone());
        }
        let n_logs = self.models.count.code(&mut self.coder, given.map_or(0, |logs| logs.len() as u64));
        if n_logs > COUNT_MAX {
            return None;
        }
        (0..n_logs as usize).map(|idx| self.log_id(given.map(|logs| logs[idx]))).collect()
    }

    fn files_of(&mut self, state: &LogState, given: Option<&[FileId]>) -> Option<Vec<FileId>> {
        if self.coder.bit(&mut self.models.is_same_files, given.is_some_and(|files| files == state.files)) {
            return Some(state.files.clone());
        }
        let n_files = self.models.count.code(&mut self.coder, given.map_or(0, |files| files.len() as u64));
        if n_files > COUNT_MAX {
            return None;
        }
        (0..n_files as usize).map(|idx| self.file_id(given.map(|files| files[idx]))).collect()
    }

    /// A log by how long ago it was named; zero is a new one.
    fn log_id(&mut self, given: Option<LogId>) -> Option<LogId> {
        let known = given.and_then(|log| self.logs.iter().rposition(|known| *known == log));
        let ago = known.map_or(0, |idx| self.logs.len() - idx) as u64;
        let ago = usize::try_from(self.models.known_log.code(&mut self.coder, ago)).ok()?;
        if ago > 0 {
            return self.logs.len().checked_sub(ago).map(|idx| self.logs[idx]);
        }
        let device = DeviceId(self.bytes(given.as_ref().map(|log| &log.device.0)));
        let incarnation = self.coder.raw(32, given.map_or(0, |log| u64::from(log.incarnation))) as u32;
        let log = LogId { device, incarnation };
        self.logs.push(log);
        Some(log)
    }

    /// A file by how recently it was named; zero is a new one.
    fn file_id(&mut self, given: Option<FileId>) -> Option<FileId> {
        let known = given.and_then(|file| self.files.iter().rposition(|known| *known == file));
        let ago = known.map_or(0, |idx| self.files.len() - idx) as u64;
        let ago = usize::try_from(self.models.known_file.code(&mut self.coder, ago)).ok()?;
        let file = match ago {
            0 => FileId(self.bytes(given.as_ref().map(|file| &file.0))),
            _ => self.files.remove(self.files.len().checked_sub(ago)?),
        };
        self.files.push(file);
        Some(file)
    }

    fn steps(&mut self, delta: &mut Delta, given: Option<&Delta>) -> Option<()> {
        let n_steps = self.models.n_steps.code(&mut self.coder, given.map_or(0, |delta| delta.steps.len() as u64));
        if n_steps > COUNT_MAX {
            return None;
        }
        let mut at_ms = delta.hlc.wall_ms;
        let mut file = 0;
        let mut inserted = BTreeMap::new();
        for idx in 0..n_steps as usize {
            if self.coder.is_exhausted() {
                return None;
            }
            let given = given.map(|delta| &delta.steps[idx]);
            at_ms = self.at(idx, at_ms, given.map(|step| step.at_ms));
            file = self.file_idx(file, given.map(|step| step.file))?;
            let given = given.and_then(|step| match &step.change {
                Change::Text(text) => Some(text),
                _ => None,
            });
            let id = *delta.files.get(usize::from(file))?;
            let text = self.text_step(delta, id, inserted.entry(id).or_insert(0), given)?;
            delta.steps.push(Step { at_ms, file, change: Change::Text(text) });
        }
        Some(())
    }

    fn at(&mut self, idx: usize, last_ms: u64, given: Option<u64>) -> u64 {
        let passed_ms = given.map_or(0, |at_ms| at_ms.wrapping_sub(last_ms) as i64);
        let model = if idx == 0 { &mut self.models.at_first } else { &mut self.models.at_next[self.kind as usize] };
        let passed_ms = model.code_signed(&mut self.coder, passed_ms);
        if idx > 0 {
            self.pause = pause(passed_ms.unsigned_abs());
        }
        last_ms.wrapping_add(passed_ms as u64)
    }

    fn file_idx(&mut self, last: u16, given: Option<u16>) -> Option<u16> {
        if self.coder.bit(&mut self.models.is_same_file, given == Some(last)) {
            return Some(last);
        }
        u16::try_from(self.models.file.code(&mut self.coder, given.map_or(0, u64::from))).ok()
    }

    fn text_step(
        &mut self,
        delta: &Delta,
        file: FileId,
        inserted: &mut u32,
        given: Option<&TextStep>,
    ) -> Option<TextStep> {
        let mut state = self.texts.remove(&file).unwrap_or_else(FileState::new);
        if self.file.replace(file) != Some(file) {
            self.text.jump();
        }
        let before = state.kind as usize * N_PAUSES + self.pause;
        let n_deletes =
            self.models.n_deletes[before].code(&mut self.coder, given.map_or(0, |text| text.delete.len() as u64));
        if n_deletes > COUNT_MAX {
            return None;
        }
        let chance = &mut self.models.has_insert[before][(n_deletes as usize).min(2)];
        let has_insert = self.coder.bit(chance, given.is_some_and(|text| text.insert.is_some()));
        let kind = match (n_deletes > 0, has_insert) {
            (false, _) => Kind::Insert,
            (true, false) => Kind::Delete,
            (true, true) => Kind::Replace,
        };
        let context = state.kind as usize * N_KINDS + kind as usize;
        let off = given.map_or(0, |text| i64::from(text.position) - state.caret);
        let off = self.models.position[context].code_signed(&mut self.coder, off);
        let position = u32::try_from(state.caret.wrapping_add(off)).ok()?;
        if off != 0 && kind == Kind::Insert {
            self.text.jump();
        }
        let (delete, n_deleted) = self.deletes(delta, &mut state, position, kind, n_deletes, given)?;
        let mut text = TextStep { position, delete, insert: None };
        let mut n_inserted = 0;
        if has_insert {
            let (insert, length) = self.insert(
                delta,
                &mut state,
                (position, n_deleted, kind),
                *inserted,
                given.and_then(|text| text.insert.as_ref()),
            )?;
            text.insert = Some(insert);
            n_inserted = length;
        } else {
            state.pieces.delete(u64::from(position), n_deleted);
        }
        *inserted = inserted.wrapping_add(n_inserted);
        state.caret = i64::from(position) + i64::from(n_inserted);
        (state.kind, self.kind) = (kind, kind);
        self.texts.insert(file, state);
        Some(text)
    }

    fn deletes(
        &mut self,
        delta: &Delta,
        state: &mut FileState,
        position: u32,
        kind: Kind,
        n_deletes: u64,
        given: Option<&TextStep>,
    ) -> Option<(Vec<ItemRange>, u64)> {
        let mut delete = Vec::new();
        let mut n_deleted = 0;
        for idx in 0..n_deletes as usize {
            let given = given.map(|text| text.delete[idx]);
            let at = u64::from(position) + n_deleted;
            let first = self.item(delta, state, Role::Deleted, at, None, given.map(|range| range.first))?;
            let length = given.map_or(0, |range| u64::from(range.length));
            let length = u32::try_from(self.models.range_length[kind as usize].code(&mut self.coder, length)).ok()?;
            delete.push(ItemRange { first, length });
            n_deleted += u64::from(length);
            if self.coder.is_exhausted() {
                return None;
            }
        }
        Some((delete, n_deleted))
    }

    /// What is inserted, and its length.
    fn insert(
        &mut self,
        delta: &Delta,
        state: &mut FileState,
        (position, n_deleted, kind): (u32, u64, Kind),
        offset: u32,
        given: Option<&Insert>,
    ) -> Option<(Insert, u32)> {
        let position = u64::from(position);
        let left =
            self.end(delta, state, Role::Left, position.checked_sub(1), None, given.map(|insert| insert.left))?;
        let left_unit = left.and_then(|item| self.unit(delta, &item));
        let right_at = Some(position + n_deleted);
        let right = self.end(delta, state, Role::Right, right_at, left_unit, given.map(|insert| insert.right))?;
        let (text, length) = self.source(kind, given.map(|insert| &insert.text))?;
        state.pieces.delete(position, n_deleted);
        if let (Some(unit), Some(at)) = (left_unit, position.checked_sub(1)) {
            state.pieces.learn(at, unit);
        }
        state.right = right.and_then(|item| self.unit(delta, &item));
        if let Some(unit) = state.right {
            state.pieces.learn(position, unit);
        }
        if let Some(log) = self.log_number(&delta.log) {
            state.pieces.insert(position, u64::from(length), Unit { log, seq: delta.seq, offset });
        }
        Some((Insert { left, right, text }, length))
    }

    /// The unit to the left or right of an insert, where there is one.
    fn end(
        &mut self,
        delta: &Delta,
        state: &mut FileState,
        role: Role,
        at: Option<u64>,
        left: Option<Unit>,
        given: Option<Option<ItemRef>>,
    ) -> Option<Option<ItemRef>> {
        let context = role as usize * 2 + usize::from(at.is_none() || (role == Role::Right && state.right.is_none()));
        let has_unit = given.is_some_and(|item| item.is_some());
        if !self.coder.bit(&mut self.models.has_unit[context], has_unit) {
            return Some(None);
        }
        self.item(delta, state, role, at.unwrap_or(0), left, given.flatten()).map(Some)
    }

    fn item(
        &mut self,
        delta: &Delta,
        state: &mut FileState,
        role: Role,
        at: u64,
        left: Option<Unit>,
        given: Option<ItemRef>,
    ) -> Option<ItemRef> {
        let known = state.pieces.unit_at(at);
        let guesses = guesses(state, role, at, left, known);
        let items: Vec<ItemRef> = guesses.iter().filter_map(|unit| self.item_of(delta, unit)).collect();
        let context =
            role as usize * 4 + usize::from(known.is_some()) * 2 + usize::from(left.is_some() && known.is_none());
        let choice =
            given.map_or(0, |item| items.iter().position(|guess| *guess == item).map_or(0, |idx| idx as u64 + 1));
        let choice = self.models.candidate[context].code(&mut self.coder, choice);
        let item = match usize::try_from(choice).ok()? {
            0 => self.named_item(delta, state, guesses.first().copied(), given)?,
            choice => *items.get(choice - 1)?,
        };
        state.last = self.unit(delta, &item);
        Some(item)
    }

    /// An item that was not guessed.
    fn named_item(
        &mut self,
        delta: &Delta,
        state: &FileState,
        guess: Option<Unit>,
        given: Option<ItemRef>,
    ) -> Option<ItemRef> {
        let log = self.models.unit_log.code(&mut self.coder, given.map_or(0, |item| u64::from(item.log)));
        let log = u16::try_from(log).ok()?;
        let near = guess.or(state.last).map_or(delta.seq, |unit| unit.seq);
        let off = given.map_or(0, |item| i64::from(item.seq) - i64::from(near));
        let context = usize::from(guess.is_some());
        let seq = u32::try_from(
            i64::from(near).wrapping_add(self.models.unit_seq[context].code_signed(&mut self.coder, off)),
        )
        .ok()?;
        let offset = self.models.unit_offset.code(&mut self.coder, given.map_or(0, |item| u64::from(item.offset)));
        Some(ItemRef { log, seq, offset: u32::try_from(offset).ok()? })
    }

    fn source(&mut self, kind: Kind, given: Option<&TextSource>) -> Option<(TextSource, u32)> {
        let blob = given.and_then(|source| match source {
            TextSource::Blob { hash, length } => Some((hash, *length)),
            TextSource::Inline(_) => None,
        });
        if self.coder.bit(&mut self.models.is_blob, blob.is_some()) {
            let hash = BlobHash(self.bytes(blob.map(|(hash, _)| &hash.0)));
            let length = self.models.blob_length.code(&mut self.coder, blob.map_or(0, |(_, length)| u64::from(length)));
            let length = u32::try_from(length).ok()?;
            return Some((TextSource::Blob { hash, length }, length));
        }
        let text: &str = match given {
            Some(TextSource::Inline(text)) => text,
            _ => "",
        };
        let n_bytes = self.models.text_length[kind as usize].code(&mut self.coder, text.len() as u64);
        let mut read = Vec::new();
        for idx in 0..usize::try_from(n_bytes).ok()? {
            read.push(self.text.code(&mut self.coder, text.as_bytes().get(idx).copied().unwrap_or(0)));
            if self.coder.is_exhausted() {
                return None;
            }
        }
        let text = String::from_utf8(read).ok()?;
        let length = utf16_len(&text);
        Some((TextSource::Inline(text.into()), length))
    }

    fn log_number(&self, log: &LogId) -> Option<usize> {
        self.logs.iter().position(|known| known == log)
    }

    fn unit(&self, delta: &Delta, item: &ItemRef) -> Option<Unit> {
        let log = self.log_number(&delta.log_of(item)?)?;
        Some(Unit { log, seq: item.seq, offset: item.offset })
    }

    fn item_of(&self, delta: &Delta, unit: &Unit) -> Option<ItemRef> {
        let log = self.logs.get(unit.log)?;
        let number = if *log == delta.log { 0 } else { delta.logs.iter().position(|known| known == log)? + 1 };
        Some(ItemRef { log: u16::try_from(number).ok()?, seq: unit.seq, offset: unit.offset })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Left = 0,
    Right = 1,
    Deleted = 2,
}

/// Units that may stand at a position, the likeliest first, each once.
fn guesses(state: &mut FileState, role: Role, at: u64, left: Option<Unit>, known: Option<Unit>) -> Vec<Unit> {
    let mut guesses: Vec<Unit> = Vec::new();
    let mut add = |unit: Option<Unit>| {
        if let Some(unit) = unit.filter(|unit| !guesses.contains(unit)) {
            guesses.push(unit);
        }
    };
    let next_offset = |unit: Unit, n: u64| Unit { offset: unit.offset.wrapping_add(n as u32), ..unit };
    let next_delta = |unit: Unit, n: u64| Unit { seq: unit.seq.wrapping_add(n as u32), offset: 0, ..unit };
    add(known);
    if known.is_none() {
        if role == Role::Right {
            add(left.map(|unit| next_delta(unit, 1)));
            add(left.map(|unit| next_offset(unit, 1)));
        }
        let before = state.pieces.unit_before(at);
        add(before.map(|(unit, n)| next_delta(unit, n)));
        add(before.map(|(unit, n)| next_offset(unit, n)));
        let after = state.pieces.unit_after(at);
        add(after.map(|(unit, n)| Unit { seq: unit.seq.wrapping_sub(n as u32), offset: 0, ..unit }));
        add(after.map(|(unit, n)| Unit { offset: unit.offset.wrapping_sub(n as u32), ..unit }));
    }
    guesses
}

impl FileState {
    fn new() -> Self {
        Self { pieces: Pieces::new(), caret: 0, kind: Kind::None, last: None, right: None }
    }
}

/// How long someone waited, roughly: who waits did something else in between.
fn pause(passed_ms: u64) -> usize {
    match passed_ms {
        0..=99 => 0,
        100..=249 => 1,
        250..=999 => 2,
        _ => 3,
    }
}

const ORIGINS: [Origin; 10] = [
    Origin::Typing,
    Origin::Disk,
    Origin::Import,
    Origin::CommandLine,
    Origin::FileAction,
    Origin::Restore,
    Origin::Undo,
    Origin::Redo,
    Origin::Moment,
    Origin::Session,
];

pub(super) fn origin_number(origin: Origin) -> u64 {
    ORIGINS.iter().position(|known| *known == origin).unwrap_or(0) as u64
}

pub(super) fn parse_origin(number: u64) -> Option<Origin> {
    ORIGINS.get(usize::try_from(number).ok()?).copied()
}
