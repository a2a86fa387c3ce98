//! Who made changes: their names and colours, as timelines, blame and lists show them.

use codesync_api::Author;
use codesync_base::limits::AUTHOR_COLORS;
use codesync_base::{DeviceId, LogId, Origin, StepKey};
use codesync_timeline::AuthorIdx;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Who made changes, numbered in the order of first appearance. Number 0 is "Disk".
#[derive(Default)]
pub(crate) struct Authors {
    /// A device is one author, however often its log began anew.
    devices: Vec<DeviceId>,
    /// Whose workspace it was first.
    founder: Option<DeviceId>,
    pub names: BTreeMap<DeviceId, String>,
    /// What each device's computer is called.
    pub device_names: BTreeMap<DeviceId, String>,
    /// What each log says of its person.
    pub sessions: BTreeMap<LogId, String>,
    /// The newest word of each device on its colour.
    wishes: BTreeMap<DeviceId, (StepKey, Option<u8>)>,
    /// How authors are shown, made when first asked for: every moment that is looked at tells its author.
    shown: RefCell<BTreeMap<AuthorIdx, Author>>,
}

impl Authors {
    pub fn index(&mut self, log: &LogId, origin: Origin) -> AuthorIdx {
        if origin.is_disk() {
            return AuthorIdx(0);
        }
        let at = self.devices.iter().position(|known| *known == log.device).unwrap_or_else(|| {
            self.devices.push(log.device);
            self.shown.borrow_mut().clear();
            self.devices.len() - 1
        });
        AuthorIdx(at as u16 + 1)
    }

    /// A log says who works with it, and at which computer where that is known.
    pub fn name(&mut self, log: &LogId, person: &str, device_name: Option<&str>) {
        self.shown.borrow_mut().clear();
        self.sessions.insert(*log, person.to_owned());
        self.names.insert(log.device, person.to_owned());
        if let Some(device_name) = device_name.filter(|name| !name.is_empty()) {
            self.device_names.insert(log.device, device_name.to_owned());
        }
        self.index(log, Origin::Session);
    }

    /// The person at a device asks for a colour.
    pub fn wish(&mut self, key: StepKey, color: Option<u8>) {
        self.shown.borrow_mut().clear();
        self.index(&key.delta.log, Origin::Session);
        let newest = self.wishes.entry(key.delta.log.device).or_insert((key, color));
        if newest.0 < key {
            *newest = (key, color);
        }
    }

    pub fn wished(&self, device: &DeviceId) -> Option<u8> {
        self.wishes.get(device).and_then(|(_, color)| *color)
    }

    /// What logs said of their people is read again.
    pub fn forget_names(&mut self) {
        self.shown.borrow_mut().clear();
        self.sessions.clear();
        self.names.clear();
        self.device_names.clear();
        self.wishes.clear();
    }

    pub fn person(&self, device: &DeviceId) -> String {
        self.names.get(device).cloned().unwrap_or_else(|| format!("Device {}", device.short()))
    }

    pub fn shown(&self, index: AuthorIdx) -> Author {
        self.shown.borrow_mut().entry(index).or_insert_with(|| self.described(index)).clone()
    }

    /// Who the founder is decides who keeps a colour that two would have.
    pub fn set_founder(&mut self, founder: DeviceId) {
        self.founder = Some(founder);
        self.shown.borrow_mut().clear();
    }

    /// Each has the colour that they chose, else the one that their key asks for, or the next one that fewest have. The
    /// founder comes first, then those who chose, then the others, by their keys. So it depends on who there is, not on
    /// when they were heard of.
    pub fn color(&self, device: &DeviceId) -> u8 {
        let mut everybody = self.devices.clone();
        if !everybody.contains(device) {
            everybody.push(*device);
        }
        everybody.sort_by_key(|known| (Some(*known) != self.founder, self.wished(known).is_none(), known.0));
        let mut n_with = [0_u32; AUTHOR_COLORS as usize];
        for known in everybody {
            let first = self.wished(&known).unwrap_or(blake3::hash(&known.0).as_bytes()[0]);
            let colors = (0..AUTHOR_COLORS).map(|step| first.wrapping_add(step) % AUTHOR_COLORS);
            let color = colors.min_by_key(|color| n_with[usize::from(*color)]).unwrap_or_default();
            if known == *device {
                return color;
            }
            n_with[usize::from(color)] += 1;
        }
        0
    }

    fn described(&self, index: AuthorIdx) -> Author {
        match usize::from(index.0).checked_sub(1).and_then(|at| self.devices.get(at)) {
            None => Author { id: "disk".into(), name: "Disk".into(), initials: "D".into(), color: None },
            Some(device) => {
                let name = self.person(device);
                Author { id: device.to_string(), initials: initials(&name), name, color: Some(self.color(device)) }
            }
        }
    }
}

/// Whoever wrote what was there when a copy began that is told nothing of the past.
pub(crate) fn before() -> Author {
    Author { id: "before".into(), name: "Before you came".into(), initials: "–".into(), color: None }
}

/// "Asha Rao" → "AR", "asha" → "AS".
fn initials(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    let letters: String = match words.as_slice() {
        [first, .., last] => first.chars().take(1).chain(last.chars().take(1)).collect(),
        [only] => only.chars().take(2).collect(),
        [] => "?".into(),
    };
    letters.to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authors(devices: &[u8], founder: u8) -> Authors {
        let mut authors = Authors::default();
        for device in devices {
            authors.index(&LogId { device: DeviceId([*device; 32]), incarnation: 1 }, Origin::Typing);
        }
        authors.set_founder(DeviceId([founder; 32]));
        authors
    }

    fn wish(authors: &mut Authors, device: u8, wall_ms: u64, color: Option<u8>) {
        let log = LogId { device: DeviceId([device; 32]), incarnation: 1 };
        let hlc = codesync_base::Hlc { wall_ms, counter: 0 };
        let delta = codesync_base::DeltaKey { hlc, log, seq: 1, hash: codesync_base::DeltaHash::ZERO };
        authors.wish(StepKey { delta, step_idx: 0 }, color);
    }

    #[test]
    fn whoever_chooses_a_colour_has_it_unless_somebody_earlier_does() {
        let color = |authors: &Authors, n: u8| authors.color(&DeviceId([n; 32]));
        let mut all = authors(&[1, 2, 3, 4], 4);
        let of_founder = color(&all, 4);
        let free = (0..8)
            .find(|free| (1..=4).all(|n| color(&all, n) != *free))
            .expect("invariant: eight colours, four of them taken");
        wish(&mut all, 3, 10, Some(free));
        assert_eq!(color(&all, 3), free);
        // The newest word counts, in whichever order the words come.
        wish(&mut all, 3, 5, Some(of_founder));
        assert_eq!(color(&all, 3), free);
        wish(&mut all, 3, 20, Some(of_founder));
        assert_eq!(color(&all, 4), of_founder);
        assert_ne!(color(&all, 3), of_founder);
        wish(&mut all, 3, 30, None);
        assert_eq!(color(&all, 3), color(&authors(&[1, 2, 3, 4], 4), 3));
    }

    #[test]
    fn colours_depend_on_who_there_is_and_differ_while_they_can() {
        let (one, other) = (authors(&[1, 2, 3, 4, 5, 6, 7, 8], 4), authors(&[8, 3, 5, 1, 2, 7, 6, 4], 4));
        let colors = |authors: &Authors| (1..=8).map(|n| authors.color(&DeviceId([n; 32]))).collect::<Vec<_>>();
        assert_eq!(colors(&one), colors(&other));
        let different: std::collections::BTreeSet<_> = colors(&one).into_iter().collect();
        assert_eq!(different.len(), 8);
        // Whoever is first keeps theirs, whoever comes.
        let founder = DeviceId([4; 32]);
        assert_eq!(authors(&[4], 4).color(&founder), one.color(&founder));
    }
}
