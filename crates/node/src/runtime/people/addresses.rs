//! Where the others of a workspace were reached last: tried again when it is opened, for networks on which computers do not
//! find each other by themselves. A file in the store; losing it costs a search.

use crate::STORE_FOLDER;
use crate::join::parse_address;
use crate::runtime::Runtime;
use crate::whole::write_atomically;
use codesync_net::Address;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const FILE: &str = "state/addresses.json";
/// Devices whose addresses are kept.
const DEVICES_MAX: usize = 32;

/// By device, in hexadecimal.
pub(super) type Addresses = BTreeMap<String, String>;

/// What is not readable is as good as not there.
pub(super) fn read(root: &Path) -> Addresses {
    serde_json::from_slice(&fs::read(file(root)).unwrap_or_default()).unwrap_or_default()
}

fn file(root: &Path) -> PathBuf {
    root.join(STORE_FOLDER).join(FILE)
}

impl Runtime {
    /// Where others may be.
    pub(super) fn addresses_known(&mut self) -> Vec<Address> {
        self.people.addresses = read(&self.root);
        self.people.addresses.values().filter_map(|text| parse_address(text).ok()).collect()
    }

    /// Keeps where those are that are connected now.
    pub(super) fn note_addresses(&mut self) {
        let Some(together) = &self.people.together else { return };
        let here = self.people.linked.iter().filter_map(|(id, linked)| {
            let (address, _) = together.way_to(*id)?;
            Some((linked.device.to_string(), address.to_string()))
        });
        let before = self.people.addresses.clone();
        self.people.addresses.extend(here);
        while self.people.addresses.len() > DEVICES_MAX {
            self.people.addresses.pop_first();
        }
        if self.people.addresses == before {
            return;
        }
        let file = file(&self.root);
        let json = serde_json::to_vec_pretty(&self.people.addresses).expect("invariant: plain data has a JSON form");
        let folder = file.parent().unwrap_or(&self.root);
        if let Err(error) = fs::create_dir_all(folder).and_then(|()| write_atomically(&file, &json)) {
            tracing::debug!(%error, "where others are is not kept");
        }
    }
}
