//! Asking to be let in, at the guest's end: one attempt, from the stream to the answer. The protocol is `auth`'s.

use crate::together::random;
use codesync_api::Joining;
use codesync_auth::{About, AskGuest, AskGuestEvent, Closed, Connection, DeviceKey, Failure, Other, Place};
use codesync_net::{Peer, Stream, StreamId};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long nobody may answer.
const WAIT: Duration = Duration::from_millis(codesync_auth::ASK_MS);

/// The two ends' clocks may differ by as much.
const LATE: Duration = Duration::from_secs(3);

pub(super) struct Ask {
    pub peer: Peer,
    /// As their card says.
    person: String,
    pub folder: PathBuf,
    pub until: Instant,
    until_ms: u64,
    talk: Option<(Stream, AskGuest)>,
}

/// What a message came to.
pub(super) enum Step {
    Nothing,
    Waiting(Joining),
    LetIn { host: Other, place: Box<Place> },
    Failed(Joining),
}

impl Ask {
    pub fn new(peer: Peer, person: String, folder: PathBuf) -> Self {
        let until_ms = crate::runtime::now().ms + codesync_auth::ASK_MS;
        Self { peer, person, folder, until: Instant::now() + WAIT, until_ms, talk: None }
    }

    pub fn opened(&mut self, stream: Stream, own: Peer, key: &DeviceKey, about: About) {
        if stream.peer != self.peer || self.talk.is_some() {
            return;
        }
        let connection = Connection { host_peer: stream.peer.0, guest_peer: own.0 };
        let (guest, first) = AskGuest::start(connection, key, about, random());
        // If it is closed already, that is told.
        stream.send(first);
        self.talk = Some((stream, guest));
    }

    /// The other end has heard of it.
    pub fn is_open(&self) -> bool {
        self.talk.is_some()
    }

    /// Whether this is about that stream.
    pub fn is_over(&self, stream: StreamId) -> bool {
        self.talk.as_ref().is_some_and(|(open, _)| open.id == stream)
    }

    pub fn handle(&mut self, key: &DeviceKey, bytes: &[u8]) -> Step {
        let Some((stream, guest)) = &mut self.talk else { return Step::Nothing };
        let reply = guest.handle(key, bytes);
        if let Some(bytes) = reply.send {
            stream.send(bytes);
        }
        match reply.event {
            None => Step::Nothing,
            Some(AskGuestEvent::Waiting { host, words }) => {
                // What comes next holds a grant.
                stream.set_frame_bytes_max(codesync_sync::limits::FRAME_BYTES_MAX as u32);
                self.person = host.about.person;
                let words = words.map(str::to_owned);
                Step::Waiting(Joining::Waiting { person: self.person.clone(), words, until_ms: self.until_ms })
            }
            Some(AskGuestEvent::LetIn { host, place, .. }) => Step::LetIn { host, place: Box::new(place) },
            Some(AskGuestEvent::Failed(failure)) => Step::Failed(match failure {
                Failure::Closed(Closed::RunOut) => self.unanswered(),
                Failure::Closed(Closed::Malformed) | Failure::Malformed | Failure::NotProved => {
                    self.failed(None, format!("{} could not be asked. Try again.", self.person))
                }
                Failure::Closed(Closed::WordsDiffer) => self.stopped(),
                Failure::Closed(_) => {
                    self.failed(Some("MSG-PAIR-5"), format!("{} can't let you in right now.", self.person))
                }
                Failure::Version(_) => self.failed(None, crate::join::other_version().message),
            }),
        }
    }

    /// The other end is told.
    pub fn cancel(&mut self) {
        if let Some((stream, guest)) = &mut self.talk {
            stream.send(guest.cancel());
        }
    }

    /// MSG-PAIR-4.
    pub fn unanswered(&self) -> Joining {
        self.failed(Some("MSG-PAIR-4"), format!("{} hasn't answered. They may be away.", self.person))
    }

    pub fn words_differ(mut self) -> Joining {
        self.cancel();
        self.stopped()
    }

    /// MSG-PAIR-6, whoever of the two saw it.
    fn stopped(&self) -> Joining {
        let sentence = format!(
            "The words are different, so this may not be {}'s computer. We stopped. Nothing was shared.",
            self.person
        );
        self.failed(Some("MSG-PAIR-6"), sentence)
    }

    /// The other end is gone, or let this one go because the time is over.
    pub fn gone(&self) -> Joining {
        if self.until.saturating_duration_since(Instant::now()) < LATE {
            return self.unanswered();
        }
        self.failed(None, format!("{} is not there any more.", self.person))
    }

    fn failed(&self, id: Option<&str>, sentence: String) -> Joining {
        Joining::Failed { id: id.map(str::to_owned), sentence, n_tries_left: None }
    }
}
