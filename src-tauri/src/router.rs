//! The two commands of the page. Must keep the order of what changes a workspace: an edit that
//! overtakes another would be a wrong edit.

use crate::shell::Shell;
use codesync_api::{ApiError, Call, CallReply, ErrorCode, Push, Request};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tauri::ipc::{Channel, Invoke, InvokeBody, InvokeResolver, JavaScriptChannelId};
use tauri::{AppHandle, Manager, Wry};

/// A call with where its answer goes.
struct Asked {
    app: AppHandle,
    call: Call,
    resolver: InvokeResolver<Wry>,
}

/// Makes the handler of all calls of the page. It runs on the main thread, in the order in which the
/// page called, and never waits there.
pub fn handler(shell: Arc<Shell>) -> impl Fn(Invoke<Wry>) -> bool + Send + Sync + 'static {
    move |invoke| match invoke.message.command() {
        "rpc" => {
            route(&shell, invoke);
            true
        }
        "subscribe" => {
            subscribe(&shell, invoke);
            true
        }
        _ => false,
    }
}

fn route(shell: &Arc<Shell>, invoke: Invoke<Wry>) {
    let app = invoke.message.webview_ref().app_handle().clone();
    let call = match read_argument::<Call>(&invoke, "call") {
        Ok(call) => call,
        Err(refusal) => return invoke.resolver.reject(refusal),
    };
    let overtakes = may_overtake(&call);
    let asked = Asked { app, call, resolver: invoke.resolver };
    let answering = Arc::clone(shell);
    let work = move || answer(&answering, asked);
    if overtakes {
        tauri::async_runtime::spawn_blocking(work);
    } else {
        shell.in_turn(work);
    }
}

fn subscribe(shell: &Arc<Shell>, invoke: Invoke<Wry>) {
    match read_argument::<JavaScriptChannelId>(&invoke, "channel") {
        Ok(id) => {
            let channel: Channel<Vec<Push>> = id.channel_on(invoke.message.webview());
            shell.subscribe(channel);
            invoke.resolver.resolve(());
        }
        Err(refusal) => invoke.resolver.reject(refusal),
    }
}

fn read_argument<T: serde::de::DeserializeOwned>(invoke: &Invoke<Wry>, name: &str) -> Result<T, ApiError> {
    let value = match invoke.message.payload() {
        InvokeBody::Json(value) => value.get(name),
        InvokeBody::Raw(_) => None,
    };
    let value = value.cloned().unwrap_or_default();
    serde_json::from_value(value).map_err(|reason| {
        ApiError::new(ErrorCode::Invalid, "The window asked for something this version does not know.")
            .with_detail(reason)
    })
}

/// Answers, whatever happens: a page that waits for ever looks frozen.
fn answer(shell: &Arc<Shell>, asked: Asked) {
    let Asked { app, call, resolver } = asked;
    let result: Result<CallReply, ApiError> =
        catch_unwind(AssertUnwindSafe(|| shell.answer(&app, call))).unwrap_or_else(|_| Err(stopped()));
    match result {
        Ok(reply) => resolver.resolve(reply),
        Err(refusal) => resolver.reject(refusal),
    }
}

fn stopped() -> ApiError {
    ApiError::new(ErrorCode::Internal, "This could not be finished. Nothing that was saved is lost.")
}

/// Only what may take long and changes nothing is answered out of turn, and what waits for the user.
fn may_overtake(call: &Call) -> bool {
    use Request::{Blame, Compare, ExportBundle, ExportGit, FindInHistory, Log, Verify};
    match call {
        Call::App(_)
        | Call::Large(_)
        // A replacement is requests of its own, which the engine checks against what was typed meanwhile.
        | Call::Search(_)
        | Call::Workspace(Blame { .. } | Compare { .. } | FindInHistory { .. } | Log { .. }) => true,
        Call::Workspace(ExportBundle { .. } | ExportGit { .. } | Verify { repair: false }) => true,
        // One text is written many times, and the last one counts.
        Call::Untitled(_) | Call::Workspace(_) => false,
    }
}

#[cfg(test)]
mod tests;
