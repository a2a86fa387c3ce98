//! Rules about files as texts: length, head, blanks at line ends, links that lead somewhere.

use super::{Finding, Source};

const FILE_LINES_MAX: usize = 1_500;
const FILE_LINES_ADVISED: usize = 800;
const COMPONENT_LINES_ADVISED: usize = 250;
/// The desktop shell stays small enough to be exchanged for another (DESIGN §2): lines that are neither
/// blank nor comment, tests left out.
const SHELL_LINES_MAX: usize = 1_500;
const SHELL_FOLDER: &str = "src-tauri/src/";

/// Looks at one file.
pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let path = source.path.as_str();
    if is_exempt(path) {
        return findings;
    }
    findings.extend(length(source));
    if path.ends_with(".rs") && !opens_with_doc(&source.text) && !is_test(path) {
        findings.push(Finding::failure(path, "does not open with `//!` that says what it is and must never do"));
    }
    // Two blanks at the end are a line break in Markdown.
    if !path.ends_with(".md") {
        findings.extend(blanks(source));
    }
    if !source.text.is_empty() && !source.text.ends_with('\n') {
        findings.push(Finding::failure(path, "does not end with a line end"));
    }
    findings
}

fn length(source: &Source) -> Option<Finding> {
    let n_lines = source.text.lines().count();
    let path = source.path.as_str();
    if !(path.ends_with(".rs") || path.ends_with(".ts") || path.ends_with(".svelte")) {
        return None;
    }
    if n_lines > FILE_LINES_MAX {
        return Some(Finding::failure(path, format!("has {n_lines} lines, the limit is {FILE_LINES_MAX}")));
    }
    let advised = if path.ends_with(".svelte") { COMPONENT_LINES_ADVISED } else { FILE_LINES_ADVISED };
    (n_lines > advised)
        .then(|| Finding::advice(path, format!("has {n_lines} lines; think about parts above {advised}")))
}

/// Looks at the size of the desktop shell as a whole.
pub fn check_shell(sources: &[Source]) -> Option<Finding> {
    let shell = sources.iter().filter(|source| source.path.starts_with(SHELL_FOLDER) && !is_test(&source.path));
    let n_lines: usize = shell.map(|source| source.text.lines().filter(|line| is_work(line)).count()).sum();
    let sentence = format!("the desktop shell has {n_lines} lines of code, the limit is {SHELL_LINES_MAX}");
    (n_lines > SHELL_LINES_MAX).then(|| Finding::failure(SHELL_FOLDER, sentence))
}

/// Blank lines and comments are no work to read.
pub fn is_work(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with("//")
}

fn blanks(source: &Source) -> Vec<Finding> {
    let ends_with_blank = |line: &&str| line.ends_with([' ', '\t', '\r']);
    let lines = source.text.split('\n').enumerate().filter(|(_, line)| ends_with_blank(line));
    lines
        .map(|(index, _)| {
            Finding::failure(format!("{}:{}", source.path, index + 1), "ends with a blank or a carriage return")
        })
        .collect()
}

fn opens_with_doc(text: &str) -> bool {
    text.lines().next().is_some_and(|line| line.starts_with("//!"))
}

/// A test module says what it tests by its name and place.
pub fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// What a program writes, and the sample project that is shown to users as it is.
fn is_exempt(path: &str) -> bool {
    path.starts_with("crates/node/sample/") || path == "ui/src/api/generated.ts" || path.ends_with("package-lock.json")
}

/// Looks at the links of the project's documents that lead to files of the project.
pub fn check_links(sources: &[Source], exists: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.path.ends_with(".md")) {
        for (line, target) in links(&source.text) {
            let Some(path) = resolve(&source.path, &target) else { continue };
            if !exists(&path) {
                let place = format!("{}:{line}", source.path);
                findings.push(Finding::failure(place, format!("links to {target}, which is not there")));
            }
        }
    }
    findings
}

/// Targets of `[text](target)`, with their lines; not inside code.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut is_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        for part in line.split("](").skip(1) {
            if let Some((target, _)) = part.split_once(')') {
                found.push((index + 1, target.to_owned()));
            }
        }
    }
    found
}

/// The path from the root that a link means; none for other sites and for places within the document.
fn resolve(document: &str, target: &str) -> Option<String> {
    let target = target.split(['#', ' ']).next().unwrap_or_default();
    if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                // Links that leave the checkout lead to the project's shared folder, which not everyone has.
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}
