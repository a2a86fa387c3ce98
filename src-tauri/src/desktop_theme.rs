//! Light or dark, as the desktop's settings say it to programs. The toolkit of the web view knows only
//! its own older setting, which today's desktops leave alone.

use crate::shell::spawn;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;
use tauri::{AppHandle, Manager};
use zbus::blocking::{Connection, Proxy};
use zbus::zvariant::{OwnedValue, Value};

/// The window is not kept waiting longer for a service that may have to be started first.
const ANSWER_MAX: Duration = Duration::from_millis(150);
const NAMESPACE: &str = "org.freedesktop.appearance";
const KEY: &str = "color-scheme";
const NO_PREFERENCE: u8 = 0;
const DARK: u8 = 1;

/// The newest word of the desktop, in its own numbers.
struct Said(AtomicU8);

/// Begins to listen to the desktop. `on_change` is called when it says something new.
pub fn listen(app: &AppHandle, on_change: impl Fn(&AppHandle) + Send + 'static) {
    app.manage(Said(AtomicU8::new(NO_PREFERENCE)));
    if cfg!(not(target_os = "linux")) {
        return;
    }
    let (first, answered) = channel();
    let app = app.clone();
    spawn("desktop theme", move || {
        if let Err(reason) = follow(&app, &first, &on_change) {
            tracing::info!(%reason, "the desktop does not say whether it is light or dark");
        }
    });
    // Silence is an answer too: then the toolkit is asked.
    answered.recv_timeout(ANSWER_MAX).unwrap_or_default();
}

/// Whether the desktop prefers dark; none when it has no preference.
pub fn prefers_dark(app: &AppHandle) -> Option<bool> {
    let said = app.try_state::<Said>()?.0.load(Ordering::Relaxed);
    (said != NO_PREFERENCE).then_some(said == DARK)
}

fn follow(app: &AppHandle, first: &Sender<()>, on_change: &dyn Fn(&AppHandle)) -> zbus::Result<()> {
    let connection = Connection::session()?;
    let portal = Proxy::new(
        &connection,
        "org.freedesktop.portal.Desktop",
        "/org/freedesktop/portal/desktop",
        "org.freedesktop.portal.Settings",
    )?;
    let changes = portal.receive_signal("SettingChanged")?;
    let now: OwnedValue = portal.call("Read", &(NAMESPACE, KEY))?;
    keep(app, &now);
    // Nobody waits any more when the answer was slow; then it is a change.
    if first.send(()).is_err() {
        on_change(app);
    }
    for change in changes {
        let (namespace, key, value): (String, String, OwnedValue) = change.body().deserialize()?;
        if namespace == NAMESPACE && key == KEY {
            keep(app, &value);
            on_change(app);
        }
    }
    Ok(())
}

fn keep(app: &AppHandle, value: &Value) {
    if let (Some(said), Some(number)) = (app.try_state::<Said>(), number(value)) {
        said.0.store(u8::try_from(number).unwrap_or(NO_PREFERENCE), Ordering::Relaxed);
    }
}

/// The portal wraps the number once or twice.
fn number(value: &Value) -> Option<u32> {
    match value {
        Value::U32(plain) => Some(*plain),
        Value::Value(inner) => number(inner),
        _ => None,
    }
}
