//! Pairing with a code. SPAKE2 turns the few bits of the code into a key; each end shows that it has the key before
//! it says anything about itself. Everything that is said later was committed to before, so that it is part of what
//! the key depends on: both devices, the project, the role.

use super::message::{Closed, Message, Signed};
use super::{
    About, Connection, Failure, GRANT_BYTES_MAX, GUEST_CONTEXT, HOST_CONTEXT, LONG_CODE_MS, Other, Place, Reply,
    SHORT_CODE_MS, TRIES_MAX, digest, fail, is_over, is_same, is_signed, random, sign,
};
use crate::pake::{Ends, Exchange};
use crate::seal::Channel;
use crate::{Code, CodeLength, DeviceKey};
use codesync_base::DeviceId;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A code that was given out, and what whoever says it is let into. Used once.
#[derive(Clone, Debug)]
pub struct Invitation {
    code: Code,
    place: Place,
    until_ms: u64,
    n_wrong: u32,
    is_used: bool,
}

/// Whether a code can be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InvitationState {
    Open,
    Used,
    /// After too many wrong tries.
    SwitchedOff,
    RunOut,
}

/// The host's end of one pairing with a code.
pub struct CodeHost {
    connection: Connection,
    about: About,
    seed: [u8; 32],
    /// What the guest knocked for: no other invitation is any of its business.
    code: Option<Code>,
    /// What the guest was promised, as the invitation stood then.
    place: Option<Place>,
    state: HostState,
}

enum HostState {
    Fresh,
    Answered { exchange: Exchange, hidden: Vec<u8>, said: Said },
    Matched { keys: Keys, guest_commitment: [u8; 32], transcript: [u8; 32] },
    Proved { keys: Keys },
    Over,
}

/// What happened at the host's end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CodeHostEvent {
    /// MSG-PAIR-2b; at zero tries left, MSG-PAIR-2c.
    WrongCode {
        n_left: u32,
    },
    /// The code was right and is used. Now [`CodeHost::grant`].
    Proved {
        guest: Other,
        place: Place,
    },
    Failed(Failure),
}

/// The guest's end of one pairing with a code.
pub struct CodeGuest {
    code: Code,
    connection: Connection,
    seed: [u8; 32],
    hidden: Vec<u8>,
    state: GuestState,
}

enum GuestState {
    Knocked,
    Tried { key: [u8; 32], said: Said },
    Matched { keys: Keys },
    Over,
}

/// What happened at the guest's end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CodeGuestEvent {
    /// The other end knows the code, too. What is to be sent now uses it up: whoever does not want this place after all
    /// does not send it.
    Proved {
        host: Other,
        place: Place,
    },
    /// One is in: what the host handed over.
    Granted(Vec<u8>),
    Failed(Failure),
}

/// All that was said in the open.
#[derive(Clone, Copy)]
struct Said {
    connection: Connection,
    channel: u8,
    guest_commitment: [u8; 32],
    host_commitment: [u8; 32],
    host_share: [u8; 32],
    guest_share: [u8; 32],
}

struct Keys {
    guest_proof: [u8; 32],
    host_proof: [u8; 32],
    to_guest: Channel,
    to_host: Channel,
}

/// What an end commits to. The salt keeps it from being guessed.
#[derive(Serialize, Deserialize)]
struct Hidden<T> {
    salt: [u8; 32],
    device: DeviceId,
    about: About,
    more: T,
}

/// The same, shown, with proof that the device's key is there.
#[derive(Serialize, Deserialize)]
struct Shown {
    hidden: Vec<u8>,
    signature: Signed,
}

impl Invitation {
    pub fn new(code: Code, place: Place, now_ms: u64) -> Self {
        let until_ms = now_ms.saturating_add(stands_ms(&code));
        Self { code, place, until_ms, n_wrong: 0, is_used: false }
    }

    pub fn code(&self) -> &Code {
        &self.code
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Another role, say, for who has not knocked yet. The code stays.
    pub fn set_place(&mut self, place: Place) {
        self.place = place;
    }

    pub fn until_ms(&self) -> u64 {
        self.until_ms
    }

    pub fn n_wrong(&self) -> u32 {
        self.n_wrong
    }

    pub fn state(&self, now_ms: u64) -> InvitationState {
        match self {
            Self { is_used: true, .. } => InvitationState::Used,
            Self { n_wrong: TRIES_MAX.., .. } => InvitationState::SwitchedOff,
            Self { until_ms, code, .. } if is_over(*until_ms, stands_ms(code), now_ms) => InvitationState::RunOut,
            _ => InvitationState::Open,
        }
    }

    fn open(&self, now_ms: u64) -> Result<(), Closed> {
        match self.state(now_ms) {
            InvitationState::Open => Ok(()),
            InvitationState::Used => Err(Closed::NoCode),
            InvitationState::SwitchedOff => Err(Closed::SwitchedOff),
            InvitationState::RunOut => Err(Closed::RunOut),
        }
    }
}

fn stands_ms(code: &Code) -> u64 {
    match code.length() {
        CodeLength::Short => SHORT_CODE_MS,
        CodeLength::Long => LONG_CODE_MS,
    }
}

impl CodeHost {
    /// For a connection over which a guest knocks. `seed`: 32 random bytes, new for each.
    pub fn new(connection: Connection, about: About, seed: [u8; 32]) -> Self {
        Self { connection, about, seed, code: None, place: None, state: HostState::Fresh }
    }

    /// The channel that a first message asks for, to find the invitation that it is for.
    pub fn channel(first: &[u8]) -> Option<u8> {
        match Message::decode(first, false) {
            Ok(Message::Knock { channel, .. }) => Some(channel),
            _ => None,
        }
    }

    /// The answer where there is no invitation on that channel.
    pub fn no_code() -> Vec<u8> {
        Message::Closed(Closed::NoCode).encode()
    }

    /// Takes a message of the guest. All pairings of one invitation share it; one that was begun with another is over.
    pub fn handle(
        &mut self,
        invitation: &mut Invitation,
        key: &DeviceKey,
        bytes: &[u8],
        now_ms: u64,
    ) -> Reply<CodeHostEvent> {
        let state = std::mem::replace(&mut self.state, HostState::Over);
        let message = match Message::decode(bytes, false) {
            Ok(Message::Closed(closed)) => return fail(CodeHostEvent::Failed, Failure::Closed(closed)),
            Ok(message) => message,
            Err(failure) => return fail(CodeHostEvent::Failed, failure),
        };
        if self.code.as_ref().is_some_and(|code| *code != invitation.code) {
            return Reply::send(&Message::Closed(Closed::NoCode)).over();
        }
        if let Err(closed) = invitation.open(now_ms) {
            return Reply::send(&Message::Closed(closed)).over();
        }
        match (state, message) {
            (HostState::Fresh, Message::Knock { channel, commitment }) if channel == invitation.code.channel() => {
                self.answer(invitation, key, commitment)
            }
            (HostState::Answered { exchange, hidden, said }, Message::Try { share, proof }) => {
                self.weigh(invitation, key, exchange, hidden, Said { guest_share: share, ..said }, proof)
            }
            (HostState::Matched { keys, guest_commitment, transcript }, Message::Myself { sealed }) => {
                self.recognise(invitation, keys, guest_commitment, transcript, &sealed)
            }
            _ => fail(CodeHostEvent::Failed, Failure::Malformed),
        }
    }

    /// Hands over what makes the guest a member. Once, after [`CodeHostEvent::Proved`]; none at any other time, or when
    /// it is too long.
    pub fn grant(&mut self, grant: &[u8]) -> Option<Vec<u8>> {
        if grant.len() > GRANT_BYTES_MAX {
            return None;
        }
        match std::mem::replace(&mut self.state, HostState::Over) {
            HostState::Proved { mut keys } => Some(Message::Grant { sealed: keys.to_guest.seal(grant) }.encode()),
            _ => None,
        }
    }

    fn answer(&mut self, invitation: &Invitation, key: &DeviceKey, guest_commitment: [u8; 32]) -> Reply<CodeHostEvent> {
        let hidden = hide(&self.seed, key, &self.about, &invitation.place);
        (self.code, self.place) = (Some(invitation.code.clone()), Some(invitation.place.clone()));
        let host_commitment = commitment(&hidden);
        let ends = [self.connection.guest_peer, guest_commitment, self.connection.host_peer, host_commitment].concat();
        let ends = Ends { joiner: &ends[..64], inviter: &ends[64..] };
        let secret = invitation.code.to_string();
        let exchange = Exchange::as_inviter(secret.as_bytes(), &ends, random(&self.seed, "share"));
        let said = Said {
            connection: self.connection,
            channel: invitation.code.channel(),
            guest_commitment,
            host_commitment,
            host_share: exchange.share(),
            guest_share: [0; 32],
        };
        let message = Message::Answer { commitment: host_commitment, share: exchange.share() };
        self.state = HostState::Answered { exchange, hidden, said };
        Reply::send(&message)
    }

    /// The only place where a guess is tried. Each costs one of the invitation's tries before anything is answered.
    fn weigh(
        &mut self,
        invitation: &mut Invitation,
        key: &DeviceKey,
        exchange: Exchange,
        hidden: Vec<u8>,
        said: Said,
        proof: [u8; 32],
    ) -> Reply<CodeHostEvent> {
        let keys = exchange.finish(&said.guest_share).map(|secret| said.keys(&secret));
        let Some(mut keys) = keys.filter(|keys| is_same(keys.guest_proof, proof)) else {
            invitation.n_wrong += 1;
            let n_left = TRIES_MAX.saturating_sub(invitation.n_wrong);
            let closed = if n_left == 0 { Closed::SwitchedOff } else { Closed::WrongCode { n_left } };
            return Reply::send(&Message::Closed(closed)).with(CodeHostEvent::WrongCode { n_left }).over();
        };
        let transcript = said.transcript();
        let shown = Shown { hidden, signature: sign(key, HOST_CONTEXT, &transcript) };
        let message = Message::Match { proof: keys.host_proof, sealed: keys.to_guest.seal(&plain(&shown)) };
        self.state = HostState::Matched { keys, guest_commitment: said.guest_commitment, transcript };
        Reply::send(&message)
    }

    fn recognise(
        &mut self,
        invitation: &mut Invitation,
        mut keys: Keys,
        guest_commitment: [u8; 32],
        transcript: [u8; 32],
        sealed: &[u8],
    ) -> Reply<CodeHostEvent> {
        let shown = keys.to_host.open(sealed);
        let guest = shown.and_then(|shown| recognised::<()>(&shown, guest_commitment, GUEST_CONTEXT, &transcript));
        let (Some((guest, ())), Some(place)) = (guest, self.place.take()) else {
            return fail(CodeHostEvent::Failed, Failure::NotProved);
        };
        invitation.is_used = true;
        self.state = HostState::Proved { keys };
        Reply::silent(CodeHostEvent::Proved { guest, place })
    }
}

impl CodeGuest {
    /// Begins; the message is the first to send. `seed`: 32 random bytes, new for each.
    pub fn start(
        code: Code,
        connection: Connection,
        key: &DeviceKey,
        about: &About,
        seed: [u8; 32],
    ) -> (Self, Vec<u8>) {
        let hidden = hide(&seed, key, about, ());
        let knock = Message::Knock { channel: code.channel(), commitment: commitment(&hidden) };
        (Self { code, connection, seed, hidden, state: GuestState::Knocked }, knock.encode())
    }

    /// Takes a message of the host.
    pub fn handle(&mut self, key: &DeviceKey, bytes: &[u8]) -> Reply<CodeGuestEvent> {
        let state = std::mem::replace(&mut self.state, GuestState::Over);
        let is_proved = matches!(state, GuestState::Matched { .. });
        let message = match Message::decode(bytes, is_proved) {
            Ok(Message::Closed(closed)) => {
                return Reply::silent(CodeGuestEvent::Failed(Failure::Closed(closed))).over();
            }
            Ok(message) => message,
            Err(failure) => return fail(CodeGuestEvent::Failed, failure),
        };
        match (state, message) {
            (GuestState::Knocked, Message::Answer { commitment, share }) => self.try_code(commitment, share),
            (GuestState::Tried { key: secret, said }, Message::Match { proof, sealed }) => {
                self.recognise(key, &secret, &said, proof, &sealed)
            }
            (GuestState::Matched { mut keys }, Message::Grant { sealed }) => match keys.to_guest.open(&sealed) {
                Some(grant) => Reply::silent(CodeGuestEvent::Granted(grant)).over(),
                None => fail(CodeGuestEvent::Failed, Failure::NotProved),
            },
            _ => fail(CodeGuestEvent::Failed, Failure::Malformed),
        }
    }

    fn try_code(&mut self, host_commitment: [u8; 32], host_share: [u8; 32]) -> Reply<CodeGuestEvent> {
        let guest_commitment = commitment(&self.hidden);
        let ends = [self.connection.guest_peer, guest_commitment, self.connection.host_peer, host_commitment].concat();
        let ends = Ends { joiner: &ends[..64], inviter: &ends[64..] };
        let exchange = Exchange::as_joiner(self.code.to_string().as_bytes(), &ends, random(&self.seed, "share"));
        let said = Said {
            connection: self.connection,
            channel: self.code.channel(),
            guest_commitment,
            host_commitment,
            host_share,
            guest_share: exchange.share(),
        };
        let Some(key) = exchange.finish(&host_share) else { return fail(CodeGuestEvent::Failed, Failure::Malformed) };
        let message = Message::Try { share: said.guest_share, proof: said.keys(&key).guest_proof };
        self.state = GuestState::Tried { key, said };
        Reply::send(&message)
    }

    fn recognise(
        &mut self,
        key: &DeviceKey,
        secret: &[u8; 32],
        said: &Said,
        proof: [u8; 32],
        sealed: &[u8],
    ) -> Reply<CodeGuestEvent> {
        let (mut keys, transcript) = (said.keys(secret), said.transcript());
        let shown = is_same(keys.host_proof, proof).then(|| keys.to_guest.open(sealed)).flatten();
        let host = shown.and_then(|shown| recognised::<Place>(&shown, said.host_commitment, HOST_CONTEXT, &transcript));
        let Some((host, place)) = host else { return fail(CodeGuestEvent::Failed, Failure::NotProved) };
        let shown = Shown { hidden: self.hidden.clone(), signature: sign(key, GUEST_CONTEXT, &transcript) };
        let message = Message::Myself { sealed: keys.to_host.seal(&plain(&shown)) };
        self.state = GuestState::Matched { keys };
        Reply::send(&message).with(CodeGuestEvent::Proved { host, place: place.plain() })
    }
}

impl Said {
    fn transcript(&self) -> [u8; 32] {
        digest(
            "codesync 2026 pairing by code",
            &[
                &self.connection.host_peer,
                &self.connection.guest_peer,
                &[self.channel],
                &self.guest_commitment,
                &self.host_commitment,
                &self.host_share,
                &self.guest_share,
            ],
        )
    }

    fn keys(&self, secret: &[u8; 32]) -> Keys {
        let transcript = self.transcript();
        let of = |context| digest(context, &[secret, &transcript]);
        Keys {
            guest_proof: of("codesync 2026 pairing proof of the guest"),
            host_proof: of("codesync 2026 pairing proof of the host"),
            to_guest: Channel::new(of("codesync 2026 pairing key to the guest"), transcript),
            to_host: Channel::new(of("codesync 2026 pairing key to the host"), transcript),
        }
    }
}

fn hide(seed: &[u8; 32], key: &DeviceKey, about: &About, more: impl Serialize) -> Vec<u8> {
    plain(&Hidden { salt: random(seed, "salt"), device: key.device(), about: about.clone(), more })
}

fn commitment(hidden: &[u8]) -> [u8; 32] {
    digest("codesync 2026 pairing commitment", &[hidden])
}

fn plain(value: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(value).expect("invariant: writing to memory cannot fail")
}

/// Who the other end is, when that is what it had committed to and it has the device's key.
fn recognised<T: DeserializeOwned>(
    shown: &[u8],
    committed: [u8; 32],
    context: &[u8],
    transcript: &[u8; 32],
) -> Option<(Other, T)> {
    let shown: Shown = postcard::from_bytes(shown).ok()?;
    if !is_same(commitment(&shown.hidden), committed) {
        return None;
    }
    let hidden: Hidden<T> = postcard::from_bytes(&shown.hidden).ok()?;
    let is_sound = hidden.about.is_sound() && is_signed(&hidden.device, context, transcript, &shown.signature);
    is_sound.then_some((Other { device: hidden.device, about: hidden.about.plain() }, hidden.more))
}
