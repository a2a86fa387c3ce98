//! What can be typed: commands and options. `docs/cli.md` lists the same; a test compares them.

use clap::{Parser, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;

/// Every keystroke kept, any moment brought back.
#[derive(Parser, Debug)]
#[command(name = "codesync", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct Arguments {
    /// Act as if started in this folder
    #[arg(short = 'C', value_name = "DIR", global = true, value_hint = ValueHint::DirPath)]
    pub directory: Option<PathBuf>,
    /// Print one JSON object a line
    #[arg(long, global = true)]
    pub json: bool,
    /// Print without colours
    #[arg(long, global = true)]
    pub no_color: bool,
    #[command(subcommand)]
    pub command: Command,
}

/// What `M` stands for.
const MOMENT: &str = "A moment: an RFC 3339 time, a date, HH:MM[:SS] today, -10m (s, m, h, d, w), a delta id \
                      or its beginning, name:…, @N (the N-th step), or now";

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Make a workspace of a folder
    Init {
        /// The folder; the present one when left out
        #[arg(value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
    /// Show what is kept and whether all of it is saved
    Status,
    /// Follow the folder until stopped by Ctrl+C
    Watch,
    /// Stay online for the others of a shared workspace until stopped by Ctrl+C
    Serve {
        /// Stay connected with whoever is at this address: HOST or HOST:PORT
        #[arg(long, value_name = "ADDRESS")]
        connect: Vec<String>,
    },
    /// Show a code that lets somebody into this workspace
    Invite {
        /// What they may do
        #[arg(long, value_enum, default_value = "editor")]
        role: RoleArgument,
        /// Share the history so far, too; without this they get the files as they are now and what comes from then on
        #[arg(long)]
        share_past: bool,
        /// Six words that stand for a day, rather than a digit and two words that stand for ten minutes
        #[arg(long)]
        long: bool,
    },
    /// Come into somebody's workspace with the code that they said, or by asking
    Join {
        /// The code; nothing with --ask
        #[arg(required_unless_present = "ask")]
        code: Option<String>,
        /// The folder for the copy: empty or new; named like the workspace when left out
        #[arg(value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
        /// Ask somebody nearby: their name, or that of what they share
        #[arg(long, value_name = "NAME", conflicts_with_all = ["address", "dir"])]
        ask: Option<String>,
        /// Where the other computer is, if it is not found by itself: HOST or HOST:PORT
        #[arg(long, value_name = "ADDRESS")]
        address: Option<String>,
    },
    /// List who asks to come into this workspace, or answer somebody
    Answer {
        /// The two words that whoever asks is shown, such as harbor-violin; left out, everybody who asks is listed
        words: Option<String>,
        /// What they may do
        #[arg(long, value_enum, default_value = "editor")]
        role: RoleArgument,
        /// Share the history so far, too; without this they get the files as they are now and what comes from then on
        #[arg(long)]
        share_past: bool,
        /// Don't let them in
        #[arg(long)]
        not_now: bool,
        /// Their screen shows other words
        #[arg(long, conflicts_with = "not_now")]
        words_differ: bool,
        /// Compare words again the next time they ask
        #[arg(long)]
        forget: bool,
    },
    /// List who is on the network, and what they share
    Nearby {
        /// How long to look
        #[arg(long, value_name = "SECONDS", default_value = "3")]
        seconds: u64,
        /// Then say who comes and goes, until stopped by Ctrl+C
        #[arg(long)]
        follow: bool,
    },
    /// List who takes part in this workspace
    #[command(visible_alias = "peers")]
    Members,
    /// Print a hash of all that the workspace has: equal on computers that have the same
    Digest,
    /// Change what somebody may do
    Role {
        /// A name, or the beginning of a device's key
        person: String,
        #[arg(value_enum)]
        role: RoleArgument,
    },
    /// Let somebody take part no longer
    Remove {
        /// A name, or the beginning of a device's key
        person: String,
    },
    /// Say something to the others, or list what was said
    Chat {
        /// What to say; without it the newest messages are listed
        message: Option<String>,
        /// Then print what comes, until stopped by Ctrl+C
        #[arg(long)]
        follow: bool,
    },
    /// Open the window
    Open {
        /// The folder; the present workspace when left out
        #[arg(value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
    /// Apply edits from standard input: one JSON array a line, [position, deleted, inserted]
    Edit { path: String },
    /// List what happened
    Log {
        /// A file or folder; the whole workspace when left out
        path: Option<String>,
        #[arg(long, value_name = "M", help = MOMENT, allow_hyphen_values = true)]
        since: Option<String>,
        #[arg(long, value_name = "M", help = MOMENT, allow_hyphen_values = true)]
        until: Option<String>,
        /// Only what this person did; “Disk” for other programs
        #[arg(long, value_name = "A")]
        author: Option<String>,
        /// One line a step, instead of one a change group
        #[arg(long)]
        steps: bool,
    },
    /// Print a file as it is or was, exactly
    Show {
        path: String,
        #[arg(long, value_name = "M", help = MOMENT, allow_hyphen_values = true)]
        at: Option<String>,
    },
    /// List the files
    Tree {
        #[arg(long, value_name = "M", help = MOMENT, allow_hyphen_values = true)]
        at: Option<String>,
    },
    /// Compare two moments
    Diff {
        /// A file or folder; the whole workspace when left out
        path: Option<String>,
        #[arg(long, value_name = "M", help = MOMENT, allow_hyphen_values = true)]
        from: String,
        #[arg(long, value_name = "M", help = "The later moment; now when left out", allow_hyphen_values = true)]
        to: Option<String>,
    },
    /// Show who wrote what, and when
    Blame {
        path: String,
        #[arg(long, value_name = "M", help = MOMENT, allow_hyphen_values = true)]
        at: Option<String>,
    },
    /// Find when a text appeared and vanished
    Find { text: String },
    /// Look for a text in the files as they are now
    Search {
        text: String,
        /// The text is a regular expression
        #[arg(long)]
        regex: bool,
        /// Capitals matter
        #[arg(long)]
        case: bool,
        /// Whole words only
        #[arg(long)]
        word: bool,
        /// Only in these files: a glob, such as '*.rs' or src
        #[arg(long, value_name = "GLOB")]
        include: Vec<String>,
        /// Not in these files
        #[arg(long, value_name = "GLOB")]
        exclude: Vec<String>,
    },
    /// Name a moment
    Moment {
        name: String,
        /// A remark to keep with it
        #[arg(long)]
        note: Option<String>,
        #[arg(long, value_name = "M", help = MOMENT, allow_hyphen_values = true)]
        at: Option<String>,
    },
    /// List the named moments
    Moments,
    /// Bring back what stood at a moment
    Restore {
        /// A file or folder
        #[arg(required_unless_present = "all")]
        path: Option<String>,
        /// The whole workspace
        #[arg(long, conflicts_with = "path")]
        all: bool,
        #[arg(long, value_name = "M", help = MOMENT, allow_hyphen_values = true)]
        at: String,
        /// Only these lines of the past text, both included
        #[arg(long, value_name = "A-B", conflicts_with = "all")]
        lines: Option<String>,
        /// Show what it would do, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Take back the last act
    Undo,
    /// Rename or move a file or folder
    Rename { from: String, to: String },
    /// Delete a file or folder; its history stays
    Delete { path: String },
    /// Check the whole history
    Verify {
        /// Mend what can be mended
        #[arg(long)]
        repair: bool,
    },
    /// Write the whole history into one file, or as a git repository
    Export {
        /// The replay bundle to write, such as history.codesync-replay
        #[arg(required_unless_present = "git", value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
        /// A new folder for a git repository
        #[arg(long, value_name = "DIR", conflicts_with = "file", value_hint = ValueHint::DirPath)]
        git: Option<PathBuf>,
    },
    /// Take in a replay bundle
    Import {
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Print completions for a shell
    Completions { shell: clap_complete::Shell },
}

/// A role as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RoleArgument {
    Owner,
    Editor,
    Viewer,
}
