//! What admits a device at a peer, and the gate that asks for it: a token that its device signed, bound to the key of the
//! connection, and a role that the log gives it.

use super::host::random;
use codesync_auth::{Access, Act, DeviceKey, Pass, verify_token};
use codesync_base::{DeviceId, ProjectId, Role};
use codesync_engine::{Engine, Gate};
use codesync_net::Peer;
use codesync_sync::{Admission, LinkId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Links with one device at a time. It may have more than one copy of a workspace, and come again before its old link is
/// found dead.
const LINKS_PER_DEVICE_MAX: usize = 4;

/// The other end of each link, from its beginning until its stream is closed.
#[derive(Clone, Default)]
pub(crate) struct Ends(Arc<Mutex<BTreeMap<LinkId, End>>>);

struct End {
    /// The key of the connection.
    peer: Peer,
    /// Once it was admitted.
    device: Option<DeviceId>,
}

impl Ends {
    pub fn note(&self, link: LinkId, peer: Peer) {
        self.lock().insert(link, End { peer, device: None });
    }

    pub fn forget(&self, link: LinkId) {
        self.lock().remove(&link);
    }

    fn peer(&self, link: LinkId) -> Option<Peer> {
        self.lock().get(&link).map(|end| end.peer)
    }

    /// Takes a place among the links with a device, if there is one.
    fn take_place(&self, link: LinkId, device: DeviceId) -> Admission {
        let mut ends = self.lock();
        if ends.values().filter(|end| end.device == Some(device)).count() >= LINKS_PER_DEVICE_MAX {
            return Admission::Busy;
        }
        ends.entry(link).and_modify(|end| end.device = Some(device));
        Admission::Welcome
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<LinkId, End>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let Some(peer) = ends.peer(link) else { return Admission::NotAMember };
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
        if is_member || is_host { ends.take_place(link, verified.device) } else { Admission::NotAMember }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use codesync_base::DeltaHash;
    use codesync_sync::{Bytes, Hello};

    const PROJECT: ProjectId = ProjectId([1; 16]);

    /// A device says Hello, over a connection that no other of its links is on.
    fn comes(ends: &Ends, key: &DeviceKey, link: u64) -> Admission {
        let peer = Peer([link as u8; 32]);
        ends.note(LinkId(link), peer);
        let pass =
            Pass { project: PROJECT, peer: peer.0, role: Role::Viewer, access_head: DeltaHash::ZERO, id: [0; 16] };
        let hello = Hello {
            oldest: 1,
            newest: 1,
            software: "0.1.0".into(),
            project: PROJECT,
            device: key.device(),
            wall_ms: 1_000_000,
            token: Bytes(pass.issue(key, 1_000, 60).into_bytes()),
        };
        gate(PROJECT, ends.clone(), Some(key.device()))(LinkId(link), &hello, None)
    }

    #[test]
    fn a_device_has_some_links_and_another_one_once_the_stream_of_an_old_one_is_closed() {
        let (ends, key) = (Ends::default(), DeviceKey::from_seed(&[1; 32]));
        for link in 0..LINKS_PER_DEVICE_MAX as u64 {
            assert_eq!(comes(&ends, &key, link), Admission::Welcome);
        }
        assert_eq!(comes(&ends, &key, 100), Admission::Busy);
        ends.forget(LinkId(100));
        assert_eq!(comes(&ends, &DeviceKey::from_seed(&[2; 32]), 101), Admission::Welcome);
        ends.forget(LinkId(0));
        assert_eq!(comes(&ends, &key, 102), Admission::Welcome);
        assert_eq!(comes(&ends, &key, 103), Admission::Busy);
    }
}
