//! Real peers in processes of their own, on hosts of a network of their own (see `codesync_lan`): they find each
//! other by real multicast, lose the cable, block multicast. One argument names the scenarios to run; the program also
//! plays the peers (`peer SEED`), which do what lines on their input say and tell what happens on their output.

use anyhow::{Context, Result, bail, ensure};
use codesync_lan::{Host, Lan, Scenario};
use codesync_net::{Address, Config, Event, Net, Peer, Protocol, Stream, StreamId};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "peer") {
        return play(words[1].parse()?, words.get(2).is_none_or(|word| word != "hidden"));
    }
    codesync_lan::run_scenarios(SCENARIOS)
}

const SCENARIOS: &[Scenario] = &[
    ("two_find_each_other_and_talk", two_find_each_other_and_talk),
    ("a_frame_too_long_ends_the_stream", a_frame_too_long_ends_the_stream),
    ("a_pulled_cable_is_noticed_and_mended", a_pulled_cable_is_noticed_and_mended),
    ("a_cable_pulled_while_much_is_sent_is_noticed", a_cable_pulled_while_much_is_sent_is_noticed),
    ("a_typed_address_does_without_multicast", a_typed_address_does_without_multicast),
    ("a_kept_address_is_dialled_until_somebody_is_there", a_kept_address_is_dialled_until_somebody_is_there),
    ("an_answer_that_was_lost_comes_soon", an_answer_that_was_lost_comes_soon),
    ("nobody_finds_who_hides", nobody_finds_who_hides),
    ("looking_around_alone_leaves_nothing_behind", looking_around_alone_leaves_nothing_behind),
    ("what_is_said_of_wrong_addresses", what_is_said_of_wrong_addresses),
    ("a_flood_of_connections_stops_nobody", a_flood_of_connections_stops_nobody),
    ("eight_meet", eight_meet),
    ("how_fast", how_fast),
];

fn two_find_each_other_and_talk(lan: &Lan) -> Result<()> {
    let (a, b) = (Player::start(&lan.host()?, 1)?, Player::start(&lan.host()?, 2)?);
    a.wait(&format!("connected {:?}", b.key), 3)?;
    b.wait(&format!("connected {:?}", a.key), 3)?;
    a.say(&format!("open {} pair", hex(&b.key)))?;
    let (ours, theirs) = (a.wait("opened ours", 2)?, b.wait("opened theirs", 2)?);
    a.say(&format!("send {} hello", last(&ours)))?;
    b.wait(&format!("frame {} hello", last(&theirs)), 2)?;
    b.say(&format!("send {} there", last(&theirs)))?;
    a.wait(&format!("frame {} there", last(&ours)), 2)?;
    b.say(&format!("close {}", last(&theirs)))?;
    a.wait(&format!("closed {}", last(&ours)), 2)?;
    // One leaves: the other hears of it at once, not after a silence.
    drop(b);
    a.wait("disconnected", 2).map(drop)
}

fn a_frame_too_long_ends_the_stream(lan: &Lan) -> Result<()> {
    let (a, b) = (Player::start(&lan.host()?, 1)?, Player::start(&lan.host()?, 2)?);
    let (ours, theirs) = pair(&a, &b, "pair")?;
    a.say(&format!("bytes {ours} 4096"))?;
    b.wait(&format!("bytes {theirs} 4096"), 2)?;
    a.say(&format!("bytes {ours} 4097"))?;
    b.wait(&format!("closed {theirs}"), 2)?;
    a.wait(&format!("closed {ours}"), 2)?;
    // The connection lives on.
    a.say(&format!("open {} sync", hex(&b.key)))?;
    a.wait("opened ours", 2).map(drop)
}

fn a_pulled_cable_is_noticed_and_mended(lan: &Lan) -> Result<()> {
    let (host_a, host_b) = (lan.host()?, lan.host()?);
    let (a, b) = (Player::start(&host_a, 1)?, Player::start(&host_b, 2)?);
    let (ours, theirs) = pair(&a, &b, "sync")?;
    // Seconds do not end a connection.
    host_b.unplug()?;
    std::thread::sleep(Duration::from_millis(800));
    host_b.plug_in()?;
    std::thread::sleep(Duration::from_millis(1_500));
    ensure!(!a.has_heard("disconnected"), "a short break ended the connection");
    host_b.unplug()?;
    let began = Instant::now();
    a.wait("disconnected", 5)?;
    b.wait("disconnected", 5)?;
    // Whoever talks over it hears of it, too.
    a.wait(&format!("closed {ours}"), 2)?;
    b.wait(&format!("closed {theirs}"), 2)?;
    println!("  noticed after {:.1} s", began.elapsed().as_secs_f32());
    std::thread::sleep(Duration::from_secs(6));
    host_b.plug_in()?;
    let began = Instant::now();
    a.forget();
    b.forget();
    a.wait("connected", 5)?;
    println!("  together again after {:.1} s", began.elapsed().as_secs_f32());
    Ok(())
}

/// What can't be sent any more keeps the connection from being closed in good order.
fn a_cable_pulled_while_much_is_sent_is_noticed(lan: &Lan) -> Result<()> {
    let (host_a, host_b) = (lan.host()?, lan.host()?);
    let (a, b) = (Player::start(&host_a, 1)?, Player::start(&host_b, 2)?);
    let (ours, theirs) = pair(&a, &b, "sync")?;
    host_b.unplug()?;
    a.say(&format!("pour {ours} 128"))?;
    b.say(&format!("pour {theirs} 128"))?;
    for (player, stream) in [(&a, &ours), (&b, &theirs)] {
        player.wait("disconnected", 7)?;
        player.wait(&format!("closed {stream}"), 2)?;
        player.forget();
    }
    host_b.plug_in()?;
    a.wait("connected", 5)?;
    b.wait("connected", 5)?;
    pair_again(&a, &b)
}

fn a_typed_address_does_without_multicast(lan: &Lan) -> Result<()> {
    let (host_a, host_b) = (lan.host()?, lan.host()?);
    host_a.block_multicast()?;
    host_b.block_multicast()?;
    let (a, b) = (Player::start(&host_a, 1)?, Player::start(&host_b, 2)?);
    std::thread::sleep(Duration::from_secs(2));
    ensure!(!a.has_heard("found") && !b.has_heard("found"), "multicast is not blocked");
    a.say(&format!("dial {}", host_b.address()))?;
    a.wait(&format!("connected {:?}", b.key), 3)?;
    b.wait(&format!("connected {:?}", a.key), 3).map(drop)
}

fn a_kept_address_is_dialled_until_somebody_is_there(lan: &Lan) -> Result<()> {
    let (host_a, host_b) = (lan.host()?, lan.host()?);
    let a = Player::start_hidden(&host_a, 1)?;
    a.say(&format!("keep {}", host_b.address()))?;
    a.wait("unreachable", 4)?;
    let b = Player::start_hidden(&host_b, 2)?;
    a.wait(&format!("connected {:?}", b.key), 4)?;
    drop(b);
    a.wait("disconnected", 5)?;
    let c = Player::start_hidden(&host_b, 3)?;
    a.wait(&format!("connected {:?}", c.key), 5).map(drop)
}

fn an_answer_that_was_lost_comes_soon(lan: &Lan) -> Result<()> {
    let host = lan.host()?;
    let (a, c) = (Player::start(&host, 1)?, Player::start(&lan.host()?, 3)?);
    a.wait(&format!("found {:?}", c.key), 5)?;
    host.block_multicast()?;
    // Somebody answers, so libp2p asks again only after 20 s.
    let b = Player::start(&lan.host()?, 2)?;
    b.wait(&format!("found {:?}", c.key), 5)?;
    host.let_multicast_through()?;
    b.wait(&format!("found {:?}", a.key), 10).map(drop)
}

fn nobody_finds_who_hides(lan: &Lan) -> Result<()> {
    let (a, b) = (Player::start(&lan.host()?, 1)?, Player::start_hidden(&lan.host()?, 2)?);
    std::thread::sleep(Duration::from_secs(2));
    ensure!(!a.has_heard("found") && !b.has_heard("found"), "found all the same");
    b.say("show")?;
    a.wait(&format!("found {:?}", b.key), 3)?;
    b.say("hide")?;
    // Somebody else comes, and asks who is there.
    let c = Player::start(&lan.host()?, 3)?;
    c.wait(&format!("found {:?}", a.key), 3)?;
    std::thread::sleep(Duration::from_secs(2));
    ensure!(!c.has_heard(&format!("found {:?}", b.key)), "found after it hid");
    Ok(())
}

fn looking_around_alone_leaves_nothing_behind(lan: &Lan) -> Result<()> {
    let a = Player::start(&lan.host()?, 1)?;
    let n_open = || Ok::<_, anyhow::Error>(std::fs::read_dir(format!("/proc/{}/fd", a.id()))?.count());
    let look = |n_times: usize| {
        (0..n_times).try_for_each(|_| {
            std::thread::sleep(Duration::from_millis(50));
            a.say("look")
        })
    };
    look(2)?;
    std::thread::sleep(Duration::from_millis(300));
    let before = n_open()?;
    look(20)?;
    std::thread::sleep(Duration::from_millis(300));
    let after = n_open()?;
    ensure!(after <= before + 2, "{before} files and sockets were open, and {after} are");
    Ok(())
}

fn what_is_said_of_wrong_addresses(lan: &Lan) -> Result<()> {
    let (host_a, host_b) = (lan.host()?, lan.host()?);
    let a = Player::start_hidden(&host_a, 1)?;
    a.say(&format!("dial {}", host_b.address()))?;
    a.wait("unreachable NoAnswer", 4)?;
    a.say("dial 10.77.0.253")?;
    a.wait("unreachable NoAnswer", 5)?;
    a.say("dial no-such-host.invalid")?;
    a.wait("unreachable NoSuchName", 12)?;
    a.say(&format!("dial {}", host_a.address()))?;
    a.wait("unreachable Oneself", 4)?;
    // A web server, say: it answers, but with something else.
    let script = "import socket\ns=socket.create_server(('',4870))\nwhile 1:\n c,_=s.accept();c.sendall(b'HTTP/1.1 400 no\\r\\n\\r\\n'*9);c.close()";
    let mut server = Guard(host_b.command("python3").args(["-c", script]).spawn()?);
    std::thread::sleep(Duration::from_millis(700));
    a.say(&format!("dial {}", host_b.address()))?;
    a.wait("unreachable NotAPeer", 4)?;
    server.0.kill()?;
    Ok(())
}

fn a_flood_of_connections_stops_nobody(lan: &Lan) -> Result<()> {
    let (host_a, host_b, evil) = (lan.host()?, lan.host()?, lan.host()?);
    let a = Player::start(&host_a, 1)?;
    let target = host_a.address();
    let script = format!(
        "import socket,time\nopen_=[]\nfor n in range(600):\n s=socket.socket();s.settimeout(2)\n try:\n  s.connect(('{target}',4870));s.send(b'x'*50)\n except OSError:\n  pass\n open_.append(s)\nprint('flooded',flush=True)\ntime.sleep(20)"
    );
    let mut flood = Guard(evil.command("python3").args(["-c", &script]).stdout(Stdio::piped()).spawn()?);
    let mut line = String::new();
    BufReader::new(flood.0.stdout.take().context("output")?).read_line(&mut line)?;
    ensure!(line.trim() == "flooded", "{line}");
    let b = Player::start(&host_b, 2)?;
    let (ours, theirs) = pair(&a, &b, "pair")?;
    a.say(&format!("send {ours} hello"))?;
    b.wait(&format!("frame {theirs} hello"), 2)?;
    flood.0.kill()?;
    Ok(())
}

fn eight_meet(lan: &Lan) -> Result<()> {
    let players = (1..=8).map(|seed| Player::start(&lan.host()?, seed)).collect::<Result<Vec<_>>>()?;
    for player in &players {
        for other in players.iter().filter(|other| other.key != player.key) {
            player.wait(&format!("connected {:?}", other.key), 6)?;
        }
    }
    Ok(())
}

/// Prints figures, which `docs/benchmarks.md` may quote; what holds is only that all arrives.
fn how_fast(lan: &Lan) -> Result<()> {
    let (a, b) = (Player::start(&lan.host()?, 1)?, Player::start(&lan.host()?, 2)?);
    let (ours, theirs) = pair(&a, &b, "sync")?;
    b.say(&format!("grow {theirs}"))?;
    std::thread::sleep(Duration::from_millis(100));
    let began = Instant::now();
    a.say(&format!("blast {ours} 50"))?;
    b.wait(&format!("blasted {theirs} {}", 50 << 20), 60)?;
    println!("  {:.0} MB/s", 52.4 / began.elapsed().as_secs_f64());
    Ok(())
}

/// Both ends' numbers of a new stream between two that find each other.
fn pair(a: &Player, b: &Player, protocol: &str) -> Result<(String, String)> {
    a.wait(&format!("connected {:?}", b.key), 5)?;
    a.say(&format!("open {} {protocol}", hex(&b.key)))?;
    Ok((last(&a.wait("opened ours", 3)?), last(&b.wait("opened theirs", 3)?)))
}

/// A new stream carries something between two that are together again.
fn pair_again(a: &Player, b: &Player) -> Result<()> {
    a.say(&format!("open {} sync", hex(&b.key)))?;
    let (ours, theirs) = (last(&a.wait("opened ours", 3)?), last(&b.wait("opened theirs", 3)?));
    a.say(&format!("send {ours} hello"))?;
    b.wait(&format!("frame {theirs} hello"), 2).map(drop)
}

fn last(line: &str) -> String {
    line.rsplit(' ').next().unwrap_or_default().to_owned()
}

fn hex(peer: &Peer) -> String {
    peer.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.kill().unwrap_or_default();
        let _ = self.0.wait();
    }
}

/// A peer in a process of its own.
struct Player {
    process: RefCell<Guard>,
    lines: mpsc::Receiver<String>,
    heard: RefCell<Vec<String>>,
    key: Peer,
}

impl Player {
    fn start(host: &Host, seed: u8) -> Result<Self> {
        Self::start_with(host, seed, "visible")
    }

    fn start_hidden(host: &Host, seed: u8) -> Result<Self> {
        Self::start_with(host, seed, "hidden")
    }

    fn start_with(host: &Host, seed: u8, how: &str) -> Result<Self> {
        let mut command = host.command(std::env::current_exe()?);
        command.args(["peer", &seed.to_string(), how]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Guard(command.spawn()?);
        let output = BufReader::new(process.0.stdout.take().context("output")?);
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || output.lines().map_while(|line| line.ok()).try_for_each(|line| sender.send(line)));
        let mut player = Self { process: RefCell::new(process), lines, heard: RefCell::default(), key: Peer([0; 32]) };
        let first = player.wait("peer", 5)?;
        let key = last(&first);
        for (byte, digits) in player.key.0.iter_mut().zip(key.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits)?, 16)?;
        }
        Ok(player)
    }

    fn id(&self) -> u32 {
        self.process.borrow().0.id()
    }

    fn say(&self, line: &str) -> Result<()> {
        let mut process = self.process.borrow_mut();
        let input = process.0.stdin.as_mut().context("input")?;
        writeln!(input, "{line}")?;
        Ok(input.flush()?)
    }

    /// The first line not yet waited for that begins so, now or within some seconds.
    fn wait(&self, start: &str, seconds: u64) -> Result<String> {
        let end = Instant::now() + Duration::from_secs(seconds);
        loop {
            let mut heard = self.heard.borrow_mut();
            heard.extend(self.lines.try_iter());
            if let Some(at) = heard.iter().position(|line| line.starts_with(start)) {
                return Ok(heard.remove(at));
            }
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => heard.push(line),
                Err(_) => bail!("peer {:?} did not say “{start}” but {heard:#?}", self.key),
            }
        }
    }

    fn has_heard(&self, start: &str) -> bool {
        let mut heard = self.heard.borrow_mut();
        heard.extend(self.lines.try_iter());
        heard.iter().any(|line| line.starts_with(start))
    }

    fn forget(&self) {
        self.has_heard("");
        self.heard.borrow_mut().clear();
    }
}

/// Plays a peer until its input ends.
fn play(seed: u8, visible: bool) -> Result<()> {
    let (sender, events) = mpsc::channel();
    let config = Config { visible, ..Config::new([seed; 32]) };
    let net = Net::start(config, move |event| sender.send(event).unwrap_or_default())?;
    println!("peer {}", hex(&net.peer()));
    let (line_sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        std::io::stdin().lines().map_while(|line| line.ok()).try_for_each(|line| line_sender.send(line))
    });
    let (mut streams, mut n_blasted) = (BTreeMap::<StreamId, Stream>::new(), BTreeMap::<StreamId, usize>::new());
    loop {
        loop {
            match lines.try_recv() {
                Ok(line) => obey(&net, &mut streams, &line)?,
                Err(mpsc::TryRecvError::Empty) => break,
                Err(mpsc::TryRecvError::Disconnected) => return Ok(()),
            }
        }
        let Ok(event) = events.recv_timeout(Duration::from_millis(5)) else { continue };
        match event {
            Event::Opened(stream) => {
                println!("opened {} {}", format!("{:?}", stream.direction).to_lowercase(), stream.id.0);
                streams.insert(stream.id, stream);
            }
            Event::Frame { stream, frame } if frame.bytes.len() > 8_192 => {
                let total = n_blasted.entry(stream).or_default();
                *total += frame.bytes.len();
                if total.is_multiple_of(1 << 20) {
                    println!("blasted {} {total}", stream.0);
                }
            }
            Event::Frame { stream, frame } if frame.bytes.first() == Some(&0) => {
                println!("bytes {} {}", stream.0, frame.bytes.len());
            }
            Event::Frame { stream, frame } => {
                println!("frame {} {}", stream.0, String::from_utf8_lossy(&frame.bytes));
            }
            Event::Closed(stream) => {
                streams.remove(&stream);
                println!("closed {}", stream.0);
            }
            Event::Found { peer, address } => println!("found {peer:?} {address}"),
            Event::Gone(peer) => println!("gone {peer:?}"),
            Event::Connected { peer, address, .. } => println!("connected {peer:?} {address}"),
            Event::Disconnected(peer) => println!("disconnected {peer:?}"),
            Event::Unreachable { address, why } => println!("unreachable {why:?} {address}"),
            Event::NotOpened { peer, protocol } => println!("not opened {protocol:?} {peer:?}"),
            Event::Listening(_) | Event::NotListening(_) | Event::RoundTrip { .. } => {}
        }
    }
}

fn obey(net: &Net, streams: &mut BTreeMap<StreamId, Stream>, line: &str) -> Result<()> {
    let words: Vec<&str> = line.split(' ').collect();
    let word = |n: usize| words.get(n).copied().unwrap_or_default();
    let peer = || -> Result<Peer> {
        let mut key = [0; 32];
        for (n, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(word(1).get(2 * n..2 * n + 2).context("a key")?, 16)?;
        }
        Ok(Peer(key))
    };
    let id = || StreamId(word(1).parse().unwrap_or_default());
    match word(0) {
        "open" => net.open(peer()?, if word(2) == "pair" { Protocol::Pair } else { Protocol::Sync }),
        "dial" => net.dial(word(1).parse::<Address>()?),
        "keep" => net.keep(word(1).parse::<Address>()?),
        "disconnect" => net.disconnect(peer()?),
        "look" => net.look(),
        "show" => net.set_visible(true),
        "hide" => net.set_visible(false),
        "close" => drop(streams.remove(&id())),
        "grow" => streams.get(&id()).context("stream")?.set_frame_bytes_max(256 * 1024),
        "send" => ensure!(streams.get(&id()).context("stream")?.send(word(2).into()), "not sent"),
        "bytes" => ensure!(streams.get(&id()).context("stream")?.send(vec![0; word(2).parse()?]), "not sent"),
        "pour" => {
            let stream = streams.get(&id()).context("stream")?;
            for _ in 0..word(2).parse::<usize>()? {
                ensure!(stream.send(vec![1; 64 * 1024]), "not sent");
            }
        }
        "blast" => {
            let stream = streams.get(&id()).context("stream")?;
            for _ in 0..word(2).parse::<usize>()? * 4 {
                while stream.queued_bytes() > 2 << 20 {
                    std::thread::sleep(Duration::from_micros(200));
                }
                ensure!(stream.send(vec![1; 256 * 1024]), "not sent");
            }
        }
        other => bail!("what is {other}?"),
    }
    Ok(())
}
