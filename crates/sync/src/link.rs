//! One connection with one peer: from Hello to Bye. What it wants to have done collects as outputs; whoever drives it
//! takes these after each call and does them before the next.

mod blobs;
mod extras;
mod heads;
mod receive;
mod serve;

use crate::frame::*;
use crate::held::{Hold, Incoming, Refusal};
use crate::limits::*;
use crate::replica::{Admission, Replica};
use codesync_base::{DeviceId, FileId, Head, LogId, ProjectId, RelPath, SignedDelta};
use std::collections::{BTreeMap, BTreeSet};

/// Names a link within its mesh. Given by the host, never again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LinkId(pub u64);

/// The time at which something is handled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// Milliseconds of a clock that never steps: for waiting.
    pub steady_ms: u64,
    /// Unix milliseconds: for what is said of deltas.
    pub wall_ms: u64,
}

/// Who this end is.
#[derive(Clone, Debug)]
pub struct Config {
    pub project: ProjectId,
    pub device: DeviceId,
    /// Version of the program.
    pub software: String,
}

/// What is to be done for a link.
#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    /// The peer was admitted: from now on its frames may be [`FRAME_BYTES_MAX`] long.
    Admitted,
    Send(Vec<u8>),
    /// To be taken in and made durable. Then [`crate::Mesh::delivered`] is to be called, with this cost.
    Deliver {
        deltas: Vec<Incoming>,
        cost_bytes: u64,
    },
    Presence(Vec<u8>),
    /// Texts to look at before history is here. The peer's word alone stands for them.
    Snapshot(Vec<(RelPath, String)>),
    Tell(Event),
    /// The connection is to be closed once all is sent. Nothing comes after this.
    Close,
}

/// What people may want to know.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    Joined {
        device: DeviceId,
        software: String,
        /// How far the peer's clock is ahead of ours.
        clock_offset_ms: i64,
    },
    /// How many deltas are still to come, and to go. Both 0: all that is durable here is durable there, and back.
    Progress {
        receive_left: u64,
        send_left: u64,
    },
    /// The peer sent a delta that nobody can take.
    Refused {
        log: LogId,
        seq: u32,
        why: Refusal,
    },
    /// A log has two deltas with one number.
    Forked(Box<Fork>),
    /// Deltas wait because their clock is too far ahead of ours.
    FromTheFuture {
        until_wall_ms: u64,
    },
    /// More deltas come at once than anybody can type.
    Flooded,
    /// The peer computed something else from the same deltas.
    Mismatch {
        files: Vec<FileId>,
    },
    /// The peer computed the same as we.
    Agreed,
    Ended(Ended),
}

/// Two signed deltas of one log with the same predecessor.
#[derive(Clone, PartialEq, Debug)]
pub struct Fork {
    pub first: SignedDelta,
    pub second: SignedDelta,
}

/// A program that no protocol is shared with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OtherVersion {
    pub software: String,
    /// The device that it says it is, if it came to say so: nothing shows yet that it is.
    pub device: Option<DeviceId>,
}

/// How a link ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ended {
    /// The other program is too old (MSG-VER-1).
    PeerTooOld(OtherVersion),
    /// Ours is too old (MSG-VER-2).
    WeAreTooOld(OtherVersion),
    /// The peer ended it.
    ByPeer(Reason),
    /// We ended it, and why.
    ByUs(Reason, String),
}

/// What all links of a replica share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Which link gets what of which log, and when something of it came last.
    pub fetching: BTreeMap<LogId, (LinkId, u64)>,
    /// How often something came to be here, over whichever link: what is held may go by now.
    pub n_news: u64,
}

/// What a call may use.
pub(crate) struct Context<'a> {
    pub replica: &'a mut dyn Replica,
    pub shared: &'a mut Shared,
    pub now: Moment,
}

#[derive(Debug, PartialEq)]
enum State {
    /// No Hello of the peer yet.
    Opening,
    Open {
        peer: DeviceId,
    },
    Ended,
}

/// A link. All fields are bounded, whatever the peer does.
#[derive(Debug)]
pub(crate) struct Link {
    id: LinkId,
    config: Config,
    state: State,
    outputs: Vec<Output>,
    /// What is durable at the peer, as far as it told.
    theirs: BTreeMap<LogId, Vec<Head>>,
    has_heads: bool,
    /// Ours are long, and the peer may not take them yet.
    owes_heads: bool,
    /// Up to where the peer has a log, or what is on its way brings it.
    sent: BTreeMap<LogId, Head>,
    credit_bytes: u64,
    /// What the peer may still send.
    window_bytes: u64,
    /// What it may send again, once it is worth telling.
    owed_bytes: u64,
    hold: Hold,
    receiving: receive::Receiving,
    serving: serve::Serving,
    blobs: blobs::Fetching,
    extras: extras::Extras,
}

impl Link {
    pub fn open(id: LinkId, config: Config, token: Vec<u8>, now: Moment) -> Self {
        let hello = Hello {
            oldest: VERSION_OLDEST,
            newest: VERSION_NEWEST,
            software: config.software.chars().take(SOFTWARE_BYTES_MAX / 4).collect(),
            project: config.project,
            device: config.device,
            wall_ms: now.wall_ms,
            token: Bytes(token),
        };
        let mut link = Self {
            id,
            config,
            state: State::Opening,
            outputs: Vec::new(),
            theirs: BTreeMap::new(),
            has_heads: false,
            owes_heads: false,
            sent: BTreeMap::new(),
            credit_bytes: CREDIT_BYTES,
            window_bytes: CREDIT_BYTES,
            owed_bytes: 0,
            hold: Hold::default(),
            receiving: receive::Receiving::new(),
            serving: serve::Serving::new(),
            blobs: blobs::Fetching::default(),
            extras: extras::Extras::new(),
        };
        link.send(&Frame::Hello(hello));
        link
    }

    pub fn is_ended(&self) -> bool {
        self.state == State::Ended
    }

    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// The device at the other end, once it was admitted.
    pub fn peer(&self) -> Option<DeviceId> {
        match self.state {
            State::Open { peer } => Some(peer),
            State::Opening | State::Ended => None,
        }
    }

    pub fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    /// Deltas kept for this peer, and their bytes, roughly.
    pub fn held(&self) -> (usize, usize) {
        (self.hold.n_held(), self.hold.held_bytes())
    }

    /// Bytes of a peer.
    pub fn handle_frame(&mut self, bytes: &[u8], context: &mut Context) {
        let bytes_max = match self.state {
            State::Opening => FRAME_BYTES_MAX_FIRST,
            State::Open { .. } => FRAME_BYTES_MAX,
            State::Ended => return,
        };
        match (Frame::decode(bytes, bytes_max), &self.state) {
            (Err(FrameError::TooLarge { n_bytes }), _) => {
                self.end(Reason::Limit, &format!("a frame of {n_bytes} bytes"))
            }
            (Err(FrameError::Malformed), _) => self.end(Reason::Malformed, "no frame"),
            (Ok(Frame::Hello(hello)), State::Opening) => self.handle_hello(hello, context),
            (Ok(Frame::Bye(bye)), _) => self.handle_bye(bye),
            (Ok(_), State::Opening) => self.end(Reason::Malformed, "a frame before Hello"),
            (Ok(frame), _) => self.handle_open(frame, context),
        }
    }

    fn handle_open(&mut self, frame: Frame, context: &mut Context) {
        // Only who read our Hello says anything after its own.
        if std::mem::take(&mut self.owes_heads) {
            self.send_heads(context);
        }
        match frame {
            Frame::Heads(heads) if !self.has_heads => self.handle_heads(heads, context),
            Frame::Hello(_) | Frame::Heads(_) => self.end(Reason::Malformed, "said twice"),
            Frame::Bye(bye) => self.handle_bye(bye),
            Frame::Want(want) => self.handle_want(want, context),
            Frame::Deltas(deltas) => self.handle_deltas(deltas, context),
            Frame::Stored(heads) => self.handle_stored(heads, context),
            Frame::Credit(n_bytes) => self.handle_credit(n_bytes, context),
            Frame::Eager(eager) => self.handle_eager(eager),
            Frame::Digest(digest) => self.handle_digest(digest, context),
            Frame::Fork(pair) => self.handle_fork(*pair, context),
            Frame::Blob(blob) => self.handle_blob(blob, context),
            Frame::Snapshot(snapshot) => self.handle_snapshot(snapshot, context),
            Frame::Presence(bytes) => self.handle_presence(bytes.0, context.now),
        }
    }

    fn handle_hello(&mut self, hello: Hello, context: &mut Context) {
        if hello.newest < VERSION_OLDEST || hello.oldest > VERSION_NEWEST {
            let software = self.config.software.chars().take(SOFTWARE_BYTES_MAX / 4).collect();
            let reason = Reason::Version { oldest: VERSION_OLDEST, newest: VERSION_NEWEST, software };
            let other = OtherVersion { software: hello.software, device: Some(hello.device) };
            let ended = versions_apart(hello.newest, other);
            return self.end_as(reason, "no common version", ended);
        }
        if hello.project != self.config.project {
            return self.end(Reason::Project, "another project");
        }
        match context.replica.admit(self.id, &hello) {
            Admission::Welcome if hello.device != self.config.device => {}
            Admission::Welcome => return self.end(Reason::Double, "another copy on this device"),
            Admission::Busy => return self.end(Reason::Busy, "too many links"),
            Admission::NotAMember => return self.end(Reason::NotAdmitted, "not a member"),
        }
        self.state = State::Open { peer: hello.device };
        let clock_offset_ms = hello.wall_ms.saturating_sub(context.now.wall_ms).cast_signed()
            - context.now.wall_ms.saturating_sub(hello.wall_ms).cast_signed();
        self.outputs.push(Output::Admitted);
        self.tell(Event::Joined { device: hello.device, software: hello.software, clock_offset_ms });
        if Frame::Heads(context.replica.heads()).encode().len() <= FRAME_BYTES_MAX_FIRST {
            self.send_heads(context);
        } else {
            // The other end may not have read our Hello yet, and takes nothing long before.
            self.owes_heads = true;
            self.send(&Frame::Credit(0));
        }
    }

    fn handle_bye(&mut self, bye: Bye) {
        let ended = match bye.reason {
            Reason::Version { newest, software, .. } => versions_apart(newest, OtherVersion { software, device: None }),
            reason => Ended::ByPeer(reason),
        };
        self.state = State::Ended;
        self.tell(Event::Ended(ended));
        self.outputs.push(Output::Close);
    }

    /// Ends the link and says why.
    pub fn end(&mut self, reason: Reason, detail: &str) {
        let ended = Ended::ByUs(reason.clone(), detail.to_owned());
        self.end_as(reason, detail, ended);
    }

    fn end_as(&mut self, reason: Reason, detail: &str, ended: Ended) {
        if self.is_ended() {
            return;
        }
        self.send(&Frame::Bye(Bye { reason, detail: detail.to_owned() }));
        self.state = State::Ended;
        self.tell(Event::Ended(ended));
        self.outputs.push(Output::Close);
    }

    fn send(&mut self, frame: &Frame) {
        if !self.is_ended() {
            self.outputs.push(Output::Send(frame.encode()));
        }
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push(Output::Tell(event));
    }

    /// Does what is due.
    pub fn handle_time(&mut self, context: &mut Context) {
        if !self.is_open() {
            return;
        }
        self.announce_due(context);
        self.receive_due(context);
        self.extras_due(context);
    }

    /// Steady time at which [`Self::handle_time`] has something to do; none when only a frame can change anything.
    pub fn due_ms(&self) -> Option<u64> {
        if !self.is_open() {
            return None;
        }
        [self.serving.due_ms().filter(|_| !self.owes_heads), self.receive_due_ms(), self.extras.due_ms()]
            .into_iter()
            .flatten()
            .min()
    }

    /// What the peer has and we lack, and the other way round, in deltas.
    fn note_progress(&mut self, context: &Context) {
        if !self.has_heads {
            return;
        }
        let mut ours: BTreeMap<LogId, u32> = BTreeMap::new();
        // Of what is not told nobody knows how far it is.
        for head in heads::told(context.replica.heads()) {
            let seq = ours.entry(head.log).or_default();
            *seq = head.seq.max(*seq);
        }
        let theirs: BTreeMap<LogId, u32> = self.theirs.keys().map(|log| (*log, self.newest_of_theirs(log))).collect();
        let lead = |a: &BTreeMap<LogId, u32>, b: &BTreeMap<LogId, u32>| {
            let lead_of = |(log, seq): (&LogId, &u32)| u64::from(seq.saturating_sub(b.get(log).copied().unwrap_or(0)));
            a.iter().map(lead_of).sum::<u64>()
        };
        let (receive_left, send_left) = (lead(&theirs, &ours), lead(&ours, &theirs));
        if let Some(event) = self.extras.note_progress(receive_left, send_left, context.now.steady_ms) {
            self.tell(event);
        }
    }

    /// The newest of each log that the peer told.
    pub fn heads_told(&self) -> Vec<Head> {
        self.theirs.values().filter_map(|heads| heads.iter().max_by_key(|head| head.seq)).copied().collect()
    }

    fn newest_of_theirs(&self, log: &LogId) -> u32 {
        self.theirs.get(log).and_then(|heads| heads.iter().map(|head| head.seq).max()).unwrap_or(0)
    }
}

fn versions_apart(their_newest: u16, other: OtherVersion) -> Ended {
    if their_newest < VERSION_OLDEST { Ended::PeerTooOld(other) } else { Ended::WeAreTooOld(other) }
}

/// BLAKE3 over heads.
fn digest_of_heads(heads: &[Head]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("codesync 2026 heads");
    for head in heads.iter().collect::<BTreeSet<_>>() {
        hasher.update(&head.log.device.0).update(&head.log.incarnation.to_le_bytes());
        hasher.update(&head.seq.to_le_bytes()).update(&head.hash.0);
    }
    *hasher.finalize().as_bytes()
}
