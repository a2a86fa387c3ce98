//! Man pages and shell completions of the command line, made from the definition that the program itself reads.

// Only its shape is used here, not what was typed.
#[allow(dead_code)]
#[path = "../../../cli/src/args.rs"]
mod args;

use anyhow::Result;
use args::Arguments;
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

const NAME: &str = "codesync";

/// The script that completes `codesync` in a shell.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), NAME, &mut script);
    script
}

/// Pages of section 1 by their names: one for the program and one for each command.
///
/// # Errors
/// When a page cannot be rendered.
pub fn pages() -> Result<Vec<(String, Vec<u8>)>> {
    let mut program = Arguments::command();
    program.build();
    let commands = program.get_subcommands().filter(|command| !command.is_hide_set());
    std::iter::once(&program).chain(commands).map(page).collect()
}

fn page(command: &Command) -> Result<(String, Vec<u8>)> {
    let page =
        Man::new(command.clone()).manual("User commands").source(concat!("CodeSync ", env!("CARGO_PKG_VERSION")));
    let mut text = Vec::new();
    page.render(&mut text)?;
    Ok((page.get_filename(), text))
}

#[cfg(test)]
mod tests;
