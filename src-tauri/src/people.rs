//! What the window asks about other people, whether a workspace is open or not: the lobby does it, once there is a
//! network. Without one nobody is nearby, and that is all.

use crate::shell::{Shell, spawn};
use codesync_api::{ApiError, AppReply, AppRequest, Nearby, NetworkState};
use codesync_node::{self as peer, JoinOptions, Lobby};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The part in the network that the window has for itself.
#[derive(Default)]
pub struct People {
    lobby: Mutex<State>,
}

#[derive(Default)]
enum State {
    /// Nobody asked who is nearby yet.
    #[default]
    NotYet,
    There(Lobby),
    /// There is no network, or none is wanted.
    Nowhere(ApiError),
}

impl People {
    /// What changed in the settings is seen at once.
    pub fn settings_changed(&self, person: &str) {
        if let State::There(lobby) = &*self.lock() {
            lobby.settings_changed(person);
        }
    }

    /// Leaves the network.
    pub fn leave(&self) {
        *self.lock() = State::NotYet;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.lobby.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, shell: &Arc<Shell>, call: impl FnOnce(&Lobby) -> T) -> Result<T, ApiError> {
        let mut state = self.lock();
        if matches!(*state, State::NotYet) {
            let for_events = Arc::downgrade(shell);
            let started = Lobby::start(&shell.person(), move |event| {
                if let Some(shell) = for_events.upgrade() {
                    shell.tell(event);
                }
            });
            *state = started.map_or_else(State::Nowhere, State::There);
        }
        match &*state {
            State::There(lobby) => Ok(call(lobby)),
            State::Nowhere(error) => Err(error.clone()),
            State::NotYet => Err(peer_is_gone()),
        }
    }
}

fn peer_is_gone() -> ApiError {
    ApiError::new(codesync_api::ErrorCode::Internal, "The network part of this window did not start.")
}

/// Answers what concerns people; the request comes back when it does not.
pub fn answer(shell: &Arc<Shell>, request: AppRequest) -> Result<AppReply, ApiError> {
    let people = &shell.people;
    match request {
        AppRequest::Nearby => {
            // Without a network the list is empty, and says so by having no address.
            let alone = || Nearby {
                network: NetworkState { person: shell.person(), ..NetworkState::default() },
                ..Nearby::default()
            };
            return Ok(AppReply::Nearby(people.with(shell, Lobby::nearby).unwrap_or_else(|_| alone())));
        }
        AppRequest::LookAround => {
            people.with(shell, Lobby::look_around).unwrap_or_default();
        }
        AppRequest::CheckCode { text } => return Ok(AppReply::CodeCheck(peer::check_code(&text))),
        AppRequest::Join { code, address, folder } => {
            let options =
                JoinOptions { code, address, folder: Some(folder.into()), person: Some(shell.person()), port: 0 };
            people.with(shell, |lobby| lobby.join(options))?;
        }
        AppRequest::AskToJoin { peer, folder } => {
            people.with(shell, |lobby| lobby.ask(&peer, PathBuf::from(folder)))??;
        }
        AppRequest::CancelJoin => people.with(shell, Lobby::cancel).unwrap_or_default(),
        AppRequest::WordsDiffer => people.with(shell, Lobby::words_differ).unwrap_or_default(),
        AppRequest::SuggestFolder { name } => {
            let (path, is_taken) = peer::suggest_folder(&name);
            return Ok(AppReply::Folder { path: path.to_string_lossy().into_owned(), is_taken });
        }
        AppRequest::ListKnownPeople => return Ok(AppReply::KnownPeople { people: peer::known_people() }),
        AppRequest::ForgetPerson { device } => {
            peer::forget_person(&device)?;
            people.settings_changed(&shell.person());
        }
        _ => {}
    }
    Ok(AppReply::Done)
}

/// Is seen by others, and sees them, from the first moment of the window on.
pub fn begin(shell: &Arc<Shell>) {
    let shell = Arc::clone(shell);
    spawn("lobby", move || {
        if let Err(reason) = shell.people.with(&shell, Lobby::look_around) {
            tracing::info!(%reason, "nobody is nearby");
        }
    });
}
