//! What admits a device at a peer, and the gate that asks for it: a token that its device signed, bound to the key of the
//! connection, and a role that the log gives it.

use super::host::random;
use codesync_auth::{Access, Act, DeviceKey, Pass, verify_token};
use codesync_base::{DeviceId, ProjectId, Role};
use codesync_engine::{Engine, Gate};
use codesync_net::Peer;
use codesync_sync::{Admission, LinkId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The key at the other end of each link.
#[derive(Clone, Default)]
pub(crate) struct Ends(Arc<Mutex<BTreeMap<LinkId, Peer>>>);

impl Ends {
    pub fn note(&self, link: LinkId, peer: Peer) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(link, peer);
    }

    pub fn forget(&self, link: LinkId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&link);
    }

    fn get(&self, link: LinkId) -> Option<Peer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&link).copied()
    }
}

/// A token for connections of this end.
pub(crate) fn token(engine: &Engine, key: &DeviceKey, own: &Peer, now_ms: u64) -> Vec<u8> {
    let access = engine.access();
    let mut id = [0; 16];
    id.copy_from_slice(&random()[..16]);
    let pass = Pass {
        project: engine.project(),
        peer: own.0,
        // What the log says counts: this is for the other end to see that both mean the same.
        role: access.and_then(|access| access.role_of(&engine.device())).unwrap_or(Role::Viewer),
        access_head: access.map(Access::head).unwrap_or_default(),
        id,
    };
    pass.issue(key, now_ms / 1_000, codesync_auth::TOKEN_SECONDS_MAX).into_bytes()
}

/// Lets members in, and `host`, who let this device in, as long as the log does not say yet who is a member.
pub(crate) fn gate(project: ProjectId, ends: Ends, host: Option<DeviceId>) -> Gate {
    Box::new(move |link, hello, access| {
        let Some(peer) = ends.get(link) else { return Admission::NotAMember };
        let Ok(token) = std::str::from_utf8(&hello.token.0) else { return Admission::NotAMember };
        // By its own clock: a computer whose clock is wrong is no other computer for that, and the token is of no use
        // on any other connection.
        let verified = match verify_token(token, &project, &peer.0, hello.wall_ms / 1_000) {
            Ok(verified) if verified.device == hello.device => verified,
            Ok(_) => return Admission::NotAMember,
            Err(why) => {
                tracing::debug!(%why, "a token opens nothing");
                return Admission::NotAMember;
            }
        };
        let is_member = access.is_some_and(|access| access.may(&verified.device, Act::Speak));
        let is_unheard_of = access.is_none_or(|access| access.membership(&verified.device).is_none());
        let is_host = host == Some(verified.device) && is_unheard_of;
        if is_member || is_host { Admission::Welcome } else { Admission::NotAMember }
    })
}
