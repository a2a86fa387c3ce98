//! Streams of frames: a length (u32, little-endian), then that many bytes. Bounded both ways: what was received and
//! not let go yet, and what waits to be sent.

use crate::{Event, Peer};
use futures::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, WriteHalf};
use libp2p::StreamProtocol;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Bytes received that nobody has let go yet; above them the other end has to wait.
const HELD_BYTES_MAX: usize = 4 * 1024 * 1024;
/// What a frame costs besides its bytes: small ones must not fill the memory.
const FRAME_COST_BYTES: u32 = 256;
/// Bytes that wait to be sent. Whoever sends keeps to a credit far below; above this the other end is lost.
const QUEUED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long what waits may still be on its way after a stream was let go: whoever reads nothing would keep it for ever.
const CLOSE_MAX: Duration = Duration::from_secs(5);
/// Until the user of the stream allows more.
const FRAME_BYTES_MAX_FIRST: u32 = 4 * 1024;

/// What is spoken in a stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Protocol {
    /// Between peers that do not know each other yet: asking to join, pairing.
    Pair,
    /// Who is there, and what is shared.
    Card,
    /// Between members of a project.
    Sync,
}

impl Protocol {
    pub(crate) const ALL: [Protocol; 3] = [Protocol::Pair, Protocol::Card, Protocol::Sync];

    pub(crate) fn name(self) -> StreamProtocol {
        match self {
            Protocol::Pair => StreamProtocol::new("/codesync/pair/1"),
            Protocol::Card => StreamProtocol::new("/codesync/card/1"),
            Protocol::Sync => StreamProtocol::new("/codesync/1"),
        }
    }
}

/// Which end asked for a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    Ours,
    Theirs,
}

/// Counts the streams of this process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StreamId(pub u64);

/// This end of a stream. It is closed when this is dropped, after what was given to it is sent, if that is soon.
#[derive(Debug)]
pub struct Stream {
    pub id: StreamId,
    pub peer: Peer,
    pub protocol: Protocol,
    pub direction: Direction,
    frames: mpsc::UnboundedSender<Vec<u8>>,
    shared: Arc<Shared>,
    /// Dropped with the stream. Nothing is ever sent.
    _life: oneshot::Sender<()>,
}

#[derive(Debug)]
struct Shared {
    frame_bytes_max: AtomicU32,
    queued_bytes: AtomicUsize,
}

/// Bytes of one frame. The other end may send as many more once this is dropped.
#[derive(Debug)]
pub struct Frame {
    pub bytes: Vec<u8>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Frame {
    /// A frame that holds nobody up, for tests.
    pub fn loose(bytes: Vec<u8>) -> Self {
        Self { bytes, _permit: None }
    }
}

impl Stream {
    /// A stream that leads nowhere, for tests.
    pub fn loose(id: StreamId, peer: Peer, protocol: Protocol) -> Self {
        let shared = Shared { frame_bytes_max: AtomicU32::new(0), queued_bytes: AtomicUsize::new(0) };
        let (frames, life) = (mpsc::unbounded_channel().0, oneshot::channel().0);
        Self { id, peer, protocol, direction: Direction::Theirs, frames, shared: Arc::new(shared), _life: life }
    }

    /// Sends a frame. False when the stream is closed, or too much waits already: it is to be given up then.
    pub fn send(&self, frame: Vec<u8>) -> bool {
        let n_bytes = frame.len();
        if self.shared.queued_bytes.fetch_add(n_bytes, Ordering::Relaxed) > QUEUED_BYTES_MAX {
            return false;
        }
        self.frames.send(frame).is_ok()
    }

    /// Waits until the stream is closed, as seen from here: by the other end, or with its connection.
    pub(crate) async fn closed(&self) {
        self.frames.closed().await;
    }

    /// Whether it has ended: nothing is sent any more.
    pub fn is_closed(&self) -> bool {
        self.frames.is_closed()
    }

    /// Bytes that were given to `send` and not yet to the network.
    pub fn queued_bytes(&self) -> usize {
        self.shared.queued_bytes.load(Ordering::Relaxed)
    }

    /// Longest frame that is taken from the other end from now on. A longer one ends the stream.
    pub fn set_frame_bytes_max(&self, n_bytes: u32) {
        self.shared.frame_bytes_max.store(n_bytes, Ordering::Relaxed);
    }
}

/// The network's end of a stream.
pub(crate) struct Pump {
    id: StreamId,
    io: libp2p::Stream,
    frames: mpsc::UnboundedReceiver<Vec<u8>>,
    shared: Arc<Shared>,
    life: oneshot::Receiver<()>,
}

pub(crate) fn stream(
    id: StreamId,
    peer: Peer,
    protocol: Protocol,
    direction: Direction,
    io: libp2p::Stream,
) -> (Stream, Pump) {
    let ((sender, receiver), (life, life_here)) = (mpsc::unbounded_channel(), oneshot::channel());
    let shared =
        Arc::new(Shared { frame_bytes_max: AtomicU32::new(FRAME_BYTES_MAX_FIRST), queued_bytes: AtomicUsize::new(0) });
    let pump = Pump { id, io, frames: receiver, shared: shared.clone(), life: life_here };
    (Stream { id, peer, protocol, direction, frames: sender, shared, _life: life }, pump)
}

impl Pump {
    /// Moves frames until either end is done with it.
    pub async fn run(self, tell: &impl Fn(Event)) {
        let (read, write) = self.io.split();
        let reading = read_all(self.id, read, &self.shared, tell);
        let writing = write_all(write, self.frames, &self.shared);
        let is_late = async {
            self.life.await.unwrap_or_default();
            tokio::time::sleep(CLOSE_MAX).await;
            Err(io::ErrorKind::TimedOut.into())
        };
        // Whichever ends first ends the other: nobody reads what a closed stream would bring.
        let ended = tokio::select! {
            ended = reading => ended,
            ended = writing => ended,
            ended = is_late => ended,
        };
        if let Err(error) = ended {
            tracing::debug!(%error, stream = self.id.0, "a stream ended");
        }
        tell(Event::Closed(self.id));
    }
}

async fn read_all(
    id: StreamId,
    mut read: impl AsyncRead + Unpin,
    shared: &Shared,
    tell: &impl Fn(Event),
) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(HELD_BYTES_MAX));
    loop {
        let mut length = [0; 4];
        read.read_exact(&mut length).await?;
        let n_bytes = u32::from_le_bytes(length);
        if n_bytes == 0 || n_bytes > shared.frame_bytes_max.load(Ordering::Relaxed) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame is empty or too long"));
        }
        let n_permits = n_bytes.saturating_add(FRAME_COST_BYTES).min(HELD_BYTES_MAX as u32);
        let permit = room.clone().acquire_many_owned(n_permits).await.map_err(io::Error::other)?;
        let mut bytes = vec![0; n_bytes as usize];
        read.read_exact(&mut bytes).await?;
        tell(Event::Frame { stream: id, frame: Frame { bytes, _permit: Some(permit) } });
    }
}

async fn write_all(
    mut write: WriteHalf<libp2p::Stream>,
    mut frames: mpsc::UnboundedReceiver<Vec<u8>>,
    shared: &Shared,
) -> io::Result<()> {
    loop {
        let next = match frames.try_recv() {
            Ok(frame) => Some(frame),
            // Only an end of what there is makes it leave: many small frames share a packet.
            Err(_) => {
                write.flush().await?;
                frames.recv().await
            }
        };
        let Some(frame) = next else { return write.close().await };
        write.write_all(&(frame.len() as u32).to_le_bytes()).await?;
        write.write_all(&frame).await?;
        shared.queued_bytes.fetch_sub(frame.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use futures::io::Cursor;
    use std::cell::RefCell;

    /// What comes of bytes while nobody lets a frame go: how many frames, and how it ended, if it did.
    fn read(bytes: Vec<u8>) -> (usize, Option<io::Result<()>>) {
        let shared =
            Shared { frame_bytes_max: AtomicU32::new(FRAME_BYTES_MAX_FIRST), queued_bytes: AtomicUsize::new(0) };
        let held = RefCell::new(Vec::new());
        let tell = |event| held.borrow_mut().push(event);
        let ended = read_all(StreamId(1), Cursor::new(bytes), &shared, &tell).now_or_never();
        (held.borrow().len(), ended)
    }

    #[test]
    fn many_small_frames_that_nobody_lets_go_hold_up_what_comes_after_them() {
        let (n_held, ended) = read([1, 0, 0, 0, 7].repeat(1_000_000));
        assert!(n_held == HELD_BYTES_MAX / 257 && ended.is_none(), "{n_held} {ended:?}");
    }

    #[test]
    fn an_empty_frame_ends_its_stream() {
        let (n_held, ended) = read([&[1, 0, 0, 0, 7][..], &[0; 1_000]].concat());
        assert!(
            n_held == 1
                && ended.is_some_and(|ended| ended.is_err_and(|error| error.kind() == io::ErrorKind::InvalidData))
        );
    }
}
