//! The cards that this end shows to peers, and those that they show it: who is there, and what can be asked for. Works the
//! same for a workspace's part in the network and for the lobby. Decides who sees what, and keeps others within limits.

use super::asking::Asking;
use codesync_auth::{About, Card, CardMessage, DeviceKey, People, Shared, card_hint};
use codesync_base::{DeviceId, Role};
use codesync_net::{Direction, Net, Peer, Protocol, Stream, StreamId};
use std::collections::BTreeMap;
use std::time::Instant;

/// Messages that a peer may send at once, and from then on in a second.
const MESSAGES_MAX: f64 = 20.0;
const MESSAGES_PER_SECOND: f64 = 2.0;

/// Who sees this end's card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Everyone,
    /// Those that are remembered: both ends show first what only they understand.
    Known,
    Nobody,
}

/// What somebody gets who asks and is let in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Offer {
    pub role: Role,
    pub share_past: bool,
}

/// What this end shows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mine {
    pub about: About,
    pub shares: Option<Shared>,
    pub shown: Shown,
    /// Devices that are invited to what is shared: they see the card in any case.
    pub invited: BTreeMap<DeviceId, Offer>,
    /// Peers that are invited and have not said yet which device they are.
    pub invited_peers: BTreeMap<Peer, Offer>,
}

impl Mine {
    /// Nothing is shared, and nobody sees who is here.
    pub fn hidden(about: About) -> Self {
        Self { about, shares: None, shown: Shown::Nobody, invited: BTreeMap::new(), invited_peers: BTreeMap::new() }
    }
}

pub(crate) struct Cards {
    own: Peer,
    key: DeviceKey,
    mine: Mine,
    talks: BTreeMap<StreamId, Talk>,
    asking: Asking,
}

struct Talk {
    stream: Stream,
    has_hint: bool,
    /// What the other end showed to those who know it.
    hint: Option<[u8; 32]>,
    /// The other end is somebody who is remembered.
    is_known: bool,
    sent: Option<Card>,
    theirs: Option<Card>,
    leave: f64,
    since: Instant,
}

impl Talk {
    /// Whether the other end is somebody who is remembered.
    fn is_of_someone(&self, people: &People, own: &Peer) -> bool {
        let shown = self.theirs.as_ref().map(|card| card.device);
        let is_meant =
            |device: &DeviceId| self.hint.is_some_and(|hint| card_hint(device, &self.stream.peer.0, &own.0) == hint);
        people.all().iter().any(|known| shown == Some(known.device) || is_meant(&known.device))
    }
}

impl Cards {
    pub fn new(own: Peer, key: DeviceKey, mine: Mine) -> Self {
        Self { own, key, mine, talks: BTreeMap::new(), asking: Asking::default() }
    }

    pub fn has(&self, stream: StreamId) -> bool {
        self.talks.contains_key(&stream)
    }

    /// There is a connection: one end asks, or there would be two streams.
    pub fn connected(&mut self, peer: Peer) {
        if self.own < peer {
            self.asking.connected(peer, Instant::now());
        }
    }

    pub fn disconnected(&mut self, peer: &Peer) {
        self.asking.disconnected(peer);
    }

    /// No stream came of asking.
    pub fn not_opened(&mut self, peer: &Peer) {
        self.asking.ended(peer, Instant::now());
    }

    /// Asks those that it is time to ask for a stream.
    pub fn ask(&mut self, net: &Net) {
        self.asking.take_due(Instant::now()).into_iter().for_each(|peer| net.open(peer, Protocol::Card));
    }

    /// When somebody is to be asked next.
    pub fn due(&self) -> Option<Instant> {
        self.asking.due()
    }

    pub fn opened(&mut self, stream: Stream) {
        if (stream.direction == Direction::Ours) != (self.own < stream.peer) {
            // Dropped, and so closed: it is the other end's to ask.
            return;
        }
        self.asking.opened(&stream.peer, Instant::now());
        // Whose turn it is asks anew only when the one before is gone there; here that may not be known yet.
        self.talks.retain(|_, talk| talk.stream.peer != stream.peer);
        let (id, peer) = (stream.id, stream.peer);
        let talk = Talk {
            stream,
            has_hint: false,
            hint: None,
            is_known: false,
            sent: None,
            theirs: None,
            leave: MESSAGES_MAX,
            since: Instant::now(),
        };
        self.talks.insert(id, talk);
        self.refresh(|talk| talk.stream.peer == peer);
    }

    /// A stream ended.
    pub fn closed(&mut self, stream: StreamId) {
        if let Some(talk) = self.talks.remove(&stream) {
            self.asking.ended(&talk.stream.peer, Instant::now());
        }
    }

    pub fn received(&mut self, id: StreamId, bytes: &[u8], people: &People) {
        let Some(talk) = self.talks.get_mut(&id) else { return };
        let peer = talk.stream.peer;
        let waited = std::mem::replace(&mut talk.since, Instant::now()).elapsed();
        talk.leave = (talk.leave + waited.as_secs_f64() * MESSAGES_PER_SECOND).min(MESSAGES_MAX) - 1.0;
        let message = match CardMessage::decode(bytes, &peer.0, &self.own.0) {
            Ok(message) if talk.leave >= 0.0 => message,
            refused => {
                tracing::debug!(?refused, "a peer shows cards as it may not");
                return self.closed(id);
            }
        };
        match message {
            CardMessage::Hint(hint) => talk.hint = Some(hint),
            CardMessage::Card(card) => {
                if let Some(offer) = self.mine.invited_peers.remove(&peer) {
                    self.mine.invited.insert(card.device, offer);
                }
                talk.theirs = Some(card);
            }
            CardMessage::Withdrawn => talk.theirs = None,
        }
        talk.is_known = talk.is_of_someone(people, &self.own);
        self.refresh(|talk| talk.stream.peer == peer);
    }

    /// What this end shows from now on. Whoever is to know is told.
    pub fn show(&mut self, mine: Mine) {
        if self.mine != mine {
            self.mine = mine;
            self.refresh(|_| true);
        }
    }

    /// Whoever was asked in by name is in.
    pub fn note_let_in(&mut self, device: &DeviceId) {
        if self.mine.invited.remove(device).is_some() {
            self.refresh(|_| true);
        }
    }

    /// Nobody comes in again because they were asked in before their rights were changed.
    pub fn take_back(&mut self, device: &DeviceId) {
        let mut mine = self.mine.clone();
        mine.invited.remove(device);
        // Any of these may be that device: they have not said yet.
        mine.invited_peers.clear();
        self.show(mine);
    }

    /// Others are remembered than before: they may see more, or less.
    pub fn recognise(&mut self, people: &People) {
        for talk in self.talks.values_mut() {
            talk.is_known = talk.is_of_someone(people, &self.own);
        }
        self.refresh(|_| true);
    }

    pub fn mine(&self) -> &Mine {
        &self.mine
    }

    /// The cards that others show, with their peers.
    pub fn all(&self) -> impl Iterator<Item = (Peer, &Card)> {
        self.talks.values().filter_map(|talk| Some((talk.stream.peer, talk.theirs.as_ref()?)))
    }

    fn refresh(&mut self, whose: impl Fn(&Talk) -> bool) {
        let (own, key, mine) = (self.own, &self.key, &self.mine);
        let device = key.device();
        let show = |talk: &mut Talk| {
            let peer = talk.stream.peer;
            let send = |stream: &Stream, message: CardMessage| stream.send(message.encode(key, &own.0, &peer.0));
            if !talk.has_hint && mine.shown != Shown::Nobody {
                talk.has_hint = true;
                if !send(&talk.stream, CardMessage::Hint(card_hint(&device, &own.0, &peer.0))) {
                    return false;
                }
            }
            let is_invited = mine.invited_peers.contains_key(&peer)
                || talk.theirs.as_ref().is_some_and(|card| mine.invited.contains_key(&card.device));
            let may_see = match mine.shown {
                Shown::Everyone => true,
                Shown::Known => talk.is_known || is_invited,
                Shown::Nobody => is_invited,
            };
            let invites = is_invited && mine.shares.is_some();
            let card = Card { device, about: mine.about.clone(), shares: mine.shares.clone(), invites };
            let wanted = may_see.then_some(card);
            if wanted == talk.sent {
                return true;
            }
            talk.sent.clone_from(&wanted);
            send(&talk.stream, wanted.map_or(CardMessage::Withdrawn, CardMessage::Card))
        };
        let mut lost = Vec::new();
        for (id, talk) in self.talks.iter_mut().filter(|(_, talk)| whose(talk)) {
            if !show(talk) {
                lost.push(*id);
            }
        }
        lost.into_iter().for_each(|id| self.closed(id));
    }
}
