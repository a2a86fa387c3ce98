//! The user's settings, kept within what the window can show.

use crate::config;
use codesync_api::Settings;
use std::io;
use std::path::Path;

const FILE: &str = "settings.json";
const SCREEN_READER: [&str; 3] = ["auto", "on", "off"];
const THEMES: [&str; 5] = ["system", "dark", "light", "hc-dark", "hc-light"];

/// The settings in the configuration folder, or the default ones.
pub fn read(folder: &Path) -> Settings {
    within_limits(config::read(folder, FILE))
}

/// Keeps the settings.
///
/// # Errors
/// When the configuration folder cannot be written.
pub fn write(folder: &Path, settings: Settings) -> io::Result<()> {
    config::write(folder, FILE, &within_limits(settings))
}

/// A file edited by hand must not make the window unusable.
fn within_limits(mut settings: Settings) -> Settings {
    settings.zoom_percent = settings.zoom_percent.clamp(50, 300);
    settings.editor_font_size = settings.editor_font_size.clamp(6, 72);
    settings.ui_font_size = settings.ui_font_size.clamp(10, 20);
    settings.line_height_percent = settings.line_height_percent.clamp(100, 300);
    settings.tab_size = settings.tab_size.clamp(1, 16);
    if !THEMES.contains(&settings.theme.as_str()) {
        settings.theme = "system".into();
    }
    if !SCREEN_READER.contains(&settings.screen_reader.as_str()) {
        settings.screen_reader = "auto".into();
    }
    settings
}

#[cfg(test)]
mod tests;
