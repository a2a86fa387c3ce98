//! Links with simple replicas at both ends, on a network that is as bad as it is told to be.
#![allow(clippy::unwrap_used)]

mod limits;
mod network;
mod pair;
mod random;
pub(crate) mod store;
