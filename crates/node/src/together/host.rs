//! Letting others in by a code: the invitation of a workspace, and the guests that try it. The protocol is `auth`'s;
//! here is only what it needs of the world.

use crate::config;
use codesync_auth::{
    About, Code, CodeHost, CodeHostEvent, CodeLength, Connection, DeviceKey, Invitation, Other, Place,
};
use codesync_net::{Peer, Stream, StreamId};
use std::collections::BTreeMap;

/// Guests that are looked at at a time, and those of one peer.
const GUESTS_MAX: usize = 16;

#[derive(Default)]
pub(crate) struct Host {
    pub invitation: Option<Invitation>,
    guests: BTreeMap<StreamId, Guest>,
}

struct Guest {
    stream: Stream,
    talk: Option<CodeHost>,
}

/// What a guest's frame came to.
pub(crate) enum Step {
    Nothing,
    /// Somebody knows the code: they are to be let in, then [`Host::let_in`] is to be called.
    Proved {
        stream: StreamId,
        other: Other,
        place: Place,
    },
    /// MSG-PAIR-2b and 2c.
    WrongCode,
}

impl Host {
    pub fn invite(&mut self, place: Place, is_long: bool, now_ms: u64) -> &Invitation {
        let length = if is_long { CodeLength::Long } else { CodeLength::Short };
        self.invitation.insert(Invitation::new(Code::draw(length, &random()), place, now_ms))
    }

    pub fn take(&mut self, stream: Stream) {
        // Whoever is above the limit is let go by dropping its stream.
        if self.guests.len() < GUESTS_MAX {
            self.guests.insert(stream.id, Guest { stream, talk: None });
        }
    }

    pub fn closed(&mut self, stream: StreamId) {
        self.guests.remove(&stream);
    }

    pub fn handle(
        &mut self,
        id: StreamId,
        bytes: &[u8],
        own: Peer,
        key: &DeviceKey,
        about: &About,
        now_ms: u64,
    ) -> Step {
        let Some(guest) = self.guests.get_mut(&id) else { return Step::Nothing };
        let Some(invitation) = &mut self.invitation else {
            guest.stream.send(CodeHost::no_code());
            self.guests.remove(&id);
            return Step::Nothing;
        };
        let connection = Connection { host_peer: own.0, guest_peer: guest.stream.peer.0 };
        let talk = guest.talk.get_or_insert_with(|| CodeHost::new(connection, about.clone(), random()));
        if CodeHost::channel(bytes).is_some_and(|channel| channel != invitation.code().channel()) {
            guest.stream.send(CodeHost::no_code());
            self.guests.remove(&id);
            return Step::Nothing;
        }
        let reply = talk.handle(invitation, key, bytes, now_ms);
        let is_sent = reply.send.is_none_or(|bytes| guest.stream.send(bytes));
        if reply.is_over || !is_sent {
            self.guests.remove(&id);
        }
        match reply.event {
            Some(CodeHostEvent::Proved { guest, place }) => Step::Proved { stream: id, other: guest, place },
            Some(CodeHostEvent::WrongCode { .. }) => Step::WrongCode,
            Some(CodeHostEvent::Failed(why)) => {
                tracing::debug!(%why, "pairing came to nothing");
                Step::Nothing
            }
            None => Step::Nothing,
        }
    }

    /// The grant is durable: the guest may come in.
    pub fn let_in(&mut self, id: StreamId) {
        let Some(mut guest) = self.guests.remove(&id) else { return };
        if let Some(grant) = guest.talk.as_mut().and_then(|talk| talk.grant(&[])) {
            guest.stream.send(grant);
        }
    }
}

/// Bytes that nobody can guess.
pub(crate) fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    config::fill_random(&mut bytes);
    bytes
}
