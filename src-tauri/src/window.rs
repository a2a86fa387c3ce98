//! The native window: made hidden in the theme's colour, shown when its first picture is drawn,
//! remembered where it stood.

use crate::arguments::{Arguments, Asked, Place};
use crate::marker::{self, LastRun};
use crate::router;
use crate::shell::{First, Shell, spawn};
use crate::{config, desktop_theme, settings, system};
use codesync_api::{AppEvent, Settings};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tauri::utils::config::Color;
use tauri::{
    App, AppHandle, DragDropEvent, LogicalPosition, LogicalSize, Manager, Monitor, Theme, UserAttentionType,
    WebviewUrl, WebviewWindow, WebviewWindowBuilder, Window, WindowEvent, Wry,
};

const LABEL: &str = "main";
const GEOMETRY_FILE: &str = "window.json";
/// A page that has not drawn by then has failed, and its window must be seen to say so.
const UNSEEN_MAX: Duration = Duration::from_secs(2);

/// Where the window stood, in logical pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Geometry {
    x: Option<f64>,
    y: Option<f64>,
    width: f64,
    height: f64,
    maximized: bool,
}

impl Default for Geometry {
    fn default() -> Self {
        Self { x: None, y: None, width: 1280.0, height: 800.0, maximized: false }
    }
}

/// Opens the window and stays until the program ends.
///
/// # Errors
/// When the desktop refuses the window.
pub fn run(arguments: Arguments, folder: PathBuf, last_run: LastRun) -> tauri::Result<()> {
    if last_run != LastRun::Running {
        marker::set(&folder);
    }
    let is_further = arguments.new_window;
    let shell = Shell::new(folder, First { place: arguments.place, is_further }, last_run);
    let (for_setup, for_events) = (Arc::clone(&shell), Arc::clone(&shell));
    let mut builder = tauri::Builder::default();
    if !is_further && !stands_apart() {
        let first = Arc::clone(&shell);
        builder = builder.plugin(tauri_plugin_single_instance::init(move |app, words, from| {
            second_launch(&first, app, words, Path::new(&from));
        }));
    }
    builder
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_clipboard_manager::init())
        .invoke_handler(router::handler(shell))
        .setup(move |app| Ok(create(app, &for_setup, last_run == LastRun::Running)?))
        .on_window_event(move |window, event| handle(&for_events, window, event))
        .run(tauri::generate_context!())
}

/// A window with a configuration of its own is a program of its own: tests and second profiles.
fn stands_apart() -> bool {
    std::env::var_os("CODESYNC_CONFIG_DIR").is_some() || std::env::var_os("CODESYNC_E2E").is_some()
}

fn create(app: &mut App, shell: &Arc<Shell>, is_beside: bool) -> tauri::Result<()> {
    let mut geometry: Geometry = config::read(&shell.folder, GEOMETRY_FILE);
    if is_beside {
        // It would hide the other one.
        geometry = Geometry { x: geometry.x.map(add_step), y: geometry.y.map(add_step), maximized: false, ..geometry };
    }
    let settings = settings::read(&shell.folder);
    let told = Arc::clone(shell);
    desktop_theme::listen(app.handle(), move |app| {
        told.tell(system_theme(app, system_is_dark(app)));
        follow_settings(app, &settings::read(&told.folder));
    });
    let mut builder = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::default())
        .title("CodeSync")
        .inner_size(geometry.width, geometry.height)
        .min_inner_size(640.0, 420.0)
        .prevent_overflow()
        .maximized(geometry.maximized)
        .visible(false);
    builder = match reachable_place(&geometry, &app.available_monitors()?) {
        Some((x, y)) => builder.position(x, y),
        None => builder.center(),
    };
    let window = builder.build()?;
    follow_settings(app.handle(), &settings);
    let app = app.handle().clone();
    spawn("unseen", move || {
        std::thread::sleep(UNSEEN_MAX);
        reveal(&app);
    });
    end_with_the_session(shell, &window);
    Ok(())
}

/// One step to the side of a window that is there.
fn add_step(at: f64) -> f64 {
    at + 32.0
}

/// The remembered place, unless the screen it was on is gone: enough of the title bar must be there to drag it.
fn reachable_place(geometry: &Geometry, monitors: &[Monitor]) -> Option<(f64, f64)> {
    const TITLE_WIDTH: f64 = 80.0;
    const TITLE_HEIGHT: f64 = 40.0;
    let (x, y) = (geometry.x?, geometry.y?);
    let is_reachable = monitors.iter().any(|monitor| {
        let scale = monitor.scale_factor();
        let at: LogicalPosition<f64> = monitor.position().to_logical(scale);
        let size: LogicalSize<f64> = monitor.size().to_logical(scale);
        let across = x + geometry.width > at.x + TITLE_WIDTH && x < at.x + size.width - TITLE_WIDTH;
        across && y >= at.y && y < at.y + size.height - TITLE_HEIGHT
    });
    is_reachable.then_some((x, y))
}

/// Log-out and `kill` end the program as the close button does.
#[cfg(unix)]
fn end_with_the_session(shell: &Arc<Shell>, window: &WebviewWindow<Wry>) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let (shell, app) = (Arc::clone(shell), window.app_handle().clone());
    match signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP]) {
        Ok(mut signals) => spawn("signals", move || {
            if signals.forever().next().is_some() {
                shell.leave(&app);
            }
        }),
        Err(reason) => tracing::warn!(%reason, "signals to end will end without a last flush"),
    }
}

#[cfg(not(unix))]
fn end_with_the_session(_shell: &Arc<Shell>, _window: &WebviewWindow<Wry>) {}

fn handle(shell: &Arc<Shell>, window: &Window<Wry>, event: &WindowEvent) {
    match event {
        WindowEvent::CloseRequested { api, .. } => {
            api.prevent_close();
            shell.leave(window.app_handle());
        }
        WindowEvent::ThemeChanged(theme) => {
            let app = window.app_handle();
            shell.tell(system_theme(app, desktop_theme::prefers_dark(app).unwrap_or(*theme == Theme::Dark)));
        }
        WindowEvent::Focused(true) => shell.follow_settings(window.app_handle()),
        WindowEvent::Focused(false) => remember(window.app_handle(), &shell.folder),
        WindowEvent::DragDrop(DragDropEvent::Drop { paths, position }) => {
            let zoom = zoom_of(&settings::read(&shell.folder));
            let at: LogicalPosition<f64> = position.to_logical(window.scale_factor().unwrap_or(1.0));
            let is_folder = matches!(&paths[..], [path] if path.is_dir());
            let paths: Vec<_> = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
            let folder = paths.first().filter(|_| is_folder).cloned();
            shell.tell(AppEvent::Dropped { paths, folder, x: at.x / zoom, y: at.y / zoom });
        }
        _ => {}
    }
}

fn second_launch(shell: &Arc<Shell>, app: &AppHandle, words: Vec<String>, from: &Path) {
    let words = words.into_iter().skip(1).map(OsString::from);
    if let Ok(Asked::Window(Arguments { place: Some(place), .. })) = Arguments::parse(words, from) {
        if shell.shows_another_than(&place.folder) {
            if let Err(reason) = system::open_window(Some(&place.word())) {
                tracing::warn!(%reason, "a folder could not get a window of its own");
            }
            return;
        }
        let Place { folder, goto } = place;
        shell.tell(AppEvent::OpenRequested { path: folder.to_string_lossy().into_owned(), goto });
    }
    with_window(app, |window| {
        window.unminimize()?;
        window.show()?;
        window.set_focus()
    });
}

/// The page has drawn its first picture.
pub fn show(app: &AppHandle, folder: &Path) {
    marker::set_drawn(folder);
    reveal(app);
}

fn reveal(app: &AppHandle) {
    with_window(app, |window| {
        if window.is_visible()? {
            return Ok(());
        }
        window.show()?;
        window.set_focus()
    });
}

/// Hides the window for good and remembers where it stood. The page hears of it as any page does, to
/// keep what it has not kept yet.
pub fn put_away(app: &AppHandle, folder: &Path) {
    remember(app, folder);
    with_window(app, |window| {
        window.eval("window.dispatchEvent(new Event('pagehide'))")?;
        window.hide()
    });
}

fn remember(app: &AppHandle, folder: &Path) {
    with_window(app, |window| {
        if !window.is_visible()? || window.is_minimized()? || window.is_fullscreen()? {
            return Ok(());
        }
        let before: Geometry = config::read(folder, GEOMETRY_FILE);
        let maximized = window.is_maximized()?;
        let now = if maximized { Geometry { maximized, ..before.clone() } } else { geometry_of(window)? };
        if now != before
            && let Err(reason) = config::write(folder, GEOMETRY_FILE, &now)
        {
            tracing::warn!(%reason, "could not remember where the window stands");
        }
        Ok(())
    });
}

fn geometry_of(window: &WebviewWindow<Wry>) -> tauri::Result<Geometry> {
    let scale = window.scale_factor()?;
    let at: LogicalPosition<f64> = window.outer_position()?.to_logical(scale);
    let size: LogicalSize<f64> = window.inner_size()?.to_logical(scale);
    Ok(Geometry { x: Some(at.x), y: Some(at.y), width: size.width, height: size.height, maximized: false })
}

pub fn set_title(app: &AppHandle, title: &str) {
    with_window(app, |window| window.set_title(title));
}

/// The desktop marks the window's icon until somebody looks at it.
pub fn draw_attention(app: &AppHandle) {
    with_window(app, |window| window.request_user_attention(Some(UserAttentionType::Informational)));
}

pub fn toggle_full_screen(app: &AppHandle) {
    with_window(app, |window| window.set_fullscreen(!window.is_fullscreen()?));
}

pub fn leave_full_screen(app: &AppHandle) {
    with_window(app, |window| if window.is_fullscreen()? { window.set_fullscreen(false) } else { Ok(()) });
}

/// Zooms as the settings say, and gives the background the colour of the theme, so that nothing else is
/// seen before the page.
pub fn follow_settings(app: &AppHandle, settings: &Settings) {
    with_window(app, |window| {
        let chosen = match settings.theme.as_str() {
            "dark" | "hc-dark" => Some(Theme::Dark),
            "light" | "hc-light" => Some(Theme::Light),
            _ => None,
        };
        let dark = chosen.map_or_else(|| system_is_dark(app), |theme| theme == Theme::Dark);
        let color = match (settings.theme.as_str(), dark) {
            ("hc-dark", _) => Color(0, 0, 0, 255),
            ("system", true) if desktop_theme::prefers_contrast(app) => Color(0, 0, 0, 255),
            (_, true) => Color(0x1e, 0x1e, 0x1e, 255),
            (_, false) => Color(255, 255, 255, 255),
        };
        window.set_zoom(zoom_of(settings))?;
        window.set_background_color(Some(color))
    });
}

fn zoom_of(settings: &Settings) -> f64 {
    f64::from(settings.zoom_percent) / 100.0
}

fn system_theme(app: &AppHandle, dark: bool) -> AppEvent {
    AppEvent::SystemThemeChanged { dark, contrast: desktop_theme::prefers_contrast(app) }
}

/// What the desktop prefers.
pub fn system_is_dark(app: &AppHandle) -> bool {
    let toolkit = || app.get_webview_window(LABEL).and_then(|window| window.theme().ok()) == Some(Theme::Dark);
    desktop_theme::prefers_dark(app).unwrap_or_else(toolkit)
}

fn with_window(app: &AppHandle, act: impl FnOnce(&WebviewWindow<Wry>) -> tauri::Result<()>) {
    let Some(window) = app.get_webview_window(LABEL) else {
        return;
    };
    if let Err(reason) = act(&window) {
        tracing::warn!(%reason, "the window did not do what it was told");
    }
}
