//! The people whom this device has met: which key is whose. Plain data that the node keeps beside the device's own key;
//! nothing in it gives a right to anything.

use crate::names::is_same_name;
use codesync_base::{DeviceId, limits};
use serde::{Deserialize, Serialize};

/// People that are remembered; those not seen for longest are forgotten first.
pub const PEOPLE_MAX: usize = 1_000;

/// A device that was paired with, and the person at it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Remembered {
    #[serde(with = "text")]
    pub device: DeviceId,
    pub person: String,
    pub device_name: String,
    /// Index into the table of author colours.
    pub color: u32,
    /// Unix milliseconds.
    pub last_seen_ms: u64,
}

/// Everybody who is remembered.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct People {
    people: Vec<Remembered>,
}

/// Whether somebody is who they were.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acquaintance<'a> {
    Stranger,
    /// No words need be compared: the key is the same.
    Known(&'a Remembered),
    /// MSG-PAIR-7: somebody of that name is known with another key.
    KnownOtherwise(&'a Remembered),
}

impl People {
    /// Everybody, those last seen first.
    pub fn all(&self) -> &[Remembered] {
        &self.people
    }

    /// Remembers a device, or that it was seen again.
    pub fn remember(&mut self, mut met: Remembered) {
        for name in [&mut met.person, &mut met.device_name] {
            name.truncate(name.floor_char_boundary(limits::PERSON_NAME_BYTES_MAX));
        }
        if let Some(place) = self.people.iter().position(|known| known.device == met.device) {
            let known = self.people.remove(place);
            met.last_seen_ms = met.last_seen_ms.max(known.last_seen_ms);
        }
        self.people.push(met);
        self.people.sort_by(|a, b| b.last_seen_ms.cmp(&a.last_seen_ms).then(a.device.cmp(&b.device)));
        self.people.truncate(PEOPLE_MAX);
    }

    /// True when it was known.
    pub fn forget(&mut self, device: &DeviceId) -> bool {
        let n_before = self.people.len();
        self.people.retain(|known| known.device != *device);
        self.people.len() < n_before
    }

    /// Who somebody is that has shown that they have this key and says that this is their name.
    pub fn recognise(&self, device: &DeviceId, person: &str) -> Acquaintance<'_> {
        if let Some(known) = self.people.iter().find(|known| known.device == *device) {
            return Acquaintance::Known(known);
        }
        let has_name = |known: &&Remembered| is_same_name(&known.person, person);
        self.people.iter().find(has_name).map_or(Acquaintance::Stranger, Acquaintance::KnownOtherwise)
    }
}

mod text {
    use codesync_base::DeviceId;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(device: &DeviceId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(device)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DeviceId, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn met(device: u8, person: &str, last_seen_ms: u64) -> Remembered {
        Remembered {
            device: DeviceId([device; 32]),
            person: person.into(),
            device_name: "x".into(),
            color: 3,
            last_seen_ms,
        }
    }

    #[test]
    fn who_was_met_is_known_and_another_key_is_noticed() {
        let mut people = People::default();
        people.remember(met(1, "Bo", 5));
        people.remember(met(2, "Lin", 9));
        people.remember(met(1, "Bo B", 7));
        assert_eq!(people.all().iter().map(|known| known.person.as_str()).collect::<Vec<_>>(), ["Lin", "Bo B"]);
        assert!(matches!(people.recognise(&DeviceId([1; 32]), "Eve"), Acquaintance::Known(_)));
        assert!(matches!(people.recognise(&DeviceId([3; 32]), " bo b"), Acquaintance::KnownOtherwise(_)));
        assert!(matches!(
            people.recognise(&DeviceId([3; 32]), "Bo\u{200b} B\u{200d}"),
            Acquaintance::KnownOtherwise(_)
        ));
        assert_eq!(people.recognise(&DeviceId([3; 32]), "Ravi"), Acquaintance::Stranger);
        assert!(people.forget(&DeviceId([1; 32])) && !people.forget(&DeviceId([1; 32])));
    }

    #[test]
    fn the_longest_unseen_are_forgotten_first() {
        let mut people = People::default();
        for n in 0..PEOPLE_MAX as u64 + 5 {
            let device = DeviceId(*blake3::hash(&n.to_le_bytes()).as_bytes());
            people.remember(Remembered { device, ..met(0, "x", n) });
        }
        assert_eq!(people.all().len(), PEOPLE_MAX);
        assert_eq!(people.all().last().unwrap().last_seen_ms, 5);
    }

    #[test]
    fn the_file_reads_as_it_was_written() {
        let mut people = People::default();
        people.remember(met(171, "Bo", 5));
        let json = serde_json::to_string(&people).unwrap();
        let device = "ab".repeat(32);
        let expected = format!(
            r#"{{"people":[{{"device":"{device}","person":"Bo","deviceName":"x","color":3,"lastSeenMs":5}}]}}"#
        );
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_str::<People>(&json).unwrap(), people);
        // As earlier programs wrote it.
        let earlier = json.replace("}]", r#","vouchedBy":null}]"#);
        assert_eq!(serde_json::from_str::<People>(&earlier).unwrap(), people);
    }
}
