//! Leaving a workspace, and who of the others did. Whoever leaves says so over every link that there is; who is away then
//! hears nothing of it, and sees them as offline. Kept with the workspace: losing it costs a word.

use super::LEFT;
use crate::runtime::{Result, Runtime, now};
use crate::{STORE_FOLDER, state};
use codesync_api::Reply;
use codesync_base::DeviceId;
use codesync_sync::{LinkId, Reason};
use std::collections::BTreeMap;
use std::path::Path;

const OTHERS_LEFT: &str = "others-left";

/// When others left, Unix milliseconds. In its file devices are in hexadecimal.
pub(super) type Left = BTreeMap<DeviceId, u64>;

/// What is not readable is as good as not there.
pub(super) fn read(store: &Path) -> Left {
    let Ok(Reply::State { value: Some(kept) }) = state::get(store, OTHERS_LEFT) else { return Left::new() };
    let kept: BTreeMap<String, u64> = serde_json::from_str(&kept).unwrap_or_default();
    kept.into_iter().filter_map(|(device, at_ms)| Some((device.parse().ok()?, at_ms))).collect()
}

impl Runtime {
    /// Takes no part any more until it is asked for anew. The copy stays, and so does its history.
    pub(in crate::runtime) fn leave(&mut self) -> Result<Reply> {
        state::put(&self.root.join(STORE_FOLDER), LEFT, "true")?;
        self.people.is_stale = true;
        (self.people.has_left, self.people.host.is_shared) = (true, false);
        self.say_goodbye();
        self.part();
        Ok(Reply::Done)
    }

    fn say_goodbye(&mut self) {
        let Some(together) = self.people.together.take() else { return };
        let moment = together.moment(now().ms);
        self.people.linked.keys().for_each(|id| self.engine.end_link(*id, Reason::Leaving, moment));
        together.end_after_last_words(&mut self.engine);
    }

    /// The person at the other end said that they leave.
    pub(super) fn note_left(&mut self, id: LinkId) {
        let Some(linked) = self.people.linked.get(&id) else { return };
        self.people.left.insert(linked.device, now().ms);
        self.keep_left();
    }

    pub(super) fn note_back(&mut self, device: &DeviceId) {
        if self.people.left.remove(device).is_some() {
            self.keep_left();
        }
    }

    fn keep_left(&self) {
        let left: BTreeMap<String, u64> =
            self.people.left.iter().map(|(device, at_ms)| (device.to_string(), *at_ms)).collect();
        let json = serde_json::to_string(&left).expect("invariant: plain data has a JSON form");
        if let Err(error) = state::put(&self.root.join(STORE_FOLDER), OTHERS_LEFT, &json) {
            tracing::debug!(%error, "who left is not kept");
        }
    }
}
