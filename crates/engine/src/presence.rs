//! Where people are and what they ask of each other just now: told to all links while it is so, never kept. What a
//! window shows is named so that it means the same on every replica, and what a peer tells is placed into the text as
//! it is here. Believes nothing of a peer's bytes, and does nothing to a text.

mod lines;
mod wire;

pub(crate) use lines::{line_at, start_of};

use crate::{Engine, Now, Result, invalid};
use codesync_api::{Event, Place, Presence, Signal};
use codesync_auth::Act;
use codesync_base::{Change, DeviceId, FileId, FileKind, LogId, Origin, Role, SignedDelta};
use codesync_doc::TextDocument;
use codesync_sync::{LinkId, Moment};
use std::collections::BTreeMap;
use wire::{Line, LooksAt, SELECTIONS_MAX, SIGNALS_MAX, Shown, Sign, Spot};

/// How long what was asked is repeated: a frame that says more may take the place of one that was not sent yet.
const SIGNAL_REPEATED_MS: u64 = 10_000;
/// Numbers of a device's signals that are remembered: above what its frames can still repeat.
const HEARD_MAX: usize = 4 * SIGNALS_MAX;
/// A peer asks nothing more often than this.
const SIGNAL_EVERY_MS: u64 = 1_000;
/// Units that are not known here after this long are not waited for any more.
const WAIT_FOR_UNITS_MS: u64 = 1_000;

#[derive(Default)]
pub(crate) struct Presences {
    own: Place,
    /// What was asked lately, each with its number: when it was, Unix milliseconds, or the next one that is free.
    signals: Vec<(u64, Signal)>,
    /// The newest frame that says where one is here.
    frame: Option<Vec<u8>>,
    /// It was not handed to the links yet.
    is_fresh: bool,
    /// It is about a text that was not in memory.
    is_unread: bool,
    peers: BTreeMap<LinkId, DeviceId>,
    others: BTreeMap<DeviceId, Other>,
    /// When each device typed last.
    typed_ms: BTreeMap<DeviceId, u64>,
    /// Kept when a device goes: what it asked is repeated to it that comes back.
    heard: BTreeMap<DeviceId, Heard>,
    /// Counts what may have brought missing units.
    n_news: u64,
}

/// What a device asked.
#[derive(Default)]
struct Heard {
    /// Of its latest signals, in no order: where its clock was set back, a later one has a lower number.
    numbers: Vec<u64>,
    /// When the newest came.
    came_ms: u64,
}

/// Where somebody else is.
struct Other {
    shown: Shown,
    told: Option<Place>,
    /// Since when what it names is waited for, and what was known at the last try.
    waits: Option<Waits>,
}

#[derive(Clone, Copy, PartialEq)]
struct Waits {
    since_ms: u64,
    n_news: u64,
    is_loaded: bool,
}

/// How well a frame could be placed.
#[derive(Clone, Copy, PartialEq)]
enum Fit {
    Exact,
    /// The text is not in memory: by what its author saw.
    Unread,
    /// Names something that is not here yet.
    Unknown,
}

impl Presences {
    /// A delta of somebody else is in the log.
    pub fn note(&mut self, signed: &SignedDelta, now: Now) {
        self.n_news += 1;
        let delta = &signed.delta;
        if !matches!(delta.origin, Origin::Typing | Origin::CommandLine) {
            return;
        }
        let typed = delta.steps.iter().filter(|step| matches!(step.change, Change::Text(_)));
        if let Some(at_ms) = typed.map(|step| step.at_ms.min(now.ms)).max() {
            let newest = self.typed_ms.entry(delta.log.device).or_default();
            *newest = at_ms.max(*newest);
        }
    }

    /// A link is gone. Gives the device that nobody leads to any more, if its place was told.
    fn part(&mut self, id: LinkId) -> Option<DeviceId> {
        let device = self.peers.remove(&id)?;
        let is_elsewhere = self.peers.values().any(|other| *other == device);
        let other = if is_elsewhere { None } else { self.others.remove(&device) };
        other.filter(|other| other.told.is_some()).map(|_| device)
    }

    /// The frame that the links have not got yet.
    pub fn take_fresh(&mut self) -> Option<Vec<u8>> {
        std::mem::take(&mut self.is_fresh).then(|| self.frame.clone()).flatten()
    }

    fn presence(&self, device: &DeviceId, place: Option<Place>) -> Presence {
        Presence { device: device.to_string(), place, typed_ms: self.typed_ms.get(device).copied().unwrap_or_default() }
    }
}

impl Engine {
    /// The person here is at this place. Positions are of the text as it is now.
    pub(crate) fn show_place(&mut self, place: Place, now: Now) {
        self.presence.own = place;
        self.make_frame(now);
    }

    /// The person here asks something of the others, once.
    pub(crate) fn signal(&mut self, signal: Signal, now: Now) -> Result<()> {
        if let Signal::Bring { path, to, .. } = &signal {
            self.node_at(path)?;
            to.as_deref().map(device_of).transpose()?;
        }
        let is_taken = |number: &u64| self.presence.signals.iter().any(|(taken, _)| taken == number);
        let number = (now.ms..).find(|number| !is_taken(number)).unwrap_or(now.ms);
        self.presence.signals.push((number, signal));
        self.make_frame(now);
        Ok(())
    }

    /// Where the others are, in the texts as they are now.
    pub(crate) fn presences(&mut self, now: Now) -> Vec<Presence> {
        let devices: Vec<DeviceId> = self.presence.others.keys().copied().collect();
        for device in &devices {
            self.place_other(device, now);
        }
        let others = self.presence.others.iter();
        others.map(|(device, other)| self.presence.presence(device, other.told.clone())).collect()
    }

    /// Bytes of a peer that say where whoever is there is: nothing about them is believed.
    pub fn take_presence(&mut self, device: DeviceId, bytes: &[u8], now: Now) {
        let is_member = self.access().is_none_or(|access| access.may(&device, Act::Speak));
        let Some(shown) = Shown::decode(bytes).filter(|_| is_member) else {
            tracing::debug!(%device, "a presence that is none");
            return;
        };
        self.hear_signals(&device, &shown, now);
        match self.presence.others.get_mut(&device) {
            Some(other) => (other.shown, other.waits) = (shown, None),
            None => drop(self.presence.others.insert(device, Other { shown, told: None, waits: None })),
        }
        self.place_other(&device, now);
    }

    /// A link leads to a device: it is to hear where one is, and of what was asked only what is still to be repeated.
    pub(crate) fn greet(&mut self, id: LinkId, device: DeviceId, now: Now) {
        if self.presence.frame.is_some() {
            self.make_frame(now);
        }
        self.presence.peers.insert(id, device);
        self.presence.is_fresh = true;
    }

    /// The connection is gone, and whoever was there with it.
    pub(crate) fn part_with(&mut self, id: LinkId) {
        if let Some(device) = self.presence.part(id) {
            let gone = self.presence.presence(&device, None);
            self.events.push(Event::Presence(gone));
        }
    }

    /// What could not be placed before may be now.
    pub(crate) fn place_waiting(&mut self, moment: Moment) {
        let now = self.now_at(moment);
        if self.presence.is_unread && self.own_text_is_read() {
            self.make_frame(now);
        }
        let waiting = self.presence.others.iter().filter(|(_, other)| other.waits.is_some());
        let devices: Vec<DeviceId> = waiting.map(|(device, _)| *device).collect();
        for device in devices {
            let Some(other) = self.presence.others.get(&device) else { continue };
            let (Some(waits), look) = (other.waits, &other.shown.looks_at) else { continue };
            let file = look.as_ref().map(|look| look.file);
            let is_loaded = file.is_some_and(|file| self.documents.get_mut(&file).is_some());
            let is_late = now.ms.saturating_sub(waits.since_ms) > WAIT_FOR_UNITS_MS;
            if (self.presence.n_news, is_loaded) != (waits.n_news, waits.is_loaded) || (is_late && is_loaded) {
                self.place_other(&device, now);
            }
        }
    }

    fn own_text_is_read(&mut self) -> bool {
        let path = self.presence.own.path.as_deref();
        let file = path.and_then(|path| self.node_at(path).ok()).map(|node| node.file);
        file.is_some_and(|file| self.documents.get_mut(&file).is_some())
    }

    fn make_frame(&mut self, now: Now) {
        self.presence.is_unread = self.presence.own.path.is_some() && !self.own_text_is_read();
        let presence = &mut self.presence;
        presence.signals.retain(|(number, _)| now.ms.abs_diff(*number) <= SIGNAL_REPEATED_MS);
        let n_old = presence.signals.len().saturating_sub(SIGNALS_MAX);
        presence.signals.drain(..n_old);
        let mut n_selections = presence.own.selections.len().min(SELECTIONS_MAX);
        let frame = loop {
            match self.shown_here(n_selections).encode() {
                None if n_selections > 0 => n_selections -= 1 + n_selections / 8,
                frame => break frame,
            }
        };
        if frame.is_some() && frame != self.presence.frame {
            (self.presence.frame, self.presence.is_fresh) = (frame, true);
        }
    }

    /// What is so here, in names; of the selections so many.
    fn shown_here(&mut self, n_selections: usize) -> Shown {
        let place = self.presence.own.clone();
        let mut shown = Shown {
            past_ms: place.past_ms,
            is_away: place.is_away,
            is_writing_message: place.is_writing_message,
            ..Shown::default()
        };
        shown.more.line = place.line;
        for (number, signal) in self.presence.signals.clone() {
            let sign = match signal {
                Signal::AskToEdit => Some(Sign::AskToEdit),
                Signal::Bring { path, line, to } => self.node_at(&path).ok().map(|node| node.file).map(|file| {
                    let to = to.and_then(|to| device_of(&to).ok());
                    shown.more.to_one.extend(to.map(|to| (number, to)));
                    let line = self.named_line(&mut shown, file, line);
                    Sign::Bring { file, line }
                }),
            };
            shown.signals.extend(sign.map(|sign| (number, sign)));
        }
        let file = place.path.as_deref().and_then(|path| self.node_at(path).ok()).map(|node| node.file);
        shown.looks_at = file.map(|file| {
            let top = self.named_line(&mut shown, file, place.top_line);
            let document = self.documents.get_mut(&file);
            let text = document.map(|document| &document.text);
            let selections = place.selections.iter().take(n_selections);
            let selections = selections.map(|(anchor, head)| named_selection(&mut shown, text, *anchor, *head));
            LooksAt { file, top, selections: selections.collect() }
        });
        shown
    }

    fn named_line(&mut self, shown: &mut Shown, file: FileId, number: u32) -> Line {
        let number = number.max(1);
        let start = match self.documents.get_mut(&file) {
            Some(document) => {
                let position = start_of(document.text.text(), number);
                named_spot(shown, &document.text, position, false)
            }
            None => shown.spot(None, false, 0),
        };
        Line { start, number }
    }

    /// Tells where somebody is, when that is known and not told yet.
    fn place_other(&mut self, device: &DeviceId, now: Now) {
        let Some(other) = self.presence.others.get(device) else { return };
        let (shown, waits) = (other.shown.clone(), other.waits);
        let (place, fit) = self.placed(&shown);
        let since_ms = waits.map_or(now.ms, |waits| waits.since_ms);
        let is_late = now.ms.saturating_sub(since_ms) > WAIT_FOR_UNITS_MS;
        let (n_news, is_loaded) = (self.presence.n_news, fit != Fit::Unread);
        let Some(other) = self.presence.others.get_mut(device) else { return };
        other.waits = match fit {
            Fit::Exact => None,
            Fit::Unknown if is_late => None,
            Fit::Unread | Fit::Unknown => Some(Waits { since_ms, n_news, is_loaded }),
        };
        // What it names is on its way, a moment behind it.
        if (fit == Fit::Unknown && !is_late) || other.told.as_ref() == Some(&place) {
            return;
        }
        other.told = Some(place.clone());
        let presence = self.presence.presence(device, Some(place));
        self.events.push(Event::Presence(presence));
    }

    /// A frame as a place in the text as it is here.
    fn placed(&mut self, shown: &Shown) -> (Place, Fit) {
        let mut place = Place {
            past_ms: shown.past_ms,
            is_away: shown.is_away,
            is_writing_message: shown.is_writing_message,
            ..Place::default()
        };
        let Some(look) = &shown.looks_at else { return (place, Fit::Exact) };
        let Some(node) = self.tree.get(&look.file) else { return (place, Fit::Unknown) };
        let kind = node.kind;
        if !node.alive {
            return (place, Fit::Exact);
        }
        place.path = Some(node.path.to_string());
        place.top_line = look.top.number.max(1);
        place.line = shown.more.line;
        place.selections = look.selections.iter().map(|(anchor, head)| (anchor.position, head.position)).collect();
        if kind != FileKind::Text {
            return (place, Fit::Exact);
        }
        let Some(document) = self.documents.get_mut(&look.file) else { return (place, Fit::Unread) };
        let ends = look.selections.iter().flat_map(|(anchor, head)| [*anchor, *head]);
        let spots: Vec<Spot> = [look.top.start].into_iter().chain(ends).collect();
        let (positions, is_exact) = positions_of(shown, &document.text, &spots);
        if shown.unit_of(&look.top.start).is_some() {
            place.top_line = line_at(document.text.text(), positions[0]);
        }
        place.selections = positions[1..].chunks_exact(2).map(|ends| (ends[0], ends[1])).collect();
        if let Some((_, head)) = place.selections.first() {
            place.line = line_at(document.text.text(), *head);
        }
        (place, if is_exact { Fit::Exact } else { Fit::Unknown })
    }

    fn hear_signals(&mut self, device: &DeviceId, shown: &Shown, now: Now) {
        let own = self.own.device;
        let heard = self.presence.heard.entry(*device).or_default();
        let is_fresh = |number: &u64| !heard.numbers.contains(number) && shown.is_for(*number, &own);
        let fresh: Vec<_> = shown.signals.iter().filter(|(number, _)| is_fresh(number)).collect();
        let Some((number, sign)) = fresh.last() else { return };
        heard.numbers.extend(fresh.iter().map(|(number, _)| number));
        heard.numbers.drain(..heard.numbers.len().saturating_sub(HEARD_MAX));
        let came_ms = std::mem::replace(&mut heard.came_ms, now.ms);
        if now.ms.abs_diff(came_ms) < SIGNAL_EVERY_MS {
            return;
        }
        let signal = match sign {
            Sign::AskToEdit if self.may_let_edit(device) => Some(Signal::AskToEdit),
            Sign::AskToEdit => None,
            Sign::Bring { file, line } => self.place_of_line(shown, *file, line).map(|(path, line)| {
                let is_to_one = shown.more.to_one.iter().any(|(of, _)| of == number);
                Signal::Bring { path, line, to: is_to_one.then(|| own.to_string()) }
            }),
        };
        let Some(signal) = signal else { return };
        let person = self.authors.person(device);
        self.events.push(Event::Signalled { device: device.to_string(), person, signal });
    }

    /// Whether it is the person here who could make an editor of a viewer.
    fn may_let_edit(&self, device: &DeviceId) -> bool {
        let Some(access) = self.access() else { return false };
        access.role_of(device) == Some(Role::Viewer) && access.may(&self.own.device, Act::Govern)
    }

    fn place_of_line(&mut self, shown: &Shown, file: FileId, line: &Line) -> Option<(String, u32)> {
        let path = self.tree.get(&file).filter(|node| node.alive)?.path.to_string();
        let known = self.documents.get_mut(&file).filter(|_| shown.unit_of(&line.start).is_some());
        let line = match known {
            Some(document) => {
                let (positions, is_exact) = positions_of(shown, &document.text, &[line.start]);
                if is_exact { line_at(document.text.text(), positions[0]) } else { line.number }
            }
            None => line.number,
        };
        Some((path, line.max(1)))
    }
}

fn device_of(text: &str) -> Result<DeviceId> {
    text.parse().map_err(|_| invalid("That names no member."))
}

/// Anchor and head beside units. A caret follows the unit left of it; a selection does not grow by what is written
/// beside it.
fn named_selection(shown: &mut Shown, text: Option<&TextDocument>, anchor: u32, head: u32) -> (Spot, Spot) {
    let Some(text) = text else { return (shown.spot(None, false, anchor), shown.spot(None, false, head)) };
    let length = text.len_utf16();
    let (anchor, head) = (anchor.min(length), head.min(length));
    (named_spot(shown, text, anchor, anchor >= head), named_spot(shown, text, head, head >= anchor))
}

fn named_spot(shown: &mut Shown, text: &TextDocument, position: u32, is_after: bool) -> Spot {
    let unit = if is_after { position.checked_sub(1) } else { Some(position) };
    shown.spot(unit.and_then(|unit| text.name_at(unit)), is_after, position)
}

/// Positions of spots now, and whether all that they name is known.
fn positions_of(shown: &Shown, text: &TextDocument, spots: &[Spot]) -> (Vec<u32>, bool) {
    let units: Vec<Option<(LogId, u32, u32)>> = spots.iter().map(|spot| shown.unit_of(spot)).collect();
    let names: Vec<(LogId, u32, u32)> = units.iter().flatten().copied().collect();
    let mut places = text.places_of(&names).into_iter();
    let mut is_exact = true;
    let positions = spots.iter().zip(&units).map(|(spot, unit)| {
        let place = unit.and_then(|_| places.next());
        let position = match place {
            Some(Some((position, is_visible))) => position + u32::from(is_visible && spot.is_after),
            Some(None) => {
                is_exact = false;
                spot.position
            }
            None => spot.position,
        };
        position.min(text.len_utf16())
    });
    (positions.collect(), is_exact)
}

#[cfg(test)]
mod tests;
