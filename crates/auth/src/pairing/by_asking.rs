//! Pairing without a code: the guest asks, and both screens show two words that the persons compare. The host commits
//! to its half of them before it knows the guest's, and shows it last. So somebody in between has one guess in 2^20 for
//! each time that the host's person is asked; what they try and break off before that shows them nothing.

use super::message::{Closed, Message};
use super::{
    ASK_MS, About, Connection, Failure, GRANT_BYTES_MAX, GUEST_CONTEXT, HOST_CONTEXT, LET_IN_CONTEXT, Other, Place,
    Reply, digest, fail, is_over, is_same, is_signed, random, sign,
};
use crate::{DeviceKey, words};

/// The host's end.
pub struct AskHost {
    connection: Connection,
    about: About,
    seed: [u8; 32],
    until_ms: u64,
    state: HostState,
}

enum HostState {
    Fresh,
    Committed { guest: Other },
    Asked { said: [u8; 32] },
    Over,
}

/// What happened at the host's end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AskHostEvent {
    /// To be shown, until it is answered with [`AskHost::let_in`], [`AskHost::decline`] or [`AskHost::words_differ`].
    /// Whoever is remembered by this device needs no words: it has shown that it has the same key.
    Asked {
        guest: Other,
        words: [&'static str; 2],
    },
    Failed(Failure),
}

/// The guest's end.
pub struct AskGuest {
    connection: Connection,
    about: About,
    seed: [u8; 32],
    state: GuestState,
}

enum GuestState {
    Asked,
    Halved { host: Other, commitment: [u8; 32], said: [u8; 32] },
    Waiting { host: Other, said: [u8; 32] },
    Over,
}

/// What happened at the guest's end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AskGuestEvent {
    /// To be shown while waiting.
    Waiting {
        host: Other,
        words: [&'static str; 2],
    },
    LetIn {
        host: Other,
        place: Place,
        grant: Vec<u8>,
    },
    Failed(Failure),
}

impl AskHost {
    /// For a connection over which a guest asks. `seed`: 32 random bytes, new for each.
    pub fn new(connection: Connection, about: About, seed: [u8; 32], now_ms: u64) -> Self {
        Self { connection, about, seed, until_ms: now_ms.saturating_add(ASK_MS), state: HostState::Fresh }
    }

    /// Whether a first message asks without a code.
    pub fn is_for(first: &[u8]) -> bool {
        matches!(Message::decode(first, false), Ok(Message::Ask { .. }))
    }

    /// After this nobody is let in any more.
    pub fn until_ms(&self) -> u64 {
        self.until_ms
    }

    pub fn is_over(&self, now_ms: u64) -> bool {
        is_over(self.until_ms, ASK_MS, now_ms)
    }

    pub fn handle(&mut self, key: &DeviceKey, bytes: &[u8], now_ms: u64) -> Reply<AskHostEvent> {
        let state = std::mem::replace(&mut self.state, HostState::Over);
        let message = match Message::decode(bytes, false) {
            Ok(Message::Closed(closed)) => return fail(AskHostEvent::Failed, Failure::Closed(closed)),
            Ok(message) => message,
            Err(failure) => return fail(AskHostEvent::Failed, failure),
        };
        if self.is_over(now_ms) {
            return Reply::send(&Message::Closed(Closed::RunOut)).over();
        }
        let nonce = random(&self.seed, "nonce");
        match (state, message) {
            (HostState::Fresh, Message::Ask { device, about }) if about.is_sound() => {
                let commitment = commitment(&nonce);
                let message = Message::Commit { device: key.device(), about: self.about.clone(), commitment };
                self.state = HostState::Committed { guest: Other { device, about } };
                Reply::send(&message)
            }
            (HostState::Committed { guest }, Message::Half { nonce: guest_nonce, signature }) => {
                let host = Other { device: key.device(), about: self.about.clone() };
                let open = opened(&self.connection, &guest, &host, &commitment(&nonce), &guest_nonce);
                if !is_signed(&guest.device, GUEST_CONTEXT, &open, &signature) {
                    return fail(AskHostEvent::Failed, Failure::NotProved);
                }
                let said = whole(&open, &nonce);
                let message = Message::Reveal { nonce, signature: sign(key, HOST_CONTEXT, &said) };
                self.state = HostState::Asked { said };
                Reply::send(&message).with(AskHostEvent::Asked { guest: guest.plain(), words: words_of(&said) })
            }
            _ => fail(AskHostEvent::Failed, Failure::Malformed),
        }
    }

    /// The person said yes. None when nobody asks (any more), or the grant is too long.
    pub fn let_in(&mut self, key: &DeviceKey, place: &Place, grant: &[u8], now_ms: u64) -> Option<Vec<u8>> {
        if self.is_over(now_ms) || grant.len() > GRANT_BYTES_MAX {
            return None;
        }
        let HostState::Asked { said } = std::mem::replace(&mut self.state, HostState::Over) else { return None };
        let place = postcard::to_stdvec(place).expect("invariant: writing to memory cannot fail");
        let signature = sign(key, LET_IN_CONTEXT, &handed_over(&said, &place, grant));
        Some(Message::LetIn { place, grant: grant.to_vec(), signature }.encode())
    }

    /// The person said no, or nothing. The guest learns no more than that.
    pub fn decline(&mut self) -> Vec<u8> {
        self.close(Closed::Declined)
    }

    /// The person said that the words differ (MSG-PAIR-6): the guest, if it is who it says, is not to try again.
    pub fn words_differ(&mut self) -> Vec<u8> {
        self.close(Closed::WordsDiffer)
    }

    fn close(&mut self, why: Closed) -> Vec<u8> {
        self.state = HostState::Over;
        Message::Closed(why).encode()
    }
}

impl AskGuest {
    /// Begins; the message is the first to send. `seed`: 32 random bytes, new for each.
    pub fn start(connection: Connection, key: &DeviceKey, about: About, seed: [u8; 32]) -> (Self, Vec<u8>) {
        let ask = Message::Ask { device: key.device(), about: about.clone() };
        (Self { connection, about, seed, state: GuestState::Asked }, ask.encode())
    }

    /// The person pressed Cancel, or said that the words differ (MSG-PAIR-6).
    pub fn cancel(&mut self) -> Vec<u8> {
        self.state = GuestState::Over;
        Message::Closed(Closed::Cancelled).encode()
    }

    pub fn handle(&mut self, key: &DeviceKey, bytes: &[u8]) -> Reply<AskGuestEvent> {
        let state = std::mem::replace(&mut self.state, GuestState::Over);
        let is_proved = matches!(state, GuestState::Waiting { .. });
        let message = match Message::decode(bytes, is_proved) {
            Ok(Message::Closed(closed)) => return fail(AskGuestEvent::Failed, Failure::Closed(closed)),
            Ok(message) => message,
            Err(failure) => return fail(AskGuestEvent::Failed, failure),
        };
        match (state, message) {
            (GuestState::Asked, Message::Commit { device, about, commitment }) if about.is_sound() => {
                let nonce = random(&self.seed, "nonce");
                let guest = Other { device: key.device(), about: self.about.clone() };
                let host = Other { device, about };
                let said = opened(&self.connection, &guest, &host, &commitment, &nonce);
                let message = Message::Half { nonce, signature: sign(key, GUEST_CONTEXT, &said) };
                self.state = GuestState::Halved { host, commitment, said };
                Reply::send(&message)
            }
            (GuestState::Halved { host, commitment: committed, said }, Message::Reveal { nonce, signature }) => {
                let whole = whole(&said, &nonce);
                let is_so = is_same(commitment(&nonce), committed);
                if !is_so || !is_signed(&host.device, HOST_CONTEXT, &whole, &signature) {
                    return fail(AskGuestEvent::Failed, Failure::NotProved);
                }
                self.state = GuestState::Waiting { host: host.clone(), said: whole };
                Reply::silent(AskGuestEvent::Waiting { host: host.plain(), words: words_of(&whole) })
            }
            (GuestState::Waiting { host, said }, Message::LetIn { place, grant, signature }) => {
                let is_so = is_signed(&host.device, LET_IN_CONTEXT, &handed_over(&said, &place, &grant), &signature);
                match postcard::from_bytes::<Place>(&place) {
                    Ok(place) if is_so => {
                        let (host, place) = (host.plain(), place.plain());
                        Reply::silent(AskGuestEvent::LetIn { host, place, grant }).over()
                    }
                    _ => fail(AskGuestEvent::Failed, Failure::NotProved),
                }
            }
            _ => fail(AskGuestEvent::Failed, Failure::Malformed),
        }
    }
}

/// All that was said before the host shows its half.
fn opened(
    connection: &Connection,
    guest: &Other,
    host: &Other,
    commitment: &[u8; 32],
    guest_nonce: &[u8; 32],
) -> [u8; 32] {
    let names = |other: &Other| [other.about.person.clone(), other.about.device_name.clone()];
    let ([guest_person, guest_device], [host_person, host_device]) = (names(guest), names(host));
    digest(
        "codesync 2026 pairing by asking",
        &[
            &connection.host_peer,
            &connection.guest_peer,
            &guest.device.0,
            guest_person.as_bytes(),
            guest_device.as_bytes(),
            &host.device.0,
            host_person.as_bytes(),
            host_device.as_bytes(),
            commitment,
            guest_nonce,
        ],
    )
}

fn whole(opened: &[u8; 32], host_nonce: &[u8; 32]) -> [u8; 32] {
    digest("codesync 2026 pairing by asking, whole", &[opened, host_nonce])
}

fn handed_over(said: &[u8; 32], place: &[u8], grant: &[u8]) -> [u8; 32] {
    digest("codesync 2026 pairing let in", &[said, place, grant])
}

fn commitment(nonce: &[u8; 32]) -> [u8; 32] {
    digest("codesync 2026 pairing half of the words", &[nonce])
}

/// Twenty bits of all that was said.
fn words_of(said: &[u8; 32]) -> [&'static str; 2] {
    let bits = digest("codesync 2026 pairing words", &[said]);
    [0, 2].map(|at| words::word(u16::from_le_bytes([bits[at], bits[at + 1]]) % 1_024))
}
