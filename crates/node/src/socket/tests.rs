//! The real socket, with a handler that answers from what it is asked.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::endpoint::Endpoint;
use codesync_api::{API_VERSION, ErrorCode, Notice, SaveKind, SaveState, ServerFrame};
use interprocess::local_socket::Stream;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Answers `GetState` with its own key, refuses everything else, and keeps its subscribers.
#[derive(Default)]
struct Echo {
    subscribers: Mutex<Vec<Sender<Event>>>,
}

impl Handler for Echo {
    fn call(&self, request: Request) -> Result<Reply, ApiError> {
        match request {
            Request::GetState { key } => Ok(Reply::State { value: Some(key) }),
            _ => Err(ApiError::new(ErrorCode::Exists, "It is there.").with_detail("why")),
        }
    }

    fn subscribe(&self) -> Receiver<Event> {
        let (sender, events) = channel();
        self.subscribers.lock().unwrap().push(sender);
        events
    }
}

impl Echo {
    fn tell(&self, event: &Event) -> usize {
        let mut subscribers = self.subscribers.lock().unwrap();
        subscribers.retain(|subscriber| subscriber.send(event.clone()).is_ok());
        subscribers.len()
    }
}

fn start(folder: &Path) -> (Arc<Echo>, SocketServer) {
    let echo = Arc::new(Echo::default());
    let server = SocketServer::start(folder, echo.clone()).unwrap();
    (echo, server)
}

fn notice(body: &str) -> Event {
    Event::Notice(Notice { id: "T".into(), title: "t".into(), body: body.into(), ..Notice::default() })
}

fn get(key: &str) -> Request {
    Request::GetState { key: key.into() }
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(10), "never so: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn raw(folder: &Path) -> (Endpoint, Stream) {
    let endpoint = Endpoint::read(folder).unwrap();
    let stream = Stream::connect(socket_name(&endpoint.socket).unwrap()).unwrap();
    (endpoint, stream)
}

#[test]
fn requests_of_many_threads_get_their_own_answers() {
    let folder = tempfile::tempdir().unwrap();
    let (_echo, server) = start(folder.path());
    let client = Arc::new(SocketClient::connect(folder.path()).unwrap().unwrap());
    let threads = (0..8).map(|thread| {
        let client = client.clone();
        std::thread::spawn(move || {
            for i in 0..200 {
                let key = format!("{thread} {i} ü😀\n");
                let Reply::State { value } = client.call(get(&key)).unwrap() else { panic!() };
                assert_eq!(value.unwrap(), key);
            }
        })
    });
    threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
    let refusal = client.call(Request::Flush).unwrap_err();
    assert_eq!(
        (refusal.code, refusal.message.as_str(), refusal.detail.as_deref()),
        (ErrorCode::Exists, "It is there.", Some("why"))
    );
    server.stop();
}

#[test]
fn a_large_text_passes_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (_echo, _server) = start(folder.path());
    let client = SocketClient::connect(folder.path()).unwrap().unwrap();
    let key = "äx\n".repeat(1_000_000);
    let Reply::State { value } = client.call(get(&key)).unwrap() else { panic!() };
    assert!(value.unwrap() == key);
    let too_much = client.call(get(&"x".repeat(LINE_BYTES_MAX))).unwrap_err();
    assert_eq!(too_much.code, ErrorCode::Invalid);
    assert!(client.call(get("still there")).is_ok());
}

#[test]
fn events_come_only_to_those_who_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (echo, server) = start(folder.path());
    let listening = SocketClient::connect(folder.path()).unwrap().unwrap();
    let other = SocketClient::connect(folder.path()).unwrap().unwrap();
    let (first, second) = (listening.subscribe(), listening.subscribe());
    wait_until("subscribed", || echo.tell(&notice("one")) == 1);
    for events in [&first, &second] {
        let event = events.recv_timeout(Duration::from_secs(5)).unwrap();
        assert!(matches!(event, Event::Notice(notice) if notice.body == "one"));
    }
    assert!(other.call(get("x")).is_ok());
    assert_eq!(echo.subscribers.lock().unwrap().len(), 1);
    server.stop();
    wait_until("the end of the events", || {
        first
            .recv_timeout(Duration::from_millis(1))
            .is_err_and(|error| error == std::sync::mpsc::RecvTimeoutError::Disconnected)
    });
    assert!(listening.call(get("x")).is_err());
}

/// A listener that was let go, for being too slow, say, is to notice it.
#[test]
fn a_connection_ends_with_its_events() {
    let folder = tempfile::tempdir().unwrap();
    let (echo, _server) = start(folder.path());
    let client = SocketClient::connect(folder.path()).unwrap().unwrap();
    let events = client.subscribe();
    wait_until("subscribed", || echo.tell(&notice("one")) == 1);
    echo.subscribers.lock().unwrap().clear();
    wait_until("the end of the events", || {
        events.try_recv().is_err_and(|error| error == std::sync::mpsc::TryRecvError::Disconnected)
    });
    assert!(SocketClient::is_gone(&client.call(get("x")).unwrap_err()));
    // It begins anew.
    let client = SocketClient::connect(folder.path()).unwrap().unwrap();
    assert!(client.call(get("x")).is_ok());
}

#[test]
fn only_the_owner_can_read_where_and_reach_it() {
    let folder = tempfile::tempdir().unwrap();
    let (_echo, server) = start(folder.path());
    let endpoint = Endpoint::read(folder.path()).unwrap();
    assert_eq!((endpoint.pid, endpoint.api_version, endpoint.token.len()), (std::process::id(), API_VERSION, 64));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.path().join("run.json")), 0o600);
        assert_eq!(mode(Path::new(&endpoint.socket).parent().unwrap()), 0o700);
    }
    server.stop();
    assert!(!folder.path().join("run.json").exists());
    #[cfg(unix)]
    assert!(!Path::new(&endpoint.socket).parent().unwrap().exists());
    assert!(SocketClient::connect(folder.path()).unwrap().is_none());
}

#[test]
fn who_does_not_know_the_token_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let (_echo, _server) = start(folder.path());
    let wrong = Hello { token: "0".repeat(64), api_version: API_VERSION };
    let first_lines: [Vec<u8>; 4] = [
        line_of(&wrong).unwrap(),
        b"{\"id\":1,\"cmd\":\"status\"}\n".to_vec(),
        vec![b'x'; HELLO_BYTES_MAX + 2],
        b"\xff\xfe\n".to_vec(),
    ];
    for line in first_lines {
        let (_, mut stream) = raw(folder.path());
        stream.write_all(&line).unwrap();
        let mut answer = Vec::new();
        // A reset counts as being cut off, too.
        stream.read_to_end(&mut answer).unwrap_or_default();
        assert!(answer.is_empty(), "{:?}", String::from_utf8_lossy(&answer));
    }
    assert!(SocketClient::connect(folder.path()).unwrap().is_some());
}

#[test]
fn another_version_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let (_echo, _server) = start(folder.path());
    let (endpoint, mut stream) = raw(folder.path());
    stream.write_all(&line_of(&Hello { token: endpoint.token, api_version: API_VERSION + 1 }).unwrap()).unwrap();
    let mut answer = String::new();
    BufReader::new(&stream).read_line(&mut answer).unwrap();
    let ServerFrame::Reply { id: 0, result: Err(error) } = serde_json::from_str(&answer).unwrap() else {
        panic!("{answer}")
    };
    assert_eq!(error.code, ErrorCode::NewerVersion);
}

#[test]
fn nonsense_after_the_token_closes_that_connection_only() {
    let folder = tempfile::tempdir().unwrap();
    let (_echo, _server) = start(folder.path());
    let (endpoint, mut stream) = raw(folder.path());
    stream.write_all(&line_of(&Hello { token: endpoint.token, api_version: API_VERSION }).unwrap()).unwrap();
    stream.write_all(b"{\"cmd\":\"destroy\"}\n").unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap_or_default();
    assert_eq!(answers.lines().count(), 1, "{answers}");
    assert!(SocketClient::connect(folder.path()).unwrap().unwrap().call(get("x")).is_ok());
}

#[test]
fn more_than_the_allowed_connections_are_turned_away_and_places_become_free() {
    let folder = tempfile::tempdir().unwrap();
    let (_echo, _server) = start(folder.path());
    let connect = || SocketClient::connect(folder.path()).unwrap();
    let mut clients: Vec<_> = (0..server::CONNECTIONS_MAX).map(|_| connect().unwrap()).collect();
    assert!(connect().is_none());
    clients.pop();
    wait_until("a free place", || connect().is_some());
    assert!(clients[0].call(get("x")).is_ok());
}

#[test]
fn one_who_does_not_read_is_dropped_and_harms_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (echo, _server) = start(folder.path());
    let (endpoint, mut stream) = raw(folder.path());
    stream.write_all(&line_of(&Hello { token: endpoint.token, api_version: API_VERSION }).unwrap()).unwrap();
    stream.write_all(b"{\"subscribe\":true}\n").unwrap();
    wait_until("subscribed", || !echo.subscribers.lock().unwrap().is_empty());
    let event = notice(&"x".repeat(100_000));
    wait_until("dropped", || {
        (0..100).for_each(|_| assert!(echo.tell(&event) <= 1));
        echo.tell(&event) == 0
    });
    let client = SocketClient::connect(folder.path()).unwrap().unwrap();
    assert!(client.call(get("x")).is_ok());
}

#[test]
fn what_a_dead_process_left_is_removed_and_a_living_one_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.json");
    let mut child = std::process::Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let write = |pid: u32| {
        let endpoint = Endpoint { pid, socket: "/nowhere/codesync-x/socket".into(), token: "t".into(), api_version: 1 };
        std::fs::write(&file, serde_json::to_vec(&endpoint).unwrap()).unwrap();
    };
    write(std::process::id());
    assert!(SocketClient::connect(folder.path()).unwrap().is_none());
    assert!(file.exists());
    write(child.id());
    assert!(SocketClient::connect(folder.path()).unwrap().is_none());
    assert!(!file.exists());
    std::fs::write(&file, b"{ torn").unwrap();
    assert!(SocketClient::connect(folder.path()).unwrap().is_none());
}

#[test]
fn every_event_and_request_passes_as_it_is() {
    let state =
        SaveState { kind: SaveKind::DiskFull, saved_ms: Some(7), n_unwritten: 2, message: Some("Full.".into()) };
    let line = line_of(&ServerFrame::Event(Event::SaveState(state.clone()))).unwrap();
    let ServerFrame::Event(Event::SaveState(back)) = serde_json::from_slice(&line).unwrap() else { panic!() };
    assert_eq!(back, state);
    // Requests without and with arguments, each beside its id.
    for request in [
        Request::Status,
        Request::UndoLast,
        get("k"),
        Request::EditFile { path: "a".into(), edits: vec![codesync_api::Splice(1, 0, "x\u{2028}\n".into())] },
    ] {
        let shown = format!("{request:?}");
        let line = line_of(&ClientLine::Request(RequestFrame { id: 5, request })).unwrap();
        let ClientLine::Request(frame) = serde_json::from_slice(&line).unwrap() else {
            panic!("{}", String::from_utf8_lossy(&line))
        };
        assert_eq!((frame.id, format!("{:?}", frame.request)), (5, shown));
    }
}

/// Answers slowly, and counts.
#[derive(Default)]
struct Slow {
    n_done: std::sync::atomic::AtomicU64,
}

impl Handler for Slow {
    fn call(&self, _request: Request) -> Result<Reply, ApiError> {
        std::thread::sleep(Duration::from_millis(2));
        self.n_done.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Ok(Reply::Done)
    }

    fn subscribe(&self) -> Receiver<Event> {
        channel().1
    }
}

#[test]
fn a_server_that_leaves_has_done_exactly_what_it_has_answered() {
    for wait_ms in [1, 5, 9, 14, 30] {
        let folder = tempfile::tempdir().unwrap();
        let slow = Arc::new(Slow::default());
        let server = SocketServer::start(folder.path(), slow.clone()).unwrap();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let client = SocketClient::connect(folder.path()).unwrap().unwrap();
                std::thread::spawn(move || {
                    for n_answered in 0.. {
                        if let Err(error) = client.call(Request::Flush) {
                            assert_eq!(error.detail.as_deref(), Some(NOT_DONE));
                            return n_answered;
                        }
                    }
                    unreachable!()
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(wait_ms));
        server.stop();
        let n_answered: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!(n_answered, slow.n_done.load(std::sync::atomic::Ordering::SeqCst));
    }
}
