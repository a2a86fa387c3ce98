//! What is printed: lines for people, or one JSON object a line. Fields keep the order they are given in;
//! a field without a value is left out.

use crate::failure::Failure;
use codesync_node::is_bidi_control;
use jiff::{Timestamp, Zoned, tz::TimeZone};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

pub struct Output {
    pub json: bool,
    color: bool,
    out: BufWriter<Stdout>,
    now: Zoned,
}

/// How a word is shown.
#[derive(Clone, Copy)]
pub enum Style {
    Faint,
    Added,
    Removed,
    Heading,
    Id,
}

impl Output {
    pub fn new(json: bool, no_color: bool) -> Self {
        let out = io::stdout();
        let wanted = !json && !no_color && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { json, color: wanted && out.is_terminal(), out: BufWriter::new(out), now: Zoned::now() }
    }

    pub fn line(&mut self, text: impl AsRef<str>) -> Result<(), Failure> {
        self.out.write_all(text.as_ref().as_bytes())?;
        Ok(self.out.write_all(b"\n")?)
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.out.write_all(bytes)?)
    }

    pub fn object(&mut self, fields: &[(&str, Value)]) -> Result<(), Failure> {
        let text = object_text(fields);
        self.line(text)
    }

    /// A sentence for people, fields for programs.
    pub fn say(&mut self, sentence: &str, fields: &[(&str, Value)]) -> Result<(), Failure> {
        if self.json { self.object(fields) } else { self.line(sentence) }
    }

    pub fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }

    pub fn paint(&self, style: Style, text: &str) -> String {
        let code = match style {
            Style::Faint => "2",
            Style::Added => "32",
            Style::Removed => "31",
            Style::Heading => "1",
            Style::Id => "33",
        };
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Local time of day, with the date when that is not today.
    pub fn time(&self, at_ms: u64) -> String {
        let Some(then) = zoned(at_ms, self.now.time_zone()) else { return "?".into() };
        let is_today = then.date() == self.now.date();
        then.strftime(if is_today { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" }).to_string()
    }

    /// As [`Self::time`], for a time in RFC 3339.
    pub fn time_of(&self, timestamp: &str) -> String {
        match timestamp.parse::<Timestamp>() {
            Ok(instant) => self.time(u64::try_from(instant.as_millisecond()).unwrap_or(0)),
            Err(_) => timestamp.to_owned(),
        }
    }
}

pub fn zoned(at_ms: u64, zone: &TimeZone) -> Option<Zoned> {
    let instant = Timestamp::from_millisecond(i64::try_from(at_ms).ok()?).ok()?;
    Some(instant.to_zoned(zone.clone()))
}

/// RFC 3339 in UTC with milliseconds.
pub fn rfc3339(at_ms: u64) -> String {
    let zoned = zoned(at_ms, &TimeZone::UTC);
    zoned.map(|then| then.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()).unwrap_or_default()
}

/// One JSON object in the given order, without the fields that are null.
pub fn object_text(fields: &[(&str, Value)]) -> String {
    let mut text = String::from("{");
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let comma = if text.len() > 1 { "," } else { "" };
        write!(text, "{comma}\"{name}\":{value}").expect("invariant: writing to a string succeeds");
    }
    text.push('}');
    text
}

/// `1 file`, `2 files`.
pub fn counted(n: u64, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {many}", grouped(n)) }
}

/// `1,234,567`
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes for people.
pub fn size(n_bytes: u64) -> String {
    match n_bytes {
        0..1_000 => format!("{n_bytes} B"),
        1_000..1_000_000 => format!("{:.1} KB", n_bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", n_bytes as f64 / 1e6),
        _ => format!("{:.1} GB", n_bytes as f64 / 1e9),
    }
}

/// Eight digits name a delta well enough for a person.
pub fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// Control characters made visible, and those that turn the direction of text, so that a name or line cannot drive the
/// terminal.
pub fn harmless(text: &str) -> String {
    let is_harmful = |c: char| (c.is_control() && c != '\t') || is_bidi_control(c);
    text.chars().map(|c| if is_harmful(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_drives_the_terminal_or_turns_text_is_shown_as_what_it_is() {
        assert_eq!(harmless("a\tb\u{1b}[2J\u{202e}c\u{2067}\n"), "a\tb\u{fffd}[2J\u{fffd}c\u{fffd}\u{fffd}");
    }
}
