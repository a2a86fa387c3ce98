//! Coming into a workspace of others with a code: finds whoever gave it, proves that one knows it, and makes the folder in
//! which the workspace will be. The history comes when that folder is opened.

mod folder;

pub use folder::{free_folder, suggest_folder};

use crate::config::{self, cannot};
use crate::runtime::people::{LEFT, PAUSED};
use crate::together::asking::Asking;
use crate::together::random;
use crate::{STORE_FOLDER, known, state, whole};
use codesync_api::{ApiError, ErrorCode};
use codesync_auth::{About, Closed, Code, CodeError, CodeGuest, CodeGuestEvent, Connection, Failure, Other, Place};
use codesync_base::{BlobHash, DeviceId, ProjectId, ShareFrom};
use codesync_net::{Address, Config, Event, Net, Peer, Protocol, Stream, StreamId, Unreachable};
use folder::CopyFolder;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// What a joined workspace remembers of how it came in; in `.codesync/state`.
const JOINED_FILE: &str = "state/joined.json";
/// How long the one who gave the code is looked for.
const SEARCH_MAX: Duration = Duration::from_secs(20);
/// How long others may still let this device in after somebody said that the code is not theirs, or is over: many
/// invitations have the same channel.
const OTHERS_WAIT: Duration = Duration::from_millis(1_500);
/// How long whoever has answered is waited for, as they do at their end.
const TALK_MAX: Duration = Duration::from_secs(30);
/// How soon it is noticed that nobody wants to come in any more.
const NOTICE_WAIT: Duration = Duration::from_millis(50);

/// How to come in.
#[derive(Clone, Debug)]
pub struct JoinOptions {
    /// As it was typed.
    pub code: String,
    /// Where the one who gave the code is, if it is not to be found by itself.
    pub address: Option<String>,
    /// The folder of the copy: empty, or not there yet. None: one named like the workspace, in the working folder.
    pub folder: Option<PathBuf>,
    pub person: Option<String>,
    /// The port to listen on, 0 for any.
    pub port: u16,
}

/// A workspace that this device may come into; it is to be opened now.
#[derive(Clone, Debug)]
pub struct Joined {
    pub root: PathBuf,
    /// The workspace's name.
    pub name: String,
    /// Who let this device in.
    pub person: String,
    pub role: codesync_api::Role,
}

/// Kept until history says it all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Welcome {
    pub project: ProjectId,
    pub founder: DeviceId,
    pub host: DeviceId,
    /// Where they were reached.
    pub address: Option<String>,
    /// The copy begins with this, and is told nothing of what was before.
    #[serde(default)]
    pub begins_with: Option<BlobHash>,
}

impl Welcome {
    pub fn read(store: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(store.join(JOINED_FILE)).ok()?).ok()
    }

    fn write(&self, store: &Path) -> Result<(), ApiError> {
        let file = store.join(JOINED_FILE);
        let folder = file.parent().unwrap_or(store);
        fs::create_dir_all(folder).map_err(|error| cannot("make", folder, &error))?;
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| {
            ApiError::new(ErrorCode::Internal, "What was agreed on could not be written down.").with_detail(error)
        })?;
        whole::write_atomically(&file, &bytes).map_err(|error| cannot("write", &file, &error))
    }
}

/// Why somebody did not come in.
#[derive(Debug)]
pub(crate) struct Failed {
    /// Of UX §5.
    pub id: Option<&'static str>,
    pub error: ApiError,
    pub n_tries_left: Option<u32>,
}

impl Failed {
    pub fn new(id: &'static str, error: ApiError) -> Self {
        Self { id: Some(id), error, n_tries_left: None }
    }
}

impl From<ApiError> for Failed {
    fn from(error: ApiError) -> Self {
        Self { id: None, error, n_tries_left: None }
    }
}

/// Comes in. Takes as long as it takes to find the one who gave the code, and at most some seconds more.
pub fn join(options: &JoinOptions) -> Result<Joined, ApiError> {
    join_while(options, &AtomicBool::new(false)).map_err(|failed| failed.error)
}

/// The same, as long as it is wanted.
pub(crate) fn join_while(options: &JoinOptions, is_cancelled: &AtomicBool) -> Result<Joined, Failed> {
    let code = Code::parse(&options.code).map_err(|error| Failed::new("MSG-PAIR-1", wrong_words(&error)))?;
    let address = options.address.as_deref().map(parse_address).transpose()?;
    if let Some(folder) = &options.folder {
        check_usable(folder, None)?;
    }
    let mut guest = Joining::start(code, options, address)?;
    let (Proved { host, place, folder }, reached) = guest.run(is_cancelled)?;
    settle(folder, &host, place, reached)
}

/// Somebody let this device in: the folder is that of the copy from now on.
pub(crate) fn settle(
    folder: CopyFolder,
    host: &Other,
    place: Place,
    reached: Option<Address>,
) -> Result<Joined, Failed> {
    let welcome = Welcome {
        project: place.project,
        founder: place.founder,
        host: host.device,
        address: reached.map(|at| at.to_string()),
        begins_with: match place.share_from {
            ShareFrom::Past => None,
            ShareFrom::Checkpoint(name) => Some(name),
        },
    };
    let root = folder.keep();
    let store = root.join(STORE_FOLDER);
    welcome.write(&store)?;
    // Whoever had left their earlier copy, or paused it, is back in it.
    for key in [LEFT, PAUSED] {
        state::put(&store, key, "false")?;
    }
    if let Err(error) = known::remember(host, 0, crate::runtime::now().ms) {
        tracing::warn!(%error, "who let this device in is not remembered");
    }
    let role = crate::together::role_of(place.role);
    Ok(Joined { root, name: place.name, person: host.about.person.clone(), role })
}

struct Joining {
    net: Net,
    events: mpsc::Receiver<Event>,
    code: Code,
    key: codesync_auth::DeviceKey,
    about: About,
    connected: BTreeMap<Peer, Address>,
    asking: Asking,
    talks: BTreeMap<StreamId, Talk>,
    folder: Option<PathBuf>,
    address: Option<Address>,
    /// The best reason so far why it did not work out.
    why: Option<Failed>,
    /// When somebody first refused who has an invitation on this channel: only others can let this device in now.
    refused: Option<Instant>,
}

struct Talk {
    stream: Stream,
    guest: CodeGuest,
    /// When the other end first said something: asking anew would be another try at the code.
    answered: Option<Instant>,
    proved: Option<Proved>,
}

/// Whoever gave the code, what they share, and where the copy will be.
struct Proved {
    host: Other,
    place: Place,
    folder: CopyFolder,
}

impl Joining {
    fn start(code: Code, options: &JoinOptions, address: Option<Address>) -> Result<Self, ApiError> {
        if config::is_network_off() {
            return Err(network_is_off());
        }
        let (sender, events) = mpsc::channel();
        // Whoever else were found would be asked as well, and lose a try of their code.
        let config = Config { port: options.port, visible: address.is_none(), ..Config::new(random()) };
        // Once nobody listens any more, it is over.
        let net = Net::start(config, move |event| sender.send(event).unwrap_or_default()).map_err(no_network)?;
        if let Some(address) = &address {
            net.keep(address.clone());
        }
        let person = options.person.clone().unwrap_or_else(config::person_name);
        Ok(Self {
            net,
            events,
            code,
            key: config::device_key()?,
            about: About::new(&person, &config::device_name()),
            connected: BTreeMap::new(),
            asking: Asking::default(),
            talks: BTreeMap::new(),
            folder: options.folder.clone(),
            address,
            why: None,
            refused: None,
        })
    }

    /// Until somebody lets this device in, or nobody is left who could.
    fn run(&mut self, is_cancelled: &AtomicBool) -> Result<(Proved, Option<Address>), Failed> {
        let began = Instant::now();
        loop {
            let left = self.until(began).saturating_duration_since(Instant::now());
            if left.is_zero() || is_cancelled.load(Ordering::Relaxed) {
                return Err(self.in_vain());
            }
            self.asking.take_due(Instant::now()).into_iter().for_each(|peer| self.net.open(peer, Protocol::Pair));
            let event = match self.events.recv_timeout(left.min(NOTICE_WAIT)) {
                Ok(event) => event,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return Err(nobody_found().into()),
            };
            match event {
                Event::Connected { peer, address, .. } => {
                    self.connected.insert(peer, address.into());
                    self.asking.connected(peer, Instant::now());
                }
                Event::Disconnected(peer) => {
                    self.connected.remove(&peer);
                    self.asking.disconnected(&peer);
                }
                Event::Opened(stream) if stream.protocol == Protocol::Pair => self.begin(stream),
                Event::Frame { stream, frame } => {
                    if let Some(done) = self.handle(stream, &frame.bytes)? {
                        return Ok(done);
                    }
                }
                Event::Closed(stream) => self.closed(stream)?,
                Event::NotOpened { peer, .. } => self.asking.ended(&peer, Instant::now()),
                Event::Unreachable { why, .. } => self.not_here(unreachable(why, self.address.as_ref()).into()),
                _ => {}
            }
        }
    }

    fn begin(&mut self, stream: Stream) {
        if stream.direction == codesync_net::Direction::Theirs {
            return;
        }
        let connection = Connection { host_peer: stream.peer.0, guest_peer: self.net.peer().0 };
        let (guest, knock) = CodeGuest::start(self.code.clone(), connection, &self.key, &self.about, random());
        stream.send(knock);
        self.talks.insert(stream.id, Talk { stream, guest, answered: None, proved: None });
    }

    /// When it has been tried for long enough.
    fn until(&self, began: Instant) -> Instant {
        let searched = self.refused.map_or(began + SEARCH_MAX, |refused| refused + OTHERS_WAIT);
        let talked = self.talks.values().filter_map(|talk| talk.answered).map(|answered| answered + TALK_MAX);
        talked.max().map_or(searched, |talked| talked.max(searched))
    }

    fn in_vain(&mut self) -> Failed {
        let is_first = self.refused.is_none();
        let is_missed = |talk: &&Talk| talk.proved.is_some() || (talk.answered.is_some() && is_first);
        let silent = self.talks.values().find(is_missed).map(|talk| broke_off(talk).into());
        silent.or(self.why.take()).unwrap_or_else(|| nobody_found().into())
    }

    fn closed(&mut self, stream: StreamId) -> Result<(), Failed> {
        match self.talks.remove(&stream) {
            // They know the code, and it is used now: nobody else can let this device in.
            Some(talk) if talk.proved.is_some() => return Err(broke_off(&talk).into()),
            Some(talk) if talk.answered.is_some() => self.refused(broke_off(&talk).into()),
            Some(talk) => self.asking.ended(&talk.stream.peer, Instant::now()),
            None => {}
        }
        Ok(())
    }

    fn handle(&mut self, id: StreamId, bytes: &[u8]) -> Result<Option<(Proved, Option<Address>)>, Failed> {
        let Some(talk) = self.talks.get_mut(&id) else { return Ok(None) };
        talk.answered.get_or_insert_with(Instant::now);
        let reply = talk.guest.handle(&self.key, bytes);
        let folder = match &reply.event {
            // What is sent next uses the code up: now it can still be kept for another folder.
            Some(CodeGuestEvent::Proved { place, .. }) => Some(folder_for(place, self.folder.as_deref())?),
            _ => None,
        };
        if let Some(bytes) = reply.send {
            talk.stream.send(bytes);
        }
        match reply.event {
            Some(CodeGuestEvent::Proved { host, place }) => {
                // What comes next holds a grant.
                talk.stream.set_frame_bytes_max(codesync_sync::limits::FRAME_BYTES_MAX as u32);
                talk.proved = folder.map(|folder| Proved { host, place, folder });
            }
            Some(CodeGuestEvent::Granted(_)) => {
                let reached = self.connected.get(&talk.stream.peer).cloned();
                return Ok(talk.proved.take().map(|proved| (proved, reached)));
            }
            Some(CodeGuestEvent::Failed(failure)) => self.failed(failure),
            None => {}
        }
        if reply.is_over {
            self.talks.remove(&id);
        }
        Ok(None)
    }

    fn failed(&mut self, failure: Failure) {
        match failure {
            Failure::Closed(Closed::NoCode) => self.not_here(Failed::new("MSG-PAIR-2", wrong_code())),
            Failure::Closed(Closed::SwitchedOff) => {
                let sentence = "This code is switched off after three wrong tries. Ask for a new one.";
                self.refused(Failed::new("MSG-PAIR-2c", ApiError::new(ErrorCode::NotFound, sentence)));
            }
            Failure::Closed(Closed::RunOut) => {
                let error = ApiError::new(ErrorCode::NotFound, "This code ran out. Ask for a new one.");
                self.refused(Failed::new("MSG-PAIR-3", error));
            }
            Failure::Closed(Closed::WrongCode { n_left }) => {
                let left = if n_left == 1 { "1 try".to_owned() } else { format!("{n_left} tries") };
                let error = wrong_code();
                let error = ApiError::new(error.code, format!("{} {left} left.", error.message));
                self.refused(Failed { n_tries_left: Some(n_left), ..Failed::new("MSG-PAIR-2", error) });
            }
            Failure::Version(_) => self.refused(other_version().into()),
            _ => self.refused(Failed::new("MSG-PAIR-2", wrong_code())),
        }
    }

    /// Whoever has no such code, or is not there, says nothing about the one who is looked for.
    fn not_here(&mut self, why: Failed) {
        if self.refused.is_none() {
            self.why = Some(why);
        }
    }

    /// Whoever gave the code may have said this, or somebody else whose invitation has the same channel.
    fn refused(&mut self, why: Failed) {
        // Those who weighed the words know more than those who only have an invitation.
        if self.refused.is_none() || why.n_tries_left.is_some() {
            self.why = Some(why);
        }
        self.refused.get_or_insert_with(Instant::now);
    }
}

pub(crate) fn other_version() -> ApiError {
    let sentence = "The other computer has a version of CodeSync that can't pair with this one.";
    ApiError::new(ErrorCode::NewerVersion, sentence)
}

fn wrong_words(error: &CodeError) -> ApiError {
    let sentence = match error {
        CodeError::Shape => "A code is a digit and two words, such as 7-crossover-clockwork, or six words.".to_owned(),
        CodeError::UnknownWord { word, meant: Some(meant) } => {
            format!("“{word}” isn't one of our words. Did you mean “{meant}”?")
        }
        CodeError::UnknownWord { word, meant: None } => format!("“{word}” isn't one of our words."),
    };
    ApiError::new(ErrorCode::Invalid, sentence)
}

fn wrong_code() -> ApiError {
    let sentence = "That code didn't match. Either a word is wrong, or the code was used or has run out. Nothing was \
                    shared.";
    ApiError::new(ErrorCode::NotFound, sentence)
}

fn broke_off(talk: &Talk) -> ApiError {
    let sentence = match talk.proved {
        Some(_) => "The connection broke off before you were let in, and the code is used now. Ask for a new one.",
        None => "The connection broke off before you were let in. Try again, or ask for a new code.",
    };
    ApiError::new(ErrorCode::NotFound, sentence)
}

fn nobody_found() -> ApiError {
    let sentence = "Nobody with this code was found. Both computers need the same network, and guest or office Wi-Fi may \
                    hide them from each other. With the other computer's address it works even then.";
    ApiError::new(ErrorCode::NotFound, sentence)
}

fn unreachable(why: Unreachable, address: Option<&Address>) -> ApiError {
    let at = address.map_or_else(String::new, ToString::to_string);
    let sentence = match why {
        Unreachable::NoSuchName => format!("There is no computer called {at}."),
        Unreachable::NoAnswer => format!("Nobody answers at {at}."),
        Unreachable::NotAPeer => format!("Something else than CodeSync answers at {at}."),
        Unreachable::Oneself => format!("{at} is this computer."),
    };
    ApiError::new(ErrorCode::NotFound, sentence)
}

pub(crate) fn parse_address(typed: &str) -> Result<Address, ApiError> {
    let sentence = || format!("“{typed}” is no address. It looks like 192.168.1.23 or 192.168.1.23:4870.");
    typed.parse().map_err(|_| ApiError::new(ErrorCode::Invalid, sentence()))
}

pub(crate) fn network_is_off() -> ApiError {
    ApiError::new(ErrorCode::Io, "CodeSync was told to use no network here (CODESYNC_NETWORK=off).")
}

pub(crate) fn no_network(error: codesync_net::NetError) -> ApiError {
    ApiError::new(ErrorCode::Io, "This computer takes no part in any network.").with_detail(error)
}

/// Where the copy will be: in this folder, or in one named like the workspace.
pub(crate) fn folder_for(place: &Place, folder: Option<&Path>) -> Result<CopyFolder, Failed> {
    let root = folder.map_or_else(|| free_folder(Path::new("."), &place.name), Path::to_path_buf);
    check_usable(&root, Some(place))?;
    CopyFolder::make(root)
}

/// Whether a folder can take the copy: an empty one, or an earlier copy of this device's of that workspace (none: of some
/// workspace), for somebody who was removed from it and is let in again.
pub(crate) fn check_usable(folder: &Path, place: Option<&Place>) -> Result<(), Failed> {
    let earlier = Welcome::read(&folder.join(STORE_FOLDER));
    let is_copy = |earlier: &Welcome| place.is_none_or(|place| earlier.project == place.project);
    let Some(earlier) = earlier.filter(is_copy) else { return check_empty(folder) };
    match (earlier.begins_with, place.map(|place| place.share_from)) {
        // Of what was between the two beginnings it would be told nothing, and nothing after that fits it.
        (Some(before), Some(ShareFrom::Checkpoint(now))) if before != now => {
            let sentence = format!(
                "The copy in “{}” is older than what is shared now. Choose another folder, or ask for the history, too.",
                folder.display()
            );
            Err(ApiError::new(ErrorCode::Exists, sentence).into())
        }
        _ => Ok(()),
    }
}

fn check_empty(folder: &Path) -> Result<(), Failed> {
    match fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => {
            let sentence = format!("“{}” already has files. Choose another folder for your copy.", folder.display());
            Err(Failed::new("MSG-PAIR-8", ApiError::new(ErrorCode::Exists, sentence)))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(cannot("look into", folder, &error).into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use codesync_base::Role;

    #[test]
    fn an_earlier_copy_is_gone_on_with_where_it_can_be() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (BlobHash([1; 32]), BlobHash([2; 32]));
        let founder = DeviceId([3; 32]);
        let project = ProjectId([4; 16]);
        let is_usable = |begins_with: Option<BlobHash>, share_from: ShareFrom, project: ProjectId| {
            let welcome = Welcome { project: ProjectId([4; 16]), founder, host: founder, address: None, begins_with };
            welcome.write(&folder.path().join(STORE_FOLDER)).unwrap();
            let place = Place { project, name: "lab".into(), founder, role: Role::Editor, share_from };
            check_usable(folder.path(), Some(&place)).is_ok()
        };
        assert!(is_usable(None, ShareFrom::Past, project) && is_usable(None, ShareFrom::Checkpoint(one), project));
        assert!(is_usable(Some(one), ShareFrom::Checkpoint(one), project));
        assert!(is_usable(Some(one), ShareFrom::Past, project));
        assert!(!is_usable(Some(one), ShareFrom::Checkpoint(other), project));
        assert!(!is_usable(None, ShareFrom::Past, ProjectId([5; 16])));
        assert!(check_usable(folder.path(), None).is_ok());
    }
}
