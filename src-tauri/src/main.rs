//! The desktop shell: one native window around the web view, and the doors between it and a running
//! peer. Must never hold what belongs to a workspace; that is the node's.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod arguments;
mod config;
mod desktop_theme;
mod graphics;
mod marker;
mod moving;
mod outbox;
mod people;
mod recent;
mod router;
mod settings;
mod shell;
mod system;
mod window;

use arguments::{Arguments, Asked};
use std::process::ExitCode;

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("CODESYNC_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn")),
        )
        .with_writer(std::io::stderr)
        .init();
    let from = std::env::current_dir().unwrap_or_default();
    match Arguments::parse(std::env::args_os().skip(1), &from) {
        Ok(Asked::Window(arguments)) => start(arguments),
        Ok(Asked::Help) => say(arguments::HELP),
        Ok(Asked::Version) => say(concat!("codesync-desktop ", env!("CARGO_PKG_VERSION"))),
        Err(sentence) => {
            eprintln!("{sentence}");
            ExitCode::from(2)
        }
    }
}

fn say(text: &str) -> ExitCode {
    println!("{text}");
    ExitCode::SUCCESS
}

fn start(arguments: Arguments) -> ExitCode {
    if !system::has_display() {
        eprintln!(
            "CodeSync needs a graphical session, and there is none here. Use `codesync` to work without a window."
        );
        return ExitCode::from(1);
    }
    let folder = codesync_node::config_dir();
    let last_run = marker::read(&folder);
    graphics::decide(arguments.safe_graphics, last_run);
    match window::run(arguments, folder, last_run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("The CodeSync window could not be opened: {reason}");
            ExitCode::from(1)
        }
    }
}
