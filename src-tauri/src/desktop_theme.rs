//! Light or dark and how much contrast, as the desktop's settings say it to programs. The toolkit of the web view knows only
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
const COLOR_SCHEME: &str = "color-scheme";
const CONTRAST: &str = "contrast";
const NO_PREFERENCE: u8 = 0;
const DARK: u8 = 1;
const HIGHER: u8 = 1;

/// The newest words of the desktop, in its own numbers.
#[derive(Default)]
struct Said {
    color_scheme: AtomicU8,
    contrast: AtomicU8,
}

/// Begins to listen to the desktop. `on_change` is called when it says something new.
pub fn listen(app: &AppHandle, on_change: impl Fn(&AppHandle) + Send + 'static) {
    app.manage(Said::default());
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
    let said = app.try_state::<Said>()?.color_scheme.load(Ordering::Relaxed);
    (said != NO_PREFERENCE).then_some(said == DARK)
}

/// Whether the desktop asks for higher contrast.
pub fn prefers_contrast(app: &AppHandle) -> bool {
    app.try_state::<Said>().is_some_and(|said| said.contrast.load(Ordering::Relaxed) == HIGHER)
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
    let mut answers = 0;
    for key in [COLOR_SCHEME, CONTRAST] {
        // Older portals know only one of them.
        match portal.call::<_, _, OwnedValue>("Read", &(NAMESPACE, key)) {
            Ok(now) => {
                keep(app, key, &now);
                answers += 1;
            }
            Err(reason) => tracing::info!(%reason, key, "the desktop does not say this"),
        }
    }
    if answers == 0 {
        return Ok(());
    }
    // Nobody waits any more when the answer was slow; then it is a change.
    if first.send(()).is_err() {
        on_change(app);
    }
    for change in changes {
        let (namespace, key, value): (String, String, OwnedValue) = change.body().deserialize()?;
        if namespace == NAMESPACE && keep(app, &key, &value) {
            on_change(app);
        }
    }
    Ok(())
}

/// Keeps what was said; false when it is of no concern here.
fn keep(app: &AppHandle, key: &str, value: &Value) -> bool {
    let (Some(said), Some(number)) = (app.try_state::<Said>(), number(value)) else {
        return false;
    };
    let place = match key {
        COLOR_SCHEME => &said.color_scheme,
        CONTRAST => &said.contrast,
        _ => return false,
    };
    place.store(u8::try_from(number).unwrap_or(NO_PREFERENCE), Ordering::Relaxed);
    true
}

/// The portal wraps the number once or twice.
fn number(value: &Value) -> Option<u32> {
    match value {
        Value::U32(plain) => Some(*plain),
        Value::Value(inner) => number(inner),
        _ => None,
    }
}
