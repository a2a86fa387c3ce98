//! `cargo xtask`: everything a developer or CI does with this checkout, as one command each.

mod bugs;
mod bundle;
mod codegen;
mod commands;
mod licences;
mod process;
mod project;
mod prove;
mod setup;
mod sim;
mod tidy;

use anyhow::Result;
use clap::{Parser, Subcommand};
use codegen::Mode;
use commands::{Build, Depth};
use project::Project;
use setup::Purpose;
use std::path::PathBuf;
use std::process::ExitCode;

/// Runs, tests and checks CodeSync from a checkout.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Installs what this machine lacks, and builds the page.
    Setup,
    /// Opens the window, with a folder or the welcome page.
    Run {
        folder: Option<PathBuf>,
        /// The optimised build.
        #[arg(long)]
        release: bool,
    },
    /// Runs everything that CI runs.
    Test {
        /// Leaves out the tests in a real window.
        #[arg(long)]
        fast: bool,
    },
    /// Checks what the compiler does not: crate arrows, sizes, file heads, generated files.
    Tidy,
    /// Writes the TypeScript types of the API.
    Codegen {
        /// Only compare, and fail when they differ.
        #[arg(long)]
        check: bool,
    },
    /// Runs the benchmarks.
    Bench {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Proves that nothing is lost, for longer than the tests do.
    Prove {
        what: prove::What,
        /// How often: sessions whose every write is cut off, kills, or damages.
        #[arg(long)]
        rounds: Option<u64>,
        /// Where to begin: the seed that a failure named repeats it.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many peers (crowd).
        #[arg(long, default_value_t = 12)]
        peers: u64,
        /// How long they type in one file, and for how long in twenty (crowd).
        #[arg(long, default_value_t = 10)]
        minutes: u64,
    },
    /// Tries every door that untrusted bytes come through with bytes that nobody meant well.
    Fuzz {
        /// Only this one: frames, link, deltas, bodies, grants, paths, journal, bundles, pairing, cards, tokens.
        #[arg(long)]
        door: Option<String>,
        /// How long for each.
        #[arg(long, default_value_t = 10)]
        minutes: u64,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The optimised build.
        #[arg(long)]
        release: bool,
    },
    /// Simulates peers under every fault; a plan that fails is made short and shown.
    Sim {
        /// How many plans.
        #[arg(long, default_value_t = 200)]
        seeds: u64,
        /// The first; the seed that a failure named repeats it.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The optimised build.
        #[arg(long)]
        release: bool,
        /// Instead, builds in deliberate bugs and shows which are caught, each within so many plans.
        #[arg(long)]
        bugs: bool,
    },
    /// Makes the .deb and .rpm packages.
    Bundle {
        /// Instead, tries the .deb made before: installs it in a bare system, uses it there, removes it (as root).
        #[arg(long = "try")]
        try_out: bool,
    },
    /// Draws the screens of the real window into out/screenshots.
    Screenshots {
        /// Only the pictures with this in their name.
        only: Option<String>,
    },
}

fn main() -> ExitCode {
    match Project::find().and_then(|project| obey(&project, Arguments::parse().command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask: {reason:#}");
            ExitCode::FAILURE
        }
    }
}

fn obey(project: &Project, command: Command) -> Result<()> {
    match command {
        Command::Setup => setup::run(project, Purpose::Test),
        Command::Run { folder, release } => {
            commands::run(project, folder, if release { Build::Release } else { Build::Debug })
        }
        Command::Test { fast } => commands::test(project, if fast { Depth::WithoutWindow } else { Depth::Everything }),
        Command::Tidy => tidy::run(project),
        Command::Codegen { check } => codegen::run(project, if check { Mode::Check } else { Mode::Write }),
        Command::Bench { arguments } => commands::bench(project, &arguments),
        Command::Prove { what, rounds, seed, peers, minutes } => {
            prove::run(project, what, prove::Measure { rounds, seed, peers, minutes })
        }
        Command::Fuzz { door, minutes, seed, release } => sim::fuzz(project, door.as_deref(), minutes, seed, release),
        Command::Sim { bugs: true, seeds, release, .. } => bugs::run(project, seeds, release),
        Command::Sim { seeds, seed, release, bugs: false } => sim::run(project, seeds, seed, release),
        Command::Bundle { try_out: true } => bundle::try_out(project),
        Command::Bundle { try_out: false } => bundle::make(project),
        Command::Screenshots { only } => commands::screenshots(project, only.as_deref()),
    }
}
