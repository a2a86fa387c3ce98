//! The side that has no store of its own.

use super::lines::LineReader;
use super::{ClientLine, GOODBYE_ID, Hello, LINE_BYTES_MAX, NOT_DONE, line_of, socket_name};
use crate::endpoint::Endpoint;
use codesync_api::{API_VERSION, ApiError, ErrorCode, Event, Reply, Request, RequestFrame, ServerFrame};
use interprocess::local_socket::{Stream, prelude::*};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};

type Answer = Result<Reply, ApiError>;

/// A connection to the process that holds a store. Usable from many threads at once.
pub struct SocketClient {
    stream: Arc<Stream>,
    /// Held while a line is written, so that lines do not mix. The next request's id.
    next_id: Mutex<u64>,
    waiting: Arc<Mutex<Waiting>>,
}

/// Those who wait for something; `closed` once nothing more can come.
#[derive(Default)]
struct Waiting {
    calls: BTreeMap<u64, Sender<Answer>>,
    subscribers: Vec<SyncSender<Event>>,
    closed: bool,
}

impl SocketClient {
    /// Connects to the process that has published itself for this store. None when nobody is there; what a
    /// dead process left behind is then removed.
    pub fn connect(codesync_dir: &Path) -> Result<Option<Self>, ApiError> {
        let Some(endpoint) = Endpoint::read(codesync_dir) else { return Ok(None) };
        if !endpoint.is_mine() {
            endpoint.remove_stale(codesync_dir);
            return Ok(None);
        }
        let name = socket_name(&endpoint.socket).map_err(|error| unreachable_process(&error))?;
        let Ok(stream) = Stream::connect(name) else {
            endpoint.remove_stale(codesync_dir);
            return Ok(None);
        };
        Self::greet(Arc::new(stream), &endpoint)
    }

    fn greet(stream: Arc<Stream>, endpoint: &Endpoint) -> Result<Option<Self>, ApiError> {
        let hello = Hello { token: endpoint.token.clone(), api_version: API_VERSION };
        let line = line_of(&hello).map_err(|error| unreachable_process(&error))?;
        let mut lines = LineReader::new(SharedStream(stream.clone()));
        // A process that ends in this instant closes the connection: nobody is there any more.
        if (&*stream).write_all(&line).is_err() {
            return Ok(None);
        }
        let Ok(Some(line)) = lines.read_line(LINE_BYTES_MAX, || false) else { return Ok(None) };
        match serde_json::from_slice(&line) {
            Ok(ServerFrame::Reply { result, .. }) => drop(result?),
            _ => return Ok(None),
        }
        let waiting = Arc::new(Mutex::new(Waiting::default()));
        let shared = waiting.clone();
        std::thread::Builder::new()
            .name("codesync-socket".into())
            .spawn(move || read_frames(&mut lines, &shared))
            .map_err(|error| unreachable_process(&error))?;
        Ok(Some(Self { stream, next_id: Mutex::new(1), waiting }))
    }

    /// Asks and waits for the answer.
    pub fn call(&self, request: Request) -> Answer {
        let (answer, wait) = mpsc::channel();
        let mut next_id = self.next_id.lock().unwrap_or_else(PoisonError::into_inner);
        let id = *next_id;
        *next_id += 1;
        let line =
            line_of(&ClientLine::Request(RequestFrame { id, request })).map_err(|error| gone().with_detail(error))?;
        if line.len() > LINE_BYTES_MAX {
            return Err(ApiError::new(ErrorCode::Invalid, "This is too much to send at once (64 MiB at most)."));
        }
        {
            let mut waiting = self.waiting();
            if waiting.closed {
                return Err(gone().with_detail(NOT_DONE));
            }
            waiting.calls.insert(id, answer);
        }
        let written = (&*self.stream).write_all(&line);
        drop(next_id);
        if let Err(error) = written {
            // A server that leaves has said so, perhaps; half a line is no request in any case.
            tracing::debug!(%error, "the process that has the workspace is gone");
            self.waiting().calls.remove(&id);
            return Err(gone().with_detail(NOT_DONE));
        }
        wait.recv().unwrap_or_else(|_| Err(gone()))
    }

    /// Whether this refusal says that the other process is gone, and not what it has answered.
    pub(crate) fn is_gone(error: &ApiError) -> bool {
        error.code == ErrorCode::Internal && error.message == gone().message
    }

    /// Events from now on; ends when the connection does.
    pub fn subscribe(&self) -> Receiver<Event> {
        let (sender, events) = mpsc::sync_channel(crate::EVENTS_MAX);
        let next_id = self.next_id.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = {
            let mut waiting = self.waiting();
            if waiting.closed {
                return events;
            }
            waiting.subscribers.push(sender);
            waiting.subscribers.len() == 1
        };
        if is_first {
            // When it cannot be written the reader ends too, and with it the channel.
            self.write_line(&ClientLine::Subscribe { subscribe: true });
        }
        drop(next_id);
        events
    }

    fn write_line(&self, line: &ClientLine) {
        if let Ok(line) = line_of(line) {
            (&*self.stream).write_all(&line).unwrap_or_default();
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SocketClient {
    fn drop(&mut self) {
        // The reading thread holds the stream too: it ends when the other side closes.
        self.write_line(&ClientLine::Bye { bye: true });
    }
}

fn read_frames(lines: &mut LineReader<SharedStream>, waiting: &Mutex<Waiting>) {
    let lock = || waiting.lock().unwrap_or_else(PoisonError::into_inner);
    while let Ok(Some(line)) = lines.read_line(LINE_BYTES_MAX, || false) {
        match serde_json::from_slice(&line) {
            Ok(ServerFrame::Reply { id: GOODBYE_ID, .. }) => {
                let mut waiting = lock();
                waiting.closed = true;
                for caller in std::mem::take(&mut waiting.calls).into_values() {
                    caller.send(Err(gone().with_detail(NOT_DONE))).unwrap_or_default();
                }
            }
            Ok(ServerFrame::Reply { id, result }) => {
                let caller = lock().calls.remove(&id);
                // A caller that has given up needs no answer.
                caller.map(|caller| caller.send(result).unwrap_or_default()).unwrap_or_default();
            }
            Ok(ServerFrame::Event(event)) => {
                lock().subscribers.retain(|subscriber| subscriber.try_send(event.clone()).is_ok());
            }
            Err(error) => {
                tracing::warn!(%error, "the process that has the workspace said something unreadable");
                break;
            }
        }
    }
    let mut waiting = lock();
    waiting.closed = true;
    waiting.calls.clear();
    waiting.subscribers.clear();
}

/// A stream shared by a reader and a writer.
pub(super) struct SharedStream(pub Arc<Stream>);

impl std::io::Read for SharedStream {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        (&*self.0).read(buffer)
    }
}

fn gone() -> ApiError {
    ApiError::new(ErrorCode::Internal, "The program that had this workspace open has ended. Try again.")
}

fn unreachable_process(cause: &dyn std::fmt::Display) -> ApiError {
    ApiError::new(ErrorCode::Busy, "Another program has this workspace open and cannot be reached.").with_detail(cause)
}
