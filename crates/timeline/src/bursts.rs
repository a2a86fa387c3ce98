//! What belongs together for the eye: a burst is one author's typing without a pause, or one whole act.

use crate::deltas::Deltas;
use codesync_base::Origin;

/// A pause longer than this ends a burst.
pub const BURST_GAP_MS: u64 = 2_000;
/// A pause longer than this is folded on the activity axis.
pub const IDLE_GAP_MS: u64 = 60_000;

/// What a change shows to tell whether the next one continues its burst.
#[derive(Clone, Copy)]
pub(crate) struct Beat {
    pub delta: u32,
    pub at_ms: u64,
}

/// Whether `next` continues what `previous` belongs to.
pub(crate) fn continues(deltas: &Deltas, previous: Beat, next: Beat) -> bool {
    let pause_ms = next.at_ms.abs_diff(previous.at_ms);
    let origin = deltas.origin(next.delta);
    if deltas.is_same_group(previous.delta, next.delta) {
        return origin != Origin::Typing || pause_ms <= BURST_GAP_MS;
    }
    let is_same_kind = origin == deltas.origin(previous.delta) && is_running(origin);
    is_same_kind && deltas.author(previous.delta) == deltas.author(next.delta) && pause_ms <= BURST_GAP_MS
}

/// Small changes that flow into each other. Anything else is an act: seen and stepped over as a whole.
fn is_running(origin: Origin) -> bool {
    matches!(origin, Origin::Typing | Origin::CommandLine | Origin::Disk)
}
