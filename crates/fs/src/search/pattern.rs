//! What is looked for, and the places where it stands in a text. Pure.

use super::Replacement;
use codesync_base::utf16_len;
use regex::{Regex, RegexBuilder};
use std::ops::Range;

/// A pattern compiled to more than this is refused.
const COMPILED_BYTES_MAX: usize = 8 << 20;
/// Of a long line, what is shown before the match, and in all.
const SHOWN_BEFORE: usize = 40;
const SHOWN_CHARS: usize = 250;

/// What a person typed that is no pattern.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(String);

impl PatternError {
    pub(super) fn of_glob(glob: &str, reason: &globset::ErrorKind) -> Self {
        Self(format!("“{glob}” names no files: {reason}"))
    }
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    /// A match may be more than a line.
    spans_lines: bool,
}

/// A place where a pattern stands. Units are UTF-16, lines and columns count from 1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Match {
    /// In bytes.
    pub range: Range<usize>,
    pub position: u32,
    pub length: u32,
    pub line: u32,
    pub column: u32,
    /// The line in which it begins, or the part of a long one around it.
    pub preview: String,
    /// Where it stands in `preview`.
    pub from: u32,
    pub to: u32,
}

impl Pattern {
    /// Compiles what was typed. A regular expression that names no line end finds no more than a line.
    pub fn new(typed: &str, is_regex: bool, match_case: bool, whole_word: bool) -> Result<Self, PatternError> {
        if typed.is_empty() {
            return Err(PatternError("There is nothing to look for.".into()));
        }
        let core = if is_regex { typed.to_owned() } else { regex::escape(&typed.replace("\r\n", "\n")) };
        let compile = |text: &str| {
            let mut builder = RegexBuilder::new(text);
            builder.case_insensitive(!match_case).multi_line(true).size_limit(COMPILED_BYTES_MAX);
            builder.build().map_err(|error| PatternError(plain_reason(&error)))
        };
        // Alone first: “a)(b” is made whole by what is put around it.
        let mut regex = compile(&core)?;
        if whole_word {
            // A word that begins or ends with another sign than a letter has no boundary of the usual kind.
            regex = compile(&format!(r"\b{{start-half}}(?:{core})\b{{end-half}}"))?;
        }
        // Without an expression a line end is only where one was typed, and then it is meant.
        let spans_lines = !is_regex || typed.contains('\n') || names_line_end(typed);
        Ok(Self { regex, spans_lines })
    }

    /// How many groups a replacement may name.
    pub fn n_groups(&self) -> usize {
        self.regex.captures_len()
    }

    /// The first `n_max` matches, and whether there are more.
    pub fn matches(&self, text: &str, n_max: usize) -> (Vec<Match>, bool) {
        let mut places = Places::new(text);
        let mut found = Vec::new();
        let is_cut = self.each(text, &mut |range| {
            if found.len() == n_max {
                return false;
            }
            found.push(places.at(range));
            true
        });
        (found, is_cut)
    }

    /// All matches, and what each becomes.
    pub fn replaced(&self, text: &str, replacement: &Replacement) -> Vec<(Match, String)> {
        let (matches, _) = self.matches(text, usize::MAX);
        let with_new = |one: Match| {
            let new = self.becomes(text, &one, replacement);
            (one, new)
        };
        matches.into_iter().map(with_new).collect()
    }

    /// What a match of this text becomes.
    pub fn becomes(&self, text: &str, one: &Match, replacement: &Replacement) -> String {
        if let Some(plain) = replacement.plain() {
            return plain.to_owned();
        }
        // As it was found: a line for itself, unless the pattern reaches further.
        let within = if self.spans_lines { 0..text.len() } else { line_around(text, one.range.start) };
        let captures = self.regex.captures_at(&text[within.clone()], one.range.start - within.start);
        captures.map_or_else(|| text[one.range.clone()].to_owned(), |captures| replacement.fill(&captures))
    }

    /// Whether `take` wanted no more before the end.
    fn each(&self, text: &str, take: &mut dyn FnMut(Range<usize>) -> bool) -> bool {
        if self.spans_lines {
            return !self.regex.find_iter(text).all(|found| take(found.range()));
        }
        let mut at = 0;
        while let Some(first) = self.regex.find_at(text, at) {
            // What was found may reach beyond its line; what stands in the line alone is looked for there.
            let line = line_around(text, first.start());
            let mut inside = self.regex.find_iter(&text[line.clone()]);
            if !inside.all(|found| take(line.start + found.start()..line.start + found.end())) {
                return true;
            }
            at = line.end + 1;
            if at > text.len() {
                break;
            }
        }
        false
    }
}

fn line_around(text: &str, at: usize) -> Range<usize> {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
    start..end
}

/// `\n` in an expression, but not `\\n`.
fn names_line_end(typed: &str) -> bool {
    let mut signs = typed.chars();
    while let Some(sign) = signs.next() {
        if sign == '\\' && signs.next() == Some('n') {
            return true;
        }
    }
    false
}

/// The last line of what `regex` says is the reason; the rest draws the place.
fn plain_reason(error: &regex::Error) -> String {
    let said = error.to_string();
    match error {
        regex::Error::CompiledTooBig(_) => "it is too large".into(),
        _ => said.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    }
}

/// Counts lines and units while it goes through a text once.
struct Places<'a> {
    text: &'a str,
    /// So far it has counted, in bytes and in units.
    at: usize,
    position: u32,
    line: u32,
    line_start: usize,
    line_position: u32,
}

impl<'a> Places<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, position: 0, line: 1, line_start: 0, line_position: 0 }
    }

    fn go_to(&mut self, to: usize) {
        for part in self.text[self.at..to].split_inclusive('\n') {
            self.at += part.len();
            self.position += utf16_len(part);
            if part.ends_with('\n') {
                self.line += 1;
                (self.line_start, self.line_position) = (self.at, self.position);
            }
        }
    }

    fn at(&mut self, range: Range<usize>) -> Match {
        self.go_to(range.start);
        let shown = &self.text[self.line_start..self.shown_until(range.start)];
        let start = range.start - self.line_start;
        let end = (range.end - self.line_start).min(shown.len());
        let (preview, from) = preview(shown, start);
        let (from, n_units) = (utf16_len(&preview[..from]), utf16_len(&preview));
        Match {
            position: self.position,
            length: utf16_len(&self.text[range.clone()]),
            line: self.line,
            column: self.position - self.line_position + 1,
            from,
            to: (from + utf16_len(&shown[start..end])).min(n_units),
            preview,
            range,
        }
    }

    /// The end of the line, or as much of a long one as is ever shown.
    fn shown_until(&self, start: usize) -> usize {
        let bytes = &self.text.as_bytes()[start..];
        let bytes = &bytes[..bytes.len().min(4 * SHOWN_CHARS)];
        match bytes.iter().position(|byte| *byte == b'\n') {
            Some(length) => start + length,
            None => self.text.floor_char_boundary(start + bytes.len()),
        }
    }
}

/// What is shown of a line with a match at this byte, and the byte at which the match stands in that.
fn preview(line: &str, start: usize) -> (String, usize) {
    let indent = (line.len() - line.trim_start().len()).min(start);
    let before = &line[indent..start];
    let kept_from = before.char_indices().rev().nth(SHOWN_BEFORE).map(|(at, sign)| at + sign.len_utf8());
    let (mark, before) = kept_from.map_or(("", before), |from| ("…", &before[from..]));
    let after = &line[start..];
    let n_left = SHOWN_CHARS.saturating_sub(before.chars().count());
    let after = after.char_indices().nth(n_left).map_or(after, |(end, _)| &after[..end]);
    (format!("{mark}{before}{after}"), mark.len() + before.len())
}
