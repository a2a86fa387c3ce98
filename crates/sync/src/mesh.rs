//! All links of one replica: what one of them fetches, no other asks for, and what becomes durable goes to all.

use crate::frame::Reason;
use crate::link::{Config, Context, Link, LinkId, Moment, Output, Shared};
use crate::replica::Replica;
use codesync_base::{DeviceId, Head, LogId, SignedDelta, encode_delta};
use std::collections::BTreeMap;

/// The links of a replica. After each call its outputs are to be taken and done before the next call.
pub struct Mesh {
    config: Config,
    links: BTreeMap<LinkId, Link>,
    shared: Shared,
}

impl Mesh {
    pub fn new(config: Config) -> Self {
        Self { config, links: BTreeMap::new(), shared: Shared::default() }
    }

    /// A connection with a peer is there. `token` is what admits this device at the other end.
    pub fn connect(&mut self, id: LinkId, token: Vec<u8>, now: Moment) {
        self.links.insert(id, Link::open(id, self.config.clone(), token, now));
    }

    /// The connection is gone.
    pub fn disconnect(&mut self, id: LinkId) {
        self.links.remove(&id);
        self.shared.fetching.retain(|_, (link, _)| *link != id);
    }

    /// Says goodbye; the outputs tell when the connection may be closed.
    pub fn end(&mut self, id: LinkId, reason: Reason) {
        if let Some(link) = self.links.get_mut(&id) {
            link.end(reason, "");
        }
    }

    /// Bytes of a frame that a peer sent, without their length.
    pub fn handle_frame(&mut self, id: LinkId, bytes: &[u8], replica: &mut dyn Replica, now: Moment) {
        self.with(id, replica, now, |link, context| link.handle_frame(bytes, context));
    }

    /// An [`Output::Deliver`] was dealt with: what could be taken is in the replica, the rest is not.
    pub fn delivered(&mut self, id: LinkId, cost_bytes: u64, replica: &mut dyn Replica, now: Moment) {
        self.with(id, replica, now, |link, context| link.handle_delivered(cost_bytes, context));
    }

    /// These deltas, own ones or delivered ones, became durable. In causal order.
    pub fn durable(&mut self, fresh: &[SignedDelta], replica: &mut dyn Replica, now: Moment) {
        let bytes: Vec<Vec<u8>> = fresh.iter().map(|signed| encode_delta(&signed.delta).0).collect();
        let fresh: Vec<(&SignedDelta, &[u8])> = fresh.iter().zip(bytes.iter().map(Vec::as_slice)).collect();
        self.shared.n_news += 1;
        let mut context = Context { replica, shared: &mut self.shared, now };
        for link in self.links.values_mut() {
            link.handle_durable(&fresh, &mut context);
        }
    }

    /// The replica cannot take a delta of this log that the link brought, and never will: nothing of it is asked for there
    /// again. Others may have of it what can be taken.
    pub fn refuse(&mut self, id: LinkId, log: LogId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.refuse(log);
        }
    }

    /// A log turned out to be forked: names mean something else now, and what was refused may be good.
    pub fn look_again(&mut self) {
        self.links.values_mut().for_each(Link::look_again);
    }

    /// Tells all peers where one is. At most [`crate::limits::PRESENCE_BYTES_MAX`] bytes.
    pub fn set_presence(&mut self, bytes: &[u8], now: Moment) {
        self.links.values_mut().for_each(|link| link.set_presence(bytes.to_vec(), now));
    }

    /// Does what is due.
    pub fn handle_time(&mut self, replica: &mut dyn Replica, now: Moment) {
        let mut context = Context { replica, shared: &mut self.shared, now };
        for link in self.links.values_mut().filter(|link| link.due_ms().is_some_and(|due_ms| due_ms <= now.steady_ms)) {
            link.handle_time(&mut context);
        }
    }

    /// Steady time of the next [`Self::handle_time`] that has something to do.
    pub fn due_ms(&self) -> Option<u64> {
        self.links.values().filter_map(Link::due_ms).min()
    }

    pub fn take_outputs(&mut self) -> Vec<(LinkId, Output)> {
        let mut outputs = Vec::new();
        for (id, link) in &mut self.links {
            outputs.extend(link.take_outputs().into_iter().map(|output| (*id, output)));
        }
        outputs
    }

    /// The newest of each log that the peer has, as far as it told.
    pub fn heads_told(&self, id: LinkId) -> Vec<Head> {
        self.links.get(&id).map(Link::heads_told).unwrap_or_default()
    }

    /// The device that a link leads to, once it was admitted.
    pub fn peer(&self, id: LinkId) -> Option<DeviceId> {
        self.links.get(&id)?.peer()
    }

    fn with(&mut self, id: LinkId, replica: &mut dyn Replica, now: Moment, call: impl FnOnce(&mut Link, &mut Context)) {
        if let Some(link) = self.links.get_mut(&id) {
            let mut context = Context { replica, shared: &mut self.shared, now };
            call(link, &mut context);
        }
    }

    /// What each link keeps of deltas that cannot be delivered yet: their number, and bytes.
    pub fn held(&self) -> Vec<(usize, usize)> {
        self.links.values().map(Link::held).collect()
    }
}
