//! placeholder
use super::*;
pub(super) fn encode(_s: &Summary, _d: &[Arc<SignedDelta>], _c: &[bool]) -> Vec<u8> { Vec::new() }
pub(super) fn decode(_s: &Summary, _d: Vec<Arc<SignedDelta>>, _t: &[u8]) -> Option<Vec<Arc<SignedDelta>>> { None }
