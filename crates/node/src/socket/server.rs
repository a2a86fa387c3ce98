//! The side that holds the store. One thread accepts; each connection has one that reads and answers, one
//! that writes, and one for events when it asked for them. A connection that does not read is closed.

use super::client::SharedStream;
use super::lines::LineReader;
use super::{ClientLine, GOODBYE_ID, HELLO_BYTES_MAX, Handler, Hello, LINE_BYTES_MAX, line_of, socket_name};
use crate::endpoint::{self, Published};
use codesync_api::{API_VERSION, ApiError, ErrorCode, Reply, RequestFrame, ServerFrame};
use interprocess::local_socket::{Listener, ListenerOptions, Stream, prelude::*};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Connections at once.
pub(super) const CONNECTIONS_MAX: usize = 32;
/// Lines that wait for a reader, and their bytes. One line may exceed the bytes when it waits alone.
const QUEUE_LINES_MAX: usize = 4_096;
const QUEUE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long a stranger may take to say the token.
const HELLO_WAIT: Duration = Duration::from_secs(5);
/// How long a write may make no progress before the reader counts as gone.
const WRITE_WAIT: Duration = Duration::from_secs(10);
/// How long the last answers may take to be read by their clients.
const GOODBYE_WAIT: Duration = Duration::from_secs(5);
/// How soon a thread notices that it is to end.
const NOTICE_WAIT: Duration = Duration::from_millis(100);

/// Serves a workspace to other processes of this user until it is stopped or dropped.
pub struct SocketServer {
    shared: Arc<Shared>,
    published: Option<Published>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    token: String,
    /// Taken away by `stop`, so that no connection keeps the workspace open.
    handler: Mutex<Option<Arc<dyn Handler>>>,
    stopping: AtomicBool,
    n_connections: AtomicUsize,
}

impl SocketServer {
    /// Listens, and publishes where in `codesync_dir`.
    pub fn start(codesync_dir: &Path, handler: Arc<dyn Handler>) -> io::Result<Self> {
        let listen = |socket: &str| ListenerOptions::new().name(socket_name(socket)?).create_sync();
        let (published, listener) = endpoint::publish(codesync_dir, API_VERSION, listen)?;
        let shared = Arc::new(Shared {
            token: published.endpoint.token.clone(),
            handler: Mutex::new(Some(handler)),
            stopping: AtomicBool::new(false),
            n_connections: AtomicUsize::new(0),
        });
        let for_thread = shared.clone();
        let acceptor =
            std::thread::Builder::new().name("codesync-accept".into()).spawn(move || accept(&listener, &for_thread))?;
        Ok(Self { shared, published: Some(published), acceptor: Some(acceptor) })
    }

    /// Takes no more requests. Those that are being answered are finished, and all clients are told that
    /// the others were not done.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.handler.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(published) = self.published.take() else { return };
        // Wakes the accepting thread. If nobody can connect, it is not waiting either.
        if let Ok(name) = socket_name(&published.endpoint.socket) {
            drop(Stream::connect(name));
        }
        if self.acceptor.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the accepting thread ended by a panic");
        }
        drop(published);
        let began = Instant::now();
        while self.shared.n_connections.load(Ordering::SeqCst) > 0 && began.elapsed() < GOODBYE_WAIT {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for SocketServer {
    fn drop(&mut self) {
        self.end();
    }
}

fn accept(listener: &Listener, shared: &Arc<Shared>) {
    loop {
        let accepted = listener.accept();
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let stream = match accepted {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                // Out of file descriptors, as a rule: others may free some.
                std::thread::sleep(NOTICE_WAIT);
                continue;
            }
        };
        if shared.n_connections.fetch_add(1, Ordering::SeqCst) >= CONNECTIONS_MAX {
            shared.n_connections.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        let for_thread = shared.clone();
        let spawned = std::thread::Builder::new().name("codesync-peer".into()).spawn(move || {
            serve(&Arc::new(stream), &for_thread);
            for_thread.n_connections.fetch_sub(1, Ordering::SeqCst);
        });
        if let Err(error) = spawned {
            shared.n_connections.fetch_sub(1, Ordering::SeqCst);
            tracing::warn!(%error, "no thread for a connection");
        }
    }
}

fn serve(stream: &Arc<Stream>, shared: &Shared) {
    // Windows pipes know no time-outs; there a thread ends when its client does.
    stream.set_recv_timeout(Some(NOTICE_WAIT)).unwrap_or_default();
    stream.set_send_timeout(Some(WRITE_WAIT)).unwrap_or_default();
    let mut lines = LineReader::new(SharedStream(stream.clone()));
    if !is_welcome(&mut lines, stream, shared) {
        return;
    }
    let queue = Arc::new(Queue { n_bytes: AtomicUsize::new(0), closed: AtomicBool::new(false) });
    let (sender, receiver) = sync_channel(QUEUE_LINES_MAX);
    let (for_writer, writer_queue) = (stream.clone(), queue.clone());
    let writer = std::thread::Builder::new()
        .name("codesync-writer".into())
        .spawn(move || write_lines(&for_writer, &receiver, &writer_queue));
    let Ok(writer) = writer else { return };
    let mut events = None;
    let is_over = || shared.stopping.load(Ordering::SeqCst) || queue.closed.load(Ordering::SeqCst);
    while let Ok(Some(line)) = lines.read_line(LINE_BYTES_MAX, is_over) {
        let handler = shared.handler.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (Some(handler), Ok(line)) = (handler, serde_json::from_slice(&line)) else { break };
        match line {
            ClientLine::Request(RequestFrame { id, request }) => {
                if !queue.wait_and_put(&sender, reply_line(id, handler.call(request))) {
                    break;
                }
            }
            ClientLine::Subscribe { .. } if events.is_none() => events = forward_events(&*handler, &sender, &queue),
            ClientLine::Subscribe { .. } => {}
            ClientLine::Bye { .. } => break,
        }
    }
    if shared.stopping.load(Ordering::SeqCst) {
        queue.put(&sender, reply_line(GOODBYE_ID, Ok(Reply::Done)));
    }
    // Ends the event thread; the writer ends after it, with what is still queued.
    queue.closed.store(true, Ordering::SeqCst);
    drop(sender);
    for thread in events.into_iter().chain([writer]) {
        if thread.join().is_err() {
            tracing::error!("a thread of a connection ended by a panic");
        }
    }
}

/// Checks the first line. Whoever does not know the token learns nothing.
fn is_welcome(lines: &mut LineReader<SharedStream>, stream: &Stream, shared: &Shared) -> bool {
    let began = Instant::now();
    let is_over = || shared.stopping.load(Ordering::SeqCst) || began.elapsed() > HELLO_WAIT;
    let Ok(Some(line)) = lines.read_line(HELLO_BYTES_MAX, is_over) else { return false };
    let Ok(hello) = serde_json::from_slice::<Hello>(&line) else { return false };
    // Hashes are compared, so that the time it takes says nothing about the token.
    if blake3::hash(hello.token.as_bytes()) != blake3::hash(shared.token.as_bytes()) {
        return false;
    }
    let is_same_version = hello.api_version == API_VERSION;
    let result = if is_same_version { Ok(Reply::Done) } else { Err(other_version()) };
    let mut writer = stream;
    writer.write_all(&reply_line(0, result)).is_ok() && is_same_version
}

fn other_version() -> ApiError {
    let sentence = "Another version of CodeSync has this workspace open. Close it, or use the same version.";
    ApiError::new(ErrorCode::NewerVersion, sentence)
}

fn reply_line(id: u64, result: Result<Reply, ApiError>) -> Vec<u8> {
    let refuse = |sentence: &str| {
        let result = Err(ApiError::new(ErrorCode::Internal, sentence));
        line_of(&ServerFrame::Reply { id, result }).expect("invariant: a refusal has a JSON form")
    };
    match line_of(&ServerFrame::Reply { id, result }) {
        Ok(line) if line.len() <= LINE_BYTES_MAX => line,
        Ok(_) => refuse("The answer is too large to be sent to another program (64 MiB at most)."),
        Err(_) => refuse("The answer could not be sent."),
    }
}

fn forward_events(handler: &dyn Handler, sender: &SyncSender<Vec<u8>>, queue: &Arc<Queue>) -> Option<JoinHandle<()>> {
    let (events, sender, queue) = (handler.subscribe(), sender.clone(), queue.clone());
    let forward = move || {
        while !queue.closed.load(Ordering::SeqCst) {
            let event = match events.recv_timeout(NOTICE_WAIT) {
                Ok(event) => event,
                Err(RecvTimeoutError::Timeout) => continue,
                // Whoever listens begins anew: from here on it would hear of nothing.
                Err(RecvTimeoutError::Disconnected) => return queue.closed.store(true, Ordering::SeqCst),
            };
            let Ok(line) = line_of(&ServerFrame::Event(event)) else { continue };
            if !queue.put(&sender, line) {
                queue.closed.store(true, Ordering::SeqCst);
            }
        }
    };
    std::thread::Builder::new().name("codesync-events".into()).spawn(forward).ok()
}

fn write_lines(mut stream: &Stream, lines: &Receiver<Vec<u8>>, queue: &Queue) {
    while let Ok(line) = lines.recv() {
        let written = stream.write_all(&line);
        queue.n_bytes.fetch_sub(line.len(), Ordering::SeqCst);
        if written.is_err() {
            queue.closed.store(true, Ordering::SeqCst);
            return;
        }
    }
}

/// How much waits to be written, and whether the connection has ended.
struct Queue {
    n_bytes: AtomicUsize,
    closed: AtomicBool,
}

impl Queue {
    /// Puts a line that nobody waits for. False when the reader is too slow.
    fn put(&self, sender: &SyncSender<Vec<u8>>, line: Vec<u8>) -> bool {
        let n_bytes = line.len();
        let before = self.n_bytes.fetch_add(n_bytes, Ordering::SeqCst);
        let fits = before == 0 || before + n_bytes <= QUEUE_BYTES_MAX;
        if fits && sender.try_send(line).is_ok() {
            return true;
        }
        self.n_bytes.fetch_sub(n_bytes, Ordering::SeqCst);
        false
    }

    /// Puts an answer: a client that asks faster than it reads waits for itself, up to the writer's patience.
    fn wait_and_put(&self, sender: &SyncSender<Vec<u8>>, line: Vec<u8>) -> bool {
        while self.n_bytes.load(Ordering::SeqCst) > QUEUE_BYTES_MAX {
            if self.closed.load(Ordering::SeqCst) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.n_bytes.fetch_add(line.len(), Ordering::SeqCst);
        sender.send(line).is_ok()
    }
}
