//! The command line of CodeSync: every command is one or a few requests to a workspace, here or in the
//! process that has it. Decides nothing about history; never shows a backtrace.

mod acts;
mod args;
mod chat;
mod edit;
mod failure;
mod files;
mod history;
mod moment;
mod nearby;
mod output;
mod people;
mod search;
mod session;
mod stop;
mod watch;
mod whole;

use acts::RestoreArguments;
use args::{Arguments, Command};
use clap::Parser;
use clap::error::ErrorKind;
use codesync_api::{ApiError, AskAnswer, ErrorCode, Reply, SearchQuery};
use failure::{Failure, reason};
use history::LogArguments;
use output::{Output, harmless};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Gives back what reading a history took: the system's keeps it, for every thread that decoded (docs/decisions/0010).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const REFUSED: u8 = 1;
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return not_understood(&error),
    };
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_env("CODESYNC_LOG").unwrap_or_else(|_| "off".into()))
        .init();
    say_panics_plainly();
    match run(&arguments) {
        Ok(()) | Err(Failure::OutputClosed) => ExitCode::SUCCESS,
        Err(Failure::Refused(sentence)) => complain(&sentence, REFUSED),
        Err(Failure::Usage(sentence)) => complain(&sentence, USAGE),
    }
}

fn complain(sentence: &str, status: u8) -> ExitCode {
    // Sentences name what others are called.
    let lines: Vec<String> = sentence.lines().map(harmless).collect();
    // If nobody hears it, the status still tells.
    writeln!(std::io::stderr(), "{}", lines.join("\n")).unwrap_or_default();
    status.into()
}

/// Help and version go to standard output; anything else is a sentence without clap's label before it.
fn not_understood(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return error.print().map_or_else(|_| ExitCode::SUCCESS, |()| ExitCode::SUCCESS);
    }
    let text = error.render().to_string();
    complain(text.strip_prefix("error: ").unwrap_or(&text).trim_end(), USAGE)
}

/// A fault of ours is said in a sentence, with the place for a report; what is in the log stays there.
fn say_panics_plainly() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|place| format!(" ({}:{})", place.file(), place.line())).unwrap_or_default();
        let sentence = format!("CodeSync made a mistake{place}. What was saved before is safe.");
        writeln!(std::io::stderr(), "{sentence}").unwrap_or_default();
    }));
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(directory) = &arguments.directory {
        std::env::set_current_dir(directory).map_err(|error| {
            Failure::refused(format!("“{}” cannot be used: {}.", directory.display(), reason(&error)))
        })?;
    }
    let mut out = Output::new(arguments.json, arguments.no_color);
    run_command(&arguments.command, &mut out)?;
    out.flush()
}

fn run_command(command: &Command, out: &mut Output) -> Result<(), Failure> {
    match command {
        Command::Init { dir } => whole::init(dir.as_deref(), out),
        Command::Status => whole::status(out),
        Command::Watch => watch::watch(&[], out),
        Command::Serve { connect } => watch::watch(connect, out),
        Command::Invite { role, share_past, long } => people::invite(*role, *long, *share_past, out),
        // With --ask there is no code: what stands in its place is the folder.
        Command::Join { ask: Some(name), code, .. } => {
            people::join_by_asking(name, code.as_deref().map(Path::new), out)
        }
        Command::Join { code, dir, address, .. } => {
            people::join(code.as_deref().unwrap_or_default(), dir.as_deref(), address.as_deref(), out)
        }
        Command::Answer { words, role, share_past, not_now, words_differ, forget } => {
            let answer = match (not_now, words_differ) {
                (_, true) => AskAnswer::WordsDiffer,
                (true, _) => AskAnswer::NotNow,
                _ => AskAnswer::LetIn { role: (*role).into(), remember: !forget, share_past: *share_past },
            };
            people::answer(words.as_deref(), answer, out)
        }
        Command::Nearby { seconds, follow } => nearby::nearby(*seconds, *follow, out),
        Command::Members => people::list(out),
        Command::Digest => people::digest(out),
        Command::Role { person, role } => people::set_role(person, *role, out),
        Command::Remove { person } => people::remove(person, out),
        Command::Chat { message, follow } => chat::chat(message.as_deref(), *follow, out),
        Command::Open { dir } => whole::open(dir.as_deref(), out),
        Command::Edit { path } => edit::edit(path, out),
        Command::Log { path, since, until, author, steps } => {
            let arguments = LogArguments {
                path: path.as_deref(),
                since: since.as_deref(),
                until: until.as_deref(),
                author: author.as_deref(),
                steps: *steps,
            };
            history::log(&arguments, out)
        }
        Command::Show { path, at } => files::show(path, at.as_deref(), out),
        Command::Tree { at } => files::tree(at.as_deref(), out),
        Command::Diff { path, from, to } => history::diff(path.as_deref(), from, to.as_deref(), out),
        Command::Blame { path, at } => history::blame(path, at.as_deref(), out),
        Command::Find { text } => history::find(text, out),
        Command::Search { text, regex, case, word, include, exclude } => {
            let query = SearchQuery {
                text: text.clone(),
                is_regex: *regex,
                match_case: *case,
                whole_word: *word,
                include: include.clone(),
                exclude: exclude.clone(),
                replacement: None,
            };
            search::search(&query, out)
        }
        Command::Moment { name, note, at } => acts::name_moment(name, note.as_deref(), at.as_deref(), out),
        Command::Moments => history::moments(out),
        Command::Restore { path, at, lines, dry_run, .. } => acts::restore(
            &RestoreArguments { path: path.as_deref(), at, lines: lines.as_deref(), dry_run: *dry_run },
            out,
        ),
        Command::Undo => acts::undo(out),
        Command::Rename { from, to } => files::rename(from, to, out),
        Command::Delete { path } => files::delete(path, out),
        Command::Verify { repair } => whole::verify(*repair, out),
        Command::Export { file: Some(file), .. } => whole::export_bundle(file, out),
        Command::Export { git: Some(dir), .. } => whole::export_git(dir, out),
        Command::Export { .. } => Err(Failure::usage("Say where to: a file, or --git and a folder.")),
        Command::Import { file } => whole::import(file, out),
        Command::Completions { shell } => whole::completions(*shell, out),
    }
}

/// A reply of another kind than asked for: a fault of ours, or of another version's.
fn unexpected(reply: &Reply) -> ApiError {
    let kind: String = format!("{reply:?}").chars().take_while(|c| c.is_alphanumeric()).collect();
    ApiError::new(ErrorCode::Internal, "The workspace gave an answer to another question.").with_detail(kind)
}
