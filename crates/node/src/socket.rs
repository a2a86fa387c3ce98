//! The local socket: a second process of this user (command line, another window) works through the one that
//! holds the workspace's store. Owner-only, and the first line must be the token; bytes from it reach nothing
//! but the JSON parser of the contract.
//!
//! Lines of JSON. Client: a [`Hello`], then [`RequestFrame`]s and `{"subscribe":true}`. Server: a reply with
//! id 0 to the hello, then [`ServerFrame`]s.

mod client;
mod lines;
mod server;

#[cfg(test)]
mod tests;

pub use client::SocketClient;
pub use server::SocketServer;

use codesync_api::{ApiError, Event, Reply, Request, RequestFrame};
use interprocess::local_socket::{GenericFilePath, GenericNamespaced, Name, prelude::*};
use serde::{Deserialize, Serialize};
use std::io;
use std::sync::mpsc;

/// Answers those who come by the socket.
pub trait Handler: Send + Sync {
    /// Answers one request; blocks until it has.
    fn call(&self, request: Request) -> Result<Reply, ApiError>;
    /// Events from now on.
    fn subscribe(&self) -> mpsc::Receiver<Event>;
}

/// Longest line either side takes.
pub(crate) const LINE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Longest first line: nobody is known before it.
pub(crate) const HELLO_BYTES_MAX: usize = 4 * 1024;

/// Id of the reply that nobody asked for: the server goes, and what it has not answered it has not done.
const GOODBYE_ID: u64 = u64::MAX;

/// `ApiError::detail` of a request that was certainly not carried out: it can be made again elsewhere.
pub const NOT_DONE: &str = "not done";

/// What a client says first.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hello {
    token: String,
    api_version: u32,
}

/// Everything a client says afterwards.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ClientLine {
    Request(RequestFrame),
    Subscribe {
        subscribe: bool,
    },
    /// The client goes; local sockets cannot be shut down on every system.
    Bye {
        bye: bool,
    },
}

/// The name that the operating system knows a socket by.
fn socket_name(socket: &str) -> io::Result<Name<'_>> {
    if cfg!(unix) { socket.to_fs_name::<GenericFilePath>() } else { socket.to_ns_name::<GenericNamespaced>() }
}

/// A value as one line.
fn line_of(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}
